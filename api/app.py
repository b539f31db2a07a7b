"""The HTTP application, made by a function: ``create_app(store, settings)``."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from importlib.metadata import PackageNotFoundError, version

from fastapi import FastAPI

from api import errors, openapi
from api.atlas import Atlas
from api.headers import CommonHeaders, Methods
from api.limits import BodyLimit
from api.routes import answers, features, page, places, review, tiles
from api.settings import Settings
from layers.store import Store

DESCRIPTION = (
    "Whose energy sites were struck: strikes joined to the owners of pipelines and facilities. "
    "Coordinates are longitude, latitude (OGC:CRS84); shares are percent; days are ISO 8601."
)


def program_version() -> str:
    """Version of the installed program, or 0 where it is not installed."""
    try:
        return version("strikeatlas")
    except PackageNotFoundError:
        return "0"


def create_app(store: Store, settings: Settings | None = None) -> FastAPI:
    """Make the application over a store; the snapshot is built before this returns.

    Raises
    ------
    StoreError
        If the store cannot be read.
    BasemapMissing
        If the base map has not been built.
    """
    settings = settings or Settings()
    atlas = Atlas(store, settings, program_version())

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        following = asyncio.create_task(atlas.follow(settings.follow_every_s)) if settings.follow_every_s else None
        yield
        if following is not None:
            following.cancel()

    app = FastAPI(
        title="StrikeAtlas",
        description=DESCRIPTION,
        version=program_version(),
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.atlas = atlas
    app.state.settings = settings
    for router in (features.router, answers.router, places.router, review.router, page.router):
        app.include_router(router)
    tiles.mount(app, atlas)
    page.mount(app, settings.static)
    errors.install(app)
    openapi.install(app, settings)
    app.add_middleware(BodyLimit, most=settings.body_max)
    app.add_middleware(Methods)
    app.add_middleware(CommonHeaders)
    return app
