"""Answers on ownership as JSON values: owners of what a strike hit, chains, control, reasons, claims and sources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from functools import partial

import orjson
import shapely
from pydantic import BaseModel

from api.http.json import Json
from api.serializers import headline
from api.serializers.capacity import conditions_of
from api.serializers.headline import interval
from api.wording.catalogue import ENGLISH, text
from api.wording.countries import name_in, region_names
from layers.attribution.attribute import HitOwnership, StrikeAttribution, country_of, days, sites_together, sure_sites
from layers.collections.feature_types import KIND_GROUPS
from layers.decisions.hits import match_answer, shown
from layers.matching.explanation import worded_reasons
from layers.model.messages import Message
from layers.model.problems import UnknownRecord
from layers.model.records import Asset, Match, Record, Relation
from layers.model.types import CountryBasis
from layers.ownership.chains import Chain, ChainStep
from layers.ownership.control import Controller, ControlPeriod, ControlStep
from layers.ownership.minority import Minority
from layers.ownership.owners import Owners
from layers.ownership.walk import REACHES, CountryShare, Interval
from layers.resolution.independent_reports import reporters_of
from layers.snapshot.snapshot import Snapshot


def strike_answer(snapshot: Snapshot, struck: StrikeAttribution, language: str = ENGLISH) -> Json:
    """Give the whole answer to a strike: headline, readings, owners, ties, assets, candidates, claims and sources."""
    strike = struck.strike
    first, last = days(strike)
    claims = [claim for key in _about(struck) for claim in snapshot.records.where("claims", "record", key)]
    readings = headline.readings_of(snapshot, struck, language)
    answer: Json = {
        "strike": {
            **_record(strike),
            "regions": region_names(strike.region),
            "day_first": first,
            "day_last": last,
            "n_sources": len(strike.sources),
            "n_voices": len(reporters_of(strike, snapshot.records.sources)),
        },
        "headline": headline.headline(snapshot, readings, language),
        "headline_parts": headline.headline_parts(snapshot, readings, language),
        "basis": struck.basis,
        "minority": struck.minority,
        "rests_on": struck.outcome.basis_of_outcome,
        "decision": _record(struck.outcome.decision) if struck.outcome.decision else None,
        "host": _country(snapshot, struck.host.country),
        "host_basis": struck.host.basis,
        "readings": headline.readings_values(snapshot, readings, sites_together(struck.hits)),
        "owners": shares(snapshot, struck.shares, struck.unattributed, struck.reasons, language),
        "related": [
            relation_values(snapshot, relation, struck.basis, language)
            for hit in struck.hits
            for relation in hit.relations
        ],
        "assets": [_hit(snapshot, hit, struck, language) for hit in struck.hits],
        "claims": [claim.model_dump(mode="json", exclude={"id", "dataset", "private"}) for claim in claims],
    }
    answer |= _candidates(snapshot, strike.id, language)
    answer["sources"] = cited_sources(snapshot, answer)
    return answer


def owners_answer(
    snapshot: Snapshot,
    owned: str,
    owners: Owners,
    on: date,
    basis: CountryBasis,
    minority: Minority,
    language: str = ENGLISH,
) -> Json:
    """Give who owns and who controls an asset or entity on a day."""
    records = snapshot.records
    ties = records.where("relations", "asset", owned)
    about = (
        {"asset": _asset(records.assets[owned]), "conditions": conditions_of(snapshot, owned)}
        if owned in records.assets
        else {"entity": _record(records.entities[owned])}
    )
    answer: Json = {
        **about,
        "on": on,
        "basis": basis,
        "minority": minority,
        **_owners(snapshot, owners, language),
        **control(snapshot, snapshot.control(owned, on, on, basis), language),
        "related": [relation_values(snapshot, relation, basis, language) for relation in ties],
    }
    answer["sources"] = cited_sources(snapshot, answer)
    return answer


def holdings_answer(snapshot: Snapshot, entity: str, on: date, language: str = ENGLISH) -> Json:
    """Give the holdings of an entity on a day, direct and through others.

    Raises
    ------
    UnknownRecord
        If there is no such entity.
    """
    records = snapshot.records
    if entity not in records.entities:
        raise UnknownRecord(Message("record.no-entity", {"id": entity}))
    rows = []
    for row in snapshot.holdings(entity, on):
        kind = "asset" if row.id in records.assets else "entity"
        name = name_in(records.assets[row.id] if kind == "asset" else records.entities[row.id], language)
        direct, effective = (
            dict(zip(("min", "max"), part.rounded(), strict=True)) for part in (row.direct, row.effective)
        )
        rows.append({"id": row.id, "kind": kind, "name": name, "direct": direct, "effective": effective})
    return {"entity": _record(records.entities[entity]), "on": on, "holdings": rows}


def _hit(snapshot: Snapshot, hit: HitOwnership, struck: StrikeAttribution, language: str) -> Json:
    decision = hit.hit.decision
    candidates = snapshot.matches[struck.strike.id]
    match = next((candidate for candidate in candidates if candidate.asset == hit.hit.asset), None)
    return {
        "asset": _asset(snapshot.records.assets[hit.hit.asset]),
        "verdict": hit.hit.verdict,
        "sure": hit.hit.asset in sure_sites(struck),
        "decision": decision.model_dump(mode="json", include={"who", "when", "why", "sources"}) if decision else None,
        "match": evidence(match, language) if match else None,
        "conditions": conditions_of(snapshot, hit.hit.asset),
        **_owners(snapshot, hit.owners, language),
        **control(snapshot, snapshot.control(hit.hit.asset, *days(struck.strike), struck.basis), language),
    }


def _owners(snapshot: Snapshot, owners: Owners, language: str) -> Json:
    return {
        "owners": shares(snapshot, owners.shares, owners.unattributed, owners.reasons, language),
        "chains": [_chain(snapshot, chain, language) for chain in owners.chains.paths],
        "rest": interval(owners.chains.rest),
        "warnings": [text(warning, language) for warning in owners.warnings],
    }


def _chain(snapshot: Snapshot, chain: Chain, language: str) -> Json:
    entity = snapshot.records.entities[chain.end.entity] if chain.end.entity else None
    return {
        **interval(chain.share),
        "country": chain.end.country,
        "reach": chain.end.reach or "unattributed",
        "reason": text(chain.end.reason, language) if chain.end.reason else None,
        "stays_with": {"entity": entity.id, "name": name_in(entity, language)} if entity else None,
        "steps": [_step(snapshot, step, language) for step in chain.steps],
    }


def _step(snapshot: Snapshot, step: ChainStep, language: str) -> Json:
    stake = step.stake
    owner = snapshot.records.entities[stake.owner]
    said = {name: getattr(stake, name) for name in ("since", "until", "checked", "source", "note")}
    return {
        "owner": owner.id,
        "name": name_in(owner, language),
        "country": owner.registered_in,
        "type": owner.type,
        "owned": stake.owned,
        **interval(step.share),
        **said,
    }


def relation_values(snapshot: Snapshot, relation: Relation, basis: CountryBasis, language: str = ENGLISH) -> Json:
    """Give a relation of an entity to an asset that is no ownership, such as supplier or operator."""
    entity = snapshot.records.entities[relation.entity]
    country = _country(snapshot, country_of(entity, basis)) or {"country": None, "name": None}
    return {
        "relation": relation.relation,
        "entity": entity.id,
        "name": name_in(entity, language),
        "country": country["country"],
        "country_name": country["name"],
        "asset": relation.asset,
        "since": relation.since,
        "until": relation.until,
        "note": relation.note,
        "source": relation.source,
        "checked": relation.checked,
    }


def _candidates(snapshot: Snapshot, strike: str, language: str) -> Json:
    """Give what the match says, the candidates that are probable enough to be shown, and what the rest have at most."""
    matches = snapshot.matches[strike]
    least = snapshot.show_from
    rest = [match.probability for match in matches if match.asset is not None and match.probability < least]
    return {
        "match_answer": match_answer(matches, snapshot.publish_from),
        "candidates": [_candidate(snapshot, match, language) for match in shown(matches, least)],
        "candidates_below": {"count": len(rest), "probability": min(1.0, sum(rest))},
        "none_probability": next(match.probability for match in matches if match.asset is None),
    }


def _candidate(snapshot: Snapshot, match: Match, language: str) -> Json:
    assert match.asset is not None
    asset = snapshot.records.assets[match.asset]
    return {"asset": asset.id, "name": name_in(asset, language), "kind": asset.kind, **evidence(match, language)}


def evidence(match: Match, language: str = ENGLISH) -> Json:
    """How probable a match is, and why."""
    return {
        "probability": match.probability,
        "distance_m": match.distance_m,
        "reasons": worded_reasons(match.reasons, partial(text, language=language)),
    }


def _asset(asset: Asset) -> Json:
    return {**_record(asset), "group": KIND_GROUPS.get(asset.kind)}


def _country(snapshot: Snapshot, iso: str | None) -> Json | None:
    return None if iso is None else {"country": iso, "name": snapshot.country_names.get(iso, iso)}


def _record(record: Record) -> Json:
    """Give every column of a record; the geometry as GeoJSON."""
    values = record.model_dump(mode="json")
    if isinstance(shape := getattr(record, "geometry", None), shapely.Geometry):
        values["geometry"] = orjson.loads(shapely.to_geojson(shape))
    return values


def _about(struck: StrikeAttribution) -> Iterable[str]:
    """List the ids of the records of an answer that claims may be about, each once."""
    steps = [step.stake for hit in struck.hits for chain in hit.owners.chains.paths for step in chain.steps]
    named = (*(stake.id for stake in steps), *(stake.owner for stake in steps))
    return dict.fromkeys((struck.strike.id, *(hit.hit.asset for hit in struck.hits), *named))


def cited_sources(snapshot: Snapshot, answer: object) -> Mapping[str, Json]:
    """Collect the sources that an answer cites anywhere, by id."""
    wanted = {"publisher", "title", "url", "archive_url", "published", "language", "licence", "withheld"}
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


def shares(
    snapshot: Snapshot,
    owned_shares: tuple[CountryShare, ...],
    unattributed: Interval,
    reasons: tuple[Message, ...],
    language: str,
) -> list[Json]:
    """List each country's share in percent, largest first, and the unattributed share with its reasons."""
    rows = [country_share(snapshot, share) for share in owned_shares]
    if unattributed.high > 0:
        said = [text(reason, language) for reason in reasons]
        rows.append({"country": None, "name": "unattributed", **interval(unattributed), "reasons": said})
    return rows


def country_share(snapshot: Snapshot, share: CountryShare) -> Json:
    """Give a country's share in percent, in all and by where its chains end."""
    reaches: Json = {reach: list(share.reaches[reach].rounded()) for reach in REACHES}
    return {
        "country": share.country,
        "name": snapshot.country_names.get(share.country, share.country),
        **interval(share.share),
        **reaches,
    }


def control(snapshot: Snapshot, spans: tuple[ControlPeriod, ...], language: str = ENGLISH) -> Json:
    """Give who surely controls an asset or entity on all days, and who on each span of them."""
    days = [
        {"first": span.first, "last": span.last, "control": _controller(snapshot, span.controller, language)}
        for span in spans
    ]
    return {"control": days[0]["control"] if len(days) == 1 else None, "control_days": days}


def _controller(snapshot: Snapshot, controller: Controller | None, language: str) -> Json | None:
    if controller is None:
        return None
    return {
        "entity": controller.entity,
        "name": name_in(snapshot.records.entities[controller.entity], language),
        "country": controller.country,
        "reach": controller.reach,
        "steps": [_hold(snapshot, hold, language) for hold in controller.steps],
    }


def _hold(snapshot: Snapshot, hold: ControlStep, language: str) -> Json:
    records = snapshot.records
    return {
        "controlled": hold.controlled,
        "name": name_in(records.assets.get(hold.controlled) or records.entities[hold.controlled], language),
        "holders": [{"entity": name, "name": name_in(records.entities[name], language)} for name in hold.holders],
        **interval(hold.share),
        "declared": [control.kind for control in hold.declared],
        "sources": sorted({*(stake.source for stake in hold.stakes), *(c.source for c in hold.declared)}),
    }
