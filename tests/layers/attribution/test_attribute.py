"""Which sites and ties a strike surely has, and whose they are, where it is open what was hit or when."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest

from api.wording.catalogue import text
from layers.attribution.attribute import (
    Attributor,
    HitOwnership,
    StrikeAttribution,
    attribution_rows,
    bounds_over_sites,
    country_of,
    counts_as_strike,
    is_sure_strike,
    shares_of_sites,
    sites_together,
    stands,
    sure_of_sites,
    sure_sites,
    sure_ties,
)
from layers.attribution.host_country import Host
from layers.decisions.hits import Hit, StrikeOutcome
from layers.model.records import Decision, Entity, Records, Relation
from layers.ownership.chains import Chains
from layers.ownership.owners import Owners, OwnersByDate
from layers.ownership.stake_graph import StakeColumns
from layers.ownership.walk import REACHES, CountryShare, Interval
from tests.layers.builders import records
from tests.layers.strike_builders import strike

NONE = Interval(0.0, 0.0)
NOWHERE = Host()


def site(
    asset: str, verdict: str, *ties: Relation, rest: Interval = NONE, **shares: tuple[float, float]
) -> HitOwnership:
    rows = tuple(
        CountryShare(
            country, Interval(*ends), MappingProxyType({**dict.fromkeys(REACHES, NONE), "state": Interval(*ends)})
        )
        for country, ends in shares.items()
    )
    owners = Owners(rows, rest, (), (), lambda: Chains((), NONE))
    return HitOwnership(Hit(asset, verdict, None), owners, ties)  # type: ignore[arg-type]


def answer(
    *hits: HitOwnership, status: str = "reported", verdict: str | None = None, host: Host = NOWHERE, **values: Any
) -> StrikeAttribution:
    said = Decision(id="d", strike="x", verdict=verdict, who="t", when="2026-01-01", why="w") if verdict else None  # type: ignore[arg-type]
    outcome = StrikeOutcome("x", (), "decision", said)
    one = strike("x", status=status, **values)
    return StrikeAttribution(one, outcome, hits, (), NONE, (), "registration", "stay", host)


def tie(asset: str = "a", **values: Any) -> Relation:
    stated = {
        "id": f"{asset}-tie",
        "asset": asset,
        "entity": "s",
        "relation": "operator",
        "source": "s",
        "checked": "read",
    }
    return Relation.model_validate({**stated, **values})


def test_a_strike_counts_unless_it_is_retracted_or_said_to_be_none() -> None:
    sure = site("a", "confirmed", AA=(100, 100))
    assert is_sure_strike(answer(sure))
    for no_strike in (answer(sure, status="retracted"), answer(sure, verdict="not-a-strike")):
        assert not counts_as_strike(no_strike)
        assert sure_sites(no_strike) == ()
    assert stands("reported", answer(verdict="unsure").outcome)
    draft, beyond = answer(sure, status="draft"), answer(sure)._replace(is_within=False)
    for open_one in (draft, beyond):
        assert counts_as_strike(open_one)
        assert not is_sure_strike(open_one)
        assert sure_sites(open_one) == ()
        assert not any(row.sure for row in attribution_rows(Records.of({}), open_one, text))
    assert sure_sites(answer(sure, site("b", "possible"))) == ("a",)


def test_the_seat_counts_by_head_office_alone_and_where_it_is_known() -> None:
    there = Entity(id="e", name="E", type="registeredEntity", registered_in="AA", headquartered_in="BB", checked="read")
    unseated = there.model_copy(update={"headquartered_in": None})
    assert [country_of(there, basis) for basis in ("registration", "headquarters")] == ["AA", "BB"]
    assert country_of(unseated, "headquarters") == "AA"


def test_of_confirmed_sites_and_a_possible_one_the_share_is_that_of_all_or_of_the_confirmed_ones() -> None:
    sure, maybe = site("a", "confirmed", AA=(100, 100)), site("b", "possible", BB=(100, 100))
    shares, rest = shares_of_sites((sure, maybe))
    assert {row.country: (row.share.low, row.share.high) for row in shares} == {"AA": (50, 100), "BB": (0, 50)}
    assert rest == NONE
    assert sites_together((sure, maybe)) == 2
    assert sites_together((site("a", "possible"), maybe)) == 1
    held = {"a": Interval(100, 100), "b": NONE}
    assert bounds_over_sites((sure, maybe), lambda one: held[one.hit.asset]) == Interval(50, 100)
    assert bounds_over_sites((), lambda one: held[one.hit.asset]) == Interval(100, 100)


def test_shares_of_one_upper_bound_are_sorted_by_the_lower_one() -> None:
    first, second = site("a", "possible", AA=(10, 60), BB=(40, 60)), site("b", "possible", AA=(10, 60), BB=(40, 60))
    assert [row.country for row in shares_of_sites((first, second))[0]] == ["BB", "AA"]


def test_one_possible_site_makes_nothing_sure_and_several_what_they_have_in_common() -> None:
    of = {"a": {"AA", "BB"}, "b": {"BB", "CC"}}
    one, other = site("a", "possible"), site("b", "possible")
    assert sure_of_sites((one,), lambda hit: of[hit.hit.asset]) == set()
    assert sure_of_sites((one, other), lambda hit: of[hit.hit.asset]) == {"BB"}
    confirmed = (site("a", "confirmed"), site("b", "confirmed"))
    assert sure_of_sites(confirmed, lambda hit: of[hit.hit.asset]) == {"AA", "BB", "CC"}


def test_a_tie_is_sure_where_it_held_on_every_day_of_a_sure_strike() -> None:
    entities = records([("s", "state", "AA")], []).entities
    for since, held in (("2024", True), ("2025-08-08", True), ("2025-08", False), ("2025-08-09", False)):
        found = sure_ties(entities, answer(site("a", "confirmed", tie(since=since))))
        assert found == ({("AA", "operator")} if held else set()), since
    assert sure_ties(entities, answer(site("a", "confirmed", tie()), status="draft")) == set()


def attributed(known: Records, *asked: tuple[str, Relation | None]) -> list[list[str]]:
    """Ids of the ties of the asset ``a`` by strikes of some days."""
    ties = {one.id: one for _, one in asked if one is not None}
    found = []
    for when, _ in asked:
        one = strike("x", when)
        whole = replace(known, strikes={"x": one}, relations=ties)
        attributor = Attributor(whole, OwnersByDate(StakeColumns.of(whole)))
        outcome = StrikeOutcome("x", (Hit("a", "confirmed", None),), "decision", None)
        found.append([held.id for held in attributor.attribute(outcome).hits[0].relations])
    return found


@pytest.mark.parametrize(
    ("since", "until", "listed"),
    [
        ("2025", None, True),
        ("2025-08", None, True),
        ("2025-08-08~", None, True),
        (None, "2025-08", True),
        ("2025-09", None, False),
        (None, "2025-08-08", False),
    ],
)
def test_a_tie_that_may_have_held_is_listed(since: str | None, until: str | None, listed: bool) -> None:
    known = records([("s", "state", "AA")], [])
    assert attributed(known, ("2025-08-08", tie(since=since, until=until))) == [["a-tie"] if listed else []]


def test_a_tie_of_another_strike_is_not_listed() -> None:
    known = records([("s", "state", "AA")], [])
    assert attributed(known, ("2025-08-08", tie(strike="x"))) == [["a-tie"]]
    assert attributed(known, ("2025-08-08", tie(strike="other"))) == [[]]


def test_owners_are_those_of_the_day_of_each_strike() -> None:
    known = records([("s", "state", "AA"), ("t", "state", "BB")], [("s", "a", 100, 100), ("t", "a", 100, 100)])
    first, second = known.stakes.values()
    stakes = {
        first.id: first.model_copy(update={"until": "2025"}),
        second.id: second.model_copy(update={"since": "2025"}),
    }
    strikes = {day: strike(day, day) for day in ("2024-06-01", "2026-06-01")}
    whole = replace(known, stakes=stakes, strikes=strikes)
    attributor = Attributor(whole, OwnersByDate(StakeColumns.of(whole)))
    outcomes = [StrikeOutcome(day, (Hit("a", "confirmed", None),), "decision", None) for day in strikes]
    assert [[row.country for row in attributor.attribute(one).shares] for one in outcomes] == [["AA"], ["BB"]]


def test_rows_say_what_is_sure_what_is_an_alternative_and_what_is_nobodys() -> None:
    known = records([("s", "state", "AA")], [])
    maybe = site("a", "proposed", rest=Interval(0.0, 40.0), AA=(60, 100))
    rows = [*attribution_rows(known, answer(maybe), text)]
    assert [(row.relation, row.country, row.sure, row.alternative) for row in rows] == [
        ("host", None, False, False),
        ("owner", "AA", False, False),
        ("owner", None, False, False),
    ]
    several = [*attribution_rows(known, answer(site("a", "possible", AA=(1, 1)), host=Host("UA", "stated")), text)]
    assert [(row.relation, row.country, row.sure, row.alternative) for row in several] == [
        ("host", "UA", True, False),
        ("owner", "AA", False, True),
    ]
