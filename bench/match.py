"""Match strikes with assets end to end, beside a bare geopandas sjoin: `python -m bench.match --size 100000`."""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
from dataclasses import replace
from time import perf_counter, process_time

import geopandas
import numpy as np
import shapely
from rich.console import Console
from rich.table import Table

from layers.matching.asset_index import AssetIndex
from layers.matching.candidates import SEARCH_FACTOR
from layers.matching.match import match_one, score_chunks
from layers.matching.strike_columns import StrikeColumns
from layers.matching.weights import read
from layers.model.records import Asset, Records, Strike
from layers.text.site_terms import TARGET_KINDS as TOLD

#: The Black Sea and its neighbours: west, south, east, north.
REGION = (22.0, 43.0, 42.0, 53.0)
#: Metres on the ground there, for the peer that only knows a plane.
PLANE = "EPSG:3035"
KINDS = ("refinery", "oil-depot", "power-plant", "gas-storage", "pump-station", "pipeline", "factory", "hydro-plant")
WORDS = ("refinery", "oil depot", "power station", "gas storage", "pumping station", "pipeline", "plant", "HPP")
#: Places are named by syllables, so that some share their name, as real ones do.
SYLLABLES = (
    "ka",
    "no",
    "vo",
    "lis",
    "bor",
    "mir",
    "zhan",
    "pol",
    "tri",
    "dub",
    "sel",
    "gor",
    "kra",
    "ust",
    "ber",
    "lu",
)
BLOCK = 10_000


def names(rng: np.random.Generator, count: int) -> np.ndarray:
    parts = rng.choice(SYLLABLES, (count, 4))
    return np.array(["".join(row).capitalize() + "sk" for row in parts], dtype=object)


def points(rng: np.random.Generator, count: int) -> np.ndarray:
    west, south, east, north = REGION
    return np.array(shapely.points(rng.uniform(west, east, count), rng.uniform(south, north, count)), dtype=object)


def synthetic_assets(count: int, seed: int, uncertainty_m: float) -> tuple[AssetIndex, np.ndarray]:
    """Assets spread evenly, each with one name of a place and a kind, a third with an owner."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(len(KINDS), size=count)
    position = names(rng, count)
    called = [(f"{item} {WORDS[k]}",) for item, k in zip(position, kind, strict=True)]
    owners = [("Lukoil",) if number % 9 == 0 else ("Naftogaz",) if number % 9 == 1 else () for number in range(count)]
    index = AssetIndex.from_columns(
        [f"a{number}" for number in range(count)],
        points(rng, count),
        np.full(count, uncertainty_m),
        np.ones(count, dtype=bool),
        [KINDS[k] for k in kind],
        ["UA"] * count,
        called,
        owners,
    )
    return index, np.array([item[0] for item in called], dtype=object)


def synthetic_strikes(
    count: int, index: AssetIndex, called: np.ndarray, seed: int, uncertainty_m: float
) -> StrikeColumns:
    """Strikes near random assets; two thirds print the name of the asset, the rest only a kind."""
    rng = np.random.default_rng(seed)
    hit = rng.integers(len(index), size=count)
    xy = shapely.get_coordinates(index.geometry[hit]) + rng.normal(0, uncertainty_m / 2 / 100_000, (count, 2))
    texts = [
        (f"Drones hit {called[row]}",) if number % 3 else (f"Fire at {WORDS[row % len(WORDS)]}",)
        for number, row in enumerate(hit)
    ]
    return StrikeColumns.from_columns(
        [f"s{number}" for number in range(count)],
        np.array(shapely.points(np.clip(xy, -180, 180)), dtype=object),
        np.full(count, uncertainty_m),
        np.zeros(count, dtype=bool),
        [()] * count,
        texts,
        [("",)] * count,
        ["UA"] * count,
        index.names,
    )


def ours(size: int, strike_m: float, asset_m: float) -> dict[str, float]:
    """From names, kinds and geometry to scored candidates with all their reasons, chunk by chunk."""
    start, cpu_start = perf_counter(), process_time()
    # Names and points are made inside: folding them is part of the work, making them up is not much of it.
    index, called = synthetic_assets(size, 1, asset_m)
    indexed = process_time()
    strikes = synthetic_strikes(size, index, called, 2, strike_m)
    prepared = process_time()
    pairs = best = 0
    weights = read()
    for _rows, scores in score_chunks(strikes, index, weights):
        pairs += len(scores.left)
        best += int((scores.no_asset < 0.5).sum())
    end = process_time()
    return {
        "index": indexed - cpu_start,
        "strikes": prepared - indexed,
        "match": end - prepared,
        "seconds": perf_counter() - start,
        "processor": end - cpu_start,
        "pairs": pairs,
        "more likely than none": best,
    }


def sjoin(size: int, strike_m: float, asset_m: float) -> dict[str, float]:
    """The bare join at the same radius, of the same points, in a plane; it gives no distance."""
    rng = np.random.default_rng(1)
    rng.integers(len(KINDS), size=size)
    names(rng, size)
    right_points = points(rng, size)
    rng = np.random.default_rng(2)
    hit = rng.integers(size, size=size)
    xy = shapely.get_coordinates(right_points[hit]) + rng.normal(0, strike_m / 2 / 100_000, (size, 2))
    start, began = perf_counter(), process_time()
    left, right = (
        geopandas.GeoDataFrame(geometry=side, crs="OGC:CRS84").to_crs(PLANE)
        for side in (shapely.points(xy), right_points)
    )
    radius_m = SEARCH_FACTOR * float(np.hypot(strike_m, asset_m))
    pairs = 0
    for first in range(0, size, 100_000):  # in blocks, or its index frames would not fit
        pairs += len(geopandas.sjoin(left.iloc[first : first + 100_000], right, predicate="dwithin", distance=radius_m))
    return {"seconds": perf_counter() - start, "processor": process_time() - began, "pairs": pairs}


class Assets(dict[str, Asset]):
    """Records of the assets of an index, built when they are read."""

    def __init__(self, index: AssetIndex, called: np.ndarray) -> None:
        super().__init__()
        self._index, self._called = index, called

    def __missing__(self, name: str) -> Asset:
        row = int(name[1:])
        self[name] = Asset(
            id=name,
            name=self._called[row],
            kind=TOLD[int(self._index.kind[row]).bit_length() - 1],
            geometry=self._index.geometry[row],
            uncertainty_m=float(self._index.uncertainty_m[row]),
            basis="site",
            place_source="s",
            sources=("s",),
            checked="unverified",
        )
        return self[name]


def new_strike(number: int, hit: int, index: AssetIndex, called: np.ndarray, uncertainty_m: float) -> Strike:
    """A strike near an asset that its report names; every third report tells only of fire."""
    return Strike(
        id=f"n{number}",
        title=f"Drones hit {called[hit]}" if number % 3 else "Fire after a drone attack",
        when="2025-01-01",
        place="Town",
        geometry=index.geometry[hit],
        uncertainty_m=uncertainty_m,
        basis="settlement",
        place_source="s",
        status="reported",
        sources=("s",),
        checked="unverified",
    )


def one_strike(size: int, strike_m: float, asset_m: float) -> dict[str, float]:
    """Time 200 new records, each against an existing index, up to candidates with reasons in words."""
    index, called = synthetic_assets(size, 1, asset_m)
    records = replace(Records.of({}), assets=Assets(index, called))
    hit = np.random.default_rng(3).integers(len(index), size=200)
    weights = read()
    took, figures = [], 0
    for number, row in enumerate(hit):
        strike = new_strike(number, row, index, called, strike_m)
        match_one(strike.model_copy(update={"title": "Unread"}), index, records, weights)  # the records are there
        start, processor = perf_counter(), process_time()
        matches = match_one(strike, index, records, weights)
        took.append((perf_counter() - start, process_time() - processor))
        figures += len(matches) - 1
    (median, cpu), worst = np.median(took, axis=0), max(took)[0]
    return {"seconds": float(median), "processor": float(cpu), "worst": worst, "pairs": figures / len(hit)}


RUNS = {"ours": ours, "sjoin": sjoin, "one": one_strike}


def measured(run: str, size: int, strike_m: float, asset_m: float) -> dict[str, float]:
    """Run in a process of its own, so that the peak of its memory is its own."""
    command = [sys.executable, "-m", "bench.match", "--run", run, "--size", str(size)]
    figures = subprocess.run(
        [*command, "--strike-m", str(strike_m), "--asset-m", str(asset_m)], check=True, capture_output=True, text=True
    )
    return {key: float(value) for key, value in (line.split("=") for line in figures.stdout.splitlines())}


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=100_000, help="strikes, and as many assets")
    parser.add_argument("--strike-m", type=float, default=2_000, help="uncertainty of strikes, metres")
    parser.add_argument("--asset-m", type=float, default=1_000, help="uncertainty of assets, metres")
    parser.add_argument("--run", choices=RUNS, help="one part, printed plainly")
    given = parser.parse_args()
    if given.run:
        figures = RUNS[given.run](given.size, given.strike_m, given.asset_m)
        figures["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print("\n".join(f"{key}={value}" for key, value in figures.items()))
        return
    table = Table("run", "size", "seconds", "processor s", "pairs", "µs a pair", "peak MB", "more")
    peer = {}
    for size in (given.size // 4, given.size // 2, given.size):
        # The same assets around each strike at every size would need a larger region; here pairs grow with the square.
        for run in ("sjoin", "ours"):
            figures = measured(run, size, given.strike_m, given.asset_m)
            peer[run] = figures
            more = ", ".join(
                f"{key} {value:,.1f}" for key, value in figures.items() if key in ("index", "strikes", "match")
            )
            per = 1e6 * figures.get("match", figures["processor"]) / max(figures["pairs"], 1)
            table.add_row(
                run,
                f"{size:,}",
                f"{figures['seconds']:.2f}",
                f"{figures['processor']:.2f}",
                f"{figures['pairs']:,.0f}",
                f"{per:.2f}",
                f"{figures['peak_mb']:,.0f}",
                more,
            )
    ratio = {key: peer["ours"][key] / peer["sjoin"][key] for key in ("seconds", "processor", "peak_mb")}
    item = measured("one", given.size, given.strike_m, given.asset_m)
    console = Console(width=140)
    console.print(table)
    said = f"time {ratio['seconds']:.2f}, of the processor {ratio['processor']:.2f}, memory {ratio['peak_mb']:.2f}"
    console.print(f"ours to sjoin: {said}")
    console.print(
        f"one new strike against {given.size:,}: median {1e3 * item['seconds']:.2f} ms, of the processor "
        f"{1e3 * item['processor']:.2f}, worst {1e3 * item['worst']:.2f}; {item['pairs']:.1f} candidates in the mean"
    )


if __name__ == "__main__":
    main()
