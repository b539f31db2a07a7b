"""GeoParquet, Arrow and FlatGeobuf: features as typed columns with geometry, near ones together."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import shapely

from api.formats.page import FeatureFormat, FeaturePage
from api.formats.table import (
    GEOMETRY,
    arrow_columns,
    as_buffer,
    crs_name,
    geometry_type,
    in_file_order,
    write_layer,
)
from api.requests.negotiation import MediaFormat
from geo.lonlat import Objects

if TYPE_CHECKING:
    import pyarrow as pa

#: Name of the key of a schema's metadata that has what a file says of its data, as JSON.
ABOUT = b"strikeatlas"
#: Name of the column of boxes (GeoParquet 1.1, bbox covering).
_BOX = "bbox"
_EDGES = ("xmin", "ymin", "xmax", "ymax")
#: Rows of a row group: readers pass over groups whose boxes lie elsewhere.
_GROUP_ROWS = 16_384


def geoparquet(page: FeaturePage) -> bytes:
    """Write a page as GeoParquet 1.1: WKB, a column of boxes, ordered along a Hilbert curve, zstd."""
    import pyarrow as pa
    import pyarrow.parquet  # takes 10 MB

    rows, shapes = in_file_order(page)
    table = arrow_columns(page, rows)
    table = table.append_column(GEOMETRY, pa.array(shapely.to_wkb(shapes, flavor="iso"), pa.binary()))
    table = table.append_column(_BOX, _boxes(shapes))
    kinds = sorted({shape.geom_type for shape in shapes if shape is not None})
    column = {
        "encoding": "WKB",
        "geometry_types": kinds,
        "crs": _projjson(page),
        "covering": {_BOX: {edge: [_BOX, edge] for edge in _EDGES}},
    }
    bounds = shapely.total_bounds([*shapes, None])
    if not np.isnan(bounds).any():
        column[_BOX] = bounds.tolist()
    geo = {"version": "1.1.0", "primary_column": GEOMETRY, "columns": {GEOMETRY: column}}
    table = table.replace_schema_metadata(None)
    body = io.BytesIO()
    # The form has all types that there are: it needs no schema of Arrow beside its own.
    with pyarrow.parquet.ParquetWriter(body, table.schema, compression="zstd", store_schema=False) as writer:
        writer.write_table(table, row_group_size=_GROUP_ROWS)
        writer.add_key_value_metadata({b"geo": json.dumps(geo).encode(), **_about(page)})
    return body.getvalue()


def _boxes(shapes: Objects) -> pa.StructArray:
    """The box of each geometry, null where there is none."""
    import pyarrow as pa

    edges = shapely.bounds(shapes)
    missing = np.isnan(edges[:, 0])
    return pa.StructArray.from_arrays(
        [pa.array(edge, pa.float64()) for edge in edges.T], list(_EDGES), mask=pa.array(missing)
    )


def arrow(page: FeaturePage) -> bytes:
    """Write a page as a file of Apache Arrow, its geometry as GeoArrow (WKB), in the order of the page's rows."""
    import pyarrow as pa

    rows, shapes = in_file_order(page)
    table = arrow_columns(page, rows)
    extension = {"crs": _projjson(page), "crs_type": "projjson"}
    metadata = {b"ARROW:extension:name": b"geoarrow.wkb", b"ARROW:extension:metadata": json.dumps(extension).encode()}
    wkb = pa.array(shapely.to_wkb(shapes, flavor="iso"), pa.binary())
    table = table.append_column(pa.field(GEOMETRY, wkb.type, metadata=metadata), wkb)
    table = table.replace_schema_metadata(_about(page))
    body = io.BytesIO()
    with pa.ipc.new_file(body, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(table, max_chunksize=_GROUP_ROWS)
    return body.getvalue()


def _projjson(page: FeaturePage) -> Any:
    import pyproj

    return pyproj.CRS(crs_name(page.representation.crs)).to_json_dict()


def _about(page: FeaturePage) -> Mapping[bytes, bytes]:
    docs = {column.name: column.doc for column in page.collection.columns if column.name in page.property_names}
    return {ABOUT: orjson.dumps({**page.about, "columns": docs})}


def flatgeobuf(page: FeaturePage) -> bytes:
    """Write a page as FlatGeobuf, with its spatial index where each feature has a geometry.

    The index has no place for features without one, and an order that is asked for would be lost in it: then there is
    none. Days are times at midnight, as the form has no days.
    """
    rows, shapes = in_file_order(page)
    empty = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    has_index = bool(len(rows)) and not page.is_ordered and not empty.any()
    metadata = "" if page.metadata is None else page.metadata.text
    return as_buffer(
        lambda body: write_layer(
            body,
            "FlatGeobuf",
            page,
            rows,
            shapes,
            geometry_type(page, shapes),
            SPATIAL_INDEX="YES" if has_index else "NO",
            TITLE=page.collection.title,
            DESCRIPTION="\n".join(filter(None, (page.collection.description, metadata))),
        )
    )


FLATGEOBUF = FeatureFormat(MediaFormat("fgb", "application/flatgeobuf", "FlatGeobuf"), flatgeobuf)
GEOPARQUET = FeatureFormat(MediaFormat("parquet", "application/vnd.apache.parquet", "GeoParquet"), geoparquet)
ARROW = FeatureFormat(MediaFormat("arrow", "application/vnd.apache.arrow.file", "GeoArrow"), arrow)
