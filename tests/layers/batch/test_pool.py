"""A worker that ends is replaced and its task is done again; a task that ends three is given up, and no other."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from layers.batch.pool import MAX_ENDS, outcomes
from tests.layers.batch.tasks import Deadly, Endless


def answered(work: Deadly, numbers: list[int], workers: int) -> dict[int, int | str | None]:
    return {outcome.task: outcome.result or outcome.failure for outcome in outcomes(work, numbers, workers)}


def test_each_task_has_one_outcome_and_a_failure_is_one(tmp_path: Path) -> None:
    found = answered(Deadly(tmp_path, 0, 0), [1, 2, -3, 4], 1)
    assert found == {1: 1, 2: 4, -3: "ValueError: no root", 4: 16}


def test_a_task_whose_worker_was_killed_is_done_by_another_and_a_failure_is_an_outcome(tmp_path: Path) -> None:
    found = answered(Deadly(tmp_path, 3, MAX_ENDS - 1), [1, 2, 3, -3, 4], 2)
    assert found == {1: 1, 2: 4, 3: 9, -3: "ValueError: no root", 4: 16}
    assert len(list(tmp_path.iterdir())) == MAX_ENDS - 1


@pytest.mark.parametrize("numbers", [[1, 2, 3, 4], [3, 1, 2, 4], [3, 1]])
def test_a_task_that_ends_its_workers_again_and_again_is_reported(tmp_path: Path, numbers: list[int]) -> None:
    found = answered(Deadly(tmp_path, 3, 99), numbers, 2)
    failure = found.pop(3)
    assert found == {number: number**2 for number in numbers if number != 3}
    assert isinstance(failure, str)
    assert str(MAX_ENDS) in failure
    assert len(list(tmp_path.iterdir())) >= MAX_ENDS


@pytest.mark.parametrize("workers", [1, 2])
def test_without_a_task_nothing_is_done(tmp_path: Path, workers: int) -> None:
    assert answered(Deadly(tmp_path, 0, 0), [], workers) == {}


def test_workers_end_with_the_process_that_started_them(tmp_path: Path) -> None:
    starter = multiprocessing.get_context("spawn").Process(target=work_endlessly, args=(tmp_path,))
    starter.start()
    require_soon(lambda: len(list(tmp_path.iterdir())) == 2)
    starter.kill()
    starter.join()
    require_soon(lambda: not any(is_running(int(file.name)) for file in tmp_path.iterdir()))


def work_endlessly(folder: Path) -> None:
    list(outcomes(Endless(folder), [1, 2], 2))


def is_running(process: int) -> bool:
    status = Path(f"/proc/{process}/stat")
    return status.exists() and status.read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"


def require_soon(holds: Callable[[], bool]) -> None:
    last = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < last
        time.sleep(0.05)
