"""Styles and the pictures of their symbols as OpenAPI 3.0 spells them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from api import openapi_parameters as parameters
from api.formats.choice import DOCUMENT
from api.links import JSON
from api.openapi_tiles import form_of, get, in_path
from api.styles.catalogue import ENCODINGS, STYLES, of_collection
from api.tiling import PNG
from layers.collection import Collection

Json = dict[str, Any]

_DOCUMENT = tuple(one.media_type for one in DOCUMENT)
_SHEET = tuple(one.media_type for one in ENCODINGS)


def paths(collections: Iterable[Collection]) -> Json:
    """Every path, those under a collection spelled out for each."""
    found = _styles("", "", list(STYLES))
    for one in collections:
        found |= _styles(f"/collections/{one.name}", f": {one.title.lower()}", list(of_collection(one.name)))
    for twice, of in (("", ""), ("@2x", " of twice the pixels")):
        where = f"Where the symbols are in their picture{of}"
        found |= get(f"/sprites/symbols{twice}.json", where, [JSON], [], "styles")
        found |= get(f"/sprites/symbols{twice}.png", f"Picture of the symbols{of}", [PNG], [], "styles")
    return found


def _styles(under: str, of: str, names: Sequence[str]) -> Json:
    path = f"{under}/styles"
    one = in_path("styleId", {"type": "string", "enum": list(names)})
    document = parameters.references(parameters.ANY)
    sheet = [one, form_of(*(encoding.name for encoding in ENCODINGS))]
    return {
        **get(path, f"List of styles{of}", _DOCUMENT, document, "styles"),
        **get(f"{path}/{{styleId}}", f"One style{of}", _SHEET, sheet, "styles"),
        **get(f"{path}/{{styleId}}/metadata", f"About a style{of}", _DOCUMENT, [one, *document], "styles"),
    }
