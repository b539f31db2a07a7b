"""Rejected rows are written as they are, each with what is wrong, and can be mended and loaded again."""

from __future__ import annotations

import copy
import csv
import io
import json
import re
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

import geopandas
import pytest
import shapely
from hypothesis import example, given
from hypothesis import strategies as st

from api.wording.problems import cell_sentence
from layers.model.problems import Problem, ReadResult
from layers.sources.files.source_file import SourceFile
from layers.sources.reader.mapping_file import parse
from layers.sources.reader.rejected_rows import rejected_document, write
from layers.sources.registry import FORMATS, LoadOptions
from tests.layers.english import english, expecting
from tests.layers.sources.column_mapping.mapped_files import (
    ASSETS,
    BAD,
    CONTAINERS,
    STRIKES,
    cells_of,
    layer,
    read,
)
from tests.layers.sources.making_files import csv_text, file_of, sheet_xml, workbook

DATA = Path(__file__).resolve().parents[3] / "data"


def told(reading: ReadResult) -> list[tuple[str, str, str]]:
    """The faults of a reading, without where they stand."""
    return [(problem.column, problem.value, problem.expected) for problem in english(reading.problems)]


def raw(path: Path, sign: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline=""), delimiter=sign))


# A circle: read, write, read again; mend, and load.


@pytest.mark.parametrize("container", CONTAINERS)
def test_rejected_rows_have_the_same_faults_when_they_are_read_again_and_load_when_mended(
    tmp_path: Path, container: str
) -> None:
    name, make = CONTAINERS[container]
    file = make(tmp_path, BAD)
    first = read([file], STRIKES, name)
    assert (first.rows, list(first.records.strikes)) == (3, ["own/7"])
    out = tmp_path / "out" / f"faults{file.path.suffix}"
    (written,) = write([file], first.problems, out, cell_sentence, parse("m.toml", STRIKES))
    again = read([SourceFile.of(written)], STRIKES, name)
    assert (again.rows, again.records.strikes, told(again)) == (2, {}, told(first))
    if name == "gpkg":
        with closing(sqlite3.connect(written)) as connection, connection:
            connection.execute('UPDATE "Sites" SET "Day" = \'2025\'')
    else:
        written.write_bytes(written.read_bytes().replace(b"someday", b"2025"))
    mended = read([SourceFile.of(written)], STRIKES, name)
    assert (mended.problems, list(mended.records.strikes)) == ((), ["own/1", "own/3"])
    (tmp_path / "right").mkdir()
    right = make(tmp_path / "right", [[cell.replace("someday", "2025") for cell in row] for row in BAD])
    assert {**first.records.strikes, **mended.records.strikes} == read([right], STRIKES, name).records.strikes


SAMPLES = (
    *(("acled", "strikes/acled.csv"), ("ucdp", "strikes/ucdp.csv"), ("eyes-on-russia", "strikes/eyes-on-russia.csv")),
    *(("viina", "strikes/viina-1.0.csv"), ("viina", "strikes/viina-derived.csv")),
    *(("timemap", "strikes/timemap-events.json"), ("wikidata", "wikidata/faulty.json")),
)
STATEMENTS = ({"statementId": "x", "statementDate": "someday"}, {"statementId": "y", "recordId": 5})
LEVEL_1 = ({"LEI": "123", "Entity": {"LegalName": {"$": "X"}}}, {"LEI": "12", "Entity": {"LegalName": {"$": "Y"}}})


@pytest.mark.parametrize(("name", "sample"), SAMPLES)
def test_faults_of_every_reader_come_back_with_its_rows(tmp_path: Path, name: str, sample: str) -> None:
    file = SourceFile.of(DATA / sample)
    first = FORMATS[name].read([file], LoadOptions("own"))
    (written,) = write([file], first.problems, tmp_path / file.path.name, cell_sentence)
    again = FORMATS[name].read([SourceFile.of(written)], LoadOptions("own"))
    # An id that stands twice stands once among the rejected.
    expected = [one for one in english(first.problems) if not one.expected.startswith("an id not used at")]
    assert [(one.column, one.value, one.expected) for one in expected] == told(again)
    assert len({problem.row for problem in expected}) == len({problem.row for problem in again.problems}) > 0


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("bods", json.dumps(STATEMENTS)),
        ("bods", "\n\n".join(map(json.dumps, STATEMENTS))),
        ("gleif", json.dumps({"records": LEVEL_1})),
        ("gleif", json.dumps(LEVEL_1)),
        ("gleif", json.dumps(LEVEL_1[0])),
    ],
)
def test_documents_and_lines_of_owners_come_back_too(tmp_path: Path, name: str, text: str) -> None:
    file = file_of(tmp_path / "in.json", text)
    first = FORMATS[name].read([file], LoadOptions("own"))
    last = max(problem.row or 0 for problem in first.problems)
    kept = [problem for problem in first.problems if problem.row == last]
    (written,) = write([file], kept, tmp_path / "out.json", cell_sentence)
    again = FORMATS[name].read([SourceFile.of(written)], LoadOptions("own"))
    assert told(again) == [(one.column, one.value, one.expected) for one in english(kept)] != []


# Tables.


@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_a_table_keeps_its_sign_and_its_rows_of_any_width(tmp_path: Path, sign: str) -> None:
    lines = (
        ["id", "a;b,c", ""],
        ["1", "good", ""],
        ["2"],
        ["3", f"x{sign}y", "", "4", " spaced "],
        ["", "", ""],
        ["5", "two\nlines", "nameless"],
    )
    file = file_of(tmp_path / "in.csv", csv_text(lines, sign))
    problems = [Problem(file.name, row, "row", "c", "v", expecting("e")) for row in (3, 4, 6)]
    (out,) = write(
        [file], [*problems, Problem(file.name, 4, "row", "d", "w", expecting("f"))], tmp_path / "out.csv", cell_sentence
    )
    told = "c = v: expected e"
    assert raw(out, sign) == [
        ["_problems", "id", "a;b,c", ""],
        [told, "2"],
        [f"{told}; d = w: expected f", "3", f"x{sign}y", "", "4", " spaced "],
        [told, "5", "two\nlines", "nameless"],
    ]
    table = SourceFile.of(out).table()
    assert table.header == ("id", "a;b,c")
    assert [(number, dict(cells)) for number, cells in table] == [(4, {"id": "5", "a;b,c": "two\nlines"})]
    assert [(problem.row, problem.column) for problem in table.problems] == [(2, "cells"), (3, "cells")]


def test_a_name_of_a_column_is_not_taken_for_the_sign_between_them(tmp_path: Path) -> None:
    file = file_of(tmp_path / "in.csv", '"id","km; or mi; ;"\n1,x\n')
    (out,) = write([file], [Problem("in.csv", 2, "row", "c", "v", expecting("e"))], tmp_path / "out.csv", cell_sentence)
    assert cells_of(SourceFile.of(out)) == cells_of(file) == [{"id": "1", "km; or mi; ;": "x"}]


def test_a_second_round_has_the_faults_of_the_second_reading_alone(tmp_path: Path) -> None:
    file = file_of(tmp_path / "in.csv", csv_text(BAD))
    (once,) = write([file], read([file], STRIKES).problems, tmp_path / "1.csv", cell_sentence)
    once.write_bytes(once.read_bytes().replace(b"someday", b"32.08.2025"))
    second = SourceFile.of(once)
    (twice,) = write([second], read([second], STRIKES).problems, tmp_path / "2.csv", cell_sentence)
    assert cells_of(SourceFile.of(twice)) == cells_of(second)
    text = twice.read_text(encoding="utf-8")
    assert text.count("_problems") == 1
    assert text.count("Day = 32.08.2025: expected a date as") == len(cells_of(second))


def test_what_is_no_csv_is_told_with_its_row_as_it_has_no_cells(tmp_path: Path) -> None:
    file = file_of(tmp_path / "in.csv", 'id,name\n1,a\n"2"x,b\n3,c\n')
    table = file.table()
    assert [cells["id"] for _, cells in table] == ["1", "3"]
    (out,) = write([file], table.problems, tmp_path / "out.csv", cell_sentence)
    header, row = raw(out)
    assert header == ["_problems", "id", "name"]
    assert row[0].startswith("row 3 of in.csv: syntax = ")
    assert len(row) == 1


def test_sheets_are_written_as_csv_one_for_each(tmp_path: Path) -> None:
    sheets = {"A/B": sheet_xml([["id", "n"], ["1", "x"]]), "C": sheet_xml([["id", "n", "m"], ["2", "y"]])}
    file = workbook(tmp_path / "book.xlsx", sheets)
    problems = [Problem(f"book.xlsx#{name}", 2, "row", "n", "x", expecting("y")) for name in sheets]
    both = write([file], problems, tmp_path / "faults.xlsx", cell_sentence)
    assert [path.name for path in both] == ["faults-A-B.csv", "faults-C.csv"]
    assert [cells_of(SourceFile.of(path)) for path in both] == [
        [{"id": "1", "n": "x"}],
        [{"id": "2", "n": "y", "m": ""}],
    ]
    (one,) = write([file], problems[:1], tmp_path / "one.xlsx", cell_sentence)
    assert one.name == "one.csv"
    # Without a sheet's name it is the one that the reader took: with most columns.
    (plain,) = write(
        [file], [Problem("book.xlsx", 2, "row", "n", "x", expecting("y"))], tmp_path / "plain.csv", cell_sentence
    )
    assert cells_of(SourceFile.of(plain)) == [{"id": "2", "n": "y", "m": ""}]


def test_rows_of_one_number_have_each_fault_once(tmp_path: Path) -> None:
    """A sheet may say of all its rows that they are the second: the faults of all are those of each."""
    rows = sheet_xml([["id", "n"], *([str(number), "x"] for number in range(200))])
    same = re.sub(r'<row r="\d+"', '<row r="2"', rows).replace('<row r="2"', '<row r="1"', 1)
    file = workbook(tmp_path / "book.xlsx", {"A": same})
    problems = [Problem("book.xlsx#A", 2, "row", "n", "x", expecting("y"))] * 200
    (written,) = write([file], problems, tmp_path / "faults.csv", cell_sentence)
    assert written.stat().st_size < 200 * 100


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
NAMES = st.lists(
    st.one_of(TEXTS, st.sampled_from(["a", "a (2)", ";;;", "x\n,,", '"', "_problems"])), min_size=2, max_size=4
)


@given(NAMES, st.lists(st.lists(TEXTS, max_size=6), min_size=1, max_size=4), st.sampled_from([",", ";", "\t"]))
@example(["", ""], [["", ":"], []], ",")  # whose first row would be a second one of the header
def test_writing_all_rows_of_any_table_keeps_every_cell_and_writing_them_again_every_byte(
    names: list[str], rows: list[list[str]], sign: str
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        first = file_of(Path(folder) / "0.csv", csv_text([["n", *names, "m"], *rows], sign))
        files = [first]
        for number in (1, 2):
            table = files[-1].table()
            sound = [row for row, cells in table.raw_rows() if not isinstance(cells, csv.Error)]
            problems = [Problem(files[-1].name, row, "row", "c", "v", expecting("e")) for row in sound]
            written = write([files[-1]], problems, Path(folder) / f"{number}.csv", cell_sentence)
            if not written:
                return
            files.append(SourceFile.of(written[0]))
        before, after, again = (rows_in(one) for one in files)
        kept = [at for at, name in enumerate(first.table().columns) if name != "_problems"]
        extra = len(first.table().columns)
        assert [row[1:] for row in after] == [[row[at] for at in kept if at < len(row)] + row[extra:] for row in before]
        assert files[1].table().header == first.table().header
        assert after == again
        assert files[1].path.read_bytes() == files[2].path.read_bytes()


def rows_in(file: SourceFile) -> list[list[str]]:
    return [list(cells) for _, cells in file.table().raw_rows() if not isinstance(cells, csv.Error)]


# Documents.

DOCUMENTS: tuple[tuple[Any, Any], ...] = (
    ([{"a": 1}, {"a": 2}], [{"a": 2, "_problems": ["x"]}]),
    ([{"a": 1}, 2], [2]),
    ({"records": [{"a": 1}, {"a": 2}], "n": 3}, {"records": [{"a": 2, "_problems": ["x"]}], "n": 3}),
    ({"relations": [{"a": 1}, {"a": 2}]}, {"relations": [{"a": 2, "_problems": ["x"]}]}),
    ({"exceptions": [{"a": 1}, {"a": 2}]}, {"exceptions": [{"a": 2, "_problems": ["x"]}]}),
    ({"events": [{"a": 1}, {"a": 2}]}, {"events": [{"a": 2, "_problems": ["x"]}]}),
    (
        {"entities": {"Q1": {"id": "Q1"}, "Q2": {"id": "Q2", "_problems": ["old"]}}},
        {"entities": {"Q2": {"id": "Q2", "_problems": ["x"]}}},
    ),
    (
        {"elements": [{"id": 1, "tags": {"a": "b"}}, {"id": 2, "tags": {"a": "b"}}, {"id": 3}, {"id": 4, "tags": {}}]},
        {"elements": [{"id": 2, "tags": {"a": "b"}, "_problems": ["x"]}, {"id": 3}, {"id": 4, "tags": {}}]},
    ),
)


@pytest.mark.parametrize(("document", "expected"), DOCUMENTS)
def test_of_a_document_only_the_rejected_rows_stay(document: Any, expected: Any) -> None:
    before = copy.deepcopy(document)
    assert rejected_document(document, {2: ["x"]}) == expected
    assert document == before


def test_a_document_that_is_one_record_is_marked_itself() -> None:
    assert rejected_document({"LEI": "1"}, {1: ["x", "y"]}) == {"LEI": "1", "_problems": ["x", "y"]}
    one = {"type": "Feature", "properties": None, "geometry": None}
    assert rejected_document(one, {1: ["x"]}) == {**one, "properties": {"_problems": ["x"]}}


@pytest.mark.parametrize("lines", [False, True])
def test_features_keep_every_property_of_their_file(tmp_path: Path, lines: bool) -> None:
    rows = [{"No": "1", "Day": "2025", "Town": "A", "What": "w", "State": "s"}, {"No": "2", "Day": "someday"}]
    made = [{"type": "Feature", "id": 5, "properties": one, "geometry": None} for one in rows]
    text = "\n".join(map(json.dumps, made)) if lines else json.dumps({"type": "FeatureCollection", "features": made})
    file = file_of(tmp_path / "a.geojson", text)
    mapping = """table = "strikes"
        source.publisher = "P"
        columns = {id = "No", when = "Day", place = "Town", title = "What", status = "State"}
        dates.when = "YYYY"
        values.status."*" = "reported"
    """
    first = read([file], mapping, "geojson")
    (out,) = write([file], first.problems, tmp_path / "out.geojson", cell_sentence)
    document = json.loads(out.read_text())
    (feature,) = document if lines else document["features"]
    assert {name: value for name, value in feature["properties"].items() if name != "_problems"} == {
        "No": "2", "Day": "someday", "Town": None, "What": None, "State": None,
    }  # fmt: skip
    again = read([SourceFile.of(out)], mapping, "geojson")
    assert told(again) == told(first)
    assert {problem.row for problem in again.problems} == {1}


def test_overpass_elements_are_written_with_the_parts_they_are_made_of(tmp_path: Path) -> None:
    elements = [
        {"type": "node", "id": 1, "lon": 30, "lat": 46},
        {"type": "node", "id": 2, "lon": 31, "lat": 46},
        {"type": "way", "id": 3, "nodes": [1, 2], "tags": {"man_made": "pipeline", "substance": "oil", "name": 7}},
        {"type": "way", "id": 4, "nodes": [2, 1], "tags": {"man_made": "pipeline", "substance": "oil", "name": "Good"}},
    ]
    stamp = {"timestamp_osm_base": "2026-01-01T00:00:00Z"}
    file = file_of(tmp_path / "osm.json", json.dumps({"osm3s": stamp, "elements": elements}))
    first = FORMATS["osm"].read([file], LoadOptions("own"))
    assert {problem.row for problem in first.problems} == {3}
    (out,) = write([file], first.problems, tmp_path / "out.json", cell_sentence)
    out.write_text(out.read_text().replace('"name": 7', '"name": "Mended"'))
    records = FORMATS["osm"].read([SourceFile.of(out)], LoadOptions("own")).records
    assert [(one.name, one.geometry) for one in records.assets.values()] == [
        ("Mended", shapely.LineString([(30, 46), (31, 46)]))
    ]


# Layers.


def test_a_layer_keeps_types_geometry_and_system(tmp_path: Path) -> None:
    frame = geopandas.GeoDataFrame(
        {"Code": ["a", "b", "c"], "Capacity": [1.5, -2.0, -3.0], "Count": [1, 2, 3], "Name": ["A", "B", "C"]},
        geometry=[shapely.Point(500_000, 5_000_000), shapely.Point(510_000, 5_000_000), None],
        crs="EPSG:32636",
    )
    frame.to_file(tmp_path / "in.gpkg", layer="My Sites", driver="GPKG")
    file = SourceFile.of(tmp_path / "in.gpkg")
    mapping = """table = "assets"
        layer = "My Sites"
        source.publisher = "P"
        columns = {id = "Code", name = "Name", capacity = "Capacity"}
        constants = {kind = "factory", basis = "site", uncertainty_m = 100}
    """
    first = read([file], mapping, "gpkg")
    assert [(problem.row, problem.column) for problem in first.problems] == [(2, "Capacity"), (3, "Capacity")]
    made = parse("m.toml", mapping)
    (out,) = write([file], first.problems, tmp_path / "out.gpkg", cell_sentence, made)
    again = geopandas.read_file(out, layer="My Sites")
    assert again.crs == frame.crs
    assert again.drop(columns="_problems").equals(frame.iloc[1:].reset_index(drop=True))
    assert again["_problems"].str.startswith("Capacity = -").all()
    second = SourceFile.of(out)
    reading = read([second], mapping, "gpkg")
    assert told(reading) == told(first)
    (twice,) = write([second], reading.problems, tmp_path / "twice.gpkg", cell_sentence, made)
    assert geopandas.read_file(twice).equals(again)
    with closing(sqlite3.connect(twice)) as connection, connection:
        connection.execute('UPDATE "My Sites" SET "Capacity" = 0')
    mended = read([SourceFile.of(twice)], mapping, "gpkg")
    assert mended.problems == ()
    assert [one.geometry is None for one in mended.records.assets.values()] == [False, True]


def test_a_row_whose_geometry_cannot_be_read_is_written_all_the_same(tmp_path: Path) -> None:
    rows = [("Code", "Name", "Type", "Owner", "Run by", "Capacity"), ("1", "One", "NPZ", "", "", "")]
    file = layer(tmp_path / "in.gpkg", rows)
    with closing(sqlite3.connect(file.path)) as connection, connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f'DROP TRIGGER "{name}"')
        connection.execute("UPDATE \"Sites\" SET geom = x'475001'")
    mapping = ASSETS.format(place="")
    (out,) = write([file], read([file], mapping, "gpkg").problems, tmp_path / "out.gpkg", cell_sentence)
    with closing(sqlite3.connect(out)) as connection:
        assert connection.execute('SELECT "Code", hex(geom) FROM "Sites"').fetchall() == [("1", "475001")]
