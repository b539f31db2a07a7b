"""The strikes of a selection as a map of any number of them draws them: clusters of a grid, and single strikes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
from fastapi import Request, Response

from api.formats import geojson
from api.formats.page import FeaturePage
from api.http.json import Json
from api.openapi.declaration import ApiPart, Endpoint, Scope, media_types
from api.openapi.parameters import F_DOCUMENT, selection_parameters
from api.openapi.responses import ANY_OBJECT, COUNT, NULLABLE_STRING, NUMBER, STRING, array_of, object_with
from api.requests.negotiation import DOCUMENT
from api.requests.parameters import RequestParameter, integer_between, number_between, one_of
from api.requests.query_parameters import (
    BBOX,
    STRIKE_CONDITIONS,
    Representation,
    parse_selection,
    parse_strike_conditions,
)
from api.routes.strike_counts import selection_answer
from layers.query.strike_clusters import RING_DIVISIONS, WORLD, StrikeCluster, clustered
from layers.snapshot.snapshot import Snapshot

_MAX_ZOOM, _MAX_APART = 24, 5000
ZOOM = RequestParameter(
    "zoom", number_between(0, _MAX_ZOOM), {"type": "number", "minimum": 0, "maximum": _MAX_ZOOM, "default": 0},
    "Zoom of a map whose world has 512 pixels at 0, as MapLibre counts it: clusters are cells of 64 pixels.", 4.5,
)  # fmt: skip
APART = RequestParameter(
    "apart", integer_between(0, _MAX_APART), {"type": "integer", "minimum": 0, "maximum": _MAX_APART, "default": 0},
    "No more strikes than that are not put together at all: each is a feature.",
)  # fmt: skip
PARTS = RequestParameter(
    "parts", one_of(RING_DIVISIONS), {"type": "string", "enum": list(RING_DIVISIONS)},
    "What a cluster is divided by: host countries, the three largest sure owners of each strike, or its other ties.",
)  # fmt: skip
_BOX: Json = {"type": "array", "minItems": 4, "maxItems": 4, "items": NUMBER}

PART = ApiPart(
    "clusters",
    schemas={
        "StrikeClusters": object_with(
            zoom=NUMBER,
            strikes=COUNT,
            clusters=array_of(
                object_with(
                    at={"type": "array", "minItems": 2, "maxItems": 2, "items": NUMBER},
                    bbox=_BOX,
                    strikes=COUNT,
                    sure=COUNT,
                    parts=array_of(object_with(value=NULLABLE_STRING, sure=NUMBER, possible=NUMBER)),
                )
            ),
            possible=array_of(STRING),
            features=array_of(ANY_OBJECT),
        )
    },
)


def _parameters(scope: Scope) -> tuple[RequestParameter[Any], ...]:
    strikes = next((one for one in scope.collections if one.name == "strikes"), None)
    return F_DOCUMENT, ZOOM, APART, PARTS, BBOX, *selection_parameters(strikes), *STRIKE_CONDITIONS


_CLUSTERS = Endpoint(
    "/strikes/clusters",
    "Strikes of a selection as a map draws them",
    "counts",
    media_types=media_types(DOCUMENT),
    schema="StrikeClusters",
    parameters=_parameters,
    negotiated=True,
)


@PART.declared(_CLUSTERS, checked=False)
async def clusters(request: Request) -> Response:
    """The placed strikes that the parameters select, those that lie near each other put together.

    Clusters are the cells of a grid that is the same whatever the box, and a box selects whole cells. The ``bbox`` of a
    cluster, as a filter of the same selection, has exactly its ``strikes``. ``parts`` are a value of the division, and
    how many of the sure and of the possible strikes have it, of owners how many whole sites their shares make; owners
    of less than a hundredth of a cluster are left out. ``possible`` are those of the ``features`` that are not sure.
    """
    return await selection_answer(request, _CLUSTERS, strike_clusters)


def strike_clusters(snapshot: Snapshot, query: dict[str, str]) -> bytes:
    """Give the clusters and the single strikes of a query as JSON.

    Raises
    ------
    BadParameter
        With the first parameter that cannot be read.
    """
    strikes = snapshot.collections["strikes"]
    selection = parse_selection(query, strikes)
    found = clustered(
        snapshot.collections,
        snapshot.registers,
        replace(selection, bbox=None),
        parse_strike_conditions(query),
        ZOOM.read(query, 0.0),
        selection.bbox or WORLD,
        PARTS.read(query),
        APART.read(query, 0),
    )
    head = orjson.dumps(
        {
            "zoom": found.zoom,
            "strikes": found.strikes,
            "clusters": [_cluster(one) for one in found.clusters],
            "possible": [strikes.ids[row] for row in found.possible.tolist()],
        }
    )
    page = FeaturePage(strikes, found.apart, Representation(), (), found.strikes, "")
    return head[:-1] + b',"features":[' + b",".join(geojson.features(page)) + b"]}"


def _cluster(one: StrikeCluster) -> Json:
    return {
        "at": (one.lon, one.lat),
        "bbox": one.box,
        "strikes": one.strikes,
        "sure": one.sure,
        "parts": [part._asdict() for part in one.parts],
    }
