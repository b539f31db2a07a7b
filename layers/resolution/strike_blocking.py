"""Strikes as columns, and the pairs of them that may be duplicates: near in time, and in space or by what they name.

Time goes first: slabs of days with about as many strikes each, so that the work grows with the strikes of a few
days and not with all of them (blocking: Christen 2012, Data Matching, chapter 4).

A description is a private claim (`layers.model.records.DESCRIPTION`). Sentences are stored and not only their stems:
a reviewer who compares two reports reads them, and stems of one release could not be compared with those of the next.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from geo.lonlat import Bools, Floats, Ints, Objects
from layers.model import edtf
from layers.model.records import DESCRIPTION, Records, Strike
from layers.resolution.linkage import CandidatePairs, codes, each_once, near_pairs, without_distance, word_matrix
from layers.text.report_terms import BUILDINGS, buildings, counts, place_keys, places_named, word_stems
from layers.text.strike_terms import kind_families, side, stems

if TYPE_CHECKING:
    from scipy.sparse import csr_array

#: Days by which two records of one event may differ: a report comes later, a night has two dates.
SLACK_DAYS = 2
#: Widest radius that is searched, in metres.
MAX_RADIUS_M = 250_000.0
#: A stem that more strikes of a slab than this share is no block by itself.
MAX_BLOCK = 40
#: About the number of strikes that begin in one slab, and its width in days.
SLAB, SLAB_DAYS = 500, 30
#: Days that stand for an open start and end.
OPEN_START, OPEN_END = -10_000_000, 10_000_000
#: Least uncertainty of a place, in metres: sites are wide, and sources round coordinates.
MIN_UNCERTAINTY_M = 1_500.0
#: A source that more strikes than this cite is a data set or a page of the day, and no report.
_MAX_CITED = 3
#: A text that more strikes than this have word for word is a form, and says nothing of an event.
_MAX_REPEATED = 20
#: Least number of strikes that rarity is computed with, lest few strikes make all words common.
MIN_STRIKES = 1_000

_Member = TypeVar("_Member", str, tuple[str, int])


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
            _lengths_one(_matrix([word_stems(row) for row in said], {})),
            _matrix([_places(strike, row, known) for strike, row in zip(strikes, said, strict=True)], {}),
            masks,
            rarity(np.array([np.count_nonzero(masks >> bit & 1) for bit in range(len(BUILDINGS))]), len(strikes)),
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


def _matrix(rows: Sequence[frozenset[_Member]], index: dict[_Member, int]) -> csr_array:
    """Return a matrix with a column for each member of any row, 1 where a row has it; ``index`` takes the columns."""
    coded = [[index.setdefault(member, len(index)) for member in sorted(row, key=repr)] for row in rows]
    return word_matrix(coded, len(index))


def rarity(seen: Ints, strikes: int) -> Floats:
    """Return the rarity of what some of the strikes have: 1 where one has it, 0 where all have, by the logarithm."""
    count = max(strikes, MIN_STRIKES)
    return np.asarray(np.log(count / np.maximum(seen, 1)) / np.log(count))


def _lengths_one(counted: csr_array) -> csr_array:
    """Weigh each column by the logarithm of its rarity, and give each row the length 1; an empty row stays so."""
    from scipy.sparse import csr_array, diags_array

    seen = np.bincount(counted.indices, minlength=counted.shape[1])
    rarity = np.log1p(max(counted.shape[0], 1) / np.maximum(seen, 1))
    weighted = csr_array(counted @ diags_array(rarity))
    lengths = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
    return csr_array(diags_array(1 / np.where(lengths > 0, lengths, 1.0)) @ weighted)


@dataclass(frozen=True, eq=False)
class DuplicateColumns:
    """Columns of n strikes, sorted by id.

    Attributes
    ----------
    strikes
        The records.
    first, last
        Ordinals of the first and last day that each may have been on, shape (n,).
    point
        Shapely points in lon/lat degrees (OGC:CRS84) or None, shape (n,).
    uncertainty_m
        Metres, NaN where there is no place, shape (n,).
    country, region, dataset
        Codes, -1 for none, shape (n,).
    place
        Codes of the names of places in one spelling, -1 for none, shape (n,).
    side, families
        The attacker and the kinds of site, see ``text.strike_terms``; 0 for none, shape (n,).
    reports
        Addresses (else ids) of the sources of each that are reports.
    words, places
        Sparse matrices, shape (n, stems): 1 where a text, and where the name of a place, has the stem. The texts are
        the title, targets and place, and the titles of the reports that no other strike cites: readers compose a title
        of their own, and leave the headline to the source.
    stems, rarity
        Each column's stem, and its rarity from 0 to 1.
    stated_m
        Metres of uncertainty as stated, NaN where there is no place, shape (n,).
    texts
        What is reported of each.
    """

    strikes: Sequence[Strike]
    first: Ints
    last: Ints
    point: Objects
    uncertainty_m: Floats
    country: Ints
    region: Ints
    place: Ints
    dataset: Ints
    side: Ints
    families: Ints
    reports: Sequence[frozenset[str]]
    words: csr_array
    places: csr_array
    stems: Sequence[str]
    rarity: Floats
    stated_m: Floats
    texts: StrikeTexts

    @classmethod
    def of(cls, records: Records) -> DuplicateColumns:
        """Read the columns of all strikes off a set of records."""
        rows = sorted(records.strikes.values(), key=lambda strike: strike.id)
        index: dict[str, int] = defaultdict(lambda: len(index))
        placed = [{index[stem] for stem in stems((s.place, s.region))} for s in rows]
        cited = Counter(_address(records, source) for strike in rows for source in strike.sources)
        described = descriptions(records)
        texts = [_texts(described.get(strike.id, ()), _headlines(records, strike, cited)) for strike in rows]
        said = [
            sorted({index[stem] for stem in stems((s.title, *s.targets, *of_strike))} | at)
            for s, at, of_strike in zip(rows, placed, texts, strict=True)
        ]
        words = word_matrix(said, len(index))
        first, last = _days(rows)
        return cls(
            rows,
            first,
            last,
            _objects(rows),
            np.array([_uncertainty(strike) for strike in rows], np.float64),
            codes([strike.host_country for strike in rows]),
            codes([_named(strike.region) for strike in rows]),
            codes([_named(strike.place) for strike in rows]),
            codes([strike.dataset for strike in rows]),
            np.array([side(strike.attacker) for strike in rows], np.int64),
            np.array([kind_families(s.target_kinds, (s.title, *s.targets)) for s in rows], np.int64),
            [frozenset(_reports(records, strike, cited)) for strike in rows],
            words,
            word_matrix([sorted(row) for row in placed], len(index)),
            list(index),
            rarity(np.bincount(words.indices, minlength=words.shape[1]), len(rows)),
            np.array([_stated(strike) for strike in rows], np.float64),
            StrikeTexts.of(rows, texts),
        )

    def __len__(self) -> int:
        return len(self.strikes)

    @property
    def placed(self) -> Bools:
        """Which strikes have a place, shape (n,)."""
        return ~np.isnan(self.uncertainty_m)

    @property
    def brief(self) -> Bools:
        """Which strikes are dated to a night, one day or two adjoining ones, shape (n,)."""
        return self.last - self.first <= 1


def _days(rows: Sequence[Strike]) -> tuple[Ints, Ints]:
    """Return the first and last day of each; an uncertain day counts as stated, as two reports may differ anyway."""
    days = [edtf.parse(strike.when.rstrip("~?%") if _is_day(strike.when) else strike.when) for strike in rows]
    first = [day.earliest.toordinal() if day.earliest else OPEN_START for day in days]
    last = [day.latest.toordinal() if day.latest else OPEN_END for day in days]
    return np.array(first, np.int64), np.array(last, np.int64)


def _is_day(text: str) -> bool:
    return "/" not in text and edtf.parse(text).precision == "day"


def _uncertainty(strike: Strike) -> float:
    return np.nan if strike.geometry is None else max(strike.uncertainty_m or 0.0, MIN_UNCERTAINTY_M)


def _named(place: str | None) -> str | None:
    """Return the name of a place or region in one spelling: ``Luhans'k`` and ``Luhansk oblast`` are one."""
    return " ".join(sorted(place_keys(place or ""))) or None


def _stated(strike: Strike) -> float:
    return np.nan if strike.geometry is None else strike.uncertainty_m or 0.0


def _texts(described: Sequence[str], headlines: Iterable[str | None]) -> tuple[str, ...]:
    """Return what is reported of a strike, each text once; a title that a reader composed is no report."""
    return tuple(dict.fromkeys((*described, *filter(None, headlines))))


def _reports(records: Records, strike: Strike, cited: Mapping[str, int]) -> Iterator[str]:
    """Yield the addresses of the sources that few strikes cite."""
    addresses = (_address(records, source) for source in strike.sources)
    yield from (address for address in addresses if cited[address] <= _MAX_CITED)


def _headlines(records: Records, strike: Strike, cited: Mapping[str, int]) -> Iterator[str | None]:
    """Yield the titles of the reports that no other strike cites: a report on two sites does not make them one."""
    alone = (source for source in strike.sources if cited[_address(records, source)] == 1)
    yield from (records.sources[source].title for source in alone if source in records.sources)


def _address(records: Records, source: str) -> str:
    record = records.sources.get(source)
    return record.url if record and record.url else source


def _objects(rows: Sequence[Strike]) -> Objects:
    geometry = np.empty(len(rows), dtype=object)
    geometry[:] = [strike.geometry for strike in rows]
    return geometry


def candidates(table: DuplicateColumns) -> CandidatePairs:
    """Find the pairs that may be one event by time, and by place, text or, without a place, region."""
    if len(table) < 2:
        return CandidatePairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    parts = [_of_slab(table, start, stop) for start, stop in _slabs(table.first)]
    return each_once(parts)


def _slabs(first: Ints) -> Iterator[tuple[int, int]]:
    """Yield slabs as the day from which and the day before which their strikes begin; about a month at most."""
    days, counts = np.unique(first, return_counts=True)
    edges, held = [int(days[0])], 0
    for day, count in zip(days.tolist(), counts.tolist(), strict=True):
        if day > edges[-1] and (held + count > SLAB or day - edges[-1] >= SLAB_DAYS):
            edges.append(day)
            held = 0
        held += count
    yield from pairwise((*edges, int(days[-1]) + 1))


def _of_slab(table: DuplicateColumns, start: int, stop: int) -> tuple[Ints, Ints, Floats]:
    """Find the pairs of which the later strike begins in a slab of days."""
    rows = np.flatnonzero((table.first < stop) & (table.last + SLACK_DAYS >= start))
    parts = (
        near_pairs(rows[table.placed[rows]], table.point, table.uncertainty_m, MAX_RADIUS_M),
        without_distance(*_alike(table, rows)),
        without_distance(*_same_region(table, rows)),
    )
    left, right, metres = (np.concatenate(part) for part in zip(*parts, strict=True))
    first = np.maximum(table.first[left], table.first[right])
    last = np.minimum(table.last[left], table.last[right])
    selected = (first >= start) & (first < stop) & (first - last <= SLACK_DAYS)
    return left[selected], right[selected], metres[selected]


def _alike(table: DuplicateColumns, rows: Ints) -> tuple[Ints, Ints]:
    """Find the pairs that share a stem which few strikes of these days have."""
    words = table.words[rows]
    seen = np.bincount(words.indices, minlength=words.shape[1])
    return _sharing(words[:, np.flatnonzero((seen > 1) & (seen <= MAX_BLOCK))], rows)


def _sharing(words: csr_array, rows: Ints) -> tuple[Ints, Ints]:
    from scipy.sparse import triu

    shared = triu(words @ words.T, k=1).tocoo()
    return rows[shared.row], rows[shared.col]


def _same_region(table: DuplicateColumns, rows: Ints) -> tuple[Ints, Ints]:
    """Find the pairs of a strike without a place and another of the same region and country."""
    rows = rows[(table.region[rows] >= 0) & (table.country[rows] >= 0)]
    unplaced = rows[~table.placed[rows]]
    same = (table.region[unplaced, None] == table.region[rows]) & (table.country[unplaced, None] == table.country[rows])
    left, right = np.nonzero(same)
    return unplaced[left], rows[right]
