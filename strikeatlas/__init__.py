"""Whose energy sites were struck: strikes, sites and owners as GeoDataFrames.

`open` gives an atlas of a store, of a running server, or of the records that come with the program:

>>> import strikeatlas
>>> atlas = strikeatlas.open()
>>> atlas.strikes(country="AZ", since="2025")["day_first"].dtype
dtype('<M8[ms]')
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from api.python.atlas import Atlas, open
    from api.python.sources import AtlasError

__all__ = ["Atlas", "AtlasError", "open"]


def __getattr__(name: str) -> Any:
    """Import what is public when it is first read (PEP 562): the command line starts without it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from api.python import atlas

    return getattr(atlas, name)


def __dir__() -> list[str]:
    return __all__
