"""Coordinates that a source writes for a whole region: the known ones, how far they widen, and how to find others."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from layers.model.types import Basis
from layers.reference.gazetteer_scoring import distance_m
from layers.reference.regions import is_region_word, region_key, region_names
from layers.text.place_names import fold, stem

if TYPE_CHECKING:
    import pandas as pd

TABLE = Path(__file__).with_name("sinks.toml")

#: A record is at a catch-all coordinate within this distance: sources write one place with different digits.
SAME_PLACE_M = 500.0
#: A place is a candidate with at least so many reports, if at most a tenth of them name the place and at least 80 %
#: its region.
MIN_REPORTS = 5
MAX_NAMING_SHARE = 0.1
MIN_REGIONAL_SHARE = 0.8

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

    Parameters
    ----------
    lon, lat
        Degrees (OGC:CRS84), as the source gives them.
    source_format
        The format that the record was read from, such as ``viina``: the list is kept by format, as a catch-all
        coordinate of one source is an ordinary place in another.
    region
        First-level division of the record, in any spelling. A record of another known region is not widened.
    text
        Text of the report, if known. A report that names the place means it, unless the name is a word for a thing.

    Returns
    -------
    WidenedLocation or None
        None for any other coordinate: the record's own basis holds.
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
    text_stems = _stems(text)
    return any(f" {stem(key)} " in text_stems for name in names if (key := fold(name)))


def mentions_region(text: str, country: str, admin1: str) -> bool:
    """Whether a report names a region, by a word that means only it, or by a name followed by a word such as oblast."""
    text_stems = _stems(text).split()
    keys = _region_words().get((country, admin1), {})
    return any(
        word in keys and (keys[word] == "alone" or is_region_word(after))
        for word, after in zip(text_stems, [*text_stems[1:], ""], strict=True)
    )


def candidates(place: ArrayLike, naming: ArrayLike, regional: ArrayLike | None = None) -> pd.DataFrame:
    """Find places that may be catch-all coordinates: those with many reports of which few name the place.

    Parameters
    ----------
    place
        For each report the id of its place, or any other sortable key.
    naming
        For each report whether it names the place.
    regional
        For each report whether it names the place's region, where that is known.

    Returns
    -------
    pandas.DataFrame
        ``place``, ``reports``, ``naming`` and ``regional`` (shares; ``regional`` is NaN where not known), the place
        with most reports first. No reports give an empty frame.
    """
    places, row = np.unique(np.asarray(place), return_inverse=True)
    count = np.bincount(row, minlength=len(places))
    share = _share(row, naming, count)
    region_share = np.full(len(places), np.nan) if regional is None else _share(row, regional, count)
    is_candidate = (count >= MIN_REPORTS) & (share <= MAX_NAMING_SHARE)
    if regional is not None:
        is_candidate &= region_share >= MIN_REGIONAL_SHARE
    import pandas as pd  # takes a quarter of a second, which no load needs

    frame = pd.DataFrame({"place": places, "reports": count, "naming": share, "regional": region_share})
    return frame[is_candidate].sort_values(["reports", "place"], ascending=[False, True], ignore_index=True)


def _share(row: NDArray[np.intp], flag: ArrayLike, count: NDArray[np.intp]) -> NDArray[np.float64]:
    flagged = np.bincount(row, weights=np.asarray(flag, dtype=float), minlength=len(count))
    return np.asarray(flagged / np.maximum(count, 1), dtype=np.float64)


def _stems(text: str) -> str:
    return f" {' '.join(_stem_of(word) for word in _WORD.findall(text[:_MAX_TEXT]))} "


@lru_cache(maxsize=100_000)
def _stem_of(word: str) -> str:
    return stem(fold(word))


@cache
def _region_words() -> Mapping[tuple[str, str], Mapping[str, str]]:
    ways: dict[tuple[str, str], dict[str, str]] = {}
    for name in region_names():
        ways.setdefault((name.country, name.code), {})[name.key] = name.kind
    return ways


@cache
def _regions() -> Mapping[str, frozenset[tuple[str, str]]]:
    regions_by_key: dict[str, set[tuple[str, str]]] = {}
    for name in region_names():
        regions_by_key.setdefault(name.key, set()).add((name.country, name.code))
    return {key: frozenset(regions) for key, regions in regions_by_key.items()}


def _is_in_other_region(region: str, sink: CatchAllCoordinate) -> bool:
    meant = _regions().get(region_key(region), frozenset())
    return bool(meant) and (sink.country, sink.admin1) not in meant
