"""Plants above the units that GEM lists: which rows are units of one plant, and what the plant is by its units.

Rows with one number of GEM's for their location or plant are units of it; without one, rows of one name and page, or
of one name and country whose places are near each other. A plant of a single row is that row alone. Segments of
pipelines stay what they are.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geo.spatial_join.geodesic_distance import wgs84
from layers.model.operation import common_dates, common_status
from layers.model.records import Asset
from layers.sources.gem.columns import TrackerRow
from layers.sources.gem.record_builder import gem_id, is_gem_number
from layers.sources.reader.record_builder import short_digest, slug

#: Kinds whose rows are never units: a segment of a line is elsewhere than the next.
_WITHOUT_UNITS = frozenset({"pipeline"})
#: Units of one name and country without a page are of one plant up to this distance in degrees of each axis.
_NEAR_DEGREES = 0.1
Interval = tuple[float, float]
#: Anything that an owner whom nobody names may hold.
_OPEN: Interval = (0.0, 100.0)


@dataclass(frozen=True, slots=True)
class Plant:
    """A plant: the id of its asset, its name, GEM's number of it, if any, and file and line of its first unit."""

    id: str
    name: str
    number: str
    file: str
    line: int


def plants_of(rows: Iterable[tuple[TrackerRow, str]]) -> Mapping[tuple[str, int], Plant]:
    """Return the plant of each row that is a unit of one, by file and line of the row."""
    groups: dict[tuple[str, ...], list[TrackerRow]] = defaultdict(list)
    for row, kind in rows:
        if kind not in _WITHOUT_UNITS:
            groups[_key(row, kind)].append(row)
    plants: dict[tuple[str, int], Plant] = {}
    for key, group in groups.items():
        for units in [group] if key[0] in ("number", "page") else _near(group):
            if len(units) > 1:
                plant = _plant(units)
                plants.update(((row.file, row.line), plant) for row in units)
    return plants


def _key(row: TrackerRow, kind: str) -> tuple[str, ...]:
    if is_gem_number(row["plant_id"]):
        return "number", gem_id(row["plant_id"])
    name = " ".join(row["name"].casefold().split())
    if row["url"]:
        return "page", kind, name, row["url"]
    return "name", kind, name, row["countries"].casefold()


def _near(rows: Sequence[TrackerRow]) -> list[list[TrackerRow]]:
    """Split rows of one name into those that are near the first of each group; places that cannot be read are one."""
    groups: list[tuple[tuple[float, float] | None, list[TrackerRow]]] = []
    for row in rows:
        place = _degrees(row)
        for first, group in groups:
            if first == place or (
                first and place and max(abs(first[0] - place[0]), abs(first[1] - place[1])) <= _NEAR_DEGREES
            ):
                group.append(row)
                break
        else:
            groups.append((place, [row]))
    return [group for _, group in groups]


def _degrees(row: TrackerRow) -> tuple[float, float] | None:
    lat, _, lon = row["latlon"].partition(",")
    try:
        return float(row["lat"] or lat), float(row["lon"] or lon)
    except ValueError:
        return None


def _plant(units: Sequence[TrackerRow]) -> Plant:
    first = units[0]
    number = first["plant_id"] if is_gem_number(first["plant_id"]) else ""
    if number:
        return Plant(gem_id(number), first["name"], number, first.file, first.line)
    digest = short_digest("\n".join((first["url"], first["name"], "" if first["url"] else first["countries"])))
    # Plants of one name that lie apart are told by their place.
    place = "" if first["url"] else "-".join(f"{degree:.1f}" for degree in _degrees(first) or ())
    parts = (slug(first["name"])[:40], slug(place), digest)
    return Plant(f"gem/plant/{'-'.join(part for part in parts if part)}", first["name"], "", first.file, first.line)


@dataclass(slots=True)
class Unit:
    """A unit that was read: its asset, and the bounds of each holder's share in percent; None where none is named."""

    asset: Asset
    shares: dict[str, Interval] | None = None

    def add_share(self, holder: str, share: Interval) -> None:
        """Add a holder's share; one that is listed twice holds both, and never more than all."""
        self.shares = self.shares or {}
        before = self.shares.get(holder, (0.0, 0.0))
        self.shares[holder] = (min(100.0, before[0] + share[0]), min(100.0, before[1] + share[1]))

    def share_of(self, holder: str) -> Interval:
        """Return the bounds of a holder's share; of a unit whose owners are not named it may hold all or nothing."""
        return _OPEN if self.shares is None else self.shares.get(holder, (0.0, 0.0))


def plant_shares(units: Sequence[Unit]) -> tuple[Mapping[str, Interval], str]:
    """Return the shares of a plant in percent by holder, summed from its units by capacity, and how, in words.

    Where units differ in a holder's share and the capacity of any is not known, the holder has from the least to the
    most that it has in any unit. A unit without named owners may be anybody's.
    """
    # What operates says what the plant is today.
    counted = [unit for unit in units if unit.asset.status == "operating"] or units
    holders = dict.fromkeys(holder for unit in counted for holder in unit.shares or {})
    capacities = [unit.asset.capacity or 0.0 for unit in counted]
    measures = {unit.asset.capacity_unit for unit in counted}
    is_weighted = min(capacities) > 0 and len(measures) == 1
    total = math.fsum(capacities)
    shares: dict[str, Interval] = {}
    are_equal = True
    for holder in holders:
        bounds = [unit.share_of(holder) for unit in counted]
        if len(set(bounds)) == 1:
            shares[holder] = bounds[0]
            continue
        are_equal = False
        if is_weighted:
            least, most = (
                math.fsum(size * bound[end] for size, bound in zip(capacities, bounds, strict=True)) / total
                for end in (0, 1)
            )
            # Products leave errors of the last digits.
            shares[holder] = (round(least, 6), min(100.0, round(most, 6)))
        else:
            shares[holder] = (min(low for low, _ in bounds), max(high for _, high in bounds))
    which = f"{len(counted)} unit(s)" + (" that operate" if counted[0].asset.status == "operating" else "")
    if are_equal:
        return shares, f"As in each of the {which}"
    if is_weighted:
        return shares, f"Mean of the {which}, by capacity"
    return shares, f"From the least to the most in any of the {which}, as not every capacity is known"


def plant_asset(plant: Plant, units: Sequence[Unit]) -> dict[str, Any]:
    """Return the values of a plant's asset, but for its sources, by those of its units.

    Its place is that of its best located unit; as far as others lie from it, it may be off. Its capacity is the sum of
    the units that operate, if every one's is known. It operates if any unit does.
    """
    assets = [unit.asset for unit in units]
    operating = [asset for asset in assets if asset.status == "operating"]
    capacity, measure = _capacity(operating)
    since, until = common_dates(assets)
    statuses = Counter(asset.status or "status unknown" for asset in assets)
    listed = ", ".join(f"{count} {status}" for status, count in sorted(statuses.items()))
    page = next((asset.external_ids["gem-wiki"] for asset in assets if "gem-wiki" in asset.external_ids), None)
    numbers = {"gem": plant.number} if plant.number else {}
    return {
        "id": plant.id,
        "name": plant.name,
        "kind": Counter(asset.kind for asset in assets).most_common(1)[0][0],
        "aliases": tuple(dict.fromkeys(alias for asset in assets for alias in asset.aliases)),
        "commodity": _common([asset.commodity for asset in assets]),
        "host_country": _common([asset.host_country for asset in assets]),
        "capacity": capacity,
        "capacity_unit": measure,
        "status": common_status(asset.status for asset in assets),
        "since": since,
        "until": until,
        "external_ids": {**numbers, **({"gem-wiki": page} if page else {})},
        "checked": "read",
        "note": f"{len(assets)} units: {listed}",
        **_place(operating or assets, assets),
    }


def _capacity(operating: Sequence[Asset]) -> tuple[float | None, str | None]:
    sizes = [asset.capacity for asset in operating if asset.capacity is not None]
    measures = {asset.capacity_unit for asset in operating}
    if not sizes or len(sizes) < len(operating) or len(measures) > 1:
        return None, None
    return round(math.fsum(sizes), 6), measures.pop()


def _common(values: Sequence[str | None]) -> str | None:
    """Return the one value that is there; None where there are several or none."""
    distinct = {value for value in values if value is not None}
    return distinct.pop() if len(distinct) == 1 else None


def _place(first: Sequence[Asset], assets: Sequence[Asset]) -> dict[str, Any]:
    """Return the location columns: of the best located of the first units, or of any where these have no place."""
    placed = [asset for asset in assets if asset.geometry is not None]
    if not placed:
        return {}
    among = [asset for asset in first if asset.geometry is not None] or placed
    best = min(among, key=lambda asset: asset.uncertainty_m or math.inf)
    assert best.geometry is not None
    furthest = max(metres_between(best.geometry, asset.geometry) for asset in among if asset.geometry is not None)
    uncertainty_m = max(best.uncertainty_m or 0.0, furthest)
    return {
        "geometry": best.geometry,
        "uncertainty_m": round(uncertainty_m, 1),
        "basis": best.basis,
        "place_source": best.place_source,
    }


def metres_between(one: BaseGeometry, other: BaseGeometry) -> float:
    """Return the distance of two places by their first vertices, in metres on the WGS 84 ellipsoid."""
    if one.equals(other):
        return 0.0
    start, stop = (shapely.get_coordinates(shape)[0] for shape in (one, other))
    _, _, metres = wgs84().inv(start[0], start[1], stop[0], stop[1])
    return float(np.abs(metres))
