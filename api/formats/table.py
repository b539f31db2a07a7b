"""A page as an Arrow table, by the one table of types, which all forms with columns are written from."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from threading import Lock
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import numpy as np
import shapely
from pydantic import BaseModel

from api.formats.page import PART_ROWS, FeaturePage
from api.requests.crs import CRS84, Crs
from geo.lonlat import Bools, Floats, Ints, Objects
from layers.collections.feature_types import AttributionFeature, CountryFeature, StrikeFeature
from layers.collections.geometry_kinds import AssetAreaFeature, AssetLineFeature, AssetPointFeature
from layers.collections.hit_features import HitFeature
from layers.collections.property_types import PropertyType, arrow_array, arrow_types, property_types

if TYPE_CHECKING:
    import pyarrow as pa


class FormTypes(NamedTuple):
    """How values of one type are written: in frames of pandas, and in CSV by the metadata (CSVW, 5.11.1)."""

    pandas: str
    csvw: str


#: Lists have no type of their own in frames.
TYPES: Mapping[PropertyType, FormTypes] = MappingProxyType(
    {
        "text": FormTypes("str", "string"),
        "edtf": FormTypes("str", "string"),
        "list": FormTypes("object", "json"),
        "integer": FormTypes("Int64", "integer"),
        "number": FormTypes("float64", "number"),
        "boolean": FormTypes("boolean", "boolean"),
        "date": FormTypes("datetime64[ms]", "date"),
        "timestamp": FormTypes("datetime64[ms, UTC]", "dateTime"),
    }
)


#: Kinds of geometry of the features of a class, one and several of it, as the simple feature standard names them
#: (OGC 06-103r4); a class that is not in it has several kinds.
GEOMETRY_TYPES: Mapping[type[BaseModel], tuple[str, str]] = MappingProxyType(
    {
        StrikeFeature: ("Point", "MultiPoint"),
        AttributionFeature: ("Point", "MultiPoint"),
        HitFeature: ("Point", "MultiPoint"),
        CountryFeature: ("Polygon", "MultiPolygon"),
        AssetPointFeature: ("Point", "MultiPoint"),
        AssetLineFeature: ("LineString", "MultiLineString"),
        AssetAreaFeature: ("Polygon", "MultiPolygon"),
    }
)

#: Name of the column of geometry in all forms.
GEOMETRY = "geometry"
#: Names of the columns of points in forms that people read.
POSITION = ("lon", "lat")
#: Options of GDAL are those of the process.
_gdal_options = Lock()


def arrow_columns(page: FeaturePage, *, lists_as_json: bool = False) -> pa.Table:
    """The properties of a page as an Arrow table.

    ``lists_as_json``: whether lists are JSON text, for forms without lists.

    Returns
    -------
    pa.Table
        A column of n values for each wanted property, in the order of the columns; NaN and infinity are null. Fields
        have the description of their property, under the names that GDAL reads it by.
    """
    import pyarrow as pa

    types, columns = property_types(page.collection.model), page.collection.features.columns
    docs = {column.name: column.doc for column in page.collection.columns}
    fields, values = [], []
    for name in page.property_names:
        arrow, is_json = arrow_types()[types[name]], lists_as_json and types[name] == "list"
        column = columns[name].take(page.rows)
        values.append(arrow_array(column.map(_json_text), pa.string()) if is_json else arrow_array(column, arrow))
        about = {"description": docs[name], "GDAL:OGR:alternative_name": name.replace("_", " ")}
        about |= {"GDAL:OGR:comment": docs[name]} | ({"GDAL:OGR:subtype": "JSON"} if is_json else {})
        fields.append(pa.field(name, values[-1].type, metadata=about))
    if not values:
        # A table of arrays would have no rows, and take no geometry.
        return pa.Table.from_struct_array(pa.array([{}] * len(page.rows), pa.struct([])))
    return pa.Table.from_arrays(values, schema=pa.schema(fields))


def _json_text(texts: tuple[str, ...]) -> str:
    return json.dumps(texts, ensure_ascii=False)


def with_lonlat(table: pa.Table, shapes: Objects) -> pa.Table:
    """Add the points among geometries in lon/lat, shape (n,), as the columns ``lon`` and ``lat``; null for others."""
    import pyarrow as pa

    points = shapes.copy()
    points[shapely.get_type_id(shapes) != 0] = None
    for name, axis in zip(POSITION, (shapely.get_x(points), shapely.get_y(points)), strict=True):
        table = table.append_column(name, pa.array(np.round(axis, CRS84.decimals), pa.float64(), from_pandas=True))
    return table


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


@dataclass(frozen=True)
class ShapeSurvey:
    """What the geometries of a page are, looked at part by part.

    Parameters
    ----------
    edges
        West, south, east and north of each row, x before y, shape (n, 4), NaN where it has no geometry or an empty one.
    kinds
        Types of the geometries that there are, as shapely numbers them.
    """

    edges: Floats
    kinds: frozenset[int]

    @classmethod
    def of(cls, page: FeaturePage) -> ShapeSurvey:
        """Look at all geometries of a page."""
        edges, kinds = [], set[int]()
        for part in page.parts():
            shapes = xy_shapes(part)
            edges.append(shapely.bounds(shapes).reshape(-1, 4))
            kinds.update(np.unique(shapely.get_type_id(shapes)).tolist())
        return cls(np.concatenate(edges), frozenset(kinds - {-1}))

    @property
    def placed(self) -> Bools:
        """Which rows have a geometry that is not empty, shape (n,)."""
        return ~np.isnan(self.edges[:, 0])

    @property
    def bounds(self) -> list[float] | None:
        """West, south, east and north of all rows; ``None`` where none has a geometry."""
        edges = self.edges[self.placed]
        return [*edges[:, :2].min(axis=0).tolist(), *edges[:, 2:].max(axis=0).tolist()] if len(edges) else None

    def hilbert_order(self) -> Ints:
        """Return the order of the rows along a Hilbert curve over all of them; those without a geometry come last."""
        from geopandas import GeoSeries  # takes a quarter of a second, and 70 MB

        placed = np.flatnonzero(self.placed)
        along = np.empty(len(placed), np.uint32)
        for begin in range(0, len(placed), PART_ROWS):
            edges = self.edges[placed[begin : begin + PART_ROWS]]
            # The curve goes by the middles of boxes.
            middles = shapely.points((edges[:, :2] + edges[:, 2:]) / 2)
            along[begin : begin + PART_ROWS] = GeoSeries(middles).hilbert_distance(self.bounds)
        return np.concatenate([placed[np.argsort(along, kind="stable")], np.flatnonzero(~self.placed)])

    def declared(self, page: FeaturePage) -> str:
        """The type that a layer of a page declares; "Unknown" where its collection has several kinds.

        Lines and areas are always declared as several, points only where one of them is.
        """
        one, several = GEOMETRY_TYPES.get(page.collection.model, ("Unknown", "Unknown"))
        return one if one == "Point" and not self.kinds & {*_SEVERAL} else several


def in_file_order(page: FeaturePage, survey: ShapeSurvey | None = None) -> tuple[FeaturePage, ShapeSurvey]:
    """Return a page with its rows in the order of a file, along a Hilbert curve, and what its geometries are.

    Readers then find what is near each other together. Where the request names an order, that is the order. ``survey``
    is that of the page, where it is there already.
    """
    survey = survey or ShapeSurvey.of(page)
    order = np.arange(len(page.rows)) if page.is_ordered else survey.hilbert_order()
    ordered = replace(page, rows=np.asarray(page.rows)[order])
    return ordered, ShapeSurvey(survey.edges[order], survey.kinds)


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
    out: Path | BinaryIO,
    driver: str,
    page: FeaturePage,
    declared: str | None,
    complete: Callable[[FeaturePage, pa.Table], pa.Table] = lambda part, table: table,
    *,
    append: bool = False,
    **options: str,
) -> None:
    """Have GDAL write a page as a layer, part by part in the order of its rows; lists are JSON text.

    Parameters
    ----------
    out
        A path or a buffer.
    declared
        Type of the layer's geometry (x before y), see `ShapeSurvey.declared`; ``None`` for none.
    complete
        Gives the columns of a part that are written, by the table of its properties.
    append
        Whether the layer is added to a file that there is.
    """
    import pyarrow as pa
    from pyogrio.raw import write_arrow  # has all of GDAL

    def table_of(part: FeaturePage) -> pa.Table:
        table = complete(part, arrow_columns(part, lists_as_json=True))
        if declared is None:
            return table
        wkb = shapely.to_wkb(as_declared(xy_shapes(part), declared), flavor="iso")
        return table.append_column(GEOMETRY, pa.array(wkb, pa.binary()))

    tables = map(table_of, page.parts())
    first = next(tables)
    batches = (batch for table in chain([first], tables) for batch in table.combine_chunks().to_batches())
    geometry: dict[str, Any] = {"geometry_type": None}
    if declared is not None:
        system = crs_name(page.representation.crs)
        geometry = {"geometry_type": declared, "geometry_name": GEOMETRY, "crs": system}
    with _written_at(page.timestamp):
        reader = pa.RecordBatchReader.from_batches(first.schema, batches)
        write_arrow(reader, out, driver=driver, layer=page.collection.name, append=append, **geometry, **options)


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


@contextmanager
def through_file(out: BinaryIO, name: str) -> Iterator[Path]:
    """Give a path in a folder of its own, for writers that go to and fro; its file goes to ``out`` at the end."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        yield path
        with path.open("rb") as written:
            shutil.copyfileobj(written, out)
