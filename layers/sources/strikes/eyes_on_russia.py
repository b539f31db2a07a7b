"""Reads the Eyes on Russia map as CSV: footage that the Centre for Information Resilience placed. See ``TERMS``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from layers.model.read_result import Place, Reading
from layers.model.records import Weapon
from layers.sources.files.sniffing import Head
from layers.sources.files.source_file import SourceFile
from layers.sources.reader.format import Format, Request
from layers.sources.reader.urls import url_of
from layers.sources.strikes.event_codes import group_of
from layers.sources.strikes.field_mapping import Faulty, Field, Row, day, made, quote
from layers.sources.strikes.location_precision import EYES_ON_RUSSIA, coarser, host_of, point_of
from layers.sources.strikes.strike_builder import Report, Said, StrikeLoad, Terms, located, read_rows
from layers.sources.strikes.target_extraction import targets

TERMS = Terms(
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


def _when(row: Row) -> str:
    found = _TITLE_DAY.match(row["title"])
    text = row["date"] or (found[1] if found else "")
    return day("date", text, _STYLES).isoformat()


def _text(row: Row) -> str:
    """The description: the title without its day, as exports cut the description off at a colon."""
    return _TITLE_DAY.sub("", row["title"]) or row["brief description"]


def _place(row: Row) -> str:
    parts = [row[column] for column in ("town/city", "district", "province") if row[column]]
    if not parts:
        raise Faulty("town/city", "(missing)", "a town, district or province")
    return parts[0]


def _title(row: Row) -> str:
    told = group_of(row["event_group"])
    return f"{told[1] if told else 'Attack'}, {_place(row)}"[:200]


def _where(row: Row) -> dict[str, Any]:
    point = point_of(row, "lon", "lat")
    if point is None:
        raise Faulty("lon, lat", "(missing)", "a point in degrees")
    return located(point, coarser(EYES_ON_RUSSIA, row["lon"], row["lat"]))


def _note(row: Row) -> str | None:
    return f"CIR's own level of violence: {row['violence level']}." if row["violence level"] else None


#: What each field of a strike is made of.
MAPPING: tuple[Field, ...] = (
    Field("title", "event_group, town/city", "kind of event by the table, and the place", _title),
    Field("when", "date, title", "the day of the footage; where date is empty, that at the start of the title", _when),
    Field("place", "town/city, district, province", "the first that is not empty", _place),
    Field("region", "province", "as printed", lambda row: row["province"] or None),
    Field("host_country", "country", "ISO code of the name", lambda row: host_of(row["country"])),
    Field("*", "lat, lon", "point with uncertainty_m and basis by the Eyes on Russia table", _where),
    Field(
        "weapons",
        "arms/munition",
        "as printed",
        lambda row: (Weapon(kind=row["arms/munition"][:200]),) if row["arms/munition"] else (),
    ),
    Field("targets", "title", "the phrase of the target as printed", lambda row: targets(_text(row))[0]),
    Field("target_kinds", "title", "kinds that the words of that phrase allow", lambda row: targets(_text(row))[1]),
    Field("status_note", "", "that CIR placed the footage", lambda _: "Footage geolocated by CIR and its community."),
    Field("note", "violence level", "as coded", _note),
)


def read(files: Sequence[SourceFile], request: Request) -> Reading:
    """Read files of the map; see ``MAPPING``. Groups that are no attack on a place are skipped by ``EYES_GROUPS``."""
    return read_rows(files, request, TERMS, _row)


def _row(row: Row, place: Place, load: StrikeLoad) -> None:
    told = group_of(row["event_group"])
    if told is None or not told[0]:
        load.skip(told[1] if told else f"a group that is not known: {row['event_group'][:60] or '(none)'}")
        return
    values, faults = made(MAPPING, row)
    key = re.sub(r"[^A-Za-z0-9._-]", "", row["entry"])
    if not key:
        faults.append(Faulty("entry", "(missing)", "an identifier such as UW0067"))
    if faults:
        load.reject(place, key or "(no id)", faults)
        return
    reports = [Report(_host(row[column]), url=row[column]) for column in ("link", "geolocation") if url_of(row[column])]
    said = [Said("targets", phrase, quote(_text(row), phrase)) for phrase in values["targets"][:1]]
    load.strike(place, key, values, reports, said)


def _host(url: str) -> str:
    return url.split("/")[2].removeprefix("www.")


def recognises(head: Head) -> bool:
    """Whether a table has the columns that only this map has."""
    return head.has("entry", "event_group", "arms/munition", "violence level", "lat", "lon")


FORMAT = Format(
    name="eyes-on-russia",
    title="Eyes on Russia map (CSV)",
    gives="strikes",
    licence=TERMS.licence,
    recognises=recognises,
    read=read,
    private=True,
    known_by="columns entry, event_group, arms/munition, violence level, lat, lon",
)
