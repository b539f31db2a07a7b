"""Schemas and the API definition as people read them: properties and operations, their values and bounds in words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

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


class Property(NamedTuple):
    """One property of a schema."""

    name: str
    title: str
    words: str
    unit: str
    doc: str
    role: str


def rows(schema: Json, language: str = ENGLISH) -> list[Property]:
    """List the properties of a schema, in its order."""
    return [
        Property(
            name,
            part.get("title", ""),
            words(part, language),
            part.get("x-ogc-unit", ""),
            part.get("description", ""),
            _role(name, part, schema, language),
        )
        for name, part in schema["properties"].items()
    ]


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
    columns = [
        Property(
            name,
            column.name.replace("_", " "),
            words(json_schema.property_schema(collection, column), language),
            column.unit or "",
            column.doc,
            "",
        )
        for name, column in collection.queryables.items()
    ]
    return {
        "columns": columns,
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


class Parameter(NamedTuple):
    """A parameter; ``shared`` is the anchor of one that the page describes once for all operations."""

    name: str
    place: str
    required: bool
    words: str
    default: str
    example: str
    doc: str
    shared: str | None = None


class DocumentedResponse(NamedTuple):
    """An answer: its status, what it means, and its media types."""

    status: str
    doc: str
    types: tuple[str, ...]


class Operation(NamedTuple):
    """A method of a path; ``token`` is whether it needs the token of a reviewer."""

    method: str
    path: str
    anchor: str
    summary: str
    doc: str
    parameters: list[Parameter]
    body: tuple[str, ...]
    answers: list[DocumentedResponse]
    token: bool

    @property
    def leads(self) -> bool:
        """Return whether a link can lead to the path: a GET without required parameters and without a token."""
        needs_more = any(part.required for part in self.parameters)
        return self.method == "GET" and not needs_more and not self.token


def groups(definition: Json, language: str = ENGLISH) -> Mapping[str, list[Operation]]:
    """Group all operations by their first tag, in the order of the definition."""
    by_tag: dict[str, list[Operation]] = {}
    for path, item in definition["paths"].items():
        for method in METHODS:
            if method in item:
                tag = (item[method].get("tags") or ["others"])[0]
                by_tag.setdefault(tag, []).append(_operation(definition, path, method, item[method], language))
    return by_tag


def shared(definition: Json, language: str = ENGLISH) -> list[Parameter]:
    """List the parameters that operations share, each once."""
    components = definition.get("components", {}).get("parameters", {})
    return [_parameter(parameter, key, language) for key, parameter in components.items()]


def anchor(text: str) -> str:
    """Write a text as the id of an HTML element."""
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-").lower() or "root"


def _operation(definition: Json, path: str, method: str, operation: Json, language: str) -> Operation:
    return Operation(
        method.upper(),
        path,
        f"{method}-{anchor(path)}",
        operation.get("summary", ""),
        operation.get("description", ""),
        [_resolved(definition, part, language) for part in operation.get("parameters", ())],
        tuple(operation.get("requestBody", {}).get("content", {})),
        [_answer(definition, status, answer) for status, answer in operation["responses"].items()],
        bool(operation.get("security")),
    )


def _resolved(definition: Json, part: Json, language: str) -> Parameter:
    if "$ref" not in part:
        return _parameter(part, None, language)
    key = part["$ref"].rpartition("/")[2]
    return _parameter(definition["components"]["parameters"][key], key, language)


def _parameter(parameter: Json, key: str | None, language: str) -> Parameter:
    schema = parameter.get("schema", {})
    example = parameter.get("example", schema.get("example"))
    return Parameter(
        parameter["name"],
        parameter["in"],
        bool(parameter.get("required")),
        words(schema, language),
        plain(schema["default"], language) if "default" in schema else "",
        "" if example is None else _joined(example),
        parameter.get("description", "") or schema.get("description", ""),
        None if key is None else f"parameter-{anchor(key)}",
    )


def _joined(example: Any) -> str:
    return ",".join(map(plain, example)) if isinstance(example, list) else plain(example)


def _answer(definition: Json, status: str, answer: Json) -> DocumentedResponse:
    if "$ref" in answer:
        answer = definition["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    return DocumentedResponse(status, answer.get("description", ""), tuple(answer.get("content", {})))
