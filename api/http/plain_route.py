"""A route that the framework describes and does not stand in front of: no dependencies, no thread, one call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.routing import request_response


class PlainRoute(APIRoute):
    """A route of an async function that is given the request and the parts of its path as texts.

    The signature and docstring of the function describe the route in the API definition. The function hands its slow
    steps to a thread itself: solving dependencies and handing over every request took longer than the answer.
    """

    def __init__(self, path: str, endpoint: Callable[..., Awaitable[Response]], **described: Any) -> None:
        super().__init__(path, endpoint, methods=["GET"], **described)

        async def answer(request: Request) -> Response:
            return await endpoint(request, **request.path_params)

        self.app = request_response(answer)
