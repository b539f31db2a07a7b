"""The tile matrix sets on offer (OGC 17-083r4, annexes D.1 and D.2), and the projections that they tile."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from api.http.json import Json
from api.requests.crs import CRS84, WEB_MERCATOR, Crs
from api.requests.parameters import BadParameter
from geo.errors import GeoError
from geo.tiles.tile_matrix import DEGREES, MERCATOR, Tile, TileProjection

_DEFINITIONS = "http://www.opengis.net/def/"
#: Metres around the equator of WGS 84, and of the pixel that defines scale denominators (17-083r4, 6.2).
_EQUATOR_M = 2 * math.pi * 6_378_137
_PIXEL_M = 0.000_28
_PIXELS = 256


class UnknownTile(LookupError):
    """An address outside the tile matrix set."""


def _parse_address(name: str, *parts: str) -> tuple[int, ...]:
    """Read an address that consists of whole numbers.

    Raises BadParameter if a part is no whole number; UnknownTile if a number has more digits than any set has tiles.
    """
    address = "/".join(parts)
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise BadParameter(name, address, "whole numbers, such as 6/22/37")
    if max(map(len, parts)) > 9:
        raise UnknownTile(f"no tile {address[:80]}")
    return tuple(map(int, parts))


@dataclass(frozen=True)
class TileMatrixSet:
    """One set of tile matrices, each with half the cells of the one before.

    Parameters
    ----------
    levels
        Number of matrices.
    columns
        Of the first matrix, which has one row; its tiles have zoom ``columns - 1`` in the square of the projection.
    """

    name: str
    title: str
    crs: Crs
    axes: tuple[str, str]
    scale_set: str
    projection: TileProjection
    levels: int
    columns: int

    @property
    def uri(self) -> str:
        """Identifier in the register of the OGC."""
        return f"{_DEFINITIONS}tilematrixset/OGC/1.0/{self.name}"

    def tile(self, matrix: str, row: str, col: str) -> Tile:
        """Return the tile at an address, by zoom, column and row in the square of the projection.

        Raises BadParameter if the address is not three whole numbers; UnknownTile if the numbers are outside the set.
        """
        level, down, across = _parse_address("tileMatrix/tileRow/tileCol", matrix, row, col)
        if level >= self.levels or down >= 1 << level or across >= self.columns << level:
            raise UnknownTile(f"{self.name} has no tile {level}/{down}/{across}")
        return Tile(level + self.columns - 1, across, down)

    def limits(self, levels: int) -> list[Mapping[str, Any]]:
        """Return the tile matrix limits of the first levels: all their tiles, as a tile without features is empty."""
        return [
            {
                "tileMatrix": str(level),
                "minTileRow": 0,
                "maxTileRow": (1 << level) - 1,
                "minTileCol": 0,
                "maxTileCol": (self.columns << level) - 1,
            }
            for level in range(levels)
        ]

    def definition(self) -> Json:
        """Return the set as JSON (17-083r4, 8.2)."""
        return {
            "id": self.name,
            "title": self.title,
            "uri": self.uri,
            "crs": self.crs.uri,
            "orderedAxes": list(self.axes),
            "wellKnownScaleSet": f"{_DEFINITIONS}wkss/OGC/1.0/{self.scale_set}",
            "tileMatrices": [self._matrix(level) for level in range(self.levels)],
        }

    def _matrix(self, level: int) -> Mapping[str, Any]:
        unit_m = 1.0 if self.crs is WEB_MERCATOR else _EQUATOR_M / 360
        cell = _EQUATOR_M / unit_m / (self.columns * _PIXELS) / (1 << level)
        half = _EQUATOR_M / unit_m / 2
        return {
            "id": str(level),
            "scaleDenominator": cell * unit_m / _PIXEL_M,
            "cellSize": cell,
            "cornerOfOrigin": "topLeft",
            "pointOfOrigin": [-half, half / self.columns],
            "tileWidth": _PIXELS,
            "tileHeight": _PIXELS,
            "matrixWidth": self.columns << level,
            "matrixHeight": 1 << level,
        }


MERCATOR_QUAD = TileMatrixSet(
    "WebMercatorQuad", "Google Maps Compatible for the World", WEB_MERCATOR, ("X", "Y"), "GoogleMapsCompatible",
    MERCATOR, 25, 1,
)  # fmt: skip
CRS84_QUAD = TileMatrixSet(
    "WorldCRS84Quad", "CRS84 for the World", CRS84, ("Lon", "Lat"), "GoogleCRS84Quad", DEGREES, 24, 2
)  # fmt: skip
TILE_MATRIX_SETS: Mapping[str, TileMatrixSet] = {matrices.name: matrices for matrices in (MERCATOR_QUAD, CRS84_QUAD)}


def parse_xyz(z: str, x: str, y: str) -> Tile:
    """Return the tile of WebMercatorQuad at an address of the web: zoom, column, row.

    Raises BadParameter if the address is not three whole numbers; UnknownTile if the numbers are outside the set.
    """
    zoom, column, row = _parse_address("z/x/y", z, x, y)
    try:
        return Tile(zoom, column, row)
    except GeoError as error:
        raise UnknownTile(str(error)) from error


#: Name of the tile set of the base map.
BASEMAP = "basemap"
#: Levels of the tilesets of collections, as many as TileJSON states zooms.
LEVELS = 15
