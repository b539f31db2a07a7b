"""Places that a source uses for a whole region: the known ones, how far they widen, and how others are found."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from layers.model.types import Basis
from layers.reference.gazetteer_scoring import distance_m
from layers.reference.regions import is_region_word, region_key, written
from layers.text.place_names import fold, stem

TABLE = Path(__file__).with_name("sinks.toml")

#: A record is at a sink if it is so near: sources write one place with different digits.
SAME_PLACE_M = 500.0
#: What shows a sink: so many reports, of which at most this share name the place and at least that one its region.
LEAST_REPORTS = 5
MOST_NAMING = 0.1
LEAST_REGIONAL = 0.8

_MAX_TEXT = 20_000
_WORD = re.compile(r"[^\W_]+(?:['’ʼ`-][^\W_]+)*")


@dataclass(frozen=True, slots=True)
class Sink:
    """A place that a source format gives for a region ("region"), or for a word taken for a name ("word").

    ``lon``, ``lat`` are degrees as the source writes them, ``uncertainty_m`` the radius around them that holds the
    region. ``names`` are the place's own: a report that has one of them means the place.
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
class Widened:
    """What a record at a sink is good for: ``uncertainty_m`` around the same coordinate, its basis, and why."""

    uncertainty_m: float
    basis: Basis
    region: str | None
    reason: str


@cache
def known() -> tuple[Sink, ...]:
    """Every known sink, as ``sinks.toml`` lists them."""
    listed = tomllib.loads(TABLE.read_text(encoding="utf-8"))["sink"]
    return tuple(Sink(**{**one, "names": tuple(one["names"])}) for one in listed)


def widen(
    lon: float, lat: float, source_format: str, region: str | None = None, *, text: str | None = None
) -> Widened | None:
    """Widen a record whose coordinate is a sink of its source; None where it is not, and its own basis holds.

    Parameters
    ----------
    lon, lat
        Degrees, as the source gives them.
    source_format
        The format that the record was read from, such as ``viina``: a sink of one source is a plain place in another.
    region
        First-level division of the record, in any spelling: a record of another known region is at no sink.
    text
        What the report says, if known: one that names the place means it, unless the name is a word for a thing.
    """
    for sink in known():
        if sink.format != source_format or distance_m(lon, lat, sink.lon, sink.lat) > SAME_PLACE_M:
            continue
        if sink.kind == "word":
            return Widened(sink.uncertainty_m, "region", None, f"{sink.name} is a word taken for the name of a place")
        if (region and _elsewhere(region, sink)) or (text and names_place(text, sink.names)):
            return None
        reason = f"{source_format} writes {sink.name} for reports that name only {sink.region}"
        return Widened(sink.uncertainty_m, "region", sink.region, reason)
    return None


def names_place(text: str, names: Iterable[str]) -> bool:
    """Whether a report has one of the names, in any case of it and any of the spellings that sound alike.

    Only the first 20,000 characters are read. Empty text and no names say no.
    """
    said = _stems(text)
    return any(f" {stem(key)} " in said for name in names if (key := fold(name)))


def names_region(text: str, country: str, admin1: str) -> bool:
    """Whether a report means the region by a word of its own, or by a name and a word such as oblast behind it."""
    said = _stems(text).split()
    keys = _ways().get((country, admin1), {})
    return any(
        word in keys and (keys[word] == "alone" or is_region_word(after))
        for word, after in zip(said, [*said[1:], ""], strict=True)
    )


def candidates(place: ArrayLike, naming: ArrayLike, regional: ArrayLike | None = None) -> pd.DataFrame:
    """Find what may be sinks in reports: places with many reports, few of them naming the place.

    Parameters
    ----------
    place
        For each report the id of its place, or any other key that can be sorted.
    naming
        Whether the report names the place.
    regional
        Whether it names the place's region, where that is known.

    Returns
    -------
    pandas.DataFrame
        ``place``, ``reports``, ``naming`` and ``regional`` (shares; the last NaN where not known), by reports, most
        first. No reports give an empty frame.
    """
    places, row = np.unique(np.asarray(place), return_inverse=True)
    count = np.bincount(row, minlength=len(places))
    share = _share(row, naming, count)
    region_share = np.full(len(places), np.nan) if regional is None else _share(row, regional, count)
    found = (count >= LEAST_REPORTS) & (share <= MOST_NAMING)
    if regional is not None:
        found &= region_share >= LEAST_REGIONAL
    frame = pd.DataFrame({"place": places, "reports": count, "naming": share, "regional": region_share})
    return frame[found].sort_values(["reports", "place"], ascending=[False, True], ignore_index=True)


def _share(row: NDArray[np.intp], flag: ArrayLike, count: NDArray[np.intp]) -> NDArray[np.float64]:
    flagged = np.bincount(row, weights=np.asarray(flag, dtype=float), minlength=len(count))
    return np.asarray(flagged / np.maximum(count, 1), dtype=np.float64)


def _stems(text: str) -> str:
    return f" {' '.join(_stem_of(word) for word in _WORD.findall(text[:_MAX_TEXT]))} "


@lru_cache(maxsize=100_000)
def _stem_of(word: str) -> str:
    return stem(fold(word))


@cache
def _ways() -> Mapping[tuple[str, str], Mapping[str, str]]:
    found: dict[tuple[str, str], dict[str, str]] = {}
    for name in written():
        found.setdefault((name.country, name.code), {})[name.key] = name.kind
    return found


@cache
def _regions() -> Mapping[str, frozenset[tuple[str, str]]]:
    found: dict[str, set[tuple[str, str]]] = {}
    for name in written():
        found.setdefault(name.key, set()).add((name.country, name.code))
    return {key: frozenset(regions) for key, regions in found.items()}


def _elsewhere(region: str, sink: Sink) -> bool:
    meant = _regions().get(region_key(region), frozenset())
    return bool(meant) and (sink.country, sink.admin1) not in meant
