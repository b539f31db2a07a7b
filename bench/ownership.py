"""Owners at scale: countries' shares of a synthetic register, and one asset's owners as served, beside networkx.

Run as ``python -m bench.ownership --entities 1000000 --stakes 2000000``. The register has chains of companies up to
states and persons, and one strongly connected component of a tenth of the entities. Times of work on all nodes are the
least of some runs; all are of the processor, so that what else a machine does counts little. Peak memory is that of the
process so far. What is served is all of ``owners.Owners``: shares, reasons, warnings and chains; the records of the
stakes are stand-ins.
"""

from __future__ import annotations

import argparse
import gc
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from rich.console import Console
from rich.table import Table

from bench.country_bounds import country_bounds
from layers.model.records import Stake
from layers.ownership.minority import Minority
from layers.ownership.owners import OwnersOnDate
from layers.ownership.stake_graph import GraphNodes, NodeKind, StakeColumns
from layers.ownership.walk import CountryShare, OwnershipGraph, Walk

COUNTRIES = 30
RULES: tuple[Minority, ...] = ("stay", "follow")
#: An enumeration of paths that takes longer is given up.
MOST_SECONDS = 1.0

Result = TypeVar("Result")


class Alike(Sequence[Stake]):
    """As many records of stakes as there are rows, all the same object."""

    _record = Stake(id="one", owned="e0", owner="e1", share_min=1, share_max=1, source="s", checked="read")

    def __init__(self, rows: int) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return self._rows

    def __getitem__(self, row: int) -> Stake:  # type: ignore[override]
        return self._record


def register(entities: int, stakes: int, cyclic: int, seed: int, unsure: float) -> StakeColumns:
    """Make companies whose owners stand above them, but for a component whose members own each other."""
    rng = np.random.default_rng(seed)
    owned = rng.integers(0, entities - 2 * COUNTRIES, stakes)
    above = owned + 1 + (rng.random(stakes) ** 3 * (entities - owned - 2)).astype(np.int64)
    first = (entities - cyclic) // 2
    inside = first + rng.permutation(cyclic)  # a block, so that the loop is as large as asked for and no larger
    ring = np.column_stack([inside, np.roll(inside, 1)])
    extra = inside[rng.integers(0, cyclic, (cyclic // 2, 2))]
    extra = extra[extra[:, 0] != extra[:, 1]]
    owned = np.concatenate([owned, ring[:, 0], extra[:, 0]])
    owner = np.concatenate([above, ring[:, 1], extra[:, 1]])
    weight = rng.random(len(owned)) + 0.05
    share = 0.97 * weight / np.bincount(owned, weight, entities)[owned]
    order = np.lexsort((-share, owned))
    owned, owner, share = owned[order], owner[order], share[order]
    kind = np.full(entities, NodeKind.COMPANY, np.int8)
    kind[-COUNTRIES:] = NodeKind.STATE
    kind[-2 * COUNTRIES : -COUNTRIES] = NodeKind.PERSON
    country = (np.arange(entities) % COUNTRIES).astype(np.int16)
    none = np.zeros((len(owned), 2), np.int64)
    sure = rng.random(len(owned)) >= unsure
    nodes = GraphNodes(
        ids=[f"e{row}" for row in range(entities)],
        names=[""] * entities,
        kind=kind,
        registered=country,
        seat=country,
        joint=rng.random(entities) < 0.1,
        countries=[f"C{row}" for row in range(COUNTRIES)],
    )
    return StakeColumns(nodes, owned, owner, share, share, sure, none, none + 10**7, Alike(len(owned)))


def timed(work: Callable[[], Result], runs: int = 1) -> tuple[float, Result]:
    """Least seconds of the processor of some runs, and the result of the last; a shared machine changes them little."""
    took = []
    for _ in range(runs):
        start = time.process_time()
        result = work()
        took.append(time.process_time() - start)
    return min(took), result


def peak_gb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def groups(entities: int, cyclic: int, seed: int) -> dict[str, list[int]]:
    """Entities to ask for: with few ancestors, any, with the loop above them, and in the loop."""
    rng = np.random.default_rng(seed)
    first = (entities - cyclic) // 2
    return {
        "of few ancestors": list(range(entities - entities // 1000, entities - 2 * COUNTRIES, 5)),
        "any": rng.integers(0, entities, 500).tolist(),
        "below the loop": rng.integers(0, first, 500).tolist(),
        "in the loop": (first + rng.integers(0, cyclic, 500)).tolist(),
    }


class PathSums:
    """Owners by enumeration of all simple paths with networkx: exact where there are no loops."""

    def __init__(self, register: OwnershipGraph) -> None:
        import networkx

        graph, size = register.graph, len(register.nodes)
        self._paths = networkx.all_simple_edge_paths
        self._above = networkx.descendants
        self._country = register.country
        self._left = 1 - np.bincount(graph.owned, graph.low, size)
        self._graph: Any = networkx.DiGraph()
        self._graph.add_nodes_from(range(size))
        for owned, owner, share in zip(graph.owned.tolist(), graph.owner.tolist(), graph.low.tolist(), strict=True):
            known = self._graph.get_edge_data(owned, owner, {"share": 0.0})["share"]
            self._graph.add_edge(owned, owner, share=known + share)

    def shares(self, asset: int) -> dict[int, float] | None:
        """Percent by country number under ``follow``, ``None`` where there are too many paths."""
        shares = {int(self._country[asset]): 100 * float(self._left[asset])}
        began = time.perf_counter()
        for path in self._paths(self._graph, asset, self._above(self._graph, asset)):
            if time.perf_counter() - began > MOST_SECONDS:
                return None
            share = 100 * float(self._left[path[-1][1]])
            for edge in path:
                share *= self._graph.edges[edge]["share"]
            country = int(self._country[path[-1][1]])
            shares[country] = shares.get(country, 0.0) + share
        return shares


def difference(shares: tuple[CountryShare, ...], paths: dict[int, float]) -> float:
    """Largest difference of a country's share, in percent."""
    ours = {int(row.country[1:]): row.share.low for row in shares}
    return max(abs(ours.get(country, 0.0) - paths.get(country, 0.0)) for country in {*ours, *paths})


def timed_row(name: str, work: Callable[[str], object], nodes: list[int]) -> tuple[str, str, str]:
    """A row of the table: one asset's owners, median, 99th of 100 and worst, in milliseconds."""
    work(f"e{nodes[0]}")  # the index of the ids
    spent = [1000 * timed(lambda n=node: work(f"e{n}"))[0] for node in nodes]  # type: ignore[misc]
    median, slowest, worst = np.quantile(spent, [0.5, 0.99, 1.0])
    text = f"{median:.2f} ms, 99 %: {slowest:.2f} ms, worst: {worst:.2f} ms"
    return f"one asset's owners, {name} ({len(nodes)})", text, f"{peak_gb():.2f}"


def compare(rows: Table, register: OwnershipGraph, nodes_by_group: dict[str, list[int]]) -> None:
    """Time networkx on the assets where it ends, beside the walk of the same."""
    built, sums = timed(lambda: PathSums(register))
    rows.add_row("networkx: the graph", f"{built:.1f} s", f"{peak_gb():.2f}")
    for name, nodes in nodes_by_group.items():
        theirs, ours, apart = [], [], []
        sample = nodes[:: max(1, len(nodes) // 20)]
        for node in sample:
            took, paths = timed(lambda n=node: sums.shares(n))  # type: ignore[misc]
            if paths is not None:
                walked, ours_of_node = timed(lambda n=node: Walk(register, f"e{n}").shares())  # type: ignore[misc]
                theirs.append(took)
                ours.append(walked)
                apart.append(difference(ours_of_node, paths))
        label = f"networkx: simple paths, {name}, {len(theirs)} of {len(sample)} end"
        if theirs:
            ratio = sum(theirs) / sum(ours)
            text = f"{1000 * np.median(theirs):.2f} ms, 99 %: {1000 * np.quantile(theirs, 0.99):.2f} ms"
            text += f"; {ratio:.1f} x the walk; apart {max(apart):.0e} %"
        rows.add_row(label, text if theirs else "-", f"{peak_gb():.2f}")


def serve(rows: Table, known: OwnershipGraph, nodes_by_group: dict[str, list[int]]) -> None:
    """Time owners as they are served: the first request, for an asset below the loop, then others."""
    gc.collect()
    gc.freeze()  # as the server does
    ownership = OwnersOnDate(known)
    took, _ = timed(lambda: ownership.of(f"e{nodes_by_group['in the loop'][0]}"))
    rows.add_row("the first asset's owners as served", f"{took:.2f} s", f"{peak_gb():.2f}")
    for name, nodes in nodes_by_group.items():
        rows.add_row(*timed_row(f"as served, {name}", ownership.of, nodes))


def measure(
    rows: Table, table: StakeColumns, rule: Minority, nodes_by_group: dict[str, list[int]], runs: int
) -> OwnershipGraph:
    """Time our answers under one rule for minorities."""
    took, known = timed(
        lambda: OwnershipGraph(replace(table), None, None, minority=rule), runs
    )  # a table keeps its graphs
    rows.add_row(f"stakes of a day, minorities {rule}", f"{took:.2f} s", f"{peak_gb():.2f}")
    took, _ = timed(lambda: country_bounds(known.graph, known.country, [0], rule), runs)
    rows.add_row("one country", f"{took:.2f} s", f"{peak_gb():.2f}")
    took, _ = timed(lambda: country_bounds(known.graph, known.country, list(range(COUNTRIES)), rule), runs)
    rows.add_row(f"all {COUNTRIES} countries", f"{took:.2f} s", f"{peak_gb():.2f}")
    few = next(iter(nodes_by_group))
    rows.add_row(*timed_row(f"walked, {few}", lambda name: Walk(known, name).shares(), nodes_by_group[few]))
    serve(rows, known, nodes_by_group)
    rows.add_section()
    return known


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entities", type=int, default=1_000_000)
    parser.add_argument("--stakes", type=int, default=2_000_000)
    parser.add_argument("--cyclic", type=int, default=100_000)
    parser.add_argument("--unsure", type=float, default=0.0, help="Part of the stakes that count from 0.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runs", type=int, default=3, help="Runs of which the least time is told.")
    parser.add_argument(
        "--networkx", action="store_true", help="Also enumerate paths with networkx (slow, much memory)."
    )
    args = parser.parse_args()
    table = register(args.entities, args.stakes, args.cyclic, args.seed, args.unsure)
    title = f"{args.entities:,} entities, {len(table.owned):,} stakes, a loop of {args.cyclic:,}"
    rows = Table("work", "time", "peak memory, GB", title=title)
    nodes_by_group = groups(args.entities, args.cyclic, args.seed)
    for rule in RULES:
        known = measure(rows, table, rule, nodes_by_group, args.runs)
    if args.networkx:
        compare(rows, known, nodes_by_group)
    Console(width=140).print(rows)


if __name__ == "__main__":
    main()
