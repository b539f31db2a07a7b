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
from functools import cached_property
from itertools import chain, pairwise

import numpy as np

from geo.lonlat import Bools, Floats, Ints
from layers.model import edtf
from layers.model.records import DESCRIPTION, Records, Strike
from layers.resolution.linkage import Columns, Pairs, TokenSets, codes, rarity
from layers.resolution.strike_targets import TargetNames
from layers.text.report_terms import BUILDINGS, buildings, counts, place_keys, places_named, word_stems
from layers.text.strike_terms import kind_families, side, stems

#: Days by which two records of one event may differ: a report comes later, a night has two dates.
SLACK_DAYS = 2
#: Widest radius that is searched, in metres.
MAX_RADIUS_M = 250_000.0
#: A stem that more strikes of a slab than this share is no block by itself.
MAX_BLOCK = 40
#: About the number of strikes that begin in one slab, and its width in days.
SLAB, SLAB_DAYS = 500, 30
#: Days in place of an open start and end.
OPEN_START, OPEN_END = -10_000_000, 10_000_000
#: Least uncertainty of a place, in metres: sites are wide, and sources round coordinates.
MIN_UNCERTAINTY_M = 1_500.0
#: A source that more strikes than this cite is a data set or a page of the day, and no report.
_MAX_CITED = 3
#: A text that more strikes than this have word for word is a form, and says nothing of an event.
_MAX_REPEATED = 20
_CHECKED = ("read", "excerpt", "unverified")


def descriptions(records: Records) -> Mapping[str, Sequence[str]]:
    """Return what reports say of each strike that is described, by its id, in the order of the claims."""
    found: dict[str, list[str]] = defaultdict(list)
    for claim in records.claims.values():
        if claim.field == DESCRIPTION and claim.record in records.strikes:
            found[claim.record].append(claim.value)
    return found


@dataclass(frozen=True, eq=False)
class DuplicateColumns(Columns):
    """Columns of n strikes, sorted by id.

    Attributes
    ----------
    stated_m
        Metres of uncertainty as stated, NaN where there is no place, shape (n,).
    first, last
        Ordinals of the first and last day that each may have been on, shape (n,).
    region, place
        Codes of the names of regions and places in one spelling, -1 for none, shape (n,).
    side, families, buildings
        The attacker and the kinds of site, see ``text.strike_terms``, and the buildings that are named, as a mask by
        `report_terms.BUILDINGS`; 0 for none, shape (n,).
    words, names
        The stems of the words of each, and of those that are none of its place. The words are those of title, targets
        and place, of descriptions, and of the titles of the reports that no other strike cites: readers compose a title
        of their own, and leave the headline to the source.
    texts
        The rarity of each word of what is reported, rows of length 1, so that what two rows share is the cosine of the
        texts. Rarity is the logarithm of how many texts there are for one with the word.
    places
        The places that the texts name; the strike's own place where they name none.
    numbers
        What the texts count with which number, such as 5 killed.
    reports
        Addresses (else ids) of the sources that are reports.
    """

    stated_m: Floats
    first: Ints
    last: Ints
    region: Ints
    place: Ints
    side: Ints
    families: Ints
    buildings: Ints
    words: TokenSets[str]
    names: TokenSets[str]
    texts: TokenSets[str]
    places: TokenSets[str]
    numbers: TokenSets[tuple[str, int]]
    reports: TokenSets[str]

    @classmethod
    def of(cls, records: Records) -> DuplicateColumns:
        """Read the columns of all strikes off a set of records."""
        rows = sorted(records.strikes.values(), key=lambda strike: strike.id)
        first, last = _days(rows)
        stated_m = [np.nan if strike.geometry is None else strike.uncertainty_m or 0.0 for strike in rows]
        addresses = [[_address(records, source) for source in strike.sources] for strike in rows]
        cited = Counter(address for row in addresses for address in row)
        described = descriptions(records)
        texts = [dict.fromkeys((*described.get(s.id, ()), *_headlines(records, s, cited))) for s in rows]
        of_place = [frozenset(stems((strike.place, strike.region))) for strike in rows]
        words = [
            (*stems((strike.title, *strike.targets, *of_strike)), *sorted(place))
            for strike, place, of_strike in zip(rows, of_place, texts, strict=True)
        ]
        names = [[stem for stem in row if stem not in place] for row, place in zip(words, of_place, strict=True)]
        word_sets = TokenSets.of(words)
        repeated = Counter(chain.from_iterable(texts))
        reports = [[text for text in of_strike if repeated[text] <= _MAX_REPEATED] for of_strike in texts]
        reported = [*zip(rows, reports, strict=True)]
        known = frozenset(key for strike in rows for key in place_keys(strike.place))
        return cls(
            ids=[strike.id for strike in rows],
            records=records.strikes,
            dataset=codes([strike.dataset for strike in rows]),
            country=codes([strike.host_country for strike in rows]),
            geometry=np.array([strike.geometry for strike in rows], object),
            uncertainty_m=np.maximum(stated_m, MIN_UNCERTAINTY_M),
            stated_m=np.array(stated_m, np.float64),
            first=first,
            last=last,
            region=codes([_one_spelling(strike.region) for strike in rows]),
            place=codes([_one_spelling(strike.place) for strike in rows]),
            side=np.array([side(strike.attacker) for strike in rows], np.int64),
            families=np.array([kind_families(s.target_kinds, (s.title, *s.targets)) for s in rows], np.int64),
            buildings=np.array([buildings((s.title, *s.targets, *of_strike)) for s, of_strike in reported], np.int64),
            words=word_sets,
            names=TokenSets.of(names, word_sets.tokens),
            texts=_lengths_one(TokenSets.of(sorted(word_stems(of_strike)) for of_strike in reports)),
            places=TokenSets.of(sorted(_places(strike, of_strike, known)) for strike, of_strike in reported),
            numbers=TokenSets.of(sorted(_numbers(strike, of_strike)) for strike, of_strike in reported),
            reports=TokenSets.of([address for address in row if cited[address] <= _MAX_CITED] for row in addresses),
        )

    @cached_property
    def rarity(self) -> Floats:
        """The rarity of each of the ``words``, from 0 where all strikes have it to 1 where one does."""
        return rarity(self.words.seen, len(self))

    @cached_property
    def building_rarity(self) -> Floats:
        """The rarity of each of the ``BUILDINGS``."""
        seen = [np.count_nonzero(self.buildings >> bit & 1) for bit in range(len(BUILDINGS))]
        return rarity(np.array(seen), len(self))

    @cached_property
    def targets(self) -> Sequence[TargetNames]:
        """The targets that are names."""
        return [TargetNames.of(self.records[key]) for key in self.ids]

    @property
    def brief(self) -> Bools:
        """Which strikes are dated to a night, one day or two adjoining ones, shape (n,)."""
        return self.last - self.first <= 1

    def preference(self, row: int) -> tuple[object, ...]:
        """Prefer strikes that are better checked, surer of their place, and of more sources."""
        strike = self.record(row)
        unsure = np.inf if strike.uncertainty_m is None else strike.uncertainty_m
        return _CHECKED.index(strike.checked), unsure, -len(strike.sources), strike.id


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
    counted = {number for text in texts for number in counts(text)}
    return frozenset(counted | {(noun, number) for noun, number in stated if number is not None and number > 1})


def _lengths_one(sets: TokenSets[str]) -> TokenSets[str]:
    """Weigh each token by the logarithm of its rarity, and give each row the length 1; an empty row stays so."""
    from scipy.sparse import csr_array, diags_array

    rarity = np.log1p(max(sets.matrix.shape[0], 1) / np.maximum(sets.seen, 1))
    weighted = csr_array(sets.matrix @ diags_array(rarity))
    lengths = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
    return TokenSets(csr_array(diags_array(1 / np.where(lengths > 0, lengths, 1.0)) @ weighted), sets.tokens)


def _days(rows: Sequence[Strike]) -> tuple[Ints, Ints]:
    """Return the first and last day of each; an uncertain day counts as stated, as two reports may differ anyway."""
    days = [edtf.parse(strike.when.rstrip("~?%") if _is_day(strike.when) else strike.when) for strike in rows]
    first = [day.earliest.toordinal() if day.earliest else OPEN_START for day in days]
    last = [day.latest.toordinal() if day.latest else OPEN_END for day in days]
    return np.array(first, np.int64), np.array(last, np.int64)


def _is_day(text: str) -> bool:
    return "/" not in text and edtf.parse(text).precision == "day"


def _one_spelling(place: str | None) -> str | None:
    """Return the name of a place or region in one spelling: ``Luhans'k`` and ``Luhansk oblast`` are one."""
    return " ".join(sorted(place_keys(place or ""))) or None


def _headlines(records: Records, strike: Strike, cited: Mapping[str, int]) -> Iterator[str]:
    """Yield the titles of the reports that no other strike cites: a report on two sites does not make them one."""
    alone = (source for source in strike.sources if cited[_address(records, source)] == 1)
    titles = (records.sources[source].title for source in alone if source in records.sources)
    yield from filter(None, titles)


def _address(records: Records, source: str) -> str:
    record = records.sources.get(source)
    return record.url if record and record.url else source


class StrikePairs(Pairs[DuplicateColumns]):
    """Pairs of strikes that may be one event."""

    @cached_property
    def gap(self) -> Ints:
        """Days from the last day of the earlier to the first of the later, 0 or less where they overlap."""
        return np.asarray(np.maximum(*self.of(self.table.first)) - np.minimum(*self.of(self.table.last)))

    @cached_property
    def stated_m(self) -> Floats:
        """The larger of the two stated uncertainties, NaN where one has no place."""
        return np.asarray(np.maximum(*self.of(self.table.stated_m)))

    @cached_property
    def shared_names(self) -> Floats:
        """The sum of the rarities of shared words that are none of the places."""
        return self.shared(self.table.names, self.table.rarity)

    @cached_property
    def cosine(self) -> Floats:
        """The cosine of the texts."""
        return self.shared(self.table.texts)

    @cached_property
    def same_family(self) -> Bools:
        """Whether a family of site is named of both."""
        return (self.table.families[self.left] & self.table.families[self.right]) > 0

    @cached_property
    def other_family(self) -> Bools:
        """Whether families of site are named of both, and none is common."""
        return self.both(self.table.families > 0) & ~self.same_family

    @cached_property
    def targets(self) -> Floats:
        """How surely targets as printed are the same, and others, shape (pairs, 2); see ``TargetNames.compared``."""
        names = self.table.targets
        ends = zip(self.left.tolist(), self.right.tolist(), strict=True)
        return np.array([names[one].compared(names[other]) for one, other in ends], np.float64).reshape(-1, 2)


def candidates(table: DuplicateColumns) -> StrikePairs:
    """Find the pairs that may be one event by time, and by place, text or, without a place, region."""
    nothing = np.empty(0, np.int64)
    return StrikePairs.union(table, [(nothing, nothing), *(_of_slab(table, *days) for days in _slabs(table.first))])


def _slabs(first: Ints) -> Iterator[tuple[int, int]]:
    """Yield slabs as the day from which and the day before which their strikes begin; about a month at most."""
    days, counts = np.unique(first, return_counts=True)
    edges: list[int] = []
    within = 0
    for day, count in zip(days.tolist(), counts.tolist(), strict=True):
        if not edges or within + count > SLAB or day - edges[-1] >= SLAB_DAYS:
            edges.append(day)
            within = 0
        within += count
    yield from pairwise((*edges, *(days[-1:] + 1).tolist()))


def _of_slab(table: DuplicateColumns, start: int, stop: int) -> tuple[Ints, Ints, Floats]:
    """Find the pairs of which the later strike begins in a slab of days."""
    rows = np.flatnonzero((table.first < stop) & (table.last + SLACK_DAYS >= start))
    parts = (
        table.near_pairs(rows[table.placed[rows]], MAX_RADIUS_M),
        table.words.block(MAX_BLOCK, rows),
        _same_region(table, rows),
    )
    pairs = StrikePairs.union(table, parts)
    begin = np.maximum(*pairs.of(table.first))
    pairs = pairs.only((begin >= start) & (begin < stop) & (begin - np.minimum(*pairs.of(table.last)) <= SLACK_DAYS))
    return pairs.left, pairs.right, pairs.distance_m


def _same_region(table: DuplicateColumns, rows: Ints) -> tuple[Ints, Ints]:
    """Find the pairs of a strike without a place and another of the same region and country."""
    rows = rows[(table.region[rows] >= 0) & (table.country[rows] >= 0)]
    unplaced = rows[~table.placed[rows]]
    same = (table.region[unplaced, None] == table.region[rows]) & (table.country[unplaced, None] == table.country[rows])
    left, right = np.nonzero(same)
    return unplaced[left], rows[right]
