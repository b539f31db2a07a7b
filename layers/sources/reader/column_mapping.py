"""A column mapping: what the columns of someone's file mean, declared in TOML; every fault of it at once."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_origin

from pydantic import BaseModel, ValidationError

from layers.model.problems import Problem, ProblemsError
from layers.model.records import NOUNS, Source
from layers.sources.reader.date_formats import DateFormat

#: Nouns that a mapping can make.
MAPPED = ("strikes", "assets", "entities", "stakes", "relations")
#: Columns that a reader fills: they are not mapped.
OWN = ("dataset", "private", "sources", "source", "place_source")
#: Columns that are no part of a record and say where it is: degrees, or well-known text.
PLACE_COLUMNS = ("lon", "lat", "wkt")
#: Columns that make other records, or part of one: a source by its address, a weapon of which only the kind is told,
#: an owner with a stake, an operator with a relation.
SIDE_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "strikes": ("source_url", "weapon"),
    "assets": ("source_url", "owner", "operator"),
}
#: Columns that hold days.
DATES = ("when", "since", "until")
#: Columns that refer to records by their ids.
REFERENCES = ("asset", "entity", "owned", "owner", "strike", "part_of")
#: Metres in a unit.
METRES: Mapping[str, float] = {"m": 1.0, "km": 1000.0, "mi": 1609.344, "ft": 0.3048, "nmi": 1852.0}
#: The word of a values table for all that it does not list.
REST = "*"
_SOURCE = ("publisher", "title", "url", "licence", "language", "published")
_TABLES = ("source", "columns", "constants", "values", "dates", "units", "lists", "numbers")
_FILE = "mapping"


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """What columns mean: record column to file column, fixed values, and how values are spelled.

    ``columns`` name a part of an object by ``names.uk`` or ``external_ids.lei``. ``values`` give the word of the
    schema for each word of the file, by record column; ``*`` is for all others. ``lists`` give the sign between
    several values, ``units`` the metres in the unit of a distance, ``dates`` how days are written.
    """

    noun: str
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

    def gives(self, column: str) -> bool:
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
        problem = Problem(path.name, None, _FILE, "encoding", str(error), "TOML, which is UTF-8")
        raise ProblemsError((problem,)) from error
    return parse(path.name, text)


def parse(file: str, text: str) -> ColumnMapping:
    """Read the text of a mapping file; see ``read``."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProblemsError((Problem(file, None, _FILE, "syntax", str(error), "a TOML document"),)) from error
    faults = [Problem(file, None, _FILE, *fault) for fault in _shape_faults(document)]
    if faults:
        raise ProblemsError(tuple(faults))
    made = _made(document)
    faults = [Problem(file, None, _FILE, *fault) for fault in (*_faults(made, document), *_word_faults(made))]
    if faults:
        raise ProblemsError(tuple(faults))
    return made


#: Where in the mapping, what stands there, what was expected.
Fault = tuple[str, str, str]


def _shape_faults(document: Mapping[str, Any]) -> Iterator[Fault]:
    """What is not there or of another type, before the rest can be looked at."""
    if document.get("noun") not in MAPPED:
        yield "noun", str(document.get("noun", "(missing)")), f"one of {', '.join(MAPPED)}"
    for name, value in document.items():
        if name in _TABLES and not isinstance(value, dict):
            yield name, repr(value)[:80], f"a table [{name}]"
        elif name not in (*_TABLES, "noun", "layer", "private"):
            yield name, repr(value)[:80], f"one of noun, layer, private, {', '.join(f'[{table}]' for table in _TABLES)}"
    for name in ("columns", "source"):
        if name not in document:
            yield name, "(missing)", f"a table [{name}]"
    for name, kind, expected in (("layer", str, "the name of a layer or sheet"), ("private", bool, "true or false")):
        if not isinstance(document.get(name, kind()), kind):
            yield name, repr(document[name])[:80], expected
    for table in ("source", "columns", "units", "lists", "numbers"):
        for name, value in _flat(_table(document, table)):
            if not isinstance(value, str) or not value:
                yield f"{table}.{name}", repr(value)[:80], "a text"
    for name, words in _table(document, "values").items():
        if not isinstance(words, dict) or not all(isinstance(word, str) for word in words.values()):
            yield f"values.{name}", repr(words)[:80], 'a table of texts, such as "oil depot" = "oil-depot"'
    yield from _date_faults(_table(document, "dates"))


def _date_faults(dates: Mapping[str, Any]) -> Iterator[Fault]:
    for name, formats in dates.items():
        for text in formats if isinstance(formats, list) else [formats]:
            if not isinstance(text, str) or DateFormat.of(text) is None:
                yield f"dates.{name}", repr(text)[:80], "a date such as DD.MM.YYYY or M/D/YYYY, or a list of them"


def _table(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = document.get(name)
    return found if isinstance(found, dict) else {}


def _flat(table: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Entries of a table; ``names.uk`` of a table ``names`` in it."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from ((f"{name}.{key}", one) for key, one in value.items())
        else:
            yield name, value


def _made(document: Mapping[str, Any]) -> ColumnMapping:
    dates = {
        name: tuple(found for text in (given if isinstance(given, list) else [given]) if (found := DateFormat.of(text)))
        for name, given in document.get("dates", {}).items()
    }
    return ColumnMapping(
        noun=document["noun"],
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


def _faults(made: ColumnMapping, document: Mapping[str, Any]) -> Iterator[Fault]:
    noun = NOUNS[made.noun]
    plain = {name for name in noun.model_fields if name not in (*OWN, "weapons") and not is_object(made.noun, name)}
    parts = {name for name in noun.model_fields if is_object(made.noun, name)}
    side = SIDE_COLUMNS.get(made.noun, ())
    placed = {*PLACE_COLUMNS} if "geometry" in noun.model_fields else set()
    listed = {name for name in plain if get_origin(noun.model_fields[name].annotation) is tuple}
    free = {
        "columns": {*plain, *side, *placed, *(f"{name}.KEY" for name in parts)},
        "constants": {*noun.model_fields, *side, *placed} - {*OWN, "id"},
        "values": {*plain, *side} - {"id", "geometry"},
        "dates": plain & {*DATES},
        "units": plain & {"uncertainty_m"},
        "lists": {*listed, *side},
    }
    for table, names in free.items():
        given = getattr(made, table)
        for name in given:
            root, dot, key = name.partition(".")
            if name not in names and not (dot and key and f"{root}.KEY" in names):
                yield f"{table}.{name}", name, f"a column of {made.noun}: {', '.join(sorted(names)) or 'none'}"
    for name, factor in made.units.items():
        if not factor:
            yield f"units.{name}", document["units"][name], f"one of {', '.join(METRES)}"
    for name, value in document.get("numbers", {}).items():
        if name != "decimal" or value not in (".", ","):
            yield f"numbers.{name}", value, 'decimal, "." or ","'
    for name in _missing(made, [name for name, one in noun.model_fields.items() if one.is_required()]):
        expected = f"a column of the file under [columns], or a value under [constants]: {name} is required"
        yield f"columns.{name}", "(unmapped)", expected


def _word_faults(made: ColumnMapping) -> Iterator[Fault]:
    """What the schema does not take: fixed values, words of values tables, and the source."""
    noun = NOUNS[made.noun]
    for name in made.source:
        if name not in _SOURCE:
            yield f"source.{name}", name, f"one of {', '.join(_SOURCE)}"
    known = {name: text for name, text in made.source.items() if name in _SOURCE}
    for name, value, expected in _refused(Source, known):
        yield f"source.{name}", value, expected
    if not made.source.get("publisher"):
        yield "source.publisher", "(missing)", "who published the file"
    for name, value, expected in _refused(noun, made.constants):
        yield f"constants.{name}", value, expected
    for name in ("lon", "lat"):
        if not isinstance(made.constants.get(name, 0.0), int | float):
            yield f"constants.{name}", repr(made.constants[name])[:80], "degrees, as a number"
    for column, words in made.values.items():
        for theirs, word in words.items():
            given = {column: (word,) if column in made.lists or is_list(made.noun, column) else word}
            for _, value, expected in _refused(noun, given) if word and column in noun.model_fields else ():
                yield f"values.{column}.{theirs}", value, expected


def _refused(noun: type[BaseModel], values: Mapping[str, Any]) -> Iterator[Fault]:
    """What a noun does not take of some of its columns."""
    given = {name: value for name, value in values.items() if name in noun.model_fields}
    try:
        noun.model_validate(given)
    except ValidationError as error:
        for fault in error.errors(include_url=False):
            if fault["loc"] and fault["loc"][0] in given:
                yield ".".join(map(str, fault["loc"])), repr(fault["input"])[:80], fault["msg"]


def is_object(noun: str, column: str) -> bool:
    """Whether a column holds values by key, as names by language."""
    found = NOUNS[noun].model_fields.get(column)
    return found is not None and get_origin(found.annotation) is dict


def is_list(noun: str, column: str) -> bool:
    """Whether a column holds several values."""
    found = NOUNS[noun].model_fields.get(column)
    return found is not None and get_origin(found.annotation) is tuple


def _missing(made: ColumnMapping, required: list[str]) -> Iterator[str]:
    """Columns that a record needs and nothing gives; ``checked`` is unverified where it is not said."""
    yield from (name for name in required if name not in (*OWN, "checked") and not made.gives(name))
    if made.noun not in ("strikes", "assets"):
        return
    if made.gives("lon") != made.gives("lat"):
        yield "lat" if made.gives("lon") else "lon"
    if any(made.gives(name) for name in ("lon", "wkt", "geometry")):
        yield from (name for name in ("uncertainty_m", "basis") if not made.gives(name))
