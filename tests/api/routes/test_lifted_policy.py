"""The corrections log after a policy that withheld more: nothing of the time when it did, but what is published now."""

from __future__ import annotations

import random
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from shapely.geometry import Point
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import Settings
from layers.disclosure.policy import OPEN, Policy, parse
from layers.model.records import Claim, Records, Source, Strike
from layers.store.backends import create_new
from layers.store.store import ANY, Edit, Store
from tests.conftest import BASEMAP
from tests.store_kinds import set_policy

WITHHOLD = parse('[[withhold]]\ntable = "strikes"\nfields = ["damage"]')
ROUND = parse('[[rounding]]\ntable = "strikes"\nmetres = 20000')
EMBARGO = parse("[[embargo]]\nhours = 1000")
TODAY = datetime.now(UTC).date().isoformat()


def strike(key: str, **values: Any) -> Strike:
    stated = {
        "title": f"Strike {key}", "when": TODAY, "place": "Somewhere", "geometry": Point(33.1, 49.1), "basis": "site",
        "uncertainty_m": 50.0, "place_source": "src", "status": "reported", "sources": ("src",), "checked": "read",
    }  # fmt: skip
    return Strike(id=key, **{**stated, **values})


def marker(number: int) -> str:
    return f"marker{number:03d}end"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = create_new(str(tmp_path / "atlas.gpkg"))
    source = Source(id="src", publisher="A paper", title="A title")
    first = strike("xx-one", damage=marker(0))
    made.load(Records.of({"sources": {"src": source}, "strikes": {first.id: first}}), author="tests")
    return made


def edit(store: Store, record: Strike, number: int) -> None:
    store.write(Edit("strikes", record.id, record, ANY), author="tests", why=f"reason{number:03d}end")


def log_of(store: Store) -> str:
    """All that the log says, by each door."""
    settings = Settings(basemap=BASEMAP, follow_every_s=0)
    with TestClient(create_app(store, settings), raise_server_exceptions=False) as client:
        doors = ("limit=1000", "limit=1000&f=html", "limit=1000&f=atom", "strike=xx-one", "record=xx-one",
                 "since=2020-01-01T00:00:00Z", "record=xx-claim")  # fmt: skip
        answers = [client.get(f"/corrections?{door}") for door in doors]
        assert all(answer.status_code in (200, 404) for answer in answers)
        assert answers[0].status_code == 200
        return "\n".join(answer.text for answer in answers)


def test_edits_under_a_policy_stay_hidden_when_it_is_lifted(store: Store) -> None:
    set_policy(store, WITHHOLD)
    edit(store, strike("xx-one", damage=marker(1)), 1)
    edit(store, strike("xx-one", damage=marker(2)), 2)
    set_policy(store, ROUND)
    edit(store, strike("xx-one", damage=marker(2), geometry=Point(33.2345678, 49.2345678)), 3)
    edit(store, strike("xx-one", damage=marker(2), geometry=Point(33.3, 49.3)), 4)
    set_policy(store, OPEN)
    edit(store, strike("xx-one", damage=marker(5), geometry=Point(33.3, 49.3)), 5)
    said = log_of(store)
    assert {*re.findall(r"marker\d+end", said)} == {marker(2), marker(5)}
    assert {*re.findall(r"reason\d+end", said)} == {"reason005end"}
    assert "33.2345678" not in said
    assert "49.1" not in said


def test_a_claim_that_gives_away_what_was_withheld_begins_when_it_no_longer_is(store: Store) -> None:
    set_policy(store, WITHHOLD)
    for number in (1, 2):
        stated = Claim(
            id="xx-claim", record="xx-one", field="damage", value=marker(number), source="src", checked="read"
        )
        store.write(
            Edit("claims", stated.id, stated, None if number == 1 else ANY),
            author="tests",
            why=f"reason{number:03d}end",
        )
    set_policy(store, OPEN)
    said = log_of(store)
    assert marker(1) not in said
    assert marker(2) in said
    assert "reason00" not in said


def test_a_strike_whose_embargo_was_lifted_begins_then(store: Store) -> None:
    set_policy(store, EMBARGO)
    edit(store, strike("xx-one", title=marker(1), damage=marker(0)), 1)
    edit(store, strike("xx-one", title=marker(2), damage=marker(0)), 2)
    set_policy(store, OPEN)
    said = log_of(store)
    assert marker(1) not in said
    assert marker(2) in said
    assert "reason00" not in said


def test_what_was_edited_under_no_stricter_policy_stays_in_the_log(store: Store) -> None:
    edit(store, strike("xx-one", damage=marker(1)), 1)
    set_policy(store, WITHHOLD)
    set_policy(store, OPEN)
    said = log_of(store)
    assert {marker(0), marker(1)} <= {*re.findall(r"marker\d+end", said)}
    assert "reason001end" in said


@pytest.mark.parametrize("seed", range(6))
def test_no_value_or_reason_of_a_time_when_it_was_withheld_is_ever_in_the_log(store: Store, seed: int) -> None:
    chance = random.Random(seed)
    policy: Policy = OPEN
    damage = marker(0)
    published, stated = {damage}, set[str]()
    for number in range(1, 15):
        if chance.random() < 0.4:
            policy = chance.choice((OPEN, WITHHOLD, ROUND, EMBARGO))
            set_policy(store, policy)
        else:
            damage = marker(number)
            edit(store, strike("xx-one", damage=damage), number)
            if policy == OPEN:
                stated.add(f"reason{number:03d}end")
        if not policy.embargo and policy != WITHHOLD:
            published.add(damage)
    set_policy(store, OPEN)
    published.add(damage)
    said = log_of(store)
    assert {*re.findall(r"marker\d+end", said)} <= published
    assert {*re.findall(r"reason\d+end", said)} <= stated
    assert damage in said
