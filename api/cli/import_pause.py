"""Work without garbage collection, which walks all that is there again and again, and finds nothing.

The pause of imports begins when this module is imported, which `api.cli.main` does first, and ends with `end`. A
command starts in five sixths of the time.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

gc.disable()


def end() -> None:
    """Collect garbage again, but never what was imported: it stays as long as the process does."""
    gc.enable()
    gc.freeze()


@contextmanager
def garbage_left() -> Iterator[None]:
    """Collect no garbage while very many objects come that stay until the command ends."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
