"""The marginalia of a printed map: the legend of what is in view, scale bar, north arrow and locator."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.patches import Circle, Polygon, Rectangle
from matplotlib_scalebar.scalebar import ScaleBar

from api.exports import symbols
from api.exports.printed_map.extent import POLES, WORLD, Frame, azimuthal, fitted, rectangle, world
from api.exports.printed_map.frame_contents import (
    SITE,
    FrameContents,
    crowded_colours,
    draw_base,
    draw_frame,
    pipeline_style,
)
from api.exports.printed_map.place_labels import Board, PageBox, draw_countries
from api.exports.printed_map.sheet import FAMILY, INK, MM_PER_POINT, PageCanvas, leading_mm, wrapped
from api.exports.strike_rows import DrawnStrike
from geo.lonlat import Floats
from layers.reference.basemap import Basemap

LEGEND_SIZE, LEGEND_ROW_MM, SWATCH_MM = 7.0, 4.3, 6.0
#: The scale bar and the north arrow stand in one box in a corner of the map.
SCALE_HEIGHT_MM, SCALE_BAR_MM = 10.0, 30.0
LOCATOR_MM = (46.0, 36.0)


@dataclass(frozen=True)
class LegendEntry:
    """A line of the legend: what draws its swatch about a point in millimetres, and its words."""

    draw: Callable[[PageCanvas, float, float], None]
    words: str


@dataclass(frozen=True)
class LegendGroup:
    """A titled part of the legend."""

    title: str
    entries: tuple[LegendEntry, ...]


def legend_of(view: FrameContents) -> list[LegendGroup]:
    """Collect the legend: only what is in view, with how many of each."""
    marks = view.marks
    groups = [
        LegendGroup("Target of the strike", tuple(_shape_entries(marks))),
        LegendGroup("Struck in", tuple(_colour_entries(marks))),
        LegendGroup("How well established", tuple(_fill_entries(marks))),
        LegendGroup("Also shown", tuple(_other_entries(list(view.pipelines), len(view.sites), view.circles))),
    ]
    return [group for group in groups if group.entries]


def _symbol(shape: symbols.Shape, colour: str, filled: bool = True) -> Callable[[PageCanvas, float, float], None]:
    return lambda sheet, x, y: sheet.symbols(np.array([[x, y]]), shape, colour, filled, 2.6)


def _shape_entries(marks: Sequence[DrawnStrike]) -> list[LegendEntry]:
    counts = Counter(mark.shape for mark in marks)
    known = [shape for shape in (*symbols.SHAPES.values(), symbols.UNKNOWN_SHAPE) if counts[shape]]
    return [LegendEntry(_symbol(shape, "#444444"), f"{shape.label} ({counts[shape]})") for shape in known]


def _colour_entries(marks: Sequence[DrawnStrike]) -> list[LegendEntry]:
    counts = Counter(mark.colour for mark in marks)
    names = {"UA": "Ukraine", "RU": "Russia"}
    named = [(colour, names[code]) for code, colour in symbols.HOST_COLOURS.items()]
    square = symbols.SHAPES["oil"]
    return [
        LegendEntry(_symbol(square, colour), f"{name} ({counts[colour]})")
        for colour, name in (*named, (symbols.OTHER_COLOUR, "Another country, or at sea"))
        if counts[colour]
    ]


def _fill_entries(marks: Sequence[DrawnStrike]) -> list[LegendEntry]:
    counts = Counter(mark.filled for mark in marks)
    circle = symbols.SHAPES["oil"]
    words = ((True, symbols.FILLED_LABEL), (False, symbols.HOLLOW_LABEL))
    return [
        LegendEntry(_symbol(circle, "#444444", fill), f"{word} ({counts[fill]})")
        for fill, word in words
        if counts[fill]
    ]


def _other_entries(pipelines: Sequence[str], sites: int, circles: Sequence[tuple[str, Floats]]) -> list[LegendEntry]:
    entries = []
    if circles:
        area = "circle or tinted area" if crowded_colours(circles) else "circle"
        entries.append(LegendEntry(_circle_swatch, f"The place struck is somewhere in the {area}"))
    for group in pipelines:
        name = f"{symbols.SHAPES[group].label} pipeline" if group else "Pipeline"
        entries.append(LegendEntry(_pipeline_swatch(group), f"{name} (simplified)"))
    if sites:
        entries.append(LegendEntry(_site_swatch, f"Site on record ({sites})"))
    return entries


def _circle_swatch(sheet: PageCanvas, x: float, y: float) -> None:
    for fill, alpha in ((True, 0.12), (False, 0.7)):
        sheet.axes.add_patch(Circle((x, y), 1.5, fill=fill, color="#444444", alpha=alpha, linewidth=0.4, zorder=10))


def _pipeline_swatch(group: str) -> Callable[[PageCanvas, float, float], None]:
    def draw(sheet: PageCanvas, x: float, y: float) -> None:
        line = LineCollection([np.array([[x - 2.6, y], [x + 2.6, y]])], zorder=10)
        sheet.axes.add_artist(pipeline_style(line, group))

    return draw


def _site_swatch(sheet: PageCanvas, x: float, y: float) -> None:
    sheet.axes.scatter([x], [y], s=(0.65 / MM_PER_POINT) ** 2, color=SITE, linewidths=0, zorder=10)


def legend_columns(groups: Sequence[LegendGroup]) -> list[list[LegendGroup]]:
    """Set the groups in up to three columns: colours and fill share one."""
    by_title = {group.title: group for group in groups}
    columns = [["Target of the strike"], ["Struck in", "How well established"], ["Also shown"]]
    filled = [[by_title[title] for title in titles if title in by_title] for titles in columns]
    return [column for column in filled if column]


def legend_height(groups: Sequence[LegendGroup], column_mm: float) -> float:
    """Height in millimetres that the legend takes."""
    return max((sum(_group_height(g, column_mm) for g in c) for c in legend_columns(groups)), default=0.0)


def _group_height(group: LegendGroup, column_mm: float) -> float:
    return 5.2 + sum(_entry_height(_entry_lines(entry, column_mm)) for entry in group.entries) + 1.2


def _entry_lines(entry: LegendEntry, column_mm: float) -> list[str]:
    return wrapped(entry.words, column_mm - SWATCH_MM - 3, LEGEND_SIZE)


def _entry_height(lines: Sequence[str]) -> float:
    return LEGEND_ROW_MM + leading_mm(LEGEND_SIZE) * (len(lines) - 1)


def draw_legend(sheet: PageCanvas, left: float, top: float, column_mm: float, groups: Sequence[LegendGroup]) -> None:
    """Draw the legend with its upper left corner at a point."""
    for number, column in enumerate(legend_columns(groups)):
        x, y = left + number * column_mm, top
        for group in column:
            sheet.lines(x, y, [group.title], LEGEND_SIZE, bold=True)
            y -= 5.2
            for entry in group.entries:
                lines = _entry_lines(entry, column_mm)
                entry.draw(sheet, x + SWATCH_MM / 2, y - leading_mm(LEGEND_SIZE) / 2)
                sheet.lines(x + SWATCH_MM + 0.8, y, lines, LEGEND_SIZE)
                y -= _entry_height(lines)
            y -= 1.2


def draw_scale(sheet: PageCanvas, frame: Frame, board: Board) -> None:
    """Draw scale bar and north arrow in the emptiest corner; the scale is true at the middle of the map.

    North is up along the middle meridian, which is where both are true; about a pole there is no arrow.
    """
    per_mm = frame.true_metres_per_mm
    length_m = round_length(SCALE_BAR_MM * per_mm)
    bar = length_m / per_mm
    box = _emptiest_corner(frame, board, bar + 15, SCALE_HEIGHT_MM)
    board.block([box])
    left, bottom, right, top = box
    sheet.axes.add_patch(
        Rectangle((left, bottom), right - left, top - bottom, facecolor="white", alpha=0.86, linewidth=0, zorder=13)
    )
    kilometres = length_m >= 1000
    sheet.axes.add_artist(
        ScaleBar(
            per_mm, "m", fixed_value=length_m / (1000 if kilometres else 1), fixed_units="km" if kilometres else "m",
            location="lower left", bbox_to_anchor=(left + 9.5, bottom + 0.8), bbox_transform=sheet.axes.transData,
            pad=0, border_pad=0, sep=2, frameon=False, color=INK, width_fraction=1.1 / sheet.height,
            font_properties={"family": FAMILY, "size": 7}, scale_formatter=_scale_text,
            rotation="horizontal-only",
        )
    )  # fmt: skip
    sheet.axes.artists[-1].set_zorder(14)
    if not frame.shows(frame.mm(POLES)).any():
        _north_arrow(sheet, left + 4.5, bottom + 1.2)


def _scale_text(value: float, unit: str) -> str:
    return f"{value:,.0f} {unit}" if value >= 1 else f"{value:g} {unit}"


def _north_arrow(sheet: PageCanvas, x: float, bottom: float) -> None:
    """Draw an arrow 5 mm high with its letter above, all inside the scale's box."""
    points = [(x, bottom + 5.0), (x + 1.6, bottom), (x, bottom + 1.2), (x - 1.6, bottom)]
    sheet.axes.add_patch(Polygon(points, closed=True, facecolor=INK, linewidth=0, zorder=14))
    sheet.text(x, bottom + 5.5, "N", 7, bold=True, ha="center")


def round_length(metres: float) -> float:
    """Largest of 1, 2, 5 times a power of ten that is not above a length."""
    power = 10.0 ** np.floor(np.log10(metres))
    return float(max(step * power for step in (1, 2, 5) if step * power <= metres))


def _emptiest_corner(frame: Frame, board: Board, width: float, height: float) -> PageBox:
    left, bottom, right, top = frame.box
    gap = 2.0
    corners = [
        (x, y, x + width, y + height)
        for y in (bottom + gap, top - gap - height)
        for x in (right - gap - width, left + gap)
    ]
    return min(corners, key=board.crowding)


def draw_locator(sheet: PageCanvas, left: float, top: float, frame: Frame, basemap: Basemap) -> None:
    """Draw where in the world the map lies, beside the map so that it covers none of it."""
    width, height = LOCATOR_MM
    inset = locator_frame(frame, (left, top - height, width, height))
    land = draw_base(sheet, inset, basemap, 0.3)
    corners = inset.mm(frame.lonlat(rectangle(*frame.box)))
    corners = corners[np.isfinite(corners).all(axis=1)]
    sheet.axes.add_patch(Polygon(corners, closed=True, fill=False, edgecolor="#b3202a", linewidth=1.1, zorder=9))
    board = Board(inset.box)
    board.block([(*corners.min(axis=0), *corners.max(axis=0))])
    if not inset.projection.whole_world:
        draw_countries(sheet, inset, basemap, land, board, size=5.0, max_names=5)
    draw_frame(sheet, inset, 0.5)


def locator_frame(frame: Frame, box: tuple[float, float, float, float]) -> Frame:
    """Make the frame of the locator: four times as wide as the map, or the world, or a pole's side of it."""
    across_m = 4 * max(frame.width, frame.height * box[2] / box[3]) * frame.metres_per_mm
    lon, lat = (round(float(value), 4) for value in frame.lonlat(frame.middle.reshape(1, 2))[0])
    if across_m < 9_000_000:
        return Frame(*box, azimuthal(lon, lat), (0.0, 0.0), max(across_m, 1_200_000) / box[2])
    if abs(lat) < 60:
        return fitted(WORLD.about(frame.projection.lon_0), world(frame.projection.lon_0), box, margin=0.0)
    return Frame(*box, azimuthal(frame.projection.lon_0, 90 if lat > 0 else -90), (0.0, 0.0), 14_000_000 / box[3])
