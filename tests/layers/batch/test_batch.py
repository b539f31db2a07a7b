"""A batch gives the answers that a snapshot of the same records gives, whatever its cells and whoever answers them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from api.wording.catalogue import text
from bench.world import records as world_records
from bench.world_columns import Sizes, synthesize
from layers.attribution.attribute import attributions
from layers.batch.digest import digest_of, row_hashes
from layers.batch.plan import Plan, read_plan, write_plan
from layers.batch.record_parquet import read_pages, to_arrow
from layers.batch.run import MANIFEST, run
from layers.batch.runner import BatchError, InProcess
from layers.batch.work import ANSWERS, ATTRIBUTIONS, CANDIDATES, COLUMNS, DONE, cell_folder
from layers.decisions.hits import PUBLISH_FROM, shown
from layers.matching.asset_index import index_of
from layers.model.problems import ProblemsError
from layers.model.records import Attribution, Match, Records
from layers.ownership.stake_graph import StakeColumns
from layers.reference import basemap
from layers.reference.basemap import Basemap
from layers.snapshot.snapshot import Snapshot
from tests.conftest import BASEMAP

SIZES = Sizes(strikes=600, lines=40, facilities=160)


@pytest.fixture(scope="module")
def records() -> Records:
    """A synthetic world, with a strike at no place and one that names an asset of another end of it."""
    made = world_records(synthesize(SIZES, seed=7))
    strikes = dict(made.strikes)
    far, near = made.assets["a-199"], made.assets["a-0"]
    some = next(iter(strikes.values()))
    nowhere: dict[str, Any] = {"geometry": None, "uncertainty_m": None, "basis": None, "place_source": None}
    for values in (
        {"id": "nowhere", "title": f"{far.name} hit", **nowhere},
        {"id": "misplaced", "title": f"{far.name} hit", "geometry": shapely.Point(-170, -40)},
        {"id": "on-a-line", "title": "Pipeline hit", "geometry": shapely.Point(near.geometry.coords[-1])},
    ):
        strikes[values["id"]] = some.model_copy(update={"targets": (), "target_kinds": (), **values})
    return Records.of({**{name: getattr(made, name) for name in Records.__dataclass_fields__}, "strikes": strikes})


def planned(
    folder: Path, records: Records, *, limit: int = 100, run: int = 1_000_000, strikes: list[Any] | None = None
) -> Plan:
    listed = list(records.strikes.values()) if strikes is None else strikes

    def pages(columns: tuple[str, ...] | None) -> Iterator[pa.Table]:
        for start in range(0, len(listed), 150):
            yield to_arrow("strikes", listed[start : start + 150]).select(columns or COLUMNS)

    index, stakes = index_of(records), StakeColumns.of(records)
    return write_plan(
        folder, pages, records, index, stakes,
        program="1", head={}, publish_from=PUBLISH_FROM, land=basemap.read(BASEMAP).land, limit=limit, run=run,
    )  # fmt: skip


@pytest.fixture(scope="module")
def snapshot(records: Records, base: Basemap) -> Snapshot:
    return Snapshot(records, base, 1, date(2026, 1, 1), wording=text)


def candidate_row(match: Match) -> tuple[Any, ...]:
    reasons = () if match.asset is None else [(reason.name, reason.value, reason.weight) for reason in match.reasons]
    return "candidate", match.strike, match.asset, match.probability, match.distance_m, reasons


def expected_rows(snapshot: Snapshot) -> Iterator[tuple[Any, ...]]:
    """What a snapshot answers, as the digest reads it: found without cells, files or workers."""
    for matches in snapshot.all_matches().values():
        yield from map(candidate_row, (*shown(matches), next(match for match in matches if match.asset is None)))
    for row in attributions(snapshot.records, snapshot.answers().values(), text):
        yield "attribution", *(getattr(row, name) for name in Attribution.model_fields)


@pytest.fixture(scope="module")
def digest(snapshot: Snapshot) -> str:
    rows = sorted(expected_rows(snapshot), key=lambda row: orjson.dumps(row))
    kinds = {row[0] for row in rows}
    assert kinds == {"candidate", "attribution"}
    return digest_of([row_hashes(rows)])


@pytest.mark.parametrize(("limit", "run_strikes"), [(10_000, 10_000), (100, 250), (7, 100)])
def test_any_cells_have_the_answers_of_a_snapshot(
    records: Records, digest: str, tmp_path: Path, limit: int, run_strikes: int
) -> None:
    plan = planned(tmp_path / "b", records, limit=limit, run=run_strikes)
    assert max(task.strikes for task in plan.tasks) <= limit
    assert sum(task.strikes for task in plan.tasks) == len(records.strikes)
    assert len(plan.tasks) >= len(records.strikes) / limit
    assert run(tmp_path / "b", InProcess(), text).digest == digest


def test_the_order_of_the_strikes_makes_no_difference(records: Records, digest: str, tmp_path: Path) -> None:
    planned(tmp_path / "b", records, limit=50, run=300, strikes=list(records.strikes.values())[::-1])
    assert run(tmp_path / "b", InProcess(), text).digest == digest


def test_a_cell_looks_at_few_assets_and_what_a_text_names_is_found_wherever_it_is(
    records: Records, tmp_path: Path
) -> None:
    plan = planned(tmp_path / "b", records, limit=40)
    run(tmp_path / "b", InProcess(), text)
    by_name = {task.name: task for task in plan.tasks}
    assert by_name["nowhere"].assets == 0
    assert any(0 < task.assets < len(records.assets) / 4 for task in plan.tasks)
    for strike in ("nowhere", "misplaced"):
        rows = [row for row in rows_of(tmp_path / "b", plan, CANDIDATES) if row["strike"] == strike]
        assert "a-199" in {row["asset"] for row in rows}
        assert [row["probability"] for row in rows if row["asset"] is None]


def rows_of(folder: Path, plan: Plan, file: str) -> list[dict[str, Any]]:
    return [row for task in plan.tasks for row in pq.read_table(cell_folder(folder, task) / file).to_pylist()]


def test_the_files_are_geoparquet_with_the_rows_of_the_answers(
    records: Records, snapshot: Snapshot, tmp_path: Path
) -> None:
    plan = planned(tmp_path / "b", records, limit=200)
    manifest = run(tmp_path / "b", InProcess(), text)
    rows = rows_of(tmp_path / "b", plan, ATTRIBUTIONS)
    expected = {row.id: row for row in attributions(records, snapshot.answers().values(), text)}
    assert len(rows) == len(expected) == manifest.attributions
    for row in rows:
        geometry = row.pop("geometry")
        assert row == expected[row["id"]].model_dump()
        assert shapely.from_wkb(geometry) == records.strikes[row["strike"]].geometry
    reasons = [row["reasons"] for row in rows_of(tmp_path / "b", plan, CANDIDATES) if row["asset"]]
    assert all({"name", "value", "weight"} == set(reason) for listed in reasons for reason in listed)
    for file in (CANDIDATES, ATTRIBUTIONS):
        metadata = pq.read_schema(cell_folder(tmp_path / "b", plan.tasks[0]) / file).metadata
        assert json.loads(metadata[b"geo"])["columns"]["geometry"]["encoding"] == "WKB"
    written = orjson.loads((tmp_path / "b" / ANSWERS / MANIFEST).read_bytes())
    assert written["digest"] == manifest.digest
    assert len(written["cells"]) == len(plan.tasks)
    assert written["strikes"] == len(records.strikes)
    assert all(cell["processor_seconds"] > 0 and cell["peak_bytes"] > 0 and cell["bytes"] for cell in written["cells"])


def test_a_run_goes_on_where_the_last_one_ended(records: Records, digest: str, tmp_path: Path) -> None:
    plan = planned(tmp_path / "b", records, limit=100)

    class Ended(Exception):
        pass

    def end(now: Any) -> None:
        if now.cells == 3:
            raise Ended

    with pytest.raises(Ended):
        run(tmp_path / "b", InProcess(), text, end)
    done = [task for task in plan.tasks if (cell_folder(tmp_path / "b", task) / DONE).exists()]
    assert len(done) == 3
    before = {task: (cell_folder(tmp_path / "b", task) / DONE).stat().st_mtime_ns for task in done}
    half_written = tmp_path / "b" / ANSWERS / ".half.new"
    half_written.mkdir()
    assert run(tmp_path / "b", InProcess(), text).digest == digest
    assert {task: (cell_folder(tmp_path / "b", task) / DONE).stat().st_mtime_ns for task in done} == before
    assert not half_written.exists()
    assert read_plan(tmp_path / "b") == plan


def test_faults_of_strikes_are_named_all_at_once_and_sound_cells_are_answered(records: Records, tmp_path: Path) -> None:
    strikes = list(records.strikes.values())
    faulty = {3: {"when": "someday"}, 400: {"status": "rumoured"}}
    listed = [one.model_copy(update=faulty.get(number, {})) for number, one in enumerate(strikes)]
    plan = planned(tmp_path / "b", records, limit=60, strikes=listed)
    with pytest.raises(ProblemsError) as caught:
        run(tmp_path / "b", InProcess(), text)
    assert {problem.record for problem in caught.value.problems} == {f"strike {strikes[n].id}" for n in faulty}
    answered = [task for task in plan.tasks if (cell_folder(tmp_path / "b", task) / DONE).exists()]
    assert len(plan.tasks) - 2 <= len(answered) < len(plan.tasks)
    assert not (tmp_path / "b" / ANSWERS / MANIFEST).exists()


def test_two_strikes_of_one_id_and_files_without_a_column_are_refused(records: Records, tmp_path: Path) -> None:
    one = records.strikes["k-1"]
    with pytest.raises(ProblemsError) as caught:
        planned(tmp_path / "b", records, strikes=[one, records.strikes["k-2"], one])
    assert [problem.record for problem in caught.value.problems] == ["strike k-1"]
    assert not (tmp_path / "b" / "plan.json").exists()
    pq.write_table(pa.table({"id": ["a"], "title": ["A"]}), tmp_path / "s.parquet")
    with pytest.raises(ProblemsError) as lacking:
        list(read_pages(tmp_path / "s.parquet", "strikes", COLUMNS))
    assert {problem.column for problem in lacking.value.problems} == {"when", "place", "status"}
    (tmp_path / "t.parquet").write_text("no Parquet")
    with pytest.raises(ProblemsError):
        list(read_pages(tmp_path / "t.parquet", "strikes"))


def test_places_of_another_system_and_plans_of_another_program_are_refused(records: Records, tmp_path: Path) -> None:
    table = to_arrow("strikes", [records.strikes["k-1"]])
    for crs, is_read in (({"id": {"authority": "EPSG", "code": 3857}}, False), (None, False),
                         ({"id": {"authority": "EPSG", "code": 4326}}, True)):  # fmt: skip
        geo = {"columns": {"geometry": {"encoding": "WKB", "crs": crs}}}
        pq.write_table(table.replace_schema_metadata({b"geo": json.dumps(geo).encode()}), tmp_path / "s.parquet")
        if is_read:
            assert [len(page) for page in read_pages(tmp_path / "s.parquet", "strikes")] == [1]
            continue
        with pytest.raises(ProblemsError, match="not-lonlat"):
            list(read_pages(tmp_path / "s.parquet", "strikes"))
    planned(tmp_path / "b", records, limit=1000)
    path = tmp_path / "b" / "plan.json"
    path.write_bytes(orjson.dumps({**orjson.loads(path.read_bytes()), "weights": "others"}))
    with pytest.raises(ProblemsError, match="other-program"):
        run(tmp_path / "b", InProcess(), text)


def test_what_is_no_geometry_is_the_fault_of_its_strike(records: Records, tmp_path: Path) -> None:
    listed = list(records.strikes.values())
    table = to_arrow("strikes", listed).select(COLUMNS)
    place = table.column_names.index("geometry")
    broken = pa.array([b"no WKB", *table["geometry"].to_pylist()[1:]], pa.binary())
    broken_table = table.set_column(place, "geometry", broken)
    index, stakes = index_of(records), StakeColumns.of(records)
    write_plan(
        tmp_path / "b",
        lambda columns: [broken_table.select(columns or COLUMNS)],
        records,
        index,
        stakes,
        program="1",
        head={},
        publish_from=PUBLISH_FROM,
    )
    with pytest.raises(ProblemsError) as caught:
        run(tmp_path / "b", InProcess(), text)
    assert {(problem.record, problem.column) for problem in caught.value.problems} == {
        (f"strike {listed[0].id}", "geometry")
    }


def test_a_cell_that_fails_is_reported_and_the_others_are_answered(records: Records, tmp_path: Path) -> None:
    plan = planned(tmp_path / "b", records, limit=100)
    (tmp_path / "b" / "strikes" / "run-0000.parquet").rename(tmp_path / "b" / "elsewhere")
    with pytest.raises(BatchError, match="FileNotFoundError") as caught:
        run(tmp_path / "b", InProcess(), text)
    assert set(caught.value.failures) == {task.name for task in plan.tasks}
