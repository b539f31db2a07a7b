"""The collector of garbage rests while it is paused, and is afterwards as it was."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from layers.model.garbage import collection_paused


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    gc.enable()


@pytest.mark.parametrize("was_enabled", [True, False])
def test_it_is_afterwards_as_it_was_also_after_an_error(was_enabled: bool) -> None:
    if not was_enabled:
        gc.disable()
    found = []

    def fail() -> None:
        with collection_paused():
            found.append(gc.isenabled())
            with collection_paused():
                pass
            found.append(gc.isenabled())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert found == [False, False]
    assert gc.isenabled() == was_enabled


def test_it_is_paused_at_each_call_of_a_function() -> None:
    @collection_paused()
    def is_enabled() -> bool:
        return gc.isenabled()

    assert [is_enabled(), gc.isenabled(), is_enabled(), gc.isenabled()] == [False, True, False, True]
