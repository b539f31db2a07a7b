"""Strikes of the labelled pairs: the bundled ones, VIINA's by its reader, and the Reuters list beside the checkout."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from layers.model.records import RECORD_TYPES, Records, Source, Strike
from layers.sources import curated
from layers.sources.files.source_file import SourceFile
from layers.sources.reader.format import LoadOptions
from layers.sources.strikes import viina

FOLDER = "viina_deepstrike_2022_2025"
YEARS = (2022, 2023, 2025)


def labelled_records(real: Path) -> Records:
    """The bundled records with the rows of VIINA (placed) and Reuters (target and day only) as strikes."""
    bundled = curated.read().require_clean()
    files = [SourceFile.of(real / FOLDER / f"VIINA_{year}_REBUILD.csv") for year in YEARS]
    read = viina.FORMAT.read(files, LoadOptions("viina")).records
    tables = {name: {**bundled.table(name), **read.table(name)} for name in RECORD_TYPES}
    tables["strikes"] |= {strike.id: strike for strike in _reuters(real / FOLDER)}
    tables["sources"]["reuters"] = Source(id="reuters", publisher="Reuters")
    return Records.of(tables)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file)


def _reuters(folder: Path) -> Iterator[Strike]:
    for row in _rows(folder / "REUTERS_2025_CONFIRMED_NEW_EVENTS_V4.csv"):
        day = date.fromisoformat(row["CanonicalEventDate"])
        yield Strike(
            id=f"reuters/{row['EventNo']}",
            dataset="reuters",
            title=row["Target"],
            targets=(row["Target"],),
            when=day.isoformat(),
            place="Russia",
            host_country="RU",
            attacker="Ukraine",
            status="reported",
            sources=("reuters",),
            checked="unverified",
        )
