"""Candidates: the assets within reach of each strike, so wide as both places are uncertain."""

from __future__ import annotations

import numpy as np
import shapely

from geo.lonlat import Floats, Ints
from geo.spatial_join.join import Pairs, pairs_within
from geo.spatial_join.prepared import search_boxes
from layers.matching.asset_index import MIN_RADIUS_M, AssetIndex
from layers.matching.strike_columns import StrikeColumns

#: An asset is a candidate up to this many times the combined uncertainty (the root of the sum of both squares).
SEARCH_FACTOR = 1.5
#: Widest radius that is searched, in metres.
MAX_RADIUS_M = 250_000.0
#: Boxes are queried as one where the box around them is no larger than this many times the sum of their areas.
MAX_BOX_OVERHEAD = 4.0


def candidates(strikes: StrikeColumns, index: AssetIndex) -> Pairs:
    """Find the pairs of strikes and assets whose places may be one.

    Assets are searched by classes of their uncertainty, each as widely as its least certain asset needs (blocking:
    Christen 2012, Data Matching, chapter 4).

    Parameters
    ----------
    strikes
        Strikes with geometries in lon/lat degrees (OGC:CRS84); one without a geometry has no candidates.
    index
        The assets.

    Returns
    -------
    Pairs
        Rows of ``strikes``, rows of ``index`` and the geodesic distance in metres (WGS 84), sorted by both rows; empty
        arrays where nothing is near.
    """
    placed = np.flatnonzero(~shapely.is_missing(strikes.geometry))
    if not len(placed) or not index.trees:
        return Pairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    geometry = strikes.geometry[placed]
    uncertainty_m = np.maximum(strikes.uncertainty_m, MIN_RADIUS_M)
    parts = [(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))]
    for widest_m, rows, tree in index.trees:
        radius_m = np.minimum(
            SEARCH_FACTOR * np.hypot(uncertainty_m[placed], max(widest_m, MIN_RADIUS_M)), MAX_RADIUS_M
        )
        near = rows[_rows_near(tree, shapely.bounds(geometry), radius_m)]
        if len(near):
            pairs = pairs_within(geometry, index.geometry[near], radius_m)
            parts.append((placed[pairs.left], near[pairs.right], pairs.distance_m))
    left, right, distance_m = (np.concatenate(part) for part in zip(*parts, strict=True))
    reach_m = SEARCH_FACTOR * np.hypot(uncertainty_m[left], np.maximum(index.uncertainty_m[right], MIN_RADIUS_M))
    within = np.flatnonzero(distance_m <= reach_m)
    order = within[np.lexsort((right[within], left[within]))]
    return Pairs(left[order], right[order], distance_m[order])


def _rows_near(tree: shapely.STRtree, bounds: Floats, radius_m: Floats) -> Ints:
    """Return the rows of a tree whose boxes come within a radius of any of the bounds, each once, ascending.

    Where the bounds lie close together, all rows between them are returned too: one query is quicker than many.
    """
    boxes = search_boxes(bounds, radius_m)
    over = (boxes[:, 0] < -180) | (boxes[:, 2] > 180)
    boxes[over, 0], boxes[over, 2] = -180, 180
    around = np.array([*boxes[:, :2].min(axis=0), *boxes[:, 2:].max(axis=0)])
    if _area(around) <= MAX_BOX_OVERHEAD * _area(boxes.T).sum():
        return np.sort(tree.query(shapely.box(*around)))
    return np.unique(tree.query(shapely.box(*boxes.T))[1])


def _area(box: Floats) -> Floats:
    """Return areas in square degrees of boxes given as west, south, east and north."""
    west, south, east, north = box
    return np.asarray((east - west) * (north - south))
