"""One name, one entity; one event, one strike: what is known already, and what people decided about it.

An equal identifier (LEI, GEM, Wikidata) makes two entities one; a name only proposes it, with reasons, and a person
decides. See docs/identity.md. Strikes are proposed by ``layers.resolution.strike_duplicates``, and judged
and merged as entities are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from types import MappingProxyType

from layers.decisions.identity import Groups, judged
from layers.model.records import NOUNS, Entity, Records
from layers.resolution.candidates import Proposal, by_name, contradicts, external_ids
from layers.resolution.merge import Merged, merge, says_no_more
from layers.resolution.merge_entities import told_once, unite, united_note, united_with, with_note


@dataclass(frozen=True)
class Resolution:
    """What is known of incoming entities: each is in ``same``, has ``proposals``, or is ``new``.

    ``same`` gives the known entity and why; ``conflicts`` says where identifiers contradict each other.
    """

    same: Mapping[str, tuple[str, str]]
    proposals: tuple[Proposal, ...]
    new: tuple[str, ...]
    conflicts: tuple[str, ...]


def apply(records: Records) -> Records:
    """The records as the identity judgements in them have it; see ``applied``."""
    return applied(records).records


def applied(records: Records) -> Merged:
    """Follow the identity judgements of a set of records, and count once what several loads say of a stake.

    The latest judgement of each pair of entities or strikes holds. ``same`` makes ``other`` one with ``one``, over
    chains; ``different`` keeps apart; ``undone`` is as if never judged. The judgements stay in the records, so that
    a later one undoes.
    """
    groups, remarks = judged(records)
    made = merge(records, {other: one for group in groups.values() for other, one in group.kept().items()})
    stakes, once = told_once(made.records.stakes)
    counted = replace(made.records, stakes=MappingProxyType(dict(stakes))) if once else made.records
    return Merged(counted, made.kept, (*remarks, *made.remarks, *once))


def resolve(known: Records, incoming: Records) -> Resolution:
    """Say which incoming entities are known, by identifier, and propose the rest by name.

    Parameters
    ----------
    known
        Entities already there; their judgements of ``different`` suppress proposals, and those judged to be one are
        one. Of these, that which has the identifier is given, so that the judgement can still be undone.
    incoming
        What a reader gave.

    Notes
    -----
    An entity is the same as a known one if it has its id, or an identifier of it (of a state, its country) and no
    other identifier contradicts. Names are compared only within blocks: the same folded name, an acronym, or a
    word that few known names share (Christen 2012, Data Matching, chapter 4).
    """
    groups = judged(known)[0]["entities"]
    same, conflicts = _by_id(known, incoming, groups)
    rest = [entity for name, entity in incoming.entities.items() if name not in same]
    proposals = tuple(by_name(apply(known), rest, groups.apart()))
    proposed = {proposal.incoming for proposal in proposals}
    new = tuple(entity.id for entity in rest if entity.id not in proposed)
    return Resolution(same, proposals, new, conflicts)


def within(records: Records) -> tuple[Proposal, ...]:
    """Entities of one set that may be one: by identifier (score 1) or by name, the likeliest first, each pair once.

    ``known`` of a proposal is the one to keep: the better sourced, then the first by id. Judgements are followed
    first; pairs judged different, also over a merge, are left out.
    """
    merged = apply(records)
    apart = judged(records)[0]["entities"].apart()
    entities = list(merged.entities.values())
    best: dict[frozenset[str], Proposal] = {}
    for proposal in (*_same_id(merged, apart), *by_name(merged, entities, apart)):
        pair = frozenset((proposal.incoming, proposal.known))
        if pair not in best or best[pair].score < proposal.score:
            best[pair] = _kept_first(merged, proposal)
    return tuple(sorted(best.values(), key=lambda found: (-found.score, not found.exact, found.known, found.incoming)))


def _same_id(records: Records, apart: set[frozenset[str]]) -> Iterator[Proposal]:
    """Pairs that share an identifier which nothing contradicts."""
    holders: dict[tuple[str, str], list[Entity]] = defaultdict(list)
    for entity in records.entities.values():
        for pair in external_ids(entity).items():
            holders[pair].append(entity)
    for (scheme, value), found in holders.items():
        for one, other in combinations(found, 2):
            if frozenset((one.id, other.id)) not in apart and not contradicts(external_ids(one), other):
                yield Proposal(other.id, one.id, 1.0, (f"the same {scheme} {value}",), exact=True)


def _kept_first(records: Records, found: Proposal) -> Proposal:
    names = sorted((found.known, found.incoming), key=lambda name: (-len(records.entities[name].sources), name))
    return replace(found, known=names[0], incoming=names[1])


def join(known: Records, incoming: Records, resolution: Resolution) -> Merged:
    """Both sets as one, with the incoming entities that are the same united with the known ones.

    Proposals are not followed, and of ``known`` nothing else is changed: what both say of a stake is counted once
    when it is asked for (``applied``). A record of ``incoming`` with the id of a known one replaces it, as a newer
    reading of the same, except an entity: that is united with the known one, whose facts come first, or left to it
    if it says no more.
    """
    kept = {name: one for name, (one, _) in resolution.same.items() if name not in known.entities}
    holders = {one: known.entities[one] for one in kept.values()} | met(known, incoming)
    tables = {table: incoming.table(table) for table in NOUNS}
    made = merge(Records.of({**tables, "entities": {**incoming.entities, **holders}}), kept)
    both = {table: {**known.table(table), **made.records.table(table)} for table in NOUNS}
    return Merged(Records.of(both), made.kept, made.remarks)


def met(known: Records, incoming: Records) -> dict[str, Entity]:
    """Known entities whose id an incoming one has, with what that says more."""
    return {
        name: there if says_no_more(entity, there, "sources") else unite(there, [entity])
        for name, entity in incoming.entities.items()
        if (there := known.entities.get(name)) is not None
    }


def _by_id(known: Records, incoming: Records, groups: Groups) -> tuple[dict[str, tuple[str, str]], tuple[str, ...]]:
    index: dict[tuple[str, str], list[str]] = defaultdict(list)
    for entity in known.entities.values():
        for pair in external_ids(entity).items():
            index[pair].append(entity.id)
    apart = groups.apart()
    same: dict[str, tuple[str, str]] = {}
    conflicts: list[str] = []
    for entity in incoming.entities.values():
        ids = external_ids(entity)
        if entity.id in known.entities:
            same[entity.id] = (entity.id, "the same id")
            continue
        found = {name: f"{scheme} {value}" for scheme, value in ids.items() for name in index.get((scheme, value), ())}
        fitting = {name: why for name, why in found.items() if not contradicts(ids, known.entities[name])}
        fitting = {name: why for name, why in fitting.items() if frozenset((name, entity.id)) not in apart}
        leaders = {groups.leader(name) for name in fitting}
        if len(leaders) == 1:
            name = next((name for name in fitting if name in leaders), next(iter(fitting)))
            same[entity.id] = (name, fitting[name])
        elif found:
            told = ", ".join(f"{name} ({why})" for name, why in sorted(found.items()))
            why = "more than one fits" if fitting else "other identifiers or a judgement contradict it"
            conflicts.append(f"{entity.id} shares an identifier with {told}, but {why}")
    return same, tuple(conflicts)


def resolved(incoming: Records, old: Records, others: Records) -> Resolution:
    """Resolve the entities of a load against those of other datasets.

    Other than by `resolve`, one that is in the store already (``old``) stays by itself, as does one that
    a further identifier tells from what was united before it; both are said. One that was united at an earlier load
    is so again, whatever came meanwhile, unless it was judged different. Private entities are known by their id
    only: they are not united with what is published.
    """
    same = {key: (key, "the same id") for key in incoming.entities if key in others.entities}
    same |= _united_before(incoming, old, others)
    known = replace(others, entities=_public(others.entities))
    rest = {key: entity for key, entity in _public(incoming.entities).items() if key not in same}
    found = resolve(known, replace(incoming, entities=rest))
    united = met(others, incoming)
    conflicts = list(found.conflicts)
    for key, (one, why) in sorted(found.same.items()):
        other = united.get(one, others.entities[one])
        if key in old.entities:
            conflicts.append(f"{key} and {one} have the same {why}; both are in the store, so a person has to judge")
        elif contradicts(external_ids(rest[key]), other):
            conflicts.append(f"{key} and {one} have the same {why}, but other identifiers contradict it")
        else:
            same[key] = one, why
            united[one] = unite(other, [rest[key]])
    return replace(found, same=same, conflicts=tuple(conflicts))


def _public(entities: Mapping[str, Entity]) -> dict[str, Entity]:
    return {key: entity for key, entity in entities.items() if not entity.private}


def _united_before(incoming: Records, old: Records, others: Records) -> Iterator[tuple[str, tuple[str, str]]]:
    """Entities that an earlier load united with one of another dataset, which says so in its note."""
    apart = judged(others)[0]["entities"].apart()
    holders = {name: key for key, entity in others.entities.items() for name in united_with(entity)}
    for key, entity in incoming.entities.items():
        one = holders.get(key)
        if one is None or entity.private or key in old.entities or key in others.entities:
            continue
        if frozenset((key, one)) in apart:
            continue
        if shared := sorted(external_ids(entity).items() & external_ids(others.entities[one]).items()):
            yield key, (one, " ".join(shared[0]))


def kept_up(entity: Entity, before: Entity, others: Records) -> Entity:
    """A newer version of an entity with what other loads united with it before."""
    told = united_note(before)
    if not told and not any(name in others.sources for name in before.sources):
        return entity
    return unite(entity, [before]).model_copy(update={"note": with_note(entity.note, told)})
