"""A server starts from what was kept, and serves the same as one that found it anew."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import shutil
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.server import live_snapshot
from api.server.live_snapshot import LiveSnapshot
from api.server.version_builder import opened_version
from api.settings import Settings
from layers.model.records import Records
from layers.snapshot import snapshot_files
from layers.snapshot.snapshot_cache import SnapshotCache
from layers.store import reader
from layers.store.backends import open_store
from layers.store.store import ANY, Edit, Store
from tests.conftest import FEW_COUNTRIES
from tests.store_copies import opened_copy, set_aside
from tests.store_kinds import NewStore, by_another, cache_folder

SETTINGS = Settings(basemap=FEW_COUNTRIES)
#: Of a server that keeps nothing, and reads nothing that was kept.
ANEW = Settings(basemap=FEW_COUNTRIES, cache_from=10**9)


def atlas(store: Store, settings: Settings = SETTINGS) -> LiveSnapshot:
    return LiveSnapshot(store, settings, "test")


@pytest.fixture(autouse=True)
def _shallow(monkeypatch: pytest.MonkeyPatch) -> None:
    # Deep zooms of countries take seconds, each time.
    monkeypatch.setattr("api.server.live_snapshot._ZOOMS", 2)
    monkeypatch.setattr("api.server.live_snapshot.LARGE", 1)


@pytest.fixture(scope="module")
def loaded(few_records: Records, new_shared_store: NewStore) -> Store:
    """A store of a few strikes."""
    made = new_shared_store()
    made.load(few_records, author="tests")
    return set_aside(made)


@pytest.fixture
def store(loaded: Store, tmp_path: Path) -> Store:
    return opened_copy(loaded, tmp_path / "atlas.gpkg")


def served(found: LiveSnapshot) -> dict[str, Any]:
    layers = found.view.snapshot.collections
    return {name: (list(one.fragments), one.digest) for name, one in layers.items()} | {"version": found.view.version}


def is_new(found: LiveSnapshot) -> bool:
    """Whether a view was found of the records, rather than read."""
    return found.view.snapshot.backing_files is None


def folders(store: Store) -> list[str]:
    beside = cache_folder(store)
    return sorted(one.name for one in beside.iterdir() if one.is_dir()) if beside.is_dir() else []


def kept_in(found: LiveSnapshot) -> Path:
    files = found.view.snapshot.backing_files
    assert files is not None
    return files.folder


def kept_as_of(found: LiveSnapshot) -> int:
    """The change that the view lies on."""
    files = found.view.snapshot.backing_files
    assert files is not None
    as_of: int = files.metadata("seq")
    return as_of


def edit(store: Store, title: str) -> str:
    key, strike = next(iter(store.records().strikes.items()))
    store.write(Edit("strikes", key, strike.model_copy(update={"title": title}), ANY), author="tests")
    return key


def test_a_second_start_reads_what_the_first_kept(store: Store) -> None:
    anew = atlas(store, ANEW)
    assert (is_new(anew), folders(store)) == (True, []), "of so few records nothing is kept"
    assert not anew.rebuild_cache()
    assert not cache_folder(store).exists(), "nor is anything put beside it"
    first, second = atlas(store), atlas(store)
    assert not is_new(first), "what was kept is read by the first too: it takes less memory"
    assert not is_new(second)
    second.warm()
    layer = second.view.snapshot.collections["strikes"].layer
    assert all("messages" in vars(values) for values in layer.columns.values), "the first tile finds the values encoded"
    assert served(first) == served(second) == served(anew)
    assert first.view.with_private is first.view.snapshot


def test_the_snapshot_of_a_small_store_is_cached_while_it_is_served(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.server.live_snapshot.LARGE", 10**6)
    first, expected = atlas(store), served(atlas(store, ANEW))
    assert (is_new(first), folders(store)) == (True, []), "the first start waits for no file"

    async def serve() -> None:
        following = asyncio.create_task(first.watch(0.02))
        async with asyncio.timeout(60):
            while is_new(first):
                await asyncio.sleep(0.02)
        following.cancel()
        with pytest.raises(asyncio.CancelledError):
            await following

    asyncio.run(serve())
    second = atlas(store)
    assert not is_new(second)
    assert served(first) == served(second) == expected


def test_what_is_written_before_it_is_served_is_the_same_to_the_byte(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def files_in(found: LiveSnapshot) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in kept_in(found).glob("*.arrow")}

    first = atlas(store)
    monkeypatch.setattr("api.server.live_snapshot.LARGE", 10**6)
    other = atlas(store, replace(SETTINGS, cache_in=tmp_path / "other"))
    assert is_new(other)
    assert other.rebuild_cache()
    assert kept_in(first) != kept_in(other)
    assert files_in(first) == files_in(other)


def test_commands_read_what_a_server_cached_and_write_nothing(store: Store) -> None:
    anew = opened_version(store, SETTINGS)
    assert (anew.snapshot.backing_files, folders(store)) == (None, [])
    atlas(store)
    beside = cache_folder(store)
    before = sorted(beside.rglob("*"))
    kept = opened_version(store, SETTINGS)
    assert kept.snapshot.backing_files is not None
    assert kept.disclosure.records is kept.stored
    key = edit(store, "Mended after it was kept")
    later, expected = opened_version(store, SETTINGS), opened_version(store, ANEW)
    assert later.snapshot.records.strikes[key].title == "Mended after it was kept"
    for one, other in ((anew, kept), (expected, later)):
        assert one.stored == other.stored
        for name, collection in one.snapshot.collections.items():
            assert [*collection.fragments] == [*other.snapshot.collections[name].fragments]
    assert sorted(beside.rglob("*")) == before


def test_a_command_reads_nothing_of_before_it_became_private(store: Store) -> None:
    atlas(store)
    key, strike = next(iter(store.records().strikes.items()))
    store.write(Edit("strikes", key, strike.model_copy(update={"private": True}), ANY), author="tests")
    assert key not in opened_version(store, SETTINGS).snapshot.records.strikes
    assert folders(store) == []


def test_what_was_changed_since_it_was_kept_is_told(store: Store) -> None:
    running = atlas(store)
    key = edit(store, "Mended after it was kept")
    assert running.refresh()
    assert not running.refresh()
    later, anew = atlas(store), atlas(store, ANEW)
    assert served(running) == served(later) == served(anew)
    assert later.view.version_of_strike(key) == anew.view.version_of_strike(key)
    assert later.view.snapshot.records.strikes[key].title == "Mended after it was kept"


def test_where_more_was_changed_it_is_kept_anew(store: Store) -> None:
    first = atlas(store)
    key, asset = next(iter(store.records().assets.items()))
    store.write(Edit("assets", key, asset.model_copy(update={"name": "Another name"}), ANY), author="tests")
    second = atlas(store)
    assert kept_in(second) == kept_in(first), "in the same place"
    assert (first.view.snapshot.seq, second.view.snapshot.seq) == (store.seq() - 1, store.seq())
    assert served(second) == served(atlas(store, ANEW))


def test_what_another_program_edits_is_found_anew(store: Store) -> None:
    running = atlas(store)
    (before,) = folders(store)
    by_another(store, "UPDATE strikes SET title = 'Mended in a GIS' WHERE fid = 1")
    assert running.refresh()
    assert not running.refresh()
    assert b"Mended in a GIS" in b"".join(running.view.snapshot.collections["strikes"].fragments)
    assert served(running) == served(atlas(store)) == served(atlas(store, ANEW))
    assert folders(store) == [before], "what is kept of the same program takes the place of the older"


def test_another_program_or_threshold_reads_nothing_of_it(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    atlas(store)
    others = [
        atlas(store, Settings(basemap=FEW_COUNTRIES, publish_from=0.999)),
        LiveSnapshot(store, SETTINGS, "other"),
    ]
    assert len({one.view.version for one in others}) == 2
    monkeypatch.setattr("layers.snapshot.snapshot_cache.version", lambda name: f"{name} of tomorrow")
    assert len({*map(kept_in, [*others, atlas(store)])}) == 3


@pytest.mark.parametrize("harm", ["truncated", "missing", "no JSON"])
def test_what_was_spoilt_is_kept_again(store: Store, harm: str, caplog: pytest.LogCaptureFixture) -> None:
    expected = served(atlas(store))
    (folder,) = folders(store)
    beside = cache_folder(store) / folder
    file = beside / "records.strikes.arrow"
    if harm == "missing":
        file.unlink()
    elif harm == "truncated":
        file.write_bytes(file.read_bytes()[:50])
    else:
        (beside / "manifest.json").write_bytes(b"{")
    assert served(atlas(store)) == expected
    assert "is made again" in caplog.text


def test_a_store_beside_which_nothing_can_be_written_is_served_all_the_same(store: Store) -> None:
    cache_folder(store).write_text("in the way")
    found = atlas(store)
    assert is_new(found)
    assert served(found) == served(atlas(store, ANEW))
    edit(store, "Mended")
    assert found.refresh()


def test_a_start_announces_a_quicker_one_only_where_it_writes_the_cache(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    key, strike = next(iter(store.records().strikes.items()))
    store.write(Edit("strikes", key, strike.model_copy(update={"private": True}), ANY), author="tests")
    atlas(store)
    assert "finding what follows from the store" in caplog.text
    assert "next start" not in caplog.text
    store.publish("curated", [key], author="tests", why="cleared")
    atlas(store)
    assert "the next start will be quicker" in caplog.text


def test_private_records_are_not_kept(store: Store) -> None:
    key, strike = next(iter(store.records().strikes.items()))
    store.write(Edit("strikes", key, strike.model_copy(update={"private": True}), ANY), author="tests")
    found = atlas(store)
    assert (is_new(found), folders(store)) == (True, [])
    assert key in found.view.with_private.records.strikes
    assert key not in found.view.snapshot.records.strikes


@pytest.mark.parametrize("running", [True, False])
def test_what_was_kept_before_it_became_private_is_removed(store: Store, running: bool) -> None:
    """By a server that runs, or else by the next one that starts."""
    first = atlas(store)
    assert folders(store)
    key, strike = next(iter(store.records().strikes.items()))
    store.write(Edit("strikes", key, strike.model_copy(update={"private": True}), ANY), author="tests")
    if running:
        assert first.refresh()
        assert not first.rebuild_cache()
    else:
        assert is_new(atlas(store))
    assert folders(store) == []


@pytest.fixture(params=["packed", "plain"])
def _packed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "packed":
        monkeypatch.setattr(snapshot_files, "MANY", 0)
        monkeypatch.setattr(reader, "MANY", 0)


@pytest.mark.usefixtures("_packed")
def test_what_was_edited_is_kept_anew_and_served_from(store: Store) -> None:
    running = atlas(store)
    begun = kept_as_of(running)
    assert not running.rebuild_cache(), "it is what is kept"
    edit(store, "Mended once")
    assert running.refresh()
    assert (kept_as_of(running), running.rebuild_cache(after=2)) == (begun, False), "one change is not two"
    edit(store, "Mended twice")
    assert running.refresh()
    expected = served(running)
    assert running.rebuild_cache(after=2)
    assert (kept_in(running), kept_as_of(running)) == (kept_in(atlas(store)), store.seq())
    assert not running.rebuild_cache()
    key = edit(store, "Mended afterwards")
    again, anew = atlas(store), atlas(store, ANEW)
    assert running.refresh()
    assert served(running) == served(again) == served(anew) != expected
    assert again.view.stored.strikes[key].title == "Mended afterwards"
    assert kept_as_of(again) == store.seq() - 1


def test_an_asset_that_was_edited_is_kept_too(store: Store) -> None:
    running = atlas(store)
    key, asset = next(iter(store.records().assets.items()))
    store.write(Edit("assets", key, asset.model_copy(update={"name": "Another name"}), ANY), author="tests")
    assert running.refresh()
    assert running.view.snapshot.backing_files is None, "all was found anew"
    expected = served(running)
    assert running.rebuild_cache(after=500)
    assert (kept_as_of(running), is_new(running)) == (store.seq(), False)
    assert served(running) == expected == served(atlas(store))
    assert not running.rebuild_cache(after=500), "nor is it kept over and over"


def test_changes_that_come_while_it_is_kept_are_served(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    running = atlas(store)
    edit(store, "Mended before")
    assert running.refresh()
    write = SnapshotCache.write

    def slowly(*told: Any) -> Any:
        known = write(*told)
        edit(store, "Mended meanwhile")
        return known

    monkeypatch.setattr(SnapshotCache, "write", slowly)
    assert running.rebuild_cache()
    assert (kept_as_of(running), running.view.snapshot.seq) == (store.seq() - 1, store.seq())
    assert served(running) == served(atlas(store, ANEW))


def test_one_of_two_workers_keeps_it_for_both(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    workers = [atlas(store), atlas(store)]
    edit(store, "Mended")
    assert [worker.refresh() for worker in workers] == [True, True]
    with workers[0]._cache.exclusive_lock():
        assert not workers[1].rebuild_cache(wait=False), "the other is at it"
    assert workers[0].rebuild_cache()
    monkeypatch.setattr(SnapshotCache, "write", None)
    assert workers[1].rebuild_cache()
    assert {kept_as_of(worker) for worker in workers} == {store.seq()}
    assert served(workers[0]) == served(workers[1])


def test_what_a_killed_writer_left_is_removed(store: Store) -> None:
    first = atlas(store)
    (folder,) = folders(store)
    beside = cache_folder(store)
    shutil.copytree(beside / folder, beside / f"{folder}.0a1b2c3d.new")
    edit(store, "Mended")
    assert first.refresh()
    assert first.rebuild_cache()
    assert folders(store) == [folder]


def test_who_is_told_to_end_writes_no_further(store: Store) -> None:
    running = atlas(store)
    edit(store, "Mended")
    assert running.refresh()
    before = folders(store)
    running._ended = True
    assert not running.rebuild_cache()
    assert folders(store) == before
    assert kept_as_of(atlas(store)) == store.seq() - 1, "what was kept before is as it was"


def test_what_cannot_be_kept_is_not_tried_each_second(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    running = atlas(store)
    key, strike = next(iter(store.records().strikes.items()))
    store.write(Edit("strikes", key, strike.model_copy(update={"private": True}), ANY), author="tests")
    assert running.refresh()
    assert not running.rebuild_cache()
    monkeypatch.setattr(SnapshotCache, "is_used", None)
    assert not running.rebuild_cache()


def test_a_server_keeps_what_it_serves_after_many_changes(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.server.live_snapshot._AFTER", 2)
    running = atlas(store)

    async def until(asked: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not asked():
                await asyncio.sleep(0.02)

    async def serve() -> None:
        following = asyncio.create_task(running.watch(0.02))
        for title in ("Mended once", "Mended twice"):
            edit(store, title)
        await until(lambda: kept_as_of(running) == store.seq())
        edit(store, "Mended afterwards")
        await until(lambda: running.view.snapshot.seq == store.seq())
        following.cancel()
        with pytest.raises(asyncio.CancelledError):
            await following

    asyncio.run(serve())
    assert kept_as_of(running) == store.seq() - 1
    assert served(running) == served(atlas(store))


def test_an_application_that_stops_waits_for_what_is_being_written(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = []

    async def follow(self: LiveSnapshot, every_s: float) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.05)
            ended.append("written")

    monkeypatch.setattr(LiveSnapshot, "watch", follow)
    with TestClient(create_app(store, SETTINGS)):
        pass
    assert ended == ["written"]


def test_a_view_is_gone_as_soon_as_a_newer_one_is_served(store: Store) -> None:
    running = atlas(store)
    snapshot = running.view.snapshot
    key = snapshot.order[0]
    _ = (
        snapshot.findings[key],
        snapshot.answer(key),
        snapshot.matches[key],
        snapshot.owners(next(iter(snapshot.records.assets))),
    )
    former = weakref.ref(snapshot)
    del snapshot
    edit(store, "Mended")
    gc.disable()
    try:
        assert running.refresh()
        assert former() is None, "nothing of it waits until cycles are sought"
    finally:
        gc.enable()


def start(address: str, told: Any) -> None:
    live_snapshot.LARGE = 1
    found = LiveSnapshot(open_store(address), SETTINGS, "test")
    told.put((found.view.version, is_new(found)))


@pytest.mark.long
def test_workers_that_start_together_keep_it_once(store: Store, tmp_path: Path) -> None:
    store.close()
    context = multiprocessing.get_context("spawn")
    told = context.Queue()
    workers = [context.Process(target=start, args=(store.name, told)) for _ in range(2)]
    for worker in workers:
        worker.start()
    found = [told.get(timeout=120) for _ in workers]
    for worker in workers:
        worker.join()
    assert len(folders(store)) == 1
    assert {new for _, new in found} == {False}
    assert len({version for version, _ in found}) == 1
    shutil.rmtree(tmp_path)
