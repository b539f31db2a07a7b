"""What an entity holds on a day, directly and through others: the ownership graph read downward."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from layers.ownership.stake_graph import Floats, Ints
from layers.ownership.walk import Interval, Register

_CONVERGED = 1e-13
_ROUNDS = 10_000


@dataclass(frozen=True, slots=True)
class Held:
    """One asset or entity with the share in percent that an entity holds of it directly, and in all."""

    held: str
    direct: Interval
    effective: Interval


def holdings_of(register: Register, entity: str) -> tuple[Held, ...]:
    """Everything that an entity holds a part of, largest first.

    The effective share is the sum over all paths down to it, loops included; with unknown shares its bounds are
    outer bounds (least shares give the lower one, largest shares, cut at 100, the upper).

    Raises
    ------
    UnknownRecord
        If there is no such asset or entity.
    """
    graph, ids = register.graph, register.nodes.ids
    top = register.number(entity)
    reached = _below(graph.owned, graph.owner, top, len(ids))
    edges = np.flatnonzero(reached[graph.owner])
    owned, owner = graph.owned[edges], graph.owner[edges]
    low = _effective(owned, owner, graph.low[edges], top, len(ids))
    high = np.minimum(_effective(owned, owner, graph.high[edges], top, len(ids)), 1.0)
    rows = []
    for node in np.flatnonzero(reached):
        if node != top and high[node] > 0:
            direct = [edge for edge in graph.edges(int(node)) if graph.owner[edge] == top]
            least, most = (float(100 * share[direct].sum()) for share in (graph.low, graph.high))
            effective = Interval(100 * float(low[node]), 100 * float(high[node]))
            rows.append(Held(ids[int(node)], Interval(least, most), effective))
    return tuple(sorted(rows, key=lambda row: (-row.effective.high, -row.effective.low, row.held)))


def _below(owned: Ints, owner: Ints, top: int, size: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Nodes that have ``top`` among their ancestors, and ``top``."""
    reached = np.zeros(size, bool)
    reached[top] = True
    while True:
        new = owned[reached[owner] & ~reached[owned]]
        if not len(new):
            return reached
        reached[new] = True


def _effective(owned: Ints, owner: Ints, share: Floats, top: int, size: int) -> Floats:
    """Fraction of each node that comes down from ``top``, by a power series cut at the whole."""
    value = np.zeros(size)
    value[top] = 1.0
    for _ in range(_ROUNDS):
        new = np.minimum(np.bincount(owned, share * value[owner], size), 1.0)
        new[top] = 1.0
        if np.abs(new - value).max() < _CONVERGED:
            return new
        value = new
    return value
