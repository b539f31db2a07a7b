"""Scale bar, north arrow and locator of a printed map."""

from __future__ import annotations

import numpy as np
from matplotlib.patches import Polygon, Rectangle
from matplotlib_scalebar.scalebar import ScaleBar

from api.exports.printed_map.base_layers import draw_base, draw_frame
from api.exports.printed_map.extent import POLES, WORLD, Frame, azimuthal, fitted, rectangle, world
from api.exports.printed_map.place_labels import Board, PageBox, draw_countries
from api.exports.printed_map.sheet import FAMILY, INK, PageCanvas
from layers.reference.basemap import Basemap

#: The scale bar and the north arrow stand in one box in a corner of the map.
SCALE_HEIGHT_MM, SCALE_BAR_MM = 10.0, 30.0
LOCATOR_MM = (46.0, 36.0)


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
