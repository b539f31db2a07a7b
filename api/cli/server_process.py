"""The server process: a single one, or several workers that uvicorn restarts."""

from __future__ import annotations

import dataclasses
import gc
import socket
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal

import uvicorn
from fastapi import FastAPI
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from api.app import create_app
from api.http.bounded_protocol import BoundedProtocol
from api.http.request_log import LogFormat, logging_config
from api.settings import Settings, open_layer
from layers.model.garbage import collection_paused
from layers.reference.basemap import BasemapMissing
from layers.reference.basemap_archive import BasemapArchive, UnreadableArchive
from layers.store.backends import open_store
from layers.store.store import Store, StoreError

#: Seconds after which a worker that does not answer its parent counts as hung; it first builds all that it serves.
HUNG_S = 600


def serve(
    store: str,
    settings: Settings,
    host: str,
    port: int,
    workers: int = 1,
    log: LogFormat = "json",
    begun: Callable[[Store], None] = lambda store: None,
) -> None:
    """Serve until stopped. On SIGTERM requests at work are ended, for as long as the settings give; new ones refused.

    ``begun`` is called with the store once it is known that there is something to serve.

    Raises `NotAStore` or `BasemapMissing` or `UnreadableArchive` if one of the files is missing or something else;
    `OSError` if the address cannot be listened on, as where another program does.
    """
    with _bound(host, port) as listening:
        if workers == 1:
            app = _built(store, settings, log)
            begun(app.state.atlas.store)
            uvicorn.Server(_config(app, settings, host, port, log)).run([listening])
            return
        # A missing file is reported once here, not by each worker.
        opened = open_store(store)
        if not settings.basemap.exists():
            raise BasemapMissing(f"there is no base map {settings.basemap}")
        if settings.basemap_archive is not None:
            BasemapArchive(settings.basemap_archive)
        with tempfile.TemporaryDirectory(prefix="strikeatlas-") as folder:
            settings = dataclasses.replace(settings, workers=Path(folder))
            begun(opened)
            opened.seq()  # A connection that stays: the log is folded into the file even where workers are killed.
            config = _config(partial(_worker, store, settings, log), settings, host, port, log, workers)
            _Workers(config, [listening]).run()
            opened.close()


def _bound(host: str, port: int) -> socket.socket:
    """Take the address before anything is built for it; until the server has begun, connections are refused."""
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise OSError(f"cannot listen on {host}, port {port}: {error.strerror}") from error
    bound.set_inheritable(True)
    return bound


def _config(
    app: FastAPI | partial[FastAPI], settings: Settings, host: str, port: int, log: LogFormat, workers: int = 1
) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        factory=isinstance(app, partial),
        http=BoundedProtocol,
        ws="none",
        workers=workers,
        log_config=logging_config(log),
        access_log=False,
        # X-Forwarded headers are read by `api.http.forwarded`, host and prefix too.
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=settings.grace_s,
        timeout_worker_healthcheck=HUNG_S,
    )


def _worker(store: str, settings: Settings, log: Literal["json", "text", "none"]) -> FastAPI:
    """Build the application of a worker; a worker that can never start stops all workers."""
    try:
        return _built(store, settings, log)
    except (StoreError, BasemapMissing, UnreadableArchive) as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(STARTUP_FAILURE) from error


def _built(store: str, settings: Settings, log: LogFormat) -> FastAPI:
    """Build the application, and exempt its objects from garbage collection: they stay, and a walk over them blocks.

    The walk over the objects of the bundled records takes a sixth of a second, and grows with their number.
    """
    try:
        with collection_paused():
            return create_app(open_store(store).mount(open_layer(settings.open_layer)), settings, log)
    finally:
        gc.collect()
        gc.freeze()


class _Workers(Multiprocess):
    """uvicorn's workers; when they are stopped the sockets are closed, so that new requests are refused at once."""

    def keep_subprocess_alive(self) -> None:
        """Look after the workers."""
        for process in self.processes:
            # Each worker has its own end of the pipe by now. While the parent's copy is open, a worker that is killed
            # during its health check would be taken for busy and waited for.
            process.child_conn.close()
        super().keep_subprocess_alive()

    def terminate_all(self) -> None:
        for sock in self.sockets:
            sock.close()
        super().terminate_all()
