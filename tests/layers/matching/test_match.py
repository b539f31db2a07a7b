"""Candidates with named reasons, and always "none of these"."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date
from types import MappingProxyType

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from api.wording.catalogue import text
from geo.spatial_join.join import pairs_within
from layers.decisions.hits import NONE_FROM, PUBLISH_FROM, SHOW_FROM, finding, likeliest, match_answer, shown
from layers.matching import weights
from layers.matching.asset_index import AssetIndex, index_of
from layers.matching.candidates import MAX_NAMESAKES, SEARCH_FACTOR, candidates
from layers.matching.evidence import location_evidence
from layers.matching.match import match_all, match_one
from layers.matching.strike_columns import StrikeColumns
from layers.model.records import Asset, Decision, Entity, Match, Records, Relation, Stake, Strike
from layers.reference.basemap import Basemap
from layers.snapshot.snapshot import Snapshot


def strike(**values: object) -> Strike:
    given_values = {
        "id": "s",
        "title": "Strike on a refinery",
        "when": "2025-01-01",
        "place": "Town",
        "geometry": shapely.Point(30, 46),
        "uncertainty_m": 5000,
        "basis": "settlement",
        "place_source": "x",
        "status": "reported",
        "sources": ("x",),
        "checked": "read",
    }
    return Strike.model_validate({**given_values, **values})


def asset(name: str, lon: float = 30.0, kind: str = "refinery", **values: object) -> Asset:
    given_values = {
        "id": name.lower().replace(" ", "-"),
        "name": name,
        "kind": kind,
        "geometry": shapely.Point(lon, 46),
        "uncertainty_m": 1000,
        "basis": "site",
        "place_source": "x",
        "sources": ("x",),
        "checked": "read",
    }
    return Asset.model_validate({**given_values, **values})


def matched(one: Strike, *assets: Asset, **tables: dict[str, object]) -> tuple[Match, ...]:
    known = Records.of({"strikes": {one.id: one}, "assets": {a.id: a for a in assets}, **tables})  # type: ignore[dict-item]
    return match_all(known)[one.id]


def told(found: tuple[Match, ...], asset_id: str) -> dict[str, float]:
    return {reason.name: reason.weight for match in found if match.asset == asset_id for reason in match.reasons}


def probability(found: tuple[Match, ...], asset_id: str | None) -> float:
    return next(match.probability for match in found if match.asset == asset_id)


def test_there_is_always_none_of_these() -> None:
    assert [match.asset for match in matched(strike())] == [None]
    assert [match.asset for match in matched(strike(geometry=None, uncertainty_m=None), asset("Alpha"))] == [None]
    assert match_all(Records.of({})) == {}


@given(st.lists(st.floats(29.9, 30.1), max_size=6), st.floats(100, 50_000))
def test_probabilities_add_up_to_1(lons: list[float], uncertainty_m: float) -> None:
    assets = [asset(f"Asset {row}", lon) for row, lon in enumerate(lons)]
    found = matched(strike(uncertainty_m=uncertainty_m), *assets)
    assert sum(match.probability for match in found) == pytest.approx(1)
    assert [m.probability for m in found] == sorted((m.probability for m in found), reverse=True)


def test_none_of_these_says_how_much_of_it_is_an_asset_that_the_layer_lacks() -> None:
    none = next(match for match in matched(strike(), asset("Alpha")) if match.asset is None)
    parts = {reason.name: reason for reason in none.reasons}
    assert set(parts) == {"missing-asset", "no-asset"}
    assert sum(reason.value for reason in none.reasons) == pytest.approx(none.probability)
    assert parts["missing-asset"].value == pytest.approx(weights.read().missing * none.probability)
    assert sum(reason.weight for reason in none.reasons) == 0  # its log odds against itself


def test_a_name_as_printed_beats_a_nearer_asset() -> None:
    near, named = asset("Depot One", 30.0), asset("Kremenchuk oil refinery", 30.05)
    found = matched(strike(targets=("Кременчуцький НПЗ", "Kremenchuk refinery"), uncertainty_m=12_000), near, named)
    assert found[0].asset == named.id
    assert {reason.name for reason in found[0].reasons} >= {"prior", "distance", "name"}
    assert "Кременчуцький" in next(text(reason.detail) for reason in found[0].reasons if reason.name == "name")


def test_the_name_of_an_owner_or_operator_counts() -> None:
    """A report of "нафтобазу SOCAR" names the owner only."""
    owner = Entity(id="socar", name="State Oil Company (SOCAR)", type="registeredEntity", checked="read")
    owner = owner.model_copy(update={"aliases": ("SOCAR",)})
    stake = Stake(id="x", owned="svitanok", owner="socar", share_min=100, share_max=100, source="x", checked="read")
    runs = Relation(id="y", asset="svitanok", entity="socar", relation="operator", source="x", checked="read")
    one = strike(targets=("нафтобазу SOCAR",))
    depots = (asset("Svitanok", kind="oil-depot"), asset("Other", kind="oil-depot"))
    for table in ({"stakes": {"x": stake}}, {"relations": {"y": runs}}):
        found = matched(one, *depots, entities={"socar": owner}, **table)
        assert found[0].asset == "svitanok"
        assert told(found, "svitanok")["owner-name"] > 1
        assert "owner-name" not in told(found, "other")


def test_the_strikes_own_place_says_less_than_a_name() -> None:
    one = asset("Kremenchuk oil refinery")
    here = told(matched(strike(targets=("Kremenchuk refinery",), place="Kremenchuk"), one), one.id)
    elsewhere = told(matched(strike(targets=("Kremenchuk refinery",), place="Poltava"), one), one.id)
    assert 0 < here["place-name"] < elsewhere["name"] + elsewhere["whole-name"]
    assert "name" not in here


def test_another_kind_counts_against_and_one_easily_taken_for_it_does_not() -> None:
    found = matched(
        strike(target_kinds=("gas-storage",), title="Strike"),
        asset("Alpha", kind="refinery"),
        asset("Beta", kind="gas-storage"),
        asset("Gamma", kind="pipeline"),
    )
    assert [match.asset for match in found if match.asset] == ["beta", "gamma", "alpha"]
    table = weights.read()
    assert told(found, "alpha")["other-kind"] == table["other-kind"]
    assert told(found, "beta")["same-rare-kind"] == table["same-rare-kind"]
    assert not {"same-kind", "same-rare-kind", "other-kind"} & set(told(found, "gamma"))


def test_another_number_counts_against() -> None:
    one, two = asset("Nord Stream 1", kind="pipeline"), asset("Nord Stream 2", kind="pipeline")
    found = matched(strike(targets=("Nord Stream 2",), title="Nord Stream"), one, two)
    assert found[0].asset == two.id
    assert told(found, one.id)["other-number"] == weights.read()["other-number"]


def test_a_military_target_beside_a_plant_is_not_the_plant() -> None:
    plant = asset("Kakhovka hydroelectric plant", kind="hydro-plant")
    depot = matched(strike(targets=("складу боеприпасов в окрестностях Каховской ГЭС",)), plant)
    dam = matched(strike(targets=("Каховской ГЭС",)), plant)
    assert probability(depot, plant.id) < probability(dam, plant.id)
    assert told(depot, plant.id)["other-target"] < 0


@pytest.mark.parametrize("basis", ["settlement", "district", "region"])
@given(st.floats(50, 100_000), st.integers(1, 8))
@settings(max_examples=20)
def test_nearness_to_a_point_that_is_no_site_alone_proves_nothing(basis: str, uncertainty_m: float, count: int) -> None:
    """A town is no site (ACLED's geo_precision 1 is a town): no tank is picked by its metres."""
    vague = strike(title="Explosions", uncertainty_m=uncertainty_m, basis=basis)
    found = matched(vague, *(asset(f"Depot {row}", 30 + row / 1e5, "oil-depot") for row in range(count)))
    assert all(match.probability <= 0.2 for match in found if match.asset)
    assert found[0].asset is None or count > 4


def test_nearness_counts_where_both_are_sites() -> None:
    at = strike(title="Explosions", uncertainty_m=100, basis="site")
    close, off = asset("Alpha", 30.0, uncertainty_m=100), asset("Beta", 30.002, uncertainty_m=100)
    found = matched(at, close, off)
    assert probability(found, "alpha") > 4 * probability(found, "beta")
    assert probability(found, "alpha") > probability(matched(strike(title="Explosions"), close), "alpha")


def test_with_a_vague_place_and_many_assets_of_the_kind_nothing_is_certain() -> None:
    depots = [asset(f"Depot {row}", 29.9 + row / 100, "oil-depot") for row in range(20)]
    found = matched(strike(target_kinds=("oil-depot",), uncertainty_m=20_000), *depots)
    assert max(match.probability for match in found if match.asset) < 0.1


def test_a_long_line_does_not_win_by_its_length() -> None:
    """Bilka stands for Odesa oblast: a line of 700 km that passes it is as far from certain as before."""
    line = asset("Long line", kind="pipeline", geometry=shapely.LineString([(28, 45), (36, 49)]), uncertainty_m=50_000)
    short = asset("Short line", kind="pipeline", geometry=shapely.LineString([(30, 46), (30.1, 46)]))
    found = matched(strike(target_kinds=("pipeline",), uncertainty_m=20_000), line, short)
    assert probability(found, "long-line") < probability(found, "short-line")


def test_far_assets_are_no_candidates() -> None:
    assert [match.asset for match in matched(strike(), asset("Alpha", 32.0))] == [None]


SLAVYANSK = asset("Slavyansk-EKO refinery", 38.12, host_country="RU")


def test_the_antimeridian_is_no_edge() -> None:
    found = matched(strike(geometry=shapely.Point(180, 46)), asset("Alpha", 179.99), asset("Beta", -179.99))
    assert {match.asset for match in found} == {None, "alpha", "beta"}


def test_a_rare_name_is_found_where_the_place_is_wrong() -> None:
    """A geocoder puts the refinery of Slavyansk-na-Kubani at Sloviansk."""
    wrong = strike(
        title="Fire at the Slavyansk refinery in Krasnodar krai", place="Sloviansk", host_country="UA",
        geometry=shapely.Point(37.6, 48.87), uncertainty_m=10_000,
    )  # fmt: skip
    found = matched(wrong, SLAVYANSK, asset("Sloviansk thermal plant", 37.6, "power-plant"))
    said = told(found, SLAVYANSK.id)
    assert {"wrong-place", "far-name", "same-country", "same-rare-kind"} <= set(said)
    assert said["wrong-place"] < 0 < said["same-country"], "the text names a region of Russia"
    assert not {"prior", "area", "distance", "no-site", "name", "place-name"} & set(said)
    elsewhere = matched(wrong.model_copy(update={"title": "Fire at the Slavyansk refinery in Odesa oblast"}), SLAVYANSK)
    assert "other-country" in told(elsewhere, SLAVYANSK.id)
    assert probability(elsewhere, SLAVYANSK.id) < probability(found, SLAVYANSK.id)


def test_an_asset_that_is_far_off_is_not_found_by_another_kind_or_a_common_name() -> None:
    depot = strike(title="Fire at the Slavyansk power plant", place="Elsewhere")
    assert [match.asset for match in matched(depot, SLAVYANSK)] == [None]
    namesakes = [asset(f"Slavyansk refinery {number}", 40 + number / 100) for number in range(MAX_NAMESAKES + 1)]
    assert [match.asset for match in matched(strike(title="Fire at the Slavyansk refinery"), *namesakes)] == [None]


def test_a_strike_without_a_place_is_matched_by_name() -> None:
    unplaced = strike(
        title="Fire at the Slavyansk refinery", geometry=None, uncertainty_m=None, basis=None, place_source=None
    )
    found = matched(unplaced, SLAVYANSK)
    assert "no-place" in told(found, SLAVYANSK.id)
    assert next(match for match in found if match.asset).distance_m is None


@pytest.mark.parametrize(
    "shape", ["POINT (40 46)", "LINESTRING (40 44, 40 48)", "POLYGON ((40 44, 44 44, 44 48, 40 48, 40 44))"]
)
def test_the_distance_of_a_far_asset_is_that_of_the_nearest_point(shape: str) -> None:
    one = SLAVYANSK.model_copy(update={"geometry": shapely.from_wkt(shape)})
    far = strike(title="Fire at the Slavyansk refinery")
    found = matched(far, one)
    (distance_m,) = (match.distance_m for match in found if match.asset)
    ends = shapely.get_coordinates(shapely.shortest_line(far.geometry, one.geometry))
    assert distance_m == pytest.approx(Geod(ellps="WGS84").inv(*ends[0], *ends[1])[2], rel=5e-6)


def test_the_name_of_the_place_is_read_beside_the_text() -> None:
    one = asset("Kremenchuk oil refinery")
    named, unnamed = (strike(title="Fire at a refinery", place=place) for place in ("Kremenchuk", "Poltava"))
    assert "place-name" in told(matched(named, one), one.id)
    assert probability(matched(named, one), one.id) > probability(matched(unnamed, one), one.id)


def test_a_town_names_its_refinery_and_not_which_of_its_substations() -> None:
    place = {"place": "Brovary", "targets": ("підстанція в Броварах",)}
    station, refinery = asset("Броварська", kind="substation", id="brovarska"), asset("Brovary oil refinery")
    found = matched(strike(**place), station, refinery)
    assert 0 < told(found, station.id)["town-name"] < told(found, refinery.id)["place-name"]
    assert (
        not {"name", "whole-name", "place-name"} & told(found, station.id).keys()
    )  # every form of the town is the town


def test_the_only_asset_of_its_kind_in_reach_is_likelier_than_one_of_many() -> None:
    one = strike(title="Oil depot on fire", basis="region", uncertainty_m=50_000)
    depots = [asset(f"Depot {letter}", 30 + 0.01 * number, kind="oil-depot") for number, letter in enumerate("ABCD")]
    alone, among = matched(one, depots[0]), matched(one, *depots)
    assert "rivals" not in told(alone, depots[0].id)
    assert told(among, depots[0].id)["rivals"] < 0
    first = next(match for match in among if match.asset is not None)
    reason = next(reason for reason in first.reasons if reason.name == "rivals")
    assert text(reason.detail).startswith("4 assets in reach fit in kind")
    assert probability(alone, depots[0].id) > probability(among, depots[0].id)


def test_a_region_names_no_site() -> None:
    krasnodar = asset("Krasnodar refinery", host_country="RU")
    in_region = strike(title="Slavyansk refinery burns in Krasnodar krai", uncertainty_m=200_000, basis="region")
    assert "name" not in told(matched(in_region, krasnodar), krasnodar.id)
    in_town = strike(title="Krasnodar refinery in Krasnodar krai burns")
    assert "name" in told(matched(in_town, krasnodar), krasnodar.id)


def test_the_place_of_a_strike_that_is_a_region_names_no_site() -> None:
    field = asset("Skhidno-Poltavske field", kind="gas-field")
    vague = {"title": "Strike on a refinery", "uncertainty_m": 100_000, "basis": "region"}
    reasons = told(matched(strike(place="Poltava (oblast)", **vague), field), field.id)
    assert {"name", "place-name", "town-name"}.isdisjoint(reasons)
    assert "place-name" in told(matched(strike(place="Poltava", **vague), field), field.id)


def test_a_kind_that_the_text_mentions_besides_is_not_another_kind() -> None:
    port = asset("Port of Duqm", kind="port-terminal")
    plant = asset("Duqm power plant", kind="power-plant")
    found = matched(strike(title="Fuel tanks at the port of Duqm burn", place="Duqm"), port, plant)
    measured = {match.asset: {reason.name for reason in match.reasons} for match in found}
    assert "mentioned-kind" in measured[port.id]
    assert {"kin-kind", "alike-kind", "other-kind"}.isdisjoint(measured[port.id])
    assert "other-kind" in measured[plant.id]
    stated = strike(target_kinds=("substation",), targets=("підстанція АЕС",), title="Strike", place="Duqm")
    nuclear = asset("Duqm", kind="nuclear-plant")
    assert "mentioned-kind" in {reason.name for match in matched(stated, nuclear)[:2] for reason in match.reasons}


def test_a_site_that_the_text_has_near_something_is_a_landmark() -> None:
    refinery, depot = asset("Orsk refinery"), asset("Dubno depot", kind="oil-depot")

    def landmark(title: str, one: Asset, **values: object) -> str | None:
        reasons = told(matched(strike(title=title, place="Orsk", **values), refinery, depot), one.id)
        return next((name for name in ("landmark", "near") if name in reasons), None)

    assert landmark("Fighting near the Orsk refinery", refinery) == "landmark"
    assert landmark("Explosion near the Orsk refinery", refinery) == "near"
    assert landmark("Strike", refinery, targets=("near the Orsk refinery",)) == "near"
    assert landmark("Orsk refinery burns", refinery) is None
    assert landmark("Fighting near the Orsk refinery; the refinery burns", refinery) == "landmark", "another refinery"
    assert landmark("Fighting near the Orsk refinery; the Orsk refinery burns", refinery) is None
    assert landmark("Drone hits Dubno oil depot near the Orsk refinery", depot) is None
    assert landmark("Drone hits Dubno oil depot near the Orsk refinery", refinery) == "landmark"
    assert landmark("Strike near the Orsk refinery", refinery, target_kinds=("refinery",)) == "near"
    fighting = matched(strike(title="Fighting near the Orsk refinery", place="Orsk"), refinery)
    assert probability(fighting, refinery.id) < 0.5 < probability(matched(strike(place="Orsk"), refinery), refinery.id)


def test_a_ship_speaks_against_sites_and_not_against_itself() -> None:
    ship, depot = asset("Tanker Agrari", kind="vessel"), asset("Jeddah depot", kind="oil-depot")
    found = matched(strike(title="Tanker Agrari hit by a mine", place="Jeddah"), ship, depot)
    assert "other-target" not in told(found, ship.id)
    assert "other-target" in told(found, depot.id)


def test_what_stands_in_brackets_is_no_part_of_the_whole_name() -> None:
    one = strike(title="Drones hit El Feel oil field", targets=(), place="Murzuq")
    for name in ("El Feel (Elephant) oil field", "El Feel Oil and Gas Field (Libya)"):
        field = asset(name, kind="oil-field", id="el-feel")
        assert "whole-name" in told(matched(one, field), field.id)
    iraqi = asset("Rumaila Oil and Gas Field (Iraq)", kind="oil-field", id="rumaila")
    assert "name" not in told(matched(strike(title="Iraq: oil field attacked"), iraqi), iraqi.id)


def test_a_name_behind_in_is_a_place() -> None:
    station = asset("ПС Алчевська", kind="substation", id="alchevska")
    one = told(matched(strike(title="Вибухи на підстанції в Алчевську", place="Luhansk"), station), station.id)
    assert "town-name" in one
    assert "name" not in one
    named = told(matched(strike(title="Удар по підстанції «Алчевська»", place="Luhansk"), station), station.id)
    assert "name" in named


def test_a_substation_is_no_kin_of_a_power_plant() -> None:
    plant = asset("Luch", kind="power-plant")
    found = told(matched(strike(title="Substation Luch hit"), plant), plant.id)
    assert "kin-kind" not in found
    assert "alike-kind" in found


def test_a_ship_is_struck_at_the_terminal_where_it_lies() -> None:
    terminal = asset("Alpha", kind="oil-terminal")
    at_port = told(matched(strike(title="Tanker hit at the oil terminal"), terminal), terminal.id)
    assert "same-kind" in at_port
    assert "other-target" not in at_port


def test_a_kind_of_the_same_family_says_less_than_the_kind_and_more_than_another() -> None:
    kinds = ("oil-depot", "oil-terminal", "refinery", "office")
    found = matched(strike(target_kinds=("oil-depot",), title="Strike"), *(asset(kind, kind=kind) for kind in kinds))
    assert [match.asset for match in found if match.asset] == list(kinds)
    assert "kin-kind" in told(found, "oil-terminal")
    assert "alike-kind" in told(found, "refinery")


def test_a_plant_that_did_not_operate_on_the_day_weighs_less() -> None:
    plant = asset("Alpha")
    for values in ({"until": "2020"}, {"since": "2026"}, {"status": "pre-construction"}):
        closed = plant.model_copy(update=values)
        assert told(matched(strike(), closed), "alpha")["not-operating"] < 0
    for values in ({"until": "2025"}, {"since": "2025"}, {"status": "retired"}, {"status": "operating"}):
        assert "not-operating" not in told(matched(strike(), plant.model_copy(update=values)), "alpha")


def test_what_was_never_built_is_no_candidate() -> None:
    plant = asset("Alpha")
    for status in ("cancelled", "shelved", "announced", "proposed"):
        assert not any(
            match.asset for match in matched(strike(title="Alpha"), plant.model_copy(update={"status": status}))
        )
    # It may have been built since its source was published.
    begun = plant.model_copy(update={"status": "proposed", "since": "2020"})
    assert any(match.asset for match in matched(strike(title="Alpha"), begun))


def test_a_date_names_no_site() -> None:
    plant = asset("December power station", 40.0, "power-plant")
    assert not any(match.asset for match in matched(strike(title="Power plants, 13 December 2024"), plant))


def test_units_are_matched_at_their_plant_and_one_site_of_two_sources_once() -> None:
    plant = asset("Ladyzhyn power plant", kind="power-plant", dataset="gem")
    units = [
        asset(f"Ladyzhyn power plant unit {number}", kind="power-plant", part_of=plant.id, dataset="gem")
        for number in range(1, 7)
    ]
    other = asset("Ladyzhyn TPP", 30.001, "power-plant", dataset="osm", names={"uk": "Ладижинська ТЕС"})
    report = strike(title="Missile attack on Ladyzhyn plant", place="Ladyzhyn")
    found = matched(report, plant, *units, other)
    assert len([match for match in found if match.asset]) == 1
    assert found[0].asset in (plant.id, other.id)
    alone = matched(report, plant)
    assert found[0].probability >= alone[0].probability - 1e-9, "what has more names is not less likely"
    train = asset("Ladyzhyn power plant Zorya turbine", kind="power-plant", part_of=plant.id, dataset="gem")
    assert {match.asset for match in matched(report, plant, train)} == {plant.id, train.id, None}, "a name of its own"


def test_the_odds_of_an_asset_that_is_alone_are_the_exponential_of_the_weights() -> None:
    for one in (strike(), strike(targets=("Кременчуцький НПЗ",)), strike(basis="site", uncertainty_m=100)):
        found = matched(one, asset("Kremenchuk refinery", 30.01))
        total = sum(told(found, "kremenchuk-refinery").values())
        odds = probability(found, "kremenchuk-refinery") / probability(found, None)
        assert odds == pytest.approx(math.exp(total), rel=1e-5)  # each is rounded to nine decimals


def test_the_odds_of_several_assets_are_those_of_a_nested_logit_of_their_weights() -> None:
    dissimilarity = weights.read().dissimilarity
    known = (asset("Alpha"), asset("Beta", 30.05), asset("Kremenchuk refinery", 30.01, "oil-depot"))
    for one in (strike(), strike(targets=("Кременчуцький НПЗ",)), strike(basis="site", uncertainty_m=100)):
        found = matched(one, *known)
        odds = {m.asset: math.exp(sum(told(found, m.asset).values()) / dissimilarity) for m in found if m.asset}
        of_any = sum(odds.values()) ** dissimilarity
        for name, own in odds.items():
            expected = own / sum(odds.values()) * of_any / (1 + of_any)
            assert probability(found, name) == pytest.approx(expected, rel=1e-5)
        assert probability(found, None) == pytest.approx(1 / (1 + of_any), rel=1e-5)


def test_out_of_reach_the_name_of_an_owner_of_several_assets_names_none() -> None:
    company = Entity(id="c", name="Zorya Energo", type="registeredEntity", checked="read")
    plant, other, own = (
        asset("Zorya Ladyzhyn plant", 35.0, "power-plant"),
        asset("Trypillia plant", 36.0, "power-plant"),
        asset("Zorya plant", 37.0, "power-plant"),
    )
    stakes = {
        key: Stake(id=key, owned=one.id, owner="c", share_min=100, share_max=100, source="x", checked="read")
        for key, one in (("a", plant), ("b", other))
    }
    report = strike(
        title="Missiles on plants of Zorya", geometry=None, uncertainty_m=None, basis=None, place_source=None
    )
    found = matched(report, plant, other, own, entities={"c": company}, stakes=stakes)
    assert "far-name" not in told(found, plant.id)
    assert "far-name" in told(found, own.id), "no owner of several has it"
    named = report.model_copy(update={"title": "Missiles on the Zorya plant in Ladyzhyn"})
    assert "far-name" in told(matched(named, plant, other, entities={"c": company}, stakes=stakes), plant.id)


SHAPES = {
    "point": shapely.Point(30, 46),
    "line": shapely.LineString([(30, 46), (30.2, 46), (30.2, 46.1)]),
    "area": shapely.box(30, 46, 30.1, 46.05),
}


@pytest.mark.parametrize("basis", ["site", "settlement"])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_density_of_places_adds_up_to_1_over_the_ground(shape: str, basis: str) -> None:
    """Integrated on a grid; the formula is exact for convex shapes, and counts the inside of a bend twice."""
    index = AssetIndex.of({"a": asset("Alpha", geometry=SHAPES[shape], uncertainty_m=1000, basis=basis)}, {})
    step = 0.002
    lon, lat = np.meshgrid(np.arange(29.85, 30.36, step), np.arange(45.88, 46.24, step))
    points = shapely.points(lon.ravel(), lat.ravel())
    pairs = pairs_within(points, index.geometry, 10_000.0)
    rows = len(points)
    table = StrikeColumns.from_columns(
        ["s"] * rows,
        points,
        np.full(rows, 1000.0),
        np.full(rows, basis == "site"),
        [()] * rows,
        [("",)] * rows,
        [("",)] * rows,
        [None] * rows,
        index.names,
    )
    where = location_evidence(table, index, *pairs)
    cell_km2 = (step * 111.15) * (step * 111.32 * np.cos(np.radians(lat.ravel()[pairs.left])))
    total = float((np.exp(where.profile) / where.ground_km2 * cell_km2).sum())
    assert total == pytest.approx(1, abs=0.06 if shape == "line" else 0.03)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=25)
def test_candidates_are_those_of_brute_force(seed: int) -> None:
    rng = np.random.default_rng(seed)
    uncertainty_m = rng.choice([100.0, 1_500.0, 9_000.0, 40_000.0], 40)
    index = AssetIndex.from_columns(
        [f"a{row}" for row in range(40)],
        shapely.points(rng.uniform(-180, 180, 40), rng.uniform(60, 80, 40)),
        uncertainty_m,
        np.ones(40, bool),
        ["refinery"] * 40,
        [None] * 40,
        [("A",)] * 40,
        [()] * 40,
    )
    where = np.append(shapely.points(rng.uniform(-180, 180, 29), rng.uniform(60, 80, 29)), None)
    sure = rng.choice([100.0, 20_000.0, 150_000.0], 30)
    table = StrikeColumns.from_columns(
        [f"s{row}" for row in range(30)],
        where,
        sure,
        np.zeros(30, bool),
        [()] * 30,
        [("",)] * 30,
        [("",)] * 30,
        [None] * 30,
        index.names,
    )
    found = candidates(table, index)
    every = pairs_within(where, index.geometry, 250_000.0)
    near = every.distance_m <= np.minimum(
        SEARCH_FACTOR * np.hypot(sure[every.left], uncertainty_m[every.right]), 250_000
    )
    assert list(zip(found.left, found.right, strict=True)) == list(
        zip(every.left[near], every.right[near], strict=True)
    )


def test_one_strike_is_matched_as_among_all(snapshot: Snapshot) -> None:
    records, table = snapshot.records, weights.read()
    index = index_of(records)
    for name in ("ua-orlivka-2025-08-06", "ua-socar-depot-2025-08-18", "nord-stream-2-2022-09-26"):
        assert match_one(records.strikes[name], index, records, table) == snapshot.matches[name]


def test_the_table_of_weights_is_whole_and_reads_as_it_was_written(tmp_path) -> None:  # type: ignore[no-untyped-def]
    table = weights.read()
    path = tmp_path / "w.toml"
    path.write_text(weights.dumps(table), encoding="utf-8")
    assert weights.read(path) == table
    lacking = replace(table, by_name=MappingProxyType({k: v for k, v in table.by_name.items() if k != "area"}))
    path.write_text(weights.dumps(table).replace("area =", "aria ="), encoding="utf-8")
    with pytest.raises(weights.WeightsError, match="area, aria"):
        weights.read(path)
    with pytest.raises(KeyError):
        weights.dumps(lacking)


def test_the_bundled_strikes_are_mostly_matched_as_people_decided(snapshot: Snapshot) -> None:
    """Of 88, four are out of reach: the strike or the asset has no place."""
    first = {strike: found[0].asset for strike, found in snapshot.matches.items()}
    best = {
        strike: next((match.asset for match in found if match.asset), None)
        for strike, found in snapshot.matches.items()
    }
    hits = {strike: {hit.asset for hit in found.hits} for strike, found in snapshot.findings.items()}
    assert sum(best[strike] in hits[strike] for strike in hits) >= 83
    assert sum(first[strike] in hits[strike] for strike in hits) >= 80


def test_the_depot_of_8_august_keeps_its_candidates(snapshot: Snapshot) -> None:
    found = snapshot.matches["ua-socar-depot-2025-08-08"]
    assert {match.asset for match in found[:2]} == {"a-socar-sintez", "a-socar-svitanok"}
    assert all(0.2 < match.probability < PUBLISH_FROM for match in found[:2])


def decide(asset_id: str | None, verdict: str, number: int) -> Decision:
    return Decision.model_validate(
        {
            "id": f"d{number}",
            "strike": "s",
            "asset": asset_id,
            "verdict": verdict,
            "who": "A",
            "when": "2025-01-01",
            "why": "B",
        }
    )


def test_decisions_hold_over_matches_and_the_latest_over_earlier_ones() -> None:
    best = (Match(strike="s", asset="a", probability=0.9), Match(strike="s", asset=None, probability=0.1))
    proposed = finding("s", [], likeliest(best))
    assert (proposed.basis_of_outcome, proposed.hits[0].verdict) == ("match", "proposed")
    doubtful = finding("s", [], likeliest((best[1], best[0].model_copy(update={"probability": 0.4}))))
    assert (doubtful.basis_of_outcome, doubtful.hits) == ("nothing", ())
    confirmed = finding("s", [decide("b", "confirmed", 1)], likeliest(best))
    assert (confirmed.basis_of_outcome, [hit.asset for hit in confirmed.hits]) == ("decision", ["b"])
    several = finding("s", [decide("a", "possible", 1), decide("b", "possible", 2)], likeliest(best))
    assert (several.basis_of_outcome, len(several.hits)) == ("alternatives", 2)
    none = finding("s", [decide("a", "confirmed", 1), decide(None, "none", 2)], likeliest(best))
    assert (none.basis_of_outcome, none.hits) == ("decision", ())
    again = finding("s", [decide(None, "none", 1), decide("a", "confirmed", 2)], likeliest(best))
    assert [hit.asset for hit in again.hits] == ["a"]
    mended = finding("s", [decide("a", "confirmed", 1), decide("a", "possible", 2)], likeliest(best))
    assert mended.hits[0].verdict == "possible"


@pytest.mark.parametrize(
    ("asset", "none", "answer"),
    [
        (PUBLISH_FROM, 1 - PUBLISH_FROM, "asset"),
        (PUBLISH_FROM - 0.01, 0.05, "undecided"),
        (1 - NONE_FROM, NONE_FROM, "none"),
        (0.05, NONE_FROM - 0.01, "undecided"),
        (0.1, 0.6, "undecided"),
    ],
)
def test_none_of_these_is_said_from_a_threshold_of_its_own(asset: float, none: float, answer: str) -> None:
    candidates = (Match(strike="s", asset="a", probability=asset), Match(strike="s", asset=None, probability=none))
    found = tuple(sorted(candidates, key=lambda match: -match.probability))
    assert match_answer(found) == answer
    assert (likeliest(found) is not None) == (answer == "asset")


def test_the_thresholds_are_settings() -> None:
    found = (
        Match(strike="s", asset="a", probability=0.6),
        Match(strike="s", asset=None, probability=0.38),
        Match(strike="s", asset="b", probability=0.02),
    )
    assert SHOW_FROM < 0.6 < PUBLISH_FROM
    undecided = finding("s", [], likeliest(found))
    assert (undecided.basis_of_outcome, undecided.hits) == ("nothing", ())
    assert [match.asset for match in shown(found)] == ["a"]
    bold = finding("s", [], likeliest(found, 0.5))
    assert (bold.basis_of_outcome, [hit.asset for hit in bold.hits]) == ("match", ["a"])
    assert [match.asset for match in shown(found, 0.01)] == ["a", "b"]
    assert shown(found, 0.7) == ()


def test_a_snapshot_keeps_to_its_thresholds(records: Records, base: Basemap) -> None:
    undecided = replace(records, decisions=MappingProxyType({}))
    day = date(2026, 11, 25)
    usual = Snapshot.of(undecided, base, 1, day, wording=str)
    careful = Snapshot.of(undecided, base, 1, day, publish_from=1.0, show_from=0.4, wording=str)
    assert (usual.publish_from, usual.show_from) == (PUBLISH_FROM, SHOW_FROM)
    assert sum(found.basis_of_outcome == "match" for found in usual.findings.values()) > 60
    told = match_all(usual.records)
    for key, one in usual.findings.items():
        assert [hit.asset for hit in one.hits] == [asset for asset in [likeliest(told[key])] if asset], key
    assert {found.basis_of_outcome for found in careful.findings.values()} == {"nothing"}
    assert careful.proposed == {}
