"""Points in boxes, beside brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.spatial_join.point_pairs import PointIndex

degree = st.sampled_from([-180.0, -179.5, -90.0, -1.0, 0.0, 0.25, 1e-9, 60.0, 89.999, 90.0, 179.9999999, 180.0])
lon = st.one_of(degree, st.floats(-180, 180))
lat = st.one_of(degree.filter(lambda value: abs(value) <= 90), st.floats(-90, 90))
width = st.one_of(st.sampled_from([0.0, 1e-9, 1.0, 180.0]), st.floats(0, 180))


def hits(points: np.ndarray, boxes: np.ndarray, row: np.ndarray) -> list[list[tuple[int, int, int]]]:
    index = PointIndex(points, boxes)
    return [
        list(zip(part.box.tolist(), index.number[part.point].tolist(), part.turn.tolist(), strict=True))
        for part in index.hits(row)
    ]


@given(st.lists(st.tuples(lon, lat), max_size=20), st.lists(st.tuples(lon, lat, width, width), min_size=1, max_size=8))
def test_points_in_boxes_equal_brute_force(
    points: list[tuple[float, float]], boxes: list[tuple[float, float, float, float]]
) -> None:
    xy = np.array(points).reshape(-1, 2)
    edges = np.array([(x - w, y - h, x + w, y + h) for x, y, w, h in boxes])
    actual = [hit for part in hits(xy, edges, np.arange(len(edges))) for hit in part]
    assert len(set(actual)) == len(actual)
    surely, perhaps = set(), set()
    for box, (west, south, east, north) in enumerate(edges):
        for turn in (0, -1, 1):
            reached = turn == 0 or (turn == -1 and east > 180) or (turn == 1 and west < -180)
            for point, (x, y) in enumerate(points):
                off = max(west + 360 * turn - x, x - east - 360 * turn)
                if (
                    reached and south <= y <= north and off <= 1e-6
                ):  # the key rounds a longitude, so that some lie beside
                    perhaps.add((box, point, turn))
                    surely.update({(box, point, turn)} if off <= 0 else ())
    assert surely <= set(actual) <= perhaps


def test_parts_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    points = rng.uniform(-180, 180, (300, 2)) / [1, 2]
    corner = np.sort(rng.uniform(-200, 200, (60, 2, 2)) / [1, 2.5], axis=1)
    boxes = np.column_stack([corner[:, 0], corner[:, 1]])
    row = np.sort(rng.integers(0, 20, 60))
    (whole,) = hits(points, boxes, row)
    monkeypatch.setattr("geo.spatial_join.point_pairs.CHUNK", 7)
    monkeypatch.setattr("geo.spatial_join.point_pairs.BATCH", 50)
    parts = hits(points, boxes, row)
    assert len(parts) > 10
    assert max(map(len, parts)) < 50 + len(points)  # a slice is not cut
    assert [hit for part in parts for hit in part] == whole
    of_hit = row[[box for box, _, _ in whole]]
    assert (np.diff(of_hit) != 0).sum() + 1 == len(set(of_hit.tolist()))


def test_no_points_are_in_no_box() -> None:
    assert hits(np.empty((0, 2)), np.array([[0.0, 0.0, 1.0, 1.0]]), np.zeros(1, np.int64)) == [[]]
