"""Layers that are derived from records, such as matches: replaced whole, or by rows. Knows no table of records."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from layers.geopackage import geopackage
from layers.geopackage.geopackage import Bounds, GeometryBlobError, bounds, encode
from layers.model.records import Records
from layers.store import reader
from layers.store.connection import Connection, insert_rows
from layers.store.create import OWN_TABLES


@dataclass(frozen=True)
class DerivedLayer:
    """A layer that follows from the records: column name to SQL type, and a tuple of values a row.

    With ``geometry`` each row ends in a shapely geometry, lon/lat, or None. The order of the rows means nothing.
    With ``only``, a column and some of its values, rows that have such a value are replaced, and all other rows stay;
    without it the layer is replaced. ``key`` names a column that gets an index of its own.
    """

    name: str
    columns: Mapping[str, str]
    rows: Iterable[tuple[Any, ...]]
    geometry: bool
    key: str | None = None
    only: tuple[str, Collection[str]] | None = None


#: Computes the derived layers of one version of the records.
Derive = Callable[[int, Records], Iterable[DerivedLayer]]


@dataclass(frozen=True)
class DerivedUpdate:
    """How the derived layers are updated in the transaction of an edit.

    Parameters
    ----------
    seq, records
        A change number and the records of it, so that only later changes are read.
    all_rows
        Gives the layers whole. It is called where ``touched_rows`` gives None, and where the file has a layer with
        other columns.
    touched_rows
        Gives the layers with the rows of records that differ from ``records`` alone, or None where other rows change.
        Its last argument is the connection of the transaction, which has the history of the edit. A layer that the file
        does not have is left to the next load, as it takes long.
    below
        The open layer that ``records`` lie over.
    """

    seq: int
    records: Records
    all_rows: Derive
    touched_rows: Callable[[int, Records, Connection], Iterable[DerivedLayer] | None]
    below: reader.RecordsBelow | None = None


def write_table(connection: Connection, layer: DerivedLayer, at: str) -> None:
    """Write a layer, or some of its rows, within the caller's transaction. No rows make an empty layer.

    Raises
    ------
    ValueError
        If the layer would take the place of a table of records, a name or type cannot be used, a row has another
        number of values than the columns (and the geometry), or its geometry is no two-dimensional one.
    """
    _require_layer(layer.name, layer.columns)
    declared = {**layer.columns, "geometry": "GEOMETRY"} if layer.geometry else dict(layer.columns)
    rows = (_values(row, len(declared), layer.geometry) for row in layer.rows)
    if layer.only is not None:
        _replace_rows(connection, layer, declared, list(rows), *layer.only, at)
        return
    name = layer.name
    connection.drop_layer(name)
    connection.add_layer(name, declared, "Derived from the records.", "GEOMETRY" if layer.geometry else None)
    insert_rows(connection, name, declared, rows)
    if layer.key is not None:
        index, table, key = map(geopackage.quote, (f"{name}_{layer.key}", name, layer.key))
        connection.execute(f"CREATE INDEX {index} ON {table} ({key})")
    connection.touch(name, at)


def _require_layer(name: str, columns: Mapping[str, str]) -> None:
    if name in OWN_TABLES:
        raise ValueError(f"{name!r} is a table of the store itself, no derived layer")
    geopackage.require_layer_name(name)
    if not columns or not columns.keys().isdisjoint(("fid", "geometry")):
        raise ValueError("at least one column expected, and none called 'fid' or 'geometry'")
    if strange := set(columns.values()) - set(geopackage.SQL_TYPES):
        raise ValueError(f"column types {sorted(strange)}: one of {', '.join(geopackage.SQL_TYPES)} expected")


def _values(row: tuple[Any, ...], length: int, geometry: bool) -> tuple[Any, ...]:
    if len(row) != length:
        raise ValueError(f"{length} values a row expected, not {len(row)}")
    if not geometry or row[-1] is None:
        return row
    try:
        return (*row[:-1], encode(row[-1]))
    except GeometryBlobError as error:
        raise ValueError(f"a layer's geometry: {error}") from error


def _replace_rows(
    connection: Connection,
    layer: DerivedLayer,
    declared: Mapping[str, str],
    rows: Sequence[tuple[Any, ...]],
    key: str,
    values: Collection[str],
    at: str,
) -> None:
    """Replace the rows whose ``key`` has one of some values.

    The extent is measured anew only where a row that goes may have made it as wide as it is: that takes all rows.
    """
    name, geometry = layer.name, layer.geometry
    table, where = geopackage.quote(name), f"WHERE {geopackage.quote(key)} = ?"
    extent = connection.extent(name)
    boxes = [
        bounds(blob)
        for value in (values if geometry and extent is not None else ())
        for (blob,) in connection.execute(f"SELECT geometry FROM {table} {where} AND geometry NOTNULL", (value,))
    ]
    connection.executemany(f"DELETE FROM {table} {where}", [(value,) for value in values])
    insert_rows(connection, name, declared, rows)
    if extent is not None and _on_the_edge(extent, boxes):
        connection.touch(name, at)
        return
    added = {row[-1] for row in rows if geometry}
    for box in {bounds(blob) for blob in added if blob is not None} or {None}:
        connection.widen(name, at, box)


def _on_the_edge(extent: tuple[float | None, ...], boxes: Iterable[Bounds | None]) -> bool:
    """Whether any box reaches to the edge of the layer's extent."""
    return any(one == edge for box in boxes if box is not None for one, edge in zip(box, extent, strict=True))


def update(connection: Connection, derived: DerivedUpdate, at: str) -> None:
    """Update the derived layers to the records as they are now in the caller's transaction."""
    version = reader.read_since(connection, derived.seq, derived.records, derived.below)
    touched = derived.touched_rows(*version, connection)
    layers = None if touched is None else [layer for layer in touched if connection.column_names(layer.name)]
    if layers is None or not all(_fits(connection, layer) for layer in layers):
        layers = list(derived.all_rows(*version))
    for layer in layers:
        write_table(connection, layer, at)


def _fits(connection: Connection, layer: DerivedLayer) -> bool:
    names = ["fid", *layer.columns, *(["geometry"] if layer.geometry else [])]
    return connection.column_names(layer.name) == names
