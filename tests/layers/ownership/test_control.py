"""Control is a second answer: more than half at every step, blocks of one party together, or declared."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.model.problems import UnknownRecord
from layers.model.records import Control, Records, Stake
from layers.ownership.control import (
    Controller,
    ControlPeriod,
    by_controlled,
    control_periods,
    controller,
    controls_on,
)
from layers.ownership.stake_graph import StakeColumns
from layers.ownership.walk import OwnershipGraph
from layers.snapshot.snapshot import Snapshot
from tests.layers.builders import records

ENDS = [("s", "state", "AA"), ("p", "person", "BB"), ("c", "registeredEntity", "CC"), ("d", "registeredEntity", "CC")]


def who(known: Records, asset: str = "a", *declared: Control) -> Controller | None:
    return controller(OwnershipGraph(known, None, None), controls_on(declared, None, None), asset)


def declare(controlled: str, by: str, kind: str = "declared", **values: object) -> Control:
    told = {"id": f"{by}>{controlled}", "controlled": controlled, "controller": by, "kind": kind, "source": "s"}
    return Control.model_validate({**told, "checked": "read", **values})


def test_more_than_half_at_every_step_leads_to_the_top() -> None:
    known = records(ENDS, [("c", "a", 51, 51), ("d", "c", 60, 60), ("s", "d", 100, 100), ("p", "a", 49, 49)])
    found = who(known)
    assert found is not None
    assert (found.entity, found.country, found.reach) == ("s", "AA", "state")
    assert [hold.controlled for hold in found.steps] == ["d", "c", "a"]


def test_half_is_not_more_than_half() -> None:
    assert who(records(ENDS, [("c", "a", 50, 50), ("p", "a", 50, 50)])) is None


@pytest.mark.parametrize("block", [(20.0, 30.0), (16.8, 16.6, 16.6), (17.23, 16.78, 15.99)])
def test_blocks_that_sum_to_half_are_not_more_than_half(block: tuple[float, ...]) -> None:
    through = [f"e{number}" for number in range(len(block))]
    ends = [*ENDS, *((name, "registeredEntity", "CC") for name in through)]
    held = [(name, "a", share, share) for name, share in zip(through, block, strict=True)]
    known = [*held, *(("s", name, 100, 100) for name in through)]
    assert who(records(ends, known)) is None
    assert who(records(ends, [*known, ("s", "a", 0.0001, 0.0001)])) is not None


def test_blocks_of_one_party_count_together() -> None:
    known = records(ENDS, [("s", "a", 38, 38), ("c", "a", 13, 13), ("s", "c", 100, 100), ("p", "a", 49, 49)])
    found = who(known)
    assert found is not None
    assert found.entity == "s"
    assert found.steps[-1].share.low == pytest.approx(51)


def test_an_unsure_majority_is_no_control() -> None:
    assert who(records(ENDS, [("c", "a", 40, 90)])) is None
    assert who(records(ENDS, [("c", "a", 100, 100)], checked="unverified")) is None


def test_declared_control_and_consolidation_count_and_mere_rights_do_not() -> None:
    known = records(ENDS, [("c", "a", 30, 30)])
    for kind in ("declared", "consolidation", "majority-of-votes"):
        found = who(known, "a", declare("c", "s", kind), declare("a", "c", kind))
        assert found is not None
        assert (found.entity, found.reach) == ("s", "state")
        assert found.steps[-1].declared
    assert who(known, "a", declare("a", "c", "rights")) is None
    assert who(known, "a", declare("a", "c", until="2000")) is None


def test_a_body_of_a_state_that_the_state_owns_leaves_the_state_in_control() -> None:
    ends = [*ENDS, ("b", "stateBody", "AA")]
    found = who(records(ends, [("b", "a", 100, 100), ("s", "b", 100, 100)]))
    assert found is not None
    assert (found.entity, found.reach) == ("s", "state")
    assert [hold.controlled for hold in found.steps] == ["a"]
    alone = who(records(ends, [("b", "a", 100, 100)]))
    assert alone is not None
    assert (alone.entity, alone.reach) == ("b", "state")


def test_two_who_both_declare_control_leave_it_open() -> None:
    assert who(records(ENDS, []), "a", declare("a", "c"), declare("a", "d")) is None


def test_a_ring_of_majorities_has_no_top() -> None:
    assert who(records(ENDS, [("c", "a", 100, 100), ("d", "c", 60, 60), ("c", "d", 60, 60)])) is None


def test_unknown_assets_are_refused() -> None:
    with pytest.raises(UnknownRecord):
        who(records(ENDS, []), "nothing")


@pytest.mark.parametrize(
    ("asset", "on", "entity", "country"),
    [
        ("a-socar-sintez", "2025-08-08", "state-az", "AZ"),
        ("a-unecha", "2025-08-21", "state-ru", "RU"),
        ("a-ns1", "2022-09-26", "state-ru", "RU"),
        ("a-cpc-kropotkinskaya", "2025-02-17", None, None),
        ("a-km", "2024-04-26", None, None),
        ("a-burshtyn", "2024-03-22", "akhmetov", "UA"),
    ],
)
def test_control_of_the_bundled_assets(
    snapshot: Snapshot, asset: str, on: str, entity: str | None, country: str | None
) -> None:
    day = date.fromisoformat(on)
    found = snapshot.controller(asset, day)
    assert (found.entity if found else None, found.country if found else None) == (entity, country)


def dated(*stakes: tuple[str, str, float, str | None, str | None]) -> StakeColumns:
    """Owner, owned, share, since, until."""
    rows = {
        f"{owned}>{owner}/{n}": {"owner": owner, "owned": owned, "share_min": share, "share_max": share,
                                 "since": since, "until": until, "source": "s", "checked": "read"}
        for n, (owner, owned, share, since, until) in enumerate(stakes)
    }  # fmt: skip
    known = records(ENDS, [])
    tables = {name: known.table(name) for name in ("sources", "entities", "assets")}
    return StakeColumns.of(
        Records.of(
            {**tables, "stakes": {name: Stake.model_validate({"id": name, **row}) for name, row in rows.items()}}
        )
    )


def told(spans: tuple[ControlPeriod, ...]) -> list[tuple[str | None, str | None, str | None]]:
    return [
        (str(s.first) if s.first else None, str(s.last) if s.last else None, s.controller and s.controller.entity)
        for s in spans
    ]


FIRST, LAST = date(2025, 1, 1), date(2025, 3, 31)


def test_control_is_given_for_each_span_of_days_on_which_it_differs() -> None:
    sold = dated(("c", "a", 100, None, "2025-02-10"), ("p", "a", 100, "2025-02-10", None))
    spans = told(control_periods(sold, {}, "a", FIRST, LAST))
    assert spans == [("2025-01-01", "2025-02-09", "c"), ("2025-02-10", "2025-03-31", "p")]
    assert told(control_periods(sold, {}, "a", None, None)) == [(None, "2025-02-09", "c"), ("2025-02-10", None, "p")]
    assert told(control_periods(sold, {}, "a", LAST, LAST)) == [("2025-03-31", "2025-03-31", "p")]


def test_days_of_an_inexact_change_are_nobodys() -> None:
    sold = dated(("c", "a", 100, None, "2025-02"), ("p", "a", 100, "2025-02", None))
    spans = told(control_periods(sold, {}, "a", FIRST, LAST))
    assert spans == [
        ("2025-01-01", "2025-01-31", "c"), ("2025-02-01", "2025-02-27", None), ("2025-02-28", "2025-03-31", "p"),
    ]  # fmt: skip


def test_a_change_higher_up_or_of_what_is_declared_makes_a_span_and_other_changes_none() -> None:
    above = dated(("c", "a", 60, None, None), ("s", "c", 100, "2025-02-10", None), ("d", "a", 10, "2025-03-01", None))
    assert [entity for *_, entity in told(control_periods(above, {}, "a", FIRST, LAST))] == ["c", "s"]
    by = (declare("c", "d", since="2025-02-20"),)
    plain = dated(("c", "a", 60, None, None))
    assert told(control_periods(plain, by_controlled(by), "a", FIRST, LAST))[1] == ("2025-02-20", "2025-03-31", "d")


DAYS = st.one_of(
    st.none(), st.dates(FIRST, LAST).map(str), st.sampled_from(["2024", "2025", "2025-01", "2025-02", "2025-02~"])
)
HELD = st.tuples(st.sampled_from("spcd"), st.sampled_from("acd"), st.sampled_from([30, 51, 100]), DAYS, DAYS)
SAID = st.tuples(st.sampled_from("acd"), st.sampled_from("spcd"), DAYS, DAYS)


@given(st.lists(HELD, max_size=5), st.lists(SAID, max_size=2))
def test_spans_are_what_is_true_on_each_of_their_days(
    stakes: list[tuple[str, str, float, str | None, str | None]], said: list[tuple[str, str, str | None, str | None]]
) -> None:
    table = dated(*(stake for stake in stakes if stake[0] != stake[1]))
    controls = [declare(below, by, since=since, until=until) for below, by, since, until in said if below != by]
    spans = control_periods(table, by_controlled(controls), "a", FIRST, LAST)
    assert (spans[0].first, spans[-1].last) == (FIRST, LAST)
    for span, after in pairwise(spans):
        assert span.last is not None
        assert after.first == span.last + timedelta(days=1)
        assert after.party != span.party
    for span in spans:
        assert span.first is not None
        assert span.last is not None
        for day in {span.first, span.last, span.first + (span.last - span.first) / 2}:
            found = controller(OwnershipGraph(table, day, day), controls_on(controls, day, day), "a")
            assert (found.party if found else None) == span.party


def parties(stakes: list[tuple[str, str, float]], said: set[tuple[str, str]], asset: str) -> set[str]:
    """All who control an asset, each asked of everything."""
    found = set()
    for top in "spcd":
        members, grown = {top}, True
        while grown:
            held = {name: sum(s for by, of, s in stakes if of == name and by in members) for name in "acd"}
            more = {name for name in "acd" if held[name] > 50 or any((name, by) in said for by in members)}
            grown = bool(more - members)
            members |= more
        if asset in members - {top}:
            found.add(top)
    return found


@given(
    st.lists(
        st.tuples(st.sampled_from("spcd"), st.sampled_from("acd"), st.sampled_from([20, 30, 51, 100])), max_size=7
    ),
    st.sets(st.tuples(st.sampled_from("acd"), st.sampled_from("spcd")), max_size=2),
)
def test_who_controls_is_one_of_all_who_do(stakes: list[tuple[str, str, float]], said: set[tuple[str, str]]) -> None:
    held = [(by, of, share) for by, of, share in stakes if by != of]
    known = dated(*((by, of, share, None, None) for by, of, share in held))
    pairs = {(below, by) for below, by in said if below != by}
    found = controller(
        OwnershipGraph(known, None, None), controls_on([declare(*pair) for pair in pairs], None, None), "a"
    )
    everyone = parties(held, pairs, "a")
    tops = {party for party in everyone if not parties(held, pairs, party) & everyone - {party}}
    assert (found.entity if found else None) == (tops.pop() if len(tops) == 1 else None)


def test_controllers_are_cached(snapshot: Snapshot) -> None:
    day = date(2025, 8, 21)
    assert snapshot.control("a-flex", day, day) is snapshot.control("a-flex", day, day)


def test_who_controls_does_not_depend_on_the_basis_but_the_country_does(snapshot: Snapshot) -> None:
    for asset in snapshot.records.assets:
        there, seat = (snapshot.controller(asset, None, basis) for basis in ("registration", "headquarters"))  # type: ignore[arg-type]
        assert (there.entity if there else None) == (seat.entity if seat else None)
    flex = [snapshot.controller("a-flex", date(2025, 8, 21), b) for b in ("registration", "headquarters")]  # type: ignore[arg-type]
    assert [one.country for one in flex if one] == ["SG", "US"]


def test_a_person_of_no_known_country_is_still_a_person() -> None:
    found = who(records([("p", "person", None)], [("p", "a", 100, 100)]), "a")
    assert found is not None
    assert (found.country, found.reach) == (None, "holder")
