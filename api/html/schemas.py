"""Schemas as people read them: columns, what they hold, and within which bounds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from starlette.requests import Request

from api.esri.layers import LAYERS
from api.formats import json_schema
from api.html.documents import plain
from api.html.map_images import pictures
from api.http.links import href
from api.requests.query_parameters import sortables
from api.server.served_version import View
from layers.collections.collection import Collection

Json = Mapping[str, Any]

#: Keywords that `words` has words for, or that are told elsewhere.
_TOLD = {
    "title", "description", "type", "format", "enum", "items", "minimum", "maximum", "default", "example", "readOnly",
    "writeOnly", "x-ogc-unit", "x-ogc-role", "x-ogc-propertySeq", "oneOf", "minItems", "maxItems",
}  # fmt: skip


class Property(NamedTuple):
    """One property of a schema."""

    name: str
    title: str
    words: str
    unit: str
    doc: str
    role: str


def rows(told: Json) -> list[Property]:
    """The properties of a schema, in its order."""
    return [
        Property(
            name,
            one.get("title", ""),
            words(one),
            one.get("x-ogc-unit", ""),
            one.get("description", ""),
            _role(name, one, told),
        )
        for name, one in told["properties"].items()
    ]


def _role(name: str, one: Json, told: Json) -> str:
    parts = [one.get("x-ogc-role", "")]
    parts += ["required"] if name in told.get("required", ()) else []
    parts += ["returned only"] if one.get("readOnly") else []
    parts += ["written only"] if one.get("writeOnly") else []
    return ", ".join(part for part in parts if part)


def words(schema: Json) -> str:
    """What values a schema allows, in words; "any" where it allows all."""
    told = "; ".join(_words(schema))
    return told or "any"


def _words(schema: Json) -> Iterator[str]:
    kind = " ".join(str(schema[key]) for key in ("type", "format") if key in schema)
    if "items" in schema:
        kind = f"{kind} of {words(schema['items'])}".strip()
    if kind:
        yield kind
    counts = [one["minItems"] for one in schema.get("oneOf", ()) if "minItems" in one]
    if counts:
        yield f"{' or '.join(map(str, counts))} of them"
    for least, most, unit in (("minimum", "maximum", ""), ("minItems", "maxItems", " items")):
        if least in schema and most in schema:
            yield f"{plain(schema[least])} to {plain(schema[most])}{unit}"
        elif least in schema:
            yield f"from {plain(schema[least])}{unit}"
        elif most in schema:
            yield f"to {plain(schema[most])}{unit}"
    if "enum" in schema:
        yield f"one of {', '.join(plain(one) for one in schema['enum'])}"
    for name in schema:
        if name not in _TOLD:
            yield f"{name} {plain(schema[name])}"


def of_collection(request: Request, view: View, found: Collection, told: Json) -> Json:
    """What the page of a collection says besides: its columns, and addresses to give to programs."""
    described = [
        Property(
            name,
            one.name.replace("_", " "),
            words(json_schema.property_schema(found, one)),
            one.unit or "",
            one.doc,
            "",
        )
        for name, one in found.queryables.items()
    ]
    return {
        "columns": described,
        "sortable": list(sortables(found)),
        "addresses": _addresses(request, found),
        "count": len(found),
        "most": request.app.state.settings.limit_max,
        "pictures": pictures(request, found.name, found.bounds, {}),
    }


def _addresses(request: Request, found: Collection) -> list[tuple[str, str]]:
    path = f"/collections/{found.name}"
    service = href(request, "/rest/services/strikeatlas/FeatureServer")
    layers = [
        (f"ArcGIS FeatureServer: {f'{found.title} {one.part}'.strip()}", f"{service}/{one.id}")
        for one in LAYERS
        if one.collection == found.name
    ]
    return [
        ("OGC API, for QGIS and GDAL", href(request, "/")),
        ("Vector tiles", f"{href(request, f'/tiles/{found.name}')}/{{z}}/{{x}}/{{y}}.mvt"),
        ("Vector tiles (TileJSON)", href(request, f"/tiles/{found.name}.json")),
        ("Tiles as pictures", f"{href(request, f'/tiles/{found.name}')}/{{z}}/{{x}}/{{y}}.png"),
        ("Style for MapLibre", href(request, f"/styles/{found.name}")),
        ("Style for QGIS (SLD)", href(request, f"/styles/{found.name}", f="sld11")),
        ("A picture of any place", href(request, f"{path}/map", f="png")),
        *layers,
    ]
