"""Owners at scale: one country and all countries over a synthetic register, and one asset's owners, beside networkx.

Run as ``python -m bench.ownership --entities 1000000 --stakes 2000000``. The register has chains of companies up to
states and persons, and one strongly connected component of a tenth of the entities.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np
from rich.console import Console
from rich.table import Table

from layers.ownership import Register, Walk
from layers.rollup import rollup
from layers.stake_table import Kind, Nodes, StakeTable

COUNTRIES = 30


def register(entities: int, stakes: int, cyclic: int, seed: int, unsure: float) -> StakeTable:
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
    kind = np.full(entities, Kind.COMPANY, np.int8)
    kind[-COUNTRIES:] = Kind.STATE
    kind[-2 * COUNTRIES : -COUNTRIES] = Kind.PERSON
    country = (np.arange(entities) % COUNTRIES).astype(np.int16)
    none = np.zeros((len(owned), 2), np.int64)
    sure = rng.random(len(owned)) >= unsure
    nodes = Nodes(
        ids=[f"e{row}" for row in range(entities)],
        names=[""] * entities,
        kind=kind,
        registered=country,
        seat=country,
        joint=rng.random(entities) < 0.1,
        countries=[f"C{row}" for row in range(COUNTRIES)],
    )
    return StakeTable(nodes, owned, owner, share, share, sure, none, none + 10**7, [])


def timed(work: object, *args: object, **kwargs: object) -> tuple[float, object]:
    start = time.perf_counter()
    result = work(*args, **kwargs)  # type: ignore[operator]
    return time.perf_counter() - start, result


def networkx_paths(table: StakeTable, assets: list[int], cutoff: int) -> float:
    """Median seconds to sum the simple paths from an asset to every node that is owned by nobody."""
    import networkx

    graph = networkx.DiGraph()
    graph.add_weighted_edges_from(zip(table.owned.tolist(), table.owner.tolist(), table.least.tolist(), strict=True))
    took = []
    for asset in assets:
        start = time.perf_counter()
        above = networkx.descendants(graph, asset) if asset in graph else set()
        tops = [node for node in above if graph.out_degree(node) == 0]
        for top in tops:
            for path in networkx.all_simple_edge_paths(graph, asset, top, cutoff):
                np.prod([graph.edges[edge]["weight"] for edge in path])
        took.append(time.perf_counter() - start)
    return float(np.median(took))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entities", type=int, default=1_000_000)
    parser.add_argument("--stakes", type=int, default=2_000_000)
    parser.add_argument("--cyclic", type=int, default=100_000)
    parser.add_argument("--unsure", type=float, default=0.0, help="Part of the stakes that count from 0.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--networkx", action="store_true", help="Also enumerate paths with networkx (slow, much memory)."
    )
    told = parser.parse_args()
    table = register(told.entities, told.stakes, told.cyclic, told.seed, told.unsure)
    rows = Table("work", "seconds", title=f"{told.entities:,} entities, {len(table.owned):,} stakes")
    built, known = timed(Register, table, None, None, minority="follow")
    assert isinstance(known, Register)
    rows.add_row("stakes of a day", f"{built:.2f}")
    for minority in ("follow", "stay"):
        took, _ = timed(rollup, known.graph, known.country, [0], minority)
        rows.add_row(f"one country, minorities {minority}", f"{took:.2f}")
    took, _ = timed(rollup, known.graph, known.country, list(range(COUNTRIES)), "follow")
    rows.add_row(f"all {COUNTRIES} countries, minorities follow", f"{took:.2f}")
    small = list(range(told.entities - 1000, told.entities - 2 * COUNTRIES, 5))
    spent = [timed(lambda node: Walk(known, f"e{node}").shares(), node)[0] for node in small]
    rows.add_row("one asset's owners, median", f"{np.median(spent):.5f}")
    rows.add_row("one asset's owners, 99 of 100", f"{np.quantile(spent, 0.99):.5f}")
    if told.networkx:
        rows.add_row("the same by networkx paths of at most 12, median", f"{networkx_paths(table, small, 12):.5f}")
    rows.add_row("peak memory, GB", f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f}")
    Console().print(rows)


if __name__ == "__main__":
    main()
