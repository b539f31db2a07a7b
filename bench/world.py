"""A synthetic world of any size, the same for the same seed: `python -m bench.world FOLDER --strikes 100000`.

Towns, facilities and pipelines near them, companies and states that own these, strikes on and beside them, and
decisions on a share of the strikes. They go into a store, and what the server shows of that store goes into PostGIS
and FlatGeobuf, so that other servers can be asked for the same features.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from itertools import count, islice
from pathlib import Path
from typing import TypeVar

import numpy as np
import shapely
from rich.console import Console
from rich.progress import Progress, track

from api.server.version_builder import VersionBuilder
from api.settings import BASEMAP, Settings
from bench import world_tables
from bench.world_columns import (
    BASES,
    KINDS,
    NOBODY,
    REGION,
    STATE,
    STATES,
    STATUSES,
    WEAPONS,
    WORDS,
    Sizes,
    World,
    synthesize,
)
from layers.model.records import Asset, Decision, Entity, Record, Records, Relation, Source, Stake, Strike, Weapon
from layers.reference import basemap
from layers.store.store import Store

DATASET = "world"
SOURCES = 50
#: Records of one table that are made and loaded at once.
BATCH = 500_000
#: Collections that are written for other servers.
TABLES = ("strikes", "assets", "attributions")
#: When it is loaded, so that the same world is served as of the same day.
LOADED = datetime(2026, 1, 1, tzinfo=UTC)

_Item = TypeVar("_Item", bound=Record)

console = Console(stderr=True)


def records(world: World) -> Records:
    """The world as validated records."""
    return Records.of({name: _by_id(items, limit, name) for name, items, limit in tables(world)})


def batches(world: World, limit: int = BATCH) -> Iterator[Records]:
    """The records in batches, each part of a table and a dataset of its own, so that not all are in memory."""
    given = tables(world)
    if sum(number for _, _, number in given) <= limit:
        yield records(world)
        return
    for name, records_of_table, _ in given:
        for number in count():
            part = [
                item.model_copy(update={"dataset": f"{DATASET}-{name}-{number}"})
                for item in islice(records_of_table, limit)
            ]
            if not part:
                break
            yield Records.of({name: _by_id(part, len(part), f"{name} {number}")})


def tables(world: World) -> list[tuple[str, Iterator[Record], int]]:
    """Name, records and their greatest number of each table."""
    assets, strikes = world.assets, world.strikes
    return [
        ("sources", _sources(), SOURCES),
        ("entities", _entities(world), len(STATES) + len(world.owners.state)),
        ("assets", _assets(world), len(assets.name)),
        ("strikes", _strikes(world), len(strikes.day)),
        ("stakes", _stakes(world), 2 * len(assets.name) + len(world.owners.state)),
        ("relations", _relations(world), int(world.owners.operated.sum())),
        ("decisions", _decisions(world), int(strikes.decided.sum())),
    ]


def _by_id(items: Iterable[_Item], limit: int, name: str) -> dict[str, _Item]:
    return {
        item.id: item
        for item in track(
            items, f"{name:10}", total=limit, console=console, transient=True, disable=not console.is_terminal
        )
    }


def _sources() -> Iterator[Source]:
    for number in range(SOURCES):
        yield Source(id=f"s-{number}", dataset=DATASET, publisher=f"Gazette {number}", url="https://example.org/")


def _entities(world: World) -> Iterator[Entity]:
    for code in STATES:
        name = f"State {code}"
        yield Entity(
            id=_state(code),
            dataset=DATASET,
            name=name,
            type="state",
            registered_in=code,
            sources=("s-1",),
            checked="read",
        )
    for number, state in enumerate(world.owners.state.tolist()):
        yield Entity(
            id=f"e-{number}",
            dataset=DATASET,
            name=f"Company {number}",
            type="registeredEntity",
            registered_in=STATES[state],
            sources=("s-1",),
            checked="read",
        )


def _state(code: str) -> str:
    return f"state-{code.lower()}"


def _assets(world: World) -> Iterator[Asset]:
    assets, country = world.assets, world.towns.country[world.assets.town]
    columns = (assets.name, assets.kind, assets.geometry, assets.uncertainty_m.tolist(), country)
    for number, (name, kind, geometry, uncertainty_m, host) in enumerate(zip(*columns, strict=True)):
        yield Asset(
            id=f"a-{number}",
            dataset=DATASET,
            name=name,
            kind=kind,
            commodity="oil",
            geometry=geometry,
            uncertainty_m=uncertainty_m,
            basis="site",
            place_source="s-0",
            host_country=host,
            sources=("s-0",),
            checked="read",
        )


def _stakes(world: World) -> Iterator[Stake]:
    owners = world.owners
    companies = (owners.held_by.tolist(), owners.state.tolist(), owners.above.tolist(), owners.held.tolist())
    for number, (held_by, state, above, held) in enumerate(zip(*companies, strict=True)):
        if held_by != NOBODY:
            yield _stake(f"e-{number}", _state(STATES[state]) if held_by == STATE else f"e-{above}", held)
    columns = (owners.first.tolist(), owners.second.tolist(), owners.share.tolist())
    for number, (first, second, share) in enumerate(zip(*columns, strict=True)):
        yield _stake(f"a-{number}", f"e-{first}", share)
        if share < 100:
            yield _stake(f"a-{number}", f"e-{second}", 100 - share)


def _stake(owned: str, owner: str, percent: int) -> Stake:
    return Stake(
        id=f"{owned}/{owner}",
        dataset=DATASET,
        owned=owned,
        owner=owner,
        share_min=percent,
        share_max=percent,
        source="s-1",
        checked="read",
    )


def _relations(world: World) -> Iterator[Relation]:
    for number in np.flatnonzero(world.owners.operated).tolist():
        yield Relation(
            id=f"r-{number}",
            dataset=DATASET,
            asset=f"a-{number}",
            entity=f"e-{world.owners.second[number]}",
            relation="operator",
            source="s-1",
            checked="read",
        )


def _strikes(world: World) -> Iterator[Strike]:
    strikes, towns = world.strikes, world.towns
    points = np.array(shapely.points(strikes.lon, strikes.lat), dtype=object)
    index, country = towns.name[strikes.town], towns.country[strikes.town]
    when = edtf_texts(strikes.day, strikes.precision)
    for number, asset in enumerate(strikes.asset.tolist()):
        kind, weapon = int(strikes.kind[number]), WEAPONS[strikes.weapon[number]]
        hit = world.assets.name[asset] if asset >= 0 and strikes.names_target[number] else None
        low, high = int(strikes.weapons_min[number]), int(strikes.weapons_max[number])
        yield Strike(
            id=f"k-{number}",
            dataset=DATASET,
            title=f"{index[number]}: {hit or WORDS[kind]} struck",
            when=when[number],
            place=index[number],
            host_country=country[number],
            geometry=points[number],
            uncertainty_m=float(strikes.uncertainty_m[number]),
            basis=BASES[strikes.basis[number]],
            place_source="s-0",
            attacker="RU" if country[number] == "UA" else "UA",
            weapons=(Weapon(kind=weapon, count_min=low, count_max=high),),
            killed_min=int(strikes.killed_min[number]),
            killed_max=int(strikes.killed_max[number]),
            targets=(hit or WORDS[kind],),
            target_kinds=() if hit else (KINDS[kind],),
            status=STATUSES[strikes.status[number]],
            sources=(f"s-{number % SOURCES}", f"s-{(number + 7) % SOURCES}"),
            checked="read",
        )


def edtf_texts(day: np.ndarray, precision: np.ndarray) -> list[str]:
    """EDTF texts: days, nights, months and years."""
    days, following = day.astype(str), (day + 1).astype(str)
    texts = zip(days, following, precision.tolist(), strict=True)
    return [(item, f"{item}/{next_}", item[:7], item[:4])[form] for item, next_, form in texts]


def _decisions(world: World) -> Iterator[Decision]:
    for number in np.flatnonzero(world.strikes.decided).tolist():
        yield Decision(
            id=f"d-{number}",
            dataset=DATASET,
            strike=f"k-{number}",
            asset=f"a-{world.strikes.asset[number]}",
            verdict="confirmed",
            who="bench",
            when="2026-01-01",
            why="Drawn by lot.",
        )


def store(path: Path, parts: Iterable[Records]) -> Store:
    """Load records into a new store, part by part."""
    created = Store.create(path)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("load", total=None)
        for part in parts:
            created.load(
                part,
                author="bench",
                at=LOADED,
                progress=lambda done, total: progress.update(task, completed=done, total=total),
            )
    return created


@contextmanager
def timed(name: str) -> Iterator[None]:
    """Say how long something took, and of that, how long this process worked."""
    started, worked = time.perf_counter(), time.process_time()
    yield
    console.print(f"{name}: {time.perf_counter() - started:.1f} s, CPU {time.process_time() - worked:.1f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where world.gpkg and, if asked for, *.fgb are written")
    parser.add_argument("--strikes", type=int, default=100_000)
    parser.add_argument("--lines", type=int, default=20_000, help="pipelines")
    parser.add_argument("--facilities", type=int, default=5_000)
    parser.add_argument("--region", type=float, nargs=4, default=REGION, metavar=("WEST", "SOUTH", "EAST", "NORTH"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--basemap", type=Path, default=BASEMAP, help="for the features")
    parser.add_argument("--postgis", metavar="CONNECTION", help="write the features into this database, by psql")
    parser.add_argument("--flatgeobuf", action="store_true", help="write the features as FlatGeobuf")
    given = parser.parse_args()
    sizes = Sizes(given.strikes, given.lines, given.facilities, tuple(given.region))
    path = given.folder / "world.gpkg"
    if path.exists():
        console.print(f"{path} is there and was kept.")
    else:
        given.folder.mkdir(parents=True, exist_ok=True)
        with timed("columns"):
            world = synthesize(sizes, given.seed)
        with timed("store"):
            store(path, batches(world)).close()
    if given.postgis or given.flatgeobuf:
        write_features(path, given.basemap, given.postgis, given.folder if given.flatgeobuf else None)


def write_features(path: Path, base: Path, postgis: str | None, folder: Path | None) -> None:
    """Write the collections that the server shows of a store to PostGIS or to files."""
    with timed("features"), closing(Store.open(path)) as opened:
        served = VersionBuilder(opened, basemap.read(base), Settings(basemap=base), "bench").from_all_records().snapshot
    for name in TABLES:
        collection = served.collections[name]
        if postgis:
            with timed(f"PostGIS {name}"):
                world_tables.write_postgis(collection, postgis)
        if folder is not None:
            with timed(f"FlatGeobuf {name}"):
                world_tables.write_flatgeobuf(collection, folder / f"{name}.fgb")


if __name__ == "__main__":
    main()
