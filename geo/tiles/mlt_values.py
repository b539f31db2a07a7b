"""The distinct values of a column as MapLibre Tiles have them, encoded once for all tiles of a layer."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from geo.columnar.binary_array import BinaryArray
from geo.tiles import mlt_streams
from geo.tiles.mlt_streams import DATA, INDEX, PLAIN, VARINT, Numbers, Stream
from geo.tiles.protobuf import Bytes, varint, zigzag

#: Types of columns; one more says that some of the values are missing.
_BOOLEAN, _INT_32, _INT_64, _DOUBLE, _STRING = 10, 16, 20, 26, 28


class MltValues:
    """The distinct values of a column.

    Parameters
    ----------
    name
        Of the column.
    texts
        The values in UTF-8; ``None`` where they are no texts.
    numbers
        The values as an array of bool, int64 or float64; without meaning where they are texts.

    Attributes
    ----------
    heads
        Type and name of the column as the head of a tile lists them: where no value is missing, and where some are.
    """

    def __init__(self, name: str, texts: BinaryArray | None, numbers: npt.NDArray[Any]) -> None:
        self._texts, self._numbers = texts, numbers
        kind, self._encoding, self._bytes = _encoded(numbers) if texts is None else (_STRING, PLAIN, _NO_BYTES)
        title = mlt_streams.text(name)
        self.heads = varint(kind) + title, varint(kind + 1) + title

    def scalars(self, codes: Numbers) -> Stream:
        """Encode the numbers or truth values of codes, shape (n,), as a stream."""
        if self._numbers.dtype.kind == "b":
            return mlt_streams.bits(DATA, self._numbers.take(codes))
        return mlt_streams.stream(DATA, self._encoding, len(codes), self._bytes.take(codes, axis=0).reshape(-1).data)

    def indices(self, codes: Numbers, largest: int) -> Stream:
        """Encode the texts of codes from 0 to ``largest``, shape (n,), as all texts, and the index of each of these."""
        return [self._dictionary, *mlt_streams.numbers(INDEX, codes, largest)]

    @cached_property
    def _dictionary(self) -> bytes:
        return b"" if self._texts is None else mlt_streams.dictionary(self._texts)


_NO_BYTES: Bytes = np.empty((0, 0), np.uint8)


def _encoded(numbers: npt.NDArray[Any]) -> tuple[int, int, Bytes]:
    """Type of the column, encoding of its stream, and bytes of each number, shape (n, size); none of truth values."""
    if numbers.dtype.kind == "b":
        return _BOOLEAN, PLAIN, _NO_BYTES
    if numbers.dtype.kind == "f":
        return _DOUBLE, PLAIN, numbers.astype("<f8").view(np.uint8).reshape(-1, 8)
    zigzagged = zigzag(numbers)
    largest = int(zigzagged.max(initial=0))
    return _INT_64 if largest >> 32 else _INT_32, VARINT, mlt_streams.equal_varints(zigzagged, largest)
