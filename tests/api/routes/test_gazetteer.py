"""GET /places and ``strikeatlas place``: candidates with reasons, what is refused, and an index that is replaced."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from typer.testing import CliRunner

from api.cli import place as commands
from api.responses import errors
from api.routes import name_search
from api.settings import Settings
from layers.reference.gazetteer import GazetteerMissing
from layers.reference.gazetteer_import import add
from tests.layers.reference.gazetteer_making import line, row
from tools.gazetteer import build


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """A gazetteer of two villages called Orlivka."""
    rows = [
        row(698379, "Orlivka", 28.44, 45.317, "Орлівка", population=3047),
        row(698380, "Orlivka", 33.58, 44.73, "Орлівка", admin1="20"),
    ]
    build(tmp_path / "made.sqlite", rows)
    return tmp_path / "made.sqlite"


@pytest.fixture
def asked(index: Path) -> Iterator[TestClient]:
    """A client of an application that answers places only."""
    app = FastAPI()
    app.state.settings = Settings(gazetteer=index)
    app.include_router(name_search.PLACES.router)
    errors.install(app)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def test_a_name_that_two_places_have_is_ambiguous(asked: TestClient) -> None:
    answer = asked.get("/places", params={"q": "Орлівка"})
    assert answer.status_code == 200
    told = answer.json()
    assert told["ambiguous"] is True
    assert told["best"] is None
    assert [one["id"] for one in told["candidates"]] == [698379, 698380]
    first = told["candidates"][0]
    assert first["region"] == "Odessa"
    assert first["basis"] == "settlement"
    assert first["uncertainty_m"] > 1000
    assert [reason["name"] for reason in first["reasons"]] == ["own-name-spelled", "people"]
    assert told["attribution"][0]["licence"] == "GeoNames, CC BY 4.0"


@pytest.mark.parametrize(
    "hint", [{"region": "Одещина"}, {"near": "28.5,45.4"}, {"region": "Odesa oblast", "country": "UA"}]
)
def test_a_hint_tells_them_apart(asked: TestClient, hint: dict[str, str]) -> None:
    told = asked.get("/places", params={"q": "Orlivka", **hint}).json()
    assert told["best"] == 698379
    assert told["ambiguous"] is False


def test_limit_cuts_the_list(asked: TestClient) -> None:
    told = asked.get("/places", params={"q": "Orlivka", "limit": 1}).json()
    assert len(told["candidates"]) == 1
    assert told["ambiguous"] is True


@pytest.mark.parametrize(
    ("params", "name"),
    [
        ({}, "q"),
        ({"q": ""}, "q"),
        ({"q": "x" * 201}, "q"),
        ({"q": "x", "near": "1"}, "near"),
        ({"q": "x", "near": "1,2,3"}, "near"),
        ({"q": "x", "near": "nan,0"}, "near"),
        ({"q": "x", "near": "0,91"}, "near"),
        ({"q": "x", "limit": "0"}, "limit"),
        ({"q": "x", "limit": "101"}, "limit"),
        ({"q": "x", "region": "x" * 201}, "region"),
        ({"q": "x", "other": "1"}, "other"),
    ],
)
def test_what_cannot_be_read_is_said(asked: TestClient, params: dict[str, str], name: str) -> None:
    answer = asked.get("/places", params=params)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["parameter"] == name


@pytest.mark.parametrize("text", ["\0", "<b>", "';--", "%00", "😀"])
def test_hostile_text_finds_nothing(asked: TestClient, text: str) -> None:
    told = asked.get("/places", params={"q": text}).json()
    assert told["candidates"] == []
    assert told["query"] == text


def test_a_client_that_has_it_gets_304_until_the_index_changes(asked: TestClient, index: Path, tmp_path: Path) -> None:
    tag = asked.get("/places", params={"q": "Port"}).headers["etag"]
    again = asked.get("/places", params={"q": "Port"}, headers={"If-None-Match": tag})
    assert again.status_code == 304
    (tmp_path / "UA.txt").write_text(line(9982339, "Port", 31.0, 46.7), encoding="utf-8")
    add(index, tmp_path / "UA.txt")
    after = asked.get("/places", params={"q": "Port"}, headers={"If-None-Match": tag})
    assert after.status_code == 200
    assert after.json()["candidates"][0]["origin"] == "UA.txt"
    assert after.json()["best"] is None


def test_no_gazetteer_is_a_problem_and_no_crash(asked: TestClient, index: Path) -> None:
    index.unlink()
    answer = asked.get("/places", params={"q": "Odesa"})
    assert answer.status_code == 503
    assert "make setup" in answer.json()["detail"]
    assert str(index.parent) not in answer.text


def run(*arguments: object) -> Any:
    return CliRunner().invoke(commands.app, [str(one) for one in arguments])


def test_the_command_finds_and_says_why(index: Path) -> None:
    told = json.loads(run("find", "Орлівка", "--region", "Odesa oblast", "--gazetteer", index, "--json").output)
    assert told["best"] == 698379
    printed = run("find", "[red]Orlivka[/]", "--gazetteer", index)
    assert printed.exit_code == 0
    assert "Orlivka" in run("find", "Orlivka", "--gazetteer", index).output
    assert "say its region" in " ".join(run("find", "Orlivka", "--gazetteer", index).output.split())
    assert "no place" in run("find", "Nowhere", "--gazetteer", index).output


def test_the_command_adds_a_file_once(index: Path, tmp_path: Path) -> None:
    (tmp_path / "UA.txt").write_text(line(9, "Reni", 28.3, 45.4), encoding="utf-8")
    first = json.loads(run("add", tmp_path / "UA.txt", "--gazetteer", index, "--json").output)
    assert (first["added"], first["known"]) == (1, False)
    assert "was there already" in run("add", tmp_path / "UA.txt", "--gazetteer", index).output
    assert json.loads(run("find", "Reni", "--gazetteer", index, "--json").output)["best"] == 9


def test_the_command_without_a_gazetteer_fails_with_its_error(tmp_path: Path) -> None:
    assert isinstance(run("find", "Reni", "--gazetteer", tmp_path / "none.sqlite").exception, GazetteerMissing)
