"""Points that were spliced are those that would be arranged anew, and shown alike on every tile."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.columnar.row_edit import Splice
from geo.tiles.mvt import Layer
from geo.tiles.tile_matrix import Tile, tile_at
from tests.geo.columnar.test_row_edit import splices

pytestmark = pytest.mark.usefixtures("least")
#: Few places, so that points share cells and codes, one beyond the square, and none.
PLACES = [None, *shapely.points([[30, 50], [30.0001, 50], [30, 50.2], [-120, -30], [31, 49], [30, 89]])]
places = st.lists(st.sampled_from(PLACES), min_size=20, max_size=20)
ZOOMS = (0, 3, 7, 11, 14)


def layer(rows: list[shapely.Point | None], first: int = 0, min_zoom: object = None) -> Layer:
    names = {"name": [f"{first + row}" for row in range(len(rows))]}
    return Layer("a", rows, np.arange(1, len(rows) + 1), names, thin=True, min_zoom=min_zoom)  # type: ignore[arg-type]


def told(made: Layer, masked: bool) -> list[bytes]:
    mask = np.arange(len(made)) % 3 != 0 if masked else None
    spots = [(30.0, 50.0), (-120.0, -30.0), (31.0, 49.0)]
    return [made.encode(tile, mask) for zoom in ZOOMS for tile in dict.fromkeys(tile_at(*at, zoom) for at in spots)]


@pytest.mark.parametrize("few", [32, 0], ids=["mended", "found anew"])
@pytest.mark.parametrize("rising", [True, False], ids=["rising", "turned"])
@given(data=st.data(), told_of=places, masked=st.booleans(), staged=st.booleans())
@settings(max_examples=40, deadline=None)
def test_a_spliced_layer_is_the_one_made_anew(
    few: int, rising: bool, data: st.DataObject, told_of: list[shapely.Point | None], masked: bool, staged: bool
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("geo.tiles.point_index.CROWD", 3)
        patch.setattr("geo.tiles.point_index._FEW", few)
        splice = data.draw(splices(rising))
        own, other = told_of[: splice.own], told_of[splice.own : splice.own + splice.other]
        zooms = [0 if not staged else row % 5 for row in range(splice.own + splice.other)]
        before = layer(own, 0, zooms[: splice.own])
        first = told(before, masked)
        rows = [[*own, *other][row] for row in splice.take.tolist()]
        names = {"name": [f"{row}" for row in splice.take.tolist()]}
        found = before.spliced(layer(other, splice.own, zooms[splice.own :]), splice, names)
        min_zoom = [zooms[row] for row in splice.take.tolist()]
        anew = Layer("a", rows, np.arange(1, len(rows) + 1), names, thin=True, min_zoom=min_zoom)
        assert told(found, masked) == told(anew, masked)
        assert told(before, masked) == first, "the layer is left as it is"
        assert [*found._points.codes] == [*anew._points.codes]
        assert [*found._points.row] == [*anew._points.row]


@given(st.lists(st.tuples(st.integers(0, 29), st.sampled_from(PLACES), st.sampled_from("rad")), max_size=8))
@settings(max_examples=25, deadline=None)
def test_points_can_be_spliced_again_and_again(edits: list[tuple[int, shapely.Point | None, str]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("geo.tiles.point_index.CROWD", 3)
        rows: list[shapely.Point | None] = [PLACES[row % len(PLACES)] for row in range(30)]
        made = layer(rows).under({"name": ["x"] * 30})
        for row, place, kind in edits:
            _ = made.encode(Tile(0, 0, 0)), told(made, False)
            at = min(row, len(rows) - 1)
            stays = np.arange(len(rows))
            new = [] if kind == "d" else [len(rows)]
            whole = np.concatenate([stays[:at], new, stays[at + (kind != "a") :]]).astype(np.int64)
            made = made.spliced(layer([place]), Splice.taking(len(rows), 1, whole), {"name": ["x"] * len(whole)})
            rows = [[*rows, place][one] for one in whole.tolist()]
        anew = Layer("a", rows, np.arange(1, len(rows) + 1), {"name": ["x"] * len(rows)}, thin=True)
        assert told(made, False) == told(anew, False)


def test_of_no_points_and_back() -> None:
    some = [shapely.Point(30, 50 + row / 100) for row in range(5)]
    none = layer([])
    made = none.spliced(layer(some), Splice.taking(0, 5, np.arange(5)), {"name": list("01234")})
    assert told(made, False) == told(layer(some), False)
    gone = made.spliced(none, Splice.taking(5, 0, np.arange(0)), {"name": []})
    assert told(gone, False) == told(none, False)
