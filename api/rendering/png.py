"""Pictures of collections, drawn from their geometry in the colours and shapes of the web map. PNG out.

Measures are CSS pixels of the web map's, at its zooms (tiles of 512); a picture may have more pixels to one.
"""

from __future__ import annotations

import io
import math
import threading
import weakref
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import orjson
import shapely
from matplotlib import path as mpath
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.figure import Figure
from matplotlib.transforms import Affine2D, IdentityTransform
from PIL import Image

from api.styles.rules import HALO, OUTLINE, UNIT, Marks, Table, at_zoom, marks
from api.styles.symbol_paths import outline
from geo.lonlat import Bools, Floats, Objects
from geo.tiles.mvt import Layer, Seen
from geo.tiles.tile_matrix import MAX_ZOOM, Box, Tile
from layers.collections.collection import Collection

#: Pixels of a tile, and of the tile that the web map's zooms are told for.
TILE = 256
_MAP_TILE = 512
#: Pixels that a symbol reaches beyond its place, halo and all.
REACH = 16
#: Middle of the box of 24 units that symbols are drawn in.
_CENTRE = 12.0
#: Pixels of the picture of one symbol at size 1, its halo within (static/style.js).
ICON = 28

# matplotlib's fonts and path cache are shared; one picture is drawn at a time.
_pen = threading.Lock()


@dataclass(frozen=True, eq=False)
class Drawn:
    """A collection to draw: all of it, or the rows of a mask."""

    collection: Collection
    layer: Layer
    mask: Bools | None = None


@dataclass(frozen=True, eq=False)
class Canvas:
    """A picture's place and size.

    Parameters
    ----------
    box
        World coordinates of a plane; west may be less than 0 or east more than 1, where it crosses 180 degrees.
    width, height
        Pixels.
    ratio
        Pixels to one CSS pixel.
    """

    box: Box
    width: int
    height: int
    ratio: float = 1.0

    @property
    def zoom(self) -> float:
        """The web map's zoom at this scale; of two scales, where it is drawn out, the lesser."""
        per_pixel = (self.box[2:] - self.box[:2]) / [self.width, self.height]
        return -math.log2(float(per_pixel.max()) * self.ratio * _MAP_TILE)

    def measure(self, stops: Sequence[tuple[float, float]]) -> float:
        """Pixels of what has so many CSS pixels at some zooms."""
        return at_zoom(stops, self.zoom) * self.ratio

    def pixels(self, world: Floats) -> Floats:
        """Pixels from the lower left corner, as matplotlib counts."""
        size = self.box[2:] - self.box[:2]
        x, y = ((world - self.box[:2]) / size * [self.width, self.height]).T
        return np.column_stack([x, self.height - y])

    def seen(self, layer: Layer, mask: Bools | None = None) -> list[tuple[Seen, float]]:
        """What of a layer it shows, with the worlds that each is to be moved by to the east."""
        per_pixel = (self.box[2:] - self.box[:2]) / [self.width, self.height] * self.ratio
        grown = self.box + np.concatenate([-per_pixel, per_pixel]) * REACH
        zoom = min(max(round(self.zoom) + 1, 0), MAX_ZOOM)
        found = []
        for world in (-1.0, 0.0, 1.0):
            box = grown - np.array([world, 0, world, 0])
            if box[0] < 1 and box[2] > 0:
                found.append((layer.seen(np.clip(box, 0, 1), zoom, mask), world))
        return found


def tile_canvas(tile: Tile, ratio: int = 1) -> Canvas:
    """The canvas of one tile."""
    box = np.array([tile.x, tile.y, tile.x + 1, tile.y + 1]) / (1 << tile.z)
    return Canvas(box, TILE * ratio, TILE * ratio, ratio)


@lru_cache(maxsize=4)
def table(path: Path) -> Table:
    """The one table of colours and symbols."""
    told: Table = orjson.loads(path.read_bytes())
    return told


@lru_cache(maxsize=64)
def _symbol(text: str) -> mpath.Path:
    """A symbol about its centre, y up, in units of its box."""
    return outline(text).transformed(Affine2D().translate(-_CENTRE, -_CENTRE).scale(1, -1))


def painted(
    canvas: Canvas, drawn: Iterable[Drawn], look: Table, ground: Sequence[Layer] = (), background: str | None = None
) -> bytes:
    """Draw collections, the later on top, over the base map's layers if any, as PNG.

    Parameters
    ----------
    ground
        Countries and boundaries of the base map.
    background
        Colour of what nothing is drawn on; transparent without one.
    """
    figure = Figure(figsize=(canvas.width / 72, canvas.height / 72), dpi=72, facecolor=background or "none")
    board = FigureCanvasAgg(figure)
    artists = _ground(canvas, ground, look) if ground else []
    for one in drawn:
        artists += _collection(canvas, one, look)
    if not artists and background is None:
        return _empty(canvas.width, canvas.height)
    for artist in artists:
        figure.add_artist(artist)
        artist.set_transform(IdentityTransform())
    with _pen:
        board.draw()  # type: ignore[no-untyped-call]
    return _png(Image.fromarray(np.asarray(board.buffer_rgba())))  # type: ignore[no-untyped-call]


@lru_cache(maxsize=16)
def _empty(width: int, height: int) -> bytes:
    return _png(Image.new("RGBA", (width, height), (255, 255, 255, 0)))


def _png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=4)
    return out.getvalue()


def _moved(xy: Floats, worlds: float) -> Floats:
    return np.add(xy, [worlds, 0])


def _paths(canvas: Canvas, shapes: Objects, world: float) -> list[mpath.Path]:
    """Polygons, holes and all, in pixels."""
    found = []
    for shape in shapely.orient_polygons(shapes):
        rings = [canvas.pixels(_moved(shapely.get_coordinates(ring), world)) for ring in shapely.get_rings(shape)]
        found.append(mpath.Path.make_compound_path(*(mpath.Path(ring, closed=True) for ring in rings)))
    return found


def _strings(canvas: Canvas, shapes: Objects, world: float) -> list[Floats]:
    return [canvas.pixels(_moved(shapely.get_coordinates(shape), world)) for shape in shapes]


def _ground(canvas: Canvas, ground: Sequence[Layer], look: Table) -> list[Any]:
    base = look["base"]["light"]
    countries, boundaries = ground
    found: list[Any] = []
    for seen, world in canvas.seen(countries):
        land = _paths(canvas, seen.areas, world)
        found.append(
            PathCollection(
                land,
                facecolors=base["land"],
                edgecolors=base["coast"],
                linewidths=canvas.measure(look["size"]["coast"]),
            )
        )
    for seen, world in canvas.seen(boundaries):
        lines = _strings(canvas, seen.lines, world)
        found.append(LineCollection(lines, colors=base["border"], linewidths=canvas.measure(look["size"]["border"])))
    return found


def _collection(canvas: Canvas, one: Drawn, look: Table) -> list[Any]:
    looks = looks_of(one.collection, look)
    found: list[Any] = []
    for seen, world in canvas.seen(one.layer, one.mask):
        if len(seen.areas):
            found.append(_areas(canvas, seen, world, look))
        if len(seen.lines):
            found += _pipes(canvas, seen, world, looks, look)
        if len(seen.points):
            places = canvas.pixels(_moved(seen.points, world))
            draw = _sites if looks.symbols is None else _symbols
            found.append(draw(canvas, places, seen.point_rows, looks, look))
    return found


Symbol: TypeAlias = tuple[str, str, str]


@dataclass(frozen=True, eq=False)
class Looks:
    """How each row of a collection is drawn, shape (n,) each: by a symbol, or ``None`` as a site or a pipeline."""

    symbols: Sequence[Symbol] | None
    gas: Bools


_LOOKS: weakref.WeakKeyDictionary[Collection, Looks] = weakref.WeakKeyDictionary()


def looks_of(collection: Collection, look: Table) -> Looks:
    """How the rows of a collection are drawn, made once."""
    if collection not in _LOOKS:
        carried = zip(_column(collection, "commodity"), _column(collection, "group"), strict=True)
        marked = collection.name in ("strikes", "attributions")
        _LOOKS[collection] = Looks(
            _marked(collection, marks(collection.name, look)) if marked else None,
            np.array(["gas" in (commodity or group or "") for commodity, group in carried], dtype=bool),
        )
    return _LOOKS[collection]


def _marked(collection: Collection, chosen: Marks) -> Sequence[Symbol]:
    """The symbol of each row: its shape, host and fill."""
    columns = ((one, _column(collection, one.column)) for one in (chosen.shape, chosen.host, chosen.fill))
    shape, host, fill = ([one.of(value) for value in column] for one, column in columns)
    return list(zip(shape, host, fill, strict=True))


def _column(collection: Collection, name: str) -> Objects:
    found = np.empty(len(collection), dtype=object)
    found[:] = collection.features.columns.get(name, [None] * len(collection))
    return found


def _areas(canvas: Canvas, seen: Seen, world: float, look: Table) -> PathCollection:
    base = look["base"]["light"]
    paths = _paths(canvas, seen.areas, world)
    return PathCollection(
        paths,
        facecolors=(base["chosen"], 0.5),
        edgecolors=base["mark"],
        linewidths=canvas.measure(look["size"]["border"]),
    )


def _pipes(canvas: Canvas, seen: Seen, world: float, looks: Looks, look: Table) -> list[LineCollection]:
    lines = _strings(canvas, seen.lines, world)
    width = canvas.measure(look["size"]["pipe"])
    case = LineCollection(
        lines,
        colors=(look["base"]["light"]["halo"], 0.7),
        linewidths=canvas.measure(look["size"]["case"]),
        capstyle="butt",
    )
    found = [case]
    gas = looks.gas[seen.line_rows]
    for name, chosen in (("gas", gas), ("oil", ~gas)):
        kept = [line for line, keep in zip(lines, chosen, strict=True) if keep]
        dash = look["line"][name]["dash"]
        style: Any = (0, dash) if dash else "solid"
        # matplotlib, like the web map, counts dashes in widths of the line.
        found.append(
            LineCollection(
                kept, colors=look["line"][name]["light"], linewidths=width, linestyles=style, capstyle="butt"
            )
        )
    return found


def _sites(canvas: Canvas, places: Floats, rows: Any, looks: Looks, look: Table) -> PathCollection:
    base = look["base"]["light"]
    circle = mpath.Path.unit_circle().transformed(Affine2D().scale(canvas.measure(look["size"]["site"])))
    return PathCollection(
        [circle.transformed(Affine2D().translate(x, y)) for x, y in places],
        facecolors=base["paper"],
        edgecolors=base["mark"],
        linewidths=1.2 * canvas.ratio,
    )


def _symbols(canvas: Canvas, places: Floats, rows: Any, looks: Looks, look: Table) -> PathCollection:
    """The symbols in the order of the rows."""
    assert looks.symbols is not None
    order = np.argsort(rows, kind="stable")
    scale = canvas.measure(look["size"]["symbol"]) * UNIT
    return _drawn([looks.symbols[rows[at]] for at in order], places[order], scale, look)


def _drawn(symbols: Iterable[Symbol], places: Floats, scale: float, look: Table) -> PathCollection:
    """Each symbol whole, halo, fill and outline, before the next (static/style.js)."""
    base = look["base"]["light"]
    paths, fills, edges, widths = [], [], [], []
    for (shape, host, fill), (x, y) in zip(symbols, places, strict=True):
        colour, filled = look["host"][host]["light"], fill == "filled"
        path = _symbol(look["group"][shape]).transformed(Affine2D().scale(scale).translate(x, y))
        paths += [path, path]
        fills += [base["halo"], colour if filled else base["paper"]]
        edges += [base["halo"], "none" if filled else colour]
        widths += [HALO[fill] * scale, 0 if filled else OUTLINE * scale]
    return PathCollection(paths, facecolors=fills, edgecolors=edges, linewidths=widths, joinstyle="round")


def icons(symbols: Sequence[Symbol], ratio: int, look: Table) -> bytes:
    """Pictures of symbols at size 1 in one row, each `ICON` CSS pixels wide and high, as PNG."""
    side = ICON * ratio
    figure = Figure(figsize=(side * len(symbols) / 72, side / 72), dpi=72, facecolor="none")
    board = FigureCanvasAgg(figure)
    places = np.array([[side * (at + 0.5), side / 2] for at in range(len(symbols))])
    artist = _drawn(symbols, places, UNIT * ratio, look)
    figure.add_artist(artist)
    artist.set_transform(IdentityTransform())
    with _pen:
        board.draw()  # type: ignore[no-untyped-call]
    return _png(Image.fromarray(np.asarray(board.buffer_rgba())))  # type: ignore[no-untyped-call]
