"""Strikes as columns, and the pairs of them that may be duplicates: near in time, and in space or by what they name.

Time goes first: slabs of days with about as many strikes each, so that the work grows with the strikes of a few
days and not with all of them (blocking: Christen 2012, Data Matching, chapter 4).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from geo.lonlat import Bools, Floats, Ints, Objects
from geo.spatial_join.join import pairs_within
from layers.model import edtf
from layers.model.records import Records, Strike
from layers.resolution.strike_texts import MIN_STRIKES, StrikeTexts, descriptions
from layers.text.report_terms import place_keys
from layers.text.strike_terms import kind_families, side, stems

if TYPE_CHECKING:
    from scipy.sparse import csr_array

#: Days by which two records of one event may differ: a report comes later, a night has two dates.
SLACK_DAYS = 2
#: Two places are near up to this many times the sum of their uncertainties.
REACH_FACTOR = 1.5
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
        words = [
            {index[stem] for stem in stems((s.title, *s.targets, *said))} | at
            for s, at, said in zip(rows, placed, texts, strict=True)
        ]
        first, last = _days(rows)
        return cls(
            rows,
            first,
            last,
            _objects(rows),
            np.array([_uncertainty(strike) for strike in rows], np.float64),
            _codes([strike.host_country for strike in rows]),
            _codes([_named(strike.region) for strike in rows]),
            _codes([_named(strike.place) for strike in rows]),
            _codes([strike.dataset for strike in rows]),
            np.array([side(strike.attacker) for strike in rows], np.int64),
            np.array([kind_families(s.target_kinds, (s.title, *s.targets)) for s in rows], np.int64),
            [frozenset(_reports(records, strike, cited)) for strike in rows],
            _matrix(words, len(index)),
            _matrix(placed, len(index)),
            list(index),
            _rarity(words, len(index)),
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


def _codes(values: Sequence[str | None]) -> Ints:
    known = {value: code for code, value in enumerate(sorted({value for value in values if value is not None}))}
    return np.array([-1 if value is None else known[value] for value in values], np.int64)


def _matrix(rows: Sequence[set[int]], columns: int) -> csr_array:
    from scipy.sparse import csr_array

    sizes = np.fromiter((len(row) for row in rows), np.int64, len(rows))
    indices = np.fromiter((stem for row in rows for stem in sorted(row)), np.int64, int(sizes.sum()))
    start = np.concatenate(([0], np.cumsum(sizes)))
    return csr_array((np.ones(len(indices)), indices, start), shape=(len(rows), max(columns, 1)))


def _rarity(rows: Sequence[set[int]], columns: int) -> Floats:
    """Return the rarity of each stem: 1 where one strike has it, 0 where all have it, by the logarithm."""
    seen = Counter(stem for row in rows for stem in row)
    count = max(len(rows), MIN_STRIKES)
    return np.array([np.log(count / max(seen[stem], 1)) / np.log(count) for stem in range(max(columns, 1))], np.float64)


class CandidatePairs(NamedTuple):
    """Pairs of rows, each once and sorted, shape (pairs,) each.

    Attributes
    ----------
    left, right
        Rows, ``left`` the smaller.
    distance_m
        Geodesic distance in metres; NaN where the places are not near or a strike has none.
    """

    left: Ints
    right: Ints
    distance_m: Floats


def candidates(table: DuplicateColumns) -> CandidatePairs:
    """Find the pairs that may be one event by time, and by place, text or, without a place, region."""
    if len(table) < 2:
        return CandidatePairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    parts = [_of_slab(table, start, stop) for start, stop in _slabs(table.first)]
    left, right, metres = (np.concatenate(part) for part in zip(*parts, strict=True))
    order = np.lexsort((right, left))
    return CandidatePairs(left[order], right[order], metres[order])


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
    left, right, metres = _united(*_near(table, rows), *_alike(table, rows), *_same_region(table, rows))
    first = np.maximum(table.first[left], table.first[right])
    last = np.minimum(table.last[left], table.last[right])
    selected = (first >= start) & (first < stop) & (first - last <= SLACK_DAYS)
    return left[selected], right[selected], metres[selected]


def _near(table: DuplicateColumns, rows: Ints) -> tuple[Ints, Ints, Floats]:
    """Find the pairs whose places may be one, searched from the less certain of the two within twice its own reach."""
    rows = rows[table.placed[rows]]
    uncertainty_m = table.uncertainty_m[rows]
    points = table.point[rows]
    pairs = pairs_within(points, points, np.minimum(2 * REACH_FACTOR * uncertainty_m, MAX_RADIUS_M))
    a, b = uncertainty_m[pairs.left], uncertainty_m[pairs.right]
    selected = ((a > b) | ((a == b) & (pairs.left < pairs.right))) & (pairs.distance_m <= REACH_FACTOR * (a + b))
    return rows[pairs.left[selected]], rows[pairs.right[selected]], pairs.distance_m[selected]


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


def _united(
    a: Ints, b: Ints, metres: Floats, a_alike: Ints, b_alike: Ints, a_region: Ints, b_region: Ints
) -> tuple[Ints, Ints, Floats]:
    """Return each pair once, the smaller row first, with its distance if it is near."""
    left, right = np.concatenate((a, a_alike, a_region)), np.concatenate((b, b_alike, b_region))
    distance = np.concatenate((metres, np.full(len(a_alike) + len(a_region), np.nan)))
    left, right = np.minimum(left, right), np.maximum(left, right)
    apart = left != right
    left, right, distance = left[apart], right[apart], distance[apart]
    # NaN sorts last, so that the first of equal pairs has the distance.
    order = np.lexsort((distance, right, left))
    left, right, distance = left[order], right[order], distance[order]
    new = _is_new(left, right)
    return left[new], right[new], distance[new]


def _is_new(left: Ints, right: Ints) -> npt.NDArray[np.bool_]:
    new = np.ones(len(left), bool)
    new[1:] = (np.diff(left) != 0) | (np.diff(right) != 0)
    return new
