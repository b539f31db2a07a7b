"""Read your writes: a change that was acknowledged is in every later answer, whichever of two workers gives it."""

from __future__ import annotations

import asyncio
import http.client
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from api.http.forwarded import PASSED_ON
from api.requests import reviewer_tokens
from api.server import audit_trail
from api.server.acknowledged import AcknowledgedSeq, ReadYourWrites
from layers.model.records import Records
from tests.api.asgi import Answer, asked, scope_of
from tests.api.cli.test_server_process import LONGEST_S, Server, serving
from tests.api.conftest import feature
from tests.conftest import ROOT
from tests.store_kinds import NewStore

#: Each worker is asked within so many rounds, as good as surely.
ROUNDS = 40
ITEMS = "/collections/strikes/items"


class Atlas:
    """Stands for a live snapshot: a store at a change, and the one that is served."""

    def __init__(self, stored: int) -> None:
        self.stored, self.looks = stored, 0
        self.view = SimpleNamespace(snapshot=SimpleNamespace(seq=0))
        self.may_look = threading.Event()
        self.may_look.set()
        self.fails = self.is_withdrawn = False
        self.store = SimpleNamespace(read_only=False)

    def look(self) -> bool:
        read = self.stored
        self.looks += 1
        self.may_look.wait()
        if not self.fails:
            self.view = SimpleNamespace(snapshot=SimpleNamespace(seq=read))
        return not self.fails


def wrapped(atlas: Atlas, acknowledged: AcknowledgedSeq, limit_s: float = 30.0) -> ReadYourWrites:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        own = {"Atlas-Seq": "77"} if scope["method"] == "POST" else {}
        await PlainTextResponse(str(atlas.view.snapshot.seq), headers=own)(scope, receive, send)

    return ReadYourWrites(app, atlas, acknowledged, limit_s)  # type: ignore[arg-type]


async def get(app: ReadYourWrites, path: str = "/", method: str = "GET") -> Answer:
    return await asked(app, scope_of(path, (), method))


def test_an_answer_waits_for_what_was_acknowledged_and_only_then(tmp_path: Path) -> None:
    acknowledged, atlas = AcknowledgedSeq(tmp_path), Atlas(stored=4)
    app = wrapped(atlas, acknowledged)
    answer = asyncio.run(get(app))
    assert (answer.body, atlas.looks) == (b"0", 0)
    AcknowledgedSeq(tmp_path).advance(4)
    answer = asyncio.run(get(app))
    assert (answer.body, atlas.looks, "atlas-seq" in answer.headers) == (b"4", 1, False)
    asyncio.run(get(app))
    assert atlas.looks == 1


def test_requests_wait_together_and_none_is_content_with_a_look_that_began_before(tmp_path: Path) -> None:
    acknowledged, atlas = AcknowledgedSeq(tmp_path), Atlas(stored=4)
    app = wrapped(atlas, acknowledged)
    acknowledged.advance(4)

    async def together() -> list[bytes]:
        atlas.may_look.clear()
        early = [asyncio.create_task(get(app)) for _ in range(20)]
        while not atlas.looks:
            await asyncio.sleep(0)
        atlas.stored = 5
        acknowledged.advance(5)
        late = [asyncio.create_task(get(app)) for _ in range(20)]
        await asyncio.sleep(0)
        atlas.may_look.set()
        assert {int(answer.body) for answer in await asyncio.gather(*early)} <= {4, 5}
        return [answer.body for answer in await asyncio.gather(*late)]

    assert asyncio.run(together()) == [b"5"] * 20
    assert atlas.looks == 2


@pytest.mark.parametrize("fails", [True, False])
def test_an_answer_that_cannot_wait_says_of_which_change_it_is(tmp_path: Path, fails: bool) -> None:
    acknowledged, atlas = AcknowledgedSeq(tmp_path), Atlas(stored=4)
    acknowledged.advance(4)
    atlas.fails = fails
    if not fails:
        atlas.may_look.clear()

    async def late() -> Answer:
        try:
            return await get(wrapped(atlas, acknowledged, limit_s=0))
        finally:
            atlas.may_look.set()

    answer = asyncio.run(late())
    assert (answer.status, answer.body, answer.headers["atlas-seq"]) == (200, b"0", "older")


def test_a_change_that_cannot_be_shown_is_tried_once_and_not_for_every_request(tmp_path: Path) -> None:
    acknowledged, atlas = AcknowledgedSeq(None), Atlas(stored=4)
    acknowledged.advance(4)
    atlas.fails = True
    app = wrapped(atlas, acknowledged)
    assert [asyncio.run(get(app)).headers["atlas-seq"] for _ in range(5)] == ["older"] * 5
    assert atlas.looks == 1
    assert asyncio.run(get(app, method="POST")).headers["atlas-seq"] == "77"


def test_a_store_that_was_replaced_by_an_older_one_is_not_waited_for(tmp_path: Path) -> None:
    acknowledged, atlas = AcknowledgedSeq(tmp_path), Atlas(stored=4)
    app = wrapped(atlas, acknowledged)
    acknowledged.advance(9)
    answers = [asyncio.run(get(app)) for _ in range(3)]
    assert [one.body for one in answers] == [b"4"] * 3
    assert not any("atlas-seq" in one.headers for one in answers)
    assert atlas.looks == 1
    atlas.stored = 10
    acknowledged.advance(10)
    assert asyncio.run(get(app)).body == b"10"


# Behind a proxy that says what it passed on.


def passed_on(app: ReadYourWrites, seq: int, path: str = "/") -> Answer:
    return asyncio.run(asked(app, {**scope_of(path, ()), PASSED_ON: seq}))


def test_what_a_proxy_passed_on_is_waited_for_and_each_answer_to_it_says_its_change(tmp_path: Path) -> None:
    atlas = Atlas(stored=4)
    app = wrapped(atlas, AcknowledgedSeq(tmp_path))
    answer = passed_on(app, 0)
    assert (answer.body, answer.headers["atlas-seq"], atlas.looks) == (b"0", "0", 0)
    answer = passed_on(app, 4)
    assert (answer.body, answer.headers["atlas-seq"], atlas.looks) == (b"4", "4", 1)
    atlas.stored = 6
    assert passed_on(app, 5).headers["atlas-seq"] == "6"
    assert "atlas-seq" not in asyncio.run(get(app)).headers


@pytest.mark.parametrize("fails", [True, False])
def test_a_worker_that_is_behind_what_a_proxy_passed_on_leaves_it_to_another(tmp_path: Path, fails: bool) -> None:
    atlas, acknowledged = Atlas(stored=4), AcknowledgedSeq(tmp_path)
    atlas.fails = fails
    atlas.store.read_only = not fails  # a replica may get it later
    app = wrapped(atlas, acknowledged, limit_s=0.1)
    answer = passed_on(app, 5)
    assert (answer.status, answer.headers["content-type"]) == (504, "application/problem+json")
    assert passed_on(app, 5, "/health").status == 200
    atlas.fails, atlas.stored = False, 5
    assert passed_on(app, 5).body == b"5"


def test_a_replica_is_waited_for(tmp_path: Path) -> None:
    atlas = Atlas(stored=4)
    atlas.store.read_only = True
    threading.Timer(0.2, setattr, (atlas, "stored", 5)).start()
    assert passed_on(wrapped(atlas, AcknowledgedSeq(tmp_path)), 5).body == b"5"
    assert atlas.looks > 1


def test_a_proxy_that_names_what_never_was_makes_nobody_else_see_less(tmp_path: Path) -> None:
    atlas, acknowledged = Atlas(stored=4), AcknowledgedSeq(tmp_path)
    app = wrapped(atlas, acknowledged)
    assert passed_on(app, 99).body == b"4"
    atlas.stored = 7
    acknowledged.advance(7)
    assert asyncio.run(get(app)).body == b"7"


def test_health_waits_for_nothing(tmp_path: Path) -> None:
    acknowledged, atlas = AcknowledgedSeq(tmp_path), Atlas(stored=4)
    acknowledged.advance(4)
    assert asyncio.run(get(wrapped(atlas, acknowledged), "/health")).body == b"0"
    assert atlas.looks == 0


#: Three processes that advance numbers at once. They are forked, so that what they need is imported once.
_ADVANCING = """
import os, sys
from pathlib import Path
from api.server.acknowledged import AcknowledgedSeq
processes = []
for first in range(3):
    processes.append(os.fork())
    if not processes[-1]:
        acknowledged = AcknowledgedSeq(Path(sys.argv[1]))
        for seq in range(first, 3000, 3):
            acknowledged.advance(seq)
        os._exit(0)
sys.exit(any([os.waitpid(process, 0)[1] for process in processes]))
"""


def test_of_numbers_that_processes_advance_at_once_the_largest_stays(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", _ADVANCING, tmp_path], cwd=ROOT, check=True)
    assert AcknowledgedSeq(tmp_path).value == 2999


# Two workers.


@pytest.fixture(scope="module")
def pair(
    few_records: Records, tmp_path_factory: pytest.TempPathFactory, new_shared_store: NewStore
) -> Iterator[tuple[Server, str]]:
    folder, store = tmp_path_factory.mktemp("acknowledged"), new_shared_store()
    store.load(few_records, author="tests")
    file = folder / "reviewers.json"
    token = reviewer_tokens.add_reviewer(file, "Ann")
    # Without looking at the store by themselves, so that nothing else brings a worker up to date.
    with serving(store, folder, "--reviewers", str(file), "--set", "follow_every_s=0") as server:
        yield server, token


def send(server: Server, token: str, method: str, path: str, body: Any = None, **more: str) -> tuple[int, Any, bytes]:
    """Send a request on a connection of its own, so that either worker may answer."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"} | {
        name.replace("_", "-"): value for name, value in more.items()
    }
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=LONGEST_S)) as connection:
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()


def both_workers_answered(server: Server) -> bool:
    """Whether each worker answered requests of each method."""
    lines = server.lines()
    workers = [{line["worker"] for line in lines if line.get("method") == name} for name in ("POST", "GET", "DELETE")]
    return workers == [{0, 1}] * 3


def test_whoever_wrote_sees_it_at_once_from_either_worker(pair: tuple[Server, str]) -> None:
    server, token = pair
    for number in range(ROUNDS):
        title = f"Round {number}"
        status, headers, body = send(server, token, "POST", ITEMS, feature(title=title))
        assert status == 201
        key, path = json.loads(body)["id"], headers["Location"].partition(f":{server.port}")[2]
        for _ in range(2):
            status, read, body = send(server, token, "GET", path)
            assert (status, "Atlas-Seq" in read) == (200, False), number
            assert json.loads(body)["properties"]["title"] == title
        listed = json.loads(send(server, token, "GET", f"{ITEMS}?filter=id%3D%27{key}%27")[2])
        assert [one["id"] for one in listed["features"]] == [key]
        assert send(server, token, "DELETE", path, if_match=headers["ETag"])[0] == 204
        for _ in range(2):
            assert send(server, token, "GET", path)[0] == 404
        if number >= 9 and both_workers_answered(server):
            return
    raise AssertionError("one worker did all")


def test_a_decision_is_seen_at_once_from_either_worker(pair: tuple[Server, str]) -> None:
    server, token = pair
    strike = "ua-orlivka-2025-08-06"
    for number in range(8):
        seen = json.loads(send(server, token, "GET", f"/review/strikes/{strike}")[2])["seen"]
        decision = {"strike": strike, "verdict": "unsure", "why": f"round {number}", "seen": seen}
        status, headers, body = send(server, token, "POST", "/review/decisions", decision)
        assert status == 201
        assert headers["Atlas-Seq"] == str(json.loads(body)["seq"])
        decision = json.loads(body)["decision"]["id"]
        for _ in range(2):
            assert json.loads(send(server, token, "GET", f"/review/strikes/{strike}")[2])["seen"] == decision


def test_a_key_holds_in_both_workers(pair: tuple[Server, str]) -> None:
    server, token = pair
    answers: list[tuple[int, Any, bytes]] = []

    def retry() -> None:
        answers.append(send(server, token, "POST", ITEMS, feature(), Idempotency_Key='"both"'))

    before = server.store.seq()
    threads = [threading.Thread(target=retry) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {status for status, _, _ in answers} <= {201, 409}
    good = {body for status, _, body in answers if status == 201}
    assert len(good) == 1
    assert server.store.seq() == before + 2, "the strike, and that its answer is stored"
    assert {send(server, token, "POST", ITEMS, feature(), Idempotency_Key='"both"')[2] for _ in range(8)} == good


def test_both_workers_write_one_trail(pair: tuple[Server, str]) -> None:
    server, _ = pair
    report = audit_trail.read(audit_trail.audit_path(server.store.beside))
    assert (report.faults, report.open) == ([], [])
    assert len([line for line in report.lines if line["event"] == "written"]) > 0


def test_a_server_that_is_killed_leaves_no_change_that_the_trail_does_not_name(
    few_records: Records, tmp_path: Path, new_shared_store: NewStore
) -> None:
    store = new_shared_store()
    store.load(few_records, author="tests")
    first = store.seq()
    token = reviewer_tokens.add_reviewer(tmp_path / "reviewers.json", "Ann")
    acknowledged: list[tuple[str, int]] = []
    with serving(store, tmp_path, "--reviewers", str(tmp_path / "reviewers.json"), workers=1) as server:

        def write() -> None:
            with suppress(OSError, http.client.HTTPException):
                while True:
                    status, headers, body = send(server, token, "POST", ITEMS, feature())
                    assert status == 201
                    acknowledged.append((json.loads(body)["id"], int(headers["Atlas-Seq"])))
                    if len(acknowledged) >= 25:
                        server.process.kill()

        threads = [threading.Thread(target=write) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    report = audit_trail.read(audit_trail.audit_path(store.beside))
    assert not report.is_broken
    begun = {line["records"][0]: line["id"] for line in report.lines if line["event"] == "write"}
    written = {line["of"]: line["seq"] for line in report.lines if line["event"] == "written"}
    changes = {one.record: one.seq for one in store.revisions(first)}
    assert changes.keys() <= begun.keys()
    assert all(changes[key] == seq == written[begun[key]] for key, seq in acknowledged)
    assert {begun[key] for key in begun.keys() - changes.keys()} <= set(report.open)
