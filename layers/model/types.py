"""Columns: their types (identifiers, countries, EDTF times, geometries, vocabularies), and those of a record type."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

import numpy as np
import shapely
from pydantic import BaseModel, BeforeValidator, Field, PlainSerializer, StringConstraints, WithJsonSchema
from shapely import Point
from shapely.geometry.base import BaseGeometry

from geo.errors import GeoError
from geo.lonlat import Bools, Objects, require_lonlat
from layers.model import edtf
from layers.model.asset_kinds import ASSET_KINDS, GROUPS
from layers.model.messages import InvalidValue, Message

#: The largest number of vertices of one geometry.
MAX_VERTICES = 200_000


#: Most geometry collections in one well-known text.
_MAX_COLLECTIONS = 32


#: Degrees by which a course that is too long for a text is simplified, the least that suffices.
_TOLERANCES = tuple(0.001 * 2**step for step in range(15))


def short_wkt(shape: BaseGeometry, digits: int, length: int = 2000) -> str:
    """Return WKT of at most some letters, with so many digits: simplified as far as it needs, or else its envelope."""
    simpler = (shapely.simplify(shape, tolerance) for tolerance in _TOLERANCES)
    texts = (str(shapely.to_wkt(one, rounding_precision=digits, trim=True)) for one in chain([shape], simpler))
    return next((text for text in texts if len(text) <= length), str(shapely.to_wkt(shape.envelope, digits)))


def geometry_of_wkt(text: str) -> BaseGeometry:
    """Read a well-known text (OGC 06-103r4).

    Raises
    ------
    ShapelyError
        If it is none, has curves, or if so many collections are in it that GEOS, which calls itself for each that is
        in another, might end the process.
    """
    if text.upper().count("COLLECTION") > _MAX_COLLECTIONS:
        raise shapely.errors.ShapelyError(f"more than {_MAX_COLLECTIONS} geometry collections")
    try:
        shape: BaseGeometry = shapely.from_wkt(text)
    except NotImplementedError as error:  # curves
        raise shapely.errors.ShapelyError(str(error)) from error
    return shape


def as_geometry(value: object) -> BaseGeometry:
    """Return a shapely geometry, given as one or as WKT in lon/lat order (OGC 06-103r4).

    Raises
    ------
    InvalidValue
        If it is none that a record may have: empty, invalid, off the globe, too large or of three dimensions.
    """
    if isinstance(value, str):
        if len(value) > 64 * MAX_VERTICES:
            raise InvalidValue(Message("geometry.too-many-vertices", {"limit": MAX_VERTICES}))
        try:
            value = geometry_of_wkt(value)
        except shapely.errors.ShapelyError as error:
            raise InvalidValue(Message("geometry.unreadable-wkt", {"error": str(error)})) from error
    if not isinstance(value, BaseGeometry):
        raise InvalidValue(Message("geometry.wkt"))
    # A flat point on the globe is valid; nearly all are, and the checks below take ten times as long.
    is_on_globe = isinstance(value, Point) and not value.is_empty and -180 <= value.x <= 180 and -90 <= value.y <= 90
    if is_on_globe and shapely.get_coordinate_dimension(value) == 2:
        return value
    if value.is_empty or shapely.get_num_coordinates(value) > MAX_VERTICES:
        raise InvalidValue(Message("geometry.vertices", {"limit": MAX_VERTICES}))
    if shapely.get_coordinate_dimension(value) > 2:
        raise InvalidValue(Message("geometry.flat"))
    if not value.is_valid:
        raise InvalidValue(Message("geometry.valid", {"reason": shapely.is_valid_reason(value)}))
    # Nearly all lie on the globe, and a box is compared many times as fast as an array is looked through.
    west, south, east, north = value.bounds
    if not (west >= -180 and south >= -90 and east <= 180 and north <= 90):
        try:
            require_lonlat([value])
        except GeoError as error:
            # The geometry is row 0 of the array that was checked, which says nothing of its file.
            text = str(error).removeprefix("row 0: expected ")
            raise InvalidValue(Message("geometry.lonlat", {"error": text})) from error
    return value


def are_points_on_globe(geometries: Objects) -> Bools:
    """Which geometries are flat points on the globe, which `as_geometry` gives back as they are.

    Parameters
    ----------
    geometries
        Lon/lat degrees (OGC:CRS84), shape (n,); ``None`` is no point.
    """
    lon, lat = shapely.get_x(geometries), shapely.get_y(geometries)  # NaN of what is empty or no point
    found: Bools = (shapely.get_coordinate_dimension(geometries) == 2) & (np.abs(lon) <= 180) & (np.abs(lat) <= 90)
    return found


def _as_point(value: object) -> BaseGeometry:
    geometry = as_geometry(value)
    if geometry.geom_type != "Point":
        raise InvalidValue(Message("geometry.point"))
    return geometry


def _as_edtf(value: object) -> str:
    return edtf.parse(value if isinstance(value, str) else str(value)).text


Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._/>@-]*$", max_length=160)]
Text = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=2000),
    # A text of spaces alone is empty once it is stripped.
    Field(json_schema_extra={"pattern": r"\S"}),
]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]+)*$")]
#: A time in UTC (RFC 3339) with milliseconds, so that texts are ordered as times are.
Timestamp = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
Edtf = Annotated[str, BeforeValidator(_as_edtf), Field(json_schema_extra={"format": "edtf"})]
Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s<>\"]+$", max_length=1000)]
Percent = Annotated[float, Field(ge=0, le=100, json_schema_extra={"unit": "%"})]
Count = Annotated[int, Field(ge=0, le=1_000_000)]
Metres = Annotated[float, Field(gt=0, le=5_000_000, json_schema_extra={"unit": "m"})]
_WKT = PlainSerializer(lambda value: shapely.to_wkt(value, rounding_precision=7, trim=True), return_type=str)
_WKT_SCHEMA = WithJsonSchema({"type": "string", "format": "wkt"})
Geometry = Annotated[BaseGeometry, BeforeValidator(as_geometry), _WKT, _WKT_SCHEMA]
PointGeometry = Annotated[BaseGeometry, BeforeValidator(_as_point), _WKT, _WKT_SCHEMA]

#: What was read that gives a value: the page of its source, an excerpt of it, or nothing.
Checked = Literal["read", "excerpt", "unverified"]
#: What a coordinate stands for (Darwin Core: georeferenceRemarks, in fixed words).
Basis = Literal["site", "settlement", "district", "region", "sea-area", "field", "line-end", "rounded"]
#: Which country of an entity counts: that of its registration, or that of its head office.
CountryBasis = Literal["registration", "headquarters"]
#: What says in which country a strike happened; "sea" is at sea, in no country.
HostBasis = Literal["stated", "point", "region", "site", "sea"]
#: What the answer on a strike is based on: a decision, several candidates, the best one, or nothing.
RestsOn = Literal["decision", "alternatives", "match", "nothing"]
Status = Literal["draft", "reported", "corroborated", "verified", "retracted"]
#: Whether a facility operates: planned and never built further, built, at rest, given up before or after it operated.
OperatingStatus = Literal[
    "announced",
    "proposed",
    "pre-construction",
    "construction",
    "operating",
    "idle",
    "mothballed",
    "shelved",
    "cancelled",
    "retired",
]
if TYPE_CHECKING:
    AssetKind: TypeAlias = str
    Group: TypeAlias = str
else:
    #: A kind of asset, as asset_kinds.toml names them.
    AssetKind = Literal[tuple(ASSET_KINDS)]
    #: What kinds are drawn and filtered as.
    Group = Literal[GROUPS]
#: Entity types of BODS 0.4, with its persons beside them.
EntityType = Literal[
    "registeredEntity",
    "legalEntity",
    "arrangement",
    "anonymousEntity",
    "unknownEntity",
    "state",
    "stateBody",
    "person",
]
#: title-claim: claims a disputed title; trust: holds it for others; temporary-manager: put in by order of a state;
#: licensee: has an interest in a licence or contract to produce from a field, which is no ownership of it.
RelationKind = Literal[
    "operator",
    "supplier",
    "offtaker",
    "affected",
    "lender",
    "cargo-owner",
    "occupier",
    "brand",
    "flag",
    "charterer",
    "production-sharing",
    "title-claim",
    "trust",
    "temporary-manager",
    "licensee",
]
#: How far an asset worked: all of it, a part, nothing, nothing any more, or out of its owner's hands.
WorkingStatus = Literal["running", "reduced", "offline", "destroyed", "occupied"]
#: declared: a register or the parties say so; consolidation: it is in the controller's accounts (GLEIF level 2).
ControlKind = Literal["declared", "consolidation", "majority-of-votes", "rights"]
Verdict = Literal["confirmed", "possible", "none", "unsure", "not-a-strike", "undone"]


_LEI = re.compile(r"[0-9A-Z]{18}[0-9]{2}")


def is_lei(text: str) -> bool:
    """Whether a text is a Legal Entity Identifier with right check digits.

    Letters count as 10 to 35; the number that results is 1 modulo 97 (ISO 17442-1:2020, ISO/IEC 7064 MOD 97-10).
    """
    return bool(_LEI.fullmatch(text)) and int("".join(str(int(c, 36)) for c in text)) % 97 == 1


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a record or feature type."""

    name: str
    type: Literal["text", "number", "integer", "boolean", "geometry", "json"]
    required: bool
    unit: str | None
    choices: tuple[str, ...]
    doc: str


@lru_cache(maxsize=64)
def columns(record_type: type[BaseModel]) -> tuple[Column, ...]:
    """The columns of a record or feature type in their order, derived from its JSON Schema."""
    return tuple(_columns(record_type))


def _columns(record_type: type[BaseModel]) -> Iterator[Column]:
    schema = record_type.model_json_schema(mode="serialization")
    required = {name for name, field in record_type.model_fields.items() if field.is_required()}
    for name, spec in schema["properties"].items():
        parts = [part for part in spec.get("anyOf", ()) if part.get("type") != "null"] or [spec]
        plain = parts[0]
        yield Column(
            name=name,
            type=_column_type(plain),
            required=name in required,
            unit=plain.get("unit"),
            choices=tuple(choice for part in parts for choice in part.get("enum", ())),
            doc=record_type.model_fields[name].description or "",
        )


def _column_type(
    spec: Mapping[str, Any],
) -> Literal["text", "number", "integer", "boolean", "geometry", "json"]:
    if spec.get("format") == "wkt":
        return "geometry"
    if spec.get("type") in ("array", "object"):
        return "json"
    return {"string": "text", "number": "number", "integer": "integer", "boolean": "boolean"}[spec["type"]]  # type: ignore[return-value]
