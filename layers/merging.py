"""Entities made one: groups from judgements, and every record that names a merged entity pointed at the one kept."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from layers import when
from layers.schema import REFERENCES, Entity, Identity, Record, Records, Stake

#: Longest note of a record.
_NOTE_LENGTH = 2000
_CHECKED = ("read", "excerpt", "unverified")


@dataclass(frozen=True)
class Merged:
    """Records after a merge: ``kept`` says which entity each merged one became, ``remarks`` what else changed."""

    records: Records
    kept: Mapping[str, str]
    remarks: tuple[str, ...]


def standing(judgements: Iterable[Identity]) -> dict[frozenset[str], Identity]:
    """The judgement that holds for each pair: the latest, in the order appended; an undone pair has none."""
    latest: dict[frozenset[str], Identity] = {}
    for judgement in judgements:
        pair = frozenset((judgement.one, judgement.other))
        latest.pop(pair, None)
        if judgement.verdict != "undone" and len(pair) == 2:
            latest[pair] = judgement
    return latest


class Groups:
    """Entities that are one, as a union-find led by the ``one`` of the latest union, of those that are present."""

    def __init__(self, apart: Iterable[frozenset[str]], present: Container[str]) -> None:
        self._present = present
        self._leader: dict[str, str] = {}
        self._members: dict[str, list[str]] = {}
        self._apart: dict[str, set[str]] = {}
        for one, other in (sorted(pair) for pair in apart):
            self._apart.setdefault(one, set()).add(other)
            self._apart.setdefault(other, set()).add(one)

    def leader(self, entity: str) -> str:
        """The entity that stands for this one."""
        return self._leader.get(entity, entity)

    def conflict(self, one: str, other: str) -> tuple[str, str] | None:
        """Two entities kept apart that a union would make one, if there are any."""
        ones = self._members.get(self.leader(one), [one])
        others = set(self._members.get(self.leader(other), [other]))
        return next(((name, found) for name in ones for found in sorted(self._apart.get(name, set()) & others)), None)

    def union(self, one: str, other: str) -> None:
        """Make two groups one, led by ``one`` if it is present."""
        candidates = (one, self.leader(one), self.leader(other), other)
        led_by = next((name for name in candidates if name in self._present), one)
        together: list[str] = []
        for entity in (one, other):
            leader = self.leader(entity)
            if not together or leader != self.leader(one):
                together += self._members.pop(leader, [entity])
        self._members[led_by] = together
        self._leader.update(dict.fromkeys(together, led_by))

    def kept(self) -> dict[str, str]:
        """Every merged entity, and the one that it became."""
        return {entity: leader for entity, leader in self._leader.items() if entity != leader}


def judged(records: Records) -> tuple[Groups, tuple[str, ...]]:
    """Groups of the standing judgements, and which of them could not be followed.

    Chains are followed also over entities that are not there, such as those merged before. A judgement that would
    join two entities judged different is not followed: the older ones hold together, and the conflict is said.
    """
    pairs = standing(records.identities.values())
    groups = Groups((pair for pair, held in pairs.items() if held.verdict == "different"), records.entities)
    remarks = []
    for held in pairs.values():
        if held.verdict != "same":
            continue
        if (clash := groups.conflict(held.one, held.other)) is not None:
            remarks.append(f"judgement {held.id} not followed: {clash[0]} and {clash[1]} are judged different")
            continue
        groups.union(held.one, held.other)
    return groups, tuple(remarks)


def merge(records: Records, kept: Mapping[str, str]) -> Merged:
    """Unite entities and point every reference at the ones kept. Judgements themselves stay as they are.

    Stakes of an entity in itself that appear by it are dropped, and stakes that say the same twice count once;
    both are said. Without anything to merge the records are given back as they are.
    """
    here = {other: one for other, one in kept.items() if other in records.entities and one in records.entities}
    if not here:
        return Merged(records, {}, ())
    tables = {table: _pointed(records, table, here) for table in REFERENCES if table != "identities"}
    tables["entities"] = _united(records, here)
    tables["stakes"], remarks = _settled(records, tables["stakes"])
    rest = {table: records.table(table) for table in ("sources", "identities")}
    return Merged(Records.of({**rest, **tables}), here, remarks)


def _pointed(records: Records, table: str, kept: Mapping[str, str]) -> dict[str, Record]:
    columns = [column for column, targets in REFERENCES[table].items() if "entities" in targets]
    made: dict[str, Record] = {}
    for name, record in records.table(table).items():
        changed = {column: kept[at] for column in columns if (at := getattr(record, column)) in kept}
        made[name] = record.model_copy(update=changed) if changed else record
    return made


def _united(records: Records, kept: Mapping[str, str]) -> dict[str, Record]:
    others: dict[str, list[Entity]] = {}
    for other, one in kept.items():
        others.setdefault(one, []).append(records.entities[other])
    made: dict[str, Record] = {}
    for name, entity in records.entities.items():
        if name not in kept:
            made[name] = unite(entity, sorted(others.get(name, ()), key=lambda e: e.id))
    return made


def unite(one: Entity, others: Iterable[Entity]) -> Entity:
    """An entity with the names, ids and sources of others that are the same; its own facts come first.

    What the others say otherwise (type, country, ids) is kept in the note; a country that is empty is filled.
    """
    united = one
    for other in others:
        united = _united_pair(united, other)
    return united


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
    if note and addition in note:
        return note
    return f"{note} {addition}"[:_NOTE_LENGTH] if note else addition[:_NOTE_LENGTH]


def _settled(before: Records, pointed: Mapping[str, Record]) -> tuple[dict[str, Record], tuple[str, ...]]:
    """Stakes without those in itself and without doubles, of the pairs that the merge touched."""
    stakes = {name: stake for name, stake in pointed.items() if isinstance(stake, Stake)}
    changed = {(s.owned, s.owner) for name, s in stakes.items() if s is not before.stakes[name]}
    made: dict[str, Record] = dict(stakes)
    remarks: list[str] = []
    by_pair: dict[tuple[str, str], list[Stake]] = {}
    for stake in stakes.values():
        if (stake.owned, stake.owner) in changed:
            by_pair.setdefault((stake.owned, stake.owner), []).append(stake)
    for (owned, owner), found in by_pair.items():
        for stake in found:
            del made[stake.id]
        if owned == owner:
            remarks += [f"stake {stake.id} dropped: it would be a stake of {owner} in itself" for stake in found]
            continue
        told, said = _counted_once(found)
        made.update((stake.id, stake) for stake in told)
        remarks += said
    order = [name for name in stakes if name in made]
    return {name: made[name] for name in order}, tuple(remarks)


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
    since = when.parse(stake.since).earliest if stake.since else None
    until = when.parse(stake.until).latest if stake.until else None
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
