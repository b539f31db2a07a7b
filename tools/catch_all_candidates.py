"""Finds coordinates that a source may write for a whole region, to be looked at and put into sinks.toml by a person."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from layers.reference.regions import is_region_word, region_names
from layers.sources.strikes.named_places import stems

#: A place is a candidate with at least so many reports, if at most a tenth of them name the place and at least 80 %
#: its region.
MIN_REPORTS = 5
MAX_NAMING_SHARE = 0.1
MIN_REGIONAL_SHARE = 0.8


def mentions_region(text: str, country: str, admin1: str) -> bool:
    """Whether a report names a region, by a word that means only it, or by a name followed by a word such as oblast."""
    text_stems = stems(text).split()
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
    frame = pd.DataFrame({"place": places, "reports": count, "naming": share, "regional": region_share})
    return frame[is_candidate].sort_values(["reports", "place"], ascending=[False, True], ignore_index=True)


def _share(row: NDArray[np.intp], flag: ArrayLike, count: NDArray[np.intp]) -> NDArray[np.float64]:
    flagged = np.bincount(row, weights=np.asarray(flag, dtype=float), minlength=len(count))
    return np.asarray(flagged / np.maximum(count, 1), dtype=np.float64)


@cache
def _region_words() -> Mapping[tuple[str, str], Mapping[str, str]]:
    ways: dict[tuple[str, str], dict[str, str]] = {}
    for name in region_names():
        ways.setdefault((name.country, name.code), {})[name.key] = name.kind
    return ways
