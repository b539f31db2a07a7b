"""Search by name or id in all that is on record: strikes, sites, companies, persons, states and countries."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import islice
from operator import or_
from typing import Literal, NamedTuple, get_args

import numpy as np

from geo.columnar.lazy_array import to_numpy
from geo.lonlat import Bools, Ints
from layers.collections.collection import Collection
from layers.collections.column_values import TextValues
from layers.model.records import Records
from layers.ownership.owners import OwnersByDate
from layers.query.selection import Selection, SortKey, rows
from layers.query.strike_ties import Collections, StrikeConditions
from layers.query.strike_truth import SPOKEN_COLUMNS, narrowed
from layers.text.place_names import fold
from layers.text.search_terms import SearchTerm, search_terms, searchable

#: What is found; a holder is a company, a body or a state, and a person is one of its own.
NamedKind = Literal["country", "asset", "company", "person", "state", "strike"]
NAMED_KINDS: tuple[NamedKind, ...] = get_args(NamedKind)
#: Names of one rank that are looked at: the most struck of them come first.
_LOOKED_AT = 2000
_END = "\n"
#: Letters of a word between ``=`` (`search_key`) that is as short as it sounds, with these signs.
_SPELLED = 4
#: Rank of what has the words of a text alone, behind the patterns.
BY_WORDS = 4
#: The order of strikes; undated ones come last.
NEWEST_FIRST = (SortKey("day_last", True), SortKey("title"))


@dataclass(frozen=True, slots=True)
class Named:
    """Something that has names.

    Parameters
    ----------
    id
        That of the record, of a country its code (ISO 3166-1 alpha-2).
    name
        In English.
    names
        All names that it is found by, of any script.
    country
        Where it lies or is registered, ``None`` where that is not known.
    detail
        The kind of an asset, the day of a strike; ``None`` of others.
    strikes
        The number of strikes on it, or on what a country owned; 0 where it is not counted.
    """

    kind: NamedKind
    id: str
    name: str
    names: tuple[str, ...]
    country: str | None = None
    detail: str | None = None
    strikes: int = 0


class NameMatch(NamedTuple):
    """Something that was found, with the name that fits best; the lower the rank, the better."""

    named: Named
    matched: str
    rank: int


class NameMatches(NamedTuple):
    """What fits a text best, and how many things fit it in all."""

    matches: list[NameMatch]
    total: int


class NameIndex:
    """The names of some things of one kind as one text of lines, each as it sounds, so that one search meets all."""

    def __init__(self, things: Iterable[Named]) -> None:
        self._things = tuple(things)
        self._names: list[tuple[int, str]] = []
        lines, texts = [], []
        for number, named in enumerate(self._things):
            names = dict.fromkeys((named.name, *named.names, named.id))
            keyed = [(name, key) for name in names if (key := fold(name))]
            self._names += [(number, name) for name, _ in keyed]
            lines += [key for _, key in keyed]
            texts.append(" ".join(map(searchable, names)))
        self._text = _END + _END.join(lines) + _END
        self._starts = [at.start() for at in re.finditer(_END, self._text)]
        self._texts = TextValues(texts, np.arange(len(texts), dtype=np.int32))
        self._strikes = np.fromiter((named.strikes for named in self._things), np.int64, len(texts))

    def find(self, text: str, limit: int) -> NameMatches:
        """Return what a text is the name of, begins the name of, or stands in the name of, best first.

        Behind these comes what has each word of it in one of its names, in whatever case, or is a site of the kind that
        the word names. Of names that fit alike those come first that more strikes concern, then the shorter ones. Of
        texts of one or two letters the total is a lower bound.
        """
        terms, key = search_terms(text), fold(text)
        best: dict[int, NameMatch] = {}
        # Of long words that sound short nothing but the words themselves is meant: ``qqqqqq`` is no ``k``.
        is_spelled = any(len(form) > _SPELLED for term in terms for (form, *_) in term.parts if form[0] == "=")
        for rank, pattern in enumerate(() if is_spelled or not terms else _patterns(key)):
            hits = [(number, name) for number, name in islice(self._matching(pattern), _LOOKED_AT)]
            for number, name in sorted(hits, key=lambda hit: (-self._strikes[hit[0]], len(hit[1]), hit[0])):
                best.setdefault(number, NameMatch(self._things[number], name, rank))
        having = self._having(terms)
        having[[*best]] = True
        others = np.flatnonzero(having)
        for number in others[np.argsort(-self._strikes[others], kind="stable")][: limit + len(best)].tolist():
            best.setdefault(number, NameMatch(self._things[number], self._things[number].name, BY_WORDS))
        return NameMatches([*best.values()][:limit], len(others))

    def _having(self, terms: Sequence[SearchTerm]) -> Bools:
        """Mark the things that have every term."""
        having = np.full(len(self._things), bool(terms))
        for term in terms:
            written = np.ones(len(self._things), bool)
            for part in term.parts:
                written &= reduce(or_, map(self._texts.containing, part))
            having &= written | self._of_kinds(term.kinds) if term.kinds else written
        return having

    def _of_kinds(self, kinds: frozenset[str]) -> Bools:
        of_kind = (named.kind == "asset" and named.detail in kinds for named in self._things)
        return np.fromiter(of_kind, bool, len(self._things))

    def _matching(self, pattern: str) -> Iterator[tuple[int, str]]:
        for match in re.finditer(pattern, self._text):
            yield self._names[bisect_right(self._starts, match.start()) - 1]


def _patterns(key: str) -> Iterator[str]:
    """Yield what fits better and better less: the whole name, its begin, the begin of a word, anything in it."""
    literal = re.escape(key)
    yield f"{_END}{literal}(?={_END})"
    yield f"{_END}{literal}"
    yield f" {literal}"
    yield literal


def indexes(
    records: Records, collections: Mapping[str, Collection], country_names: Mapping[str, str]
) -> Mapping[NamedKind, NameIndex]:
    """Index all that is on record by kind, but for the strikes, whose columns `strikes_named` searches."""
    named = (*_countries(collections, country_names), *_assets(records, collections), *_entities(records))
    return {kind: NameIndex(one for one in named if one.kind == kind) for kind in NAMED_KINDS if kind != "strike"}


def strikes_named(collections: Collections, registers: OwnersByDate, text: str, limit: int) -> NameMatches:
    """Return the strikes that the words of a text select (`StrikeConditions`), newest first; none without words."""
    if not search_terms(text):
        return NameMatches([], 0)
    strikes = collections["strikes"]
    chosen = narrowed(collections, registers, Selection(order=NEWEST_FIRST), StrikeConditions(text=text))
    found = rows(strikes, chosen)
    shown = [*_strikes(strikes, to_numpy(found[:limit]))]
    fits = {match.named.id: match for match in NameIndex(shown).find(text, limit).matches}
    return NameMatches([fits.get(one.id, NameMatch(one, one.name, BY_WORDS)) for one in shown], len(found))


def named_things(
    records: Records, collections: Mapping[str, Collection], country_names: Mapping[str, str]
) -> Mapping[NamedKind, Sequence[Named]]:
    """List all that is on record by kind, strikes newest first."""
    things: dict[NamedKind, list[Named]] = {kind: [] for kind in NAMED_KINDS}
    for named in (*_countries(collections, country_names), *_assets(records, collections), *_entities(records)):
        things[named.kind].append(named)
    strikes = collections["strikes"]
    things["strike"] += _strikes(strikes, to_numpy(rows(strikes, Selection(order=NEWEST_FIRST))))
    return things


def _countries(collections: Mapping[str, Collection], names: Mapping[str, str]) -> Iterator[Named]:
    owned = collections["countries"].values("owned_strikes").data
    of = {iso: int(owned[row]) for row, iso in enumerate(collections["countries"].ids)}
    for iso, name in names.items():
        yield Named("country", iso, name, (), iso, None, of.get(iso, 0))


def _assets(records: Records, collections: Mapping[str, Collection]) -> Iterator[Named]:
    counts = collections["assets"].values("n_strikes").data
    for row, asset in enumerate(records.assets.values()):
        names = (*asset.names.values(), *asset.aliases)
        yield Named("asset", asset.id, asset.name, names, asset.host_country, asset.kind, int(counts[row]))


def _entities(records: Records) -> Iterator[Named]:
    kinds: Mapping[str, NamedKind] = {"person": "person", "state": "state"}
    for entity in records.entities.values():
        names = (*entity.names.values(), *entity.aliases)
        kind = kinds.get(entity.type, "company")
        yield Named(kind, entity.id, entity.name, names, entity.registered_in or entity.headquartered_in)


def _strikes(strikes: Collection, at: Ints) -> Iterator[Named]:
    columns = [strikes.features.columns[name] for name in ("id", "title", "place", "host_country", "when")]
    spoken = [strikes.features.columns[name] for name in SPOKEN_COLUMNS]
    for row in at.tolist():
        strike, title, place, country, when = (column[row] for column in columns)
        names = filter(None, (column[row] for column in spoken))
        yield Named("strike", strike, title, (place, *names), country, when)
