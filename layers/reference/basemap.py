"""The offline base map: countries, their outlines and places, read from a GeoPackage.

Honest to about zoom 8: Natural Earth is drawn for 1:10 million, so a border is good to a kilometre or two.
"""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geo.tiles.tile_layer import TileLayer
from geo.tiles.tile_matrix import MERCATOR, TileProjection
from layers.geopackage import geopackage
from layers.geopackage.geopackage import GeometryBlobError
from layers.model.cache import Lazy
from layers.reference.land import Land

#: Land that no country of the bundled base map has, a polygon (WKT, lon/lat degrees) each line.
UNASSIGNED_LAND = Path(__file__).parent / "data" / "unassigned_land.wkt"
ATTRIBUTION = "Made with Natural Earth (public domain) · places: GeoNames (CC BY 4.0)"


class BasemapMissing(Exception):
    """There is no base map at the path: no file, or one of something else."""


@dataclass(frozen=True, eq=False)
class Countries:
    """Columns with one row for each country: label points in lon/lat, names, first label zoom, and shapes.

    `iso_a2` is ``None`` where no state is agreed on; the label rank counts from 2 (largest) up. Shapes take most of the
    file, and are read when first needed.
    """

    iso_a2: NDArray[np.object_]
    name_en: NDArray[np.object_]
    name_de: NDArray[np.object_]
    name_uk: NDArray[np.object_]
    label_rank: NDArray[np.int64]
    min_zoom: NDArray[np.int64]
    label: NDArray[np.object_]
    drawn_shape: Lazy[NDArray[np.object_]]

    @property
    def shape(self) -> NDArray[np.object_]:
        """MultiPolygons in lon/lat, shape (n,).

        Raises
        ------
        BasemapMissing
            The file is no longer there, or its shapes cannot be read.
        """
        return self.drawn_shape.value


@dataclass(frozen=True, eq=False)
class Boundaries:
    """Columns with one row for each line in lon/lat; the kind is "border" (on land) or "coast"."""

    kind: NDArray[np.object_]
    shape: NDArray[np.object_]


@dataclass(frozen=True, eq=False)
class BasemapPlaces:
    """Columns with one row for each place, most populous first; ``shape`` holds points in lon/lat."""

    geonameid: NDArray[np.int64]
    name: NDArray[np.object_]
    country: NDArray[np.object_]
    population: NDArray[np.int64]
    capital: NDArray[np.bool_]
    min_zoom: NDArray[np.int64]
    shape: NDArray[np.object_]


@dataclass(frozen=True, eq=False)
class Basemap:
    """The base map, immutable: countries, their outlines, and places; the latter two are read when first needed."""

    countries: Countries
    drawn_boundaries: Lazy[Boundaries]
    named_places: Lazy[BasemapPlaces]

    @property
    def boundaries(self) -> Boundaries:
        """Outlines of the countries, to be drawn.

        Raises
        ------
        BasemapMissing
            The file is no longer there.
        """
        return self.drawn_boundaries.value

    @property
    def places(self) -> BasemapPlaces:
        """Towns and cities, to be drawn and named; raises as `boundaries`."""
        return self.named_places.value

    @cached_property
    def land(self) -> Land:
        """The countries' single polygons, and as of no known state other land, such as small islands."""
        drawn = self.country_land
        other = np.asarray(shapely.from_wkt(UNASSIGNED_LAND.read_text(encoding="ascii").splitlines()), dtype=object)
        drawn_too = shapely.STRtree(drawn.parts).query(shapely.point_on_surface(other), predicate="intersects")[0]
        other = np.delete(other, drawn_too)  # as a base map of an operator's own may
        return Land(np.concatenate([drawn.parts, other]), np.concatenate([drawn.codes, np.full(len(other), None)]))

    @cached_property
    def country_land(self) -> Land:
        """The countries' single polygons alone."""
        parts, owner = shapely.get_parts(self.countries.shape, return_index=True)
        return Land(parts, self.countries.iso_a2[owner])

    @cached_property
    def _rows_by_iso(self) -> dict[str, list[int]]:
        """Rows of each state by ISO 3166-1 alpha-2, the one labelled first in front; outlying parts have their own."""
        rows_by_iso: dict[str, list[int]] = {}
        for row in np.argsort(self.countries.label_rank, kind="stable"):
            if iso := self.countries.iso_a2[row]:
                rows_by_iso.setdefault(str(iso), []).append(int(row))
        return dict(sorted(rows_by_iso.items()))

    @cached_property
    def country_names(self) -> Mapping[str, str]:
        """English name of each state by ISO 3166-1 alpha-2; of several rows that of the one labelled first."""
        return MappingProxyType({iso: str(self.countries.name_en[row]) for iso, (row, *_) in self._rows_by_iso.items()})

    @cached_property
    def country_shapes(self) -> Mapping[str, BaseGeometry]:
        """Whole shape (lon/lat) of each state by ISO 3166-1 alpha-2."""
        shapes = self.countries.shape
        whole = {
            iso: _valid(shapely.union_all(shapes[rows]) if len(rows) > 1 else shapes[rows[0]])
            for iso, rows in self._rows_by_iso.items()
        }
        return MappingProxyType(whole)

    def country_at(self, lon: float, lat: float) -> str | None:
        """Return the country at a lon/lat point in degrees, see `Land.country_at`."""
        return self.land.country_at(lon, lat)

    def ground(self, plane: TileProjection = MERCATOR) -> tuple[TileLayer, TileLayer]:
        """Return the layers `country` and `boundary` on a plane."""
        return self._country_layer(plane), self._boundary_layer(plane)

    @cached_property
    def layers(self) -> tuple[TileLayer, ...]:
        """The vector-tile layers `country`, `boundary`, `country_label` and `place`.

        Fill the countries from `country` and draw their lines from `boundary`: a polygon cut to a
        tile has the tile's edge in its outline. Countries without a code are filled, not labelled.
        """
        return (*self.ground(), self._label_layer(), self._place_layer())

    def _country_layer(self, plane: TileProjection) -> TileLayer:
        c = self.countries
        return TileLayer("country", c.shape, np.arange(len(c.shape)), {"iso_a2": c.iso_a2.tolist()}, plane=plane)

    def _boundary_layer(self, plane: TileProjection) -> TileLayer:
        b = self.boundaries
        return TileLayer("boundary", b.shape, np.arange(len(b.shape)), {"kind": b.kind.tolist()}, plane=plane)

    def _label_layer(self) -> TileLayer:
        c = self.countries
        known = np.flatnonzero([code is not None for code in c.iso_a2])
        names = ("iso_a2", "name_en", "name_de", "name_uk", "label_rank")
        columns = {name: getattr(c, name)[known].tolist() for name in names}
        return TileLayer("country_label", c.label[known], known, columns, min_zoom=c.min_zoom[known])

    def _place_layer(self) -> TileLayer:
        p = self.places
        columns = {name: getattr(p, name).tolist() for name in ("name", "country", "population", "capital")}
        return TileLayer("place", p.shape, p.geonameid, columns, min_zoom=p.min_zoom)


def _valid(shape: BaseGeometry) -> BaseGeometry:
    """Make an outline valid: that of Egypt in Natural Earth touches itself."""
    return shape if shape.is_valid else shapely.make_valid(shape)


def read(path: Path) -> Basemap:
    """Read a base map file.

    Raises
    ------
    BasemapMissing
        There is no such file, or it is no base map.
    """
    path = path.absolute()
    return Basemap(_countries(path), Lazy(partial(_boundaries, path)), Lazy(partial(_places, path)))


def _countries(path: Path) -> Countries:
    texts, numbers = ("iso_a2", "name_en", "name_de", "name_uk"), ("label_rank", "min_zoom")
    label = ("label_lon", "label_lat")
    names = (*texts, *numbers, *label)
    column: dict[str, Any] = dict(zip(names, _columns(path, "countries", names), strict=True))
    return Countries(
        **{name: column[name] for name in texts},
        **{name: column[name].astype(np.int64) for name in numbers},
        label=np.asarray(shapely.points(*(column[name].astype(float) for name in label)), dtype=object),
        drawn_shape=Lazy(partial(_shapes, path, "countries")),
    )


def _boundaries(path: Path) -> Boundaries:
    (kind,) = _columns(path, "boundaries", ("kind",))
    return Boundaries(kind, _shapes(path, "boundaries"))


def _places(path: Path) -> BasemapPlaces:
    names = ("geonameid", "name", "country", "population", "capital", "min_zoom")
    ids, name, country, population, capital, zooms = _columns(path, "places", names)
    return BasemapPlaces(
        geonameid=ids.astype(np.int64),
        name=name,
        country=country,
        population=population.astype(np.int64),
        capital=capital.astype(bool),
        min_zoom=zooms.astype(np.int64),
        shape=_shapes(path, "places"),
    )


def _shapes(path: Path, table: str) -> NDArray[np.object_]:
    """Read the geometries of a table, shape (n,), in the order in which its rows were written."""
    (blobs,) = _columns(path, table, ("geom",))
    shapes = np.empty(len(blobs), dtype=object)
    try:
        shapes[:] = geopackage.decode_many(blobs)
    except GeometryBlobError as error:
        raise _unreadable(path, error) from error
    return shapes


def _columns(path: Path, table: str, names: tuple[str, ...]) -> list[NDArray[np.object_]]:
    """Read columns of a table, each of shape (n,), in the order in which its rows were written."""
    if not path.is_file():
        raise BasemapMissing(f"there is no base map at {path}")
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as file:
            found = file.execute(f"SELECT {', '.join(names)} FROM {table} ORDER BY fid").fetchall()
    except sqlite3.Error as error:
        raise _unreadable(path, error) from error
    columns = np.empty((len(names), len(found)), dtype=object)
    for at, values in enumerate(zip(*found, strict=True)):
        columns[at] = values
    return list(columns)


def _unreadable(path: Path, error: Exception) -> BasemapMissing:
    return BasemapMissing(f"{path} is no base map: {error}")
