"""The GeoPackage format, 1.4 (OGC 12-128r19): header tables, layers, spatial index. Knows no noun of the atlas."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Mapping

from layers.geopackage.geometry_blob import WGS84, Bounds, bounds

#: "GPKG" (1.1.1.1.1, requirement 2).
APPLICATION_ID = 0x47504B47
USER_VERSION = 10400

#: Column types that a layer may have (1.1.1.1.3, table 1).
SQL_TYPES = ("TEXT", "REAL", "INTEGER", "BOOLEAN", "DATE", "DATETIME")

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_RESERVED = ("gpkg_", "rtree_", "sqlite_")

#: Table definitions of annex C, for the tables that are used here.
_HEADER_TABLES = (
    """CREATE TABLE gpkg_spatial_ref_sys (
  srs_name TEXT NOT NULL,
  srs_id INTEGER PRIMARY KEY,
  organization TEXT NOT NULL,
  organization_coordsys_id INTEGER NOT NULL,
  definition TEXT NOT NULL,
  description TEXT
)""",
    """CREATE TABLE gpkg_contents (
  table_name TEXT NOT NULL PRIMARY KEY,
  data_type TEXT NOT NULL,
  identifier TEXT UNIQUE,
  description TEXT DEFAULT '',
  last_change DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  min_x DOUBLE,
  min_y DOUBLE,
  max_x DOUBLE,
  max_y DOUBLE,
  srs_id INTEGER,
  CONSTRAINT fk_gc_r_srs_id FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id)
)""",
    """CREATE TABLE gpkg_geometry_columns (
  table_name TEXT NOT NULL,
  column_name TEXT NOT NULL,
  geometry_type_name TEXT NOT NULL,
  srs_id INTEGER NOT NULL,
  z TINYINT NOT NULL,
  m TINYINT NOT NULL,
  CONSTRAINT pk_geom_cols PRIMARY KEY (table_name, column_name),
  CONSTRAINT uk_gc_table_name UNIQUE (table_name),
  CONSTRAINT fk_gc_tn FOREIGN KEY (table_name) REFERENCES gpkg_contents(table_name),
  CONSTRAINT fk_gc_srs FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys (srs_id)
)""",
    """CREATE TABLE gpkg_extensions (
  table_name TEXT,
  column_name TEXT,
  extension_name TEXT NOT NULL,
  definition TEXT NOT NULL,
  scope TEXT NOT NULL,
  CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name)
)""",
)

_WGS84_WKT = (
    'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563,AUTHORITY["EPSG","7030"]],'
    'AUTHORITY["EPSG","6326"]],PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],'
    'UNIT["degree",0.0174532925199433,AUTHORITY["EPSG","9122"]],AXIS["Latitude",NORTH],AXIS["Longitude",EAST],'
    'AUTHORITY["EPSG","4326"]]'
)
#: The three systems that every GeoPackage has (1.1.2.1.2, requirement 11).
_SYSTEMS = (
    ("Undefined Cartesian SRS", -1, "NONE", -1, "undefined", "undefined Cartesian coordinate reference system"),
    ("Undefined geographic SRS", 0, "NONE", 0, "undefined", "undefined geographic coordinate reference system"),
    ("WGS 84 geodetic", WGS84, "EPSG", 4326, _WGS84_WKT, "longitude/latitude in decimal degrees on WGS 84"),
)

#: Annex F.3 as of 1.4, which an upsert does not break: {t} table, {c} geometry column, {r} index.
_BOX = "ST_MinX(NEW.{c}), ST_MaxX(NEW.{c}), ST_MinY(NEW.{c}), ST_MaxY(NEW.{c})"
_NEW_FULL = "(NEW.{c} NOTNULL AND NOT ST_IsEmpty(NEW.{c}))"
_NEW_EMPTY = "(NEW.{c} ISNULL OR ST_IsEmpty(NEW.{c}))"
_RTREE_TRIGGERS = {
    "insert": f"AFTER INSERT ON {{t}} WHEN {_NEW_FULL} "
    f"BEGIN INSERT OR REPLACE INTO {{r}} VALUES (NEW.fid, {_BOX}); END",
    "update2": f"AFTER UPDATE OF {{c}} ON {{t}} WHEN OLD.fid = NEW.fid AND {_NEW_EMPTY} "
    "BEGIN DELETE FROM {r} WHERE id = OLD.fid; END",
    "update4": f"AFTER UPDATE ON {{t}} WHEN OLD.fid != NEW.fid AND {_NEW_EMPTY} "
    "BEGIN DELETE FROM {r} WHERE id IN (OLD.fid, NEW.fid); END",
    "update5": f"AFTER UPDATE ON {{t}} WHEN OLD.fid != NEW.fid AND {_NEW_FULL} "
    f"BEGIN DELETE FROM {{r}} WHERE id = OLD.fid; INSERT OR REPLACE INTO {{r}} VALUES (NEW.fid, {_BOX}); END",
    "update6": f"AFTER UPDATE OF {{c}} ON {{t}} WHEN OLD.fid = NEW.fid AND {_NEW_FULL} "
    "AND (OLD.{c} NOTNULL AND NOT ST_IsEmpty(OLD.{c})) "
    "BEGIN UPDATE {r} SET minx = ST_MinX(NEW.{c}), maxx = ST_MaxX(NEW.{c}), "
    "miny = ST_MinY(NEW.{c}), maxy = ST_MaxY(NEW.{c}) WHERE id = NEW.fid; END",
    "update7": f"AFTER UPDATE OF {{c}} ON {{t}} WHEN OLD.fid = NEW.fid AND {_NEW_FULL} "
    "AND (OLD.{c} ISNULL OR ST_IsEmpty(OLD.{c})) "
    f"BEGIN INSERT INTO {{r}} VALUES (NEW.fid, {_BOX}); END",
    "delete": "AFTER DELETE ON {t} WHEN OLD.{c} NOTNULL BEGIN DELETE FROM {r} WHERE id = OLD.fid; END",
}


def quote(name: str) -> str:
    """Quote an identifier for SQL.

    Raises
    ------
    ValueError
        If it is not lower-case letters, digits and underscores, starting with a letter, at most 63.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a table or column: a-z, 0-9 and _ expected")
    return f'"{name}"'


def register_functions(connection: sqlite3.Connection) -> None:
    """Give a connection the functions that the triggers of a spatial index call (annex F.3).

    Every connection that writes to a feature table needs them: SQLite itself has none.
    """
    functions: dict[str, Callable[[bytes | None], float | None]] = {
        "ST_MinX": lambda blob: _edge(blob, 0),
        "ST_MinY": lambda blob: _edge(blob, 1),
        "ST_MaxX": lambda blob: _edge(blob, 2),
        "ST_MaxY": lambda blob: _edge(blob, 3),
        "ST_IsEmpty": lambda blob: None if blob is None else int(bounds(blob) is None),
    }
    for name, function in functions.items():
        connection.create_function(name, 1, function, deterministic=True)


def _edge(blob: bytes | None, side: int) -> float | None:
    box = None if blob is None else bounds(blob)
    return None if box is None else box[side]


def create_header(connection: sqlite3.Connection) -> None:
    """Make an empty database a GeoPackage, within the caller's transaction."""
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {USER_VERSION}")
    for statement in _HEADER_TABLES:
        connection.execute(statement)
    connection.executemany("INSERT INTO gpkg_spatial_ref_sys VALUES (?, ?, ?, ?, ?, ?)", _SYSTEMS)


def add_layer(
    connection: sqlite3.Connection, name: str, columns: Mapping[str, str], doc: str, geometry: str | None = None
) -> None:
    """Create a layer: a feature table with its spatial index, or an attribute table.

    Parameters
    ----------
    columns
        Column name to SQL declaration, in order; the integer primary key ``fid`` is put before them.
    doc
        What the layer holds, for a reader of the file.
    geometry
        Geometry type of the column ``geometry``, which must be among ``columns``; None for attributes.

    Raises
    ------
    ValueError
        If the table or a column has a name that SQL or GeoPackage reserves.
    """
    _require_layer_name(name)
    if "fid" in columns:
        raise ValueError("the column name 'fid' is that of the primary key")
    declared = "".join(f", {quote(column)} {declaration}" for column, declaration in columns.items())
    connection.execute(f"CREATE TABLE {quote(name)} (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL{declared})")
    register(connection, name, doc, "attributes" if geometry is None else "features")
    if geometry is not None:
        _add_geometry(connection, name, geometry)


def register(connection: sqlite3.Connection, name: str, doc: str, data_type: str = "attributes") -> None:
    """List a table in ``gpkg_contents``, so that GDAL and QGIS show it."""
    srs_id = WGS84 if data_type == "features" else None
    connection.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, srs_id) VALUES (?, ?, ?, ?, ?)",
        (name, data_type, name, doc, srs_id),
    )


def _add_geometry(connection: sqlite3.Connection, name: str, geometry: str) -> None:
    index = quote(f"rtree_{name}_geometry")
    connection.execute("INSERT INTO gpkg_geometry_columns VALUES (?, 'geometry', ?, ?, 0, 0)", (name, geometry, WGS84))
    connection.execute(
        "INSERT INTO gpkg_extensions VALUES (?, 'geometry', 'gpkg_rtree_index', ?, 'write-only')",
        (name, "http://www.geopackage.org/spec140/#extension_rtree"),
    )
    connection.execute(f"CREATE VIRTUAL TABLE {index} USING rtree(id, minx, maxx, miny, maxy)")
    for suffix, body in _RTREE_TRIGGERS.items():
        trigger = quote(f"rtree_{name}_geometry_{suffix}")
        connection.execute(f"CREATE TRIGGER {trigger} " + body.format(t=quote(name), c='"geometry"', r=index))


def drop_layer(connection: sqlite3.Connection, name: str) -> None:
    """Remove a layer, its spatial index and every mention of it; one that does not exist is no fault.

    Raises
    ------
    ValueError
        If the name is none that a layer can have.
    """
    _require_layer_name(name)
    connection.execute(f"DROP TABLE IF EXISTS {quote(name)}")
    connection.execute(f"DROP TABLE IF EXISTS {quote(f'rtree_{name}_geometry')}")
    for table in ("gpkg_extensions", "gpkg_geometry_columns", "gpkg_contents"):
        connection.execute(f"DELETE FROM {table} WHERE table_name = ?", (name,))


def _require_layer_name(name: str) -> None:
    quote(name)
    if name.startswith(_RESERVED):
        raise ValueError(f"{name!r} is a name that the format keeps for itself")


def touch(connection: sqlite3.Connection, name: str, at: str) -> None:
    """Note when a layer was last changed, and measure its extent anew if it has geometry."""
    connection.execute("UPDATE gpkg_contents SET last_change = ? WHERE table_name = ?", (at, name))
    if connection.execute("SELECT 1 FROM gpkg_geometry_columns WHERE table_name = ?", (name,)).fetchone():
        box = _extent(connection, name) or (None, None, None, None)
        connection.execute(
            "UPDATE gpkg_contents SET min_x = ?, min_y = ?, max_x = ?, max_y = ? WHERE table_name = ?", (*box, name)
        )


def widen(connection: sqlite3.Connection, name: str, at: str, box: Bounds | None) -> None:
    """Note when a layer was last changed, and stretch its extent over the bounds of one more geometry."""
    connection.execute("UPDATE gpkg_contents SET last_change = ? WHERE table_name = ?", (at, name))
    if box is not None:
        connection.execute(
            "UPDATE gpkg_contents SET min_x = min(ifnull(min_x, ?1), ?1), min_y = min(ifnull(min_y, ?2), ?2), "
            "max_x = max(ifnull(max_x, ?3), ?3), max_y = max(ifnull(max_y, ?4), ?4) WHERE table_name = ?5",
            (*box, name),
        )


def _extent(connection: sqlite3.Connection, name: str) -> Bounds | None:
    """Unite the exact bounds: the index holds them rounded outwards to 32 bits."""
    rows = connection.execute(f"SELECT geometry FROM {quote(name)} WHERE geometry NOTNULL")
    boxes = [box for (blob,) in rows if (box := bounds(blob)) is not None]
    if not boxes:
        return None
    west, south, east, north = zip(*boxes, strict=True)
    return min(west), min(south), max(east), max(north)
