"""Cases for reviewers as JSON values: strikes to decide on, duplicates to judge, and judgements."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import orjson
import shapely

from api.http.json import Json
from api.serializers import attribution
from api.wording.catalogue import ENGLISH, text
from layers.attribution.attribute import StrikeAttribution
from layers.attribution.review_queue import ReviewItem
from layers.decisions.identity import JUDGED, standing
from layers.matching.explanation import worded_reasons
from layers.model.records import DESCRIPTION, Asset, Entity, Identity, Match, Records, Strike
from layers.resolution.candidates import MatchCandidate
from layers.resolution.linkage import DuplicateProposal
from layers.resolution.merge import MergeResult
from layers.snapshot.snapshot import Snapshot

#: The largest number of candidates of a strike that a reviewer is shown.
MAX_CANDIDATES = 20


def queue_entry(snapshot: Snapshot, item: ReviewItem, language: str = ENGLISH) -> Json:
    """Give a strike of the review queue with its best candidate."""
    strike = snapshot.records.strikes[item.strike]
    best = next((match for match in item.candidates if match.asset is not None), None)
    return {
        "strike": strike.id,
        "title": strike.title,
        "when": strike.when,
        "place": strike.place,
        "host_country": strike.host_country,
        "status": strike.status,
        "private": strike.private,
        "gain": round(item.expected_change, 4),
        "rests_on": item.outcome.basis_of_outcome,
        "candidates": sum(match.asset is not None for match in item.candidates),
        "best": _candidate(snapshot, best, language) if best else None,
    }


def review_case(snapshot: Snapshot, struck: StrikeAttribution, language: str = ENGLISH) -> Json:
    """Give the ground of a decision on a strike: the answer, candidates with geometry, and earlier decisions."""
    key = struck.strike.id
    matches = snapshot.matches[key]
    shown = [match for match in matches if match.asset is not None][:MAX_CANDIDATES]
    decisions = snapshot.records.where("decisions", "strike", key)
    answer = attribution.strike_answer(snapshot, struck, language)
    answer["candidates"] = [_candidate(snapshot, match, language) for match in shown]
    answer["more_candidates"] = sum(match.asset is not None for match in matches) - len(shown)
    answer["decisions"] = [decision.model_dump(mode="json") for decision in reversed(decisions)]
    answer["seen"] = decisions[-1].id if decisions else None
    return answer


def _candidate(snapshot: Snapshot, match: Match, language: str) -> Json:
    assert match.asset is not None
    asset = snapshot.records.assets[match.asset]
    shape = None if asset.geometry is None else orjson.loads(shapely.to_geojson(asset.geometry))
    about = asset.model_dump(mode="json", include={"name", "kind", "host_country", "uncertainty_m", "basis"})
    return {"asset": asset.id, **about, "geometry": shape, **attribution.evidence(match, language)}


_OF_A_STRIKE = (
    "id", "dataset", "private", "title", "when", "place", "region", "host_country", "status", "attacker",
    "targets",
)  # fmt: skip
_OF_AN_ASSET = (
    *("id", "dataset", "private", "name", "names", "aliases", "kind", "commodity", "capacity", "capacity_unit"),
    *("host_country", "part_of", "external_ids", "uncertainty_m", "basis"),
)
_OF_AN_ENTITY = ("id", "dataset", "private", "name", "names", "aliases", "type", "registered_in", "external_ids")


def strike_pair(records: Records, proposal: DuplicateProposal, language: str = ENGLISH) -> Json:
    """Give two strikes that may be duplicates: both, the score from 0 to 1, and every reason with its weight.

    ``one`` is the record to retain. ``records`` are those of the proposal, with judgements applied. ``descriptions`` of
    a strike are private: this is for people who may read the store.
    """
    one, other = (_strike(records, records.strikes[key]) for key in (proposal.preferred, proposal.duplicate))
    return _pair("strikes", one, other, proposal, language)


def asset_pair(records: Records, proposal: DuplicateProposal, language: str = ENGLISH) -> Json:
    """Give two assets that may be one site, with the members of `strike_pair`."""
    one, other = (_asset(records, records.assets[key]) for key in (proposal.preferred, proposal.duplicate))
    return _pair("assets", one, other, proposal, language)


def _pair(table: str, one: Json, other: Json, proposal: DuplicateProposal, language: str) -> Json:
    reasons = worded_reasons(proposal.reasons, partial(text, language=language))
    known = {"score": proposal.score, "distance_m": proposal.distance_m, "reasons": reasons}
    return {"table": table, "one": one, "other": other, **known}


def entity_pair(records: Records, proposal: MatchCandidate, language: str = ENGLISH) -> Json:
    """Give two entities that may be duplicates, with the members of `strike_pair`; reasons have a text only."""
    return {
        "table": "entities",
        "one": _entity(records.entities[proposal.known]),
        "other": _entity(records.entities[proposal.incoming]),
        "score": proposal.score,
        "distance_m": None,
        "reasons": [
            {"name": "name", "value": None, "weight": None, "detail": text(reason, language)}
            for reason in proposal.reasons
        ],
    }


def _cited(records: Records, record: Strike | Asset) -> list[Json]:
    sources = (records.sources[name] for name in record.sources if name in records.sources)
    return [{"publisher": source.publisher, "title": source.title, "url": source.url} for source in sources]


def _asset(records: Records, asset: Asset) -> Json:
    values = asset.model_dump(mode="json", include=set(_OF_AN_ASSET))
    shape = None if asset.geometry is None else orjson.loads(shapely.to_geojson(asset.geometry))
    return {**values, "geometry": shape, "sources": _cited(records, asset)}


def _strike(records: Records, strike: Strike) -> Json:
    point = strike.geometry
    lonlat = None if point is None else list(point.coords[0])
    values = strike.model_dump(mode="json", include=set(_OF_A_STRIKE))
    said = [claim.value for claim in records.where("claims", "record", strike.id) if claim.field == DESCRIPTION]
    where = {"lonlat": lonlat, "uncertainty_m": strike.uncertainty_m}
    return {**values, **where, "descriptions": said, "sources": _cited(records, strike)}


def _entity(entity: Entity) -> Json:
    return entity.model_dump(mode="json", include=set(_OF_AN_ENTITY))


def judgement(records: Records, identity: Identity, merged: MergeResult) -> Json:
    """Give the effect of a new judgement: the record, what each merged id became, and judgements without effect."""
    pair = (identity.one, identity.other)
    merged_ids = {name: merged.merged_into[name] for name in pair if name in merged.merged_into}
    remarks = [remark for remark in map(text, merged.remarks) if identity.id in remark]
    return {**_judgement(records, identity), "united": merged_ids, "remarks": remarks}


def judgements(records: Records) -> Iterator[Json]:
    """List all judgements in their order; ``stands`` marks the latest judgement of a pair unless it is undone."""
    standing_ids = {judgement.id for judgement in standing(records.identities.values()).values()}
    for identity in records.identities.values():
        yield {**_judgement(records, identity), "stands": identity.id in standing_ids}


def _judgement(records: Records, identity: Identity) -> Json:
    table = next((name for name in reversed(JUDGED) if identity.one in records.table(name)), "entities")
    return {"table": table, **identity.model_dump(mode="json", exclude={"dataset"})}
