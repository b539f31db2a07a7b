"""The answer to a selection of strikes as JSON values: countries with bounds, capacity and days lost, dates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import shapely

from api.http.json import Json
from api.requests.parameters import Days
from api.serializers.attribution import cited_sources, relation_values, shares
from api.serializers.capacity import CapacityAccount
from api.serializers.headline import headlines
from api.wording.catalogue import ENGLISH
from api.wording.countries import name_in
from layers.attribution.attribute import StrikeAttribution, counts_as_strike, is_sure_strike, sites_together
from layers.attribution.capacity import Holder, anyone, owner
from layers.attribution.country_totals import country_totals
from layers.model import edtf
from layers.snapshot.snapshot import Snapshot

_ALWAYS = Days()


def selection_answer(
    snapshot: Snapshot,
    answers: Sequence[StrikeAttribution],
    country: str | None = None,
    period: Days = _ALWAYS,
    language: str = ENGLISH,
) -> Json:
    """Give what strikes come to together; retracted ones, and events that were judged to be no strike, are named apart.

    Parameters
    ----------
    answers
        Attributions by one basis and rule of minorities; there may be none.
    country
        The country whose owners' part of capacity is counted (ISO 3166-1 alpha-2); without it capacity is that of whole
        sites.
    period
        Days lost outside it are not counted.

    Returns
    -------
    Json
        ``countries`` have as ``owner`` the numbers of strikes that count surely and that are only possible, and bounds
        of what they held in site equivalents; hosts and other ties are never added to them.
    """
    counted = [one for one in answers if counts_as_strike(one)]
    left_out = [one.strike for one in answers if not counts_as_strike(one)]
    answer: Json = {
        "strikes": [_row(snapshot, one, language) for one in sorted(counted, key=_by_date)],
        "sure": sum(is_sure_strike(one) for one in counted),
        "left_out": [{"strike": one.id, "title": one.title, "titles": dict(one.titles)} for one in left_out],
        "countries": _countries(snapshot, counted),
        "rests_on": dict(Counter(one.outcome.basis_of_outcome for one in counted)),
        "unattributed": sum(one.unattributed.rounded()[1] > 0 or not one.hits for one in counted),
        "country": country,
        **_capacity(snapshot, counted, owner(country) if country else anyone(), period, language),
    }
    return {**answer, "sources": cited_sources(snapshot, answer)}


def strike_rows(snapshot: Snapshot, answers: Sequence[StrikeAttribution], language: str = ENGLISH) -> list[Json]:
    """Give each strike that counts in a row, by date: title, place, owners, other ties, headline, names and sources.

    ``names`` are those of what it hit and of all who owned, controlled or were tied to it, for a search; ``lon`` and
    ``lat`` are ``None`` where no place is known.
    """
    layer = snapshot.collections["strikes"]
    counted = sorted((one for one in answers if counts_as_strike(one)), key=_by_date)
    rows = []
    for one, said in zip(counted, headlines(snapshot, [one.strike.id for one in counted], language), strict=True):
        feature: Any = layer.features[layer.rows_by_id[one.strike.id]]
        shape = one.strike.geometry
        point = None if shape is None or shape.is_empty else shapely.point_on_surface(shape)
        rows.append(
            {
                **_row(snapshot, one, language),
                "title": one.strike.titles.get(language, one.strike.title),
                "place": one.strike.places.get(language, one.strike.place),
                "host_country": one.host.country,
                "day_first": feature.day_first,
                "day_last": feature.day_last,
                "headline": said,
                "rests_on": one.outcome.basis_of_outcome,
                "related": [
                    relation_values(snapshot, tie, one.basis, language) for hit in one.hits for tie in hit.relations
                ],
                "names": [*dict.fromkeys(_names(snapshot, one, language))],
                "sources": list(one.strike.sources),
                "n_sources": feature.n_sources,
                "n_voices": feature.n_voices,
                "uncertainty_m": one.strike.uncertainty_m,
                "lon": None if point is None else point.x,
                "lat": None if point is None else point.y,
            }
        )
    return rows


def _names(snapshot: Snapshot, one: StrikeAttribution, language: str) -> Iterator[str]:
    records = snapshot.records
    for hit in one.hits:
        yield name_in(records.assets[hit.hit.asset], language)
        for chain in hit.owners.chains.paths:
            yield from (name_in(records.entities[step.stake.owner], language) for step in chain.steps)


def _by_date(one: StrikeAttribution) -> tuple[str, str]:
    return str(edtf.parse(one.strike.when).earliest or "9999"), one.strike.id


def _row(snapshot: Snapshot, one: StrikeAttribution, language: str) -> Json:
    strike = one.strike
    return {
        "strike": strike.id,
        "title": strike.title,
        "titles": dict(strike.titles),
        "status": strike.status,
        "when": strike.when,
        "sites_together": sites_together(one.hits),
        "owners": shares(snapshot, one.shares, one.unattributed, one.reasons, language),
    }


def _countries(snapshot: Snapshot, counted: Sequence[StrikeAttribution]) -> list[Json]:
    rows = [
        {
            "country": iso,
            "name": snapshot.country_names.get(iso, iso),
            "owner": {
                "sure": total.owned.strikes_sure,
                "possible": total.owned.strikes - total.owned.strikes_sure,
                "assets_min": round(total.owned.assets_min, 4),
                "assets_max": round(total.owned.assets_max, 4),
            },
            "host": total.strikes["host"],
            "related": total.related,
        }
        for iso, total in country_totals(snapshot.records.entities, counted).items()
    ]
    return sorted(rows, key=lambda row: (*(-row["owner"][name] for name in ("sure", "possible")), -row["host"]))


def _capacity(
    snapshot: Snapshot, counted: Sequence[StrikeAttribution], holder: Holder, period: Days, language: str
) -> Json:
    if not counted:
        return {"capacity": {"hit": [], "lost": [], "untold": 0}, "sites": []}
    account = CapacityAccount.of_strikes(snapshot, counted, holder, period)
    assets = snapshot.records.assets
    sites = [{**site, "asset_name": name_in(assets[site["asset"]], language)} for site in account.sites()]
    return {"capacity": account.figures(), "sites": sites}
