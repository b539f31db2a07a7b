"""Awkward geometries by name, lon/lat degrees: every function that takes geometries is tested with all of them."""

from __future__ import annotations

import math

from shapely.geometry import (
    GeometryCollection,
    LineString,
    MultiLineString,
    MultiPoint,
    MultiPolygon,
    Point,
    Polygon,
    box,
)
from shapely.geometry.base import BaseGeometry

missing = None
empty = Point()
empty_polygon = Polygon()
empty_collection = GeometryCollection()

ordinary_point = Point(28.44, 45.317)  # Orlivka
ordinary_line = LineString([(28.2, 45.2), (28.44, 45.317), (28.9, 45.9)])
ordinary_polygon = box(28.40, 45.30, 28.46, 45.33)
polygon_with_hole = Polygon(
    [(28.0, 45.0), (29.0, 45.0), (29.0, 46.0), (28.0, 46.0)],
    [[(28.4, 45.4), (28.4, 45.6), (28.6, 45.6), (28.6, 45.4)]],
)
clockwise_polygon = Polygon([(30.0, 46.0), (30.0, 47.0), (31.0, 47.0), (31.0, 46.0)])
tiny_polygon = box(30.7, 46.5, 30.700001, 46.500001)
bow_tie = Polygon([(30.0, 50.0), (31.0, 51.0), (31.0, 50.0), (30.0, 51.0)])
multi_point = MultiPoint([(28.44, 45.317), (-70.0, -30.0), (151.2, -33.9)])
multi_line = MultiLineString([[(28.0, 45.0), (28.5, 45.5)], [(29.0, 45.0), (29.5, 45.5)]])
multi_polygon = MultiPolygon([box(28.0, 45.0, 28.1, 45.1), box(28.2, 45.0, 28.3, 45.1)])
collection = GeometryCollection([ordinary_point, ordinary_line, polygon_with_hole])
point_with_height = Point(28.44, 45.317, 12.0)

null_island = Point(0.0, 0.0)
equator_line = LineString([(-1.0, 0.0), (1.0, 0.0)])
on_antimeridian = Point(180.0, -16.8)
on_antimeridian_west = Point(-180.0, -16.8)
line_over_antimeridian = LineString([(178.0, -17.0), (-179.0, -16.0)])
line_beyond_180 = LineString([(178.0, -17.0), (181.0, -16.0)])
line_along_antimeridian = LineString([(180.0, -20.0), (180.0, 20.0)])
polygon_over_antimeridian = Polygon([(178.0, -18.0), (-179.0, -18.0), (-179.0, -16.0), (178.0, -16.0)])
polygon_beyond_180 = box(178.0, -18.0, 181.0, -16.0)
polygon_touching_antimeridian = box(179.0, -1.0, 180.0, 1.0)
at_pole = Point(0.0, 90.0)
south_pole = Point(45.0, -90.0)
near_pole = Point(-120.0, 89.9999)
polygon_round_pole = Polygon([(0.0, 80.0), (120.0, 80.0), (-120.0, 80.0)])
polygon_round_south_pole = Polygon([(0.0, -80.0), (120.0, -80.0), (-120.0, -80.0)])
line_to_pole = LineString([(30.0, 70.0), (30.0, 90.0)])
whole_world = box(-180.0, -90.0, 180.0, 90.0)

swapped = Point(46.48, 139.69)  # Sakhalin, lat/lon
nan_point = Point(math.nan, 46.48)
infinite_line = LineString([(30.0, 46.0), (math.inf, 46.0)])
beyond_pole = Point(30.0, -90.5)
metres = Point(3_420_000.0, 5_850_000.0)

ALL_GEOMETRIES: dict[str, BaseGeometry | None] = {
    name: value for name, value in list(globals().items()) if value is None or isinstance(value, BaseGeometry)
}
#: Names of the geometries that `geo.lonlat.require_lonlat` refuses.
NOT_LONLAT = {
    "swapped",
    "nan_point",
    "infinite_line",
    "beyond_pole",
    "metres",
    "line_beyond_180",
    "polygon_beyond_180",
}
#: Names of the geometries that everything refuses; longitudes a little beyond 180 are a notation for a crossing.
REFUSED = NOT_LONLAT - {"line_beyond_180", "polygon_beyond_180"}
