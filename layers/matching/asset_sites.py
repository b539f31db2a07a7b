"""Which records of assets are one site to the matcher, and which names beside their own may stand for them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from layers.model.records import Asset, Records
from layers.resolution.asset_duplicates import same_sites
from layers.store.record_table import texts
from layers.text.site_terms import stems

#: The name of a unit, which is a number too: CC1, GT-2.
_UNIT = re.compile(r"[a-z]{1,3}\d{1,2}[a-z]?")


class Sites(NamedTuple):
    """Which assets are one site in the matcher, and which may be.

    Attributes
    ----------
    represented_by
        The id of the asset that stands for another, by the id of the other; both have a geometry.
    likely
        How probably two assets that stand for themselves are one site, by their ids in both orders.
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
    assets = records.assets
    sites, likely = same_sites(records, holders)
    standing: dict[str, str] = {}
    # Few are a part of another: the others are not read.
    for key, part_of in texts(assets, "part_of"):
        whole = assets.get(part_of) if part_of else None
        site = sites.get(key, key)
        if whole is not None and whole.kind == assets[key].kind and not _own_words(assets[key], whole):
            site = sites.get(whole.id, whole.id)
        if site != key and assets[site].geometry is not None:
            standing[key] = site
    # What stands for an asset stands for itself: a plant may be one site with another's.
    represented = {name: standing.get(site, site) for name, site in standing.items()}
    return Sites(represented, {pair: share for pair, share in likely.items() if represented.keys().isdisjoint(pair)})


def _own_words(part: Asset, whole: Asset) -> set[str]:
    of_whole = {stem for name in (whole.name, *whole.names.values(), *whole.aliases) for stem in stems(name)}
    return {stem for stem in stems(part.name) if not _UNIT.fullmatch(stem)} - of_whole
