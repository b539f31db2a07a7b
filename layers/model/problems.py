"""Everything that is wrong with a file or a set of records, named at once."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault: where it is, what was found, and what was expected instead."""

    file: str
    row: int | None
    record: str
    column: str
    value: str
    expected: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.row}" if self.row else self.file
        return f"{place}: {self.record}: {self.column} = {self.value}: expected {self.expected}"

    def as_dict(self) -> dict[str, object]:
        """Return the fault as plain values, for JSON."""
        return asdict(self)


class ProblemsError(ValueError):
    """Input that cannot be taken; carries every problem found."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(f"{len(problems)} problem(s); first: {problems[0]}" if problems else "no problems")
        self.problems = problems


class UnknownRecord(LookupError):
    """No record of that kind has that id."""
