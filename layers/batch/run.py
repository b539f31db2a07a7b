"""A run of a plan: tasks that are not done yet go to a runner, and what all workers have written is summed up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
import orjson

from layers.batch.digest import digest_of
from layers.batch.plan import Plan, read_plan
from layers.batch.runner import BatchError, Runner
from layers.batch.work import ANSWERS, HASHES, CellReport, Work, cell_folder, remove_unfinished, report_of
from layers.filesystem.atomic_file import write_file
from layers.model.messages import Wording
from layers.model.problems import Problem, ProblemsError

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Manifest:
    """What a batch answered, and what it took.

    Attributes
    ----------
    plan, program, head
        Of the plan.
    digest
        Of all answers, see `layers.batch.digest`.
    strikes, candidates, attributions, bytes
        How many strikes were answered, how many rows the answers have, and the size of their files.
    processor_seconds
        What all cells took together.
    peak_bytes
        Largest memory of any worker.
    cells
        The report of each cell, in the order of the plan.
    """

    plan: str
    program: str
    head: dict[str, object]
    digest: str
    strikes: int
    candidates: int
    attributions: int
    bytes: int
    processor_seconds: float
    peak_bytes: int
    cells: tuple[CellReport, ...]

    @classmethod
    def read(cls, folder: Path) -> Manifest | None:
        """Read the manifest in the folder of a plan; ``None`` where no run was finished.

        Raises
        ------
        ValueError, TypeError, LookupError
            If it is no manifest.
        """
        try:
            values = orjson.loads((folder / ANSWERS / MANIFEST).read_bytes())
        except FileNotFoundError:
            return None
        return cls(**{**values, "cells": tuple(map(CellReport.of, values["cells"]))})


@dataclass(frozen=True)
class Progress:
    """How far a run is: cells and strikes that are done, of how many, and the seconds since it began."""

    cells: int
    all_cells: int
    strikes: int
    all_strikes: int
    seconds: float


def run(
    folder: Path, runner: Runner, wording: Wording, progress: Callable[[Progress], None] = lambda _: None
) -> Manifest:
    """Answer all cells of a plan that are not answered yet, and write the manifest of all.

    Parameters
    ----------
    folder
        That of the plan.
    runner
        Who does it.
    wording
        A function of a module, which words why a part is unattributed.
    progress
        Called at the beginning and after each cell.

    Raises
    ------
    FileNotFoundError
        If there is no plan.
    ProblemsError
        If strikes are no valid records, with every fault; all sound cells were answered.
    BatchError
        If tasks ended their workers, or failed otherwise; all others were done.
    """
    plan, began = read_plan(folder), perf_counter()
    reports = {task.name: report for task in plan.tasks if (report := report_of(folder, task, plan.id)) is not None}

    def tell() -> None:
        done = sum(report.strikes for report in reports.values())
        progress(Progress(len(reports), len(plan.tasks), done, plan.strikes, perf_counter() - began))

    tell()
    problems, failures = list[Problem](), dict[str, str]()
    # The largest first, so that none is left for one worker at the end.
    waiting = sorted((task for task in plan.tasks if task.name not in reports), key=lambda task: -task.strikes)
    for outcome in runner.outcomes(Work.of(folder, plan, wording), waiting):
        if outcome.result is None:
            failures[outcome.task.name] = outcome.failure or ""
        elif outcome.result.problems:
            problems += outcome.result.problems
        else:
            reports[outcome.task.name] = outcome.result
            tell()
    if problems:
        raise ProblemsError(tuple(problems))
    if failures:
        raise BatchError(failures)
    remove_unfinished(folder)
    manifest = _manifest(folder, plan, [reports[task.name] for task in plan.tasks])
    write_file(folder / ANSWERS / MANIFEST, orjson.dumps(asdict(manifest), option=orjson.OPT_INDENT_2))
    return manifest


def _manifest(folder: Path, plan: Plan, reports: Sequence[CellReport]) -> Manifest:
    (folder / ANSWERS).mkdir(exist_ok=True)
    hashes = [np.load(cell_folder(folder, task) / HASHES, mmap_mode="r") for task in plan.tasks]
    return Manifest(
        plan.id,
        plan.program,
        dict(plan.head),
        digest_of(hashes),
        sum(report.strikes for report in reports),
        sum(report.candidates for report in reports),
        sum(report.attributions for report in reports),
        sum(report.bytes for report in reports),
        round(sum(report.processor_seconds for report in reports), 3),
        max((report.peak_bytes for report in reports), default=0),
        tuple(reports),
    )
