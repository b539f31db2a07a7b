"""``strikeatlas batch``: plan and answer millions of strikes cell by cell, on one machine or several."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as ProgressBar
from rich.table import Table

from api.cli.common import STORE, AsJson, BasemapOption, StoreAddress, open_published, output
from api.server.build_id import answers_version
from api.settings import BASEMAP
from api.terminal.console import counted, errors
from api.wording.catalogue import text
from layers.decisions.hits import PUBLISH_FROM
from layers.matching.asset_index import AssetIndex, index_of
from layers.model.garbage import collection_paused
from layers.model.messages import Message
from layers.model.problems import Problem, ProblemsError
from layers.model.records import RECORD_TYPES, Records
from layers.ownership.stake_graph import StakeColumns
from layers.reference import basemap
from layers.store.record_table import PackedRecords, RecordTable
from layers.store.row_mapping import TABLES, Row

# Modules that read Parquet are imported by what uses them: no other command waits for it.
if TYPE_CHECKING:
    import pyarrow as pa

    from layers.batch.plan import Plan, StrikePages
    from layers.batch.run import Progress, Summary

EPILOG = "Example: strikeatlas batch plan work --records parquet; strikeatlas batch run work --workers 4"
#: Records of a store that are laid out at once.
_PAGE = 20_000
#: Strikes of a cell by default: seconds of work, so that little is lost with a worker that is killed.
CELL_STRIKES = 2_500

app = typer.Typer(help="Answer millions of strikes cell by cell.", no_args_is_help=True, epilog=EPILOG)
Folder = Annotated[Path, typer.Argument(help="The folder of the plan and of its answers.")]


@dataclass(frozen=True)
class _Input:
    """What a plan is made of."""

    strikes: StrikePages
    records: Records
    index: AssetIndex
    stakes: StakeColumns
    head: dict[str, Any]


@app.command(epilog="Example: strikeatlas batch plan work --records parquet --cell-strikes 50000")
def plan(
    folder: Folder,
    records: Annotated[
        Path | None,
        typer.Option(
            help="Folder of Parquet files of records, named by their tables, such as strikes.parquet; the store is not "
            "read then."
        ),
    ] = None,
    cell_strikes: Annotated[int, typer.Option(min=1, help="Most strikes of a cell.")] = (CELL_STRIKES),
    publish_from: Annotated[
        float, typer.Option(min=0, max=1, help="Probability from which an undecided candidate counts as hit.")
    ] = PUBLISH_FROM,
    store: StoreAddress = STORE,
    base: BasemapOption = BASEMAP,
    as_json: AsJson = False,
) -> None:
    """Divide strikes into cells, and lay out what the cells share; see docs/batch.md."""
    from layers.batch.plan import write_plan

    if folder.exists():
        raise FileExistsError(f"{folder} is there: a plan is written into a new folder")
    with collection_paused():
        given = _of_store(store, base) if records is None else _of_files(records)
        written = write_plan(
            folder,
            given.strikes,
            given.records,
            given.index,
            given.stakes,
            program=answers_version(),
            head=given.head,
            publish_from=publish_from,
            land=basemap.read(base).land if base.is_file() else None,
            limit=cell_strikes,
        )
    values = {"folder": str(folder), "strikes": sum(written.cells), "cells": len(written.cells)}
    output({**values, "assets": len(given.index)}, as_json, _planned(written, len(given.index)))


@app.command("run", epilog="Example: strikeatlas batch run work --workers 4")
def run_(
    folder: Folder,
    workers: Annotated[int, typer.Option(min=0, help="Number of workers; 0 for the cores of this machine.")] = 0,
    progress: Annotated[bool, typer.Option(help="Show on standard error how far it is, a line for each cell.")] = False,
    as_json: AsJson = False,
) -> None:
    """Answer the cells of a plan that are not answered yet; also on several machines at once, see docs/batch.md."""
    from layers.batch.run import run

    with _shown_progress(lines=progress) as tell:
        summary = run(folder, answers_version(), workers or os.cpu_count() or 1, text, tell)
    output(asdict(summary), as_json, _summary(summary))


def _of_store(address: str, base: Path) -> _Input:
    """What is published of a store."""
    from layers.batch.record_parquet import to_arrow

    store, published = open_published(address, base)
    snapshot = published.snapshot

    def pages() -> Iterator[pa.Table]:
        strikes = iter(snapshot.records.strikes.values())
        while page := list(islice(strikes, _PAGE)):
            yield to_arrow("strikes", page)

    head = store.head(snapshot.seq)
    named = {"seq": head.seq, "hash": head.hash}
    return _Input(pages, snapshot.records, snapshot.asset_index, snapshot.stakes, named)


def _of_files(folder: Path) -> _Input:
    """Records in Parquet files, a file or a folder of files for each table.

    Raises `ProblemsError` if there is no file of strikes or of assets, or one that cannot be read, and with every fault
    of records other than strikes.
    """
    from layers.batch.record_parquet import files_of, read_pages

    lacking = [name for name in ("strikes", "assets") if not files_of(folder, name)]
    if lacking:
        faults = (Message("batch.file-missing", {"name": name}) for name in lacking)
        raise ProblemsError(tuple(Problem(str(folder), None, "folder", "", "", fault) for fault in faults))

    def pages() -> Iterator[pa.Table]:
        for path in files_of(folder, "strikes"):
            yield from read_pages(path, "strikes")

    problems = list[Problem]()
    names = (name for name in RECORD_TYPES if name != "strikes")
    tables = {name: RecordTable(PackedRecords.of(TABLES[name], _rows_of(folder, name, problems))) for name in names}
    if problems:
        raise ProblemsError(tuple(problems))
    records = Records(strikes=MappingProxyType({}), **tables)  # type: ignore[arg-type]
    return _Input(pages, records, index_of(records), StakeColumns.of(records), {})


def _rows_of(folder: Path, name: str, problems: list[Problem]) -> Iterator[list[Row]]:
    """Yield the rows of a table page by page; append the faults of pages that have any, and leave these out."""
    from layers.batch.record_parquet import files_of, read_pages, records_of

    table = TABLES[name]
    for path in files_of(folder, name):
        for page in read_pages(path, name):
            try:
                yield [table.row(record, table.to_dict(record)) for record in records_of(name, page, path.name)]
            except ProblemsError as error:
                problems += error.problems


@contextmanager
def _shown_progress(lines: bool) -> Iterator[Any]:
    """Give what shows how far a run is: a bar to who watches standard error, or lines."""
    if lines:

        def tell(now: Progress) -> None:
            strikes = f"{now.strikes:,} of {counted(now.all_strikes, 'strikes')}"
            cells = f"{now.cells} of {counted(now.all_cells, 'cells')}"
            errors.print(f"{cells}, {strikes}, {now.seconds:.1f} s", highlight=False)

        yield tell
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with ProgressBar(*columns, transient=True, console=errors, disable=not errors.is_terminal) as bar:
        task = bar.add_task("strikes", total=None)
        yield lambda now: bar.update(task, completed=now.strikes, total=now.all_strikes)


def _planned(written: Plan, assets: int) -> RenderableType:
    return _rows(
        ("strikes", f"{sum(written.cells):,}"), ("assets", f"{assets:,}"), ("cells", f"{len(written.cells):,}")
    )


def _summary(summary: Summary) -> RenderableType:
    return _rows(
        ("cells", f"{summary.cells:,}"),
        ("strikes", f"{summary.strikes:,}"),
        ("candidates", f"{summary.candidates:,}"),
        ("attributions", f"{summary.attributions:,}"),
        ("size", f"{summary.bytes / 1e6:,.1f} MB"),
    )


def _rows(*rows: Iterable[str]) -> Table:
    shown = Table(show_header=False)
    for row in rows:
        shown.add_row(*row)
    return shown
