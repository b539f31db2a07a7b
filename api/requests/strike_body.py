"""Strikes that reviewers write as GeoJSON or as a merge patch, read to records: every fault of a body at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import orjson
import shapely
from pydantic import ValidationError
from shapely.geometry.base import BaseGeometry

from api.requests.crs import Crs, project, unproject
from layers.collections.feature_types import StrikeFeature
from layers.ingest.integrity import misplaced
from layers.model.records import REFERENCES, Records, Strike
from layers.reference.basemap import Basemap

Json = dict[str, Any]

#: Faults that are told one by one; of more only the number is.
MOST_FAULTS = 50
#: Properties of the record that a body gives in another way, or that the server gives.
_GIVEN = ("id", "dataset", "geometry")
#: Columns that say where a strike was, and its country.
_PLACE = ("geometry", "uncertainty_m", "basis", "host_country")
_NEEDED = ("uncertainty_m", "basis", "place_source")
WRITTEN = tuple(name for name in Strike.model_fields if name not in _GIVEN)


class Fault(NamedTuple):
    """One fault: where in the body (RFC 6901), what was found there, and what was expected."""

    pointer: str
    value: str
    expected: str


class FaultyBody(ValueError):
    """A body that is no feature of the schema; carries every fault."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        found = tuple(faults)
        first = found[0]
        super().__init__(f"{len(found)} fault(s); first: {first.pointer or '/'}: expected {first.expected}")
        self.faults = found[:MOST_FAULTS]


class UnfitBody(FaultyBody):
    """A body that is well-formed, but names sources that there are not or a place in another country."""


class NotOwn(ValueError):
    """A strike that no reviewer added by this way, and so none can remove."""

    def __init__(self, key: str, dataset: str) -> None:
        super().__init__(
            f"{key} came with the dataset {dataset!r}, whose next load would bring it back: "
            'retract it by PATCH {"status": "retracted"}'
        )


def parsed(body: bytes) -> Json:
    """Read a body as a JSON object.

    Raises
    ------
    FaultyBody
        If it is none.
    """
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise FaultyBody([Fault("", "", f"JSON ({error})")]) from error
    if not isinstance(told, dict):
        raise FaultyBody([Fault("", _short(told), "a JSON object")])
    return told


def feature(told: Json, system: Crs) -> tuple[Json, list[Fault]]:
    """The values of a whole feature (RFC 7946), its coordinates in a system, and what is wrong with its outside."""
    faults = []
    if told.get("type") != "Feature":
        faults.append(Fault("/type", _short(told.get("type")), "Feature"))
    properties = told.get("properties")
    if not isinstance(properties, dict):
        faults.append(Fault("/properties", _short(properties), "an object"))
        properties = {}
    faults += [Fault(f"/{name}", _short(told[name]), "it among the properties") for name in WRITTEN if name in told]
    values = {name: value for name, value in properties.items() if name != "id" and value is not None}
    if "geometry" not in told:
        faults.append(Fault("/geometry", "(missing)", "a geometry, or null for none"))
    shape, wrong = _shape(told.get("geometry"), system)
    return {**values, "geometry": shape}, faults + wrong


def patched(told: Json, before: Strike, system: Crs) -> tuple[Json, list[Fault]]:
    """The values of a record after a merge patch (RFC 7396) of its feature, or of its properties alone."""
    faults = []
    as_feature = any(name in told for name in ("type", "properties"))
    properties = told.get("properties", {}) if as_feature else {k: v for k, v in told.items() if k != "geometry"}
    if not isinstance(properties, dict):
        faults.append(Fault("/properties", _short(properties), "an object"))
        properties = {}
    if told.get("type", "Feature") != "Feature":
        faults.append(Fault("/type", _short(told["type"]), "Feature"))
    for pointer, key in (("/id", told.get("id")), ("/properties/id", properties.get("id"))):
        if key not in (None, before.id):
            faults.append(Fault(pointer, _short(key), "the id that it has"))
    if as_feature:
        faults += [Fault(f"/{name}", _short(told[name]), "it among the properties") for name in WRITTEN if name in told]
    values: Json = before.model_dump(mode="json", include=set(WRITTEN)) | properties
    values = {name: value for name, value in values.items() if name != "id" and value is not None}
    if "geometry" not in told:
        return {**values, "geometry": before.geometry}, faults
    shape, wrong = _shape(_merged(told["geometry"], before.geometry, system), system)
    return {**values, "geometry": shape}, faults + wrong


def _merged(told: Any, before: BaseGeometry | None, system: Crs) -> Any:
    (there,) = project([before], system)
    known = {} if there is None else orjson.loads(shapely.to_geojson(there))
    return {**known, **told} if isinstance(told, dict) else told


def _shape(told: Any, system: Crs) -> tuple[BaseGeometry | None, list[Fault]]:
    if told is None:
        return None, []
    expected = f'a GeoJSON geometry such as {{"type": "Point", "coordinates": [30.72, 46.48]}}, in {system.name}'
    try:
        shape = shapely.from_geojson(orjson.dumps(told)) if isinstance(told, dict) else None
        (moved,) = unproject([shape], system)
    except (shapely.errors.ShapelyError, ValueError):
        moved = None
    return (moved, []) if moved is not None else (None, [Fault("/geometry", _short(told), expected)])


def strike(
    values: Json,
    faults: list[Fault],
    own: Mapping[str, str],
    records: Records,
    basemap: Basemap,
    before: Strike | None = None,
) -> Strike:
    """The record of the values of a body.

    Parameters
    ----------
    faults
        Those found already.
    own
        Its id and dataset, which the server gives.
    records, basemap
        What its sources and its place are held against; only where they are other than ``before``.

    Raises
    ------
    FaultyBody
        If it is none of the schema.
    UnfitBody
        If it is, but its sources are not there or its place is in another country than stated.
    """
    made: Strike | None = None
    wrong = [*faults, *_read_only(values), *_baseless(values)]
    try:
        made = Strike.model_validate_json(orjson.dumps({**_plain(values), **own}), strict=True)
    except ValidationError as error:
        derived = {fault.pointer for fault in wrong}
        told = (_fault(one) for one in error.errors(include_url=False, include_context=False))
        wrong += [one for one in told if one.pointer not in derived and not (one.pointer == "/properties" and wrong)]
    unfit = [*_unknown(values, records, before), *(() if made is None else _elsewhere(made, before, basemap))]
    if wrong:
        raise FaultyBody([*wrong, *unfit])
    if unfit or made is None:
        raise UnfitBody(unfit)
    return made


def _plain(values: Json) -> Json:
    """Values as the record has them: geometry as WKT, weapons told in words as kinds without counts."""
    told = {name: value for name, value in values.items() if name not in _derived()}
    shape = values.get("geometry")
    told["geometry"] = None if shape is None else shapely.to_wkt(shape, rounding_precision=-1, trim=True)
    if isinstance(told.get("weapons"), str):
        told["weapons"] = [{"kind": kind} for kind in told["weapons"].split("; ")]
    return told


def _derived() -> frozenset[str]:
    """Properties of features that follow from other records, and cannot be written."""
    return frozenset(StrikeFeature.model_fields) - frozenset(Strike.model_fields)


def _read_only(values: Json) -> Iterator[Fault]:
    for name in ("dataset", *sorted(_derived())):
        if name in values:
            yield Fault(f"/properties/{name}", _short(values[name]), "nothing: it is read only")


def _baseless(values: Json) -> Iterator[Fault]:
    if values.get("geometry") is not None:
        for name in _NEEDED:
            if values.get(name) is None:
                yield Fault(f"/properties/{name}", "(missing)", "it where there is a geometry")


def _fault(error: Any) -> Fault:
    place = [str(part).replace("~", "~0").replace("/", "~1") for part in error["loc"]]
    pointer = "/geometry" if place[:1] == ["geometry"] else "/".join(["/properties", *place])
    value = "(missing)" if error["type"] == "missing" else _short(error["input"])
    return Fault(pointer, "" if pointer == "/properties" else value, error["msg"])


def _unknown(values: Json, records: Records, before: Strike | None) -> Iterator[Fault]:
    """Sources that there are not."""
    for column in REFERENCES["strikes"]:
        given = values.get(column)
        known = getattr(before, column) if before is not None else None
        for place, key in enumerate(given if isinstance(given, list) else [given]):
            if isinstance(key, str) and key not in records.sources and key not in (known or ()):
                end = f"/{place}" if isinstance(given, list) else ""
                yield Fault(f"/properties/{column}{end}", _short(key), "the id of a source")


def _elsewhere(made: Strike, before: Strike | None, basemap: Basemap) -> Iterator[Fault]:
    if before is not None and all(getattr(made, name) == getattr(before, name) for name in _PLACE):
        return
    for _, _, _, value, expected in misplaced(Records.of({"strikes": {made.id: made}}), basemap):
        yield Fault("/geometry", value, expected)


def told(record: Strike) -> Json:
    """A record as the feature that it is written as."""
    shape = record.geometry
    return {
        "type": "Feature",
        "id": record.id,
        "geometry": None if shape is None else orjson.loads(shapely.to_geojson(shape)),
        "properties": record.model_dump(mode="json", include=set(WRITTEN)),
    }


def _short(value: object) -> str:
    return str(value)[:120]
