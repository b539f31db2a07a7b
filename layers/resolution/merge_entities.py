"""Merges of entities: names, identifiers and sources united, and the stakes that repeat each other counted once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from pydantic import BaseModel

from layers.model import edtf
from layers.model.messages import Message
from layers.model.records import Asset, Entity, Records, Stake
from layers.resolution.table_edit import Groups, TableEdit
from layers.store.record_table import texts

#: Limit of the length of a note.
_MAX_NOTE_LENGTH = 2000
_CHECKED = ("read", "excerpt", "unverified")


def merge_entity(one: Entity, other: Entity) -> Entity:
    """Merge another record of the same entity into one: names, identifiers and sources united, its own facts first.

    Facts of the other that differ (type, country, identifiers) go into the note; an empty country is filled. It is
    private if one of the two is.
    """
    return one.model_copy(
        update={
            # An entity known by an identifier only has it as its name.
            **united(one, other, other.external_ids.values()),
            "joint": one.joint or other.joint,
            "note": _extended_note(one.note, _differences(one, other)),
            **filled(one, other, ["registered_in"], ["headquartered_in"]),
        }
    )


def united(one: Asset | Entity, other: Asset | Entity, unnamed: Iterable[str] = ()) -> dict[str, Any]:
    """Return names, identifiers, sources and privacy of two records of one thing, united; the facts of one come first.

    ``unnamed`` are texts that are not taken for further names.
    """
    spare = {language: name for language, name in other.names.items() if language not in one.names}
    names = (*one.aliases, other.name, *other.aliases, *(n for n in other.names.values() if n not in spare.values()))
    known = {one.name, *one.names.values(), *spare.values(), *unnamed}
    return {
        "names": {**one.names, **spare},
        "aliases": tuple(dict.fromkeys(name for name in names if name not in known)),
        "external_ids": {**other.external_ids, **one.external_ids},
        "sources": tuple(dict.fromkeys((*one.sources, *other.sources))),
        "private": one.private or other.private,
    }


def filled(one: BaseModel, other: BaseModel, *fields: Sequence[str]) -> dict[str, Any]:
    """Return fields that are empty in one record, with the values of another; those of a group together or not."""
    return {
        field: getattr(other, field)
        for group in fields
        if all(getattr(one, field) in (None, ()) for field in group)
        for field in group
    }


def _differences(one: Entity, other: Entity) -> str:
    """Return the text that a merge adds to the note. It is data: ``merged_ids`` reads it back."""
    facts = [
        f"{field} {getattr(other, field)}"
        for field in ("type", "registered_in", "headquartered_in")
        if getattr(other, field) not in (None, getattr(one, field))
    ]
    facts += [
        f"{scheme} {value}"
        for scheme, value in sorted(other.external_ids.items())
        if one.external_ids.get(scheme, value) != value
    ]
    text = f"One with {other.id} ({other.name})" + (f", which says {', '.join(facts)}" if facts else "") + "."
    return text + (f" {other.note}" if other.note else "")


def _extended_note(note: str | None, addition: str) -> str:
    """Add a text to a note that does not have it yet: merging two entities again changes nothing."""
    return note if note and addition in note else append_note(note, addition) or ""


def append_note(note: str | None, addition: str) -> str | None:
    """Append a text to a note, cut at the length of a note; None if both are empty."""
    return " ".join(text for text in (note, addition) if text)[:_MAX_NOTE_LENGTH] or None


_MERGED = re.compile(r"One with (\S+) \(")
#: The columns in which an entity may have something of those that were merged into it.
MERGED_COLUMNS = ("names", "aliases", "external_ids", "sources", "joint", "note", "registered_in", "headquartered_in")


def merged_ids(entity: Entity) -> list[str]:
    """Return the ids of the entities that were merged into an entity, as its note says."""
    return _MERGED.findall(entity.note or "")


def has_merged(note: str | None, datasets: Iterable[str]) -> bool:
    """Return whether a note says that an entity of one of some datasets was merged."""
    merged = _MERGED.findall(note or "")
    return any(one.startswith(f"{dataset}/") for dataset in datasets for one in merged)


def merge_note(entity: Entity) -> str:
    """Return the part of an entity's note that merges added; empty if nothing was merged into it."""
    match = _MERGED.search(entity.note or "")
    return entity.note[match.start() :] if entity.note and match else ""


def rewire_stakes(before: Records, stakes: TableEdit[Stake], groups: Groups) -> tuple[Message, ...]:
    """Drop the stakes that a merge turned into stakes of an entity in itself, and count repeated ones once.

    Parameters
    ----------
    before
        The records before the merge.
    stakes
        Their stakes with references moved to the merged assets and entities.
    groups
        The merged assets and entities.

    Returns
    -------
    tuple
        A remark for each stake that was dropped or counted once.
    """
    members = {one: (one, *others) for one, others in groups}
    changed = dict.fromkeys((stake.owned, stake.owner) for stake in stakes.changed)
    pairs = {pair: _of_pair(before, stakes, pair, members) for pair in changed}
    dropped = []
    for (owned, owner), group in pairs.items():
        for stake in group if owned == owner else ():
            stakes.remove(stake.id)
            dropped.append(Message("resolution.stake-in-itself", {"stake": stake.id, "owner": stake.owner}))
    return (*dropped, *_count_once(stakes, (group for (owned, owner), group in pairs.items() if owned != owner)))


def deduplicate_stakes(records: Records) -> tuple[Mapping[str, Stake], tuple[Message, ...]]:
    """Count the stakes once that several datasets state of one owner in one thing; a remark for each left out.

    Repeated stakes within one dataset stay as they are.
    """
    stakes = TableEdit[Stake](records.stakes)
    groups = (_of_pair(records, stakes, pair, {}) for pair in _repeated_pairs(records.stakes))
    remarks = _count_once(stakes, groups)
    return stakes.finish(), remarks


def _of_pair(
    records: Records, stakes: Mapping[str, Stake], pair: tuple[str, str], members: Mapping[str, Sequence[str]]
) -> list[Stake]:
    """Return the stakes of an owner in a thing, in their order, after references were moved to it from its members."""
    owned, owner = pair
    names = (stake.id for name in members.get(owned, (owned,)) for stake in records.where("stakes", "owned", name))
    return [stakes[name] for name in names if name in stakes and stakes[name].owner == owner]


def _repeated_pairs(stakes: Mapping[str, Stake]) -> Sequence[tuple[str, str]]:
    """Return owned and owner of all stakes that more than one dataset states, in order."""
    first_dataset: dict[tuple[str, str], str] = {}
    shared = set()
    for _, owned, owner, dataset in texts(stakes, "owned", "owner", "dataset"):
        if first_dataset.setdefault((owned, owner), dataset) != dataset:
            shared.add((owned, owner))
    return sorted(shared)


def _count_once(stakes: TableEdit[Stake], groups: Iterable[Sequence[Stake]]) -> tuple[Message, ...]:
    """Count the stakes of each group of one owner in one thing once, in their places; a remark for each left out."""
    remarks: list[Message] = []
    for group in groups:
        counted, repeated = _counted_once([*group])
        remarks += repeated
        left = {stake.id: stake for stake in counted}
        for stake in group:
            if stake.id not in left:
                stakes.remove(stake.id)
            elif left[stake.id] is not stake:
                stakes.put(left[stake.id])
    return tuple(remarks)


def _counted_once(stakes: list[Stake]) -> tuple[list[Stake], list[Message]]:
    """Return the stakes of one owner in one thing, each share of a time once; the best checked for the rest."""
    left: list[Stake] = []
    remarks: list[Message] = []
    for stake in sorted(stakes, key=lambda s: (s.imputed, _CHECKED.index(s.checked), s.share_max - s.share_min, s.id)):
        row = next((row for row, other in enumerate(left) if _repeats(stake, other)), None)
        if row is None:
            left.append(stake)
            continue
        remarks.append(Message("resolution.stake-counted-once", {"stake": stake.id, "other": left[row].id}))
        left[row] = _covering(left[row], stake)
    return left, remarks


def _repeats(stake: Stake, other: Stake) -> bool:
    """Return whether a stake repeats another: the same share at a common time, or a wider range within its time."""
    (began, ended), (other_began, other_ended) = _span(stake), _span(other)
    if (stake.share_min, stake.share_max) == (other.share_min, other.share_max):
        return began < other_ended and other_began < ended
    wider = stake.share_min <= other.share_min and other.share_max <= stake.share_max
    return wider and other_began <= began and ended <= other_ended


def _span(stake: Stake) -> tuple[int, int]:
    """Return the first day and the day after the last, as ordinals, as widely as the texts allow."""
    since = edtf.parse(stake.since).earliest if stake.since else None
    until = edtf.parse(stake.until).latest if stake.until else None
    return since.toordinal() if since else 0, until.toordinal() if until else date.max.toordinal() + 1


def _covering(one: Stake, double: Stake) -> Stake:
    """Extend the time of a stake to that of a repeated one, and name that one in the note."""
    (began, ended), (other_began, other_ended) = _span(one), _span(double)
    since = double.since if other_began < began else one.since
    until = double.until if other_ended > ended else one.until
    note = _extended_note(one.note, f"Also {double.id} (source {double.source}).")
    return one.model_copy(update={"since": since, "until": until, "note": note})
