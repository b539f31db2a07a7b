"""BODS 0.4 text to statements: its bounds, its JSON, and which statement of a record counts. Makes no records.

Beneficial Ownership Data Standard 0.4, standard.openownership.org/en/0.4.0.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from layers.model import edtf
from layers.model.problems import Problem

VERSION = "0.4"
#: Largest text that is read. Deeper nesting than 1,024 levels and numbers beyond a double are refused by orjson.
MAX_BYTES = 200_000_000
#: Problems beyond this number are counted, not listed.
MOST_PROBLEMS = 10_000
#: What BODS 0.4 requires of a statement (statement.json, required).
REQUIRED = ("statementId", "declarationSubject", "recordId", "recordType", "recordDetails", "statementDate")
RECORD_TYPES = ("entity", "person", "relationship")
RECORD_STATUSES = ("new", "updated", "closed")

# A statement without these is read all the same: nothing here rests on them.
_DISPENSABLE = ("statementId", "declarationSubject")
_URL = re.compile(r"https?://[^\s<>\"]{1,990}")
_DAY_TIME = re.compile(r"(\d{4}-\d{2}-\d{2})[T ].*")


class UnreadableError(ValueError):
    """A part that cannot be read; the problem has been listed."""


@dataclass
class Faults:
    """The problems of one file, at most `MOST_PROBLEMS` of them told one by one."""

    file: str
    told: list[Problem] = field(default_factory=list)
    more: int = 0

    def add(self, row: int | None, record: str, column: str, value: object, expected: str) -> UnreadableError:
        """List a problem; the error is for a caller that cannot go on."""
        if len(self.told) < MOST_PROBLEMS:
            self.told.append(Problem(self.file, row, record, column, shown(value), expected))
        else:
            self.more += 1
        return UnreadableError(f"{record}: {column}")

    def all(self) -> tuple[Problem, ...]:
        """Every problem, and how many more there were."""
        if not self.more:
            return tuple(self.told)
        return (*self.told, Problem(self.file, None, "file", "problems", f"{self.more} more", "fewer problems"))


def shown(value: object) -> str:
    """A value in few characters; of a list or object only what it is, since it may be nested deep."""
    if value is None:
        return "(missing)"
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    return repr(value)[:120]


@dataclass(frozen=True)
class Part:
    """An object of a statement, read field by field. A field of the wrong type is a problem and is left out."""

    values: dict[str, Any]
    path: str
    row: int
    record: str
    faults: Faults

    def fault(self, key: str, expected: str, value: object = None) -> UnreadableError:
        """List a problem with a field of this object."""
        found = self.values.get(key) if value is None else value
        return self.faults.add(self.row, self.record, f"{self.path}{key}", found, expected)

    def text(self, key: str) -> str | None:
        """A text without blanks around it; ``None`` where it is missing or empty."""
        value = self.values.get(key)
        if isinstance(value, str):
            return value.strip() or None
        if value is not None:
            self.fault(key, "a text")
        return None

    def choice(self, key: str, choices: Iterable[str]) -> str:
        """One of the codes of a closed codelist.

        Raises
        ------
        UnreadableError
            If it is missing or another.
        """
        value = self.values.get(key)
        if isinstance(value, str) and value in choices:
            return value
        raise self.fault(key, "one of " + ", ".join(choices))

    def flag(self, key: str) -> bool:
        """True or false; false where it is missing."""
        value = self.values.get(key)
        if value is not None and not isinstance(value, bool):
            self.fault(key, "true or false")
        return value is True

    def percent(self, key: str) -> float | None:
        """A number from 0 to 100.

        Raises
        ------
        UnreadableError
            If it is there and is no such number.
        """
        value = self.values.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:
            raise self.fault(key, "a number from 0 to 100")
        return float(value)

    def url(self, key: str) -> str | None:
        """A web address; another URI is left out without complaint, since BODS allows it."""
        value = self.text(key)
        return value if value and _URL.fullmatch(value) else None

    def day(self, key: str) -> str | None:
        """A day, or a month or year where no more is given; of a date-time its day.

        Raises
        ------
        UnreadableError
            If it is there and is no date.
        """
        value = self.values.get(key)
        if value is None:
            return None
        if isinstance(value, str):
            text = day_of(value.strip())
            try:
                return edtf.parse(text).text
            except edtf.WhenError:
                pass
        raise self.fault(key, "a date such as 2025-08-06")

    def part(self, key: str) -> Part:
        """The object in a field; an empty one where it is missing."""
        value = self.values.get(key)
        if value is not None and not isinstance(value, dict):
            self.fault(key, "an object")
        return self._inner(f"{key}.", value)

    def parts(self, key: str) -> list[Part]:
        """The objects of a list; what is no object is listed as a problem."""
        inner = [self._inner(f"{key}[{index}].", value) for index, value in enumerate(self._items(key))]
        for index, value in enumerate(self._items(key)):
            if not isinstance(value, dict):
                self.fault(f"{key}[{index}]", "an object", value)
        return inner

    def texts(self, key: str) -> tuple[str, ...]:
        """The texts of a list, each once."""
        found: dict[str, None] = {}
        for index, value in enumerate(self._items(key)):
            if not isinstance(value, str):
                self.fault(f"{key}[{index}]", "a text", value)
            elif value.strip():
                found[value.strip()] = None
        return tuple(found)

    def _items(self, key: str) -> list[Any]:
        value = self.values.get(key)
        if value is not None and not isinstance(value, list):
            self.fault(key, "a list")
        return value if isinstance(value, list) else []

    def _inner(self, path: str, value: object) -> Part:
        values = value if isinstance(value, dict) else {}
        return Part(values, f"{self.path}{path}", self.row, self.record, self.faults)


@dataclass(frozen=True)
class Statement:
    """A statement that counts: the latest of its record. ``day`` is that of its statementDate."""

    record: str
    kind: str
    closed: bool
    day: str
    moment: datetime
    body: Part
    details: Part

    @property
    def row(self) -> int:
        """Position in the file, from 1; the line in a file of one statement a line."""
        return self.body.row


def day_of(text: str) -> str:
    """The day of an RFC 3339 date-time, anything else as it is."""
    found = _DAY_TIME.fullmatch(text)
    return found[1] if found else text


def values(text: str | bytes, faults: Faults) -> Iterator[tuple[int, Any]]:
    """Position and value of each statement of a JSON array, or of JSON Lines."""
    data = _bytes(text, faults)
    if data[:1] == b"[":
        try:
            yield from enumerate(orjson.loads(data), start=1)
        except orjson.JSONDecodeError as error:
            faults.add(None, "file", "syntax", str(error), "a JSON array of statements, at most 1,024 levels deep")
    elif data[:1] == b"{":
        yield from _lines(data, faults)
    elif data or not faults.told:
        faults.add(None, "file", "syntax", repr(data[:40]), "a JSON array of statements, or one statement a line")


def _bytes(text: str | bytes, faults: Faults) -> bytes:
    if len(text) > MAX_BYTES:
        faults.add(None, "file", "size", len(text), "at most 200 MB")
        return b""
    try:
        data = text.encode() if isinstance(text, str) else text
    except UnicodeEncodeError as error:
        faults.add(None, "file", "encoding", str(error), "text without lone surrogates")
        return b""
    return data.removeprefix(b"\xef\xbb\xbf").lstrip()


def _lines(data: bytes, faults: Faults) -> Iterator[tuple[int, Any]]:
    for row, line in enumerate(data.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            yield row, orjson.loads(line)
        except orjson.JSONDecodeError as error:
            faults.add(row, "statement", "syntax", str(error), "one JSON object a line, at most 1,024 levels deep")


def latest(found: Iterable[tuple[int, Any]], faults: Faults) -> list[Statement]:
    """The statement that counts of each record, in the order in which the records first occur.

    That is the latest by statementDate, and of one date the last in the file (BODS 0.4, information updates).
    """
    kept: dict[str, Statement] = {}
    for row, value in found:
        try:
            statement = _statement(row, value, faults)
        except UnreadableError:
            continue
        earlier = kept.get(statement.record)
        if earlier and earlier.kind != statement.kind:
            statement.body.fault("recordType", f"{earlier.kind}, as at {earlier.row}")
        elif earlier is None or earlier.moment <= statement.moment:
            kept[statement.record] = statement
    return list(kept.values())


def _statement(row: int, value: object, faults: Faults) -> Statement:
    if not isinstance(value, dict):
        raise faults.add(row, "statement", "statement", value, "an object")
    name = value.get("statementId")
    body = Part(value, "", row, f"statement {name if isinstance(name, str) else '(no statementId)'}"[:120], faults)
    version = body.part("publicationDetails").text("bodsVersion")
    if version not in (None, VERSION):
        raise body.fault("publicationDetails.bodsVersion", VERSION, version)
    for key in REQUIRED:
        if value.get(key) is None and key not in _DISPENSABLE:
            raise body.fault(key, f"a value: BODS {VERSION} requires it")
    record = body.text("recordId")
    if record is None:
        raise body.fault("recordId", "a text that is not empty")
    status = body.choice("recordStatus", RECORD_STATUSES) if "recordStatus" in value else "new"
    moment = _moment(body)
    kind = body.choice("recordType", RECORD_TYPES)
    return Statement(
        record, kind, status == "closed", str(body.day("statementDate")), moment, body, body.part("recordDetails")
    )


def _moment(body: Part) -> datetime:
    text = body.text("statementDate") or ""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise body.fault("statementDate", "a date or date-time of RFC 3339") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
