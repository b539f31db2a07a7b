"""Time the store: a bulk load, a repeated load, single appends, reads: `python -m bench.store 100000`."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from layers.model.records import Decision, Records
from layers.store.store import Store
from tests.layers.store.store_killed import strikes

APPENDS = 2000


def decision(number: int) -> Decision:
    return Decision(
        id=f"d{number}", dataset="desk", strike="k-1", verdict="none", who="bench", when="2025-08-09", why="measured"
    )


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def measured(folder: Path, records: Records) -> dict[str, tuple[float, int]]:
    """Seconds, and number of records or calls, by name of the work."""
    store = Store.create(folder / "bench.gpkg")
    count = len(records.strikes)
    decisions = [decision(number) for number in range(APPENDS)]

    def append() -> None:
        for item in decisions:
            store.append("decisions", item, author="bench")

    def read() -> None:
        for _ in range(10_000):
            store.seq()

    return {
        "load into the empty store": (timed(lambda: store.load(records, author="bench")), count),
        "load the same again": (timed(lambda: store.load(records, author="bench")), count),
        "change every record": (timed(lambda: store.load(strikes(count, "other"), author="bench")), count),
        "append one decision, durably": (timed(append), APPENDS),
        "read all records": (timed(store.records), count),
        "read the history": (timed(lambda: sum(1 for _ in store.revisions())), store.seq()),
        "ask for the last number": (timed(read), 10_000),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=100_000, help="strikes to load")
    parser.add_argument("--folder", type=Path, help="where the store is made; a temporary folder if not given")
    arguments = parser.parse_args()
    table = Table("work", "seconds", "number", "each, µs", "a second")
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        for name, (seconds, number) in measured(Path(folder), strikes(arguments.count, "bench")).items():
            table.add_row(
                name, f"{seconds:.2f}", f"{number:,}", f"{seconds / number * 1e6:.0f}", f"{number / seconds:,.0f}"
            )
        size = sum(file.stat().st_size for file in Path(folder).iterdir())
    Console().print(table, f"{arguments.count:,} strikes with their history: {size / 1e6:.0f} MB with the log")


if __name__ == "__main__":
    main()
