"""Answers made from the current version of the data, with their validators, in the form that a request asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from fastapi import Request, Response
from starlette.exceptions import HTTPException

from api.html import pages
from api.http.conditional import representation
from api.http.links import JSON, href, link
from api.requests.negotiation import DOCUMENT, HTML, Format, chosen
from api.server.live_snapshot import Atlas
from api.server.served_version import View
from layers.collections.collection import Collection


def view(request: Request) -> View:
    """The version of the data that this request answers from, the same however often it is asked for."""
    if not hasattr(request.state, "view"):
        atlas: Atlas = request.app.state.atlas
        request.state.view = atlas.view
    taken: View = request.state.view
    return taken


def version(request: Request) -> str:
    """Name of that version, for entity tags."""
    return view(request).version


def find(view: View, name: str) -> Collection:
    """The collection of that name, or 404."""
    found = view.snapshot.collections.get(name)
    if found is None:
        raise HTTPException(404, f"No collection {name[:80]!r}; see /collections")
    return found


def form_of(request: Request, offered: tuple[Format, ...]) -> Format:
    """The form that a request asks for.

    Raises
    ------
    BadParameter
        If its parameter f is none of those offered.
    NotAcceptable
        If its Accept header has none of them.
    """
    return chosen(request.query_params.get("f"), request.headers.get("accept"), offered)


def as_json(content: object, request: Request, media_type: str = JSON) -> Response:
    """Answer JSON made from the current version, or 304 where the client has it."""
    return made(orjson.dumps(content), request, media_type)


def made(body: bytes, request: Request, media_type: str) -> Response:
    """Answer a body made from the current version alone, or 304 where the client has it."""
    return representation(request, version(request), media_type, body)


def document(request: Request, kind: str, told: Mapping[str, Any], offered: tuple[Format, ...] = DOCUMENT) -> Response:
    """Answer a resource as JSON, or as the page of its kind."""
    form = form_of(request, offered)
    if form is not HTML:
        return as_json(told, request, form.media_type)
    return representation(
        request, version(request), HTML.media_type, lambda: pages.page(request, view(request), kind, told)
    )


def own_links(request: Request, path: str, offered: Sequence[Format] = DOCUMENT) -> list[Mapping[str, str]]:
    """Links of a document to itself and to its other forms (OGC 17-069r4, 7.13.2 and others), in the form asked for."""
    asked = form_of(request, tuple(offered))
    own = href(request, path, f=None if asked is offered[0] else asked.name)
    others = [(form, href(request, path, f=form.name)) for form in offered if form is not asked]
    return [
        link("self", own, asked.media_type, "This document"),
        *(link("alternate", address, form.media_type, f"As {form.title}") for form, address in others),
    ]
