"""Large bodies that are made while they are sent: no more of them is in memory than one chunk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator

#: Bytes of one chunk: large enough that the cost of each is small beside that of making it.
CHUNK = 256 * 2**10


async def chunks(parts: Iterable[bytes], size: int = CHUNK) -> AsyncIterator[bytes]:
    """Join small parts, and cut large ones, into chunks of ``size`` bytes, the last one smaller; no parts give none.

    The parts are made beside the loop, each chunk when the one before has been taken. An error in making them ends
    the answer half-way, which a client sees.
    """
    made = _sized(parts, size)
    while (chunk := await asyncio.to_thread(next, made, None)) is not None:
        yield chunk


def _sized(parts: Iterable[bytes], size: int) -> Iterator[bytes]:
    waiting: list[bytes | memoryview] = []
    length = 0
    for part in parts:
        rest = memoryview(part)
        while length + len(rest) >= size:
            cut = size - length
            yield b"".join([*waiting, rest[:cut]])
            waiting, length, rest = [], 0, rest[cut:]
        if rest:
            waiting.append(rest)
            length += len(rest)
    if waiting:
        yield b"".join(waiting)
