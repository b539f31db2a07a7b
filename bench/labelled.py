"""The labelled strikes of `tests/labelled/events.csv` as records, with their right answers."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import shapely

from layers.model.records import Strike
from layers.sources import curated

EVENTS = Path(__file__).resolve().parent.parent / "tests" / "labelled" / "events.csv"


@dataclass(frozen=True)
class Labelled:
    """A strike and ids of assets of which any is the right answer; empty where none of the layer is."""

    id: str
    set: str
    strike: Strike
    right: frozenset[str]
    known: bool
    misplaced: bool
    group: str


def read(real: Path | None = None, path: Path = EVENTS) -> list[Labelled]:
    """The labelled strikes; where VIINA is present, its strikes have their headline as title and no targets."""
    headlines = _headlines(real) if real else {}
    bundled = curated.read().require_clean().strikes
    labelled = []
    for row in _rows(path):
        strike = bundled[row["event"]] if row["set"] == "facts" else _strike(row, headlines.get(row["event"]))
        named = row["asset"] not in ("none", "unknown")
        labelled.append(
            Labelled(
                row["id"],
                row["set"],
                strike,
                frozenset(row["asset"].split(";")) if named else frozenset(),
                row["asset"] != "unknown",
                row["misplaced"] == "yes",
                row["group"],
            )
        )
    return labelled


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _strike(row: dict[str, str], headline: str | None) -> Strike:
    return Strike.model_validate(
        {
            "id": row["id"],
            "title": headline or row["printed"],
            "when": row["when"],
            "place": row["place"] or "unnamed",
            "region": row["region"] or None,
            "host_country": row["country"],
            "geometry": shapely.Point(float(row["lon"]), float(row["lat"])),
            "uncertainty_m": float(row["uncertainty_m"]),
            "basis": row["basis"],
            "place_source": row["set"],
            "targets": () if headline else (row["printed"],),
            "status": "reported",
            "sources": (row["set"],),
            "checked": "read",
        }
    )


def _headlines(real: Path) -> dict[str, str]:
    return dict(_text(real / "viina_deepstrike_2022_2025"))


def _text(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.glob("VIINA_20*_REBUILD.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            yield from ((row["event_id_1pd"], row["representative_text"][:1900]) for row in csv.DictReader(file))
