"""Looks places up by name: ranked candidates with what each is good to, and one answer only where one alone fits."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from layers.model.records import Reason
from layers.model.types import Basis
from layers.reference.gazetteer_index import GazetteerMissing, Index
from layers.reference.gazetteer_ranking import Scored, scored_place, scored_region, verdict
from layers.reference.gazetteer_scoring import WEIGHTS, Asked
from layers.reference.regions import has_region_word
from layers.text.place_names import MAX_LENGTH, bare, fold, is_cyrillic, parts, spelled

__all__ = ["Candidate", "Gazetteer", "GazetteerMissing", "Places"]

#: Most candidates that are given.
MAX_LIMIT = 100

_CODE = re.compile("[A-Za-z]{2}")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place that may be meant.

    ``id`` is its GeoNames id, ``matched`` the spelling that was found (in small letters), ``region`` the name of its
    first-level division and ``admin1`` the code of that. ``lon`` and ``lat`` are degrees (OGC:CRS84),
    ``uncertainty_m`` is the radius that is to hold what is reported at it, ``basis`` what the coordinate stands for.
    ``feature`` is the GeoNames class and code, None where the gazetteer does not say; ``origin`` is the gazetteer.
    """

    id: int
    name: str
    matched: str
    country: str
    region: str | None
    admin1: str
    lon: float
    lat: float
    population: int
    feature: str | None
    origin: str
    uncertainty_m: float
    basis: Basis
    score: float
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Places:
    """What a text may mean: candidates, best first, and one of them as ``best`` only where it alone fits.

    ``ambiguous`` if more than one place fits and nothing that was asked tells them apart; ``why`` says it in words.
    """

    text: str
    candidates: tuple[Candidate, ...]
    best: Candidate | None
    ambiguous: bool
    why: str


class Gazetteer:
    """A built index, open for reading. Threads may share it."""

    def __init__(self, index: Index) -> None:
        self._index = index

    @classmethod
    def open(cls, path: Path) -> Gazetteer:
        """Open an index.

        Raises
        ------
        GazetteerMissing
            There is no such file, or it is no index of this version.
        """
        return cls(Index.open(path))

    def close(self) -> None:
        """Close the file."""
        self._index.close()

    def origins(self) -> tuple[tuple[str, str, int], ...]:
        """The gazetteers in it: name, licence and number of places."""
        return self._index.origins()

    def find(
        self,
        text: str,
        *,
        region: str | None = None,
        country: str | None = None,
        near: tuple[float, float] | None = None,
        limit: int = 10,
    ) -> Places:
        """Places that a text may mean, best first.

        Parameters
        ----------
        text
            A name in Latin or Cyrillic letters, in Ukrainian, Russian, English or German spelling, or any that
            GeoNames has; also a region (``Одещина``), a name in a case of it (``в Одесі``), and a name with what it
            lies in (``Orlivka, Odesa oblast``). Text beyond 200 characters is cut; without a letter nothing is found.
        region
            The first-level division it lies in, or the second where an added gazetteer has it, in any spelling.
            One that is not known tells nothing apart.
        country
            ISO 3166-1 alpha-2, or a name.
        near
            lon, lat in degrees of a point that it is within 300 km of.
        limit
            Most candidates that are given, 1 to 100. Nothing else depends on it.

        Raises
        ------
        ValueError
            If ``near`` is no lon/lat.
        """
        if near is not None and not (all(map(math.isfinite, near)) and abs(near[0]) <= 180 and abs(near[1]) <= 90):
            raise ValueError(f"near={near!r}: expected lon, lat in degrees")
        name, *within = list(parts(text)) or [""]
        iso, regions = self._context(region, country, within)
        asked = Asked(spelled(name), fold(name), country=iso, regions=regions, near=near)
        ranked = sorted(self._scored(name, asked), key=lambda one: (-one.score, one.hit.id))
        best, ambiguous, why = verdict(ranked, asked)
        if best:
            ranked = [best, *(one for one in ranked if one is not best)]
        told = [self._candidate(one) for one in ranked[: max(1, min(limit, MAX_LIMIT))]]
        return Places(text[:MAX_LENGTH], tuple(told), told[0] if best else None, ambiguous, why)

    def _context(
        self, region: str | None, country: str | None, within: Sequence[str]
    ) -> tuple[str | None, frozenset[tuple[str, ...]] | None]:
        """The country, and the regions or districts, that a place is to lie in; what follows the name counts too."""
        said = [*(parts(region) if region else ()), *within]
        countries = [country] if country else said
        iso = next((code for part in countries if (code := self._index.country(part))), None)
        if country and _CODE.fullmatch(country.strip()):
            iso = country.strip().upper()
        asked = list(parts(region)) if region else within
        asked = [part for part in asked if self._index.country(part) is None]
        if not asked:
            return iso, None
        found: set[tuple[str, ...]] = set()
        for part in asked:
            divisions = {(hit.country, hit.code) for hit in self._index.regions(part, iso)}
            found |= divisions or self._index.districts(part)
        return iso, frozenset(found)

    def _scored(self, name: str, asked: Asked) -> list[Scored]:
        both = (*self._in_a_case(name, asked), *self._called(name, asked))
        found = {one.hit.id: one for one in sorted(both, key=lambda one: one.score)}
        return [*self._as_region(name, asked, not found), *found.values()]

    def _called(self, name: str, asked: Asked) -> list[Scored]:
        """Places called so; else without the words around the name."""
        for way in dict.fromkeys((name, bare(name))):
            if (key := fold(way)) and (hits := self._index.named(key)):
                return [scored_place(hit, asked.called(spelled(way), key)) for hit in hits]
        return []

    def _in_a_case(self, name: str, asked: Asked) -> list[Scored]:
        """Places of which the text is a case form."""
        short = bare(name)
        if not is_cyrillic(short) or has_region_word(name) or not (key := fold(short)):
            return []
        return [
            scored_place(hit, asked.called(spelled(short), key, inflected=True)) for hit in self._index.inflected(key)
        ]

    def _as_region(self, name: str, asked: Asked, nothing_else: bool) -> Iterator[Scored]:
        """Regions that the text means: by a word such as oblast, a nickname, or where no place is called so."""
        has_word = has_region_word(name)
        for region in self._index.regions(bare(name), asked.country):
            if has_word or nothing_else or region.kind == "alone":
                yield from scored_region(region, asked)

    def _candidate(self, one: Scored) -> Candidate:
        hit = one.hit
        return Candidate(
            **{name: getattr(hit, name) for name in ("id", "name", "country", "admin1", "lon", "lat")},
            matched=one.matched,
            region=self._index.region_name(hit.country, hit.admin1),
            population=hit.population,
            feature=hit.feature,
            origin=self._index.origin_name(hit.origin),
            uncertainty_m=one.uncertainty_m,
            basis=one.basis,
            score=round(one.score, 3),
            reasons=tuple(Reason(**said._asdict(), detail=WEIGHTS[said.name][1]) for said in one.said),
        )
