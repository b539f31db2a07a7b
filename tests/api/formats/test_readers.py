"""Each form as geopandas and DuckDB read it: equal values, and the types and calls that the table in the docs names."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import shapely

from api.formats import csv as csv_form
from api.server.version_builder import published_version
from layers.collections.property_types import property_types
from layers.reference.basemap import Basemap
from layers.snapshot.snapshot import Snapshot
from layers.store.store import Store
from tests.api.formats.test_files import FORMS, documented, page_of, tables_of_the_docs, value_of

Row = Mapping[str, Any]
LAYERS = ("strikes", "asset-lines", "hits")
#: What DuckDB calls the types of columns of CSV on the Web.
_DUCKDB_TYPES = {
    "string": "VARCHAR", "json": "JSON", "integer": "INTEGER", "number": "DOUBLE", "boolean": "BOOLEAN", "date": "DATE",
    "dateTime": "TIMESTAMPTZ",
}  # fmt: skip


@pytest.fixture(scope="module")
def snapshot(store: Store, base: Basemap) -> Snapshot:
    """What follows from the bundled records, with the times of their history."""
    return published_version(store, base).snapshot


@pytest.fixture(scope="module")
def files(snapshot: Snapshot, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Path]:
    """Gives the file of a layer in a form; that of a CSV has its metadata beside it."""
    folder = tmp_path_factory.mktemp("files")

    def written(form: str, layer: str) -> Path:
        writer, ending = FORMS[form]
        path, page = folder / f"{layer}.{ending}", page_of(snapshot.collections[layer])
        if not path.exists():
            path.write_bytes(writer.write(page))
            path.with_suffix(".csv-metadata.json").write_text(json.dumps(json.loads(csv_form.metadata(page))))
        return path

    return written


def geopandas_rows(form: str, path: Path) -> Iterator[Row]:
    """Rows as geopandas gives them, with shapes and without the marks of what is missing."""
    if form == "GeoParquet":
        frame = geopandas.read_parquet(path)
    elif form == "Arrow":
        frame = geopandas.GeoDataFrame.from_arrow(pa.ipc.open_file(path).read_all())
    else:
        frame = geopandas.read_file(path, **({"layer": path.stem} if form in ("GeoPackage", "XLSX") else {}))
    if form == "KML" and "name" not in frame:
        frame = frame.rename(columns={"Name": "name"})
    for row in frame.to_dict("records"):
        yield {name: _plain(one) for name, one in row.items()}


def _plain(value: Any) -> Any:
    """A list for an array, and nothing for the marks of what is missing."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    return None if pd.api.types.is_scalar(value) and pd.isna(value) else value


def duckdb_relation(form: str, path: Path) -> Any:
    """A file as DuckDB reads it without an extension that has to be downloaded."""
    duckdb = pytest.importorskip("duckdb")
    base = duckdb.connect()
    base.execute("SET TimeZone = 'UTC'")
    if form == "GeoParquet":
        return base.read_parquet(str(path))
    if form == "Arrow":
        return base.from_arrow(pa.ipc.open_file(path).read_all())
    if form == "CSV":
        described = json.loads(path.with_suffix(".csv-metadata.json").read_text())["tableSchema"]["columns"]
        types = {one["name"]: _DUCKDB_TYPES.get(one["datatype"], "VARCHAR") for one in described}
        return base.read_csv(str(path), dtype=types)
    return base.sql(f"SELECT * FROM read_json('{path}', sample_size = -1)")


def duckdb_rows(form: str, path: Path) -> Iterator[Row]:
    """Rows as DuckDB gives them: geometries are WKB, but text in CSV."""
    relation = duckdb_relation(form, path)
    read = shapely.from_wkt if form == "CSV" else shapely.from_wkb
    for cells in relation.fetchall():
        row = dict(zip(relation.columns, cells, strict=True))
        yield {**row, "geometry": read(row["geometry"] or None)}


READERS: Mapping[str, Callable[[str, Path], Iterator[Row]]] = {"geopandas": geopandas_rows, "DuckDB": duckdb_rows}
READ = [("geopandas", form) for form in FORMS] + [
    ("DuckDB", form) for form in ("GeoParquet", "Arrow", "GeoJSON", "CSV")
]


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize(("reader", "form"), READ)
def test_each_reader_gives_back_values_and_geometries(
    snapshot: Snapshot, files: Callable[[str, str], Path], reader: str, form: str, layer: str
) -> None:
    collection = snapshot.collections[layer]
    rows = {row["id"]: row for row in READERS[reader](form, files(form, layer))}
    assert len(rows) == len(collection)
    for feature in collection.features:
        row = rows[feature.id]
        for name, kind in property_types(collection.model).items():
            expected = getattr(feature, name)
            expected = list(expected) if kind == "list" else expected
            expected = None if expected == "" and form in ("CSV", "KML", "XLSX") else expected
            if kind == "timestamp" and expected is not None:
                expected = datetime.fromisoformat(expected)
            value = row[name]
            # DuckDB has read the numbers, days and flags of a CSV already.
            known_form = form if isinstance(value, str) or value is None else ""
            assert value_of(kind, value, known_form) == expected, (feature.id, name)
        if form not in ("XLSX", "CSV") or reader == "DuckDB":
            at = collection.rows_by_id[feature.id]
            shape = collection.shapes_at(slice(at, at + 1))[0]
            assert same_place(row["geometry"], shape), feature.id


@pytest.mark.parametrize("layer", ["strikes", "asset-lines"])
def test_duckdb_finds_what_meets_a_box_by_the_column_of_boxes(
    snapshot: Snapshot, files: Callable[[str, str], Path], layer: str
) -> None:
    collection = snapshot.collections[layer]
    west, south, east, north = box = (28.0, 45.0, 33.0, 48.0)
    condition = f"bbox.xmin <= {east} AND bbox.xmax >= {west} AND bbox.ymin <= {north} AND bbox.ymax >= {south}"
    found = {
        row[0]
        for row in duckdb_relation("GeoParquet", files("GeoParquet", layer)).filter(condition).project("id").fetchall()
    }
    near = shapely.box(*box).intersects(shapely.box(*shapely.bounds(collection.shapes).T))
    expected = {collection.ids[row] for row in np.flatnonzero(near).tolist()}
    assert found == expected
    assert 0 < len(found) < len(collection)


def same_place(read: Any, written: Any) -> bool:
    """Whether a shape is another, if only as the one part of a shape of several."""
    if read is None or written is None:
        return read is None and written is None
    flat = shapely.force_2d(read)
    parts = [flat, *(shapely.get_parts(flat) if shapely.get_num_geometries(flat) == 1 else ())]
    return any(part.equals_exact(written, 1e-6, normalize=True) for part in parts)


def test_the_docs_name_what_each_reader_calls() -> None:
    head, *rows = tables_of_the_docs()[1]
    assert head[1:] == list(FORMS)
    assert [row[0] for row in rows] == ["GDAL", "pyarrow", *READERS]
    untested = {
        (row[0], form) for row in rows for form, cell in zip(head[1:], row[1:], strict=True)
        if cell == "–" or cell.startswith("extension")
    }  # fmt: skip
    assert {(reader, form) for reader in READERS for form in FORMS} - untested == set(READ)


@pytest.mark.parametrize("form", ["GeoParquet", "Arrow", "CSV"])
def test_duckdb_sees_the_types_that_the_docs_name(
    snapshot: Snapshot, files: Callable[[str, str], Path], form: str
) -> None:
    _, rows = documented()
    assert rows
    named = dict(row for row in tables_of_the_docs()[2][1:])
    for layer in LAYERS:
        relation = duckdb_relation(form, files(form, layer))
        seen = dict(zip(relation.columns, map(str, relation.types), strict=True))
        for name, kind in property_types(snapshot.collections[layer].model).items():
            wanted = "JSON" if form == "CSV" and kind == "list" else named[kind]
            assert seen[name] == wanted, (layer, name)
        assert seen["geometry"].partition("(")[0] == ("VARCHAR" if form == "CSV" else "GEOMETRY")
