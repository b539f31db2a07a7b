"""What few assets share with a report says more: kinds, names, what a line carries, and a place just out of reach."""

from __future__ import annotations

import math

import pytest

from layers.matching.asset_index import AssetIndex, country_codes
from layers.matching.candidates import SEARCH_FACTOR
from layers.model.records import Asset, Match, Strike
from layers.text.site_terms import carried_in, kind_bits
from tests.layers.matching.test_match import asset, matched, strike, told

REGION = {"basis": "region", "uncertainty_m": 50_000, "host_country": "UA", "place": "not named"}


def value(found: tuple[Match, ...], one: Asset, reason: str) -> float:
    return next((r.value for m in found if m.asset == one.id for r in m.reasons if r.name == reason), 0.0)


def test_an_asset_of_the_stated_kind_has_no_rival_in_one_of_its_family() -> None:
    terminal = asset("Alpha", kind="oil-terminal")
    depots = [asset(f"Depot {letter}", 30 + number / 100, kind="oil-depot") for number, letter in enumerate("BCD")]
    found = matched(strike(title="Fire at the oil terminal", **REGION), terminal, *depots)
    assert value(found, terminal, "rivals") == 0
    assert "kin-kind" in told(found, depots[0].id)
    assert value(found, depots[0], "rivals") == pytest.approx(-math.log(4))


def test_an_asset_has_no_rival_in_another_country_than_the_texts() -> None:
    ours = [asset(f"Ours {letter}", kind="oil-terminal", host_country="UA") for letter in "AB"]
    theirs = asset("Theirs", kind="oil-terminal", host_country="RU")
    found = matched(strike(title="Fire at the oil terminal", **REGION), *ours, theirs)
    assert value(found, ours[0], "rivals") == pytest.approx(-math.log(2))
    assert "other-country" in told(found, theirs.id)


def test_an_asset_that_is_named_has_no_rival_in_one_that_is_not() -> None:
    named, *others = (asset(name, kind="oil-depot") for name in ("Svitanok depot", "Zoria depot", "Promin depot"))
    found = matched(strike(title="Svitanok oil depot on fire", **REGION), named, *others)
    assert value(found, named, "rivals") == value(found, named, "namesakes") == 0
    assert value(found, others[0], "rivals") == pytest.approx(-math.log(3))


def test_where_a_text_tells_of_no_kind_all_sites_with_the_towns_name_are_namesakes() -> None:
    one, other = asset("Tuapse refinery"), asset("Tuapse oil terminal", kind="oil-terminal")
    silent = strike(title="Explosions in Tuapse", place="Tuapse", uncertainty_m=10_000)
    assert value(matched(silent, one), one, "namesakes") == 0
    found = matched(silent, one, other)
    assert {"bare-town-name", "namesakes"} <= told(found, one.id).keys()
    assert value(found, one, "namesakes") == pytest.approx(-math.log(2))
    about = strike(title="Refinery of Tuapse on fire", place="Tuapse", uncertainty_m=10_000)
    assert "bare-town-name" not in told(matched(about, one, other), one.id)


def test_a_place_just_out_of_reach_is_less_wrong_than_one_far_away() -> None:
    def missed(times: float) -> float:
        reach_m = SEARCH_FACTOR * math.hypot(5000, 1000)
        one = asset("Slavyansk refinery", 30 + times * reach_m / (111_320 * math.cos(math.radians(46))))
        found = matched(strike(title="Fire at the Slavyansk refinery"), one)
        assert ("wrong-place" in told(found, one.id)) == (times > 1)
        return value(found, one, "near-miss")

    assert missed(0.9) == 0
    assert missed(1.01) == pytest.approx(1, abs=0.02)
    assert missed(2) == pytest.approx(0.5, abs=0.02)
    assert missed(4.1) == 0


@pytest.mark.parametrize(
    ("text", "oil", "gas"),
    [
        ("Druzhba oil pipeline", True, False),
        ("Нафтопровід «Дружба» зупинено", True, False),
        ("Взрыв на магистральном газопроводе", False, True),
        ("Erdgasleitung bei Poltawa", False, True),
        ("Gazprom says its pipeline runs", False, False),
        ("Нафтогаз: газопровід пошкоджено", False, True),
        ("Газета пише про трубопровід", False, False),
        ("oil and gas lines", True, True),
    ],
)
def test_a_text_says_what_a_pipeline_carries(text: str, oil: bool, gas: bool) -> None:
    assert carried_in([text]) == oil + 2 * gas


def other_type(one: Strike, line: Asset) -> bool:
    return "other-type" in told(matched(one, line), line.id)


def test_an_oil_pipeline_is_no_gas_pipeline() -> None:
    line = asset("Zoria Oil Pipeline", kind="pipeline")
    assert other_type(strike(title="Blast on a gas pipeline"), line)
    assert not other_type(strike(title="Blast on an oil pipeline"), line)
    assert not other_type(strike(title="Blast on a pipeline"), line)
    assert not other_type(strike(title="Blast on a gas pipeline"), asset("Zoria Pipeline", kind="pipeline"))


@pytest.mark.parametrize("text", ["Лисичанський НПЗ", "удар по НПЗ Саратова", "взрыв на Рязанском НПЗ"])
def test_a_text_that_calls_its_site_otherwise_speaks_against_an_asset(text: str) -> None:
    """Orsk's refinery is in the town of the strike, but the text is about another one."""
    orsk = asset("Orsk refinery")
    found = matched(strike(targets=(text,), title="Strike on refinery, Orsk", place="Orsk"), orsk)
    assert value(found, orsk, "other-name") == 1


@pytest.mark.parametrize(
    "targets",
    [
        ("Орський НПЗ",),
        ("НПЗ «Лукойл»",),
        ("НПЗ в Орську",),
        ("Лисичанський НПЗ", "НПЗ"),
        ("Massive refinery fire",),
        ("порт РФ та НПЗ РФ",),
        ("НІЧНІ ДРОНИ УРАЗИЛИ НПЗ",),
        ("Лисичанська ТЕС",),
    ],
)
def test_a_name_of_its_own_or_of_the_place_does_not(targets: tuple[str, ...]) -> None:
    """Nor does one of another kind of site, one that names none, or a word that a headline prints with a capital."""
    orsk = asset("Orsk refinery", aliases=("Lukoil refinery",))
    found = matched(strike(targets=targets, title="x", place="Orsk"), orsk)
    assert value(found, orsk, "other-name") == 0


def test_a_region_behind_the_name_of_an_asset_is_no_name() -> None:
    """A refinery near Kharkiv is not the gas facility that is somewhere in Kharkiv oblast."""
    site = asset("Smart Energy gas facility, Kharkiv oblast", id="smart", kind="gas-field")
    found = matched(strike(title="Fire at the gas facility, Kharkiv", place="Kharkiv", basis="settlement"), site)
    assert not {"place-name", "town-name", "bare-town-name"} & told(found, site.id).keys()


def test_assets_are_counted_by_kind_and_country() -> None:
    of = [("oil-depot", "UA"), ("oil-depot", "RU"), ("oil-depot", None), ("refinery", "UA"), ("refinery", "UA")]
    index = AssetIndex.of(
        {
            f"a{number}": asset(f"A {number}", kind=kind, host_country=country)
            for number, (kind, country) in enumerate(of)
        },
        {},
    )
    ukraine, russia, romania = country_codes(["UA", "RU", "RO"]).tolist()
    depots, refineries = kind_bits(["oil-depot"]), kind_bits(["refinery"])
    assert [index.number_of(depots, code) for code in (ukraine, russia, romania, -1)] == [1, 1, 0, 1]
    assert (index.number_of(depots | refineries, ukraine), index.number_of(refineries, russia)) == (3, 0)
    assert AssetIndex.of({}, {}).number_of(depots, ukraine) == 0
