"""The plan of a batch: strikes divided into cells of near ones, and what all cells share, in a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import shapely

from geo.lonlat import Floats, Ints
from geo.tiles.generalize import morton
from layers.batch import shared_tables
from layers.batch.record_parquet import geometries_of, records_of, schema_of
from layers.filesystem.atomic_file import write_file
from layers.matching.asset_index import AssetIndex
from layers.model.messages import Message
from layers.model.problems import Problem, ProblemsError
from layers.model.records import Records, Strike
from layers.ownership.stake_graph import StakeColumns
from layers.reference.land import Land

PLAN, SHARED, STRIKES = "plan.json", "shared", "strikes"

#: Reads the strikes page by page from the beginning, in the columns of `record_parquet.schema_of`; may be called again.
StrikePages = Callable[[], Iterable[pa.Table]]


@dataclass(frozen=True)
class Plan:
    """What is to be answered, of which data."""

    #: Version of the program.
    program: str
    #: What the head of the history of the store was, by name; empty where the records are from files.
    head: dict[str, Any]
    #: The probability from which an undecided candidate counts as hit.
    publish_from: float
    #: Number of strikes of each cell.
    cells: tuple[int, ...]


def write_plan(
    folder: Path,
    pages: StrikePages,
    records: Records,
    index: AssetIndex,
    stakes: StakeColumns,
    *,
    program: str,
    head: dict[str, Any],
    publish_from: float,
    limit: int,
    land: Land | None = None,
) -> Plan:
    """Write a plan into a folder that does not exist yet; ``plan.json`` is its last file.

    Parameters
    ----------
    pages
        The strikes.
    records, index, stakes, land
        All else, see `layers.batch.shared_tables.write`.
    program, head, publish_from
        As the attributes of `Plan`.
    limit
        Most strikes of a cell.

    Raises
    ------
    FileExistsError
        If the folder exists.
    ProblemsError
        If two strikes have one id.
    """
    from pyarrow import dataset  # which no worker needs, and takes 60 MB

    folder.mkdir(parents=True)
    (folder / SHARED).mkdir()
    shared_tables.write(folder / SHARED, records, index, stakes, land)
    cell = _cells_of(pages(), limit)
    cells = np.bincount(cell).tolist()
    if cells:
        dataset.write_dataset(
            _with_cells(pages(), cell),
            folder / STRIKES,
            schema=schema_of("strikes").append(_CELL),
            format="parquet",
            partitioning=dataset.partitioning(pa.schema([_CELL]), flavor="hive"),
            max_partitions=len(cells),
        )
    plan = Plan(program, head, publish_from, tuple(cells))
    write_file(folder / PLAN, orjson.dumps(asdict(plan), option=orjson.OPT_INDENT_2))
    return plan


def read_plan(folder: Path, program: str) -> Plan:
    """Read a plan.

    Raises `FileNotFoundError` if there is none, or it was not written to its end; `ProblemsError` if another program
    wrote it: answers of two of them are no answers of either.
    """
    values = orjson.loads((folder / PLAN).read_bytes())
    if values.get("program") != program:
        expected = Message("batch.other-program")
        raise ProblemsError((Problem(PLAN, None, "plan", "program", str(values.get("program")), expected),))
    return Plan(**{**values, "cells": tuple(values["cells"])})


def read_strikes(folder: Path, cell: int) -> list[Strike]:
    """Read the strikes of a cell of a plan; raises `ProblemsError` with every fault if some are no valid records."""
    files = sorted((folder / STRIKES / f"cell={cell}").iterdir())
    page = pa.concat_tables(pq.ParquetFile(file).read() for file in files)
    return records_of("strikes", page, f"cell {cell}")


_CELL = pa.field("cell", pa.int32())


def _cells_of(pages: Iterable[pa.Table], limit: int) -> Ints:
    """Return the cell of each strike: they are cut in the Morton order of their places, those at no place first."""
    codes, ids = [np.empty(0, np.int64)], [pa.chunked_array([], pa.string())]
    for page in pages:
        codes.append(_codes(shapely.bounds(geometries_of(page))))
        ids.append(page["id"])
    _require_unique(pa.chunked_array([chunk for column in ids for chunk in column.chunks], pa.string()))
    order = np.argsort(np.concatenate(codes), kind="stable")
    cell = np.empty(len(order), np.int64)
    cell[order] = np.arange(len(order)) // limit
    return cell


def _codes(bounds: Floats) -> Ints:
    """Return the Morton code of the south-west corner of bounds in degrees, shape (n, 4); -1 for what has no place."""
    placed = np.isfinite(bounds).all(axis=1)
    codes = np.full(len(bounds), -1, np.int64)
    grid = ((bounds[placed, :2] + [180.0, 90.0]) / 360 * 2**31).astype(np.int64).clip(0, 2**31 - 1)
    codes[placed] = morton(grid[:, 0], grid[:, 1]).astype(np.int64)
    return codes


def _require_unique(ids: pa.ChunkedArray) -> None:
    counts = pc.value_counts(ids)
    twice = counts.field("values").filter(pc.greater(counts.field("counts"), 1)).to_pylist()
    if twice:
        expected = Message("batch.id-twice")
        raise ProblemsError(
            tuple(Problem("strikes", None, f"strike {name}", "id", str(name), expected) for name in twice)
        )


def _with_cells(pages: Iterable[pa.Table], cell: Ints) -> Iterator[pa.RecordBatch]:
    start = 0
    for page in pages:
        column = pa.array(cell[start : start + len(page)], _CELL.type)
        start += len(page)
        yield from page.append_column(_CELL, column).to_batches()
