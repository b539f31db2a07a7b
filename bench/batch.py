"""Answer S strikes on A assets by one process and by several: `python -m bench.batch WORK --strikes 100000`.

Each run is a process of its own. Its processor time is that of all its processes, killed ones too; the digest of its
answers has to be that of one process.
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from threading import Event, Thread
from time import perf_counter
from typing import TypeVar

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from rich.console import Console
from rich.table import Table

from api.cli.batch import CELL_STRIKES
from api.cli.batch import plan as plan_command
from api.server.build_id import answers_version
from api.wording.catalogue import text
from bench.world import edtf_texts, tables
from bench.world_columns import BASES, KINDS, STATUSES, WORDS, Box, Sizes, World, synthesize
from layers.batch.record_parquet import GEOMETRY, schema_of, to_arrow
from layers.batch.run import ANSWERS, ATTRIBUTIONS, CANDIDATES, run

#: The land of the world, roughly: as dense as real layers of a million sites.
LAND: Box = (-125.0, -35.0, 150.0, 65.0)
#: Records that are laid out at once.
_PAGE = 100_000
_Item = TypeVar("_Item")
INPUT, WORK = "input", "work"


def write_input(folder: Path, sizes: Sizes, seed: int = 1) -> None:
    """Write the tables of a synthetic world as Parquet files of records."""
    folder.mkdir(parents=True)
    world = synthesize(sizes, seed)
    _write(folder / "strikes.parquet", strike_pages(world))
    for name, records, _ in tables(world):
        if name != "strikes":
            _write(folder / f"{name}.parquet", (to_arrow(name, page) for page in _paged(records)))


def _write(path: Path, pages: Iterator[pa.Table]) -> None:
    first = next(pages, None)
    if first is None:
        return
    with pq.ParquetWriter(path, first.schema, compression="zstd") as writer:
        writer.write_table(first)
        for page in pages:
            writer.write_table(page)


def _paged(records: Iterable[_Item]) -> Iterator[list[_Item]]:
    records = iter(records)
    while page := list(islice(records, _PAGE)):
        yield page


def strike_pages(world: World) -> Iterator[pa.Table]:
    """The strikes of a world as columns, the same as those of its records, without building a record of each."""
    strikes, towns = world.strikes, world.towns
    schema = schema_of("strikes")
    kinds, words = np.array(KINDS, dtype=object), np.array(WORDS, dtype=object)
    for start in range(0, len(strikes.day), _PAGE):
        rows = slice(start, min(start + _PAGE, len(strikes.day)))
        town, asset, kind = strikes.town[rows], strikes.asset[rows], strikes.kind[rows]
        is_named = (asset >= 0) & strikes.names_target[rows]
        hit = np.where(is_named, world.assets.name[asset], words[kind])
        targets = [f'["{name}"]' for name in hit]
        target_kinds = [None if named else f'["{name}"]' for name, named in zip(kinds[kind], is_named, strict=True)]
        columns = {
            "id": [f"k-{number}" for number in range(rows.start, rows.stop)],
            "title": [f"{place}: {name} struck" for place, name in zip(towns.name[town], hit, strict=True)],
            "when": edtf_texts(strikes.day[rows], strikes.precision[rows]),
            "place": towns.name[town],
            "region": [None] * len(town),
            "host_country": towns.country[town],
            "geometry": shapely.to_wkb(shapely.points(strikes.lon[rows], strikes.lat[rows])),
            "uncertainty_m": strikes.uncertainty_m[rows].astype(float),
            "basis": np.array(BASES, dtype=object)[strikes.basis[rows]],
            "targets": targets,
            "target_kinds": target_kinds,
            "status": np.array(STATUSES, dtype=object)[strikes.status[rows]],
        }
        yield pa.table([pa.array(columns[field.name], field.type) for field in schema], schema)


def plan(folder: Path, cell_strikes: int) -> None:
    """Plan the batch of an input."""
    plan_command(folder / WORK, folder / INPUT, cell_strikes, as_json=True)


def answer(folder: Path, workers: int, kill_every: float) -> dict[str, float | str]:
    """Answer a plan, while a worker is killed every so many seconds (0: none)."""
    with_kills = Kills(kill_every if workers > 1 else 0)
    shutil.rmtree(folder / WORK / ANSWERS, ignore_errors=True)
    with with_kills:
        summary = run(folder / WORK, answers_version(), workers, text)
    return {"rows": summary.candidates + summary.attributions, "kills": with_kills.count}


def digest(folder: Path) -> str:
    """The SHA-256 of the sorted SHA-256 of all rows of the answers in the folder of a plan."""
    hashes = []
    for name in (CANDIDATES, ATTRIBUTIONS):
        for file in folder.glob(f"{ANSWERS}/*/{name}"):
            rows = pq.read_table(file, partitioning=None).drop_columns(GEOMETRY).to_pylist()
            hashes += [hashlib.sha256(orjson.dumps(row)).digest() for row in rows]
    return hashlib.sha256(b"".join(sorted(hashes))).hexdigest()


class Kills:
    """Kills a worker, one of the processes that this one has started, every so many seconds."""

    def __init__(self, every: float) -> None:
        self.every, self.count = every, 0
        self._ended = Event()
        self._thread = Thread(target=self._kill, daemon=True)

    def __enter__(self) -> Kills:
        if self.every:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()

    def _kill(self) -> None:
        while not self._ended.wait(self.every):
            if workers := [child.pid for child in multiprocessing.active_children() if child.pid]:
                os.kill(random.choice(workers), signal.SIGKILL)
                self.count += 1


PARTS = ("input", "plan", "one", "processes")


def measured(part: str, given: argparse.Namespace) -> dict[str, float | str]:
    """Do one part in a process of its own."""
    names = ("strikes", "assets", "workers", "kill", "cell_strikes")
    options = [f"--{name.replace('_', '-')}={getattr(given, name)}" for name in names]
    command = [sys.executable, "-m", "bench.batch", str(given.folder), f"--part={part}", *options]
    answered = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    pairs = (line.partition("=") for line in answered.stdout.splitlines() if line.startswith("figure "))
    return {key.removeprefix("figure "): value for key, _, value in pairs}


def do_part(given: argparse.Namespace) -> None:
    """Do one part here, and print its figures."""
    began = perf_counter()
    figures: dict[str, float | str] = {}
    if given.part == "input":
        write_input(given.folder / INPUT, Sizes(given.strikes, given.assets // 20, given.assets * 19 // 20, LAND))
    elif given.part == "plan":
        plan(given.folder, given.cell_strikes)
    else:
        figures = answer(given.folder, 1 if given.part == "one" else given.workers, given.kill)
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    figures["processor"] = sum(who.ru_utime + who.ru_stime for who in used)
    figures["seconds"] = perf_counter() - began
    figures["mb"] = max(who.ru_maxrss for who in used) / 1024
    print("".join(f"figure {key}={value}\n" for key, value in figures.items()), end="")


def main() -> None:
    """Make the input if it is not there, plan, answer by each runner, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="for the input, the plan and the answers")
    parser.add_argument("--strikes", type=int, default=100_000)
    parser.add_argument("--assets", type=int, default=100_000)
    parser.add_argument("--runs", nargs="+", choices=PARTS[2:], default=PARTS[2:])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--kill", type=float, default=60, help="seconds between kills of a worker; 0 for none")
    parser.add_argument("--cell-strikes", type=int, default=CELL_STRIKES)
    parser.add_argument("--part", choices=PARTS, help="one part, printed plainly")
    given = parser.parse_args()
    if given.part:
        do_part(given)
        return
    if not (given.folder / INPUT).exists():
        measured("input", given)
    shutil.rmtree(given.folder / WORK, ignore_errors=True)
    shown = Table("run", "seconds", "processor s", "to one", "MB at most", "kills", "digest")
    console = Console(width=140)
    first: dict[str, float | str] = {}
    for part in ("plan", *given.runs):
        figures = measured(part, given)
        figures["digest"] = digest(given.folder / WORK)
        first = first or (figures if part == given.runs[0] else {})
        processor = float(figures["processor"])
        shown.add_row(
            part,
            f"{float(figures['seconds']):.1f}",
            f"{processor:.1f}",
            f"{processor / float(first['processor']):.3f}" if first else "",
            f"{float(figures['mb']):,.0f}",
            str(figures.get("kills", "")),
            str(figures["digest"])[:16] if first else "",
        )
        if first and figures["digest"] != first["digest"]:
            raise SystemExit(f"{part}: other answers, {figures['digest']} and not {first['digest']}")
    console.print(f"{given.strikes:,} strikes, {given.assets:,} assets, cells of {given.cell_strikes:,}")
    console.print(shown)


if __name__ == "__main__":
    main()
