"""A server under load while a store is edited in place: `python -m bench.live WORLD/world.gpkg`, of `bench.world`.

Strikes are edited one after the other while readers ask for pages of 50; every tenth is asked for until each worker
serves it, which is when ten new connections in a row, which the workers share, have told it. Memory is that of the
worker that takes most: all that is resident, and what of it is no file that is mapped.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from api.server.live_snapshot import LiveSnapshot
from api.settings import BASEMAP, Settings
from bench.peers.servers import Running, Server, strikeatlas
from bench.wrk import load
from layers.model.records import Strike
from layers.store.store import ANY, Edit, Store

#: So many new connections in a row must tell an edit.
_IN_A_ROW = 10
#: Every which edit is asked for.
_REQUESTED = 10
#: Rows between the strikes that are edited.
_STEP = 7919
_PAGE = "/collections/strikes/items?limit=50"


class Memory:
    """Megabytes of the workers of a server, the most that one of them had at once."""

    def __init__(self, running: Running) -> None:
        self._running = running
        self.resident = self.anonymous = 0.0

    @contextmanager
    def watched(self, every_s: float = 0.5) -> Iterator[Memory]:
        """Look while the block runs."""
        over = threading.Event()

        def look_on() -> None:
            while not over.wait(every_s):
                self.look()

        watch = threading.Thread(target=look_on)
        watch.start()
        try:
            yield self
        finally:
            over.set()
            watch.join()
            self.look()

    def look(self) -> tuple[float, float]:
        """Memory of the largest worker in megabytes: resident, without mapped files."""
        resident, anonymous = max(self._workers())
        self.resident, self.anonymous = max(self.resident, resident), max(self.anonymous, anonymous)
        return resident, anonymous

    def _workers(self) -> Iterator[tuple[float, float]]:
        for process in self._running.processes():
            with suppress(OSError):
                rollup = (process / "smaps_rollup").read_text()
                resident, anonymous = (re.search(rf"{name}:\s+(\d+)", rollup) for name in ("Rss", "Anonymous"))
                if resident and anonymous:
                    yield int(resident[1]) / 1000, int(anonymous[1]) / 1000


def title(port: int, key: str) -> str:
    """The title of a strike, requested over a connection of its own."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", f"/collections/strikes/items/{key}", headers={"Connection": "close"})
    answer = connection.getresponse()
    values = json.loads(answer.read())
    assert answer.status == 200, values
    return str(values["properties"]["title"])


def shown_s(port: int, key: str, expected: str) -> float:
    """Seconds until every worker tells a title, and from then on."""
    begun, since, row = time.perf_counter(), 0.0, 0
    while row < _IN_A_ROW:
        if title(port, key) != expected:
            row = 0
            continue
        since = since if row else time.perf_counter() - begun
        row += 1
    return since


def edited(store: Store, strikes: list[Strike], port: int, rest_s: float) -> list[float]:
    """Edit strikes; seconds until each edit was served by all workers."""
    took = list[float]()
    for number, strike in enumerate(strikes):
        named = f"Edit {number} {time.time_ns()}"
        store.write(Edit("strikes", strike.id, strike.model_copy(update={"title": named}), ANY), author="bench")
        if number % _REQUESTED == _REQUESTED - 1:
            took.append(shown_s(port, strike.id, named))
        time.sleep(rest_s)
    return took


def sample(store: Store, base: Path, count: int) -> tuple[int, list[Strike]]:
    """How many strikes there are, and those that are edited."""
    strikes = LiveSnapshot(store, Settings(basemap=base), "bench").view.stored.strikes
    ids = list(strikes)
    return len(ids), [strikes[ids[number * _STEP % len(ids)]] for number in range(count)]


def served(path: Path, base: Path, workers: int) -> Server:
    """The server that is measured."""
    server = strikeatlas(path, base)
    return dataclasses.replace(server, command=(*server.command, "--workers", str(workers)), ready=_PAGE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--edits", type=int, default=60)
    parser.add_argument("--rest", type=float, default=0.5, help="seconds between two edits")
    parser.add_argument("--connections", type=int, default=200, help="of readers; 0 for none")
    parser.add_argument("--seconds", type=int, default=60, help="for which readers ask")
    parser.add_argument("--basemap", type=Path, default=BASEMAP)
    given = parser.parse_args()
    store, server = Store.open(given.store), served(given.store, given.basemap, given.workers)
    count, strikes = sample(store, given.basemap, given.edits)
    with server.running(given.store.with_suffix(".log")) as running, ThreadPoolExecutor(1) as readers:
        time.sleep(30)  # in which all is made ready
        memory = Memory(running)
        before = memory.look()
        with memory.watched():
            requests = None
            if given.connections:
                requests = readers.submit(load, server.url, [_PAGE], given.connections, given.seconds, {})
            took = np.array(edited(store, strikes, server.port, given.rest))
            traffic = requests.result() if requests else None
        after = memory.look()
    table = Table("what", "", title=f"{count:,} strikes, {given.workers} workers")
    table.add_row("ready, s", f"{running.ready_s}")
    table.add_row("edits until all workers served them, s: median, worst", f"{np.median(took):.2f}, {took.max():.2f}")
    table.add_row("memory of a worker before, MB: all, no file", "{:,.0f}, {:,.0f}".format(*before))
    table.add_row("at most", f"{memory.resident:,.0f}, {memory.anonymous:,.0f}")
    table.add_row("after", "{:,.0f}, {:,.0f}".format(*after))
    if traffic:
        table.add_row(
            f"answers to {given.connections} connections, failed", f"{traffic.requests:,}, {traffic.failed:,}"
        )
        table.add_row("requests a second", f"{traffic.each_second:,.0f}")
        table.add_row("median, 99 of 100, ms", f"{traffic.p50_ms:.0f}, {traffic.p99_ms:.0f}")
    Console().print(table)


if __name__ == "__main__":
    main()
