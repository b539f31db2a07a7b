"""The types of columns: identifiers, countries, EDTF times, geometries and the fixed vocabularies."""

from __future__ import annotations

from typing import Annotated, Literal

import shapely
from pydantic import BeforeValidator, Field, PlainSerializer, StringConstraints, WithJsonSchema
from shapely.geometry.base import BaseGeometry

from geo.errors import GeoError
from geo.lonlat import require_lonlat
from layers.model import edtf

#: Most vertices of one geometry.
MAX_VERTICES = 200_000


def _as_geometry(value: object) -> BaseGeometry:
    """Accept a shapely geometry or WKT in lon/lat order (OGC 06-103r4)."""
    if isinstance(value, str):
        if len(value) > 64 * MAX_VERTICES:
            raise ValueError("a geometry of at most 200,000 vertices")
        try:
            value = shapely.from_wkt(value)
        except shapely.errors.ShapelyError as error:
            raise ValueError(f"WKT such as POINT (30.72 46.48), lon then lat: {error}") from error
    if not isinstance(value, BaseGeometry):
        raise ValueError("WKT such as POINT (30.72 46.48), lon then lat")
    if value.is_empty or shapely.get_num_coordinates(value) > MAX_VERTICES:
        raise ValueError("a geometry with 1 to 200,000 vertices")
    if shapely.get_coordinate_dimension(value) > 2:
        raise ValueError("a geometry of lon and lat only, without height or measure")
    if not value.is_valid:
        raise ValueError(f"a valid geometry: {shapely.is_valid_reason(value)}")
    try:
        require_lonlat([value])
    except GeoError as error:
        raise ValueError(str(error)) from error
    return value


def _as_point(value: object) -> BaseGeometry:
    geometry = _as_geometry(value)
    if geometry.geom_type != "Point":
        raise ValueError("a point; uncertainty_m says how far around it the true place may lie")
    return geometry


def _as_edtf(value: object) -> str:
    return edtf.parse(value if isinstance(value, str) else str(value)).text


Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._/>@-]*$", max_length=160)]
Text = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=2000),
    # Of spaces alone nothing would be left.
    Field(json_schema_extra={"pattern": r"\S"}),
]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]+)*$")]
Edtf = Annotated[str, BeforeValidator(_as_edtf), Field(json_schema_extra={"format": "edtf"})]
Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s<>\"]+$", max_length=1000)]
Percent = Annotated[float, Field(ge=0, le=100, json_schema_extra={"unit": "%"})]
Count = Annotated[int, Field(ge=0, le=1_000_000)]
Metres = Annotated[float, Field(gt=0, le=5_000_000, json_schema_extra={"unit": "m"})]
_WKT = PlainSerializer(lambda value: shapely.to_wkt(value, rounding_precision=7, trim=True), return_type=str)
_WKT_SCHEMA = WithJsonSchema({"type": "string", "format": "wkt"})
Geometry = Annotated[BaseGeometry, BeforeValidator(_as_geometry), _WKT, _WKT_SCHEMA]
PointGeometry = Annotated[BaseGeometry, BeforeValidator(_as_point), _WKT, _WKT_SCHEMA]

#: How a value was checked: its source was opened, seen in an excerpt, or not seen at all.
Checked = Literal["read", "excerpt", "unverified"]
#: What a coordinate stands for (Darwin Core: georeferenceRemarks, in fixed words).
Basis = Literal["site", "settlement", "district", "region", "sea-area", "field", "line-end"]
Status = Literal["draft", "reported", "corroborated", "verified", "retracted"]
AssetKind = Literal[
    "pipeline",
    "pump-station",
    "compressor-station",
    "metering-station",
    "oil-depot",
    "oil-terminal",
    "oil-field",
    "oil-processing",
    "refinery",
    "gas-field",
    "gas-plant",
    "gas-storage",
    "lng-plant",
    "platform",
    "power-plant",
    "hydro-plant",
    "nuclear-plant",
    "port-terminal",
    "petrochemical-plant",
    "chemical-plant",
    "steelworks",
    "factory",
    "food-plant",
    "office",
]
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
RelationKind = Literal["operator", "supplier", "offtaker", "affected", "lender", "cargo-owner", "occupier", "brand"]
#: declared: a register or the parties say so; consolidation: it is in the controller's accounts (GLEIF level 2).
ControlKind = Literal["declared", "consolidation", "majority-of-votes", "rights"]
Verdict = Literal["confirmed", "possible", "none", "unsure", "not-a-strike", "undone"]
