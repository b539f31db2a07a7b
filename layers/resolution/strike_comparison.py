"""Evidence for and against two strikes being one event: a column of numbers for each named reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from geo.lonlat import Bools, Floats, Ints
from layers.model.messages import Message
from layers.model.records import Strike
from layers.resolution.strike_blocking import CandidatePairs, DuplicateColumns
from layers.text.company_names import compare, fold
from layers.text.strike_terms import FAMILIES, stems

#: Pairs whose words are compared at once, which bounds the memory.
_CHUNK = 200_000
#: Largest number of words of a target that is a name; longer ones are sentences.
_MAX_NAME_WORDS = 7
#: Largest number of targets of a strike that are compared.
_MAX_TARGETS = 6
#: Likeness from which two targets count as the same, and up to which they count as others; between, as neither.
SAME_TARGET, OTHER_TARGET = 0.7, 0.5

#: A number for each pair, by the name of the reason; 0 is no evidence.
Evidence = Mapping[str, Floats]


def compare_space_time(table: DuplicateColumns, pairs: CandidatePairs) -> dict[str, Floats]:
    """Compare days, places, kinds of site, attackers, countries and data sets: the evidence that is quick to compute.

    Parameters
    ----------
    table
        The strikes.
    pairs
        Pairs of their rows.

    Returns
    -------
    dict
        A column of shape (pairs,) for each reason, 0 for no evidence.
    """
    i, j = pairs.left, pairs.right
    gap = np.maximum(table.first[i], table.first[j]) - np.minimum(table.last[i], table.last[j])
    brief = table.brief[i] & table.brief[j]
    placed = table.placed[i] & table.placed[j]
    near = ~np.isnan(pairs.distance_m)
    families = table.families[i] & table.families[j]
    marks = {
        "same-night": brief & (gap <= 0),
        "next-day": brief & (gap == 1),
        "later-day": brief & (gap == 2),
        "far": placed & ~near,
        "no-place": ~placed,
        "kind": families > 0,
        "other-kind": (families == 0) & (table.families[i] > 0) & (table.families[j] > 0),
        "attacker": (table.side[i] == table.side[j]) & (table.side[i] > 0),
        "other-attacker": (table.side[i] != table.side[j]) & (table.side[i] > 0) & (table.side[j] > 0),
        "other-country": _differ(table.country[i], table.country[j]),
        "same-dataset": table.dataset[i] == table.dataset[j],
    }
    return {**{name: mark.astype(np.float64) for name, mark in marks.items()}, **_places(table, pairs, near)}


def _differ(one: Ints, other: Ints) -> Bools:
    return np.asarray((one != other) & (one >= 0) & (other >= 0))


def _places(table: DuplicateColumns, pairs: CandidatePairs, near: Bools) -> dict[str, Floats]:
    """Measure how sharply two near places agree (1 at 100 m, 0 beyond 30 km), how loosely, and how far they are apart.

    The radii hold the true places with about 95 %, that is two sigma; half the square of the distance in sigmas
    is the exponent of a Gaussian, and 4 its end, since a place may be wrong altogether. Loose is the decimal
    logarithm of sigma in tens of kilometres: in a whole region there are many sites.
    """
    sigma = np.hypot(table.uncertainty_m[pairs.left], table.uncertainty_m[pairs.right]) / 2
    sigma, metres = np.where(near, sigma, 1.0), np.where(near, pairs.distance_m, 0.0)
    sharp = np.clip(1 - np.log10(np.maximum(sigma, 100.0) / 100.0) / 2.5, 0.0, 1.0)
    loose = np.log10(np.maximum(sigma, 10_000.0) / 10_000.0)
    apart = np.minimum(0.5 * (metres / sigma) ** 2, 4.0)
    return {"place": np.where(near, sharp, 0.0), "loose-place": loose, "apart": apart}


def compare_text(table: DuplicateColumns, pairs: CandidatePairs) -> dict[str, Floats]:
    """Compare the words of strikes: those that both have, apart from names of places.

    Parameters
    ----------
    table
        The strikes.
    pairs
        Rows of the strikes that are compared, shape (pairs,); may be empty.

    Returns
    -------
    dict
        Columns of shape (pairs,), from 0 to 2: ``name`` is the sum of the rarities of shared words without those of
        places, ``place-name`` that of shared words of places where the two places are not near. Rarity is 1 for a word
        that one strike has, 0 for one that all have.
    """
    names, places = np.zeros(len(pairs.left)), np.zeros(len(pairs.left))
    for start in range(0, len(pairs.left), _CHUNK):
        part = slice(start, start + _CHUNK)
        i, j = pairs.left[part], pairs.right[part]
        shared = table.words[i].multiply(table.words[j])
        local = shared.multiply(_or(table.places[i], table.places[j]))
        everything, of_place = (csr_array(matrix) @ table.rarity for matrix in (shared, local))
        names[part], places[part] = everything - of_place, of_place
    near = ~np.isnan(pairs.distance_m)
    return {"name": np.clip(names, 0, 2), "place-name": np.where(near, 0.0, np.clip(places, 0, 2))}


def _or(one: csr_array, other: csr_array) -> csr_array:
    return csr_array(one.maximum(other))


def compare_targets(table: DuplicateColumns, pairs: CandidatePairs) -> dict[str, Floats]:
    """Compare targets as printed, pair by pair, which is slow.

    Parameters
    ----------
    table
        The strikes.
    pairs
        Rows of the strikes that are compared, shape (pairs,); may be empty.

    Returns
    -------
    dict
        Columns of shape (pairs,): whether the targets are alike (``target``), are others (``other-target``), and
        whether
        two data sets cite the same report (``same-source``).
    """
    reports = table.reports
    named = [_TargetNames.of(strike) for strike in table.strikes]
    rows = [
        (*_compared(named[i], named[j]), float(table.dataset[i] != table.dataset[j] and bool(reports[i] & reports[j])))
        for i, j in zip(pairs.left.tolist(), pairs.right.tolist(), strict=True)
    ]
    columns = np.array(rows, np.float64).reshape(-1, 3).T
    return dict(zip(("target", "other-target", "same-source"), columns, strict=True))


class _TargetNames(NamedTuple):
    """The targets of a strike that are names, their stems and numbers, and the stems of its title and place."""

    names: tuple[str, ...]
    stems: frozenset[str]
    numbers: frozenset[str]
    about: frozenset[str]

    @classmethod
    def of(cls, strike: Strike) -> _TargetNames:
        names = target_names(strike)
        numbers = frozenset(number for name in names for number in fold(name).numbers)
        about = frozenset(stems((strike.title, strike.place, strike.region)))
        return cls(names, frozenset(stems(names)), numbers, about)

    @property
    def distinctive(self) -> frozenset[str]:
        """Stems of the targets that are not in the title or place."""
        return self.stems - self.about


def _compared(left: _TargetNames, right: _TargetNames) -> tuple[float, float]:
    """Return how surely the likest targets are the same name, 0 to 1, and how surely all are others, 0, 1 or 2.

    Others are names without a common word, or with other numbers only: Nord Stream 1 and 2. A target that the title or
    place of the other strike names is no other one: the port of Pivdennyi, and a terminal in Pivdennyi. Other numbers
    count twice, as the words in common, which count as such, are then those of both lines.
    """
    likeness = most_similar(left.names, right.names).score
    foreign = bool(left.stems and right.stems) and not left.stems & right.stems
    foreign = foreign and not (left.distinctive & right.about or right.distinctive & left.about)
    renumbered = bool(left.numbers and right.numbers) and not left.numbers & right.numbers
    same = max(0.0, likeness - SAME_TARGET) / (1 - SAME_TARGET)
    if likeness > OTHER_TARGET:
        return same, 0.0
    return same, 2.0 if renumbered else float(foreign)


def target_names(strike: Strike) -> tuple[str, ...]:
    """Return the targets of a strike that are names and not sentences."""
    return tuple(name for name in strike.targets if len(name.split()) <= _MAX_NAME_WORDS)[:_MAX_TARGETS]


class SimilarNames(NamedTuple):
    """The likest pair of names of two lists, and their likeness from 0 to 1; -1 where a list is empty."""

    score: float
    left: str
    right: str


def _likeness_then_names(pair: SimilarNames) -> tuple[float, str, str]:
    return pair.score, repr(pair.left), repr(pair.right)


@lru_cache(maxsize=100_000)
def most_similar(left: tuple[str, ...], right: tuple[str, ...]) -> SimilarNames:
    """Find the likest pair of names of two lists; of equally like ones the last in alphabetic order."""
    pairs = (SimilarNames(compare(fold(one), fold(other)).score, one, other) for one in left for other in right)
    return max(pairs, key=_likeness_then_names, default=SimilarNames(-1.0, "", ""))


def details(table: DuplicateColumns, left: int, right: int, metres: float) -> dict[str, Message]:
    """Explain a pair of rows: for each reason what was compared. ``metres`` is NaN where the places are not near."""
    one, other = table.strikes[left], table.strikes[right]
    shared = set(_stems(table, table.words, left)) & set(_stems(table, table.words, right))
    local = set(_stems(table, table.places, left)) | set(_stems(table, table.places, right))
    families = [_families(int(table.families[row])) for row in (left, right)]
    radius_m = float(np.hypot(*table.uncertainty_m[[left, right]])) if not np.isnan(metres) else 0.0
    dates = _both("dates", one.when, other.when)
    distance = Message("duplicates.distance", {"distance_km": metres / 1000, "km": radius_m / 1000})
    kinds = _both("kinds", *families)
    attackers = _both("attackers", str(one.attacker), str(other.attacker))
    names = most_similar(target_names(one), target_names(other))
    targets = _both("targets", names.left, names.right)
    return {
        **dict.fromkeys(("same-night", "next-day", "later-day"), dates),
        **dict.fromkeys(("place", "loose-place", "apart"), distance),
        "far": _both("far", str(one.place), str(other.place)),
        "no-place": Message("duplicates.no-place"),
        **dict.fromkeys(("kind", "other-kind"), kinds),
        **dict.fromkeys(("attacker", "other-attacker"), attackers),
        "other-country": _both("countries", str(one.host_country), str(other.host_country)),
        "same-dataset": Message("duplicates.dataset", {"dataset": one.dataset}),
        "name": _shared_words(shared - local),
        "place-name": _shared_words(shared & local),
        **dict.fromkeys(("target", "other-target"), targets),
        "same-source": Message(
            "duplicates.sources", {"sources": tuple(sorted(table.reports[left] & table.reports[right]))}
        ),
    }


def _both(name: str, one: str, other: str) -> Message:
    return Message(f"duplicates.{name}", {"one": one, "other": other})


def _stems(table: DuplicateColumns, matrix: csr_array, row: int) -> Iterator[str]:
    yield from (table.stems[at] for at in matrix.indices[matrix.indptr[row] : matrix.indptr[row + 1]])


def _shared_words(stems_: set[str]) -> Message:
    return Message("duplicates.words", {"words": tuple(f"{stem}…" for stem in sorted(stems_))})


def _families(mask: int) -> str:
    return "+".join(name for at, name in enumerate(FAMILIES) if mask >> at & 1) or "unknown"
