"""Reader of UCDP GED (CSV or xlsx, 49 columns since version 17): deaths in organised violence, by place and day."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from typing import Any

from layers.model.messages import Message
from layers.model.problems import MISSING, ReadResult, SourceLocation
from layers.sources.files.source_file import SourceFile
from layers.sources.reader.format import Format, LoadOptions
from layers.sources.strikes.location_precision import UCDP, host_of, located
from layers.sources.strikes.strike_builder import (
    CellProblem,
    DatasetTerms,
    FieldClaim,
    FieldRules,
    Report,
    StrikeBuilder,
    StrikeRow,
    code,
    count,
    day,
    interval,
    printed,
    quote,
    read_rows,
    required,
)

TERMS = DatasetTerms(
    format="ucdp",
    publisher="Uppsala Conflict Data Program (UCDP)",
    title="UCDP Georeferenced Event Dataset (GED); cite Sundberg and Melander 2013, and Davies, Pettersson and Öberg",
    url="https://ucdp.uu.se/downloads/",
    licence="CC BY 4.0",
)

#: Month before day in both styles; the style with a clock time is a spreadsheet's, as "9/5/2014 12:00:00 AM". Of 1,303
#: such rows with a dated source, 1,257 lie in the 45 days before that date if read so, and 98 with the day first.
STYLES = ("%Y-%m-%d", "%m/%d/%Y")
_SOURCE_STYLES = ("%Y-%m-%d", "%d/%m/%Y")
_KINDS = {"1": "Fighting with a state", "2": "Fighting between groups", "3": "Violence against civilians"}
_PRECISION = {
    "1": None, "2": "within two to six days", "3": "within a week", "4": "within a month", "5": "within a year",
}  # fmt: skip
_TOLLS = (("side_a", "deaths_a"), ("side_b", "deaths_b"), ("", "deaths_civilians"), ("", "deaths_unknown"))


def _when(row: StrikeRow) -> str:
    start, end = (day(column, row[column], STYLES) for column in ("date_start", "date_end"))
    if end < start:
        raise CellProblem("date_end", row["date_end"], Message("ucdp.end", {"start": start.isoformat()}))
    return interval(start, end)


def _title(row: StrikeRow) -> str:
    kind = _KINDS[code(row, "type_of_violence", _KINDS)]
    return f"{kind}, {_place(row)}"[:200]


def _place(row: StrikeRow) -> str:
    return required(row, "where_coordinates", Message("ucdp.place"))


def _killed(row: StrikeRow) -> dict[str, Any]:
    """Return the lowest and the highest of low, best and high, which a few rows have in another order."""
    stated = [value for column in ("low", "best", "high") if (value := count(row, column)) is not None]
    return {"killed_min": min(stated), "killed_max": max(stated)} if stated else {}


def _casualties(row: StrikeRow) -> str | None:
    parts = [
        f"{row[side] if side else column.removeprefix('deaths_')} {value}"
        for side, column in _TOLLS
        if (value := count(row, column))
    ]
    return f"Killed by best estimate: {', '.join(parts)}." if parts else None


def _note(row: StrikeRow) -> str:
    sentences = [f"Between {row['side_a']} and {row['side_b']}."]
    if row["event_clarity"] == "2":
        sentences.append("Part of an aggregate report: UCDP could not tell single events apart (event_clarity 2).")
    if row["code_status"] not in ("", "Clear"):
        sentences.append(f"UCDP: {row['code_status']}.")
    if row["where_description"] and row["where_description"] != row["where_coordinates"]:
        sentences.append(f"Place as described: {row['where_description']}.")
    return " ".join(sentences)[:2000]


MAPPING: FieldRules = {
    "title": _title,
    "when": _when,
    "when_note": lambda row: _PRECISION[code(row, "date_prec", _PRECISION)],
    "place": _place,
    "region": printed("adm_1"),
    "host_country": lambda row: host_of(row["country"]),
    "geometry, uncertainty_m, basis": lambda row: located(row, UCDP[code(row, "where_prec", UCDP)]),
    # Elsewhere than in one-sided violence the order of the sides does not say who attacked.
    "attacker": lambda row: (
        f"{row['side_a']}, as coded by UCDP" if row["type_of_violence"] == "3" and row["side_a"] else None
    ),
    "killed_min, killed_max": _killed,
    "casualties": _casualties,
    "status_note": lambda row: f"According to {row['source_original']}"[:2000] if row["source_original"] else None,
    "note": _note,
}


def read(files: Sequence[SourceFile], options: LoadOptions) -> ReadResult:
    """Read files of the dataset by ``MAPPING``; events that name no place below a country are skipped."""
    return read_rows(files, options, TERMS, _row)


def _row(row: StrikeRow, location: SourceLocation, builder: StrikeBuilder) -> None:
    if row["where_prec"] == "6":
        builder.skip(Message("ucdp.whole-country"))
        return
    key = row["id"].removesuffix(".0")
    no_key = None if key.isdigit() else CellProblem("id", row["id"] or MISSING, Message("ucdp.event-number"))
    values = builder.values_of(MAPPING, row, location, key, no_key)
    if values is not None:
        builder.add_strike(location, key, values, _reports(row), _claims(row), row["where_description"])


def _claims(row: StrikeRow) -> list[FieldClaim]:
    low, best, high = (count(row, column) for column in ("low", "best", "high"))
    if best is None or low == best == high:
        return []
    return [FieldClaim("killed", f"best estimate {best}, low {low}, high {high}")]


def _reports(row: StrikeRow) -> list[Report]:
    """Return the reports in source_article: quoted "publisher,date,headline", joined by semicolons."""
    articles = next(csv.reader([row["source_article"].replace("\n", " ")], delimiter=";"), [])
    reports: list[Report] = []
    for article in articles:
        publisher, _, rest = article.partition(",")
        published, _, headline = rest.partition(",")
        try:
            when = day("source_article", published, _SOURCE_STYLES).isoformat()
        except CellProblem:
            when, headline = None, rest
        reports.append(Report(publisher.strip(), title=quote(headline), published=when))
    return [report for report in reports if report.publisher]


FORMAT = Format(
    name="ucdp",
    title="UCDP Georeferenced Event Dataset",
    provides="strikes",
    licence=TERMS.licence,
    recognises=lambda sniff: sniff.has("where_prec", "date_prec", "date_start", "type_of_violence", "best"),
    read=read,
    signature="columns where_prec, date_prec, date_start, type_of_violence, best",
)
