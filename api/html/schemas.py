"""Schemas and the API definition as people read them: properties and operations, their values and bounds in words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from starlette.requests import Request

from api.esri.layers import LAYERS
from api.formats import json_schema
from api.html.documents import plain
from api.html.map_images import pictures
from api.http.json import Json
from api.http.links import href
from api.server.served_version import ServedVersion
from api.wording.catalogue import ENGLISH, phrase
from api.wording.preference import language_of
from layers.collections.collection import Collection
from layers.query.selection import sortables

#: Keywords that `words` has words for, or that have a column of their own.
_WORDED = {
    "title", "description", "type", "format", "enum", "items", "minimum", "maximum", "default", "example", "readOnly",
    "writeOnly", "x-ogc-unit", "x-ogc-role", "x-ogc-propertySeq", "oneOf", "minItems", "maxItems",
}  # fmt: skip


def rows(schema: Json, language: str = ENGLISH) -> list[Json]:
    """List the properties of a schema, in its order."""
    return [
        _property(name, part) | {"words": words(part, language), "role": _role(name, part, schema, language)}
        for name, part in schema["properties"].items()
    ]


def _property(name: str, part: Json) -> Json:
    shown = {"title": "title", "unit": "x-ogc-unit", "doc": "description"}
    return {"name": name, **{key: part.get(keyword, "") for key, keyword in shown.items()}}


def _role(name: str, part: Json, schema: Json, language: str) -> str:
    parts = [part.get("x-ogc-role", "")]
    parts += [phrase("html.schema.required", language)] if name in schema.get("required", ()) else []
    parts += [phrase("html.schema.returned-only", language)] if part.get("readOnly") else []
    parts += [phrase("html.schema.written-only", language)] if part.get("writeOnly") else []
    return ", ".join(part for part in parts if part)


def words(schema: Json, language: str = ENGLISH) -> str:
    """Describe which values a schema allows; "any" where it allows all."""
    return "; ".join(_words(schema, language)) or phrase("html.schema.any", language)


def _words(schema: Json, language: str) -> Iterator[str]:
    kind = " ".join(str(schema[key]) for key in ("type", "format") if key in schema)
    if "items" in schema:
        kind = phrase("html.schema.list-of", language, type=kind, values=words(schema["items"], language)).strip()
    if kind:
        yield kind
    counts = [str(part["minItems"]) for part in schema.get("oneOf", ()) if "minItems" in part]
    if counts:
        yield phrase("html.schema.counts", language, counts=phrase("html.schema.or", language).join(counts))
    for low, high, prefix in (("minimum", "maximum", ""), ("minItems", "maxItems", "items-")):
        bounds = {name: plain(schema[key]) for name, key in (("min", low), ("max", high)) if key in schema}
        if bounds:
            ends = "between" if len(bounds) == 2 else "from" if "min" in bounds else "up-to"
            yield phrase(f"html.schema.{prefix}{ends}", language, **bounds)
    if "enum" in schema:
        yield phrase(
            "html.schema.one-of", language, values=", ".join(plain(value, language) for value in schema["enum"])
        )
    for name in schema:
        if name not in _WORDED:
            yield f"{name} {plain(schema[name])}"


def of_collection(request: Request, view: ServedVersion, collection: Collection, document: Json) -> Json:
    """Give the page of a collection what its JSON lacks: its columns, and addresses to give to programs."""
    language = language_of(request)
    schemas = {name: json_schema.property_schema(collection, one) for name, one in collection.queryables.items()}
    return {
        "columns": [_property(name, part) | {"words": words(part, language)} for name, part in schemas.items()],
        "sortable": list(sortables(collection)),
        "addresses": _addresses(request, collection, language),
        "count": len(collection),
        "limit": request.app.state.settings.limit_max,
        "pictures": pictures(request, collection.name, collection.bounds, {}),
    }


def _addresses(request: Request, collection: Collection, language: str) -> list[tuple[str, str]]:
    """Name and address of each way to read a collection into a program."""
    path = f"/collections/{collection.name}"
    service = href(request, "/rest/services/strikeatlas/FeatureServer")
    titles = {
        layer.id: f"{collection.title} {layer.part}".strip() for layer in LAYERS if layer.collection == collection.name
    }
    layers = [
        (phrase("html.collection.feature-server", language, layer=title), f"{service}/{number}")
        for number, title in titles.items()
    ]
    addresses = {
        "ogc-api": href(request, "/"),
        "vector-tiles": f"{href(request, f'/tiles/{collection.name}')}/{{z}}/{{x}}/{{y}}.mvt",
        "tilejson": f"{href(request, f'/tiles/{collection.name}.json')}",
        "picture-tiles": f"{href(request, f'/tiles/{collection.name}')}/{{z}}/{{x}}/{{y}}.png",
        "maplibre-style": href(request, f"/styles/{collection.name}"),
        "qgis-style": href(request, f"/styles/{collection.name}", f="sld11"),
        "picture": href(request, f"{path}/map", f="png"),
    }
    return [*((phrase(f"html.collection.{name}", language), address) for name, address in addresses.items()), *layers]


#: Methods of the definition, in the order of the page.
METHODS = ("get", "post", "put", "patch", "delete")


def groups(definition: Json, language: str = ENGLISH) -> Mapping[str, list[Json]]:
    """Group all operations by their first tag, in the order of the definition."""
    by_tag: dict[str, list[Json]] = {}
    for path, item in definition["paths"].items():
        for method in METHODS:
            if method in item:
                tag = (item[method].get("tags") or ["others"])[0]
                by_tag.setdefault(tag, []).append(_operation(definition, path, method, item[method], language))
    return by_tag


def shared(definition: Json, language: str = ENGLISH) -> list[Json]:
    """List the parameters that operations share, each once; ``shared`` is the anchor of its description."""
    components = definition.get("components", {}).get("parameters", {})
    return [_parameter(parameter, key, language) for key, parameter in components.items()]


def anchor(text: str) -> str:
    """Write a text as the id of an HTML element."""
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-").lower() or "root"


def _operation(definition: Json, path: str, method: str, operation: Json, language: str) -> Json:
    """Describe a method of a path; ``token`` is whether it needs that of a reviewer, ``leads`` whether a link may."""
    parameters = [_resolved(definition, part, language) for part in operation.get("parameters", ())]
    token = bool(operation.get("security"))
    return {
        "method": method.upper(),
        "path": path,
        "anchor": f"{method}-{anchor(path)}",
        "summary": operation.get("summary", ""),
        "doc": operation.get("description", ""),
        "parameters": parameters,
        "body": [*operation.get("requestBody", {}).get("content", {})],
        "answers": [_answer(definition, status, answer) for status, answer in operation["responses"].items()],
        "token": token,
        "leads": method == "get" and not token and not any(part["required"] for part in parameters),
    }


def _resolved(definition: Json, part: Json, language: str) -> Json:
    if "$ref" not in part:
        return _parameter(part, None, language)
    key = part["$ref"].rpartition("/")[2]
    return _parameter(definition["components"]["parameters"][key], key, language)


def _parameter(parameter: Json, key: str | None, language: str) -> Json:
    schema = parameter.get("schema", {})
    example = parameter.get("example", schema.get("example"))
    return {
        "name": parameter["name"],
        "place": parameter["in"],
        "required": bool(parameter.get("required")),
        "words": words(schema, language),
        "default": plain(schema["default"], language) if "default" in schema else "",
        "example": "" if example is None else _joined(example),
        "doc": parameter.get("description", "") or schema.get("description", ""),
        "shared": None if key is None else f"parameter-{anchor(key)}",
    }


def _joined(example: Any) -> str:
    return ",".join(map(plain, example)) if isinstance(example, list) else plain(example)


def _answer(definition: Json, status: str, answer: Json) -> Json:
    if "$ref" in answer:
        answer = definition["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    return {"status": status, "doc": answer.get("description", ""), "types": [*answer.get("content", {})]}
