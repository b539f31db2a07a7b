"""Regions that texts name: their country, and texts without them."""

from __future__ import annotations

import pytest

from layers.reference.regions import countries_named, without_regions


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
    assert countries_named([text], [place]) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Slavyansk refinery in Krasnodar krai", "Slavyansk refinery in krai"),
        ("нафтобаза в Рівненській області", "нафтобаза в області"),
        ("Gas field in Kurdistan resumes", "Gas field in resumes"),
        ("Krasnodar  refinery", "Krasnodar  refinery"),
        ("", ""),
    ],
)
def test_a_text_without_its_regions(text: str, expected: str) -> None:
    assert without_regions(text) == expected
