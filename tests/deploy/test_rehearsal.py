"""Two workers, a primary, a replica and nginx as in deploy/: each is killed once, and nothing wrong is served.

Readers and a writer go through the proxy all the while. Every answer is that of one version of the history, and of none
older than what anybody was answered, or had acknowledged, before it was asked for. Whatever else comes is an error that
says so. Each acknowledged write is in history once.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.requests import reviewer_tokens
from api.settings import Settings
from api.wording.catalogue import text
from layers.reference.basemap import Basemap
from layers.snapshot.derived_layers import full_rewrite
from layers.store.backends import create_new, open_store
from layers.store.history_pages import HistoryRow
from layers.store.store import Store
from tests import postgres_cluster
from tests.conftest import BASEMAP, ROOT, free_port
from tests.deploy import proxy
from tests.deploy.clients import PATHS, STRIKE, Clients, exchange, title
from tests.deploy.proxy import Proxy
from tests.postgres_cluster import Cluster

#: How long is waited for what has to happen: a busy machine is no fault.
_LONGEST_S = 300
_READERS = 3
#: Answers and acknowledged writes that have to come before a phase is over.
_ANSWERS, _WRITES = 40, 4


@dataclass
class Worker:
    """A server, as strikeatlas@.service starts it."""

    port: int
    command: list[str]
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; it listens when it is ready."""
        self.process = subprocess.Popen(self.command, cwd=ROOT, env=self.environment)

    def is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, "the server ended before it answered"
        with suppress(OSError):
            return exchange(self.port, "GET", "/health")[0] == 200
        return False

    def head(self) -> str:
        """The first digits of the hash of the change that it serves."""
        (own,) = json.loads(exchange(self.port, "GET", "/health")[2])["workers"]
        return str(own["history"])

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


def wait_for(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    ends = time.monotonic() + _LONGEST_S
    while not holds():
        assert time.monotonic() < ends, "it did not come to hold"
        time.sleep(0.02)


def go_on(clients: Clients, writes: int = _WRITES) -> None:
    """Wait until so many were answered and acknowledged in the phase that is now."""
    answers, acknowledged = len(clients.answers) + _ANSWERS, len(clients.writes) + writes

    def is_done() -> bool:
        assert not clients.faults, clients.faults
        return len(clients.answers) >= answers and len(clients.writes) >= acknowledged

    wait_for(is_done)


@contextmanager
def phase(clients: Clients, name: str) -> Iterator[None]:
    """Name what happens, and let calm return afterwards."""
    clients.phase = name
    yield
    go_on(clients)
    clients.phase = "calm"
    go_on(clients)


@pytest.fixture
def clusters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    if (reason := postgres_cluster.missing() or proxy.missing()) is not None:
        pytest.skip(reason)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with postgres_cluster.running() as primary:
        monkeypatch.setenv("PGUSER", primary.user)
        yield primary


def test_each_part_is_killed_once_and_nothing_wrong_is_served(
    clusters: Cluster, few_store: Store, base: Basemap, tmp_path: Path
) -> None:
    primary = clusters
    store = create_new(primary.new_database())
    store.copy_from(few_store, full_rewrite(base, text))
    first, source = store.seq(), store.records().strikes[STRIKE].sources[0]
    database = store.name.partition("?")[0].rpartition("/")[2]
    store.close()
    replica = primary.start_replica()
    # Whichever of the two takes writes; docs/deploying.md says why both are named.
    address = (
        f"postgresql:///{database}?host={primary.folder},{replica.folder}&port={primary.port},{replica.port}"
        "&target_session_attrs=read-write"
    )
    reviewers = tmp_path / "reviewers.json"
    token = reviewer_tokens.add_reviewer(reviewers, "Ann")

    def worker() -> Worker:
        port = free_port()
        options = ["--port", str(port), "--proxied", "--store", address, "--reviewers", str(reviewers)]
        options += ["--set", "catch_up_s=25"]  # a busy machine is no fault
        command = [sys.executable, "-m", "api.cli.main", "serve", *options, "--basemap", str(BASEMAP), "--log", "none"]
        return Worker(port, command, dict(os.environ))

    workers, front = [worker(), worker()], Proxy(tmp_path / "proxy", free_port())
    front.configure([one.port for one in workers])
    clients = Clients(front.port, token, source)
    with ExitStack() as ending:
        ending.callback(replica.stop)
        ending.callback(front.kill)
        for one in workers:
            ending.callback(one.kill)
            one.start()
        front.start()
        wait_for(lambda: all(one.is_ready() for one in workers))
        clients.start(_READERS)
        ending.callback(clients.stop)
        go_on(clients)
        rehearse(clients, workers, front, primary, replica)
        clients.stop()
        assert not clients.faults, clients.faults
        final = open_store(replica.address(database))
        check_errors(clients)
        rows = [row for row in final.revisions() if row.seq > first]
        numbers = {final.head(seq).digits: seq for seq in range(first, final.seq() + 1)}
        check_answers(clients, rows, numbers)
        check_writes(clients, rows)
        assert final.verify() == ()
        check_last(final, front.port, [one.port for one in workers])
        final.close()


def rehearse(clients: Clients, workers: list[Worker], front: Proxy, primary: Cluster, replica: Cluster) -> None:
    """Kill each part once, and put another in its place as systemd or an operator would."""
    for number, one in enumerate(workers):
        with phase(clients, f"worker {number}"):
            one.kill()
            go_on(clients)
            one.start()
            wait_for(one.is_ready)
    with phase(clients, "replica"):
        replica.kill()
        # No write is acknowledged that one disk alone has; all goes on to be read.
        go_on(clients, writes=0)
        before = len(clients.writes)
        go_on(clients, writes=0)
        assert len(clients.writes) == before
        replica.start_again()
    with phase(clients, "proxy"):
        front.kill()
        # deploy/strikeatlas-proxy.service waits a second for it; on a busy machine that may be too short.
        wait_for(lambda: len({one.head() for one in workers}) == 1)
        front.start()
    with phase(clients, "primary"):
        primary.kill()
        go_on(clients, writes=0)
        replica.promote()


def edits_of(rows: list[HistoryRow]) -> dict[int, set[int]]:
    """By the number of each change the edit whose title the strike had after it; none before the first one."""
    numbers, found, now = {title(edit): edit for edit in range(10_000)}, dict[int, set[int]](), set[int]()
    for row in rows:
        if row.record == STRIKE:
            now = {numbers[(row.after or {})["title"]]}
        found[row.seq] = now
    return found


def check_errors(clients: Clients) -> None:
    """Errors are those of what is dead: readers have none by a database, and the proxy alone refuses connections."""
    workers = {"worker 0", "worker 1"}
    for one in clients.unread:
        # A body is cut off by the death of a worker or of the proxy.
        died = workers if one.what in (502, 504) else {*workers, "proxy"} if one.what == "IncompleteRead" else {"proxy"}
        assert one.phases & died, one
    for one in clients.unwritten:
        if one.what in (409, "IncompleteRead"):
            # 409: by a write for which nobody waits any more since any part of the way was killed, the proxy too.
            assert one.phases & {*workers, "replica", "primary", "proxy"}, one
        elif isinstance(one.what, int):
            assert one.phases & {*workers, "replica", "primary"}, one
        else:
            assert "proxy" in one.phases, one


def check_answers(clients: Clients, rows: list[HistoryRow], numbers: Mapping[str, int]) -> None:
    """Each answer is that of its version, and of none older than what was answered or acknowledged before."""
    edits = edits_of(rows)
    bodies: dict[tuple[str, str], str] = {}
    shown = [(one.ended, numbers[one.head]) for one in clients.answers]
    seen = sorted(shown + [(one.at, one.seq) for one in clients.writes])
    at = newest = 0
    for one in sorted(clients.answers, key=lambda answer: answer.begun):
        while at < len(seen) and seen[at][0] < one.begun:
            newest, at = max(newest, seen[at][1]), at + 1
        assert numbers[one.head] >= newest, f"{one}: change {newest} was shown before"
        if one.status == 304:
            assert one.known == one.tag
            continue
        assert one.edits == edits.get(numbers[one.head], set()), one
        assert bodies.setdefault((one.path, one.tag), one.digest) == one.digest, one
    assert {one.path for one in clients.answers if one.status == 304} == set(PATHS)
    assert len({tag for _, tag in bodies}) > 5 * len(PATHS)


def check_writes(clients: Clients, rows: list[HistoryRow]) -> None:
    """Each acknowledged write is in history once, as the change that its answer named, and nothing else is."""
    assert [(one.seq, one.record) for one in clients.writes] == [(row.seq, row.record) for row in rows]
    assert {one.table for one in rows} == {"strikes"}
    edits = [one.edit for one in clients.writes if one.record == STRIKE]
    assert edits == [edit for edit in range(1, max(edits) + 1) if edit % 4]
    added = [one.record for one in clients.writes if one.record != STRIKE]
    assert len(set(added)) == len(added) >= len(clients.writes) // 4


def check_last(store: Store, port: int, workers: list[int]) -> None:
    """The last version is byte for byte what a server answers that computes it anew from the database."""
    host = {"Host": f"127.0.0.1:{port}", "Accept-Encoding": "identity"}
    with TestClient(create_app(store, Settings(basemap=BASEMAP, follow_every_s=0, cache_from=10**9))) as anew:
        for path in PATHS:
            wanted = anew.get(path, headers=host)
            assert wanted.status_code == 200
            for place in (port, *workers):
                status, headers, body = exchange(place, "GET", path, host)
                assert (status, headers["etag"], body) == (200, wanted.headers["etag"], wanted.content), (place, path)
    told = json.loads(exchange(port, "GET", "/about")[2])["history"]
    assert told in {store.head(seq).hash for seq in (store.seq(), store.seq() - 1)}, "the last may tell of an answer"
