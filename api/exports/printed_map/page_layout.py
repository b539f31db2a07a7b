"""The page of a printed map: heading, map, legend, list and note, laid out from what is in view and drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import geopandas
import numpy as np
from matplotlib.collections import LineCollection

from api.exports.printed_map.extent import Extent, Frame, Projection, fitted, projected_bounds, projection_for
from api.exports.printed_map.frame_contents import (
    SITE,
    FrameContents,
    draw_base,
    draw_circles,
    draw_frame,
    frame_contents,
    pipeline_style,
)
from api.exports.printed_map.marginalia import (
    LOCATOR_MM,
    LegendGroup,
    draw_legend,
    draw_locator,
    draw_scale,
    legend_height,
    legend_of,
)
from api.exports.printed_map.place_labels import Board, draw_countries, draw_towns, line_boxes, symbol_boxes
from api.exports.printed_map.sheet import MM_PER_POINT, SOFT_INK, PageCanvas, leading_mm, wrapped
from api.exports.printed_map.strike_list import ListEntry, draw_list, draw_numbered, items_of, list_height
from api.exports.strike_rows import DrawnStrike
from api.exports.text import country_names, quantity, shortened
from layers.reference.basemap import Basemap

MARGIN_MM, GAP_MM = 12.0, 4.0
TITLE_SIZE, SUBTITLE_SIZE, NOTE_SIZE = 14.0, 8.6, 6.0
#: Width through height of the map itself.
ASPECTS = (0.95, 2.1)
MIN_MAP_MM = 40.0
#: A page with room to spare may show so much more of the land above and below the extent.
MAX_STRETCH = 1.3


@dataclass(frozen=True)
class Heading:
    """Title and subtitle in lines."""

    title: list[str]
    subtitle: list[str]

    @classmethod
    def of(cls, title: str, subtitle: str | None, width: float) -> Heading:
        """Break title and subtitle to a width in millimetres; more than three lines are cut."""
        return cls(
            _cut(wrapped(title, width, TITLE_SIZE, bold=True), 3),
            _cut(wrapped(subtitle or "", width, SUBTITLE_SIZE), 3),
        )

    @property
    def height(self) -> float:
        """Height in millimetres with the space below it."""
        return len(self.title) * leading_mm(TITLE_SIZE) + len(self.subtitle) * leading_mm(SUBTITLE_SIZE) + 3.0


def _cut(lines: list[str], max_lines: int) -> list[str]:
    return lines if len(lines) <= max_lines else [*lines[: max_lines - 1], lines[max_lines - 1] + " …"]


@dataclass(frozen=True, eq=False)
class Subject:
    """All that a map may show, and what its note says.

    ``undrawn`` counts strikes without a place and retracted ones; ``remarks`` say what is withheld of the data.
    """

    marks: list[DrawnStrike]
    assets: geopandas.GeoDataFrame
    basemap: Basemap
    undrawn: tuple[int, int]
    data_date: date
    sources: tuple[str, ...]
    remarks: tuple[str, ...] = ()

    @property
    def country_names(self) -> dict[str, str]:
        """English names of countries by ISO 3166-1 code."""
        return country_names(self.basemap)


@dataclass(frozen=True, eq=False)
class PageLayout:
    """A page whose parts fit: sizes in millimetres."""

    width: float
    height: float
    heading: Heading
    view: FrameContents
    groups: list[LegendGroup]
    items: list[ListEntry]
    note: list[str]

    @property
    def inner(self) -> float:
        """Width between the margins."""
        return self.width - 2 * MARGIN_MM

    @property
    def below_map(self) -> float:
        """Height of all that stands below the map."""
        band = max(legend_height(self.groups, self.column), _locator_height(self.view.frame.projection))
        listed = list_height(self.items) + GAP_MM if self.items else 0.0
        return GAP_MM + band + GAP_MM + listed + len(self.note) * leading_mm(NOTE_SIZE)

    @property
    def column(self) -> float:
        """Width of a column of the legend."""
        return legend_column(self.inner, self.view.frame.projection)


def legend_column(inner: float, projection: Projection) -> float:
    """Width of one of the legend's three columns beside the locator, in millimetres."""
    return (inner - (0 if projection.whole_world else LOCATOR_MM[0] + GAP_MM)) / 3


def _locator_height(projection: Projection) -> float:
    return 0.0 if projection.whole_world else LOCATOR_MM[1]


def composed(subject: Subject, extent: Extent, heading: Heading, width: float, height: float | None) -> PageLayout:
    """Lay the page out; without a height it is as high as its parts.

    The contents of the map decide how high legend and list are, and on a page of a set height these decide how high
    the map is, so the heights are found in a few rounds; the parts below the map get the largest height of all rounds.
    """
    projection = projection_for(extent)
    west, south, east, north = projected_bounds(extent, projection)
    inner = width - 2 * MARGIN_MM
    natural = map_height = inner / min(max((east - west) / (north - south), ASPECTS[0]), ASPECTS[1])
    below = 0.0
    for _ in range(4):
        page = _with_map(subject, extent, projection, heading, (width, height), map_height, below)
        if page.below_map <= below:
            break
        below = page.below_map
        if height is not None:
            room = height - 2 * MARGIN_MM - heading.height - below
            map_height = max(min(room, natural * MAX_STRETCH), MIN_MAP_MM)
    return page


def _with_map(
    subject: Subject,
    extent: Extent,
    projection: Projection,
    heading: Heading,
    size: tuple[float, float | None],
    map_height: float,
    below: float,
) -> PageLayout:
    """Lay the page out around a map of a given height."""
    width, height = size
    inner = width - 2 * MARGIN_MM
    high = height if height is not None else 2 * MARGIN_MM + heading.height + map_height + below
    frame = fitted(extent, projection, (MARGIN_MM, high - MARGIN_MM - heading.height - map_height, inner, map_height))
    view = frame_contents(frame, subject.marks, subject.assets)
    groups = legend_of(view)
    items = items_of(view.marks, subject.country_names, inner / 2) if view.listed else []
    return PageLayout(
        width,
        high,
        heading,
        view,
        groups,
        items,
        wrapped(source_note(view, subject), inner, NOTE_SIZE),
    )


def drawn(page: PageLayout, subject: Subject, dpi: float) -> PageCanvas:
    """Draw the page."""
    sheet = PageCanvas(page.width, page.height, dpi)
    top = sheet.lines(MARGIN_MM, page.height - MARGIN_MM, page.heading.title, TITLE_SIZE, bold=True)
    sheet.lines(MARGIN_MM, top - 0.5, page.heading.subtitle, SUBTITLE_SIZE, color=SOFT_INK)
    _draw_map(sheet, page.view, subject.basemap)
    _draw_below(sheet, page, subject.basemap)
    return sheet


def _draw_map(sheet: PageCanvas, view: FrameContents, basemap: Basemap) -> None:
    """Draw the map: ground, records, then the names and the scale where they cover no record."""
    frame = view.frame
    land = draw_base(sheet, frame, basemap)
    for group, lines in view.pipelines.items():
        sheet.axes.add_artist(pipeline_style(LineCollection(lines, zorder=4), group))
    sheet.axes.scatter(
        view.sites[:, 0], view.sites[:, 1], s=(0.65 / MM_PER_POINT) ** 2, color=SITE, linewidths=0, zorder=5
    )
    draw_circles(sheet, frame, view.circles)
    draw_strikes(sheet, view)
    left, bottom, right, top = frame.box
    board = Board((left + 0.6, bottom + 0.6, right - 0.6, top - 0.6))
    board.block(symbol_boxes(view.symbols, view.size))
    if not view.marks:
        _draw_empty(sheet, frame, board)
    if frame.projection.whole_world:
        draw_countries(sheet, frame, basemap, land, board, size=5.4)
    else:
        draw_scale(sheet, frame, board)
        draw_towns(sheet, frame, basemap, board, len(view.marks))
        board.block(line_boxes([line for lines in view.pipelines.values() for line in lines]))
        draw_countries(sheet, frame, basemap, land, board)
    draw_frame(sheet, frame)


def draw_strikes(sheet: PageCanvas, view: FrameContents) -> None:
    """Draw the strikes' symbols, numbered where they are listed, with a line to the place where moved."""
    for (x, y), (at_x, at_y), moved in zip(view.places, view.symbols, view.moved, strict=True):
        if moved > view.size * 0.55 and not view.frame.projection.whole_world:
            sheet.axes.plot([x, at_x], [y, at_y], color="#444444", linewidth=0.45, zorder=9)
            sheet.axes.scatter([x], [y], s=1.2, color="#444444", linewidths=0, zorder=9)
    for number, (mark, (x, y)) in enumerate(zip(view.marks, view.symbols, strict=True), 1):
        if view.listed:
            draw_numbered(sheet, x, y, number, mark)
        else:
            sheet.symbols(np.array([[x, y]]), mark.shape, mark.colour, mark.filled, view.size)


def _draw_empty(sheet: PageCanvas, frame: Frame, board: Board) -> None:
    """Write in the middle of an empty map that there are no strikes in it."""
    x, y = frame.middle
    board.block([(x - 34, y - 4, x + 34, y + 4)])
    sheet.text(x, y, "No strikes in this extent", 11, bold=True, ha="center", va="center", halo=3, color=SOFT_INK)


def _draw_below(sheet: PageCanvas, page: PageLayout, basemap: Basemap) -> None:
    """Draw legend and locator, then the list, and the note at the foot of the page."""
    frame = page.view.frame
    y = frame.bottom - GAP_MM
    draw_legend(sheet, MARGIN_MM, y, page.column, page.groups)
    if not frame.projection.whole_world:
        draw_locator(sheet, page.width - MARGIN_MM - LOCATOR_MM[0], y, frame, basemap)
    y -= max(legend_height(page.groups, page.column), _locator_height(frame.projection)) + GAP_MM
    draw_list(sheet, MARGIN_MM, y, page.inner / 2, page.items)
    _draw_note(sheet, page.note)


def _draw_note(sheet: PageCanvas, lines: Sequence[str]) -> None:
    top = MARGIN_MM + len(lines) * leading_mm(NOTE_SIZE)
    sheet.lines(MARGIN_MM, top, lines, NOTE_SIZE, color=SOFT_INK)


def source_note(view: FrameContents, subject: Subject) -> str:
    """Write the note of a map: sources, day, projection, limits of its accuracy, and what is withheld."""
    missing, retracted = subject.undrawn
    day, sources = subject.data_date, subject.sources
    left_out = [quantity(missing, "strike") + " without a known place"] if missing else []
    left_out += [quantity(retracted, "retracted strike")] if retracted else []
    projection = view.frame.projection
    after = f", after {shortened(sources, 8)}" if sources else ""
    parts = [
        f"Strikes and owners: StrikeAtlas (CC BY 4.0){after}.",
        "Borders: Natural Earth 1:10 million, German point of view (public domain). Places: GeoNames (CC BY 4.0).",
        f"Data of {day.day} {day:%B %Y}. Projection: {projection.name}.",
        "No scale bar: the scale differs over the map." if projection.whole_world else "",
        "Positions are as exact as the reports: those known by settlement are accurate to some kilometres.",
        "Symbols that would cover each other are moved apart a little."
        if len(view.marks) and view.moved.max() > 0.3
        else "",
        f"Not drawn: {' and '.join(left_out)}." if left_out else "",
        *(f"{remark}." for remark in subject.remarks),
    ]
    return " ".join(part for part in parts if part)
