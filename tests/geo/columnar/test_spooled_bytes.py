"""Bytes that are written piece by piece are read as they were written, of few and of many."""

from __future__ import annotations

import mmap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.columnar import spooled_bytes
from geo.columnar.spooled_bytes import SpooledBytes


@given(st.lists(st.binary(max_size=9), max_size=9), st.integers(0, 20))
def test_contents_are_all_pieces_and_stay_readable(pieces: list[bytes], most_in_memory: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spooled_bytes, "_MAX_BYTES_IN_MEMORY", most_in_memory)
        with SpooledBytes() as spooled:
            for piece in pieces:
                spooled.write(piece)
            contents = spooled.contents()
    expected = b"".join(pieces)
    assert isinstance(contents, mmap.mmap) == (len(expected) > most_in_memory)
    assert contents[:] == expected
