"""Composes the frame of a printed map: ground, symbols and names, insets where sites crowd, and a bar of shares."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from api.exports.printed_map.drawing import Drawing, Layer, Letters, rectangle_svg
from api.exports.printed_map.extent import Extent, Frame, Projection, fitted, projected_bounds, projection_for
from api.exports.printed_map.ground_layers import draw_ground, draw_lines
from api.exports.printed_map.lettering import width_of
from api.exports.printed_map.look import SheetLook
from api.exports.printed_map.map_strikes import MapLine
from api.exports.printed_map.name_placement import NameSource, write_names
from api.exports.printed_map.print_words import PrintWords
from api.exports.printed_map.story import MapSite, RankedStrike, Story, StoryClass, sites_of
from api.exports.printed_map.symbol_placement import (
    NoRoom,
    PlacedSymbol,
    Point,
    draw_areas,
    draw_dots,
    draw_symbols,
    on_page,
    page_points,
    place_symbols,
    uncertain_areas,
)
from geo.lonlat import Objects
from layers.ownership.percent import percent_text
from layers.ownership.walk import Interval
from layers.reference.basemap import Basemap
from layers.reference.basemap_archive import BasemapArchive
from layers.reference.map_ground import MapGround, Window, read_ground

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
#: More areas within which places are known hide the map.
_MOST_AREAS = 150


@dataclass(frozen=True)
class MapSubject:
    """What is on a map beside its story: the ground's sources, pipelines, and words."""

    basemap: Basemap
    archive: BasemapArchive | None
    lines: Sequence[MapLine]
    words: PrintWords


@dataclass(frozen=True)
class MapPicture:
    """A composed frame: its drawing, width and height in millimetres, and what its key has to explain.

    ``story`` is what was drawn: numbers may have become dots. ``is_full`` says that they did for want of room.
    """

    drawing: Drawing
    size: Point
    story: Story
    frame: Frame
    ground: MapGround
    is_full: bool
    samples: tuple[str, ...]
    symbols: Sequence[PlacedSymbol] = field(default=())
    areas_left_out: bool = False

    @property
    def has_scale(self) -> bool:
        """Whether there is a scale bar."""
        return _is_scaled(self.frame)


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
    ground = _ground(subject, frame)
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
            is_full = with_table and bool(drawn.strikes) and not drawn.numbered
            with suppress(NoRoom):
                return _Composition(drawn, frame, ground, subject, look).picture(is_full)
    raise AssertionError("dots always have room")


def _ground(subject: MapSubject, frame: Frame) -> MapGround:
    seen = frame.window
    window: Window = (seen.west, seen.south, seen.east, seen.north)
    return read_ground(subject.basemap, subject.archive, window, frame.metres_per_mm, subject.words.language)


class _Composition:
    """Draws a story in a frame."""

    def __init__(self, story: Story, frame: Frame, ground: MapGround, subject: MapSubject, look: SheetLook) -> None:
        self.story, self.frame, self.ground, self.subject, self.look = story, frame, ground, subject, look
        self.drawing = Drawing()
        self.samples = dict[str, None]()
        self.symbols = list[PlacedSymbol]()
        self.sites = [site for site in sites_of(story.numbered) if self._is_seen(frame, site)]
        self.dots = sites_of(story.others)
        self.areas_left_out = False

    def picture(self, is_full: bool) -> MapPicture:
        """Draw all, and return the picture."""
        clip = self.drawing.clip(self.frame.box)
        drawn = draw_ground(self.drawing, self.frame, self.ground, self.look, clip)
        if drawn.former:
            self.samples["former"] = None
        lines = draw_lines(self.drawing, self.frame, self.subject.lines, self.story.struck_lines, self.look, clip)
        insets = self._insets(drawn.land)
        inner = {id(site) for inset in insets for site in inset.sites}
        outer = [site for site in self.sites if id(site) not in inner]
        taken = [(shapely.box(*inset.frame.box), 0.0) for inset in insets]
        scale_bar(self.drawing, self.frame, self.look, self.subject.words, [*taken, *self._off_bars(self.frame, lines)])
        self._areas(self.drawing, self.frame, [*outer, *self.dots], clip)
        draw_dots(self.drawing, self.frame, [*self.dots, *(s for i in insets for s in i.sites)], self.look)
        for inset in insets:
            self._reference(inset)
        self._symbols(self.drawing, self.frame, outer, [line for _, _, line in lines])
        names = NameSource(self.subject.basemap, self.ground, self.subject.words)
        write_names(
            self.drawing, self.frame, drawn, names, self.look, lines, page_points(self.frame, [*outer, *self.dots]),
            shown_larger=[inset.seen_as for inset in insets], struck=self.story.hosts,
        )  # fmt: skip
        neat_line(self.drawing, self.frame, self.look)
        for inset in insets:
            self.drawing.insets.append((inset.letter, self._inset(inset)))
        for is_struck, _, _ in lines:
            self.samples["struck" if is_struck else "pipe"] = None
        if any(one.strike.alternatives for one in self.story.numbered):
            self.samples["either"] = None
        bottom = max([self.frame.box[3], *(inset.frame.box[3] for inset in insets)])
        if self.story.shares:
            bottom = share_bar(
                self.drawing, self.story, (0.2, bottom + 2.0), self.frame.width - 0.4, self.look, self.subject.words
            )
        return MapPicture(
            self.drawing, (self.frame.width, bottom), self.story, self.frame, self.ground, is_full,
            tuple(name for name in ("circle", "struck", "pipe", "either", "former") if name in self.samples),
            self.symbols, self.areas_left_out,
        )  # fmt: skip

    @staticmethod
    def _is_seen(frame: Frame, site: MapSite) -> bool:
        return bool(frame.shows(np.array(on_page(frame, site.places)), 0.3).all())

    def _off_bars(
        self, frame: Frame, lines: Sequence[tuple[bool, str, BaseGeometry]]
    ) -> Iterator[tuple[BaseGeometry, float]]:
        """Yield what a scale bar has to keep off in a frame, and how far: sites, and lines that were struck."""
        sites = [*self.sites, *(self.dots if len(self.dots) <= _MOST_AREAS else ())]
        yield shapely.MultiPoint(page_points(frame, sites)), self.look.symbol * 0.8
        yield from ((line, 0.5) for is_struck, _, line in lines if is_struck)

    def _areas(self, drawing: Drawing, frame: Frame, sites: Sequence[MapSite], clip: str) -> None:
        areas, are_left_out = uncertain_areas(frame, sites, self.look, _MOST_AREAS)
        self.areas_left_out |= are_left_out
        seen = [one for one in areas if one[1].intersects(shapely.box(*frame.box))]
        if seen:
            self.samples["circle"] = None
        draw_areas(drawing, seen, self.look, clip)

    def _symbols(self, drawing: Drawing, frame: Frame, sites: Sequence[MapSite], lines: Sequence[BaseGeometry]) -> None:
        shapes: Objects = np.array(lines, dtype=object)
        placed = place_symbols(drawing, frame, sites, self.look, shapes)
        draw_symbols(drawing, placed, self.look)
        self.symbols += placed

    # --- insets ---------------------------------------------------------------------------------

    def _insets(self, land: BaseGeometry) -> list[_Inset]:
        """Choose the insets, the most crowded first, and take their room."""
        if self.frame.projection.whole_world:
            return []
        below, found = self.look.inset_part >= 1, list[_Inset]()
        width = self.frame.width if below else max(self.frame.width * self.look.inset_part, 30.0)
        height = width * (_BELOW_RATIO if below else _INSET_RATIO)
        known = set[int]()
        for crowd in self._crowds():
            if len(found) == self.look.insets:
                break
            crowd = [site for site in crowd if id(site) not in known]
            inset = self._inset_of(crowd, (width, height), "ABCD"[len(found)], found, land, below) if crowd else None
            if inset is not None and sum(len(site.numbered) for site in inset.sites) >= _LEAST_CROWD:
                found.append(inset)
                known |= {id(site) for site in inset.sites}
                self.drawing.extents.claim("inset", inset.letter, inset.seen_as.buffer(0.3))
                if not below:
                    self.drawing.extents.claim("inset", inset.letter, shapely.box(*inset.frame.box).buffer(0.4))
        return found

    def _crowds(self) -> list[list[MapSite]]:
        """Sites whose symbols would touch, joined by chains of neighbours, the most numbers first."""
        reach = self.look.symbol * _CROWD
        every = [*self.sites, *self.dots] if len(self.dots) <= _MOST_AREAS else self.sites
        at = [(number, point) for number, site in enumerate(every) for point in on_page(self.frame, site.places)]
        parent = list(range(len(every)))

        def root(one: int) -> int:
            while parent[one] != one:
                one = parent[one]
            return one

        for place, (first, point) in enumerate(at):
            for second, other in at[:place]:
                if math.dist(point, other) < reach:
                    parent[root(first)] = root(second)
        groups: dict[int, list[MapSite]] = {}
        for number, site in enumerate(every):
            groups.setdefault(root(number), []).append(site)
        crowds = [
            group
            for group in groups.values()
            if sum(len(site.numbered) for site in group) >= _LEAST_CROWD
            and len({place.point for site in group for place in site.places}) >= 2
        ]
        return sorted(crowds, key=lambda group: -sum(len(site.numbered) for site in group))

    def _inset_of(
        self, crowd: Sequence[MapSite], size: Point, letter: str, others: Sequence[_Inset], land: BaseGeometry,
        below: bool,
    ) -> _Inset | None:  # fmt: skip
        """Return an inset of a crowd where it covers least, ``None`` where each place covers too much."""
        width, height = size
        points = page_points(self.frame, crowd)
        low, high = points.min(axis=0), points.max(axis=0)
        needed = max(
            (high[1] - low[1]) * _INSET_AIR, (high[0] - low[0]) * _INSET_AIR * height / width, height / _INSET_SCALE
        )
        if needed > height * 0.75:
            return None
        middle = (low + high) / 2
        seen_as = shapely.box(
            middle[0] - needed * width / height / 2, middle[1] - needed / 2,
            middle[0] + needed * width / height / 2, middle[1] + needed / 2,
        )  # fmt: skip
        lon, lat = self.frame.lonlat(middle[None, :])[0].tolist()
        if not self.drawing.extents.is_free(seen_as, 0.8):
            return None
        known = {id(site) for inset in others for site in inset.sites}
        inner = _inside(seen_as)
        sites = [
            site for site in self.sites if id(site) not in known and all(map(inner, on_page(self.frame, site.places)))
        ]
        corner = (0.0, self.frame.box[3] + 1.5) if below else self._corner(seen_as, size, sites, others, land)
        if corner is None:
            return None
        projection = _about(lon, lat)
        centre = projection.forward(np.array([[lon, lat]]))[0]
        scale = needed * self.frame.metres_per_mm / height
        frame = Frame(*corner, width, height, projection, (float(centre[0]), float(centre[1])), scale)
        return _Inset(letter, frame, seen_as, sites)

    def _corner(
        self, seen_as: shapely.Polygon, size: Point, sites: Sequence[MapSite], others: Sequence[_Inset],
        land: BaseGeometry,
    ) -> Point | None:  # fmt: skip
        """Return the upper left corner of an inset where it covers least, ``None`` where each place covers too much."""
        width, height = size
        inner = {id(site) for inset in others for site in inset.sites} | {id(site) for site in sites}
        outside = [site for site in [*self.sites, *self.dots] if id(site) not in inner]
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

    def _reference(self, inset: _Inset) -> None:
        """Draw what an inset shows as a box with its letter on the map."""
        left, top, right, bottom = inset.seen_as.bounds
        ink, size = self.look.palette.ink, self.look.letters
        seen = rectangle_svg((left, top, right - left, bottom - top), f'fill="none" stroke="{ink}" stroke-width="0.3"')
        self.drawing.add("inset-frames", seen)
        width, height = width_of(inset.letter, size, True) + 0.9, size * 1.12
        for x, y in (
            (right + 0.45, top), (left - width - 0.45, top), (right + 0.45, bottom - height),
            (left - width - 0.45, bottom - height), (left, top - height - 0.45), (right - width, top - height - 0.45),
            (left, bottom + 0.45), (right - width, bottom + 0.45),
        ):  # fmt: skip
            tag = shapely.box(x, y, x + width, y + height)
            if shapely.box(*self.frame.box).contains(tag) and self.drawing.extents.is_free(tag, 0.1):
                break
        _tag(self.drawing, "inset-frames", (x, y), (width, height), inset.letter, self.look)

    def _inset(self, inset: _Inset) -> Drawing:
        """Draw an inset as a drawing of its own."""
        drawing, frame = Drawing(prefix=f"{inset.letter.lower()}-"), inset.frame
        look = replace(self.look, places=max(8, self.look.places // 2), river_least=2.0)
        clip = drawing.clip(frame.box)
        ground = _ground(self.subject, frame)
        drawn = draw_ground(drawing, frame, ground, look, clip)
        lines = draw_lines(drawing, frame, self.subject.lines, self.story.struck_lines, look, clip)
        here = inset.sites
        near = [site for site in self.dots if self._is_seen(frame, site)]
        size = self.look.letters
        tag = (width_of(inset.letter, size, True) + 1.1, size * 1.25)
        _tag(drawing, "furniture", (frame.left, frame.top), tag, inset.letter, look)
        scale_bar(drawing, frame, look, self.subject.words, self._off_bars(frame, lines), 0.3)
        self._areas(drawing, frame, [*here, *near], clip)
        draw_dots(drawing, frame, near, look)
        self._symbols(drawing, frame, here, [line for _, _, line in lines])
        names = NameSource(self.subject.basemap, ground, self.subject.words)
        write_names(drawing, frame, drawn, names, look, lines, page_points(frame, [*here, *near]), True)
        neat_line(drawing, frame, look)
        self.drawing.clips += drawing.clips
        return drawing


def _inside(box: shapely.Polygon) -> Callable[[Point], bool]:
    left, top, right, bottom = box.bounds
    return lambda point: left + 0.2 < point[0] < right - 0.2 and top + 0.2 < point[1] < bottom - 0.2


def _about(lon: float, lat: float) -> Projection:
    return projection_for(Extent(lon - 0.5, max(lat - 0.5, -90.0), lon + 0.5, min(lat + 0.5, 90.0)))


def _tag(drawing: Drawing, layer: Layer, corner: Point, size: Point, letter: str, look: SheetLook) -> None:
    (x, y), (width, height) = corner, size
    ink = look.palette.ink
    drawing.add(layer, rectangle_svg((x, y, width, height), f'fill="{ink}"'))
    middle = Letters(
        x + width / 2, y + height / 2 + look.letters * 0.34, letter, look.letters * 0.95, "#ffffff", True,
        anchor="middle",
    )  # fmt: skip
    drawing.write(layer, middle)
    drawing.extents.claim("tag", letter, shapely.box(x, y, x + width, y + height))


# --- furniture ------------------------------------------------------------------------------------


def _is_scaled(frame: Frame) -> bool:
    return not frame.projection.whole_world and frame.metres_per_mm * frame.width < _WIDEST_SCALED_M


def scale_bar(
    drawing: Drawing, frame: Frame, look: SheetLook, words: PrintWords, avoid: Iterable[tuple[BaseGeometry, float]],
    part: float = 0.22,
) -> None:  # fmt: skip
    """Draw a bar of a round length, true at the middle of the frame, in the first corner that is free.

    It keeps its distance, in millimetres, from each shape that it is to avoid.

    A world map has none: its scale is not the same everywhere.
    """
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
    drawing.extents.claim("scale", label.text, box)


def neat_line(drawing: Drawing, frame: Frame, look: SheetLook) -> None:
    """Draw the line around a frame."""
    left, top, right, bottom = frame.box
    box = (left + 0.12, top + 0.12, right - left - 0.24, bottom - top - 0.24)
    drawing.add("furniture", rectangle_svg(box, f'fill="none" stroke="{look.palette.ink}" stroke-width="0.25"'))


def share_bar(drawing: Drawing, story: Story, corner: Point, width: float, look: SheetLook, words: PrintWords) -> float:
    """Draw the shares of one strike as a bar with the owners under it, and return where it ends.

    A share that is a range is drawn from its least to its largest as hatched white; what is surely held is filled.
    """
    size, height = look.letters, look.symbol * 1.15
    x, y = corner
    drawing.write("text", Letters(x, y + size, words("table.bar"), size, look.palette.ink, True))
    top, low = y + size * 1.6, 0
    total = max(100.0, sum(share.high for _, share in story.shares))
    at = x
    for number, (owner, share) in enumerate(story.shares):
        part = width * share.high / total
        kind: StoryClass = "unclear" if owner is None else "home" if owner == story.home else "abroad"
        for element in _bar_part((at, top), (part, height), share, kind, look):
            drawing.add("symbols", element)
        label = words.country(owner)
        figure = _range(share, words)
        sure = part * share.low / share.high if share.high and kind != "unclear" else 0.0
        # The figure stands on what is filled or on what is not, whichever is wider: no letter is on both.
        first, last = (at, at + sure) if sure >= part - sure else (at + sure, at + part)
        if last - first > width_of(figure, size, True) + 1:
            letters = look.palette.classes[kind].letters if first == at and sure else look.palette.ink
            place, baseline = (first + last) / 2, top + height / 2 + size * 0.36
            drawing.write("text", Letters(place, baseline, figure, size * 0.95, letters, True, anchor="middle"))
        else:
            label = f"{label} {figure}"
        if not low and (part >= width_of(label, size * 0.9) + 1 or number == 0):
            drawing.write("text", Letters(at, top + height + size * 1.15, label, size * 0.9, look.palette.ink))
        else:
            low += 1
            middle, line = min(at + part / 2, x + width - 0.1), top + height + size * 1.15 * (low + 1)
            hook = f"M{middle:.2f} {top + height:.2f}V{line - size * 0.33:.2f}h-0.7"
            drawing.add("text", f'<path d="{hook}" fill="none" stroke="{look.palette.ink}" stroke-width="0.15"/>')
            drawing.write("text", Letters(middle - 1, line, label, size * 0.9, look.palette.ink, anchor="end"))
        at += part
    return top + height + size * (1.6 + 1.15 * low)


def _bar_part(corner: Point, size: Point, share: Interval, kind: StoryClass, look: SheetLook) -> Iterator[str]:
    (x, y), (width, height) = corner, size
    drawn = look.palette.classes[kind]
    sure = width * share.low / share.high if share.high else 0.0
    dash = ' stroke-dasharray="0.55 0.35"' if drawn.dashed or share.low < share.high else ""
    edge = f'fill="#ffffff" stroke="{drawn.edge}" stroke-width="0.2"{dash}'
    yield rectangle_svg((x + 0.15, y + 0.15, max(width - 0.3, 0.1), height - 0.3), edge)
    if sure > 0.2 and not drawn.dashed:
        yield rectangle_svg((x + 0.1, y, sure - 0.2, height), f'fill="{drawn.fill}"')


def _range(share: Interval, words: PrintWords) -> str:
    low, high = (words.number(percent_text(end, 1)) for end in share.rounded())
    return low if low == high else f"{low}–{high}"
