"""Review: a queue of strikes that wait for a person, and the decisions of reviewers. All of it needs a token."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, BackgroundTasks, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from api.requests import reviewer_tokens
from api.requests.query_parameters import only_known
from api.requests.scalars import IN_DIGITS
from api.routes.attribution import RecordId
from api.serializers import review
from api.server.live_snapshot import Atlas
from layers.model.problems import Problem, ProblemsError, UnknownRecord
from layers.model.read_result import Place, validated
from layers.model.records import Decision
from layers.model.types import Id, Text, Verdict
from layers.snapshot.snapshot import Snapshot
from layers.store.store import Newest

#: Dataset of what reviewers decide; no load brings it, so none takes it away.
DATASET = "review"


def reviewer(request: Request) -> str:
    """Name of the reviewer who asks.

    Raises
    ------
    NotAllowed
        If the request bears no token of a reviewer.
    """
    known = reviewer_tokens.read(request.app.state.settings.reviewers)
    return reviewer_tokens.named(known, request.headers.get("authorization"))


router = APIRouter(prefix="/review", tags=["review"], dependencies=[Depends(only_known), Depends(reviewer)])

Who = Annotated[str, Depends(reviewer)]


#: What goes with each verdict, as `layers.model.records.Decision` has it.
_NULL: JsonDict = {"nullable": True, "enum": [None]}
_NAMED: JsonDict = {"type": "string"}
_GOES_WITH: JsonDict = {
    "anyOf": [
        {
            "properties": {"verdict": {"enum": ["confirmed", "possible"]}, "asset": _NAMED, "undoes": _NULL},
            "required": ["asset"],
        },
        {"properties": {"verdict": {"enum": ["none", "unsure", "not-a-strike"]}, "asset": _NULL, "undoes": _NULL}},
        {
            "properties": {"verdict": {"enum": ["undone"]}, "asset": _NULL, "undoes": _NAMED},
            "required": ["undoes"],
        },
    ]
}


class NewDecision(BaseModel):
    """What a reviewer decides on a strike. Appended; nothing is overwritten."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, json_schema_extra=_GOES_WITH)

    strike: Id = Field(description="The strike.")
    verdict: Verdict = Field(description="confirmed and possible name an asset; undone names a decision.")
    asset: Id | None = Field(None, description="The asset, for confirmed and possible.")
    undoes: Id | None = Field(None, description="The decision that is taken back, for undone.")
    why: Text = Field(description="On what grounds.")
    sources: tuple[Id, ...] = Field((), description="Sources that the grounds rest on.", max_length=20)
    seen: Id | None = Field(
        description="The newest decision on this strike that the reviewer saw; null for none. "
        "If there is a newer one, nothing is added and the answer is 409."
    )


@router.get("/queue", summary="Strikes that wait for a decision")
def queue(
    request: Request,
    limit: Annotated[int, Field(ge=1, le=500), IN_DIGITS, Query(description="How many.")] = 100,
    offset: Annotated[int, Field(ge=0, le=10_000_000), IN_DIGITS, Query(description="How many to pass over.")] = 0,
) -> Response:
    """Strikes without a settled decision, those first whose published answer a decision would change most."""
    snapshot = _everything(request)
    waiting = snapshot.pending
    rows = [review.pending(snapshot, one) for one in waiting[offset : offset + limit]]
    return _fresh({"numberMatched": len(waiting), "numberReturned": len(rows), "queue": rows})


@router.get("/strikes/{strike:path}", summary="What a reviewer needs to decide on a strike")
def strike(request: Request, strike: RecordId) -> Response:
    """The answer as it stands, every candidate with its place and reasons, the claims, and all decisions so far."""
    snapshot = _everything(request)
    return _fresh(review.strike(snapshot, snapshot.answer(strike)))


@router.post("/decisions", summary="Decide on a strike", status_code=201)
def decide(request: Request, new: NewDecision, who: Who, later: BackgroundTasks) -> Response:
    """Append a decision in the name of the reviewer whose token is given."""
    atlas: Atlas = request.app.state.atlas
    snapshot = _everything(request)
    if new.strike not in snapshot.records.strikes:
        raise UnknownRecord(f"no strike {new.strike!r}")
    _require_known(snapshot, new)
    decision = _decision(new, who, datetime.now(UTC))
    seen = Newest("strike", new.strike, new.seen)
    seq = atlas.store.append("decisions", decision, who=who, seen=seen, renewal=atlas.renewal())
    later.add_task(atlas.refresh)
    return _fresh({"seq": seq, "decision": decision.model_dump(mode="json")}, status=201)


def _require_known(snapshot: Snapshot, new: NewDecision) -> None:
    records = snapshot.records
    if new.strike not in records.strikes:
        raise UnknownRecord(f"no strike {new.strike!r}")
    if new.asset is not None and new.asset not in records.assets:
        raise UnknownRecord(f"no asset {new.asset!r}")
    if missing := [source for source in new.sources if source not in records.sources]:
        raise UnknownRecord(f"no source {missing[0]!r}")
    # What was seen last may be newer than this view; the store looks it up.
    if new.undoes is not None and new.undoes != new.seen:
        undone = records.decisions.get(new.undoes)
        if undone is None or undone.strike != new.strike:
            raise UnknownRecord(f"no decision {new.undoes!r} on {new.strike!r}")


def _decision(new: NewDecision, who: str, at: datetime) -> Decision:
    """The record of a decision.

    Raises
    ------
    ProblemsError
        If its parts contradict each other, such as an asset for "none".
    """
    problems: list[Problem] = []
    key = f"{DATASET}/{at:%Y%m%dt%H%M%S}-{secrets.token_hex(4)}"
    values = {**new.model_dump(exclude={"seen"}), "id": key, "dataset": DATASET, "who": who, "when": f"{at:%Y-%m-%d}"}
    made = validated(Decision, values, Place("request", 1), problems)
    if not isinstance(made, Decision):
        raise ProblemsError(tuple(problems))
    return made


def _everything(request: Request) -> Snapshot:
    """The newest version, as who has just decided looks for their own decision."""
    atlas: Atlas = request.app.state.atlas
    atlas.refresh()
    return atlas.view.everything


def _fresh(told: dict[str, Any], status: int = 200) -> Response:
    """An answer for one reviewer, which nobody may keep."""
    return Response(orjson.dumps(told), status, media_type="application/json", headers={"Cache-Control": "no-store"})
