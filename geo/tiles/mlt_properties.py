"""Feature properties as columns of MapLibre Tiles: values as they lie in the columns of the layer, none renumbered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

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
    """Yield the columns that have a value in some rows of the layer, shape (n,), n > 0.

    Texts are written one by one where their column has more of them than rows with a value: these columns are last.
    """
    codes = properties.codes_at(rows)
    lowest, highest = codes.min(axis=1).tolist(), codes.max(axis=1).tolist()
    common = list[tuple[int, PropertyValues, Codes, Stream]]()
    for index, (values, own, low, high) in enumerate(zip(properties.values, codes, lowest, highest, strict=True)):
        if high < 0:
            continue
        present: Stream = []
        if low < 0:
            is_there = own >= 0
            present, own = mlt_streams.bits(PRESENT, is_there), own[is_there]
        if values.texts is None:
            kind, streams = _scalars(values, own)
            yield _column(values, kind, present, streams)
        elif len(values) <= len(own):
            yield _text_column(values, 3, present, [values.dictionary_streams, *mlt_streams.numbers(INDEX, own, high)])
        elif (first := properties.common.first_of.get(index)) is not None:
            common.append((first, values, own, present))
        else:
            (streams,) = mlt_streams.texts(values.texts.take(own.astype(np.int64)), [len(own)])
            yield _text_column(values, 2, present, streams)
    if common:
        # All at once, as a step on an array takes as long for few rows as for hundreds.
        texts = properties.common.texts.take(np.concatenate([own + first for first, _, own, _ in common]))
        streams_of = mlt_streams.texts(texts, [len(own) for _, _, own, _ in common])
        for (_, values, _, present), streams in zip(common, streams_of, strict=True):
            yield _text_column(values, 2, present, streams)


def _column(values: PropertyValues, kind: int, present: Stream, streams: Stream) -> Column:
    """A column of a type; ``present`` tells which rows have a value, if not all."""
    return Column(varint(kind + 1 if present else kind) + values.title, present + streams)


def _text_column(values: PropertyValues, number: int, present: Stream, streams: Stream) -> Column:
    """A column of texts; there may be more or fewer streams, so that their number is written."""
    counted = [varint(number + 1 if present else number), *present]
    return Column(varint(_STRING + 1 if present else _STRING) + values.title, counted + streams)


def _scalars(values: PropertyValues, codes: Codes) -> tuple[int, Stream]:
    """Type and stream of numbers or truth values."""
    if values.numbers.dtype.kind == "b":
        return _BOOLEAN, mlt_streams.bits(DATA, values.numbers.take(codes))
    if values.numbers.dtype.kind == "f":
        numbers = values.numbers.take(codes).astype("<f8", copy=False)
        return _DOUBLE, mlt_streams.stream(DATA, PLAIN, len(numbers), numbers.view(np.uint8).data)
    kind = _INT_64 if values.largest >> 32 else _INT_32
    return kind, mlt_streams.numbers(DATA, values.zigzagged.take(codes), values.largest)
