"""Strikes as columns, so that many pairs of them are compared at once."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from geo.lonlat import Bools, Floats, Ints, Objects
from layers.model import edtf
from layers.model.records import Records, Strike
from layers.text.strike_terms import families, side, stems

#: Days that stand for an open start and end.
OPEN_START, OPEN_END = -10_000_000, 10_000_000
#: A place is taken to be no surer than this, in metres: sites are wide, and sources round.
LEAST_UNCERTAINTY_M = 1_500.0
#: Strikes among which a word is at least thought to have been met, so that few strikes do not make every word common.
_LEAST_STRIKES = 1_000
#: A source that more strikes than this cite is no report of one of them.
_A_REPORT = 3


@dataclass(frozen=True, eq=False)
class EventTable:
    """Columns of strikes, a row each, sorted by id.

    ``first`` and ``last`` are ordinals of the days that it may have been on; ``point`` shapely points or None;
    ``uncertainty_m`` NaN where there is no place. ``country``, ``region``, ``dataset`` are codes, -1 for none;
    ``side`` and ``families`` those of ``strike_words``, 0 for none; ``reports`` the addresses of the sources that are
    reports, or their ids. ``words`` and ``places`` are matrices of strike x stem: 1 where a text has the stem, and
    where a place has it; ``stems`` are their columns, ``rarity`` (0 to 1) that of each. The texts of a strike are its
    title, targets and place, and the titles of the reports that are of it alone: readers make a title of their own, and
    leave to the source what the report is called.
    """

    strikes: Sequence[Strike]
    first: Ints
    last: Ints
    point: Objects
    uncertainty_m: Floats
    country: Ints
    region: Ints
    dataset: Ints
    side: Ints
    families: Ints
    reports: Sequence[frozenset[str]]
    words: csr_array
    places: csr_array
    stems: Sequence[str]
    rarity: Floats

    @classmethod
    def of(cls, records: Records) -> EventTable:
        """The columns of all strikes, in the order of their ids."""
        rows = sorted(records.strikes.values(), key=lambda strike: strike.id)
        index: dict[str, int] = defaultdict(lambda: len(index))
        placed = [{index[stem] for stem in stems((s.place, s.region))} for s in rows]
        cited = Counter(_address(records, source) for strike in rows for source in strike.sources)
        told = [
            {index[stem] for stem in stems((s.title, *s.targets, *_headlines(records, s, cited)))} | at
            for s, at in zip(rows, placed, strict=True)
        ]
        first, last = _days(rows)
        return cls(
            rows,
            first,
            last,
            _objects(rows),
            np.array([_uncertainty(strike) for strike in rows], np.float64),
            _codes([strike.host_country for strike in rows]),
            _codes([" ".join(sorted(set(stems((strike.region,))))) or None for strike in rows]),
            _codes([strike.dataset for strike in rows]),
            np.array([side(strike.attacker) for strike in rows], np.int64),
            np.array([families(s.target_kinds, (s.title, *s.targets)) for s in rows], np.int64),
            [frozenset(_reports(records, strike, cited)) for strike in rows],
            _matrix(told, len(index)),
            _matrix(placed, len(index)),
            list(index),
            _rarity(told, len(index)),
        )

    def __len__(self) -> int:
        return len(self.strikes)

    @property
    def placed(self) -> Bools:
        """Which strikes have a place."""
        return ~np.isnan(self.uncertainty_m)

    @property
    def brief(self) -> Bools:
        """Which strikes are sure to a night: one day, or two that follow each other."""
        return self.last - self.first <= 1


def _days(rows: Sequence[Strike]) -> tuple[Ints, Ints]:
    """First and last day of each; an uncertain day is taken as stated, as two tellings need not agree on it anyway."""
    days = [edtf.parse(strike.when.rstrip("~?%") if _is_day(strike.when) else strike.when) for strike in rows]
    first = [day.earliest.toordinal() if day.earliest else OPEN_START for day in days]
    last = [day.latest.toordinal() if day.latest else OPEN_END for day in days]
    return np.array(first, np.int64), np.array(last, np.int64)


def _is_day(text: str) -> bool:
    return "/" not in text and edtf.parse(text).precision == "day"


def _uncertainty(strike: Strike) -> float:
    return np.nan if strike.geometry is None else max(strike.uncertainty_m or 0.0, LEAST_UNCERTAINTY_M)


def _reports(records: Records, strike: Strike, cited: Mapping[str, int]) -> Iterator[str]:
    """Addresses of the sources that few strikes cite: one that many cite is a data set or a page of the day."""
    addresses = (_address(records, source) for source in strike.sources)
    yield from (address for address in addresses if cited[address] <= _A_REPORT)


def _headlines(records: Records, strike: Strike, cited: Mapping[str, int]) -> Iterator[str | None]:
    """What the reports are called that no other strike cites: one on two sites does not make them one."""
    alone = (source for source in strike.sources if cited[_address(records, source)] == 1)
    yield from (records.sources[source].title for source in alone if source in records.sources)


def _address(records: Records, source: str) -> str:
    found = records.sources.get(source)
    return found.url if found and found.url else source


def _objects(rows: Sequence[Strike]) -> Objects:
    made = np.empty(len(rows), dtype=object)
    made[:] = [strike.geometry for strike in rows]
    return made


def _codes(values: Sequence[str | None]) -> Ints:
    known = {value: code for code, value in enumerate(sorted({value for value in values if value is not None}))}
    return np.array([-1 if value is None else known[value] for value in values], np.int64)


def _matrix(found: Sequence[set[int]], columns: int) -> csr_array:
    sizes = np.fromiter((len(row) for row in found), np.int64, len(found))
    indices = np.fromiter((stem for row in found for stem in sorted(row)), np.int64, int(sizes.sum()))
    start = np.concatenate(([0], np.cumsum(sizes)))
    return csr_array((np.ones(len(indices)), indices, start), shape=(len(found), max(columns, 1)))


def _rarity(found: Sequence[set[int]], columns: int) -> Floats:
    """1 for a stem that one strike has, 0 for one that all have, by the logarithm."""
    seen = Counter(stem for row in found for stem in row)
    count = max(len(found), _LEAST_STRIKES)
    return np.array([np.log(count / max(seen[stem], 1)) / np.log(count) for stem in range(max(columns, 1))], np.float64)
