"""Assets of several sources that are one site: proposed with reasons, and one site for the matcher until judged."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from layers.model.records import Asset, Entity, Records, Stake
from layers.resolution.asset_comparison import COMPARISONS
from layers.resolution.asset_duplicates import PROPOSE_FROM, SAME_SITE_FROM, propose_assets, same_sites
from layers.resolution.linkage import DuplicateProposal
from tests.labelled.assets import labelled_assets, labels
from tests.layers.strike_builders import judged, records

#: A degree of latitude, in metres.
DEGREE_M = 111_195.0
HERE = (33.42, 49.07)


def asset(key: str, metres: float | None = 0.0, **values: Any) -> Asset:
    """An asset of a dataset of its own, so many metres north of ``HERE``; None is without a place."""
    place: dict[str, Any] = {}
    if metres is not None:
        point = shapely.Point(HERE[0], HERE[1] + metres / DEGREE_M)
        place = {"geometry": point, "uncertainty_m": 500.0, "basis": "site", "place_source": "s"}
    defaults = {"dataset": key, "kind": "power-plant", "sources": ("s",), "checked": "unverified", **place}
    return Asset(**{**defaults, "id": key, "name": "Kremenchuk power station", **values})


def score(*assets: Asset) -> float:
    found = propose_assets(records(*assets), 0.0001)
    return found[0].score if found else 0.0


def reasons(proposal: DuplicateProposal) -> dict[str, float]:
    return {reason.name: reason.weight for reason in proposal.reasons}


def same_sites_of(known: Records) -> Mapping[str, str]:
    return same_sites(known).groups


def groups(*assets: Asset) -> Mapping[str, str]:
    return same_sites_of(records(*assets))


def test_one_plant_of_two_sources_is_proposed_with_reasons() -> None:
    one = asset("a", capacity=255.0, capacity_unit="MW", commodity="gas")
    other = asset("b", 120.0, name="Кременчуцька ТЕЦ", capacity=250.0, capacity_unit="MW", commodity="fossil gas")
    (found,) = propose_assets(records(one, other))
    assert (found.preferred, found.duplicate, found.distance_m) == ("a", "b", pytest.approx(120, abs=0.5))
    told = reasons(found)
    assert {"prior", "place", "kind", "name", "same-name", "capacity", "commodity"} <= told.keys()
    assert "other-country" not in told
    assert found.score > 0.95


@pytest.mark.parametrize("name", ["Кременчуцька ТЕЦ", "Кременчугская ТЭЦ", "Kremenchuk TES", "Kremenchug CHP"])
def test_a_name_meets_its_spelling_in_other_languages(name: str) -> None:
    assert score(asset("a"), asset("b", 50.0, name=name)) >= SAME_SITE_FROM


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"name": "Kremenchuk TPP-1"}, {"name": "Kremenchuk TPP-2"}),
        ({"name": "Sapele power station I"}, {"name": "Sapele power station II"}),
        ({"name": "Kremenchuk TPP"}, {"name": "Poltava TPP"}),
        ({"name": "Kremenchuk CHP"}, {"name": "Kremenchuk GRES"}),
        ({"name": "Kremenchuk TPP"}, {"name": "Kremenchuk TPP 330 kV substation"}),
        ({"name": "Кременчуцька ТЕЦ"}, {"name": "ПС Кременчуцької ТЕЦ"}),
        (
            {"name": "Kremenchuk HPP", "kind": "hydro-plant"},
            {"name": "Kremenchuk pumped storage", "kind": "hydro-plant"},
        ),
        ({"name": "Kremenchuk refinery", "kind": "refinery"}, {"name": "Kremenchuk refinery power station"}),
        ({"name": "Port of Odesa", "kind": "port-terminal"}, {"name": "Mykolaiv oil depot", "kind": "oil-depot"}),
        ({"name": "Kremenchuk"}, {"name": "Kremenchuk", "capacity": 9.0, "capacity_unit": "MW", "part_of": "a"}),
    ],
)
def test_neighbours_are_no_duplicates(one: dict[str, Any], other: dict[str, Any]) -> None:
    pair = asset("a", **one), asset("b", 200.0, **other)
    assert score(*pair) < PROPOSE_FROM
    assert groups(*pair) == {}


def test_a_unit_is_no_duplicate_of_its_plant_nor_of_another_unit() -> None:
    plant = asset("plant")
    units = [asset(f"u{number}", part_of="plant", name="Kremenchuk power station") for number in (1, 2)]
    assert propose_assets(records(plant, *units), 0.0001) == ()
    beside = asset("wri")
    assert groups(plant, *units, beside) == {"plant": "plant", "wri": "plant"}


def test_without_a_place_an_equal_name_and_capacity_propose() -> None:
    facts = {"capacity": 31.5, "capacity_unit": "MW", "host_country": "UA"}
    (found,) = propose_assets(records(asset("a", **facts), asset("b", None, **facts)))
    assert found.distance_m is None
    assert "no-place" in reasons(found)
    assert score(asset("a", **facts), asset("b", None, **{**facts, "host_country": "RO"})) == 0


def test_an_identifier_finds_what_place_and_name_do_not() -> None:
    ids = {"wikidata": "Q1"}
    one, other = asset("a", external_ids=ids), asset("b", 400_000.0, name="Lysychansk", external_ids=ids)
    (found,) = propose_assets(records(one, other), 0.0001)
    assert reasons(found)["identifier"] > 0


def test_pairs_of_one_dataset_need_more_and_are_in_no_group() -> None:
    pair = [asset(name, dataset="d") for name in ("a", "b")]
    assert score(*pair) < PROPOSE_FROM
    assert groups(*pair) == {}


def test_what_was_judged_different_is_neither_proposed_nor_grouped() -> None:
    pair = asset("a"), asset("b", 50.0)
    assert groups(*pair) == {"a": "a", "b": "a"}
    known = records(*pair, judged("a", "b", "different"))
    assert propose_assets(known) == ()
    assert same_sites_of(known) == {}
    undone = records(*pair, judged("a", "b", "different"), judged("a", "b", "undone", 1))
    assert same_sites_of(undone) == groups(*pair)


def test_a_site_of_which_a_record_was_judged_different_may_not_be_another_of_its_records() -> None:
    one, other, third = asset("a"), asset("b", 50.0), asset("c", 3_000.0)
    sites, likely = same_sites(records(one, other, third))
    assert sites == {"a": "a", "b": "a"}
    assert 0 < likely["a", "c"] == likely["c", "a"] < 1
    sites, likely = same_sites(records(one, other, third, judged("b", "c", "different")))
    assert (sites, likely) == ({"a": "a", "b": "a"}, {})


def test_a_chain_of_neighbours_is_not_melted_together() -> None:
    row = [asset(f"a{number}", number * 350.0) for number in range(6)]
    found = same_sites_of(records(*row))
    members: dict[str, list[str]] = {}
    for name, leader in found.items():
        members.setdefault(leader, []).append(name)
    scores = {
        frozenset((one.preferred, one.duplicate)): one.score for one in propose_assets(records(*row), PROPOSE_FROM)
    }
    assert max(map(len, members.values())) < len(row)
    for group in members.values():
        assert all(frozenset((one, two)) in scores for one in group for two in group if one != two)


def test_one_name_as_printed_is_one_site_in_places_that_are_unsure() -> None:
    """A list that has the middle of the town as the place of its refinery, and one that has the site."""
    refinery = {"kind": "refinery", "name": "Lysychansk refinery"}
    town = asset("town", 6_000.0, uncertainty_m=12_000.0, basis="settlement", **refinery)
    assert groups(asset("site", **refinery), town) == {"site": "site", "town": "site"}
    depot = town.model_copy(update={"name": "Lysychansk oil depot", "kind": "oil-depot"})
    assert groups(asset("site", **refinery), depot) == {}


def test_a_third_record_joins_a_site_though_it_is_less_like_one_of_the_two() -> None:
    name = {"name": "Shebelinka gas plant", "kind": "gas-plant"}
    sharp = asset("a", **name, capacity=50.0, capacity_unit="Mt")
    other = asset("b", 1_500.0, name="Шебелинка", kind="gas-plant", uncertainty_m=2_500.0)
    both = asset("c", 800.0, **name, uncertainty_m=2_500.0)
    scores = {
        frozenset((one.preferred, one.duplicate)): one.score
        for one in propose_assets(records(sharp, other, both), 0.0001)
    }
    assert (
        PROPOSE_FROM
        <= scores[frozenset("ab")]
        < SAME_SITE_FROM
        <= min(scores[frozenset("bc")], scores[frozenset("ac")])
    )
    assert len(set(groups(sharp, other, both).values())) == 1


def test_the_representative_is_bundled_else_owned_else_best_located() -> None:
    entity = Entity(id="e", name="Ukrnafta", type="registeredEntity", checked="unverified")
    stake = Stake(id="k", owned="c", owner="e", share_min=100, share_max=100, source="s", checked="unverified")
    sharp = asset("b", uncertainty_m=10.0)
    known = [asset("a", uncertainty_m=900.0), sharp, asset("c", uncertainty_m=900.0)]
    assert set(groups(*known).values()) == {"b"}

    def with_owner(*assets: Asset) -> Records:
        tables = records(*assets)
        return Records.of({**vars(tables), "entities": {"e": entity}, "stakes": {"k": stake}})

    assert set(same_sites_of(with_owner(*known)).values()) == {"c"}
    bundled = asset("z", dataset="curated", uncertainty_m=900.0)
    assert set(same_sites_of(with_owner(*known, bundled)).values()) == {"z"}


PLACED = st.builds(
    lambda number, metres, name, dataset: asset(f"{dataset}{number}", metres, name=name, dataset=dataset),
    st.integers(0, 30),
    st.floats(0, 4_000) | st.none(),
    st.sampled_from(["Kremenchuk power station", "Кременчуцька ТЕЦ", "Kremenchuk TPP-2", "Poltava TPP", "TPP"]),
    st.sampled_from("xyz"),
)


@given(st.lists(PLACED, max_size=10, unique_by=lambda one: one.id), st.randoms(use_true_random=False))
def test_groups_do_not_depend_on_the_order_of_the_records(assets: list[Asset], random: Any) -> None:
    found = same_sites_of(records(*assets))
    shuffled = list(assets)
    random.shuffle(shuffled)
    assert same_sites_of(records(*shuffled)) == found
    assert all(found[leader] == leader for leader in found.values())
    for one in assets:
        sharing = [other for other in assets if other.id in found and found[other.id] == found.get(one.id)]
        assert len({other.dataset for other in sharing}) == len(sharing)


def test_no_asset_is_in_a_group_of_an_empty_layer() -> None:
    assert same_sites_of(records()) == {}
    assert propose_assets(records()) == ()


def test_the_table_in_the_docs_is_that_of_the_weights() -> None:
    page = (Path(__file__).parents[3] / "docs" / "asset-duplicates.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1:3] for line in page.splitlines() if line.startswith("| `")]
    shown = {name.strip().strip("`"): weight.strip() for name, weight in rows}
    assert shown == {one.name: f"{one.weight:+.1f}{' by hand' if one.by_hand else ''}" for one in COMPARISONS}


@pytest.fixture(scope="module")
def real(real_data: Path) -> Records:
    return labelled_assets(real_data)


def test_the_thresholds_are_precise_on_labelled_pairs(real: Records) -> None:
    found = {frozenset((one.preferred, one.duplicate)): one.score for one in propose_assets(real, PROPOSE_FROM)}
    pairs = [(frozenset((one, other)), same) for one, other, same in labels(real)]
    assert len(pairs) >= 120
    wanted = sum(same for _, same in pairs)
    for least, precision, recall in ((PROPOSE_FROM, 0.9, 0.85), (SAME_SITE_FROM, 0.95, 0.75)):
        proposed = [same for pair, same in pairs if found.get(pair, 0) >= least]
        assert sum(proposed) / len(proposed) >= precision
        assert sum(proposed) / wanted >= recall


def test_groups_of_real_layers_are_of_labelled_sites(real: Records) -> None:
    found = same_sites_of(real)
    wrong = [(one, other) for one, other, same in labels(real) if not same and found.get(one, one) == found.get(other)]
    assert len(wrong) <= 1


def test_a_country_in_brackets_is_no_part_of_a_name() -> None:
    plain, own = asset("a", name="Khor Mor gas field", kind="gas-field"), {"kind": "gas-field"}
    in_country, of_place = (asset("b", name=f"Khor Mor field ({name})", **own) for name in ("Iraq", "Jambur"))
    assert "more-words" not in reasons(propose_assets(records(plain, in_country))[0])
    assert score(plain, of_place) < score(plain, in_country)


def test_one_id_and_the_same_words_are_one_site_however_far_its_points_are() -> None:
    values = {"kind": "gas-field", "external_ids": {"gem": "L1"}}
    near, far = asset("a", name="Khor Mor gas field", **values), asset("b", 40_000.0, name="Khor Mor", **values)
    assert groups(near, far) == {"a": "a", "b": "a"}
    numbered = near.model_copy(update={"name": "Khor Mor 1 gas field"})
    assert groups(numbered, asset("b", 40_000.0, name="Khor Mor 2", **values)) == {}
    assert groups(near, asset("b", 40_000.0, name="Khor Mor", kind="gas-field")) == {}


def test_the_point_of_a_field_is_any_of_tens_of_kilometres() -> None:
    pair = [asset(key, metres, name="Ghani oil field") for key, metres in (("a", 0.0), ("b", 12_000.0))]
    assert groups(*pair) == {}
    assert len(groups(*(one.model_copy(update={"kind": "oil-field"}) for one in pair))) == 2


def test_a_route_of_one_medium_is_one_pipeline() -> None:
    route = {"kind": "pipeline", "commodity": "crude oil"}
    export = asset("a", name="Niger-Benin export pipeline", **route)
    assert len(groups(export, asset("b", name="Niger–Benin Oil Pipeline", **route))) == 2
    assert groups(export, asset("b", name="Niger–Benin Gas Pipeline", kind="pipeline", commodity="gas")) == {}
    assert groups(export, asset("b", name="Niger–Benin Oil Pipeline 2", **route)) == {}
