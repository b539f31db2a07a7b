"""What a server imports: what only some answers need is imported by the first of them, and not held by every worker."""

from __future__ import annotations

import subprocess
import sys

import pytest

#: Pictures, tables in memory, GDAL, transformations, sparse matrices, the grammar of rare times, and what only the
#: build of the base map needs: some 200 MB.
HEAVY = ("pandas", "geopandas", "pyogrio", "pyarrow", "pyproj", "matplotlib", "PIL", "scipy", "typst", "folium", "edtf")


@pytest.mark.parametrize("module", ["api.app", "api.cli.main"])
def test_nothing_heavy_is_imported_before_it_is_needed(module: str) -> None:
    code = f"import sys, {module}; print(*(name for name in {HEAVY!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
