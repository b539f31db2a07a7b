"""The printed map: one extent as PNG, SVG or PDF, with all a newspaper needs to print it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import geopandas

from api.exports.errors import ExportError
from api.exports.printed_map.extent import Extent, extent_of, projected_bounds, projection_for
from api.exports.printed_map.page_layout import MARGIN_MM, Heading, Page, Subject, composed, drawn
from api.exports.printed_map.sheet import Sheet
from api.exports.printed_map.strike_list import table_pages
from api.exports.printed_map.writers import FORMATS, MATPLOTLIB, Document, written
from api.exports.strike_rows import marks_of, undrawn
from geo.lonlat import frame_lonlat
from layers.reference.basemap import Basemap

A4_MM = (210.0, 297.0)


@dataclass(frozen=True, kw_only=True)
class Order:
    """What a printed map is asked to be.

    Parameters
    ----------
    bbox
        West, south, east, north in degrees; west > east crosses the antimeridian.
    fmt
        "png", "svg" or "pdf".
    title, subtitle
        The heading; an empty title leaves it out.
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
        If the format or the number of dots is not one of those.
    """

    bbox: Sequence[float]
    fmt: str
    title: str
    subtitle: str | None = None
    data_date: date
    sources: Sequence[str] = ()
    width_mm: float | None = None
    height_mm: float | None = None
    dpi: float = 300
    table: bool = False

    def __post_init__(self) -> None:
        if self.fmt not in FORMATS:
            raise ExportError(f"expected a format of {', '.join(FORMATS)}; got {self.fmt!r}")
        if not 50 <= self.dpi <= 600:
            raise ExportError(f"expected 50 to 600 dots per inch; got {self.dpi}")


def render(strikes: geopandas.GeoDataFrame, assets: geopandas.GeoDataFrame, basemap: Basemap, order: Order) -> bytes:
    """Draw a map of an extent and return the file.

    Parameters
    ----------
    strikes, assets
        Rows with the properties of the collections and geometry in lon/lat (EPSG:4326), which may be missing.
        Strikes in view are drawn; those without a place, and retracted ones, are counted in the note.
    basemap
        The ground.
    order
        What is asked for.

    Raises
    ------
    ExportError
        If the extent or the size of the page is not one that can be drawn.
    geo.errors.GeoError
        If a frame has no CRS or coordinates out of range.
    """
    extent = extent_of(order.bbox)
    width, height = _page_size(extent, order)
    with MATPLOTLIB:
        heading = Heading.of(order.title, order.subtitle, width - 2 * MARGIN_MM)
        hidden, sources = undrawn(strikes), tuple(order.sources)
        subject = Subject(marks_of(strikes), frame_lonlat(assets), basemap, hidden, order.data_date, sources)
        page = composed(subject, extent, heading, width, height)
        pages = [drawn(page, subject, order.dpi), *_tables(page, subject, order)]
        return written(pages, order.fmt, Document(order.title, order.subtitle or "", order.data_date))


def _tables(page: Page, subject: Subject, order: Order) -> Iterator[Sheet]:
    """The pages after the map, where a PDF is asked to have them."""
    if order.fmt == "pdf" and order.table:
        size = (page.width, page.height)
        yield from table_pages(page.view.marks, subject.country_names, size, MARGIN_MM, f"On the map: {order.title}")


def _page_size(extent: Extent, order: Order) -> tuple[float, float | None]:
    width, height = order.width_mm, order.height_mm
    if order.fmt == "pdf" and width is None and height is None:
        west, south, east, north = projected_bounds(extent, projection_for(extent))
        return (A4_MM[1], A4_MM[0]) if (east - west) / (north - south) > 1.9 else A4_MM
    width = A4_MM[0] if width is None else width
    if not 120 <= width <= 1200 or (height is not None and not 120 <= height <= 1200):
        raise ExportError(f"expected a page of 120 to 1200 mm each way; got {width} x {height}")
    return width, height
