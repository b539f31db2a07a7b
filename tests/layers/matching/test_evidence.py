"""Each reason counts for the pairs that it is about and for no others: by reach, kind, day and name."""

from __future__ import annotations

import math
from typing import Any, cast

import numpy as np
import pytest

from layers.matching import evidence
from layers.matching.asset_index import AssetIndex, index_of
from layers.matching.name_index import RaggedArray
from layers.matching.strike_columns import StrikeColumns
from layers.model.records import Asset, Entity, Records, Stake, Strike
from tests.layers.matching.test_match import asset, matched, strike, told
from tests.layers.matching.test_rivals import value

FAR = asset("Slavyansk-EKO refinery", 33.0, host_country="UA")
NAMED = {"title": "Fire at the Slavyansk refinery", "host_country": "UA"}


def test_the_country_speaks_for_an_asset_only_where_its_place_does_not() -> None:
    near = asset("Alpha", host_country="UA")
    assert "same-country" not in told(matched(strike(**NAMED), near), near.id)
    assert "same-country" in told(matched(strike(**NAMED), FAR), FAR.id)
    abroad = near.model_copy(update={"host_country": "RU"})
    assert "other-country" in told(matched(strike(**NAMED), abroad), abroad.id)


def test_a_wrong_place_is_the_less_likely_the_farther_it_is_from_50_km_on() -> None:
    found = matched(strike(**NAMED), FAR)
    (metres,) = (match.distance_m for match in found if match.asset)
    assert metres is not None
    assert value(found, FAR, "far-away") == pytest.approx(math.log(metres / 50_000))
    near = FAR.model_copy(update={"geometry": asset("x", 30.45).geometry})
    beside = matched(strike(**NAMED), near)
    assert "wrong-place" in told(beside, near.id)
    assert value(beside, near, "far-away") == 0


@pytest.mark.parametrize(
    ("when", "dates", "idle"),
    [
        ("2025-01-01", {"until": "2024-12-31"}, True),
        ("2025-01-01", {"until": "2025-01-01"}, False),
        ("2025-01-01", {"since": "2025-01-01"}, False),
        ("2025-01-01", {"since": "2025-01-02"}, True),
        ("2015/2026", {"since": "2022", "until": "2018"}, True),
        ("2015/2026", {"since": "2018", "until": "2022"}, False),
    ],
)
def test_an_asset_is_idle_where_it_operated_on_no_day_of_the_strike(
    when: str, dates: dict[str, str], idle: bool
) -> None:
    one = asset("Alpha").model_copy(update=dates)
    assert ("not-operating" in told(matched(strike(when=when), one), one.id)) is idle


def columns(one: Strike, *assets: Asset) -> dict[str, float]:
    """The evidence on a strike and the first of some assets, which are in one place."""
    index = AssetIndex.of({other.id: other for other in assets}, {})
    row = np.zeros(1, np.int64)
    measured = evidence.evidence_columns(StrikeColumns.of([one], index.names), index, row, row, np.zeros(1))
    return {name: float(column[0]) for name, column in measured.items()}


def test_a_layer_covers_a_kind_in_a_country_that_is_known() -> None:
    of = [asset(f"Depot {letter}", kind="oil-depot", host_country="UA") for letter in "AB"]
    unplaced = [asset(f"Depot {letter}", kind="oil-depot") for letter in "CDE"]
    about = {"title": "Oil depot burns", "target_kinds": ("oil-depot",)}
    assert columns(strike(host_country="UA", **about), *of, *unplaced)["coverage"] == pytest.approx(math.log(3))
    assert columns(strike(**about), *of, *unplaced)["coverage"] == 0
    assert columns(strike(title="Explosions", host_country="UA"), *of)["coverage"] == 0


def test_of_the_reasons_of_kind_one_holds() -> None:
    one = strike(target_kinds=("oil-depot",), title="Strike")
    of_kind = (
        "same-kind",
        "same-common-kind",
        "same-rare-kind",
        "kin-kind",
        "alike-kind",
        "mentioned-kind",
        "other-kind",
    )
    for kind in ("oil-depot", "oil-terminal", "refinery", "office", "pipeline", "port-terminal"):
        found = columns(one, asset("Alpha", kind=kind))
        assert sum(found[name] for name in of_kind) == 1, kind


def test_a_site_that_is_named_is_not_told_by_its_owner_too() -> None:
    owner = Entity(id="socar", name="Zorya Energy", type="registeredEntity", checked="read")
    stake = Stake(id="x", owned="svitanok", owner="socar", share_min=100, share_max=100, source="x", checked="read")
    depot = asset("Svitanok", kind="oil-depot")
    tables: dict[str, Any] = {"entities": {"socar": owner}, "stakes": {"x": stake}}
    named = told(matched(strike(title="Svitanok oil depot of Zorya burns"), depot, **tables), depot.id)
    assert "name" in named
    assert "owner-name" not in named
    assert "owner-name" in told(matched(strike(title="Oil depot of Zorya burns"), depot, **tables), depot.id)


def test_a_text_of_several_numbers_names_each_of_them() -> None:
    lines = [asset(f"Nord Stream {number}", kind="pipeline") for number in (1, 2, 3)]
    found = matched(strike(targets=("Nord Stream 1 and 2",), title="Nord Stream 1 and Nord Stream 2"), *lines)
    assert ["other-number" in told(found, line.id) for line in lines] == [False, False, True]


def test_a_site_that_is_called_by_its_owner_is_not_called_otherwise() -> None:
    owner = Entity(id="lukoil", name="Лукойл", type="registeredEntity", checked="read")
    orsk = asset("Orsk refinery")
    stake = Stake(id="x", owned=orsk.id, owner="lukoil", share_min=100, share_max=100, source="x", checked="read")
    one = strike(targets=("НПЗ «Лукойл»",), title="x", place="Orsk")
    assert value(matched(one, orsk), orsk, "other-name") == 1
    owned = matched(one, orsk, entities={"lukoil": owner}, stakes={"x": stake})
    assert value(owned, orsk, "other-name") == 0


def test_an_owner_of_several_assets_names_none_of_them_out_of_reach() -> None:
    owner = Entity(id="dtek", name="DTEK", type="registeredEntity", checked="read")
    plants = {
        one.id: one for one in (asset("DTEK Ladyzhyn", kind="power-plant"), asset("Burshtyn", kind="power-plant"))
    }
    stakes = {
        name: Stake(id=name, owned=name, owner="dtek", share_min=100, share_max=100, source="x", checked="read")
        for name in plants
    }
    index = index_of(Records.of({"assets": plants, "entities": {"dtek": owner}, "stakes": stakes}))
    row, far = np.zeros(1, np.int64), np.full(1, 500_000.0)
    for title, found in (("DTEK power plants hit", False), ("DTEK Ladyzhyn hit", True)):
        texts = StrikeColumns.of([strike(title=title)], index.names)
        measured = evidence.evidence_columns(texts, index, row, row, far)
        assert bool(measured["far-name"][0] > 0) is found


@pytest.mark.parametrize(("basis", "falls"), [("site", True), ("settlement", False)])
def test_within_a_town_no_place_is_likelier_than_another_but_near_a_site_it_is(basis: str, falls: bool) -> None:
    one = strike(title="Explosions", basis=basis, uncertainty_m=5000)
    off = asset("Alpha", 30.02)
    assert (value(matched(one, off), off, "distance") < -0.01) is falls
    town = asset("Alpha", 30.02, basis="settlement")
    assert value(matched(one, town), town, "distance") > -0.01


def test_pumped_storage_is_hydropower_but_not_what_a_text_calls_a_hydro_plant() -> None:
    pumped = asset("Dniester pumped hydro plant", kind="hydro-plant")
    dam = asset("Dniester hydro plant", kind="hydro-plant")
    one = strike(title="Dniester hydro plant hit", target_kinds=("hydro-plant",))
    assert columns(one, pumped)["other-type"] == 1
    assert columns(one, dam)["other-type"] == 0


class TwoTexts:
    """Two strikes, the first with the word 3 and the second with the word 1."""

    words = RaggedArray.of([[3], [1]])
    is_local = np.zeros(2, bool)
    nearness = np.zeros(2, np.int64)

    def __len__(self) -> int:
        return 2


def test_a_word_that_no_text_has_is_not_found_in_the_next_text() -> None:
    texts = evidence._StrikeWords(cast(StrikeColumns, TwoTexts()))
    present, _ = texts.contains(np.array([0, 0, 1, 1]), np.array([3, 5, 1, 5]))
    assert present.tolist() == [True, False, True, False]
