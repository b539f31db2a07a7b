"""GeoJSON (RFC 7946), joined from fragments that were serialised once; only what is asked otherwise is written anew."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from api.formats.page import Page
from api.requests.crs import CRS84
from geo import geojson

_GEOMETRY, _PROPERTIES = b',"geometry":', b',"properties":'


def collection(page: Page) -> bytes:
    """Write a page as a FeatureCollection."""
    return geojson.collection(features(page), page.members)


def feature(page: Page) -> bytes:
    """Write the one feature of a page with its links."""
    (only,) = features(page)
    return only[:-1] + b',"links":' + orjson.dumps(page.links) + b"}"


def features(page: Page) -> Sequence[bytes]:
    """Write each feature."""
    kept = page.collection.fragments.taken(page.rows)
    if page.telling.is_whole:
        return kept
    whole = list(kept)
    # Neither id nor geometry can hold the names that they are cut at: ids have no quotation marks.
    heads = [one[: one.index(_GEOMETRY)] for one in whole]
    return [
        b"%b%b%b%b%b}" % (head, _GEOMETRY, shape, _PROPERTIES, values)
        for head, shape, values in zip(heads, _shapes(page, whole), _values(page, whole), strict=True)
    ]


def _shapes(page: Page, whole: list[bytes]) -> list[bytes]:
    told = page.telling
    if not told.geometry:
        return [b"null"] * len(whole)
    if told.crs is CRS84:
        return [one[one.index(_GEOMETRY) + len(_GEOMETRY) : one.index(_PROPERTIES)] for one in whole]
    return geojson.members(page.shapes(), told.crs.decimals)


def _values(page: Page, whole: list[bytes]) -> list[bytes]:
    if page.telling.properties is None:
        return [one[one.index(_PROPERTIES) + len(_PROPERTIES) : -1] for one in whole]
    names = page.names
    columns = page.collection.features.columns
    told = zip(*(columns[name].at(page.rows) for name in names), strict=True) if names else [()] * len(page.rows)
    return [orjson.dumps(dict(zip(names, values, strict=True))) for values in told]
