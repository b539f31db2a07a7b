"""Reader of OpenStreetMap: Overpass JSON, PBF, and GeoJSON made of them, to assets, owners and operators."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import shapely

from layers.model.problems import Problem
from layers.model.read_result import Place, Reading
from layers.model.types import Basis
from layers.sources.files.geojson_features import FeatureRows
from layers.sources.files.limits import Refused
from layers.sources.files.sniffing import Head
from layers.sources.files.source_file import SourceFile
from layers.sources.osm import geojson, pbf
from layers.sources.osm import tags as osm_tags
from layers.sources.osm.overpass import Elements, Outline
from layers.sources.reader.asset_geometry import fault_of
from layers.sources.reader.format import Format, Request
from layers.sources.reader.named_companies import Named, slug
from layers.sources.reader.record_builder import Gathered

#: How far off an object may be, by its shape. OpenStreetMap gives no metres. Areas and points are drawn over imagery,
#: whose offset is mostly below 20 m (wiki.openstreetmap.org/wiki/Imagery_offset); a point may stand for a whole
#: plant; lines under the ground are drawn between their markers. The metres are ours.
UNCERTAINTY: Mapping[str, tuple[float, Basis]] = {
    "Polygon": (50.0, "site"),
    "MultiPolygon": (50.0, "site"),
    "GeometryCollection": (100.0, "site"),
    "Point": (500.0, "site"),
    "MultiPoint": (500.0, "site"),
    "LineString": (500.0, "site"),
    "MultiLineString": (500.0, "site"),
}
LICENCE = "ODbL-1.0"
_PUBLISHER = "OpenStreetMap contributors"


def read(files: Sequence[SourceFile], request: Request) -> Reading:
    """Read objects with a tag of energy: an asset each.

    An operator is a relation and never a stake; an owner has a stake of 0 to 100, as no share is given. What has no
    kind here (a valve, a substation of the grid, a water main, a plant that is disused) is skipped with its tag. Of a
    PBF file only objects with a tag that assets have are rows.
    """
    found = Gathered(request.dataset)
    for file in files:
        head = file.head()
        if head.container == "pbf":
            with file.unpacked() as path:
                every, day = pbf.elements(path, file.name)
            _read_elements(_Assets(found, file, request, day), Elements.of(every))
        elif "elements" in head.keys:
            document = file.json()
            elements = _list(document, file)
            _require_whole(found, document, file)
            _read_elements(_Assets(found, file, request, _day(document)), Elements.of(elements))
        else:
            _read_features(_Assets(found, file, request, None), FeatureRows(file))
    return found.reading()


def _list(document: Any, file: SourceFile) -> list[Any]:
    elements = document.get("elements") if isinstance(document, dict) else None
    if not isinstance(elements, list):
        raise Refused(file.name, "elements", "(missing)", "the list of elements that Overpass answers (out geom)")
    return elements


def _require_whole(found: Gathered, document: Mapping[str, Any], file: SourceFile) -> None:
    """Overpass answers with what it has when its time or memory is up, and says so in a remark."""
    remark = str(document.get("remark", ""))
    if "error" in remark.casefold():
        expected = "a whole answer: ask for less, or for longer"
        found.take([Problem(file.name, None, "file", "remark", remark[:120], expected)])


def _day(document: Mapping[str, Any]) -> str | None:
    """Day of the data of Overpass."""
    stamp = document.get("osm3s")
    text = str(stamp.get("timestamp_osm_base", "")) if isinstance(stamp, dict) else ""
    return text[:10] if _STAMP.match(text) else None


_STAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T")


def _read_elements(assets: _Assets, elements: Elements) -> None:
    for number, element in elements.tagged():
        tags = element.get("tags") if isinstance(element, dict) else None
        if not isinstance(tags, dict) or not all(isinstance(value, str) for value in tags.values()):
            assets.reject(number, "element", "tags", element, "an element of OpenStreetMap with tags as text")
        elif kind := assets.kind_of(tags):
            outline = _outline(elements, element, kind)
            assets.add(f"{element.get('type')}/{element.get('id')}", kind, tags, outline, number)


def _outline(elements: Elements, element: Mapping[str, Any], kind: str) -> Outline:
    try:
        return elements.outline(element, is_line=kind == "pipeline")
    except (TypeError, ValueError, shapely.errors.ShapelyError):
        return Outline(None)


def _read_features(assets: _Assets, features: FeatureRows) -> None:
    for feature in features:
        whole = features.features[feature.number - 1]
        properties = whole.get("properties")
        tags = geojson.tags_of(properties if isinstance(properties, dict) else {})
        if kind := assets.kind_of(tags):
            reference = geojson.reference_of(whole, feature.geometry)
            outline = Outline(feature.geometry, geojson.missing_of(whole))
            assets.add(reference, kind, tags, outline, feature.number)
    assets.bad_rows(features.problems)


class _Assets:
    """Adds assets of one file to a reading."""

    def __init__(self, found: Gathered, file: SourceFile, request: Request, day: str | None) -> None:
        self._found, self._file = found, file.name
        self._source = f"{request.dataset}/{slug(file.name)[:60] or 'file'}"
        values = {
            "id": self._source,
            "url": "https://www.openstreetmap.org/copyright",
            "publisher": _PUBLISHER,
            "title": f"OpenStreetMap, {file.name}",
            "published": day,
            "retrieved": request.retrieved,
            "licence": request.licence or LICENCE,
        }
        found.add("sources", values, Place(file.name, 1))
        self._named = Named(found, "osm", self._source, "OpenStreetMap")

    def kind_of(self, tags: Mapping[str, str]) -> str | None:
        """Count an object and tell its kind; one that has none is skipped."""
        self._found.rows += 1
        kind, why = osm_tags.kind_of(tags)
        if kind is None:
            self._found.skip(why)
        return kind

    def reject(self, number: int, record: str, column: str, value: object, expected: str) -> None:
        """Count an object that is none, and say why."""
        self._found.rows += 1
        self._found.fault(Place(self._file, number), record, column, value, expected)

    def bad_rows(self, problems: Sequence[Problem]) -> None:
        """Count features that are none."""
        self._found.bad_rows(problems)

    def add(self, reference: str, kind: str, tags: Mapping[str, str], outline: Outline, number: int) -> None:
        """Add one asset with its owners and operators."""
        place = Place(self._file, number)
        if not re.fullmatch("(node|way|relation)/[0-9]+", reference):
            expected = "a node, way or relation with its number"
            self._found.fault(place, "element", "type, id", reference or "(missing)", expected)
            return
        name, spoken, aliases = osm_tags.names_of(tags)
        megawatts = osm_tags.megawatts(tags)
        ids = {"osm": reference, "wikidata": tags.get("wikidata", ""), "gppd": tags.get("gppd_idnr", "")}
        values: dict[str, Any] = {
            "id": f"osm/{reference}",
            "name": name or f"{kind} without a name ({reference})",
            "names": spoken,
            "aliases": aliases,
            "kind": kind,
            "commodity": osm_tags.commodity_of(tags),
            "capacity": megawatts,
            "capacity_unit": "MW" if megawatts is not None else None,
            "external_ids": {scheme: value for scheme, value in ids.items() if value},
            "sources": (self._source,),
            "checked": "read",
            "note": f"OpenStreetMap: {', '.join(told)}" if (told := osm_tags.standing(tags)) else None,
        }
        where = self._where(_usable(outline, kind, reference), reference, place)
        if self._found.add("assets", {**values, **where}, place):
            self._holders(f"osm/{reference}", tags, place)

    def _where(self, outline: Outline, reference: str, place: Place) -> dict[str, Any]:
        """The place of an asset; of one that cannot be right only the place is lost."""
        shape, record = outline.geometry, f"asset osm/{reference}"
        if shape is None or shape.is_empty:
            expected = "coordinates: ask Overpass with `out geom`, or with `out body; >; out skel`"
            self._found.fault(place, record, "geometry", "(missing)", expected)
            return {}
        shape = shape if shape.is_valid else shapely.make_valid(shape)
        if why := fault_of(shape):
            self._found.fault(place, record, "geometry", shapely.to_wkt(shape), why)
            return {}
        if outline.missing:
            self._found.fault(place, record, "geometry", f"without {outline.missing}", "all of its nodes and members")
        uncertainty_m, basis = UNCERTAINTY[shape.geom_type]
        return {"geometry": shape, "uncertainty_m": uncertainty_m, "basis": basis, "place_source": self._source}

    def _holders(self, asset: str, tags: Mapping[str, str], place: Place) -> None:
        for name, item in osm_tags.holders(tags, "owner"):
            self._named.stake(asset, self._named.entity(name, place, item), place)
        for name, item in osm_tags.holders(tags, "operator"):
            self._named.operator(asset, self._named.entity(name, place, item), place)


def _usable(outline: Outline, kind: str, reference: str) -> Outline:
    """An outline, unless it is the middle of a line: that says nothing of where the line runs."""
    is_middle = outline.geometry is not None and outline.geometry.geom_type == "Point"
    return Outline(None) if is_middle and kind == "pipeline" and not reference.startswith("node/") else outline


def _recognises(head: Head) -> bool:
    if head.container == "pbf":
        return True
    if head.container != "json":
        return False
    told = head.text[:2000].casefold()
    elements = "elements" in head.keys and ("osm3s" in head.keys or "overpass" in told or "openstreetmap" in told)
    columns = set(head.columns)
    features = bool({"@id", "osm_id", "full_id", "osm_way_id"} & columns) or {"tags", "meta", "relations"} <= columns
    return elements or ("features" in head.keys and features)


FORMAT = Format(
    name="osm",
    title="OpenStreetMap: Overpass JSON, PBF, GeoJSON with osm_id or @id",
    gives="assets, their owners and operators",
    licence=LICENCE,
    recognises=_recognises,
    read=read,
    known_by="a PBF header, elements of Overpass or of the API, or a property @id, full_id, osm_id or osm_way_id",
)
