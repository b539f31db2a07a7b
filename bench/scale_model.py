"""What a batch, a store and its servers take at sizes that were not run: `python -m bench.scale_model`.

A model is fitted to what was measured (``scale_points.toml``): processor time, memory and bytes of each stage are a
constant, a part for each million strikes and a part for each million assets, none negative. Points that are held out of
the fit say how far off it is. On it stands a simulation of a batch on many workers, with cells of unequal cost, slow
workers and killed ones, and what the traffic of a day costs a server of files. Pure and seeded; ``--write`` puts its
tables into docs/scale.md.
"""

from __future__ import annotations

import argparse
import heapq
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from scipy.optimize import nnls

from geo.lonlat import Floats

POINTS = Path(__file__).with_name("scale_points.toml")
PAGE = Path(__file__).resolve().parent.parent / "docs" / "scale.md"
#: What is measured of a stage, with its unit.
QUANTITIES = ("processor_s", "memory_mb", "disk_mb")
_MILLION = 1e6


@dataclass(frozen=True, slots=True)
class Size:
    """Numbers of strikes and assets."""

    strikes: float
    assets: float


@dataclass(frozen=True, slots=True)
class Point:
    """What a stage took at a size, and where that was measured; what is held out is no part of the fit."""

    stage: str
    size: Size
    values: Mapping[str, float]
    rests_on: str
    held_out: bool


@cache
def read_bounded(path: Path = POINTS) -> Mapping[tuple[str, str], tuple[str, ...]]:
    """Read which quantities do not grow with strikes, or with assets, however many there are: by what they are."""
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    return {
        (stage, name): tuple(terms)
        for stage, table in tables.items()
        for name, terms in table.get("bounded", {}).items()
    }


@dataclass(frozen=True, slots=True)
class Line:
    """A quantity of a stage: a constant, and what each million strikes and each million assets add."""

    constant: float
    strikes: float
    assets: float

    def at(self, size: Size) -> float:
        """The quantity at a size."""
        return self.constant + (self.strikes * size.strikes + self.assets * size.assets) / _MILLION


#: The lines of a model by stage and quantity; a quantity that was not measured has none.
Model = Mapping[tuple[str, str], Line]


@cache
def read_points(path: Path = POINTS) -> tuple[Point, ...]:
    """Read what was measured."""
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    return tuple(
        Point(
            stage,
            Size(row["strikes"], row["assets"]),
            {name: float(row[name]) for name in QUANTITIES if name in row},
            row["rests_on"],
            row.get("held_out", False),
        )
        for stage, table in tables.items()
        for row in table["points"]
    )


def fit(points: Iterable[Point], bounded: Mapping[tuple[str, str], Sequence[str]] | None = None) -> Model:
    """Fit a line to each quantity of each stage: least squares of relative errors, no part negative.

    What grows with strikes and what with assets is told apart only where points differ in their ratio. A part that is
    bounded is 0 (by default as `read_bounded` says).
    """
    bounded = read_bounded() if bounded is None else bounded
    groups: dict[tuple[str, str], list[tuple[Size, float]]] = {}
    for point in points:
        if not point.held_out:
            for name, value in point.values.items():
                groups.setdefault((point.stage, name), []).append((point.size, value))
    return {key: _line(rows, bounded.get(key, ())) for key, rows in groups.items()}


def _line(rows: Sequence[tuple[Size, float]], bounded: Sequence[str]) -> Line:
    values = np.array([value for _, value in rows])
    columns = np.array([(1.0, size.strikes / _MILLION, size.assets / _MILLION) for size, _ in rows])
    columns[:, 1:] *= [name not in bounded for name in ("strikes", "assets")]
    solution, _ = nnls(columns / values[:, None], np.ones(len(values)))
    return Line(*map(float, solution))


def errors(model: Model, points: Iterable[Point]) -> Iterator[tuple[Point, str, float, float]]:
    """Yield the quantities of points that are held out: the point, the name, what is said and how far off that is."""
    for point in points:
        if point.held_out:
            for name, value in point.values.items():
                said = model[point.stage, name].at(point.size)
                yield point, name, said, said / value - 1


# --- a batch on many workers ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cluster:
    """Workers of one processor each, and what goes wrong with them.

    Parameters
    ----------
    workers
        How many answer cells at once.
    kills_per_hour
        How often each of them is killed, in the mean; it is replaced at once, and its cell begun anew.
    slow_share, slow_factor
        Which share of them takes how many times as long for everything.
    skew
        Standard deviation of the logarithm of what a strike of a cell costs.
    """

    workers: int
    kills_per_hour: float = 0.1
    slow_share: float = 0.05
    slow_factor: float = 3.0
    skew: float = 0.5


#: Strikes of a cell, at least and at most: cells are halved until they hold no more than the latter.
_CELL = (250, 5_000)
#: Seconds that Python and the program take to start (docs/batch.md).
_START_S = 2.0
#: Rows that a strike is answered with, and seconds to put a million of them into the digest (docs/scale.md).
_ROWS_PER_STRIKE, _DIGEST_S = 5.05, 0.16


@dataclass(frozen=True, slots=True)
class Batch:
    """What a simulated batch took: seconds by the clock, workers killed, and the useful share of their time."""

    plan_s: float
    answer_s: float
    digest_s: float
    kills: int
    useful: float

    @property
    def total_s(self) -> float:
        """All of it, one after the other."""
        return self.plan_s + self.answer_s + self.digest_s


def simulate(model: Model, size: Size, cluster: Cluster, seed: int = 1) -> Batch:
    """Plan in one process, then give cells to workers, each the next one when it is free, as `layers.batch` does."""
    lot = np.random.default_rng(seed)
    answer = model["answer", "processor_s"]
    cells = _cell_costs(size, answer.strikes / _MILLION, cluster.skew, lot)
    # Every worker reads words and assets itself.
    start_s = _START_S + answer.constant + answer.assets * size.assets / _MILLION
    slow = np.where(lot.random(cluster.workers) < cluster.slow_share, cluster.slow_factor, 1.0).tolist()
    pace = cluster.kills_per_hour / 3600

    def lifetime() -> float:
        return float(lot.exponential(1 / pace)) if pace else np.inf

    free = [(start_s * factor, worker) for worker, factor in enumerate(slow)]
    dies = [start_s * factor + lifetime() for factor in slow]
    heapq.heapify(free)
    waiting, end, kills = list(reversed(cells.tolist())), 0.0, 0
    while waiting:
        now, worker = heapq.heappop(free)
        cost = waiting.pop() * slow[worker]
        if now + cost > dies[worker]:
            waiting.append(cost / slow[worker])
            kills += 1
            now = dies[worker] + start_s * slow[worker]
            dies[worker] = now + lifetime()
        else:
            now += cost
            end = max(end, now)
        heapq.heappush(free, (now, worker))
    digest_s = size.strikes * _ROWS_PER_STRIKE / _MILLION * _DIGEST_S
    useful = float(cells.sum()) / (end * cluster.workers)
    return Batch(model["plan", "processor_s"].at(size), end, digest_s, kills, useful)


def _cell_costs(size: Size, strike_s: float, skew: float, lot: np.random.Generator) -> Floats:
    """Seconds of each cell: strikes drawn evenly between least and most, each at a price that is the cell's."""
    count = max(1, round(size.strikes / (sum(_CELL) / 2)))
    costs: Floats = lot.uniform(*_CELL, count) * lot.lognormal(0, skew, count)
    costs *= size.strikes * strike_s / costs.sum()
    return costs


# --- a day of readers, from files -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Day:
    """What the readers of a publication do on a day.

    Parameters
    ----------
    readers
        Each opens the map once.
    records
        Pages of records that each reads besides.
    first_mb, first_requests
        What the map takes a new reader (docs/scale.md).
    record_mb, record_requests
        And a page of a record, whose styles and scripts are there by then.
    peak_share
        Which share of the day's readers come in its busiest hour.
    """

    readers: float
    records: float = 3
    first_mb: float = 0.75
    first_requests: float = 100
    record_mb: float = 0.01
    record_requests: float = 1
    peak_share: float = 0.15


#: Microseconds of processor that nginx took for a file of 3, 20 and 200 kB, in the mean (docs/scale.md).
REQUEST_US = 45.0


@dataclass(frozen=True, slots=True)
class Traffic:
    """What a day of readers takes: terabytes, millions of requests, processor hours, and its busiest hour a second."""

    tb: float
    requests_m: float
    processor_h: float
    peak_gbit_s: float
    peak_requests_s: float


def traffic(day: Day) -> Traffic:
    """Work out what a day of readers takes a server of files."""
    mb = day.readers * (day.first_mb + day.records * day.record_mb)
    requests = day.readers * (day.first_requests + day.records * day.record_requests)
    peak = day.peak_share / 3600
    return Traffic(mb / 1e6, requests / 1e6, requests * REQUEST_US / 1e6 / 3600, mb * 8 / 1000 * peak, requests * peak)


# --- tables ----------------------------------------------------------------------------------------

STEPS = (Size(1e5, 1e5), Size(1e6, 1e6), Size(1e7, 1e6), Size(1e8, 1e7))
WORKERS = (10, 100, 1000)
READERS = (1e5, 1e6, 1e7, 1e8)


def number(value: float) -> str:
    """A number with two digits that count; more would say more than is known."""
    if value == 0:
        return "0"
    digits = max(0, 1 - int(np.floor(np.log10(abs(value)))))
    return f"{round(value, 1 - int(np.floor(np.log10(abs(value))))):,.{digits}f}"


def duration(seconds: float) -> str:
    """Seconds, minutes, hours or days."""
    for unit, length in (("d", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * length:
            return f"{number(seconds / length)} {unit}"
    return f"{number(seconds)} s"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _named(size: Size) -> str:
    return f"{number(size.strikes / _MILLION)}M x {number(size.assets / _MILLION)}M"


def coefficients(model: Model) -> str:
    """The model as a table."""
    rows = (
        [stage, name.replace("_", ", ").replace("mb", "MB"), *map(number, (line.constant, line.strikes, line.assets))]
        for (stage, name), line in model.items()
    )
    return _table(("stage", "quantity", "constant", "a million strikes", "a million assets"), rows)


def held_out(model: Model) -> str:
    """Points that are no part of the fit, and what it says of them."""
    rows = (
        [
            point.stage,
            _named(point.size),
            name.replace("_", ", ").replace("mb", "MB"),
            number(point.values[name]),
            number(said),
            f"{error:+.0%}",
        ]
        for point, name, said, error in errors(model, read_points())
    )
    return _table(("stage", "size", "quantity", "measured", "the model says", "off by"), rows)


def stages(model: Model) -> str:
    """What each stage takes at each step, by one process."""
    names = list(dict.fromkeys(stage for stage, _ in model))
    units = {"processor_s": duration, "memory_mb": lambda mb: f"{number(mb / 1000)} GB"}
    shown: Mapping[str, Callable[[float], str]] = {**units, "disk_mb": lambda mb: f"{number(mb / 1000)} GB on disk"}
    rows = (
        [
            stage,
            *(
                ", ".join(shown[name](model[stage, name].at(size)) for name in QUANTITIES if (stage, name) in model)
                for size in STEPS
            ),
        ]
        for stage in names
    )
    return _table(("stage", *map(_named, STEPS)), rows)


def batches(model: Model) -> str:
    """Simulated batches."""
    rows = (
        [
            _named(size),
            f"{workers:,}",
            *map(duration, (batch.plan_s, batch.answer_s, batch.digest_s, batch.total_s)),
            f"{batch.kills:,}",
            f"{batch.useful:.0%}",
        ]
        for size in STEPS[1:]
        for workers in WORKERS
        for batch in (simulate(model, size, Cluster(workers)),)
    )
    head = ("size", "workers", "plan", "answers", "digest", "all", "killed", "time of workers of use")
    return _table(head, rows)


def days(price_per_tb: float | None = None) -> str:
    """Days of readers; what they cost where a price is given."""
    head = ["readers", "TB", "million requests", "hours of one processor", "busiest hour, Gbit/s", "and requests/s"]
    rows = []
    for readers in READERS:
        day = traffic(Day(readers))
        values = (day.tb, day.requests_m, day.processor_h, day.peak_gbit_s, day.peak_requests_s)
        money = [] if price_per_tb is None else [number(day.tb * price_per_tb)]
        rows.append([f"{readers:,.0f}", *map(number, values), *money])
    return _table([*head, *(["at the price given"] if price_per_tb is not None else [])], rows)


def tables(model: Model) -> Mapping[str, str]:
    """The tables of docs/scale.md by name."""
    return {
        "coefficients": coefficients(model),
        "held-out": held_out(model),
        "stages": stages(model),
        "batches": batches(model),
        "days": days(),
    }


def written(page: str, made: Mapping[str, str]) -> str:
    """A page with the tables between their marks."""
    for name, table in made.items():
        begin, end = f"<!-- {name}: written by python -m bench.scale_model --write -->", f"<!-- end of {name} -->"
        before, _, rest = page.partition(begin)
        _, found, after = rest.partition(end)
        if not found:
            raise ValueError(f"the page has no marks of the table {name}")
        page = f"{before}{begin}\n{table}\n{end}{after}"
    return page


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write the tables into docs/scale.md")
    parser.add_argument("--price-per-tb", type=float, help="what a terabyte sent costs you, for the days of readers")
    given = parser.parse_args()
    made = tables(fit(read_points()))
    if given.write:
        PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), made), encoding="utf-8")
    else:
        print("\n\n".join({**made, "days": days(given.price_per_tb)}.values()))


if __name__ == "__main__":
    main()
