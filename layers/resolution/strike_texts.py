"""What is reported of each strike, as columns: words, places, buildings and numbers of descriptions and headlines.

A description is a private claim (`layers.model.records.DESCRIPTION`). Sentences are stored and not only their stems:
a reviewer who compares two reports reads them, and stems of one release could not be compared with those of the next.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from geo.lonlat import Floats, Ints
from layers.model.records import DESCRIPTION, Records, Strike
from layers.text.report_terms import BUILDINGS, buildings, counts, place_keys, places_named, word_stems

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_Member = TypeVar("_Member", str, tuple[str, int])
#: A text that more strikes than this have word for word is a form, and says nothing of an event.
_MAX_REPEATED = 20
#: Least number of strikes that rarity is computed with, lest few strikes make all words common.
MIN_STRIKES = 1_000


def descriptions(records: Records) -> Mapping[str, Sequence[str]]:
    """Return what reports say of each strike that is described, by its id, in the order of the claims."""
    found: dict[str, list[str]] = defaultdict(list)
    for claim in records.claims.values():
        if claim.field == DESCRIPTION and claim.record in records.strikes:
            found[claim.record].append(claim.value)
    return found


@dataclass(frozen=True, eq=False)
class StrikeTexts:
    """Columns of n strikes.

    Attributes
    ----------
    words
        Sparse matrix, shape (n, stems): the rarity of each word of the texts, rows of length 1, so that the product of
        two rows is the cosine of the texts. Rarity is the logarithm of how many texts there are for one with the word.
    places
        Sparse matrix, shape (n, places): 1 where the texts name a place; the strike's own place where they name none.
    buildings
        Masks by `report_terms.BUILDINGS`, shape (n,).
    building_rarity
        The rarity of each of the buildings, from 0 where all strikes name it to 1 where one does.
    numbers
        Sparse matrix, shape (n, numbers): 1 where the texts count something with that number, such as 5 killed.
    counted
        What each column of ``numbers`` is.
    """

    words: csr_array
    places: csr_array
    buildings: Ints
    building_rarity: Floats
    numbers: csr_array
    counted: Sequence[tuple[str, int]]

    @classmethod
    def of(cls, strikes: Sequence[Strike], texts: Sequence[Sequence[str]]) -> StrikeTexts:
        """Read the columns off strikes and what is reported of each; buildings also off titles and targets."""
        repeated = Counter(text for row in texts for text in set(row))
        said = [tuple(text for text in row if repeated[text] <= _MAX_REPEATED) for row in texts]
        known = frozenset(key for strike in strikes for key in place_keys(strike.place))
        counted: dict[tuple[str, int], int] = {}
        numbers = [_numbers(strike, row) for strike, row in zip(strikes, said, strict=True)]
        masks = np.array(
            [buildings((strike.title, *strike.targets, *row)) for strike, row in zip(strikes, said, strict=True)],
            np.int64,
        )
        return cls(
            _lengths_one(_matrix([word_stems(row) for row in said])),
            _matrix([_places(strike, row, known) for strike, row in zip(strikes, said, strict=True)]),
            masks,
            _building_rarity(masks),
            _matrix(numbers, counted),
            list(counted),
        )

    def likeness(self, left: int, right: int) -> float:
        """Return the cosine of the texts of two rows."""
        one, other = _row(self.words, left), _row(self.words, right)
        return sum(value * other.get(column, 0.0) for column, value in one.items())

    def shared_numbers(self, left: int, right: int) -> tuple[tuple[str, int], ...]:
        """Return what the texts of two rows count alike, in order."""
        columns = _row(self.numbers, left).keys() & _row(self.numbers, right).keys()
        return tuple(sorted(self.counted[column] for column in columns))


def _row(matrix: csr_array, row: int) -> dict[int, float]:
    """Return the values of a row by column; for a single row it is far quicker than to slice the matrix."""
    part = slice(int(matrix.indptr[row]), int(matrix.indptr[row + 1]))
    return dict(zip(matrix.indices[part].tolist(), matrix.data[part].tolist(), strict=True))


def _places(strike: Strike, texts: Iterable[str], known: frozenset[str]) -> frozenset[str]:
    named = frozenset(key for text in texts for key in places_named(text, known))
    if named or strike.basis not in ("site", "settlement"):
        return named
    return place_keys(strike.place)


def _numbers(strike: Strike, texts: Iterable[str]) -> frozenset[tuple[str, int]]:
    """Return what the texts count, and the killed and injured of the record, from two up: a one says little."""
    stated = (
        *(("killed", number) for number in (strike.killed_min, strike.killed_max)),
        *(("wounded", number) for number in (strike.injured_min, strike.injured_max)),
    )
    said = {number for text in texts for number in counts(text)}
    return frozenset(said | {(noun, number) for noun, number in stated if number is not None and number > 1})


def _matrix(rows: Sequence[frozenset[_Member]], index: dict[_Member, int] | None = None) -> csr_array:
    """Return a matrix with a column for each member of any row, 1 where a row has it; ``index`` takes the columns."""
    from scipy.sparse import csr_array

    index = {} if index is None else index
    indices = [index.setdefault(member, len(index)) for row in rows for member in sorted(row, key=repr)]
    start = np.concatenate(([0], np.cumsum([len(row) for row in rows], dtype=np.int64)))
    return csr_array((np.ones(len(indices)), np.array(indices, np.int64), start), shape=(len(rows), max(len(index), 1)))


def _building_rarity(masks: Ints) -> Floats:
    seen = np.array([np.count_nonzero(masks >> bit & 1) for bit in range(len(BUILDINGS))])
    strikes = max(len(masks), MIN_STRIKES)
    return np.asarray(np.log(strikes / np.maximum(seen, 1)) / np.log(strikes))


def _lengths_one(counted: csr_array) -> csr_array:
    """Weigh each column by the logarithm of its rarity, and give each row the length 1; an empty row stays so."""
    from scipy.sparse import csr_array, diags_array

    seen = np.bincount(counted.indices, minlength=counted.shape[1])
    rarity = np.log1p(max(counted.shape[0], 1) / np.maximum(seen, 1))
    weighted = csr_array(counted @ diags_array(rarity))
    lengths = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
    return csr_array(diags_array(1 / np.where(lengths > 0, lengths, 1.0)) @ weighted)
