"""Memory where many objects are built: the collector of cyclic garbage paused, and what is free given back."""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collection_paused() -> Iterator[None]:
    """Pause the collector for all threads, or for the time of a function that this decorates.

    It walks all objects again and again as their number grows, and finds nothing among those that stay. What no cycle
    holds is released as ever. Where it was paused before, it stays so.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def trim_memory() -> None:
    """Give free memory back to the system, of which the C library of Linux keeps much."""
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)):
        trim(0)
