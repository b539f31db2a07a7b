"""Work in queues by class: its turn by client, its end where nobody waits, and 503 for who asks for too much."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message

from api.http.work import ClientGone, WorkClass, WorkQueues, client_of, require_wanted
from api.requests.reviewer_tokens import add_reviewer
from api.settings import Settings


class Caller:
    """A client that may go away."""

    def __init__(self, queues: WorkQueues, address: str, token: str = "") -> None:
        self.gone = asyncio.Event()
        self._queues, self._address, self._read = queues, address, False
        self._headers = [(b"authorization", f"Bearer {token}".encode())] if token else []

    async def receive(self) -> Message:
        if not self._read:
            self._read = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    def asks(self, call: Callable[[], Any], kind: WorkClass = WorkClass.PICTURE) -> asyncio.Task[Any]:
        app = SimpleNamespace(state=SimpleNamespace(work=self._queues))
        scope = {"type": "http", "client": (self._address, 1), "app": app, "headers": self._headers}
        return asyncio.ensure_future(self._queues.run(Request(scope, self.receive), kind, call))


class Step:
    """A step of work in a thread, which a test lets go on."""

    def __init__(self) -> None:
        self.begun, self.go = asyncio.Event(), threading.Event()
        self._loop = asyncio.get_running_loop()

    def __call__(self) -> str:
        self._loop.call_soon_threadsafe(self.begun.set)
        assert self.go.wait(30)
        require_wanted()
        return "done"


def run(test: Callable[[WorkQueues], Awaitable[None]], **given: int) -> None:
    async def begun() -> None:
        await asyncio.wait_for(test(WorkQueues(Settings(**{"pictures_at_once": 1, **given}))), 30)  # type: ignore[arg-type]

    asyncio.run(begun())


def test_a_result_and_an_error_come_back() -> None:
    async def both(queues: WorkQueues) -> None:
        caller = Caller(queues, "1.1.1.1")
        assert await caller.asks(lambda: 3) == 3
        with pytest.raises(ZeroDivisionError):
            await Caller(queues, "1.1.1.1").asks(lambda: 1 / 0)

    run(both)


def test_another_client_goes_before_the_second_of_one_that_fills_the_queue() -> None:
    async def crowd(queues: WorkQueues) -> None:
        first, order = Step(), list[str]()
        tasks = [Caller(queues, "9.9.9.9").asks(first)]
        await first.begun.wait()
        tasks += [Caller(queues, "9.9.9.9").asks(lambda: order.append("hostile")) for _ in range(8)]
        tasks.append(Caller(queues, "1.1.1.1").asks(lambda: order.append("new")))
        await asyncio.sleep(0)
        assert queues.waiting()[WorkClass.PICTURE] == 9
        first.go.set()
        await asyncio.gather(*tasks)
        assert order.index("new") <= 2
        assert len(order) == 9

    run(crowd)


def test_a_client_leaves_one_of_several_threads_to_others() -> None:
    async def crowd(queues: WorkQueues) -> None:
        steps = [Step() for _ in range(3)]
        tasks = [Caller(queues, "9.9.9.9").asks(step) for step in steps]
        await steps[0].begun.wait()
        assert await Caller(queues, "1.1.1.1").asks(lambda: "at once") == "at once"
        assert [step.begun.is_set() for step in steps] == [True, False, False]
        for step in steps:
            step.go.set()
        assert await asyncio.gather(*tasks) == ["done"] * 3

    run(crowd, pictures_at_once=2)


def test_who_lets_too_much_wait_is_503_and_nobody_else() -> None:
    async def crowd(queues: WorkQueues) -> None:
        first = Step()
        tasks = [Caller(queues, "9.9.9.9").asks(first)]
        await first.begun.wait()
        tasks += [Caller(queues, "9.9.9.9").asks(lambda: "ok") for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(HTTPException) as refused:
            await Caller(queues, "9.9.9.9").asks(lambda: "no")
        assert refused.value.status_code == 503
        assert refused.value.headers == {"Retry-After": "2"}
        other = Caller(queues, "1.1.1.1").asks(lambda: "ok")
        assert await Caller(queues, "9.9.9.9").asks(lambda: "another class", WorkClass.EXPORT) == "another class"
        first.go.set()
        assert await asyncio.gather(*tasks, other) == ["done", "ok", "ok", "ok"]

    run(crowd, waiting_max=2)


def test_work_whose_client_goes_away_is_not_begun() -> None:
    async def gone(queues: WorkQueues) -> None:
        first, called = Step(), list[str]()
        running = Caller(queues, "1.1.1.1").asks(first)
        await first.begun.wait()
        caller = Caller(queues, "2.2.2.2")
        waiting = caller.asks(lambda: called.append("begun"))
        await asyncio.sleep(0)
        caller.gone.set()
        with pytest.raises(ClientGone):
            await waiting
        assert queues.waiting()[WorkClass.PICTURE] == 0
        first.go.set()
        assert await running == "done"
        assert await Caller(queues, "1.1.1.1").asks(lambda: "next") == "next"
        assert called == []

    run(gone)


@pytest.mark.parametrize("cancelled", [False, True], ids=["gone", "late"])
def test_work_that_is_not_wanted_ends_at_its_next_step_and_frees_its_thread_then(cancelled: bool) -> None:
    async def gone(queues: WorkQueues) -> None:
        step, ended = Step(), threading.Event()

        def work() -> None:
            try:
                step()
                raise AssertionError("it went on")
            except ClientGone:
                ended.set()
                raise

        caller = Caller(queues, "1.1.1.1")
        task = caller.asks(work)
        await step.begun.wait()
        if cancelled:
            task.cancel()
        else:
            caller.gone.set()
        with pytest.raises(asyncio.CancelledError if cancelled else ClientGone):
            await task
        after = Caller(queues, "2.2.2.2").asks(lambda: "next")
        await asyncio.sleep(0)
        assert not after.done(), "the thread is not free yet"
        step.go.set()
        assert await after == "next"
        assert ended.is_set()

    run(gone)


@pytest.mark.parametrize(("by_token", "served"), [(1, ["new"]), (0, [])])
def test_a_reviewer_may_be_a_client_by_token_and_a_token_of_nobody_counts_for_nothing(
    tmp_path: Path, by_token: int, served: list[str]
) -> None:
    path = tmp_path / "reviewers.json"
    token = add_reviewer(path, "Ada")

    async def crowd() -> None:
        queues = WorkQueues(Settings(reviewers=path, clients_by_token=by_token, waiting_max=1, pictures_at_once=1))
        first = Step()
        tasks = [Caller(queues, "9.9.9.9").asks(first)]
        await first.begun.wait()
        tasks.append(Caller(queues, "9.9.9.9").asks(lambda: "waits"))
        await asyncio.sleep(0)
        with pytest.raises(HTTPException):
            await Caller(queues, "9.9.9.9", "no token of ours").asks(lambda: "no")
        reviewer = Caller(queues, "9.9.9.9", token).asks(lambda: "new")
        first.go.set()
        answers = await asyncio.gather(*tasks, reviewer, return_exceptions=True)
        assert [answer for answer in answers if answer == "new"] == served

    asyncio.run(asyncio.wait_for(crowd(), 30))


def test_outside_of_a_queue_everything_is_wanted() -> None:
    require_wanted()


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:0db8:0001:0002"),
        ("2001:db8:1:2::9", "2001:0db8:0001:0002"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("not:an:address", "not:an:address"),
    ],
)
def test_a_client_is_an_address_and_of_ipv6_a_network(address: str, client: str) -> None:
    assert client_of({"type": "http", "client": (address, 1)}) == client


def test_a_request_without_an_address_is_of_a_client_of_its_own() -> None:
    assert client_of({"type": "http", "client": None}) == ""


def test_as_much_of_a_client_may_wait_as_it_may_have_at_work() -> None:
    """Or many connections of one client would be refused what they could wait for."""
    assert Settings().waiting_max >= Settings().client_max
