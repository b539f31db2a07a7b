"""Shares against brute force, a dense solve, and the answers that are known."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.model.records import Records
from layers.ownership import absorbing_chain
from layers.ownership.chains import chains
from layers.ownership.walk import Interval, OwnershipGraph, Walk
from tests.layers.builders import Share, records, worded

STATES = [("s0", "state", "AA"), ("s1", "state", "BB"), ("s2", "state", "CC")]


def walk(known: Records, start: str = "a", **how: str) -> Walk:
    return Walk(OwnershipGraph(known, None, None, **how), start)  # type: ignore[arg-type]


def by_country(known: Records, start: str = "a", **how: str) -> dict[str, Interval]:
    return {row.country: row.share for row in walk(known, start, **how).shares()}


@st.composite
def graphs(draw: st.DrawFn, cyclic: bool) -> tuple[int, list[Share]]:
    """Companies c0..cn with exact shares in whole percent; ``a`` is owned by them, they by others and by states."""
    count = draw(st.integers(1, 5))
    shares: list[Share] = []
    for node in ["a", *(f"c{i}" for i in range(count))]:
        row = -1 if node == "a" else int(node[1:])
        above = [f"c{i}" for i in range(count) if (i != row if cyclic else i > row)] + [s[0] for s in STATES]
        owners = draw(st.lists(st.sampled_from(above), unique=True, max_size=4))
        left = 95 if cyclic else 100
        for owner in owners:
            share = draw(st.integers(0, left))
            left -= share
            shares.append((owner, node, float(share), float(share)))
    return count, shares


def companies(count: int) -> list[tuple[str, str, str | None]]:
    return [(f"c{i}", "registeredEntity", "ZZ") for i in range(count)]


def brute(shares: list[Share], node: str, target: str) -> Fraction:
    """Share of ``node`` that ``target`` holds: the sum over all paths, in exact fractions."""
    if node == target:
        return Fraction(1)
    return sum(
        (
            Fraction(int(least), 100) * brute(shares, owner, target)
            for owner, owned, least, _ in shares
            if owned == node
        ),
        Fraction(0),
    )


@given(graphs(cyclic=False))
def test_states_get_the_sum_over_all_paths(graph: tuple[int, list[Share]]) -> None:
    count, shares = graph
    known = records(companies(count) + STATES, shares, joint=[f"c{i}" for i in range(count)])
    found = by_country(known)
    for name, _, country in STATES:
        expected = float(100 * brute(shares, "a", name))
        share = found.get(str(country), Interval(0, 0))
        assert share.low == pytest.approx(expected, abs=1e-6)
        assert share.high == pytest.approx(expected, abs=1e-6)


@given(graphs(cyclic=True))
def test_loops_equal_a_dense_solve(graph: tuple[int, list[Share]]) -> None:
    count, shares = graph
    names = ["a", *(f"c{i}" for i in range(count)), *(s[0] for s in STATES)]
    matrix = np.zeros((len(names), len(names)))
    for owner, owned, least, _ in shares:
        matrix[names.index(owned), names.index(owner)] += least / 100
    effective = np.linalg.inv(np.eye(len(names)) - matrix)[0]
    found = by_country(records(companies(count) + STATES, shares, joint=[f"c{i}" for i in range(count)]))
    for name, _, country in STATES:
        assert found.get(str(country), Interval(0, 0)).high == pytest.approx(
            100 * effective[names.index(name)], abs=1e-6
        )


@given(graphs(cyclic=True), st.booleans())
def test_shares_and_the_unattributed_part_make_100(graph: tuple[int, list[Share]], follow: bool) -> None:
    count, shares = graph
    told = walk(records(companies(count) + STATES, shares), minority="follow" if follow else "stay")
    total = sum(row.share.high for row in told.shares()) + told.unattributed()[0].high
    assert total == pytest.approx(100, abs=1e-5)
    for row in told.shares():
        assert sum(part.high for part in row.reaches.values()) == pytest.approx(row.share.high, abs=1e-5)


@given(graphs(cyclic=True), st.data(), st.sampled_from(["stay", "follow"]))
def test_bounds_hold_the_truth_for_every_completion(
    graph: tuple[int, list[Share]], data: st.DataObject, minority: str
) -> None:
    """Widen exact shares to intervals: the exact answer must lie within the bounds of the widened one."""
    count, shares = graph
    joint = data.draw(st.lists(st.sampled_from([f"c{i}" for i in range(count)]), unique=True))
    holders = [(f"c{i}", "registeredEntity", data.draw(st.sampled_from(["YY", "ZZ", None]))) for i in range(count)]
    exact = by_country(records(holders + STATES, shares, joint), minority=minority)
    widened = []
    for owner, owned, share, _ in shares:
        least = data.draw(st.integers(0, int(share)))
        largest = data.draw(st.integers(int(share), 100))
        widened.append((owner, owned, float(least), float(largest)))
    bounds = by_country(records(holders + STATES, widened, joint), minority=minority)
    for country in {*exact, *bounds}:
        bound, truth = bounds.get(country, Interval(0, 0)), exact.get(country, Interval(0, 0))
        assert bound.low <= truth.low + 1e-6
        assert truth.high <= bound.high + 1e-6


@given(graphs(cyclic=True))
def test_other_names_change_nothing(graph: tuple[int, list[Share]]) -> None:
    count, shares = graph

    def new(name: str) -> str:
        return f"z{9 - int(name[1:])}" if name.startswith("c") else name

    renamed = [(new(owner), new(owned), least, most) for owner, owned, least, most in reversed(shares)]
    others = [(new(name), kind, country) for name, kind, country in companies(count)]
    before = by_country(records(companies(count) + STATES, shares))
    after = by_country(records(others + STATES, renamed))
    assert before.keys() == after.keys()
    for country, share in before.items():
        assert after[country].high == pytest.approx(share.high, abs=1e-6)


def test_a_loop_counts_fully() -> None:
    known = records(
        [("x", "state", "AA"), ("y", "state", "BB"), ("c", "registeredEntity", None), ("d", "registeredEntity", None)],
        [("c", "a", 100, 100), ("x", "c", 60, 60), ("d", "c", 40, 40), ("c", "d", 50, 50), ("y", "d", 50, 50)],
        joint=["c", "d"],
    )
    assert by_country(known)["AA"].low == pytest.approx(75)
    assert by_country(known)["BB"].low == pytest.approx(25)
    assert by_country(known, "d")["AA"].low == pytest.approx(37.5)
    assert by_country(known, "d")["BB"].low == pytest.approx(62.5)


def in_words(found: Walk) -> tuple[Interval, tuple[str, ...]]:
    """The unattributed part and its reasons."""
    part, reasons = found.unattributed()
    return part, worded(reasons)


def test_a_closed_loop_is_unattributed() -> None:
    known = records(
        [("c", "registeredEntity", "AA"), ("d", "registeredEntity", "AA")],
        [("c", "a", 100, 100), ("d", "c", 100, 100), ("c", "d", 100, 100)],
    )
    assert walk(known).shares() == ()
    assert in_words(walk(known)) == (Interval(100, 100), ("closed loop without an outside owner",))


def test_an_unverified_stake_counts_from_zero() -> None:
    known = records([("s", "state", "AA")], [("s", "a", 100, 100)], checked="unverified")
    assert by_country(known) == {"AA": Interval(0, 100)}
    assert in_words(walk(known)) == (Interval(0, 100), ("no owner known",))


def test_the_untraced_part_stays_with_its_company_and_an_unknown_holder_does_not() -> None:
    known = records(
        [("c", "registeredEntity", "AA"), ("s", "state", "BB"), ("u", "unknownEntity", None)],
        [("c", "a", 80, 80), ("s", "c", 30, 30), ("u", "a", 20, 20)],
    )
    told = walk(known)
    rows = {row.country: row for row in told.shares()}
    assert rows["BB"].reaches["state"].low == pytest.approx(24)
    assert rows["AA"].reaches["company"].low == pytest.approx(56)
    assert in_words(told) == (Interval(pytest.approx(20), pytest.approx(20)), ("u: holder not known",))


def test_minorities_stay_unless_they_reach_a_state_or_are_followed() -> None:
    known = records(
        [
            ("c", "registeredEntity", "AA"),
            ("f", "registeredEntity", "BB"),
            ("g", "registeredEntity", "BB"),
            ("h", "registeredEntity", "CC"),
            ("s", "state", "CC"),
        ],
        [("c", "a", 100, 100), ("f", "c", 20, 20), ("g", "f", 100, 100), ("h", "c", 10, 10), ("s", "h", 100, 100)],
    )
    assert by_country(known) == {
        "AA": Interval(pytest.approx(90), pytest.approx(90)),
        "CC": Interval(pytest.approx(10), pytest.approx(10)),
    }
    followed = by_country(known, minority="follow")
    assert followed["BB"].low == pytest.approx(20)
    assert followed["AA"].low == pytest.approx(70)


def of_a_holder(least: float, largest: float, *others: Share) -> dict[str, tuple[float, float]]:
    """Shares of countries in what a company of AA has, of which a company of BB, one fifth a state's, holds a part."""
    holders = [
        ("c", "registeredEntity", "AA"),
        ("h", "registeredEntity", "BB"),
        ("p", "person", "DD"),
        ("s", "state", "CC"),
    ]
    shares = [("c", "a", 100.0, 100.0), ("h", "c", least, largest), ("s", "h", 20.0, 20.0), *others]
    found = by_country(records(holders, shares))
    return {country: (round(share.low, 6), round(share.high, 6)) for country, share in found.items()}


def test_a_holder_of_half_or_more_may_have_it_all_or_leave_it_with_the_company() -> None:
    assert of_a_holder(50, 100) == {"AA": (0, 90), "BB": (0, 80), "CC": (10, 20)}
    assert of_a_holder(40, 60) == {"AA": (40, 92), "BB": (0, 48), "CC": (8, 12)}


def test_a_holder_that_surely_has_more_than_half_or_not_is_as_before() -> None:
    assert of_a_holder(51, 100) == {"AA": (0, 49), "BB": (40.8, 80), "CC": (10.2, 20)}
    assert of_a_holder(20, 50) == {"AA": (90, 96), "CC": (4, 10)}


def test_what_others_surely_hold_may_leave_no_majority() -> None:
    assert of_a_holder(50, 100, ("p", "c", 50, 100)) == {"AA": (90, 90), "CC": (10, 10)}
    assert of_a_holder(30, 100, ("p", "c", 45, 45)) == {"AA": (45, 94), "BB": (0, 44), "CC": (6, 11)}
    assert of_a_holder(30, 100, ("p", "c", 55, 55)) == {"DD": (55, 55), "AA": (36, 39), "CC": (6, 9)}


def test_chains_over_a_stake_that_may_be_a_majority_end_in_either_country() -> None:
    holders = [("c", "registeredEntity", "AA"), ("h", "registeredEntity", "BB")]
    known = records(holders, [("c", "a", 100, 100), ("h", "c", 50, 100)])
    found = chains(OwnershipGraph(known, None, None), "a")
    told = [(len(chain.steps), chain.end.country, chain.share) for chain in found.paths]
    assert sorted(told, key=str) == [
        (1, "AA", Interval(0, 50)),
        (2, "AA", Interval(0, 100)),
        (2, "BB", Interval(0, 100)),
    ]


def test_partners_of_a_joint_company_are_its_owners_and_unknown_ones_stay_unknown() -> None:
    known = records(
        [("j", "registeredEntity", "AA"), ("f", "registeredEntity", "BB"), ("o", "registeredEntity", None)],
        [("j", "a", 100, 100), ("f", "j", 98, 98), ("o", "j", 2, 2)],
        joint=["j"],
    )
    told = walk(known)
    assert by_country(known) == {"BB": Interval(pytest.approx(98), pytest.approx(98))}
    assert in_words(told) == (Interval(pytest.approx(2), pytest.approx(2)), ("o: country not known",))


def test_more_than_100_is_reported_and_not_rescaled() -> None:
    known = records([("s", "state", "AA"), ("t", "state", "BB")], [("s", "a", 100, 100), ("t", "a", 75.99, 75.99)])
    ownership = OwnershipGraph(known, None, None)
    assert worded(ownership.warnings([ownership.number("a")])) == ("known stakes in a sum to 175.99 %",)
    assert by_country(known)["AA"].low == pytest.approx(100)
    assert by_country(known)["BB"].low == pytest.approx(75.99)


def test_chains_are_the_paths_largest_first_with_the_rest() -> None:
    known = records(
        [("x", "state", "AA"), ("y", "state", "BB"), ("c", "registeredEntity", None), ("d", "registeredEntity", None)],
        [("c", "a", 100, 100), ("x", "c", 60, 60), ("d", "c", 40, 40), ("c", "d", 50, 50), ("y", "d", 50, 50)],
        joint=["c", "d"],
    )
    told = chains(OwnershipGraph(known, None, None), "a")
    ends = [(chain.end.country, chain.share.low, len(chain.steps)) for chain in told.paths]
    assert ends == [("AA", pytest.approx(60), 2), ("BB", pytest.approx(20), 3)]
    assert told.rest.low == pytest.approx(20)


@given(graphs(cyclic=False))
def test_without_loops_the_chains_add_up_to_the_shares(graph: tuple[int, list[Share]]) -> None:
    count, shares = graph
    known = records(companies(count) + STATES, shares, joint=[f"c{i}" for i in range(count)])
    told = chains(OwnershipGraph(known, None, None), "a")
    found = by_country(known)
    slack = 0.005 * 200  # chains below 0.005 % are in the rest
    for country, share in found.items():
        total = sum(chain.share.low for chain in told.paths if chain.end.country == country)
        assert total == pytest.approx(share.low, abs=slack)
    assert sum(chain.share.low for chain in told.paths) + told.rest.low == pytest.approx(100, abs=1e-6)


def test_a_gain_of_rounding_closes_no_loop() -> None:
    """Shares that may just fill a ring: at least nothing is anybody's, at most all of it stays in the country."""
    known = records(
        [(f"c{number}", "registeredEntity", "AA") for number in range(5)],
        [
            ("c4", "c0", 18, 24),
            ("c1", "c0", 50, 53),
            ("c2", "c0", 21, 23),
            ("c0", "c1", 34, 34),
            ("c2", "c1", 1, 66),
            ("c0", "c2", 83, 83),
            ("c1", "c2", 7, 17),
            ("c0", "c4", 18, 18),
            ("c1", "c4", 0, 82),
        ],
    )
    for start in ("c0", "c1", "c2", "c4"):
        share = by_country(known, start)["AA"]
        assert (share.low, share.high) == (pytest.approx(0, abs=1e-6), pytest.approx(100))


def test_what_a_body_of_a_state_holds_is_the_states_also_as_a_minority() -> None:
    known = records(
        [("c", "registeredEntity", "AA"), ("b", "stateBody", "BB")], [("c", "a", 100, 100), ("b", "c", 30, 30)]
    )
    rows = {row.country: row for row in walk(known).shares()}
    assert rows["BB"].reaches["state"] == Interval(pytest.approx(30), pytest.approx(30))


def test_a_holder_of_all_leaves_nothing_to_the_company_and_the_free_float_is_no_holder() -> None:
    holders = [("c", "registeredEntity", "AA"), ("s", "state", "BB"), ("free-float", "unknownEntity", None)]
    known = records(holders, [("c", "a", 100, 100), ("s", "c", 100, 100)])
    assert walk(known).holders() == {"BB": ("s",)}
    floated = records(holders, [("c", "a", 100, 100), ("s", "c", 60, 60), ("free-float", "c", 40, 40)])
    assert by_country(floated) == {"AA": Interval(40, 40), "BB": Interval(60, 60)}
    assert in_words(walk(floated)) == (Interval(0, 0), ())


@pytest.mark.parametrize(("most", "warned"), [(20.4, False), (20.6, True)])
def test_half_a_percent_over_100_is_rounding(most: float, warned: bool) -> None:
    known = records([("s", "state", "AA"), ("t", "state", "BB")], [("s", "a", 80, 80), ("t", "a", most, most)])
    assert bool(walk(known).warnings()) is warned


@pytest.mark.parametrize(
    ("first", "last", "share"),
    [
        ("2025-02-09", "2025-02-09", (0, 0)),
        ("2025-02-10", "2025-02-10", (60, 60)),
        ("2025-03-19", "2025-03-19", (60, 60)),
        ("2025-03-20", "2025-03-20", (0, 0)),
        ("2025-02-10", "2025-03-19", (60, 60)),
        ("2025-02-09", "2025-02-10", (0, 60)),
        ("2025-03-19", "2025-03-20", (0, 60)),
        ("2025-03-20", "2025-04-01", (0, 0)),
    ],
)
def test_a_stake_counts_from_its_first_day_until_the_one_on_which_it_no_longer_holds(
    first: str, last: str, share: tuple[float, float]
) -> None:
    known = records([("s", "state", "AA")], [("s", "a", 60, 60)])
    (stake,) = known.stakes.values()
    dated = stake.model_copy(update={"since": "2025-02-10", "until": "2025-03-20"})
    known = replace(known, stakes={stake.id: dated})
    found = Walk(OwnershipGraph(known, date.fromisoformat(first), date.fromisoformat(last)), "a").shares()
    assert [row.share.rounded() for row in found] == ([share] if share[1] else [])


@pytest.mark.parametrize("rounds", [1, 20_000])
def test_a_loop_over_a_stake_that_may_be_a_majority_is_bounded_as_by_value_iteration(
    monkeypatch: pytest.MonkeyPatch, rounds: int
) -> None:
    """Value iteration alone takes thousands of rounds in a loop that shares hardly leave."""
    holders = [("c", "registeredEntity", "AA"), ("h", "registeredEntity", "BB"), ("d", "registeredEntity", "CC")]
    shares = [("c", "a", 100, 100), ("h", "c", 45, 95), ("d", "c", 3, 5), ("c", "h", 95, 98), ("d", "h", 1, 2)]
    monkeypatch.setattr(absorbing_chain, "_VALUE_ROUNDS", rounds)
    found = by_country(records(holders, shares))  # type: ignore[arg-type]
    assert {country: share.rounded() for country, share in found.items()} == {
        "AA": (51.2821, 100.0),
        "BB": (0.0, 48.7179),
    }
