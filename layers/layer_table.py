"""Layers of the store that are derived, such as matches: replaced as a whole, or some of their rows. Knows no noun."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from layers import gpkg
from layers.gpkg_blob import Bounds, GeometryBlobError, bounds, encode
from layers.store_file import OWN_TABLES


def require_layer(name: str, columns: Mapping[str, str]) -> None:
    """Refuse a layer that would take the place of a table of records, or whose columns have no known type.

    Raises
    ------
    ValueError
        If a name or type cannot be used; it says which.
    """
    if name in OWN_TABLES:
        raise ValueError(f"{name!r} is a table of the store itself, no derived layer")
    if not columns or "geometry" in columns:
        raise ValueError("at least one column expected, and none called 'geometry'")
    if strange := set(columns.values()) - set(gpkg.SQL_TYPES):
        raise ValueError(f"column types {sorted(strange)}: one of {', '.join(gpkg.SQL_TYPES)} expected")


def replace(
    connection: sqlite3.Connection,
    name: str,
    columns: Mapping[str, str],
    rows: Iterable[tuple[Any, ...]],
    geometry: bool,
    key: str | None = None,
) -> None:
    """Drop a layer, make it anew and fill it, within the caller's transaction. No rows make an empty layer.

    A ``key`` is a column that gets an index of its own.

    Raises
    ------
    ValueError
        If a row has another number of values than the columns (and the geometry), or its geometry is no
        two-dimensional one.
    """
    declared = _declared(columns, geometry)
    gpkg.drop_layer(connection, name)
    gpkg.add_layer(connection, name, declared, "Derived from the records.", "GEOMETRY" if geometry else None)
    _insert(connection, name, declared, (_values(row, len(declared), geometry) for row in rows))
    if key is not None:
        index = gpkg.quote(f"{name}_{key}")
        connection.execute(f"CREATE INDEX {index} ON {gpkg.quote(name)} ({gpkg.quote(key)})")


def replace_some(
    connection: sqlite3.Connection,
    name: str,
    columns: Mapping[str, str],
    rows: Iterable[tuple[Any, ...]],
    geometry: bool,
    key: str,
    values: Collection[str],
    at: str,
) -> None:
    """Put rows in the place of those whose ``key`` is one of the values, within the caller's transaction.

    The extent is measured anew only where a row that goes may have made it as wide as it is: that takes all rows.

    Raises
    ------
    ValueError
        As `replace` does.
    """
    declared = _declared(columns, geometry)
    told = [_values(row, len(declared), geometry) for row in rows]
    table, where = gpkg.quote(name), f"WHERE {gpkg.quote(key)} = ?"
    boxes = [
        bounds(blob)
        for value in (values if geometry else ())
        for (blob,) in connection.execute(f"SELECT geometry FROM {table} {where} AND geometry NOTNULL", (value,))
    ]
    connection.executemany(f"DELETE FROM {table} {where}", [(value,) for value in values])
    _insert(connection, name, declared, told)
    if _on_the_edge(connection, name, boxes):
        gpkg.touch(connection, name, at)
        return
    added = {row[-1] for row in told if geometry}
    for box in {bounds(blob) for blob in added if blob is not None} or {None}:
        gpkg.widen(connection, name, at, box)


def column_names(connection: sqlite3.Connection, name: str) -> list[str]:
    """The columns of a layer, ``fid`` first; none where there is no such layer."""
    return [row[0] for row in connection.execute("SELECT name FROM pragma_table_info(?)", (name,))]


def _declared(columns: Mapping[str, str], geometry: bool) -> dict[str, str]:
    return {**columns, "geometry": "GEOMETRY"} if geometry else dict(columns)


def _insert(
    connection: sqlite3.Connection, name: str, declared: Mapping[str, str], rows: Iterable[tuple[Any, ...]]
) -> None:
    names, marks = ", ".join(map(gpkg.quote, declared)), ", ".join("?" * len(declared))
    connection.executemany(f"INSERT INTO {gpkg.quote(name)} ({names}) VALUES ({marks})", rows)


def _on_the_edge(connection: sqlite3.Connection, name: str, boxes: Iterable[Bounds | None]) -> bool:
    """Whether one of the boxes reaches to the edge of the layer's extent."""
    (*extent,) = connection.execute(
        "SELECT min_x, min_y, max_x, max_y FROM gpkg_contents WHERE table_name = ?", (name,)
    ).fetchone()
    return any(one == edge for box in boxes if box is not None for one, edge in zip(box, extent, strict=True))


def _values(row: tuple[Any, ...], length: int, geometry: bool) -> tuple[Any, ...]:
    if len(row) != length:
        raise ValueError(f"{length} values a row expected, not {len(row)}")
    if not geometry or row[-1] is None:
        return row
    try:
        return (*row[:-1], encode(row[-1]))
    except GeometryBlobError as error:
        raise ValueError(f"a layer's geometry: {error}") from error
