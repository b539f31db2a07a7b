"""What countries and entities were to what strikes hit: owners, by which share, hosts, or another tie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Literal, NamedTuple, get_args

import numpy as np

from geo.columnar.binary_array import find_sorted
from geo.columnar.dictionary_array import Codes, DictionaryArray
from geo.columnar.integers import distinct
from geo.lonlat import Bools, Floats, Ints
from layers.attribution.attribute import NEGLIGIBLE
from layers.attribution.readings import Reading
from layers.collections.collection import Collection
from layers.collections.column_values import TextValues
from layers.model.types import RelationKind
from layers.ownership.chains import holdings_of
from layers.ownership.owners import OwnersByDate

Collections = Mapping[str, Collection]
#: What a country or an entity is to a strike; ``related`` is any tie but that of an owner or the host.
TieKind = Literal["owner", "related", "host", RelationKind]
TIE_KINDS: tuple[TieKind, ...] = get_args(TieKind)
Certainty = Literal["sure", "possible"]
CERTAINTIES: tuple[Certainty, ...] = get_args(Certainty)


@dataclass(frozen=True, slots=True)
class StrikeConditions:
    """What a selection of strikes asks for beyond the columns of the strikes.

    Parameters
    ----------
    text
        Words that a title, a place, a region, an attacker or a damage has, in any spelling and case, or for a kind of
        site that was hit.
    country, entity
        Whose sites were hit: a country (ISO 3166-1 alpha-2), and a company, person or state by its id.
    relation, reading
        What they were to it, and what country means; the reading is for owners alone.
    min_share
        The least percent that they owned of one of the sites.
    commodity
        What one of the sites makes, moves or stores.
    assets
        Sites that the selection names: all of them were hit, surely or not.
    certainty
        The strikes alone that surely satisfy all, or that may and may not.
    """

    text: str | None = None
    country: str | None = None
    entity: str | None = None
    relation: TieKind = "owner"
    reading: Reading = "registration"
    min_share: float = 0.0
    commodity: str | None = None
    assets: tuple[str, ...] = ()
    certainty: Certainty | None = None

    @property
    def key(self) -> bytes:
        """Bytes that are equal where conditions are."""
        return repr(self).encode()


class Truth(NamedTuple):
    """The strikes that may satisfy a condition, and those of them that surely do: shape (strikes,) each."""

    may: Bools
    sure: Bools

    @property
    def nbytes(self) -> int:
        """Bytes of both."""
        return self.may.nbytes + self.sure.nbytes

    def both(self, other: Truth) -> Truth:
        """Return what satisfies this condition and another."""
        return Truth(self.may & other.may, self.sure & other.sure)


#: Shares are rounded to four decimals of a percent.
ROUNDING = 1e-4


class Tied(NamedTuple):
    """Pairs of a strike and one of its sites that someone had a tie to: k rows.

    Parameters
    ----------
    strike
        Row of the strike, shape (k,).
    low, high
        Bounds of the share in percent, shape (k,); 100 where the tie has no share.
    confirmed, possible
        Whether the site was surely hit, or is one of several of which one was; neither is a guess. Shape (k,).
    """

    strike: Ints
    low: Floats
    high: Floats
    confirmed: Bools
    possible: Bools


def tie_of_country(collections: Collections, conditions: StrikeConditions, country: str) -> Truth:
    """Return the strikes on what a country was tied to as the conditions say."""
    strikes, relation = collections["strikes"], conditions.relation
    if relation != "owner":
        ties = collections["attributions"]
        return _flagged(strikes, ties, _of_relation(ties, relation) & _equals(ties, "country", country))
    hits = collections["hits"]
    rows = _owned_by(hits, conditions, country)
    if conditions.reading == "control" or conditions.min_share <= 0:
        return _flagged(strikes, hits, rows)
    return with_share(collections, _tied(collections, np.flatnonzero(rows)), conditions.min_share)


class StrikeValues(NamedTuple):
    """Pairs of a strike and a value that it has, each once: k pairs, by value and row.

    Parameters
    ----------
    words
        The values; ``None`` is no value.
    strike, code
        Row of the strike, and index of the value, shape (k,).
    """

    words: Sequence[str | None]
    strike: Codes
    code: Codes

    @classmethod
    def of_pairs(cls, words: Sequence[str | None], strike: Ints, code: Ints | Codes) -> StrikeValues:
        """Take pairs in any order, each any number of times."""
        size = int(strike.max(initial=0)) + 1
        codes, strikes = np.divmod(distinct(code.astype(np.int64) * size + strike), size)
        return cls(words, strikes.astype(np.int32), codes.astype(np.int32))

    @property
    def nbytes(self) -> int:
        """Bytes of rows and indexes."""
        return self.strike.nbytes + self.code.nbytes


def ties_of_all(collections: Collections, conditions: StrikeConditions) -> StrikeValues:
    """Return the countries that had a tie to what each strike hit, as the conditions say; cached with the strikes.

    The country in the conditions is not read, nor anything that does not concern a tie.
    """
    strikes, relation = collections["strikes"], conditions.relation
    owned = relation == "owner"
    least = conditions.min_share if owned and conditions.reading != "control" else 0.0
    rows_of = collections["hits" if owned else "attributions"]

    def find() -> StrikeValues:
        rows = _equals(rows_of, "reading", conditions.reading) if owned else _of_relation(rows_of, relation)
        countries = rows_of.values("country").words
        rows = rows & (countries.codes >= 0)
        if least > 0:
            rows = rows & (rows_of.values("share_max").data >= _least(least))
        return StrikeValues.of_pairs(list(countries.words), strike_rows(strikes, rows_of)[rows], countries.codes[rows])

    key = ("countries", rows_of, relation, conditions.reading if owned else None, least)
    values: StrikeValues = strikes.all_rows_cache.get_or_compute(key, find)
    return values


def _least(percent: float) -> float:
    return max(percent - ROUNDING, NEGLIGIBLE)


def _flagged(strikes: Collection, rows_of: Collection, rows: Bools) -> Truth:
    """Return the strikes of rows, and of those that say that it is sure."""
    at, sure = strike_rows(strikes, rows_of), rows_of.values("sure").data
    chosen = np.flatnonzero(rows)
    return Truth(marked(len(strikes), at[chosen]), marked(len(strikes), at[chosen[sure[chosen]]]))


def _tied(collections: Collections, rows: Ints) -> Tied:
    """Return what rows of hits say of a strike and a site."""
    hits, strikes = collections["hits"], collections["strikes"]
    at = strike_rows(strikes, hits)[rows]
    low, high = (np.nan_to_num(hits.values(name).data[rows], nan=100.0) for name in ("share_min", "share_max"))
    return Tied(at, low, high, hits.values("site_sure").data[rows], hits.values("alternative").data[rows])


def with_share(collections: Collections, tied: Tied, least: float) -> Truth:
    """Return the strikes on a site of which someone held at least so many percent.

    It is sure of a site that was surely hit, and of several of which one was hit if it is so of each of them.
    """
    bounds, least = share_bounds(collections, tied), _least(least)
    return Truth(bounds.may >= least, bounds.sure >= least)


class ShareBounds(NamedTuple):
    """The largest percent that someone may, and surely did, hold of a site that a strike hit: shape (strikes,) each.

    Below 0 of strikes on nothing that they held.
    """

    may: Floats
    sure: Floats


def share_bounds(collections: Collections, tied: Tied) -> ShareBounds:
    """Return the bounds of what someone held of one of the sites of each strike, see `with_share`."""
    strikes = collections["strikes"]
    may, sure, of_each = (np.full(len(strikes), -1.0) for _ in range(3))
    np.maximum.at(may, tied.strike, tied.high)
    np.maximum.at(sure, tied.strike[tied.confirmed], tied.low[tied.confirmed])
    sites = strikes.values("assets").lists.lengths
    # Of n sites that may have been hit, all are held to the n-th largest share.
    strike, low = tied.strike[tied.possible], tied.low[tied.possible]
    order = np.lexsort((-low, strike))
    strike, low = strike[order], low[order]
    place = np.arange(len(strike)) - np.searchsorted(strike, strike) + 1
    last = (place == sites[strike]) & (sites[strike] > 1)
    of_each[strike[last]] = low[last]
    return ShareBounds(may, np.where(_equals(strikes, "rests_on", "alternatives"), of_each, sure))


class Tie(NamedTuple):
    """A strike that someone had a tie to: its row, whether that is sure, and the bounds of the share."""

    strike: int
    sure: bool
    share_may: float
    share_sure: float


def country_ties(collections: Collections, conditions: StrikeConditions) -> Mapping[str, Sequence[Tie]]:
    """Return the strikes on what each country was tied to as the conditions say, whatever the least share."""
    pairs = ties_of_all(collections, conditions)
    countries = [pairs.words[code] for code in distinct(pairs.code).tolist()]
    listed: dict[str, Sequence[Tie]] = {}
    for one in (country for country in countries if country is not None):
        tied = None
        if conditions.relation == "owner":
            tied = _tied(collections, np.flatnonzero(_owned_by(collections["hits"], conditions, one)))
        listed[one] = _listed(collections, tie_of_country(collections, conditions, one), tied)
    return listed


def _owned_by(hits: Collection, conditions: StrikeConditions, country: str) -> Bools:
    return _equals(hits, "reading", conditions.reading) & _equals(hits, "country", country)


def _listed(collections: Collections, truth: Truth, tied: Tied | None = None) -> Sequence[Tie]:
    bounds = None if tied is None else share_bounds(collections, tied)
    return [
        Tie(
            row,
            bool(truth.sure[row]),
            *((100.0, 100.0) if bounds is None else (float(bounds.may[row]), float(bounds.sure[row]))),
        )
        for row in np.flatnonzero(truth.may).tolist()
    ]


def entity_ties(
    collections: Collections, registers: OwnersByDate, conditions: StrikeConditions, entity: str
) -> Sequence[Tie]:
    """Return the strikes on what an entity was tied to as the conditions say, whatever the least share."""
    if conditions.relation == "owner" and conditions.reading != "control":
        tied = _held_pairs(collections, registers, entity)
        return _listed(collections, with_share(collections, tied, 0.0), tied)
    return _listed(collections, tie_of_entity(collections, registers, conditions, entity))


def tie_of_entity(
    collections: Collections, registers: OwnersByDate, conditions: StrikeConditions, entity: str
) -> Truth:
    """Return the strikes on what an entity was tied to as the conditions say; as owner, through others too."""
    strikes = collections["strikes"]
    if conditions.relation == "host":
        nothing = np.zeros(len(strikes), dtype=bool)
        return Truth(nothing, nothing)
    if conditions.relation != "owner":
        ties = collections["attributions"]
        return _flagged(strikes, ties, _of_relation(ties, conditions.relation) & _equals(ties, "entity", entity))
    if conditions.reading == "control":
        hits = collections["hits"]
        controlled = _equals(hits, "reading", "control") & listing(hits, "owners", entity)
        return _flagged(strikes, hits, controlled)
    tied = _held_pairs(collections, registers, entity)
    return with_share(collections, tied, conditions.min_share)


def _held_pairs(collections: Collections, registers: OwnersByDate, entity: str) -> Tied:
    """Return the sites that an entity held a part of, through whatever others, on the days on which they were hit."""
    strikes, hits = collections["strikes"], collections["hits"]
    every = np.flatnonzero(_equals(hits, "reading", "registration"))
    at, sites = strike_rows(strikes, hits)[every], hits.values("asset").words
    # A pair has a row a country: one of them is enough.
    _, unique = np.unique(np.stack([at, sites.codes[every].astype(np.int64)]), axis=1, return_index=True)
    rows = every[unique]
    below = registers.ever_below(entity)
    is_below = np.append(np.fromiter((word in below for word in sites.words), bool, len(sites.words)), False)
    rows = rows[is_below[sites.codes[rows]]]
    pairs = _tied(collections, rows)
    low, high = np.zeros(len(rows)), np.zeros(len(rows))
    first, last = strikes.values("day_first"), strikes.values("day_last")
    spans = [(first.value(row), last.value(row)) for row in pairs.strike.tolist()]
    on = [(_day(begin), _day(end)) for begin, end in spans]
    for (begin, end), group in groupby(sorted(range(len(rows)), key=lambda i: str(on[i])), key=on.__getitem__):
        held = {row.id: row.effective for row in holdings_of(registers.on(begin, end).ownership, entity)}
        for i in group:
            if share := held.get(sites.words[sites.codes[rows[i]]]):
                low[i], high[i] = share.low, share.high
    return pairs._replace(low=low, high=high)


def _day(day: np.datetime64 | None) -> date | None:
    return None if day is None else day.astype(object)


def _of_relation(ties: Collection, relation: TieKind) -> Bools:
    if relation != "related":
        return _equals(ties, "relation", relation)
    return ~(_equals(ties, "relation", "owner") | _equals(ties, "relation", "host"))


def listing(collection: Collection, name: str, text: str) -> Bools:
    """Mark the rows of which a column of lists has a text."""
    lists = collection.values(name).lists
    named = np.fromiter((word == text for word in lists.words), bool, len(lists.words))
    return marked(len(collection), lists.rows[np.append(named, False)[lists.codes]])


def _equals(collection: Collection, name: str, text: str) -> Bools:
    """Mark the rows that have a text."""
    values: TextValues = collection.values(name).words
    code = find_sorted(values.words, text)
    return np.zeros(len(collection), dtype=bool) if code is None else values.codes == code


def marked(count: int, rows: Ints) -> Bools:
    """Mark some rows of so many, shape (count,)."""
    marks = np.zeros(count, dtype=bool)
    marks[rows] = True
    return marks


def strike_rows(strikes: Collection, rows_of: Collection) -> Ints:
    """Return the row of the strike that each row of another collection is of, shape (n,); cached with the strikes.

    -1 where it is of no strike.
    """
    key = ("strike rows", rows_of)
    rows: Ints = strikes.all_rows_cache.get_or_compute(key, lambda: _rows_by_id(strikes, rows_of))
    return rows


def _rows_by_id(strikes: Collection, rows_of: Collection) -> Ints:
    column = rows_of.features.columns["strike"]
    rows = rows_of_ids(strikes.ids, column.dictionary)
    return rows[column.codes] if len(rows) else np.empty(0, np.int64)


def rows_of_ids(ids: DictionaryArray, wanted: Sequence[str]) -> Ints:
    """Return the row of each id that is wanted, shape (len(wanted),); -1 where no row has it."""
    row = np.empty(len(ids), np.int64)
    row[ids.codes] = np.arange(len(ids))
    if wanted == ids.dictionary:  # quicker than to look up each of them
        return row
    at = {key: int(row[code]) for code, key in enumerate(ids.dictionary)} if len(ids) else {}
    return np.fromiter((at.get(key, -1) for key in wanted), np.int64, len(wanted))
