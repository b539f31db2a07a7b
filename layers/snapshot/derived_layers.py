"""The layers that a store holds for QGIS, attributions and matches: written by a load, and updated by each edit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import TypeAlias

import orjson

from layers.collections.feature_types import AttributionFeature
from layers.collections.flatten import FlatRows
from layers.collections.update_times import UPDATED
from layers.decisions.hits import PUBLISH_FROM
from layers.matching.explanation import worded_match
from layers.model.messages import Wording
from layers.model.records import Match, Records
from layers.reference.basemap import Basemap
from layers.snapshot.flat_collections import strike_geometries
from layers.snapshot.incremental import Matches, SnapshotUpdate, TimesAfter, with_candidates
from layers.snapshot.snapshot import Snapshot
from layers.store.connection import Connection
from layers.store.open_layer import OpenLayer
from layers.store.store import Derive, DerivedLayer, DerivedUpdate, sql_types

#: What receives a snapshot that was computed, and the records, as they are stored, that it is of.
Computed: TypeAlias = Callable[[Snapshot, Records], None]


def discard(snapshot: Snapshot, records: Records) -> None:
    """Receive what was computed where nobody needs it."""


#: The column by which the rows of touched strikes are replaced.
_KEY = "strike"


def full_rewrite(
    basemap: Basemap,
    wording: Wording,
    open_layer: OpenLayer | None = None,
    computed: Computed = discard,
) -> Derive:
    """Give the function that a load computes both layers with, from all records of a store and those of an open layer.

    Reasons are worded by ``wording``.
    """

    def derive(seq: int, records: Records) -> Iterator[DerivedLayer]:
        records = records if open_layer is None else open_layer.under(records)
        snapshot = Snapshot.of(records, basemap, seq, datetime.now(UTC).date(), wording=wording)
        snapshot, matches = with_candidates(snapshot)
        computed(snapshot, records)
        return _layers(snapshot.flat_alone(), matches.value, None, wording)

    return derive


def incremental_rewrite(
    known: Snapshot,
    stored: Records,
    day: date | None = None,
    computed: Callable[[SnapshotUpdate, Records], None] = lambda _update, _records: None,
    times_after: Callable[[Connection], TimesAfter] | None = None,
    open_layer: OpenLayer | None = None,
) -> DerivedUpdate:
    """Say how an edit of the store updates the layers: only rows of touched strikes, where no other row changes.

    Parameters
    ----------
    known
        The snapshot, with private records, of ``stored``. The layers are of the default threshold of publishing,
        whatever that of the snapshot.
    stored
        The records of that version of the store.
    day
        Day of the edit; that of ``known`` if None.
    computed
        Receives, before anything is committed, what was computed of the change, and the records after it.
    times_after
        Gives, within the transaction, what says when records changed last; the layers do not have it.
    open_layer
        The open layer that ``stored`` lie over.
    """
    update = _LayerUpdate(known, day or known.data_date, computed, times_after)
    return DerivedUpdate(known.seq, stored, update.whole, update.touched_rows, open_layer)


class _LayerUpdate:
    """The layers after one edit, all from one `SnapshotUpdate`."""

    def __init__(
        self,
        known: Snapshot,
        day: date,
        computed: Callable[[SnapshotUpdate, Records], None],
        times_after: Callable[[Connection], TimesAfter] | None,
    ) -> None:
        self._known, self._day, self._computed, self._times_after = known, day, computed, times_after
        self._update: SnapshotUpdate | None = None

    def touched_rows(self, seq: int, records: Records, connection: Connection) -> Iterator[DerivedLayer] | None:
        """The layers with the rows of touched strikes alone, or None where all rows are computed anew."""
        known = self._known
        thresholds = (known.publish_from, known.show_from)
        words, heat = known.wording, known.heat
        newer = Snapshot.of(records, known.basemap, seq, self._day, *thresholds, wording=words, heat=heat)
        times = () if self._times_after is None else (self._times_after(connection),)
        update = self._update = SnapshotUpdate(known, newer, True, *times)
        self._computed(update, records)
        return None if update.touched is None else _updated_layers(update)

    def whole(self, seq: int, records: Records) -> Iterable[DerivedLayer]:
        """The layers with all rows."""
        if self._update is None or self._update.touched is not None:
            return full_rewrite(self._known.basemap, self._known.wording)(seq, records)
        return _updated_layers(self._update)


def _updated_layers(update: SnapshotUpdate) -> Iterator[DerivedLayer]:
    return _layers(update.flat_at(PUBLISH_FROM), update.matches, update.touched, update.newer.wording)


def _layers(flat: FlatRows, matches: Matches, touched: set[str] | None, wording: Wording) -> Iterator[DerivedLayer]:
    """Both layers; with ``touched`` their rows take the place of those of these strikes.

    They do not say when a row changed: the history beside them does, of edits by other programs too.
    """
    only = None if touched is None else (_KEY, touched)
    types = {name: kind for name, kind in sql_types(AttributionFeature).items() if name != UPDATED}
    features = flat.attributions
    geometries = strike_geometries(flat.geometries, flat.strikes.columns["id"], features.columns["strike"])
    rows = ((*map(_plain, values), place) for values, place in zip(features.rows(types), geometries, strict=True))
    yield DerivedLayer("attributions", types, rows, True, _KEY, only)
    types = sql_types(Match)
    every = (match for candidates in matches.values() for match in candidates)
    yield DerivedLayer(
        "matches", types, (_values(worded_match(match, wording), types) for match in every), False, _KEY, only
    )


def _values(by_name: Mapping[str, object], names: Iterable[str]) -> tuple[object, ...]:
    """Values in the order of the columns; lists and objects as JSON text."""
    values = (by_name[name] for name in names)
    return tuple(orjson.dumps(value).decode() if isinstance(value, list | dict) else value for value in values)


def _plain(value: object) -> object:
    """A value as a column of the store holds it: days as ISO text."""
    return value.isoformat() if isinstance(value, date) else value
