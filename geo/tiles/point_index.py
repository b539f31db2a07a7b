"""The points of a layer in Morton order: the points of any tile are one slice, thinned where it holds too many."""

from __future__ import annotations

from copy import copy

import numpy as np

from geo.columnar.chunked_array import (
    Array,
    apply_edit,
    codes_and_order,
    remap_codes,
    rows_with_any,
    search_sorted,
    to_numpy,
)
from geo.columnar.row_edit import RowEdit
from geo.lonlat import Bools, Floats, Ints
from geo.tiles.generalize import (
    CODE_BITS,
    EXTENT,
    MAX_TILE_POINTS,
    MortonCodes,
    cell_shift,
    is_thinned,
    morton,
    thin_by_grid,
)
from geo.tiles.tile_matrix import MERCATOR, Box, Tile, TileProjection, overlapped

#: After an edit of at most so many points, the best points of their cells are updated; after more, all are picked anew.
_MAX_UPDATED_CELLS = 32


class PointIndex:
    """Points by tile. A *row* is a row of the layer, an *index* a place in Morton order.

    Parameters
    ----------
    lonlat
        Lon/lat in degrees, shape (n, 2). Points beyond the projection's highest latitude are in no tile.
    row
        The layer's row of each point, ascending, shape (n,).
    min_zoom
        By row of the layer: the first zoom at which its points may be shown.
    priority
        By row of the layer: which points stay where a tile is thinned; higher wins, then the earlier row.
    thin
        Whether tiles are thinned, see `geo.tiles.generalize`.
    plane
        Projection that the points are drawn in.

    Attributes
    ----------
    codes, xy, row
        Morton code (ascending), world coordinates, shape (n, 2), and row of the layer of each point.
    """

    def __init__(
        self, lonlat: Floats, row: Ints, min_zoom: Ints, priority: Floats, thin: bool, plane: TileProjection = MERCATOR
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
        self.min_zoom, self.priority = _by_point(min_zoom, self.row), _by_point(priority, self.row)
        self.thin, self._single = thin, bool((np.diff(row) > 0).all())
        self._rank()

    @classmethod
    def from_sorted(cls, codes: Array, xy: Array, row: Array, thin: bool, single: bool) -> PointIndex:
        """Build an index of points that are in Morton order, all shown from zoom 0; the earlier row wins.

        Parameters
        ----------
        codes, xy, row
            As the attributes of an index hold them.
        thin
            Whether tiles are thinned.
        single
            Whether no two points are of one row.
        """
        index = cls.__new__(cls)
        index.codes, index.xy, index.row = codes, xy, row
        index.min_zoom, index.priority = np.broadcast_to(np.int64(0), len(row)), np.broadcast_to(0.0, len(row))
        index.thin, index._single = thin, single
        index._rank()
        return index

    def _rank(self) -> None:
        #: The zoom from which all points are shown, where no two are of one row and none has priority; else None.
        self._uniform_min_zoom = int(self.min_zoom[0]) if self._single and self._is_uniform() else None
        # A point may only be outdone by one that is shown as early, or it would vanish on zooming in.
        self._ranks = (
            _ranks(to_numpy(self.row), -self.priority, self.min_zoom) if self._uniform_min_zoom is None else self.row
        )
        self._shown: dict[int, Ints] = {}
        self._best: dict[int, Array] = {}

    def _is_uniform(self) -> bool:
        return len(self.row) > 0 and all(values.strides == (0,) for values in (self.min_zoom, self.priority))

    def with_edit(self, second: PointIndex, edit: RowEdit) -> PointIndex:
        """The index after an edit of the layer's rows.

        Parameters
        ----------
        second
            Points of the layer whose rows are inserted. In neither index are two points of one row.
        edit
            Edit of the rows of both layers.
        """
        alike = self._uniform_min_zoom == second._uniform_min_zoom
        alike &= self.priority[:1].tolist() == second.priority[:1].tolist()
        if self._uniform_min_zoom is not None and edit.is_order_preserving and (alike or not len(second.row)):
            return self._apply_edit(second, edit)
        return self._sort_edited(second, edit)

    def _sort_edited(self, second: PointIndex, edit: RowEdit) -> PointIndex:
        """Sort the points of all rows of an edit."""
        index_of_row = np.full(edit.first_rows + edit.second_rows, -1)
        index_of_row[to_numpy(self.row)] = np.arange(len(self.row))
        index_of_row[edit.first_rows + to_numpy(second.row)] = len(self.row) + np.arange(len(second.row))
        source = index_of_row[edit.source_rows]
        row = np.flatnonzero(source >= 0)
        source = source[row]
        codes = np.concatenate([to_numpy(self.codes), to_numpy(second.codes)])[source]
        order = np.argsort(codes, kind="stable")
        edited, source = copy(self), source[order]
        edited.row, edited.codes = row[order], codes[order]
        edited.xy = np.concatenate([to_numpy(self.xy), to_numpy(second.xy)])[source]
        edited.min_zoom = _broadcast_if_equal(np.concatenate([self.min_zoom, second.min_zoom])[source])
        edited.priority = _broadcast_if_equal(np.concatenate([self.priority, second.priority])[source])
        edited._rank()
        return edited

    def _apply_edit(self, second: PointIndex, edit: RowEdit) -> PointIndex:
        """Insert and remove points; the points that stay keep their order."""
        stored_rows, row_order = codes_and_order(self.row, edit.first_rows)
        removed = rows_with_any(stored_rows, row_order.rows_at(edit.removed))
        source, inserted_row = _sorted_insertions(second, edit)
        codes, edited_order = second.codes[source], edit.compose(row_order)
        at = _insertion_points(self.codes, remap_codes(stored_rows, edited_order), codes, inserted_row)
        point_edit = RowEdit.replace(len(self.row), removed, at)
        edited = copy(self)
        edited.codes = apply_edit(self.codes, codes, point_edit)
        edited.xy = apply_edit(self.xy, second.xy[source], point_edit)
        # Inserted rows are stored behind all rows that there were.
        edited_rows = apply_edit(stored_rows, row_order.source_rows + second.row[source], point_edit)
        edited.row = edited._ranks = remap_codes(edited_rows, edited_order)
        edited.min_zoom, edited.priority = (
            np.broadcast_to(values[0], len(edited.row)) for values in (self.min_zoom, self.priority)
        )
        edited._shown, edited._best = {}, {}
        if not len(edited.row):
            edited._uniform_min_zoom = None
        elif len(removed) + len(at) <= _MAX_UPDATED_CELLS:
            touched = np.concatenate([self.codes[removed], codes])
            picked = [*self._best.items()]
            edited._best = {zoom: self._update_best(edited, zoom, best, touched, point_edit) for zoom, best in picked}
        return edited

    def _update_best(
        self, edited: PointIndex, zoom: int, best: Array, touched: MortonCodes, point_edit: RowEdit
    ) -> Array:
        """The best points of a zoom after an edit, given those before it; only cells of touched codes are looked at."""
        shift = cell_shift(zoom)
        removed, at, new = list[int](), list[int](), list[int]()
        for cell in np.unique(touched >> np.uint64(shift)).tolist():
            low, high = np.uint64(cell << shift), np.uint64(((cell + 1) << shift) - 1)
            begin, end = self._code_range(low, high)
            index = search_sorted(best, begin)
            if index < len(best) and best[index] < end:
                removed.append(index)
            begin, end = edited._code_range(low, high)
            if begin < end:
                at.append(index)
                new.append(begin + int(edited._ranks[begin:end].argmin()))
        stored, point_order = codes_and_order(best, point_edit.first_rows)
        edited_order = point_edit.compose(point_order)
        change = RowEdit.replace(len(best), np.array(removed, np.int64), np.array(at, np.int64))
        return remap_codes(apply_edit(stored, edited_order.rows_at(np.array(new, np.int64)), change), edited_order)

    def precompute(self, zoom: int) -> None:
        """Pick the best points of a zoom before its first tile is drawn."""
        if self.thin and is_thinned(zoom, len(self.row), MAX_TILE_POINTS):
            self._best_at(zoom)

    def find(self, tile: Tile, mask: Bools | None) -> Ints:
        """Find the points that a tile shows.

        Parameters
        ----------
        tile
            The tile.
        mask
            By row of the layer: False leaves the row out; None leaves none out.

        Returns
        -------
        Ints
            Indices of this index, ascending; empty where the tile shows none. A crowded tile has the best point a cell.
        """
        start, stop = self._range(tile)
        # Counted whatever their min_zoom: a tile that is no crowd must not become one on zooming in.
        if mask is None:
            if not self._is_crowded(tile, stop - start):
                return self._shown_at(tile.z, start, stop)
            return (
                _between(self._best[tile.z], start, stop) if tile.z in self._best else self._pick(tile.z, start, stop)
            )
        shown = start + np.flatnonzero(mask[self.row[start:stop]])
        is_crowded = self._is_crowded(tile, len(shown))
        shown = shown[self.min_zoom[shown] <= tile.z]
        return shown[thin_by_grid(self.codes[shown], self._ranks[shown], tile.z)] if is_crowded else shown

    def within(self, box: Box, zoom: int, mask: Bools | None) -> tuple[Ints, Floats]:
        """Find the points that the tiles of a zoom show inside a box.

        Parameters
        ----------
        box
            West, north, east, south in world coordinates, within [0, 1]; its edges are inside.
        zoom
            Zoom of the tiles.
        mask
            By row of the layer: False leaves the row out; None leaves none out.

        Returns
        -------
        tuple of Ints and Floats
            Rows of the layer, shape (n,), and world coordinates, shape (n, 2).
        """
        shown = np.concatenate([self.find(tile, mask) for tile in overlapped(box, zoom)])
        xy = self.xy[shown]
        inside = ((xy >= box[:2]) & (xy <= box[2:])).all(axis=1)
        return self.row[shown[inside]], xy[inside]

    def units(self, tile: Tile, indices: Ints) -> Ints:
        """Return the tile units of points that are in a tile, rounded to whole units.

        Parameters
        ----------
        tile
            The tile.
        indices
            Indices of this index, shape (n,).

        Returns
        -------
        Ints
            Columns right and down, shape (n, 2), within [0, 4095].
        """
        units = np.rint((self.xy[indices] * (1 << tile.z) - [tile.x, tile.y]) * EXTENT)
        clipped: Ints = np.clip(units, 0, EXTENT - 1).astype(np.int64)
        return clipped

    def _is_crowded(self, tile: Tile, count: int) -> bool:
        return self.thin and is_thinned(tile.z, count, MAX_TILE_POINTS)

    def _range(self, tile: Tile) -> tuple[int, int]:
        shift = 2 * (CODE_BITS - tile.z)
        code = int(morton(np.array([tile.x]), np.array([tile.y]))[0])
        return self._code_range(np.uint64(code << shift), np.uint64(((code + 1) << shift) - 1))

    def _code_range(self, low: np.uint64, high: np.uint64) -> tuple[int, int]:
        return search_sorted(self.codes, low), search_sorted(self.codes, high, "right")

    def _shown_at(self, zoom: int, start: int, stop: int) -> Ints:
        """Indices from ``start`` to ``stop`` of the points whose min_zoom a zoom has reached."""
        if self._uniform_min_zoom is not None:
            return np.arange(start, stop if self._uniform_min_zoom <= zoom else start)
        if zoom not in self._shown:
            self._shown[zoom] = np.flatnonzero(self.min_zoom <= zoom)
        return _between(self._shown[zoom], start, stop)

    def _best_at(self, zoom: int) -> Array:
        """Indices of the best point of every cell of a zoom, ascending, int32; picked once."""
        if zoom not in self._best:
            self._best[zoom] = self._pick(zoom, 0, len(self.row)).astype(np.int32)
        return self._best[zoom]

    def _pick(self, zoom: int, start: int, stop: int) -> Ints:
        """Indices of the best point of every cell of a zoom from ``start`` to ``stop``, where cells begin and end."""
        shown = self._shown_at(zoom, start, stop)
        if len(shown) == stop - start:
            return start + thin_by_grid(to_numpy(self.codes[start:stop]), to_numpy(self._ranks[start:stop]), zoom)
        return shown[thin_by_grid(self.codes[shown], self._ranks[shown], zoom)]


def _sorted_insertions(second: PointIndex, edit: RowEdit) -> tuple[Ints, Ints]:
    """Indices of the points that an edit inserts, by code, then new row; and their new rows."""
    index_of_row = np.full(edit.second_rows, -1)
    index_of_row[to_numpy(second.row)] = np.arange(len(second.row))
    source = index_of_row[edit.inserted]
    row, source = edit.inserted_at[source >= 0], source[source >= 0]
    order = np.lexsort((row, second.codes[source]))
    return source[order], row[order]


def _insertion_points(codes: Array, row: Array, new_codes: MortonCodes, new_row: Ints) -> Ints:
    """Index that each new point is put before: behind lower codes, and behind lower rows of its own code."""
    at = np.array([search_sorted(codes, code) for code in new_codes], np.int64)
    for number, code in enumerate(new_codes):
        end = search_sorted(codes, code, "right")
        # Points whose rows are removed are in row -1.
        later = np.flatnonzero(row[at[number] : end] > new_row[number])
        at[number] = at[number] + later[0] if len(later) else end
    return at


def _by_point(values: np.ndarray, row: Ints) -> np.ndarray:
    """Values of rows, by point."""
    if len(row) and values.strides == (0,):
        return np.broadcast_to(values[0], len(row))
    return _broadcast_if_equal(values[row])


def _broadcast_if_equal(values: np.ndarray) -> np.ndarray:
    """Values as a broadcast of one value, which takes no memory, where all are equal."""
    return np.broadcast_to(values[0], len(values)) if len(values) and (values == values[0]).all() else values


def _ranks(*keys: np.ndarray) -> Ints:
    """Rank by the last key, then the one before it; without ties."""
    rank = np.empty(len(keys[0]), dtype=np.int64)
    rank[np.lexsort(keys)] = np.arange(len(rank))
    return rank


def _between(indices: Array, start: int, stop: int) -> Ints:
    """Ascending indices from ``start`` to before ``stop``."""
    low, high = search_sorted(indices, start), search_sorted(indices, stop)
    result: Ints = indices[low:high].astype(np.int64)
    return result
