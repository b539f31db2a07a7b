"""A write computes what follows from it once, for the layers in the store and for the version that is served next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from pkgutil import resolve_name
from typing import Any, Never

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.requests import reviewer_tokens
from api.requests.map_view import MapView
from api.requests.query_parameters import LIST_ORDER, parse_selection
from api.server.live_snapshot import LiveSnapshot
from api.server.version_builder import ready_to_list
from api.settings import Settings
from api.wording.catalogue import text
from layers.model.records import Decision, Identity, Records
from layers.query import strike_counts
from layers.query.keyset_cursor import with_tiebreak
from layers.query.selection import is_cached_or_cheap
from layers.query.strike_ties import StrikeConditions
from layers.reference import basemap
from layers.reference.basemap import Basemap
from layers.snapshot.derived_layers import full_rewrite
from layers.store.store import ANY, Conflict, Edit, ExpectedLatest, Store
from tests.api.conftest import feature
from tests.conftest import BASEMAP, ROOT
from tests.layers.store.test_derived_tables import fresh, layers
from tests.store_copies import opened_copy
from tests.store_kinds import NewStore

STRIKE, OTHER = "ru-cpc-kropotkinskaya-2025-02-17", "ua-orlivka-2025-08-06"
SETTINGS = Settings(basemap=BASEMAP)
Counts = Counter[tuple[str, str]]


@pytest.fixture(autouse=True)
def _read_once(base: Basemap, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(basemap, "read", lambda path: base)


@pytest.fixture(scope="module")
def loaded(few_records: Records, base: Basemap, new_shared_store: NewStore) -> Store:
    """A store of a few strikes, with its derived layers."""
    made = new_shared_store()
    made.load(few_records, author="tests", derive=full_rewrite(base, text))
    return made


@pytest.fixture
def store(loaded: Store, tmp_path: Path) -> Iterator[Store]:
    opened = opened_copy(loaded, tmp_path / "atlas.gpkg")
    yield opened
    opened.close()


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> Counts:
    """How often each thing was computed, by function and, where it is of one record, by its id."""
    found: Counts = Counter()

    def count(path: str, ids: Callable[..., list[str]] = lambda *_: [""]) -> None:
        parent, name = path.rsplit(".", 1)
        owner = resolve_name(parent)
        function = getattr(owner, name)

        def counted(*args: Any, **named: Any) -> Any:
            found.update((name, key) for key in ids(*args))
            return function(*args, **named)

        monkeypatch.setattr(owner, name, counted)

    count("layers.resolution.resolve.apply_judgements")
    count("layers.store.reader.read_since")
    count("layers.snapshot.snapshot.index_of")
    count("layers.snapshot.snapshot.FlatRowsBuilder")
    count("layers.snapshot.snapshot.asset_features")
    count("layers.snapshot.snapshot.probable_assets", lambda records, *_: list(records.strikes))
    count("layers.snapshot.incremental.match_all", lambda records, *_: list(records.strikes))
    count("layers.attribution.attribute.Attributor.attribute", lambda _self, outcome: [outcome.strike])
    count(
        "layers.collections.flatten.strike_columns", lambda _records, answers, _rows: [one.strike.id for one in answers]
    )
    count("layers.collections.flatten.attribution_rows", lambda _records, answer, _wording: [answer.strike.id])
    return found


def served(atlas: LiveSnapshot) -> dict[str, Any]:
    """All that is served of a version."""
    view = atlas.view
    collections = view.snapshot.collections
    return {
        "version": view.version,
        "fragments": {name: list(one.fragments) for name, one in collections.items()},
        "everything": {name: list(one.fragments) for name, one in view.with_private.collections.items()},
        "answers": dict(view.snapshot.answers()),
        "tallies": dict(view.snapshot.tallies()),
    }


def decided(verdict: str = "none", **values: Any) -> Decision:
    given = {"id": f"review/{verdict}", "dataset": "review", "strike": STRIKE, "verdict": verdict}
    return Decision.model_validate({**given, "who": "Ann", "when": "2026-11-25", "why": "read", **values})


def titled(store: Store, title: str, key: str = OTHER, **values: Any) -> Edit:
    return Edit("strikes", key, store.records().strikes[key].model_copy(update={"title": title, **values}), ANY)


def anew(store: Store) -> dict[str, Any]:
    return served(LiveSnapshot(store, SETTINGS, "test"))


def times(counts: Counts, name: str) -> dict[str, int]:
    return {key: number for (of, key), number in counts.items() if of == name}


def assert_once(counts: Counts, strike: str) -> None:
    """Each thing was computed once, and of strikes only those of one."""
    assert times(counts, "apply_judgements") == {"": 1}
    assert times(counts, "read_since") == {"": 1}
    assert times(counts, "FlatRowsBuilder") == {"": 1}
    assert times(counts, "match_all") == times(counts, "strike_columns") == {strike: 1}
    assert not times(counts, "probable_assets")
    assert not times(counts, "index_of")
    assert not times(counts, "asset_features")
    # As it is now; what it adds to countries before may have to be taken away again.
    assert times(counts, "attribute").keys() == {strike}
    assert times(counts, "attribute")[strike] <= 2
    assert times(counts, "attribution_rows").keys() == {strike}
    assert times(counts, "attribution_rows")[strike] <= 2


def test_a_request_that_writes_computes_each_thing_once(
    store: Store, base: Basemap, counts: Counts, new_shared_store: NewStore, tmp_path: Path
) -> None:
    file = tmp_path / "reviewers.json"
    ann = {"Authorization": f"Bearer {reviewer_tokens.add_reviewer(file, 'Ann')}"}
    app = create_app(store, Settings(basemap=BASEMAP, reviewers=file, follow_every_s=0))
    with TestClient(app) as client:
        client.get("/review/queue", headers=ann)
        counts.clear()
        newest = next((one.id for one in reversed(store.records().decisions.values()) if one.strike == OTHER), None)
        decision = {"strike": OTHER, "verdict": "unsure", "why": "read", "seen": newest}
        assert client.post("/review/decisions", json=decision, headers=ann).status_code == 201
        assert_once(counts, OTHER)
        counts.clear()
        made = client.post("/collections/strikes/items", json=feature(), headers=ann)
        assert made.status_code == 201
        key = made.json()["id"]
        assert_once(counts, key)
        address = f"/collections/strikes/items/{key}"
        for method, body, status in (
            ("put", {"json": feature(geometry=(31.5, 47.0))}, 200),
            ("patch", {"content": b'{"properties": {"title": "Mended"}}'}, 200),
        ):
            counts.clear()
            headers = {**ann, "if-match": "*"}
            if method == "patch":
                headers["content-type"] = "application/merge-patch+json"
            assert client.request(method, address, headers=headers, **body).status_code == status
            assert_once(counts, key)
        counts.clear()
        assert client.delete(address, headers={**ann, "if-match": "*"}).status_code == 204
        assert times(counts, "apply_judgements") == times(counts, "read_since") == {"": 1}
        assert not times(counts, "strike_columns")
        assert served(app.state.atlas)["fragments"] == anew(store)["fragments"]
    assert layers(store) == fresh(store, base, new_shared_store)


def test_a_judgement_computes_each_thing_once(
    store: Store, base: Basemap, counts: Counts, new_shared_store: NewStore
) -> None:
    atlas = LiveSnapshot(store, SETTINGS, "test")
    counts.clear()
    judged = {"id": "review/one", "dataset": "review", "one": "socar", "other": "bp", "verdict": "same"}
    record = Identity.model_validate({**judged, "who": "Ann", "when": "2026-11-25", "why": "read"})
    atlas.append("identities", record, author="Ann")
    assert atlas.refresh()
    everything = dict.fromkeys(atlas.view.snapshot.records.strikes, 1)
    for name in ("apply_judgements", "read_since", "FlatRowsBuilder", "index_of", "asset_features"):
        assert times(counts, name) == {"": 1}, name
    for name in ("match_all", "strike_columns", "attribute"):
        assert times(counts, name) == everything, name
    assert not times(counts, "probable_assets")
    assert served(atlas) == anew(store)
    assert layers(store) == fresh(store, base, new_shared_store)


def test_what_could_not_be_written_is_not_served(store: Store) -> None:
    atlas = LiveSnapshot(store, SETTINGS, "test")
    before = served(atlas)
    with pytest.raises(Conflict):
        atlas.append("decisions", decided(), author="Ann", seen=ExpectedLatest("strike", STRIKE, "another"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("layers.store.derived_tables.write_table", None)
        with pytest.raises(TypeError):
            atlas.append("decisions", decided(), author="Ann")
    assert not atlas.refresh()
    store.write(titled(store, "Of another worker"), author="Ben")
    assert atlas.refresh()
    assert "review/none" not in atlas.view.stored.decisions
    assert served(atlas) == anew(store) != before


def test_what_others_wrote_before_and_after_is_served_with_it(store: Store, counts: Counts) -> None:
    one, other = (LiveSnapshot(store, SETTINGS, "test") for _ in range(2))
    other.write(titled(store, "Before"), author="Ben")
    counts.clear()
    one.append("decisions", decided(), author="Ann")
    assert one.refresh()
    assert times(counts, "strike_columns") == {STRIKE: 1, OTHER: 1}
    one.append("decisions", decided("unsure"), author="Ann")
    other.write(titled(store, "After"), author="Ben")
    assert one.refresh()
    assert not one.refresh()
    assert other.refresh()
    assert served(one) == served(other) == anew(store)
    assert one.view.snapshot.seq == store.seq()


def test_a_write_from_a_version_that_is_no_longer_served_is_computed_again(store: Store) -> None:
    atlas = LiveSnapshot(store, SETTINGS, "test")
    with atlas._computing_next(atlas.view.changed) as derived:
        store.append("decisions", decided(), author="Ann", derived=derived)
        assert atlas.refresh()
    assert not atlas.refresh()
    store.write(titled(store, "Later"), author="Ben")
    assert atlas.refresh()
    assert served(atlas) == anew(store)


@pytest.mark.parametrize("publish_from", [SETTINGS.publish_from, 0.99])
def test_private_records_are_in_the_store_alone(
    store: Store, base: Basemap, new_shared_store: NewStore, publish_from: float
) -> None:
    settings = replace(SETTINGS, publish_from=publish_from)
    atlas = LiveSnapshot(store, settings, "test")
    for edit in (
        titled(store, "Private", private=True),
        titled(store, "Another", STRIKE),
        titled(store, "Public again", private=False),
        titled(store, "And changed"),
    ):
        atlas.write(edit, author="Ann")
        assert atlas.refresh()
        private = bool(edit.record and edit.record.private)
        assert (OTHER in atlas.view.snapshot.records.strikes) != (private or store.records().strikes[OTHER].private)
        assert OTHER in atlas.view.with_private.records.strikes
        expected = LiveSnapshot(store, settings, "test")
        assert served(atlas) == served(expected)
        assert layers(store) == fresh(store, base, new_shared_store)


def test_what_the_map_shows_first_can_be_computed_ahead(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    script = (ROOT / "static" / "api.js").read_text(encoding="utf-8")
    assert f'const ORDER = "{LIST_ORDER}";' in script
    snapshot = LiveSnapshot(store, SETTINGS, "test").view.snapshot
    strikes = snapshot.collections["strikes"]
    first = with_tiebreak(parse_selection({**MapView().parameters(), "sortby": LIST_ORDER}, strikes))
    assert not is_cached_or_cheap(strikes, first)
    ready_to_list(snapshot)
    assert is_cached_or_cheap(strikes, first)

    def count_again(*_: object) -> Never:
        raise AssertionError("what the first view counts was counted again")

    monkeypatch.setattr(strike_counts, "selected_truth", count_again)
    monkeypatch.setattr(strike_counts, "truth_of", count_again)
    counted = (snapshot.collections, snapshot.registers, first, StrikeConditions())
    assert strike_counts.timeline(*counted, "month").spans
    assert strike_counts.groups(*counted, "country")
    with pytest.raises(AssertionError, match="counted again"):
        strike_counts.groups(*counted, "status")
