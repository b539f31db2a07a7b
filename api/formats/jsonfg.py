"""JSON-FG (OGC 21-045r1, core): GeoJSON with the time of features, and geometry of another system beside lon/lat."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import orjson

from api.formats import geojson as plain
from api.formats.page import FeatureFormat, FeaturePage, Piece
from api.requests.crs import CRS84
from api.requests.negotiation import MediaFormat
from geo import geojson

CORE = "http://www.opengis.net/spec/json-fg-1/1.0/conf/core"
TYPES = "http://www.opengis.net/spec/json-fg-1/1.0/conf/types-schemas"
PROFILE = "http://www.opengis.net/def/profile/OGC/0/jsonfg"
#: JSON-FG is GeoJSON; the two aliases are names that its drafts had (OGC 21-045r1, 16).
JSONFG = MediaFormat(
    "jsonfg", "application/geo+json", "JSON-FG", ("application/fg+json", "application/vnd.ogc.fg+json")
)


def collection(page: FeaturePage) -> Iterator[Piece]:
    """Give a page as a JSON-FG feature collection."""
    return plain.collection_of(page, features, {**_root(page), **page.collection_members})


def feature(page: FeaturePage) -> bytes:
    """Write the one feature of a page as a JSON-FG document of its own."""
    (only,) = features(page)
    return only[:-1] + b"," + orjson.dumps({**_root(page), "links": page.links})[1:]


def features(page: FeaturePage) -> list[bytes]:
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
        for feature, time, place in zip(plain.features(lonlat), times, places, strict=True)
    ]


def _root(page: FeaturePage) -> dict[str, Any]:
    schema = next((link["href"] for link in page.links if link["rel"].endswith("/schema")), None)
    root: dict[str, Any] = {"conformsTo": [CORE, TYPES], "featureType": page.collection.name}
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


FORMAT = FeatureFormat.of_pieces(JSONFG, collection, feature)
