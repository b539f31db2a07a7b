"""Request parameters as small typed dependencies; each says what it expected when it cannot be read."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Depends, Query, Request

from api.reading import MAX_LENGTH, BadParameter, Days, parse_bbox, parse_days
from layers.collection import Box


def only_known(
    request: Request, f: Annotated[Literal["json"], Query(description="Format of the answer.")] = "json"
) -> None:
    """Refuse query parameters that the API definition does not name (OGC 17-069r4, /req/core/query-param-unknown).

    Raises
    ------
    BadParameter
        With the first such name.
    """
    described = request.app.openapi()["paths"][request.scope["route"].path_format][request.method.lower()]["parameters"]
    known = [part["name"] for part in described if part["in"] == "query"]
    for name, value in request.query_params.items():
        if name not in known:
            raise BadParameter(name[:80], value, f"one of the parameters {', '.join(known)}")


def _bbox(
    bbox: Annotated[
        str | None,
        Query(
            description="west,south,east,north in degrees (OGC:CRS84), or with heights as the third and sixth "
            "number; west > east crosses the antimeridian.",
            examples=["28,45,33,48"],
            max_length=MAX_LENGTH,
        ),
    ] = None,
) -> Box | None:
    return None if bbox is None else parse_bbox(bbox)


def _days(
    datetime: Annotated[
        str | None,
        Query(
            description="A day or instant (RFC 3339), or an interval of two with .. for an open end. Keeps what may "
            "fall inside it; records without a date are kept.",
            examples=["2025-08-01/2025-08-31"],
            max_length=MAX_LENGTH,
        ),
    ] = None,
) -> Days:
    return Days() if datetime is None else parse_days(datetime)


BBox = Annotated[Box | None, Depends(_bbox)]
Datetime = Annotated[Days, Depends(_days)]
