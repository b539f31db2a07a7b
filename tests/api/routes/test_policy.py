"""By no door does a server tell what its policy withholds: neither ids and titles, nor places, nor fields."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from fastapi import FastAPI
from shapely.geometry import Point
from starlette.testclient import TestClient

from api.app import create_app
from api.cli.load import create_store
from api.cli.main import EXIT_CODES
from api.exports.text import page_text
from api.python.sources import of_store
from api.requests import reviewer_tokens
from api.settings import PolicyDiffers, Settings
from api.wording.catalogue import phrase, text
from layers.corrections.replay import records_at
from layers.disclosure.policy import OPEN, parse
from layers.model.records import Claim, Records, Source, Strike
from layers.reference.basemap import Basemap
from layers.snapshot.derived_layers import full_rewrite
from layers.snapshot.disclosure import policy_of
from layers.store.backends import open_store
from layers.store.backup import restore
from layers.store.store import ANY, Edit, Store
from tests.api.tile_reading import drawn
from tests.conftest import BASEMAP
from tests.store_kinds import NewStore, geopackage_only, set_policy
from tests.tile_at import tile_at

HELD, COARSE, EMPTY = "xx-held-marker", "xx-coarse-marker", "xx-empty"
PLACE = Point(33.7733217, 49.4421339)
POLICY = """
contact = "corrections@example.org"
[[embargo]]
hours = 1000
countries = ["GE"]
[[rounding]]
table = "strikes"
decimals = 1
countries = ["UA"]
[[rounding]]
table = "assets"
metres = 15000
kinds = ["oil-depot"]
[[withhold]]
table = "strikes"
fields = ["damage"]
countries = ["UA"]
"""
#: Digits of the exact place, also without the last ones, as a tile or a picture of features may have them.
TELLING = re.compile(r"33\.77[0-9]|49\.44[0-9]|withheldmarker|xx-held|heldmarker")


class Guarded(NamedTuple):
    client: TestClient
    app: FastAPI
    store: Store
    token: dict[str, str]


def strike(key: str, **values: Any) -> Strike:
    stated = {
        "title": f"Strike {key}",
        "when": "2026-03-01",
        "place": "Somewhere",
        "geometry": PLACE,
        "uncertainty_m": 50.0,
        "basis": "site",
        "place_source": "24tv-pmi",
        "status": "reported",
        "sources": ("24tv-pmi",),
        "checked": "read",
    }
    return Strike(id=key, **{**stated, **values})


def guarded_records(records: Records) -> Records:
    today = datetime.now(UTC).date().isoformat()
    source = Source(id="heldmarker-source", publisher="heldmarker", title="heldmarker")
    held = strike(HELD, when=today, host_country="GE", title="heldmarker", sources=("24tv-pmi", source.id))
    coarse = strike(COARSE, host_country="UA", damage="withheldmarker")
    empty = strike(EMPTY, host_country="UA")
    claims = [
        Claim(id="claim-held", record=HELD, field="place", value="heldmarker", source=source.id, checked="read"),
        Claim(id="claim-xy", record=COARSE, field="geometry", value=PLACE.wkt, source="24tv-pmi", checked="read"),
        Claim(id="claim-d", record=COARSE, field="damage", value="withheldmarker", source="24tv-pmi", checked="read"),
    ]
    return dataclasses.replace(
        records,
        sources={**records.sources, source.id: source},
        strikes={**records.strikes, HELD: held, COARSE: coarse, EMPTY: empty},
        claims={**records.claims, **{claim.id: claim for claim in claims}},
    )


@pytest.fixture(scope="module")
def guarded(
    few_records: Records, base: Basemap, tmp_path_factory: pytest.TempPathFactory, new_shared_store: NewStore
) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("guarded")
    store = new_shared_store()
    store.load(guarded_records(few_records), author="secret author", derive=full_rewrite(base, text))
    edited = (
        guarded_records(few_records)
        .strikes[COARSE]
        .model_copy(
            update={"geometry": Point(33.7744217, 49.4433339), "title": "Moved", "damage": "withheldmarker twice"}
        )
    )
    store.write(Edit("strikes", COARSE, edited, ANY), author="secret author")
    token = reviewer_tokens.add_reviewer(folder / "reviewers.json", "Ann")
    set_policy(store, parse(POLICY))
    settings = Settings(basemap=BASEMAP, reviewers=folder / "reviewers.json", follow_every_s=0, limit_max=10_000)
    app = create_app(store, settings)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield Guarded(client, app, store, {"Authorization": f"Bearer {token}"})


#: What is said of a circle, of places and of what is withheld, in each language.
ROUNDED = {
    "en": ("Place rounded to the circle by the publisher", "rounds positions, to a grid of 0.1°, 15 km",
           "**Damage:** withheld by the publisher"),
    "de": ("Ort vom Herausgeber auf den Kreis gerundet", "rundet Orte, auf ein Gitter von 0,1°, 15 km",
           "**Schaden:** vom Herausgeber zurückgehalten"),
    "uk": ("Місце округлено видавцем до кола", "округлює місця до сітки 0,1°, 15 км",
           "**Пошкодження:** не оприлюднено видавцем"),
}  # fmt: skip
DOORS = (
    "/",
    "/about",
    "/policy",
    "/policy?f=html",
    "/collections",
    "/collections/strikes",
    "/collections/strikes/items?limit=10000",
    "/collections/strikes/items?limit=10000&f=html",
    "/collections/strikes/items?limit=10000&f=csv",
    "/collections/strikes/items?limit=10000&f=jsonfg",
    "/collections/attributions/items?limit=10000",
    "/collections/hits/items?limit=10000",
    "/collections/assets/items?limit=10000",
    f"/collections/strikes/items/{COARSE}",
    f"/collections/strikes/items/{COARSE}?f=html",
    f"/strikes/{COARSE}/attribution",
    f"/strikes/{COARSE}/attribution?f=html",
    f"/records/strikes/{COARSE}",
    "/countries",
    "/countries/UA",
    "/countries/GE",
    "/corrections?limit=1000",
    "/corrections?limit=1000&f=html",
    "/corrections?limit=1000&f=atom",
    f"/corrections?strike={COARSE}",
    f"/corrections?record={HELD}",
    f"/corrections?record={COARSE}",
    "/corrections?record=claim-xy",
    "/corrections?record=claim-d",
    "/corrections?country=GE",
    "/rest/services/strikeatlas/FeatureServer/0/query?where=1%3D1&outFields=*&outSR=4326&f=json",
    "/rest/services/strikeatlas/FeatureServer/0/query?where=1%3D1&outFields=*&outSR=4326&f=geojson",
    "/rest/services/strikeatlas/FeatureServer/4/query?where=1%3D1&outFields=*&outSR=4326&f=json",
)


@pytest.mark.parametrize("door", DOORS)
def test_no_door_tells_what_is_withheld(guarded: Guarded, door: str) -> None:
    answer = guarded.client.get(door)
    assert answer.status_code == 200, answer.text[:300]
    told = TELLING.findall(answer.text.replace(f"record={HELD}", ""))
    assert not told, (door, told[:3])
    assert "secret author" not in answer.text


@pytest.mark.parametrize(
    "door", [f"/collections/strikes/items/{HELD}", f"/strikes/{HELD}/attribution", f"/records/strikes/{HELD}",
             f"/corrections?strike={HELD}", "/records/claims/claim-held", "/records/sources/heldmarker-source",
             "/records/claims/claim-xy"]
)  # fmt: skip
def test_what_is_withheld_is_not_there(guarded: Guarded, door: str) -> None:
    assert guarded.client.get(door).status_code == 404


def test_the_exact_place_is_found_by_no_box_filter_or_order(guarded: Guarded) -> None:
    def ids(query: str) -> list[str]:
        page = guarded.client.get(f"/collections/strikes/items?limit=10000&{query}").json()
        return [feature["id"] for feature in page["features"]]

    assert COARSE in ids("bbox=33.79,49.39,33.81,49.41")
    assert COARSE not in ids("bbox=33.76,49.43,33.79,49.46")
    assert COARSE not in ids("filter=S_INTERSECTS(geometry,BBOX(33.76,49.43,33.79,49.46))")
    assert HELD not in ids("") + ids("sortby=-when")
    count = guarded.client.get("/collections/strikes/items?limit=1&host_country=GE").json()["numberMatched"]
    assert count == sum(
        one.host_country == "GE" for one in guarded.app.state.atlas.view.snapshot.records.strikes.values()
    )


@pytest.mark.parametrize("zoom", [0, 5, 10, 14])
def test_tiles_show_the_rounded_place_alone(guarded: Guarded, zoom: int) -> None:
    exact, rounded = tile_at(33.7744217, 49.4433339, zoom), tile_at(33.8, 49.4, zoom)
    assert COARSE in drawn(guarded.client, "strikes", rounded)
    assert HELD not in drawn(guarded.client, "strikes", exact)
    if exact != rounded:
        assert COARSE not in drawn(guarded.client, "strikes", exact)


def test_candidates_are_as_far_from_the_published_places(guarded: Guarded) -> None:
    """Distances follow from rounded places on both sides, so that no exact place can be worked out from them."""
    snapshot = guarded.app.state.atlas.view.snapshot
    answer = guarded.client.get(f"/strikes/{COARSE}/attribution").json()
    assert answer["strike"]["basis"] == "rounded"
    assert answer["strike"]["geometry"]["coordinates"] == [33.8, 49.4]
    for candidate in answer["candidates"]:
        asset = snapshot.records.assets[candidate["asset"]]
        if asset.kind == "oil-depot":
            assert asset.basis == "rounded"


def test_what_is_withheld_is_said(guarded: Guarded) -> None:
    landing = guarded.client.get("/").json()
    assert landing["withheld"]["embargo"]["strikes"] == 1
    assert landing["withheld"]["embargo"]["sources"] == 1
    assert landing["withheld"]["fields"]["claims"] >= 2
    collection = guarded.client.get("/collections/strikes").json()
    assert collection["withheld"]["embargo"] == 1
    policy = guarded.client.get("/policy").json()
    assert policy["contact"] == "corrections@example.org"
    assert policy["embargo"] == [{"hours": 1000.0, "kinds": [], "countries": ["GE"]}]
    assert policy["withheld"] == landing["withheld"]
    for path in ("/about", "/tiles/strikes.json", "/rest/services/strikeatlas/FeatureServer?f=json"):
        assert "Withheld for a time" in guarded.client.get(path).text, path
    feature = guarded.client.get(f"/collections/strikes/items/{COARSE}").json()
    assert feature["properties"]["withheld"] == ["damage", "geometry"]


#: What a page says of a rounded place and of damage that is withheld, and what it must not say of them.
PAGES = {
    "en": (("(rounded by the publisher, ±", "What the publisher withholds", "Damage."), "no source says"),
    "de": (("(vom Herausgeber gerundet, ±", "Was der Herausgeber zurückhält", "Schaden."), "keine Quelle sagt es"),
    "uk": (("(округлено видавцем, ±", "Що видавець не оприлюднює", "Пошкодження."), "жодне джерело не каже"),
}


@pytest.mark.parametrize("language", PAGES)
def test_a_page_says_that_fields_are_withheld_and_never_that_they_are_not_known(
    guarded: Guarded, language: str
) -> None:
    """Of a strike that states no damage the page says the same: it does not tell whether there is anything."""
    withheld, untrue = PAGES[language]
    value = page_text("withheldValue", language)
    for key in (COARSE, EMPTY):
        page = guarded.client.get(f"/collections/strikes/items/{key}?f=html&lang={language}").text
        assert [text for text in withheld if text not in page] == []
        assert untrue not in page
        column = page.partition(">damage<")[2].partition("</div>")[0]
        assert f'<dd class="quiet">{value}</dd>' in column
        for address in (f"/records/strikes/{key}", f"/strikes/{key}/attribution"):
            answer = guarded.client.get(f"{address}?f=html&lang={language}").text
            assert re.search(rf"<bdi>damage</bdi></dt><dd>\s*<bdi>{value}</bdi>", answer)
    table = guarded.client.get(f"/collections/strikes/items?id={EMPTY}&f=html&lang={language}").text
    assert f">{value}</td>" in table


def test_a_place_that_is_withheld_is_said_to_be_by_every_page_and_export(
    guarded: Guarded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from typer.testing import CliRunner

    from api.cli.main import app

    monkeypatch.chdir(tmp_path)
    key, site = "ua-orlivka-2025-08-06", "a-orlivka"
    withheld = """[[withhold]]\ntable = "strikes"\nfields = ["geometry", "killed_max", "note"]
    [[withhold]]\ntable = "assets"\nfields = ["geometry", "capacity", "names"]"""
    set_policy(guarded.store, parse(withheld))
    try:
        guarded.app.state.atlas.refresh()
        for path, texts in (
            (f"/collections/strikes/items/{key}", ("(place withheld by the publisher)", "Position, Killed, Note.")),
            (f"/collections/assets/items/{site}", ("Names in other languages, Position, Capacity.", "withheld by the")),
        ):
            page = guarded.client.get(f"{path}?f=html").text
            assert [text for text in texts if text not in page] == []
            assert [
                one for one in ("no source gives a place", "no place known", "No place is known") if one in page
            ] == []
        where = ["--store", guarded.store.name, "--basemap", str(BASEMAP)]
        report = ["export", "report", "--format", "md", "--strike", key, "-o", "r.md", *where]
        assert CliRunner().invoke(app, report).exit_code == 0
        dossier = (tmp_path / "r.md").read_text()
        assert "**Coordinates:** place withheld by the publisher" in dossier
        assert "**Withheld or made coarser:** Position, Killed, Note" in dossier
        assert "Capacity: withheld by the publisher." in dossier
        assert "The publisher withholds that of 1." in dossier
        assert "is known" not in dossier.partition("## ")[0]
        hit = guarded.client.get("/countries/UA/capacity").json()["owner"]["hit"]
        assert [(row["unit"], row["withheld"] == row["sites"]) for row in hit] == [(None, True)]
        for command in ("capacity", "country"):
            told = CliRunner().invoke(app, [command, "UA", *where]).stdout
            assert "withheld" in told
        shown = CliRunner().invoke(app, ["show", key, *where]).stdout
        assert "place withheld" in shown
        assert "place known" not in shown
    finally:
        set_policy(guarded.store, parse(POLICY))
        guarded.app.state.atlas.refresh()


def test_a_name_of_a_version_cannot_be_tried_out(guarded: Guarded) -> None:
    """The ETag of a strike follows from what is published, so that nobody can try exact places until it fits."""
    view = guarded.app.state.atlas.view
    published = view.snapshot.records.strikes[COARSE]
    stored = view.stored.strikes[COARSE]
    moved = stored.model_copy(update={"geometry": Point(33.8, 49.4001)})
    assert published != stored != moved
    tag = guarded.client.get(f"/collections/strikes/items/{COARSE}").headers["etag"]
    assert tag.strip('"').startswith(view.version_of_strike(COARSE))
    written = guarded.client.put(
        f"/collections/strikes/items/{COARSE}",
        json={"type": "Feature", "geometry": None, "properties": {}},
        headers={**guarded.token, "If-Match": tag},
    )
    assert written.status_code == 412, "who saw the rounded record cannot write it over the exact one"


def test_reviewers_see_all(guarded: Guarded) -> None:
    case = guarded.client.get(f"/review/strikes/{COARSE}", headers=guarded.token)
    assert case.status_code == 200
    assert "33.774" in case.text
    assert "withheldmarker" in case.text
    assert guarded.client.get(f"/review/strikes/{HELD}", headers=guarded.token).status_code == 200
    given = {"properties": {"note": "seen"}}
    headers = {
        **guarded.token,
        "If-Match": f'"{case.json()["version"]}"',
        "Content-Type": "application/merge-patch+json",
    }
    changed = guarded.client.patch(f"/collections/strikes/items/{COARSE}", content=json.dumps(given), headers=headers)
    assert changed.status_code == 200, changed.text
    assert guarded.store.records().strikes[COARSE].geometry != PLACE


def test_the_command_line_and_its_exports_follow_the_policy(
    guarded: Guarded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from typer.testing import CliRunner

    from api.cli.main import app

    monkeypatch.chdir(tmp_path)  # where no file states a policy
    where = ["--store", guarded.store.name, "--basemap", str(BASEMAP)]
    for command in (
        ["export", "geojson", "strikes"],
        ["export", "csv", "attributions"],
        ["export", "csv", "hits"],
        ["export", "csv", "strikes"],
    ):
        out = tmp_path / "out"
        assert CliRunner().invoke(app, [*command, "-o", str(out), *where]).exit_code == 0
        assert not TELLING.search(out.read_text())
    for language, (circle, note, missing) in ROUNDED.items():
        stated = ["--lang", language, *where]
        drawn_map = CliRunner().invoke(
            app, ["export", "map", "--format", "svg", "-o", str(tmp_path / "n.svg"), *stated]
        )
        assert drawn_map.exit_code == 0
        said = re.sub(r"<[^>]*>|\s+", " ", (tmp_path / "n.svg").read_text())
        report = ["export", "report", "--format", "md", "--strike", COARSE, "-o", str(tmp_path / "n.md")]
        assert CliRunner().invoke(app, [*report, *stated]).exit_code == 0
        dossier = " ".join((tmp_path / "n.md").read_text().split())
        untrue = [phrase(code, language) for code in ("print.note.places", "print.key.circle", "dossier.method-places")]
        for text_of_file in (said, dossier):
            assert note in text_of_file
            assert circle in text_of_file
            assert [one for one in untrue if one in text_of_file] == []
        assert phrase("dossier.method-places-rounded", language, grid="\0").split("\0")[0] in dossier
        assert missing in dossier
    for command, out in (
        (["export", "page"], tmp_path / "page.html"),
        (["export", "map", "--format", "svg"], tmp_path / "m.svg"),
    ):
        drawn_file = CliRunner().invoke(app, [*command, "-o", str(out), *where])
        assert drawn_file.exit_code == 0
        told = re.sub(r"<[^>]*>|\s+", " ", out.read_text())
        assert not re.search("heldmarker|withheldmarker", told)
        assert re.search(r"Coordinates\s+made\s+coarser", told), "a printed note says what is withheld"
    shown = CliRunner().invoke(app, ["corrections", "--json", *where])
    assert shown.exit_code == 0
    assert not TELLING.search(shown.stdout)
    assert "Moved" in shown.stdout


def test_python_opens_a_store_by_its_policy(guarded: Guarded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = of_store(guarded.store.name, BASEMAP).snapshot.records
    assert HELD not in found.strikes
    assert found.strikes[COARSE].geometry == Point(33.8, 49.4)


def test_a_file_that_states_another_policy_is_refused_at_every_door(
    guarded: Guarded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from typer.testing import CliRunner

    from api.cli.main import app

    weaker = tmp_path / "weaker.toml"
    weaker.write_text('contact = "nobody@example.org"\n')
    (tmp_path / "data").mkdir()
    where = ["--store", guarded.store.name, "--basemap", str(BASEMAP)]
    doors = (
        ["export", "csv", "strikes", "-o", str(tmp_path / "out")],
        ["show", COARSE],
        ["list", "strikes"],
        ["publish", str(tmp_path / "site"), "--base-url", "https://atlas.example.org"],
        ["serve", "--port", "0"],
        ["cache"],
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STRIKEATLAS_POLICY", str(weaker))
    for door in doors:
        refused = CliRunner().invoke(app, [*door, *where])
        assert isinstance(refused.exception, PolicyDiffers), (door, refused.output)
        assert EXIT_CODES[PolicyDiffers] == 2
        assert "strikeatlas policy set" in str(refused.exception)
    monkeypatch.delenv("STRIKEATLAS_POLICY")
    (tmp_path / "data" / "policy.toml").write_text(weaker.read_text())
    with pytest.raises(PolicyDiffers):
        of_store(guarded.store.name, BASEMAP)
    with pytest.raises(PolicyDiffers):
        create_app(guarded.store, Settings(basemap=BASEMAP))
    (tmp_path / "data" / "policy.toml").write_text(POLICY)
    assert HELD not in of_store(guarded.store.name, BASEMAP).snapshot.records.strikes


def test_a_new_store_takes_the_policy_that_is_stated_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "policy.toml").write_text(POLICY)
    create_store("made.gpkg", BASEMAP, "tests", empty=True)
    with closing(open_store("made.gpkg")) as made:
        assert policy_of(made) == parse(POLICY)


def test_the_policy_is_a_row_of_history_that_a_running_server_follows(
    few_records: Records, base: Basemap, new_store: NewStore
) -> None:
    store = new_store()
    store.load(guarded_records(few_records), author="tests", derive=full_rewrite(base, text))
    app = create_app(store, Settings(basemap=BASEMAP, follow_every_s=0))
    with TestClient(app) as client:
        item = f"/collections/strikes/items/{COARSE}"
        exact = client.get(item)
        assert exact.json()["geometry"]["coordinates"] == [PLACE.x, PLACE.y]
        before = store.seq()
        set_policy(store, parse(POLICY))
        assert store.seq() == before + 1
        app.state.atlas.look()
        rounded = client.get(item)
        assert rounded.json()["geometry"]["coordinates"] == [33.8, 49.4]
        assert rounded.headers["etag"] != exact.headers["etag"]
        assert client.get(f"/collections/strikes/items/{HELD}").status_code == 404
        assert client.get("/policy").json()["embargo"]
        for log in ("/corrections", "/corrections?kind=correction", "/corrections?kind=reload"):
            assert client.get(log).status_code == 200
        set_policy(store, parse(POLICY))
        assert store.seq() == before + 1, "the same policy again is no change"
        set_policy(store, OPEN)
        app.state.atlas.look()
        assert client.get(item).json()["geometry"]["coordinates"] == [PLACE.x, PLACE.y]
    assert store.verify(full_rewrite(base, text)) == ()
    assert policy_of(store, before + 1) == parse(POLICY)
    assert records_at(store, before + 1).strikes.keys() == store.records().strikes.keys()


@geopackage_only
def test_a_restored_and_a_copied_store_have_the_policy_of_now(
    guarded: Guarded, base: Basemap, tmp_path: Path, new_store: NewStore
) -> None:
    store = new_store()
    derive = full_rewrite(base, text)
    store.load(Records.of({}), author="tests")
    store.write(Edit("sources", "s", Source(id="s", publisher="p"), None), author="tests")
    before = store.seq()
    set_policy(store, parse(POLICY))
    restored = restore(store, tmp_path / "restored.gpkg", derive, to=before)
    with closing(open_store(restored.path)) as older, closing(Store.create(tmp_path / "copy.gpkg")) as copy:
        assert policy_of(older) == parse(POLICY)
        copy.copy_from(store, derive)
        assert policy_of(copy) == parse(POLICY)
        assert copy.head() == store.head()


def test_a_policy_that_is_named_must_be_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from api.settings import stated_policy

    monkeypatch.setenv("STRIKEATLAS_POLICY", str(tmp_path / "none.toml"))
    with pytest.raises(FileNotFoundError):
        stated_policy()
