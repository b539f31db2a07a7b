"""Reader of NASA FIRMS active fires (VIIRS 375 m, MODIS 1 km): observations of heat, kept as columns, no records.

The columns of archive, near real time and yearly files of countries, by FIRMS' page "Active Fire Data Attributes for
MODIS and VIIRS" (earthdata.nasa.gov): files of the last days lack ``instrument`` and ``type``, and spell a satellite or
a class of confidence in other ways. ``acq_time`` is UTC, and may have lost its leading zeros in a spreadsheet.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from math import hypot
from typing import Any

import numpy as np

from layers.model.heat import SENSORS, UNCLASSIFIED, HeatColumns, union
from layers.model.messages import Message
from layers.model.problems import MISSING, ReadResult, SourceLocation
from layers.model.records import Records
from layers.sources.files.limits import FileRefused
from layers.sources.files.source_file import SourceFile
from layers.sources.files.tables import RowTable
from layers.sources.reader.cell_values import columns_by_field
from layers.sources.reader.format import Format, LoadOptions
from layers.sources.reader.record_builder import RecordBuilder

#: Most observations of one load, all of its files together: 40 bytes each in memory, twice while they are sorted.
MAX_OBSERVATIONS = 10_000_000
_LICENCE = "NASA Earth science data: free to use, with acknowledgement"
#: Spellings of each satellite, in lower case; VIIRS files named the later two by a digit first.
_SATELLITES: Mapping[str, str] = {
    **dict.fromkeys(("t", "terra"), "MODIS on Terra"),
    **dict.fromkeys(("a", "aqua"), "MODIS on Aqua"),
    **dict.fromkeys(("n", "npp", "snpp", "suomi-npp", "suomi npp"), "VIIRS on Suomi NPP"),
    **dict.fromkeys(("1", "n20", "j1", "noaa-20", "noaa20"), "VIIRS on NOAA-20"),
    **dict.fromkeys(("2", "n21", "j2", "noaa-21", "noaa21"), "VIIRS on NOAA-21"),
}
_CONFIDENCES: Mapping[str, int] = {"l": 0, "low": 0, "n": 1, "nominal": 1, "h": 2, "high": 2}
#: Percentages from which MODIS is of nominal and of high confidence (MODIS Collection 6 Active Fire Product User's
#: Guide, table 9).
_NOMINAL, _HIGH = 30, 80
_NUMBER = re.compile(r"[+-]?[0-9]{1,6}(?:\.[0-9]{0,15})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"[0-9]{1,4}|[0-9]{1,2}:[0-9]{2}")
_EPOCH = date(1970, 1, 1)
#: Days between which an observation may be: that of the first satellite, and the last that the store holds.
_FIRST, _LAST = date(2000, 1, 1), date(2199, 12, 31)


def _within(least: float, most: float) -> Callable[[str], float | None]:
    def number(text: str) -> float | None:
        value = float(text) if _NUMBER.fullmatch(text) else None
        return value if value is not None and least <= value <= most else None

    return number


def _days(text: str) -> int | None:
    """Days since 1970."""
    try:
        day = date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None
    return (day - _EPOCH).days if day is not None and _FIRST <= day <= _LAST else None


def _minutes(text: str) -> int | None:
    """Minutes since midnight of a time such as 2341, 23:41, or 5 for 00:05."""
    if not _TIME.fullmatch(text):
        return None
    hours, minutes = divmod(int(text.replace(":", "")), 100)
    return hours * 60 + minutes if hours < 24 and minutes < 60 else None


def _sensor(text: str) -> int | None:
    name = _SATELLITES.get(text.lower())
    return None if name is None else SENSORS.index(name)


def _confidence(text: str) -> int | None:
    if text.isascii() and text.isdecimal() and len(text) <= 3 and int(text) <= 100:
        return (int(text) >= _NOMINAL) + (int(text) >= _HIGH)
    return _CONFIDENCES.get(text.lower())


#: How a cell of each column is read; ``None`` is a fault. What was expected has the code ``firms.COLUMN``.
_CELLS: Mapping[str, Callable[[str], float | None]] = {
    "latitude": _within(-90, 90),
    "longitude": _within(-180, 180),
    "acq_date": _days,
    "acq_time": _minutes,
    "satellite": _sensor,
    "confidence": _confidence,
    "scan": _within(0.01, 20),
    "track": _within(0.01, 20),
    "frp": _within(0, 1e6),
    "type": lambda text: int(text) if text in ("0", "1", "2", "3") else None,
    "instrument": lambda text: 0 if text.lower() in ("viirs", "modis") else None,
}
#: Columns that a file may lack, and cells that may be blank, with the value of a blank.
_OPTIONAL: Mapping[str, float] = {"frp": float("nan"), "type": UNCLASSIFIED, "instrument": 0}


def read(files: Sequence[SourceFile], options: LoadOptions) -> ReadResult:
    """Read observations; those that several rows or files have are there once, and the others counted as skipped."""
    builder, rows = RecordBuilder(options.dataset), _Rows()
    for file in files:
        _parse(builder, file.table(), rows)
    heat = rows.columns()
    if not len(heat):
        return builder.result()
    builder.add("sources", _source(heat, options), SourceLocation(files[0].name, 1))
    twice = len(rows) - len(heat)
    return replace(builder.result(), heat=heat, skipped={Message("firms.twice"): twice} if twice else {})


def joined(reading: ReadResult, stored: HeatColumns) -> ReadResult:
    """Return a read with observations that were loaded before beside its own, and a source that tells of all."""
    assert reading.heat is not None
    heat = union((stored, reading.heat))
    sources = {
        key: source.model_copy(update={"title": _title(heat)}) for key, source in reading.records.sources.items()
    }
    return replace(reading, records=Records.of({"sources": sources}), heat=heat)


def _source(heat: HeatColumns, options: LoadOptions) -> Mapping[str, object]:
    return {
        "id": f"{options.dataset}/firms",
        "url": "https://www.earthdata.nasa.gov/data/tools/firms",
        "publisher": "NASA FIRMS",
        "title": _title(heat),
        "language": "en",
        "retrieved": options.retrieved,
        "licence": options.licence or _LICENCE,
    }


def _title(heat: HeatColumns) -> str:
    """Tell which observations a source stands for; by the digest history proves them."""
    first, last = (_EPOCH + timedelta(minutes=int(heat.minute[end])) for end in (0, -1))
    return f"FIRMS active fires, {len(heat):,} observations, {first} to {last} (SHA-256 {heat.digest()})"


class _Rows:
    """The values of rows, column by column, in the order of `HeatColumns`."""

    def __init__(self) -> None:
        self._columns: list[array[Any]] = [array(code) for code in "iddbdbdb"]

    def __len__(self) -> int:
        return len(self._columns[0])

    def add(self, values: Mapping[str, float]) -> None:
        minute = int(values["acq_date"]) * 1440 + int(values["acq_time"])
        # Half the diagonal of the pixel, of which scan and track are the sides in kilometres.
        radius_m = round(500 * hypot(values["scan"], values["track"]), 1)
        where = (values["longitude"], values["latitude"], int(values["satellite"]))
        row = (minute, *where, radius_m, int(values["confidence"]), values["frp"], int(values["type"]))
        for column, value in zip(self._columns, row, strict=True):
            column.append(value)

    def columns(self) -> HeatColumns:
        return HeatColumns.of(*map(np.asarray, self._columns))


def _parse(builder: RecordBuilder, table: RowTable, rows: _Rows) -> None:
    names = columns_by_field(table.header, {field: (field,) for field in _CELLS})
    missing = [field for field in _CELLS if field not in names and field not in _OPTIONAL]
    for field in missing:
        expected = Message("cell.one-of", {"names": (field,)})
        builder.add_problem(SourceLocation(table.file, 1), "header", field, MISSING, expected)
    for number, cells in () if missing else table:
        builder.rows += 1
        if len(rows) >= MAX_OBSERVATIONS:
            over = Message("files.over", {"limit": MAX_OBSERVATIONS})
            expected = Message("files.split", {"limit": MAX_OBSERVATIONS})
            raise FileRefused(table.file, "rows", over, expected, row=number)
        values, faults = _values(cells, names)
        if not faults:
            rows.add(values)
        for field in faults:
            place, name = SourceLocation(table.file, number), names[field]
            builder.add_problem(place, "heat", name, cells[name] or MISSING, Message(f"firms.{field}"))
    builder.add_unreadable_rows(table.problems)


def _values(cells: Mapping[str, str], names: Mapping[str, str]) -> tuple[Mapping[str, float], list[str]]:
    """Read the cells of a row; give its values by field, and the fields whose cells cannot be read."""
    values, faults = dict(_OPTIONAL), []
    for field, name in names.items():
        text = cells[name].strip()
        if not text and field in _OPTIONAL:
            continue
        value = _CELLS[field](text)
        if value is None:
            faults.append(field)
        else:
            values[field] = value
    return values, faults


FORMAT = Format(
    name="firms",
    title="NASA FIRMS: active fires of VIIRS and MODIS (CSV), archive and near real time",
    provides="observations of heat",
    licence=_LICENCE,
    recognises=lambda head: head.has("latitude", "longitude", "acq_date", "acq_time", "satellite", "confidence"),
    read=read,
    signature="the columns latitude, longitude, acq_date, acq_time, satellite and confidence",
)
