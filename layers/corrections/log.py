"""The corrections log: what was added, corrected and retracted, newest first, by pages of the history of the store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from itertools import takewhile
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

from layers.corrections.concerned import MAY_FOLLOW, NAMING_OWNER, ConcernedStrikes, rests_on
from layers.corrections.visibility import PublishedChange, Visibility
from layers.disclosure.policy import ALWAYS
from layers.model.cache import LruCache
from layers.model.records import REFERENCES, Records
from layers.model.timestamps import timestamp
from layers.snapshot.disclosure import Disclosure
from layers.snapshot.snapshot import Snapshot
from layers.store import history_pages, writer
from layers.store.connection import Connection
from layers.store.history_chain import EMPTY, Head
from layers.store.history_pages import HistoryRow, RecordKey, Transaction, Which
from layers.store.private_datasets import private_datasets
from layers.store.store import Store

#: What an entry is: a record was published, or its values were changed, or it was taken back; reload: a load changed
#: so many records that an entry sums them up, besides an entry for each that was changed or taken back.
EntryKind = Literal["addition", "correction", "retraction", "reload"]
KINDS: tuple[EntryKind, ...] = ("addition", "correction", "retraction", "reload")
#: Of more rows than this a transaction is a load, whose additions are one entry.
MAX_SINGLE = 20
#: Most published changes, and most transactions, that one page looks at, and most of whatever kind.
MAX_SCANNED, MAX_HIDDEN = 500, 5000
#: Digits of the hash of a change by which it is named in public.
ID_DIGITS = 32
#: Removals that are searched for records that an answer was based on.
_MAX_REMOVALS = 2000
_PAGE = 200
#: Which rows can give an entry of a kind.
_ROWS: Mapping[EntryKind, Which] = MappingProxyType({"correction": "changes", "retraction": "removals"})
#: Columns that name a record, the first that it has.
_NAMES = ("title", "name", "publisher")
#: Columns that say in which country something is.
_COUNTRIES = ("host_country", "registered_in", "headquartered_in")


#: Number of changes of each transaction, by table, dataset and what was done.
_Counts: TypeAlias = LruCache[Mapping[tuple[str, str, str], int]]


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One published field before and after a change; ``None`` where it had no value, or there was no record."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class LoadCount:
    """Records of one dataset and table that a load added, changed and removed."""

    dataset: str
    table: str
    added: int
    changed: int
    removed: int


@dataclass(frozen=True, slots=True)
class CorrectionEntry:
    """One entry of the log.

    Attributes
    ----------
    id
        The first 32 digits of the hash of the change; of a load ``load-`` and those of its first one. None of them
        tells how many changes there were before.
    seq
        The change, or the last one of a load; not for the public, as it counts private ones.
    at
        When (RFC 3339, UTC).
    role
        Whether a load or an editor made it.
    author
        Who made it, where the policy names people.
    why
        The stated reason; ``None`` where none was stated, or not of a published record.
    key, name
        Table and id of the record, and what it is called; ``None`` for a load.
    changes
        Its fields that differ.
    strikes, may_follow
        Strikes that it concerns, at most `layers.corrections.concerned.MAX_STRIKES`, and which of their derived values
        may differ by it.
    countries
        Countries of the record and of these strikes.
    counts
        Of a load, what it did.
    """

    id: str
    seq: int
    at: str
    kind: EntryKind
    role: Literal["load", "editor"]
    author: str | None
    why: str | None = None
    key: RecordKey | None = None
    name: str | None = None
    changes: tuple[FieldChange, ...] = ()
    strikes: tuple[str, ...] = ()
    may_follow: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    counts: tuple[LoadCount, ...] = ()


@dataclass(frozen=True, slots=True)
class CorrectionsQuery:
    """Which entries are wanted.

    Parameters
    ----------
    limit
        Most entries of a page; a load and its last row are never parted, so that there may be one more.
    before
        Only changes before one, which is named by the first digits of its hash; of an unknown one there are none.
    above
        Only changes with a higher number.
    kind, country
        Only entries of a kind, or that concern a country (ISO 3166-1 alpha-2).
    keys
        Only changes of these records, and of removed ones that were about them.
    followed
        The asset or entity that the keys are the records of: removed records that named it in any way come too.
    since, until
        Only changes from a time on, and before a time (RFC 3339, UTC).
    """

    limit: int = 100
    before: str | None = None
    above: int = 0
    kind: EntryKind | None = None
    country: str | None = None
    keys: frozenset[RecordKey] | None = None
    followed: str | None = None
    since: str | None = None
    until: str | None = None


@dataclass(frozen=True, slots=True)
class CorrectionsPage:
    """Entries, newest first, and before which change the next page begins; ``None`` where this is the last.

    A page may have fewer entries than were wanted, or none, and a next one: it looks at so many changes at most.
    Changes of which nothing is published count for nothing there, unless there are very many of them.
    """

    entries: tuple[CorrectionEntry, ...]
    next_before: str | None


@dataclass(frozen=True, eq=False)
class PublishedVersion:
    """One version of the data that entries are shown by.

    Parameters
    ----------
    snapshot
        What is served.
    stored, disclosure
        All records, and what is published of them.
    head
        The last change of what is published, which names the version; that of the empty history without a store.
    """

    snapshot: Snapshot
    stored: Records
    disclosure: Disclosure
    head: Head = EMPTY
    #: What each transaction published, as far as it was counted where something is hidden.
    numbers: _Counts = field(default_factory=lambda: LruCache(1000))


@dataclass(frozen=True, eq=False)
class CorrectionsLog:
    """The corrections log of a store. Safe for many threads."""

    store: Store
    _counts: _Counts = field(default_factory=lambda: LruCache(1000))

    def page(self, version: PublishedVersion, query: CorrectionsQuery) -> CorrectionsPage:
        """Read a page of entries as of a version of the data."""
        with self.store.reading() as connection:
            return _Reading(connection, version, query, self._counts).page()

    def entry(self, version: PublishedVersion, name: str, is_load: bool = False) -> CorrectionEntry | None:
        """Read one entry by the digits in its id; ``None`` where there is none, or nothing of it is public.

        Changes from before history had salts were named by their numbers, and still are found by them.
        """
        with self.store.reading() as connection:
            seq = history_pages.seq_of(connection, name) if len(name) == ID_DIGITS else int(name)
            if seq is None or (len(name) != ID_DIGITS and not history_pages.is_older_than_salts(connection, seq)):
                return None
            return _Reading(connection, version, CorrectionsQuery(), self._counts).single(seq, is_load)


class _Reading:
    """One page, read in one transaction."""

    def __init__(
        self, connection: Connection, version: PublishedVersion, query: CorrectionsQuery, counts: _Counts
    ) -> None:
        self._connection, self._version, self._query, self._counts = connection, version, query, counts
        self._concerned = ConcernedStrikes(version.snapshot)
        seq = version.snapshot.seq
        self._visibility = Visibility(connection, version.stored, version.disclosure, seq, datetime.now(UTC))
        since = 1 if query.since is None else history_pages.first_since(connection, query.since)
        self._floor = max(since, query.above + 1)
        above = version.snapshot.seq + 1
        if query.until is not None:
            above = min(above, history_pages.first_since(connection, query.until))
        self._below = above if query.before is None else min(above, history_pages.seq_of(connection, query.before) or 0)

    def page(self) -> CorrectionsPage:
        entries: list[CorrectionEntry] = []
        at, scanned = self._below, 0
        for looked, found in enumerate(self._found(), 1):
            entry = self._entry_of(found)
            is_spent = looked >= MAX_HIDDEN and isinstance(found, HistoryRow)
            if entry is False and not is_spent:
                continue
            seq = found.last if isinstance(found, Transaction) else found.seq
            if seq != at and (len(entries) >= self._query.limit or scanned >= MAX_SCANNED):
                return self._part(entries, at)
            at, scanned = seq, scanned + 1
            if entry and self._is_wanted(entry):
                entries.append(entry)
            if is_spent:
                return self._part(entries, at)
        return CorrectionsPage(tuple(entries), None)

    def _part(self, entries: list[CorrectionEntry], at: int) -> CorrectionsPage:
        """A page after which there are changes before one."""
        return CorrectionsPage(tuple(entries), writer.head(self._connection, at).hash[:ID_DIGITS])

    def _entry_of(self, found: HistoryRow | Transaction) -> CorrectionEntry | Literal[False] | None:
        """The entry of what is published of a change; None if it is not wanted, False if nothing is published."""
        if isinstance(found, Transaction):
            return self._load_entry(found) or False
        if self._query.kind == "reload":
            return None
        change = self._visibility.published(found)
        return False if change is None else self._entry(found, change)

    def single(self, seq: int, is_load: bool) -> CorrectionEntry | None:
        if not 0 < seq <= self._version.snapshot.seq:
            return None
        whole = history_pages.transaction(self._connection, seq)
        if whole is None or (is_load and (whole.first != seq or not self._is_load(whole))):
            return None
        if is_load:
            return self._load_entry(whole)
        found = history_pages.rows(self._connection, seq + 1, seq, 1)
        change = self._visibility.published(found[0]) if found else None
        return None if change is None else self._entry(found[0], change)

    def _is_wanted(self, entry: CorrectionEntry) -> bool:
        query = self._query
        is_then = (query.since or "") <= entry.at and (query.until is None or entry.at < query.until)
        return is_then and query.kind in (None, entry.kind) and (not query.country or query.country in entry.countries)

    def _found(self) -> Iterator[HistoryRow | Transaction]:
        """What the page looks at, newest first."""
        query = self._query
        if query.keys is not None:
            yield from self._found_of(query.keys)
        elif query.kind is not None and query.kind in _ROWS:
            yield from self._rows(self._below, self._floor, _ROWS[query.kind])
        else:
            yield from self._found_by_transaction()
        if query.since is not None and (late := self._published_later(query.since)):
            yield from self._rows_of(late if query.keys is None else late & query.keys, self._floor, query.above + 1)

    def _published_later(self, since: str) -> set[RecordKey]:
        """Records that an embargo, or a policy of before, withheld until a time or later, though changed before it.

        With a strike the records that refer to it, and the sources that only it cites, become public.
        """
        stored, disclosure = self._version.stored, self._version.disclosure
        reopened = self._visibility.all_reopened(since)
        ended = {record for table, record in reopened if table == "strikes"}
        if (last := disclosure.last_due) is not None and since <= timestamp(last):
            dues = ((key, ruling.due) for key, ruling in disclosure.together["strikes"].of.items())
            ended |= {key for key, due in dues if due and ALWAYS < due <= last and since <= timestamp(due)}
        edited = (key for key in self._edited_since if key[0] == "strikes") if disclosure.policy.embargo else ()
        ended |= {key[1] for key in edited if self._visibility.is_brought_forward(key)}
        naming = [(table, name) for table, names in REFERENCES.items() for name in names if "strikes" in names[name]]
        about = {(table, one.id) for key in ended for table, name in naming for one in stored.where(table, name, key)}
        return about.union(reopened, (("strikes", key) for key in ended), self._visibility.sources_after(ended))

    @cached_property
    def _edited_since(self) -> frozenset[RecordKey]:
        return history_pages.changed_in(self._connection, self._floor, self._version.snapshot.seq + 1)

    def _found_of(self, keys: frozenset[RecordKey]) -> Iterator[HistoryRow]:
        bounds = (self._below, self._floor, _MAX_REMOVALS)
        removed = history_pages.rows(self._connection, *bounds, "removals", private=False)
        named = frozenset(record for table, record in keys if table in ("strikes", "assets", "entities"))
        followed = self._query.followed
        about = set[RecordKey]()
        for row in removed:
            values = row.before or {}
            if followed is not None and rests_on(values, {followed}, NAMING_OWNER):
                about.add(row.key)
                if values.get("strike"):  # which may be gone, too
                    about.add(("strikes", values["strike"]))
            elif rests_on(values, named):
                about.add(row.key)
        yield from self._rows_of(keys | about, self._below, self._floor)

    def _rows_of(self, keys: Set[RecordKey], below: int, from_seq: int) -> Iterator[HistoryRow]:
        while rows := history_pages.rows_of(self._connection, keys, min(below, self._below), from_seq, _PAGE):
            yield from rows
            below = rows[-1].seq

    def _rows(self, below: int, from_seq: int, which: Which) -> Iterator[HistoryRow]:
        while rows := history_pages.rows(self._connection, below, from_seq, _PAGE, which, private=False):
            yield from rows
            below = rows[-1].seq

    def _found_by_transaction(self) -> Iterator[HistoryRow | Transaction]:
        """Every row of small transactions; of loads the whole, and the rows that are no additions."""
        below = self._below
        while head := history_pages.rows(self._connection, below, self._floor, 1, private=False):
            whole = self._transaction(head[0].seq)
            first = max(whole.first, self._floor)
            if self._is_load(whole):
                if whole.last < below:
                    yield whole
                if self._query.kind != "reload":
                    yield from self._rows(below, first, "changes")
            else:
                yield from self._rows(below, first, "all")
            below = first

    def _transaction(self, seq: int) -> Transaction:
        """The transaction of a row that is there; neighbours share the last one that was found."""
        last = self._last_transaction
        if last is None or not last.first <= seq <= last.last:
            last = history_pages.transaction(self._connection, seq)
            assert last is not None
            self._last_transaction = last
        return last

    _last_transaction: Transaction | None = None

    def _entry(self, row: HistoryRow, change: PublishedChange) -> CorrectionEntry | None:
        kind: EntryKind = (
            "addition" if change.before is None else "retraction" if change.after is None else "correction"
        )
        if self._query.kind not in (None, kind):
            return None  # before the strikes that it concerns are looked for, which takes longest
        values = change.after or change.before or {}
        strikes = self._concerned.of(row.key, values)
        own = (values.get(column) for column in _COUNTRIES)
        countries = {*(one for one in own if one), *self._concerned.countries(strikes)}
        return CorrectionEntry(
            id=row.hash[:ID_DIGITS],
            seq=row.seq,
            at=self._visibility.shown_at(row),
            kind=kind,
            role="load" if self._is_load(self._transaction(row.seq)) else "editor",
            author=self._author(row.author),
            why=change.why or values.get("why"),
            key=row.key,
            name=next((values[name] for name in _NAMES if values.get(name)), None),
            changes=_differences(change),
            strikes=strikes,
            may_follow=MAY_FOLLOW.get(row.table, ()) if strikes else (),
            countries=tuple(sorted(countries)),
        )

    def _author(self, author: str) -> str | None:
        return author if self._version.disclosure.policy.authors == "name" else None

    def _load_entry(self, whole: Transaction) -> CorrectionEntry | None:
        counts = self._public_counts(whole)
        if not counts:
            return None
        return CorrectionEntry(
            id=f"load-{writer.head(self._connection, whole.first).hash[:ID_DIGITS]}",
            seq=whole.last,
            at=whole.at,
            kind="addition" if not any(count.changed or count.removed for count in counts) else "reload",
            role="load",
            author=self._author(whole.author),
            why=self._reason_of_load(whole),
            counts=counts,
        )

    def _reason_of_load(self, whole: Transaction) -> str | None:
        """The reason of a load, by the last of its rows that is published with one: all of them have the same."""
        rows = takewhile(lambda row: row.why is not None, self._rows(whole.last + 1, whole.first, "all"))
        changes = map(self._visibility.published, rows)
        return next((change.why for change in changes if change is not None and change.why is not None), None)

    def _is_load(self, whole: Transaction) -> bool:
        """Whether a transaction published so many changes that it is summed up; what is hidden counts for nothing."""
        return len(whole) > MAX_SINGLE and (self._is_all_published or sum(self._numbers(whole).values()) > MAX_SINGLE)

    def _numbers(self, whole: Transaction) -> Mapping[tuple[str, str, str], int]:
        """Number of published changes of a transaction, by table, dataset and what was done."""
        at = whole.first, whole.last
        if self._is_all_published:
            return self._counts.get_or_compute(at, lambda: history_pages.counts_in(self._connection, whole))
        return self._version.numbers.get_or_compute(at, lambda: self._counted(whole))

    @cached_property
    def _is_all_published(self) -> bool:
        """Whether nothing is private or withheld, or ever was, so that each row counts in any version."""
        disclosure, connection = self._version.disclosure, self._connection
        is_open = (
            disclosure.policy.is_open and disclosure.records is self._version.stored and not self._visibility.earlier
        )
        return is_open and not private_datasets(connection) and not history_pages.has_removed_private(connection)

    def _counted(self, whole: Transaction) -> Mapping[tuple[str, str, str], int]:
        records = self._version.disclosure.records
        numbers = Counter[tuple[str, str, str]]()
        for row in self._rows(whole.last + 1, whole.first, "all"):
            dataset = (row.after or row.before or {}).get("dataset", "")
            done = "added" if row.before is None else "removed" if row.after is None else "changed"
            is_added = row.before is None and row.record in records.table(row.table)
            if is_added or self._visibility.published(row) is not None:
                numbers[row.table, dataset, done] += 1
        return numbers

    def _public_counts(self, whole: Transaction) -> tuple[LoadCount, ...]:
        """What a load did to records that are public."""
        numbers = self._numbers(whole)
        listed, ways = sorted({(dataset, table) for table, dataset, _ in numbers}), ("added", "changed", "removed")
        return tuple(
            LoadCount(dataset, table, *(numbers.get((table, dataset, way), 0) for way in ways))
            for dataset, table in listed
        )


def _differences(change: PublishedChange) -> tuple[FieldChange, ...]:
    """The fields that differ, in the order of the record; empty values are as none."""
    before, after = change.before or {}, change.after or {}
    names = dict.fromkeys((*before, *after))
    pairs = ((name, _stated(before.get(name)), _stated(after.get(name))) for name in names)
    return tuple(FieldChange(name, old, new) for name, old, new in pairs if old != new)


def _stated(value: Any) -> Any:
    return None if value in ([], {}, "") else value
