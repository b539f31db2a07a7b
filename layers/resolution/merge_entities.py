"""Entities made one: names, identifiers and sources united, and stakes that then say the same counted once."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from datetime import date

from layers.model import edtf
from layers.model.records import Entity, Record, Records, Stake
from layers.store.record_table import remembered

#: Longest note of a record.
_NOTE_LENGTH = 2000
_CHECKED = ("read", "excerpt", "unverified")


def united(entities: Mapping[str, Entity], kept: Mapping[str, str]) -> dict[str, Entity]:
    """Entities without those merged into others; ``kept`` gives the id that each became. The order stays."""
    others: dict[str, list[Entity]] = {}
    for other, one in kept.items():
        others.setdefault(one, []).append(entities[other])
    made: dict[str, Entity] = {}
    for name, entity in entities.items():
        if name not in kept:
            made[name] = unite(entity, sorted(others.get(name, ()), key=lambda e: e.id))
    return made


def unite(one: Entity, others: Iterable[Entity]) -> Entity:
    """An entity with the names, ids and sources of others that are the same; its own facts come first.

    What the others say otherwise (type, country, ids) is kept in the note; a country that is empty is filled.
    """
    made = one
    for other in others:
        made = _united_pair(made, other)
    return made


def _united_pair(one: Entity, other: Entity) -> Entity:
    spare = {language: name for language, name in other.names.items() if language not in one.names}
    names = (*one.aliases, other.name, *other.aliases, *(n for n in other.names.values() if n not in spare.values()))
    # An entity known by an identifier only has it as its name.
    seen = {one.name, *one.names.values(), *spare.values(), *other.external_ids.values()}
    filled = {
        field: getattr(other, field)
        for field in ("registered_in", "headquartered_in")
        if getattr(one, field) is None and getattr(other, field) is not None
    }
    return one.model_copy(
        update={
            "names": {**one.names, **spare},
            "aliases": tuple(dict.fromkeys(name for name in names if name not in seen)),
            "external_ids": {**other.external_ids, **one.external_ids},
            "sources": tuple(dict.fromkeys((*one.sources, *other.sources))),
            "joint": one.joint or other.joint,
            "note": _noted(one.note, _differences(one, other)),
            **filled,
        }
    )


def _differences(one: Entity, other: Entity) -> str:
    told = [
        f"{field} {getattr(other, field)}"
        for field in ("type", "registered_in", "headquartered_in")
        if getattr(other, field) not in (None, getattr(one, field))
    ]
    told += [
        f"{scheme} {value}"
        for scheme, value in sorted(other.external_ids.items())
        if one.external_ids.get(scheme, value) != value
    ]
    said = f"One with {other.id} ({other.name})" + (f", which says {', '.join(told)}" if told else "") + "."
    return said + (f" {other.note}" if other.note else "")


def _noted(note: str | None, addition: str) -> str:
    """Add to a note what it does not say yet: uniting the same two again changes nothing."""
    return note if note and addition in note else with_note(note, addition) or ""


def with_note(note: str | None, addition: str) -> str | None:
    """A note with a further text, within the length of a note; None if both are empty."""
    return " ".join(text for text in (note, addition) if text)[:_NOTE_LENGTH] or None


_UNITED = re.compile(r"One with (\S+) \(")


def united_with(entity: Entity) -> list[str]:
    """Ids of the entities that ``unite`` made one with this one, as its note says."""
    return _UNITED.findall(entity.note or "")


def united_note(entity: Entity) -> str:
    """What ``unite`` added to the note of an entity; empty if it was not united with any."""
    found = _UNITED.search(entity.note or "")
    return entity.note[found.start() :] if entity.note and found else ""


def settled(before: Records, pointed: Mapping[str, Record]) -> tuple[dict[str, Record], tuple[str, ...]]:
    """Stakes without those in itself and without doubles, of the pairs that the merge touched."""
    stakes = {name: stake for name, stake in pointed.items() if isinstance(stake, Stake)}
    changed = {(s.owned, s.owner) for name, s in stakes.items() if s is not before.stakes[name]}
    inside = [stake for stake in stakes.values() if stake.owned == stake.owner and (stake.owned,) * 2 in changed]
    for stake in inside:
        del stakes[stake.id]
    told, remarks = _told_once(stakes, changed)
    dropped = [f"stake {stake.id} dropped: it would be a stake of {stake.owner} in itself" for stake in inside]
    return dict(told), (*dropped, *remarks)


def told_once(stakes: Mapping[str, Stake]) -> tuple[Mapping[str, Stake], tuple[str, ...]]:
    """Stakes without doubles, where several loads tell of one owner in one thing; and what was counted once.

    What one load says twice stays as it says it.
    """
    several = {(owned, owner) for owned, owner in remembered(stakes, "told by several", lambda: _several(stakes))}
    return _told_once(stakes, several) if several else (stakes, ())


def _several(stakes: Mapping[str, Stake]) -> list[list[str]]:
    """Owned and owner of the stakes that more than one load tells of."""
    told_by: dict[tuple[str, str], str] = {}
    several = set()
    for stake in stakes.values():
        pair = (stake.owned, stake.owner)
        if told_by.setdefault(pair, stake.dataset) != stake.dataset:
            several.add(pair)
    return sorted(map(list, several))


def _told_once(
    stakes: Mapping[str, Stake], pairs: Container[tuple[str, str]]
) -> tuple[dict[str, Stake], tuple[str, ...]]:
    """Stakes of which those of some pairs of owned and owner are counted once; their order stays."""
    made = dict(stakes)
    remarks: list[str] = []
    by_pair: dict[tuple[str, str], list[Stake]] = {}
    for stake in stakes.values():
        if (pair := (stake.owned, stake.owner)) in pairs:
            by_pair.setdefault(pair, []).append(stake)
    for found in by_pair.values():
        for stake in found:
            del made[stake.id]
        told, said = _counted_once(found)
        made.update((stake.id, stake) for stake in told)
        remarks += said
    return {name: made[name] for name in stakes if name in made}, tuple(remarks)


def _counted_once(stakes: list[Stake]) -> tuple[list[Stake], list[str]]:
    """Stakes of one owner in one thing, each share of a time once; the best checked stands for its doubles."""
    left: list[Stake] = []
    remarks: list[str] = []
    for stake in sorted(stakes, key=lambda s: (s.imputed, _CHECKED.index(s.checked), s.share_max - s.share_min, s.id)):
        double = next((row for row, other in enumerate(left) if _repeats(stake, other)), None)
        if double is None:
            left.append(stake)
            continue
        remarks.append(f"stake {stake.id} counted once, with {left[double].id}")
        left[double] = _covering(left[double], stake)
    return left, remarks


def _repeats(stake: Stake, other: Stake) -> bool:
    """Whether a stake says what another does: the same share at a common time, or a wider one within its time."""
    (began, ended), (other_began, other_ended) = _span(stake), _span(other)
    if (stake.share_min, stake.share_max) == (other.share_min, other.share_max):
        return began < other_ended and other_began < ended
    wider = stake.share_min <= other.share_min and other.share_max <= stake.share_max
    return wider and other_began <= began and ended <= other_ended


def _span(stake: Stake) -> tuple[int, int]:
    """First day and first day after, as widely as the texts allow."""
    since = edtf.parse(stake.since).earliest if stake.since else None
    until = edtf.parse(stake.until).latest if stake.until else None
    return since.toordinal() if since else 0, until.toordinal() if until else date.max.toordinal() + 1


def _covering(one: Stake, double: Stake) -> Stake:
    (began, ended), (other_began, other_ended) = _span(one), _span(double)
    since = double.since if other_began < began else one.since
    until = double.until if other_ended > ended else one.until
    note = _noted(one.note, f"Also {double.id} (source {double.source}).")
    return one.model_copy(update={"since": since, "until": until, "note": note})


def names_of(entity: Entity) -> Iterator[str]:
    """Every name of an entity, its main one first."""
    yield from dict.fromkeys((entity.name, *entity.names.values(), *entity.aliases))
