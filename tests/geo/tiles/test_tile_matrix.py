"""Tile arithmetic."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import GeometryError
from geo.tiles.tile_matrix import MAX_LAT, MAX_ZOOM, Tile, bounds, covering, lonlat, world
from tests.tile_at import tile_at

LON, LAT = st.floats(-180, 180), st.floats(-90, 90)


@st.composite
def tiles(draw: st.DrawFn, zoom: st.SearchStrategy[int] | None = None) -> Tile:
    z = draw(st.integers(0, MAX_ZOOM) if zoom is None else zoom)
    index = st.integers(0, (1 << z) - 1)
    return Tile(z, draw(index), draw(index))


@pytest.mark.parametrize("address", [(-1, 0, 0), (25, 0, 0), (0, 1, 0), (3, 0, 8), (3, -1, 0)])
def test_addresses_that_do_not_exist_are_refused(address: tuple[int, int, int]) -> None:
    with pytest.raises(GeometryError, match="expected"):
        Tile(*address)


def test_a_known_tile() -> None:
    assert tile_at(28.44, 45.317, 10) == Tile(10, 592, 367)
    assert bounds(Tile(0, 0, 0)) == pytest.approx((-180, -85.0511287798, 180, 85.0511287798))


@given(tiles())
def test_the_middle_of_a_tile_is_in_it(tile: Tile) -> None:
    west, south, east, north = bounds(tile)
    assert tile_at((west + east) / 2, (south + north) / 2, tile.z) == tile


@given(tiles())
def test_a_tile_is_covered_by_itself(tile: Tile) -> None:
    assert covering(bounds(tile), tile.z) == [tile]


@given(tiles(st.integers(0, 20)))
def test_a_tile_is_covered_by_its_four_children(tile: Tile) -> None:
    x, y = 2 * tile.x, 2 * tile.y
    children = [Tile(tile.z + 1, x + i, y + j) for j in (0, 1) for i in (0, 1)]
    assert covering(bounds(tile), tile.z + 1) == children


@given(LON, LAT, st.integers(0, MAX_ZOOM))
def test_every_place_is_in_the_tile_it_is_said_to_be_in(lon: float, lat: float, z: int) -> None:
    west, south, east, north = bounds(tile_at(lon, lat, z))
    assert west - 1e-9 <= lon <= east + 1e-9
    assert south - 1e-9 <= min(max(lat, -MAX_LAT), MAX_LAT) <= north + 1e-9


@given(LON, LAT, st.integers(0, 22))
def test_a_place_without_extent_has_its_tile(lon: float, lat: float, z: int) -> None:
    (only,) = covering((lon, lat, lon, lat), z)
    (x, y), at = world(np.array([[lon, lat]]))[0] * (1 << z), tile_at(lon, lat, z)
    assert only == at or min(abs(x - round(x)), abs(y - round(y))) < 1e-5


@given(LON, st.floats(-85, 85))
def test_world_and_back(lon: float, lat: float) -> None:
    assert lonlat(world(np.array([[lon, lat]])))[0] == pytest.approx([lon, lat], abs=1e-9)


def test_a_box_over_180_takes_both_rims() -> None:
    assert covering((170, -10, -170, 10), 2) == [Tile(2, 0, 1), Tile(2, 3, 1), Tile(2, 0, 2), Tile(2, 3, 2)]


@pytest.mark.parametrize("bbox", [(0, 10, 10, 0), (math.nan, 0, 1, 1), (0, 0, math.inf, 1)])
def test_boxes_that_are_none_are_refused(bbox: tuple[float, float, float, float]) -> None:
    with pytest.raises(GeometryError, match="expected west"):
        covering(bbox, 3)


def test_the_rims_of_the_world_are_in_the_outermost_tiles() -> None:
    assert tile_at(180, 90, 5) == Tile(5, 31, 0)
    assert tile_at(-180, -90, 5) == Tile(5, 0, 31)
