"""Symbols of strikes that are filled from below by the share that a country had of what was hit (static/symbols.js)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import shapely
from matplotlib import path as mpath
from matplotlib.collections import PathCollection
from matplotlib.transforms import Affine2D, IdentityTransform
from shapely.geometry.base import BaseGeometry

from api.rendering.canvas import CENTRE
from api.styles.rules import HALO, OUTLINE, StyleTable
from api.styles.symbol_paths import outline
from geo.lonlat import Floats
from layers.collections.collection import Collection
from layers.collections.feature_types import share_in

#: Shares are drawn in twentieths, so that few figures are computed.
_STEPS = 20
#: Units between the lines of what is not known, and their width.
_GAP, _LINE = 3.4, 1.3
#: Dash and gap of the outline of what only may have been, in its widths.
_DASH = (2.2, 1.6)


@dataclass(frozen=True, slots=True)
class ShareSymbol:
    """A strike: its group as the style table has it, least and largest percent, and whether it counts for sure."""

    group: str
    low: float
    high: float
    is_sure: bool


def share_symbol(strikes: Collection, row: int, group: str, country: str) -> ShareSymbol:
    """Return the symbol of a strike, by its row, and its group, for a country as an owner by registration."""
    columns = strikes.features.columns
    return ShareSymbol(
        group, *share_in(columns["owners"][row], country), country in columns["owner_countries_sure"][row]
    )


def drawn_share(percent: float) -> float:
    """Return a percentage as the part that is drawn: a little is never nothing, and nearly all is never all."""
    if percent <= 0 or percent >= 99.995:
        return float(percent > 0)
    return min(1 - 1 / _STEPS, max(2 / _STEPS, round(percent / 100 * _STEPS) / _STEPS))


@lru_cache(maxsize=64)
def _area(text: str) -> BaseGeometry:
    """Return the area of a symbol about its centre, y up; a figure within another is a hole."""
    area: BaseGeometry = shapely.Polygon()
    for figure in outline(text):
        area = area.symmetric_difference(shapely.Polygon((x - CENTRE, CENTRE - y) for x, y in figure).buffer(0))
    return area


@lru_cache(maxsize=1024)
def filled_parts(text: str, low: float, high: float) -> tuple[BaseGeometry, BaseGeometry]:
    """Return what of a symbol's area is filled, and what is hatched above it up to the larger of two parts (0 to 1)."""
    area = _area(text)
    west, south, east, north = area.bounds
    levels = np.linspace(south, north, 97)
    below = [area.intersection(shapely.box(west, south, east, level)).area for level in levels.tolist()]

    def at(part: float) -> float:
        return float(np.interp(part * area.area, below, levels))

    full = area.intersection(shapely.box(west, south, east, at(low)))
    rise = north - south
    lines = [shapely.LineString([(x, south), (x + rise, north)]) for x in np.arange(west - rise, east, _GAP)]
    hatch = shapely.unary_union(lines).buffer(_LINE / 2).intersection(shapely.box(west, at(low), east, at(high)))
    return full, hatch.intersection(area)


def _path(area: BaseGeometry) -> mpath.Path:
    rings = shapely.get_rings(shapely.get_parts(shapely.orient_polygons(area)))
    outlines = [mpath.Path(shapely.get_coordinates(ring), closed=True) for ring in rings]
    return mpath.Path.make_compound_path(*outlines) if outlines else mpath.Path(np.empty((0, 2)))


def share_artist(symbols: Iterable[ShareSymbol], points: Floats, scale: float, look: StyleTable) -> PathCollection:
    """Draw each symbol, with halo, fill and outline, before the next one; `scale` is pixels of a unit of its box."""
    base, share = look["base"]["light"], look["share"]["light"]
    size = Affine2D().scale(scale)
    paths, fills, edges, widths, styles = [], [], [], [], []
    for symbol in symbols:
        text = look["group"][symbol.group]
        full, hatch = filled_parts(text, drawn_share(symbol.low), drawn_share(symbol.high))
        whole = _path(_area(text))
        paths += [size.transform_path(path) for path in (whole, whole, _path(full), _path(hatch), whole)]
        fills += [base["halo"], base["paper"], share, share, "none"]
        edges += [base["halo"], base["paper"], "none", "none", share]
        widths += [HALO["hollow"] * scale, OUTLINE * scale, 0, 0, OUTLINE * scale]
        styles += [*["solid"] * 4, "solid" if symbol.is_sure else (0, _DASH)]
    return PathCollection(
        paths, facecolors=fills, edgecolors=edges, linewidths=widths, linestyles=styles, joinstyle="round",
        offsets=np.repeat(points, 5, axis=0), offset_transform=IdentityTransform(),
    )  # fmt: skip
