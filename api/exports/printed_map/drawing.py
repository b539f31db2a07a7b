"""A drawing in millimetres, y to the south: named layers of SVG with real text, and the extents of what is drawn.

Placement asks the extents of what is drawn for room.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html import escape
from typing import Literal, get_args

import numpy as np
import shapely
from shapely import affinity
from shapely.geometry.base import BaseGeometry

from api.exports.printed_map.extent import Frame
from api.exports.printed_map.lettering import CAPITALS, DESCENT, FAMILY, LEAN_DEG, printable, width_of
from api.exports.printed_map.look import SheetLook
from geo.lonlat import Floats, Objects

#: Layers from the lowest to the highest, as Inkscape and Illustrator list them.
Layer = Literal[
    "land", "sea", "water", "borders", "uncertainty", "lines", "lines-struck", "leaders", "inset-frames",
    "labels-water", "labels-countries", "labels-places", "labels-lines", "sites", "symbols", "furniture", "text",
]  # fmt: skip
LAYERS: tuple[Layer, ...] = get_args(Layer)


@dataclass(frozen=True, slots=True)
class Letters:
    """A text on the drawing: its line begins, is centred or ends at (x, y) in millimetres, size in millimetres.

    It is in letters that the fonts have.
    """

    x: float
    y: float
    text: str
    size: float
    fill: str
    bold: bool = False
    leaning: bool = False
    anchor: str = "start"
    spacing: float = 0.0
    angle: float = 0.0
    halo: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", printable(self.text))

    @property
    def extent(self) -> shapely.Polygon:
        """What the text covers, turned about (x, y)."""
        width = width_of(self.text, self.size, self.bold, self.spacing)
        left = self.x - {"start": 0.0, "middle": width / 2, "end": width}[self.anchor]
        lean = 0.14 * self.size if self.leaning else 0.0
        box = shapely.box(left, self.y - CAPITALS * self.size, left + width + lean, self.y + DESCENT * self.size)
        turned: shapely.Polygon = affinity.rotate(box, self.angle, origin=(self.x, self.y)) if self.angle else box
        return turned

    def svg(self, drawn: Literal["letters", "halo", "both"] = "letters") -> str:
        """The text as an element: its letters, the halo around them, or both."""
        moves = f"rotate({self.angle:.1f} {self.x:.2f} {self.y:.2f})" if self.angle else ""
        if self.leaning:
            moves += f"translate({self.x:.2f} {self.y:.2f}) skewX(-{LEAN_DEG:g}) translate({-self.x:.2f} {-self.y:.2f})"
        halo = f'stroke="#fff" stroke-opacity="0.85" stroke-width="{self.halo:.2f}" stroke-linejoin="round"'
        return (
            f'<text x="{self.x:.2f}" y="{self.y:.2f}" font-size="{self.size:.3f}"'
            + (' font-weight="700"' if self.bold else "")
            + (f' letter-spacing="{self.spacing:.3f}"' if self.spacing else "")
            + (f' text-anchor="{self.anchor}"' if self.anchor != "start" else "")
            + (f' transform="{moves}"' if moves else "")
            + (f' fill="none" {halo}' if drawn == "halo" else f' fill="{self.fill}"')
            + (f' paint-order="stroke" {halo}' if drawn == "both" and self.halo else "")
            + f">{escape(self.text)}</text>"
        )


class ExtentList:
    """What is taken of a drawing."""

    def __init__(self) -> None:
        self.shapes: list[BaseGeometry] = []
        self._bounds: Floats = np.empty((64, 4))

    def claim(self, shape: BaseGeometry) -> None:
        """Take a shape."""
        count = len(self.shapes)
        if count == len(self._bounds):
            self._bounds = np.concatenate([self._bounds, np.empty_like(self._bounds)])
        self._bounds[count] = shape.bounds
        self.shapes.append(shape)

    def is_free(self, shape: BaseGeometry, margin: float = 0.25) -> bool:
        """Whether nothing is nearer to a shape than a margin in millimetres."""
        west, south, east, north = shape.bounds
        known = self._bounds[: len(self.shapes)]
        boxes = (known[:, 0] < east + margin) & (known[:, 2] > west - margin)
        boxes &= (known[:, 1] < north + margin) & (known[:, 3] > south - margin)
        near = (self.shapes[at] for at in np.flatnonzero(boxes).tolist())
        return not any(one.distance(shape) < margin or (not margin and one.intersects(shape)) for one in near)

    def area(self, margin: float) -> BaseGeometry:
        """All that is taken, with a margin in millimetres around it."""
        boxes = shapely.buffer(np.array(self.shapes, dtype=object), margin, quad_segs=1)
        return shapely.union_all(boxes)


@dataclass
class Drawing:
    """Layers of the drawing of a frame; each holds elements of SVG and texts in the order in which they are drawn."""

    frame: Frame
    look: SheetLook
    prefix: str = ""
    layers: dict[str, list[str | Letters]] = field(default_factory=lambda: {name: [] for name in LAYERS})
    extents: ExtentList = field(default_factory=ExtentList)
    insets: list[tuple[str, Drawing]] = field(default_factory=list)
    #: Publishers and licences of the open data that is drawn.
    credits: set[tuple[str, str]] = field(default_factory=set)
    #: Whether a line is drawn of whose course hardly more than the ends is known.
    has_rough: bool = False

    def add(self, layer: Layer, element: str, is_cut: bool = False) -> None:
        """Draw an element, cut to the frame where that is wanted."""
        self.layers[layer].append(f'<g clip-path="url(#{self.prefix}clip-0)">{element}</g>' if is_cut else element)

    def write(self, layer: Layer, letters: Letters) -> None:
        """Draw a text; a name on the map takes its extent."""
        self.layers[layer].append(letters)
        if layer.startswith("labels-"):
            self.extents.claim(letters.extent)

    @property
    def texts(self) -> list[Letters]:
        """All texts, those of insets too."""
        own = [part for layer in self.layers.values() for part in layer if isinstance(part, Letters)]
        return own + [letters for _, inset in self.insets for letters in inset.texts]

    def body(self, single_texts: bool) -> str:
        """The layers as groups.

        Parameters
        ----------
        single_texts
            Whether a halo is the stroke under its own letters, so that a reader of a PDF meets each text once; else
            halos are a layer of their own, as editors draw a stroke over the letters.
        """
        clips = "" if self.prefix else "".join(one._clip for one in (self, *(inset for _, inset in self.insets)))
        inner = "".join(
            group(f"inset-{name}", inset.body(single_texts), f"inset-{name}") for name, inset in self.insets
        )
        return f"<defs>{clips}</defs>" + "".join(self._groups(single_texts)) + inner

    @property
    def _clip(self) -> str:
        left, top, _, _ = self.frame.box
        rectangle = rectangle_svg((left, top, self.frame.width, self.frame.height), "")
        return f'<clipPath id="{self.prefix}clip-0">{rectangle}</clipPath>'

    def _groups(self, single_texts: bool) -> Iterator[str]:
        for name, parts in self.layers.items():
            halos = [part.svg("halo") for part in parts if isinstance(part, Letters) and part.halo]
            if halos and not single_texts:
                yield group(f"{self.prefix}halo-{name}", "".join(halos), f"halo-{name}", ' aria-hidden="true"')
            if parts:
                yield group(self.prefix + name, elements(parts, "both" if single_texts else "letters"), name)


def elements(parts: Iterable[str | Letters], drawn: Literal["letters", "both"] = "letters") -> str:
    """Return elements and texts, each on a line of its own."""
    return "\n".join(part if isinstance(part, str) else part.svg(drawn) for part in parts)


def group(identity: str, body: str, label: str, more: str = "") -> str:
    """Return a group that editors list as a layer by its label."""
    return f'<g id="{identity}" inkscape:groupmode="layer" inkscape:label="{label}"{more}>\n{body}\n</g>\n'


def svg_file(size: tuple[float, float], body: str, title: str, description: str, language: str, style: str = "") -> str:
    """Return a file of a width and height in millimetres."""
    width, height = size
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape" '
        f'width="{width:.2f}mm" height="{height:.2f}mm" viewBox="0 0 {width:.2f} {height:.2f}" xml:lang="{language}" '
        f'role="img" aria-labelledby="title-of-map about-map" font-family="\'{FAMILY}\', sans-serif">\n'
        f'<title id="title-of-map">{escape(title)}</title>\n<desc id="about-map">{escape(description)}</desc>\n'
        + (f"<style>{style}</style>\n" if style else "")
        + f"{body}</svg>\n"
    )


def path_of(shapes: Objects | BaseGeometry) -> str:
    """Return path data of lines and areas, to a hundredth of a millimetre."""
    out = []
    for part in shapely.get_parts(np.atleast_1d(np.asarray(shapes, dtype=object))):
        closed = shapely.get_dimensions(part) == 2
        for ring in shapely.get_rings(part) if closed else shapely.get_parts(part):
            xy = shapely.get_coordinates(ring).round(2)
            steps = np.concatenate([[True], (xy[1:] != xy[:-1]).any(axis=1)])
            if steps.sum() > 1:
                vertices = "L".join(f"{x:g} {y:g}" for x, y in xy[steps].tolist())
                out.append(f"M{vertices}{'Z' if closed else ''}")
    return "".join(out)


def rectangle_svg(box: tuple[float, float, float, float], paint: str) -> str:
    """Return a rectangle of left, top, width and height in millimetres as an element with some paint."""
    left, top, width, height = box
    return f'<rect x="{left:.2f}" y="{top:.2f}" width="{width:.2f}" height="{height:.2f}"{paint and " " + paint}/>'
