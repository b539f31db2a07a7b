"""Pictures of collections, PNG and SVG, drawn from their geometry in the colours and symbols of the web map.

Sizes are CSS pixels at the zooms of the web map (tiles of 512 pixels); a picture may have several pixels for one.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
import shapely
from matplotlib import path as mpath
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.figure import Figure
from matplotlib.transforms import Affine2D, IdentityTransform
from numpy.typing import ArrayLike
from PIL import Image
from shapely.geometry.base import BaseGeometry

from api.rendering.canvas import CENTRE, ICON_PX, Canvas, RenderedLayer
from api.styles.rules import (
    HALO,
    OUTLINE,
    UNIT,
    AreaPaint,
    CirclePaint,
    LinePaint,
    StyleRule,
    StyleTable,
    SymbolPaint,
    TextMatch,
    rules,
    symbol_paint,
)
from api.styles.symbol_paths import outline
from geo.lonlat import Floats, Ints, Objects
from geo.tiles.tile_layer import TileLayer, VisibleFeatures
from layers.collections.collection import Collection
from layers.collections.feature_types import share_in

# matplotlib shares its fonts and path cache among threads: one picture is drawn at a time.
_pen = threading.Lock()


@lru_cache(maxsize=64)
def _symbol(text: str) -> mpath.Path:
    """Return the outline of a symbol about its centre, y up, in units of its box."""
    return _compound([*figure, figure[0]] for figure in outline(text)).transformed(
        Affine2D().translate(-CENTRE, -CENTRE).scale(1, -1)
    )


def render(
    canvas: Canvas,
    drawn: Iterable[RenderedLayer],
    look: StyleTable,
    ground: Sequence[TileLayer] = (),
    background: str | None = None,
    step: Callable[[], None] = lambda: None,
    form: str = "png",
) -> bytes:
    """Draw collections as PNG, or as SVG 1.1 of which a user unit is a pixel of the PNG.

    Parameters
    ----------
    drawn
        The collections, the later over the earlier.
    ground
        Countries and boundaries of the base map, drawn below; none where it is empty.
    background
        Colour where nothing is drawn; transparent without one.
    step
        Called between the steps; it raises where the picture is not wanted any more.
    form
        "png" or "svg".

    Returns
    -------
    bytes
        A PNG with an alpha channel, wholly transparent where nothing is drawn; or a document without texts, times or
        references to other files. The same collections give the same bytes.
    """
    figure = Figure(figsize=(canvas.width / 72, canvas.height / 72), dpi=72, facecolor=background or "none")
    artists = _base_map(canvas, ground, look) if ground else []
    for rendered in drawn:
        step()
        artists += _collection(canvas, rendered, look)
    for artist in artists:
        figure.add_artist(artist)
        # Where an SVG has a path a point, matplotlib moves a copy of the transform: that cannot be the identity.
        artist.set_transform(Affine2D())
    if form == "png":
        is_empty = not artists and background is None
        return _empty(canvas.width, canvas.height) if is_empty else _drawn_png(figure, step)
    out = io.BytesIO()
    # Identifiers are drawn by lot without a salt.
    with _pen, rc_context({"svg.hashsalt": "strikeatlas"}):
        step()
        FigureCanvasSVG(figure).print_svg(out, metadata={"Creator": "StrikeAtlas", "Date": None})  # type: ignore[no-untyped-call]
    return out.getvalue()


def _drawn_png(figure: Figure, step: Callable[[], None] = lambda: None) -> bytes:
    board = FigureCanvasAgg(figure)
    with _pen:
        step()
        board.draw()  # type: ignore[no-untyped-call]
    step()
    return _png(Image.fromarray(np.asarray(board.buffer_rgba())))  # type: ignore[no-untyped-call]


@lru_cache(maxsize=16)
def _empty(width: int, height: int) -> bytes:
    return _png(Image.new("RGBA", (width, height), (255, 255, 255, 0)))


def _png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=4)
    return out.getvalue()


def _pixels(canvas: Canvas, shape: BaseGeometry | Floats, world: float) -> Floats:
    """Return the vertices of a line or ring, or points, of a copy of the world in pixels, shape (n, 2)."""
    xy = shapely.get_coordinates(shape) if isinstance(shape, BaseGeometry) else shape
    return canvas.to_pixels(np.add(xy, [world, 0]))


def _paths(canvas: Canvas, shapes: Objects, world: float) -> list[mpath.Path]:
    """Return the outlines of polygons with their holes, in pixels."""
    return [
        _compound(_pixels(canvas, ring, world) for ring in shapely.get_rings(shape))
        for shape in shapely.orient_polygons(shapes)
    ]


def _compound(rings: Iterable[ArrayLike]) -> mpath.Path:
    return mpath.Path.make_compound_path(*(mpath.Path(ring, closed=True) for ring in rings))


def _base_map(canvas: Canvas, ground: Sequence[TileLayer], look: StyleTable) -> list[Any]:
    base = look["base"]["light"]
    countries, boundaries = ground
    coast, border = (canvas.pixels_of(look["size"][name]) for name in ("coast", "border"))
    artists: list[Any] = []
    for seen, world in canvas.visible(countries):
        land = _paths(canvas, seen.areas, world)
        artists.append(PathCollection(land, facecolors=base["land"], edgecolors=base["coast"], linewidths=coast))
    for seen, world in canvas.visible(boundaries):
        lines = [_pixels(canvas, line, world) for line in seen.lines]
        artists.append(LineCollection(lines, colors=base["border"], linewidths=border))
    return artists


def _collection(canvas: Canvas, rendered: RenderedLayer, look: StyleTable) -> list[Any]:
    # Lines and areas are drawn as those of assets, whichever collection they are of.
    drawn = [rule for rule in rules("assets", look) if rule.geometry != "points"]
    drawn += [rule for rule in rules(rendered.collection.name, look) if rule.geometry == "points"]
    artists: list[Any] = []
    for visible, world in canvas.visible(rendered.layer, rendered.mask):
        shown = {"polygons": visible.areas, "lines": visible.lines, "points": visible.points}
        artists += [
            _artist(canvas, visible, world, rule, rendered, look) for rule in drawn if len(shown[rule.geometry])
        ]
    return artists


def _artist(
    canvas: Canvas, visible: VisibleFeatures, world: float, rule: StyleRule, rendered: RenderedLayer, look: StyleTable
) -> PathCollection | LineCollection:
    """Draw the features of a rule; strikes in the order of their rows, or by the share of a country."""
    collection, points, rows = rendered.collection, _pixels(canvas, visible.points, world), visible.point_rows
    match rule.paint:
        case AreaPaint(fill, opacity, edge, edge_width):
            paths, width = _paths(canvas, visible.areas, world), canvas.pixels_of(edge_width)
            return PathCollection(paths, facecolors=(fill, opacity), edgecolors=edge, linewidths=width)
        case LinePaint(colour, stops, dash, opacity):
            is_drawn = _meets(rule.condition, collection, visible.line_rows)
            lines = [_pixels(canvas, one, world) for one, drawn in zip(visible.lines, is_drawn, strict=True) if drawn]
            # matplotlib, like the web map, counts dashes in widths of the line.
            style: Any = (0, dash) if dash else "solid"
            paint = {"colors": (colour, opacity), "linewidths": canvas.pixels_of(stops), "linestyles": style}
            return LineCollection(lines, capstyle="butt", **paint)
        case CirclePaint(fill, edge, radius, edge_pixels):
            circle = mpath.Path.unit_circle().transformed(Affine2D().scale(canvas.pixels_of(radius)))
            return PathCollection(
                [circle], offsets=points, offset_transform=IdentityTransform(), facecolors=[fill] * len(points),
                edgecolors=edge, linewidths=edge_pixels * canvas.ratio,
            )  # fmt: skip
        case SymbolPaint():
            order = np.argsort(rows, kind="stable")
            points, rows, scale = points[order], rows[order], canvas.pixels_of(rule.paint.size) * UNIT
            symbols = symbols_of(collection, rows, look)
            if rendered.country is None:
                return _symbol_artist(symbols, points, scale, look)
            groups = zip(rows.tolist(), (group for group, _, _ in symbols), strict=True)
            shares = [share_symbol(collection, row, group, rendered.country) for row, group in groups]
            return _share_artist(shares, points, scale, look)


def _meets(match: TextMatch | None, collection: Collection, rows: Ints) -> Sequence[bool]:
    """Return which rows meet a condition."""
    if match is None:
        return [True] * len(rows)
    values = zip(*(_column(collection, name, rows) for name in match.columns), strict=True)
    return [(match.text in next(filter(None, row), "")) == match.contains for row in values]


#: Group, host and fill of a symbol, as keys of the style table.
Symbol: TypeAlias = tuple[str, str, str]


def symbols_of(collection: Collection, rows: Ints, look: StyleTable) -> list[Symbol]:
    """Return the symbols of rows of strikes, attributions or hits."""
    paint = symbol_paint(collection.name, look)
    choices = (paint.shape, paint.host, paint.fill)
    keys = ([choice.key_of(value) for value in _column(collection, choice.column, rows)] for choice in choices)
    return list(zip(*keys, strict=True))


def _column(collection: Collection, name: str, rows: Ints) -> Sequence[Any]:
    """Return the values of a column in some rows; ``None`` in each where the collection has no such column."""
    column = collection.features.columns.get(name)
    return [None] * len(rows) if column is None else column.take(rows)


def _symbol_artist(symbols: Iterable[Symbol], points: Floats, scale: float, look: StyleTable) -> PathCollection:
    """Draw each symbol with halo, fill and outline before the next one (static/style.js)."""
    base = look["base"]["light"]
    # The outlines are shared: one of its own for each point took most of the time and memory of a picture.
    drawn, size = list(symbols), Affine2D().scale(scale)
    sized = {shape: _symbol(look["group"][shape]).transformed(size) for shape in {symbol[0] for symbol in drawn}}
    paths, fills, edges, widths = [], [], [], []
    for shape, host, fill in drawn:
        colour, filled = look["host"][host]["light"], fill == "filled"
        paths += [sized[shape], sized[shape]]
        fills += [base["halo"], colour if filled else base["paper"]]
        edges += [base["halo"], "none" if filled else colour]
        widths += [HALO[fill] * scale, 0 if filled else OUTLINE * scale]
    return PathCollection(
        paths,
        facecolors=fills,
        edgecolors=edges,
        linewidths=widths,
        joinstyle="round",
        offsets=np.repeat(points, 2, axis=0),
        offset_transform=IdentityTransform(),
    )


def symbols_png(symbols: Sequence[Symbol], ratio: int, look: StyleTable) -> bytes:
    """Draw symbols at size 1 in one row, each `ICON_PX` CSS pixels wide and high, as PNG."""
    side = ICON_PX * ratio
    figure = Figure(figsize=(side * len(symbols) / 72, side / 72), dpi=72, facecolor="none")
    points = np.array([[side * (at + 0.5), side / 2] for at in range(len(symbols))])
    artist = _symbol_artist(symbols, points, UNIT * ratio, look)
    figure.add_artist(artist)
    artist.set_transform(IdentityTransform())
    return _drawn_png(figure)


# --- symbols that are filled from below by the share that a country had of what was hit (static/symbols.js) ---------

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


def _area_path(area: BaseGeometry) -> mpath.Path:
    rings = shapely.get_rings(shapely.get_parts(shapely.orient_polygons(area)))
    return _compound(map(shapely.get_coordinates, rings)) if len(rings) else mpath.Path(np.empty((0, 2)))


def _share_artist(symbols: Iterable[ShareSymbol], points: Floats, scale: float, look: StyleTable) -> PathCollection:
    """Draw each symbol, with halo, fill and outline, before the next one; `scale` is pixels of a unit of its box."""
    base, share = look["base"]["light"], look["share"]["light"]
    size = Affine2D().scale(scale)
    paths, fills, edges, widths, styles = [], [], [], [], []
    for symbol in symbols:
        text = look["group"][symbol.group]
        full, hatch = filled_parts(text, drawn_share(symbol.low), drawn_share(symbol.high))
        whole = _area_path(_area(text))
        paths += [size.transform_path(path) for path in (whole, whole, _area_path(full), _area_path(hatch), whole)]
        fills += [base["halo"], base["paper"], share, share, "none"]
        edges += [base["halo"], base["paper"], "none", "none", share]
        widths += [HALO["hollow"] * scale, OUTLINE * scale, 0, 0, OUTLINE * scale]
        styles += [*["solid"] * 4, "solid" if symbol.is_sure else (0, _DASH)]
    return PathCollection(
        paths, facecolors=fills, edgecolors=edges, linewidths=widths, linestyles=styles, joinstyle="round",
        offsets=np.repeat(points, 5, axis=0), offset_transform=IdentityTransform(),
    )  # fmt: skip
