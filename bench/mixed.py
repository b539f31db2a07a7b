"""A mixed load of many clients beside one that asks for what costs most: `python -m bench.mixed WORLD/world.gpkg`.

Clients are told apart by address, each connection of which asks, rests, and asks again: pages, tiles, filters and
maps by lot, with values that hardly repeat. A hostile client asks for large maps over many connections without a rest.
Each has an address in 127.0.0.0/8, which Linux gives without being asked.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from api.settings import BASEMAP
from bench.live import Memory, served

Lot = random.Random
_HOSTILE = "127.0.9.9"
_STATUSES = ("reported", "corroborated", "verified")


def page(lot: Lot) -> str:
    return f"/collections/strikes/items?limit=50&offset={lot.randrange(1000) * 50}"


def selected(lot: Lot) -> str:
    west, south = lot.uniform(20, 60), lot.uniform(30, 55)
    box = f"S_INTERSECTS(geometry,BBOX({west:.3f},{south:.3f},{west + 5:.3f},{south + 5:.3f}))"
    return f"/collections/strikes/items?limit=50&filter={box}%20AND%20status='{lot.choice(_STATUSES)}'"


def tile(lot: Lot) -> str:
    zoom = lot.randrange(3, 9)
    x, y = (int((1 << zoom) * lot.uniform(*part)) for part in ((0.56, 0.66), (0.3, 0.42)))
    return f"/tiles/{lot.choice(('strikes', 'assets'))}/{zoom}/{x}/{y}.mvt"


def picture(lot: Lot) -> str:
    west, south = lot.uniform(20, 45), lot.uniform(35, 50)
    return f"/map?f=png&width=640&height=480&bbox={west:.3f},{south:.3f},{west + 8:.3f},{south + 6:.3f}"


def large_picture(lot: Lot) -> str:
    west = lot.uniform(-20, 0)
    return f"/map?f=png&width=2048&height=2048&bbox={west:.4f},-10,{west + 80:.4f},70"


#: What well-behaved clients ask for, and how often of a hundred requests.
KINDS: dict[str, tuple[Callable[[Lot], str], int]] = {
    "page of 50": (page, 50),
    "tile": (tile, 35),
    "filter": (selected, 12),
    "map, 640 x 480": (picture, 3),
}


@dataclass
class Answers:
    """Seconds of the answers of one kind, and how many had each status; 0 is a connection that broke."""

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def failed(self) -> dict[int, int]:
        return {status: count for status, count in self.statuses.items() if status != 200}

    def figures(self) -> dict[str, object]:
        took = np.array([*self.seconds, *([] if self.seconds else [np.nan])]) * 1000
        p50, p99, worst = (round(float(value), 1) for value in (*np.percentile(took, (50, 99)), took.max()))
        return {"answers": len(self.seconds), "failed": self.failed, "p50": p50, "p99": p99, "worst": worst}


class Connection:
    """A connection from an address of its own, opened again where it broke."""

    def __init__(self, address: str, port: int) -> None:
        self._address, self._port = address, port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, path: str) -> int:
        """Return the status of an answer that was read whole; 0 where the connection broke.

        The server closes connections that rest for 5 s; as browsers do, such a request is sent once more.
        """
        rested = self._streams is not None
        return await self._status_of(path) or (await self._status_of(path) if rested else 0)

    async def _status_of(self, path: str) -> int:
        try:
            if self._streams is None:
                here = (self._address, 0)
                self._streams = await asyncio.open_connection("127.0.0.1", self._port, local_addr=here)
            reader, writer = self._streams
            writer.write(f"GET {path} HTTP/1.1\r\nHost: atlas.example\r\nAccept-Encoding: gzip\r\n\r\n".encode())
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
            return int(head.split(b" ", 2)[1])
        except (OSError, EOFError, ValueError, asyncio.IncompleteReadError):
            self.close()
            return 0

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def behaved(connection: Connection, lot: Lot, rest_s: float, until: float, seen: dict[str, Answers]) -> None:
    """Ask by lot and rest, until a moment."""
    names = list(KINDS)
    await asyncio.sleep(lot.uniform(0, rest_s))
    while (begun := time.monotonic()) < until:
        name = lot.choices(names, [KINDS[name][1] for name in names])[0]
        status = await connection.ask(KINDS[name][0](lot))
        seen[name].statuses[status] += 1
        seen[name].seconds.append(time.monotonic() - begun)
        await asyncio.sleep(lot.expovariate(1 / rest_s) if rest_s else 0)
    connection.close()


async def hostile(connection: Connection, lot: Lot, until: float, seen: Answers) -> None:
    """Ask for the most expensive map again and again; a refusal is taken at its word."""
    while (begun := time.monotonic()) < until:
        status = await connection.ask(large_picture(lot))
        seen.statuses[status] += 1
        seen.seconds.append(time.monotonic() - begun)
        await asyncio.sleep(0 if status == 200 else 1)
    connection.close()


async def load(port: int, given: argparse.Namespace) -> dict[str, Answers]:
    """Let all clients ask for some seconds; what is under way then is waited for."""
    seen = {name: Answers() for name in (*KINDS, "hostile: map, 2048 x 2048")}
    until = time.monotonic() + given.seconds
    tasks = []
    for number in range(given.connections):
        client = number % given.clients
        connection = Connection(f"127.0.{1 + client // 250}.{1 + client % 250}", port)
        tasks.append(behaved(connection, Lot(number), given.rest, until, seen))
    for number in range(given.hostile):
        worst = seen["hostile: map, 2048 x 2048"]
        tasks.append(hostile(Connection(_HOSTILE, port), Lot(-1 - number), until, worst))
    await asyncio.gather(*tasks)
    return seen


def rows(seen: dict[str, Answers]) -> Iterator[tuple[str, ...]]:
    for name, answers in seen.items():
        figures = answers.figures()
        yield name, *(f"{figures[key]:,}" if key != "failed" else str(figures[key] or "") for key in figures)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", type=Path)
    parser.add_argument("--basemap", type=Path, default=BASEMAP)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--connections", type=int, default=200, help="of well-behaved clients")
    parser.add_argument("--clients", type=int, default=50, help="addresses that these come from")
    parser.add_argument("--rest", type=float, default=1.0, help="mean seconds between an answer and the next request")
    parser.add_argument("--hostile", type=int, default=64, help="connections of the hostile client; 0 for none")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--json", type=Path, help="write everything measured here")
    given = parser.parse_args()
    server = dataclasses.replace(served(given.store, given.basemap, given.workers), name="mixed")
    with server.running(given.store.with_suffix(".log")) as running:
        time.sleep(15)  # in which all is made ready
        memory = Memory(running)
        before = memory.look()
        with memory.watched():
            seen = asyncio.run(load(server.port, given))
        time.sleep(5)
        after = memory.look()
    memories = {"before": before, "most": (memory.resident, memory.anonymous), "after": after}
    if given.json:
        figures = {name: answers.figures() for name, answers in seen.items()}
        given.json.write_text(json.dumps({"answers": figures, "memory_mb": memories}, indent=1))
    table = Table("what", "answers", "failed, by status", "p50 ms", "p99 ms", "worst ms")
    for row in rows(seen):
        table.add_row(*row)
    Console(width=140).print(table, f"largest worker, MB, all and no file: {memories}")


if __name__ == "__main__":
    main()
