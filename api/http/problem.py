"""Problem details (RFC 9457) as a response body."""

from typing import Any

import orjson
from fastapi import Response


def problem(status: int, title: str, detail: str, **extra: Any) -> Response:
    """Answer one problem as ``application/problem+json``."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **extra}
    return Response(orjson.dumps(body), status, media_type="application/problem+json")
