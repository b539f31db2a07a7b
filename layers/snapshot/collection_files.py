"""Flat collections in files: columns, GeoJSON and tile geometry are mapped; a geometry is built when it is read."""

from __future__ import annotations

from functools import cached_property, partial
from typing import Any

import numpy as np
import shapely

from geo.columnar.binary_array import BinaryArray
from geo.columnar.chunked_array import Array, LazyArray, batches, to_numpy
from geo.columnar.dictionary_array import Codes, DictionaryArray
from geo.lonlat import Bools, Floats, Ints, Objects
from geo.tiles.tile_layer import TileGeometry, TileLayer
from layers.collections.collection import Collection
from layers.collections.feature_table import FeatureTable
from layers.collections.geometry_index import GeometryIndex
from layers.collections.rendered_features import SEPARATOR, RenderedFeatures, with_values
from layers.model.cache import Lazy
from layers.snapshot.array_files import PAGE, ArrayFolderReader, ArrayFolderWriter
from layers.snapshot.snapshot import BY_STRIKE, LAYERS, rows_of


class LazyPoints(LazyArray):
    """Point geometries, each of which is built when it is read.

    Once all are built, each is in memory once, however many collections and indexes read it.

    Parameters
    ----------
    lonlat
        Degrees lon/lat (OGC:CRS84), shape (m, 2).
    """

    dtype = np.dtype(object)

    def __init__(self, lonlat: Floats) -> None:
        self.lonlat = lonlat
        self._all = Lazy(partial(_points, lonlat))

    def __len__(self) -> int:
        return len(self.lonlat)

    def take(self, rows: Ints) -> Objects:
        """Points of some rows, in the order given, shape (k,)."""
        return self._all.value[rows] if self._all.is_computed else _points(self.lonlat[rows])

    def _whole(self) -> Objects:
        return self._all.value


def _points(lonlat: Floats) -> Objects:
    return np.asarray(shapely.points(lonlat), dtype=object)


class LazyGeometries(LazyArray):
    """Geometries of rows, lon/lat (OGC:CRS84), each of which is built when it is read.

    Parameters
    ----------
    points
        The geometries that are points.
    wkb
        Well-known binary of each geometry that is no point, empty for a row without one.
    numbers
        By row, index of its geometry in ``points`` or, counted from -1 downwards, in ``wkb``, shape (n,).
    """

    dtype = np.dtype(object)

    def __init__(self, points: LazyPoints, wkb: BinaryArray, numbers: Codes) -> None:
        self.points, self.wkb, self.numbers = points, wkb, numbers

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


def write_layer(files: ArrayFolderWriter, layer: Collection) -> None:
    """Write a collection: columns, GeoJSON, tile geometry, and geometries but where each is that of a strike."""
    name, rendered = layer.name, layer.rendered
    for field, column in layer.features.columns.items():
        files.coded(f"layer.{name}.{field}", column)
    for field, column in rendered.tile_columns.items():
        if column is not layer.features.columns[field]:
            files.coded(f"layer.{name}.{field}.drawn", column)
    files.metadata(f"layer.{name}.drawn", list(rendered.tile_columns))
    files.packed(f"layer.{name}.fragments", layer.fragments, SEPARATOR)
    files.metadata(f"layer.{name}.digest", layer.digest)
    files.metadata(f"layer.{name}.bounds", layer.bounds)
    _write_tile_geometry(files, f"layer.{name}.drawn_at", layer.layer.geometry)
    if name in BY_STRIKE:
        return
    write_shapes(files, f"layer.{name}.shapes", layer.geometries)
    is_unsplit = layer.geometry.is_unsplit or _are_identical(to_numpy(layer.geometries), layer.shapes)
    files.metadata(f"layer.{name}.whole", is_unsplit)


def _are_identical(geometries: Objects, split: Objects) -> bool:
    return bool(np.all(shapely.equals_identical(geometries, split) | shapely.is_missing(split)))


def read_layer(
    files: ArrayFolderReader, name: str, geometries: LazyGeometries, is_unsplit: bool | None = None
) -> Collection:
    """Read a collection that was written by `write_layer`; each part of it is read when it is needed.

    Parameters
    ----------
    geometries
        See `read_geometries`.
    is_unsplit
        Whether no geometry crosses the antimeridian; read from the files if None.
    """
    key, model = f"layer.{name}", LAYERS[name][2]
    columns = {field: files.coded(f"{key}.{field}") for field in model.model_fields}
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
        field: _tile_column(files, f"{key}.{field}", columns[field]) for field in files.metadata(f"{key}.drawn")
    }
    rendered = RenderedFeatures(
        name,
        features,
        geometry,
        fragments=Lazy.of(files.packed(f"{key}.fragments", SEPARATOR)),
        digest=Lazy.of(files.metadata(f"{key}.digest")),
        tile_columns=Lazy.of(tile_columns),
        layer=Lazy(
            lambda: TileLayer.from_geometry(
                name, _read_tile_geometry(files, f"{key}.drawn_at"), len(features), with_values(tile_columns)
            )
        ),
    )
    return Collection(name, *LAYERS[name], features, geometry, rendered=rendered)


def read_layers(files: ArrayFolderReader) -> tuple[dict[str, Collection], LazyGeometries]:
    """Read all collections, and the geometries of the assets; rows of `BY_STRIKE` are where their strikes are."""
    geometries = {name: read_shapes(files, f"layer.{name}.shapes") for name in LAYERS if name not in BY_STRIKE}
    layers: dict[str, Collection] = {}
    for name in LAYERS:
        if name not in BY_STRIKE:
            layers[name] = read_layer(files, name, geometries[name])
            continue
        strikes = layers["strikes"]  # which are read first
        rows = rows_of(strikes.ids, files.coded(f"layer.{name}.strike"))
        layers[name] = read_layer(files, name, geometries["strikes"].of_rows(rows), strikes.geometry.is_unsplit)
    return layers, geometries["assets"]


def _tile_column(files: ArrayFolderReader, name: str, column: DictionaryArray) -> DictionaryArray:
    """A column as tile values, which are written only where they are not the values of the column."""
    return files.coded(f"{name}.drawn") if files.has_column(f"{name}.drawn") else column


_TILE_ARRAYS = ("codes", "xy", "row", "line_row", "area_row")


def _write_tile_geometry(files: ArrayFolderWriter, name: str, geometry: TileGeometry) -> None:
    for field in _TILE_ARRAYS:
        files.array(f"{name}.{field}", getattr(geometry, field))
    files.metadata(f"{name}.single", geometry.single)
    for field in ("lines", "areas"):
        write_shapes(files, f"{name}.{field}", getattr(geometry, field))


def _read_tile_geometry(files: ArrayFolderReader, name: str) -> TileGeometry:
    arrays = {field: files.array(f"{name}.{field}") for field in _TILE_ARRAYS}
    lines, areas = (read_shapes(files, f"{name}.{field}") for field in ("lines", "areas"))
    return TileGeometry(single=files.metadata(f"{name}.single"), lines=lines, areas=areas, **arrays)


def write_shapes(files: ArrayFolderWriter, name: str, geometries: Array) -> None:
    """Write geometries: points as an array of coordinates, all others as well-known binary.

    Parameters
    ----------
    geometries
        Shape (n,), two-dimensional, ``None`` where a row has none.
    """
    is_point, lonlat, wkb = [np.empty(0, bool)], [np.empty((0, 2))], list[bytes]()
    for page in map(geometries.__getitem__, batches(len(geometries), PAGE)):
        points = (shapely.get_type_id(page) == 0) & ~shapely.is_empty(page)
        is_point.append(points)
        lonlat.append(shapely.get_coordinates(page[points]))
        wkb += (shape or b"" for shape in shapely.to_wkb(page[~points]))
    files.array(f"{name}.rows", np.flatnonzero(np.concatenate(is_point)))
    files.array(f"{name}.lonlat", np.concatenate(lonlat))
    files.packed(name, BinaryArray.of(wkb))


def read_shapes(files: ArrayFolderReader, name: str) -> LazyGeometries:
    """Read geometries that were written by `write_shapes`; each is built when it is read."""
    lonlat, rows, wkb = files.array(f"{name}.lonlat"), files.array(f"{name}.rows"), files.packed(name)
    numbers = np.zeros(len(rows) + len(wkb), np.int32)
    numbers[rows] = 1
    is_point = numbers > 0
    numbers[is_point] = np.arange(len(rows))
    numbers[~is_point] = -1 - np.arange(len(wkb))
    return LazyGeometries(LazyPoints(lonlat), wkb, numbers)
