"""The formats of Global Energy Monitor: trackers as CSV, xlsx or GeoJSON, their routes, and ownership tables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from layers.model.messages import Message
from layers.model.problems import MISSING, Problem, ReadResult, SourceLocation
from layers.sources.files.features import GeoJsonRows
from layers.sources.files.limits import FileRefused
from layers.sources.files.sniffing import FileSniff
from layers.sources.files.source_file import SourceFile
from layers.sources.gem import ownership_tables
from layers.sources.gem.record_builder import gem_id
from layers.sources.gem.trackers import COLUMNS, REQUIRED, Tracker, parse
from layers.sources.reader.cell_values import columns_by_field, lines_of
from layers.sources.reader.format import Format, LoadOptions
from layers.sources.reader.record_builder import RecordBuilder, concatenate_results

#: Columns that only GEM's files have: a file is recognised as a tracker by any of them.
_SIGNATURE_COLUMNS = (
    "PipelineName",
    "TerminalName",
    "GEM unit ID",
    "GEM unit/phase ID",
    "GEM location ID",
    "unit-name",
    "project_loc",
)


@dataclass
class _Features:
    """Features of a tracker's GeoJSON as its rows."""

    rows: GeoJsonRows
    file: str
    header: tuple[str, ...]
    problems: list[Problem] = field(default_factory=list)

    def __iter__(self) -> Iterator[tuple[int, Mapping[str, str]]]:
        for feature in self.rows:
            yield feature.number, {**feature.cells, "WKTFormat": _wkt(feature.geometry)}
        self.problems[:] = self.rows.problems


@dataclass(frozen=True, slots=True)
class _PipelineRoute:
    """A route: the number of its pipeline, its location in a file, its geometry in lon/lat degrees."""

    number: str
    location: SourceLocation
    geometry: BaseGeometry


# Routes far off the globe are faults of their row, and GEOS measures them before they are seen.
@np.errstate(over="ignore", invalid="ignore")
def read_trackers(files: Sequence[SourceFile], options: LoadOptions) -> ReadResult:
    """Read trackers, and GeoJSON files of routes for their rows, joined by the property ProjectID.

    Several features of one pipeline in one file are its parts; a row that has a route of its own keeps it. A route
    of no row, and one without a geometry, is skipped.
    """
    tables: list[Tracker] = []
    builder = RecordBuilder(options.dataset)
    routes: list[_PipelineRoute] = []
    for file in files:
        if file.sniff().container == "json":
            features = GeoJsonRows(file)
            if _is_tracker(features.header):
                tables.append(_Features(features, file.name, (*features.header, "WKTFormat")))
            else:
                routes += _read_routes(features, file, builder)
        else:
            tables += _trackers_of(file)
    if not tables:
        raise FileRefused(files[0].name, "format", Message("gem.routes-only"), Message("gem.tracker-beside"))
    routes = _routes_in_one_file(routes, builder)
    by_number = _by_number(routes)
    results = [parse(table, options.dataset, options.licence, by_number) for table in tables]
    read = {key for result in results for key in result.records.assets}
    for route in routes:
        builder.skip(Message("gem.route-of-row" if gem_id(route.number) in read else "gem.route-of-no-row"))
    return concatenate_results([builder.result(), *results])


def _trackers_of(file: SourceFile) -> list[Tracker]:
    """Return the sheets of a file that hold a tracker; of a file without any its one table, for its problems."""
    tables = file.tables()
    return [table for table in tables if _is_tracker(table.header)] or [file.table()]


def _is_tracker(header: Sequence[str]) -> bool:
    return all(name in columns_by_field(header, COLUMNS) for name in REQUIRED)


def _read_routes(features: GeoJsonRows, file: SourceFile, builder: RecordBuilder) -> Iterator[_PipelineRoute]:
    # GEM names the file of a single route by the number.
    named = file.stem if re.fullmatch(r"P[0-9]{3,}", file.stem) else ""
    for feature in features:
        builder.rows += 1
        location = SourceLocation(features.file, feature.number)
        number = feature.cells.get("ProjectID", "").strip() or named
        if not number:
            builder.add_problem(location, "route", "ProjectID", MISSING, Message("gem.pipeline-number"))
        elif feature.geometry is None:
            builder.skip(Message("gem.no-route"))
        else:
            yield _PipelineRoute(number, location, feature.geometry)
    builder.add_unreadable_rows(features.problems)


def _routes_in_one_file(routes: Sequence[_PipelineRoute], builder: RecordBuilder) -> list[_PipelineRoute]:
    """Return the routes of pipelines that a single file holds; a second file's route of a pipeline is a problem."""
    accepted: list[_PipelineRoute] = []
    first: dict[str, str] = {}
    for route in routes:
        file = first.setdefault(route.number, route.location.file)
        if file == route.location.file:
            accepted.append(route)
        else:
            expected = Message("gem.route-in-one-file", {"file": file})
            builder.add_problem(route.location, f"route {route.number}", "ProjectID", route.number, expected)
    return accepted


def _by_number(routes: Sequence[_PipelineRoute]) -> dict[str, str]:
    """Return the route of each pipeline, joined from all its features, as WKT in lon/lat degrees."""
    shapes: dict[str, list[BaseGeometry]] = {}
    for route in routes:
        shapes.setdefault(route.number, []).append(route.geometry)
    return {
        number: _wkt(parts[0] if len(parts) == 1 else shapely.GeometryCollection(parts))
        for number, parts in shapes.items()
    }


def _wkt(shape: BaseGeometry | None) -> str:
    return "" if shape is None else shapely.to_wkt(lines_of(shape), rounding_precision=9)


def read_any(files: Sequence[SourceFile], options: LoadOptions) -> ReadResult:
    """Read files of both kinds, each by its own columns."""
    tables = [file for file in files if ownership_tables.FORMAT.recognises(file.sniff())]
    trackers = [file for file in files if file not in tables]
    readings = [read_trackers(trackers, options)] if trackers else []
    return concatenate_results([*readings, *([ownership_tables.read(tables, options)] if tables else [])])


def _recognises(sniff: FileSniff) -> bool:
    columns = [sniff.columns, *sniff.sheets.values()]
    telling = {name.casefold() for name in _SIGNATURE_COLUMNS}
    if any(_is_tracker(header) and telling & {name.casefold() for name in header} for header in columns):
        return True
    return sniff.container == "json" and "ProjectID" in sniff.columns and "features" in sniff.keys


TRACKER = Format(
    name="gem-tracker",
    title="Global Energy Monitor: trackers of pipelines, terminals and plants, with their routes",
    provides="assets, their owners, stakes",
    licence="CC BY 4.0",
    recognises=_recognises,
    read=read_trackers,
    signature="an owner column beside one of " + ", ".join(_SIGNATURE_COLUMNS) + "; GeoJSON with ProjectID",
)
GEM = Format(
    name="gem",
    title="Global Energy Monitor: whichever of its files",
    provides="assets, entities, stakes",
    licence="CC BY 4.0",
    recognises=lambda head: False,
    read=read_any,
    signature="never: its two kinds are known by themselves",
)
