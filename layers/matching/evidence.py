"""What speaks for and against each pair of strike and asset, as one column a reason. See docs/matching.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import log_ndtr

from geo.lonlat import Bools, Floats, Ints
from layers.matching.asset_index import LEAST_RADIUS_M, AssetIndex, Ragged
from layers.matching.strike_columns import StrikeTable
from layers.matching.weights import DERIVED, Weights
from layers.text.site_terms import mask
from layers.text.site_words import MILITARY

#: A circle that holds 95 % of a Gaussian has this many sigma (Rayleigh: sqrt(-2 ln 0.05)).
SIGMAS = 2.4477
#: Width of the soft rim of the disc that a settlement or district stands for, in parts of its radius.
RIM = 0.25
#: What one spot of the profile is worth along a line and over a disc: the integrals of the profile over t, and of
#: 2 t times the profile, so that the density adds up to 1 over the ground. First of the disc, then of the Gaussian.
_ALONG = (1.0, float(np.sqrt(np.pi / 2) / SIGMAS))
_AROUND = (1.0 + RIM**2, 2.0 / SIGMAS**2)
#: Buckets of the first look for common words.
_BUCKETS = 4096

_MILITARY = np.uint64(mask([MILITARY]))

Columns = Mapping[str, Floats]


@dataclass(frozen=True, slots=True)
class Place:
    """How well the places of pairs agree: the vagueness of both together, the ground it covers, and the profile."""

    radius_m: Floats
    ground_km2: Floats
    profile: Floats


def place(strikes: StrikeTable, assets: AssetIndex, left: Ints, right: Ints, distance_m: Floats) -> Place:
    """How likely the stated places of pairs are those of one spot.

    Point-radius (Wieczorek, Guo and Hijmans 2004, doi 10.1080/13658810412331280211): each radius holds the true
    place; together they are the root of the sum of their squares, r. The true place is spread evenly over the
    asset's shape, widened by r, so over area + outline * r + pi r^2 (Steiner): along a whole line, not only the part
    that is near, so that a line does not win by its length. Where both points stand for a site the profile falls
    as a Gaussian of which r holds 95 %; elsewhere it is flat, as any place in a town is as likely as its
    centre, and ends in a soft rim. The density integrates to 1 over the ground.
    """
    radius_m = np.hypot(
        np.maximum(strikes.uncertainty_m[left], LEAST_RADIUS_M), np.maximum(assets.uncertainty_m[right], LEAST_RADIUS_M)
    )
    both = (strikes.site[left] & assets.site[right]).astype(np.int64)
    r = radius_m / 1000
    around = np.array(_AROUND)[both] * np.pi * r**2
    ground_km2 = assets.area_km2[right] + np.array(_ALONG)[both] * assets.rim_km[right] * r + around
    t = distance_m / radius_m
    flat = log_ndtr((1 - t) / RIM) - log_ndtr(1 / RIM)
    return Place(radius_m, ground_km2, np.where(both == 1, -0.5 * (SIGMAS * t) ** 2, flat))


def columns(strikes: StrikeTable, assets: AssetIndex, left: Ints, right: Ints, distance_m: Floats) -> Columns:
    """One column a reason, by its name in `layers.matching.weights.REASONS`, without the derived one; see there."""
    where = place(strikes, assets, left, right, distance_m)
    return {
        "prior": np.ones(len(left)),
        "area": -np.log(where.ground_km2),
        "distance": where.profile,
        **_names(strikes, assets, left, right),
        **_kinds(strikes, assets, left, right),
    }


def contributions(given: Columns, site: Bools, weights: Weights) -> Columns:
    """Log odds of each reason: its column times its weight, and what takes back mere nearness where it must.

    ``site`` tells of each pair whether the strike's point is a site.
    """
    told = {name: weights[name] * column for name, column in given.items()}
    nearness = told["prior"] + told["area"] + told["distance"]
    told[DERIVED] = np.where(site, 0.0, np.minimum(0.0, weights.ceiling - nearness))
    return told


def _kinds(strikes: StrikeTable, assets: AssetIndex, left: Ints, right: Ints) -> Columns:
    told = strikes.kinds[left]
    same = (told & assets.kind[right]) != 0
    alike = ~same & ((told & assets.related[right]) != 0)
    rare = assets.rare[right]
    return {
        "same-kind": (same & ~rare).astype(float),
        "same-rare-kind": (same & rare).astype(float),
        "other-kind": ((told != 0) & ~same & ~alike).astype(float),
        "other-target": ((told & _MILITARY) != 0).astype(float),
    }


def _names(strikes: StrikeTable, assets: AssetIndex, left: Ints, right: Ints) -> Columns:
    """Words in common. A first look by buckets leaves few pairs, of which the words are compared one by one."""
    found = {name: np.zeros(len(left)) for name in ("name", "whole-name", "place-name", "owner-name", "other-number")}
    spoken = _Spoken(strikes)
    rows = np.flatnonzero(spoken.maybe(assets.names.words, left, right))
    if len(rows):
        name, here, whole = _in_common(spoken, assets, left[rows], right[rows])
        found["name"][rows], found["place-name"][rows], found["whole-name"][rows] = name, here, whole
    rows = np.flatnonzero((found["name"] == 0) & spoken.maybe(assets.names.owners, left, right))
    if len(rows):
        found["owner-name"][rows] = _best(spoken, assets.names.owners, assets.names.rarity, left[rows], right[rows])[0]
    mine, other = strikes.number[left], assets.number[right]
    found["other-number"] = ((found["name"] > 0) & (mine != 0) & (other != 0) & (mine & other == 0)).astype(float)
    return found


class _Spoken:
    """The words of the strikes, ready to be looked up by strike and word."""

    def __init__(self, strikes: StrikeTable) -> None:
        count = len(strikes)
        row = np.repeat(np.arange(count), np.diff(strikes.words.start))
        self.base = int(strikes.words.values.max(initial=0)) + 1
        key = row * self.base + strikes.words.values
        order = np.argsort(key)
        self.key, self.here = key[order], strikes.here[order]
        self.buckets = np.zeros((count, _BUCKETS), dtype=bool)
        self.buckets[row, strikes.words.values % _BUCKETS] = True

    def maybe(self, words: Ragged, left: Ints, right: Ints) -> Bools:
        """Which pairs may have a word in common; those left out have none."""
        found = np.zeros(len(left), dtype=bool)
        first = words.start[right]
        size = words.start[right + 1] - first
        rows = np.flatnonzero(size > 0)
        for number in range(int(size.max(initial=0))):
            rows = rows[size[rows] > number]
            found[rows] |= self.buckets[left[rows], words.values[first[rows] + number] % _BUCKETS]
        return found

    def said(self, left: Ints, words: Ints) -> tuple[Bools, Bools]:
        """Whether each strike says the word beside it, and whether that is its own place."""
        if not len(self.key):
            return np.zeros(len(left), dtype=bool), np.zeros(len(left), dtype=bool)
        key = left * self.base + words
        at = np.minimum(np.searchsorted(self.key, key), len(self.key) - 1)
        said = (self.key[at] == key) & (words < self.base)
        return said, said & self.here[at]


def _in_common(spoken: _Spoken, assets: AssetIndex, left: Ints, right: Ints) -> tuple[Floats, Floats, Floats]:
    """The rarest word in common, the same where it is the strike's place, and that of a name said in full."""
    names = assets.names
    name, here = _best(spoken, names.words, names.rarity, left, right)
    variant, pair = names.variants.of_rows(right)
    words, of_variant = names.spelled.of_rows(variant)
    said, own = spoken.said(left[pair[of_variant]], words)
    # A name is said in full if each of its words is; the place of the strike counts, but not alone.
    lacking = np.bincount(of_variant, weights=~said, minlength=len(variant)) > 0
    telling = np.zeros(len(variant))
    np.maximum.at(telling, of_variant, np.where(said & ~own, names.rarity[words], 0))
    whole = np.zeros(len(left))
    np.maximum.at(whole, pair, np.where(lacking, 0, telling))
    return name, here, whole


def _best(spoken: _Spoken, words: Ragged, rarity: Floats, left: Ints, right: Ints) -> tuple[Floats, Floats]:
    """Rarity of the rarest word in common: of those that are not the strike's place, and of those that are."""
    code, pair = words.of_rows(right)
    said, own = spoken.said(left[pair], code)
    name, here = np.zeros(len(left)), np.zeros(len(left))
    np.maximum.at(name, pair, np.where(said & ~own, rarity[code], 0))
    np.maximum.at(here, pair, np.where(own, rarity[code], 0))
    return name, here
