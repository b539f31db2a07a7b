"""Which of the forms that there are a request asks for: by the parameter f, else by its Accept header."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from api.requests.scalars import BadParameter


class NotAcceptable(ValueError):
    """A request that accepts none of the forms that there are."""


@dataclass(frozen=True)
class Format:
    """One form: ``name`` is the value of f, ``also`` are media types that it answers to besides its own."""

    name: str
    media_type: str
    title: str
    also: tuple[str, ...] = ()


JSON = Format("json", "application/json", "JSON")
GEOJSON = Format("json", "application/geo+json", "GeoJSON", ("application/json", "application/vnd.geo+json"))
#: JSON-FG is GeoJSON; the other two are names that its drafts had (OGC 21-045r1, 16).
JSONFG = Format("jsonfg", "application/geo+json", "JSON-FG", ("application/fg+json", "application/vnd.ogc.fg+json"))
HTML = Format("html", "text/html", "a page", ("application/xhtml+xml",))
CSV = Format("csv", "text/csv", "CSV")
FLATGEOBUF = Format("fgb", "application/flatgeobuf", "FlatGeobuf")
GEOPARQUET = Format("parquet", "application/vnd.apache.parquet", "GeoParquet")
SCHEMA = Format("json", "application/schema+json", "JSON Schema", ("application/json",))
OPENAPI = Format(
    "json", "application/vnd.oai.openapi+json;version=3.0", "OpenAPI", ("application/openapi+json", "application/json")
)

#: What a document, a collection's features and one feature are answered in; the first by default.
DOCUMENT = (JSON, HTML)
FEATURES = (GEOJSON, JSONFG, HTML, CSV, FLATGEOBUF, GEOPARQUET)
FEATURE = (GEOJSON, JSONFG, HTML)
SCHEMAS = (SCHEMA, HTML)
DEFINITION = (OPENAPI, HTML)

_RANGE = re.compile(r"\s*([\w!#$&^.+-]+|\*)/([\w!#$&^.+-]+|\*)\s*((?:;[^;]*)*)", re.ASCII)
_WEIGHT = re.compile(r";\s*q\s*=\s*([^;]*)", re.ASCII | re.IGNORECASE)
_VERSION = re.compile(r';\s*version\s*=\s*"?([^;"]*)', re.ASCII | re.IGNORECASE)
#: What of its weight is left to a media type in another version than is asked for: it comes after all others.
_OTHER_VERSION = 1e-4
_QVALUE = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?", re.ASCII)
#: The weight of each range by its types and its version, which is empty where none is stated.
_Ranges = Mapping[tuple[str, str, str], float]


@lru_cache(maxsize=256)
def chosen(f: str | None, accept: str | None, offered: tuple[Format, ...]) -> Format:
    """The form that is asked for; the first where nothing is.

    Raises
    ------
    BadParameter
        If f is none of them.
    NotAcceptable
        If the header names media types, and none of them is one of theirs (RFC 9110, 12.5.1).
    """
    if f is not None:
        found = next((form for form in offered if form.name == f), None)
        if found is None:
            raise BadParameter("f", f, f"one of {', '.join(form.name for form in offered)}")
        return found
    ranges = _ranges(accept or "*/*")
    best = max(offered, key=lambda form: _weight(form, ranges))
    if ranges and _weight(best, ranges) == 0:
        types = dict.fromkeys(name for form in offered for name in (form.media_type, *form.also))
        raise NotAcceptable(f"accept one of {', '.join(types)}")
    return best


def _ranges(accept: str) -> _Ranges:
    """Weight of each media range; what is none, or has a weight that is none, is passed over."""
    found: dict[tuple[str, str, str], float] = {}
    for part in accept.split(","):
        read = _RANGE.fullmatch(part)
        if read is None or (read[1] == "*" and read[2] != "*"):
            continue
        weight = _WEIGHT.search(read[3])
        stated = "1" if weight is None else weight[1].strip()
        if _QVALUE.fullmatch(stated):
            found[read[1].lower(), read[2].lower(), _version(read[3])] = float(stated)
    return found


def _version(parameters: str) -> str:
    read = _VERSION.search(parameters)
    return "" if read is None else read[1].strip()


def _weight(form: Format, ranges: _Ranges) -> float:
    """The greatest weight of its media types, each by the most exact range that holds it."""
    return max(_weight_of(name, ranges) for name in (form.media_type, *form.also))


def _weight_of(media_type: str, ranges: _Ranges) -> float:
    """The weight of a media type; a version that is asked for is a hint, not a condition (20-009, 9)."""
    essence, _, parameters = media_type.partition(";")
    main, _, sub = essence.partition("/")
    for exact in ((main, sub, _version(f";{parameters}")), (main, sub, "")):
        if exact in ranges:
            return ranges[exact]
    others = [weight for (one, other, _), weight in ranges.items() if (one, other) == (main, sub)]
    if others:
        return max(others) * _OTHER_VERSION
    return ranges.get((main, "*", ""), ranges.get(("*", "*", ""), 0.0))


MVT = "application/vnd.mapbox-vector-tile"


PNG = "image/png"
