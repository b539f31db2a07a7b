"""The plan of a batch: strikes divided into cells, what each cell needs of the assets, and what all cells share."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from geo.lonlat import Floats, Ints
from layers.batch import shared_tables
from layers.batch.cells import CELL_STRIKES, Cells, cell_codes
from layers.batch.record_parquet import GEOMETRY, geometries_of
from layers.filesystem.atomic_file import write_file
from layers.matching.asset_index import AssetIndex
from layers.matching.candidates import rows_in_reach
from layers.matching.weights import BUNDLED
from layers.model.messages import Message
from layers.model.problems import Problem, ProblemsError
from layers.model.records import Records
from layers.ownership.stake_graph import StakeColumns
from layers.reference.land import Land

#: Version of the files of a plan.
FORMAT = 2
#: Strikes that are sorted at once; each such run is a file.
RUN_STRIKES = 1_000_000
PLAN, SHARED, STRIKES = "plan.json", "shared", "strikes"
#: Rows of assets in reach of each cell: the rows of cell i stand from ``starts[i]`` to before ``starts[i + 1]``.
_REACH = ("reach.rows.npy", "reach.starts.npy")

#: Reads the strikes page by page from the beginning, with some of their columns or (``None``) all; may be called again.
StrikePages = Callable[[tuple[str, ...] | None], Iterable[pa.Table]]


@dataclass(frozen=True, slots=True)
class CellTask:
    """The strikes of one cell, or of one part of a cell that holds too many."""

    #: Quadkey of the cell, and number of the part; see `layers.batch.cells`.
    name: str
    #: Place of the task in the plan.
    number: int
    #: Number of its strikes.
    strikes: int
    #: Number of assets that may be in reach of them.
    assets: int
    #: Where they stand: names of files, and numbers of row groups in them.
    groups: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Plan:
    """What is to be answered, of which data."""

    #: SHA-256 of the rest.
    id: str
    #: Version of the program.
    program: str
    #: Whether the records are all that the store has, as it has them: none withheld, united or counted once.
    is_whole: bool
    #: What the head of the history of the store was, by name; empty where the records are from files.
    head: Mapping[str, Any]
    #: The probability from which an undecided candidate counts as hit.
    publish_from: float
    #: SHA-256 of the table of weights.
    weights: str
    #: In the order of their cells.
    tasks: tuple[CellTask, ...]
    #: Whether rows of the layers are laid out as well, see `layers.batch.layer_rows`.
    layers: bool = False

    @property
    def strikes(self) -> int:
        """Number of strikes."""
        return sum(task.strikes for task in self.tasks)


def weights_digest() -> str:
    """Return the SHA-256 of the table of weights of this program."""
    return hashlib.sha256(BUNDLED.read_bytes()).hexdigest()


def write_plan(
    folder: Path,
    pages: StrikePages,
    records: Records,
    index: AssetIndex,
    stakes: StakeColumns,
    *,
    program: str,
    head: Mapping[str, Any],
    publish_from: float,
    is_whole: bool = False,
    layers: bool = False,
    land: Land | None = None,
    limit: int = CELL_STRIKES,
    run: int = RUN_STRIKES,
) -> Plan:
    """Write a plan into a folder that does not exist yet; ``plan.json`` is its last file.

    Parameters
    ----------
    pages
        The strikes; for rows of the layers with all their columns.
    records, index, stakes, land
        All else, see `layers.batch.shared_tables.write`.
    program, head, publish_from, is_whole, layers
        As the attributes of `Plan`.
    limit
        Most strikes of a cell.
    run
        Strikes that are sorted at once, which bounds the memory.

    Raises
    ------
    FileExistsError
        If the folder exists.
    ProblemsError
        If two strikes have one id.
    """
    folder.mkdir(parents=True)
    (folder / SHARED).mkdir()
    shared_tables.write(folder / SHARED, records, index, stakes, layers, land)
    places = _Places.of(pages)
    cells = Cells.of(places.codes[places.order], limit)
    names = cells.names
    groups, counts = _write_strikes(folder / STRIKES, pages, cells, names, run)
    assets = _write_reach(folder, places, cells, index)
    tasks = tuple(
        CellTask(name, number, counts[number], assets[number], tuple(groups[number]))
        for number, name in enumerate(names)
    )
    weights = weights_digest()
    values = {
        "format": FORMAT,
        "program": program,
        "is_whole": is_whole,
        "head": dict(head),
        "publish_from": publish_from,
        "weights": weights,
        "layers": layers,
        "tasks": [asdict(task) for task in tasks],
    }
    plan_id = hashlib.sha256(orjson.dumps(values)).hexdigest()
    write_file(folder / PLAN, orjson.dumps({"id": plan_id, **values}, option=orjson.OPT_INDENT_2))
    return Plan(plan_id, program, is_whole, head, publish_from, weights, tasks, layers)


def read_plan(folder: Path) -> Plan:
    """Read a plan.

    Raises `FileNotFoundError` if there is none, or it was not written to its end; `ProblemsError` if it was written by
    a program with other files or other weights.
    """
    values = orjson.loads((folder / PLAN).read_bytes())
    own = {"format": FORMAT, "weights": weights_digest()}
    if faults := [name for name, value in own.items() if values.get(name) != value]:
        expected = Message("batch.other-program")
        raise ProblemsError(
            tuple(Problem(PLAN, None, "plan", name, str(values.get(name)), expected) for name in faults)
        )
    del values["format"]
    tasks = tuple(CellTask(**{**task, "groups": tuple(map(tuple, task["groups"]))}) for task in values["tasks"])
    return Plan(**{**values, "tasks": tasks})


def require_program(plan: Plan, program: str) -> None:
    """Refuse a plan of another program: answers of two of them are no answers of either.

    Raises `ProblemsError` if it is one.
    """
    if plan.program != program:
        expected = Message("batch.other-program")
        raise ProblemsError((Problem(PLAN, None, "plan", "program", plan.program, expected),))


def rows_in_reach_of(folder: Path, task: CellTask) -> Ints:
    """Read the rows of the assets that may be in reach of the strikes of a task, ascending."""
    rows, starts = (np.load(folder / name, mmap_mode="r") for name in _REACH)
    return np.array(rows[starts[task.number] : starts[task.number + 1]], np.int64)


@dataclass(frozen=True, eq=False)
class _Places:
    """Where strikes are, a row each in the order of the pages: code of the cell, bounds and uncertainty."""

    codes: Ints
    bounds: Floats
    uncertainty_m: Floats
    order: Ints

    @classmethod
    def of(cls, pages: StrikePages) -> _Places:
        bounds, uncertainty_m, ids = [np.empty((0, 4))], [np.empty(0)], [np.empty(0, np.uint64)]
        for page in pages(("id", GEOMETRY, "uncertainty_m")):
            bounds.append(shapely.bounds(geometries_of(page)))
            metres = page["uncertainty_m"].to_numpy() if "uncertainty_m" in page.column_names else np.zeros(len(page))
            uncertainty_m.append(np.nan_to_num(metres))
            ids.append(_hashed(page["id"]))
        _require_unique(np.concatenate(ids), pages)
        every = np.concatenate(bounds)
        codes = cell_codes(every)
        return cls(codes, every, np.concatenate(uncertainty_m), np.argsort(codes, kind="stable"))


def _hashed(ids: pa.ChunkedArray) -> Any:
    """Return 64 bits for each id, equal for equal ids: a tenth of their memory."""
    digests = (hashlib.blake2b(name.encode(), digest_size=8).digest() for name in ids.to_pylist())
    return np.frombuffer(b"".join(digests), np.uint64)


def _require_unique(hashed: Any, pages: StrikePages) -> None:
    values, count = np.unique(hashed, return_counts=True)
    doubtful = values[count > 1]
    if not len(doubtful):
        return
    seen: set[str] = set()
    problems = []
    for page in pages(("id",)):
        for row in np.flatnonzero(np.isin(_hashed(page["id"]), doubtful)).tolist():
            name = page["id"][row].as_py()
            if name in seen:
                problems.append(Problem("strikes", None, f"strike {name}", "id", name, Message("batch.id-twice")))
            seen.add(name)
    if problems:
        raise ProblemsError(tuple(problems))


def _write_reach(folder: Path, places: _Places, cells: Cells, index: AssetIndex) -> list[int]:
    """Write the rows of assets that may be in reach of each task; return their numbers.

    All parts of a cell have those of the whole cell.
    """
    rows, starts = [np.empty(0, np.int32)], [0]
    cell = cells.cell_of(places.codes[places.order])
    cuts = np.searchsorted(cell, np.arange(len(cells.quadkeys) + 1)).tolist()
    for (first, stop), parts in zip(pairwise(cuts), cells.parts.tolist(), strict=True):
        strikes = places.order[first:stop]
        found = rows_in_reach(places.bounds[strikes], places.uncertainty_m[strikes], index).astype(np.int32)
        rows += [found] * parts
        starts += (starts[-1] + len(found) * np.arange(1, parts + 1)).tolist()
    np.save(folder / _REACH[0], np.concatenate(rows), allow_pickle=False)
    np.save(folder / _REACH[1], np.array(starts, np.int64), allow_pickle=False)
    return np.diff(starts).tolist()


def _write_strikes(
    folder: Path, pages: StrikePages, cells: Cells, names: tuple[str, ...], run: int
) -> tuple[list[list[tuple[str, int]]], list[int]]:
    """Write the strikes in runs that are sorted by cell, with a row group for each cell; return where each cell is."""
    folder.mkdir()
    groups: list[list[tuple[str, int]]] = [[] for _ in names]
    counts = np.zeros(len(names), np.int64)
    seen = np.zeros(len(cells.quadkeys), np.int64)
    for number, table in enumerate(_runs(pages(None), run)):
        codes = cell_codes(shapely.bounds(geometries_of(table)))
        order = np.argsort(codes, kind="stable")
        part = cells.part_of(cells.cell_of(codes[order]), seen)
        name = f"run-{number:04}.parquet"
        column = pa.array(np.array(names, dtype=object)[part], pa.string())
        ordered = table.take(pa.array(order)).append_column("cell", column)
        with pq.ParquetWriter(folder / name, ordered.schema, compression="zstd") as writer:
            starts = np.flatnonzero(np.diff(part, prepend=-1)).tolist()
            for group, (first, stop) in enumerate(pairwise([*starts, len(part)])):
                writer.write_table(ordered.slice(first, stop - first), row_group_size=stop - first)
                groups[part[first]].append((name, group))
        counts += np.bincount(part, minlength=len(names))
    return groups, counts.tolist()


def _runs(pages: Iterable[pa.Table], run: int) -> Iterator[pa.Table]:
    """Join pages until there are enough strikes for a run."""
    waiting: list[pa.Table] = []
    for page in pages:
        waiting.append(page)
        if sum(map(len, waiting)) >= run:
            yield pa.concat_tables(waiting).combine_chunks()
            waiting = []
    if waiting:
        yield pa.concat_tables(waiting).combine_chunks()
