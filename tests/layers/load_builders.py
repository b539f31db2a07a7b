"""Builders of records, read results and load plans."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

from api.settings import gazetteer_path
from layers.ingest.doubtful_points import with_doubts
from layers.ingest.load_plan import LoadPlan, TableChange, plan_load, planned_changes
from layers.model.problems import Problem, ReadResult, SourceLocation
from layers.model.records import RECORD_TYPES, Asset, Decision, Entity, Identity, Record, Records, Source, Stake, Strike
from layers.reference.basemap import Basemap
from layers.reference.gazetteer import Gazetteer
from layers.sources.files.source_file import SourceFile
from layers.sources.reader.format import LoadOptions
from layers.sources.registry import FORMATS

TABLE_OF = {noun: table for table, noun in RECORD_TYPES.items()}


def of(*given: Record) -> Records:
    tables: dict[str, dict[str, Record]] = {}
    for record in given:
        tables.setdefault(TABLE_OF[type(record)], {})[record.id] = record
    return Records.of(tables)


def read(*given: Record, problems: Iterable[Problem] = ()) -> ReadResult:
    """A read result in which each record has a row of its own."""
    locations = {
        (TABLE_OF[type(record)], record.id): SourceLocation("file.csv", row) for row, record in enumerate(given, 2)
    }
    return ReadResult(of(*given), locations, tuple(problems), len(given))


def source(name: str, dataset: str, /, **values: Any) -> Source:
    return Source(**{"id": name, "dataset": dataset, "publisher": f"Publisher of {dataset}", **values})


def entity(name: str, dataset: str, /, **values: Any) -> Entity:
    defaults = {"name": name.upper(), "type": "registeredEntity", "checked": "unverified", "sources": (f"{dataset}/s",)}
    return Entity(**{"id": name, "dataset": dataset, **defaults, **values})


def asset(name: str, dataset: str, /, **values: Any) -> Asset:
    defaults = {"name": name, "kind": "refinery", "checked": "unverified", "sources": (f"{dataset}/s",)}
    return Asset(**{"id": name, "dataset": dataset, **defaults, **values})


def stake(owned: str, owner: str, dataset: str, share: float = 100, /, **values: Any) -> Stake:
    defaults = {"share_min": share, "share_max": share, "source": f"{dataset}/s", "checked": "unverified"}
    name = values.pop("id", f"{dataset}/{owned}>{owner}")
    return Stake(**{"id": name, "dataset": dataset, "owned": owned, "owner": owner, **defaults, **values})


def strike(name: str, dataset: str, /, **values: Any) -> Strike:
    defaults = {"title": "A strike", "when": "2025-08-08", "place": "Vyshneva", "status": "reported"}
    return Strike(
        **{"id": name, "dataset": dataset, **defaults, "sources": (f"{dataset}/s",), "checked": "unverified", **values}
    )


def decision(strike: str, dataset: str, /, **values: Any) -> Decision:
    defaults = {"verdict": "unsure", "who": "Ann", "when": "2025-08-09", "why": "Too little is known."}
    return Decision(**{"id": f"{strike}/1", "dataset": dataset, "strike": strike, **defaults, **values})


def judged(first: str, second: str, verdict: str) -> Identity:
    defaults = {"who": "Ann", "when": "2025-08-09", "why": "Seen.", "dataset": "judgements"}
    return Identity.model_validate(
        {"id": f"{first}@{second}/{verdict}", "one": first, "other": second, "verdict": verdict} | defaults
    )


def after(stored: Records, arrival: LoadPlan) -> Records:
    """Records of a store after a load: datasets of the plan are replaced, other datasets stay."""
    datasets = {record.dataset for name in RECORD_TYPES for record in arrival.records.table(name).values()}
    tables = {}
    for name in RECORD_TYPES:
        remaining = {key: record for key, record in stored.table(name).items() if record.dataset not in datasets}
        tables[name] = {**remaining, **arrival.records.table(name)}
    return Records.of(tables)


def load(stored: Records, *given: Record, dataset: str = "d", **options: Any) -> tuple[LoadPlan, Records]:
    arrival = plan_load(stored, read(*given), dataset, **options)
    return arrival, after(stored, arrival)


def load_files(stored: Records, base: Basemap, name: str, *paths: Path, dataset: str) -> Records:
    """Records of a store after a load of files of a format, by the gazetteer of the set-up if it is there."""
    gazetteer = Gazetteer.open(gazetteer_path()) if gazetteer_path().exists() else None
    form, options = FORMATS[name], LoadOptions(dataset, gazetteer=gazetteer)
    reading = with_doubts(
        form.read(SourceFile.all_of(paths), options), base, gazetteer, form.theatre, today=date.today()
    )
    return after(stored, plan_load(stored, reading, dataset))


def table_changes(stored: Records, arrival: LoadPlan) -> dict[str, TableChange]:
    """Changes of the tables in which a record is added, changed or removed."""
    changes = planned_changes(stored, arrival)
    return {name: change for name, change in changes.items() if change.added or change.changed or change.removed}
