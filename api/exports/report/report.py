"""The report: a map, and for each strike the owners with their chains, as a PDF that screen readers can read.

Typst sets the pages and tags them (PDF/UA-1, ISO 14289-1). Texts are data to it, never markup.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from api.exports.printed_map.drawing import svg_file
from api.exports.printed_map.lettering import printable
from api.exports.printed_map.look import LOOKS
from api.exports.printed_map.map_strikes import MapLine, MapStrike
from api.exports.printed_map.sheet import MapOrder, MapSheet, compile_page, composed
from api.exports.printed_map.sheet_origin import SheetOrigin
from api.exports.report.sections import CitedSources, day_in_words, section
from api.exports.strike_rows import ExportError
from api.exports.text import counted, country_names, page_text
from api.http.json import Json
from layers.reference.basemap import Basemap
from layers.reference.basemap_archive import BasemapArchive
from layers.reference.map_ground import GroundLanguage

TEMPLATE = Path(__file__).with_name("report.typ")
#: Words of the page that do not depend on the data.
_FIXED = ("whose", "ofWhole", "control", "controlWhy", "conditions", "notOwners", "notOwnersWhy", "sources")
#: The map of a report: as wide as its text, and no higher than the heading of the first page leaves.
_LOOK = replace(LOOKS["a4"], frame=(174.0, 165.0))


@dataclass(frozen=True, kw_only=True)
class ReportOrder:
    """The request for a report: extent of its map, title, language of the map, and where the data are from."""

    bbox: Sequence[float]
    title: str
    origin: SheetOrigin
    language: GroundLanguage = "en"


def render(
    strikes: Sequence[MapStrike], lines: Sequence[MapLine], basemap: Basemap, archive: BasemapArchive | None,
    answers: Mapping[str, Mapping[str, Any]], order: ReportOrder,
) -> bytes:  # fmt: skip
    """Write the report of strikes as a tagged PDF; equal input gives equal bytes.

    Parameters
    ----------
    strikes, lines, basemap, archive
        As for ``sheet.render`` of the printed map; the strikes are those of the report.
    answers
        The whole answer to each strike by its id, as ``/strikes/{id}/attribution`` gives it.
    order
        Extent, title and day of the data.

    Raises
    ------
    ExportError
        If there is no strike, or the extent cannot be drawn.
    """
    if not answers:
        raise ExportError("expected at least one strike to report on; got none")
    wanted = MapOrder(bbox=order.bbox, fmt="pdf", origin=order.origin, language=order.language)
    sheet = composed(strikes, lines, basemap, archive, wanted, _LOOK)
    contents = document([answers[name] for name in in_order(sheet, answers)], country_names(basemap), order, sheet)
    return _set(contents, sheet, order)


def in_order(sheet: MapSheet, answers: Mapping[str, Any]) -> list[str]:
    """List the ids of the strikes: those on the map in the order of its numbers, then the rest by date."""
    drawn = [one.strike.id for one in sheet.story.strikes if one.strike.id in answers]
    others = sorted(answers.keys() - set(drawn), key=lambda name: (answers[name]["strike"]["when"], name))
    return [*drawn, *others]


def document(
    answers: Sequence[Mapping[str, Any]],
    countries: Mapping[str, str],
    order: ReportOrder,
    sheet: MapSheet | None = None,
) -> Json:
    """Give the contents of the report in the order of its pages."""
    sources = CitedSources(answers)
    sections = [section(number, answer, sources, countries) for number, answer in enumerate(answers, 1)]
    basis = page_text(f"basis{answers[0]['basis']}")
    about = (
        f"{counted('count', len(answers))}. Data of {day_in_words(order.origin.day)}. {page_text('basis')} {basis}. "
        f"{page_text('minority')} {page_text('minority' + answers[0]['minority'])}."
        f"{''.join(f' {remark}.' for remark in order.origin.remarks)}"
    )
    return {
        "title": order.title,
        "subtitle": f"{sheet.contents.title}. {sheet.contents.subtitle}" if sheet and sheet.story.strikes else "",
        "about": about,
        "how": f"{page_text('chainHow')} Holders come in the order of their largest path.",
        "map": sheet.contents.spoken if sheet else "",
        "key": " · ".join(text for _, text in sheet.contents.key) if sheet else "",
        "notes": " ".join(sheet.contents.notes) if sheet else "",
        "sections": sections,
        "sources": sources.listed(),
        "words": {name: page_text(name) for name in _FIXED},
    }


def _set(contents: Json, sheet: MapSheet, order: ReportOrder) -> bytes:
    """Let Typst set the pages."""
    shown = _printable(contents)
    drawing = sheet.picture.drawing
    picture = svg_file(
        sheet.picture.size, drawing.body(True), sheet.contents.title, sheet.contents.spoken, order.language
    )
    inputs = {
        "data": json.dumps(shown),
        "map": picture,
        "day": order.origin.day.isoformat(),
    }
    texts = [*_texts(shown), *(letters.text for letters in drawing.texts), "0123456789"]
    return compile_page(TEMPLATE, inputs, texts, order.origin.day)


def _texts(value: Any) -> Iterator[str]:
    """Yield every text of a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)


def _printable(value: Any) -> Any:
    """Return a JSON value with the replacement character for letters that the typeface lacks."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {name: _printable(part) for name, part in value.items()}
    return [_printable(part) for part in value] if isinstance(value, list) else value
