"""The key of a name: one for the spellings of one sound, the same when made twice, and none of it breaks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.text.place_names import (
    bare,
    fold,
    is_common_noun,
    is_namesake,
    is_readable,
    parts,
    search_key,
    spelled,
    stem,
)


@pytest.mark.parametrize(
    "spellings",
    [
        "Новоросійськ Новороссийск Novorossiysk Noworossijsk",
        "Чернігів Chernihiv Tschernihiw",
        "Запоріжжя Zaporizhzhia Saporischschja",
        "Щастя Shchastia Schtschastja",
        "Донецьк Донецк Donetsk Donezk",
        "Луганськ Луганск Luhansk Lugansk",
        "Мукачево Mukachevo Mukatschewo",
        "Ізмаїл Измаил Izmail Ismajil Izmayil",
        "Ужгород Uzhhorod Uschhorod Uzhgorod",
        "Мар'янівка Мар’янівка Марʼянівка Marianivka",
    ],
)
def test_spellings_of_one_sound_have_one_key(spellings: str) -> None:
    assert len({fold(name) for name in spellings.split()}) == 1


def test_names_that_sound_apart_have_keys_apart() -> None:
    names = ["Orlivka", "Orlovka", "Odesa", "Reni", "Rennes", "Izium", "Izmail", "Kherson", "Kharkiv"]
    assert len({fold(name) for name in names}) == len(names)


@given(st.text(max_size=60) | st.text("абвгґдеєжзиіїйклмнопрстуфхцчшщьюяыэъё'- ,cshtzkgwyjxq", max_size=40))
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert stem(stem(fold(text))).count(" ") == fold(text).count(" ")
    assert spelled(spelled(text)) == spelled(text)


_NAMES = st.text(max_size=30) | st.text("абвгґдеєжзиіїйклмнопрстуфхцчшщьюя- cshtzkgwyjxq", max_size=30)


@given(text=_NAMES, word=_NAMES)
def test_a_word_is_found_by_part_as_it_sounds_and_a_short_sound_only_whole(text: str, word: str) -> None:
    long = [key for key in fold(word).split() if len(key) >= 3]
    sought = search_key(word).split()
    assert [key for key in sought if "=" not in key] == long
    for key in sought:
        alike = key in fold(text) if "=" not in key else key in search_key(text).split()
        assert (key in search_key(text)) == alike
    assert all(key in search_key(f"{text} {word} {text}") for key in sought)


@pytest.mark.parametrize(
    ("word", "text", "found"),
    [
        ("Кременчук", "Kremenchuk oil refinery", True),
        ("remench", "Кременчуцький НПЗ, Кременчук", True),
        ("qqqqqq", "Kirkuk, near the airport", False),
        ("aaa", "a depot was hit", False),
        ("BP", "BP and Shell", True),
        ("BP", "ABPX", False),
        ("КС", "the compressor station KS-3", True),
        ("3", "KS-3", True),
        ("3", "2023", False),
        ("off", "cut off", True),
        ("off", "of", False),
    ],
)
def test_letters_that_are_in_every_text_find_none_of_them(word: str, text: str, found: bool) -> None:
    assert all(key in search_key(text) for key in search_key(word).split()) is found


@given(st.text(max_size=300))
def test_any_text_is_taken(text: str) -> None:
    assert len(bare(text)) <= 200
    assert fold(bare(text)).isascii()
    assert all(part.strip() == part for part in parts(text))


@pytest.mark.parametrize(
    ("inflected", "name"),
    [
        ("Одесі", "Одеса"),
        ("Тернополя", "Тернопіль"),
        ("Миколаєві", "Миколаїв"),
        ("Харькове", "Харьков"),
        ("Сумах", "Суми"),
        ("Херсоном", "Херсон"),
        ("Одещині", "Одещина"),
        ("Одеської", "Одеська"),
        ("Краснодарского", "Краснодарский"),
    ],
)
def test_cases_of_a_name_have_one_stem(inflected: str, name: str) -> None:
    assert stem(fold(inflected)) == stem(fold(name))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("м. Одеса", "Одеса"),
        ("в порту Туапсе", "Туапсе"),
        ("near the village of Orlivka", "Orlivka"),
        ("Port", "Port"),
        ("в", "в"),
        ("", ""),
    ],
)
def test_what_stands_around_a_name_goes(text: str, name: str) -> None:
    assert bare(text) == name


def test_common_nouns_and_namesakes() -> None:
    assert is_common_noun(fold("Порт"))
    assert is_common_noun(fold("oil depot")) is False
    assert is_common_noun("") is False
    assert is_namesake(fold("Дружба"))
    assert is_namesake(fold("Дружби"))
    assert not is_namesake(fold("Дружківка"))


def test_only_latin_and_cyrillic_is_readable() -> None:
    assert all(map(is_readable, ["Odesa", "Одеса", "Isaccea", "Ağdaş", "Rîșcani", "St. 4", "Ḩalab"]))
    assert not any(map(is_readable, ["敖德萨", "أوديسا", "Οδησσός", "ოდესა"]))


def test_a_text_is_read_to_its_parts() -> None:
    assert list(parts("Orlivka (Odesa oblast, Ukraine)")) == ["Orlivka", "Odesa oblast", "Ukraine"]
    assert list(parts(" ,; ")) == []
