"""The ground of a printed map: sea, lakes, rivers, borders and names of a window of the world, in lon/lat degrees.

It is read from the archive of the base map (GSHHG coast, WDBII rivers, curated names). Where there is no archive, or it
does not show the window, it is made of the countries that records are looked up in, which have neither lakes nor rivers
nor names of places in other languages.
"""

from __future__ import annotations

import gzip
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import shapely

from geo.lonlat import Floats, Objects
from geo.tiles.mvt_reader import DecodedLayer, decode_tile
from geo.tiles.tile_matrix import MAX_LAT, Tile, covering, lonlat
from layers.reference.basemap import Basemap
from layers.reference.basemap_archive import BasemapArchive

#: Languages that the ground has names in (BCP 47).
GroundLanguage = Literal["en", "uk", "de"]
#: West, south, east, north in degrees; east is above 180, or west below -180, where the window crosses 180 degrees.
Window = tuple[float, float, float, float]
_LAYERS = ("sea", "lake", "river", "boundary", "place")
_CIRCUMFERENCE_M, _TILE_UNITS = 40_075_017.0, 4096
#: Finest unit of a tile on paper, in millimetres.
_UNIT_MM = 0.045
#: Places of the base map of countries that a window is given at most, most populous first.
_MOST_PLACES = 120
#: The Kakhovka reservoir, which GSHHG still has, ran dry in June 2023 after its dam was destroyed.
FORMER_LAKE = shapely.box(33.36, 46.70, 35.25, 47.80)
_WATER_NAMES = Path(__file__).with_name("water_names.tsv")


@dataclass(frozen=True, slots=True)
class NamedPlace:
    """A place by its name in a language, lon/lat in degrees."""

    name: str
    lon: float
    lat: float
    population: int
    capital: bool


@dataclass(frozen=True, slots=True)
class NamedSea:
    """The name of a sea, and a box that holds its water."""

    name: str
    box: Window


@dataclass(frozen=True, slots=True)
class NamedRiver:
    """The name of a river, and a point on it in lon/lat degrees."""

    name: str
    lon: float
    lat: float


@dataclass(frozen=True, eq=False)
class MapGround:
    """What lies under the symbols of a map; polygons and lines in lon/lat degrees, continuous over the window.

    ``former`` are lakes that are no more; ``origin`` says what coast and water were drawn from.
    """

    sea: Objects
    lakes: Objects
    former: Objects
    rivers: Objects
    borders: Objects
    places: Sequence[NamedPlace]
    origin: Literal["archive", "countries"]


def read_ground(
    countries: Basemap, archive: BasemapArchive | None, window: Window, metres_per_mm: float, language: GroundLanguage
) -> MapGround:
    """Read the ground of a window.

    Parameters
    ----------
    countries, archive
        The base map of countries, and that of the web map where there is one; one of an operator with other layers is
        passed over.
    window
        What the map shows.
    metres_per_mm
        Metres on the ground for a millimetre on paper, which says how much detail is read.
    language
        Of the names of places; a place without a name in it has its English name.
    """
    if archive is not None and {str(layer["id"]) for layer in archive.layers} >= set(_LAYERS):
        zoom = zoom_of(window, metres_per_mm)
        for level in range(min(zoom, archive.max_zoom), -1, -1):
            tiles = list(_tiles(archive, window, level))
            if all(body is not None for _, body, _ in tiles):
                return _from_tiles([(tile, body, turn) for tile, body, turn in tiles if body], language)
    return _from_countries(countries, window)


def zoom_of(window: Window, metres_per_mm: float) -> int:
    """Return the zoom whose tiles are as fine as paper shows, with the names of one more."""
    lat = math.radians(min(abs(window[1] + window[3]) / 2, 75.0))
    finest = _UNIT_MM * metres_per_mm * _TILE_UNITS
    return max(0, math.ceil(math.log2(_CIRCUMFERENCE_M * math.cos(lat) / finest)) + 1)


def sea_names(language: GroundLanguage) -> list[NamedSea]:
    """Names of seas, inner ones before those around them."""
    return [NamedSea(name, (box[0], box[1], box[2], box[3])) for name, box in _water_names("sea", language)]


def river_names(language: GroundLanguage) -> list[NamedRiver]:
    """Names of rivers at points on them."""
    return [NamedRiver(name, *at) for name, at in _water_names("river", language)]


def _water_names(kind: str, language: GroundLanguage) -> Iterator[tuple[str, list[float]]]:
    column = ("en", "uk", "de").index(language) + 1
    for line in _WATER_NAMES.read_text(encoding="utf-8").splitlines():
        if line.startswith(f"{kind}\t"):
            cells = line.split("\t")
            yield cells[column], [float(cell) for cell in cells[4:]]


# --- from tiles ---------------------------------------------------------------------------------


def _tiles(archive: BasemapArchive, window: Window, zoom: int) -> Iterator[tuple[Tile, bytes | None, float]]:
    """Yield the tiles of a window, and by how many degrees each has to be turned to lie in it."""
    west, south, east, north = window
    low, high = max(south, -MAX_LAT), min(north, MAX_LAT)
    if low >= high:
        return
    for turn in (-360.0, 0.0, 360.0):
        left, right = max(west - turn, -180.0), min(east - turn, 180.0)
        if left < right:
            for tile in covering((left, low, right, high), zoom):
                yield tile, archive.tile(tile), turn


def _from_tiles(tiles: Sequence[tuple[Tile, bytes, float]], language: GroundLanguage) -> MapGround:
    layers: dict[str, list[tuple[Tile, DecodedLayer, float]]] = {name: [] for name in _LAYERS}
    for tile, body, turn in tiles:
        for name, layer in decode_tile(gzip.decompress(body), _LAYERS).items():
            layers[name].append((tile, layer, turn))
    lakes = _joined(layers["lake"], 2)
    return MapGround(
        sea=_joined(layers["sea"], 2),
        lakes=_parts(shapely.difference(lakes, FORMER_LAKE), 2),
        former=_parts(shapely.intersection(lakes, FORMER_LAKE), 2),
        rivers=_joined(layers["river"], 1),
        borders=_joined(layers["boundary"], 1),
        places=_places(layers["place"], language),
        origin="archive",
    )


def _joined(layers: Iterable[tuple[Tile, DecodedLayer, float]], dimension: int) -> Objects:
    """Join areas (2) or lines (1) that were cut by tiles, in the grid of the tiles, where common vertices are equal.

    Of lines each tile gives what lies within it, without its margin.
    """
    by_turn: dict[float, list[Objects]] = {}
    zoom = 0
    for tile, layer, turn in layers:
        zoom = tile.z
        if dimension == 2:
            shapes = _valid(_in_grid(tile, layer.geometry))
        else:
            inside = shapely.clip_by_rect(layer.geometry, 0, 0, layer.extent, layer.extent)
            shapes = _in_grid(tile, shapely.get_parts(inside))
        by_turn.setdefault(turn, []).append(shapes)
    joined = []
    for turn, parts in by_turn.items():
        whole = shapely.union_all(np.concatenate(parts))
        whole = whole if dimension == 2 else shapely.line_merge(whole)
        joined.append(_turned(shapely.get_parts(whole), zoom, turn))
    return _parts(np.concatenate(joined), dimension) if joined else np.empty(0, dtype=object)


def _in_grid(tile: Tile, geometry: Objects) -> Objects:
    """Move geometry of a tile to the grid of all tiles of its zoom."""
    corner = np.array([tile.x, tile.y]) * float(_TILE_UNITS)
    moved: Objects = shapely.transform(geometry, lambda xy: xy + corner)
    return moved


def _turned(geometry: Objects, zoom: int, turn: float) -> Objects:
    def degrees(xy: Floats) -> Floats:
        turned: Floats = lonlat(xy / (_TILE_UNITS << zoom)) + np.array([turn, 0.0])
        return turned

    moved: Objects = shapely.transform(geometry, degrees)
    return moved


def _valid(areas: Objects) -> Objects:
    bad = ~shapely.is_valid(areas)
    areas[bad] = shapely.make_valid(areas[bad])
    return _parts(areas, 2)


def _parts(shapes: Objects, dimension: int) -> Objects:
    """Single parts of a dimension."""
    parts = shapely.get_parts(shapes)
    while (shapely.get_type_id(parts) >= 4).any():
        parts = shapely.get_parts(parts)
    fits: Objects = parts[(shapely.get_dimensions(parts) == dimension) & ~shapely.is_empty(parts)]
    return fits


def _places(layers: Iterable[tuple[Tile, DecodedLayer, float]], language: GroundLanguage) -> list[NamedPlace]:
    """Places of tiles, each once, the capitals and then the most populous first."""
    found: dict[tuple[str, float, float], NamedPlace] = {}
    for tile, layer, turn in layers:
        points = shapely.get_coordinates(_turned(_in_grid(tile, layer.geometry), tile.z, turn)).round(4).tolist()
        for (lon, lat), about in zip(points, layer.properties, strict=True):
            name = _name(about, language)
            found[name, lon, lat] = NamedPlace(
                name, lon, lat, int(about.get("population") or 0), bool(about.get("capital"))
            )
    return sorted(found.values(), key=lambda one: (not one.capital, -one.population, one.name, one.lon))


def _name(about: Mapping[str, Any], language: GroundLanguage) -> str:
    return str(about.get(f"name_{language}") or about.get("name_en") or about["name"])


# --- from countries -------------------------------------------------------------------------------


def _from_countries(countries: Basemap, window: Window) -> MapGround:
    west, south, east, north = window
    none: Objects = np.empty(0, dtype=object)
    shapes, lines = _windowed(countries.countries.shape, window), countries.boundaries
    sea = shapely.difference(shapely.box(west, south, east, north), shapely.union_all(_valid(shapes)))
    borders = lines.shape[np.array([kind == "border" for kind in lines.kind], dtype=bool)]
    table = countries.places
    at = shapely.get_coordinates(table.shape)
    places: list[NamedPlace] = []
    for turn in (-360.0, 0.0, 360.0):
        lon, lat = at[:, 0] + turn, at[:, 1]
        for row in np.flatnonzero((lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)).tolist():
            population, capital = int(table.population[row]), bool(table.capital[row])
            places.append(NamedPlace(str(table.name[row]), float(lon[row]), float(lat[row]), population, capital))
    places.sort(key=lambda one: (not one.capital, -one.population, one.name, one.lon))
    return MapGround(
        sea=_parts(np.array([sea], dtype=object), 2),
        lakes=none,
        former=none,
        rivers=none,
        borders=_windowed(borders, window),
        places=places[:_MOST_PLACES],
        origin="countries",
    )


def _windowed(shapes: Objects, window: Window) -> Objects:
    """Cut shapes to a window, which may cross 180 degrees."""
    found = []
    for turn in (-360.0, 0.0, 360.0):
        west, east = window[0] - turn, window[2] - turn
        bounds = shapely.bounds(shapes)
        near = shapes[(bounds[:, 0] <= east) & (bounds[:, 2] >= west)]
        cut = shapely.clip_by_rect(near, west, window[1], east, window[3])
        found.append(shapely.transform(cut[~shapely.is_empty(cut)], partial(np.add, np.array([turn, 0.0]))))
    joined: Objects = np.concatenate(found)
    return joined
