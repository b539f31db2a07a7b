"""Draws the ground of a frame: sea, lakes, rivers, borders, and pipelines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from api.exports.printed_map.drawing import Drawing, Layer, path_of, rectangle_svg
from api.exports.printed_map.extent import Frame
from api.exports.printed_map.map_strikes import MapLine
from api.exports.printed_map.print_words import PrintWords
from geo.lonlat import Objects
from layers.reference.basemap import Basemap
from layers.reference.basemap_archive import BasemapArchive
from layers.reference.map_ground import MapGround, read_ground

#: A pipeline on the page: whether it was struck, its name and its line.
DrawnLine = tuple[bool, str, BaseGeometry]
_LEAST_ISLAND, _LEAST_LAKE = 0.02, 0.15


@dataclass(frozen=True)
class MapSubject:
    """What is on a map beside its story: the ground's sources, pipelines, and words."""

    basemap: Basemap
    archive: BasemapArchive | None
    lines: Sequence[MapLine]
    words: PrintWords


def ground_of(frame: Frame, subject: MapSubject) -> MapGround:
    """Read the ground that a frame shows."""
    seen = frame.window
    window = (seen.west, seen.south, seen.east, seen.north)
    return read_ground(subject.basemap, subject.archive, window, frame.metres_per_mm, subject.words.language)


@dataclass(frozen=True, eq=False)
class DrawnGround:
    """The ground on the page, in millimetres: what names stand on and keep off."""

    land: BaseGeometry
    #: Sea and lakes; the Caspian is a lake to GSHHG.
    water: BaseGeometry
    rivers: Objects
    #: Thin lines that names of countries keep off.
    fine: BaseGeometry
    former: bool


def draw_ground(drawing: Drawing, ground: MapGround) -> DrawnGround:
    """Draw the ground of a frame."""
    frame, look, palette = drawing.frame, drawing.look, drawing.look.palette
    whole = shapely.box(*frame.box)
    sea = _united(frame, ground.sea)
    shore, former = _large(frame, ground.lakes, _LEAST_LAKE), _large(frame, ground.former, _LEAST_LAKE)
    left, top, right, bottom = frame.box
    drawing.add("land", rectangle_svg((left, top, right - left, bottom - top), f'fill="{palette.land}"'))
    rivers, _ = frame.cut(ground.rivers)
    rivers = rivers[shapely.length(rivers) > look.river_least]
    borders, _ = frame.cut(ground.borders)
    coast = f'stroke="{palette.coast}"'
    drawn: Sequence[tuple[Layer, Objects, str]] = (
        ("water", former, f'fill="none" {coast} stroke-width="0.14" stroke-dasharray="0.5 0.4"'),
        ("water", shore, f'fill="{palette.sea}" {coast} stroke-width="0.08"'),
        ("water", rivers, f'fill="none" stroke="{palette.river}" stroke-width="{look.river}" stroke-linejoin="round"'),
        (
            "borders",
            borders,
            f'fill="none" stroke="{palette.border}" stroke-width="0.22" stroke-dasharray="1.6 0.5 0.3 0.5"',
        ),
    )
    drawing.add("sea", f'<path d="{path_of(sea)}" fill="{palette.sea}" {coast} stroke-width="0.12"/>', True)
    for layer, shapes, paint in drawn:
        if len(shapes):
            drawing.add(layer, f'<path d="{path_of(shapes)}" {paint}/>', True)
    fine = shapely.union_all(
        shapely.buffer(np.concatenate([rivers, borders, shapely.boundary(shore)]), 0.25, quad_segs=1)
    )
    merged = shapely.get_parts(shapely.line_merge(shapely.union_all(rivers))) if len(rivers) else rivers
    water = shapely.union(sea, shapely.union_all(shore))
    return DrawnGround(whole.difference(water), water.intersection(whole), merged, fine, bool(len(former)))


def _united(frame: Frame, areas: Objects) -> BaseGeometry:
    """Areas on the page as one, without islands too small to be seen."""
    whole = shapely.get_parts(shapely.union_all(_large(frame, areas, 0.0)))
    large = whole[shapely.area(whole) > _LEAST_ISLAND].tolist()
    holes = ([hole for hole in one.interiors if shapely.Polygon(hole).area > _LEAST_ISLAND] for one in large)
    return shapely.union_all([shapely.Polygon(one.exterior, inner) for one, inner in zip(large, holes, strict=True)])


def _large(frame: Frame, areas: Objects, least: float) -> Objects:
    parts, _ = frame.cut(areas)
    parts = shapely.make_valid(parts)
    fits: Objects = parts[(shapely.get_dimensions(parts) == 2) & (shapely.area(parts) > least)]
    return fits


def draw_lines(drawing: Drawing, lines: Sequence[MapLine], struck: Iterable[str]) -> list[DrawnLine]:
    """Draw pipelines thin and grey, those that were struck with a casing, and return them.

    Those of a roughly known course are dashed.
    """
    if not lines:
        return []
    shapes: Objects = np.array([line.shape for line in lines], dtype=object)
    parts, rows = drawing.frame.cut(shapes)
    order = np.argsort(rows, kind="stable")
    seen, first = np.unique(rows[order], return_index=True)
    look, palette, hit = drawing.look, drawing.look.palette, frozenset(struck)
    drawn: list[DrawnLine] = []
    for row, pieces in zip(seen.tolist(), np.split(parts[order], first)[1:], strict=True):
        line, is_struck = lines[row], lines[row].id in hit
        if line.only_struck and not is_struck:
            continue
        drawing.credits.update(line.credits)
        drawing.has_rough |= line.is_rough
        dash = ' stroke-dasharray="1.6 1"' if line.is_rough else ""
        whole = pieces[0] if len(pieces) == 1 else shapely.union_all(pieces)
        data = path_of(whole)
        strokes: Sequence[tuple[Layer, str, float, str]] = (
            (("lines-struck", "#fff", look.line * 3, ""), ("lines-struck", palette.struck, look.line * 1.7, dash))
            if is_struck
            else (("lines", palette.pipe, look.line * 0.8, dash),)
        )
        for layer, colour, width, dashed in strokes:
            paint = f'fill="none" stroke="{colour}" stroke-width="{width:.2f}" stroke-linejoin="round"{dashed}'
            drawing.add(layer, f'<path d="{data}" {paint}/>', True)
        drawn.append((is_struck, line.name, whole))
    return drawn
