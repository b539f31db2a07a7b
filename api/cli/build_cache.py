"""``strikeatlas keep``: find what follows from a large store ahead of the servers that need it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from api.cli.common import AsJson, StorePath, output
from api.server.build_id import edition
from api.server.live_snapshot import Atlas
from api.settings import BASEMAP, STORE, Settings
from api.terminal import attribution
from layers.model.thresholds import PUBLISH_FROM
from layers.snapshot.snapshot_files import KeptSnapshot
from layers.store.store import Store, StoreError

EPILOG = "Example: strikeatlas keep --store data/atlas.gpkg"


def keep(
    store: StorePath = STORE,
    base: Annotated[Path, typer.Option("--basemap", help="The base map built by `make setup`.")] = BASEMAP,
    publish_from: Annotated[
        float, typer.Option(min=0, max=1, help="Probability from which an undecided candidate is published.")
    ] = PUBLISH_FROM,
    as_json: AsJson = False,
) -> None:
    """Find what follows from the records and keep it beside the store, so that a server of it starts at once."""
    opened, settings = Store.open(store), Settings(basemap=base, publish_from=publish_from, keep_from=0)
    begun = time.monotonic()
    count = opened.size("strikes", "assets")
    with attribution.errors.status(f"Finding what follows from {count:,} strikes and assets"):
        atlas = Atlas(opened, settings, edition(settings))
        atlas.keep()
        snapshot = atlas.view.snapshot
    opened.close()
    if not isinstance(snapshot, KeptSnapshot):
        raise StoreError(
            "nothing can be kept: there are private records, judgements that unite records or stakes that several "
            "loads tell of, or nothing can be written beside the store"
        )
    folder = snapshot.lies_on.folder
    size = sum(file.stat().st_size for file in folder.iterdir())
    told = {"folder": str(folder), "bytes": size, "change": snapshot.seq, "seconds": round(time.monotonic() - begun, 1)}
    said = f"{folder}: {size / 1e6:,.0f} MB, as of change {snapshot.seq:,}, in {told['seconds']} s"
    output(told, as_json, escape(said))
