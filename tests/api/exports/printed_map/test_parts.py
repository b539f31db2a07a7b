"""The parts of a printed map: where names go, how symbols are moved apart, scale, words and symbols."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from api.exports.printed_map.extent import extent_of, fitted, projection_for
from api.exports.printed_map.frame_contents import circle_around
from api.exports.printed_map.marginalia import round_length
from api.exports.printed_map.place_labels import Board, boxes_around, spread
from api.exports.printed_map.sheet import width_mm, wrapped
from api.exports.printed_map.strike_list import owners_in_words
from api.exports.strike_rows import drawn_strikes
from api.exports.symbols import SHAPES, UNKNOWN_SHAPE, colour_of, pipe_group, shape_of
from api.exports.text import country_names, shortened, with_country_names
from layers.reference.basemap import Basemap
from tests.api.exports.making import frame_of, strike

PAGE = (0.0, 0.0, 100.0, 80.0)
spots = st.lists(st.tuples(st.floats(5, 95), st.floats(5, 75)), min_size=1, max_size=40)


@given(spots)
def test_names_never_overlap_and_stay_on_the_map(places: list[tuple[float, float]]) -> None:
    board = Board(PAGE)
    found = [board.first_free(boxes_around(x, y, 12, 3, (1, 3))) for x, y in places]
    kept = [box for box in found if box]
    assert found[0] is not None
    for index, (left, bottom, right, top) in enumerate(kept):
        assert PAGE[0] <= left < right <= PAGE[2]
        assert PAGE[1] <= bottom < top <= PAGE[3]
        for other in kept[:index]:
            assert left >= other[2] or right <= other[0] or bottom >= other[3] or top <= other[1]


def test_symbols_on_one_spot_are_moved_apart_but_not_far() -> None:
    moved = spread(np.full((7, 2), 40.0), 3.0, PAGE, furthest=5.0)
    apart = np.linalg.norm(moved[:, None] - moved, axis=2)[np.triu_indices(7, 1)]
    assert apart.min() > 2.8
    assert np.linalg.norm(moved - 40.0, axis=1).max() <= 3.1


def test_lone_symbols_stay_where_they_are() -> None:
    points = np.array([[10.0, 10], [50, 40], [90, 70]])
    np.testing.assert_array_equal(spread(points, 3.0, PAGE, furthest=5.0), points)


@given(spots)
def test_no_symbol_leaves_the_page_or_goes_further_than_allowed(places: list[tuple[float, float]]) -> None:
    points = np.array(places)
    moved = spread(points, 4.0, PAGE, furthest=2.0)
    assert np.linalg.norm(moved - points, axis=1).max() <= 2.0 + 1e-6
    assert (moved >= 0).all()
    assert (moved <= [100, 80]).all()


@pytest.mark.parametrize("bbox", [(28, 45, 33, 48), (175, -20, -175, -14), (10, -5, 40, 8), (20, 70, 60, 80)])
def test_a_frame_shows_its_extent_and_finds_its_way_back(bbox: tuple[float, ...]) -> None:
    extent = extent_of(bbox)
    frame = fitted(extent, projection_for(extent), (10, 10, 150, 100))
    mm = frame.mm(extent.outline())
    assert frame.shows(mm).all()
    back = frame.lonlat(mm)
    assert np.abs((back[:, 0] - extent.outline()[:, 0] + 180) % 360 - 180).max() < 1e-7
    assert frame.window.west <= extent.west
    assert frame.window.east >= extent.east


def test_the_scale_is_true_at_the_middle() -> None:
    extent = extent_of((28, 45, 33, 48))
    frame = fitted(extent, projection_for(extent), (10, 10, 150, 100))
    left, right = frame.lonlat(frame.middle + np.array([[-10.0, 0], [10, 0]]))
    metres = Geod(ellps="WGS84").inv(*left, *right)[2]
    assert metres == pytest.approx(20 * frame.true_metres_per_mm, rel=1e-4)


@pytest.mark.parametrize(("metres", "rounded"), [(73_000, 50_000), (999, 500), (1_000, 1_000), (2.4e6, 2e6)])
def test_scale_bars_have_round_lengths(metres: float, rounded: float) -> None:
    assert round_length(metres) == rounded


@pytest.mark.parametrize("place", [(30.7, 46.5), (179.99, 0.0), (0.0, 89.9)])
def test_circles_have_the_true_radius(place: tuple[float, float]) -> None:
    circle = circle_around(*place, 5000)
    count = np.ones(len(circle))
    distance = Geod(ellps="WGS84").inv(place[0] * count, place[1] * count, *circle.T)[2]
    np.testing.assert_allclose(distance, 5000, rtol=1e-6)


@given(st.text(alphabet="ab Жö-", max_size=80))
def test_lines_fit_and_lose_nothing(text: str) -> None:
    lines = wrapped(text, 20, 7)
    assert all(width_mm(line, 7) <= 20 for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


def test_owners_are_named_and_tied_to_their_shares() -> None:
    assert with_country_names("RU 47.325, XX 0-22.5, unattributed 1.75", {"RU": "Russia"}) == (
        "Russia\u00a047.325, XX\u00a00–22.5, unattributed\u00a01.75"
    )


def test_publishers_are_shortened() -> None:
    assert shortened(["Trend (APA)", "Trend", "Reuters", "", "zn.ua"], 2) == "Trend, Reuters and 1 other"
    assert shortened([], 3) == ""


def test_a_base_abroad_does_not_rename_its_country(small_base: Basemap) -> None:
    assert country_names(small_base)["GB"] == "United Kingdom"


def test_every_group_has_a_shape_of_its_own() -> None:
    shapes = [*SHAPES.values(), UNKNOWN_SHAPE]
    assert len({shape.marker for shape in shapes}) == len({shape.path for shape in shapes}) == len(shapes) == 7
    assert shape_of(None) is shape_of("") is UNKNOWN_SHAPE


def test_two_hosts_have_a_colour_and_all_others_one_neutral() -> None:
    assert (colour_of("UA"), colour_of("RU")) == ("#0063A6", "#A83C00")
    assert colour_of("KZ") == colour_of(None) not in (colour_of("UA"), colour_of("RU"))


@pytest.mark.parametrize(("commodity", "group"), [("oil products", "oil"), ("LNG", ""), ("gas", "gas"), ("", "")])
def test_pipelines_are_grouped_by_their_cargo(commodity: str, group: str) -> None:
    assert pipe_group(commodity) == group


def test_a_strike_on_several_sites_says_that_its_shares_are_of_all_together() -> None:
    names = {"QA": "Qatar"}
    sites = {"owners": "QA 45-79", "assets": ("a-1", "a-2", "a-3")}
    rows = [strike(1, **sites), strike(2, **sites, rests_on="alternatives"), strike(3)]
    together, one_of, single = drawn_strikes(frame_of(rows))
    assert owners_in_words(together, names) == "owners in %: Qatar\u00a045–79 of 3 sites together (decided by a person)"
    assert owners_in_words(one_of, names) == "owners in %: Qatar\u00a045–79 (several possible sites)"
    assert "together" not in owners_in_words(single, names)
