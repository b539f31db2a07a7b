"""What a query of a FeatureServer layer asks, read from its parameters; those that ask for less are passed over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from api.esri.errors import EsriError, unreadable
from api.esri.geometry import condition, system
from api.esri.layers import OBJECTID, Numbered
from api.esri.where import where
from api.requests.crs import CRS84, Crs
from layers.collections.queryables import GEOMETRY
from layers.query.cql2_text import FilterError, Tree
from layers.query.filter import Filter, compiled
from layers.query.selection import Selection, SortKey

#: Parameters that would change what is answered, and are not offered.
_REFUSED = (
    "outStatistics", "groupByFieldsForStatistics", "having", "distance", "relationParam", "historicMoment",
    "returnCentroid", "topFilter", "fullText",
)  # fmt: skip
_NOTHING = ("", "0", "0.0", "[]", "null", "false")
_FORMS = ("json", "pjson", "geojson")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST = 2**31 - 1


@dataclass(frozen=True)
class Question:
    """One query: which features, ``ids`` if not None among them alone, and how they are told."""

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


def form_of(params: Mapping[str, str]) -> str:
    """Read f: json, pjson or geojson.

    Raises
    ------
    EsriError
        If it is another.
    """
    form = params.get("f") or "json"
    if form not in _FORMS:
        raise unreadable("f", form, f"one of {', '.join(_FORMS)}")
    return form


def question(params: Mapping[str, str], collection: Numbered, most: int) -> Question:
    """Read a query; of more records than ``most`` so many are answered.

    Raises
    ------
    EsriError
        With the first parameter that cannot be read, or that is not offered.
    """
    for name in _REFUSED:
        if params.get(name, "").strip() not in _NOTHING:
            raise EsriError(f"'{name}' is not supported")
    first, last = _time(params.get("time", ""))
    distinct = _flag(params, "returnDistinctValues")
    order = _order(params.get("orderByFields", ""), collection)
    names = _names(params.get("outFields", ""), collection, distinct)
    return Question(
        Selection(None, first, last, _filter(params, collection), order, placeless=False),
        _ids(params.get("objectIds", "")),
        names,
        system("outSR", params["outSR"]) if params.get("outSR") else CRS84,
        _flag(params, "returnGeometry", default=True) and not distinct,
        distinct,
        _flag(params, "returnCountOnly"),
        _flag(params, "returnIdsOnly"),
        _flag(params, "returnExtentOnly"),
        _whole(params, "resultOffset", 0),
        min(_whole(params, "resultRecordCount", most), most),
    )


def _filter(params: Mapping[str, str], collection: Numbered) -> Filter | None:
    parts: list[Tree] = []
    try:
        asked = where(params.get("where", ""), collection.queryables)
        if asked is not None:
            parts.append(asked)
        if params.get("geometry", "").strip():
            kind = params.get("geometryType") or "esriGeometryEnvelope"
            relation = params.get("spatialRel") or "esriSpatialRelIntersects"
            own = system("inSR", params["inSR"]) if params.get("inSR") else None
            parts.append(condition(params["geometry"], kind, relation, own))
        if not parts:
            return None
        return compiled(parts[0] if len(parts) == 1 else {"op": "and", "args": parts}, collection.queryables)
    except FilterError as error:
        at = f" at {error.pointer}" if error.pointer else ""
        raise EsriError("Unable to perform query. 'where' or 'geometry' is invalid", [error.expected + at]) from error


def _flag(params: Mapping[str, str], name: str, default: bool = False) -> bool:
    told = params.get(name, "").lower()
    if told not in ("", "true", "false"):
        raise unreadable(name, told, "true or false")
    return told == "true" if told else default


def _whole(params: Mapping[str, str], name: str, default: int) -> int:
    told = params.get(name, "")
    if not told:
        return default
    if not (told.isascii() and told.isdigit() and len(told) <= 10 and int(told) <= _MOST):
        raise unreadable(name, told, f"a whole number from 0 to {_MOST}")
    return int(told)


def _ids(told: str) -> tuple[int, ...] | None:
    parts = [part.strip() for part in told.split(",")]
    if parts == [""]:
        return None
    if not all(part.isascii() and part.isdigit() and len(part) <= 10 for part in parts):
        raise unreadable("objectIds", told, f"values of {OBJECTID} with commas between")
    return tuple(int(part) for part in parts)


def _fields(collection: Numbered) -> dict[str, str]:
    """Each field by its name in small letters."""
    return {name.lower(): name for name in collection.queryables if name != GEOMETRY}


def _names(told: str, collection: Numbered, distinct: bool) -> tuple[str, ...]:
    """The fields that are told: `OBJECTID` always, but not where different values are asked for."""
    known = _fields(collection)
    parts = [part.strip() for part in told.split(",") if part.strip()]
    if unknown := [part for part in parts if part != "*" and part.lower() not in known]:
        raise unreadable("outFields", unknown[0], f"* or some of {', '.join(known.values())}")
    asked = known.values() if "*" in parts else [known[part.lower()] for part in parts]
    if not distinct:
        return tuple(dict.fromkeys((OBJECTID, *asked)))
    names = tuple(name for name in dict.fromkeys(asked) if name != OBJECTID)
    if not names:
        raise unreadable("outFields", told, "the fields whose different values are asked for")
    return names


def _order(told: str, collection: Numbered) -> tuple[SortKey, ...]:
    known, keys = _fields(collection), list[SortKey]()
    for part in told.split(",") if told.strip() else ():
        name, _, way = part.strip().partition(" ")
        way = way.strip().upper()
        if name.lower() not in known or way not in ("", "ASC", "DESC"):
            raise unreadable("orderByFields", part, f"a field, with ASC or DESC behind, of {', '.join(known.values())}")
        keys.append(SortKey(known[name.lower()], way == "DESC"))
    return tuple(keys)


def _time(told: str) -> tuple[date | None, date | None]:
    """An instant or two, in milliseconds since 1970, as the days they fall on (UTC)."""
    parts = [part.strip() for part in told.split(",")]
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
        raise unreadable("time", told, "milliseconds since 1970, or two with a comma between, null for an open end")
    return first, last
