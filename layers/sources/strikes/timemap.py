"""Reads TimeMap exports in JSON, such as Bellingcat's of civilian harm: events, with their sources and filters."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from layers.model.read_result import Place, Reading
from layers.model.records import Weapon
from layers.sources.files.limits import Refused
from layers.sources.files.sniffing import Head
from layers.sources.files.source_file import SourceFile
from layers.sources.reader.format import Format, Request
from layers.sources.reader.urls import url_of
from layers.sources.strikes.field_mapping import Faulty, Field, Row, day, made, quote
from layers.sources.strikes.location_precision import TIMEMAP, coarser, point_of
from layers.sources.strikes.strike_builder import Report, Said, StrikeLoad, Terms, located
from layers.sources.strikes.target_extraction import targets

TERMS = Terms(
    format="timemap",
    publisher="Bellingcat",
    title="Civilian Harm in Ukraine TimeMap",
    url="https://ukraine.bellingcat.com/",
    licence="no licence stated",
    unstated=True,
)
#: Month before day, as the map's own configuration says (DATE_FMT MM/DD/YYYY); both 03/07/2022 and 3/7/2022 occur.
STYLES = ("%m/%d/%Y", "%Y-%m-%d")
_UNNAMED = "place not named"
_UNKNOWN = ("", "unknown", "undefined")


def _place(row: Row) -> str:
    return row["location"][:200] or _UNNAMED


def _title(row: Row) -> str:
    return f"Civilian harm, {_place(row)}"


def _where(row: Row) -> dict[str, Any]:
    point = point_of(row)
    if point is None:
        raise Faulty("longitude, latitude", "(missing)", "a point in degrees")
    return located(point, coarser(TIMEMAP, row["longitude"], row["latitude"]))


def _weapons(row: Row) -> tuple[Weapon, ...]:
    return tuple(
        Weapon(kind=kind[:200]) for kind in row["weapon system"].split("\n") if kind.casefold() not in _UNKNOWN
    )


def _damage(row: Row) -> str | None:
    kinds = [kind for kind in row["type of area affected"].split("\n") if kind.casefold() not in _UNKNOWN]
    return f"Area affected: {', '.join(kinds)}." if kinds else None


def _when_note(row: Row) -> str | None:
    return None if row["time"] in ("", "00:00") else f"At {row['time'][:40]}, as given."


#: What each field of a strike is made of.
MAPPING: tuple[Field, ...] = (
    Field("title", "location", "that harm was done, and the place", _title),
    Field("when", "date", "the day, month first", lambda row: day("date", row["date"], STYLES).isoformat()),
    Field("when_note", "time", "as given, if not 00:00", _when_note),
    Field("place", "location", f"as printed; '{_UNNAMED}' where empty", _place),
    Field("*", "latitude, longitude", "point with uncertainty_m and basis by the TimeMap table", _where),
    Field("weapons", "associations or filters", "values of 'Weapon System' but unknown ones", _weapons),
    Field("damage", "associations or filters", "values of 'Type of area affected'", _damage),
    Field("targets", "description", "the phrase of the target as printed", lambda row: targets(row["description"])[0]),
    Field(
        "target_kinds",
        "description",
        "kinds that the words of that phrase allow",
        lambda row: targets(row["description"])[1],
    ),
    Field("status_note", "", "that its investigators placed it", lambda _: "Footage geolocated by Bellingcat."),
)


def read(files: Sequence[SourceFile], request: Request) -> Reading:
    """Read events, with the sources and associations that other files of the call hold; see ``MAPPING``.

    Ids of associations changed between exports (asc14 was a weapon once, and "unknown" later), so they are
    resolved only by an associations file that is given with the events.

    Raises
    ------
    Refused
        If none of the files holds events, or one is no TimeMap export.
    """
    events, sources, filters = [], {}, {}
    for file in files:
        document = file.json()
        if isinstance(document, dict):
            sources.update({key: value for key, value in document.items() if isinstance(value, dict)})
        elif isinstance(document, list) and document and _is_association(document[0]):
            filters.update({str(one.get("id")): one for one in document if isinstance(one, dict)})
        elif isinstance(document, list):
            events.append((file.name, document))
    if not events:
        raise Refused(files[0].name if files else "(none)", "events", "none", "a JSON array of events")
    load = StrikeLoad(request, TERMS)
    for name, document in events:
        for number, event in enumerate(document, 1):
            _event(event, Place(name, number), load, sources, filters)
    return load.reading()


def _event(
    event: object, place: Place, load: StrikeLoad, sources: Mapping[str, Any], filters: Mapping[str, Any]
) -> None:
    if not isinstance(event, dict):
        load.reject(place, "(no id)", [Faulty("event", str(event)[:80], "a JSON object")])
        return
    row = Row({str(key): str(value) for key, value in event.items() if isinstance(value, str | int | float)})
    row = Row({**row, **_filters(event, filters)})
    values, faults = made(MAPPING, row)
    key = re.sub(r"[^A-Za-z0-9._-]", "", row["id"])
    if not key:
        faults.append(Faulty("id", row["id"] or "(missing)", "an identifier such as CIV0001"))
    if faults:
        load.reject(place, key or "(no id)", faults)
        return
    said = [Said("targets", phrase, quote(row["description"], phrase)) for phrase in values["targets"][:1]]
    load.strike(place, key, values, list(_reports(event, sources)), said)


def _filters(event: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, str]:
    """What the event is filed under: group to values, one a line."""
    found: dict[str, list[str]] = {}
    for one in [*_listed(event, "filters"), *(known.get(str(key)) for key in _listed(event, "associations"))]:
        if isinstance(one, dict):
            path = one.get("filter_paths") or [one.get("key"), one.get("value")]
            if isinstance(path, list) and len(path) >= 2 and all(isinstance(part, str) for part in path[:2]):
                found.setdefault(path[0], []).append(path[1])
    return {group: "\n".join(dict.fromkeys(values)) for group, values in found.items()}


def _reports(event: Mapping[str, Any], known: Mapping[str, Any]) -> Iterator[Report]:
    """Sources of an event: ids into the other file, or objects in the event itself; hidden ones have no address."""
    for one in _listed(event, "sources"):
        source = one if isinstance(one, dict) else known.get(str(one))
        if isinstance(source, dict):
            paths = [source.get("path"), *_listed(source, "paths")]
            yield from (Report(_host(url), url=url) for url in paths if isinstance(url, str) and url_of(url))


def _listed(value: Mapping[str, Any], key: str) -> list[Any]:
    found = value.get(key)
    return found if isinstance(found, list) else []


def _host(url: str) -> str:
    return url.split("/")[2].removeprefix("www.") or "unknown"


def _is_association(one: object) -> bool:
    return isinstance(one, dict) and "filter_paths" in one


def recognises(head: Head) -> bool:
    """Whether a JSON file is an array of events, or the sources or associations that go with one."""
    if head.container != "json":
        return False
    keys = set(head.keys)
    if {"id", "date", "latitude", "longitude", "sources"} <= keys or {"id", "filter_paths", "mode"} <= keys:
        return True
    return bool(keys) and head.text.lstrip().startswith("{") and all(key.startswith("src") for key in keys)


FORMAT = Format(
    name="timemap",
    title="TimeMap export (JSON)",
    gives="strikes",
    licence=TERMS.licence,
    recognises=recognises,
    read=read,
    private=True,
    known_by="events with id, date, latitude, longitude, sources; give export_sources.json and associations with them",
)
