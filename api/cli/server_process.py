"""Running the server: one process, or several workers that uvicorn keeps alive."""

from __future__ import annotations

import dataclasses
import gc
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
from api.http.request_log import Form, logging_config
from api.settings import Settings
from layers.reference.basemap import BasemapMissing
from layers.store.store import Store, StoreError

#: Seconds after which a worker that does not answer its parent is taken for hung: it builds all that it serves first.
HUNG_S = 600


@dataclasses.dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens, and below which path a proxy shows it (without the last slash)."""

    host: str = "127.0.0.1"
    port: int = 8000
    root_path: str = ""


def serve(
    store: Path,
    settings: Settings,
    address: Address,
    workers: int = 1,
    log: Form = "json",
    begun: Callable[[], None] = lambda: None,
) -> None:
    """Serve until stopped. On SIGTERM requests at work are ended, for as long as the settings give; new ones refused.

    ``begun`` is called once it is known that there is something to serve.

    Raises
    ------
    NotAStore, BasemapMissing
        If one of the files is missing or something else.
    """
    if workers == 1:
        app = _built(store, settings, log)
        begun()
        uvicorn.Server(_config(app, settings, address, log)).run()
        return
    # Said once and for all here, as each worker would say it.
    Store.open(store).close()
    if not settings.basemap.exists():
        raise BasemapMissing(f"there is no base map {settings.basemap}")
    with tempfile.TemporaryDirectory(prefix="strikeatlas-") as folder:
        settings = dataclasses.replace(settings, workers=Path(folder))
        begun()
        config = _config(partial(_worker, store, settings, log), settings, address, log, workers)
        _Workers(config, [config.bind_socket()]).run()


def _config(
    app: FastAPI | partial[FastAPI], settings: Settings, address: Address, log: Form, workers: int = 1
) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=address.host,
        port=address.port,
        root_path=address.root_path,
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


def _worker(store: Path, settings: Settings, log: Literal["json", "text", "none"]) -> FastAPI:
    """The application of one worker; a worker that can never start stops the others, too."""
    try:
        return _built(store, settings, log)
    except (StoreError, BasemapMissing) as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(STARTUP_FAILURE) from error


def _built(store: Path, settings: Settings, log: Form) -> FastAPI:
    """The application, and what was built for it out of the collector's way: it stays, and a walk over it stops all.

    The walk over the objects of the bundled records takes a sixth of a second, and grows with them.
    """
    gc.disable()
    try:
        return create_app(Store.open(store), settings, log)
    finally:
        gc.enable()
        gc.collect()
        gc.freeze()


class _Workers(Multiprocess):
    """uvicorn's workers; when they are stopped, nobody listens any more, so that new requests are refused at once."""

    def keep_subprocess_alive(self) -> None:
        """Look after the workers."""
        for process in self.processes:
            # Each has its own end by now; while ours is open, one that is killed while it is asked how it is would be
            # waited for as one that is busy.
            process.child_conn.close()
        super().keep_subprocess_alive()

    def terminate_all(self) -> None:
        for sock in self.sockets:
            sock.close()
        super().terminate_all()
