"""The same few elements of OpenStreetMap, made up, in every container that a person may have them in."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import osmium
import shapely
from osmium.osm.mutable import Node, Relation, Way

from layers.model.problems import ReadResult
from layers.sources.files.source_file import SourceFile
from layers.sources.osm.reader import FORMAT
from layers.sources.reader.format import LoadOptions
from tests.layers.sources.making_files import file_of

Element = dict[str, Any]

#: Vertices by number: a square of 0.4 degrees (1-4), one of 0.1 in its middle (5-8), a line (9-11), three turbines.
NODES = {
    1: (30.0, 50.0), 2: (30.4, 50.0), 3: (30.4, 50.4), 4: (30.0, 50.4),
    5: (30.1, 50.1), 6: (30.2, 50.1), 7: (30.2, 50.2), 8: (30.1, 50.2),
    9: (31.0, 50.0), 10: (31.5, 50.1), 11: (32.0, 50.0),
    12: (33.0, 50.0), 13: (33.1, 50.0), 14: (33.1, 50.1),
}  # fmt: skip
PLATFORM: Element = {"type": "node", "id": 20, "lon": 31.0, "lat": 45.0, "tags": {"man_made": "offshore_platform"}}
PLANT: Element = {
    "type": "way",
    "id": 30,
    "nodes": [5, 6, 7, 8, 5],
    "tags": {
        "power": "plant",
        "plant:source": "nuclear",
        "plant:output:electricity": "2.5 GW",
        "name": "Вишнева АЕС",
        "name:en": "Vyshneva NPP",
        "name:uk": "Вишнева АЕС",
        "alt_name": 'Станція "Вишня";VNPP',
        "operator": "Vyshnia JSC",
        "operator:wikidata": "Q101",
        "owner": "Vyshnia Holding;City of Vyshneva",
        "wikidata": "Q100",
    },
}
LINE: Element = {
    "type": "way",
    "id": 31,
    "nodes": [9, 10, 11, 9],
    "tags": {"man_made": "pipeline", "substance": "gas", "name": "Ring line"},
}
#: The square without its middle, of two open ways and a closed one.
REFINERY: Element = {
    "type": "relation",
    "id": 40,
    "members": [
        {"type": "way", "ref": 32, "role": "outer"},
        {"type": "way", "ref": 33, "role": "outer"},
        {"type": "way", "ref": 30, "role": "inner"},
    ],
    "tags": {"type": "multipolygon", "industrial": "refinery", "name": "Square Refinery"},
}
WIND_FARM: Element = {
    "type": "relation",
    "id": 41,
    "members": [{"type": "node", "ref": ref, "role": "generator"} for ref in (12, 13, 14)],
    "tags": {"type": "site", "power": "plant", "plant:source": "wind"},
}
PARTS: list[Element] = [{"type": "way", "id": 32, "nodes": [1, 2, 3]}, {"type": "way", "id": 33, "nodes": [3, 4, 1]}]
ASSETS = [PLATFORM, PLANT, LINE, REFINERY, WIND_FARM]

_MIDDLE = shapely.box(30.1, 50.1, 30.2, 50.2)
SHAPES = {
    "osm/node/20": shapely.Point(31, 45),
    "osm/way/30": _MIDDLE,
    "osm/way/31": shapely.LineString([NODES[9], NODES[10], NODES[11], NODES[9]]),
    "osm/relation/40": shapely.difference(shapely.box(30, 50, 30.4, 50.4), _MIDDLE),
    "osm/relation/41": shapely.MultiPoint([NODES[12], NODES[13], NODES[14]]),
}


def nodes(*left_out: int) -> list[Element]:
    return [{"type": "node", "id": n, "lon": x, "lat": y} for n, (x, y) in NODES.items() if n not in left_out]


def answer(elements: Iterable[Any], **more: Any) -> str:
    """What Overpass answers."""
    stamp = {"timestamp_osm_base": "2026-10-01T20:00:00Z", "copyright": "made up"}
    return json.dumps({"version": 0.6, "generator": "Overpass API", "osm3s": stamp, "elements": [*elements], **more})


def overpass_body(path: Path) -> SourceFile:
    return file_of(path / "a.json", answer([*ASSETS, *PARTS, *nodes()]))


def overpass_geom(path: Path) -> SourceFile:
    """Coordinates in the elements, as `out geom` gives them."""
    vertices = {way["id"]: _points(way["nodes"]) for way in (PLANT, LINE, *PARTS)}
    found = []
    for one in ASSETS:
        ways = {"geometry": vertices[one["id"]]} if one["type"] == "way" else {}
        members = [
            {**member, **({"geometry": vertices[member["ref"]]} if member["type"] == "way" else _point(member["ref"]))}
            for member in one.get("members", ())
        ]
        found.append({**one, **ways, **({"members": members} if members else {})})
    return file_of(path / "a.json", answer(found))


def _point(ref: int) -> dict[str, float]:
    return {"lon": NODES[ref][0], "lat": NODES[ref][1]}


def _points(refs: Iterable[int]) -> list[dict[str, float]]:
    return [_point(ref) for ref in refs]


def pbf(path: Path, elements: Iterable[Element] = (*ASSETS, *PARTS, *nodes()), stamp: str = "") -> SourceFile:
    """Elements as a PBF file; ``stamp`` is the time of the data in its header."""
    header = osmium.io.Header()
    if stamp:
        header.set("osmosis_replication_timestamp", stamp)
    target = path / "a.osm.pbf"
    writer = osmium.SimpleWriter(str(target), header=header, overwrite=True)
    for one in sorted(elements, key=lambda one: ("node", "way", "relation").index(one["type"])):
        given = {"id": one["id"], "tags": one.get("tags", {})}
        if one["type"] == "node":
            writer.add_node(Node(**given, location=(one["lon"], one["lat"])))
        elif one["type"] == "way":
            writer.add_way(Way(**given, nodes=one["nodes"]))
        else:
            members = [(member["type"][0], member["ref"], member["role"]) for member in one["members"]]
            writer.add_relation(Relation(**given, members=members))
    writer.close()
    return SourceFile.of(target)


def collection(features: Iterable[Mapping[str, Any]]) -> str:
    return json.dumps({"type": "FeatureCollection", "features": [*features]})


def _features(path: Path, properties: Callable[[Element], Mapping[str, Any]]) -> SourceFile:
    """The assets as GeoJSON, with the properties that a program gives each."""
    made = [
        {
            "type": "Feature",
            "properties": properties(one),
            "geometry": shapely.geometry.mapping(SHAPES[f"osm/{one['type']}/{one['id']}"]),
        }
        for one in ASSETS
    ]
    return file_of(path / "a.geojson", collection(made))


def turbo(path: Path) -> SourceFile:
    return _features(path, lambda one: {"@id": f"{one['type']}/{one['id']}", **one["tags"]})


def unflattened(path: Path) -> SourceFile:
    """As osmtogeojson writes it by default."""
    about: dict[str, Any] = {"relations": [], "meta": {"version": 1}}
    return _features(path, lambda one: {"type": one["type"], "id": one["id"], "tags": one["tags"], **about})


def quick_osm(path: Path) -> SourceFile:
    def properties(one: Element) -> dict[str, Any]:
        told = {"full_id": f"{one['type'][0]}{one['id']}", "osm_id": str(one["id"]), "osm_type": one["type"]}
        return {**told, **one["tags"]}

    return _features(path, properties)


def osmium_export(path: Path) -> SourceFile:
    return _features(path, lambda one: {"@type": one["type"], "@id": one["id"], **one["tags"]})


def gdal(path: Path) -> SourceFile:
    """As GDAL writes it: a few tags have columns, the others are together; areas have a column of ids for ways."""

    def properties(one: Element) -> dict[str, Any]:
        is_area = one is PLANT or one["type"] == "relation"
        number = str(one["id"])
        ids = {"osm_id": None, "osm_way_id": number} if one is PLANT else {"osm_id": number}
        ids |= {"osm_way_id": None} if is_area and one is not PLANT else {}
        columns = {key: one["tags"].get(key) for key in ("name", "man_made", "type")}
        others = {key: value for key, value in one["tags"].items() if key not in columns}
        return {**ids, **columns, "other_tags": ",".join(f'"{k}"=>"{_escaped(v)}"' for k, v in others.items()) or None}

    return _features(path, properties)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


CONTAINERS = (overpass_body, overpass_geom, pbf, turbo, unflattened, quick_osm, osmium_export, gdal)


def read(file: SourceFile, **more: Any) -> ReadResult:
    return FORMAT.read([file], LoadOptions("osm/sample", retrieved="2026-11-25", **more))


def read_elements(path: Path, *elements: Any, **more: Any) -> ReadResult:
    return read(file_of(path / "a.json", answer(elements, **more)))


def assert_every_row_ends_once(reading: ReadResult) -> None:
    """Rows are loaded, skipped or rejected; what is loaded and not whole says so."""
    loaded = {reading.locations["assets", key].row for key in reading.records.assets}
    lost = {problem.row for problem in reading.problems if problem.row is not None} - loaded
    assert reading.rows == len(reading.records.assets) + sum(reading.skipped.values()) + len(lost)
