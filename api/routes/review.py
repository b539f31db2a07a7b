"""Review: strikes that wait for a person, pairs that may be one, decisions and judgements. All of it needs a token."""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict
from starlette.exceptions import HTTPException

from api.http.json import Json
from api.openapi.declaration import ApiPart
from api.openapi.editing import describe_decision, describe_publication, require_token
from api.openapi.responses import ANY_OBJECT, COUNT, NULLABLE_STRING, NUMBER, RECORD, STRING, array_of, object_with
from api.requests.parameters import INTEGER_TEXT
from api.requests.reviewer_tokens import REVIEW_READERS
from api.responses.authorisation import Author, allowed
from api.responses.person_write import Body, PersonWrite, audit_read
from api.routes.attribution import STRIKE_ANSWER, RecordId
from api.serializers import review
from api.server.live_snapshot import LiveSnapshot
from api.server.served_version import ServedVersion
from api.wording.catalogue import text
from api.wording.preference import language_of
from layers.decisions.identity import InvalidJudgement, JudgedTable, judgement
from layers.decisions.identity import Verdict as PairVerdict
from layers.model.messages import Message
from layers.model.problems import Problem, ProblemsError, SourceLocation, UnknownRecord, validated
from layers.model.records import Decision, Record
from layers.model.types import Id, Text, Verdict
from layers.snapshot.snapshot import Snapshot
from layers.store.idempotency import StoredResponse
from layers.store.migrations.tables import WRITTEN_BY_HAND
from layers.store.store import Conflict, ExpectedLatest

#: Dataset of what reviewers decide; no load brings it, so none takes it away.
DATASET = "review"


PART = ApiPart(
    "review",
    router=APIRouter(prefix="/review"),
    schemas={
        "StrikeToReview": object_with(
            **STRIKE_ANSWER, candidates=array_of(ANY_OBJECT), decisions=array_of(RECORD), seen=NULLABLE_STRING
        ),
        "Queue": object_with(
            numberMatched=COUNT,
            numberReturned=COUNT,
            queue=array_of(object_with(strike=STRING, title=STRING, gain=NUMBER, candidates=COUNT)),
        ),
        "Decided": object_with(seq=COUNT, decision=RECORD),
        "Published": object_with(seq=COUNT, strike=STRING, why=STRING),
    },
    json_only=True,
)

Reader = Annotated[Author, Depends(allowed(*REVIEW_READERS))]
Decider = Annotated[Author, Depends(allowed("review", writes=True))]
Publisher = Annotated[Author, Depends(allowed("publish", writes=True))]
Limit = Annotated[int, Field(ge=1, le=500), INTEGER_TEXT, Query(description="How many.")]
Offset = Annotated[int, Field(ge=0, le=10_000_000), INTEGER_TEXT, Query(description="How many to pass over.")]


#: Which members each verdict needs or excludes, as `layers.model.records.Decision` has it.
_NULL: JsonDict = {"type": "string", "nullable": True, "enum": [None]}
_NAMED: JsonDict = {"type": "string"}
_BY_VERDICT: JsonDict = {
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

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, json_schema_extra=_BY_VERDICT)

    strike: Id = Field(description="The strike.")
    verdict: Verdict = Field(description="confirmed and possible name an asset; undone names a decision.")
    asset: Id | None = Field(None, description="The asset, for confirmed and possible.")
    undoes: Id | None = Field(None, description="The decision that is taken back, for undone.")
    why: Text = Field(description="On what grounds.")
    sources: tuple[Id, ...] = Field((), description="Sources that the grounds are based on.", max_length=20)
    seen: Id | None = Field(
        description="The newest decision on this strike that the reviewer saw; null for none. "
        "If there is a newer one, nothing is added and the answer is 409."
    )


@PART.route("get", "/queue", "Strikes that wait for a decision", schema="Queue", amend=require_token)
def queue(
    request: Request,
    author: Reader,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Response:
    """Strikes without a settled decision, those first whose published answer a decision would change most."""
    snapshot = newest_for(request, author)
    waiting = snapshot.pending
    rows = [review.queue_entry(snapshot, strike, language_of(request)) for strike in waiting[offset : offset + limit]]
    audit_reading(request, author, snapshot, [row["strike"] for row in rows if row["private"]], len(rows))
    return uncached({"numberMatched": len(waiting), "numberReturned": len(rows), "queue": rows})


@PART.route(
    "get",
    "/strikes/{strike:path}",
    "What a reviewer needs to decide on a strike",
    schema="StrikeToReview",
    amend=require_token,
)
def strike(request: Request, strike: RecordId, author: Reader) -> Response:
    """The answer as it stands, every candidate with its place and reasons, the claims, and all decisions so far."""
    snapshot = newest_for(request, author)
    case = review.review_case(snapshot, snapshot.answer(strike), language_of(request))
    case["version"] = version_for(request.app.state.atlas.view, strike, author)
    audit_reading(request, author, snapshot, [strike], 1)
    return uncached(case)


@PART.route("post", "/decisions", "Decide on a strike", status_code=201, schema="Decided", amend=describe_decision)
def decide(request: Request, new: NewDecision, author: Decider, body: Body) -> Response:
    """Append a decision in the name of the reviewer whose token is given."""
    writing = PersonWrite.keyed(request, author, body)
    return writing.once(lambda: _decided(request, new, writing))


def _decided(request: Request, new: NewDecision, writing: PersonWrite) -> Response:
    atlas: LiveSnapshot = request.app.state.atlas
    author = writing.author
    _require_known(newest_for(request, author), new)
    decision = _decision(new, author.name, datetime.now(UTC))
    seen = ExpectedLatest("strike", new.strike, new.seen)
    document = decision.model_dump(mode="json")
    return writing.commit(
        [new.strike, decision.id],
        lambda keyed: _append(atlas, decision, author, seen=seen, keyed=keyed, why=new.why),
        lambda seq: StoredResponse(201, UNCACHED, orjson.dumps({"seq": seq, "decision": document})),
    )


def _append(atlas: LiveSnapshot, decision: Decision, author: Author, **options: Any) -> int:
    """Add a decision; of a conflict with one that the reviewer may not know of the id is left out."""
    try:
        return atlas.append("decisions", decision, author=author.name, **options)
    except Conflict as error:
        if author.may("read-private") or error.newest in atlas.view.disclosure.records.decisions:
            raise
        raise Conflict(None) from None


class Publication(BaseModel):
    """That a private strike may be published."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    why: Text = Field(description="On what grounds, such as the consent of the source.")


@PART.route(
    "post",
    "/strikes/{strike:path}/publication",
    "Publish a private strike that people wrote by hand",
    schema="Published",
    amend=describe_publication,
)
def publish(request: Request, strike: RecordId, given: Publication, author: Publisher) -> Response:
    """Make a single private strike public; those of a dataset that is private as a whole stay private."""
    atlas: LiveSnapshot = request.app.state.atlas
    atlas.refresh()
    stored = atlas.view.stored.strikes.get(strike) if author.may("read-private") else None
    if stored is None:
        raise UnknownRecord(Message("record.no-strike", {"id": strike}))
    if not stored.private:
        raise HTTPException(409, f"{strike} is public already")
    if stored.dataset not in WRITTEN_BY_HAND:
        raise HTTPException(409, _where_published(stored, stored.dataset in atlas.store.privacy().datasets))
    return PersonWrite(request, author).commit(
        [strike],
        lambda _keyed: atlas.publish(stored.dataset, strike, author=author.name, why=given.why),
        lambda seq: StoredResponse(200, UNCACHED, orjson.dumps({"seq": seq, "strike": strike, "why": given.why})),
    )


def _where_published(loaded: Record, with_dataset: bool) -> str:
    """Say what publishes a private record of a load, which may be private with all of its dataset."""
    command = shlex.join(["strikeatlas", "dataset", "publish", loaded.dataset, *([] if with_dataset else [loaded.id])])
    why = "which is private as a whole" if with_dataset else "which nobody writes by hand"
    return f"{loaded.id} is of {loaded.dataset}, {why}: it is published on the command line, by {command}"


def _require_known(snapshot: Snapshot, new: NewDecision) -> None:
    records = snapshot.records
    if new.strike not in records.strikes:
        raise UnknownRecord(Message("record.no-strike", {"id": new.strike}))
    if new.asset is not None and new.asset not in records.assets:
        raise UnknownRecord(Message("record.no-asset", {"id": new.asset}))
    if missing := [source for source in new.sources if source not in records.sources]:
        raise UnknownRecord(Message("record.no-source", {"id": missing[0]}))
    # The decision that was seen last may be newer than this version of the data; the store looks it up.
    if new.undoes is not None and new.undoes != new.seen:
        undone = records.decisions.get(new.undoes)
        if undone is None or undone.strike != new.strike:
            raise UnknownRecord(Message("record.no-decision", {"id": new.undoes, "strike": new.strike}))


def _decision(new: NewDecision, author: str, at: datetime) -> Decision:
    """Return the record of a decision.

    Raises ProblemsError if its parts contradict each other, such as an asset for "none".
    """
    problems: list[Problem] = []
    key = f"{DATASET}/{at:%Y%m%dt%H%M%S}-{secrets.token_hex(4)}"
    values = {
        **new.model_dump(exclude={"seen"}),
        "id": key,
        "dataset": DATASET,
        "who": author,
        "when": f"{at:%Y-%m-%d}",
    }
    decision = validated(Decision, values, SourceLocation("request", 1), problems)
    if not isinstance(decision, Decision):
        raise ProblemsError(tuple(problems))
    return decision


def newest_for(request: Request, author: Author) -> Snapshot:
    """Return the newest version, with private records for those who may read them."""
    atlas: LiveSnapshot = request.app.state.atlas
    atlas.refresh()
    return atlas.view.with_private if author.may("read-private") else atlas.view.snapshot


def version_for(view: ServedVersion, strike: str, author: Author) -> str | None:
    """Name the version of a strike for If-Match: of the published one to who reads no other, who could try it out."""
    if (stored := view.stored.strikes.get(strike)) is None:
        return None
    return view.name_of(stored) if author.may("read-private") else view.version_of_strike(strike)


def audit_reading(request: Request, author: Author, snapshot: Snapshot, records: list[str], count: int) -> None:
    """Note what is read of a version with private records: a case of a public strike can show private claims."""
    atlas: LiveSnapshot = request.app.state.atlas
    if author.may("read-private") and snapshot.records is not atlas.view.snapshot.records:
        audit_read(request, author, records, count)


UNCACHED = {"Content-Type": "application/json", "Cache-Control": "no-store"}


def uncached(document: Json) -> Response:
    """Answer JSON for one reviewer, which may not be cached."""
    return Response(orjson.dumps(document), headers=UNCACHED)


_PAIR = object_with(table=STRING, one=ANY_OBJECT, other=ANY_OBJECT, score=NUMBER, reasons=array_of(ANY_OBJECT))
_JUDGEMENT = object_with(id=STRING, table=STRING, one=STRING, other=STRING, verdict=STRING, who=STRING, why=STRING)

JUDGEMENTS = ApiPart(
    "judgements",
    router=APIRouter(prefix="/review"),
    schemas={
        "Duplicates": object_with(numberMatched=COUNT, numberReturned=COUNT, pairs=array_of(_PAIR)),
        "Judgements": object_with(numberMatched=COUNT, numberReturned=COUNT, judgements=array_of(_JUDGEMENT)),
        "Judged": object_with(seq=COUNT, judgement=RECORD),
    },
    json_only=True,
)

#: Where a snapshot has the pairs of a collection that may be one, and how one of them is written.
_DUPLICATES: Mapping[JudgedTable, tuple[str, Callable[..., Json]]] = {
    "strikes": ("strike_duplicates", review.strike_pair),
    "assets": ("asset_duplicates", review.asset_pair),
    "entities": ("entity_duplicates", review.entity_pair),
}


class NewJudgement(BaseModel):
    """What a reviewer says of two records. Appended; nothing is overwritten, and the latest of a pair holds."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    one: Id = Field(description="An entity, asset or strike; the one that is kept where they are one.")
    other: Id = Field(description="Another of the same collection.")
    verdict: PairVerdict = Field(
        description="same; different; part: the first is a part of the second; undone: as if they had not been judged."
    )
    why: Text = Field(description="On what grounds.")


@JUDGEMENTS.route(
    "get",
    "/duplicates",
    "Pairs of records that may be one",
    schema="Duplicates",
    amend=require_token,
)
def duplicates(
    request: Request,
    author: Reader,
    table: Annotated[JudgedTable, Query(description="Records of which table.")] = "strikes",
    limit: Limit = 100,
    offset: Offset = 0,
) -> Response:
    """Pairs that nobody has judged, the likeliest first, each with both records and the reasons."""
    snapshot = newest_for(request, author)
    found, written = _DUPLICATES[table]
    rows = [written(snapshot.records, pair, language_of(request)) for pair in getattr(snapshot, found)]
    shown = rows[offset : offset + limit]
    private = [side["id"] for row in shown for side in (row["one"], row["other"]) if side["private"]]
    audit_reading(request, author, snapshot, private, len(shown))
    return uncached({"numberMatched": len(rows), "numberReturned": len(shown), "pairs": shown})


@JUDGEMENTS.route("get", "/judgements", "Judgements on what is one", schema="Judgements", amend=require_token)
def judgements(request: Request, author: Reader, limit: Limit = 100, offset: Offset = 0) -> Response:
    """All judgements, the newest first, and which of them stand."""
    snapshot = newest_for(request, author)
    rows = [*review.judgements(author.may_know(request.app.state.atlas.view))][::-1]
    shown = rows[offset : offset + limit]
    audit_reading(request, author, snapshot, [row["id"] for row in shown if row["private"]], len(shown))
    return uncached({"numberMatched": len(rows), "numberReturned": len(shown), "judgements": shown})


@JUDGEMENTS.route(
    "post",
    "/judgements",
    "Judge whether two records are one",
    status_code=201,
    schema="Judged",
    amend=describe_decision,
)
def judge(request: Request, new: NewJudgement, author: Decider, body: Body) -> Response:
    """Append a judgement in the name of the reviewer whose token is given; it can be undone by another one."""
    writing = PersonWrite.keyed(request, author, body)
    return writing.once(lambda: _judged(request, new, writing))


def _judged(request: Request, new: NewJudgement, writing: PersonWrite) -> Response:
    atlas: LiveSnapshot = request.app.state.atlas
    author = writing.author
    atlas.refresh()
    # Without judgements applied: also what is merged can be judged.
    values = (author.may_know(atlas.view), new.one, new.other, new.verdict)
    try:
        made = judgement(*values, who=author.name, why=new.why, at=datetime.now(UTC))
    except InvalidJudgement as error:
        raise HTTPException(422, text(error.expected)) from error
    author.require_may_lift(atlas.view, "identities", made.id, made)
    document = made.model_dump(mode="json")
    return writing.commit(
        [new.one, new.other, made.id],
        lambda keyed: atlas.append("identities", made, author=author.name, keyed=keyed, why=new.why),
        lambda seq: StoredResponse(201, UNCACHED, orjson.dumps({"seq": seq, "judgement": document})),
    )
