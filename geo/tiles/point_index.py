"""The points of a layer by tile; in Morton order those of any tile are one slice, thinned where it holds too many."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from geo.columnar.row_edit import RowEdit
from geo.errors import GeoError
from geo.lonlat import Bools, Floats, Ints
from geo.tiles.generalize import CODE_BITS, EXTENT, MAX_TILE_POINTS, MortonCodes, is_thinned, morton, thin_by_grid
from geo.tiles.tile_matrix import MERCATOR, Box, Tile, TileProjection, overlapped


class PointIndex:
    """Points by tile. A *row* is a row of the layer, an *index* the place of a point in Morton order.

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
        self.codes: MortonCodes = codes[order]
        self.xy: Floats = xy[order]
        self.row: Ints = row[inside][order]
        self.min_zoom, self.priority = _by_point(min_zoom, self.row), _by_point(priority, self.row)
        self.thin, self._single = thin, bool((np.diff(row) > 0).all())
        self._rank()

    @classmethod
    def from_sorted(cls, codes: MortonCodes, xy: Floats, row: Ints, thin: bool, single: bool) -> PointIndex:
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
        self._ranks = _ranks(self.row, -self.priority, self.min_zoom) if self._uniform_min_zoom is None else self.row
        self._shown: dict[int, Ints] = {}
        self._best: dict[int, npt.NDArray[np.int32]] = {}

    def with_edit(self, second: PointIndex, edit: RowEdit) -> PointIndex:
        """The points after an edit of the layer's rows, of which those of the ``second`` are inserted.

        Raises
        ------
        GeoError
            When a row has several points, or points are not shown from zoom 0 on or have a priority.
        """
        if any(len(points.row) and points._uniform_min_zoom != 0 for points in (self, second)):
            raise GeoError("expected rows of one point each, shown from zoom 0 on, without priority")
        row = edit.positions[np.concatenate([self.row, edit.first_rows + second.row])]
        codes, xy = np.concatenate([self.codes, second.codes]), np.concatenate([self.xy, second.xy])
        stays = np.flatnonzero(row >= 0)
        order = stays[np.lexsort((row[stays], codes[stays]))]
        return PointIndex.from_sorted(codes[order], xy[order], row[order], self.thin, True)

    def _is_uniform(self) -> bool:
        return len(self.row) > 0 and all(values.strides == (0,) for values in (self.min_zoom, self.priority))

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
            Indices of points in Morton order, those of one code by row; empty where the tile shows none. A crowded tile
            has the best point a cell.
        """
        start, stop = self._range_of(tile)
        # Counted whatever their min_zoom: a tile that is no crowd must not become one on zooming in.
        if mask is None:
            if not self._is_crowded(tile, stop - start):
                return self._shown_at(tile.z, start, stop)
            best = self._best.get(tile.z)
            return self._pick(tile.z, start, stop) if best is None else _between(best, start, stop)
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
            Indices of points, shape (n,).

        Returns
        -------
        Ints
            Columns right and down, shape (n, 2), within [0, 4095].
        """
        units = np.rint((self.xy[indices] * (1 << tile.z) - [tile.x, tile.y]) * EXTENT)
        clipped: Ints = np.clip(units, 0, EXTENT - 1).astype(np.int64)
        return clipped

    def _is_crowded(self, tile: Tile, count: int) -> bool:
        """Whether a tile of so many points shows the best of them alone."""
        return self.thin and is_thinned(tile.z, count, MAX_TILE_POINTS)

    def _range_of(self, tile: Tile) -> tuple[int, int]:
        """First and last index (exclusive) of the points in a tile."""
        shift = 2 * (CODE_BITS - tile.z)
        code = int(morton(np.array([tile.x]), np.array([tile.y]))[0])
        low, high = np.uint64(code << shift), np.uint64(((code + 1) << shift) - 1)
        return int(self.codes.searchsorted(low)), int(self.codes.searchsorted(high, side="right"))

    def _shown_at(self, zoom: int, start: int, stop: int) -> Ints:
        """Indices from ``start`` to ``stop`` of the points whose min_zoom a zoom has reached."""
        if self._uniform_min_zoom is not None:
            return np.arange(start, stop if self._uniform_min_zoom <= zoom else start)
        if zoom not in self._shown:
            self._shown[zoom] = np.flatnonzero(self.min_zoom <= zoom)
        return _between(self._shown[zoom], start, stop)

    def _best_at(self, zoom: int) -> npt.NDArray[np.int32]:
        """Indices of the best point of every cell of a zoom, ascending, int32; picked once."""
        if zoom not in self._best:
            self._best[zoom] = self._pick(zoom, 0, len(self.row)).astype(np.int32)
        return self._best[zoom]

    def _pick(self, zoom: int, start: int, stop: int) -> Ints:
        """Indices of the best point of every cell of a zoom from ``start`` to ``stop``, where cells begin and end."""
        shown = self._shown_at(zoom, start, stop)
        if len(shown) == stop - start:
            return start + thin_by_grid(self.codes[start:stop], self._ranks[start:stop], zoom)
        return shown[thin_by_grid(self.codes[shown], self._ranks[shown], zoom)]


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


def _between(indices: Ints | npt.NDArray[np.int32], start: int, stop: int) -> Ints:
    """Ascending indices from ``start`` to before ``stop``."""
    low, high = indices.searchsorted(np.array([start, stop], indices.dtype))
    result: Ints = indices[low:high].astype(np.int64)
    return result
