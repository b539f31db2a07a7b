"""Routes of pipelines: which file's route a pipeline takes, and what the others say, kept as claims.

The newest route counts. A file is as old as the last ISO date in its name; of files without one a route beside the
tracker counts for rows that have none of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import shapely
from shapely.geometry.base import BaseGeometry

from layers.model.messages import Message
from layers.model.problems import MISSING, SourceLocation
from layers.model.records import Source
from layers.model.types import short_wkt
from layers.sources.files.features import GeoJsonRows
from layers.sources.files.source_file import SourceFile
from layers.sources.gem.columns import FIELDS, TrackerRow, folded
from layers.sources.gem.record_builder import GemRecordBuilder, shape_of_text, source_of
from layers.sources.reader.cell_values import lines_of
from layers.sources.reader.record_builder import RecordBuilder

#: GEM's number of a pipeline, alone or in the name of a file between other signs.
_NUMBER = re.compile(r"P[0-9]{3,}", re.IGNORECASE)
_NUMBER_IN_NAME = re.compile(r"(?<![A-Za-z0-9])P[0-9]{3,}(?![A-Za-z0-9])", re.IGNORECASE)
#: Most letters of the value of a claim.
_CLAIM_LENGTH = 2000
#: Degrees that no place on earth is written with.
_EARTH = 1000.0


@dataclass(frozen=True, slots=True)
class Route:
    """A route of one file: WKT in lon/lat degrees, the file as a source, and where its first feature stands."""

    wkt: str
    source: Source
    location: SourceLocation


#: No routes beside the tracker.
NO_ROUTES: Mapping[str, Sequence[Route]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class RouteFeature:
    """A feature of a file of routes: the number of its pipeline, its place, its geometry in lon/lat degrees."""

    number: str
    location: SourceLocation
    geometry: BaseGeometry


def route_of(own: str, source: Source, beside: Sequence[Route]) -> str:
    """Return the route that a pipeline takes.

    ``own``: the text in its row, which may be empty. ``source``: the file of the row. ``beside``: routes of other
    files.
    """
    newest = max(beside, key=lambda route: route.source.published or "", default=None)
    if newest is None:
        return own
    is_newer = (newest.source.published or "") > (source.published or "")
    return newest.wkt if not own or is_newer else own


def course_of(text: str) -> str:
    """Return the corners of a route as a text, to five decimals, whichever end it begins with; empty for no lines."""
    try:
        shape = lines_of(shape_of_text(text)) if text else None
    except (shapely.errors.ShapelyError, ValueError):
        return ""
    if shape is None or shape.geom_type not in ("LineString", "MultiLineString"):
        return ""
    parts = (shapely.get_coordinates(part).round(5).tolist() for part in shapely.get_parts(shape))
    return repr(sorted(min(part, part[::-1]) for part in parts))


def numbers_by_course(routes: Mapping[str, Sequence[Route]]) -> Mapping[str, str]:
    """Return the number of the pipeline of each course that one pipeline alone has, see `course_of`."""
    found: dict[str, set[str]] = {}
    for number, several in routes.items():
        for route in several:
            found.setdefault(course_of(route.wkt), set()).add(number)
    return {course: numbers.pop() for course, numbers in found.items() if course and len(numbers) == 1}


def add_claims(builder: GemRecordBuilder, row: TrackerRow, asset: str, beside: Sequence[Route]) -> None:
    """Add what each file says of the route of an asset as a claim, where they are several and differ."""
    stated = [(row["wkt"], builder.source, builder.location(row.line))] if row["wkt"] else []
    stated += [(route.wkt, route.source, route.location) for route in beside]
    values = [(claimed_route(wkt), source, location) for wkt, source, location in stated]
    if len({value for value, _, _ in values}) < 2:
        return
    for number, (value, source, location) in enumerate(values, 1):
        builder.tables["sources"].setdefault(source.id, source)
        claim = {
            "id": f"{asset}/geometry/{number}",
            "record": asset,
            "field": "geometry",
            "value": value,
            "source": source.id,
            "checked": "read",
        }
        builder.add("claims", claim, location)


def claimed_route(text: str) -> str:
    """Return a route as the value of a claim: WKT of five decimals, simplified as far as its length needs.

    A text that is no geometry, or is beyond the earth, is returned as it is, cut to that length.
    """
    try:
        shape = lines_of(shape_of_text(text))
    except (shapely.errors.ShapelyError, ValueError):
        return text[:_CLAIM_LENGTH]
    # To simplify a line to 1e308 degrees, which nothing has refused yet, would never end.
    if max(map(abs, shape.bounds)) > _EARTH:
        return text[:_CLAIM_LENGTH]
    return short_wkt(shape, 5, _CLAIM_LENGTH)


def read_routes(features: GeoJsonRows, file: SourceFile, builder: RecordBuilder) -> Iterator[RouteFeature]:
    """Yield the routes of a file of features; one without a number is a problem, one without a geometry is skipped."""
    for feature in features:
        builder.rows += 1
        location = SourceLocation(features.file, feature.number)
        number = _number_of(feature.cells, file.stem)
        if not number:
            builder.add_problem(location, "route", "ProjectID", MISSING, Message("gem.pipeline-number"))
        elif feature.geometry is None:
            builder.skip(Message("gem.no-route"))
        else:
            yield RouteFeature(number, location, feature.geometry)
    builder.add_unreadable_rows(features.problems)


def _number_of(cells: Mapping[str, str], stem: str) -> str:
    """Return the number of a route's pipeline: of a property for it, of any that holds one, or of the file's name."""
    by_name = {folded(name): value.strip() for name, value in cells.items()}
    named = next((by_name[name] for name in FIELDS["id"] if by_name.get(name)), "")
    if named:
        return named.upper() if _NUMBER.fullmatch(named) else named
    other = next((value for value in by_name.values() if _NUMBER.fullmatch(value)), "")
    return (other or _number_in_name(stem)).upper()


def _number_in_name(name: str) -> str:
    match = _NUMBER_IN_NAME.search(name.replace("_", " "))
    return match[0] if match else ""


def has_number(name: str) -> bool:
    """Whether a file's name has the number of a pipeline, as `P0763.geojson`."""
    return bool(_number_in_name(name))


def routes_by_number(
    features: Sequence[RouteFeature], sources: Mapping[str, Source], builder: RecordBuilder
) -> dict[str, list[Route]]:
    """Return the routes of each pipeline, each joined from all its features in one file.

    Two files of one day with a route of one pipeline are a problem of the second, as neither is the newer one.
    """
    parts: dict[str, dict[str, list[RouteFeature]]] = {}
    for feature in features:
        files = parts.setdefault(feature.number, {})
        same_day = next(
            (file for file in files if sources[file].published == sources[feature.location.file].published), None
        )
        if same_day not in (None, feature.location.file):
            expected = Message("gem.route-in-one-file", {"file": same_day})
            record = f"route {feature.number}"
            builder.add_problem(feature.location, record, "ProjectID", feature.number, expected)
            continue
        files.setdefault(feature.location.file, []).append(feature)
    return {number: [_joined(group, sources[file]) for file, group in files.items()] for number, files in parts.items()}


def _joined(features: Sequence[RouteFeature], source: Source) -> Route:
    shapes = [feature.geometry for feature in features]
    whole = shapes[0] if len(shapes) == 1 else shapely.GeometryCollection(shapes)
    return Route(wkt_of(whole), source, features[0].location)


def wkt_of(shape: BaseGeometry | None) -> str:
    """Return the lines of a geometry as WKT, empty for none."""
    return "" if shape is None else shapely.to_wkt(lines_of(shape), rounding_precision=9)


def sources_of(files: Sequence[SourceFile], dataset: str | None, licence: str | None) -> dict[str, Source]:
    """Return the source record of each file of routes by the file's name."""
    return {file.name: source_of(file.name, dataset, *([licence] if licence else [])) for file in files}
