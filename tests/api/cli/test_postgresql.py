"""The commands on a store in PostgreSQL: made, read, edited, copied, checked and served."""

from __future__ import annotations

import json
import time
import urllib.request
from pathlib import Path

import pytest

from api.python.atlas import open as open_atlas
from api.wording.catalogue import text
from layers.reference.basemap import Basemap
from layers.snapshot.derived_layers import full_rewrite
from layers.store.backends import create_new, open_store
from layers.store.store import ANY, Edit, Store
from tests.command_runner import Run
from tests.conftest import BASEMAP, serving
from tests.postgres_cluster import Cluster


@pytest.fixture
def address(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return cluster.new_database()


def test_a_store_is_filled_cached_read_copied_and_checked(
    command: Run, few_store: Store, address: str, tmp_path: Path
) -> None:
    made = command("init", "--empty", "--store", address, "--basemap", BASEMAP, "--json")
    assert made.code == 0, made.err
    assert "postgres@" not in made.report["store"]
    filled = command("copy-store", few_store.name, address, "--basemap", BASEMAP, "--json")
    assert filled.code == 0, filled.err
    kept = command("init", "--store", address, "--basemap", BASEMAP, "--json")
    assert kept.report == {"store": made.report["store"], "kept": True}

    shown = command("show", "ua-orlivka-2025-08-06", "--store", address, "--basemap", BASEMAP, "--json")
    assert shown.code == 0, shown.err
    assert len(open_atlas(address, basemap=BASEMAP).strikes()) == few_store.count("strikes")
    copied = command("copy-store", address, tmp_path / "copy.gpkg", "--basemap", BASEMAP, "--json")
    assert copied.code == 0, copied.err
    head = open_store(address).head()
    assert head == few_store.head()
    assert (copied.report["seq"], copied.report["hash"]) == (head.seq, head.hash)
    assert open_store(tmp_path / "copy.gpkg").head() == head
    for store in (address, tmp_path / "copy.gpkg"):
        verified = command("verify", store, "--basemap", BASEMAP)
        assert verified.code == 0, verified.out

    refused = command("copy-store", tmp_path / "copy.gpkg", address, "--basemap", BASEMAP)
    assert refused.code
    assert "holds a store" in refused.err
    assert command("backup", address, tmp_path / "b.gpkg").code
    assert not (tmp_path / "b.gpkg").exists()


def test_what_another_process_writes_is_served_when_it_is_announced(
    few_store: Store, address: str, base: Basemap, tmp_path: Path
) -> None:
    store = create_new(address)
    store.copy_from(few_store, full_rewrite(base, text))
    reader = ("--reviewers", str(tmp_path / "reviewers.json"))
    with serving(store, *reader) as url:
        key, strike = next(iter(store.records().strikes.items()))
        for title in ("Announced", "Announced again"):
            edit = Edit("strikes", key, strike.model_copy(update={"title": title}), ANY)
            store.write(edit, author="Ann")
            begun = time.monotonic()
            while _title(url, key) != title:
                assert time.monotonic() - begun < 9, "it was looked for, and not announced"
                time.sleep(0.05)
    store.close()


def _title(url: str, key: str) -> str:
    with urllib.request.urlopen(f"{url}/collections/strikes/items/{key}?f=json", timeout=60) as answer:
        return str(json.load(answer)["properties"]["title"])
