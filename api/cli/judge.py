"""``strikeatlas duplicates``, ``judge`` and ``judgements``: judgements of people on what is one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

import typer

from api.cli.common import STORE, AsJson, BasemapOption, StoreAddress, output, progress_bar, warn_of_clock
from api.requests.parameters import BadParameter
from api.serializers import review as serialize
from api.server.version_builder import derived_by_edit
from api.settings import BASEMAP, Settings, open_layer
from api.terminal import duplicates as terminal
from api.wording.catalogue import text
from layers.decisions import identity
from layers.decisions.identity import InvalidJudgement, Verdict
from layers.resolution import resolve
from layers.resolution.asset_duplicates import PROPOSE_FROM as PROPOSE_ASSETS_FROM
from layers.resolution.asset_duplicates import propose_assets
from layers.resolution.candidates import PROPOSE_FROM as NAMES_FROM
from layers.resolution.strike_duplicates import PROPOSE_FROM, propose_duplicates
from layers.store.backends import open_store

Noun = Literal["strikes", "assets", "entities"]

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
    if noun == "strikes":
        proposed = propose_duplicates(stored, PROPOSE_FROM if from_score is None else from_score)
        rows = [serialize.strike_pair(merged, one) for one in proposed]
    elif noun == "assets":
        sites = propose_assets(stored, PROPOSE_ASSETS_FROM if from_score is None else from_score)
        rows = [serialize.asset_pair(merged, one) for one in sites]
    else:
        least = NAMES_FROM if from_score is None else from_score
        rows = [serialize.entity_pair(merged, one) for one in resolve.duplicate_entities(stored) if one.score >= least]
    output(rows, as_json, terminal.duplicates(rows))


@app.command(epilog="Example: strikeatlas judge socar gem/e100 same --why 'the same LEI' --who 'A. Editor'")
def judge(
    one: Annotated[str, typer.Argument(help="An entity, asset or strike; the one that is kept.")],
    other: Annotated[str, typer.Argument(help="Another of the same noun.")],
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
