"""The tests of the store run on each kind; `tests.store_kinds.geopackage_only` marks those of what only a file has."""

import pytest

from layers.store.store import Store
from tests.store_kinds import NewStore


@pytest.fixture
def store(new_store: NewStore) -> Store:
    return new_store()
