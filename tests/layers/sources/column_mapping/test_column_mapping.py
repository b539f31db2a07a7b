"""Anyone's CSV, TSV, xlsx, GeoJSON and GeoPackage by a column mapping: strikes, their values, and every fault."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from api.wording.catalogue import text
from layers.sources.files.limits import FileRefused
from layers.sources.files.source_file import SourceFile
from layers.sources.registry import FORMATS, LoadOptions, recognise
from tests.layers.english import english, raises
from tests.layers.sources.column_mapping.mapped_files import (
    CONTAINERS,
    HEADER,
    ROWS,
    STRIKES,
    features,
    of_csv,
    read,
)
from tests.layers.sources.making_files import csv_text, file_of, sheet_xml, workbook


def row_of(**cells: str) -> Sequence[str]:
    """The first row with other cells, by column; a space in a name is written ``_``."""
    row = dict(zip(HEADER, ROWS[0], strict=True))
    return list({**row, **{name.replace("_", " "): cell for name, cell in cells.items()}}.values())


# Strikes.


@pytest.mark.parametrize("container", CONTAINERS)
def test_the_same_rows_give_the_same_strikes_in_every_container(tmp_path: Path, container: str) -> None:
    name, make = CONTAINERS[container]
    reading = read([make(tmp_path, [HEADER, *ROWS])], STRIKES, name, retrieved="2026-11-25")
    assert (reading.rows, reading.problems) == (2, ())
    first, second = reading.records.strikes.values()
    assert first.geometry == shapely.Point(30.5, 46.25)
    assert first.model_dump(exclude={"geometry"}, exclude_defaults=True) == {
        "id": "own/7",
        "dataset": "own",
        "title": "Fire at a depot",
        "when": "2025-08-08",
        "place": "Верхнє",
        "host_country": "UA",
        "uncertainty_m": 1500.0,
        "basis": "settlement",
        "place_source": "own/source",
        "weapons": ({"kind": "drone"}, {"kind": "missile"}),
        "killed_min": 2,
        "targets": ("the depot", "berth 3"),
        "target_kinds": ("oil-depot", "port-terminal"),
        "status": "verified",
        "sources": ("own/url/b5b10dd0429e69ac", "own/url/bbce36b8c4279dab", "own/source"),
        "checked": "unverified",
    }
    assert (second.when, second.status, second.geometry, second.basis) == ("2025-07", "reported", None, None)
    assert {(one.publisher, one.url, one.licence) for one in reading.records.sources.values()} == {
        ("Sample archive", None, "CC BY 4.0"),
        ("example.org", "https://example.org/a", None),
        ("example.net", "https://example.net/b", None),
    }
    assert reading.records.sources["own/source"].retrieved == "2026-11-25"


def test_the_licence_of_the_command_stands_in_place_of_the_mapping_s(tmp_path: Path) -> None:
    reading = read([file_of(tmp_path / "a.csv", csv_text([HEADER, *ROWS]))], STRIKES, licence="as agreed")
    assert reading.records.sources["own/source"].licence == "as agreed"


def test_several_files_are_one_reading_and_an_id_stands_once(tmp_path: Path) -> None:
    files = [
        file_of(tmp_path / name, csv_text([HEADER, *ROWS[:count]])) for name, count in (("a.csv", 1), ("b.csv", 2))
    ]
    reading = read(files, STRIKES)
    assert list(reading.records.strikes) == ["own/7", "own/8"]
    assert [str(problem) for problem in english(reading.problems)] == [
        "b.csv:2: strike own/7: No = own/7: expected an id not used at a.csv:2"
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("08.08.2025", "2025-08-08"),
        ("08.08.2025 14:30", "2025-08-08"),
        ("07.2025", "2025-07"),
        ("2025", "2025"),
        ("8.8.2025", None),
        ("31.02.2025", None),
        ("08/08/2025", None),
        ("2025-08-08", None),
    ],
)
def test_days_are_read_as_the_mapping_writes_them_and_keep_their_precision(
    tmp_path: Path, text: str, expected: str | None
) -> None:
    strikes, faults = of_csv(tmp_path, [HEADER, row_of(Day=text)])
    if expected is None:
        assert (strikes, faults) == ({}, [(2, "Day", text)])
    else:
        assert (strikes["7"].when, faults) == (expected, [])


@pytest.mark.parametrize(
    ("dates", "text", "expected"),
    [
        ('"M/D/YYYY"', "8/29/2014 12:00:00 AM", "2014-08-29"),
        ('"M/D/YYYY"', "29/8/2014", None),
        ('["DD/MM/YYYY", "YYYY-MM-DD"]', "2014-08-29T10:00:00Z", "2014-08-29"),
        (None, "2025-08-05/2025-08-06", "2025-08-05/2025-08-06"),
        (None, "2022-03~", "2022-03~"),
        (None, "5 August 2025", None),
    ],
)
def test_without_a_format_days_are_edtf(tmp_path: Path, dates: str | None, text: str, expected: str | None) -> None:
    told = f"when = {dates}" if dates else ""
    mapping = STRIKES.replace('when = ["DD.MM.YYYY", "MM.YYYY", "YYYY"]', told)
    strikes, faults = of_csv(tmp_path, [HEADER, row_of(Day=text)], mapping)
    assert [one.when for one in strikes.values()] == ([expected] if expected else [])
    assert [column for _, column, _ in faults] == ([] if expected else ["Day"])


def test_days_of_a_spreadsheet_come_as_iso_days(tmp_path: Path) -> None:
    styles = '<styleSheet><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>'
    sheet = sheet_xml([HEADER, row_of(Day="X")]).replace('t="inlineStr"><is><t>X</t></is>', 's="1"><v>45877</v>')
    file = workbook(tmp_path / "a.xlsx", {"Data": sheet}, {"xl/styles.xml": styles})
    assert [problem.value for problem in read([file], STRIKES).problems] == ["2025-08-08"]
    strikes = read([file], STRIKES.replace('"DD.MM.YYYY", ', '"DD.MM.YYYY", "YYYY-MM-DD", ')).records.strikes
    assert strikes["own/7"].when == "2025-08-08"


@pytest.mark.parametrize(
    ("decimal", "text", "expected"),
    [
        (",", "1,5", 1500.0),
        (",", "1.250,5", 1_250_500.0),
        (",", "1 250,5", 1_250_500.0),
        (",", "12", 12_000.0),
        (",", "1.5", None),
        (",", "12.50", None),
        (".", "1.5", 1500.0),
        (".", "1\u00a0250.5", 1_250_500.0),
        (".", "1,5", None),
        (".", "1 5", None),
        (".", "about 5", None),
        (".", "nan", None),
        (".", "inf", None),
    ],
)
def test_a_number_is_read_by_its_decimal_sign_and_nothing_is_guessed(
    tmp_path: Path, decimal: str, text: str, expected: float | None
) -> None:
    mapping = STRIKES.replace('decimal = ","', f'decimal = "{decimal}"').replace('lon = "E"\nlat = "N"', 'wkt = "E"')
    row = row_of(E="POINT (30.5 46.25)", **{"Within,_km": text})
    strikes, faults = of_csv(tmp_path, [HEADER, row], mapping)
    if expected is None:
        assert (strikes, faults) == ({}, [(2, "Within, km", text)])
    else:
        assert (strikes["7"].uncertainty_m, faults) == (expected, [])


def test_codes_can_stand_for_metres_and_other_codes_are_faults(tmp_path: Path) -> None:
    mapping = STRIKES.replace('[units]\nuncertainty_m = "km"', "").replace(
        "[values.status]", '[values.uncertainty_m]\n"1" = "10000"\n"2" = "30000"\n\n[values.status]'
    )
    rows = [row_of(No=code, **{"Within,_km": code}) for code in ("1", "2", "3")]
    strikes, faults = of_csv(tmp_path, [HEADER, *rows], mapping)
    assert [one.uncertainty_m for one in strikes.values()] == [10_000.0, 30_000.0]
    assert faults == [(4, "Within, km", "3")]


# Faults.


def test_every_fault_of_a_row_is_reported_at_once_and_good_rows_still_come(tmp_path: Path) -> None:
    bad = row_of(
        Day="yesterday", E="30.5", State="", Dead="many", Sort="depot; barn", What="", Link="www.example.org", Town=""
    )
    reading = read([file_of(tmp_path / "a.csv", csv_text([HEADER, bad, ROWS[1]]))], STRIKES)
    assert (reading.rows, list(reading.records.strikes)) == (2, ["own/8"])
    assert {(problem.row, problem.record) for problem in reading.problems} == {(2, "strike own/7")}
    assert {problem.column: (problem.value, problem.expected) for problem in english(reading.problems)} == {
        "Day": ("yesterday", "a date as DD.MM.YYYY or MM.YYYY or YYYY"),
        "Dead": ("many", "a number, with ',' before its decimals"),
        "E": ("30.5", "a number, with ',' before its decimals"),
        "Sort": ("barn", "one of [values.target_kinds]: depot, port, house"),
        "Link": ("www.example.org", "an address such as https://example.org/report"),
        "State": ("(missing)", "a value"),
        "Town": ("(missing)", "a value"),
        "What": ("(missing)", "a value"),
    }
    assert list(reading.records.sources) == ["own/source"], "no source of a row that was rejected"


@pytest.mark.parametrize(
    ("cells", "column", "value"),
    [
        ({"No": ""}, "No", "(missing)"),
        ({"E": ""}, "E", "(missing)"),
        ({"N": ""}, "N", "(missing)"),
        ({"E": "0", "N": "0,0"}, "E, N", "0, 0"),
        ({"E": "305"}, "E, N", "<POINT (305 46.25)>"),
        ({"Within,_km": "9000"}, "Within, km", "9000000.0"),
        ({"Link": "http://[x/"}, "Link", "http://[x/"),
        ({"Dead": "2,5"}, "Dead", "2.5"),
        ({"Dead": "-1"}, "Dead", "-1.0"),
    ],
)
def test_a_cell_that_says_nothing_true_is_a_fault_of_its_column(
    tmp_path: Path, cells: dict[str, str], column: str, value: str
) -> None:
    strikes, faults = of_csv(tmp_path, [HEADER, row_of(**cells)])
    assert (strikes, faults) == ({}, [(2, column, value)])


def test_a_row_that_repeats_an_id_reports_its_other_faults_too(tmp_path: Path) -> None:
    _, faults = of_csv(tmp_path, [HEADER, ROWS[0], row_of(What="", Day="soon")])
    assert [(row, column) for row, column, _ in faults] == [(3, "Day"), (3, "No"), (3, "What")]


def test_rows_of_another_width_are_counted_and_the_rest_is_read(tmp_path: Path) -> None:
    text = csv_text([HEADER, ROWS[0][:-1], ROWS[1]])
    reading = read([file_of(tmp_path / "a.csv", text)], STRIKES)
    assert (reading.rows, len(reading.records.strikes)) == (2, 1)
    assert [(one.row, one.column, one.expected) for one in english(reading.problems)] == [
        (2, "cells", "13 cells, as in the header")
    ]


@pytest.mark.parametrize("container", CONTAINERS)
def test_columns_that_the_mapping_names_and_the_file_lacks_are_all_reported(tmp_path: Path, container: str) -> None:
    name, make = CONTAINERS[container]
    rows = [[cell for at, cell in enumerate(row) if at not in (2, 3)] for row in (HEADER, *ROWS)]
    reading = read([make(tmp_path, rows)], STRIKES, name)
    assert {(one.row, one.record, one.column, one.value) for one in english(reading.problems)} == {
        (None, "header", "Day", "(missing)"),
        (None, "header", "Town", "(missing)"),
    }
    assert "for when; there are" in text(reading.problems[0].expected)
    assert not reading.records.strikes


def test_a_generic_format_needs_a_mapping_and_is_recognised_only_with_one(tmp_path: Path) -> None:
    for name, make in CONTAINERS.values():
        file = make(tmp_path, [HEADER, *ROWS])
        assert recognise(file, has_mapping=True).name == name
        with raises(FileRefused, match="not recognised"):
            recognise(file)
        with raises(FileRefused, match="--mapping FILE"):
            FORMATS[name].read([file], LoadOptions("own"))


# Whatever stands in the cells.

CELLS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12),
    st.sampled_from(
        ["", "0", "1", "1,5", "1.5", "08.08.2025", "2025", "depot", "https://[", "http://a.b", "POINT (1 2)"]
    ),
)


@given(
    st.lists(st.lists(CELLS, min_size=len(HEADER), max_size=len(HEADER)), max_size=4),
    st.sampled_from(sorted({name for name, _ in CONTAINERS.values()} - {"gpkg"})),
)
def test_any_row_is_a_strike_or_has_a_fault_that_names_it(rows: list[list[str]], name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "a"
        file.write_bytes((csv_text if name == "csv" else features)([HEADER, *rows]).encode())
        reading = read([SourceFile.of(file)], STRIKES, name)
    placed = {place.row for (table, _), place in reading.locations.items() if table == "strikes"}
    faulty = {problem.row for problem in reading.problems}
    assert not placed & faulty
    blank = name == "csv" and [row for row in rows if not any(cell.strip() for cell in row)]
    assert reading.rows == len(placed | faulty) == len(rows) - len(blank or ())
    assert {problem.column for problem in reading.problems} <= {*HEADER, "E, N"}
