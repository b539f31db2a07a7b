"""Parts that all commands share: options, opening the store, and output for people or programs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import RenderableType
from rich.markup import escape
from rich.progress import Progress

from api import settings
from api.server.version_builder import opened_version, time_of
from api.terminal.console import console, errors
from api.wording.catalogue import text
from layers.corrections.log import PublishedVersion
from layers.model.types import CountryBasis
from layers.ownership.minority import Minority
from layers.snapshot.snapshot import Snapshot
from layers.store.backends import open_store
from layers.store.clock import clock_remark
from layers.store.store import Store

_STORE_HELP = "The GeoPackage that holds the records, or the postgresql:// address of a database that does."
StoreAddress = Annotated[str, typer.Option("--store", metavar="PATH|URL", help=_STORE_HELP)]
#: The store that commands open by default.
STORE = str(settings.STORE)
AcceptBrokenHistory = Annotated[
    bool, typer.Option("--accept-broken-history", help="Go on although history was changed; see `strikeatlas verify`.")
]
BasemapOption = Annotated[
    Path, typer.Option("--basemap", help="The base map of countries and places.", show_default=settings.BASEMAP_SHOWN)
]
IsoArgument = Annotated[str, typer.Argument(metavar="ISO", help="ISO 3166-1 alpha-2 code, such as AZ.")]
BasisOption = Annotated[CountryBasis, typer.Option(help="Country of registration or of the head office.")]
MinorityOption = Annotated[
    Minority, typer.Option(help="Whether minorities stay with a company that is not joint, or are followed.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Answer JSON for programs.")]


def open_checked(store: str, accept_broken_history: bool) -> Store:
    """Open a store whose history holds, or whichever it is.

    Raises `NotAStore` if there is no store; `BrokenHistory` if its history was changed other than by being added to.
    """
    opened = open_store(store)
    if not accept_broken_history:
        opened.require_history()
    return opened


def open_published(store: str, base: Path) -> tuple[Store, PublishedVersion]:
    """Open a store, and read or compute what is published of its newest version by its policy of disclosure.

    Raises `NotAStore` or `BasemapMissing` if one of the files is missing or something else; `PolicyDiffers` or
    `ProblemsError` if a file states another policy than the store has, or either policy has faults.
    """
    opened = open_store(store).mount(settings.open_layer())
    warn_of_clock(opened)
    with progress_bar("reading the store"):
        return opened, opened_version(opened, settings.Settings(basemap=base))


def open_snapshot(store: str, base: Path) -> Snapshot:
    """Open the snapshot of what is published of the newest version of a store; raises what `open_published` does."""
    return open_published(store, base)[1].snapshot


def warn_of_clock(store: Store) -> None:
    """Say on standard error that this machine's clock may be wrong, if the last change of a store makes that likely."""
    remark = clock_remark(time_of(store, store.head()), datetime.now(UTC))
    if remark is not None:
        errors.print(escape(text(remark)))


@contextmanager
def progress_bar(words: str) -> Iterator[Progress]:
    """Show how far a long task is, in words, to who watches standard error."""
    # Where nobody watches, a bar would only leave empty lines.
    watched = errors.is_terminal
    with Progress(transient=True, console=errors, disable=not watched) as progress:
        progress.add_task(words, total=None)
        yield progress


def output(values: object, as_json: bool, for_people: RenderableType) -> None:
    """Write JSON to standard output for programs, or a table for people."""
    if as_json:
        sys.stdout.buffer.write(orjson.dumps(values, option=orjson.OPT_INDENT_2) + b"\n")
        sys.stdout.buffer.flush()
    else:
        console.print(for_people)
