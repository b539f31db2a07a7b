"""What a browser is answered: one page a resource, with all that its JSON says; data goes in as text, never as HTML."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import orjson
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request

from api.html import documents, features, operations, schemas
from api.html.documents import plain
from api.html.map_images import pictures
from api.http.links import href
from api.server.served_version import View
from layers.collections.collection import Collection
from layers.reference.basemap import ATTRIBUTION

Json = Mapping[str, Any]

TEMPLATES = Path(__file__).parent / "templates"
#: Characters that HTML may not hold (WHATWG HTML, 13.2.3.5), and halves of characters.
_UNFIT = re.compile(
    "[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef"
    + "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 0x10000))
    + "]"
)
#: Controls of the direction of text, which a title has no element to hold together.
_DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069]")
#: Titles of pages that are not those of their collection or feature.
_TITLES = {
    "landing": "StrikeAtlas",
    "definition": "API definition",
    "conformance": "Conformance",
    "collections": "Collections",
    "connect": "Connect",
    "styles": "Styles",
}
_OF_COLLECTION = {
    "items": "Features",
    "queryables": "Filter by",
    "sortables": "Sort by",
    "schema": "Schema",
    "styles": "Styles",
}
_STANDARDS = {
    "ogcapi-common-1": "OGC API - Common, part 1",
    "ogcapi-features-1": "OGC API - Features, part 1: core",
    "ogcapi-features-2": "OGC API - Features, part 2: systems",
    "ogcapi-features-3": "OGC API - Features, part 3: filtering",
    "ogcapi-features-4": "OGC API - Features, part 4: writing",
    "ogcapi-features-5": "OGC API - Features, part 5: schemas",
    "ogcapi-features-8": "OGC API - Features, part 8: sorting",
    "ogcapi-styles-1": "OGC API - Styles (draft)",
    "ogcapi-tiles-1": "OGC API - Tiles, part 1",
    "json-fg-1": "Features and Geometries JSON",
    "cql2": "Common Query Language (CQL2)",
}
_SCHEMAS = ("queryables", "sortables", "schema")
#: What makes what the pages of a collection and its features need besides their JSON.
_OF_FEATURES: Mapping[str, Callable[[Request, View, Collection, Json], Json]] = {
    "collection": schemas.of_collection,
    "items": features.of_items,
    "item": features.of_item,
}


def page(request: Request, view: View, kind: str, told: Json) -> bytes:
    """The page of a resource.

    Parameters
    ----------
    kind
        landing, definition, conformance, collections, collection, items, item, queryables, sortables, schema,
        styles, connect, or answer for any other.
    told
        What the resource says as JSON.
    """
    found = view.snapshot.collections.get(request.path_params.get("collection", ""))
    more = {
        "collections": view.snapshot.collections,
        "collection": found,
        "trail": _trail(request, kind, found, told),
        **_more(request, view, kind, found, told),
    }
    return _rendered(request, "schema" if kind in _SCHEMAS else kind, told, more)


def _more(request: Request, view: View, kind: str, found: Collection | None, told: Json) -> Json:
    """What the page of a kind needs besides its JSON."""
    if kind == "landing":
        return {"pictures": pictures(request, None, view.snapshot.collections["strikes"].bounds, {})}
    if kind == "conformance":
        return {"standards": _standards(told)}
    if kind == "definition":
        return {"groups": operations.groups(told), "shared": operations.shared(told)}
    if kind in _SCHEMAS:
        return {"rows": schemas.rows(told)}
    if kind == "answer":
        # Through JSON, so that days are texts here as there.
        plain_told = orjson.loads(orjson.dumps({name: part for name, part in told.items() if name != "links"}))
        asked = {**request.query_params, "f": "json"}
        return {"answer": documents.told_of(plain_told), "as_json": _here(request, asked)}
    of_features = _OF_FEATURES.get(kind)
    return {} if of_features is None or found is None else of_features(request, view, found, told)


def problem(request: Request, told: Json) -> bytes:
    """The page of an error."""
    return _rendered(request, "problem", told, {"trail": [(str(told["title"]), None)]})


def _rendered(request: Request, kind: str, told: Json, more: Json) -> bytes:
    """The page of a template; characters that HTML may not hold are replaced."""
    text = _templates().get_template(f"{kind}.html").render(
        kind=kind,
        told=told,
        href=partial(href, request),
        base=href(request, "/").rstrip("/"),
        credit=(request.app.state.settings.attribution, ATTRIBUTION),
        **more,
    )  # fmt: skip
    return text.encode()


def _trail(request: Request, kind: str, found: Collection | None, told: Json) -> list[tuple[str, str | None]]:
    """Name and address of the pages that lead here, this one last and without address."""
    if kind == "answer":
        return [(_summary(request), None)]
    if found is None:
        return [(_TITLES[kind], None)]
    path = f"/collections/{found.name}"
    above: list[tuple[str, str | None]] = [("Collections", href(request, "/collections"))]
    if kind == "collection":
        return [*above, (found.title, None)]
    above.append((found.title, href(request, path)))
    if kind == "item":
        return [*above, ("Features", href(request, f"{path}/items")), (features.name_of(told), None)]
    return [*above, (_OF_COLLECTION[kind], None)]


def _summary(request: Request) -> str:
    """What an answer without a page of its own is called: by its route, and of what it is."""
    named = [text for text in request.path_params.values() if isinstance(text, str)]
    return ": ".join((request.scope["route"].summary, *([", ".join(named)] if named else [])))


def _here(request: Request, asked: Mapping[str, str]) -> str:
    """The address of the same resource with other parameters."""
    root: str = request.scope.get("root_path", "")
    path = urllib.parse.quote(request.scope["path"].removeprefix(root))
    return href(request, path, **asked)


def _standards(told: Json) -> Mapping[str, list[str]]:
    """The URIs of the classes by the name of their standard."""
    found: dict[str, list[str]] = {}
    for uri in told["conformsTo"]:
        key = uri.removeprefix("http://www.opengis.net/spec/").partition("/")[0]
        found.setdefault(_STANDARDS.get(key, key), []).append(uri)
    return found


@lru_cache(maxsize=1)
def _templates() -> Environment:
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_fit,
    )
    made.filters["flat"] = flat
    made.filters["plain"] = plain
    return made


def _fit(value: Any) -> Any:
    """A text without characters that HTML may not hold; what templates made of others is fit already."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return _UNFIT.sub("\ufffd", value)
    return value


def flat(text: str) -> str:
    """A text for a title, without controls of direction."""
    return _DIRECTION.sub("", text)
