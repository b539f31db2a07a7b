"""``strikeatlas match``: which asset each strike hit, and with ``--explain`` how each probability comes about."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.table import Table

from api.cli.common import AsJson, StorePath, open_snapshot, output
from api.settings import BASEMAP, STORE
from api.terminal.attribution import add_row
from layers.matching import weights
from layers.matching.match import match_all
from layers.matching.weights import REASONS, Weights
from layers.model.problems import UnknownRecord
from layers.model.records import Match
from layers.snapshot.snapshot import Snapshot

EPILOG = "Example: strikeatlas match ua-orlivka-2025-08-06 --explain"

#: Candidates of one strike whose reasons are printed.
_EXPLAINED = 5

_Basemap = Annotated[Path, typer.Option("--basemap", help="The base map built by `make setup`.")]


def match(
    strike: Annotated[str | None, typer.Argument(help="One strike; all by default.")] = None,
    explain: Annotated[bool, typer.Option(help="Print the table of weights and what each reason adds.")] = False,
    store: StorePath = STORE,
    base: _Basemap = BASEMAP,
    as_json: AsJson = False,
) -> None:
    """Propose which asset each strike hit, with reasons; decisions are not touched."""
    snapshot = open_snapshot(store, base)
    if strike is not None and strike not in snapshot.matches:
        raise UnknownRecord(f"no strike {strike!r}")
    matches = (
        match_all(snapshot.records, snapshot.asset_index) if strike is None else {strike: snapshot.matches[strike]}
    )
    table = weights.read()
    told: dict[str, Any] = {name: [one.model_dump(mode="json") for one in found] for name, found in matches.items()}
    if explain:
        told = {"weights": _weights_json(table), "matches": told}
    output(told, as_json, _shown(matches, snapshot, table, full=strike is not None, explain=explain))


def _weights_json(table: Weights) -> dict[str, Any]:
    fitted = table.fitted.isoformat() if table.fitted else None
    rows = {name: {"weight": table.by_name.get(name), "says": says} for name, says in REASONS.items()}
    return {"fitted": fitted, "events": table.events, "ceiling": table.ceiling, "reasons": rows}


def _shown(
    found: Mapping[str, tuple[Match, ...]], snapshot: Snapshot, table: Weights, *, full: bool, explain: bool
) -> RenderableType:
    parts: list[RenderableType] = [_best(found, snapshot, full)]
    if explain:
        parts += [_weights(table), *(_explained(name, one) for name, one in found.items() if full)]
    return Group(*parts)


def _best(found: Mapping[str, tuple[Match, ...]], snapshot: Snapshot, full: bool) -> Table:
    """The best candidate of each strike; with ``full`` all candidates, with their reasons."""
    shown = Table("strike", "candidate", "probability", "km", "reasons" if full else "decided")
    for name, candidates in found.items():
        decided = ", ".join(hit.asset for hit in snapshot.findings[name].hits)
        for one in candidates if full else candidates[:1]:
            reasons = "\n".join(f"{reason.weight:+.2f} {reason.name}: {reason.detail}" for reason in one.reasons)
            cells = (
                name,
                one.asset or "none of these",
                f"{one.probability:.3f}",
                _km(one),
                reasons if full else decided,
            )
            add_row(shown, *cells)
    return shown


def _weights(table: Weights) -> Table:
    fitted = f", fitted {table.fitted} on {table.events} labelled strikes" if table.fitted else ""
    shown = Table("reason", "weight", "error", "one unit says", title=f"Weights (log odds){fitted}")
    for name, says in REASONS.items():
        weight = f"{table[name]:+.2f}" if name in table.by_name else f"at most to {table.ceiling:+.2f}"
        error = f"{table.errors[name]:.2f}" if name in table.errors else ""
        add_row(shown, name, weight, error, says)
    return shown


def _explained(strike: str, candidates: Sequence[Match]) -> RenderableType:
    """What each reason adds to the log odds of each candidate, and the factor it is for the odds."""
    none = next(one.probability for one in candidates if one.asset is None)
    tables = []
    for one in [match for match in candidates if match.asset is not None][:_EXPLAINED]:
        shown = Table("reason", "measured", "adds", "odds times", "in words", title=f"{strike}: {one.asset}")
        for reason in one.reasons:
            figures = (f"{reason.value:.2f}", f"{reason.weight:+.2f}", _times(reason.weight))
            add_row(shown, reason.name, *figures, reason.detail)
        total = sum(reason.weight for reason in one.reasons)
        said = f"{one.probability:.3f}, beside {none:.3f} for none of these"
        shown.add_row("[bold]log odds[/]", "", f"[bold]{total:+.2f}[/]", _times(total), said)
        tables.append(shown)
    return Group(*tables)


def _times(log_odds: float) -> str:
    return f"{math.exp(min(log_odds, 700)):.3g}"


def _km(one: Match) -> str:
    return "" if one.distance_m is None else f"{one.distance_m / 1000:.1f}"
