"""The synthetic world as columns of numpy: towns, assets, their owners, strikes and decisions. Knows no record."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import shapely

from geo.lonlat import Bools, Floats, Ints

Texts = npt.NDArray[np.object_]
Box = tuple[float, float, float, float]

#: West, south, east, north: dense enough for a war, wide enough that a strike has a handful of candidates.
REGION: Box = (22.0, 44.0, 62.0, 60.0)
FIRST_DAY = np.datetime64("2022-02-24")
DAYS = 1400
#: Kinds of facilities, and the words that name them in a report.
KINDS = ("refinery", "oil-depot", "power-plant", "pump-station", "oil-terminal", "gas-plant", "chemical-plant")
WORDS = ("refinery", "oil depot", "power station", "pumping station", "oil terminal", "gas plant", "chemical plant")
PIPELINE = "pipeline"
STATUSES = ("reported", "corroborated", "verified", "draft")
BASES = ("site", "settlement", "district", "region")
#: Least and most uncertainty of a place by its basis, in metres.
UNCERTAINTY_M = np.array([[100, 800], [1_000, 4_000], [8_000, 15_000], [40_000, 80_000]], float)
WEAPONS = ("drone", "ballistic missile", "cruise missile", "artillery", "explosive charge")
NOBODY, STATE, COMPANY = range(3)
STATES = ("UA", "RU", "KZ", "AZ", "US", "DE", "CN", "TR")
SYLLABLES = np.array(["ka", "no", "vo", "lis", "bor", "mir", "zhan", "pol", "tri", "dub", "sel", "gor", "kra", "ust"])
#: Vertices of a pipeline, and how far apart they are, in degrees.
VERTICES, STRETCH = 24, 0.02
#: A degree of latitude, in metres.
DEGREE_M = 111_195.0


@dataclass(frozen=True)
class Sizes:
    """How many of each there are, and where."""

    strikes: int
    lines: int
    facilities: int
    region: Box = REGION
    #: The part of the strikes that a person has decided on.
    decided: float = 0.2

    @property
    def assets(self) -> int:
        return self.lines + self.facilities

    @property
    def towns(self) -> int:
        return max(50, self.assets // 10)

    @property
    def companies(self) -> int:
        return max(20, self.assets // 25)


@dataclass(frozen=True, eq=False)
class Towns:
    name: Texts
    lon: Floats
    lat: Floats

    @cached_property
    def country(self) -> Texts:
        """West of a meridian one country, east of it the other."""
        return np.where(self.lon < 38, "UA", "RU").astype(object)


@dataclass(frozen=True, eq=False)
class Assets:
    """Pipelines first, then facilities; ``town`` is where each lies or begins."""

    name: Texts
    kind: Texts
    word: Texts
    geometry: Texts
    uncertainty_m: Floats
    town: Ints


@dataclass(frozen=True, eq=False)
class Owners:
    """Companies and what they hold.

    ``first`` and ``second`` are companies by asset, ``share`` the percent of the first, which may be the whole;
    ``operated`` tells which assets the second runs.
    ``state`` is that of registration by company; ``held_by`` tells who holds ``held`` percent of it: nobody that is
    known, that state, or the company ``above``, which has a lower number.
    """

    state: Ints
    held_by: Ints
    above: Ints
    held: Ints
    first: Ints
    second: Ints
    share: Ints
    operated: Bools


@dataclass(frozen=True, eq=False)
class Strikes:
    """``asset`` is what was hit, -1 where it was none of the layer; ``names_target`` whether the report names it.

    ``precision`` is 0 for a day, 1 for a night, 2 for a month, 3 for a year.
    """

    lon: Floats
    lat: Floats
    town: Ints
    asset: Ints
    basis: Ints
    uncertainty_m: Floats
    day: npt.NDArray[np.datetime64]
    precision: Ints
    kind: Ints
    status: Ints
    weapon: Ints
    weapons_min: Ints
    weapons_max: Ints
    killed_min: Ints
    killed_max: Ints
    names_target: Bools
    decided: Bools


@dataclass(frozen=True, eq=False)
class World:
    towns: Towns
    assets: Assets
    owners: Owners
    strikes: Strikes


def synthesize(sizes: Sizes, seed: int = 1) -> World:
    """Make a world; the same sizes and seed give the same world."""
    rng = np.random.default_rng(seed)
    towns = _towns(rng, sizes)
    assets = _assets(rng, sizes, towns)
    return World(towns, assets, _owners(rng, sizes), _strikes(rng, sizes, towns, assets))


def _towns(rng: np.random.Generator, sizes: Sizes) -> Towns:
    west, south, east, north = sizes.region
    parts = rng.choice(SYLLABLES, (sizes.towns, 4))
    name = np.array(["".join(row).capitalize() + "sk" for row in parts], dtype=object)
    # A degree of room, so that nothing that lies near a town leaves the region.
    lon = rng.uniform(west + 1, east - 1, sizes.towns)
    return Towns(name, lon, rng.uniform(south + 1, north - 1, sizes.towns))


def _assets(rng: np.random.Generator, sizes: Sizes, towns: Towns) -> Assets:
    count = sizes.assets
    town = rng.integers(sizes.towns, size=count)
    kind = rng.integers(len(KINDS), size=count)
    is_line = np.arange(count) < sizes.lines
    word = np.where(is_line, PIPELINE, np.array(WORDS, dtype=object)[kind])
    start = np.column_stack([towns.lon[town], towns.lat[town]]) + rng.normal(0, 0.15, (count, 2)).clip(-0.4, 0.4)
    geometry = np.empty(count, dtype=object)
    geometry[sizes.lines :] = shapely.points(_rounded(start[sizes.lines :]))
    geometry[: sizes.lines] = shapely.linestrings(_rounded(_paths(rng, start[: sizes.lines])))
    number = rng.integers(1, 10, size=count).astype(str).astype(object)
    return Assets(
        towns.name[town] + " " + word + " " + number,
        np.where(is_line, PIPELINE, np.array(KINDS, dtype=object)[kind]),
        word,
        geometry,
        np.where(is_line, 1_000.0, 300.0),
        town,
    )


def _paths(rng: np.random.Generator, start: Floats) -> Floats:
    """Lines that wander in one direction each."""
    heading = rng.uniform(0, 2 * np.pi, (len(start), 1)) + rng.normal(0, 0.3, (len(start), VERTICES - 1))
    steps = STRETCH * np.stack([np.cos(heading), np.sin(heading)], axis=2)
    path: Floats = start[:, None] + np.concatenate([np.zeros((len(start), 1, 2)), np.cumsum(steps, axis=1)], axis=1)
    return path


def _rounded(degrees: Floats) -> Floats:
    """To 6 decimals, a decimetre, as sources give them."""
    return np.round(degrees, 6)


def _owners(rng: np.random.Generator, sizes: Sizes) -> Owners:
    count = sizes.companies
    state = rng.integers(len(STATES), size=count)
    above = (rng.random(count) * np.arange(count)).astype(np.int64)
    held_by = rng.choice([NOBODY, STATE, COMPANY], size=count, p=[0.2, 0.4, 0.4])
    held_by[0] = STATE
    share = np.where(rng.random(sizes.assets) < 0.7, 100, rng.integers(20, 90, size=sizes.assets))
    first, step = rng.integers(count, size=sizes.assets), rng.integers(1, count, size=sizes.assets)
    second, operated = (first + step) % count, rng.random(sizes.assets) < 0.2
    return Owners(state, held_by, above, rng.integers(10, 101, size=count), first, second, share, operated)


def _strikes(rng: np.random.Generator, sizes: Sizes, towns: Towns, assets: Assets) -> Strikes:
    """Six in ten are on an asset, the others near a town."""
    count = sizes.strikes
    asset = np.where(rng.random(count) < 0.6, rng.integers(max(1, sizes.assets), size=count), -1)
    town = np.where(asset >= 0, assets.town[asset], rng.integers(sizes.towns, size=count))
    centre = np.column_stack([towns.lon[town], towns.lat[town]])
    on = shapely.get_coordinates(shapely.line_interpolate_point(_as_lines(assets.geometry), 0.5, normalized=True))
    centre = np.where((asset >= 0)[:, None], on[asset], centre)
    basis = rng.choice(len(BASES), size=count, p=[0.6, 0.32, 0.06, 0.02])
    low, high = UNCERTAINTY_M[basis].T
    uncertainty_m = np.round(rng.uniform(low, high))
    off = rng.normal(0, 0.4, (count, 2)).clip(-1, 1) * (uncertainty_m / DEGREE_M)[:, None]
    lon, lat = _rounded(centre + np.where((asset >= 0)[:, None], off, rng.normal(0, 0.2, (count, 2)).clip(-1, 1))).T
    fewest, dead = rng.integers(1, 20, size=count), rng.poisson(0.7, size=count)
    return Strikes(
        lon,
        lat,
        town,
        asset,
        basis,
        uncertainty_m,
        FIRST_DAY + rng.integers(DAYS, size=count),
        rng.choice(4, size=count, p=[0.88, 0.06, 0.05, 0.01]),
        rng.integers(len(KINDS), size=count),
        rng.choice(len(STATUSES), size=count, p=[0.6, 0.2, 0.15, 0.05]),
        rng.integers(len(WEAPONS), size=count),
        fewest,
        fewest + rng.integers(0, 6, size=count),
        dead,
        dead + rng.poisson(0.3, size=count),
        rng.random(count) < 0.7,
        (asset >= 0) & (rng.random(count) < sizes.decided / 0.6),
    )


def _as_lines(geometry: Texts) -> Texts:
    """Points as lines of no length, so that all have a middle."""
    xy = shapely.get_coordinates(geometry[shapely.get_type_id(geometry) == 0])
    lines = geometry.copy()
    lines[shapely.get_type_id(geometry) == 0] = shapely.linestrings(np.repeat(xy[:, None], 2, axis=1))
    return lines
