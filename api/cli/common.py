"""What all commands share: options, opening the store, and saying things to people or programs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import RenderableType

from api.server.live_snapshot import data_date
from api.terminal import attribution
from layers.reference import basemap
from layers.snapshot.public_records import public
from layers.snapshot.snapshot import Snapshot
from layers.store.store import Store

StorePath = Annotated[Path, typer.Option("--store", help="The GeoPackage that holds the records.")]
AsJson = Annotated[bool, typer.Option("--json", help="Answer JSON for programs.")]


def open_snapshot(store: Path, base: Path) -> Snapshot:
    """The newest version of what a store holds.

    Raises
    ------
    NotAStore, BasemapMissing
        If one of the files is missing or something else.
    """
    opened = Store.open(store)
    seq, records = opened.version()
    return Snapshot.of(public(records), basemap.read(base), seq, data_date(opened, seq))


def output(told: object, as_json: bool, for_people: RenderableType) -> None:
    """Write JSON to standard output for programs, or a table for people."""
    if as_json:
        sys.stdout.buffer.write(orjson.dumps(told, option=orjson.OPT_INDENT_2) + b"\n")
        sys.stdout.buffer.flush()
    else:
        attribution.console.print(for_people)
