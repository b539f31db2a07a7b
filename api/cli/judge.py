"""``strikeatlas duplicates``, ``judge``, ``judgements`` and ``match``: what is one, and which asset a strike hit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.table import Table

from api.cli.common import (
    STORE,
    AsJson,
    BasemapOption,
    StoreAddress,
    open_snapshot,
    output,
    progress_bar,
    warn_of_clock,
)
from api.requests.parameters import BadParameter
from api.serializers import review as serialize
from api.server.version_builder import derived_by_edit
from api.settings import BASEMAP, Settings, open_layer
from api.terminal import duplicates as terminal
from api.terminal.console import add_row
from api.wording.catalogue import text
from layers.decisions import identity
from layers.decisions.hits import MatchAnswer, match_answer
from layers.decisions.identity import InvalidJudgement, JudgedTable, Verdict
from layers.matching import weights
from layers.matching.explanation import worded_match
from layers.matching.weights import DISSIMILARITY, REASONS, MatchWeights
from layers.model.messages import Message
from layers.model.problems import UnknownRecord
from layers.model.records import Match
from layers.resolution import resolve
from layers.resolution.asset_duplicates import PROPOSE_FROM as PROPOSE_ASSETS_FROM
from layers.resolution.asset_duplicates import propose_assets
from layers.resolution.candidates import PROPOSE_FROM as NAMES_FROM
from layers.resolution.strike_duplicates import PROPOSE_FROM, propose_duplicates
from layers.snapshot.snapshot import Snapshot
from layers.store.backends import open_store

app = typer.Typer()


@app.command(epilog="Example: strikeatlas duplicates --from 0.9 --json")
def duplicates(
    table: Annotated[JudgedTable, typer.Option(help="Which records may be there twice.")] = "strikes",
    from_score: Annotated[
        float | None,
        typer.Option(
            "--from",
            min=0,
            max=1,
            help=f"Least score; by default {PROPOSE_FROM} for strikes and assets, and {NAMES_FROM} for entities.",
            show_default=False,
        ),
    ] = None,
    store: StoreAddress = STORE,
    as_json: AsJson = False,
) -> None:
    """Propose which strikes, assets or entities are one told twice, with reasons; nothing is merged."""
    stored = open_store(store).mount(open_layer()).records()
    merged = resolve.apply_judgements(stored)
    if table == "strikes":
        proposed = propose_duplicates(stored, PROPOSE_FROM if from_score is None else from_score)
        rows = [serialize.strike_pair(merged, one) for one in proposed]
    elif table == "assets":
        sites = propose_assets(stored, PROPOSE_ASSETS_FROM if from_score is None else from_score)
        rows = [serialize.asset_pair(merged, one) for one in sites]
    else:
        least = NAMES_FROM if from_score is None else from_score
        rows = [serialize.entity_pair(merged, one) for one in resolve.duplicate_entities(stored) if one.score >= least]
    output(rows, as_json, terminal.duplicates(rows))


@app.command(epilog="Example: strikeatlas judge socar gem/e100 same --why 'the same LEI' --who 'A. Editor'")
def judge(
    one: Annotated[str, typer.Argument(help="An entity, asset or strike; the one that is kept.")],
    other: Annotated[str, typer.Argument(help="Another of the same table.")],
    verdict: Annotated[
        Verdict,
        typer.Argument(help="part: the first is a part of the second; undone: as if never judged."),
    ],
    why: Annotated[str, typer.Option(help="On what grounds.")],
    who: Annotated[str, typer.Option(help="Who decides.")],
    store: StoreAddress = STORE,
    base: BasemapOption = BASEMAP,
    as_json: AsJson = False,
) -> None:
    """Say that two records are the same, are different, or undo what was said. It is appended, never overwritten."""
    opened = open_store(store).mount(open_layer())
    warn_of_clock(opened)
    at = datetime.now(UTC)
    try:
        judgement_record = identity.judgement(opened.records(), one, other, verdict, who=who, why=why, at=at)
    except InvalidJudgement as error:
        raise BadParameter("judge", f"{one} {other} {verdict}", text(error.expected)) from error
    with progress_bar("deriving what follows"):
        derived = derived_by_edit(opened, Settings(basemap=base))
        opened.append("identities", judgement_record, author=who, at=at, derived=derived, why=why)
    records = opened.records()
    opened.close()
    effect = serialize.judgement(records, judgement_record, resolve.apply_judgements_with_remarks(records))
    output(effect, as_json, terminal.judgement(effect))


@app.command(epilog="Example: strikeatlas judgements --json")
def judgements(store: StoreAddress = STORE, as_json: AsJson = False) -> None:
    """List all judgements on what is one, and which of them stand."""
    rows = list(serialize.judgements(open_store(store).mount(open_layer()).records()))
    output(rows, as_json, terminal.judgements(rows))


MATCH_EPILOG = "Example: strikeatlas match ua-orlivka-2025-08-06 --explain"

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
            # The first is the answer, if the strike is not undecided.
            {
                **worded_match(match, text),
                "name": _name(match.asset, snapshot),
                "published": place == 0 and match_answer(candidates, snapshot.publish_from) != "undecided",
            }
            for place, match in enumerate(candidates)
        ]
        for name, candidates in matches.items()
    }
    if explain:
        answer = {"weights": _weights_json(table), "matches": answer}
    output(answer, as_json, _shown(matches, snapshot, table, full=strike is not None, explain=explain))


def _name(asset: str | None, snapshot: Snapshot) -> str | None:
    return None if asset is None else snapshot.records.assets[asset].name


def _named(asset: str, snapshot: Snapshot) -> str:
    return f"{asset}: {_name(asset, snapshot)}"


#: What is said of a strike where no asset is.
_ANSWERS: Mapping[MatchAnswer, str] = MappingProxyType({"none": "none of these", "undecided": "undecided"})


def _weights_json(table: MatchWeights) -> dict[str, Any]:
    rows = {name: {"weight": table.by_name.get(name), "says": says} for name, says in REASONS.items()}
    return {
        "fitted": table.fitted.isoformat() if table.fitted else None,
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
        kind = match_answer(candidates, snapshot.publish_from)
        answer = candidates[0].asset if kind == "asset" else _ANSWERS[kind]
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
                "" if match.distance_m is None else f"{match.distance_m / 1000:.1f}",
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
