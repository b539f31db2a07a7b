"""One table from domain errors to statuses of HTTP; every error is answered as problem+json (RFC 9457)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.html import pages
from api.http.common_headers import allow_header, methods_at
from api.http.json import problem
from api.http.work import ClientGone
from api.requests.negotiation import HTML, MediaFormat, NotAcceptable, negotiate
from api.requests.parameters import BadParameter
from api.requests.reviewer_tokens import InsufficientRole, NotAllowed, ReviewersError
from api.requests.strike_body import InvalidBody, NotEditable, UnprocessableBody
from api.requests.tile_matrix_sets import UnknownTile
from api.responses.authorisation import TooManyWrongTokens
from api.responses.person_write import KeyReused
from api.server.audit_trail import AuditTrailError
from api.server.keys_at_work import KeyAtWork
from api.wording.catalogue import declared
from api.wording.preference import language_headers, language_of
from api.wording.problems import error_sentence
from geo.errors import GeoError
from layers.model.problems import ProblemsError, UnknownRecord
from layers.reference.basemap import BasemapMissing
from layers.reference.gazetteer import GazetteerMissing
from layers.store.idempotency import KeyTaken
from layers.store.store import (
    Conflict,
    EditConflict,
    ReadOnlyStore,
    StillReferenced,
    StoreBusy,
    StoreError,
    StoreFull,
    StoreReplaced,
    StoreUnreachable,
)

log = logging.getLogger(__name__)


#: Domain error to status and title; the first class that fits counts.
TABLE: Mapping[type[Exception], tuple[int, str]] = MappingProxyType(
    {
        BadParameter: (400, "A parameter cannot be read"),
        GeoError: (400, "A place cannot be read"),
        NotAcceptable: (406, "Not in a form that is accepted"),
        UnprocessableBody: (422, "The body does not fit what is known"),
        InvalidBody: (400, "The body has faults"),
        ProblemsError: (422, "The input has faults"),
        UnknownRecord: (404, "No such record"),
        UnknownTile: (404, "No such tile"),
        NotAllowed: (401, "Not allowed"),
        InsufficientRole: (403, "Not allowed in this role"),
        TooManyWrongTokens: (429, "Too many wrong tokens"),
        KeyAtWork: (409, "A request with this key is being answered"),
        KeyTaken: (409, "A request with this key was answered meanwhile"),
        KeyReused: (422, "The key belongs to another request"),
        AuditTrailError: (503, "The audit trail cannot be written"),
        ReviewersError: (500, "The list of reviewers cannot be read"),
        Conflict: (409, "Somebody else decided meanwhile"),
        EditConflict: (412, "Somebody else changed it meanwhile"),
        StillReferenced: (409, "Others speak of it"),
        NotEditable: (409, "It cannot be removed"),
        BasemapMissing: (503, "There is no base map"),
        GazetteerMissing: (503, "There is no gazetteer"),
        StoreBusy: (503, "The store is in use"),
        ReadOnlyStore: (403, "The data may only be read"),
        StoreFull: (507, "The disk is full"),
        StoreReplaced: (503, "The store was replaced"),
        StoreUnreachable: (503, "The store does not answer"),
        StoreError: (500, "The store cannot be read"),
    }
)


#: Formats of a problem.
_FORMS = (MediaFormat("json", "application/problem+json", "a problem", ("application/json",)), HTML)


def _problem_response(request: Request, status: int, title: str, detail: str, **extra: Any) -> Response:
    """Answer a problem, as a page if the request prefers pages."""
    title = declared(title, language_of(request))
    answer = problem(status, title, detail, **extra)
    form, accept = request.query_params.get("f"), request.headers.get("accept")
    try:
        page = request.method == "GET" and negotiate(form, accept, _FORMS) is HTML
    except (BadParameter, NotAcceptable):
        page = False
    if page:
        content = {"status": status, "title": title, "detail": detail, **extra}
        answer = Response(pages.problem(request, content), status, media_type=HTML.media_type)
    answer.headers.update(language_headers(request, worded=True))
    return answer


def install(app: FastAPI) -> None:
    """Let the app answer every error as a problem."""
    for error in TABLE:
        app.add_exception_handler(error, _domain)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_middleware(LastResort)


async def _domain(request: Request, error: Exception) -> Response:
    status, title = next(answer for kind, answer in TABLE.items() if isinstance(error, kind))
    extra: dict[str, Any] = {}
    if isinstance(error, BadParameter):
        extra = {"parameter": error.name}
    elif isinstance(error, Conflict):
        extra = {"newest": error.newest}
    elif isinstance(error, InvalidBody):
        extra = {"errors": [fault._asdict() for fault in error.faults]}
    if status >= 500:
        log.error("%s: %s", request.url.path, error)
    for_readers = error.for_readers if isinstance(error, StoreError) else None
    detail = for_readers or error_sentence(error, language_of(request))
    answer = _problem_response(request, status, title, detail, **extra)
    answer.headers.update(_headers(error))
    return answer


def _headers(error: Exception) -> Mapping[str, str]:
    """Return the headers of an answer to an error: how to be allowed (RFC 6750, 3), or when to try again."""
    match error:
        case NotAllowed(error=None):
            return {"WWW-Authenticate": "Bearer"}
        case NotAllowed(error=code):
            return {"WWW-Authenticate": f'Bearer error="{code}", error_description="{error}"'}
        case InsufficientRole(needed=roles):
            return {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{" ".join(roles)}"'}
        case TooManyWrongTokens(retry_after=seconds):
            return {"Retry-After": str(seconds)}
    return {}


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = [
        {"parameter": ".".join(str(part) for part in fault["loc"][1:]), "detail": fault["msg"]}
        for fault in error.errors()
    ]
    first = faults[0] if faults else {"parameter": "", "detail": "invalid request"}
    detail = f"{first['parameter']}: {first['detail']}"
    return _problem_response(
        request, 400, "A parameter cannot be read", detail, parameter=first["parameter"], errors=faults
    )


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    answer = _problem_response(
        request, error.status_code, str(error.detail), f"{request.method} {request.url.path}"[:300]
    )
    answer.headers.update(error.headers or {})
    if error.status_code == 405:
        answer.headers["Allow"] = allow_header(methods_at(request.scope))
    return answer


class LastResort:
    """Middleware that answers unforeseen errors, inside of the middleware that adds headers to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; a failure is logged, and answered without its reason."""
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except ClientGone:
            raise
        except Exception as error:
            if begun or scope["type"] != "http":
                raise
            log.exception("%s %s failed", scope["method"], scope["path"], exc_info=error)
            await problem(500, "The server failed", "The fault was logged.")(scope, receive, send)
