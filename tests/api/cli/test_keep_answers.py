"""``strikeatlas keep --answers``: what a batch answered is kept as the files that are kept without it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.publishing import site_files
from api.settings import Settings
from api.wording.catalogue import text
from bench.world import records as world_records
from bench.world_columns import Sizes, synthesize
from layers.batch.work import ANSWERS
from layers.reference.basemap import Basemap
from layers.snapshot.derived_layers import full_rewrite
from layers.snapshot.snapshot_files import canonical_metadata
from layers.store.store import ANY, Edit, Store
from tests.command_runner import Run
from tests.conftest import FEW_COUNTRIES
from tests.store_copies import opened_copy
from tests.store_kinds import NewStore, by_another, cache_folder

#: So few that each store has several cells.
CELL_STRIKES = 10


@pytest.fixture(scope="module")
def world(base: Basemap, new_shared_store: NewStore) -> Iterator[Store]:
    """A store of a synthetic world, with strikes in several cells and loops of owners."""
    with closing(new_shared_store()) as made:
        made.load(
            world_records(synthesize(Sizes(strikes=60, lines=6, facilities=40), seed=5)),
            author="tests",
            at=datetime(2026, 1, 1, tzinfo=UTC),
            derive=full_rewrite(base, text),
        )
        yield made


def batch_of(command: Run, store: Store, folder: Path, *options: object) -> Path:
    of_store = ("--store", store.name, "--basemap", FEW_COUNTRIES)
    assert command("batch", "plan", folder, *of_store, "--cell-strikes", CELL_STRIKES, *options).code == 0
    assert command("batch", "run", folder, "--workers", 1).code == 0
    return folder


def keep(command: Run, store: Store, folder: Path, *options: object) -> Path:
    of_store = ("--store", store.name, "--basemap", FEW_COUNTRIES, "--keep-in", folder)
    kept = command("keep", *of_store, *options, "--json")
    assert kept.code == 0, kept.out + kept.err
    return Path(kept.report["folder"])


def contents(folder: Path) -> Mapping[str, object]:
    """The files in a folder; of the manifest what means the same, as the names of its tables are drawn by lot."""
    files: dict[str, object] = {file.name: file.read_bytes() for file in folder.iterdir()}
    return {**files, "manifest.json": canonical_metadata(orjson.loads((folder / "manifest.json").read_bytes()))}


def unmatched(monkeypatch: pytest.MonkeyPatch) -> None:
    def probable_assets(*_: object) -> None:
        raise AssertionError("strikes were matched anew")

    monkeypatch.setattr("layers.snapshot.snapshot.probable_assets", probable_assets)


@pytest.mark.parametrize("kind", ["few_store", "world", pytest.param("store", marks=pytest.mark.long)])
def test_the_cache_is_the_same_with_a_batch_and_without(
    command: Run, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    store = opened_copy(request.getfixturevalue(kind), tmp_path / "own.gpkg")
    shutil.rmtree(cache_folder(store), ignore_errors=True)
    batches = [batch_of(command, store, tmp_path / "work"), batch_of(command, store, tmp_path / "rows", "--layers")]
    by_itself = contents(keep(command, store, tmp_path / "a"))
    unmatched(monkeypatch)
    assert contents(keep(command, store, tmp_path / "b", "--answers", batches[0])) == by_itself
    monkeypatch.setattr("layers.snapshot.snapshot.Snapshot._each_answer", None)
    of_rows = contents(keep(command, store, tmp_path / "c", "--answers", batches[1]))
    assert {name for name, content in of_rows.items() if content != by_itself[name]} == set()
    assert by_itself.keys() == of_rows.keys()
    assert len(by_itself) > 20


def test_a_server_answers_the_same_and_the_same_is_published(
    command: Run, world: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MAX_ZOOM", "MAX_ZOOM_COUNTRIES", "MAX_ZOOM_BASEMAP"):
        monkeypatch.setattr(site_files, name, 1)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    stores = [opened_copy(world, tmp_path / name / "world.gpkg") for name in ("a", "b")]
    batch = batch_of(command, stores[1], tmp_path / "work")
    keep(command, stores[0], cache_folder(stores[0]).parent)
    unmatched(monkeypatch)
    keep(command, stores[1], cache_folder(stores[1]).parent, "--answers", batch)
    strike = next(iter(stores[0].records().strikes))
    answers = []
    for store in stores:
        with TestClient(create_app(store, Settings(basemap=FEW_COUNTRIES))) as client:
            names = ("strikes", "attributions", "hits", "countries")
            layers = [f"/collections/{name}/items?limit=500" for name in names]
            pages = [client.get(path) for path in (*layers, f"/strikes/{strike}/attribution")]
            assert {page.status_code for page in pages} == {200}
            answers.append([page.content for page in pages])
    assert answers[0] == answers[1]
    published = []
    for number, store in enumerate(stores):
        site = tmp_path / f"site-{number}"
        options = ("--base-url", "https://atlas.example.org", "--language", "en", "--basemap", FEW_COUNTRIES)
        assert command("publish", site, "--store", store.name, *options).code == 0
        files = (file for file in site.rglob("*") if file.is_file())
        published.append({file.relative_to(site): file.read_bytes() for file in files})
    assert published[0] == published[1]
    assert len(published[0]) > 300


def refusal(command: Run, store: Store, batch: Path, *options: object) -> str:
    """What keeping the answers of a batch ends in, none of which may be kept."""
    of_store = ("--store", store.name, "--basemap", FEW_COUNTRIES, "--keep-in", batch.parent / "kept")
    refused = command("keep", *of_store, "--answers", batch, *options, "--json")
    assert refused.code == 1
    assert not (batch.parent / "kept").exists()
    return " ".join(problem["expected"] for problem in refused.report["problems"])


def test_a_batch_of_a_change_before_or_of_another_threshold_is_refused(
    command: Run, own: Store, tmp_path: Path
) -> None:
    batch = batch_of(command, own, tmp_path / "work")
    assert "probability from which" in refusal(command, own, batch, "--publish-from", 0.5)
    key, strike = next(iter(own.records().strikes.items()))
    own.write(Edit("strikes", key, strike.model_copy(update={"title": "Another"}), ANY), author="tests")
    assert "plan and run the batch anew" in refusal(command, own, batch)


def test_a_batch_of_a_store_that_another_program_edited_is_refused_before_and_after_history_tells_of_it(
    command: Run, own: Store, tmp_path: Path
) -> None:
    by_another(own, "UPDATE strikes SET title = 'Mended in a GIS' WHERE fid = 1")
    batch = batch_of(command, own, tmp_path / "work")
    for _ in range(2):
        assert "as its history tells it" in refusal(command, own, batch)
        own.record_external_edits(at=datetime.now(UTC))


def test_a_batch_that_has_not_ended_of_another_program_or_damaged_is_refused(
    command: Run, own: Store, tmp_path: Path
) -> None:
    batch, of_store = tmp_path / "work", ("--store", own.name, "--basemap", FEW_COUNTRIES)
    assert command("keep", *of_store, "--answers", batch).code == 4
    assert command("batch", "plan", batch, *of_store).code == 0
    assert "batch run goes on" in refusal(command, own, batch)
    assert command("batch", "run", batch, "--workers", 1).code == 0
    with pytest.MonkeyPatch.context() as patch:
        for module in ("serve", "batch"):
            patch.setattr(f"api.cli.{module}.answers_version", lambda: "another")
        assert "by the program that wrote it" in refusal(command, own, batch)
        assert command("batch", "run", batch, "--workers", 1).code == 1
    file = next((batch / ANSWERS).glob("cell=*/attributions.parquet"))
    file.write_bytes(file.read_bytes()[:-1])
    assert "the bytes are others, or missing" in refusal(command, own, batch)


def test_a_batch_of_a_store_of_which_a_part_is_withheld_is_refused(command: Run, own: Store, tmp_path: Path) -> None:
    key, strike = next(iter(own.records().strikes.items()))
    own.write(Edit("strikes", key, strike.model_copy(update={"private": True}), ANY), author="tests")
    assert "nothing of it withheld" in refusal(command, own, batch_of(command, own, tmp_path / "work"))
