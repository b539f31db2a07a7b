"""Answers on countries as JSON values: strikes on what a country owned, was tied to or hosted, never added together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import get_args

from api.http.json import Json
from api.requests.parameters import Days
from api.serializers import attribution
from api.serializers.attribution import country_share
from api.serializers.capacity import CapacityAccount, CountedRelation
from api.wording.catalogue import ENGLISH
from api.wording.countries import name_in
from layers.attribution.attribute import StrikeAttribution, counts_as_strike, sites_together, sure_sites
from layers.attribution.country_totals import NO_STRIKES, RELATIONS, CountryTotals, Relation, country_totals
from layers.model import edtf
from layers.model.messages import Message
from layers.model.problems import UnknownRecord
from layers.model.types import CountryBasis
from layers.ownership.minority import Minority
from layers.ownership.percent import digits_of, interval_text
from layers.snapshot.snapshot import Snapshot

_ALWAYS = Days()
_COUNTED: tuple[CountedRelation, ...] = get_args(CountedRelation)


def country_answer(
    snapshot: Snapshot,
    iso: str,
    basis: CountryBasis,
    minority: Minority,
    relation: Relation | None = None,
    period: Days = _ALWAYS,
    language: str = ENGLISH,
) -> Json:
    """Give the strikes that concern a country, those on what it owned, was tied to and hosted apart, and the capacity.

    Retracted strikes, and events that were judged to be no strike, are left out. With ``relation`` only the
    strikes of that relation are listed; with ``period`` only those that may have been on a day of it.

    Raises
    ------
    UnknownRecord
        If no country of the base map or of the records has that code.
    """
    _require_country(snapshot, iso)
    answers = _answers(snapshot, iso, basis, minority, period)
    owned = (
        [row for struck in answers for row in _owned_rows(snapshot, struck, iso, language)]
        if _is_requested(relation, "owner")
        else []
    )
    related = [
        row
        for struck in answers
        for row in _related_rows(snapshot, struck, iso, language)
        if _is_requested(relation, row["relation"])
    ]
    hosted = [
        _hosted_row(struck) for struck in answers if struck.host.country == iso and _is_requested(relation, "host")
    ]
    capacity = {
        name: CapacityAccount.of(snapshot, iso, name, answers, basis, minority, period).figures()
        for name in _COUNTED
        if _is_requested(relation, name)
    }
    tally = (
        snapshot.tallies(basis, minority) if period == _ALWAYS else country_totals(snapshot.records.entities, answers)
    )
    return {
        **_head(snapshot, iso, tally.get(iso, NO_STRIKES), relation),
        "basis": basis,
        "minority": minority,
        "relation": relation,
        "since": period.first,
        "until": period.last,
        "capacity": capacity,
        "owned": owned,
        "related": related,
        "hosted": hosted,
        "counts": {"owned": _strikes(owned), "related": _strikes(related), "hosted": len(hosted)},
        "sources": attribution.cited_sources(snapshot, capacity),
    }


def capacity_answer(snapshot: Snapshot, iso: str, basis: CountryBasis, minority: Minority, period: Days) -> Json:
    """Give the capacity of a country that was hit and lost, as owner and as host, with the sites that it is based on.

    Raises
    ------
    UnknownRecord
        If no country of the base map or of the records has that code.
    """
    _require_country(snapshot, iso)
    answers = _answers(snapshot, iso, basis, minority, period)
    answer: Json = {
        "country": iso,
        "name": snapshot.country_names.get(iso, iso),
        "basis": basis,
        "minority": minority,
        "since": period.first,
        "until": period.last,
        "data_date": snapshot.data_date,
    }
    for name in _COUNTED:
        account = CapacityAccount.of(snapshot, iso, name, answers, basis, minority, period)
        answer[name] = {**account.figures(), "sites": account.sites()}
    answer["sources"] = attribution.cited_sources(snapshot, answer)
    return answer


def _answers(
    snapshot: Snapshot, iso: str, basis: CountryBasis, minority: Minority, period: Days
) -> list[StrikeAttribution]:
    """List the attributions of the strikes that count and may have been on a day of the period.

    One that may have been outside it is not sure.
    """
    answers = (struck for struck in snapshot.concerning(iso, basis, minority) if counts_as_strike(struck))
    if period == _ALWAYS:
        return [*answers]
    dated = ((one, edtf.parse(one.strike.when)) for one in answers)
    return [
        one._replace(is_within=when.lies_within(period.first, period.last))
        for one, when in dated
        if when.may_overlap(period.first, period.last)
    ]


def countries_answer(
    snapshot: Snapshot, basis: CountryBasis, minority: Minority, relation: Relation | None = None
) -> Json:
    """List every country that strikes concern, in one relation or any: most strikes first, as owner by default."""
    counted = snapshot.tallies(basis, minority)
    ranked_by = relation or "owner"
    rows = [(_strikes_by(tally, ranked_by), iso, tally) for iso, tally in counted.items()]
    rows = sorted((row for row in rows if row[0] or relation is None), key=lambda row: (-row[0], row[1]))
    countries = [_head(snapshot, iso, tally, relation) for _, iso, tally in rows]
    return {"basis": basis, "minority": minority, "relation": relation, "countries": countries}


def _require_country(snapshot: Snapshot, iso: str) -> None:
    entities = snapshot.records.entities.values()
    if iso in snapshot.country_names or any(iso in (e.registered_in, e.headquartered_in) for e in entities):
        return
    raise UnknownRecord(Message("record.no-country", {"code": iso}))


def _is_requested(relation: Relation | None, name: str) -> bool:
    return relation is None or relation == name


def _head(snapshot: Snapshot, iso: str, tally: CountryTotals, relation: Relation | None) -> Json:
    counts = {name: _counted(tally, name) for name in RELATIONS if _is_requested(relation, name)}
    return {"country": iso, "name": snapshot.country_names.get(iso, iso), "relations": counts}


def _strikes_by(tally: CountryTotals, relation: Relation) -> int:
    return tally.owned.strikes if relation == "owner" else tally.strikes[relation]


def _counted(tally: CountryTotals, relation: Relation) -> Json:
    """Count strikes, and those that are sure; of an owner also the sum of its shares in site equivalents."""
    owned = tally.owned
    if relation != "owner":
        return {"strikes": tally.strikes[relation], "strikes_sure": tally.strikes_sure[relation]}
    return {
        "strikes": owned.strikes,
        "strikes_sure": owned.strikes_sure,
        "hits": owned.hits,
        "assets_min": round(owned.assets_min, 4),
        "assets_max": round(owned.assets_max, 4),
    }


def _strikes(rows: Iterable[Json]) -> int:
    return len({row["strike"] for row in rows})


def _owned_rows(snapshot: Snapshot, struck: StrikeAttribution, iso: str, language: str) -> Iterable[Json]:
    sure = sure_sites(struck)
    for hit in struck.hits:
        asset = snapshot.records.assets[hit.hit.asset]
        for share in hit.owners.shares:
            if share.country == iso:
                yield {
                    **_brief(struck),
                    "asset": asset.id,
                    "asset_name": name_in(asset, language),
                    **country_share(snapshot, share),
                    "rests_on": struck.outcome.basis_of_outcome,
                    "alternative": hit.hit.verdict == "possible",
                    "site_sure": hit.hit.asset in sure,
                }


def _related_rows(snapshot: Snapshot, struck: StrikeAttribution, iso: str, language: str) -> Iterable[Json]:
    for hit in struck.hits:
        for relation in hit.relations:
            tie = attribution.relation_values(snapshot, relation, struck.basis, language)
            if tie["country"] == iso:
                name = name_in(snapshot.records.assets[hit.hit.asset], language)
                yield {**_brief(struck), **tie, "asset_name": name}


def _hosted_row(struck: StrikeAttribution) -> Json:
    digits = digits_of(sites_together(struck.hits))
    owners = ", ".join(f"{share.country} {interval_text(share.share, digits)}" for share in struck.shares)
    return {**_brief(struck), "owners": owners}


def _brief(struck: StrikeAttribution) -> Json:
    strike = struck.strike
    return {
        "strike": strike.id,
        "title": strike.title,
        "when": strike.when,
        "place": strike.place,
        "host_country": struck.host.country,
        "status": strike.status,
    }
