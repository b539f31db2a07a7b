"""Evidence for and against two strikes being one event: a column of numbers for each named reason."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from geo.lonlat import Bools, Floats, Ints
from layers.model.messages import Message
from layers.model.records import Strike
from layers.resolution.linkage import (
    CandidatePairs,
    as_evidence,
    both,
    chunks,
    differ,
    distance_message,
    named_bits,
    shared_stems,
)
from layers.resolution.strike_blocking import DuplicateColumns
from layers.text.company_names import compare, fold
from layers.text.report_terms import BUILDINGS
from layers.text.strike_terms import FAMILIES, stems

if TYPE_CHECKING:
    from scipy.sparse import csr_array

#: Largest number of words of a target that is a name; longer ones are sentences.
_MAX_NAME_WORDS = 7
#: Largest number of targets of a strike that are compared.
_MAX_TARGETS = 6
#: Likeness from which two targets count as the same, and up to which they count as others; between, as neither.
SAME_TARGET, OTHER_TARGET = 0.7, 0.5

#: Largest uncertainty of a place that is a site, and of one that is a town, in metres.
SITE_M, TOWN_M = 1_000.0, 20_000.0
#: Least uncertainty of a place that is a point for a whole town: its centre, and not what was hit in or near it.
CENTRE_M = 5_000.0
#: Cosines of texts: from which they are alike, from which they may be the same, and from which they are.
_ALIKE, _LIKE, _IDENTICAL = 0.5, 0.6, 0.9


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
    families, (one, other) = table.families[i] & table.families[j], (table.families[i] > 0, table.families[j] > 0)
    buildings = table.texts.buildings[i] & table.texts.buildings[j]
    named = [families_ | (table.texts.buildings[row] > 0) for families_, row in ((one, i), (other, j))]
    marks = {
        "same-night": brief & (gap <= 0),
        "later-day": brief & (gap == 2),
        "far": placed & ~near,
        "no-place": ~placed,
        "other-region": differ(table.region[i], table.region[j]),
        "kind": families > 0,
        "other-kind": (families == 0) & one & other,
        "one-kind": one != other,
        "other-object": (families == 0) & ~(one & other) & (buildings == 0) & named[0] & named[1],
        "other-attacker": (table.side[i] != table.side[j]) & (table.side[i] > 0) & (table.side[j] > 0),
        "other-country": differ(table.country[i], table.country[j]),
        "same-dataset": table.dataset[i] == table.dataset[j],
    }
    return {
        **as_evidence(marks),
        **_places(table, pairs, near),
        "building": _rarest(buildings, table.texts.building_rarity),
    }


def _rarest(masks: Ints, rarity: Floats) -> Floats:
    """Return the largest rarity of the bits that are set, 0 where none is."""
    largest = np.zeros(len(masks))
    for bit, value in enumerate(rarity.tolist()):
        largest = np.where(masks >> bit & 1, np.maximum(largest, value), largest)
    return largest


def _places(table: DuplicateColumns, pairs: CandidatePairs, near: Bools) -> dict[str, Floats]:
    """Measure how well two near places agree.

    The radii hold the true places with about 95 %, that is two sigma. ``place`` is 1 where sigma is at most 5 km, and 0
    beyond 30 km. Where both places are sure to a town, ``apart`` is half the square of the distance in sigmas, the
    exponent of a Gaussian, with 4 as its end, since a place may be wrong altogether; 0 where both name one town, of
    which one has the centre: a refinery of that name lies outside of it. A strike that is placed in a region may be
    anywhere in it: there ``apart-vague`` is the distance in parts of the wider radius, at most 1.5.
    ``spot`` is for two sites: 1 up to 10 m, 0 at 1 km.
    """
    i, j, metres = pairs.left, pairs.right, np.where(near, pairs.distance_m, 0.0)
    sigma = np.hypot(table.uncertainty_m[i], table.uncertainty_m[j]) / 2
    sigma, stated = np.where(near, sigma, 1.0), np.maximum(table.stated_m[i], table.stated_m[j])
    wider = np.where(near, np.maximum(table.uncertainty_m[i], table.uncertainty_m[j]), 1.0)
    agree = np.clip(np.log(30_000.0 / np.maximum(sigma, 1.0)) / np.log(6.0), 0.0, 1.0)
    one_town = (table.place[i] == table.place[j]) & (table.place[i] >= 0) & (stated >= CENTRE_M)
    apart = near & (stated <= TOWN_M) & ~one_town
    spot = np.clip(1 - np.log10(np.maximum(metres, 10.0) / 10.0) / 2, 0.0, 1.0)
    return {
        "place": np.where(near, agree, 0.0),
        "spot": np.where(near & (stated <= SITE_M), spot, 0.0),
        "apart": np.where(apart, np.minimum(0.5 * (metres / sigma) ** 2, 4.0), 0.0),
        "apart-vague": np.where(near & (stated > TOWN_M), np.minimum(metres / wider, 1.5), 0.0),
    }


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
        Columns of shape (pairs,). From 0 to 2: ``name`` is the sum of the rarities of shared words without those of
        places, ``place-name`` that of shared words of places where the two places are not near; rarity is 1 for a word
        that one strike has, 0 for one that all have. ``numbers`` is how many numbers of the same things both state, at
        most 2. From 0 to 1: ``words`` is how alike all words of the texts are, 1 from a cosine of 0.5 on, and
        ``identical`` whether they are the same texts, from 0 at 0.6 to 1 at 0.9. Whether (0 or 1) the texts name other
        places, ``other-place``, and whether one text of one data set was put in two places, ``one-report``.
    """
    parts = [_texts_compared(table, pairs.left[part], pairs.right[part]) for part in chunks(len(pairs.left))] or [
        np.zeros((5, 0))
    ]
    names, places, cosine, common, numbers = np.concatenate(parts, axis=1)
    i, j, near = pairs.left, pairs.right, ~np.isnan(pairs.distance_m)
    stated = np.maximum(table.stated_m[i], table.stated_m[j])
    vague = ~near | (stated > TOWN_M)
    naming = np.diff(table.texts.places.indptr) > 0
    two_places = (differ(table.region[i], table.region[j]) | (table.placed[i] & table.placed[j] & ~near)) & (
        table.dataset[i] == table.dataset[j]
    )
    one_report = two_places & (cosine >= _IDENTICAL)
    return {
        "name": np.clip(names, 0, 2),
        "place-name": np.where(near, 0.0, np.clip(places, 0, 2)),
        "words": np.minimum(cosine / _ALIKE, 1.0),
        "identical": np.where(two_places, 0.0, np.clip((cosine - _LIKE) / (_IDENTICAL - _LIKE), 0.0, 1.0)),
        "numbers": np.clip(numbers, 0, 2),
        "other-place": (vague & naming[i] & naming[j] & (common == 0)).astype(np.float64),
        "one-report": one_report.astype(np.float64),
    }


def _texts_compared(table: DuplicateColumns, i: Ints, j: Ints) -> Floats:
    """Return five rows: rarities of shared names and of shared places, cosine, places named by both, equal numbers."""
    from scipy.sparse import csr_array

    shared = csr_array(table.words[i].multiply(table.words[j]))
    everything, of_place = shared @ table.rarity, np.zeros(len(i))
    some = np.flatnonzero(np.diff(shared.indptr))
    local = shared[some].multiply(csr_array(table.places[i[some]].maximum(table.places[j[some]])))
    of_place[some] = csr_array(local) @ table.rarity
    texts = table.texts
    products = [_products(matrix, i, j) for matrix in (texts.words, texts.places, texts.numbers)]
    return np.stack((everything - of_place, of_place, *products))


def _products(matrix: csr_array, i: Ints, j: Ints) -> Floats:
    """Return the products of pairs of rows, shape (pairs,); most rows of some matrices are empty, and are left out."""
    filled = np.diff(matrix.indptr) > 0
    both = np.flatnonzero(filled[i] & filled[j])
    products = np.zeros(len(i))
    products[both] = np.asarray(matrix[i[both]].multiply(matrix[j[both]]).sum(axis=1)).ravel()
    return products


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
        whether two data sets cite the same report (``same-source``).
    """
    named = [_TargetNames.of(strike) for strike in table.strikes]
    rows = [
        (*_compared(named[i], named[j]), _same_source(table, i, j))
        for i, j in zip(pairs.left.tolist(), pairs.right.tolist(), strict=True)
    ]
    columns = np.array(rows, np.float64).reshape(-1, 3).T
    return dict(zip(("target", "other-target", "same-source"), columns, strict=True))


def _same_source(table: DuplicateColumns, i: int, j: int) -> float:
    """Return 1 if two data sets cite the same report, unless on other kinds of site: it may be on both."""
    families = int(table.families[i]), int(table.families[j])
    other_kind = all(families) and not families[0] & families[1]
    same = table.dataset[i] != table.dataset[j] and bool(table.reports[i] & table.reports[j])
    return float(same and not other_kind)


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


@lru_cache(maxsize=100_000)
def most_similar(left: tuple[str, ...], right: tuple[str, ...]) -> SimilarNames:
    """Find the likest pair of names of two lists; of equally like ones the last in alphabetic order."""
    pairs = (SimilarNames(compare(fold(one), fold(other)).score, one, other) for one in left for other in right)
    return max(
        pairs, key=lambda pair: (pair.score, repr(pair.left), repr(pair.right)), default=SimilarNames(-1.0, "", "")
    )


def details(table: DuplicateColumns, left: int, right: int, metres: float) -> dict[str, Message]:
    """Explain a pair of rows: for each reason what was compared. ``metres`` is NaN where the places are not near."""
    one, other = table.strikes[left], table.strikes[right]
    shared = set(_stems(table, table.words, left)) & set(_stems(table, table.words, right))
    local = set(_stems(table, table.places, left)) | set(_stems(table, table.places, right))
    dates = both("dates", one.when, other.when)
    distance = distance_message(metres, table.uncertainty_m[[left, right]])
    kinds = both("kinds", *(named_bits(int(table.families[row]), FAMILIES) for row in (left, right)))
    objects = both("objects", *(_objects(table, row) for row in (left, right)))
    names = most_similar(target_names(one), target_names(other))
    targets = both("targets", names.left, names.right)
    likeness = Message("duplicates.likeness", {"percent": round(100 * table.texts.likeness(left, right))})
    numbers = tuple(f"{number} {noun}" for noun, number in table.texts.shared_numbers(left, right))
    return {
        "prior": Message("duplicates.prior"),
        **dict.fromkeys(("same-night", "later-day"), dates),
        **dict.fromkeys(("place", "spot", "apart", "apart-vague"), distance),
        "far": both("far", one.place, other.place),
        "no-place": Message("duplicates.no-place"),
        "other-region": both("regions", one.region, other.region),
        **dict.fromkeys(("kind", "other-kind", "one-kind"), kinds),
        **dict.fromkeys(("building", "other-object"), objects),
        "other-attacker": both("attackers", one.attacker, other.attacker),
        "other-country": both("countries", one.host_country, other.host_country),
        "same-dataset": Message("duplicates.dataset", {"dataset": one.dataset}),
        "name": shared_stems("words", shared - local),
        "place-name": shared_stems("words", shared & local),
        **dict.fromkeys(("words", "identical", "one-report"), likeness),
        "numbers": Message("duplicates.shared-numbers", {"numbers": numbers}),
        "other-place": Message("duplicates.other-place"),
        **dict.fromkeys(("target", "other-target"), targets),
        "same-source": Message(
            "duplicates.sources", {"sources": tuple(sorted(table.reports[left] & table.reports[right]))}
        ),
    }


def _stems(table: DuplicateColumns, matrix: csr_array, row: int) -> Iterator[str]:
    yield from (table.stems[at] for at in matrix.indices[matrix.indptr[row] : matrix.indptr[row + 1]])


def _objects(table: DuplicateColumns, row: int) -> str:
    """Return the families of site and the buildings of a strike, in words."""
    return named_bits(int(table.families[row]) | int(table.texts.buildings[row]) << len(FAMILIES), FAMILIES + BUILDINGS)
