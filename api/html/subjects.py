"""What the pages of a strike, a site, an owner and a country say, each from the answer that the API gives to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import shapely
from starlette.requests import Request

from api.exports.report.sections import CitedSources, layered, section
from api.exports.text import counted, page_text, share, word
from api.html.published import (
    ClaimRow,
    NumberedSource,
    PageSubject,
    SubjectContent,
    SubjectStrikes,
    head_of,
    numbered,
    published,
    strikes_pictures,
    subject_strikes,
)
from api.http.json import Json
from api.serializers import attribution
from api.server.served_version import ServedVersion
from api.wording.catalogue import phrase
from api.wording.dates import DATED, date_in_words
from api.wording.preference import language_of
from api.wording.strikes import strike_title
from layers.corrections.concerned import records_of_entity
from layers.model.records import Asset, Entity, Strike
from layers.model.types import EntityType

Names = Mapping[str, str]
#: Metres from which on it is said that a place is not exact.
_COARSE_M = 5_000
#: Names of a place, an owner and a country in schema.org, by the type of an entity.
_SCHEMA_TYPES: Mapping[EntityType, str] = {"person": "Person", "state": "Country"}
_MAX_HOLDINGS = 12
#: What the chain of a site that was hit has besides its holders.
_NO_HIT: Json = {"name": "", "verdict": "", "capacity": "", "control": (), "conditions": ()}


def strike_content(request: Request, view: ServedVersion, key: str) -> SubjectContent:
    """Say whose a strike hit, with the chains, the claims and the sources."""
    snapshot, language = view.snapshot, language_of(request)
    answer = attribution.strike_answer(snapshot, snapshot.answer(key))
    sources = CitedSources([answer])
    said = section(1, answer, sources, snapshot.country_names)
    title = strike_title(answer["strike"]["title"], answer["strike"]["status"], language)
    parts = [f"{part}." for part in answer["headline_parts"]]
    claims = [_claim(row, sources, language) for row in answer["claims"]]
    return SubjectContent(
        PageSubject("strike", key, f"{title}. {answer['headline']}", f"{answer['headline']}. {said['rests']}"),
        [*parts, said["rests"]],
        [(name, value) for name, value in said["facts"]],
        [{**chain, "name": hit["asset"]["name"]} for chain, hit in zip(said["assets"], answer["assets"], strict=True)],
        claims,
        _listed(view, sources, language),
        [*_unknown_of_strike(answer, language)],
        ties=said["others"],
    )


def asset_content(request: Request, view: ServedVersion, key: str) -> SubjectContent:
    """Say whose a site is on the day of the data, and which strikes hit it."""
    snapshot, language = view.snapshot, language_of(request)
    asset, day = snapshot.records.assets[key], snapshot.data_date
    owners = snapshot.owners(key, day)
    answer = attribution.owners_answer(snapshot, key, owners, day, "registration", "stay")
    sources = CitedSources([answer])
    chain = layered(answer, sources.cite, snapshot.country_names)
    for source in asset.sources:
        if source in answer["sources"]:
            sources.cite(source)
    strikes = subject_strikes(request, view, {"assets": key})
    on = {"day": date_in_words(day.isoformat(), language), "shares": _shares(answer["owners"])}
    whose = phrase(f"html.published.{'owned' if answer['owners'] else 'owner-unknown'}", language, **on)
    answers = [whose, _struck("struck", strikes, language)]
    return SubjectContent(
        PageSubject("asset", key, f"{asset.name}. {whose}", " ".join(answers)),
        answers,
        _asset_facts(view, asset, answer, language),
        [{**_NO_HIT, **chain}] if chain["holders"] else (),
        sources=_listed(view, sources, language),
        unknown=[*_unknown_owners(answer["owners"], language), *_unknown_place(asset, language), *_open(strikes)],
        strikes=strikes,
    )


def entity_content(request: Request, view: ServedVersion, key: str) -> SubjectContent:
    """Say which strikes hit what a company, person or state owned, and who owns it."""
    snapshot, language = view.snapshot, language_of(request)
    entity, day = snapshot.records.entities[key], snapshot.data_date
    answer = attribution.owners_answer(snapshot, key, snapshot.owners(key, day), day, "registration", "stay")
    sources = CitedSources([answer])
    chain = layered({**answer, "asset": {"name": entity.name}}, sources.cite, snapshot.country_names)
    strikes = subject_strikes(request, view, {"entity": key})
    answers = [_struck("struck-of-owner", strikes, language, name=entity.name)]
    return SubjectContent(
        PageSubject("entity", key, answers[0], answers[0]),
        answers,
        _entity_facts(view, entity, language),
        [{**_NO_HIT, **chain}] if chain["holders"] else (),
        sources=_listed(view, sources, language),
        unknown=[*(_unknown_owners(answer["owners"], language) if chain["holders"] else ()), *_open(strikes)],
        strikes=strikes,
    )


def country_content(request: Request, view: ServedVersion, answer: Json) -> SubjectContent:
    """Say which strikes hit what was owned in a country; other ties and strikes on its soil apart, never added.

    Parameters
    ----------
    answer
        The answer to the country, see `api.serializers.country`.
    """
    language, iso, name = language_of(request), answer["country"], answer["name"]
    strikes = subject_strikes(request, view, {"country": iso})
    answers = [_struck("struck-in-country", strikes, language, name=name)]
    facts = []
    for relation in ("related", "host"):
        tied = subject_strikes(request, view, {"country": iso, "relation": relation})
        facts.append((page_text(f"role{relation}"), _struck("struck-tied", tied, language)))
    owner = answer["relations"].get("owner")
    if owner and owner["hits"]:
        low, high = owner["assets_min"], owner["assets_max"]
        whole = f"{low:g}" if low == high else f"{low:g}–{high:g}"
        facts.insert(0, (phrase("html.published.whole-sites", language), whole))
    return SubjectContent(
        PageSubject("country", iso, answers[0], f"{answers[0]} {phrase('html.published.never-added', language)}"),
        [*answers, phrase("html.published.never-added", language)],
        facts,
        sources=[
            numbered(number, source, language)
            for number, key in enumerate(answer["sources"], 1)
            if (source := view.snapshot.records.sources.get(key))
        ],
        unknown=[*_open(strikes)],
        strikes=strikes,
    )


def of_answer(request: Request, view: ServedVersion, kind: str, answer: Json) -> Json:
    """Give the page of a country or of an owner what it says first; nothing of a part of the answer, or of others."""
    if kind == "answer" or request.query_params.keys() - {"f", "lang"}:
        return {}
    records = view.snapshot.records
    if kind == "country":
        key, keys, chosen = answer["country"], None, {"country": answer["country"]}
        content, about = country_content(request, view, answer), country_data(answer)
    else:
        key = answer["entity"]["id"]
        keys, chosen = records_of_entity(view.snapshot, key), {"entity": key}
        content, about = entity_content(request, view, key), entity_data(records.entities[key])
    shown = strikes_pictures(request, view, chosen)
    head = head_of(request, view, content, about, shown)
    return {**published(request, view, content, keys), "head": head, "pictures": shown}


def strike_data(strike: Strike, view: ServedVersion) -> Json:
    """Describe a strike as schema.org does an event."""
    feature: Any = view.snapshot.collections["strikes"]
    row: Any = feature.features[feature.rows_by_id[strike.id]]
    days = {"startDate": row.day_first, "endDate": row.day_last}
    place: Json = {"@type": "Place", "name": strike.place, **_placed(strike)}
    if strike.host_country:
        place["address"] = {"@type": "PostalAddress", "addressCountry": strike.host_country}
    dates = {name: str(day) for name, day in days.items() if day}
    return {"@type": "Event", "identifier": strike.id, "name": strike.title, **dates, "location": place}


def asset_data(asset: Asset) -> Json:
    """Describe a site as schema.org does a place."""
    place: Json = {"@type": "Place", "identifier": asset.id, "name": asset.name, **_placed(asset)}
    if asset.host_country:
        place["address"] = {"@type": "PostalAddress", "addressCountry": asset.host_country}
    return {**place, **({"alternateName": list(asset.aliases)} if asset.aliases else {})}


def entity_data(entity: Entity) -> Json:
    """Describe a company, person or state as schema.org does."""
    described: Json = {"@type": _SCHEMA_TYPES.get(entity.type, "Organization"), "identifier": entity.id}
    described |= {"name": entity.name, **({"alternateName": list(entity.aliases)} if entity.aliases else {})}
    lei = entity.external_ids.get("lei")
    return {**described, **({"leiCode": lei} if lei and described["@type"] == "Organization" else {})}


def country_data(answer: Json) -> Json:
    """Describe a country as schema.org does."""
    return {"@type": "Country", "identifier": answer["country"], "name": answer["name"]}


def _placed(record: Strike | Asset) -> Json:
    """Give a place with the circle that holds the true one, in metres."""
    shape = record.geometry
    if not isinstance(shape, shapely.Point) or record.uncertainty_m is None:
        return {}
    middle = {"@type": "GeoCoordinates", "latitude": round(shape.y, 7), "longitude": round(shape.x, 7)}
    return {"geo": {"@type": "GeoCircle", "geoMidpoint": middle, "geoRadius": f"{record.uncertainty_m:g}"}}


def _claim(row: Json, sources: CitedSources, language: str) -> ClaimRow:
    value = date_in_words(row["value"], language) if row["field"] in DATED else row["value"]
    checked = page_text("checkedOf", what=page_text("checkedValue"), how=word("checked", row["checked"]))
    return ClaimRow(word("field", row["field"]), value, row["quote"], checked, sources.cite(row["source"]))


def _listed(view: ServedVersion, sources: CitedSources, language: str) -> list[NumberedSource]:
    """List the cited sources in the order of their numbers."""
    known = view.snapshot.records.sources
    return [numbered(number, known[name], language) for name, number in sources.numbers.items()]


def _shares(owners: Sequence[Json]) -> str:
    return ", ".join(f"{_named(row)} {share(row['share_min'], row['share_max'])}" for row in owners)


def _named(row: Json) -> str:
    return page_text("unattributed") if row["country"] is None else str(row["name"])


def _struck(code: str, strikes: SubjectStrikes, language: str, **named: str) -> str:
    """Word how many strikes there are for sure, and how many more may count."""
    total = strikes.total
    more = total.strikes - total.sure
    said = phrase(f"html.published.{code}", language, sure=counted("count", total.sure), **named)
    return f"{said}; {counted('mayCount', more)}." if more else f"{said}."


def _open(strikes: SubjectStrikes) -> Iterable[str]:
    """Say why some strikes only may count."""
    return [page_text("whyMay", list=strikes.why) + "."] if strikes.why else []


def _asset_facts(view: ServedVersion, asset: Asset, answer: Json, language: str) -> list[tuple[str, str]]:
    host = view.snapshot.country_names.get(asset.host_country or "", asset.host_country or "")
    kind = ", ".join(part for part in (word("kind", asset.kind), asset.commodity) if part)
    control = answer["control"]
    capacity = (
        f"{asset.capacity:,.12g} {asset.capacity_unit}" if asset.capacity is not None and asset.capacity_unit else ""
    )
    if capacity and asset.capacity_on:
        capacity += f" ({date_in_words(asset.capacity_on, language)})"
    facts = [
        (phrase("html.published.kind", language), kind),
        (page_text("host"), host),
        (page_text("where"), word("basis", asset.basis) + f", ±{asset.uncertainty_m:g} m" if asset.basis else ""),
        (page_text("control"), control["name"] if control else page_text("controlNobody")),
        (phrase("html.published.capacity", language), capacity),
    ]
    return [fact for fact in facts if fact[1]]


def _entity_facts(view: ServedVersion, entity: Entity, language: str) -> list[tuple[str, str]]:
    names = view.snapshot.country_names
    held = view.snapshot.holdings(entity.id, view.snapshot.data_date)
    records = view.snapshot.records
    called = [
        (records.assets.get(row.id) or records.entities[row.id]).name + f" {share(*row.effective.rounded())}"
        for row in held
    ]
    more = len(called) - _MAX_HOLDINGS
    listed = "; ".join(called[:_MAX_HOLDINGS]) + (
        f"; {phrase('html.published.more', language, n=more)}" if more > 0 else ""
    )
    facts = [
        (phrase("html.published.kind", language), phrase(f"html.published.type-{entity.type}", language)),
        (page_text("basisregistration"), names.get(entity.registered_in or "", entity.registered_in or "")),
        (page_text("basisheadquarters"), names.get(entity.headquartered_in or "", entity.headquartered_in or "")),
        (
            phrase("html.published.ids", language),
            ", ".join(f"{name} {text}" for name, text in entity.external_ids.items()),
        ),
        (phrase("html.published.holds", language), listed),
    ]
    return [(name[:1].upper() + name[1:], value) for name, value in facts if value]


def _unknown_of_strike(answer: Json, language: str) -> Iterable[str]:
    """Say what the answer to a strike leaves open."""
    strike = answer["strike"]
    if not strike["day_first"] or not strike["day_last"] or strike["day_first"] != strike["day_last"]:
        yield phrase("html.published.day-open", language, when=date_in_words(strike["when"], language))
    yield from _unknown_place_of(strike["basis"], strike["uncertainty_m"], language)
    if answer["rests_on"] == "nothing":
        yield page_text("restsnothing")
    names = [f"{row['name']} ({row['probability']:.0%})" for row in answer["candidates"]]
    if answer["rests_on"] in ("alternatives", "match") and len(names) > 1:
        yield phrase("html.published.candidates", language, names=names)
    yield from _unknown_owners(answer["owners"], language)
    for hit in answer["assets"]:
        yield from hit["warnings"]
    if not strike["n_voices"]:
        yield phrase("html.published.no-voice", language)
    if not strike["damage"]:
        yield phrase("html.published.no-damage", language)


def _unknown_owners(owners: Sequence[Json], language: str) -> Iterable[str]:
    for row in owners:
        if row["country"] is None:
            part = share(row["share_min"], row["share_max"])
            yield phrase("html.published.unattributed", language, share=part, why="; ".join(row["reasons"]))


def _unknown_place(record: Asset, language: str) -> Iterable[str]:
    yield from _unknown_place_of(record.basis, record.uncertainty_m, language)


def _unknown_place_of(basis: str | None, uncertainty_m: float | None, language: str) -> Iterable[str]:
    if basis is None or uncertainty_m is None:
        yield phrase("html.published.no-place", language)
    elif uncertainty_m >= _COARSE_M:
        named = {"basis": word("basis", basis), "km": f"{uncertainty_m / 1000:.3g}"}
        yield phrase("html.published.coarse-place", language, **named)
