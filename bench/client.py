"""Requests over one persistent connection, with the time of each, and walks through a collection by its next links."""

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
    """An answer: its status (0 where there is none), media type, bytes as sent (maybe gzip), and seconds."""

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
        """Request a path; status 0 where there is no answer. A connection that was closed is opened again."""
        was_open = self._connection.sock is not None
        answer = self._request(path)
        return self._request(path) if was_open and not answer.status else answer

    def _request(self, path: str) -> Answer:
        started = time.perf_counter()
        try:
            self._connection.request("GET", path, headers=self._headers)
            response = self._connection.getresponse()
            sent = response.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            return Answer(0, "", b"", time.perf_counter() - started)
        return Answer(response.status, response.headers.get("content-type", ""), sent, time.perf_counter() - started)


@dataclass(frozen=True)
class Walk:
    """A walk over a collection: seconds, pages, features, distinct ids, and the path of each page."""

    seconds: float
    pages: int
    features: int
    distinct: int
    paths: tuple[str, ...]


def walk(client: Client, path: str) -> Walk:
    """Follow the next links from a page to the end."""
    ids: list[object] = []
    paths: list[str] = []
    seconds = 0.0
    while path:
        answer = client.get(path)
        seconds += answer.seconds
        page = json.loads(answer.body)
        paths.append(path)
        ids += [feature["id"] for feature in page["features"]]
        next_ = next((link["href"] for link in page["links"] if link["rel"] == "next"), "")
        parts = urllib.parse.urlsplit(next_)
        path = f"{parts.path}?{parts.query}" if next_ and page["features"] else ""
    return Walk(seconds, len(paths), len(ids), len(set(ids)), tuple(paths))
