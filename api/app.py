"""The HTTP application, made by a function: ``create_app(store, settings)``."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

from fastapi import FastAPI

from api.http.common_headers import CommonHeaders, Methods
from api.http.compression import Compression
from api.http.forwarded import Forwarded
from api.http.limits import AtWork, BodyLimit, RequestLimit, WorkLimit
from api.http.request_log import AccessLog, Form, Observed
from api.openapi import definition
from api.responses import errors
from api.routes import (
    attribution,
    esri_featureserver,
    gazetteer,
    health,
    ogc_common,
    ogc_features,
    ogc_maps,
    ogc_schemas,
    ogc_styles,
    ogc_tiles,
    ogc_transactions,
    review,
    web_map,
    xyz_tiles,
)
from api.server.build_id import edition, program_version
from api.server.live_snapshot import Atlas
from api.server.worker_status import Worker
from api.settings import Settings
from layers.store.store import Store

DESCRIPTION = (
    "Whose energy sites were struck: strikes joined to the owners of pipelines and facilities. "
    "Coordinates are longitude, latitude (OGC:CRS84); shares are percent; days are ISO 8601."
)


def create_app(store: Store, settings: Settings | None = None, log: Form = "none") -> FastAPI:
    """Make the application over a store; the snapshot is built before this returns.

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
    settings = settings or Settings()
    atlas = Atlas(store, settings, edition(settings))
    at_work = AtWork()
    worker = Worker(atlas, settings.workers, at_work.__len__)
    access_log = None if log == "none" else AccessLog(log, worker.number)

    app = FastAPI(
        title="StrikeAtlas",
        description=DESCRIPTION,
        version=program_version(),
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan(atlas, worker, access_log, settings),
    )
    app.state.atlas = atlas
    app.state.settings = settings
    app.state.worker = worker
    _mount(app, atlas, worker, settings)
    definition.install(app, settings)
    _wrap(app, settings, at_work, worker, access_log)
    return app


def _lifespan(
    atlas: Atlas, worker: Worker, log: AccessLog | None, settings: Settings
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """What runs beside the requests, from start to stop."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        # What the first request with parameters would wait for.
        app.openapi()
        tasks = [asyncio.create_task(worker.keep_saying())]
        if settings.follow_every_s:
            tasks.append(asyncio.create_task(atlas.follow(settings.follow_every_s)))
        yield
        for task in tasks:
            task.cancel()
        # The process ends at once after this, whatever is at work.
        await asyncio.gather(*tasks, return_exceptions=True)
        worker.end()
        if log is not None:
            log.flush()

    return lifespan


def _mount(app: FastAPI, atlas: Atlas, worker: Worker, settings: Settings) -> None:
    """Add the routes.

    Plain ones come first: a request passes over every route before its own, which for a tile took longer than the rest.
    """
    ogc_features.mount(app)
    xyz_tiles.mount(app, atlas)
    ogc_tiles.mount(app, atlas)
    health.mount(app, worker, settings.at_work_max)
    parts = (
        ogc_common,
        ogc_schemas,
        ogc_tiles,
        ogc_styles,
        ogc_maps,
        ogc_transactions,
        attribution,
        gazetteer,
        review,
        esri_featureserver,
        web_map,
    )
    for part in parts:
        app.include_router(part.router)
    web_map.mount(app, settings.static)


def _wrap(app: FastAPI, settings: Settings, at_work: AtWork, worker: Worker, log: AccessLog | None) -> None:
    """Put the middleware round the routes, the innermost first."""
    app.add_middleware(BodyLimit, most=settings.body_max)
    app.add_middleware(Compression, kept_bytes=settings.coded_kept)
    errors.install(app)
    app.add_middleware(WorkLimit, work=at_work, settings=settings)
    app.add_middleware(RequestLimit, settings=settings)
    app.add_middleware(Methods)
    app.add_middleware(CommonHeaders)
    app.add_middleware(Observed, tally=worker.tally, log=log)
    if settings.proxies:
        app.add_middleware(Forwarded, proxies=settings.proxies)
