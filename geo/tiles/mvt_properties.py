"""Feature properties as Mapbox Vector Tiles have them: tags, and the values that they refer to (clause 4.4)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from geo.columnar.binary_array import BinaryArray
from geo.columnar.dictionary_array import Codes
from geo.lonlat import Bools, Ints
from geo.tiles.property_columns import PropertyColumns
from geo.tiles.protobuf import Block, digits, varint_size
from geo.tiles.value_messages import number_messages, text_messages

#: Where there are more values than so many times those of the rows, the values that occur are sorted.
_MAX_VALUES_PER_CODE = 16


def tags(columns: PropertyColumns, rows: Ints) -> tuple[Block, bytes]:
    """Encode the properties of rows.

    Parameters
    ----------
    rows
        Rows of the layer, shape (n,).

    Returns
    -------
    The tags of each row (clause 4.2: pairs of indices of a key and a value), n rows of varints; and the values that
    they refer to, each once, encoded as Value messages: those of columns of few distinct values, numbers, and texts.
    """
    codes = columns.codes_at(rows)
    if not len(codes):
        return Block(*(np.empty((len(rows), 0), kind) for kind in (np.uint8, bool))), b""
    common = columns.common
    index = np.empty(codes.shape, np.uint32)
    index[common.columns], used = _numbered(codes[common.columns], common.firsts)
    encoded, count = [common.messages.take(used, common.starts)], len(used)
    texts = list[BinaryArray]()
    for column in common.others:
        values = columns.values[column]
        index[column], used = _numbered(codes[column], np.array([0, len(values)]))
        index[column] += count
        count += len(used)
        if values.texts is None:
            encoded.append(number_messages(values.numbers[used]).data.tobytes())
        else:
            texts.append(values.texts.take(used))
    present = np.ascontiguousarray((codes >= 0).T)
    return _paired(np.ascontiguousarray(index.T), present), b"".join([*encoded, text_messages(texts)])


def _numbered(codes: Codes, firsts: Ints) -> tuple[npt.NDArray[np.uint32], Ints]:
    """Number the values that occur from 0.

    Parameters
    ----------
    codes
        Codes of each column, shape (columns, rows), or of one, shape (rows,); -1 where missing.
    firsts
        Number of the first value of each column, and the number of all values, shape (columns + 1,).

    Returns
    -------
    Index of each value among those that occur, of the shape of the codes, without meaning where missing; and the
    numbers of the values that occur, ascending.
    """
    count = int(firsts[-1])
    numbers = np.where(codes < 0, count, codes + (firsts[:-1, None] if codes.ndim > 1 else 0))
    if count > _MAX_VALUES_PER_CODE * numbers.size:
        distinct, inverse = np.unique(numbers, return_inverse=True)
        return inverse.reshape(codes.shape).astype(np.uint32), distinct[: distinct.searchsorted(count)]
    occurs = np.zeros(count + 1, dtype=bool)
    occurs[numbers] = True
    occurs[count] = False
    (used,) = occurs.nonzero()
    index = np.empty(count + 1, dtype=np.uint32)
    index[used], index[count] = np.arange(len(used), dtype=np.uint32), 0
    return index[numbers], used


def _paired(indices: npt.NDArray[np.uint32], present: Bools) -> Block:
    """Put the index of its key before that of each value, shape (rows, columns) both."""
    keys = digits(np.arange(indices.shape[1], dtype=np.uint32))
    width = varint_size(int(indices.max()) if indices.size else 0)
    key_width = keys.data.shape[-1]
    data = np.empty((*indices.shape, key_width + width), dtype=np.uint8)
    used = np.empty(data.shape, dtype=bool)
    data[..., :key_width] = keys.data
    np.logical_and(present[..., None], keys.present, out=used[..., :key_width])
    values = digits(indices)
    for digit in range(width):
        data[..., key_width + digit] = values.data[..., digit]
        np.logical_and(present, values.present[..., digit], out=used[..., key_width + digit])
    return Block(data, used).flat()
