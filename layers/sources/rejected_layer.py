"""Copies some rows of a GeoPackage layer, as they are, into a layer of a new file, each with what is wrong."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

from layers import gpkg
from layers.sources.gpkg_rows import GpkgRows, quoted, select
from layers.sources.row_table import PROBLEMS_COLUMN

#: What is listed of a layer, and where: its coordinate system, itself but its extent, its geometry.
_LISTED = (
    (
        "gpkg_spatial_ref_sys",
        "srs_name, srs_id, organization, organization_coordsys_id, definition, description",
        "srs_id IN (SELECT srs_id FROM gpkg_geometry_columns WHERE table_name = ?)",
    ),
    ("gpkg_contents", "table_name, data_type, identifier, description, last_change, srs_id", "table_name = ?"),
    ("gpkg_geometry_columns", "table_name, column_name, geometry_type_name, srs_id, z, m", "table_name = ?"),
)
_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9_ ]*(\([0-9, ]+\))?")


def copy_rows(rows: GpkgRows, faults: Mapping[int, Sequence[str]], out: Path) -> None:
    """Write the rows of some numbers, from 1, with their values, types, geometry and coordinate system untouched.

    A file that is there is replaced. The layer gets no spatial index, which the format does not ask for
    (OGC 12-128r19, annex F.3).

    Raises
    ------
    Refused
        If the rows cannot be read.
    """
    out.unlink(missing_ok=True)
    with rows.opened() as theirs, closing(sqlite3.connect(out)) as ours, ours:
        columns = _columns(theirs, rows.layer)
        gpkg.create_header(ours)
        _declare(ours, rows.layer, columns)
        for table, names, condition in _LISTED:
            listed = theirs.execute(f"SELECT {names} FROM {table} WHERE {condition}", (rows.layer,)).fetchall()
            marks = ", ".join("?" * len(names.split(",")))
            ours.executemany(f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})", listed)
        found = enumerate(theirs.execute(select(rows.layer, columns)), 1)
        kept = ((*row, "; ".join(faults[number])) for number, row in found if number in faults)
        marks = ", ".join("?" * (len(columns) + 1))
        ours.executemany(f"INSERT INTO {quoted(rows.layer)} VALUES ({marks})", kept)


def _columns(theirs: sqlite3.Connection, layer: str) -> dict[str, tuple[str, bool]]:
    """Declared type of each column, and whether it is the primary key, but of an earlier ``_problems``."""
    found = theirs.execute(f"PRAGMA table_info({quoted(layer)})")
    return {name: (kind, bool(key)) for _, name, kind, _, _, key in found if name != PROBLEMS_COLUMN}


def _declare(ours: sqlite3.Connection, layer: str, columns: Mapping[str, tuple[str, bool]]) -> None:
    keys = [name for name, (_, is_key) in columns.items() if is_key]
    declared = [
        f"{quoted(name)} {kind if _TYPE.fullmatch(kind) else ''}{' PRIMARY KEY' if keys == [name] else ''}"
        for name, (kind, _) in columns.items()
    ]
    ours.execute(f"CREATE TABLE {quoted(layer)} ({', '.join(declared)}, {quoted(PROBLEMS_COLUMN)} TEXT)")
