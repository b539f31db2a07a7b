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
from shapely.geometry.base import BaseGeometry

from geo.lonlat import Objects
from layers.geopackage.geopackage import encode
from layers.model.messages import Message
from layers.model.problems import Problem, ProblemsError, SourceLocation, validated
from layers.model.records import Record
from layers.store.row_mapping import TABLES, Row, geometry_of, to_json

GEOMETRY = "geometry"
#: By table, values of columns that no answer reads but each record must have: the layers that we export lack them.
STAND_INS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
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
    """Return the columns of a table of records."""
    table = TABLES[name]
    fields = [pa.field(column.name, _TYPES[column.type]) for column in table.columns]
    return pa.schema(fields, GEO_METADATA if table.geometry_type else None)


def to_arrow(name: str, records: Iterable[Record]) -> pa.Table:
    """Lay out records of one table as columns."""
    table = TABLES[name]
    rows = list(records)
    plain = [table.to_dict(record) for record in rows]
    columns: dict[str, Any] = {}
    for column in table.columns:
        if column.type == "geometry":
            shapes = np.array([geometry_of(record) for record in rows], dtype=object)
            columns[column.name] = shapely.to_wkb(shapes, flavor="iso")
        elif column.type == "json":
            columns[column.name] = [to_json(values[column.name]) if values[column.name] else None for values in plain]
        else:
            columns[column.name] = [values[column.name] for values in plain]
    return pa.table(columns, schema_of(name))


def files_of(folder: Path, name: str) -> list[Path]:
    """Return the files of a table in a folder: ``strikes.parquet``, or all in the folder ``strikes``."""
    return sorted([*folder.glob(f"{name}.parquet"), *folder.glob(f"{name}/**/*.parquet")])


def read_pages(path: Path, name: str, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """Read a file page by page, in the columns of the table and their types; others are left out.

    Parameters
    ----------
    columns
        Names of columns; all by default. One that the file lacks is null.

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
            there = set(file.schema_arrow.names)
            required = {column.name for column in TABLES[name].columns if column.required} - _stand_ins(name).keys()
            if missing := sorted(required - there):
                raise ProblemsError(
                    tuple(_problem(path, column, Message("batch.column-missing")) for column in missing)
                )
            chosen = [field for field in schema if columns is None or field.name in columns]
            for batch in file.iter_batches(_PAGE, columns=[field.name for field in chosen if field.name in there]):
                page = pa.Table.from_batches([batch])
                yield pa.table([_column(page, field) for field in chosen], pa.schema(chosen, schema.metadata))
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
    if GEOMETRY not in page.column_names:
        return np.full(len(page), None, dtype=object)
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


def _stand_ins(name: str) -> Mapping[str, Any]:
    return STAND_INS.get(name, MappingProxyType({}))


def records_of(name: str, page: pa.Table, file: str) -> list[Any]:
    """Read columns back as validated records.

    Parameters
    ----------
    page
        Columns of the table; those that are missing or null have their defaults, or a stand-in. Others are left out.
    file
        Where its rows stand, for problems.

    Raises
    ------
    ProblemsError
        If rows are no valid records, with every fault of every row.
    """
    table, problems = TABLES[name], list[Problem]()
    location = SourceLocation(file, 0)
    records = [
        validated(table.record_type, {**_stand_ins(name), **row}, location, problems)
        for row in _present_values(name, page)
    ]
    if problems:
        raise ProblemsError(tuple(problems))
    return records


def _present_values(name: str, page: pa.Table) -> Iterator[dict[str, Any]]:
    """Yield the values of each row that are not null, geometries and lists decoded."""
    filled = [
        column
        for column in TABLES[name].columns
        if column.name in page.column_names and page[column.name].null_count < len(page)
    ]
    names, columns = [column.name for column in filled], [_decoded(column.type, page[column.name]) for column in filled]
    for row in zip(*columns, strict=True):
        yield {name: value for name, value in zip(names, row, strict=True) if value is not None}


def _decoded(type_: str, column: pa.ChunkedArray) -> Sequence[Any]:
    values: list[Any] = column.to_pylist()
    if type_ == "geometry":
        shapes = shapely.from_wkb(np.array(values, dtype=object), on_invalid="ignore")
        # What is no WKB goes on as it is, to be named as the fault of its record.
        return [wkb if shape is None else shape for wkb, shape in zip(values, shapes, strict=True)]
    if type_ == "json":
        return [None if value is None else orjson.loads(value) for value in values]
    return values


def store_rows(name: str, page: pa.Table) -> list[Row]:
    """Lay out columns as rows of the store, see `layers.store.row_mapping`; null has its default, or a stand-in."""
    table = TABLES[name]
    defaults, columns = table.completed(_stand_ins(name)), list[Sequence[Any]]()
    for column in table.columns:
        values = page[column.name].to_pylist()
        if column.type == "geometry":
            shapes = _decoded(column.type, page[column.name])
            columns.append([encode(shape) if isinstance(shape, BaseGeometry) else shape for shape in shapes])
        else:
            default = defaults.get(column.name)
            if column.type == "json" and default is not None:
                default = to_json(default)
            columns.append([default if value is None else value for value in values])
    return list(zip(*columns, strict=True))
