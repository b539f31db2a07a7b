"""A page as an Arrow table, by the one table of types, which all forms with columns are written from."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from threading import Lock
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from api.formats.page import FeaturePage
from api.formats.property_types import GEOMETRY_TYPES, arrow_types, property_types
from api.requests.crs import CRS84, Crs
from geo.columnar.dictionary_array import DictionaryArray
from geo.lonlat import Ints, Objects

if TYPE_CHECKING:
    import pyarrow as pa

#: Name of the column of geometry in all forms.
GEOMETRY = "geometry"
#: Options of GDAL are those of the process.
_gdal_options = Lock()


def arrow_columns(page: FeaturePage, rows: Ints | None = None, *, lists_as_json: bool = False) -> pa.Table:
    """The properties of a page as an Arrow table.

    Parameters
    ----------
    rows
        Rows of the collection instead of those of the page, shape (n,).
    lists_as_json
        Whether lists are JSON text, for forms without lists.

    Returns
    -------
    pa.Table
        A column of n values for each wanted property, in the order of the columns; NaN and infinity are null. Fields
        have the description of their property, under the names that GDAL reads it by.
    """
    import pyarrow as pa

    types, columns = property_types(page.collection.model), page.collection.features.columns
    docs = {column.name: column.doc for column in page.collection.columns}
    wanted = page.rows if rows is None else rows
    fields, values = [], []
    for name in page.property_names:
        arrow, is_json = arrow_types()[types[name]], lists_as_json and types[name] == "list"
        values.append(_column(columns[name].take(wanted), pa.string() if is_json else arrow, is_json))
        about = {"description": docs[name], "GDAL:OGR:alternative_name": name.replace("_", " ")}
        about |= {"GDAL:OGR:comment": docs[name]} | ({"GDAL:OGR:subtype": "JSON"} if is_json else {})
        fields.append(pa.field(name, values[-1].type, metadata=about))
    if not values:
        # A table of arrays would have no rows, and take no geometry.
        return pa.Table.from_struct_array(pa.array([{}] * len(wanted), pa.struct([])))
    return pa.Table.from_arrays(values, schema=pa.schema(fields))


def _column(column: DictionaryArray, arrow: pa.DataType, is_json: bool) -> pa.Array:
    """Each different value is converted once."""
    import pyarrow as pa

    words: list[Any] = list(column.dictionary)
    if is_json:
        words = [json.dumps(texts, ensure_ascii=False) for texts in words]
    elif pa.types.is_floating(arrow):
        words = [value if np.isfinite(value) else None for value in words]
    elif pa.types.is_timestamp(arrow):
        words = [datetime.fromisoformat(text) for text in words]
    codes = column.codes
    return pa.array(words, arrow).take(pa.array(codes, mask=codes < 0))


def xy_shapes(page: FeaturePage) -> Objects:
    """Return the geometry of each row of a page with x before y, whatever the authority of the system says."""
    shapes = page.shapes()
    if not page.representation.crs.north_first:
        return shapes
    moved: Objects = shapely.transform(shapes, lambda axes: axes[:, ::-1])
    return moved


def crs_name(crs: Crs) -> str:
    """Name a system as files do that hold x before y: EPSG:4326 stands for lon/lat."""
    return "EPSG:4326" if crs is CRS84 else crs.name


def hilbert_order(shapes: Objects) -> Ints:
    """Return the order of geometries along a Hilbert curve over all of them; those that are missing come last."""
    from geopandas import GeoSeries  # takes a quarter of a second, and 70 MB

    placed = np.flatnonzero(~(shapely.is_missing(shapes) | shapely.is_empty(shapes)))
    rest = np.setdiff1d(np.arange(len(shapes)), placed)
    along = GeoSeries(shapes[placed]).hilbert_distance().to_numpy() if len(placed) else placed
    return np.concatenate([placed[np.argsort(along, kind="stable")], rest])


def in_file_order(page: FeaturePage) -> tuple[Ints, Objects]:
    """Return rows of the collection and their geometries in the order of a file: along a Hilbert curve.

    Readers then find what is near each other together. Where the request names an order, that is the order.
    """
    shapes = xy_shapes(page)
    order = np.arange(len(shapes)) if page.is_ordered else hilbert_order(shapes)
    return np.asarray(page.rows)[order], shapes[order]


def geometry_type(page: FeaturePage, shapes: Objects) -> str:
    """The type that a layer of a page declares; "Unknown" where its collection has several kinds.

    Lines and areas are always declared as several, points only where one of them is.
    """
    one, several = GEOMETRY_TYPES.get(page.collection.model, ("Unknown", "Unknown"))
    return one if one == "Point" and not np.isin(shapely.get_type_id(shapes), _SEVERAL).any() else several


#: Types of geometry that have parts, as shapely numbers them.
_SEVERAL = (4, 5, 6)
_JOINED: Mapping[str, Any] = {"MultiPoint": shapely.multipoints, "MultiLineString": shapely.multilinestrings,
           "MultiPolygon": shapely.multipolygons}  # fmt: skip


def as_declared(shapes: Objects, declared: str) -> Objects:
    """Return geometries of which each single one is one of several, where that is the declared type."""
    single = ~(shapely.is_missing(shapes) | np.isin(shapely.get_type_id(shapes), _SEVERAL))
    if declared not in _JOINED or not single.any():
        return shapes
    whole = shapes.copy()
    whole[single] = _JOINED[declared](shapes[single], indices=np.arange(single.sum()))
    return whole


def write_layer(
    out: Any,
    driver: str,
    page: FeaturePage,
    rows: Ints,
    shapes: Objects | None,
    declared: str | None,
    *,
    more: Mapping[str, pa.Array] = MappingProxyType({}),
    replaced: Mapping[str, pa.Array] = MappingProxyType({}),
    append: bool = False,
    has_empty: bool = True,
    **options: str,
) -> None:
    """Have GDAL write rows of a page as a layer; lists are JSON text.

    Parameters
    ----------
    out
        A path or a buffer.
    rows, shapes
        Rows of the collection, and their geometries (x before y), in the order of the file; ``None`` for none.
    declared
        Type of the layer's geometry, see `geometry_type`; ``None`` for none.
    more, replaced
        Columns to write besides those of the page, and in place of them, by name.
    append
        Whether the layer is added to a file that there is.
    has_empty
        Whether the form tells an empty text from none.
    options
        Options of the driver.
    """
    import pyarrow as pa
    from pyogrio.raw import write_arrow  # has all of GDAL

    table = arrow_columns(page, rows, lists_as_json=True)
    if not has_empty:
        table = _without_empty(table)
    for name, values in replaced.items():
        table = table.set_column(table.column_names.index(name), name, values)
    for name, values in more.items():
        table = table.append_column(name, values)
    geometry: dict[str, Any] = {"geometry_type": None}
    if shapes is not None and declared is not None:
        wkb = shapely.to_wkb(as_declared(shapes, declared), flavor="iso")
        table = table.append_column(GEOMETRY, pa.array(wkb, pa.binary()))
        system = crs_name(page.representation.crs)
        geometry = {"geometry_type": declared, "geometry_name": GEOMETRY, "crs": system}
    with _written_at(page.timestamp):
        write_arrow(table, out, driver=driver, layer=page.collection.name, append=append, **geometry, **options)


def _without_empty(table: pa.Table) -> pa.Table:
    """Return a table whose empty texts are null."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for at, column in enumerate(table.columns):
        if pa.types.is_string(column.type):
            values = pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)
            table = table.set_column(at, table.field(at), values)
    return table


@contextmanager
def _written_at(timestamp: str) -> Iterator[None]:
    """Let GDAL write this time as that of the last change, in place of the clock's."""
    import pyogrio  # has all of GDAL

    with _gdal_options:
        # To the millisecond, as the GeoPackage standard has times.
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": f"{timestamp[:19]}.000Z" if timestamp else None})
        try:
            yield
        finally:
            pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})


def as_buffer(write: Any) -> bytes:
    """Return what a function writes to a buffer."""
    body = io.BytesIO()
    write(body)
    return body.getvalue()
