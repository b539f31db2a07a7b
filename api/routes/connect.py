"""How to connect programs, told with the address that the reader came by."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.answering import document
from api.formats.choice import HTML
from api.links import href, link

router = APIRouter(include_in_schema=False)


@router.get("/connect")
def connect(request: Request) -> Response:
    """What to paste into each program."""
    links = [link("self", href(request, "/connect"), HTML.media_type, "This document")]
    return document(request, "connect", {"title": "Connect", "links": links}, (HTML,))
