"""What a load does to what is known: whose records come, which stay, which are another dataset's. Writes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from layers.model.problems import Problem
from layers.model.read_result import Reading
from layers.model.records import NOUNS, REFERENCES, Entity, Record, Records, Source
from layers.resolution import resolve
from layers.resolution.merge import says_no_more
from layers.resolution.resolve import Resolution
from layers.store.writer import APPEND_ONLY

_Tables = dict[str, dict[str, Record]]
_At = tuple[str, str]  # table, id


@dataclass(frozen=True)
class Arrival:
    """A load in the making.

    ``records`` are all records of every dataset that the load touches, as they will be: what the store is brought to.
    ``known`` counts, by table, records of which another dataset says all that they say; ``left_out`` those whose
    reference was rejected. ``staying`` are ids that are no longer in the files and stay, with the reason. ``remarks``
    tell what else uniting entities changed.
    """

    records: Records
    resolution: Resolution
    problems: tuple[Problem, ...]
    known: Mapping[str, int]
    left_out: Mapping[str, int]
    staying: Mapping[str, str]
    remarks: tuple[str, ...] = ()


def arrive(stored: Records, reading: Reading, dataset: str, append: bool = False) -> Arrival:
    """Work out what becomes of the records of a reading.

    - A record of an id that the same dataset holds is its newer version; a decision is never changed nor removed.
    - An entity that another dataset holds (by id or, if it is new, by LEI, GEM or Wikidata id) is united with that
      one, which stays where it is, with its own facts first. What is private is not united with what is not.
    - Any record whose id another dataset holds is left to it if it says nothing else (of a source: if publisher and
      address are the same); but for entities it is else a problem: no load replaces what another brought.
    - Records of the dataset that are no longer in the files are removed, unless the load appends, has problems (the
      record may be among what was rejected), the files hold none at all, or another dataset refers to them.
    - What refers to a record that is nowhere is a problem; if that record was rejected, it is left out with it.

    Parameters
    ----------
    dataset
        The dataset that files without any record are of; else the records say themselves of which they are.
    """
    datasets = {record.dataset for _, record in _all(reading.records)} or {dataset}
    old, others = _split(stored, datasets)
    incoming, known, clashes = _sorted_out(reading, old, others)
    left_out, dangling = _drop_dangling(incoming, (others, old) if append else (others,), reading, clashes)
    incoming["entities"] |= _kept_up(incoming["entities"], old, others)
    resolution = resolve.resolved(Records.of(incoming), old, others)
    joined = resolve.join(others, Records.of(incoming), resolution)
    tables = {name: dict(joined.records.table(name)) for name in NOUNS}
    problems = (*clashes.values(), *dangling)
    staying = _stay(tables, old, _why_all_stay(append, (*reading.problems, *problems), incoming))
    touched = datasets | {record.dataset for name, record in _all(joined.records) if _differs(others, name, record)}
    kept = {name: {k: r for k, r in table.items() if r.dataset in touched} for name, table in tables.items()}
    return Arrival(Records.of(kept), resolution, problems, dict(known), dict(left_out), staying, joined.remarks)


def _why_all_stay(append: bool, problems: Collection[Problem], incoming: _Tables) -> str:
    """Why nothing is removed that is no longer in the files; empty if it is."""
    if append:
        return "appended to"
    if problems:
        return "the load has faults"
    return "" if any(incoming.values()) else "the files hold no record of it"


def _record_of(problem: Problem) -> str:
    """Id of the record that a problem is about, whose name is its noun and id."""
    return problem.record.partition(" ")[2] or problem.record


def _all(records: Records) -> Iterator[tuple[str, Record]]:
    return ((name, record) for name in NOUNS for record in records.table(name).values())


def _split(stored: Records, datasets: set[str]) -> tuple[Records, Records]:
    """The records of some datasets, and all others."""
    ours: _Tables = {name: {} for name in NOUNS}
    rest: _Tables = {name: {} for name in NOUNS}
    for name, record in _all(stored):
        (ours if record.dataset in datasets else rest)[name][record.id] = record
    return Records.of(ours), Records.of(rest)


def _sorted_out(reading: Reading, old: Records, others: Records) -> tuple[_Tables, Counter[str], dict[_At, Problem]]:
    """The records that are this load's own, a count of those others hold the same, and what is wrong with the rest."""
    own: _Tables = {name: {} for name in NOUNS}
    known: Counter[str] = Counter()
    clashes: dict[_At, Problem] = {}
    for name, record in _all(reading.records):
        other, before = others.table(name).get(record.id), old.table(name).get(record.id)
        if other is not None and _is_same(record, other):
            known[name] += 1
        elif other is not None and not _may_be_united(record, other):
            clashes[name, record.id] = _clash(name, record, other, reading)
        elif name in APPEND_ONLY and before is not None and before != record:
            clashes[name, record.id] = _changed_for_ever(name, record, before, reading)
        else:
            own[name][record.id] = record
    return own, known, clashes


def _may_be_united(record: Record, other: Record) -> bool:
    """Whether two records of one id may become one: entities, unless only one of them may be published."""
    return isinstance(record, Entity) and record.private == other.private


def _kept_up(entities: Mapping[str, Record], old: Records, others: Records) -> dict[str, Record]:
    """Entities of this dataset that were there before, so that loading the same again changes nothing."""
    return {
        key: resolve.kept_up(entity, old.entities[key], others)
        for key, entity in entities.items()
        if isinstance(entity, Entity) and key in old.entities
    }


def _is_same(record: Record, other: Record) -> bool:
    if isinstance(record, Source) and isinstance(other, Source):
        return (record.publisher, record.url, record.title) == (other.publisher, other.url, other.title)
    return says_no_more(record, other, *(("sources",) if isinstance(record, Entity) else ()))


def _clash(table: str, record: Record, other: Record, reading: Reading) -> Problem:
    told = ", ".join(changed_fields(other, record.model_copy(update={"dataset": other.dataset})))
    expected = f"an id of its own: the dataset {other.dataset} has it and says otherwise ({told}); its newer version?"
    expected += f" then load it with --dataset {other.dataset}"
    return _problem(table, record.id, ("id", record.id, expected), reading)


def _changed_for_ever(table: str, record: Record, before: Record, reading: Reading) -> Problem:
    told = ", ".join(changed_fields(before, record))
    expected = f"what it said before, also of {told}: {table} are only ever added; add another one"
    return _problem(table, record.id, ("id", record.id, expected), reading)


def _problem(table: str, key: str, fault: tuple[str, str, str], reading: Reading) -> Problem:
    """A fault (column, value, what was expected) of a record, with the place where that stands."""
    place = reading.places.get((table, key))
    file, row = (place.file, place.row) if place else (table, None)
    return Problem(file, row, f"{NOUNS[table].__name__.lower()} {key}", *fault)


def changed_fields(before: Record, after: Record) -> list[str]:
    """Names of the columns in which two versions of a record differ."""
    return [name for name in type(before).model_fields if getattr(before, name) != getattr(after, name)]


def _drop_dangling(
    incoming: _Tables, standing: Collection[Records], reading: Reading, clashes: Mapping[_At, Problem]
) -> tuple[Counter[str], list[Problem]]:
    """Take out incoming records that refer to what is not there or clashes; say which and why.

    What is ``standing`` is there besides, whatever comes.
    """
    rejected = {_record_of(problem) for problem in (*reading.problems, *clashes.values())}
    left_out: Counter[str] = Counter()
    problems: list[Problem] = []

    def is_there(table: str, key: str) -> bool:
        stands = (table, key) not in clashes and any(key in records.table(table) for records in standing)
        return stands or key in incoming[table]

    found = True
    while found:
        found = False
        for name in REFERENCES:
            for key, record in list(incoming[name].items()):
                if (fault := _missing(name, record, is_there)) is None:
                    continue
                found = True
                del incoming[name][key]
                if fault[1] in rejected:
                    left_out[name] += 1
                else:
                    problems.append(_problem(name, key, fault, reading))
                rejected.add(key)
    return left_out, problems


def _missing(table: str, record: Record, is_there: Callable[[str, str], bool]) -> tuple[str, str, str] | None:
    """Column, id and tables of the first reference that leads nowhere, or to another record than was meant."""
    for column, targets in REFERENCES[table].items():
        for key in _references(record, column):
            if not any(is_there(target, key) for target in targets):
                return column, key, f"an id in {' or '.join(targets)}"
    return None


def _references(record: Record, column: str) -> tuple[str, ...]:
    value: Any = getattr(record, column, None)
    if value is None:
        return ()
    return value if isinstance(value, tuple) else (value,)


def _stay(tables: _Tables, old: Records, why: str) -> dict[str, str]:
    """Put back what is no longer in the files and must stay: all of it for a reason, or what others refer to."""
    gone = {(name, record.id): record for name, record in _all(old) if record.id not in tables[name]}
    wanted = {at: f"{at[0]} are only ever added" for at in gone if at[0] in APPEND_ONLY}
    if why:
        wanted = dict.fromkeys(gone, why)
    elif gone:
        kept = [(name, gone[name, key]) for name, key in wanted]
        there = [(name, record) for name, table in tables.items() for record in table.values()]
        wanted |= _referred(gone, (at for at in (*there, *kept) if at[0] != "identities"))
    for name, key in wanted:
        tables[name][key] = gone[name, key]
    return {key: reason for (_, key), reason in wanted.items()}


def _referred(gone: Mapping[_At, Record], referring: Iterable[tuple[str, Record]]) -> dict[_At, str]:
    """Which of the records that are gone others refer to, directly or through each other, and who."""
    wanted: dict[_At, str] = {}
    waiting = list(referring)
    while waiting:
        name, record = waiting.pop()
        for column, targets in REFERENCES.get(name, {}).items():
            for key in _references(record, column):
                for target in targets:
                    at = (target, key)
                    if at in gone and at not in wanted:
                        wanted[at] = f"{NOUNS[name].__name__.lower()} {record.id} of {record.dataset} refers to it"
                        waiting.append((target, gone[at]))
    return wanted


def _differs(others: Records, name: str, record: Record) -> bool:
    """Whether a record of another dataset was changed, as an entity that was united is."""
    before = others.table(name).get(record.id)
    return before is not None and before is not record and before != record


@dataclass(frozen=True)
class Change:
    """What becomes of one table: ids added and removed, ids changed with the columns that differ, and how many not."""

    added: tuple[str, ...]
    changed: Mapping[str, tuple[str, ...]]
    removed: tuple[str, ...]
    unchanged: int


def changes(stored: Records, arrival: Arrival) -> dict[str, Change]:
    """What loading an arrival would change, by table, for tables with any record of it.

    An arrival without records changes nothing: a file that is empty by mistake removes no dataset.
    """
    datasets = {record.dataset for _, record in _all(arrival.records)}
    return {
        name: change
        for name in NOUNS
        if (change := _change(stored.table(name), arrival.records.table(name), datasets)) is not None
    }


def _change(before: Mapping[str, Record], after: Mapping[str, Record], datasets: set[str]) -> Change | None:
    added = tuple(key for key in after if key not in before)
    both = [(before[key], record) for key, record in after.items() if key in before]
    changed = {
        record.id: tuple(changed_fields(was, record)) for was, record in both if was is not record and was != record
    }
    removed = tuple(key for key, record in before.items() if record.dataset in datasets and key not in after)
    if not after and not removed:
        return None
    return Change(added, changed, removed, len(both) - len(changed))
