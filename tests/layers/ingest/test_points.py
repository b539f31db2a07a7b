"""Which countries points are in or near: by outlines that are cut, far, across the antimeridian and about the poles."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.spatial_join.join import pairs_within
from layers.ingest.doubtful_points import Points, state_of
from layers.reference.basemap import Basemap
from tests.layers.load_builders import asset, read

States = st.sampled_from(("UA", "CL", "FJ", "CY", "NZ"))


def points(base: Basemap, *places: tuple[float, float]) -> Points:
    values = {"basis": "site", "place_source": "d/s", "uncertainty_m": 1}
    given_ = [asset(f"a{i}", "d", geometry=shapely.Point(place), **values) for i, place in enumerate(places)]
    return Points.of(read(*given_), "assets", base)


def test_a_point_has_the_country_of_its_land_or_of_the_coast_that_it_is_just_off(base: Basemap) -> None:
    odesa, isaccea, quay, open_sea = (30.72, 46.48), (28.46, 45.27), (30.757, 46.49), (31.2, 44.4)
    assert points(base, odesa, isaccea, quay, open_sea).country.tolist() == ["UA", "RO", "UA", None]
    assert points(base).country.tolist() == []


@pytest.mark.parametrize(("code", "state"), [("PR", "US"), ("GL", "DK"), ("UA", "UA"), (None, None)])
def test_a_territory_is_of_its_state(code: str | None, state: str | None) -> None:
    assert state_of(code) == state


@given(st.lists(st.tuples(st.floats(-180, 180), st.floats(-89, 89)), min_size=1, max_size=8), States, st.floats(1, 7e5))
def test_near_is_as_the_spatial_join_has_it_but_close_to_the_radius(
    base: Basemap, places: list[tuple[float, float]], state: str, radius_m: float
) -> None:
    given_ = points(base, *places)
    rows = np.flatnonzero(given_.state != state)
    near = given_.are_near(rows, state, np.full(len(rows), radius_m))
    land = base.countries.shape[[state_of(code) == state for code in base.countries.iso_a2]]
    slack = 0.01 * radius_m + 1_200
    surely = pairs_within(given_.shape[rows], land, max(radius_m - slack, 0)).left
    perhaps = pairs_within(given_.shape[rows], land, radius_m + slack).left
    assert near[surely].all() or radius_m < slack
    assert not np.delete(near, perhaps).any()


def test_every_point_is_near_a_state_that_the_base_map_does_not_have(base: Basemap) -> None:
    assert points(base, (0, 0), (50, 50)).are_near(np.arange(2), "XX", np.zeros(2)).tolist() == [True, True]
