"""Rows of strikes, and strikes of printed maps, for the tests of the exports."""

from __future__ import annotations

from datetime import date
from typing import Any

import geopandas
import shapely

from api.exports.printed_map.map_strikes import MapStrike, StruckPlace
from layers.ownership.walk import Interval

DAY = date(2026, 11, 25)
ODESA = (28.0, 45.0, 33.0, 48.0)


def strike(number: int, **values: Any) -> dict[str, Any]:
    """One row of the strikes, near Odesa unless told otherwise."""
    return {
        "id": f"s-{number}",
        "title": f"Depot {number}",
        "when": f"2025-08-{number + 1:02}",
        "day_first": date(2025, 8, number + 1),
        "day_last": date(2025, 8, number + 1),
        "place": "Odesa",
        "host_country": "UA",
        "uncertainty_m": 5000.0,
        "basis": "settlement",
        "status": "reported",
        "group": "oil",
        "rests_on": "decision",
        "assets": ("a-1",),
        "owner_countries": ("AZ",),
        "owners": "AZ 100",
        "relations": "",
        "n_sources": 2,
        "n_voices": 1,
        "geometry": shapely.Point(30.7, 46.5),
    } | values


def frame_of(rows: list[dict[str, Any]]) -> geopandas.GeoDataFrame:
    return geopandas.GeoDataFrame(rows, geometry="geometry", crs="EPSG:4326")


def struck(number: int, **values: Any) -> MapStrike:
    """One strike of a printed map, on a depot of Azerbaijan's near Odesa unless told otherwise."""
    usual = {
        "id": f"s-{number}",
        "title": f"Depot {number}",
        "status": "verified",
        "when": f"2025-08-{number + 1:02}",
        "first_day": date(2025, 8, number + 1),
        "host": "UA",
        "at_sea": False,
        "places": (StruckPlace(30.7, 46.5),),
        "alternatives": False,
        "at_sites": True,
        "is_sure": True,
        "owners": (("AZ", Interval(100.0, 100.0)),),
        "tied": frozenset(),
        "sites": 1,
        "lines": frozenset(),
        "assets": frozenset({f"a-{number}"}),
        "sources": ("Trend", "RBC-Ukraine"),
    }
    return MapStrike(**usual | values)
