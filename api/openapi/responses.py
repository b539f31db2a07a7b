"""What operations may be answered as OpenAPI 3.0 spells it: every status by its own code, what JSON answers hold."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from api.http.links import GEOJSON
from api.openapi.parameters import simple
from layers.collections.collection import Collection
from layers.collections.queryables import GEOMETRY
from layers.model.records import NOUNS

Json = dict[str, Any]

_TEXT: Json = {"type": "string"}
_WHOLE: Json = {"type": "integer", "minimum": 0}
_NUMBER: Json = {"type": "number"}
_FLAG: Json = {"type": "boolean"}
_MAYBE: Json = {"type": "string", "nullable": True}
_ANY: Json = {"type": "object"}

PROBLEM: Json = {"$ref": "#/components/responses/Problem"}
#: What any operation may be answered: what cannot be read, is too long, fails, or has to wait.
_ALWAYS = ("400", "414", "431", "500", "503")


def responses(media_types: Sequence[str], path: str) -> Json:
    """The answers of an operation that reads, by status; nothing else is answered to it.

    What a path names may not be there, and where there are more forms, or one that f names, none may be accepted.
    """
    told: Json = {"200": good("The answer.", media_types), "304": {"description": "The client has it."}}
    told |= dict.fromkeys(_ALWAYS, PROBLEM)
    if "{" in path:
        told["404"] = PROBLEM
    if len(media_types) > 1 or re.fullmatch(r"/collections/.+/(map|\{tileCol\})", path):
        told["406"] = PROBLEM
    return told


def good(description: str, media_types: Sequence[str], headers: Mapping[str, str] | None = None) -> Json:
    """A good answer in its forms; headers that it always bears with what they tell."""
    told: Json = {"description": description, "content": {name: {"schema": _written(name)} for name in media_types}}
    if headers:
        told["headers"] = {
            name: {"description": doc, "required": True, "schema": _TEXT} for name, doc in headers.items()
        }
    return told


def _written(media_type: str) -> Json:
    """What is written in a form; of JSON `fill` says more."""
    if media_type.partition(";")[0].endswith("json"):
        return {}
    return _TEXT if media_type.startswith("text/") else {"type": "string", "format": "binary"}


def fill(paths: Mapping[str, Json]) -> None:
    """Let every good answer in JSON name the schema of what it holds, by its path."""
    for path, item in paths.items():
        for method, operation in item.items():
            for status, answer in operation["responses"].items():
                for media_type, body in answer.get("content", {}).items() if status[0] == "2" else ():
                    if body["schema"] == {}:
                        body["schema"] = {"$ref": f"#/components/schemas/{_name(method, path, media_type)}"}


#: Names of schemas by path, the first that fits; of features by collection.
_NAMES = {
    "/": "Landing",
    "/api": "Definition",
    "/conformance": "Conformance",
    "/collections": "Collections",
    "/collections/[^/]+": "Collection",
    "/collections/[^/]+/(queryables|sortables|schema)|/schemas/.+": "JsonSchema",
    "/collections/([^/]+)/items": "Features",
    "/collections/([^/]+)/items/.+": "Feature",
    "/collections/[^/]+(/map)?/tiles": "Tilesets",
    "/collections/[^/]+(/map)?/tiles/.+": "Tileset",
    "/strikes/.+/attribution": "StrikeAnswer",
    "/countries": "Countries",
    "/countries/.+": "CountryAnswer",
    "/assets/.+/owners": "Owners",
    "/entities/.+/holdings": "Holdings",
    "/records/.+": "Record",
    "/about": "About",
    "/places": "Places",
    "/review/queue": "Queue",
    "/review/strikes/.+": "StrikeToReview",
    "/review/decisions": "Decided",
    "/tiles/.+[.]json": "TileJson",
    "/style.json|(/collections/[^/]+)?/styles/[^/]+": "Style",
    "(/collections/[^/]+)?/styles": "Styles",
    "(/collections/[^/]+)?/styles/[^/]+/metadata": "StyleMetadata",
    "/sprites/.+": "Sprites",
    "/tileMatrixSets": "TileMatrixSets",
    "/tileMatrixSets/.+": "TileMatrixSet",
}


def _name(method: str, path: str, media_type: str) -> str:
    if method != "get" and media_type == GEOJSON:
        return "WrittenStrike"
    for pattern, name in _NAMES.items():
        if found := re.fullmatch(pattern, path):
            return f"{name}_{found[1]}" if media_type == GEOJSON else name
    raise LookupError(f"no schema of what {path} answers")


def schemas(collections: Iterable[Collection]) -> Json:
    """The schemas of all answers in JSON, by name."""
    told = {**_DOCUMENTS, **_ANSWERS}
    for one in collections:
        told[f"Feature_{one.name}"] = _feature(one)
        told[f"Features_{one.name}"] = _object(
            type={"type": "string", "enum": ["FeatureCollection"]},
            links=_LINKS,
            numberMatched=_WHOLE,
            numberReturned=_WHOLE,
            timeStamp={"type": "string", "format": "date-time"},
            features=_list(_ref(f"Feature_{one.name}")),
        )
    return told


def _feature(collection: Collection) -> Json:
    """One feature; of its properties only those may be there that were asked for."""
    known = [one for one in collection.queryables.values() if one.name != GEOMETRY]
    properties = {one.name: {**simple(collection, one), "nullable": True} for one in known}
    for one in properties.values():
        if "enum" in one:
            one["enum"] = [*one["enum"], None]
    return _object(
        type={"type": "string", "enum": ["Feature"]},
        id=_TEXT,
        geometry={**_object(type=_TEXT), "nullable": True},
        properties={"type": "object", "properties": properties},
    )


def _object(**members: Json) -> Json:
    """An object that has all these members, and may have more."""
    return {"type": "object", "required": list(members), "properties": members}


def _list(items: Json) -> Json:
    return {"type": "array", "items": items}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


_LINKS = _list(_ref("Link"))
_RECORD = _object(id=_TEXT, dataset=_TEXT)
_SHARES = _list(_object(country=_MAYBE, name=_TEXT, share_min=_NUMBER, share_max=_NUMBER))
_TILESET = {"dataType": _TEXT, "crs": _TEXT, "tileMatrixSetURI": _TEXT, "links": _LINKS}
_STRIKE_ANSWER = {
    "strike": _RECORD, "basis": _TEXT, "minority": _TEXT, "rests_on": _TEXT, "owners": _SHARES, "related": _list(_ANY),
}  # fmt: skip

#: What the documents of the OGC's standards hold.
_DOCUMENTS: Json = {
    "Link": _object(rel=_TEXT, href=_TEXT),
    "Landing": _object(title=_TEXT, description=_TEXT, links=_LINKS),
    "Definition": _object(openapi=_TEXT, info=_ANY, paths=_ANY),
    "Conformance": _object(conformsTo=_list(_TEXT)),
    "Collection": _object(id=_TEXT, title=_TEXT, crs=_list(_TEXT), storageCrs=_TEXT, extent=_ANY, links=_LINKS),
    "Collections": _object(links=_LINKS, collections=_list(_ref("Collection"))),
    "JsonSchema": _object(type=_TEXT, properties=_ANY),
    "TileMatrixSets": _object(tileMatrixSets=_list(_object(id=_TEXT, links=_LINKS)), links=_LINKS),
    "TileMatrixSet": _object(id=_TEXT, crs=_TEXT, tileMatrices=_list(_object(id=_TEXT, cellSize=_NUMBER))),
    "Tilesets": _object(tilesets=_list(_object(**_TILESET)), links=_LINKS),
    "Tileset": _object(**_TILESET, tileMatrixSetLimits=_list(_object(tileMatrix=_TEXT, maxTileRow=_WHOLE))),
    "TileJson": _object(tilejson=_TEXT, tiles=_list(_TEXT), vector_layers=_list(_object(id=_TEXT, fields=_ANY))),
    "Styles": _object(default=_TEXT, styles=_list(_object(id=_TEXT, title=_TEXT, links=_LINKS)), links=_LINKS),
    "StyleMetadata": _object(id=_TEXT, title=_TEXT, stylesheets=_list(_object(title=_TEXT, link=_ref("Link")))),
    "Sprites": {"type": "object", "additionalProperties": _object(x=_WHOLE, y=_WHOLE, width=_WHOLE, height=_WHOLE)},
    "Style": _object(version=_WHOLE, sources=_ANY, layers=_list(_object(id=_TEXT, type=_TEXT))),
}

_RELATIONS = {"type": "object", "additionalProperties": _object(strikes=_WHOLE)}
#: What our own answers hold.
_ANSWERS: Json = {
    "StrikeAnswer": _object(**_STRIKE_ANSWER),
    "StrikeToReview": _object(**_STRIKE_ANSWER, candidates=_list(_ANY), decisions=_list(_RECORD), seen=_MAYBE),
    "Countries": _object(basis=_TEXT, minority=_TEXT, countries=_list(_object(country=_TEXT, relations=_RELATIONS))),
    "CountryAnswer": _object(country=_TEXT, name=_TEXT, relations=_RELATIONS, owned=_list(_ANY), related=_list(_ANY)),
    "Owners": _object(asset=_RECORD, on={"type": "string", "format": "date"}, owners=_SHARES, chains=_list(_ANY)),
    "Holdings": _object(
        entity=_RECORD, on={"type": "string", "format": "date"}, holdings=_list(_object(id=_TEXT, kind=_TEXT))
    ),
    "Record": _RECORD,
    "About": _object(version=_TEXT, seq=_WHOLE, data_date=_TEXT, records=_object(**dict.fromkeys(NOUNS, _WHOLE))),
    "Places": _object(
        query=_TEXT, ambiguous=_FLAG, best={"type": "integer", "nullable": True}, why=_TEXT,
        candidates=_list(_object(id=_WHOLE, name=_TEXT, lon=_NUMBER, lat=_NUMBER, score=_NUMBER, reasons=_list(_ANY))),
    ),
    "Queue": _object(
        numberMatched=_WHOLE, numberReturned=_WHOLE,
        queue=_list(_object(strike=_TEXT, title=_TEXT, gain=_NUMBER, candidates=_WHOLE)),
    ),
    "WrittenStrike": _object(
        type={"type": "string", "enum": ["Feature"]}, id=_TEXT, geometry={**_ANY, "nullable": True},
        properties=_object(title=_TEXT, when=_TEXT, place=_TEXT, status=_TEXT, sources=_list(_TEXT), checked=_TEXT),
    ),
    "Decided": _object(seq=_WHOLE, decision=_RECORD),
}  # fmt: skip

#: What is wrong, of whichever status.
PROBLEM_BODY: Json = {
    "description": "What is wrong (RFC 9457).",
    "content": {
        "application/problem+json": {
            "schema": _object(type=_TEXT, title=_TEXT, status={"type": "integer"}, detail=_TEXT)
        },
        # What a browser gets.
        "text/html": {"schema": _TEXT},
    },
}
