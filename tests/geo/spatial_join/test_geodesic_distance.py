"""Distances between far points, beside geodesics."""

from __future__ import annotations

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.spatial_join.geodesic_distance import between_points, far_between_points, lengths_m, wgs84


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=25)
def test_lamberts_formula_is_as_near_to_geodesics_as_is_said(seed: int) -> None:
    rng = np.random.default_rng(seed)
    one = np.column_stack([rng.uniform(-180, 180, 200), np.degrees(np.arcsin(rng.uniform(-1, 1, 200)))])
    other = np.column_stack([rng.uniform(-180, 180, 200), np.degrees(np.arcsin(rng.uniform(-1, 1, 200)))])
    near = one + rng.uniform(-1, 1, (200, 2)) * [0.01, 0.005]
    for end in (other, np.clip(near, [-180, -90], [180, 90])):
        np.testing.assert_allclose(far_between_points(one, end), between_points(one, end), rtol=5e-6, atol=1e-6)


def test_the_same_point_the_poles_the_antimeridian_and_the_other_side_of_the_earth_are_measured() -> None:
    one = np.array([[30.0, 46.0], [0.0, 90.0], [180.0, 10.0], [0.0, 0.0], [10.0, 90.0], [20.0, 0.0]])
    other = np.array([[30.0, 46.0], [0.0, -90.0], [-180.0, 10.0], [179.9, 0.1], [50.0, 90.0], [21.0, 0.0]])
    np.testing.assert_allclose(far_between_points(one, other), between_points(one, other), rtol=5e-6, atol=1e-6)
    assert far_between_points(one[:0], other[:0]).shape == (0,)


def test_lengths_are_those_of_each_line_by_itself() -> None:
    path = [(30.0, 46.0), (30.5, 46.2), (31.0, 45.0)]
    several = shapely.MultiLineString([path, [(0, 0), (1, 1)], [(179, 80), (180, 80)]])
    lines = [shapely.LineString(path), several, shapely.GeometryCollection([several, shapely.Point(1, 2)])]
    expected = [wgs84().geometry_length(line) for line in lines]
    np.testing.assert_allclose(lengths_m(np.array(lines)), expected, rtol=1e-12)
    assert lengths_m(np.empty(0, object)).shape == (0,)
