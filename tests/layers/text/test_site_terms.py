"""Names of sites in any script and case, and the kinds and numbers that a text tells of."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.text import site_terms
from layers.text.site_terms import (
    MILITARY,
    TARGET_KINDS,
    kinds_mentioned,
    located_words,
    numbers,
    stems,
    towns_in,
    without_seas,
)

#: Parts of the names of sites and companies, as fold may join or change them.
PARTS = st.sampled_from(
    ["Orsk", "neft", "Gaz", "kh", "h", "i", "ii", "y", "m", "azot", "ENERGO", "'", ".", "/ ", " ", "-", "x", "7"]
)

SAME = (
    ("Кременчуцького", "Кременчугского", "Kremenchuk", "Kremenchug", "Кременчуці", "Кременчуге"),
    ("Одеський", "Odesa", "Odessa", "Одессе", "Одесского"),
    ("Лисичанського", "Lysychansk", "Лисичанске", "Лисичанську"),
    ("Феодосії", "Feodosia", "Феодосийская", "Феодосійський"),
    ("Запорізькій", "Zaporizhzhia", "Zaporizhzhya", "Запорожской", "Запоріжжя"),
    ("Львов", "Львів", "Lviv", "Львівської"),
    ("Киевской", "Kyiv", "Kiev", "Київська"),
    ("Новокуйбишевський", "Novokuibyshevsk", "Новокуйбышевск"),
    ("Харьков", "Харків", "Kharkiv", "Харківська"),
    ("Ізмаїла", "Izmail", "Измаил"),
    ("Бурштинська", "Burshtyn", "Burshtynska"),
    ("Таманьнафтогаз", "Таманьнефтегаз", "Tamanneftegaz"),
)


def test_inflected_names_of_any_script_have_one_stem() -> None:
    every = [{stems(word) for word in words} for words in SAME]
    assert [len(found) for found in every] == [1] * len(SAME)
    assert len(set.union(*every)) == len(SAME)
    assert stems("") == stems("refinery") == stems("Нафтобаза") == ()


@given(st.text("aб1 '-.\u00a0\n"), st.lists(st.sampled_from(["Orsk", "Харкова", "refinery", " ", "\t", "-", "' "])))
def test_the_stems_of_a_text_are_those_of_its_words(text: str, words: list[str]) -> None:
    printed = text + "".join(words)
    assert stems(printed) == tuple(dict.fromkeys(stem for word in printed.split() for stem in stems(word)))
    assert stems(printed) == stems(printed.replace(" ", " , "))


@given(st.text("0346789.,a٣² "))
def test_numbers_have_no_more_figures_or_marks_beside_them(text: str) -> None:
    alone = {int(figures) for figures in re.findall(r"(?<![\d.,])\d{1,2}(?![\d.,])", text)}
    assert {number for number in range(100) if numbers(text) >> number & 1} == {one for one in alone if one < 64}


@given(st.lists(PARTS, max_size=9).map("".join))
def test_a_town_is_found_in_latin_letters_where_it_is_in_the_folded_name(name: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(site_terms, "_may_be_compound", lambda _: True)  # so that every name is folded
        folded = towns_in(name)
    assert towns_in(name) == folded


def test_a_town_is_the_head_of_a_compound() -> None:
    assert towns_in("Orsknefteorgsintez") == towns_in("Орскнефтеоргсинтез") == ("orsk",)
    assert towns_in("Orsk refinery") == towns_in("Gazprom") == ()


def test_kinds_and_numbers_are_read_in_several_languages() -> None:
    assert kinds("Кременчуцький нафтопереробний завод і ТЕЦ") == {"refinery", "power-plant"}
    assert kinds("нефтебаза") == kinds("fuel storage tanks") == kinds("Öldepot der SOCAR") == {"oil-depot"}
    assert kinds("нафтовий термінал") == {"oil-terminal"}
    assert kinds("damage to a fence") == kinds("") == set()
    assert kinds("damage to houses") == {"residential"}
    assert kinds("military airfield") == {"airfield"}
    assert (numbers("Nord Stream 2"), numbers("330 kV, 2.5 and HPP-1"), numbers("")) == (1 << 2, 1 << 1, 0)


def kinds(text: str) -> set[str]:
    return {kind for bit, kind in enumerate(TARGET_KINDS) if kinds_mentioned(text) >> bit & 1}


@pytest.mark.parametrize(
    "text",
    [
        "Missile attack on Ladyzhyn plant",
        "Drone attack sets plant ablaze",
        "Plant in Tula hit by drones overnight",
        "UAV crashes into cement plant",
        "Drones strike Saratov refinery, plant stops work",
        "Missile fragments fall on a gas plant",
        "Russia fires ammunition at substation, power plant offline",
        "Bombers launched missiles at thermal power plants",
        "Air raid: fire at an oil base near Feodosia",
        "Emergency headquarters reports fire at refinery",
        "Дрони атакували завод у Рязані",
        "Ракетний удар по заводу в Кременчуці",
        "Ракета влучила в завод, працівники в укритті",
        "Безпілотники вдарили по НПЗ",
        "Генштаб підтвердив ураження нафтобази",
        "Оперативний штаб повідомив про пожежу на ТЕЦ",
        "Із ЗРК С-300 обстріляли підстанцію",
        "На підстанції знайшли залишки боєприпасу",
        "Беспилотники атаковали завод в Самаре",
        "Ракетой попали в завод, пожар тушат",
        "В оперштабе сообщили о возгорании на нефтебазе",
        "Из ЗРК сбили беспилотник над НПЗ",
        "Обломки боеприпаса упали на территорию завода",
        "Военные атаковали электростанцию дронами",
    ],
)
def test_what_strikes_is_no_military_target(text: str) -> None:
    assert MILITARY not in kinds(text)


@pytest.mark.parametrize(
    "text",
    [
        "Missile plant in Votkinsk hit",
        "Ukraine strikes drone factory in Yelabuga",
        "Fire at a plant that makes drones",
        "Drones hit a factory producing missiles",
        "Substation that feeds a drone plant",
        "Explosions at drone production site",
        "Ammunition depot burns in Toropets",
        "Gunpowder plant in Kazan attacked",
        "Strike on Black Sea Fleet headquarters",
        "Military unit shelled near Belgorod",
        "Завод ракет у Воткінську атаковано",
        "Уражено завод із виробництва дронів",
        "Удар по заводу «шахедів», завод дронів палає",
        "Вибух на складі боєприпасів",
        "Склад БК росіян знищено в Торецьку",
        "Уражено штаб 29-ї армії",
        "Пожежа у військовій частині",
        "ЗСУ вдарили по ЗРК С-400 у Криму",
        "Взрыв на складе боеприпасов",
        "Атакован завод по производству дронов",
        "Дроны ударили по воинской части",
        "Пороховой завод в Казани горит",
        "Поражён завод беспилотников",
        "Уничтожен ЗРК С-300",
    ],
)
def test_what_is_struck_may_be_military(text: str) -> None:
    assert MILITARY in kinds(text)


def test_words_in_a_row_are_read_over_small_words_and_not_over_the_end_of_a_clause() -> None:
    assert kinds("drone, factory") == kinds("factory drone") == {"factory"}
    assert kinds("склад з боєприпасами") == {MILITARY}
    assert MILITARY not in kinds("склад. Боєприпасів не знайшли")
    assert kinds("drone " * 50_000 + "factory") == {MILITARY}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Drones hit depot in Ras Laffan", ("Ras", "Laffan")),
        ("нафтобаза у Феодосії горить", ("Феодосії",)),
        ("пожежа у Кременчуцькому НПЗ", ()),
        ("fire at Ryazan refinery", ()),
        ("in the town", ()),
        ("in", ()),
        ("", ()),
    ],
)
def test_words_behind_in_say_where(text: str, words: tuple[str, ...]) -> None:
    assert located_words(text) == words


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("Filanovsky platform, Caspian Sea", "Filanovsky platform"),
        ("платформа в Каспійському морі", "платформа в"),
        ("tanker in the Gulf of Oman hit", "tanker in the   hit"),
        ("Black Sea", ""),
        ("Caspian Pipeline", "Caspian Pipeline"),
        ("Seaport of Berdiansk", "Seaport of Berdiansk"),
    ],
)
def test_a_text_without_its_seas(text: str, rest: str) -> None:
    assert without_seas(text) == rest
