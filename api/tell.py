"""Answers as plain values, for JSON: whose it was, with chains, reasons, claims and sources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

import orjson
import shapely
from pydantic import BaseModel

from layers.attribution import Answer, HitOwners, Owners, days
from layers.chains import Chain, Step
from layers.features import GROUPS, interval_text
from layers.identity import Resolution
from layers.ownership import REACHES, Basis, CountryShare, Interval, Minority, UnknownRecord
from layers.reading import Reading
from layers.schema import NOUNS, Asset, Match, Record, Relation
from layers.snapshot import Snapshot
from layers.store import LoadReport

Json = dict[str, Any]


def strike_answer(snapshot: Snapshot, told: Answer) -> Json:
    """The whole answer to one strike."""
    strike = told.strike
    first, last = days(strike)
    claims = [claim for claim in snapshot.records.claims.values() if claim.record in _about(told)]
    answer: Json = {
        "strike": {**_record(strike), "day_first": first, "day_last": last},
        "basis": told.basis,
        "minority": told.minority,
        "rests_on": told.finding.rests_on,
        "decision": _record(told.finding.decision) if told.finding.decision else None,
        "host": _country(snapshot, strike.host_country),
        "owners": _shares(snapshot, told.shares, told.unattributed, told.reasons),
        "related": [_tie(snapshot, tie) for hit in told.hits for tie in hit.relations],
        "assets": [_hit(snapshot, hit, last or snapshot.data_date) for hit in told.hits],
        "claims": [claim.model_dump(mode="json", exclude={"id", "dataset"}) for claim in claims],
    }
    matches = snapshot.matches[strike.id]
    answer["candidates"] = [_candidate(snapshot, match) for match in matches if match.asset is not None]
    answer["none_probability"] = next(match.probability for match in matches if match.asset is None)
    answer["sources"] = sources(snapshot, answer)
    return answer


def owners_answer(snapshot: Snapshot, owned: str, owners: Owners, on: date, basis: Basis, minority: Minority) -> Json:
    """Who owns an asset or entity on a day."""
    records = snapshot.records
    ties = [tie for tie in records.relations.values() if tie.asset == owned]
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
        "control": _control(snapshot, owned, on),
        "related": [_tie(snapshot, tie) for tie in ties],
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


def _control(snapshot: Snapshot, owned: str, on: date) -> Json | None:
    """Who surely controls an asset or entity, with the steps down to it."""
    found = snapshot.controller(owned, on)
    if found is None:
        return None
    records = snapshot.records
    steps = [
        {
            "controlled": hold.controlled,
            "name": (records.assets.get(hold.controlled) or records.entities[hold.controlled]).name,
            "holders": [{"entity": name, "name": records.entities[name].name} for name in hold.holders],
            **_interval(hold.share),
            "declared": [control.kind for control in hold.declared],
            "sources": sorted({*(stake.source for stake in hold.stakes), *(c.source for c in hold.declared)}),
        }
        for hold in found.holds
    ]
    name = records.entities[found.entity].name
    return {"entity": found.entity, "name": name, "country": found.country, "reach": found.reach, "steps": steps}


def country_answer(snapshot: Snapshot, iso: str, basis: Basis, minority: Minority) -> Json:
    """What of a country's was hit; what it owned, hosted or was tied to otherwise stays apart.

    Raises
    ------
    UnknownRecord
        If no country of the base map or of the records has that code.
    """
    answers = list(snapshot.answers(basis, minority).values())
    known = {entity.registered_in for entity in snapshot.records.entities.values()}
    if iso not in snapshot.country_names and iso not in known:
        raise UnknownRecord(f"no country {iso!r}; use ISO 3166-1 alpha-2 such as AZ")
    owned = [row for told in answers for row in _owned_rows(snapshot, told, iso)]
    related = [row for told in answers for row in _related_rows(snapshot, told, iso)]
    hosted = [_hosted_row(told) for told in answers if told.strike.host_country == iso]
    counts = {"owned": _strikes(owned), "related": _strikes(related), "hosted": len(hosted)}
    return {
        "country": iso,
        "name": snapshot.country_names.get(iso, iso),
        "basis": basis,
        "minority": minority,
        "owned": owned,
        "related": related,
        "hosted": hosted,
        "counts": counts,
    }


def _strikes(rows: Iterable[Json]) -> int:
    return len({row["strike"] for row in rows})


def _owned_rows(snapshot: Snapshot, told: Answer, iso: str) -> Iterable[Json]:
    for hit in told.hits:
        asset = snapshot.records.assets[hit.hit.asset]
        for share in hit.owners.shares:
            if share.country == iso:
                yield {
                    **_brief(told),
                    "asset": asset.id,
                    "asset_name": asset.name,
                    **_share(snapshot, share),
                    "rests_on": told.finding.rests_on,
                    "alternative": hit.hit.verdict == "possible",
                }


def _related_rows(snapshot: Snapshot, told: Answer, iso: str) -> Iterable[Json]:
    for hit in told.hits:
        for relation in hit.relations:
            tie = _tie(snapshot, relation)
            if tie["country"] == iso:
                yield {**_brief(told), **tie, "asset_name": snapshot.records.assets[hit.hit.asset].name}


def _hosted_row(told: Answer) -> Json:
    owners = ", ".join(f"{share.country} {interval_text(share.share)}" for share in told.shares)
    return {**_brief(told), "owners": owners}


def _brief(told: Answer) -> Json:
    strike = told.strike
    return {
        "strike": strike.id,
        "title": strike.title,
        "when": strike.when,
        "place": strike.place,
        "host_country": strike.host_country,
    }


def _hit(snapshot: Snapshot, hit: HitOwners, on: date) -> Json:
    decision = hit.hit.decision
    match = hit.hit.match
    return {
        "asset": _asset(snapshot.records.assets[hit.hit.asset]),
        "verdict": hit.hit.verdict,
        "decision": decision.model_dump(mode="json", include={"who", "when", "why", "sources"}) if decision else None,
        "match": _evidence(match) if match else None,
        **_owners(snapshot, hit.owners),
        "control": _control(snapshot, hit.hit.asset, on),
    }


def _owners(snapshot: Snapshot, owners: Owners) -> Json:
    return {
        "owners": _shares(snapshot, owners.shares, owners.unattributed, owners.reasons),
        "chains": [_chain(snapshot, chain) for chain in owners.chains.paths],
        "rest": _interval(owners.chains.rest),
        "warnings": list(owners.warnings),
    }


def _shares(
    snapshot: Snapshot, shares: tuple[CountryShare, ...], unattributed: Interval, reasons: tuple[str, ...]
) -> list[Json]:
    rows = [_share(snapshot, share) for share in shares]
    if unattributed.high > 0:
        rows.append({"country": None, "name": "unattributed", **_interval(unattributed), "reasons": list(reasons)})
    return rows


def _share(snapshot: Snapshot, share: CountryShare) -> Json:
    reaches: Json = {reach: list(share.reaches[reach].rounded()) for reach in REACHES}
    return {"country": share.country, "name": _name(snapshot, share.country), **_interval(share.share), **reaches}


def _interval(share: Interval) -> Json:
    low, high = share.rounded()
    return {"share_min": low, "share_max": high}


def _chain(snapshot: Snapshot, chain: Chain) -> Json:
    steps = [_step(snapshot, step) for step in chain.steps]
    reach = chain.end.reach or "unattributed"
    entity = snapshot.records.entities[chain.end.entity] if chain.end.entity else None
    return {
        **_interval(chain.share),
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


def _tie(snapshot: Snapshot, relation: Relation) -> Json:
    entity = snapshot.records.entities[relation.entity]
    country = _country(snapshot, entity.registered_in) or {"country": None, "name": None}
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


def _about(told: Answer) -> frozenset[str]:
    """Ids of the records that the claims of an answer may be about."""
    stakes = {step.stake.id for hit in told.hits for chain in hit.owners.chains.paths for step in chain.steps}
    return frozenset({told.strike.id, *(hit.hit.asset for hit in told.hits), *stakes})


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


def imported(reading: Reading, found: Resolution, report: LoadReport | None) -> Json:
    """What an import read, whom it knew, whom it may know, and what was written (nothing in a dry run)."""
    kinds = ("added", "changed", "removed", "unchanged")
    return {
        "read": {name: len(reading.records.table(name)) for name in NOUNS if reading.records.table(name)},
        "problems": [problem.as_dict() for problem in reading.problems],
        "same": {incoming: {"known": known, "by": by} for incoming, (known, by) in found.same.items()},
        "proposals": [asdict(proposal) for proposal in found.proposals],
        "conflicts": list(found.conflicts),
        "new": len(found.new),
        "written": {kind: dict(getattr(report, kind)) for kind in kinds} if report else None,
    }
