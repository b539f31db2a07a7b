"""What a reader gives: the good records, where each stands in its file, and every problem of the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from layers.problems import Problem, ProblemsError
from layers.schema import Records


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the text a record stands."""

    file: str
    row: int


@dataclass(frozen=True)
class Reading:
    """What was read: the good records, where each stands, and every problem of the rest."""

    records: Records
    places: Mapping[tuple[str, str], Place]
    problems: tuple[Problem, ...]

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
