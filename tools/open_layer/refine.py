"""What becomes of the records that readers make of open data before they are the open layer. Pure functions."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import shapely
from shapely import STRtree
from shapely.geometry.base import BaseGeometry

from geo.spatial_join.geodesic_distance import wgs84
from layers.model.records import Asset, Entity, Identity, Record, Records, Relation, Source
from layers.reference.basemap import Basemap
from layers.resolution.asset_blocking import FIELD_UNCERTAINTY_M, FIELDS
from layers.sources.reader.record_builder import slug
from layers.store.open_layer import OPEN
from layers.text.site_terms import stems
from tools.open_layer.repeats import are_near

#: Degrees that a course may lie off by what is left out of it, and decimals of what is left.
_TOLERANCE, _DECIMALS = 0.0002, 5
#: Plants of one kind that lie within so many metres of each other may be one.
_ONE_PLANT_M = 5_000.0
#: Plants of one name and about one capacity within so many metres are one: one of the points is that of a town.
_ONE_NAME_M = 50_000.0
#: Most doubt of a straight stretch.
_STRAIGHT_M = 30_000.0
#: Doubt of a point that several fields have.
_SHARED_FIELD_M = 25_000.0
_POWER = frozenset({"power-plant", "hydro-plant", "nuclear-plant"})
#: Fuels of WRI's that GEM's trackers here cover.
_FUELS = frozenset({"coal", "gas", "oil", "hydro", "nuclear", "petcoke"})


def with_simple_courses(records: Records) -> Records:
    """Leave corners of lines out that lie within about 20 m of what remains, and round the rest to a metre."""
    return _lines(records, lambda _, shape: {"geometry": _simple(shape)})


def _simple(shape: BaseGeometry) -> BaseGeometry:
    """A course with fewer corners; parts that are shorter than what is rounded off are left out, but not all."""
    rounded = shapely.set_precision(shapely.simplify(shape, _TOLERANCE), 10.0**-_DECIMALS, mode="pointwise")
    parts = shapely.get_parts(rounded)
    parts = parts[shapely.length(parts) > 0]
    if not len(parts):
        return shape
    return shapely.LineString(parts[0]) if len(parts) == 1 else shapely.MultiLineString([*parts])


def with_doubt_of_straight_stretches(records: Records) -> Records:
    """Have the doubt of a line's course be half of its longest straight stretch, at most 30 km.

    Nobody lays a pipeline straight for long: between two corners it may run anywhere. Of a course that is known better
    the doubt that its tracker states is the least.
    """

    def doubt(asset: Asset, shape: BaseGeometry) -> dict[str, Any]:
        half_m = min(longest_straight_m(shape) / 2, _STRAIGHT_M)
        stated_m = 0.0 if asset.basis == "line-end" else asset.uncertainty_m or 0.0
        return {"uncertainty_m": round(max(half_m, stated_m), -2)}

    return _lines(records, doubt)


def longest_straight_m(shape: BaseGeometry) -> float:
    """The longest stretch between two corners of a line or lines, in metres on the WGS 84 ellipsoid."""
    parts = [shapely.get_coordinates(part).T for part in shapely.get_parts(shape)]
    return max(float(wgs84().line_lengths(lon, lat).max()) for lon, lat in parts)


def with_axes_put_right(records: Records, base: Basemap) -> Records:
    """Swap longitude and latitude of points that lie outside of their country as printed, and in it when swapped."""

    def swapped(asset: Asset) -> Asset:
        shape, host = asset.geometry, asset.host_country
        if host is None or not isinstance(shape, shapely.Point) or base.country_at(shape.x, shape.y) == host:
            return asset
        other = shapely.Point(shape.y, shape.x)
        if abs(other.y) > 90 or base.country_at(other.x, other.y) != host:
            return asset
        note = "; ".join(filter(None, (asset.note, "longitude and latitude are printed the other way round")))
        return asset.model_copy(update={"geometry": other, "note": note})

    return _assets(records, swapped)


def with_interests(records: Records, dataset: str) -> Records:
    """Turn stakes in what a dataset names into relations: an interest in a licence or contract is no ownership."""
    stakes, relations = dict(records.stakes), dict(records.relations)
    for key, stake in records.stakes.items():
        if stake.dataset != dataset:
            continue
        del stakes[key]
        share = (
            f"{stake.share_min:g}"
            if stake.share_min == stake.share_max
            else f"{stake.share_min:g} to {stake.share_max:g}"
        )
        relations[key] = Relation(
            id=key, dataset=stake.dataset, asset=stake.owned, entity=stake.owner, relation="licensee",
            since=stake.since, until=stake.until, source=stake.source, checked=stake.checked,
            note=f"Interest in a licence or contract, which GEM lists as ownership: {share} %.",
        )  # fmt: skip
    return replace(records, stakes=stakes, relations=relations)


def with_reach_of_fields(records: Records) -> Records:
    """Have the doubt of a field's place hold the field, of which a tracker prints a point, as one to 500 m.

    10 km, and 25 km where several fields have one point, which is that of none of them.
    """
    fields = {
        key: asset for key, asset in records.assets.items() if asset.kind in FIELDS and asset.geometry is not None
    }
    shared = Counter(asset.geometry for asset in fields.values())

    def wider(asset: Asset) -> Asset:
        if asset.id not in fields:
            return asset
        least_m = _SHARED_FIELD_M if shared[asset.geometry] > 1 else FIELD_UNCERTAINTY_M
        return asset.model_copy(update={"uncertainty_m": max(asset.uncertainty_m or 0.0, least_m)})

    return _assets(records, wider)


@dataclass(frozen=True)
class Correction:
    """Values of a site that a page gives otherwise than its tracker.

    Parameters
    ----------
    ids
        The site, and units of it that have the same fault.
    values
        Columns of an asset; a geometry as longitude and latitude.
    why
        What the tracker says, and what the page.
    """

    ids: Sequence[str]
    values: Mapping[str, Any]
    source: Mapping[str, Any]
    why: str


def with_corrections(records: Records, corrections: Iterable[Correction]) -> Records:
    """Put values of sites right, each by a page, which is a source of the site then.

    Raises
    ------
    KeyError
        If there is no such site: another file may no longer have the fault.
    """
    assets, sources = dict(records.assets), dict(records.sources)
    for row in corrections:
        source = _source(row.source)
        sources[source.id] = source
        values = {name: tuple(value) if isinstance(value, list) else value for name, value in row.values.items()}
        if "geometry" in values:
            values |= {"geometry": shapely.Point(values["geometry"]), "place_source": source.id}
        for key in row.ids:
            asset = assets[key]
            note = "; ".join(filter(None, (asset.note, row.why)))
            assets[key] = asset.model_copy(update={**values, "note": note, "sources": (*asset.sources, source.id)})
    return replace(records, assets=assets, sources=sources)


def without_plants_of(records: Records, others: Records) -> Records:
    """Leave out plants of WRI of fuels that others do not cover, and those that others have.

    That is any within 5 km, or one within 50 km of the same words and about the same capacity.
    """
    known = [asset for asset in others.assets.values() if asset.kind in _POWER and asset.geometry is not None]
    points = np.array([shapely.centroid(asset.geometry) for asset in known], object)
    tree, of_words = STRtree(points), dict[tuple[str | None, frozenset[str]], list[Asset]]()
    for asset in known:
        of_words.setdefault((asset.host_country, frozenset(stems(asset.name))), []).append(asset)

    def is_same(asset: Asset, other: Asset) -> bool:
        alike = asset.capacity and other.capacity and 1 / 1.3 <= asset.capacity / other.capacity <= 1.3
        return bool(alike) and are_near(asset, other, _ONE_NAME_M)

    def is_new(asset: Asset) -> bool:
        if asset.kind not in _POWER or not _FUELS & {*(asset.commodity or "").casefold().split(", ")}:
            return False
        if asset.geometry is None:
            return False
        words = frozenset(stems(asset.name))
        if words and any(is_same(asset, other) for other in of_words.get((asset.host_country, words), ())):
            return False
        near = tree.query(asset.geometry, predicate="dwithin", distance=0.2)
        lon, lat = shapely.get_coordinates(points[near]).T
        there = np.broadcast_to(shapely.get_coordinates(asset.geometry)[0], (len(near), 2)).T
        return not (wgs84().inv(lon, lat, *there)[2] <= _ONE_PLANT_M).any()

    return with_assets(records, (asset for asset in records.assets.values() if is_new(asset)))


def with_assets(records: Records, assets: Iterable[Asset]) -> Records:
    """Records with some of their assets alone, and without entities and stakes that are of none of these."""
    left = {asset.id: asset for asset in assets}
    stakes = {key: stake for key, stake in records.stakes.items() if stake.owned in left}
    owners = {stake.owner for stake in stakes.values()}
    entities = {key: entity for key, entity in records.entities.items() if key in owners}
    return Records.of({"sources": records.sources, "assets": left, "stakes": stakes, "entities": entities})


@dataclass(frozen=True)
class OwnerRow:
    """A row of the table of owner names.

    Parameters
    ----------
    id
        The entity of the layer that bears the name.
    curated
        The entity of the records that the program comes with which is the same.
    source, quote
        The page that says the country, and what it says.
    """

    id: str
    name: str
    registered_in: str | None = None
    headquartered_in: str | None = None
    curated: str | None = None
    source: Mapping[str, Any] | None = None
    quote: str | None = None
    checked: str = "unverified"
    note: str | None = None


def with_owners(records: Records, owners: Iterable[OwnerRow], who: str, when: str) -> Records:
    """Give owners their countries, each with its source, and unite those that the curated records have too."""
    entities, sources, identities = dict(records.entities), dict(records.sources), dict[str, Identity]()
    for row in owners:
        entity = entities.get(row.id)
        if entity is None:
            continue
        if row.curated is not None:
            key = f"{row.curated}/{row.id}"
            identities[key] = Identity(
                id=key, dataset=f"{OPEN}judgements", one=row.curated, other=row.id, verdict="same", who=who, when=when,
                why="The owner that the tracker names is this company.",
            )  # fmt: skip
        if row.source is None:
            continue
        source = _source(row.source)
        sources[source.id] = source
        note = "; ".join(filter(None, (row.note, f"“{row.quote}”" if row.quote else None))) or None
        entities[row.id] = entity.model_copy(
            update={
                "registered_in": row.registered_in,
                "headquartered_in": row.headquartered_in,
                "sources": (*entity.sources, source.id),
                "checked": row.checked,
                "note": note,
            }
        )
    return replace(records, entities=entities, sources=sources, identities={**records.identities, **identities})


def _source(values: Mapping[str, Any]) -> Source:
    address = values["url"]
    stated = {name: values.get(name) for name in ("title", "language", "published")}
    key = f"open/page/{slug(re.sub(r'^https?://(www[.])?', '', address))[:110]}"
    return Source(
        id=key, dataset=f"{OPEN}owners", url=address, publisher=values["publisher"], retrieved="2026-12",
        **{name: value for name, value in stated.items() if value},
    )  # fmt: skip


def judged_assets(
    pairs: Iterable[Mapping[str, str]], verdict: Literal["same", "part"], records: Records, who: str, when: str
) -> Iterator[Identity]:
    """Judgements that a curated asset and one of the layer are one site, or that the former is a part of the latter.

    They follow from pairs of ids with the reasons.

    Raises
    ------
    KeyError
        If the layer has no such site.
    """
    for pair in pairs:
        key = f"{pair['curated']}/{records.assets[pair['open']].id}"[:160]
        yield Identity(
            id=key, dataset=f"{OPEN}judgements", one=pair["curated"], other=pair["open"], verdict=verdict, who=who,
            when=when, why=pair["why"],
        )  # fmt: skip


def with_parts(records: Records, pairs: Iterable[Mapping[str, str]]) -> Records:
    """Have assets of the layer be parts of curated ones, from pairs of ids, but for those that are parts already.

    Raises
    ------
    KeyError
        If the layer has no such asset.
    """
    assets = dict(records.assets)
    for pair in pairs:
        if assets[pair["open"]].part_of is None:
            assets[pair["open"]] = assets[pair["open"]].model_copy(update={"part_of": pair["curated"]})
    return replace(records, assets=assets)


def joined(every: Iterable[Records]) -> Records:
    """Join records of several origins; an entity of several has the names and sources of all."""
    tables: dict[str, dict[str, Record]] = {}
    for records in every:
        for name in ("sources", "entities", "assets", "stakes", "relations", "identities"):
            table = tables.setdefault(name, {})
            for key, record in records.table(name).items():
                before = table.get(key)
                if isinstance(before, Entity) and isinstance(record, Entity):
                    names = dict.fromkeys((*before.aliases, record.name, *record.aliases))
                    record = before.model_copy(
                        update={
                            "aliases": tuple(name for name in names if name != before.name),
                            "external_ids": {**record.external_ids, **before.external_ids},
                            "sources": tuple(dict.fromkeys((*before.sources, *record.sources))),
                        }
                    )
                table[key] = record
    return Records.of(tables)


def as_open(records: Records) -> Records:
    """Have the dataset of each record say that it is of the open layer."""
    return Records.of(
        {
            name: {
                key: record
                if record.dataset.startswith(OPEN)
                else record.model_copy(update={"dataset": OPEN + record.dataset})
                for key, record in records.table(name).items()
            }
            for name in ("sources", "entities", "assets", "stakes", "relations", "identities")
        }
    )


def _assets(records: Records, change: Callable[[Asset], Asset]) -> Records:
    return replace(records, assets={key: change(asset) for key, asset in records.assets.items()})


def _lines(records: Records, values: Callable[[Asset, BaseGeometry], dict[str, Any]]) -> Records:
    """Give the assets that are lines other values, which follow from each and its course."""

    def changed(asset: Asset) -> Asset:
        shape = asset.geometry
        if shape is None or shape.geom_type not in ("LineString", "MultiLineString"):
            return asset
        return asset.model_copy(update=values(asset, shape))

    return _assets(records, changed)
