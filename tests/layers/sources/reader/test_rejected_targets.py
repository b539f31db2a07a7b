"""Where rejected rows are written: packed and several inputs, names, and what is never replaced."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pytest

from api.wording.problems import cell_sentence
from layers.model.problems import MISSING, Problem
from layers.sources.files.limits import FileRefused
from layers.sources.files.source_file import SourceFile
from layers.sources.reader.rejected_rows import require_writable, write
from tests.layers.english import english, expecting, raises
from tests.layers.sources.column_mapping.mapped_files import (
    BAD,
    CONTAINERS,
    HEADER,
    ROWS,
    STRIKES,
    cells_of,
    layer,
    read,
)
from tests.layers.sources.making_files import csv_text, file_of, sheet_xml, workbook


def test_packed_inputs_are_written_unpacked(tmp_path: Path) -> None:
    text = csv_text(BAD)
    squeezed = file_of(tmp_path / "a.csv.gz", gzip.compress(text.encode()))
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("in/b.csv", text)
    files = [squeezed, SourceFile.of(tmp_path / "b.zip")]
    reading = read(files, STRIKES)
    written = write(files, reading.problems, tmp_path / "out", cell_sentence)
    assert [path.relative_to(tmp_path / "out").as_posix() for path in written] == ["a.csv", "b.csv"]
    assert [len(cells_of(SourceFile.of(path))) for path in written] == [2, 3], "the good row of b has an id of a"
    (alone,) = write(files[:1], reading.problems, tmp_path / "alone.csv.gz", cell_sentence)
    assert alone.name == "alone.csv"
    layer(tmp_path / "c.gpkg", BAD)
    packed = file_of(tmp_path / "c.gpkg.gz", gzip.compress((tmp_path / "c.gpkg").read_bytes()))
    (tmp_path / "d").mkdir()
    (out,) = write([packed], read([packed], STRIKES, "gpkg").problems, tmp_path / "d", cell_sentence)
    assert out.name == "c.gpkg"
    assert read([SourceFile.of(out)], STRIKES, "gpkg").rows == 2


def test_files_of_one_name_are_told_apart_and_only_those_with_faults_are_written(tmp_path: Path) -> None:
    paths = []
    for folder, rows in (
        ("2024", BAD),
        ("2025", [HEADER, ("9", *BAD[1][1:])]),
        ("2026", [HEADER, ("10", *ROWS[1][1:])]),
    ):
        (tmp_path / folder).mkdir()
        paths.append(tmp_path / folder / "a.csv")
        paths[-1].write_text(csv_text(rows), encoding="utf-8")
    files = SourceFile.all_of([*paths, paths[0]])
    assert [file.name for file in files] == ["2024/a.csv", "2025/a.csv", "2026/a.csv"]
    assert {file.stem for file in files} == {"a"}
    reading = read(files, STRIKES)
    written = write(files, reading.problems, tmp_path / "out", cell_sentence)
    assert [path.name for path in written] == ["2024-a.csv", "2025-a.csv"]
    assert [[cells["No"] for cells in cells_of(SourceFile.of(path))] for path in written] == [["1", "3"], ["9"]]
    same = [file_of(tmp_path / "x.csv", csv_text(BAD)), workbook(tmp_path / "x.xlsx", {"A": sheet_xml(BAD)})]
    assert [path.name for path in write(same, read(same, STRIKES).problems, tmp_path / "out", cell_sentence)] == [
        "x.csv",
        "x.xlsx.csv",
    ]


def test_nothing_is_written_without_a_rejected_row(tmp_path: Path) -> None:
    file = file_of(tmp_path / "a.csv", csv_text([HEADER, *ROWS]))
    whole = [
        Problem("a.csv", None, "header", "Day", MISSING, expecting("x")),
        Problem("a.csv", 1, "header", "x", "y", expecting("z")),
    ]
    assert write([file], whole, tmp_path / "out.csv", cell_sentence) == []
    toml = file_of(tmp_path / "a.toml", '[[strikes]]\nid = "a"\n')
    assert (
        write(
            [toml],
            [Problem("a.toml", 2, "strike a", "when", "x", expecting("y"))],
            tmp_path / "out.toml",
            cell_sentence,
        )
        == []
    )
    assert not list(tmp_path.glob("out*"))


def test_no_input_and_no_other_file_is_replaced(tmp_path: Path) -> None:
    file = file_of(tmp_path / "a.csv", csv_text(BAD))
    other = file_of(tmp_path / "b.csv", "precious\n")
    problems = read([file], STRIKES).problems
    (tmp_path / "link.csv").symlink_to(file.path)
    for target, expected in (
        (file.path, "one of the inputs"),
        (tmp_path / "link.csv", "one of the inputs"),
        (tmp_path, "one of the inputs"),
        (other.path, "a file that is there"),
    ):
        for refused in (lambda to: require_writable([file], to), lambda to: write([file], problems, to, cell_sentence)):
            with pytest.raises(FileRefused) as raised:
                refused(target)
            assert english(raised.value.problems)[0].value == expected
    with raises(FileRefused, match="a folder, as there are several inputs"):
        require_writable([file, other], tmp_path / "b.csv")
    assert cells_of(file) == [dict(zip(HEADER, row, strict=True)) for row in BAD[1:]]
    assert other.path.read_text() == "precious\n"


def test_an_earlier_file_of_rejected_rows_is_replaced(tmp_path: Path) -> None:
    for container in ("comma", "geojson", "gpkg"):
        name, make = CONTAINERS[container]
        file = make(tmp_path, BAD)
        for _ in range(2):
            require_writable([file], tmp_path / "out" / "faults")
            (out,) = write([file], read([file], STRIKES, name).problems, tmp_path / "out" / "faults", cell_sentence)
        out.unlink()
