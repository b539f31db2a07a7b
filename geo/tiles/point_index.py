"""The points of a layer in Morton order, so that every tile is one slice, thinned where there are too many."""

from __future__ import annotations

from copy import copy

import numpy as np

from geo.columnar.chunked_array import Array, numbered, places, searched, spliced, where, whole
from geo.columnar.row_edit import Splice
from geo.lonlat import Bools, Floats, Ints
from geo.tiles.generalize import CODE_BITS, CROWD, EXTENT, THIN_BELOW_ZOOM, best_in_cells, cell_shift, morton
from geo.tiles.generalize import Codes as Morton
from geo.tiles.tile_matrix import MERCATOR, Box, Plane, Tile, overlapped

#: Where so many points come or go, the best of each cell are mended; where more do, they are found anew.
_FEW = 32


class TilePoints:
    """Points that are found by tile.

    Parameters
    ----------
    lonlat
        Degrees, shape (n, 2). Points north or south of the square are in no tile.
    row
        The layer's row of each point.
    min_zoom, priority
        By layer row: the first zoom at which it may be shown; which is kept where it is crowded (higher
        wins, then the earlier row).
    plane
        What they are drawn on.
    """

    def __init__(
        self, lonlat: Floats, row: Ints, min_zoom: Ints, priority: Floats, thin: bool, plane: Plane = MERCATOR
    ) -> None:
        inside = np.abs(lonlat[:, 1]) <= plane.max_lat
        # The east rim belongs to the last column, the south rim to the last row.
        xy = np.minimum(plane.world(lonlat[inside]), np.array([1, plane.height]) - 2.0**-CODE_BITS)
        grid = (xy * 2.0**CODE_BITS).astype(np.int64)
        codes = morton(grid[:, 0], grid[:, 1])
        order = np.argsort(codes, kind="stable")
        self.codes: Array = codes[order]
        self.xy: Array = xy[order]
        self.row: Array = row[inside][order]
        self.min_zoom, self.priority = _of_points(min_zoom, self.row), _of_points(priority, self.row)
        self.thin, self._single = thin, bool((np.diff(row) > 0).all())
        self._rank()

    @classmethod
    def ready(cls, codes: Array, xy: Array, row: Array, thin: bool, single: bool) -> TilePoints:
        """Take points that were made ready before: all are shown from zoom 0, and the earlier row is kept.

        Parameters
        ----------
        codes, xy, row
            As they are kept: Morton codes, ascending, world coordinates and layer rows.
        single
            Whether each is the one point of its row.
        """
        made = cls.__new__(cls)
        made.codes, made.xy, made.row = codes, xy, row
        made.min_zoom, made.priority = np.broadcast_to(np.int64(0), len(row)), np.broadcast_to(0.0, len(row))
        made.thin, made._single = thin, single
        made._rank()
        return made

    def _rank(self) -> None:
        #: The zoom from which all are shown, if each is the one point of a row and no other matters more or is shown
        #: earlier; then the earlier row is better.
        self._even = int(self.min_zoom[0]) if self._single and self._is_even() else None
        # A point may only be outdone by one that is shown as early, or it would vanish on zooming in.
        self.order = self.row if self._even is not None else _ranks(whole(self.row), -self.priority, self.min_zoom)
        self._shown: dict[int, Ints] = {}
        self._best: dict[int, Array] = {}

    def _is_even(self) -> bool:
        return len(self.row) > 0 and all(values.strides == (0,) for values in (self.min_zoom, self.priority))

    def spliced(self, other: TilePoints, splice: Splice) -> TilePoints:
        """Give the points of this layer's rows and, after them, of another's, as a splice of the rows has them.

        Each row has one point at most.
        """
        same = self._even == other._even and self.priority[:1].tolist() == other.priority[:1].tolist()
        if self._even is not None and splice.is_rising and (same or not len(other.row)):
            return self._exchanged(other, splice)
        return self._arranged(other, splice)

    def _arranged(self, other: TilePoints, splice: Splice) -> TilePoints:
        """Splice and sort anew."""
        position = np.full(splice.own + splice.other, -1)
        position[whole(self.row)] = np.arange(len(self.row))
        position[splice.own + whole(other.row)] = len(self.row) + np.arange(len(other.row))
        found = position[splice.take]
        row = np.flatnonzero(found >= 0)
        source = found[row]
        codes = np.concatenate([whole(self.codes), whole(other.codes)])[source]
        order = np.argsort(codes, kind="stable")
        made, source = copy(self), source[order]
        made.row, made.codes = row[order], codes[order]
        made.xy = np.concatenate([whole(self.xy), whole(other.xy)])[source]
        made.min_zoom = _even_out(np.concatenate([self.min_zoom, other.min_zoom])[source])
        made.priority = _even_out(np.concatenate([self.priority, other.priority])[source])
        made._rank()
        return made

    def _exchanged(self, other: TilePoints, splice: Splice) -> TilePoints:
        """Splice where the order of all that stays is known."""
        numbers, rows = numbered(self.row, splice.own)
        lost = where(numbers, rows.rows(splice.gone))
        source, came = _placed(other, splice)
        codes, now = other.codes[source], splice.over(rows)
        at = _places(self.codes, places(numbers, now), codes, came)
        exchange = Splice.exchanging(len(self.row), lost, at)
        made = copy(self)
        made.codes = spliced(self.codes, codes, exchange)
        made.xy = spliced(self.xy, other.xy[source], exchange)
        # Rows that come are numbered on after those of before.
        made.row = made.order = places(spliced(numbers, rows.sources + other.row[source], exchange), now)
        made.min_zoom, made.priority = (
            np.broadcast_to(values[0], len(made.row)) for values in (self.min_zoom, self.priority)
        )
        made._shown, made._best = {}, {}
        if not len(made.row):
            made._even = None
        elif len(lost) + len(at) <= _FEW:
            touched = np.concatenate([self.codes[lost], codes])
            kept = [*self._best.items()]
            made._best = {zoom: self._mended(made, zoom, best, touched, exchange) for zoom, best in kept}
        return made

    def _mended(self, made: TilePoints, zoom: int, best: Array, touched: Morton, exchange: Splice) -> Array:
        """The best points of the cells of a zoom, after some were lost and others came: their cells are seen anew."""
        shift = cell_shift(zoom)
        outdone, at, new = list[int](), list[int](), list[int]()
        for cell in np.unique(touched >> np.uint64(shift)).tolist():
            low, high = np.uint64(cell << shift), np.uint64(((cell + 1) << shift) - 1)
            begin, end = self._between(low, high)
            place = searched(best, begin)
            if place < len(best) and best[place] < end:
                outdone.append(place)
            begin, end = made._between(low, high)
            if begin < end:
                at.append(place)
                new.append(begin + int(made.order[begin:end].argmin()))
        numbers, points = numbered(best, exchange.own)
        now = exchange.over(points)
        change = Splice.exchanging(len(best), np.array(outdone, np.int64), np.array(at, np.int64))
        return places(spliced(numbers, now.rows(np.array(new, np.int64)), change), now)

    def make_ready(self, zoom: int) -> None:
        """Find ahead which points stay at a zoom where there are too many."""
        if self.thin and zoom < THIN_BELOW_ZOOM and len(self.row) > CROWD:
            self._best_at(zoom)

    def find(self, tile: Tile, mask: Bools | None) -> Ints:
        """Give the positions of the points shown in a tile, in Morton order."""
        start, stop = self._range(tile)
        # Counted whatever their min_zoom: a tile that is no crowd must not become one on zooming in.
        if mask is None:
            if self._is_crowd(tile, stop - start):
                return _among(self._best_at(tile.z), start, stop)
            return self._at(tile.z, start, stop)
        shown = start + np.flatnonzero(mask[self.row[start:stop]])
        crowd = self._is_crowd(tile, len(shown))
        shown = shown[self.min_zoom[shown] <= tile.z]
        return shown[best_in_cells(self.codes[shown], self.order[shown], tile.z)] if crowd else shown

    def within(self, box: Box, zoom: int, mask: Bools | None) -> tuple[Ints, Floats]:
        """Give the layer rows and world coordinates, shape (n, 2), of what the tiles of a zoom show inside a box."""
        found = np.concatenate([self.find(tile, mask) for tile in overlapped(box, zoom)])
        xy = self.xy[found]
        inside = ((xy >= box[:2]) & (xy <= box[2:])).all(axis=1)
        return self.row[found[inside]], xy[inside]

    def units(self, tile: Tile, found: Ints) -> Ints:
        """Give tile units of points in the tile, shape (n, 2), within [0, 4095]."""
        units = np.rint((self.xy[found] * (1 << tile.z) - [tile.x, tile.y]) * EXTENT)
        clipped: Ints = np.clip(units, 0, EXTENT - 1).astype(np.int64)
        return clipped

    def _is_crowd(self, tile: Tile, count: int) -> bool:
        return self.thin and tile.z < THIN_BELOW_ZOOM and count > CROWD

    def _range(self, tile: Tile) -> tuple[int, int]:
        shift = 2 * (CODE_BITS - tile.z)
        code = int(morton(np.array([tile.x]), np.array([tile.y]))[0])
        return self._between(np.uint64(code << shift), np.uint64(((code + 1) << shift) - 1))

    def _between(self, low: np.uint64, high: np.uint64) -> tuple[int, int]:
        return searched(self.codes, low), searched(self.codes, high, "right")

    def _at(self, zoom: int, start: int, stop: int) -> Ints:
        """Give the positions from ``start`` to ``stop`` of what is shown at a zoom."""
        if self._even is not None:
            return np.arange(start, stop if self._even <= zoom else start)
        if zoom not in self._shown:
            self._shown[zoom] = np.flatnonzero(self.min_zoom <= zoom)
        return _among(self._shown[zoom], start, stop)

    def _best_at(self, zoom: int) -> Array:
        if zoom not in self._best:
            shown, codes, order = self._at(zoom, 0, len(self.row)), whole(self.codes), whole(self.order)
            best = best_in_cells(codes, order, zoom) if len(shown) == len(self.row) else None
            if best is None:
                best = shown[best_in_cells(codes[shown], order[shown], zoom)]
            self._best[zoom] = best.astype(np.int32)
        return self._best[zoom]


def _placed(other: TilePoints, splice: Splice) -> tuple[Ints, Ints]:
    """Positions of the points that come, in the order of their codes, then rows; and the new rows they have."""
    position = np.full(splice.other, -1)
    position[whole(other.row)] = np.arange(len(other.row))
    source = position[splice.came]
    row, source = splice.came_at[source >= 0], source[source >= 0]
    order = np.lexsort((row, other.codes[source]))
    return source[order], row[order]


def _places(codes: Array, row: Array, new: Morton, came: Ints) -> Ints:
    """Before which points new ones are put: behind those of lower codes, and of the same code in lower rows."""
    at = np.array([searched(codes, code) for code in new], np.int64)
    for place, code in enumerate(new):
        end = searched(codes, code, "right")
        # Those whose rows are left out are in row -1.
        later = np.flatnonzero(row[at[place] : end] > came[place])
        at[place] = at[place] + later[0] if len(later) else end
    return at


def _of_points(values: np.ndarray, row: Ints) -> np.ndarray:
    """Values of rows by point."""
    if len(row) and values.strides == (0,):
        return np.broadcast_to(values[0], len(row))
    return _even_out(values[row])


def _even_out(values: np.ndarray) -> np.ndarray:
    """The same values, kept as one where they are equal."""
    return np.broadcast_to(values[0], len(values)) if len(values) and (values == values[0]).all() else values


def _ranks(*keys: np.ndarray) -> Ints:
    """Rank by the last key, then the one before it; without ties."""
    rank = np.empty(len(keys[0]), dtype=np.int64)
    rank[np.lexsort(keys)] = np.arange(len(rank))
    return rank


def _among(positions: Array, start: int, stop: int) -> Ints:
    low, high = searched(positions, start), searched(positions, stop)
    found: Ints = positions[low:high].astype(np.int64)
    return found
