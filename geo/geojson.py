"""GeoJSON (RFC 7946) as bytes: a feature is serialised once, and collections are joined from serialised features."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from typing import Any

import numpy as np
import orjson
import shapely

from geo.antimeridian import cut_to_world
from geo.columnar.binary_array import BinaryArray
from geo.columnar.dictionary_array import DictionaryArray
from geo.errors import GeoError
from geo.lonlat import Geometries, Objects

#: Decimals of degrees in GeoJSON: 1 cm on the ground.
DECIMALS = 7
#: Members that a collection has already, or that would change its meaning (RFC 7946, 7.1).
RESERVED = {"type", "features", "coordinates", "geometries", "geometry", "properties"}


def fragments(ids: Sequence[int | str], geometries: Geometries, properties: Sequence[Mapping[str, Any]]) -> list[bytes]:
    """Serialise each row as a GeoJSON Feature.

    Parameters
    ----------
    ids
        Top-level ``id`` of each feature.
    geometries
        Lon/lat degrees (OGC:CRS84), one a row. Missing and empty ones are null. Exterior rings are wound
        counter-clockwise (3.1.6), what crosses 180 degrees is cut (3.1.9), degrees have at most 7 decimals, heights are
        dropped.
    properties
        Properties of each feature; NaN and infinity are null.

    Returns
    -------
    A Feature object of each row, UTF-8.

    Raises
    ------
    CRSError, GeometryError
        When a geometry is not lon/lat, see `geo.antimeridian.cut_to_world`.
    GeoError
        When the three differ in length, or a property cannot be written as JSON.
    """
    shapes = members(cut_to_world(geometries))
    if not len(ids) == len(shapes) == len(properties):
        raise GeoError(f"expected one id and one mapping a row, got {len(ids)}, {len(shapes)}, {len(properties)}")
    return [
        b'{"type":"Feature","id":%b,"geometry":%b,"properties":%b}' % row
        for row in zip(map(_dump, ids), shapes, map(_dump, properties), strict=True)
    ]


def features(ids: DictionaryArray, shapes: Sequence[bytes], properties: Mapping[str, DictionaryArray]) -> list[bytes]:
    """Serialise rows as GeoJSON Features, a value once however many rows have it.

    Parameters
    ----------
    ids
        Top-level ``id`` of each feature, of n rows.
    shapes
        Geometry objects as JSON, as `members` gives them, n of them.
    properties
        Columns of n rows each, by their names in the order of the members; NaN and infinity are null.

    Returns
    -------
    A Feature object of each row, UTF-8.

    Raises
    ------
    GeoError
        When a value cannot be written as JSON.
    """
    heads = [b'{"type":"Feature","id":%b,"geometry":' % _dump(key) for key in (*ids.dictionary, None)]
    pieces: list[Iterable[bytes]] = [map(heads.__getitem__, ids.codes.tolist()), shapes]
    before, separator = b',"properties":{', b""
    for name, column in properties.items():
        before += b"%b%b:" % (separator, _dump(name))
        separator = b","
        codes, texts = column.codes, [before + _dump(value) for value in (*column.dictionary, None)]
        if len(texts) <= 2 and len(codes) and (codes == codes[0]).all():
            before = texts[codes[0]]  # of all rows, and so one piece with what is behind it
        else:
            pieces.append(map(texts.__getitem__, codes.tolist()))
            before = b""
    pieces.append(repeat(before + b"}}", len(ids)))
    return [*map(b"".join, zip(*pieces, strict=True))]


def collection(fragments: Sequence[bytes], extra: Mapping[str, object]) -> bytes:
    """Join serialised features into a FeatureCollection.

    Parameters
    ----------
    fragments
        Feature objects as JSON.
    extra
        Other members of the collection, which come first (6.1).

    Returns
    -------
    The FeatureCollection, UTF-8.

    Raises
    ------
    GeoError
        When an extra member would give a GeoJSON member another meaning.
    """
    if clash := RESERVED & set(extra):
        raise GeoError(f"expected members of other names than {', '.join(sorted(clash))}")
    members = b"".join(b"%b:%b," % (_dump(name), _dump(value)) for name, value in extra.items())
    head = b'{"type":"FeatureCollection",%b"features":[' % members
    # One join of head, features and commas: joining the features first would copy them twice.
    runs = fragments.runs(b",") if isinstance(fragments, BinaryArray) else fragments
    parts: list[bytes | memoryview] = [b","] * (2 * len(runs) - 1)
    parts[::2] = runs
    return b"".join([head, *parts, b"]}"])


def member(fragment: bytes) -> bytes:
    """The geometry object of a feature that `features` or `fragments` serialised."""
    # A quote inside the id is escaped, and no member of a geometry has such a name.
    start = fragment.index(b'"geometry":') + len(b'"geometry":')
    return fragment[start : fragment.index(b',"properties":', start)]


def members(rows: Objects, decimals: int = DECIMALS) -> list[bytes]:
    """Serialise geometries.

    Parameters
    ----------
    rows
        Shape (n,), of any kind and CRS; coordinates are written in their axis order.
    decimals
        Decimals that coordinates are rounded to.

    Returns
    -------
    A geometry object of each row, UTF-8, ``null`` for missing and empty ones. Exterior rings are counter-clockwise,
    heights are dropped.
    """
    # Rows of one geometry that follow each other, as those that tell of one event do, are serialised once.
    is_new = np.diff(np.fromiter(map(id, rows), np.int64, len(rows)), prepend=0) != 0
    flat = shapely.transform(rows[is_new], lambda xy: np.round(xy, decimals))  # without heights
    areas = shapely.get_dimensions(flat) == 2
    flat[areas] = shapely.orient_polygons(flat[areas], exterior_cw=False)
    flat[shapely.is_empty(flat)] = None
    texts = [b"null" if text is None else text.encode() for text in shapely.to_geojson(flat)]
    return [texts[number] for number in (np.cumsum(is_new) - 1).tolist()]


def _dump(value: object) -> bytes:
    try:
        return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)
    except orjson.JSONEncodeError as error:
        raise GeoError(f"expected what JSON can hold: {error}") from error
