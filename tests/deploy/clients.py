"""Readers and a writer of the rehearsal: each writes down what it was answered, and when."""

from __future__ import annotations

import hashlib
import http.client
import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import uuid4

#: The strike that is edited; its title is in all that is read.
STRIKE = "ua-orlivka-2025-08-06"
ITEMS = "/collections/strikes/items"
ITEM = f"{ITEMS}/{STRIKE}"
#: A strike that is added, but for its source.
ADDED = {
    "title": "Added meanwhile",
    "when": "2025-08-08",
    "place": "somewhere",
    "status": "reported",
    "checked": "unverified",
}
PATHS = (
    f"{ITEM}?f=json",
    f"{ITEMS}?f=json&limit=50",
    f"/strikes/{STRIKE}/attribution",
    "/collections/attributions/items?f=json&limit=100",
    "/tiles/strikes/0/0/0.mvt",
)
#: Seconds between two requests of a client, which leave the machine to what is waited for.
_REST_S = 0.01
_TAG = re.compile(r'"(?:[0-9a-f]+\.)?([0-9a-f]{16})-[0-9]{8}T')
_EDIT = re.compile(rb"Rehearsed edit ([0-9]+)\b")


def title(edit: int) -> str:
    """The title that an edit gives the strike."""
    return f"Rehearsed edit {edit}"


@dataclass(frozen=True)
class Answer:
    """What a reader was answered: when, and by which version."""

    path: str
    begun: float
    ended: float
    status: int
    #: The entity tag that was sent along, and that of the answer.
    known: str
    tag: str
    #: Numbers of the edits whose titles are in the body, and a digest of it.
    edits: frozenset[int]
    digest: str

    @property
    def head(self) -> str:
        """The first digits of the hash of the change that the answer is of, by its entity tag."""
        found = _TAG.match(self.tag)
        assert found, self
        return found[1]


@dataclass(frozen=True)
class Write:
    """A write that was acknowledged: which edit (0: an addition), of which record, as which change, and when."""

    edit: int
    record: str
    seq: int
    at: float


def exchange(
    port: int, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
) -> tuple[int, Mapping[str, str], bytes]:
    """One request on a connection of its own; a body that is cut off is an error (`http.client.IncompleteRead`)."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=90)
    try:
        connection.request(method, path, body, dict(headers or {}))
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


@dataclass(frozen=True)
class Failure:
    """A request without an answer: the phases in which it was sent and failed, and its status or exception."""

    phases: frozenset[str]
    what: int | str


@dataclass
class Clients:
    """All readers and the writer, until they are stopped; ``phase`` names what happens meanwhile."""

    port: int
    token: str
    #: Of the strikes that are added.
    source: str
    phase: str = "calm"
    answers: list[Answer] = field(default_factory=list)
    #: Of readers and of the writer.
    unread: list[Failure] = field(default_factory=list)
    unwritten: list[Failure] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)
    faults: list[BaseException] = field(default_factory=list)
    _done: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self, readers: int) -> None:
        """Begin."""
        work: list[Callable[[], None]] = [self._read] * readers
        self._threads = [threading.Thread(target=self._run, args=(one,)) for one in (*work, self._write)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End, when the write under way is acknowledged."""
        self._done.set()
        for thread in self._threads:
            thread.join()

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as fault:
            self.faults.append(fault)

    def _failure(self, begun: str, what: int | str) -> Failure:
        return Failure(frozenset({begun, self.phase}), what)

    def _read(self) -> None:
        known: dict[str, str] = {}
        for number in count():
            if self._done.wait(_REST_S):
                return
            path = PATHS[number % len(PATHS)]
            # Every other time as a browser asks that has the last answer.
            sent = known.get(path, "") if number // len(PATHS) % 2 else ""
            phase, begun = self.phase, time.monotonic()
            try:
                status, headers, body = exchange(self.port, "GET", path, {"If-None-Match": sent} if sent else {})
            except (OSError, http.client.HTTPException) as error:
                self.unread.append(self._failure(phase, type(error).__name__))
                continue
            if status not in (200, 304):
                self.unread.append(self._failure(phase, status))
                continue
            known[path] = headers["etag"]
            edits = frozenset(map(int, _EDIT.findall(body)))
            digest = hashlib.sha256(body).hexdigest()
            self.answers.append(Answer(path, begun, time.monotonic(), status, sent, headers["etag"], edits, digest))

    def _write(self) -> None:
        for number in count(1):
            if self._done.wait(_REST_S):
                return
            if number % 4:
                self._send_until_acknowledged("PATCH", ITEM, number, {"title": title(number)}, "merge-patch")
            else:
                feature = {"type": "Feature", "geometry": None, "properties": {**ADDED, "sources": [self.source]}}
                self._send_until_acknowledged("POST", ITEMS, 0, feature, "geo")

    def _send_until_acknowledged(self, method: str, path: str, edit: int, body: Any, kind: str) -> None:
        """Send a write again until it is acknowledged; it is done once, by its key."""
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": f"application/{kind}+json",
            "If-Match": "*",
            "Idempotency-Key": f'"{uuid4()}"',
        }
        refusals = {502, 503, 504}
        while True:
            phase = self.phase
            try:
                status, answer, content = exchange(self.port, method, path, headers, json.dumps(body).encode())
            except (OSError, http.client.HTTPException) as error:
                self.unwritten.append(self._failure(phase, type(error).__name__))
            else:
                if status in (200, 201):
                    record = json.loads(content)["id"]
                    self.writes.append(Write(edit, record, int(answer["atlas-seq"]), time.monotonic()))
                    return
                assert status in refusals, (status, content)
                self.unwritten.append(self._failure(phase, status))
            # The one before, for which nobody waits any more, may be at work.
            refusals |= {409}
            time.sleep(0.1)
