"""Strikes for tests, with what they need only."""

from __future__ import annotations

from typing import Any

import shapely

from layers.model.records import Claim, Decision, Entity, Identity, Record, Records, Relation, Source, Strike

TABLES: dict[type[Record], str] = {
    Strike: "strikes",
    Claim: "claims",
    Decision: "decisions",
    Entity: "entities",
    Identity: "identities",
    Relation: "relations",
    Source: "sources",
}


def strike(name: str, day: str = "2025-08-08", at: tuple[float, float] | None = (30.7, 46.5), **values: Any) -> Strike:
    """A strike at lon, lat, sure to 5 km; at no place with ``at=None``."""
    placed: dict[str, Any] = {}
    if at is not None:
        placed = {"geometry": shapely.Point(at), "uncertainty_m": 5_000.0, "basis": "settlement", "place_source": "s"}
    told = {
        **placed,
        "id": name,
        "dataset": name[0],
        "title": "A strike",
        "when": day,
        "place": "Odesa",
        "status": "reported",
        "sources": ("s",),
        "checked": "unverified",
    }
    return Strike(**{**told, **values})


def judged(one: str, other: str, verdict: str = "same", number: int = 0) -> Identity:
    """A judgement."""
    told = {"id": f"{one[:40]}@{other[:40]}/{number}", "one": one, "other": other, "verdict": verdict}
    return Identity.model_validate({**told, "who": "t", "when": "2026-01-01", "why": "test"})


def records(*held: Record) -> Records:
    """Records with a source ``s`` and those given, in their order."""
    tables: dict[str, dict[str, Record]] = {}
    for record in (Source(id="s", publisher="S"), *held):
        tables.setdefault(TABLES[type(record)], {})[record.id] = record
    return Records.of(tables)
