"""Merges of records: entities, assets and strikes are united with others of their table, and references are moved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import shapely
from shapely.geometry.base import BaseGeometry

from layers.decisions.identity import JUDGED
from layers.model.messages import Message
from layers.model.records import REFERENCES, Asset, Claim, Record, Records, Stake, Strike, Weapon
from layers.resolution import merge_assets, merge_entities

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
        return (str(shapely.to_wkt(value, rounding_precision=7, trim=True)),)
    if isinstance(value, Weapon):
        return (_weapon(value),)
    return (f"{value:.12g}" if isinstance(value, float) else str(value),)


def _weapon(weapon: Weapon) -> str:
    counts = [str(count) for count in (weapon.count_min, weapon.count_max) if count is not None]
    return " ".join((weapon.kind, "-".join(dict.fromkeys(counts)))).strip()


def merged_strikes(
    strikes: Mapping[str, Strike], merged_into: Mapping[str, str]
) -> tuple[dict[str, Strike], dict[str, Claim]]:
    """Return the strikes without those merged into others, in their order, and the claims of the merged ones.

    Parameters
    ----------
    strikes
        Strikes by id.
    merged_into
        The id that each merged strike becomes.
    """
    merged: dict[str, Strike] = {}
    claims: dict[str, Claim] = {}
    for strike, others in merge_entities.with_merged(strikes, merged_into):
        merged[strike.id] = merge_strike(strike, others)
        claims |= {claim.id: claim for other in others for claim in claims_of(strike, other)}
    return merged, claims


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

    Only ids of one table are merged. Stakes that become stakes of an entity in itself are dropped, and repeated stakes
    are counted once, each with a remark. Facts of a merged strike or asset that contradict the other's become claims,
    and so do the stakes in it that another of its records states.

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
    tables = {table: _with_moved_references(records, table, present) for table in REFERENCES if table != "identities"}
    tables |= {table: dict(records.table(table)) for table in ("sources", "identities")}
    remarks: tuple[Message, ...] = ()
    if present["assets"]:
        remarks = _with_assets(records, tables, present["assets"])
    if present["entities"]:
        tables["entities"] = dict(merge_entities.merged_entities(records.entities, present["entities"]))
        tables["stakes"], repeated = merge_entities.rewire_stakes(records, tables["stakes"])
        remarks += repeated
    if present["strikes"]:
        strikes, claims = merged_strikes(records.strikes, present["strikes"])
        tables["strikes"] = dict(strikes)
        tables["claims"] = {**tables["claims"], **claims}
    merged = {other: one for moved in present.values() for other, one in moved.items()}
    return MergeResult(Records.of(tables), merged, remarks)


def _with_assets(
    records: Records, tables: dict[str, dict[str, Record]], merged_into: Mapping[str, str]
) -> tuple[Message, ...]:
    """Merge the assets in tables whose references were moved, and what is said of them; return what else changed."""
    moved = cast(dict[str, Asset], tables["assets"])
    assets, united, remarks = merge_assets.merged_assets(records.assets, moved, merged_into)
    stakes, left_out = merge_assets.own_stakes(cast(dict[str, Stake], tables["stakes"]), records.stakes, united)
    claims = [
        *(claim for one, members in united.values() for other in members for claim in _asset_claims(one, other)),
        *merge_assets.stake_claims(left_out, stakes.values(), records),
    ]
    said = {
        name: claim.model_copy(update={"record": left_out[claim.record].owned, "field": "owner"})
        if isinstance(claim, Claim) and claim.record in left_out
        else claim
        for name, claim in tables["claims"].items()
    }
    tables["assets"], tables["stakes"] = dict(assets), dict(stakes)
    tables["claims"] = {**said, **{claim.id: claim for claim in claims}}
    for table, column in (("relations", "asset"), ("controls", "controlled")):
        tables[table] = merge_assets.without_repeats(tables[table], column, united)
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


def _with_moved_references(
    records: Records, table: str, merged_into: Mapping[str, Mapping[str, str]]
) -> dict[str, Record]:
    """Return a table with references to merged records moved; the rows that change are copies."""
    columns = {
        column: {other: one for judged in JUDGED if judged in targets for other, one in merged_into[judged].items()}
        for column, targets in REFERENCES[table].items()
        if set(targets) & set(JUDGED)
    }
    rows: dict[str, Record] = {}
    for name, record in records.table(table).items():
        changed = {column: moved[at] for column, moved in columns.items() if (at := getattr(record, column)) in moved}
        rows[name] = record.model_copy(update=changed) if changed else record
    return rows
