"""Names of places in three languages, found among names that carry none."""

import pytest

from layers.reference.place_spellings import PlaceSpelling, exonyms
from tools.basemap.spelling import german_russian, romanized_ukrainian, spelling


@pytest.mark.parametrize(
    ("name", "country", "alternates", "wanted"),
    [
        ("Izmayil", "UA", ["Antiofilas", "Измаил", "Ізмаїл", "Ismajil", "Сміл"], ("Izmail", "Ізмаїл", "Ismajil")),
        ("Orlivka", "UA", ["Картал", "Орловка", "Орлівка", "Orliwka"], ("Orlivka", "Орлівка", "Orliwka")),
        ("Donetsk", "UA", ["Донецк", "Донецьк", "Донецьке", "Donezk"], ("Donetsk", "Донецьк", "Donezk")),
        ("Kryvyy Rih", "UA", ["Кривой Рог", "Кривий Ріг"], ("Kryvyi Rih", "Кривий Ріг", None)),
        ("Odesa", "UA", ["Коцюбіїв", "Одесса", "Одеса"], ("Odesa", "Одеса", None)),
        # A German name that nobody uses is not made up.
        ("Orlivka", "UA", ["Орлівка"], ("Orlivka", "Орлівка", None)),
        ("Kursk", "RU", ["Курск", "Курськ"], ("Kursk", "Курськ", None)),
        ("Perm", "RU", ["Пермь", "Перм"], ("Perm", "Перм", None)),
        # и may be и or і in Ukrainian: a name that is only Russian is not taken for Ukrainian.
        ("Taganrog", "RU", ["Таганрог"], ("Taganrog", "Таганрог", None)),
        ("Novorossiysk", "RU", ["Новороссийск", "Noworossijsk"], ("Novorossiysk", None, "Noworossijsk")),
        ("Lyon", "FR", ["Lugdunum", "Ліон"], ("Lyon", None, None)),
        ("Nowhere", "UA", [], ("Nowhere", None, None)),
        ("Madīnat Ḩamad", "BH", ["Madinat Hamad"], ("Madinat Hamad", None, None)),
        ("Az Za‘āyin", "QA", [], ("Az Zaayin", None, None)),
        ("Łuków", "PL", [], ("Łuków", None, None)),
    ],
)
def test_names_are_found_among_the_listed_ones(
    name: str, country: str, alternates: list[str], wanted: tuple[str, str | None, str | None]
) -> None:
    assert spelling(name, country, alternates) == PlaceSpelling(*wanted)


@pytest.mark.parametrize(
    ("name", "romanized"),
    [
        ("Згурський", "zghurskyi"),
        ("Єнакієве", "yenakiieve"),
        ("Запоріжжя", "zaporizhzhia"),
        ("Знам'янка", "znamianka"),
        ("Івано-Франківськ", "ivano-frankivsk"),
        ("Щорс", "shchors"),
        ("Сызрань", ""),
        ("", ""),
    ],
)
def test_ukrainian_is_romanized_by_resolution_55(name: str, romanized: str) -> None:
    assert romanized_ukrainian(name) == romanized


def test_russian_is_transcribed_as_duden_does() -> None:
    names = {"Новороссийск": "noworossijsk", "Елец": "jelez", "Рязань": "rjasan", "Уренгой": "urengoi"}
    assert {one: german_russian(one) for one in names} == names


def test_exonyms_are_of_places_that_are_drawn() -> None:
    known = exonyms()
    assert known["Warsaw", "PL"] == PlaceSpelling("Warsaw", "Варшава", "Warschau")
    assert known["Brovary", "UA"] == PlaceSpelling("Brovary", "Бровари", "Browary")
    assert all(one != PlaceSpelling(name) for (name, _), one in known.items())
