"""Reads UCDP GED events (CSV or xlsx, 49 columns since version 17): deaths in organised violence, by place and day."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import date
from typing import Any

from layers.model.read_result import Place, Reading
from layers.sources.files.sniffing import Head
from layers.sources.files.source_file import SourceFile
from layers.sources.reader.format import Format, Request
from layers.sources.strikes.field_mapping import Faulty, Field, Row, code, count, day, interval, made, needed, quote
from layers.sources.strikes.location_precision import UCDP, coarser, host_of, point_of
from layers.sources.strikes.strike_builder import Report, Said, StrikeLoad, Terms, located, read_rows

TERMS = Terms(
    format="ucdp",
    publisher="Uppsala Conflict Data Program (UCDP)",
    title="UCDP Georeferenced Event Dataset (GED); cite Sundberg and Melander 2013, and Davies, Pettersson and Öberg",
    url="https://ucdp.uu.se/downloads/",
    licence="CC BY 4.0",
)

#: Month before day in both styles: the one with a clock time is what a spreadsheet made of "9/5/2014 12:00:00 AM". Of
#: 1,303 such rows with a dated source, 1,257 lie in the 45 days before it so read, and 98 with the day first.
STYLES = ("%Y-%m-%d", "%m/%d/%Y")
_SOURCE_STYLES = ("%Y-%m-%d", "%d/%m/%Y")
_KINDS = {"1": "Fighting with a state", "2": "Fighting between groups", "3": "Violence against civilians"}
_PRECISION = {
    "1": None,
    "2": "within two to six days",
    "3": "within a week",
    "4": "within a month",
    "5": "within a year",
}
_TOLLS = (
    ("side_a", "deaths_a"),
    ("side_b", "deaths_b"),
    ("", "deaths_civilians"),
    ("", "deaths_unknown"),
)


def _when(row: Row) -> str:
    start, end = (day(column, row[column], STYLES) for column in ("date_start", "date_end"))
    if end < start:
        raise Faulty("date_end", row["date_end"], f"a day not before date_start ({start})")
    return interval(start, end)


def _title(row: Row) -> str:
    kind = _KINDS[code(row, "type_of_violence", _KINDS)]
    return f"{kind}, {_place(row)}"[:200]


def _place(row: Row) -> str:
    return needed(row, "where_coordinates", "the place that the coordinates stand for")


def _where(row: Row) -> dict[str, Any]:
    precision = UCDP[code(row, "where_prec", UCDP)]
    point = point_of(row)
    if precision is None or point is None:
        return {}
    return located(point, coarser(precision, row["longitude"], row["latitude"]))


def _killed(row: Row) -> dict[str, Any]:
    """The lowest and highest of low, best and high: in a few rows they are not in order."""
    stated = [value for column in ("low", "best", "high") if (value := count(row, column)) is not None]
    return {"killed_min": min(stated), "killed_max": max(stated)} if stated else {}


def _casualties(row: Row) -> str | None:
    parts = [
        f"{row[side] if side else column.removeprefix('deaths_')} {value}"
        for side, column in _TOLLS
        if (value := count(row, column))
    ]
    return f"Killed by best estimate: {', '.join(parts)}." if parts else None


def _note(row: Row) -> str:
    told = [f"Between {row['side_a']} and {row['side_b']}."]
    if row["event_clarity"] == "2":
        told.append("Part of an aggregate report: UCDP could not tell single events apart (event_clarity 2).")
    if row["code_status"] not in ("", "Clear"):
        told.append(f"UCDP: {row['code_status']}.")
    if row["where_description"] and row["where_description"] != row["where_coordinates"]:
        told.append(f"Place as described: {row['where_description']}.")
    return " ".join(told)[:2000]


#: What each field of a strike is made of.
MAPPING: tuple[Field, ...] = (
    Field("title", "type_of_violence, where_coordinates", "kind of violence and the place, in our words", _title),
    Field("when", "date_start, date_end", "the day, or the days from start to end as an EDTF interval", _when),
    Field(
        "when_note",
        "date_prec",
        "1 the day; 2 two to six days; 3 a week; 4 a month; 5 a year, in words",
        lambda row: _PRECISION[code(row, "date_prec", _PRECISION)],
    ),
    Field("place", "where_coordinates", "as printed", _place),
    Field("region", "adm_1", "as printed", lambda row: row["adm_1"] or None),
    Field("host_country", "country", "ISO code of the name", lambda row: host_of(row["country"])),
    Field("*", "latitude, longitude, where_prec", "point with uncertainty_m and basis by the UCDP table", _where),
    Field(
        "attacker",
        "side_a, type_of_violence",
        "side_a in one-sided violence (3); else empty: the order of the sides does not say who attacked",
        lambda row: f"{row['side_a']}, as coded by UCDP" if row["type_of_violence"] == "3" and row["side_a"] else None,
    ),
    Field("*", "low, best, high", "killed_min and killed_max, all sides and civilians together", _killed),
    Field("casualties", "deaths_a, deaths_b, deaths_civilians, deaths_unknown", "best estimate by side", _casualties),
    Field(
        "status_note",
        "source_original",
        "who said so to the press",
        lambda row: f"According to {row['source_original']}"[:2000] if row["source_original"] else None,
    ),
    Field("note", "side_a, side_b, event_clarity, code_status, where_description", "in words", _note),
)


def read(files: Sequence[SourceFile], request: Request) -> Reading:
    """Read files of the dataset; see ``MAPPING``. Events that name no place below a country are skipped."""
    return read_rows(files, request, TERMS, _row)


def _row(row: Row, place: Place, load: StrikeLoad) -> None:
    if row["where_prec"] == "6":
        load.skip("the place is a whole country")
        return
    values, faults = made(MAPPING, row)
    key = row["id"].removesuffix(".0")
    if not key.isdigit():
        faults.append(Faulty("id", row["id"] or "(missing)", "the number of an event"))
    if faults:
        load.reject(place, key or "(no id)", faults)
        return
    load.strike(place, key, values, _reports(row), _said(row))


def _said(row: Row) -> list[Said]:
    low, best, high = (count(row, column) for column in ("low", "best", "high"))
    if best is None or low == best == high:
        return []
    return [Said("killed", f"best estimate {best}, low {low}, high {high}")]


def _reports(row: Row) -> list[Report]:
    """The reports in source_article: quoted "publisher,date,headline", joined by semicolons."""
    articles = next(csv.reader([row["source_article"].replace("\n", " ")], delimiter=";"), [])
    found = []
    for article in articles:
        publisher, _, rest = article.partition(",")
        published, _, headline = rest.partition(",")
        try:
            when = day("source_article", published, _SOURCE_STYLES)
        except Faulty:
            when, headline = None, rest
        found.append(_report(publisher, when, headline))
    return [report for report in found if report.publisher]


def _report(publisher: str, published: date | None, headline: str) -> Report:
    return Report(publisher.strip(), title=quote(headline), published=published.isoformat() if published else None)


def recognises(head: Head) -> bool:
    """Whether a table has the columns that only GED has."""
    return head.has("where_prec", "date_prec", "date_start", "type_of_violence", "best")


FORMAT = Format(
    name="ucdp",
    title="UCDP Georeferenced Event Dataset",
    gives="strikes",
    licence=TERMS.licence,
    recognises=recognises,
    read=read,
    known_by="columns where_prec, date_prec, date_start, type_of_violence, best",
)
