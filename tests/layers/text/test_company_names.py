"""Company names: spellings that meet, names that must not, and the likeness of the rest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.text.company_names import LEGAL_FORMS, SAME_WORDS, Likeness, compare, fold

SOCAR = "State Oil Company of the Azerbaijan Republic"


def likeness(one: str, other: str) -> Likeness:
    return compare(fold(one), fold(other))


def fold_company(name: str) -> str:
    """The words of a name that are compared."""
    return " ".join(fold(name).words)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("ПАТ «Лукойл»", "PJSC LUKOIL"),
        ("ООО «Лукойл»", "Lukoyl LLC"),
        ("ПАО «Газпром нефть»", "Gazprom Neft PJSC"),
        ("НАК «Нафтогаз України»", "Naftogaz of Ukraine"),
        ("АТ «Укртранснафта»", "JSC Ukrtransnafta"),
        ("ТОВ «Ексимнафтопродукт»", "Eksimnaftoprodukt Ltd."),
        ("Azərbaycan Respublikası Dövlət Neft Şirkəti", "Azerbaijan Republic State Oil Company"),
        ("Державна нафтова компанія Азербайджанської Республіки", SOCAR),
        ("Государственная нефтяная компания Азербайджанской Республики", SOCAR),
        ("BOTAŞ A.Ş.", "Botas"),
        ("Azneft ASC", "Azneft MMC"),
        ("Wintershall Dea GmbH & Co. KG", "Wintershall Dea AG"),
        ("Enel S.p.A.", "ENEL SPA"),
        ("Eesti Energia AS", "AS Eesti Energia"),
        ("PGNiG Sp. z o.o.", "PGNiG S.A."),
        ("Shell N.V.", "Shell B.V."),
        ("КазМұнайГаз ҰК АҚ", "KazMunaiGaz UK"),
        ("SOC of Azerbaijan [213800EXAMPLE0000000]", "SOC of Azerbaijan"),
        ("Rosneft (19.75%)", "Rosneft"),
        ("Men's Oil, Inc.", "Mens Oil"),
        ("İpek ENERJİ", "ipek enerji"),
    ],
)
def test_spellings_of_one_name_fold_alike(name: str, other: str) -> None:
    assert fold_company(name) == fold_company(other) != ""


@pytest.mark.parametrize(
    ("name", "folded"),
    [
        ("АО", "ao"),
        ("S.A.", "sa"),
        ("SE", "se"),
        ("AT&T Inc.", "at t"),
        ("The Group", "group"),
        ("[note]", "note"),
        ("«»", ""),
        ("", ""),
    ],
)
def test_hardly_anything_is_never_stripped_to_nothing(name: str, folded: str) -> None:
    assert fold_company(name) == folded


@pytest.mark.parametrize(
    ("one", "other", "at_least"),
    [
        ("SOCAR", SOCAR, 0.9),
        ("ДНКАР", SOCAR, 0.9),
        ("ГНКАР", SOCAR, 0.9),
        ("ARDNŞ", "Azərbaycan Respublikası Dövlət Neft Şirkəti", 0.9),
        ("SOC of Azerbaijan [LEI]", SOCAR, 0.85),
        ("SOCAR", "State Oil Company of the Republic of Azerbaijan", 0.75),
        ("CPC", "Caspian Pipeline Consortium", 0.75),
        ("ExxonMobil", "Exxon Mobil Corporation", 0.95),
        ("Gazpromneft JSC", "Gazprom Neft", 0.95),
        ("Republic of Azerbaijan State Oil Company", SOCAR, 0.97),
        ("Rosneft Oil Company", "ПАО НК Роснефть", 0.8),
        ("Ukrtransgaz", "Ukrtransgas", 0.8),
        ("Naftogaz", "Naftogaz of Ukraine", 0.75),
    ],
)
def test_names_of_one_company_are_alike(one: str, other: str, at_least: float) -> None:
    found = likeness(one, other)
    assert at_least <= found.score <= 1
    assert found.reason


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SOCAR", "SOCAR Energy Ukraine"),
        ("Nord Stream AG", "Nord Stream 2 AG"),
        ("State Oil Company of Azerbaijan", "State Gas Company of Azerbaijan"),
        ("National Oil Company", "National Gas Company"),
        ("Oil Company", "Gas Holding"),
        ("Bank of China", "Bank of Japan"),
        ("Gazprom", "Gazprom Export"),
        ("SOCAR", "SOCO"),
        ("RAK Gas", "RAK Petroleum plc"),
        ("Chevron", "Rosneft"),
        ("", "Rosneft"),
    ],
)
def test_names_of_other_companies_are_less_alike_than_is_proposed(one: str, other: str) -> None:
    assert likeness(one, other).score < 0.72


def test_generic_words_weigh_less_than_a_name() -> None:
    assert likeness("Rosneft", "Rosneft Oil Company").score > likeness("Rosneft", "Rosneft Deutschland").score


@given(st.text(max_size=40), st.text(max_size=40))
def test_likeness_is_symmetric_and_between_0_and_1(one: str, other: str) -> None:
    found, turned = likeness(one, other), likeness(other, one)
    assert found == turned
    assert 0 <= found.score <= 1


@given(st.text(max_size=60))
def test_folding_is_plain_and_changes_nothing_twice(name: str) -> None:
    folded = fold(name)
    assert len(folded.plain) == len(folded.words)
    assert all(word.isalnum() and word.isascii() for word in folded.plain)


@pytest.mark.parametrize("language", sorted(LEGAL_FORMS))
def test_every_legal_form_is_taken_off_a_name(language: str) -> None:
    left = {form: fold_company(f"Zrazok {form}") for form in LEGAL_FORMS[language]}
    assert {form: name for form, name in left.items() if name != "zrazok"} == {}


def test_every_common_word_is_read_in_every_language() -> None:
    spoken = [(word, w) for word, by in SAME_WORDS.items() for words in by.values() for w in words]
    unread = [(word, w) for word, w in spoken if word not in fold(f"zrazok {w} zrazok").words]
    assert unread == []
