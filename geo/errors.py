"""Errors of geo, all of them ValueErrors: what is wrong with coordinates, geometries, radii or tile addresses."""

from __future__ import annotations


class GeoError(ValueError):
    """Input that geo cannot work with; the message says what was expected.

    Attributes
    ----------
    index
        First wrong row of the input, None where the fault is not a row's.
    """

    def __init__(self, message: str, index: int | None = None) -> None:
        super().__init__(message)
        self.index = index


class CRSError(GeoError):
    """Coordinates that are not lon/lat degrees in OGC:CRS84."""


class GeometryError(GeoError):
    """A geometry, radius or tile address that cannot be used."""
