"""How many strikes a selection has, all and those that are sure, in all and by country, kind or time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any

import orjson
from fastapi import Request, Response

from api.html import pages
from api.http.conditional import representation
from api.http.json import Json
from api.http.work import WorkClass, queued
from api.openapi.declaration import ApiPart, Endpoint, Scope, media_types
from api.openapi.parameters import F_DOCUMENT, selection_parameters
from api.openapi.responses import ANY_OBJECT, COUNT, NULLABLE_STRING, NUMBER, array_of, object_with
from api.requests.negotiation import DOCUMENT, HTML
from api.requests.parameters import RequestParameter, one_of
from api.requests.query_parameters import BBOX, BBOX_CRS, STRIKE_CONDITIONS, parse_selection, parse_strike_conditions
from api.responses.resource import negotiated_format, served_version
from layers.query.strike_counts import GROUPINGS, TIME_UNITS, Grouping, groups, timeline, totals
from layers.snapshot.snapshot import Snapshot

BY = RequestParameter(
    "by", one_of(GROUPINGS), {"type": "string", "enum": list(GROUPINGS)},
    "What the strikes are counted by: countries, kinds or commodities of what was hit, status, or spans of time.",
)  # fmt: skip
_DAY: Json = {"type": "string", "format": "date"}

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
        )
    },
)


def _parameters(scope: Scope) -> tuple[RequestParameter[Any], ...]:
    strikes = next((one for one in scope.collections if one.name == "strikes"), None)
    return F_DOCUMENT, BY, BBOX, BBOX_CRS, *selection_parameters(strikes), *STRIKE_CONDITIONS


_COUNTS = Endpoint(
    "/strikes/counts",
    "How many strikes a selection has",
    "counts",
    media_types=media_types(DOCUMENT),
    schema="StrikeCounts",
    parameters=_parameters,
    negotiated=True,
)


@PART.declared(_COUNTS, checked=False)
async def counts(request: Request) -> Response:
    """The number of strikes that the parameters select, as ``numberMatched`` of their features states it."""
    return await selection_answer(request, _COUNTS, strike_counts)


async def selection_answer(
    request: Request, endpoint: Endpoint, find: Callable[[Snapshot, dict[str, str]], bytes]
) -> Response:
    """Answer what is found of a selection of strikes, in its turn, as JSON or as a page; each once for a version.

    Parameters
    ----------
    find
        Gives the answer to a query as JSON, in no language.
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

    Raises
    ------
    BadParameter
        With the first parameter that cannot be read.
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
