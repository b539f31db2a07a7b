"""XLSX: a sheet of features, and one that says what the data are."""

from __future__ import annotations

import re
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
import shapely

from api.exports.errors import ExportError
from api.formats.page import FeatureFormat, FeaturePage
from api.formats.table import write_layer
from api.requests.crs import CRS84
from api.requests.negotiation import MediaFormat

if TYPE_CHECKING:
    import pyarrow as pa

#: Rows of a sheet, the header among them (ECMA-376, 18.3.1.73).
_MAX_ROWS = 1_048_576
#: Time of the parts of the file: equal pages give equal bytes.
_NO_TIME = (1980, 1, 1, 0, 0, 0)
#: The part of the file that lists its sheets, and how it names one.
_WORKBOOK, _SHEET = "xl/workbook.xml", re.compile(rb"<sheet [^<>]*/>")


def write(page: FeaturePage, out: BinaryIO) -> None:
    """Write a page as XLSX, in the order of its rows.

    The sheet of features has the columns and, where places are lon/lat, the points as ``lon`` and ``lat``; a cell
    cannot hold other shapes. Days are days, truths are truths, lists are JSON text. The sheet ``about`` says what the
    data are.

    Raises
    ------
    ExportError
        If the page has more rows than a sheet.
    """
    import pyarrow as pa
    from pyogrio.raw import write_arrow  # has all of GDAL

    if len(page.rows) >= _MAX_ROWS:
        raise ExportError(f"a sheet has {_MAX_ROWS - 1:,} features at most, these are {len(page.rows):,}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sheets.xlsx"
        lines = [("Title", page.collection.title), ("Description", page.collection.description)]
        lines += [] if page.metadata is None else page.metadata.lines
        about = {"what": [name for name, _ in lines], "is": [text for _, text in lines]}
        # To add a sheet GDAL reads those that there are, and writes all anew: the short one is there first.
        write_arrow(pa.table(about), path, driver="XLSX", layer="about", geometry_type=None)
        write_layer(path, "XLSX", page, None, _cells, append=True)
        _finish(path, out)


def _cells(part: FeaturePage, table: pa.Table) -> pa.Table:
    """Add the points of a part to its columns; the form does not tell an empty text from none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for at, column in enumerate(table.columns):
        if pa.types.is_string(column.type):
            values = pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)
            table = table.set_column(at, table.field(at), values)
    for name, axis in _points(part).items():
        table = table.append_column(name, axis)
    return table


def _points(page: FeaturePage) -> dict[str, pa.Array]:
    import pyarrow as pa

    if not page.representation.geometry or page.representation.crs is not CRS84:
        return {}
    shapes = page.shapes()
    shapes[shapely.get_type_id(shapes) != 0] = None
    axes = {"lon": shapely.get_x(shapes), "lat": shapely.get_y(shapes)}
    return {
        name: pa.array(np.round(axis, CRS84.decimals), pa.float64(), from_pandas=True) for name, axis in axes.items()
    }


def _finish(path: Path, out: BinaryIO) -> None:
    """Write the archive with the features as its first sheet, and without the times of its parts."""
    with zipfile.ZipFile(path) as written, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as finished:
        for part in written.infolist():
            info = zipfile.ZipInfo(part.filename, _NO_TIME)
            info.compress_type, info.file_size = zipfile.ZIP_DEFLATED, part.file_size
            if part.filename == _WORKBOOK:
                finished.writestr(info, _features_first(written.read(part)))
                continue
            # The sheet of features is some 1 kB a row: it is never in memory as a whole.
            with written.open(part) as source, finished.open(info, "w") as target:
                shutil.copyfileobj(source, target)


def _features_first(workbook: bytes) -> bytes:
    about, features = _SHEET.findall(workbook)
    return workbook.replace(features, b"").replace(about, features + about)


FORMAT = FeatureFormat(
    MediaFormat("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "XLSX"), write
)
