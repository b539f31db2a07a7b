"""The report: a map, and for each strike whose it was with the chain of owners, as a PDF that screen readers can read.

Typst sets the pages and tags them (PDF/UA-1, ISO 14289-1). What is set is data, never markup.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import geopandas
import matplotlib

from api.exports.errors import ExportError
from api.exports.printed_map import static_map
from api.exports.printed_map.page_layout import MARGIN_MM
from api.exports.printed_map.sheet import printable
from api.exports.printed_map.static_map import A4_MM, Order
from api.exports.report.sections import Sources, section, spoken_day
from api.exports.strike_rows import marks_of
from api.exports.text.formatting import country_names
from api.exports.text.translations import WORDS, counted, say
from layers.reference.basemap import Basemap

Json = dict[str, Any]

TEMPLATE = Path(__file__).with_name("report.typ")
#: Words of the page that do not depend on the data.
_FIXED = ("whose", "ofWhole", "control", "controlWhy", "notOwners", "notOwnersWhy", "sources")
#: The map as wide as the text and as high as the heading of the first page leaves, with margins that are cut off.
_MAP_MM = (A4_MM[0] - 36.0 + 2 * MARGIN_MM, A4_MM[1] - 70.0 + 2 * MARGIN_MM)


def render(
    strikes: geopandas.GeoDataFrame,
    assets: geopandas.GeoDataFrame,
    basemap: Basemap,
    answers: Mapping[str, Mapping[str, Any]],
    order: Order,
) -> bytes:
    """Set the report of some strikes as a tagged PDF; the same input gives the same bytes.

    Parameters
    ----------
    strikes, assets
        As for ``static_map.render``; the strikes are those of the report.
    basemap
        The ground of the map, and the names of countries.
    answers
        The whole answer to each strike by its id, as ``/strikes/{id}/attribution`` tells it.
    order
        Extent, title, subtitle and day of the data; format, size and resolution are the report's own.

    Raises
    ------
    ExportError
        If there is no strike, or the extent cannot be drawn.
    geo.errors.GeoError
        If a frame has no CRS or coordinates out of range.
    """
    if not answers:
        raise ExportError("expected at least one strike to report on; got none")
    look = replace(order, fmt="svg", title="", subtitle=None, width_mm=_MAP_MM[0], height_mm=_MAP_MM[1], table=False)
    picture = static_map.render(strikes, assets, basemap, look)
    told = document([answers[name] for name in _in_order(strikes, answers)], country_names(basemap), order)
    return _set(told, picture, order.data_date)


def extent_around(strikes: geopandas.GeoDataFrame) -> tuple[float, float, float, float]:
    """A box in degrees (west, south, east, north) with land about all strikes; the world where none has a place."""
    west, south, east, north = (float(edge) for edge in strikes.total_bounds)
    if not west <= east:
        return -180.0, -60.0, 180.0, 75.0
    margin = max(0.75, 0.1 * (east - west), 0.1 * (north - south))
    return max(west - margin, -180.0), max(south - margin, -90.0), min(east + margin, 180.0), min(north + margin, 90.0)


def _in_order(strikes: geopandas.GeoDataFrame, answers: Mapping[str, Any]) -> list[str]:
    """Ids of the strikes: those on the map in the order of its numbers, then the others by date."""
    drawn = [mark.id for mark in marks_of(strikes) if mark.id in answers]
    others = sorted(answers.keys() - set(drawn), key=lambda name: (answers[name]["strike"]["when"], name))
    return [*drawn, *others]


def document(answers: Sequence[Mapping[str, Any]], countries: Mapping[str, str], order: Order) -> Json:
    """All that the report says, in the order in which it says it."""
    sources = Sources(answers)
    sections = [section(number, told, sources, countries) for number, told in enumerate(answers, 1)]
    basis = say(f"basis{answers[0]['basis']}")
    about = (
        f"{counted('count', len(answers))}. Data of {spoken_day(order.data_date)}. {say('basis')} {basis}. "
        f"{say('minority')} {say('minority' + answers[0]['minority'])}."
    )
    return {
        "title": order.title,
        "subtitle": order.subtitle or "",
        "about": about,
        "how": f"{say('chainHow')} Holders come in the order of their largest path.",
        "map": f"Map of the {counted('count', len(answers))}. Each is told of in words on the pages after it.",
        "sections": sections,
        "sources": sources.listed(),
        "words": {name: WORDS[name] for name in _FIXED},
    }


def _set(told: Json, picture: bytes, day: date) -> bytes:
    """Let Typst set the pages."""
    import typst

    ours = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[ours])
    made: bytes = typst.compile(
        TEMPLATE.read_bytes(),
        format="pdf",
        font_paths=fonts,
        sys_inputs={
            "data": json.dumps(_printable(told)),
            "map": picture.decode(),
            "margin": str(MARGIN_MM),
            "day": day.isoformat(),
        },
        pdf_standards="ua-1",
        timestamp=datetime(day.year, day.month, day.day, tzinfo=UTC),
    )
    return made


def _printable(value: Any) -> Any:
    """The same with texts that the typeface has letters for."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {name: _printable(part) for name, part in value.items()}
    return [_printable(part) for part in value] if isinstance(value, list) else value
