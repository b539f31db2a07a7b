"""Compare the spatial join with geopandas at the same radius: `python -m bench.pairs --rows 100000`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from time import perf_counter

import geopandas
import numpy as np
import shapely
from rich.console import Console
from rich.table import Table

from geo.spatial_join.join import pairs_within

#: The Black Sea and its neighbours: west, south, east, north.
REGION = (22.0, 43.0, 42.0, 53.0)
#: Metres on the ground there, for the peers that only know a plane.
PLANE = "EPSG:3035"


def points(rows: int, seed: int) -> np.ndarray:
    """Make points spread evenly over the region."""
    west, south, east, north = REGION
    rng = np.random.default_rng(seed)
    return np.array(shapely.points(rng.uniform(west, east, rows), rng.uniform(south, north, rows)), dtype=object)


def lines(rows: int, seed: int) -> np.ndarray:
    """Make wandering lines of 20 vertices, some 60 km long, as pipelines are."""
    rng = np.random.default_rng(seed)
    steps = np.cumsum(rng.normal(0, 0.02, (rows, 20, 2)), axis=1)
    return np.array(shapely.linestrings(shapely.get_coordinates(points(rows, seed))[:, None] + steps), dtype=object)


def ours(left: np.ndarray, right: np.ndarray, radius_m: float) -> int:
    """Join with geo."""
    return len(pairs_within(left, right, radius_m).left)


def sjoin(left: np.ndarray, right: np.ndarray, radius_m: float) -> int:
    """Join with geopandas in a plane, the projection included; it gives no distance."""
    a, b = (geopandas.GeoDataFrame(geometry=side, crs="OGC:CRS84").to_crs(PLANE) for side in (left, right))
    return len(geopandas.sjoin(a, b, predicate="dwithin", distance=radius_m))


def sjoin_distance(left: np.ndarray, right: np.ndarray, radius_m: float) -> int:
    """Join with geopandas as above and measure each pair, which is what geo gives."""
    a, b = (geopandas.GeoDataFrame(geometry=side, crs="OGC:CRS84").to_crs(PLANE) for side in (left, right))
    near = geopandas.sjoin(a, b, predicate="dwithin", distance=radius_m)
    nearest = b.geometry.to_numpy()[near["index_right"].to_numpy()]
    return len(shapely.distance(near.geometry.to_numpy(), nearest))


def best_of(call: Callable[[], int], rounds: int) -> tuple[float, int]:
    """Seconds of the shortest of several runs, and the result."""
    times = []
    for _ in range(rounds):
        start = perf_counter()
        answer = call()
        times.append(perf_counter() - start)
    return min(times), answer


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--radius", type=float, default=5_000, help="metres")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    table = Table("right side", "join", "seconds", "ratio", "pairs", title=f"{given.rows:,} rows a side")
    left = points(given.rows, 1)
    for kind, right in (("points", points(given.rows, 2)), ("lines", lines(given.rows // 10, 3))):
        first = 0.0
        for join in (ours, sjoin, sjoin_distance):
            seconds, pairs = best_of(partial(join, left, right, given.radius), given.rounds)
            first = first or seconds
            table.add_row(kind, join.__name__, f"{seconds:.3f}", f"{seconds / first:.2f}", f"{pairs:,}")
    Console().print(table)


if __name__ == "__main__":
    main()
