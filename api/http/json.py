"""JSON objects: their type, spelt once for all rooms of the application, and problem details as a response."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.responses import Response

#: A JSON object: strings, numbers, booleans, null, lists and objects by name, as ``orjson`` reads and writes them.
Json = dict[str, Any]


def problem(status: int, title: str, detail: str, **extra: Any) -> Response:
    """Answer with problem details (RFC 9457) as ``application/problem+json``; ``extra`` are further members."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **extra}
    return Response(orjson.dumps(body), status, media_type="application/problem+json")


def pointer_token(name: object) -> str:
    """Write a name or number as a part of a JSON Pointer (RFC 6901, 3)."""
    return str(name).replace("~", "~0").replace("/", "~1")
