"""Strikes of a caller's own GeoDataFrame as records, and the atlas with them in place of its own strikes."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import replace
from typing import Any

import geopandas
import numpy as np
import pandas as pd

from api.python.frames import CRS
from api.python.sources import AtlasError
from api.wording.problems import located_sentence
from layers.model.problems import Problem, SourceLocation, validated
from layers.model.records import Strike
from layers.model.types import Basis
from layers.snapshot.snapshot import Snapshot, Stages

#: Columns of a caller's frame that are read; all but the geometry may be absent.
READ = (
    "when", "title", "targets", "target_kinds", "place", "region", "host_country", "uncertainty_m", "basis",
)  # fmt: skip
#: What a strike has whose row says nothing: texts without a word, and any day.
_UNSAID: Mapping[str, Any] = {"title": "-", "place": "-", "when": "0001/9999"}
_DATASET = "own"
_MOST_LISTED = 20


class OwnStrikes:
    """The atlas with a caller's strikes in place of its own; assets, owners and what was built of them are shared.

    Parameters
    ----------
    snapshot
        The atlas.
    frame
        A strike a row, with points as geometry, in any CRS; columns by the names of `READ`.
    uncertainty_m, basis
        Radius in metres that holds the true place, and what the point stands for, of rows that do not say so.

    Raises
    ------
    AtlasError
        If the frame has no CRS, or values that no strike may have: each named with its row and column.
    """

    def __init__(self, snapshot: Snapshot, frame: geopandas.GeoDataFrame, uncertainty_m: float, basis: Basis) -> None:
        strikes = _strikes(frame, {"uncertainty_m": uncertainty_m, "basis": basis, "place_source": _DATASET})
        records = replace(snapshot.records, strikes={strike.id: strike for strike in strikes}, decisions={})
        stages = snapshot.stages
        shared = Stages(stages.stakes, stages.registers, stages.asset_index)
        #: What follows for these strikes.
        self.snapshot = snapshot.with_stages(shared, records)
        #: Label of the row of each strike, by its id.
        self.labels: Mapping[str, Hashable] = dict(
            zip((strike.id for strike in strikes), frame.index.tolist(), strict=True)
        )


def _strikes(frame: geopandas.GeoDataFrame, of_place: Mapping[str, Any]) -> list[Strike]:
    """Return the rows of a frame as records; those with a place have what ``of_place`` says, if they do not say so."""
    if frame.crs is None:
        raise AtlasError("the GeoDataFrame has no CRS; set it, such as frame.set_crs('OGC:CRS84') for lon/lat")
    shapes = frame.geometry.to_crs(CRS)
    present = [name for name in READ if name in frame.columns]
    problems: list[Problem] = []
    strikes: list[Strike] = []
    for number, label in enumerate(frame.index):
        given = {name: _value(name, frame[name].iloc[number]) for name in present}
        said = {name: value for name, value in given.items() if value not in (None, "", [])}
        shape = shapes.iloc[number]
        is_placed = shape is not None and not shape.is_empty
        values = {
            **_UNSAID,
            **(of_place if is_placed else {}),
            **said,
            "id": f"row-{number}",
            "dataset": _DATASET,
            "geometry": shape if is_placed else None,
            "status": "reported",
            "sources": (_DATASET,),
            "checked": "unverified",
        }
        strike = validated(Strike, values, SourceLocation(f"row {label!r}", 0), problems)
        strikes += [strike] if isinstance(strike, Strike) else []
    if problems:
        listed = "\n".join(located_sentence(problem) for problem in problems[:_MOST_LISTED])
        more = f"\nand {len(problems) - _MOST_LISTED} more" if len(problems) > _MOST_LISTED else ""
        raise AtlasError(f"{listed}{more}")
    return strikes


def _value(name: str, value: object) -> object:
    """Return a cell as a record has it: days as ISO 8601, one text as a list where a list is meant."""
    if isinstance(value, (pd.Timestamp, np.datetime64)):
        return None if pd.isna(value) else pd.Timestamp(value).date().isoformat()
    value = _plain(value)
    if name in ("targets", "target_kinds") and isinstance(value, str):
        return [part.strip() for part in value.split(";") if part.strip()]
    if name == "when" and value is not None and not isinstance(value, str):
        return str(value)
    return value


def _plain(value: Any) -> Any:
    """Give a value as JSON has it: None for missing, NaN and infinity, lists for arrays, sets and tuples."""
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(_plain(part) for part in value)
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_plain(part) for part in value]
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
