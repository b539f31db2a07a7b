"""Feature properties as columns of MapLibre Tiles: values as they lie in the columns of the layer, none renumbered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from geo.columnar.binary_array import BinaryArray
from geo.lonlat import Ints
from geo.tiles import mlt_streams
from geo.tiles.mlt_streams import ONE_BYTE, PRESENT, Numbers, Stream
from geo.tiles.property_columns import PropertyColumns

#: Number of streams of a column of texts, and where some are missing: of texts one by one, and of indices.
_COUNT_OF_TEXTS, _COUNT_OF_INDICES = (b"\x02", b"\x03"), (b"\x03", b"\x04")


class Columns(NamedTuple):
    """Columns of a tile: the type and name of each, as the head of the tile lists them, and the streams of all."""

    heads: list[bytes]
    streams: Stream


class _Texts(NamedTuple):
    """A column of texts one by one: its head, what its streams begin with, and codes of the texts in an array."""

    head: bytes
    begin: Stream
    codes: Numbers


def columns(properties: PropertyColumns, rows: Ints) -> Columns:
    """Encode the columns that have a value in some rows of the layer, shape (n,), n > 0.

    Texts are written one by one where their column has more of them than rows with a value: these columns are last.
    """
    heads, streams = list[bytes](), Stream()
    codes, common = properties.codes_at(rows), properties.common
    lowest, highest = codes.min(axis=1).tolist(), codes.max(axis=1).tolist()
    short = codes.astype(np.uint8)  # all at once, for those columns whose codes are as short
    of_common, of_others = list[_Texts](), list[tuple[BinaryArray, _Texts]]()
    for index, (values, low, high) in enumerate(zip(properties.values, lowest, highest, strict=True)):
        if high < 0:
            continue
        own: Numbers = short[index] if high < ONE_BYTE else codes[index]
        present: Stream = []
        if is_partial := low < 0:
            is_there = codes[index] >= 0
            present, own = mlt_streams.bits(PRESENT, is_there), own.compress(is_there)
        head = values.mlt.heads[is_partial]
        if values.texts is None:
            heads.append(head)
            streams += present
            streams += values.mlt.scalars(own)
        elif len(values) <= len(own):
            heads.append(head)
            streams.append(_COUNT_OF_INDICES[is_partial])
            streams += present
            streams += values.mlt.indices(own, high)
        else:
            begin = [_COUNT_OF_TEXTS[is_partial], *present]
            first = common.first_of.get(index)
            if first is None:
                of_others.append((values.texts, _Texts(head, begin, own)))
            else:
                of_common.append(_Texts(head, begin, own.astype(np.int64) + first))
    result = Columns(heads, streams)
    if of_common:
        # All at once, as a step on an array takes as long for few rows as for hundreds.
        _add_texts(result, common.texts, of_common)
    for texts, column in of_others:
        _add_texts(result, texts, [column])
    return result


def _add_texts(columns: Columns, texts: BinaryArray, added: Sequence[_Texts]) -> None:
    codes = [column.codes for column in added]
    taken = texts.take(np.concatenate(codes, dtype=np.int64))
    for column, streams in zip(added, mlt_streams.texts(taken, [*map(len, codes)]), strict=True):
        columns.heads.append(column.head)
        columns.streams.extend(column.begin)
        columns.streams.extend(streams)
