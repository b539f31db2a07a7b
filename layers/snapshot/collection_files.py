"""Flat layers that are kept in files, of which what is not asked for is not read: geometries are made one by one."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import shapely

from geo.columnar.binary_array import Packed
from geo.columnar.chunked_array import Array, Picked, pages, whole
from geo.columnar.dictionary_array import Coded, Codes
from geo.lonlat import Bools, Floats, Ints, Objects
from geo.tiles.mvt import Places as DrawnAt
from layers.collections.collection import BETWEEN, Collection, as_objects
from layers.collections.feature_table import FeatureTable
from layers.snapshot.array_files import PAGE, Reading, Writing
from layers.snapshot.snapshot import LAYERS, rows_of


class Points(Picked):
    """Points of degrees lon/lat (OGC:CRS84), shape (m, 2), each of which is made when it is asked for.

    Once all are made, each is in memory once, however many layers and indexes pick it.
    """

    dtype = np.dtype(object)

    def __init__(self, lonlat: Floats) -> None:
        self.lonlat = lonlat

    def __len__(self) -> int:
        return len(self.lonlat)

    def take(self, rows: Ints) -> Objects:
        """Some of them, in the order given."""
        return self.whole[rows] if "whole" in vars(self) else _points(self.lonlat[rows])

    def _whole(self) -> Objects:
        return _points(self.lonlat)


def _points(lonlat: Floats) -> Objects:
    return np.asarray(shapely.points(lonlat), dtype=object)


class Shapes(Picked):
    """Geometries of rows, lon/lat (OGC:CRS84), each of which is made when it is asked for.

    Parameters
    ----------
    points
        Those that are points.
    others
        WKB of what is no point, empty where there is nothing.
    numbers
        By row, which of the points it is, or from -1 downwards which of the others, shape (n,).
    """

    dtype = np.dtype(object)

    def __init__(self, points: Points, others: Packed, numbers: Codes) -> None:
        self.points, self.others, self.numbers = points, others, numbers

    def __len__(self) -> int:
        return len(self.numbers)

    def take(self, rows: Ints) -> Objects:
        """Some of them, in the order given."""
        numbers = self.numbers[rows].astype(np.int64)
        found = np.full(len(numbers), None, dtype=object)
        is_point = numbers >= 0
        found[is_point] = self.points[numbers[is_point]]
        told = self.others.taken(-1 - numbers[~is_point])
        found[~is_point] = shapely.from_wkb(np.array([wkb or None for wkb in told], dtype=object))
        return found

    def of_rows(self, rows: Ints) -> Shapes:
        """Those of some rows, in the order given."""
        return Shapes(self.points, self.others, self.numbers[rows])

    @property
    def alone(self) -> Objects:
        """The points alone, None for all else."""
        return np.append(self.points.whole, np.array([None]))[np.maximum(self.numbers, -1)]

    @cached_property
    def there(self) -> Bools:
        """Which rows have a geometry."""
        is_there = self.numbers >= 0
        is_there[~is_there] = (self.others.stops > self.others.starts)[-1 - self.numbers[~is_there]]
        is_there.setflags(write=False)
        return is_there

    @property
    def are_points(self) -> bool:
        """Whether nothing but points is among them."""
        return not self.there[self.numbers < 0].any()

    @cached_property
    def lonlat(self) -> tuple[Floats, Floats]:
        """Longitude and latitude of each row, NaN where it is no point."""
        lon, lat = np.append(self.points.lonlat, [[np.nan, np.nan]], axis=0)[np.maximum(self.numbers, -1)].T
        return lon, lat


class KeptCollection(Collection):
    """A layer whose geometries are read when they are asked for."""

    kept: Reading
    geometries: Shapes

    @cached_property
    def cut(self) -> Array:
        """The shapes as they are kept."""
        return self.geometries if vars(self)["is_uncut"] else super().cut

    @cached_property
    def drawn_at(self) -> DrawnAt:
        """Where its rows are drawn."""
        return _read_places(self.kept, f"layer.{self.name}.drawn_at")

    @cached_property
    def lonlat(self) -> tuple[Array, Array] | None:
        """Longitude and latitude of each row, where all are points or nothing."""
        return self.geometries.lonlat if self.geometries.are_points else None

    @cached_property
    def placed(self) -> Array:
        """Which rows have a place; no geometry of a record is empty."""
        return self.geometries.there


def write_layer(into: Writing, layer: Collection) -> None:
    """Keep a layer."""
    name = layer.name
    for field, column in layer.features.columns.items():
        into.coded(f"layer.{name}.{field}", column)
    for field, column in layer.drawn.items():
        if column is not layer.features.columns[field]:
            into.coded(f"layer.{name}.{field}.drawn", column)
    into.told(f"layer.{name}.drawn", list(layer.drawn))
    into.packed(f"layer.{name}.fragments", layer.fragments, BETWEEN)
    into.told(f"layer.{name}.digest", layer.digest)
    into.told(f"layer.{name}.bounds", layer.bounds)
    _write_places(into, f"layer.{name}.drawn_at", layer.layer.places)
    if name == "attributions":  # each is where its strike is
        return
    places = as_objects(layer.geometries)
    write_shapes(into, f"layer.{name}.shapes", places)
    into.told(f"layer.{name}.whole", layer.is_uncut or _are_same(whole(places), layer.shapes))


def _are_same(places: Objects, cut: Objects) -> bool:
    return bool(np.all(shapely.equals_identical(places, cut) | shapely.is_missing(cut)))


def read_layer(kept: Reading, name: str, strikes: KeptCollection | None) -> KeptCollection:
    """A layer that was kept; attributions are where the ``strikes`` are that they belong to."""
    columns = {field: kept.coded(f"layer.{name}.{field}") for field in LAYERS[name][2].model_fields}
    if name == "attributions":
        assert strikes is not None  # which are read first
        places = strikes.geometries.of_rows(rows_of(strikes.ids, columns["strike"]))
        uncut = strikes.is_uncut
    else:
        places, uncut = read_shapes(kept, f"layer.{name}.shapes"), kept.told(f"layer.{name}.whole")
    made = KeptCollection(name, *LAYERS[name], FeatureTable.coded(LAYERS[name][2], columns), places)
    bounds = kept.told(f"layer.{name}.bounds")
    vars(made).update(
        kept=kept,
        is_uncut=uncut,
        fragments=kept.packed(f"layer.{name}.fragments", BETWEEN),
        digest=kept.told(f"layer.{name}.digest"),
        bounds=None if bounds is None else tuple(bounds),
        drawn={
            field: _drawn(kept, f"layer.{name}.{field}", columns[field]) for field in kept.told(f"layer.{name}.drawn")
        },
    )
    return made


def _drawn(kept: Reading, name: str, column: Coded) -> Coded:
    """A column as tile values, which are kept apart where they are others."""
    return kept.coded(f"{name}.drawn") if kept.holds(f"{name}.drawn") else column


_PLACES = ("codes", "xy", "row", "line_row", "area_row")


def _write_places(into: Writing, name: str, places: DrawnAt) -> None:
    for field in _PLACES:
        into.array(f"{name}.{field}", getattr(places, field))
    into.told(f"{name}.single", places.single)
    for field in ("lines", "areas"):
        write_shapes(into, f"{name}.{field}", getattr(places, field))


def _read_places(kept: Reading, name: str) -> DrawnAt:
    arrays = {field: kept.array(f"{name}.{field}") for field in _PLACES}
    lines, areas = (read_shapes(kept, f"{name}.{field}") for field in ("lines", "areas"))
    return DrawnAt(single=kept.told(f"{name}.single"), lines=lines, areas=areas, **arrays)


def write_shapes(into: Writing, name: str, rows: Array) -> None:
    """Keep geometries: points as degrees, which are read at once, all others as WKB."""
    points, lonlat, others = [np.empty(0, bool)], [np.empty((0, 2))], list[bytes]()
    for page in map(rows.__getitem__, pages(len(rows), PAGE)):
        some = (shapely.get_type_id(page) == 0) & ~shapely.is_empty(page)
        points.append(some)
        lonlat.append(shapely.get_coordinates(page[some]))
        others += (shape or b"" for shape in shapely.to_wkb(page[~some]))
    into.array(f"{name}.rows", np.flatnonzero(np.concatenate(points)))
    into.array(f"{name}.lonlat", np.concatenate(lonlat))
    into.packed(name, Packed.of(others))


def read_shapes(kept: Reading, name: str) -> Shapes:
    """Geometries that were kept, none of which is made yet."""
    lonlat, at, others = kept.array(f"{name}.lonlat"), kept.array(f"{name}.rows"), kept.packed(name)
    numbers = np.zeros(len(at) + len(others), np.int32)
    numbers[at] = 1
    is_point = numbers > 0
    numbers[is_point] = np.arange(len(at))
    numbers[~is_point] = -1 - np.arange(len(others))
    return Shapes(Points(lonlat), others, numbers)
