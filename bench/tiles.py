"""Time vector tiles that are in no cache, beside PostGIS: `python -m bench.tiles WORLD --peers PEERS`.

The same rows with the same properties: of each collection the tiles of zooms 0 to 14 that hold some of its features,
drawn by lot, each once. Ours are made by the layer of the served collection, of a view that was just read and made
ready as a server does, in this process; those of PostGIS by ST_AsMVT over one connection, whole, as it does not thin
points.
"""

from __future__ import annotations

import argparse
import gc
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import shapely
from rich.console import Console
from rich.table import Table

from api.server.live_snapshot import LiveSnapshot
from api.settings import BASEMAP, Settings
from bench.peers.postgres import Cluster
from bench.world_tables import columns, write_postgis
from geo.tiles import mvt
from geo.tiles.tile_matrix import MERCATOR, Tile
from layers.collections.collection import Collection
from layers.store.store import Store

ZOOMS = range(15)
#: Tiles of one collection.
TILES = 184
NAMES = ("strikes", "assets")
MEASURES = ("median ms", "p95", "p99", "worst", "all, s")
#: How often a tile is made again, of which the quickest counts.
LAPS = 5
_QUERY = """
WITH bounds AS (SELECT ST_TileEnvelope({z}, {x}, {y}) AS box,
                ST_Transform(ST_TileEnvelope({z}, {x}, {y}, margin => 64.0 / 4096), 4326) AS around),
rows AS (SELECT ST_AsMVTGeom(ST_Transform(geom, 3857), box, 4096, 64, true) AS geom, {names}
         FROM {table}, bounds WHERE geom && around)
SELECT length(ST_AsMVT(rows, '{table}', 4096, 'geom')) FROM rows;
"""


def drawn(collection: Collection, seed: int = 1) -> list[Tile]:
    """The tiles that hold features drawn by lot: of each zoom about as many, and no tile twice."""
    in_place = collection.shapes[~shapely.is_missing(collection.shapes)]
    chosen = np.random.default_rng(seed).choice(len(in_place), 4 * TILES)
    at = MERCATOR.world(shapely.get_coordinates(shapely.centroid(in_place[chosen])))
    picked: list[Tile] = []
    for number in range(len(at)):
        for zoom in ZOOMS:
            x, y = (at[number] * 2**zoom).astype(int).tolist()
            if len(picked) < TILES and Tile(zoom, x, y) not in picked:
                picked.append(Tile(zoom, x, y))
    return sorted(picked)


def ours(collection: Collection, tiles: Sequence[Tile]) -> Iterator[tuple[float, int]]:
    """Milliseconds and bytes of each tile."""
    for tile in tiles:
        begun = time.perf_counter()
        result = mvt.encode(collection.layer, tile)
        yield (time.perf_counter() - begun) * 1000, len(result)


def processor_ms(work: Callable[[], object]) -> float:
    """Milliseconds of the processor that some work takes."""
    begun = time.process_time()
    work()
    return (time.process_time() - begun) * 1000


def again(collection: Collection, tiles: Sequence[Tile]) -> dict[str, float]:
    """Milliseconds of the processor for all tiles: to find their features, and to find and encode them.

    Of each tile it is the least of some times, in turns, after it was drawn before.
    """
    layer, ms = collection.layer, np.zeros(2)
    for tile in tiles:
        steps: list[Callable[[], object]] = [partial(layer.features, tile), partial(mvt.encode, layer, tile)]
        ms += np.min([[processor_ms(step) for step in steps] for _ in range(LAPS)], axis=0)
    return dict(zip(("features", "tiles"), ms.tolist(), strict=True))


def theirs(collection: Collection, tiles: Sequence[Tile], connection: str) -> list[tuple[float, int]]:
    """Milliseconds and bytes of each tile from PostGIS, timed by psql, which is sent the length of a tile only.

    Lists, which tiles have not, are joined as texts.
    """
    names = ", ".join(
        f'array_to_string("{name}", \',\') AS "{name}"' if kind.endswith("[]") else f'"{name}"'
        for name, kind in columns(collection).items()
    )
    queries = (_QUERY.format(names=names, table=collection.name, z=tile.z, x=tile.x, y=tile.y) for tile in tiles)
    psql = ["psql", "--quiet", "--no-psqlrc", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1", connection]
    script = "\n".join(["SET statement_timeout = 0;", "\\timing on", *queries])
    output = subprocess.run(psql, input=script, capture_output=True, text=True, check=True).stdout
    return [(float(ms), int(size)) for size, ms in re.findall(r"(\d+)\nTime: ([\d.]+) ms", output)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("world", type=Path, help="as bench.world made it, and a server or `strikeatlas cache` read it")
    parser.add_argument("--peers", type=Path, help="as bench.peers.install made it; without it ours alone are timed")
    parser.add_argument("--basemap", type=Path, default=BASEMAP)
    parser.add_argument("--fill", action="store_true", help="write the features into the database first")
    given = parser.parse_args()
    store = Store.open(given.world / "world.gpkg")
    shown = Table("collection", "rows", "whose", "tiles", *MEASURES, "largest kB")
    live = LiveSnapshot(store, Settings(basemap=given.basemap), "bench")
    live.warm()  # as a server does beside its first answers
    layers = live.view.snapshot.collections
    gc.collect()
    gc.freeze()  # as the server does
    for name in NAMES:
        add_row(shown, layers[name], "StrikeAtlas", list(ours(layers[name], drawn(layers[name]))))
    if given.peers is not None:
        cluster = Cluster(given.peers / "postgres")
        cluster.start()
        for name in NAMES:
            if given.fill:
                write_postgis(layers[name], cluster.connection)
            add_row(shown, layers[name], "PostGIS", theirs(layers[name], drawn(layers[name]), cluster.connection))
    console = Console(width=120)
    console.print(shown)
    for name in NAMES:
        console.print(f"{name}, all tiles again, ms of the processor: {again(layers[name], drawn(layers[name]))}")


def add_row(shown: Table, collection: Collection, whose: str, timed: Sequence[tuple[float, int]]) -> None:
    """Add what the tiles of a collection took to a table."""
    ms, size = np.array(timed).T
    numbers = (*np.percentile(ms, [50, 95, 99]), ms.max(), ms.sum() / 1000)
    cells = (f"{number:,.2f}" for number in numbers)
    shown.add_row(collection.name, f"{len(collection):,}", whose, str(len(ms)), *cells, f"{size.max() / 1000:,.0f}")


if __name__ == "__main__":
    main()
