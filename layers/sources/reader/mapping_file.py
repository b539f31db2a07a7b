"""A column mapping: what the columns of someone's file mean, declared in TOML; every fault of it at once."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from layers.model.messages import Message
from layers.model.problems import Problem, ProblemsError
from layers.sources.files.documents import parse_toml
from layers.sources.reader.date_format import DateFormat
from layers.sources.reader.mapping_faults import flat, name_faults, shape_faults, word_faults
from layers.sources.reader.mapping_terms import METRES, ORIGINS, POINTS, SHARE_COLUMNS, ColumnMapping, RowId

_FILE = "mapping"
#: What several tables of one mapping have in common: it stands beside them.
_SHARED = ("source", "numbers", "private")
#: Most tables of one mapping.
_MOST_TABLES = 50


def read(path: Path) -> ColumnMapping:
    """Read a mapping file.

    Raises ``ProblemsError`` with every fault: what is no TOML, unknown names, and each column that a record needs and
    nothing gives. Raises ``OSError`` if it cannot be opened.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        problem = Problem(path.name, None, _FILE, "encoding", str(error), Message("mapping.encoding"))
        raise ProblemsError((problem,)) from error
    return parse(path.name, text)


def parse(file: str, text: str) -> ColumnMapping:
    """Parse the text of a mapping file, which has one table, or several under ``[[tables]]``.

    Raises ``ProblemsError`` with every fault of the text, as ``read`` says them.
    """
    try:
        document = parse_toml(text)
    except tomllib.TOMLDecodeError as error:
        raise ProblemsError((Problem(file, None, _FILE, "syntax", str(error), Message("cell.toml")),)) from error
    if "tables" not in document:
        return _mapping(file, _FILE, document)
    first, *further = _tables(file, document)
    return replace(first, further=tuple(further))


def _tables(file: str, document: Mapping[str, Any]) -> list[ColumnMapping]:
    """Return the mapping of each of several tables; what they share is in each."""
    given = document["tables"]
    if not isinstance(given, list) or not 0 < len(given) <= _MOST_TABLES or not all(isinstance(t, dict) for t in given):
        expected = Message("mapping.tables", {"most": _MOST_TABLES})
        raise ProblemsError((Problem(file, None, _FILE, "tables", repr(given)[:80], expected),))
    shared = {name: document[name] for name in _SHARED if name in document}
    problems = [
        Problem(file, None, _FILE, name, repr(value)[:80], Message("mapping.shared", {"names": (*_SHARED, "tables")}))
        for name, value in document.items()
        if name not in (*_SHARED, "tables")
    ]
    mappings = []
    for number, table in enumerate(given, 1):
        try:
            mappings.append(_mapping(file, f"tables {number}", {**shared, **table}))
        except ProblemsError as error:
            problems += error.problems
    if problems:
        raise ProblemsError(tuple(dict.fromkeys(problems)))
    return mappings


def _mapping(file: str, record: str, document: Mapping[str, Any]) -> ColumnMapping:
    faults = [Problem(file, None, record, *fault) for fault in shape_faults(document)]
    if faults:
        raise ProblemsError(tuple(faults))
    mapping = _build(document)
    faults = [Problem(file, None, record, *fault) for fault in (*name_faults(mapping, document), *word_faults(mapping))]
    if faults:
        raise ProblemsError(tuple(faults))
    return mapping


def _build(document: Mapping[str, Any]) -> ColumnMapping:
    dates = {
        name: tuple(
            date_format
            for text in (given if isinstance(given, list) else [given])
            if (date_format := DateFormat.of(text))
        )
        for name, given in document.get("dates", {}).items()
    }
    units = {
        name: (POINTS if name in SHARE_COLUMNS else METRES).get(unit, 0.0)
        for name, unit in document.get("units", {}).items()
    }
    return ColumnMapping(
        table=document["noun"],
        source=document["source"],
        columns=dict(flat(document["columns"])),
        constants=document.get("constants", {}),
        values=document.get("values", {}),
        dates=dates,
        units=units,
        lists=document.get("lists", {}),
        decimal=document.get("numbers", {}).get("decimal", "."),
        layer=document.get("layer"),
        private=document.get("private", False),
        id=_row_id(document.get("id", {})),
        blank=document.get("blank", {}),
        empty={name: tuple(words) for name, words in flat(document.get("empty", {}))},
        skip={name: tuple(words) for name, words in flat(document.get("skip", {}))},
        grammar=document.get("grammar", {}),
        by_name=tuple(document.get("by_name", ())),
        rows=document.get("rows"),
        file=document.get("file"),
    )


def _row_id(given: Mapping[str, Any]) -> RowId:
    origin = next((name for name in ORIGINS if name in given), None)
    columns = given[origin] if origin in ("join", "hash") else ()
    return RowId(origin, tuple(columns), given.get("repeated", "first" if origin == "name" else "error"))
