"""Which names propose that two entities are one: spellings of one company do, parts of one group do not."""

from __future__ import annotations

import pytest

from layers.model.records import Entity, Records
from layers.resolution.candidates import PROPOSE_FROM
from layers.resolution.resolve import duplicate_entities
from layers.text.company_names import Likeness, compare, fold


def likeness(one: str, other: str) -> Likeness:
    return compare(fold(one), fold(other))


def company(key: str, name: str) -> Entity:
    return Entity(id=key, name=name, type="registeredEntity", checked="unverified")


def is_proposed(one: str, other: str) -> bool:
    pair = {entity.id: entity for entity in (company("one", one), company("other", other))}
    return bool(duplicate_entities(Records.of({"entities": pair})))


#: A direction, a number, a place in a row or a region in one name alone.
TWO = [
    ("Arriva Midlands", "Arriva Midlands North"),
    ("Arriva Midlands North Limited", "Arriva Midlands Limited"),
    ("Midlands Electricity Distribution", "West Midlands Electricity Distribution"),
    ("Caspian Operating Company", "North Caspian Operating Company"),
    ("Gazprom Dobycha Nadym", "Gazprom Dobycha Nadym South"),
    ("Газпром трансгаз Волгоград", "Газпром трансгаз Волгоград Север"),
    ("ДТЕК Дніпровські електромережі", "ДТЕК Дніпровські електромережі Захід"),
    ("Укргідроенерго Дніпро", "Укргідроенерго Дніпро Північ"),
    ("Solar Partners II LLC", "Solar Partners VIII LLC"),
    ("Solar Partners LLC", "Solar Partners II LLC"),
    ("Nord Stream AG", "Nord Stream 2 AG"),
    ("Territorial Generating Company 1", "Territorial Generating Company 2"),
    ("TGK-1", "TGK-2"),
    ("Energia Pomorska Grupa", "Energia Pomorska Grupa Zachód"),
    ("Electrica Furnizare Distributie", "Electrica Furnizare Distributie Nord"),
    ("Hydro Alpin Kraftwerke", "Hydro Alpin Kraftwerke Süd"),
    ("Upper Mahakam Coal", "Lower Mahakam Coal"),
    ("Mahakam Delta Coal", "Upper Mahakam Delta Coal"),
    ("Gazprom Gazoraspredelenie", "Gazprom Gazoraspredelenie Tambov"),
    ("Mezhregion Gaz Postavka", "Mezhregion Gaz Postavka Samara"),
    ("New Fortress Energy", "New Fortress Energy Louisiana LLC"),
    ("Minnesota Municipal Power Agency", "Western Minnesota Municipal Power Agency"),
    ("Central Asia Metals", "Asia Metals"),
    ("Siberian Coal Energy", "Coal Energy"),
    ("Böyük Şirvan Suvarma", "Böyük Şirvan Suvarma Şimal"),
]

#: The legal form, the spelling, the language, the order of words, an acronym or a generic word alone differ.
ONE = [
    ("Arriva Midlands North", "Arriva Midlands North Ltd"),
    ("Arriva Midlands North", "ARRIVA NORTH MIDLANDS"),
    ("North Caspian Operating Company", "North Caspian Operating Company N.V."),
    ("Nord Stream 2 AG", "Nord Stream 2"),
    ("West Midlands Electricity", "West Midlands Electricity plc"),
    ("Лукойл", "Lukoil"),
    ("ПАО «Газпром»", "Gazprom PJSC"),
    ("Rosneft Oil Company", "ПАО НК Роснефть"),
    ("Naftogaz", "Naftogaz of Ukraine"),
    ("Ukrtransgaz", "Ukrtransgas"),
    ("Nord Stream 2 AG", "Nord Stream II"),
    ("ДТЕК Західенерго", "DTEK Zakhidenergo"),
    ("ExxonMobil", "Exxon Mobil Corporation"),
    ("Gazprom Neft", "Gazpromneft JSC"),
    ("SOCAR", "State Oil Company of the Republic of Azerbaijan"),
    ("CPC", "Caspian Pipeline Consortium"),
    ("Mitsui", "Mitsui Group"),
    ("T Plus PJSC", "PJSC T Plus"),
    ("Solar Partners VIII LLC", "Solar Partners VIII"),
    ("Gazprom Transgaz Samara", "Газпром трансгаз Самара"),
    ("Tatneft", "Татнефть"),
    ("Южно-Уральская ГРЭС", "Южно-Уральская ГРЭС, ООО"),
    ("Donbasenergo", "ПАТ «Донбасенерго»"),
]


@pytest.mark.parametrize(("one", "other"), TWO)
def test_parts_of_a_group_are_not_proposed_to_be_one(one: str, other: str) -> None:
    assert not is_proposed(one, other)


@pytest.mark.parametrize(("one", "other"), ONE)
def test_spellings_of_one_company_are_proposed(one: str, other: str) -> None:
    assert is_proposed(one, other)


@pytest.mark.parametrize(("one", "other"), TWO)
def test_a_word_that_parts_two_names_is_listed_whatever_the_order(one: str, other: str) -> None:
    assert likeness(one, other) == likeness(other, one)


def test_a_direction_in_one_name_alone_is_the_reason() -> None:
    found = likeness("Arriva Midlands", "Arriva Midlands North")
    assert found.score < PROPOSE_FROM
    assert (found.reason.code, dict(found.reason.arguments)["rest"]) == ("company-names.another-part", "north")
