"""When the newer version of an event tells of another one: on another day, or elsewhere."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.spatial_join.geodesic_distance import wgs84
from layers.model.records import Strike
from layers.resolution.other_event import other_events
from tests.layers.load_builders import strike


def event(lon: float | None = None, lat: float = 46.0, uncertainty_m: float = 500.0, **values: Any) -> Strike:
    point = None if lon is None else shapely.Point(lon, lat)
    at = {"geometry": point, "basis": "site", "uncertainty_m": uncertainty_m, "place_source": "d/s"} if point else {}
    return strike("e", "d", **at, **values)


def differing(was: Strike, now: Strike) -> tuple[str, ...]:
    return dict(other_events([was], [now])).get("e", ())


def test_no_events_are_no_others() -> None:
    assert list(other_events([], [])) == []


@pytest.mark.parametrize(
    ("was", "now", "is_other"),
    [
        ("2025-08-08", "2025-08-09", True),
        ("2025-08", "2025-08-09", False),
        ("2025-08-09", "2025-08", False),
        ("2025-08-08T04:06:00Z", "2025-08-08", False),
        ("2025-08-08/2025-08-09", "2025-08-09/2025-08-12", False),
        ("2025-08", "2025-09-01", True),
        ("2025-08~", "2025-09-01", False),
        ("2025-08/..", "2026-01-01", False),
    ],
)
def test_times_without_a_common_day_differ(was: str, now: str, is_other: bool) -> None:
    assert differing(event(when=was), event(when=now)) == (("when",) if is_other else ())


@pytest.mark.parametrize(
    ("was", "now", "columns"),
    [
        (event(30.0), event(30.06), ()),  # 4.6 km
        (event(30.0), event(30.07), ("geometry",)),  # 5.4 km
        (event(30.0, uncertainty_m=6000), event(30.07), ()),
        (event(30.0), event(30.07, uncertainty_m=6000), ()),
        (event(179.99), event(-179.99), ()),
        (event(), event(30.0), ()),
        (event(30.0), event(), ()),
        (event(place="Kiev"), event(place="Kyiv"), ("place",)),
        (event(place="Kyiv"), event(place=" KYIV"), ()),
        (event(place="Kyiv"), event(place="Київ", places={"en": "Kyiv"}), ()),
        (event(30.0, place="Kiev"), event(30.0, place="Kyiv"), ()),
        (event(30.0, place="Kiev"), event(place="Kyiv"), ("place",)),
        (event(30.0, place="Odesa"), event(36.0, place="Kharkiv", when="2024"), ("when", "place", "geometry")),
    ],
)
def test_places_differ_by_points_and_by_names_where_there_are_no_two_points(
    was: Strike, now: Strike, columns: tuple[str, ...]
) -> None:
    assert differing(was, now) == columns
    assert differing(now, was) == columns


@given(st.floats(-179, 179), st.floats(-85, 85), st.floats(0, 360), st.floats(0, 20_000_000), st.integers(0, 400))
def test_an_event_is_another_by_how_far_and_how_late_it_is(
    lon: float, lat: float, azimuth: float, metres: float, days: int
) -> None:
    there_lon, there_lat, _ = wgs84().fwd(lon, lat, azimuth, metres)
    later = date(2025, 1, 1) + timedelta(days)
    found = differing(event(lon, lat, when="2025-01-01"), event(there_lon, there_lat, when=later.isoformat()))
    assert ("when" in found) == (days > 0)
    if abs(metres - 5000) > 1 and metres < 19_000_000:
        assert ("geometry" in found) == (metres > 5000)
    assert "place" not in found
