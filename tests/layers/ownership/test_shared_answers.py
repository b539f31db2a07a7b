"""Assets in which the same stakes are share an answer, which is what each is given by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from bench.world import records as world_records
from bench.world_columns import Sizes, synthesize
from layers.model.records import Records
from layers.ownership.owners import OwnersByDate, OwnersOnDate
from layers.ownership.stake_graph import StakeColumns
from layers.ownership.walk import OwnershipGraph
from tests.layers.builders import records as stated

DAY = date(2024, 5, 1)


@pytest.fixture(scope="module")
def world() -> Records:
    return world_records(synthesize(Sizes(strikes=1, lines=50, facilities=950), seed=3))


@pytest.mark.parametrize("known", ["records", "world"])
@pytest.mark.parametrize("basis", ["registration", "headquarters"])
@pytest.mark.parametrize("days", [(DAY, DAY), (None, None)])
def test_a_shared_answer_is_the_own_one(
    request: pytest.FixtureRequest, known: str, basis: str, days: tuple[date | None, date | None]
) -> None:
    records = request.getfixturevalue(known)
    stakes = StakeColumns.of(records)
    own, shared = (OwnersByDate(stakes, are_shared=shared).on(*days, basis) for shared in (False, True))  # type: ignore[arg-type]
    for owned in (*records.assets, *records.entities):
        assert shared.of(owned) == own.of(owned), owned
    for owned in [*records.assets][::20]:
        assert shared.of(owned).chains == own.of(owned).chains, owned
        assert shared.holders_of(owned) == own.holders_of(owned), owned


def test_what_shares_an_answer_has_the_same_stakes(world: Records) -> None:
    shared = OwnersByDate(StakeColumns.of(world), are_shared=True)
    stakes: dict[str, set[tuple[object, ...]]] = {asset: set() for asset in world.assets}
    for stake in world.stakes.values():
        if stake.owned in stakes:
            held = (stake.owner, stake.share_min, stake.share_max, stake.since, stake.until, stake.checked)
            stakes[stake.owned].add(held)
    by_key: dict[object, set[frozenset[tuple[object, ...]]]] = {}
    for asset, of_asset in stakes.items():
        by_key.setdefault(shared.owned_key(asset), set()).add(frozenset(of_asset))
    assert all(len(same) == 1 for same in by_key.values())
    assert len(by_key) == len({frozenset(of_asset) for of_asset in stakes.values()}) < len(world.assets) * 0.8
    assert len({shared.owned_key(entity) for entity in world.entities}) == len(world.entities)


def test_a_warning_names_the_asset_that_it_is_about() -> None:
    one = stated([("d", "registeredEntity", "DE"), ("p", "person", "KZ")], [(owner, "a", 60, 60) for owner in "dp"])
    other = {f"{key}-b": stake.model_copy(update={"id": f"{key}-b", "owned": "b"}) for key, stake in one.stakes.items()}
    assets = {**one.assets, "b": one.assets["a"].model_copy(update={"id": "b"})}
    known = replace(one, assets=assets, stakes={**one.stakes, **other})
    owners = OwnersByDate(StakeColumns.of(known), are_shared=True).on(DAY, DAY)
    assert [owners.of(asset).warnings[0].arguments["entity"] for asset in "ab"] == ["a", "b"]


def test_many_that_share_are_walked_once() -> None:
    world = world_records(synthesize(Sizes(strikes=1, lines=0, facilities=300), seed=3))
    stakes = StakeColumns.of(world)
    looked_up = list[str]()

    class Counted(OwnersOnDate):
        def _answer(self, owned: str):  # type: ignore[no-untyped-def]
            looked_up.append(owned)
            return super()._answer(owned)

    owners = Counted(OwnershipGraph(stakes, DAY, DAY), alike=stakes.first_alike)
    for asset in world.assets:
        owners.of(asset)
    keys = OwnersByDate(stakes, are_shared=True)
    assert len(looked_up) == len({keys.owned_key(asset) for asset in world.assets})
