"""Coordinates that a source writes for a whole region: the known ones, and how far they widen."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal

from layers.model.types import Basis
from layers.reference.gazetteer_scoring import distance_m
from layers.reference.regions import region_key, region_names
from layers.text.place_names import fold, stem

TABLE = Path(__file__).with_name("sinks.toml")

#: A record is at a catch-all coordinate within this distance: sources write one place with different digits.
SAME_PLACE_M = 500.0

_MAX_TEXT = 20_000
_WORD = re.compile(r"[^\W_]+(?:['’ʼ`-][^\W_]+)*")


@dataclass(frozen=True, slots=True)
class CatchAllCoordinate:
    """A coordinate that a source format writes for a region ("region"), or for a word taken for a name ("word").

    ``lon``, ``lat`` are degrees (OGC:CRS84) as the source writes them, ``uncertainty_m`` the radius in metres
    around them that holds the region. ``names`` are the place's own: a report that has one of them means the place.
    """

    format: str
    id: int
    name: str
    names: tuple[str, ...]
    lon: float
    lat: float
    country: str
    admin1: str
    region: str
    kind: Literal["region", "word"]
    uncertainty_m: float
    reports: int


@dataclass(frozen=True, slots=True)
class WidenedLocation:
    """The location of a record at a catch-all coordinate: ``uncertainty_m`` around it, its basis, and the reason."""

    uncertainty_m: float
    basis: Basis
    region: str | None
    reason: str


@cache
def known_coordinates() -> tuple[CatchAllCoordinate, ...]:
    """Return every catch-all coordinate that ``sinks.toml`` lists."""
    listed = tomllib.loads(TABLE.read_text(encoding="utf-8"))["sink"]
    return tuple(CatchAllCoordinate(**{**row, "names": tuple(row["names"])}) for row in listed)


def widen_uncertainty(
    lon: float, lat: float, source_format: str, region: str | None = None, *, text: str | None = None
) -> WidenedLocation | None:
    """Widen a record that lies at a catch-all coordinate of its source.

    ``lon``, ``lat``: degrees (OGC:CRS84), as the source gives them. ``source_format``: the format that the record was
    read from, such as ``viina``: the list is kept by format, as a catch-all coordinate of one source is an ordinary
    place in another. ``region``: first-level division of the record, in any spelling. A record of another known region
    is not widened. ``text``: text of the report, if known. A report that names the place means it, unless the name is a
    word for a thing.

    None is returned for any other coordinate: the record's own basis holds.
    """
    for sink in known_coordinates():
        if sink.format != source_format or distance_m(lon, lat, sink.lon, sink.lat) > SAME_PLACE_M:
            continue
        if sink.kind == "word":
            return WidenedLocation(
                sink.uncertainty_m, "region", None, f"{sink.name} is a word taken for the name of a place"
            )
        if (region and _is_in_other_region(region, sink)) or (text and mentions_place(text, sink.names)):
            return None
        reason = f"{source_format} writes {sink.name} for reports that name only {sink.region}"
        return WidenedLocation(sink.uncertainty_m, "region", sink.region, reason)
    return None


def mentions_place(text: str, names: Iterable[str]) -> bool:
    """Whether a report has one of the names, in any grammatical case and any spelling that sounds alike.

    Only the first 20,000 characters are read. Empty text and no names give False.
    """
    text_stems = stems(text)
    return any(f" {stem(key)} " in text_stems for name in names if (key := fold(name)))


def stems(text: str) -> str:
    """Return the stems of the words of a text, with a space around each; of its first 20,000 characters."""
    return f" {' '.join(_stem_of(word) for word in _WORD.findall(text[:_MAX_TEXT]))} "


@lru_cache(maxsize=100_000)
def _stem_of(word: str) -> str:
    return stem(fold(word))


@cache
def _regions() -> Mapping[str, frozenset[tuple[str, str]]]:
    regions_by_key: dict[str, set[tuple[str, str]]] = {}
    for name in region_names():
        regions_by_key.setdefault(name.key, set()).add((name.country, name.code))
    return {key: frozenset(regions) for key, regions in regions_by_key.items()}


def _is_in_other_region(region: str, sink: CatchAllCoordinate) -> bool:
    meant = _regions().get(region_key(region), frozenset())
    return bool(meant) and (sink.country, sink.admin1) not in meant
