"""Derived layers as they are written: whole or, after an edit, only the rows of what was touched."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from layers import gpkg, layer_table, versions
from layers.schema import Records


@dataclass(frozen=True)
class DerivedLayer:
    """A layer that follows from the records: column name to SQL type, and a tuple of values a row.

    With ``geometry`` each row ends in a shapely geometry, lon/lat, or None. The order of the rows means nothing.
    With ``only``, a column and some of its values, the rows that have one of them are replaced by these, and the others
    stay; without it the layer is replaced. ``key`` names the column that it will be asked for by.
    """

    name: str
    columns: Mapping[str, str]
    rows: Iterable[tuple[Any, ...]]
    geometry: bool
    key: str | None = None
    only: tuple[str, Collection[str]] | None = None


#: What follows from one version of the records.
Derive = Callable[[int, Records], Iterable[DerivedLayer]]


@dataclass(frozen=True)
class Renewal:
    """How the derived layers are renewed in the transaction of an edit.

    ``records`` are those of change ``seq``, so that only what changed since is read. ``some`` gives the layers with the
    rows of what differs from them alone, or None where more follows. Then ``every`` gives them whole, as it does where
    the file has one with other columns. A layer that the file has not is left to the next load, as it takes long.
    """

    seq: int
    records: Records
    every: Derive
    some: Callable[[int, Records], Iterable[DerivedLayer] | None]


def put(connection: sqlite3.Connection, layer: DerivedLayer, at: str) -> None:
    """Write a layer, or some of its rows, within the caller's transaction.

    Raises
    ------
    ValueError
        If a name or type cannot be used, or a row has another number of values.
    """
    layer_table.require_layer(layer.name, layer.columns)
    if layer.only is None:
        layer_table.replace(connection, layer.name, layer.columns, layer.rows, layer.geometry, layer.key)
        gpkg.touch(connection, layer.name, at)
    else:
        layer_table.replace_some(connection, layer.name, layer.columns, layer.rows, layer.geometry, *layer.only, at)


def renew(connection: sqlite3.Connection, renewal: Renewal, at: str) -> None:
    """Write what follows from the records as they are now in the caller's transaction."""
    version = versions.newer(connection, renewal.seq, renewal.records)
    some = renewal.some(*version)
    layers = None if some is None else [one for one in some if layer_table.column_names(connection, one.name)]
    if layers is None or not all(_fits(connection, one) for one in layers):
        layers = list(renewal.every(*version))
    for layer in layers:
        put(connection, layer, at)


def _fits(connection: sqlite3.Connection, layer: DerivedLayer) -> bool:
    names = ["fid", *layer.columns, *(["geometry"] if layer.geometry else [])]
    return layer_table.column_names(connection, layer.name) == names
