"""Points of edited rows are those of a layer that is built anew, and shown alike on every tile."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.columnar.row_edit import RowEdit
from geo.errors import GeoError
from geo.tiles import mvt
from geo.tiles.tile_layer import TileLayer
from tests.geo.columnar.test_row_edit import edits
from tests.tile_at import tile_at

#: Few places, so that points share cells and codes, one beyond the square, and none.
PLACES = [None, *shapely.points([[30, 50], [30.0001, 50], [30, 50.2], [-120, -30], [31, 49], [30, 89]])]
positions = st.lists(st.sampled_from(PLACES), min_size=20, max_size=20)
ZOOMS = (0, 3, 7, 11, 14)


def layer(rows: list[shapely.Point | None], first: int = 0, min_zoom: object = None) -> TileLayer:
    names = {"name": [f"{first + row}" for row in range(len(rows))]}
    return TileLayer("a", rows, np.arange(1, len(rows) + 1), names, thin=True, min_zoom=min_zoom)  # type: ignore[arg-type]


def drawn_tiles(edited: TileLayer, masked: bool) -> list[bytes]:
    mask = np.arange(len(edited)) % 3 != 0 if masked else None
    spots = [(30.0, 50.0), (-120.0, -30.0), (31.0, 49.0)]
    tiles = [tile for zoom in ZOOMS for tile in dict.fromkeys(tile_at(*at, zoom) for at in spots)]
    return [mvt.encode(edited, tile, mask) for tile in tiles]


@given(data=st.data(), points_of=positions, masked=st.booleans())
def test_an_edited_layer_equals_one_that_is_built_anew(
    data: st.DataObject, points_of: list[shapely.Point | None], masked: bool
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("geo.tiles.point_index.MAX_TILE_POINTS", 3)
        edit = data.draw(edits())
        own, second = (
            points_of[: edit.first_rows],
            points_of[edit.first_rows : edit.first_rows + len(edit.insert_before)],
        )
        before = layer(own)
        for zoom in ZOOMS if masked else ():
            before.precompute(zoom)
        first = drawn_tiles(before, masked)
        rows = [[*own, *second][row] for row in edit.source_rows.tolist()]
        names = {"name": [f"{row}" for row in edit.source_rows.tolist()]}
        actual = before.with_edit(layer(second, edit.first_rows), edit, names)
        rebuilt = TileLayer("a", rows, np.arange(1, len(rows) + 1), names, thin=True)
        assert drawn_tiles(actual, masked) == drawn_tiles(rebuilt, masked)
        assert drawn_tiles(before, masked) == first, "the layer is left as it is"
        assert_same_geometry(actual, rebuilt)


def assert_same_geometry(actual: TileLayer, expected: TileLayer) -> None:
    for name in ("codes", "xy", "row", "single"):
        one, other = (np.asarray(getattr(layer.geometry, name)) for layer in (actual, expected))
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "before",
    [layer(PLACES[1:3], min_zoom=1), TileLayer("a", PLACES[1:3], [1, 2], {}, priority=[1, 2])],
    ids=["late", "ranked"],
)
def test_points_that_come_late_or_have_priority_are_not_edited(before: TileLayer) -> None:
    with pytest.raises(GeoError, match="shown from zoom 0"):
        before.with_edit(layer([]), RowEdit(2, np.array([1]), np.empty(0, np.int64)), {})


@given(st.lists(st.tuples(st.integers(0, 29), st.sampled_from(PLACES), st.sampled_from("rad")), max_size=8))
def test_points_can_be_edited_again_and_again(changes: list[tuple[int, shapely.Point | None, str]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("geo.tiles.point_index.MAX_TILE_POINTS", 3)
        rows: list[shapely.Point | None] = [PLACES[row % len(PLACES)] for row in range(30)]
        edited = layer(rows).with_properties({"name": ["x"] * 30})
        for row, point, kind in changes:
            for zoom in ZOOMS:
                edited.precompute(zoom)
            at = min(row, len(rows) - 1)
            new = [] if kind == "d" else [point]
            edit = RowEdit(len(rows), np.arange(at, at + (kind != "a")), np.full(len(new), at))
            rows = [[*rows, *new][item] for item in edit.source_rows.tolist()]
            edited = edited.with_edit(layer(new), edit, {"name": ["x"] * len(rows)})
        rebuilt = TileLayer("a", rows, np.arange(1, len(rows) + 1), {"name": ["x"] * len(rows)}, thin=True)
        for masked in (False, True):
            assert drawn_tiles(edited, masked) == drawn_tiles(rebuilt, masked)
        assert_same_geometry(edited, rebuilt)


def test_of_no_points_and_back() -> None:
    sample = [shapely.Point(30, 50 + row / 100) for row in range(5)]
    none = layer([])
    edited = none.with_edit(
        layer(sample), RowEdit(0, np.empty(0, np.int64), np.zeros(5, np.int64)), {"name": list("01234")}
    )
    assert drawn_tiles(edited, False) == drawn_tiles(layer(sample), False)
    removed = edited.with_edit(none, RowEdit(5, np.arange(5), np.empty(0, np.int64)), {"name": []})
    assert drawn_tiles(removed, False) == drawn_tiles(none, False)


@given(positions, st.lists(st.integers(0, 19), max_size=40))
def test_rows_that_stand_where_others_do_are_drawn_there(places: list[shapely.Point | None], rows: list[int]) -> None:
    actual = layer(places).geometry.points_of(np.array(rows, np.int64))
    expected = layer([places[row] for row in rows]).geometry
    for name in ("codes", "xy", "row", "lines", "line_row", "areas", "area_row"):
        np.testing.assert_array_equal(getattr(actual, name), getattr(expected, name), strict=True)
    assert (actual.single, actual.is_points) == (expected.single, True)


def test_what_is_more_than_points_is_not_points() -> None:
    line, points = shapely.LineString([(1, 2), (3, 4)]), shapely.MultiPoint([(1, 2), (3, 4)])
    for geometry in (line, line.buffer(1), points):
        assert not TileLayer("a", [geometry], [1], {}, thin=True).geometry.is_points
