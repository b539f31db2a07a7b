"""A long answer that is sent as the pieces that it lies in: to join them first takes as long as to find them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.formats.page import Piece

#: Answers of fewer bytes are joined, as whole ones may be cached; and those of more pieces, as each has its own write.
_LEAST_BYTES, _MOST_PIECES = 4 * 2**20, 64


class PiecesResponse(Response):
    """The answer 200 with a body that is given in pieces; where they are few and long they are not copied."""

    def __init__(self, pieces: Sequence[Piece], headers: Mapping[str, str], media_type: str) -> None:
        size = sum(map(len, pieces))
        is_joined = size < _LEAST_BYTES or len(pieces) > _MOST_PIECES
        self._pieces = [b"".join(pieces)] if is_joined else pieces
        super().__init__(None, headers={**headers, "Content-Length": str(size)}, media_type=media_type)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the head, then each piece."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        for number, piece in enumerate(self._pieces, 1):
            more = number < len(self._pieces)
            await send({"type": "http.response.body", "body": piece, "more_body": more})
