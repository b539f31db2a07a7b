"""The three readings of a strike as JSON values, and the sentence that puts them into words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from api.http.json import Json
from api.wording.catalogue import ENGLISH, text
from api.wording.countries import country_names, name_in
from layers.attribution import headline as wording
from layers.attribution.attribute import Attributor, StrikeAttribution, days
from layers.attribution.three_readings import (
    ControllingParty,
    CountryPart,
    StrikeReadings,
    ThreeReadings,
    strike_readings,
)
from layers.model.cache import LazyMapping
from layers.model.records import Entity
from layers.model.types import CountryBasis
from layers.ownership.walk import Interval
from layers.snapshot.snapshot import Snapshot


def readings_of(snapshot: Snapshot, struck: StrikeAttribution, language: str = ENGLISH) -> StrikeReadings:
    """Read the ownership of what a strike hit in all three ways, by the same hits and rule of minorities."""
    records = snapshot.records

    def by(basis: CountryBasis) -> StrikeAttribution:
        if struck.basis == basis:
            return struck
        return Attributor(records, snapshot.registers, basis, struck.minority).attribute(struck.outcome)

    on = days(struck.strike)
    control = {hit.hit.asset: snapshot.control(hit.hit.asset, *on) for hit in struck.hits}
    names = {hit.hit.asset: name_in(records.assets[hit.hit.asset], language) for hit in struck.hits}
    entities = records.entities if language == ENGLISH else _named(records.entities, language)
    return strike_readings(by("registration"), by("headquarters"), control, entities, names)


def _named(entities: Mapping[str, Entity], language: str) -> Mapping[str, Entity]:
    """The entities by their names in a language, where they have one."""

    def named(key: str) -> Entity:
        own = entities[key].names.get(language)
        return entities[key] if own is None else entities[key].model_copy(update={"name": own})

    return LazyMapping((), entities, named)


def headline_parts(snapshot: Snapshot, readings: StrikeReadings, language: str = ENGLISH) -> list[str]:
    """Give the sentences of the headline of a strike, without full stops."""
    names = country_names(snapshot.country_names, language)
    said = (text(message, language) for message in wording.headline(readings, names))
    return [sentence[0].upper() + sentence[1:] for sentence in said]


def headline(snapshot: Snapshot, readings: StrikeReadings, language: str = ENGLISH) -> str:
    """Give the headline of a strike: its sentences, the last without a full stop."""
    return ". ".join(headline_parts(snapshot, readings, language))


def headlines(snapshot: Snapshot, strikes: Iterable[str], language: str = ENGLISH) -> list[str]:
    """Give the headlines of strikes by their ids, in that order."""
    answers = map(snapshot.answer, strikes)
    return [headline(snapshot, readings_of(snapshot, answer, language), language) for answer in answers]


def readings_values(snapshot: Snapshot, readings: StrikeReadings, together: int) -> Json:
    """Give the three readings of all that was hit, so many sites together, and of each site."""
    return {
        "sites_together": together,
        **_three(snapshot, readings.together),
        "sites": [
            {"asset": site.asset, "name": site.name, "confirmed": site.confirmed, **_three(snapshot, site.readings)}
            for site in readings.sites
        ],
    }


def _three(snapshot: Snapshot, readings: ThreeReadings) -> Json:
    return {
        "registration": _countries(snapshot, readings.registration),
        "headquarters": _countries(snapshot, readings.headquarters),
        "control": [_party(snapshot, row) for row in readings.control],
    }


def _countries(snapshot: Snapshot, rows: Sequence[CountryPart]) -> list[Json]:
    return [
        {
            "country": row.country,
            "name": _name(snapshot, row.country),
            **interval(row.share),
            "sure": row.sure,
            "holders": [
                {"entity": one.entity, "name": one.name, "evidence": one.evidence, "head_office_known": one.seat_known}
                for one in row.holders
            ],
        }
        for row in rows
    ]


def _party(snapshot: Snapshot, row: ControllingParty) -> Json:
    return {
        "entity": row.entity,
        "name": row.name,
        "country": row.country,
        "country_name": _name(snapshot, row.country),
        "headquartered_in": row.seat,
        "reach": row.reach,
        **interval(row.share),
        "sure": row.sure,
    }


def interval(share: Interval) -> Json:
    """Give the lowest and the highest value of a share, in percent."""
    low, high = share.rounded()
    return {"share_min": low, "share_max": high}


def _name(snapshot: Snapshot, iso: str | None) -> str | None:
    return None if iso is None else snapshot.country_names.get(iso, iso)
