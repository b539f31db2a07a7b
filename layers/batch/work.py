"""What a worker does with one task of a plan: reads the strikes of a cell, answers them, and writes its folder.

`answers` is the one function that a cell is for, from its strikes to their candidates and attributions: it reads no
file.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from itertools import chain, pairwise
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from geo.lonlat import Floats, Ints
from layers.attribution.attribute import Attributor, attributions
from layers.batch.digest import row_hashes
from layers.batch.layer_rows import LayerRows
from layers.batch.plan import SHARED, STRIKES, CellTask, Plan, rows_in_reach_of
from layers.batch.record_parquet import GEO_METADATA, GEOMETRY, records_of
from layers.batch.shared_tables import SharedTables
from layers.decisions.hits import SHOW_FROM, finding
from layers.filesystem.atomic_file import sync
from layers.matching import weights
from layers.matching.asset_index import AssetIndex
from layers.matching.explanation import ONE_SITE, is_shown_as_lent
from layers.matching.match import DIGITS, Scores, likeliest_assets, rounded, score_chunks
from layers.matching.strike_columns import StrikeColumns
from layers.matching.weights import REASONS, MatchWeights
from layers.model.garbage import collection_paused
from layers.model.messages import Wording
from layers.model.problems import Problem, ProblemsError
from layers.model.records import Attribution, Strike
from layers.model.types import columns
from layers.ownership.owners import OwnersByDate

#: Columns of strikes that answers rest on.
COLUMNS = (
    *("id", "title", "when", "place", "region", "host_country", GEOMETRY, "uncertainty_m", "basis"),
    *("targets", "target_kinds", "status"),
)
#: Folder of the answers in that of a plan, the start of the name of the folder of a cell, and its files.
ANSWERS, CELL = "answers", "cell="
CANDIDATES, ATTRIBUTIONS, HASHES, DONE = "candidates.parquet", "attributions.parquet", "hashes.npy", "done.json"

_UNFINISHED = ".new"
_REASON = pa.struct([("name", pa.string()), ("value", pa.float64()), ("weight", pa.float64())])
_CANDIDATES = pa.schema(
    [
        ("strike", pa.string()),
        ("asset", pa.string()),
        ("probability", pa.float64()),
        ("distance_m", pa.float64()),
        ("reasons", pa.list_(_REASON)),
        (GEOMETRY, pa.binary()),
    ],
    GEO_METADATA,
)
_ARROW = {"text": pa.string(), "number": pa.float64(), "boolean": pa.bool_()}
_ATTRIBUTIONS = pa.schema(
    [*((column.name, _ARROW[column.type]) for column in columns(Attribution)), (GEOMETRY, pa.binary())], GEO_METADATA
)


@dataclass(frozen=True)
class CellReport:
    """What became of a task."""

    #: Of the task.
    name: str
    #: Id of the plan.
    plan: str
    #: How many strikes were answered, and how many rows the answers have.
    strikes: int = 0
    candidates: int = 0
    attributions: int = 0
    #: Size of its files.
    bytes: int = 0
    #: Time that passed, and that of the processor.
    seconds: float = 0.0
    processor_seconds: float = 0.0
    #: Largest memory of the process so far, with what it has mapped of the shared files.
    peak_bytes: int = 0
    #: SHA-256 of each of its files by name, in hexadecimal.
    files: Mapping[str, str] = field(default_factory=dict)
    #: Faults of the strikes; where there is any, nothing was answered or written.
    problems: tuple[Problem, ...] = ()

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> CellReport:
        """The report of a task that was done, from its values as JSON has them."""
        return cls(**{**values, "problems": ()})


@dataclass(frozen=True)
class Work:
    """Answers tasks of a plan; a copy of it goes to each worker."""

    #: That of the plan, at the same path for all workers.
    folder: str
    #: As in `Plan`.
    plan: str
    publish_from: float
    #: A function of a module, which workers import by its name.
    wording: Wording

    @classmethod
    def of(cls, folder: Path, plan: Plan, wording: Wording) -> Work:
        """The work of a plan in a folder."""
        return cls(str(folder.absolute()), plan.id, plan.publish_from, wording)

    @collection_paused()
    def __call__(self, task: CellTask) -> CellReport:
        """Answer the strikes of a task and put the folder of its answers in place, whole or not at all.

        A folder that another worker has put in place stays: it has the same answers. Dask gives a task again where a
        worker is killed after it has answered.
        """
        began, processor = perf_counter(), process_time()
        folder = Path(self.folder)
        if (done := report_of(folder, task, self.plan)) is not None:
            return done
        try:
            strikes = _strikes_of(folder, task)
        except ProblemsError as error:
            return CellReport(task.name, self.plan, problems=error.problems)
        rows = rows_in_reach_of(folder, task)
        found = answers(strikes, rows, _shared(self.folder), weights.read(), self.publish_from, self.wording)
        target = cell_folder(folder, task)
        with _aside(target) as aside:
            _write(aside, found, strikes)
            report = CellReport(
                task.name,
                self.plan,
                len(strikes),
                len(found.candidates),
                len(found.attributions),
                sum(file.stat().st_size for file in aside.iterdir()),
                perf_counter() - began,
                process_time() - processor,
                _peak_bytes(),
                {file.name: file_digest(file) for file in aside.iterdir()},
            )
            (aside / DONE).write_bytes(orjson.dumps(asdict(report)))
            _put_in_place(aside, target)
        return report


def cell_folder(folder: Path, task: CellTask) -> Path:
    """Return where the answers of a task stand."""
    return folder / ANSWERS / f"{CELL}{task.name}"


def report_of(folder: Path, task: CellTask, plan: str) -> CellReport | None:
    """Read the report of a task that was done for the plan of that id; ``None`` where it is to be done."""
    try:
        values = orjson.loads((cell_folder(folder, task) / DONE).read_bytes())
    except OSError:
        return None
    report = CellReport.of(values)
    return report if report.plan == plan else None


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file, which is read piece by piece; raises `OSError` if it cannot be read."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def remove_unfinished(folder: Path) -> None:
    """Remove what killed workers left, when no worker is at work any more."""
    for left in (folder / ANSWERS).glob(f".*{_UNFINISHED}"):
        shutil.rmtree(left, ignore_errors=True)


# The files of one plan: a worker has one at a time.
@lru_cache(maxsize=1)
def _shared(folder: str) -> SharedTables:
    return SharedTables.read(Path(folder) / SHARED)


# A file of a million strikes has hundreds of row groups, whose places each task would read again.
_metadata = lru_cache(maxsize=64)(pq.read_metadata)


def _strikes_of(folder: Path, task: CellTask) -> list[Strike]:
    strikes: list[Strike] = []
    problems: list[Problem] = []
    for name, group in task.groups:
        path = folder / STRIKES / name
        with pq.ParquetFile(path, metadata=_metadata(path)) as file:
            page = file.read_row_group(group)
        try:
            strikes += records_of("strikes", page, f"cell {task.name}")
        except ProblemsError as error:
            problems += error.problems
    if problems:
        raise ProblemsError(tuple(problems))
    return strikes


@contextmanager
def _aside(target: Path) -> Iterator[Path]:
    """Give a new folder beside where it is to be; it is removed at the end unless it was moved."""
    target.parent.mkdir(exist_ok=True)
    folder = target.with_name(f".{target.name}-{secrets.token_hex(4)}{_UNFINISHED}")
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _put_in_place(aside: Path, target: Path) -> None:
    for file in aside.iterdir():
        sync(file)
    try:
        os.rename(aside, target)
    except OSError:  # another worker was quicker: the same task may be given twice
        if not (target / DONE).exists():
            raise
    sync(target.parent)


def _write(folder: Path, found: CellAnswers, strikes: Sequence[Strike]) -> None:
    if found.layers is not None:
        found.layers.write(folder)
    np.save(folder / HASHES, row_hashes(found.rows()), allow_pickle=False)
    wkb = shapely.to_wkb(np.array([strike.geometry for strike in strikes], dtype=object), flavor="iso")
    place = dict(zip((strike.id for strike in strikes), wkb.tolist(), strict=True))
    _write_table(folder / CANDIDATES, _candidate_columns(found, place), _CANDIDATES)
    rows = found.attributions
    columns = {name: [getattr(row, name) for row in rows] for name in Attribution.model_fields}
    _write_table(folder / ATTRIBUTIONS, {**columns, GEOMETRY: [place[row.strike] for row in rows]}, _ATTRIBUTIONS)


def _write_table(path: Path, columns: Mapping[str, Any], schema: pa.Schema) -> None:
    pq.write_table(pa.table(columns, schema), path, compression="zstd")


def _candidate_columns(found: CellAnswers, place: Mapping[str, bytes | None]) -> dict[str, Any]:
    strike, asset, probability, distance_m, reasons = zip(*found.candidates, strict=True)
    stops = np.cumsum([0, *map(len, reasons)]).astype(np.int32)
    parts = list(zip(*chain.from_iterable(reasons), strict=True)) or [()] * _REASON.num_fields
    arrays = [pa.array(part, field.type) for part, field in zip(parts, _REASON, strict=True)]
    return {
        "strike": strike,
        "asset": asset,
        "probability": probability,
        "distance_m": distance_m,
        "reasons": pa.ListArray.from_arrays(stops, pa.StructArray.from_arrays(arrays, fields=list(_REASON))),
        GEOMETRY: [place[name] for name in strike],
    }


def _peak_bytes() -> int:
    """Largest memory of this process so far.

    The system's own counter starts with that of the process which started this one; Linux has another.
    """
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        import resource  # which Windows lacks

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024


#: Columns of a row of candidates.
CANDIDATE_COLUMNS = ("strike", "asset", "probability", "distance_m", "reasons")


@dataclass(frozen=True)
class CellAnswers:
    """The answers to the strikes of a cell."""

    #: Rows of `CANDIDATE_COLUMNS`: a strike, an asset that is probable enough to be shown or ``None`` for "none of
    #: these", the probability, metres between both places (``None`` where one is missing), and of each reason that has
    #: evidence or weight its name, the value measured and the log odds that it adds; see `explanation.reasons`.
    candidates: tuple[tuple[Any, ...], ...]
    #: A row for each strike x asset x relation x country.
    attributions: tuple[Attribution, ...]
    #: The rows of the layers, ``None`` where they are not wanted. They are no part of the digest: they follow from
    #: records and attributions.
    layers: LayerRows | None = None

    def rows(self) -> Iterator[Sequence[Any]]:
        """Yield all rows as the digest reads them, each led by what it is."""
        yield from (("candidate", *row) for row in self.candidates)
        names = tuple(Attribution.model_fields)
        yield from (("attribution", *(getattr(row, name) for name in names)) for row in self.attributions)


def answers(
    strikes: Sequence[Strike],
    rows: Ints,
    shared: SharedTables,
    weights: MatchWeights,
    publish_from: float,
    wording: Wording,
) -> CellAnswers:
    """Match and attribute the strikes of a cell.

    The answer to a strike is the same whichever strikes are answered with it: counts of words, kinds and assets are
    those of the whole layer, and no other strike enters.

    Parameters
    ----------
    strikes
        Those that the cell owns; a strike without a geometry is matched by names alone.
    rows
        Rows of the index, ascending: at least all assets in reach of any of the strikes. Those that a text names are
        found wherever they are.
    shared
        What is the same for all cells.
    weights
        The weight of each reason.
    publish_from
        The probability from which an undecided candidate counts as hit.
    wording
        Words the reasons why a part is unattributed.
    """
    index = shared.index.searching(rows, shared.widest_m)
    columns = StrikeColumns.of(strikes, index.names)
    candidates: list[tuple[Any, ...]] = []
    proposed: dict[str, str] = {}
    for chunk, scores in score_chunks(columns, index, weights):
        ids = columns.ids[chunk].tolist()
        proposed.update((ids[position], asset) for position, asset in likeliest_assets(scores, index, publish_from))
        candidates += _candidates(ids, scores, index)
    return CellAnswers(tuple(candidates), *_attributed(strikes, proposed, shared, wording))


def _candidates(ids: Sequence[str], scores: Scores, index: AssetIndex) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a chunk: candidates that are shown, then "none of these" of each strike."""
    pairs = np.flatnonzero(np.round(scores.probability, DIGITS) >= SHOW_FROM)
    columns = zip(
        scores.left[pairs].tolist(),
        scores.right[pairs].tolist(),
        scores.probability[pairs].tolist(),
        scores.distance_m[pairs].tolist(),
        map(rounded, scores.lent[pairs].tolist()),
        _reasons(scores, pairs),
        strict=True,
    )
    for left, right, probability, metres, lent, reasons in columns:
        distance_m = None if metres != metres else rounded(metres)
        every = (*reasons, (ONE_SITE, lent, 0.0)) if is_shown_as_lent(lent) else reasons
        yield ids[left], index.ids[right], rounded(min(1.0, probability)), distance_m, every
    for strike, probability in zip(ids, scores.no_asset.tolist(), strict=True):
        yield strike, None, rounded(probability), None, ()


def _reasons(scores: Scores, pairs: Ints) -> Iterator[tuple[tuple[str, float, float], ...]]:
    """Yield the reasons of pairs in the order of `REASONS`: name, value measured, and log odds."""
    weight = _matrix(scores.by_reason, pairs)
    value = _matrix({**scores.by_reason, **scores.evidence}, pairs)
    there = (value != 0) | (weight != 0)
    names, stops = np.array(list(REASONS), dtype=object), np.cumsum([0, *there.sum(axis=1)]).tolist()
    flat = zip(
        names[np.nonzero(there)[1]].tolist(),
        map(rounded, value[there].tolist()),
        map(rounded, weight[there].tolist()),
        strict=True,
    )
    listed = list(flat)
    return (tuple(listed[start:stop]) for start, stop in pairwise(stops))


def _matrix(columns: Mapping[str, Floats], pairs: Ints) -> Floats:
    """Return columns by reason as a matrix of shape (pairs, reasons), rounded so that what is as good as 0 is 0."""
    return np.asarray(np.round(np.stack([columns[name][pairs] for name in REASONS], axis=1), DIGITS), float)


def _attributed(
    strikes: Sequence[Strike], proposed: Mapping[str, str], shared: SharedTables, wording: Wording
) -> tuple[tuple[Attribution, ...], LayerRows | None]:
    """Attribute strikes, those of one day one after the other: they share the stakes that count."""
    by_id = {strike.id: strike for strike in strikes}
    records = replace(shared.records, strikes=by_id)
    outcomes = [
        finding(strike, records.where("decisions", "strike", strike), proposed.get(strike))
        for strike in sorted(by_id, key=lambda name: by_id[name].when)
    ]
    owners = OwnersByDate(shared.stakes.above({hit.asset for outcome in outcomes for hit in outcome.hits}))
    shared.hosts.look_up(strikes)
    attributed = [*map(Attributor(records, owners, hosts=shared.hosts).attribute, outcomes)]
    rows = tuple(attributions(records, attributed, wording))
    if not shared.layers:
        return rows, None
    return rows, LayerRows.of(records, attributed, shared.stakes, owners, wording)
