"""Files that are small on disk and endless in memory: each ends in a clear refusal, within bounded memory."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest

from tests.layers.sources.making_files import gzip_bomb, sheet_xml, workbook, zip_bomb

ROOT = Path(__file__).resolve().parents[4]
#: More than any of these may take above an idle process: 64 MB are unpacked before the ratio is looked at.
MOST_MB = 400

#: A process that imports once, and reads each file in a fork of itself: its peak of memory is its own. A fork has 3 GB
#: and two minutes of processor, however busy the machine is.
READ = """
import json, os, resource, sys
from pathlib import Path
from api.wording.problems import located_sentence
from layers.model.problems import ProblemsError
from layers.sources.reader.format import LoadOptions
from layers.sources.registry import FORMATS
from layers.sources.reader.mapping_file import parse
from layers.sources.files.source_file import SourceFile

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

def read(path, name, mapping):
    resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
    resource.setrlimit(resource.RLIMIT_CPU, (120, 120))
    before = peak()
    try:
        request = LoadOptions("d", mapping=parse("m.toml", mapping))
        reading = FORMATS[name].read([SourceFile.of(Path(path))], request)
        told = [reading.rows, len(reading.records.assets), [located_sentence(problem) for problem in reading.problems]]
    except ProblemsError as error:
        told = [0, 0, [located_sentence(problem) for problem in error.problems]]
    print(json.dumps([*told, (peak() - before) / 1024]), flush=True)

for line in sys.stdin:
    child = os.fork()
    if not child:
        read(*json.loads(line))
        os._exit(0)
    if status := os.waitpid(child, 0)[1]:
        print(json.dumps({"status": status}), flush=True)
"""
MAPPING = """table = "assets"
[source]
publisher = "P"
[columns]
id = "id"
name = "name"
{place}
[constants]
kind = "pipeline"
uncertainty_m = 100
basis = "site"
"""


class Read(Protocol):
    """Rows, assets, faults and the megabytes that reading a file took, in a process of its own."""

    def __call__(self, path: Path, name: str = "csv", place: str = "") -> tuple[int, int, list[str], float]: ...


@pytest.fixture(scope="module")
def read() -> Iterator[Read]:
    command = [sys.executable, "-c", READ]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def one(path: Path, name: str = "csv", place: str = "") -> tuple[int, int, list[str], float]:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps([str(path), name, MAPPING.format(place=place)]) + "\n")
            process.stdin.flush()
            rows, assets, problems, megabytes = json.loads(process.stdout.readline())
            return rows, assets, problems, megabytes

        yield one


def zeros(path: Path) -> Path:
    return zip_bomb(path, "a.csv", b"1,2,3\n" * 200_000, 8_500)  # 10 GB


def lying(path: Path) -> Path:
    return zip_bomb(path, "a.csv", b"id,name\n1,2\n" * 100_000, 2_000, declared=1_000)


def squeezed(path: Path) -> Path:
    return gzip_bomb(path, b"1,2,3\n" * 200_000, 8_500)  # 10 GB


def endless_line(path: Path) -> Path:
    path.write_bytes(b"id,name\n1," + b"a" * 40_000_000)
    return path


def endless_quote(path: Path) -> Path:
    path.write_bytes(b'id,name\n1,"' + b"a\n" * 10_000_000)
    return path


def wide(path: Path) -> Path:
    path.write_bytes(b"id,name," + b"a," * 1_000_000 + b"\n")
    return path


def deep_json(path: Path) -> Path:
    path.write_bytes(b'{"type": "FeatureCollection", "features": ' + b"[" * 5_000_000)
    return path


def many_values(path: Path) -> Path:
    path.write_bytes(gzip.compress(b"[" + b"[]," * 20_000_000, 1))
    return path


def deep_xml(path: Path) -> Path:
    rows = "<row>" * 2_000_000
    workbook(path, {"A": f"<worksheet><sheetData>{rows}"})
    return path


def entities(path: Path) -> Path:
    doctype = '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
    workbook(path, {"A": f"{doctype}<worksheet><sheetData><row><c><v>&b;</v></c></row></sheetData></worksheet>"})
    return path


def large_sheet(path: Path) -> Path:
    cell = '<row><c t="inlineStr"><is><t>id</t></is></c></row>'
    workbook(path, {"A": f"<worksheet><sheetData>{cell * 2_000_000}"})
    return path


def far_cell(path: Path) -> Path:
    cell = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    xml = sheet_xml([["id", "name"]]).replace("</sheetData>", cell)
    workbook(path, {"A": xml})
    return path


@pytest.mark.parametrize(
    ("make", "suffix", "name", "expected"),
    [
        (zeros, "zip", "csv", "at most"),
        (lying, "zip", "csv", "zip"),
        (squeezed, "csv.gz", "csv", "at most 200 times"),
        (endless_line, "csv", "csv", "over 16,000,000 letters"),
        (endless_quote, "csv", "csv", "over 16,000,000 letters"),
        (wide, "csv", "csv", "at most 2,000"),
        (deep_json, "geojson", "geojson", "1,024 values deep"),
        (many_values, "json.gz", "geojson", "at most 15,000,000"),
        (deep_xml, "xlsx", "csv", "at most 40"),
        (entities, "xlsx", "csv", "XML without entities"),
        (large_sheet, "xlsx", "csv", "at most"),
        (far_cell, "xlsx", "csv", "columns"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_a_bomb_is_refused_within_bounded_memory(
    tmp_path: Path, read: Read, make: Callable[[Path], Path], suffix: str, name: str, expected: str
) -> None:
    path = make(tmp_path / f"bomb.{suffix}")
    assert path.stat().st_size < 50_000_000
    _, assets, problems, megabytes = read(path, name)
    assert assets == 0
    assert [problem for problem in problems if expected in problem], problems[:3]
    assert megabytes < MOST_MB


def test_a_polygon_of_a_million_vertices_is_a_fault_of_its_row_and_the_next_is_read(tmp_path: Path, read: Read) -> None:
    ring = ", ".join([f"{n / 1e6:.6f} {(n % 997) / 1e3:.3f}" for n in range(1000)] * 1000)
    table = tmp_path / "a.csv"
    table.write_text(f'id,name,shape\n1,A,"POLYGON (({ring}, 0 0))"\n2,B,POINT (1 2)\n')
    _, assets, problems, megabytes = read(table, place='wkt = "shape"')
    assert (assets, len(problems)) == (1, 1)
    assert "over 16,000,000 letters" in problems[0]
    assert megabytes < MOST_MB
    coordinates = ", ".join([f"[{n / 1e6}, {(n % 997) / 1e3}]" for n in range(1000)] * 1000)
    shapes = f'"Polygon", "coordinates": [[{coordinates}, [0, 0]]]', '"Point", "coordinates": [1, 2]'
    features = ", ".join(
        f'{{"type": "Feature", "properties": {{"id": {n}, "name": "A"}}, "geometry": {{"type": {shape}}}}}'
        for n, shape in enumerate(shapes)
    )
    document = tmp_path / "a.geojson"
    document.write_text(f'{{"type": "FeatureCollection", "features": [{features}]}}')
    rows, assets, problems, megabytes = read(document, "geojson")
    assert (rows, assets, len(problems)) == (2, 1, 1)
    assert "200,000 vertices" in problems[0]
    assert megabytes < MOST_MB


def test_a_cell_of_13_million_letters_is_a_fault_of_its_row(tmp_path: Path, read: Read) -> None:
    table = tmp_path / "a.csv"
    table.write_bytes(b"id,name\n1,A\n2," + b"a" * 13_000_000 + b"\n3,C\n")
    rows, assets, problems, megabytes = read(table, place='wkt = "name"')
    assert (rows, assets) == (3, 0)
    (long,) = [problem for problem in problems if "at most 32,767 letters" in problem]
    assert "(13,000,000 letters)" in long
    assert max(map(len, problems)) < 600
    assert megabytes < MOST_MB


def test_many_long_cells_take_no_more_memory_than_one(tmp_path: Path, read: Read) -> None:
    table = tmp_path / "a.csv"
    with table.open("wb") as file:
        file.write(b"id,name\n")
        for number in range(600):
            file.write(b"%d," % number + b"a" * 200_000 + b"\n")
    rows, _, problems, megabytes = read(table)
    assert (rows, len(problems)) == (600, 600)
    assert megabytes < 100


def test_rows_that_hold_a_far_cell_alone_are_taken_apart_a_few_at_once(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "a.xlsx"
    far = "".join(f'<row r="{n}"><c r="BXX{n}"><v>1</v></c></row>' for n in range(2, 40_000))
    workbook(path, {"A": sheet_xml([["id", "name"]]).replace("</sheetData>", f"{far}</sheetData>")})
    rows, _, problems, megabytes = read(path)
    assert (rows, len(problems)) == (39_998, 39_998)
    assert megabytes < MOST_MB


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
@pytest.mark.parametrize("name", ["a.xlsx", "a.zip"])
def test_other_packings_are_refused_whatever_they_would_need(
    tmp_path: Path, read: Read, name: str, method: int
) -> None:
    """LZMA takes as much memory as its header asks for, and what bzip2 raises is no fault of a zip."""
    plain = workbook(tmp_path / "plain.xlsx", {"A": sheet_xml([("id", "name"), ("1", "One")])}).path
    with zipfile.ZipFile(plain) as parts, zipfile.ZipFile(tmp_path / name, "w", method) as packed:
        members = parts.namelist() if name == "a.xlsx" else parts.namelist()[-1:]
        for member in members:
            packed.writestr(member if name == "a.xlsx" else "a.csv", parts.read(member))
    rows, assets, told, _ = read(tmp_path / name)
    assert (rows, assets, len(told)) == (0, 0, 1)
    assert "stored or deflated" in told[0]


def test_a_member_without_a_name_is_no_data(tmp_path: Path, read: Read) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        packed.writestr("mimetype", "x")
        packed.infolist()[0].filename = ""
        packed.writestr("b.csv", "id,name\n1,One\n")
    rows, assets, told, _ = read(tmp_path / "a.zip")
    assert (rows, assets, told) == (1, 1, [])
