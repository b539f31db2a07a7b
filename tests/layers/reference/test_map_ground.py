"""The ground of printed maps: of the archive where it shows the window, else of the countries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import shapely

from layers.reference.basemap_archive import BasemapArchive
from layers.reference.map_ground import MapGround, read_ground, river_names, sea_names, zoom_of
from tests.tools.basemap import made_sources as made


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> BasemapArchive:
    return BasemapArchive(made.detailed_archive(tmp_path_factory.mktemp("archive")))


def ground(archive: BasemapArchive | None, window: tuple[float, float, float, float], scale: float) -> MapGround:
    return read_ground(made.countries(), archive, window, scale, "en")


@pytest.mark.parametrize("scale", [500.0, 5_000.0, 200_000.0])
def test_the_sea_is_whole_whatever_tiles_it_was_cut_by(archive: BasemapArchive, scale: float) -> None:
    drawn = ground(archive, (-60.0, -20.0, 60.0, 20.0), scale)
    assert drawn.origin == "archive"
    sea = shapely.union_all(drawn.sea)
    assert sea.is_valid
    assert sea.contains(shapely.box(-58, -18, -40, 18))
    # No edge of a tile is left between two tiles.
    assert len(shapely.get_parts(sea.intersection(shapely.box(-58, -18, -40, 18)))) == 1


def test_a_window_over_the_antimeridian_is_continuous(archive: BasemapArchive) -> None:
    for known in (archive, None):
        drawn = ground(known, (170.0, -25.0, 190.0, -5.0), 20_000.0)
        sea = shapely.union_all(drawn.sea)
        assert sea.bounds[0] < 172
        assert sea.bounds[2] > 188
        land = shapely.box(*sea.bounds).difference(sea)
        assert land.contains(shapely.Point(179.5, -15)) == land.contains(shapely.Point(180.5, -15))


def test_without_an_archive_of_ours_the_countries_are_the_ground(tmp_path: Path) -> None:
    other = BasemapArchive(made.protomaps_archive(tmp_path / "other.pmtiles"))
    for known in (None, other):
        drawn = ground(known, (0.0, 40.0, 30.0, 55.0), 5_000.0)
        assert drawn.origin == "countries"
        assert not len(drawn.rivers)
        assert not len(drawn.lakes)


def test_finer_paper_reads_finer_tiles() -> None:
    window = (28.0, 45.0, 33.0, 48.0)
    zooms = [zoom_of(window, scale) for scale in (100_000.0, 10_000.0, 1_000.0)]
    assert zooms == sorted(set(zooms))


@pytest.mark.parametrize("language", ["en", "uk", "de"])
def test_waters_have_names_and_lie_in_the_world(language: Any) -> None:
    for sea in sea_names(language):
        assert sea.name.strip() == sea.name != ""
        west, south, east, north = sea.box
        assert -180 <= west < east <= 180
        assert -90 <= south < north <= 90
    for river in river_names(language):
        assert -180 <= river.lon <= 180
        assert -90 <= river.lat <= 90
    assert len({sea.name for sea in sea_names(language)}) == len({sea.name for sea in sea_names("en")})
