"""Which entities of a load are one with those of other datasets, so that loading the same again finds the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from layers import identity
from layers.entity_merging import unite, united_note, united_with, with_note
from layers.identity import Resolution
from layers.judgements import judged
from layers.proposals import contradicts, external_ids
from layers.schema import Entity, Records


def resolved(incoming: Records, old: Records, others: Records) -> Resolution:
    """Resolve the entities of a load against those of other datasets.

    Other than by ``identity.resolve``, one that is in the store already (``old``) stays by itself, as does one that
    a further identifier tells from what was united before it; both are said. One that was united at an earlier load
    is so again, whatever came meanwhile, unless it was judged different. Private entities are known by their id
    only: they are not united with what is published.
    """
    same = {key: (key, "the same id") for key in incoming.entities if key in others.entities}
    same |= _united_before(incoming, old, others)
    known = replace(others, entities=_public(others.entities))
    rest = {key: entity for key, entity in _public(incoming.entities).items() if key not in same}
    found = identity.resolve(known, replace(incoming, entities=rest))
    united = identity.met(others, incoming)
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
