"""Parts that all commands share: options, opening the store, and output for people or programs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import RenderableType

from api import settings
from api.server.live_snapshot import data_date
from api.terminal import attribution
from api.wording.catalogue import text
from layers.reference import basemap
from layers.snapshot.public_records import public
from layers.snapshot.snapshot import Snapshot
from layers.store.backends import open_store
from layers.store.store import Store

StoreAddress = Annotated[str, typer.Option("--store", metavar="PATH", help="The GeoPackage that holds the records.")]
#: The store that commands open by default.
STORE = str(settings.STORE)
AcceptBrokenHistory = Annotated[
    bool, typer.Option("--accept-broken-history", help="Go on although history was changed; see `strikeatlas verify`.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Answer JSON for programs.")]


def open_checked(store: str, accept_broken_history: bool) -> Store:
    """Open a store whose history holds, or whichever it is.

    Raises
    ------
    NotAStore
        If there is no store.
    BrokenHistory
        If its history was changed other than by being added to.
    """
    opened = open_store(store)
    if not accept_broken_history:
        opened.require_history()
    return opened


def open_snapshot(store: str, base: Path) -> Snapshot:
    """Build the snapshot of the newest version of a store.

    Raises
    ------
    NotAStore, BasemapMissing
        If one of the files is missing or something else.
    """
    opened = open_store(store)
    seq, records = opened.version()
    return Snapshot.of(public(records), basemap.read(base), seq, data_date(opened, seq), wording=text)


def output(values: object, as_json: bool, for_people: RenderableType) -> None:
    """Write JSON to standard output for programs, or a table for people."""
    if as_json:
        sys.stdout.buffer.write(orjson.dumps(values, option=orjson.OPT_INDENT_2) + b"\n")
        sys.stdout.buffer.flush()
    else:
        attribution.console.print(for_people)
