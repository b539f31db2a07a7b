"""Cells of a quadtree over lon/lat that hold at most so many places each. Knows nothing of what the places are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from geo.lonlat import Floats, Ints
from geo.tiles.generalize import morton

#: Most places of a cell by default: seconds of work, so that little is lost with a worker that is killed.
CELL_STRIKES = 5_000
#: Deepest level of the tree: its cells are 38 m wide at the equator. One that still holds too many is cut into parts.
MAX_LEVEL = 20
#: Bits of each axis in a code; a code of a place is its cell at this level.
_BITS = 31
#: Code of what has no place.
_NOWHERE = -1


@dataclass(frozen=True, slots=True)
class Cells:
    """Cells in the order of their codes; each place is in one, and a cell that holds too many has several parts."""

    #: The digits of each cell from the whole square of 360 degrees down, two bits a level (the lower one is that of the
    #: longitude); ``nowhere`` is the cell of what has no place.
    quadkeys: tuple[str, ...]
    #: Smallest code in each cell, ascending, shape (cells,).
    first_code: Ints
    #: Number of parts of each cell, shape (cells,).
    parts: Ints
    #: Most places in a part.
    limit: int

    @classmethod
    def of(cls, codes: Ints, limit: int) -> Cells:
        """Divide the square until each cell holds at most ``limit`` places.

        Parameters
        ----------
        codes
            Codes of all places as of `cell_codes`, shape (n,), ascending.
        limit
            At least 1.
        """
        found = list(_divided(codes, limit))
        count = np.array([number for *_, number in found], np.int64)
        keys, first = tuple(key for key, _, _ in found), np.array([code for _, code, _ in found], np.int64)
        return cls(keys, first, -(-count // limit), limit)

    @property
    def names(self) -> tuple[str, ...]:
        """The name of each part of each cell, in order."""
        pairs = zip(self.quadkeys, self.parts.tolist(), strict=True)
        return tuple(f"{key}-{part}" if parts > 1 else key for key, parts in pairs for part in range(parts))

    def cell_of(self, codes: Ints) -> Ints:
        """Return the number of the cell that holds each place, shape of ``codes``."""
        return np.searchsorted(self.first_code, codes, "right") - 1

    def part_of(self, cell: Ints, seen: Ints) -> Ints:
        """Return the number of the part, among those of all cells, that each place goes to.

        Parameters
        ----------
        cell
            Cell of each place, shape (n,), ascending.
        seen
            How many places of each cell were given before, shape (cells,); those given now are added to it.
        """
        first, rank = np.searchsorted(cell, cell), np.arange(len(cell))
        part = (seen[cell] + rank - first) // self.limit
        seen += np.bincount(cell, minlength=len(seen))
        return (np.cumsum(self.parts) - self.parts)[cell] + part


def cell_codes(bounds: Floats) -> Ints:
    """Return the code of each place: that of the south-west corner of its bounds.

    Parameters
    ----------
    bounds
        West, south, east, north in degrees, shape (n, 4); NaN for what has no place.

    Returns
    -------
    Ints
        Morton codes of 62 bits, -1 for what has no place; shape (n,).
    """
    placed = np.isfinite(bounds[:, 0])
    codes = np.full(len(bounds), _NOWHERE, np.int64)
    grid = ((bounds[placed, :2] + [180.0, 90.0]) / 360 * 2**_BITS).astype(np.int64).clip(0, 2**_BITS - 1)
    codes[placed] = morton(grid[:, 0], grid[:, 1]).astype(np.int64)
    return codes


def _divided(codes: Ints, limit: int) -> Iterator[tuple[str, int, int]]:
    """Yield quadkey, smallest code and number of places of each cell with any, in order."""
    start = int(np.searchsorted(codes, 0))
    if start:
        yield "nowhere", _NOWHERE, start
    waiting = [("", 0, start, len(codes))]
    while waiting:
        key, first, start, stop = waiting.pop()
        if stop - start <= limit or len(key) == MAX_LEVEL:
            if stop > start:
                yield key or "world", first, stop - start
            continue
        size = 1 << 2 * (_BITS - len(key) - 1)
        cuts = [start, *np.searchsorted(codes, [first + size, first + 2 * size, first + 3 * size]).tolist(), stop]
        waiting += [(f"{key}{digit}", first + digit * size, cuts[digit], cuts[digit + 1]) for digit in (3, 2, 1, 0)]
