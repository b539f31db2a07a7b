"""Converts symbols of the style table from SVG paths to closed figures of lines; arcs of circles become lines too."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

import numpy as np

_TOKEN = re.compile(r"([a-zA-Z])|(-?(?:\d+\.?\d*|\.\d+))")
#: How many numbers each command takes (SVG 2, 9.3).
_TAKES = {"M": 2, "L": 2, "H": 1, "V": 1, "A": 7, "Z": 0}
_STEPS = 16


def outline(text: str) -> Sequence[Sequence[tuple[float, float]]]:
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
    figures: list[list[tuple[float, float]]] = []
    x = y = 0.0
    for command, numbers in _commands(text):
        near = (x, y) if command.islower() else (0.0, 0.0)
        start = (x, y)
        match command.upper():
            case "M" | "L":
                x, y = near[0] + numbers[0], near[1] + numbers[1]
            case "H":
                x = near[0] + numbers[0]
            case "V":
                y = near[1] + numbers[0]
            case "A":
                x, y = near[0] + numbers[5], near[1] + numbers[6]
                figures[-1] += _arc(start, numbers, (x, y))
            case "Z":
                x, y = figures[-1][0]
        if command in "Mm":
            figures.append([])
        if command not in "Zz":
            figures[-1].append((x, y))
    return figures


def _commands(text: str) -> Iterator[tuple[str, list[float]]]:
    """Give each command with its numbers; numbers without a command repeat the last one, after a move a line."""
    tokens = [letter or float(number) for letter, number in _TOKEN.findall(text)]
    command, at = "", 0
    while at < len(tokens):
        if isinstance(tokens[at], str):
            command, at = str(tokens[at]), at + 1
        takes = _TAKES.get(command.upper())
        if takes is None:
            raise ValueError(f"expected one of {', '.join(_TAKES)} in a symbol's outline, got {command!r}")
        yield command, [float(number) for number in tokens[at : at + takes]]
        at += takes
        command = {"M": "L", "m": "l"}.get(command, command)


def _arc(start: tuple[float, float], numbers: list[float], end: tuple[float, float]) -> Iterator[tuple[float, float]]:
    """Give the points between the ends of an arc of a circle (SVG 2, B.2.4), without the ends."""
    radius, other, _, large, sweep = numbers[:5]
    if radius != other:
        raise ValueError("expected an arc of a circle in a symbol's outline")
    middle, half = np.add(start, end) / 2, np.subtract(end, start) / 2
    away = math.sqrt(max(radius**2 - half @ half, 0)) / (math.hypot(*half) or 1)
    turn = 1 if large != sweep else -1
    centre = middle + turn * away * np.array([-half[1], half[0]])
    first, last = (math.atan2(*(np.subtract(place, centre)[::-1])) for place in (start, end))
    angle = (last - first) % (2 * math.pi) - (0 if sweep else 2 * math.pi)
    for step in range(1, _STEPS):
        at = first + angle * step / _STEPS
        yield float(centre[0] + radius * math.cos(at)), float(centre[1] + radius * math.sin(at))
