"""Single requests over one connection that is kept: what is answered, how long it took, and whole walks by links."""

from __future__ import annotations

import gzip
import http.client
import json
import time
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass

#: Longest wait for one answer, in seconds.
TIMEOUT_S = 60


@dataclass(frozen=True)
class Answer:
    """One answer: ``status`` 0 is none at all; ``sent`` are its bytes as they came, maybe zipped."""

    status: int
    kind: str
    sent: bytes
    seconds: float

    @property
    def body(self) -> bytes:
        """The bytes unzipped."""
        return gzip.decompress(self.sent) if self.sent.startswith(b"\x1f\x8b") else self.sent


class Client:
    """A connection to one server."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self._host = urllib.parse.urlsplit(url).netloc
        self._headers = dict(headers)
        self._connection = http.client.HTTPConnection(self._host, timeout=TIMEOUT_S)

    def get(self, path: str) -> Answer:
        """Ask for one path; status 0 where there is no answer. A connection closed meanwhile is opened again."""
        was_open = self._connection.sock is not None
        answer = self._asked(path)
        return self._asked(path) if was_open and not answer.status else answer

    def _asked(self, path: str) -> Answer:
        started = time.perf_counter()
        try:
            self._connection.request("GET", path, headers=self._headers)
            told = self._connection.getresponse()
            sent = told.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            return Answer(0, "", b"", time.perf_counter() - started)
        return Answer(told.status, told.headers.get("content-type", ""), sent, time.perf_counter() - started)


@dataclass(frozen=True)
class Walked:
    """A walk over a collection: seconds, pages, features, distinct ids, and the path of each page."""

    seconds: float
    pages: int
    features: int
    distinct: int
    paths: tuple[str, ...]


def walk(client: Client, path: str) -> Walked:
    """Follow the next links from a page to the end."""
    ids: list[object] = []
    paths: list[str] = []
    seconds = 0.0
    while path:
        answer = client.get(path)
        seconds += answer.seconds
        told = json.loads(answer.body)
        paths.append(path)
        ids += [feature["id"] for feature in told["features"]]
        next_ = next((link["href"] for link in told["links"] if link["rel"] == "next"), "")
        parts = urllib.parse.urlsplit(next_)
        path = f"{parts.path}?{parts.query}" if next_ and told["features"] else ""
    return Walked(seconds, len(paths), len(ids), len(set(ids)), tuple(paths))
