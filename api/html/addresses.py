"""Addresses in pages: they stay in the language that a reader has asked for by the parameter lang."""

from __future__ import annotations

from starlette.requests import Request

from api.http import links
from api.wording.catalogue import languages

#: Where files are that have no language.
_FILES = "/static/"


def href(request: Request, path: str, **query: object) -> str:
    """Build the absolute address of a path, as `api.http.links.href`, in the language that the request names."""
    named = request.query_params.get("lang")
    if named in languages() and not path.startswith(_FILES):
        query.setdefault("lang", named)
    return links.href(request, path, **query)
