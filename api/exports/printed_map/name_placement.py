"""Writes the names on a map where they cover nothing: what was struck first, then places, seas, lines and rivers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import shapely
import shapely.ops
from shapely.geometry.base import BaseGeometry

from api.exports.printed_map.drawing import Drawing, Layer, Letters
from api.exports.printed_map.extent import Frame
from api.exports.printed_map.ground_layers import DrawnGround, DrawnLine, MapSubject
from api.exports.printed_map.lettering import CAPITALS, DESCENT, width_of
from api.exports.printed_map.look import SheetLook
from api.exports.printed_map.symbol_placement import circle
from geo.lonlat import Floats
from layers.reference.map_ground import MapGround, NamedPlace, river_names, sea_names

#: Millimetres: radius of the dot of a place, gap between it and its name, halo, and room of a name to what it may not
#: touch and to the frame.
_DOT, _GAP, _HALO, _ROOM, _EDGE = 0.4, 0.9, 0.5, 0.25, 0.5
#: A site within so many millimetres of a place is at it: its symbol does for the dot of one place, of no second.
_AT_SITE = 1.2
#: A name without a dot that is nearer to another site by so many times its size would be read as the name of that one.
_NEARER = 0.8
#: Part of the size between the letters of waters and countries.
_WIDE_WATER, _WIDE_COUNTRY = 0.08, 0.16
#: Metres that a region is wide at most, whose largest city is named first.
_REGION_M = 800_000.0
#: Millimetres from a country within which its name stands on a leader where there is no room in it.
_REACHES = (4.0, 6.5, 9.0, 12.0, 15.0, 18.0, 22.0, 26.0)
_DIRECTIONS = 24
#: Least part of the frame's area of a country, and of a sea, that is named.
_LEAST_COUNTRY, _LEAST_SEA = 0.004, 0.008
#: Points at which a name is tried along each side of a country or sea.
_GRID = 44
#: Most pipelines that are named: those that were struck, then the longest.
_MOST_LINES = 12
#: Millimetres that names keep off lines.
_OFF_LINE = 0.35
#: A river is near a point that names it within so many millimetres; a stretch that bears a name is so straight.
_NEAR_RIVER, _STRAIGHT_RIVER, _STRAIGHT_LINE = 2.5, 0.86, 0.93


def write_names(
    drawing: Drawing, drawn: DrawnGround, subject: MapSubject, ground: MapGround, lines: Sequence[DrawnLine],
    sites: Floats, is_inset: bool, shown_larger: Sequence[BaseGeometry], struck: Sequence[str],
) -> None:  # fmt: skip
    """Write all names of a frame: the city of a region, the countries struck, then the others of each kind.

    Parameters
    ----------
    sites
        Points on the page where sites are, shape (n, 2): the first place at one is named without a dot of its own.
    is_inset
        Whether the frame is an inset, which names no seas and countries.
    shown_larger
        What of the frame insets show, which name the places in it, but for the city of a region.
    struck
        Countries (ISO 3166-1) that were struck, those that matter most first.
    """
    frame, look = drawing.frame, drawing.look
    pipes = shapely.union_all(shapely.buffer([line for _, _, line in lines], _OFF_LINE, quad_segs=2))
    shapely.prepare(pipes)
    writer = _NameWriter(drawing, drawn, subject, pipes, sites)
    city = None
    if not is_inset and frame.width * frame.metres_per_mm < _REGION_M:
        city = max(_in_view(frame, ground.places), key=lambda place: place.population, default=None)
    if city is not None:
        writer.place(city, is_city=True)
    if not is_inset:
        writer.countries(struck)
    for place in _in_view(frame, ground.places, shown_larger)[: look.places]:
        if place != city:
            writer.place(place)
    if not is_inset:
        writer.seas()
        writer.countries()
    for is_struck, name, line in sorted(lines, key=lambda one: (not one[0], -one[2].length))[:_MOST_LINES]:
        fill = look.palette.struck if is_struck else look.palette.pipe_letters
        for text in _shorter_names(name[:1].upper() + name[1:]):
            if writer.along(writer.label(text, 0.86, fill, bold=is_struck), "labels-lines", line, None):
                break
    writer.rivers()


def _shorter_names(name: str) -> Iterator[str]:
    """Yield the name of a line, then without its ends or section behind a comma, then without what is in brackets."""
    yield from dict.fromkeys((name, name.partition(",")[0], name.partition(" (")[0].partition(",")[0]))


def _in_view(frame: Frame, places: Sequence[NamedPlace], shown_larger: Sequence[BaseGeometry] = ()) -> list[NamedPlace]:
    if not places:
        return []
    at = frame.mm(np.array([(place.lon, place.lat) for place in places]))
    shown = frame.shows(at, 1.0) & ~shapely.intersects(shapely.union_all(shown_larger), shapely.points(at))
    return [place for place, is_shown in zip(places, shown.tolist(), strict=True) if is_shown]


class _NameWriter:
    """Writes names into a frame of a drawing, whose extents say where room is."""

    def __init__(
        self, drawing: Drawing, drawn: DrawnGround, subject: MapSubject, pipes: BaseGeometry, sites: Floats
    ) -> None:
        self._drawing, self._frame, self._look = drawing, drawing.frame, drawing.look
        self._drawn, self._subject = drawn, subject
        self._pipes, self._sites = pipes, sites
        self._inside = shapely.box(*self._frame.box).buffer(-_EDGE, join_style="mitre")
        self._named_sites, self._named_countries = set[int](), set[str]()
        shapely.prepare(self._inside)

    def label(self, text: str, scale: float, fill: str, *, halo: float = _HALO, **style: Any) -> Letters:
        """A name that is centred at a point that is yet to be found, as large as so many times the other letters."""
        return Letters(0, 0, text, self._look.letters * scale, fill, anchor="middle", halo=halo, **style)

    def _fits(self, extent: BaseGeometry) -> bool:
        return bool(self._inside.contains(extent)) and self._drawing.extents.is_free(extent, _ROOM)

    def place(self, place: NamedPlace, is_city: bool = False) -> None:
        """Write a place beside its dot, in the first of eight positions that is free; a city may stand farther off."""
        x, y = self._frame.mm(np.array([[place.lon, place.lat]]))[0].tolist()
        is_bold = place.capital or is_city
        size = self._look.letters * (1.15 if is_city else 1.0 if place.capital else 0.94)
        spot = shapely.Point(x, y).buffer(_DOT + 0.05)
        covered = not self._drawing.extents.is_free(spot, 0.05)
        gaps: tuple[float, ...] = (self._look.symbol * 0.75, self._look.symbol * 1.1) if covered else (_GAP, _GAP + 0.5)
        gaps += tuple(self._look.symbol * far for far in (1.5, 2.0, 2.6)) if is_city else ()
        labels = [
            label
            for gap in gaps
            for label in _beside((x, y), place.name, size, gap, is_bold, self._look)
            if self._fits(label.extent) and not self._pipes.intersects(label.extent)
        ]
        if covered and not is_city:
            labels = self._read_right(labels, (x, y))
        for label in labels[:1]:
            self._drawing.write("labels-places", label)
            if not covered:
                self._drawing.add("labels-places", circle((x, y), _DOT, self._look.palette.ink, "#fff", 0.1))
                self._drawing.extents.claim(spot)

    def _read_right(self, labels: Sequence[Letters], at: tuple[float, float]) -> list[Letters]:
        """Return the names that are read as that of an unnamed site here, the plainest first; none without one."""
        sites = self._sites
        is_here = np.hypot(*(sites - at).T) < _AT_SITE if len(sites) else np.zeros(0, dtype=bool)
        numbers = set(np.flatnonzero(is_here).tolist())
        if not labels or not numbers - self._named_sites:
            return []
        here, others = shapely.multipoints(sites[is_here]), shapely.multipoints(sites[~is_here])
        nearer = {id(one): 0.0 for one in labels}
        if not others.is_empty:
            nearer = {id(one): max(one.extent.distance(here) - one.extent.distance(others), 0.0) for one in labels}
        found = [one for one in labels if nearer[id(one)] < _NEARER * one.size]
        if found:
            self._named_sites |= numbers
        return sorted(found, key=lambda one: nearer[id(one)])

    def seas(self) -> None:
        """Write each sea once, in the widest of its water that is free."""
        written = set[str]()
        taken: BaseGeometry = shapely.Polygon()
        for sea in sea_names(self._subject.words.language):
            if sea.name in written:
                continue
            seen = self._frame.window
            box = shapely.clip_by_rect(shapely.box(*sea.box), seen.west, seen.south, seen.east, seen.north)
            box = shapely.transform(shapely.segmentize(box, 1.0), self._frame.mm)
            if box.is_empty or not box.is_valid:
                continue
            water = self._drawn.water.intersection(box).difference(taken)
            # A sea that finds no room for its name keeps its water: the next one would be read as its name.
            taken = taken.union(box)
            if water.area < _LEAST_SEA * self._frame.width * self._frame.height:
                continue
            for scale in (1.35, 1.1, 0.9):
                spacing, fill = self._look.letters * scale * _WIDE_WATER, self._look.palette.water_letters
                label = self.label(sea.name, scale, fill, halo=0.0, leaning=True, spacing=spacing)
                if self._within(label, "labels-water", water.buffer(-0.3), water):
                    written.add(sea.name)
                    break

    def countries(self, struck: Sequence[str] | None = None) -> None:
        """Write the countries in capitals, where no thin line is under the letters.

        Parameters
        ----------
        struck
            These alone, in their order and whatever their size, over thin lines too; where one has no room for its
            name, that stands near it on a leader, if it is among the first.
        """
        table = self._subject.basemap.countries
        parts, rows = self._frame.cut(table.shape)
        land = self._drawn.land
        parts = shapely.make_valid(parts)
        shapes: dict[str, list[BaseGeometry]] = {}
        for row in np.unique(rows).tolist():
            if (iso := table.iso_a2[row]) is not None:
                shapes.setdefault(str(iso), []).append(shapely.union_all(parts[rows == row]).intersection(land))
        fill = self._look.palette.country_letters
        least = 0.0 if struck is not None else _LEAST_COUNTRY * self._frame.width * self._frame.height
        by_area = sorted(
            ((max(of, key=lambda one: one.area), iso) for iso, of in shapes.items()),
            key=lambda one: (-one[0].area, one[1]),
        )
        chosen = {iso: shape for shape, iso in by_area if shape.area > least and iso not in self._named_countries}
        for number, iso in enumerate(chosen if struck is None else [iso for iso in struck if iso in chosen]):
            shape, name = chosen[iso], self._subject.words.country(iso).upper()
            labels = [
                self.label(name, scale, fill, spacing=self._look.letters * scale * _WIDE_COUNTRY)
                for scale in ((0.95, 0.8) if struck is None else (0.95, 0.8, 0.68))
            ]
            free = shape.buffer(-0.8 if struck is None else -0.3).difference(self._pipes)
            free = free if struck is not None else free.difference(self._drawn.fine)
            if any(self._within(label, "labels-countries", free, shape) for label in labels) or (
                struck is not None and number < self._look.places // 2 and self._on_leader(labels[1], shape)
            ):
                self._named_countries.add(iso)

    def _on_leader(self, label: Letters, shape: BaseGeometry) -> bool:
        """Write the name of a country near it, with a thin line into it, at the first place that is free."""
        here = shapely.point_on_surface(shape)
        for reach in _REACHES:
            for step in range(_DIRECTIONS):
                angle = 2 * math.pi * step / _DIRECTIONS
                x, y = here.x + 1.6 * reach * math.cos(angle), here.y + reach * math.sin(angle)
                moved = replace(label, x=x, y=y + label.size * 0.34, spacing=0.0)
                if not self._fits(moved.extent):
                    continue
                near = shapely.shortest_line(moved.extent, here)
                data = " ".join(f"{x:.2f} {y:.2f}" for x, y in near.coords)
                self._drawing.add(
                    "labels-countries",
                    f'<path d="M{data}" fill="none" stroke="{label.fill}" stroke-width="0.16"/>'
                    f"{circle((here.x, here.y), 0.22, label.fill, label.fill, 0.05)}",
                )
                self._drawing.write("labels-countries", moved)
                return True
        return False

    def _within(self, label: Letters, layer: Layer, room: BaseGeometry, whole: BaseGeometry) -> bool:
        """Write a name within an area, as near to its middle as it is free."""
        free = room.difference(self._drawing.extents.area(0.4)).intersection(self._inside)
        if free.is_empty:
            return False
        shapely.prepare(free)
        west, south, east, north = free.bounds
        grid = np.meshgrid(np.linspace(west, east, _GRID), np.linspace(south, north, _GRID))
        xs, ys = (axis.ravel() for axis in grid)
        left, top, right, bottom = label.extent.bounds
        fits = shapely.contains(free, shapely.box(xs + left, ys + top, xs + right, ys + bottom))
        if not fits.any():
            return False
        middle = whole.centroid
        far = np.where(fits, np.hypot(xs - middle.x, ys - (middle.y + label.size * 0.3)), np.inf)
        at = int(far.argmin())
        self._drawing.write(layer, replace(label, x=float(xs[at]), y=float(ys[at])))
        return True

    def rivers(self) -> None:
        """Write each river once, along a stretch near one of the points that name it."""
        rivers, written = self._drawn.rivers, set[str]()
        for river in river_names(self._subject.words.language):
            if river.name in written or not len(rivers):
                continue
            xy = self._frame.mm(np.array([[river.lon, river.lat]]))
            if not self._frame.shows(xy, 2.0)[0]:
                continue
            here = shapely.Point(xy[0])
            far = shapely.distance(rivers, here)
            label = self.label(river.name, 0.86, self._look.palette.water_letters, leaning=True)
            for at in np.argsort(far, kind="stable")[:3].tolist():
                if far[at] > _NEAR_RIVER:
                    break
                if self.along(label, "labels-water", rivers[at], here):
                    written.add(river.name)
                    break

    def along(self, label: Letters, layer: Layer, line: BaseGeometry, near: shapely.Point | None) -> bool:
        """Write a name beside a line, turned to it, at the first stretch that is straight and free.

        ``near``: the point that names a river, which keeps off pipelines; ``None`` for a pipeline.
        """
        straight, half = (_STRAIGHT_LINE, 0.45) if near is None else (_STRAIGHT_RIVER, 0.1)
        need = width_of(label.text, label.size, label.bold)
        parts = [part for part in shapely.get_parts(line) if part.length > need * 1.05]
        for part in sorted(parts, key=lambda one: -one.length):
            middle = part.project(near) if near is not None else part.length / 2
            stretch = np.linspace(need / 2, part.length - need / 2, 40)
            if near is not None:
                stretch = stretch[np.abs(stretch - middle) < 6 * need]
            for at in sorted(stretch.tolist(), key=lambda one: abs(one - middle)):
                first, last = part.interpolate(at - need / 2), part.interpolate(at + need / 2)
                if first.distance(last) < need * straight:
                    continue
                under = shapely.ops.substring(part, at - need / 2 - 0.5, at + need / 2 + 0.5).buffer(half)
                for turned in _turned(label, first, last):
                    extent = turned.extent
                    if extent.intersects(under) or not self._fits(extent):
                        continue
                    if near is None or not extent.intersects(self._pipes):
                        self._drawing.write(layer, turned)
                        return True
        return False


def _beside(
    at: tuple[float, float], name: str, size: float, gap: float, bold: bool, look: SheetLook
) -> Iterator[Letters]:
    """Yield a name at eight positions about a point: to its right, its left, above and below."""
    x, y = at
    middle, above, below = 0.34 * size, -gap * 0.7, gap * 0.7 + CAPITALS * size
    for dx, dy, anchor in (
        (gap, middle, "start"), (-gap, middle, "end"), (0.0, -gap - DESCENT * size * 0.4, "middle"),
        (0.0, gap + CAPITALS * size, "middle"), (gap * 0.8, above, "start"), (gap * 0.8, below, "start"),
        (-gap * 0.8, above, "end"), (-gap * 0.8, below, "end"),
    ):  # fmt: skip
        yield Letters(x + dx, y + dy, name, size, look.palette.ink, bold=bold, anchor=anchor, halo=_HALO)


def _turned(label: Letters, first: shapely.Point, last: shapely.Point) -> Iterator[Letters]:
    """Yield a name above and below a stretch, at growing distances, never upside down."""
    angle = math.degrees(math.atan2(last.y - first.y, last.x - first.x))
    angle = angle - 180 if angle > 90 else angle + 180 if angle < -90 else angle
    turn = math.radians(angle)
    for side in (-1, 1):
        for off in (0.32, 0.5, 0.72, 0.95, 1.3):
            shift = -off * label.size if side < 0 else (off + CAPITALS) * label.size
            x = (first.x + last.x) / 2 - shift * math.sin(turn)
            y = (first.y + last.y) / 2 + shift * math.cos(turn)
            yield replace(label, x=x, y=y, spacing=0.0, angle=angle)
