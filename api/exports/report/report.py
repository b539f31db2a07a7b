"""The report: a map, and for each strike the owners with their chains, as a PDF that screen readers can read.

Typst sets the pages and tags them (PDF/UA-1, ISO 14289-1). Texts are data to it, never markup.
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

from api.exports.printed_map import static_map
from api.exports.printed_map.page_layout import MARGIN_MM
from api.exports.printed_map.sheet import printable
from api.exports.printed_map.static_map import A4_MM, MapOrder
from api.exports.report.sections import CitedSources, day_in_words, section
from api.exports.strike_rows import ExportError, drawn_strikes
from api.exports.text import counted, country_names, page_text
from api.http.json import Json
from layers.reference.basemap import Basemap

TEMPLATE = Path(__file__).with_name("report.typ")
#: Words of the page that do not depend on the data.
_FIXED = ("whose", "ofWhole", "control", "controlWhy", "conditions", "notOwners", "notOwnersWhy", "sources")
#: The map as wide as the text and as high as the heading of the first page leaves, with margins that are cut off.
_MAP_MM = (A4_MM[0] - 36.0 + 2 * MARGIN_MM, A4_MM[1] - 70.0 + 2 * MARGIN_MM)


def render(
    strikes: geopandas.GeoDataFrame,
    assets: geopandas.GeoDataFrame,
    basemap: Basemap,
    answers: Mapping[str, Mapping[str, Any]],
    order: MapOrder,
) -> bytes:
    """Write the report of strikes as a tagged PDF; equal input gives equal bytes.

    Parameters
    ----------
    strikes, assets
        As for ``static_map.render``; the strikes are those of the report.
    basemap
        The ground of the map, and the names of countries.
    answers
        The whole answer to each strike by its id, as ``/strikes/{id}/attribution`` gives it.
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
    contents = document([answers[name] for name in _in_order(strikes, answers)], country_names(basemap), order)
    return _set(contents, picture, order.data_date)


def extent_around(strikes: geopandas.GeoDataFrame) -> tuple[float, float, float, float]:
    """Return a box with land about all strikes.

    Parameters
    ----------
    strikes
        In lon/lat (OGC:CRS84); rows without a geometry do not count.

    Returns
    -------
    tuple of float
        West, south, east, north in degrees; most of the world where no strike has a place.
    """
    west, south, east, north = (float(edge) for edge in strikes.total_bounds)
    if not west <= east:
        return -180.0, -60.0, 180.0, 75.0
    margin = max(0.75, 0.1 * (east - west), 0.1 * (north - south))
    return max(west - margin, -180.0), max(south - margin, -90.0), min(east + margin, 180.0), min(north + margin, 90.0)


def _in_order(strikes: geopandas.GeoDataFrame, answers: Mapping[str, Any]) -> list[str]:
    """List the ids of the strikes: those on the map in the order of its numbers, then the rest by date."""
    drawn = [mark.id for mark in drawn_strikes(strikes) if mark.id in answers]
    others = sorted(answers.keys() - set(drawn), key=lambda name: (answers[name]["strike"]["when"], name))
    return [*drawn, *others]


def document(answers: Sequence[Mapping[str, Any]], countries: Mapping[str, str], order: MapOrder) -> Json:
    """Give the contents of the report in the order of its pages."""
    sources = CitedSources(answers)
    sections = [section(number, answer, sources, countries) for number, answer in enumerate(answers, 1)]
    basis = page_text(f"basis{answers[0]['basis']}")
    about = (
        f"{counted('count', len(answers))}. Data of {day_in_words(order.data_date)}. {page_text('basis')} {basis}. "
        f"{page_text('minority')} {page_text('minority' + answers[0]['minority'])}."
        f"{''.join(f' {remark}.' for remark in order.remarks)}"
    )
    return {
        "title": order.title,
        "subtitle": order.subtitle or "",
        "about": about,
        "how": f"{page_text('chainHow')} Holders come in the order of their largest path.",
        "map": f"Map of the {counted('count', len(answers))}. Each is told of in words on the pages after it.",
        "sections": sections,
        "sources": sources.listed(),
        "words": {name: page_text(name) for name in _FIXED},
    }


def _set(contents: Json, picture: bytes, day: date) -> bytes:
    """Let Typst set the pages."""
    import typst

    ours = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[ours])
    pdf: bytes = typst.compile(
        TEMPLATE.read_bytes(),
        format="pdf",
        font_paths=fonts,
        sys_inputs={
            "data": json.dumps(_printable(contents)),
            "map": picture.decode(),
            "margin": str(MARGIN_MM),
            "day": day.isoformat(),
        },
        pdf_standards="ua-1",
        timestamp=datetime(day.year, day.month, day.day, tzinfo=UTC),
    )
    return pdf


def _printable(value: Any) -> Any:
    """Return a JSON value with the replacement character for letters that the typeface lacks."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {name: _printable(part) for name, part in value.items()}
    return [_printable(part) for part in value] if isinstance(value, list) else value
