"""The result of reading a file: good records, where each stands, and every problem of the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from layers.model.heat import HeatColumns
from layers.model.messages import Argument, InvalidValue, Message
from layers.model.records import RECORD_TYPES, Record, Records

#: The value of a cell, field or key that is not there.
MISSING = Message("value.missing")
#: The longest text of a value in a problem.
_VALUE_LENGTH = 120


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of a file or record.

    ``file`` and ``row`` say where it stands (no row: in the file as a whole), ``record`` and ``column`` what it is
    about, ``value`` what stands there, as data or, where that is no data, such as a size, as a message, and
    ``expected`` what may stand there. ``api/wording`` words it for people; as text it has the codes.
    """

    file: str
    row: int | None
    record: str
    column: str
    value: Argument
    expected: Message

    @property
    def location(self) -> str:
        """File and row in one word, such as ``a.csv:12``."""
        return f"{self.file}:{self.row}" if self.row else self.file

    def __str__(self) -> str:
        return f"{self.location}: {self.record}: {self.column} = {self.value}: expected {self.expected}"


def shown_value(value: object) -> Argument:
    """Return a value as a problem has it: a message as it is, anything else as a text that is not too long."""
    return value if isinstance(value, Message) else str(value)[:_VALUE_LENGTH]


class ProblemsError(ValueError):
    """Input that is refused, with every one of its problems."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(f"{len(problems)} problem(s); first: {problems[0]}" if problems else "no problems")
        self.problems = problems


class UnknownRecord(LookupError):
    """An id that no record of a table has; ``fault`` says which."""

    def __init__(self, fault: Message) -> None:
        super().__init__(str(fault))
        self.fault = fault


@dataclass(frozen=True, slots=True)
class SourceLocation:
    """The file and row that a record was read from."""

    file: str
    row: int


@dataclass(frozen=True)
class ReadResult:
    """The records that a reader made of files, and what it left out.

    Attributes
    ----------
    records
        The good records.
    locations
        File and row of each record, by table and id.
    problems
        Every fault of the rows that made no record, or not all of one.
    rows
        How many rows, features or events the files hold.
    skipped
        How many of these are sound but not for the atlas, by reason, such as a protest among attacks.
    private
        Whether the licence forbids to publish the files, so that their dataset is private as a whole.
    warnings
        How many records were read that can hardly be right, by reason, such as a pipeline that is a point.
    heat
        Observations of heat, if the files hold any.
    doubts
        Each point that contradicts its record or the rest of the files, with what would fit; counted in ``warnings``.
    """

    records: Records
    locations: Mapping[tuple[str, str], SourceLocation]
    problems: tuple[Problem, ...]
    rows: int = 0
    skipped: Mapping[Message, int] = field(default_factory=dict)
    private: bool = False
    warnings: Mapping[Message, int] = field(default_factory=dict)
    heat: HeatColumns | None = None
    doubts: tuple[Problem, ...] = ()

    def require_clean(self) -> Records:
        """Return the records.

        Raises
        ------
        ProblemsError
            If anything could not be read.
        """
        if self.problems:
            raise ProblemsError(self.problems)
        return self.records


def problem_of(
    locations: Mapping[tuple[str, str], SourceLocation],
    table: str,
    record: str,
    column: str,
    value: Argument,
    expected: Message,
) -> Problem:
    """Return the problem of a record, at its place in the files, or in its table where none is known."""
    location = locations.get((table, record))
    file, row = (location.file, location.row) if location else (table, None)
    return Problem(file, row, f"{RECORD_TYPES[table].__name__.lower()} {record}", column, value, expected)


def validated(
    record_type: type[Record], values: Mapping[str, Any], location: SourceLocation, problems: list[Problem]
) -> Record | None:
    """Make a record of a type from values by column; where it is invalid, append each fault to ``problems``."""
    try:
        return record_type.model_validate(values)
    except ValidationError as error:
        name = f"{record_type.__name__.lower()} {values.get('id', '(no id)')}"
        for fault in error.errors(include_url=False):
            column = ".".join(str(part) for part in fault["loc"]) or "record"
            value = MISSING if fault["type"] == "missing" else shown_value(repr(fault["input"]))
            expected = schema_fault(fault)
            if fault["type"] == "extra_forbidden" and column in values:
                expected = Message("schema.column", {"names": tuple(record_type.model_fields)})
            problems.append(Problem(location.file, location.row, name, column, value, expected))
        return None


#: How the messages of pydantic begin, and how they go on behind "expected".
_BEGINNINGS = {
    "Input should be ": "",
    "Field required": "a value",
    "Extra inputs are not permitted": "no such field",
    "String should have ": "a text of ",
    "String should match ": "a text of the ",
    "Tuple should have ": "a list of ",
}


def schema_fault(fault: ErrorDetails) -> Message:
    """Return what was expected where pydantic names a fault, in the words of our own validators, else in pydantic's."""
    error = fault.get("ctx", {}).get("error")
    if isinstance(error, InvalidValue):
        return error.expected
    text = fault["msg"]
    beginning = next((words for words in _BEGINNINGS if text.startswith(words)), "")
    return Message("schema.invalid", {"text": _BEGINNINGS.get(beginning, "") + text.removeprefix(beginning)})
