"""A share of a person of several nationalities is one of theirs: bounds for each, and none of it twice or nobody's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.country_bounds import country_bounds
from layers.model.records import Entity, Records
from layers.ownership.chains import chains, holdings_of
from layers.ownership.control import controller
from layers.ownership.minority import Minority
from layers.ownership.owners import OwnersByDate
from layers.ownership.stake_graph import StakeColumns, countries_of_holder
from layers.ownership.walk import Interval, OwnershipGraph, Walk
from tests.layers.builders import Holder, Share, records


def person(nationalities: tuple[str, ...] = (), registered_in: str | None = None, kind: str = "person") -> Entity:
    return Entity(
        id="p",
        name="P",
        type=kind,  # type: ignore[arg-type]
        registered_in=registered_in,
        nationalities=nationalities,
        checked="read",
    )


def world(shares: list[Share], nationalities: tuple[str, ...], joint: tuple[str, ...] = ()) -> Records:
    """The asset with a company of CC, a person ``p`` of some nationalities and another one of AA."""
    holders: list[Holder] = [("c", "registeredEntity", "CC"), ("p", "person", None), ("q", "person", "AA")]
    known = records(holders, shares, joint)
    return replace(known, entities={**known.entities, "p": person(nationalities)})


def shares_of(known: Records, minority: Minority = "stay") -> dict[str, tuple[float, float]]:
    walk = Walk(OwnershipGraph(known, None, None, minority=minority), "a")
    return {row.country: row.share.rounded() for row in walk.shares()}


@pytest.mark.parametrize(
    ("entity", "countries"),
    [
        (person(), ()),
        (person(("IT", "CH")), ("CH", "IT")),
        (person(("FI", "RU"), "RU"), ("RU",)),
        (person(("FI", "FI")), ("FI",)),
        (person(("FI", "RU"), kind="registeredEntity"), ()),
        (person((), "CY", "registeredEntity"), ("CY",)),
    ],
)
def test_the_effective_nationality_is_the_one_or_each_of_them_may_be(
    entity: Entity, countries: tuple[str, ...]
) -> None:
    assert countries_of_holder(entity) == countries


@pytest.mark.parametrize("nationalities", [("AA", "BB"), ("AA", "BB", "DD")])
def test_each_country_has_from_nothing_to_all_and_nothing_is_nobodys(nationalities: tuple[str, ...]) -> None:
    known = world([("p", "a", 60, 60), ("c", "a", 40, 40)], nationalities)
    assert shares_of(known) == {"CC": (40, 40), **dict.fromkeys(nationalities, (0, 60))}
    walk = Walk(OwnershipGraph(known, None, None), "a")
    assert walk.unattributed() == (Interval(0, 0), ())
    assert walk.holders() == {"CC": ("c",), **dict.fromkeys(nationalities, ("p",))}
    persons = {row.country: row.reaches["holder"].rounded() for row in walk.shares() if row.country != "CC"}
    assert persons == dict.fromkeys(nationalities, (0, 60))


def test_what_a_compatriot_holds_is_sure_beside_it() -> None:
    known = world([("p", "a", 60, 60), ("q", "a", 40, 40)], ("AA", "BB"))
    assert shares_of(known) == {"AA": (40, 100), "BB": (0, 60)}


@pytest.mark.parametrize(("joint", "minority"), [((), "stay"), (("c",), "stay"), ((), "follow")])
def test_a_minority_stays_or_is_followed_as_that_of_any_person(joint: tuple[str, ...], minority: Minority) -> None:
    known = world([("c", "a", 100, 100), ("p", "c", 30, 30), ("q", "c", 70, 70)], ("AA", "BB"), joint)
    followed = bool(joint) or minority == "follow"
    stays = {"CC": (30, 30), "AA": (70, 70)}
    assert shares_of(known, minority) == ({"AA": (70, 100), "BB": (0, 30)} if followed else stays)


@pytest.mark.parametrize("minority", ["stay", "follow"])
def test_all_solved_together_say_the_same(minority: Minority) -> None:
    known = world([("c", "a", 80, 100), ("p", "c", 55, 60), ("q", "a", 0, 20)], ("AA", "BB", "DD"))
    ownership = OwnershipGraph(known, None, None, minority=minority)
    codes = ownership.nodes.countries
    found = country_bounds(ownership.graph, ownership.country, list(range(len(codes))), minority)
    row = ownership.number("a")
    bounds = {code: (100 * found.low[row, at], 100 * found.high[row, at]) for at, code in enumerate(codes)}
    assert {code: pytest.approx(share) for code, share in shares_of(known, minority).items()} == {
        code: share for code, share in bounds.items() if share[1]
    }


def test_chains_name_the_person_once_and_end_in_each_country() -> None:
    known = world([("p", "a", 60, 60), ("c", "a", 40, 40)], ("AA", "BB"))
    told = chains(OwnershipGraph(known, None, None), "a")
    ends = {(chain.end.country, chain.end.entity, *(step.stake.owner for step in chain.steps)) for chain in told.paths}
    assert ends == {("AA", "p", "p"), ("BB", "p", "p"), ("CC", "c", "c")}
    assert told.rest == Interval(0, 0)


def test_a_minority_that_stays_is_listed_once_whatever_its_nationalities() -> None:
    known = world([("c", "a", 100, 100), ("p", "c", 30, 30)], ("AA", "BB"))
    told = chains(OwnershipGraph(known, None, None), "a")
    ends = [(chain.end.country, chain.share, len(chain.steps)) for chain in told.paths]
    assert ends == [("CC", Interval(70, 70), 1), ("CC", Interval(30, 30), 2)]


def test_a_person_of_several_nationalities_controls_and_is_of_no_one_country() -> None:
    known = world([("p", "a", 60, 60), ("c", "a", 40, 40)], ("AA", "BB"))
    party = controller(OwnershipGraph(known, None, None), {}, "a")
    assert party is not None
    assert (party.entity, party.country, party.reach) == ("p", None, "holder")


def test_what_the_person_holds_is_the_same() -> None:
    known = world([("c", "a", 80, 80), ("p", "c", 50, 50)], ("AA", "BB"))
    held = {row.id: row.effective for row in holdings_of(OwnershipGraph(known, None, None), "p")}
    assert held == {"a": Interval(40, 40), "c": Interval(50, 50)}


def test_days_on_which_the_same_stakes_hold_stay_the_same() -> None:
    shares: list[Share] = [("p", "a", 60, 60)]
    one, several = (StakeColumns.of(world(shares, nations)) for nations in ((), ("AA", "BB")))
    assert OwnersByDate(one).interval_key(None, None) == OwnersByDate(several).interval_key(None, None)
