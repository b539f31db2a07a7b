"""What other programs edit while a server runs, or before it starts, is shown, is history, and is in the layers."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.server.live_snapshot import LiveSnapshot
from api.settings import Settings
from api.wording.catalogue import text
from layers.reference.basemap import Basemap
from layers.snapshot.derived_layers import full_rewrite
from layers.store.external_edits import AUTHOR
from layers.store.store import Store, StoreError
from tests.conftest import BASEMAP
from tests.store_copies import opened_copy
from tests.store_kinds import by_another


@pytest.fixture
def own(few_store: Store, tmp_path: Path) -> Store:
    return opened_copy(few_store, tmp_path / "own.gpkg")


def served(store: Store) -> LiveSnapshot:
    return LiveSnapshot(store, Settings(basemap=BASEMAP), "tests")


def titles(live: LiveSnapshot) -> set[str]:
    return {strike.title for strike in live.view.snapshot.records.strikes.values()}


def rename(store: Store, title: str) -> None:
    by_another(store, "UPDATE strikes SET title = ? WHERE fid = 1", title)


def test_an_edit_is_shown_and_is_history_and_the_layers_follow(own: Store, base: Basemap) -> None:
    live, seq = served(own), own.seq()
    rename(own, "Mended")
    assert live.refresh()
    assert "Mended" in titles(live)
    assert [row.author for row in own.revisions(seq)] == [AUTHOR]
    assert not live.refresh()
    assert own.verify(full_rewrite(base, text)) == ()


def test_an_edit_before_the_start_is_history_too(own: Store, base: Basemap) -> None:
    seq = own.seq()
    rename(own, "Mended")
    assert "Mended" in titles(served(own))
    assert [row.author for row in own.revisions(seq)] == [AUTHOR]
    assert own.verify(full_rewrite(base, text)) == ()


def test_an_edit_that_leaves_no_valid_record_is_history_and_not_shown(own: Store, base: Basemap) -> None:
    live, seq = served(own), own.seq()
    before = titles(live)
    by_another(own, "UPDATE strikes SET status = 'Mended' WHERE fid = 1")
    with pytest.raises(StoreError, match="status"):
        live.refresh()
    assert titles(live) == before
    (row,) = own.revisions(seq)
    assert row.after is not None
    assert row.after["status"] == "Mended"
    by_another(own, "UPDATE strikes SET status = 'draft', title = 'Mended' WHERE fid = 1")
    assert live.refresh()
    assert "Mended" in titles(live)
    assert own.verify(full_rewrite(base, text)) == ()


def test_where_nothing_can_be_written_edits_are_shown_and_history_tells_later(
    own: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    live, seq = served(own), own.seq()

    def refused(*_: object, **__: object) -> int:
        raise StoreError("attempt to write a readonly database")

    monkeypatch.setattr(own, "record_external_edits", refused)
    for title in ("One", "Two"):
        rename(own, title)
        assert live.refresh()
        assert title in titles(live)
        assert not live.refresh()
    assert own.seq() == seq
    monkeypatch.undo()
    assert live.refresh()
    assert own.seq() == live.view.snapshot.seq == seq + 1
    assert "Two" in titles(live)
    assert not live.refresh()
