"""Assets as columns that a strike is looked up in: where they are, what they are, what they are called. Built once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import Geod

from geo.antimeridian import within_world
from geo.columnar.chunked_array import Array
from geo.lonlat import Bools, Floats, Ints, Objects
from geo.spatial_join.prepared import search_boxes
from layers.model.records import Asset
from layers.text.site_terms import IS_RARE, RELATED_MASKS, mask, numbers, stems
from layers.text.site_words import KINDS

Masks = npt.NDArray[np.uint64]
Codes = npt.NDArray[np.int32]

#: Stems of one asset that are compared: the rarest of its names.
MAX_STEMS = 12
#: Least vagueness of a place, in metres: a site is not a point.
LEAST_RADIUS_M = 50.0
#: Upper ends, in metres, of the classes of uncertainty that are searched apart, so that one vague asset does not
#: widen the search for all.
CLASSES_M = (2_000.0, 10_000.0, 30_000.0, np.inf)
#: Names of this many assets at least are behind the rarity of a word, lest a small layer make all words rare.
LEAST_ASSETS = 1_000

#: Boxes are looked up as one where the box around them is no larger than this many times their sum.
CROWDED = 4.0

_ELLIPSOID = Geod(ellps="WGS84")


@dataclass(frozen=True, slots=True)
class Ragged:
    """Lists of different length, one a row: those of row i are ``values[start[i]:start[i + 1]]``."""

    values: Ints
    start: Ints

    @classmethod
    def of(cls, rows: Sequence[Sequence[int]]) -> Ragged:
        """Pack rows."""
        size = np.fromiter(map(len, rows), np.int64, len(rows))
        values = np.fromiter(chain.from_iterable(rows), np.int64, int(size.sum()))
        return cls(values, np.concatenate([[0], np.cumsum(size)]))

    def of_rows(self, rows: Ints) -> tuple[Ints, Ints]:
        """The values of some rows one after the other, and for each the position in ``rows`` it belongs to."""
        size = self.start[rows + 1] - self.start[rows]
        owner = np.repeat(np.arange(len(rows)), size)
        first = np.repeat(self.start[rows] - np.concatenate([[0], np.cumsum(size)[:-1]]), size)
        return self.values[first + np.arange(len(owner))], owner


@dataclass(frozen=True, slots=True)
class Names:
    """What assets are called, as codes of stems.

    ``words`` are the codes of all stems by asset, ``variants`` the numbers of its names, ``spelled`` the codes of
    each name, ``owners`` those of the names of owners, operators and brands. ``rarity`` is from 0 to 1 by code:
    1 where one asset of the layer has the word, less with the logarithm of their number.
    """

    code: Mapping[str, int]
    rarity: Floats
    words: Ragged
    variants: Ragged
    spelled: Ragged
    owners: Ragged

    @classmethod
    def of(cls, names: Sequence[Sequence[str]], owners: Sequence[Sequence[str]]) -> Names:
        """Fold and count the names."""
        told: dict[tuple[str, ...], list[tuple[int, ...]]] = {}
        code: dict[str, int] = {}
        by_asset = [_spelled(tuple(given), code, told) for given in names]
        words = [tuple(dict.fromkeys(chain.from_iterable(given))) for given in by_asset]
        of_owners = [tuple(dict.fromkeys(chain.from_iterable(_spelled(tuple(given), code, told)))) for given in owners]
        count = np.zeros(len(code) + 1)
        flat = np.fromiter(chain.from_iterable(words), np.int64)
        np.add.at(count, flat, 1)
        owned = np.fromiter(chain.from_iterable(of_owners), np.int64)
        # An owner's word is as rare as the owners that have it, not as their assets.
        np.maximum.at(count, owned, 1)
        rarity = 1 - np.log(np.maximum(count, 1)) / np.log(max(len(names), LEAST_ASSETS))
        words = [_rarest(given, rarity) for given in words]
        first = np.concatenate([[0], np.cumsum([len(given) for given in by_asset])]).astype(np.int64)
        variants = Ragged(np.arange(first[-1]), first)
        spelled = Ragged.of([one for given in by_asset for one in given])
        return cls(code, np.clip(rarity, 0.05, 1), Ragged.of(words), variants, spelled, Ragged.of(of_owners))

    def codes(self, found: Iterable[str]) -> list[int]:
        """Codes of the stems that any asset or owner has."""
        return [self.code[one] for one in found if one in self.code]


def _spelled(
    given: tuple[str, ...], code: dict[str, int], told: dict[tuple[str, ...], list[tuple[int, ...]]]
) -> list[tuple[int, ...]]:
    if given not in told:
        spelled = (tuple(code.setdefault(one, len(code)) for one in stems(name)) for name in given)
        told[given] = list(dict.fromkeys(one for one in spelled if one))
    return told[given]


def _rarest(codes: tuple[int, ...], rarity: Floats) -> tuple[int, ...]:
    if len(codes) <= MAX_STEMS:
        return codes
    return tuple(sorted(codes, key=lambda one: -rarity[one])[:MAX_STEMS])


@dataclass(frozen=True, slots=True)
class AssetIndex:
    """All assets that have a place, as columns, with a tree for each class of uncertainty.

    ``kind`` and ``related`` are bits by `KINDS`.
    ``area_km2`` and ``rim_km`` are the area and the outline of the shape (of a line twice its length): with them
    the ground within r of it is area + rim * r + pi * r^2 (Steiner's formula). ``bounds`` are west, south, east and
    north of the shape cut at the antimeridian, shape (n, 4): the box of one that goes on beyond it would not be met
    from the other side.
    """

    ids: Sequence[str]
    geometry: Array
    uncertainty_m: Floats
    site: Bools
    kind: Masks
    related: Masks
    rare: Bools
    number: Masks
    area_km2: Floats
    rim_km: Floats
    bounds: Floats
    names: Names
    trees: tuple[tuple[float, Ints, shapely.STRtree], ...]

    @classmethod
    def of(cls, assets: Iterable[Asset], owners: Mapping[str, Sequence[str]]) -> AssetIndex:
        """Index records; ``owners`` gives the names of those tied to each asset, by its id."""
        # Taken apart one by one: a million records at once would take gigabytes.
        placed = [_columns(asset) for asset in assets if asset.geometry is not None]
        ids, geometry, uncertainty_m, site, kinds, names = zip(*placed, strict=True) if placed else ((),) * 6
        return cls.from_columns(
            ids,
            np.array(geometry, dtype=object),
            np.array(uncertainty_m, dtype=float),
            np.array(site, dtype=bool),
            kinds,
            names,
            [tuple(owners.get(name, ())) for name in ids],
        )

    @classmethod
    def from_columns(
        cls,
        ids: Sequence[str],
        geometry: Objects,
        uncertainty_m: Floats,
        site: Bools,
        kinds: Sequence[str],
        names: Sequence[Sequence[str]],
        owners: Sequence[Sequence[str]],
    ) -> AssetIndex:
        """Index columns of one length; every geometry is there and in lon/lat."""
        bit = {kind: place for place, kind in enumerate(KINDS)}
        place = np.fromiter((bit[kind] for kind in kinds), np.int64, len(kinds))
        area_km2, rim_km = _measured(geometry)
        bounds = shapely.bounds(within_world(geometry))
        points = geometry.copy()
        points[shapely.get_type_id(geometry) != 0] = None
        shown = np.fromiter((numbers(given[0]) if given else 0 for given in names), np.uint64, len(names))
        return cls(
            ids,
            geometry,
            uncertainty_m,
            site,
            np.array([mask([kind]) for kind in KINDS], np.uint64)[place],
            np.array(RELATED_MASKS, np.uint64)[place],
            np.array(IS_RARE)[place],
            shown,
            area_km2,
            rim_km,
            bounds,
            Names.of(names, owners),
            trees(bounds, points, uncertainty_m),
        )

    def __len__(self) -> int:
        return len(self.ids)


def _columns(asset: Asset) -> tuple[Any, ...]:
    names = (asset.name, *asset.names.values(), *asset.aliases)
    return asset.id, asset.geometry, asset.uncertainty_m or 0.0, asset.basis == "site", asset.kind, names


def trees(bounds: Floats, points: Objects, uncertainty_m: Floats) -> tuple[tuple[float, Ints, shapely.STRtree], ...]:
    """Of each class of uncertainty the widest in metres, the rows, and an index in space of their bounds.

    What is no point, None among the ``points``, is in it as the line from one corner of its bounds to the other.
    """
    spans, other = points.copy(), shapely.is_missing(points)
    spans[other] = shapely.linestrings(bounds[other].reshape(-1, 2, 2))
    found = []
    lowest = -1.0
    for highest in CLASSES_M:
        rows = np.flatnonzero((uncertainty_m > lowest) & (uncertainty_m <= highest))
        if len(rows):
            tree = shapely.STRtree(spans[rows])
            tree.query(shapely.box(0, 0, 0, 0))  # the tree is only built when it is first asked
            found.append((float(uncertainty_m[rows].max()), rows, tree))
        lowest = highest
    return tuple(found)


def near_boxes(tree: shapely.STRtree, bounds: Floats, radius_m: Floats) -> Ints:
    """Rows of a tree whose boxes come within a radius of any of the bounds, each once, ascending.

    Where the bounds lie close together, all that lies between them is given too: one question is quicker than many.
    """
    boxes = search_boxes(bounds, radius_m)
    over = (boxes[:, 0] < -180) | (boxes[:, 2] > 180)
    boxes[over, 0], boxes[over, 2] = -180, 180
    around = np.array([*boxes[:, :2].min(axis=0), *boxes[:, 2:].max(axis=0)])
    if _square(around) <= CROWDED * _square(boxes.T).sum():
        return np.sort(tree.query(shapely.box(*around)))
    return np.unique(tree.query(shapely.box(*boxes.T))[1])


def _square(box: Floats) -> Floats:
    west, south, east, north = box
    return np.asarray((east - west) * (north - south))


def _measured(geometry: Objects) -> tuple[Floats, Floats]:
    """Area in km² and outline in km of each shape on WGS 84; nothing for points."""
    area_km2, rim_km = np.zeros(len(geometry)), np.zeros(len(geometry))
    dimension = shapely.get_dimensions(geometry)
    for row in np.flatnonzero(dimension > 0):
        if dimension[row] == 1:
            rim_km[row] = 2 * _ELLIPSOID.geometry_length(geometry[row]) / 1000
        else:
            square_m, metres = _ELLIPSOID.geometry_area_perimeter(shapely.orient_polygons(geometry[row]))
            area_km2[row], rim_km[row] = abs(square_m) / 1e6, metres / 1000
    return area_km2, rim_km
