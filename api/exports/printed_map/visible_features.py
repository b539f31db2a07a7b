"""What a map's frame shows, before anything is drawn: the legend, the list and the note are made from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import geopandas
import numpy as np

from api.exports.printed_map.base_layers import circles_in_view, pipelines_in_view, sites_in_view
from api.exports.printed_map.extent import Coordinates
from api.exports.printed_map.label_placement import spread
from api.exports.printed_map.map_frame import Frame
from api.exports.printed_map.strike_list import SYMBOL_MM
from api.exports.strike_rows import Mark

#: Up to so many strikes are numbered and listed below the map.
MOST_LISTED = 15
#: Up to so many strikes are moved apart; more would only make a carpet.
MOST_SPREAD = 1000
#: How far a symbol may be moved from its place, in millimetres.
FURTHEST_MM = 5.0


@dataclass(frozen=True, eq=False)
class View:
    """What a frame shows; places are in millimetres, ``symbols`` where the strikes' symbols are set."""

    frame: Frame
    marks: list[Mark]
    places: Coordinates
    symbols: Coordinates
    size: float
    pipelines: dict[str, list[Coordinates]]
    sites: Coordinates
    circles: list[tuple[str, Coordinates]]

    @property
    def listed(self) -> bool:
        """Whether the strikes are few enough to be numbered and listed."""
        return 0 < len(self.marks) <= MOST_LISTED

    @property
    def moved(self) -> Coordinates:
        """How far each symbol stands from its place, in millimetres, shape (n,)."""
        far: Coordinates = np.linalg.norm(self.symbols - self.places, axis=1)
        return far


def view_of(frame: Frame, marks: Sequence[Mark], assets: geopandas.GeoDataFrame) -> View:
    """Find what is in the frame, and move symbols apart that would cover each other."""
    mm = frame.mm(np.array([[mark.lon, mark.lat] for mark in marks], dtype=float))
    inside = [int(row) for row in np.flatnonzero(frame.shows(mm, 0.5))]
    seen, places = [marks[row] for row in inside], mm[inside]
    size = symbol_size(len(seen), frame)
    left, bottom, right, top = frame.box
    room = (left + size / 2, bottom + size / 2, right - size / 2, top - size / 2)
    # On a world map even a little is a country away.
    furthest = 1.5 if frame.projection.whole_world else FURTHEST_MM
    symbols = spread(places, size * 1.02, room, furthest) if 1 < len(seen) <= MOST_SPREAD else places
    circles = circles_in_view(frame, seen, size * 1.5)
    return View(
        frame, seen, places, symbols, size, pipelines_in_view(frame, assets), sites_in_view(frame, assets), circles
    )


def symbol_size(count: int, frame: Frame) -> float:
    """Width in millimetres of the symbols when so many are shown; a world map has small ones."""
    if count <= MOST_LISTED:
        return SYMBOL_MM
    return 2.7 if count <= 150 and not frame.projection.whole_world else 1.8
