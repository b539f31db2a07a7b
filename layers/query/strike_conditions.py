"""Conditions on strikes that other collections decide: whose sites were hit, by which share; what is sure; free text.

A selection of strikes has two truths at once: the strikes that *may* satisfy all conditions, which are selected, and
those of them that surely do. A strike is sure if it stands (it is no draft and not retracted), surely lies between the
days of the selection, and what it hit surely belonged as the conditions say, whichever of its possible sites that was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import groupby
from typing import Literal, NamedTuple, get_args

import numpy as np

from geo.lonlat import Bools, Floats, Ints
from layers.attribution.attribute import NEGLIGIBLE
from layers.attribution.readings import Reading
from layers.collections.collection import Collection
from layers.collections.column_values import TextValues
from layers.model.types import RelationKind
from layers.ownership.chains import holdings_of
from layers.ownership.owners import OwnersByDate
from layers.query.filter import Filter
from layers.query.selection import Selection, row_mask
from layers.text.place_names import fold

Collections = Mapping[str, Collection]
#: What a country or an entity is to a strike; ``related`` is any tie but that of an owner or the host.
TieKind = Literal["owner", "related", "host", RelationKind]
TIE_KINDS: tuple[TieKind, ...] = get_args(TieKind)
Certainty = Literal["sure", "possible"]
CERTAINTIES: tuple[Certainty, ...] = get_args(Certainty)

#: Columns of strikes that a text is looked for in.
TEXT_COLUMNS = ("title", "place", "region", "attacker", "damage", "id")
#: Statuses of strikes of which it is open whether they stand, or that do not.
_UNSURE = ("draft", "retracted")
#: Shares are rounded to four decimals of a percent.
_ROUNDING = 1e-4


@dataclass(frozen=True, slots=True)
class StrikeConditions:
    """What a selection of strikes asks for beyond the columns of the strikes.

    Parameters
    ----------
    text
        Words that a title, a place, a region, an attacker or a damage has, in any spelling that sounds alike.
    country, entity
        Whose sites were hit: a country (ISO 3166-1 alpha-2), and a company, person or state by its id.
    relation, reading
        What they were to it, and what country means; the reading is for owners alone.
    min_share
        The least percent that they owned of one of the sites.
    commodity
        What one of the sites makes, moves or stores.
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


@dataclass(frozen=True)
class StrikeFilter(Filter):
    """Rows of strikes that satisfy `StrikeConditions`, and that satisfy another filter.

    Parameters
    ----------
    digest
        Of the rows: two versions of the data may share the strikes and differ in whose their sites were.
    """

    digest: bytes
    rows: Bools = field(repr=False, compare=False)

    def mask(self, collection: Collection) -> Bools:
        """Return the rows; the collection is that of the strikes."""
        return self.rows


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


def narrowed(
    collections: Collections, registers: OwnersByDate, selection: Selection, conditions: StrikeConditions
) -> Selection:
    """Return the selection of strikes that satisfies the conditions too.

    Parameters
    ----------
    selection
        Of the collection of strikes; the days of it decide what is sure.
    registers
        The owners on any days, for conditions on an entity.
    """
    if conditions == StrikeConditions():
        return selection
    rows = truth_of(collections, registers, selection, conditions)
    wanted = rows.may
    if conditions.certainty is not None:
        wanted = rows.sure if conditions.certainty == "sure" else rows.may & ~rows.sure
    base = b"" if selection.where is None else selection.where.key
    digest = hashlib.sha256(np.packbits(wanted).tobytes()).digest()
    return replace(selection, where=StrikeFilter(conditions.key + b" and " + base, digest, wanted))


def truth_of(
    collections: Collections, registers: OwnersByDate, selection: Selection, conditions: StrikeConditions
) -> Truth:
    """Return which strikes may satisfy a selection and conditions, and which surely do, whatever the certainty."""
    strikes = collections["strikes"]
    conditions = replace(conditions, certainty=None)
    plain = replace(selection, order=())
    # A collection that stays while others change must not answer from what those were.
    others = (collections["hits"], collections["attributions"], collections["assets"], registers)
    key = ("truth", plain, conditions, *others)
    truth: Truth = strikes.query_cache.get_or_compute(key, lambda: _truth(collections, registers, plain, conditions))
    return truth


def _truth(
    collections: Collections, registers: OwnersByDate, selection: Selection, conditions: StrikeConditions
) -> Truth:
    strikes = collections["strikes"]
    chosen = row_mask(strikes, selection)
    result = Truth(chosen, chosen & stands(strikes) & surely_between(strikes, selection.first, selection.last))
    if conditions.text:
        named = _named(strikes, conditions.text)
        result = result.both(Truth(named, named))
    if conditions.commodity:
        carried = _carrying(collections, conditions.commodity)
        result = result.both(Truth(carried, carried))
    if conditions.country:
        result = result.both(tie_of_country(collections, conditions, conditions.country))
    if conditions.entity:
        result = result.both(_tie_of_entity(collections, registers, conditions, conditions.entity))
    return result


def stands(strikes: Collection) -> Bools:
    """Mark the strikes that are neither drafts nor retracted."""
    status = strikes.values("status").words
    unsure = np.array([*(word in _UNSURE for word in status.words), False])
    return ~unsure[status.codes]


def surely_between(strikes: Collection, first: date | None, last: date | None) -> Bools:
    """Mark the strikes that lie between two days whenever they were; an end that is not known lies anywhere."""
    sure = np.ones(len(strikes), dtype=bool)
    if first is not None:
        days = strikes.values("day_first")
        sure &= days.present & (days.data >= np.datetime64(first))
    if last is not None:
        days = strikes.values("day_last")
        sure &= days.present & (days.data <= np.datetime64(last))
    return sure


def _named(strikes: Collection, text: str) -> Bools:
    """Mark the strikes one of whose texts has every word of a text, spelled as it sounds."""
    named = np.ones(len(strikes), dtype=bool)
    for word in fold(text).split():
        having = np.zeros(len(strikes), dtype=bool)
        for column in TEXT_COLUMNS:
            values = strikes.values(column).words.folded("sound", _sound)
            having |= np.append(values.containing(word), False)[values.codes]
        named &= having
    return named


def _sound(text: str) -> str:
    """Fold a text of any length as `fold` does a name."""
    return " ".join(fold(text[at : at + 200]) for at in range(0, len(text), 200))


def _carrying(collections: Collections, commodity: str) -> Bools:
    assets, strikes = collections["assets"], collections["strikes"]
    values = assets.values("commodity").words
    wanted = np.array([*(commodity in commodities_of(word) for word in values.words), False])
    carrying = {assets.ids[row] for row in np.flatnonzero(wanted[values.codes]).tolist()}
    hit = strikes.values("assets").lists
    chosen = np.fromiter((word in carrying for word in hit.words), bool, len(hit.words))
    return _marked(len(strikes), hit.rows[np.append(chosen, False)[hit.codes]])


def commodities_of(text: str) -> list[str]:
    """Return the commodities that a column names: ``oil, gas`` are two."""
    return [part.strip() for part in text.split(",")]


def tie_of_country(collections: Collections, conditions: StrikeConditions, country: str) -> Truth:
    """Return the strikes on what a country was tied to as the conditions say."""
    strikes, relation = collections["strikes"], conditions.relation
    if relation != "owner":
        ties = collections["attributions"]
        return _flagged(strikes, ties, _of_relation(ties, relation) & _equals(ties, "country", country))
    hits = collections["hits"]
    rows = _equals(hits, "reading", conditions.reading) & _equals(hits, "country", country)
    if conditions.reading == "control" or conditions.min_share <= 0:
        return _flagged(strikes, hits, rows)
    return with_share(collections, _tied(collections, np.flatnonzero(rows)), conditions.min_share)


class CountryTies(NamedTuple):
    """Pairs of a strike and a country that had a tie to what it hit: k rows.

    Parameters
    ----------
    countries
        ISO 3166-1 alpha-2 codes.
    strike, code
        Row of the strike, and index of the country, shape (k,).
    """

    countries: list[str]
    strike: Ints
    code: Ints


def ties_of_all(collections: Collections, conditions: StrikeConditions) -> CountryTies:
    """Return every country's ties to what strikes hit, as the conditions say; the country in them is not read."""
    owned = conditions.relation == "owner"
    rows_of = collections["hits" if owned else "attributions"]
    rows = _equals(rows_of, "reading", conditions.reading) if owned else _of_relation(rows_of, conditions.relation)
    countries = rows_of.values("country").words
    rows = rows & (countries.codes >= 0)
    if owned and conditions.reading != "control" and conditions.min_share > 0:
        rows = rows & (rows_of.values("share_max").data >= _least(conditions.min_share))
    codes = countries.codes[rows].astype(np.int64)
    return CountryTies(list(countries.words), strike_rows(collections["strikes"], rows_of)[rows], codes)


def _least(percent: float) -> float:
    return max(percent - _ROUNDING, NEGLIGIBLE)


def _flagged(strikes: Collection, rows_of: Collection, rows: Bools) -> Truth:
    """Return the strikes of rows, and of those that say that it is sure."""
    at = strike_rows(strikes, rows_of)
    sure = rows_of.values("sure").data
    return Truth(_marked(len(strikes), at[rows]), _marked(len(strikes), at[rows & sure]))


def _tied(collections: Collections, rows: Ints) -> Tied:
    """Return what rows of hits say of a strike and a site."""
    hits, strikes = collections["hits"], collections["strikes"]
    at = strike_rows(strikes, hits)[rows]
    alternative = hits.values("alternative").data[rows]
    guessed = _equals(strikes, "rests_on", "match")[at]
    low, high = (np.nan_to_num(hits.values(name).data[rows], nan=100.0) for name in ("share_min", "share_max"))
    return Tied(at, low, high, ~alternative & ~guessed, alternative)


def with_share(collections: Collections, tied: Tied, least: float) -> Truth:
    """Return the strikes on a site of which someone held at least so many percent.

    It is sure of a site that was surely hit, and of several of which one was hit if it is so of each of them.
    """
    strikes = collections["strikes"]
    count = len(strikes)
    least = _least(least)
    may = _marked(count, tied.strike[tied.high >= least])
    enough = tied.low >= least
    confirmed = _marked(count, tied.strike[enough & tied.confirmed])
    of_each = np.bincount(tied.strike[enough & tied.possible], minlength=count)
    several = _equals(strikes, "rests_on", "alternatives")
    sites = strikes.values("assets").lists.lengths
    return Truth(may, (confirmed & ~several) | (several & (sites > 1) & (of_each >= sites)))


def _tie_of_entity(
    collections: Collections, registers: OwnersByDate, conditions: StrikeConditions, entity: str
) -> Truth:
    strikes = collections["strikes"]
    if conditions.relation == "host":
        nothing = np.zeros(len(strikes), dtype=bool)
        return Truth(nothing, nothing)
    if conditions.relation != "owner":
        ties = collections["attributions"]
        return _flagged(strikes, ties, _of_relation(ties, conditions.relation) & _equals(ties, "entity", entity))
    if conditions.reading == "control":
        hits = collections["hits"]
        controlled = _equals(hits, "reading", "control") & _holding(hits, entity)
        return _flagged(strikes, hits, controlled)
    tied = _held_pairs(collections, registers, entity)
    result = with_share(collections, tied, conditions.min_share)
    return Truth(result.may, result.sure & stands(strikes))


def _holding(hits: Collection, entity: str) -> Bools:
    """Mark the rows of hits that name an entity as who holds or controls."""
    holders = hits.values("owners").lists
    named = np.fromiter((word == entity for word in holders.words), bool, len(holders.words))
    return _marked(len(hits), holders.rows[np.append(named, False)[holders.codes]])


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


def _equals(collection: Collection, name: str, text: str) -> Bools:
    """Mark the rows that have a text."""
    values: TextValues = collection.values(name).words
    same = np.fromiter((word == text for word in values.words), bool, len(values.words))
    return np.append(same, False)[values.codes]


def _marked(count: int, rows: Ints) -> Bools:
    marks = np.zeros(count, dtype=bool)
    marks[rows] = True
    return marks


def strike_rows(strikes: Collection, rows_of: Collection) -> Ints:
    """Return the row of the strike that each row of another collection is of, shape (n,); cached with the strikes."""

    def find() -> Ints:
        column, ids = rows_of.features.columns["strike"], strikes.ids
        row = np.empty(len(ids), np.int64)
        row[ids.codes] = np.arange(len(ids))
        at = {key: int(row[code]) for code, key in enumerate(ids.dictionary)} if len(ids) else {}
        row_of = np.fromiter((at.get(key, -1) for key in column.dictionary), np.int64, len(column.dictionary))
        return row_of[column.codes] if len(row_of) else np.empty(0, np.int64)

    rows: Ints = strikes.query_cache.get_or_compute(("strike rows", rows_of), find)
    return rows
