"""The data package of all records: its reader, and how a record is written in it.

A Data Package (datapackage.org/standard/data-package, version 2) lists files with size and digest. Those that hold
tables of records say so by one property of the project's own, and are read whole: nothing in them is interpreted anew.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

import orjson
import shapely
from shapely.geometry.base import BaseGeometry

from layers.disclosure.ruling import withheld_fields
from layers.model.messages import Message
from layers.model.problems import ReadResult, SourceLocation, shown_value
from layers.model.records import RECORD_TYPES, Record
from layers.sources.files.limits import FileRefused
from layers.sources.files.source_file import SourceFile
from layers.sources.reader.format import Format, LoadOptions
from layers.sources.reader.record_builder import RecordBuilder

#: Property of a resource that names the table whose records it holds.
TABLE = "strikeatlas:table"
#: Column that is no value of a record: which of its fields the publisher withheld.
WITHHELD = "withheld"
#: Columns of a record that are not written: what is private is in no package.
LEFT_OUT = frozenset({"private"})
#: A path of a resource: below the descriptor (Data Package 2, ``path``), of plain parts.
_PATH = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*", re.ASCII)
_HASH = re.compile(r"sha256:([0-9a-f]{64})", re.ASCII)


def row_of(record: Record) -> bytes:
    """Write a record as one line of a table: every column, geometries as WKT that gives equal coordinates."""
    shapes = {
        name: _wkt(value)
        for name in type(record).model_fields
        if isinstance(value := getattr(record, name), BaseGeometry)
    }
    values = record.model_dump(mode="json", exclude={*LEFT_OUT, *shapes, WITHHELD})
    withheld = withheld_fields(record)
    named = {name: {**values, **shapes}.get(name) for name in type(record).model_fields if name not in LEFT_OUT}
    return orjson.dumps({**named, WITHHELD: list(withheld)} if withheld else named)


def _wkt(geometry: BaseGeometry) -> str:
    """Write a geometry with as many decimals as give the same coordinates, up to 40."""
    written = (shapely.to_wkt(geometry, rounding_precision=decimals, trim=True) for decimals in (-1, 17, 40))
    return next((text for text in written if shapely.from_wkt(text) == geometry), shapely.to_wkt(geometry))


def read_files(files: Sequence[SourceFile], options: LoadOptions) -> ReadResult:
    """Read the records of packages; a record stays in the dataset that it names.

    A record of which something is withheld is read without it, and counted as a warning.
    """
    builder = RecordBuilder(options.dataset)
    for descriptor in files:
        for table, file in _tables(descriptor):
            for number, values in enumerate(_rows(file), 1):
                _add(builder, table, values, SourceLocation(file.name, number))
    return builder.result()


def _add(builder: RecordBuilder, table: str, values: object, location: SourceLocation) -> None:
    builder.rows += 1
    if not isinstance(values, dict):
        builder.add_problem(location, "record", "type", shown_value(values), Message("cell.object"))
        return
    if values.pop(WITHHELD, None):
        builder.warn(Message("package.withheld", {"table": table}))
    builder.add(table, values, location)


def _tables(descriptor: SourceFile) -> Iterator[tuple[str, SourceFile]]:
    """Yield the tables of records that a package lists, in the order in which records refer to each other."""
    document = descriptor.json()
    resources = document.get("resources") if isinstance(document, dict) else None
    if not isinstance(resources, list):
        raise FileRefused(descriptor.name, "resources", type(resources).__name__, Message("package.resources"))
    listed = [one for one in resources if isinstance(one, dict) and one.get(TABLE) is not None]
    order = list(RECORD_TYPES)
    if unknown := [one[TABLE] for one in listed if one[TABLE] not in order]:
        raise FileRefused(
            descriptor.name, TABLE, shown_value(unknown[0]), Message("cell.one-of", {"names": tuple(order)})
        )
    for resource in sorted(listed, key=lambda one: order.index(one[TABLE])):
        yield resource[TABLE], _checked(descriptor, resource)


def _checked(descriptor: SourceFile, resource: Mapping[str, Any]) -> SourceFile:
    """Return the file of a resource, whose bytes are those that the package states."""
    path = resource.get("path")
    if not isinstance(path, str) or _PATH.fullmatch(path) is None:
        raise FileRefused(descriptor.name, "path", shown_value(path), Message("package.path"))
    file = SourceFile(descriptor.path.parent / PurePosixPath(path), path)
    if not file.path.is_file():
        raise FileRefused(descriptor.name, "path", shown_value(path), Message("package.missing"))
    stated = _HASH.fullmatch(str(resource.get("hash")))
    with file.path.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    if stated is None or stated[1] != digest:
        raise FileRefused(file.name, "hash", f"sha256:{digest}", Message("package.hash"))
    return file


def _rows(file: SourceFile) -> list[Any]:
    rows = file.json()
    if not isinstance(rows, list):
        raise FileRefused(file.name, "rows", type(rows).__name__, Message("package.rows"))
    return rows


FORMAT = Format(
    name="datapackage",
    title="Data package of a published atlas (datapackage.json with its tables beside it)",
    provides="every table",
    licence="as each source says",
    recognises=lambda head: head.container == "json" and "resources" in head.keys and TABLE in head.text,
    read=read_files,
    signature=f"JSON with resources that have {TABLE}",
)
