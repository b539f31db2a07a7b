"""Feature properties as columns of MapLibre Tiles: values as they lie in the columns of the layer, none renumbered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from geo.columnar.binary_array import BinaryArray
from geo.columnar.dictionary_array import Codes
from geo.lonlat import Ints
from geo.tiles import mlt_streams
from geo.tiles.mlt_streams import DATA, INDEX, PLAIN, PRESENT, Stream
from geo.tiles.property_columns import PropertyColumns, PropertyValues
from geo.tiles.protobuf import varint

#: Types of columns; one more says that some of the values are missing.
_BOOLEAN, _INT_32, _INT_64, _DOUBLE, _STRING = 10, 16, 20, 26, 28


class Column(NamedTuple):
    """A column: its type and name, as the head of a tile lists them, and its streams."""

    head: bytes
    streams: Stream


def columns(properties: PropertyColumns, rows: Ints) -> Iterator[Column]:
    """Yield the columns that have a value in some rows of the layer, shape (n,)."""
    codes = properties.codes_at(rows)
    present = codes >= 0
    counts = np.count_nonzero(present, axis=1).tolist()
    for values, own, is_there, count in zip(properties.values, codes, present, counts, strict=True):
        if count == len(rows):
            yield _column(values, own, [])
        elif count:
            yield _column(values, own[is_there], mlt_streams.bits(PRESENT, is_there))


def _column(values: PropertyValues, codes: Codes, present: Stream) -> Column:
    """The column of the rows that have a value, of these codes; ``present`` tells which rows, if not all."""
    some_missing = len(present) > 0
    if values.texts is None:
        kind, streams = _scalars(values, codes)
        return Column(varint(kind + some_missing) + values.title, present + streams)
    # Of texts there may be more or fewer streams, so that their number is written.
    number, streams = _texts(values, values.texts, codes)
    return Column(varint(_STRING + some_missing) + values.title, [varint(number + some_missing), *present, *streams])


def _texts(values: PropertyValues, texts: BinaryArray, codes: Codes) -> tuple[int, Stream]:
    """Streams of texts, and how many: one by one or, where that is fewer, all of the column and the index of each."""
    if len(texts) <= len(codes):
        return 3, [values.dictionary_streams, *mlt_streams.numbers(INDEX, codes)]
    return 2, mlt_streams.texts(texts.take(codes.astype(np.int64)))


def _scalars(values: PropertyValues, codes: Codes) -> tuple[int, Stream]:
    """Type and stream of numbers or truth values."""
    if values.numbers.dtype.kind == "b":
        return _BOOLEAN, mlt_streams.bits(DATA, values.numbers[codes])
    if values.numbers.dtype.kind == "f":
        numbers = values.numbers[codes].astype("<f8", copy=False)
        return _DOUBLE, mlt_streams.stream(DATA, PLAIN, len(numbers), numbers.view(np.uint8).data)
    zigzagged = values.zigzagged[codes]
    return _INT_32 if zigzagged.itemsize == 4 else _INT_64, mlt_streams.numbers(DATA, zigzagged)
