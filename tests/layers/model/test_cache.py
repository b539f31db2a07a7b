"""What was asked for last is kept, never more than there is room for, also when threads ask at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from layers.model.cache import Lazy, LruCache
from layers.query.cql2_text import parse
from layers.query.filter import compile_filter
from layers.query.selection import Selection, rows
from tests.layers.query.filter_strategies import Site, collection


def test_the_answers_last_read_are_cached() -> None:
    made: list[int] = []

    def make(number: int) -> int:
        made.append(number)
        return number

    recent: LruCache[int] = LruCache(2)
    for number in (1, 2, 1, 3, 1, 2):
        assert recent.get_or_compute(number, lambda number=number: make(number)) == number  # type: ignore[misc]
    assert made == [1, 2, 3, 2], "2 was dropped for 3, as 1 was asked for since"


@given(st.lists(st.integers(0, 12)), st.integers(1, 20))
def test_cached_values_never_take_more_than_there_is_room_for(sizes: list[int], room: int) -> None:
    made: list[int] = []

    def make(number: int) -> bytes:
        made.append(number)
        return bytes(sizes[number])

    recent: LruCache[bytes] = LruCache(room, len)
    for number, size in enumerate(sizes):
        assert len(recent.get_or_compute(number, lambda number=number: make(number))) == size  # type: ignore[misc]
        kept = [recent.peek(old) for old in range(number + 1)]
        assert sum(len(one) for one in kept if one is not None) <= room
        assert (kept[-1] is not None) == (size <= room)
    assert made == list(range(len(sizes))), "looking at what is kept makes nothing"


def test_threads_that_look_up_one_key_at_once_share_a_value_that_is_computed_once() -> None:
    recent: LruCache[list[int]] = LruCache(2)
    meet, goes_on, made = threading.Barrier(9), threading.Event(), []

    def make() -> list[int]:
        made.append(1)
        assert goes_on.wait(timeout=10)
        return []

    def ask(_: int) -> list[int]:
        meet.wait(timeout=10)
        return recent.get_or_compute("same", make)

    with ThreadPoolExecutor(8) as pool:
        told = pool.map(ask, range(8))
        meet.wait(timeout=10)
        assert recent.get_or_compute("other", lambda: [1]) == [1], "who asks for something else does not wait"
        goes_on.set()
        assert all(one is recent.peek("same") for one in told)
    assert len(made) == 1
    assert len(recent) == 2, "its room is counted once"


def test_who_waits_for_a_value_that_fails_computes_it() -> None:
    recent: LruCache[int] = LruCache(2)
    begun, fails = threading.Event(), threading.Event()

    def fail() -> int:
        begun.set()
        assert fails.wait(timeout=10)
        raise ValueError

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(recent.get_or_compute, "same", fail)
        assert begun.wait(timeout=10)
        second = pool.submit(recent.get_or_compute, "same", lambda: 2)
        fails.set()
        assert isinstance(first.exception(timeout=10), ValueError)
        assert second.result(timeout=10) == 2


def test_a_collection_caches_few_masks_and_rows_however_many_are_read() -> None:
    asked = collection([Site(id=str(number), count=number) for number in range(40)])
    for number in range(600):
        where = compile_filter(parse(f"count = {number}"), asked.queryables)
        assert rows(asked, Selection(where=where)).tolist() == [number] * (number < 40)
    assert 0 < len(asked.query_cache) <= 256


def test_a_value_that_is_read_once_is_not_stored() -> None:
    calls: list[int] = []

    def compute() -> int:
        calls.append(1)
        return len(calls)

    lazy = Lazy(compute)
    assert (lazy.once(), lazy.once(), lazy.is_computed) == (1, 2, False)
    assert (lazy.value, lazy.once(), lazy.is_computed) == (3, 3, True)


def test_a_lazy_value_that_was_reset_is_computed_when_it_is_read_again() -> None:
    for lazy in (Lazy.of([1]), Lazy(lambda: [1])):
        lazy.reset(lambda: [2])
        assert not lazy.is_computed
        assert lazy.value == [2]
        assert lazy.is_computed
