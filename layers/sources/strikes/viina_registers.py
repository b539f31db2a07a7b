"""Reader of the registers derived from VIINA: struck targets by name, located by a gazetteer where one is given."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import shapely

from layers.model.messages import Message
from layers.model.problems import MISSING, SourceLocation
from layers.sources.files.tables import RowTable
from layers.sources.reader.cell_values import web_address, web_host
from layers.sources.strikes.event_codes import VIINA_TARGETS, kinds_of_classes
from layers.sources.strikes.field_mapping import (
    CellProblem,
    FieldMapping,
    StrikeRow,
    day,
    identifier_such_as,
    map_row,
    quote,
    required,
)
from layers.sources.strikes.location_precision import SETTLEMENT_M, host_of
from layers.sources.strikes.strike_builder import FieldClaim, Report, StrikeBuilder

#: The columns by which each kind of register is recognised.
REGISTERS: Mapping[str, frozenset[str]] = {
    "candidates": frozenset({"candidateid", "canonicaleventdate", "targetname", "location", "targetclass"}),
    "confirmed": frozenset({"eventno", "canonicaleventdate", "target", "sector", "confirmationbasis"}),
}
_CAPITALISED = re.compile(r"[A-Z][\w'-]*(?:\s+[A-Z][\w'-]*)*")


def _when(row: StrikeRow) -> str:
    return day("CanonicalEventDate", row["CanonicalEventDate"], ("%Y-%m-%d",)).isoformat()


def _kinds(column: str, row: StrikeRow) -> tuple[str, ...]:
    if row[column] not in VIINA_TARGETS:
        raise CellProblem(column, row[column] or MISSING, Message("cell.one-of", {"names": tuple(VIINA_TARGETS)}))
    return kinds_of_classes((row[column],))


def _parts(row: StrikeRow) -> list[str]:
    """Return the parts of a location such as "Unecha, Bryansk Oblast, Russia"."""
    return [part.strip() for part in row["Location"].split(",") if part.strip()]


def _region(row: StrikeRow) -> str | None:
    parts = _parts(row)
    return parts[-2] if len(parts) > 1 else None


#: The source columns and the rule of each field of a strike in the register of candidates.
CANDIDATES: tuple[FieldMapping, ...] = (
    FieldMapping("title", "TargetName", "as printed", lambda row: f"Strike on {required(row, 'TargetName')}"[:200]),
    FieldMapping("when", "CanonicalEventDate", "the day", _when),
    FieldMapping("place", "Location", "as printed", lambda row: required(row, "Location")),
    FieldMapping("region", "Location", "the part before the country", _region),
    FieldMapping(
        "host_country", "Location", "ISO code of the last part", lambda row: host_of((_parts(row) or [""])[-1])
    ),
    FieldMapping("targets", "TargetName", "as printed", lambda row: (row["TargetName"],)),
    FieldMapping("target_kinds", "TargetClass", "by the table of classes", lambda row: _kinds("TargetClass", row)),
    FieldMapping("note", "Notes", "as printed", lambda row: row["notes"][:2000] or None),
)
#: The source columns and the rule of each field of a strike in the register of confirmed events, all inside Russia.
CONFIRMED: tuple[FieldMapping, ...] = (
    FieldMapping("title", "Target", "as printed", lambda row: f"Strike on {required(row, 'Target')}"[:200]),
    FieldMapping("when", "CanonicalEventDate", "the day", _when),
    FieldMapping("place", "Target", "the target as printed: the register has no other", lambda row: row["Target"]),
    FieldMapping("host_country", "", "Russia: the register is of strikes inside it", lambda _: "RU"),
    FieldMapping("targets", "Target", "as printed", lambda row: (row["Target"],)),
    FieldMapping("target_kinds", "Sector", "by the table of classes", lambda row: _kinds("Sector", row)),
)


def read_register(kind: str, table: RowTable, builder: StrikeBuilder) -> None:
    """Add the rows of a register to a strike builder; every row is one strike."""
    for number, cells in table:
        row, location = StrikeRow(cells), SourceLocation(table.file, number)
        if kind == "candidates":
            _candidate(row, location, builder)
        else:
            _confirmed(row, location, builder)
    builder.add_unreadable_rows(table)


def _candidate(row: StrikeRow, location: SourceLocation, builder: StrikeBuilder) -> None:
    values, faults = map_row(CANDIDATES, row)
    key = row["candidateid"]
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", key):
        faults.append(CellProblem("CandidateID", key or MISSING, identifier_such_as("VIINA-RU-001")))
    if faults:
        builder.reject(location, key or "(no id)", faults)
        return
    url = web_address(row["sourceurl"])
    reports = [Report(web_host(url), url=url)] if url else []
    claims = [FieldClaim("targets", row["TargetName"], None, 0 if reports else None)]
    builder.add_strike(
        location,
        key,
        {**values, **gazetteer_location(builder, row["Location"], values["host_country"], location)},
        reports,
        claims,
    )


def _confirmed(row: StrikeRow, location: SourceLocation, builder: StrikeBuilder) -> None:
    values, faults = map_row(CONFIRMED, row)
    if not row["eventno"].isdigit():
        faults.append(CellProblem("EventNo", row["eventno"] or MISSING, Message("cell.number")))
    key = f"reuters-2025-{row['eventno']}"
    if faults:
        builder.reject(location, key, faults)
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
