"""Words that somebody searches by: spellings, cases and kinds."""

from __future__ import annotations

import pytest

from layers.text.search_terms import search_terms, searchable


def has(text: str, query: str) -> bool:
    """Whether a text has every word of a query."""
    found = searchable(text)
    return all(any(form in found for form in part) for term in search_terms(query) for part in term.parts)


@pytest.mark.parametrize("query", ["Кременчуг", "Kremenchug", "Krementschuk", "Кременчуцький", "кременчуке", "remench"])
@pytest.mark.parametrize("text", ["Kremenchuk refinery", "Кременчуцький НПЗ", "Кременчуг, НПЗ"])
def test_a_town_is_met_in_every_spelling_and_case(query: str, text: str) -> None:
    assert has(text, query) == (query != "remench" or "remench" in searchable(text))


def test_a_stem_is_met_as_a_whole_word_alone() -> None:
    assert not has("Novorossiysk", "Нова")
    assert not has("Kremenchuk", "Кримин")
    assert has("Harbour at Reni", "Рени")


def test_a_word_that_names_a_kind_says_so() -> None:
    assert [term.kinds for term in search_terms("кременчук НПЗ")] == [frozenset(), frozenset({"refinery"})]
    assert search_terms("?! ,") == []
    assert len(search_terms("x " * 500)) == 100


def test_a_text_of_any_length_is_searched_to_its_end() -> None:
    assert has("word " * 300 + "Кременчук", "Kremenchug")
