"""What may be one and what was judged to be, as plain values for JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from layers.decisions.identity import standing
from layers.model.records import Entity, Identity, Records, Strike
from layers.resolution.candidates import Proposal
from layers.resolution.merge import Merged
from layers.resolution.strike_duplicates import DuplicateProposal

Json = dict[str, Any]

_OF_A_STRIKE = ("id", "dataset", "private", "title", "when", "place", "region", "host_country", "attacker", "targets")
_OF_AN_ENTITY = ("id", "dataset", "private", "name", "names", "aliases", "type", "registered_in", "external_ids")


def duplicate(records: Records, proposal: DuplicateProposal) -> Json:
    """Two strikes that may be one: both, the score from 0 to 1, and every reason with its weight.

    ``one`` is the one to keep. ``records`` are those the proposal was made of, with judgements applied.
    """
    return {
        "noun": "strikes",
        "one": _strike(records, records.strikes[proposal.one]),
        "other": _strike(records, records.strikes[proposal.other]),
        "score": proposal.score,
        "distance_m": proposal.distance_m,
        "reasons": [reason.model_dump(mode="json") for reason in proposal.reasons],
    }


def entity_pair(records: Records, proposal: Proposal) -> Json:
    """Two entities that may be one, in the shape of ``duplicate``; reasons have a text only."""
    return {
        "noun": "entities",
        "one": _entity(records.entities[proposal.known]),
        "other": _entity(records.entities[proposal.incoming]),
        "score": proposal.score,
        "distance_m": None,
        "reasons": [{"name": "name", "value": None, "weight": None, "detail": text} for text in proposal.reasons],
    }


def _strike(records: Records, strike: Strike) -> Json:
    sources = (records.sources[name] for name in strike.sources if name in records.sources)
    cited = [{"publisher": source.publisher, "title": source.title, "url": source.url} for source in sources]
    point = strike.geometry
    lonlat = None if point is None else list(point.coords[0])
    told = strike.model_dump(mode="json", include=set(_OF_A_STRIKE))
    return {**told, "lonlat": lonlat, "uncertainty_m": strike.uncertainty_m, "sources": cited}


def _entity(entity: Entity) -> Json:
    return entity.model_dump(mode="json", include=set(_OF_AN_ENTITY))


def judgement(records: Records, identity: Identity, merged: Merged) -> Json:
    """What a new judgement did: the record, what each merged id became, and what could not be followed."""
    kept = {name: merged.kept[name] for name in (identity.one, identity.other) if name in merged.kept}
    remarks = [text for text in merged.remarks if identity.id in text]
    return {**_judgement(records, identity), "kept": kept, "remarks": remarks}


def judgements(records: Records) -> Iterator[Json]:
    """All judgements in the order they were made; ``stands`` is the latest of a pair that is not undone."""
    held = {judgement.id for judgement in standing(records.identities.values()).values()}
    for identity in records.identities.values():
        yield {**_judgement(records, identity), "stands": identity.id in held}


def _judgement(records: Records, identity: Identity) -> Json:
    noun = "strikes" if identity.one in records.strikes else "entities"
    return {"noun": noun, **identity.model_dump(mode="json", exclude={"dataset"})}
