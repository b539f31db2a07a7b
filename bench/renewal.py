"""How long a change takes to be served: `python -m bench.renewal world.gpkg`, on a copy of a store of `bench.world`.

A copy of a large store is without what is kept of it, and is read for minutes: `--in-place` edits the store itself.

Each edit gives one strike another title, day and place; the time goes from the call that writes to the view that shows
it.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
import shapely
from rich.console import Console
from rich.table import Table

from api.server.live_snapshot import LiveSnapshot
from api.settings import Settings
from layers.store.store import ANY, Edit, Store


def edited(atlas: LiveSnapshot, store: Store, number: int) -> tuple[float, float]:
    """Seconds of one edit until it is written, and from there until it is served."""
    strikes, ids = atlas.view.stored.strikes, atlas.view.snapshot.collections["strikes"].ids
    key = ids[number * 997 % len(ids)]
    index = shapely.Point(30 + number / 100, 50)
    changed = strikes[key].model_copy(
        update={"title": f"Edit {number}", "when": f"2024-05-{number % 28 + 1:02}", "geometry": index}
    )
    begun = time.perf_counter()
    store.write(Edit("strikes", key, changed, ANY), author="bench")
    written = time.perf_counter()
    atlas.refresh()
    assert (
        f"Edit {number}".encode()
        in atlas.view.snapshot.collections["strikes"].fragments[
            atlas.view.snapshot.collections["strikes"].rows_by_id[key]
        ]
    )
    return written - begun, time.perf_counter() - written


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", type=Path)
    parser.add_argument("--in-place", action="store_true", help="edit the store itself, with what is kept of it")
    parser.add_argument("--edits", type=int, default=10)
    parser.add_argument("--basemap", type=Path, default=Path("data/basemap.gpkg"))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(given.store if given.in_place else shutil.copy(given.store, folder))
        begun = time.perf_counter()
        atlas = LiveSnapshot(store, Settings(basemap=given.basemap), "bench")
        ready_s = time.perf_counter() - begun
        atlas.warm()
        took = np.array([edited(atlas, store, number) for number in range(given.edits)])
    table = Table("strikes", "assets", "built s", "write ms, median", "until served ms, median", "worst")
    snapshot = atlas.view.snapshot
    counts = (f"{len(snapshot.collections[name]):,}" for name in ("strikes", "assets"))
    write, serve = np.median(took, axis=0) * 1000
    table.add_row(*counts, f"{ready_s:.1f}", f"{write:.0f}", f"{serve:.0f}", f"{took[:, 1].max() * 1000:.0f}")
    Console().print(table)


if __name__ == "__main__":
    main()
