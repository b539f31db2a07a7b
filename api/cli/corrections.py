"""The command ``corrections``: what was published and was changed since."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Literal

import typer
from rich.markup import escape
from rich.table import Table

from api.cli.common import STORE, AsJson, BasemapOption, StoreAddress, open_published, output
from api.requests.corrections_query import LIMIT, LIMIT_MAX, corrections_query, keys_of
from api.serializers.corrections import entry_values, sentences, title
from api.settings import BASEMAP
from layers.corrections.log import CorrectionEntry, CorrectionsLog, CorrectionsQuery, PublishedVersion
from layers.store.store import Store

EPILOG = "Example: strikeatlas corrections --since 2026-11-01 --country AZ"
_Kind = Literal["addition", "correction", "retraction", "reload"]


def corrections(
    since: Annotated[str | None, typer.Option(help="Only changes on a day (UTC), at a time, or later.")] = None,
    until: Annotated[str | None, typer.Option(help="Only changes up to a day (UTC), or before a time.")] = None,
    record: Annotated[str | None, typer.Option(help="Only the record of an id.")] = None,
    strike: Annotated[str | None, typer.Option(help="Only what the answer to a strike is based on.")] = None,
    asset: Annotated[str | None, typer.Option(help="Only what is said of a site, and strikes on it.")] = None,
    entity: Annotated[str | None, typer.Option(help="Only what concerns an owner, and strikes on its sites.")] = None,
    country: Annotated[str | None, typer.Option(help="Only what concerns a country: ISO 3166-1 alpha-2.")] = None,
    kind: Annotated[_Kind | None, typer.Option(help="Only entries of a kind.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=LIMIT_MAX, help="Most entries.")] = LIMIT,
    store: StoreAddress = STORE,
    base: BasemapOption = BASEMAP,
    as_json: AsJson = False,
) -> None:
    """Tell what changed of what is published, when and why, newest first."""
    opened, version = open_published(store, base)
    query = corrections_query(
        since=since,
        until=until,
        country=country,
        kind=kind,
        keys=keys_of(version.snapshot, record=record, strike=strike, asset=asset, entity=entity),
        followed=asset or entity,
    )
    entries = [*entries_of(opened, version, query, limit)]
    output({"corrections": [entry_values(entry) for entry in entries]}, as_json, _table(entries))


def entries_of(
    store: Store, version: PublishedVersion, query: CorrectionsQuery, most: float = math.inf
) -> Iterator[CorrectionEntry]:
    """Yield entries, the newest first, over pages until there are no more, or as many as are wanted."""
    log = CorrectionsLog(store)
    while most > 0:
        page = log.page(version, replace(query, limit=int(min(most, LIMIT_MAX))))
        yield from page.entries
        if page.next_before is None:
            return
        most -= len(page.entries)
        query = replace(query, before=page.next_before)


def _table(entries: list[CorrectionEntry]) -> Table | str:
    if not entries:
        return "No changes that fit."
    table = Table("When", "What", "Change", box=None, pad_edge=False)
    for entry in entries:
        table.add_row(entry.at[:19], escape(title(entry)), escape("\n".join(sentences(entry))))
    return table
