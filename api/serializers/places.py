"""Places as the API and the command line tell them, and the point that both are asked with."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from api.requests.scalars import BadParameter
from layers.reference.gazetteer import Candidate, Places

#: lon,lat within the ranges of longitude and latitude, as the definition of the API spells it.
_DECIMALS = r"(\.[0-9]+)?"
_LON = rf"[+-]?(180(\.0+)?|(1[0-7][0-9]|0?[0-9]?[0-9]){_DECIMALS})"
_LAT = rf"[+-]?(90(\.0+)?|[0-8]?[0-9]{_DECIMALS})"
NEAR = f"^{_LON},{_LAT}$"


def told(places: Places, origins: tuple[tuple[str, str, int], ...]) -> dict[str, Any]:
    """What a text may mean, as plain values, with whose data it rests on."""
    return {
        "query": places.text,
        "ambiguous": places.ambiguous,
        "best": None if places.best is None else places.best.id,
        "why": places.why,
        "candidates": [_told(one) for one in places.candidates],
        "attribution": [{"name": name, "licence": licence, "places": count} for name, licence, count in origins],
    }


def _told(one: Candidate) -> dict[str, Any]:
    plain = {name: value for name, value in asdict(one).items() if name != "reasons"}
    return {**plain, "reasons": [reason.model_dump(mode="json") for reason in one.reasons]}


def parse_near(text: str) -> tuple[float, float]:
    """Read lon,lat in degrees.

    Raises
    ------
    BadParameter
        If it is not two finite numbers within the ranges of longitude and latitude.
    """
    try:
        lon, lat = (float(part) for part in text.split(","))
    except ValueError:
        lon = lat = math.nan
    if not (abs(lon) <= 180 and abs(lat) <= 90):
        raise BadParameter("near", text, "lon,lat in degrees, such as 30.72,46.48")
    return lon, lat
