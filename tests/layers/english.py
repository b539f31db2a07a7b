"""What rooms of layers/ say as codes, in the words of the English catalogue, for tests that read sentences."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

import pytest

from api.wording.catalogue import text
from api.wording.problems import error_sentence, filter_sentence, located_sentence, worded_value
from layers.model.messages import InvalidValue, Message
from layers.model.problems import Problem
from layers.query.cql2_tree import FilterError


def expecting(words: str) -> Message:
    """Make an expectation of words that no room has a code for."""
    return Message("schema.invalid", {"text": words})


class EnglishProblem(NamedTuple):
    """A problem whose value and expectation are in words; its text is the whole sentence."""

    file: str
    row: int | None
    record: str
    column: str
    value: str
    expected: str
    sentence: str

    def __str__(self) -> str:
        return self.sentence


def english(problems: Iterable[Problem]) -> list[EnglishProblem]:
    """Word problems, in their order."""
    return [
        EnglishProblem(
            problem.file,
            problem.row,
            problem.record,
            problem.column,
            worded_value(problem),
            text(problem.expected),
            located_sentence(problem),
        )
        for problem in problems
    ]


def english_counts(reasons: Mapping[Message, int]) -> dict[str, int]:
    """Word the reasons that rows are counted under."""
    return {text(reason): count for reason, count in reasons.items()}


def english_reasons(reasons: Mapping[str, Message]) -> dict[str, str]:
    """Word the reason of each key."""
    return {key: text(reason) for key, reason in reasons.items()}


@contextmanager
def raises(kind: type[Exception], match: str) -> Iterator[pytest.ExceptionInfo[Exception]]:
    """Expect an error whose words match a pattern."""
    with pytest.raises(kind) as raised:
        yield raised
    sentence = _sentence(raised.value)
    assert re.search(match, sentence), sentence


def _sentence(error: Exception) -> str:
    if isinstance(error, FilterError):
        return filter_sentence(error)
    return text(error.expected) if isinstance(error, InvalidValue) else error_sentence(error)
