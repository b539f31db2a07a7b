"""Records in files of GeoParquet 1.1, one column a column of their table (docs/records.md): WKB, and lists as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from geo.lonlat import Objects
from layers.model.messages import Message
from layers.model.problems import Problem, ProblemsError, SourceLocation, validated
from layers.model.records import Record
from layers.store.row_mapping import TABLES, geometry_of, to_json

GEOMETRY = "geometry"
#: Columns of strikes that answers are based on.
STRIKE_COLUMNS = (
    *("id", "title", "when", "place", "region", "host_country", GEOMETRY, "uncertainty_m", "basis"),
    *("targets", "target_kinds", "status"),
)
#: By table, values of columns that no answer reads but each record must have: the layers that we export lack them.
_STAND_INS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        name: {"sources": ("unread",), "checked": "unverified", "place_source": "unread"}
        for name in ("strikes", "assets")
    }
)
#: Rows that are read at once.
_PAGE = 65_536
_TYPES = {
    "text": pa.string(),
    "number": pa.float64(),
    "integer": pa.int64(),
    "boolean": pa.bool_(),
    "json": pa.string(),
    "geometry": pa.binary(),
}
#: What GeoParquet says of a geometry column; its system is lon/lat (OGC:CRS84) where none is named.
_GEO = {
    "version": "1.1.0",
    "primary_column": GEOMETRY,
    "columns": {GEOMETRY: {"encoding": "WKB", "geometry_types": []}},
}
#: Names of lon/lat: as GeoParquet and GeoPandas write it.
_LONLAT = ({"authority": "OGC", "code": "CRS84"}, {"authority": "EPSG", "code": 4326})
GEO_METADATA: Mapping[bytes, bytes] = {b"geo": json.dumps(_GEO).encode()}


def schema_of(name: str) -> pa.Schema:
    """Return the columns of a table of records that answers are based on."""
    table = TABLES[name]
    columns = [column for column in table.columns if name != "strikes" or column.name in STRIKE_COLUMNS]
    fields = [pa.field(column.name, _TYPES[column.type]) for column in columns]
    return pa.schema(fields, GEO_METADATA if table.geometry_type else None)


def to_arrow(name: str, records: Iterable[Record]) -> pa.Table:
    """Lay out records of one table as the columns of `schema_of`."""
    schema, rows = schema_of(name), list(records)
    plain = [TABLES[name].to_dict(record) for record in rows]
    types = {column.name: column.type for column in TABLES[name].columns}
    columns: dict[str, Any] = {}
    for column in schema.names:
        if types[column] == "geometry":
            shapes = np.array([geometry_of(record) for record in rows], dtype=object)
            columns[column] = shapely.to_wkb(shapes, flavor="iso")
        elif types[column] == "json":
            columns[column] = [to_json(values[column]) if values[column] else None for values in plain]
        else:
            columns[column] = [values[column] for values in plain]
    return pa.table(columns, schema)


def files_of(folder: Path, name: str) -> list[Path]:
    """Return the files of a table in a folder: ``strikes.parquet``, or all in the folder ``strikes``."""
    return sorted([*folder.glob(f"{name}.parquet"), *folder.glob(f"{name}/**/*.parquet")])


def read_pages(path: Path, name: str) -> Iterator[pa.Table]:
    """Read a file page by page, in the columns of `schema_of`; one that the file lacks is null, others are left out.

    Raises
    ------
    ProblemsError
        If it is no Parquet file, lacks a column that each record must have, has values of another type, or places that
        are not in lon/lat.
    """
    schema = schema_of(name)
    try:
        with pq.ParquetFile(path) as file:
            _require_lonlat(path, file.schema_arrow.metadata)
            there = file.schema_arrow.names
            given = {*there, *_STAND_INS.get(name, {})}
            required = (column.name for column in TABLES[name].columns if column.required)
            if missing := sorted(column for column in required if column not in given):
                expected = Message("batch.column-missing")
                raise ProblemsError(tuple(_problem(path, column, expected) for column in missing))
            for batch in file.iter_batches(_PAGE, columns=[name for name in schema.names if name in there]):
                page = pa.Table.from_batches([batch])
                yield pa.table([_column(page, field) for field in schema], schema)
    except pa.ArrowException as error:
        raise ProblemsError((_problem(path, "", Message("batch.unreadable", {"text": str(error)})),)) from error


def _require_lonlat(path: Path, metadata: Mapping[bytes, bytes] | None) -> None:
    """Refuse geometries of another system than lon/lat, which GeoParquet has where it names none."""
    about = json.loads((metadata or {}).get(b"geo", b"{}")).get("columns", {}).get(GEOMETRY, {})
    crs = about.get("crs", _LONLAT[0])
    name = crs.get("id") if isinstance(crs, dict) and "id" in crs else crs
    if name not in _LONLAT:
        raise ProblemsError((_problem(path, GEOMETRY, Message("batch.not-lonlat")),))


def geometries_of(page: pa.Table) -> Objects:
    """Return the geometry of each row, ``None`` where there is none or its bytes are no WKB; shape (n,)."""
    return np.asarray(shapely.from_wkb(np.array(page[GEOMETRY].to_pylist(), dtype=object), on_invalid="ignore"))


def _column(page: pa.Table, field: pa.Field) -> pa.ChunkedArray | pa.Array:
    """A column of a page in the type that its table has: what other programs write as lists becomes JSON."""
    if field.name not in page.column_names:
        return pa.nulls(len(page), field.type)
    column = page[field.name]
    if field.type == pa.string() and pa.types.is_nested(column.type):
        return pa.array([None if value is None else to_json(value) for value in column.to_pylist()], field.type)
    return column.cast(field.type)


def _problem(path: Path, column: str, expected: Message) -> Problem:
    return Problem(path.name, None, "file", column, "", expected)


def records_of(name: str, page: pa.Table, file: str) -> list[Any]:
    """Read columns back as validated records.

    Parameters
    ----------
    page
        Columns of `schema_of`; null has its default, or a stand-in. Others are left out.
    file
        Where its rows stand, for problems.

    Raises
    ------
    ProblemsError
        If rows are no valid records, with every fault of every row.
    """
    table, problems, location = TABLES[name], list[Problem](), SourceLocation(file, 0)
    types = {column.name: column.type for column in table.columns}
    columns = {column: _decoded(types[column], page[column]) for column in schema_of(name).names}
    records = []
    for row in zip(*columns.values(), strict=True):
        values = {column: value for column, value in zip(columns, row, strict=True) if value is not None}
        records.append(validated(table.record_type, {**_STAND_INS.get(name, {}), **values}, location, problems))
    if problems:
        raise ProblemsError(tuple(problems))
    return records


def _decoded(type_: str, column: pa.ChunkedArray) -> Sequence[Any]:
    values: list[Any] = column.to_pylist()
    if type_ == "geometry":
        shapes = shapely.from_wkb(np.array(values, dtype=object), on_invalid="ignore")
        # What is no WKB goes on as it is, to be named as the fault of its record.
        return [wkb if shape is None else shape for wkb, shape in zip(values, shapes, strict=True)]
    if type_ == "json":
        return [None if value is None else orjson.loads(value) for value in values]
    return values
