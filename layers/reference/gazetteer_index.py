"""Reads the gazetteer's index: places by the key or the stem of a name, regions, districts and countries."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

from layers.reference.gazetteer_build import FORMAT, SEPARATOR
from layers.reference.gazetteer_scoring import Hit
from layers.reference.regions import Kind, has_region_word, region_key
from layers.text.place_names import fold, stem

_MOST = 2000
_PLACE = "p.id, p.name, p.country, p.admin1, p.admin2, p.lon, p.lat, p.population, p.feature, n.spelled, p.origin"
_BY_KEY = f"SELECT {_PLACE} FROM names n CROSS JOIN places p ON p.id = n.place WHERE n.key = ? LIMIT {_MOST}"
_BY_STEM = f"SELECT {_PLACE} FROM stems n CROSS JOIN places p ON p.id = n.place WHERE n.stem = ? LIMIT {_MOST}"
_REGIONS = (
    "SELECT r.country, r.code, r.name, r.id, r.lon, r.lat, r.radius_m, n.kind, n.spelled "
    "FROM region_names n CROSS JOIN regions r USING (country, code) WHERE n.key = ? ORDER BY n.kind"
)


class GazetteerMissing(Exception):
    """There is no gazetteer index at the path, or one of another version."""


class RegionHit(NamedTuple):
    """A region that a text may mean; middle (lon, lat) and radius are None where the index has no place in it."""

    country: str
    code: str
    name: str
    id: int
    lon: float | None
    lat: float | None
    radius_m: float | None
    kind: Kind
    spelled: str


class Index:
    """An index open for reading; threads may share it."""

    def __init__(self, base: sqlite3.Connection) -> None:
        self._base = base
        self._lock = Lock()

    @classmethod
    def open(cls, path: Path) -> Index:
        """Open an index.

        Raises
        ------
        GazetteerMissing
            There is no such file, or it is no index of this version.
        """
        if not path.is_file():
            raise GazetteerMissing(f"there is no gazetteer at {path}: run `make setup`")
        # Immutable: a new index is renamed over an old one, and none is ever written where it is.
        address = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
        base = sqlite3.connect(address, uri=True, check_same_thread=False, isolation_level=None)
        try:
            if base.execute("PRAGMA user_version").fetchone()[0] != FORMAT:
                raise sqlite3.DatabaseError
            base.execute("SELECT 1 FROM region_names, names, places LIMIT 1").fetchone()
        except sqlite3.DatabaseError:
            base.close()
            raise GazetteerMissing(f"{path} is no gazetteer of this version: run `make setup`") from None
        base.execute("PRAGMA mmap_size = 268435456")
        return cls(base)

    def close(self) -> None:
        """Close the file."""
        self._base.close()

    def origins(self) -> tuple[tuple[str, str, int], ...]:
        """The gazetteers in the index: name, licence and number of places."""
        return tuple(self._all("SELECT name, licence, places FROM origins ORDER BY id"))

    def origin_name(self, number: int) -> str:
        """The name of one of the gazetteers."""
        return str(self._all("SELECT name FROM origins WHERE id = ?", number)[0][0])

    def places_of(self, sha256: str) -> int | None:
        """How many places the index has from a file of that digest; None if the file was not added."""
        rows = self._all("SELECT places FROM origins WHERE sha256 = ?", sha256)
        return rows[0][0] if rows else None

    def named(self, key: str) -> list[Hit]:
        """Places with a name of that key, at most 2,000."""
        return [_hit(row) for row in self._all(_BY_KEY, key)]

    def inflected(self, key: str) -> list[Hit]:
        """Places with a Cyrillic name of the same stem: the key may be a case form of it. At most 2,000."""
        return [_hit(row) for row in self._all(_BY_STEM, stem(key))]

    def regions(self, text: str, country: str | None = None) -> list[RegionHit]:
        """First-level regions that a text may mean, each once; with a word such as oblast no city of that name."""
        found: dict[tuple[str, str], RegionHit] = {}
        for row in map(RegionHit._make, self._all(_REGIONS, region_key(text))):
            is_city = row.kind == "city" and has_region_word(text)
            if not is_city and country in (None, row.country):
                found.setdefault((row.country, row.code), row)
        return list(found.values())

    def region_name(self, country: str, code: str) -> str | None:
        """The English name of a first-level region; None where GeoNames lists none."""
        rows = self._all("SELECT name FROM regions WHERE country = ? AND code = ?", country, code)
        return rows[0][0] if rows else None

    def districts(self, text: str) -> set[tuple[str, str, str]]:
        """Country, admin1 and admin2 of second-level divisions so called, where an added gazetteer has any."""
        hits = self.named(fold(text)) or self.inflected(fold(text))
        return {(hit.country, hit.admin1, hit.admin2) for hit in hits if hit.feature == "A.ADM2" and hit.admin2}

    def country(self, text: str) -> str | None:
        """ISO 3166-1 code of a country by its name; None where there is none."""
        rows = self._all("SELECT iso FROM countries WHERE key = ?", fold(text))
        return rows[0][0] if rows else None

    def _all(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._base.execute(query, values).fetchall()


def _hit(row: tuple[Any, ...]) -> Hit:
    return Hit._make((*row[:9], tuple(row[9].split(SEPARATOR)), row[10]))
