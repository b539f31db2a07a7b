"""Collects the strikes of a file: each row is loaded, skipped with a reason, or rejected with every problem."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from layers.model import edtf
from layers.model.messages import Message
from layers.model.problems import ReadResult, SourceLocation
from layers.model.records import DESCRIPTION, Strike
from layers.reference.gazetteer import Gazetteer
from layers.sources.files.source_file import SourceFile
from layers.sources.files.tables import RowTable
from layers.sources.reader.cell_values import web_address
from layers.sources.reader.format import LoadOptions
from layers.sources.reader.record_builder import RecordBuilder, short_digest
from layers.sources.strikes.field_mapping import CellProblem, StrikeRow
from layers.sources.strikes.location_precision import CodedPrecision

_MAX_TEXT = 2000


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
        self._has_dataset_source = False
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
        self._describe(strike["id"], [*_texts(reports, ids), (description, self.dataset_source)], location)
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
        self._describe(strike.id, _texts(reports, ids), location)

    def add_unreadable_rows(self, table: RowTable) -> None:
        """Add the problems of a table, after it was iterated, and count their rows."""
        self.records.add_unreadable_rows(table.problems)

    def gazetteer_source(self, gazetteer: Gazetteer, location: SourceLocation) -> str:
        """Return the id of the source for coordinates from a gazetteer, adding it if new."""
        source_id = f"{self.options.dataset}/gazetteer"
        if not self.records.has("sources", source_id):
            origins = gazetteer.origins()
            names = ", ".join(name for name, *_ in origins)
            licences = ", ".join(dict.fromkeys(licence for _, licence, *_ in origins))
            self.records.add(
                "sources", {"id": source_id, "publisher": names, "licence": licences, "title": "Gazetteer"}, location
            )
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
        if source_id and not self.records.has("sources", source_id):
            self.records.add("sources", self._source(source_id, report), location)
        return source_id

    def _source_id(self, report: Report) -> str | None:
        """Return the id of a report's source, one id a publication; None without publisher and address."""
        identity = web_address(report.url or "") or "|".join(
            filter(None, (report.publisher, report.published, report.title))
        )
        if not web_address(report.url or "") and not report.publisher.strip():
            return None
        return f"{self.options.dataset}/{short_digest(identity, 16)}"

    def _source(self, source_id: str, report: Report) -> dict[str, Any]:
        title = (report.title or "").strip()[:_MAX_TEXT]
        return {
            "id": source_id,
            "publisher": (report.publisher.strip() or "unknown")[:_MAX_TEXT],
            "url": web_address(report.url or ""),
            "title": title or None,
            "language": report.language,
            "published": _edtf(report.published),
            "licence": None,
        }

    def _add_dataset_source(self, location: SourceLocation) -> None:
        if self._has_dataset_source:
            return
        self._has_dataset_source = True
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
        self.records.add("sources", values, location)


def _texts(reports: Sequence[Report], ids: Sequence[str | None]) -> Iterator[tuple[str | None, str | None]]:
    """Yield the text of each report with the id of its source."""
    yield from ((report.text, source) for report, source in zip(reports, ids, strict=True))


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


def location_columns(point: Any, precision: CodedPrecision | None) -> dict[str, Any]:
    """Return the location columns of a strike; empty without a point or a precision."""
    if point is None or precision is None:
        return {}
    return {"geometry": point, "uncertainty_m": precision.uncertainty_m, "basis": precision.basis}


def _edtf(text: str | None) -> str | None:
    try:
        return edtf.parse(text).text if text else None
    except edtf.EdtfError:
        return None
