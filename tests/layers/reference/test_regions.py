"""Regions that texts name: their countries, texts without them, and the countries of columns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.reference.regions import (
    RegionMentions,
    country_of_place,
    host_countries,
    region_of_field,
    regions_named,
)


@pytest.mark.parametrize(
    ("text", "mentions"),
    [
        ("НПЗ у Краснодарському краї горить", [("RU", "Краснодарському краї")]),
        ("Дрони атакували Курську область.", [("RU", "Курську область")]),
        ("Strike on a depot in Rostov Oblast, governor says", [("RU", "Rostov Oblast")]),
        ("Strike, Luhans'k (oblast)", [("UA", "Luhans'k (oblast")]),
        ("В Башкортостане взрыв", [("RU", "Башкортостане")]),
        ("на Одещині і Кубані", [("UA", "Одещині"), ("RU", "Кубані")]),
        ("в окупованому Криму", [("UA", "Криму")]),
        ("область Харків", [("UA", "область Харків")]),
        # A word that looks like the noun of a region, and names without oblast.
        ("Кроме того, Яна и Чуваш", []),
        ("Odesa, Kursk and Novhorodske", []),
        ("курська область", []),
        # A district may be one of a city, and what comes from a region does not arrive there.
        ("в Кировском районе Донецка", []),
        ("Kirovsky district of Donetsk", []),
        ("запускали из Курской области", []),
        ("с территории Белгородской области", []),
        # Regions of several countries, and those that are meant more often than that of the name.
        ("in the Central region", []),
        ("Iraq's Kurdistan region", []),
        ("", []),
    ],
)
def test_regions_that_a_text_names(text: str, mentions: list[tuple[str, str]]) -> None:
    finder = RegionMentions()
    assert [tuple(mention) for mention in finder.of(text)] == mentions
    assert [tuple(mention) for mention in finder.of(text)] == mentions


def test_only_the_first_letters_of_a_text_are_read() -> None:
    assert RegionMentions().of(" a" * 499 + " Rostov Oblast") == ()


@given(st.sampled_from(["Belgorod", "Одеській", "Tulcea", "Kyiv", "refinery"]), *[st.text(" .,;:!?\"'«»“”„()[]…")] * 2)
def test_signs_about_a_word_change_no_region(word: str, before: str, behind: str) -> None:
    assert regions_named(before + word + behind).countries == regions_named(word).countries


@given(
    st.lists(st.sampled_from(["Kursk", "region", "из", "на", "Кубани", "Odesa", "область", "Кировском", "районе", "x"]))
)
def test_what_was_read_before_changes_no_answer(words: list[str]) -> None:
    text, finder = " ".join(words), RegionMentions()
    finder.of("Kursk region из Кубани")
    assert finder.of(text) == RegionMentions().of(text)


@pytest.mark.parametrize(
    ("text", "country"),
    [("Krasnodar krai", "RU"), ("Belgorod", "RU"), ("Одеська", "UA"), ("Tulcea", "RO"), ("Central", None), ("", None)],
)
def test_the_column_of_a_region_needs_no_word_such_as_oblast(text: str, country: str | None) -> None:
    assert region_of_field(text) == country


@pytest.mark.parametrize(
    ("text", "country"),
    [("Orlivka, Ukraine", "UA"), ("Румунія", "RO"), ("Orlivka", None), ("Ukraine, Romania", None), ("", None)],
)
def test_the_country_of_a_place_is_a_part_of_it(text: str, country: str | None) -> None:
    assert country_of_place(text) == country


@pytest.mark.parametrize(
    ("text", "place", "expected"),
    [
        ("Refinery burns in Krasnodar krai", "Sloviansk", {"RU"}),
        ("Пожежа на Одещині", "Орлівка", {"UA"}),
        ("Krasnodar refinery", "Krasnodar", set()),
        ("Drone hits oilfield in Iraq's Kurdistan Region", "Zakho", set()),
        ("A depot burns", "Khasham, Türkei", {"TR"}),
        ("From Belgorod region to Kharkiv region", "", {"RU", "UA"}),
        ("", "", set()),
    ],
)
def test_the_countries_of_regions_and_places(text: str, place: str, expected: set[str]) -> None:
    assert regions_named(text).countries | host_countries(place) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Slavyansk refinery in Krasnodar krai", "Slavyansk refinery in krai"),
        ("нафтобаза в Рівненській області", "нафтобаза в області"),
        ("Gas field in Kurdistan resumes", "Gas field in resumes"),
        ("Krasnodar  refinery", "Krasnodar  refinery"),
        # A town that is spelled as the adjective of a region, and adjectives in the names of sites and ports.
        ("Порт Приморск у Приморську", "Порт Приморск у Приморську"),
        ("в Приморском крае", "в крае"),
        ("Рязанский НПЗ горить", "Рязанский НПЗ горить"),
        ("удар по Запорізькій АЕС", "удар по Запорізькій АЕС"),
        ("НПЗ в Рязанской области", "НПЗ в области"),
        ("порт Кавказ и Кавказ", "порт Кавказ и"),
        ("", ""),
    ],
)
def test_a_text_without_its_regions(text: str, expected: str) -> None:
    assert regions_named(text).rest == expected
