"""KML 2.2 (OGC 07-147r2): features as placemarks, for globes and maps on telephones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.formats.page import FeatureFormat, FeaturePage
from api.formats.table import arrow_columns, as_buffer, geometry_type, write_layer
from api.requests.crs import CRS84
from api.requests.negotiation import MediaFormat
from api.requests.parameters import BadParameter

if TYPE_CHECKING:
    import pyarrow as pa

#: Columns that a placemark is named by, the first that a collection has.
_NAMES = ("title", "name", "asset_name", "id")
#: Columns of the days that are its time span.
_SPAN = {"begin": "day_first", "end": "day_last"}


def write(page: FeaturePage) -> bytes:
    """Write a page as KML in lon/lat, in the order of its rows.

    A placemark has the columns as typed data, its days as its time span too, and a name. The form knows neither days
    nor lists as types of columns: those are text, as ISO 8601 and JSON.

    Raises
    ------
    BadParameter
        If another system than lon/lat is requested.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    crs = page.representation.crs
    if crs is not CRS84:
        raise BadParameter("crs", crs.uri, f"{CRS84.uri}, the only system of KML")
    shapes = page.shapes() if page.representation.geometry else None
    declared = None if shapes is None else geometry_type(page, shapes)
    metadata = "" if page.metadata is None else page.metadata.text
    columns = arrow_columns(page, lists_as_json=True)
    return as_buffer(
        lambda body: write_layer(
            body,
            "LIBKML",
            page,
            page.rows,
            shapes,
            declared,
            more=_placemark(page, columns),
            replaced={name: pc.cast(columns[name], pa.string()) for name in _days(columns)},
            NAME=page.collection.title,
            DESCRIPTION="\n".join(filter(None, (page.collection.description, metadata))),
        )
    )


def _days(columns: pa.Table) -> list[str]:
    import pyarrow as pa

    return [field.name for field in columns.schema if pa.types.is_temporal(field.type)]


def _placemark(page: FeaturePage, columns: pa.Table) -> dict[str, pa.Array]:
    named = next((name for name in _NAMES if name in columns.column_names), None)
    # GDAL takes a column of that name for the placemark's own.
    parts = {} if named in (None, "name") else {"Name": columns[named]}
    return parts | {part: columns[name] for part, name in _SPAN.items() if name in columns.column_names}


FORMAT = FeatureFormat(MediaFormat("kml", "application/vnd.google-earth.kml+xml", "KML"), write)
