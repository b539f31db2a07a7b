"""Whether a report names a place: grammatical cases, adjectives and spellings of it, and not of another place."""

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.sources.strikes.named_places import district_named, names_place


@pytest.mark.parametrize(
    ("text", "name", "named"),
    [
        ("Вибухи у Харкові", "Kharkiv", True),
        ("Взрывы в Харькове", "Kharkiv", True),
        ("Вибухи на Харківщині", "Kharkiv", False),
        ("Вибухи у Харківській області", "Kharkiv", False),
        ("Кременчуцький НПЗ горить", "Kremenchuk", True),
        ("У Сімферопольському районі вибухи", "Simferopol", False),
        ("Під Сімферополем вибухи", "Simferopol", True),
        ("Горить Нова Каховка", "Nova Kakhovka", True),
        ("Горить Каховка", "Nova Kakhovka", False),
        ("", "Kyiv", False),
        ("Київ", "", False),
    ],
)
def test_whether_a_text_names_a_place(text: str, name: str, named: bool) -> None:
    assert names_place(text, name) == named


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Вибух у Каховці", "Kakhovka"),
        ("Вибух у Новій Каховці", "Nova Kakhovka"),
        ("Взрыв в Новой Каховке", "Nova Kakhovka"),
        ("Горить у Кривому Розі", "Kryvyi Rih"),
        ("Горит в Кривом Роге", "Kryvyy Rih"),
        ("Удар по Кривому Рогу", "Kryvyi Rih"),
        ("Пожежа у Празі", "Praha"),
        ("Удар у Кременчуці", "Kremenchuk"),
        ("Дым в Кременчуге", "Kremenchuk"),
        ("Над Россю вибух", "Ros"),
        ("На Росі вибух", "Ros"),
    ],
)
def test_the_last_consonant_changes_with_the_case(text: str, name: str) -> None:
    assert names_place(text, name)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Дим біля Києва", "Kyiv"),
        ("Дым под Киевом", "Kyiv"),
        ("Дим біля Харкова", "Kharkiv"),
        ("Дим над Тернополем", "Ternopil"),
        ("Дим біля Чугуєва", "Chuhuiv"),
        ("Дим біля Марганця", "Marhanets"),
        ("Дим біля Львова", "Lviv"),
        ("Дим над Сватовим", "Svatove"),
        ("У Сватовому", "Svatove"),
        ("З Броварів", "Brovary"),
        ("У Прилуках", "Pryluky"),
        ("Біля Кропивницького", "Kropyvnytskyy"),
    ],
)
def test_vowels_change_and_flee_with_the_case(text: str, name: str) -> None:
    assert names_place(text, name)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Удари у Бердянську та Луганську", "Berdyansk"),
        ("Удари у Бердянську та Луганську", "Luhansk"),
        ("Пожежа в Донецьку", "Donetsk"),
        ("Пожар в Донецке (Донецкая область)", "Donetsk"),
        ("Мер Луцька: пожежу погасили", "Lutsk"),
        ("Біля Луганська", "Luhansk"),
        ("Ракетний удар по Луцьку", "Lutsk"),
    ],
)
def test_a_town_in_sk_is_named_in_the_cases_that_are_also_an_adjective(text: str, name: str) -> None:
    assert names_place(text, name)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Атакували Донецьку область", "Donetsk"),
        ("Атакували Донецьку та Луганську області", "Donetsk"),
        ("Луганська ОВА повідомляє", "Luhansk"),
        ("Обстріляли Луганську ТЕС", "Luhansk"),
        ("Обстріляли Луцьку підстанцію", "Lutsk"),
        ("Луцька влада мовчить", "Lutsk"),
        ("У Запорізькій області", "Zaporizhzhya"),
        ("Вибух у Донецкой области", "Donetsk"),
        ("У Київську телевежу влучили", "Kyiv"),
        ("Бої на Донецькому напрямку", "Donetsk"),
        ("На Херсонском направлении", "Kherson"),
    ],
)
def test_the_adjective_of_a_region_or_of_a_front_does_not_name_its_town(text: str, name: str) -> None:
    assert not names_place(text, name)


@pytest.mark.parametrize("apostrophe", ["'", "’", "‘", "ʼ", "ʻ", "`", "´", "ʹ", "′", ""])
def test_apostrophes_are_written_in_any_way_or_left_out(apostrophe: str) -> None:
    assert names_place("Вибух у Бердянську", f"Berdyans{apostrophe}k")
    assert names_place(f"Вибух у Слов{apostrophe}янську", "Sloviansk")
    assert names_place(f"Вибух у Кам{apostrophe}янському", "Kamianske")


def test_quotation_marks_in_a_word_stand_for_an_apostrophe() -> None:
    assert names_place('Вибух у Слов""янську', "Sloviansk")
    assert names_place('Завод"Азов" у Маріуполі', "Mariupol")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Взрыв под Николаевом", "Mykolayiv"),
        ("Пожар в Ахтырке", "Okhtyrka"),
        ("Удар по Константиновке", "Kostyantynivka"),
        ("Пожар в Славянске", "Sloviansk"),
        ("Пожар в Запорожье", "Zaporizhzhya"),
    ],
)
def test_a_russian_spelling_names_a_ukrainian_place(text: str, name: str) -> None:
    assert names_place(text, name)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Бахмутський завод", "Bakhmut"),
        ("Бердянський аеродром", "Berdyansk"),
        ("Каховський шлюз", "Kakhovka"),
        ("Запорізький завод", "Zaporizhzhya"),
        ("Одеський порт", "Odesa"),
        ("Новокаховський шлюз", "Nova Kakhovka"),
        ("Криворізький завод", "Kryvyi Rih"),
        ("Ялтинський порт", "Yalta"),
    ],
)
def test_an_adjective_names_a_place(text: str, name: str) -> None:
    assert names_place(text, name)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Вибух у Новомиргороді", "Myrhorod"),
        ("Вибух у Миргороді", "Novomyrhorod"),
        ("Горить Нова Каховка", "Kakhovka"),
        ("Удар по Новій Каховці", "Kakhovka"),
        ("Горить Старий Крим", "Krym"),
        ("Кондитерська фабрика Roshen", "Rosh"),
        ("Каховська ГЕС", "Kakhovka"),
        ("Вибух у Краснопільї", "Krasnohrad"),
        ("Петров заявив", "Petrivka"),
        ("Вибух у Донці", "Donetsk"),
        ("Рано вранці", "Reni"),
        ("Сам не свій", "Sumy"),
        ("Вибухи рані", "Reni"),
    ],
)
def test_another_place_or_word_with_like_letters_is_not_it(text: str, name: str) -> None:
    assert not names_place(text, name)


@pytest.mark.parametrize(
    ("text", "district", "named"),
    [
        ("Пожежа на нафтобазі у Феодосії", "Feodosiis'ka", "town"),
        ("Кременчуцький НПЗ горить", "Kremenchuts'kyi", "town"),
        ("Удар у Луцьку", "Luts'ka", "town"),
        ("Пожар в Луганске", "Luhans'ka", "town"),
        ("Удар по Львову", "L'vivs'ka", "town"),
        ("Горить Одеса", "Odes'ka", "town"),
        ("Пожежа у Кривому Розі", "Kryvoriz'ka", "town"),
        ("Пожежа у Кривому Розі", "KryvyiRig", "town"),
        ("Пожежа у Новій Каховці", "Novokakhovs'ka", "town"),
        ("У Броварському районі", "Brovars'kyi", "district"),
        ("Обстріл Броварської громади", "Brovars'kyi", "district"),
        ("В Одеській області", "Odes'ka", None),
        ("На Одещині", "Odes'ka", None),
        ("Пожежа у Новій Каховці", "Kakhovs'kyi", None),
        ("На Харківському напрямку", "Kharkivs'ka", None),
        ("Вибух у Миргороді", "Novomyrhorods'kyi", None),
        ("Вибух", "", None),
        ("", "Odes'ka", None),
    ],
)
def test_whether_a_text_names_a_district_or_its_town(
    text: str, district: str, named: Literal["town", "district"] | None
) -> None:
    assert district_named(text, district) == named


@given(st.text(max_size=80), st.text(max_size=20))
def test_any_text_and_name_are_compared(text: str, name: str) -> None:
    assert isinstance(names_place(text, name), bool)
    assert district_named(text, name) in {"town", "district", None}


@given(st.sampled_from(["Kharkiv", "Nova Kakhovka", "Kryvyi Rih", "Berdyansk", "Sumy", "Yalta"]), st.text(max_size=40))
def test_a_place_in_latin_letters_is_named_by_its_own_name(name: str, before: str) -> None:
    assert names_place(f"{before}. Blast in {name}!", name)
