"""Evidence for and against each pair of strike and asset, one column a reason, without weights: docs/matching.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property, reduce

import numpy as np

from geo.lonlat import Bools, Floats, Ints
from layers.matching.asset_index import CARRIED, MIN_RADIUS_M, AssetIndex, Masks
from layers.matching.candidates import reach_m
from layers.matching.name_index import RaggedArray
from layers.matching.strike_columns import StrikeColumns
from layers.resolution.asset_blocking import STATED_TYPES
from layers.text.site_terms import MANY_IN_TOWN, NO_ASSETS, kind_bits

#: A circle that holds 95 % of a Gaussian has this many sigma (Rayleigh: sqrt(-2 ln 0.05)).
SIGMAS = 2.4477
#: Width of the soft rim of the disc that a settlement or district stands for, in parts of its radius.
RIM = 0.25
#: Integrals of the profile along a line (over t) and over a disc (of 2 t times the profile), so that the density
#: integrates to 1 over the ground: first those of the flat disc, then those of the Gaussian.
_ALONG = (1.0, float(np.sqrt(np.pi / 2) / SIGMAS))
_AROUND = (1.0 + RIM**2, 2.0 / SIGMAS**2)
#: Hash buckets of the filter for common words.
_BUCKETS = 4096

_NO_ASSETS, _MANY_IN_TOWN = np.uint64(NO_ASSETS), np.uint64(MANY_IN_TOWN)
#: Targets that speak against a site of a kind that is stated too: a ship lies at one, and may be an asset itself.
_NO_SITES = np.uint64(NO_ASSETS & ~kind_bits(["vessel"]))
_STATED_TYPES = np.uint64(STATED_TYPES)
_SHIP = np.uint64(kind_bits(["vessel"]))

#: A number for each pair, by the name of the reason (see ``weights.REASONS``).
Columns = Mapping[str, Floats]


@dataclass(frozen=True, slots=True)
class LocationEvidence:
    """How well the places of pairs agree, shape (pairs,) each.

    Attributes
    ----------
    radius_m
        Uncertainty of both places together, in metres.
    ground_km2
        Area over which the true place is spread, in square kilometres.
    profile
        Logarithm of the density at the stated distance against that at distance 0; 0 or less.
    """

    radius_m: Floats
    ground_km2: Floats
    profile: Floats


def location_evidence(
    strikes: StrikeColumns, assets: AssetIndex, left: Ints, right: Ints, distance_m: Floats
) -> LocationEvidence:
    """Return how likely the stated places of pairs are those of one spot: the one rule of how distance counts.

    Point-radius (Wieczorek, Guo and Hijmans 2004, doi 10.1080/13658810412331280211): each radius holds the true
    place; together they are the root of the sum of their squares, r. The true place is spread evenly over the
    asset's shape, widened by r, so over area + outline * r + pi r^2 (Steiner): along a whole line, not only the part
    that is near, so that a line does not win by its length. Where both points stand for a site the profile falls
    as a Gaussian of which r holds 95 %; elsewhere it is flat, as any place in a town is as likely as its
    centre, and ends in a soft rim. The density integrates to 1 over the ground.

    Parameters
    ----------
    strikes, assets
        The columns that rows refer to.
    left, right
        Rows of strikes and of assets, shape (pairs,).
    distance_m
        Geodesic distance of each pair, in metres.
    """
    from scipy.special import log_ndtr  # takes a tenth of a second, which every start would wait for

    radius_m = np.hypot(
        np.maximum(strikes.uncertainty_m[left], MIN_RADIUS_M), np.maximum(assets.uncertainty_m[right], MIN_RADIUS_M)
    )
    both = (strikes.site[left] & assets.site[right]).astype(np.int64)
    r = radius_m / 1000
    around = np.array(_AROUND)[both] * np.pi * r**2
    ground_km2 = assets.area_km2[right] + np.array(_ALONG)[both] * assets.rim_km[right] * r + around
    t = distance_m / radius_m
    flat = log_ndtr((1 - t) / RIM) - log_ndtr(1 / RIM)
    return LocationEvidence(radius_m, ground_km2, np.where(both == 1, -0.5 * (SIGMAS * t) ** 2, flat))


def evidence_columns(
    strikes: StrikeColumns, assets: AssetIndex, left: Ints, right: Ints, distance_m: Floats
) -> Columns:
    """Measure all evidence on pairs.

    Parameters
    ----------
    strikes, assets, left, right, distance_m
        As in ``location_evidence``.

    Returns
    -------
    Columns
        A column of shape (pairs,) for each reason of ``weights.REASONS`` but the derived one; the table there says
        what one unit means.
    """
    location = location_evidence(strikes, assets, left, right, distance_m)
    reach = reach_m(location.radius_m)
    near = distance_m <= reach  # not of NaN
    names, kinds = dict(_names(strikes, assets, left, right, near)), _kinds(strikes, assets, left, right)
    elsewhere = _elsewhere(strikes, assets, left, right, distance_m, reach)
    near_something = np.maximum(names.pop("nearness"), _nearness(strikes, assets, left, right))
    # That a town has one site of the kind tells nothing where the text has the kind only as a landmark.
    names |= {name: np.where(near_something == 2, 0, names[name]) for name in ("place-name", *_TOWN_NAMES)}
    return {
        "prior": near.astype(float),
        "area": np.where(near, -np.log(location.ground_km2), 0),
        "distance": np.where(near, location.profile, 0),
        **names,
        **kinds,
        "landmark": (near_something == 2).astype(float),
        "near": (near_something == 1).astype(float),
        **_rivals(left, near, (strikes.kinds == 0)[left], names, kinds, elsewhere["other-country"] > 0),
        **elsewhere,
        "not-operating": _is_idle(strikes, assets, left, right).astype(float),
        "coverage": _coverage(strikes, assets)[left],
    }


#: Distance in kilometres from which on a wrong place is the less likely the farther it is.
_FAR_KM = 50.0
#: A place that is so many times farther than the reach is wrong by more than its stated uncertainty was too small.
_MISSED_BY = 4.0
#: Distance from which on it makes no difference.
_ANYWHERE_KM = 1000.0


def _elsewhere(
    strikes: StrikeColumns, assets: AssetIndex, left: Ints, right: Ints, distance_m: Floats, reach: Floats
) -> Columns:
    """What speaks for and against assets that are out of reach of the stated place, and the countries of both."""
    placed, near = np.isfinite(distance_m), distance_m <= reach
    missed = np.log(np.maximum(np.where(placed, distance_m, np.inf) / reach, 1)) / np.log(_MISSED_BY)
    far = np.log(np.clip(np.where(placed, distance_m, 0) / 1000, _FAR_KM, _ANYWHERE_KM) / _FAR_KM)
    own, other = strikes.country[left], assets.country[right]
    both = (own >= 0) & (other >= 0)
    return {
        "wrong-place": (placed & ~near).astype(float),
        "near-miss": np.where(near, 0, np.maximum(0, 1 - missed)),
        "no-place": (~placed).astype(float),
        "ship": (~near & (assets.kind[right] == _SHIP)).astype(float),
        "far-away": np.where(near, 0, far),
        "same-country": (both & (own == other) & ~near).astype(float),
        "other-country": (both & (own != other)).astype(float),
    }


def _is_idle(strikes: StrikeColumns, assets: AssetIndex, left: Ints, right: Ints) -> Bools:
    """Whether the asset of each pair operated on no day on which the strike may have been, shape (pairs,)."""
    first, last = assets.first_day[right], assets.last_day[right]
    # Of most assets nobody has stated when they operated.
    rows = np.flatnonzero((first > date.min.toordinal()) | (last < date.max.toordinal()))
    strike, first, last = left[rows], first[rows], last[rows]
    is_idle = np.zeros(len(left), dtype=bool)
    is_idle[rows] = (strikes.last_day[strike] < first) | (strikes.first_day[strike] > last) | (last < first)
    return is_idle


def _coverage(strikes: StrikeColumns, assets: AssetIndex) -> Floats:
    """Return how much of the kinds that each text tells of the layer has in its country, shape (strikes,).

    It is the logarithm of one more than the number of such assets; 0 where the text tells of no kind or country.
    """
    coverage = np.zeros(len(strikes))
    rows = np.flatnonzero((strikes.kinds != 0) & (strikes.country >= 0))
    stated, which = np.unique(
        np.stack([strikes.kinds[rows], strikes.country[rows].astype(np.uint64)]), axis=1, return_inverse=True
    )
    number = [assets.number_of(kinds, country) for kinds, country in stated.T.tolist()]
    coverage[rows] = np.log1p(number)[which.ravel()]
    return coverage


def _rivals(left: Ints, near: Bools, is_open: Bools, names: Columns, kinds: Columns, abroad: Bools) -> Columns:
    """Return how many assets in reach share the evidence with each: minus the logarithm of their number.

    An asset that is the only one of its kind in a region, or of its name, is likelier than one of many. One of the
    stated kind has no rival in one that is only of its family, one that the text names none in one that it does not,
    and none has one in another country than the text's. Where a text tells of no kind (``is_open``), any fits.
    """
    same = _any_of(kinds, ("same-kind", "same-common-kind", "same-rare-kind"))
    kin = kinds["kin-kind"] > 0
    named = near & _any_of(names, (*_NEAR_NAMES, *_TOWN_NAMES))
    number = {name: np.zeros(len(left)) for name in ("rivals", "namesakes")}
    for reason, best, good in (
        ("rivals", near & same, near & kin),
        ("rivals", named & same, named & kin),
        ("namesakes", named & same, named & (kin | is_open)),
    ):
        for marked, rivals in ((best, best), (good, best | good)):
            count = np.bincount(left[rivals & ~abroad], minlength=int(left.max(initial=0)) + 1)
            number[reason][marked] = -np.log(np.maximum(count, 1))[left[marked]]
    return number


def _any_of(columns: Columns, names: Sequence[str]) -> Bools:
    return reduce(np.logical_or, (columns[name] > 0 for name in names))


def _kinds(strikes: StrikeColumns, assets: AssetIndex, left: Ints, right: Ints) -> Columns:
    stated = strikes.kinds[left]
    same = (stated & assets.kind[right]) != 0
    beside = ~same & ((strikes.besides[left] & assets.kind[right]) != 0)
    kin = ~same & ~beside & ((stated & assets.kin[right]) != 0)
    alike = ~same & ~beside & ~kin & ((stated & assets.related[right]) != 0)
    rare, many = assets.rare[right], (assets.kind[right] & stated & _MANY_IN_TOWN) != 0
    return {
        "same-kind": (same & ~rare & ~many).astype(float),
        "same-common-kind": (same & ~rare & many).astype(float),
        "same-rare-kind": (same & rare).astype(float),
        "kin-kind": kin.astype(float),
        "alike-kind": alike.astype(float),
        "mentioned-kind": beside.astype(float),
        "other-kind": ((stated != 0) & ~same & ~beside & ~kin & ~alike).astype(float),
        "other-type": _is_of_other_type(strikes, assets, left, right, same).astype(float),
        "other-target": ((stated & np.where(same, _NO_SITES, _NO_ASSETS)) != 0).astype(float),
    }


def _is_of_other_type(strikes: StrikeColumns, assets: AssetIndex, left: Ints, right: Ints, same: Bools) -> Bools:
    """Whether text and asset of each pair are of the ``same`` kind and state types of it that do not go together."""
    rows = np.flatnonzero(same & (strikes.types[left] != 0) & (assets.types[right] != 0))
    stated, own = strikes.types[left[rows]], assets.types[right[rows]]
    of_one_sort = np.where((own & CARRIED) != 0, CARRIED, ~CARRIED)
    stated, own = stated & of_one_sort, own & of_one_sort
    marked = np.zeros(len(left), dtype=bool)
    marked[rows] = (stated != 0) & (own != 0) & (((stated & own) == 0) | (((stated ^ own) & _STATED_TYPES) != 0))
    return marked


def _nearness(strikes: StrikeColumns, assets: AssetIndex, left: Ints, right: Ints) -> Ints:
    """Return what the text says of the kind of each pair's asset, as ``StrikeColumns.nearness`` has it of a word."""
    is_landmark = (strikes.landmark[left] & assets.kind[right]) != 0
    return np.where((strikes.near[left] & assets.kind[right]) != 0, 1, np.where(is_landmark, 2, 0))


#: The reasons that names are of an asset in reach, and of another.
_NEAR_NAMES = ("name", "whole-name", "place-name")
_FAR_NAMES = ("far-name", "far-whole-name")
_TOWN_NAMES = ("town-name", "bare-town-name")


def _names(strikes: StrikeColumns, assets: AssetIndex, left: Ints, right: Ints, near: Bools) -> Columns:
    """Compare words. A filter by hash buckets leaves few pairs, of which the words are compared one by one."""
    reasons = (*_NEAR_NAMES, *_FAR_NAMES, "owner-name", "other-name", "other-number", "nearness")
    columns = {name: np.zeros(len(left)) for name in reasons}
    strike_words = _StrikeWords(strikes)
    rows = np.flatnonzero(strike_words.may_share(assets.names.words, left, right))
    for names, shared, chosen in (
        (_NEAR_NAMES, _shared_names, rows[near[rows]]),
        (_FAR_NAMES, _shared_far_names, rows[~near[rows]]),
    ):
        if len(chosen):
            for name, column in zip(names, shared(strike_words, assets, left[chosen], right[chosen]), strict=True):
                columns[name][chosen] = column
    # A town has one refinery that is named after it, but many a substation, and many sites of any kind.
    is_open = (strikes.kinds == 0)[left]
    many = ((assets.kind[right] & _MANY_IN_TOWN) != 0) & ~is_open
    rows = np.flatnonzero(strike_words.has_near[left])
    columns["nearness"][rows] = strike_words.nearness(assets.names.words, left[rows], right[rows])
    columns["town-name"] = np.where(many, columns["place-name"], 0)
    columns["bare-town-name"] = np.where(is_open, columns["place-name"], 0)
    columns["place-name"] = np.where(many | is_open, 0, columns["place-name"])
    rows = np.flatnonzero(near & (columns["name"] == 0))
    rows = rows[strike_words.may_share(assets.names.owners, left[rows], right[rows])]
    if len(rows):
        columns["owner-name"][rows] = _rarest_shared(
            strike_words, assets.names.owners, assets.names.rarity, left[rows], right[rows]
        )[0]
    columns["other-name"] = _is_named_otherwise(strikes, assets, left, right).astype(float)
    own, other = strikes.number[left], assets.number[right]
    columns["other-number"] = ((columns["name"] > 0) & (own != 0) & (other != 0) & (own & other == 0)).astype(float)
    return columns


def _is_named_otherwise(strikes: StrikeColumns, assets: AssetIndex, left: Ints, right: Ints) -> Bools:
    """Whether the text names all its sites of the kind of each pair's asset, and by no word of that or its owners."""
    marked: Bools = (strikes.named_kinds[left] & assets.kind[right]) != 0
    rows = np.flatnonzero(marked)
    codes, strike = strikes.site_names.of_rows(np.arange(len(strikes)))
    key = strike * len(assets.names.rarity) + codes
    for words in (assets.names.words, assets.names.owners):
        code, pair = words.of_rows(right[rows])
        shared = np.isin(left[rows[pair]] * len(assets.names.rarity) + code, key)
        marked[rows[pair[shared]]] = False
    return marked


class _StrikeWords:
    """The words of the strikes, indexed by strike and word, with a Bloom-like filter by hash buckets."""

    def __init__(self, strikes: StrikeColumns) -> None:
        count = len(strikes)
        row = np.repeat(np.arange(count), np.diff(strikes.words.start))
        self.base = int(strikes.words.values.max(initial=0)) + 1
        key = row * self.base + strikes.words.values
        order = np.argsort(key)
        self.key, self.is_local = key[order], strikes.is_local[order]
        self._nearness = strikes.nearness[order]
        #: Which strikes have a word that the text only has near something.
        self.has_near = np.zeros(count, dtype=bool)
        self.has_near[row[strikes.nearness > 0]] = True
        self._row, self._word = row, strikes.words.values

    @cached_property
    def _buckets(self) -> Bools:
        buckets = np.zeros((len(self.has_near), _BUCKETS), dtype=bool)
        buckets[self._row, self._word % _BUCKETS] = True
        return buckets

    def may_share(self, words: RaggedArray, left: Ints, right: Ints) -> Bools:
        """Mark the pairs that may have a word in common, shape (pairs,); the others have none."""
        marked = np.zeros(len(left), dtype=bool)
        first = words.start[right]
        size = words.start[right + 1] - first
        rows = np.flatnonzero(size > 0)
        for number in range(int(size.max(initial=0))):
            rows = rows[size[rows] > number]
            marked[rows] |= self._buckets[left[rows], words.values[first[rows] + number] % _BUCKETS]
        return marked

    def contains(self, left: Ints, words: Ints) -> tuple[Bools, Bools]:
        """Return whether each strike has the word beside it, and whether the word is of the strike's own place."""
        if not len(self.key):
            return np.zeros(len(left), dtype=bool), np.zeros(len(left), dtype=bool)
        key = left * self.base + words
        at = np.minimum(np.searchsorted(self.key, key), len(self.key) - 1)
        present = (self.key[at] == key) & (words < self.base)
        return present, present & self.is_local[at]

    def nearness(self, words: RaggedArray, left: Ints, right: Ints) -> Ints:
        """Return of each pair what the text says of the names of its asset, as ``StrikeColumns.nearness`` has it."""
        code, pair = words.of_rows(right)
        present, _ = self.contains(left[pair], code)
        at = np.searchsorted(self.key, left[pair[present]] * self.base + code[present])
        said = self._nearness[at]
        least = np.full(len(left), 3, np.int64)
        np.minimum.at(least, pair[present][said >= 0], said[said >= 0])
        return np.where(least > 2, 0, least)

    def number(self, left: Ints, words: Ints) -> Masks:
        """Return the place of each word in the list of its strike, that of the 64th again 0."""
        first = np.searchsorted(self.key, left * self.base)
        return np.asarray((np.searchsorted(self.key, left * self.base + words) - first) % 64, np.uint64)


def _shared_names(
    strike_words: _StrikeWords, assets: AssetIndex, left: Ints, right: Ints
) -> tuple[Floats, Floats, Floats]:
    """Compare the words of pairs in reach with the names of their assets; shape (pairs,) each.

    Returns the rarity of the rarest shared word, that of the rarest in a name that is given in full, and that of the
    rarest that is of the strike's own place. Words of the strike's place count in a full name, but not alone.
    """
    word, own_word = _rarest_shared(strike_words, assets.names.words, assets.names.rarity, left, right)
    spelled = _SpelledNames.of(strike_words, assets, left, right)
    return word, spelled.whole(spelled.present & ~spelled.own), own_word


def _shared_far_names(strike_words: _StrikeWords, assets: AssetIndex, left: Ints, right: Ints) -> tuple[Floats, Floats]:
    """Compare the words of pairs out of reach with the names of their assets; shape (pairs,) each.

    Returns the rarity of the rarest shared word, and that of the rarest in a name that is given in full. A wrong place
    may have been looked up by the very words that name the asset, so that its words count like others. But the name of
    a company says whose the asset is, and not which of several: without a place it tells no asset.
    """
    spelled = _SpelledNames.of(strike_words, assets, left, right)
    telling = spelled.present & ~assets.names.is_of_owner(right[spelled.pair[spelled.of_variant]], spelled.words)
    return spelled.rarest(telling), spelled.whole(telling)


@dataclass(frozen=True, slots=True)
class Mentions:
    """The words of a text by which it names candidates, as masks by their places in the text's list; shape (pairs,).

    Attributes
    ----------
    whole
        Words of names that the text has in full, of candidates of a kind that fits; 0 where there is none.
    every
        All words that it has of any name of the candidate.
    """

    whole: Masks
    every: Masks

    def apart(self, one: int | Ints, other: int | Ints) -> Bools:
        """Whether the text names pairs of rows side by side: each by a word that no name of the other has."""
        ours, theirs = self.whole[one] & ~self.every[other], self.whole[other] & ~self.every[one]
        return np.asarray((ours != 0) & (theirs != 0))


def mentions(strikes: StrikeColumns, assets: AssetIndex, left: Ints, right: Ints, evidence: Columns) -> Mentions:
    """Find which candidates a text names in full and by which words; ``evidence`` is that on the same pairs.

    The words of a strike's own place name none in reach: all sites of a town have them.
    """
    whole, every = np.zeros((2, len(left)), np.uint64)
    named = _any_of(evidence, ("whole-name", "far-whole-name")) & (evidence["other-kind"] == 0)
    count = np.bincount(left[named], minlength=len(strikes))
    rows = np.flatnonzero(named & (count[left] > 1))
    if len(rows):
        strike_words = _StrikeWords(strikes)
        spelled = _SpelledNames.of(strike_words, assets, left[rows], right[rows])
        pair = spelled.pair[spelled.of_variant]
        bit = np.uint64(1) << strike_words.number(left[rows[pair]], spelled.words)
        telling = ~spelled.own | (evidence["prior"][rows[pair]] == 0)
        for mask, counted in ((whole, spelled.present & telling & spelled.is_whole), (every, spelled.present)):
            np.bitwise_or.at(mask, rows[pair[counted]], bit[counted])
    return Mentions(whole, every)


@dataclass(frozen=True, slots=True)
class _SpelledNames:
    """The words of each name of the assets of pairs, and whether the strikes have them.

    Attributes
    ----------
    words, present, own, rarity
        Codes of the words, whether the strike has each, whether that is of its own place, and how rare it is.
    of_variant, pair
        The name of each word, and the pair of each name.
    count
        Number of pairs.
    """

    words: Ints
    present: Bools
    own: Bools
    rarity: Floats
    of_variant: Ints
    pair: Ints
    count: int

    @classmethod
    def of(cls, strike_words: _StrikeWords, assets: AssetIndex, left: Ints, right: Ints) -> _SpelledNames:
        variant, pair = assets.names.variants.of_rows(right)
        words, of_variant = assets.names.spelled.of_rows(variant)
        present, own = strike_words.contains(left[pair[of_variant]], words)
        return cls(words, present, own, assets.names.rarity[words], of_variant, pair, len(left))

    def rarest(self, counted: Bools) -> Floats:
        """Return the rarity of the rarest counted word, by pair."""
        word = np.zeros(self.count)
        np.maximum.at(word, self.pair[self.of_variant], np.where(counted, self.rarity, 0))
        return word

    @property
    def is_whole(self) -> Bools:
        """Whether the strike has every word of the name of each word."""
        lacking = np.bincount(self.of_variant, weights=~self.present, minlength=len(self.pair)) > 0
        return np.asarray(~lacking[self.of_variant])

    def whole(self, counted: Bools) -> Floats:
        """Return the rarity of the rarest counted word of names of which the strike has every word, by pair."""
        return self.rarest(counted & self.is_whole)


def _rarest_shared(
    strike_words: _StrikeWords, words: RaggedArray, rarity: Floats, left: Ints, right: Ints
) -> tuple[Floats, Floats]:
    """Return the rarity of the rarest shared word: of words not of the strike's place, and of words that are."""
    code, pair = words.of_rows(right)
    present, own = strike_words.contains(left[pair], code)
    name, local = np.zeros(len(left)), np.zeros(len(left))
    np.maximum.at(name, pair, np.where(present & ~own, rarity[code], 0))
    np.maximum.at(local, pair, np.where(own, rarity[code], 0))
    return name, local
