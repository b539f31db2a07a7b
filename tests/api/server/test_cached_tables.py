"""The tables that are kept beside a store, as other programs read them: equal to what the API answers."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import geopandas
import numpy as np
import pandas as pd
import polars
import pyarrow as pa
import pytest
import shapely
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import Settings
from layers.collections.property_types import PropertyType, property_types
from layers.model.records import Records
from layers.snapshot.flat_collections import LAYERS
from layers.store.store import Store
from tests.conftest import BASEMAP
from tests.store_kinds import NewStore, cache_folder

ROOT = Path(__file__).resolve().parents[3]
Row = Mapping[str, Any]
#: What each engine calls the types of columns.
DUCKDB = {
    "text": "VARCHAR", "edtf": "VARCHAR", "list": "VARCHAR[]", "integer": "INTEGER", "number": "DOUBLE",
    "boolean": "BOOLEAN", "date": "DATE", "timestamp": "TIMESTAMP WITH TIME ZONE",
}  # fmt: skip
POLARS = {
    "text": polars.Categorical, "edtf": polars.Categorical, "list": polars.List(polars.String), "integer": polars.Int32,
    "number": polars.Float64, "boolean": polars.Boolean, "date": polars.Date, "timestamp": polars.Datetime("ms", "UTC"),
}  # fmt: skip


@pytest.fixture(scope="module")
def store(few_records: Records, new_shared_store: NewStore) -> Store:
    made = new_shared_store()
    made.load(few_records, author="tests")
    return made


@pytest.fixture(scope="module")
def answers(store: Store) -> Mapping[str, list[Row]]:
    """The features of each layer as the API answers them, of a server that keeps its files first."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("api.server.live_snapshot._ZOOMS", 2)
        patch.setattr("api.server.live_snapshot.LARGE", 1)
        with TestClient(create_app(store, Settings(basemap=BASEMAP))) as client:
            paths = {name: f"/collections/{name}/items?limit=10000" for name in LAYERS}
            return {name: client.get(path).raise_for_status().json()["features"] for name, path in paths.items()}


@pytest.fixture(scope="module")
def folder(store: Store, answers: Mapping[str, list[Row]]) -> Path:
    (tables,) = (path for path in cache_folder(store).iterdir() if path.is_dir())
    return tables


def by_pyarrow(path: Path) -> Iterable[Row]:
    rows = pa.ipc.open_file(pa.memory_map(str(path))).read_all().to_pylist()
    return ({**row, "geometry": shapely.from_wkb(row["geometry"])} for row in rows)


def by_geopandas(path: Path) -> Iterable[Row]:
    frame = geopandas.read_feather(path)
    assert frame.crs == "OGC:CRS84"
    return ({name: _plain(value) for name, value in row.items()} for row in frame.to_dict("records"))


def by_polars(path: Path) -> Iterable[Row]:
    frame = polars.read_ipc(path)
    shapes = shapely.from_wkb(np.array(frame["geometry"].ext.storage().to_list(), object))
    rows = frame.drop("geometry").to_dicts()
    return ({**row, "geometry": shape} for row, shape in zip(rows, shapes, strict=True))


def by_duckdb(path: Path) -> Iterable[Row]:
    table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    relation = duckdb.from_arrow(table)
    assert str(relation.types[-1]) == "GEOMETRY('OGC:CRS84')"
    text = relation.project("* EXCLUDE geometry, ST_AsText(geometry) AS geometry")
    rows = (dict(zip(text.columns, values, strict=True)) for values in text.fetchall())
    return ({**row, "geometry": shapely.from_wkt(row["geometry"])} for row in rows)


def _plain(value: Any) -> Any:
    """A list for an array, and nothing for the marks of what is missing."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    return None if pd.api.types.is_scalar(value) and pd.isna(value) else value


def as_answered(kind: PropertyType, value: Any) -> Any:
    """A value of a table as the API has it in JSON."""
    if kind == "timestamp" and value is not None:
        moment: datetime = value
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else value


@pytest.mark.parametrize("read", [by_pyarrow, by_geopandas, by_polars, by_duckdb])
@pytest.mark.parametrize("name", LAYERS)
def test_a_table_has_what_the_api_answers(
    name: str, read: Callable[[Path], Iterable[Row]], folder: Path, answers: Mapping[str, list[Row]]
) -> None:
    types = property_types(LAYERS[name][2])
    found = {row["id"]: row for row in read(folder / f"{name}.arrow")}
    assert len(found) > 0
    assert sorted(found) == sorted(feature["id"] for feature in answers[name])
    for feature in answers[name]:
        row = found[feature["id"]]
        assert [*row] == [*types, "geometry"]
        properties = {key: as_answered(types[key], row[key]) for key in types}
        assert properties == {"id": feature["id"], **feature["properties"]}
        shape = feature["geometry"] and shapely.from_geojson(json.dumps(feature["geometry"]))
        assert (row["geometry"] is None) == (shape is None)
        if shape is not None:
            assert shapely.equals_exact(row["geometry"], shape, 1e-6, normalize=True)


@pytest.mark.parametrize("name", LAYERS)
def test_types_are_those_of_the_schemas(name: str, folder: Path) -> None:
    types = property_types(LAYERS[name][2])
    schema = polars.read_ipc_schema(folder / f"{name}.arrow")
    assert {key: schema[key] for key in types} == {key: POLARS[kind] for key, kind in types.items()}
    relation = duckdb.from_arrow(pa.ipc.open_file(folder / f"{name}.arrow").read_all())
    found = dict(zip(relation.columns, map(str, relation.types), strict=True))
    assert {key: found[key] for key in types} == {key: DUCKDB[kind] for key, kind in types.items()}


def test_polars_and_duckdb_read_all_other_tables_too(folder: Path) -> None:
    paths = sorted(folder.glob("*.arrow"))
    assert len(paths) > 5 * len(LAYERS)
    for path in paths:
        table = pa.ipc.open_file(path).read_all()
        assert polars.read_ipc(path).shape == table.shape
        assert duckdb.from_arrow(table).shape == table.shape


def test_features_are_rendered_as_the_api_sends_them(folder: Path, answers: Mapping[str, list[Row]]) -> None:
    frame = polars.read_ipc(folder / "strikes.rendered.arrow", columns=["feature"])
    joined = b"".join(frame["feature"]).removesuffix(b",")
    found = [feature["id"] for feature in json.loads(b"[" + joined + b"]")]
    assert sorted(found) == sorted(feature["id"] for feature in answers["strikes"])


def test_a_server_maps_them_without_pyarrow_and_writes_them_without_pandas(folder: Path, tmp_path: Path) -> None:
    code = f"""
import sys
from pathlib import Path
from layers.reference import basemap
from layers.snapshot import snapshot_files
from layers.snapshot.table_folder import TableFolderReader, TableFolderWriter

files = TableFolderReader(Path({str(folder)!r}))
snapshot, stored = snapshot_files.read(files, basemap.read(Path({str(BASEMAP)!r})), 0.7, 0.05, str)
for collection in snapshot.collections.values():
    _ = collection.layer, collection.shapes, [*collection.fragments], [*collection.features]
_ = snapshot.records, snapshot.stakes, snapshot.asset_index, snapshot.times.value
print("pyarrow" in sys.modules)
writing = TableFolderWriter(Path({str(tmp_path)!r}))
snapshot_files.write(writing, snapshot, stored)
writing.finish()
print("pyarrow" in sys.modules, "pandas" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True", "False"]
    assert all((tmp_path / path.name).read_bytes() == path.read_bytes() for path in folder.glob("*.arrow"))


def test_the_lines_of_the_page_run(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    section = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8").partition("## Cached files")[2]
    blocks = re.findall(r"```python\n(.+?)```", section.partition("\n## ")[0], re.DOTALL)
    assert blocks
    shutil.copytree(folder.parent, tmp_path / "data" / "atlas.gpkg.cache")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for block in blocks:
        exec(block, names)
    assert names["strikes"].crs == "OGC:CRS84"
    assert len(names["strikes"]) > 0
    assert names["by_kind"].columns == ["kind", "len"]
    assert names["days"].fetchall()
