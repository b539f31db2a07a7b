"""``strikeatlas verify``: whether a store is what its history says, or a printed figure what history leads to."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.markup import escape

from api.cli.common import STORE, AsJson, StoreAddress, open_published, output
from api.cli.receipt import ReceiptOption, TrustOption, checked_receipts, receipt_sentence, receipt_values
from api.requests.corrections_query import LIMIT_MAX, of_record
from api.serializers.attribution import cited_sources, strike_answer
from api.serializers.corrections import entry_values, sentences, title
from api.serializers.figures import FigureCode, strikes_of_figure
from api.server.version_builder import last_change
from api.settings import BASEMAP
from api.wording.catalogue import text
from layers.corrections.concerned import records_of_answer
from layers.corrections.log import CorrectionEntry, CorrectionsLog, CorrectionsQuery, PublishedVersion
from layers.corrections.replay import records_at
from layers.reference import basemap
from layers.snapshot.derived_layers import full_rewrite
from layers.snapshot.disclosure import disclose
from layers.snapshot.snapshot import Snapshot
from layers.store.store import Store
from layers.store.verification import verify_file

EPILOG = "Example: strikeatlas verify data/atlas.gpkg; strikeatlas verify AZ.s412.20261126.9f3c2a7b10"


def verify(
    target: Annotated[
        str | None, typer.Argument(metavar="FILE|CODE", help="A store, or the code that stands under a figure.")
    ] = None,
    store: StoreAddress = STORE,
    base: Annotated[Path, typer.Option("--basemap", help="The base map built by `make setup`.")] = BASEMAP,
    trust: TrustOption = None,
    receipt: ReceiptOption = None,
    as_json: AsJson = False,
) -> None:
    """Check the whole store, a finding a line, or build a printed figure again from its history; change nothing.

    Exit code 0 if it is valid, or the same; 1 if not.
    """
    if target is not None and FigureCode.is_code(target) and not Path(target).exists():
        _verify_figure(FigureCode.parse(target), store, base, as_json)
        return
    store = target or store
    findings = list(verify_file(Path(store), full_rewrite(basemap.read(base), text)))
    values = {
        "store": store,
        "findings": [{"code": one.code, "arguments": dict(one.arguments), "text": text(one)} for one in findings],
    }
    lines = [text(one) for one in findings] or [f"{store} is valid."]
    receipts = checked_receipts(Path(store), receipt, trust)
    if receipts:
        values["receipts"] = [receipt_values(path, one) for path, one in receipts]
        lines += [receipt_sentence(path, one) for path, one in receipts]
    output(values, as_json, escape("\n".join(lines)))
    if findings or any(one.fault for _, one in receipts):
        raise typer.Exit(1)


def _verify_figure(stated: FigureCode, store: str, base: Path, as_json: bool) -> None:
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
    moment = max(filter(None, (datetime.combine(code.day, time.max, UTC), last_change(store, code.seq))))
    published = disclose(records_at(store, code.seq), version.disclosure.policy, moment).records
    return Snapshot.of(published, version.snapshot.basemap, code.seq, code.day, wording=text)


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
