"""NASA FIRMS: archive and near real time files of VIIRS and MODIS, observations that are there twice, and faults."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.model.heat import SENSORS, UNCLASSIFIED, HeatColumns, union
from layers.model.problems import ReadResult
from layers.sources import firms
from layers.sources.files.limits import FileRefused
from layers.sources.files.source_file import SourceFile
from layers.sources.reader.format import LoadOptions
from layers.sources.registry import recognise
from tests.heat_files import csv_text, row
from tests.layers.english import english, raises
from tests.layers.sources.making_files import file_of


def read(*files: SourceFile) -> ReadResult:
    return firms.FORMAT.read(files, LoadOptions("firms/sample", retrieved="2026-11-25"))


def heat_of(reading: ReadResult) -> HeatColumns:
    assert reading.heat is not None
    return reading.heat


@pytest.mark.parametrize(
    ("variant", "sensor", "kind"),
    [
        ("viirs-archive", "VIIRS on NOAA-20", 0),
        ("viirs-nrt", "VIIRS on Suomi NPP", UNCLASSIFIED),
        ("modis-archive", "MODIS on Terra", 0),
        ("modis-nrt", "MODIS on Aqua", UNCLASSIFIED),
    ],
)
def test_each_variant_is_known_and_read(tmp_path: Path, variant: str, sensor: str, kind: int) -> None:
    file = file_of(tmp_path / "fires.csv", csv_text(variant, [row(variant)]))
    assert recognise(file) is firms.FORMAT
    reading = read(file)
    heat = heat_of(reading)
    assert (reading.rows, len(heat), reading.problems) == (1, 1, ())
    assert str(heat.minute.astype("datetime64[m]")[0]) == "2025-08-08T23:41"
    assert (heat.lon[0], heat.lat[0], heat.frp_mw[0]) == (30.75, 46.5, 12.6)
    assert heat.radius_m[0] == pytest.approx(500 * np.hypot(0.39, 0.36), abs=0.1)
    assert (SENSORS[heat.sensor[0]], heat.confidence[0], heat.type[0]) == (sensor, 1, kind)


def test_the_source_tells_what_was_loaded(tmp_path: Path) -> None:
    rows = [row(), row(acq_date="2025-08-11")]
    reading = read(file_of(tmp_path / "fires.csv", csv_text("viirs-archive", rows)))
    (source,) = reading.records.sources.values()
    assert source.id == "firms/sample/firms"
    assert source.dataset == "firms/sample"
    title = "FIRMS active fires, 2 observations, 2025-08-08 to 2025-08-11 (SHA-256 "
    assert source.title == f"{title}{heat_of(reading).digest()})"
    assert all(not reading.records.table(name) for name in ("strikes", "assets", "entities"))


@pytest.mark.parametrize(
    ("cell", "minutes"), [("2341", 1421), ("653", 413), ("45", 45), ("5", 5), ("0", 0), ("00:25", 25), ("6:05", 365)]
)
def test_a_time_without_its_zeros(tmp_path: Path, cell: str, minutes: int) -> None:
    reading = read(file_of(tmp_path / "a.csv", csv_text("viirs-nrt", [row("viirs-nrt", acq_time=cell)])))
    assert heat_of(reading).minute[0] % 1440 == minutes


@pytest.mark.parametrize(
    ("cell", "code"),
    [("l", 0), ("low", 0), ("29", 0), ("n", 1), ("30", 1), ("79", 1), ("High", 2), ("80", 2), ("100", 2)],
)
def test_classes_of_confidence(tmp_path: Path, cell: str, code: int) -> None:
    reading = read(file_of(tmp_path / "a.csv", csv_text("modis-nrt", [row("modis-nrt", confidence=cell)])))
    assert heat_of(reading).confidence[0] == code


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("latitude", "90.5"),
        ("latitude", "46,5"),
        ("longitude", "-181"),
        ("longitude", ""),
        ("acq_date", "08.08.2025"),
        ("acq_date", "2025-02-30"),
        ("acq_date", "1970-01-01"),
        ("acq_date", "9999-12-31"),
        ("acq_time", "2460"),
        ("acq_time", "24:00"),
        ("acq_time", "noon"),
        ("satellite", "L8"),
        ("instrument", "OLI"),
        ("confidence", "101"),
        ("confidence", "³"),
        ("scan", "0"),
        ("track", "nan"),
        ("frp", "-1"),
        ("type", "4"),
    ],
)
def test_a_fault_is_named_with_its_row_and_column(tmp_path: Path, column: str, cell: str) -> None:
    rows = [row(), row(**{"acq_time": "0101", column: cell})]
    reading = read(file_of(tmp_path / "a.tsv", csv_text("viirs-archive", rows, "\t")))
    (fault,) = english(reading.problems)
    assert (fault.file, fault.row, fault.column) == ("a.tsv", 3, column)
    assert fault.value in (cell, "(missing)")
    assert (reading.rows, len(heat_of(reading))) == (2, 1)


def test_a_blank_power_and_type_are_not_known(tmp_path: Path) -> None:
    heat = heat_of(read(file_of(tmp_path / "a.csv", csv_text("viirs-archive", [row(frp="", type="")]))))
    assert np.isnan(heat.frp_mw[0])
    assert heat.type[0] == UNCLASSIFIED


def test_every_row_ends_once(tmp_path: Path) -> None:
    rows = [row(), row(), row(satellite="N"), row(confidence="x", scan="x"), row(acq_time="1")]
    one = file_of(tmp_path / "one.csv", csv_text("viirs-archive", rows))
    other = file_of(
        tmp_path / "other.csv", csv_text("viirs-nrt", [row("viirs-nrt"), row("viirs-nrt", latitude="46.6")])
    )
    reading = read(one, other)
    rejected = {(problem.file, problem.row) for problem in reading.problems}
    assert (reading.rows, len(heat_of(reading)), sum(reading.skipped.values()), len(rejected)) == (7, 4, 2, 1)
    assert len(reading.problems) == 2


def test_a_file_without_a_column_is_refused_by_its_name(tmp_path: Path) -> None:
    text = csv_text("viirs-archive", [row()]).replace("scan,track", "a,b")
    reading = read(file_of(tmp_path / "a.csv", text))
    assert [(problem.row, problem.column) for problem in reading.problems] == [(1, "scan"), (1, "track")]
    assert reading.heat is None


def test_more_observations_than_memory_holds_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(firms, "MAX_OBSERVATIONS", 2)
    rows = [row(acq_time=str(minute)) for minute in range(3)]
    with raises(FileRefused, match="split the file"):
        read(file_of(tmp_path / "a.csv", csv_text("viirs-archive", rows)))


def test_landsat_is_not_taken_for_either(tmp_path: Path) -> None:
    text = "latitude,longitude,path,row,scan,track,acq_date,acq_time,satellite,confidence,daynight\n"
    reading = read(file_of(tmp_path / "a.csv", text + "40.1,-100.2,30,32,1,1,2025-08-08,1712,L8,H,D\n"))
    assert [problem.column for problem in reading.problems] == ["satellite"]


_OBSERVATIONS = st.lists(
    st.tuples(
        st.integers(0, 3), st.sampled_from([-0.0, 0.0, 30.5]), st.sampled_from([1.0, 2.0]), st.integers(1, 2),
        st.sampled_from([10.0, 20.0]), st.integers(0, 2), st.sampled_from([float("nan"), 1.5]), st.integers(-1, 3),
    )
)  # fmt: skip


@given(_OBSERVATIONS, st.randoms())
def test_observations_are_each_once_and_equal_in_any_order(rows: list[tuple[float, ...]], chance: object) -> None:
    def columns(listed: list[tuple[float, ...]]) -> HeatColumns:
        return HeatColumns.of(*(list(zip(*listed, strict=True)) or [()] * 8))

    shuffled = list(rows)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    heat = columns(rows)
    assert columns(shuffled).digest() == heat.digest()
    assert len(heat) == len({(minute, lon, lat, sensor) for minute, lon, lat, sensor, *_ in rows})
    half = len(rows) // 2
    assert union([columns(rows[:half]), columns(rows[half:])]).digest() == heat.digest()
    assert (np.diff(heat.minute) >= 0).all()
