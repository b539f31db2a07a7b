"""The parameters of features: the table of each, and what a request selects of a collection and how it is answered."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, get_args

from shapely.geometry.base import BaseGeometry

from api.http.json import Json
from api.requests import crs
from api.requests.corrections_query import INSTANT_PATTERN, parse_instant
from api.requests.crs import CRS84, Crs
from api.requests.parameters import (
    DATETIME_PATTERN,
    MAX_LENGTH,
    BadParameter,
    Days,
    Limits,
    RequestParameter,
    in_utc,
    integer_between,
    number_between,
    one_of,
    parse_days,
    parse_flag,
    parse_integer,
    parse_text,
)
from api.wording.problems import filter_sentence
from layers.attribution.readings import Reading
from layers.collections.collection import Collection
from layers.collections.queryables import GEOMETRY, Queryable
from layers.collections.update_times import UPDATED
from layers.model.messages import Message
from layers.query.cql2_text import FilterError, Language, Tree, parse
from layers.query.filter import Filter, compile_filter
from layers.query.keyset_cursor import with_tiebreak
from layers.query.selection import Selection, SortKey, sortables
from layers.query.strike_ties import CERTAINTIES, TIE_KINDS, StrikeConditions

LANGUAGES: tuple[Language, ...] = ("cql2-text", "cql2-json")
PROFILES = ("rfc7946", "jsonfg", "jsonfg-plus")
DEFAULT_PROFILE = PROFILES[0]
#: The order of the list on the map, as `static/api.js` asks for it.
LIST_ORDER = "-stands,-day_last,title"
#: Order of the features of a collection where a request names none; after that, and in other collections, by id.
DEFAULT_ORDERS: Mapping[str, tuple[SortKey, ...]] = {
    "strikes": (SortKey("when", True), SortKey("id", True)),
    "attributions": (SortKey("when", True),),
    "hits": (SortKey("when", True),),
}
_MAX_OFFSET = 2**31
#: Numbers up to here are exact in JSON (RFC 8259, 6), and filters know no greater ones.
MAX_EXACT_INTEGER = 2**53

# --- the tables ------------------------------------------------------------------------------------------------------

_ANY_CRS = f"One of the list of the collection, by its URI or CURIE such as {crs.WEB_MERCATOR.name}."
_WITHIN = (
    "west,south,east,north in degrees (OGC:CRS84), or in the axis order of bbox-crs; with heights as the third and "
    "sixth number too. west > east crosses the antimeridian. Features without a place are kept."
)
_DURING = (
    "A day or instant (RFC 3339), or an interval of two with .. for an open end. Keeps what may fall inside it; "
    "features without a date are kept."
)
_BOX: Json = {
    "type": "array",
    "oneOf": [{"minItems": 4, "maxItems": 4}, {"minItems": 6, "maxItems": 6}],
    "items": {"type": "number"},
}
_WHOLE: Json = {"type": "integer", "minimum": 0, "maximum": _MAX_OFFSET, "default": 0}
_CRS: Json = {
    "type": "string",
    "format": "uri",
    "enum": [one.uri for one in crs.SUPPORTED_CRS],
    "default": CRS84.uri,
}


def _limit_schema(limits: Limits) -> Json:
    # A greater limit is cut, not refused (OGC 17-069r4, 7.15.2): the largest page is what a client should know of.
    return {"type": "integer", "minimum": 1, "maximum": limits.limit_max, "default": limits.limit_default}


def _long_text(limits: Limits) -> Json:
    return {"type": "string", "minLength": 1, "maxLength": limits.url_max}


def _parse_crs(name: str, text: str) -> Crs:
    return crs.parse_crs(text, name)


def _parse_profile(name: str, text: str) -> str:
    profiles = text.split(",")
    if any(profile not in PROFILES for profile in profiles):
        raise BadParameter(name, text, f"some of {','.join(PROFILES)}")
    return profiles[-1]  # the last that is named counts (OGC 21-045r1, 15)


def _parse_time(name: str, text: str) -> str:
    """Read a time with a zone as one in UTC, as exact as it was written."""
    parse_instant(name, text)
    return in_utc(datetime.fromisoformat(text.upper())).isoformat()


LIMIT = RequestParameter(
    "limit", integer_between(1, _MAX_OFFSET), _limit_schema,
    "Most features of one answer; more than the maximum is cut.", component="limit",
)  # fmt: skip
OFFSET = RequestParameter(
    "offset", integer_between(0, _MAX_OFFSET), _WHOLE, "Features to pass over.", component="offset"
)
STARTINDEX = RequestParameter(
    "startindex", integer_between(0, _MAX_OFFSET), _WHOLE, "The same as offset.", component="startindex"
)
CURSOR = RequestParameter(
    "cursor", parse_text, _long_text, "Where the page before ended, as next links say; not together with an offset.",
    component="cursor",
)  # fmt: skip
BBOX = RequestParameter("bbox", parse_text, _BOX, _WITHIN, [28, 45, 33, 48], component="bbox")
BBOX_CRS = RequestParameter("bbox-crs", _parse_crs, _CRS, f"System of bbox. {_ANY_CRS}", component="bbox-crs")
DATETIME = RequestParameter(
    "datetime", lambda name, text: parse_days(text), {"type": "string", "pattern": DATETIME_PATTERN}, _DURING,
    "2025-08-01/2025-08-31", component="datetime",
)  # fmt: skip
FILTER = RequestParameter(
    "filter", parse_text, _long_text, "A CQL2 filter of the queryables.", "id LIKE 'ua-%'", component="filter"
)
FILTER_LANG = RequestParameter(
    "filter-lang", one_of(LANGUAGES), {"type": "string", "enum": list(LANGUAGES), "default": LANGUAGES[0]},
    "Language of the filter.", component="filter-lang",
)  # fmt: skip
FILTER_CRS = RequestParameter(
    "filter-crs", _parse_crs, _CRS, f"System of the geometries in the filter. {_ANY_CRS}", component="filter-crs"
)
CRS = RequestParameter("crs", _parse_crs, _CRS, f"System of the geometries of the answer. {_ANY_CRS}", component="crs")
SKIP_GEOMETRY = RequestParameter(
    "skipGeometry", parse_flag, {"type": "boolean", "default": False}, "Whether to leave geometries out.",
    component="skipGeometry",
)  # fmt: skip
PROFILE = RequestParameter(
    "profile", _parse_profile,
    {"type": "array", "minItems": 1, "items": {"type": "string", "enum": list(PROFILES)}, "default": [DEFAULT_PROFILE]},
    "Profile of GeoJSON.", component="profile",
)  # fmt: skip

#: Parameters that select among the features of a tile, whose box is the tile; the queryables do too.
SELECTING: Sequence[RequestParameter[Any]] = (DATETIME, FILTER, FILTER_LANG, FILTER_CRS)
#: Of the features of collections that change with records: the same as the filter ``updated >= TIMESTAMP(...)``.
UPDATED_SINCE = RequestParameter(
    "updated_since", _parse_time, {"type": "string", "format": "date-time", "pattern": INSTANT_PATTERN},
    "A time with a zone (RFC 3339). Keeps what changed then or later, by its own record or one that it is based on.",
    "2025-08-08T04:06:00Z",
)  # fmt: skip
_FILTERING = tuple(one.name for one in (FILTER, FILTER_LANG, FILTER_CRS, UPDATED_SINCE))


def sortby_parameter(collection: Collection) -> RequestParameter[tuple[SortKey, ...]]:
    """Return the parameter that orders the features of a collection."""
    names = sortables(collection)
    items = {"type": "string", "pattern": f"^[+-]?({'|'.join(names)})$"}
    schema = {"type": "array", "minItems": 1, "uniqueItems": True, "items": items}
    description = "Properties to sort by, each once, with - in front to descend; nulls come last."
    return RequestParameter("sortby", lambda name, text: _sort_keys(name, text, names), schema, description)


def _sort_keys(parameter: str, text: str, names: Mapping[str, Queryable]) -> tuple[SortKey, ...]:
    keys: list[SortKey] = []
    for part in text.split(","):
        # A plus that was not encoded is read as a space.
        name = part[1:] if part[:1] in ("+", "-", " ") else part
        if name not in names or name in (key.name for key in keys):
            raise BadParameter(parameter, text, f"each once, with - in front to descend, of {','.join(names)}")
        keys.append(SortKey(name, part[:1] == "-"))
    return tuple(keys)


def properties_parameter(collection: Collection) -> RequestParameter[tuple[str, ...]]:
    """Return the parameter that names the properties of the features of a collection that are answered."""
    names = [column.name for column in collection.columns]

    def parse_names(name: str, text: str) -> tuple[str, ...]:
        requested = tuple(text.split(",")) if text else ()
        if any(one not in names for one in requested):
            raise BadParameter(name, text, f"some of {','.join(names)}")
        return requested

    schema = {"type": "array", "items": {"type": "string", "enum": names}}
    return RequestParameter("properties", parse_names, schema, "The properties to tell; empty for none.")


# --- the values of a request ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Representation:
    """Which members the features of an answer have: coordinate system, properties (None: all), geometry or none."""

    crs: Crs = CRS84
    properties: tuple[str, ...] | None = None
    geometry: bool = True

    @property
    def is_default(self) -> bool:
        """Whether features are answered as they are stored: in lon/lat, with every property and the geometry."""
        return self.geometry and self.crs is CRS84 and self.properties is None


@dataclass(frozen=True)
class ItemsRequest:
    """A page of features: which ones in which order, from where, how many, and with which members."""

    selection: Selection
    representation: Representation
    limit: int
    offset: int
    cursor: str | None
    profile: str


def parse_items_request(query: Mapping[str, str], collection: Collection, default: int, maximum: int) -> ItemsRequest:
    """Read the parameters of the features of a collection; a limit over the maximum is cut (OGC 17-069r4, 7.15.2).

    Raises BadParameter with the first parameter that cannot be read.

    ``default``: features of a page where the query has no limit.
    """
    limit = LIMIT.read(query, default)
    offset = OFFSET.read(query, STARTINDEX.read(query, 0))
    if CURSOR.name in query and (offset or OFFSET.name in query or STARTINDEX.name in query):
        raise BadParameter(CURSOR.name, query[CURSOR.name], "either a cursor or an offset")
    selection = parse_selection(query, collection)
    if not selection.order:
        selection = replace(selection, order=DEFAULT_ORDERS.get(collection.name, ()))
    return ItemsRequest(
        with_tiebreak(selection),
        parse_representation(query, collection),
        min(limit, maximum),
        offset,
        CURSOR.read(query),
        PROFILE.read(query, DEFAULT_PROFILE),
    )


def parse_selection(query: Mapping[str, str], collection: Collection) -> Selection:
    """Read bbox, datetime, filter, sortby, what goes with them, and each queryable; other parameters are passed over.

    Raises BadParameter with the first parameter that cannot be read.
    """
    area = _area(query)
    days = DATETIME.read(query, Days())
    where = _where(query, collection)
    if area is not None and not area.is_lonlat_box:
        where = crs.WithinBox.of(area, where)
    box = None if area is None else area.box
    order = sortby_parameter(collection).read(query, ()) if "sortby" in query else ()
    return Selection(box, days.first, days.last, where, order)


def parse_representation(query: Mapping[str, str], collection: Collection) -> Representation:
    """Read crs, properties and skipGeometry.

    Raises BadParameter with the first parameter that cannot be read, such as a property that features do not have.
    """
    system = CRS.read(query, CRS84)
    geometry = not SKIP_GEOMETRY.read(query, False)
    properties = properties_parameter(collection).read(query) if "properties" in query else None
    return Representation(system, properties, geometry)


def _area(query: Mapping[str, str]) -> crs.BoundingBox | None:
    system = BBOX_CRS.read(query, CRS84)
    return crs.parse_bbox(query[BBOX.name], system) if BBOX.name in query else None


def _where(query: Mapping[str, str], collection: Collection) -> Filter | None:
    """Return the filter of a query, all of whose conditions must hold; the last filters are cached by their texts."""
    queryables = collection.queryables
    conditions = {
        name: value for name, value in query.items() if name in _FILTERING or (name in queryables and name != GEOMETRY)
    }
    if not conditions:
        return None
    where: Filter | None = collection.filter_cache.get_or_compute(
        tuple(conditions.items()), lambda: _filter(conditions, queryables)
    )
    return where


def _filter(conditions: Mapping[str, str], queryables: Mapping[str, Queryable]) -> Filter | None:
    parts: list[Tree] = [_equals(queryables[name], value) for name, value in conditions.items() if name in queryables]
    if UPDATED_SINCE.name in conditions and UPDATED in queryables:
        since = UPDATED_SINCE.read(conditions)
        parts.append({"op": ">=", "args": [{"property": UPDATED}, {"timestamp": since}]})
    language, to_lonlat = FILTER_LANG.read(conditions, LANGUAGES[0]), _to_lonlat(conditions)
    try:
        if FILTER.name in conditions:
            parts.append(parse(conditions[FILTER.name], language))
        if not parts:
            return None
        return compile_filter(parts[0] if len(parts) == 1 else {"op": "and", "args": parts}, queryables, to_lonlat)
    except FilterError as error:
        raise BadParameter(FILTER.name, conditions.get(FILTER.name, ""), filter_sentence(error)) from error


def _to_lonlat(query: Mapping[str, str]) -> Any:
    system = FILTER_CRS.read(query, CRS84)
    if system is CRS84:
        return None

    def to_lonlat(shape: BaseGeometry) -> BaseGeometry:
        moved: BaseGeometry | None = crs.unproject([shape], system)[0]
        if moved is None:
            raise FilterError(Message("filter.coordinates-of", {"system": system.name}))
        return moved

    return to_lonlat


def _equals(queryable: Queryable, text: str) -> Tree:
    """Return the filter of a parameter that has the name of a queryable; a list must hold each of the texts given."""
    prop = {"property": queryable.name}
    if queryable.kind == "list":
        parts = [_text(queryable, part) for part in text.split(",") if text]
        return {"op": "a_contains", "args": [prop, parts]} if parts else True
    return {"op": "=", "args": [prop, _value(queryable, text)]}


def _value(queryable: Queryable, text: str) -> Any:
    name = queryable.name
    match queryable.kind:
        case "integer":
            return parse_integer(name, text, -MAX_EXACT_INTEGER, MAX_EXACT_INTEGER)
        case "number":
            return _number(name, text)
        case "boolean":
            return parse_flag(name, text)
        case "date":
            return {"date": _date(name, text)}
        case "timestamp":
            return {"timestamp": _parse_time(name, text)}
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
    if abs(number) <= MAX_EXACT_INTEGER:
        return number
    raise BadParameter(name, text, "a number from -2^53 to 2^53")


def _date(name: str, text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise BadParameter(name, text, "a day such as 2025-08-08") from None


READINGS: tuple[Reading, ...] = get_args(Reading)
_COUNTRY = re.compile("[A-Za-z]{2}")
_TEXT = {"type": "string", "minLength": 1, "maxLength": MAX_LENGTH}


def _parse_text(name: str, text: str) -> str:
    if not text or len(text) > MAX_LENGTH or "\0" in text:
        raise BadParameter(name, text, f"1 to {MAX_LENGTH} letters")
    return text


def _parse_country(name: str, text: str) -> str:
    if not _COUNTRY.fullmatch(text):
        raise BadParameter(name, text, "an ISO 3166-1 alpha-2 code such as AZ")
    return text.upper()


Q = RequestParameter(
    "q", _parse_text, _TEXT,
    "Words of a title, place, region, attacker or damage, in any script, spelling and case, or of the kind of a site.",
    "кременчук нпз",
)  # fmt: skip
COUNTRY = RequestParameter(
    "country", _parse_country, {"type": "string", "pattern": "^[A-Za-z]{2}$"},
    "Only strikes on what this country was tied to as relation says (ISO 3166-1 alpha-2).", "AZ",
)  # fmt: skip
ENTITY = RequestParameter(
    "entity", _parse_text, _TEXT,
    "Only strikes on what this company, person or state was tied to as relation says; as owner, through others too.",
    "socar",
)  # fmt: skip
RELATION = RequestParameter(
    "relation", one_of(TIE_KINDS), {"type": "string", "enum": list(TIE_KINDS), "default": TIE_KINDS[0]},
    "What the country or entity was to what was hit; related is any tie but owner and host.",
)  # fmt: skip
READING = RequestParameter(
    "reading", one_of(READINGS), {"type": "string", "enum": list(READINGS), "default": READINGS[0]},
    "What country means of owners: of registration or of the head office, or of who surely controlled.",
)  # fmt: skip
MIN_SHARE = RequestParameter(
    "min_share", number_between(0, 100), {"type": "number", "minimum": 0, "maximum": 100, "default": 0},
    "The least percent that they owned, or may have owned, of one of the sites.", 25,
)  # fmt: skip
COMMODITY = RequestParameter("commodity", _parse_text, _TEXT, "What one of the sites makes, moves or stores.", "oil")
CERTAINTY = RequestParameter(
    "certainty", one_of(CERTAINTIES), {"type": "string", "enum": list(CERTAINTIES)},
    "sure: strikes alone that surely satisfy all that is given, whichever site was hit and on whichever day; possible: "
    "those alone that may. Both by default.",
)  # fmt: skip

#: The parameters of strikes beside their columns.
STRIKE_CONDITIONS: Sequence[RequestParameter[Any]] = (
    Q, COUNTRY, ENTITY, RELATION, READING, MIN_SHARE, COMMODITY, CERTAINTY,
)  # fmt: skip


def parse_strike_conditions(query: Mapping[str, str]) -> StrikeConditions:
    """Read the conditions of a query; other parameters are passed over.

    ``assets``, a column of strikes, is read too: a site is surely hit or not.

    Raises BadParameter with the first parameter that cannot be read.
    """
    return StrikeConditions(
        text=Q.read(query),
        country=COUNTRY.read(query),
        entity=ENTITY.read(query),
        relation=RELATION.read(query, TIE_KINDS[0]),
        reading=READING.read(query, READINGS[0]),
        min_share=MIN_SHARE.read(query, 0.0),
        commodity=COMMODITY.read(query),
        assets=tuple(query["assets"].split(",")) if query.get("assets") else (),
        certainty=CERTAINTY.read(query),
    )
