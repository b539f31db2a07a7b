"""Builds columns of texts of which most rows have one of their own: as bytes, not as objects in a table of hashes."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from itertools import chain, compress
from operator import ne

import numpy as np

from geo.columnar.binary_array import text_array
from geo.columnar.binary_builder import BinaryBuilder
from geo.columnar.dictionary_array import MAX_PLAIN_VALUES, DictionaryArray


class DifferingTextsBuilder:
    """Builds a column as `DictionaryBuilder` does, of texts that come part by part and mostly differ, such as ids.

    Until all are there each takes eight bytes, and its own where `BinaryBuilder` has them; an object in a table of
    hashes takes 200. Then they are sorted at once. Of rows that follow each other with one text, such as those that
    name one strike, it is stored and sorted once.
    """

    def __init__(self) -> None:
        self._texts = BinaryBuilder()
        self._is_new = array("b")
        self._last: str | None = None

    def extend(self, values: Iterable[str]) -> None:
        """Append the texts of the next rows; none is missing."""
        page = [*values]
        is_new = [*map(ne, page, chain([self._last], page))]
        self._texts.extend(map(str.encode, compress(page, is_new)))
        self._is_new.extend(is_new)
        self._last = page[-1] if page else self._last

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
        is_many = len(ascending) > MAX_PLAIN_VALUES
        return DictionaryArray(
            text_array(ascending.packed()) if is_many else [*map(bytes.decode, ascending)],
            codes[np.cumsum(np.frombuffer(self._is_new, np.int8)) - 1],
        )
