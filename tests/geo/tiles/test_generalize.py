"""What is left out at low zooms."""

import numpy as np
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.tiles.generalize import (
    CODE_BITS,
    POINT_CELL_BITS,
    morton,
    simplified,
    thin_by_grid,
    thin_crowded_tiles,
)

GRID = st.integers(0, 2**CODE_BITS - 1)
#: Points that share cells at many zooms.
GRID_POINTS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(0, 31)), min_size=1, max_size=60)


def codes_of(crowd: list[tuple[int, int, int]]) -> np.ndarray:
    x, y = (np.array([point[k] << point[2] & (2**CODE_BITS - 1) for point in crowd]) for k in (0, 1))
    return np.sort(morton(x, y))


@given(GRID, GRID)
def test_morton_interleaves(x: int, y: int) -> None:
    expected = sum((x >> b & 1) << 2 * b | (y >> b & 1) << 2 * b + 1 for b in range(CODE_BITS))
    assert int(morton(np.array([x]), np.array([y]))[0]) == expected


@given(GRID_POINTS, st.randoms(use_true_random=False), st.integers(0, 20))
def test_each_cell_keeps_its_best(crowd: list, random: object, zoom: int) -> None:
    codes = codes_of(crowd)
    order = np.array(random.sample(range(len(codes)), len(codes)))  # type: ignore[attr-defined]
    best: dict[int, int] = {}
    for code, rank in zip(codes.tolist(), order.tolist(), strict=True):
        cell = code >> 2 * (CODE_BITS - zoom) - POINT_CELL_BITS
        best[cell] = min(best.get(cell, rank), rank)
    assert sorted(order[thin_by_grid(codes, order, zoom)].tolist()) == sorted(best.values())


@given(GRID_POINTS, st.data())
def test_thinning_nests_for_any_subset(crowd: list, data: st.DataObject) -> None:
    codes = codes_of(crowd)
    selected = np.array(data.draw(st.lists(st.booleans(), min_size=len(codes), max_size=len(codes))))
    codes, order = codes[selected], np.arange(len(selected))[selected]
    shown: set[int] = set()
    for zoom in range(24):
        now = set(thin_by_grid(codes, order, zoom).tolist())
        assert shown <= now
        shown = now


@given(GRID_POINTS, st.randoms(use_true_random=False), st.integers(1, 9), st.integers(1, 6))
def test_only_crowds_are_thinned_and_what_is_shown_stays(crowd: list, random: object, limit: int, cells: int) -> None:
    codes = codes_of(crowd)
    order = np.array(random.sample(range(len(codes)), len(codes)))  # type: ignore[attr-defined]
    shown: set[int] = set()
    for zoom in range(20):
        actual = thin_crowded_tiles(codes, order, zoom, limit, cells)
        by_tile = [code >> 2 * (CODE_BITS - zoom) for code in codes.tolist()]
        for tile in set(by_tile):
            inside = [index for index, item in enumerate(by_tile) if item == tile]
            selected = [index for index in actual.tolist() if by_tile[index] == tile]
            assert selected == inside if len(inside) <= limit else len(selected) <= 2**cells
        assert actual.tolist() == sorted(set(actual.tolist()))
        assert shown <= set(actual.tolist())
        shown = set(actual.tolist())


def test_nothing_has_no_best() -> None:
    assert thin_by_grid(np.empty(0, np.uint64), np.empty(0, np.int64), 3).tolist() == []


def test_a_tile_is_bounded() -> None:
    grid = np.random.default_rng(1).integers(0, 2**CODE_BITS, (2, 50_000))
    codes = np.sort(morton(grid[0], grid[1]))
    assert len(thin_by_grid(codes, np.arange(len(codes)), 0)) == 2**POINT_CELL_BITS


def test_small_shapes_stay_visible() -> None:
    unit = 1 / (4096 << 3)
    tiny = np.array(
        [shapely.box(0.3, 0.3, 0.3 + unit / 9, 0.3 + unit / 9), shapely.LineString([(0.1, 0.1), (0.1, 0.1 + unit / 5)])]
    )
    square, line = simplified(tiny, 3)
    assert square.is_valid
    assert np.isclose(square.area, unit**2)
    assert np.isclose(line.length, unit)
    assert shapely.distance(square, tiny[0]) == 0


def test_simplified_shapes_stay_within_four_units() -> None:
    wiggle = shapely.LineString(np.column_stack([np.linspace(0, 1, 500), np.random.default_rng(2).random(500) / 50]))
    rows = np.array([wiggle, wiggle.buffer(0.01)])
    for before, after in zip(rows, simplified(rows, 0), strict=True):
        assert shapely.get_num_coordinates(after) < shapely.get_num_coordinates(before)
        assert shapely.hausdorff_distance(before, after) <= 4 / 4096 + 1e-12
        assert after.is_valid
