"""A rehearsal of a large batch: a worker is killed, and the answers are those of one process."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from api.wording.catalogue import text
from bench import batch
from bench.world import records
from bench.world_columns import Sizes, synthesize
from layers.batch.record_parquet import to_arrow
from layers.batch.run import run
from layers.batch.runner import DaskCluster, InProcess, LocalProcesses, Runner
from layers.batch.work import ANSWERS, COLUMNS

SIZES = Sizes(strikes=5_000, lines=250, facilities=4_750, region=batch.LAND)
#: Largest memory of a worker.
MAX_BYTES = 4e9


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("batch")
    batch.write_input(folder / batch.INPUT, SIZES)
    batch.plan(folder, cell_strikes=500)
    return folder


@pytest.fixture(scope="module")
def digest(planned: Path) -> str:
    return run(planned / batch.WORK, InProcess(), text).digest


@pytest.mark.parametrize(
    "runner",
    [
        LocalProcesses(2),
        pytest.param(
            DaskCluster(workers=2),
            marks=[
                pytest.mark.skipif(find_spec("distributed") is None, reason="needs the extra dask"),
                pytest.mark.filterwarnings("ignore"),
            ],
        ),
    ],
)
def test_two_workers_of_which_one_is_killed_give_the_answers_of_one_process(
    planned: Path, digest: str, runner: Runner
) -> None:
    shutil.rmtree(planned / batch.WORK / ANSWERS)
    killed: list[int] = []

    def kill_one(now: Any) -> None:
        workers = [child.pid for child in multiprocessing.active_children() if child.pid]
        if now.cells == 2 and workers and not killed:
            os.kill(workers[0], signal.SIGKILL)
            killed.append(workers[0])

    manifest = run(planned / batch.WORK, runner, text, kill_one)
    assert killed
    assert manifest.digest == digest
    assert manifest.strikes == SIZES.strikes
    assert manifest.peak_bytes < MAX_BYTES


def test_strikes_as_columns_are_those_of_the_records_of_the_world(planned: Path) -> None:
    world = synthesize(SIZES)
    expected = to_arrow("strikes", records(world).strikes.values()).select(COLUMNS)
    assert pq.read_table(planned / batch.INPUT / "strikes.parquet").equals(expected)


def test_kills_end_with_their_block() -> None:
    with batch.Kills(0.01) as kills:
        child = multiprocessing.get_context("spawn").Process(target=signal.pause)
        child.start()
        child.join()
    assert child.exitcode == -signal.SIGKILL
    assert kills.count >= 1
