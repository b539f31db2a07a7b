"""Scores places against a query by named reasons with weights, and decides whether one alone fits. Knows no file."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import NamedTuple

from layers.model.messages import Message
from layers.model.types import Basis
from layers.reference.regions import RegionNameKind
from layers.text.place_names import fold, is_common_noun, is_cyrillic, is_namesake, spelled

#: What each reason adds to the score of a place, and its meaning. Of the first seven, exactly one holds.
WEIGHTS: Mapping[str, tuple[float, Message]] = MappingProxyType(
    {
        name: (weight, Message(f"gazetteer.reason.{name}"))
        for name, weight in (
            ("region-name", 1.0),
            ("own-name", 1.0),
            ("own-name-spelled", 0.97),
            ("other-name", 0.8),
            ("sounds-like", 0.7),
            ("inflected", 0.5),
            ("sounds-like-other", 0.45),
            ("region", 0.5),
            ("other-region", -0.6),
            ("country", 0.3),
            ("other-country", -0.8),
            ("near", 0.4),
            ("far", -0.6),
            ("common-noun", -0.5),
            ("namesake", -0.2),
            ("people", 0.04),
        )
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
#: What the coordinate of other features of GeoNames stands for and their radius in metres, by class and code or class.
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


class NamedPlace(NamedTuple):
    """A place that has a name of the key searched for: its row of the index, with the spellings of that key."""

    id: int
    name: str
    country: str
    admin1: str
    admin2: str
    lon: float
    lat: float
    population: int
    feature: str | None
    spellings: tuple[str, ...]
    origin: int = 1


class NamedRegion(NamedTuple):
    """A region that a text may mean; middle (lon, lat) and radius are ``None`` where the index has no place in it."""

    country: str
    code: str
    name: str
    id: int
    lon: float | None
    lat: float | None
    radius_m: float | None
    kind: RegionNameKind
    spelled: str


@dataclass(frozen=True, slots=True)
class PlaceQuery:
    """A search: the name, and what the place should lie in or near.

    Attributes
    ----------
    name, key
        The name in small letters, and its key.
    inflected
        Whether the name is taken for a case form.
    country
        ISO 3166-1 code; ``None`` for any.
    regions
        Pairs of country and admin1 code, or triples with admin2; ``None`` for any, empty where the region asked for is
        not known.
    near
        Lon, lat in degrees; ``None`` for anywhere.
    """

    name: str
    key: str
    inflected: bool = False
    country: str | None = None
    regions: frozenset[tuple[str, ...]] | None = None
    near: tuple[float, float] | None = None

    def renamed(self, name: str, key: str, inflected: bool = False) -> PlaceQuery:
        """Return the search for another name in the same country, regions and surroundings."""
        return replace(self, name=name, key=key, inflected=inflected)


class PlaceReason(NamedTuple):
    """One reason for or against a place: its name in `WEIGHTS`, the value measured, and its part of the score."""

    name: str
    value: float
    weight: float

    @property
    def detail(self) -> Message:
        """The meaning of the reason."""
        return WEIGHTS[self.name][1]


def reasons_for(query: PlaceQuery, place: NamedPlace) -> Iterator[PlaceReason]:
    """Give the reasons for and against a place; the first says how the name fits."""
    yield _by_name(query, place)
    if query.regions and place.admin1:
        there = any((place.country, place.admin1, place.admin2)[: len(region)] == region for region in query.regions)
        yield _reason("region" if there else "other-region")
    if query.country:
        yield _reason("country" if query.country == place.country else "other-country")
    if query.near:
        yield _nearness(distance_m(*query.near, place.lon, place.lat))
    if is_common_noun(query.key):
        yield _reason("common-noun")
    elif is_namesake(query.key):
        yield _reason("namesake")
    digits = math.log10(max(place.population, 1))
    yield PlaceReason("people", place.population, WEIGHTS["people"][0] * digits)


def evidence(reasons: tuple[PlaceReason, ...]) -> float:
    """Return the score without the weight of the population, which orders places that fit alike."""
    return sum(reason.weight for reason in reasons if reason.name != "people")


def fits(reasons: tuple[PlaceReason, ...]) -> bool:
    """Whether no reason says that the place lies elsewhere than the search says."""
    return not any(reason.name in _AGAINST for reason in reasons)


def may_be_sure(reasons: tuple[PlaceReason, ...]) -> bool:
    """Whether a place can be the answer: not where the text is a common noun or a pipeline's name without a region."""
    names = {reason.name for reason in reasons}
    return "common-noun" not in names and ("namesake" not in names or "region" in names)


def size_of_feature(feature: str | None, population: int) -> tuple[Basis, float]:
    """Return what the coordinate of a place stands for, and the radius in metres that holds what is reported there."""
    if feature:
        for code in (feature, feature.partition(".")[0]):
            if code in FEATURES:
                return FEATURES[code]
    return "settlement", next(radius for people, radius in SETTLEMENT_M if population >= people)


def distance_m(lon: float, lat: float, other_lon: float, other_lat: float) -> float:
    """Return the distance in metres of two points in degrees, on a sphere: within 0.6 % of that on the ellipsoid."""
    phi, other_phi = math.radians(lat), math.radians(other_lat)
    half = math.sin((phi - other_phi) / 2) ** 2
    half += math.cos(phi) * math.cos(other_phi) * math.sin(math.radians(lon - other_lon) / 2) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(math.sqrt(min(half, 1.0)))


def _reason(name: str, value: float = 1.0) -> PlaceReason:
    return PlaceReason(name, value, WEIGHTS[name][0])


def _by_name(query: PlaceQuery, place: NamedPlace) -> PlaceReason:
    if place.feature == "A.ADM1":
        return _reason("region-name")
    if query.inflected:
        return _reason("inflected")
    if query.name == spelled(place.name):
        return _reason("own-name")
    own = fold(place.name)
    if query.name in place.spellings:
        same = is_cyrillic(query.name) or _VOWELS.sub("o", own) == _VOWELS.sub("o", query.key)
        return _reason("own-name-spelled" if same else "other-name")
    in_script = any(is_cyrillic(spelling) == is_cyrillic(query.name) for spelling in place.spellings)
    return _reason("sounds-like" if own == query.key and in_script else "sounds-like-other")


def _nearness(metres: float) -> PlaceReason:
    if metres > NEAR_REACH_M:
        return _reason("far", round(metres))
    return PlaceReason("near", round(metres), WEIGHTS["near"][0] * _NEAR_HALF_M / (_NEAR_HALF_M + metres))


#: The reason that is too weak for a place to be the answer, or to compete with one.
_FAINT = "sounds-like-other"


class ScoredPlace(NamedTuple):
    """A place with its reasons and score, what its coordinate stands for, and the radius in metres about it."""

    place: NamedPlace
    reasons: tuple[PlaceReason, ...]
    score: float
    basis: Basis
    uncertainty_m: float
    matched: str


def verdict(ranked: Sequence[ScoredPlace], query: PlaceQuery) -> tuple[ScoredPlace | None, bool, Message]:
    """Decide which of ranked places is meant.

    Returns
    -------
    (ScoredPlace or None, bool, Message)
        The place that alone fits, whether several fit alike, and an explanation.
    """
    if not ranked:
        return None, False, Message("gazetteer.no-place")
    for reason in ranked[0].reasons:
        if reason.name in ("common-noun", "namesake") and not may_be_sure(ranked[0].reasons):
            return None, True, Message("gazetteer.any-place", {"reason": reason.detail})
    fitting = [scored for scored in ranked if fits(scored.reasons)]
    if not fitting:
        return None, False, Message("gazetteer.elsewhere", {"n": len(ranked)})
    fitting = [scored for scored in fitting if scored.reasons[0].name != _FAINT]
    if not fitting:
        return None, False, Message("gazetteer.too-weak", {"reason": WEIGHTS[_FAINT][1]})
    best = max(evidence(scored.reasons) for scored in fitting)
    apart = list(_apart(scored for scored in fitting if evidence(scored.reasons) >= best - MARGIN))
    if len(apart) == 1:
        return apart[0], False, Message("gazetteer.best", {"reason": apart[0].reasons[0].detail})
    return None, True, Message(f"gazetteer.alike-{_hint(query)}", {"n": len(apart)})


def _hint(query: PlaceQuery) -> str:
    """Return what a query lacks that could separate places."""
    if query.regions:
        return "say-more"
    return "say-region" if query.regions is None else "unknown-region"


def _apart(alike: Iterable[ScoredPlace]) -> Iterator[ScoredPlace]:
    """Leave out places within the radius of an earlier one: gazetteers have some places twice."""
    distinct: list[ScoredPlace] = []
    for scored in alike:
        lon, lat = scored.place.lon, scored.place.lat
        if all(distance_m(lon, lat, k.place.lon, k.place.lat) > k.uncertainty_m for k in distinct):
            distinct.append(scored)
            yield scored


def scored_place(place: NamedPlace, query: PlaceQuery) -> ScoredPlace:
    """Score a place against a search."""
    reasons = tuple(reasons_for(query, place))
    score = sum(reason.weight for reason in reasons)
    same_script = (spelling for spelling in place.spellings if spelling.isascii() == query.name.isascii())
    matched = query.name if query.name in place.spellings else next(same_script, place.spellings[0])
    return ScoredPlace(place, reasons, score, *size_of_feature(place.feature, place.population), matched)


def scored_region(region: NamedRegion, query: PlaceQuery) -> Iterator[ScoredPlace]:
    """Score a region as a place; yields nothing for a region of which the index has no place, and so no position."""
    if region.lon is None or region.lat is None or region.radius_m is None:
        return
    place = NamedPlace(region.id, region.name, region.country, region.code, "", region.lon, region.lat, 0, "A.ADM1", ())
    reasons = tuple(reasons_for(query, place))
    yield ScoredPlace(
        place, reasons, sum(reason.weight for reason in reasons), "region", region.radius_m, spelled(region.spelled)
    )
