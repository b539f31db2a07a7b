"""What goes wrong under a server that writes: the file of the store is replaced, or the disk is full."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.requests import reviewer_tokens
from api.responses.errors import TABLE
from api.settings import Settings
from layers.model.records import Records
from layers.store import idempotency
from layers.store.backup import back_up
from layers.store.connections import as_store_error
from layers.store.store import Store, StoreFull, StoreReplaced
from tests.api.conftest import feature
from tests.conftest import BASEMAP
from tests.full_disk import full_beyond

ITEMS = "/collections/strikes/items"


class Served(NamedTuple):
    client: TestClient
    store: Store
    #: Another store, to be put in its place.
    other: Path
    token: dict[str, str]

    def add(self, title: str) -> Any:
        return self.client.post(ITEMS, json=feature(title=title), headers=self.token)


@pytest.fixture
def served(few_records: Records, tmp_path: Path) -> Iterator[Served]:
    store = Store.create(tmp_path / "atlas.gpkg")
    store.load(few_records, author="tests")
    back_up(store, tmp_path / "other.gpkg")
    token = {"Authorization": f"Bearer {reviewer_tokens.add_reviewer(tmp_path / 'reviewers.json', 'Ann')}"}
    settings = Settings(basemap=BASEMAP, reviewers=tmp_path / "reviewers.json", follow_every_s=0)
    with TestClient(create_app(store, settings), raise_server_exceptions=False) as client:
        yield Served(client, store, tmp_path / "other.gpkg", token)


def titles(path: Path) -> set[str]:
    store = Store.open(path)
    found = {strike.title for strike in store.records().strikes.values()}
    assert store.verify() == ()
    store.close()
    return found


def refused(answer: Any) -> None:
    assert answer.status_code == 503, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["title"] == "The store was replaced"


def test_after_a_swap_no_write_is_acknowledged_and_both_files_are_whole(served: Served) -> None:
    assert served.add("before the swap").status_code == 201
    path, moved = served.store.path, served.store.path.with_name("moved.gpkg")
    path.rename(moved)
    os.replace(served.other, path)
    for _ in range(3):
        refused(served.add("after the swap"))
    assert served.client.get("/collections").status_code == 200, "what was read is served on"
    assert not served.client.app.state.atlas.look()  # type: ignore[attr-defined]
    assert "another file took its place" in served.client.app.state.atlas.fault  # type: ignore[attr-defined]
    (worker,) = served.client.get("/health").json()["workers"]
    assert worker["behind_s"] > 0, "what was acknowledged is not known to be served"
    assert 'strikeatlas_data_fault{worker="0"} 1.0' in served.client.get("/metrics").text
    assert path.with_name("atlas.gpkg-wal").stat().st_size == 0, "no stale log is left for the new file"
    assert "before the swap" in titles(moved), "what was acknowledged is in the file that it was written to"
    new = titles(path)
    assert new.isdisjoint({"before the swap", "after the swap"})


def test_a_file_that_is_gone_is_as_one_that_was_replaced(served: Served) -> None:
    served.store.path.rename(served.store.path.with_name("moved.gpkg"))
    refused(served.add("after it went"))
    with pytest.raises(StoreReplaced):
        served.store.seq()


def test_a_swap_while_a_write_is_at_work_is_no_acknowledgement(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    insert = idempotency.insert

    def swapping(*values: Any) -> None:
        insert(*values)
        os.replace(served.other, served.store.path)

    monkeypatch.setattr(idempotency, "insert", swapping)
    refused(served.add("during the swap"))
    monkeypatch.undo()
    assert "during the swap" not in titles(served.store.path)


@pytest.mark.parametrize("is_backup", [False, True], ids=["in WAL mode", "in no WAL mode"])
def test_a_file_that_is_written_over_is_neither_read_nor_written_nor_damaged(served: Served, is_backup: bool) -> None:
    """It has the inode of the one before, and its log would be folded into it."""
    client, store = served.client, served.store
    assert served.add("before the copy").status_code == 201
    before = client.get(f"{ITEMS}?limit=1000").json()["features"]
    other = Store.create(served.other.with_name("else.gpkg"))
    other.set_policy({"contact": "corrections@example.org"}, author="tests", why="tests")
    back_up(other, served.other, overwrite=True)
    other.close()
    copied = (served.other if is_backup else other.path).read_bytes()
    store.path.write_bytes(copied)
    refused(served.add("after the copy"))
    assert not client.app.state.atlas.look()  # type: ignore[attr-defined]
    assert "another file was written over it" in client.app.state.atlas.fault  # type: ignore[attr-defined]
    assert client.get(f"{ITEMS}?limit=1000").json()["features"] == before, "what was read is served on"
    with pytest.raises(StoreReplaced):
        store.policy()
    store.close()
    assert store.path.read_bytes() == copied
    with pytest.raises(StoreReplaced, match=r"its log .* is of another"):
        Store.open(store.path).records()
    for suffix in ("-wal", "-shm"):
        store.path.with_name(f"atlas.gpkg{suffix}").unlink()
    assert titles(store.path).isdisjoint({"before the copy", "after the copy"})


def test_a_log_that_is_folded_by_another_program_is_no_other_file(served: Served) -> None:
    path = served.store.path
    for number in range(3):
        assert served.add(f"title {number}").status_code == 201
        with closing(sqlite3.connect(path)) as beside:
            assert beside.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
        assert served.client.app.state.atlas.look()  # type: ignore[attr-defined]
    assert {f"title {number}" for number in range(3)} <= titles(path)


def test_a_later_copy_of_the_store_is_followed_and_an_earlier_one_refused(served: Served, tmp_path: Path) -> None:
    path, later = served.store.path, tmp_path / "later.gpkg"
    served.store.close()
    earlier = path.read_bytes()
    later.write_bytes(earlier)
    copy = Store.open(later)
    copy.load(Records.of({}), author="tests")
    copy.set_policy({"contact": "corrections@example.org"}, author="tests", why="tests")
    copy.close()
    path.write_bytes(later.read_bytes())
    assert served.client.app.state.atlas.look()  # type: ignore[attr-defined]
    assert served.client.app.state.atlas.view.disclosure.policy.contact == "corrections@example.org"  # type: ignore[attr-defined]
    path.write_bytes(earlier)
    with pytest.raises(StoreReplaced):
        served.store.policy()


def test_on_a_full_disk_a_write_is_refused_and_the_next_one_is_done(served: Served) -> None:
    log = served.store.path.with_name("atlas.gpkg-wal")
    served.store.close()
    with full_beyond(log.stat().st_size if log.exists() else 4096):
        for _ in range(2):
            answer = served.add("no room")
            assert answer.status_code in (503, 507), answer.text
            assert answer.headers["content-type"] == "application/problem+json"
        assert served.client.get("/collections").status_code == 200
    assert served.add("room again").status_code == 201
    assert titles(served.store.path) & {"no room", "room again"} == {"room again"}


def test_a_full_database_is_a_full_disk(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "x")) as connection:
        connection.execute("CREATE TABLE t (a)")
        connection.execute("PRAGMA max_page_count = 2")
        with pytest.raises(sqlite3.OperationalError) as raised:
            connection.execute("INSERT INTO t VALUES (zeroblob(100000))")
    found = as_store_error(raised.value, tmp_path / "x")
    assert isinstance(found, StoreFull)
    assert next(status for kind, (status, _) in TABLE.items() if isinstance(found, kind)) == 507
