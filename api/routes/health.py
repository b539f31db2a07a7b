"""For whoever runs the server: how it is, and what it counts."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.http.metrics import text
from api.server.worker_status import State, Worker, ago

#: What Prometheus asks for (text format 0.0.4).
METRICS = "text/plain; version=0.0.4; charset=utf-8"


def mount(app: FastAPI, worker: Worker, at_work_max: int) -> None:
    """Add the routes, plain ones as those of tiles: they answer however much there is to do."""

    async def live(request: Request) -> Response:
        return _now({"live": True})

    async def health(request: Request) -> Response:
        living = worker.living()
        ready = worker.state()["at_work"] <= at_work_max
        told = {"live": True, "ready": ready, "version": app.version, "workers": [_told(state) for state in living]}
        return _now(told, 200 if ready else 503)

    async def metrics(request: Request) -> Response:
        return Response(text(worker.metrics()), media_type=METRICS, headers={"Cache-Control": "no-store"})

    app.router.routes.append(Route("/health/live", live, methods=["GET"]))
    app.router.routes.append(Route("/health", health, methods=["GET"]))
    app.router.routes.append(Route("/metrics", metrics, methods=["GET"]))


def _told(state: State) -> dict[str, Any]:
    """How one worker is, without its counts."""
    names = ("worker", "pid", "seq", "changed", "build_s", "behind_s", "fault", "at_work")
    told = {name: state[name] for name in names}
    return {**told, "build_s": round(state["build_s"], 3), "built_s_ago": ago(state["built"])}


def _now(told: dict[str, Any], status: int = 200) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(orjson.dumps(told), status, media_type="application/json", headers=headers)
