"""Identity of entities and strikes: which records are the same by identifier, name or judgement, and merged as one.

An equal identifier (LEI, GEM, Wikidata) makes two entities one; a name only proposes it, with reasons, and a person
decides. Strikes are proposed by ``strike_duplicates``, and judged and merged as entities are. See docs/identity.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from operator import itemgetter

from layers.decisions.identity import MergeGroups, merge_groups, parts
from layers.model.messages import Argument, Message
from layers.model.records import RECORD_TYPES, Asset, Entity, Records
from layers.resolution.candidates import MatchCandidate, candidates_by_name, contradicts, external_ids
from layers.resolution.merge import MergeResult, is_subsumed_by, merge_records
from layers.resolution.merge_entities import append_note, deduplicate_stakes, merge_entity, merge_note, merged_ids
from layers.resolution.table_edit import TableEdit


@dataclass(frozen=True)
class Resolution:
    """What is known of incoming entities: each is in ``same``, has ``proposals``, or is ``new``.

    Attributes
    ----------
    same
        The known entity and the reason, by the id of the incoming one.
    proposals
        Candidates by name.
    new
        Ids of entities without either.
    conflicts
        Where identifiers contradict each other.
    """

    same: Mapping[str, tuple[str, Message]]
    proposals: tuple[MatchCandidate, ...]
    new: tuple[str, ...]
    conflicts: tuple[Message, ...]


def apply_judgements(records: Records) -> Records:
    """Merge records as the identity judgements among them say; see ``apply_judgements_with_remarks``."""
    return apply_judgements_with_remarks(records).records


def apply_judgements_with_remarks(records: Records) -> MergeResult:
    """Merge records as the identity judgements among them say, and count repeated stakes once.

    The latest judgement of each pair of entities or strikes holds. ``same`` makes ``other`` one with ``one``, over
    chains; ``different`` has them stay separate; ``part`` does too, and makes ``one`` a part of ``other``, unless it is
    one of another asset; ``undone`` is as if never judged. The judgements stay in the records, so that a later one
    undoes. A stake that several loads state is counted once.
    """
    groups, remarks = merge_groups(records)
    merged = merge_records(records, {other: one for group in groups.values() for other, one in group.leaders().items()})
    stakes, repeated = deduplicate_stakes(merged.records)
    counted = replace(merged.records, stakes=stakes) if repeated else merged.records
    whole = _with_parts(counted, parts(records), merged.merged_into)
    return MergeResult(whole, merged.merged_into, (*remarks, *merged.remarks, *repeated))


def _with_parts(records: Records, judged: Iterable[tuple[str, str]], merged_into: Mapping[str, str]) -> Records:
    """Have assets be parts of the first that people judged them to be parts of, but where they are parts of others."""
    assets = TableEdit[Asset](records.assets)
    for part, whole in judged:
        part, whole = merged_into.get(part, part), merged_into.get(whole, whole)
        asset, wholes = assets.get(part), _with_wholes(assets, whole)
        if asset is not None and asset.part_of is None and wholes and part not in wholes:
            assets.update(part, {"part_of": whole})
    return replace(records, assets=assets.finish()) if assets.changed else records


def _with_wholes(assets: Mapping[str, Asset], name: str | None) -> list[str]:
    """An asset with what it is a part of, and what that is a part of; none where the asset is not there."""
    found: list[str] = []
    while name is not None and name not in found and (asset := assets.get(name)) is not None:
        found.append(name)
        name = asset.part_of
    return found


def resolve(known: Records, incoming: Records) -> Resolution:
    """Find which incoming entities are known by identifier, and propose candidates of the rest by name.

    Parameters
    ----------
    known
        Records already there; pairs judged ``different`` are not proposed, and entities judged to be one are one. Of
        these the one with the identifier is returned, so that the judgement can still be undone.
    incoming
        Records that a reader made.

    Notes
    -----
    An entity is the same as a known one if it has its id, or an identifier of it (of a state, its country) and no
    other identifier contradicts. Names are compared only within blocks: the same folded name, an acronym, or a
    word that few known names share (Christen 2012, Data Matching, chapter 4).
    """
    groups = merge_groups(known)[0]["entities"]
    same, conflicts = _by_id(known, incoming, groups)
    rest = [entity for name, entity in incoming.entities.items() if name not in same]
    proposals = tuple(candidates_by_name(apply_judgements(known), rest, groups.apart()))
    proposed = {proposal.incoming for proposal in proposals}
    new = tuple(entity.id for entity in rest if entity.id not in proposed)
    return Resolution(same, proposals, new, conflicts)


def duplicate_entities(records: Records) -> tuple[MatchCandidate, ...]:
    """Propose entities of one set that may be one, by identifier (score 1) or name, the likeliest first.

    Each pair comes once. ``known`` of a candidate is the one to merge into: the better sourced, then the first by id.
    Judgements are applied first; pairs judged different, also over a merge, are left out.
    """
    merged = apply_judgements(records)
    different = merge_groups(records)[0]["entities"].apart()
    entities = list(merged.entities.values())
    best: dict[frozenset[str], MatchCandidate] = {}
    for candidate in (*_same_identifier(merged, different), *candidates_by_name(merged, entities, different)):
        pair = frozenset((candidate.incoming, candidate.known))
        if pair not in best or best[pair].score < candidate.score:
            best[pair] = _better_sourced_first(merged, candidate)
    return tuple(sorted(best.values(), key=lambda c: (-c.score, not c.exact, c.known, c.incoming)))


def _same_identifier(records: Records, different: set[frozenset[str]]) -> Iterator[MatchCandidate]:
    """Yield the pairs that share an identifier which nothing contradicts."""
    holders: dict[tuple[str, str], list[Entity]] = defaultdict(list)
    for entity in records.entities.values():
        for pair in external_ids(entity).items():
            holders[pair].append(entity)
    for (scheme, value), sharing in holders.items():
        for one, other in combinations(sharing, 2):
            if frozenset((one.id, other.id)) not in different and not contradicts(external_ids(one), other):
                reason = Message("resolution.same-identifier", {"scheme": scheme, "value": value})
                yield MatchCandidate(other.id, one.id, 1.0, (reason,), exact=True)


def _better_sourced_first(records: Records, candidate: MatchCandidate) -> MatchCandidate:
    ids = (candidate.known, candidate.incoming)
    known, incoming = sorted(ids, key=lambda name: (-len(records.entities[name].sources), name))
    return replace(candidate, known=known, incoming=incoming)


def join(known: Records, incoming: Records, resolution: Resolution) -> MergeResult:
    """Join two sets of records, with incoming entities that are the same merged into the known ones.

    Candidates are not merged, and nothing else of ``known`` changes: a stake that both state is counted once when
    judgements are applied. A record of ``incoming`` with the id of a known one replaces it, as its newer version,
    except an entity: that is merged into the known one, whose facts come first, or dropped if it adds nothing.

    Parameters
    ----------
    known, incoming
        The two sets.
    resolution
        What is known of the incoming entities.
    """
    merged_into = {name: one for name, (one, _) in resolution.same.items() if name not in known.entities}
    holders = {one: known.entities[one] for one in merged_into.values()} | merged_view(known, incoming)
    tables = {table: incoming.table(table) for table in RECORD_TYPES}
    merged = merge_records(Records.of({**tables, "entities": {**incoming.entities, **holders}}), merged_into)
    both = {table: {**known.table(table), **merged.records.table(table)} for table in RECORD_TYPES}
    return MergeResult(Records.of(both), merged.merged_into, merged.remarks)


def merged_view(known: Records, incoming: Records) -> dict[str, Entity]:
    """Return the known entities whose id an incoming one has, each with the facts that the incoming one adds."""
    return {
        name: there if is_subsumed_by(entity, there, "sources") else merge_entity(there, entity)
        for name, entity in incoming.entities.items()
        if (there := known.entities.get(name)) is not None
    }


def _by_id(
    known: Records, incoming: Records, groups: MergeGroups
) -> tuple[dict[str, tuple[str, Message]], tuple[Message, ...]]:
    """Return the known entity of each incoming one by id or identifier, and the conflicts."""
    index: dict[tuple[str, str], list[str]] = defaultdict(list)
    for entity in known.entities.values():
        for pair in external_ids(entity).items():
            index[pair].append(entity.id)
    different = groups.apart()
    same: dict[str, tuple[str, Message]] = {}
    conflicts: list[Message] = []
    for entity in incoming.entities.values():
        ids = external_ids(entity)
        if entity.id in known.entities:
            same[entity.id] = (entity.id, Message("resolution.same-id"))
            continue
        holders = {name: _identifier(*pair) for pair in ids.items() for name in index.get(pair, ())}
        fitting = {name: reason for name, reason in holders.items() if not contradicts(ids, known.entities[name])}
        fitting = {name: reason for name, reason in fitting.items() if frozenset((name, entity.id)) not in different}
        leaders = {groups.leader(name) for name in fitting}
        if len(leaders) == 1:
            name = next((name for name in fitting if name in leaders), next(iter(fitting)))
            same[entity.id] = (name, fitting[name])
        elif holders:
            conflicts.append(_ambiguous(entity.id, holders, bool(fitting)))
    return same, tuple(conflicts)


def _identifier(scheme: str, value: str) -> Message:
    return Message("resolution.identifier", {"scheme": scheme, "value": value})


def _ambiguous(entity: str, holders: Mapping[str, Message], several_fit: bool) -> Message:
    """Say that an entity shares identifiers with known ones, of which not exactly one fits."""
    shared = tuple(
        Message("resolution.held-by", {"entity": name, "identifier": identifier})
        for name, identifier in sorted(holders.items(), key=itemgetter(0))
    )
    code = "resolution.several-fit" if several_fit else "resolution.none-fits"
    return Message(code, {"entity": entity, "holders": shared})


def resolve_load(incoming: Records, old: Records, others: Records) -> Resolution:
    """Resolve the entities of a load against those of other datasets.

    Unlike in ``resolve``, an entity that the store has already is not merged, nor is one that a further identifier
    distinguishes from an entity merged before it; both are conflicts. An entity that was merged at an earlier load is
    merged again, whatever came meanwhile, unless it was judged different. Private entities are known by their id
    only: they are not merged with published ones.

    Parameters
    ----------
    incoming
        The records of the load.
    old
        What the store has of the datasets of the load.
    others
        What the store has of all other datasets.
    """
    same = {key: (key, Message("resolution.same-id")) for key in incoming.entities if key in others.entities}
    same |= _merged_before(incoming, old, others)
    known = replace(others, entities=_public(others.entities))
    rest = {key: entity for key, entity in _public(incoming.entities).items() if key not in same}
    resolution = resolve(known, replace(incoming, entities=rest))
    merged = merged_view(others, incoming)
    conflicts = list(resolution.conflicts)
    for key, (one, identifier) in sorted(resolution.same.items(), key=itemgetter(0)):
        other = merged.get(one, others.entities[one])
        arguments: dict[str, Argument] = {"entity": key, "known": one, "identifier": identifier}
        if key in old.entities:
            conflicts.append(Message("resolution.both-stored", arguments))
        elif contradicts(external_ids(rest[key]), other):
            conflicts.append(Message("resolution.contradicted", arguments))
        else:
            same[key] = one, identifier
            merged[one] = merge_entity(other, rest[key])
    return replace(resolution, same=same, conflicts=tuple(conflicts))


def _public(entities: Mapping[str, Entity]) -> dict[str, Entity]:
    return {key: entity for key, entity in entities.items() if not entity.private}


def _merged_before(incoming: Records, old: Records, others: Records) -> Iterator[tuple[str, tuple[str, Message]]]:
    """Yield the entities that an earlier load merged into one of another dataset, which says so in its note."""
    different = merge_groups(others)[0]["entities"].apart()
    holders = {name: key for key, entity in others.entities.items() for name in merged_ids(entity)}
    for key, entity in incoming.entities.items():
        one = holders.get(key)
        if one is None or entity.private or key in old.entities or key in others.entities:
            continue
        if frozenset((key, one)) in different:
            continue
        if shared := sorted(external_ids(entity).items() & external_ids(others.entities[one]).items()):
            yield key, (one, _identifier(*shared[0]))


def carry_over_merges(entity: Entity, before: Entity, others: Records) -> Entity:
    """Return a newer version of an entity with the facts that other loads merged into the version before.

    Not of one that cites a source which has become private since: which of its facts are from there is not known.
    """
    merged_sources = (others.sources.get(name) for name in before.sources if name not in entity.sources)
    if not entity.private and any(source is not None and source.private for source in merged_sources):
        return entity
    note = merge_note(before)
    if not note and not any(name in others.sources for name in before.sources):
        return entity
    return merge_entity(entity, before).model_copy(update={"note": append_note(entity.note, note)})
