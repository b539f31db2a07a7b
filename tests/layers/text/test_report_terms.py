"""Words of reports: pieces, places in three languages, numbers and buildings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.text.report_terms import (
    BUILDINGS,
    buildings,
    counts,
    place_key,
    place_keys,
    places_named,
    report_words,
    word_stems,
)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("Луцьку", "Lutsk"),
        ("Луганську", "Луганск"),
        ("Харкові", "Kharkiv"),
        ("Донецьку", "Donets'k"),
        ("Київ", "Kyiv"),
        ("Рівне", "Ровно"),
    ],
)
def test_a_town_has_one_key(name: str, other: str) -> None:
    assert place_key(name) == place_key(other)


@pytest.mark.parametrize(
    ("name", "usual"), [("Николаев", "Mykolaiv"), ("Днепропетровск", "Dnipro"), ("Артемовск", "Bakhmut")]
)
def test_a_town_of_another_name_is_the_same(name: str, usual: str) -> None:
    known = place_keys(usual)
    assert places_named(f"Взрывы в городе {name}", known) == known


def test_names_of_regions_and_of_a_pipeline_are_no_towns() -> None:
    known = place_keys("Kherson") | place_keys("Druzhba") | place_keys("Crimea")
    assert places_named("У Херсонській області горить склад", known) == frozenset()
    assert places_named("Explosions in Kherson oblast and Crimea, on the Druzhba pipeline", known) == frozenset()
    assert places_named("Explosions in Kherson", known) == place_keys("Kherson")
    assert places_named("explosions in kherson", known) == frozenset()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5 killed and 13 injured", {("killed", 5), ("wounded", 13)}),
        ("Семеро людей загинули", {("killed", 7)}),
        ("two dead after 9 missiles", {("killed", 2), ("missile", 9)}),
        ("in 2022 a drone", set()),
        ("1 killed, 99999 wounded", set()),
    ],
)
def test_what_is_counted(text: str, expected: set[tuple[str, int]]) -> None:
    assert counts(text) >= expected
    assert expected or counts(text) <= {("drone", 2022)}


def test_buildings_of_three_languages_are_one() -> None:
    masks = {buildings((text,)) for text in ("A school was hit", "Пошкоджено школу", "Повреждена школа")}
    assert masks == {1 << BUILDINGS.index("school")}
    assert buildings(("",)) == 0


@given(st.text(max_size=600))
def test_any_text_is_read_whole(text: str) -> None:
    assert word_stems((text,)) == word_stems((f" {text} ",))
    assert isinstance(counts(text), frozenset)
    assert places_named(text, frozenset()) == frozenset()


def test_a_long_text_is_not_cut() -> None:
    assert report_words(f"{'salt ' * 200}harbour")[-1] == "harbour"
