"""Makes a strike of a row of VIINA, whatever file it stands in: the declared table, and the reports behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from layers.model.records import Weapon
from layers.sources.strikes.event_codes import VIINA_TARGETS, VIINA_TITLES, VIINA_WEAPONS, kinds_of_classes
from layers.sources.strikes.field_mapping import Faulty, Field, Row, day, is_set, quote
from layers.sources.strikes.location_precision import is_city, is_ukrainian, viina_spot
from layers.sources.strikes.strike_builder import Report, located
from layers.sources.strikes.target_extraction import language_of, targets

#: Outlets by VIINA's short names.
OUTLETS: Mapping[str, str] = {
    "24tvua": "24 Канал",
    "espreso": "Еспресо",
    "forbesua": "Forbes Ukraine",
    "interfaxua": "Інтерфакс-Україна",
    "kp": "Комсомольская Правда",
    "liga": "ЛІГА.net",
    "liveuamap": "Live Universal Awareness Map",
    "meduza": "Meduza",
    "militarnyy": "Мілітарний",
    "mz": "Медиазона",
    "ng": "Независимая Газета",
    "ntv": "НТВ",
    "nv": "НВ",
    "pravdaua": "Українська правда",
    "ria": "РИА Новости",
    "unian": "УНІАН",
}
_LANGUAGES = {"ua": "uk", "ru": "ru", "uk": "uk", "en": "en"}
_NOT_PLACED = "not placed by its source"


def text_of(row: Row) -> str:
    """The text of the report or, in derived tables, of one or more of an event's."""
    return row["representative_text"] or row["text"]


def _classes(row: Row) -> list[str]:
    return [name for name in (row["target_classes"] or row["target_class_auto"]).split("|") if name]


def _when(row: Row) -> str:
    """The day of the report, marked approximate: VIINA has no other, and the event may be of the day before."""
    return f"{day('date', row['date'], ('%Y%m%d', '%Y-%m-%d')).isoformat()}~"


def _where(row: Row) -> dict[str, Any]:
    """All columns of the place, as they hang together: a point that is a mistake takes place and region with it."""
    spot = viina_spot(row, text_of(row))
    if spot.point is None and spot.note is not None:
        title = f"{_what(row)}, {_NOT_PLACED}"[:200]
        return {"title": title, "place": _NOT_PLACED, "note": _note(row, spot.note)}
    region = row["adm1_name"]
    is_region = spot.precision is not None and spot.precision.basis == "region"
    place = _place(row, is_region)
    return {
        "title": f"{_what(row)}, {place}"[:200],
        "place": place,
        "region": region or None,
        "host_country": _host(row),
        "note": _note(row, spot.note, row["asciiname"] if is_region else ""),
        **located(spot.point, spot.precision),
    }


def _place(row: Row, is_region: bool) -> str:
    name, district, region = row["asciiname"], row["adm2_name"], row["adm1_name"]
    if is_region and is_city(region):
        return region
    if is_region and region:
        return f"{region} (oblast)"
    if row["geo_precision"] == "ADM2" and district:
        return f"{district} (district)"
    return name or row["address"] or district or region or "place not named"


def _host(row: Row) -> str | None:
    if row["location_method"] == "COORDINATE_RU_STRICT":
        return "RU"
    return "UA" if is_ukrainian(row["adm1_name"]) else None


def _note(row: Row, about_place: str | None, stands_for_region: str = "") -> str | None:
    """What else is known; the settlement that stands for a region is told here, as it is no place of the event."""
    told = [about_place] if about_place else []
    if stands_for_region:
        told.append(f"VIINA's point is at {stands_for_region}.")
    if _classes(row):
        told.append(f"Target classes, weak labels of words in the text: {', '.join(_classes(row))}.")
    if len(row["n_reports"] or row["n_reports_viina"]) and (row["n_reports"] or row["n_reports_viina"]) != "1":
        told.append(f"VIINA counts {row['n_reports'] or row['n_reports_viina']} reports; they need not be independent.")
    return " ".join(told)[:2000] or None


def _what(row: Row) -> str:
    named = [VIINA_TITLES[name] for name in _classes(row) if name in VIINA_TITLES]
    if named:
        return f"Strike on {' and '.join(dict.fromkeys(named))}"
    kinds = targets(text_of(row))[1]
    if kinds:
        return f"Strike on {kinds[0].replace('-', ' ')}"
    weapons = [VIINA_WEAPONS[label] for label in VIINA_WEAPONS if is_set(row, label)]
    return f"Strike by {weapons[0]}" if weapons else "Strike"


def _attacker(row: Row) -> str | None:
    """The initiator where VIINA has one; in 1.0 the actor is the initiator, in 2.0 it only takes part."""
    end = "_init_b" if "event_id_1pd" in row else "_b"
    russian, ukrainian = is_set(row, f"a_rus{end}"), is_set(row, f"a_ukr{end}")
    if russian == ukrainian:
        return None
    return f"{'Russian' if russian else 'Ukrainian'} forces, as VIINA's classifier has it"


def _weapons(row: Row) -> tuple[Weapon, ...]:
    return tuple(Weapon(kind=kind) for label, kind in VIINA_WEAPONS.items() if is_set(row, label))


def _kinds(row: Row) -> tuple[str, ...]:
    unknown = [name for name in _classes(row) if name not in VIINA_TARGETS]
    if unknown:
        raise Faulty("target_classes", "|".join(unknown), "of " + ", ".join(VIINA_TARGETS))
    return kinds_of_classes(_classes(row)) or targets(text_of(row))[1]


#: What each field of a strike is made of.
MAPPING: tuple[Field, ...] = (
    Field("when", "date", "the day of the report, approximate (~): the event may be of the day before", _when),
    Field("when_note", "", "that it is the day of the report", lambda _: "Day of the report, as VIINA has no other."),
    Field(
        "*",
        "asciiname, ADM2_NAME, ADM1_NAME, longitude, latitude, GEO_PRECISION, location_method, target_classes, text",
        "title (kind of target or weapon, and the place), place, region, host_country, note, and the point with "
        "uncertainty_m and basis by the VIINA table",
        _where,
    ),
    Field("attacker", "a_rus_init_b, a_ukr_init_b", "the initiator; in 1.0 a_rus_b, a_ukr_b; empty if both", _attacker),
    Field("weapons", "t_uav_b, t_airstrike_b, t_artillery_b, t_ied_b", "kinds of the labels that are 1", _weapons),
    Field("targets", "text", "phrases of targets as printed", lambda row: targets(text_of(row))[0]),
    Field("target_kinds", "target_classes, else text", "by the table of classes, else of word stems", _kinds),
)


def reports_of(row: Row) -> list[Report]:
    """The reports of a row: its address, or those of a derived table; of an address-less row the outlets."""
    text = text_of(row)
    codes = [
        name.strip()
        for name in (row["source"] or row["sources_matching"] or row["sources"]).replace(",", "|").split("|")
    ]
    outlets = [OUTLETS.get(name, name) for name in dict.fromkeys(codes) if name]
    urls = [url for url in (row["url"] or row["source_urls"]).split("|") if url.startswith("http")]
    if not urls:
        return [Report(outlet) for outlet in outlets]
    language = _LANGUAGES.get(row["lang"]) or language_of(text)
    published = f"{row['date'][:4]}-{row['date'][4:6]}-{row['date'][6:8]}"
    alone = len(urls) == 1
    return [
        Report(
            outlets[0] if len(outlets) == 1 else url.split("/")[2].removeprefix("www."),
            url=url,
            title=quote(text) if alone and "||" not in text else None,
            language=language if alone else None,
            published=published,
        )
        for url in dict.fromkeys(urls)
    ]
