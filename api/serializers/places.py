"""Places of the gazetteer as JSON values, and the point that a search for them may be near to."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from api.requests.parameters import BadParameter
from api.wording.catalogue import ENGLISH, text
from layers.reference.gazetteer import Candidate, PlaceSearch

#: lon,lat within the ranges of longitude and latitude, as the definition of the API spells it.
_DECIMALS = r"(\.[0-9]+)?"
_LON = rf"[+-]?(180(\.0+)?|(1[0-7][0-9]|0?[0-9]?[0-9]){_DECIMALS})"
_LAT = rf"[+-]?(90(\.0+)?|[0-8]?[0-9]{_DECIMALS})"
NEAR = f"^{_LON},{_LAT}$"


def places_answer(
    places: PlaceSearch, origins: tuple[tuple[str, str, int], ...], language: str = ENGLISH
) -> dict[str, Any]:
    """Give the places that a text may mean, best first, with the sources of the gazetteer."""
    return {
        "query": places.text,
        "ambiguous": places.ambiguous,
        "best": None if places.best is None else places.best.id,
        "why": text(places.explanation, language),
        "candidates": [_candidate(candidate, language) for candidate in places.candidates],
        "attribution": [{"name": name, "licence": licence, "places": count} for name, licence, count in origins],
    }


def _candidate(candidate: Candidate, language: str) -> dict[str, Any]:
    reasons = [
        {"name": one.name, "value": float(one.value), "weight": float(one.weight), "detail": text(one.detail, language)}
        for one in candidate.reasons
    ]
    return {name: value for name, value in asdict(candidate).items() if name != "reasons"} | {"reasons": reasons}


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
