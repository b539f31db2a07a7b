"""Known entities that an incoming one may be, by name: found in blocks, compared, with reasons. A person decides."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from rapidfuzz import fuzz, process

from layers.model.records import Entity, Records
from layers.resolution.merge_entities import names_of
from layers.text.company_names import Folded, compare, fold
from layers.text.company_words import COUNTRIES, GENERIC

#: From this score on a pair is shown to a person.
PROPOSE_FROM = 0.72
#: Most candidates of one entity.
MOST = 5
#: A word or acronym that more known names than this share finds no candidates by itself.
COMMON = 60
#: Letters of a word by which near-equal words find each other.
_PREFIX = 5
#: Pairs whose telling words are less alike than this (percent, rapidfuzz token_sort_ratio) are not looked at closely.
_FIRST_LOOK = 70.0
#: A name whose registration is in another country keeps this part of its score.
_OTHER_COUNTRY = 0.7

_NAMELESS = frozenset({"unknownEntity", "anonymousEntity"})


@dataclass(frozen=True, slots=True)
class Proposal:
    """Two entities that may be one: for a person to decide.

    ``exact`` says that a folded name is the same and country and type do not speak against it. ``score`` orders
    the candidates of one entity; it is no probability.
    """

    incoming: str
    known: str
    score: float
    reasons: tuple[str, ...]
    exact: bool = False


def external_ids(entity: Entity) -> dict[str, str]:
    """Identifiers of an entity by scheme, in one spelling; a state is identified by its country."""
    ids = {scheme.lower(): value.strip().upper() for scheme, value in entity.external_ids.items()}
    if entity.type == "state" and entity.registered_in:
        ids["state"] = entity.registered_in
    return ids


def contradicts(ids: Mapping[str, str], other: Entity) -> bool:
    """Whether an entity has another identifier of a scheme than the given ones."""
    return any(ids.get(scheme, value) != value for scheme, value in external_ids(other).items())


class _Name(NamedTuple):
    entity: Entity
    folded: Folded


def _named(entities: Iterable[Entity]) -> Iterator[_Name]:
    for entity in entities:
        if entity.type not in _NAMELESS:
            yield from (_Name(entity, folded) for text in names_of(entity) if (folded := fold(text)).words)


def _blocks(folded: Folded) -> Iterator[str]:
    """Keys under which names meet: all words; each telling word and its first letters; else country and word."""
    yield f"={folded.key}"
    telling = _telling(folded)
    for word in telling:
        yield f"/{word}"
        yield f"/{word[:_PREFIX]}~"
    if not telling:
        countries = [word for word in folded.words if word in COUNTRIES]
        yield from (f"&{country}+{word}" for country in countries for word in folded.words if word in GENERIC)


def _acronyms(folded: Folded) -> Iterator[str]:
    """Words of a name that may be initials of another: a single word, or one beside a country."""
    if len(folded.plain) == 1:
        yield folded.plain[0]
        yield "".join(sorted(folded.plain[0])).upper()
    countries = [word for word in folded.words if word in COUNTRIES]
    yield from (f"{word}+{country}" for word in _telling(folded) for country in countries)


def _initials(folded: Folded) -> Iterator[str]:
    """What ``_acronyms`` of another name may be: the initials, in any order in upper case, or of its first words."""
    if not 3 <= len(folded.plain) <= 9:
        return
    countries = [word for word in folded.words if word in COUNTRIES]
    for initials in folded.initials:
        yield initials
        if len(initials) > 4:
            yield "".join(sorted(initials)).upper()
        yield from (f"{initials[:size]}+{country}" for size in range(3, len(initials)) for country in countries)


def _all_blocks(folded: Folded, acronym: str, initials: str) -> set[str]:
    """All keys of a name; the two signs keep acronyms apart from initials, so that each meets only the other."""
    blocks = {*_blocks(folded), *(f"{acronym}{word}" for word in _acronyms(folded))}
    return blocks | {f"{initials}{word}" for word in _initials(folded)}


def _telling(folded: Folded) -> list[str]:
    return [word for word in folded.words if word not in GENERIC and word not in COUNTRIES]


def by_name(known: Records, incoming: list[Entity], apart: set[frozenset[str]]) -> Iterator[Proposal]:
    """Candidates of each entity by name, the best first; none for a pair in ``apart`` or with contradicting ids.

    An entity is no candidate of itself.
    """
    names = list(_named(known.entities.values()))
    index: dict[str, list[int]] = defaultdict(list)
    for row, name in enumerate(names):
        for block in _all_blocks(name.folded, "@", "#"):
            index[block].append(row)
    asked = list(_named(incoming))
    best: dict[tuple[str, str], Proposal] = {}
    for row, other in _looked_at(asked, names, index):
        one, two = asked[row], names[other]
        pair = (one.entity.id, two.entity.id)
        if pair[0] == pair[1] or frozenset(pair) in apart or contradicts(external_ids(one.entity), two.entity):
            continue
        proposal = _proposal(one, two)
        if proposal.score >= PROPOSE_FROM and (pair not in best or best[pair].score < proposal.score):
            best[pair] = proposal
    yield from _foremost(best.values(), incoming)


def _looked_at(asked: list[_Name], names: list[_Name], index: Mapping[str, list[int]]) -> Iterator[tuple[int, int]]:
    """Pairs worth a close look: of equal words or an acronym, and those alike by their telling words."""
    alike: list[tuple[int, int]] = []
    for row, name in enumerate(asked):
        sure: set[int] = set()
        some: set[int] = set()
        for block in _all_blocks(name.folded, "#", "@"):
            found = index.get(block, ())
            if block[0] == "=":
                sure.update(found[:COMMON])
            elif len(found) <= COMMON:
                (some if block[0] == "/" else sure).update(found)
        yield from ((row, other) for other in sorted(sure))
        alike += [(row, other) for other in sorted(some - sure)]
    if alike:
        ours, theirs = ([" ".join(_telling(name.folded)) for name in side] for side in (asked, names))
        queries, choices = [ours[row] for row, _ in alike], [theirs[other] for _, other in alike]
        scores = process.cpdist(queries, choices, scorer=fuzz.token_sort_ratio, score_cutoff=_FIRST_LOOK, workers=-1)
        yield from (alike[at] for at in np.flatnonzero(scores))


def _proposal(asked: _Name, name: _Name) -> Proposal:
    score, reason = compare(asked.folded, name.folded)
    against = tuple(_against(asked.entity, name.entity))
    exact = asked.folded.key == name.folded.key and not against and _telling_enough(asked, name)
    for _ in against:
        score *= _OTHER_COUNTRY
    return Proposal(asked.entity.id, name.entity.id, round(score, 4), (reason, *against), exact)


def _telling_enough(asked: _Name, name: _Name) -> bool:
    """Whether an equal name says much: three letters are shared by many, unless the country agrees."""
    return len(name.folded.key) > 3 or bool(_countries(asked.entity) & _countries(name.entity))


def _against(one: Entity, other: Entity) -> Iterator[str]:
    """What speaks against two entities being one: kind and country."""
    if _kind(one) != _kind(other):
        yield f"{one.type} and {other.type}"
    if one.registered_in and other.registered_in and one.registered_in != other.registered_in:
        yield f"registered in {one.registered_in} and {other.registered_in}"
    elif (here := _countries(one)) and (there := _countries(other)) and not here & there:
        yield f"in {', '.join(sorted(here))} and {', '.join(sorted(there))}"


def _countries(entity: Entity) -> set[str]:
    return {country for country in (entity.registered_in, entity.headquartered_in) if country}


def _kind(entity: Entity) -> str:
    return entity.type if entity.type in ("person", "state") else "organisation"


def _foremost(proposals: Iterable[Proposal], incoming: list[Entity]) -> Iterator[Proposal]:
    """The best candidates of each entity, in the order of the entities, the best first."""
    by_entity: dict[str, list[Proposal]] = defaultdict(list)
    for proposal in proposals:
        by_entity[proposal.incoming].append(proposal)
    for entity in incoming:
        ranked = sorted(by_entity.get(entity.id, ()), key=lambda p: (-p.score, not p.exact, p.known))
        yield from ranked[:MOST]
