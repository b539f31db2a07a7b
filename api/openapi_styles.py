"""Styles and the pictures of their symbols as OpenAPI 3.0 spells them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from api import openapi_parameters as parameters
from api.formats.choice import DOCUMENT
from api.links import JSON
from api.openapi_tiles import Responses, form, get, in_path
from api.styles.catalogue import ENCODINGS, STYLES, of_collection
from api.tiling import PNG
from layers.collection import Collection

Json = dict[str, Any]

_DOCUMENT = tuple(one.media_type for one in DOCUMENT)
_SHEET = tuple(one.media_type for one in ENCODINGS)


def paths(collections: Iterable[Collection], responses: Responses) -> Json:
    """Every path, those under a collection spelled out for each."""
    found = _styles("", "", list(STYLES), responses)
    for one in collections:
        names = list(of_collection(one.name))
        found |= _styles(f"/collections/{one.name}", f": {one.title.lower()}", names, responses)
    told = partial(get, given=[], responses=responses, tag="styles")
    return found | {
        "/sprites/symbols.json": told("Where the symbols are in their picture", [JSON]),
        "/sprites/symbols@2x.json": told("Where the symbols are in their picture of twice the pixels", [JSON]),
        "/sprites/symbols.png": told("Picture of the symbols", [PNG]),
        "/sprites/symbols@2x.png": told("Picture of the symbols of twice the pixels", [PNG]),
    }


def _styles(under: str, of: str, names: Sequence[str], responses: Responses) -> Json:
    told = partial(get, responses=responses, tag="styles")
    one = in_path("styleId", {"type": "string", "enum": list(names)})
    document = parameters.references(parameters.ANY)
    sheet = [one, form(*(encoding.name for encoding in ENCODINGS))]
    return {
        f"{under}/styles": told(f"List of styles{of}", _DOCUMENT, document),
        f"{under}/styles/{{styleId}}": told(f"One style{of}", _SHEET, sheet),
        f"{under}/styles/{{styleId}}/metadata": told(f"About a style{of}", _DOCUMENT, [one, *document]),
    }
