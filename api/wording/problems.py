"""Words what is wrong with files, records and filters, as sentences and as JSON values."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import ValidationError

from api.wording.catalogue import ENGLISH, phrase, text
from layers.model.messages import InvalidValue, Message
from layers.model.problems import Problem, ProblemsError, UnknownRecord
from layers.query.cql2_tree import FilterError

#: The longest value that is shown.
_VALUE_LENGTH = 120


def worded_value(problem: Problem, language: str = ENGLISH) -> str:
    """Word what stands where something else was expected; data is as it is."""
    if isinstance(problem.value, Message):
        return text(problem.value, language)[:_VALUE_LENGTH]
    return str(problem.value)


def cell_sentence(problem: Problem, language: str = ENGLISH) -> str:
    """Word a problem without its place and record, for a file that has it beside its row."""
    value, expected = worded_value(problem, language), text(problem.expected, language)
    return phrase("problem.cell", language, column=problem.column, value=value, expected=expected)


def located_sentence(problem: Problem, language: str = ENGLISH) -> str:
    """Word a problem with its place and record."""
    return phrase(
        "problem.located",
        language,
        location=problem.location,
        record=problem.record,
        column=problem.column,
        value=worded_value(problem, language),
        expected=text(problem.expected, language),
    )


def problem_values(problem: Problem, language: str = ENGLISH) -> dict[str, str | int | None]:
    """Return a problem as plain values, for JSON."""
    return {
        "file": problem.file,
        "row": problem.row,
        "record": problem.record,
        "column": problem.column,
        "value": worded_value(problem, language),
        "expected": text(problem.expected, language),
    }


def error_sentence(error: Exception, language: str = ENGLISH) -> str:
    """Word an error for people: of problems their number and the first, of others their text, its codes in words.

    The text of an error that was raised from a refused value ends in the code of what was expected.
    """
    if isinstance(error, UnknownRecord):
        return text(error.fault, language)
    if not isinstance(error, ProblemsError):
        sentence = str(error)
        for value in _refused_values(error.__cause__):
            sentence = sentence.replace(str(value), text(value.expected, language))
        return sentence
    if not error.problems:
        return phrase("problem.none", language)
    first = located_sentence(error.problems[0], language)
    return phrase("problem.many", language, count=len(error.problems), first=first)


def _refused_values(cause: BaseException | None) -> Iterator[InvalidValue]:
    if isinstance(cause, InvalidValue):
        yield cause
    elif isinstance(cause, ValidationError):
        values = (fault.get("ctx", {}).get("error") for fault in cause.errors(include_url=False))
        yield from (value for value in values if isinstance(value, InvalidValue))


def filter_sentence(error: FilterError, language: str = ENGLISH) -> str:
    """Word what a filter was expected to have, and where: at a character of its text, or a place in its tree."""
    at: str | int = error.pointer if error.character is None else error.character
    if not at:
        return text(error.expected, language)
    code = "filter.at-pointer" if error.character is None else "filter.at-character"
    return phrase(code, language, expected=text(error.expected, language), at=at)
