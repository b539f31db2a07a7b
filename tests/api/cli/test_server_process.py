"""Real servers: changes show in both workers, a dead one is replaced, requests at work end when it is stopped."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from api.requests import reviewer_tokens
from api.server.live_snapshot import LiveSnapshot
from api.settings import Settings
from layers.model.records import Records
from layers.store.store import Store
from tests.api.conftest import feature
from tests.command_runner import Run
from tests.conftest import BASEMAP, ROOT, WHOLE_BASEMAP, free_port
from tests.store_copies import copy_of
from tests.store_kinds import NewStore, is_file

#: How long is waited for what has to happen: a busy machine is no fault.
LONGEST_S = 300


@dataclass
class Server:
    """A server in processes of its own."""

    process: subprocess.Popen[bytes]
    port: int
    store: Store
    log: Path
    seen: set[int] = field(default_factory=set)

    def get(self, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()

    def json(self, path: str) -> Any:
        return json.loads(self.get(path)[2])

    def workers(self) -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = self.json("/health")["workers"]
        return told

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]


@contextlib.contextmanager
def serving(store: Store, folder: Path, *options: str, workers: int = 2, basemap: Path = BASEMAP) -> Iterator[Server]:
    port = free_port()
    log = folder / "server.log"
    command = [sys.executable, "-m", "api.cli.main", "serve", "--port", str(port), "--store", store.name]
    command += ["--basemap", str(basemap), "--workers", str(workers), *options]
    with log.open("wb") as written, subprocess.Popen(command, cwd=ROOT, stderr=written) as process:
        server = Server(process, port, store, log)
        try:
            wait_for(lambda: len(server.workers()) == workers, process)
            yield server
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(60)
            process.kill()


def wait_for(holds: Any, process: subprocess.Popen[bytes] | None = None) -> None:
    end = time.monotonic() + LONGEST_S
    while time.monotonic() < end:
        if process is not None and process.poll() is not None:
            raise RuntimeError("the server ended before it answered")
        with contextlib.suppress(OSError, http.client.HTTPException):
            if holds():
                return
        time.sleep(0.02)
    raise AssertionError(f"it did not come to hold within {LONGEST_S} s")


def with_cache(records: Records, store: Store, basemap: Path) -> Store:
    """Fill a store, and keep beside it what follows, so that each of many workers starts at once."""
    store.load(records, author="tests")
    assert LiveSnapshot(store, Settings(basemap=basemap), "tests").rebuild_cache()
    return store


@pytest.fixture(scope="module")
def pair(
    few_records: Records, tmp_path_factory: pytest.TempPathFactory, new_shared_store: NewStore
) -> Iterator[Server]:
    store = with_cache(few_records, new_shared_store(), BASEMAP)
    with serving(store, tmp_path_factory.mktemp("pair")) as server:
        yield server


class Asking(threading.Thread):
    """Asks a server again and again, on a connection for each request, so that both workers answer.

    In between it leaves the machine to those whose work is waited for.
    """

    def __init__(self, server: Server, path: str) -> None:
        super().__init__()
        self._server, self._path = server, path
        self.statuses: list[int] = []
        self.faults: list[BaseException] = []
        self.done = threading.Event()

    def run(self) -> None:
        while not self.done.is_set():
            try:
                self.statuses.append(self._server.get(self._path)[0])
            except (OSError, http.client.HTTPException) as fault:
                self.faults.append(fault)
            self.done.wait(0.02)


def append(server: Server, name: str) -> int:
    strike = next(iter(server.store.records().strikes.values()))
    added = strike.model_copy(update={"id": name, "dataset": "mine"})
    return server.store.append("strikes", added, author="tests")


def test_both_workers_answer_the_same_under_the_same_tag(pair: Server) -> None:
    wait_for(lambda: len({one["history"] for one in pair.workers()}) == 1)
    found: dict[int, tuple[str, bytes]] = {}

    def both() -> bool:
        _, headers, body = pair.get("/collections/strikes/items?limit=20", accept_encoding="gzip")
        found[pair.lines()[-1]["worker"] if pair.lines() else 0] = headers["etag"], body
        return len(found) == 2

    def logged() -> bool:
        both()
        time.sleep(0.15)
        return len(found) == 2

    wait_for(logged)
    assert len(set(found.values())) == 1


def test_a_change_shows_in_both_workers_while_requests_go_on(pair: Server) -> None:
    """They look at the store by themselves, several times a second."""
    assert 0 < Settings().follow_every_s < 0.5
    others = [Asking(pair, path) for path in ("/collections/strikes/items?limit=10", "/tiles/strikes/3/4/2.mvt")]
    for other in others:
        other.start()
    try:
        for n in range(3):
            append(pair, f"new-{n}")
            newest = pair.store.head().digits
            wait_for(lambda digits=newest: {one["history"] for one in pair.workers()} == {digits})  # type: ignore[misc]
            for _ in range(8):
                assert pair.get(f"/collections/strikes/items/new-{n}")[0] == 200
        wait_for(lambda: min(len(other.statuses) for other in others) > 10)
    finally:
        for other in others:
            other.done.set()
            other.join()
    assert [other.faults for other in others] == [[], []]
    assert {status for other in others for status in other.statuses} == {200}


def test_requests_to_both_are_counted_together(pair: Server) -> None:
    def counted() -> float:
        families = text_string_to_metric_families(pair.get("/metrics")[2].decode())
        samples = [one for family in families for one in family.samples if one.name == "strikeatlas_requests_total"]
        return sum(one.value for one in samples if one.labels["route"] == "/countries")

    before = counted()
    for _ in range(20):
        pair.get("/countries")
    wait_for(lambda: counted() == counted() == before + 20)
    assert {line["worker"] for line in pair.lines() if "worker" in line} == {0, 1}


def test_a_worker_that_dies_is_replaced_in_its_place(pair: Server) -> None:
    before = {one["worker"]: one["pid"] for one in pair.workers()}
    os.kill(before[0], signal.SIGKILL)
    wait_for(lambda: before[0] not in {one["pid"] for one in pair.workers()} and len(pair.workers()) == 2)
    after = {one["worker"]: one["pid"] for one in pair.workers()}
    assert after.keys() == before.keys()
    assert after[1] == before[1]
    assert pair.get("/countries")[0] == 200


def test_workers_are_replaced_one_after_the_other_with_nothing_lost(pair: Server) -> None:
    before = {one["pid"] for one in pair.workers()}
    other = Asking(pair, "/countries")
    other.start()
    pair.process.send_signal(signal.SIGHUP)
    try:
        wait_for(lambda: len(pair.workers()) == 2 and not before & {one["pid"] for one in pair.workers()})
    finally:
        other.done.set()
        other.join()
    assert other.faults == []
    assert set(other.statuses) == {200}


# Stopping.


@pytest.fixture(scope="module")
def still(few_records: Records, new_shared_store: NewStore) -> Store:
    """A store that is served with the whole base map: its countries are a large download."""
    return with_cache(few_records, new_shared_store(), WHOLE_BASEMAP)


def test_who_was_let_in_before_the_end_is_answered(still: Store, tmp_path: Path) -> None:
    with (
        serving(still, tmp_path, workers=1, basemap=WHOLE_BASEMAP) as server,
        socket.create_connection(("127.0.0.1", server.port)) as client,
    ):
        server.get("/health/live")  # connections are taken in the order in which they come
        server.process.terminate()
        time.sleep(0.15)  # it has taken notice by then, or is answered all the more
        client.sendall(b"GET /conformance HTTP/1.1\r\nHost: a\r\n\r\n")
        client.settimeout(LONGEST_S)
        with client.makefile("rb") as told:
            answer = told.read()
    assert answer.startswith(b"HTTP/1.1 200")


def slow_download(server: Server) -> socket.socket:
    """A client that has begun a large download and takes little of it at a time."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(LONGEST_S)
    client.connect(("127.0.0.1", server.port))
    client.sendall(b"GET /collections/countries/items?limit=10000 HTTP/1.1\r\nHost: atlas.example\r\n\r\n")
    assert client.recv(20).startswith(b"HTTP/1.1 200")
    return client


def rest(client: socket.socket) -> bytes:
    parts = []
    while part := client.recv(2**20):
        parts.append(part)
    return b"".join(parts)


def is_refused(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except ConnectionRefusedError:
        return True
    return False


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.long
def test_a_download_that_runs_is_completed_and_the_rest_refused(still: Store, tmp_path: Path, workers: int) -> None:
    with serving(still, tmp_path, workers=workers, basemap=WHOLE_BASEMAP) as server:
        whole = server.get("/collections/countries/items?limit=10000")[2]
        assert len(whole) > 5 * 2**20, "more than what lies between a server and a client that does not read"
        with slow_download(server) as client:
            server.process.terminate()
            wait_for(lambda: is_refused(server.port))
            time.sleep(1)
            assert server.process.poll() is None, "it ended before the download did"
            head, _, body = rest(client).partition(b"\r\n\r\n")
            sent = body if b"chunked" not in head else dechunked(body)
            assert json.loads(sent)["numberReturned"] == json.loads(whole)["numberReturned"]
        assert server.process.wait(LONGEST_S) in (0, -signal.SIGTERM)


def dechunked(body: bytes) -> bytes:
    parts = []
    while True:
        size, _, body = body.partition(b"\r\n")
        if not int(size, 16):
            return b"".join(parts)
        parts.append(body[: int(size, 16)])
        body = body[int(size, 16) + 2 :]


@pytest.mark.long
def test_a_download_that_never_ends_is_given_so_much_time(still: Store, tmp_path: Path) -> None:
    with serving(still, tmp_path, "--grace", "1", basemap=WHOLE_BASEMAP) as server, slow_download(server):
        begun = time.monotonic()
        server.process.terminate()
        server.process.wait(LONGEST_S)
        assert time.monotonic() - begun > 0.9


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.long
def test_after_the_end_the_file_alone_has_all_that_was_acknowledged(
    few_store: Store, tmp_path: Path, workers: int
) -> None:
    if not is_file(few_store):
        pytest.skip("a database has no log beside it")
    path, reviewers = copy_of(few_store, tmp_path / "atlas.gpkg"), tmp_path / "reviewers.json"
    token = reviewer_tokens.add_reviewer(reviewers, "Ann")
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    with serving(Store.open(path), tmp_path, "--reviewers", str(reviewers), workers=workers) as server:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=LONGEST_S)) as connection:
            connection.request("POST", "/collections/strikes/items", json.dumps(feature(title="The last")), headers)
            answer = connection.getresponse()
            key = json.loads(answer.read())["id"]
        assert answer.status == 201
        assert path.with_name("atlas.gpkg-wal").exists(), "or there is nothing to fold"
        server.process.terminate()
        server.process.wait(LONGEST_S)
    assert [file.name for file in tmp_path.glob("atlas.gpkg-*")] == []
    shutil.copy(path, tmp_path / "copy.gpkg")
    assert Store.open(tmp_path / "copy.gpkg").records().strikes[key].title == "The last"


def test_a_server_that_cannot_start_says_why_and_ends(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "api.cli.main", "serve", "--workers", "2", "--store", str(tmp_path / "none.gpkg")]
    wide = {**os.environ, "COLUMNS": "1000"}
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=LONGEST_S, env=wide)
    assert ended.returncode == 4
    assert b"none.gpkg" in ended.stderr
    assert b"is on http" not in ended.stderr
    assert b"Traceback" not in ended.stderr


WRONG = (["--workers", "0"], ["--log", "xml"], ["--proxy", "atlas"], ["--grace", "-1"], ["--set", "x=1"])


@pytest.mark.parametrize("option", WRONG, ids=lambda option: option[0])
def test_a_wrong_option_is_wrong_usage(command: Run, tmp_path: Path, option: list[str]) -> None:
    assert command("serve", *option, "--store", tmp_path / "none.gpkg").code == 2


@pytest.mark.parametrize("workers", [1, 2])
def test_a_port_that_is_taken_is_said_in_one_line_before_anything_else(store: Store, workers: int) -> None:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = other.getsockname()[1]
        command = [sys.executable, "-m", "api.cli.main", "serve", "--port", str(port), "--store", store.name]
        command += ["--basemap", str(BASEMAP), "--workers", str(workers)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LONGEST_S)
    assert done.returncode == 6
    assert done.stderr == f"error: cannot listen on 127.0.0.1, port {port}: Address already in use\n"
    assert done.stdout == ""
