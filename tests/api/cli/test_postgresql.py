"""The commands on a store in PostgreSQL: made, read, edited, copied, checked and served."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import time
import urllib.parse
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
from tests.conftest import BASEMAP, ROOT, serving
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
    assert kept.report == {"store": made.report["store"], "created": False}

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


@pytest.mark.skipif(shutil.which("ogr2ogr") is None, reason="needs gdal-bin")
def test_a_database_for_others_has_what_may_be_published_alone(
    command: Run, few_store: Store, address: str, cluster: Cluster, base: Basemap, tmp_path: Path
) -> None:
    psycopg = pytest.importorskip("psycopg")
    store = create_new(address)
    store.copy_from(few_store, full_rewrite(base, text))
    key, strike = next(iter(store.records().strikes.items()))
    for name, words, private in ((key, "SECRET DAMAGE", False), ("ua-private", "SECRET STRIKE", True)):
        changed = strike.model_copy(update={"id": name, "damage": words, "private": private})
        store.write(Edit("strikes", name, changed, ANY if name == key else None), author="Ann")
    (tmp_path / "policy.toml").write_text('[[withhold]]\ntable = "strikes"\nfields = ["damage"]\n')
    policy = ("policy", "set", tmp_path / "policy.toml", "--who", "A", "--why", "w")
    assert command(*policy, "--store", address).code == 0

    public = cluster.new_database()
    name = urllib.parse.urlsplit(public).path[1:]
    page = (ROOT / "docs" / "postgresql.md").read_text()
    (documented,) = [line for line in page.splitlines() if line.startswith("ogr2ogr")]
    load = shlex.split(
        documented.replace("host=db.example dbname=atlas_public", f"host={cluster.folder} dbname={name}")
    )
    for _ in range(2):
        assert (
            command("export", "gpkg", "--store", address, "--basemap", BASEMAP, "-o", tmp_path / "public.gpkg").code
            == 0
        )
        environment = {**os.environ, "PGUSER": cluster.user}
        subprocess.run(load, cwd=tmp_path, check=True, capture_output=True, env=environment)
    with psycopg.connect(public) as reader:
        tables = [name for (name,) in reader.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
        rows = {name: str(reader.execute(f'SELECT * FROM "{name}"').fetchall()) for name in tables}
    assert {"strikes", "attributions"} <= rows.keys()
    assert key in rows["strikes"]
    assert [name for name, found in rows.items() if "SECRET" in found or "ua-private" in found] == []
