"""CSV (RFC 4180): a line a feature, for spreadsheets; and the metadata that say what its columns are (CSVW)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import orjson
import shapely

from api.formats.page import FeatureFormat, FeaturePage
from api.formats.table import GEOMETRY, POSITION, TYPES, arrow_columns, with_lonlat
from api.http.json import Json
from api.requests.crs import CRS84
from api.requests.negotiation import MediaFormat
from layers.collections.property_types import property_types

if TYPE_CHECKING:
    import pyarrow as pa

#: A cell that begins with one of these is taken for a formula by a spreadsheet (OWASP, CSV injection).
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
#: What tells spreadsheets that a file is UTF-8.
_BOM = b"\xef\xbb\xbf"


def write(page: FeaturePage, out: BinaryIO) -> None:
    """Write a page as UTF-8 with a header line, in the order of its rows.

    Points in lon/lat are in the columns ``lon`` and ``lat`` too; ``geometry`` is WKT in the requested system, its
    axes in the order of the authority. Lists are JSON text, a missing value is empty, and a text that a spreadsheet
    would run as a formula gets an apostrophe in front.
    """
    import pyarrow.csv

    options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="needed")
    for number, part in enumerate(page.parts()):
        table = _guarded(arrow_columns(part, lists_as_json=True))
        if page.representation.geometry:
            table = _with_places(table, part)
        if not table.num_columns:
            return
        if number == 0:
            out.write((",".join(table.column_names) + "\n").encode())
        pyarrow.csv.write_csv(table, out, options)


def write_with_bom(page: FeaturePage, out: BinaryIO) -> None:
    """Write a page as `write` does, after the mark by which Excel knows UTF-8."""
    out.write(_BOM)
    write(page, out)


def _guarded(table: pa.Table) -> pa.Table:
    """Put an apostrophe before each text that a spreadsheet would run; numbers and days are left as they are.

    Times are written as RFC 3339 has them, which Arrow's own text of a time is not.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    for place, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):
            times = pc.strftime(table.column(place), format="%Y-%m-%dT%H:%M:%SZ")
            table = table.set_column(place, field.name, times)
        if pa.types.is_string(field.type):
            column = table.column(place)
            runs = pc.is_in(pc.utf8_slice_codeunits(column, 0, 1), pa.array([*FORMULA_STARTS]))
            if pc.any(runs).as_py():
                told = pc.binary_join_element_wise(pa.scalar("'"), column, "")
                table = table.set_column(place, field, pc.if_else(runs, told, column))
    return table


def _with_places(table: pa.Table, page: FeaturePage) -> pa.Table:
    import pyarrow as pa

    shapes, crs = page.shapes(), page.representation.crs
    shapes[shapely.is_empty(shapes)] = None
    if crs is CRS84:
        table = with_lonlat(table, shapes)
    wkt = shapely.to_wkt(shapes, rounding_precision=crs.decimals, trim=True)
    return table.append_column(GEOMETRY, pa.array(wkt, pa.string()))


def metadata(page: FeaturePage) -> bytes:
    """Write what the columns of the CSV of a page are, and what is said of the data, as CSVW metadata (JSON-LD).

    ``url`` is the link of the page to itself, or the name of the file.
    """
    types = property_types(page.collection.model)
    docs = {column.name: column.doc for column in page.collection.columns}
    columns: list[Json] = [
        {"name": name, "titles": name, "dc:description": docs[name], "datatype": TYPES[types[name]].csvw}
        for name in page.property_names
    ]
    if page.representation.geometry:
        axes = POSITION if page.representation.crs is CRS84 else ()
        columns += [{"name": name, "titles": name, "datatype": "number"} for name in axes]
        columns.append({"name": GEOMETRY, "titles": GEOMETRY, "dc:description": "WKT", "datatype": "string"})
    document: Json = {
        "@context": "http://www.w3.org/ns/csvw",
        "url": next((link["href"] for link in page.links if link["rel"] == "describes"), f"{page.collection.name}.csv"),
        "dc:title": page.collection.title,
        "dc:description": page.collection.description,
        "tableSchema": {"columns": columns, "primaryKey": "id"}
        if "id" in page.property_names
        else {"columns": columns},
    }
    if page.metadata is not None:
        document |= {"dc:license": {"@id": page.metadata.licence}, "dc:rights": page.metadata.attribution}
        document["notes"] = [page.metadata.values]
    return orjson.dumps(document, option=orjson.OPT_INDENT_2)


def _write_metadata(page: FeaturePage, out: BinaryIO) -> None:
    out.write(metadata(page))


def metadata_beside(path: Path) -> Path:
    """Where readers look for the metadata of a CSV file (CSVW, Model for Tabular Data, 5.3)."""
    return path.with_name(f"{path.name}-metadata.json")


FORMAT = FeatureFormat(MediaFormat("csv", "text/csv", "CSV"), write)
WITH_BOM = FeatureFormat(MediaFormat("csv-bom", "text/csv;charset=utf-8", "CSV for Excel"), write_with_bom)
METADATA = FeatureFormat(MediaFormat("csvw", "application/csvm+json", "metadata of CSV"), _write_metadata)
