"""Builds the gazetteer: places and their names in one SQLite file, looked up by the key of a name.

Run as `python -m layers.reference.gazetteer_build data/gazetteer.sqlite`. The file is written aside and renamed into
place, so that readers of the old one are not disturbed.
"""

from __future__ import annotations

import argparse
import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from layers.filesystem.atomic_file import replacing
from layers.reference import basemap_build, geonames, regions
from layers.reference.gazetteer import FORMAT_VERSION, SEPARATOR
from layers.reference.geonames import GeonamesPlace
from layers.text.place_names import fold, is_cyrillic, is_readable, spelled, stem

EARTH_RADIUS_M = 6_371_008.8
#: The radius of a region holds this share of its places, as the farthest of a hundred may be misplaced, and is enlarged
#: by a tenth, as settlements end before the land does: it holds 98 to 100 % of the land of Ukraine's regions, but 91 %
#: of Kherson's.
SHARE_INSIDE = 0.99
ENLARGED = 1.1
_MIN_RADIUS_M = 5_000.0
#: Countries whose places are reported in Ukrainian or Russian: names are searched in their cases only there.
INFLECTED_IN = re.compile("UA|RU|BY|MD|KZ|PL|RO|HU|SK|BG|TR|GE|AZ|AM|LT|LV|EE")

_TABLES = """
CREATE TABLE origins (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, sha256 TEXT, licence TEXT, places INTEGER);
CREATE TABLE places (id INTEGER PRIMARY KEY, name TEXT NOT NULL, country TEXT NOT NULL, admin1 TEXT NOT NULL,
  admin2 TEXT NOT NULL, lon REAL NOT NULL, lat REAL NOT NULL, population INTEGER NOT NULL, feature TEXT,
  origin INTEGER NOT NULL REFERENCES origins);
CREATE TABLE names (key TEXT NOT NULL, place INTEGER NOT NULL, spelled TEXT NOT NULL, PRIMARY KEY (key, place))
  WITHOUT ROWID;
CREATE TABLE stems (stem TEXT NOT NULL, place INTEGER NOT NULL, spelled TEXT NOT NULL, PRIMARY KEY (stem, place))
  WITHOUT ROWID;
CREATE TABLE regions (country TEXT NOT NULL, code TEXT NOT NULL, name TEXT NOT NULL, id INTEGER NOT NULL, lon REAL,
  lat REAL, radius_m REAL, places INTEGER, PRIMARY KEY (country, code)) WITHOUT ROWID;
CREATE TABLE region_names (key TEXT NOT NULL, country TEXT NOT NULL, code TEXT NOT NULL, spelled TEXT NOT NULL,
  kind TEXT NOT NULL, PRIMARY KEY (key, country, code, spelled)) WITHOUT ROWID;
CREATE TABLE countries (key TEXT NOT NULL, iso TEXT NOT NULL, PRIMARY KEY (key, iso)) WITHOUT ROWID;
CREATE TEMP TABLE staged_names (key TEXT, place INTEGER, spelled TEXT);
CREATE TEMP TABLE staged_stems (stem TEXT, place INTEGER, spelled TEXT);
"""


def build(path: Path, rows: Iterable[GeonamesPlace] | None = None) -> None:
    """Build the index from the installed GeoNames package, or from ``rows``; missing folders are created.

    Gazetteers that were added to an older index are not in the new one.

    Raises
    ------
    layers.reference.basemap_build.MissingSource
        The package that holds the places is not installed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    given = geonames.bundled_places() if rows is None else rows
    with replacing(path) as fresh, closing(unjournaled(fresh)) as base:
        base.executescript(_TABLES)
        base.execute("INSERT INTO origins VALUES (1, ?, NULL, ?, 0)", (geonames.BUNDLED, geonames.LICENCE))
        _fill(base, track(given, description="Building the gazetteer", total=None, transient=True))
        _write_regions(base)
        finish(base)


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


def _fill(base: sqlite3.Connection, rows: Iterable[GeonamesPlace]) -> None:
    base.execute("BEGIN")
    for row in rows:
        base.execute("INSERT INTO places VALUES (?,?,?,?,?,?,?,?,?,1)", row[:9])
        base.executemany("INSERT INTO staged_names VALUES (?,?,?)", names_of(row))
        base.executemany("INSERT INTO staged_stems VALUES (?,?,?)", stems_of(row))
    base.execute("INSERT INTO names SELECT * FROM staged_names ORDER BY 1, 2")
    base.execute("INSERT INTO stems SELECT * FROM staged_stems ORDER BY 1, 2")
    base.execute("COMMIT")


def _write_regions(base: sqlite3.Connection) -> None:
    known = ((r.country, r.code, r.name, r.geonameid) for r in regions.geonames_regions())
    base.executemany("INSERT OR IGNORE INTO regions (country, code, name, id) VALUES (?,?,?,?)", known)
    base.executemany("INSERT OR IGNORE INTO region_names VALUES (?,?,?,?,?)", regions.region_names())
    base.executemany("INSERT OR IGNORE INTO countries VALUES (?,?)", regions.country_names())
    english = ((fold(country["name"]), country["iso"]) for country in basemap_build.geonames("countries"))
    base.executemany("INSERT OR IGNORE INTO countries VALUES (?,?)", english)


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


def main() -> None:
    """Build the index at the path named on the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m layers.reference.gazetteer_build", description="Build the gazetteer."
    )
    parser.add_argument("path", type=Path, help="the SQLite file to write, such as data/gazetteer.sqlite")
    build(parser.parse_args().path)


if __name__ == "__main__":
    main()
