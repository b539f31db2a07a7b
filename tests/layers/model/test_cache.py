"""What was asked for last is kept, never more than there is room for, also when threads ask at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from layers.model.cache import LruCache
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


def test_threads_that_make_the_same_answer_share_one_and_its_room_is_counted_once() -> None:
    recent: LruCache[list[int]] = LruCache(2)
    meet = threading.Barrier(8)

    def make() -> list[int]:
        meet.wait(timeout=10)
        return []

    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda _: recent.get_or_compute("same", make), range(8)))
    assert all(one is told[0] for one in told)
    assert recent.get_or_compute("other", lambda: [1]) == [1]
    assert recent.peek("same") is told[0]


def test_a_collection_caches_few_masks_and_rows_however_many_are_read() -> None:
    asked = collection([Site(id=str(number), count=number) for number in range(40)])
    for number in range(600):
        where = compile_filter(parse(f"count = {number}"), asked.queryables)
        assert rows(asked, Selection(where=where)).tolist() == [number] * (number < 40)
    assert 0 < len(asked.query_cache) <= 256
