"""The base map from an archive: its tiles, their description, and what is said of an archive that cannot be read."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import mapbox_vector_tile
import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import Settings
from layers.reference.basemap_archive import UnreadableArchive
from layers.store.store import Store
from tests.command_runner import Run, shell
from tests.conftest import BASEMAP
from tests.tools.basemap.made_sources import protomaps_archive

TILE = "/tiles/basemap/4/9/5.mvt"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return protomaps_archive(tmp_path_factory.mktemp("archive") / "streets.pmtiles")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    return shell(capsys, monkeypatch)


@pytest.fixture(scope="module")
def streets(store: Store, file: Path) -> Iterator[TestClient]:
    app = create_app(store, Settings(basemap=BASEMAP, basemap_archive=file, follow_every_s=0))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def test_a_tile_is_that_of_the_archive(streets: TestClient) -> None:
    answer = streets.get(TILE)
    assert answer.headers["content-type"] == "application/vnd.mapbox-vector-tile"
    layers = mapbox_vector_tile.decode(answer.content)
    assert layers.keys() == {"earth", "water", "roads", "places"}
    assert layers["places"]["features"][0]["properties"]["name:en"] == "Town of streets"


def test_a_tile_is_the_same_zipped_and_plain_and_has_a_tag_for_each(streets: TestClient) -> None:
    plain = streets.get(TILE, headers={"accept-encoding": "identity"})
    with streets.stream("GET", TILE, headers={"accept-encoding": "gzip"}) as zipped:
        assert zipped.headers["content-encoding"] == "gzip"
        assert gzip.decompress(b"".join(zipped.iter_raw())) == plain.content
    assert "content-encoding" not in plain.headers
    assert plain.headers["etag"] != zipped.headers["etag"]
    for tag in (plain.headers["etag"], zipped.headers["etag"]):
        assert streets.get(TILE, headers={"if-none-match": tag}).status_code == 304


def test_a_tile_that_the_archive_lacks_is_404(streets: TestClient) -> None:
    for address in ("4/0/0", "9/300/170"):
        answer = streets.get(f"/tiles/basemap/{address}.mvt")
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_tilejson_is_what_the_archive_says_of_itself(streets: TestClient) -> None:
    described = streets.get("/tiles/basemap.json").json()
    assert (described["minzoom"], described["maxzoom"], described["bounds"]) == (0, 4, [30, 40, 50, 60])
    assert [one["id"] for one in described["vector_layers"]] == ["earth", "water", "roads", "places"]
    assert "A map of streets" in described["attribution"]


def test_tilejson_lists_the_boxes_that_have_tiles(streets: TestClient) -> None:
    described = streets.get("/tiles/basemap.json").json()
    assert described["sparse"] is True
    for zoom, (left, top, right, bottom) in described["tile_boxes"].items():
        for x, y in ((left, top), (right, bottom)):
            assert streets.get(f"/tiles/basemap/{zoom}/{x}/{y}.mvt").status_code == 200
        for x, y in ((left - 1, top), (right + 1, bottom), (left, top - 1), (right, bottom + 1)):
            if 0 <= x < 1 << int(zoom) and 0 <= y < 1 << int(zoom):
                assert streets.get(f"/tiles/basemap/{zoom}/{x}/{y}.mvt").status_code == 404
    assert set(described["tile_boxes"]) == {"0", "1", "2", "3", "4"}


def test_a_style_draws_only_layers_that_are_there(streets: TestClient) -> None:
    style = streets.get("/style.json").json()
    assert "basemap" not in style["sources"]
    assert {layer.get("source") for layer in style["layers"]} <= {"strikes", "assets"}


def test_another_archive_is_another_version(store: Store, streets: TestClient, tmp_path: Path) -> None:
    other = tmp_path / "other.pmtiles"
    other.write_bytes(protomaps_archive(tmp_path / "streets.pmtiles").read_bytes() + b" ")
    with TestClient(create_app(store, Settings(basemap=BASEMAP, basemap_archive=other, follow_every_s=0))) as client:
        assert client.get(TILE).headers["etag"] != streets.get(TILE).headers["etag"]


def test_pictures_are_drawn_as_ever(streets: TestClient) -> None:
    answer = streets.get("/tiles/basemap/2/2/1.png")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")


def test_without_an_archive_the_map_has_countries_and_places(store: Store, tmp_path: Path) -> None:
    alone = tmp_path / "basemap.gpkg"
    alone.symlink_to(BASEMAP)
    with TestClient(create_app(store, Settings(basemap=alone, follow_every_s=0))) as client:
        names = [one["id"] for one in client.get("/tiles/basemap.json").json()["vector_layers"]]
        assert names == ["country", "boundary", "country_label", "place"]
        assert mapbox_vector_tile.decode(client.get(TILE).content).keys() == set(names)


def test_a_damaged_archive_is_named_before_anything_is_served(store: Store, tmp_path: Path, run: Run) -> None:
    broken = tmp_path / "broken.pmtiles"
    broken.write_bytes(b"PMTiles" + bytes(200))
    for given, workers in ((broken, 1), (tmp_path / "none.pmtiles", 1), (broken, 2)):
        with pytest.raises(UnreadableArchive):
            create_app(store, Settings(basemap=BASEMAP, basemap_archive=given, follow_every_s=0))
        place = ["--store", store.name, "--basemap", str(BASEMAP), "--basemap-tiles", str(given)]
        said = run("serve", "--port", "0", "--workers", str(workers), *place)
        assert (said.code, given.name in said.err) == (4, True)
