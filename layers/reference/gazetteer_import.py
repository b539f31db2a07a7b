"""Writes places into a gazetteer: adds GeoNames country files to it, and records the file that each place came from."""

from __future__ import annotations

import hashlib
import re
import shutil
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from layers.filesystem.atomic_file import replacing
from layers.reference import geonames, regions
from layers.reference.gazetteer import FORMAT_VERSION, SEPARATOR, Gazetteer
from layers.reference.gazetteer_scoring import EARTH_RADIUS_M
from layers.reference.geonames import GeonamesPlace
from layers.text.place_names import fold, is_cyrillic, is_readable, spelled, stem

#: The radius of a region holds this share of its places, as the farthest of a hundred may be misplaced, and is enlarged
#: by a tenth, as settlements end before the land does: it holds 98 to 100 % of the land of Ukraine's regions, but 91 %
#: of Kherson's.
SHARE_INSIDE = 0.99
ENLARGED = 1.1
_MIN_RADIUS_M = 5_000.0
#: Countries whose places are reported in Ukrainian or Russian: names are searched in their cases only there.
INFLECTED_IN = re.compile("UA|RU|BY|MD|KZ|PL|RO|HU|SK|BG|TR|GE|AZ|AM|LT|LV|EE")


@dataclass(frozen=True, slots=True)
class ImportResult:
    """How many places an added file was new to, changed or left; ``known`` if the same file had been added before."""

    origin: str
    added: int
    changed: int
    unchanged: int
    known: bool = False


def begin(path: Path, bundled: Path) -> None:
    """Replace an index by the one that came with the program; missing folders are created.

    Raises
    ------
    GazetteerMissing
        None came with it.
    """
    Gazetteer.open(bundled).close()
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as fresh:
        shutil.copyfile(bundled, fresh)


def add(path: Path, file: Path) -> ImportResult:
    """Add a GeoNames country file to the index; a file that is in it already changes nothing.

    A place of the index takes the row of the file, with its feature code and second-level division, and keeps the names
    that it had. Places that a newer version of a file no longer has stay in the index.

    Raises
    ------
    GazetteerMissing
        There is no index.
    FileNotFoundError
        There is no such file.
    ProblemsError
        The file has faults: every one of them, at most 1000; nothing is added then.
    OSError
        Another process changed the index meanwhile.
    """
    index = Gazetteer.open(path)
    with closing(index):
        before, digest = path.stat(), _digest(file)
        if (count := index.places_of(digest)) is not None:
            return ImportResult(file.name, 0, 0, count, known=True)
    rows = geonames.read_file(file)
    with replacing(path) as fresh:
        shutil.copyfile(path, fresh)
        with closing(unjournaled(fresh)) as base:
            result = _merge(base, rows, file.name, digest)
        if path.stat().st_ino != before.st_ino:
            raise OSError(f"{path} was changed by somebody else meanwhile: run it again")
    return result


def _merge(base: sqlite3.Connection, rows: list[GeonamesPlace], origin: str, digest: str) -> ImportResult:
    counts = Counter[str]()
    base.execute("BEGIN")
    base.execute(
        "INSERT INTO origins (name, sha256, licence, places) VALUES (?,?,?,0) "
        "ON CONFLICT (name) DO UPDATE SET sha256 = excluded.sha256",
        (origin, digest, geonames.LICENCE),
    )
    number = base.execute("SELECT id FROM origins WHERE name = ?", (origin,)).fetchone()[0]
    for row in rows:
        if row.feature == "A.ADM1":
            _merge_region(base, row)
        else:
            counts[_merge_place(base, row, number)] += 1
    base.execute("COMMIT")
    finish(base)
    return ImportResult(origin, counts["added"], counts["changed"], counts["unchanged"])


def _merge_place(base: sqlite3.Connection, row: GeonamesPlace, origin: int) -> str:
    old = base.execute("SELECT * FROM places WHERE id = ?", (row.id,)).fetchone()
    fresh_names = _merge_names(base, row)
    if old and old[:9] == row[:9]:
        return "changed" if fresh_names else "unchanged"
    base.execute("INSERT OR REPLACE INTO places VALUES (?,?,?,?,?,?,?,?,?,?)", (*row[:9], origin))
    return "changed" if old else "added"


def _merge_names(base: sqlite3.Connection, row: GeonamesPlace) -> bool:
    """Add the spellings that a place does not have yet; return whether there were any."""
    fresh = [
        _merge_spellings(base, table, column, *values)
        for table, column, rows in (("names", "key", names_of(row)), ("stems", "stem", stems_of(row)))
        for values in rows
    ]
    return any(fresh)


def _merge_spellings(base: sqlite3.Connection, table: str, column: str, key: str, place: int, ways: str) -> bool:
    old = base.execute(f"SELECT spelled FROM {table} WHERE {column} = ? AND place = ?", (key, place)).fetchone()
    had = old[0].split(SEPARATOR) if old else []
    more = [way for way in ways.split(SEPARATOR) if way not in had]
    if more:
        base.execute(f"INSERT OR REPLACE INTO {table} VALUES (?,?,?)", (key, place, SEPARATOR.join(had + more)))
    return bool(more)


def _merge_region(base: sqlite3.Connection, row: GeonamesPlace) -> None:
    base.execute(
        "INSERT OR IGNORE INTO regions (country, code, name, id) VALUES (?,?,?,?)",
        (row.country, row.admin1, row.name, row.id),
    )
    names = regions.names_of_region(
        row.country, row.admin1, (name for name in (row.name, *row.names) if is_readable(name))
    )
    base.executemany("INSERT OR IGNORE INTO region_names VALUES (?,?,?,?,?)", names)


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def region_extent(lonlat: NDArray[np.float64]) -> tuple[float, float, float]:
    """Compute the middle and radius of a region from its places.

    Parameters
    ----------
    lonlat
        At least one place, lon/lat in degrees (OGC:CRS84), shape (n, 2).

    Returns
    -------
    (float, float, float)
        Lon and lat in degrees of the mean of the places as vectors from the Earth's centre, which the antimeridian does
        not disturb, and the radius of `region_radius_m` in metres.
    """
    lam, phi = np.radians(lonlat).T
    middle = np.array([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)]).mean(axis=1)
    lon, lat = np.degrees(np.arctan2(middle[1], middle[0])), np.degrees(np.arctan2(middle[2], np.hypot(*middle[:2])))
    return float(lon), float(lat), region_radius_m(float(lon), float(lat), lonlat)


def region_radius_m(lon: float, lat: float, lonlat: NDArray[np.float64]) -> float:
    """Compute the radius of a region around a point, on a sphere.

    Parameters
    ----------
    lon, lat
        The point, in degrees.
    lonlat
        At least one place of the region, lon/lat in degrees (OGC:CRS84), shape (n, 2).

    Returns
    -------
    float
        Metres: the radius that holds 99 % of the places and a tenth more, at least 5,000.
    """
    lam, phi = np.radians(lonlat).T
    lam0, phi0 = np.radians([lon, lat])
    half = np.sin((phi - phi0) / 2) ** 2 + np.cos(phi) * np.cos(phi0) * np.sin((lam - lam0) / 2) ** 2
    distance_m = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.minimum(half, 1)))
    return max(ENLARGED * float(np.quantile(distance_m, SHARE_INSIDE, method="higher")), _MIN_RADIUS_M)


def unjournaled(path: Path) -> sqlite3.Connection:
    """Open a SQLite file without a journal: one that no other process sees, and that is discarded if writing fails."""
    base = sqlite3.connect(path, isolation_level=None)
    base.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA temp_store = FILE;")
    return base


def names_of(row: GeonamesPlace) -> Iterator[tuple[str, int, str]]:
    """Give key, place id and spellings in small letters of a place's Latin and Cyrillic names, a row for each key."""
    ways = ((fold(name), spelled(name)) for name in (row.name, *row.names) if is_readable(name))
    yield from _grouped(row.id, ways)


def stems_of(row: GeonamesPlace) -> Iterator[tuple[str, int, str]]:
    """Give stem, place id and spellings of a place's Cyrillic names where reports inflect them, a row for each stem."""
    if INFLECTED_IN.fullmatch(row.country):
        names = (name for name in (row.name, *row.names) if is_readable(name) and is_cyrillic(name))
        yield from _grouped(row.id, ((stem(fold(name)), spelled(name)) for name in names))


def _grouped(place: int, spellings: Iterable[tuple[str, str]]) -> Iterator[tuple[str, int, str]]:
    by_key: dict[str, dict[str, None]] = defaultdict(dict)
    for key, spelling in spellings:
        if key:
            by_key[key][spelling] = None
    for key, distinct in by_key.items():
        yield key, place, SEPARATOR.join(distinct)


def finish(base: sqlite3.Connection) -> None:
    """Measure the regions, count the places of each origin, and mark the file as whole."""
    base.execute("BEGIN")
    base.executemany(
        "UPDATE regions SET lon = ?, lat = ?, radius_m = ?, places = ? WHERE country = ? AND code = ?", _extents(base)
    )
    base.execute("UPDATE origins SET places = (SELECT count(*) FROM places WHERE origin = origins.id)")
    base.execute("COMMIT")
    base.executescript(f"ANALYZE; PRAGMA user_version = {FORMAT_VERSION};")


def _extents(base: sqlite3.Connection) -> list[tuple[Any, ...]]:
    by_region: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for country, code, lon, lat in base.execute("SELECT country, admin1, lon, lat FROM places"):
        by_region[country, code].append((lon, lat))
    return [(*region_extent(np.array(points)), len(points), *region) for region, points in by_region.items()]
