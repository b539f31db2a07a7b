"""The points of a layer after edits of its rows: an index that never changes, and few points that edits put above it.

The points of the index keep their places whatever rows come and go, so that the best points of its cells hold for every
version. A version has the order of its rows, from which follows which points are gone.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.columnar.row_edit import RowEdit
from geo.columnar.row_order import RowOrder
from geo.errors import GeoError
from geo.lonlat import Bools, Floats, Ints
from geo.tiles.generalize import MortonCodes, cell_shift, thin_by_grid
from geo.tiles.point_index import PointIndex, TilePoints, code_range
from geo.tiles.tile_matrix import Tile

#: With more points above, or more runs of rows, all points are put in one index.
_MAX_ABOVE = 4096


class PointsAbove(NamedTuple):
    """Points that edits added, by Morton code, then row of the layer.

    Attributes
    ----------
    codes, xy
        Morton codes, shape (n,), and world coordinates, shape (n, 2).
    source
        Row of each in the source of the order, shape (n,).
    """

    codes: MortonCodes
    xy: Floats
    source: Ints


_NONE = PointsAbove(np.empty(0, np.uint64), np.empty((0, 2)), np.empty(0, np.int64))


class EditedPointIndex(TilePoints):
    """Points of an index and points above it; those above have the indices behind those of the index.

    Parameters
    ----------
    base
        The index.
    base_rows
        Number of rows of the layer that the index is of.
    above
        Points of rows that were added since, none of them removed again.
    order
        Order of the rows of that layer and, numbered on, all rows that were added since; the former keep their order.
    """

    def __init__(self, base: PointIndex, base_rows: int, above: PointsAbove, order: RowOrder) -> None:
        self._base, self._base_rows, self._above, self._order = base, base_rows, above, order

    @classmethod
    def of(cls, points: TilePoints, rows: int) -> EditedPointIndex:
        """Points of a layer of so many rows as points that can be edited.

        Raises
        ------
        GeoError
            When a row has several points, or points are not shown from zoom 0 on or have a priority.
        """
        if isinstance(points, EditedPointIndex):
            return points
        base = points.consolidated()
        if not base.can_be_edited:
            raise GeoError("expected rows of one point each, shown from zoom 0 on, without priority")
        return cls(base, rows, _NONE, RowOrder.identity(rows))

    def with_edit(self, second: TilePoints, edit: RowEdit) -> EditedPointIndex:
        """The points after an edit of the layer's rows; only points that come are looked at.

        Parameters
        ----------
        second
            Points of the layer whose rows are inserted.
        edit
            Edit of the rows of both layers.

        Raises
        ------
        GeoError
            When rows that stay do not keep their order, or the second points are none that can be edited.
        """
        new = second.consolidated()
        if not (edit.is_order_preserving and new.can_be_edited):
            raise GeoError("expected an edit that keeps the order of rows, of points shown from zoom 0 on")
        order = edit.compose(self._order)
        source = np.concatenate([self._above.source, self._order.source_rows + new.row])
        codes = np.concatenate([self._above.codes, new.codes])
        xy = np.concatenate([self._above.xy, new.xy])
        rows = order.positions_of(source)
        stays = np.flatnonzero(rows >= 0)
        stays = stays[np.lexsort((rows[stays], codes[stays]))]
        above = PointsAbove(codes[stays], xy[stays], source[stays])
        edited = EditedPointIndex(self._base, self._base_rows, above, order)
        return edited if edited._is_small else EditedPointIndex.of(edited.consolidated(), len(order))

    @property
    def _is_small(self) -> bool:
        most = min(_MAX_ABOVE, len(self._base.row))
        return len(self._above.codes) <= most and len(self._order.run_starts) <= _MAX_ABOVE

    def find(self, tile: Tile, mask: Bools | None) -> Ints:
        """Indices of the points that a tile shows, in Morton order, see `TilePoints.find`."""
        above = self._find_above(tile, mask)
        start, stop = self._base.range_of(tile)
        least = stop - start - len(self._removed) + len(above)
        if mask is None and self._base.is_crowded(tile, least):
            return self._merged(self._best_below(tile), above, tile.z)
        stays = self._stays if mask is None else self._order.scatter(mask)
        below = start + np.flatnonzero(stays[self._base.row[start:stop]])
        if not self._base.is_crowded(tile, len(below) + len(above)):
            return self._merged(below, above, None)
        best = thin_by_grid(self._base.codes[below], self._base.row[below], tile.z)
        return self._merged(below[best], above, tile.z)

    def _find_above(self, tile: Tile, mask: Bools | None) -> Ints:
        """Which of the points above are in a tile, ascending."""
        low, high = code_range(tile)
        codes = self._above.codes
        above = np.arange(codes.searchsorted(low), codes.searchsorted(high, side="right"))
        return above if mask is None else above[mask[self._order.positions_of(self._above.source[above])]]

    def _best_below(self, tile: Tile) -> Ints:
        """Indices of the best point of the base in every cell of a tile; where it is gone, the best that stays."""
        best = self._base.best_of(tile)
        gone = np.flatnonzero(~self._stays[self._base.row[best]])
        if not len(gone):
            return best
        best[gone] = [self._best_of_cell(self._base.codes[index], tile.z) for index in best[gone].tolist()]
        return best[best >= 0]

    def _best_of_cell(self, code: np.uint64, zoom: int) -> int:
        """Index of the best point that stays in the cell of a code; -1 where none does."""
        codes, shift = self._base.codes, np.uint64(cell_shift(zoom))
        first = code >> shift << shift
        last = first | (np.uint64(1) << shift) - np.uint64(1)
        start, stop = int(codes.searchsorted(first)), int(codes.searchsorted(last, side="right"))
        rows = self._base.row[start:stop]
        stay = np.flatnonzero(self._stays[rows])
        return int(start + stay[rows[stay].argmin()]) if len(stay) else -1

    def _merged(self, below: Ints, above: Ints, thin_at: int | None) -> Ints:
        """Indices of points of the base and points above in Morton order; of each cell of a zoom the best, if given."""
        if not len(above):
            return below
        indices = np.concatenate([below, len(self._base.row) + above])
        codes, rows = self._gather(self._base.codes, self._above.codes, indices), self.rows_at(indices)
        order = np.lexsort((rows, codes))
        if thin_at is not None:
            order = order[thin_by_grid(codes[order], rows[order], thin_at)]
        return indices[order]

    def rows_at(self, indices: Ints) -> Ints:
        """Rows of the layer of points, shape (n,)."""
        return self._order.positions_of(self._gather(self._base.row, self._above.source, indices))

    def xy_at(self, indices: Ints) -> Floats:
        """World coordinates of points, shape (n, 2)."""
        return self._gather(self._base.xy, self._above.xy, indices)

    def _gather(self, below: NDArray[Any], above: NDArray[Any], indices: Ints) -> NDArray[Any]:
        """Values of points, of which those of the base and those above are given."""
        is_above = indices >= len(below)
        values = np.empty((len(indices), *above.shape[1:]), above.dtype)
        values[~is_above], values[is_above] = below[indices[~is_above]], above[indices[is_above] - len(below)]
        return values

    def precompute(self, zoom: int) -> None:
        """Pick the best points of a zoom before its first tile is drawn."""
        self._base.precompute(zoom)

    def consolidated(self) -> PointIndex:
        """All points in one index, in Morton order."""
        below = np.flatnonzero(self._stays[self._base.row])
        indices = self._merged(below, np.arange(len(self._above.codes)), None)
        codes = self._gather(self._base.codes, self._above.codes, indices)
        return PointIndex.from_sorted(codes, self.xy_at(indices), self.rows_at(indices), self._base.thin, True)

    @cached_property
    def _stays(self) -> Bools:
        """Which rows of the source are left, shape (source_rows,)."""
        return self._order.scatter(np.ones(len(self._order), dtype=bool))

    @cached_property
    def _removed(self) -> Ints:
        """Rows of the base that are gone."""
        return self._order.left_out(self._base_rows)
