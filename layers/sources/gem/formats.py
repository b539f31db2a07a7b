"""The formats of Global Energy Monitor: trackers as CSV, xlsx or GeoJSON, their routes, and ownership tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from layers.model.messages import Message
from layers.model.problems import Problem, ReadResult
from layers.sources.files.features import GeoJsonRows
from layers.sources.files.limits import FileRefused
from layers.sources.files.sniffing import FileSniff
from layers.sources.files.source_file import SourceFile
from layers.sources.gem import ownership_tables
from layers.sources.gem.columns import EMPTY, TrackerColumns, folded
from layers.sources.gem.record_builder import (
    RouteFeature,
    gem_id,
    is_gem_number,
    number_in_name,
    read_routes,
    routes_by_number,
    source_of,
    wkt_of,
)
from layers.sources.gem.trackers import Tracker, parse_tables
from layers.sources.reader.format import Format, LoadOptions
from layers.sources.reader.record_builder import RecordBuilder, concatenate_results

#: A page of GEM's wiki, which no other publisher's table gives for its rows.
_WIKI = "gem.wiki/"
#: The column that a feature's geometry is read from.
_WKT = "WKTFormat"


_Cells = Mapping[str, str]


@dataclass
class _Rows:
    """Rows of a tracker that are no rows of a table as they are: features, or rows with what another sheet says."""

    file: str
    header: tuple[str, ...]
    rows: Iterable[tuple[int, _Cells]]
    problems: list[Problem]

    def __iter__(self) -> Iterator[tuple[int, _Cells]]:
        return iter(self.rows)


# Routes far off the globe are faults of their row, and GEOS measures them before they are seen.
@np.errstate(over="ignore", invalid="ignore")
def read_trackers(files: Sequence[SourceFile], options: LoadOptions) -> ReadResult:
    """Read trackers, and GeoJSON files of routes for their rows, joined by the number of the pipeline.

    Several features of one pipeline in one file are its parts. A row that has a route of its own keeps it, unless a
    file of a later day has another; each is then a claim. A route of no row, and one without a geometry, is skipped.
    """
    tables: list[Tracker] = []
    builder = RecordBuilder(options.dataset)
    features: list[RouteFeature] = []
    for file in files:
        if file.sniff().container == "json":
            rows = GeoJsonRows(file)
            if TrackerColumns.of(rows.header).is_tracker or _is_of_gem(file.sniff(), rows.header):
                found = ((one.number, {**one.cells, _WKT: wkt_of(one.geometry)}) for one in rows)
                tables.append(_Rows(file.name, (*rows.header, _WKT), found, rows.problems))
            else:
                features += read_routes(rows, file, builder)
        else:
            # Of a file without a tracker its one table is read, for its problems.
            tables += [one for one in file.tables() if TrackerColumns.of(one.header).is_tracker] or [file.table()]
    if not tables:
        raise FileRefused(files[0].name, "format", Message("gem.routes-only"), Message("gem.tracker-beside"))
    licence = [options.licence] if options.licence else []
    sources = {file.name: source_of(file.name, options.dataset, *licence) for file in files}
    routes = routes_by_number(features, sources, builder)
    joined, count = joined_sheets(tables)
    builder.rows += count
    for _ in range(count):
        builder.skip(Message("gem.row-joined"))
    result = parse_tables(joined, options.dataset, options.licence, routes)
    rejected = {(problem.file, problem.row) for problem in builder.result().problems}
    for feature in features:
        if (feature.location.file, feature.location.row) not in rejected:
            of_row = gem_id(feature.number) in result.records.assets
            builder.skip(Message("gem.route-of-row" if of_row else "gem.route-of-no-row"))
    return concatenate_results([builder.result(), result])


def read_any(files: Sequence[SourceFile], options: LoadOptions) -> ReadResult:
    """Read files of both kinds, each by its own columns."""
    tables = [file for file in files if ownership_tables.FORMAT.recognises(file.sniff())]
    trackers = [file for file in files if file not in tables]
    readings = [read_trackers(trackers, options)] if trackers else []
    return concatenate_results([*readings, *([ownership_tables.read(tables, options)] if tables else [])])


def _recognises(sniff: FileSniff) -> bool:
    headers = [sniff.columns, *sniff.sheets.values()]
    if any(TrackerColumns.of(header).is_tracker or _is_of_gem(sniff, header) for header in headers):
        return True
    return sniff.container == "json" and "features" in sniff.keys and _is_of_routes(sniff)


def _is_of_gem(sniff: FileSniff, header: Sequence[str]) -> bool:
    """Whether a table gives pages of GEM's wiki for what it names and says something of."""
    columns = TrackerColumns.of(header)
    said = sum(field in columns for field in ("owner", "parent", "status", "capacity", "countries"))
    return _WIKI in sniff.text and "name" in columns and "url" in columns and said >= 2


def _is_of_routes(sniff: FileSniff) -> bool:
    """Whether features have a number of a pipeline for their property, or their file one in its name."""
    names = {folded(name) for name in sniff.columns}
    return bool(names & {"projectid", "pipelineid", "gemprojectid", "gempipelineid"} or number_in_name(sniff.name))


TRACKER = Format(
    name="gem-tracker",
    title="Global Energy Monitor: trackers of pipelines, terminals and plants, with their routes",
    provides="assets, their owners, stakes",
    licence="CC BY 4.0",
    recognises=_recognises,
    read=read_trackers,
    signature="a name with owner, parent, status or capacity, beside GEM's columns of units, numbers or wiki pages; "
    "GeoJSON routes by ProjectID, or P0763 in the file's name",
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


#: The name of the column that tells several rows of a plant apart: by their status.
_UNIT = "Unit name"
_PLACES = ("lat", "latlon", "wkt")
#: Words that do not take the place of what the other sheet says.
_SAYS_NOTHING = EMPTY | {"unknown"}


def joined_sheets(tables: Sequence[Tracker]) -> tuple[list[Tracker], int]:
    """Return tables in which rows of capacities have what another table says of their plants, and how many it said.

    A table that says what plants are has their numbers and owners or places, and no status; one of their capacities
    has their numbers and a status, and neither owners nor places. Rows of the first whose plant the second has are
    joined to its rows, and left out.
    """
    columns = [TrackerColumns.of(table.header) for table in tables]
    plants = next((n for n, found in enumerate(columns) if _is_one_of(found, says_what=True)), None)
    capacities = next((n for n, found in enumerate(columns) if _is_one_of(found, says_what=False)), None)
    if plants is None or capacities is None:
        return list(tables), 0
    number_column, own_number = columns[plants].fields["plant_id"][0], columns[capacities].fields["plant_id"][0]
    said = [(line, cells, cells.get(number_column, "").strip()) for line, cells in tables[plants]]
    rows = [(line, cells, cells.get(own_number, "").strip()) for line, cells in tables[capacities]]
    by_number = {number: cells for _, cells, number in reversed(said) if is_gem_number(number)}
    counts = Counter(number for _, _, number in rows)
    status = columns[capacities].fields["status"][0]
    units = {number for number, count in counts.items() if count > 1 and "unit" not in columns[capacities]}
    joined = [
        (line, _joined(cells, by_number.get(number, {}), status if number in units else None))
        for line, cells, number in rows
    ]
    left = [(line, cells) for line, cells, number in said if number not in counts or number not in by_number]
    header = dict.fromkeys((*tables[capacities].header, *tables[plants].header, _UNIT))
    result = list(tables)
    result[capacities] = _Rows(tables[capacities].file, tuple(header), joined, tables[capacities].problems)
    result[plants] = _Rows(tables[plants].file, tables[plants].header, left, tables[plants].problems)
    return result, len(said) - len(left)


def _is_one_of(columns: TrackerColumns, *, says_what: bool) -> bool:
    """Whether a table has numbers of plants with whose or where they are, or else with their status, and not both."""
    says = "owner" in columns or any(name in columns for name in _PLACES)
    return "plant_id" in columns and says is says_what and ("status" in columns) is not says_what


def _joined(cells: _Cells, plant: _Cells, status: str | None) -> _Cells:
    """Return the cells of a row, and those of its plant where it has none; several rows are called by their status."""
    filled = {name: text for name, text in cells.items() if text.strip().casefold() not in _SAYS_NOTHING}
    unit = {_UNIT: cells.get(status, "")} if status else {}
    return {**plant, **unit, **filled}
