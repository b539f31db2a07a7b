"""What a reader gives: the good records, where each stands in its file, and every problem of the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from layers.model.problems import Problem, ProblemsError
from layers.model.records import Record, Records


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the text a record stands."""

    file: str
    row: int


@dataclass(frozen=True)
class Reading:
    """What was read: the good records, where each stands, and every problem of the rest.

    ``rows`` counts the rows, features or events that the files hold; ``skipped`` says how many of them are sound but
    not for the atlas, by reason, such as a protest among attacks.
    """

    records: Records
    places: Mapping[tuple[str, str], Place]
    problems: tuple[Problem, ...]
    rows: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)

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


def validated(noun: type[Record], values: Mapping[str, Any], place: Place, problems: list[Problem]) -> Record | None:
    """Make a record of its noun; if it cannot be made, add each of its faults to ``problems``."""
    try:
        return noun.model_validate(values)
    except ValidationError as error:
        name = f"{noun.__name__.lower()} {values.get('id', '(no id)')}"
        for fault in error.errors(include_url=False):
            column = ".".join(str(part) for part in fault["loc"]) or "record"
            value = "(missing)" if fault["type"] == "missing" else repr(fault["input"])[:120]
            problems.append(Problem(place.file, place.row, name, column, value, fault["msg"]))
        return None
