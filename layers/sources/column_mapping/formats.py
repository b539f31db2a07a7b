"""Readers of anyone's CSV, xlsx, GeoJSON and GeoPackage files by a column mapping."""

from __future__ import annotations

from collections.abc import Sequence

from layers.model.problems import Problem
from layers.model.read_result import Place, Reading
from layers.sources.column_mapping.apply import Mapped
from layers.sources.files.geojson_features import FeatureRows
from layers.sources.files.geopackage_features import GpkgRows
from layers.sources.files.limits import Refused
from layers.sources.files.sniffing import Head
from layers.sources.files.source_file import SourceFile
from layers.sources.reader.column_mapping import ColumnMapping
from layers.sources.reader.format import Format, Request
from layers.sources.reader.record_builder import Gathered


def read_tables(files: Sequence[SourceFile], request: Request) -> Reading:
    """Read CSV files and sheets; rows are numbered as in a spreadsheet, the header 1."""
    mapping = _mapping(files, request)
    found = Gathered(request.dataset, private=mapping.private)
    for file in files:
        table = file.table(mapping.layer)
        mapped = Mapped(found, mapping, request, table.file)
        if _has_columns(found, mapped, table.file, table.header):
            for number, cells in table:
                found.rows += 1
                mapped.add(cells, Place(table.file, number))
            found.bad_rows(table.problems)
    return found.reading()


def read_features(files: Sequence[SourceFile], request: Request) -> Reading:
    """Read GeoJSON files and GeoPackage layers; rows are the positions of features, from 1."""
    mapping = _mapping(files, request)
    found = Gathered(request.dataset, private=mapping.private)
    for file in files:
        is_gpkg = file.head().container == "gpkg"
        features = GpkgRows(file, mapping.layer) if is_gpkg else FeatureRows(file)
        mapped = Mapped(found, mapping, request, file.name)
        if isinstance(features, FeatureRows) and not features.features:
            continue  # no feature says which properties there are
        if _has_columns(found, mapped, file.name, features.header):
            for feature in features:
                found.rows += 1
                mapped.add(feature.cells, Place(file.name, feature.number), feature.geometry)
            found.bad_rows(features.problems)
    return found.reading()


def _mapping(files: Sequence[SourceFile], request: Request) -> ColumnMapping:
    if request.mapping is None:
        expected = "a mapping file that says what its columns mean (--mapping FILE; docs/sources.md has an example)"
        raise Refused(files[0].name, "mapping", "(none)", expected)
    return request.mapping


def _has_columns(found: Gathered, mapped: Mapped, file: str, header: tuple[str, ...]) -> bool:
    """Whether a file has all columns of the mapping; each that it lacks is a fault."""
    missing = mapped.missing(header)
    for name, theirs in missing:
        expected = f"a column {theirs!r}, which the mapping gives for {name}; there are {', '.join(header[:40])}"
        found.take([Problem(file, None, "header", theirs, "(missing)", expected)])
    return not missing


def _format(name: str, title: str, containers: tuple[str, ...], known_by: str) -> Format:
    def recognises(head: Head) -> bool:
        return head.container in containers

    read = read_tables if name == "csv" else read_features
    return Format(name, title, "what the mapping says", "as the mapping says", recognises, read, known_by=known_by)


_WITH = ", if a mapping is given and no other format fits"
FORMATS = (
    _format("csv", "Any table: CSV, TSV, xlsx, with a column mapping", ("table", "workbook"), "a header" + _WITH),
    _format("geojson", "Any GeoJSON, with a column mapping", ("json",), "JSON" + _WITH),
    _format("gpkg", "Any GeoPackage layer, with a column mapping", ("gpkg",), "an SQLite header" + _WITH),
)
