"""All nodes solved together equal the walk from each of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.ownership import Interval, Minority, Register, Walk
from layers.rollup import rollup
from layers.schema import Records
from layers.snapshot import Snapshot
from layers.stake_table import StakeTable
from tests.layers.making import Holder, Share, records

COUNTRIES = ["AA", "BB", None]


@st.composite
def worlds(draw: st.DrawFn) -> Records:
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
                shares.append((owner, node, float(least), float(draw(st.integers(least, 100)))))
    joint = draw(st.lists(st.sampled_from([h[0] for h in holders]), unique=True))
    return records(holders, shares, joint)


@given(worlds(), st.sampled_from(["stay", "follow"]))
def test_a_rollup_equals_the_walk_from_every_node(known: Records, minority: Minority) -> None:
    table = StakeTable.of(known)
    register = Register(table, None, None, minority=minority)
    asked = list(range(len(table.nodes.countries)))
    found = rollup(register.graph, register.country, asked, minority)
    for node, name in enumerate(table.nodes.ids):
        walked = {row.country: row.share for row in Walk(register, name).shares()}
        for column, country in enumerate(table.nodes.countries):
            share = walked.get(country, Interval(0, 0))
            assert 100 * found.low[node, column] == pytest.approx(share.low, abs=1e-6)
            assert 100 * found.high[node, column] == pytest.approx(share.high, abs=1e-6)


@pytest.mark.parametrize("minority", ["stay", "follow"])
def test_a_rollup_of_the_bundled_records_equals_the_walks(snapshot: Snapshot, minority: Minority) -> None:
    day = snapshot.data_date
    register = Register(snapshot.stakes, day, day, minority=minority)
    countries = snapshot.stakes.nodes.countries
    found = rollup(register.graph, register.country, list(range(len(countries))), minority)
    for asset in snapshot.records.assets:
        walked = {row.country: row.share for row in Walk(register, asset).shares()}
        for column, country in enumerate(countries):
            share = walked.get(country, Interval(0, 0))
            row = register.number(asset)
            assert 100 * found.low[row, column] == pytest.approx(share.low, abs=1e-6)
            assert 100 * found.high[row, column] == pytest.approx(share.high, abs=1e-6)
