"""A run of a plan: the cells that are not answered yet are answered by some workers, each into a folder of its own."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from time import perf_counter

import pyarrow as pa
import pyarrow.parquet as pq

from layers.batch.answers import answers
from layers.batch.plan import SHARED, Plan, read_plan, read_strikes
from layers.batch.pool import BatchError, outcomes
from layers.batch.shared_tables import SharedTables
from layers.filesystem.atomic_file import replacing
from layers.model.garbage import collection_paused
from layers.model.messages import Wording
from layers.model.problems import Problem, ProblemsError

ANSWERS, CANDIDATES, ATTRIBUTIONS = "answers", "candidates.parquet", "attributions.parquet"


@dataclass(frozen=True)
class Summary:
    """What a plan was answered: numbers of cells, of strikes, of rows of each kind, and the bytes of all files."""

    cells: int
    strikes: int
    candidates: int
    attributions: int
    bytes: int


@dataclass(frozen=True)
class Progress:
    """How far a run is: cells and strikes that are done, of how many, and the seconds since it began."""

    cells: int
    all_cells: int
    strikes: int
    all_strikes: int
    seconds: float


def run(
    folder: Path,
    program: str,
    workers: int,
    wording: Wording,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Summary:
    """Answer all cells of a plan that are not answered yet.

    Other machines may do the same in the same folder at the same time.

    Parameters
    ----------
    folder
        That of the plan.
    program
        Version of this program.
    workers
        Number of processes.
    wording
        A function of a module, which words why a part is unattributed.
    progress
        Called at the beginning and after each cell.

    Raises
    ------
    FileNotFoundError
        If there is no plan.
    ProblemsError
        If another program wrote the plan, or strikes are no valid records, with every fault; all sound cells were
        answered.
    BatchError
        If cells ended their workers, or failed otherwise; all others were answered.
    """
    plan, began = read_plan(folder, program), perf_counter()
    done = {cell for cell in range(len(plan.cells)) if is_answered(folder, cell)}

    def tell() -> None:
        strikes = sum(plan.cells[cell] for cell in done)
        progress(Progress(len(done), len(plan.cells), strikes, sum(plan.cells), perf_counter() - began))

    tell()
    problems, failures = list[Problem](), dict[int, str]()
    waiting = sorted(set(range(len(plan.cells))) - done)
    random.shuffle(waiting)  # so that other machines begin with other cells
    work = CellWork(folder.absolute(), plan.publish_from, wording)
    for outcome in outcomes(work, waiting, workers):
        if outcome.result is None:
            failures[outcome.task] = outcome.failure or ""
        elif outcome.result:
            problems += outcome.result
        else:
            done.add(outcome.task)
            tell()
    if problems:
        raise ProblemsError(tuple(problems))
    if failures:
        raise BatchError(failures)
    return _summary(folder, plan)


@dataclass(frozen=True)
class CellWork:
    """Answers cells of a plan; a copy of it goes to each worker."""

    #: That of the plan.
    folder: Path
    #: As in `Plan`.
    publish_from: float
    #: A function of a module, which workers import by its name.
    wording: Wording

    @collection_paused()
    def __call__(self, cell: int) -> tuple[Problem, ...]:
        """Answer the strikes of a cell, unless another worker has; return their faults, with which nothing is written.

        The attributions are its last file: each file is there as a whole or not at all.
        """
        if is_answered(self.folder, cell):
            return ()
        try:
            strikes = read_strikes(self.folder, cell)
        except ProblemsError as error:
            return error.problems
        candidates, attributions = answers(strikes, _shared(self.folder), self.publish_from, self.wording)
        cell_folder(self.folder, cell).mkdir(parents=True, exist_ok=True)
        _write(cell_folder(self.folder, cell) / CANDIDATES, candidates)
        _write(cell_folder(self.folder, cell) / ATTRIBUTIONS, attributions)
        return ()


def cell_folder(folder: Path, cell: int) -> Path:
    """Return where the answers of a cell stand."""
    return folder / ANSWERS / f"cell={cell}"


def is_answered(folder: Path, cell: int) -> bool:
    """Whether all answers of a cell are there."""
    return (cell_folder(folder, cell) / ATTRIBUTIONS).exists()


# The files of one plan: a worker has one at a time.
@lru_cache(maxsize=1)
def _shared(folder: Path) -> SharedTables:
    return SharedTables.read(folder / SHARED)


def _write(path: Path, table: pa.Table) -> None:
    with replacing(path) as fresh:
        pq.write_table(table, fresh, compression="zstd")


def _summary(folder: Path, plan: Plan) -> Summary:
    folders = [cell_folder(folder, cell) for cell in range(len(plan.cells))]
    candidates, attributions = ([each / name for each in folders] for name in (CANDIDATES, ATTRIBUTIONS))
    return Summary(
        len(plan.cells),
        sum(plan.cells),
        sum(pq.read_metadata(file).num_rows for file in candidates),
        sum(pq.read_metadata(file).num_rows for file in attributions),
        sum(file.stat().st_size for file in (*candidates, *attributions)),
    )
