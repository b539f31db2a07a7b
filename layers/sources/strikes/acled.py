"""Reads ACLED exports (CSV or xlsx), of now and of before March 2023. The records stay private: see ``TERMS``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from layers.model.read_result import Place, Reading
from layers.model.records import Weapon
from layers.sources.files.sniffing import Head
from layers.sources.files.source_file import SourceFile
from layers.sources.reader.format import Format, Request
from layers.sources.strikes.event_codes import ACLED_EVENTS, ACLED_ONE_SIDED
from layers.sources.strikes.field_mapping import Faulty, Field, Row, code, count, day, interval, made, needed, quote
from layers.sources.strikes.location_precision import ACLED, coarser, host_of, point_of
from layers.sources.strikes.strike_builder import Report, Said, StrikeLoad, Terms, located, read_rows
from layers.sources.strikes.target_extraction import targets

TERMS = Terms(
    format="acled",
    publisher="Armed Conflict Location & Event Data (ACLED)",
    title="ACLED data export; say the date of access and the filters used",
    url="https://acleddata.com",
    licence="ACLED terms: attribution is required, redistribution is not permitted",
    private=True,
)
STYLES = ("%Y-%m-%d", "%d %B %Y", "%d %b %Y", "%d-%B-%Y", "%d-%b-%Y", "%d-%b-%y", "%d/%m/%Y")
_TIME = {"1": None, "2": "some time in the week or a like period", "3": "some time in the month or a like period"}
_MONTH_MIDDLE = range(10, 21)


def _event(row: Row) -> str:
    return (row["sub_event_type"] or row["event_type"]).casefold()


def _when(row: Row) -> str:
    """The day, or what the time_precision makes of it.

    Of two readings of the codes the wider is taken: 3 is the month whose middle is coded, or a period of a few weeks
    around the day where that is not the middle of a month.
    """
    coded = day("event_date", row["event_date"], STYLES)
    precision = code(row, "time_precision", _TIME) if "time_precision" in row else "1"
    if precision == "1":
        return coded.isoformat()
    if precision == "2":
        return interval(coded - timedelta(days=6), coded + timedelta(days=6))
    if coded.day in _MONTH_MIDDLE:
        return coded.strftime("%Y-%m")
    return interval(coded - timedelta(days=15), coded + timedelta(days=15))


def _title(row: Row) -> str:
    return f"{ACLED_EVENTS[_event(row)][1]}, {_place(row)}"[:200]


def _place(row: Row) -> str:
    return needed(row, "location", "the name of a place")


def _where(row: Row) -> dict[str, Any]:
    precision = ACLED[code(row, "geo_precision", ACLED)]
    point = point_of(row)
    return located(point, coarser(precision, row["longitude"], row["latitude"]))


def _weapons(row: Row) -> tuple[Weapon, ...]:
    weapon = ACLED_EVENTS[_event(row)][0]
    return (Weapon(kind=weapon),) if weapon else ()


def _attacker(row: Row) -> str | None:
    if row["event_type"].casefold() not in ACLED_ONE_SIDED or not row["actor1"]:
        return None
    return f"{row['actor1']}, as coded by ACLED"


def _killed(row: Row) -> dict[str, int]:
    """ACLED writes 0 both for none and for not known, so 0 says nothing."""
    dead = count(row, "fatalities")
    return {"killed_min": dead, "killed_max": dead} if dead else {}


def _note(row: Row) -> str | None:
    actors = [actor for actor in (row["actor1"], row["actor2"]) if actor]
    told = [f"Actors as coded: {', '.join(actors)}."] if actors else []
    if row["civilian_targeting"]:
        told.append(f"{row['civilian_targeting']}.")
    if row["tags"]:
        told.append(f"Tags: {row['tags']}.")
    return " ".join(told)[:2000] or None


#: What each field of a strike is made of.
MAPPING: tuple[Field, ...] = (
    Field("title", "sub_event_type, location", "kind of event by the table, and the place", _title),
    Field("when", "event_date, time_precision", "1 the day; 2 six days either way; 3 the month, or 15 days", _when),
    Field(
        "when_note",
        "time_precision",
        "what the code says, in words",
        lambda row: _TIME[code(row, "time_precision", _TIME)] if "time_precision" in row else None,
    ),
    Field("place", "location", "as printed", _place),
    Field("region", "admin1", "as printed", lambda row: row["admin1"] or None),
    Field("host_country", "country", "ISO code of the name", lambda row: host_of(row["country"])),
    Field("*", "latitude, longitude, geo_precision", "point with uncertainty_m and basis by the ACLED table", _where),
    Field("attacker", "actor1, event_type", "actor1 of remote violence; elsewhere actor1 need not attack", _attacker),
    Field("weapons", "sub_event_type", "by the table; no counts", _weapons),
    Field("*", "fatalities", "killed_min and killed_max where above 0; 0 may mean not known", _killed),
    Field("targets", "notes", "the phrase of the target as printed", lambda row: targets(row["notes"])[0]),
    Field("target_kinds", "notes", "kinds that the words of that phrase allow", lambda row: targets(row["notes"])[1]),
    Field("note", "actor1, actor2, civilian_targeting, tags", "as coded", _note),
)


def read(files: Sequence[SourceFile], request: Request) -> Reading:
    """Read exports; see ``MAPPING``. What is no attack on a place is skipped by ``ACLED_EVENTS``."""
    return read_rows(files, request, TERMS, _row)


def _row(row: Row, place: Place, load: StrikeLoad) -> None:
    event = ACLED_EVENTS.get(_event(row))
    if event is not None and event[0] is None:
        load.skip(event[1])
        return
    key = _key(row)
    if event is None:
        shown = row["sub_event_type"] or row["event_type"] or "(missing)"
        faults = [Faulty("sub_event_type", shown, "a sub-event type of the ACLED codebook")]
        load.reject(place, key, faults)
        return
    values, faults = made(MAPPING, row)
    if key == "(no id)":
        faults.append(Faulty("event_id_cnty", "(missing)", "an identifier such as UKR12345"))
    if faults:
        load.reject(place, key, faults)
        return
    reports = [Report(name.strip()) for name in row["source"].split(";") if name.strip()]
    load.strike(place, key, values, reports, _said(row, values))


def _key(row: Row) -> str:
    """event_id_cnty; in some old files it holds only the letters of the country, and the number stands beside it."""
    key, number = row["event_id_cnty"], row["event_id_no_cnty"].removesuffix(".0")
    if key and not any(letter.isdigit() for letter in key):
        key += number
    return key or row["data_id"].removesuffix(".0") or "(no id)"


def _said(row: Row, values: dict[str, Any]) -> list[Said]:
    return [Said("targets", phrase, quote(row["notes"], phrase)) for phrase in values["targets"][:1]]


def recognises(head: Head) -> bool:
    """Whether a table has the columns that only ACLED has."""
    return head.has("event_type", "actor1", "inter1", "geo_precision", "fatalities") and (
        head.has("event_id_cnty") or head.has("data_id")
    )


FORMAT = Format(
    name="acled",
    title="ACLED data export",
    gives="strikes",
    licence=TERMS.licence,
    recognises=recognises,
    read=read,
    private=True,
    known_by="columns event_id_cnty (or data_id), event_type, actor1, inter1, geo_precision, fatalities",
)
