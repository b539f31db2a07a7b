"""Builders of strikes with required fields only, and of judgements about them."""

from __future__ import annotations

from typing import Any

import shapely

from layers.model.records import (
    Asset,
    Claim,
    Decision,
    Entity,
    Identity,
    Record,
    Records,
    Relation,
    Source,
    Stake,
    Strike,
)

TABLES: dict[type[Record], str] = {
    Asset: "assets",
    Stake: "stakes",
    Strike: "strikes",
    Claim: "claims",
    Decision: "decisions",
    Entity: "entities",
    Identity: "identities",
    Relation: "relations",
    Source: "sources",
}


def strike(name: str, day: str = "2025-08-08", at: tuple[float, float] | None = (30.7, 46.5), **values: Any) -> Strike:
    """A strike at lon/lat degrees with an uncertainty of 5 km; without geometry where ``at`` is None."""
    location: dict[str, Any] = {}
    if at is not None:
        location = {"geometry": shapely.Point(at), "uncertainty_m": 5_000.0, "basis": "settlement", "place_source": "s"}
    defaults = {
        **location,
        "id": name,
        "dataset": name[0],
        "title": "A strike",
        "when": day,
        "place": "Odesa",
        "status": "reported",
        "sources": ("s",),
        "checked": "unverified",
    }
    return Strike(**{**defaults, **values})


def judged(first: str, second: str, verdict: str = "same", number: int = 0) -> Identity:
    """A judgement about two strikes."""
    defaults = {"id": f"{first[:40]}@{second[:40]}/{number}", "one": first, "other": second, "verdict": verdict}
    return Identity.model_validate({**defaults, "who": "t", "when": "2026-01-01", "why": "test"})


def records(*given: Record) -> Records:
    """Records of a source ``s`` and the given records, in their order."""
    tables: dict[str, dict[str, Record]] = {}
    for record in (Source(id="s", publisher="S"), *given):
        tables.setdefault(TABLES[type(record)], {})[record.id] = record
    return Records.of(tables)
