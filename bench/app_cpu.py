"""CPU time of the application for a request, without server and network: `python -m bench.app_cpu WORLD/world.gpkg`.

The questions are those of `bench.http`, each asked for the first time of a version and again. What this leaves out,
the reading and writing of HTTP, is the floor that `bench.http` measures.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
from collections.abc import Sequence
from pathlib import Path
from time import process_time
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table
from starlette.types import ASGIApp, Message

from api.app import create_app
from api.server.served_version import ServedVersion
from api.settings import Settings
from bench.questions import Question, features, tiles
from bench.report import OURS
from bench.world_columns import REGION
from layers.store.store import Store

#: Seconds that a question is asked for in one run; the least of the runs counts.
LASTS_S = 0.2
HOST = b"127.0.0.1:8000"


async def request(app: ASGIApp, address: str) -> bytes:
    """Ask as a client that takes no compression; give the body.

    Raises
    ------
    AssertionError
        If the answer is no success.
    """
    path, _, query = address.partition("?")
    scope: dict[str, Any] = {
        "type": "http", "http_version": "1.1", "method": "GET", "scheme": "http", "path": path,
        "raw_path": path.encode(), "query_string": query.encode(), "root_path": "", "headers": [(b"host", HOST)],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8000), "state": {},
    }  # fmt: skip
    parts: list[bytes] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            assert message["status"] == 200, (address, message["status"])
        else:
            parts.append(message["body"])

    await app(scope, receive, send)
    return b"".join(parts)


def clear_caches(view: ServedVersion) -> None:
    """Clear the caches of a served version, but for what follows from all rows of a collection, as their orders."""
    for cache in (view.tiles._tiles, view.responses._once, view.responses._again):
        cache.clear()
    for collection in view.snapshot.collections.values():
        collection.query_cache.clear()
        collection.filter_cache.clear()


async def first_time(app: ASGIApp, view: ServedVersion, paths: Sequence[str]) -> float:
    """Seconds of the processor for a request with cleared caches, the mean over the paths."""
    used = 0.0
    for path in paths:
        clear_caches(view)
        begun = process_time()
        await request(app, path)
        used += process_time() - begun
    return used / len(paths)


async def repeated(app: ASGIApp, paths: Sequence[str]) -> float:
    """Seconds of the processor for a request that is repeated, the mean over the paths."""
    count, begun = 0, process_time()
    while count < len(paths) or process_time() - begun < LASTS_S:
        await request(app, paths[count % len(paths)])
        count += 1
    return (process_time() - begun) / count


async def page_after(app: ASGIApp, offset: int, limit: int) -> Question:
    """The question for a page far in the collection, by cursor."""
    page = orjson.loads(await request(app, f"/collections/strikes/items?offset={offset}&limit={limit}"))
    (address,) = (link["href"] for link in page["links"] if link["rel"] == "next")
    return Question(f"cursor limit={limit}", {OURS: [address.partition(HOST.decode())[2]]}, "none")


async def measured(app: ASGIApp, view: ServedVersion, runs: int) -> Table:
    """Every question, microseconds the first time and again, the least of the runs."""
    strikes = len(view.snapshot.collections["strikes"])
    deep = [await page_after(app, int(strikes * 0.9), limit) for limit in (100, 1000) if limit < strikes // 10]
    table = Table("question", "first µs", "again µs", "bytes")
    for question in [*features(1, REGION, strikes), *deep, *tiles(first=False)]:
        paths = question.paths[OURS]
        size = len(await request(app, paths[0]))
        least = [min([await first_time(app, view, paths) for _ in range(runs)]),
                 min([await repeated(app, paths) for _ in range(runs)])]  # fmt: skip
        table.add_row(question.name, *(f"{seconds * 1e6:,.0f}" for seconds in least), f"{size:,}")
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", type=Path)
    parser.add_argument("--basemap", type=Path, default=Path("data/basemap.gpkg"))
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    app = create_app(Store.open(given.store), Settings(basemap=given.basemap, follow_every_s=0))
    gc.collect()
    gc.freeze()
    Console().print(asyncio.run(measured(app, app.state.atlas.view, given.runs)))


if __name__ == "__main__":
    main()
