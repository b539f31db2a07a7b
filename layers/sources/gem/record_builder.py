"""Record builder of GEM files: ids, sources, entities by their spellings, locations, and the routes of pipelines.

Of several routes of a pipeline the newest counts, and what the others say is kept as claims. A file is as old as the
last ISO date in its name; of files without one a route beside the tracker counts for rows that have none of their own.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geo.spatial_join.geodesic_distance import wgs84
from layers.model.messages import Message
from layers.model.problems import MISSING, ReadResult, SourceLocation
from layers.model.records import Source
from layers.model.types import Basis, geometry_of_wkt, short_wkt
from layers.sources.files.features import GeoJsonRows
from layers.sources.files.source_file import SourceFile
from layers.sources.gem.columns import FIELDS, TrackerRow, folded
from layers.sources.reader.cell_values import CellValueError, geometry_fault, lines_of
from layers.sources.reader.owner_grammar import Holder, Owner
from layers.sources.reader.record_builder import RecordBuilder, company_id, slug

_ENDINGS = (".gz", ".csv", ".xlsx", ".geojson", ".json")


def name_id(name: str) -> str:
    """Return the id of an entity that GEM knows by name only, the same in every file."""
    return company_id("gem", name)


def gem_id(identifier: str) -> str:
    """Return the id of a record that GEM numbers, such as P0763 or E100000000834."""
    return f"gem/{slug(identifier)}"


_GEM_NUMBER = re.compile(r"[A-Za-z]{1,4}[0-9]+")


def is_gem_number(text: str) -> bool:
    """Whether a text is a number as GEM gives them, such as P0763 or OG0000001: letters before digits."""
    return _GEM_NUMBER.fullmatch(text) is not None


PUBLISHER = "Global Energy Monitor"
LICENCE = "CC BY 4.0"

#: BODS entity types of GEM's words for owners it does not name.
_TYPES: dict[Holder, str] = {
    "named": "legalEntity", "unknown": "unknownEntity", "other": "unknownEntity",
    "small-shareholders": "unknownEntity", "natural-persons": "anonymousEntity", "members": "anonymousEntity",
}  # fmt: skip


class GemRecordBuilder(RecordBuilder):
    """Record builder of one file or sheet, with a dataset (by default of the file's own) and a licence (GEM's)."""

    def __init__(self, file: str, dataset: str | None = None, licence: str | None = None) -> None:
        self.source = source_of(file, dataset, licence or LICENCE)
        super().__init__(self.source.dataset)
        self.file = file
        self.tables["sources"][self.source.id] = self.source
        self._spellings: dict[str, dict[str, int]] = defaultdict(dict)
        self._owners: dict[str, Owner] = {}

    def location(self, row: int) -> SourceLocation:
        """Return the location of a row of the file."""
        return SourceLocation(self.file, row)

    def add_row_problem(self, row: int, record: str, column: str, value: object, expected: Message) -> None:
        """Add the problem of a row."""
        self.add_problem(self.location(row), record, column, value, expected)

    def add_stake(
        self,
        row: int,
        owned: str,
        owner: str,
        share: tuple[float, float],
        note: str | None,
        number: int = 1,
        **more: Any,
    ) -> bool:
        """Add a stake from the least to the largest share in percent; ``number`` tells those of one owner apart."""
        values = {
            "id": f"{owned}>{owner.removeprefix('gem/')}" + (f"/{number}" if number > 1 else ""),
            "owned": owned,
            "owner": owner,
            "share_min": share[0],
            "share_max": share[1],
            "source": self.source.id,
            "checked": "read",
            "note": note,
            **more,
        }
        return self.add("stakes", values, self.location(row))

    def add_owner(self, row: int, owner: Owner, identifier: str | None = None) -> str:
        """Register a holder by its GEM id or else by name, "unknown" if that is empty; return the id of its entity."""
        key = gem_id(identifier) if identifier else name_id(owner.name or "unknown")
        self._spellings[key].setdefault(owner.name or "unknown", row)
        self._owners.setdefault(key, owner)
        return key

    def result(self) -> ReadResult:
        """Return all records and problems; the first spelling of an entity is its name, the others are aliases."""
        for key, spellings in self._spellings.items():
            if not self.has("entities", key):
                (name, row), *aliases = spellings.items()
                self.add("entities", self._entity(key, name, tuple(other for other, _ in aliases)), self.location(row))
        return super().result()

    def _entity(self, key: str, name: str, aliases: tuple[str, ...]) -> dict[str, Any]:
        owner = self._owners[key]
        ids = {"lei": owner.tag} if owner.tag and owner.tag != "LEI" else {}
        if not key.startswith("gem/name/"):
            ids["gem"] = key.removeprefix("gem/").upper()
        return {
            "id": key,
            "name": name if owner.holder == "named" else f"{name} (not named by GEM)",
            "aliases": aliases,
            "type": _TYPES[owner.holder],
            "external_ids": ids,
            "sources": (self.source.id,),
            "checked": "unverified",
        }


#: Letters of the name of a file and its sheet that are read; Excel allows a sheet 31.
_MAX_NAME = 500


def source_of(file: str, dataset: str | None = None, licence: str = LICENCE) -> Source:
    """Return the source record of a GEM file, or of its sheet behind "#"; its day is the last ISO date in its name."""
    # A sheet may be called anything, at any length, and so may a file: "#" as well.
    path, _, sheet = file[:_MAX_NAME].partition("#")
    name = path.rpartition("/")[2]
    file, sheet = (name, sheet) if name else (file[:_MAX_NAME], "")
    days = re.findall(r"\d{4}-\d{2}-\d{2}", file)
    stem = file
    while stem.endswith(_ENDINGS):
        stem = stem.rpartition(".")[0]
    parts = (slug(stem)[:90], slug(sheet)[:30])
    key = f"gem/file/{'/'.join(part for part in parts if part)}"
    return Source(
        id=key,
        dataset=dataset or key,
        publisher=PUBLISHER,
        title=f"{file}, {sheet}" if sheet else file,
        language="en",
        published=days[-1] if days else None,
        licence=licence,
    )


#: Metres and basis of each stated accuracy. GEM's words: for routes "low" is a
#: straight line between the ends, "medium" is not straight but not traced, "high" is traced; a point is "exact" or
#: "approximate". The metres are ours: no GEM page gives any. They are wide enough for the two routes we could
#: compare: GEM's lines pass the Orlivka station 9.6 and 19.9 km off.
ACCURACY: Mapping[str, tuple[float, Basis]] = {
    "very high (within meters)": (50.0, "site"), "very high": (50.0, "site"), "high": (1_000.0, "site"),
    "medium": (15_000.0, "district"), "low": (50_000.0, "line-end"), "exact": (500.0, "site"),
    "approximate": (15_000.0, "settlement"),
}  # fmt: skip
#: A point without a stated accuracy.
UNSTATED_POINT: tuple[float, Basis] = (5_000.0, "settlement")
#: A route without a stated accuracy, by its longest straight stretch: maximum stretch and uncertainty in metres, basis.
UNSTATED_ROUTE: tuple[tuple[float, float, Basis], ...] = (
    (5_000.0, 2_000.0, "site"),
    (25_000.0, 10_000.0, "district"),
    (100_000.0, 25_000.0, "line-end"),
    (float("inf"), 50_000.0, "line-end"),
)


@dataclass(frozen=True, slots=True)
class GemLocation:
    """A geometry in lon/lat (OGC:CRS84), the radius in metres that holds the true place, and its basis.

    ``points`` counts parts of a line that have no length; they are left out, as a line of the schema cannot have them.
    """

    geometry: BaseGeometry
    uncertainty_m: float
    basis: Basis
    points: int = 0


# The units of a plant mostly stand at one place, in rows that follow each other.
@lru_cache(maxsize=16)
def read_location(wkt: str, lat: str, lon: str, accuracy: str) -> GemLocation | None:
    """Read WKT or else a pair of degrees, both in lon/lat (OGC:CRS84); ``None`` where both are empty.

    Of a collection only the lines are used: GEM's collections hold the ends of lines as points.

    Raises ``CellValueError`` if the text is no geometry that the schema takes (on the globe, not too large), or no
    numbers.
    """
    shape = _shape(wkt.strip(), lat.strip(), lon.strip())
    if shape is None or shape.is_empty:
        return None
    shape, points = _without_points(lines_of(shape))
    if fault := geometry_fault(shape):
        raise CellValueError(fault)
    uncertainty_m, basis = ACCURACY.get(accuracy.strip().casefold()) or _unstated(shape)
    return GemLocation(shape, uncertainty_m, basis, points)


def _without_points(shape: BaseGeometry) -> tuple[BaseGeometry, int]:
    if shape.geom_type != "MultiLineString":
        return shape, 0
    parts = shapely.get_parts(shape)
    lines = parts[shapely.length(parts) > 0]
    if not 0 < len(lines) < len(parts):
        return shape, 0
    return shapely.MultiLineString(list(lines)), len(parts) - len(lines)


#: Most letters of a pair of degrees in a route.
_PAIR_LENGTH = 100


def shape_of_text(text: str) -> BaseGeometry:
    """Read a geometry from a cell: WKT, GeoJSON, or `lat,lng:lat,lng` with semicolons between parts.

    Raises ``shapely.errors.ShapelyError`` or ``ValueError`` if it is none of these.
    """
    if text.startswith("{"):
        return shapely.force_2d(shapely.from_geojson(text))
    if not text[0].isdigit() and text[0] not in "+-.":
        return shapely.force_2d(geometry_of_wkt(text))
    parts = [[_lonlat(pair) for pair in part.split(":") if pair.strip()] for part in text.split(";") if part.strip()]
    lines = [part for part in parts if len(part) > 1]
    if not lines:
        points = [point for part in parts for point in part]
        return shapely.Point(points[0]) if len(points) == 1 else shapely.MultiPoint(points)
    return shapely.LineString(lines[0]) if len(lines) == 1 else shapely.MultiLineString(lines)


def _lonlat(pair: str) -> tuple[float, float]:
    lat, comma, lon = pair[:_PAIR_LENGTH].partition(",")
    if not comma:
        raise ValueError(f"no pair of degrees: {pair[:40]}")
    return float(lon), float(lat)


def _shape(wkt: str, lat: str, lon: str) -> BaseGeometry | None:
    try:
        if wkt and wkt != "--":
            return shape_of_text(wkt)
        return shapely.Point(float(lon), float(lat)) if lat or lon else None
    except (shapely.errors.ShapelyError, ValueError) as error:
        raise CellValueError(Message("gem.geometry", {"error": str(error)[:80]})) from error


def _unstated(shape: BaseGeometry) -> tuple[float, Basis]:
    if shape.geom_type in ("Point", "MultiPoint"):
        return UNSTATED_POINT
    stretch = longest_stretch_m(shape)
    return next((off, basis) for max_stretch, off, basis in UNSTATED_ROUTE if stretch <= max_stretch)


def longest_stretch_m(shape: BaseGeometry) -> float:
    """Return the length of the longest straight stretch between two vertices of any part.

    ``shape``: geometry in lon/lat degrees (OGC:CRS84).

    Returns metres on the WGS 84 ellipsoid (Karney 2013, by pyproj); 0 for points.
    """
    xy, part = shapely.get_coordinates(shapely.get_parts(shape), return_index=True)
    inside = part[1:] == part[:-1]
    if not inside.any():
        return 0.0
    start, stop = xy[:-1][inside], xy[1:][inside]
    _, _, metres = wgs84().inv(start[:, 0], start[:, 1], stop[:, 0], stop[:, 1])
    return float(np.max(metres))


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
    return (other or number_in_name(stem)).upper()


def number_in_name(name: str) -> str:
    """Return the number of a pipeline in a file's name, as in `P0763.geojson`; empty where there is none."""
    match = _NUMBER_IN_NAME.search(name.replace("_", " "))
    return match[0] if match else ""


def routes_by_number(
    features: Sequence[RouteFeature], sources: Mapping[str, Source], builder: RecordBuilder
) -> dict[str, list[Route]]:
    """Return the routes of each pipeline, each joined from all its features in one file.

    Two files of one day with a route of one pipeline are a problem of the second, as neither is the newer one.
    """
    parts: dict[str, dict[str, list[RouteFeature]]] = {}
    for feature in features:
        files, own = parts.setdefault(feature.number, {}), feature.location.file
        same_day = next((file for file in files if sources[file].published == sources[own].published), own)
        if same_day == own:
            files.setdefault(own, []).append(feature)
        else:
            expected = Message("gem.route-in-one-file", {"file": same_day})
            builder.add_problem(feature.location, f"route {feature.number}", "ProjectID", feature.number, expected)
    return {number: [_joined(group, sources[file]) for file, group in files.items()] for number, files in parts.items()}


def _joined(features: Sequence[RouteFeature], source: Source) -> Route:
    shapes = [feature.geometry for feature in features]
    whole = shapes[0] if len(shapes) == 1 else shapely.GeometryCollection(shapes)
    return Route(wkt_of(whole), source, features[0].location)


def wkt_of(shape: BaseGeometry | None) -> str:
    """Return the lines of a geometry as WKT, empty for none."""
    return "" if shape is None else shapely.to_wkt(lines_of(shape), rounding_precision=9)
