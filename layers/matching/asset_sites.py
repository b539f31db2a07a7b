"""Which records of assets are one site to the matcher, and which may be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from layers.model.operation import NEVER_BUILT
from layers.model.records import Records
from layers.resolution.asset_duplicates import same_sites
from layers.store.open_layer import OPEN
from layers.store.record_table import prefetch, texts
from layers.text.site_terms import stems

#: Plants that are read at once.
_PAGE = 4_000
#: The name of a unit, which is a number too: CC1, GT-2.
_UNIT = re.compile(r"[a-z]{1,3}\d{1,2}[a-z]?")


class Sites(NamedTuple):
    """Which assets are one site in the matcher, and which may be.

    Attributes
    ----------
    represented_by
        The id of the asset that represents another, by the id of the other; both have a geometry.
    likely
        How probably two assets that no other represents are one site, by their ids in both orders.
    """

    represented_by: Mapping[str, str]
    likely: Mapping[tuple[str, str], float]


def sites_of(records: Records, holders: Mapping[str, tuple[str, ...]] | None = None) -> Sites:
    """Return which assets are one site in the matcher, and which may be.

    A unit is matched at its plant, where they are of one kind and its name adds no word of its own (a number does not
    tell which unit was meant). Assets of several sources that are one site by ``same_sites`` are matched as one,
    so that they share one probability, and count once. ``holders`` are the `holder_names` of the records, where they
    are known already.
    """
    assets, at_plant = records.assets, _units(records)
    # Most assets of a tracker are units: their plants are compared with other assets, and not they. What was never
    # built represents nothing.
    never_built = {key for key, status in texts(assets, "status") if status in NEVER_BUILT}
    sites, likely = same_sites(records, holders, never_built.union(at_plant))
    prefetch(assets, {site for key, site in sites.items() if site != key})
    by_site = {key: site for key, site in sites.items() if site != key and assets[site].geometry is not None}
    for unit, plant in at_plant.items():
        by_site[unit] = by_site.get(plant, plant)
    # What represents an asset is not represented itself: a plant may be one site with another's.
    represented = {name: by_site.get(site, site) for name, site in by_site.items()}
    return Sites(represented, {pair: share for pair, share in likely.items() if represented.keys().isdisjoint(pair)})


def _units(records: Records) -> dict[str, str]:
    """Return the plant of each unit that is matched at its plant, which has a place."""
    parts = [part for part in texts(records.assets, "part_of", "kind", "name", "dataset") if part[1] is not None]
    wholes: dict[str, tuple[str, set[str], bool]] = {}
    of_parts = sorted({part_of for _, part_of, *_ in parts})
    for page in range(0, len(of_parts), _PAGE):
        prefetch(records.assets, of_parts[page : page + _PAGE])
        for key in of_parts[page : page + _PAGE]:
            whole = records.assets.get(key)
            if whole is not None and whole.geometry is not None:
                names = (whole.name, *whole.names.values(), *whole.aliases)
                words = {stem for name in names for stem in stems(name)}
                wholes[key] = whole.kind, words, whole.dataset.startswith(OPEN)
    units = {}
    for key, part_of, kind, name, dataset in parts:
        whole_kind, words, is_open = wholes.get(part_of, (None, set(), False))
        # What is edited here by itself is a site by itself, whatever open data has it as a part of.
        if kind != whole_kind or (is_open and not dataset.startswith(OPEN)):
            continue
        if all(stem in words or _UNIT.fullmatch(stem) for stem in stems(name)):
            units[key] = part_of
    return units
