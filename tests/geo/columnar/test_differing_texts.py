"""A column of texts that mostly differ is the one that is built of any values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.columnar import differing_texts
from geo.columnar.binary_array import DecodedArray
from geo.columnar.dictionary_array import DictionaryArray
from geo.columnar.differing_texts import DifferingTextsBuilder


@given(st.lists(st.lists(st.text("abя😀/", max_size=3), max_size=6), max_size=4), st.integers(0, 9))
def test_it_equals_a_column_of_any_values(parts: list[list[str]], most_plain: int) -> None:
    builder = DifferingTextsBuilder()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(differing_texts, "MAX_PLAIN_VALUES", most_plain)
        for part in parts:
            builder.extend(part)
        built = builder.finish()
    expected = DictionaryArray.of(text for part in parts for text in part)
    assert list(built) == list(expected)
    assert list(built.dictionary) == list(expected.dictionary)
    assert built.codes.tolist() == expected.codes.tolist()
    assert isinstance(built.dictionary, DecodedArray) == (len(built.dictionary) > most_plain)
