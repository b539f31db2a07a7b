"""A worker that ends is replaced and its task is done again; a task that ends three is given up, and no other."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from layers.batch.runner import MAX_DEATHS, DaskCluster, InProcess, LocalProcesses, Runner
from tests.layers.batch.tasks import Deadly

needs_dask = pytest.mark.skipif(find_spec("distributed") is None, reason="needs the extra dask")
#: Dask leaves sockets and loops to be collected.
by_dask = [needs_dask, pytest.mark.filterwarnings("ignore")]
RUNNERS = [LocalProcesses(2), pytest.param(DaskCluster(workers=2), marks=by_dask)]


def answered(runner: Runner, work: Deadly, numbers: list[int]) -> dict[int, int | str | None]:
    return {outcome.task: outcome.result or outcome.failure for outcome in runner.outcomes(work, numbers)}


def test_each_task_has_one_outcome_and_a_failure_is_one(tmp_path: Path) -> None:
    found = answered(InProcess(), Deadly(tmp_path, 0, 0), [1, 2, -3, 4])
    assert found == {1: 1, 2: 4, -3: "ValueError: no root", 4: 16}


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_task_whose_worker_was_killed_is_done_by_another_and_a_failure_is_an_outcome(
    runner: Runner, tmp_path: Path
) -> None:
    found = answered(runner, Deadly(tmp_path, 3, MAX_DEATHS - 1), [1, 2, 3, -3, 4])
    assert found == {1: 1, 2: 4, 3: 9, -3: "ValueError: no root", 4: 16}
    assert len(list(tmp_path.iterdir())) == MAX_DEATHS - 1


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_task_that_ends_three_workers_is_reported(runner: Runner, tmp_path: Path) -> None:
    found = answered(runner, Deadly(tmp_path, 3, 99), [1, 2, 3, 4])
    failure = found.pop(3)
    assert found == {1: 1, 2: 4, 4: 16}
    assert isinstance(failure, str)
    assert str(MAX_DEATHS) in failure
    assert len(list(tmp_path.iterdir())) == MAX_DEATHS


@pytest.mark.parametrize("runner", [InProcess(), LocalProcesses(2)])
def test_without_a_task_nothing_is_done(runner: Runner, tmp_path: Path) -> None:
    assert answered(runner, Deadly(tmp_path, 0, 0), []) == {}


@needs_dask
@pytest.mark.filterwarnings("ignore")
def test_a_cluster_that_is_slow_to_end_fails_no_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from distributed import Client

    close = Client.close

    def closed_late(client: Client, *args: object) -> None:
        close(client, *args)
        raise TimeoutError

    monkeypatch.setattr(Client, "close", closed_late)
    assert answered(DaskCluster(workers=1), Deadly(tmp_path, 0, 0), [1, 2]) == {1: 1, 2: 4}


@needs_dask
@pytest.mark.filterwarnings("ignore")
def test_a_cluster_is_closed_when_all_its_workers_are_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from distributed import Client

    close, at_the_end = Client.close, list[int]()

    def counted(client: Client, *args: object) -> None:
        at_the_end.append(len(client.nthreads()))
        close(client, *args)

    monkeypatch.setattr(Client, "close", counted)
    answered(DaskCluster(workers=2), Deadly(tmp_path, 3, 99), [3])
    assert at_the_end[0] == 2
