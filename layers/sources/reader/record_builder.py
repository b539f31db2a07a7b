"""Collects what a reader reads: validated records, counts of rows read and skipped, and every problem by row."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from anyascii import anyascii

from layers.model import edtf
from layers.model.messages import Message
from layers.model.problems import Problem, ReadResult, SourceLocation, shown_value, validated
from layers.model.records import RECORD_TYPES, Entity, Record, Records, Stake
from layers.sources.files.limits import require_few_problems

_NOTE_LENGTH = 2000


class RecordBuilder:
    """Collects the records and problems of one read.

    Every record is of ``dataset``, and private if the licence forbids to publish the files. ``rows`` is counted by the
    reader: one for each row, feature or event.
    """

    def __init__(self, dataset: str, *, private: bool = False) -> None:
        self.dataset = dataset
        self.rows = 0
        self.tables: dict[str, dict[str, Record]] = {name: {} for name in RECORD_TYPES}
        self._private = private
        self._common: dict[str, Any] = {"dataset": dataset, **({"private": True} if private else {})}
        self._locations: dict[tuple[str, str], SourceLocation] = {}
        self._problems: list[Problem] = []
        self._skipped: Counter[Message] = Counter()
        self._warnings: Counter[Message] = Counter()
        self._notes: dict[str, list[str]] = {}
        self._required_entities: dict[str, SourceLocation] = {}

    @property
    def problem_count(self) -> int:
        """Number of problems so far."""
        return len(self._problems)

    def has(self, table: str, key: str) -> bool:
        """Whether a record of that id has been added."""
        return (table, key) in self._locations

    def add(
        self,
        table: str,
        values: Mapping[str, Any],
        location: SourceLocation,
        columns: Mapping[str, str] = MappingProxyType({}),
        unread: Collection[str] = (),
    ) -> bool:
        """Add a record if it is valid and its id is free, else its problems; return whether it was added.

        ``table``: table of the record. ``values``: its columns; ``dataset`` and ``private`` may be absent.
        ``location``: where in a file it stands. ``columns``: names of its columns in that file, for the problems.
        ``unread``: columns whose problems have been added already. Such a record is never added; it is validated only
        for the problems of its other columns.
        """
        model = RECORD_TYPES[table]
        name = f"{model.__name__.lower()} {values.get('id')}"
        earlier = self._locations.get((table, str(values.get("id"))))
        if earlier is not None:
            self.add_problem(location, name, columns.get("id", "id"), values["id"], unused_id(earlier))
        problems: list[Problem] = []
        record = validated(model, {**self._common, **values}, location, problems)
        self.add_problems(_as_in_file(problem, columns) for problem in problems if not _is_consequence(problem, unread))
        if record is None or unread or earlier is not None:
            return False
        self.tables[table][record.id] = record
        self._locations[table, record.id] = location
        return True

    def add_new(self, table: str, values: Mapping[str, Any], location: SourceLocation) -> None:
        """Add a record, unless one of its id has been added."""
        if not self.has(table, str(values["id"])):
            self.add(table, values, location)

    def add_problem(self, location: SourceLocation, record: str, column: str, value: object, expected: Message) -> None:
        """Add the problem of one cell or row."""
        require_few_problems(location.file, self._problems)
        self._problems.append(Problem(location.file, location.row, record, column, shown_value(value), expected))

    def add_problems(self, problems: Iterable[Problem]) -> None:
        """Add problems that were found elsewhere, such as those of a table."""
        for problem in problems:
            require_few_problems(problem.file, self._problems)
            self._problems.append(problem)

    def add_unreadable_rows(self, problems: Iterable[Problem]) -> None:
        """Add the problems of rows that a table or feature collection could not give, and count these rows."""
        listed = tuple(problems)
        self.rows += len({problem.row for problem in listed})
        self.add_problems(listed)

    def skip(self, reason: Message) -> None:
        """Count a sound row that is not for the atlas, under the reason for skipping it."""
        self._skipped[reason] += 1

    def warn(self, doubt: Message) -> None:
        """Count a record that was read and can hardly be right, under the reason for the doubt."""
        self._warnings[doubt] += 1

    def note(self, entity: str, text: str) -> None:
        """Append a sentence to the note of an entity, which may be added later."""
        self._notes.setdefault(entity, []).append(text)

    def require_entity(self, entity: str, location: SourceLocation) -> None:
        """Note that an entity is referred to at a location; see ``add_missing_entities``."""
        self._required_entities.setdefault(entity, location)

    def add_missing_entities(self, values_of: Callable[[str], Mapping[str, Any]]) -> None:
        """Add an entity for each that is required and not there, so that no reference dangles.

        ``values_of`` gives its columns by its id. It stands at the first location that requires it.
        """
        for key, location in self._required_entities.items():
            if key not in self.tables["entities"]:
                self.add("entities", {"id": key, "checked": "unverified", **values_of(key)}, location)

    def stakes(self) -> list[Stake]:
        """All stakes added so far."""
        return [stake for stake in self.tables["stakes"].values() if isinstance(stake, Stake)]

    def result(self) -> ReadResult:
        """Return all records and problems, with the notes of ``note`` appended to their entities."""
        entities = self.tables["entities"]
        for name, texts in self._notes.items():
            entity = entities.get(name)
            if isinstance(entity, Entity):
                parts = (*((entity.note,) if entity.note else ()), *dict.fromkeys(texts))
                entities[name] = entity.model_copy(update={"note": " ".join(parts)[:_NOTE_LENGTH]})
        records = Records.of(self.tables)
        skipped, warnings = dict(self._skipped), dict(self._warnings)
        locations, problems = dict(self._locations), tuple(self._problems)
        return ReadResult(records, locations, problems, self.rows, skipped, self._private, warnings)


def _as_in_file(problem: Problem, columns: Mapping[str, str]) -> Problem:
    """Return the problem with the file's name of its column."""
    root, dot, rest = problem.column.partition(".")
    file_column = columns.get(problem.column) or (f"{columns[root]}{dot}{rest}" if root in columns else problem.column)
    return replace(problem, column=file_column)


def _is_consequence(problem: Problem, unread: Collection[str]) -> bool:
    """Whether a problem may be there only because some columns could not be read."""
    return bool(unread) and problem.column.partition(".")[0] in {"record", *unread}


def unknown_end(since: str | None, known: str | None) -> str:
    """Return an EDTF interval for ``until`` where an end is known only to have come by the day ``known``.

    The interval runs from the start of ``since``, or from the year 1 where that is missing or later, to ``known``. It
    is open where ``known`` is no day.
    """
    end = edtf_date(known)
    if end is None or end.latest is None:
        return "0001-01-01/.."
    begin = edtf_date(since)
    if begin is None or begin.earliest is None or begin.earliest > end.latest:
        return f"0001-01-01/{known}"
    return f"{begin.earliest.isoformat()}/{known}"


def edtf_date(text: str | None) -> edtf.EdtfDate | None:
    """Return the date of a text in EDTF; None where there is none."""
    try:
        return edtf.parse(text) if text else None
    except edtf.EdtfError:
        return None


def concatenate_results(results: Sequence[ReadResult]) -> ReadResult:
    """Join the results of several files into one.

    Of entities and sources with one id the first stays, as many files name the same one; a second asset or strike of
    one id is a problem. Rows and skipped rows are added up.
    """
    tables: dict[str, dict[str, Record]] = {name: {} for name in RECORD_TYPES}
    locations: dict[tuple[str, str], SourceLocation] = {}
    problems: list[Problem] = []
    skipped: Counter[Message] = Counter()
    warnings: Counter[Message] = Counter()
    for result in results:
        problems += result.problems
        skipped.update(result.skipped)
        warnings.update(result.warnings)
        for name, table in tables.items():
            for key, record in result.records.table(name).items():
                if table.setdefault(key, record) is not record and name in ("assets", "strikes"):
                    problems.append(
                        _duplicate_id(name, record, result.locations.get((name, key)), locations.get((name, key)))
                    )
        for record_key, location in result.locations.items():
            locations.setdefault(record_key, location)
    rows = sum(result.rows for result in results)
    private = any(result.private for result in results)
    return ReadResult(Records.of(tables), locations, tuple(problems), rows, dict(skipped), private, dict(warnings))


def _duplicate_id(table: str, record: Record, here: SourceLocation | None, before: SourceLocation | None) -> Problem:
    name = f"{RECORD_TYPES[table].__name__.lower()} {record.id}"
    file, row = (here.file, here.row) if here else ("", None)
    return Problem(file, row, name, "id", record.id, unused_id(before))


def unused_id(before: SourceLocation | None) -> Message:
    """Return what is expected of an id that an earlier record has, whose location may not be known."""
    if before is None:
        return Message("cell.unused-id-of-files")
    return Message("cell.unused-id", {"place": f"{before.file}:{before.row}"})


# With the longest id of an asset it makes a stake's id of at most 160 letters.
_SLUG_LENGTH = 50


def slug(text: str) -> str:
    """Return a text as small Latin letters, digits and hyphens; empty where it has no letter or digit."""
    return re.sub(r"[^a-z0-9]+", "-", anyascii(text).lower()).strip("-")


def short_digest(text: str, length: int = 8) -> str:
    """Return the first hexadecimal digits of the SHA-256 of a text (UTF-8), for ids."""
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def company_id(source: str, name: str) -> str:
    """Return the id of an entity that a source knows by name only: ``source/name/<slug>``.

    Names of plain letters, digits and single spaces are told apart by their slug alone, so that case does not
    matter. All others carry eight digits of the SHA-256 of the name, as different names may share a slug.
    """
    if re.fullmatch(r"[A-Za-z0-9]+(?: [A-Za-z0-9]+)*", name) and len(name) <= _SLUG_LENGTH:
        return f"{source}/name/{slug(name)}"
    digits = short_digest(name)
    return "/".join((source, "name", "-".join(part for part in (slug(name)[:_SLUG_LENGTH].strip("-"), digits) if part)))


def stake_suffix(entity: str) -> str:
    """Return the end of an entity's id, at most 60 letters, for ids of the stakes and relations it holds."""
    return entity.removeprefix("wikidata-").rpartition("/")[2][:60]


class CompaniesByName:
    """Adds entities known by name, each once, with their stakes and operator relations."""

    def __init__(self, builder: RecordBuilder, prefix: str, source: str, publisher: str) -> None:
        self._builder, self._prefix, self._source, self._publisher = builder, prefix, source, publisher

    def entity(self, name: str, location: SourceLocation, wikidata: str = "") -> str:
        """Return the id of the entity of a name, adding it if new; a Wikidata item, where given, makes the id."""
        item = wikidata.strip().upper()
        has_item = bool(re.fullmatch(r"Q[1-9][0-9]*", item))
        key = f"wikidata-{item.lower()}" if has_item else company_id(self._prefix, name)
        values = {
            "id": key,
            "name": name,
            "type": "legalEntity",
            "external_ids": {"wikidata": item} if has_item else {},
            "sources": (self._source,),
            "checked": "unverified",
        }
        self._builder.add_new("entities", values, location)
        return key

    def stake(
        self,
        owned: str,
        owner: str,
        location: SourceLocation,
        share: tuple[float, float] | None = None,
        note: str | None = None,
    ) -> None:
        """Add a stake of so many percent, from 0 to 100 where the share is not known; the first of its id counts."""
        values: dict[str, Any] = {
            "id": f"{owned}>{stake_suffix(owner)}",
            "owned": owned,
            "owner": owner,
            "share_min": share[0] if share else 0.0,
            "share_max": share[1] if share else 100.0,
            "source": self._source,
            "checked": "unverified",
            "note": note if share else f"{self._publisher} names the owner and gives no share",
        }
        self._builder.add_new("stakes", values, location)

    def operator(self, asset: str, operator: str, location: SourceLocation) -> None:
        """Add the relation of a company that runs an asset, which is no stake."""
        values: dict[str, Any] = {
            "id": f"{asset}@operator/{stake_suffix(operator)}",
            "asset": asset,
            "entity": operator,
            "relation": "operator",
            "source": self._source,
            "checked": "unverified",
        }
        self._builder.add_new("relations", values, location)
