"""Merges of assets: the best place stands, names, ids and sources are united, and nothing that was said is lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Any

from layers.model.messages import Message
from layers.model.records import Asset, Claim, Records, Stake
from layers.resolution.merge_entities import append_note
from layers.resolution.table_edit import Groups, TableEdit

#: What a place consists of: taken from one record as a whole, with how it was checked.
PLACE = ("geometry", "uncertainty_m", "basis", "place_source", "checked")
#: What is united, or is about the record and not the site.
_UNITED = frozenset({"id", "dataset", "private", "name", "names", "aliases", "external_ids", "sources", "note"})
#: Fields that depend on each other: they are filled together or not at all.
_GROUPED = (("capacity", "capacity_unit"),)
#: Facts of an asset of which another record may say otherwise.
FACTS = tuple(field for field in Asset.model_fields if field not in {*_UNITED, "place_source", "checked"})


_MAX_ID_LENGTH = 160


def claim_id(other: str, field: str, number: int) -> str:
    """Return the id of the claim that a field of a merged record becomes, within the length of an id."""
    name = f"{other}/merged/{field.replace('_', '-')}/{number}"
    if len(name) <= _MAX_ID_LENGTH:
        return name
    return f"merged/{sha256(name.encode()).hexdigest()}"


def merge_asset(asset: Asset, others: Iterable[Asset]) -> Asset:
    """Merge other records of the same site into an asset.

    Its own facts stand, and a fact that it lacks is filled from the first of the others that has it. The place is that
    of the best located: surest of its place, the asset itself where others are no surer. Names, external ids, sources
    and notes are united. It is part of a larger asset if any of them is, never of itself; private if any of them is.
    """
    merged = asset
    for other in others:
        merged = merged.model_copy(update={**_united(merged, other), **_filled(merged, other), **_place(merged, other)})
    return merged


def _united(one: Asset, other: Asset) -> dict[str, Any]:
    spare = {language: name for language, name in other.names.items() if language not in one.names}
    names = (*one.aliases, other.name, *other.aliases, *(n for n in other.names.values() if n not in spare.values()))
    known = {one.name, *one.names.values(), *spare.values()}
    return {
        "names": {**one.names, **spare},
        "aliases": tuple(dict.fromkeys(name for name in names if name not in known)),
        "external_ids": {**other.external_ids, **one.external_ids},
        "sources": tuple(dict.fromkeys((*one.sources, *other.sources))),
        "note": one.note if other.note in (None, one.note) else append_note(one.note, other.note or ""),
        "private": one.private or other.private,
    }


def _filled(one: Asset, other: Asset) -> dict[str, Any]:
    """Return the facts that are empty in one asset, with the values of another."""
    grouped = {field for fields in _GROUPED for field in fields}
    single = ((field,) for field in FACTS if field not in {*grouped, *PLACE})
    filled: dict[str, Any] = {}
    for fields in (*_GROUPED, *single):
        if all(getattr(one, field) in (None, ()) for field in fields):
            filled |= {field: getattr(other, field) for field in fields}
    return filled


def _place(one: Asset, other: Asset) -> dict[str, Any]:
    return {field: getattr(other, field) for field in PLACE} if _unsure_m(other) < _unsure_m(one) else {}


def _unsure_m(asset: Asset) -> float:
    if asset.geometry is None or asset.uncertainty_m is None:
        return float("inf")
    return asset.uncertainty_m


def id_claims(one: Asset, other: Asset) -> Iterator[Claim]:
    """Yield a claim for each external id of an asset of which the asset it is merged into has another."""
    for number, (scheme, value) in enumerate(other.external_ids.items()):
        if one.external_ids.get(scheme, value) != value:
            yield Claim(
                id=claim_id(other.id, "external_ids", number),
                dataset=other.dataset,
                private=other.private,
                record=one.id,
                field="external_ids",
                value=f"{scheme} {value}",
                source=other.sources[0],
                checked=other.checked,
            )


def merge_within(
    assets: TableEdit[Asset], groups: Groups
) -> tuple[Mapping[str, tuple[Asset, ...]], tuple[Message, ...]]:
    """Merge assets of one site within a table, in which references were moved already.

    Returns
    -------
    tuple
        By the id of each that others were merged into, itself after that, and all its records as they were; and a
        remark for each that would have become a part of itself and is none of any now.
    """
    united = {}
    for one, others in groups:
        assets.put(merge_asset(assets[one], [assets[other] for other in others]))
        for other in others:
            assets.remove(other)
    remarks = []
    for one, others in groups:
        if _is_in_itself(assets, one):
            assets.update(one, {"part_of": None})
            remarks.append(Message("resolution.part-of-itself", {"asset": one}))
        united[one] = (assets[one], *(assets.before[name] for name in (one, *others)))
    return united, tuple(remarks)


def _is_in_itself(assets: Mapping[str, Asset], name: str) -> bool:
    above, seen = assets[name].part_of, {name}
    while above is not None and above not in seen and above in assets:
        seen.add(above)
        above = assets[above].part_of
    return above == name


def own_stakes(
    records: Records, stakes: Mapping[str, Stake], one: str, others: Iterable[str]
) -> tuple[list[Stake], list[Stake]]:
    """Return the stakes in a merged asset that stand, and those that another of its records states.

    The stakes of the record that others were merged into stand; where it has none, those of the first of the others
    that has any, by id. Two tables of owners of one site are two opinions on it, and are never added up.

    Parameters
    ----------
    records
        As they were before.
    stakes
        Stakes by id, with references moved to the merged asset.
    one, others
        The asset, and those that were merged into it, by id.
    """
    by_record = [[stakes[stake.id] for stake in records.where("stakes", "owned", name)] for name in (one, *others)]
    stood, *left_out = [*filter(None, by_record)] or [[]]
    return stood, [stake for stated in left_out for stake in stated]


def stake_claims(left_out: Iterable[Stake], standing: Iterable[Stake], records: Records) -> Iterator[Claim]:
    """Yield a claim for each stake that was left out, unless one that stands says the same."""
    said = {_worded(stake, records) for stake in standing}
    for stake in left_out:
        if (value := _worded(stake, records)) in said:
            continue
        said.add(value)
        yield Claim(
            id=claim_id(stake.id, "owner", 0),
            dataset=stake.dataset,
            private=stake.private,
            record=stake.owned,
            field="owner",
            value=value,
            source=stake.source,
            checked=stake.checked,
        )


def _worded(stake: Stake, records: Records) -> str:
    """Return a stake as a text: the owner's name, the share in percent and the days, as far as they are stated."""
    owner = records.entities.get(stake.owner)
    shares = dict.fromkeys(f"{share:.12g}" for share in (stake.share_min, stake.share_max))
    days = f" {stake.since or '..'}/{stake.until or '..'}" if stake.since or stake.until else ""
    return f"{owner.name if owner else stake.owner} {'-'.join(shares)} %{days}"


_OF_THE_TIE = {"id", "dataset", "private", "source", "checked", "note"}


def remove_repeats(records: Records, table: str, column: str, ties: TableEdit[Any], members: Iterable[str]) -> None:
    """Remove relations or controls of a merged asset that state the same as another one, the first by id.

    Parameters
    ----------
    records
        As they were before.
    table, column
        The table, and its column that names the asset.
    ties
        The table, with references moved to the merged asset.
    members
        The asset and those that were merged into it.
    """
    names = sorted(tie.id for member in members for tie in records.where(table, column, member))
    first: dict[tuple[Any, ...], str] = {}
    for name in names:
        if first.setdefault(tuple(ties[name].model_dump(exclude=_OF_THE_TIE).values()), name) != name:
            ties.remove(name)
