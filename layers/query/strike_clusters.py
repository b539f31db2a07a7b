"""Strikes of a selection in the cells of a grid over the map, so that a map of any number draws a few hundred marks.

A cell is a square of the web Mercator world, and a strike is in one cell of a zoom whatever is in view. That makes a
cluster a selection of its own: the box around its strikes lies within its cell, so that the same selection with that
box has exactly these strikes, however many there are. Clusters that grow around their strikes have no such box.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from geo.columnar.dictionary_array import Codes
from geo.lonlat import Bools, Floats, Ints
from geo.tiles.tile_matrix import world
from layers.collections.collection import Collection
from layers.collections.geometry_index import Box
from layers.ownership.owners import OwnersByDate
from layers.query.selection import Selection
from layers.query.strike_counts import selected_truth
from layers.query.strike_ties import Collections, StrikeConditions, Truth

#: What the ring of a cluster is divided by: the countries that strikes were in, the largest sure owners, or other ties.
RingDivision = Literal["host", "owners", "ties"]
RING_DIVISIONS: tuple[RingDivision, ...] = get_args(RingDivision)
#: All there is: west, south, east and north in degrees.
WORLD: Box = (-180.0, -90.0, 180.0, 90.0)
#: Pixels of a world of zoom 0, as MapLibre counts zooms; and of a cell, whatever the zoom.
_WORLD_PX, CELL_PX = 512, 64
#: Pixels from the edge of its cell that a cluster is drawn at least, so that marks hardly cover each other.
_MARGIN_PX = 20
#: Most cells of one answer; where there would be more, the zoom is a lower one.
MAX_CELLS = 16_384
#: Owners of one strike that a ring tells, as a mark does.
_LARGEST = 3

#: The least part of a cluster's strikes that is told of an owner: a mark shows none that is smaller.
_LEAST_OWNER = 0.01


class RingPart(NamedTuple):
    """How much of the sure and of the possible strikes of a cluster has a value; ``None`` is no country, or no tie."""

    value: str | None
    sure: float
    possible: float


@dataclass(frozen=True, slots=True)
class StrikeCluster:
    """Strikes of one cell of the grid.

    Attributes
    ----------
    lon, lat
        Where it is drawn: the middle of its strikes, a little away from the edge of the cell.
    box
        The least box that holds its strikes. No other strike of the selection is in it.
    strikes, sure
        How many they are, and how many of them surely satisfy the selection.
    parts
        Of its ring; what is left has none of the values.
    """

    lon: float
    lat: float
    box: Box
    strikes: int
    sure: int
    parts: Sequence[RingPart]


@dataclass(frozen=True, slots=True)
class ClusteredStrikes:
    """The placed strikes of a selection in whole cells that meet a box: clusters of two or more, rows of the others.

    Attributes
    ----------
    zoom
        That of the grid, which may be less than what was asked for.
    strikes
        In clusters and apart.
    possible
        Those rows of the others that do not surely satisfy the selection.
    """

    zoom: float
    strikes: int
    clusters: Sequence[StrikeCluster]
    apart: Ints
    possible: Ints


def clustered(
    collections: Collections,
    registers: OwnersByDate,
    selection: Selection,
    wanted: StrikeConditions,
    zoom: float,
    box: Box,
    division: RingDivision | None = None,
    apart_max: int = 0,
) -> ClusteredStrikes:
    """Put the strikes of a selection together by the cells of a zoom.

    Parameters
    ----------
    selection
        Without a box: strikes without a place are in none.
    zoom
        As MapLibre counts them: the world has 512 pixels at 0.
    box
        West, south, east, north in degrees; west > east crosses the antimeridian.
    division
        What rings are divided by; ``None`` for how many are sure alone.
    apart_max
        Where the cells have no more strikes than that, none of them is in a cluster.
    """
    strikes = collections["strikes"]
    truth = selected_truth(collections, registers, selection, wanted)
    places = _places(strikes)
    grid = _Grid.of(zoom, box)
    rows, cells = grid.rows_of(places.x, places.y, np.flatnonzero(truth.may & places.present))
    if len(rows) <= apart_max:
        return ClusteredStrikes(grid.zoom, len(rows), (), rows, rows[~truth.sure[rows]])
    size = np.bincount(cells, minlength=grid.count)
    together = (size > 1).take(cells)
    # Clusters are numbered by the order of their cells.
    number = (np.cumsum(size > 1) - 1).take(cells[together])
    parts = None if division is None else _ring_parts(strikes, division, wanted)
    clusters = _clusters(rows[together], number, size[size > 1], places, grid, truth, parts)
    apart = rows[~together]
    return ClusteredStrikes(grid.zoom, len(rows), clusters, apart, apart[~truth.sure[apart]])


class _Places(NamedTuple):
    """Where the strikes lie: degrees, and the world of web Mercator as [0, 1), shape (strikes,) each."""

    lon: Floats
    lat: Floats
    x: Floats
    y: Floats
    present: Bools

    @property
    def nbytes(self) -> int:
        """Bytes of all columns."""
        return 4 * self.lon.nbytes + self.present.nbytes


def _places(strikes: Collection) -> _Places:
    def project() -> _Places:
        points = strikes.points
        assert points is not None, "strikes are points"
        lon, lat = points
        present = ~strikes.geometry.missing
        x, y = np.nan_to_num(world(np.column_stack([lon, lat]))).T
        # The eastern and the southern edge of the world belong to its last cells.
        below = np.nextafter(1, 0)
        return _Places(lon, lat, np.clip(x, 0, below), np.clip(y, 0, below), present)

    projected: _Places = strikes.all_rows_cache.get_or_compute(("world places",), project)
    return projected


@dataclass(frozen=True, slots=True)
class _Grid:
    """Cells that meet a box, numbered by rows from its north-western one.

    Attributes
    ----------
    across
        Cells around the world.
    first, columns, top, lines
        Column of the western edge and how many there are, beyond the antimeridian too; the same from the north.
    """

    zoom: float
    across: float
    first: int
    columns: int
    top: int
    lines: int

    @classmethod
    def of(cls, zoom: float, box: Box) -> _Grid:
        west, south, east, north = box
        (left, top), (right, bottom) = np.clip(world(np.array([[west, north], [east, south]])), 0, np.nextafter(1, 0))
        while True:
            across = 2**zoom * _WORLD_PX / CELL_PX
            around = math.ceil(across)
            first, last = int(left * across), int(right * across)
            columns = (last - first) % around + 1 if west <= east or last != first else around
            lines = int(bottom * across) - int(top * across) + 1
            if columns * lines <= MAX_CELLS or zoom <= 0:
                return cls(zoom, across, first, columns, int(top * across), lines)
            zoom = max(0.0, zoom - 0.5)

    @property
    def count(self) -> int:
        return self.columns * self.lines

    def rows_of(self, x: Floats, y: Floats, rows: Ints) -> tuple[Ints, NDArray[np.int32]]:
        """Return those of some rows that lie in the cells, and the cell of each."""
        around = math.ceil(self.across)
        column = ((x.take(rows) * self.across).astype(np.int32) - self.first) % around
        line = (y.take(rows) * self.across).astype(np.int32) - self.top
        inside = (column < self.columns) & (line >= 0) & (line < self.lines)
        return rows[inside], line[inside] * self.columns + column[inside]

    def drawn_at(self, x: Floats, y: Floats) -> Floats:
        """Return places in the world, shape (k, 2), moved away from the edges of their cells, as lon/lat degrees."""
        margin = _MARGIN_PX / CELL_PX
        at = np.column_stack([x, y]) * self.across
        at = np.clip(at, np.floor(at) + margin, np.floor(at) + 1 - margin) / self.across
        lat = np.degrees(np.arctan(np.sinh(np.pi * (1 - 2 * at[:, 1]))))
        return np.column_stack([at[:, 0] * 360 - 180, lat])


def _clusters(
    members: Ints, number: Ints, size: Ints, places: _Places, grid: _Grid, truth: Truth, parts: _RingParts | None
) -> Sequence[StrikeCluster]:
    """Return the clusters of rows, of which each has the number of its cluster."""
    count = len(size)
    lon, lat, x, y = (of.take(members) for of in (places.lon, places.lat, places.x, places.y))
    sure = truth.sure.take(members)
    edges = np.column_stack([_least(lon, number, count), _least(lat, number, count)])
    far = np.column_stack([-_least(-lon, number, count), -_least(-lat, number, count)])
    middle = (np.bincount(number, of, count) / size for of in (x, y))
    drawn = np.round(grid.drawn_at(*middle), 6).tolist()
    told: Sequence[Sequence[RingPart]] = [()] * count
    if parts is not None:
        told = parts.of_clusters(members, number, sure, size)
    counts = zip(size.tolist(), np.bincount(number[sure], minlength=count).tolist(), strict=True)
    return [
        StrikeCluster(lon_at, lat_at, (west, south, east, north), strikes, surely, each)
        for (lon_at, lat_at), (west, south), (east, north), (strikes, surely), each in zip(
            drawn, edges.tolist(), far.tolist(), counts, told, strict=True
        )
    ]


def _least(values: Floats, number: Ints, count: int) -> Floats:
    """Return the least of the values of each number, shape (count,)."""
    least = np.full(count, np.inf)
    np.minimum.at(least, number, values)
    return least


@dataclass(frozen=True, eq=False, slots=True)
class _RingParts:
    """What rows add to a ring, by the code that they have.

    Attributes
    ----------
    codes
        Of each row, shape (strikes,), -1 for no value.
    parts
        The parts of each code, those of no value last: each a value and its weight.
    least
        The part of the strikes of a cluster from which on a value is told.
    """

    codes: Codes
    parts: Sequence[Sequence[tuple[str | None, float]]]
    least: float = 0.0

    @property
    def nbytes(self) -> int:
        """Bytes of what is not the collection's own, about."""
        return 200 * sum(map(len, self.parts))

    def of_clusters(self, members: Ints, number: Ints, sure: Bools, size: Ints) -> Sequence[Sequence[RingPart]]:
        """Sum up the parts of rows by the number of their cluster, those of sure and of possible ones."""
        values = dict.fromkeys(value for parts in self.parts for value, _ in parts)
        order = {value: at for at, value in enumerate(values)}
        sums: list[dict[str | None, list[float]]] = [{} for _ in size]
        width = len(self.parts)
        alike, rows = np.unique((number * width + self.codes.take(members) % width) * 2 + ~sure, return_counts=True)
        for key, count in zip(alike.tolist(), rows.tolist(), strict=True):
            (cluster, code), is_possible = divmod(key // 2, width), key % 2
            for value, weight in self.parts[code]:
                sums[cluster].setdefault(value, [0.0, 0.0])[is_possible] += count * weight
        return [
            [
                RingPart(value, round(summed[0], 3), round(summed[1], 3))
                for value, summed in sorted(of_values.items(), key=lambda each: order[each[0]])
                if sum(summed) > self.least * strikes
            ]
            for of_values, strikes in zip(sums, size.tolist(), strict=True)
        ]


def _ring_parts(strikes: Collection, division: RingDivision, wanted: StrikeConditions) -> _RingParts:
    if division == "host":
        hosts = strikes.values("host_country").words
        return _RingParts(hosts.codes, [[(host, 1.0)] for host in (*hosts.words, None)])
    if division == "owners":
        parts: _RingParts = strikes.all_rows_cache.get_or_compute(("owner parts",), lambda: _owner_parts(strikes))
        return parts
    # Texts such as ``AZ supplier, lukoil operator``. Two kinds of ties of one strike are one: ``operator+supplier``.
    ties = strikes.values("relations").words
    kinds = ("+".join(_kinds(text, wanted)) or None for text in (*ties.words, ""))
    return _RingParts(ties.codes, [[(kind, 1.0)] for kind in kinds])


def _owner_parts(strikes: Collection) -> _RingParts:
    """Read the texts of owners, such as ``RU 47.33, GB 5-6, unattributed 1.75``: the largest that are sure."""
    owners = strikes.values("owners").words
    parts = [[(who, -least / 100) for least, who in sorted(_sure_owners(text))[:_LARGEST]] for text in owners.words]
    return _RingParts(owners.codes, [*parts, []], _LEAST_OWNER)


def _sure_owners(text: str) -> list[tuple[float, str]]:
    """Return the least share in percent, negative so that the largest sorts first, and the country of each owner."""
    shares = (part.split(" ") for part in text.split(", ") if part)
    return [(-least, who) for who, share in shares if len(who) == 2 and (least := float(share.split("-")[0])) > 0]


def _kinds(text: str, wanted: StrikeConditions) -> list[str]:
    pairs = (tie.split(" ", 1) for tie in text.split(", ") if tie)
    return sorted(
        {kind for who, kind in pairs if wanted.country in (None, who) and wanted.relation in ("related", "owner", kind)}
    )
