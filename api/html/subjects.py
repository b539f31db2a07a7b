"""What the pages of a strike, a site, an owner and a country say, each from the answer that the API gives to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import shapely
from starlette.requests import Request

from api.exports.dossier.sections import (
    CitedSources,
    SectionWriter,
    capacity_in_words,
    checked_words,
    length,
    place_in_words,
    withheld_in_words,
)
from api.exports.text import amount, counted, named_shares, page_text, share, word, words
from api.html.map_images import BESIDE
from api.html.published import (
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
from api.wording.catalogue import formatted, phrase
from api.wording.countries import country_names, in_language, name_in
from api.wording.dates import DATED, date_in_words
from api.wording.preference import language_of
from api.wording.strikes import strike_title
from layers.attribution.attribute import StrikeAttribution
from layers.corrections.concerned import records_of_entity
from layers.disclosure.ruling import is_left_out, is_rounded
from layers.model.records import Asset, Entity, Strike
from layers.model.types import EntityType
from layers.ownership.owners import Owners
from layers.snapshot.snapshot import Snapshot
from layers.store.open_layer import OPEN

Names = Mapping[str, str]
#: Metres from which on it is said that a place is not exact.
_COARSE_M = 5_000
#: Names of a place, an owner and a country in schema.org, by the type of an entity.
_SCHEMA_TYPES: Mapping[EntityType, str] = {"person": "Person", "state": "Country"}
_MAX_HOLDINGS = 12
#: Conditions of a site whose end a reader asks for.
_MAY_END = frozenset({"reduced", "offline", "occupied"})
#: What the chain of a site that was hit has besides its holders.
_NO_HIT: Json = {"name": "", "verdict": "", "capacity": "", "control": (), "conditions": ()}


def strike_content(request: Request, view: ServedVersion, key: str) -> SubjectContent:
    """Say whose a strike hit, with the chains, the claims and the sources."""
    snapshot, language = view.snapshot, language_of(request)
    answer = attribution.strike_answer(snapshot, snapshot.answer(key), language)
    sources, countries = CitedSources([answer]), country_names(snapshot.country_names, language)
    said = SectionWriter(sources, countries, language).section(1, answer)
    followed = snapshot.answer(key, minority="follow")
    title = strike_title(in_language(answer["strike"], "title", language), answer["strike"]["status"], language)
    named = [in_language(hit["asset"], "name", language) for hit in answer["assets"]]
    parts = [f"{part}." for part in answer["headline_parts"]]
    claims = [_claim(row, sources, language) for row in answer["claims"]]
    return SubjectContent(
        PageSubject("strike", key, f"{title}. {answer['headline']}", f"{answer['headline']}. {said['rests']}"),
        [*parts, said["rests"]],
        [
            *((name, value) for name, value in said["facts"]),
            *_followed(snapshot, answer["owners"], followed, countries, language),
            *_updated(snapshot, key, language),
        ],
        [{**chain, "name": name} for chain, name in zip(said["assets"], named, strict=True)],
        claims,
        _listed(view, sources, language),
        [*_unknown_of_strike(answer, countries, language)],
        [*_withheld(answer["strike"], language)],
        ties=said["others"],
    )


def asset_content(request: Request, view: ServedVersion, key: str) -> SubjectContent:
    """Say whose a site is on the day of the data, and which strikes hit it."""
    snapshot, language = view.snapshot, language_of(request)
    asset, day = snapshot.records.assets[key], snapshot.data_date
    owners, followed = snapshot.owners(key, day), snapshot.owners(key, day, minority="follow")
    answer = attribution.owners_answer(snapshot, key, owners, day, "registration", "stay", language)
    sources, countries = CitedSources([answer]), country_names(snapshot.country_names, language)
    chain = SectionWriter(sources, countries, language).chain(answer)
    for source in asset.sources:
        if source in answer["sources"]:
            sources.cite(source)
    strikes = subject_strikes(request, view, {"assets": key})
    on = {"day": date_in_words(day.isoformat(), language), "shares": _shares(answer["owners"], countries, language)}
    whose = phrase(f"html.published.{'owned' if answer['owners'] else 'owner-unknown'}", language, **on)
    struck = (
        _struck("struck", strikes, language) if strikes.total.strikes else phrase("html.published.no-strikes", language)
    )
    answers = [whose, struck]
    return SubjectContent(
        PageSubject("asset", key, f"{name_in(asset, language)}. {whose}", " ".join(answers)),
        answers,
        [
            *_asset_facts(asset, answer, countries, language),
            *_course_and_tier(snapshot, asset, language),
            *_parts(snapshot, asset, language),
            *_followed(snapshot, answer["owners"], followed, countries, language),
            *_updated(snapshot, key, language),
        ],
        [{**_NO_HIT, **chain}] if chain["holders"] else (),
        sources=_listed(view, sources, language),
        unknown=[
            *_unknown_owners(answer["owners"], countries, language),
            *_unknown_place(answer["asset"], _is_spot(asset), language),
            *_open(strikes, language),
        ],
        withheld=[*_withheld(answer["asset"], language)],
        strikes=strikes,
    )


def entity_content(request: Request, view: ServedVersion, key: str) -> SubjectContent:
    """Say which strikes hit what a company, person or state owned, and who owns it."""
    snapshot, language = view.snapshot, language_of(request)
    entity, day = snapshot.records.entities[key], snapshot.data_date
    owners, name = snapshot.owners(key, day), name_in(entity, language)
    answer = attribution.owners_answer(snapshot, key, owners, day, "registration", "stay", language)
    sources, countries = CitedSources([answer]), country_names(snapshot.country_names, language)
    chain = SectionWriter(sources, countries, language).chain({**answer, "asset": {"name": name}})
    strikes = subject_strikes(request, view, {"entity": key})
    answers = [_struck("struck-of-owner", strikes, language, name=name)]
    return SubjectContent(
        PageSubject("entity", key, answers[0], answers[0]),
        answers,
        [*_entity_facts(view, entity, countries, language), *_updated(snapshot, key, language)],
        [{**_NO_HIT, **chain}] if chain["holders"] else (),
        sources=_listed(view, sources, language),
        unknown=[
            *(_unknown_owners(answer["owners"], countries, language) if chain["holders"] else ()),
            *_open(strikes, language),
        ],
        withheld=[*_withheld(answer["entity"], language)],
        strikes=strikes,
    )


def country_content(request: Request, view: ServedVersion, answer: Json) -> SubjectContent:
    """Say which strikes hit what was owned in a country; other ties and strikes on its soil apart, never added."""
    language, iso, names = language_of(request), answer["country"], view.snapshot.country_names
    name = country_names(names, language).get(iso, answer["name"])
    strikes = subject_strikes(request, view, {"country": iso})
    answers = [_struck("struck-in-country", strikes, language, name=name)]
    facts = []
    for relation in ("related", "host"):
        tied = subject_strikes(request, view, {"country": iso, "relation": relation})
        facts.append((page_text(f"role{relation}", language), _struck("struck-tied", tied, language)))
    owner = answer["relations"].get("owner")
    if owner and owner["hits"]:
        whole = amount(owner["assets_min"], owner["assets_max"], language)
        facts.insert(0, (phrase("html.published.site-equivalents", language), whole))
    return SubjectContent(
        PageSubject("country", iso, answers[0], f"{answers[0]} {phrase('html.published.never-added', language)}"),
        [*answers, phrase("html.published.never-added", language)],
        facts,
        sources=[
            numbered(number, source, language)
            for number, key in enumerate(answer["sources"], 1)
            if (source := view.snapshot.records.sources.get(key))
        ],
        unknown=_open(strikes, language),
        strikes=strikes,
    )


def of_answer(request: Request, view: ServedVersion, kind: str, answer: Json) -> Json:
    """Give the page of a country or of an owner what it says first; nothing of a part of the answer, or of others."""
    if kind == "answer" or request.query_params.keys() - {"f", "lang"}:
        return {}
    records, language = view.snapshot.records, language_of(request)
    if kind == "country":
        key, keys, chosen = answer["country"], None, {"country": answer["country"]}
        content = country_content(request, view, answer)
        about = country_data(key, country_names(view.snapshot.country_names, language).get(key, answer["name"]))
    else:
        key = answer["entity"]["id"]
        keys, chosen = records_of_entity(view.snapshot, key), {"entity": key}
        content, about = entity_content(request, view, key), entity_data(records.entities[key], language)
    shown = strikes_pictures(request, view, chosen, BESIDE)
    head = head_of(request, view, content, about, shown)
    # Strikes of a country are drawn by its share, those of an owner by host.
    legend = phrase("html.published.map-key-share" if kind == "country" else "html.published.map-key", language)
    return {**published(request, view, content, keys), "head": head, "pictures": shown, "map_key": legend}


def strike_data(strike: Strike, view: ServedVersion, language: str) -> Json:
    """Describe a strike as schema.org does an event."""
    feature: Any = view.snapshot.collections["strikes"]
    row: Any = feature.features[feature.rows_by_id[strike.id]]
    days = {"startDate": row.day_first, "endDate": row.day_last}
    place: Json = {"@type": "Place", "name": strike.places.get(language, strike.place), **_placed(strike)}
    if row.host_country:
        place["address"] = {"@type": "PostalAddress", "addressCountry": row.host_country}
    dates = {name: str(day) for name, day in days.items() if day}
    return {
        "@type": "Event",
        "identifier": strike.id,
        "name": strike.titles.get(language, strike.title),
        **dates,
        "location": place,
    }


def asset_data(asset: Asset, language: str) -> Json:
    """Describe a site as schema.org does a place."""
    place: Json = {"@type": "Place", "identifier": asset.id, "name": name_in(asset, language)}
    place |= _placed(asset)
    if asset.host_country:
        place["address"] = {"@type": "PostalAddress", "addressCountry": asset.host_country}
    return {**place, **({"alternateName": list(asset.aliases)} if asset.aliases else {})}


def entity_data(entity: Entity, language: str) -> Json:
    """Describe a company, person or state as schema.org does."""
    described: Json = {"@type": _SCHEMA_TYPES.get(entity.type, "Organization"), "identifier": entity.id}
    described |= {
        "name": name_in(entity, language),
        **({"alternateName": list(entity.aliases)} if entity.aliases else {}),
    }
    lei = entity.external_ids.get("lei")
    return {**described, **({"leiCode": lei} if lei and described["@type"] == "Organization" else {})}


def country_data(iso: str, name: str) -> Json:
    """Describe a country as schema.org does."""
    return {"@type": "Country", "identifier": iso, "name": name}


def _placed(record: Strike | Asset) -> Json:
    """Give a place with the circle that holds the true one, in metres."""
    shape = record.geometry
    if not isinstance(shape, shapely.Point) or record.uncertainty_m is None:
        return {}
    middle = {"@type": "GeoCoordinates", "latitude": round(shape.y, 7), "longitude": round(shape.x, 7)}
    return {"geo": {"@type": "GeoCircle", "geoMidpoint": middle, "geoRadius": f"{record.uncertainty_m:g}"}}


def _claim(row: Json, sources: CitedSources, language: str) -> Json:
    return {
        "field": word("field", row["field"], language),
        "value": date_in_words(row["value"], language) if row["field"] in DATED else row["value"],
        "quote": row["quote"],
        "checked": checked_words("checkedValue", row["checked"], language),
        "number": sources.cite(row["source"]),
    }


def _listed(view: ServedVersion, sources: CitedSources, language: str) -> list[NumberedSource]:
    """List the cited sources in the order of their numbers."""
    known = view.snapshot.records.sources
    return [numbered(number, known[name], language) for name, number in sources.numbers.items()]


def _shares(owners: Sequence[Json], countries: Names, language: str) -> str:
    return ", ".join(named_shares(owners, countries, language=language))


def _followed(
    snapshot: Snapshot, owners: Sequence[Json], followed: StrikeAttribution | Owners, countries: Names, language: str
) -> list[tuple[str, str]]:
    """Say in which countries it was owned if small holders of companies are followed to theirs, where that differs."""
    rows = attribution.shares(snapshot, followed.shares, followed.unattributed, followed.reasons, language)
    said = _shares(rows, countries, language)
    if said == _shares(owners, countries, language):
        return []
    return [(phrase("html.published.followed", language), said)]


def _struck(code: str, strikes: SubjectStrikes, language: str, **named: str) -> str:
    """Word how many strikes there are for sure, and how many more are possible."""
    total = strikes.total
    more = total.strikes - total.sure
    said = phrase(f"html.published.{code}", language, sure=counted("count", total.sure, language), **named)
    return f"{said}; {counted('mayCount', more, language)}." if more else f"{said}."


def _open(strikes: SubjectStrikes, language: str) -> Sequence[str]:
    """Say why some strikes are only possible."""
    return [page_text("whyMay", language, list=strikes.why) + "."] if strikes.why else []


def _asset_facts(asset: Asset, answer: Json, countries: Names, language: str) -> list[tuple[str, str]]:
    kind = [word("kind", asset.kind, language), words("commodity", asset.commodity or "", language)]
    where = place_in_words(answer["asset"], language, "within" if _is_spot(asset) else "course")
    control = answer["control"]
    facts = [
        (phrase("html.published.kind", language), ", ".join(part for part in kind if part)),
        (page_text("host", language), countries.get(asset.host_country or "", asset.host_country or "")),
        (page_text("where", language), where if asset.basis or is_left_out(answer["asset"], "geometry") else ""),
        (page_text("control", language), control["name"] if control else page_text("controlNobody", language)),
        (phrase("html.published.capacity", language), capacity_in_words(answer["asset"], language)),
    ]
    return [fact for fact in facts if fact[1]]


def _course_and_tier(snapshot: Snapshot, asset: Asset, language: str) -> Iterator[tuple[str, str]]:
    """Say how long a line is, and of a site of open data whose it is, of which day, and that nobody edited it here."""
    layer = snapshot.collections["assets"]
    if km := layer.features.columns["length_km"][layer.rows_by_id[asset.id]]:
        yield phrase("html.published.length", language), length(km * 1000, language)
    if asset.dataset.startswith(OPEN):
        source = snapshot.records.sources[asset.sources[0]]
        of = [source.publisher, *([date_in_words(source.published, language)] if source.published else [])]
        yield phrase("html.published.record", language), phrase("html.published.open", language, of=", ".join(of))


def _parts(snapshot: Snapshot, asset: Asset, language: str) -> list[tuple[str, str]]:
    """Say what it is part of, and its own parts with the strikes on each, which are not strikes on the whole."""
    layer, assets = snapshot.collections["assets"], snapshot.records.assets
    struck = layer.features.columns["n_strikes"]
    parts = [
        f"{name_in(part, language)} ({counted('count', int(struck[layer.rows_by_id[part.id]]), language)})"
        for part in snapshot.records.where("assets", "part_of", asset.id)
    ]
    whole = name_in(assets[asset.part_of], language) if asset.part_of else ""
    named = (("part-of", whole), ("parts", "; ".join(parts)))
    return [(phrase(f"html.published.{code}", language), value) for code, value in named if value]


def _updated(snapshot: Snapshot, record: str, language: str) -> list[tuple[str, str]]:
    """Say on which day a record, or what it is based on, changed last, where that is known."""
    at = snapshot.updated(record)
    return [] if at is None else [(page_text("updated", language), date_in_words(at[:10], language))]


def _entity_facts(view: ServedVersion, entity: Entity, countries: Names, language: str) -> list[tuple[str, str]]:
    held = view.snapshot.holdings(entity.id, view.snapshot.data_date)
    records = view.snapshot.records
    called = [
        f"{name_in(records.assets.get(row.id) or records.entities[row.id], language)} "
        f"{share(*row.effective.rounded(), language=language)}"
        for row in held[:_MAX_HOLDINGS]
    ]
    if len(held) > _MAX_HOLDINGS:
        called.append(phrase("html.published.more", language, n=len(held) - _MAX_HOLDINGS))
    registered, seated = (code or "" for code in (entity.registered_in, entity.headquartered_in))
    ids = ", ".join(f"{name} {text}" for name, text in entity.external_ids.items())
    facts = [
        (phrase("html.published.kind", language), phrase(f"html.published.type-{entity.type}", language)),
        (phrase("html.published.registered-in", language), countries.get(registered, registered)),
        (phrase("html.published.headquartered-in", language), countries.get(seated, seated)),
        (phrase("html.published.ids", language), ids),
        (phrase("html.published.holds", language), "; ".join(called)),
    ]
    return [(name[:1].upper() + name[1:], value) for name, value in facts if value]


def _unknown_of_strike(answer: Json, countries: Names, language: str) -> Iterable[str]:
    """Say what the answer to a strike leaves open."""
    strike = answer["strike"]
    if not strike["day_first"] or not strike["day_last"] or strike["day_first"] != strike["day_last"]:
        yield phrase("html.published.day-open", language, when=date_in_words(strike["when"], language))
    yield from _unknown_place_of(strike, language)
    if answer["rests_on"] == "nothing":
        yield page_text("restsnothing", language)
    names = [f"{row['name']} ({row['probability']:.0%})" for row in answer["candidates"]]
    if answer["rests_on"] in ("alternatives", "match") and len(names) > 1:
        yield phrase("html.published.candidates", language, names=names)
    yield from _unknown_owners(answer["owners"], countries, language)
    for hit in answer["assets"]:
        yield from hit["warnings"]
        name = in_language(hit["asset"], "name", language)
        for row in hit["conditions"]:
            if row["until"] is None and row["status"] in _MAY_END:
                said = {"status": page_text(f"working{row['status']}", language), "name": name}
                yield phrase("html.published.end-open", language, when=date_in_words(row["since"], language), **said)
    if not strike["n_voices"]:
        yield phrase("html.published.no-voice", language)
    if not strike["damage"] and not is_left_out(strike, "damage"):
        yield phrase("html.published.no-damage", language)


def _unknown_owners(owners: Sequence[Json], countries: Names, language: str) -> Iterable[str]:
    if ranges := [row for row in owners if row["country"] is not None and row["share_min"] < row["share_max"]]:
        yield phrase("html.published.shares-open", language, shares=_shares(ranges, countries, language))
    for row in owners:
        if row["country"] is None:
            part = share(row["share_min"], row["share_max"], language=language)
            yield phrase("html.published.unattributed", language, share=part, why="; ".join(row["reasons"]))


def _is_spot(asset: Asset) -> bool:
    """Whether the uncertainty of an asset is a radius around a point; of a line it is how far that may lie off."""
    return asset.geometry is None or isinstance(asset.geometry, shapely.Point)


def _unknown_place(asset: Json, is_spot: bool, language: str) -> Iterable[str]:
    yield from _unknown_place_of(asset, language, "coarse-place" if is_spot else "coarse-course")
    if asset["basis"] == "line-end" and not is_spot:
        yield phrase("html.published.rough-course", language)


def _unknown_place_of(record: Json, language: str, coarse: str = "coarse-place") -> Iterable[str]:
    basis, uncertainty_m = record["basis"], record["uncertainty_m"]
    if is_rounded(record) or is_left_out(record, "geometry"):
        return
    if basis is None or uncertainty_m is None:
        yield phrase("html.published.no-place", language)
    elif uncertainty_m >= _COARSE_M:
        named = {"basis": word("basis", basis, language), "km": formatted(uncertainty_m / 1000, ".3g", language)}
        yield phrase(f"html.published.{coarse}", language, **named)


def _withheld(record: Json, language: str) -> Iterable[str]:
    """Say what the policy withholds of a record, and how far it may have moved its place."""
    if is_rounded(record):
        yield phrase("html.published.rounded", language, radius=length(record["uncertainty_m"], language))
    if named := withheld_in_words(record, language):
        yield f"{named}."
