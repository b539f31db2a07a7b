"""A printed page measured in millimetres: one axes over the whole figure, text that is measured before it is set."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.patheffects import Stroke
from matplotlib.textpath import text_to_path

from api.exports.symbols import Shape
from geo.lonlat import Floats

FAMILY = "DejaVu Sans"
MM_PER_INCH = 25.4
MM_PER_POINT = MM_PER_INCH / 72
#: Distance from one line of text to the next, in parts of the font size.
LEADING = 1.32
#: Any space but the no-break ones.
_SPACES = re.compile(r"[ \t\r\n\f\v\u2028\u2029]+")
INK, SOFT_INK, RULE = "#1a1a1a", "#565656", "#b9b4ab"


@lru_cache(maxsize=2)
def font(bold: bool = False) -> FontProperties:
    """Return the typeface that comes with matplotlib, so a map looks the same everywhere."""
    return FontProperties(family=FAMILY, weight="bold" if bold else "normal")


@lru_cache(maxsize=1)
def _glyphs() -> frozenset[int]:
    return frozenset(get_font(findfont(font())).get_charmap())


def printable(text: str) -> str:
    """Put text on one line, and the replacement character for what the typeface has no glyph for."""
    line = _SPACES.sub(" ", text).strip(" ")
    known = (letter for letter in line if letter.isprintable() or letter == "\u00a0")
    return "".join(letter if ord(letter) in _glyphs() else "\ufffd" for letter in known)


@lru_cache(maxsize=16384)
def width_mm(text: str, size: float, bold: bool = False) -> float:
    """Width of one line of text at a size in points."""
    prop = font(bold).copy()
    prop.set_size(size)
    width, _, _ = text_to_path.get_text_width_height_descent(text, prop, ismath=False)
    return float(width) * MM_PER_POINT


def leading_mm(size: float) -> float:
    """Distance between lines of text at a size in points."""
    return size * LEADING * MM_PER_POINT


def wrapped(text: str, width: float, size: float, bold: bool = False) -> list[str]:
    """Break text into lines of at most ``width`` millimetres; a word that is wider by itself is cut."""
    lines: list[str] = []
    line = ""
    for word in _pieces(printable(text), width, size, bold):
        longer = f"{line} {word}" if line else word
        if line and width_mm(longer, size, bold) > width:
            lines.append(line)
            longer = word
        line = longer
    return [*lines, line] if line else lines


def _pieces(text: str, width: float, size: float, bold: bool) -> list[str]:
    """Split at spaces, and words too wide for a line wherever they have to be."""
    pieces = []
    for word in text.split(" "):
        piece = ""
        for letter in word:
            if piece and width_mm(piece + letter, size, bold) > width:
                pieces.append(piece)
                piece = ""
            piece += letter
        pieces.append(piece)
    return pieces


class PageCanvas:
    """One page. Everything on it is placed in millimetres from the lower left corner."""

    def __init__(self, width: float, height: float, dpi: float) -> None:
        self.width, self.height = width, height
        self.figure = Figure(figsize=(width / MM_PER_INCH, height / MM_PER_INCH), dpi=dpi, facecolor="white")
        FigureCanvasAgg(self.figure)
        self.axes: Axes = self.figure.add_axes((0.0, 0.0, 1.0, 1.0))
        self.axes.set_axis_off()
        self.axes.set_xlim(0, width)
        self.axes.set_ylim(0, height)
        self.axes.set_autoscale_on(False)

    def text(
        self, x: float, y: float, text: str, size: float, *, bold: bool = False, halo: float = 0, **style: Any
    ) -> None:
        """Set one line with its base at (x, y); ``halo`` is the width of a white outline in points.

        The text is never read as mathematics, so a dollar sign in a title is a dollar sign.
        """
        look = {
            "color": INK, "va": "baseline", "ha": "left", "zorder": 20.0, "parse_math": False, "fontsize": size,
            "fontfamily": FAMILY, "fontweight": "bold" if bold else "normal",
        }  # fmt: skip
        line, look = text.replace("\u00a0", " "), look | style
        if halo:
            # Outlined text becomes curves in SVG and PDF, so the letters themselves are set once more on top.
            outline = [Stroke(linewidth=halo, foreground="white")]
            self.axes.text(x, y, line, path_effects=outline, **look)  # type: ignore[arg-type]
        self.axes.text(x, y, line, **look)  # type: ignore[arg-type]

    def lines(self, x: float, top: float, lines: Sequence[str], size: float, **style: Any) -> float:
        """Set lines below ``top``; return the height where the next line would begin."""
        step = leading_mm(size)
        for number, line in enumerate(lines):
            self.text(x, top - step * number - size * 0.93 * MM_PER_POINT, line, size, **style)
        return top - step * len(lines)

    def rule(self, x0: float, x1: float, y: float, width: float = 0.4, color: str = RULE) -> None:
        """Draw a level line."""
        self.axes.plot([x0, x1], [y, y], color=color, linewidth=width, zorder=15, solid_capstyle="butt")

    def symbols(self, mm: Floats, shape: Shape, colour: str, filled: bool, size: float, zorder: float = 10) -> None:
        """Draw symbols of one look, ``size`` millimetres wide, at points of shape (n, 2)."""
        edge = 0.5 if filled else max(0.9, size * 0.32)
        drawn = size * shape.scale / MM_PER_POINT - (0 if filled else edge * 0.8)
        self.axes.scatter(
            mm[:, 0], mm[:, 1], s=drawn**2, marker=shape.marker, linewidths=edge, zorder=zorder,
            facecolors=colour if filled else "white", edgecolors="white" if filled else colour,
        )  # fmt: skip
