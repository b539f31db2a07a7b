"""Reader of the curated records in `layers/records/`: TOML files that a person edits and compares with git."""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from layers.model.messages import Message
from layers.model.problems import Problem, ProblemsError, ReadResult, SourceLocation, validated
from layers.model.records import RECORD_TYPES, Record, Records
from layers.sources.files.limits import parse_toml
from layers.sources.files.source_file import SourceFile
from layers.sources.reader.format import Format, LoadOptions
from layers.sources.reader.record_builder import unused_id

#: The records that are shipped with the program.
BUNDLED = Path(__file__).resolve().parents[1] / "records"

#: Largest file that is read.
MAX_BYTES = 50_000_000


def read(folder: Path = BUNDLED) -> ReadResult:
    """Read every ``*.toml`` file of a folder (or one file), in the order of their names.

    Raises ``FileNotFoundError`` if the folder does not exist or holds no such file.
    """
    files = [folder] if folder.is_file() else sorted(folder.glob("*.toml"))
    if not files:
        raise FileNotFoundError(f"no *.toml records in {folder}")
    return parse((file.name, _text(file)) for file in files)


def _text(file: Path) -> str:
    if file.stat().st_size > MAX_BYTES:
        expected = Message("curated.size", {"megabytes": MAX_BYTES // 10**6})
        raise ProblemsError((Problem(file.name, None, "file", "size", str(file.stat().st_size), expected),))
    return file.read_text(encoding="utf-8")


def parse(texts: Iterable[tuple[str, str]], dataset: str = "curated") -> ReadResult:
    """Validate the records in named TOML texts.

    ``texts``: file name and text of each file. ``dataset``: dataset of the records that name none themselves.

    Returns the valid records; each fault of an invalid record is a problem, and so is an id that is used
    twice.
    """
    tables: dict[str, dict[str, Record]] = defaultdict(dict)
    places: dict[tuple[str, str], SourceLocation] = {}
    problems: list[Problem] = []
    for file, text in texts:
        for table, row, values in _rows(file, text, problems):
            record = validated(RECORD_TYPES[table], {"dataset": dataset, **values}, SourceLocation(file, row), problems)
            if record is None:
                continue
            if (earlier := places.get((table, record.id))) is not None:
                problems.append(Problem(file, row, f"{table} {record.id}", "id", record.id, unused_id(earlier)))
                continue
            tables[table][record.id] = record
            places[table, record.id] = SourceLocation(file, row)
    return ReadResult(Records.of(tables), places, tuple(problems))


_HEADER = re.compile(r"^\[\[\s*([A-Za-z_]+)\s*\]\]", re.MULTILINE)


def _rows(file: str, text: str, problems: list[Problem]) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """Yield table, line number and values of each record; the n-th header of a table belongs to its n-th record."""
    try:
        document = parse_toml(text)
    except tomllib.TOMLDecodeError as error:
        problems.append(Problem(file, None, "file", "syntax", str(error), Message("cell.toml")))
        return
    lines: dict[str, list[int]] = defaultdict(list)
    for header in _HEADER.finditer(text):
        lines[header[1]].append(text.count("\n", 0, header.start()) + 1)
    for table, rows in document.items():
        if table not in RECORD_TYPES or not (isinstance(rows, list) and all(isinstance(row, dict) for row in rows)):
            expected = Message("cell.one-of", {"names": tuple(f"[[{name}]]" for name in RECORD_TYPES)})
            problems.append(Problem(file, None, "file", table, f"[[{table}]]", expected))
            continue
        # Other counts are those of records in a list of their own, or of headers inside a text: no line is sure.
        located = lines[table] if len(lines[table]) == len(rows) else [1] * len(rows)
        for row, values in zip(located, rows, strict=True):
            yield table, row, values


def read_files(files: Sequence[SourceFile], options: LoadOptions) -> ReadResult:
    """Read curated files; a record that names its own dataset stays in that dataset."""
    result = parse(((file.name, file.text()) for file in files), options.dataset)
    return replace(result, rows=len(result.locations))


FORMAT = Format(
    name="curated",
    title="Records that a person wrote: TOML of every table",
    provides="every table",
    licence="as each source says",
    recognises=lambda head: head.suffix == ".toml",
    read=read_files,
    signature="a name that ends in .toml, or a folder of such files",
)
