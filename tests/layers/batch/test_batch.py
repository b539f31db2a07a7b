"""A batch gives the answers that a snapshot of the same records gives, whatever its cells and whoever answers them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from api.wording.catalogue import text
from bench.world import records as world_records
from bench.world_columns import Sizes, synthesize
from layers.attribution.attribute import attributions
from layers.batch.plan import STRIKES, Plan, StrikePages, read_plan, read_strikes, write_plan
from layers.batch.pool import BatchError
from layers.batch.record_parquet import read_pages, to_arrow
from layers.batch.run import (
    ANSWERS,
    ATTRIBUTIONS,
    CANDIDATES,
    Progress,
    Summary,
    cell_folder,
    is_answered,
    run,
)
from layers.decisions.hits import PUBLISH_FROM, shown
from layers.matching.asset_index import index_of
from layers.model.problems import ProblemsError
from layers.model.records import Decision, Match, Records
from layers.ownership.stake_graph import StakeColumns
from layers.reference import basemap
from layers.reference.basemap import Basemap
from layers.snapshot.snapshot import Snapshot
from tests.conftest import BASEMAP

SIZES = Sizes(strikes=600, lines=40, facilities=160)
PROGRAM = "1"


@pytest.fixture(scope="module")
def records() -> Records:
    """A synthetic world, with a strike at no place, one that names an asset of another end of it, and decisions."""
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
    tables = {name: getattr(made, name) for name in Records.__dataclass_fields__}
    return Records.of({**tables, "strikes": strikes, "decisions": decisions(list(strikes)[:30])})


def decisions(strikes: list[str]) -> dict[str, Decision]:
    """Decisions about some strikes, every third of which somebody took back."""
    made = dict[str, Decision]()
    for number, strike in enumerate(strikes):
        about = {"strike": strike, "who": "x", "when": "2026-01-01", "why": "seen"}
        hit = {"verdict": "confirmed", "asset": f"a-{number}"} if number % 2 else {"verdict": "none"}
        made[f"d-{number}"] = Decision(id=f"d-{number}", **hit, **about)
        if number % 3 == 0:
            made[f"u-{number}"] = Decision(id=f"u-{number}", verdict="undone", undoes=f"d-{number}", **about)
    return made


def planned(
    folder: Path,
    records: Records,
    *,
    limit: int = 100,
    strikes: list[Any] | None = None,
    publish_from: float = PUBLISH_FROM,
) -> Plan:
    listed = list(records.strikes.values()) if strikes is None else strikes

    def pages() -> Iterator[pa.Table]:
        for start in range(0, len(listed), 150):
            yield to_arrow("strikes", listed[start : start + 150])

    return written(folder, records, pages, limit, publish_from)


def written(folder: Path, records: Records, pages: StrikePages, limit: int, publish_from: float = PUBLISH_FROM) -> Plan:
    return write_plan(
        folder, pages, records, index_of(records), StakeColumns.of(records),
        program=PROGRAM, head={}, publish_from=publish_from, limit=limit, land=basemap.read(BASEMAP).land,
    )  # fmt: skip


def answer(folder: Path, workers: int = 1, **options: Any) -> Summary:
    return run(folder, PROGRAM, workers, text, **options)


@pytest.fixture(scope="module")
def snapshot(records: Records, base: Basemap) -> Snapshot:
    return Snapshot(records, base, 1, date(2026, 1, 1), wording=text)


def candidate_row(match: Match) -> dict[str, Any]:
    reasons = [] if match.asset is None else match.reasons
    return {
        **{name: getattr(match, name) for name in ("strike", "asset", "probability", "distance_m")},
        "reasons": [{name: getattr(reason, name) for name in ("name", "value", "weight")} for reason in reasons],
    }


@pytest.fixture(scope="module")
def expected(snapshot: Snapshot) -> dict[str, list[dict[str, Any]]]:
    """What a snapshot answers, found without cells, files or workers."""
    candidates = [
        candidate_row(match)
        for matches in snapshot.all_matches().values()
        for match in (*shown(matches), next(match for match in matches if match.asset is None))
    ]
    return {CANDIDATES: candidates, ATTRIBUTIONS: attribution_rows(snapshot)}


def attribution_rows(snapshot: Snapshot) -> list[dict[str, Any]]:
    return [row.model_dump() for row in attributions(snapshot.records, snapshot.answers().values(), text)]


def require_rows(folder: Path, expected: dict[str, list[dict[str, Any]]], records: Records) -> None:
    for name, rows in expected.items():
        found = rows_of(folder, name)
        for row in found:
            assert shapely.from_wkb(row.pop("geometry")) == records.strikes[row["strike"]].geometry
        assert sorted(found, key=orjson.dumps) == sorted(rows, key=orjson.dumps)


@pytest.mark.parametrize("limit", [10_000, 100, 7])
def test_any_cells_have_the_answers_of_a_snapshot(
    records: Records, expected: dict[str, list[dict[str, Any]]], tmp_path: Path, limit: int
) -> None:
    plan = planned(tmp_path / "b", records, limit=limit)
    assert max(plan.cells) <= limit
    assert sum(plan.cells) == len(records.strikes)
    assert len(plan.cells) == -(-len(records.strikes) // limit)
    summary = answer(tmp_path / "b")
    require_rows(tmp_path / "b", expected, records)
    assert (summary.cells, summary.strikes) == (len(plan.cells), len(records.strikes))
    assert [summary.candidates, summary.attributions] == [len(rows) for rows in expected.values()]


def test_the_order_of_the_strikes_makes_no_difference(
    records: Records, expected: dict[str, list[dict[str, Any]]], tmp_path: Path
) -> None:
    planned(tmp_path / "b", records, limit=50, strikes=list(records.strikes.values())[::-1])
    answer(tmp_path / "b")
    require_rows(tmp_path / "b", expected, records)


@pytest.mark.parametrize("publish_from", [0.0, 0.02, 1.0])
def test_any_threshold_has_the_attributions_of_a_snapshot(
    records: Records, base: Basemap, tmp_path: Path, publish_from: float
) -> None:
    planned(tmp_path / "b", records, publish_from=publish_from)
    answer(tmp_path / "b")
    snapshot = Snapshot(records, base, 1, date(2026, 1, 1), publish_from, wording=text)
    rows = attribution_rows(snapshot)
    assert {row["rests_on"] for row in rows} >= ({"decision"} if publish_from == 1 else {"decision", "match"})
    require_rows(tmp_path / "b", {ATTRIBUTIONS: rows}, records)


def test_two_machines_that_run_one_plan_at_once_have_the_answers_of_one(
    records: Records, expected: dict[str, list[dict[str, Any]]], tmp_path: Path
) -> None:
    planned(tmp_path / "b", records, limit=100)
    others: list[Summary] = []

    def run_another(now: Progress) -> None:
        if now.cells == 2 and not others:
            others.append(answer(tmp_path / "b"))

    summary = answer(tmp_path / "b", progress=run_another)
    assert others == [summary]
    require_rows(tmp_path / "b", expected, records)


def test_what_a_text_names_is_found_wherever_it_is(records: Records, tmp_path: Path) -> None:
    planned(tmp_path / "b", records, limit=40)
    answer(tmp_path / "b")
    for strike in ("nowhere", "misplaced"):
        rows = [row for row in rows_of(tmp_path / "b", CANDIDATES) if row["strike"] == strike]
        assert "a-199" in {row["asset"] for row in rows}
        assert [row["probability"] for row in rows if row["asset"] is None]


def test_the_strikes_of_a_cell_are_near_each_other(records: Records, tmp_path: Path) -> None:
    placed = [strike for strike in records.strikes.values() if strike.geometry is not None]
    plan = planned(tmp_path / "b", records, limit=60, strikes=placed)
    areas = []
    for cell in range(len(plan.cells)):
        strikes = read_strikes(tmp_path / "b", cell)
        areas.append(shapely.MultiPoint([strike.geometry for strike in strikes]).envelope.area)
    assert np.median(areas) < shapely.MultiPoint([strike.geometry for strike in placed]).envelope.area / 20


def test_without_strikes_there_are_no_cells(records: Records, tmp_path: Path) -> None:
    assert planned(tmp_path / "b", records, strikes=[]).cells == ()
    assert answer(tmp_path / "b") == Summary(0, 0, 0, 0, 0)


def rows_of(folder: Path, file: str) -> list[dict[str, Any]]:
    files = folder.glob(f"{ANSWERS}/*/{file}")
    return [row for path in files for row in pq.read_table(path, partitioning=None).to_pylist()]


def test_the_files_are_geoparquet(records: Records, tmp_path: Path) -> None:
    planned(tmp_path / "b", records, limit=200)
    answer(tmp_path / "b")
    for file in (CANDIDATES, ATTRIBUTIONS):
        table = geopandas.read_parquet(cell_folder(tmp_path / "b", 0) / file, partitioning=None)
        assert table.crs == "OGC:CRS84"
        assert table.geometry.notna().any()


def test_a_run_goes_on_where_the_last_one_ended(
    records: Records, expected: dict[str, list[dict[str, Any]]], tmp_path: Path
) -> None:
    plan = planned(tmp_path / "b", records, limit=100)

    class Ended(Exception):
        pass

    def end(now: Progress) -> None:
        if now.cells == 3:
            raise Ended

    with pytest.raises(Ended):
        answer(tmp_path / "b", progress=end)
    done = [cell for cell in range(len(plan.cells)) if is_answered(tmp_path / "b", cell)]
    assert len(done) == 3
    before = {cell: written_at(tmp_path / "b", cell) for cell in done}
    # A worker was killed between both files of a cell.
    (half,) = [cell for cell in range(len(plan.cells)) if cell not in done][:1]
    cell_folder(tmp_path / "b", half).mkdir()
    (cell_folder(tmp_path / "b", half) / CANDIDATES).write_bytes(b"PAR1")
    answer(tmp_path / "b")
    require_rows(tmp_path / "b", expected, records)
    assert {cell: written_at(tmp_path / "b", cell) for cell in done} == before
    assert read_plan(tmp_path / "b", PROGRAM) == plan


def written_at(folder: Path, cell: int) -> int:
    return (cell_folder(folder, cell) / ATTRIBUTIONS).stat().st_mtime_ns


def test_faults_of_strikes_are_named_all_at_once_and_sound_cells_are_answered(records: Records, tmp_path: Path) -> None:
    strikes = list(records.strikes.values())
    faulty = {3: {"when": "someday"}, 400: {"status": "rumoured"}}
    listed = [one.model_copy(update=faulty.get(number, {})) for number, one in enumerate(strikes)]
    plan = planned(tmp_path / "b", records, limit=60, strikes=listed)
    with pytest.raises(ProblemsError) as caught:
        answer(tmp_path / "b")
    assert {problem.record for problem in caught.value.problems} == {f"strike {strikes[n].id}" for n in faulty}
    answered = [cell for cell in range(len(plan.cells)) if is_answered(tmp_path / "b", cell)]
    assert len(plan.cells) - 2 <= len(answered) < len(plan.cells)


def test_two_strikes_of_one_id_and_files_without_a_column_are_refused(records: Records, tmp_path: Path) -> None:
    one = records.strikes["k-1"]
    with pytest.raises(ProblemsError) as caught:
        planned(tmp_path / "b", records, strikes=[one, records.strikes["k-2"], one])
    assert [problem.record for problem in caught.value.problems] == ["strike k-1"]
    assert not (tmp_path / "b" / "plan.json").exists()
    pq.write_table(pa.table({"id": ["a"], "title": ["A"]}), tmp_path / "s.parquet")
    with pytest.raises(ProblemsError) as lacking:
        list(read_pages(tmp_path / "s.parquet", "strikes"))
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
    with pytest.raises(ProblemsError, match="other-program"):
        run(tmp_path / "b", "2", 1, text)


def test_what_is_no_geometry_is_the_fault_of_its_strike(records: Records, tmp_path: Path) -> None:
    listed = list(records.strikes.values())
    table = to_arrow("strikes", listed)
    place = table.column_names.index("geometry")
    broken = pa.array([b"no WKB", *table["geometry"].to_pylist()[1:]], pa.binary())
    written(tmp_path / "b", records, lambda: [table.set_column(place, table.schema.field(place), broken)], 10_000)
    with pytest.raises(ProblemsError) as caught:
        answer(tmp_path / "b")
    assert {(problem.record, problem.column) for problem in caught.value.problems} == {
        (f"strike {listed[0].id}", "geometry")
    }


def test_a_cell_that_fails_is_reported_and_the_others_are_answered(records: Records, tmp_path: Path) -> None:
    plan = planned(tmp_path / "b", records, limit=100)
    shutil.rmtree(tmp_path / "b" / STRIKES / "cell=2")
    with pytest.raises(BatchError, match="FileNotFoundError") as caught:
        answer(tmp_path / "b")
    assert set(caught.value.failures) == {2}
    assert all(is_answered(tmp_path / "b", cell) for cell in range(len(plan.cells)) if cell != 2)
