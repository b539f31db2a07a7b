"""Land that no country of the base map has: small islands and disputed regions, found by its finer coast.

Natural Earth for 1:10 million leaves out most islands of a few kilometres, and Abyei and the Golan Heights: a point
there would be taken for one on the high seas, or in the nearest state.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import shapely

from geo.lonlat import Floats
from layers.ingest.doubtful_points import state_of
from layers.reference.basemap import Basemap
from layers.reference.basemap_archive import BasemapArchive
from layers.reference.land import BORDER_M, DEGREE_M
from layers.reference.map_ground import Window, read_ground

#: Side in degrees of the windows looked at, and between which latitudes: the Antarctic is of no state.
_SIDE, _SOUTH, _NORTH = 4, -60, 84
_NEAR = BORDER_M / DEGREE_M
#: Degrees by which land is drawn larger, so that nothing of it is lost where it is simplified by less.
_MARGIN, _TOLERANCE = 0.003, 0.002
#: Radius in degrees of the land about a place whose island may be too small for the coast.
_AROUND_PLACE = 0.01


def build(path: Path, base: Basemap, archive: BasemapArchive, places: Sequence[tuple[float, float, str]]) -> None:
    """Write polygons in lon/lat degrees as lines of WKT, in sorted order.

    Of the land more than 2 km from all countries there is what lies inland, what is in no territorial sea, and what
    has a place of another state than that of the nearest coast.

    Parameters
    ----------
    path
        The file to write.
    base, archive
        The countries, and the tiles with the finer coast.
    places
        Lon, lat and country (ISO 3166-1 alpha-2) of places.
    """
    countries = base.country_land
    windows = ((west, south) for west in range(-180, 180, _SIDE) for south in range(_SOUTH, _NORTH, _SIDE))
    found = [one for west, south in windows for one in _land_beyond(base, archive, (west, south))]
    areas = np.array([area for area, _ in found], dtype=object)
    inside = shapely.get_coordinates(shapely.point_on_surface(areas)).tolist()
    is_lacking = np.array([is_inland for _, is_inland in found]) | [countries.is_at_sea(*point) for point in inside]
    points = np.asarray(shapely.points([place[:2] for place in places]), dtype=object)
    is_strange = np.ones(len(places), dtype=bool)
    is_strange[shapely.STRtree(points).query(countries.parts, predicate="intersects")[1]] = False
    for row in np.flatnonzero(is_strange).tolist():
        lon, lat, country = places[row]
        is_strange[row] = state_of(countries.country_of_coast(lon, lat)) != state_of(country)
    is_lacking[shapely.STRtree(areas).query(points[is_strange], predicate="dwithin", distance=_NEAR)[1]] = True
    drawn = (shapely.buffer(areas[is_lacking], _MARGIN, quad_segs=2), shapely.buffer(points[is_strange], _AROUND_PLACE))
    simple = shapely.simplify(shapely.union_all(np.concatenate(drawn)), _TOLERANCE)
    parts = shapely.normalize(shapely.get_parts(shapely.set_precision(simple, 0.001)))
    lines = sorted(shapely.to_wkt(parts, rounding_precision=3).tolist())
    path.write_text("".join(f"{line}\n" for line in lines), encoding="ascii")


def _land_beyond(
    base: Basemap, archive: BasemapArchive, corner: tuple[int, int]
) -> Iterator[tuple[shapely.Polygon, bool]]:
    """Yield the land of a window that is more than 2 km from all countries, and whether it lies off the sea."""
    west, south = corner
    window: Window = (west, south, west + _SIDE, south + _SIDE)
    ground = read_ground(base, archive, window, 1.0, "en")
    sea = shapely.union_all(ground.sea)
    land = shapely.box(*window) - sea - shapely.union_all(np.concatenate([ground.lakes, ground.former]))
    stretch = np.array([np.cos(np.radians(south + _SIDE / 2)), 1.0])

    def true_to_scale(lonlat: Floats) -> Floats:
        scaled: Floats = lonlat * stretch
        return scaled

    wide, high = np.array([2.0, 2.0]) * _NEAR / stretch
    around = (west - wide, south - high, west + _SIDE + wide, south + _SIDE + high)
    near = shapely.clip_by_rect(base.countries.shape, *around)
    owned = shapely.buffer(shapely.make_valid(shapely.transform(near, true_to_scale)), _NEAR, quad_segs=4)
    rest = shapely.transform(land, true_to_scale) - shapely.union_all(owned)
    for area in shapely.get_parts(shapely.transform(rest, lambda xy: xy / stretch)):
        if area.geom_type == "Polygon" and not area.is_empty:
            yield area, not area.dwithin(sea, 1e-6)
