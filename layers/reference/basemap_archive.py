"""A base map as a PMTiles archive of vector tiles: the one that comes with the program, or one of an operator.

Specification: PMTiles 3, https://github.com/protomaps/PMTiles/blob/main/spec/v3/spec.md
"""

from __future__ import annotations

import gzip
import json
import mmap
import struct
import zlib
from collections.abc import Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Self

import numpy as np
from pmtiles.tile import (
    Compression,
    Entry,
    MagicNumberNotFound,
    SpecVersionUnsupported,
    TileType,
    deserialize_directory,
    deserialize_header,
    find_tile,
    zxy_to_tileid,
)

from geo.lonlat import Ints
from geo.tiles.tile_matrix import Tile

#: What the name of the archive beside a base map ends with.
_ENDING = ".pmtiles"
_HEADER_BYTES = 127
#: A directory is reached from the root by at most so many others (clause 4).
_DEPTH = 4
#: Directories that are kept unpacked; each holds some thousand entries.
_DIRECTORIES = 64
#: Of an archive of more tiles it is not told where they lie.
_MAX_LISTED = 1 << 18
#: All that reading a damaged part of an archive raises.
_DAMAGE = (OSError, EOFError, zlib.error, ValueError, IndexError, KeyError, struct.error)


def tile_header(
    bounds: tuple[float, float, float, float], max_zoom: int, centre: tuple[float, float] | None = None
) -> dict[str, Any]:
    """What a writer of vector tiles, packed by gzip, puts into the header of an archive.

    Parameters
    ----------
    bounds
        West, south, east and north in degrees.
    max_zoom
        Of the tiles.
    centre
        Lon and lat that a viewer opens with; by default the middle, of bounds across the antimeridian lon 0.
    """
    west, south, east, north = (round(degrees * 1e7) for degrees in bounds)
    lon, lat = (west + east) // 2 if west <= east else 0, (south + north) // 2
    if centre is not None:
        lon, lat = (round(degrees * 1e7) for degrees in centre)
    return {
        "tile_type": TileType.MVT,
        "tile_compression": Compression.GZIP,
        "min_lon_e7": west,
        "min_lat_e7": south,
        "max_lon_e7": east,
        "max_lat_e7": north,
        "center_zoom": min(3, max_zoom),
        "center_lon_e7": lon,
        "center_lat_e7": lat,
    }


class UnreadableArchive(Exception):
    """A file is no PMTiles archive of vector tiles, or is damaged."""


class BasemapArchive:
    """An open archive. It is read as it is asked for tiles, and may be larger than the memory."""

    def __init__(self, path: Path) -> None:
        """Open an archive.

        Raises
        ------
        UnreadableArchive
            If there is no such file, or it is no archive of gzipped or plain vector tiles.
        """
        self.path = path
        try:
            with path.open("rb") as file:
                self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            self._header = deserialize_header(self._bytes[:_HEADER_BYTES])
            self.metadata: Mapping[str, Any] = json.loads(self._unpacked_metadata())
        except SpecVersionUnsupported as error:
            raise UnreadableArchive(f"{path} is a PMTiles archive of another version than 3") from error
        except MagicNumberNotFound as error:
            raise UnreadableArchive(f"{path} is no PMTiles archive") from error
        except _DAMAGE as error:
            raise UnreadableArchive(f"{path} is no PMTiles archive: {error}") from error
        if self._header["tile_type"] is not TileType.MVT:
            raise UnreadableArchive(f"{path} holds {self._header['tile_type'].name} tiles, not vector tiles (MVT)")
        packed = {self._header["tile_compression"], self._header["internal_compression"]}
        if not packed <= {Compression.GZIP, Compression.NONE}:
            raise UnreadableArchive(f"{path} is compressed with {packed}: expected gzip or none")
        self._directory = lru_cache(_DIRECTORIES)(self._read_directory)

    @classmethod
    def beside(cls, base: Path) -> Self | None:
        """Open the archive that lies beside a base map; ``None`` where there is none.

        Raises
        ------
        UnreadableArchive
            If what lies there is no archive of vector tiles.
        """
        path = base.with_suffix(_ENDING)
        return cls(path) if path.exists() else None

    @property
    def min_zoom(self) -> int:
        """The first zoom that has tiles."""
        return int(self._header["min_zoom"])

    @property
    def max_zoom(self) -> int:
        """The last zoom that has tiles."""
        return int(self._header["max_zoom"])

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north in degrees."""
        header = self._header
        return (
            header["min_lon_e7"] / 1e7,
            header["min_lat_e7"] / 1e7,
            header["max_lon_e7"] / 1e7,
            header["max_lat_e7"] / 1e7,
        )

    @property
    def layers(self) -> list[Mapping[str, Any]]:
        """The vector layers as TileJSON describes them (3.0.0, clause 3.3), each with its fields."""
        return [{"fields": {}, **one} for one in self.metadata.get("vector_layers", ()) if "id" in one]

    @cached_property
    def tile_boxes(self) -> Mapping[int, tuple[int, int, int, int]]:
        """First column, first row, last column and last row of the tiles of each zoom; empty for a very large archive.

        Raises
        ------
        UnreadableArchive
            If a directory is damaged.
        """
        if not 0 < self._header["addressed_tiles_count"] <= _MAX_LISTED:
            return {}
        try:
            runs = self._runs(self._header["root_offset"], self._header["root_length"], _DEPTH)
        except _DAMAGE as error:
            raise UnreadableArchive(f"{self.path} is damaged: {error}") from error
        ids = np.concatenate([np.arange(first, first + count, dtype=np.int64) for first, count in runs])
        boxes = {}
        for zoom in range(self.min_zoom, self.max_zoom + 1):
            first = _first_id(zoom)
            x, y = _columns_and_rows(ids[(ids >= first) & (ids < _first_id(zoom + 1))] - first, zoom)
            if len(x):
                boxes[zoom] = (int(x.min()), int(y.min()), int(x.max()), int(y.max()))
        return boxes

    def _runs(self, offset: int, length: int, depth: int) -> list[tuple[int, int]]:
        """Return the first id and the number of the tiles that follow each other with the same content."""
        runs: list[tuple[int, int]] = []
        for entry in self._read_directory(offset, length) if depth else ():
            if entry.run_length:
                runs.append((entry.tile_id, entry.run_length))
            else:
                runs += self._runs(self._header["leaf_directory_offset"] + entry.offset, entry.length, depth - 1)
        return runs

    def tile(self, tile: Tile) -> bytes | None:
        """Return a gzipped vector tile, ``None`` where the archive has none.

        Raises
        ------
        UnreadableArchive
            If that part of the archive is damaged.
        """
        try:
            entry = self._entry(zxy_to_tileid(*tile))
            if entry is None:
                return None
            body = self._part(self._header["tile_data_offset"] + entry.offset, entry.length)
        except _DAMAGE as error:
            raise UnreadableArchive(f"{self.path} is damaged at tile {tile.z}/{tile.x}/{tile.y}: {error}") from error
        return body if self._header["tile_compression"] is Compression.GZIP else gzip.compress(body, 1, mtime=0)

    def _entry(self, tile_id: int) -> Entry | None:
        offset, length = self._header["root_offset"], self._header["root_length"]
        for _ in range(_DEPTH):
            entry: Entry | None = find_tile(self._directory(offset, length), tile_id)
            if entry is None or entry.run_length:
                return entry
            offset, length = self._header["leaf_directory_offset"] + entry.offset, entry.length
        return None

    def _read_directory(self, offset: int, length: int) -> list[Entry]:
        packed = self._part(offset, length)
        if self._header["internal_compression"] is Compression.NONE:
            packed = gzip.compress(packed, 0)
        return deserialize_directory(packed)

    def _unpacked_metadata(self) -> bytes:
        packed = self._part(self._header["metadata_offset"], self._header["metadata_length"])
        return gzip.decompress(packed) if self._header["internal_compression"] is Compression.GZIP else packed

    def _part(self, offset: int, length: int) -> bytes:
        part = self._bytes[offset : offset + length]
        if len(part) != length:
            raise EOFError("it ends before that")
        return part


def _first_id(zoom: int) -> int:
    """Return the id of the first tile of a zoom (PMTiles 3, clause 4.1)."""
    return int((4**zoom - 1) // 3)


def _columns_and_rows(places: Ints, zoom: int) -> tuple[Ints, Ints]:
    """Return columns and rows of places on the Hilbert curve of a zoom.

    Method: d2xy of https://en.wikipedia.org/wiki/Hilbert_curve.
    """
    x, y = np.zeros_like(places), np.zeros_like(places)
    for side in (1 << bit for bit in range(zoom)):
        right = places >> 1 & 1
        down = (places ^ right) & 1
        flipped = (down == 0) & (right == 1)
        x, y = np.where(flipped, side - 1 - x, x), np.where(flipped, side - 1 - y, y)
        x, y = np.where(down == 0, y, x) + side * right, np.where(down == 0, x, y) + side * down
        places = places >> 2
    return x, y
