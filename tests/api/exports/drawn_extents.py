"""What a printed map shows, measured from the elements of its SVG, not from what placement took down."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations

import shapely
from shapely.geometry.base import BaseGeometry

from api.exports.printed_map.drawing import Letters
from api.exports.printed_map.map_frame import MapPicture

_SVG = "{http://www.w3.org/2000/svg}"
_LABEL = "{http://www.inkscape.org/namespaces/inkscape}label"
#: An overlap in square millimetres from which on two things touch: coordinates are written to a hundredth.
_TOUCH = 0.03
#: Of a leader, the millimetres that lie under a name.
_CROSSES = 0.05
#: Cells of a symbol in several rows need not fill the last: its box has another middle.
_OFF_MM = 1.0
#: A symbol whose middle is so many millimetres from its place has a leader.
FAR_MM = 2.0


@dataclass
class DrawnFrame:
    """A map, or an inset: boxes of symbols and of names with their words, leaders, dots, neat line, in millimetres."""

    symbols: list[tuple[str, BaseGeometry]] = field(default_factory=list)
    names: list[tuple[str, BaseGeometry]] = field(default_factory=list)
    leaders: list[shapely.LineString] = field(default_factory=list)
    dots: list[BaseGeometry] = field(default_factory=list)
    box: BaseGeometry = field(default_factory=shapely.Polygon)

    def overlaps(self) -> Iterator[str]:
        """Yield what is drawn over each other: symbols and names over anything, dots and leaders over names."""
        solid = [*self.symbols, *self.names]
        for (first, one), (second, other) in combinations(solid, 2):
            if one.intersection(other).area > _TOUCH:
                yield f"{first} / {second}"
        for name, box in solid:
            yield from (f"{name} / dot {dot.centroid.wkt}" for dot in self.dots if box.intersection(dot).area > _TOUCH)
        for name, box in self.names:
            yield from (f"{name} / {one.wkt}" for one in self.leaders if box.intersection(one).length > _CROSSES)

    def unled(self, at: shapely.Point, targets: tuple[tuple[float, float], ...]) -> list[float]:
        """Return how far a symbol is from each of its places that it is neither near nor led to, in millimetres."""
        return [
            at.distance(shapely.Point(target))
            for target in targets
            if at.distance(shapely.Point(target)) > FAR_MM
            and not any(_joins(leader, at, shapely.Point(target)) for leader in self.leaders)
        ]


def drawn_frames(picture: MapPicture) -> list[DrawnFrame]:
    """Read a map and its insets."""
    root = ElementTree.fromstring(
        f'<svg xmlns="{_SVG[1:-1]}" xmlns:inkscape="{_LABEL[1:-6]}">{picture.drawing.body(False)}</svg>'
    )
    frames = [DrawnFrame()]
    for group in root:
        label = group.get(_LABEL, "")
        if label.startswith("inset-") and label != "inset-frames":
            frames.append(DrawnFrame())
            for inner in group:
                _read(inner, frames[-1])
        else:
            _read(group, frames[0])
    return frames


def hidden_sites(picture: MapPicture) -> list[str]:
    """Name the dots, symbols and names of a map that an inset covers."""
    whole, *insets = drawn_frames(picture)
    shown = [*whole.symbols, *whole.names, *((f"dot {dot.centroid.wkt}", dot) for dot in whole.dots)]
    return [name for name, shape in shown if any(inset.box.intersects(shape) for inset in insets)]


def unled_symbols(picture: MapPicture) -> list[str]:
    """Name the symbols that stand farther from a place of theirs than is plain to see, without a leader to it."""
    drawn = [(frame, title, box.centroid) for frame in drawn_frames(picture) for title, box in frame.symbols]
    assert len(drawn) == len(picture.symbols)
    found = []
    for symbol in picture.symbols:
        title = "; ".join(f"{one.number} {one.strike.title}" for one in symbol.site.numbered)
        near = [one for one in drawn if one[1] == title and one[2].distance(shapely.Point(symbol.at)) < _OFF_MM]
        assert len(near) == 1, title
        frame, _, middle = near[0]
        found += [f"{title}: {far:.1f} mm" for far in frame.unled(middle, symbol.targets)]
    return found


def _joins(leader: shapely.LineString, middle: shapely.Point, target: shapely.Point) -> bool:
    first, last = (shapely.Point(point) for point in leader.coords)
    return first.distance(middle) < _OFF_MM and last.distance(target) < 0.02


def _read(group: ElementTree.Element, frame: DrawnFrame) -> None:
    label = group.get(_LABEL, "")
    if label == "symbols":
        for symbol in group.iter(f"{_SVG}g"):
            title = symbol.find(f"{_SVG}title")
            if title is not None:
                boxes = shapely.union_all([_box(one) for one in symbol.iter(f"{_SVG}rect")])
                frame.symbols.append((title.text or "", boxes.envelope))
    elif label == "leaders":
        for path in group.iter(f"{_SVG}path"):
            numbers = [float(one) for one in re.findall(r"-?[\d.]+", path.get("d", ""))]
            frame.leaders.append(shapely.LineString([numbers[:2], numbers[2:]]))
    elif label == "sites":
        frame.dots += [
            shapely.Point(float(one.get("cx", 0)), float(one.get("cy", 0))).buffer(float(one.get("r", 0)))
            for one in group.iter(f"{_SVG}circle")
        ]
        frame.dots += [_box(one) for one in group.iter(f"{_SVG}rect")]
    elif label == "furniture":
        frame.box = max((_box(one) for one in group.iter(f"{_SVG}rect")), key=lambda box: box.area)
    elif label.startswith("labels-") or label == "inset-frames":
        frame.names += [("".join(one.itertext()), _letters(one)) for one in group.iter(f"{_SVG}text")]


def _box(rect: ElementTree.Element) -> BaseGeometry:
    x, y, width, height = (float(rect.get(name, 0)) for name in ("x", "y", "width", "height"))
    return shapely.box(x, y, x + width, y + height)


def _letters(text: ElementTree.Element) -> BaseGeometry:
    turned = re.search(r"rotate\((-?[\d.]+)", text.get("transform", ""))
    leaning = "skewX" in text.get("transform", "")
    angle = float(turned[1]) if turned else 0.0
    return Letters(
        float(text.get("x", 0)), float(text.get("y", 0)), "".join(text.itertext()), float(text.get("font-size", 0)), "",
        text.get("font-weight") == "700", leaning, text.get("text-anchor", "start"),
        float(text.get("letter-spacing", 0)), angle,
    ).extent  # fmt: skip
