"""The generic formats: CSV, xlsx, GeoJSON and GeoPackage files of any publisher, read by a column mapping."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from layers.model.messages import Argument, Message, alternatives
from layers.model.problems import MISSING, Problem, ReadResult, SourceLocation
from layers.model.records import RECORD_TYPES
from layers.model.types import Column, columns
from layers.sources.files.features import GeoJsonRows, GeoPackageRows
from layers.sources.files.limits import FileRefused
from layers.sources.files.sniffing import FileSniff
from layers.sources.files.source_file import SourceFile
from layers.sources.reader.cell_values import web_address
from layers.sources.reader.format import Format, LoadOptions
from layers.sources.reader.mapping_file import (
    ANY_OTHER,
    DATE_COLUMNS,
    PLACE_COLUMNS,
    REFERENCE_COLUMNS,
    ColumnMapping,
    is_list,
    without_time,
)
from layers.sources.reader.record_builder import CompaniesByName, RecordBuilder, short_digest, slug

#: Numbers by their decimal sign. Spaces, and points before a comma, stand between thousands only.
_NUMBERS = {
    ".": re.compile(r"[+-]?([0-9]{1,3}([ \u00a0\u202f][0-9]{3})+|[0-9]*)(\.[0-9]*)?([eE][+-]?[0-9]+)?"),
    ",": re.compile(r"[+-]?([0-9]{1,3}([ \u00a0\u202f.][0-9]{3})+|[0-9]*)(,[0-9]*)?([eE][+-]?[0-9]+)?"),
}
_THOUSANDS = {".": " \u00a0\u202f", ",": " \u00a0\u202f."}

#: Longer than the well-known text of any point.
_POINT_LENGTH = 100


class CellFault(NamedTuple):
    """A cell that cannot be read: its file column, its value, and what was expected."""

    column: str
    value: Argument
    expected: Message


class MappedRow:
    """The values of one row by record column; reading them fills ``faults`` and the columns at fault, ``unread``."""

    def __init__(
        self, mapping: ColumnMapping, known: Mapping[str, Column], dataset: str, cells: Mapping[str, str]
    ) -> None:
        self._mapping, self._columns, self._dataset = mapping, known, dataset
        texts = {name: cells.get(file_column, "").strip() for name, file_column in mapping.columns.items()}
        self._texts = {name: text for name, text in texts.items() if text}
        self.faults: list[CellFault] = []
        self.unread: set[str] = set()

    def id(self) -> str:
        """Return the record's id, which a row must have; "(no id)" with a fault where it has none."""
        text = self._texts.get("id", "")
        if not text:
            self.fault("id", MISSING, Message("column-mapping.unique-id"))
        return record_id(self._dataset, text) if text else "(no id)"

    def values(self) -> dict[str, Any]:
        """Return the values of the record's columns except id, location and sources; constants fill empty cells."""
        values = {name: value for name, value in self._mapping.constants.items() if name in self._columns}
        for name, text in self._texts.items():
            root, _, key = name.partition(".")
            if key:
                values[root] = {**values.get(root, {}), key: text}
            elif name in self._columns and name not in ("id", "geometry"):
                values[name] = self._value(name, text)
        return {name: value for name, value in values.items() if value is not None}

    def words(self, name: str) -> tuple[str, ...]:
        """Return the distinct words of a cell; a cell is split only where the mapping gives a delimiter for it."""
        text = self._texts.get(name)
        if text is None:
            fixed = self._mapping.constants.get(name)
            return () if fixed is None else (str(fixed),)
        sign = self._mapping.lists.get(name)
        parts = [part.strip() for part in text.split(sign)] if sign else [text]
        words = [self._word(name, part) for part in parts if part]
        return tuple(dict.fromkeys(word for word in words if word))

    def geometry(self, shape: BaseGeometry | None) -> Any:
        """Return the location of a row in lon/lat degrees (OGC:CRS84), None where it has none.

        It is the first of: the feature's ``shape``, a well-known text, the degrees of ``lon`` and ``lat``. Point (0, 0)
        is a fault and gives None. A text that is no well-known text is returned unchanged, so that validation refuses
        it.
        """
        geometry: Any = shape if shape is not None else self._texts.get("wkt") or self._texts.get("geometry")
        if geometry is None:
            geometry = self._point()
        if isinstance(geometry, str) and len(geometry) < _POINT_LENGTH:
            geometry = shapely.from_wkt(geometry, on_invalid="ignore") or geometry
        if isinstance(geometry, shapely.Point) and geometry.x == geometry.y == 0:
            self.fault("geometry", "0, 0", Message("cell.no-null-island"))
            return None
        return geometry

    def _point(self) -> shapely.Point | None:
        lon, lat = (self._degrees(name) for name in ("lon", "lat"))
        if (lon is None) != (lat is None) and not self.unread & {"lon", "lat"}:
            self.fault("lon" if lon is None else "lat", MISSING, Message("column-mapping.both-degrees"))
        return None if lon is None or lat is None else shapely.Point(lon, lat)

    def _degrees(self, name: str) -> float | None:
        fixed = self._mapping.constants.get(name)
        return self._number(name, self._texts[name]) if name in self._texts else fixed

    def _value(self, name: str, text: str) -> Any:
        if is_list(self._mapping.table, name):
            return self.words(name) or None
        words = self._mapping.values.get(name)
        # Days and ids are too many to list in a values table: those it lacks are read as if there were no table.
        is_open = name in DATE_COLUMNS or name in REFERENCE_COLUMNS
        if words is not None and (text in words or ANY_OTHER in words or not is_open):
            return self._word(name, text)
        if name in DATE_COLUMNS:
            return self._date(name, text)
        if name in REFERENCE_COLUMNS:
            return record_id(self._dataset, text)
        return self._number(name, text) if self._columns[name].type in ("number", "integer") else text

    def _word(self, name: str, text: str) -> str | None:
        """Return the schema's word for a word of the file, None where the mapping gives an empty one."""
        words = self._mapping.values.get(name)
        if words is None:
            return text
        word = words.get(text, words.get(ANY_OTHER))
        if word is None:
            known = tuple(words)[:12]
            self.fault(name, text, Message("column-mapping.known-word", {"column": name, "words": known}))
        return word or None

    def _date(self, name: str, text: str) -> str | None:
        formats = self._mapping.dates.get(name)
        if not formats:
            return without_time(text)
        parsed = next((day for date_format in formats if (day := date_format.edtf(text))), None)
        if parsed is None:
            examples = alternatives([date_format.text for date_format in formats])
            self.fault(name, text, Message("column-mapping.date", {"formats": examples}))
        return parsed

    def _number(self, name: str, text: str) -> float | None:
        parsed = number(text, self._mapping.decimal)
        if parsed is None:
            self.fault(name, text, Message("column-mapping.number", {"decimal": self._mapping.decimal}))
            return None
        return parsed * self._mapping.units.get(name, 1.0)

    def file_columns(self) -> dict[str, str]:
        """Return the file column of each record column."""
        columns = self._mapping.columns
        place_columns = ", ".join(columns[name] for name in (*PLACE_COLUMNS, "geometry") if name in columns)
        file_columns = {**columns, "geometry": place_columns, "weapons": columns.get("weapon", "")}
        return {name: file_column for name, file_column in file_columns.items() if file_column}

    def fault(self, name: str, value: Argument, expected: Message) -> None:
        """Add the fault of the cell of a record column."""
        self.unread.add(name)
        self.faults.append(CellFault(self.file_columns().get(name, name), value, expected))


def number(text: str, decimal: str) -> float | None:
    """Parse a number whose decimals follow a point or a comma; None for any other text."""
    if not _NUMBERS[decimal].fullmatch(text):
        return None
    for sign in _THOUSANDS[decimal]:
        text = text.replace(sign, "")
    try:
        return float(text.replace(decimal, "."))
    except ValueError:
        return None


def record_id(dataset: str, text: str) -> str:
    """Return the id of a record from the file's id; one with signs beyond letters, digits and ``._-`` gets a digest."""
    text = text.strip()
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}", text):
        return f"{dataset}/{text.lower()}"
    digest = short_digest(text)
    return f"{dataset}/{'-'.join(part for part in (slug(text)[:60].strip('-'), digest) if part)}"


class MappedFile:
    """Makes the records of one file by a column mapping."""

    def __init__(self, builder: RecordBuilder, mapping: ColumnMapping, options: LoadOptions, file: str) -> None:
        self._builder, self._mapping, self._dataset = builder, mapping, options.dataset
        self._columns = {column.name: column for column in columns(RECORD_TYPES[mapping.table])}
        self.source = f"{options.dataset}/source"
        licence = options.licence or mapping.source.get("licence")
        values = {**mapping.source, "id": self.source, "licence": licence, "retrieved": options.retrieved}
        if not builder.has("sources", self.source):
            builder.add("sources", values, SourceLocation(file, 1))
        self._companies = CompaniesByName(builder, options.dataset, self.source, mapping.source["publisher"])

    def missing(self, header: tuple[str, ...]) -> list[tuple[str, str]]:
        """Return record columns whose file column the header lacks, each with that file column."""
        return [(name, file_column) for name, file_column in self._mapping.columns.items() if file_column not in header]

    def add(self, cells: Mapping[str, str], location: SourceLocation, shape: BaseGeometry | None = None) -> None:
        """Add the record of one row, or every problem of the row.

        Parameters
        ----------
        cells
            Cells by file column.
        location
            Where the row stands.
        shape
            Geometry of the feature in lon/lat degrees (OGC:CRS84); None for rows of tables.
        """
        row = MappedRow(self._mapping, self._columns, self._dataset, cells)
        key, table = row.id(), self._mapping.table
        values: dict[str, Any] = {"checked": "unverified", **row.values(), "id": key, **_weapons(row)}
        values |= self._where(row, values, shape)
        cited = self._cited(row)
        values |= self._sources(cited)
        if table == "assets":
            owners, operators = row.words("owner"), row.words("operator")
        for fault in row.faults:
            self._builder.add_problem(location, f"{RECORD_TYPES[table].__name__.lower()} {key}", *fault)
        if not self._builder.add(table, values, location, row.file_columns(), row.unread):
            return
        for source_id, source in cited.items():
            if not self._builder.has("sources", source_id):
                self._builder.add("sources", source, location)
        if table == "assets":
            self._hold(key, owners, operators, location)

    def _cited(self, row: MappedRow) -> dict[str, dict[str, Any]]:
        """Return the web addresses that a row cites as sources, by id."""
        cited = {}
        for url in row.words("source_url"):
            host = _host(url)
            if host is None:
                row.fault("source_url", url, Message("column-mapping.address"))
                continue
            source_id = f"{self._dataset}/url/{short_digest(url, 16)}"
            cited[source_id] = {"id": source_id, "url": url, "publisher": host}
        return cited

    def _sources(self, cited: Mapping[str, Any]) -> dict[str, Any]:
        """Return the source columns of a record: the cited sources and the file."""
        return {"sources": (*cited, self.source)} if "sources" in self._columns else {"source": self.source}

    def _where(self, row: MappedRow, values: dict[str, Any], shape: BaseGeometry | None) -> dict[str, Any]:
        """Return the location columns of a record; without a geometry, ``values`` lose precision and basis."""
        if "geometry" not in self._columns:
            return {}
        geometry = row.geometry(shape)
        geometry = values.get("geometry") if geometry is None else geometry
        if geometry is not None:
            return {"geometry": geometry, "place_source": self.source}
        for name in ("uncertainty_m", "basis"):
            values.pop(name, None)
        return {}

    def _hold(self, asset: str, owners: tuple[str, ...], operators: tuple[str, ...], location: SourceLocation) -> None:
        for owner in owners:
            self._companies.stake(asset, self._companies.entity(owner, location), location)
        for operator in operators:
            self._companies.operator(asset, self._companies.entity(operator, location), location)


def _weapons(row: MappedRow) -> dict[str, Any]:
    kinds = row.words("weapon")
    return {"weapons": tuple({"kind": kind} for kind in kinds)} if kinds else {}


def _host(url: str) -> str | None:
    """Return the host of a web address, None for any other text."""
    try:
        return urlsplit(url).hostname if web_address(url) else None
    except ValueError:
        return None


# Coordinates far off the globe are faults of their row, and GEOS computes with them before they are seen.
@np.errstate(over="ignore", invalid="ignore")
def read_tables(files: Sequence[SourceFile], options: LoadOptions) -> ReadResult:
    """Read CSV files and sheets; rows are numbered as in a spreadsheet, the header 1."""
    mapping = _mapping(files, options)
    builder = RecordBuilder(options.dataset, private=mapping.private)
    for file in files:
        table = file.table(mapping.layer)
        mapped = MappedFile(builder, mapping, options, table.file)
        if _has_columns(builder, mapped, table.file, table.header):
            for number, cells in table:
                builder.rows += 1
                mapped.add(cells, SourceLocation(table.file, number))
            builder.add_unreadable_rows(table.problems)
    return builder.result()


@np.errstate(over="ignore", invalid="ignore")
def read_features(files: Sequence[SourceFile], options: LoadOptions) -> ReadResult:
    """Read GeoJSON files and GeoPackage layers; rows are the positions of features, from 1."""
    mapping = _mapping(files, options)
    builder = RecordBuilder(options.dataset, private=mapping.private)
    for file in files:
        is_gpkg = file.sniff().container == "gpkg"
        features = GeoPackageRows(file, mapping.layer) if is_gpkg else GeoJsonRows(file)
        mapped = MappedFile(builder, mapping, options, file.name)
        if isinstance(features, GeoJsonRows) and not features.features:
            continue  # without features the properties are unknown, so no column can be missing
        if _has_columns(builder, mapped, file.name, features.header):
            for feature in features:
                builder.rows += 1
                mapped.add(feature.cells, SourceLocation(file.name, feature.number), feature.geometry)
            builder.add_unreadable_rows(features.problems)
    return builder.result()


def _mapping(files: Sequence[SourceFile], options: LoadOptions) -> ColumnMapping:
    if options.mapping is None:
        absent = Message("value.none")
        raise FileRefused(files[0].name, "mapping", absent, Message("column-mapping.mapping-file"))
    return options.mapping


def _has_columns(builder: RecordBuilder, mapped: MappedFile, file: str, header: tuple[str, ...]) -> bool:
    """Whether a file has all columns of the mapping; each missing one is added as a problem."""
    missing = mapped.missing(header)
    for name, file_column in missing:
        words: dict[str, Argument] = {"column": file_column, "record_column": name, "header": header[:40]}
        expected = Message("column-mapping.column", words)
        builder.add_problems([Problem(file, None, "header", file_column, MISSING, expected)])
    return not missing


def _format(name: str, title: str, containers: tuple[str, ...], known_by: str) -> Format:
    def recognises(head: FileSniff) -> bool:
        return head.container in containers

    read = read_tables if name == "csv" else read_features
    return Format(name, title, "what the mapping says", "as the mapping says", recognises, read, signature=known_by)


_WITH = ", if a mapping is given and no other format fits"
FORMATS = (
    _format("csv", "Any table: CSV, TSV, xlsx, with a column mapping", ("table", "workbook"), "a header" + _WITH),
    _format("geojson", "Any GeoJSON, with a column mapping", ("json",), "JSON" + _WITH),
    _format("gpkg", "Any GeoPackage layer, with a column mapping", ("gpkg",), "an SQLite header" + _WITH),
)
