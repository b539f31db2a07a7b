"""The HTTP application of all parts: ``create_app(store, settings)``."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

from fastapi import FastAPI

from api.http.common_headers import CommonHeaders, HeadAndOptions
from api.http.compression import Compression
from api.http.forwarded import Forwarded
from api.http.limits import ActiveRequests, BodyLimit, ConcurrencyLimit, JsonBodies, RequestLimit
from api.http.request_log import AccessLog, LogFormat, RequestObserver
from api.http.work import WorkQueues
from api.openapi import definition
from api.responses import errors
from api.responses.authorisation import WrongTokens
from api.routes import (
    attribution,
    corrections,
    esri_featureserver,
    health,
    name_search,
    ogc_common,
    ogc_features,
    ogc_maps,
    ogc_styles,
    ogc_tiles,
    ogc_transactions,
    publishing,
    review,
    strike_counts,
    web_map,
    xyz_tiles,
)
from api.server.acknowledged import AcknowledgedSeq, ReadYourWrites
from api.server.answer_cache import AnswerCache
from api.server.audit_trail import AuditTrail, audit_path
from api.server.build_id import build_id, program_version
from api.server.keys_at_work import KeysAtWork
from api.server.live_snapshot import LiveSnapshot
from api.server.worker_status import Worker
from api.settings import Settings, with_credit_for
from layers.store.store import Store

DESCRIPTION = (
    "Whose energy sites were struck: strikes joined to the owners of pipelines and facilities. "
    "Coordinates are longitude, latitude (OGC:CRS84); shares are percent; days are ISO 8601."
)


#: Standards and parts of the product: whoever adds one adds it here. Their links and routes come in this order.
PARTS = (
    ogc_common.PART,
    ogc_features.PART,
    xyz_tiles.PART,
    ogc_tiles.PART,
    ogc_styles.PART,
    ogc_maps.PART,
    ogc_transactions.PART,
    attribution.PART,
    strike_counts.PART,
    name_search.PART,
    corrections.PART,
    publishing.POLICY,
    publishing.PART,
    name_search.PLACES,
    review.PART,
    review.JUDGEMENTS,
    esri_featureserver.PART,
    web_map.PART,
    health.PART,
)


def create_app(store: Store, settings: Settings | None = None, log: LogFormat = "none") -> FastAPI:
    """Build the application over a store, and the snapshot with it.

    Parameters
    ----------
    log
        How each request is logged to standard error.

    Raises
    ------
    StoreError
        If the store cannot be read.
    BasemapMissing
        If the base map has not been built.
    """
    settings = with_credit_for(settings or Settings(), store.open_layer)
    atlas = LiveSnapshot(store, settings, build_id(settings))
    at_work = ActiveRequests()
    worker = Worker(atlas, settings.workers, at_work.__len__)
    access_log = None if log == "none" else AccessLog(log, worker.number)

    app = FastAPI(
        title="StrikeAtlas",
        description=DESCRIPTION,
        version=program_version(),
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        # There are metrics and a log of its own; to look for others takes a tenth of the time of a cached answer.
        telemetry={"tracing": False, "metrics": False, "logs": False},
        lifespan=_lifespan(atlas, worker, settings),
    )
    app.state.atlas = atlas
    app.state.settings = settings
    app.state.worker = worker
    app.state.audit = AuditTrail(settings.audit or audit_path(store.beside))
    app.state.wrong_tokens = WrongTokens()
    app.state.keys_at_work = KeysAtWork(settings.workers)
    app.state.acknowledged = AcknowledgedSeq(settings.workers)
    app.state.parts = PARTS
    app.state.work = WorkQueues(settings)
    _add_routes(app)
    definition.install(app, PARTS, settings)
    _wrap(app, settings, at_work, worker, access_log)
    return app


def _lifespan(
    atlas: LiveSnapshot, worker: Worker, settings: Settings
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Make the tasks that run beside the requests, from start to stop."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        # The first request for /api would wait for it.
        app.openapi()
        tasks = [asyncio.create_task(worker.publish_regularly())]
        if settings.follow_every_s:
            tasks.append(asyncio.create_task(atlas.watch(settings.follow_every_s)))
        yield
        for task in tasks:
            task.cancel()
        # The process ends right after this, whichever requests are at work.
        await asyncio.gather(*tasks, return_exceptions=True)
        worker.end()
        atlas.end()

    return lifespan


def _add_routes(app: FastAPI) -> None:
    """Add the routes of all parts.

    Plain ones and folders of files come first: a request is compared with every route before its own, which for a tile
    took longer than the rest.
    """
    for part in PARTS:
        app.router.routes += part.plain_routes
    for part in PARTS:
        part.mount(app)
    for part in PARTS:
        app.include_router(part.router)


def _wrap(app: FastAPI, settings: Settings, at_work: ActiveRequests, worker: Worker, log: AccessLog | None) -> None:
    """Add the middleware, the innermost first."""
    app.add_middleware(JsonBodies)
    app.add_middleware(BodyLimit, max_bytes=settings.body_max)
    app.add_middleware(Compression, cache_bytes=settings.coded_cached)
    errors.install(app)
    app.add_middleware(AnswerCache, atlas=app.state.atlas, tally=worker.tally)
    app.add_middleware(
        ReadYourWrites, atlas=app.state.atlas, acknowledged=app.state.acknowledged, limit_s=settings.catch_up_s
    )
    app.add_middleware(ConcurrencyLimit, work=at_work, settings=settings)
    app.add_middleware(RequestLimit, settings=settings)
    app.add_middleware(HeadAndOptions)
    app.add_middleware(CommonHeaders)
    app.add_middleware(RequestObserver, tally=worker.tally, log=log)
    if settings.proxies or settings.root_path:
        app.add_middleware(Forwarded, proxies=settings.proxies, root_path=settings.root_path)
