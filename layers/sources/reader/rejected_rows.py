"""Writes rejected rows in the form of their file, each with its problems, so that they can be mended and loaded."""

from __future__ import annotations

import csv
import itertools
import mmap
import re
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import orjson

from layers.filesystem.atomic_file import PRIVATE_MODE, replacing, write_file
from layers.geopackage import geopackage
from layers.model.messages import Message
from layers.model.problems import Problem
from layers.sources.files.features import GeoPackageRows, quoted_name, select_query
from layers.sources.files.json_rows import filtered, is_object_of_rows, items_at
from layers.sources.files.limits import FileRefused
from layers.sources.files.source_file import SourceFile
from layers.sources.files.tables import PROBLEMS_COLUMN, RowTable
from layers.sources.reader.mapping_file import ColumnMapping

#: Header tables of a GeoPackage whose rows about a layer are copied: table, columns, condition. The extent of the layer
#: is left out, as it is another for the copied rows.
_HEADER_TABLES = (
    (
        "gpkg_spatial_ref_sys",
        "srs_name, srs_id, organization, organization_coordsys_id, definition, description",
        "srs_id IN (SELECT srs_id FROM gpkg_geometry_columns WHERE table_name = ?)",
    ),
    ("gpkg_contents", "table_name, data_type, identifier, description, last_change, srs_id", "table_name = ?"),
    ("gpkg_geometry_columns", "table_name, column_name, geometry_type_name, srs_id, z, m", "table_name = ?"),
)
_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9_ ]*(\([0-9, ]+\))?")


def copy_rows(rows: GeoPackageRows, faults: Mapping[int, Sequence[str]], out: Path) -> None:
    """Write the rejected features of a GeoPackage layer, values, types, geometry and coordinate system unchanged.

    A file that is there is replaced. The layer gets no spatial index, which the format does not ask for
    (OGC 12-128r19, annex F.3).

    ``rows``: the layer. ``faults``: texts of the problems by the position of a feature, from 1; all other features are
    left out. ``out``: GeoPackage to be written, with the texts in the column ``_problems``.

    Raises ``FileRefused`` if the layer cannot be read.
    """
    with (
        replacing(out, mode=PRIVATE_MODE) as fresh,
        rows.open() as source,
        closing(sqlite3.connect(fresh)) as target,
        target,
    ):
        columns = _columns(source, rows.layer)
        geopackage.create_header(target)
        _declare(target, rows.layer, columns)
        for table, names, condition in _HEADER_TABLES:
            listed = source.execute(f"SELECT {names} FROM {table} WHERE {condition}", (rows.layer,)).fetchall()
            marks = ", ".join("?" * len(names.split(",")))
            target.executemany(f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})", listed)
        numbered = enumerate(source.execute(select_query(rows.layer, columns)), 1)
        rejected = ((*row, "; ".join(faults[number])) for number, row in numbered if number in faults)
        marks = ", ".join("?" * (len(columns) + 1))
        target.executemany(f"INSERT INTO {quoted_name(rows.layer)} VALUES ({marks})", rejected)


def _columns(source: sqlite3.Connection, layer: str) -> dict[str, tuple[str, bool]]:
    """Return declared type of each column, and whether it is the primary key; an earlier ``_problems`` is left out."""
    table_info = source.execute(f"PRAGMA table_info({quoted_name(layer)})")
    return {name: (kind, bool(key)) for _, name, kind, _, _, key in table_info if name != PROBLEMS_COLUMN}


def _declare(target: sqlite3.Connection, layer: str, columns: Mapping[str, tuple[str, bool]]) -> None:
    keys = [name for name, (_, is_key) in columns.items() if is_key]
    declared = [
        f"{quoted_name(name)} {kind if _TYPE.fullmatch(kind) else ''}{' PRIMARY KEY' if keys == [name] else ''}"
        for name, (kind, _) in columns.items()
    ]
    target.execute(f"CREATE TABLE {quoted_name(layer)} ({', '.join(declared)}, {quoted_name(PROBLEMS_COLUMN)} TEXT)")


#: Keys of JSON documents that hold the list of rows.
_ROW_KEYS = ("features", "elements", "records", "relations", "exceptions", "events")

#: Tables whose rows those of others refer to.
_REFERRED_TO = frozenset({"entities", "assets"})

#: Texts of the problems of each row of a file, by row number.
RowFaults = Mapping[int, list[str]]


#: Words a problem in one language.
ProblemWording = Callable[[Problem], str]


def write(
    files: Sequence[SourceFile],
    problems: Iterable[Problem],
    target: Path,
    wording: ProblemWording,
    mapping: ColumnMapping | None = None,
) -> list[Path]:
    """Write the rejected rows of each file; return the files written, none where no row was rejected.

    One input goes to ``target``, several into it as a folder, under their own names. A table keeps the sign between
    its cells, a sheet becomes CSV, a JSON document one of its own form, a GeoPackage layer a layer; nothing is packed.
    The column or key ``_problems`` says what is wrong in the words of ``wording``, and readers ignore it. Nothing is
    written for curated records and PBF, which are mended at their source.

    Raises ``FileRefused`` if a file would be replaced that holds no rejected rows, or is one of the inputs. Raises
    ``OSError`` if a file cannot be written.
    """
    listed = tuple(problems)
    written: list[Path] = []
    for file, out in zip(files, _targets(files, target), strict=True):
        rows = problem_texts(file, listed, wording)
        if rows and not file.name.endswith(".toml"):
            written += _write_file(file, rows, out, files, mapping)
    return written


def problem_texts(
    file: SourceFile, problems: Iterable[Problem], wording: ProblemWording
) -> dict[str, dict[int, list[str]]]:
    """Return the problems of a file in words, by file name (``file#sheet`` for sheets) and row number."""
    by_file: dict[str, dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    for problem in problems:
        if problem.row is not None and _is_about(file, problem):
            by_file[problem.file][problem.row].append(wording(problem))
    return {name: dict(rows) for name, rows in by_file.items()}


def has_rejected_rows(file: SourceFile, problems: Iterable[Problem]) -> bool:
    """Whether any problem is about a row of a file."""
    return any(problem.row is not None and _is_about(file, problem) for problem in problems)


def _is_about(file: SourceFile, problem: Problem) -> bool:
    return problem.file == file.name or problem.file.startswith(f"{file.name}#")


def require_writable(files: Sequence[SourceFile], target: Path) -> None:
    """Refuse a target that would replace a file other than one of rejected rows; call it before any file is read.

    Raises ``FileRefused`` if the target is an input, a folder of inputs, or another file.
    """
    if len(files) > 1 and target.is_file():
        raise FileRefused(str(target), "rejected", Message("rejected-rows.file"), Message("rejected-rows.folder"))
    for out in _targets(files, target):
        _require_replaceable(out, files)


def _require_replaceable(out: Path, files: Sequence[SourceFile]) -> None:
    if any(out.resolve() == file.path.resolve() for file in files):
        raise FileRefused(str(out), "rejected", Message("rejected-rows.input"), Message("rejected-rows.no-input"))
    if out.is_file() and out.stat().st_size and not _holds(out, PROBLEMS_COLUMN.encode()):
        there = Message("rejected-rows.file-there")
        raise FileRefused(str(out), "rejected", there, Message("rejected-rows.replaceable"))


def _holds(path: Path, word: bytes) -> bool:
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return data.find(word) >= 0


def _targets(files: Sequence[SourceFile], target: Path) -> list[Path]:
    """Return the output path of each file."""
    if len(files) == 1 and not target.is_dir():
        return [target.with_name(_unpacked(target.name))]
    stems = Counter(file.stem for file in files)
    return [target / _name(file, alone=stems[file.stem] == 1) for file in files]


def _name(file: SourceFile, alone: bool) -> str:
    """Return the output name of a file: its last part, or where inputs share that its whole path in one word."""
    name = _unpacked(file.name.rpartition("/")[2] if alone else file.name.replace("/", "-"))
    if not name.lower().endswith(".xlsx"):
        return name
    return f"{file.stem if alone else name}.csv"


def _unpacked(name: str) -> str:
    return name[:-3] if name.lower().endswith(".gz") else name


def _write_file(
    file: SourceFile,
    rows: Mapping[str, RowFaults],
    out: Path,
    files: Sequence[SourceFile],
    mapping: ColumnMapping | None,
) -> list[Path]:
    sniff = file.sniff()
    if sniff.container == "pbf":
        return []
    out.parent.mkdir(parents=True, exist_ok=True)
    if sniff.container == "workbook":
        return [path for name in rows for path in _write_sheet(file, rows, name, out, files)]
    _require_replaceable(out, files)
    faults = rows.get(file.name, {})
    if sniff.container in ("table", "text"):
        return _write_table(file.table(), faults, out, sniff.delimiter)
    if sniff.container == "gpkg":
        copy_rows(GeoPackageRows(file, mapping.layer if mapping else None), faults, out)
        return [out]
    document = file.json()
    paths = _paths(document, file, mapping)
    if len(paths) > 1:
        by_path = {name[len(file.name) + 1 :]: of_list for name, of_list in rows.items()}
        document = _with_problems_of_lists(document, by_path, paths)
    else:
        document = rejected_document(document, faults, mapping)
    write_file(out, orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n", mode=PRIVATE_MODE)
    return [out]


def _paths(document: Any, file: SourceFile, mapping: ColumnMapping | None) -> list[str | None]:
    """Return the paths of the lists of rows that tables read of a document, those that others refer to last."""
    name = file.name.rpartition("/")[2].casefold()
    tables = mapping.tables if mapping else ()
    own = [table for table in tables if table.file is None or fnmatchcase(name, table.file.casefold())] or tables
    paths = dict.fromkeys(table.rows for table in sorted(own, key=lambda table: table.table in _REFERRED_TO))
    return [path for path in paths if path is None or items_at(document, path)]


def _write_sheet(
    file: SourceFile, rows: Mapping[str, RowFaults], name: str, out: Path, files: Sequence[SourceFile]
) -> list[Path]:
    """Write the rows of a sheet as CSV, named after the sheet where several sheets have rejected rows."""
    sheet = name[len(file.name) + 1 :]
    stem = out.stem if len(rows) == 1 else f"{out.stem}-{sheet.replace('/', '-')}"
    path = out.with_name(f"{stem}{'.csv' if out.suffix.lower() == '.xlsx' else out.suffix}")
    _require_replaceable(path, files)
    return _write_table(file.table(sheet or None), rows[name], path, ",")


def _write_table(table: RowTable, faults: RowFaults, out: Path, sign: str) -> list[Path]:
    """Write the rejected rows of a table; their problems come first, so that over-long rows stay as they are."""
    columns = [name for name in table.columns if name != PROBLEMS_COLUMN]
    rows = (row for row in table.raw_rows() if row[0] in faults)
    first = next(rows, None)
    if first is None:
        return []  # only the header has faults
    with replacing(out, mode=PRIVATE_MODE) as fresh, fresh.open("w", encoding="utf-8", newline="") as stream:
        # In quotes no name of a column is taken for the sign between them.
        csv.writer(stream, delimiter=sign, quoting=csv.QUOTE_ALL).writerow([PROBLEMS_COLUMN, *columns])
        writer = csv.writer(stream, delimiter=sign)
        for number, cells in itertools.chain((first,), rows):
            texts = "; ".join(dict.fromkeys(faults[number]))  # rows of a sheet may all have one number
            if isinstance(cells, csv.Error):
                # A row that is no CSV has no cells: it has to be mended in its file.
                writer.writerow([f"row {number} of {table.file}: {texts}"])
            else:
                # An earlier column of problems is left out.
                left = (cell for at, cell in enumerate(cells) if table.columns[at : at + 1] != (PROBLEMS_COLUMN,))
                writer.writerow([texts, *left])
    return [out]


def rejected_document(document: Any, faults: RowFaults, mapping: ColumnMapping | None = None) -> Any:
    """Return a copy of a JSON document with only its rejected rows, each with the texts of its problems.

    The rows are those at the path of a mapping that has one, else those of the form of the document.

    The first of several features gets every property of all features, null where it has none: a reader would
    take a file that lacks a property altogether for another one.
    """
    paths = [table.rows for table in mapping.tables if table.rows] if mapping else []
    path = next((path for path in paths if items_at(document, path)), None)
    if path is not None:
        return filtered(document, path, _rejected_items(document, path, faults))
    if isinstance(document, list):
        return _rows(document, faults)
    if not isinstance(document, dict):
        return document
    if mapping is not None and is_object_of_rows(document):
        fields = enumerate(document.items(), 1)
        return {key: _with_problems(row, faults[number]) for number, (key, row) in fields if number in faults}
    if isinstance(document.get("entities"), dict):
        entities = enumerate(document["entities"].items(), 1)
        rejected = {key: _with_problems(row, faults[number]) for number, (key, row) in entities if number in faults}
        return {**document, "entities": rejected}
    name = next((name for name in _ROW_KEYS if isinstance(document.get(name), list)), None)
    if name is None:
        return _with_problems(document, faults.get(1, []))
    if name == "elements":
        # Untagged nodes and ways stay, as they are parts of other elements.
        rows = [
            _with_problems(row, faults[n]) if n in faults else row
            for n, row in enumerate(document[name], 1)
            if n in faults or (isinstance(row, dict) and not row.get("tags"))
        ]
        return {**document, name: rows}
    return {**document, name: _rows(document[name], faults)}


def _with_problems_of_lists(document: Any, faults: Mapping[str, RowFaults], paths: Sequence[str | None]) -> Any:
    """Return a copy of a document of several lists of rows with the texts of their problems.

    Of the first list only the rejected rows are there; rows of the others stay, as those refer to them.
    """
    first, *others = paths
    for path in others:
        whole = {number: item.value for number, item in enumerate(items_at(document, path), 1)}
        document = filtered(document, path, whole | _rejected_items(document, path, faults.get(path or "", {})))
    return filtered(document, first, _rejected_items(document, first, faults.get(first or "", {})))


def _rejected_items(document: Any, path: str | None, faults: RowFaults) -> dict[int, Any]:
    """Return the rejected rows at a path with the texts of their problems, by number.

    The first has every field of all rows, null where it has none: a reader would miss a field that no row has.
    """
    values = {number: item.value for number, item in enumerate(items_at(document, path), 1)}
    fields = dict.fromkeys(name for value in values.values() if isinstance(value, dict) for name in value)
    first = next((number for number in values if number in faults), None)
    if first is not None and isinstance(values[first], dict):
        values[first] = {**values[first], **{name: None for name in fields if name not in values[first]}}
    return {number: _with_problems(value, faults[number]) for number, value in values.items() if number in faults}


def _rows(listed: Sequence[Any], faults: RowFaults) -> list[Any]:
    rows = [_with_problems(row, faults[number]) for number, row in enumerate(listed, 1) if number in faults]
    names = [name for row in listed if _is_feature(row) for name in row.get("properties") or ()]
    first = next((at for at, row in enumerate(rows) if _is_feature(row)), None)
    if first is not None:
        rows[first] = {**rows[first], "properties": {**dict.fromkeys(names), **rows[first]["properties"]}}
    return rows


def _is_feature(value: Any) -> bool:
    return (
        isinstance(value, dict) and value.get("type") == "Feature" and isinstance(value.get("properties"), dict | None)
    )


def _with_problems(value: Any, texts: Sequence[str]) -> Any:
    if not isinstance(value, dict):
        return value
    if _is_feature(value):
        return {**value, "properties": {**(value.get("properties") or {}), PROBLEMS_COLUMN: list(texts)}}
    return {**value, PROBLEMS_COLUMN: list(texts)}
