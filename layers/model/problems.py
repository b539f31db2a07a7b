"""The result of reading a file: good records, where each stands, and every problem of the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from pydantic import ValidationError

from layers.model.records import Record, Records


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of a file or record.

    ``file`` and ``row`` say where it stands (no row: in the file as a whole), ``record`` and ``column`` what it is
    about, ``value`` what stands there and ``expected`` what may stand there.
    """

    file: str
    row: int | None
    record: str
    column: str
    value: str
    expected: str

    def __str__(self) -> str:
        location = f"{self.file}:{self.row}" if self.row else self.file
        return f"{location}: {self.record}: {self.column} = {self.value}: expected {self.expected}"

    def as_dict(self) -> dict[str, object]:
        """Return the fault as plain values, for JSON."""
        return asdict(self)


class ProblemsError(ValueError):
    """Input that is refused, with every one of its problems."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(f"{len(problems)} problem(s); first: {problems[0]}" if problems else "no problems")
        self.problems = problems


class UnknownRecord(LookupError):
    """An id that no record of a table has."""


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
    """

    records: Records
    locations: Mapping[tuple[str, str], SourceLocation]
    problems: tuple[Problem, ...]
    rows: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)
    private: bool = False

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
            value = "(missing)" if fault["type"] == "missing" else repr(fault["input"])[:120]
            problems.append(Problem(location.file, location.row, name, column, value, fault["msg"]))
        return None
