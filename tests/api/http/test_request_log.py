"""A line for each request, as JSON or for people, that is one line and holds no secret."""

from __future__ import annotations

import asyncio
import json
import logging
import logging.config
import re
from typing import Any

import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from api.app import create_app
from api.http.request_log import (
    MASK,
    AccessLog,
    JsonLines,
    LoggedRequest,
    json_line,
    logging_config,
    text_line,
    without_secrets,
)
from api.settings import Settings
from layers.store.store import Store
from tests.api.asgi import asked, scope_of
from tests.conftest import BASEMAP

SEEN = LoggedRequest(1754452800.1234, "GET", b"/countries/AZ", b"relation=owner", 200, 2048, 0.0123456)


def read(line: bytes) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(line)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    return told


def test_a_line_tells_what_was_asked_and_answered() -> None:
    assert read(json_line(SEEN, 3)) == {
        "time": "2025-08-06T04:00:00.123Z",
        "method": "GET",
        "path": "/countries/AZ",
        "query": "relation=owner",
        "status": 200,
        "bytes": 2048,
        "ms": 12.346,
        "worker": 3,
    }


def test_a_line_for_people_tells_the_same() -> None:
    told = text_line(SEEN, 3).decode()
    assert told == "2025-08-06T04:00:00.123Z GET /countries/AZ?relation=owner 200 2048 B 12.3 ms worker 3\n"


@pytest.mark.parametrize(
    "query",
    [
        "token=hunter2",
        "access_token=hunter2",
        "a=1&api_key=hunter2&b=2",
        "apikey=hunter2",
        "API-KEY=hunter2",
        "%74oken=hunter2",
        "to%6ben=hunter2",
        "client_secret=hunter2",
        "password=hunter2",
        "code=hunter2",
        "+token+=hunter2",
        "X-Amz-Signature=hunter2",
        "token=x=hunter2",
        "token=hunter2%26b",
    ],
)
def test_the_value_of_a_secret_name_is_never_written(query: str) -> None:
    told = without_secrets(query.encode())
    assert "hunter2" not in told
    assert MASK in told
    assert told.count("&") == query.count("&")


@pytest.mark.parametrize(
    "query", ["", "limit=10", "country_code=AZ", "author=x", "sig_max=1", "q=token", "token", "a&b="]
)
def test_other_values_are_written_as_sent(query: str) -> None:
    assert without_secrets(query.encode()) == query


@given(path=st.binary(max_size=60), query=st.binary(max_size=60))
def test_whatever_is_asked_for_is_one_line_of_plain_letters(path: bytes, query: bytes) -> None:
    seen = LoggedRequest(0.0, "GET", path, query, 404, 0, 0.0)
    assert read(json_line(seen, 0))["path"].isprintable()
    line = text_line(seen, 0)
    assert line.count(b"\n") == 1
    assert line[:-1].decode("ascii").isprintable()


def test_a_long_address_is_cut() -> None:
    seen = LoggedRequest(0.0, "GET", b"/" + b"x" * 9000, b"token=" + b"x" * 9000, 414, 0, 0.0)
    assert len(json_line(seen, 0)) < 2300


# Writing.


def test_a_line_is_written_at_once_and_whole() -> None:
    written: list[bytes] = []
    log = AccessLog("json", 0, written.append)
    for count in range(1, 4):
        log.add(SEEN)
        assert len(written) == count
        assert read(written[-1])["path"] == "/countries/AZ"


@pytest.fixture
def logged(store: Store, capfd: pytest.CaptureFixture[str]) -> tuple[FastAPI, pytest.CaptureFixture[str]]:
    return create_app(store, Settings(basemap=BASEMAP, follow_every_s=0), "json"), capfd


def test_every_request_of_a_server_has_its_line(logged: tuple[FastAPI, pytest.CaptureFixture[str]]) -> None:
    app, captured = logged
    headers = [("authorization", "Bearer hunter2"), ("accept-encoding", "gzip"), ("cookie", "session=hunter2")]
    paths = ["/countries?token=hunter2", "/review/queue", "/nothing", "/countries?x=%ff", "/static/style.css"]
    sizes = []

    async def ask_all() -> None:
        for path in paths:
            sizes.append(len((await asked(app, scope_of(path, headers))).body))

    asyncio.run(ask_all())
    err = captured.readouterr().err
    assert "hunter2" not in err
    lines = [json.loads(line) for line in err.splitlines() if '"path"' in line]
    assert [line["path"] for line in lines] == [path.partition("?")[0] for path in paths]
    assert [line["status"] for line in lines] == [400, 401, 404, 400, 200]
    assert [line["bytes"] for line in lines] == sizes
    assert all(line["ms"] > 0 for line in lines)


# What the program says.


def test_what_goes_wrong_is_a_line_too() -> None:
    try:
        raise ValueError("a fault\nof two lines")
    except ValueError as error:
        record = logging.getLogger("api.responses.errors").makeRecord(
            "api.responses.errors",
            logging.ERROR,
            "",
            1,
            "%s failed",
            ("GET /",),
            (ValueError, error, error.__traceback__),
        )
    line = JsonLines().format(record)
    told = json.loads(line)
    assert "\n" not in line
    assert (told["level"], told["logger"], told["message"]) == ("error", "api.responses.errors", "GET / failed")
    assert "a fault" in told["trace"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", told["time"])


@pytest.mark.parametrize("form", ["json", "text", "none"])
def test_the_configuration_is_one_that_python_takes(form: Any) -> None:
    logging.config.dictConfigClass(logging_config(form)).configure_formatter(logging_config(form)["formatters"]["line"])
    assert logging_config(form)["root"]["level"] == "WARNING"
