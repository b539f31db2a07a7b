"""Reads the registers made from VIINA: struck targets by name, without coordinates; a gazetteer may place them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import shapely

from layers.model.read_result import Place
from layers.sources.files.tables import RowTable
from layers.sources.reader.urls import url_of
from layers.sources.strikes.event_codes import VIINA_TARGETS, kinds_of_classes
from layers.sources.strikes.field_mapping import Faulty, Field, Row, day, made, needed, quote
from layers.sources.strikes.location_precision import SETTLEMENT_M, host_of
from layers.sources.strikes.strike_builder import Report, Said, StrikeLoad

#: Kind of register to the columns that only it has.
REGISTERS: Mapping[str, frozenset[str]] = {
    "candidates": frozenset({"candidateid", "canonicaleventdate", "targetname", "location", "targetclass"}),
    "confirmed": frozenset({"eventno", "canonicaleventdate", "target", "sector", "confirmationbasis"}),
}
_CAPITALISED = re.compile(r"[A-Z][\w'-]*(?:\s+[A-Z][\w'-]*)*")


def _when(row: Row) -> str:
    return day("CanonicalEventDate", row["CanonicalEventDate"], ("%Y-%m-%d",)).isoformat()


def _kinds(column: str, row: Row) -> tuple[str, ...]:
    if row[column] not in VIINA_TARGETS:
        raise Faulty(column, row[column] or "(missing)", "one of " + ", ".join(VIINA_TARGETS))
    return kinds_of_classes((row[column],))


def _parts(row: Row) -> list[str]:
    """The parts of "Unecha, Bryansk Oblast, Russia"."""
    return [part.strip() for part in row["Location"].split(",") if part.strip()]


def _region(row: Row) -> str | None:
    parts = _parts(row)
    return parts[-2] if len(parts) > 1 else None


#: What each field of a strike is made of, in the register of candidates.
CANDIDATES: tuple[Field, ...] = (
    Field("title", "TargetName", "as printed", lambda row: f"Strike on {needed(row, 'TargetName')}"[:200]),
    Field("when", "CanonicalEventDate", "the day", _when),
    Field("place", "Location", "as printed", lambda row: needed(row, "Location")),
    Field("region", "Location", "the part before the country", _region),
    Field("host_country", "Location", "ISO code of the last part", lambda row: host_of((_parts(row) or [""])[-1])),
    Field("targets", "TargetName", "as printed", lambda row: (row["TargetName"],)),
    Field("target_kinds", "TargetClass", "by the table of classes", lambda row: _kinds("TargetClass", row)),
    Field("note", "Notes", "as printed", lambda row: row["notes"][:2000] or None),
)
#: The same in the register of confirmed events, which is of strikes inside Russia.
CONFIRMED: tuple[Field, ...] = (
    Field("title", "Target", "as printed", lambda row: f"Strike on {needed(row, 'Target')}"[:200]),
    Field("when", "CanonicalEventDate", "the day", _when),
    Field("place", "Target", "the target as printed: the register has no other", lambda row: row["Target"]),
    Field("host_country", "", "Russia: the register is of strikes inside it", lambda _: "RU"),
    Field("targets", "Target", "as printed", lambda row: (row["Target"],)),
    Field("target_kinds", "Sector", "by the table of classes", lambda row: _kinds("Sector", row)),
)


def read_register(kind: str, table: RowTable, load: StrikeLoad) -> None:
    """Read a register into a load; every row is one strike."""
    for number, cells in table:
        row, place = Row(cells), Place(table.file, number)
        if kind == "candidates":
            _candidate(row, place, load)
        else:
            _confirmed(row, place, load)
    load.bad_rows(table)


def _candidate(row: Row, place: Place, load: StrikeLoad) -> None:
    values, faults = made(CANDIDATES, row)
    key = row["candidateid"]
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", key):
        faults.append(Faulty("CandidateID", key or "(missing)", "an identifier such as VIINA-RU-001"))
    if faults:
        load.reject(place, key or "(no id)", faults)
        return
    url = url_of(row["sourceurl"])
    reports = [Report(url.split("/")[2].removeprefix("www."), url=url)] if url else []
    said = [Said("targets", row["TargetName"], None, 0 if reports else None)]
    load.strike(place, key, {**values, **placed(load, row["Location"], values["host_country"], place)}, reports, said)


def _confirmed(row: Row, place: Place, load: StrikeLoad) -> None:
    values, faults = made(CONFIRMED, row)
    if not row["eventno"].isdigit():
        faults.append(Faulty("EventNo", row["eventno"] or "(missing)", "a number"))
    key = f"reuters-2025-{row['eventno']}"
    if faults:
        load.reject(place, key, faults)
        return
    said = [Said("status", "confirmed, by the register", quote(row["confirmationbasis"]))]
    names = place_names(row["Target"])
    where = next(filter(None, (placed(load, name, "RU", place, alone=True) for name in names)), {})
    load.strike(place, key, {**values, **where}, (), said)


def place_names(target: str) -> list[str]:
    """What may be the name of a place in a target: "Ryazan" of "Ryazan oil refinery".

    Capitalised words at the end of the target tell the place, and else those at its beginning: the works called
    Kronstadt stand in Dubna ("Kronstadt UAV plant Dubna").
    """
    runs = _CAPITALISED.findall(target)
    if not runs:
        return []
    run = runs[-1] if target.endswith(runs[-1]) else runs[0]
    return list(dict.fromkeys((run, run.split()[-1])))


# How the gazetteer says that a place's own name was found, and not another name that it has or had.
_OWN = frozenset({"own-name", "own-name-spelled", "sounds-like"})


def placed(load: StrikeLoad, text: str, country: str | None, place: Place, *, alone: bool = False) -> dict[str, Any]:
    """The columns of a place that the gazetteer gives for a text; empty without one, or where it has no sure answer.

    With ``alone``, for a name without its region, a settlement is an answer only if it is the one place of the country
    that has or had that name: the refinery called Kuibyshev is in Samara, and the town of that name is not.
    """
    gazetteer = load.request.gazetteer
    if gazetteer is None or not text:
        return {}
    found = gazetteer.find(text, country=country)
    best = found.best
    if best is None or (alone and best.basis != "region" and not _is_alone(found, country)):
        return {}
    is_site = best.basis == "site"
    return {
        "geometry": shapely.Point(best.lon, best.lat),
        "uncertainty_m": round(max(best.uncertainty_m, SETTLEMENT_M) if is_site else best.uncertainty_m),
        "basis": "settlement" if is_site else best.basis,
        "place_source": load.gazetteer_source(gazetteer, place),
    }


def _is_alone(found: Any, country: str | None) -> bool:
    there = [one for one in found.candidates if one.country == country]
    return len(there) == 1 and bool(_OWN & {reason.name for reason in there[0].reasons})
