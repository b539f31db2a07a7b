"""Heat that satellites saw, as columns: millions of observations that nobody edits, and so no records."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from geo.lonlat import Floats

#: Instrument and satellite by code; the first stands for any that this program does not know.
SENSORS = (
    "a satellite",
    "MODIS on Terra",
    "MODIS on Aqua",
    "VIIRS on Suomi NPP",
    "VIIRS on NOAA-20",
    "VIIRS on NOAA-21",
)
#: Classes of confidence by code.
CONFIDENCES = ("low", "nominal", "high")
#: The type of an observation that its publisher did not classify.
UNCLASSIFIED = -1

Bytes = npt.NDArray[np.int8]
Minutes = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False, slots=True)
class HeatColumns:
    """Observations of heat, each once, sorted by time and place; columns of shape (n,).

    Attributes
    ----------
    minute
        Minutes since 1970-01-01T00:00Z.
    lon, lat
        Middle of the pixel in degrees (OGC:CRS84).
    sensor
        Codes of `SENSORS`.
    radius_m
        Radius around the middle that holds the pixel, in metres.
    confidence
        Codes of `CONFIDENCES`.
    frp_mw
        Fire radiative power in megawatts, NaN where not stated.
    type
        What FIRMS takes it for: 0 presumed vegetation fire, 1 active volcano, 2 other static land source, 3 offshore,
        `UNCLASSIFIED`.
    """

    minute: Minutes
    lon: Floats
    lat: Floats
    sensor: Bytes
    radius_m: Floats
    confidence: Bytes
    frp_mw: Floats
    type: Bytes

    @classmethod
    def of(cls, *values: npt.ArrayLike) -> HeatColumns:
        """Sort columns, in the order of the attributes; of what one sensor saw at one time and place one row stays."""
        columns = [np.asarray(column, dtype) + 0 for column, dtype in zip(values, _DTYPES, strict=True)]  # no -0.0
        order = np.lexsort(columns[::-1])
        columns = [column[order] for column in columns]
        differs = np.array([column[1:] != column[:-1] for column in columns[:_KEYS]], dtype=bool)
        first = np.concatenate([np.ones(min(len(order), 1), bool), differs.any(axis=0)])
        return cls(*(column[first] for column in columns))

    def __len__(self) -> int:
        return len(self.minute)

    def columns(self) -> list[npt.NDArray[np.generic]]:
        """The columns in the order of the attributes."""
        return [getattr(self, column.name) for column in fields(self)]

    def rows(self, rows: slice | npt.NDArray[np.generic]) -> HeatColumns:
        """Select observations by a slice, a mask of shape (n,), or ascending row numbers."""
        return HeatColumns(*(column[rows] for column in self.columns()))  # type: ignore[arg-type]

    def digest(self) -> str:
        """SHA-256 of all values, in hexadecimal: equal for equal observations, in whatever order they were read."""
        hashed = hashlib.sha256()
        for column, dtype in zip(self.columns(), _DTYPES, strict=True):
            hashed.update(column.astype(dtype).tobytes())
        return hashed.hexdigest()


#: Types of the columns, whose bytes a digest is of.
_DTYPES = ("<i4", "<f8", "<f8", "i1", "<f8", "i1", "<f8", "i1")
#: How many of the columns, time, place and sensor, tell observations apart.
_KEYS = 4

#: No observation.
NO_HEAT = HeatColumns.of(*[()] * len(_DTYPES))


def union(parts: Sequence[HeatColumns]) -> HeatColumns:
    """Unite observations; those that several have are there once."""
    columns = zip(*(part.columns() for part in (NO_HEAT, *parts)), strict=True)
    return HeatColumns.of(*(np.concatenate(column) for column in columns))
