"""The asset layer that the matcher is measured on: bundled records and third-party data beside the checkout."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely

from geo.spatial_join.join import pairs_within
from layers.matching.asset_index import AssetIndex, related_names
from layers.model.records import Records
from layers.sources import curated
from layers.sources.gem.record_builder import read_location
from layers.sources.reader.cell_values import CellValueError

#: The same power station in two sources is no further apart, in metres.
SAME_SITE_M = 3_000.0
POWER = ("power-plant", "hydro-plant", "nuclear-plant")
#: Refineries of the list that the bundled records lack.
LISTED = (2, 3, 6, 7, 8, 9)


@dataclass(frozen=True)
class Row:
    """One asset, as far as the matcher reads it."""

    id: str
    geometry: shapely.Geometry
    uncertainty_m: float
    site: bool
    kind: str
    names: tuple[str, ...]
    owners: tuple[str, ...]


def index(rows: Sequence[Row]) -> AssetIndex:
    return AssetIndex.from_columns(
        [row.id for row in rows],
        np.array([row.geometry for row in rows], dtype=object),
        np.array([row.uncertainty_m for row in rows]),
        np.array([row.site for row in rows]),
        [row.kind for row in rows],
        [row.names for row in rows],
        [row.owners for row in rows],
    )


def layer(real: Path | None) -> list[Row]:
    """Bundled assets and, where it is present, third-party data; each power station once."""
    records = curated.read().require_clean()
    bundled = list(_records(records))
    if real is None:
        return bundled
    known = {item.strip() for a in records.assets.values() for item in a.external_ids.get("gem", "").split(",")}
    pipes = (row for row in _gem(real / "gem_ggit_2024_10/ggit_map_2024-10-08.csv") if row.id[4:].upper() not in known)
    parts = [
        bundled,
        list(_gppd(real / "wri_gppd/global_power_plant_database_ukraine.csv")),
        list(_wri(real / "wri_gppd/WRI_Russia.csv")),
        _projects(real / "gem_gas_oil_plants_2024_08/data-2024-08-29.csv"),
        list(_osm(real / "osm_power_ukraine/power_stations_with_oblasts.geojson")),
        list(_refineries(real / "refinery_strikes_ru_2025/refineries.json")),
        list(pipes),
    ]
    return _once([row for part in parts for row in part])


def _once(rows: list[Row]) -> list[Row]:
    """Without power stations that an earlier source has at the same site."""
    power = np.array([number for number, row in enumerate(rows) if row.kind in POWER])
    shapes = np.array([rows[number].geometry for number in power], dtype=object)
    pairs = pairs_within(shapes, shapes, SAME_SITE_M)
    dropped: set[int] = set()
    for left, right in zip(power[pairs.left], power[pairs.right], strict=True):
        a, b = rows[left], rows[right]
        if left < right and left not in dropped and a.kind == b.kind and _source(a) != _source(b):
            dropped.add(int(right))
    return [row for number, row in enumerate(rows) if number not in dropped]


def _source(row: Row) -> str:
    return row.id.split("/")[0] if "/" in row.id else "bundled"


def _records(records: Records) -> Iterator[Row]:
    owners = related_names(records)
    for a in records.assets.values():
        if a.geometry is not None and a.uncertainty_m is not None:
            names = (a.name, *a.names.values(), *a.aliases)
            yield Row(a.id, a.geometry, a.uncertainty_m, a.basis == "site", a.kind, names, owners.get(a.id, ()))


def _gem(path: Path) -> Iterator[Row]:
    """Pipelines and terminals; how far off a route is follows from its longest straight stretch."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            try:
                where = read_location(row["geometry"], row["Latitude"], row["Longitude"], "")
            except CellValueError:
                continue
            if where is not None:
                kind = "pipeline" if where.geometry.geom_type.endswith("LineString") else "lng-plant"
                names = tuple(item for item in (row["name"], row["unit-name"]) if item)
                owners = tuple(item.split("[")[0].strip() for item in row["owner"].split(";"))
                site = where.basis == "site"
                yield Row(f"gem/{row['id'].lower()}", where.geometry, where.uncertainty_m, site, kind, names, owners)


def _projects(path: Path) -> list[Row]:
    """Units of a plant as one."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows_by_project = {row["project"]: row for row in csv.DictReader(file) if row["lat"] and row["lng"]}
    return [
        Row(
            f"gem-plant/{name}",
            shapely.Point(float(row["lng"]), float(row["lat"])),
            2_000.0,
            True,
            "power-plant",
            (name, *row["project_loc"].split(",")),
            tuple(item.split("[")[0].strip() for item in row["owner"].split(";")),
        )
        for name, row in rows_by_project.items()
    ]


def _fuel(fuel: str) -> str:
    return {"Hydro": "hydro-plant", "Nuclear": "nuclear-plant"}.get(fuel, "power-plant")


def _gppd(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            point = shapely.Point(float(row["longitude"]), float(row["latitude"]))
            kind = _fuel(row["primary_fuel"])
            yield Row(f"wri/{row['gppd_idnr']}", point, 2_000.0, True, kind, (row["name"],), (row["owner"],))


def _wri(path: Path) -> Iterator[Row]:
    with path.open(encoding="latin-1", newline="") as file:
        for row in csv.DictReader(file):
            if row["Latitude"] and row["Longitude"] and abs(float(row["Latitude"])) <= 90:  # one is swapped
                point = shapely.Point(float(row["Longitude"]), float(row["Latitude"]))
                names = tuple(item for item in (row["Name"], row["Natural Language"] or "") if item)
                yield Row(
                    f"wri/WRI{row['Power Plant ID']}", point, 2_000.0, True, _fuel(row["Fuel"]), names, (row["Owner"],)
                )


def _osm(path: Path) -> Iterator[Row]:
    for feature in json.loads(path.read_text(encoding="utf-8"))["features"]:
        properties = feature["properties"]
        shape = shapely.geometry.shape(feature["geometry"])
        source = properties["plant:source"] or ""
        kind = {"hydro": "hydro-plant", "nuclear": "nuclear-plant"}.get(source, "power-plant")
        kind = "substation" if properties["power"] == "substation" else kind
        names = tuple(item for item in (properties["name"], properties["station_name_en"]) if item)
        owners = (properties["operator"],) if properties["operator"] else ()
        if not shape.is_empty and shape.is_valid:
            yield Row(f"osm/{properties['osm_type'][0]}{properties['osm_id']}", shape, 100.0, True, kind, names, owners)


def _refineries(path: Path) -> Iterator[Row]:
    for number, properties in enumerate(json.loads(path.read_text(encoding="utf-8")), 1):
        if number in LISTED:
            lat, lon = properties["location"]
            owners = (properties["company"],) if properties["company"] else ()
            yield Row(
                f"refinery-list/{number}",
                shapely.Point(lon, lat),
                5_000.0,
                True,
                "refinery",
                (properties["name"],),
                owners,
            )
