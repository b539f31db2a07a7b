"""The legend of a printed map: only what is in view, with how many of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.patches import Circle

from api.exports import symbols
from api.exports.printed_map.base_layers import SITE, pipeline_style
from api.exports.printed_map.sheet import MM_PER_POINT, PageCanvas, leading_mm, wrapped
from api.exports.printed_map.visible_features import FrameContents
from api.exports.strike_rows import DrawnStrike

LEGEND_SIZE, LEGEND_ROW_MM, SWATCH_MM = 7.0, 4.3, 6.0


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
        LegendGroup("Also shown", tuple(_other_entries(list(view.pipelines), len(view.sites), bool(view.circles)))),
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


def _other_entries(pipelines: Sequence[str], sites: int, circles: bool) -> list[LegendEntry]:
    entries = []
    if circles:
        entries.append(LegendEntry(_circle_swatch, "The place struck is somewhere in the circle"))
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
