"""One name, one entity: which entities of a source are known already, and what people decided about it.

An equal identifier (LEI, GEM, Wikidata) makes two entities one; a name only proposes it, with reasons, and a person
decides. See docs/identity.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from layers.merging import Merged, judged, merge, standing
from layers.proposals import Proposal, by_name, contradicts, external_ids
from layers.schema import NOUNS, Records


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
    """Follow the identity judgements of a set of records.

    The latest judgement of each pair holds. ``same`` makes ``other`` one with ``one``, over chains; ``different``
    keeps apart; ``undone`` is as if never judged. The judgements stay in the records, so that a later one undoes.
    """
    groups, remarks = judged(records)
    made = merge(records, groups.kept())
    return Merged(made.records, made.kept, (*remarks, *made.remarks))


def resolve(known: Records, incoming: Records) -> Resolution:
    """Say which incoming entities are known, by identifier, and propose the rest by name.

    Parameters
    ----------
    known
        Entities already there, judgements applied; their judgements of ``different`` suppress proposals.
    incoming
        What a reader gave.

    Notes
    -----
    An entity is the same as a known one if it has its id, or an identifier of it (of a state, its country) and no
    other identifier contradicts. Names are compared only within blocks: the same folded name, an acronym, or a
    word that few known names share (Christen 2012, Data Matching, chapter 4).
    """
    apart = {pair for pair, held in standing(known.identities.values()).items() if held.verdict == "different"}
    same, conflicts = _by_id(known, incoming, apart)
    rest = [entity for name, entity in incoming.entities.items() if name not in same]
    proposals = tuple(by_name(known, rest, apart))
    proposed = {proposal.incoming for proposal in proposals}
    new = tuple(entity.id for entity in rest if entity.id not in proposed)
    return Resolution(same, proposals, new, conflicts)


def join(known: Records, incoming: Records, resolution: Resolution) -> Merged:
    """Both sets as one, with the entities that are the same by identifier united; proposals are not followed.

    A record of ``incoming`` with the id of a known one replaces it, as a newer reading of the same, except an
    entity: that is united with the known one, whose facts come first.
    """
    kept = {name: one for name, (one, _) in resolution.same.items() if name != one}
    tables = {table: {**known.table(table), **incoming.table(table)} for table in NOUNS}
    tables["entities"] = {**incoming.entities, **known.entities}
    return merge(Records.of(tables), kept)


def _by_id(
    known: Records, incoming: Records, apart: set[frozenset[str]]
) -> tuple[dict[str, tuple[str, str]], tuple[str, ...]]:
    index: dict[tuple[str, str], list[str]] = defaultdict(list)
    for entity in known.entities.values():
        for pair in external_ids(entity).items():
            index[pair].append(entity.id)
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
        if len(fitting) == 1:
            ((name, why),) = fitting.items()
            same[entity.id] = (name, why)
        elif found:
            told = ", ".join(f"{name} ({why})" for name, why in sorted(found.items()))
            why = "more than one fits" if fitting else "other identifiers or a judgement contradict it"
            conflicts.append(f"{entity.id} shares an identifier with {told}, but {why}")
    return same, tuple(conflicts)
