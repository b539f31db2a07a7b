"""Pairs of records that may be one: candidates as rows, evidence as columns, weights, and proposals with reasons.

The odds of a pair are the exponential of a sum of weights, one a reason (Fellegi and Sunter 1969,
doi 10.1080/01621459.1969.10501049), as in ``matching``. Strikes and assets are compared by these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from geo.lonlat import Bools, Floats, Ints, Objects
from geo.spatial_join.join import pairs_within
from layers.model.messages import Message
from layers.model.records import MatchReason

if TYPE_CHECKING:
    from scipy.sparse import csr_array

#: Two places are near up to this many times the sum of their uncertainties.
REACH_FACTOR = 1.5
#: Pairs whose words are compared at once, which bounds the memory.
_CHUNK = 200_000

#: A number for each pair, by the name of the reason; 0 is no evidence.
Evidence = Mapping[str, Floats]


class CandidatePairs(NamedTuple):
    """Pairs of rows, each once and sorted, shape (pairs,) each.

    Attributes
    ----------
    left, right
        Rows, ``left`` the smaller.
    distance_m
        Geodesic distance in metres; NaN where the places are not near or one has none.
    """

    left: Ints
    right: Ints
    distance_m: Floats

    def only(self, selected: Bools | Ints) -> CandidatePairs:
        """Select pairs by a mark for each, or by their numbers."""
        return CandidatePairs(self.left[selected], self.right[selected], self.distance_m[selected])


def each_once(parts: Sequence[tuple[Ints, Ints, Floats]]) -> CandidatePairs:
    """Return pairs that were found in several ways, one at least: each once, with its distance where one way has it."""
    left, right, metres = (np.concatenate(part) for part in zip(*parts, strict=True))
    left, right = np.minimum(left, right), np.maximum(left, right)
    order = np.lexsort((metres, right, left))  # NaN sorts last: the first of equal pairs has the distance
    left, right, metres = left[order], right[order], metres[order]
    new = left != right
    new[1:] &= (np.diff(left) != 0) | (np.diff(right) != 0)
    return CandidatePairs(left, right, metres).only(new)


def without_distance(left: Ints, right: Ints) -> tuple[Ints, Ints, Floats]:
    """Return pairs that were not found by their places."""
    return left, right, np.full(len(left), np.nan)


def near_pairs(rows: Ints, geometry: Objects, uncertainty_m: Floats, widest_m: float) -> tuple[Ints, Ints, Floats]:
    """Find the pairs whose places may be one, searched from the less certain of the two within twice its own reach.

    Parameters
    ----------
    rows
        Rows that are compared, shape (k,); all have a place.
    geometry, uncertainty_m
        Shapely geometries in lon/lat degrees (OGC:CRS84) and metres of all rows, shape (n,).
    widest_m
        Widest radius that is searched, in metres.
    """
    shapes, uncertainty_m = geometry[rows], uncertainty_m[rows]
    pairs = pairs_within(shapes, shapes, np.minimum(2 * REACH_FACTOR * uncertainty_m, widest_m))
    a, b = uncertainty_m[pairs.left], uncertainty_m[pairs.right]
    selected = ((a > b) | ((a == b) & (pairs.left < pairs.right))) & (pairs.distance_m <= REACH_FACTOR * (a + b))
    return rows[pairs.left[selected]], rows[pairs.right[selected]], pairs.distance_m[selected]


def codes(values: Sequence[str | None]) -> Ints:
    """Return texts as numbers from 0 in alphabetic order, -1 for none, shape (n,)."""
    known = {value: code for code, value in enumerate(sorted({value for value in values if value}))}
    return np.array([known[value] if value else -1 for value in values], np.int64)


def word_matrix(rows: Sequence[Sequence[int]], columns: int) -> csr_array:
    """Return a sparse matrix, shape (n, columns), with 1 where a row has a code; one column at least."""
    from scipy.sparse import csr_array

    start = np.concatenate(([0], np.cumsum([len(row) for row in rows], dtype=np.int64)))
    indices = np.fromiter((code for row in rows for code in row), np.int64, int(start[-1]))
    return csr_array((np.ones(len(indices)), indices, start), shape=(len(rows), max(columns, 1)))


def differ(one: Ints, other: Ints) -> Bools:
    """Whether codes of pairs are two, and none of them is missing."""
    return np.asarray((one != other) & (one >= 0) & (other >= 0))


def as_evidence(marks: Mapping[str, Bools]) -> dict[str, Floats]:
    """Return marks as evidence of 1 or 0."""
    return {name: mark.astype(np.float64) for name, mark in marks.items()}


def chunks(pairs: int) -> Iterator[slice]:
    """Yield slices of a number of pairs, so short that their words fit into memory."""
    yield from (slice(start, start + _CHUNK) for start in range(0, pairs, _CHUNK))


@dataclass(frozen=True, slots=True)
class PairWeights:
    """Log odds that the reasons for one kind of pair add, each a field of its name; ``prior`` is of every pair."""

    prior: float

    def of(self, reason: str) -> float:
        """Return the weight of a reason by its name, such as ``same-night``."""
        value: float = getattr(self, reason.replace("-", "_"))
        return value

    def log_odds(self, evidence: Evidence) -> Floats:
        """Return the log odds that the two records of a pair are one, shape (pairs,); needs one reason at least."""
        total = np.full(len(next(iter(evidence.values()))), self.prior)
        for reason, values in evidence.items():
            total = total + self.of(reason) * values
        return total

    def probability(self, evidence: Evidence) -> Floats:
        """Return the probability that the two records of a pair are one, shape (pairs,)."""
        return np.asarray(1 / (1 + np.exp(-self.log_odds(evidence))))


@dataclass(frozen=True, slots=True)
class DuplicateProposal:
    """Two strikes that may be one event, or two assets that may be one site, for a person to decide.

    Attributes
    ----------
    preferred, duplicate
        Ids: the record to be merged into is better checked, surer of its place, with more sources.
    score
        The probability by the weights.
    distance_m
        Metres between the places; ``None`` where one has none or they are not near.
    reasons
        The evidence, with what each adds to the log odds.
    """

    preferred: str
    duplicate: str
    score: float
    distance_m: float | None
    reasons: tuple[MatchReason, ...]


class Explained(NamedTuple):
    """The ids of a pair, the preferred one first, and what was compared for each reason and ``prior``."""

    preferred: str
    duplicate: str
    details: Mapping[str, Message]


def proposals(
    pairs: CandidatePairs,
    evidence: Evidence,
    weights: PairWeights,
    least: float | Floats,
    apart: Set[frozenset[str]],
    explain: Callable[[int, int, float], Explained],
) -> tuple[DuplicateProposal, ...]:
    """Return the pairs that may be one, the likeliest first, each pair once.

    Parameters
    ----------
    pairs, evidence, weights
        The pairs with all evidence on them, and what it weighs.
    least
        Least probability of all, or of each, shape (pairs,).
    apart
        Pairs of ids that were judged different, which are left out.
    explain
        Explains a pair by its rows and its metres, NaN where the places are not near.
    """
    scores = weights.probability(evidence)
    found = []
    for row in np.flatnonzero(scores >= least).tolist():
        metres = float(pairs.distance_m[row])
        one, other, details = explain(int(pairs.left[row]), int(pairs.right[row]), metres)
        if frozenset((one, other)) in apart:
            continue
        measured = {"prior": (1.0, weights.prior)} | {
            name: (float(values[row]), weights.of(name) * float(values[row]))
            for name, values in evidence.items()
            if values[row] != 0
        }
        reasons = tuple(
            MatchReason(name=name, value=value, weight=weight, detail=details[name])
            for name, (value, weight) in measured.items()
        )
        distance_m = None if np.isnan(metres) else round(metres, 1)
        found.append(DuplicateProposal(one, other, round(float(scores[row]), 4), distance_m, reasons))
    return tuple(sorted(found, key=lambda proposal: (-proposal.score, proposal.preferred, proposal.duplicate)))


def both(name: str, one: object, other: object) -> Message:
    """Say what two records have of one thing."""
    return Message(f"duplicates.{name}", {"one": str(one), "other": str(other)})


def distance_message(metres: float, uncertainty_m: Floats) -> Message:
    """Say how far apart two places are, and how unsure both are together; ``metres`` is NaN if they are not near."""
    radius_m = float(np.hypot(*uncertainty_m)) if not np.isnan(metres) else 0.0
    return Message("duplicates.distance", {"distance_km": metres / 1000, "km": radius_m / 1000})


def shared_stems(name: str, stems: Iterable[str]) -> Message:
    """Say which stems two records share."""
    return Message(f"duplicates.{name}", {"words": tuple(sorted(f"{stem}…" for stem in stems))})


def named_bits(mask: int, names: Iterable[str]) -> str:
    """Return the names of the bits of a mask, as one text."""
    return "+".join(name for bit, name in enumerate(names) if mask >> bit & 1) or "unknown"
