"""Merges of records: entities, assets and strikes are united with others of their table, and references are moved.

Of assets the best place is taken, names, ids and sources are united, and what a record says otherwise becomes a claim.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import chain
from typing import Any, TypeVar

from shapely.geometry.base import BaseGeometry

from layers.decisions.identity import JUDGED
from layers.model.messages import Message
from layers.model.records import REFERENCES, Asset, Claim, Record, Records, Stake, Strike, Weapon
from layers.model.types import short_wkt
from layers.resolution import merge_entities
from layers.resolution.merge_entities import append_note, filled, united
from layers.resolution.table_edit import Groups, TableEdit, grouped

#: Fields that are about the record and not about the event, and the sources, which are united.
_OF_THE_RECORD = frozenset({"id", "dataset", "private", "sources", "place_source", "checked"})
_FACTS = tuple(field for field in Strike.model_fields if field not in _OF_THE_RECORD)
#: What is filled, in groups of fields that depend on each other: they are filled together or not at all.
_STRIKE_FIELDS = (
    ("geometry", "uncertainty_m", "basis", "place_source"),
    ("killed_min", "killed_max"),
    ("injured_min", "injured_max"),
    *((field,) for field in ("when_note", "region", "host_country", "attacker", "weapons", "damage", "casualties")),
    ("target_kinds",),
)
#: What a place consists of: taken from one record as a whole, with how it was checked.
PLACE = ("geometry", "uncertainty_m", "basis", "place_source", "checked")
#: What is united, or is about the record and not the site.
_UNITED = frozenset({"id", "dataset", "private", "name", "names", "aliases", "external_ids", "sources", "note"})
#: Facts of an asset of which another record may say otherwise.
_ASSET_FACTS = tuple(field for field in Asset.model_fields if field not in {*_UNITED, "place_source", "checked"})
#: What is filled, in groups of fields that depend on each other: they are filled together or not at all.
_ASSET_FIELDS = (
    ("capacity", "capacity_unit"),
    *((field,) for field in _ASSET_FACTS if field not in {"capacity", "capacity_unit", *PLACE}),
)
_MAX_ID_LENGTH = 160

Claimed = TypeVar("Claimed", Strike, Asset)


def _claim(stated: Strike | Asset | Stake, record: str, field: str, number: int, value: str, source: str) -> Claim:
    """Return the claim that a field of a merged record becomes, with an id within the length of one."""
    name = f"{stated.id}/merged/{field.replace('_', '-')}/{number}"
    return Claim(
        id=name if len(name) <= _MAX_ID_LENGTH else f"merged/{sha256(name.encode()).hexdigest()}",
        dataset=stated.dataset,
        private=stated.private,
        record=record,
        field=field,
        value=value,
        source=source,
        checked=stated.checked,
    )


def merge_strike(strike: Strike, other: Strike) -> Strike:
    """Merge another record of the same event into a strike.

    Its own facts win, and a fact that it lacks is filled from the other. Sources and printed targets are united, and
    ``claims_of`` gives the facts of the other that differ. It is private if one of the two is.
    """
    return strike.model_copy(
        update={
            **filled(strike, other, *_STRIKE_FIELDS),
            "sources": tuple(dict.fromkeys((*strike.sources, *other.sources))),
            "targets": tuple(dict.fromkeys((*strike.targets, *other.targets))),
            "private": strike.private or other.private,
        }
    )


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
            yield _claim(other, one.id, field, number, value, source or other.sources[0])


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


def merge_asset(asset: Asset, other: Asset) -> Asset:
    """Merge another record of the same site into an asset.

    Its own facts win, and a fact that it lacks is filled from the other. The place is that of the other if that is
    surer of its place. Names, external ids, sources and notes are united. It is private if one of the two is.
    """
    note = asset.note if other.note in (None, asset.note) else append_note(asset.note, other.note or "")
    place = {field: getattr(other, field) for field in PLACE} if _unsure_m(other) < _unsure_m(asset) else {}
    return asset.model_copy(
        update={**united(asset, other), "note": note, **filled(asset, other, *_ASSET_FIELDS), **place}
    )


def _unsure_m(asset: Asset) -> float:
    if asset.geometry is None or asset.uncertainty_m is None:
        return float("inf")
    return asset.uncertainty_m


def _id_claims(one: Asset, other: Asset) -> Iterator[Claim]:
    """Yield a claim for each external id of an asset of which the asset it is merged into has another."""
    for number, (scheme, value) in enumerate(other.external_ids.items()):
        if one.external_ids.get(scheme, value) != value:
            yield _claim(other, one.id, "external_ids", number, f"{scheme} {value}", other.sources[0])


def _is_in_itself(assets: Mapping[str, Asset], name: str) -> bool:
    above, seen = assets[name].part_of, {name}
    while above is not None and above not in seen and above in assets:
        seen.add(above)
        above = assets[above].part_of
    return above == name


def _own_stakes(
    records: Records, stakes: Mapping[str, Stake], one: str, others: Iterable[str]
) -> tuple[list[Stake], list[Stake]]:
    """Return the stakes in a merged asset that count, and those that another of its records states.

    The stakes of the record that others were merged into count; where it has none, those of the first of the others
    that has any, by id. Two tables of owners of one site are two opinions on it, and are never added up. ``records``
    are as they were before, and the references of ``stakes`` moved to the merged asset.
    """
    by_record = [[stakes[stake.id] for stake in records.where("stakes", "owned", name)] for name in (one, *others)]
    counted, *left_out = [*filter(None, by_record)] or [[]]
    return counted, [stake for stated in left_out for stake in stated]


def _stake_claims(left_out: Iterable[Stake], counted: Iterable[Stake], records: Records) -> Iterator[Claim]:
    """Yield a claim for each stake that was left out, unless one that counts says the same."""
    stated = {_worded(stake, records) for stake in counted}
    for stake in left_out:
        if (value := _worded(stake, records)) in stated:
            continue
        stated.add(value)
        yield _claim(stake, stake.owned, "owner", 0, value, stake.source)


def _worded(stake: Stake, records: Records) -> str:
    """Return a stake as a text: the owner's name, the share in percent and the days, as far as they are stated."""
    owner = records.entities.get(stake.owner)
    shares = dict.fromkeys(f"{share:.12g}" for share in (stake.share_min, stake.share_max))
    days = f" {stake.since or '..'}/{stake.until or '..'}" if stake.since or stake.until else ""
    return f"{owner.name if owner else stake.owner} {'-'.join(shares)} %{days}"


_OF_THE_TIE = {"id", "dataset", "private", "source", "checked", "note"}


def _remove_repeats(records: Records, table: str, column: str, ties: TableEdit[Any], members: Iterable[str]) -> None:
    """Remove ties (relations or controls) of a merged asset that state the same as another one, the first by id.

    ``members`` are the asset and those that were merged into it; a column of the table names them. ``records`` are as
    they were before, and the references of ``ties`` moved to the merged asset.
    """
    names = sorted(tie.id for member in members for tie in records.where(table, column, member))
    first: dict[tuple[Any, ...], str] = {}
    for name in names:
        if first.setdefault(tuple(ties[name].model_dump(exclude=_OF_THE_TIE).values()), name) != name:
            ties.remove(name)


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
    edits["entities"].merge(groups["entities"], merge_entities.merge_entity)
    if present["entities"]:
        remarks += merge_entities.rewire_stakes(records, edits["stakes"], groups["assets"] + groups["entities"])
    strikes = edits["strikes"]
    pairs = [(strikes[one], strikes[other]) for one, others in groups["strikes"] for other in others]
    strikes.merge(groups["strikes"], merge_strike)
    for claim in chain.from_iterable(claims_of(*pair) for pair in pairs):
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
    """Merge assets, whose references were moved, and what refers to them.

    Returns a remark for each that would have become a part of itself, and is none of any now.
    """
    assets, stakes, claims = edits["assets"], edits["stakes"], edits["claims"]
    assets.merge(groups, merge_asset)
    remarks = []
    for one, others in groups:
        if _is_in_itself(assets, one):
            assets.update(one, {"part_of": None})
            remarks.append(Message("resolution.part-of-itself", {"asset": one}))
        counted, left_out = _own_stakes(records, stakes, one, others)
        for stake in left_out:
            stakes.remove(stake.id)
            for claim in records.where("claims", "record", stake.id):
                claims.update(claim.id, {"record": one, "field": "owner"})
        of_assets = [claim for name in (one, *others) for claim in _asset_claims(assets[one], assets.before[name])]
        for claim in (*of_assets, *_stake_claims(left_out, counted, records)):
            claims.put(claim)
        for table, column in (("relations", "asset"), ("controls", "controlled")):
            _remove_repeats(records, table, column, edits[table], (one, *others))
    return tuple(remarks)


def _asset_claims(one: Asset, other: Asset) -> Iterator[Claim]:
    yield from claims_of(one, other, _ASSET_FACTS)
    yield from _id_claims(one, other)


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
