"""Layers of the store that are derived, such as matches: replaced as a whole. Knows no noun."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from layers import gpkg
from layers.gpkg_blob import GeometryBlobError, encode
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
) -> None:
    """Drop a layer, make it anew and fill it, within the caller's transaction. No rows make an empty layer.

    Raises
    ------
    ValueError
        If a row has another number of values than the columns (and the geometry), or its geometry is no
        two-dimensional one.
    """
    declared = {**columns, "geometry": "GEOMETRY"} if geometry else dict(columns)
    names, marks = ", ".join(map(gpkg.quote, declared)), ", ".join("?" * len(declared))
    gpkg.drop_layer(connection, name)
    gpkg.add_layer(connection, name, declared, "Derived from the records.", "GEOMETRY" if geometry else None)
    connection.executemany(
        f"INSERT INTO {gpkg.quote(name)} ({names}) VALUES ({marks})",
        (_values(row, len(declared), geometry) for row in rows),
    )


def _values(row: tuple[Any, ...], length: int, geometry: bool) -> tuple[Any, ...]:
    if len(row) != length:
        raise ValueError(f"{length} values a row expected, not {len(row)}")
    if not geometry or row[-1] is None:
        return row
    try:
        return (*row[:-1], encode(row[-1]))
    except GeometryBlobError as error:
        raise ValueError(f"a layer's geometry: {error}") from error
