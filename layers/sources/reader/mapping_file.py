"""A column mapping: what the columns of someone's file mean, declared in TOML; every fault of it at once."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, get_origin

from pydantic import BaseModel, ValidationError

from layers.model.messages import Argument, Message
from layers.model.problems import MISSING, Problem, ProblemsError, schema_fault
from layers.model.records import RECORD_TYPES, Source
from layers.sources.files.documents import parse_toml

_PARTS = {
    "YYYY": r"(?P<y>[0-9]{4})",
    "MM": r"(?P<m>[0-9]{2})",
    "M": r"(?P<m>[0-9]{1,2})",
    "DD": r"(?P<d>[0-9]{2})",
    "D": r"(?P<d>[0-9]{1,2})",
}
_TOKEN = re.compile(r"YYYY|MM|M|DD|D|[^A-Za-z]")
#: A time of day behind a day; it is dropped.
_TIME = re.compile(r"[T ][0-9]{1,2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?(\s*[AaPp][Mm])?\s*(Z|UTC|[+-][0-9]{2}:?[0-9]{2})?$")


@dataclass(frozen=True, slots=True)
class DateFormat:
    """One way to write a day, a month or a year, such as ``DD.MM.YYYY``; M and D take one or two digits."""

    text: str
    pattern: re.Pattern[str]

    @classmethod
    def of(cls, text: str) -> DateFormat | None:
        """Parse a format; None for a text without YYYY, with D but no M, with a part twice, or with other letters."""
        tokens = _TOKEN.findall(text)
        kinds = [token[0] for token in tokens if token in _PARTS]
        if "".join(tokens) != text or len(set(kinds)) != len(kinds) or "Y" not in kinds:
            return None
        if "D" in kinds and "M" not in kinds:
            return None
        return cls(text, re.compile("".join(_PARTS.get(token, re.escape(token)) for token in tokens)))

    def edtf(self, text: str) -> str | None:
        """Return the day, month or year of a text (EDTF), without its time of day; None for another format."""
        match = self.pattern.fullmatch(without_time(text))
        if match is None:
            return None
        parts = {name: int(value) for name, value in match.groupdict().items()}
        try:
            day = date(parts["y"], parts.get("m", 1), parts.get("d", 1))
        except ValueError:
            return None
        return day.isoformat()[: {1: 4, 2: 7, 3: 10}[len(parts)]]


def without_time(text: str) -> str:
    """Return a text without the time of day at its end."""
    return _TIME.sub("", text.strip())


#: Tables of records that a mapping can fill.
MAPPED_TABLES = ("strikes", "assets", "entities", "stakes", "relations")
#: Record columns that the reader fills itself; a mapping cannot name them.
READER_COLUMNS = ("dataset", "private", "sources", "source", "place_source")
#: Columns that a mapping may name for the location of a record: degrees, or well-known text.
PLACE_COLUMNS = ("lon", "lat", "wkt")
#: Columns that a mapping may name beside those of the record, by table: ``source_url`` adds a source, ``weapon`` a
#: weapon by its kind, ``owner`` a company with a stake, ``operator`` a company with a relation.
SIDE_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "strikes": ("source_url", "weapon"),
    "assets": ("source_url", "owner", "operator"),
}
#: Columns that hold days.
DATE_COLUMNS = ("when", "since", "until")
#: Columns that refer to records by their ids.
REFERENCE_COLUMNS = ("asset", "entity", "owned", "owner", "strike", "part_of")
#: Metres in a unit.
METRES: Mapping[str, float] = {"m": 1.0, "km": 1000.0, "mi": 1609.344, "ft": 0.3048, "nmi": 1852.0}
#: The key of a values table that stands for every word the table does not list.
ANY_OTHER = "*"
_SOURCE = ("publisher", "title", "url", "licence", "language", "published")
_TABLES = ("source", "columns", "constants", "values", "dates", "units", "lists", "numbers")
_FILE = "mapping"
#: Letters of a name of a file's column, which every fault of that column repeats.
_MOST_LETTERS = 1000


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """A parsed mapping file: record columns to file columns, constants, and how the file spells values.

    ``columns`` name a part of an object by ``names.uk`` or ``external_ids.lei``. ``values`` give the word of the
    schema for each word of the file, by record column; ``*`` is for all others. ``lists`` give the sign between
    several values, ``units`` the metres in the unit of a distance, ``dates`` how days are written.
    """

    table: str
    source: Mapping[str, str]
    columns: Mapping[str, str]
    constants: Mapping[str, Any] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    dates: Mapping[str, tuple[DateFormat, ...]] = field(default_factory=dict)
    units: Mapping[str, float] = field(default_factory=dict)
    lists: Mapping[str, str] = field(default_factory=dict)
    decimal: str = "."
    layer: str | None = None
    private: bool = False

    def provides(self, column: str) -> bool:
        """Whether a record column comes from the file or is fixed."""
        return column in self.columns or column in self.constants


def read(path: Path) -> ColumnMapping:
    """Read a mapping file.

    Raises
    ------
    ProblemsError
        With every fault: what is no TOML, unknown names, and each column that a record needs and nothing gives.
    OSError
        If it cannot be opened.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        problem = Problem(path.name, None, _FILE, "encoding", str(error), Message("mapping.encoding"))
        raise ProblemsError((problem,)) from error
    return parse(path.name, text)


def parse(file: str, text: str) -> ColumnMapping:
    """Parse the text of a mapping file; ``read`` says what is wrong with one.

    Raises
    ------
    ProblemsError
        With every fault of the text.
    """
    try:
        document = parse_toml(text)
    except tomllib.TOMLDecodeError as error:
        raise ProblemsError((Problem(file, None, _FILE, "syntax", str(error), Message("cell.toml")),)) from error
    faults = [Problem(file, None, _FILE, *fault) for fault in _shape_faults(document)]
    if faults:
        raise ProblemsError(tuple(faults))
    mapping = _build(document)
    faults = [Problem(file, None, _FILE, *fault) for fault in (*_faults(mapping, document), *_word_faults(mapping))]
    if faults:
        raise ProblemsError(tuple(faults))
    return mapping


#: One fault of a mapping file: the key in the file, the value there, and the expected value.
MappingFault = tuple[str, Argument, Message]


def _shape_faults(document: Mapping[str, Any]) -> Iterator[MappingFault]:
    """Yield missing tables and values of another type than expected; the checks that follow rely on these types."""
    if document.get("noun") not in MAPPED_TABLES:
        noun = str(document["noun"]) if "noun" in document else MISSING
        yield "noun", noun, Message("cell.one-of", {"names": MAPPED_TABLES})
    for name, value in document.items():
        if name in _TABLES and not isinstance(value, dict):
            yield name, repr(value)[:80], Message("mapping.table", {"name": name})
        elif name not in (*_TABLES, "noun", "layer", "private"):
            keys = ("noun", "layer", "private", *(f"[{table}]" for table in _TABLES))
            yield name, repr(value)[:80], Message("cell.one-of", {"names": keys})
    for name in ("columns", "source"):
        if name not in document:
            yield name, MISSING, Message("mapping.table", {"name": name})
    for name, kind, expected in (("layer", str, Message("mapping.layer")), ("private", bool, Message("cell.boolean"))):
        if not isinstance(document.get(name, kind()), kind):
            yield name, repr(document[name])[:80], expected
    for table in ("source", "columns", "units", "lists", "numbers"):
        for name, value in _flat(_table(document, table)):
            if not isinstance(value, str) or not 0 < len(value) <= _MOST_LETTERS:
                yield f"{table}.{name}", repr(value)[:80], Message("mapping.text", {"most": _MOST_LETTERS})
    for name, words in _table(document, "values").items():
        if not isinstance(words, dict) or not all(isinstance(word, str) for word in words.values()):
            yield f"values.{name}", repr(words)[:80], Message("mapping.words")
    yield from _date_faults(_table(document, "dates"))


def _date_faults(dates: Mapping[str, Any]) -> Iterator[MappingFault]:
    for name, formats in dates.items():
        for text in formats if isinstance(formats, list) else [formats]:
            if not isinstance(text, str) or DateFormat.of(text) is None:
                yield f"dates.{name}", repr(text)[:80], Message("mapping.dates")


def _table(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = document.get(name)
    return table if isinstance(table, dict) else {}


def _flat(table: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield names and values of a table; a value of a nested table ``names`` is called ``names.uk``."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from ((f"{name}.{key}", nested) for key, nested in value.items())
        else:
            yield name, value


def _build(document: Mapping[str, Any]) -> ColumnMapping:
    dates = {
        name: tuple(
            date_format
            for text in (given if isinstance(given, list) else [given])
            if (date_format := DateFormat.of(text))
        )
        for name, given in document.get("dates", {}).items()
    }
    return ColumnMapping(
        table=document["noun"],
        source=document["source"],
        columns=dict(_flat(document["columns"])),
        constants=document.get("constants", {}),
        values=document.get("values", {}),
        dates=dates,
        units={name: METRES.get(unit, 0.0) for name, unit in document.get("units", {}).items()},
        lists=document.get("lists", {}),
        decimal=document.get("numbers", {}).get("decimal", "."),
        layer=document.get("layer"),
        private=document.get("private", False),
    )


def _faults(mapping: ColumnMapping, document: Mapping[str, Any]) -> Iterator[MappingFault]:
    model = RECORD_TYPES[mapping.table]
    plain = {
        name
        for name in model.model_fields
        if name not in (*READER_COLUMNS, "weapons") and not is_object(mapping.table, name)
    }
    parts = {name for name in model.model_fields if is_object(mapping.table, name)}
    side = SIDE_COLUMNS.get(mapping.table, ())
    placed = {*PLACE_COLUMNS} if "geometry" in model.model_fields else set()
    listed = {name for name in plain if get_origin(model.model_fields[name].annotation) is tuple}
    free = {
        "columns": {*plain, *side, *placed, *(f"{name}.KEY" for name in parts)},
        "constants": {*model.model_fields, *side, *placed} - {*READER_COLUMNS, "id"},
        "values": {*plain, *side} - {"id", "geometry"},
        "dates": plain & {*DATE_COLUMNS},
        "units": plain & {"uncertainty_m"},
        "lists": {*listed, *side},
    }
    for table, names in free.items():
        given = getattr(mapping, table)
        for name in given:
            root, dot, key = name.partition(".")
            if name not in names and not (dot and key and f"{root}.KEY" in names):
                known: Argument = tuple(sorted(names)) or Message("value.no-one")
                yield f"{table}.{name}", name, Message("mapping.column", {"table": mapping.table, "names": known})
    for name, factor in mapping.units.items():
        if not factor:
            yield f"units.{name}", document["units"][name], Message("cell.one-of", {"names": tuple(METRES)})
    for name, value in document.get("numbers", {}).items():
        if name != "decimal" or value not in (".", ","):
            yield f"numbers.{name}", value, Message("mapping.decimal")
    for name in _missing(mapping, [name for name, column in model.model_fields.items() if column.is_required()]):
        yield f"columns.{name}", Message("value.unmapped"), Message("mapping.required-column", {"name": name})


def _word_faults(mapping: ColumnMapping) -> Iterator[MappingFault]:
    """Yield the constants, the words of values tables and the source columns that the schema does not take."""
    model = RECORD_TYPES[mapping.table]
    for name in mapping.source:
        if name not in _SOURCE:
            yield f"source.{name}", name, Message("cell.one-of", {"names": _SOURCE})
    known = {name: text for name, text in mapping.source.items() if name in _SOURCE}
    for name, value, expected in _refused(Source, known):
        yield f"source.{name}", value, expected
    if not mapping.source.get("publisher"):
        yield "source.publisher", MISSING, Message("mapping.publisher")
    for name, value, expected in _refused(model, mapping.constants):
        yield f"constants.{name}", value, expected
    for name in ("lon", "lat"):
        if not isinstance(mapping.constants.get(name, 0.0), int | float):
            yield f"constants.{name}", repr(mapping.constants[name])[:80], Message("mapping.degrees")
    for column, words in mapping.values.items():
        for file_word, word in words.items():
            given = {column: (word,) if column in mapping.lists or is_list(mapping.table, column) else word}
            for _, value, expected in _refused(model, given) if word and column in model.model_fields else ():
                yield f"values.{column}.{file_word}", value, expected


def _refused(model: type[BaseModel], values: Mapping[str, Any]) -> Iterator[MappingFault]:
    """Yield what the schema of a record refuses among the values of some of its columns."""
    given = {name: value for name, value in values.items() if name in model.model_fields}
    try:
        model.model_validate(given)
    except ValidationError as error:
        for fault in error.errors(include_url=False):
            if fault["loc"] and fault["loc"][0] in given:
                yield ".".join(map(str, fault["loc"])), repr(fault["input"])[:80], schema_fault(fault)


def is_object(table: str, column: str) -> bool:
    """Whether a column holds values by key, as names by language."""
    field = RECORD_TYPES[table].model_fields.get(column)
    return field is not None and get_origin(field.annotation) is dict


def is_list(table: str, column: str) -> bool:
    """Whether a column holds several values."""
    field = RECORD_TYPES[table].model_fields.get(column)
    return field is not None and get_origin(field.annotation) is tuple


def _missing(mapping: ColumnMapping, required: list[str]) -> Iterator[str]:
    """Yield columns that a record requires and the mapping lacks; ``checked`` may be absent, it is then unverified."""
    yield from (name for name in required if name not in (*READER_COLUMNS, "checked") and not mapping.provides(name))
    if mapping.table not in ("strikes", "assets"):
        return
    if mapping.provides("lon") != mapping.provides("lat"):
        yield "lat" if mapping.provides("lon") else "lon"
    if any(mapping.provides(name) for name in ("lon", "wkt", "geometry")):
        yield from (name for name in ("uncertainty_m", "basis") if not mapping.provides(name))
