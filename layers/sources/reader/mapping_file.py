"""A column mapping: what the columns of someone's file mean, declared in TOML; every fault of it at once."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError

from layers.model.messages import Argument, Message
from layers.model.problems import MISSING, Problem, ProblemsError, schema_fault
from layers.model.records import RECORD_TYPES, Source
from layers.sources.files.limits import parse_toml
from layers.sources.reader.coordinates import DateFormat

#: Tables of records that a mapping can fill.
MAPPED_TABLES = ("strikes", "assets", "entities", "stakes", "relations")
#: Record columns that the reader fills itself; a mapping cannot name them.
READER_COLUMNS = ("dataset", "private", "sources", "source", "place_source")
#: Columns that a mapping may name for the location of a record: degrees, pairs of degrees, or well-known text.
PLACE_COLUMNS = ("lon", "lat", "latlon", "lonlat", "wkt")
#: Those among them that may be constants.
FIXED_PLACES = ("lon", "lat", "wkt")
#: Columns that a mapping may name beside those of the record, by table: ``source_url`` adds a source, ``weapon`` a
#: weapon by its kind, ``owner`` a company with a stake, which ``owner_share`` gives as written, ``owner_country`` where
#: that company is registered, ``operator`` a company with a relation; ``share`` gives both bounds of a stake as
#: written.
SIDE_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "strikes": ("source_url", "weapon"),
    "assets": ("source_url", "owner", "owner_share", "owner_country", "operator"),
    "entities": ("owner", "owner_share", "owner_country"),
    "stakes": ("share",),
}
#: Columns that hold days.
DATE_COLUMNS = ("when", "since", "until")
#: Columns that refer to records by their ids.
REFERENCE_COLUMNS = ("asset", "entity", "owned", "owner", "strike", "part_of")
#: Those among them whose cells may be names, by table.
NAMED_COLUMNS: Mapping[str, tuple[str, ...]] = {"stakes": ("owned", "owner"), "relations": ("asset", "entity")}
#: Columns that hold the ISO 3166-1 code of a country.
COUNTRY_COLUMNS = ("host_country", "registered_in", "headquartered_in")
#: Columns of shares as written.
SHARE_COLUMNS = ("share", "owner_share")
#: Percentage points of a 1 in a unit of shares.
POINTS: Mapping[str, float] = {"%": 1.0, "fraction": 100.0}
#: Metres in a unit.
METRES: Mapping[str, float] = {"m": 1.0, "km": 1000.0, "mi": 1609.344, "ft": 0.3048, "nmi": 1852.0}
#: The key of a table that stands for every word, or column, that the table does not list.
ANY_OTHER = "*"
#: The name of a feature's geometry among the columns that an id is made of, and among those that say nothing.
GEOMETRY = "geometry"
#: Licence of the records of a mapping that states none.
NO_LICENCE = "no licence stated"
#: The grammars of owner columns.
GRAMMARS = ("gem",)
#: Where the id of a row comes from that has no column of its own.
IdOrigin = Literal["row", "join", "hash", "name"]
ORIGINS: tuple[IdOrigin, ...] = get_args(IdOrigin)
#: What a row makes whose id an earlier row has: a fault, a record with a number behind the id, or nothing.
Repeated = Literal["error", "number", "first"]
REPEATED: tuple[Repeated, ...] = get_args(Repeated)


@dataclass(frozen=True, slots=True)
class RowId:
    """Where the ids of rows come from that no column of ids gives.

    ``row`` is the number of the row, ``join`` are ``columns`` of the file one after the other, ``hash`` is a digest of
    them, ``name`` is the name of an entity, whose equal names are one. None: a column of the file has the ids.
    """

    origin: IdOrigin | None = None
    columns: tuple[str, ...] = ()
    repeated: Repeated = "error"


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """A parsed mapping file: record columns to file columns, constants, and how the file spells values.

    ``columns`` name a part of an object by ``names.uk`` or ``external_ids.lei``. ``values`` give the word of the
    schema for each word of the file, by record column; ``*`` is for all others. ``lists`` give the sign between
    several values, ``units`` the metres in the unit of a distance and the percentage points in that of a share,
    ``dates`` how days are written. ``blank`` gives the value of an empty cell, ``empty`` the words of a cell that say
    nothing. ``by_name`` are columns that refer to records by their names, ``grammar`` that of an owner column.
    ``rows`` is the path to the rows of a JSON document, ``file`` the pattern of the names of the files that are read,
    and ``further`` are the mappings of the other tables of one mapping file.
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
    id: RowId = RowId()
    blank: Mapping[str, Any] = field(default_factory=dict)
    empty: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    skip: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    grammar: Mapping[str, str] = field(default_factory=dict)
    by_name: tuple[str, ...] = ()
    rows: str | None = None
    file: str | None = None
    further: tuple[ColumnMapping, ...] = ()

    def provides(self, column: str) -> bool:
        """Whether a record column comes from the file or is fixed."""
        if column == "id" and self.id.origin is not None:
            return True
        if column in ("share_min", "share_max") and self.table == "stakes" and self.provides("share"):
            return True
        return column in self.columns or column in self.constants

    @property
    def tables(self) -> tuple[ColumnMapping, ...]:
        """The mapping of each table of the file, this one first."""
        return (self, *self.further)

    @property
    def file_columns(self) -> tuple[str, ...]:
        """Every column of the file that is read, each once."""
        return tuple(dict.fromkeys((*self.columns.values(), *(name for name in self.id.columns if name != GEOMETRY))))


def is_object(table: str, column: str) -> bool:
    """Whether a column holds values by key, as names by language."""
    field = RECORD_TYPES[table].model_fields.get(column)
    return field is not None and get_origin(field.annotation) is dict


def is_list(table: str, column: str) -> bool:
    """Whether a column holds several values."""
    field = RECORD_TYPES[table].model_fields.get(column)
    return field is not None and get_origin(field.annotation) is tuple


#: One fault of a mapping file: the key in the file, the value there, and the expected value.
MappingFault = tuple[str, Argument, Message]

_SOURCE = ("publisher", "title", "url", "licence", "language", "published")
_TABLES = (
    "source", "id", "columns", "constants", "blank", "empty", "skip", "values", "dates", "units", "lists",
    "grammar", "numbers",
)  # fmt: skip
#: Keys of a mapping beside its tables: the type of each, and what is expected of it.
_KEYS: Mapping[str, tuple[type, Message]] = {
    "table": (str, Message("cell.one-of", {"names": MAPPED_TABLES})),
    "file": (str, Message("mapping.file")),
    "layer": (str, Message("mapping.layer")),
    "rows": (str, Message("mapping.rows")),
    "by_name": (list, Message("mapping.column-list")),
    "private": (bool, Message("cell.boolean")),
}
#: Letters of a name of a file's column, which every fault of that column repeats.
MOST_LETTERS = 1000


def shape_faults(document: Mapping[str, Any]) -> Iterator[MappingFault]:
    """Yield missing tables and values of another type than expected; all other checks rely on these types."""
    if document.get("table") not in MAPPED_TABLES:
        name = str(document["table"]) if "table" in document else MISSING
        yield "table", name, _KEYS["table"][1]
    for name, value in document.items():
        if name in _TABLES and not isinstance(value, dict):
            yield name, repr(value)[:80], Message("mapping.table", {"name": name})
        elif name not in (*_TABLES, *_KEYS):
            keys = (*_KEYS, *(f"[{table}]" for table in _TABLES), "[[tables]]")
            yield name, repr(value)[:80], Message("cell.one-of", {"names": keys})
    for name in ("columns", "source"):
        if name not in document:
            yield name, MISSING, Message("mapping.table", {"name": name})
    for name, (kind, expected) in _KEYS.items():
        value = document.get(name, kind())
        if name != "table" and (not isinstance(value, kind) or len(str(value)) > MOST_LETTERS):
            yield name, repr(value)[:80], expected
    for table in ("source", "columns", "units", "lists", "grammar", "numbers"):
        given = _table(document, table)
        for name, value in flat(given) if table == "columns" else given.items():
            if not isinstance(value, str) or not 0 < len(value) <= MOST_LETTERS:
                yield f"{table}.{name}", repr(value)[:80], Message("mapping.text", {"most": MOST_LETTERS})
    for name, words in _table(document, "values").items():
        if not isinstance(words, dict) or not all(isinstance(word, str) for word in words.values()):
            yield f"values.{name}", repr(words)[:80], Message("mapping.words")
    for table in ("empty", "skip"):
        for name, words in flat(_table(document, table)):
            if not _is_texts(words):
                yield f"{table}.{name}", repr(words)[:80], Message("mapping.word-list")
    if not _is_texts(document.get("by_name", [])) and isinstance(document.get("by_name"), list):
        yield "by_name", repr(document["by_name"])[:80], Message("mapping.column-list")
    yield from _id_faults(_table(document, "id"))
    yield from _date_faults(_table(document, "dates"))


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) and 0 < len(text) <= MOST_LETTERS for text in value)


def _id_faults(given: Mapping[str, Any]) -> Iterator[MappingFault]:
    for name, value in given.items():
        if name in ("join", "hash"):
            if not value or not _is_texts(value):
                yield f"id.{name}", repr(value)[:80], Message("mapping.column-list")
        elif name in ("row", "name"):
            if value is not True:
                yield f"id.{name}", repr(value)[:80], Message("mapping.true")
        elif name != "repeated":
            yield f"id.{name}", repr(value)[:80], Message("cell.one-of", {"names": (*ORIGINS, "repeated")})
        elif value not in REPEATED:
            yield "id.repeated", repr(value)[:80], Message("cell.one-of", {"names": REPEATED})
    if len([name for name in given if name in ORIGINS]) > 1:
        yield "id", ", ".join(given), Message("mapping.one-origin", {"names": ORIGINS})


def _date_faults(dates: Mapping[str, Any]) -> Iterator[MappingFault]:
    for name, formats in dates.items():
        for text in formats if isinstance(formats, list) else [formats]:
            if not isinstance(text, str) or DateFormat.of(text) is None:
                yield f"dates.{name}", repr(text)[:80], Message("mapping.dates")


def _table(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = document.get(name)
    return table if isinstance(table, dict) else {}


def flat(table: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield names and values of a table; a value of a nested table ``names`` is called ``names.uk``."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from ((f"{name}.{key}", nested) for key, nested in value.items())
        else:
            yield name, value


def name_faults(mapping: ColumnMapping, document: Mapping[str, Any]) -> Iterator[MappingFault]:
    """Yield names that a record does not have, units and signs that are not known, and what a record lacks."""
    model = RECORD_TYPES[mapping.table]
    for table, names in _free_names(mapping.table).items():
        given = getattr(mapping, table)
        for name in given:
            root, dot, key = name.partition(".")
            if name not in names and not (dot and key and f"{root}.KEY" in names):
                known: Argument = tuple(sorted(names)) or Message("value.no-one")
                yield f"{table}.{name}", name, Message("mapping.column", {"table": mapping.table, "names": known})
    for name, factor in mapping.units.items():
        if not factor:
            units = tuple(POINTS if name in SHARE_COLUMNS else METRES)
            yield f"units.{name}", document["units"][name], Message("cell.one-of", {"names": units})
    for name, value in document.get("numbers", {}).items():
        if name != "decimal" or value not in (".", ","):
            yield f"numbers.{name}", value, Message("mapping.decimal")
    for name, value in mapping.grammar.items():
        if value not in GRAMMARS:
            yield f"grammar.{name}", value, Message("cell.one-of", {"names": GRAMMARS})
    for table in ("blank", "skip"):
        for name in getattr(mapping, table):
            if name not in mapping.columns:
                yield f"{table}.{name}", name, Message("mapping.of-column")
    if mapping.id.origin is not None and "id" in mapping.columns:
        yield "columns.id", mapping.columns["id"], Message("mapping.one-id")
    if mapping.id.origin == "name" and mapping.table != "entities":
        yield "id.name", mapping.table, Message("mapping.id-by-name")
    for name in _missing(mapping, [name for name, column in model.model_fields.items() if column.is_required()]):
        yield f"columns.{name}", Message("value.unmapped"), Message("mapping.required-column", {"name": name})


def _free_names(table: str) -> Mapping[str, set[str]]:
    """Return the names that each table of a mapping may have."""
    fields = RECORD_TYPES[table].model_fields
    parts = {name for name in fields if is_object(table, name)}
    plain = {name for name in fields if name not in (*READER_COLUMNS, "weapons") and name not in parts}
    side = SIDE_COLUMNS.get(table, ())
    has_place = "geometry" in fields
    placed, fixed = ({*PLACE_COLUMNS}, {*FIXED_PLACES}) if has_place else (set(), set())
    listed = {name for name in plain if get_origin(fields[name].annotation) is tuple}
    columns = {*plain, *side, *placed, *(f"{name}.KEY" for name in parts)}
    constants = {*fields, *side, *fixed} - {*READER_COLUMNS, "id"}
    return {
        "columns": columns,
        "constants": constants,
        "blank": constants,
        "empty": {*columns, ANY_OTHER, *((GEOMETRY,) if has_place else ())},
        "skip": columns - {"geometry"},
        "values": {*plain, *side} - {"id", "geometry"},
        "dates": plain & {*DATE_COLUMNS},
        "units": (plain & {"uncertainty_m"}) | ({*side} & {*SHARE_COLUMNS}),
        "lists": {*listed, *side} - {*SHARE_COLUMNS},
        "grammar": {"owner"} if "owner_share" in side else set(),
        "by_name": {*NAMED_COLUMNS.get(table, ())},
    }


def word_faults(mapping: ColumnMapping) -> Iterator[MappingFault]:
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
    for table in ("constants", "blank"):
        yield from _fixed_faults(mapping, table)
    for column, words in mapping.values.items():
        for file_word, word in words.items():
            given = {column: (word,) if column in mapping.lists or is_list(mapping.table, column) else word}
            for _, value, expected in _refused(model, given) if word and column in model.model_fields else ():
                yield f"values.{column}.{file_word}", value, expected


def _fixed_faults(mapping: ColumnMapping, table: str) -> Iterator[MappingFault]:
    """Yield the values of constants, or of blank cells, that the schema does not take."""
    given = {name: value for name, value in getattr(mapping, table).items() if name not in mapping.by_name}
    for name, value, expected in _refused(RECORD_TYPES[mapping.table], given):
        yield f"{table}.{name}", value, expected
    for name in ("lon", "lat"):
        if not isinstance(given.get(name, 0.0), int | float):
            yield f"{table}.{name}", repr(given[name])[:80], Message("mapping.degrees")


def _refused(model: type[BaseModel], values: Mapping[str, Any]) -> Iterator[MappingFault]:
    """Yield what the schema of a record refuses among the values of some of its columns."""
    given = {name: value for name, value in values.items() if name in model.model_fields}
    try:
        model.model_validate(given)
    except ValidationError as error:
        for fault in error.errors(include_url=False):
            if fault["loc"] and fault["loc"][0] in given:
                yield ".".join(map(str, fault["loc"])), repr(fault["input"])[:80], schema_fault(fault)


def _missing(mapping: ColumnMapping, required: list[str]) -> Iterator[str]:
    """Yield columns that a record requires and the mapping lacks; ``checked`` may be absent, it is then unverified."""
    yield from (name for name in required if name not in (*READER_COLUMNS, "checked") and not mapping.provides(name))
    if mapping.table not in ("strikes", "assets"):
        return
    if mapping.provides("lon") != mapping.provides("lat"):
        yield "lat" if mapping.provides("lon") else "lon"
    if any(mapping.provides(name) for name in ("lon", "latlon", "lonlat", "wkt", "geometry")):
        yield from (name for name in ("uncertainty_m", "basis") if not mapping.provides(name))


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
        table=document["table"],
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
