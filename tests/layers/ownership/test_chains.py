"""What an entity holds equals what the chains upward say it has."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given

from layers.model.problems import UnknownRecord
from layers.ownership.chains import chains, holdings_of
from layers.ownership.walk import OwnershipGraph
from layers.snapshot.snapshot import Snapshot
from tests.layers.builders import Share, records
from tests.layers.ownership.test_walk import STATES, brute, companies, graphs


@given(graphs(cyclic=False))
def test_holdings_are_the_sums_over_all_paths(graph: tuple[int, list[Share]]) -> None:
    count, shares = graph
    ownership = OwnershipGraph(records(companies(count) + STATES, shares), None, None)
    for name in [*(f"c{i}" for i in range(count)), "s0"]:
        held = {row.id: row for row in holdings_of(ownership, name)}
        for node in ["a", *(f"c{i}" for i in range(count))]:
            if node != name:
                expected = float(100 * brute(shares, node, name))
                found = held[node].effective.low if node in held else 0.0
                assert found == pytest.approx(expected, abs=1e-9)


def test_direct_and_effective_shares_are_apart() -> None:
    known = records(
        [("s", "state", "AA"), ("c", "registeredEntity", "AA")],
        [("c", "a", 50, 50), ("s", "c", 40, 60), ("s", "a", 10, 10)],
    )
    told = {row.id: row for row in holdings_of(OwnershipGraph(known, None, None), "s")}
    assert (told["a"].direct.low, told["a"].effective.low, told["a"].effective.high) == pytest.approx((10, 30, 40))
    assert (told["c"].direct.low, told["c"].direct.high) == pytest.approx((40, 60))
    assert holdings_of(OwnershipGraph(known, None, None), "a") == ()
    with pytest.raises(UnknownRecord):
        holdings_of(OwnershipGraph(known, None, None), "nobody")


def test_what_socar_held_when_its_depot_was_struck(snapshot: Snapshot) -> None:
    day = date(2025, 8, 8)
    held = {row.id: row.effective.low for row in snapshot.holdings("socar", day)}
    assert held["a-socar-sintez"] == pytest.approx(100)
    assert held["a-tanap"] == pytest.approx(31.99)
    ownership = OwnershipGraph(snapshot.stakes, day, day)
    through = [path for path in chains(ownership, "a-tanap").paths if any(s.stake.owner == "socar" for s in path.steps)]
    assert sum(path.share.low for path in through) == pytest.approx(31.99)
