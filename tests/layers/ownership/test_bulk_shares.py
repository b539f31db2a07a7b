"""All nodes solved together equal the walk from each of them, by rule and by country, loops included."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.country_bounds import country_bounds
from bench.ownership import register as register_of
from layers.model.problems import UnknownRecord
from layers.model.records import Records
from layers.ownership.minority import Minority
from layers.ownership.owners import OwnersOnDate
from layers.ownership.stake_graph import StakeColumns
from layers.ownership.walk import CountryShare, Interval, OwnershipGraph, Walk
from layers.snapshot.snapshot import Snapshot
from tests.layers.builders import Holder, Share, records

COUNTRIES = ["AA", "BB", None]


@st.composite
def worlds(draw: st.DrawFn, exact: bool = False) -> Records:
    """Companies of known and unknown country, joint or not, states, persons and unknown holders; shares as ranges."""
    count = draw(st.integers(1, 6))
    kinds = st.sampled_from(["registeredEntity", "registeredEntity", "state", "stateBody", "person", "unknownEntity"])
    holders: list[Holder] = [(f"c{i}", draw(kinds), draw(st.sampled_from(COUNTRIES))) for i in range(count)]
    shares: list[Share] = []
    for node in ["a", *(f"c{i}" for i in range(count))]:
        left = 98
        for owner in draw(st.lists(st.sampled_from([h[0] for h in holders]), unique=True, max_size=4)):
            least = draw(st.integers(0, left))
            left -= least
            if owner != node:
                shares.append((owner, node, float(least), float(least if exact else draw(st.integers(least, 100)))))
    joint = draw(st.lists(st.sampled_from([h[0] for h in holders]), unique=True))
    return records(holders, shares, joint)


@given(st.one_of(worlds(), worlds(exact=True)), st.sampled_from(["stay", "follow"]))
def test_a_rollup_equals_the_walk_from_every_node(known: Records, minority: Minority) -> None:
    table = StakeColumns.of(known)
    ownership = OwnershipGraph(table, None, None, minority=minority)
    asked = list(range(len(table.nodes.countries)))
    found = country_bounds(ownership.graph, ownership.country, asked, minority)
    for node, name in enumerate(table.nodes.ids):
        walked = {row.country: row.share for row in Walk(ownership, name).shares()}
        for column, country in enumerate(table.nodes.countries):
            share = walked.get(country, Interval(0, 0))
            assert 100 * found.low[node, column] == pytest.approx(share.low, abs=1e-6)
            assert 100 * found.high[node, column] == pytest.approx(share.high, abs=1e-6)


@pytest.mark.parametrize("minority", ["stay", "follow"])
def test_a_rollup_of_the_bundled_records_equals_the_walks(snapshot: Snapshot, minority: Minority) -> None:
    day = snapshot.data_date
    ownership = OwnershipGraph(snapshot.stakes, day, day, minority=minority)
    countries = snapshot.stakes.nodes.countries
    found = country_bounds(ownership.graph, ownership.country, list(range(len(countries))), minority)
    for asset in snapshot.records.assets:
        walked = {row.country: row.share for row in Walk(ownership, asset).shares()}
        for column, country in enumerate(countries):
            share = walked.get(country, Interval(0, 0))
            row = ownership.number(asset)
            assert 100 * found.low[row, column] == pytest.approx(share.low, abs=1e-6)
            assert 100 * found.high[row, column] == pytest.approx(share.high, abs=1e-6)


def told(shares: tuple[CountryShare, ...]) -> dict[str, list[float]]:
    """Shares and reaches of each country as numbers."""
    return {
        row.country: [end for part in (row.share, *row.reaches.values()) for end in (part.low, part.high)]
        for row in shares
    }


@given(st.one_of(worlds(), worlds(exact=True)), st.sampled_from(["stay", "follow"]))
def test_solved_shares_equal_the_walk_from_every_node(known: Records, minority: Minority) -> None:
    ownership = OwnershipGraph(known, None, None, minority=minority)
    solved = OwnersOnDate(ownership, 0)
    for name in ownership.nodes.ids:
        found, walked = told(solved.of(name).shares), told(Walk(ownership, name).shares())
        assert found.keys() == walked.keys()
        for country, shares in found.items():
            assert shares == pytest.approx(walked[country], abs=1e-7)


@pytest.mark.parametrize("minority", ["stay", "follow"])
def test_a_large_register_with_loops_in_loops_equals_its_walks(minority: Minority) -> None:
    table = register_of(3000, 6000, 600, seed=3, unsure=0.0)
    ownership = OwnershipGraph(table, None, None, minority=minority)
    solved = OwnersOnDate(ownership, 0)
    for node in [*range(2000, 2900, 90), *(range(1300, 1700, 100) if minority == "follow" else ())]:
        found, walked = told(solved.of(f"e{node}").shares), told(Walk(ownership, f"e{node}").shares())
        assert found.keys() == walked.keys()
        for country, shares in found.items():
            assert shares == pytest.approx(walked[country], abs=1e-7)


def test_what_is_not_known_to_be_exact_is_bounded() -> None:
    """One open share above ``a`` and none above ``c``."""
    known = records(
        [("c", "registeredEntity", "AA"), ("d", "registeredEntity", "AA"), ("s", "state", "BB")],
        [("c", "a", 50, 50), ("d", "a", 10, 30), ("s", "c", 60, 60)],
        joint=["c"],
    )
    solved = OwnersOnDate(OwnershipGraph(known, None, None), 0)
    shares = {row.country: row.share for row in solved.of("a").shares}
    assert shares["BB"].low == pytest.approx(30)
    assert (shares["AA"].low, shares["AA"].high) == (pytest.approx(30), pytest.approx(50))
    assert {row.country: row.share.low for row in solved.of("c").shares} == pytest.approx({"AA": 40, "BB": 60})
    with pytest.raises(UnknownRecord):
        solved.of("nobody")
