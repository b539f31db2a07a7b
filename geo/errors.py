"""What can be wrong with a place: the errors that geo raises, all of them ValueErrors."""

from __future__ import annotations


class GeoError(ValueError):
    """Something spatial was asked for that has no answer; the message says what was expected."""


class CRSError(GeoError):
    """Coordinates that are not lon/lat degrees in OGC:CRS84.

    ``index`` is the first row that is wrong, or None where the fault is not a row's.
    """

    def __init__(self, message: str, index: int | None = None) -> None:
        super().__init__(message)
        self.index = index


class GeometryError(GeoError):
    """A geometry, radius or tile address that cannot be used.

    ``index`` is the first row that is wrong, or None where the fault is not a row's.
    """

    def __init__(self, message: str, index: int | None = None) -> None:
        super().__init__(message)
        self.index = index
