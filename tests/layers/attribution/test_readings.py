"""Each site is read three ways, and what is sure of one reading is so of every site and day that it may have been."""

from __future__ import annotations

from dataclasses import replace

import pytest

from layers.attribution.attribute import Attributor, HitOwnership
from layers.attribution.readings import READINGS, SiteReading, SiteReadings
from layers.decisions.hits import finding
from layers.model.records import Control, Decision, Records, Strike
from layers.ownership.owners import OwnersByDate
from layers.ownership.stake_graph import StakeColumns
from layers.snapshot.snapshot import Snapshot
from tests.layers.builders import records

STRIKE = Strike(
    id="x",
    title="X",
    when="2025-05-05",
    place="Y",
    status="reported",
    sources=("s",),
    checked="read",
    host_country="UA",
)
HOLDERS = [
    ("c", "registeredEntity", "CY"),
    ("p", "person", "KZ"),
    ("d", "registeredEntity", "DE"),
    ("s", "state", "AZ"),
]


def hit(known: Records, *assets: str, verdict: str = "confirmed", strike: Strike = STRIKE) -> Records:
    decided = {
        asset: Decision.model_validate(
            {
                "id": asset,
                "strike": "x",
                "asset": asset,
                "verdict": verdict,
                "who": "w",
                "when": "2025-06-01",
                "why": ".",
            }
        )
        for asset in assets
    }
    sites = {asset: known.assets["a"].model_copy(update={"id": asset}) for asset in assets}
    return replace(known, strikes={"x": strike}, decisions=decided, assets={**known.assets, **sites})


def read(known: Records) -> list[tuple[HitOwnership, SiteReading, bool]]:
    stakes = StakeColumns.of(known)
    owners = OwnersByDate(stakes)
    outcome = finding("x", known.decisions.values(), None)
    return list(SiteReadings(known, stakes, owners).of(Attributor(known, owners).attribute(outcome)))


def rows(known: Records) -> dict[tuple[str, str, str | None], tuple[bool, tuple[str, ...]]]:
    return {(hit.hit.asset, row.reading, row.country): (is_sure, row.holders) for hit, row, is_sure in read(known)}


def with_seat(known: Records, entity: str, country: str) -> Records:
    moved = known.entities[entity].model_copy(update={"headquartered_in": country})
    return replace(known, entities={**known.entities, entity: moved})


def test_a_holding_vehicle_is_registered_run_and_controlled_in_three_countries() -> None:
    known = with_seat(records(HOLDERS, [("c", "a", 60, 60), ("d", "a", 40, 40)]), "c", "GB")
    declared = Control(id="k", controlled="c", controller="p", kind="declared", source="s", checked="read")
    assert rows(replace(hit(known, "a"), controls={"k": declared})) == {
        ("a", "registration", "CY"): (True, ("c",)),
        ("a", "registration", "DE"): (True, ("d",)),
        ("a", "headquarters", "GB"): (True, ("c",)),
        ("a", "headquarters", "DE"): (True, ("d",)),
        ("a", "control", "KZ"): (True, ("p",)),
    }


def test_nobody_controls_where_no_party_has_more_than_half() -> None:
    found = rows(hit(records(HOLDERS, [("c", "a", 50, 50), ("d", "a", 50, 50)]), "a"))
    assert found["a", "control", None] == (False, ()), "nobody is named, so that nothing is sure of anybody"


def test_a_part_without_a_known_owner_has_a_row_without_a_country() -> None:
    known = read(hit(records(HOLDERS, [("s", "a", 70, 70)]), "a"))
    found = {(row.reading, row.country): (row, is_sure) for _, row, is_sure in known}
    for reading in ("registration", "headquarters"):
        rest, is_sure = found[reading, None]
        assert (rest.share_min, rest.share_max, is_sure, rest.holders) == (30, 30, False, ())
    assert found["control", "AZ"][0].share_min is found["control", "AZ"][0].share_max is None


def two_sites(verdict: str) -> Records:
    """Two sites of which one belongs to a state, and the other to it and to a company."""
    known = hit(records(HOLDERS, [("s", "a", 100, 100)]), "a", "b", verdict=verdict)
    stakes = dict(known.stakes)
    for owner, share in (("s", 60), ("d", 40)):
        stake = next(iter(known.stakes.values())).model_copy(
            update={"id": f"b>{owner}", "owned": "b", "owner": owner, "share_min": share, "share_max": share}
        )
        stakes[stake.id] = stake
    return replace(known, stakes=stakes)


def test_of_several_possible_sites_only_what_all_share_is_sure() -> None:
    found = rows(two_sites("possible"))
    assert {key: sure for key, (sure, _) in found.items()} == {
        ("a", "registration", "AZ"): True,
        ("b", "registration", "AZ"): True,
        ("b", "registration", "DE"): False,
        ("a", "headquarters", "AZ"): True,
        ("b", "headquarters", "AZ"): True,
        ("b", "headquarters", "DE"): False,
        ("a", "control", "AZ"): True,
        ("b", "control", "AZ"): True,
    }
    assert all(sure for sure, _ in rows(two_sites("confirmed")).values())


def test_a_change_of_control_among_its_days_leaves_no_controller_sure() -> None:
    known = records(HOLDERS, [("s", "a", 100, 100), ("d", "a", 100, 100)])
    ends = {"s": {"until": "2025-05-05"}, "d": {"since": "2025-05-05"}}
    stakes = {key: one.model_copy(update=ends[one.owner]) for key, one in known.stakes.items()}
    month = STRIKE.model_copy(update={"when": "2025-05"})
    found = rows(hit(replace(known, stakes=stakes), "a", strike=month))
    assert {key: found[key] for key in found if key[1] == "control"} == {
        ("a", "control", "AZ"): (False, ("s",)),
        ("a", "control", "DE"): (False, ("d",)),
    }
    one_day = rows(hit(replace(known, stakes=stakes), "a"))
    assert one_day["a", "control", "DE"] == (True, ("d",))
    assert ("a", "control", "AZ") not in one_day


@pytest.mark.parametrize("status", ["retracted", "reported"])
def test_nothing_of_a_retracted_strike_is_sure(status: str) -> None:
    strike = STRIKE.model_copy(update={"status": status})
    found = read(hit(records(HOLDERS, [("s", "a", 100, 100)]), "a", strike=strike))
    assert {is_sure for _, _, is_sure in found} == {status == "reported"}


def test_each_share_has_its_holders(snapshot: Snapshot) -> None:
    columns = snapshot.collections["hits"].features.columns
    assert set(columns["reading"].dictionary) == set(READINGS)
    for country, reading, owners, names in zip(
        *(columns[name] for name in ("country", "reading", "owners", "owner_names")), strict=True
    ):
        assert owners or (country is None), (country, reading)
        assert tuple(snapshot.records.entities[owner].name for owner in owners) == names


def test_days_share_an_answer_only_while_no_stake_and_no_control_changes() -> None:
    known = records(HOLDERS, [("d", "a", 60, 60)])
    stakes = {key: stake.model_copy(update={"until": "2025-05-03"}) for key, stake in known.stakes.items()}
    held = [
        Control(id=who, controlled="a", controller=who, kind="declared", source="s", checked="read", **ends)  # type: ignore[arg-type]
        for who, ends in (("s", {"since": "2025-05-03", "until": "2025-05-05"}), ("p", {"since": "2025-05-05"}))
    ]
    known = hit(replace(known, stakes=stakes, controls={control.id: control for control in held}), "a")
    columns = StakeColumns.of(known)
    owners = OwnersByDate(columns)
    readings = SiteReadings(known, columns, owners)

    def controllers(when: str) -> list[tuple[str, ...]]:
        dated = replace(known, strikes={"x": STRIKE.model_copy(update={"when": when})})
        answer = Attributor(dated, owners).attribute(finding("x", dated.decisions.values(), None))
        return [row.holders for _, row, _ in readings.of(answer) if row.reading == "control"]

    answers = {
        "2025-05-04": [("s",)],
        "2025-05-05": [("p",)],
        "2025-05-03": [("s",)],
        "2025-05-02": [("d",)],
        "2025-05-06/2025-05-07": [("p",)],
        "2025-05-03/2025-05-04": [("s",)],
        "2025-05-04/2025-05-05": [("s",), ("p",)],
        "2025-05-02/2025-05-04": [("d",), ("s",)],
        "2025-04/2025-06": [("d",), ("s",), ("p",)],
        "../2025-05-02": [("d",)],
        "../2025-05-06": [("d",), ("s",), ("p",)],
        "2025-05-05/..": [("p",)],
    }
    assert {when: controllers(when) for when in answers} == answers
