"""Candidates of each strike: the assets within reach, so wide as both places are uncertain, and those it names."""

from __future__ import annotations

import numpy as np
import shapely

from geo.lonlat import Floats, Ints
from geo.spatial_join.geodesic_distance import far_between_points
from geo.spatial_join.join import Pairs, pairs_within
from geo.spatial_join.prepared import search_boxes
from layers.matching.asset_index import MIN_RADIUS_M, AssetIndex
from layers.matching.strike_columns import StrikeColumns

#: An asset is a candidate up to this many times the combined uncertainty (the root of the sum of both squares).
SEARCH_FACTOR = 1.5
#: Widest radius that is searched, in metres.
MAX_RADIUS_M = 250_000.0
#: A word that more assets of the layer have finds none of them from afar.
MAX_NAMESAKES = 60
#: Boxes are queried as one where the box around them is no larger than this many times the sum of their areas.
MAX_BOX_OVERHEAD = 4.0


def candidates(strikes: StrikeColumns, index: AssetIndex) -> Pairs:
    """Find the pairs of strikes and assets whose places may be one, and those of which the text names the asset.

    Parameters
    ----------
    strikes
        Strikes with geometries in lon/lat degrees (OGC:CRS84).
    index
        The assets.

    Returns
    -------
    Pairs
        Rows of ``strikes``, rows of ``index`` and the geodesic distance in metres (WGS 84), NaN where the strike has no
        geometry; sorted by both rows; empty arrays where there is none.
    """
    near = _within_reach(strikes, index)
    named = np.setdiff1d(_named(strikes, index), near.left * max(len(index), 1) + near.right)
    left, right = np.divmod(named, max(len(index), 1))
    far = Pairs(left, right, _distance_m(strikes, index, left, right))
    left, right, distance_m = (np.concatenate(part) for part in zip(near, far, strict=True))
    _, first = np.unique(left * max(len(index), 1) + right, return_index=True)
    return Pairs(left[first], right[first], distance_m[first])


def reach_m(radius_m: Floats) -> Floats:
    """Return the distance up to which places may be one whose uncertainty together is given; both in metres."""
    return np.minimum(SEARCH_FACTOR * radius_m, MAX_RADIUS_M)


def _named(strikes: StrikeColumns, index: AssetIndex) -> Ints:
    """Find the pairs that share a rare word, wherever the asset is, if its kind may be what the text tells of.

    The name of an owner of several assets finds none of them: it says whose, and not which. A pair is given as row of
    the strike times the number of assets, plus row of the asset; ascending, each once.
    """
    word, left = strikes.words.of_rows(np.arange(len(strikes)))
    namesakes = index.names.with_word
    rare = namesakes.start[word + 1] - namesakes.start[word] <= MAX_NAMESAKES
    right, of_word = namesakes.of_rows(word[rare])
    left = left[rare][of_word]
    names_it = ~index.names.is_of_owner(right, word[rare][of_word])
    left, right = left[names_it], right[names_it]
    stated = strikes.kinds[left]
    fits = (stated == 0) | ((stated & (index.kind[right] | index.kin[right] | index.related[right])) != 0)
    return np.unique(left[fits] * max(len(index), 1) + right[fits])


def _distance_m(strikes: StrikeColumns, index: AssetIndex, left: Ints, right: Ints) -> Floats:
    """Return the metres between the points of pairs that are nearest on the map, NaN where one is missing."""
    bounds = np.stack([shapely.bounds(strikes.geometry)[left], index.bounds[right]], axis=1)
    ends, spread = bounds[:, :, :2], (bounds[:, :, :2] != bounds[:, :, 2:]).any(axis=(1, 2))
    there = ~np.isnan(bounds).any(axis=(1, 2))
    shaped = np.flatnonzero(there & spread)
    lines = shapely.shortest_line(strikes.geometry[left[shaped]], np.asarray(index.geometry[right[shaped]]))
    ends[shaped] = shapely.get_coordinates(lines).reshape(-1, 2, 2)
    distance_m = np.full(len(left), np.nan)
    distance_m[there] = far_between_points(ends[there, 0], ends[there, 1])
    return distance_m


def _within_reach(strikes: StrikeColumns, index: AssetIndex) -> Pairs:
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
        Rows of ``strikes``, rows of ``index`` and the geodesic distance in metres (WGS 84), in no order; empty arrays
        where nothing is near.
    """
    placed = np.flatnonzero(~shapely.is_missing(strikes.geometry))
    if not len(placed) or not index.trees:
        return Pairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    geometry = strikes.geometry[placed]
    uncertainty_m = np.maximum(strikes.uncertainty_m, MIN_RADIUS_M)
    parts = [(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))]
    for widest_m, rows, tree in index.trees:
        radius_m = _widest_reach_m(uncertainty_m[placed], widest_m)
        near = rows[_rows_near(tree, shapely.bounds(geometry), radius_m)]
        if len(near):
            pairs = pairs_within(geometry, index.geometry[near], radius_m)
            parts.append((placed[pairs.left], near[pairs.right], pairs.distance_m))
    left, right, distance_m = (np.concatenate(part) for part in zip(*parts, strict=True))
    both_m = np.hypot(uncertainty_m[left], np.maximum(index.uncertainty_m[right], MIN_RADIUS_M))
    within = distance_m <= reach_m(both_m)
    return Pairs(left[within], right[within], distance_m[within])


def _widest_reach_m(radius_m: Floats, widest_m: float) -> Floats:
    """Return how far the assets of a class may be from places of some uncertainty, in metres."""
    return reach_m(np.hypot(radius_m, max(widest_m, MIN_RADIUS_M)))


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
