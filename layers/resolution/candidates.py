"""Candidates of entities by name: pairs of known and incoming ones that may be the same, for a person to decide."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
from rapidfuzz import fuzz, process

from layers.model.messages import Message
from layers.model.records import Entity, Records
from layers.reference.regions import country_names, geonames_regions
from layers.text.company_names import COUNTRIES, GENERIC, FoldedName, compare, fold, words_of_one

#: Least score of a pair that is proposed to a person.
PROPOSE_FROM = 0.72
#: Largest number of candidates of one entity.
MAX_CANDIDATES = 5
#: A word or acronym that more known names than this share is no block by itself.
MAX_BLOCK = 60
#: First letters of a word that are a block, so that near-equal words meet.
_PREFIX = 5
#: Least likeness of the distinctive words of a pair (percent, rapidfuzz token_sort_ratio) to be compared further.
_MIN_SIMILARITY = 70.0
#: A word of so many names of regions is one for a kind of region.
_KIND_OF_REGION = 8
#: Largest score of two names of which one alone has the name of a region.
_ANOTHER_REGION = 0.5
#: Factor of the score for each contradiction of kind or country.
_CONTRADICTED = 0.7

_NAMELESS = frozenset({"unknownEntity", "anonymousEntity"})


@dataclass(frozen=True, slots=True)
class MatchCandidate:
    """A known entity that an incoming one may be, for a person to decide.

    Attributes
    ----------
    incoming, known
        Ids of the two.
    score
        Orders the candidates of one entity, from 0 to 1; it is no probability.
    reasons
        What the names have in common, then what contradicts.
    exact
        Whether a folded name is the same and neither country nor type contradicts.
    """

    incoming: str
    known: str
    score: float
    reasons: tuple[Message, ...]
    exact: bool = False


def external_ids(entity: Entity) -> dict[str, str]:
    """Return the identifiers of an entity by scheme, in one spelling; a state is identified by its country."""
    ids = {scheme.lower(): value.strip().upper() for scheme, value in entity.external_ids.items()}
    if entity.type == "state" and entity.registered_in:
        ids["state"] = entity.registered_in
    return ids


def contradicts(ids: Mapping[str, str], other: Entity) -> bool:
    """Return whether an entity has another identifier of a scheme than the given ones."""
    return any(ids.get(scheme, value) != value for scheme, value in external_ids(other).items())


class _Name(NamedTuple):
    entity: Entity
    folded: FoldedName


def _named(entities: Iterable[Entity]) -> Iterator[_Name]:
    for entity in entities:
        if entity.type not in _NAMELESS:
            names = dict.fromkeys((entity.name, *entity.names.values(), *entity.aliases))
            yield from (_Name(entity, folded) for text in names if (folded := fold(text)).words)


def _blocks(folded: FoldedName) -> Iterator[str]:
    """Yield blocking keys: all words; each distinctive word and its first letters; else country and word."""
    yield f"={folded.key}"
    distinctive = _distinctive(folded)
    for word in distinctive:
        yield f"/{word}"
        yield f"/{word[:_PREFIX]}~"
    if not distinctive:
        countries = [word for word in folded.words if word in COUNTRIES]
        yield from (f"&{country}+{word}" for country in countries for word in folded.words if word in GENERIC)


def _acronyms(folded: FoldedName) -> Iterator[str]:
    """Yield the words of a name that may be initials of another: a single word, or a word beside a country."""
    if len(folded.plain) == 1:
        yield folded.plain[0]
        yield "".join(sorted(folded.plain[0])).upper()
    countries = [word for word in folded.words if word in COUNTRIES]
    yield from (f"{word}+{country}" for word in _distinctive(folded) for country in countries)


def _initials(folded: FoldedName) -> Iterator[str]:
    """Yield the acronyms that another name may have: initials, sorted in upper case, or those of its first words."""
    if not 3 <= len(folded.plain) <= 9:
        return
    countries = [word for word in folded.words if word in COUNTRIES]
    for initials in folded.initials:
        yield initials
        if len(initials) > 4:
            yield "".join(sorted(initials)).upper()
        yield from (f"{initials[:size]}+{country}" for size in range(3, len(initials)) for country in countries)


def _all_blocks(folded: FoldedName, acronym: str, initials: str) -> set[str]:
    """Return all keys of a name; by the two signs acronyms meet initials only, and the other way round."""
    blocks = {*_blocks(folded), *(f"{acronym}{word}" for word in _acronyms(folded))}
    return blocks | {f"{initials}{word}" for word in _initials(folded)}


def _distinctive(folded: FoldedName) -> list[str]:
    return [word for word in folded.words if word not in GENERIC and word not in COUNTRIES]


def candidates_by_name(
    known: Records, incoming: list[Entity], different: set[frozenset[str]]
) -> Iterator[MatchCandidate]:
    """Yield the candidates of entities by name, in the order of the entities, the best of each first.

    Parameters
    ----------
    known
        Records whose entities may be the same.
    incoming
        Entities to find candidates of; an entity is no candidate of itself.
    different
        Pairs of ids that are known to be different; they and pairs with contradicting identifiers are left out.

    Notes
    -----
    Names are compared within blocks (Christen 2012, Data Matching, chapter 4): equal words, an acronym, or a word that
    few known names share.
    """
    names = list(_named(known.entities.values()))
    index: dict[str, list[int]] = defaultdict(list)
    for row, name in enumerate(names):
        for block in _all_blocks(name.folded, "@", "#"):
            index[block].append(row)
    queries = list(_named(incoming))
    best: dict[tuple[str, str], MatchCandidate] = {}
    for row, other in _pairs(queries, names, index):
        query, name = queries[row], names[other]
        pair = (query.entity.id, name.entity.id)
        if pair[0] == pair[1] or frozenset(pair) in different or contradicts(external_ids(query.entity), name.entity):
            continue
        candidate = _candidate(query, name)
        if candidate.score >= PROPOSE_FROM and (pair not in best or best[pair].score < candidate.score):
            best[pair] = candidate
    yield from _foremost(best.values(), incoming)


def _pairs(queries: list[_Name], names: list[_Name], index: Mapping[str, list[int]]) -> Iterator[tuple[int, int]]:
    """Yield the pairs to compare: of equal words or an acronym, and those alike by their distinctive words."""
    alike: list[tuple[int, int]] = []
    for row, query in enumerate(queries):
        sure: set[int] = set()
        possible: set[int] = set()
        for block in _all_blocks(query.folded, "#", "@"):
            rows = index.get(block, ())
            if block[0] == "=":
                sure.update(rows[:MAX_BLOCK])
            elif len(rows) <= MAX_BLOCK:
                (possible if block[0] == "/" else sure).update(rows)
        yield from ((row, other) for other in sorted(sure))
        alike += [(row, other) for other in sorted(possible - sure)]
    if alike:
        ours, theirs = ([" ".join(_distinctive(name.folded)) for name in side] for side in (queries, names))
        texts, choices = [ours[row] for row, _ in alike], [theirs[other] for _, other in alike]
        scores = process.cpdist(texts, choices, scorer=fuzz.token_sort_ratio, score_cutoff=_MIN_SIMILARITY, workers=-1)
        yield from (alike[at] for at in np.flatnonzero(scores))


def _candidate(query: _Name, name: _Name) -> MatchCandidate:
    score, reason = compare(query.folded, name.folded)
    if score >= PROPOSE_FROM and reason.code == "company-names.not-in-both":
        score = min(score, _of_one_region(query.folded, name.folded))
    against = tuple(_against(query.entity, name.entity))
    exact = query.folded.key == name.folded.key and not against and _is_distinctive(query, name)
    for _ in against:
        score *= _CONTRADICTED
    return MatchCandidate(query.entity.id, name.entity.id, round(score, 4), (reason, *against), exact)


def _of_one_region(one: FoldedName, other: FoldedName) -> float:
    """Return the largest score that two names may have: a region in one alone names a branch, and not the company."""
    return 1.0 if _region_words().isdisjoint(words_of_one(one, other)) else _ANOTHER_REGION


@cache
def _region_words() -> frozenset[str]:
    """The names of first-level regions that are one word, but for words such as oblast, and no country's."""
    names = [fold(region.name).words for region in geonames_regions()]
    seen = Counter(word for words in names for word in words)
    alone = ([word for word in words if seen[word] < _KIND_OF_REGION] for words in names)
    countries = {word for key, _ in country_names() for word in fold(key).words}
    return frozenset(words[0] for words in alone if len(words) == 1) - countries - GENERIC - COUNTRIES


def _is_distinctive(query: _Name, name: _Name) -> bool:
    """Return whether an equal name is evidence by itself: three letters are shared by many, unless countries agree."""
    return len(name.folded.key) > 3 or bool(_countries(query.entity) & _countries(name.entity))


def _against(entity: Entity, other: Entity) -> Iterator[Message]:
    """Yield what contradicts that two entities are one: kind and country."""
    if _kind(entity) != _kind(other):
        yield Message("resolution.types", {"one": entity.type, "other": other.type})
    if entity.registered_in and other.registered_in and entity.registered_in != other.registered_in:
        yield Message("resolution.registered-in", {"one": entity.registered_in, "other": other.registered_in})
    elif (here := _countries(entity)) and (there := _countries(other)) and not here & there:
        yield Message("resolution.countries", {"one": tuple(sorted(here)), "other": tuple(sorted(there))})


def _countries(entity: Entity) -> set[str]:
    return {country for country in (entity.registered_in, entity.headquartered_in) if country}


def _kind(entity: Entity) -> str:
    return entity.type if entity.type in ("person", "state") else "organisation"


def _foremost(candidates: Iterable[MatchCandidate], incoming: list[Entity]) -> Iterator[MatchCandidate]:
    """Yield the best candidates of each entity, in the order of the entities, the best first."""
    by_entity: dict[str, list[MatchCandidate]] = defaultdict(list)
    for candidate in candidates:
        by_entity[candidate.incoming].append(candidate)
    for entity in incoming:
        ranked = sorted(by_entity.get(entity.id, ()), key=lambda c: (-c.score, not c.exact, c.known))
        yield from ranked[:MAX_CANDIDATES]
