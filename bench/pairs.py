"""Compare the spatial join with geopandas at the same radius: `python -m bench.pairs --rows 100000`.

With `--peers FOLDER`, which `python -m bench.peers.install FOLDER --joins` fills, with DuckDB and SedonaDB too. They
join in a plane what we join on the ellipsoid, so that some pairs at the edge of the radius differ. Processor time is
compared, as each uses as many cores as it likes; the least of three rounds counts.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

import geopandas
import numpy as np
import shapely
from rich.console import Console
from rich.table import Table

from bench.peers import joins
from bench.peers.joins import ENGINES
from geo.spatial_join.join import pairs_within

JOINS = Path(joins.__file__)

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


def polygons(rows: int, seed: int) -> np.ndarray:
    """Make ragged polygons of 40 vertices, some 8 km wide, as fields are."""
    turn = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    distance = np.random.default_rng(seed).uniform(0.03, 0.05, (rows, 40, 1))
    ring = distance * np.column_stack([np.cos(turn), np.sin(turn)])
    return np.array(shapely.polygons(shapely.get_coordinates(points(rows, seed))[:, None] + ring), dtype=object)


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


def least_of(call: Callable[[], int], rounds: int) -> tuple[float, int]:
    """Processor seconds of the round that took the least, and the result."""
    taken = []
    for _ in range(rounds):
        start = process_time()
        answer = call()
        taken.append(process_time() - start)
    return min(taken), answer


def by_engine(engine: str, folder: Path, left: np.ndarray, right: np.ndarray, radius_m: float) -> tuple[float, int]:
    """Join with an engine in an environment of its own, of files of the same geometries."""
    with TemporaryDirectory() as scratch:
        files = [f"{scratch}/{name}.parquet" for name in ("left", "right")]
        for file, side in zip(files, (left, right), strict=True):
            geopandas.GeoDataFrame(geometry=side, crs="OGC:CRS84").to_parquet(file)
        python = str(folder / "joins" / "bin" / "python")
        command = [python, str(JOINS), engine, *files, f"--radius={radius_m}"]
        answer = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return answer["processor_s"], answer["pairs"]


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--radius", type=float, default=5_000, help="metres")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", type=Path, metavar="FOLDER", help="where bench.peers.install put the engines")
    given = parser.parse_args()
    table = Table("right side", "join", "processor s", "ratio", "pairs", title=f"{given.rows:,} rows a side")
    left = points(given.rows, 1)
    shapes = given.rows // 10
    sides = {"points": points(given.rows, 2), "lines": lines(shapes, 3), "polygons": polygons(shapes, 4)}
    for kind, right in sides.items():
        found = {
            join.__name__: least_of(partial(join, left, right, given.radius), given.rounds)
            for join in (ours, sjoin, sjoin_distance)
        }
        for engine in ENGINES if given.peers else ():
            found[engine] = by_engine(engine, given.peers.resolve(), left, right, given.radius)
        for name, (seconds, pairs) in found.items():
            table.add_row(kind, name, f"{seconds:.3f}", f"{seconds / found['ours'][0]:.2f}", f"{pairs:,}")
    Console().print(table)


if __name__ == "__main__":
    main()
