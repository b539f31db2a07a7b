"""``strikeatlas duplicates``, ``judge`` and ``judgements``: what may be one, and what a person says of it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from api.cli.common import AsJson, StorePath, output
from api.requests.scalars import BadParameter
from api.serializers import duplicates as tell_judging
from api.settings import BASEMAP, STORE
from api.terminal import duplicates as printing_judging
from layers.decisions import identity
from layers.decisions.identity import BadJudgement, Verdict
from layers.reference import basemap
from layers.resolution import resolve
from layers.resolution.candidates import PROPOSE_FROM as NAMES_FROM
from layers.resolution.strike_duplicates import PROPOSE_FROM, propose
from layers.snapshot.derived_layers import deriving
from layers.store.store import Renewal, Store

Noun = Literal["strikes", "entities"]
BasemapOption = Annotated[Path, typer.Option("--basemap", help="The base map built by `make setup`.")]

app = typer.Typer()


@app.command(epilog="Example: strikeatlas duplicates --from 0.9 --json")
def duplicates(
    noun: Annotated[Noun, typer.Option(help="What may be told twice.")] = "strikes",
    from_score: Annotated[
        float | None,
        typer.Option(
            "--from",
            min=0,
            max=1,
            help=f"Least score; by default {PROPOSE_FROM} for strikes and {NAMES_FROM} for entities.",
            show_default=False,
        ),
    ] = None,
    store: StorePath = STORE,
    as_json: AsJson = False,
) -> None:
    """Propose which strikes, or entities, are one told twice, with reasons; nothing is merged."""
    stored = Store.open(store).records()
    merged = resolve.apply(stored)
    if noun == "strikes":
        proposed = propose(stored, PROPOSE_FROM if from_score is None else from_score)
        rows = [tell_judging.duplicate(merged, one) for one in proposed]
    else:
        least = NAMES_FROM if from_score is None else from_score
        rows = [tell_judging.entity_pair(merged, one) for one in resolve.within(stored) if one.score >= least]
    output(rows, as_json, printing_judging.duplicates(rows))


@app.command(epilog="Example: strikeatlas judge socar gem/e100 same --why 'the same LEI' --who 'A. Editor'")
def judge(
    one: Annotated[str, typer.Argument(help="An entity or strike; the one that is kept.")],
    other: Annotated[str, typer.Argument(help="Another of the same noun.")],
    verdict: Annotated[Verdict, typer.Argument(help="undone: as if the two had never been judged.")],
    why: Annotated[str, typer.Option(help="On what grounds.")],
    who: Annotated[str, typer.Option(help="Who decides.")],
    store: StorePath = STORE,
    base: BasemapOption = BASEMAP,
    as_json: AsJson = False,
) -> None:
    """Say that two records are the same, are different, or undo what was said. It is appended, never overwritten."""
    base_map = basemap.read(base)
    opened = Store.open(store)
    at = datetime.now(UTC)
    seq, records = opened.version()
    try:
        made = identity.judgement(records, one, other, verdict, who=who, why=why, at=at)
    except BadJudgement as error:
        raise BadParameter("judge", f"{one} {other} {verdict}", str(error)) from error
    # Much may follow from what is one.
    renewal = Renewal(seq, records, deriving(base_map), lambda *_: None)
    opened.append("identities", made, who=who, at=at, renewal=renewal)
    records = opened.records()
    opened.close()
    told = tell_judging.judgement(records, made, resolve.applied(records))
    output(told, as_json, printing_judging.judgement(told))


@app.command(epilog="Example: strikeatlas judgements --json")
def judgements(store: StorePath = STORE, as_json: AsJson = False) -> None:
    """List all judgements on what is one, and which of them stand."""
    rows = list(tell_judging.judgements(Store.open(store).records()))
    output(rows, as_json, printing_judging.judgements(rows))
