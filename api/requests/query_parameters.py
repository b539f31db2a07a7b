"""What a request selects of a collection, and how the answer is to be told, read from its parameters."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Query, Request
from shapely.geometry.base import BaseGeometry

from api.requests import crs
from api.requests.representation import Telling
from api.requests.scalars import MAX_LENGTH, BadParameter, Days, parse_days, parse_flag, parse_whole
from layers.collections.collection import Collection
from layers.collections.queryables import GEOMETRY, Queryable
from layers.query.cql2_text import FilterError, Language, Tree, parse
from layers.query.filter import Filter, compiled
from layers.query.keyset_cursor import keyed
from layers.query.selection import Selection, SortKey

LANGUAGES: tuple[Language, ...] = ("cql2-text", "cql2-json")
PROFILES = ("rfc7946", "jsonfg", "jsonfg-plus")
#: Kinds of queryables that can be sorted by.
SORTABLE = ("text", "integer", "number", "boolean", "date")
#: How features come that are asked for in no order; after that by id.
ORDERS: Mapping[str, tuple[SortKey, ...]] = {
    "strikes": (SortKey("when", True), SortKey("id", True)),
    "attributions": (SortKey("when", True),),
}
#: Parameters that a filter is read from, besides the queryables.
_FILTERING = ("filter", "filter-lang", "filter-crs")
_MOST = 2**31
#: Numbers up to here are exact in JSON (RFC 8259, 6), and filters know no greater ones.
LARGEST = 2**53


async def only_known(
    request: Request, f: Annotated[Literal["json"], Query(description="Format of the answer.")] = "json"
) -> None:
    """Refuse query parameters that the definition does not name, where f is json alone; see `require_named_once`."""
    require_named_once(request)


async def named_once(request: Request) -> None:
    """Be `require_named_once` as a dependency of a route; async, as a thread costs more than it does."""
    require_named_once(request)


def require_named_once(request: Request) -> None:
    """Refuse query parameters that are given twice or not named in the definition (OGC 17-069r4, 7.8).

    Raises
    ------
    BadParameter
        With the first such name.
    """
    if not request.scope["query_string"]:
        return
    path = request.scope["route"].path_format.replace("{collection}", request.path_params.get("collection", ""))
    known = known_parameters(request.app, path, request.method.lower())
    if known is None:  # no such collection, as the answer will say
        return
    seen: set[str] = set()
    for name, value in request.query_params.multi_items():
        if name not in known:
            raise BadParameter(name[:80], value, f"one of the parameters {', '.join(known)}")
        if name in seen:
            raise BadParameter(name, value, "one value")
        seen.add(name)


#: What is known of each application by path and method; it does not keep the application alive.
_KNOWN: weakref.WeakKeyDictionary[FastAPI, dict[tuple[str, str], tuple[str, ...]]] = weakref.WeakKeyDictionary()


def known_parameters(app: FastAPI, path: str, method: str) -> tuple[str, ...] | None:
    """Names of the query parameters of an operation in the definition; ``None`` where it has no such operation."""
    known = _KNOWN.setdefault(app, {})
    if (path, method) not in known:
        definition = app.openapi()
        operation = definition["paths"].get(path, {}).get(method)
        if operation is None:
            return None
        shared = definition.get("components", {}).get("parameters", {})
        parts = (
            shared[part["$ref"].rpartition("/")[2]] if "$ref" in part else part for part in operation["parameters"]
        )
        known[path, method] = tuple(part["name"] for part in parts if part["in"] == "query")
    return known[path, method]


@dataclass(frozen=True)
class Asked:
    """A page that is asked for: which features in which order, from where, how many, and how they are told."""

    selection: Selection
    telling: Telling
    limit: int
    offset: int
    cursor: str | None
    profile: str


def asked_of(query: Mapping[str, str], collection: Collection, default: int, most: int) -> Asked:
    """Read the parameters of items; a limit over ``most`` is cut (OGC 17-069r4, 7.15.2).

    Raises
    ------
    BadParameter
        With the first that cannot be read.
    """
    limit = _whole(query, "limit", default, 1)
    offset = _whole(query, "offset", _whole(query, "startindex", 0))
    if "cursor" in query and (offset or "offset" in query or "startindex" in query):
        raise BadParameter("cursor", query["cursor"], "either a cursor or an offset")
    selection = selection_of(query, collection)
    if not selection.order:
        selection = replace(selection, order=ORDERS.get(collection.name, ()))
    return Asked(
        keyed(selection),
        telling_of(query, collection),
        min(limit, most),
        offset,
        query.get("cursor"),
        profile_of(query),
    )


def _whole(query: Mapping[str, str], name: str, default: int, least: int = 0) -> int:
    return parse_whole(name, query[name], least, _MOST) if name in query else default


def selection_of(query: Mapping[str, str], collection: Collection) -> Selection:
    """Read bbox, datetime, filter, sortby, what goes with them, and each queryable as a parameter; others are left.

    Raises
    ------
    BadParameter
        With the first that cannot be read.
    """
    area = _area(query)
    days = parse_days(query["datetime"]) if "datetime" in query else Days()
    where = _where(query, collection)
    if area is not None and not area.is_exact:
        where = crs.Within.of(area, where)
    box = None if area is None else area.box
    return Selection(box, days.first, days.last, where, _order(query, collection))


def telling_of(query: Mapping[str, str], collection: Collection) -> Telling:
    """Read crs, properties and skipGeometry.

    Raises
    ------
    BadParameter
        With the first that cannot be read, or a property that there is not.
    """
    system = crs.named(query["crs"], "crs") if "crs" in query else crs.CRS84
    geometry = not parse_flag("skipGeometry", query["skipGeometry"]) if "skipGeometry" in query else True
    if "properties" not in query:
        return Telling(system, None, geometry)
    asked = tuple(query["properties"].split(",")) if query["properties"] else ()
    names = [column.name for column in collection.columns]
    if any(name not in names for name in asked):
        raise BadParameter("properties", query["properties"], f"some of {','.join(names)}")
    return Telling(system, asked, geometry)


def profile_of(query: Mapping[str, str]) -> str:
    """Read profile, the last that is named counts; rfc7946 by default (OGC 21-045r1, 15).

    Raises
    ------
    BadParameter
        If it names one that there is not.
    """
    profiles = query.get("profile", PROFILES[0]).split(",")
    if any(profile not in PROFILES for profile in profiles):
        raise BadParameter("profile", query["profile"], f"some of {','.join(PROFILES)}")
    return profiles[-1]


def _area(query: Mapping[str, str]) -> crs.Region | None:
    system = crs.named(query["bbox-crs"], "bbox-crs") if "bbox-crs" in query else crs.CRS84
    return crs.region(query["bbox"], system) if "bbox" in query else None


def _order(query: Mapping[str, str], collection: Collection) -> tuple[SortKey, ...]:
    if "sortby" not in query:
        return ()
    names = sortables(collection)
    keys: list[SortKey] = []
    for part in query["sortby"].split(","):
        # A plus that was not encoded is read as a space.
        name = part[1:] if part[:1] in ("+", "-", " ") else part
        if name not in names or name in (key.name for key in keys):
            raise BadParameter(
                "sortby", query["sortby"], f"each once, with - in front to descend, of {','.join(names)}"
            )
        keys.append(SortKey(name, part[:1] == "-"))
    return tuple(keys)


def sortables(collection: Collection) -> dict[str, Queryable]:
    """What a collection can be sorted by, in the order of its columns."""
    return {name: one for name, one in collection.queryables.items() if one.kind in SORTABLE}


def _where(query: Mapping[str, str], collection: Collection) -> Filter | None:
    """The filter and every queryable that is a parameter, all of which must hold; the last ones read are kept."""
    known = collection.queryables
    asked = {name: value for name, value in query.items() if name in _FILTERING or (name in known and name != GEOMETRY)}
    if not asked:
        return None
    made: Filter | None = collection.filters.get(tuple(asked.items()), lambda: _filter(asked, known))
    return made


def _filter(asked: Mapping[str, str], known: Mapping[str, Queryable]) -> Filter | None:
    parts: list[Tree] = [_equals(known[name], value) for name, value in asked.items() if name in known]
    language, to_lonlat = _language(asked), _to_lonlat(asked)
    try:
        if "filter" in asked:
            parts.append(parse(asked["filter"], language))
        if not parts:
            return None
        return compiled(parts[0] if len(parts) == 1 else {"op": "and", "args": parts}, known, to_lonlat)
    except FilterError as error:
        at = f" at {error.pointer}" if error.pointer else ""
        raise BadParameter("filter", asked.get("filter", ""), f"{error.expected}{at}") from error


def _language(query: Mapping[str, str]) -> Language:
    language = query.get("filter-lang", LANGUAGES[0])
    if language not in LANGUAGES:
        raise BadParameter("filter-lang", language, f"one of {', '.join(LANGUAGES)}")
    return language


def _to_lonlat(query: Mapping[str, str]) -> Any:
    system = crs.named(query["filter-crs"], "filter-crs") if "filter-crs" in query else crs.CRS84
    if system is crs.CRS84:
        return None

    def to_lonlat(shape: BaseGeometry) -> BaseGeometry:
        moved: BaseGeometry | None = crs.unproject([shape], system)[0]
        if moved is None:
            raise FilterError(f"coordinates of {system.name}")
        return moved

    return to_lonlat


def _equals(queryable: Queryable, text: str) -> Tree:
    """The filter that a parameter of the name of a queryable stands for; a list must hold each of its texts."""
    prop = {"property": queryable.name}
    if queryable.kind == "list":
        parts = [_text(queryable, part) for part in text.split(",") if text]
        return {"op": "a_contains", "args": [prop, parts]} if parts else True
    return {"op": "=", "args": [prop, _value(queryable, text)]}


def _value(queryable: Queryable, text: str) -> Any:
    name = queryable.name
    match queryable.kind:
        case "integer":
            return parse_whole(name, text, -LARGEST, LARGEST)
        case "number":
            return _number(name, text)
        case "boolean":
            return parse_flag(name, text)
        case "date":
            return {"date": _date(name, text)}
        case _:
            return _text(queryable, text)


def _text(queryable: Queryable, text: str) -> str:
    if queryable.enum and text not in queryable.enum:
        raise BadParameter(queryable.name, text, f"one of {', '.join(queryable.enum)}")
    if len(text) > MAX_LENGTH or "\0" in text:
        raise BadParameter(queryable.name, text, f"at most {MAX_LENGTH} letters")
    return text


def _number(name: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if abs(number) <= LARGEST:
        return number
    raise BadParameter(name, text, "a number from -2^53 to 2^53")


def _date(name: str, text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise BadParameter(name, text, "a day such as 2025-08-08") from None


#: Parameters that select among the features of a tile, whose box is the tile; and the queryables.
SELECTING = ("datetime", "filter", "filter-lang", "filter-crs")
