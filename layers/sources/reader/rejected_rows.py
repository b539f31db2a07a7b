"""Writes the rows that were rejected, as they are in their file, each with what is wrong: to be mended and loaded."""

from __future__ import annotations

import csv
import itertools
import mmap
import re
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson

from layers.geopackage import geopackage
from layers.model.problems import Problem
from layers.sources.files.geopackage_features import GpkgRows, quoted, select
from layers.sources.files.limits import Refused
from layers.sources.files.source_file import SourceFile
from layers.sources.files.tables import PROBLEMS_COLUMN, RowTable
from layers.sources.reader.column_mapping import ColumnMapping

#: What is listed of a layer, and where: its coordinate system, itself but its extent, its geometry.
_LISTED = (
    (
        "gpkg_spatial_ref_sys",
        "srs_name, srs_id, organization, organization_coordsys_id, definition, description",
        "srs_id IN (SELECT srs_id FROM gpkg_geometry_columns WHERE table_name = ?)",
    ),
    ("gpkg_contents", "table_name, data_type, identifier, description, last_change, srs_id", "table_name = ?"),
    ("gpkg_geometry_columns", "table_name, column_name, geometry_type_name, srs_id, z, m", "table_name = ?"),
)
_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9_ ]*(\([0-9, ]+\))?")


def copy_rows(rows: GpkgRows, faults: Mapping[int, Sequence[str]], out: Path) -> None:
    """Write the rows of some numbers, from 1, with their values, types, geometry and coordinate system untouched.

    A file that is there is replaced. The layer gets no spatial index, which the format does not ask for
    (OGC 12-128r19, annex F.3).

    Raises
    ------
    Refused
        If the rows cannot be read.
    """
    out.unlink(missing_ok=True)
    with rows.opened() as theirs, closing(sqlite3.connect(out)) as ours, ours:
        columns = _columns(theirs, rows.layer)
        geopackage.create_header(ours)
        _declare(ours, rows.layer, columns)
        for table, names, condition in _LISTED:
            listed = theirs.execute(f"SELECT {names} FROM {table} WHERE {condition}", (rows.layer,)).fetchall()
            marks = ", ".join("?" * len(names.split(",")))
            ours.executemany(f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})", listed)
        found = enumerate(theirs.execute(select(rows.layer, columns)), 1)
        kept = ((*row, "; ".join(faults[number])) for number, row in found if number in faults)
        marks = ", ".join("?" * (len(columns) + 1))
        ours.executemany(f"INSERT INTO {quoted(rows.layer)} VALUES ({marks})", kept)


def _columns(theirs: sqlite3.Connection, layer: str) -> dict[str, tuple[str, bool]]:
    """Declared type of each column, and whether it is the primary key, but of an earlier ``_problems``."""
    found = theirs.execute(f"PRAGMA table_info({quoted(layer)})")
    return {name: (kind, bool(key)) for _, name, kind, _, _, key in found if name != PROBLEMS_COLUMN}


def _declare(ours: sqlite3.Connection, layer: str, columns: Mapping[str, tuple[str, bool]]) -> None:
    keys = [name for name, (_, is_key) in columns.items() if is_key]
    declared = [
        f"{quoted(name)} {kind if _TYPE.fullmatch(kind) else ''}{' PRIMARY KEY' if keys == [name] else ''}"
        for name, (kind, _) in columns.items()
    ]
    ours.execute(f"CREATE TABLE {quoted(layer)} ({', '.join(declared)}, {quoted(PROBLEMS_COLUMN)} TEXT)")


#: Where documents keep their rows.
_LISTS = ("features", "elements", "records", "relations", "exceptions", "events")

#: What is wrong with each row of a file, by its number.
Faults = Mapping[int, list[str]]


def write(
    files: Sequence[SourceFile], problems: Iterable[Problem], target: Path, mapping: ColumnMapping | None = None
) -> list[Path]:
    """Write the rejected rows of each file; give the files written, none where nothing was rejected.

    One input goes to ``target``, several into it as a folder, under their own names. A table keeps the sign between
    its cells, a sheet becomes CSV, a JSON document one of its own form, a GeoPackage layer a layer; nothing is packed.
    The column or key ``_problems`` says what is wrong, and is not read. Curated records and PBF are mended at their
    source: of them nothing is written.

    Raises
    ------
    Refused
        If a file would be replaced that holds no rejected rows, or is one of the inputs.
    OSError
        If a file cannot be written.
    """
    listed = tuple(problems)
    written: list[Path] = []
    for file, out in zip(files, _targets(files, target), strict=True):
        written += _Writing(file, rows_of(file, listed), out, files, mapping).write()
    return written


def rows_of(file: SourceFile, problems: Iterable[Problem]) -> dict[str, dict[int, list[str]]]:
    """What is wrong with each rejected row of a file: by the file's name, or for each of its sheets, and by number."""
    found: dict[str, dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    for problem in problems:
        if problem.row is not None and (problem.file == file.name or problem.file.startswith(f"{file.name}#")):
            told = f"{problem.column} = {problem.value}: expected {problem.expected}"
            found[problem.file][problem.row].append(told)
    return {name: dict(rows) for name, rows in found.items()}


def require_writable(files: Sequence[SourceFile], target: Path) -> None:
    """Refuse a target that would replace what is no file of rejected rows; to be asked before anything is read.

    Raises
    ------
    Refused
        If it is an input, a folder of inputs, or another file.
    """
    if len(files) > 1 and target.is_file():
        raise Refused(str(target), "rejected", "a file", "a folder, as there are several inputs")
    for out in _targets(files, target):
        _require_ours(out, files)


def _require_ours(out: Path, files: Sequence[SourceFile]) -> None:
    if any(out.resolve() == file.path.resolve() for file in files):
        raise Refused(str(out), "rejected", "one of the inputs", "another name: the file is read from")
    if out.is_file() and out.stat().st_size and not _holds(out, PROBLEMS_COLUMN.encode()):
        raise Refused(str(out), "rejected", "a file that is there", "a new name, or a file of rejected rows")


def _holds(path: Path, word: bytes) -> bool:
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return data.find(word) >= 0


def _targets(files: Sequence[SourceFile], target: Path) -> list[Path]:
    """Where the rows of each file go."""
    if len(files) == 1 and not target.is_dir():
        return [target.with_name(_unpacked(target.name))]
    stems = Counter(file.stem for file in files)
    return [target / _name(file, alone=stems[file.stem] == 1) for file in files]


def _name(file: SourceFile, alone: bool) -> str:
    """Name for the rows of a file; of inputs that would share one, each has its whole name."""
    name = _unpacked(file.name.rpartition("/")[2] if alone else file.name.replace("/", "-"))
    if not name.lower().endswith(".xlsx"):
        return name
    return f"{file.stem if alone else name}.csv"


def _unpacked(name: str) -> str:
    return name[:-3] if name.lower().endswith(".gz") else name


class _Writing:
    """The rejected rows of one file on their way out."""

    def __init__(
        self,
        file: SourceFile,
        rows: Mapping[str, Faults],
        out: Path,
        files: Sequence[SourceFile],
        mapping: ColumnMapping | None,
    ) -> None:
        self._file, self._rows, self._out, self._files, self._mapping = file, rows, out, files, mapping

    def write(self) -> list[Path]:
        if not self._rows or self._file.name.endswith(".toml"):
            return []
        head = self._file.head()
        if head.container == "pbf":
            return []
        self._out.parent.mkdir(parents=True, exist_ok=True)
        if head.container == "workbook":
            return [path for name in self._rows for path in self._sheet(name)]
        faults = self._rows.get(self._file.name, {})
        if head.container in ("table", "text"):
            return _write_table(self._file.table(), faults, self._ours(self._out), head.delimiter)
        if head.container == "gpkg":
            return [self._layer(faults)]
        out = self._ours(self._out)
        document = cut(self._file.json(), faults)
        out.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")
        return [out]

    def _ours(self, out: Path) -> Path:
        _require_ours(out, self._files)
        return out

    def _sheet(self, name: str) -> list[Path]:
        """Write the rows of a sheet as CSV; of several sheets each has its name."""
        sheet = name[len(self._file.name) + 1 :]
        stem = self._out.stem if len(self._rows) == 1 else f"{self._out.stem}-{sheet.replace('/', '-')}"
        suffix = ".csv" if self._out.suffix.lower() == ".xlsx" else self._out.suffix
        out = self._ours(self._out.with_name(f"{stem}{suffix}"))
        return _write_table(self._file.table(sheet or None), self._rows[name], out, ",")

    def _layer(self, faults: Faults) -> Path:
        out = self._ours(self._out)
        copy_rows(GpkgRows(self._file, self._mapping.layer if self._mapping else None), faults, out)
        return out


def _write_table(table: RowTable, faults: Faults, out: Path, sign: str) -> list[Path]:
    """Write the rows, with the faults in front, so that a row that is too long stays as it is."""
    columns = [name for name in table.columns if name != PROBLEMS_COLUMN]
    rows = (row for row in table.raw_rows() if row[0] in faults)
    first = next(rows, None)
    if first is None:
        return []  # only the header has faults
    with out.open("w", encoding="utf-8", newline="") as stream:
        # In quotes no name of a column is taken for the sign between them.
        csv.writer(stream, delimiter=sign, quoting=csv.QUOTE_ALL).writerow([PROBLEMS_COLUMN, *columns])
        writer = csv.writer(stream, delimiter=sign)
        for number, cells in itertools.chain((first,), rows):
            told = "; ".join(faults[number])
            if isinstance(cells, csv.Error):
                # What is no CSV has no cells: it is mended where it stands.
                writer.writerow([f"row {number} of {table.file}: {told}"])
            else:
                writer.writerow([told, *_without(cells, table.columns)])
    return [out]


def _without(cells: Sequence[str], columns: Sequence[str]) -> Iterator[str]:
    """Cells of a row but those of an earlier ``_problems``."""
    return (cell for row, cell in enumerate(cells) if columns[row : row + 1] != (PROBLEMS_COLUMN,))


def cut(document: Any, faults: Faults) -> Any:
    """The document with only the rows that have faults, which are added to each. The given one stays as it is.

    The first of some features has every property of all, null where it has none: a file that lacks a property
    altogether is another one.
    """
    if isinstance(document, list):
        return _rows(document, faults)
    if not isinstance(document, dict):
        return document
    if isinstance(document.get("entities"), dict):
        entities = enumerate(document["entities"].items(), 1)
        kept = {key: _marked(one, faults[number]) for number, (key, one) in entities if number in faults}
        return {**document, "entities": kept}
    name = next((name for name in _LISTS if isinstance(document.get(name), list)), None)
    if name is None:
        return _marked(document, faults.get(1, []))
    if name == "elements":
        # Untagged nodes and ways are the parts of others.
        listed = enumerate(document[name], 1)
        rows = [one if n not in faults else _marked(one, faults[n]) for n, one in listed if n in faults or _part(one)]
        return {**document, name: rows}
    return {**document, name: _rows(document[name], faults)}


def _rows(listed: Sequence[Any], faults: Faults) -> list[Any]:
    rows = [_marked(one, faults[number]) for number, one in enumerate(listed, 1) if number in faults]
    names = [name for one in listed if _is_feature(one) for name in one.get("properties") or ()]
    first = next((at for at, one in enumerate(rows) if _is_feature(one)), None)
    if first is not None:
        rows[first] = {**rows[first], "properties": {**dict.fromkeys(names), **rows[first]["properties"]}}
    return rows


def _is_feature(one: Any) -> bool:
    return isinstance(one, dict) and one.get("type") == "Feature" and isinstance(one.get("properties"), dict | None)


def _part(element: Any) -> bool:
    return isinstance(element, dict) and not element.get("tags")


def _marked(one: Any, told: Sequence[str]) -> Any:
    if not isinstance(one, dict):
        return one
    if _is_feature(one):
        return {**one, "properties": {**(one["properties"] or {}), PROBLEMS_COLUMN: list(told)}}
    return {**one, PROBLEMS_COLUMN: list(told)}
