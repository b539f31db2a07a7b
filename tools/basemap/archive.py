"""Builds the base map of the web map: a PMTiles archive of vector tiles, zoom 0 to 9.

Coast, lakes and rivers are GSHHG and WDBII (`gshhg`), regions Natural Earth (`regions`), countries and borders the
base map that countries are looked up in (`layers.reference.basemap`), places GeoNames in the spelling of `spelling`.
The world is drawn to zoom 6, and a box around the conflicts of the bundled records to zoom 9 (`EXTENT`).
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from pmtiles.tile import zxy_to_tileid
from pmtiles.writer import Writer
from rich.progress import Progress

from geo.lonlat import Ints, Objects
from geo.tiles.generalize import EXTENT as TILE_UNITS
from geo.tiles.mvt import encode_tile
from geo.tiles.shape_index import BUFFER
from geo.tiles.tile_layer import TileLayer
from geo.tiles.tile_matrix import Box, Tile, covering, world
from layers.filesystem.atomic_file import replacing
from layers.reference.basemap import Basemap
from layers.reference.basemap_archive import tile_header
from layers.reference.place_spellings import PlaceSpelling, exonyms
from tools.basemap import gshhg, regions, waters
from tools.basemap.countries import place_frame
from tools.basemap.spelling import spelling

#: From this zoom on shorelines have all their vertices.
FULL_ZOOM = 7
#: From this zoom on countries are cut by tile, as simplifying a whole one for each tile takes too long.
CUT_ZOOM = 8
#: First zoom of a river as long as so many degrees.
RIVER_ZOOMS = ((6.0, 3), (2.5, 4), (1.0, 5), (0.25, 6), (0.0, 7))
#: Inhabitants of the smallest place: in Ukraine, whose villages the records name, and elsewhere.
SMALLEST_IN_UKRAINE, SMALLEST_PLACE = 500, 1_000
ATTRIBUTION = (
    "Coast, lakes, rivers: GSHHG 2.3.7 and WDBII (LGPL 3) · borders, regions: Natural Earth (public domain) · "
    "places: GeoNames (CC BY 4.0)"
)
_SEAS = Path(__file__).with_name("seas.tsv")
#: Layers of the tiles, with the columns of each.
LAYERS = {
    "sea": (),
    "lake": (),
    "country": ("iso_a2",),
    "river": ("rank",),
    "region": ("country",),
    "boundary": ("kind",),
    "sea_label": ("name_en", "name_uk", "name_de"),
    "region_label": ("name_en", "name_uk", "name_de", "country"),
    "country_label": ("iso_a2", "name_en", "name_uk", "name_de", "label_rank"),
    "place": ("name", "name_en", "name_uk", "name_de", "population", "capital"),
}


@dataclass(frozen=True)
class ArchiveExtent:
    """What an archive shows: the world to one zoom, and a box (west, south, east, north in degrees) to another."""

    world_zoom: int
    max_zoom: int
    detail: tuple[float, float, float, float]
    world: tuple[float, float, float, float] = (-180.0, -85.0, 180.0, 85.0)

    def bounds(self, zoom: int) -> tuple[float, float, float, float]:
        """West, south, east, north of what a zoom shows."""
        return self.world if zoom <= self.world_zoom else self.detail

    def tiles(self, zoom: int) -> list[Tile]:
        """Tiles of a zoom in the order of the archive."""
        return sorted(covering(self.bounds(zoom), zoom), key=lambda tile: zxy_to_tileid(*tile))


EXTENT = ArchiveExtent(6, 9, (-12.0, 3.0, 82.0, 72.0))


@dataclass(frozen=True)
class Shorelines:
    """Land, lakes and islands in lakes as polygons in world coordinates."""

    land: Objects
    lakes: Objects
    islands: Objects

    @classmethod
    def read(cls, wheel: Path, resolution: gshhg.Resolution) -> Shorelines:
        """Read the shorelines of a resolution."""
        # The front of Antarctica's ice needs no more vertices: no tile beyond the world's zooms shows it.
        land = [gshhg.polygons(wheel, gshhg.LAND, resolution), gshhg.polygons(wheel, gshhg.ANTARCTICA, "h")]
        inland = (gshhg.polygons(wheel, level, resolution) for level in (gshhg.LAKE, gshhg.ISLAND))
        return cls(waters.projected(np.concatenate(land)), *map(waters.projected, inland))


@dataclass(frozen=True)
class ZoomLayers:
    """What a zoom draws: layers for all its tiles, and areas that were cut for each tile."""

    sea: Mapping[Tile, Objects]
    whole: Sequence[TileLayer]
    #: Polygons in world coordinates by tile, and the code of the country of each; ``None`` where `whole` has them.
    countries: Mapping[Tile, tuple[Objects, list[Any]]] | None

    def encode(self, tile: Tile) -> bytes:
        """Encode a tile."""
        cut = [waters.area_layer("sea", self.sea[tile])] if tile in self.sea else []
        if self.countries is not None and tile in self.countries:
            areas, codes = self.countries[tile]
            cut.append(waters.area_layer("country", areas, {"iso_a2": codes}))
        return encode_tile([*cut, *self.whole], tile)


class ArchiveSources:
    """All that the archive is drawn from; what takes long is read when it is first needed."""

    def __init__(
        self,
        wheel: Path,
        regions: Path,
        countries: Basemap,
        states: Sequence[dict[str, Any]],
        cities: Sequence[dict[str, Any]],
    ) -> None:
        self.wheel = wheel
        self._regions = regions
        self._countries = countries
        self._states = states
        self._cities = cities

    @cached_property
    def coarse(self) -> Shorelines:
        """Shorelines for the zooms below `FULL_ZOOM`."""
        return Shorelines.read(self.wheel, "h")

    @cached_property
    def full(self) -> Shorelines:
        """Shorelines for the others."""
        return Shorelines.read(self.wheel, "f")

    @cached_property
    def lines_and_names(self) -> list[TileLayer]:
        """The layers that are drawn over water and countries, for all zooms."""
        features = regions.read(self._regions)
        countries = {layer.name: layer for layer in self._countries.layers}
        return [
            _river_layer(gshhg.rivers(self.wheel, "f")),
            _region_layer(regions.lines(features)),
            _border_layer(self._countries),
            _sea_name_layer(),
            _region_name_layer(regions.names(features)),
            countries["country_label"],
            place_layer(self._states, self._cities),
        ]

    def countries(self, zoom: int, within: Box) -> Mapping[Tile, tuple[Objects, list[Any]]]:
        """The countries as areas cut by tile, with the code of each."""
        table = self._countries.countries
        parts, row = shapely.get_parts(waters.projected(table.shape), return_index=True)
        margin = BUFFER / TILE_UNITS / (1 << zoom)
        return {
            tile: (areas, table.iso_a2[row[index]].tolist())
            for tile, _, areas, index in waters.pieces(parts, zoom, margin, within)
            if len(areas)
        }

    @cached_property
    def whole_countries(self) -> TileLayer:
        """The countries as areas, for the zooms below `CUT_ZOOM`."""
        return self._countries.ground()[0]


def build(sources: ArchiveSources, path: Path, extent: ArchiveExtent = EXTENT) -> None:
    """Write the archive.

    It is written aside and renamed into place, so that a build that is cut short leaves what was there before. Missing
    folders are created.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as fresh, fresh.open("wb") as file, Progress() as progress:
        writer = Writer(file)
        # Closed by the writer at the end, and here where the build is cut short.
        with writer.tile_f:
            for zoom in range(extent.max_zoom + 1):
                step = progress.add_task(f"Base map, zoom {zoom}", total=None)
                tiles = extent.tiles(zoom)
                layers = layers_of(sources, zoom, extent)
                progress.update(step, total=len(tiles))
                for tile in tiles:
                    body = gzip.compress(layers.encode(tile), 9, mtime=0)
                    writer.write_tile(zxy_to_tileid(*tile), body)
                    progress.advance(step)
            writer.finalize(tile_header(extent.world, extent.max_zoom, (38.0, 44.5)), metadata(extent))


def layers_of(sources: ArchiveSources, zoom: int, extent: ArchiveExtent = EXTENT) -> ZoomLayers:
    """What the tiles of a zoom draw."""
    within = _world_box(extent.bounds(zoom))
    shores = sources.coarse if zoom < FULL_ZOOM else sources.full
    lakes = waters.area_layer("lake", waters.lakes(shores.lakes, shores.islands, zoom))
    return ZoomLayers(
        waters.sea(waters.simplified_areas(shores.land, zoom), zoom, within),
        [lakes, *([sources.whole_countries] if zoom < CUT_ZOOM else ()), *sources.lines_and_names],
        None if zoom < CUT_ZOOM else sources.countries(zoom, within),
    )


def metadata(extent: ArchiveExtent) -> dict[str, Any]:
    """Describe the archive as TileJSON does (PMTiles 3, clause 5)."""
    numbers = {"rank", "label_rank", "population"}
    described = [
        {
            "id": name,
            "minzoom": 0,
            "maxzoom": extent.max_zoom,
            "fields": {
                one: "Boolean" if one == "capital" else "Number" if one in numbers else "String" for one in fields
            },
        }
        for name, fields in LAYERS.items()
    ]
    return {
        "name": "StrikeAtlas base map",
        "type": "baselayer",
        "attribution": ATTRIBUTION,
        "description": (
            f"The world to zoom {extent.world_zoom}, and to zoom {extent.max_zoom} what is within "
            f"{extent.detail} (west, south, east, north)."
        ),
        "vector_layers": described,
    }


def place_layer(countries: Sequence[dict[str, Any]], cities: Sequence[dict[str, Any]]) -> TileLayer:
    """Make the layer of places, each with its names in three languages."""
    drawn = [city for city in cities if city["countrycode"] == "UA" or city["population"] >= SMALLEST_PLACE]
    frame = place_frame(countries, drawn, SMALLEST_IN_UKRAINE)
    alternates = {city["geonameid"]: city["alternatenames"] for city in cities}
    known = exonyms()

    def named(name: str, country: str, key: int) -> PlaceSpelling:
        return known.get((name, country)) or spelling(name, country, alternates[key])

    rows = zip(frame["name"], frame["country"], frame["geonameid"], strict=True)
    spellings = [named(name, country, key) for name, country, key in rows]
    columns: dict[str, list[Any]] = {
        "name": frame["name"].tolist(),
        "name_en": [one.english for one in spellings],
        "name_uk": [one.ukrainian for one in spellings],
        "name_de": [one.german for one in spellings],
        "population": _two_digits(frame["population"].to_numpy()).tolist(),
        "capital": [True if one else None for one in frame["capital"]],
    }
    columns["name_en"] = [
        None if english == name else english for english, name in zip(columns["name_en"], columns["name"], strict=True)
    ]
    points = frame.geometry.to_numpy()
    return TileLayer("place", points, frame["geonameid"], columns, min_zoom=frame["min_zoom"])


def _two_digits(numbers: Ints) -> Ints:
    """Numbers rounded to their first two digits: they only order the names, and take less room."""
    steps = 10 ** np.maximum(np.floor(np.log10(np.maximum(numbers, 1))) - 1, 0)
    rounded: Ints = (np.round(numbers / steps) * steps).astype(np.int64)
    return rounded


def _river_layer(lines: Objects) -> TileLayer:
    long = shapely.length(lines)
    rank = np.select([long >= least for least, _ in RIVER_ZOOMS], range(1, len(RIVER_ZOOMS) + 1))
    zoom = np.array([zoom for _, zoom in RIVER_ZOOMS])[rank - 1]
    return TileLayer("river", lines, np.arange(len(lines)), {"rank": rank.tolist()}, min_zoom=zoom)


def _region_layer(lines: regions.RegionLines) -> TileLayer:
    rows = np.arange(len(lines.line))
    return TileLayer("region", lines.line, rows, {"country": lines.country}, min_zoom=lines.min_zoom)


def _region_name_layer(names: regions.RegionNames) -> TileLayer:
    columns = {
        "name_en": names.name_en,
        "name_uk": names.name_uk,
        "name_de": names.name_de,
        "country": names.country,
    }
    return TileLayer("region_label", names.point, np.arange(len(names.point)), columns, min_zoom=names.min_zoom)


def _border_layer(countries: Basemap) -> TileLayer:
    """Borders on land alone: the coast is that of the sea."""
    lines = countries.boundaries.shape[countries.boundaries.kind == "border"]
    return TileLayer("boundary", lines, np.arange(len(lines)), {"kind": ["border"] * len(lines)})


def _sea_name_layer() -> TileLayer:
    rows = [line.split("\t") for line in _SEAS.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    english, ukrainian, german, lon, lat, zoom = (list(column) for column in zip(*rows, strict=True))
    points = np.asarray(shapely.points(np.array(lon, dtype=float), np.array(lat, dtype=float)), dtype=object)
    columns = {"name_en": english, "name_uk": ukrainian, "name_de": german}
    return TileLayer("sea_label", points, np.arange(len(points)), columns, min_zoom=np.array(zoom, dtype=np.int64))


def _world_box(bounds: tuple[float, float, float, float]) -> Box:
    """West, north, east, south in world coordinates of a box in degrees."""
    west, south, east, north = bounds
    box: Box = world(np.array([[west, north], [east, south]])).reshape(-1)
    return box
