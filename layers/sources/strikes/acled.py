"""Reader of ACLED exports (CSV or xlsx), also of those before March 2023. The records stay private: see ``TERMS``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from layers.model.messages import Message
from layers.model.problems import MISSING, ReadResult, SourceLocation
from layers.model.records import Weapon
from layers.sources.files.source_file import SourceFile
from layers.sources.reader.format import Format, LoadOptions
from layers.sources.strikes.location_precision import ACLED, host_of, located
from layers.sources.strikes.strike_builder import (
    CellProblem,
    DatasetTerms,
    FieldRules,
    Report,
    StrikeBuilder,
    StrikeRow,
    code,
    count,
    day,
    identifier_such_as,
    interval,
    printed,
    read_rows,
    required,
    target_claims,
    targets_in,
)
from layers.sources.strikes.target_extraction import ACLED_EVENTS, ACLED_ONE_SIDED, CodedAttack

TERMS = DatasetTerms(
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


def _event(row: StrikeRow) -> str:
    return (row["sub_event_type"] or row["event_type"]).casefold()


def _attack(row: StrikeRow) -> CodedAttack:
    attack = ACLED_EVENTS[_event(row)]
    assert isinstance(attack, CodedAttack), "other events are skipped"
    return attack


def _when(row: StrikeRow) -> str:
    """Return the day of an event, or the period that its time_precision allows.

    Where a code can be read in two ways the wider period is taken: 3 is the month whose middle is coded, or a period of
    a few weeks around the day where that is not the middle of a month.
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


def _place(row: StrikeRow) -> str:
    return required(row, "location", Message("strikes.place-name"))


def _weapons(row: StrikeRow) -> tuple[Weapon, ...]:
    weapon = _attack(row).weapon
    return (Weapon(kind=weapon),) if weapon else ()


def _attacker(row: StrikeRow) -> str | None:
    if row["event_type"].casefold() not in ACLED_ONE_SIDED or not row["actor1"]:
        return None
    return f"{row['actor1']}, as coded by ACLED"


def _killed(row: StrikeRow) -> dict[str, int]:
    """Return the deaths of an event; none for 0, which ACLED writes both for no deaths and for an unknown number."""
    dead = count(row, "fatalities")
    return {"killed_min": dead, "killed_max": dead} if dead else {}


def _note(row: StrikeRow) -> str | None:
    actors = [actor for actor in (row["actor1"], row["actor2"]) if actor]
    sentences = [f"Actors as coded: {', '.join(actors)}."] if actors else []
    if row["civilian_targeting"]:
        sentences.append(f"{row['civilian_targeting']}.")
    if row["tags"]:
        sentences.append(f"Tags: {row['tags']}.")
    return " ".join(sentences)[:2000] or None


MAPPING: FieldRules = {
    "title": lambda row: f"{_attack(row).title}, {_place(row)}"[:200],
    "when": _when,
    "when_note": lambda row: _TIME[code(row, "time_precision", _TIME)] if "time_precision" in row else None,
    "place": _place,
    "region": printed("admin1"),
    "host_country": lambda row: host_of(row["country"]),
    "geometry, uncertainty_m, basis": lambda row: located(row, ACLED[code(row, "geo_precision", ACLED)]),
    "attacker": _attacker,
    "weapons": _weapons,
    "killed_min, killed_max": _killed,
    **targets_in(lambda row: row["notes"]),
    "note": _note,
}


def read(files: Sequence[SourceFile], options: LoadOptions) -> ReadResult:
    """Read exports by ``MAPPING``; events that are no attack on a place are skipped by ``ACLED_EVENTS``."""
    return read_rows(files, options, TERMS, _row)


def _row(row: StrikeRow, location: SourceLocation, builder: StrikeBuilder) -> None:
    event = ACLED_EVENTS.get(_event(row))
    if isinstance(event, Message):
        builder.skip(event)
        return
    key = _key(row)
    if event is None:
        shown = row["sub_event_type"] or row["event_type"] or MISSING
        faults = [CellProblem("sub_event_type", shown, Message("acled.sub-event-type"))]
        builder.reject(location, key, faults)
        return
    no_key = CellProblem("event_id_cnty", MISSING, identifier_such_as("UKR12345")) if key == "(no id)" else None
    values = builder.values_of(MAPPING, row, location, key, no_key)
    if values is not None:
        reports = [Report(name.strip()) for name in row["source"].split(";") if name.strip()]
        builder.add_strike(location, key, values, reports, target_claims(values, row["notes"]), row["notes"])


def _key(row: StrikeRow) -> str:
    """Return the id of an event.

    In some old files event_id_cnty holds only the letters of the country, and the number stands in event_id_no_cnty.
    """
    key, number = row["event_id_cnty"], row["event_id_no_cnty"].removesuffix(".0")
    if key and not any(letter.isdigit() for letter in key):
        key += number
    return key or row["data_id"].removesuffix(".0") or "(no id)"


FORMAT = Format(
    name="acled",
    title="ACLED data export",
    provides="strikes",
    licence=TERMS.licence,
    recognises=lambda sniff: (
        sniff.has("event_type", "actor1", "inter1", "geo_precision", "fatalities")
        and (sniff.has("event_id_cnty") or sniff.has("data_id"))
    ),
    read=read,
    private=True,
    signature="columns event_id_cnty (or data_id), event_type, actor1, inter1, geo_precision, fatalities",
)
