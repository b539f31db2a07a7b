"""Puts a symbol on every site: at its true place, or beside it on a leader that ends in a dot there.

Nothing is moved without a leader. A symbol of several possible sites stands between them, with a dashed leader to each.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from api.exports.printed_map.drawing import Drawing, path_of, rectangle_svg
from api.exports.printed_map.extent import Frame
from api.exports.printed_map.lettering import width_of
from api.exports.printed_map.look import ClassLook, SheetLook
from api.exports.printed_map.map_strikes import StruckPlace
from api.exports.printed_map.story import CLASSES, MapSite, RankedStrike
from geo.lonlat import Floats, Objects
from geo.spatial_join.geodesic_distance import wgs84

Point = tuple[float, float]
#: Cells of a joint symbol stand so many in a row; gap between them in millimetres.
_ROW, _LONG_ROW, _GAP = 4, 3, 0.22
#: Distances of a symbol from its site that are tried, in heights of a symbol, and directions.
_REACHES = (1.25, 1.6, 2.1, 2.7, 3.4, 4.2, 5.2, 6.5, 8.0)
_DIRECTIONS = 24
#: Room around a symbol in millimetres, and what it costs to come near another site, or to cross something.
_ROOM, _NEAR_SITE, _CROSSING, _OVER_LINE = 0.3, 6.0, 14.0, 3.0
#: Radius of the ring at each of several true places of a symbol, in radii of a dot.
_RING = 1.6
#: More areas within which places are known hide the map.
MOST_AREAS = 150
#: A circle of fewer radii of a dot than this is not seen beside it, and is left out.
_SEEN = 2.0
#: Dots nearer than this are one, in millimetres; names keep off dots where there are no more than so many.
_SAME_DOT, _MOST_CLAIMED = 0.5, 400


class NoRoom(Exception):
    """There is no room for a symbol in a frame."""


@dataclass(frozen=True, slots=True)
class PlacedSymbol:
    """A symbol at a point of the page, and the true places of its sites there; it has a leader if it is not on them."""

    site: MapSite
    at: Point
    size: Point
    targets: tuple[Point, ...]

    @property
    def has_leader(self) -> bool:
        """Whether leaders go to the true places."""
        return len(self.targets) > 1 or math.dist(self.at, self.targets[0]) > 1e-6

    @property
    def box(self) -> shapely.Polygon:
        """What it covers."""
        (x, y), (width, height) = self.at, self.size
        return shapely.box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def on_page(frame: Frame, places: Sequence[StruckPlace]) -> tuple[Point, ...]:
    """Points of places on the page."""
    xy = frame.mm(np.array([place.point for place in places]))
    return tuple((float(x), float(y)) for x, y in xy)


def page_points(frame: Frame, sites: Sequence[MapSite]) -> Floats:
    """Points of all places of sites on the page, shape (n, 2)."""
    return frame.mm(np.array([place.point for site in sites for place in site.places]).reshape(-1, 2))


def cells_of(site: MapSite, look: SheetLook) -> tuple[Point, list[tuple[float, float, float, RankedStrike]]]:
    """Width and height of a symbol, and its cells: left, top, width and strike."""
    numbered = site.numbered
    in_row = _LONG_ROW if len(numbered) > _ROW else _ROW
    cells, widest, height = [], 0.0, look.symbol
    for row, first in enumerate(range(0, len(numbered), in_row)):
        x = 0.0
        for one in numbered[first : first + in_row]:
            width = max(height, width_of(str(one.number), look.letters * 0.92, True) + height * 0.42)
            cells.append((x, row * (height + _GAP), width, one))
            x += width + _GAP
        widest = max(widest, x - _GAP)
    rows = math.ceil(len(numbered) / in_row)
    return (widest, rows * (height + _GAP) - _GAP), cells


def place_symbols(drawing: Drawing, sites: Sequence[MapSite], lines: Objects) -> list[PlacedSymbol]:
    """Find a place for every symbol, and take it.

    Raises
    ------
    NoRoom
        If there is none for one of them.
    """
    targets = [on_page(drawing.frame, site.places) for site in sites]
    every = np.array([(*point, at) for at, points in enumerate(targets) for point in points]).reshape(-1, 3)
    order = sorted(range(len(sites)), key=lambda at: (len(targets[at]) > 1, sites[at].numbered[0].number or 0))
    placed = []
    for at in order:
        others = every[every[:, 2] != at, :2]
        symbol = _placed(drawing, sites[at], targets[at], others, lines)
        placed.append(symbol)
        drawing.extents.claim(symbol.box)
        for leader in _leaders(symbol):
            drawing.extents.claim(leader)
        for target in symbol.targets if symbol.has_leader else ():
            drawing.extents.claim(shapely.Point(target).buffer(_target_radius(symbol, drawing.look)))
    return placed


def _placed(
    drawing: Drawing, site: MapSite, targets: tuple[Point, ...], others: Floats, lines: Objects
) -> PlacedSymbol:
    """Return the cheapest place of a symbol: near, free, never over another site, its leaders crossing little."""
    look = drawing.look
    size, _ = cells_of(site, look)
    inside = shapely.box(*drawing.frame.box).buffer(-0.5, join_style="mitre")
    shapely.prepare(inside)
    best: tuple[float, PlacedSymbol] | None = None
    for reach, at in _tries(targets, size, look):
        if best is not None and best[0] <= reach:
            break
        symbol = PlacedSymbol(site, at, size, targets)
        box = symbol.box
        hidden = np.concatenate([others, np.array(targets)]) if symbol.has_leader else others
        if not inside.contains(box) or _covers(box, hidden, place_room(look)):
            continue
        if not drawing.extents.is_free(box, _ROOM):
            continue
        cost = reach + _cost(drawing, symbol, others, lines)
        if best is None or cost < best[0]:
            best = cost, symbol
    if best is None:
        raise NoRoom(f"no room for number {site.numbered[0].number}")
    return best[1]


def _tries(targets: tuple[Point, ...], size: Point, look: SheetLook) -> Iterator[tuple[float, Point]]:
    """Yield distances in millimetres and points to try, the nearest first."""
    middle_x, middle_y = np.mean(np.array(targets), axis=0).tolist()
    stretch = 1 + (size[0] - size[1]) / 4 / look.symbol
    tall = 1 + max(0.0, size[1] - look.symbol) / 3 / look.symbol
    if len(targets) == 1:
        yield 0.0, targets[0]
    for distance in (reach * look.symbol for reach in _REACHES):
        for step in range(_DIRECTIONS):
            angle = 2 * math.pi * step / _DIRECTIONS + 0.26
            x, y = distance * stretch * math.cos(angle), distance * tall * math.sin(angle)
            yield distance, (middle_x + x, middle_y + y)


def _covers(box: shapely.Polygon, points: Floats, margin: float) -> int:
    """Count the points that a box covers with a margin in millimetres."""
    left, top, right, bottom = box.bounds
    x, y = points[:, 0], points[:, 1]
    return int(((x > left - margin) & (x < right + margin) & (y > top - margin) & (y < bottom + margin)).sum())


def _target_radius(symbol: PlacedSymbol, look: SheetLook) -> float:
    """Radius of the dot, or ring, at a true place."""
    return look.dot * (_RING if len(symbol.targets) > 1 else 1.0)


def place_room(look: SheetLook) -> float:
    """How far what is drawn keeps from a true place, in millimetres, so that a dot or a ring there is seen."""
    return look.dot * _RING + 0.1


def _cost(drawing: Drawing, symbol: PlacedSymbol, others: Floats, lines: Objects) -> float:
    box = symbol.box
    cost = _NEAR_SITE * _covers(box, others, 1.6)
    if symbol.has_leader:
        cost += _CROSSING * sum(not drawing.extents.is_free(leader, 0.0) for leader in _leaders(symbol))
        cost += _OVER_LINE * bool(len(lines)) * bool(shapely.intersects(lines, box).any())
        thin = [shapely.LineString([symbol.at, target]) for target in symbol.targets]
        spots: Objects = np.asarray(shapely.points(others), dtype=object)
        cost += _CROSSING * sum(bool((shapely.distance(line, spots) < 0.5).any()) for line in thin if len(spots))
    return cost


def _leaders(symbol: PlacedSymbol) -> Iterator[BaseGeometry]:
    """What the leaders of a symbol cover outside it."""
    if symbol.has_leader:
        for target in symbol.targets:
            leader = shapely.LineString([symbol.at, target]).buffer(0.15).difference(symbol.box.buffer(0.02))
            if not leader.is_empty:
                yield leader


# --- drawing --------------------------------------------------------------------------------------


def draw_symbols(drawing: Drawing, placed: Sequence[PlacedSymbol]) -> None:
    """Draw placed symbols, titled by their strikes, with leaders, and a dot or a ring at each true place of those."""
    look, ink = drawing.look, drawing.look.palette.ink
    for symbol in placed:
        edge = look.palette.classes[symbol.site.kind].edge
        several = len(symbol.targets) > 1
        if symbol.has_leader:
            for target in symbol.targets:
                line = f"M{symbol.at[0]:.2f} {symbol.at[1]:.2f}L{target[0]:.2f} {target[1]:.2f}"
                dash = ' stroke-dasharray="0.7 0.5"' if several else ""
                drawing.add("leaders", f'<path d="{line}" stroke="#fff" stroke-width="0.7" fill="none"/>')
                drawing.add("leaders", f'<path d="{line}" stroke="{ink}" stroke-width="0.22" fill="none"{dash}/>')
                drawing.add("sites", circle(target, _target_radius(symbol, look), "#fff" if several else edge, ink))
        (width, height), cells = cells_of(symbol.site, look)
        left, top = symbol.at[0] - width / 2, symbol.at[1] - height / 2
        title = "; ".join(f"{one.number} {one.strike.title}" for one in symbol.site.numbered)
        drawn = "".join(
            cell_svg((left + x, top + y), (wide, look.symbol), str(one.number), look.palette.classes[one.kind], look)
            for x, y, wide, one in cells
        )
        drawing.add("symbols", f"<g><title>{escape(title)}</title>{drawn}</g>")


def cell_svg(corner: Point, size: Point, label: str, drawn: ClassLook, look: SheetLook) -> str:
    """A cell with a number; its outline says what its colour says."""
    (x, y), (width, height) = corner, size
    dash = ' stroke-dasharray="0.55 0.35"' if drawn.dashed else ""
    radius = f' rx="{height / 2:.2f}"' if drawn.outline == "round" else ""
    mark = (
        f'<rect x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}"{radius} fill="{drawn.fill}" '
        f'stroke="{drawn.edge}" stroke-width="{look.edge:.2f}"{dash}/>'
    )
    if not label:
        return mark
    letters = look.letters * 0.92
    return (
        f'{mark}<text x="{x + width / 2:.2f}" y="{y + height / 2 + letters * 0.36:.2f}" font-size="{letters:.2f}" '
        f'font-weight="700" text-anchor="middle" fill="{drawn.letters}">{label}</text>'
    )


def circle(at: Point, radius: float, fill: str, edge: str, width: float = 0.22) -> str:
    """A circle as an element."""
    return (
        f'<circle cx="{at[0]:.2f}" cy="{at[1]:.2f}" r="{radius:.2f}" fill="{fill}" stroke="{edge}" '
        f'stroke-width="{width}"/>'
    )


def draw_dots(drawing: Drawing, sites: Sequence[MapSite]) -> None:
    """Draw a dot for each site, those at one point of the page as one, the first classes on top."""
    frame, look, points = drawing.frame, drawing.look, dict[tuple[int, int], tuple[int, Point]]()
    if not sites:
        return
    every = [(CLASSES.index(site.kind), place) for site in sites for place in site.places]
    xy = frame.mm(np.array([place.point for _, place in every]))
    shown = frame.shows(xy, look.dot)
    for (rank, _), point, is_shown in zip(every, xy.tolist(), shown.tolist(), strict=True):
        if is_shown:
            cell = (round(point[0] / _SAME_DOT), round(point[1] / _SAME_DOT))
            points[cell] = min(points.get(cell, (len(CLASSES), (0.0, 0.0))), (rank, (point[0], point[1])))
    for rank, point in sorted(points.values(), reverse=True):
        radius = look.dot if CLASSES[rank] == "other" else look.dot * 1.25
        drawing.add("sites", dot_svg(point, radius, look.palette.classes[CLASSES[rank]]))
        if len(points) <= _MOST_CLAIMED:
            drawing.extents.claim(shapely.Point(point).buffer(radius + 0.1))


def dot_svg(at: Point, radius: float, drawn: ClassLook) -> str:
    """A dot of a class; its outline and dash say what its colour says."""
    dash = ' stroke-dasharray="0.45 0.3"' if drawn.dashed else ""
    paint = f'fill="{drawn.fill}" stroke="{drawn.edge}" stroke-width="0.2"{dash}'
    if drawn.outline == "square":
        return rectangle_svg((at[0] - radius, at[1] - radius, 2 * radius, 2 * radius), paint)
    return f'<circle cx="{at[0]:.2f}" cy="{at[1]:.2f}" r="{radius:.2f}" {paint}/>'


def draw_areas(drawing: Drawing, sites: Sequence[MapSite]) -> tuple[bool, bool]:
    """Draw the areas within which places are known, to size; return whether there are any, and more than are drawn.

    Those that are larger than a dot are, at most `MOST_AREAS`, the largest first.
    """
    frame, look, seen = drawing.frame, drawing.look, False
    least = look.dot * _SEEN * frame.metres_per_mm
    large = [
        (site, place) for site in sites for place in site.places if place.area is not None or place.radius_m > least
    ]
    large.sort(key=lambda one: (one[1].area is None, -one[1].radius_m))
    for site, place in large[:MOST_AREAS]:
        outline = shapely.transform(place.area or shapely.Polygon(circle_around(place)), frame.mm)
        if not outline.is_valid or outline.is_empty or not outline.intersects(shapely.box(*frame.box)):
            continue
        seen, drawn = True, look.palette.classes[site.kind]
        # What the map does not tell of is not to rule it.
        opacity = 0 if site.kind == "other" else 0.07
        tone = drawn.edge if drawn.fill == "#ffffff" or drawn.edge != "#ffffff" else drawn.fill
        drawing.add(
            "uncertainty",
            f'<path d="{path_of(outline)}" fill="{tone}" fill-opacity="{opacity}" stroke="{tone}" '
            'stroke-opacity="0.7" stroke-width="0.18" stroke-dasharray="0.9 0.6"/>',
            True,
        )
    return seen, len(large) > MOST_AREAS


def circle_around(place: StruckPlace) -> Floats:
    """Points in lon/lat degrees at the radius of a place, shape (72, 2), continuous across 180 degrees."""
    bearing = np.arange(0.0, 360.0, 5.0)
    count = np.full(len(bearing), 1.0)
    lon, lat, _ = wgs84().fwd(count * place.lon, count * place.lat, bearing, count * place.radius_m)
    return np.column_stack([(np.asarray(lon) - place.lon + 180) % 360 - 180 + place.lon, lat])
