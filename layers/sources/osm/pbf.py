"""Energy assets of an OpenStreetMap PBF file, as Overpass would give them, in three passes over the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import osmium
from osmium.filter import IdFilter, TagFilter
from osmium.osm import NODE, WAY

from layers.sources.files.limits import MAX_ROWS, Refused
from layers.sources.osm.tags import kind_of

#: Tags that an asset has at least one of: all other objects are passed over without leaving C++.
_WANTED = (
    *(("man_made", value) for value in ("pipeline", "petroleum_well", "oil_well", "gas_well", "offshore_platform")),
    ("power", "plant"),
    ("pipeline", "substation"),
)
_INDUSTRIAL = (
    *("oil", "fracking", "oil_storage", "petroleum_terminal", "hydrocarbons", "gas", "gas_storage", "natural_gas"),
    *("wellsite", "well_cluster", "refinery", "depot"),
)


def elements(path: Path, file: str) -> tuple[list[dict[str, Any]], str | None]:
    """Elements with a tag that assets have, the ways and nodes that assets refer to, and the day of the data.

    Raises
    ------
    Refused
        If it is no PBF file, or holds more such elements than are read.
    """
    try:
        return _elements(path, file), _day(path)
    except RuntimeError as error:
        raise Refused(file, "syntax", error, "an OpenStreetMap PBF file") from error


def _elements(path: Path, file: str) -> list[dict[str, Any]]:
    wanted = TagFilter(*_WANTED, *(("industrial", value) for value in _INDUSTRIAL))
    found = [_element(one) for one in osmium.FileProcessor(str(path)).with_filter(wanted)]
    _require_few(found, file)
    # What is no asset is given as well, to be counted, but without its parts.
    assets = [one for one in found if kind_of(one["tags"])[0]]
    there = {(one["type"], one["id"]) for one in found}
    members = [member for one in assets for member in one.get("members", ())]
    ways = {member["ref"] for member in members if member["type"] == "way"}
    found += _by_id(path, WAY, {ref for ref in ways if ("way", ref) not in there}, file)
    parts = [one for one in found if one["type"] == "way" and (one["id"] in ways or kind_of(one["tags"])[0])]
    nodes = {ref for one in parts for ref in one["nodes"]}
    nodes |= {member["ref"] for member in members if member["type"] == "node"}
    return found + _by_id(path, NODE, {ref for ref in nodes if ("node", ref) not in there}, file)


def _by_id(path: Path, kind: Any, ids: Iterable[int], file: str) -> list[dict[str, Any]]:
    """Objects of one type by their ids, without their tags: they are parts of others."""
    wanted = sorted(ids)
    if not wanted:
        return []
    _require_few(wanted, file)
    processor = osmium.FileProcessor(str(path), kind).with_filter(IdFilter(wanted))
    return [{**_element(one), "tags": {}} for one in processor]


def _require_few(found: list[Any], file: str) -> None:
    # A country has some 100,000 of them, with 20 vertices each.
    if len(found) > 10 * MAX_ROWS:
        raise Refused(file, "elements", f"{len(found):,}", f"at most {10 * MAX_ROWS:,}; cut the file to a smaller area")


def _element(one: Any) -> dict[str, Any]:
    values: dict[str, Any] = {"id": one.id, "tags": dict(_tags(one))}
    if one.is_node():
        # Whether it is on the globe is asked later, of this node alone.
        place = one.location
        return {**values, "type": "node", "lon": place.lon_without_check(), "lat": place.lat_without_check()}
    if one.is_way():
        return {**values, "type": "way", "nodes": [node.ref for node in one.nodes]}
    members = [{"type": _TYPES[member.type], "ref": member.ref, "role": member.role} for member in one.members]
    return {**values, "type": "relation", "members": members}


_TYPES = {"n": "node", "w": "way", "r": "relation"}


def _tags(one: Any) -> Iterator[tuple[str, str]]:
    return ((tag.k, tag.v) for tag in one.tags)


def _day(path: Path) -> str | None:
    """Day of the data, from the header of the file."""
    with osmium.io.Reader(str(path), NODE) as reader:
        stamp = str(reader.header().get("osmosis_replication_timestamp"))
    return stamp[:10] if stamp[:1].isdigit() else None
