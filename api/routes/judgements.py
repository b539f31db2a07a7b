"""Duplicates for reviewers: pairs of records that may be one, and their judgements. All of it needs a token."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Literal

import orjson
from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from api.http.json import Json
from api.openapi.declaration import ApiPart
from api.openapi.editing import describe_decision, require_token
from api.openapi.responses import ANY_OBJECT, COUNT, NUMBER, RECORD, STRING, array_of, object_with
from api.requests.parameters import INTEGER_TEXT
from api.requests.reviewer_tokens import REVIEW_READERS
from api.responses.authorisation import Author, allowed
from api.responses.person_write import Body, PersonWrite
from api.routes.review import UNCACHED, audit_reading, newest_for, uncached
from api.serializers import review
from api.server.live_snapshot import LiveSnapshot
from api.wording.catalogue import text
from api.wording.preference import language_of
from layers.decisions.identity import InvalidJudgement, judgement
from layers.decisions.identity import Verdict as PairVerdict
from layers.model.records import Records
from layers.model.types import Id, Text
from layers.snapshot.snapshot import Snapshot
from layers.store.idempotency import StoredResponse

_PAIR = object_with(noun=STRING, one=ANY_OBJECT, other=ANY_OBJECT, score=NUMBER, reasons=array_of(ANY_OBJECT))
_JUDGEMENT = object_with(id=STRING, noun=STRING, one=STRING, other=STRING, verdict=STRING, who=STRING, why=STRING)

PART = ApiPart(
    "judgements",
    prefix="/review",
    schemas={
        "Duplicates": object_with(numberMatched=COUNT, numberReturned=COUNT, pairs=array_of(_PAIR)),
        "Judgements": object_with(numberMatched=COUNT, numberReturned=COUNT, judgements=array_of(_JUDGEMENT)),
        "Judged": object_with(seq=COUNT, judgement=RECORD),
    },
    json_only=True,
)

Noun = Literal["strikes", "assets", "entities"]
Reader = Annotated[Author, Depends(allowed(*REVIEW_READERS))]
Judge = Annotated[Author, Depends(allowed("review", writes=True))]
Limit = Annotated[int, Field(ge=1, le=500), INTEGER_TEXT, Query(description="How many.")]
Offset = Annotated[int, Field(ge=0, le=10_000_000), INTEGER_TEXT, Query(description="How many to pass over.")]


class NewJudgement(BaseModel):
    """What a reviewer says of two records. Appended; nothing is overwritten, and the latest of a pair holds."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    one: Id = Field(description="An entity, asset or strike; the one that is kept where they are one.")
    other: Id = Field(description="Another of the same collection.")
    verdict: PairVerdict = Field(
        description="same; different; part: the first is a part of the second; undone: as if they had not been judged."
    )
    why: Text = Field(description="On what grounds.")


@PART.route(
    "get",
    "/duplicates",
    "Pairs of records that may be one",
    schema="Duplicates",
    amend=require_token(*REVIEW_READERS),
)
def duplicates(
    request: Request,
    author: Reader,
    noun: Annotated[Noun, Query(description="Records of which collection.")] = "strikes",
    limit: Limit = 100,
    offset: Offset = 0,
) -> Response:
    """Pairs that nobody has judged, the likeliest first, each with both records and the reasons."""
    snapshot = newest_for(request, author)
    rows = [*_pairs(snapshot, noun, language_of(request))]
    shown = rows[offset : offset + limit]
    private = [side["id"] for row in shown for side in (row["one"], row["other"]) if side["private"]]
    audit_reading(request, author, snapshot, private, len(shown))
    return uncached({"numberMatched": len(rows), "numberReturned": len(shown), "pairs": shown})


def _pairs(snapshot: Snapshot, noun: Noun, language: str) -> Iterator[Json]:
    records = snapshot.records
    if noun == "strikes":
        yield from (review.strike_pair(records, pair, language) for pair in snapshot.strike_duplicates)
    elif noun == "assets":
        yield from (review.asset_pair(records, pair, language) for pair in snapshot.asset_duplicates)
    else:
        yield from (review.entity_pair(records, pair, language) for pair in snapshot.entity_duplicates)


@PART.route(
    "get", "/judgements", "Judgements on what is one", schema="Judgements", amend=require_token(*REVIEW_READERS)
)
def judgements(request: Request, author: Reader, limit: Limit = 100, offset: Offset = 0) -> Response:
    """All judgements, the newest first, and which of them stand."""
    snapshot = newest_for(request, author)
    rows = [*review.judgements(_visible(request, author))][::-1]
    shown = rows[offset : offset + limit]
    audit_reading(request, author, snapshot, [row["id"] for row in shown if row["private"]], len(shown))
    return uncached({"numberMatched": len(rows), "numberReturned": len(shown), "judgements": shown})


@PART.route(
    "post",
    "/judgements",
    "Judge whether two records are one",
    status_code=201,
    schema="Judged",
    amend=describe_decision,
)
def judge(request: Request, new: NewJudgement, author: Judge, body: Body) -> Response:
    """Append a judgement in the name of the reviewer whose token is given; it can be undone by another one."""
    writing = PersonWrite.keyed(request, author, body)
    return writing.once(lambda: _judged(request, new, writing))


def _judged(request: Request, new: NewJudgement, writing: PersonWrite) -> Response:
    atlas: LiveSnapshot = request.app.state.atlas
    author = writing.author
    atlas.refresh()
    records = _visible(request, author)
    values = (records, new.one, new.other, new.verdict)
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


def _visible(request: Request, author: Author) -> Records:
    """The records that a reviewer may know of, without judgements applied: also what is merged can be judged."""
    atlas: LiveSnapshot = request.app.state.atlas
    return atlas.view.stored if author.may("read-private") else atlas.view.disclosure.records
