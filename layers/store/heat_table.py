"""Observations of heat in the store: replaced by dataset, beside history, which has the digest of each load.

A load adds or changes a source, whose title holds the digest of what was loaded; that is a row of history as any. So
history proves the observations that are there, without a row for each, and who follows it learns of new ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from layers.geopackage import geopackage
from layers.model.heat import CONFIDENCES, NO_HEAT, SENSORS, UNCLASSIFIED, HeatColumns
from layers.model.messages import Message
from layers.model.records import Source
from layers.store.connection import Connection, insert_rows
from layers.store.migrations.tables import HEAT, HEAT_COLUMNS, HEAT_LOADS, LISTED

_NAMES = ", ".join(map(geopackage.quote, HEAT_COLUMNS))
_VALUES = "lon, lat, sensor, radius_m, confidence, frp_mw, type"
_AT = geopackage.quote("at")
_SENSORS = {name: code for code, name in enumerate(SENSORS)}
_CONFIDENCES = {name: code for code, name in enumerate(CONFIDENCES)}
#: Rows read at once.
_PAGE = 100_000


def replace(connection: Connection, source: Source, columns: HeatColumns, at: str) -> None:
    """Put observations in the place of those of the source's dataset, within the caller's transaction."""
    connection.execute(f"DELETE FROM {HEAT} WHERE dataset = ?", (source.dataset,))
    insert_rows(connection, HEAT, HEAT_COLUMNS, _rows(source.dataset, columns))
    load = (source.dataset, source.id, len(columns), columns.digest())
    connection.execute(f"DELETE FROM {HEAT_LOADS} WHERE dataset = ?", (source.dataset,))
    connection.execute(f"INSERT INTO {HEAT_LOADS} VALUES (?, ?, ?, ?)", load)
    connection.touch(HEAT, at)


def _rows(dataset: str, columns: HeatColumns) -> Iterator[tuple[object, ...]]:
    # With milliseconds, as GeoPackage writes times (table 1).
    minutes = columns.minute.astype("datetime64[m]").astype("datetime64[ms]")
    times = np.datetime_as_string(minutes, timezone="UTC").tolist()
    frp_mw = [None if np.isnan(value) else value for value in columns.frp_mw.tolist()]
    types = [None if value == UNCLASSIFIED else value for value in columns.type.tolist()]
    values = (columns.lon.tolist(), columns.lat.tolist(), [SENSORS[code] for code in columns.sensor.tolist()])
    confidences = [CONFIDENCES[code] for code in columns.confidence.tolist()]
    for row in zip(times, *values, columns.radius_m.tolist(), confidences, frp_mw, types, strict=True):
        yield dataset, *row


def read(connection: Connection, dataset: str | None = None) -> HeatColumns:
    """Read the observations of a dataset, or of all but the private ones; those that several have once."""
    where = f"dataset NOT IN ({LISTED})" if dataset is None else "dataset = ?"
    query = f"SELECT {connection.dialect.minutes(_AT)}, {_VALUES} FROM {HEAT} WHERE {where}"
    cursor = connection.stream(query, () if dataset is None else (dataset,))
    pages = [NO_HEAT.columns()]
    while rows := cursor.fetchmany(_PAGE):
        minute, lon, lat, sensor, radius_m, confidence, frp_mw, types = zip(*rows, strict=True)
        codes = [_SENSORS.get(name, 0) for name in sensor]
        classes = [_CONFIDENCES[name] for name in confidence]
        stated = [UNCLASSIFIED if value is None else value for value in types]
        values = (minute, lon, lat, codes, radius_m, classes, np.array(frp_mw, float), stated)  # None becomes NaN
        pages.append([np.asarray(column) for column in values])
    return HeatColumns.of(*map(np.concatenate, zip(*pages, strict=True)))


def loads(connection: Connection) -> Mapping[str, tuple[int, str]]:
    """Number and digest of the observations by dataset, those of private ones left out."""
    rows = connection.execute(
        f"SELECT dataset, observations, sha256 FROM {HEAT_LOADS} WHERE dataset NOT IN ({LISTED}) ORDER BY dataset"
    )
    return {dataset: (count, digest) for dataset, count, digest in rows}


def copy(source: Connection, target: Connection) -> None:
    """Copy the observations that the records of another store tell of: those of loads that it knows in this form."""
    for load in source.execute(f"SELECT dataset, source, observations, sha256 FROM {HEAT_LOADS}").fetchall():
        dataset, cited, _, digest = load
        if _is_in_title_of(target, cited, digest):
            rows = source.stream(f"SELECT {_NAMES} FROM {HEAT} WHERE dataset = ? ORDER BY fid", (dataset,))
            insert_rows(target, HEAT, HEAT_COLUMNS, rows)
            target.execute(f"INSERT INTO {HEAT_LOADS} VALUES (?, ?, ?, ?)", load)


def findings(connection: Connection) -> Iterator[Message]:
    """Say of which datasets the observations are not those that were loaded as history has it."""
    loaded = connection.execute(f"SELECT dataset, source, sha256 FROM {HEAT_LOADS}").fetchall()
    known = {dataset for dataset, _, _ in loaded}
    for dataset, source, digest in loaded:
        if read(connection, dataset).digest() != digest or not _is_in_title_of(connection, source, digest):
            yield Message("verification.heat", {"dataset": dataset})
    for (dataset,) in connection.execute(f"SELECT DISTINCT dataset FROM {HEAT}").fetchall():
        if dataset not in known:
            yield Message("verification.heat", {"dataset": dataset})


def _is_in_title_of(connection: Connection, source: str, digest: str) -> bool:
    row = connection.execute("SELECT title FROM sources WHERE id = ?", (source,)).fetchone()
    return row is not None and digest in (row[0] or "")
