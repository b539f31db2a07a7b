"""Evidence for and against two strikes being one event: a table of reasons, each with its weight and its measure."""

from __future__ import annotations

from operator import attrgetter

import numpy as np

from geo.lonlat import Bools, Floats, Ints
from layers.model.messages import Message
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
from layers.resolution.strike_blocking import DuplicateColumns, StrikePairs
from layers.resolution.strike_targets import most_similar
from layers.text.report_terms import BUILDINGS
from layers.text.strike_terms import FAMILIES

#: Largest uncertainty of a place that is a site, and of one that is a town, in metres.
SITE_M, TOWN_M = 1_000.0, 20_000.0
#: Least uncertainty of a place that is a point for a whole town: its centre, and not what was hit in or near it.
CENTRE_M = 5_000.0
#: Cosines of texts: from which they are alike, from which they may be the same, and from which they are.
_ALIKE, _LIKE, _IDENTICAL = 0.5, 0.6, 0.9


def _place(pairs: StrikePairs) -> Floats:
    """Return 1 where near places have a sigma of at most 5 km together, 0 beyond 30 km."""
    sigma = np.where(pairs.near, np.hypot(*pairs.of(pairs.table.uncertainty_m)) / 2, 1.0)
    return np.where(pairs.near, np.clip(np.log(30_000.0 / np.maximum(sigma, 1.0)) / np.log(6.0), 0.0, 1.0), 0.0)


def _spot(pairs: StrikePairs) -> Floats:
    """Return 1 for two sites up to 10 m from each other, 0 at 1 km."""
    fall = np.log10(np.maximum(pairs.metres, 10.0) / 10.0) / 2
    return np.where(pairs.near & (pairs.stated_m <= SITE_M), np.clip(1 - fall, 0.0, 1.0), 0.0)


def _apart(pairs: StrikePairs) -> Floats:
    """Return how far near places are, both sure to a town, in sigmas.

    It is 0 where both name one town, of which one has the centre: a refinery of that name lies outside of it.
    """
    place, _ = pairs.of(pairs.table.place)
    one_town = pairs.same(pairs.table.place) & (place >= 0) & (pairs.stated_m >= CENTRE_M)
    return np.where((pairs.stated_m <= TOWN_M) & ~one_town, pairs.apart, 0.0)


def _apart_vague(pairs: StrikePairs) -> Floats:
    """Return the distance in parts of the wider radius, at most 1.5: one strike may be anywhere in a region."""
    wider = np.where(pairs.near, np.maximum(*pairs.of(pairs.table.uncertainty_m)), 1.0)
    return np.where(pairs.near & (pairs.stated_m > TOWN_M), np.minimum(pairs.metres / wider, 1.5), 0.0)


def _buildings(pairs: StrikePairs) -> Ints:
    return pairs.table.buildings[pairs.left] & pairs.table.buildings[pairs.right]


def _building(pairs: StrikePairs) -> Floats:
    """Return the rarity of the rarest building that both name."""
    masks, rarest = _buildings(pairs), np.zeros(len(pairs))
    for bit, value in enumerate(pairs.table.building_rarity.tolist()):
        rarest = np.where(masks >> bit & 1, np.maximum(rarest, value), rarest)
    return rarest


def _other_object(pairs: StrikePairs) -> Bools:
    """Whether one names a building and the other a site or another building."""
    table = pairs.table
    of_sites = pairs.same_family | pairs.other_family
    named = pairs.both((table.families > 0) | (table.buildings > 0))
    return np.asarray(named & ~of_sites & (_buildings(pairs) == 0))


def _place_name(pairs: StrikePairs) -> Floats:
    """Return the sum of the rarities of shared words of places that are not near, at most 2."""
    of_places = pairs.shared(pairs.table.words, pairs.table.rarity) - pairs.shared_names
    return np.where(pairs.near, 0.0, np.clip(of_places, 0.0, 2.0))


def _other_place(pairs: StrikePairs) -> Bools:
    """Whether the texts name other places, and a place is vague."""
    return pairs.disjoint(pairs.table.places) & (~pairs.near | (pairs.stated_m > TOWN_M))


def _two_places(pairs: StrikePairs) -> Bools:
    """Whether one data set has both, in two places."""
    elsewhere = pairs.differ(pairs.table.region) | (pairs.both(pairs.table.placed) & ~pairs.near)
    return elsewhere & pairs.same(pairs.table.dataset)


def _identical(pairs: StrikePairs) -> Floats:
    """Return how surely the texts are the same ones that were not put in two places."""
    same = np.clip((pairs.cosine - _LIKE) / (_IDENTICAL - _LIKE), 0.0, 1.0)
    return np.where(_two_places(pairs), 0.0, same)


def _same_source(pairs: StrikePairs) -> Bools:
    """Whether two data sets cite the same report, unless on other kinds of site: it may be on both."""
    return ~pairs.same(pairs.table.dataset) & (pairs.shared(pairs.table.reports) > 0) & ~pairs.other_family


def _likeness(pairs: StrikePairs, row: int) -> Message:
    return Message("duplicates.likeness", {"percent": round(100 * float(pairs.cosine[row]))})


def _shared_numbers(pairs: StrikePairs, row: int) -> Message:
    shared = sorted(pairs.table.numbers.common(*pairs.ends(row)))
    return Message("duplicates.shared-numbers", {"numbers": tuple(f"{number} {noun}" for noun, number in shared)})


def _most_similar(pairs: StrikePairs, row: int) -> Message:
    _, left, right = most_similar(*(pairs.table.targets[end].names for end in pairs.ends(row)))
    return Message("duplicates.targets", {"one": left, "other": right})


def _objects(table: DuplicateColumns, row: int) -> str:
    """Return the families of site and the buildings of a strike, in words."""
    return named_bits(int(table.families[row]) | int(table.buildings[row]) << len(FAMILIES), FAMILIES + BUILDINGS)


def _place_words(pairs: StrikePairs, row: int) -> Message:
    shared = pairs.table.words.common(*pairs.ends(row)) - pairs.table.names.common(*pairs.ends(row))
    return Message("duplicates.words", {"words": tuple(sorted(f"{stem}…" for stem in shared))})


_DATES = of_records("dates", attrgetter("when"))
_KINDS = of_rows("kinds", lambda table, row: named_bits(int(table.families[row]), FAMILIES))
_OBJECTS = of_rows("objects", _objects)
_REGIONS = of_records("regions", attrgetter("region"))
_ATTACKERS = of_records("attackers", attrgetter("attacker"))
_COUNTRIES = of_records("countries", attrgetter("host_country"))
_WORDS = in_common("words", "words", lambda table: table.names)
_SOURCES = in_common("sources", "sources", lambda table: table.reports, str)

#: The reasons, with log odds that are calibrated, see docs/duplicates.md; or set by hand, as few labelled pairs have
#: the evidence, or those that have it hang together.
COMPARISONS: tuple[Comparison[StrikePairs], ...] = (
    Comparison("prior", -0.9, ones, fixed("prior")),  # two strikes within two days
    Comparison("same-night", 0.6, lambda p: p.both(p.table.brief) & (p.gap <= 0), _DATES),
    Comparison("later-day", -0.9, lambda p: p.both(p.table.brief) & (p.gap == 2), _DATES),
    Comparison("far", -1.9, lambda p: p.both(p.table.placed) & ~p.near, of_records("far", attrgetter("place"))),
    Comparison("no-place", -3.1, lambda p: ~p.both(p.table.placed), fixed("no-place")),
    Comparison("other-region", -0.8, lambda p: p.differ(p.table.region), _REGIONS),
    Comparison("kind", 4.1, lambda p: p.same_family, _KINDS),
    Comparison("other-kind", -1.3, lambda p: p.other_family, _KINDS),
    Comparison("one-kind", -1.1, lambda p: ~p.same(p.table.families > 0), _KINDS),
    Comparison("other-object", -1.2, _other_object, _OBJECTS),
    Comparison(
        "other-attacker", -0.5, lambda p: p.both(p.table.side > 0) & ~p.same(p.table.side), _ATTACKERS, by_hand=True
    ),
    Comparison("other-country", -0.5, lambda p: p.differ(p.table.country), _COUNTRIES, by_hand=True),
    Comparison("same-dataset", -1.7, lambda p: p.same(p.table.dataset), same_dataset),
    Comparison("place", 1.1, _place, distance),
    Comparison("spot", 3.4, _spot, distance),
    Comparison("apart", -2.7, _apart, distance, most=MAX_APART),
    Comparison("apart-vague", -3.5, _apart_vague, distance, most=1.5),
    Comparison("building", 0.7, _building, _OBJECTS),
    Comparison("name", 1.0, lambda p: np.minimum(p.shared_names, 2.0), _WORDS, most=2.0, slow=1),
    Comparison("place-name", 1.1, _place_name, _place_words, most=2.0, slow=1),
    Comparison("words", 0.7, lambda p: np.minimum(p.cosine / _ALIKE, 1.0), _likeness, slow=1),
    Comparison("identical", 2.1, _identical, _likeness, slow=1),
    Comparison("numbers", 2.0, lambda p: np.minimum(p.shared(p.table.numbers), 2.0), _shared_numbers, most=2.0, slow=1),
    Comparison("other-place", -1.9, _other_place, fixed("other-place"), slow=1),
    Comparison("one-report", -4.3, lambda p: _two_places(p) & (p.cosine >= _IDENTICAL), _likeness, slow=1),
    Comparison("target", 0.9, lambda p: p.targets[:, 0], _most_similar, slow=2),
    # Twice if only numbers differ.
    Comparison("other-target", -3.0, lambda p: p.targets[:, 1], _most_similar, by_hand=True, most=2.0, slow=2),
    Comparison("same-source", 2.0, _same_source, _SOURCES, by_hand=True, slow=2),
)
