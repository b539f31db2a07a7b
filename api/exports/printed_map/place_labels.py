"""The names on a printed map, and the free room for them: towns beside their dots, countries inside borders."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely
from scipy.spatial import cKDTree
from shapely.geometry.base import BaseGeometry

from api.exports.printed_map.extent import Frame
from api.exports.printed_map.sheet import MM_PER_POINT, PageCanvas, printable, width_mm
from geo.lonlat import Floats, Objects
from layers.reference.basemap import Basemap

PageBox = tuple[float, float, float, float]

#: Around a point, best first: right, left, upper right, lower right, upper left, lower left, above, below.
DIRECTIONS = ((1, 0), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1), (0, 1), (0, -1))


@dataclass
class Board:
    """The boxes on a page that are taken, in millimetres: left, bottom, right, top."""

    limits: PageBox
    taken: list[PageBox] = field(default_factory=list)

    def block(self, boxes: Iterable[PageBox]) -> None:
        """Take boxes, also where they overlap taken ones."""
        self.taken.extend(boxes)

    def is_free(self, box: PageBox) -> bool:
        """Return whether a box is within the limits and touches no taken box."""
        left, bottom, right, top = box
        if left < self.limits[0] or bottom < self.limits[1] or right > self.limits[2] or top > self.limits[3]:
            return False
        if not self.taken:
            return True
        taken = np.asarray(self.taken)
        apart = (taken[:, 0] >= right) | (taken[:, 2] <= left) | (taken[:, 1] >= top) | (taken[:, 3] <= bottom)
        return bool(apart.all())

    def first_free(self, boxes: Iterable[PageBox]) -> PageBox | None:
        """Take the first box that is free and return it; None where none is."""
        for box in boxes:
            if self.is_free(box):
                self.taken.append(box)
                return box
        return None

    def crowding(self, box: PageBox) -> int:
        """Count the taken boxes that a box touches."""
        left, bottom, right, top = box
        return sum(not (b[0] >= right or b[2] <= left or b[1] >= top or b[3] <= bottom) for b in self.taken)


def boxes_around(x: float, y: float, width: float, height: float, gaps: Sequence[float]) -> Iterable[PageBox]:
    """Boxes of a size at the eight sides of a point, nearest ring first; everything in millimetres."""
    for gap in gaps:
        for right, up in DIRECTIONS:
            reach = gap * (0.75 if right and up else 1.0)
            left = x + (reach if right > 0 else -reach - width if right < 0 else -width / 2)
            bottom = y + (reach if up > 0 else -reach - height if up < 0 else -height / 2)
            yield left, bottom, left + width, bottom + height


def centred_box(x: float, y: float, width: float, height: float) -> PageBox:
    """Box of a size about a point."""
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def spread(points: Floats, gap: float, limits: PageBox, furthest: float, rounds: int = 300) -> Floats:
    """Move points apart until none are closer than a gap, as little as that takes.

    Coinciding points are first laid out as a honeycomb, in their order.

    Parameters
    ----------
    points
        Shape (n, 2), in millimetres.
    gap
        The distance that points shall have, in millimetres.
    limits
        Left, bottom, right and top that no point leaves.
    furthest
        The largest distance of a point from where it was, in millimetres; a dense crowd still overlaps.
    rounds
        The largest number of rounds.

    Returns
    -------
    ndarray of float64, shape (n, 2)
    """
    low, high = np.asarray(limits[:2]), np.asarray(limits[2:])
    moved = np.clip(_limited(points, points + _fanned(points) * gap, furthest), low, high)
    for _ in range(rounds):
        pairs = cKDTree(moved).query_pairs(gap * 0.999, output_type="ndarray")
        if not len(pairs):
            break
        pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
        apart = moved[pairs[:, 1]] - moved[pairs[:, 0]]
        distance = np.maximum(np.linalg.norm(apart, axis=1, keepdims=True), 1e-9)
        push = apart / distance * (gap - distance) * 0.5
        np.add.at(moved, pairs[:, 0], -push * 0.7)
        np.add.at(moved, pairs[:, 1], push * 0.7)
        moved = np.clip(_limited(points, moved, furthest), low, high)
    still = cKDTree(points).query_ball_point(points, gap * 0.999, return_length=True) == 1
    settled = np.linalg.norm(moved - points, axis=1) < gap * 0.2
    spread_out: Floats = np.where((still & settled)[:, None], points, moved)
    return spread_out


def _limited(points: Floats, moved: Floats, furthest: float) -> Floats:
    """Pull moved points back to within a distance of their own places."""
    shift = moved - points
    length = np.maximum(np.linalg.norm(shift, axis=1, keepdims=True), 1e-9)
    limited: Floats = points + shift * np.minimum(1.0, furthest / length)
    return limited


def _fanned(points: Floats) -> Floats:
    """Offsets that lay coinciding points out as a honeycomb one unit wide, in their order; shape (n, 2)."""
    seen: dict[tuple[float, float], int] = {}
    offsets = np.zeros(points.shape)
    for row, (x, y) in enumerate(np.round(points, 2)):
        number = seen[x, y] = seen.get((x, y), -1) + 1
        # Ring r of a honeycomb has 6 r cells, so the rings up to r have 3 r (r + 1).
        ring = int(np.ceil((np.sqrt(12 * number + 9) - 3) / 6))
        step = number - 3 * ring * (ring - 1) - 1
        angle = 2 * np.pi * (step / (6 * ring) if ring else 0.0) + 0.1
        offsets[row] = ring * np.cos(angle), ring * np.sin(angle)
    return offsets


TOWN_SIZE, TOWN_DOT_MM = 6.4, 1.0
#: Room that one town is given, and the least distance between two that are named, in millimetres.
TOWN_ROOM_MM2, TOWN_APART_MM = 700.0, 13.0
COUNTRY_COLOUR = "#7a7164"
#: Cells of the search for a place for a country's name, in millimetres.
GRID_MM = 4.0


def draw_towns(sheet: PageCanvas, frame: Frame, basemap: Basemap, board: Board, symbols: int) -> int:
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


def _name_town(sheet: PageCanvas, board: Board, x: float, y: float, name: str, capital: bool) -> PageBox | None:
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
    sheet: PageCanvas,
    frame: Frame,
    basemap: Basemap,
    land: Objects,
    board: Board,
    *,
    size: float = 7.0,
    max_names: int = 40,
) -> int:
    """Name the countries that have room for it inside their borders, the largest on the page first.

    Parameters
    ----------
    sheet, frame
        The page, and the rectangle on it with its projection.
    basemap
        The base map, for the names.
    land
        The land on the page, shape (n, 2): a piece in millimetres, and its row of the countries.
    board
        Room that is taken already; the names take theirs.
    size
        Size of the names in points; a name that does not fit is tried somewhat smaller.
    max_names
        No more are drawn.

    Returns
    -------
    int
        How many countries are named.
    """
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
        if named == max_names:
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


def _boxes_inside(area: BaseGeometry, width: float, height: float) -> Iterator[PageBox]:
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


def symbol_boxes(mm: Floats, size: float) -> Iterable[PageBox]:
    """Boxes that symbols at points of shape (n, 2) take."""
    return [centred_box(float(x), float(y), size, size) for x, y in mm]


def line_boxes(lines: Iterable[Floats]) -> Iterable[PageBox]:
    """Small boxes all along lines, each of shape (n, 2) in millimetres."""
    dense = shapely.segmentize([shapely.LineString(line) for line in lines], 1.0)
    return [centred_box(float(x), float(y), 1.0, 1.0) for x, y in shapely.get_coordinates(dense)]
