"""Records as rows of their tables, and rows as records. Runs no SQL."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from types import MappingProxyType
from typing import Annotated, Any, TypeAlias

import numpy as np
import orjson
import shapely
from pydantic import BaseModel, TypeAdapter, ValidationError
from shapely.geometry.base import BaseGeometry

from layers.geopackage.geopackage import GeometryBlobError, decode, decode_many, encode
from layers.model import edtf
from layers.model.messages import InvalidValue
from layers.model.records import RECORD_TYPES, Asset, Record, Strike
from layers.model.types import Column, are_points_on_globe, columns
from layers.store.connections import StoreError

#: Values of one row as SQLite holds them.
Row: TypeAlias = tuple[Any, ...]

_SQL_TYPES = {"text": "TEXT", "number": "REAL", "integer": "INTEGER", "boolean": "BOOLEAN", "json": "TEXT"}
#: Geometry type of each feature table.
GEOMETRY_TYPES: Mapping[str, str] = MappingProxyType({"strikes": "POINT", "assets": "GEOMETRY"})
# Decimals of the smallest float; GEOS writes no more of them than it takes to read the same number back.
_EVERY_DIGIT = 350
# Of records, which are frozen.
_set_attribute = object.__setattr__
#: Rows from which on they are validated by column.
_MANY = 16
# What a GIS needs to filter by time, since it knows no EDTF.
_DAYS = ("day_first", "day_last")


def sql_types(record_type: type[BaseModel]) -> dict[str, str]:
    """The SQL type of each column of a class of records but its geometry, in order; for derived layers too."""
    return {column.name: _SQL_TYPES[column.type] for column in columns(record_type) if column.type != "geometry"}


def to_json(value: object) -> str:
    """Write a value as JSON text: compact, keys sorted, so that equal values are equal texts."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def from_json(text: str) -> dict[str, Any]:
    """Read the values of a record back from JSON text."""
    values: dict[str, Any] = orjson.loads(text)
    return values


def version_of(plain: Mapping[str, Any], key: bytes) -> str:
    """Name the version of a record by its plain values (see `Table.plain`): equal records have equal names.

    Only who knows the key of the store, see `layers.store.writer.version_key`, can find by trial what has a name.
    """
    return hashlib.blake2b(to_json(plain).encode(), digest_size=9, key=key).hexdigest()


@dataclass(frozen=True)
class Table:
    """The table of one class of records: how a record is laid out in a row."""

    name: str
    record_type: type[Record]

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """Columns of the class of records, in their order."""
        return columns(self.record_type)

    @property
    def geometry_type(self) -> str | None:
        """Geometry type of a feature table; None for one of attributes."""
        return GEOMETRY_TYPES.get(self.name)

    @cached_property
    def declarations(self) -> Mapping[str, str]:
        """SQL declaration by column, the derived days of strikes last."""
        types = {column.name: _SQL_TYPES.get(column.type, self.geometry_type) for column in self.columns}
        days = dict.fromkeys(_DAYS, "DATE") if self.name == "strikes" else {}
        required = {column.name for column in self.columns if column.required}
        return {
            name: f"{sql_type}{' NOT NULL' * (name in required)}{' UNIQUE' * (name == 'id')}"
            for name, sql_type in (types | days).items()
        }

    def at(self, column: str) -> int:
        """The place of a column in a row."""
        return self._names.index(column)

    def to_dict(self, record: Record) -> dict[str, Any]:
        """Give the values of a record as JSON can hold them, the geometry as WKT with every digit."""
        values = record.model_dump(mode="json", exclude={"geometry"})
        if self.geometry_type:
            values["geometry"] = _to_wkt(geometry_of(record))
        return values

    def completed(self, plain: Mapping[str, Any]) -> dict[str, Any]:
        """Give plain values, as an earlier version wrote them, with those of the columns that came later."""
        return {**self._defaults, **plain}

    def record_of(self, plain: Mapping[str, Any]) -> Record:
        """Read a record back from its plain values, also as an earlier version wrote them.

        Raises
        ------
        ValueError, shapely.errors.ShapelyError
            If they are no valid record.
        """
        values = self.completed(plain)
        if values.get("geometry") is not None:
            values["geometry"] = shapely.from_wkt(values["geometry"])
        return self.record_type.model_validate(values)

    @cached_property
    def _defaults(self) -> Mapping[str, Any]:
        fields = self.record_type.model_fields.items()
        return {name: field.get_default(call_default_factory=True) for name, field in fields if not field.is_required()}

    def version(self, record: Record, key: bytes) -> str:
        """Name the version of a record, see `version_of`."""
        return version_of(self.to_dict(record), key)

    def row(self, record: Record, plain: Mapping[str, Any]) -> Row:
        """Give the row of a record, whose plain values are at hand; `StoreError` if its geometry is of another type."""
        values = [plain[column.name] for column in self.columns]
        for index, column in self._encoded:
            values[index] = to_json(values[index]) if column.type == "json" else self._blob(record)
        return (*values, *days_of(plain["when"])) if self.name == "strikes" else tuple(values)

    @cached_property
    def _encoded(self) -> tuple[tuple[int, Column], ...]:
        """Columns that SQLite holds in another form, with their places."""
        return tuple(item for item in enumerate(self.columns) if item[1].type in ("json", "geometry"))

    def _blob(self, record: Record) -> bytes | None:
        geometry = geometry_of(record)
        if geometry is None:
            return None
        if self.geometry_type == "POINT" and geometry.geom_type != "Point":
            raise StoreError(f"{self.name} {record.id}: a point expected, not a {geometry.geom_type}")
        try:
            return encode(geometry)
        except GeometryBlobError as error:
            raise StoreError(f"{self.name} {record.id}: {error}") from error

    def plain_row(self, row: Row) -> dict[str, Any]:
        """The values of a row as `to_dict` gives those of its record; a value that cannot be read stays as it is."""
        return {column.name: self._from_sql(column, value) for column, value in zip(self.columns, row, strict=False)}

    def is_same(self, record: Record, row: Row) -> bool:
        """Whether a row holds the values of a record, if in other bytes, as GDAL writes a geometry."""
        own = self.row(record, self.to_dict(record))
        return own == row or all(
            mine == given
            or (column.type in ("json", "geometry") and self._from_sql(column, mine) == self._from_sql(column, given))
            for column, mine, given in zip(self.columns, own, row, strict=False)
        )

    def records(self, rows: Sequence[Row]) -> Iterator[Record]:
        """Read rows back as validated records.

        Raises `StoreError` if a row, as another program may have left it, is no valid record, and says which.
        """
        return self._records_by_column(rows) if len(rows) >= _MANY else self._records_by_row(rows)

    def fields(self, rows: Sequence[Row], *names: str) -> list[Sequence[Any]]:
        """Read fields of rows as columns, with the values that `records` gives; no other field is looked at.

        Raises `StoreError` if a row has no valid value, and says which row.
        """
        values = [*zip(*rows, strict=True)] or [()] * len(self.columns)
        try:
            return [self._valid(self.columns[at], values[at]) for at in map(self._names.index, names)]
        except ValidationError:
            records = [*self._records_by_row(rows)]  # which says what is wrong with which
            return [[getattr(record, name) for record in records] for name in names]

    def valid_fields(self, rows: Sequence[Row]) -> Mapping[str, Sequence[Any]]:
        """Read all fields of rows as columns, by name, without making the records that they would be.

        Raises as `records` does.
        """
        columns = dict(zip(self._names, self.fields(rows, *self._names), strict=True))
        tied = self.record_type.tied_fields
        if tied:
            values: dict[str, Any] = {}
            record = self._of_valid(values)  # of which no other fields are read
            for row, *stated in zip(rows, *map(columns.__getitem__, tied), strict=True):
                values.update(zip(tied, stated, strict=True))
                self._require_consistent(record, row)
        return columns

    def _records_by_column(self, rows: Sequence[Row]) -> Iterator[Record]:
        """Validate column by column, in half of the time that it takes row by row; what is refused is the same."""
        columns = self.fields(rows, *self._names)
        for row, values in zip(rows, zip(*columns, strict=True), strict=True):
            record = self._of_valid(dict(zip(self._names, values, strict=True)))
            self._require_consistent(record, row)
            yield record

    def _require_consistent(self, record: Record, row: Row) -> None:
        try:
            record.require_consistent()
        except InvalidValue:
            _ = [*self._records_by_row([row])]  # which says what is wrong with which

    def _records_by_row(self, rows: Sequence[Row]) -> Iterator[Record]:
        columns = [*map(self._decoded, self.columns, zip(*rows, strict=True))]
        for values in zip(*columns, strict=True):
            try:
                record = self.record_type.model_validate(dict(zip(self._names, values, strict=True)))
            except ValidationError as error:
                raise StoreError(f"{self.name} {values[0]}: {error}") from error
            yield self._of_valid(record.__dict__)

    def _of_valid(self, values: dict[str, Any]) -> Record:
        """The record of values that were validated, with the attributes that pydantic gives one it unpickles."""
        record = self.record_type.__new__(self.record_type)
        _set_attribute(record, "__dict__", values)
        _set_attribute(record, "__pydantic_fields_set__", self._fields_set)
        _set_attribute(record, "__pydantic_extra__", None)
        _set_attribute(record, "__pydantic_private__", None)
        return record

    @cached_property
    def _names(self) -> Sequence[str]:
        return [column.name for column in self.columns]

    @cached_property
    def _fields_set(self) -> set[str]:
        # A row has every field; a set of their names for each record would take 1 to 2 KB of it.
        return {*self._names}

    def _valid(self, column: Column, values: Sequence[Any]) -> Sequence[Any]:
        """Decode and validate the values of a column: a text that many rows have once, and plain points at once."""
        validated = self._validators[column.name].validate_python
        if column.type in ("text", "json"):
            distinct = [*{*values}]
            valid = validated(self._decoded(column, distinct))
            if len(valid) == 1:
                return valid * len(values)
            # Not where values repeat: rows of one text share it.
            if len(valid) == len(values) and valid == distinct:
                return values
            return [*map(dict(zip(distinct, valid, strict=True)).__getitem__, values)]
        if column.type != "geometry":
            return validated(values)
        geometries = np.array(self._decoded(column, values), dtype=object)
        others = ~are_points_on_globe(geometries)
        geometries[others] = validated(geometries[others].tolist())
        return [*geometries]

    @cached_property
    def _validators(self) -> Mapping[str, TypeAdapter[list[Any]]]:
        """Validates many values of a field, by its name."""
        fields = self.record_type.model_fields.items()
        types = {name: Annotated[(field.annotation, *field.metadata, name)] for name, field in fields}
        config = self.record_type.model_config
        return {
            name: TypeAdapter(list[type_], config=config)  # type: ignore[valid-type]
            for name, type_ in types.items()
        }

    def _decoded(self, column: Column, values: Sequence[Any]) -> Sequence[Any]:
        """Undo `row` for the values of a column, with all geometries decoded at once."""
        try:
            if column.type == "json":
                return [self._empty(column) if value is None else orjson.loads(value) for value in values]
            return decode_many(values) if column.type == "geometry" else values
        except ValueError as error:
            raise StoreError(f"{self.name}, column {column.name}: {error}") from error

    def _from_sql(self, column: Column, value: Any) -> Any:
        try:
            if column.type == "json":
                return self._empty(column) if value is None else orjson.loads(value)
            if column.type == "geometry":
                return None if value is None else _to_wkt(decode(value))
        except ValueError:
            return value.hex() if isinstance(value, bytes) else value
        if column.type == "boolean" and value in (0, 1):
            return bool(value)
        return value.hex() if isinstance(value, bytes) else value

    def _empty(self, column: Column) -> Any:
        """What NULL means in a column of lists or objects, as a program may write that knows them as text: none."""
        value = self._defaults.get(column.name)
        return list(value) if isinstance(value, tuple) else value


def geometry_of(record: Record) -> BaseGeometry | None:
    """Geometry of a record, lon/lat (OGC:CRS84); None where it has none, or its class has no geometry."""
    return record.geometry if isinstance(record, (Strike, Asset)) else None


def _to_wkt(geometry: BaseGeometry | None) -> str | None:
    return None if geometry is None else shapely.to_wkt(geometry, rounding_precision=_EVERY_DIGIT, trim=True)


def days_of(text: str) -> tuple[str | None, str | None]:
    """The first and last day of a stated time (EDTF), as ISO 8601 has them; None where it is open.

    Raises `EdtfError` if the text states no time.
    """
    stated = edtf.parse(text)
    return _iso(stated.earliest), _iso(stated.latest)


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


#: Every table by name, in the order in which references point.
TABLES: Mapping[str, Table] = MappingProxyType({name: Table(name, noun) for name, noun in RECORD_TYPES.items()})
