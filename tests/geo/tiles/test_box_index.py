"""The boxes that meet a box, and those that a zoom shows, are those that a look at each of them finds."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.lonlat import Floats
from geo.tiles.box_index import BoxIndex

edges = st.floats(0, 1)


@st.composite
def boxes(draw: st.DrawFn) -> Floats:
    """Boxes of the world, shape (n, 4), some of them points or lines, and some alike."""
    rows = draw(st.lists(st.tuples(edges, edges, edges, edges), max_size=12))
    sides = np.array(rows + rows[: draw(st.integers(0, 3))], float).reshape(-1, 2, 2)
    return np.concatenate([sides.min(axis=1), sides.max(axis=1)], axis=1)


def meeting(found: Floats, box: Floats) -> list[int]:
    return np.flatnonzero(shapely.intersects(shapely.box(*found.T), shapely.box(*box))).tolist()


@given(boxes(), st.tuples(edges, edges, edges, edges), st.integers(0, 14), st.data())
def test_shown_boxes_that_meet_a_box(found: Floats, sides: tuple[float, ...], zoom: int, data: st.DataObject) -> None:
    first = np.array([data.draw(st.integers(0, 20)) for _ in found], np.int64)
    box = np.sort(np.reshape(sides, (2, 2)), axis=0).ravel()
    near = BoxIndex.of(found, first, thin=False).near(box, zoom)
    assert near.tolist() == [index for index in meeting(found, box) if first[index] <= zoom]


@given(st.integers(0, 2**32))
@settings(max_examples=20, deadline=None)
def test_a_thinned_zoom_shows_what_it_picks_of_all(seed: int) -> None:
    corners = np.random.default_rng(seed).random((60, 2))
    found = np.hstack([corners, corners + np.random.default_rng(seed + 1).random((60, 2)) / 50])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("geo.tiles.box_index.MAX_TILE_SHAPES", 5)
        index = BoxIndex.of(found, np.zeros(60, np.int64), thin=True)
        world = np.array([0.0, 0.0, 2.0, 2.0])
        for zoom in range(12):
            picked = index.order[index.thinned(zoom, np.ones(60, dtype=bool))]
            assert index.near(world, zoom).tolist() == np.sort(picked).tolist()
        assert len(index.near(world, 12)) == 60
