"""Which values in the history were ever published: those of records since they are public, as the policy lets them be.

A value of a time when its record, or one that it is based on, was private or embargoed was not published then, and is
not shown now. Of a record that was edited while a policy withheld what the one of now does not, nothing is shown of the
time before that policy ended: its log begins there. Nothing is shown of a record that is private or embargoed now, and
no reason of a change that was made before its record was public: who stated it, as when publishing a private record,
may not have meant it for the public.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from itertools import pairwise
from typing import Any

from pydantic import ValidationError

from layers.disclosure.policy import ALWAYS, Policy, of_values
from layers.disclosure.ruling import Ruling, gives_away
from layers.model.problems import ProblemsError
from layers.model.records import RECORD_TYPES, REFERENCES, Claim, Record, Records, Strike
from layers.model.timestamps import timestamp
from layers.resolution.merge_entities import MERGED_COLUMNS, has_merged
from layers.snapshot.disclosure import Disclosure
from layers.store import history_pages, writer
from layers.store.connection import Connection
from layers.store.history_pages import HistoryRow, RecordKey
from layers.store.policy_history import POLICY
from layers.store.private_datasets import PrivateDataset, private_datasets
from layers.store.row_mapping import TABLES

#: Columns that name the person who decided; what a reader is told of them is up to the policy.
_AUTHORS = "who"
#: Columns that are no published value.
_INTERNAL = ("id", "private")
#: Most rows that are read of one record.
_ALL = 2**31


@dataclass(frozen=True, slots=True)
class Horizon:
    """From when on a record is public: after a change of the store, and from a time on (RFC 3339, UTC)."""

    seq: int = 0
    at: str = ""

    def __or__(self, other: Horizon) -> Horizon:
        """The later of both."""
        return Horizon(max(self.seq, other.seq), max(self.at, other.at))

    def is_before(self, row: HistoryRow) -> bool:
        """Whether the record was public already when a change was made."""
        return row.seq > self.seq and row.at >= self.at


@dataclass(frozen=True, slots=True)
class EarlierPolicy:
    """A policy that withheld something, and the changes by which it was set and by which another one took its place.

    Without a ``policy`` it is one that this program cannot read: it is taken to have withheld every record. ``edited``
    has the records that were changed while it held.
    """

    policy: Policy | None
    since: HistoryRow
    end: HistoryRow
    edited: frozenset[RecordKey]

    @property
    def tables(self) -> frozenset[str]:
        """Tables of whose records something was withheld, by themselves or with what they are about."""
        if self.policy is None:
            return frozenset(RECORD_TYPES)
        rounded, withheld = ({rule.table for rule in rules} for rules in (self.policy.rounding, self.policy.withhold))
        named = frozenset[str](rounded | withheld)
        return named | ({"claims"} if named else set()) | ({"strikes"} if self.policy.embargo else set())


@dataclass(frozen=True, slots=True)
class PublishedChange:
    """The published values before and after a change; ``None`` where there was no published record.

    ``why`` is the reason that was stated of a published record; ``None`` without one.
    """

    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    why: str | None


@dataclass(frozen=True, eq=False)
class Visibility:
    """Which values of the history are public in one version of the data.

    Parameters
    ----------
    connection
        Of the transaction that the history is read in.
    stored, disclosure
        The records of that version, and what is published of them.
    seq
        The last change in them.
    """

    connection: Connection
    stored: Records
    disclosure: Disclosure
    seq: int
    now: datetime
    _horizons: dict[RecordKey, Horizon | None] = field(default_factory=dict, init=False)
    _own: dict[RecordKey, Horizon | None] = field(default_factory=dict, init=False)

    @property
    def policy(self) -> Policy:
        """The policy of what is published."""
        return self.disclosure.policy

    def published(self, row: HistoryRow) -> PublishedChange | None:
        """What a change changed of what is published; ``None`` where nothing."""
        if self._horizon(row.key) is None:
            return None
        before = None if row.before is None else self._published(row, row.before, is_after=False)
        after = None if row.after is None else self._published(row, row.after, is_after=True)
        if row.table == "entities" and self._has_private(row):
            before, after = _without_merged(before), _without_merged(after)
        if before == after:
            return None
        is_public = before is not None or self._is_added_as_public(row)
        return PublishedChange(before, after, row.why if is_public else None)

    def _has_private(self, row: HistoryRow) -> bool:
        """Whether something of a dataset that is private now was in an entity of another, before or after a change."""
        notes = (values.get("note") for values in (row.before, row.after) if values)
        return any(has_merged(note, self._private_datasets) for note in notes)

    def moves(self, row: HistoryRow) -> bool:
        """Whether a change changed what was published, be it that it made a public record private."""
        if row.record not in self.stored.table(row.table) or row.record in self.disclosure.records.table(row.table):
            return self.published(row) is not None
        before, after = row.before or {"private": True}, row.after or {"private": True}
        if before.get("private") or row.table != "strikes":
            return not before.get("private") and bool(after.get("private"))
        # An edit can bring a strike under an embargo, which was none before.
        was = _record(row.table, before)
        due = self.policy.due(was) if isinstance(was, Strike) else None
        return bool(after.get("private")) or (due is not None and _stamp(due) <= row.at)

    def shown_at(self, row: HistoryRow) -> str:
        """When a change that is published was: of one that its record became public with later, that time."""
        horizon = None if row.after is None else self._horizon_of_values(row.key, row.after)
        if horizon is None or horizon.is_before(row):
            return row.at
        return max(row.at, horizon.at, writer.head(self.connection, horizon.seq).at or "")

    def _is_added_as_public(self, row: HistoryRow) -> bool:
        """Whether a change added a record that was public at once."""
        if row.before is not None or row.after is None:
            return False
        horizon = self._horizon_of_values(row.key, row.after)
        return horizon is not None and horizon.is_before(row)

    def _published(self, row: HistoryRow, values: Mapping[str, Any], is_after: bool) -> Mapping[str, Any] | None:
        """The values of a record before or after a change as they were published; ``None`` where they were not."""
        if values.get("private"):
            return None
        horizon = self._horizon_of_values(row.key, values)
        if horizon is None:
            return None
        # The last change up to the horizon is what became public at it.
        if not horizon.is_before(row) and not (is_after and self._is_last_before(row, horizon)):
            return None
        return self._disclosed(row, values, is_after)

    def _is_last_before(self, row: HistoryRow, horizon: Horizon) -> bool:
        return row.seq == history_pages.last_before(self.connection, row.key, horizon.seq, horizon.at)

    def _horizon(self, key: RecordKey) -> Horizon | None:
        """From when on a record, and all that it is based on, is public; ``None`` where it is not, or was not last."""
        if key not in self._horizons:
            self._horizons[key] = Horizon()  # of a record that is based on itself
            self._horizons[key] = self._found_horizon(key)
        return self._horizons[key]

    def _found_horizon(self, key: RecordKey) -> Horizon | None:
        table, record = key
        if record in self.stored.table(table):
            if record not in self.disclosure.records.table(table):
                return None
            return self._horizon_of_values(key, _references(table, self.stored.table(table)[record]))
        values = history_pages.last_values(self.connection, key)
        if values is None:
            return Horizon()
        is_private = values.get("private") or values.get("dataset") in self._private_datasets
        return None if is_private else self._horizon_of_values(key, values)

    @cached_property
    def _private_datasets(self) -> Mapping[str, PrivateDataset]:
        return private_datasets(self.connection)

    def _horizon_of_values(self, key: RecordKey, values: Mapping[str, Any]) -> Horizon | None:
        horizon = self._own_horizon(key)
        for column, targets in REFERENCES.get(key[0], {}).items():
            value = values.get(column)
            if horizon is None or value is None:
                continue
            if isinstance(value, list | tuple):
                public = [one for one in (self._horizon_among(targets, name) for name in value) if one is not None]
                # It is public as soon as one of them is.
                reached = min(public, key=lambda one: (one.seq, one.at), default=None) if value else horizon
            else:
                reached = self._horizon_among(targets, value)
            horizon = None if reached is None else horizon | reached
        return horizon

    def _horizon_among(self, targets: tuple[str, ...], record: str) -> Horizon | None:
        """The horizon of a record that is referred to, of whichever of some tables it is."""
        tables = [name for name in targets if record in self.stored.table(name)] or list(targets)
        horizon: Horizon | None = Horizon()
        for name in tables:
            reached = self._horizon((name, record))
            horizon = None if horizon is None or reached is None else horizon | reached
        return horizon

    def _own_horizon(self, key: RecordKey) -> Horizon | None:
        if key not in self._own:
            last = history_pages.last_private(self.connection, key, self.seq)
            due = self._due(key)
            own = None if due is None or due > self.now else Horizon(last, _stamp(due))
            if own is not None and key[0] == "strikes" and self.policy.embargo:
                own |= self._brought_forward(key)
            if own is not None and key[0] == "sources" and (strikes := self.disclosure.waited_for.get(key[1])):
                public = filter(None, (self._own_horizon(("strikes", strike)) for strike in strikes))
                reached = min(public, key=lambda one: (one.seq, one.at), default=None)
                own = reached and own | reached
            self._own[key] = own and own | self.reopened(key)
        return self._own[key]

    def _brought_forward(self, key: RecordKey) -> Horizon:
        """The last edit of a strike by which its embargo, as it was before, did not have to end any more."""
        (*_, since) = (0, *(row.seq for row in self._policies))
        for row in history_pages.rows_of(self.connection, {key}, self.seq + 1, since + 1, _ALL):
            before = row.before and _record("strikes", row.before)
            due = self.policy.due(before) if isinstance(before, Strike) else ALWAYS
            if due is None or _stamp(due) > row.at:
                return Horizon(row.seq)
        return Horizon()

    def is_brought_forward(self, key: RecordKey) -> bool:
        """Whether a strike is public since an edit that brought the end of its embargo forward."""
        return self._brought_forward(key) != Horizon()

    def sources_after(self, strikes: AbstractSet[str]) -> Iterator[RecordKey]:
        """Yield the sources that became public with one of some strikes."""
        waited = self.disclosure.waited_for.items()
        return (("sources", source) for source, ended in waited if not strikes.isdisjoint(ended))

    @cached_property
    def _policies(self) -> Sequence[HistoryRow]:
        """The changes of the policy, oldest first."""
        return history_pages.rows_of(self.connection, {(POLICY, POLICY)}, self.seq + 1, 1, _ALL)[::-1]

    @cached_property
    def earlier(self) -> tuple[EarlierPolicy, ...]:
        """The policies before that of now that withheld something, oldest first."""
        return tuple(self._earlier())

    def _earlier(self) -> Iterator[EarlierPolicy]:
        for since, end in pairwise(self._policies):
            try:
                policy = of_values(since.after or {}, POLICY)
            except ProblemsError:
                policy = None
            if policy is None or not policy.is_open:
                edited = history_pages.changed_in(self.connection, since.seq + 1, end.seq)
                yield EarlierPolicy(policy, since, end, edited)

    def reopened(self, key: RecordKey) -> Horizon:
        """From when on a record is public again of which an earlier policy withheld what that of now does not.

        That of a strike under an embargo is when it ended, or the policy. What is left out or made coarser counts where
        the record was edited meanwhile: else no row of the log shows more than was published.
        """
        horizon = Horizon()
        for earlier in self.earlier:
            if key[0] not in earlier.tables:
                continue
            end = Horizon(earlier.end.seq)
            if earlier.policy is None:
                horizon |= end
                continue
            bounds = (earlier.end.seq, earlier.since.seq + 1, _ALL)
            edits = history_pages.rows_of(self.connection, {key} & earlier.edited, *bounds)
            states = [values for row in edits for values in (row.before, row.after) if values is not None]
            for record in (_record(key[0], values) for values in states):
                horizon |= end if record is None or self._is_lifted(earlier.policy, key, record) else Horizon()
            for one in (self._last(key), *(_record(key[0], values) for values in states)):
                due = earlier.policy.due(one) if isinstance(one, Strike) else ALWAYS
                if due is None or _stamp(due) > earlier.end.at:
                    horizon |= end
                else:
                    horizon |= Horizon(at=_stamp(due))
        return horizon

    def all_reopened(self, since: str = "") -> set[RecordKey]:
        """Keys of the records that are public again since a time, or at all, see `reopened`."""
        tables = {table for one in self.earlier if one.end.at >= since for table in one.tables}
        keys = ((table, record) for table in tables for record in self.stored.table(table))
        return {key for key in keys if self.reopened(key) != Horizon()}

    def _is_lifted(self, policy: Policy, key: RecordKey, record: Record) -> bool:
        """Whether another policy leaves something of a record out, or makes it coarser, that this one does not."""
        if isinstance(record, Claim):
            targets = ((table, self._last((table, record.record))) for table in REFERENCES["claims"]["record"])
            rulings = (Ruling.of(policy, table, target) for table, target in targets if target is not None)
            return any(_withholds(ruling, record) for ruling in rulings) and not self._gives_away(record)
        then, now = Ruling.of(policy, key[0], record), Ruling.of(self.policy, key[0], record) & self._ruling(key)
        return bool({*then.fields} - {*now.fields}) or ("geometry" not in now.fields and then.is_coarser_than(now))

    def _due(self, key: RecordKey) -> datetime | None:
        table, record = key
        if table != "strikes" or not self.policy.embargo:
            return ALWAYS
        if record in self.stored.strikes:
            return self.disclosure.ruling(table, record).due
        values = history_pages.last_values(self.connection, key)
        if values is None:
            return ALWAYS
        removed = _record(table, values)
        return self.policy.due(removed) if isinstance(removed, Strike) else None

    def _disclosed(self, row: HistoryRow, values: Mapping[str, Any], is_after: bool) -> Mapping[str, Any] | None:
        """The values as the policy lets them be published, without what names people or private sources."""
        if not self.policy.is_open:
            record = _record(row.table, values)
            if record is None or (isinstance(record, Claim) and self._gives_away(record)):
                return None
            ruling = Ruling.of(self.policy, row.table, record) & self._ruling(row.key)
            published = TABLES[row.table].to_dict(ruling.applied(row.table, record))
            values = {name: published[name] for name in values if name in published}
        hidden = (*_INTERNAL, *((_AUTHORS,) if self.policy.authors == "role" else ()))
        return {
            name: self._public_ids(row, name, value, is_after) for name, value in values.items() if name not in hidden
        }

    def _gives_away(self, claim: Claim) -> bool:
        rulings = (self._ruling((table, claim.record)) for table in REFERENCES["claims"]["record"])
        return any(_withholds(ruling, claim) for ruling in rulings)

    def _ruling(self, key: RecordKey) -> Ruling:
        """What the policy says of a record as it is, or as it was last."""
        table, record = key
        if record in self.stored.table(table):
            return self.disclosure.ruling(table, record)
        removed = self._last(key)
        return Ruling() if removed is None else Ruling.of(self.policy, table, removed)

    def _last(self, key: RecordKey) -> Record | None:
        """A record as it is, or as it was last."""
        table, record = key
        if (found := self.stored.table(table).get(record)) is not None:
            return found
        values = history_pages.last_values(self.connection, key)
        return None if values is None else _record(table, values)

    def _public_ids(self, row: HistoryRow, column: str, value: Any, is_after: bool) -> Any:
        """A list of references without those to records that are not public, or were not yet.

        After a row that leaves its record as it was are those that were published with it.
        """
        targets = REFERENCES.get(row.table, {}).get(column)
        if targets is None or not isinstance(value, list):
            return value
        reached = ((one, self._horizon_among(targets, one)) for one in value)
        public = ((one, horizon) for one, horizon in reached if horizon is not None)
        is_seen_anew = is_after and row.before == row.after
        return [one for one, at in public if at.is_before(row) or (is_seen_anew and self._is_last_before(row, at))]


def _without_merged(values: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    return values and {name: value for name, value in values.items() if name not in MERGED_COLUMNS}


def _references(table: str, record: Record) -> Mapping[str, Any]:
    return {column: getattr(record, column) for column in REFERENCES.get(table, {})}


def _withholds(ruling: Ruling, claim: Claim) -> bool:
    """Whether a ruling on the record of a claim withholds what the claim states."""
    return gives_away(claim, (*ruling.fields, *(("geometry",) if ruling.rounding is not None else ())))


def _record(table: str, values: Mapping[str, Any]) -> Record | None:
    """The record of values in the history; ``None`` where it is none by the rules of today."""
    try:
        return RECORD_TYPES[table].model_validate(dict(values))
    except ValidationError:
        return None


def _stamp(due: datetime) -> str:
    return "" if due == ALWAYS else timestamp(due)
