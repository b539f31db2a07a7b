"""How long a change takes to be served: `python -m bench.renewal world.gpkg`, on a copy of a store of `bench.world`.

A copy of a large store is without its cache, and is read for minutes: `--in-place` edits the store itself.

Each edit gives one strike another title, day and place, and each decision leaves a strike open; both are written as the
API writes them, with the tables of the store that follow from them. The time goes from the call that writes to the
view that shows it.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import shapely
from rich.console import Console
from rich.table import Table

from api.server.live_snapshot import LiveSnapshot
from api.settings import BASEMAP, Settings
from layers.model.records import Decision
from layers.store.store import ANY, Edit, Store


def edited(atlas: LiveSnapshot, number: int) -> tuple[float, float]:
    """Seconds of one edit until it is written, and from there until it is served."""
    key = _strike(atlas, number)
    changed = atlas.view.stored.strikes[key].model_copy(
        update={
            "title": f"Edit {number}",
            "when": f"2024-05-{number % 28 + 1:02}",
            "geometry": shapely.Point(30 + number / 100, 50),
        }
    )
    seconds = _served_after(atlas, lambda: atlas.write(Edit("strikes", key, changed, ANY), author="bench"))
    strikes = atlas.view.snapshot.collections["strikes"]
    assert f"Edit {number}".encode() in strikes.fragments[strikes.rows_by_id[key]]
    return seconds


def decided(atlas: LiveSnapshot, number: int) -> tuple[float, float]:
    """Seconds of one decision until it is written, and from there until it is served."""
    key = _strike(atlas, number)
    values = {"id": f"bench-{time.time_ns()}", "dataset": "bench", "strike": key, "verdict": "unsure"}
    decision = Decision.model_validate({**values, "who": "bench", "when": "2024-05-01", "why": "bench"})
    seconds = _served_after(atlas, lambda: atlas.append("decisions", decision, author="bench"))
    assert decision.id in atlas.view.snapshot.records.decisions
    return seconds


def _strike(atlas: LiveSnapshot, number: int) -> str:
    ids = atlas.view.snapshot.collections["strikes"].ids
    key: str = ids[number * 997 % len(ids)]
    return key


def _served_after(atlas: LiveSnapshot, write: Callable[[], int]) -> tuple[float, float]:
    begun = time.perf_counter()
    write()
    written = time.perf_counter()
    atlas.refresh()
    return written - begun, time.perf_counter() - written


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", type=Path)
    parser.add_argument("--in-place", action="store_true", help="edit the store itself, with what is kept of it")
    parser.add_argument("--edits", type=int, default=10)
    parser.add_argument("--basemap", type=Path, default=BASEMAP)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(given.store if given.in_place else shutil.copy(given.store, folder))
        begun = time.perf_counter()
        atlas = LiveSnapshot(store, Settings(basemap=given.basemap), "bench")
        ready_s = time.perf_counter() - begun
        atlas.warm()
        took = {
            change.__name__: np.array([change(atlas, number) for number in range(given.edits)]) * 1000
            for change in (edited, decided)
        }
    table = Table("strikes", "assets", "built s", "change", "write ms, median", "until served ms, median", "worst")
    snapshot = atlas.view.snapshot
    counts = [f"{len(snapshot.collections[name]):,}" for name in ("strikes", "assets")]
    for change, times in took.items():
        write, serve = np.median(times, axis=0)
        table.add_row(*counts, f"{ready_s:.1f}", change, f"{write:.0f}", f"{serve:.0f}", f"{times[:, 1].max():.0f}")
    Console().print(table)


if __name__ == "__main__":
    main()
