"""Strikes that reviewers write, as GeoJSON or merge patch: read to records, with every fault of a body at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import orjson
import shapely
from pydantic import ValidationError
from shapely.geometry.base import BaseGeometry

from api.http.json import Json, pointer_token
from api.requests.crs import Crs, project, unproject
from api.wording.catalogue import text
from layers.collections.feature_types import StrikeFeature
from layers.ingest.integrity import misplaced
from layers.model.problems import schema_fault
from layers.model.records import REFERENCES, Records, Strike
from layers.reference.basemap import Basemap

#: Faults that are listed; of more only the number is stated.
MAX_FAULTS = 50
#: Columns that are no properties of a body: the geometry is a member of its own, the server sets the id and dataset.
_GIVEN = ("id", "dataset", "geometry")
#: Columns of the position of a strike, and of its country.
POSITION = ("geometry", "uncertainty_m", "basis", "host_country")
#: Properties that a strike with a geometry needs.
REQUIRED_WITH_GEOMETRY = ("uncertainty_m", "basis", "place_source")
WRITABLE = tuple(name for name in Strike.model_fields if name not in _GIVEN)
#: Properties of features that follow from other records, and cannot be written.
_DERIVED = frozenset(StrikeFeature.model_fields) - frozenset(Strike.model_fields)


class BodyFault(NamedTuple):
    """One fault: where in the body (JSON Pointer, RFC 6901), the value there, and the value that was expected."""

    pointer: str
    value: str
    expected: str


class InvalidBody(ValueError):
    """A body that does not fit the schema, with its faults."""

    def __init__(self, faults: Iterable[BodyFault]) -> None:
        listed = tuple(faults)
        first = listed[0]
        super().__init__(f"{len(listed)} fault(s); first: {first.pointer or '/'}: expected {first.expected}")
        self.faults = listed[:MAX_FAULTS]


class UnprocessableBody(InvalidBody):
    """A body that fits the schema, but not the data: unknown sources, another country or another privacy than there."""


class NotEditable(ValueError):
    """A strike that came with a dataset, which reviewers cannot remove."""

    def __init__(self, key: str, dataset: str) -> None:
        super().__init__(
            f"{key} came with the dataset {dataset!r}, whose next load would bring it back: "
            'retract it by PATCH {"status": "retracted"}'
        )


def parse_json_object(body: bytes) -> Json:
    """Read a body as a JSON object.

    Raises InvalidBody if the body is no JSON object.
    """
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidBody([BodyFault("", "", f"JSON ({error})")]) from error
    if not isinstance(document, dict):
        raise InvalidBody([BodyFault("", _short(document), "a JSON object")])
    return document


def feature_values(document: Json, system: Crs) -> tuple[Json, list[BodyFault]]:
    """Read the column values of a whole feature (RFC 7946).

    Gives values by column, the geometry in lon/lat, and the faults of the members of the feature.

    ``system``: coordinate reference system of the geometry in the body.
    """
    faults = []
    if document.get("type") != "Feature":
        faults.append(BodyFault("/type", _short(document.get("type")), "Feature"))
    properties = document.get("properties")
    if not isinstance(properties, dict):
        faults.append(BodyFault("/properties", _short(properties), "an object"))
        properties = {}
    faults += _beside_properties(document)
    values = {name: value for name, value in properties.items() if name != "id" and value is not None}
    if "geometry" not in document:
        faults.append(BodyFault("/geometry", "(missing)", "a geometry, or null for none"))
    shape, geometry_faults = _shape(document.get("geometry"), system)
    return {**values, "geometry": shape}, faults + geometry_faults


def patched_values(document: Json, before: Strike, system: Crs) -> tuple[Json, list[BodyFault]]:
    """Read the column values of a strike after a merge patch (RFC 7396) of its feature, or of its properties alone.

    Gives values by column, the geometry in lon/lat, and the faults of the members of the patch.

    Parameters
    ----------
    before
        The strike that is patched.
    system
        Coordinate reference system of the geometry in the patch.
    """
    faults = []
    as_feature = any(name in document for name in ("type", "properties"))
    properties = (
        document.get("properties", {}) if as_feature else {k: v for k, v in document.items() if k != "geometry"}
    )
    if not isinstance(properties, dict):
        faults.append(BodyFault("/properties", _short(properties), "an object"))
        properties = {}
    if document.get("type", "Feature") != "Feature":
        faults.append(BodyFault("/type", _short(document["type"]), "Feature"))
    for pointer, key in (("/id", document.get("id")), ("/properties/id", properties.get("id"))):
        if key not in (None, before.id):
            faults.append(BodyFault(pointer, _short(key), "the id that it has"))
    if as_feature:
        faults += _beside_properties(document)
    values: Json = before.model_dump(mode="json", include=set(WRITABLE)) | properties
    values = {name: value for name, value in values.items() if name != "id" and value is not None}
    if "geometry" not in document:
        return {**values, "geometry": before.geometry}, faults
    shape, geometry_faults = _shape(_merged(document["geometry"], before.geometry, system), system)
    return {**values, "geometry": shape}, faults + geometry_faults


def _beside_properties(document: Json) -> list[BodyFault]:
    among = "it among the properties"
    return [BodyFault(f"/{name}", _short(document[name]), among) for name in WRITABLE if name in document]


def _merged(patch: Any, before: BaseGeometry | None, system: Crs) -> Any:
    (projected,) = project([before], system)
    members = {} if projected is None else orjson.loads(shapely.to_geojson(projected))
    return {**members, **patch} if isinstance(patch, dict) else patch


def _shape(member: Any, system: Crs) -> tuple[BaseGeometry | None, list[BodyFault]]:
    if member is None:
        return None, []
    expected = f'a GeoJSON geometry such as {{"type": "Point", "coordinates": [30.72, 46.48]}}, in {system.name}'
    try:
        shape = shapely.from_geojson(orjson.dumps(member)) if isinstance(member, dict) else None
        (lonlat,) = unproject([shape], system)
    except (shapely.errors.ShapelyError, ValueError):
        lonlat = None
    return (lonlat, []) if lonlat is not None else (None, [BodyFault("/geometry", _short(member), expected)])


def build_strike(
    values: Json,
    faults: list[BodyFault],
    own: Mapping[str, str],
    records: Records,
    basemap: Basemap,
    before: Strike | None = None,
) -> Strike:
    """Return the record of the values of a body.

    Raises InvalidBody if the values do not fit the schema; UnprocessableBody if the values fit, but name unknown
    sources, a position in another country than stated, or for a strike that is replaced whether it is private other
    than it is.

    Parameters
    ----------
    faults
        Faults of the body that are known before its values are checked.
    own
        Id and dataset of the record, which the server gives.
    records, basemap
        Sources and countries that the values are checked with.
    before
        The record that is replaced, whose sources and position are not checked again. Private or not, the strike
        stays as it is: that follows from the licence of its dataset.
    """
    strike: Strike | None = None
    given, values = values, values if before is None else {"private": before.private, **values}
    wrong = [*faults, *_read_only(values), *_missing_with_geometry(values)]
    try:
        strike = Strike.model_validate_json(orjson.dumps({**_columns(values), **own}), strict=True)
    except ValidationError as error:
        derived = {fault.pointer for fault in wrong}
        invalid = (_fault(one) for one in error.errors(include_url=False))
        wrong += [
            fault
            for fault in invalid
            if fault.pointer not in derived and not (fault.pointer == "/properties" and wrong)
        ]
    unfit = [
        *_other_privacy(given, before),
        *_unknown_sources(values, records, before),
        *(() if strike is None else _misplaced(strike, before, basemap)),
    ]
    if wrong:
        raise InvalidBody([*wrong, *unfit])
    if unfit or strike is None:
        raise UnprocessableBody(unfit)
    return strike


def _columns(values: Json) -> Json:
    """Return values as the record has them: geometry as WKT, weapons in words as kinds without counts."""
    columns = {name: value for name, value in values.items() if name not in _DERIVED}
    shape = values.get("geometry")
    columns["geometry"] = None if shape is None else shapely.to_wkt(shape, rounding_precision=-1, trim=True)
    if isinstance(columns.get("weapons"), str):
        columns["weapons"] = [{"kind": kind} for kind in columns["weapons"].split("; ")]
    return columns


def _read_only(values: Json) -> Iterator[BodyFault]:
    for name in ("dataset", *sorted(_DERIVED)):
        if name in values:
            yield BodyFault(f"/properties/{name}", _short(values[name]), "nothing: it is read only")


def _other_privacy(values: Json, before: Strike | None) -> Iterator[BodyFault]:
    stated = values.get("private")
    if before is not None and isinstance(stated, bool) and stated != before.private:
        expected = f"{str(before.private).lower()}, as it is: no edit changes what may be published"
        yield BodyFault("/properties/private", str(stated).lower(), expected)


def _missing_with_geometry(values: Json) -> Iterator[BodyFault]:
    if values.get("geometry") is not None:
        for name in REQUIRED_WITH_GEOMETRY:
            if values.get(name) is None:
                yield BodyFault(f"/properties/{name}", "(missing)", "it where there is a geometry")


def _fault(error: Any) -> BodyFault:
    path = [pointer_token(part) for part in error["loc"]]
    pointer = "/geometry" if path[:1] == ["geometry"] else "/".join(["/properties", *path])
    value = "(missing)" if error["type"] == "missing" else _short(error["input"])
    return BodyFault(pointer, "" if pointer == "/properties" else value, text(schema_fault(error)))


def _unknown_sources(values: Json, records: Records, before: Strike | None) -> Iterator[BodyFault]:
    """Yield a fault for each source that is not known and that the strike did not name before."""
    for column in REFERENCES["strikes"]:
        given = values.get(column)
        former = getattr(before, column) if before is not None else None
        for index, key in enumerate(given if isinstance(given, list) else [given]):
            is_former = key in former if isinstance(former, tuple) else key == former
            if isinstance(key, str) and key not in records.sources and not is_former:
                end = f"/{index}" if isinstance(given, list) else ""
                yield BodyFault(f"/properties/{column}{end}", _short(key), "the id of a source")


def _misplaced(strike: Strike, before: Strike | None, basemap: Basemap) -> Iterator[BodyFault]:
    if before is not None and all(getattr(strike, name) == getattr(before, name) for name in POSITION):
        return
    for _, _, _, value, expected in misplaced(Records.of({"strikes": {strike.id: strike}}), basemap):
        yield BodyFault("/geometry", str(value), text(expected))


def to_geojson(record: Strike) -> Json:
    """Return a record as the GeoJSON feature that it is written as, lon/lat."""
    shape = record.geometry
    return {
        "type": "Feature",
        "id": record.id,
        "geometry": None if shape is None else orjson.loads(shapely.to_geojson(shape)),
        "properties": record.model_dump(mode="json", include={*WRITABLE, "withheld"}),
    }


def _short(value: object) -> str:
    return str(value)[:120]
