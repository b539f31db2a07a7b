"""``strikeatlas match``: which asset each strike hit, and with ``--explain`` how each probability comes about."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.table import Table

from api.cli.common import STORE, AsJson, BasemapOption, StoreAddress, open_snapshot, output
from api.settings import BASEMAP
from api.terminal.console import add_row
from api.wording.catalogue import text
from layers.decisions.hits import MatchAnswer, match_answer
from layers.matching import weights
from layers.matching.explanation import worded_match
from layers.matching.weights import DISSIMILARITY, REASONS, MatchWeights
from layers.model.messages import Message
from layers.model.problems import UnknownRecord
from layers.model.records import Match
from layers.snapshot.snapshot import Snapshot

EPILOG = "Example: strikeatlas match ua-orlivka-2025-08-06 --explain"

#: The largest number of candidates of a strike whose reasons are printed.
_EXPLAINED = 5


def match(
    strike: Annotated[str | None, typer.Argument(help="One strike; all by default.")] = None,
    explain: Annotated[bool, typer.Option(help="Print the table of weights and what each reason adds.")] = False,
    store: StoreAddress = STORE,
    base: BasemapOption = BASEMAP,
    as_json: AsJson = False,
) -> None:
    """Propose which asset each strike hit, with reasons; decisions are not touched.

    The answer to a strike is its best candidate, "none of these", or "undecided" where neither is probable enough.
    """
    snapshot = open_snapshot(store, base)
    if strike is not None and strike not in snapshot.matches:
        raise UnknownRecord(Message("record.no-strike", {"id": strike}))
    matches = snapshot.all_matches() if strike is None else {strike: snapshot.matches[strike]}
    table = weights.read()
    answer: dict[str, Any] = {
        name: [
            {**worded_match(match, text), "name": _name(match.asset, snapshot), "published": is_said}
            for match, is_said in _said(candidates, snapshot)
        ]
        for name, candidates in matches.items()
    }
    if explain:
        answer = {"weights": _weights_json(table), "matches": answer}
    output(answer, as_json, _shown(matches, snapshot, table, full=strike is not None, explain=explain))


def _said(candidates: Sequence[Match], snapshot: Snapshot) -> Iterator[tuple[Match, bool]]:
    """Yield candidates, and whether each is the answer: the first, or none of them where the strike is undecided."""
    answered = match_answer(candidates, snapshot.publish_from) != "undecided"
    yield from ((match, answered and position == 0) for position, match in enumerate(candidates))


def _answer_of(candidates: Sequence[Match], snapshot: Snapshot) -> str:
    answer = match_answer(candidates, snapshot.publish_from)
    return str(candidates[0].asset) if answer == "asset" else _ANSWERS[answer]


def _name(asset: str | None, snapshot: Snapshot) -> str | None:
    return None if asset is None else snapshot.records.assets[asset].name


def _named(asset: str, snapshot: Snapshot) -> str:
    return f"{asset}: {_name(asset, snapshot)}"


#: What is said of a strike where no asset is.
_ANSWERS: Mapping[MatchAnswer, str] = MappingProxyType({"none": "none of these", "undecided": "undecided"})


def _weights_json(table: MatchWeights) -> dict[str, Any]:
    fitted = table.fitted.isoformat() if table.fitted else None
    rows = {name: {"weight": table.by_name.get(name), "says": says} for name, says in REASONS.items()}
    return {
        "fitted": fitted,
        "events": table.events,
        "ceiling": table.ceiling,
        "dissimilarity": table.dissimilarity,
        "reasons": rows,
    }


def _shown(
    matches_by_strike: Mapping[str, tuple[Match, ...]],
    snapshot: Snapshot,
    table: MatchWeights,
    *,
    full: bool,
    explain: bool,
) -> RenderableType:
    parts: list[RenderableType] = [_best(matches_by_strike, snapshot, full)]
    if explain:
        parts += [_weights(table), *(_explained(name, match) for name, match in matches_by_strike.items() if full)]
    return Group(*parts)


def _best(matches_by_strike: Mapping[str, tuple[Match, ...]], snapshot: Snapshot, full: bool) -> Table:
    """List the best candidate of each strike and the answer; with ``full`` all candidates and their reasons."""
    shown = Table("strike", "answer", "candidate", "probability", "km", "reasons" if full else "decided")
    for name, candidates in matches_by_strike.items():
        answer = _answer_of(candidates, snapshot)
        hits = snapshot.findings[name].hits
        decided = ", ".join(_named(hit.asset, snapshot) for hit in hits if hit.decision is not None)
        for match in candidates if full else candidates[:1]:
            reasons = "\n".join(
                f"{reason.weight:+.2f} {reason.name}: {text(reason.detail)}" for reason in match.reasons
            )
            cells = (
                f"{name}: {snapshot.records.strikes[name].title}",
                answer,
                _named(match.asset, snapshot) if match.asset else "none of these",
                f"{match.probability:.3f}",
                _km(match),
                reasons if full else decided,
            )
            add_row(shown, *cells)
    return shown


def _weights(table: MatchWeights) -> Table:
    fitted = f", fitted {table.fitted} on {table.events} labelled strikes" if table.fitted else ""
    shown = Table("reason", "weight", "error", "one unit says", title=f"Weights (log odds){fitted}")
    for name, says in REASONS.items():
        weight = f"{table[name]:+.2f}" if name in table.by_name else f"at most to {table.ceiling:+.2f}"
        error = f"{table.errors[name]:.2f}" if name in table.errors else ""
        add_row(shown, name, weight, error, says)
    error = f"{table.errors[DISSIMILARITY]:.2f}" if DISSIMILARITY in table.errors else ""
    says = "candidates are compared by their odds to the power of one over this"
    add_row(shown, DISSIMILARITY, f"{table.dissimilarity:.2f}", error, says)
    return shown


def _explained(strike: str, candidates: Sequence[Match]) -> RenderableType:
    """List how much each reason adds to the log odds of each candidate, and by which factor it changes the odds."""
    none = next(match.probability for match in candidates if match.asset is None)
    tables = []
    for match in [match for match in candidates if match.asset is not None][:_EXPLAINED]:
        shown = Table("reason", "measured", "adds", "odds times", "in words", title=f"{strike}: {match.asset}")
        for reason in match.reasons:
            figures = (f"{reason.value:.2f}", f"{reason.weight:+.2f}", _times(reason.weight))
            add_row(shown, reason.name, *figures, text(reason.detail))
        total = sum(reason.weight for reason in match.reasons)
        text_of_odds = f"{match.probability:.3f}, beside {none:.3f} for none of these"
        shown.add_row("[bold]log odds, alone[/]", "", f"[bold]{total:+.2f}[/]", _times(total), text_of_odds)
        tables.append(shown)
    return Group(*tables)


def _times(log_odds: float) -> str:
    return f"{math.exp(min(log_odds, 700)):.3g}"


def _km(match: Match) -> str:
    return "" if match.distance_m is None else f"{match.distance_m / 1000:.1f}"
