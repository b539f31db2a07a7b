"""The subject of these tests is the base map itself."""

from __future__ import annotations

import pytest

from layers.reference.basemap import Basemap


@pytest.fixture(scope="session")
def base(whole_base: Basemap) -> Basemap:
    """The base map that `make setup` builds."""
    return whole_base
