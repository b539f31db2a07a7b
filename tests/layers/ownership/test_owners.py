"""What is served equals the pure walk wherever the walk would stop, and what is kept is what was asked for."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from itertools import pairwise
from unittest import mock

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bench.ownership import register as register_of
from layers.model.problems import UnknownRecord
from layers.model.records import Entity, Records
from layers.model.types import CountryBasis
from layers.ownership import bulk_shares, chains, owners
from layers.ownership.chains import Chain, Chains, UpperBound
from layers.ownership.minority import Minority
from layers.ownership.owners import BulkOwners, NodeOwners, Owners, OwnersByDate, OwnersOnDate
from layers.ownership.stake_graph import FREE_FLOAT, NodeKind, StakeColumns
from layers.ownership.walk import CountryShare, Interval, OwnershipGraph, StakeEdge, Walk, WalkState
from tests.layers.builders import Holder, Share, records, worded

COUNTRIES = ["AA", "BB", None]
NONE = Interval(0.0, 0.0)
KINDS = ["registeredEntity", "registeredEntity", "state", "stateBody", "person", "unknownEntity"]


@st.composite
def worlds(draw: st.DrawFn) -> Records:
    """Holders of every kind, some without a country, with seats elsewhere; loops, or known stakes of more than 100."""
    count, loops, exact = draw(st.integers(1, 6)), draw(st.booleans()), draw(st.booleans())
    names = [f"c{number}" for number in range(count)]
    holders: list[Holder] = [(n, draw(st.sampled_from(KINDS)), draw(st.sampled_from(COUNTRIES))) for n in names]
    shares: list[Share] = []
    for row, node in enumerate(["a", *names]):
        left = 100
        above = [name for name in names if name != node] if loops else names[row:]
        for owner in draw(st.lists(st.sampled_from([*above, FREE_FLOAT]), unique=True, max_size=4)):
            least = draw(st.one_of(st.integers(0, left), st.sampled_from([min(left, 50), left])))
            left -= least if loops else 0  # more than the whole has no value in a loop
            shares.append((owner, node, float(least), float(least if exact else draw(st.integers(least, 100)))))
    known = records(
        [*holders, (FREE_FLOAT, "unknownEntity", None)], shares, draw(st.lists(st.sampled_from(names), unique=True))
    )
    seats = {name: entity.model_copy(update=seat(draw)) for name, entity in known.entities.items()}
    return Records.of({**{t: known.table(t) for t in ("sources", "assets", "stakes")}, "entities": seats})


def seat(draw: st.DrawFn) -> dict[str, str | None]:
    return {"headquartered_in": draw(st.sampled_from(["CC", *COUNTRIES]))}


def require_equal(found: Walk | NodeOwners, walk: Walk) -> None:
    """Shares and the unattributed part to the last digits that count, reasons and warnings to the letter."""
    shares, expected_shares = numbers(found), numbers(walk)
    # A share that is nothing to the last digit may be listed by one of them alone.
    nothing = dict.fromkeys(shares.keys() | expected_shares.keys(), 0.0)
    assert {**nothing, **shares} == pytest.approx({**nothing, **expected_shares}, abs=1e-7)
    part, reasons = found.unattributed()
    expected, why = walk.unattributed()
    assert (part.low, part.high) == pytest.approx((expected.low, expected.high), abs=1e-7)
    assert reasons == why
    assert found.warnings() == walk.warnings()


def numbers(found: Walk | NodeOwners) -> dict[str, float]:
    return {
        f"{row.country} {reach} {end}": getattr(part, end)
        for row in found.shares()
        for reach, part in {"all": row.share, **row.reaches}.items()
        for end in ("low", "high")
    }


@given(
    worlds(),
    st.sampled_from(["stay", "follow"]),
    st.sampled_from(["registration", "headquarters"]),
    st.sampled_from([0, bulk_shares._MAX_BITS]),
)
def test_what_is_solved_equals_the_walk_from_everything(
    known: Records, minority: Minority, basis: CountryBasis, bits: int
) -> None:
    ownership = OwnershipGraph(known, None, None, basis, minority)
    with mock.patch.object(bulk_shares, "_MAX_BITS", bits):  # without bits the graph is walked for each
        solved = BulkOwners(ownership)
    for name in filter(solved.exact, ownership.nodes.ids):
        require_equal(solved.of(name), Walk(ownership, name))


@given(worlds(), st.sampled_from([0, 1, 2]), st.sampled_from(["stay", "follow"]), st.randoms(use_true_random=False))
def test_it_does_not_matter_how_far_is_walked(known: Records, most: int, minority: Minority, order: object) -> None:
    """Small walks and what is solved, in any order and twice: what is kept is what was found."""
    ownership = OwnershipGraph(known, None, None, minority=minority)
    bounded, free = OwnersOnDate(ownership, most), OwnersOnDate(ownership)
    names = list(ownership.nodes.ids) * 2
    order.shuffle(names)  # type: ignore[attr-defined]
    for name in names:
        found, expected = bounded.of(name), free.of(name)
        assert found.chains == expected.chains
        assert found.reasons == expected.reasons
        assert found.warnings == expected.warnings
        assert ends(found.unattributed) == pytest.approx(ends(expected.unattributed), abs=1e-7)
        shares, others = ({row.country: row.share for row in told.shares} for told in (found, expected))
        assert shares.keys() == others.keys()
        for country, share in shares.items():
            assert ends(share) == pytest.approx(ends(others[country]), abs=1e-7)


def ends(part: Interval) -> tuple[float, float]:
    return part.low, part.high


@pytest.mark.parametrize("minority", ["stay", "follow"])
def test_reasons_and_warnings_of_a_large_register_equal_its_walks(minority: Minority) -> None:
    table = register_of(1000, 2000, 100, seed=4, unsure=0.0)
    rng = np.random.default_rng(5)
    nodes = replace(
        table.nodes,
        registered=np.where(rng.random(1000) < 0.1, -1, table.nodes.registered).astype(np.int16),
        kind=np.where(rng.random(1000) < 0.1, NodeKind.UNKNOWN, table.nodes.kind).astype(np.int8),
        joint=rng.random(1000) < 0.4,
        names=table.nodes.ids,
    )
    share = np.where(rng.random(len(table.owned)) < 0.01, 1.0, table.low * 0.9)
    ownership = OwnershipGraph(replace(table, nodes=nodes, low=share, high=share), None, None, minority=minority)
    solved, told = BulkOwners(ownership), set()
    for name in [f"e{node}" for node in range(480, 900, 35)]:  # in the loop and above it
        walk = Walk(ownership, name)
        assert solved.of(name).unattributed()[1] == walk.unattributed()[1]
        assert solved.of(name).warnings() == walk.warnings()
        told.update(walk.unattributed()[1], walk.warnings())
    assert len(told) > 20


def test_unknown_records_are_refused_however_little_is_walked() -> None:
    ownership = OwnershipGraph(records([("s", "state", "AA")], [("s", "a", 60, 60)]), None, None)
    for most in (0, 100):
        with pytest.raises(UnknownRecord):
            OwnersOnDate(ownership, most).of("nobody")
    assert worded(OwnersOnDate(ownership).of("a").reasons) == ("no owner known",)


def every_path(
    ownership: OwnershipGraph, position: WalkState, taken: tuple[StakeEdge, ...] = ()
) -> Iterator[tuple[tuple[str, str | None, str | None], float]]:
    """Stakes, country and reach, and largest share of every simple path, without any bound; open stakes both ways."""
    holdings = ownership.holdings(position.node)
    high = float(np.prod([holding.high for holding in taken])) * max(0.0, 1 - sum(h.low for h in holdings))
    end = ownership.end(position)
    yield (" ".join(ownership.stake(holding).id for holding in taken), end.country, end.reach), 100 * high
    for holding in holdings:
        if holding.owner not in {position.node, *(step.owned for step in taken)}:
            for above in ownership.steps(position, holding):
                yield from every_path(ownership, above, (*taken, holding))


def circles(ownership: OwnershipGraph, position: WalkState, taken: tuple[StakeEdge, ...] = ()) -> Iterator[float]:
    """The largest shares that lead back to a node of their path, in percent."""
    for holding in ownership.holdings(position.node):
        if holding.owner not in {position.node, *(step.owned for step in taken)}:
            yield from circles(ownership, ownership.steps(position, holding)[0], (*taken, holding))
        else:
            yield 100 * float(np.prod([step.high for step in (*taken, holding)]))


# Whether half of c is held, and so d's country or its own counts, is open, and both are of one country.
@example(
    known=records(
        [("c", "registeredEntity", "AA"), ("d", "registeredEntity", "AA")], [("c", "a", 0, 1), ("d", "c", 0, 51)]
    ),
    most=3,
    hoped=False,
)
@given(worlds(), st.integers(1, 5), st.booleans())
def test_chains_are_the_largest_of_all_paths(known: Records, most: int, hoped: bool) -> None:
    ownership = OwnershipGraph(known, None, None)
    with mock.patch.object(chains, "MAX_CHAINS", most):
        found = chains.chains(ownership, "a", UpperBound(ownership) if hoped else None)
    paths = dict(every_path(ownership, ownership.start("a")))
    told = [share for share in paths.values() if share >= chains.MIN_CHAIN_PERCENT]
    assert [chain.share.high for chain in found.paths] == pytest.approx(sorted(told, reverse=True)[:most], abs=1e-9)
    for chain in found.paths:
        assert paths[ids(chain), chain.end.country, chain.end.reach] == pytest.approx(chain.share.high)
    low = sum(chain.share.low for chain in found.paths)
    start = ownership.start("a")
    left_out = sorted(share for share in paths.values() if share > 1e-6)[: -len(found.paths) or None]
    if left_out or any(share > 1e-6 for share in circles(ownership, start)):
        assert found.rest.high == pytest.approx(max(0.0, 100 - low), abs=2e-6)


def test_nothing_is_left_out_where_every_path_is_told_though_shares_are_unknown() -> None:
    known = records([("s", "state", "AA"), ("c", "registeredEntity", "BB")], [("s", "a", 0, 100), ("c", "a", 0, 100)])
    told = chains.chains(OwnershipGraph(known, None, None), "a")
    assert (len(told.paths), told.rest) == (3, Interval(0, 0))


def test_a_circle_of_unknown_shares_is_left_out() -> None:
    holders: list[Holder] = [("c", "registeredEntity", "AA"), ("d", "registeredEntity", "BB")]
    known = records(holders, [("c", "a", 0, 100), ("d", "c", 0, 100), ("c", "d", 0, 50)])
    assert chains.chains(OwnershipGraph(known, None, None), "a").rest == Interval(0, 100)


def test_hope_is_never_too_little_for_a_long_chain() -> None:
    names = [*(f"c{number}" for number in range(100)), "s"]
    holders: list[Holder] = [(name, "registeredEntity", "AA") for name in names]
    ownership = OwnershipGraph(records(holders, [(o, n, 100, 100) for n, o in pairwise(["a", *names])]), None, None)
    (chain,) = chains.chains(ownership, "a", UpperBound(ownership)).paths
    assert (len(chain.steps), chain.share) == (101, Interval(100, 100))


def ids(chain: Chain) -> str:
    return " ".join(step.stake.id for step in chain.steps)


def sold() -> StakeColumns:
    """From AA's to BB's on 10 February 2025; a stake in another is dated to the month."""
    known = records([("s", "state", "AA"), ("t", "state", "BB"), ("c", "registeredEntity", "AA")], [])
    one = next(iter(records([], [("s", "a", 100, 100)]).stakes.values()))
    dated = [("s", "a", None, "2025-02-10"), ("t", "a", "2025-02-10", None), ("t", "c", "2025-06", None)]
    stakes = {
        str(row): one.model_copy(update={"id": str(row), "owner": by, "owned": of, "since": since, "until": until})
        for row, (by, of, since, until) in enumerate(dated)
    }
    tables = {name: known.table(name) for name in ("sources", "entities", "assets")}
    return StakeColumns.of(Records.of({**tables, "stakes": stakes}))


@given(st.lists(st.one_of(st.none(), st.dates(date(2025, 2, 8), date(2025, 7, 2))), min_size=4, max_size=4))
def test_between_the_same_turns_the_same_stakes_hold(days: list[date | None]) -> None:
    table = sold()
    graphs = [replace(table).on(*days[:2]), replace(table).on(*days[2:])]  # apart, as a table keeps its own
    same = all(np.array_equal(getattr(graphs[0], part), getattr(graphs[1], part)) for part in ("row", "low", "high"))
    if table.between(*days[:2]) == table.between(*days[2:]):
        assert same


def test_owners_are_cached_for_all_days_on_which_the_stakes_hold() -> None:
    table = sold()
    registers = OwnersByDate(table)
    first = registers.on(date(2025, 2, 1), date(2025, 2, 1))
    assert table.on(date(2025, 2, 9), date(2025, 2, 9)) is first.ownership.graph
    assert registers.on(date(2025, 2, 9), date(2025, 2, 9)) is first
    after = registers.on(date(2025, 2, 10), date(2025, 2, 10))
    assert [row.country for row in first.of("a").shares + after.of("a").shares] == ["AA", "BB"]
    assert registers.on(date(2025, 2, 9), date(2025, 2, 9), "headquarters") is not first
    assert registers.on(date(2025, 2, 9), date(2025, 2, 9), minority="follow") is not first


def test_only_the_latest_owners_are_cached() -> None:
    with mock.patch.object(owners, "_DAYS", 2):
        registers = OwnersByDate(sold())
    before, after, far = (date(2025, 2, 1),) * 2, (date(2025, 3, 1),) * 2, (date(2025, 8, 1),) * 2
    first, second = registers.on(*before), registers.on(*after)
    assert registers.on(*before) is first
    registers.on(*far)
    assert registers.on(*before) is first
    assert registers.on(*after) is not second


def test_many_who_ask_at_once_wait_for_one_solution() -> None:
    table = register_of(2000, 4000, 400, seed=3, unsure=0.0)
    ownership = OwnershipGraph(table, None, None)
    ownership, expected = OwnersOnDate(ownership, 5), Walk(ownership, "e1500").shares()
    with mock.patch.object(owners, "BulkOwners", wraps=BulkOwners) as solving, ThreadPoolExecutor(8) as pool:
        told = list(pool.map(ownership.of, ["e1500"] * 16))
    assert solving.call_count == 1
    assert {row.country for row in told[0].shares} == {row.country for row in expected}
    assert all(one == told[0] for one in told)


def test_a_seat_elsewhere_is_solved_apart() -> None:
    known = records([("c", "registeredEntity", "AA")], [("c", "a", 100, 100)])
    there = Entity.model_validate({**known.entities["c"].model_dump(), "headquartered_in": "BB"})
    known = Records.of({**{t: known.table(t) for t in ("sources", "assets", "stakes")}, "entities": {"c": there}})
    for basis, country in (("registration", "AA"), ("headquarters", "BB")):
        told = OwnersOnDate(OwnershipGraph(known, None, None, basis), 0).of("a")  # type: ignore[arg-type]
        assert [row.country for row in told.shares] == [country]


def test_what_is_surely_held_and_how_columns_hold_it() -> None:
    half = CountryShare(
        "AA", Interval(100 / 3, 50.0), {"state": Interval(0.0, 50.0), "holder": NONE, "company": Interval(33.3, 33.4)}
    )
    rounding = CountryShare("BB", Interval(1e-7, 120.0), {"state": NONE, "holder": NONE, "company": NONE})
    held = Owners((half, rounding), Interval(1.0, 2.0), (), (), lambda: Chains((), NONE))
    assert held.sure_countries == {"AA", None}
    assert [*held.percents] == [
        (33.3333, 50.0, 0.0, 50.0, 0.0, 0.0, 33.3, 33.4),
        (0.0, 100.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    ]
