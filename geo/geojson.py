"""GeoJSON (RFC 7946) as bytes: every feature is serialised once, and answers are joins of those."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import orjson
import shapely

from geo.antimeridian import within_world
from geo.crs import Geometries, Objects
from geo.errors import GeoError

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
    shapes = _written(within_world(geometries))
    if not len(ids) == len(shapes) == len(properties):
        raise GeoError(f"expected one id and one mapping a row, got {len(ids)}, {len(shapes)}, {len(properties)}")
    return [
        b'{"type":"Feature","id":%b,"geometry":%b,"properties":%b}' % (_dump(key), shape, _dump(values))
        for key, shape, values in zip(ids, shapes, properties, strict=True)
    ]


def collection(fragments: Iterable[bytes], extra: Mapping[str, object]) -> bytes:
    """Join serialised features into a FeatureCollection that has the extra top-level members first.

    Raises
    ------
    GeoError
        When an extra member would give a GeoJSON member another meaning.
    """
    if clash := RESERVED & set(extra):
        raise GeoError(f"expected members of other names than {', '.join(sorted(clash))}")
    members = b"".join(b"%b:%b," % (_dump(name), _dump(value)) for name, value in extra.items())
    return b'{"type":"FeatureCollection",%b"features":[%b]}' % (members, b",".join(fragments))


def _written(rows: Objects) -> list[bytes]:
    """Give the geometry member of every row."""
    flat = shapely.transform(shapely.force_2d(rows), lambda xy: np.round(xy, DECIMALS))
    wound = shapely.orient_polygons(flat, exterior_cw=False)
    wound[shapely.is_empty(wound)] = None
    return [b"null" if text is None else text.encode() for text in shapely.to_geojson(wound)]


def _dump(value: object) -> bytes:
    try:
        return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)
    except orjson.JSONEncodeError as error:
        raise GeoError(f"expected what JSON can hold: {error}") from error
