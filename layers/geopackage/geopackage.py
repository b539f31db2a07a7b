"""The GeoPackage format, 1.4 (OGC 12-128r19): geometry blobs, header tables, layers and their spatial index."""

from __future__ import annotations

import re
import sqlite3
import struct
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geo.lonlat import Objects
from layers.model.messages import InvalidValue, Message

#: EPSG:4326; a GeoPackage stores it lon first, lat second, whatever its authority defines (2.1.3.1).
WGS84 = 4326

#: West, south, east, north.
Bounds: TypeAlias = tuple[float, float, float, float]

_HEADER = struct.Struct("<2sBBi")
_MAGIC = b"GP"
_LITTLE, _XY_ENVELOPE, _EMPTY, _EXTENDED = 0x01, 0x02, 0x10, 0x20
#: Bytes of the envelope by its code: none, xy, xyz, xym, xyzm.
_ENVELOPE_BYTES = (0, 32, 48, 48, 64)
_XY = struct.Struct("<4d")
_POINT = struct.Struct("<BI2d")


class GeometryBlobError(InvalidValue):
    """Bytes that are no GeoPackage geometry, or a geometry that the tables of the atlas cannot hold."""


def encode(geometry: BaseGeometry, srs_id: int = WGS84) -> bytes:
    """Write a geometry as a GeoPackage blob (2.1.3): little-endian, with an xy envelope unless it is a point or empty.

    Parameters
    ----------
    geometry
        A two-dimensional shapely geometry, lon/lat. An empty one gets the empty flag.
    srs_id
        Identifier of its system in ``gpkg_spatial_ref_sys``.

    Raises
    ------
    GeometryBlobError
        If the geometry has a height or measure: the tables of the atlas are declared without.
    """
    if geometry.has_z or shapely.has_m(geometry):
        raise GeometryBlobError(Message("geopackage.flat"))
    flags, envelope = _LITTLE, b""
    if geometry.is_empty:
        flags |= _EMPTY
    elif geometry.geom_type != "Point":
        west, south, east, north = geometry.bounds
        flags, envelope = flags | _XY_ENVELOPE, _XY.pack(west, east, south, north)
    wkb: bytes = shapely.to_wkb(geometry, byte_order=1, flavor="iso")
    return _HEADER.pack(_MAGIC, 0, flags, srs_id) + envelope + wkb


def encode_many(geometries: Objects) -> list[bytes | None]:
    """Write many geometries, each as `encode` does: points at once; ``None`` stays ``None``."""
    points = (shapely.get_type_id(geometries) == 0) & ~shapely.is_empty(geometries) & ~shapely.has_z(geometries)
    points &= ~shapely.has_m(geometries)
    header, blobs = _HEADER.pack(_MAGIC, 0, _LITTLE, WGS84), np.empty(len(geometries), object)
    blobs[points] = [header + wkb for wkb in shapely.to_wkb(geometries[points], byte_order=1, flavor="iso")]
    blobs[~points] = [shape if shape is None else encode(shape) for shape in geometries[~points]]
    return blobs.tolist()


def decode(blob: bytes, srs_id: int = WGS84) -> BaseGeometry:
    """Read a geometry from a GeoPackage blob of either byte order, with or without an envelope.

    Raises
    ------
    GeometryBlobError
        If the bytes are cut short, of another format, version or system, or hold no valid ISO WKB.
    """
    start = _wkb_start(blob, srs_id)
    require_shallow(blob, start)
    try:
        geometry: BaseGeometry = shapely.from_wkb(blob[start:])
    except (shapely.errors.ShapelyError, TypeError) as error:
        raise GeometryBlobError(Message("geopackage.unreadable-wkb", {"error": str(error)})) from error
    return geometry


#: Deepest nesting of collections in a geometry; those of real files have one level, or two.
MAX_NESTING = 32
#: Codes of WKB (OGC 06-103r4, table 7) of geometries that hold positions, or rings of positions, and no geometry.
_POINT_CODE, _POLYGON_CODE, _CURVE_CODES = 1, 3, (2, 8)


def require_shallow(blob: bytes, start: int) -> None:
    """Refuse WKB whose collections are nested so deeply that GEOS, which calls itself for each, ends the process.

    ``start`` is the offset of the WKB in the blob. Raises `GeometryBlobError` if more than ``MAX_NESTING`` collections
    stand in each other; what else is wrong is left to GEOS.
    """
    waiting = [1]
    try:
        while waiting:
            if not waiting[-1]:
                waiting.pop()
                continue
            waiting[-1] -= 1
            order = "<" if blob[start] else ">"
            (code,) = struct.unpack_from(f"{order}I", blob, start + 1)
            # EWKB has flags for the dimensions and the system, ISO WKB thousands for the dimensions.
            flags, kind = code >> 29, code & 0x1FFFFFFF
            axes = 2 + (flags >> 2 & 1) + (flags >> 1 & 1) + (0, 1, 1, 2)[min(kind // 1000, 3)]
            start += 5 + (4 if flags & 1 else 0)
            if kind % 1000 == _POINT_CODE:
                start += 8 * axes
                continue
            (count,) = struct.unpack_from(f"{order}I", blob, start)
            start += 4
            if kind % 1000 in _CURVE_CODES:
                start += 8 * axes * count
            elif kind % 1000 == _POLYGON_CODE:
                for _ in range(count):
                    start += 4 + 8 * axes * struct.unpack_from(f"{order}I", blob, start)[0]
            else:
                waiting.append(count)
                if len(waiting) > MAX_NESTING:
                    raise GeometryBlobError(Message("geopackage.nested", {"limit": MAX_NESTING}))
    except (struct.error, IndexError):
        return


def decode_many(blobs: Iterable[bytes | None]) -> list[BaseGeometry | None]:
    """Read many blobs as of `decode` in one call, lon/lat and in the order of the blobs; ``None`` stays ``None``.

    Raises
    ------
    GeometryBlobError
        If a blob cannot be read (see `decode`); the message does not say which blob.
    """
    bodies = [None if blob is None else blob[_wkb_start(blob, WGS84) :] for blob in blobs]
    try:
        return list(shapely.from_wkb(np.array(bodies, dtype=object)))
    except (shapely.errors.ShapelyError, TypeError) as error:
        raise GeometryBlobError(Message("geopackage.unreadable-wkbs", {"error": str(error)})) from error


def _wkb_start(blob: bytes, srs_id: int | None = None) -> int:
    """Check the header of a blob, and return the offset of its WKB."""
    if not isinstance(blob, bytes) or len(blob) < _HEADER.size + 5:
        raise GeometryBlobError(Message("geopackage.too-short"))
    magic, version, flags, little_srs = _HEADER.unpack_from(blob)
    code = flags >> 1 & 0x07
    if magic != _MAGIC or version != 0 or flags & _EXTENDED or code >= len(_ENVELOPE_BYTES):
        raise GeometryBlobError(Message("geopackage.version", {"start": blob[:4].hex(" ")}))
    blob_srs = little_srs if flags & _LITTLE else int.from_bytes(blob[4:8], "big", signed=True)
    if srs_id is not None and blob_srs != srs_id:
        raise GeometryBlobError(Message("geopackage.other-system", {"found": blob_srs, "expected": srs_id}))
    start = _HEADER.size + _ENVELOPE_BYTES[code]
    if len(blob) < start + 5:
        raise GeometryBlobError(Message("geopackage.cut-short"))
    return start


# Cached, as the triggers of a spatial index call five functions with each blob in turn.
@lru_cache(maxsize=4)
def bounds(blob: bytes) -> Bounds | None:
    """Return west, south, east, north of a blob in its own system; ``None`` where the geometry is empty.

    Raises
    ------
    GeometryBlobError
        If the bytes are no GeoPackage geometry.
    """
    start = _wkb_start(blob)
    flags = blob[3]
    if flags & _EMPTY:
        return None
    if start > _HEADER.size:
        west, east, south, north = struct.unpack_from("<4d" if flags & _LITTLE else ">4d", blob, _HEADER.size)
        return None if west != west else (west, south, east, north)
    if len(blob) == start + _POINT.size and blob[start : start + 5] == b"\x01\x01\x00\x00\x00":
        _, _, lon, lat = _POINT.unpack_from(blob, start)
        return None if lon != lon else (lon, lat, lon, lat)
    return _bounds_of_wkb(blob[start:])


def _bounds_of_wkb(wkb: bytes) -> Bounds | None:
    require_shallow(wkb, 0)
    try:
        geometry = shapely.from_wkb(wkb)
    except shapely.errors.ShapelyError as error:
        raise GeometryBlobError(Message("geopackage.unreadable-wkb", {"error": str(error)})) from error
    if geometry.is_empty:
        return None
    west, south, east, north = geometry.bounds
    return west, south, east, north


#: "GPKG" (1.1.1.1.1, requirement 2).
APPLICATION_ID = 0x47504B47
USER_VERSION = 10400

#: Column types that a layer may have (1.1.1.1.3, table 1).
SQL_TYPES = ("TEXT", "REAL", "INTEGER", "BOOLEAN", "DATE", "DATETIME")

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_RESERVED = ("gpkg_", "rtree_", "sqlite_")

#: Table definitions of annex C, of the tables that the atlas uses.
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

#: Triggers of annex F.3 as of 1.4, which upserts do not break: {t} table, {c} geometry column, {r} index.
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
    require_layer_name(name)
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
    """Remove a layer, its spatial index and its rows in the header tables; one that does not exist is no fault."""
    require_layer_name(name)
    connection.execute(f"DROP TABLE IF EXISTS {quote(name)}")
    connection.execute(f"DROP TABLE IF EXISTS {quote(f'rtree_{name}_geometry')}")
    for table in ("gpkg_extensions", "gpkg_geometry_columns", "gpkg_contents"):
        connection.execute(f"DELETE FROM {table} WHERE table_name = ?", (name,))


def require_layer_name(name: str) -> None:
    """Refuse the name of a layer that SQL or GeoPackage reserves, by ValueError."""
    quote(name)
    if name.startswith(_RESERVED):
        raise ValueError(f"{name!r} is a name that the format keeps for itself")


def touch(connection: sqlite3.Connection, name: str, at: str) -> None:
    """Record when a layer was last changed, and its extent, computed from all its geometries where it has any."""
    connection.execute("UPDATE gpkg_contents SET last_change = ? WHERE table_name = ?", (at, name))
    if connection.execute("SELECT 1 FROM gpkg_geometry_columns WHERE table_name = ?", (name,)).fetchone():
        box = _extent(connection, name) or (None, None, None, None)
        connection.execute(
            "UPDATE gpkg_contents SET min_x = ?, min_y = ?, max_x = ?, max_y = ? WHERE table_name = ?", (*box, name)
        )


def widen(connection: sqlite3.Connection, name: str, at: str, box: Bounds | None) -> None:
    """Record when a layer was last changed, and enlarge its extent to hold the bounds of a new geometry."""
    connection.execute("UPDATE gpkg_contents SET last_change = ? WHERE table_name = ?", (at, name))
    if box is not None:
        connection.execute(
            "UPDATE gpkg_contents SET min_x = min(ifnull(min_x, ?1), ?1), min_y = min(ifnull(min_y, ?2), ?2), "
            "max_x = max(ifnull(max_x, ?3), ?3), max_y = max(ifnull(max_y, ?4), ?4) WHERE table_name = ?5",
            (*box, name),
        )


def _extent(connection: sqlite3.Connection, name: str) -> Bounds | None:
    """Compute the extent from the exact bounds, as the index holds them rounded outwards to 32 bits."""
    rows = connection.execute(f"SELECT geometry FROM {quote(name)} WHERE geometry NOTNULL")
    boxes = [box for (blob,) in rows if (box := bounds(blob)) is not None]
    if not boxes:
        return None
    west, south, east, north = zip(*boxes, strict=True)
    return min(west), min(south), max(east), max(north)
