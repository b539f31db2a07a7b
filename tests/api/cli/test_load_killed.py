"""A load that is killed at any moment leaves the store as before or as after; loaded again, all is there once."""

from __future__ import annotations

import csv
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from layers.model.records import RECORD_TYPES, Records
from layers.store.store import Store
from tests.conftest import FEW_COUNTRIES, ROOT
from tests.load_runner import ACLED, Run, is_change, load, runner
from tests.store_copies import opened_copy
from tests.store_kinds import again, is_file, raw

COUNT = 400

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL here")


class Ended(NamedTuple):
    """How a process of a load ended: its exit code, the seconds it took, and the most bytes of the store's log."""

    code: int
    took_s: float
    log_bytes: int


def bulk(path: Path, count: int) -> Path:
    """Many rows in the form of the sample, each of another event and place."""
    with ACLED.open(encoding="utf-8", newline="") as file:
        first = next(rows := csv.DictReader(file))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows.fieldnames or ()))
        writer.writeheader()
        for number in range(count):
            place = {"latitude": f"{45 + number % 500 / 100:.4f}", "longitude": f"{28 + number // 500:.4f}"}
            source = {"source": f"Post {number % 300}"}
            writer.writerow(
                {**first, "event_id_cnty": f"TST{number}", "location": f"Place {number}", **place, **source}
            )
    return path


#: What writers to a database, and nobody else, have added to the log of its server since.
_LOGGED = """
SELECT CASE WHEN EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND backend_xid IS NOT NULL)
THEN pg_wal_lsn_diff(pg_current_wal_insert_lsn(), ?::pg_lsn)::bigint ELSE 0 END
"""
_OTHERS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


@contextmanager
def growing_log(store: Store) -> Iterator[Callable[[], int]]:
    """How many bytes stand in the log while a store is written to; afterwards nobody else is at work on the store."""
    store.close()  # whoever comes after a kill is the first to open what it left
    if is_file(store):
        log = store.path.with_name(f"{store.path.name}-wal")
        yield lambda: log.stat().st_size if log.exists() else 0
        return
    with raw(store) as program:
        (begun,) = program.execute("SELECT pg_current_wal_insert_lsn()::text").fetchone()
        yield lambda: int(program.execute(_LOGGED, (begun,)).fetchone()[0])
        # A server learns of the death of whoever it works for when it next turns to it.
        while program.execute(_OTHERS).fetchone() != (0,):
            time.sleep(0.01)


def loaded_by_process(store: Store, file: Path, is_time: Callable[[float, int], bool]) -> Ended:
    """Run ``strikeatlas load`` as a process; kill it when it is time, by the seconds since its start and the log."""
    command = [sys.executable, "-m", "api.cli.main", "load", "auto", str(file), "--store", store.name]
    most, started, quiet = 0, time.monotonic(), subprocess.DEVNULL
    with (
        growing_log(store) as log_bytes,
        subprocess.Popen([*command, "--basemap", str(FEW_COUNTRIES)], cwd=ROOT, stdout=quiet, stderr=quiet) as process,
    ):
        while process.poll() is None:
            most = max(most, log_bytes())
            if is_time(time.monotonic() - started, most):
                process.send_signal(signal.SIGKILL)
                break
            time.sleep(0.002)
        return Ended(process.wait(), time.monotonic() - started, most)


def never(_seconds: float, _log_bytes: int) -> bool:
    return False


def changes_of_each(store: Store) -> Counter[tuple[str, str]]:
    return Counter((revision.table, revision.record) for revision in store.revisions())


class Undisturbed(NamedTuple):
    file: Path
    before: Records
    after: Records
    seq: tuple[int, int]
    ended: Ended


@pytest.fixture(scope="module")
def undisturbed(few_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """What one load, which nothing disturbs, makes of a few of the bundled records."""
    folder = tmp_path_factory.mktemp("killed")
    file, whole = bulk(folder / "bulk.csv", COUNT), opened_copy(few_store, folder / "whole.gpkg")
    ended = loaded_by_process(whole, file, never)
    assert ended.code == 0
    after = whole.records()
    assert sum(strike.dataset == "acled/bulk" for strike in after.strikes.values()) == COUNT
    return Undisturbed(file, few_store.records(), after, (few_store.seq(), whole.seq()), ended)


def survivor(store: Store, undisturbed: Undisturbed) -> str:
    """Open what a killed process left: whole, and one of the two versions."""
    left = again(store)
    version, before, after = left.version(), undisturbed.before, undisturbed.after
    assert version in ((undisturbed.seq[0], before), (undisturbed.seq[1], after))
    assert left.verify() == ()  # of a file with its pages and indexes
    left.close()
    return "before" if version[0] == undisturbed.seq[0] else "after"


def assert_as_undisturbed(left: Store, run: Run, undisturbed: Undisturbed) -> None:
    """Loaded again all is there, each record with one row of history; and once more nothing changes."""
    load(run, "auto", undisturbed.file, on=left.name)
    assert left.version() == (undisturbed.seq[1], undisturbed.after)
    found = changes_of_each(left)
    assert set(found.values()) == {1}
    assert len(found) == sum(len(undisturbed.after.table(name)) for name in RECORD_TYPES)
    assert not is_change(load(run, "auto", undisturbed.file, on=left.name))
    assert left.seq() == undisturbed.seq[1]


def test_killed_at_any_moment_a_load_is_done_or_not_and_can_be_done_again(
    few_store: Store,
    undisturbed: Undisturbed,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Over and over on one store, without anything put right in between, until it is loaded at last."""
    chance = random.Random(os.getpid())
    seconds = undisturbed.ended.took_s * chance.uniform(0.1, 1)
    sizes = [undisturbed.ended.log_bytes * part for part in (chance.uniform(0.01, 0.9), chance.random(), 1)]
    moments: list[Callable[[float, int], bool]] = [lambda took, _: took >= seconds]
    moments += [lambda _, size, least=least: size >= max(1, least) for least in sizes]
    state, written = "after", 0
    for number, is_time in enumerate(moments):
        if state == "after":
            store = opened_copy(few_store, tmp_path / f"{number}.gpkg")
        ended = loaded_by_process(store, undisturbed.file, is_time)
        assert ended.code in (-signal.SIGKILL, 0)
        written += ended.code == -signal.SIGKILL and ended.log_bytes > 0
        state = survivor(store, undisturbed)
    # Those that waited for the log were killed while it was written.
    assert written >= 2
    assert_as_undisturbed(store, runner(few_store, capsys, monkeypatch, FEW_COUNTRIES), undisturbed)
