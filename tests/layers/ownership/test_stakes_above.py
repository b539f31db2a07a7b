"""The stakes above some assets alone give the owners that all stakes give."""

from __future__ import annotations

from datetime import date

import pytest

from bench.world import records as world_records
from bench.world_columns import Sizes, synthesize
from layers.model.records import Records
from layers.ownership.owners import OwnersByDate
from layers.ownership.stake_graph import StakeColumns

DAY = date(2024, 5, 1)


@pytest.fixture(scope="module")
def world() -> Records:
    return world_records(synthesize(Sizes(strikes=1, lines=20, facilities=180), seed=3))


@pytest.mark.parametrize("made", ["records", "world"])
@pytest.mark.parametrize("basis", ["registration", "headquarters"])
def test_owners_are_the_same(request: pytest.FixtureRequest, made: str, basis: str) -> None:
    every = StakeColumns.of(request.getfixturevalue(made))
    assets = [name for name, kind in zip(every.nodes.ids, every.nodes.kind, strict=True) if kind == 0]
    for some in (assets[::7], assets[:1]):
        part = every.above(some)
        assert len(part.owned) < len(every.owned)
        assert set(some) <= set(part.nodes.ids)
        one, other = (OwnersByDate(stakes).on(DAY, DAY, basis) for stakes in (every, part))  # type: ignore[arg-type]
        assert [other.of(name) for name in some] == [one.of(name) for name in some]
        assert [other.of(name).chains for name in some[:20]] == [one.of(name).chains for name in some[:20]]


def test_the_owners_of_all_assets_rest_on_all_that_is_above_any(records: Records) -> None:
    every = StakeColumns.of(records)
    part = every.above(records.assets)
    assert part.above(records.assets).owned.tolist() == part.owned.tolist()


def test_nothing_is_above_nothing_and_an_unknown_asset_is_an_error(records: Records) -> None:
    every = StakeColumns.of(records)
    assert len(every.above([]).nodes) == len(every.above([]).owned) == 0
    with pytest.raises(KeyError):
        every.above(["no-such-asset"])
