"""When what is published of each record changed last: from the history, or from the times before and the changes since.

The history of the store is the one place that these times come from. A change counts as far as it is public: see
`layers.corrections.visibility`. Of a strike under an embargo the end of that counts too.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

from geo.columnar.dictionary_array import DictionaryArray
from geo.lonlat import Ints
from layers.collections.update_times import TimesById, UpdateTimes
from layers.corrections.visibility import Visibility
from layers.decisions.identity import merge_groups
from layers.disclosure.policy import ALWAYS
from layers.model.records import RECORD_TYPES, REFERENCES, Record, Records
from layers.model.timestamps import timestamp
from layers.ownership.stake_graph import StakeColumns
from layers.snapshot.disclosure import Disclosure
from layers.snapshot.snapshot import Snapshot
from layers.store import history_pages, policy_history
from layers.store.connection import Connection
from layers.store.history_chain import EMPTY, Head
from layers.store.history_pages import HistoryRow, RecordKey
from layers.store.private_datasets import private_datasets
from layers.store.record_table import RecordTable

#: Columns in which a change names what lies below it, and by which it is about a strike; and those that a table has.
_NAMING = ("asset", "owned", "controlled", "one", "other", "record", "strike")
_NAMING_OF: Mapping[str, tuple[str, ...]] = {
    table: tuple(column for column in _NAMING if column in record_type.model_fields)
    for table, record_type in RECORD_TYPES.items()
}
#: Tables whose records name no others, and those whose records are shown in no feature themselves.
_PLACES, _SILENT = ("strikes", "assets", "entities"), ("sources",)
#: Of more changes at once the whole history is read, and so many are read at once.
_MANY, _PAGE = 5000, 200
#: What a change is about, the values before or after it, and when it was made or came to be public (RFC 3339, UTC).
Change: TypeAlias = tuple[RecordKey, Mapping[str, Any], str]


@dataclass(frozen=True, eq=False)
class PublishedRecords:
    """What is published of a version of the records, and at what time.

    Parameters
    ----------
    stored, disclosure
        All records, and what is published of them.
    now
        With a zone; what is under an embargo by then was not published.
    """

    stored: Records
    disclosure: Disclosure
    now: datetime


def read_times(connection: Connection, snapshot: Snapshot, published: PublishedRecords) -> UpdateTimes:
    """Read from the whole history when what a snapshot publishes changed last."""
    reading = _Reading(connection, published, snapshot.records, snapshot.seq)
    ids = set(snapshot.records.strikes)  # in which each of many names is found at once
    strikes, nodes = reading.last_times(reading.all_changes(), ids)
    reading.note_ends_of_embargoes(snapshot.records.strikes, strikes)
    return UpdateTimes(_by_id(snapshot.records.strikes, strikes), _below(snapshot, nodes), reading.basis, None)


def times_after(connection: Connection, before: Snapshot, newer: Snapshot, published: PublishedRecords) -> UpdateTimes:
    """Work out when what a newer snapshot publishes changed last, from an older one and the changes since.

    The whole history is read where a change, or the end of an embargo, may make older ones public, or no longer so, or
    where records are judged to be one, so that the changes of one count for the other.
    """
    known = before.times.value
    reading = _Reading(connection, published, newer.records, newer.seq)
    rows = history_pages.rows(connection, newer.seq + 1, before.seq + 1, _MANY + 1)
    may_turn = any(map(_may_turn_others, rows)) or (
        # With a strike the decisions and claims about it come to be public, or no longer are.
        bool(published.disclosure.policy.embargo)
        and (
            any(row.table == "strikes" for row in rows) or newer.records.strikes.keys() != before.records.strikes.keys()
        )
    )
    if len(rows) > _MANY or reading.basis != known.basis or may_turn:
        return read_times(connection, newer, published)
    changes = ((row.key, values, at) for row in rows for values, at in reading.published(row))
    strikes, named = reading.last_times(changes, newer.records.strikes)
    nodes: dict[str, str] = {}
    for at in sorted(set(named.values())):
        since = (name for name, time in named.items() if time == at)
        nodes |= dict.fromkeys(reached(newer.stakes, newer.records, since), at)
    moved = frozenset((*strikes, *nodes))
    return UpdateTimes(known.strikes.with_newer(strikes), known.nodes.with_newer(nodes), known.basis, moved)


def _may_turn_others(row: HistoryRow) -> bool:
    """Whether a change may make older ones of other records public or no longer so, or those of two records one."""
    values = (row.before or {}, row.after or {})
    return row.table == "identities" or any(one.get("private") for one in values)


def _below(snapshot: Snapshot, named: Mapping[str, str]) -> TimesById:
    """When each asset and entity, or what held or controlled it at any time, changed last."""
    nodes = snapshot.stakes.nodes
    column = DictionaryArray.of(map(named.get, nodes.ids))
    above, below = _edges(snapshot.stakes, snapshot.records)
    codes = column.codes.copy()  # the later a time, the larger its code
    while np.any(later := codes[above] > codes[below]):
        np.maximum.at(codes, below[later], codes[above[later]])
    return TimesById(nodes.index, DictionaryArray(column.dictionary, codes))


def reached(stakes: StakeColumns, records: Records, names: Iterable[str]) -> Iterator[str]:
    """Yield some assets and entities, and all that these held or controlled at any time, in no order."""
    index, ids = stakes.nodes.index, stakes.nodes.ids
    first = [index[name] for name in names if name in index]
    if all(ids[node] in records.assets for node in first):
        yield from (ids[node] for node in first)  # which hold nothing
        return
    reached = np.zeros(len(stakes.nodes), bool)
    reached[first] = True
    above, below = _edges(stakes, records)
    while len(new := below[reached[above] & ~reached[below]]):
        reached[new] = True
    yield from (ids[node] for node in np.flatnonzero(reached).tolist())


def _edges(stakes: StakeColumns, records: Records) -> tuple[Ints, Ints]:
    """Numbers of the nodes above and below each stake and control, whenever it held, shape (n,) each."""
    index = stakes.nodes.index
    controls = [
        (index[control.controller], index[control.controlled])
        for control in records.controls.values()
        if control.controller in index and control.controlled in index
    ]
    above, below = np.array(controls, np.int64).reshape(-1, 2).T
    return np.concatenate([stakes.owner, above]), np.concatenate([stakes.owned, below])


def _by_id(table: Mapping[str, Record], times: Mapping[str, str]) -> TimesById:
    if not isinstance(table, RecordTable):
        return TimesById({key: row for row, key in enumerate(table)}, DictionaryArray.of(map(times.get, table)))
    rows = table.rows.ids
    known = set(rows)
    later = {key: at for key, at in times.items() if key not in known}
    return TimesById(rows, DictionaryArray.of(map(times.get, rows))).with_newer(later)


def published_head(connection: Connection, published: PublishedRecords, seq: int, known: Head = EMPTY) -> Head:
    """Find the last change, up to a number, of what is published, or of the policy: what the public is told of it.

    Its hash names the version, and its time dates it. Changes of private records, and of what the policy withholds,
    move neither, so that nobody can tell by them that there were any.

    Parameters
    ----------
    published
        What is published of the records of change ``seq``.
    known
        That of an earlier version with the same policy: only changes after it are looked at, and it is returned where
        there are none.
    """
    known = max(known, policy_history.head(connection, seq), key=lambda head: head.seq)
    visibility = Visibility(connection, published.stored, published.disclosure, seq, published.now)
    below = seq + 1
    while rows := history_pages.rows(connection, below, known.seq + 1, _PAGE, private=False):
        for row in rows:
            if visibility.moves(row):
                return Head(row.seq, row.hash, row.at)
        below = rows[-1].seq
    return known


class _Reading:
    """The published changes of a history up to a change of it, and what they move, read in one transaction."""

    def __init__(self, connection: Connection, published: PublishedRecords, records: Records, seq: int) -> None:
        self._connection, self._published, self._records, self._seq = connection, published, records, seq
        self._visibility = Visibility(connection, published.stored, published.disclosure, seq, published.now)
        self._private = private_datasets(connection)
        policy, shown = published.disclosure.policy, published.disclosure.records
        is_open = policy.is_open and not self._visibility.earlier
        self._is_all_shown = is_open and shown is published.stored and not self._private
        #: Names the policy and the private data sets.
        self.basis = " ".join((policy.digest, *sorted(self._private)))

    @cached_property
    def _judged(self) -> frozenset[str]:
        """Ids of the records that a judgement of identity is about."""
        return frozenset(name for one in self._records.identities.values() for name in (one.one, one.other))

    @cached_property
    def _leaders(self) -> Mapping[str, str]:
        """The record that each record counts as which is judged to be one with others."""
        groups = merge_groups(self._records)[0].values()
        return {member: leader for group in groups for member, leader in group.leaders().items()}

    def last_times(
        self, changes: Iterable[Change], strike_ids: Container[str]
    ) -> tuple[dict[str, str], dict[str, str]]:
        """The last time of the strikes, and of the assets and entities, that some changes move, by id.

        Among the latter may be ids of other records.
        """
        strikes: dict[str, str] = {}
        nodes: dict[str, str] = {}
        judged, assets = self._judged, self._records.assets
        for (table, record), values, at in changes:
            columns = _NAMING_OF[table] if values else ()
            for name in (record, *[value for column in columns if isinstance(value := values.get(column), str)]):
                if name in judged:
                    name = self._leaders.get(name, name)
                if name in strike_ids and at > strikes.get(name, ""):
                    strikes[name] = at
                # Nothing below an entity moves with what is claimed of it.
                if at > nodes.get(name, "") and (table != "claims" or name in assets):
                    nodes[name] = at
        return strikes, nodes

    def note_ends_of_embargoes(self, shown: Iterable[str], strikes: dict[str, str]) -> None:
        """Note for each of some strikes that are shown when its embargo ended, if there was one."""
        disclosure = self._published.disclosure
        for strike in shown if disclosure.policy.embargo else ():
            due = disclosure.ruling("strikes", strike).due
            if due is not None and due != ALWAYS:
                strikes[strike] = max(timestamp(due), strikes.get(strike, ""))

    def published(self, row: HistoryRow) -> Iterator[tuple[Mapping[str, Any], str]]:
        """The values before and after a change as far as they were published, and when that was."""
        if row.table in _SILENT:
            return
        if self._is_all_shown:
            yield from ((values, row.at) for values in (row.before, row.after) if values is not None)
            return
        change = self._visibility.published(row)
        if change is not None:
            at = self._visibility.shown_at(row)
            yield from ((values, at) for values in (change.before, change.after) if values is not None)

    def all_changes(self) -> Iterator[Change]:
        """Key, values and time of each published change; of a place or owner that was never hidden the last one alone.

        That one is found without reading the values, which a large history has gigabytes of.
        """
        doubtful = self._doubtful
        for table, record, at in history_pages.last_times(self._connection, _PLACES, self._seq):
            if record not in doubtful:
                yield (table, record), {}, at
        others = (*_PLACES, *_SILENT)
        is_plain = self._is_all_shown and not doubtful
        for row in history_pages.rows_but_of(self._connection, others, self._seq):
            if is_plain or not self._is_doubtful(row):
                yield from ((row.key, values, row.at) for values in (row.before, row.after) if values is not None)
            else:
                yield from ((row.key, values, at) for values, at in self.published(row))
        shown = self._published.disclosure.records
        keys = {(table, record) for table in _PLACES for record in doubtful if record in shown.table(table)}
        below = self._seq + 1
        while keys and (rows := history_pages.rows_of(self._connection, keys, below, 1, _PAGE)):
            for row in rows:
                yield from ((row.key, values, at) for values, at in self.published(row))
            below = rows[-1].seq

    @cached_property
    def _doubtful(self) -> set[str]:
        """What was ever private, is based on such or cites it, or of which a policy withholds or withheld some."""
        connection, disclosure = self._connection, self._published.disclosure
        found = set(history_pages.ever_private(connection, self._seq))
        found.update(history_pages.citing_private(connection, _PLACES, self._seq))
        for rulings in (disclosure.rulings, disclosure.together):
            found.update(record for table in rulings.values() for record in table.of)
        found.update(record for _, record in self._visibility.all_reopened())
        size = -1
        while found and len(found) > size:
            size = len(found)
            for table, references in REFERENCES.items():
                for column in references:
                    if column != "sources":
                        pairs = history_pages.references(connection, table, column)
                        found.update(record for record, value in pairs if value in found)
        return found

    def _is_doubtful(self, row: HistoryRow) -> bool:
        """Whether a change may not be published as it is."""
        if not self._published.disclosure.policy.is_open and row.record not in self._published.stored.table(row.table):
            return True
        values = row.after or row.before or {}
        # A judgement names records of any table, which is no reference.
        columns = (*REFERENCES[row.table], *_NAMING)
        named = {row.record, *(value for name in columns if isinstance(value := values.get(name), str))}
        is_stored = row.record in self._published.stored.table(row.table)
        is_hidden = is_stored and row.record not in self._published.disclosure.records.table(row.table)
        return is_hidden or not self._doubtful.isdisjoint(named) or values.get("dataset") in self._private
