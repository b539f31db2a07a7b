"""Reader of TimeMap exports (JSON), such as Bellingcat's of civilian harm: events, with their sources and filters."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from layers.model.messages import Message
from layers.model.problems import MISSING, ReadResult, SourceLocation
from layers.model.records import Weapon
from layers.sources.files.limits import FileRefused
from layers.sources.files.sniffing import FileSniff
from layers.sources.files.source_file import SourceFile
from layers.sources.reader.cell_values import web_address, web_host
from layers.sources.reader.format import Format, LoadOptions
from layers.sources.strikes.location_precision import TIMEMAP, located
from layers.sources.strikes.strike_builder import (
    CellProblem,
    DatasetTerms,
    FieldRules,
    Report,
    StrikeBuilder,
    StrikeRow,
    day,
    identifier_such_as,
    target_claims,
    targets_in,
)

TERMS = DatasetTerms(
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


def _place(row: StrikeRow) -> str:
    return row["location"][:200] or _UNNAMED


def _known(text: str) -> list[str]:
    return [word for word in text.split("\n") if word.casefold() not in _UNKNOWN]


def _damage(row: StrikeRow) -> str | None:
    kinds = _known(row["type of area affected"])
    return f"Area affected: {', '.join(kinds)}." if kinds else None


MAPPING: FieldRules = {
    "title": lambda row: f"Civilian harm, {_place(row)}",
    "when": lambda row: day("date", row["date"], STYLES).isoformat(),
    "when_note": lambda row: None if row["time"] in ("", "00:00") else f"At {row['time'][:40]}, as given.",
    "place": _place,
    "geometry, uncertainty_m, basis": lambda row: located(row, TIMEMAP, is_required=True),
    "weapons": lambda row: tuple(Weapon(kind=kind[:200]) for kind in _known(row["weapon system"])),
    "damage": _damage,
    **targets_in(lambda row: row["description"]),
    "status_note": lambda _: "Footage geolocated by Bellingcat.",
}


def read(files: Sequence[SourceFile], options: LoadOptions) -> ReadResult:
    """Read events by ``MAPPING``, with the sources and associations in other files of the call.

    Ids of associations changed between exports (asc14 was a weapon once, and "unknown" later), so they are
    resolved only by an associations file that is given with the events.

    Raises ``FileRefused`` if none of the files holds events, or one is no TimeMap export.
    """
    events, sources, filters = [], {}, {}
    for file in files:
        document = file.json()
        if isinstance(document, dict):
            sources.update({key: value for key, value in document.items() if isinstance(value, dict)})
        elif isinstance(document, list) and document and _is_association(document[0]):
            filters.update({str(entry.get("id")): entry for entry in document if isinstance(entry, dict)})
        elif isinstance(document, list):
            events.append((file.name, document))
    if not events:
        name = files[0].name if files else "(none)"
        raise FileRefused(name, "events", Message("value.no-one"), Message("timemap.events"))
    builder = StrikeBuilder(options, TERMS)
    for name, document in events:
        for number, event in enumerate(document, 1):
            _event(event, SourceLocation(name, number), builder, sources, filters)
    return builder.result()


def _event(
    event: object,
    location: SourceLocation,
    builder: StrikeBuilder,
    sources: Mapping[str, Any],
    filters: Mapping[str, Any],
) -> None:
    if not isinstance(event, dict):
        builder.reject(location, "(no id)", [CellProblem("event", str(event)[:80], Message("timemap.event"))])
        return
    row = StrikeRow({str(key): str(value) for key, value in event.items() if isinstance(value, str | int | float)})
    row = StrikeRow({**row, **_filters(event, filters)})
    key, text = re.sub(r"[^A-Za-z0-9._-]", "", row["id"]), row["description"]
    no_key = None if key else CellProblem("id", row["id"] or MISSING, identifier_such_as("CIV0001"))
    values = builder.values_of(MAPPING, row, location, key, no_key)
    if values is not None:
        builder.add_strike(location, key, values, list(_reports(event, sources)), target_claims(values, text), text)


def _filters(event: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, str]:
    """Return the filters of an event: by group its values, one a line."""
    filters: dict[str, list[str]] = {}
    for value in [*_listed(event, "filters"), *(known.get(str(key)) for key in _listed(event, "associations"))]:
        if isinstance(value, dict):
            path = value.get("filter_paths") or [value.get("key"), value.get("value")]
            if isinstance(path, list) and len(path) >= 2 and all(isinstance(part, str) for part in path[:2]):
                filters.setdefault(path[0], []).append(path[1])
    return {group: "\n".join(dict.fromkeys(values)) for group, values in filters.items()}


def _reports(event: Mapping[str, Any], known: Mapping[str, Any]) -> Iterator[Report]:
    """Return the sources of an event, given by id or as objects in the event; hidden sources have no address."""
    for value in _listed(event, "sources"):
        source = value if isinstance(value, dict) else known.get(str(value))
        if isinstance(source, dict):
            paths = [source.get("path"), *_listed(source, "paths")]
            addresses = (url for url in paths if isinstance(url, str) and web_address(url))
            yield from (Report(web_host(url) or "unknown", url=url) for url in addresses)


def _listed(value: Mapping[str, Any], key: str) -> list[Any]:
    listed = value.get(key)
    return listed if isinstance(listed, list) else []


def _is_association(value: object) -> bool:
    return isinstance(value, dict) and "filter_paths" in value


def recognises(sniff: FileSniff) -> bool:
    """Whether a JSON file is an array of events, or of the sources or associations that belong to events."""
    if sniff.container != "json":
        return False
    keys = set(sniff.keys)
    if {"id", "date", "latitude", "longitude", "sources"} <= keys or {"id", "filter_paths", "mode"} <= keys:
        return True
    return bool(keys) and sniff.text.lstrip().startswith("{") and all(key.startswith("src") for key in keys)


FORMAT = Format(
    name="timemap",
    title="TimeMap export (JSON)",
    provides="strikes",
    licence=TERMS.licence,
    recognises=recognises,
    read=read,
    private=True,
    signature="events with id, date, latitude, longitude, sources; give export_sources.json and associations with them",
)
