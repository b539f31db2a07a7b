"""Builds columns of texts of which most rows have one of their own: as bytes, not as objects in a table of hashes."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from itertools import chain, compress
from operator import ne

import numpy as np

from geo.columnar.binary_array import BinaryArray, text_array
from geo.columnar.dictionary_array import MAX_PLAIN_VALUES, DictionaryArray
from geo.columnar.spooled_bytes import SpooledBytes


class DifferingTextsBuilder:
    """Builds a column as `DictionaryBuilder` does, of texts that come part by part and mostly differ, such as ids.

    Until all are there each takes four bytes, and its own where `SpooledBytes` has them; an object in a table of hashes
    takes 200. Then they are sorted at once.
    """

    def __init__(self) -> None:
        self._texts, self._sizes = SpooledBytes(), array("I")

    def extend(self, values: Iterable[str]) -> None:
        """Append the texts of the next rows; none is missing."""
        texts = [*map(str.encode, values)]
        self._sizes.extend(map(len, texts))
        self._texts.write(b"".join(texts))

    def finish(self) -> DictionaryArray:
        """Return the column of all rows so far."""
        with self._texts as texts:
            data = np.frombuffer(texts.contents(), np.uint8)
        rows = BinaryArray.from_sizes(data, np.array(self._sizes, np.int64))
        order = rows.argsort()
        ascending = [*rows.take(order)]
        is_first = np.fromiter(map(ne, ascending, chain([None], ascending)), bool, len(ascending))
        codes = np.empty(len(order), np.int32)
        codes[order] = np.cumsum(is_first) - 1
        values = [*compress(ascending, is_first.tolist())]
        is_many = len(values) > MAX_PLAIN_VALUES
        return DictionaryArray(text_array(BinaryArray.of(values)) if is_many else [*map(bytes.decode, values)], codes)
