"""The printed map: one extent as PNG, SVG or PDF, with all a newspaper needs to print it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import geopandas

from api.exports import ExportError
from api.exports.extent import Extent, extent_of, projected_bounds, projection_for
from api.exports.listing import table_pages
from api.exports.marks import marks_of, undrawn
from api.exports.page import MARGIN_MM, Heading, Subject, composed, drawn
from api.exports.printing import FORMATS, MATPLOTLIB, Document, written
from geo.crs import frame_lonlat
from layers.basemap import Basemap

A4_MM = (210.0, 297.0)


def render(
    strikes: geopandas.GeoDataFrame,
    assets: geopandas.GeoDataFrame,
    basemap: Basemap,
    *,
    bbox: Sequence[float],
    fmt: str,
    title: str,
    subtitle: str | None = None,
    data_date: date,
    sources: Sequence[str] = (),
    width_mm: float | None = None,
    height_mm: float | None = None,
    dpi: float = 300,
    table: bool = False,
) -> bytes:
    """Draw a map of an extent and return the file.

    Parameters
    ----------
    strikes, assets
        Rows with the properties of the collections and geometry in lon/lat (EPSG:4326), which may be missing.
        Strikes in view are drawn; those without a place, and retracted ones, are counted in the note.
    bbox
        West, south, east, north in degrees; west > east crosses the antimeridian.
    fmt
        "png", "svg" or "pdf".
    data_date
        Day of the data; it is the only date in the file, so the same input gives the same bytes.
    sources
        Publishers of the strikes' sources.
    width_mm, height_mm
        Size of the page. Unset, a PDF is A4, upright or (for a wide extent) lying; a picture is 210 mm wide
        and as high as it needs to be. The map is what grows and shrinks.
    dpi
        Dots per inch of a PNG, 50 to 600.
    table
        Whether a PDF goes on with a table of the strikes in view.

    Raises
    ------
    ExportError
        If the format, the extent or the size is not one of those.
    geo.errors.GeoError
        If a frame has no CRS or coordinates out of range.
    """
    if fmt not in FORMATS:
        raise ExportError(f"expected a format of {', '.join(FORMATS)}; got {fmt!r}")
    if not 50 <= dpi <= 600:
        raise ExportError(f"expected 50 to 600 dots per inch; got {dpi}")
    extent = extent_of(bbox)
    width, height = _page_size(extent, fmt, width_mm, height_mm)
    with MATPLOTLIB:
        heading = Heading.of(title, subtitle, width - 2 * MARGIN_MM)
        subject = Subject(marks_of(strikes), frame_lonlat(assets), basemap, undrawn(strikes), data_date, tuple(sources))
        page = composed(subject, extent, heading, width, height)
        pages = [drawn(page, subject, dpi)]
        if fmt == "pdf" and table:
            pages += table_pages(
                page.view.marks, subject.country_names, (page.width, page.height), MARGIN_MM, f"On the map: {title}"
            )
        return written(pages, fmt, Document(title, subtitle or "", data_date))


def _page_size(extent: Extent, fmt: str, width: float | None, height: float | None) -> tuple[float, float | None]:
    if fmt == "pdf" and width is None and height is None:
        west, south, east, north = projected_bounds(extent, projection_for(extent))
        return (A4_MM[1], A4_MM[0]) if (east - west) / (north - south) > 1.9 else A4_MM
    width = A4_MM[0] if width is None else width
    if not 120 <= width <= 1200 or (height is not None and not 120 <= height <= 1200):
        raise ExportError(f"expected a page of 120 to 1200 mm each way; got {width} x {height}")
    return width, height
