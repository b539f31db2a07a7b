"""What follows from the records, as layers that are kept in the store for QGIS: attributions and matches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime

import orjson
from pydantic import BaseModel

from layers.basemap import Basemap
from layers.features import AttributionFeature, attribution_features
from layers.schema import Match, Records
from layers.snapshot import Snapshot
from layers.store import Derive, DerivedLayer, sql_types


def deriving(basemap: Basemap) -> Derive:
    """Make the function that a load derives its layers with."""

    def derive(seq: int, records: Records) -> Iterator[DerivedLayer]:
        snapshot = Snapshot.of(records, basemap, seq, datetime.now(UTC).date())
        types = sql_types(AttributionFeature)
        # Not by way of the collections, which tell the owners of every asset as well: seconds for 10,000 of them.
        features = attribution_features(snapshot.records, snapshot.attributions, snapshot.country_names)
        places = (snapshot.records.strikes[strike].geometry for strike in features.columns["strike"])
        rows = ((*map(_plain, values), place) for values, place in zip(features.rows(types), places, strict=True))
        yield DerivedLayer("attributions", types, rows, geometry=True)
        types = sql_types(Match)
        told = (match for found in snapshot.matches.values() for match in found)
        yield DerivedLayer("matches", types, (_values(match, list(types)) for match in told), geometry=False)

    return derive


def _values(row: BaseModel, names: Sequence[str]) -> tuple[object, ...]:
    """Values in the order of the columns; lists and objects as JSON text."""
    values = row.model_dump(mode="json")
    told = (values[name] for name in names)
    return tuple(orjson.dumps(value).decode() if isinstance(value, list | dict) else value for value in told)


def _plain(value: object) -> object:
    """A value as a column of the store holds it: days as ISO text."""
    return value.isoformat() if isinstance(value, date) else value
