"""The contents of a map's frame, before anything is drawn; legend, list and note are derived from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import geopandas
import numpy as np

from api.exports.printed_map.base_layers import circles_in_view, pipelines_in_view, sites_in_view
from api.exports.printed_map.extent import Frame
from api.exports.printed_map.place_labels import spread
from api.exports.printed_map.strike_list import SYMBOL_MM
from api.exports.strike_rows import DrawnStrike
from geo.lonlat import Floats

#: The largest number of strikes that are numbered and listed below the map.
MAX_LISTED = 15
#: The largest number of strikes that are moved apart; more would only cover the map evenly.
MAX_SPREAD = 1000
#: The largest distance that a symbol is moved from its place, in millimetres.
FURTHEST_MM = 5.0


@dataclass(frozen=True, eq=False)
class FrameContents:
    """The contents of a frame, in millimetres; ``symbols`` are the positions of the symbols of the strikes."""

    frame: Frame
    marks: list[DrawnStrike]
    places: Floats
    symbols: Floats
    size: float
    pipelines: dict[str, list[Floats]]
    sites: Floats
    circles: list[tuple[str, Floats]]

    @property
    def listed(self) -> bool:
        """Return whether the strikes are few enough to be numbered and listed."""
        return 0 < len(self.marks) <= MAX_LISTED

    @property
    def moved(self) -> Floats:
        """The distance of each symbol from its place, in millimetres, shape (n,)."""
        far: Floats = np.linalg.norm(self.symbols - self.places, axis=1)
        return far


def frame_contents(frame: Frame, marks: Sequence[DrawnStrike], assets: geopandas.GeoDataFrame) -> FrameContents:
    """Select strikes and assets inside the frame, and move symbols apart that would cover each other."""
    mm = frame.mm(np.array([[mark.lon, mark.lat] for mark in marks], dtype=float))
    inside = [int(row) for row in np.flatnonzero(frame.shows(mm, 0.5))]
    seen, places = [marks[row] for row in inside], mm[inside]
    size = symbol_size(len(seen), frame)
    left, bottom, right, top = frame.box
    room = (left + size / 2, bottom + size / 2, right - size / 2, top - size / 2)
    # On a world map even a little is a country away.
    furthest = 1.5 if frame.projection.whole_world else FURTHEST_MM
    symbols = spread(places, size * 1.02, room, furthest) if 1 < len(seen) <= MAX_SPREAD else places
    circles = circles_in_view(frame, seen, size * 1.5)
    return FrameContents(
        frame, seen, places, symbols, size, pipelines_in_view(frame, assets), sites_in_view(frame, assets), circles
    )


def symbol_size(count: int, frame: Frame) -> float:
    """Width in millimetres of the symbols when so many are shown; a world map has small ones."""
    if count <= MAX_LISTED:
        return SYMBOL_MM
    return 2.7 if count <= 150 and not frame.projection.whole_world else 1.8
