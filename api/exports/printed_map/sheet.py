"""The printed map of an extent as PNG, SVG or PDF: one picture in millimetres, set in a page with all that explains it.

Typst sets the page and tags it (PDF/UA-1, ISO 14289-1). Texts are data to it, never markup.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal

from api.exports.errors import ExportError
from api.exports.printed_map.drawing import svg_file
from api.exports.printed_map.extent import extent_of
from api.exports.printed_map.ground_layers import MapSubject
from api.exports.printed_map.lettering import POINT_MM, balanced_width, font_folder
from api.exports.printed_map.look import GREY, LOOKS, SheetLook
from api.exports.printed_map.map_frame import MapPicture, compose
from api.exports.printed_map.map_strikes import MapLine, MapStrike, SheetOrigin
from api.exports.printed_map.print_words import PrintWords
from api.exports.printed_map.sheet_contents import SheetContents, sheet_contents
from api.exports.printed_map.story import Story, StoryTeller
from api.exports.printed_map.svg_sheet import svg_sheet
from layers.reference.basemap import Basemap
from layers.reference.basemap_archive import BasemapArchive
from layers.reference.map_ground import GroundLanguage

Format = Literal["png", "svg", "pdf"]
FORMATS: tuple[Format, ...] = ("png", "svg", "pdf")
AUTHOR = "StrikeAtlas"
TEMPLATE = Path(__file__).with_name("sheet.typ")
#: A slide numbers its first class alone if there are more strikes than this.
_SLIDE_NUMBERS = 12
_PNG_HEAD = 8 + 25
#: Measures of a look that are sizes of text.
_TEXT_SIZES = ("title", "subtitle", "text", "small", "tiny")


@dataclass(frozen=True, kw_only=True)
class MapOrder:
    """The request for a printed map.

    Parameters
    ----------
    bbox
        West, south, east, north in degrees; west > east crosses the antimeridian.
    fmt
        "png", "svg" or "pdf".
    size
        Width of a column in millimetres, a size of paper, or a slide.
    language
        Of everything that the map says; titles that have no such name are those of the records.
    in_grey
        Whether it is drawn without colours.
    country
        Whose share the strikes are coloured and ordered by; without it by where owners are at home.
    strike
        The strike that the map is about, if it is about one.
    scope
        Words for which strikes are given, if not all in the extent: titles say of which a number is.
    title
        Instead of the sentence that follows from the data.
    table
        Whether strikes are numbered and listed.
    dpi
        Dots per inch of a PNG, 50 to 600.
    origin
        What the sheet says of where it is from. Its day is the only date in the file, so equal input gives equal bytes.

    Raises
    ------
    ExportError
        If the format, the size or the number of dots is not one of those.
    """

    bbox: Sequence[float]
    fmt: str
    origin: SheetOrigin
    size: str = "180"
    language: GroundLanguage = "en"
    in_grey: bool = False
    country: str | None = None
    strike: str | None = None
    scope: str | None = None
    title: str | None = None
    table: bool = True
    dpi: float = 300

    def __post_init__(self) -> None:
        if self.fmt not in FORMATS:
            raise ExportError(f"expected a format of {', '.join(FORMATS)}; got {self.fmt!r}")
        if self.size not in LOOKS:
            raise ExportError(f"expected a size of {', '.join(LOOKS)}; got {self.size!r}")
        if not 50 <= self.dpi <= 600:
            raise ExportError(f"expected 50 to 600 dots per inch; got {self.dpi}")

    @property
    def look(self) -> SheetLook:
        """Measures and colours of the sheet."""
        size: Any = self.size
        return replace(LOOKS[size], palette=GREY) if self.in_grey else LOOKS[size]


@dataclass(frozen=True)
class MapSheet:
    """A composed sheet, before it is a file."""

    picture: MapPicture
    contents: SheetContents
    order: MapOrder


def drawn_file(sheet: MapSheet) -> bytes:
    """Return the file of a sheet; Typst sets PDF and PNG, of which a picture is as high as it needs to be."""
    order = sheet.order
    if order.fmt == "svg":
        return svg_sheet(sheet.picture, sheet.contents)
    if order.fmt == "pdf":
        return compile_page(TEMPLATE, {"sheet": page_values(sheet, True)}, order.origin.day)
    pages = compile_pictures(TEMPLATE, page_values(sheet, False), order.dpi)
    if len(pages) > 1:
        pages = compile_pictures(TEMPLATE, page_values(sheet, False, is_bound=False), order.dpi)
    return _described(pages[0], sheet)


def composed(
    strikes: Sequence[MapStrike], lines: Sequence[MapLine], basemap: Basemap, archive: BasemapArchive | None,
    order: MapOrder, look: SheetLook | None = None,
) -> MapSheet:  # fmt: skip
    """Compose the picture of a map of an extent and what stands around it.

    Parameters
    ----------
    strikes
        The strikes that are selected. Those in view are drawn, the rest counted where they have no known place.
    basemap, archive
        The base map of countries, and that of the web map where there is one.
    look
        With one of its own it is part of a page that lists strikes and sources, which its notes leave to that page.

    Raises
    ------
    ExportError
        If the extent cannot be drawn, or the strike that the map is about is not there.
    """
    extent, words = extent_of(order.bbox), PrintWords.of(order.language, basemap)
    placed = [seen for strike in strikes if (seen := _within(strike, order.bbox)).places]
    teller = StoryTeller(words, sum(not strike.places for strike in strikes), order.scope)
    if order.strike is not None:
        if order.strike not in {strike.id for strike in placed}:
            raise ExportError(f"expected a strike with a place within the map; got {order.strike!r}")
        story = teller.of_strike(placed, order.strike)
    else:
        story = teller.of_country(placed, order.country) if order.country else teller.of_region(placed)
    subject = MapSubject(basemap, archive, lines, words)
    picture = compose(_numbered_as_listed(story, order), extent, subject, look or order.look, order.table)
    contents = sheet_contents(
        picture, order.origin, order.title, order.table, order.size != "slide", stands_alone=look is None
    )
    return MapSheet(picture, contents, order)


def _numbered_as_listed(story: Story, order: MapOrder) -> Story:
    """Leave numbers where there is a table alone; a slide numbers the class of its title where there are many."""
    if not order.table:
        return story.without_numbers()
    if order.size == "slide" and len(story.numbered) > _SLIDE_NUMBERS:
        first = story.numbered[0].kind
        return story.without_numbers(lambda one: one.kind == first)
    return story


def _within(strike: MapStrike, bbox: Sequence[float]) -> MapStrike:
    """Return a strike with those of its places that lie in a box."""
    west, south, east, north = (float(edge) for edge in bbox)

    def lies_in(lon: float, lat: float) -> bool:
        across = lon >= west or lon <= east if west > east else west <= lon <= east
        return across and south <= lat <= north

    return replace(strike, places=tuple(place for place in strike.places if lies_in(*place.point)))


# --- the page -------------------------------------------------------------------------------------


def page_values(sheet: MapSheet, all_pages: bool, is_bound: bool = True) -> str:
    """Return what the template reads, as JSON; a page that is not bound is as high as it needs to be."""
    contents, picture, look = sheet.contents, sheet.picture, sheet.picture.look
    palette, margin, (width, height) = look.palette, look.margin or 0.25, look.page
    drawing = svg_file(picture.size, picture.drawing.body(True), contents.title, contents.spoken, sheet.order.language)
    values = {
        **asdict(contents),
        "lang": sheet.order.language,
        "day": sheet.order.origin.day.isoformat(),
        "titleWidth": balanced_width(contents.title, look.title * POINT_MM, width - 2 * margin) * 1.01,
        "map": drawing,
        "mapWidth": picture.size[0],
        "tableApart": picture.is_full,
        "dots": picture.story.dotted,
        "allPages": all_pages,
        "classes": {kind: asdict(drawn) for kind, drawn in palette.classes.items()},
        **{name: getattr(palette, name) for name in ("ink", "soft", "struck", "pipe", "coast")},
        "look": {
            "size": sheet.order.size,
            "page": (width, height if is_bound else None),
            **{name: getattr(look, name) for name in ("margin", "columns", *_TEXT_SIZES)},
        },
    }
    return json.dumps(values, ensure_ascii=False)


def compile_page(template: Path, inputs: Mapping[str, str], day: date) -> bytes:
    """Let Typst set a template as a tagged PDF in the vendored fonts; equal input gives equal bytes."""
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return _compiled(template, inputs, format="pdf", pdf_standards="ua-1", timestamp=moment)[0]


def compile_pictures(template: Path, values: str, dpi: float) -> list[bytes]:
    """Let Typst set a template as a PNG for each page."""
    return _compiled(template, {"sheet": values}, format="png", ppi=dpi)


def _compiled(template: Path, inputs: Mapping[str, str], **options: Any) -> list[bytes]:
    import typst

    # Whatever is set is in the inputs or in the template.
    with font_folder([*inputs.values(), template.read_text(encoding="utf-8")]) as fonts:
        own = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[fonts])
        pages: bytes | list[bytes] = typst.compile(
            template.read_bytes(), font_paths=own, sys_inputs=dict(inputs), **options
        )
    return [pages] if isinstance(pages, bytes) else pages


def _described(png: bytes, sheet: MapSheet) -> bytes:
    """Add resolution, title and author to a PNG behind its header (PNG specification, 11.3.4.3 and 11.3.5.3)."""
    texts = {"Title": sheet.contents.title, "Author": AUTHOR, "Description": sheet.contents.spoken, "Software": AUTHOR}
    dots = round(sheet.order.dpi / 0.0254)
    chunks = [b"pHYs" + struct.pack(">IIB", dots, dots, 1)]
    chunks += [b"iTXt" + name.encode() + b"\0\0\0\0\0" + text.encode() for name, text in sorted(texts.items())]
    packed = (struct.pack(">I", len(one) - 4) + one + struct.pack(">I", zlib.crc32(one)) for one in chunks)
    return png[:_PNG_HEAD] + b"".join(packed) + png[_PNG_HEAD:]
