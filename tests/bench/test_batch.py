"""A rehearsal of a large batch: a worker is killed, and the answers are those of one process."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from api.server.build_id import answers_version
from api.wording.catalogue import text
from bench import batch
from bench.world import records
from bench.world_columns import Sizes, synthesize
from layers.batch.record_parquet import to_arrow
from layers.batch.run import ANSWERS, run

SIZES = Sizes(strikes=5_000, lines=250, facilities=4_750, region=batch.LAND)


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("batch")
    batch.write_input(folder / batch.INPUT, SIZES)
    batch.plan(folder, cell_strikes=500)
    return folder


def test_two_workers_of_which_one_is_killed_give_the_answers_of_one_process(planned: Path) -> None:
    work, killed = planned / batch.WORK, list[int]()
    run(work, answers_version(), 1, text)
    expected = batch.digest(work)
    shutil.rmtree(work / ANSWERS)

    def kill_one(now: Any) -> None:
        workers = [child.pid for child in multiprocessing.active_children() if child.pid]
        if now.cells == 2 and workers and not killed:
            os.kill(workers[0], signal.SIGKILL)
            killed.append(workers[0])

    summary = run(work, answers_version(), 2, text, kill_one)
    assert killed
    assert batch.digest(work) == expected
    assert summary.strikes == SIZES.strikes


def test_strikes_as_columns_are_those_of_the_records_of_the_world(planned: Path) -> None:
    world = synthesize(SIZES)
    expected = to_arrow("strikes", records(world).strikes.values())
    assert pq.read_table(planned / batch.INPUT / "strikes.parquet").equals(expected)


def test_kills_end_with_their_block() -> None:
    with batch.Kills(0.01) as kills:
        child = multiprocessing.get_context("spawn").Process(target=signal.pause)
        child.start()
        child.join()
    assert child.exitcode == -signal.SIGKILL
    assert kills.count >= 1
