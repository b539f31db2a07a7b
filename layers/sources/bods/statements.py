"""From the text of a BODS 0.4 file to statements: bounds, JSON, and the latest statement of each record.

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
from layers.model.messages import Argument, Message
from layers.model.problems import MISSING, Problem, shown_value
from layers.sources.files.documents import parse_json
from layers.sources.reader.cell_values import web_address

VERSION = "0.4"
#: Largest text that is read. Numbers beyond a double are refused by orjson.
MAX_BYTES = 200_000_000
#: Maximum number of problems that are listed; further ones are counted.
MAX_PROBLEMS = 10_000
#: What BODS 0.4 requires of a statement (statement.json, required).
REQUIRED = ("statementId", "declarationSubject", "recordId", "recordType", "recordDetails", "statementDate")
RECORD_TYPES = ("entity", "person", "relationship")
RECORD_STATUSES = ("new", "updated", "closed")

# Required keys that this reader does not use: a statement without them is read.
_DISPENSABLE = ("statementId", "declarationSubject")
_DAY_TIME = re.compile(r"(\d{4}-\d{2}-\d{2})[T ].*")


class UnreadableError(ValueError):
    """A part of a statement that cannot be read; its problem has been listed."""


@dataclass
class ProblemLog:
    """The problems of one file: the first `MAX_PROBLEMS`, and the number of further ones."""

    file: str
    listed: list[Problem] = field(default_factory=list)
    more: int = 0

    def add(self, row: int | None, record: str, column: str, value: object, expected: Message) -> UnreadableError:
        """List a problem; return the error to be raised by a caller that cannot go on."""
        if len(self.listed) < MAX_PROBLEMS:
            self.listed.append(Problem(self.file, row, record, column, brief(value), expected))
        else:
            self.more += 1
        return UnreadableError(f"{record}: {column}")

    def all(self) -> tuple[Problem, ...]:
        """Return the listed problems, and as a last one the number of further ones."""
        if not self.more:
            return tuple(self.listed)
        more = Message("bods.more-problems", {"count": self.more})
        return (*self.listed, Problem(self.file, None, "file", "problems", more, Message("bods.fewer-problems")))


def brief(value: object) -> Argument:
    """Return a value in few letters; a list or object, which may be nested deep, only by its type."""
    if value is None:
        return MISSING
    if isinstance(value, dict | list):
        return Message("cell.object" if isinstance(value, dict) else "cell.list")
    return shown_value(repr(value))


@dataclass(frozen=True)
class StatementPart:
    """An object of a statement, read field by field. A field of the wrong type is a problem and is left out."""

    values: dict[str, Any]
    path: str
    row: int
    record: str
    faults: ProblemLog

    def fault(self, key: str, expected: Message, value: object = None) -> UnreadableError:
        """List a problem of a field of this object."""
        value_shown = self.values.get(key) if value is None else value
        return self.faults.add(self.row, self.record, f"{self.path}{key}", value_shown, expected)

    def text(self, key: str) -> str | None:
        """Return a stripped text; ``None`` where the field is missing or empty."""
        value = self.values.get(key)
        if isinstance(value, str):
            return value.strip() or None
        if value is not None:
            self.fault(key, Message("cell.text"))
        return None

    def choice(self, key: str, choices: Iterable[str]) -> str:
        """Return a code of a closed codelist.

        Raises ``UnreadableError`` if the field is missing or has another value.
        """
        value = self.values.get(key)
        if isinstance(value, str) and value in choices:
            return value
        raise self.fault(key, Message("cell.one-of", {"names": tuple(choices)}))

    def flag(self, key: str) -> bool:
        """Return true or false; false where the field is missing."""
        value = self.values.get(key)
        if value is not None and not isinstance(value, bool):
            self.fault(key, Message("cell.boolean"))
        return value is True

    def percent(self, key: str) -> float | None:
        """Return a number from 0 to 100, None where the field is missing.

        Raises ``UnreadableError`` if the field has any other value.
        """
        value = self.values.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:
            raise self.fault(key, Message("cell.number-between", {"low": 0, "high": 100}))
        return float(value)

    def url(self, key: str) -> str | None:
        """Return a web address; another URI, which BODS allows, gives None and no problem."""
        value = self.text(key)
        return web_address(value) if value else None

    def day(self, key: str) -> str | None:
        """Return a day, or a month or year where no more is given; of a date-time its day.

        Raises ``UnreadableError`` if the field is there and holds no date.
        """
        value = self.values.get(key)
        if value is None:
            return None
        if isinstance(value, str):
            text = day_of(value.strip())
            try:
                return edtf.parse(text).text
            except edtf.EdtfError:
                pass
        raise self.fault(key, Message("bods.date"))

    def part(self, key: str) -> StatementPart:
        """Return the object in a field; an empty one where the field is missing."""
        value = self.values.get(key)
        if value is not None and not isinstance(value, dict):
            self.fault(key, Message("cell.object"))
        return self._inner(f"{key}.", value)

    def parts(self, key: str) -> list[StatementPart]:
        """Return the objects of a list; any other element is listed as a problem."""
        inner = [self._inner(f"{key}[{index}].", value) for index, value in enumerate(self._items(key))]
        for index, value in enumerate(self._items(key)):
            if not isinstance(value, dict):
                self.fault(f"{key}[{index}]", Message("cell.object"), value)
        return inner

    def texts(self, key: str) -> tuple[str, ...]:
        """Return the distinct texts of a list."""
        distinct: dict[str, None] = {}
        for index, value in enumerate(self._items(key)):
            if not isinstance(value, str):
                self.fault(f"{key}[{index}]", Message("cell.text"), value)
            elif value.strip():
                distinct[value.strip()] = None
        return tuple(distinct)

    def _items(self, key: str) -> list[Any]:
        value = self.values.get(key)
        if value is not None and not isinstance(value, list):
            self.fault(key, Message("cell.list"))
        return value if isinstance(value, list) else []

    def _inner(self, path: str, value: object) -> StatementPart:
        values = value if isinstance(value, dict) else {}
        return StatementPart(values, f"{self.path}{path}", self.row, self.record, self.faults)


@dataclass(frozen=True)
class Statement:
    """The latest statement of a record. ``day`` is that of its statementDate."""

    record: str
    kind: str
    closed: bool
    day: str
    moment: datetime
    body: StatementPart
    details: StatementPart

    @property
    def row(self) -> int:
        """Position in the file, from 1; the line number in a file of one statement a line."""
        return self.body.row


def day_of(text: str) -> str:
    """Return the day of an RFC 3339 date-time, and any other text unchanged."""
    match = _DAY_TIME.fullmatch(text)
    return match[1] if match else text


def values(text: str | bytes, faults: ProblemLog) -> Iterator[tuple[int, Any]]:
    """Yield position and value of each statement of a JSON array, or of JSON Lines."""
    data = _bytes(text, faults)
    if data[:1] == b"[":
        try:
            yield from enumerate(parse_json(data), start=1)
        except orjson.JSONDecodeError as error:
            faults.add(None, "file", "syntax", str(error), Message("bods.array"))
    elif data[:1] == b"{":
        yield from _lines(data, faults)
    elif data or not faults.listed:
        faults.add(None, "file", "syntax", repr(data[:40]), Message("bods.array-or-lines"))


def _bytes(text: str | bytes, faults: ProblemLog) -> bytes:
    if len(text) > MAX_BYTES:
        faults.add(None, "file", "size", len(text), Message("bods.size", {"megabytes": MAX_BYTES // 10**6}))
        return b""
    try:
        data = text.encode() if isinstance(text, str) else text
    except UnicodeEncodeError as error:
        faults.add(None, "file", "encoding", str(error), Message("bods.no-surrogates"))
        return b""
    return data.removeprefix(b"\xef\xbb\xbf").lstrip()


def _lines(data: bytes, faults: ProblemLog) -> Iterator[tuple[int, Any]]:
    for row, line in enumerate(data.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            yield row, parse_json(line)
        except orjson.JSONDecodeError as error:
            faults.add(row, "statement", "syntax", str(error), Message("bods.line"))


def latest(numbered_values: Iterable[tuple[int, Any]], faults: ProblemLog) -> list[Statement]:
    """Return the latest statement of each record, in the order in which the records first occur.

    The latest is the one with the last statementDate, and of one date the last in the file (BODS 0.4, information
    updates).
    """
    newest: dict[str, Statement] = {}
    for row, value in numbered_values:
        try:
            statement = _statement(row, value, faults)
        except UnreadableError:
            continue
        earlier = newest.get(statement.record)
        if earlier and earlier.kind != statement.kind:
            statement.body.fault(
                "recordType", Message("bods.kind-as-before", {"kind": earlier.kind, "row": earlier.row})
            )
        elif earlier is None or earlier.moment <= statement.moment:
            newest[statement.record] = statement
    return list(newest.values())


def _statement(row: int, value: object, faults: ProblemLog) -> Statement:
    if not isinstance(value, dict):
        raise faults.add(row, "statement", "statement", value, Message("cell.object"))
    name = value.get("statementId")
    body = StatementPart(
        value, "", row, f"statement {name if isinstance(name, str) else '(no statementId)'}"[:120], faults
    )
    version = body.part("publicationDetails").text("bodsVersion")
    if version not in (None, VERSION):
        raise body.fault("publicationDetails.bodsVersion", Message("bods.version", {"version": VERSION}), version)
    for key in REQUIRED:
        if value.get(key) is None and key not in _DISPENSABLE:
            raise body.fault(key, Message("bods.required", {"version": VERSION}))
    record = body.text("recordId")
    if record is None:
        raise body.fault("recordId", Message("bods.text-not-empty"))
    status = body.choice("recordStatus", RECORD_STATUSES) if "recordStatus" in value else "new"
    moment = _moment(body)
    kind = body.choice("recordType", RECORD_TYPES)
    return Statement(
        record, kind, status == "closed", str(body.day("statementDate")), moment, body, body.part("recordDetails")
    )


def _moment(body: StatementPart) -> datetime:
    text = body.text("statementDate") or ""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise body.fault("statementDate", Message("bods.date-time")) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
