"""How many strikes a selection has, in all and by country, kind or time, and how a map of any number draws them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from typing import Any

import orjson
from fastapi import Request, Response

from api.formats import geojson
from api.formats.page import FeaturePage
from api.html import pages
from api.http.conditional import representation
from api.http.json import Json
from api.http.work import WorkClass, queued
from api.openapi.declaration import ApiPart, Endpoint, Scope, document_endpoint
from api.openapi.parameters import F_DOCUMENT, selection_parameters
from api.openapi.responses import ANY_OBJECT, COUNT, NULLABLE_STRING, NUMBER, STRING, array_of, object_with
from api.requests.negotiation import DOCUMENT, HTML
from api.requests.parameters import RequestParameter, integer_between, number_between, one_of
from api.requests.query_parameters import (
    BBOX,
    BBOX_CRS,
    STRIKE_CONDITIONS,
    Representation,
    parse_selection,
    parse_strike_conditions,
)
from api.responses.resource import negotiated_format, served_version
from layers.query.strike_clusters import RING_DIVISIONS, WORLD, StrikeCluster, clustered
from layers.query.strike_counts import GROUPINGS, TIME_UNITS, Grouping, groups, timeline, totals
from layers.snapshot.snapshot import Snapshot

BY = RequestParameter(
    "by", one_of(GROUPINGS), {"type": "string", "enum": list(GROUPINGS)},
    "What the strikes are counted by: countries, kinds or commodities of what was hit, status, or spans of time.",
)  # fmt: skip
_DAY: Json = {"type": "string", "format": "date"}
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
    "counts",
    schemas={
        "StrikeCounts": object_with(
            strikes=COUNT,
            sure=COUNT,
            possible=COUNT,
            reasons=object_with(drafts=COUNT, undated=COUNT, across=COUNT, unsettled=COUNT),
            unplaced=COUNT,
            undated=COUNT,
            bbox={"type": "array", "nullable": True, "items": NUMBER},
            by=NULLABLE_STRING,
            groups=array_of(ANY_OBJECT),
            spans=array_of(object_with(first=_DAY, last=_DAY, sure=COUNT, possible=COUNT)),
        ),
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
        ),
    },
)


def _endpoint(path: str, summary: str, schema: str, *own: RequestParameter[Any]) -> Endpoint:
    """Declare an answer to a selection of strikes with parameters of its own."""

    def parameters(scope: Scope) -> tuple[RequestParameter[Any], ...]:
        strikes = next((one for one in scope.collections if one.name == "strikes"), None)
        return F_DOCUMENT, *own, *selection_parameters(strikes), *STRIKE_CONDITIONS

    return document_endpoint(path, summary, "counts", schema, parameters)


_COUNTS = _endpoint("/strikes/counts", "How many strikes a selection has", "StrikeCounts", BY, BBOX, BBOX_CRS)


@PART.declared(_COUNTS, checked=False)
async def counts(request: Request) -> Response:
    """The number of strikes that the parameters select, as ``numberMatched`` of their features states it."""
    return await selection_answer(request, _COUNTS, strike_counts)


async def selection_answer(
    request: Request, endpoint: Endpoint, find: Callable[[Snapshot, dict[str, str]], bytes]
) -> Response:
    """Answer what is found of a selection of strikes, in its turn, as JSON or as a page; each once for a version.

    ``find``: gives the answer to a query as JSON, in no language.
    """
    view = served_version(request)
    endpoint.require_known(request, view.snapshot.collections["strikes"])
    form = negotiated_format(request, DOCUMENT)
    query = dict(request.query_params)
    key = (endpoint.path, *sorted(query.items()))
    body = view.answers.get(key)
    if body is None:
        found = await queued(request, WorkClass.SELECTION, partial(find, view.snapshot, query))
        body = view.answers.put(key, found)
    if form is not HTML:
        return representation(request, view.version, form.media_type, body)
    return representation(
        request, view.version, form.media_type, lambda: pages.page(request, view, "answer", orjson.loads(body))
    )


def strike_counts(snapshot: Snapshot, query: dict[str, str]) -> bytes:
    """Give the counts of the strikes that a query selects as JSON.

    Raises BadParameter with the first parameter that cannot be read.
    """
    by: Grouping | None = BY.read(query)
    selected = (
        snapshot.collections,
        snapshot.registers,
        parse_selection(query, snapshot.collections["strikes"]),
        parse_strike_conditions(query),
    )
    total = totals(*selected)
    answer: Json = {
        "strikes": total.strikes,
        "sure": total.sure,
        "possible": total.strikes - total.sure,
        "reasons": {name: getattr(total, name) for name in ("drafts", "undated", "across", "unsettled")},
        "unplaced": total.unplaced,
        "undated": total.without_date,
        "bbox": total.bounds,
        "by": by,
        "groups": [],
        "spans": [],
    }
    if by in TIME_UNITS:
        line = timeline(*selected, by)
        answer |= {"by": line.unit, "spans": [asdict(span) for span in line.spans]}
    elif by is not None:
        answer["groups"] = [asdict(group) for group in groups(*selected, by)]
    return orjson.dumps(answer)


_CLUSTERS = _endpoint(
    "/strikes/clusters", "Strikes of a selection as a map draws them", "StrikeClusters", ZOOM, APART, PARTS, BBOX
)


@PART.declared(_CLUSTERS, checked=False)
async def clusters(request: Request) -> Response:
    """The placed strikes that the parameters select, those that lie near each other put together.

    Clusters are the cells of a grid that is the same whatever the box, and a box selects whole cells. The ``bbox`` of a
    cluster, as a filter of the same selection, has exactly its ``strikes``. ``parts`` are a value of the division, and
    how many of the sure and of the possible strikes have it, of owners what their shares come to in site equivalents;
    owners of less than a hundredth of a cluster are left out. ``possible`` are the ``features``
    that are not sure.
    """
    return await selection_answer(request, _CLUSTERS, strike_clusters)


def strike_clusters(snapshot: Snapshot, query: dict[str, str]) -> bytes:
    """Give the clusters and the single strikes of a query as JSON.

    Raises BadParameter with the first parameter that cannot be read.
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
