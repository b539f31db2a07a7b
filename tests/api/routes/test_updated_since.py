"""When each feature changed last: by its own record, by what was decided of it, or by a record that it is based on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.server.live_snapshot import LiveSnapshot
from api.settings import Settings
from layers.disclosure.policy import parse
from layers.model.records import Decision, Records, Source
from layers.model.timestamps import timestamp
from layers.snapshot.flat_collections import BY_STRIKE
from layers.snapshot.snapshot import Snapshot
from layers.store.backup import back_up
from layers.store.store import ANY, Edit, Store
from tests.api.feature_client import ids, items, problem
from tests.conftest import BASEMAP
from tests.store_kinds import NewStore, needs_a_file, set_policy

DEPOT, SITE, OWNER = "ua-socar-depot-2025-08-08", "a-socar-sintez", "socar"
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
SETTINGS = Settings(basemap=BASEMAP, follow_every_s=0)
LAYERS = ("strikes", "assets", "attributions", "hits")


@pytest.fixture
def opened(new_shared_store: NewStore, few_records: Records) -> Iterator[Store]:
    with closing(new_shared_store()) as store:
        store.load(few_records, author="a load", at=START)
        yield store


def since(store: Store, at: datetime, collection: str = "strikes", **query: str) -> set[str]:
    """Ids of the features of a new server of the store."""
    with TestClient(create_app(store, SETTINGS)) as client:
        return set(ids(items(client, collection, updated_since=at.isoformat(), **query)))


def edit(store: Store | LiveSnapshot, hours: int, table: str, key: str, **values: object) -> datetime:
    at = START + timedelta(hours=hours)
    records = store.records() if isinstance(store, Store) else store.view.stored
    record = records.table(table)[key].model_copy(update=values)
    store.write(Edit(table, key, record, ANY), author="an editor", at=at)
    return at


def stake_in(records: Records, owned: str) -> str:
    return next(stake.id for stake in records.stakes.values() if stake.owned == owned)


def test_an_edit_of_a_strike_and_nothing_before(opened: Store, few_records: Records) -> None:
    at = edit(opened, 1, "strikes", DEPOT, note="a note")
    assert since(opened, START) == set(few_records.strikes)
    assert since(opened, at) == since(opened, at - timedelta(minutes=1)) == {DEPOT}
    assert since(opened, at, filter="host_country = 'UA'") == {DEPOT}
    assert since(opened, at, filter="host_country = 'RU'") == set()
    assert since(opened, at + timedelta(milliseconds=1)) == set()
    assert {key.split("/")[0] for key in since(opened, at, "hits")} == {DEPOT}


def test_a_stake_moves_the_sites_below_it_and_their_strikes(opened: Store, few_records: Records) -> None:
    at = edit(opened, 1, "stakes", stake_in(few_records, OWNER), note="a note")
    assert SITE in since(opened, at, "assets")
    assert "a-abq" not in since(opened, at, "assets")
    moved = since(opened, at)
    assert DEPOT in moved
    assert "sa-abqaiq-khurais-2019-09-14" not in moved
    assert moved < set(few_records.strikes)


def decide(store: Store | LiveSnapshot, hours: int) -> None:
    one = Decision(
        id="new", strike="ua-orlivka-2025-08-06", asset=SITE, verdict="possible", who="x", when="2026-03-01", why="."
    )
    write: Any = store.append if isinstance(store, Store) else store.store.append
    write("decisions", one, author="an editor", at=START + timedelta(hours=hours))


def test_a_decision_and_a_removed_stake_count(opened: Store, few_records: Records) -> None:
    decide(opened, 1)
    assert "ua-orlivka-2025-08-06" in since(opened, START + timedelta(hours=1))
    assert SITE in since(opened, START + timedelta(hours=1), "assets")
    opened.write(
        Edit("stakes", stake_in(few_records, SITE), None, ANY), author="an editor", at=START + timedelta(hours=2)
    )
    assert DEPOT in since(opened, START + timedelta(hours=2))


@needs_a_file("a backup is a copy of a file; a server of databases has backups of its own")
def test_a_backup_answers_as_the_store(opened: Store, tmp_path: Path) -> None:
    at = edit(opened, 1, "strikes", DEPOT, note="a note")
    back_up(opened, tmp_path / "copy.gpkg")
    assert since(Store.open(tmp_path / "copy.gpkg"), at) == {DEPOT}


def test_a_private_change_is_none(opened: Store) -> None:
    at = edit(opened, 1, "strikes", DEPOT, private=True)
    edit(opened, 2, "strikes", DEPOT, note="unseen")
    assert since(opened, at + timedelta(hours=1)) == set()


def test_who_polls_learns_of_what_a_published_source_makes_public(opened: Store, few_records: Records) -> None:
    """The strike that cites it alone, and the one that it is added to, by corrections, features and tags."""
    had = few_records.strikes[DEPOT]
    hidden = Source(id="hidden", dataset="desk", publisher="Desk", private=True)
    alone = had.model_copy(update={"id": "new", "dataset": "desk", "sources": ("hidden",), "place_source": None})
    alone = alone.model_copy(update={"geometry": None, "uncertainty_m": None, "basis": None, "title": "first"})
    for hour, (table, record) in enumerate((("sources", hidden), ("strikes", alone)), 1):
        opened.write(Edit(table, record.id, record, None), author="x", at=START + timedelta(hours=hour))
    edit(opened, 3, "strikes", "new", title="as published")
    edit(opened, 4, "strikes", DEPOT, sources=(*had.sources, "hidden"))
    with TestClient(create_app(opened, SETTINGS)) as client:
        polled, at = START + timedelta(hours=5), START + timedelta(hours=6)
        log = f"/corrections?since={polled.isoformat().replace('+', '%2B')}"
        before = client.get(log)
        assert before.json()["corrections"] == []
        opened.publish("desk", ["hidden"], author="x", why="marker", at=at)
        client.app.state.atlas.refresh()  # type: ignore[attr-defined]
        answer = client.get(log, headers={"If-None-Match": before.headers["ETag"]})
        told = {one["record"]: (one["kind"], one["at"], one["why"]) for one in answer.json()["corrections"]}
        assert answer.headers["ETag"] != before.headers["ETag"]
        assert told == {
            "hidden": ("addition", timestamp(at), None),
            "new": ("addition", timestamp(at), None),
            DEPOT: ("correction", timestamp(at), None),
        }
        feed = client.get(f"{log}&f=atom").text
        assert feed.count(f"<published>{timestamp(at)}</published>") == 3
        hours = [timestamp(START + timedelta(hours=hour)) for hour in range(1, 5)]
        assert not [hour for hour in hours[:3] if hour in feed + client.get("/corrections").text]
        assert set(ids(items(client, "strikes", updated_since=polled.isoformat()))) == {"new", DEPOT}
        shown = {one["id"]: one["properties"] for one in items(client, "strikes", limit="1000")["features"]}
        assert shown["new"]["updated"] == shown[DEPOT]["updated"] == timestamp(at)
    assert since(opened, polled) == {"new", DEPOT}


#: Changes of a store, by what they do; each is of the hour of its place in the order.
CHANGES: Mapping[str, Callable[[LiveSnapshot, int], object]] = {
    "a strike": lambda atlas, hour: edit(atlas, hour, "strikes", DEPOT, note=f"note {hour}"),
    "its day": lambda atlas, hour: edit(atlas, hour, "strikes", "sa-abqaiq-khurais-2019-09-14", when="2019-09"),
    "a claim": lambda atlas, hour: edit(
        atlas,
        hour,
        "claims",
        next(key for key, one in atlas.view.stored.claims.items() if one.record == DEPOT),
        quote=".",
    ),
    "a stake above": lambda atlas, hour: edit(
        atlas, hour, "stakes", stake_in(atlas.view.stored, OWNER), note=f"note {hour}"
    ),
    "a decision": decide,
    "an entity": lambda atlas, hour: edit(atlas, hour, "entities", OWNER, note=f"note {hour}"),
    "a site": lambda atlas, hour: edit(atlas, hour, "assets", SITE, note=f"note {hour}"),
    "a stake gone": lambda atlas, hour: atlas.write(
        Edit("stakes", stake_in(atlas.view.stored, SITE), None, ANY), author="x", at=START + timedelta(hours=hour)
    ),
    "hidden": lambda atlas, hour: edit(atlas, hour, "strikes", "ua-orlivka-2025-08-06", private=True),
    "hidden still": lambda atlas, hour: edit(atlas, hour, "strikes", "ua-orlivka-2025-08-06", note="unseen"),
    "shown": lambda atlas, hour: atlas.store.publish(
        atlas.view.stored.strikes["ua-orlivka-2025-08-06"].dataset,
        ["ua-orlivka-2025-08-06"],
        author="x",
        why=".",
        at=START + timedelta(hours=hour),
    ),
}


def times(snapshot: Snapshot) -> dict[str, dict[str, str | None]]:
    columns = {name: snapshot.collections[name].features.columns for name in LAYERS}
    return {name: dict(zip(one["id"], one["updated"], strict=True)) for name, one in columns.items()}


def moved_by(snapshot: Snapshot, changes: Iterator[tuple[str, str, Mapping[str, Any]]]) -> tuple[set[str], set[str]]:
    """Ids of the strikes and assets that changes of records concern, found one by one."""
    records, columns = snapshot.records, snapshot.collections["attributions"].features.columns
    hits = {(s, a) for s, a in zip(columns["strike"], columns["asset"], strict=True) if a is not None}
    strikes, nodes = set[str](), set[str]()
    for table, record, values in changes:
        if table == "sources":
            continue
        names = {record, *(values.get(c) for c in ("asset", "owned", "controlled", "one", "other", "record", "strike"))}
        strikes |= {name for name in names if name in records.strikes}
        nodes |= {name for name in names if name and (table != "claims" or name in records.assets)}
    edges = [(stake.owner, stake.owned) for stake in records.stakes.values()]
    edges += [(control.controller, control.controlled) for control in records.controls.values()]
    while more := {below for above, below in edges if above in nodes} - nodes:
        nodes |= more
    assets = nodes & set(records.assets)
    strikes |= {strike for strike, asset in hits if asset in assets}
    return strikes, assets | {asset for strike, asset in hits if strike in strikes}


def test_times_are_those_of_the_changes_and_the_same_after_each_edit_and_a_restart(opened: Store) -> None:
    atlas = LiveSnapshot(opened, SETTINGS, "test")
    hidden_at = [START + timedelta(hours=hour) for hour, what in enumerate(CHANGES, 1) if what.startswith("hidden")]
    for hour, (what, change) in enumerate(CHANGES.items(), 1):
        change(atlas, hour)
        atlas.refresh()
        found = times(atlas.view.snapshot)
        assert found == times(LiveSnapshot(opened, SETTINGS, "test").view.snapshot), what
        for since_hour in range(hour + 2):
            at = timestamp(START + timedelta(hours=since_hour))
            rows = (one for one in opened.revisions() if one.at >= at and one.at not in map(timestamp, hidden_at))
            pairs = ((one.table, one.record, values) for one in rows for values in (one.before, one.after) if values)
            strikes, assets = moved_by(atlas.view.snapshot, pairs)
            for name in LAYERS:
                expected = assets if name == "assets" else strikes
                own = {
                    key.split("/")[0] if name in BY_STRIKE else key for key, last in found[name].items() if last >= at
                }
                present = {key.split("/")[0] if name in BY_STRIKE else key for key in found[name]}
                assert own == expected & present, (what, name, at)


def test_since_is_the_filter_of_the_property_whatever_the_time(opened: Store) -> None:
    edit(opened, 1, "strikes", DEPOT, note="a note")
    edit(opened, 2, "entities", OWNER, note="a note")
    with TestClient(create_app(opened, SETTINGS)) as client:
        for name in LAYERS:
            for hours in (-1, 0, 0.0000001, 0.99999999, 1, 1.0000001, 2, 2.5, 1e6):
                at = (START + timedelta(hours=hours)).isoformat()
                by_filter = items(client, name, filter=f"updated >= TIMESTAMP('{at}')", limit="1000")
                assert ids(items(client, name, updated_since=at, limit="1000")) == ids(by_filter), (name, at)
        order = [
            one["properties"]["updated"]
            for one in items(client, "strikes", sortby="-updated", limit="1000")["features"]
        ]
        assert order == sorted(order, reverse=True)
        assert order[0] == timestamp(START + timedelta(hours=2))
        day = items(client, "strikes", filter="updated = DATE('2026-03-01')", limit="1000")
        assert len(ids(day)) == len(order)
        first = items(client, "strikes", sortby="-updated", limit="1")
        (following,) = [one["href"] for one in first["links"] if one["rel"] == "next"]
        assert client.get(following).json()["features"][0]["properties"]["updated"] == order[1]


def test_what_a_policy_withholds_moves_nothing_and_an_embargo_moves_when_it_ends(opened: Store) -> None:
    edit(opened, 1, "strikes", DEPOT, note="unseen")
    edit(opened, 2, "strikes", DEPOT, attacker="seen")
    text = '[[withhold]]\ntable = "strikes"\nfields = ["note"]\n'
    set_policy(opened, parse(text), START + timedelta(hours=2))
    at = times(LiveSnapshot(opened, Settings(basemap=BASEMAP), "test").view.snapshot)
    assert at["strikes"][DEPOT] == timestamp(START + timedelta(hours=2))
    atlas = LiveSnapshot(opened, Settings(basemap=BASEMAP), "test")
    edit(atlas, 3, "strikes", DEPOT, note="unseen again")
    atlas.refresh()
    assert times(atlas.view.snapshot) == at
    late = edit(opened, 4, "strikes", DEPOT, when="2026-03-01")
    embargo = parse("[[embargo]]\nhours = 24\n")
    due = datetime(2026, 3, 2, 12, tzinfo=UTC) + timedelta(hours=24)
    set_policy(opened, embargo, START + timedelta(hours=4))
    found = times(LiveSnapshot(opened, Settings(basemap=BASEMAP), "test").view.snapshot)
    assert found["strikes"][DEPOT] == timestamp(due) > timestamp(late)


@pytest.mark.parametrize("text", ["2026-03-01", "yesterday", "2026-03-01T12:00:00", "2026-02-30T12:00:00Z", ""])
def test_what_is_no_time_is_refused(client: TestClient, text: str) -> None:
    problem(client, f"/collections/strikes/items?updated_since={text}", 400)
    problem(client, f"/collections/strikes/items?updated={text}", 400)


def test_countries_have_no_such_parameter(client: TestClient) -> None:
    problem(client, "/collections/countries/items?updated_since=2026-03-01T12:00:00Z", 400)
