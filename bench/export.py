"""Time and memory of each form of file beside ogr2ogr's copy of the same columns: `python -m bench.export FOLDER`.

FOLDER has the ``world.gpkg`` of ``bench.world``. Each form is written by a process of its own, forked from one that has
the layer, as a server and a notebook have it; processor and memory are those of the export alone. ogr2ogr, where it is
installed, copies the layer from the GeoPackage that was written first, and its figures are those of its whole process.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from api.formats.page import FeaturePage
from api.formats.registry import FILES
from api.python.sources import of_store
from api.settings import BASEMAP

#: Drivers of ogr2ogr by the ending of the file, with options that make it write what the atlas writes.
DRIVERS = {
    "gpkg": ["GPKG"],
    "fgb": ["FlatGeobuf"],
    "geojson": ["GeoJSON"],
    "geojsons": ["GeoJSONSeq"],
    "csv": ["CSV", "-lco", "GEOMETRY=AS_WKT"],
    "xlsx": ["XLSX"],
    "kml": ["LIBKML"],
    "parquet": ["Parquet"],
    "arrow": ["Arrow"],
}
_MB = 1e6


def _resident(field: str) -> int:
    """Bytes of memory of this process, now (``VmRSS``) or at the most (``VmHWM``)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith(f"{field}:"))


def _written(page: FeaturePage, path: Path) -> tuple[float, float, int]:
    """Write a layer, and return seconds of processor, bytes of memory at the most, and bytes of the file."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the most from now on
    before, worked = _resident("VmRSS"), _worked(resource.RUSAGE_SELF)
    with path.open("wb") as out:
        FILES[path.suffix[1:]].write_to(page, out)
    return _worked(resource.RUSAGE_SELF) - worked, _resident("VmHWM") - before, path.stat().st_size


def _worked(who: int) -> float:
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def _copied(origin: Path, layer: str, path: Path) -> tuple[float, float, int] | None:
    """The same of ogr2ogr; ``None`` where it is not installed or has no such driver."""
    program = shutil.which("ogr2ogr")
    if program is None:
        return None
    path.unlink(missing_ok=True)
    driver, *options = DRIVERS[path.suffix[1:]]
    command = [sys.executable, "-c", _MEASURED, program, "-f", driver, str(path), str(origin), layer, *options]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    code, seconds, kilobytes = done.stdout.split()[-3:]
    return None if int(code) else (float(seconds), int(kilobytes) * 1024, path.stat().st_size)


#: Runs a program from a small process, as what is forked from a large one counts that one's memory for its own.
_MEASURED = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(code, used.ru_utime + used.ru_stime, used.ru_maxrss)
"""


def _in_a_process(work: Callable[..., tuple[float, float, int]], *values: object) -> tuple[float, float, int]:
    """Run a function in a process that is forked from this one, which has the data already."""
    context = get_context("fork")
    queue = context.Queue()
    process = context.Process(target=lambda: queue.put(work(*values)))
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit(process.exitcode)
    result: tuple[float, float, int] = queue.get()
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--layer", default="strikes")
    parser.add_argument("--times", type=int, default=1, help="write each feature so often")
    forms = ("gpkg", *(name for name in FILES if name != "gpkg"))
    parser.add_argument("--forms", nargs="*", choices=forms, default=forms)
    parser.add_argument("--basemap", type=Path, default=BASEMAP)
    given = parser.parse_args()
    source = of_store(given.folder / "world.gpkg", given.basemap)
    layer = source.snapshot.collections[given.layer]
    _ = layer.shapes, layer.fragments, source.about and source.about.value
    console = Console(file=sys.stdout)
    console.print(
        f"{len(layer):,} {given.layer}, {len(layer.columns)} columns; with them {_resident('VmRSS') / _MB:.0f} MB"
    )
    table = Table("form", "s", "MB more", "file MB", "ogr2ogr s", "MB", "file MB", "times")
    page = source.page(given.layer, {})
    page = replace(page, rows=np.tile(page.rows, given.times))
    for ending in given.forms:
        own = given.folder / f"{given.layer}.{ending}"
        seconds, memory, size = _in_a_process(_written, page, own)
        copy = _copied(given.folder / f"{given.layer}.gpkg", given.layer, given.folder / f"copy.{ending}")
        row = [ending, f"{seconds:.2f}", f"{memory / _MB:.0f}", f"{size / _MB:.1f}"]
        if copy is not None:
            row += [f"{copy[0]:.2f}", f"{copy[1] / _MB:.0f}", f"{copy[2] / _MB:.1f}", f"{seconds / copy[0]:.1f}"]
        table.add_row(*row)
    console.print(table)


if __name__ == "__main__":
    main()
