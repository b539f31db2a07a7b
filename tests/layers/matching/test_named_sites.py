"""Texts that name several sites, ships, types of power plant, and strikes without a place."""

from __future__ import annotations

import pytest

from layers.decisions.hits import match_answer
from layers.model.records import Entity, Stake
from tests.layers.matching.test_match import asset, matched, probability, strike, told

FAR = 34.0


def test_each_of_several_named_sites_may_be_said() -> None:
    first, second = asset("Filanovsky platform", kind="platform"), asset("Korchagin platform", kind="platform")
    both = matched(strike(title="Filanovsky and Korchagin platforms hit"), first, second)
    for one, other in ((first, second), (second, first)):
        alone = matched(strike(title=f"{one.name} hit"), one, other)
        assert probability(both, one.id) == pytest.approx(probability(alone, one.id), abs=0.05)
    assert sum(match.probability for match in both) > 1.5
    assert [match.probability for match in both] == sorted((match.probability for match in both), reverse=True)


def test_a_name_within_another_is_no_second_site() -> None:
    whole, part = asset("Severodonetsk Azot", kind="chemical-plant"), asset("Azot", kind="chemical-plant")
    found = matched(strike(title="Severodonetsk Azot chemical plant burns"), whole, part)
    assert sum(match.probability for match in found) == pytest.approx(1)


def test_a_site_of_another_kind_is_not_named_beside() -> None:
    one, line = asset("Unecha station", kind="pump-station"), asset("Druzhba pipeline", kind="office")
    found = matched(strike(title="Unecha pump station of Druzhba hit"), one, line)
    assert sum(match.probability for match in found) == pytest.approx(1)


def test_a_ship_is_not_where_the_layer_has_it() -> None:
    ship, depot = asset("Tanker Mercer Street", FAR, "vessel"), asset("Mercer Street", FAR, "oil-depot")
    found = matched(strike(title="Tanker Mercer Street hit"), ship, depot)
    assert told(found, ship.id)["ship"] > 0
    assert "ship" not in told(found, depot.id)
    here = asset("Tanker Mercer Street", kind="vessel")
    assert "ship" not in told(matched(strike(title="Tanker Mercer Street hit"), here), ship.id)


def test_a_dam_is_distinguished_from_pumped_storage() -> None:
    dam = asset("Дністровська ГЕС", kind="hydro-plant", id="dam")
    pumped = asset("Дністровська ГАЕС", kind="hydro-plant", id="pumped")
    other = asset("Дністровський вузол", kind="hydro-plant", id="other")
    found = matched(strike(title="Удар по Дністровській ГЕС"), dam, pumped, other)
    assert found[0].asset == dam.id
    assert told(found, pumped.id)["other-type"] < 0
    assert "other-type" not in {*told(found, dam.id), *told(found, other.id)}


def test_none_of_these_is_not_said_of_a_strike_without_a_place() -> None:
    placed, placeless = strike(), strike(geometry=None, uncertainty_m=None, basis=None)
    for one, answer in ((placed, "none"), (placeless, "undecided")):
        found = matched(one)
        assert found[0].probability == 1
        assert match_answer(found) == answer
    assert "unsearched" in {reason.name for reason in matched(placeless)[0].reasons}
    assert "unsearched" not in {reason.name for reason in matched(placed)[0].reasons}


def test_a_country_in_a_text_is_no_owner() -> None:
    owner = Entity(id="nioc", name="Iran Petrochemical Zorya", type="registeredEntity", checked="read")
    stake = Stake(id="x", owned="mobin", owner="nioc", share_min=100, share_max=100, source="x", checked="read")
    plant = asset("Mobin", kind="power-plant")
    tables = {"entities": {owner.id: owner}, "stakes": {"x": stake}}
    assert "owner-name" not in told(matched(strike(title="Drones hit Iran"), plant, **tables), plant.id)
    assert "owner-name" in told(matched(strike(title="Drones hit Zorya in Iran"), plant, **tables), plant.id)


def test_seas_name_no_site() -> None:
    platform = asset("Filanovsky platform, Caspian Sea", kind="platform", id="filanovsky")
    found = told(matched(strike(title="Platform hit in the Caspian Sea", place="Caspian Sea"), platform), platform.id)
    assert {"name", "place-name"}.isdisjoint(found)
    assert "name" in told(matched(strike(title="Filanovsky platform hit"), platform), platform.id)


def test_the_name_of_an_owner_of_several_assets_finds_none_of_them_elsewhere() -> None:
    owner = Entity(id="dtek", name="DTEK", type="registeredEntity", checked="read")
    plants = [asset(f"{name} power plant", FAR, "power-plant") for name in ("Burshtyn", "DTEK Ladyzhyn")]
    stakes = {
        name: Stake(id=name, owned=name, owner="dtek", share_min=100, share_max=100, source="x", checked="read")
        for name in (plant.id for plant in plants)
    }
    found = matched(strike(title="DTEK power plants hit"), *plants, entities={"dtek": owner}, stakes=stakes)
    assert [match.asset for match in found] == [None]
    named = matched(strike(title="DTEK Ladyzhyn hit"), *plants, entities={"dtek": owner}, stakes=stakes)
    assert {match.asset for match in named} == {plants[1].id, None}


def test_a_unit_with_a_code_of_its_own_is_matched_at_its_plant() -> None:
    plant = asset("Shatura power station", kind="power-plant")
    unit = asset("Shatura power station CC1", kind="power-plant", part_of=plant.id)
    found = matched(strike(title="Shatura power station burns"), plant, unit)
    assert {match.asset for match in found} == {plant.id, None}
