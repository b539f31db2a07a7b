"""An index that searches the assets in reach of some strikes alone finds all of their candidates, bit by bit."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from bench.world import records as world_records
from bench.world_columns import Sizes, synthesize
from layers.matching.asset_index import AssetIndex, index_of
from layers.matching.candidates import candidates, rows_in_reach
from layers.matching.match import score_pairs
from layers.matching.strike_columns import StrikeColumns
from layers.matching.weights import read
from layers.model.records import Records


@pytest.fixture(scope="module")
def world() -> Records:
    made = world_records(synthesize(Sizes(strikes=300, lines=60, facilities=240), seed=11))
    # Two at the antimeridian, and one of each class of uncertainty.
    moved = {"a-70": (179.99, 50.0, 500.0), "a-71": (-179.99, 50.0, 20_000.0), "a-72": (25.0, 50.0, 90_000.0)}
    assets = {
        name: asset.model_copy(update={"geometry": shapely.Point(*moved[name][:2]), "uncertainty_m": moved[name][2]})
        if name in moved
        else asset
        for name, asset in made.assets.items()
    }
    strikes = {
        name: strike.model_copy(update={"geometry": shapely.Point(180, 50)}) if name in ("k-1", "k-2") else strike
        for name, strike in made.strikes.items()
    }
    return Records.of({**{name: getattr(made, name) for name in Records.__dataclass_fields__}} | {
        "assets": assets, "strikes": strikes,
    })  # fmt: skip


@pytest.fixture(scope="module")
def index(world: Records) -> AssetIndex:
    return index_of(world)


@pytest.mark.parametrize("size", [1, 7, 50])
def test_candidates_and_scores_are_the_same(world: Records, index: AssetIndex, size: int) -> None:
    columns = StrikeColumns.of(world.strikes.values(), index.names)
    order = np.random.default_rng(size).permutation(len(columns))
    looked_at = []
    for start in range(0, len(order), size):
        strikes = columns.rows(order[start : start + size])
        rows = rows_in_reach(shapely.bounds(strikes.geometry), strikes.uncertainty_m, index)
        part = index.searching(rows, index.widest_m)
        one, other = candidates(strikes, index), candidates(strikes, part)
        assert [column.tolist() for column in other] == [column.tolist() for column in one]
        scores, expected = (score_pairs(strikes, some, pairs, read()) for some, pairs in ((part, other), (index, one)))
        assert scores.probability.tobytes() == expected.probability.tobytes()
        assert all(scores.by_reason[name].tobytes() == expected.by_reason[name].tobytes() for name in scores.by_reason)
        looked_at.append(len(rows))
    assert min(looked_at) < len(index) / 2


def test_the_antimeridian_is_no_edge(world: Records, index: AssetIndex) -> None:
    strike = StrikeColumns.of([world.strikes["k-1"]], index.names)
    rows = rows_in_reach(shapely.bounds(strike.geometry), strike.uncertainty_m, index)
    assert {"a-70", "a-71"} <= {index.ids[row] for row in rows}


def test_what_has_no_place_is_in_reach_of_nothing(index: AssetIndex) -> None:
    assert rows_in_reach(np.full((2, 4), np.nan), np.zeros(2), index).tolist() == []
    assert rows_in_reach(np.empty((0, 4)), np.empty(0), index).tolist() == []
