"""GeoJSON (RFC 7946), joined from features that were serialised once and written anew only where a request differs.

JSON-FG (OGC 21-045r1, core) is the same with the time of features, and geometry of another system beside lon/lat.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import orjson

from api.formats.page import FeatureFormat, FeaturePage, Piece
from api.requests.crs import CRS84
from api.requests.negotiation import GEOJSON, MediaFormat
from geo import geojson

_GEOMETRY, _PROPERTIES = b',"geometry":', b',"properties":'


def collection(page: FeaturePage) -> Iterator[Piece]:
    """Give a page as a FeatureCollection."""
    return collection_of(page, features, page.collection_members)


def collection_of(
    page: FeaturePage, render: Callable[[FeaturePage], Sequence[bytes]], members: Mapping[str, object]
) -> Iterator[Piece]:
    """Give a FeatureCollection of what a function makes of the features of a page, with other members before it."""
    end = b"]}"
    yield geojson.collection((), members).removesuffix(end)
    for number, part in enumerate(page.parts()):
        yield b"," * bool(number)
        yield from geojson.separated(render(part))
    yield end


def feature(page: FeaturePage) -> bytes:
    """Write the one feature of a page with its links."""
    (only,) = features(page)
    return only[:-1] + b',"links":' + orjson.dumps(page.links) + b"}"


def features(page: FeaturePage) -> Sequence[bytes]:
    """Write each feature of a page, as many as it has rows."""
    stored = page.collection.fragments.take(page.rows)
    if page.representation.is_default:
        return stored
    whole = list(stored)
    # Neither id nor geometry can hold the names that they are cut at: ids have no quotation marks.
    heads = [feature[: feature.index(_GEOMETRY)] for feature in whole]
    return [
        b"%b%b%b%b%b}" % (head, _GEOMETRY, shape, _PROPERTIES, values)
        for head, shape, values in zip(heads, _shapes(page, whole), _values(page, whole), strict=True)
    ]


def text_sequence(page: FeaturePage) -> Iterator[Piece]:
    """Give a page as a sequence of features (RFC 8142), which has no place for what is said of all of them."""
    for part in page.parts():
        yield from (b"\x1e%b\n" % feature for feature in features(part))


def _shapes(page: FeaturePage, whole: list[bytes]) -> list[bytes]:
    if not page.representation.geometry:
        return [b"null"] * len(whole)
    if page.representation.crs is CRS84:
        return [feature[feature.index(_GEOMETRY) + len(_GEOMETRY) : feature.index(_PROPERTIES)] for feature in whole]
    return geojson.members(page.shapes(), page.representation.crs.decimals)


def _values(page: FeaturePage, whole: list[bytes]) -> list[bytes]:
    if page.representation.properties is None:
        return [feature[feature.index(_PROPERTIES) + len(_PROPERTIES) : -1] for feature in whole]
    names = page.property_names
    columns = page.collection.features.columns
    rows = zip(*(columns[name].take(page.rows) for name in names), strict=True) if names else [()] * len(page.rows)
    return [orjson.dumps(dict(zip(names, values, strict=True))) for values in rows]


FORMAT = FeatureFormat.of_pieces(GEOJSON, collection, feature)
_SEQUENCE = MediaFormat("geojsonseq", "application/geo+json-seq", "GeoJSON Text Sequence")
SEQUENCE = FeatureFormat.of_pieces(_SEQUENCE, text_sequence)


# --- JSON-FG -------------------------------------------------------------------------------------

JSONFG_CORE = "http://www.opengis.net/spec/json-fg-1/1.0/conf/core"
JSONFG_TYPES = "http://www.opengis.net/spec/json-fg-1/1.0/conf/types-schemas"
#: JSON-FG is GeoJSON; the two aliases are names that its drafts had (OGC 21-045r1, 16).
JSONFG = MediaFormat(
    "jsonfg", "application/geo+json", "JSON-FG", ("application/fg+json", "application/vnd.ogc.fg+json")
)


def jsonfg_collection(page: FeaturePage) -> Iterator[Piece]:
    """Give a page as a JSON-FG feature collection."""
    return collection_of(page, jsonfg_features, {**_root(page), **page.collection_members})


def jsonfg_feature(page: FeaturePage) -> bytes:
    """Write the one feature of a page as a JSON-FG document of its own."""
    (only,) = jsonfg_features(page)
    return only[:-1] + b"," + orjson.dumps({**_root(page), "links": page.links})[1:]


def jsonfg_features(page: FeaturePage) -> list[bytes]:
    """Write each feature: lon/lat in ``geometry``, coordinates of another requested system in ``place``."""
    wanted = page.representation
    lonlat = replace(page, representation=replace(wanted, crs=CRS84))
    if wanted.crs is CRS84 or not wanted.geometry:
        places = [b"null"] * len(page.rows)
    else:
        places = geojson.members(page.shapes(), wanted.crs.decimals)
    times = [orjson.dumps(_time(page.collection.features[row])) for row in page.rows]
    return [
        b'%b,"time":%b,"place":%b}' % (feature[:-1], time, place)
        for feature, time, place in zip(features(lonlat), times, places, strict=True)
    ]


def _root(page: FeaturePage) -> dict[str, Any]:
    schema = next((link["href"] for link in page.links if link["rel"].endswith("/schema")), None)
    root: dict[str, Any] = {"conformsTo": [JSONFG_CORE, JSONFG_TYPES], "featureType": page.collection.name}
    if schema is not None:
        root["featureSchema"] = schema
    if page.representation.crs is not CRS84:
        root["coordRefSys"] = page.representation.crs.uri
    return root


def _time(feature: object) -> dict[str, Any] | None:
    first: date | None = getattr(feature, "day_first", None)
    last: date | None = getattr(feature, "day_last", None)
    if first is None and last is None:
        return None
    if first == last:
        return {"date": first}
    return {"interval": [first or "..", last or ".."]}


JSONFG_FORMAT = FeatureFormat.of_pieces(JSONFG, jsonfg_collection, jsonfg_feature)
