"""What a tile shows of a layer: rows, and geometry in tile units, before it is encoded."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from geo.lonlat import Ints

POINT, LINE, POLYGON = 1, 2, 3


class TileFeatures(NamedTuple):
    """Features of one geometry type in a tile, one for each row of the layer, each of one or several parts.

    A part is a point, a line, or a polygon; a line is one path, a polygon a path for each ring, the exterior one first.

    Attributes
    ----------
    kind
        `POINT`, `LINE` or `POLYGON`, as Mapbox Vector Tiles number them.
    rows
        Rows of the layer, each once, shape (features,).
    xy
        Vertices in tile units, path after path, shape (vertices, 2), int64; no two successive ones of a path are equal,
        and rings are without their closing vertex.
    sizes
        Number of vertices of each path, shape (paths,); that of a point is 1.
    paths
        Number of paths of each part, shape (parts,).
    parts
        Number of parts of each feature, shape (features,).
    """

    kind: int
    rows: Ints
    xy: Ints
    sizes: Ints
    paths: Ints
    parts: Ints

    @classmethod
    def of_parts(cls, kind: int, row: Ints, xy: Ints, sizes: Ints, paths: Ints) -> TileFeatures:
        """Group parts by their rows, which ascend, shape (parts,)."""
        first = np.flatnonzero(np.diff(row, prepend=-1))
        return cls(kind, row[first], xy, sizes, paths, np.diff(first, append=len(row)))

    @property
    def is_single(self) -> bool:
        """Whether each feature is a single part."""
        return len(self.paths) == len(self.rows)

    @property
    def feature_of_path(self) -> Ints:
        """Number of the feature of each path, ascending, shape (paths,)."""
        return np.repeat(np.repeat(np.arange(len(self.rows)), self.parts), self.paths)
