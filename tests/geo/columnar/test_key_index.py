"""Texts are found where they stand."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from geo.columnar.binary_array import Packed
from geo.columnar.key_index import Lookup
from geo.columnar.row_edit import Splice

TEXTS = st.lists(st.text(max_size=5), unique=True)


@given(TEXTS, st.text(max_size=5))
def test_a_lookup_is_a_dictionary_of_places(texts: list[str], other: str) -> None:
    lookup, places = Lookup(packed(texts)), {text: place for place, text in enumerate(texts)}
    assert dict(lookup) == places
    assert list(lookup) == texts
    assert (other in lookup) == (other in places)
    assert lookup.get(other) == places.get(other)
    assert 1 not in lookup
    again = Lookup(lookup.texts, lookup.order)
    assert dict(again) == places


@given(TEXTS, TEXTS, st.data())
def test_some_texts_are_exchanged_for_others(texts: list[str], new: list[str], data: st.DataObject) -> None:
    gone = data.draw(st.sets(st.sampled_from(range(len(texts))))) if texts else set()
    new = [text for text in new if text not in {text for row, text in enumerate(texts) if row not in gone}]
    at = sorted(data.draw(st.lists(st.integers(0, len(texts)), min_size=len(new), max_size=len(new))))
    expected = []
    for row in range(len(texts) + 1):
        expected += [text for place, text in zip(at, new, strict=True) if place == row]
        expected += [text for text in texts[row : row + 1] if row not in gone]
    before = Lookup(packed(texts))
    splice = Splice.exchanging(len(texts), np.array(sorted(gone), np.int64), np.array(at, np.int64))
    made = before.spliced(Lookup(packed(new)), splice)
    assert list(made) == expected
    assert dict(made) == {text: place for place, text in enumerate(expected)}
    assert list(before) == texts


def packed(texts: list[str]) -> Packed:
    return Packed.of(map(str.encode, texts))
