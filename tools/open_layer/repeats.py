"""What trackers have twice: plants of two fuels, units that bear the name of their site, lines. Pure functions."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import shapely

from layers.model.records import Asset, Records, Stake
from layers.sources.gem.plants import Plant, Unit, metres_between, plant_asset, plant_shares
from layers.text.place_names import fold

#: Plants of one name that lie within so many metres of each other are one.
_ONE_PLANT_M = 5_000.0


def with_plants_united(records: Records) -> Records:
    """Unite the plants of one name, country and place that a tracker of coal and one of gas have.

    The one that is located best has the units of all; its capacity, status and owners follow from them, as those of
    every plant.
    """
    assets, stakes = dict(records.assets), dict(records.stakes)
    units: dict[str, list[Asset]] = defaultdict(list)
    for asset in assets.values():
        if asset.part_of is not None:
            units[asset.part_of].append(asset)
    held: dict[str, list[Stake]] = defaultdict(list)
    for stake in stakes.values():
        held[stake.owned].append(stake)
    for one, *others in _plants_of_one_name(records, units):
        own = [_unit(asset, held[asset.id]) for plant in (one, *others) for asset in units[plant.id]]
        values = plant_asset(Plant(one.id, one.name, "", "", 0), own)
        sources = tuple(dict.fromkeys(source for plant in (one, *others) for source in plant.sources))
        fuels = dict.fromkeys(unit.asset.commodity for unit in own if unit.asset.commodity)
        united = {"external_ids": one.external_ids, "sources": sources, "commodity": ", ".join(fuels) or None}
        place = {name: getattr(one, name) for name in ("geometry", "uncertainty_m", "basis", "place_source")}
        assets[one.id] = one.model_copy(update={**values, **united, **place})
        for plant in others:
            del assets[plant.id]
        for unit in own:
            assets[unit.asset.id] = unit.asset.model_copy(update={"part_of": one.id})
        for stake in [stake for plant in (one, *others) for stake in held[plant.id]]:
            del stakes[stake.id]
        in_units = {stake.owner: stake for unit in reversed(own) for stake in held[unit.asset.id]}
        stakes |= {stake.id: stake for stake in _stakes(one, own, in_units)}
    return replace(records, assets=assets, stakes=stakes)


def _plants_of_one_name(records: Records, units: dict[str, list[Asset]]) -> Iterator[Sequence[Asset]]:
    """Yield the plants that are one, the best located first."""
    by_name: dict[tuple[str | None, str], list[Asset]] = defaultdict(list)
    for asset in records.assets.values():
        if asset.kind == "power-plant" and asset.id in units and isinstance(asset.geometry, shapely.Point):
            by_name[asset.host_country, fold(asset.name)].append(asset)
    for plants in by_name.values():
        one, *rest = sorted(plants, key=lambda plant: (plant.uncertainty_m, plant.id))
        near = [plant for plant in rest if plant.dataset != one.dataset and are_near(one, plant, _ONE_PLANT_M)]
        if near:
            yield (one, *near)


def are_near(one: Asset, other: Asset, within_m: float) -> bool:
    """Whether two sites have places, and these lie within so many metres of each other."""
    places = one.geometry, other.geometry
    return places[0] is not None and places[1] is not None and metres_between(places[0], places[1]) <= within_m


def _unit(asset: Asset, stakes: Sequence[Stake]) -> Unit:
    unit = Unit(asset)
    for stake in stakes:
        unit.add_share(stake.owner, (stake.share_min, stake.share_max))
    return unit


def _stakes(plant: Asset, units: Sequence[Unit], in_units: Mapping[str, Stake]) -> Iterator[Stake]:
    """Yield the stakes in a plant as they follow from those in its units, of which one by each holder is given."""
    shares, note = plant_shares(units)
    for holder, (least, most) in shares.items():
        values: dict[str, Any] = {"share_min": least, "share_max": most, "note": note, "owned": plant.id}
        yield in_units[holder].model_copy(update={"id": f"{plant.id}>{holder.removeprefix('gem/')}", **values})


def with_rows_summed(records: Records) -> Records:
    """Make one plant of the rows of WRI's national files that have one number, name and place: they are its units."""
    rows: dict[tuple[Any, ...], list[Asset]] = defaultdict(list)
    for asset in records.assets.values():
        rows[asset.external_ids["gppd"], asset.name, None if asset.geometry is None else asset.geometry.wkb].append(
            asset
        )
    assets = {}
    for one, *others in rows.values():
        sizes = [asset.capacity for asset in (one, *others)]
        stated = {asset.status for asset in (one, *others)}
        values: dict[str, Any] = {
            "capacity": None if None in sizes else round(math.fsum(size or 0.0 for size in sizes), 6),
            "status": one.status if len(stated) == 1 else None,
            "since": min((asset.since for asset in (one, *others) if asset.since), default=None),
            "note": f"The sum of {len(sizes)} rows of the file",
        }
        assets[one.id] = one.model_copy(update=values) if others else one
    return replace(records, assets=assets)


def with_distinct_unit_names(records: Records) -> Records:
    """Have units that are named like their site bear their number in the tracker too."""

    def named(asset: Asset) -> Asset:
        site = records.assets.get(asset.part_of or "")
        if site is None or site.name != asset.name or "gem" not in asset.external_ids:
            return asset
        return asset.model_copy(update={"name": f"{asset.name}, {asset.external_ids['gem']}"})

    return replace(records, assets={key: named(asset) for key, asset in records.assets.items()})


def without_repeated_lines(records: Records) -> Records:
    """Leave out lines that are another in all but their number, and stakes in them."""
    first: dict[tuple[Any, ...], str] = {}
    owners: dict[str, list[tuple[str, float, float]]] = defaultdict(list)
    for stake in records.stakes.values():
        owners[stake.owned].append((stake.owner, stake.share_min, stake.share_max))
    for asset in records.assets.values():
        if asset.kind == "pipeline" and asset.geometry is not None:
            stated = (asset.name, asset.aliases, asset.host_country, asset.status, asset.since, asset.until)
            carries = (asset.commodity, asset.capacity, asset.capacity_unit)
            first.setdefault((*stated, *carries, asset.geometry.wkb, *sorted(owners[asset.id])), asset.id)
    there = {*first.values()}
    assets = {
        key: asset
        for key, asset in records.assets.items()
        if key in there or asset.kind != "pipeline" or asset.geometry is None
    }
    stakes = {
        key: stake for key, stake in records.stakes.items() if stake.owned in assets or stake.owned in records.entities
    }
    return replace(records, assets=assets, stakes=stakes)
