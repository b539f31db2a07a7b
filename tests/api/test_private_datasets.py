"""A private dataset against every way to write and every way to read: all answers are those of a store without it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
import pytest
from click.testing import Result
from fastapi import FastAPI
from starlette.testclient import TestClient
from typer.testing import CliRunner

from api.app import create_app
from api.cli import main
from api.requests import reviewer_tokens
from api.responses.authorisation import WrongTokens
from api.settings import Settings
from api.wording.catalogue import text
from layers.model.records import RECORD_TYPES, Records
from layers.reference import basemap
from layers.snapshot.derived_layers import full_rewrite
from layers.store.store import ANY, Edit, Store
from tests.api import private_doors as doors
from tests.api.conftest import feature
from tests.api.private_doors import ASSET, DATASET, DOORS, KEY, MARK, STRIKE, UNKNOWN, secret
from tests.conftest import FEW_COUNTRIES
from tests.layers.load_builders import strike
from tests.store_copies import opened_copy
from tests.store_kinds import REFUSED, by_another

ITEM = f"/collections/strikes/items/{KEY}"
PATCH = {"content-type": "application/merge-patch+json", "if-match": "*"}
PUBLIC_SOURCE = "24tv-pmi"


class Vault:
    """A server of some bundled records and of a private dataset, with a reviewer, and one of the former alone."""

    def __init__(self, folder: Path, bundled: Store, base: Path) -> None:
        self.folder, self.basemap = folder, base
        self.store = opened_copy(bundled, folder / "atlas.gpkg")
        self.store.load(
            secret(),
            author="tests",
            private={DATASET: f"The licence of {MARK} forbids it."},
            derive=full_rewrite(basemap.read(base), text),
            why=f"the file of {MARK}",
        )
        reviewers = folder / "reviewers.json"
        self.ann = {"Authorization": f"Bearer {reviewer_tokens.add_reviewer(reviewers, 'Ann')}"}
        public = Settings(basemap=base, follow_every_s=0, embedders=("https://news.example",))
        settings = replace(public, reviewers=reviewers, cache_from=0)
        self.app: FastAPI = create_app(self.store, settings)
        self.client = TestClient(self.app, raise_server_exceptions=False)
        self.bundled_alone = opened_copy(bundled, folder / "alone.gpkg")
        self.alone = TestClient(create_app(self.bundled_alone, public), raise_server_exceptions=False)

    def send(self, method: str, path: str, body: object = None, **headers: str) -> int:
        """Send a reviewer's request with a reason; give the status."""
        stated = {**self.ann, "if-match": "*", "change-reason": f'"as {MARK} says"', **headers}
        answer = self.client.request(method, path, json=body, headers=stated)
        return answer.status_code

    def command(self, *arguments: object) -> Result:
        texts = [*map(str, arguments), "--store", self.store.name]
        return CliRunner().invoke(main.app, texts)

    def by_another(self, statement: str) -> None:
        """Run a statement as another program would."""
        by_another(self.store, statement)

    def toml(self, name: str, text: str) -> Path:
        path = self.folder / f"{name}.toml"
        path.write_text(text)
        return path


@pytest.fixture(scope="module")
def vault(few_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vault]:
    held = Vault(tmp_path_factory.mktemp("vault"), few_store, FEW_COUNTRIES)
    with held.client, held.alone:
        yield held


def served(client: TestClient) -> Records:
    view = client.app.state.atlas.view  # type: ignore[attr-defined]
    records: Records = view.snapshot.records
    return records


def require_hidden(vault: Vault) -> None:
    """What all answers follow from has no private record, and is as without the private dataset."""
    vault.app.state.atlas.refresh()
    public, alone = served(vault.client), served(vault.alone)
    for name in RECORD_TYPES:
        assert dict(public.table(name)) == dict(alone.table(name)), name
    stored = vault.store.records()
    for name in RECORD_TYPES:
        for key, record in stored.table(name).items():
            assert record.private or not (record.dataset == DATASET or key.startswith("qqj/")), key
    assert vault.client.get(ITEM).status_code == 404
    assert KEY in vault.app.state.atlas.view.stored.strikes


Writing = Callable[[Vault], object]


def put(vault: Vault, **properties: Any) -> int:
    return vault.send("PUT", ITEM, feature(title=f"{MARK} put", **properties))


def patch(vault: Vault, body: object, path: str = ITEM) -> int:
    return vault.send("PATCH", path, body, **PATCH)


def add_and_publish(vault: Vault) -> list[int]:
    """Add a private strike, try to publish it, and remove it."""
    made = vault.client.post("/collections/strikes/items", json=feature(title=MARK, private=True), headers=vault.ann)
    path = made.headers["location"]
    statuses = [made.status_code, patch(vault, {"private": False}, path), patch(vault, {"title": MARK}, path)]
    assert vault.client.get(path).status_code == 404
    return [*statuses, vault.send("DELETE", path)]


def decide(vault: Vault, name: str, **values: Any) -> int:
    decisions = vault.store.records().where("decisions", "strike", name)
    body = {"strike": name, "why": MARK, "seen": decisions[-1].id if decisions else None, **values}
    return vault.send("POST", "/review/decisions", body)


def judge_by_http(vault: Vault, one: str, other: str) -> int:
    body = {"one": one, "other": other, "verdict": "same", "why": MARK}
    return vault.send("POST", "/review/judgements", body)


def add_citing_the_private_source_alone(vault: Vault) -> int:
    body = feature(title=MARK, sources=["qqj/src"], place_source="qqj/src")
    return vault.send("POST", "/collections/strikes/items", {**body, "id": KEY})


def cite(vault: Vault) -> int:
    sources = [*vault.store.records().strikes[STRIKE].sources, "qqj/src"]
    return patch(vault, {"sources": sources}, f"/collections/strikes/items/{STRIKE}")


def move(vault: Vault) -> None:
    before = vault.store.records().strikes["qqj/2"]
    vault.store.write(
        Edit("strikes", "qqj/2", before.model_copy(update={"private": False, "dataset": "o"}), ANY), author="t"
    )


def remove_and_add_again(vault: Vault) -> None:
    before = vault.store.records().strikes["qqj/2"]
    vault.store.write(Edit("strikes", "qqj/2", None, ANY), author="t")
    again = before.model_copy(update={"private": False, "dataset": "curated", "sources": (PUBLIC_SOURCE,)})
    vault.store.append("strikes", again, author="t")


def append(vault: Vault) -> None:
    vault.store.append("strikes", strike("qqj/3", DATASET, title=MARK, sources=(PUBLIC_SOURCE,)), author="t")


def load_as_public(vault: Vault, dataset: str) -> None:
    """Load the same ids as public records, as a caller would who knows nothing of what is private."""
    stored = vault.store.records()
    tables = {
        name: {
            key: record.model_copy(update={"private": False, "dataset": dataset})
            for key, record in stored.table(name).items()
            if key.startswith("qqj/") and (dataset == DATASET or name not in ("decisions", "identities"))
        }
        for name in RECORD_TYPES
    }
    vault.store.load(Records.of(tables), author="t")


_SOURCE = f'[[sources]]\nid = "qqj/new"\ndataset = "{DATASET}"\npublisher = "{MARK}"\n'
_STRIKE = (
    '[[strikes]]\nid = "{id}"\ndataset = "{dataset}"\nprivate = false\nwhen = "2025-08-08"\nstatus = "reported"\n'
    f'title = "{MARK}"\nplace = "{MARK}"\nchecked = "read"\n'
    'sources = ["{source}"]\n'
)


def load_toml(vault: Vault, name: str, text: str, *options: str) -> Result:
    file = vault.toml(name, text)
    return vault.command("load", "curated", file, *options, "--why", MARK, "--basemap", vault.basemap)


def judge(vault: Vault, *words: str) -> int:
    return vault.command("judge", *words, "--why", MARK, "--who", "Ann", "--basemap", vault.basemap).exit_code


def refused_by_the_file(vault: Vault) -> int:
    """Run statements that would publish; give how many were refused."""
    statements = [
        "UPDATE strikes SET private = FALSE",
        f"UPDATE strikes SET private = FALSE, dataset = 'curated' WHERE dataset = '{DATASET}'",
        f"UPDATE strikes SET dataset = '{DATASET}' WHERE id = '{STRIKE}'",
        "UPDATE claims SET private = FALSE WHERE id = 'qqj/c2'",
        "UPDATE sources SET private = FALSE WHERE id = 'qqj/src'",
        "UPDATE decisions SET private = FALSE WHERE id = 'qqj/d2'",
        "DELETE FROM private_datasets",
    ]
    refused = 0
    for statement in statements:
        with pytest.raises(REFUSED):
            vault.by_another(statement)
        refused += 1
    return refused


#: Each way to write, with what it gives; they follow each other on one store.
WRITINGS: dict[str, tuple[Writing, object]] = {
    "put": (put, 200),
    "put with public sources": (lambda v: put(v, sources=[PUBLIC_SOURCE]), 200),
    "put as public": (lambda v: put(v, private=False), 422),
    "put as private": (lambda v: put(v, private=True), 200),
    "put into another dataset": (lambda v: put(v, dataset="curated"), 400),
    "patch": (lambda v: patch(v, {"title": f"{MARK} patched"}), 200),
    "patch private": (lambda v: patch(v, {"private": False}), 422),
    "patch private away": (lambda v: patch(v, {"private": None}), 200),
    "patch sources": (lambda v: patch(v, {"sources": [PUBLIC_SOURCE], "place_source": PUBLIC_SOURCE}), 200),
    "patch both": (lambda v: patch(v, {"properties": {"private": False, "sources": [PUBLIC_SOURCE]}}), 422),
    "patch dataset": (lambda v: patch(v, {"dataset": "review"}), 400),
    "delete": (lambda v: v.send("DELETE", ITEM), 409),
    "post, patch and delete a private strike": (add_and_publish, [201, 422, 200, 204]),
    "post of what is based on a private source": (add_citing_the_private_source_alone, 201),
    "cite a private source beside public ones": (cite, 200),
    "edit by FeatureServer": (lambda v: v.send("POST", "/rest/services/strikeatlas/FeatureServer/0/applyEdits"), 404),
    "decide on a private strike": (lambda v: decide(v, KEY, verdict="none"), 201),
    "decide that a public asset was hit": (lambda v: decide(v, KEY, verdict="confirmed", asset=ASSET), 201),
    "decide on a private asset": (lambda v: decide(v, STRIKE, verdict="confirmed", asset="qqj/depot"), 201),
    "judge private into public": (lambda v: judge(v, STRIKE, KEY, "same"), 0),
    "judge public into private": (lambda v: judge(v, KEY, STRIKE, "same"), 0),
    "judge them different": (lambda v: judge(v, KEY, STRIKE, "different"), 0),
    "judge them as before": (lambda v: judge(v, KEY, STRIKE, "undone"), 0),
    "judge entities": (lambda v: judge(v, "socar", "qqj/company", "same"), 0),
    "judge assets": (lambda v: judge(v, ASSET, "qqj/site", "same"), 0),
    "judge assets by HTTP": (lambda v: judge_by_http(v, "qqj/site", ASSET), 201),
    "write as public": (move, None),
    "append to the private dataset": (append, None),
    "load public over private": (lambda v: load_as_public(v, DATASET), None),
    "load under another dataset": (lambda v: load_as_public(v, "o"), None),
    "remove and add again": (remove_and_add_again, None),
    "load a file into the private dataset": (
        lambda v: load_toml(
            v, "into", _SOURCE + _STRIKE.format(id="qqj/4", dataset=DATASET, source="qqj/new"), "--append"
        ).exit_code,
        0,
    ),
    "load a file with the same id": (
        lambda v: load_toml(v, "same", _STRIKE.format(id="qqj/4", dataset="mine", source=PUBLIC_SOURCE)).exit_code, 1,
    ),
    "load a file that is based on a private source": (
        lambda v: load_toml(v, "rests", _STRIKE.format(id="mine/1", dataset="mine", source="qqj/src")).exit_code, 0,
    ),
    "other programs": (refused_by_the_file, 7),
    "match": (lambda v: v.command("match", KEY, "--basemap", v.basemap).exit_code, 1),
}  # fmt: skip


@pytest.mark.parametrize("writing", WRITINGS)
def test_nothing_that_is_written_publishes(vault: Vault, writing: str) -> None:
    write, outcome = WRITINGS[writing]
    assert write(vault) == outcome
    require_hidden(vault)


def test_every_route_is_among_the_doors(vault: Vault) -> None:
    """A new route is listed in `private_doors`, so that it is tried."""
    assert doors.paths(vault.app) == DOORS.keys() | doors.WRITES


def test_every_answer_is_as_without_the_private_dataset(vault: Vault) -> None:
    good = 0
    for path, address in doors.addresses():
        answer, alone = vault.client.get(address), vault.alone.get(address)
        assert answer.status_code == alone.status_code, address
        good += answer.status_code == 200
        if path in doors.OF_THE_PROCESS:
            assert doors.telling(answer.content) == [], address
        else:
            assert doors.steady(answer.content) == doors.steady(alone.content), address
            assert doors.validators(answer.headers) == doors.validators(alone.headers), address
        # An answer may name what it was asked for.
        if MARK not in address and KEY not in address:
            assert doors.telling(repr(answer.headers.raw).encode()) == [], address
    assert good > 180


def test_posted_queries_and_compressed_answers_are_as_without_it(vault: Vault) -> None:
    for number in range(4):
        form = {"where": "1=1", "f": "json", "outFields": "*"}
        path = f"/rest/services/strikeatlas/FeatureServer/{number}/query"
        assert vault.client.post(path, data=form).content == vault.alone.post(path, data=form).content
    for coding in ("gzip", "zstd", "br"):
        answer = vault.client.get("/collections/strikes/items?limit=10000", headers={"accept-encoding": coding})
        assert answer.headers["content-encoding"] == coding
        assert doors.telling(answer.content) == []


@pytest.mark.parametrize(("method", "address"), doors.NAMING)
@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer x"}, {"if-none-match": "*"}], ids=str)
def test_what_is_private_is_answered_as_what_never_was(
    vault: Vault, method: str, address: str, headers: dict[str, str]
) -> None:
    answers = []
    known = vault.client.get(f"/review/strikes/{KEY}", headers=vault.ann)
    assert known.status_code == 200
    for key in (KEY, UNKNOWN):
        body = {**feature(), "id": key, "strike": key, "verdict": "none", "why": "w", "seen": None} if method in (
            "POST", "PUT", "PATCH",
        ) else None  # fmt: skip
        sent = {**headers, "accept-encoding": "identity"}  # else the length would be that of the id too
        vault.app.state.wrong_tokens = WrongTokens()  # or the last of many would be slowed down
        answer = vault.client.request(method, address.replace("ID", key), json=body, headers=sent)
        content = doors.steady(answer.content).replace(key.encode(), b"ID")
        content = content.replace(quote(key, safe="").encode(), b"ID")
        told = {name: value.replace(key, "ID") for name, value in answer.headers.items() if name != "date"}
        told = {name: value.replace(quote(key, safe=""), "ID") for name, value in told.items()}
        answers.append((answer.status_code, content, told))
    assert answers[0] == answers[1]


def test_a_tag_that_a_reviewer_saw_opens_nothing(vault: Vault) -> None:
    tag = vault.client.put(ITEM, json=feature(title=MARK), headers={**vault.ann, "if-match": "*"}).headers["etag"]
    for headers in ({"if-none-match": tag}, {"if-match": tag}, {"if-none-match": "*"}):
        assert vault.client.get(ITEM, headers=headers).status_code == 404
        assert vault.client.head(ITEM, headers=headers).status_code == 404


def test_no_line_of_the_log_tells_of_it(vault: Vault, capfd: pytest.CaptureFixture[str]) -> None:
    app = create_app(vault.store, Settings(basemap=vault.basemap, follow_every_s=0), "json")
    with TestClient(app) as client:
        for address in ("/collections/strikes/items", "/countries", "/tiles/strikes/0/0/0.mvt", "/review/queue"):
            client.get(address)
    written = capfd.readouterr().err
    assert written.count("/review/queue") == 1
    assert doors.telling(written.encode()) == []


def test_nothing_is_kept_beside_a_store_with_private_records(vault: Vault) -> None:
    assert not vault.app.state.atlas.rebuild_cache()
    assert [path for path in vault.folder.rglob("*.cache/**/*") if path.is_file() and path.name != "lock"] == []


_NEAR = ("--size", "85", "--bbox", "30,46,32,48")
EXPORTS = (
    *(("geojson", layer) for layer in ("strikes", "assets", "attributions", "hits", "countries")),
    ("csv", "strikes"), ("csv", "attributions"), ("csv", "hits"),
    ("bods",), ("page",), ("map", "--size", "85", "--dpi", "50"),
    # The view of the first follows from the strikes; the others are of where the private ones are.
    ("map", "--format", "svg", *_NEAR), ("map", "--format", "pdf", "--table", *_NEAR),
    ("report", "--strike", STRIKE), ("gpkg",),
    *(("report", "--strike", STRIKE, "--format", form) for form in ("docx", "md")),
    *((form, layer) for form in ("xlsx", "parquet", "arrow") for layer in ("strikes", "hits")),
    ("geojsonseq", "strikes"), ("fgb", "strikes"), ("kml", "strikes"), ("kml", "assets"),
)  # fmt: skip


def _manifest_last(path: Path) -> tuple[bool, bool]:
    return path.name.endswith(".manifest.json"), not path.name.endswith("-metadata.json")


@pytest.mark.parametrize("kind", EXPORTS, ids=" ".join)
def test_every_export_is_as_without_it(vault: Vault, kind: tuple[str, ...], tmp_path: Path) -> None:
    written = []
    for number, path in enumerate((vault.store.name, vault.bundled_alone.name)):
        folder = tmp_path / str(number)
        folder.mkdir()
        arguments = ["export", *kind, "-o", str(folder / "out"), "--store", str(path), "--basemap", str(vault.basemap)]
        result = CliRunner().invoke(main.app, arguments)
        assert result.exit_code == 0, result.output
        # The metadata of CSV lie beside it.
        *beside, file, manifest = sorted(folder.iterdir(), key=_manifest_last)
        parts = [path.read_bytes() for path in (*beside, file, manifest)]
        written.append(parts)
        for part in parts:
            assert doors.telling(part) == []
    if kind[0] != "gpkg":
        assert written[0] == written[1]


@pytest.mark.parametrize(
    "command",
    [
        *(("list", table) for table in ("strikes", "assets", "attributions", "hits", "entities", "stakes", "sources")),
        ("show", STRIKE), ("country", "UA"), ("country", "AZ"), ("owners", ASSET), ("holdings", "socar"), ("match",),
    ],
    ids=" ".join,
)  # fmt: skip
def test_every_command_that_shows_is_as_without_it(vault: Vault, command: tuple[str, ...]) -> None:
    said = []
    for path in (vault.store.name, vault.bundled_alone.name):
        arguments = [*command, "--json", "--store", str(path), "--basemap", str(vault.basemap)]
        result = CliRunner().invoke(main.app, arguments)
        assert result.exit_code == 0, result.output
        said.append(result.stdout_bytes)
    assert doors.telling(said[0]) == []
    assert said[0] == said[1]


def test_what_an_operator_sees_of_it_is_marked(vault: Vault) -> None:
    """Duplicates and judgements are shown to whoever has the file: each pair with a private record says so."""
    pairs = orjson.loads(vault.command("duplicates", "--from", "0", "--json").stdout_bytes)
    for pair in pairs:
        for one in (pair["one"], pair["other"]):
            assert one["private"] == (one["dataset"] == DATASET or one["id"].startswith("qqj/")), one["id"]
    rows = orjson.loads(vault.command("judgements", "--json").stdout_bytes)
    assert all(row["private"] for row in rows if "qqj/" in row["one"] + row["other"])


def test_a_server_that_starts_anew_shows_none_of_it(vault: Vault) -> None:
    with TestClient(create_app(vault.store, Settings(basemap=vault.basemap, follow_every_s=0))) as client:
        for address in ("/collections/strikes/items?limit=10000", "/tiles/strikes/0/0/0.mvt", "/countries"):
            told, expected = client.get(address), vault.alone.get(address)
            assert doors.steady(told.content) == doors.steady(expected.content)
        assert client.get(ITEM).status_code == 404
