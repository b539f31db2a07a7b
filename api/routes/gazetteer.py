"""Places that a text may mean: ranked candidates of the gazetteer, with reasons."""

from __future__ import annotations

from typing import Annotated

import orjson
from fastapi import Depends, Query, Request, Response
from pydantic import Field

from api.html import pages
from api.http.conditional import representation
from api.http.json import Json
from api.openapi.declaration import ApiPart
from api.openapi.responses import ANY_OBJECT, BOOLEAN, COUNT, NUMBER, STRING, array_of, object_with
from api.requests.negotiation import DOCUMENT, HTML
from api.requests.parameters import INTEGER_TEXT, MAX_LENGTH
from api.responses.resource import negotiated_format, served_version
from api.serializers import places
from api.server.answer_cache import TRANSIENT
from api.wording.preference import language_of
from layers.reference.gazetteer import MAX_LIMIT, Gazetteer, GazetteerMissing

PART = ApiPart(
    "places",
    schemas={
        "Places": object_with(
            query=STRING,
            ambiguous=BOOLEAN,
            best={"type": "integer", "nullable": True},
            why=STRING,
            candidates=array_of(
                object_with(id=COUNT, name=STRING, lon=NUMBER, lat=NUMBER, score=NUMBER, reasons=array_of(ANY_OBJECT))
            ),
        )
    },
)


def gazetteer(request: Request) -> tuple[Gazetteer, str]:
    """Return the gazetteer and the name of its version; the file is opened again when it was replaced.

    Raises
    ------
    GazetteerMissing
        If the file has not been built.
    """
    state, path = request.app.state, request.app.state.settings.gazetteer
    try:
        stat = path.stat()
    except OSError:
        raise GazetteerMissing("there is no gazetteer: run `make setup`") from None
    version = f"places-{stat.st_ino:x}-{stat.st_mtime_ns:x}"
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


@PART.document("/places", "Places of a name", "Places")
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
        int, Field(ge=1, le=MAX_LIMIT), INTEGER_TEXT, Query(description="Most candidates of the answer.")
    ] = 10,
) -> Response:
    """Places that a text may mean, best first. ``best`` is empty where more than one fits alike, or none."""
    form = negotiated_format(request, DOCUMENT)
    opened, version = gazetteer(request)

    def answer() -> Json:
        return places.places_answer(
            opened.find(q, region=region, country=country, near=near, limit=limit),
            opened.origins(),
            language_of(request),
        )

    if form is not HTML:
        return representation(request, version, form.media_type, lambda: orjson.dumps(answer()), worded=True)
    # A page links to the collections, so that its entity tag has the version of the data too; the file may be replaced.
    request.scope[TRANSIENT] = True
    version = f"{version}-{served_version(request).version}"
    return representation(
        request, version, form.media_type, lambda: pages.page(request, served_version(request), "answer", answer())
    )
