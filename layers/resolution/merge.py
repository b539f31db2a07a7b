"""Merges of records: entities, assets and strikes are united with others of their table, and references are moved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from shapely.geometry.base import BaseGeometry

from layers.decisions.identity import JUDGED
from layers.model.messages import Message
from layers.model.records import REFERENCES, Asset, Claim, Record, Records, Strike, Weapon
from layers.model.types import short_wkt
from layers.resolution import merge_assets, merge_entities
from layers.resolution.table_edit import Groups, TableEdit, grouped

#: Fields that are about the record and not about the event, and the sources, which are united.
_OF_THE_RECORD = frozenset({"id", "dataset", "private", "sources", "place_source", "checked"})
_FACTS = tuple(field for field in Strike.model_fields if field not in _OF_THE_RECORD)
#: Groups of fields that depend on each other: they are filled together or not at all.
_GROUPED_FIELDS = (
    ("geometry", "uncertainty_m", "basis", "place_source"),
    ("killed_min", "killed_max"),
    ("injured_min", "injured_max"),
)
_SINGLE_FIELDS = ("when_note", "region", "host_country", "attacker", "weapons", "damage", "casualties", "target_kinds")

Claimed = TypeVar("Claimed", Strike, Asset)


def merge_strike(strike: Strike, others: Iterable[Strike]) -> Strike:
    """Merge other records of the same event into a strike.

    Its own facts stand. A fact that it lacks is filled from the first of the others that has it; sources and printed
    targets are united, and ``claims_of`` gives the facts of the others that differ. It is private if any of them is.
    """
    merged = strike
    for other in others:
        merged = merged.model_copy(
            update={
                **_filled(merged, other),
                "sources": tuple(dict.fromkeys((*merged.sources, *other.sources))),
                "targets": tuple(dict.fromkeys((*merged.targets, *other.targets))),
                "private": merged.private or other.private,
            }
        )
    return merged


def _filled(strike: Strike, other: Strike) -> dict[str, Any]:
    """Return the fields that are empty in one strike, with the values of another."""
    filled: dict[str, Any] = {}
    for fields in (*_GROUPED_FIELDS, *((field,) for field in _SINGLE_FIELDS)):
        if all(getattr(strike, field) in (None, ()) for field in fields):
            filled |= {field: getattr(other, field) for field in fields}
    return filled


def claims_of(one: Claimed, other: Claimed, facts: Iterable[str] = _FACTS) -> Iterator[Claim]:
    """Yield a claim for each fact of a merged record that the record it is merged into contradicts or lacks.

    Lists (targets, their kinds, weapons) give one claim for each member that the other list has not. The source of
    a place is its own; any other value is ascribed to the first source of ``other``, since a record does not state
    which of its sources gave what. Geometry is WKT, lon/lat in degrees (OGC:CRS84), to seven digits.
    """
    for field in facts:
        ours, theirs = set(_texts(getattr(one, field))), _texts(getattr(other, field))
        source = other.place_source if field in ("geometry", "uncertainty_m", "basis") else None
        for number, value in enumerate(text for text in theirs if text not in ours):
            yield Claim(
                id=merge_assets.claim_id(other.id, field, number),
                dataset=other.dataset,
                private=other.private,
                record=one.id,
                field=field,
                value=value,
                source=source or other.sources[0],
                checked=other.checked,
            )


def _texts(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, tuple):
        return tuple(dict.fromkeys(text for member in value for text in _texts(member)))
    if isinstance(value, BaseGeometry):
        return (short_wkt(value, 7),)
    if isinstance(value, Weapon):
        return (_weapon(value),)
    return (f"{value:.12g}" if isinstance(value, float) else str(value),)


def _weapon(weapon: Weapon) -> str:
    counts = [str(count) for count in (weapon.count_min, weapon.count_max) if count is not None]
    return " ".join((weapon.kind, "-".join(dict.fromkeys(counts)))).strip()


def merge_strikes(strikes: TableEdit[Strike], groups: Groups) -> Iterator[Claim]:
    """Merge strikes of one event within a table; yield the claims of those that were merged."""
    for one, others in groups:
        strike, merged = strikes[one], [strikes[other] for other in others]
        strikes.put(merge_strike(strike, merged))
        for other in merged:
            strikes.remove(other.id)
            yield from claims_of(strike, other)


@dataclass(frozen=True)
class MergeResult:
    """Records after a merge.

    Attributes
    ----------
    records
        The records without those that were merged into others.
    merged_into
        The id that each merged record became.
    remarks
        What else changed, such as stakes that were dropped.
    """

    records: Records
    merged_into: Mapping[str, str]
    remarks: tuple[Message, ...]


def merge_records(records: Records, merged_into: Mapping[str, str]) -> MergeResult:
    """Merge entities, assets and strikes into others, and move every reference. Judgements stay as they are.

    Only ids of one table are merged, and of large tables only records that change are read. Stakes that become stakes
    of an entity in itself are dropped, and repeated stakes are counted once, each with a remark. Facts of a merged
    strike or asset that contradict the other's become claims, and so do the stakes in it that another of its records
    states.

    Parameters
    ----------
    records
        The records.
    merged_into
        The id that each merged record becomes. Without any that is present the records are returned as they are.
    """
    present = {table: _present(records.table(table), merged_into) for table in JUDGED}
    if not any(present.values()):
        return MergeResult(records, {}, ())
    edits: dict[str, TableEdit[Any]] = {name: TableEdit(records.table(name)) for name in REFERENCES}
    _move_references(records, edits, present)
    groups = {table: [*grouped(merged)] for table, merged in present.items()}
    remarks = _merge_assets(records, edits, groups["assets"])
    merge_entities.merge_within(edits["entities"], groups["entities"])
    if present["entities"]:
        remarks += merge_entities.rewire_stakes(records, edits["stakes"], groups["assets"] + groups["entities"])
    for claim in merge_strikes(edits["strikes"], groups["strikes"]):
        edits["claims"].put(claim)
    tables: dict[str, Any] = {name: edit.finish() for name, edit in edits.items()}
    merged = {other: one for moved in present.values() for other, one in moved.items()}
    return MergeResult(replace(records, **tables), merged, remarks)


def _move_references(
    records: Records, edits: Mapping[str, TableEdit[Any]], merged_into: Mapping[str, Mapping[str, str]]
) -> None:
    """Have the records that refer to a merged one refer to what it became; judgements stay as they are."""
    for name, edit in edits.items():
        if name == "identities":
            continue
        for column, targets in REFERENCES[name].items():
            for judged in set(targets) & set(JUDGED):
                for other, one in merged_into[judged].items():
                    for record in records.where(name, column, other):
                        edit.update(record.id, {column: one})


def _merge_assets(records: Records, edits: Mapping[str, TableEdit[Any]], groups: Groups) -> tuple[Message, ...]:
    """Merge assets, whose references were moved, and what is said of them; return what else changed."""
    united, remarks = merge_assets.merge_within(edits["assets"], groups)
    stakes, claims = edits["stakes"], edits["claims"]
    for one, others in groups:
        stood, left_out = merge_assets.own_stakes(records, stakes, one, others)
        for stake in left_out:
            stakes.remove(stake.id)
            for claim in records.where("claims", "record", stake.id):
                claims.update(claim.id, {"record": one, "field": "owner"})
        said = [claim for other in united[one][1:] for claim in _asset_claims(united[one][0], other)]
        for claim in (*said, *merge_assets.stake_claims(left_out, stood, records)):
            claims.put(claim)
        for table, column in (("relations", "asset"), ("controls", "controlled")):
            merge_assets.remove_repeats(records, table, column, edits[table], (one, *others))
    return remarks


def _asset_claims(one: Asset, other: Asset) -> Iterator[Claim]:
    yield from claims_of(one, other, merge_assets.FACTS)
    yield from merge_assets.id_claims(one, other)


def is_subsumed_by(record: Record, other: Record, *ignored: str) -> bool:
    """Return whether another record of the same id states every fact of a record, apart from its dataset.

    Empty fields state nothing; fields named in ``ignored`` are not compared.
    """
    return record.private == other.private and all(
        getattr(record, name) in (getattr(other, name), field.get_default(call_default_factory=True))
        for name, field in type(record).model_fields.items()
        if name not in ("dataset", *ignored)
    )


def _present(table: Mapping[str, Record], merged_into: Mapping[str, str]) -> dict[str, str]:
    return {other: one for other, one in merged_into.items() if other in table and one in table}
