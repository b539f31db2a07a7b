"""What is too much is refused by its name: long addresses and headers, many parameters, many requests, slow routes."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import orjson
import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.limits import ActiveRequests, ConcurrencyLimit, RequestLimit
from api.http.work import ClientGone
from api.requests.parameters import BadParameter
from api.responses.errors import LastResort
from api.settings import Settings, with_overrides
from tests.api.asgi import Answer, ask, asked, scope_of

LIMITS = Settings(url_max=100, headers_max=200, parameters_max=3, at_work_max=2, answer_s=0.3, stall_s=0.3)


def problem(answer: Answer, status: int) -> dict[str, Any]:
    assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json")
    told: dict[str, Any] = orjson.loads(answer.body)
    assert told["status"] == status
    return told


# One request.


def ok() -> ASGIApp:
    return RequestLimit(PlainTextResponse("ok"), LIMITS)


def test_what_is_within_the_limits_is_passed_on() -> None:
    most = "/" + "x" * 93 + "?a=b"
    assert ask(ok(), most).status == 200
    assert ask(ok(), "/?a=1&b=2&c=3").status == 200
    assert ask(ok(), "/%D0%9E?q=%D0%9E%2B+").status == 200


def test_an_address_that_is_too_long_is_414() -> None:
    assert "100" in problem(ask(ok(), "/" + "x" * 100), 414)["detail"]
    problem(ask(ok(), "/?q=" + "x" * 100), 414)


def test_headers_that_are_too_long_are_431() -> None:
    assert "200" in problem(ask(ok(), headers={"cookie": "x" * 200}), 431)["detail"]
    problem(ask(ok(), headers={f"x-{n}": "x" for n in range(30)}), 431)


def test_more_parameters_than_are_read_are_400() -> None:
    assert "3 parameters" in problem(ask(ok(), "/?a=1&b=2&c=3&d=4"), 400)["detail"]
    problem(ask(ok(), "/?&&&&&"), 400)


@pytest.mark.parametrize("bad", ["%ff", "%00", "%C3", "a%00b", "%ED%A0%80", "%c0%ae"])
def test_bytes_that_are_no_text_are_400_with_the_parameter_named(bad: str) -> None:
    assert problem(ask(ok(), f"/x/{bad}"), 400)["parameter"] == "path"
    assert problem(ask(ok(), f"/?limit=1&q={bad}"), 400)["parameter"] == "q"
    assert problem(ask(ok(), f"/?na%6De={bad}"), 400)["parameter"] == "name"
    assert problem(ask(ok(), f"/?{bad}=1"), 400)["parameter"] == "query"


def test_an_answer_gives_back_little_of_a_long_name() -> None:
    limit = RequestLimit(PlainTextResponse("ok"), Settings())
    assert len(ask(limit, f"/?{'x' * 5000}=%00").body) < 500


def with_hosts(*hosts: bytes, version: str = "1.1") -> Answer:
    scope = scope_of("/", [])
    scope["headers"] = [(b"host", host) for host in hosts]
    scope["http_version"] = version
    return asyncio.run(asked(ok(), scope))


@pytest.mark.parametrize(
    "host",
    [
        "atlas.example",
        "atlas.example:8000",
        "127.0.0.1",
        "[::1]:80",
        "xn--e1afmkfd.example",
        "a_b",
        "a%20b",
        "a:",
        "A.B.",
    ],
)
def test_a_host_with_or_without_a_port_is_read(host: str) -> None:
    assert with_hosts(host.encode()).status == 200


@pytest.mark.parametrize(
    "host", ["", " ", "a b", "a/b", "a:b", "a:123456", "a@b", "[::1", "a%2", "a,b/", "<a>", "a?b", "\xe9"]
)
def test_a_host_that_is_none_is_400(host: str) -> None:
    assert "Host" in problem(with_hosts(host.encode("latin-1")), 400)["detail"]


def test_http_1_1_needs_one_host_and_1_0_at_most_one() -> None:
    problem(with_hosts(), 400)
    problem(with_hosts(b"a", b"a"), 400)
    assert with_hosts(version="1.0").status == 200
    problem(with_hosts(b"a", b"b", version="1.0"), 400)


# Many requests, and slow ones.


class Work:
    """An application with routes that take their time, and what is at work in it."""

    def __init__(self, settings: Settings = LIMITS) -> None:
        self.at_work = ActiveRequests()
        self.go = asyncio.Event()
        self.thread_may_end = threading.Event()
        self.ended: list[str] = []
        routes = [Route(f"/{name}", getattr(self, name)) for name in ("wait", "sleep", "thread", "stuck", "after")]
        routes.append(Route("/health", self.health))
        self.app = ConcurrencyLimit(Starlette(routes=routes), self.at_work, settings)

    async def wait(self, request: Request) -> Response:
        await self.go.wait()
        return PlainTextResponse("done")

    async def sleep(self, request: Request) -> Response:
        try:
            await asyncio.sleep(30)
        finally:
            self.ended.append("sleep")
        return PlainTextResponse("late")

    def thread(self, request: Request) -> Response:
        self.thread_may_end.wait(60)
        self.ended.append("thread")
        return PlainTextResponse("late")

    async def stuck(self, request: Request) -> Response:
        async def parts() -> AsyncIterator[bytes]:
            for _ in range(4):
                await asyncio.sleep(0.15)
                yield b"part"
            await asyncio.sleep(30)

        return StreamingResponse(parts())

    async def after(self, request: Request) -> Response:
        from starlette.background import BackgroundTask

        async def later() -> None:
            await asyncio.sleep(0.6)
            self.ended.append(f"later, {len(self.at_work)} at work")

        return PlainTextResponse("done", background=BackgroundTask(later))

    async def health(self, request: Request) -> Response:
        return PlainTextResponse("well")

    async def ask(self, path: str, client: str = "127.0.0.1") -> Answer:
        return await asked(self.app, scope_of(path, [], client=client))


def run(test: Callable[[Work], Any], settings: Settings = LIMITS) -> Any:
    async def made() -> Any:
        return await test(Work(settings))

    return asyncio.run(made())


def test_more_requests_at_once_than_are_worked_on_are_told_to_come_again() -> None:
    async def crowd(work: Work) -> None:
        waiting = [asyncio.create_task(work.ask("/wait")) for _ in range(2)]
        await asyncio.sleep(0.05)
        assert len(work.at_work) == 2
        refused = await work.ask("/wait")
        assert "2 requests" in problem(refused, 503)["detail"]
        assert refused.headers["retry-after"] == "1"
        assert (await work.ask("/health")).status == 200, "how it is can always be asked"
        work.go.set()
        assert [one.status for one in await asyncio.gather(*waiting)] == [200, 200]
        assert len(work.at_work) == 0
        assert (await work.ask("/wait")).status == 200

    run(crowd)


def test_a_client_with_too_many_requests_is_refused_and_another_is_not() -> None:
    async def crowd(work: Work) -> None:
        waiting = [asyncio.create_task(work.ask("/wait", "9.9.9.9")) for _ in range(3)]
        await asyncio.sleep(0.05)
        assert "3 requests of one client" in problem(await work.ask("/wait", "9.9.9.9"), 503)["detail"]
        waiting += [asyncio.create_task(work.ask("/wait", f"1.1.1.{n}")) for n in range(8)]
        await asyncio.sleep(0.05)
        assert len(work.at_work) == 11, "more than all, as each of them has its share"
        problem(await work.ask("/wait", "1.1.1.1"), 503)
        work.go.set()
        assert {one.status for one in await asyncio.gather(*waiting)} == {200}
        assert (await work.ask("/wait", "9.9.9.9")).status == 200

    run(crowd, Settings(at_work_max=8, client_max=3))


def test_who_goes_away_from_a_queue_gets_no_answer() -> None:
    async def left(scope: Scope, receive: Receive, send: Send) -> None:
        raise ClientGone

    async def gone(work: Work) -> None:
        answer = await asked(ConcurrencyLimit(LastResort(left), work.at_work, LIMITS), scope_of("/", []))
        assert (answer.status, len(work.at_work)) == (0, 0)

    run(gone)


@pytest.mark.parametrize("path", ["/sleep", "/thread"])
def test_an_answer_that_does_not_begin_in_time_is_503(path: str) -> None:
    async def slow(work: Work) -> None:
        begun = time.monotonic()
        answer = await work.ask(path)
        assert time.monotonic() - begun > 0.25
        assert "0.3 s" in problem(answer, 503)["detail"]
        assert answer.headers["retry-after"] == "1"
        assert len(work.at_work) == 0
        assert work.ended == (["sleep"] if path == "/sleep" else [])
        work.thread_may_end.set()

    run(slow)


def test_one_late_request_does_not_end_others() -> None:
    async def mixed(work: Work) -> None:
        late = asyncio.create_task(work.ask("/sleep"))
        await asyncio.sleep(0.2)
        waiting = asyncio.create_task(work.ask("/wait"))
        assert (await late).status == 503
        work.go.set()
        assert (await waiting).status == 200

    run(mixed)


def test_a_stream_may_take_long_but_not_stand_still() -> None:
    async def stream(work: Work) -> None:
        answer = await work.ask("/stuck")
        assert (answer.status, answer.body, answer.ended) == (200, b"part" * 4, False)
        assert len(work.at_work) == 0

    run(stream)


def test_a_client_that_takes_nothing_is_let_go() -> None:
    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x", "more_body": True})

    async def deaf(message: Message) -> None:
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    async def hung(work: Work) -> None:
        app = ConcurrencyLimit(endless, work.at_work, LIMITS)
        async with asyncio.timeout(60):
            await app(scope_of("/", []), contextlib.nullcontext, deaf)  # type: ignore[arg-type]
        assert len(work.at_work) == 0

    run(hung)


def test_what_is_done_after_an_answer_is_no_work_and_has_its_time() -> None:
    async def later(work: Work) -> None:
        assert (await work.ask("/after")).status == 200
        assert work.ended == ["later, 0 at work"]

    run(later)


def test_who_goes_away_is_no_late_request() -> None:
    async def gone(work: Work) -> None:
        waiting = asyncio.create_task(work.ask("/wait"))
        await asyncio.sleep(0.05)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert len(work.at_work) == 0

    run(gone)


def test_without_limits_there_are_none() -> None:
    async def slow(work: Work) -> None:
        waiting = asyncio.create_task(work.ask("/wait"))
        await asyncio.sleep(0.6)
        work.go.set()
        assert (await waiting).status == 200

    run(slow, Settings(answer_s=0, stall_s=0))


# Settings.


def test_a_limit_may_be_given_as_text() -> None:
    made = with_overrides(Settings(), ["at_work_max=256", "answer_s=2.5", "at_work_max=7"])
    assert (made.at_work_max, made.answer_s) == (7, 2.5)
    assert with_overrides(Settings(), []) == Settings()


@pytest.mark.parametrize(
    "given", ["", "at_work_max", "at_work_max=", "at_work_max=-1", "at_work_max=1.5", "answer_s=nan", "answer_s=inf",
              "nothing=1", "static=/", "proxies=1", "at_work_max=" + "9" * 5000],
)  # fmt: skip
def test_a_limit_that_is_none_is_a_wrong_argument(given: str) -> None:
    with pytest.raises(BadParameter, match="set"):
        with_overrides(Settings(), [given])


# The whole application.


def test_the_limits_of_the_server_are_those_of_its_settings(app: FastAPI) -> None:
    given = Settings()
    assert ask(app, f"/?{'x' * given.url_max}").status == 414
    assert ask(app, headers={"cookie": "x" * given.headers_max}).status == 431
    assert ask(app, f"/?{'&' * given.parameters_max}").status == 400
    assert ask(app, "/countries/%ff").status == 400
