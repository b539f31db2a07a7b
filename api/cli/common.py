"""Parts that all commands share: options, opening the store, and output for people or programs."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import RenderableType

from api import settings
from api.server.live_snapshot import data_date
from api.terminal import attribution
from api.wording.catalogue import text
from layers.corrections.log import PublishedVersion
from layers.reference import basemap
from layers.snapshot.disclosure import disclose
from layers.snapshot.snapshot import Snapshot
from layers.store.backends import open_store
from layers.store.store import Store

StoreAddress = Annotated[str, typer.Option("--store", metavar="PATH", help="The GeoPackage that holds the records.")]
#: The store that commands open by default.
STORE = str(settings.STORE)
AsJson = Annotated[bool, typer.Option("--json", help="Answer JSON for programs.")]


def open_published(store: str, base: Path) -> tuple[Store, PublishedVersion]:
    """Open a store, and build what is published of its newest version by the policy of disclosure.

    Raises
    ------
    NotAStore, BasemapMissing
        If one of the files is missing or something else.
    ProblemsError
        If the policy has faults.
    """
    opened = open_store(store)
    seq, records = opened.version()
    disclosure = disclose(records, settings.stated_policy(), datetime.now(UTC))
    day = data_date(opened, seq)
    snapshot = Snapshot.of(disclosure.records, basemap.read(base), seq, day, wording=text)
    return opened, PublishedVersion(snapshot, records, disclosure)


def open_snapshot(store: str, base: Path) -> Snapshot:
    """Build the snapshot of what is published of the newest version of a store.

    Raises
    ------
    NotAStore, BasemapMissing
        If one of the files is missing or something else.
    ProblemsError
        If the policy has faults.
    """
    return open_published(store, base)[1].snapshot


def output(values: object, as_json: bool, for_people: RenderableType) -> None:
    """Write JSON to standard output for programs, or a table for people."""
    if as_json:
        sys.stdout.buffer.write(orjson.dumps(values, option=orjson.OPT_INDENT_2) + b"\n")
        sys.stdout.buffer.flush()
    else:
        attribution.console.print(for_people)
