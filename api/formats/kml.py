"""KML 2.2 (OGC 07-147r2): features as placemarks, for globes and maps on telephones."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO

from api.formats.page import FeatureFormat, FeaturePage
from api.formats.table import ShapeSurvey, write_layer
from api.requests.crs import CRS84
from api.requests.negotiation import MediaFormat
from api.requests.parameters import BadParameter

if TYPE_CHECKING:
    import pyarrow as pa

#: Columns that a placemark is named by, the first that a collection has.
_NAMES = ("title", "name", "asset_name", "id")
#: Placemarks of one document of GDAL, which takes some 12 kB of memory for each.
_PART_ROWS = 4096
#: The layer is a document within that of the file.
_END = b"</Document>"
#: Columns of the days that are its time span.
_SPAN = {"begin": "day_first", "end": "day_last"}


def write(page: FeaturePage, out: BinaryIO) -> None:
    """Write a page as KML in lon/lat, in the order of its rows.

    A placemark has the columns as typed data, its days as its time span too, and a name. The form knows neither days
    nor lists as types of columns: those are text, as ISO 8601 and JSON.

    Raises
    ------
    BadParameter
        If another system than lon/lat is requested.
    """
    crs = page.representation.crs
    if crs is not CRS84:
        raise BadParameter("crs", crs.uri, f"{CRS84.uri}, the only system of KML")
    declared = ShapeSurvey.of(page).declared(page) if page.representation.geometry else None
    # GDAL builds a document as a whole: of each part it writes one, whose placemarks stand between equal ends.
    bare = _document(replace(page, rows=page.rows[:0]), declared)
    inner = bare.rindex(_END, 0, bare.rindex(_END))
    begin, end = bare[:inner], bare[inner:]
    out.write(begin)
    for part in page.parts(_PART_ROWS):
        document = _document(part, declared)
        out.write(document.removeprefix(begin).removesuffix(end))
    out.write(end)


def _document(page: FeaturePage, declared: str | None) -> bytes:
    metadata = "" if page.metadata is None else page.metadata.text
    body = io.BytesIO()
    write_layer(
        body,
        "LIBKML",
        page,
        declared,
        _placemarks,
        NAME=page.collection.title,
        DESCRIPTION="\n".join(filter(None, (page.collection.description, metadata))),
    )
    return body.getvalue()


def _placemarks(part: FeaturePage, columns: pa.Table) -> pa.Table:
    """Add name and time span of placemarks to their columns, whose days are text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    named = next((name for name in _NAMES if name in columns.column_names), None)
    # GDAL takes a column of that name for the placemark's own.
    parts = {} if named in (None, "name") else {"Name": columns[named]}
    parts |= {part: columns[name] for part, name in _SPAN.items() if name in columns.column_names}
    for at, field in enumerate(columns.schema):
        if pa.types.is_temporal(field.type):
            columns = columns.set_column(at, field.name, pc.cast(columns[field.name], pa.string()))
    for name, values in parts.items():
        columns = columns.append_column(name, values)
    return columns


FORMAT = FeatureFormat(MediaFormat("kml", "application/vnd.google-earth.kml+xml", "KML"), write)
