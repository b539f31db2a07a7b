"""Limits and projections of the maps that a request may ask for."""

from collections.abc import Mapping

from geo.tiles.tile_matrix import DEGREES, MERCATOR, Plane

#: No side of a map is longer (pixels).
MAX_MAP_PIXELS = 4096

#: Systems that maps are drawn in, and their planes.
MAP_PROJECTIONS: Mapping[str, Plane] = {"OGC:CRS84": DEGREES, "EPSG:4326": DEGREES, "EPSG:3857": MERCATOR}
