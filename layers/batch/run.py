"""A run of a plan: tasks that are not done yet go to a runner, and what all workers have written is summed up.

Who serves the answers of a finished run reads them here, unless they are not whole or of other data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import orjson
import pyarrow.compute as pc
import pyarrow.parquet as pq

from layers.batch.digest import digest_of
from layers.batch.layer_rows import COUNTS, LAYERS, layer_file, rows_of_layers
from layers.batch.plan import PLAN, Plan, read_plan, require_program
from layers.batch.runner import BatchError, Runner
from layers.batch.work import (
    ANSWERS,
    ATTRIBUTIONS,
    HASHES,
    CellReport,
    Work,
    cell_folder,
    file_digest,
    remove_unfinished,
    report_of,
)
from layers.filesystem.atomic_file import write_file
from layers.model.cache import Lazy
from layers.model.messages import Message, Wording
from layers.model.problems import Problem, ProblemsError
from layers.snapshot.snapshot import Snapshot

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Manifest:
    """What a batch answered, and what it took."""

    #: Of the plan.
    plan: str
    program: str
    head: dict[str, object]
    #: Of all answers, see `layers.batch.digest`.
    digest: str
    #: How many strikes were answered, how many rows the answers have, and the size of their files.
    strikes: int
    candidates: int
    attributions: int
    bytes: int
    #: What all cells took together.
    processor_seconds: float
    #: Largest memory of any worker.
    peak_bytes: int
    #: The report of each cell, in the order of the plan.
    cells: tuple[CellReport, ...]

    @classmethod
    def read(cls, folder: Path) -> Manifest | None:
        """Read the manifest in the folder of a plan; ``None`` where no run was finished.

        Raises `ValueError` or `TypeError` or `LookupError` if it is no manifest.
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


@dataclass(frozen=True)
class FinishedRun:
    """A plan all of whose cells are answered."""

    #: That of the plan.
    folder: Path
    #: As they stand in it.
    plan: Plan
    manifest: Manifest

    @classmethod
    def open(cls, folder: Path) -> FinishedRun:
        """Read the plan and the manifest; answers are not looked at.

        Raises `FileNotFoundError` if there is no plan; `ProblemsError` if it was written by a program with other files
        or weights, a run of it has not ended yet, or the manifest is of another plan or none at all.
        """
        plan = read_plan(folder)
        try:
            manifest = Manifest.read(folder)
        except (ValueError, TypeError, LookupError):
            raise ProblemsError((_manifest_problem("", "", "damaged"),)) from None
        if manifest is None:
            raise ProblemsError((_manifest_problem("", "", "unfinished"),))
        if manifest.plan != plan.id or [cell.name for cell in manifest.cells] != [task.name for task in plan.tasks]:
            raise ProblemsError((_manifest_problem("plan", manifest.plan, "other-plan"),))
        return cls(folder, plan, manifest)

    def require_of(self, program: str, head: Mapping[str, Any], publish_from: float) -> None:
        """Refuse answers that are not those to all strikes of a state of a store.

        Parameters
        ----------
        program
            Version of the program that serves them.
        head
            The head of the history of the store, by name as in `Plan`; empty where history does not tell of all edits.
        publish_from
            The probability from which an undecided candidate is published.

        Raises
        ------
        ProblemsError
            With all that is another.
        """
        require_program(self.plan, program)
        plan = self.plan
        checks = (
            ("head", dict(plan.head) or "", bool(head) and plan.head == head, "other-head"),
            ("publish_from", plan.publish_from, plan.publish_from == publish_from, "other-threshold"),
            ("is_whole", plan.is_whole, plan.is_whole, "not-whole"),
        )
        faults = [(name, str(value), message) for name, value, is_right, message in checks if not is_right]
        if faults:
            raise ProblemsError(
                tuple(
                    Problem(PLAN, None, "plan", name, value, Message(f"batch.{message}"))
                    for name, value, message in faults
                )
            )

    def require_undamaged(self) -> None:
        """Refuse answers that are not as their workers wrote them: every file is read, piece by piece.

        Each file has to have the SHA-256 that the manifest tells of it, and the hashes of all rows the digest.

        Raises `ProblemsError` with every file that is missing or has other bytes.
        """
        if problems := tuple(self._damages()):
            raise ProblemsError(problems)
        hashes = [np.load(cell_folder(self.folder, task) / HASHES, mmap_mode="r") for task in self.plan.tasks]
        if (digest := digest_of(hashes)) != self.manifest.digest:
            raise ProblemsError((_manifest_problem("digest", self.manifest.digest, "other-digest", found=digest),))

    def _damages(self) -> Iterator[Problem]:
        needed = {ATTRIBUTIONS, HASHES, *((COUNTS, *map(layer_file, LAYERS)) if self.plan.layers else ())}
        for task, report in zip(self.plan.tasks, self.manifest.cells, strict=True):
            folder = cell_folder(self.folder, task)
            # What a worker writes last says what it has written, and is no answer.
            if missing := needed - report.files.keys():
                yield _manifest_problem(f"{folder.name}/files", ", ".join(sorted(missing)), "damaged")
            for name, expected in report.files.items():
                try:
                    is_whole = file_digest(folder / name) == expected
                except OSError:
                    is_whole = False
                if not is_whole:
                    where = str(Path(ANSWERS, folder.name, name))
                    yield Problem(where, None, f"cell {task.name}", "", "", Message("batch.damaged"))

    def answer(self, snapshot: Snapshot) -> Snapshot:
        """The snapshot of the strikes that were answered, which finds none of their assets anew.

        Where the rows of layers were laid out, it takes these too, and attributes no strike.
        """
        stages = replace(snapshot.stages, proposed=Lazy(self.probable_assets))
        if self.plan.layers:
            folders = [cell_folder(self.folder, task) for task in self.plan.tasks]
            stages = replace(stages, rows=Lazy(partial(rows_of_layers, folders, snapshot)))
        return snapshot.with_stages(stages)

    def probable_assets(self) -> dict[str, str]:
        """Read the asset that is published as probable, by strike; strikes that somebody decided about have none."""
        probable: dict[str, str] = {}
        for task in self.plan.tasks:
            with pq.ParquetFile(cell_folder(self.folder, task) / ATTRIBUTIONS) as file:
                rows = file.read(["strike", "asset", "rests_on"])
            # Beside the rows of the asset each strike has one of its host country.
            matched = rows.filter(pc.and_(pc.equal(rows["rests_on"], "match"), pc.is_valid(rows["asset"])))
            probable.update(zip(matched["strike"].to_pylist(), matched["asset"].to_pylist(), strict=True))
        return probable


def _manifest_problem(column: str, value: str, message: str, **about: str) -> Problem:
    expected = Message(f"batch.{message}", about)
    return Problem(f"{ANSWERS}/{MANIFEST}", None, "manifest", column, value, expected)
