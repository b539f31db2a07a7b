"""What a report says in its own words, of a strike that is public: no answer or file holds it but a reviewer's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import shapely
from click.testing import Result
from starlette.testclient import TestClient
from typer.testing import CliRunner

from api.app import create_app
from api.cli import main
from api.requests import reviewer_tokens
from api.settings import Settings
from api.wording.catalogue import text
from layers.model.records import DESCRIPTION, Claim, Records
from layers.snapshot.derived_layers import full_rewrite
from layers.store.store import Store
from tests.api import private_doors as doors
from tests.api.private_doors import DOORS, MARK
from tests.conftest import FEW_COUNTRIES
from tests.layers.load_builders import of, source, strike
from tests.store_copies import opened_copy

DATASET, KEY = "news", "news/1"
_PLACED = {"uncertainty_m": 5_000, "basis": "settlement", "place_source": "news/s", "host_country": "UA"}


def told(number: int, words: str) -> Claim:
    return Claim(
        id=f"news/{number}/{DESCRIPTION}-1",
        dataset=DATASET,
        private=True,
        record=f"news/{number}",
        field=DESCRIPTION,
        value=words,
        source="news/s",
        checked="unverified",
    )


def news(*said: Claim) -> Records:
    at = {"geometry": shapely.Point(30.7, 46.5), **_PLACED}
    return of(source("news/s", DATASET), strike(KEY, DATASET, **at), strike("news/2", DATASET, **at), *said)


class Servers:
    """A server of a public dataset with descriptions, and one of the same without."""

    def __init__(self, folder: Path, bundled: Store, base: Any) -> None:
        alone = opened_copy(bundled, folder / "alone.gpkg")
        alone.load(news(), author="tests", derive=full_rewrite(base, text), why="news")
        # The same history, and the descriptions after it.
        with_them = opened_copy(alone, folder / "told.gpkg")
        said = (told(1, f"{MARK} burns"), told(2, f"{MARK} burns"))
        with_them.load(news(*said), author="tests", derive=full_rewrite(base, text), why="news")
        self.stores = {"told": with_them, "alone": alone}
        reviewers = folder / "reviewers.json"
        self.ann = {"Authorization": f"Bearer {reviewer_tokens.add_reviewer(reviewers, 'Ann')}"}
        self.told, self.alone = (
            TestClient(
                create_app(store, Settings(basemap=FEW_COUNTRIES, reviewers=reviewers, follow_every_s=0, cache_from=0))
            )
            for store in self.stores.values()
        )

    def command(self, name: str, *arguments: str) -> Result:
        return CliRunner().invoke(main.app, [*arguments, "--store", self.stores[name].name])


@pytest.fixture(scope="module")
def servers(few_store: Store, base: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    held = Servers(tmp_path_factory.mktemp("news"), few_store, base)
    with held.told, held.alone:
        yield held


def test_every_answer_is_as_without_descriptions(servers: Servers) -> None:
    ours = {f"/strikes/{KEY}/attribution", f"/records/strikes/{KEY}", f"/collections/strikes/items/{KEY}"}
    claims = f"/records/claims/{KEY}/{DESCRIPTION}-1"
    addresses = [*doors.addresses(), *(("", address) for address in ours), ("", claims)]
    good = 0
    for path, address in addresses:
        if address.startswith("/records/claims"):
            assert servers.told.get(address).status_code == 404
        answer, alone = servers.told.get(address), servers.alone.get(address)
        assert answer.status_code == alone.status_code, address
        assert MARK.lower().encode() not in answer.content.lower() or MARK in address, address
        good += answer.status_code == 200
        if path in DOORS.keys() - doors.OF_THE_PROCESS or not path:
            content, expected = doors.steady(answer.content), doors.steady(alone.content)
            assert content == expected, address
            assert doors.validators(answer.headers) == doors.validators(alone.headers), address
    assert good > 180


def test_a_reviewer_reads_them_and_nobody_else(servers: Servers) -> None:
    case = servers.told.get(f"/review/strikes/{KEY}", headers=servers.ann)
    assert case.status_code == 200
    assert f"{MARK} burns" in [claim["value"] for claim in case.json()["claims"]]
    refused = servers.told.get(f"/review/strikes/{KEY}")
    assert refused.status_code == 401
    assert doors.telling(refused.content) == []


def test_a_search_for_duplicates_compares_and_shows_them(servers: Servers) -> None:
    scores = {}
    for name in ("told", "alone"):
        rows = orjson.loads(servers.command(name, "duplicates", "--from", "0", "--json").stdout_bytes)
        (row,) = (row for row in rows if {row["one"]["id"], row["other"]["id"]} == {KEY, "news/2"})
        scores[name] = row["score"]
        assert row["one"]["descriptions"] == ([f"{MARK} burns"] if name == "told" else [])
    assert scores["told"] > scores["alone"] + 0.1
    assert MARK in servers.command("told", "duplicates", "--from", "0").stdout


@pytest.mark.parametrize("kind", [("geojson", "strikes"), ("csv", "strikes"), ("bods",), ("page",), ("gpkg",)])
def test_no_export_has_them(servers: Servers, kind: tuple[str, ...], tmp_path: Path) -> None:
    result = servers.command("told", "export", *kind, "-o", str(tmp_path / "out"), "--basemap", str(FEW_COUNTRIES))
    assert result.exit_code == 0, result.output
    for file in tmp_path.iterdir():
        assert doors.telling(file.read_bytes()) == []


def test_a_dataset_that_becomes_public_keeps_its_descriptions_private(
    few_store: Store, base: Any, tmp_path: Path
) -> None:
    opened = opened_copy(few_store, tmp_path / "atlas.gpkg")
    opened.load(
        news(told(1, MARK)), author="tests", derive=full_rewrite(base, text), private={DATASET: "No licence is stated."}
    )
    opened.publish(DATASET, author="Ann", why="The licence was given.")
    records = opened.records()
    assert not records.strikes[KEY].private
    assert records.claims[f"{KEY}/{DESCRIPTION}-1"].private
    opened.close()
