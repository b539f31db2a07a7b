"""Strikes as the exports draw them: one plain row each, in the order of their dates, without missing values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import shapely

from api.exports.symbols import FILLED, Shape, colour_of, shape_of
from api.wording.strikes import strike_title
from geo.lonlat import geodataframe_lonlat

if TYPE_CHECKING:
    import geopandas


@dataclass(frozen=True, slots=True)
class DrawnStrike:
    """A strike with a place; ``uncertainty_m`` is 0 where it is not stated, texts are empty where missing.

    ``day_first`` and ``day_last`` are the days (YYYY-MM-DD) between which it fell.
    """

    id: str
    title: str
    when: str
    day_first: str
    day_last: str
    place: str
    host_country: str
    group: str
    status: str
    owners: str
    relations: str
    rests_on: str
    basis: str
    headline: str
    n_sources: int
    n_voices: int
    uncertainty_m: float
    lon: float
    lat: float

    @property
    def filled(self) -> bool:
        """Return whether the symbol is filled, by the status of the strike."""
        return self.status in FILLED

    @property
    def colour(self) -> str:
        """The colour of the symbol, by the host country."""
        return colour_of(self.host_country)

    @property
    def shape(self) -> Shape:
        """The shape of the symbol, by the group of the target."""
        return shape_of(self.group)


def drawn_strikes(strikes: geopandas.GeoDataFrame) -> list[DrawnStrike]:
    """List every strike that has a place and is not retracted, earliest first; undated ones come last.

    Parameters
    ----------
    strikes
        Rows with the columns of the collection, in any CRS. A geometry that is no point becomes a point on its
        surface; rows with missing or empty geometry are left out.

    Returns
    -------
    list of DrawnStrike
        Empty for an empty frame.

    Raises
    ------
    geo.errors.GeoError
        If the frame has no CRS or coordinates out of range.
    """
    placed = [(row, geometry) for row, geometry in rows(geodataframe_lonlat(strikes)) if _is_drawn(row, geometry)]
    placed.sort(key=lambda item: (text_value(item[0], "day_first") or "9999", text_value(item[0], "id")))
    return [_mark(row, geometry) for row, geometry in placed]


def rows(frame: geopandas.GeoDataFrame) -> Iterator[tuple[Mapping[str, Any], Any]]:
    """Yield the attributes of each row by column, ``None`` where missing, and its geometry, in the frame's order."""
    columns = frame.drop(columns=frame.geometry.name).astype(object)
    attributes = columns.where(columns.notna(), None).to_dict("records")
    yield from zip(attributes, frame.geometry.to_numpy(), strict=True)


def _is_drawn(row: Mapping[str, Any], geometry: Any) -> bool:
    return geometry is not None and not geometry.is_empty and text_value(row, "status") != "retracted"


def _mark(row: Mapping[str, Any], geometry: Any) -> DrawnStrike:
    point = geometry if geometry.geom_type == "Point" else shapely.point_on_surface(geometry)
    names = ("id", "title", "when", "place", "host_country", "group", "status", "owners", "relations")
    texts = {name: text_value(row, name) for name in (*names, "rests_on", "basis", "headline")}
    days = {name: text_value(row, name)[:10] for name in ("day_first", "day_last")}
    return DrawnStrike(
        **texts | days | {"title": title_of(row)},
        n_sources=int(_number(row, "n_sources")),
        n_voices=int(_number(row, "n_voices")),
        uncertainty_m=_number(row, "uncertainty_m"),
        lon=float(point.x),
        lat=float(point.y),
    )


def title_of(row: Mapping[str, Any]) -> str:
    """Return the title of a strike in a row, of a draft with the word for it."""
    return strike_title(text_value(row, "title"), text_value(row, "status"))


def text_value(row: Mapping[str, Any], name: str) -> str:
    """Return the text of a column in a row; empty where the value is missing."""
    value = row.get(name)
    return "" if value is None else str(value)


def _number(row: Mapping[str, Any], name: str) -> float:
    value = row.get(name)
    return 0.0 if value is None else float(value)
