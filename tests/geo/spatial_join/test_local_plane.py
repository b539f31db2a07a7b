"""Distances from points to edges that are straight in lon/lat, beside geodesics to places on them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from geo.spatial_join.local_plane import LocalPlanes
from tests.geo.spatial_join.edge_geodesics import GEOD, geodesic_m


def plane_m(point: tuple[float, float], *vertices: np.ndarray, turn: int = 0) -> tuple[float, float]:
    """Metres from a point to a run of edges in the plane about it, and the bound on their error in metres."""
    planes = LocalPlanes.about(np.array([point]))
    lon, lat = np.array(vertices).T[:, :, None]
    first = np.zeros(1, np.int64)
    metres = planes.distance_m(first, lon, lat, first, np.array([turn]))
    return float(metres[0]), float((planes.error(first, metres) * metres)[0])


@given(
    st.floats(-85, 85),
    st.floats(0, 360),
    st.floats(10, 300_000),
    st.floats(0, 360),
    st.floats(10, 300_000),
    st.floats(0, 1),
    st.floats(0, 1),
)
@example(60.0, 45.0, 20_000.0, 135.0, 200_000.0, 0.5, 0.5)
@example(0.0, 0.0, 100_000.0, 90.0, 1_000.0, 0.5, 0.5)
def test_an_edge_is_as_far_as_the_bound_says(
    lat: float, azimuth: float, metres: float, along: float, length: float, before: float, after: float
) -> None:
    east, north, _ = GEOD.fwd(0, lat, azimuth, metres)
    ends = [GEOD.fwd(east, north, along + half, length * share)[:2] for half, share in ((0, before), (180, after))]
    start, end = np.array(ends)
    assume(max(abs(start[0]), abs(end[0])) < 90)  # or it goes the other way round
    actual, bound_m = plane_m((0, lat), start, end)
    assume(np.isfinite(bound_m))
    # A hundredth of a millimetre is what the places on the edge, and the rounding of degrees, leave.
    assert actual == pytest.approx(geodesic_m((0, lat), start, end), rel=0, abs=bound_m + 1e-5)


@given(st.floats(-89, 89), st.lists(st.tuples(st.floats(0, 360), st.floats(0, 0.002)), min_size=2, max_size=5))
def test_the_nearest_of_edges_that_are_nearly_as_far_is_taken(lat: float, around: list[tuple[float, float]]) -> None:
    vertices = [np.array(GEOD.fwd(0, lat, azimuth, 5_000 * (1 + more))[:2]) for azimuth, more in around]
    truth = min(geodesic_m((0, lat), a, b) for a, b in pairwise(vertices))
    actual, bound_m = plane_m((0, lat), *vertices)
    assert actual == pytest.approx(truth, rel=0, abs=bound_m + 1e-5)


def test_no_bound_is_given_at_a_pole_and_far_away() -> None:
    planes = LocalPlanes.about(np.array([[0.0, 90.0], [0.0, -90.0], [0.0, 89.9], [0.0, 45.0], [0.0, 0.0]]))
    assert np.isinf(planes.error(np.arange(5), np.array([1.0, 1.0, 50_000.0, 2e6, 4e6]))).all()
    assert np.isfinite(planes.error(np.arange(2, 5), np.array([100.0, 50_000.0, 500_000.0]))).all()


def test_edges_of_no_length_points_and_turns() -> None:
    place, beside = np.array([30.0, 46.0]), np.array([30.01, 46.0])
    truth = GEOD.inv(30.0, 46.0, 30.01, 46.0)[2]
    assert plane_m((30.0, 46.0), beside)[0] == pytest.approx(truth, rel=1e-7)
    assert plane_m((30.0, 46.0), beside, beside)[0] == pytest.approx(truth, rel=1e-7)
    assert plane_m((30.0, 46.0), place, beside)[0] == 0
    assert plane_m((30.0, 46.0), beside + np.array([360, 0]), turn=-1)[0] == pytest.approx(truth, rel=1e-7)


def test_blocks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    planes = LocalPlanes.about(rng.uniform(-1, 1, (50, 2)))
    lon, lat = rng.uniform(-1, 1, (2, 3, 40))
    point, run = rng.integers(0, 50, 300), rng.integers(0, 40, 300)
    turn = rng.integers(-1, 2, 300)
    whole = planes.distance_m(point, lon, lat, run, turn)
    monkeypatch.setattr("geo.spatial_join.local_plane.BLOCK", 7)
    assert planes.distance_m(point, lon, lat, run, turn).tolist() == whole.tolist()
    assert planes.distance_m(point[:0], lon, lat, run[:0], turn[:0]).shape == (0,)
