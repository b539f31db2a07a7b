"""The country in which a strike happened: as stated, else as its point, its region or the sites that it hit say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from layers.model.cache import Lazy, LruCache
from layers.model.records import Strike
from layers.model.types import HostBasis
from layers.reference.land import Land, PointCountry, radius_m
from layers.reference.regions import region_of_field

#: Points whose countries are cached.
_POINTS = 20_000


class Host(NamedTuple):
    """The country in which a strike happened (ISO 3166-1 alpha-2), and what says so.

    At sea there is no country. Both are ``None`` where nothing says in which country it was, or whether in any.
    """

    country: str | None = None
    basis: HostBasis | None = None


#: A place in degrees with the radius in metres that is looked at around it.
_Circle = tuple[float, float, float]


class HostCountries:
    """Finds the host countries of strikes. What a record states is never changed. Safe for many threads.

    Parameters
    ----------
    land
        The land of the countries; ``None`` where there is no base map, and points say nothing.
    """

    def __init__(self, land: Lazy[Land] | None = None) -> None:
        self._land = land
        self._points: LruCache[PointCountry] = LruCache(_POINTS)

    def look_up(self, strikes: Iterable[Strike]) -> None:
        """Find the countries of the points of many strikes at once, so that `of` has them."""
        wanted = {circle for strike in strikes if (circle := _circle(strike)) and self._points.peek(circle) is None}
        for circle, found in zip(wanted, self._around([*wanted]), strict=True):
            self._points.put(circle, found)

    def of(self, strike: Strike, sites: Sequence[str | None]) -> Host:
        """Return the host country of a strike.

        It follows from the first that says one: the record itself; its point, if no other country is within the
        radius that holds the true place; the region; the countries of all sites that it hit or may have hit, if
        these are one. A point on no land, nor in any territorial sea, is at sea; that of an island which the base map
        lacks says nothing.

        Parameters
        ----------
        strike
            The strike.
        sites
            The country that each of the sites lies in, ``None`` where it is not stated.
        """
        if strike.host_country is not None:
            return Host(strike.host_country, "stated")
        if (host := self._of_point(strike)).basis is not None:
            return host
        if strike.region is not None and (country := region_of_field(strike.region)) is not None:
            return Host(country, "region")
        (country, *others) = set(sites) or {None}
        return Host(country, "site") if country is not None and not others else Host()

    def _of_point(self, strike: Strike) -> Host:
        if (circle := _circle(strike)) is None:
            return Host(None, "sea" if strike.basis == "sea-area" else None)
        if self._land is None:
            return Host()
        country, is_at_sea = self._points.get_or_compute(circle, lambda: self._around([circle])[0])
        return Host(country, "sea" if is_at_sea else "point" if country else None)

    def _around(self, circles: Sequence[_Circle]) -> Sequence[PointCountry]:
        return self._land.value.around(*np.array(circles).T) if circles and self._land is not None else ()


def _circle(strike: Strike) -> _Circle | None:
    """Return what is looked at around the point of a strike; ``None`` where the point says nothing of a country."""
    point = strike.geometry
    if strike.host_country is not None or point is None or point.is_empty or strike.basis == "sea-area":
        return None
    ((lon, lat),) = point.coords
    return lon, lat, radius_m(strike.basis, strike.uncertainty_m)
