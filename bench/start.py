"""What a worker takes to start and at rest: `python -m bench.start STORE`, on a machine that does nothing else.

Beside it stands an application of FastAPI without a store under the same server, which is the least that any takes.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from api.settings import BASEMAP
from bench.live import Memory
from bench.peers.servers import Server, strikeatlas

#: Seconds after which a server that is ready is at rest.
_REST_S = 3.0
_BARE = "import fastapi, uvicorn; app = fastapi.FastAPI(); uvicorn.run(app, port={port}, log_level='warning')"


def bare(port: int = 54409) -> Server:
    """Serve nothing by FastAPI and uvicorn."""
    return Server("FastAPI alone", port, (sys.executable, "-c", _BARE.format(port=port)), ready="/openapi.json")


def measured(server: Server, log: Path) -> tuple[float, float, float, float]:
    """Start a server, and give seconds until it is ready, of the processor, and megabytes at rest: all, and no file."""
    with server.running(log) as running:
        time.sleep(_REST_S)
        return running.ready_s, running.cpu_s(), *Memory(running).look()


def main() -> None:
    """Measure and print the median of some starts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", type=Path, metavar="STORE")
    parser.add_argument("--basemap", type=Path, default=BASEMAP)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    servers = (strikeatlas(given.store, given.basemap), bare())
    runs: dict[str, list[tuple[float, ...]]] = {server.name: [] for server in servers}
    for _ in range(given.rounds):
        for server in servers:
            runs[server.name].append(measured(server, given.store.with_suffix(".log")))
    table = Table("server", "ready, s", "processor, s", "resident, MB", "no file, MB", title=f"{given.rounds} starts")
    for name, figures in runs.items():
        ready, cpu, resident, anonymous = (median(column) for column in zip(*figures, strict=True))
        table.add_row(name, f"{ready:.1f}", f"{cpu:.1f}", f"{resident:.0f}", f"{anonymous:.0f}")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
