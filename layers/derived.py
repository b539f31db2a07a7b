"""What follows from the records, as layers that are kept in the store for QGIS: attributions and matches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import orjson
from pydantic import BaseModel

from layers.basemap import Basemap
from layers.features import AttributionFeature
from layers.schema import Match, Records
from layers.snapshot import Snapshot
from layers.store import Derive, DerivedLayer, sql_types


def deriving(basemap: Basemap) -> Derive:
    """Make the function that a load derives its layers with."""

    def derive(seq: int, records: Records) -> Iterator[DerivedLayer]:
        snapshot = Snapshot.of(records, basemap, seq, datetime.now(UTC).date())
        layer = snapshot.collections["attributions"]
        types = sql_types(AttributionFeature)
        shaped = zip(layer.features, layer.geometries, strict=True)
        rows = ((*_values(feature, list(types)), shape) for feature, shape in shaped)
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
