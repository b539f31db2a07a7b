"""Texts are found where they stand."""

from hypothesis import given
from hypothesis import strategies as st

from geo.lookup import Lookup
from geo.packed import Packed


@given(st.lists(st.text(max_size=5), unique=True), st.text(max_size=5))
def test_a_lookup_is_a_dictionary_of_places(texts: list[str], other: str) -> None:
    lookup, places = Lookup(Packed.of(map(str.encode, texts))), {text: place for place, text in enumerate(texts)}
    assert dict(lookup) == places
    assert list(lookup) == texts
    assert (other in lookup) == (other in places)
    assert lookup.get(other) == places.get(other)
    assert 1 not in lookup
    again = Lookup(lookup.texts, lookup.order)
    assert dict(again) == places
