"""The join of two GeoParquet files by other engines: `FOLDER/joins/bin/python bench/peers/joins.py ENGINE LEFT RIGHT`.

Runs in an environment of its own (bench/peers/install.py) and imports nothing of this program. Geometries are projected
to a plane in metres, joined, and each pair is measured; reading the files is not counted. A line of JSON is printed.
"""

from __future__ import annotations

import argparse
import json
import resource
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

#: Rounds of which the one with the least processor time counts.
_ROUNDS = 3
_JOIN = """
    SELECT count(*), sum(ST_Distance(l.g, r.g))
    FROM (SELECT {projected} AS g FROM lefts) l JOIN (SELECT {projected} AS g FROM rights) r
    ON ST_DWithin(l.g, r.g, {radius})
"""

Query = Callable[[str], Any]


def duckdb(left: Path, right: Path) -> tuple[Query, str]:
    """DuckDB with its spatial extension, which it loads by its signature alone, from whichever package it came."""
    (folder,) = import_module("duckdb_extension_spatial").__path__
    (extension,) = Path(folder).rglob("spatial.duckdb_extension")
    connection = import_module("duckdb").connect()
    connection.execute(f"LOAD '{extension}'")
    for name, file in (("lefts", left), ("rights", right)):
        connection.execute(f"CREATE TABLE {name} AS SELECT geometry FROM '{file}'")
    projected = "ST_Transform(geometry, 'OGC:CRS84', 'EPSG:3035', always_xy := true)"
    return lambda sql: connection.execute(sql).fetchone(), projected


def sedonadb(left: Path, right: Path) -> tuple[Query, str]:
    """SedonaDB."""
    database = import_module("sedonadb").connect()
    for name, file in (("lefts", left), ("rights", right)):
        database.read_parquet(str(file)).to_memtable().to_view(name)
    return lambda sql: database.sql(sql).to_pandas().iloc[0].tolist(), "ST_Transform(geometry, 'EPSG:3035')"


ENGINES = {"duckdb": duckdb, "sedonadb": sedonadb}


def _processor_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("engine", choices=ENGINES)
    parser.add_argument("left", type=Path)
    parser.add_argument("right", type=Path)
    parser.add_argument("--radius", type=float, default=5_000, help="metres")
    given = parser.parse_args()
    query, projected = ENGINES[given.engine](given.left, given.right)
    taken = []
    for _ in range(_ROUNDS):
        start = _processor_s()
        pairs, metres = query(_JOIN.format(projected=projected, radius=given.radius))
        taken.append(_processor_s() - start)
    print(json.dumps({"processor_s": min(taken), "pairs": int(pairs), "metres": float(metres)}))


if __name__ == "__main__":
    main()
