"""Flat collections in files: columns, GeoJSON and tile geometry are mapped; a geometry is built when it is read."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cached_property
from typing import Any

import numpy as np
import shapely

from geo.columnar.binary_array import BinaryArray
from geo.columnar.dictionary_array import Codes, DictionaryArray
from geo.columnar.lazy_array import Array, LazyArray, batches, to_numpy
from geo.lonlat import Bools, Floats, Ints, Objects
from geo.tiles.box_index import BoxIndex
from geo.tiles.tile_layer import TileGeometry, TileLayer
from layers.collections.collection import Collection
from layers.collections.feature_table import FeatureTable, rows_of
from layers.collections.geometry_index import GeometryIndex
from layers.collections.property_types import property_types
from layers.collections.queryables import GEOMETRY
from layers.collections.rendered_features import SEPARATOR, RenderedFeatures, with_values
from layers.model.cache import Lazy
from layers.model.garbage import trim_memory
from layers.snapshot.arrow_batch import PAGE
from layers.snapshot.arrow_table import ArrowTable
from layers.snapshot.flat_collections import BY_STRIKE, LAYERS
from layers.snapshot.table_folder import TableFolderReader, TableFolderWriter

#: Column of the features as GeoJSON.
FEATURE = "feature"
#: Bytes of a two-dimensional point as well-known binary; no other geometry of a record or tile has as many.
_POINT_BYTES = 21
#: By which geopandas knows the geometry of a table, as it does that of GeoParquet 1.1 (without a CRS it is OGC:CRS84).
_GEO = {
    "geo": json.dumps(
        {
            "version": "1.1.0",
            "primary_column": GEOMETRY,
            "columns": {GEOMETRY: {"encoding": "WKB", "geometry_types": []}},
        }
    )
}


class LazyPoints(LazyArray):
    """The points among geometries, each of which is built when it is read.

    Once all are built, each is in memory once, however many collections and indexes read it.

    Parameters
    ----------
    wkb
        Well-known binary of geometries, two-dimensional and little-endian.
    rows
        Which of them are points, shape (m,), int32.
    """

    dtype = np.dtype(object)

    def __init__(self, wkb: BinaryArray, rows: Codes) -> None:
        self._wkb, self._rows = wkb, rows
        self._all = Lazy(lambda: _points(self.lonlat))

    def __len__(self) -> int:
        return len(self._rows)

    def take(self, rows: Ints) -> Objects:
        """Points of some rows, in the order given, shape (k,)."""
        return self._all.value[rows] if self._all.is_computed else _points(self._coordinates(self._rows[rows]))

    def _materialize(self) -> Objects:
        return self._all.value

    @property
    def lonlat(self) -> Floats:
        """Degrees lon/lat (OGC:CRS84) of each point, shape (m, 2)."""
        return self._coordinates(self._rows)

    def _coordinates(self, rows: Codes) -> Floats:
        """The last bytes of each point as numbers, shape (k, 2)."""
        if not len(rows):
            return np.empty((0, 2))
        size = np.dtype(("<f8", 2)).itemsize
        data = self._wkb.buffers[0]
        # What begins at each byte, from which all are picked in one step.
        windows = np.ndarray((len(data) - size + 1,), f"V{size}", data, strides=(1,))
        return windows[self._wkb.stops[rows] - size].view("<f8").reshape(-1, 2)


def _points(lonlat: Floats) -> Objects:
    return np.asarray(shapely.points(lonlat), dtype=object)


class LazyGeometries(LazyArray):
    """Geometries of rows, lon/lat (OGC:CRS84), each of which is built when it is read.

    Parameters
    ----------
    points
        The geometries that are points.
    wkb
        Well-known binary of each geometry, empty for one that is missing.
    numbers
        By row, index of its geometry in ``points`` or, counted from -1 downwards, in ``wkb``, shape (n,).
    """

    dtype = np.dtype(object)

    def __init__(self, points: LazyPoints, wkb: BinaryArray, numbers: Codes) -> None:
        self.points, self.wkb, self.numbers = points, wkb, numbers

    @classmethod
    def of(cls, wkb: BinaryArray) -> LazyGeometries:
        """All geometries of which well-known binary is given, in their order."""
        is_point = wkb.stops - wkb.starts == _POINT_BYTES
        rows = np.flatnonzero(is_point).astype(np.int32)
        numbers = -1 - np.arange(len(wkb), dtype=np.int32)
        numbers[rows] = np.arange(len(rows), dtype=np.int32)
        return cls(LazyPoints(wkb, rows), wkb, numbers)

    def __len__(self) -> int:
        return len(self.numbers)

    def take(self, rows: Ints) -> Objects:
        """Geometries of some rows, in the order given, shape (k,); ``None`` for a row without one."""
        numbers = self.numbers[rows].astype(np.int64)
        found = np.full(len(numbers), None, dtype=object)
        is_point = numbers >= 0
        found[is_point] = self.points[numbers[is_point]]
        rest = self.wkb.take(-1 - numbers[~is_point])
        found[~is_point] = shapely.from_wkb(np.array([wkb or None for wkb in rest], dtype=object))
        return found

    def of_rows(self, rows: Ints) -> LazyGeometries:
        """The geometries of some rows, in the order given."""
        return LazyGeometries(self.points, self.wkb, self.numbers[rows])

    @property
    def points_only(self) -> Objects:
        """The point of each row, shape (n,), None where its geometry is no point."""
        return np.append(self.points.materialized, np.array([None]))[np.maximum(self.numbers, -1)]

    @cached_property
    def present(self) -> Bools:
        """Which rows have a geometry, shape (n,)."""
        present = self.numbers >= 0
        present[~present] = (self.wkb.stops > self.wkb.starts)[-1 - self.numbers[~present]]
        present.setflags(write=False)
        return present

    @property
    def are_points(self) -> bool:
        """Whether every geometry is a point."""
        return not self.present[self.numbers < 0].any()

    @cached_property
    def lonlat(self) -> tuple[Floats, Floats]:
        """Longitude and latitude of each row in degrees, both shape (n,), NaN where its geometry is no point."""
        lon, lat = np.append(self.points.lonlat, [[np.nan, np.nan]], axis=0)[np.maximum(self.numbers, -1)].T
        return lon, lat


def write_layers(files: TableFolderWriter, layers: Iterable[Collection]) -> None:
    """Write all collections, strikes first, each as these tables; any program can read the first.

    - ``strikes``: properties by the types that they have in other forms, and geometries
    - ``strikes.rendered``: each feature as GeoJSON with a comma behind, and the codes that filters and tiles read, -1
      where a value is missing
    - ``strikes.words``: in one row, the dictionaries of these codes that the first does not have
    - ``strikes.points``, ``strikes.lines``, ``strikes.areas``: geometry as it is drawn in tiles; of lines and areas
      beside it ``order``, ``box`` and ``min_zoom``, which have an order of their own, see `geo.tiles.box_index`
    """
    ids, places, points = DictionaryArray.of(()), BinaryArray.of(()), None
    for layer in layers:
        if layer.name in BY_STRIKE:
            rows = rows_of(ids, layer.features.columns["strike"])
            write_layer(files, layer, places.take(rows), None if points is None else points.points_of(rows))
            continue
        is_unsplit = layer.geometry.is_unsplit or _are_identical(to_numpy(layer.geometries), layer.shapes)
        wkb = _well_known(layer.geometries)
        tiles = write_layer(files, layer, wkb)
        if layer.name == "strikes":
            ids, places, points = layer.ids, wkb, tiles if tiles.is_points else None
        files.metadata(f"layer.{layer.name}.whole", is_unsplit)


def write_layer(
    files: TableFolderWriter, layer: Collection, wkb: BinaryArray, tiles: TileGeometry | None = None
) -> TileGeometry:
    """Write one of the collections, see `write_layers`.

    Parameters
    ----------
    wkb
        Well-known binary of its geometries.
    tiles
        Its geometry as tiles have it; computed if None.

    Returns
    -------
    TileGeometry
        Its geometry as tiles have it.
    """
    trim_memory()  # what rows were found with, and a layer before was written with
    name, rendered, types = layer.name, layer.rendered, property_types(layer.model)
    table, codes, words = files.builder(), files.builder(), files.builder()
    codes.add_binary(FEATURE, rendered.packed(codes.packed), SEPARATOR)
    for column in layer.columns:
        values, about = layer.features.columns[column.name], {"description": column.doc}
        kind = types[column.name]
        if kind not in ("text", "edtf"):
            table.add_typed(column.name, values, kind, about)
            codes.add_coded(column.name, values, kind, words)
        elif not table.add_text(column.name, values, about):
            codes.add_values(column.name, values.codes, np.int32)
    for field, drawn in rendered.tile_columns.items():
        if drawn is not layer.features.columns[field]:
            codes.add_coded(f"{field}.drawn", drawn, "text", words)
    table.add_geometry(GEOMETRY, wkb)
    files.table(name, table.batch(_GEO))
    files.table(f"{name}.rendered", codes.batch())
    files.table(f"{name}.words", words.batch())
    files.metadata(f"layer.{name}.drawn", list(rendered.tile_columns))
    files.metadata(f"layer.{name}.digest", layer.digest)
    files.metadata(f"layer.{name}.bounds", layer.bounds)
    trim_memory()
    if tiles is None:
        tiles = rendered.tile_geometry()
    _write_tile_geometry(files, name, tiles)
    return tiles


def _are_identical(geometries: Objects, split: Objects) -> bool:
    return bool(np.all(shapely.equals_identical(geometries, split) | shapely.is_missing(split)))


def read_layer(
    files: TableFolderReader, name: str, geometries: LazyGeometries, is_unsplit: bool | None = None
) -> Collection:
    """Read a collection that was written by `write_layer`; each part of it is read when it is needed.

    Parameters
    ----------
    geometries
        Of its rows.
    is_unsplit
        Whether no geometry crosses the antimeridian; read from the files if None.
    """
    key, model = f"layer.{name}", LAYERS[name][2]
    table, codes, words = (files.table(part) for part in (name, f"{name}.rendered", f"{name}.words"))
    columns = {
        field: codes.coded(field, words if field in words else table) if field in codes else table.coded(field)
        for field in model.model_fields
    }
    features: FeatureTable[Any] = FeatureTable.coded(model, columns)
    if is_unsplit is None:
        is_unsplit = files.metadata(f"{key}.whole")
    bounds = files.metadata(f"{key}.bounds")
    geometry = GeometryIndex(
        geometries,
        split=Lazy.of(geometries) if is_unsplit else None,
        is_unsplit=Lazy.of(is_unsplit),
        # No geometry of a record is empty.
        present=Lazy(lambda: geometries.present),
        lonlat=Lazy(lambda: geometries.lonlat if geometries.are_points else None),
        bounds=Lazy.of(None if bounds is None else tuple(bounds)),
    )
    tile_columns = {
        field: codes.coded(f"{field}.drawn", words) if f"{field}.drawn" in codes else columns[field]
        for field in files.metadata(f"{key}.drawn")
    }
    rendered = RenderedFeatures(
        name,
        features,
        geometry,
        fragments=Lazy.of(codes.binary(FEATURE, SEPARATOR)),
        digest=Lazy.of(files.metadata(f"{key}.digest")),
        tile_columns=Lazy.of(tile_columns),
        layer=Lazy(
            lambda: TileLayer.from_geometry(
                name, _read_tile_geometry(files, name), len(features), with_values(tile_columns)
            )
        ),
    )
    return Collection(name, *LAYERS[name], features, geometry, rendered=rendered)


def read_layers(files: TableFolderReader) -> tuple[dict[str, Collection], LazyGeometries]:
    """Read all collections, and the geometries of the assets; rows of `BY_STRIKE` are where their strikes are."""
    geometries = {name: read_shapes(files, name) for name in LAYERS if name not in BY_STRIKE}
    layers: dict[str, Collection] = {}
    for name in LAYERS:
        if name not in BY_STRIKE:
            layers[name] = read_layer(files, name, geometries[name])
            continue
        strikes = layers["strikes"]  # which are read first
        rows = rows_of(strikes.ids, files.table(name).coded("strike"))
        layers[name] = read_layer(files, name, geometries["strikes"].of_rows(rows), strikes.geometry.is_unsplit)
    return layers, geometries["assets"]


def _write_tile_geometry(files: TableFolderWriter, name: str, geometry: TileGeometry) -> None:
    points = files.builder()
    points.add_values("code", geometry.codes, np.uint64)
    points.add_values("xy", geometry.xy, np.float64)
    points.add_values("row", geometry.row, np.int64)
    files.table(f"{name}.points", points.batch())
    for part, shapes, rows, boxes in (
        ("lines", geometry.lines, geometry.line_row, geometry.line_boxes),
        ("areas", geometry.areas, geometry.area_row, geometry.area_boxes),
    ):
        table = files.builder()
        table.add_binary(GEOMETRY, _well_known(shapes))
        table.add_values("row", rows, np.int64)
        if boxes is not None:
            table.add_values("order", boxes.order, np.int32)
            table.add_values("box", boxes.boxes, np.float64)
            table.add_values("min_zoom", boxes.min_zooms, np.int8)
        files.table(f"{name}.{part}", table.batch())
    files.metadata(f"layer.{name}.single", geometry.single)


def _read_tile_geometry(files: TableFolderReader, name: str) -> TileGeometry:
    points, lines, areas = (files.table(f"{name}.{part}") for part in ("points", "lines", "areas"))
    return TileGeometry(
        codes=points.values("code"),
        xy=points.values("xy"),
        row=points.values("row"),
        single=files.metadata(f"layer.{name}.single"),
        lines=LazyGeometries.of(lines.binary(GEOMETRY)),
        line_row=lines.values("row"),
        areas=LazyGeometries.of(areas.binary(GEOMETRY)),
        area_row=areas.values("row"),
        line_boxes=_read_boxes(lines),
        area_boxes=_read_boxes(areas),
    )


def _read_boxes(table: ArrowTable) -> BoxIndex:
    return BoxIndex(table.values("order"), table.values("box"), table.values("min_zoom"))


def _well_known(geometries: Array) -> BinaryArray:
    """Well-known binary of geometries, two-dimensional and little-endian, empty where there is none."""
    pages = map(geometries.__getitem__, batches(len(geometries), PAGE))
    return BinaryArray.of(wkb or b"" for page in pages for wkb in shapely.to_wkb(page, byte_order=1).tolist())


def write_shapes(files: TableFolderWriter, name: str, geometries: Array) -> None:
    """Write geometries as a table.

    Parameters
    ----------
    geometries
        Shape (n,), lon/lat (OGC:CRS84), two-dimensional and not empty, ``None`` where a row has none.
    """
    table = files.builder()
    table.add_geometry(GEOMETRY, _well_known(geometries))
    files.table(name, table.batch())


def read_shapes(files: TableFolderReader, name: str) -> LazyGeometries:
    """Read the geometries of a table; each is built when it is read."""
    return LazyGeometries.of(files.table(name).binary(GEOMETRY))
