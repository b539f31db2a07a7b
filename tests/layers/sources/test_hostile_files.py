"""Files that once ended a reader by a traceback, a warning or all memory; `python -m bench.fuzz` came upon them."""

from __future__ import annotations

import json
import sqlite3
import weakref
import zipfile
from pathlib import Path
from typing import Any

import osmium
import pytest
import shapely
from osmium.filter import IdFilter

from layers.model import types
from layers.model.problems import Problem, ProblemsError
from layers.sources.files.limits import MAX_DEPTH
from layers.sources.files.source_file import SourceFile
from layers.sources.osm import elements
from layers.sources.reader import mapping_file, rejected_rows
from layers.sources.reader.format import LoadOptions
from layers.sources.reader.mapping_file import ColumnMapping
from layers.sources.registry import FORMATS
from tests.layers.sources.column_mapping.mapped_files import ASSETS, features, layer
from tests.layers.sources.making_files import csv_text, file_of, sheet_xml, workbook
from tests.layers.sources.osm.osm_files import NODES, PLANT, REFINERY, answer, pbf

DATA = Path(__file__).parents[2] / "data"
#: More lists in each other than orjson writes, and fewer than it reads.
DEEP = "[" * 600 + "]" * 600
ENTITIES = """table = "entities"
    source.publisher = "P"
    columns = {id = "Code", name = "Name"}
    constants = {type = "legalEntity"}
"""
#: What tomllib reads by recursion, and what it reads without.
DEEP_TOML = (f"a = {'[' * 5000}{']' * 5000}", f"{'a.' * 3000}a = 1", "[" + "a." * 3000 + "a]", f"a = {'9' * 5000}")


def faults(fmt: str, file: SourceFile, mapping: ColumnMapping | None = None) -> list[tuple[int | None, str]]:
    """Row and column of every fault; the rejected rows are written too, beside the file."""
    try:
        problems = FORMATS[fmt].read([file], LoadOptions("own", mapping=mapping)).problems
        out = file.path.with_name(f"rejected{file.path.suffix}")
        rejected_rows.write([file], problems, out, _text, mapping)
    except ProblemsError as error:
        problems = error.problems
    return [(problem.row, problem.column) for problem in problems]


def _text(problem: Problem) -> str:
    return str(problem.expected)


@pytest.mark.parametrize("toml", DEEP_TOML, ids=("lists", "keys", "tables", "digits"))
def test_toml_beyond_what_python_reads_is_a_fault_of_its_syntax(tmp_path: Path, toml: str) -> None:
    assert faults("curated", file_of(tmp_path / "a.toml", f"[[strikes]]\n{toml}\n")) == [(None, "syntax")]
    with pytest.raises(ProblemsError) as error:
        mapping_file.parse("mapping.toml", toml)
    assert [(problem.record, problem.column) for problem in error.value.problems] == [("mapping", "syntax")]


@pytest.mark.parametrize(
    ("fmt", "text"),
    [
        ("osm", f'{{"elements": [{{"type": "node", "id": 1, "tags": {DEEP}}}], "osm3s": {{}}}}'),
        (
            "geojson",
            f'{{"type": "FeatureCollection", "features": [{{"type": "Feature", "properties": {{"a": {DEEP}}}}}]}}',
        ),
        ("bods", f'[{{"statementId": {DEEP}}}]'),
        ("gleif", f'[{{"LEI": {DEEP}}}]'),
        ("wikidata", f'{{"entities": {{"Q1": {{"id": {DEEP}}}}}}}'),
    ],
    ids=lambda value: value if len(value) < 20 else "",
)
def test_json_too_deep_to_be_written_again_is_a_fault_of_its_syntax(tmp_path: Path, fmt: str, text: str) -> None:
    mapping = mapping_file.parse("mapping.toml", ASSETS.format(place="").replace('layer = "Sites"\n', ""))
    ((_, column),) = faults(fmt, file_of(tmp_path / "a.json", text), mapping)
    assert column == "syntax"


def test_a_geometry_as_deep_as_the_schema_takes_is_not_too_deep(tmp_path: Path) -> None:
    shape: dict[str, Any] = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}
    for _ in range(32):
        shape = {"type": "GeometryCollection", "geometries": [shape]}
    file = file_of(tmp_path / "a.geojson", json.dumps({"features": [{"type": "Feature", "geometry": shape}]}))
    assert len(file.json()["features"]) == 1
    lists = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert file_of(tmp_path / "b.json", lists).json() == json.loads(lists)


def test_a_member_of_another_name_than_listed_or_out_of_the_file_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("plants.csv", "a,b\n1,2\n")
    packed = (tmp_path / "a.zip").read_bytes()
    renamed = file_of(tmp_path / "b.zip", packed.replace(b"plants.csv", b"plents.csv", 1))
    assert faults("wri", renamed) == [(None, "packing")]
    book = workbook(tmp_path / "a.xlsx", {"Data": sheet_xml([["a", "b"]])})
    # Without its first bytes all members begin earlier than the list says, the first one before the file.
    end = book.path.read_bytes()
    listed = end.index(b"PK\x01\x02")
    moved = end[:listed] + end[listed:].replace(b"\0\0\0\0[Content", b"\xff\xff\xff\x7f[Content")
    broken = file_of(tmp_path / "b.xlsx", moved.replace(b"workbook.xml", b"workbxxk.xml", 1))
    assert {column for _, column in faults("wri", broken)} <= {"packing", "workbook"}


@pytest.mark.parametrize("number", ["//x", "9" * 5000, "", "-1"])
def test_a_number_format_of_no_number_is_that_of_plain_numbers(tmp_path: Path, number: str) -> None:
    styles = f'<a><numFmt numFmtId="{number}" formatCode="yyyy"/><cellXfs><xf numFmtId="{number}"/></cellXfs></a>'
    cells = '<row r="2"><c r="A2" s="0"><v>45000</v></c><c r="B2"><v>1</v></c></row>'
    sheet = sheet_xml([["a", "b"]]).replace("</sheetData>", f"{cells}</sheetData>")
    file = workbook(tmp_path / "a.xlsx", {"Data": sheet}, {"xl/styles.xml": styles})
    assert [dict(row) for _, row in file.table()] == [{"a": "45000", "b": "1"}]


def test_a_layer_whose_system_is_no_number_is_refused(tmp_path: Path) -> None:
    file = layer(tmp_path / "a.gpkg", (("Code", "Name"), ("1", "One")))
    with sqlite3.connect(file.path) as connection:
        connection.execute("UPDATE gpkg_geometry_columns SET srs_id = '*'")
    connection.close()
    mapping = mapping_file.parse("mapping.toml", ENTITIES)
    assert faults("gpkg", file, mapping) == [(None, "srs_id")]


FAR = 1e308
#: Corners of a ring that is as large as numbers are.
SIGNS = [(1, 0), (-1, 0), (1, 1), (-1, 1), (0, 1), (1, -1), (0.5, 1), (1, 0.5)]


@pytest.mark.parametrize("element", [PLANT, REFINERY], ids=lambda element: element["type"])
def test_vertices_far_off_the_globe_are_a_fault_of_their_element(tmp_path: Path, element: Any) -> None:
    far = [{"type": "node", "id": n, "lon": FAR * x, "lat": -FAR * y} for n, (x, y) in zip(NODES, SIGNS, strict=False)]
    parts = [PLANT, *far, {"type": "way", "id": 32, "nodes": [1, 2, 3]}, {"type": "way", "id": 33, "nodes": [3, 4, 1]}]
    columns = {column for _, column in faults("osm", file_of(tmp_path / "a.json", answer([element, *parts])))}
    assert "geometry" in columns


@pytest.mark.parametrize("shape", ["POINT (1e308 -1e308)", "LINESTRING (1e308 0, -1e308 1e308)", "POINT (1e400 1)"])
def test_a_place_far_off_the_globe_is_a_fault_of_its_row(tmp_path: Path, shape: str) -> None:
    mapping = mapping_file.parse("mapping.toml", ASSETS.format(place='wkt = "Shape"').replace('layer = "Sites"\n', ""))
    rows = (("Code", "Name", "Type", "Owner", "Run by", "Capacity", "Shape"), ("1", "One", "NPZ", "", "", "", shape))
    assert faults("csv", file_of(tmp_path / "a.csv", csv_text(rows)), mapping) == [(2, "Shape")]
    header = "ProjectID,Countries,PipelineName,Status,Owner,Fuel,RouteAccuracy,WKTFormat"
    tracker = f'{header}\nP1,Ukraine,A,operating,B,Gas,high,"{shape}"\n'
    assert [row for row, _ in faults("gem-tracker", file_of(tmp_path / "b.csv", tracker))] == [2]


def test_a_feature_without_properties_is_written_as_a_rejected_row(tmp_path: Path) -> None:
    document = json.loads(features((("Code", "Name"), ("1", "One"))))
    document["features"].append({"type": "Feature", "geometry": 5})
    mapping = mapping_file.parse("mapping.toml", ENTITIES)
    assert faults("geojson", file_of(tmp_path / "a.geojson", json.dumps(document)), mapping) == [(2, "geometry")]
    (row,) = json.loads((tmp_path / "rejected.geojson").read_text())["features"]
    assert row["properties"]["_problems"]


@pytest.mark.parametrize("old", ["power", "plant", "Vyshneva NPP"])
def test_a_text_in_a_pbf_file_that_is_no_utf_8_is_refused(tmp_path: Path, old: str) -> None:
    file = uncompressed(pbf(tmp_path))
    broken = file_of(tmp_path / "b.osm.pbf", file.replace(old.encode(), b"\x80" + old.encode()[1:]))
    assert set(faults("osm", broken)) <= {(None, "syntax")}


def uncompressed(file: SourceFile) -> bytes:
    """The blobs of a PBF file without their packing, so that their texts can be found."""
    out = file.path.with_name("plain.osm.pbf")
    writer = osmium.SimpleWriter(osmium.io.File(str(out), "pbf,pbf_compression=none"))
    for entity in osmium.FileProcessor(str(file.path)):
        writer.add(entity)
    writer.close()
    return out.read_bytes()


@pytest.mark.parametrize(
    ("toml", "expected"),
    [
        ('[[strikes]]\nid = """\n[[strikes]]\n"""\n', {(1, "id"), (1, "title"), (1, "when")}),
        ('strikes = [{title = "T"}]\n', {(1, "id"), (1, "when")}),
        ("strikes = [1, {}]\n", {(None, "strikes")}),
    ],
    ids=("header in a text", "list of tables", "list of numbers"),
)
def test_records_without_a_header_of_their_own_are_faults_all_the_same(
    tmp_path: Path, toml: str, expected: set[tuple[int | None, str]]
) -> None:
    assert expected <= set(faults("curated", file_of(tmp_path / "a.toml", toml)))


def test_ids_far_apart_are_looked_up_a_few_blocks_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks: list[set[int]] = []
    filters: list[weakref.ref[Any]] = []

    class Filter(IdFilter):
        def __init__(self, ids: list[int]) -> None:
            super().__init__(ids)
            assert not any(earlier() for earlier in filters), "each takes 200 MB"
            filters.append(weakref.ref(self))
            blocks.append({number >> 25 for number in ids})

    monkeypatch.setattr(elements, "IdFilter", Filter)
    far = [{"type": "node", "id": n << 25, "lon": 30 + n / 1000, "lat": 50} for n in range(1, 200)]
    refs = [node["id"] for node in far]
    way = {"type": "way", "id": 1, "nodes": [*refs, 2**62], "tags": {"man_made": "pipeline", "substance": "gas"}}
    read, _ = elements.read_pbf(pbf(tmp_path, [*far, way]).path, "a.osm.pbf")
    assert {element["id"] for element in read if element["type"] == "node"} == set(refs)
    assert max(map(len, blocks)) <= 48


@pytest.mark.parametrize("interests", [1.5, True, {"type": "shareholding"}])
def test_interests_that_are_no_list_are_a_fault_of_their_statement(tmp_path: Path, interests: object) -> None:
    statements = json.loads((DATA / "bods" / "unspecified.json").read_text(encoding="utf-8"))
    changed = [one for one in statements if "interests" in one["recordDetails"]]
    for one in changed:
        one["recordDetails"]["interests"] = interests
    found = faults("bods", file_of(tmp_path / "a.json", json.dumps(statements)))
    assert changed
    assert {column for _, column in found} == {"recordDetails.interests"}
    assert len({row for row, _ in found}) == len(changed)


def test_a_curve_is_no_text_of_a_geometry() -> None:
    with pytest.raises(shapely.errors.ShapelyError, match="Nonlinear"):
        types.geometry_of_wkt("CIRCULARSTRING (0 0, 1 1, 2 0)")
