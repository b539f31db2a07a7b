"""Compare the tile encoder with mapbox-vector-tile on the same tile: `python -m bench.tiles --rows 100000`."""

from __future__ import annotations

import argparse
import gzip
from collections.abc import Callable
from time import perf_counter

import mapbox_vector_tile
import numpy as np
import shapely
from rich.console import Console
from rich.table import Table

from geo.mvt import Layer
from geo.tiles import Tile, bounds, tile_at, world

TILE = tile_at(31.0, 47.0, 6)


def shapes(rows: int, kind: str) -> np.ndarray:
    """Make points, lines or polygons spread evenly over the tile."""
    west, south, east, north = bounds(TILE)
    rng = np.random.default_rng(1)
    xy = np.column_stack([rng.uniform(west, east, rows), rng.uniform(south, north, rows)])
    if kind == "points":
        return shapely.points(xy)
    paths = xy[:, None] + np.cumsum(rng.normal(0, 0.02, (rows, 12, 2)), axis=1)
    made = shapely.linestrings(paths)
    return made if kind == "lines" else shapely.convex_hull(made)


def properties(rows: int) -> dict[str, np.ndarray]:
    """Make four properties as a strike has them."""
    rng = np.random.default_rng(2)
    return {
        "status": rng.choice(["draft", "reported", "corroborated", "verified"], rows),
        "kind": rng.choice(["refinery", "depot", "terminal", "pipeline", "station"], rows),
        "drones": rng.integers(1, 60, rows),
        "share": rng.random(rows).round(2),
    }


def oracle(rows: np.ndarray, columns: dict[str, np.ndarray], tile: Tile) -> bytes:
    """Encode with mapbox-vector-tile, which is handed tile units."""
    units = shapely.transform(rows, lambda xy: np.rint((world(xy) * (1 << tile.z) - [tile.x, tile.y]) * 4096))
    values = {name: column.tolist() for name, column in columns.items()}
    features = [
        {"geometry": shape, "id": row, "properties": {name: values[name][row] for name in values}}
        for row, shape in enumerate(units)
    ]
    layer = [{"name": "a", "features": features}]
    return mapbox_vector_tile.encode(layer, default_options={"y_coord_down": True})


def timed(call: Callable[[], bytes], rounds: int) -> tuple[float, bytes]:
    """Give the shortest of some runs in seconds, and the tile."""
    times = []
    for _ in range(rounds):
        start = perf_counter()
        tile = call()
        times.append(perf_counter() - start)
    return min(times), tile


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    table = Table("layer", "encoder", "ms", "ratio", "kB", "kB gzip -1", title=f"{given.rows:,} rows in {TILE}")
    columns = properties(given.rows)
    for kind in ("points", "lines", "polygons"):
        rows = shapes(given.rows, kind)
        ids = np.arange(given.rows)
        whole, thin = Layer("a", rows, ids, columns), Layer("a", rows, ids, columns, thin=True)
        whole.encode(TILE), thin.encode(TILE)  # each zoom is made ready once
        runs: list[tuple[str, Callable[[], bytes]]] = [("geo", lambda layer=whole: layer.encode(TILE))]
        if kind == "points":
            runs.append(("geo, thinned", lambda layer=thin: layer.encode(TILE)))
        runs.append(("mapbox-vector-tile", lambda rows=rows: oracle(rows, columns, TILE)))
        first = 0.0
        for name, call in runs:
            seconds, tile = timed(call, given.rounds if name != "mapbox-vector-tile" else 1)
            first = first or seconds
            size, packed = len(tile) / 1e3, len(gzip.compress(tile, 1)) / 1e3
            table.add_row(kind, name, f"{seconds * 1e3:.1f}", f"{seconds / first:.2f}", f"{size:.0f}", f"{packed:.0f}")
    Console().print(table)


if __name__ == "__main__":
    main()
