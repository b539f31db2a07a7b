"""The command that serves the map and the API."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.cli.common import StorePath
from api.http.request_log import Form
from api.settings import BASEMAP, STORE, Settings, tuned
from api.terminal import attribution
from layers.model.thresholds import PUBLISH_FROM, SHOW_FROM

EPILOG = "Example: strikeatlas serve --port 8080 --workers 2"

#: Proxies on this machine.
LOCAL = ("127.0.0.0/8", "::1/128")


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 8000,
    store: StorePath = STORE,
    base: Annotated[Path, typer.Option("--basemap", help="The base map built by `make setup`.")] = BASEMAP,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes that answer.")] = 1,
    proxied: Annotated[
        bool, typer.Option(help="Trust X-Forwarded-Proto, -Host and -Prefix of a proxy on this machine.")
    ] = False,
    proxy: Annotated[
        list[str] | None, typer.Option(help="Address or network of a proxy elsewhere that is trusted; repeat.")
    ] = None,
    root_path: Annotated[str, typer.Option(help="Path below which a proxy shows this, such as /atlas.")] = "",
    log: Annotated[Form, typer.Option(help="Form of the log on standard error, a line a request.")] = "json",
    grace: Annotated[
        int, typer.Option(min=0, max=3600, help="Seconds that requests at work have to end when it is stopped.")
    ] = 30,
    publish_from: Annotated[
        float, typer.Option(min=0, max=1, help="Probability from which an undecided candidate is published.")
    ] = PUBLISH_FROM,
    show_from: Annotated[
        float, typer.Option(min=0, max=1, help="Probability from which a candidate is shown at all.")
    ] = SHOW_FROM,
    numbers: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=NUMBER", help="Another limit, see operating.md; repeat.")
    ] = None,
) -> None:
    """Serve the map and the API until stopped."""
    # Slow to import, and no other command needs them.
    from api.cli.server_process import Address
    from api.cli.server_process import serve as run
    from api.http.forwarded import require_networks

    proxies = require_networks([*(LOCAL if proxied else ()), *(proxy or ())])
    settings = Settings(basemap=base, proxies=proxies, grace_s=grace, publish_from=publish_from, show_from=show_from)
    settings = tuned(settings, numbers or ())

    def begun() -> None:
        attribution.errors.print(f"[bold]StrikeAtlas[/] is on http://{host}:{port}/map  (Ctrl+C stops it)")

    run(store, settings, Address(host, port, root_path.rstrip("/")), workers, log, begun)
