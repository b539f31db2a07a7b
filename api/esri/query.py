"""A query of a FeatureServer layer, read from its parameters; those that only shorten the answer are passed over.

The parameter where is a subset of SQL-92, read by the parser of CQL2. It differs in that days and times are written
``DATE '2025-08-06'``, a backslash is a letter, fields are found in any case, and likeness in any case is written with
``UPPER`` or ``LOWER``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from api.esri.errors import EsriError, invalid_parameter
from api.esri.geometry import parse_spatial_reference, spatial_condition
from api.esri.layers import OBJECTID, NumberedCollection
from api.requests.crs import CRS84, Crs
from api.wording.problems import filter_sentence
from layers.collections.queryables import GEOMETRY
from layers.model.messages import Message
from layers.query.cql2_text import MAX_TEXT, FilterError, Tree, parse
from layers.query.filter import Filter, compile_filter
from layers.query.selection import Selection, SortKey

#: Parameters that would change the answer, and are not supported.
_REFUSED = (
    "outStatistics", "groupByFieldsForStatistics", "having", "distance", "relationParam", "historicMoment",
    "returnCentroid", "topFilter", "fullText",
)  # fmt: skip
_UNSET = ("", "0", "0.0", "[]", "null", "false")
_FORMS = ("json", "pjson", "geojson")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_INTEGER = 2**31 - 1


@dataclass(frozen=True)
class LayerQuery:
    """One query: the selected features, by number only those of ``ids`` unless it is None, and what is answered."""

    selection: Selection
    ids: tuple[int, ...] | None
    names: tuple[str, ...]
    crs: Crs
    geometry: bool
    distinct: bool
    count: bool
    only_ids: bool
    extent: bool
    offset: int
    limit: int


def parse_format(params: Mapping[str, str]) -> str:
    """Read f: json, pjson or geojson.

    Raises
    ------
    EsriError
        If f is something else.
    """
    form = params.get("f") or "json"
    if form not in _FORMS:
        raise invalid_parameter("f", form, f"one of {', '.join(_FORMS)}")
    return form


def parse_layer_query(params: Mapping[str, str], collection: NumberedCollection, maximum: int) -> LayerQuery:
    """Read a query.

    ``maximum``: features of the largest answer; a greater resultRecordCount is cut.

    Raises
    ------
    EsriError
        With the first parameter that cannot be read, or that is not supported.
    """
    for name in _REFUSED:
        if params.get(name, "").strip() not in _UNSET:
            raise EsriError(f"'{name}' is not supported")
    first, last = _time(params.get("time", ""))
    distinct = _flag(params, "returnDistinctValues")
    order = _order(params.get("orderByFields", ""), collection)
    names = _names(params.get("outFields", ""), collection, distinct)
    return LayerQuery(
        Selection(None, first, last, _filter(params, collection), order, include_without_geometry=False),
        _ids(params.get("objectIds", "")),
        names,
        parse_spatial_reference("outSR", params["outSR"]) if params.get("outSR") else CRS84,
        _flag(params, "returnGeometry", default=True) and not distinct,
        distinct,
        _flag(params, "returnCountOnly"),
        _flag(params, "returnIdsOnly"),
        _flag(params, "returnExtentOnly"),
        _integer(params, "resultOffset", 0),
        min(_integer(params, "resultRecordCount", maximum), maximum),
    )


def _filter(params: Mapping[str, str], collection: NumberedCollection) -> Filter | None:
    parts: list[Tree] = []
    try:
        where = parse_where(params.get("where", ""), collection.queryables)
        if where is not None:
            parts.append(where)
        if params.get("geometry", "").strip():
            kind = params.get("geometryType") or "esriGeometryEnvelope"
            relation = params.get("spatialRel") or "esriSpatialRelIntersects"
            own = parse_spatial_reference("inSR", params["inSR"]) if params.get("inSR") else None
            parts.append(spatial_condition(params["geometry"], kind, relation, own))
        if not parts:
            return None
        return compile_filter(parts[0] if len(parts) == 1 else {"op": "and", "args": parts}, collection.queryables)
    except FilterError as error:
        details = [filter_sentence(error)]
        raise EsriError("Unable to perform query. 'where' or 'geometry' is invalid", details) from error


def _flag(params: Mapping[str, str], name: str, default: bool = False) -> bool:
    text = params.get(name, "").lower()
    if text not in ("", "true", "false"):
        raise invalid_parameter(name, text, "true or false")
    return text == "true" if text else default


def _integer(params: Mapping[str, str], name: str, default: int) -> int:
    text = params.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= _MAX_INTEGER):
        raise invalid_parameter(name, text, f"a whole number from 0 to {_MAX_INTEGER}")
    return int(text)


def _ids(text: str) -> tuple[int, ...] | None:
    parts = [part.strip() for part in text.split(",")]
    if parts == [""]:
        return None
    if not all(part.isascii() and part.isdigit() and len(part) <= 10 for part in parts):
        raise invalid_parameter("objectIds", text, f"values of {OBJECTID} with commas between")
    return tuple(int(part) for part in parts)


def _fields(collection: NumberedCollection) -> dict[str, str]:
    """Return the name of each field by its small letters."""
    return {name.lower(): name for name in collection.queryables if name != GEOMETRY}


def _names(text: str, collection: NumberedCollection, distinct: bool) -> tuple[str, ...]:
    """Read outFields; `OBJECTID` is always one, but not among distinct values."""
    known = _fields(collection)
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if unknown := [part for part in parts if part != "*" and part.lower() not in known]:
        raise invalid_parameter("outFields", unknown[0], f"* or some of {', '.join(known.values())}")
    named = known.values() if "*" in parts else [known[part.lower()] for part in parts]
    if not distinct:
        return tuple(dict.fromkeys((OBJECTID, *named)))
    names = tuple(name for name in dict.fromkeys(named) if name != OBJECTID)
    if not names:
        raise invalid_parameter("outFields", text, "the fields whose different values are asked for")
    return names


def _order(text: str, collection: NumberedCollection) -> tuple[SortKey, ...]:
    known, keys = _fields(collection), list[SortKey]()
    for part in text.split(",") if text.strip() else ():
        name, _, direction = part.strip().partition(" ")
        direction = direction.strip().upper()
        if name.lower() not in known or direction not in ("", "ASC", "DESC"):
            raise invalid_parameter(
                "orderByFields", part, f"a field, with ASC or DESC behind, of {', '.join(known.values())}"
            )
        keys.append(SortKey(known[name.lower()], direction == "DESC"))
    return tuple(keys)


def _time(text: str) -> tuple[date | None, date | None]:
    """Read time, one instant or two in milliseconds since 1970, to the days that they fall on (UTC)."""
    parts = [part.strip() for part in text.split(",")]
    if parts == [""]:
        return None, None
    try:
        days = [
            None if part.lower() == "null" else (_EPOCH + timedelta(milliseconds=int(part))).date() for part in parts
        ]
    except (ValueError, OverflowError):
        days = []
    first, last = (days[0], days[-1]) if 0 < len(days) <= 2 else (date.max, date.min)
    if first and last and last < first:
        raise invalid_parameter(
            "time", text, "milliseconds since 1970, or two with a comma between, null for an open end"
        )
    return first, last


#: Literals and quoted names, so that nothing inside of them is taken for SQL; days and times first. One that is not
#: closed is the rest of the text, which `parse` refuses.
_LITERAL = re.compile(
    r"""\b(?:DATE|TIMESTAMP)\s*'(?P<time>[^']*)'|(?P<text>'(?:[^']|'')*+'?)|(?P<name>"(?:[^"]|"")*+"?)""", re.IGNORECASE
)
_EVERYTHING = re.compile(r"\s*+\(?\s*+1\s*+=\s*+1\s*+\)?\s*+")
_TIME = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?))?(Z?)", re.ASCII)
_COMPARISONS = ("=", "<>", "<", ">", "<=", ">=", "like", "in", "between")


def parse_where(text: str, names: Iterable[str]) -> Tree | None:
    """Read a where clause to the tree of a filter; ``None`` for one that selects everything.

    Raises
    ------
    FilterError
        If the text is too long, too deep, or outside the subset of SQL-92.
    """
    if not text.strip() or _EVERYTHING.fullmatch(text):
        return None
    if len(text) > MAX_TEXT:
        raise FilterError(Message("filter.at-most-characters", {"limit": MAX_TEXT}))
    tree = parse(_LITERAL.sub(_literal, text))
    spelled: Tree = _named(tree, {name.lower(): name for name in names})
    return spelled


def _literal(literal: re.Match[str]) -> str:
    if literal["time"] is not None:
        return _instant(literal["time"])
    return literal[0].replace("\\", "\\\\") if literal["text"] is not None else literal[0]


def _instant(text: str) -> str:
    read = _TIME.fullmatch(text.strip())
    if read is None:
        raise FilterError(Message("filter.sql-time", {"found": text[:40]}))
    day, time, _ = read.groups()
    return f"DATE('{day}')" if time is None else f"TIMESTAMP('{day}T{time}Z')"


def _named(node: Any, names: dict[str, str]) -> Any:
    """Return a tree with every field in its own spelling; comparisons of UPPER or LOWER become those in any case."""
    if isinstance(node, list):
        return [_named(part, names) for part in node]
    if not isinstance(node, dict):
        return node
    if "property" in node:
        return {"property": names.get(node["property"].lower(), node["property"])}
    if "op" not in node:
        return node
    args = _named(node["args"], names)
    if node["op"] in _COMPARISONS and any(_is_cased(arg) for arg in args):
        args = _folded(args)
    return {**node, "args": args}


def _is_cased(node: Any) -> bool:
    return isinstance(node, dict) and node.get("op") in ("upper", "lower")


def _folded(node: Any) -> Any:
    if isinstance(node, list):
        return [_folded(part) for part in node]
    inner = node["args"][0] if _is_cased(node) and len(node["args"]) == 1 else node
    return {"op": "casei", "args": [inner]}
