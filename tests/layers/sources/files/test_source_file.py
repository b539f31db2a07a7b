"""A file by its text, table or JSON, whatever it is packed and encoded in."""

import gzip
import re
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.sources.files import limits
from layers.sources.files.limits import FileRefused
from layers.sources.files.sniffing import delimiter_of, json_keys
from layers.sources.files.source_file import SourceFile
from layers.sources.files.tables import RowTable
from tests.layers.english import english, raises
from tests.layers.sources.making_files import csv_text, file_of, sheet_xml, workbook

TEXT = "name,place\nОрлівка,Izmail\n"
PLAIN = "name,place\nTürkiye – “quoted”,Baku\n"


def rows(file: SourceFile) -> list[tuple[int, dict[str, str]]]:
    return [(number, dict(cells)) for number, cells in file.table()]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_the_encoding_is_found(tmp_path: Path, encoding: str) -> None:
    text = "name,place\n" + "".join(f"Site {n},Орлівка\n" for n in range(40))
    file = file_of(tmp_path / "a.csv", text.encode(encoding))
    assert file.text() == text
    assert rows(file)[0] == (2, {"name": "Site 0", "place": "Орлівка"})
    assert file.sniff().columns == ("name", "place")


def test_what_is_no_utf_8_is_windows_1252_and_what_is_neither_is_refused(tmp_path: Path) -> None:
    file = file_of(tmp_path / "a.csv", PLAIN.encode("cp1252"))
    assert rows(file) == [(2, {"name": "Türkiye – “quoted”", "place": "Baku"})]
    cyrillic = file_of(
        tmp_path / "c.csv", "name,place\nЗапорізька АЕС – “Енергодар”,Çatalağzı\n".encode("cp1251", "replace")
    )
    assert rows(cyrillic) == [(2, {"name": "Запорізька АЕС – “Енергодар”", "place": "?atala?z?"})]
    accents = file_of(tmp_path / "d.csv", "name,place\nÉlan,Œuvre créée à Vélizy\n".encode("cp1252"))
    assert rows(accents) == [(2, {"name": "Élan", "place": "Œuvre créée à Vélizy"})]
    broken = file_of(tmp_path / "b.csv", b"name,place\n\x81\xff,b\n")
    with raises(FileRefused, match="encoding"):
        broken.table()


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_the_delimiter_is_what_makes_most_of_the_header(tmp_path: Path, sign: str) -> None:
    file = file_of(tmp_path / "a.csv", sign.join(['"a, b; c"', "d", "e"]) + "\n" + sign.join("123") + "\n")
    assert delimiter_of(sign.join(["x", "y", "z"])) == sign
    assert rows(file) == [(2, {"a, b; c": "1", "d": "2", "e": "3"})]


def test_a_header_of_two_rows_below_a_title_is_read_as_in_a_sheet(tmp_path: Path) -> None:
    text = "Strikes of May,,,,,\nRef,Day,Where,,Source,\n,,Town,Target,Link,Outlet\n7,May 9,Odesa,Depot,a.example,A\n"
    names = ("Ref", "Day", "Where Town", "Where Target", "Source Link", "Source Outlet")
    assert rows(file_of(tmp_path / "a.csv", text.encode())) == [
        (4, dict(zip(names, ("7", "May 9", "Odesa", "Depot", "a.example", "A"), strict=True)))
    ]


def test_rows_are_numbered_as_in_a_spreadsheet_and_blank_ones_left_out() -> None:
    table = RowTable.of_text("x.csv", '\ufeffa,b\n,\n\n"1\n2",3\n4,5\n')
    assert table.header == ("a", "b")
    assert list(table) == [(4, {"a": "1\n2", "b": "3"}), (5, {"a": "4", "b": "5"})]
    assert list(table) == list(table)


def test_rows_of_another_width_are_faults_but_empty_cells_at_the_end_are_not() -> None:
    table = RowTable.of_text("x.csv", "a,b\n1\n1,2,3\n1,2,,\n")
    assert [number for number, _ in table] == [4]
    assert [(p.row, p.column, p.value) for p in english(table.problems)] == [(2, "cells", "1"), (3, "cells", "3")]


@pytest.mark.parametrize(("text", "row"), [('a,b\n1,"2\n', 2), ('a,b\n"1"x,2\n3,4\n', 2), ("a,b\n1,\0\n", 2)])
def test_what_is_no_csv_is_a_fault_of_its_row(text: str, row: int) -> None:
    table = RowTable.of_text("x.csv", text)
    list(table)
    assert [(problem.row, problem.column) for problem in table.problems] == [(row, "syntax")]


def test_repeated_names_are_numbered_and_the_column_of_problems_is_not_read() -> None:
    table = RowTable.of_text("x.csv", "_problems,a,a,,\nbad,1,2,3,4\n")
    assert table.header == ("a", "a (2)")
    assert list(table) == [(2, {"a": "1", "a (2)": "2"})]


def test_every_column_has_a_name_of_its_own() -> None:
    table = RowTable.of_text("x.csv", "a,a (2),a,a\n1,2,3,4\n")
    assert list(table) == [(2, {"a": "1", "a (2)": "2", "a (3)": "3", "a (4)": "4"})]


def test_the_delimiter_of_a_header_that_runs_over_several_lines(tmp_path: Path) -> None:
    for blank in ("", "\n"):
        file = file_of(tmp_path / "a.csv", f'{blank}"Name,\nas printed";"East, degrees";N\nA;1;2\n')
        assert file.sniff().columns == file.table().header == ("Name,\nas printed", "East, degrees", "N")
        assert [list(cells.values()) for _, cells in file.table()] == [["A", "1", "2"]]


def test_too_many_faults_name_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_PROBLEMS", 3)
    table = RowTable.of_text("x.csv", "a,b\n1,2\n" + "3\n" * 3)
    assert len(list(table)) == 1
    assert len(table.problems) == 3
    with pytest.raises(FileRefused) as raised:
        list(RowTable.of_text("x.csv", "a,b\n1,2,3,4\n" + "3\n" * 3))
    (problem,) = english(raised.value.problems)
    assert (problem.row, problem.value) == (2, "over 3")
    assert problem.expected.endswith("the first fault: cells = 4: expected 2 cells, as in the header")


def test_a_table_that_a_person_saved_in_a_zip_or_gzip(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("in/events.csv", TEXT)
        archive.writestr("README.txt", "about")
        archive.writestr("__MACOSX/._events.csv", "x")
    packed = SourceFile.of(tmp_path / "a.zip")
    assert (packed.name, packed.stem) == ("a.zip/events.csv", "events")
    assert packed.sniff().columns == ("name", "place")
    squeezed = file_of(tmp_path / "b.csv.gz", gzip.compress(TEXT.encode()))
    assert squeezed.stem == "b"
    assert rows(packed) == rows(squeezed) == [(2, {"name": "Орлівка", "place": "Izmail"})]


def test_a_zip_of_several_or_no_data_files_is_refused_by_name(tmp_path: Path) -> None:
    for names in (("a.csv", "b.csv"), ("readme.md",)):
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            for name in names:
                archive.writestr(name, TEXT)
        with raises(FileRefused, match=r"a\.csv, b\.csv" if len(names) > 1 else "none"):
            SourceFile.of(tmp_path / "a.zip")


@pytest.mark.parametrize("cut", [3, 40, 100])
def test_a_broken_zip_or_gzip_is_refused(tmp_path: Path, cut: int) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", TEXT * 100)
    whole = (tmp_path / "a.zip").read_bytes()
    (tmp_path / "b.zip").write_bytes(whole[:-cut])
    with pytest.raises(FileRefused):
        SourceFile.of(tmp_path / "b.zip").text()
    file = file_of(tmp_path / "c.csv.gz", gzip.compress((TEXT * 100).encode())[: -min(cut, 20)])
    with pytest.raises(FileRefused):
        file.text()


SHARED = "<sst><si><t>gas &amp; oil</t></si><si><r><t>two </t></r><r><t>runs</t></r><rPh><t>X</t></rPh></si></sst>"
STYLES = (
    '<styleSheet><numFmts><numFmt numFmtId="164" formatCode="dd\\.mm\\.yyyy;@"/>'
    '<numFmt numFmtId="165" formatCode="0.0 &quot;days&quot;"/></numFmts>'
    '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="165"/></cellXfs></styleSheet>'
)
CELLS = """<worksheet><sheetData>
<row r="2"><c r="A2" t="inlineStr"><is><t>a</t></is></c><c r="B2" t="inlineStr"><is><t>b</t></is></c>
<c r="C2" t="inlineStr"><is><t>c</t></is></c><c r="D2" t="inlineStr"><is><t>d</t></is></c></row>
<row r="4"><c r="A4" t="s"><v>0</v></c><c r="C4"><v>51.000000000000007</v></c></row>
<row r="5"><c r="A5" t="s"><v>1</v></c><c r="B5" s="1"><v>45877</v></c><c r="C5" s="2"><v>45877.5</v></c>
<c r="D5" t="b"><v>1</v></c></row>
<row><c s="3"><v>3</v></c><c><v>2024</v></c><c t="str"><f>A1</f><v>made</v></c><c t="e"><v>#N/A</v></c></row>
</sheetData></worksheet>"""


def test_cells_of_a_workbook_are_as_a_person_sees_them(tmp_path: Path) -> None:
    parts = {"xl/sharedStrings.xml": SHARED, "xl/styles.xml": STYLES}
    file = workbook(tmp_path / "a.xlsx", {"About": sheet_xml([["one"]]), "Data": CELLS}, parts)
    assert file.sniff().sheets == {"About": ("one",), "Data": ("a", "b", "c", "d")}
    assert [(number, tuple(cells.values())) for number, cells in file.table()] == [
        (4, ("gas & oil", "", "51", "")),
        (5, ("two runs", "2025-08-08", "2025-08-08T12:00:00", "TRUE")),
        (6, ("3", "2024", "made", "#N/A")),
    ]
    assert file.table("About").file == "a.xlsx#About"
    with raises(FileRefused, match="one of About, Data"):
        file.table("Other")


def test_a_code_that_many_cell_formats_share_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    formats, code = '<xf numFmtId="164"/>' * 3_000, f'<numFmt numFmtId="164" formatCode="{"0" * 50_000}"/>'
    styles = f"<styleSheet><numFmts>{code}</numFmts><cellXfs>{formats}</cellXfs></styleSheet>"
    read: list[str] = []
    compiled = re.sub
    monkeypatch.setattr(re, "sub", lambda *given: read.append(given[2]) or compiled(*given))
    file = workbook(tmp_path / "a.xlsx", {"Data": CELLS}, {"xl/sharedStrings.xml": SHARED, "xl/styles.xml": styles})
    assert len([*file.table()]) == 3
    assert len([code for code in read if code.startswith("0000")]) < 10  # once each time that the file is opened


def test_tables_of_a_workbook_are_the_sheets_with_columns(tmp_path: Path) -> None:
    sheets = {"About": sheet_xml([["one"]]), "A": sheet_xml([["a", "b"]]), "B": sheet_xml([["c", "d"]])}
    assert [t.file for t in workbook(tmp_path / "a.xlsx", sheets).tables()] == ["a.xlsx#A", "a.xlsx#B"]
    assert [t.file for t in file_of(tmp_path / "a.csv", TEXT).tables()] == ["a.csv"]


def test_json_is_a_document_or_one_a_line(tmp_path: Path) -> None:
    assert file_of(tmp_path / "a.json", '\ufeff{"a": [1]}').json() == {"a": [1]}
    assert file_of(tmp_path / "b.jsonl", '{"a": 1}\n\n{"a": 2}\n').json() == [{"a": 1}, {"a": 2}]
    assert file_of(tmp_path / "c.json", '{"a": "ї"}'.encode("utf-16")).json() == {"a": "ї"}
    with raises(FileRefused, match=r"c2\.json:2"):
        file_of(tmp_path / "c2.json", '{"a": 1}\n{"a"\n').json()
    with raises(FileRefused, match="RFC 8259"):
        file_of(tmp_path / "d.json", '{"a": ').json()


def test_keys_of_a_text_that_is_cut_short() -> None:
    text = '{"type": "x", "features": [{"properties": {"a\\"b": [1, {"c": 2}], "d": "{}'
    assert list(json_keys(text)) == [
        ("type",),
        ("features",),
        ("features", "properties"),
        ("features", "properties", 'a\\"b'),
        ("features", "properties", 'a\\"b', "c"),
        ("features", "properties", "d"),
    ]


def test_what_a_file_is(tmp_path: Path) -> None:
    features = '{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"osm_id": 1}}]}'
    head = file_of(tmp_path / "a.geojson", features).sniff()
    assert (head.container, head.keys, head.columns, head.suffix) == (
        "json", ("type", "features"), ("osm_id",), ".geojson",
    )  # fmt: skip
    assert file_of(tmp_path / "a.txt", "just words\n").sniff().container == "text"
    assert file_of(tmp_path / "a.bin", b"SQLite format 3\0" + bytes(100)).sniff().container == "gpkg"
    assert file_of(tmp_path / "a.pbf", b"\0\0\0\x0d\x0a\x09OSMHeader").sniff().container == "pbf"


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)


@given(st.lists(st.lists(TEXTS, min_size=4, max_size=4), max_size=4))
def test_any_table_that_csv_writes_is_read_back(cells: list[list[str]]) -> None:
    text = csv_text([["a", "b", "c", "d"], *cells])
    found = [list(row.values()) for _, row in RowTable.of_text("x.csv", text)]
    assert found == [row for row in cells if any(cell.strip() for cell in row)]


def test_a_cell_that_is_too_long_is_a_fault_of_its_row_but_the_text_of_a_geometry_is_not() -> None:
    line = f"LINESTRING ({'1 2, ' * 30_000}1 2)"
    table = RowTable.of_text("a.csv", f'id,shape\n1,{"x" * 32_768}\n2,"{line}"\n3,y\n')
    assert [(number, cells["shape"][:5]) for number, cells in table] == [(2 + 1, "LINES"), (4, "y")]
    (problem,) = english(table.problems)
    assert (problem.row, problem.column, problem.value) == (2, "shape", f"{'x' * 90}... (32,768 letters)")
    assert "at most 32,767 letters" in problem.expected


def test_a_row_of_a_sheet_beyond_a_bound_is_a_fault_and_the_next_is_read(tmp_path: Path) -> None:
    cell = '<c t="inlineStr"><is><t>{}</t></is></c>'
    lines = [
        cell.format("id") + cell.format("name"),
        cell.format("1") + '<c r="XFD2"><v>1</v></c>',
        cell.format("2") + cell.format("POINT" + "a" * 13_000_000),
        cell.format("3") + cell.format("b"),
    ]
    xml = "".join(f'<row r="{number}">{line}</row>' for number, line in enumerate(lines, 1))
    table = workbook(tmp_path / "a.xlsx", {"A": f"<worksheet><sheetData>{xml}</sheetData></worksheet>"}).table()
    assert [(number, dict(cells)) for number, cells in table] == [(4, {"id": "3", "name": "b"})]
    assert [(problem.row, problem.column, problem.value) for problem in english(table.problems)] == [
        (2, "columns", "a cell XFD2"),
        (3, "cell", "over 13,000,000 letters"),
    ]


def test_keys_of_a_deeply_nested_text_are_read_to_some_depth_only() -> None:
    keys = list(json_keys('{"a":' * 13_000))
    assert len(keys) == limits.MAX_KEY_DEPTH
    assert max(map(len, keys)) == limits.MAX_KEY_DEPTH
