"""Where names go on a map: the first free position of each wins, and a name without one is left out.

Greedy point-feature labelling (Christensen, Marks and Shieber 1995) rather than a relaxation: it cannot leave
two names overlapping, and the same map always comes out the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Box = tuple[float, float, float, float]

#: Around a point, best first: right, left, upper right, lower right, upper left, lower left, above, below.
DIRECTIONS = ((1, 0), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1), (0, 1), (0, -1))


@dataclass
class Board:
    """The boxes on a page that are taken, in millimetres: left, bottom, right, top."""

    limits: Box
    taken: list[Box] = field(default_factory=list)

    def block(self, boxes: Iterable[Box]) -> None:
        """Take boxes whether or not they overlap others."""
        self.taken.extend(boxes)

    def is_free(self, box: Box) -> bool:
        """Tell whether a box is within the limits and touches nothing taken."""
        left, bottom, right, top = box
        if left < self.limits[0] or bottom < self.limits[1] or right > self.limits[2] or top > self.limits[3]:
            return False
        if not self.taken:
            return True
        taken = np.asarray(self.taken)
        apart = (taken[:, 0] >= right) | (taken[:, 2] <= left) | (taken[:, 1] >= top) | (taken[:, 3] <= bottom)
        return bool(apart.all())

    def first_free(self, boxes: Iterable[Box]) -> Box | None:
        """Take the first box that is free and return it; None where none is."""
        for box in boxes:
            if self.is_free(box):
                self.taken.append(box)
                return box
        return None

    def crowding(self, box: Box) -> int:
        """Count the taken boxes that a box touches."""
        left, bottom, right, top = box
        return sum(not (b[0] >= right or b[2] <= left or b[1] >= top or b[3] <= bottom) for b in self.taken)


def boxes_around(x: float, y: float, width: float, height: float, gaps: Sequence[float]) -> Iterable[Box]:
    """Boxes of a size at the eight sides of a point, nearest ring first; everything in millimetres."""
    for gap in gaps:
        for right, up in DIRECTIONS:
            reach = gap * (0.75 if right and up else 1.0)
            left = x + (reach if right > 0 else -reach - width if right < 0 else -width / 2)
            bottom = y + (reach if up > 0 else -reach - height if up < 0 else -height / 2)
            yield left, bottom, left + width, bottom + height


def centred_box(x: float, y: float, width: float, height: float) -> Box:
    """Box of a size about a point."""
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def spread(
    points: NDArray[np.float64], gap: float, limits: Box, furthest: float, rounds: int = 300
) -> NDArray[np.float64]:
    """Move points, shape (n, 2), apart until none are closer than ``gap``, as little as that takes.

    Coinciding points are first laid out as a honeycomb, in their order. No point goes further than
    ``furthest`` from where it was or leaves the limits, so a dense crowd still overlaps.
    """
    low, high = np.asarray(limits[:2]), np.asarray(limits[2:])
    moved = np.clip(_held(points, points + _fanned(points) * gap, furthest), low, high)
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
        moved = np.clip(_held(points, moved, furthest), low, high)
    still = cKDTree(points).query_ball_point(points, gap * 0.999, return_length=True) == 1
    settled = np.linalg.norm(moved - points, axis=1) < gap * 0.2
    kept: NDArray[np.float64] = np.where((still & settled)[:, None], points, moved)
    return kept


def _held(points: NDArray[np.float64], moved: NDArray[np.float64], furthest: float) -> NDArray[np.float64]:
    """Pull moved points back to within a distance of their own places."""
    shift = moved - points
    length = np.maximum(np.linalg.norm(shift, axis=1, keepdims=True), 1e-9)
    held: NDArray[np.float64] = points + shift * np.minimum(1.0, furthest / length)
    return held


def _fanned(points: NDArray[np.float64]) -> NDArray[np.float64]:
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
