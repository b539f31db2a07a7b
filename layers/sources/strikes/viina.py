"""Reader of VIINA: events of 1.0, split files of 2.0, derived tables and registers, each recognised by its columns."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import shapely

from layers.model.messages import Message
from layers.model.problems import MISSING, ReadResult, SourceLocation
from layers.model.records import Weapon
from layers.sources.files.limits import FileRefused
from layers.sources.files.sniffing import FileSniff
from layers.sources.files.source_file import SourceFile
from layers.sources.files.tables import RowTable
from layers.sources.reader.cell_values import web_address, web_host
from layers.sources.reader.format import Format, LoadOptions
from layers.sources.strikes.location_precision import (
    SETTLEMENT_M,
    VIINA_DISTRICT,
    VIINA_MUNICIPALITY,
    CodedPrecision,
    host_of,
    is_city,
    is_ukrainian,
    location_columns,
    viina_spot,
)
from layers.sources.strikes.strike_builder import (
    CellProblem,
    DatasetTerms,
    FieldClaim,
    FieldRules,
    Report,
    StrikeBuilder,
    StrikeRow,
    day,
    identifier_such_as,
    is_set,
    quote,
    required,
)
from layers.sources.strikes.target_extraction import (
    VIINA_ATTACKS,
    VIINA_TARGETS,
    VIINA_TITLES,
    VIINA_WEAPONS,
    kinds_of_classes,
    kinds_only_near,
    language_of,
    targets,
)
from layers.text.site_terms import kind_bits

#: The columns by which each kind of register is recognised.
REGISTERS: Mapping[str, frozenset[str]] = {
    "candidates": frozenset({"candidateid", "canonicaleventdate", "targetname", "location", "targetclass"}),
    "confirmed": frozenset({"eventno", "canonicaleventdate", "target", "sector", "confirmationbasis"}),
}
_CAPITALISED = re.compile(r"[A-Z][\w'-]*(?:\s+[A-Z][\w'-]*)*")


def _day_of_register(row: StrikeRow) -> str:
    return day("CanonicalEventDate", row["CanonicalEventDate"], ("%Y-%m-%d",)).isoformat()


def _kinds_of_register(column: str, row: StrikeRow) -> tuple[str, ...]:
    if row[column] not in VIINA_TARGETS:
        raise CellProblem(column, row[column] or MISSING, Message("cell.one-of", {"names": tuple(VIINA_TARGETS)}))
    return kinds_of_classes((row[column],))


def _parts(row: StrikeRow) -> list[str]:
    """Return the parts of a location such as "Unecha, Bryansk Oblast, Russia"."""
    return [part.strip() for part in row["Location"].split(",") if part.strip()]


def _region(row: StrikeRow) -> str | None:
    parts = _parts(row)
    return parts[-2] if len(parts) > 1 else None


CANDIDATES: FieldRules = {
    "title": lambda row: f"Strike on {required(row, 'TargetName')}"[:200],
    "when": _day_of_register,
    "place": lambda row: required(row, "Location"),
    "region": _region,
    "host_country": lambda row: host_of((_parts(row) or [""])[-1]),
    "targets": lambda row: (row["TargetName"],),
    "target_kinds": lambda row: _kinds_of_register("TargetClass", row),
    "note": lambda row: row["notes"][:2000] or None,
}
#: The register of confirmed events is of strikes inside Russia, and has no other place than the target.
CONFIRMED: FieldRules = {
    "title": lambda row: f"Strike on {required(row, 'Target')}"[:200],
    "when": _day_of_register,
    "place": lambda row: row["Target"],
    "host_country": lambda _: "RU",
    "targets": lambda row: (row["Target"],),
    "target_kinds": lambda row: _kinds_of_register("Sector", row),
}


def read_register(kind: str, table: RowTable, builder: StrikeBuilder) -> None:
    """Add the rows of a register to a strike builder; every row is one strike."""
    for number, cells in table:
        row, location = StrikeRow(cells), SourceLocation(table.file, number)
        (_candidate if kind == "candidates" else _confirmed)(row, location, builder)
    builder.add_unreadable_rows(table)


def _candidate(row: StrikeRow, location: SourceLocation, builder: StrikeBuilder) -> None:
    key = row["candidateid"]
    is_key = re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", key)
    no_key = None if is_key else CellProblem("CandidateID", key or MISSING, identifier_such_as("VIINA-RU-001"))
    values = builder.values_of(CANDIDATES, row, location, key, no_key)
    if values is None:
        return
    url = web_address(row["sourceurl"])
    reports = [Report(web_host(url), url=url)] if url else []
    claims = [FieldClaim("targets", row["TargetName"], None, 0 if reports else None)]
    where = gazetteer_location(builder, row["Location"], values["host_country"], location)
    builder.add_strike(location, key, {**values, **where}, reports, claims)


def _confirmed(row: StrikeRow, location: SourceLocation, builder: StrikeBuilder) -> None:
    number, key = row["eventno"], f"reuters-2025-{row['eventno']}"
    no_number = None if number.isdigit() else CellProblem("EventNo", number or MISSING, Message("cell.number"))
    values = builder.values_of(CONFIRMED, row, location, key, no_number)
    if values is None:
        return
    claims = [FieldClaim("status", "confirmed, by the register", quote(row["confirmationbasis"]))]
    names = candidate_place_names(row["Target"])
    where = next(filter(None, (gazetteer_location(builder, name, "RU", location, alone=True) for name in names)), {})
    builder.add_strike(location, key, {**values, **where}, (), claims)


def candidate_place_names(target: str) -> list[str]:
    """Return the words of a target that may name a place: "Ryazan" of "Ryazan oil refinery".

    Capitalised words at the end of the target come first, else those at its beginning: the works called
    Kronstadt stand in Dubna ("Kronstadt UAV plant Dubna").
    """
    runs = _CAPITALISED.findall(target)
    if not runs:
        return []
    run = runs[-1] if target.endswith(runs[-1]) else runs[0]
    return list(dict.fromkeys((run, run.split()[-1])))


# Evidence of the gazetteer that the text has the place's own name, and not an alternative or former one.
_OWN = frozenset({"own-name", "own-name-spelled", "sounds-like"})


def gazetteer_location(
    builder: StrikeBuilder, text: str, country: str | None, location: SourceLocation, *, alone: bool = False
) -> dict[str, Any]:
    """Return the location columns that the gazetteer gives for a text; empty without a gazetteer or a sure answer.

    With ``alone``, for a name without its region, a settlement is an answer only if it is the one place of the country
    that has or had that name: the refinery called Kuibyshev is in Samara, and the town of that name is not.
    """
    gazetteer = builder.options.gazetteer
    if gazetteer is None or not text:
        return {}
    answer = gazetteer.find(text, country=country)
    best = answer.best
    if best is None or (alone and best.basis != "region" and not _is_alone(answer, country)):
        return {}
    is_site = best.basis == "site"
    return {
        "geometry": shapely.Point(best.lon, best.lat),
        "uncertainty_m": round(max(best.uncertainty_m, SETTLEMENT_M) if is_site else best.uncertainty_m),
        "basis": "settlement" if is_site else best.basis,
        "place_source": builder.gazetteer_source(gazetteer, location),
    }


def _is_alone(answer: Any, country: str | None) -> bool:
    there = [candidate for candidate in answer.candidates if candidate.country == country]
    return len(there) == 1 and bool(_OWN & {reason.name for reason in there[0].reasons})


#: Outlets by VIINA's short names.
OUTLETS: Mapping[str, str] = {
    "24tvua": "24 Канал", "espreso": "Еспресо", "forbesua": "Forbes Ukraine", "interfaxua": "Інтерфакс-Україна",
    "kp": "Комсомольская Правда", "liga": "ЛІГА.net", "liveuamap": "Live Universal Awareness Map", "meduza": "Meduza",
    "militarnyy": "Мілітарний", "mz": "Медиазона", "ng": "Независимая Газета", "ntv": "НТВ", "nv": "НВ",
    "pravdaua": "Українська правда", "ria": "РИА Новости", "unian": "УНІАН",
}  # fmt: skip
_LANGUAGES = {"ua": "uk", "ru": "ru", "uk": "uk", "en": "en"}
_NOT_PLACED = "not placed by its source"


def text_of(row: StrikeRow) -> str:
    """Return the text of the report; in derived tables that of one or more reports of an event."""
    return row["representative_text"] or row["text"]


def _classes(row: StrikeRow) -> list[str]:
    return [name for name in (row["target_classes"] or row["target_class_auto"]).split("|") if name]


def _target_classes(row: StrikeRow) -> list[str]:
    """Return the classes but those whose kinds the text only has near something: a weak label of its words."""
    near = kinds_only_near(text_of(row))
    return [name for name in _classes(row) if not near & kind_bits(kinds_of_classes((name,)))]


def _where(row: StrikeRow) -> dict[str, Any]:
    """Return title, place, region, country, note and point together: a wrong point has a wrong place and region."""
    spot = viina_spot(row, text_of(row))
    if spot.point is None and spot.note is not None:
        title = f"{_subject(row)}, {_NOT_PLACED}"[:200]
        return {"title": title, "place": _NOT_PLACED, "note": _note(row, spot.note)}
    region = row["adm1_name"]
    is_region = spot.precision is not None and spot.precision.basis == "region"
    place = _place(row, spot.precision, is_region)
    return {
        "title": f"{_subject(row)}, {place}"[:200],
        "place": place,
        "region": region or None,
        "host_country": _host(row),
        "note": _note(row, spot.note, row["asciiname"] if is_region else ""),
        **location_columns(spot.point, spot.precision),
    }


def _place(row: StrikeRow, precision: CodedPrecision | None, is_region: bool) -> str:
    name, district, region = row["asciiname"], row["adm2_name"], row["adm1_name"]
    if is_region and is_city(region):
        return region
    if is_region and region:
        return f"{region} (oblast)"
    if district and (row["geo_precision"] == "ADM2" or precision in (VIINA_MUNICIPALITY, VIINA_DISTRICT)):
        return f"{district} (district)"
    return name or row["address"] or district or region or "place not named"


def _host(row: StrikeRow) -> str | None:
    if row["location_method"] == "COORDINATE_RU_STRICT":
        return "RU"
    return "UA" if is_ukrainian(row["adm1_name"]) else None


def _note(row: StrikeRow, about_place: str | None, stands_for_region: str = "") -> str | None:
    """Return the remaining facts; the settlement that stands for a region is named here, as the event is not there."""
    sentences = [about_place] if about_place else []
    if stands_for_region:
        sentences.append(f"VIINA's point is at {stands_for_region}.")
    if _classes(row):
        sentences.append(f"Target classes, weak labels of words in the text: {', '.join(_classes(row))}.")
    if len(_target_classes(row)) < len(_classes(row)):
        sentences.append("The text names a site of such a class only to say that something was near it.")
    if len(row["n_reports"] or row["n_reports_viina"]) and (row["n_reports"] or row["n_reports_viina"]) != "1":
        sentences.append(
            f"VIINA counts {row['n_reports'] or row['n_reports_viina']} reports; they need not be independent."
        )
    return " ".join(sentences)[:2000] or None


def _subject(row: StrikeRow) -> str:
    named = [VIINA_TITLES[name] for name in _target_classes(row) if name in VIINA_TITLES]
    if named:
        return f"Strike on {' and '.join(dict.fromkeys(named))}"
    kinds = targets(text_of(row))[1]
    if kinds:
        return f"Strike on {kinds[0].replace('-', ' ')}"
    weapons = [VIINA_WEAPONS[label] for label in VIINA_WEAPONS if is_set(row, label)]
    return f"Strike by {weapons[0]}" if weapons else "Strike"


def _attacker(row: StrikeRow) -> str | None:
    """Return the initiator; in 1.0 the actor is the initiator, in 2.0 an actor only takes part."""
    end = "_init_b" if "event_id_1pd" in row else "_b"
    russian, ukrainian = is_set(row, f"a_rus{end}"), is_set(row, f"a_ukr{end}")
    if russian == ukrainian:
        return None
    return f"{'Russian' if russian else 'Ukrainian'} forces, as VIINA's classifier has it"


def _kinds(row: StrikeRow) -> tuple[str, ...]:
    unknown = [name for name in _classes(row) if name not in VIINA_TARGETS]
    if unknown:
        raise CellProblem(
            "target_classes", "|".join(unknown), Message("viina.classes", {"names": tuple(VIINA_TARGETS)})
        )
    return kinds_of_classes(_target_classes(row)) or targets(text_of(row))[1]


MAPPING: FieldRules = {
    # VIINA has no other day than that of the report, and the event may be of the day before.
    "when": lambda row: f"{day('date', row['date'], ('%Y%m%d', '%Y-%m-%d')).isoformat()}~",
    "when_note": lambda _: "Day of the report, as VIINA has no other.",
    "title, place, region, host_country, note, geometry, uncertainty_m, basis": _where,
    "attacker": _attacker,
    "weapons": lambda row: tuple(Weapon(kind=kind) for label, kind in VIINA_WEAPONS.items() if is_set(row, label)),
    "targets": lambda row: targets(text_of(row))[0],
    "target_kinds": _kinds,
}


def reports_of(row: StrikeRow) -> list[Report]:
    """Return the reports of a row: by its address, by those of a derived table, or else by its outlets."""
    text = text_of(row)
    codes = [
        name.strip()
        for name in (row["source"] or row["sources_matching"] or row["sources"]).replace(",", "|").split("|")
    ]
    outlets = [OUTLETS.get(name, name) for name in dict.fromkeys(codes) if name]
    urls = [url for url in (row["url"] or row["source_urls"]).split("|") if url.startswith("http")]
    if not urls:
        return [Report(outlet, text=text if len(outlets) == 1 else None) for outlet in outlets]
    language = _LANGUAGES.get(row["lang"]) or language_of(text)
    published = f"{row['date'][:4]}-{row['date'][4:6]}-{row['date'][6:8]}"
    alone = len(urls) == 1
    return [
        Report(
            outlets[0] if len(outlets) == 1 else web_host(url),
            url=url,
            title=quote(text) if alone and "||" not in text else None,
            language=language if alone else None,
            published=published,
            text=text if alone else None,
        )
        for url in dict.fromkeys(urls)
    ]


TERMS = DatasetTerms(
    format="viina",
    publisher="VIINA, Yuri Zhukov and Natalie Ayers",
    title="VIINA 2.0: Violent Incident Information from News Articles; contains information from VIINA under the ODbL",
    url="https://github.com/zhukovyuri/VIINA",
    licence="ODbL 1.0",
)
DERIVED_TERMS = DatasetTerms(
    format="viina",
    publisher="VIINA, Yuri Zhukov and Natalie Ayers; filtered by wolfgangkrugmo-del",
    title="VIINA 2.0 events filtered to infrastructure targets; contains information from VIINA under the ODbL",
    url="https://github.com/wolfgangkrugmo-del/viina-data-extraction",
    licence="ODbL 1.0",
)

#: Kinds of files, each with the columns that it has and those that it lacks.
_KINDS: tuple[tuple[str, frozenset[str], frozenset[str]], ...] = (
    ("derived", frozenset({"event_id_1pd", "representative_text", "asciiname"}), frozenset()),
    ("events", frozenset({"event_id", "text", "geo_precision", "t_mil_b"}), frozenset()),
    ("info", frozenset({"event_id", "event_id_1pd", "text", "geo_precision"}), frozenset({"t_mil_b"})),
    ("labels", frozenset({"event_id", "event_id_1pd", "t_mil_b"}), frozenset({"text"})),
    ("1pd", frozenset({"event_id_1pd", "n_reports", "geo_precision", "t_mil_b"}), frozenset({"text"})),
    *((kind, columns, frozenset()) for kind, columns in REGISTERS.items()),
)


def read(files: Sequence[SourceFile], options: LoadOptions) -> ReadResult:
    """Read files of VIINA together by ``MAPPING``.

    ``event_info`` needs its ``event_labels`` or ``event_1pd`` beside it, which hold the labels of reports. Reports of
    one ``event_id_1pd`` become one strike with each report as a source.

    Raises ``FileRefused`` if a file is none of VIINA's, or there are labels and no events.
    """
    tables = [(kind_of(table.header, file.name), table) for file in files for table in (file.table(),)]
    kinds = {kind for kind, _ in tables}
    if "labels" in kinds and not kinds & {"info", "1pd"}:
        raise FileRefused(files[0].name, "files", Message("viina.labels-alone"), Message("viina.info-beside"))
    derived = kinds & {"derived", *REGISTERS}
    builder = StrikeBuilder(options, DERIVED_TERMS if derived else TERMS)
    labels = _labels(tables, builder) if "info" in kinds else {}
    for kind, table in tables:
        if kind in REGISTERS:
            read_register(kind, table, builder)
        elif kind == "labels" or (kind == "1pd" and "info" in kinds):
            continue
        else:
            for number, cells in table:
                _row(kind, _with_labels(kind, cells, labels), SourceLocation(table.file, number), builder)
            builder.add_unreadable_rows(table)
    return builder.result()


def kind_of(header: Sequence[str], file: str) -> str:
    """Return the kind of a table: derived, events (1.0), info, labels, 1pd or a register.

    Raises ``FileRefused`` if it is none of them.
    """
    columns = {name.casefold() for name in header}
    for kind, there, absent in _KINDS:
        if there <= columns and not absent & columns:
            return kind
    raise FileRefused(file, "columns", ", ".join(header)[:100], Message("viina.file"))


def _labels(tables: Sequence[tuple[str, RowTable]], builder: StrikeBuilder) -> dict[tuple[str, str], Mapping[str, str]]:
    """Return the labels that are 1, of each report (event_labels) and of each event (event_1pd)."""
    labels: dict[tuple[str, str], Mapping[str, str]] = {}
    for kind, table in tables:
        key = {"labels": "event_id", "1pd": "event_id_1pd"}.get(kind)
        if key is None:
            continue
        for _, cells in table:
            row = StrikeRow(cells)
            labels[key, row[key]] = {name: "1" for name in row if name.endswith("_b") and is_set(row, name)}
        builder.add_unreadable_rows(table)
    return labels


def _with_labels(kind: str, cells: Mapping[str, str], labels: Mapping[tuple[str, str], Mapping[str, str]]) -> StrikeRow:
    """Return a row with the labels of its report, else of its event; derived tables name labels without ``_b``."""
    row = StrikeRow(cells)
    if kind == "info":
        at = (("event_id", row["event_id"]), ("event_id_1pd", row["event_id_1pd"]))
        known = next((labels[key] for key in at if key in labels), None)
        return row if known is None else StrikeRow({**row, **known, "labels": "1"})
    if kind == "derived":
        return StrikeRow({**row, **{row[f"{name}_field"]: row[name] for name in row if row[f"{name}_field"]}})
    return row


def _row(kind: str, row: StrikeRow, location: SourceLocation, builder: StrikeBuilder) -> None:
    if (reason := _skip_reason(kind, row)) is not None:
        builder.skip(reason)
        return
    key = f"1.0-{row['event_id']}" if "event_id_1pd" not in row else row["event_id_1pd"]
    column = "event_id_1pd" if "event_id_1pd" in row else "event_id"
    is_key = key.removeprefix("1.0-").isdigit()
    no_key = None if is_key else CellProblem(column, key or MISSING, Message("cell.number"))
    values = builder.values_of(MAPPING, row, location, key, no_key)
    if values is None:
        return
    reports = reports_of(row)
    claims = [
        FieldClaim("targets", phrase, quote(text_of(row), phrase), 0 if len(reports) == 1 else None)
        for phrase in values["targets"][:2]
    ]
    if builder.has(key):
        builder.add_reports(key, reports if kind == "info" else (), location)
        builder.skip(Message("viina.further-report" if kind == "info" else "viina.event-read-before"))
    else:
        builder.add_strike(location, key, values, reports, claims, text_of(row))


def _skip_reason(kind: str, row: StrikeRow) -> Message | None:
    """Return the reason why a sound row is no strike, None if it is a strike."""
    if kind == "derived":
        judged = "DROP_NOT_EVENT" in row["reviewdecisionauto"] or row["eventgate"] == "FAIL"
        return Message("viina.no-fresh-attack") if judged else None
    if kind == "info" and not row["labels"]:
        return Message("viina.no-labels")
    if not is_set(row, "t_mil_b"):
        return Message("viina.not-military")
    return None if is_set(row, *VIINA_ATTACKS) else Message("viina.no-attack")


def recognises(sniff: FileSniff) -> bool:
    """Whether a table has the columns of one of VIINA's files."""
    try:
        return sniff.container in ("table", "workbook") and bool(kind_of(sniff.columns, sniff.name))
    except FileRefused:
        return False


FORMAT = Format(
    name="viina",
    title="VIINA 1.0 and 2.0, and tables derived from it",
    provides="strikes",
    licence=TERMS.licence,
    recognises=recognises,
    read=read,
    signature=(
        "event_id or event_id_1pd with text, GEO_PRECISION, t_mil_b; or representative_text; or a target register"
    ),
    theatre=("UA", "RU"),
)
