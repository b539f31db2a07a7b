"""Health and metrics, for operators of the server."""

from __future__ import annotations

import orjson
from starlette.requests import Request
from starlette.responses import Response

from api.http.json import Json
from api.http.metrics import exposition
from api.openapi.declaration import ApiPart
from api.server.worker_status import State, Worker, ago

#: Media type that Prometheus reads (text format 0.0.4).
METRICS = "text/plain; version=0.0.4; charset=utf-8"


#: Plain routes as those of tiles: they answer however much there is to do. The definition does not have them.
PART = ApiPart("health")


@PART.plain("/health/live")
async def live(request: Request) -> Response:
    """Answer that the process runs."""
    return _uncached({"live": True})


@PART.plain("/health")
async def health(request: Request) -> Response:
    """Answer whether more requests can be taken, and the state of each worker."""
    worker: Worker = request.app.state.worker
    living = worker.living()
    ready = worker.state()["at_work"] <= request.app.state.settings.at_work_max
    document = {
        "live": True,
        "ready": ready,
        "version": request.app.version,
        "editable": not worker.read_only,
        "remarks": worker.remarks(),
        "workers": [_listed(state) for state in living],
    }
    return _uncached(document, 200 if ready else 503)


@PART.plain("/metrics")
async def metrics(request: Request) -> Response:
    """Answer the counts of all workers for Prometheus."""
    worker: Worker = request.app.state.worker
    return Response(exposition(worker.metrics()), media_type=METRICS, headers={"Cache-Control": "no-store"})


def _listed(state: State) -> Json:
    """Return the state of one worker, without its counts."""
    names = ("worker", "pid", "history", "changed", "build_s", "behind_s", "fault", "at_work")
    listed = {name: state[name] for name in names}
    return {**listed, "build_s": round(state["build_s"], 3), "built_s_ago": ago(state["built"])}


def _uncached(document: Json, status: int = 200) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(orjson.dumps(document), status, media_type="application/json", headers=headers)
