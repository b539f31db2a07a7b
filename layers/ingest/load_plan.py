"""Works out what a load does to the store: which records are added, replaced, retained or refused. Writes nothing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from layers.ingest.integrity import id_in
from layers.model.messages import Message
from layers.model.problems import Problem, ReadResult, problem_of
from layers.model.records import RECORD_TYPES, REFERENCES, Entity, Record, Records, Source, references
from layers.resolution import resolve
from layers.resolution.asset_duplicates import propose_assets
from layers.resolution.linkage import DuplicateProposal
from layers.resolution.merge import is_subsumed_by
from layers.resolution.other_event import other_events
from layers.resolution.resolve import Resolution
from layers.resolution.strike_duplicates import propose_duplicates
from layers.store.private_datasets import Privacy, as_private
from layers.store.writer import APPEND_ONLY

#: What proposes pairs of records that may be one, by table.
_PROPOSE: Mapping[str, Callable[[Records], tuple[DuplicateProposal, ...]]] = MappingProxyType(
    {"strikes": propose_duplicates, "assets": propose_assets}
)
_Tables = dict[str, dict[str, Record]]
_RecordKey = tuple[str, str]  # table, id
_NOTHING_PRIVATE = Privacy()
#: A load may remove so large a part of a dataset, or make other events of its events, unless somebody agrees to more.
MUCH = 0.1
_ReferenceFault = tuple[str, str, Message]  # column, value, expected


@dataclass(frozen=True)
class LoadPlan:
    """The outcome of a load before it is written.

    ``records`` are all records of every dataset that the load touches, as they will be in the store.
    ``already_covered`` counts, by table, records that add nothing to those of another dataset; ``dropped`` those whose
    reference was rejected. ``retained`` are ids that the files no longer have and that stay, with the reason. ``notes``
    name further changes by uniting entities. ``private`` are the datasets that become private as a whole by this load.
    """

    records: Records
    resolution: Resolution
    problems: tuple[Problem, ...]
    already_covered: Mapping[str, int]
    dropped: Mapping[str, int]
    retained: Mapping[str, Message]
    notes: tuple[Message, ...] = ()
    private: frozenset[str] = frozenset()


def plan_load(
    stored: Records,
    result: ReadResult,
    dataset: str,
    append: bool = False,
    privacy: Privacy = _NOTHING_PRIVATE,
    replaces: bool = False,
) -> LoadPlan:
    """Work out what becomes of the records of a read.

    - A record of an id that the same dataset holds is its newer version; a decision is never changed nor removed.
    - An entity that another dataset holds (by id or, if it is new, by LEI, GEM or Wikidata id) is united with that
      one, which stays where it is, with its own facts first. Private entities are not united with public ones.
    - Any record whose id another dataset holds is left to it if it adds nothing (a source: if publisher and
      address are equal); otherwise it is a problem, except for entities: no load replaces another dataset's record.
    - A source of the dataset that would be another publisher's, at another address or none, is a problem.
    - Records of the dataset that are no longer in the files are removed, unless the load appends, has problems (the
      record may be among the rejected ones), the files hold none at all, or another dataset refers to them.
    - A record that refers to a missing record is a problem; if that record was rejected, it is dropped with it.
    - What is private stays so: a record that is private in the store or of a private dataset, whatever the files say,
      and every record of a dataset that becomes private, also those that are no longer in the files.

    Parameters
    ----------
    stored
        All records of the store.
    result
        Records and problems of the files.
    dataset
        Dataset of files without any record; records name their own.
    append
        Whether records that are not in the files stay.
    privacy
        What must stay private in the store.
    replaces
        Whether sources may become another publisher's, with all that cites them.
    """
    datasets = {record.dataset for _, record in _all_records(result.records)} or {dataset}
    becoming = frozenset(datasets - privacy.datasets.keys()) if result.private else frozenset()
    result, staying = _with_privacy(result, stored, privacy, becoming)
    stored = _marked(stored, becoming)
    old, others = _split(stored, datasets)
    incoming, already_covered, clashes = _split_incoming(result, old, others, replaces)
    if append:
        incoming["entities"] = {
            key: _completed(one, old.entities.get(key)) for key, one in incoming["entities"].items()
        }
    dropped, dangling = _drop_dangling(incoming, (others, old) if append else (others,), result, clashes)
    # With the merges of earlier loads, so that loading the same file again changes nothing.
    incoming["entities"] |= {
        key: resolve.carry_over_merges(entity, old.entities[key], others)
        for key, entity in incoming["entities"].items()
        if isinstance(entity, Entity) and key in old.entities
    }
    resolution = resolve.resolve_load(Records.of(incoming), old, others)
    joined = resolve.join(others, Records.of(incoming), resolution)
    tables = {name: dict(joined.records.table(name)) for name in RECORD_TYPES}
    problems = (*clashes.values(), *dangling)
    retained = _retain_old(tables, old, _reason_to_retain_all(append, (*result.problems, *problems), incoming))
    # A record of another dataset may be changed, as an entity is by being united.
    touched = datasets | {
        record.dataset
        for name, record in _all_records(joined.records)
        if (before := others.table(name).get(record.id)) is not None and before is not record and before != record
    }
    affected = {name: {k: r for k, r in table.items() if r.dataset in touched} for name, table in tables.items()}
    counts, notes = (dict(already_covered), dict(dropped)), (*joined.remarks, *staying)
    return LoadPlan(Records.of(affected), resolution, problems, *counts, retained, notes, becoming)


def plan_removal(stored: Records, dataset: str) -> LoadPlan:
    """Work out what becomes of the records of a dataset that is to go: those that others refer to stay.

    So do decisions and judgements, which are only ever added, and what they are about.
    """
    old, others = _split(stored, {dataset})
    tables = {name: dict(others.table(name)) for name in RECORD_TYPES}
    retained = _retain_old(tables, old, None)
    staying = {name: {k: r for k, r in table.items() if r.dataset == dataset} for name, table in tables.items()}
    return LoadPlan(Records.of(staying), Resolution({}, (), (), ()), (), {}, {}, retained)


def plan_restoration(stored: Records, dataset: str, removed: Records) -> LoadPlan:
    """Work out what becomes of a dataset whose removed records are put back, as they were.

    A record whose id another dataset has taken since is left to it if it says the same, else it is a problem; so is one
    that refers to a missing record.
    """
    old, others = _split(stored, {dataset})
    result = ReadResult(removed, {}, ())
    back, _, clashes = _split_incoming(result, old, others)
    for name, table in back.items():
        table |= old.table(name)
    _, dangling = _drop_dangling(back, (others,), result, clashes)
    problems = (*clashes.values(), *dangling)
    return LoadPlan(Records.of(back), Resolution({}, (), (), ()), problems, {}, {}, {})


def _with_privacy(
    result: ReadResult, stored: Records, privacy: Privacy, becoming: Collection[str]
) -> tuple[ReadResult, tuple[Message, ...]]:
    """Return the read with every record marked that must be private, and a note where the files say otherwise."""
    tables: _Tables = {name: {} for name in RECORD_TYPES}
    corrected: Counter[str] = Counter()
    for name, record in _all_records(result.records):
        before = stored.table(name).get(record.id)
        was_private = before is not None and before.private and before.dataset == record.dataset
        marked = privacy.applied(name, record, was_private or record.dataset in becoming)
        corrected[record.dataset] += marked is not record
        tables[name][record.id] = marked
    notes = tuple(
        Message("ingest.stays-private", {"dataset": dataset, "n": count})
        for dataset, count in corrected.items()
        if count and dataset not in becoming
    )
    return replace(result, records=Records.of(tables)), notes


def _marked(records: Records, datasets: Collection[str]) -> Records:
    """Return the records with all of some datasets private."""
    if not datasets:
        return records
    tables: _Tables = {name: {} for name in RECORD_TYPES}
    for name, record in _all_records(records):
        tables[name][record.id] = as_private(record) if record.dataset in datasets else record
    return Records.of(tables)


def _reason_to_retain_all(append: bool, problems: Collection[Problem], incoming: _Tables) -> Message | None:
    """Return why no record is removed that is no longer in the files; None if such records are removed."""
    if append:
        return Message("load.appended")
    if problems:
        return Message("load.has-faults")
    return None if any(incoming.values()) else Message("load.no-record")


def _all_records(records: Records) -> Iterator[tuple[str, Record]]:
    return ((name, record) for name in RECORD_TYPES for record in records.table(name).values())


def _split(stored: Records, datasets: set[str]) -> tuple[Records, Records]:
    """Return the records of some datasets, and those of all others."""
    own: _Tables = {name: {} for name in RECORD_TYPES}
    rest: _Tables = {name: {} for name in RECORD_TYPES}
    for name, record in _all_records(stored):
        (own if record.dataset in datasets else rest)[name][record.id] = record
    return Records.of(own), Records.of(rest)


def _split_incoming(
    result: ReadResult, old: Records, others: Records, replaces: bool = False
) -> tuple[_Tables, Counter[str], dict[_RecordKey, Problem]]:
    """Return the load's own records, counts by table of those that other datasets cover, and problems of the rest."""
    own: _Tables = {name: {} for name in RECORD_TYPES}
    already_covered: Counter[str] = Counter()
    clashes: dict[_RecordKey, Problem] = {}
    for name, record in _all_records(result.records):
        other, before = others.table(name).get(record.id), old.table(name).get(record.id)
        if other is not None and _is_same(record, other):
            already_covered[name] += 1
        elif other is not None and not (isinstance(record, Entity) and record.private == other.private):
            # Only entities, both private or both public, become one.
            clashes[name, record.id] = _clash(name, record, other, result)
        elif name in APPEND_ONLY and before is not None and before != record:
            clashes[name, record.id] = _clash(name, record, before, result, "load.only-added")
        elif not replaces and (other_publisher := _other_publisher(record, before, result)):
            clashes[name, record.id] = other_publisher
        else:
            own[name][record.id] = record
    return own, already_covered, clashes


def _is_same(record: Record, other: Record) -> bool:
    if isinstance(record, Source) and isinstance(other, Source):
        return (record.publisher, record.url, record.title) == (other.publisher, other.url, other.title)
    return is_subsumed_by(record, other, *(("sources",) if isinstance(record, Entity) else ()))


def _clash(table: str, record: Record, other: Record, result: ReadResult, code: str = "load.own-id") -> Problem:
    differing = tuple(changed_fields(other, record.model_copy(update={"dataset": other.dataset})))
    expected = Message(code, {"dataset": other.dataset, "columns": differing, "table": table})
    return problem_of(result.locations, table, record.id, "id", record.id, expected)


def _other_publisher(record: Record, before: Record | None, result: ReadResult) -> Problem | None:
    """Return the problem of a source that would become another publisher's, with all that cites it now.

    At the same address it is the same publication, whose publisher is only spelt otherwise.
    """
    if not (isinstance(record, Source) and isinstance(before, Source)) or record.publisher == before.publisher:
        return None
    if record.url is not None and record.url == before.url:
        return None
    expected = Message("load.other-source", {"publisher": before.publisher})
    return problem_of(result.locations, "sources", record.id, "publisher", record.publisher, expected)


def _completed(entity: Record, before: Entity | None) -> Record:
    """Return an entity with what the store says of it where the file, which only adds to that, says nothing."""
    if before is None:
        return entity
    stated = {name: getattr(before, name) for name in changed_fields(before, entity)}
    return entity.model_copy(update={n: value for n, value in stated.items() if getattr(entity, n) in (None, (), {})})


def changed_fields(before: Record, after: Record) -> list[str]:
    """Return the names of the columns in which two versions of a record differ."""
    return [name for name in type(before).model_fields if getattr(before, name) != getattr(after, name)]


def _drop_dangling(
    incoming: _Tables, standing: Collection[Records], result: ReadResult, clashes: Mapping[_RecordKey, Problem]
) -> tuple[Counter[str], list[Problem]]:
    """Remove incoming records whose references lead nowhere or to a clash; return counts by table, and problems.

    ``standing`` are further records that may be referred to.
    """
    # `Problem.record` holds type and id.
    about = (problem.record for problem in (*result.problems, *clashes.values()))
    rejected = {record.partition(" ")[2] or record for record in about}
    dropped: Counter[str] = Counter()
    problems: list[Problem] = []

    def is_there(table: str, key: str) -> bool:
        stands = (table, key) not in clashes and any(key in records.table(table) for records in standing)
        return stands or key in incoming[table]

    any_dropped = True
    while any_dropped:
        any_dropped = False
        for name in REFERENCES:
            for key, record in list(incoming[name].items()):
                if (fault := _missing(name, record, is_there)) is None:
                    continue
                any_dropped = True
                del incoming[name][key]
                if fault[1] in rejected:
                    dropped[name] += 1
                else:
                    problems.append(problem_of(result.locations, name, key, *fault))
                rejected.add(key)
    return dropped, problems


def _missing(table: str, record: Record, is_there: Callable[[str, str], bool]) -> _ReferenceFault | None:
    """Return column, id and tables of the first reference of a record that leads nowhere; None if there is none."""
    for column, key, targets in references(table, record):
        if not any(is_there(target, key) for target in targets):
            return column, key, id_in(targets)
    return None


def _retain_old(tables: _Tables, old: Records, why: Message | None) -> dict[str, Message]:
    """Add the records that are no longer in the files and must stay, all for one reason or those referred to."""
    gone = {(name, record.id): record for name, record in _all_records(old) if record.id not in tables[name]}
    wanted = {at: Message("load.append-only", {"table": at[0]}) for at in gone if at[0] in APPEND_ONLY}
    if why:
        wanted = dict.fromkeys(gone, why)
    elif gone:
        retained = [(name, gone[name, key]) for name, key in wanted]
        there = [(name, record) for name, table in tables.items() for record in table.values()]
        wanted |= _referred(gone, (at for at in (*there, *retained) if at[0] != "identities"))
    for name, key in wanted:
        tables[name][key] = gone[name, key]
    return {key: reason for (_, key), reason in wanted.items()}


def _referred(gone: Mapping[_RecordKey, Record], referring: Iterable[tuple[str, Record]]) -> dict[_RecordKey, Message]:
    """Return the removed records that others refer to, directly or through each other, each with the reason."""
    wanted: dict[_RecordKey, Message] = {}
    waiting = list(referring)
    while waiting:
        name, record = waiting.pop()
        for at in ((target, key) for _, key, targets in references(name, record) for target in targets):
            if at in gone and at not in wanted:
                referring_record = f"{RECORD_TYPES[name].__name__.lower()} {record.id}"
                words = {"record": referring_record, "dataset": record.dataset}
                wanted[at] = Message("load.referred-to", words)
                waiting.append((at[0], gone[at]))
    return wanted


@dataclass(frozen=True)
class TableChange:
    """Changes of one table: ids added and removed, changed ids with their columns, and a count of unchanged records."""

    added: tuple[str, ...]
    changed: Mapping[str, tuple[str, ...]]
    removed: tuple[str, ...]
    unchanged: int


def planned_changes(stored: Records, plan: LoadPlan, emptied: Collection[str] = ()) -> dict[str, TableChange]:
    """Return what a load plan would change, by table, for tables with records before or after.

    A plan without records changes nothing but the datasets ``emptied``: a file that is empty by mistake removes none.
    """
    datasets = {record.dataset for _, record in _all_records(plan.records)}.union(emptied)
    return {
        name: change
        for name in RECORD_TYPES
        if (change := _change(stored.table(name), plan.records.table(name), datasets)) is not None
    }


def removals_to_confirm(
    stored: Records, changes: Mapping[str, TableChange], appended: Collection[_RecordKey] = frozenset()
) -> dict[str, dict[str, int]]:
    """Count by dataset and table what a load would remove, for the datasets of which somebody has to agree to it.

    These lose more than `MUCH` of all records that they have, or a record of ``appended``: one that was added
    to the dataset beside its files, so that a file without it says nothing of it.
    """
    lost: defaultdict[str, Counter[str]] = defaultdict(Counter)
    removed = [(name, key) for name, change in changes.items() for key in change.removed]
    for name, key in removed:
        lost[stored.table(name)[key].dataset][name] += 1
    if not lost:
        return {}
    beside = {stored.table(name)[key].dataset for name, key in removed if (name, key) in appended}
    sizes = Counter(record.dataset for _, record in _all_records(stored) if record.dataset in lost)
    return {
        dataset: dict(counts)
        for dataset, counts in lost.items()
        if dataset in beside or counts.total() > MUCH * sizes[dataset]
    }


def events_to_confirm(
    stored: Records, plan: LoadPlan, changes: Mapping[str, TableChange]
) -> dict[str, dict[str, tuple[str, ...]]]:
    """Give by dataset and id the events that a load makes other ones, where somebody has to agree, and what differs.

    They are more than `MUCH` of the events of their dataset, and more than one: a single one is a correction.
    """
    changed = changes["strikes"].changed if "strikes" in changes else ()
    found: defaultdict[str, dict[str, tuple[str, ...]]] = defaultdict(dict)
    for key, columns in other_events(*([of.strikes[key] for key in changed] for of in (stored, plan.records))):
        found[stored.strikes[key].dataset][key] = columns
    sizes = Counter(event.dataset for event in (stored.strikes.values() if found else ()))
    return {dataset: events for dataset, events in found.items() if len(events) > max(1, MUCH * sizes[dataset])}


def _change(before: Mapping[str, Record], after: Mapping[str, Record], datasets: Collection[str]) -> TableChange | None:
    added = tuple(key for key in after if key not in before)
    both = [(before[key], record) for key, record in after.items() if key in before]
    changed = {
        record.id: tuple(changed_fields(was, record)) for was, record in both if was is not record and was != record
    }
    removed = tuple(key for key, record in before.items() if record.dataset in datasets and key not in after)
    if not after and not removed:
        return None
    return TableChange(added, changed, removed, len(both) - len(changed))


def probable_duplicates(
    stored: Records, plan: LoadPlan, changes: Mapping[str, TableChange]
) -> dict[str, dict[str, tuple[str, float]]]:
    """Find the strikes and assets that a load adds and that are probably one with a record which is there without it.

    ``stored`` are all records before the load, ``changes`` what `planned_changes` gives of its ``plan``. Gives by table
    (never empty) and id the id of the likeliest twin, and the probability that they are one, if a person is asked.
    """
    added = {name: {*changes[name].added} for name in _PROPOSE if name in changes and changes[name].added}
    if not added:
        return {}
    removed = {name: {*change.removed} for name, change in changes.items()}
    tables = {
        name: {key: record for key, record in stored.table(name).items() if key not in removed.get(name, ())}
        | dict(plan.records.table(name))
        for name in RECORD_TYPES
    }
    after = Records.of(tables)
    found: dict[str, dict[str, tuple[str, float]]] = {}
    for name, new in added.items():
        if new.issuperset(tables[name]):
            continue
        for proposal in _PROPOSE[name](after):
            one, other = proposal.preferred, proposal.duplicate
            if (one in new) != (other in new):
                record, twin = (one, other) if one in new else (other, one)
                # The likeliest comes first.
                found.setdefault(name, {}).setdefault(record, (twin, proposal.score))
    return found
