"""Converts symbols of the style table from SVG paths to closed figures of lines; arcs of circles become lines too."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

Point = tuple[float, float]
_STEPS = 16


def outline(text: str) -> Sequence[Sequence[Point]]:
    """Convert an SVG path of one or more closed figures (SVG 2, 9.3).

    Returns
    -------
    Sequence
        The corners (x, y) of each figure, the first not repeated, in the units of the text, with y to the bottom as in
        SVG; arcs as sixteen segments each.

    Raises
    ------
    ValueError
        If the text has a command other than M, L, H, V, A and Z, of either case, or an arc that is not of a circle.
    """
    from fontTools.svgLib.path import parse_path

    pen = _OutlinePen()
    parse_path(text, pen)
    return pen.figures


class _OutlinePen:
    """Takes the commands of a path; its methods have the names that fontTools calls."""

    def __init__(self) -> None:
        self.figures: list[list[Point]] = []

    def moveTo(self, point: Point) -> None:
        self.figures.append([point])

    def lineTo(self, point: Point) -> None:
        # A figure is closed by a line to its start.
        if point != self.figures[-1][0]:
            self.figures[-1].append(point)

    def arcTo(self, rx: float, ry: float, _: float, large: bool, sweep: bool, end: Point) -> None:
        if rx != ry:
            raise ValueError("expected an arc of a circle in a symbol's outline")
        self.figures[-1] += [*_arc(self.figures[-1][-1], rx, large, sweep, end), end]

    def curveTo(self, *_: Point) -> None:
        raise ValueError("expected one of M, L, H, V, A, Z in a symbol's outline, got a curve")

    qCurveTo = curveTo

    def closePath(self) -> None:
        pass

    endPath = closePath


def _arc(start: Point, radius: float, large: bool, sweep: bool, end: Point) -> Iterator[Point]:
    """Give the points between the ends of an arc of a circle (SVG 2, B.2.4), without the ends."""
    middle, half = np.add(start, end) / 2, np.subtract(end, start) / 2
    away = math.sqrt(max(radius**2 - half @ half, 0)) / (math.hypot(*half) or 1)
    turn = 1 if large != sweep else -1
    centre = middle + turn * away * np.array([-half[1], half[0]])
    first, last = (math.atan2(*(np.subtract(place, centre)[::-1])) for place in (start, end))
    angle = (last - first) % (2 * math.pi) - (0 if sweep else 2 * math.pi)
    for step in range(1, _STEPS):
        at = first + angle * step / _STEPS
        yield float(centre[0] + radius * math.cos(at)), float(centre[1] + radius * math.sin(at))
