"""GeoParquet, Arrow and FlatGeobuf: features as typed columns with geometry, near ones together."""

from __future__ import annotations

import errno
import json
from collections.abc import Mapping
from itertools import chain
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import orjson
import shapely

from api.formats.page import FeatureFormat, FeaturePage
from api.formats.table import (
    GEOMETRY,
    ShapeSurvey,
    arrow_columns,
    crs_name,
    in_file_order,
    through_file,
    write_layer,
    xy_shapes,
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
#: Names of the types of geometry, as shapely numbers them.
_NAMES = ("Point", "LineString", "LinearRing", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon",
          "GeometryCollection")  # fmt: skip


def geoparquet(page: FeaturePage, out: BinaryIO) -> None:
    """Write a page as GeoParquet 1.1: WKB, a column of boxes, ordered along a Hilbert curve, zstd.

    Each part is a row group: readers pass over groups whose boxes lie elsewhere.
    """
    import pyarrow.parquet  # takes 10 MB

    ordered, survey = in_file_order(page)
    tables = (_with_boxes(part).replace_schema_metadata(None) for part in ordered.parts())
    first = next(tables)
    # The form has all types that there are: it needs no schema of Arrow beside its own.
    with pyarrow.parquet.ParquetWriter(out, first.schema, compression="zstd", store_schema=False) as writer:
        for table in chain([first], tables):
            if table.num_rows:  # a group without rows has no boxes
                writer.write_table(table)
        column = {
            "encoding": "WKB",
            "geometry_types": sorted(_NAMES[kind] for kind in survey.kinds),
            "crs": _projjson(page),
            "covering": {_BOX: {edge: [_BOX, edge] for edge in _EDGES}},
        }
        if survey.bounds is not None:
            column[_BOX] = survey.bounds
        geo = {"version": "1.1.0", "primary_column": GEOMETRY, "columns": {GEOMETRY: column}}
        writer.add_key_value_metadata({b"geo": json.dumps(geo).encode(), **_about(page)})


def _with_boxes(part: FeaturePage) -> pa.Table:
    import pyarrow as pa

    shapes = xy_shapes(part)
    table = arrow_columns(part).append_column(GEOMETRY, pa.array(shapely.to_wkb(shapes, flavor="iso"), pa.binary()))
    return table.append_column(_BOX, _boxes(shapes))


def _boxes(shapes: Objects) -> pa.StructArray:
    """The box of each geometry, null where there is none."""
    import pyarrow as pa

    edges = shapely.bounds(shapes)
    missing = np.isnan(edges[:, 0])
    return pa.StructArray.from_arrays(
        [pa.array(edge, pa.float64()) for edge in edges.T], list(_EDGES), mask=pa.array(missing)
    )


def arrow(page: FeaturePage, out: BinaryIO) -> None:
    """Write a page as a file of Apache Arrow, its geometry as GeoArrow (WKB), near ones together."""
    import pyarrow as pa

    extension = {"crs": _projjson(page), "crs_type": "projjson"}
    metadata = {b"ARROW:extension:name": b"geoarrow.wkb", b"ARROW:extension:metadata": json.dumps(extension).encode()}
    about = _about(page)

    def table_of(part: FeaturePage) -> pa.Table:
        wkb = pa.array(shapely.to_wkb(xy_shapes(part), flavor="iso"), pa.binary())
        table = arrow_columns(part).append_column(pa.field(GEOMETRY, wkb.type, metadata=metadata), wkb)
        return table.replace_schema_metadata(about)

    tables = map(table_of, in_file_order(page)[0].parts())
    first = next(tables)
    with pa.ipc.new_file(out, first.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        for table in chain([first], tables):
            writer.write_table(table)


def _projjson(page: FeaturePage) -> Any:
    import pyproj

    return pyproj.CRS(crs_name(page.representation.crs)).to_json_dict()


def _about(page: FeaturePage) -> Mapping[bytes, bytes]:
    docs = {column.name: column.doc for column in page.collection.columns if column.name in page.property_names}
    return {ABOUT: orjson.dumps({**page.about, "columns": docs})}


def flatgeobuf(page: FeaturePage, out: BinaryIO) -> None:
    """Write a page as FlatGeobuf, with its spatial index where each feature has a geometry.

    The index has no place for features without one, and an order that is asked for would be lost in it: then there is
    none. Days are times at midnight, as the form has no days.

    Raises
    ------
    OSError
        If not all of it could be written.
    """
    from pyogrio.raw import open_arrow  # has all of GDAL

    survey = ShapeSurvey.of(page)
    has_index = bool(len(page.rows)) and not page.is_ordered and bool(survey.placed.all())
    # GDAL brings what it indexes into the order of its own curve.
    ordered = page if has_index else in_file_order(page, survey)[0]
    metadata = "" if page.metadata is None else page.metadata.text
    with through_file(out, "page.fgb") as path:
        write_layer(
            path,
            "FlatGeobuf",
            ordered,
            survey.declared(page),
            SPATIAL_INDEX="YES" if has_index else "NO",
            TITLE=page.collection.title,
            DESCRIPTION="\n".join(filter(None, (page.collection.description, metadata))),
        )
        # GDAL passes over faults of the disk when it closes a file.
        with open_arrow(path, columns=[], read_geometry=False, return_fids=True, use_pyarrow=True) as (_, written):
            if sum(batch.num_rows for batch in written) != len(page.rows):
                raise OSError(errno.EIO, "not written to its end", path.name)


FLATGEOBUF = FeatureFormat(MediaFormat("fgb", "application/flatgeobuf", "FlatGeobuf"), flatgeobuf)
GEOPARQUET = FeatureFormat(MediaFormat("parquet", "application/vnd.apache.parquet", "GeoParquet"), geoparquet)
ARROW = FeatureFormat(MediaFormat("arrow", "application/vnd.apache.arrow.file", "GeoArrow"), arrow)
