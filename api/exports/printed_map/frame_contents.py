"""The contents of a printed map's frame: the ground, and the strikes, pipelines and sites that are in view on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import geopandas
import numpy as np
import shapely
from matplotlib.artist import Artist
from matplotlib.collections import LineCollection
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from api.exports.printed_map.extent import GEOD, SEAM_DEG, WORLD, Frame
from api.exports.printed_map.place_labels import spread
from api.exports.printed_map.sheet import PageCanvas
from api.exports.printed_map.strike_list import SYMBOL_MM
from api.exports.strike_rows import DrawnStrike, rows, text_value
from api.exports.symbols import OTHER_PIPE_COLOUR, PIPE_COLOURS, PIPE_DASHES, pipe_group
from geo.lonlat import Floats, Objects
from layers.reference.basemap import Basemap

SEA, LAND, BORDER, COAST = "#dde8ee", "#f6f4ee", "#8d857a", "#8fa3ad"
SITE = "#7b7466"
#: The largest number of strikes that are numbered and listed below the map.
MAX_LISTED = 15
#: The largest number of strikes that are moved apart; more would only cover the map evenly.
MAX_SPREAD = 1000
#: The largest number of circles of one colour that are drawn one by one; more would cover the map.
MAX_CIRCLES = 60
#: The largest distance that a symbol is moved from its place, in millimetres.
FURTHEST_MM = 5.0


def draw_base(sheet: PageCanvas, frame: Frame, basemap: Basemap, line_width: float = 0.55) -> Objects:
    """Draw sea, land, coasts and borders; every country has the same colour.

    Parameters
    ----------
    sheet, frame
        The page, and the rectangle on it with its projection.
    basemap
        The base map, in lon/lat (OGC:CRS84).
    line_width
        Width of borders in points; that of coasts follows from it.

    Returns
    -------
    Objects
        The land on the page, shape (n, 2): a piece in millimetres, and its row of the countries.
    """
    clip = _sea(sheet, frame)
    land, rows = frame.cut(basemap.countries.shape)
    _add(sheet, PathPatch(path_of(land), facecolor=LAND, edgecolor=LAND, linewidth=0.2, zorder=1), clip)
    for kind, colour, width in (("coast", COAST, line_width * 0.8), ("border", BORDER, line_width)):
        lines, _ = frame.cut(basemap.boundaries.shape[basemap.boundaries.kind == kind])
        _add(sheet, LineCollection(coordinates_of(lines), colors=colour, linewidths=width, zorder=2), clip)
    return np.column_stack([land, rows.astype(object)]) if len(land) else np.empty((0, 2), dtype=object)


def _sea(sheet: PageCanvas, frame: Frame) -> Artist:
    """Draw the sea; what is drawn later is clipped to it."""
    if frame.projection.whole_world:
        lon_0 = frame.projection.lon_0
        edge = WORLD.outline() * [1 - SEAM_DEG, 1] + [lon_0, 0]
        sea: PathPatch | Rectangle = PathPatch(Path(frame.mm(edge)), facecolor=SEA, edgecolor=BORDER, linewidth=0.5)
    else:
        sea = Rectangle((frame.left, frame.bottom), frame.width, frame.height, facecolor=SEA, edgecolor="none")
    sheet.axes.add_patch(sea)
    return sea


def draw_frame(sheet: PageCanvas, frame: Frame, line_width: float = 0.7) -> None:
    """Draw the neat line; a world map has its own edge instead."""
    if not frame.projection.whole_world:
        sheet.axes.add_patch(
            Rectangle(
                (frame.left, frame.bottom), frame.width, frame.height,
                fill=False, edgecolor="#444444", linewidth=line_width, zorder=16,
            )
        )  # fmt: skip


def _add(sheet: PageCanvas, artist: Artist, clip: Artist) -> None:
    sheet.axes.add_artist(artist)
    artist.set_clip_path(clip)  # type: ignore[arg-type]


def path_of(polygons: Objects) -> Path:
    """Make one path of all polygons, holes turned the other way.

    Parameters
    ----------
    polygons
        Geometries in millimetres, shape (n,); parts that are no polygons are left out.

    Returns
    -------
    Path
        Empty without polygons.
    """
    parts = shapely.get_parts(polygons)
    parts = shapely.orient_polygons(parts[shapely.get_type_id(parts) == 3])
    rings = [shapely.get_coordinates(ring) for ring in shapely.get_rings(parts)]
    if not rings:
        return Path(np.empty((0, 2)))
    codes = [np.full(len(ring), Path.LINETO, dtype=Path.code_type) for ring in rings]
    for code in codes:
        code[0], code[-1] = Path.MOVETO, Path.CLOSEPOLY
    return Path(np.concatenate(rings), np.concatenate(codes))


def coordinates_of(lines: Objects) -> list[Floats]:
    """Return the vertices of every single line, shape (k, 2) each.

    Parameters
    ----------
    lines
        Geometries, shape (n,); parts that are no lines are left out.
    """
    parts = shapely.get_parts(lines)
    return [shapely.get_coordinates(line) for line in parts[shapely.get_type_id(parts) == 1]]


@dataclass(frozen=True, eq=False)
class FrameContents:
    """The contents of a frame, in millimetres; ``symbols`` are the positions of the symbols of the strikes."""

    frame: Frame
    marks: list[DrawnStrike]
    places: Floats
    symbols: Floats
    size: float
    pipelines: dict[str, list[Floats]]
    sites: Floats
    circles: list[tuple[str, Floats]]

    @property
    def listed(self) -> bool:
        """Return whether the strikes are few enough to be numbered and listed."""
        return 0 < len(self.marks) <= MAX_LISTED

    @property
    def moved(self) -> Floats:
        """The distance of each symbol from its place, in millimetres, shape (n,)."""
        far: Floats = np.linalg.norm(self.symbols - self.places, axis=1)
        return far


def frame_contents(frame: Frame, marks: Sequence[DrawnStrike], assets: geopandas.GeoDataFrame) -> FrameContents:
    """Select strikes and assets inside the frame, and move symbols apart that would cover each other.

    Parameters
    ----------
    frame
        The rectangle on the page and its projection.
    marks
        Strikes with a place, in the order of their numbers; may be empty.
    assets
        Rows with the columns of the collection in lon/lat (OGC:CRS84); rows without a geometry are left out.
    """
    mm = frame.mm(np.array([[mark.lon, mark.lat] for mark in marks], dtype=float))
    inside = [int(row) for row in np.flatnonzero(frame.shows(mm, 0.5))]
    seen, places = [marks[row] for row in inside], mm[inside]
    size = symbol_size(len(seen), frame)
    left, bottom, right, top = frame.box
    room = (left + size / 2, bottom + size / 2, right - size / 2, top - size / 2)
    # On a world map even a little is a country away.
    furthest = 1.5 if frame.projection.whole_world else FURTHEST_MM
    symbols = spread(places, size * 1.02, room, furthest) if 1 < len(seen) <= MAX_SPREAD else places
    circles = circles_in_view(frame, seen, size * 1.5)
    return FrameContents(
        frame, seen, places, symbols, size, pipelines_in_view(frame, assets), sites_in_view(frame, assets), circles
    )


def symbol_size(count: int, frame: Frame) -> float:
    """Width in millimetres of the symbols when so many are shown; a world map has small ones."""
    if count <= MAX_LISTED:
        return SYMBOL_MM
    return 2.7 if count <= 150 and not frame.projection.whole_world else 1.8


def pipelines_in_view(frame: Frame, assets: geopandas.GeoDataFrame) -> dict[str, list[Floats]]:
    """Cut the pipelines to the frame.

    Parameters
    ----------
    frame
        The rectangle on the page and its projection.
    assets
        Rows with the columns of the collection in lon/lat (OGC:CRS84); lines alone are taken.

    Returns
    -------
    dict
        Vertices in millimetres, shape (k, 2), of each piece by group ("oil", "gas", or "" for another); a group without
        a piece in view is left out.
    """
    shapes = assets.geometry.to_numpy()
    is_line = np.isin(shapely.get_type_id(shapes), (1, 5))
    groups = np.array([pipe_group(text_value(row, "commodity")) for row, _ in rows(assets)], dtype=object)
    lines_by_group = {}
    for group in (*PIPE_COLOURS, ""):
        lines, _ = frame.cut(shapes[is_line & (groups == group)])
        inside = coordinates_of(shapely.clip_by_rect(lines, *frame.box))
        if inside:
            lines_by_group[group] = inside
    return lines_by_group


def pipeline_style(lines: LineCollection, group: str) -> LineCollection:
    """Give lines the look of a group of pipelines ("" for another) and return them."""
    lines.set(color=PIPE_COLOURS.get(group, OTHER_PIPE_COLOUR), linewidth=1.1, capstyle="butt")
    if dashes := PIPE_DASHES.get(group):
        lines.set_linestyle((0, dashes))
    return lines


def sites_in_view(frame: Frame, assets: geopandas.GeoDataFrame) -> Floats:
    """Find the places of the facilities in the frame.

    Parameters
    ----------
    frame
        The rectangle on the page and its projection.
    assets
        Rows with the columns of the collection in lon/lat (OGC:CRS84). Of an area a point inside it is taken; lines,
        missing and empty geometries are left out.

    Returns
    -------
    Floats
        Millimetres on the page, shape (n, 2).
    """
    shapes = assets.geometry.to_numpy()
    placed = shapes[np.isin(shapely.get_type_id(shapes), (0, 3, 4, 6)) & ~shapely.is_empty(shapes)]
    if not len(placed):
        return np.empty((0, 2))
    mm = frame.mm(shapely.get_coordinates(shapely.point_on_surface(placed)))
    return mm[frame.shows(mm)]


def circles_in_view(frame: Frame, marks: Sequence[DrawnStrike], smallest_mm: float) -> list[tuple[str, Floats]]:
    """Return circles of the true radius about uncertain places, each once.

    Parameters
    ----------
    frame
        The rectangle on the page and its projection.
    marks
        Strikes; one whose uncertainty is 0 has no circle.
    smallest_mm
        Circles less than this across are left out: they would hide under their symbol.

    Returns
    -------
    list of tuple
        The colour of the strike, and the points of the circle in millimetres, shape (73, 2), all finite.
    """
    spots = sorted({(m.colour, m.lon, m.lat, m.uncertainty_m) for m in marks if m.uncertainty_m > 0})
    wide = [spot for spot in spots if 2 * spot[3] / frame.true_metres_per_mm >= smallest_mm]
    circles = [(colour, frame.mm(circle_around(*circle))) for colour, *circle in wide]
    return [(colour, circle) for colour, circle in circles if np.isfinite(circle).all()]


def crowded_colours(circles: Sequence[tuple[str, Floats]]) -> frozenset[str]:
    """Return the colours of which there are too many circles to draw each."""
    return frozenset(
        colour for colour, count in Counter(colour for colour, _ in circles).items() if count > MAX_CIRCLES
    )


def draw_circles(sheet: PageCanvas, frame: Frame, circles: Sequence[tuple[str, Floats]]) -> None:
    """Draw circles of uncertainty faintly, cut at the frame; where they are many, the one area that they cover.

    Parameters
    ----------
    circles
        The colour of each, and its points in millimetres, shape (k, 2).
    """
    crowded = crowded_colours(circles)
    discs: dict[str, list[shapely.Geometry]] = {}
    for colour, circle in circles:
        discs.setdefault(colour, []).append(shapely.make_valid(shapely.Polygon(circle)))
    for colour, areas in discs.items():
        opacity = 0.18 if colour in crowded else 0.09
        for area in [shapely.union_all(areas)] if colour in crowded else areas:
            inside = path_of(np.array([shapely.clip_by_rect(area, *frame.box)]))
            sheet.axes.add_patch(PathPatch(inside, facecolor=colour, alpha=opacity, linewidth=0, zorder=3))
            lines = coordinates_of(np.array([shapely.clip_by_rect(shapely.boundary(area), *frame.box)]))
            sheet.axes.add_artist(LineCollection(lines, colors=colour, linewidths=0.4, alpha=0.55, zorder=3))


def circle_around(lon: float, lat: float, radius_m: float) -> Floats:
    """Points at a true distance about a point, lon/lat degrees, closed; shape (73, 2)."""
    angle = np.linspace(0, 360, 73)
    count = np.full(len(angle), 1.0)
    east, north, _ = GEOD.fwd(count * lon, count * lat, angle, count * radius_m)
    return np.column_stack([east, north])
