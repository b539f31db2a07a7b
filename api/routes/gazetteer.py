"""What a text may mean as a place: ranked candidates of the gazetteer, with reasons."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field

from api.html import pages
from api.http.conditional import representation
from api.requests.negotiation import DOCUMENT, HTML
from api.requests.query_parameters import named_once
from api.requests.scalars import IN_DIGITS, MAX_LENGTH
from api.responses.resource import form_of, view
from api.serializers import places
from layers.reference.gazetteer import MAX_LIMIT, Gazetteer, GazetteerMissing

router = APIRouter(tags=["places"], dependencies=[Depends(named_once)])


def gazetteer(request: Request) -> tuple[Gazetteer, str]:
    """The gazetteer and the name of its version; opened when first asked for, and anew when another took its place.

    Raises
    ------
    GazetteerMissing
        If it has not been built.
    """
    state, path = request.app.state, request.app.state.settings.gazetteer
    try:
        found = path.stat()
    except OSError:
        raise GazetteerMissing("there is no gazetteer: run `make setup`") from None
    version = f"places-{found.st_ino:x}-{found.st_mtime_ns:x}"
    opened: tuple[Gazetteer, str] | None = getattr(state, "gazetteer", None)
    if opened is None or opened[1] != version:
        opened = state.gazetteer = Gazetteer.open(path), version
    return opened


def _near(
    near: Annotated[
        str | None,
        Query(
            description="lon,lat in degrees (OGC:CRS84) of a point that the place is within 300 km of.",
            examples=["30.72,46.48"],
            max_length=MAX_LENGTH,
            pattern=places.NEAR,
        ),
    ] = None,
) -> tuple[float, float] | None:
    return None if near is None else places.parse_near(near)


@router.get("/places", summary="Places of a name")
def find(
    request: Request,
    q: Annotated[
        str,
        Query(
            description="A name in Latin or Cyrillic letters, also a region, or a name with what it lies in.",
            examples=["Орлівка"],
            min_length=1,
            max_length=MAX_LENGTH,
        ),
    ],
    near: Annotated[tuple[float, float] | None, Depends(_near)],
    region: Annotated[
        str | None, Query(description="The region it lies in, in any spelling.", max_length=MAX_LENGTH)
    ] = None,
    country: Annotated[
        str | None, Query(description="ISO 3166-1 alpha-2 code or name of the country.", max_length=MAX_LENGTH)
    ] = None,
    limit: Annotated[
        int, Field(ge=1, le=MAX_LIMIT), IN_DIGITS, Query(description="Most candidates of the answer.")
    ] = 10,
) -> Response:
    """Places that a text may mean, best first. ``best`` is empty where more than one fits alike, or none."""
    form = form_of(request, DOCUMENT)
    opened, version = gazetteer(request)

    def told() -> dict[str, Any]:
        return places.told(opened.find(q, region=region, country=country, near=near, limit=limit), opened.origins())

    if form is not HTML:
        return representation(request, version, form.media_type, lambda: orjson.dumps(told()))
    # A page leads to the collections, which are of the data.
    version = f"{version}-{view(request).version}"
    return representation(
        request, version, form.media_type, lambda: pages.page(request, view(request), "answer", told())
    )
