"""From the bytes of a vector tile (MVT 2.1) to geometry and properties. Knows coordinates of a tile, not what is drawn.

Specification: https://github.com/mapbox/vector-tile-spec/tree/master/2.1
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geo.errors import GeometryError
from geo.lonlat import Floats, Ints, Objects

#: Wire types of Protocol Buffers: a varint, eight bytes, bytes of a length, four bytes.
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MOVE_TO, _LINE_TO, _CLOSE = 1, 2, 7
_POINT, _LINE, _POLYGON = 1, 2, 3


@dataclass(frozen=True, eq=False)
class DecodedLayer:
    """Features of a layer: geometry in units of the tile, x to the east and y to the south, and properties by row.

    ``extent`` is the number of units in a tile; a feature without a property lacks its key.
    """

    geometry: Objects
    properties: list[Mapping[str, Any]]
    extent: int


def decode_tile(body: bytes, wanted: Collection[str]) -> dict[str, DecodedLayer]:
    """Decode the layers of a tile that are wanted, of those that it has.

    Raises
    ------
    GeometryError
        If the bytes are no vector tile.
    """
    try:
        layers = (_layer(value, wanted) for field, value in _fields(body) if field == 3)
        return dict(filter(None, layers))
    except (IndexError, ValueError, TypeError, struct.error) as error:
        raise GeometryError(f"no vector tile: {error}") from error


def _layer(body: bytes, wanted: Collection[str]) -> tuple[str, DecodedLayer] | None:
    name, features, keys, values, extent = "", [], [], [], 4096
    for field, value in _fields(body):
        if field == 1:
            name = value.decode()
            if name not in wanted:
                return None
        elif field == 2:
            features.append(value)
        elif field == 3:
            keys.append(value.decode())
        elif field == 4:
            values.append(_value(value))
        elif field == 5:
            extent = value
    shapes, properties = list[BaseGeometry](), list[Mapping[str, Any]]()
    for feature in features:
        shape, tags = _feature(feature)
        shapes.append(shape)
        properties.append({keys[key]: values[at] for key, at in zip(tags[::2], tags[1::2], strict=True)})
    geometry: Objects = np.empty(len(shapes), dtype=object)
    geometry[:] = shapes
    return name, DecodedLayer(geometry, properties, extent)


def _feature(body: bytes) -> tuple[BaseGeometry, list[int]]:
    kind, tags, commands = 0, list[int](), b""
    for field, value in _fields(body):
        if field == 2:
            tags = _varints(value).tolist()
        elif field == 3:
            kind = value
        elif field == 4:
            commands = value
    return _geometry(kind, _varints(commands)), tags


def _geometry(kind: int, commands: Ints) -> BaseGeometry:
    paths = list(_paths(commands))
    if kind == _POINT:
        points = np.concatenate(paths)
        return shapely.Point(points[0]) if len(points) == 1 else shapely.MultiPoint(points)
    if kind == _LINE:
        lines = [shapely.LineString(path) for path in paths if len(path) > 1]
        return lines[0] if len(lines) == 1 else shapely.MultiLineString(lines)
    if kind == _POLYGON:
        return _polygons([path for path in paths if len(path) > 2])
    raise ValueError(f"geometry of type {kind}")


def _polygons(rings: list[Floats]) -> BaseGeometry:
    """Group rings: one of positive area begins a polygon, those of negative area after it are its holes (4.3.4.4)."""
    shells: list[tuple[Floats, list[Floats]]] = []
    for ring in rings:
        x, y = ring[:, 0], ring[:, 1]
        if not shells or (x * np.roll(y, -1) - np.roll(x, -1) * y).sum() > 0:
            shells.append((ring, []))
        else:
            shells[-1][1].append(ring)
    shapes = [shapely.Polygon(shell, holes) for shell, holes in shells]
    return shapes[0] if len(shapes) == 1 else shapely.MultiPolygon(shapes)


def _paths(commands: Ints) -> Iterator[Floats]:
    """Yield the vertices of each part; a MoveTo of several points is one part (4.3.3)."""
    at, cursor = 0, np.zeros(2, dtype=np.int64)
    part: list[Ints] = []
    while at < len(commands):
        command, count = int(commands[at]) & 7, int(commands[at]) >> 3
        at += 1
        if command == _CLOSE:
            continue
        if command not in (_MOVE_TO, _LINE_TO) or at + 2 * count > len(commands):
            raise ValueError(f"command {command} of {count}")
        steps = commands[at : at + 2 * count].reshape(-1, 2)
        at += 2 * count
        vertices = np.cumsum((steps >> 1) ^ -(steps & 1), axis=0) + cursor
        cursor = vertices[-1]
        if command == _MOVE_TO and part:
            yield np.concatenate(part).astype(np.float64)
            part = []
        part.append(vertices)
    if part:
        yield np.concatenate(part).astype(np.float64)


def _varints(body: bytes) -> Ints:
    """Decode bytes that are all varints, shape (n,)."""
    octets = np.frombuffer(body, np.uint8)
    ends = np.flatnonzero(octets < 0x80)
    if not len(ends):
        return np.empty(0, np.int64)
    starts = np.concatenate([[0], ends[:-1] + 1])
    place = np.arange(ends[-1] + 1) - np.repeat(starts, ends - starts + 1)
    parts = (octets[: ends[-1] + 1].astype(np.int64) & 0x7F) << (7 * place)
    summed: Ints = np.add.reduceat(parts, starts)
    return summed


def _value(body: bytes) -> Any:
    """Decode a value of a property (4.1): a text, a number or a truth value."""
    for field, value in _fields(body):
        if field == 1:
            return value.decode()
        if field == 2:
            return struct.unpack("<f", value)[0]
        if field == 3:
            return struct.unpack("<d", value)[0]
        if field == 6:
            return (value >> 1) ^ -(value & 1)
        if field == 7:
            return bool(value)
        return value
    return None


def _fields(body: bytes) -> Iterator[tuple[int, Any]]:
    """Yield field numbers and values of a message of Protocol Buffers."""
    at = 0
    while at < len(body):
        tag, at = _varint(body, at)
        wire = tag & 7
        if wire == _VARINT:
            value, at = _varint(body, at)
            yield tag >> 3, value
            continue
        size, at = _varint(body, at) if wire == _BYTES else ({_FIXED64: 8, _FIXED32: 4}.get(wire, -1), at)
        if size < 0 or at + size > len(body):
            raise ValueError(f"field of wire type {wire}")
        yield tag >> 3, body[at : at + size]
        at += size


def _varint(body: bytes, at: int) -> tuple[int, int]:
    value, shift = 0, 0
    while True:
        octet = body[at]
        value |= (octet & 0x7F) << shift
        at += 1
        if octet < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("a varint of more than ten bytes")
