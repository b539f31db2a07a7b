"""An array that is built part by part is the one that is built at once, of few bytes and of many."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.columnar import binary_builder
from geo.columnar.binary_array import BinaryArray
from geo.columnar.binary_builder import BinaryBuilder

PARTS = st.lists(st.lists(st.binary(max_size=9), max_size=5), max_size=9)


@given(PARTS, st.sampled_from([b"", b","]), st.integers(0, 20))
def test_an_array_has_all_parts_and_stays_readable(
    parts: list[list[bytes]], separator: bytes, most_in_memory: int
) -> None:
    rows = [row for part in parts for row in part]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(binary_builder, "_MAX_BYTES_IN_MEMORY", most_in_memory)
        with BinaryBuilder(separator=separator) as builder:
            for number, part in enumerate(parts):
                if number % 2:
                    builder.append(BinaryArray.of(part, separator))
                else:
                    builder.extend(part)
            built = builder.finish()
    expected = BinaryArray.of(rows, separator)
    assert [*built] == rows
    assert built.buffers[0].tobytes() == expected.buffers[0].tobytes()
    assert (builder.map is not None) == (len(expected.buffers[0]) > most_in_memory)
