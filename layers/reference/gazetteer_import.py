"""Adds GeoNames country files to a built gazetteer, and records the file that each place came from."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from layers.filesystem.atomic_file import replacing
from layers.reference import geonames, regions
from layers.reference.gazetteer import SEPARATOR, GazetteerIndex
from layers.reference.gazetteer_build import finish, names_of, stems_of, unjournaled
from layers.reference.geonames import GeonamesPlace
from layers.text.place_names import is_readable


@dataclass(frozen=True, slots=True)
class ImportResult:
    """How many places an added file was new to, changed or left; ``known`` if the same file had been added before."""

    origin: str
    added: int
    changed: int
    unchanged: int
    known: bool = False


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
    index = GazetteerIndex.open(path)
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
