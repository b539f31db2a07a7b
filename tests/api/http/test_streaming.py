"""Chunks of a large body: all of it, in even pieces, and no more made than is taken."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.http.streaming import CHUNK, chunks


def taken(parts: list[bytes], size: int = CHUNK) -> list[bytes]:
    async def all_of_it() -> list[bytes]:
        return [chunk async for chunk in chunks(parts, size)]

    return asyncio.run(all_of_it())


@given(parts=st.lists(st.binary(max_size=40), max_size=20), size=st.integers(1, 50))
def test_chunks_are_the_parts_joined_and_all_but_the_last_are_of_the_size(parts: list[bytes], size: int) -> None:
    found = taken(parts, size)
    assert b"".join(found) == b"".join(parts)
    assert all(len(chunk) == size for chunk in found[:-1])
    assert all(0 < len(chunk) <= size for chunk in found)


def test_a_part_may_be_larger_than_many_chunks() -> None:
    assert [len(chunk) for chunk in taken([b"x" * (3 * CHUNK + 1)])] == [CHUNK, CHUNK, CHUNK, 1]


def test_nothing_gives_nothing() -> None:
    assert taken([]) == taken([b"", b""]) == []


def test_parts_are_made_when_they_are_wanted_and_beside_the_loop() -> None:
    made, threads = 0, set[int]()

    def parts() -> Iterator[bytes]:
        nonlocal made
        for _ in range(100):
            made += 1
            threads.add(threading.get_ident())
            yield b"x" * 10

    async def some() -> None:
        async for _ in chunks(parts(), 50):
            assert made <= 6
            await asyncio.sleep(0.01)
            assert made <= 6
            break

    asyncio.run(some())
    assert threading.get_ident() not in threads


def test_an_error_comes_after_what_was_made() -> None:
    def parts() -> Iterator[bytes]:
        yield b"x" * 10
        raise OSError("the disk")

    async def all_of_it() -> list[bytes]:
        return [chunk async for chunk in chunks(parts(), 10)]

    with pytest.raises(OSError, match="the disk"):
        asyncio.run(all_of_it())
