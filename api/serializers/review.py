"""What reviewers are told, as plain values for JSON."""

from __future__ import annotations

from typing import Any

import orjson
import shapely

from api.serializers import attribution
from layers.attribution.attribute import Answer
from layers.attribution.review_queue import Pending
from layers.model.records import Match
from layers.snapshot.snapshot import Snapshot

Json = dict[str, Any]

#: Candidates of one strike that a reviewer is shown.
SHOWN = 20


def pending(snapshot: Snapshot, one: Pending) -> Json:
    """A row of the queue."""
    strike = snapshot.records.strikes[one.strike]
    best = next((match for match in one.candidates if match.asset is not None), None)
    return {
        "strike": strike.id,
        "title": strike.title,
        "when": strike.when,
        "place": strike.place,
        "host_country": strike.host_country,
        "private": strike.private,
        "gain": round(one.gain, 4),
        "rests_on": one.finding.rests_on,
        "candidates": sum(match.asset is not None for match in one.candidates),
        "best": _candidate(snapshot, best) if best else None,
    }


def strike(snapshot: Snapshot, told: Answer) -> Json:
    """What a decision on one strike may rest on: the answer, candidates with their places, earlier decisions."""
    key = told.strike.id
    matches = snapshot.matches[key]
    shown = [match for match in matches if match.asset is not None][:SHOWN]
    decisions = snapshot.records.where("decisions", "strike", key)
    answer = attribution.strike_answer(snapshot, told)
    answer["candidates"] = [_candidate(snapshot, match) for match in shown]
    answer["more_candidates"] = sum(match.asset is not None for match in matches) - len(shown)
    answer["decisions"] = [one.model_dump(mode="json") for one in reversed(decisions)]
    answer["seen"] = decisions[-1].id if decisions else None
    return answer


def _candidate(snapshot: Snapshot, match: Match) -> Json:
    assert match.asset is not None
    asset = snapshot.records.assets[match.asset]
    shape = None if asset.geometry is None else orjson.loads(shapely.to_geojson(asset.geometry))
    about = asset.model_dump(mode="json", include={"name", "kind", "host_country", "uncertainty_m", "basis"})
    evidence = match.model_dump(mode="json", include={"probability", "distance_m", "reasons"})
    return {"asset": asset.id, **about, "geometry": shape, **evidence}
