"""GeoPackage: layers that open styled, with their columns explained and what is said of the data inside the file."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from api.exports.errors import ExportError
from api.exports.symbols import STYLE_TABLE
from api.formats.page import FeatureFormat, FeaturePage
from api.formats.table import GEOMETRY, GEOMETRY_TYPES, in_file_order, through_file, write_layer
from api.requests.negotiation import MediaFormat
from api.styles import qml
from layers.collections.property_types import property_types
from layers.filesystem.atomic_file import replacing
from layers.geopackage.geopackage import APPLICATION_ID

#: What the metadata of the file are written by: terms of DCAT, and the manifest's own.
_STANDARD = "https://www.w3.org/TR/vocab-dcat-3/"
#: Tables of metadata (OGC 12-128r19, annex F.8), and the table in which QGIS looks for styles.
_TABLES = """
CREATE TABLE gpkg_metadata (
  id INTEGER CONSTRAINT m_pk PRIMARY KEY ASC NOT NULL,
  md_scope TEXT NOT NULL DEFAULT 'dataset',
  md_standard_uri TEXT NOT NULL,
  mime_type TEXT NOT NULL DEFAULT 'text/xml',
  metadata TEXT NOT NULL DEFAULT ''
);
CREATE TABLE gpkg_metadata_reference (
  reference_scope TEXT NOT NULL,
  table_name TEXT,
  column_name TEXT,
  row_id_value INTEGER,
  timestamp DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  md_file_id INTEGER NOT NULL,
  md_parent_id INTEGER,
  CONSTRAINT crmr_mfi_fk FOREIGN KEY (md_file_id) REFERENCES gpkg_metadata(id),
  CONSTRAINT crmr_mpi_fk FOREIGN KEY (md_parent_id) REFERENCES gpkg_metadata(id)
);
CREATE TABLE layer_styles (
  id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
  f_table_catalog TEXT, f_table_schema TEXT, f_table_name TEXT, f_geometry_column TEXT,
  styleName TEXT, styleQML TEXT, styleSLD TEXT, useAsDefault BOOLEAN, description TEXT, owner TEXT, ui TEXT,
  update_time DATETIME
);
"""
_METADATA_EXTENSION = "http://www.geopackage.org/spec140/#extension_metadata"


def write(page: FeaturePage, out: BinaryIO) -> None:
    """Write a page as GeoPackage 1.4 of one layer; equal pages give equal bytes."""
    write_layers([page], out)


def write_layers(pages: Sequence[FeaturePage], out: BinaryIO) -> None:
    """Write pages of different collections as `write_file` does."""
    with through_file(out, "page.gpkg") as path:
        write_file(pages, path)


def write_file(pages: Sequence[FeaturePage], path: Path) -> None:
    """Write pages of different collections of one version as the layers of one GeoPackage.

    Each layer has a spatial index, real days and truths, lists as JSON, a title and description of each column and,
    where its collection has one kind of geometry, a style that QGIS opens it with. Metadata say what is said of the
    data. The file is written beside its place and renamed into it, so a write that is cut short leaves the old file.

    Raises
    ------
    ExportError
        If there are no pages.
    OSError
        If not all of it could be written.
    """
    if not pages:
        raise ExportError("expected at least one layer to write")
    with replacing(path) as fresh:
        # GDAL minds the end of the name.
        written = fresh.with_name("layers.gpkg")
        placed = [_write_layer(page, written) for page in pages]
        try:
            with closing(sqlite3.connect(written)) as base, base:
                _describe(base, pages)
        except sqlite3.Error as error:
            raise OSError(errno.EIO, f"not written to its end: {error}", str(path)) from error
        _require_written(path, written, pages, placed)
        os.replace(written, fresh)


def _write_layer(page: FeaturePage, path: Path) -> int:
    """Write one layer, and return how many of its rows have a geometry."""
    ordered, survey = in_file_order(page)
    options: dict[str, Any] = {} if path.exists() else {"VERSION": "1.4"}
    write_layer(
        path,
        "GPKG",
        ordered,
        survey.declared(page),
        SPATIAL_INDEX="YES",
        GEOMETRY_NAME=GEOMETRY,
        IDENTIFIER=page.collection.title,
        DESCRIPTION=page.collection.description,
        **options,
    )
    return int(survey.placed.sum())


def _describe(base: sqlite3.Connection, pages: Sequence[FeaturePage]) -> None:
    """Add styles and metadata."""
    base.executescript(_TABLES)
    at = _instant(pages[0].timestamp)
    base.executemany(
        "INSERT INTO gpkg_extensions VALUES (?, NULL, 'gpkg_metadata', ?, 'read-write')",
        [(table, _METADATA_EXTENSION) for table in ("gpkg_metadata", "gpkg_metadata_reference")],
    )
    metadata = pages[0].metadata
    if metadata is not None:
        _add_metadata(base, 1, orjson.dumps(metadata.values).decode(), at)
    for number, page in enumerate(pages, 2):
        name = page.collection.name
        _add_metadata(base, number, orjson.dumps(page.about).decode(), at, name, 1 if metadata else None)
        if page.collection.model in GEOMETRY_TYPES:
            style = qml.document(name, STYLE_TABLE, _days(page))
            base.execute(
                "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, "
                "styleName, styleQML, styleSLD, useAsDefault, description, owner, update_time) "
                "VALUES ('', '', ?, ?, ?, ?, '', 1, ?, '', ?)",
                (name, GEOMETRY, name, style, page.collection.description, at),
            )
    base.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, last_change) "
        "VALUES ('layer_styles', 'attributes', 'layer_styles', 'Styles of the layers, as QGIS reads them.', ?)",
        (at,),
    )


def _add_metadata(
    base: sqlite3.Connection, key: int, text: str, at: str, table: str | None = None, parent: int | None = None
) -> None:
    """Add metadata of the whole file, or of a table."""
    base.execute("INSERT INTO gpkg_metadata VALUES (?, 'dataset', ?, 'application/json', ?)", (key, _STANDARD, text))
    scope = "geopackage" if table is None else "table"
    base.execute(
        "INSERT INTO gpkg_metadata_reference VALUES (?, ?, NULL, NULL, ?, ?, ?)", (scope, table, at, key, parent)
    )


def _days(page: FeaturePage) -> tuple[str, str] | None:
    """Columns of the first and last day, where both are written."""
    types = property_types(page.collection.model)
    days = ("day_first", "day_last")
    return days if {*days} <= {*page.property_names} and all(types[name] == "date" for name in days) else None


def _instant(timestamp: str) -> str:
    """A time as a GeoPackage has it, to the millisecond in UTC; the epoch where a page has none."""
    return f"{timestamp[:19]}.000Z" if timestamp else "1970-01-01T00:00:00.000Z"


def _require_written(path: Path, fresh: Path, pages: Sequence[FeaturePage], placed: Sequence[int]) -> None:
    """Refuse a GeoPackage that is not whole: GDAL passes over faults of the disk when it closes a file."""
    try:
        with closing(sqlite3.connect(f"{fresh.as_uri()}?mode=ro&immutable=1", uri=True)) as base:
            is_whole = (
                base.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
                and base.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
                and base.execute("PRAGMA user_version").fetchone() > (0,)
                and all(_is_written(base, page, count) for page, count in zip(pages, placed, strict=True))
            )
    except sqlite3.Error:
        is_whole = False
    if not is_whole:
        raise OSError(errno.EIO, "not written to its end", str(path))


def _is_written(base: sqlite3.Connection, page: FeaturePage, placed: int) -> bool:
    """Whether all rows of a layer are there, in its spatial index too, and the header has their number and extent."""
    layer = page.collection.name
    query = "SELECT column_name, min_x FROM gpkg_geometry_columns JOIN gpkg_contents USING (table_name)"
    listed = base.execute(f"{query} WHERE table_name = ?", (layer,)).fetchone()
    if listed is None:
        return False
    # GDAL, and so QGIS, reads no more rows than this.
    counted = base.execute("SELECT feature_count FROM gpkg_ogr_contents WHERE table_name = ?", (layer,)).fetchone()
    (rows,) = base.execute(f'SELECT count(*) FROM "{layer}"').fetchone()
    (indexed,) = base.execute(f'SELECT count(*) FROM "rtree_{layer}_{listed[0]}"').fetchone()
    count = len(page.rows)
    return (counted, rows, indexed, listed[1] is not None) == ((count,), count, placed, placed > 0)


FORMAT = FeatureFormat(MediaFormat("gpkg", "application/geopackage+sqlite3", "GeoPackage"), write)
