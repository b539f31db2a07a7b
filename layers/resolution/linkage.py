"""Record linkage: pairs of records that may be one, comparisons with their weights, and proposals with reasons.

Strikes and assets are linked by it, and each declares its columns, the blocks that give its candidate pairs, and a
table of comparisons. The odds of a pair are the exponential of a sum of weights, one a reason (Fellegi and Sunter
1969, doi 10.1080/01621459.1969.10501049), as in ``matching``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Self, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from geo.lonlat import Bools, Floats, Ints, Objects
from geo.spatial_join.join import pairs_within
from layers.model.messages import Message
from layers.model.records import MatchReason

if TYPE_CHECKING:
    from scipy.sparse import csr_array

#: Two places are near up to this many times the sum of their uncertainties.
REACH_FACTOR = 1.5
#: Largest value of half the squared distance in sigmas: a place may be wrong altogether.
MAX_APART = 4.0
#: Least number of records that rarity is computed with, lest few records make all tokens common.
MIN_RECORDS = 1_000
#: Pairs whose tokens are compared at once, which bounds the memory.
_CHUNK = 200_000

K = TypeVar("K", bound=Hashable)
#: Rows of pairs that a block gives: left, right and, of pairs that are near, metres.
Block: TypeAlias = tuple[Ints, Ints] | tuple[Ints, Ints, Floats]


def codes(values: Sequence[str | None]) -> Ints:
    """Return texts as numbers from 0 in alphabetic order, -1 for none, shape (n,)."""
    known = {value: code for code, value in enumerate(sorted({value for value in values if value}))}
    return np.array([known[value] if value else -1 for value in values], np.int64)


def rarity(seen: Ints, records: int) -> Floats:
    """Return the rarity of what some of the records have: 1 where one has it, 0 where all have, by the logarithm."""
    count = max(records, MIN_RECORDS)
    return np.asarray(np.log(count / np.maximum(seen, 1)) / np.log(count))


@dataclass(frozen=True, eq=False)
class TokenSets(Generic[K]):
    """A set of tokens for each of n records, such as the stems of a name.

    Attributes
    ----------
    matrix
        Sparse, shape (n, tokens): 1, or a weight, where a record has the token.
    tokens
        The token of each column.
    """

    matrix: csr_array
    tokens: Sequence[K]

    @classmethod
    def of(cls, rows: Iterable[Iterable[K]], known: Iterable[K] = ()) -> TokenSets[K]:
        """Read the sets of records; ``known`` are the tokens of the first columns."""
        from scipy.sparse import csr_array

        index = {token: column for column, token in enumerate(known)}
        coded = [[index.setdefault(token, len(index)) for token in dict.fromkeys(row)] for row in rows]
        start = np.concatenate(([0], np.cumsum([*map(len, coded)], dtype=np.int64)))
        columns = np.fromiter((column for row in coded for column in row), np.int64, int(start[-1]))
        matrix = csr_array((np.ones(len(columns)), columns, start), shape=(len(coded), max(len(index), 1)))
        matrix.sort_indices()
        return cls(matrix, list(index))

    @cached_property
    def seen(self) -> Ints:
        """How many records have each token, shape (tokens,)."""
        return np.bincount(self.matrix.indices, minlength=self.matrix.shape[1])

    @cached_property
    def filled(self) -> Bools:
        """Which records have any token, shape (n,)."""
        return np.asarray(np.diff(self.matrix.indptr) > 0)

    def of_row(self, row: int) -> frozenset[K]:
        """Return the tokens of a record."""
        columns = self.matrix.indices[self.matrix.indptr[row] : self.matrix.indptr[row + 1]]
        return frozenset(self.tokens[column] for column in columns.tolist())

    def common(self, one: int, other: int) -> frozenset[K]:
        """Return the tokens that two records have in common."""
        return self.of_row(one) & self.of_row(other)

    def shared(self, left: Ints, right: Ints, weight: Floats | None = None) -> Floats:
        """Sum over the tokens in common of pairs of rows, each 1 or the ``weight`` of its column; shape (pairs,)."""
        weight = np.ones(self.matrix.shape[1]) if weight is None else weight
        total = np.zeros(len(left))
        both = np.flatnonzero(self.filled[left] & self.filled[right])
        for start in range(0, len(both), _CHUNK):
            part = both[start : start + _CHUNK]
            total[part] = self.matrix[left[part]].multiply(self.matrix[right[part]]) @ weight
        return total

    def block(self, most: int, rows: Ints | None = None) -> tuple[Ints, Ints]:
        """Find the pairs, of all or of some rows, that share a token which at most so many of them have."""
        from scipy.sparse import triu

        matrix = self.matrix if rows is None else self.matrix[rows]
        seen = np.bincount(matrix.indices, minlength=matrix.shape[1])
        matrix = matrix[:, np.flatnonzero((seen > 1) & (seen <= most))]
        pairs = triu(matrix @ matrix.T, k=1).tocoo()
        left, right = pairs.row.astype(np.int64), pairs.col.astype(np.int64)
        return (left, right) if rows is None else (rows[left], rows[right])


@dataclass(frozen=True, eq=False)
class Columns(ABC):
    """What records of any kind are compared by, as columns of n records.

    Attributes
    ----------
    ids
        Ids, in the order of the rows.
    records
        The records by id.
    dataset, country
        Codes of the data set and of the host country, -1 for none, shape (n,).
    geometry
        Shapely geometries in lon/lat degrees (OGC:CRS84) or None, shape (n,).
    uncertainty_m
        Metres, with a least value of each kind of record; NaN where there is no place, shape (n,).
    """

    ids: Sequence[str]
    records: Mapping[str, Any]
    dataset: Ints
    country: Ints
    geometry: Objects
    uncertainty_m: Floats

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def placed(self) -> Bools:
        """Which records have a place, shape (n,)."""
        return ~np.isnan(self.uncertainty_m)

    def record(self, row: int) -> Any:
        """Return the record of a row."""
        return self.records[self.ids[row]]

    @abstractmethod
    def preference(self, row: int) -> tuple[object, ...]:
        """Return the sort key of a record, by which the one that others are merged into is the first."""

    def near_pairs(self, rows: Ints, widest_m: float) -> tuple[Ints, Ints, Floats]:
        """Find the pairs whose places may be one, searched from the less certain of the two within twice its own reach.

        Parameters
        ----------
        rows
            Rows that are compared, shape (k,); all have a place.
        widest_m
            Widest radius that is searched, in metres.
        """
        shapes, uncertainty_m = self.geometry[rows], self.uncertainty_m[rows]
        pairs = pairs_within(shapes, shapes, np.minimum(2 * REACH_FACTOR * uncertainty_m, widest_m))
        a, b = uncertainty_m[pairs.left], uncertainty_m[pairs.right]
        selected = ((a > b) | ((a == b) & (pairs.left < pairs.right))) & (pairs.distance_m <= REACH_FACTOR * (a + b))
        return rows[pairs.left[selected]], rows[pairs.right[selected]], pairs.distance_m[selected]


C = TypeVar("C", bound=Columns)


@dataclass(frozen=True, eq=False)
class Pairs(Generic[C]):
    """Pairs of rows of a table, shape (pairs,) each.

    Attributes
    ----------
    table
        The columns of the records.
    left, right
        Rows.
    distance_m
        Geodesic distance in metres; NaN where the places are not near or one has none.
    """

    table: C
    left: Ints
    right: Ints
    distance_m: Floats

    @classmethod
    def union(cls, table: C, blocks: Iterable[Block]) -> Self:
        """Unite the pairs of some blocks, one at least: each once, sorted, ``left`` the smaller."""
        found = [block if len(block) == 3 else (*block, np.full(len(block[0]), np.nan)) for block in blocks]
        left, right, metres = (np.concatenate(part) for part in zip(*found, strict=True))
        left, right = np.minimum(left, right), np.maximum(left, right)
        order = np.lexsort((metres, right, left))  # NaN sorts last: the first of equal pairs has the distance
        left, right, metres = left[order], right[order], metres[order]
        new = left != right
        new[1:] &= (np.diff(left) != 0) | (np.diff(right) != 0)
        return cls(table, left[new], right[new], metres[new])

    def __len__(self) -> int:
        return len(self.left)

    def only(self, selected: Bools | Ints) -> Self:
        """Select pairs by a mark for each, or by their numbers."""
        return replace(self, left=self.left[selected], right=self.right[selected], distance_m=self.distance_m[selected])

    def ends(self, row: int) -> tuple[int, int]:
        """Return the two rows of a pair."""
        return int(self.left[row]), int(self.right[row])

    def of(self, column: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """Return the values of both records of each pair."""
        return column[self.left], column[self.right]

    def same(self, column: npt.NDArray[Any]) -> Bools:
        """Whether the values of both records are equal."""
        return np.asarray(column[self.left] == column[self.right])

    def differ(self, column: Ints) -> Bools:
        """Whether the codes of both records are two, and none of them is missing."""
        one, other = self.of(column)
        return np.asarray((one != other) & (one >= 0) & (other >= 0))

    def both(self, column: Bools) -> Bools:
        """Whether a mark is set of both records."""
        return column[self.left] & column[self.right]

    def shared(self, tokens: TokenSets[K], weight: Floats | None = None) -> Floats:
        """Sum over the tokens in common, each 1 or the ``weight`` of its column."""
        return tokens.shared(self.left, self.right, weight)

    def disjoint(self, tokens: TokenSets[K]) -> Bools:
        """Whether both records have tokens, and none in common."""
        return np.asarray(self.both(tokens.filled) & (self.shared(tokens) == 0))

    @cached_property
    def near(self) -> Bools:
        """Whether the places are near."""
        return ~np.isnan(self.distance_m)

    @cached_property
    def metres(self) -> Floats:
        """The distance, 0 where the places are not near."""
        return np.where(self.near, self.distance_m, 0.0)

    @cached_property
    def apart(self) -> Floats:
        """Half the square of the distance in sigmas, at most ``MAX_APART``: the exponent of a Gaussian.

        The radii hold the true places with about 95 %, that is two sigma.
        """
        sigma = np.where(self.near, np.hypot(*self.of(self.table.uncertainty_m)) / 2, 1.0)
        return np.minimum(0.5 * (self.metres / sigma) ** 2, MAX_APART)


P = TypeVar("P", bound=Pairs[Any])
#: A number for each pair, by the name of the reason; 0 is no evidence.
Evidence: TypeAlias = Mapping[str, Floats]


class Comparison(NamedTuple, Generic[P]):
    """One reason for or against two records being one.

    Attributes
    ----------
    name
        Of the reason.
    weight
        Log odds that each unit of the evidence adds.
    measure
        The evidence on pairs, shape (pairs,): numbers or marks, 0 for none.
    detail
        What was compared of one of the pairs.
    by_hand
        Whether the weight is set by hand, and not fitted to labelled pairs.
    most
        Largest evidence.
    slow
        Pairs are compared by this only where all that is less slow leaves them a chance.
    """

    name: str
    weight: float
    measure: Callable[[P], Floats | Bools]
    detail: Callable[[P, int], Message]
    by_hand: bool = False
    most: float = 1.0
    slow: int = 0


class Compared(NamedTuple, Generic[P]):
    """Pairs with the evidence on them and the probability that both records are one, shape (pairs,)."""

    comparisons: Sequence[Comparison[P]]
    pairs: P
    evidence: Evidence
    probability: Floats


def compare(pairs: P, comparisons: Sequence[Comparison[P]], least: float = 0.0) -> Compared[P]:
    """Measure all evidence on pairs; those that cannot reach a least probability may be left out."""
    needed = np.log(max(least, 1e-12) / max(1 - least, 1e-12))
    evidence: dict[str, Floats] = {}
    for slow in sorted({comparison.slow for comparison in comparisons}):
        if slow:
            hope = sum(max(one.weight, 0.0) * one.most for one in comparisons if one.slow >= slow)
            selected = _log_odds(evidence, comparisons) + hope >= needed
            pairs, evidence = pairs.only(selected), {name: values[selected] for name, values in evidence.items()}
        measured = (one for one in comparisons if one.slow == slow)
        evidence |= {one.name: np.asarray(one.measure(pairs), np.float64) for one in measured}
    evidence = {one.name: evidence[one.name] for one in comparisons}
    return Compared(comparisons, pairs, evidence, 1 / (1 + np.exp(-_log_odds(evidence, comparisons))))


def _log_odds(evidence: Evidence, comparisons: Iterable[Comparison[Any]]) -> Floats:
    return np.asarray(sum(one.weight * evidence[one.name] for one in comparisons if one.name in evidence))


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


def proposals(
    compared: Compared[P], least: float | Floats, different: Set[frozenset[str]]
) -> tuple[DuplicateProposal, ...]:
    """Return the pairs that may be one, the likeliest first, each pair once.

    Parameters
    ----------
    compared
        The pairs.
    least
        Least probability of all, or of each, shape (pairs,).
    different
        Pairs of ids that were judged different, which are left out.
    """
    comparisons, pairs, evidence, scores = compared
    found = []
    for row in np.flatnonzero(scores >= least).tolist():
        preferred, duplicate = (pairs.table.ids[end] for end in sorted(pairs.ends(row), key=pairs.table.preference))
        if frozenset((preferred, duplicate)) in different:
            continue
        reasons = tuple(
            MatchReason(name=one.name, value=value, weight=one.weight * value, detail=one.detail(pairs, row))
            for one in comparisons
            if (value := float(evidence[one.name][row]))
        )
        distance_m = round(float(pairs.distance_m[row]), 1) if pairs.near[row] else None
        found.append(DuplicateProposal(preferred, duplicate, round(float(scores[row]), 4), distance_m, reasons))
    return tuple(sorted(found, key=lambda proposal: (-proposal.score, proposal.preferred, proposal.duplicate)))


def ones(pairs: Pairs[Any]) -> Floats:
    """Return the evidence of the prior, which every pair has."""
    return np.ones(len(pairs))


#: Says what was compared of one of some pairs.
Detail: TypeAlias = Callable[[Pairs[Any], int], Message]


def fixed(name: str) -> Detail:
    """Return a detail that says the same of every pair."""
    return lambda pairs, row: Message(f"duplicates.{name}")


def of_rows(name: str, value: Callable[[Any, int], object]) -> Detail:
    """Return a detail that has a value of each of the two rows of the table."""

    def detail(pairs: Pairs[Any], row: int) -> Message:
        one, other = (str(value(pairs.table, end)) for end in pairs.ends(row))
        return Message(f"duplicates.{name}", {"one": one, "other": other})

    return detail


def of_records(name: str, value: Callable[[Any], object]) -> Detail:
    """Return a detail that has a value of each of the two records."""
    return of_rows(name, lambda table, row: value(table.record(row)))


def in_common(
    name: str, gap: str, tokens: Callable[[Any], TokenSets[Any]], text: Callable[[Any], str] = "{}…".format
) -> Detail:
    """Return a detail that has the tokens in common, such as stems, as the texts of its gap."""

    def detail(pairs: Pairs[Any], row: int) -> Message:
        common = tokens(pairs.table).common(*pairs.ends(row))
        return Message(f"duplicates.{name}", {gap: tuple(sorted(map(text, common)))})

    return detail


def same_dataset(pairs: Pairs[Any], row: int) -> Message:
    """Name the data set of two records of one."""
    return Message("duplicates.dataset", {"dataset": pairs.table.record(int(pairs.left[row])).dataset})


def distance(pairs: Pairs[Any], row: int) -> Message:
    """Say how far from each other two near places are, and how unsure both are together."""
    radius_m = float(np.hypot(*pairs.table.uncertainty_m[[*pairs.ends(row)]]))
    return Message("duplicates.distance", {"distance_km": float(pairs.distance_m[row]) / 1000, "km": radius_m / 1000})


def named_bits(mask: int, names: Iterable[str]) -> str:
    """Return the names of the bits of a mask, as one text."""
    return "+".join(name for bit, name in enumerate(names) if mask >> bit & 1) or "unknown"
