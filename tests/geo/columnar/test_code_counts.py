"""Whether a row has a code is found from counts and the edited rows as it is by looking at all rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.columnar.chunked_array import Array, ChunkedArray, apply_edit
from geo.columnar.dictionary_array import CodeCounts
from geo.columnar.row_edit import RowEdit

codes = st.lists(st.integers(-1, 5), max_size=20)


@given(codes, st.lists(st.tuples(codes, st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=4))
def test_codes_of_edited_rows_are_counted(base: list[int], edits: list[tuple[list[int], int, int]]) -> None:
    array: Array = np.array(base, np.int32)
    counts, values = CodeCounts(array), base
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("geo.columnar.chunked_array.MIN_CHUNKED_ROWS", 0)
        for new, first, last in edits:
            start, stop = (min(row, len(values)) for row in (first, max(first, last)))
            edit = RowEdit.replace(len(values), np.arange(start, stop), np.full(len(new), start))
            array = apply_edit(array, np.array(new, np.int32), edit)
            values = [*values[:start], *new, *values[stop:]]
            if isinstance(array, ChunkedArray) and array.base is counts.base:
                sought = np.arange(8)
                assert counts.occurring(array, sought).tolist() == [code in values for code in sought]
                assert counts.occurring(array, sought[:0]).tolist() == []


def test_rows_of_the_base_are_counted_once() -> None:
    counts = CodeCounts(np.array([2, -1, 0, 2], np.int32))
    assert counts.of_base.tolist() == [1, 0, 2]
    assert counts.of_base is counts.of_base
    assert CodeCounts(np.array([-1], np.int32)).of_base.tolist() == [0]
