"""An embargo ends while the server runs: at the next look all is as if the server had started at that time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.server import live_snapshot, version_builder
from api.server.live_snapshot import LiveSnapshot
from api.settings import Settings
from layers.disclosure.policy import parse
from layers.model.records import Records, Strike
from layers.reference import basemap
from layers.reference.basemap import Basemap
from layers.store.store import ANY, Edit, Store
from tests.conftest import BASEMAP
from tests.store_kinds import NewStore, set_policy

POLICY = parse('[[embargo]]\nhours = 24\ncountries = ["GE"]')
START = datetime(2030, 3, 1, 12, tzinfo=UTC)
#: The end of 1 March at UTC-12, and a day.
DUE = datetime(2030, 3, 3, 12, tzinfo=UTC)


class Clock(datetime):
    """Time that stands still until it is set."""

    at = START

    @classmethod
    def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
        return cls.at


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch, base: Basemap) -> None:
    monkeypatch.setattr(live_snapshot, "datetime", Clock)
    monkeypatch.setattr(version_builder, "datetime", Clock)
    monkeypatch.setattr(basemap, "read", lambda path: base)
    Clock.at = START


@pytest.fixture
def store(few_records: Records, new_shared_store: NewStore) -> Store:
    made = new_shared_store()
    made.load(few_records, author="tests")
    set_policy(made, POLICY)
    made.write(Edit("strikes", "held", held(), None), author="Ann", at=START - timedelta(hours=1))
    return made


def held(**values: Any) -> Strike:
    stated = {"title": "Held", "when": "2030-03-01", "place": "Poti", "host_country": "GE", "status": "reported"}
    return Strike(id="held", dataset="review", **{**stated, "sources": ("24tv-pmi",), "checked": "read", **values})


@pytest.fixture
def served(store: Store) -> Callable[[], LiveSnapshot]:
    return lambda: LiveSnapshot(store, Settings(basemap=BASEMAP), "test")


def content(atlas: LiveSnapshot) -> dict[str, Any]:
    layers = atlas.view.snapshot.collections.items()
    return {name: list(layer.fragments) for name, layer in layers}


def test_what_is_due_appears_at_the_next_look(served: Callable[[], LiveSnapshot]) -> None:
    atlas = served()
    before = atlas.view
    assert "held" not in before.snapshot.records.strikes
    assert "held" in before.with_private.records.strikes
    assert not atlas.refresh()
    Clock.at = DUE - timedelta(milliseconds=1)
    assert not atlas.refresh()
    assert atlas.view is before
    Clock.at = DUE
    assert atlas.refresh()
    assert "held" in atlas.view.snapshot.records.strikes
    assert atlas.view.disclosure.withheld == {}
    assert atlas.view.version != before.version
    assert atlas.view.changed == DUE > before.changed
    assert not atlas.refresh()


def test_it_is_as_if_the_server_had_started_then(served: Callable[[], LiveSnapshot]) -> None:
    atlas = served()
    Clock.at = DUE
    atlas.refresh()
    anew = served()
    assert content(atlas) == content(anew)
    assert atlas.view.version == anew.view.version
    assert atlas.view.snapshot.counts() == anew.view.snapshot.counts()


def test_edits_meanwhile_are_withheld_too(served: Callable[[], LiveSnapshot], store: Store) -> None:
    atlas = served()
    atlas.write(Edit("strikes", "held", held(title="Held still"), ANY), author="Ann")
    other = next(key for key in store.records().strikes if key != "held")
    store.write(
        Edit("strikes", other, store.records().strikes[other].model_copy(update={"note": "n"}), ANY), author="A"
    )
    assert atlas.refresh()
    assert "held" not in atlas.view.snapshot.records.strikes
    assert atlas.view.snapshot.records.strikes[other].note == "n"
    Clock.at = DUE
    assert atlas.refresh()
    assert atlas.view.snapshot.records.strikes["held"].title == "Held still"
    assert content(atlas) == content(served())


def test_a_later_day_of_the_event_holds_it_longer(served: Callable[[], LiveSnapshot]) -> None:
    atlas = served()
    atlas.write(Edit("strikes", "held", held(when="2030-03-02"), ANY), author="Ann")
    atlas.refresh()
    Clock.at = DUE
    atlas.refresh()
    assert "held" not in atlas.view.snapshot.records.strikes
    Clock.at = DUE + timedelta(days=1)
    assert atlas.refresh()
    assert "held" in atlas.view.snapshot.records.strikes


def test_a_cached_snapshot_never_shows_what_is_withheld(store: Store) -> None:
    def start(policy: str) -> LiveSnapshot:
        set_policy(store, parse(policy))
        found = LiveSnapshot(store, Settings(basemap=BASEMAP), "test")
        found.rebuild_cache()
        return found

    open_ = start("")
    assert open_.view.snapshot.backing_files is not None
    assert "held" in open_.view.snapshot.records.strikes
    guarded = start('[[embargo]]\nhours = 24\ncountries = ["GE"]')
    assert "held" not in guarded.view.snapshot.records.strikes
    Clock.at = DUE
    later = start('[[embargo]]\nhours = 24\ncountries = ["GE"]')
    assert "held" in later.view.snapshot.records.strikes
    assert later.view.snapshot.backing_files is not None
    later.write(Edit("strikes", "held", held(when="2030-03-09"), ANY), author="Ann")
    again = start('[[embargo]]\nhours = 24\ncountries = ["GE"]')
    assert "held" not in again.view.snapshot.records.strikes
