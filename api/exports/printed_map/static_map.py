"""The printed map of an extent as PNG, SVG or PDF, with all that a newspaper needs to print it."""

from __future__ import annotations

import base64
import io
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime

import geopandas
import matplotlib
from fontTools import subset
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.font_manager import findfont
from matplotlib.text import Text

from api.exports.printed_map.extent import Extent, extent_of, projected_bounds, projection_for
from api.exports.printed_map.page_layout import MARGIN_MM, Heading, PageLayout, Subject, composed, drawn
from api.exports.printed_map.sheet import FAMILY, PageCanvas, font
from api.exports.printed_map.strike_list import table_pages
from api.exports.strike_rows import ExportError, count_undrawn, drawn_strikes
from geo.lonlat import geodataframe_lonlat
from layers.reference.basemap import Basemap

A4_MM = (210.0, 297.0)


@dataclass(frozen=True, kw_only=True)
class MapOrder:
    """The request for a printed map.

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
    remarks
        What is withheld of the data, a sentence each.
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
    remarks: Sequence[str] = ()
    width_mm: float | None = None
    height_mm: float | None = None
    dpi: float = 300
    table: bool = False

    def __post_init__(self) -> None:
        if self.fmt not in FORMATS:
            raise ExportError(f"expected a format of {', '.join(FORMATS)}; got {self.fmt!r}")
        if not 50 <= self.dpi <= 600:
            raise ExportError(f"expected 50 to 600 dots per inch; got {self.dpi}")


def render(strikes: geopandas.GeoDataFrame, assets: geopandas.GeoDataFrame, basemap: Basemap, order: MapOrder) -> bytes:
    """Draw a map of an extent and return the file.

    Parameters
    ----------
    strikes, assets
        Rows with the properties of the collections and geometry in lon/lat (EPSG:4326), which may be missing.
        Strikes in view are drawn; those without a place, and retracted ones, are counted in the note.
    basemap
        The ground.
    order
        Extent, format, heading and size.

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
        hidden, sources = count_undrawn(strikes), tuple(order.sources)
        subject = Subject(
            drawn_strikes(strikes),
            geodataframe_lonlat(assets),
            basemap,
            hidden,
            order.data_date,
            sources,
            tuple(order.remarks),
        )
        page = composed(subject, extent, heading, width, height)
        pages = [drawn(page, subject, order.dpi), *_tables(page, subject, order)]
        return to_bytes(pages, order.fmt, PagedDocument(order.title, order.subtitle or "", order.data_date))


def _tables(page: PageLayout, subject: Subject, order: MapOrder) -> Iterator[PageCanvas]:
    """Yield the pages after the map: a table of strikes, for a PDF that is to have one."""
    if order.fmt == "pdf" and order.table:
        size = (page.width, page.height)
        yield from table_pages(page.view.marks, subject.country_names, size, MARGIN_MM, f"On the map: {order.title}")


def _page_size(extent: Extent, order: MapOrder) -> tuple[float, float | None]:
    width, height = order.width_mm, order.height_mm
    if order.fmt == "pdf" and width is None and height is None:
        west, south, east, north = projected_bounds(extent, projection_for(extent))
        return (A4_MM[1], A4_MM[0]) if (east - west) / (north - south) > 1.9 else A4_MM
    width = A4_MM[0] if width is None else width
    if not 120 <= width <= 1200 or (height is not None and not 120 <= height <= 1200):
        raise ExportError(f"expected a page of 120 to 1200 mm each way; got {width} x {height}")
    return width, height


FORMATS = ("png", "svg", "pdf")
AUTHOR = "StrikeAtlas"
#: matplotlib's font caches and settings are shared, so one map at a time is drawn.
MATPLOTLIB = threading.RLock()

_DOCTYPE = re.compile(r"<!DOCTYPE svg[^<>]*>\s*")


@dataclass(frozen=True)
class PagedDocument:
    """Title, subject, day and author of a file."""

    title: str
    subject: str
    day: date

    @property
    def moment(self) -> datetime:
        """Midnight UTC of the day of the data."""
        return datetime(self.day.year, self.day.month, self.day.day, tzinfo=UTC)


def to_bytes(pages: Sequence[PageCanvas], fmt: str, document: PagedDocument) -> bytes:
    """Write pages; PNG and SVG hold the first only.

    Raises
    ------
    ExportError
        If the format is none of ``FORMATS``.
    """
    writers = {"png": _png, "svg": _svg, "pdf": _pdf}
    if fmt not in writers:
        raise ExportError(f"expected a format of {', '.join(FORMATS)}; got {fmt!r}")
    with MATPLOTLIB, _settings():
        return writers[fmt](pages, document)


def _settings() -> AbstractContextManager[None]:
    """Set what matplotlib only reads from its settings, for one map."""
    return matplotlib.rc_context(
        {
            "svg.fonttype": "none",
            # Element ids come from this, not from chance.
            "svg.hashsalt": "strikeatlas",
            # TrueType, so that the text can be searched and edited.
            "pdf.fonttype": 42,
            "font.family": FAMILY,
            # Hinting would set the letters wider or narrower than they were measured.
            "text.hinting": "no_hinting",
        }
    )


def _png(pages: Sequence[PageCanvas], document: PagedDocument) -> bytes:
    buffer = io.BytesIO()
    about = {
        "Title": _latin(document.title),
        "Author": AUTHOR,
        "Description": _latin(document.subject),
        "Creation Time": document.day.isoformat(),
        "Software": AUTHOR,
    }
    pages[0].figure.savefig(buffer, format="png", dpi=pages[0].figure.dpi, metadata=about)
    return buffer.getvalue()


def _latin(text: str) -> str:
    """Replace what a PNG text chunk cannot hold: it is Latin-1 (PNG specification, 11.3.3.2)."""
    return text.encode("latin-1", "replace").decode("latin-1")


def _svg(pages: Sequence[PageCanvas], document: PagedDocument) -> bytes:
    buffer = io.StringIO()
    about = {
        "Title": document.title,
        "Description": document.subject or None,
        "Creator": [AUTHOR],
        "Date": document.day.isoformat(),
    }
    pages[0].figure.savefig(buffer, format="svg", metadata=about)
    text = _DOCTYPE.sub("", buffer.getvalue(), count=1)
    start = text.index("<defs>")
    return (text[:start] + _embedded_fonts(pages[0]) + text[start:]).encode()


def _embedded_fonts(sheet: PageCanvas) -> str:
    """Style that carries the letters used, so that the text is as wide on every machine as it was measured."""
    texts = [text for text in sheet.figure.findobj(Text) if isinstance(text, Text)]
    rules = []
    for bold in (False, True):
        weight = "bold" if bold else "normal"
        used = "".join(text.get_text() for text in texts if (text.get_fontweight() == "bold") == bold)
        data = base64.b64encode(_subset(findfont(font(bold)), used + " 0123456789")).decode()
        rules.append(f"@font-face{{font-family:'{FAMILY}';font-weight:{weight};src:url(data:font/woff;base64,{data})}}")
    return f'<style type="text/css">{"".join(rules)}</style>'


def _subset(path: str, letters: str) -> bytes:
    options = subset.Options(flavor="woff", layout_features=[], hinting=False, notdef_outline=True)
    options.drop_tables += ["FFTM"]
    fonts = subset.load_font(path, options, lazy=False)
    fonts.recalcTimestamp = False
    shortener = subset.Subsetter(options)
    shortener.populate(text=letters)
    shortener.subset(fonts)
    buffer = io.BytesIO()
    subset.save_font(fonts, buffer, options)
    return buffer.getvalue()


def _pdf(pages: Sequence[PageCanvas], document: PagedDocument) -> bytes:
    buffer = io.BytesIO()
    about = {
        "Title": document.title,
        "Author": AUTHOR,
        "Subject": document.subject,
        "Creator": AUTHOR,
        "Producer": f"matplotlib {matplotlib.__version__}",
        "CreationDate": document.moment,
        "ModDate": document.moment,
    }
    with PdfPages(buffer, metadata=about) as pdf:
        for page in pages:
            pdf.savefig(page.figure)
    return buffer.getvalue()
