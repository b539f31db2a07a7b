"""Reader of OpenStreetMap: Overpass JSON, PBF, and GeoJSON derived from them, to assets, owners and operators."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import shapely

from layers.model.messages import Message
from layers.model.problems import MISSING, Problem, ReadResult, SourceLocation
from layers.model.types import Basis
from layers.sources.files.features import GeoJsonRows
from layers.sources.files.limits import FileRefused
from layers.sources.files.sniffing import FileSniff
from layers.sources.files.source_file import SourceFile
from layers.sources.osm import tags as osm_tags
from layers.sources.osm.elements import Elements, Outline, missing_of, read_pbf, reference_of, tags_of
from layers.sources.reader.cell_values import geometry_fault
from layers.sources.reader.format import Format, LoadOptions
from layers.sources.reader.record_builder import CompaniesByName, RecordBuilder, slug

#: How far off an object may be, by its shape. OpenStreetMap gives no metres. Areas and points are drawn over imagery,
#: whose offset is mostly below 20 m (wiki.openstreetmap.org/wiki/Imagery_offset); a point may stand for a whole
#: plant; lines under the ground are drawn between their markers. The metres are ours.
UNCERTAINTY: Mapping[str, tuple[float, Basis]] = {
    "Polygon": (50.0, "site"), "MultiPolygon": (50.0, "site"), "GeometryCollection": (100.0, "site"),
    "Point": (500.0, "site"), "MultiPoint": (500.0, "site"), "LineString": (500.0, "site"),
    "MultiLineString": (500.0, "site"),
}  # fmt: skip
LICENCE = "ODbL-1.0"
_PUBLISHER = "OpenStreetMap contributors"


# Positions far off the globe are problems of their object, and GEOS may compute with them before they are seen.
@np.errstate(over="ignore", invalid="ignore")
def read(files: Sequence[SourceFile], options: LoadOptions) -> ReadResult:
    """Read the objects with an energy tag, an asset each.

    An operator is a relation and never a stake; an owner has a stake of 0 to 100 %, as no share is given. Objects
    without a kind here (a valve, a street-side substation, a water main, a disused plant) are skipped under their tag.
    Of a PBF file only objects with a tag that assets have count as rows.
    """
    builder = RecordBuilder(options.dataset)
    for file in files:
        sniff = file.sniff()
        if sniff.container == "pbf":
            with file.unpacked() as path:
                every, day = read_pbf(path, file.name)
            _read_elements(_AssetBuilder(builder, file, options, day), Elements.of(every))
        elif "elements" in sniff.keys:
            document = file.json()
            elements = _elements_of(document, file, builder)
            _read_elements(_AssetBuilder(builder, file, options, _day(document)), Elements.of(elements))
        else:
            _read_features(_AssetBuilder(builder, file, options, None), GeoJsonRows(file))
    return builder.result()


def _elements_of(document: Any, file: SourceFile, builder: RecordBuilder) -> list[Any]:
    """Return the elements of an answer of Overpass; a remark announces an incomplete one, which is a problem."""
    elements = document.get("elements") if isinstance(document, dict) else None
    if not isinstance(elements, list):
        raise FileRefused(file.name, "elements", MISSING, Message("osm.elements"))
    remark = str(document.get("remark", ""))
    if "error" in remark.casefold():  # time or memory ran out
        expected = Message("osm.whole-answer")
        builder.add_problems([Problem(file.name, None, "file", "remark", remark[:120], expected)])
    return elements


def _day(document: Mapping[str, Any]) -> str | None:
    """Return the day of the data in an answer of Overpass."""
    stamp = document.get("osm3s")
    text = str(stamp.get("timestamp_osm_base", "")) if isinstance(stamp, dict) else ""
    return text[:10] if _STAMP.match(text) else None


_STAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T")


def _read_elements(assets: _AssetBuilder, elements: Elements) -> None:
    for number, element in elements.tagged():
        tags = element.get("tags") if isinstance(element, dict) else None
        if not isinstance(tags, dict) or not all(isinstance(value, str) for value in tags.values()):
            assets.reject(number, "element", "tags", element, Message("osm.element"))
        elif kind := assets.count_and_classify(tags):
            try:
                outline = elements.outline(element, is_line=kind == "pipeline")
            except (TypeError, ValueError, shapely.errors.ShapelyError):
                outline = Outline(None)
            assets.add(f"{element.get('type')}/{element.get('id')}", kind, tags, outline, number)


def _read_features(assets: _AssetBuilder, features: GeoJsonRows) -> None:
    for feature in features:
        whole = features.features[feature.number - 1]
        properties = whole.get("properties")
        tags = tags_of(properties if isinstance(properties, dict) else {})
        if kind := assets.count_and_classify(tags):
            reference = reference_of(whole, feature.geometry)
            outline = Outline(feature.geometry, missing_of(whole))
            assets.add(reference, kind, tags, outline, feature.number)
    assets.builder.add_unreadable_rows(features.problems)


class _AssetBuilder:
    """Adds the assets of one file to a record builder."""

    def __init__(self, builder: RecordBuilder, file: SourceFile, options: LoadOptions, day: str | None) -> None:
        self.builder, self._file = builder, file.name
        self._source = f"{options.dataset}/{slug(file.name)[:60] or 'file'}"
        values = {
            "id": self._source,
            "url": "https://www.openstreetmap.org/copyright",
            "publisher": _PUBLISHER,
            "title": f"OpenStreetMap, {file.name}",
            "published": day,
            "retrieved": options.retrieved,
            "licence": options.licence or LICENCE,
        }
        builder.add("sources", values, SourceLocation(file.name, 1))
        self._companies = CompaniesByName(builder, "osm", self._source, "OpenStreetMap")

    def count_and_classify(self, tags: Mapping[str, str]) -> str | None:
        """Count an object and return its kind; an object without one is skipped."""
        self.builder.rows += 1
        kind = osm_tags.kind_of(tags)
        if kind is None:
            self.builder.skip(osm_tags.skip_reason(tags))
        return kind

    def reject(self, number: int, record: str, column: str, value: object, expected: Message) -> None:
        """Count an element that cannot be read, and add its problem."""
        self.builder.rows += 1
        self.builder.add_problem(SourceLocation(self._file, number), record, column, value, expected)

    def add(self, reference: str, kind: str, tags: Mapping[str, str], outline: Outline, number: int) -> None:
        """Add one asset with its owners and operators."""
        location = SourceLocation(self._file, number)
        if not re.fullmatch("(node|way|relation)/[0-9]+", reference):
            self.builder.add_problem(location, "element", "type, id", reference or MISSING, Message("osm.reference"))
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
            "note": f"OpenStreetMap: {', '.join(remarks)}" if (remarks := osm_tags.status_tags(tags)) else None,
        }
        where = self._where(_usable(outline, kind, reference), reference, location)
        if self.builder.add("assets", {**values, **where}, location):
            self._holders(f"osm/{reference}", tags, location)

    def _where(self, outline: Outline, reference: str, location: SourceLocation) -> dict[str, Any]:
        """Return the location columns of an asset; a location that cannot be right is dropped, and the asset stays."""
        shape, record = outline.geometry, f"asset osm/{reference}"
        if shape is None or shape.is_empty:
            self.builder.add_problem(location, record, "geometry", MISSING, Message("osm.coordinates"))
            return {}
        if not shape.is_valid and np.isfinite(shapely.get_coordinates(shape)).all():
            shape = shapely.make_valid(shape)
        if why := geometry_fault(shape):
            self.builder.add_problem(location, record, "geometry", shapely.to_wkt(shape), why)
            return {}
        if outline.missing:
            self.builder.add_problem(location, record, "geometry", outline.missing, Message("osm.whole-geometry"))
        uncertainty_m, basis = UNCERTAINTY[shape.geom_type]
        return {"geometry": shape, "uncertainty_m": uncertainty_m, "basis": basis, "place_source": self._source}

    def _holders(self, asset: str, tags: Mapping[str, str], location: SourceLocation) -> None:
        for name, item in osm_tags.holders(tags, "owner"):
            self._companies.stake(asset, self._companies.entity(name, location, item), location)
        for name, item in osm_tags.holders(tags, "operator"):
            self._companies.operator(asset, self._companies.entity(name, location, item), location)


def _usable(outline: Outline, kind: str, reference: str) -> Outline:
    """Return an outline without the centre point of a line, which does not show where the line runs."""
    is_middle = outline.geometry is not None and outline.geometry.geom_type == "Point"
    return Outline(None) if is_middle and kind == "pipeline" and not reference.startswith("node/") else outline


def _recognises(sniff: FileSniff) -> bool:
    if sniff.container == "pbf":
        return True
    if sniff.container != "json":
        return False
    start = sniff.text[:2000].casefold()
    elements = "elements" in sniff.keys and ("osm3s" in sniff.keys or "overpass" in start or "openstreetmap" in start)
    columns = set(sniff.columns)
    features = bool({"@id", "osm_id", "full_id", "osm_way_id"} & columns) or {"tags", "meta", "relations"} <= columns
    return elements or ("features" in sniff.keys and features)


FORMAT = Format(
    name="osm",
    title="OpenStreetMap: Overpass JSON, PBF, GeoJSON with osm_id or @id",
    provides="assets, their owners and operators",
    licence=LICENCE,
    recognises=_recognises,
    read=read,
    signature="a PBF header, elements of Overpass or of the API, or a property @id, full_id, osm_id or osm_way_id",
)
