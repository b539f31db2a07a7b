"""Which of a pair of degrees comes first: what tells it, in its order, and what leaves a doubt."""

from __future__ import annotations

from collections.abc import Collection

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.sources.column_mapping.draft.axis_order import AxisOrderGuess, Countries, guess_axis_order


def country_at(lon: float, lat: float) -> str | None:
    """A map with two rectangles of land."""
    if 22 <= lon <= 40 and 44 <= lat <= 53:
        return "UA"
    return "IR" if 44 <= lon <= 53 and 22 <= lat <= 40 else None


def nowhere(row: int) -> Collection[str]:
    return ()


def guess(*cells: str, header: str = "location", countries: Countries = nowhere, is_map: bool = True) -> AxisOrderGuess:
    return guess_axis_order(cells, header, ".", countries, country_at if is_map else None)


@pytest.mark.parametrize(
    ("cells", "header", "countries", "order", "is_sure"),
    [
        (["[10.1, 99.2]", "[48.1, 35.2]"], "location", (), "latlon", True),
        (["[99.2, 10.1]", "[35.2, 48.1]"], "lat_lng", (), "lonlat", True),
        (["[48.1, 35.2]"], "latlng", ("IR",), "latlon", True),
        (["35.2 48.1"], "lon/lat", (), "lonlat", True),
        (["48.1, 35.2"], "Longitude, latitude", (), "lonlat", True),
        (["[48.1, 35.2]"], "location", ("UA",), "latlon", True),
        (["[48.1, 35.2]"], "location", ("IR",), "lonlat", True),
        # Two countries say nothing, nor does one where the point is in neither order.
        (["[48.1, 35.2]"], "location", ("UA", "IR"), "lonlat", False),
        (["48.1, 35.2"], "location", ("PL",), "latlon", False),
        # Of the points on land there are more one way.
        (["[48.1, 35.2]", "[48.1, 43.2]"], "location", (), "lonlat", False),
        (["[46.1, 23.2]", "[52.0, 41.0]", "[44.1, 23.2]"], "location", (), "lonlat", False),
        (["[45.1, 30.0]", "[49.1, 20.0]"], "location", (), "lonlat", False),
    ],
)
def test_what_tells_comes_in_its_order(
    cells: list[str], header: str, countries: Collection[str], order: str, is_sure: bool
) -> None:
    told = guess(*cells, header=header, countries=lambda row: countries)
    assert (told.order, told.is_sure) == (order, is_sure), told.text


def test_rows_that_name_the_country_of_a_point_outvote_those_that_do_not() -> None:
    cells = ["[48.1, 35.2]"] * 7 + ["[35.2, 48.1]"] * 3
    told = guess(*cells, countries=lambda row: ("UA",))
    assert (told.order, told.is_sure) == ("latlon", True)
    assert "7 of 10 points are in the country that their row names, and 3 the other way" in told.text
    assert not guess(*cells[:6], *cells[7:], *cells[7:], countries=lambda row: ("UA",)).is_sure


def test_without_a_map_arrays_have_the_longitude_first_and_texts_the_latitude() -> None:
    assert guess("[48.1, 35.2]", is_map=False) == AxisOrderGuess(
        "lonlat", "nothing tells; arrays of JSON are mostly those of GeoJSON", False
    )
    assert guess("48.1, 35.2", is_map=False).order == guess("", "no pair", "7.5 7.5").order == "latlon"


def test_hemispheres_leave_nothing_to_guess() -> None:
    assert guess("46°28′30″N, 30°44′E", countries=lambda row: ("UA",)).order == "latlon"


pairs = st.tuples(st.integers(-1800, 1800), st.integers(-1800, 1800)).filter(lambda pair: pair[0] != pair[1])


@given(st.lists(pairs, min_size=1, max_size=8), st.sampled_from(["UA", "IR", "PL"]))
def test_turning_every_pair_turns_the_guess_where_the_data_tell(listed: list[tuple[int, int]], country: str) -> None:
    texts = [f"{first / 10} {second / 10}" for first, second in listed]
    turned = [f"{second / 10} {first / 10}" for first, second in listed]
    before, after = (guess(*cells, countries=lambda row: (country,)) for cells in (texts, turned))
    assert before.is_sure == after.is_sure
    if "nothing tells" not in before.reason:
        assert {before.order, after.order} == {"latlon", "lonlat"}
