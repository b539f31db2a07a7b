"""The formats of Global Energy Monitor: trackers as CSV, xlsx or GeoJSON, their routes, and ownership tables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import shapely
from shapely.geometry.base import BaseGeometry

from layers.model.problems import Problem
from layers.model.read_result import Place, Reading
from layers.sources.files.geojson_features import FeatureRows
from layers.sources.files.limits import Refused
from layers.sources.files.sniffing import Head
from layers.sources.files.source_file import SourceFile
from layers.sources.gem import ownership_tables
from layers.sources.gem.columns import gem_id
from layers.sources.gem.trackers import COLUMNS, REQUIRED, Tracker, parse
from layers.sources.reader.asset_geometry import lines_of
from layers.sources.reader.format import Format, Request
from layers.sources.reader.headers import columns_of
from layers.sources.reader.record_builder import Gathered, joined

#: Columns that only GEM's files have: one of them must be there for a file to be taken for a tracker.
_TELLING = (
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

    rows: FeatureRows
    file: str
    header: tuple[str, ...]
    problems: list[Problem] = field(default_factory=list)

    def __iter__(self) -> Iterator[tuple[int, Mapping[str, str]]]:
        for feature in self.rows:
            yield feature.number, {**feature.cells, "WKTFormat": _wkt(feature.geometry)}
        self.problems[:] = self.rows.problems


@dataclass(frozen=True, slots=True)
class _Route:
    """A route: the number of its pipeline, where it stands, its geometry."""

    number: str
    place: Place
    geometry: BaseGeometry


def read_trackers(files: Sequence[SourceFile], request: Request) -> Reading:
    """Read trackers, and GeoJSON files of routes for their rows, joined by the property ProjectID.

    Several features of one pipeline in one file are its parts; a row that has a route of its own keeps it. A route
    of no row, and one without a geometry, is skipped.
    """
    tables: list[Tracker] = []
    gathered = Gathered(request.dataset)
    routes: list[_Route] = []
    for file in files:
        if file.head().container == "json":
            features = FeatureRows(file)
            if _is_tracker(features.header):
                tables.append(_Features(features, file.name, (*features.header, "WKTFormat")))
            else:
                routes += _read_routes(features, file, gathered)
        else:
            tables += _trackers_of(file)
    if not tables:
        raise Refused(files[0].name, "format", "routes only", "a tracker beside them, whose rows have the ids")
    routes = _of_one_file(routes, gathered)
    by_number = _by_number(routes)
    readings = [parse(table, request.dataset, request.licence, by_number) for table in tables]
    read = {key for reading in readings for key in reading.records.assets}
    for route in routes:
        gathered.skip("a route of a row" if gem_id(route.number) in read else "a route of no row that was read")
    return joined([gathered.reading(), *readings])


def _trackers_of(file: SourceFile) -> list[Tracker]:
    """The sheets of a file that hold a tracker; of a file with none its one table, whose faults say what is missing."""
    tables = file.tables()
    return [table for table in tables if _is_tracker(table.header)] or [file.table()]


def _is_tracker(header: Sequence[str]) -> bool:
    return all(name in columns_of(header, COLUMNS) for name in REQUIRED)


def _read_routes(features: FeatureRows, file: SourceFile, gathered: Gathered) -> Iterator[_Route]:
    # GEM names the file of a single route by the number.
    named = file.stem if re.fullmatch(r"P[0-9]{3,}", file.stem) else ""
    for feature in features:
        gathered.rows += 1
        place = Place(features.file, feature.number)
        number = feature.cells.get("ProjectID", "").strip() or named
        if not number:
            gathered.fault(place, "route", "ProjectID", "(missing)", "the number of the pipeline")
        elif feature.geometry is None:
            gathered.skip("no route: the geometry is empty")
        else:
            yield _Route(number, place, feature.geometry)
    gathered.bad_rows(features.problems)


def _of_one_file(routes: Sequence[_Route], gathered: Gathered) -> list[_Route]:
    """Routes but those of pipelines that an earlier file has: which of the two is right is not ours to say."""
    kept: list[_Route] = []
    first: dict[str, str] = {}
    for route in routes:
        file = first.setdefault(route.number, route.place.file)
        if file == route.place.file:
            kept.append(route)
        else:
            expected = f"a pipeline whose route is in one file; it is in {file} too"
            gathered.fault(route.place, f"route {route.number}", "ProjectID", route.number, expected)
    return kept


def _by_number(routes: Sequence[_Route]) -> dict[str, str]:
    """The route of each pipeline, of all its features, as WKT."""
    shapes: dict[str, list[BaseGeometry]] = {}
    for route in routes:
        shapes.setdefault(route.number, []).append(route.geometry)
    return {
        number: _wkt(parts[0] if len(parts) == 1 else shapely.GeometryCollection(parts))
        for number, parts in shapes.items()
    }


def _wkt(shape: BaseGeometry | None) -> str:
    return "" if shape is None else shapely.to_wkt(lines_of(shape), rounding_precision=9)


def read_any(files: Sequence[SourceFile], request: Request) -> Reading:
    """Read files of both kinds, each as what its columns say."""
    tables = [file for file in files if ownership_tables.FORMAT.recognises(file.head())]
    trackers = [file for file in files if file not in tables]
    readings = [read_trackers(trackers, request)] if trackers else []
    return joined([*readings, *([ownership_tables.read(tables, request)] if tables else [])])


def _recognises(head: Head) -> bool:
    columns = [head.columns, *head.sheets.values()]
    telling = {name.casefold() for name in _TELLING}
    if any(_is_tracker(header) and telling & {name.casefold() for name in header} for header in columns):
        return True
    return head.container == "json" and "ProjectID" in head.columns and "features" in head.keys


TRACKER = Format(
    name="gem-tracker",
    title="Global Energy Monitor: trackers of pipelines, terminals and plants, with their routes",
    gives="assets, their owners, stakes",
    licence="CC BY 4.0",
    recognises=_recognises,
    read=read_trackers,
    known_by="an owner column beside one of " + ", ".join(_TELLING) + "; GeoJSON with ProjectID",
)
GEM = Format(
    name="gem",
    title="Global Energy Monitor: whichever of its files",
    gives="assets, entities, stakes",
    licence="CC BY 4.0",
    recognises=lambda head: False,
    read=read_any,
    known_by="never: its two kinds are known by themselves",
)
