"""The names on a printed map: towns beside their dots, countries inside their borders."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from api.exports.printed_map.label_placement import Board, Box, boxes_around, centred_box
from api.exports.printed_map.map_frame import Frame
from api.exports.printed_map.sheet import MM_PER_POINT, Sheet, printable, width_mm
from layers.reference.basemap import Basemap

TOWN_SIZE, TOWN_DOT_MM = 6.4, 1.0
#: Room that one town is given, and the least distance between two that are named, in millimetres.
TOWN_ROOM_MM2, TOWN_APART_MM = 700.0, 13.0
COUNTRY_COLOUR = "#7a7164"
#: Cells of the search for a place for a country's name, in millimetres.
GRID_MM = 4.0


def draw_towns(sheet: Sheet, frame: Frame, basemap: Basemap, board: Board, symbols: int) -> int:
    """Name the largest towns that have room; return how many.

    The first ``symbols`` boxes of the board are the strikes' symbols.
    """
    places = basemap.places
    named: list[tuple[float, float]] = []
    # A dot may lie under a strike's symbol, but not under a name or the scale.
    names = Board(board.limits, board.taken[symbols:])
    limit = round(frame.width * frame.height / TOWN_ROOM_MM2)
    mm = frame.mm(shapely.get_coordinates(places.shape))
    inside = np.flatnonzero(frame.shows(mm, 1.5))
    # Capitals first: readers find their way by them. The rows come largest first.
    order = sorted(inside[: limit * 6], key=lambda row: not places.capital[row])
    for row in order:
        x, y = mm[row]
        if len(named) == limit:
            break
        if any(abs(x - a) < TOWN_APART_MM and abs(y - b) < TOWN_APART_MM / 2 for a, b in named):
            continue
        if not names.is_free(centred_box(float(x), float(y), 2 * TOWN_DOT_MM, 2 * TOWN_DOT_MM)):
            continue
        capital = bool(places.capital[row])
        if box := _name_town(sheet, board, float(x), float(y), printable(places.name[row]), capital):
            named.append((x, y))
            names.block([box])
    return len(named)


def _name_town(sheet: Sheet, board: Board, x: float, y: float, name: str, capital: bool) -> Box | None:
    """Set a town's name where it is free, with its dot; return its box, or None where there is no room.

    A name set further off gets a line to the dot.
    """
    size = TOWN_SIZE + (0.8 if capital else 0)
    width, height = width_mm(name, size, capital) + 0.6, size * MM_PER_POINT * 1.1
    box = board.first_free(boxes_around(x, y, width, height, (1.1, 3.4)))
    if box is None:
        return None
    board.block([centred_box(x, y, TOWN_DOT_MM, TOWN_DOT_MM)])
    dot = (TOWN_DOT_MM * (1.3 if capital else 1.0) / MM_PER_POINT) ** 2
    marker = "s" if capital else "o"
    sheet.axes.scatter([x], [y], s=dot, marker=marker, color="#2b2b2b", edgecolors="white", linewidths=0.3, zorder=6)
    to = np.clip([x, y], box[:2], box[2:])
    if np.hypot(*(to - [x, y])) > 2.2:
        sheet.axes.plot([x, to[0]], [y, to[1]], color="#6b6b6b", linewidth=0.35, zorder=6)
    sheet.text(box[0] + 0.3, box[1] + height * 0.24, name, size, bold=capital, halo=1.6, zorder=12)
    return box


def draw_countries(
    sheet: Sheet,
    frame: Frame,
    basemap: Basemap,
    land: NDArray[np.object_],
    board: Board,
    *,
    size: float = 7.0,
    most: int = 40,
) -> int:
    """Name the countries that have room for it inside their borders, the largest on the page first."""
    page = shapely.box(*frame.box)
    pieces: dict[int, list[BaseGeometry]] = defaultdict(list)
    for piece, row in land:
        pieces[row].append(piece)
    visible: dict[int, BaseGeometry] = {
        row: _whole(parts).intersection(page)
        for row, parts in pieces.items()
        if basemap.countries.iso_a2[row] is not None
    }
    named = 0
    for row in sorted(visible, key=lambda row: (-visible[row].area, row)):
        if named == most:
            break
        name = _spaced(printable(basemap.countries.name_en[row]).upper())
        # Largest letters first: a small country gets a small name rather than none.
        for points in (size, size * 0.84):
            box = board.first_free(
                _boxes_inside(visible[row], width_mm(name, points) + 1.0, points * MM_PER_POINT * 1.15)
            )
            if box:
                base = box[1] + points * MM_PER_POINT * 0.22
                sheet.text(box[0] + 0.5, base, name, points, halo=1.4, color=COUNTRY_COLOUR, zorder=8)
                named += 1
                break
    return named


def _whole(parts: list[BaseGeometry]) -> BaseGeometry:
    """Put the pieces of one country together again."""
    whole: BaseGeometry = shapely.union_all([shapely.make_valid(part) for part in parts])
    return whole


def _spaced(name: str) -> str:
    """Space the letters by hair spaces, as names of areas are."""
    return "\u200a".join(name)


def _boxes_inside(area: BaseGeometry, width: float, height: float) -> Iterator[Box]:
    """Boxes of a size that lie in an area, the ones deepest inside it first."""
    if area.is_empty or area.area < width * height:
        return
    left, bottom, right, top = area.bounds
    xs, ys = np.arange(left, right, GRID_MM / 2) + 1, np.arange(bottom, top, GRID_MM / 2) + 1
    x, y = (axis.ravel() for axis in np.meshgrid(xs, ys))
    boxes = shapely.box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    shapely.prepare(area)
    inside = shapely.contains(area, boxes)
    middles = shapely.points(x[inside], y[inside])
    depth = shapely.distance(area.boundary, middles)
    # Near the middle of the area counts too, or a name drifts into a far corner.
    pull = shapely.distance(middles, area.centroid)
    for index in np.argsort(-(depth - 0.35 * pull), kind="stable"):
        yield centred_box(float(x[inside][index]), float(y[inside][index]), width, height)


def symbol_boxes(mm: NDArray[np.float64], size: float) -> Iterable[Box]:
    """Boxes that symbols at points of shape (n, 2) take."""
    return [centred_box(float(x), float(y), size, size) for x, y in mm]


def line_boxes(lines: Iterable[NDArray[np.float64]]) -> Iterable[Box]:
    """Small boxes all along lines, each of shape (n, 2) in millimetres."""
    dense = shapely.segmentize([shapely.LineString(line) for line in lines], 1.0)
    return [centred_box(float(x), float(y), 1.0, 1.0) for x, y in shapely.get_coordinates(dense)]
