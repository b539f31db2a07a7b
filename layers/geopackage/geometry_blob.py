"""GeoPackage geometry blobs (OGC 12-128r19, 2.1.3): between shapely and bytes. Knows nothing of tables."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

#: EPSG:4326, which a GeoPackage stores lon first, lat second whatever the authority says (2.1.3.1).
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


class GeometryBlobError(ValueError):
    """Bytes that are no GeoPackage geometry, or a geometry that cannot be one here."""


def encode(geometry: BaseGeometry, srs_id: int = WGS84) -> bytes:
    """Write a geometry as a GeoPackage blob: little-endian, with an xy envelope unless it is a point or empty.

    Parameters
    ----------
    geometry
        A two-dimensional shapely geometry, lon/lat. An empty one gets the empty flag.
    srs_id
        Identifier of its system in ``gpkg_spatial_ref_sys``.

    Raises
    ------
    GeometryBlobError
        If the geometry has a third dimension: the tables here are declared without.
    """
    if geometry.has_z or shapely.has_m(geometry):
        raise GeometryBlobError("a two-dimensional geometry expected; this one has a height or measure")
    flags, envelope = _LITTLE, b""
    if geometry.is_empty:
        flags |= _EMPTY
    elif geometry.geom_type != "Point":
        west, south, east, north = geometry.bounds
        flags, envelope = flags | _XY_ENVELOPE, _XY.pack(west, east, south, north)
    wkb: bytes = shapely.to_wkb(geometry, byte_order=1, flavor="iso")
    return _HEADER.pack(_MAGIC, 0, flags, srs_id) + envelope + wkb


def decode(blob: bytes, srs_id: int = WGS84) -> BaseGeometry:
    """Read a geometry from a GeoPackage blob of either byte order, with or without an envelope.

    Raises
    ------
    GeometryBlobError
        If the bytes are cut short, of another format, version or system, or hold no valid ISO WKB.
    """
    try:
        geometry: BaseGeometry = shapely.from_wkb(blob[_wkb_start(blob, srs_id) :])
    except (shapely.errors.ShapelyError, TypeError) as error:
        raise GeometryBlobError(f"the WKB in the blob cannot be read: {error}") from error
    return geometry


def decode_many(blobs: Iterable[bytes | None], srs_id: int = WGS84) -> list[BaseGeometry | None]:
    """Read many blobs at once; None stays None.

    Raises
    ------
    GeometryBlobError
        As in `decode`, without saying which one it was.
    """
    bodies = [None if blob is None else blob[_wkb_start(blob, srs_id) :] for blob in blobs]
    try:
        return list(shapely.from_wkb(np.array(bodies, dtype=object)))
    except (shapely.errors.ShapelyError, TypeError) as error:
        raise GeometryBlobError(f"the WKB in a blob cannot be read: {error}") from error


def _wkb_start(blob: bytes, srs_id: int | None = None) -> int:
    """Give the offset of the WKB; the header is checked."""
    if not isinstance(blob, bytes) or len(blob) < _HEADER.size + 5:
        raise GeometryBlobError("a GeoPackage geometry is at least 13 bytes")
    magic, version, flags, little_srs = _HEADER.unpack_from(blob)
    code = flags >> 1 & 0x07
    if magic != _MAGIC or version != 0 or flags & _EXTENDED or code >= len(_ENVELOPE_BYTES):
        raise GeometryBlobError(f"no GeoPackage geometry of version 1: it starts with {blob[:4].hex(' ')}")
    found = little_srs if flags & _LITTLE else int.from_bytes(blob[4:8], "big", signed=True)
    if srs_id is not None and found != srs_id:
        raise GeometryBlobError(f"the geometry is in system {found}, expected {srs_id}")
    start = _HEADER.size + _ENVELOPE_BYTES[code]
    if len(blob) < start + 5:
        raise GeometryBlobError("the blob ends before its geometry")
    return start


# The triggers of a spatial index ask five questions of each blob in turn: the answer is kept for them.
@lru_cache(maxsize=4)
def bounds(blob: bytes) -> Bounds | None:
    """Give west, south, east, north of a blob in its own system; None where the geometry is empty.

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
    try:
        geometry = shapely.from_wkb(wkb)
    except shapely.errors.ShapelyError as error:
        raise GeometryBlobError(f"the WKB in the blob cannot be read: {error}") from error
    if geometry.is_empty:
        return None
    west, south, east, north = geometry.bounds
    return west, south, east, north
