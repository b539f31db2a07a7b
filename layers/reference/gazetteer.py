"""Looks places up by name in the gazetteer: ranked candidates, and a best one only where a single place fits."""

from __future__ import annotations

import math
import re
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from layers.model.messages import Message
from layers.model.types import Basis
from layers.reference.gazetteer_scoring import (
    NamedPlace,
    NamedRegion,
    PlaceQuery,
    PlaceReason,
    ScoredPlace,
    scored_place,
    scored_region,
    verdict,
)
from layers.reference.regions import has_region_word, region_key
from layers.text.place_names import MAX_LENGTH, bare, fold, is_cyrillic, parts, spelled, stem

#: Changes whenever an older index can no longer be read.
FORMAT_VERSION = 1
#: Separates the spellings of one key in a column.
SEPARATOR = "\t"

_MAX_ROWS = 2000
_PLACE = "p.id, p.name, p.country, p.admin1, p.admin2, p.lon, p.lat, p.population, p.feature, n.spelled, p.origin"
_BY_KEY = f"SELECT {_PLACE} FROM names n CROSS JOIN places p ON p.id = n.place WHERE n.key = ? LIMIT {_MAX_ROWS}"
_BY_STEM = f"SELECT {_PLACE} FROM stems n CROSS JOIN places p ON p.id = n.place WHERE n.stem = ? LIMIT {_MAX_ROWS}"
_REGIONS = (
    "SELECT r.country, r.code, r.name, r.id, r.lon, r.lat, r.radius_m, n.kind, n.spelled "
    "FROM region_names n CROSS JOIN regions r USING (country, code) WHERE n.key = ? ORDER BY n.kind"
)


class GazetteerMissing(Exception):
    """There is no gazetteer index at the path, or one of another version."""


def _place(row: tuple[Any, ...]) -> NamedPlace:
    return NamedPlace._make((*row[:9], tuple(row[9].split(SEPARATOR)), row[10]))


#: The largest number of candidates of a search.
MAX_LIMIT = 100

_CODE = re.compile("[A-Za-z]{2}")
#: People of a place that a name without a region means, if nowhere else is called so.
_TOWN = 15_000


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place that a text may mean.

    Attributes
    ----------
    id
        GeoNames id.
    matched
        The spelling that the text matched, in small letters.
    region, admin1
        Name and code of the first-level division; no name where GeoNames lists none.
    lon, lat
        Degrees (OGC:CRS84).
    feature
        GeoNames class and code, such as "P.PPL"; ``None`` where the gazetteer has none.
    origin
        Name of the gazetteer.
    uncertainty_m
        Radius in metres that holds nine in ten of the events reported at the place.
    basis
        What the coordinate stands for.
    score, reasons
        How well the place fits, and the reasons whose weights add up to it.
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
    reasons: tuple[PlaceReason, ...]


@dataclass(frozen=True, slots=True)
class PlaceSearch:
    """The result of a search: candidates, best first, and the ``best`` only where it is the single one that fits.

    ``ambiguous`` where several places fit and the query does not separate them; ``explanation`` says which is the case.
    """

    text: str
    candidates: tuple[Candidate, ...]
    best: Candidate | None
    ambiguous: bool
    explanation: Message


class Gazetteer:
    """The SQLite file of a built gazetteer, open for searches; threads may share it."""

    def __init__(self, base: sqlite3.Connection) -> None:
        self._base = base
        self._lock = Lock()

    @classmethod
    def open(cls, path: Path) -> Gazetteer:
        """Open an index.

        Raises
        ------
        GazetteerMissing
            There is no such file, or it is no index of this version.
        """
        if not path.is_file():
            raise GazetteerMissing(f"there is no gazetteer at {path}: run `make setup`")
        # Immutable: a new index is written aside and renamed over the old one.
        address = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
        base = sqlite3.connect(address, uri=True, check_same_thread=False, isolation_level=None)
        try:
            if base.execute("PRAGMA user_version").fetchone()[0] != FORMAT_VERSION:
                raise sqlite3.DatabaseError
            base.execute("SELECT 1 FROM region_names, names, places LIMIT 1").fetchone()
        except sqlite3.DatabaseError:
            base.close()
            raise GazetteerMissing(f"{path} is no gazetteer of this version: run `strikeatlas place build`") from None
        base.execute("PRAGMA mmap_size = 268435456")
        return cls(base)

    def close(self) -> None:
        """Close the file."""
        self._base.close()

    def origins(self) -> tuple[tuple[str, str, int], ...]:
        """Return name, licence and number of places of each gazetteer in the index."""
        return tuple(self._all("SELECT name, licence, places FROM origins ORDER BY id"))

    def origin_name(self, number: int) -> str:
        """Return the name of a gazetteer by its number in the index."""
        return str(self._all("SELECT name FROM origins WHERE id = ?", number)[0][0])

    def places_of(self, sha256: str) -> int | None:
        """Return how many places came from a file of a digest; ``None`` if no such file was added."""
        rows = self._all("SELECT places FROM origins WHERE sha256 = ?", sha256)
        return rows[0][0] if rows else None

    def named(self, key: str) -> list[NamedPlace]:
        """Return the places that have a name of a key, at most 2,000."""
        return [_place(row) for row in self._all(_BY_KEY, key)]

    def inflected(self, key: str) -> list[NamedPlace]:
        """Return the places that have a Cyrillic name of which a key may be a case form, at most 2,000."""
        return [_place(row) for row in self._all(_BY_STEM, stem(key))]

    def regions(self, text: str, country: str | None = None) -> list[NamedRegion]:
        """Return the first-level regions that a text may mean, each once.

        A region that is but a city is left out where the text has a word such as oblast.
        """
        regions: dict[tuple[str, str], NamedRegion] = {}
        for row in map(NamedRegion._make, self._all(_REGIONS, region_key(text))):
            is_city = row.kind == "city" and has_region_word(text)
            if not is_city and country in (None, row.country):
                regions.setdefault((row.country, row.code), row)
        return list(regions.values())

    def region_name(self, country: str, code: str) -> str | None:
        """Return the English name of a first-level region; ``None`` where GeoNames lists no such region."""
        rows = self._all("SELECT name FROM regions WHERE country = ? AND code = ?", country, code)
        return rows[0][0] if rows else None

    def districts(self, text: str) -> set[tuple[str, str, str]]:
        """Return country, admin1 and admin2 of second-level divisions by name; only added gazetteers have any."""
        places = self.named(fold(text)) or self.inflected(fold(text))
        return {(each.country, each.admin1, each.admin2) for each in places if each.feature == "A.ADM2" and each.admin2}

    def country(self, text: str) -> str | None:
        """Return the ISO 3166-1 code of a country by its name; ``None`` where no country has that name."""
        rows = self._all("SELECT iso FROM countries WHERE key = ?", fold(text))
        return rows[0][0] if rows else None

    def _all(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._base.execute(query, values).fetchall()

    def find(
        self,
        text: str,
        *,
        region: str | None = None,
        country: str | None = None,
        near: tuple[float, float] | None = None,
        limit: int = 10,
    ) -> PlaceSearch:
        """Search the places that a text may mean.

        Parameters
        ----------
        text
            A name in Latin or Cyrillic letters, in Ukrainian, Russian, English or German spelling, or any that
            GeoNames has; also a region (``Одещина``), a name in a case of it (``в Одесі``), and a name with what it
            lies in (``Orlivka, Odesa oblast``). Text beyond 200 characters is cut; a text without a letter has no
            candidates.
        region
            The first-level division that the place lies in, or the second where an added gazetteer has it, in any
            spelling. A region that is not known separates no candidates.
        country
            ISO 3166-1 alpha-2, or a name.
        near
            Lon, lat in degrees (OGC:CRS84) of a point that the place is within 300 km of.
        limit
            The largest number of candidates, 1 to 100; best and explanation do not depend on it.

        Returns
        -------
        PlaceSearch
            Candidates by falling score.

        Raises
        ------
        ValueError
            If ``near`` is no lon/lat.
        """
        if near is not None and not (all(map(math.isfinite, near)) and abs(near[0]) <= 180 and abs(near[1]) <= 90):
            raise ValueError(f"near={near!r}: expected lon, lat in degrees")
        name, *within = list(parts(text)) or [""]
        iso, regions = self._context(region, country, within)
        query = PlaceQuery(spelled(name), fold(name), country=iso, regions=regions, near=near)
        ranked = sorted(self._scored(name, query), key=lambda scored: (-scored.score, scored.place.id))
        best, ambiguous, explanation = verdict(ranked, query)
        if best:
            ranked = [best, *(scored for scored in ranked if scored is not best)]
        candidates = tuple(self._candidate(scored) for scored in ranked[: max(1, min(limit, MAX_LIMIT))])
        return PlaceSearch(text[:MAX_LENGTH], candidates, candidates[0] if best else None, ambiguous, explanation)

    def town(self, text: str) -> NamedPlace | None:
        """Return the town of at least 15,000 people that the first part of a text names letter by letter, in any case.

        None where any other place has a name of that sound: the gazetteer lacks hamlets, and a name that two places
        have is that of more.
        """
        name = bare(next(parts(text), ""))
        places = self.named(key) if (key := fold(name)) else []
        if len(places) != 1 or spelled(name) not in places[0].spellings or places[0].population < _TOWN:
            return None
        return places[0]

    def region(self, text: str, country: str | None = None) -> NamedRegion | None:
        """Return the only first-level region that a text may mean, in a country (ISO 3166-1) or in any.

        None where several are meant, or no place of the region is known.
        """
        regions = self.regions(text, country)
        return regions[0] if len(regions) == 1 and regions[0].radius_m is not None else None

    def _context(
        self, region: str | None, country: str | None, within: Sequence[str]
    ) -> tuple[str | None, frozenset[tuple[str, ...]] | None]:
        """Return the country and the regions or districts that a place is to lie in.

        ``within`` are the parts of the text behind the name; ``None`` where no region is asked for.
        """
        countries = [country] if country else [*(parts(region) if region else ()), *within]
        iso = next((code for part in countries if (code := self.country(part))), None)
        if country and _CODE.fullmatch(country.strip()):
            iso = country.strip().upper()
        names = list(parts(region)) if region else within
        names = [part for part in names if self.country(part) is None]
        if not names:
            return iso, None
        regions: set[tuple[str, ...]] = set()
        for part in names:
            divisions = {(named.country, named.code) for named in self.regions(part, iso)}
            regions |= divisions or self.districts(part)
        return iso, frozenset(regions)

    def _scored(self, name: str, query: PlaceQuery) -> list[ScoredPlace]:
        scored = (*self._in_a_case(name, query), *self._named(name, query))
        by_id = {place.place.id: place for place in sorted(scored, key=lambda place: place.score)}
        return [*self._as_region(name, query, not by_id), *by_id.values()]

    def _named(self, name: str, query: PlaceQuery) -> list[ScoredPlace]:
        """Return the places of that name, or of the name without the words around it where there are none."""
        for spelling in dict.fromkeys((name, bare(name))):
            if (key := fold(spelling)) and (places := self.named(key)):
                return [scored_place(place, query.renamed(spelled(spelling), key)) for place in places]
        return []

    def _in_a_case(self, name: str, query: PlaceQuery) -> list[ScoredPlace]:
        """Return the places whose name the text is a case form of."""
        short = bare(name)
        if not is_cyrillic(short) or has_region_word(name) or not (key := fold(short)):
            return []
        inflected = query.renamed(spelled(short), key, inflected=True)
        return [scored_place(place, inflected) for place in self.inflected(key)]

    def _as_region(self, name: str, query: PlaceQuery, nothing_else: bool) -> Iterator[ScoredPlace]:
        """Give the regions that the text means: by a word such as oblast, a nickname, or as no place has the name."""
        has_word = has_region_word(name)
        for region in self.regions(bare(name), query.country):
            if has_word or nothing_else or region.kind == "alone":
                yield from scored_region(region, query)

    def _candidate(self, scored: ScoredPlace) -> Candidate:
        place = scored.place
        return Candidate(
            **{name: getattr(place, name) for name in ("id", "name", "country", "admin1", "lon", "lat")},
            matched=scored.matched,
            region=self.region_name(place.country, place.admin1),
            population=place.population,
            feature=place.feature,
            origin=self.origin_name(place.origin),
            uncertainty_m=scored.uncertainty_m,
            basis=scored.basis,
            score=round(scored.score, 3),
            reasons=scored.reasons,
        )
