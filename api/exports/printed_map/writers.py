"""From pages to the bytes of a PNG, SVG or PDF that are the same for the same input."""

from __future__ import annotations

import base64
import io
import re
import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime

import matplotlib
from fontTools import subset
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.font_manager import findfont
from matplotlib.text import Text

from api.exports.errors import ExportError
from api.exports.printed_map.sheet import FAMILY, Sheet, font

FORMATS = ("png", "svg", "pdf")
AUTHOR = "StrikeAtlas"
#: matplotlib's font caches and settings are shared, so one map at a time is drawn.
MATPLOTLIB = threading.RLock()

_DOCTYPE = re.compile(r"<!DOCTYPE svg[^>]*>\s*")


@dataclass(frozen=True)
class Document:
    """What a file says of itself."""

    title: str
    subject: str
    day: date

    @property
    def moment(self) -> datetime:
        """Midnight UTC of the day of the data."""
        return datetime(self.day.year, self.day.month, self.day.day, tzinfo=UTC)


def written(pages: Sequence[Sheet], fmt: str, document: Document) -> bytes:
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


def _png(pages: Sequence[Sheet], document: Document) -> bytes:
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


def _svg(pages: Sequence[Sheet], document: Document) -> bytes:
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


def _embedded_fonts(sheet: Sheet) -> str:
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


def _pdf(pages: Sequence[Sheet], document: Document) -> bytes:
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
