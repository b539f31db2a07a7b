"""Which of the offered formats a request is answered in: by the parameter f, else by its Accept header."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from api.requests.parameters import BadParameter


class NotAcceptable(ValueError):
    """A request that accepts none of the formats that are offered."""


@dataclass(frozen=True)
class MediaFormat:
    """One format: ``name`` is the value of f, ``aliases`` are media types that it is negotiated by besides its own."""

    name: str
    media_type: str
    title: str
    aliases: tuple[str, ...] = ()


#: Media types of tiles and pictures.
MVT = "application/vnd.mapbox-vector-tile"
PNG = "image/png"
SVG = "image/svg+xml"

JSON = MediaFormat("json", "application/json", "JSON")
GEOJSON = MediaFormat("json", "application/geo+json", "GeoJSON", ("application/json", "application/vnd.geo+json"))
HTML = MediaFormat("html", "text/html", "a page", ("application/xhtml+xml",))
SCHEMA = MediaFormat("json", "application/schema+json", "JSON Schema", ("application/json",))
OPENAPI = MediaFormat(
    "json", "application/vnd.oai.openapi+json;version=3.0", "OpenAPI", ("application/openapi+json", "application/json")
)
ATOM = MediaFormat("atom", "application/atom+xml", "an Atom feed", ("application/xml", "text/xml"))

#: Formats of documents, the default first. `api.formats.registry` has those of features.
DOCUMENT = (JSON, HTML)
SCHEMAS = (SCHEMA, HTML)
DEFINITION = (OPENAPI, HTML)

_RANGE = re.compile(r"\s*([\w!#$&^.+-]+|\*)/([\w!#$&^.+-]+|\*)\s*((?:;[^;]*)*)", re.ASCII)
_WEIGHT = re.compile(r";\s*q\s*=\s*([^;]*)", re.ASCII | re.IGNORECASE)
_VERSION = re.compile(r';\s*version\s*=\s*"?([^;"]*)', re.ASCII | re.IGNORECASE)
#: Share of its weight that a media type keeps in another version than the requested one: it comes after all others.
_OTHER_VERSION = 1e-4
_QVALUE = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?", re.ASCII)
#: Weight of each media range by type, subtype and version, which is empty where none is stated.
_Ranges = Mapping[tuple[str, str, str], float]


@lru_cache(maxsize=256)
def negotiate(f: str | None, accept: str | None, offered: tuple[MediaFormat, ...]) -> MediaFormat:
    """Return the requested format, the first of those offered where the request states none.

    Raises BadParameter if f is the name of no offered format; NotAcceptable if the header names media types, and no
    offered format has one of them (RFC 9110, 12.5.1).

    ``f`` and ``accept``: the parameter and the header, ``None`` where a request has none.
    """
    if f is not None:
        named = next((form for form in offered if form.name == f), None)
        if named is None:
            raise BadParameter("f", f, f"one of {', '.join(form.name for form in offered)}")
        return named
    ranges = _ranges(accept or "*/*")
    best = max(offered, key=lambda form: _weight(form, ranges))
    if ranges and _weight(best, ranges) == 0:
        types = dict.fromkeys(name for form in offered for name in (form.media_type, *form.aliases))
        raise NotAcceptable(f"accept one of {', '.join(types)}")
    return best


def _ranges(accept: str) -> _Ranges:
    """Return the weight of each media range of an Accept header; a range or weight out of form is passed over."""
    ranges: dict[tuple[str, str, str], float] = {}
    for part in accept.split(","):
        read = _RANGE.fullmatch(part)
        if read is None or (read[1] == "*" and read[2] != "*"):
            continue
        weight = _WEIGHT.search(read[3])
        stated = "1" if weight is None else weight[1].strip()
        if _QVALUE.fullmatch(stated):
            ranges[read[1].lower(), read[2].lower(), _version(read[3])] = float(stated)
    return ranges


def _version(parameters: str) -> str:
    read = _VERSION.search(parameters)
    return "" if read is None else read[1].strip()


def _weight(form: MediaFormat, ranges: _Ranges) -> float:
    """Return the greatest weight among the media types of a format, each by the most exact range that holds it."""
    return max(_weight_of(name, ranges) for name in (form.media_type, *form.aliases))


def _weight_of(media_type: str, ranges: _Ranges) -> float:
    """Return the weight of a media type; a requested version is a hint, not a condition (OGC 20-009, 9)."""
    essence, _, parameters = media_type.partition(";")
    main, _, sub = essence.partition("/")
    for exact in ((main, sub, _version(f";{parameters}")), (main, sub, "")):
        if exact in ranges:
            return ranges[exact]
    other_versions = [weight for (kind, subtype, _), weight in ranges.items() if (kind, subtype) == (main, sub)]
    if other_versions:
        return max(other_versions) * _OTHER_VERSION
    return ranges.get((main, "*", ""), ranges.get(("*", "*", ""), 0.0))
