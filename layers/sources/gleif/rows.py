"""Rows of GLEIF files: golden-copy CSV, and JSON flattened to its column names; LEIs and days in them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from layers.model.read_result import Place
from layers.sources.reader.record_builder import Gathered

Row = Mapping[str, Any]

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def rows(file: str, text: str, found: Gathered) -> Iterator[tuple[Place, Row]]:
    """Rows of a file with their places; what is no row becomes a problem of ``found``."""
    text = text.lstrip("\ufeff \t\r\n")
    if text[:1] in ("[", "{"):
        yield from _json_rows(file, text, found)
        return
    reader = csv.DictReader(io.StringIO(text))
    if not {"LEI", "Relationship.StartNode.NodeID"} & set(reader.fieldnames or ()):
        found.fault(Place(file, 1), "file", "header", text[:80], "GLEIF JSON, or CSV with a column LEI")
        return
    for row in reader:
        yield Place(file, reader.line_num), {name: value for name, value in row.items() if name and value}


def _json_rows(file: str, text: str, found: Gathered) -> Iterator[tuple[Place, Row]]:
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        found.fault(Place(file, 1), "file", "syntax", error, "a JSON document")
        return
    if isinstance(document, dict):
        held = [document[name] for name in ("records", "relations", "exceptions") if name in document]
        document = held[0] if held else [document]
    for number, record in enumerate(document if isinstance(document, list) else [], 1):
        place = Place(file, number)
        if not isinstance(record, dict):
            found.fault(place, "record", "type", record, "an object")
            continue
        yield place, dict(_flat(record.get("RelationshipRecord", record)))


def _flat(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """A JSON record by the column names of the golden-copy CSV; lists are numbered from 1."""
    if isinstance(value, dict):
        for name, part in value.items():
            plain = {"$": "", "#text": "", "@xml:lang": ".xmllang", "@type": ".type"}.get(name, f".{name}")
            yield from _flat(part, f"{path}{plain}")
    elif isinstance(value, list):
        for number, part in enumerate(value, 1):
            yield from _flat(part, f"{path}.{number}")
    elif value is not None and str(value).strip():
        yield path.lstrip("."), str(value).strip()


def first(row: Row, *names: str) -> str | None:
    """The first of some columns that has a value."""
    return next((str(row[name]) for name in names if row.get(name)), None)


def day(text: str | None) -> str | None:
    """The calendar day of an ISO 8601 time, as its issuer wrote it."""
    found = _DAY.match(text or "")
    return found[0] if found else None
