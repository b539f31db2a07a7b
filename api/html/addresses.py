"""Addresses in pages: they stay in the language that a reader has asked for by the parameter lang."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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


def answered(request: Request, items: Sequence[Mapping[str, str]]) -> Sequence[Mapping[str, str]]:
    """Leave out the links that lead to no file, where the page becomes one."""
    return [item for item in items if leads_somewhere(request, item["href"])]


def leads_somewhere(request: Request, address: str) -> bool:
    """Whether an address is that of an answer, not of the page that says that it needs a server."""
    files: links.FileAddresses | None = request.scope.get(links.FILES)
    return files is None or address != files.needs_server
