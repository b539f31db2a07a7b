"""Gathers the strikes of a file: each row ends as loaded, skipped with a reason, or rejected with every fault named."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, NamedTuple

from layers.model import edtf
from layers.model.read_result import Place, Reading
from layers.model.records import Strike
from layers.reference.gazetteer import Gazetteer
from layers.sources.files.source_file import SourceFile
from layers.sources.files.tables import RowTable
from layers.sources.reader.format import Request
from layers.sources.reader.record_builder import Gathered
from layers.sources.reader.urls import url_of
from layers.sources.strikes.field_mapping import Faulty, Row
from layers.sources.strikes.location_precision import Precision

_LONGEST = 2000


@dataclass(frozen=True, slots=True)
class Terms:
    """Who publishes a dataset and under what licence.

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

    def is_private(self, request: Request) -> bool:
        """Whether what is loaded stays in the store."""
        return self.private or (self.unstated and not request.licence)


class Report(NamedTuple):
    """A publication that a row rests on."""

    publisher: str
    url: str | None = None
    title: str | None = None
    language: str | None = None
    published: str | None = None


class Said(NamedTuple):
    """One source's value for a field: of a report by its number in the row, or of the dataset (None)."""

    field: str
    value: str
    quote: str | None = None
    report: int | None = None


class StrikeLoad:
    """A reading of strikes in the making."""

    def __init__(self, request: Request, terms: Terms) -> None:
        self.request, self.terms = request, terms
        self.found = Gathered(request.dataset, private=terms.is_private(request))
        self.dataset_source = request.dataset
        self._has_dataset_source = False

    def id_of(self, key: str) -> str:
        """Identifier of the strike that an event of the format is."""
        return f"{self.terms.format}/{key.casefold()}"

    def skip(self, reason: str) -> None:
        """Count a sound row that is not for the atlas."""
        self.found.rows += 1
        self.found.skip(reason)

    def reject(self, place: Place, key: str, faults: Sequence[Faulty]) -> None:
        """Count a row that cannot be read, with every fault of it."""
        self.found.rows += 1
        for fault in faults:
            self.found.fault(place, f"strike {self.id_of(key)}", fault.column, fault.value, fault.expected)

    def strike(
        self,
        place: Place,
        key: str,
        values: Mapping[str, Any],
        reports: Sequence[Report] = (),
        said: Sequence[Said] = (),
    ) -> bool:
        """Keep a strike with its sources and claims; whether it could be kept."""
        self.found.rows += 1
        ids = [self._id(report) for report in reports]
        strike = {
            "id": self.id_of(key),
            "status": "reported",
            "checked": "unverified",
            **{name: value for name, value in values.items() if value is not None},
            "sources": tuple(dict.fromkeys([*filter(None, ids), self.dataset_source])),
        }
        if strike.get("geometry") is not None:
            strike.setdefault("place_source", self.dataset_source)
        if not self.found.add("strikes", strike, place):
            return False
        self._keep_dataset_source(place)
        for report in reports:
            self._kept(report, place)
        for number, claim in enumerate(said, 1):
            self._claim(strike["id"], number, claim, ids, place)
        return True

    def has(self, key: str) -> bool:
        """Whether the strike of an event was kept before."""
        return self.found.has("strikes", self.id_of(key))

    def join(self, key: str, reports: Sequence[Report], place: Place) -> None:
        """Add further reports of an event that was kept before, as sources of its strike."""
        strike = self.found.tables["strikes"][self.id_of(key)]
        assert isinstance(strike, Strike)
        ids = [self._kept(report, place) for report in reports]
        sources = tuple(dict.fromkeys([*filter(None, ids), *strike.sources]))
        self.found.tables["strikes"][strike.id] = strike.model_copy(update={"sources": sources})

    def bad_rows(self, table: RowTable) -> None:
        """Count the rows of a table that were no rows, after it was iterated."""
        self.found.bad_rows(table.problems)

    def gazetteer_source(self, gazetteer: Gazetteer, place: Place) -> str:
        """The source of a coordinate that a gazetteer gave."""
        one = f"{self.request.dataset}/gazetteer"
        if not self.found.has("sources", one):
            origins = gazetteer.origins()
            names = ", ".join(name for name, *_ in origins)
            licences = ", ".join(dict.fromkeys(licence for _, licence, *_ in origins))
            self.found.add("sources", {"id": one, "publisher": names, "licence": licences, "title": "Gazetteer"}, place)
        return one

    def reading(self) -> Reading:
        """Everything that was gathered."""
        return self.found.reading()

    def _claim(self, strike: str, number: int, said: Said, ids: Sequence[str | None], place: Place) -> None:
        source = (ids[said.report] if said.report is not None else None) or self.dataset_source
        values = {
            "id": f"{strike}/claim-{number}",
            "record": strike,
            "field": said.field,
            "value": said.value[:_LONGEST],
            "quote": said.quote,
            "source": source,
            "checked": "excerpt" if said.quote else "unverified",
        }
        self.found.add("claims", values, place)

    def _kept(self, report: Report, place: Place) -> str | None:
        """The id of a report, whose source is kept once."""
        one = self._id(report)
        if one and not self.found.has("sources", one):
            self.found.add("sources", self._source(one, report), place)
        return one

    def _id(self, report: Report) -> str | None:
        """The same publication has the same id within a load; None where nothing tells it apart."""
        told = url_of(report.url or "") or "|".join(filter(None, (report.publisher, report.published, report.title)))
        if not url_of(report.url or "") and not report.publisher.strip():
            return None
        return f"{self.request.dataset}/{sha256(told.encode()).hexdigest()[:16]}"

    def _source(self, one: str, report: Report) -> dict[str, Any]:
        title = (report.title or "").strip()[:_LONGEST]
        return {
            "id": one,
            "publisher": (report.publisher.strip() or "unknown")[:_LONGEST],
            "url": url_of(report.url or ""),
            "title": title or None,
            "language": report.language,
            "published": _edtf(report.published),
            "licence": None,
        }

    def _keep_dataset_source(self, place: Place) -> None:
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
            "licence": self.request.licence or terms.licence,
            "retrieved": self.request.retrieved,
        }
        self.found.add("sources", values, place)


def read_rows(
    files: Sequence[SourceFile], request: Request, terms: Terms, read_row: Callable[[Row, Place, StrikeLoad], None]
) -> Reading:
    """Read the rows of tables, each by itself, as ``read_row`` says."""
    load = StrikeLoad(request, terms)
    for file in files:
        table = file.table()
        for number, cells in table:
            read_row(Row(cells), Place(table.file, number), load)
        load.bad_rows(table)
    return load.reading()


def located(point: Any, precision: Precision | None) -> dict[str, Any]:
    """The columns of a strike that say where it is."""
    if point is None or precision is None:
        return {}
    return {"geometry": point, "uncertainty_m": precision.uncertainty_m, "basis": precision.basis}


def _edtf(text: str | None) -> str | None:
    try:
        return edtf.parse(text).text if text else None
    except edtf.WhenError:
        return None
