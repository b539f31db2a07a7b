"""Answers as plain values, for JSON: whose it was, with chains, reasons, claims and sources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import orjson
import shapely
from pydantic import BaseModel

from api.serializers.control import control
from api.serializers.shares import interval, shares
from layers.attribution.attribute import Answer, HitOwners, country_of, days
from layers.collections.feature_types import GROUPS
from layers.decisions.hits import shown
from layers.model.problems import UnknownRecord
from layers.model.records import Asset, Match, Record, Relation
from layers.ownership.chains import Chain, Step
from layers.ownership.owners import Owners
from layers.ownership.walk import Basis, Minority
from layers.snapshot.snapshot import Snapshot

Json = dict[str, Any]


def strike_answer(snapshot: Snapshot, told: Answer) -> Json:
    """The whole answer to one strike."""
    strike = told.strike
    first, last = days(strike)
    claims = [claim for key in _about(told) for claim in snapshot.records.where("claims", "record", key)]
    answer: Json = {
        "strike": {**_record(strike), "day_first": first, "day_last": last},
        "basis": told.basis,
        "minority": told.minority,
        "rests_on": told.finding.rests_on,
        "decision": _record(told.finding.decision) if told.finding.decision else None,
        "host": _country(snapshot, strike.host_country),
        "owners": shares(snapshot, told.shares, told.unattributed, told.reasons),
        "related": [tie(snapshot, relation, told.basis) for hit in told.hits for relation in hit.relations],
        "assets": [_hit(snapshot, hit, told) for hit in told.hits],
        "claims": [claim.model_dump(mode="json", exclude={"id", "dataset", "private"}) for claim in claims],
    }
    answer |= _candidates(snapshot, strike.id)
    answer["sources"] = sources(snapshot, answer)
    return answer


def owners_answer(snapshot: Snapshot, owned: str, owners: Owners, on: date, basis: Basis, minority: Minority) -> Json:
    """Who owns an asset or entity on a day."""
    records = snapshot.records
    ties = records.where("relations", "asset", owned)
    about = (
        {"asset": _asset(records.assets[owned])}
        if owned in records.assets
        else {"entity": _record(records.entities[owned])}
    )
    answer: Json = {
        **about,
        "on": on,
        "basis": basis,
        "minority": minority,
        **_owners(snapshot, owners),
        **control(snapshot, snapshot.control(owned, on, on, basis)),
        "related": [tie(snapshot, relation, basis) for relation in ties],
    }
    answer["sources"] = sources(snapshot, answer)
    return answer


def holdings_answer(snapshot: Snapshot, entity: str, on: date) -> Json:
    """What an entity holds on a day, directly and through others.

    Raises
    ------
    UnknownRecord
        If there is no such entity.
    """
    records = snapshot.records
    if entity not in records.entities:
        raise UnknownRecord(f"no entity {entity!r}")
    rows = []
    for row in snapshot.holdings(entity, on):
        kind = "asset" if row.held in records.assets else "entity"
        name = records.assets[row.held].name if kind == "asset" else records.entities[row.held].name
        direct, effective = (
            dict(zip(("min", "max"), part.rounded(), strict=True)) for part in (row.direct, row.effective)
        )
        rows.append({"id": row.held, "kind": kind, "name": name, "direct": direct, "effective": effective})
    return {"entity": _record(records.entities[entity]), "on": on, "holdings": rows}


def _hit(snapshot: Snapshot, hit: HitOwners, told: Answer) -> Json:
    decision = hit.hit.decision
    candidates = snapshot.matches[told.strike.id]
    match = next((one for one in candidates if one.asset == hit.hit.asset), None)
    return {
        "asset": _asset(snapshot.records.assets[hit.hit.asset]),
        "verdict": hit.hit.verdict,
        "decision": decision.model_dump(mode="json", include={"who", "when", "why", "sources"}) if decision else None,
        "match": _evidence(match) if match else None,
        **_owners(snapshot, hit.owners),
        **control(snapshot, snapshot.control(hit.hit.asset, *days(told.strike), told.basis)),
    }


def _owners(snapshot: Snapshot, owners: Owners) -> Json:
    return {
        "owners": shares(snapshot, owners.shares, owners.unattributed, owners.reasons),
        "chains": [_chain(snapshot, chain) for chain in owners.chains.paths],
        "rest": interval(owners.chains.rest),
        "warnings": list(owners.warnings),
    }


def _chain(snapshot: Snapshot, chain: Chain) -> Json:
    steps = [_step(snapshot, step) for step in chain.steps]
    reach = chain.end.reach or "unattributed"
    entity = snapshot.records.entities[chain.end.entity] if chain.end.entity else None
    return {
        **interval(chain.share),
        "country": chain.end.country,
        "reach": reach,
        "reason": chain.end.reason,
        "stays_with": {"entity": entity.id, "name": entity.name} if entity else None,
        "steps": steps,
    }


def _step(snapshot: Snapshot, step: Step) -> Json:
    stake = step.stake
    share_min, share_max = step.share.rounded()
    owner = snapshot.records.entities[stake.owner]
    return {
        "owner": owner.id,
        "name": owner.name,
        "country": owner.registered_in,
        "type": owner.type,
        "owned": stake.owned,
        "share_min": share_min,
        "share_max": share_max,
        "since": stake.since,
        "until": stake.until,
        "checked": stake.checked,
        "source": stake.source,
        "note": stake.note,
    }


def tie(snapshot: Snapshot, relation: Relation, basis: Basis) -> Json:
    """A tie of an entity to an asset that is not ownership."""
    entity = snapshot.records.entities[relation.entity]
    country = _country(snapshot, country_of(entity, basis)) or {"country": None, "name": None}
    return {
        "relation": relation.relation,
        "entity": entity.id,
        "name": entity.name,
        "country": country["country"],
        "country_name": country["name"],
        "asset": relation.asset,
        "since": relation.since,
        "until": relation.until,
        "note": relation.note,
        "source": relation.source,
        "checked": relation.checked,
    }


def _candidates(snapshot: Snapshot, strike: str) -> Json:
    """What may have been hit, from the least probability that is shown on; how much the rest has in all."""
    matches = snapshot.matches[strike]
    least = snapshot.show_from
    rest = [match.probability for match in matches if match.asset is not None and match.probability < least]
    return {
        "candidates": [_candidate(snapshot, match) for match in shown(matches, least)],
        "candidates_below": {"count": len(rest), "probability": sum(rest)},
        "none_probability": next(match.probability for match in matches if match.asset is None),
    }


def _candidate(snapshot: Snapshot, match: Match) -> Json:
    assert match.asset is not None
    asset = snapshot.records.assets[match.asset]
    return {"asset": asset.id, "name": asset.name, "kind": asset.kind, **_evidence(match)}


def _evidence(match: Match) -> Json:
    return match.model_dump(mode="json", include={"probability", "distance_m", "reasons"})


def _asset(asset: Asset) -> Json:
    return {**_record(asset), "group": GROUPS.get(asset.kind)}


def _country(snapshot: Snapshot, iso: str | None) -> Json | None:
    return None if iso is None else {"country": iso, "name": _name(snapshot, iso)}


def _name(snapshot: Snapshot, iso: str) -> str:
    return snapshot.country_names.get(iso, iso)


def _record(record: Record) -> Json:
    """Every column; the geometry as GeoJSON."""
    values = record.model_dump(mode="json")
    if isinstance(shape := getattr(record, "geometry", None), shapely.Geometry):
        values["geometry"] = orjson.loads(shapely.to_geojson(shape))
    return values


def _about(told: Answer) -> Iterable[str]:
    """Ids of the records that the claims of an answer may be about, each once."""
    stakes = (step.stake.id for hit in told.hits for chain in hit.owners.chains.paths for step in chain.steps)
    return dict.fromkeys((told.strike.id, *(hit.hit.asset for hit in told.hits), *stakes))


def sources(snapshot: Snapshot, answer: object) -> Mapping[str, Json]:
    """The sources that an answer names anywhere, by id."""
    wanted = {"publisher", "title", "url", "archive_url", "published", "language", "licence"}
    known: Mapping[str, BaseModel] = snapshot.records.sources
    cited = sorted(set(_cited(answer)) & known.keys())
    return {name: known[name].model_dump(mode="json", include=wanted) for name in cited}


def _cited(value: object) -> Iterable[str]:
    if isinstance(value, dict):
        for key, part in value.items():
            if key in ("source", "place_source") and isinstance(part, str):
                yield part
            elif key == "sources" and isinstance(part, list):
                yield from part
            else:
                yield from _cited(part)
    elif isinstance(value, list):
        for part in value:
            yield from _cited(part)
