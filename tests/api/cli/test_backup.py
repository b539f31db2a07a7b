"""The commands backup and restore, read-only stores by the commands that read, and clocks that cannot be right."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.requests import reviewer_tokens
from api.settings import Settings
from api.wording.catalogue import text
from layers.model.records import Records
from layers.reference.basemap import Basemap
from layers.snapshot.derived_layers import full_rewrite
from layers.store.backup import restore
from layers.store.store import ANY, Edit, Store
from tests.api.conftest import feature
from tests.command_runner import Run, shell
from tests.conftest import BASEMAP
from tests.store_copies import opened_copy, sealed_copy
from tests.store_kinds import NewStore, is_file, needs_a_file

ORLIVKA = "ua-orlivka-2025-08-06"
NO_BACKUP = "backup and restore copy files; a server of databases has backups of its own"
of_file = partial(pytest.param, marks=needs_a_file(NO_BACKUP))


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command as the shell would."""
    return shell(capsys, monkeypatch)


@needs_a_file(NO_BACKUP)
def test_backup_says_what_it_wrote_and_overwrites_only_with_force(run: Run, store: Store, tmp_path: Path) -> None:
    target = tmp_path / "copy.gpkg"
    done = run("backup", store.path, target, "--json")
    assert (done.code, done.report["seq"], done.report["bytes"]) == (0, store.seq(), target.stat().st_size)
    assert len(done.report["sha256"]) == 64
    before = target.read_bytes()
    again = run("backup", store.path, target)
    assert again.code == 4
    assert target.read_bytes() == before
    people = run("backup", target, "--store", store.path, "--force")
    assert people.code == 0
    assert f"sha256 {done.report['sha256']}" in people.out
    assert f"change {store.seq()} of 20" in people.out


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (("backup",), 2),
        (("backup", "a", "b", "c"), 2),
        (("backup", "{tmp}/none.gpkg", "{tmp}/copy.gpkg"), 4),
        (("backup", "{store}", "{store}", "--force"), 4),
        of_file(("backup", "{store}", "{tmp}/none/copy.gpkg"), 4),
        (("restore", "{store}"), 2),
        (("restore", "{tmp}/none.gpkg", "{tmp}/then.gpkg"), 4),
        (("restore", "{store}", "{tmp}/then.gpkg", "--to", "yesterday"), 2),
        (("restore", "{store}", "{tmp}/then.gpkg", "--to", "2025-08-06T04:00"), 2),
        of_file(("restore", "{store}", "{tmp}/then.gpkg", "--to", "99999999"), 5),
        of_file(("restore", "{store}", "{tmp}/then.gpkg", "--to", "1999-01-01"), 5),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, tuple) else str(given),
)
def test_what_cannot_be_is_refused_and_leaves_nothing(
    run: Run, store: Store, tmp_path: Path, args: tuple[str, ...], code: int
) -> None:
    given = [part.format(tmp=tmp_path, store=store.name) for part in args]
    said = run(*given, *(("--basemap", BASEMAP) if args[0] == "restore" else ()))
    assert said.code == code
    assert said.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "command",
    [
        ("backup", "{store}", "{database}"),
        ("restore", "{database}", "{tmp}/then.gpkg"),
        ("restore", "{store}", "{database}"),
        ("upgrade", "{database}"),
    ],
    ids=" ".join,
)
def test_a_database_in_place_of_a_file_is_refused_without_its_password(
    run: Run, few_store: Store, tmp_path: Path, command: tuple[str, ...]
) -> None:
    given = {"store": few_store.name, "tmp": tmp_path, "database": "postgresql://ann:secret@db.example/atlas"}
    base = () if command[0] == "backup" else ("--basemap", BASEMAP)
    said = run(*(part.format(**given) for part in command), *base)
    assert said.code == 4
    assert "a database is no file" in " ".join(said.err.split())
    assert "secret" not in said.out + said.err
    assert list(tmp_path.iterdir()) == []


def test_restore_by_number_day_and_time(run: Run, base: Basemap, few_records: Records, tmp_path: Path) -> None:
    store = Store.create(tmp_path / "atlas.gpkg")
    store.load(few_records, author="load", at=datetime(2025, 1, 1, 12, tzinfo=UTC), derive=full_rewrite(base, text))
    loaded = store.seq()
    removed = store.records().decisions[next(iter(store.records().decisions))].model_copy(update={"id": "second"})
    store.append("decisions", removed, author="Ann", at=datetime(2025, 1, 2, 12, tzinfo=UTC))
    store.close()
    expected = {
        str(loaded): loaded,
        "2025-01-01": loaded,
        "2025-01-02T11:59Z": loaded,
        "2025-01-02T14:00+02:00": loaded + 1,
        "2025-01-02": loaded + 1,
    }
    for to, seq in expected.items():
        done = run("restore", store.path, tmp_path / "then.gpkg", "--to", to, "--force", "--basemap", BASEMAP, "--json")
        assert (done.code, done.report["seq"], done.report["within"]) == (0, seq, None)
    assert "second" in Store.open(tmp_path / "then.gpkg", read_only=True).records().decisions
    midst = run("restore", store.path, tmp_path / "half.gpkg", "--to", loaded - 1, "--basemap", BASEMAP)
    assert f"Changes 1 to {loaded} were written together" in midst.out


def test_restore_says_how_many_records_are_private_as_they_are_now(
    run: Run, base: Basemap, few_records: Records, tmp_path: Path
) -> None:
    store = Store.create(tmp_path / "atlas.gpkg")
    store.load(few_records, author="load", derive=full_rewrite(base, text))
    loaded, shown = store.seq(), next(iter(few_records.strikes.values()))
    store.write(Edit("strikes", shown.id, shown.model_copy(update={"private": True}), ANY), author="Ann")
    store.close()
    then = tmp_path / "then.gpkg"
    said = run("restore", store.path, then, "--to", loaded, "--basemap", BASEMAP).out
    assert "Public then, and private in it as they are now: 1 record." in said
    assert run("verify", then, "--basemap", BASEMAP).code == 0
    listed = run("list", "strikes", "--store", then, "--basemap", BASEMAP, "--json").out
    assert f'"{shown.id}"' not in listed
    assert f'"{list(few_records.strikes)[1]}"' in listed


def test_a_server_of_a_restored_store_answers_as_it_did_then(base: Basemap, few_store: Store, tmp_path: Path) -> None:
    """Loads, edits, a decision and a removal by the API: each version again, to the byte; of a database by its copy."""
    paths = [
        "/collections/strikes/items?limit=1000", "/collections/assets/items?limit=1000",
        "/collections/attributions/items?limit=1000", "/collections/hits/items?limit=2000",
        "/collections/countries/items?limit=300",
        f"/strikes/{ORLIVKA}/attribution", "/countries/AZ", "/about", "/tiles/strikes/5/18/11.mvt",
        "/rest/services/strikeatlas/FeatureServer/0/query?where=1=1&f=json",
    ]  # fmt: skip

    def answers(client: TestClient) -> list[tuple[bytes, str | None]]:
        got = [client.get(path) for path in paths]
        assert {answer.status_code for answer in got} <= {200, 400, 404}
        return [(answer.content, answer.headers.get("etag")) for answer in got]

    own = opened_copy(few_store, tmp_path / "own.gpkg")
    desk = tmp_path / "reviewers.json"
    ann = {"Authorization": f"Bearer {reviewer_tokens.add_reviewer(desk, 'Ann')}"}
    versions: dict[int, list[tuple[bytes, str | None]]] = {}
    with TestClient(create_app(own, Settings(basemap=BASEMAP, reviewers=desk, follow_every_s=0))) as client:

        def seen() -> None:
            client.app.state.atlas.refresh()  # type: ignore[attr-defined]
            versions[own.seq()] = answers(client)

        seen()
        added = client.post("/collections/strikes/items", json=feature(), headers=ann)
        assert added.status_code == 201
        seen()
        decision = {"strike": added.json()["id"], "verdict": "none", "why": "seen", "seen": None}
        assert client.post("/review/decisions", json=decision, headers=ann).status_code == 201
        other = client.post("/collections/strikes/items", json=feature(title="Second"), headers=ann).json()["id"]
        seen()
        path = f"/collections/strikes/items/{other}"
        assert client.delete(path, headers={**ann, "If-Match": "*"}).status_code == 204
        seen()
    assert len(versions) == 4
    derive, file = full_rewrite(base, text), own
    if not is_file(own):
        file = Store.create(tmp_path / "copy.gpkg")
        file.copy_from(own, derive)
    for seq, before in versions.items():
        target = tmp_path / f"{seq}.gpkg"
        restore(file, target, derive, to=seq)
        with TestClient(create_app(Store.open(target), Settings(basemap=BASEMAP, follow_every_s=0))) as client:
            assert answers(client) == before
    own.close()


# --- read-only stores -----------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a sealed file is alone."""
    folder = tmp_path / "sealed"
    folder.mkdir()
    return folder


@pytest.fixture
def sealed(few_store: Store, folder: Path) -> str:
    """The address of a store that may only be read."""
    return sealed_copy(few_store, folder / "atlas.gpkg")


@pytest.mark.parametrize(
    "command",
    [
        ("list", "strikes"),
        ("show", ORLIVKA),
        ("country", "AZ"),
        ("match", ORLIVKA),
        ("judgements",),
        ("export", "csv", "-o", "{tmp}/out.csv"),
        ("export", "gpkg", "-o", "{tmp}/out.gpkg"),
        of_file(("backup", "{tmp}/out.gpkg")),
    ],
    ids=" ".join,
)
def test_a_sealed_store_is_shown_and_exported(
    run: Run, sealed: str, folder: Path, tmp_path: Path, command: tuple[str, ...]
) -> None:
    base = () if command[0] in ("judgements", "backup") else ("--basemap", BASEMAP)
    before = os.listdir(folder)
    said = run(*(part.format(tmp=tmp_path) for part in command), "--store", sealed, *base)
    assert (said.code, said.err) == (0, "")
    assert os.listdir(folder) == before


def test_a_sealed_store_is_not_loaded_into(run: Run, sealed: str, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "more.toml").write_text(
        '[[sources]]\nid = "a-source-that-is-new"\ndataset = "more"\npublisher = "P"\ntitle = "T"\n'
    )
    before = os.listdir(folder)
    said = run("load", "curated", tmp_path / "more.toml", "--store", sealed, "--basemap", BASEMAP)
    assert said.code == 5
    assert "may only be read" in " ".join(said.err.split())
    assert os.listdir(folder) == before


# --- standard output, clocks ----------------------------------------------------------------------------------------


def test_a_dash_writes_to_standard_output(run: Run, few_store: Store, tmp_path: Path) -> None:
    for command in (("csv",), ("geojson",)):
        out = tmp_path / "out"
        run("export", *command, "-o", out, "--store", few_store.name, "--basemap", BASEMAP)
        said = run("export", *command, "-o", "-", "--store", few_store.name, "--basemap", BASEMAP)
        assert said.code == 0
        assert said.out.encode() == out.read_bytes()


def test_a_clock_before_the_last_change_is_remarked(run: Run, few_records: Records, new_shared_store: NewStore) -> None:
    store = new_shared_store()
    store.load(few_records, author="tests", at=datetime(2150, 1, 1, tzinfo=UTC))
    store.close()
    said = run("country", "AZ", "--store", store.name, "--basemap", BASEMAP, "--json")
    assert said.code == 0
    assert said.report
    assert "one of two clocks is wrong" in " ".join(said.err.split())


def test_memory_that_ends_is_reported(run: Run, few_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def end(*args: object) -> None:
        raise MemoryError

    monkeypatch.setattr("api.server.version_builder.disclose", end)
    said = run("list", "strikes", "--store", few_store.name, "--basemap", BASEMAP)
    assert said.code == 6
    assert "memory" in said.err
