"""Composes the frame of a printed map: ground, symbols and names, insets where sites crowd, and a bar of shares."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from api.exports.printed_map.drawing import Drawing, Layer, Letters, rectangle_svg
from api.exports.printed_map.extent import Extent, Frame, fitted, projected_bounds, projection_for
from api.exports.printed_map.ground_layers import DrawnLine, MapSubject, draw_ground, draw_lines, ground_of
from api.exports.printed_map.lettering import width_of
from api.exports.printed_map.look import SheetLook
from api.exports.printed_map.name_placement import write_names
from api.exports.printed_map.print_words import PrintWords
from api.exports.printed_map.story import MapSite, RankedStrike, Story, StoryClass, sites_of
from api.exports.printed_map.symbol_placement import (
    MOST_AREAS,
    NoRoom,
    PlacedSymbol,
    Point,
    draw_areas,
    draw_dots,
    draw_symbols,
    page_points,
    place_room,
    place_symbols,
)
from geo.lonlat import Objects
from layers.reference.map_ground import MapGround

#: Sites within so many heights of a symbol of each other are a crowd; three symbols make an inset.
_CROWD, _LEAST_CROWD = 1.5, 3
#: An inset is as large as its sites need times this, and at most so many times the scale of the map.
_INSET_AIR, _INSET_SCALE = 1.8, 5.0
_INSET_RATIO, _BELOW_RATIO = 0.74, 0.42
#: An inset stands at the frame, in one of so many places along each of its sides, and covers no site, nor its dot.
_INSET_STEPS, _INSET_ROOM = 5, 0.6
#: An inset that would cover more than this is left out (sites close to it count 20 each).
_INSET_COST = 60.0
#: Lengths of a scale bar in kilometres, and the widest map that has one, in metres.
_LENGTHS_KM = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)
_WIDEST_SCALED_M = 6_000_000.0
#: Among more strikes than this, the first ones alone are not numbered.
_MOST_LEADING = 300


@dataclass(frozen=True)
class _Inset:
    letter: str
    frame: Frame
    seen_as: shapely.Polygon
    sites: list[MapSite]


def compose(story: Story, extent: Extent, subject: MapSubject, look: SheetLook, with_table: bool) -> MapPicture:
    """Compose the frame of an extent.

    Numbers that find no room become dots: those of all classes but the first, then those after the most that a sheet
    has, and at last all of them.

    ``with_table``: whether strikes are listed, by number where there is room.
    """
    width, highest = look.frame
    projection = projection_for(extent)
    west, south, east, north = projected_bounds(extent, projection)
    natural = width * (north - south) / (east - west)
    frame = fitted(extent, projection, (0.0, 0.0, width, max(min(natural, highest), width * 0.3)))
    ground = ground_of(frame, subject)
    first: StoryClass | None = story.numbered[0].kind if story.numbered else None
    few = len(story.strikes) <= _MOST_LEADING
    keeping: Sequence[Callable[[RankedStrike], bool]] = (
        lambda one: True,
        lambda one: one.kind == first,
        lambda one: few and (one.number or 0) <= look.numbers,
        lambda one: False,
    )
    for keep in keeping:
        if sum(map(keep, story.numbered)) <= look.numbers:
            drawn = story.without_numbers(keep)
            with suppress(NoRoom):
                is_full = with_table and bool(drawn.strikes) and not drawn.numbered
                return MapPicture(drawn, frame, ground, subject, look, is_full)
    raise AssertionError("dots always have room")


class MapPicture:
    """A composed frame: its drawing, width and height in millimetres, and what its key has to explain.

    ``story`` is what was drawn: numbers may have become dots. ``is_full`` says that they did for want of room.

    Raises
    ------
    NoRoom
        If there is no room for one of the numbers.
    """

    def __init__(
        self, story: Story, frame: Frame, ground: MapGround, subject: MapSubject, look: SheetLook, is_full: bool
    ) -> None:
        self.story, self.frame, self.ground, self.subject, self.look = story, frame, ground, subject, look
        self.is_full, self.areas_left_out, self._has_areas = is_full, False, False
        self.drawing, self.symbols = Drawing(frame, look), list[PlacedSymbol]()
        self._insets = list[_Inset]()
        self._sites = [site for site in sites_of(story.numbered) if self._is_seen(frame, site)]
        self._dots = sites_of(story.others)
        lines, has_former = self._draw(self.drawing, ground, self._sites, self._dots)
        bottom = max(one.box[3] for one in (frame, *(inset.frame for inset in self._insets)))
        if story.shares:
            bottom = share_bar(self.drawing, story, bottom + 2.0, subject.words)
        self.size: Point = (frame.width, bottom)
        explained = {
            "circle": self._has_areas,
            "struck": any(is_struck for is_struck, _, _ in lines),
            "pipe": any(not is_struck for is_struck, _, _ in lines),
            "either": any(one.strike.alternatives for one in story.numbered),
            "former": has_former,
        }
        self.samples = tuple(name for name, is_drawn in explained.items() if is_drawn)

    @property
    def has_scale(self) -> bool:
        """Whether there is a scale bar."""
        return _is_scaled(self.frame)

    def _draw(
        self, drawing: Drawing, ground: MapGround, sites: Sequence[MapSite], dots: Sequence[MapSite], letter: str = ""
    ) -> tuple[Sequence[DrawnLine], bool]:
        """Draw the map, or the inset of a letter; return its lines, and whether it has shores of before."""
        frame, look = drawing.frame, drawing.look
        drawn = draw_ground(drawing, ground)
        lines = draw_lines(drawing, self.subject.lines, self.story.struck_lines)
        if letter:
            tag = (width_of(letter, look.letters, True) + 1.1, look.letters * 1.25)
            _tag(drawing, "furniture", (frame.left, frame.top), tag, letter)
        else:
            self._choose_insets(drawn.land)
        insets = [] if letter else self._insets
        larger = [site for inset in insets for site in inset.sites]
        known = {id(site) for site in larger}
        outer = [site for site in sites if id(site) not in known]
        # What the scale bar keeps off, and how far: insets, sites, and lines that were struck.
        avoid: list[tuple[BaseGeometry, float]] = [(shapely.box(*inset.frame.box), 0.0) for inset in insets]
        avoid.append((shapely.MultiPoint(page_points(frame, self._shown)), self.look.symbol * 0.8))
        avoid += [(line, 0.5) for is_struck, _, line in lines if is_struck]
        scale_bar(drawing, self.subject.words, avoid, 0.3 if letter else 0.22)
        has_areas, are_left_out = draw_areas(drawing, [*outer, *dots])
        self._has_areas |= has_areas
        self.areas_left_out |= are_left_out
        draw_dots(drawing, [*dots, *larger])
        for inset in insets:
            self._reference(inset, shapely.MultiPoint(page_points(frame, outer)))
        shapes: Objects = np.array([line for _, _, line in lines], dtype=object)
        placed = place_symbols(drawing, outer, shapes)
        draw_symbols(drawing, placed)
        self.symbols += placed
        write_names(
            drawing, drawn, self.subject, ground, lines, page_points(frame, [*outer, *dots]), bool(letter),
            shown_larger=[inset.seen_as for inset in insets], struck=() if letter else self.story.hosts,
        )  # fmt: skip
        neat_line(drawing)
        drawing.insets += [(inset.letter, self._inset(inset)) for inset in insets]
        return lines, drawn.former

    @staticmethod
    def _is_seen(frame: Frame, site: MapSite) -> bool:
        return bool(frame.shows(page_points(frame, [site]), 0.3).all())

    @property
    def _shown(self) -> list[MapSite]:
        """The sites that are seen one by one: those with numbers, and the dots where they are few."""
        return [*self._sites, *(self._dots if len(self._dots) <= MOST_AREAS else ())]

    # --- insets ---------------------------------------------------------------------------------

    def _choose_insets(self, land: BaseGeometry) -> None:
        """Choose the insets, the most crowded first, and take their room."""
        if self.frame.projection.whole_world:
            return
        below, known = self.look.inset_part >= 1, set[int]()
        width = self.frame.width if below else max(self.frame.width * self.look.inset_part, 30.0)
        size = (width, width * (_BELOW_RATIO if below else _INSET_RATIO))
        for crowd in self._crowds():
            if len(self._insets) == self.look.insets:
                break
            crowd = [site for site in crowd if id(site) not in known]
            inset = self._inset_of(crowd, size, known, land, below) if crowd else None
            if inset is not None and sum(len(site.numbered) for site in inset.sites) >= _LEAST_CROWD:
                self._insets.append(inset)
                known |= {id(site) for site in inset.sites}
                self.drawing.extents.claim(inset.seen_as.buffer(0.3))
                if not below:
                    self.drawing.extents.claim(shapely.box(*inset.frame.box).buffer(0.4))

    def _crowds(self) -> list[list[MapSite]]:
        """Sites whose symbols would touch, joined by chains of neighbours, the most numbers first."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components
        from scipy.spatial import cKDTree

        every = self._shown
        if not every:
            return []
        pairs = cKDTree(page_points(self.frame, every)).query_pairs(self.look.symbol * _CROWD, output_type="ndarray")
        site_of = np.repeat(np.arange(len(every)), [len(site.places) for site in every])
        first, second = site_of[pairs].T
        near = coo_array((np.ones(len(pairs)), (first, second)), shape=(len(every), len(every)))
        count, group_of = connected_components(near, directed=False)
        groups = [[every[at] for at in np.flatnonzero(group_of == group)] for group in range(count)]
        sizes = {id(group): sum(len(site.numbered) for site in group) for group in groups}
        crowds = [
            group
            for group in groups
            if sizes[id(group)] >= _LEAST_CROWD and len({place.point for site in group for place in site.places}) >= 2
        ]
        return sorted(crowds, key=lambda group: -sizes[id(group)])

    def _inset_of(
        self, crowd: Sequence[MapSite], size: Point, known: Set[int], land: BaseGeometry, below: bool
    ) -> _Inset | None:
        """Return an inset of a crowd where it covers least, ``None`` where each place covers too much.

        ``known``: sites of other insets.
        """
        width, height = size
        points = page_points(self.frame, crowd)
        low, high = points.min(axis=0), points.max(axis=0)
        needed = max(
            (high[1] - low[1]) * _INSET_AIR, (high[0] - low[0]) * _INSET_AIR * height / width, height / _INSET_SCALE
        )
        if needed > height * 0.75:
            return None
        x, y = middle = (low + high) / 2
        half = needed * width / height / 2
        seen_as = shapely.box(x - half, y - needed / 2, x + half, y + needed / 2)
        if not self.drawing.extents.is_free(seen_as, 0.8):
            return None
        inner = seen_as.buffer(-0.2, join_style="mitre")
        sites = [
            site
            for site in self._sites
            if id(site) not in known and inner.contains_properly(shapely.MultiPoint(page_points(self.frame, [site])))
        ]
        known = known | {id(site) for site in sites}
        corner = (0.0, self.frame.box[3] + 1.5) if below else self._corner(seen_as, size, known, land)
        if corner is None:
            return None
        lon, lat = self.frame.lonlat(middle[None, :])[0].tolist()
        projection = projection_for(Extent(lon - 0.5, max(lat - 0.5, -90.0), lon + 0.5, min(lat + 0.5, 90.0)))
        centre_x, centre_y = projection.forward(np.array([[lon, lat]]))[0].tolist()
        scale = needed * self.frame.metres_per_mm / height
        frame = Frame(*corner, width, height, projection, (centre_x, centre_y), scale)
        return _Inset("ABCD"[len(self._insets)], frame, seen_as, sites)

    def _corner(self, seen_as: shapely.Polygon, size: Point, known: Set[int], land: BaseGeometry) -> Point | None:
        """Return the upper left corner of an inset where it covers least, ``None`` where each place covers too much."""
        width, height = size
        outside = [site for site in [*self._sites, *self._dots] if id(site) not in known]
        points: Objects = np.asarray(shapely.points(page_points(self.frame, outside)), dtype=object)
        left, right = 1.2, self.frame.width - width - 1.2
        top, bottom = 1.2, self.frame.height - height - 1.2

        def cost(corner: Point) -> float:
            box = shapely.box(*corner, corner[0] + width, corner[1] + height)
            wide = box.buffer(2.5, join_style="mitre")
            covered = 20.0 * int(shapely.intersects(points, wide).sum()) if len(points) else 0.0
            if len(points) and shapely.intersects(points, box.buffer(_INSET_ROOM)).any():
                return math.inf
            taken = 500.0 * (not self.drawing.extents.is_free(wide, 0.0)) + 100.0 * seen_as.intersects(wide)
            is_aside = corner[0] not in (left, right) or corner[1] not in (top, bottom)
            return covered + taken + 4.0 * is_aside + 14.0 * box.intersection(land).area / box.area

        steps = np.linspace(0.0, 1.0, _INSET_STEPS)
        ends = (0.0, 1.0)
        along = [(x, y) for x in steps for y in steps if x in ends or y in ends]
        corners = [(left + x * (right - left), top + y * (bottom - top)) for x, y in along]
        best = min((corner for corner in corners if corner[1] > 0), key=cost, default=None)
        return best if best is not None and cost(best) < _INSET_COST else None

    def _reference(self, inset: _Inset, places: shapely.MultiPoint) -> None:
        """Draw what an inset shows as a box, with its letter off the true places of sites where there is room."""
        left, top, right, bottom = inset.seen_as.bounds
        ink, size = self.look.palette.ink, self.look.letters
        seen = rectangle_svg((left, top, right - left, bottom - top), f'fill="none" stroke="{ink}" stroke-width="0.3"')
        self.drawing.add("inset-frames", seen)
        width, height = width_of(inset.letter, size, True) + 0.9, size * 1.12
        sides = (
            (right + 0.45, top), (left - width - 0.45, top), (right + 0.45, bottom - height),
            (left - width - 0.45, bottom - height), (left, top - height - 0.45), (right - width, top - height - 0.45),
            (left, bottom + 0.45), (right - width, bottom + 0.45),
        )  # fmt: skip
        tags = [(at, shapely.box(*at, at[0] + width, at[1] + height)) for at in sides]
        whole = shapely.box(*self.frame.box)
        free = [(at, tag) for at, tag in tags if whole.contains(tag) and self.drawing.extents.is_free(tag, 0.1)]
        # A symbol that moves aside leaves a dot, or a ring, at its true place.
        clear = [at for at, tag in free if not shapely.dwithin(tag, places, place_room(self.look))]
        corner, *_ = *clear, *(at for at, _ in free), sides[-1]
        _tag(self.drawing, "inset-frames", corner, (width, height), inset.letter)

    def _inset(self, inset: _Inset) -> Drawing:
        """Draw an inset as a drawing of its own."""
        look = replace(self.look, places=max(8, self.look.places // 2), river_least=2.0)
        drawing = Drawing(inset.frame, look, f"{inset.letter.lower()}-")
        near = [site for site in self._dots if self._is_seen(inset.frame, site)]
        self._draw(drawing, ground_of(inset.frame, self.subject), inset.sites, near, inset.letter)
        return drawing


def _tag(drawing: Drawing, layer: Layer, corner: Point, size: Point, letter: str) -> None:
    (x, y), (width, height), look = corner, size, drawing.look
    drawing.add(layer, rectangle_svg((x, y, width, height), f'fill="{look.palette.ink}"'))
    middle = Letters(
        x + width / 2, y + height / 2 + look.letters * 0.34, letter, look.letters * 0.95, "#ffffff", True,
        anchor="middle",
    )  # fmt: skip
    drawing.write(layer, middle)
    drawing.extents.claim(shapely.box(x, y, x + width, y + height))


# --- furniture ------------------------------------------------------------------------------------


def _is_scaled(frame: Frame) -> bool:
    return not frame.projection.whole_world and frame.metres_per_mm * frame.width < _WIDEST_SCALED_M


def scale_bar(drawing: Drawing, words: PrintWords, avoid: Iterable[tuple[BaseGeometry, float]], part: float) -> None:
    """Draw a bar of a round length, true at the middle of the frame, in the first corner that is free.

    It keeps its distance, in millimetres, from each shape that it is to avoid.

    A world map has none: its scale is not the same everywhere.
    """
    frame, look = drawing.frame, drawing.look
    if not _is_scaled(frame):
        return
    longest = frame.width * part * frame.true_metres_per_mm / 1000
    km = max((length for length in _LENGTHS_KM if length <= longest), default=_LENGTHS_KM[0])
    length, size = km * 1000 / frame.true_metres_per_mm, look.letters * 0.85
    left, top, right, bottom = frame.box
    shapes, distances = (np.array(part) for part in zip(*avoid, strict=True))
    for x, y in (
        (left + 1.8, bottom - 1.8), (right - 1.8 - length, bottom - 1.8), (right - 1.8 - length, top + 2.6 + size),
        (left + length * 0.5, bottom - 1.8), (left + 1.8, bottom - 12.0), (right - 1.8 - length, bottom - 12.0),
    ):  # fmt: skip
        label = Letters(
            x + length / 2, y - 0.75, f"{km} {words('unit.km')}", size, look.palette.ink, anchor="middle", halo=0.5
        )
        box = shapely.union(label.extent, shapely.box(x, y - 0.8, x + length, y + 0.2)).envelope
        if drawing.extents.is_free(box, 0.3) and not shapely.dwithin(shapes, box, distances).any():  # type: ignore[call-overload]
            break
    else:
        return
    drawing.add(
        "furniture",
        f'<path d="M{x:.2f} {y - 0.8:.2f}v0.8h{length:.2f}v-0.8" fill="none" stroke="{look.palette.ink}" '
        'stroke-width="0.28"/>',
    )
    drawing.write("furniture", label)
    drawing.extents.claim(box)


def neat_line(drawing: Drawing) -> None:
    """Draw the line around a frame."""
    frame, ink = drawing.frame, drawing.look.palette.ink
    box = (frame.left + 0.12, frame.top + 0.12, frame.width - 0.24, frame.height - 0.24)
    drawing.add("furniture", rectangle_svg(box, f'fill="none" stroke="{ink}" stroke-width="0.25"'))


def share_bar(drawing: Drawing, story: Story, y: float, words: PrintWords) -> float:
    """Draw the shares of one strike as a bar from ``y`` down with the owners under it, and return where it ends.

    A share that is a range is drawn from its least to its largest as hatched white; what is surely held is filled.
    """
    look, x, width = drawing.look, 0.2, drawing.frame.width - 0.4
    size, height, ink = look.letters, look.symbol * 1.15, look.palette.ink
    drawing.write("text", Letters(x, y + size, words("table.bar"), size, ink, True))
    at, top, low = x, y + size * 1.6, 0
    total = max(100.0, sum(share.high for _, share in story.shares))
    for number, (owner, share) in enumerate(story.shares):
        part = width * share.high / total
        kind: StoryClass = "unclear" if owner is None else "home" if owner == story.home else "abroad"
        drawn, label, figure = look.palette.classes[kind], words.country(owner), words.bounds(share, 1)
        dash = ' stroke-dasharray="0.55 0.35"' if drawn.dashed or share.low < share.high else ""
        edge = f'fill="#ffffff" stroke="{drawn.edge}" stroke-width="0.2"{dash}'
        drawing.add("symbols", rectangle_svg((at + 0.15, top + 0.15, max(part - 0.3, 0.1), height - 0.3), edge))
        sure = part * share.low / share.high if share.high and not drawn.dashed else 0.0
        if sure > 0.2:
            drawing.add("symbols", rectangle_svg((at + 0.1, top, sure - 0.2, height), f'fill="{drawn.fill}"'))
        # The figure stands on what is filled or on what is not, whichever is wider: no letter is on both.
        first, last = (at, at + sure) if sure >= part - sure else (at + sure, at + part)
        if last - first > width_of(figure, size, True) + 1:
            letters = drawn.letters if first == at and sure else ink
            place, baseline = (first + last) / 2, top + height / 2 + size * 0.36
            drawing.write("text", Letters(place, baseline, figure, size * 0.95, letters, True, anchor="middle"))
        else:
            label = f"{label} {figure}"
        if not low and (part >= width_of(label, size * 0.9) + 1 or number == 0):
            drawing.write("text", Letters(at, top + height + size * 1.15, label, size * 0.9, ink))
        else:
            low += 1
            middle, line = min(at + part / 2, x + width - 0.1), top + height + size * 1.15 * (low + 1)
            hook = f"M{middle:.2f} {top + height:.2f}V{line - size * 0.33:.2f}h-0.7"
            drawing.add("text", f'<path d="{hook}" fill="none" stroke="{ink}" stroke-width="0.15"/>')
            drawing.write("text", Letters(middle - 1, line, label, size * 0.9, ink, anchor="end"))
        at += part
    return top + height + size * (1.6 + 1.15 * low)
