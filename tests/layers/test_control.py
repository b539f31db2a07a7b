"""Control is a second answer: more than half at every step, blocks of one party together, or declared."""

from __future__ import annotations

from datetime import date

import pytest

from layers.control import Controller, controller, controls_on
from layers.ownership import Register, UnknownRecord
from layers.schema import Control, Records
from layers.snapshot import Snapshot
from tests.layers.making import records

ENDS = [("s", "state", "AA"), ("p", "person", "BB"), ("c", "registeredEntity", "CC"), ("d", "registeredEntity", "CC")]


def who(known: Records, asset: str = "a", *declared: Control) -> Controller | None:
    return controller(Register(known, None, None), controls_on(declared, None, None), asset)


def declare(controlled: str, by: str, kind: str = "declared", **values: object) -> Control:
    told = {"id": f"{by}>{controlled}", "controlled": controlled, "controller": by, "kind": kind, "source": "s"}
    return Control.model_validate({**told, "checked": "read", **values})


def test_more_than_half_at_every_step_leads_to_the_top() -> None:
    known = records(ENDS, [("c", "a", 51, 51), ("d", "c", 60, 60), ("s", "d", 100, 100), ("p", "a", 49, 49)])
    found = who(known)
    assert found is not None
    assert (found.entity, found.country, found.reach) == ("s", "AA", "state")
    assert [hold.controlled for hold in found.holds] == ["d", "c", "a"]


def test_half_is_not_more_than_half() -> None:
    assert who(records(ENDS, [("c", "a", 50, 50), ("p", "a", 50, 50)])) is None


def test_blocks_of_one_party_count_together() -> None:
    known = records(ENDS, [("s", "a", 38, 38), ("c", "a", 13, 13), ("s", "c", 100, 100), ("p", "a", 49, 49)])
    found = who(known)
    assert found is not None
    assert found.entity == "s"
    assert found.holds[-1].share.low == pytest.approx(51)


def test_an_unsure_majority_is_no_control() -> None:
    assert who(records(ENDS, [("c", "a", 40, 90)])) is None
    assert who(records(ENDS, [("c", "a", 100, 100)], checked="unverified")) is None


def test_declared_control_and_consolidation_count_and_mere_rights_do_not() -> None:
    known = records(ENDS, [("c", "a", 30, 30)])
    for kind in ("declared", "consolidation", "majority-of-votes"):
        found = who(known, "a", declare("c", "s", kind), declare("a", "c", kind))
        assert found is not None
        assert (found.entity, found.reach) == ("s", "state")
        assert found.holds[-1].declared
    assert who(known, "a", declare("a", "c", "rights")) is None
    assert who(known, "a", declare("a", "c", until="2000")) is None


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
