"""CPU time of filters and orders over synthetic strikes, uncached: `python -m bench.filtering --rows 100000`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from statistics import median
from time import process_time

import numpy as np
import shapely
from rich.console import Console
from rich.table import Table

from geo.columnar.lazy_array import Array, LazyArray
from layers.collections.collection import Collection
from layers.collections.column_values import plain_values
from layers.collections.feature_table import FeatureTable
from layers.collections.feature_types import StrikeFeature
from layers.model.types import AssetKind
from layers.query.cql2_text import parse
from layers.query.filter import compile_filter
from layers.query.keyset_cursor import begin_after, cursor_at, with_tiebreak
from layers.query.selection import Selection, SortKey, rows

FILTERS = (
    "kind = 'refinery' AND killed_min >= 4",
    "kind IN ('refinery', 'factory') AND n_sources > 2",
    "id = 's-0000077'",
    "title LIKE 'Strike on 77%'",
    "title LIKE '%77%'",
    "CASEI(title) LIKE CASEI('%лисичанськ')",
    "day_first >= DATE('2024-01-01') AND day_first < DATE('2024-02-01')",
    "T_INTERSECTS(INTERVAL(day_first, day_last), INTERVAL('2024-01-01', '2024-01-31'))",
    "killed_min < killed_max",
    "killed_min * 2 / (n_sources - 1) > 3",
    "kind <> host_country",
    "A_CONTAINS(owner_countries, ('UA', 'RU'))",
    "A_OVERLAPS(owner_countries, related_countries)",
    "S_INTERSECTS(geometry, BBOX(30, 45, 32, 47))",
    "S_WITHIN(geometry, POLYGON((30 45, 33 45, 33 48, 30 48, 30 45)))",
    "S_INTERSECTS(geometry, POLYGON((21 41, 59 41, 59 59, 40 55, 21 59, 21 41)))",
)
ORDERS = (SortKey("day_first", descending=True),), (SortKey("title"),)
COUNTRIES = ("UA", "RU", "DE", "AZ", "KZ", "US")
KINDS: tuple[AssetKind, ...] = "refinery", "oil-depot", "power-plant", "port-terminal", "pipeline", "factory"


def strikes(count: int) -> Collection:
    """Points with ids in no order, a title each, a few kinds, days over four years."""
    rng = np.random.default_rng(3)
    kind, days, more = (rng.integers(0, limit, count).tolist() for limit in (len(KINDS) + 1, 1400, 40))
    features = [
        StrikeFeature(
            id=f"s-{number * 7919 % count:07d}",
            title=f"Strike on {number * 31 % count} Лисичанськ",
            when=str(date(2022, 2, 24) + timedelta(days[number])),
            place="Лисичанськ",
            status="reported",
            rests_on="match",
            sure=False,
            day_first=date(2022, 2, 24) + timedelta(days[number]),
            day_last=date(2022, 2, 24) + timedelta(days[number] + more[number] // 38),
            host_country=COUNTRIES[kind[number] % 6],
            killed_min=more[number] if more[number] < 30 else None,
            killed_max=more[number] + 2 if more[number] < 30 else None,
            kind=(*KINDS, None)[kind[number]],
            owner_countries=COUNTRIES[: kind[number] % 4],
            related_countries=(COUNTRIES[more[number] % 6],),
            n_sources=more[number] % 5,
            n_voices=more[number] % 5,
        )
        for number in range(count)
    ]
    positions = np.array(shapely.points(rng.uniform(20, 60, count), rng.uniform(40, 60, count)), dtype=object)
    return Collection(
        "strikes", "Strikes", "Synthetic.", StrikeFeature, FeatureTable.of(StrikeFeature, features), positions.tolist()
    )


def timed(call: Callable[[], object], rounds: int) -> tuple[float, float, object]:
    """Milliseconds of the first run, the median of the next ones, and the result."""
    times = []
    for _ in range(rounds + 1):
        start = process_time()
        answer = call()
        times.append(1000 * (process_time() - start))
    return times[0], median(times[1:]), answer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=15)
    args = parser.parse_args()
    collection = strikes(args.rows)
    table = Table("what", "first ms", "then ms", "rows")

    def row(what: str, call: Callable[..., object], *given: object) -> None:
        first, then, answer = timed(partial(call, *given), args.rounds)
        count = f"{_selected(answer):,}" if isinstance(answer, np.ndarray | LazyArray) else ""
        table.add_row(what, f"{first:.2f}", f"{then:.3f}", count)

    for name in ("kind", "title", "id", "day_first"):
        row(f"column {name}, made anew", ranked, collection, name)
    for text in FILTERS:
        ready = compile_filter(parse(text), collection.queryables)
        row(text, ready.mask, collection)
    row("reading the first of these", compile_first, collection)
    for order in ORDERS:
        selection = with_tiebreak(Selection(order=order))
        row(f"sorted by {order[0].name}, id", sort_uncached, collection, selection)
        row("  and kept", rows, collection, selection)
        answer = rows(collection, selection)
        cursor = cursor_at(collection, selection, int(answer[len(answer) // 2]))
        row("  after a cursor", begin_after, collection, selection, answer, cursor)
    Console().print(table)


def _selected(answer: Array) -> int:
    """Rows of a mask, or of a list of them."""
    return int(np.sum(answer)) if answer.dtype == bool else len(answer)


def ranked(collection: Collection, name: str) -> None:
    """Read a column and rank its values, as the first filter by it does."""
    _ = plain_values(collection.queryables[name].kind, collection.features.columns[name]).sort_ranks


def compile_first(collection: Collection) -> None:
    compile_filter(parse(FILTERS[0]), collection.queryables)


def sort_uncached(collection: Collection, selection: Selection) -> Array:
    """Sort with no cache but the ranks of the columns."""
    collection.query_cache.clear()
    collection.all_rows_cache.clear()
    return rows(collection, selection)


if __name__ == "__main__":
    main()
