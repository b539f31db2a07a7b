"""CSV (RFC 4180): a line a feature, for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

import shapely
from shapely.geometry.base import BaseGeometry

from api.exports.files import guarded, joined
from api.formats.page import Page
from api.requests.crs import CRS84, Crs


def written(page: Page) -> bytes:
    """Write a page as UTF-8 with a header line.

    Points in lon/lat are in the columns ``lon`` and ``lat`` too; ``geometry`` is WKT in the system asked for, its
    axes in the order of the authority. Lists are joined by "; ", what is missing is empty, and a text that a
    spreadsheet would run as a formula gets an apostrophe in front.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    names, crs = page.names, page.telling.crs
    writer.writerow([*names, *(_columns(crs) if page.telling.geometry else ())])
    places = _places(page.shapes(), crs) if page.telling.geometry else [()] * len(page.rows)
    columns = [page.collection.features.columns[name].at(page.rows) for name in names]
    for values, place in zip(zip(*columns, strict=True) if columns else [()] * len(places), places, strict=True):
        writer.writerow([*map(guarded, map(joined, values)), *place])
    return text.getvalue().encode()


def _columns(crs: Crs) -> tuple[str, ...]:
    return ("lon", "lat", "geometry") if crs is CRS84 else ("geometry",)


def _places(shapes: Iterable[BaseGeometry | None], crs: Crs) -> list[tuple[object, ...]]:
    return [_place(shape, crs) for shape in shapes]


def _place(shape: BaseGeometry | None, crs: Crs) -> tuple[object, ...]:
    known = shape is not None and not shape.is_empty
    wkt = shapely.to_wkt(shape, rounding_precision=crs.decimals, trim=True) if known else ""
    if crs is not CRS84:
        return (wkt,)
    if not isinstance(shape, shapely.Point) or not known:
        return "", "", wkt
    return round(shape.x, crs.decimals), round(shape.y, crs.decimals), wkt
