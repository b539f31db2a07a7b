"""A printed figure is built again from its code, and compared: `strikeatlas verify CODE`."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import typer
from rich.console import Group, RenderableType
from rich.markup import escape

from api.cli.common import open_published, output
from api.requests.corrections_query import LIMIT_MAX, of_record
from api.serializers.attribution import cited_sources, strike_answer
from api.serializers.corrections import entry_values, sentences, title
from api.serializers.figures import FigureCode, strikes_of_figure
from api.wording.catalogue import text
from layers.corrections.concerned import records_of_answer
from layers.corrections.log import CorrectionEntry, CorrectionsLog, CorrectionsQuery, PublishedVersion
from layers.corrections.replay import records_at
from layers.snapshot.disclosure import disclose
from layers.snapshot.snapshot import Snapshot
from layers.store.store import Store


def verify_figure(stated: FigureCode, store: str, base: Path, as_json: bool) -> None:
    """Build a figure again from the history of a store, and say what it rests on and every correction since.

    Raises
    ------
    typer.Exit
        If it differs, with exit code 1.
    """
    opened, version = open_published(store, base)
    then = _version_at(opened, stated, version)
    rebuilt = FigureCode.of(then, stated.subject)
    shown = [*strikes_of_figure(then, stated.subject)]
    answers = (strike_answer(then, then.answer(key, stated.subject.basis, stated.subject.minority)) for key in shown)
    sources = cited_sources(then, [*answers])
    since = _corrections_since(opened, version, then, shown, stated)
    values: dict[str, Any] = {
        "code": str(stated),
        "rebuilt": str(rebuilt),
        "is_same": rebuilt == stated,
        "strikes": shown,
        "sources": sources,
        "corrections": [entry_values(entry) for entry in since],
    }
    output(values, as_json, _worded(stated, rebuilt, values, since))
    if rebuilt != stated:
        raise typer.Exit(1)


def _version_at(store: Store, code: FigureCode, version: PublishedVersion) -> Snapshot:
    """What was published of the version that a code names, by the policy of now and on its day."""
    moment = max(datetime.combine(code.day, time.max, UTC), _last_change(store, code.seq))
    published = disclose(records_at(store, code.seq), version.disclosure.policy, moment).records
    return Snapshot.of(published, version.snapshot.basemap, code.seq, code.day, wording=text)


def _last_change(store: Store, seq: int) -> datetime:
    last = next(iter(store.revisions(seq - 1)), None)
    return datetime.min.replace(tzinfo=UTC) if last is None else datetime.fromisoformat(last.at)


def _corrections_since(
    store: Store, version: PublishedVersion, then: Snapshot, strikes: list[str], code: FigureCode
) -> list[CorrectionEntry]:
    """Entries after the change of the figure on what its answers rested on, or rest on now."""
    now = version.snapshot
    keys = {key for strike in strikes for key in (*records_of_answer(then, strike), *of_record(strike))}
    keys |= {key for one in strikes if one in now.records.strikes for key in records_of_answer(now, one)}
    query = CorrectionsQuery(limit=LIMIT_MAX, keys=frozenset(keys), above=code.seq)
    found: list[CorrectionEntry] = []
    while True:
        page = CorrectionsLog(store).page(version, query)
        found += page.entries
        if page.next_below is None:
            return found
        query = replace(query, below=page.next_below)


def _worded(
    stated: FigureCode, rebuilt: FigureCode, values: dict[str, Any], since: list[CorrectionEntry]
) -> RenderableType:
    verdict = "the same" if stated == rebuilt else f"not the same: built again it is {rebuilt}"
    lines = [f"{stated}: {verdict}.", f"It rests on {len(values['sources'])} sources:"]
    lines += [f"  {key}: {source['publisher']} {source['url'] or ''}" for key, source in values["sources"].items()]
    lines.append(f"{len(since)} corrections since:" if since else "No corrections since.")
    for entry in since:
        lines += [f"  {entry.at[:19]} {title(entry)}", *(f"    {line}" for line in sentences(entry))]
    return Group(*map(escape, lines))
