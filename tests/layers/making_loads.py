"""Records, readings and loads for tests of what a load does."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from layers.ingest.load_plan import Arrival, Change, arrive, changes
from layers.model.problems import Problem
from layers.model.read_result import Place, Reading
from layers.model.records import NOUNS, Asset, Decision, Entity, Identity, Record, Records, Source, Stake, Strike

TABLE_OF = {noun: table for table, noun in NOUNS.items()}


def of(*held: Record) -> Records:
    tables: dict[str, dict[str, Record]] = {}
    for record in held:
        tables.setdefault(TABLE_OF[type(record)], {})[record.id] = record
    return Records.of(tables)


def read(*held: Record, problems: Iterable[Problem] = ()) -> Reading:
    """A reading in which each record stands in a row of its own."""
    places = {(TABLE_OF[type(record)], record.id): Place("file.csv", row) for row, record in enumerate(held, 2)}
    return Reading(of(*held), places, tuple(problems), len(held))


def source(name: str, dataset: str, /, **values: Any) -> Source:
    return Source(**{"id": name, "dataset": dataset, "publisher": f"Publisher of {dataset}", **values})


def entity(name: str, dataset: str, /, **values: Any) -> Entity:
    told = {"name": name.upper(), "type": "registeredEntity", "checked": "unverified", "sources": (f"{dataset}/s",)}
    return Entity(**{"id": name, "dataset": dataset, **told, **values})


def asset(name: str, dataset: str, /, **values: Any) -> Asset:
    told = {"name": name, "kind": "refinery", "checked": "unverified", "sources": (f"{dataset}/s",)}
    return Asset(**{"id": name, "dataset": dataset, **told, **values})


def stake(owned: str, owner: str, dataset: str, share: float = 100, /, **values: Any) -> Stake:
    told = {"share_min": share, "share_max": share, "source": f"{dataset}/s", "checked": "unverified"}
    name = values.pop("id", f"{dataset}/{owned}>{owner}")
    return Stake(**{"id": name, "dataset": dataset, "owned": owned, "owner": owner, **told, **values})


def strike(name: str, dataset: str, /, **values: Any) -> Strike:
    told = {"title": "A strike", "when": "2025-08-08", "place": "Vyshneva", "status": "reported"}
    return Strike(
        **{"id": name, "dataset": dataset, **told, "sources": (f"{dataset}/s",), "checked": "unverified", **values}
    )


def decision(strike: str, dataset: str, /, **values: Any) -> Decision:
    told = {"verdict": "unsure", "who": "Ann", "when": "2025-08-09", "why": "Too little is known."}
    return Decision(**{"id": f"{strike}/1", "dataset": dataset, "strike": strike, **told, **values})


def judged(one: str, other: str, verdict: str) -> Identity:
    told = {"who": "Ann", "when": "2025-08-09", "why": "Seen.", "dataset": "judgements"}
    return Identity.model_validate(
        {"id": f"{one}@{other}/{verdict}", "one": one, "other": other, "verdict": verdict} | told
    )


def after(stored: Records, arrival: Arrival) -> Records:
    """What a store holds after it: the datasets of the arrival replaced, the others as they were."""
    datasets = {record.dataset for name in NOUNS for record in arrival.records.table(name).values()}
    tables = {}
    for name in NOUNS:
        kept = {key: record for key, record in stored.table(name).items() if record.dataset not in datasets}
        tables[name] = {**kept, **arrival.records.table(name)}
    return Records.of(tables)


def load(stored: Records, *held: Record, dataset: str = "d", **how: Any) -> tuple[Arrival, Records]:
    arrival = arrive(stored, read(*held), dataset, **how)
    return arrival, after(stored, arrival)


def what_changes(stored: Records, arrival: Arrival) -> dict[str, Change]:
    """The tables in which anything is added, changed or removed."""
    done = changes(stored, arrival)
    return {name: change for name, change in done.items() if change.added or change.changed or change.removed}
