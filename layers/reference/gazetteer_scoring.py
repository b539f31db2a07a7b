"""How well a place fits what was asked, as named reasons with weights, and how large it is. Knows no file."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import NamedTuple

from layers.model.types import Basis
from layers.text.place_names import fold, is_common_noun, is_cyrillic, is_namesake, spelled

#: What each reason adds to the score of a place, and what it means. Of the first seven, one holds.
WEIGHTS: Mapping[str, tuple[float, str]] = MappingProxyType(
    {
        "region-name": (1.0, "a way to write the region"),
        "own-name": (1.0, "spelled as the place's own name"),
        "own-name-spelled": (0.97, "its own name as another language or script spells it"),
        "other-name": (0.8, "a known other name of it"),
        "sounds-like": (0.7, "its own name, in a spelling that the gazetteer does not have"),
        "inflected": (0.5, "a case form of its name"),
        "sounds-like-other": (0.45, "sounds like another name of it, or like its own in another script"),
        "region": (0.5, "lies in the region asked for"),
        "other-region": (-0.6, "lies in another region than asked for"),
        "country": (0.3, "lies in the country asked for"),
        "other-country": (-0.8, "lies in another country than asked for"),
        "near": (0.4, "near the point asked for; the weight is halved every time the distance passes another 50 km"),
        "far": (-0.6, "more than 300 km from the point asked for"),
        "common-noun": (-0.5, "the text is a word for a thing, not a name"),
        "namesake": (-0.2, "a pipeline has the name too"),
        "people": (0.04, "for each power of ten of its people; orders places that fit alike, and decides nothing"),
    }
)
_NEAR_HALF_M = 50_000.0
NEAR_REACH_M = 300_000.0
#: Places whose evidence differs by no more than this fit alike.
MARGIN = 0.1
_AGAINST = frozenset({"other-region", "other-country", "far"})
# Ukrainian і is Russian о or е (Орлівка, Орловка), and both go into Latin letters: such a name is no other name. Nor is
# a Cyrillic one, whatever letters the place's own name is written in now.
_VOWELS = re.compile("[ieo]+")
EARTH_RADIUS_M = 6_371_008.8

#: Radius in metres around a settlement's point, by least number of people, that holds nine in ten of the sites reported
#: at it: measured on 676 power plants that are named after a settlement (docs/places.md).
SETTLEMENT_M: tuple[tuple[int, float], ...] = (
    (1_000_000, 28_000.0),
    (300_000, 20_000.0),
    (100_000, 16_000.0),
    (0, 12_000.0),
)
#: The same for other features of GeoNames, by class and code or class alone.
FEATURES: Mapping[str, tuple[Basis, float]] = MappingProxyType(
    {
        "A.ADM2": ("district", 40_000.0),
        "A.ADM3": ("district", 20_000.0),
        "A.ADM4": ("district", 10_000.0),
        "L.PRT": ("site", 3_000.0),
        "L.OILF": ("field", 15_000.0),
        "L.GASF": ("field", 15_000.0),
        "L": ("site", 5_000.0),
        "P.PPLX": ("settlement", 5_000.0),
        "S": ("site", 3_000.0),
    }
)


class Hit(NamedTuple):
    """A place whose name has the key: its row in the index, the spellings that have it, and whose place it is."""

    id: int
    name: str
    country: str
    admin1: str
    admin2: str
    lon: float
    lat: float
    population: int
    feature: str | None
    ways: tuple[str, ...]
    origin: int = 1


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked: the name, and what it should lie in or near. ``None`` was not asked, an empty set not known.

    ``regions`` holds pairs of country and admin1 code, or triples with admin2; ``near`` is lon, lat.
    """

    name: str
    key: str
    inflected: bool = False
    country: str | None = None
    regions: frozenset[tuple[str, ...]] | None = None
    near: tuple[float, float] | None = None

    def called(self, name: str, key: str, inflected: bool = False) -> Asked:
        """The same, for another name."""
        return replace(self, name=name, key=key, inflected=inflected)


class Said(NamedTuple):
    """One named reason: what was measured, and what it adds to the score."""

    name: str
    value: float
    weight: float


def reasons(asked: Asked, hit: Hit) -> Iterator[Said]:
    """What speaks for and against a place, the kind of name first."""
    yield _by_name(asked, hit)
    if asked.regions and hit.admin1:
        there = any((hit.country, hit.admin1, hit.admin2)[: len(region)] == region for region in asked.regions)
        yield _said("region" if there else "other-region")
    if asked.country:
        yield _said("country" if asked.country == hit.country else "other-country")
    if asked.near:
        yield _nearness(distance_m(*asked.near, hit.lon, hit.lat))
    if is_common_noun(asked.key):
        yield _said("common-noun")
    elif is_namesake(asked.key):
        yield _said("namesake")
    digits = math.log10(max(hit.population, 1))
    yield Said("people", hit.population, WEIGHTS["people"][0] * digits)


def total(said: Iterable[Said]) -> float:
    """The score: the sum of all weights."""
    return sum(one.weight for one in said)


def evidence(said: tuple[Said, ...]) -> float:
    """The score without the number of people, which decides nothing."""
    return sum(one.weight for one in said if one.name != "people")


def fits(said: tuple[Said, ...]) -> bool:
    """Whether a place contradicts nothing that was asked."""
    return not any(one.name in _AGAINST for one in said)


def may_be_sure(said: tuple[Said, ...]) -> bool:
    """Whether a place can be the answer: the text is no common noun, and a pipeline's name needs the region."""
    names = {one.name for one in said}
    return "common-noun" not in names and ("namesake" not in names or "region" in names)


def size(feature: str | None, population: int) -> tuple[Basis, float]:
    """What a place's coordinate stands for, and the radius in metres that is to hold what is reported at it."""
    if feature:
        for code in (feature, feature.partition(".")[0]):
            if code in FEATURES:
                return FEATURES[code]
    return "settlement", next(radius for people, radius in SETTLEMENT_M if population >= people)


def distance_m(lon: float, lat: float, other_lon: float, other_lat: float) -> float:
    """Distance in metres of two lon/lat points on a sphere; within 0.6 % of that on the ellipsoid."""
    phi, other_phi = math.radians(lat), math.radians(other_lat)
    half = math.sin((phi - other_phi) / 2) ** 2
    half += math.cos(phi) * math.cos(other_phi) * math.sin(math.radians(lon - other_lon) / 2) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(math.sqrt(min(half, 1.0)))


def _said(name: str, value: float = 1.0) -> Said:
    return Said(name, value, WEIGHTS[name][0])


def _by_name(asked: Asked, hit: Hit) -> Said:
    if hit.feature == "A.ADM1":
        return _said("region-name")
    if asked.inflected:
        return _said("inflected")
    if asked.name == spelled(hit.name):
        return _said("own-name")
    own = fold(hit.name)
    if asked.name in hit.ways:
        same = is_cyrillic(asked.name) or _VOWELS.sub("o", own) == _VOWELS.sub("o", asked.key)
        return _said("own-name-spelled" if same else "other-name")
    in_script = any(is_cyrillic(way) == is_cyrillic(asked.name) for way in hit.ways)
    return _said("sounds-like" if own == asked.key and in_script else "sounds-like-other")


def _nearness(metres: float) -> Said:
    if metres > NEAR_REACH_M:
        return _said("far", round(metres))
    return Said("near", round(metres), WEIGHTS["near"][0] * _NEAR_HALF_M / (_NEAR_HALF_M + metres))
