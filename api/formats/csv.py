"""CSV (RFC 4180): a line a feature, for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

import shapely
from shapely.geometry.base import BaseGeometry

from api.exports.files import guarded, joined
from api.formats.page import FeatureFormat, FeaturePage
from api.requests.crs import CRS84, Crs
from api.requests.negotiation import MediaFormat


def write(page: FeaturePage) -> bytes:
    """Write a page as UTF-8 with a header line.

    Points in lon/lat are in the columns ``lon`` and ``lat`` too; ``geometry`` is WKT in the requested system, its
    axes in the order of the authority. Lists are joined by "; ", a missing value is empty, and a text that a
    spreadsheet would run as a formula gets an apostrophe in front.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    names, crs = page.property_names, page.representation.crs
    writer.writerow([*names, *(_columns(crs) if page.representation.geometry else ())])
    geometries = _geometry_columns(page.shapes(), crs) if page.representation.geometry else [()] * len(page.rows)
    columns = [page.collection.features.columns[name].take(page.rows) for name in names]
    for values, geometry in zip(
        zip(*columns, strict=True) if columns else [()] * len(geometries), geometries, strict=True
    ):
        writer.writerow([*map(guarded, map(joined, values)), *geometry])
    return text.getvalue().encode()


def _columns(crs: Crs) -> tuple[str, ...]:
    return ("lon", "lat", "geometry") if crs is CRS84 else ("geometry",)


def _geometry_columns(shapes: Iterable[BaseGeometry | None], crs: Crs) -> list[tuple[object, ...]]:
    return [_geometry_values(shape, crs) for shape in shapes]


def _geometry_values(shape: BaseGeometry | None, crs: Crs) -> tuple[object, ...]:
    known = shape is not None and not shape.is_empty
    wkt = shapely.to_wkt(shape, rounding_precision=crs.decimals, trim=True) if known else ""
    if crs is not CRS84:
        return (wkt,)
    if not isinstance(shape, shapely.Point) or not known:
        return "", "", wkt
    return round(shape.x, crs.decimals), round(shape.y, crs.decimals), wkt


FORMAT = FeatureFormat(MediaFormat("csv", "text/csv", "CSV"), write)
