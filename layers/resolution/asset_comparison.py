"""Evidence for and against two assets being one site: a table of reasons, each with its weight and its measure."""

from __future__ import annotations

from operator import attrgetter

import numpy as np

from geo.lonlat import Bools, Floats
from layers.model.records import Asset
from layers.resolution.asset_blocking import STATED_TYPES, TYPES, AssetColumns, AssetPairs
from layers.resolution.linkage import (
    MAX_APART,
    Comparison,
    distance,
    fixed,
    in_common,
    named_bits,
    of_records,
    of_rows,
    ones,
    same_dataset,
)

#: Distances in metres up to which two places are one, and from which on their nearness says nothing.
ONE_PLACE_M, NO_PLACE_M = 100.0, 10_000.0
#: Factors by which two capacities may differ and support each other, from which they speak against, and fully.
SAME_CAPACITY, OTHER_CAPACITY, FAR_CAPACITY = 1.15, 1.5, 6.0


def _place(pairs: AssetPairs) -> Floats:
    """Return how near two places are, from 1 at 100 m to 0 at 10 km by the logarithm of the distance."""
    fall = np.log10(np.maximum(pairs.metres, ONE_PLACE_M) / ONE_PLACE_M) / np.log10(NO_PLACE_M / ONE_PLACE_M)
    return np.where(pairs.near, np.clip(1 - fall, 0.0, 1.0), 0.0)


def _has_line(pairs: AssetPairs) -> Bools:
    return pairs.table.line[pairs.left] | pairs.table.line[pairs.right]


def _is_nameless(pairs: AssetPairs) -> Bools:
    return ~pairs.both(pairs.table.stems.filled)


def _other_type(pairs: AssetPairs) -> Bools:
    """Whether the names say types of plant of which none is common, or one of a type that is always said."""
    one, other = pairs.of(pairs.table.types)
    none_common = (one > 0) & (other > 0) & ((one & other) == 0)
    return np.asarray(none_common | (((one ^ other) & STATED_TYPES) != 0))


def _one_part(pairs: AssetPairs) -> Bools:
    """Whether one alone is a part; a station is one of its line in one data set and by itself in another."""
    return ~pairs.same(pairs.table.parent < 0) & ~pairs.same_print


def _capacities_differ(pairs: AssetPairs) -> Floats:
    """Return the logarithm of the factor by which two capacities of one unit differ, NaN where they are not two."""
    one, other = pairs.of(pairs.table.capacity)
    return np.where(pairs.same(pairs.table.unit), np.abs(np.log(one / other)), np.nan)


def _other_capacity(pairs: AssetPairs) -> Floats:
    against = (_capacities_differ(pairs) - np.log(OTHER_CAPACITY)) / np.log(FAR_CAPACITY / OTHER_CAPACITY)
    return np.asarray(np.nan_to_num(np.clip(against, 0.0, 1.0)))


def _capacity(asset: Asset) -> str:
    return "unknown" if asset.capacity is None else f"{asset.capacity:g} {asset.capacity_unit or ''}".strip()


def _numbers(table: AssetColumns, row: int) -> str:
    mask = int(table.numbers[row])
    return ", ".join(str(at) for at in range(64) if mask >> at & 1) or "none"


_KINDS = of_records("kinds", attrgetter("kind"))
_NUMBERS = of_rows("numbers", _numbers)
_TYPES = of_rows("types", lambda table, row: named_bits(int(table.types[row]), TYPES))
_NAMES = of_records("asset-names", attrgetter("name"))
_COMMODITIES = of_records("commodities", attrgetter("commodity"))
_CAPACITIES = of_records("capacities", _capacity)
_COUNTRIES = of_records("countries", attrgetter("host_country"))
_WORDS = in_common("words", "words", lambda table: table.stems)
_OWNERS = in_common("asset-owners", "words", lambda table: table.owners)
_IDS = in_common("asset-ids", "ids", lambda table: table.identifiers, " ".join)

#: The reasons, with log odds that are calibrated, see docs/asset-duplicates.md; or set by hand, as no labelled pair has
#: the evidence, or the choice of pairs would bias them.
COMPARISONS: tuple[Comparison[AssetPairs], ...] = (
    # Two assets of kinds that are taken for each other, in reach or of a rare name.
    Comparison("prior", -2.5, ones, fixed("asset-prior"), by_hand=True),
    Comparison("kind", 2.0, lambda p: p.same(p.table.kind), _KINDS),
    Comparison("number", 0.1, lambda p: p.same(p.table.numbers) & p.both(p.table.numbers > 0), _NUMBERS),
    Comparison("other-number", -5.1, lambda p: p.other_number, _NUMBERS),
    Comparison("one-number", -1.8, lambda p: ~p.same(p.table.numbers) & ~p.other_number, _NUMBERS),
    Comparison("other-type", -3.5, _other_type, _TYPES),
    Comparison("other-country", -1.0, lambda p: p.differ(p.table.country), _COUNTRIES, by_hand=True),
    Comparison("same-dataset", -5.0, lambda p: p.same(p.table.dataset), same_dataset),
    Comparison("one-part", -2.0, _one_part, fixed("one-part"), by_hand=True),
    Comparison("place", 2.4, _place, distance),
    Comparison("apart", -0.7, lambda p: p.apart, distance, most=MAX_APART),
    Comparison("far", -2.8, lambda p: p.both(p.table.placed) & ~p.near & ~_has_line(p), fixed("asset-far")),
    Comparison(
        "no-place", -0.5, lambda p: ~p.both(p.table.placed) | _has_line(p), fixed("asset-no-place"), by_hand=True
    ),
    Comparison("capacity", 2.4, lambda p: _capacities_differ(p) <= np.log(SAME_CAPACITY), _CAPACITIES),
    Comparison("other-capacity", -2.4, _other_capacity, _CAPACITIES),
    Comparison("name", 0.8, lambda p: np.clip(p.shared_words, 0.0, 2.0), _WORDS, by_hand=True, most=2.0),
    Comparison("same-name", 0.4, lambda p: p.same_spelling, _NAMES),
    Comparison("printed-name", 2.5, lambda p: p.same_print, _NAMES, by_hand=True),
    Comparison("other-name", -2.0, lambda p: p.disjoint(p.table.stems), _NAMES, by_hand=True),
    Comparison("own-words", -2.2, lambda p: p.with_own_words == 2, _NAMES),
    Comparison("more-words", -1.7, lambda p: p.with_own_words == 1, _NAMES),
    Comparison("no-name", -1.0, _is_nameless, fixed("asset-no-name"), by_hand=True),
    Comparison("commodity", 0.7, lambda p: p.shared(p.table.commodities) > 0, _COMMODITIES),
    Comparison(
        "other-commodity",
        -0.4,
        lambda p: p.disjoint(p.table.commodities),
        _COMMODITIES,
    ),
    Comparison("owner", 0.5, lambda p: p.shared(p.table.owners) > 0, _OWNERS),
    Comparison("identifier", 3.0, lambda p: p.same_identifier, _IDS, by_hand=True),
    Comparison(
        "other-identifier",
        -0.5,
        lambda p: (p.shared(p.table.schemes) > 0) & p.disjoint(p.table.identifiers),
        fixed("asset-other-ids"),
        by_hand=True,
    ),
)
