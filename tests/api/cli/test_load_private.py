"""What may not be published: loaded records of ACLED are in no answer, tile, page or file; a reviewer sees them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import orjson
import pytest
from click.testing import Result
from starlette.testclient import TestClient
from typer.testing import CliRunner

from api.app import create_app
from api.cli import main
from api.requests import reviewer_tokens
from api.requests.parameters import BadParameter
from api.settings import Settings
from layers.model.records import RECORD_TYPES
from layers.store.store import ANY, Edit, Store
from tests.conftest import BASEMAP
from tests.load_runner import ACLED, STRIKES, TIMEMAP, Run, load, runner
from tests.store_copies import opened_copy

TELLING = (b"acled", b"ACLED", b"Vyshneva", b"Ruritania", b"Lisne", b"900001")


@pytest.fixture
def run(own: Store, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """A command on a store of a few strikes, or on another one."""
    return runner(own, capsys, monkeypatch, BASEMAP)


class Shown(NamedTuple):
    """A store with private records, its server, and a reviewer's header."""

    store: Store
    client: TestClient
    ann: dict[str, str]


@pytest.fixture(scope="module")
def shown(few_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    folder = tmp_path_factory.mktemp("private")
    held = opened_copy(few_store, folder / "atlas.gpkg")
    arguments = ["load", "acled", str(ACLED), "--partial", "--store", held.name, "--basemap", str(BASEMAP)]
    assert CliRunner().invoke(main.app, arguments).exit_code == 0
    file = folder / "reviewers.json"
    ann = {"Authorization": f"Bearer {reviewer_tokens.add_reviewer(file, 'Ann')}"}
    assert any(strike.private for strike in held.records().strikes.values())
    with TestClient(create_app(held, Settings(basemap=BASEMAP, reviewers=file, follow_every_s=0))) as client:
        yield Shown(held, client, ann)


def tells(content: bytes) -> list[bytes]:
    return [word for word in TELLING if word in content]


def test_no_answer_holds_a_private_record(shown: Shown) -> None:
    collections = [one["id"] for one in shown.client.get("/collections").json()["collections"]]
    assert "strikes" in collections
    paths = ["/", "/collections", "/about", "/style.json", "/countries", "/countries/UA", "/map"]
    paths += [f"/collections/{name}{end}" for name in collections for end in ("", "/items?limit=10000")]
    paths += ["/collections/strikes/items?bbox=30,46,31,47&limit=10000", "/entities/socar/holdings"]
    for path in paths:
        answer = shown.client.get(path)
        assert (answer.status_code, tells(answer.content)) == (200, []), path


@pytest.fixture(scope="module")
def bundled(few_store: Store) -> Iterator[TestClient]:
    """A server of the bundled records alone."""
    with TestClient(create_app(few_store, Settings(basemap=BASEMAP, follow_every_s=0))) as client:
        yield client


def test_no_tile_holds_a_private_record(shown: Shown, bundled: TestClient) -> None:
    """The tiles are those of the bundled records alone, also right at the private points."""
    for tile in ("0/0/0", "8/149/90", "14/9576/5820"):
        for layer in ("strikes", "attributions", "hits"):
            answer, alone = (one.get(f"/tiles/{layer}/{tile}.mvt") for one in (shown.client, bundled))
            assert answer.status_code in (200, 204)
            assert tells(answer.content) == []
            assert answer.content == alone.content, (layer, tile)
    assert tells(shown.client.get("/tiles/strikes.json").content) == []


def test_a_private_record_is_nowhere_to_be_found(shown: Shown) -> None:
    records = shown.store.records()
    private = [(name, key) for name in RECORD_TYPES for key, one in records.table(name).items() if one.private]
    assert {name for name, _ in private} == {"strikes", "sources", "claims"}
    for name, key in private:
        assert shown.client.get(f"/records/{name}/{key}").status_code == 404
    for key in (key for name, key in private if name == "strikes"):
        assert shown.client.get(f"/strikes/{quote(key, safe='')}/attribution").status_code == 404
        assert shown.client.get(f"/strikes/{key}/attribution").status_code == 404
        assert shown.client.get(f"/collections/strikes/items/{key}").status_code == 404


def test_a_loaded_strike_is_answered_on_whether_its_id_is_escaped_or_not(run: Run, own: Store) -> None:
    load(run, "viina", STRIKES / "viina-derived.csv", "--partial")
    with TestClient(create_app(own, Settings(basemap=BASEMAP, follow_every_s=0))) as client:
        for key in ("viina/502", quote("viina/502", safe="")):
            assert client.get(f"/strikes/{key}/attribution").json()["strike"]["id"] == "viina/502"
            for path in ("records/strikes", "collections/strikes/items"):
                assert client.get(f"/{path}/{key}").json()["id"] == "viina/502"


def test_a_reviewer_sees_what_is_private_and_nobody_else(shown: Shown) -> None:
    assert shown.client.get("/review/queue").status_code == 401
    queue = shown.client.get("/review/queue?limit=500", headers=shown.ann).json()["queue"]
    assert "acled/ukr900001" in {row["strike"] for row in queue}
    path = f"/review/strikes/{quote('acled/ukr900001', safe='')}"
    assert shown.client.get(path).status_code == 401
    told = shown.client.get(path, headers=shown.ann)
    assert told.status_code == 200, told.text
    assert told.json()["strike"]["private"]


@pytest.mark.parametrize(
    "command",
    [
        *(
            ("export", fmt, layer)
            for fmt in ("csv", "geojson")
            for layer in ("strikes", "attributions", "hits", "countries")
        ),
        ("export", "gpkg"),
        ("export", "bods"),
        ("export", "page"),
        ("list", "strikes"),
        ("list", "attributions"),
        ("list", "hits"),
        ("list", "sources"),
    ],
    ids=" ".join,
)
def test_no_export_and_no_list_holds_a_private_record(
    run: Run, shown: Shown, command: tuple[str, ...], tmp_path: Path
) -> None:
    """Nor does anything else in it tell that there are any: it is as without them."""
    out = tmp_path / "out"
    to = ("-o", out) if command[0] == "export" else ("--json",)
    said = run(*command, *to, on=shown.store.name)
    assert said.code == 0, said.err
    content = said.out.encode() if command[0] == "list" else b"".join(p.read_bytes() for p in tmp_path.glob("out*"))
    assert content
    assert tells(content) == []


def test_a_frame_of_the_exported_geopackage_is_that_of_the_bundled_records(
    run: Run, shown: Shown, few_store: Store, tmp_path: Path
) -> None:
    counts = []
    for number, address in enumerate((shown.store.name, few_store.name)):
        out = tmp_path / f"{number}.gpkg"
        run("export", "gpkg", "-o", out, on=address)
        with closing(sqlite3.connect(out)) as file:
            layers = [row[0] for row in file.execute("SELECT table_name FROM gpkg_contents ORDER BY 1")]
            counts.append({name: file.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in layers})
    assert counts[0] == counts[1]
    assert counts[0]["strikes"] > 0


@pytest.mark.parametrize("command", [("show",), ("match",), ("export", "report", "--strike")], ids=" ".join)
def test_no_command_answers_on_a_private_strike(
    run: Run, shown: Shown, command: tuple[str, ...], tmp_path: Path
) -> None:
    more = ("-o", tmp_path / "report.pdf") if command[0] == "export" else ()
    said = run(*command, "acled/ukr900001", *more, on=shown.store.name)
    assert (said.code, said.out) == (3, "")
    assert not list(tmp_path.glob("report*"))


def test_a_licence_that_is_named_later_publishes_nothing(run: Run, own: Store) -> None:
    """The dataset is private since its first load, with whatever it is loaded again; a person publishes it."""
    load(run, "timemap", *TIMEMAP, "--partial", "--dataset", "tm")
    assert set(own.privacy().datasets) == {"tm"}
    again = load(run, "timemap", *TIMEMAP, "--partial", "--dataset", "tm", "--licence", "CC BY 4.0")
    assert again["private"]
    assert "stay private" in again["remarks"][-1]
    assert all(strike.private for strike in own.records().strikes.values() if strike.dataset == "tm")
    said = run_plain("dataset", "publish", "tm", "--why", "licence", "--who", "Ann", "--json", store=own)
    assert said["published"] > 0
    assert not any(strike.private for strike in own.records().strikes.values() if strike.dataset == "tm")
    (listed,) = [row for row in run_plain("dataset", "list", "--json", store=own) if row["dataset"] == "tm"]
    # What two reports say in their own words stays private, whatever the licence of the dataset.
    assert (listed["private_records"], listed["private_since"]) == (2, None)
    assert not load(run, "timemap", *TIMEMAP, "--partial", "--dataset", "tm", "--licence", "CC BY 4.0")["private"]


def test_a_public_dataset_is_withheld_by_a_load_or_by_hand(run: Run, own: Store) -> None:
    load(run, "timemap", *TIMEMAP, "--partial", "--dataset", "tm", "--licence", "CC BY 4.0")
    load(run, "viina", STRIKES / "viina-derived.csv", "--partial", "--dataset", "v")
    load(run, "timemap", *TIMEMAP, "--partial", "--dataset", "tm")
    run_plain("dataset", "withhold", "v", "--why", "agreement ended", "--who", "Ann", "--json", store=own)
    withheld = own.privacy().datasets
    assert set(withheld) == {"tm", "v"}
    assert withheld["tm"].why.startswith("licence: ")
    assert withheld["v"].why == "agreement ended"
    assert all(strike.private for strike in own.records().strikes.values() if strike.dataset in ("tm", "v"))


def test_a_single_record_is_published_in_the_singular(own: Store) -> None:
    key = next(key for key in own.records().strikes if key.startswith("ua-"))
    hidden = own.records().strikes[key].model_copy(update={"private": True})
    own.write(Edit("strikes", key, hidden, ANY), author="tests")
    command = ("dataset", "publish", "curated", key, "--why", "seen", "--who", "Ann", "--store", own.name)
    assert "1 record of curated may be published from now on." in CliRunner().invoke(main.app, command).output


def test_undoing_a_withhold_names_what_stays_private(own: Store) -> None:
    records = own.records()
    shown = next(one for key, one in records.strikes.items() if key.startswith("ua-"))
    for key, private in (("m/1", False), ("m/2", True)):
        own.append("strikes", shown.model_copy(update={"id": key, "dataset": "m", "private": private}), author="tests")

    def run_on_m(*command: str) -> Result:
        return CliRunner().invoke(main.app, ["dataset", *command, "--why", "w", "--who", "Ann", "--store", own.name])

    assert run_on_m("withhold", "m").exit_code == 0
    assert isinstance(run_on_m("publish", "m", "m/2", "--all").exception, BadParameter)
    assert own.records().strikes["m/1"].private
    said = " ".join(run_on_m("publish", "m").output.split())
    assert "1 of 2 records of m may be published from now on." in said
    assert "by themselves before the dataset was: 1 (m/2)" in said
    assert "strikeatlas dataset publish m ID" in said
    assert own.records().strikes["m/2"].private
    run_on_m("withhold", "m")
    assert "2 records of m may be published from now on." in run_on_m("publish", "m", "--all").output


def test_files_that_may_not_be_published_are_no_curated_records(run: Run, own: Store) -> None:
    seq = own.seq()
    said = run("load", "acled", ACLED, "--partial", "--dataset", "curated")
    assert (said.code, own.seq()) == (2, seq)
    assert "--dataset" in said.err


def run_plain(*arguments: str, store: Store) -> Any:
    """What a command that needs no base map answers."""
    result = CliRunner().invoke(main.app, [*arguments, "--store", store.name])
    assert result.exit_code == 0, result.output
    return orjson.loads(result.stdout_bytes)
