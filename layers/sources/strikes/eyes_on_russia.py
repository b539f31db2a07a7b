"""Reader of the Eyes on Russia map (CSV): footage that the Centre for Information Resilience located. See ``TERMS``."""

from __future__ import annotations

import re
from collections.abc import Sequence

from layers.model.messages import Message
from layers.model.problems import MISSING, ReadResult, SourceLocation
from layers.model.records import Weapon
from layers.sources.files.source_file import SourceFile
from layers.sources.reader.cell_values import web_address, web_host
from layers.sources.reader.format import Format, LoadOptions
from layers.sources.strikes.location_precision import EYES_ON_RUSSIA, host_of, located
from layers.sources.strikes.strike_builder import (
    CellProblem,
    DatasetTerms,
    FieldRules,
    Report,
    StrikeBuilder,
    StrikeRow,
    day,
    identifier_such_as,
    printed,
    read_rows,
    target_claims,
    targets_in,
)
from layers.sources.strikes.target_extraction import CodedAttack, group_of

TERMS = DatasetTerms(
    format="eyes-on-russia",
    publisher="Centre for Information Resilience (CIR)",
    title="Eyes on Russia map (Russia-Ukraine Monitor Map)",
    url="https://eyesonrussia.org/",
    licence="no licence stated",
    unstated=True,
)
#: The day at the start of a title, day first: a few rows have it only there.
_TITLE_DAY = re.compile(r"^(\d{1,2}[/.]\d{1,2}[/.]\d{4})\s*")
_STYLES = ("%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y")


def _when(row: StrikeRow) -> str:
    match = _TITLE_DAY.match(row["title"])
    text = row["date"] or (match[1] if match else "")
    return day("date", text, _STYLES).isoformat()


def _text(row: StrikeRow) -> str:
    """Return the title without its day; it holds the description whole, which exports cut off at a colon."""
    return _TITLE_DAY.sub("", row["title"]) or row["brief description"]


def _place(row: StrikeRow) -> str:
    parts = [row[column] for column in ("town/city", "district", "province") if row[column]]
    if not parts:
        raise CellProblem("town/city", MISSING, Message("eyes-on-russia.place"))
    return parts[0]


def _title(row: StrikeRow) -> str:
    group = group_of(row["event_group"])
    return f"{group.title if isinstance(group, CodedAttack) else 'Attack'}, {_place(row)}"[:200]


MAPPING: FieldRules = {
    "title": _title,
    "when": _when,
    "place": _place,
    "region": printed("province"),
    "host_country": lambda row: host_of(row["country"]),
    "geometry, uncertainty_m, basis": lambda row: located(row, EYES_ON_RUSSIA, "lon", "lat", is_required=True),
    "weapons": lambda row: (Weapon(kind=row["arms/munition"][:200]),) if row["arms/munition"] else (),
    **targets_in(_text),
    "status_note": lambda _: "Footage geolocated by CIR and its community.",
    "note": lambda row: f"CIR's own level of violence: {row['violence level']}." if row["violence level"] else None,
}


def read(files: Sequence[SourceFile], options: LoadOptions) -> ReadResult:
    """Read files of the map by ``MAPPING``; groups that are no attack on a place are skipped by ``EYES_GROUPS``."""
    return read_rows(files, options, TERMS, _row)


def _row(row: StrikeRow, location: SourceLocation, builder: StrikeBuilder) -> None:
    group = group_of(row["event_group"])
    if not isinstance(group, CodedAttack):
        name = row["event_group"][:60] or Message("value.none")
        builder.skip(group or Message("eyes-on-russia.unknown-group", {"group": name}))
        return
    key = re.sub(r"[^A-Za-z0-9._-]", "", row["entry"])
    no_key = None if key else CellProblem("entry", MISSING, identifier_such_as("UW0067"))
    values = builder.values_of(MAPPING, row, location, key, no_key)
    if values is not None:
        urls = [row[column] for column in ("link", "geolocation") if web_address(row[column])]
        reports = [Report(web_host(url), url=url) for url in urls]
        builder.add_strike(location, key, values, reports, target_claims(values, _text(row)), _text(row))


FORMAT = Format(
    name="eyes-on-russia",
    title="Eyes on Russia map (CSV)",
    provides="strikes",
    licence=TERMS.licence,
    recognises=lambda sniff: sniff.has("entry", "event_group", "arms/munition", "violence level", "lat", "lon"),
    read=read,
    private=True,
    signature="columns entry, event_group, arms/munition, violence level, lat, lon",
)
