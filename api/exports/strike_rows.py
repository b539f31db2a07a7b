"""Strikes as the exports draw them: one plain row each, in order of their dates, with missing values settled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import geopandas
import pandas as pd
import shapely

from api.exports.symbols import FILLED, Shape, colour_of, shape_of
from geo.lonlat import frame_lonlat


@dataclass(frozen=True, slots=True)
class Mark:
    """One strike with a place; ``uncertainty_m`` is 0 where it is not stated, texts are empty where missing."""

    id: str
    title: str
    when: str
    place: str
    host_country: str
    group: str
    status: str
    owners: str
    relations: str
    rests_on: str
    basis: str
    n_sources: int
    uncertainty_m: float
    lon: float
    lat: float

    @property
    def filled(self) -> bool:
        """Whether it is drawn filled."""
        return self.status in FILLED

    @property
    def colour(self) -> str:
        """Colour of its host country."""
        return colour_of(self.host_country)

    @property
    def shape(self) -> Shape:
        """Shape of its target."""
        return shape_of(self.group)


def marks_of(strikes: geopandas.GeoDataFrame) -> list[Mark]:
    """Give every strike that has a place and is not retracted, earliest first; undated ones come last.

    A strike that is not a point is put on a point of its surface. An empty frame gives no marks.

    Raises
    ------
    geo.errors.GeoError
        If the frame has no CRS or coordinates out of range.
    """
    placed = [(row, geometry) for row, geometry in rows(frame_lonlat(strikes)) if _is_drawn(row, geometry)]
    placed.sort(key=lambda item: (text_of(item[0], "day_first") or "9999", text_of(item[0], "id")))
    return [_mark(row, geometry) for row, geometry in placed]


def undrawn(strikes: geopandas.GeoDataFrame) -> tuple[int, int]:
    """Count the strikes without a place, and the retracted ones that have a place."""
    missing = retracted = 0
    for row, geometry in rows(strikes):
        if geometry is None or geometry.is_empty:
            missing += 1
        elif text_of(row, "status") == "retracted":
            retracted += 1
    return missing, retracted


def rows(frame: geopandas.GeoDataFrame) -> Iterator[tuple[Mapping[str, Any], Any]]:
    """Give each row's attributes by column and its geometry (or None), in the order of the frame."""
    attributes = pd.DataFrame(frame.drop(columns=frame.geometry.name)).to_dict("records")
    yield from zip(attributes, frame.geometry.to_numpy(), strict=True)


def _is_drawn(row: Mapping[str, Any], geometry: Any) -> bool:
    return geometry is not None and not geometry.is_empty and text_of(row, "status") != "retracted"


def _mark(row: Mapping[str, Any], geometry: Any) -> Mark:
    point = geometry if geometry.geom_type == "Point" else shapely.point_on_surface(geometry)
    names = ("id", "title", "when", "place", "host_country", "group", "status", "owners", "relations")
    texts = {name: text_of(row, name) for name in (*names, "rests_on", "basis")}
    return Mark(
        **texts,
        n_sources=int(_number(row, "n_sources")),
        uncertainty_m=_number(row, "uncertainty_m"),
        lon=float(point.x),
        lat=float(point.y),
    )


def text_of(row: Mapping[str, Any], name: str) -> str:
    """Text of a column; empty where the row has none."""
    value = row.get(name)
    return "" if value is None or value is pd.NA or value is pd.NaT or value != value else str(value)


def _number(row: Mapping[str, Any], name: str) -> float:
    value = row.get(name)
    return 0.0 if value is None or value is pd.NA or value != value else float(value)
