"""What a finished run answered is what is published of the same records, and is refused where it is anything else."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from api.wording.catalogue import text
from bench.world import records as world_records
from bench.world_columns import Sizes, synthesize
from layers.batch.layer_rows import COUNTS, layer_file
from layers.batch.plan import PLAN, write_plan
from layers.batch.record_parquet import to_arrow
from layers.batch.run import MANIFEST, FinishedRun, run
from layers.batch.runner import InProcess
from layers.batch.work import ANSWERS, ATTRIBUTIONS, CANDIDATES, COLUMNS, HASHES
from layers.matching.asset_index import index_of
from layers.model.problems import ProblemsError
from layers.model.records import Decision, Records
from layers.ownership.stake_graph import StakeColumns
from layers.reference import basemap
from layers.reference.basemap import Basemap
from layers.snapshot.snapshot import Snapshot
from tests.conftest import BASEMAP

HEAD = {"seq": 7, "hash": "abc"}
WORLD = world_records(synthesize(Sizes(strikes=40, lines=6, facilities=30), seed=3))


def answered(
    folder: Path, records: Records, *, publish_from: float = 0.75, limit: int = 20, layers: bool = False, **about: Any
) -> Path:
    """The folder of a batch of records that has ended."""

    def pages(columns: tuple[str, ...] | None) -> Iterator[pa.Table]:
        table = to_arrow("strikes", records.strikes.values())
        yield table.select(columns or (table.column_names if layers else COLUMNS))

    of = {"program": "1", "head": HEAD, "is_whole": True, "land": basemap.read(BASEMAP).land, **about}
    shared = (index_of(records), StakeColumns.of(records))
    write_plan(folder, pages, records, *shared, publish_from=publish_from, limit=limit, layers=layers, **of)
    run(folder, InProcess(), text)
    return folder


def with_decisions(records: Records, drawn: list[tuple[str, str | None, str, bool]]) -> Records:
    """Records in which somebody decided about some strikes, and took some of that back."""
    decisions: dict[str, Decision] = {}
    for number, (strike, asset, verdict, is_undone) in enumerate(drawn):
        about = {"strike": strike, "who": "x", "when": "2026-01-01", "why": "seen"}
        one = Decision(id=f"d-{number}", asset=asset, verdict=verdict, **about)
        decisions[one.id] = one
        if is_undone:
            back = Decision(id=f"u-{number}", verdict="undone", undoes=one.id, **about)
            decisions[back.id] = back
    tables = {name: getattr(records, name) for name in Records.__dataclass_fields__}
    return Records.of({**tables, "decisions": decisions})


def require_same_rows(served: Snapshot, itself: Snapshot) -> None:
    for name in ("strikes", "attributions"):
        assert getattr(served.flat, name) == getattr(itself.flat, name), name
    assert served.hits == itself.hits
    assert list(served.flat.geometries) == list(itself.flat.geometries)
    assert served.flat.counts == itself.flat.counts
    assert Counter(served.flat.struck) == Counter(itself.flat.struck)
    assert served.flat.updated == itself.flat.updated


def test_without_strikes_there_are_no_rows(base: Basemap, tmp_path: Path) -> None:
    tables = {name: getattr(WORLD, name) for name in Records.__dataclass_fields__}
    records = Records.of({**tables, "strikes": {}})
    itself = Snapshot(records, base, 1, date(2026, 1, 1), wording=text)
    served = FinishedRun.open(answered(tmp_path / "b", records, layers=True)).answer(itself.with_stages(itself.stages))
    require_same_rows(served, itself)
    assert (len(served.flat.strikes), dict(served.findings)) == (0, {})


def test_the_digest_is_the_same_with_rows_of_layers_and_without(batch: Path, tmp_path: Path) -> None:
    without = FinishedRun.open(answered(tmp_path / "b", WORLD)).manifest
    of_rows = FinishedRun.open(batch).manifest
    assert (of_rows.digest, of_rows.attributions) == (without.digest, without.attributions)
    assert of_rows.plan != without.plan


_STRIKES, _ASSETS = sorted(WORLD.strikes), sorted(WORLD.assets)
_DECIDED = st.one_of(
    st.tuples(st.sampled_from(_STRIKES), st.sampled_from(_ASSETS), st.just("confirmed"), st.booleans()),
    st.tuples(st.sampled_from(_STRIKES), st.none(), st.sampled_from(["none", "unsure"]), st.booleans()),
)


@settings(max_examples=12)
@given(st.lists(_DECIDED, max_size=30), st.sampled_from([0.0, 0.02, 0.3, 0.75, 1.0]), st.sampled_from([5, 40, 1000]))
@example([], 1.0, 5)  # no strike has hits
def test_findings_and_rows_of_a_snapshot_are_those_that_it_has_without_a_batch(
    base: Basemap, drawn: list[tuple[str, str | None, str, bool]], publish_from: float, limit: int
) -> None:
    records = with_decisions(WORLD, drawn)
    itself = Snapshot(records, base, 1, date(2026, 1, 1), publish_from, wording=text)
    with TemporaryDirectory() as folder:
        batch = answered(Path(folder) / "b", records, publish_from=publish_from, limit=limit, layers=True)
        served = FinishedRun.open(batch).answer(itself.with_stages(itself.stages))
        assert dict(served.findings) == dict(itself.findings)
        require_same_rows(served, itself)
    assert publish_from == 1 or any(found.basis_of_outcome == "match" for found in itself.findings.values())


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return answered(tmp_path_factory.mktemp("batch") / "b", WORLD, layers=True)


@pytest.fixture
def copy(batch: Path, tmp_path: Path) -> Path:
    return shutil.copytree(batch, tmp_path / "copy")


def faults(work: Callable[[], object]) -> set[str]:
    with pytest.raises(ProblemsError) as caught:
        work()
    return {problem.expected.code.removeprefix("batch.") for problem in caught.value.problems}


def test_a_whole_run_of_this_state_is_accepted(copy: Path) -> None:
    finished = FinishedRun.open(copy)
    finished.require_undamaged()
    finished.require_of("1", HEAD, 0.75)


@pytest.mark.parametrize(
    ("program", "head", "publish_from", "expected"),
    [
        ("2", HEAD, 0.75, {"other-program"}),
        ("1", {**HEAD, "hash": "other"}, 0.75, {"other-head"}),
        ("1", {**HEAD, "seq": 8}, 0.5, {"other-head", "other-threshold"}),
        ("1", {}, 0.75, {"other-head"}),
    ],
)
def test_answers_of_another_state_are_refused(
    batch: Path, program: str, head: dict[str, Any], publish_from: float, expected: set[str]
) -> None:
    assert faults(lambda: FinishedRun.open(batch).require_of(program, head, publish_from)) == expected


def test_answers_of_files_or_of_a_part_of_a_store_are_refused(tmp_path: Path) -> None:
    of_files = FinishedRun.open(answered(tmp_path / "b", WORLD, head={}, is_whole=False))
    assert faults(lambda: of_files.require_of("1", {}, 0.75)) == {"other-head", "not-whole"}


def test_a_run_that_has_not_ended_is_refused_and_so_is_the_manifest_of_another(copy: Path, tmp_path: Path) -> None:
    manifest = copy / ANSWERS / MANIFEST
    written = orjson.loads(manifest.read_bytes())
    other = answered(tmp_path / "other", WORLD, head={"seq": 8, "hash": "abc"})
    shutil.copy(other / ANSWERS / MANIFEST, manifest)
    assert faults(lambda: FinishedRun.open(copy)) == {"other-plan"}
    manifest.write_bytes(orjson.dumps({**written, "cells": written["cells"][1:]}))
    assert faults(lambda: FinishedRun.open(copy)) == {"other-plan"}
    for text_ in (b"{", b"[]", b'{"plan": "x"}'):
        manifest.write_bytes(text_)
        assert faults(lambda: FinishedRun.open(copy)) == {"damaged"}
    manifest.unlink()
    assert faults(lambda: FinishedRun.open(copy)) == {"unfinished"}
    (copy / PLAN).unlink()
    with pytest.raises(FileNotFoundError):
        FinishedRun.open(copy)


@pytest.mark.parametrize("name", [ATTRIBUTIONS, CANDIDATES, HASHES, COUNTS, layer_file("hits")])
@pytest.mark.parametrize("how", ["flipped", "cut", "missing"])
def test_a_file_that_is_not_as_it_was_written_is_refused(copy: Path, name: str, how: str) -> None:
    cells = sorted((copy / ANSWERS).glob("cell=*"))
    damaged = {cell / name for cell in cells[:2]}
    for file in damaged:
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content if how == "flipped" else content[:-1])
        if how == "missing":
            file.unlink()
    with pytest.raises(ProblemsError) as caught:
        FinishedRun.open(copy).require_undamaged()
    assert {copy / problem.file for problem in caught.value.problems} == damaged


def test_rows_that_were_replaced_are_refused_and_so_is_another_digest(copy: Path) -> None:
    cell = next((copy / ANSWERS).glob("cell=*"))
    rows = pq.read_table(cell / ATTRIBUTIONS, partitioning=None)
    pq.write_table(rows.slice(1), cell / ATTRIBUTIONS)
    assert faults(lambda: FinishedRun.open(copy).require_undamaged()) == {"damaged"}
    pq.write_table(rows, cell / ATTRIBUTIONS, compression="zstd")
    finished = FinishedRun.open(copy)
    finished.require_undamaged()
    manifest = copy / ANSWERS / MANIFEST
    written = orjson.loads(manifest.read_bytes())
    manifest.write_bytes(orjson.dumps({**written, "digest": "0" * 64}))
    assert faults(lambda: FinishedRun.open(copy).require_undamaged()) == {"other-digest"}
    for report in written["cells"]:
        del report["files"][layer_file("strikes")]
    manifest.write_bytes(orjson.dumps(written))
    assert faults(lambda: FinishedRun.open(copy).require_undamaged()) == {"damaged"}
