"""Texts are found where they stand."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from geo.columnar.binary_array import BinaryArray
from geo.columnar.key_index import KeyIndex
from geo.columnar.row_edit import RowEdit

TEXTS = st.lists(st.text(max_size=5), unique=True)


@given(TEXTS, st.text(max_size=5))
def test_a_lookup_is_a_dictionary_of_places(texts: list[str], second: str) -> None:
    lookup, positions = KeyIndex(packed(texts)), {text: index for index, text in enumerate(texts)}
    assert dict(lookup) == positions
    assert list(lookup) == texts
    assert (second in lookup) == (second in positions)
    assert lookup.get(second) == positions.get(second)
    assert 1 not in lookup
    again = KeyIndex(lookup.texts, lookup.order)
    assert dict(again) == positions


@given(st.integers(0, 100), st.integers(0, 1_000_000))
def test_many_texts_are_found_and_no_other(count: int, seed: int) -> None:
    texts = [str(number) for number in np.random.default_rng(seed).permutation(10_000)[:count]]
    lookup, positions = KeyIndex(packed(texts)), {text: row for row, text in enumerate(texts)}
    sought = {*texts, *(text + "0" for text in texts), *(text[:-1] for text in texts), "", "99999"}
    assert {text: lookup.get(text) for text in sought} == {text: positions.get(text) for text in sought}


@given(TEXTS, TEXTS, st.data())
def test_some_texts_are_exchanged_for_others(texts: list[str], new: list[str], data: st.DataObject) -> None:
    removed = data.draw(st.sets(st.sampled_from(range(len(texts))))) if texts else set()
    new = [text for text in new if text not in {text for row, text in enumerate(texts) if row not in removed}]
    at = sorted(data.draw(st.lists(st.integers(0, len(texts)), min_size=len(new), max_size=len(new))))
    expected = []
    for row in range(len(texts) + 1):
        expected += [text for index, text in zip(at, new, strict=True) if index == row]
        expected += [text for text in texts[row : row + 1] if row not in removed]
    before = KeyIndex(packed(texts))
    edit = RowEdit(len(texts), np.array(sorted(removed), np.int64), np.array(at, np.int64))
    result = before.with_edit(KeyIndex(packed(new)), edit)
    assert list(result) == expected
    assert dict(result) == {text: index for index, text in enumerate(expected)}
    assert list(before) == texts


def packed(texts: list[str]) -> BinaryArray:
    return BinaryArray.of(map(str.encode, texts))
