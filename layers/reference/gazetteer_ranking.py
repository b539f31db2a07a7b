"""Ranks the places that a text may mean, and tells whether one of them alone fits. Pure; knows no file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from layers.model.types import Basis
from layers.reference.gazetteer_index import RegionHit
from layers.reference.gazetteer_scoring import (
    MARGIN,
    WEIGHTS,
    Asked,
    Hit,
    Said,
    distance_m,
    evidence,
    fits,
    may_be_sure,
    reasons,
    size,
    total,
)
from layers.text.place_names import spelled

#: A name that proves too little to be an answer, or to stand against one.
_FAINT = "sounds-like-other"


class Scored(NamedTuple):
    """A place with what speaks for and against it, and what its coordinate is good to."""

    hit: Hit
    said: tuple[Said, ...]
    score: float
    basis: Basis
    uncertainty_m: float
    matched: str


def verdict(ranked: Sequence[Scored], asked: Asked) -> tuple[Scored | None, bool, str]:
    """Give the one of ranked places that alone fits, whether several do, and why in words."""
    if not ranked:
        return None, False, "no place of that name"
    for name in ("common-noun", "namesake"):
        if not may_be_sure(ranked[0].said) and any(said.name == name for said in ranked[0].said):
            return None, True, f"{WEIGHTS[name][1]}: any place may be meant"
    fitting = [one for one in ranked if fits(one.said)]
    if not fitting:
        return None, False, f"{_count(ranked)} of that name, but not where it was looked for"
    fitting = [one for one in fitting if one.said[0].name != _FAINT]
    if not fitting:
        return None, False, f"{WEIGHTS[_FAINT][1]}: too little to go by"
    most = max(evidence(one.said) for one in fitting)
    apart = list(_apart(one for one in fitting if evidence(one.said) >= most - MARGIN))
    if len(apart) == 1:
        how = WEIGHTS[apart[0].said[0].name][1]
        return apart[0], False, f"{how}; no other place that the gazetteer has fits as well"
    return None, True, f"{_count(apart)} fit alike: {_hint(asked)}"


def _hint(asked: Asked) -> str:
    if asked.regions:
        return "say more"
    return "say its region" if asked.regions is None else "the region said is not known"


def _apart(alike: Iterable[Scored]) -> Iterator[Scored]:
    """Places that lie farther from each earlier one than that is large: gazetteers have some places twice."""
    kept: list[Scored] = []
    for one in alike:
        near = (distance_m(one.hit.lon, one.hit.lat, k.hit.lon, k.hit.lat) <= k.uncertainty_m for k in kept)
        if not any(near):
            kept.append(one)
            yield one


def _count(found: Sequence[object]) -> str:
    return f"{len(found)} place{'s' if len(found) > 1 else ''}"


def scored_place(hit: Hit, asked: Asked) -> Scored:
    """A place with its reasons."""
    said = tuple(reasons(asked, hit))
    same_script = (way for way in hit.ways if way.isascii() == asked.name.isascii())
    matched = asked.name if asked.name in hit.ways else next(same_script, hit.ways[0])
    return Scored(hit, said, total(said), *size(hit.feature, hit.population), matched)


def scored_region(region: RegionHit, asked: Asked) -> Iterator[Scored]:
    """The region as a place, unless the index knows no place in it and so not where it is."""
    if region.lon is None or region.lat is None or region.radius_m is None:
        return
    hit = Hit(region.id, region.name, region.country, region.code, "", region.lon, region.lat, 0, "A.ADM1", ())
    said = tuple(reasons(asked, hit))
    yield Scored(hit, said, total(said), "region", region.radius_m, spelled(region.spelled))
