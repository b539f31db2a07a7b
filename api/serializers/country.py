"""Answers on countries as plain values: what of a country's was hit, relation by relation, never added together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from api.serializers import attribution
from api.serializers.shares import country_share
from layers.attribution.attribute import Answer
from layers.attribution.country_totals import NO_STRIKES, RELATIONS, Relation, Tally, stands
from layers.collections.feature_types import interval_text
from layers.model.problems import UnknownRecord
from layers.ownership.walk import Basis, Minority
from layers.snapshot.snapshot import Snapshot

Json = dict[str, Any]


def country_answer(
    snapshot: Snapshot, iso: str, basis: Basis, minority: Minority, relation: Relation | None = None
) -> Json:
    """What of a country's was hit; what it owned, hosted or was tied to otherwise stays apart.

    Strikes that are retracted, or that somebody decided were none, are left out. With ``relation`` only the
    strikes on what it was that to are told.

    Raises
    ------
    UnknownRecord
        If no country of the base map or of the records has that code.
    """
    _require_country(snapshot, iso)
    answers = [told for told in snapshot.concerning(iso, basis, minority) if stands(told)]
    owned = [row for told in answers for row in _owned_rows(snapshot, told, iso)] if _asked(relation, "owner") else []
    related = [
        row for told in answers for row in _related_rows(snapshot, told, iso) if _asked(relation, row["relation"])
    ]
    hosted = [_hosted_row(told) for told in answers if told.strike.host_country == iso and _asked(relation, "host")]
    return {
        **_head(snapshot, iso, snapshot.tallies(basis, minority).get(iso, NO_STRIKES), relation),
        "basis": basis,
        "minority": minority,
        "relation": relation,
        "owned": owned,
        "related": related,
        "hosted": hosted,
        "counts": {"owned": _strikes(owned), "related": _strikes(related), "hosted": len(hosted)},
    }


def countries_answer(snapshot: Snapshot, basis: Basis, minority: Minority, relation: Relation | None = None) -> Json:
    """Every country that a strike concerns, or concerns in one relation: most strikes first, by owner unless asked."""
    counted = snapshot.tallies(basis, minority)
    asked = relation or "owner"
    rows = [(_strikes_by(tally, asked), iso, tally) for iso, tally in counted.items()]
    rows = sorted((row for row in rows if row[0] or relation is None), key=lambda row: (-row[0], row[1]))
    countries = [_head(snapshot, iso, tally, relation) for _, iso, tally in rows]
    return {"basis": basis, "minority": minority, "relation": relation, "countries": countries}


def _require_country(snapshot: Snapshot, iso: str) -> None:
    entities = snapshot.records.entities.values()
    if iso in snapshot.country_names or any(iso in (e.registered_in, e.headquartered_in) for e in entities):
        return
    raise UnknownRecord(f"no country {iso!r}; use ISO 3166-1 alpha-2 such as AZ")


def _asked(relation: Relation | None, one: str) -> bool:
    return relation is None or relation == one


def _head(snapshot: Snapshot, iso: str, tally: Tally, relation: Relation | None) -> Json:
    told = {one: _counted(tally, one) for one in RELATIONS if _asked(relation, one)}
    return {"country": iso, "name": snapshot.country_names.get(iso, iso), "relations": told}


def _strikes_by(tally: Tally, relation: Relation) -> int:
    return tally.owned.strikes if relation == "owner" else tally.strikes[relation]


def _counted(tally: Tally, relation: Relation) -> Json:
    """Number of strikes; of an owner also how many are sure, and the sum of its shares in whole sites."""
    owned = tally.owned
    if relation != "owner":
        return {"strikes": tally.strikes[relation]}
    return {
        "strikes": owned.strikes,
        "strikes_sure": owned.strikes_sure,
        "hits": owned.hits,
        "assets_min": round(owned.assets_min, 4),
        "assets_max": round(owned.assets_max, 4),
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
                    **country_share(snapshot, share),
                    "rests_on": told.finding.rests_on,
                    "alternative": hit.hit.verdict == "possible",
                }


def _related_rows(snapshot: Snapshot, told: Answer, iso: str) -> Iterable[Json]:
    for hit in told.hits:
        for relation in hit.relations:
            tie = attribution.tie(snapshot, relation, told.basis)
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
