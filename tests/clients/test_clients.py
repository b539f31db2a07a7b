"""Software that others wrote, against a running server and the store's file: geopandas, GDAL, and raw HTTP."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import geopandas
import pyogrio
import pytest

from layers.model.records import RECORD_TYPES, Records
from layers.snapshot.snapshot import Snapshot
from layers.store.store import Store
from tests.store_copies import copy_of
from tests.store_kinds import is_file, needs_a_file

COLLECTIONS = ("strikes", "assets", "attributions", "hits", "countries")
OGRINFO = shutil.which("ogrinfo")
needs_ogrinfo = pytest.mark.skipif(OGRINFO is None, reason="needs ogrinfo (apt-get install gdal-bin)")
OGR2OGR = shutil.which("ogr2ogr")
needs_ogr2ogr = pytest.mark.skipif(OGR2OGR is None, reason="needs ogr2ogr (apt-get install gdal-bin)")
needs_oapif = pytest.mark.skipif("OAPIF" not in pyogrio.list_drivers(), reason="needs a GDAL with the OAPIF driver")


def matched(url: str, query: str = "") -> int:
    with urlopen(f"{url}?limit=1{query}") as answer:
        return int(json.load(answer)["numberMatched"])


def ogrinfo(*args: str) -> str:
    assert OGRINFO is not None
    done = subprocess.run([OGRINFO, "-ro", *args], capture_output=True, text=True, timeout=60, check=True)
    assert "ERROR" not in done.stderr
    return done.stdout


def gdal_source(store: Store, path: Path) -> tuple[str, tuple[str, ...]]:
    """The name by which GDAL opens a copy of a store at a path, or a database, and its option to list every table."""
    if is_file(store):
        return str(copy_of(store, path)), ()
    return store.name, ("-oo", "LIST_ALL_TABLES=YES")


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_geopandas_reads_each_collection_by_its_address(
    server_url: str, snapshot: Snapshot, collection: str, recwarn: pytest.WarningsRecorder
) -> None:
    frame = geopandas.read_file(f"{server_url}/collections/{collection}/items?limit=10000")
    layer = snapshot.collections[collection]
    assert frame.crs.to_epsg() == 4326
    placed = {feature.id: shape is not None for feature, shape in zip(layer.features, layer.geometries, strict=True)}
    assert dict(zip(frame["id"], ~frame.geometry.isna(), strict=True)) == placed
    assert len(frame) == len(placed)
    assert {column.name for column in layer.columns} <= set(frame.columns)
    west, south, east, north = frame.total_bounds
    assert -180 <= west <= east <= 180
    assert -90 <= south <= north <= 90


def test_geopandas_keeps_numbers_and_days(server_url: str) -> None:
    frame = geopandas.read_file(f"{server_url}/collections/strikes/items?limit=10000")
    assert frame["uncertainty_m"].dtype == "float64"
    assert str(frame["day_first"].dtype).startswith("datetime64")
    assert frame["n_sources"].dtype.kind == "i"


@needs_oapif
@pytest.mark.parametrize("collection", ["strikes", "attributions"])
def test_the_oapif_driver_reads_all_pages(server_url: str, collection: str) -> None:
    frame = pyogrio.read_dataframe(f"OAPIF:{server_url}", layer=collection, PAGE_SIZE=25)
    assert len(frame) == matched(f"{server_url}/collections/{collection}/items") > 25
    assert frame["id"].is_unique
    assert frame.crs == "OGC:CRS84"


@needs_oapif
@pytest.mark.parametrize("collection", ["strikes", "hits", "attributions"])
def test_the_oapif_driver_reads_dates_as_exact_as_they_are(
    server_url: str, snapshot: Snapshot, collection: str
) -> None:
    frame = pyogrio.read_dataframe(f"OAPIF:{server_url}", layer=collection)
    columns = snapshot.collections[collection].features.columns
    assert dict(zip(frame["id"], frame["when"], strict=True)) == dict(zip(columns["id"], columns["when"], strict=True))
    assert any(len(date) != 10 for date in frame["when"])
    assert {str(frame[day].dtype)[:10] for day in ("day_first", "day_last")} == {"datetime64"}
    shares = [name for name in frame if name.endswith(("_min", "_max")) and name[:6] not in ("killed", "injure")]
    assert {str(frame[share].dtype) for share in shares} == ({"float64"} if collection != "strikes" else set())


@needs_ogr2ogr
def test_ogr2ogr_copies_every_date(server_url: str, snapshot: Snapshot) -> None:
    assert OGR2OGR is not None
    wanted = [OGR2OGR, "-f", "CSV", "/vsistdout/", f"OAPIF:{server_url}", "hits", "-select", "strike,when"]
    told = subprocess.run(wanted, capture_output=True, text=True, timeout=120, check=True).stdout
    columns = snapshot.collections["hits"].features.columns
    rows = [tuple(row) for row in csv.reader(told.splitlines())]
    assert rows[0] == ("strike", "when")
    assert sorted(rows[1:]) == sorted(zip(columns["strike"], columns["when"], strict=True))


@needs_oapif
def test_the_oapif_driver_asks_for_a_box(server_url: str) -> None:
    frame = pyogrio.read_dataframe(f"OAPIF:{server_url}", layer="strikes", bbox=(28, 45, 33, 48))
    assert 0 < len(frame) < matched(f"{server_url}/collections/strikes/items")
    assert frame.geometry.x.between(28, 33).all()


@needs_oapif
def test_the_oapif_driver_leaves_a_filter_to_the_server_and_asks_for_a_system(server_url: str) -> None:
    frame = pyogrio.read_dataframe(f"OAPIF:{server_url}", layer="strikes", where="kind = 'refinery'", PAGE_SIZE=5)
    assert len(frame) == matched(f"{server_url}/collections/strikes/items", "&kind=refinery") > 5
    laea = pyogrio.read_dataframe(f"OAPIF:{server_url}", layer="strikes", CRS="EPSG:3035")
    assert laea.crs.to_epsg() == 3035
    plain = pyogrio.read_dataframe(f"OAPIF:{server_url}", layer="strikes").to_crs(3035)
    placed = ~plain.geometry.isna()
    assert laea.geometry[placed].geom_equals_exact(plain.geometry[placed], 0.01).all()


@needs_ogrinfo
def test_ogrinfo_reads_the_server(server_url: str) -> None:
    listed = ogrinfo("-q", f"OAPIF:{server_url}")
    assert all(f": {name} (" in listed for name in COLLECTIONS)
    told = ogrinfo("-so", f"OAPIF:{server_url}", "strikes")
    assert "Geometry: Point" in told
    assert f"Feature Count: {matched(f'{server_url}/collections/strikes/items')}" in told
    assert "WGS 84" in told
    for field in ("uncertainty_m: Real", "n_sources: Integer", "day_first: Date", "title: String"):
        assert field in told


@needs_ogrinfo
def test_ogrinfo_reads_the_store(store: Store, records: Records, tmp_path: Path) -> None:
    source, options = gdal_source(store, tmp_path / "atlas.gpkg")
    listed = ogrinfo("-q", *options, source)
    assert {*RECORD_TYPES, "attributions", "matches"} <= set(re.findall(r"^\d+: (\w+)", listed, re.MULTILINE))
    for name, kind in (("strikes", "Point"), ("assets", "Unknown (any)")):
        told = ogrinfo("-so", source, name)
        assert f"Geometry: {kind}" in told
        assert f"Feature Count: {len(records.table(name))}" in told
        assert 'ID["EPSG",4326]' in told


@needs_a_file("the GDAL in wheels of pyogrio has no driver of PostgreSQL")
def test_geopandas_reads_the_store(store: Store, records: Records, tmp_path: Path) -> None:
    path = copy_of(store, tmp_path / "atlas.gpkg")
    frame = geopandas.read_file(path, layer="strikes")
    assert frame.crs.to_epsg() == 4326
    where = dict(zip(frame["id"], frame.geometry, strict=True))
    assert where.keys() == records.strikes.keys()
    for strike in records.strikes.values():
        assert (where[strike.id] is None) == (strike.geometry is None)
        assert strike.geometry is None or where[strike.id].equals(strike.geometry)


@pytest.mark.parametrize(
    "line",
    [
        b"GET /../../../etc/passwd HTTP/1.1",
        b"GET /static/../api/app.py HTTP/1.1",
        b"GET /static/%2e%2e/%2e%2e/etc/passwd HTTP/1.1",
        b"GET /static/%00 HTTP/1.1",
        b"GET //etc/passwd HTTP/1.1",
        b"GET /collections/\xff\xfe/items HTTP/1.1",
        b"GET /%ff%fe?%ff=%fe HTTP/1.1",
        b"GET /collections/strikes/items?bbox=%00 HTTP/1.1",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1",
        b"NONSENSE",
        b"BREW / HTTP/1.1",
    ],
    ids=lambda line: os.fsdecode(line[:40]).encode("ascii", "replace").decode(),
)
def test_raw_requests_that_no_client_sends_are_refused(server_url: str, line: bytes) -> None:
    host, port = urlsplit(server_url).netloc.split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(line + b"\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer: Any = b""
        while part := connection.recv(65_536):
            answer += part
    status = int(answer.split(b" ", 2)[1])
    assert 400 <= status < 500
    assert b"root:" not in answer
    assert b"Traceback" not in answer
    assert urlopen(f"{server_url}/about").status == 200
