"""How places are called in English, Ukrainian and German where no rule finds it: exonyms (Warschau), and the like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_FILE = Path(__file__).with_name("place_spellings.tsv")


@dataclass(frozen=True)
class PlaceSpelling:
    """Names of a place: ``None`` in a language in which it is called as in English, or in which no name is known."""

    english: str
    ukrainian: str | None = None
    german: str | None = None


def exonyms() -> Mapping[tuple[str, str], PlaceSpelling]:
    """Read the names that rules do not find, by the name in GeoNames and the country (ISO 3166-1 alpha-2)."""
    rows = [line.split("\t") for line in _FILE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return {(name, country): PlaceSpelling(en or name, uk or None, de or None) for name, country, en, uk, de in rows}
