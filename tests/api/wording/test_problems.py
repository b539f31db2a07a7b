"""Problems, errors and filters in words: in each language, with data as it is, and codes where nobody words them."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from api.wording import problems
from api.wording.catalogue import catalogue
from layers.model.messages import InvalidValue, Message, alternatives
from layers.model.problems import MISSING, Problem, ProblemsError, SourceLocation, validated
from layers.model.records import Source, Stake
from layers.query.cql2_tree import FilterError

SIZE = Message("files.bytes", {"count": 12345})
TOO_LARGE = Problem("a.csv", None, "file", "size", SIZE, Message("files.at-most-bytes", {"limit": 10}))
NO_CODE = Problem("a.csv", 3, "strike d/1", "Kind", MISSING, Message("cell.one-of", {"names": ("x", "y")}))
GERMAN = {
    "problem.cell": "{column} = {value}: erwartet {expected}",
    "problem.located": "{location}: {record}: {column} = {value}: erwartet {expected}",
    "problem.many": "{count} Fehler; der erste: {first}",
    "value.missing": "(fehlt)",
    "cell.one-of": "eines von {names}",
    "filter.at-character": "{expected} an Stelle {at}",
    "cell.number": "eine Zahl",
    "language.list": " und ",
}


@pytest.fixture
def _german(monkeypatch: pytest.MonkeyPatch) -> None:
    tables = {"en": catalogue("en"), "de": GERMAN}
    monkeypatch.setattr("api.wording.catalogue.catalogue", tables.__getitem__)


def test_a_problem_is_worded_with_its_data_as_it_is() -> None:
    assert problems.cell_sentence(NO_CODE) == "Kind = (missing): expected one of x, y"
    assert problems.located_sentence(TOO_LARGE) == (
        "a.csv: file: size = 12,345 bytes: expected at most 10 bytes unpacked"
    )
    assert problems.problem_values(NO_CODE) == {
        "file": "a.csv",
        "row": 3,
        "record": "strike d/1",
        "column": "Kind",
        "value": "(missing)",
        "expected": "one of x, y",
    }


@pytest.mark.usefixtures("_german")
def test_another_language_is_its_catalogue_alone() -> None:
    assert problems.cell_sentence(NO_CODE, "de") == "Kind = (fehlt): erwartet eines von x und y"
    assert problems.error_sentence(ProblemsError((NO_CODE, TOO_LARGE)), "de") == (
        "2 Fehler; der erste: a.csv:3: strike d/1: Kind = (fehlt): erwartet eines von x und y"
    )
    error = FilterError(Message("cell.number"), character=7)
    assert problems.filter_sentence(error, "de") == "eine Zahl an Stelle 7"
    assert problems.problem_values(TOO_LARGE, "de")["expected"] == "at most 10 bytes unpacked", "English fills gaps"


def test_errors_are_worded_and_their_own_text_has_the_codes() -> None:
    error = ProblemsError((NO_CODE,))
    assert problems.error_sentence(error) == (
        "1 problem(s); first: a.csv:3: strike d/1: Kind = (missing): expected one of x, y"
    )
    assert str(error) == (
        "1 problem(s); first: a.csv:3: strike d/1: Kind = value.missing: expected cell.one-of(names=[x, y])"
    )
    assert problems.error_sentence(ProblemsError(())) == "no problems"
    assert problems.error_sentence(ValueError("as it is")) == "as it is"


def test_an_error_raised_from_refused_values_has_them_in_words() -> None:
    def raised_from(cause: Exception) -> ValueError:
        error = ValueError(f"strikes k: {cause}")
        error.__cause__ = cause
        return error

    assert problems.error_sentence(raised_from(InvalidValue(Message("geometry.flat")))) == (
        "strikes k: a geometry of lon and lat only, without height or measure"
    )
    with pytest.raises(ValidationError) as raised:
        Source.model_validate({"id": "s", "publisher": "p", "published": "2025-02-30"})
    assert "edtf.no-day(text=2025-02-30)" in str(raised.value)
    worded = problems.error_sentence(raised_from(raised.value))
    assert "Value error, a day of the calendar, which '2025-02-30' is not" in worded
    assert "edtf." not in worded


def test_filters_say_where() -> None:
    expected = Message("cell.number")
    assert problems.filter_sentence(FilterError(expected)) == "a number"
    assert problems.filter_sentence(FilterError(expected, "/args/1")) == "a number at /args/1"
    assert problems.filter_sentence(FilterError(expected, character=3)) == "a number at character 3"
    assert str(FilterError(expected, character=3)) == "filter: expected cell.number, at character 3"


def test_long_words_are_cut_as_long_data_is() -> None:
    long = Message("registry.unknown-format", {"columns": "x" * 500})
    problem = Problem("a.csv", None, "file", "format", long, Message("registry.one-format"))
    assert len(problems.worded_value(problem)) == 120


def test_faults_of_the_schema_are_our_codes_or_the_words_of_pydantic() -> None:
    faults: list[Problem] = []
    assert validated(Source, {"id": "s", "published": "2025-02-30"}, SourceLocation("a.toml", 1), faults) is None
    assert {fault.column: (fault.expected.code, fault.value) for fault in faults} == {
        "publisher": ("schema.invalid", MISSING),
        "published": ("edtf.no-day", "'2025-02-30'"),
    }
    assert [problems.problem_values(fault)["expected"] for fault in faults] == [
        "a value",
        "a day of the calendar, which '2025-02-30' is not",
    ]
    stake = {"id": "t", "owned": "a", "owner": "b", "share_min": 2, "share_max": 1, "source": "s", "checked": "read"}
    faults = []
    assert validated(Stake, stake, SourceLocation("a.toml", 1), faults) is None
    assert [fault.expected for fault in faults] == [Message("schema.share-order")]
    faults = []
    assert validated(Stake, stake | {"id": "T", "share_min": -1}, SourceLocation("a.toml", 1), faults) is None
    assert [problems.problem_values(fault)["expected"] for fault in faults] == [
        "a text of the pattern '^[a-z0-9][a-z0-9._/>@-]*$'",
        "greater than or equal to 0",
    ]


def test_messages_as_text_and_alternatives() -> None:
    assert str(Message("a.b", {"n": 1, "of": ("x", Message("c.d"))})) == "a.b(n=1, of=[x, c.d])"
    assert str(InvalidValue(Message("a.b"))) == "a.b"
    assert alternatives(["x"]) == "x"
    assert (
        problems.text(Message("integrity.id-in", {"tables": alternatives(["x", "y", "z"])})) == "an id in x or y or z"
    )
