"""FlatGeobuf, GeoPackage and GeoParquet: a page as a typed table with geometry."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Lock
from types import MappingProxyType
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import pyogrio
import shapely

from api.formats.page import FeatureFormat, FeaturePage
from api.requests.crs import CRS84, Crs
from api.requests.negotiation import MediaFormat
from geo.lonlat import Objects
from layers.collections.queryables import Kind

#: Options of GDAL are those of the process.
_gdal_options = Lock()
#: Type of a column by kind; a list has no type that every reader knows, and is joined text.
DTYPES: Mapping[Kind, str] = MappingProxyType(
    {
        "integer": "Int64",
        "number": "float64",
        "boolean": "boolean",
        "date": "datetime64[ms]",
        "timestamp": "datetime64[ms, UTC]",
    }
)


def flatgeobuf(page: FeaturePage) -> bytes:
    """Write a page as FlatGeobuf in the order of its rows, without the spatial index.

    An index would sort the features, and drop those without geometry.
    """
    frame = _frame(page)
    kind = "Point" if set(frame.geom_type.dropna()) == {"Point"} else "Unknown"
    body = io.BytesIO()
    pyogrio.write_dataframe(
        frame, body, driver="FlatGeobuf", layer=page.collection.name, geometry_type=kind, SPATIAL_INDEX="NO"
    )
    return body.getvalue()


def geopackage(page: FeaturePage) -> bytes:
    """Write a page as GeoPackage 1.3 of one layer, in the order of its rows; equal pages give equal bytes."""
    frame = _frame(page)
    kind = "Point" if set(frame.geom_type.dropna()) == {"Point"} else "Unknown"
    body = io.BytesIO()
    with _written_at(page.timestamp):
        pyogrio.write_dataframe(
            frame,
            body,
            driver="GPKG",
            layer=page.collection.name,
            geometry_type=kind,
            VERSION="1.3",
            SPATIAL_INDEX="NO",
        )
    return body.getvalue()


@contextmanager
def _written_at(timestamp: str) -> Iterator[None]:
    """Let GDAL write this time as that of the last change, in place of the clock's."""
    with _gdal_options:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": timestamp or None})
        try:
            yield
        finally:
            pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})


def geoparquet(page: FeaturePage) -> bytes:
    """Write a page as GeoParquet 1.1 (WKB, zstd)."""
    body = io.BytesIO()
    _frame(page).to_parquet(body, index=False, compression="zstd", schema_version="1.1.0")
    return body.getvalue()


def _frame(page: FeaturePage) -> geopandas.GeoDataFrame:
    columns = {name: _column(page, name) for name in page.property_names}
    crs = page.representation.crs
    return geopandas.GeoDataFrame(columns, geometry=_xy(page.shapes(), crs), crs=_crs_name(crs))


def _crs_name(crs: Crs) -> str:
    # Files hold x before y, whatever the authority says, and name EPSG:4326 for lon/lat.
    return "EPSG:4326" if crs is CRS84 else crs.name


def _xy(shapes: Objects, crs: Crs) -> Objects:
    return shapely.transform(shapes, lambda axes: axes[:, ::-1]) if crs.north_first else shapes


def _column(page: FeaturePage, name: str) -> pd.Series[Any]:
    column = page.collection.features.columns[name]
    values = list(column.take(page.rows))
    queryable = page.collection.queryables.get(name)
    kind: Kind = "text" if queryable is None else queryable.kind
    if kind in DTYPES:
        return pd.Series(np.array(values, dtype=object), dtype=DTYPES[kind])
    texts = ["; ".join(value) if isinstance(value, tuple) else value for value in values]
    return pd.Series(texts, dtype=object)


FLATGEOBUF = FeatureFormat(MediaFormat("fgb", "application/flatgeobuf", "FlatGeobuf"), flatgeobuf)
GEOPACKAGE = FeatureFormat(MediaFormat("gpkg", "application/geopackage+sqlite3", "GeoPackage"), geopackage)
GEOPARQUET = FeatureFormat(MediaFormat("parquet", "application/vnd.apache.parquet", "GeoParquet"), geoparquet)
