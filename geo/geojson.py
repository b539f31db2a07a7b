"""GeoJSON (RFC 7946) as bytes: a feature is serialised once, and collections are joined from serialised features."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import orjson
import shapely
from shapely.geometry import mapping

from geo.antimeridian import cut_to_world
from geo.columnar.binary_array import BinaryArray, DecodedArray
from geo.columnar.dictionary_array import DictionaryArray
from geo.columnar.lazy_array import batches
from geo.errors import GeoError
from geo.lonlat import Geometries, Ints, Objects

#: Decimals of degrees in GeoJSON: 1 cm on the ground.
DECIMALS = 7
#: Of a column of at most so many values all are held as JSON while rows are serialised.
_MAX_TEXTS = 1 << 14
#: Codes that are compared at once.
_CODES_PAGE = 1 << 15
#: What is written otherwise in a text of JSON.
_ESCAPED = bytes(range(0x20)) + b'"\\'
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


class FeatureSerializer:
    """Serialises rows of columns as GeoJSON Features page by page; a value is written once however many rows have it.

    Parameters
    ----------
    ids
        Top-level ``id`` of each feature, of n rows.
    properties
        Columns of n rows each, by their names in the order of the members; NaN and infinity are null.

    Raises
    ------
    GeoError
        When a value cannot be written as JSON.
    """

    def __init__(self, ids: DictionaryArray, properties: Mapping[str, DictionaryArray]) -> None:
        self._ids = _json_of(ids)
        self._members = list[bytes | _PieceOf]()
        before, separator = b',"properties":{', b""
        for name, column in properties.items():
            before += b"%b%b:" % (separator, _dump(name))
            separator = b","
            if column is ids or len(column.dictionary) > _MAX_TEXTS:
                self._members += [before, self._ids if column is ids else _json_of(column)]
                before = b""
                continue
            texts = [before + text for text in _texts_by_code(column)]
            if len(texts) <= 2 and _is_one_value(column):
                before = texts[column.code(0)]  # of all rows, and so one piece with what is behind it
            else:
                self._members.append(_by_code(column, texts))
                before = b""
        self._members.append(before + b"}}")

    def page(self, rows: slice, shapes: Sequence[bytes], separator: bytes = b"") -> BinaryArray:
        """Serialise some rows.

        Parameters
        ----------
        rows
            k of the rows.
        shapes
            Their geometry objects as JSON, as `members` gives them, k of them.
        separator
            Follows each feature.

        Returns
        -------
        A Feature object of each row, UTF-8, end to end in one buffer.

        Raises
        ------
        GeoError
            When a value cannot be written as JSON.
        """
        ids = self._ids(rows)
        pieces: list[bytes | _Texts] = [b'{"type":"Feature","id":', ids, b',"geometry":', _Texts.of(shapes)]
        for member in self._members:
            pieces.append(member if isinstance(member, bytes) else ids if member is self._ids else member(rows))
        table = np.empty((len(shapes), len(pieces) + 1), object)
        sizes = np.zeros(len(shapes), np.int64)
        for number, piece in enumerate(pieces):
            table[:, number] = piece if isinstance(piece, bytes) else piece.texts
            sizes += len(piece) if isinstance(piece, bytes) else piece.sizes
        table[:, -1] = separator
        data = np.frombuffer(b"".join(table.ravel().tolist()), np.uint8)
        return BinaryArray.from_sizes(data, sizes, separator)


class _Texts(NamedTuple):
    """Texts as bytes, shape (k,), and how many bytes each has, shape (k,)."""

    texts: Objects
    sizes: Ints

    @classmethod
    def of(cls, texts: Sequence[bytes]) -> _Texts:
        return cls(np.fromiter(texts, object, len(texts)), np.fromiter(map(len, texts), np.int64, len(texts)))


#: Gives a text for each of some rows.
_PieceOf: TypeAlias = Callable[[slice], _Texts]


def _json_of(column: DictionaryArray) -> _PieceOf:
    """The values of a column as JSON; those of a long dictionary are written page by page, and not held."""
    if len(column.dictionary) <= _MAX_TEXTS:
        return _by_code(column, _texts_by_code(column))

    words = column.dictionary

    def at(rows: slice) -> _Texts:
        codes = column.codes[rows]
        is_new = np.diff(codes, prepend=-2) != 0  # rows of one value that follow each other are written once
        new = codes[is_new]
        is_there = new >= 0
        used = new[is_there]
        texts = np.full(len(new), b"null", object)
        texts[is_there] = _json_texts(
            words.take(used) if isinstance(words, DecodedArray) else [words[code] for code in used.tolist()]
        )
        run = np.cumsum(is_new) - 1
        return _Texts(texts[run], np.fromiter(map(len, texts), np.int64, len(texts))[run])

    return at


def _json_texts(values: Sequence[Any]) -> list[bytes]:
    """Values as JSON."""
    if isinstance(values, DecodedArray) and values.is_json:
        return [*values.binary]
    if not isinstance(values, DecodedArray) or not values.is_text or not len(values):
        return [*map(_dump, values)]
    # All texts end to end, with a quote before and behind each and then a line feed, by which they are split.
    texts = values.binary
    sizes = texts.stops - texts.starts
    ends = np.cumsum(sizes + 3)
    lines = np.empty(ends[-1], np.uint8)
    texts.write_into(lines, ends - sizes - 2)
    lines[ends - sizes - 3] = lines[ends - 2] = ord('"')
    lines[ends - 1] = ord("\n")
    data = lines.tobytes()
    if len(data.translate(None, _ESCAPED)) < len(data) - 3 * len(texts):
        return [*map(orjson.dumps, values)]
    return data.split(b"\n")[:-1]


def _by_code(column: DictionaryArray, texts: Sequence[bytes]) -> _PieceOf:
    """The text of each row by its code; that of -1 is the last."""
    held, sizes = _Texts.of(texts)

    def at(rows: slice) -> _Texts:
        codes = column.codes[rows]
        return _Texts(held[codes], sizes[codes])

    return at


def _is_one_value(column: DictionaryArray) -> bool:
    """Whether all rows have one value, or none, and there is a row; no more than a page of them is in memory."""
    codes = column.codes
    return all((codes[page] == codes[0]).all() for page in batches(len(codes), _CODES_PAGE)) and len(codes) > 0


def _texts_by_code(column: DictionaryArray) -> list[bytes]:
    """The values of a dictionary as JSON, and null behind them."""
    return [*_json_texts(column.dictionary), b"null"]


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
    return b"".join([head, *separated(fragments), b"]}"])


def separated(fragments: Sequence[bytes]) -> list[bytes | memoryview]:
    """Serialised features with a comma between any two, as pieces to be joined; those that lie together are one."""
    runs = fragments.runs(b",") if isinstance(fragments, BinaryArray) else fragments
    parts: list[bytes | memoryview] = [b","] * (2 * len(runs) - 1)
    parts[::2] = runs
    return parts


def member(fragment: bytes) -> bytes:
    """The geometry object of a feature that `FeatureSerializer` or `fragments` serialised."""
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
    heights are dropped; a number has as few digits as give it back.
    """
    # Rows of one geometry that follow each other, as those that tell of one event do, are serialised once.
    is_new = np.diff(np.fromiter(map(id, rows), np.int64, len(rows)), prepend=0) != 0
    flat = shapely.transform(rows[is_new], lambda xy: np.round(xy, decimals))  # without heights
    areas = shapely.get_dimensions(flat) == 2
    flat[areas] = shapely.orient_polygons(flat[areas], exterior_cw=False)
    flat[shapely.is_empty(flat)] = None
    texts = np.full(len(flat), b"null", dtype=object)
    kinds = shapely.get_type_id(flat)  # -1 of none
    # Not by `shapely.to_geojson`, which writes 9.632810599999999 for 9.6328106.
    if (points := kinds == 0).any():
        pairs = _dump(shapely.get_coordinates(flat[points]))[2:-2].split(b"],[")
        texts[points] = [b'{"type":"Point","coordinates":[%b]}' % pair for pair in pairs]
    texts[kinds > 0] = [_dump(mapping(shape)) for shape in flat[kinds > 0]]
    return texts[np.cumsum(is_new) - 1].tolist()  # type: ignore[no-any-return]


def _dump(value: object) -> bytes:
    try:
        return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)
    except orjson.JSONEncodeError as error:
        raise GeoError(f"expected what JSON can hold: {error}") from error
