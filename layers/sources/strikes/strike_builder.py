"""The strikes of a file: its rows, the declared table that makes strikes of them, and what is loaded or rejected."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from layers.model.messages import Argument, InvalidValue, Message, alternatives
from layers.model.problems import MISSING, ReadResult, SourceLocation
from layers.model.records import DESCRIPTION, Strike
from layers.reference.gazetteer import Gazetteer
from layers.sources.files.source_file import SourceFile
from layers.sources.files.tables import RowTable
from layers.sources.reader.cell_values import web_address
from layers.sources.reader.format import LoadOptions
from layers.sources.reader.record_builder import RecordBuilder, edtf_date, short_digest
from layers.sources.strikes.target_extraction import targets

#: Most words of a quotation.
QUOTE_WORDS = 25
#: Longest text that a schema column takes.
_MAX_TEXT = 2000
_TEXT = Message("cell.text")


class CellProblem(InvalidValue):
    """A cell that cannot be read: its column, its value, and what was expected."""

    def __init__(self, column: str, value: Argument, expected: Message) -> None:
        super().__init__(expected)
        self.column, self.value = column, value

    def __str__(self) -> str:
        return f"{self.column} = {self.value}: expected {self.expected}"


class StrikeRow(Mapping[str, str]):
    """Cells by column name in any case, stripped; a missing column is empty."""

    def __init__(self, cells: Mapping[str, str]) -> None:
        self._cells = {name.strip().casefold(): cell.strip() for name, cell in cells.items()}

    def __getitem__(self, column: str) -> str:
        return self._cells.get(column.casefold(), "")

    def __iter__(self) -> Any:
        return iter(self._cells)

    def __len__(self) -> int:
        return len(self._cells)

    def __contains__(self, column: object) -> bool:
        return isinstance(column, str) and column.casefold() in self._cells


#: How fields of a strike follow from a row; a rule for several fields, with commas between their names, gives a dict.
#: docs/strike-sources.md says in words what each rule does.
FieldRules = Mapping[str, Callable[[StrikeRow], Any]]


def printed(column: str) -> Callable[[StrikeRow], str | None]:
    """Return the rule of a field that has the text of a column; None where it is empty."""
    return lambda row: row[column] or None


def targets_in(text: Callable[[StrikeRow], str]) -> FieldRules:
    """Return the rules of what was struck, by the words of a text."""
    return {"targets": lambda row: targets(text(row))[0], "target_kinds": lambda row: targets(text(row))[1]}


def required(row: StrikeRow, column: str, expected: Message = _TEXT) -> str:
    """Return a cell that must not be empty.

    Raises ``CellProblem`` if it is.
    """
    if not row[column]:
        raise CellProblem(column, MISSING, expected)
    return row[column][:_MAX_TEXT]


def number(row: StrikeRow, column: str, low: float, high: float) -> float:
    """Return the decimal number of a cell, between two bounds.

    Raises ``CellProblem`` if the cell holds no such number.
    """
    try:
        value = float(row[column])
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        expected = Message("cell.number-between", {"low": low, "high": high})
        raise CellProblem(column, row[column] or MISSING, expected)
    return value


def count(row: StrikeRow, column: str) -> int | None:
    """Return the integer of a cell, from 0 up; None where the cell is empty.

    Raises ``CellProblem`` if the cell holds anything else.
    """
    text = row[column].removesuffix(".0")
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 7:
        raise CellProblem(column, row[column], Message("cell.count"))
    return int(text)


def code(row: StrikeRow, column: str, known: Iterable[str]) -> str:
    """Return the code of a cell, one of those known.

    Raises ``CellProblem`` if the cell holds none of them.
    """
    text = row[column].removesuffix(".0")
    known = tuple(known)
    if text not in known:
        raise CellProblem(column, row[column] or MISSING, Message("cell.one-of", {"names": known}))
    return text


def is_set(row: StrikeRow, *columns: str) -> bool:
    """Whether any of several 0/1 columns is 1."""
    return any(row[column] in ("1", "1.0", "TRUE", "true") for column in columns)


def day(column: str, text: str, styles: Sequence[str]) -> date:
    """Parse a day in one of several styles (``strptime``); a time of day after it is left out.

    Raises ``CellProblem`` if no style fits, or it is no day of the calendar, or not in the years 1900 to 2100.
    """
    for style in styles:
        width = len(style.split())
        try:
            parsed = datetime.strptime(" ".join(text.replace("T", " ").split()[:width]), style).date()
        except ValueError:
            continue
        if 1900 <= parsed.year <= 2100:
            return parsed
    examples = alternatives([date(2022, 3, 24).strftime(style) for style in styles[:2]])
    raise CellProblem(column, text or MISSING, Message("cell.day", {"examples": examples}))


def identifier_such_as(example: str) -> Message:
    """Return what is expected of the cell with the identifier of an event."""
    return Message("strikes.identifier", {"example": example})


def interval(start: date, end: date) -> str:
    """Return two days as EDTF: the day, month or year that they span exactly, else an interval."""
    if start == end:
        return start.isoformat()
    if start.day == 1 and (end + timedelta(days=1)).day == 1:
        if (start.year, start.month) == (end.year, end.month):
            return start.strftime("%Y-%m")
        if start.year == end.year and (start.month, end.month) == (1, 12):
            return f"{start.year:04d}"
    return f"{start.isoformat()}/{end.isoformat()}"


def quote(text: str, about: str = "") -> str | None:
    """Return at most 25 words of a text, its first ones or those around a phrase; an ellipsis marks omitted words.

    None for an empty text.
    """
    words = text.split()
    first = about.split()[:1]
    match_index = next((n for n, word in enumerate(words) if first and first[0] in word), 0)
    start = max(0, match_index - QUOTE_WORDS // 3) if match_index >= QUOTE_WORDS - 5 else 0
    excerpt = " ".join(words[start : start + QUOTE_WORDS])[: _MAX_TEXT - 4]
    if not excerpt:
        return None
    return f"{'… ' if start else ''}{excerpt}{' …' if start + QUOTE_WORDS < len(words) else ''}"


@dataclass(frozen=True, slots=True)
class DatasetTerms:
    """Publisher and licence of a dataset.

    ``private`` if the licence forbids to publish its records; ``unstated`` if no licence was found, which forbids it
    too until the person who loads the file names the licence that was given to them.
    """

    format: str
    publisher: str
    title: str
    url: str
    licence: str
    language: str = "en"
    private: bool = False
    unstated: bool = False

    def is_private(self, options: LoadOptions) -> bool:
        """Whether the loaded records may not be published."""
        return self.private or (self.unstated and not options.licence)


class Report(NamedTuple):
    """A publication that a row cites; ``text`` is what it says, as far as the row has it."""

    publisher: str
    url: str | None = None
    title: str | None = None
    language: str | None = None
    published: str | None = None
    text: str | None = None


class FieldClaim(NamedTuple):
    """The value that a source states for a field; ``report`` is its position in the row, None for the dataset."""

    field: str
    value: str
    quote: str | None = None
    report: int | None = None


class StrikeBuilder:
    """Collects the strikes of one load, with their reports as sources and their claims."""

    def __init__(self, options: LoadOptions, terms: DatasetTerms) -> None:
        self.options, self.terms = options, terms
        self.records = RecordBuilder(options.dataset, private=terms.is_private(options))
        self.dataset_source = options.dataset
        self._described: dict[str, dict[str, None]] = {}

    def id_of(self, key: str) -> str:
        """Return the id of the strike of an event: ``<format>/<key>``."""
        return f"{self.terms.format}/{key.casefold()}"

    def skip(self, reason: Message) -> None:
        """Count a sound row that is not for the atlas."""
        self.records.rows += 1
        self.records.skip(reason)

    def reject(self, location: SourceLocation, key: str, faults: Sequence[CellProblem]) -> None:
        """Count a row that cannot be read, with every problem of it."""
        self.records.rows += 1
        for fault in faults:
            self.records.add_problem(location, f"strike {self.id_of(key)}", fault.column, fault.value, fault.expected)

    def values_of(
        self, rules: FieldRules, row: StrikeRow, place: SourceLocation, key: str, no_key: CellProblem | None
    ) -> dict[str, Any] | None:
        """Return the values of a row; None where it, or its ``key``, cannot be read, and the row is rejected."""
        values: dict[str, Any] = {}
        faults: list[CellProblem] = []
        for name, rule in rules.items():
            try:
                value = rule(row)
                values |= value if "," in name else {name: value}
            except CellProblem as fault:
                faults.append(fault)
        faults += [no_key] if no_key else []
        if faults:
            self.reject(place, key or "(no id)", faults)
        return None if faults else values

    def add_strike(
        self,
        location: SourceLocation,
        key: str,
        values: Mapping[str, Any],
        reports: Sequence[Report] = (),
        claims: Sequence[FieldClaim] = (),
        description: str = "",
    ) -> bool:
        """Add a strike with its sources and claims; return whether it is valid and was added.

        ``description`` is what the dataset says of the event. It and the texts of the reports become claims of the
        field ``DESCRIPTION``, which are private whatever the licence of the dataset is: the sentences are those of
        their authors, and are there for reviewers and for the search for duplicates.
        """
        self.records.rows += 1
        ids = [self._source_id(report) for report in reports]
        strike = {
            "id": self.id_of(key),
            "status": "reported",
            "checked": "unverified",
            **{name: value for name, value in values.items() if value is not None},
            "sources": tuple(dict.fromkeys([*filter(None, ids), self.dataset_source])),
        }
        if strike.get("geometry") is not None:
            strike.setdefault("place_source", self.dataset_source)
        if not self.records.add("strikes", strike, location):
            return False
        self._add_dataset_source(location)
        for report in reports:
            self._add_report(report, location)
        for number, claim in enumerate(claims, 1):
            self._add_claim(strike["id"], number, claim, ids, location)
        texts = ((report.text, source) for report, source in zip(reports, ids, strict=True))
        self._describe(strike["id"], [*texts, (description, self.dataset_source)], location)
        return True

    def has(self, key: str) -> bool:
        """Whether the strike of an event has been added."""
        return self.records.has("strikes", self.id_of(key))

    def add_reports(self, key: str, reports: Sequence[Report], location: SourceLocation) -> None:
        """Add further reports of an event whose strike has been added, as sources of that strike."""
        strike = self.records.tables["strikes"][self.id_of(key)]
        assert isinstance(strike, Strike)
        ids = [self._add_report(report, location) for report in reports]
        sources = tuple(dict.fromkeys([*filter(None, ids), *strike.sources]))
        self.records.tables["strikes"][strike.id] = strike.model_copy(update={"sources": sources})
        texts = ((report.text, source) for report, source in zip(reports, ids, strict=True))
        self._describe(strike.id, texts, location)

    def add_unreadable_rows(self, table: RowTable) -> None:
        """Add the problems of a table, after it was iterated, and count their rows."""
        self.records.add_unreadable_rows(table.problems)

    def gazetteer_source(self, gazetteer: Gazetteer, location: SourceLocation) -> str:
        """Return the id of the source for coordinates from a gazetteer, adding it if new."""
        source_id = f"{self.options.dataset}/gazetteer"
        origins = gazetteer.origins()
        names = ", ".join(name for name, *_ in origins)
        licences = ", ".join(dict.fromkeys(licence for _, licence, *_ in origins))
        values = {"id": source_id, "publisher": names, "licence": licences, "title": "Gazetteer"}
        self.records.add_new("sources", values, location)
        return source_id

    def result(self) -> ReadResult:
        """Return all records and problems."""
        return self.records.result()

    def _add_claim(
        self, strike: str, number: int, claim: FieldClaim, ids: Sequence[str | None], location: SourceLocation
    ) -> None:
        source = (ids[claim.report] if claim.report is not None else None) or self.dataset_source
        values = {
            "id": f"{strike}/claim-{number}",
            "record": strike,
            "field": claim.field,
            "value": claim.value[:_MAX_TEXT],
            "quote": claim.quote,
            "source": source,
            "checked": "excerpt" if claim.quote else "unverified",
        }
        self.records.add("claims", values, location)

    def _describe(self, strike: str, texts: Iterable[tuple[str | None, str | None]], location: SourceLocation) -> None:
        """Add a private claim for each text of an event that it has not yet, with the source of the text."""
        described = self._described.setdefault(strike, {})
        for text, source in texts:
            value = " ".join((text or "").split())[:_MAX_TEXT]
            if not value or value in described:
                continue
            described[value] = None
            values = {
                "id": f"{strike}/{DESCRIPTION}-{len(described)}",
                "private": True,
                "record": strike,
                "field": DESCRIPTION,
                "value": value,
                "source": source or self.dataset_source,
                "checked": "unverified",
            }
            self.records.add("claims", values, location)

    def _add_report(self, report: Report, location: SourceLocation) -> str | None:
        """Return the id of a report's source, adding a new one; None for a report without publisher and address."""
        source_id = self._source_id(report)
        if source_id:
            self.records.add_new("sources", self._source(source_id, report), location)
        return source_id

    def _source_id(self, report: Report) -> str | None:
        """Return the id of a report's source, one id a publication; None without publisher and address."""
        address = web_address(report.url or "")
        if not address and not report.publisher.strip():
            return None
        words = "|".join(filter(None, (report.publisher, report.published, report.title)))
        return f"{self.options.dataset}/{short_digest(address or words, 16)}"

    def _source(self, source_id: str, report: Report) -> dict[str, Any]:
        published = edtf_date(report.published)
        return {
            "id": source_id,
            "publisher": (report.publisher.strip() or "unknown")[:_MAX_TEXT],
            "url": web_address(report.url or ""),
            "title": (report.title or "").strip()[:_MAX_TEXT] or None,
            "language": report.language,
            "published": published.text if published else None,
            "licence": None,
        }

    def _add_dataset_source(self, location: SourceLocation) -> None:
        terms = self.terms
        values = {
            "id": self.dataset_source,
            "publisher": terms.publisher,
            "title": terms.title,
            "url": terms.url,
            "language": terms.language,
            "licence": self.options.licence or terms.licence,
            "retrieved": self.options.retrieved,
        }
        self.records.add_new("sources", values, location)


def target_claims(values: Mapping[str, Any], text: str) -> list[FieldClaim]:
    """Return the claim of the first target, with the words of the text around it."""
    return [FieldClaim("targets", phrase, quote(text, phrase)) for phrase in values["targets"][:1]]


def read_rows(
    files: Sequence[SourceFile],
    options: LoadOptions,
    terms: DatasetTerms,
    row_reader: Callable[[StrikeRow, SourceLocation, StrikeBuilder], None],
) -> ReadResult:
    """Read the rows of tables one by one: ``row_reader`` adds, skips or rejects the strike of a row."""
    builder = StrikeBuilder(options, terms)
    for file in files:
        table = file.table()
        for number, cells in table:
            row_reader(StrikeRow(cells), SourceLocation(table.file, number), builder)
        builder.add_unreadable_rows(table)
    return builder.result()
