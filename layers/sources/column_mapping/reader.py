"""Reads files of any container by a column mapping, which may have several tables; the formats are declared here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

import numpy as np
from shapely.geometry.base import BaseGeometry

from layers.model.messages import Argument, Message
from layers.model.problems import MISSING, Problem, ReadResult, SourceLocation
from layers.model.records import RECORD_TYPES
from layers.sources.column_mapping.mapped_file import MappedTable
from layers.sources.files.features import GeoJsonRows, GeoPackageRows, cell_of
from layers.sources.files.json_rows import JsonItem, JsonRows, field_of
from layers.sources.files.limits import FileRefused
from layers.sources.files.sniffing import FileSniff
from layers.sources.files.source_file import SourceFile
from layers.sources.files.tables import RowTable
from layers.sources.reader.format import Format, LoadOptions
from layers.sources.reader.mapping_file import ColumnMapping
from layers.sources.reader.record_builder import RecordBuilder

#: Tables in the order in which they are read: names refer to assets and entities.
_ORDER = tuple(RECORD_TYPES)
#: Tables whose records others name.
_NAMED = frozenset({"entities", "assets"})


class MappedCells(NamedTuple):
    """A row of any container: its number in the file, its cells by column, and the geometry of a feature."""

    number: int
    cells: Mapping[str, str]
    shape: BaseGeometry | None


class Tabular:
    """Rows of a table or JSON document, which have no geometry of their own."""

    def __init__(self, rows: RowTable | JsonRows) -> None:
        self._rows, self.file, self.header, self.problems = rows, rows.file, rows.header, rows.problems

    def __iter__(self) -> Iterator[MappedCells]:
        return (MappedCells(number, cells, None) for number, cells in self._rows)

    def taken(self, file: SourceFile, mapping: ColumnMapping) -> Message | None:
        """Say which part of a workbook is read; None where that is all of it, or as the mapping says."""
        sheets = file.sniff().sheets
        row = self._rows.header_row if isinstance(self._rows, RowTable) else 1
        sheet = mapping.layer or self.file.removeprefix(f"{file.name}#") if len(sheets) > 1 else next(iter(sheets), "")
        others = () if mapping.layer else tuple(name for name in sheets if name != sheet)
        if not sheets or (row == 1 and not others):
            return None
        words: dict[str, Argument] = {"sheet": sheet, "row": row, "others": others or Message("value.no-one")}
        return Message("column-mapping.sheet", words)


class Features:
    """Features of a collection or layer; of properties that are objects the dotted names are columns, too."""

    def __init__(self, features: GeoJsonRows | GeoPackageRows, columns: Iterable[str]) -> None:
        self._features, self.file, self.problems = features, features.file, features.problems
        there = {*features.header}
        self._nested = [name for name in columns if name not in there and "." in name]
        self.header = (*features.header, *(name for name in self._nested if self._has(name)))

    def _properties(self, number: int) -> Any:
        listed = self._features.features[number - 1] if isinstance(self._features, GeoJsonRows) else {}
        return listed.get("properties") if isinstance(listed, dict) else None

    def _has(self, name: str) -> bool:
        if isinstance(self._features, GeoPackageRows):
            return False
        numbers = range(1, len(self._features.features) + 1)
        return any(field_of(JsonItem(self._properties(n), None, ()), name) is not None for n in numbers)

    def __iter__(self) -> Iterator[MappedCells]:
        for feature in self._features:
            cells = feature.cells
            if self._nested:
                item = JsonItem(self._properties(feature.number), None, ())
                cells = {**cells, **{name: cell_of(field_of(item, name)) for name in self._nested}}
            yield MappedCells(feature.number, cells, feature.geometry)


def open_rows(file: SourceFile, mapping: ColumnMapping, name: str | None = None) -> Tabular | Features | None:
    """Open the rows of a file as a mapping describes them; None for features of which there are none.

    ``mapping``: which rows and columns are read. ``name``: what rows of JSON are called in
    problems; by default the file.

    Raises ``FileRefused`` if the file cannot be read.
    """
    sniff = file.sniff()
    if sniff.container == "gpkg":
        return Features(GeoPackageRows(file, mapping.layer), ())
    if sniff.container != "json":
        return Tabular(file.table(mapping.layer))
    if mapping.rows is not None or not is_geojson(sniff):
        return Tabular(JsonRows(file, mapping.rows, mapping.file_columns, name))
    features = GeoJsonRows(file)
    # Without features the properties are unknown, so no column can be missing.
    return Features(features, mapping.file_columns) if features.features else None


def is_geojson(head: FileSniff) -> bool:
    """Whether the beginning of a JSON file is that of features (RFC 7946)."""
    keys = {*head.keys}
    return "features" in keys or {"type", "geometry"} <= keys or {"type", "properties"} <= keys


# Coordinates far off the globe are faults of their row, and GEOS computes with them before they are seen.
@np.errstate(over="ignore", invalid="ignore")
def read_files(files: Sequence[SourceFile], options: LoadOptions) -> ReadResult:
    """Read files by a mapping: tables and sheets, whose header is row 1, and features and JSON, whose first row is 1.

    Entities and assets are read before what refers to them by name, whichever file they are in.
    """
    mapping = options.mapping
    if mapping is None:
        absent = Message("value.none")
        raise FileRefused(files[0].name, "mapping", absent, Message("column-mapping.mapping-file"))
    tables = [(table, _files_of(table, mapping, files)) for table in mapping.tables]
    reading = _Reading(RecordBuilder(options.dataset, private=mapping.private), Counter(), len(files) > 1)
    reading.readers.update((file.name, table.rows) for table, own_files in tables for file in own_files)
    waiting: list[MappedTable] = []

    def finish() -> None:
        while waiting:
            waiting.pop(0).finish()

    for table, own_files in sorted(tables, key=lambda item: _ORDER.index(item[0].table)):
        if table.table not in _NAMED:
            finish()
        mapped = MappedTable(reading.builder, table, options, files[0].name)
        for file in own_files:
            reading.add(mapped, file, table)
        waiting.append(mapped)
    finish()
    patterns = tuple(table.file for table in mapping.tables if table.file)
    expected = Message("column-mapping.file", {"names": patterns or Message("value.no-one")})
    unread = [file.name for file in files if not reading.paths(file)]
    reading.builder.add_problems(Problem(name, None, "file", "name", name, expected) for name in unread)
    return reading.builder.result()


@dataclass
class _Reading:
    """One read of several files.

    ``readers`` is how many tables read each list of rows, by file and path; ``counted`` whose rows are counted.
    """

    builder: RecordBuilder
    readers: Counter[tuple[str, str | None]]
    has_several: bool
    counted: set[str] = field(default_factory=set)

    def add(self, mapped: MappedTable, file: SourceFile, mapping: ColumnMapping) -> None:
        """Add the records of one table of a file; its rows are counted once, however many tables read them."""
        # Where other rows of the file are read too, a list of rows is called after its path.
        path = f"#{mapping.rows}" if mapping.rows and len(self.paths(file)) > 1 else ""
        rows = open_rows(file, mapping, f"{file.name}{path}")
        if rows is None or not _has_columns(self.builder, mapped, rows.file, rows.header):
            return
        if isinstance(rows, Tabular) and (taken := rows.taken(file, mapping)):
            self.builder.warn(taken)
        is_first, is_only = rows.file not in self.counted, self.readers[file.name, mapping.rows] == 1
        self.counted.add(rows.file)
        for number, cells, shape in rows:
            self.builder.rows += is_first
            named = f"{file.stem}-{number}" if self.has_several else str(number)
            mapped.add(cells, SourceLocation(rows.file, number), shape, named, is_only)
        if is_first:
            self.builder.add_unreadable_rows(rows.problems)

    def paths(self, file: SourceFile) -> set[str | None]:
        """Return the paths of the lists of rows that tables read of a file."""
        return {path for name, path in self.readers if name == file.name}


def _files_of(table: ColumnMapping, mapping: ColumnMapping, files: Sequence[SourceFile]) -> list[SourceFile]:
    """Return the files that a table reads: those of its pattern, and those of no pattern that it fits.

    A mapping of one table without a pattern reads all files.
    """
    if not mapping.further and table.file is None:
        return list(files)
    named = {file for file in files if any(_is_named(other, file) for other in mapping.tables)}
    return [file for file in files if _is_named(table, file) or (file not in named and _fits(table, file))]


def _is_named(table: ColumnMapping, file: SourceFile) -> bool:
    name = file.name.rpartition("/")[2]
    return table.file is not None and fnmatchcase(name.casefold(), table.file.casefold())


def _fits(table: ColumnMapping, file: SourceFile) -> bool:
    """Whether a file has all columns of a table, or the list of rows at its path."""
    try:
        rows = open_rows(file, table)
    except FileRefused:
        return False
    return rows is not None and (table.rows is not None or {*table.file_columns} <= {*rows.header})


def _has_columns(builder: RecordBuilder, mapped: MappedTable, file: str, header: tuple[str, ...]) -> bool:
    """Whether a file has all columns of the mapping; each missing one is added as a problem."""
    missing = mapped.missing(header)
    for name, file_column in missing:
        words: dict[str, Argument] = {"column": file_column, "record_column": name, "header": header[:40]}
        expected = Message("column-mapping.column", words)
        builder.add_problems([Problem(file, None, "header", file_column, MISSING, expected)])
    return not missing


def _format(name: str, title: str, recognises: Any, known_by: str) -> Format:
    signature = f"{known_by}, if a mapping is given and no other format fits"
    title = f"{title}, with a column mapping"
    return Format(
        name, title, "what the mapping says", "as the mapping says", recognises, read_files, signature=signature
    )


FORMATS = (
    _format("csv", "Any table: CSV, TSV, xlsx", lambda head: head.container in ("table", "workbook"), "a header"),
    _format("geojson", "Any GeoJSON", lambda head: head.container == "json" and is_geojson(head), "features"),
    _format(
        "json", "Any JSON or JSON Lines", lambda h: h.container == "json" and not is_geojson(h), "JSON without features"
    ),
    _format("gpkg", "Any GeoPackage layer", lambda head: head.container == "gpkg", "an SQLite header"),
)
