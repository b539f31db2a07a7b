"""Control as plain values: who surely controlled something, on which days, and the steps down to it."""

from __future__ import annotations

from typing import Any

from api.serializers.shares import interval
from layers.ownership.control import Controller, Hold, Span
from layers.snapshot.snapshot import Snapshot

Json = dict[str, Any]


def control(snapshot: Snapshot, spans: tuple[Span, ...]) -> Json:
    """Who surely controls an asset or entity on all of the days, and on which of them who does."""
    days = [
        {"first": span.first, "last": span.last, "control": _controller(snapshot, span.controller)} for span in spans
    ]
    return {"control": days[0]["control"] if len(days) == 1 else None, "control_days": days}


def _controller(snapshot: Snapshot, found: Controller | None) -> Json | None:
    if found is None:
        return None
    name = snapshot.records.entities[found.entity].name
    steps = [_hold(snapshot, hold) for hold in found.holds]
    return {"entity": found.entity, "name": name, "country": found.country, "reach": found.reach, "steps": steps}


def _hold(snapshot: Snapshot, hold: Hold) -> Json:
    records = snapshot.records
    return {
        "controlled": hold.controlled,
        "name": (records.assets.get(hold.controlled) or records.entities[hold.controlled]).name,
        "holders": [{"entity": name, "name": records.entities[name].name} for name in hold.holders],
        **interval(hold.share),
        "declared": [control.kind for control in hold.declared],
        "sources": sorted({*(stake.source for stake in hold.stakes), *(c.source for c in hold.declared)}),
    }
