"""What follows from the records, as layers that are kept in the store for QGIS: attributions and matches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime

import orjson
from pydantic import BaseModel

from layers.collections.feature_types import AttributionFeature
from layers.matching.match import match_all
from layers.model.records import Match, Records
from layers.reference.basemap import Basemap
from layers.snapshot.incremental import alone, touched_alone
from layers.snapshot.snapshot import Snapshot, of_strikes
from layers.store.store import Derive, DerivedLayer, Renewal, sql_types

#: The column that rows are replaced by when a strike was touched.
_KEY = "strike"


def deriving(basemap: Basemap) -> Derive:
    """Make the function that a load derives its layers with."""

    def derive(seq: int, records: Records) -> Iterator[DerivedLayer]:
        return _layers(Snapshot.of(records, basemap, seq, datetime.now(UTC).date()), None)

    return derive


def renewal(known: Snapshot, stored: Records) -> Renewal:
    """How an edit renews the layers: by the rows of the touched strikes alone, where nothing else follows from it.

    Parameters
    ----------
    known
        The view, private records and all, of ``stored``. Its thresholds do not matter here, as they do not to a load.
    stored
        The records of that version.
    """

    def some(seq: int, records: Records) -> Iterator[DerivedLayer] | None:
        made = Snapshot.of(records, known.basemap, seq, known.data_date)
        touched = touched_alone(known, made)
        return None if touched is None else _layers(alone(known, made, touched), touched)

    return Renewal(known.seq, stored, deriving(known.basemap), some)


def _layers(snapshot: Snapshot, touched: set[str] | None) -> Iterator[DerivedLayer]:
    """Both layers of a view; with ``touched`` its rows take the place of those of these strikes."""
    only = None if touched is None else (_KEY, touched)
    types = sql_types(AttributionFeature)
    # Not by way of the collections, which tell the owners of every asset as well: seconds for 10,000 of them.
    flat = snapshot.flat
    features = flat.attributions
    places = of_strikes(flat.places, flat.strikes.columns["id"], features.columns["strike"])
    rows = ((*map(_plain, values), place) for values, place in zip(features.rows(types), places, strict=True))
    yield DerivedLayer("attributions", types, rows, True, _KEY, only)
    types = sql_types(Match)
    told = (match for found in match_all(snapshot.records, snapshot.asset_index).values() for match in found)
    yield DerivedLayer("matches", types, (_values(match, list(types)) for match in told), False, _KEY, only)


def _values(row: BaseModel, names: Sequence[str]) -> tuple[object, ...]:
    """Values in the order of the columns; lists and objects as JSON text."""
    values = row.model_dump(mode="json")
    told = (values[name] for name in names)
    return tuple(orjson.dumps(value).decode() if isinstance(value, list | dict) else value for value in told)


def _plain(value: object) -> object:
    """A value as a column of the store holds it: days as ISO text."""
    return value.isoformat() if isinstance(value, date) else value
