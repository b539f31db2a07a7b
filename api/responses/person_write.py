"""A write of a person: once for a key, with its lines in the audit trail, and answered when all workers show it."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request, Response

from api.http.common_headers import SEQ_HEADER
from api.http.json import Json
from api.requests.reviewer_tokens import name_key
from api.requests.write_headers import IDEMPOTENCY_KEY, IF_MATCH, REASON, parse_key
from api.responses.authorisation import Author
from api.server.acknowledged import AcknowledgedSeq
from api.server.audit_trail import MAX_RECORDS, AuditTrail, AuditTrailError
from api.server.keys_at_work import KeysAtWork
from api.server.live_snapshot import LiveSnapshot
from layers.store.idempotency import AnsweredRequest, KeyedRequest, KeyTaken, StoredResponse
from layers.store.store import EditConflict

log = logging.getLogger(__name__)

#: Headers by which the same body says another thing.
_MEANING = ("content-type", "content-crs")


async def _body(request: Request) -> bytes:
    return await request.body()


Body = Annotated[bytes, Depends(_body)]


class KeyReused(ValueError):
    """A key of a request that was answered, on a request that says something else."""


@dataclass(frozen=True, slots=True)
class PersonWrite:
    """One write of a person.

    Parameters
    ----------
    key
        SHA-256 of the key that the request has, in hexadecimal; ``None`` where it has none.
    digest
        Of all that the request says.
    shown
        Gives the answer as the person may read it, also one that was given before, once the change is served.
    """

    request: Request
    author: Author
    key: str | None = None
    digest: str = ""
    shown: Callable[[StoredResponse], StoredResponse] = lambda answer: answer

    @classmethod
    def keyed(cls, request: Request, author: Author, body: bytes) -> PersonWrite:
        """Read the key of a request, if it has one.

        Raises BadParameter if it cannot be read.
        """
        key = parse_key(request.headers.getlist(IDEMPOTENCY_KEY))
        if key is None:
            return cls(request, author)
        parts = [request.method, request.url.path, *(request.headers.get(name, "") for name in _MEANING)]
        parts += [*request.headers.getlist(REASON), *request.headers.getlist(IF_MATCH)]
        digest = _digest(*(part.encode() for part in parts), body)
        return cls(request, author, hashlib.sha256(key.encode()).hexdigest(), digest)

    def once(self, write: Callable[[], Response]) -> Response:
        """Answer a request by a write, or as it was answered before where its key was.

        Raises KeyAtWork if a request with the key is being answered; KeyReused if a request that said something else
        was answered.
        """
        if self.key is None:
            return write()
        keys: KeysAtWork = self.request.app.state.keys_at_work
        with keys.holding(self._person, self.key):
            if (before := self._before()) is not None:
                return before
            try:
                return write()
            except (KeyTaken, EditConflict):
                # By a server of its own beside this one, which may have changed the record, too.
                if (before := self._before()) is None:
                    raise
                return before

    def commit(
        self,
        records: Sequence[str],
        write: Callable[[KeyedRequest | None], int],
        answer: Callable[[int], StoredResponse],
    ) -> Response:
        """Write to the store, which gives the number of the change, and answer once the change is served.

        Parameters
        ----------
        records
            Ids of the records that are written.
        write
            Writes them, and the request that is answered where it has a key.
        """
        keyed = None if self.key is None else KeyedRequest(self._person, self.key, self.digest, answer)
        with self._audited(records) as outcome:
            seq = outcome["seq"] = write(keyed)
        return self._acknowledge(seq, answer(seq))

    @property
    def _person(self) -> str:
        return name_key(self.author.name)

    def _before(self) -> Response | None:
        """Return the answer that was given to the key."""
        atlas: LiveSnapshot = self.request.app.state.atlas
        assert self.key is not None
        before: AnsweredRequest | None = atlas.store.answered(self._person, self.key)
        if before is None:
            return None
        if before.request != self.digest:
            raise KeyReused(
                f"this {IDEMPOTENCY_KEY} belongs to another request, which was answered within the last 24 hours"
            )
        return self._acknowledge(before.seq, before.answer)

    def _acknowledge(self, seq: int, answer: StoredResponse) -> Response:
        """Answer when this worker serves the change, and every other one will before it answers again."""
        atlas: LiveSnapshot = self.request.app.state.atlas
        atlas.look()
        acknowledged: AcknowledgedSeq = self.request.app.state.acknowledged
        acknowledged.advance(seq)
        answer = self.shown(answer)
        return Response(answer.body, answer.status, headers={**answer.headers, SEQ_HEADER: str(seq)})

    @contextmanager
    def _audited(self, records: Sequence[str]) -> Iterator[Json]:
        """Note in the audit trail that a write begins, and how it ended.

        The write is in the store when its end is noted: if that fails, it is in the trail as one without an outcome.
        """
        trail: AuditTrail = self.request.app.state.audit
        atlas: LiveSnapshot = self.request.app.state.atlas
        members = {**_who(self.request, self.author), "records": list(records[:MAX_RECORDS]), "key": self.key}
        begun = trail.append("write", **members, count=len(records), seq=atlas.store.seq())
        outcome: Json = {}
        try:
            yield outcome
        except Exception as error:
            with _tolerated():
                trail.append("refused", of=begun, who=self.author.name, reason=type(error).__name__)
            raise
        with _tolerated():
            trail.append("written", of=begun, who=self.author.name, **outcome)


def audit_read(request: Request, author: Author, records: Sequence[str], count: int) -> None:
    """Note in the audit trail what is read of records that are not published, before it is answered.

    Raises AuditTrailError if that cannot be done.
    """
    trail: AuditTrail = request.app.state.audit
    atlas: LiveSnapshot = request.app.state.atlas
    members = {**_who(request, author), "records": list(records[:MAX_RECORDS]), "count": count}
    trail.append("read", **members, seq=atlas.view.snapshot.seq)


def _who(request: Request, author: Author) -> Json:
    route = request.scope["route"].path_format
    return {"who": author.name, "role": author.role, "method": request.method, "route": route}


@contextmanager
def _tolerated() -> Iterator[None]:
    try:
        yield
    except AuditTrailError as error:
        log.error("a write has no outcome in the audit trail: %s", error)


def _digest(*parts: bytes) -> str:
    """Return the SHA-256 of parts, each with its length, in hexadecimal."""
    sha = hashlib.sha256()
    for part in parts:
        sha.update(len(part).to_bytes(8, "big") + part)
    return sha.hexdigest()
