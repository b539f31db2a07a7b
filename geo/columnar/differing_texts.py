"""Builds columns of texts of which most rows have one of their own: as bytes, not as objects in a table of hashes."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from geo.columnar.binary_array import BinaryArray, text_array
from geo.columnar.binary_builder import BinaryBuilder
from geo.columnar.dictionary_array import MAX_PLAIN_VALUES, DictionaryArray


class DifferingTextsBuilder:
    """Builds a column as `DictionaryBuilder` does, of texts that come part by part and mostly differ, such as ids.

    Until all are there each takes eight bytes, and its own where `BinaryBuilder` has them; an object in a table of
    hashes takes 200. Then they are sorted at once.
    """

    def __init__(self) -> None:
        self._texts = BinaryBuilder()

    def extend(self, values: Iterable[str]) -> None:
        """Append the texts of the next rows; none is missing."""
        self._texts.extend(map(str.encode, values))

    def finish(self) -> DictionaryArray:
        """Return the column of all rows so far."""
        with self._texts as texts:
            rows = texts.finish()
        keys = rows.sort_keys()
        order = keys.argsort(kind="stable")
        keys = keys[order]
        is_first = np.ones(len(order), bool)
        is_first[1:] = keys[1:] != keys[:-1]
        codes = np.empty(len(order), np.int32)
        codes[order] = np.cumsum(is_first) - 1
        ascending = rows.take(order[is_first])
        if len(ascending) <= MAX_PLAIN_VALUES:
            return DictionaryArray([*map(bytes.decode, ascending)], codes)
        return DictionaryArray(text_array(BinaryArray.from_sizes(*ascending.joined_with_sizes())), codes)
