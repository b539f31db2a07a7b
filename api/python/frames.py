"""Rows of layers as GeoDataFrames with the types of their columns, from collections or from GeoJSON; knows no query."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final, cast

import geopandas
import numpy as np
import orjson
import pandas as pd
import shapely

from api.formats.table import TYPES
from api.http.json import Json
from geo.lonlat import Ints, Objects
from layers.collections.collection import Collection
from layers.collections.feature_types import Feature
from layers.collections.property_types import PropertyType, property_types
from layers.model.types import columns

#: Axis order lon/lat, as all geometries of the atlas have it.
CRS: Final = "OGC:CRS84"

#: Makes what is derived from a frame that can be called.
_PLAIN: Any = geopandas.GeoDataFrame()


class SelectableFrame(geopandas.GeoDataFrame):
    """A layer as a GeoDataFrame that gives a selection of itself when it is called.

    Whatever is derived from it (a filter, a copy, a join) is a plain GeoDataFrame, which cannot be called.
    """

    _metadata: ClassVar = ["_geometry_column_name", "_select"]
    _select: Callable[..., geopandas.GeoDataFrame]

    @classmethod
    def of(cls, frame: geopandas.GeoDataFrame, select: Callable[..., geopandas.GeoDataFrame]) -> SelectableFrame:
        """Make the rows of a frame selectable by a function."""
        selectable = cls(frame)
        selectable._select = select
        return selectable

    @property
    def _constructor(self) -> Any:
        return _PLAIN._constructor

    def _constructor_from_mgr(self, mgr: Any, axes: Any) -> Any:
        return _PLAIN._constructor_from_mgr(mgr, axes)

    def __getitem__(self, key: Any) -> Any:
        """Return a column, or some of the columns or rows as a plain frame."""
        result = super().__getitem__(key)
        if isinstance(result, SelectableFrame):
            # geopandas gives what it finds the class of the frame.
            cast(Any, result).__class__ = geopandas.GeoDataFrame
        return result

    def __call__(self, **conditions: Any) -> geopandas.GeoDataFrame:
        """Return the rows that satisfy conditions, see `Atlas.select` and `Atlas.count_by_country`."""
        return self._select(**conditions)


def frame_of(collection: Collection, rows: Ints) -> geopandas.GeoDataFrame:
    """Return rows of a collection.

    Parameters
    ----------
    rows
        Row numbers, shape (k,), in the order of the result.

    Returns
    -------
    geopandas.GeoDataFrame
        A column for each column of the layer: texts as ``str``, whole numbers as ``Int64``, numbers as ``float64``,
        flags as ``boolean``, days as ``datetime64[ms]``, times as ``datetime64[ms, UTC]``, lists as Python lists; then
        ``geometry`` in OGC:CRS84, cut at the antimeridian, ``None`` where a row has none.
    """
    features = collection.features.columns
    values = {column.name: list(features[column.name].take(rows)) for column in collection.columns}
    return _frame(collection.model, values, collection.shapes_at(rows))


def frame_of_features(model: type[Feature], features: Sequence[Json]) -> geopandas.GeoDataFrame:
    """Return GeoJSON features (RFC 7946) as `frame_of` does; a column that they lack is empty.

    Parameters
    ----------
    model
        The class of the features, which names their columns and the types of these.
    """
    values = {
        column.name: [feature["properties"].get(column.name) for feature in features] for column in columns(model)
    }
    texts = [None if feature["geometry"] is None else orjson.dumps(feature["geometry"]) for feature in features]
    return _frame(model, values, shapely.from_geojson(np.array(texts, dtype=object)))


def _frame(model: type[Feature], values: Mapping[str, list[Any]], shapes: Objects) -> geopandas.GeoDataFrame:
    types = property_types(model)
    typed = {name: _typed(column, types[name]) for name, column in values.items()}
    return geopandas.GeoDataFrame(typed, geometry=np.asarray(shapes, dtype=object), crs=CRS)


def _typed(values: list[Any], kind: PropertyType) -> pd.Series[Any]:
    """Return a column in the type that the one table of types has for it."""
    dtype: Any = TYPES[kind].pandas
    plain: Any = values
    if kind == "date":
        plain = np.array(values, dtype="datetime64[D]").astype(dtype)
    elif kind == "list":
        plain = [list(value) if isinstance(value, tuple) else value for value in values]
    elif kind not in ("text", "edtf"):
        plain = np.fromiter(values, dtype=object, count=len(values))
    series: pd.Series[Any] = pd.Series(plain, dtype=dtype)
    return series
