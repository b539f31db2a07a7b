"""The land of the countries of the base map: in which of them points are, and which others lie within their circles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, cast

import numpy as np
import shapely

from geo.lonlat import Floats, Objects

# The breadth of the territorial sea, 12 nautical miles (UN Convention on the Law of the Sea, art. 3).
TERRITORIAL_SEA_M = 22_224.0
DEGREE_M = 111_195.0
#: How well the base map draws a border, for 1:10 million.
BORDER_M = 2_000.0
#: What a point may stand for whose area ends at the border of its country, though the circle about it does not.
_ADMINISTRATIVE = ("district", "region")
#: Corners of a circle, which is drawn so that it holds the true one.
_CORNERS = 24


class PointCountry(NamedTuple):
    """The country (ISO 3166-1 alpha-2) with a point in its land or territorial sea, ``None`` if a circle meets other.

    ``is_at_sea`` where the circle about the point meets no land, and the point is in no territorial sea.
    """

    country: str | None
    is_at_sea: bool


def radius_m(basis: str | None, uncertainty_m: float | None) -> float:
    """Return the radius in metres about a point within which land of another country leaves open whose it is."""
    return max(0.0 if basis in _ADMINISTRATIVE else uncertainty_m or 0.0, BORDER_M)


@dataclass(frozen=True, eq=False)
class Land:
    """The single polygons of all countries.

    Attributes
    ----------
    parts
        Polygons in lon/lat degrees (OGC:CRS84), shape (n,).
    codes
        ISO 3166-1 alpha-2 of each, ``None`` where no state is agreed on, or the base map does not know which it is,
        shape (n,).
    """

    parts: Objects
    codes: Objects

    @cached_property
    def _tree(self) -> shapely.STRtree:
        shapely.prepare(self.parts)
        return shapely.STRtree(self.parts)

    def country_at(self, lon: float, lat: float) -> str | None:
        """Return the ISO 3166-1 alpha-2 code of the country at a lon/lat point in degrees.

        A point at sea has the country of the nearest coast within the 12 nautical miles of the
        territorial sea: a coast drawn for 1:10 million passes inland of quays and oil berths. This
        is no statement of law; straits are simply halved. None on the high seas, on land without
        an agreed sovereign, and for a point that is not finite.
        """
        if not (math.isfinite(lon) and math.isfinite(lat)):
            return None
        inside = self._tree.query(shapely.points(lon, lat), predicate="intersects")
        if len(inside):
            return cast(str | None, self.codes[inside.min()])
        return self.country_of_coast(lon, lat)

    def country_of_coast(self, lon: float, lat: float) -> str | None:
        """Return the country with the nearest coast, None beyond the territorial sea.

        Distances are measured on a plane true to scale at the point, which over 22 km errs by
        less than a part in a hundred outside the polar regions.
        """
        coast = self._coast(lon, lat)
        return None if coast is None else cast(str | None, self.codes[coast])

    def is_at_sea(self, lon: float, lat: float) -> bool:
        """Whether a point is beyond the territorial sea of all land."""
        return self._coast(lon, lat) is None

    def _coast(self, lon: float, lat: float) -> int | None:
        height = TERRITORIAL_SEA_M / DEGREE_M
        stretch = _stretch(lat)
        box = (lon - height / stretch, lat - height, lon + height / stretch, lat + height)
        near = self._tree.query(shapely.box(*box))
        if not len(near):
            return None
        coast = shapely.transform(
            shapely.clip_by_rect(self.parts[near], *box), lambda xy: (xy - [lon, lat]) * [stretch, 1]
        )
        # The distance to an empty clip is not a number: such a polygon only has a box that is near.
        distance = np.nan_to_num(shapely.distance(coast, shapely.Point(0, 0)), nan=np.inf)
        best = distance.argmin()
        return int(near[best]) if distance[best] <= height else None

    def around(self, lon: Floats, lat: Floats, radius_m: Floats) -> Sequence[PointCountry]:
        """Return the countries of n points with circles about them: degrees and metres, finite, radii above 0.

        A circle over the antimeridian is not continued on its other side.
        """
        circles = _circles(lon, lat, radius_m)
        row, part = self._tree.query(circles)
        met = shapely.intersects(self.parts[part], circles[row])
        row, part = row[met], part[met]
        inside = shapely.intersects_xy(self.parts[part], lon[row], lat[row])
        at: dict[int, int] = {}
        near: list[set[str | None]] = [set() for _ in lon]
        for number, polygon, is_in in zip(row.tolist(), part.tolist(), inside.tolist(), strict=True):
            near[number].add(self.codes[polygon])
            if is_in:
                at[number] = min(polygon, at.get(number, polygon))
        found = []
        for number, each in enumerate(near):
            polygon = at[number] if number in at else self._coast(lon[number], lat[number])
            country = None if polygon is None else self.codes[polygon]
            found.append(PointCountry(country if each <= {country} else None, polygon is None and not each))
        return found


def _stretch(lat: float) -> float:
    """Return the length of a degree of longitude in degrees of latitude."""
    return max(math.cos(math.radians(lat)), 0.01)


def _circles(lon: Floats, lat: Floats, radius_m: Floats) -> Objects:
    """Return polygons in degrees that hold circles, shape (n,)."""
    angle = np.arange(_CORNERS) * (2 * np.pi / _CORNERS)
    height = radius_m / DEGREE_M / np.cos(np.pi / _CORNERS)
    width = height / np.maximum(np.cos(np.radians(lat)), 0.01)
    x, y = lon[:, None] + width[:, None] * np.cos(angle), lat[:, None] + height[:, None] * np.sin(angle)
    return np.asarray(shapely.polygons(np.stack([x, y], axis=-1)), dtype=object)
