"""GeoJSON (RFC 7946) as bytes: every feature is serialised once, and answers are joins of those."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import orjson
import shapely

from geo.antimeridian import within_world
from geo.columnar.binary_array import Packed
from geo.errors import GeoError
from geo.lonlat import Geometries, Objects

#: Decimals of a degree that are written: 1 cm on the ground.
DECIMALS = 7
#: Members that a collection may not be given anew (RFC 7946, 7.1).
RESERVED = {"type", "features", "coordinates", "geometries", "geometry", "properties"}


def fragments(ids: Sequence[int | str], geometries: Geometries, properties: Sequence[Mapping[str, Any]]) -> list[bytes]:
    """Serialise each row as a GeoJSON Feature.

    Parameters
    ----------
    ids
        One a row, written as the top-level ``id``.
    geometries
        Lon/lat degrees. Missing and empty are written as null. Exterior rings are wound counter-clockwise
        (3.1.6), what crosses 180 degrees is cut (3.1.9), degrees have at most 7 decimals, heights are dropped.
    properties
        One mapping a row; NaN and infinity are written as null.

    Raises
    ------
    CRSError, GeometryError
        When a geometry is not lon/lat, see `geo.antimeridian.within_world`.
    GeoError
        When the three differ in length, or a property cannot be written as JSON.
    """
    return features(ids, members(within_world(geometries)), properties)


def features(ids: Sequence[int | str], shapes: Sequence[bytes], properties: Sequence[Mapping[str, Any]]) -> list[bytes]:
    """Serialise each row as `fragments` does, from geometry members that there are already.

    Raises
    ------
    GeoError
        When the three differ in length, or a property cannot be written as JSON.
    """
    if not len(ids) == len(shapes) == len(properties):
        raise GeoError(f"expected one id and one mapping a row, got {len(ids)}, {len(shapes)}, {len(properties)}")
    return [
        b'{"type":"Feature","id":%b,"geometry":%b,"properties":%b}' % (_dump(key), shape, _dump(values))
        for key, shape, values in zip(ids, shapes, properties, strict=True)
    ]


def collection(fragments: Sequence[bytes], extra: Mapping[str, object]) -> bytes:
    """Join serialised features into a FeatureCollection that has the extra top-level members first.

    Raises
    ------
    GeoError
        When an extra member would give a GeoJSON member another meaning.
    """
    if clash := RESERVED & set(extra):
        raise GeoError(f"expected members of other names than {', '.join(sorted(clash))}")
    members = b"".join(b"%b:%b," % (_dump(name), _dump(value)) for name, value in extra.items())
    head = b'{"type":"FeatureCollection",%b"features":[' % members
    # Joined with what is around them, not put between it later, which would copy them all again.
    told = fragments.pieces(b",") if isinstance(fragments, Packed) else fragments
    parts: list[bytes | memoryview] = [b","] * (2 * len(told) - 1)
    parts[::2] = told
    return b"".join([head, *parts, b"]}"])


def member(fragment: bytes) -> bytes:
    """Give the geometry member of a feature that `fragments` made."""
    # A quote inside the id is escaped, and no member of a geometry has such a name.
    start = fragment.index(b'"geometry":') + len(b'"geometry":')
    return fragment[start : fragment.index(b',"properties":', start)]


def members(rows: Objects, decimals: int = DECIMALS) -> list[bytes]:
    """Give the geometry member of every row, in whatever system; missing and empty are null, heights are dropped."""
    flat = shapely.transform(shapely.force_2d(rows), lambda xy: np.round(xy, decimals))
    wound = shapely.orient_polygons(flat, exterior_cw=False)
    wound[shapely.is_empty(wound)] = None
    return [b"null" if text is None else text.encode() for text in shapely.to_geojson(wound)]


def _dump(value: object) -> bytes:
    try:
        return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)
    except orjson.JSONEncodeError as error:
        raise GeoError(f"expected what JSON can hold: {error}") from error
