"""Kinds of store, by the scheme of an address: a further kind is a module beside this one and a line in `BACKENDS`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from layers.store.store import NotAStore, Store

#: How a store is opened, by the scheme of its address (RFC 3986, 3.1); a path has none and is a GeoPackage.
BACKENDS: Mapping[str, Callable[[str], Store]] = MappingProxyType({"": Store.open})


def open_store(address: str | Path) -> Store:
    """Open the store at an address: the path of a GeoPackage, or a URL whose scheme is among `BACKENDS`.

    Raises
    ------
    NotAStore
        If there is no store at the address, or it names a kind of store that is not known.
    StoreError
        If the store cannot be read.
    """
    scheme, separator, _ = str(address).partition("://")
    if not separator:
        scheme = ""
    if scheme not in BACKENDS:
        known = ", ".join(f"{name}://" for name in BACKENDS if name) or "none"
        raise NotAStore(f"{scheme}:// names no kind of store; a path to a GeoPackage is expected, or a URL of: {known}")
    return BACKENDS[scheme](str(address))
