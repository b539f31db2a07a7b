"""Which of the degrees of a pair comes first, told by the pairs, their header, their rows and the map."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

import shapely

from layers.sources.column_mapping.draft.words import header_words
from layers.sources.reader.coordinates import AxisOrder, parse_positions

#: The country (ISO 3166-1 alpha-2) at a lon/lat point in degrees, None where there is none.
CountryAt = Callable[[float, float], str | None]
#: The countries that the row of a position names.
Countries = Callable[[int], Collection[str]]
_Pair = tuple[float, float]

#: Pairs that are looked up on the map.
_LOOKED_UP = 300
#: How much larger the part of the points on land has to be.
_MORE_ON_LAND = 0.1
#: The order by a word of a header.
_BY_WORD: Mapping[str, AxisOrder] = {
    **dict.fromkeys(("lat", "latitude", "latlon", "latlng", "latlong"), "latlon"),
    **dict.fromkeys(("lon", "lng", "long", "longitude", "lonlat", "lnglat", "longlat"), "lonlat"),
}
OTHER_ORDER: Mapping[AxisOrder, AxisOrder] = {"latlon": "lonlat", "lonlat": "latlon"}
_WORDS: Mapping[AxisOrder, str] = {"latlon": "latitude first", "lonlat": "longitude first"}


class AxisOrderGuess(NamedTuple):
    """The order of the axes, why, and whether it is beyond doubt."""

    order: AxisOrder
    reason: str
    is_sure: bool

    @property
    def text(self) -> str:
        """The guess in words."""
        return f"{_WORDS[self.order]}: {self.reason}"


def guess_axis_order(
    cells: Sequence[str], header: str, decimal: str, countries: Countries, country_at: CountryAt | None
) -> AxisOrderGuess:
    """Return which of the degrees of pairs comes first.

    What tells it, in this order: numbers beyond 90, the header, the countries that rows name, how many points are on
    land, and in how few countries they are. The last two leave a doubt. Where nothing tells, the longitude of a JSON
    array comes first, as in GeoJSON, and the latitude of any other text.

    ``cells``: the texts of all rows; empty ones and those that are no pairs do not count. ``header``: the header of the
    column. ``decimal``: the decimal sign of the texts. ``countries``: gives the countries that the row of a position
    names. ``country_at``: tells the country of a point; None where there is no map.
    """
    firsts = {row: first for row, text in enumerate(cells) if (first := _first_position(text, decimal))}
    guess = _by_size(firsts) or (_by_header(header) if firsts else None)
    if guess is None and country_at is not None:
        looked_up = dict(islice(firsts.items(), _LOOKED_UP))
        guess = guess_by_countries(looked_up, countries, country_at) or _by_map(looked_up, country_at)
    if guess is None and next(filter(None, cells), "").startswith("["):
        guess = AxisOrderGuess("lonlat", "nothing tells; arrays of JSON are mostly those of GeoJSON", False)
    return guess or AxisOrderGuess("latlon", "nothing tells; people write it so", False)


def _by_size(firsts: Mapping[int, _Pair]) -> AxisOrderGuess | None:
    is_first, is_second = (any(abs(pair[axis]) > 90 for pair in firsts.values()) for axis in (0, 1))
    if is_first == is_second:
        return None
    return AxisOrderGuess("lonlat" if is_first else "latlon", "the other degrees are beyond 90", True)


def _by_header(header: str) -> AxisOrderGuess | None:
    order = next((_BY_WORD[word] for word in header_words(header) if word in _BY_WORD), None)
    return AxisOrderGuess(order, "its header says so", True) if order else None


def guess_by_countries(
    firsts: Mapping[int, _Pair], countries: Countries, country_at: CountryAt
) -> AxisOrderGuess | None:
    """Return the order by which more points are in the country that their row names; None where neither has more.

    ``firsts``: the numbers of pairs by row, in the order in which they stand. ``countries``: gives the countries that a
    row names; where they are several, they say nothing. ``country_at``: tells the country of a point.
    """
    by_row = {row: {*countries(row)} for row in islice(firsts, _LOOKED_UP)}
    named = {row: codes for row, codes in by_row.items() if len(codes) == 1}
    votes = {order: sum(_country(firsts[row], order, country_at) in named[row] for row in named) for order in _WORDS}
    for order, other in OTHER_ORDER.items():
        if votes[order] > 2 * votes[other]:
            counts = f"{votes[order]} of {len(named)} points are in the country that their row names"
            return AxisOrderGuess(order, f"{counts}, and {votes[other]} the other way", True)
    return None


def _by_map(firsts: Mapping[int, _Pair], country_at: CountryAt) -> AxisOrderGuess | None:
    """Return the order by which clearly more points are on land, or else in at most half as many countries."""
    there = {order: [_country(first, order, country_at) for first in firsts.values()] for order in _WORDS}
    on_land = {order: sum(map(bool, codes)) / max(len(codes), 1) for order, codes in there.items()}
    states = {order: len({*codes} - {None}) for order, codes in there.items()}
    for order, other in OTHER_ORDER.items():
        if on_land[order] >= on_land[other] + _MORE_ON_LAND:
            parts = f"{on_land[order]:.0%} of the points are on land, and {on_land[other]:.0%} the other way"
            return AxisOrderGuess(order, parts, False)
        if on_land[other] < on_land[order] + _MORE_ON_LAND and 0 < 2 * states[order] <= states[other]:
            reason = f"the points are in fewer countries so ({states[order]}) than the other way ({states[other]})"
            return AxisOrderGuess(order, reason, False)
    return None


def _first_position(text: str, decimal: str) -> _Pair | None:
    """Return the first two numbers of a text of pairs, in their order; None where hemispheres say which is which."""
    ways = [parse_positions(text, order, decimal) for order in ("lonlat", "latlon")] if text else []
    firsts = [tuple(shapely.get_coordinates(shape)[0].tolist()) for shape in ways if shape is not None]
    if len(firsts) < 2 or firsts[0] != firsts[1][::-1] or firsts[0][0] == firsts[0][1]:
        return None
    return firsts[0]


def _country(first: _Pair, order: AxisOrder, country_at: CountryAt) -> str | None:
    lon, lat = first if order == "lonlat" else first[::-1]
    return country_at(lon, lat) if abs(lon) <= 180 and abs(lat) <= 90 else None
