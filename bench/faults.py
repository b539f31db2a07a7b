"""Every write fails once: `python -m bench.faults`, or `--seconds 20 --only edit` for a part of it.

Each task writes to a folder: a store, a backup, an export. It is done once for each call of the system that it makes to
write there, and that call fails (SQLite's own tests do so: sqlite.org/testing.html, 3). Afterwards

- what was acknowledged is there, and what was not is there as a whole or not at all;
- what stood there before and was not replaced is as it was, to the byte;
- nothing is left beside it, and the task done again succeeds.

Calls fail by a library that is loaded before the C library, `faults.c`, so that those of SQLite and GDAL count too;
it takes a C compiler. Besides, `RLIMIT_FSIZE` lets no file grow over a limit, which is a disk that is full, and
`RLIMIT_AS` lets memory end. All is done in processes forked for it, Linux only.
"""

from __future__ import annotations

import argparse
import ctypes
import errno
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Literal

import geopandas
import numpy as np
from rich.console import Console
from rich.table import Table
from shapely import Point

from api.exports.manifest import ExportOrigin, file_findings, manifest_beside, replacing_export
from api.exports.manifest import read as read_manifest
from api.formats import geopackage
from api.formats.page import FeaturePage
from api.formats.registry import FILES
from api.requests import reviewer_tokens
from api.requests.query_parameters import Representation
from api.server.live_snapshot import LiveSnapshot
from api.settings import BASEMAP, Settings
from api.wording.catalogue import text
from layers.collections.feature_table import FeatureTable
from layers.collections.feature_types import StrikeFeature
from layers.model.records import Decision, Records, Source, Strike
from layers.reference import basemap
from layers.snapshot.derived_layers import full_rewrite
from layers.snapshot.flat_collections import make_collection
from layers.store.backup import back_up, restore
from layers.store.store import ANY, Edit, Head, Store

#: Errors that a call fails with, in turn.
ERRORS = (errno.ENOSPC, errno.EIO)
#: How the system is at fault: one call fails, no file grows over a limit, no memory is left over a limit.
Way = Literal["calls", "disk", "memory"]
_AT = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Trial:
    """A task: what is there before, what is done, and whether a folder is as it is before or after it.

    ``verify`` raises where the folder is neither, and gives whether it is as after.
    """

    name: str
    prepare: Callable[[Path], None]
    act: Callable[[Path], None]
    verify: Callable[[Path], bool]


def strikes(count: int, title: str) -> Records:
    """Some strikes, with their source."""
    source = Source(id="s", publisher="P")
    placed = {"uncertainty_m": 500, "basis": "settlement", "place_source": "s", "sources": ("s",), "checked": "read"}
    made = {
        f"k-{i}": Strike.model_validate(
            {"id": f"k-{i}", "title": f"{title} {i}", "when": "2025-08", "place": "Odesa", "host_country": "UA"}
            | {"geometry": Point(30 + i / 1000, 46), "status": "reported", **placed}
        )
        for i in range(count)
    }
    return Records.of({"sources": {"s": source}, "strikes": made})


# --- the tasks ------------------------------------------------------------------------------------------------------

_SIZE = 60
_DECISION = Decision(
    id="d", dataset="desk", strike="k-1", verdict="none", who="Ann", when="2026-01-01", why="seen", sources=("s",)
)


def _store(folder: Path) -> None:
    store = Store.create(folder / "atlas.gpkg")
    store.load(strikes(_SIZE, "Before"), author="bench", at=_AT)
    store.close()


def _with_older_files(folder: Path) -> None:
    _store(folder)
    _base()  # read once, for all processes
    for name in ("copy.gpkg", "then.gpkg"):
        shutil.copy(folder / "atlas.gpkg", folder / name)


def _opened(folder: Path, act: Callable[[Store], object]) -> None:
    store = Store.open(folder / "atlas.gpkg")
    try:
        act(store)
    finally:
        store.close()


def _records(path: Path) -> Records:
    store = Store.open(path)
    try:
        with store.reading() as connection:
            faults = connection.execute("PRAGMA integrity_check").fetchall()
        assert faults == [("ok",)], faults
        # Rows of history that tell of answers to requests are about no record.
        assert store.seq() >= sum(1 for _ in store.revisions())
        return store.records()
    finally:
        store.close()


def _only(folder: Path, *names: str) -> None:
    """Nothing but these files, and the log of a store that was cut off, which the next opening folds in."""
    left = {name for name in os.listdir(folder) if not name.startswith("atlas.gpkg-")} - {*names}
    assert not left, f"left behind: {sorted(left)}"


def _is_after(folder: Path, before: Records, after: Records, *names: str) -> bool:
    _only(folder, "atlas.gpkg", *names)
    there = _records(folder / "atlas.gpkg")
    assert there in (before, after), "neither the records before nor those after"
    return there == after


def _create(folder: Path) -> None:
    Store.create(folder / "atlas.gpkg").close()


def _is_created(folder: Path) -> bool:
    _only(folder, "atlas.gpkg")
    if not (folder / "atlas.gpkg").exists():
        return False
    return _records(folder / "atlas.gpkg") == Records.of({})


def _edited() -> Records:
    before = strikes(_SIZE, "Before")
    return Records.of(
        {
            "sources": before.sources,
            "strikes": {**before.strikes, "k-3": before.strikes["k-3"].model_copy(update={"title": "Edited"})},
        }
    )


def _edit(store: Store) -> None:
    store.write(Edit("strikes", "k-3", _edited().strikes["k-3"], ANY), author="bench")


def _decided() -> Records:
    before = strikes(_SIZE, "Before")
    return Records.of({"sources": before.sources, "strikes": before.strikes, "decisions": {"d": _DECISION}})


def _decide(store: Store) -> None:
    store.append("decisions", _DECISION, author="bench")


def _backup(store: Store) -> None:
    back_up(store, store.path.with_name("copy.gpkg"), overwrite=True)


def _copied(name: str) -> Callable[[Path], bool]:
    """Whether a file was replaced: before it was as the store, in WAL mode, which the new one is not."""

    def verify(folder: Path) -> bool:
        _only(folder, "atlas.gpkg", "copy.gpkg", "then.gpkg")
        header = (folder / name).read_bytes()[:20]
        assert _records(folder / "atlas.gpkg") == strikes(_SIZE, "Before")
        store = Store.open(folder / name, read_only=True)
        assert store.records() == strikes(_SIZE, "Before")
        store.close()
        return header[18] == 1

    return verify


def _cache(folder: Path) -> None:
    atlas = LiveSnapshot(Store.open(folder / "atlas.gpkg"), Settings(basemap=BASEMAP, cache_from=1), "bench")
    atlas.rebuild_cache()
    view = atlas.view
    atlas.store.close()
    assert len(view.snapshot.collections["strikes"]) == _SIZE
    if view.snapshot.backing_files is None:
        raise OSError("nothing was cached")


def _is_cached(folder: Path) -> bool:
    _only(folder, "atlas.gpkg", "atlas.gpkg.cache")
    cache = folder / "atlas.gpkg.cache"
    folders = [one for one in cache.iterdir() if one.is_dir()] if cache.exists() else []
    assert not [one for one in folders if one.name.endswith(".new")], "half a folder of the cache"
    if not folders:
        return False
    atlas = LiveSnapshot(Store.open(folder / "atlas.gpkg"), Settings(basemap=BASEMAP, cache_from=1), "bench")
    never = Settings(basemap=BASEMAP, cache_from=10**9)
    fresh = LiveSnapshot(Store.open(folder / "atlas.gpkg"), never, "bench")
    assert atlas.view.version == fresh.view.version, "the cache and the store differ"
    atlas.store.close()
    fresh.store.close()
    return True


def _page(title: str) -> FeaturePage:
    """A layer of one strike."""
    strike = StrikeFeature(
        id="a",
        title=title,
        when="2025",
        place="-",
        status="reported",
        rests_on="nothing",
        sure=False,
        n_sources=0,
        n_voices=0,
    )
    layer = make_collection("strikes", FeatureTable.of(StrikeFeature, [strike]), [Point(1, 2)])
    return FeaturePage(layer, np.arange(1), Representation(), (), 1, "2026-11-25T00:00:00Z")


_RENDER: dict[str, Callable[[str], bytes]] = {
    "geojson": lambda title: FILES["geojson"].write(_page(title)),
    "csv": lambda title: FILES["csv"].write(_page(title)),
    # Reports, maps and pages are bytes too before they are written.
    "pdf": lambda title: title.encode() * 100_000,
}


def _origin(title: str) -> ExportOrigin:
    return ExportOrigin("bench", {"title": title}, "0", Head(1, "0" * 64, None), _AT.date(), "0", False)


def _is_proved(path: Path) -> None:
    """An export beside a manifest is that of the manifest."""
    manifest = manifest_beside(path)
    if manifest.exists():
        found = [*file_findings(manifest, read_manifest(manifest), path)]
        assert not found, f"the manifest of another export: {found}"


def _export(kind: str) -> Trial:
    def write(folder: Path, title: str) -> None:
        with replacing_export(folder / f"report.{kind}", _origin(title)) as fresh:
            fresh.write_bytes(_RENDER[kind](title))

    def verify(folder: Path) -> bool:
        report = folder / f"report.{kind}"
        _only(folder, report.name, manifest_beside(report).name)
        _is_proved(report)
        there = report.read_bytes()
        assert there in (_RENDER[kind]("last week"), _RENDER[kind]("this week")), "half a file"
        return there == _RENDER[kind]("this week") and manifest_beside(report).exists()

    return Trial(
        f"export {kind}", lambda folder: write(folder, "last week"), lambda folder: write(folder, "this week"), verify
    )


def _export_gpkg(folder: Path, title: str) -> None:
    with replacing_export(folder / "report.gpkg", _origin(title)) as fresh:
        geopackage.write_file([_page(title)], fresh)


def _is_exported(folder: Path) -> bool:
    report = folder / "report.gpkg"
    _only(folder, report.name, manifest_beside(report).name)
    _is_proved(report)
    (title,) = geopandas.read_file(report, layer="strikes", engine="pyogrio")["title"]
    assert title in ("last week", "this week")
    return bool(title == "this week") and manifest_beside(report).exists()


def _names(folder: Path) -> bool:
    _only(folder, "reviewers.json", "reviewers.json.lock")
    names = [one.name for one in reviewer_tokens.read_reviewers(folder / "reviewers.json")]
    assert names in (["Ann"], ["Ann", "Ben"])
    return "Ben" in names


def _add(name: str) -> Callable[[Path], None]:
    def add(folder: Path) -> None:
        reviewer_tokens.add_reviewer(folder / "reviewers.json", name)

    return add


TRIALS = (
    Trial("create", lambda folder: None, _create, _is_created),
    Trial(
        "load",
        _store,
        lambda folder: _opened(folder, lambda store: store.load(strikes(_SIZE, "After"), author="bench")),
        lambda folder: _is_after(folder, strikes(_SIZE, "Before"), strikes(_SIZE, "After")),
    ),
    Trial(
        "edit",
        _store,
        lambda folder: _opened(folder, _edit),
        lambda folder: _is_after(folder, strikes(_SIZE, "Before"), _edited()),
    ),
    Trial(
        "decision",
        _store,
        lambda folder: _opened(folder, _decide),
        lambda folder: _is_after(folder, strikes(_SIZE, "Before"), _decided()),
    ),
    Trial("backup", _with_older_files, lambda folder: _opened(folder, _backup), _copied("copy.gpkg")),
    Trial("restore", _with_older_files, lambda folder: _opened(folder, _restore), _copied("then.gpkg")),
    Trial("cache", _store, _cache, _is_cached),
    *map(_export, _RENDER),
    Trial(
        "export gpkg",
        lambda folder: _export_gpkg(folder, "last week"),
        lambda folder: _export_gpkg(folder, "this week"),
        _is_exported,
    ),
    Trial("reviewer", _add("Ann"), _add("Ben"), _names),
)


@cache
def _base() -> basemap.Basemap:
    return basemap.read(BASEMAP)


def _restore(store: Store) -> None:
    restore(store, store.path.with_name("then.gpkg"), full_rewrite(_base(), text), overwrite=True)


# --- faults ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """What became of a task with a fault: whether it was acknowledged, and how many calls it made; the fault if any."""

    acknowledged: bool
    calls: int
    said: str
    broken: str | None


def attempt(trial: Trial, way: Way, limit: int, prepared: Path) -> Outcome:
    """Do a task in a copy of a prepared folder, in a process of its own with a fault, and look at what is there."""
    with tempfile.TemporaryDirectory(prefix="faults-") as scratch:
        folder = Path(scratch) / "folder"
        shutil.copytree(prepared, folder)
        status, calls, said = _forked(lambda: trial.act(folder), way, limit, folder)
        broken = _broken(trial, folder, acknowledged=status == 0)
        return Outcome(status == 0, calls, said, said if status > 1 and way == "calls" else broken)


def _broken(trial: Trial, folder: Path, acknowledged: bool) -> str | None:
    try:
        is_after = trial.verify(folder)
        assert is_after or not acknowledged, "what was acknowledged is lost"
        if not is_after:
            trial.act(folder)
            assert trial.verify(folder), "done again, it has no effect"
    except Exception:
        return traceback.format_exc()
    return None


def _forked(act: Callable[[], None], way: Way, limit: int, folder: Path) -> tuple[int, int, str]:
    """Exit status (0 done, 1 refused in words, else broken), number of calls, and what was said."""
    reader, writer = os.pipe()
    child = os.fork()
    if child:
        os.close(writer)
        with os.fdopen(reader, "rb") as pipe:
            counted, _, said = pipe.read().decode().partition(" ")
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status), int(counted or 0), said
    os.close(reader)
    exit_code, said = 0, ""
    try:
        _set_fault(way, limit, folder)
        act()
    except (OSError, RuntimeError, MemoryError) as error:  # what commands answer by an exit code
        exit_code, said = 1, repr(error)
    except BaseException:
        exit_code, said = 2, traceback.format_exc()
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        calls = _library().fault_count() if way == "calls" else 0
        os.write(writer, f"{calls} {said}".encode())
        os._exit(exit_code)


def _set_fault(way: Way, limit: int, folder: Path) -> None:
    if way == "calls":
        _library().fault_arm(ctypes.c_long(limit), ERRORS[limit % len(ERRORS)], os.fsencode(folder))
    elif way == "disk":
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    else:
        (pages, *_) = Path("/proc/self/statm").read_text().split()
        size = int(pages) * resource.getpagesize() + limit
        resource.setrlimit(resource.RLIMIT_AS, (size, resource.RLIM_INFINITY))


def _library() -> ctypes.CDLL:
    return ctypes.CDLL(os.environ["LD_PRELOAD"])


def limits(trial: Trial, way: Way, prepared: Path) -> Iterator[int]:
    """The faults of a task: each of its calls, or bytes up to what it needs."""
    if way == "calls":
        yield from range(1, attempt(trial, way, 0, prepared).calls + 1)
    elif way == "disk":
        yield from (0, 100, 4096, *range(10_000, 400_000, 10_000))
    else:
        yield from (kib * 1024 for kib in (0, 64, 256, 1024, 2048, 4096, 8192, 16384, 32768, 65536))


def sweep(trial: Trial, way: Way, seconds: float) -> tuple[int, int, list[str]]:
    """Do a task with each fault, or some evenly spread in the time; give how many, how many refused, what broke."""
    with tempfile.TemporaryDirectory(prefix="faults-") as name:
        prepared = Path(name) / "prepared"
        prepared.mkdir()
        trial.prepare(prepared)
        every = list(limits(trial, way, prepared))
        begun, done, refused, broken = time.monotonic(), 0, 0, list[str]()
        for limit in _spread(every):
            outcome = attempt(trial, way, limit, prepared)
            done += 1
            refused += not outcome.acknowledged
            if outcome.broken is not None:
                broken.append(f"{trial.name}, {way} {limit} of {len(every)}: {outcome.said}\n{outcome.broken}")
            if time.monotonic() - begun > seconds:
                break
        return done, refused, broken


def _spread(every: list[int]) -> Iterator[int]:
    """All of them, in an order whose beginning is spread over all."""
    step = max(1, 2 ** (len(every).bit_length() - 1))
    seen = set[int]()
    while step:
        for place in range(0, len(every), step):
            if place not in seen:
                seen.add(place)
                yield every[place]
        step //= 2


def preload() -> None:
    """Begin anew with the library that lets calls fail."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise SystemExit("no C compiler (cc): --way disk and --way memory need none")
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        library = Path(folder) / "faults.so"
        source = Path(__file__).with_name("faults.c")
        subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
        environment = {**os.environ, "LD_PRELOAD": str(library)}
        command = [sys.executable, "-m", "bench.faults", *sys.argv[1:]]
        raise SystemExit(subprocess.run(command, env=environment, check=False).returncode)


def main() -> None:
    """Sweep, print a table, and end with 1 where something was lost or left."""
    parser = argparse.ArgumentParser(prog="python -m bench.faults", description=__doc__.splitlines()[0])
    parser.add_argument("--way", choices=("calls", "disk", "memory"), nargs="*", default=["calls", "disk", "memory"])
    parser.add_argument("--only", nargs="*", help="tasks by name")
    parser.add_argument("--seconds", type=float, default=3600, help="at most for each task and way")
    given = parser.parse_args()
    if "calls" in given.way and "LD_PRELOAD" not in os.environ:
        preload()
    shown, broken = Table("task", "way", "faults", "refused", "broken"), list[str]()
    for way in given.way:
        for trial in TRIALS:
            if given.only and trial.name not in given.only:
                continue
            number, refused, found = sweep(trial, way, given.seconds)
            shown.add_row(trial.name, way, str(number), str(refused), str(len(found)))
            broken += found
    Console().print(shown)
    for fault in broken:
        print(fault, file=sys.stderr)
    raise SystemExit(bool(broken))


if __name__ == "__main__":
    main()
