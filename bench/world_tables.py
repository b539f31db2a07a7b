"""Features of a collection as a PostGIS table and as a FlatGeobuf file, with the columns that the server shows."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import islice
from pathlib import Path
from typing import get_args

import geopandas
import numpy as np
import shapely

from layers.collections.collection import Collection

SQL_TYPES = {"text": "text", "number": "double precision", "integer": "integer", "boolean": "boolean", "json": "text[]"}
#: What COPY's text format asks to be written otherwise.
ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
#: Columns that are asked for; the primary key and the geometry have their index anyway.
INDEXED = ("day_first", "day_last", "kind", "status")
BLOCK = 20_000


def write_postgis(collection: Collection, connection: str) -> None:
    """Replace the table of the collection's name by its features, with the indexes that the questions want."""
    psql = ["psql", "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", f"{connection} options='-c statement_timeout=0'"]
    subprocess.run([*psql, "--command", _create(collection)], check=True)
    copying = [*psql, "--command", f"COPY {collection.name} FROM STDIN"]
    with subprocess.Popen(copying, stdin=subprocess.PIPE) as copy:
        assert copy.stdin is not None
        for block in blocks(collection):
            copy.stdin.write(block)
    if copy.returncode:
        raise RuntimeError(f"COPY ended with {copy.returncode}")
    subprocess.run(
        [*psql, "--command", _index(collection), "--command", f"VACUUM ANALYZE {collection.name}"], check=True
    )


def columns(collection: Collection) -> dict[str, str]:
    """SQL type of each column but the geometry, in order; lists are arrays, days are dates."""
    fields = collection.model.model_fields
    return {
        column.name: "date" if date in get_args(fields[column.name].annotation) else SQL_TYPES[column.type]
        for column in collection.columns
    }


def _create(collection: Collection) -> str:
    typed = ", ".join(f'"{name}" {kind}' for name, kind in columns(collection).items())
    return (
        f"DROP TABLE IF EXISTS {collection.name}; "
        f"CREATE TABLE {collection.name} ({typed}, geom geometry(Geometry, 4326), PRIMARY KEY (id))"
    )


def _index(collection: Collection) -> str:
    indexed = [name for name in INDEXED if name in columns(collection)]
    statements = [f'CREATE INDEX ON {collection.name} ("{name}")' for name in indexed]
    return "; ".join([*statements, f"CREATE INDEX ON {collection.name} USING gist (geom)"])


def blocks(collection: Collection) -> Iterator[bytes]:
    """Lines of COPY's text format, many at once."""
    names = list(columns(collection))
    features = collection.features.rows(names)
    for start in range(0, len(collection), BLOCK):
        shapes = np.array(collection.shapes[start : start + BLOCK], dtype=object)
        blobs = shapely.to_wkb(shapely.set_srid(shapes, 4326), hex=True, include_srid=True)
        rows = zip(islice(features, BLOCK), blobs, strict=True)
        yield "".join("\t".join([*texts(values), blob or "\\N"]) + "\n" for values, blob in rows).encode()


def texts(values: Iterable[object]) -> Iterator[str]:
    """Values as COPY reads them."""
    for value in values:
        if value is None:
            yield "\\N"
        elif isinstance(value, tuple):
            yield "{" + ",".join(f'"{part}"' for part in value) + "}"
        else:
            yield str(value).translate(ESCAPES)


def write_flatgeobuf(collection: Collection, path: Path) -> None:
    """Write the features with their spatial index; lists as texts with commas."""
    values = {name: list(map(_plain, collection.features.columns[name])) for name in columns(collection)}
    frame = geopandas.GeoDataFrame(values, geometry=collection.shapes, crs="OGC:CRS84")
    frame.to_file(path, driver="FlatGeobuf", engine="pyogrio")


def _plain(value: object) -> object:
    return ",".join(value) if isinstance(value, tuple) else value
