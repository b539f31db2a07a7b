"""``strikeatlas batch``: a plan of a store or of files, its answers by several workers, and what they took."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from layers.batch.plan import PLAN
from layers.batch.record_parquet import to_arrow
from layers.batch.run import ATTRIBUTIONS, CANDIDATES
from layers.model.records import Records
from layers.store.store import Store
from tests.command_runner import Run
from tests.conftest import BASEMAP


def write_parquet(folder: Path, records: Records) -> None:
    folder.mkdir()
    for name in ("strikes", "assets", "entities", "stakes", "relations", "decisions"):
        pq.write_table(to_arrow(name, records.table(name).values()), folder / f"{name}.parquet")


def test_a_store_and_its_records_in_files_have_the_same_answers(command: Run, own: Store, tmp_path: Path) -> None:
    records = own.records()
    write_parquet(tmp_path / "parquet", records)
    store = ("--store", own.name, "--basemap", BASEMAP)
    planned = command("batch", "plan", tmp_path / "a", *store, "--cell-strikes", 5, "--json").report
    assert planned["strikes"] == len(records.strikes)
    assert planned["cells"] >= len(records.strikes) / 5
    of_files = command("batch", "plan", tmp_path / "b", "--records", tmp_path / "parquet", "--json").report
    assert of_files["strikes"] == planned["strikes"]
    one = command("batch", "run", tmp_path / "a", "--workers", 2, "--json").report
    other = command("batch", "run", tmp_path / "b", "--workers", 1, "--progress", "--json")
    for name in (CANDIDATES, ATTRIBUTIONS):
        assert answered(tmp_path / "a", name) == answered(tmp_path / "b", name)
    assert one["attributions"] > one["strikes"] == len(records.strikes)
    assert f"1 of 1 cell, {len(records.strikes)} of {len(records.strikes)} strikes" in other.err
    again = command("batch", "run", tmp_path / "a", "--workers", 1, "--json")
    assert again.report == one
    head = json.loads((tmp_path / "a" / PLAN).read_bytes())["head"]
    assert head == {"seq": own.seq(), "hash": own.head().hash}


def answered(folder: Path, name: str) -> list[str]:
    """The rows of all cells, sorted."""
    files = folder.glob(f"answers/cell=*/{name}")
    return sorted(str(row) for file in files for row in pq.read_table(file, partitioning=None).to_pylist())


def test_a_plan_of_another_program_is_refused(
    command: Run, own: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert command("batch", "plan", tmp_path / "a", "--store", own.name, "--basemap", BASEMAP).code == 0
    monkeypatch.setattr("api.cli.batch.answers_version", lambda: "another")
    refused = command("batch", "run", tmp_path / "a", "--workers", 1, "--json")
    assert refused.code == 1
    assert "by the program that wrote it" in refused.report["problems"][0]["expected"]


def test_layers_that_were_exported_can_be_answered(command: Run, own: Store, tmp_path: Path) -> None:
    store = ("--store", own.name, "--basemap", BASEMAP)
    (tmp_path / "parquet").mkdir()
    for layer in ("strikes", "assets"):
        command("export", "parquet", layer, "--out", tmp_path / "parquet" / f"{layer}.parquet", *store)
    planned = command("batch", "plan", tmp_path / "b", "--records", tmp_path / "parquet", "--json")
    assert planned.report["strikes"] == len(own.records().strikes)
    answered = command("batch", "run", tmp_path / "b", "--workers", 1, "--json").report
    assert answered["strikes"] == planned.report["strikes"]
    assert answered["candidates"] > answered["strikes"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("run", "nothing"), 4),
        (("plan", "there", "--records", "empty"), 4),
        (("plan", "new", "--records", "empty"), 1),
        (("plan", "new", "--cell-strikes", 0), 2),
    ],
)
def test_what_cannot_be_done_is_refused(
    command: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[object, ...], code: int
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("there", "empty"):
        (tmp_path / name).mkdir()
    assert command("batch", *arguments).code == code


def test_a_file_that_lacks_a_column_is_refused_and_all_columns_are_named(command: Run, tmp_path: Path) -> None:
    for name in ("strikes", "assets"):
        pq.write_table(pa.table({"id": ["a"]}), tmp_path / f"{name}.parquet")
    told = command("batch", "plan", tmp_path / "b", "--records", tmp_path, "--json")
    assert told.code == 1
    assert "a column of this name" in told.err + told.out


def test_faults_of_assets_and_entities_are_named_all_at_once(command: Run, own: Store, tmp_path: Path) -> None:
    write_parquet(tmp_path / "parquet", own.records())
    faulty = {"assets": "kind", "entities": "type"}
    for name, column in faulty.items():
        file = tmp_path / "parquet" / f"{name}.parquet"
        table = pq.read_table(file)
        values = ["nonsense" if row in (1, 3) else value for row, value in enumerate(table[column].to_pylist())]
        pq.write_table(table.set_column(table.column_names.index(column), column, pa.array(values)), file)
    refused = command("batch", "plan", tmp_path / "b", "--records", tmp_path / "parquet", "--json")
    assert refused.code == 1
    problems = [(one["file"], one["column"], one["value"]) for one in refused.report["problems"]]
    assert sorted(problems) == [
        (f"{name}.parquet", column, "'nonsense'") for name, column in faulty.items() for _ in range(2)
    ]
    assert not (tmp_path / "b").exists()
