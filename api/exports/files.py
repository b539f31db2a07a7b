"""The records as files for other programs: GeoJSON, GeoPackage and CSV."""

from __future__ import annotations

import csv
import errno
import io
import math
import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import pyogrio
import shapely
from shapely.geometry.base import BaseGeometry

from api.exports.strike_rows import ExportError, rows
from geo import geojson
from geo.lonlat import geodataframe_lonlat
from layers.filesystem.atomic_file import replacing
from layers.geopackage.geopackage import APPLICATION_ID

#: Decimals of a degree that are written: 1 cm on the ground.
DECIMALS = 7
#: A cell that begins with one of these is taken for a formula by a spreadsheet (OWASP, CSV injection).
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def to_geojson(frame: geopandas.GeoDataFrame) -> bytes:
    """Write a frame as a GeoJSON FeatureCollection (RFC 7946) in lon/lat.

    Parameters
    ----------
    frame
        In any CRS. A column ``id`` becomes the feature's id, else the row's number does; lists stay lists.

    Returns
    -------
    bytes
        UTF-8. Missing and empty geometry is null; an empty frame gives no features.

    Raises
    ------
    geo.errors.GeoError
        If the frame has no CRS, coordinates are out of range, or a value has no JSON form.
    """
    placed = [(row, shape) for row, shape in rows(geodataframe_lonlat(frame))]
    values = [{name: plain(value) for name, value in row.items()} for row, _ in placed]
    ids = [row.get("id", number) for number, row in enumerate(values)]
    return geojson.collection(geojson.fragments(ids, [shape for _, shape in placed], values), {})


def to_gpkg(frames: Mapping[str, geopandas.GeoDataFrame], path: Path) -> None:
    """Write frames as the layers of one GeoPackage in EPSG:4326.

    The file is written beside its place and renamed into it, so a write that is cut short leaves the old file.

    Parameters
    ----------
    frames
        By name of the layer, in any CRS. Lists and mappings are written as joined text, missing values as NULL.
    path
        Where the file is to be.

    Raises
    ------
    ExportError
        If there are no frames.
    geo.errors.GeoError
        If a frame has no CRS or coordinates out of range.
    OSError
        If not all of it could be written.
    """
    if not frames:
        raise ExportError("expected at least one layer to write")
    with replacing(path) as fresh:
        # GDAL minds the end of the name.
        written = fresh.with_name("layers.gpkg")
        for layer, frame in frames.items():
            flat = _flat(geodataframe_lonlat(frame)).set_crs("EPSG:4326", allow_override=True)
            kind = flat.geom_type.iloc[0] if flat.geom_type.nunique(dropna=False) == 1 else None
            pyogrio.write_dataframe(flat, written, layer=layer, driver="GPKG", geometry_type=kind or "Unknown")
        _require_written(path, written, frames)
        os.replace(written, fresh)


def _require_written(path: Path, fresh: Path, frames: Mapping[str, geopandas.GeoDataFrame]) -> None:
    """Refuse a GeoPackage that is not whole: GDAL passes over faults of the disk when it closes a file."""
    try:
        with closing(sqlite3.connect(f"{fresh.as_uri()}?mode=ro&immutable=1", uri=True)) as base:
            is_whole = (
                base.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
                and base.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
                and base.execute("PRAGMA user_version").fetchone() > (0,)
                and all(_is_written(base, layer, frame) for layer, frame in frames.items())
            )
    except sqlite3.Error:
        is_whole = False
    if not is_whole:
        raise OSError(errno.EIO, "not written to its end", str(path))


def _is_written(base: sqlite3.Connection, layer: str, frame: geopandas.GeoDataFrame) -> bool:
    """Whether all rows of a layer are there, in its spatial index too, and the header has their number and extent."""
    name = layer.replace('"', '""')
    query = "SELECT column_name, min_x FROM gpkg_geometry_columns JOIN gpkg_contents USING (table_name)"
    listed = base.execute(f"{query} WHERE table_name = ?", (layer,)).fetchone()
    if listed is None:
        return False
    # GDAL, and so QGIS, reads no more rows than this.
    counted = base.execute("SELECT feature_count FROM gpkg_ogr_contents WHERE table_name = ?", (layer,)).fetchone()
    (rows,) = base.execute(f'SELECT count(*) FROM "{name}"').fetchone()
    (indexed,) = base.execute(f'SELECT count(*) FROM "rtree_{name}_{listed[0]}"').fetchone()
    placed = int((frame.geometry.notna() & ~frame.geometry.is_empty).sum())
    expected = ((len(frame),), len(frame), placed, placed > 0)
    return (counted, rows, indexed, listed[1] is not None) == expected


def to_csv(frame: geopandas.GeoDataFrame) -> bytes:
    """Write a frame as CSV (RFC 4180) in UTF-8 with a header line.

    Parameters
    ----------
    frame
        In any CRS; an empty frame gives the header alone.

    Returns
    -------
    bytes
        Geometry is the column ``geometry`` as WKT in lon/lat order; points are in ``lon`` and ``lat`` too. Lists are
        joined by "; ". A text that a spreadsheet would run as a formula gets an apostrophe in front.

    Raises
    ------
    geo.errors.GeoError
        If the frame has no CRS or coordinates out of range.
    """
    lonlat = geodataframe_lonlat(frame)
    columns = [str(name) for name in lonlat.columns if name != lonlat.geometry.name]
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([guarded(name) for name in (*columns, "lon", "lat", "geometry")])
    for row, shape in rows(lonlat):
        writer.writerow([*(guarded(joined(row[name])) for name in columns), *_place(shape)])
    return text.getvalue().encode()


def _place(shape: BaseGeometry | None) -> tuple[object, object, str]:
    """Longitude and latitude of a point, and the WKT of any geometry; empty where there is none."""
    if shape is None or shape.is_empty:
        return "", "", ""
    wkt = shapely.to_wkt(shape, rounding_precision=DECIMALS, trim=True)
    if not isinstance(shape, shapely.Point):
        return "", "", wkt
    return round(shape.x, DECIMALS), round(shape.y, DECIMALS), wkt


def guarded(value: object) -> object:
    """Put an apostrophe before a text that a spreadsheet would run; numbers are left as they are."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value


def joined(value: object) -> object:
    """Give a list or mapping as text, a missing value as empty text, and anything else as it is."""
    value = plain(value)
    if isinstance(value, list):
        return "; ".join(str(joined(part)) for part in value)
    if isinstance(value, dict):
        return "; ".join(f"{key}={joined(part)}" for key, part in value.items())
    return "" if value is None else value


def plain(value: Any) -> Any:
    """Give a value as JSON has it: None for missing, NaN and infinity, lists for arrays, sets and tuples."""
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(plain(part) for part in value)
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(part) for part in value]
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _flat(frame: geopandas.GeoDataFrame) -> geopandas.GeoDataFrame:
    """Give a copy whose cells a table can hold: lists as text. Columns of one plain type keep it."""
    columns = {str(name): _column(frame[name]) for name in frame.columns if name != frame.geometry.name}
    return geopandas.GeoDataFrame(columns, geometry=frame.geometry.to_numpy(), crs=frame.crs)


def _column(column: pd.Series[Any]) -> pd.Series[Any]:
    """Give one column without lists, as text where its values are of several kinds."""
    if column.dtype != object:
        return column.reset_index(drop=True)
    values = [None if value is None else joined(value) for value in map(plain, column)]
    if {type(value) for value in values if value is not None} <= {int, float}:
        return pd.Series(values, dtype="float64")
    return pd.Series([None if value is None else str(value) for value in values], dtype=object)
