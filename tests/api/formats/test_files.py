"""Every form of file: what its readers give back is what was written, in the types that the table in the docs names."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import sqlite3
import subprocess
import tracemalloc
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import geopandas
import geopandas.testing
import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pyogrio
import pytest
import shapely
from pyogrio import raw
from pyogrio.raw import read_arrow

from api.exports.errors import ExportError
from api.formats import columnar, geojson, geopackage, kml, spreadsheet
from api.formats import csv as csv_form
from api.formats.page import FeatureFormat, FeaturePage, FileMetadata
from api.formats.table import TYPES
from api.server.version_builder import published_version
from layers.collections.collection import Collection
from layers.collections.property_types import property_types
from layers.query.selection import Selection, SortKey
from layers.reference.basemap import Basemap
from layers.snapshot.snapshot import Snapshot
from layers.store.store import Head, Store

ROOT = Path(__file__).resolve().parents[3]
METADATA = FileMetadata(
    licence="https://creativecommons.org/licenses/by/4.0/",
    attribution="Attribution & more",
    data_date=date(2026, 11, 25),
    head=Head(7, "ab" * 32, "2026-11-25T10:00:00.000Z"),
    withheld={"embargo": {"strikes": 2}},
    remarks=("2 strikes are withheld.",),
    licences={"ODbL 1.0": ("OpenStreetMap contributors",)},
)
CHANGED = datetime(2026, 11, 25, 10, tzinfo=UTC)
#: Forms by the head of their column in the docs, with the ending by which GDAL knows the file.
FORMS: Mapping[str, tuple[FeatureFormat, str]] = {
    "GeoPackage": (geopackage.FORMAT, "gpkg"),
    "GeoParquet": (columnar.GEOPARQUET, "parquet"),
    "Arrow": (columnar.ARROW, "arrow"),
    "FlatGeobuf": (columnar.FLATGEOBUF, "fgb"),
    "GeoJSON": (geojson.FORMAT, "geojson"),
    "GeoJSONSeq": (geojson.SEQUENCE, "geojsons"),
    "CSV": (csv_form.FORMAT, "csv"),
    "KML": (kml.FORMAT, "kml"),
    "XLSX": (spreadsheet.FORMAT, "xlsx"),
}
#: GDAL's validator of GeoPackages, which Debian installs for its own Python.
GDAL_SAMPLES = Path("/usr/lib/python3/dist-packages/osgeo_utils/samples/validate_gpkg.py")
SYSTEM_PYTHON = "/usr/bin/python3"
#: Forms in which an empty text is no text.
_NO_EMPTY = ("CSV", "KML", "XLSX")
LAYERS = ("strikes", "assets", "asset-points", "asset-lines", "hits")


def page_of(collection: Collection, *order: SortKey) -> FeaturePage:
    return FeaturePage.of_file(collection, Selection(order=order), METADATA, CHANGED)


def named_as(collection: Collection, text: str) -> Collection:
    """A collection of the same features, all by one name."""
    columns = {**collection.features.columns}
    columns["name"] = columns["name"].map(lambda name: text)
    changed = type(collection.features).coded(collection.model, columns)
    return Collection("x", "x", "x", collection.model, changed, collection.geometry)


@pytest.fixture(scope="module")
def snapshot(store: Store, base: Basemap) -> Snapshot:
    """What follows from the bundled records, with the times of their history."""
    return published_version(store, base).snapshot


@pytest.fixture(scope="module")
def read(snapshot: Snapshot, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], pa.Table]:
    """Gives a layer as the usual reader of a form reads it, with the type that the reader names in each field."""
    folder = tmp_path_factory.mktemp("files")

    @cache
    def written(form: str, layer: str) -> pa.Table:
        writer, ending = FORMS[form]
        page = page_of(snapshot.collections[layer])
        path = folder / f"{layer}.{ending}"
        path.write_bytes(writer.write(page))
        if form == "GeoParquet":
            return named(pyarrow.parquet.read_table(path))
        if form == "Arrow":
            with pa.ipc.open_file(path) as file:
                return named(file.read_all())
        if form == "CSV":
            return csv_table(path, json.loads(csv_form.metadata(page)))
        info = pyogrio.read_info(path, layer=layer if form in ("GeoPackage", "XLSX") else 0)
        kinds = [
            sub if sub != "None" else kind
            for kind, sub in zip(
                (name[3:] for name in info["ogr_types"]), (name[4:] for name in info["ogr_subtypes"]), strict=True
            )
        ]
        _, table = read_arrow(path, layer=layer if form in ("GeoPackage", "XLSX") else 0)
        if form != "XLSX":
            # Arrow's reader of GDAL 3.12 loses the place of features without geometry in FlatGeobuf.
            _, _, shapes, _ = raw.read(path, layer=layer if form == "GeoPackage" else 0)
            table = table.select([*info["fields"]]).append_column("geometry", pa.array(shapes, pa.binary()))
        types = dict(zip(info["fields"], kinds, strict=True))
        return with_types(table, {name: types.get(name, "") for name in table.column_names})

    return written


def as_named(table: pa.Table, form: str) -> pa.Table:
    """A table with its columns by their names: of KML, ``name`` is that of the placemark."""
    if form != "KML" or "name" in table.column_names:
        return table
    return table.rename_columns(["name" if name == "Name" else name for name in table.column_names])


def with_types(table: pa.Table, types: Mapping[str, str]) -> pa.Table:
    fields = [field.with_metadata({"read as": types[field.name]}) for field in table.schema]
    return pa.Table.from_arrays(table.columns, schema=pa.schema(fields, metadata=table.schema.metadata))


def named(table: pa.Table) -> pa.Table:
    return with_types(table, {field.name: str(field.type) for field in table.schema})


def csv_table(path: Path, described: Any) -> pa.Table:
    types = {column["name"]: column["datatype"] for column in described["tableSchema"]["columns"]}
    with path.open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    texts = {name: pa.array([line[name] for line in lines], pa.string()) for name in types}
    return with_types(pa.table(texts), types)


def value_of(kind: str, value: Any, form: str) -> Any:
    """A value as Python has it, whichever of its forms a reader gives."""
    if value is None or (value == "" and form in _NO_EMPTY):
        return [] if kind == "list" else None
    if form == "CSV" and kind in ("text", "edtf"):
        return value.removeprefix("'")
    if kind == "timestamp":
        time = value if isinstance(value, datetime) else datetime.fromisoformat(value.replace("/", "-"))
        return time if time.tzinfo else time.replace(tzinfo=UTC)
    if kind == "date":
        return value.date() if isinstance(value, datetime) else date.fromisoformat(str(value)[:10])
    if kind == "list":
        return json.loads(value) if isinstance(value, str) else list(value)
    if form == "CSV":
        return {"integer": int, "number": float, "boolean": lambda text: text == "true"}[kind](value)
    if kind == "boolean":
        return bool(value)
    return float(value) if kind == "number" else value


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_back_the_values(
    snapshot: Snapshot, read: Callable[[str, str], pa.Table], form: str, layer: str
) -> None:
    collection, table = snapshot.collections[layer], as_named(read(form, layer), form)
    types = property_types(collection.model)
    assert set(types) <= set(table.column_names)
    found = {row["id"]: row for row in table.select([*types]).to_pylist()}
    assert len(found) == len(collection)
    for feature in collection.features:
        for name, kind in types.items():
            expected = getattr(feature, name)
            expected = list(expected) if kind == "list" else expected
            expected = None if expected == "" and form in _NO_EMPTY else expected
            if kind == "timestamp" and expected is not None:
                expected = datetime.fromisoformat(expected)
            assert value_of(kind, found[feature.id][name], form) == expected, (feature.id, name)


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_back_the_geometries(
    snapshot: Snapshot, read: Callable[[str, str], pa.Table], form: str, layer: str
) -> None:
    collection, table = snapshot.collections[layer], read(form, layer)
    ids = table["id"].to_pylist()
    if form == "XLSX":
        axes = (np.array(table[name].to_pylist(), float) for name in ("lon", "lat"))
        shapes = shapely.points(*axes)
        shapes[shapely.is_empty(shapes) | np.isnan(shapely.get_x(shapes))] = None
    elif form == "CSV":
        shapes = shapely.from_wkt([text or None for text in table["geometry"].to_pylist()])
    else:
        shapes = shapely.from_wkb(table["geometry"].to_pylist())
    for key, shape in zip(ids, shapes, strict=True):
        expected = collection.shapes_at(slice(row := collection.rows_by_id[key], row + 1))[0]
        if form == "XLSX" and expected is not None and expected.geom_type != "Point":
            expected = None
        assert (shape is None) == (expected is None)
        assert (
            shape is None
            or shapely.force_2d(shape).equals_exact(expected, 1e-6, normalize=True)
            or (shape.geom_type.startswith("Multi") and shapely.get_geometry(shape, 0).equals_exact(expected, 1e-6))
        )


def tables_of_the_docs() -> list[list[list[str]]]:
    """The tables of the chapter on files: of each its head and rows, without the line between them."""
    text = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8").partition("## Files")[2].partition("\n## ")[0]
    blocks = [[line for line in block.splitlines() if line.startswith("|")] for block in text.split("\n\n")]
    tables = [
        [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in block] for block in blocks if block
    ]
    return [[table[0], *table[2:]] for table in tables]


def documented() -> tuple[list[str], dict[str, dict[str, set[str]]]]:
    """The first table: its forms, and by type and form what a reader names the type."""
    head, *rows = tables_of_the_docs()[0]
    return head[1:], {
        re.sub(r"`", "", row[0]): {
            form: set(re.sub(r"`", "", cell).split(" or ")) for form, cell in zip(head[1:], row[1:], strict=True)
        }
        for row in rows
    }


def test_the_docs_name_each_form_and_type() -> None:
    forms, rows = documented()
    assert forms == list(FORMS)
    assert list(rows) == [*TYPES, "point", "lines"]


@pytest.mark.parametrize("form", FORMS)
def test_readers_see_the_types_that_the_docs_name(
    snapshot: Snapshot, read: Callable[[str, str], pa.Table], form: str
) -> None:
    _, rows = documented()
    for kind in TYPES:
        seen = set()
        for layer in LAYERS:
            table, collection = as_named(read(form, layer), form), snapshot.collections[layer]
            for name, own in property_types(collection.model).items():
                # Some forms have no types of columns: readers go by the values.
                if own == kind and any(value not in (None, "", ()) for value in collection.features.columns[name]):
                    seen.add(table.schema.field(name).metadata[b"read as"].decode())
        assert seen, kind
        assert seen <= rows[kind][form], kind


@pytest.mark.parametrize("form", ["GeoPackage", "FlatGeobuf"])
def test_layers_declare_their_kind_of_geometry(snapshot: Snapshot, tmp_path: Path, form: str) -> None:
    _, rows = documented()
    writer, ending = FORMS[form]
    for layer, kind in (("strikes", "point"), ("asset-lines", "lines")):
        path = tmp_path / f"{layer}.{ending}"
        path.write_bytes(writer.write(page_of(snapshot.collections[layer])))
        assert pyogrio.read_info(path, layer=layer)["geometry_type"] in rows[kind][form]


# What is said of the data is in each file.


def said(form: str, content: bytes, path: Path) -> str:
    if form == "GeoParquet":
        return pyarrow.parquet.read_schema(io.BytesIO(content)).metadata[b"strikeatlas"].decode()
    if form == "Arrow":
        return pa.ipc.open_file(content).schema.metadata[b"strikeatlas"].decode()
    if form == "GeoJSON":
        return json.dumps(json.loads(content)["metadata"], ensure_ascii=False)
    if form == "GeoPackage":
        path.write_bytes(content)
        with sqlite3.connect(path) as base:
            query = "SELECT metadata FROM gpkg_metadata JOIN gpkg_metadata_reference ON md_file_id = id "
            return str(base.execute(f"{query} WHERE reference_scope = 'geopackage'").fetchone()[0])
    if form == "XLSX":
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            return file.read("xl/worksheets/sheet2.xml").decode().replace("&amp;", "&")
    return content[:20_000].decode("utf-8", "replace").replace("&amp;", "&")


@pytest.mark.parametrize("form", sorted({*FORMS} - {"CSV", "GeoJSONSeq"}))
def test_licence_version_and_what_is_withheld_are_in_the_file(snapshot: Snapshot, tmp_path: Path, form: str) -> None:
    writer, ending = FORMS[form]
    text = said(form, writer.write(page_of(snapshot.collections["strikes"])), tmp_path / f"x.{ending}")
    for part in (METADATA.licence, METADATA.attribution, "2026-11-25", "ab" * 32, METADATA.remarks[0], "ODbL 1.0"):
        assert part in text, part


def test_of_csv_they_are_in_its_metadata(snapshot: Snapshot) -> None:
    described = json.loads(csv_form.metadata(page_of(snapshot.collections["strikes"])))
    assert described["dc:license"] == {"@id": METADATA.licence}
    assert described["notes"][0]["history"]["hash"] == "ab" * 32
    header = csv_form.FORMAT.write(page_of(snapshot.collections["strikes"])).split(b"\n")[0].decode()
    assert header.split(",") == [column["name"] for column in described["tableSchema"]["columns"]]


# Each form.


@pytest.mark.parametrize("form", FORMS)
def test_equal_pages_give_equal_bytes(snapshot: Snapshot, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    page = page_of(snapshot.collections["asset-lines"])
    first = FORMS[form][0].write(page)
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert FORMS[form][0].write(page) == first


def test_features_that_lie_together_are_one_piece_of_a_body(snapshot: Snapshot) -> None:
    strikes = snapshot.collections["strikes"]
    page = replace(page_of(strikes), rows=np.arange(len(strikes)))
    pieces = [*geojson.collection(page)]
    assert len(pieces) < 10
    assert b"".join(pieces) == geojson.FORMAT.write(page)
    found = [feature["id"] for feature in json.loads(b"".join(pieces))["features"]]
    assert found == list(strikes.features.columns["id"])


def test_a_body_is_in_memory_once_while_it_is_written(snapshot: Snapshot) -> None:
    page = page_of(snapshot.collections["strikes"])
    size = len(geojson.FORMAT.write(page))
    tracemalloc.start()
    try:
        geojson.FORMAT.write(page)
        assert tracemalloc.get_traced_memory()[1] < 1.5 * size
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("form", FORMS)
def test_a_file_is_the_same_in_whichever_parts_it_is_written(
    snapshot: Snapshot, form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for layer in ("strikes", "asset-lines"):
        page, writer = page_of(snapshot.collections[layer]), FORMS[form][0]
        whole = writer.write(page)
        parts = FeaturePage.parts
        with monkeypatch.context() as patch:
            patch.setattr(FeaturePage, "parts", lambda self, size=0, parts=parts: parts(self, 7))
            again = writer.write(page)
        if form == "GeoParquet":
            # Parts are groups of rows there, and batches of Arrow.
            tables = [pyarrow.parquet.read_table(io.BytesIO(content)) for content in (whole, again)]
            assert tables[0].equals(tables[1], check_metadata=True)
        elif form == "Arrow":
            assert pa.ipc.open_file(again).read_all().equals(pa.ipc.open_file(whole).read_all(), check_metadata=True)
        elif form == "GeoPackage":
            # The pages of its trees come in another order.
            frames = []
            for content in (whole, again):
                (tmp_path / "x.gpkg").write_bytes(content)
                frames.append(pyogrio.read_dataframe(tmp_path / "x.gpkg", layer=layer))
            geopandas.testing.assert_geodataframe_equal(*frames)
        else:
            assert again == whole


@pytest.mark.parametrize("form", FORMS)
def test_a_layer_without_features_is_a_file_too(snapshot: Snapshot, form: str, tmp_path: Path) -> None:
    writer, ending = FORMS[form]
    path = tmp_path / f"empty.{ending}"
    path.write_bytes(writer.write(page_of(snapshot.collections["asset-areas"])))
    if form == "GeoParquet":
        assert len(geopandas.read_parquet(path)) == 0
        assert pyarrow.parquet.read_metadata(path).num_row_groups == 0
    elif form == "Arrow":
        with pa.ipc.open_file(path) as file:
            assert file.read_all().num_rows == 0
    elif form == "CSV":
        assert len(path.read_text().splitlines()) == 1
    elif form == "GeoJSONSeq":
        assert path.read_bytes() == b""
    else:
        assert len(pyogrio.read_dataframe(path, layer="asset-areas" if form in ("GeoPackage", "XLSX") else 0)) == 0


def test_a_workbook_opens_at_its_features_and_leaves_cells_without_a_text_blank(snapshot: Snapshot) -> None:
    collection = snapshot.collections["strikes"]
    assert "" in collection.features.columns["relations"].dictionary
    with zipfile.ZipFile(io.BytesIO(spreadsheet.FORMAT.write(page_of(collection)))) as file:
        sheets = re.findall(r'<sheet name="([^"]+)".*? r:id="([^"]+)"', file.read("xl/workbook.xml").decode())
        assert [name for name, _ in sheets] == ["strikes", "about"]
        parts = dict(re.findall(r'Id="([^"]+)".*? Target="([^"]+)"', file.read("xl/_rels/workbook.xml.rels").decode()))
        sheet = file.read(f"xl/{parts[sheets[0][1]]}")
        assert sheet.count(b"<row ") == len(collection) + 1
        assert not re.search(rb"<t[^>]*></t>", sheet)
        assert {part.date_time for part in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}


@pytest.mark.parametrize(
    "text", ["=1+1", "<c>&'\"</c>", " a  b ", "tab\tline\nend", "\x00\r\x1f\uffff", "_x0041_ _x", "𓀀"]
)
def test_a_text_of_a_workbook_is_that_text_and_no_formula(snapshot: Snapshot, text: str) -> None:
    content = spreadsheet.FORMAT.write(page_of(named_as(snapshot.collections["asset-lines"], text)))
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        sheet = ElementTree.fromstring(file.read("xl/worksheets/sheet1.xml"))
    main = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    assert not sheet.findall(f".//{main}f")
    (cell,) = sheet.findall(f".//{main}row[@r='2']/{main}c[@r='B2']/{main}is/{main}t")
    # ECMA-376, 22.9.2.19
    assert re.sub("_x([0-9A-F]{4})_", lambda found: chr(int(found[1], 16)), cell.text or "") == text


def test_a_text_that_no_cell_holds_is_refused(snapshot: Snapshot) -> None:
    lines = snapshot.collections["asset-lines"]
    spreadsheet.FORMAT.write(page_of(named_as(lines, "𓀀" * 16_383)))
    with pytest.raises(ExportError, match="32,767 letters at most, one of the column name has 32,768"):
        spreadsheet.FORMAT.write(page_of(named_as(lines, "𓀀" * 16_384)))


def test_geoparquet_is_ordered_in_space_with_boxes(snapshot: Snapshot, tmp_path: Path) -> None:
    page = page_of(snapshot.collections["strikes"])
    path = tmp_path / "strikes.parquet"
    path.write_bytes(columnar.GEOPARQUET.write(page))
    frame = geopandas.read_parquet(path)
    steps = frame.geometry.dropna()
    apart = shapely.distance(steps.to_numpy()[1:], steps.to_numpy()[:-1]).sum()
    shuffled = page.shapes()[~shapely.is_missing(page.shapes())]
    assert apart < shapely.distance(shuffled[1:], shuffled[:-1]).sum() / 3
    near = geopandas.read_parquet(path, bbox=(28, 45, 33, 48))
    assert set(near["id"]) == set(frame.cx[28:33, 45:48]["id"])
    assert 0 < len(near) < len(frame)
    geo = json.loads(pyarrow.parquet.read_schema(path).metadata[b"geo"])
    assert geo["version"] == "1.1.0"
    assert geo["columns"]["geometry"]["covering"]["bbox"]["xmin"] == ["bbox", "xmin"]


def test_arrow_is_geoarrow(snapshot: Snapshot) -> None:
    table = pa.ipc.open_file(columnar.ARROW.write(page_of(snapshot.collections["assets"]))).read_all()
    frame = geopandas.GeoDataFrame.from_arrow(table)
    assert frame.crs.to_epsg() == 4326
    assert len(frame) == len(snapshot.collections["assets"])


def test_flatgeobuf_has_its_index_where_every_feature_has_a_place(snapshot: Snapshot, tmp_path: Path) -> None:
    node_size = {}
    for layer, order in (("asset-points", ()), ("assets", ()), ("asset-points", (SortKey("id"),))):
        path = tmp_path / "x.fgb"
        path.write_bytes(columnar.FLATGEOBUF.write(page_of(snapshot.collections[layer], *order)))
        node_size[layer, bool(order)] = pyogrio.read_info(path)["capabilities"]["fast_spatial_filter"]
        assert pyogrio.read_info(path)["features"] == len(snapshot.collections[layer])
    assert node_size == {("asset-points", False): True, ("assets", False): False, ("asset-points", True): False}


def test_a_flatgeobuf_that_is_cut_off_is_refused(snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut_off(path: Path, *arguments: Any, **options: Any) -> None:
        write_layer(path, *arguments, **options)
        os.truncate(path, path.stat().st_size - 100)

    write_layer = columnar.write_layer
    monkeypatch.setattr(columnar, "write_layer", cut_off)
    with pytest.raises(OSError, match="reading feature"):
        columnar.FLATGEOBUF.write(page_of(snapshot.collections["asset-points"]))


def test_an_order_that_is_asked_for_stays(snapshot: Snapshot) -> None:
    page = page_of(snapshot.collections["strikes"], SortKey("title"))
    table = pyarrow.parquet.read_table(io.BytesIO(columnar.GEOPARQUET.write(page)))
    assert table["title"].to_pylist() == sorted(table["title"].to_pylist())


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@A1", "\tx", "\rx"])
def test_csv_cells_run_no_formula(snapshot: Snapshot, text: str) -> None:
    evil = named_as(snapshot.collections["asset-lines"], text)
    (line, *_) = csv.DictReader(io.StringIO(csv_form.FORMAT.write(page_of(evil)).decode(), newline=""))
    assert line["name"] == f"'{text}"


def test_csv_has_the_mark_of_utf_8_on_wish(snapshot: Snapshot) -> None:
    page = page_of(snapshot.collections["asset-lines"])
    assert csv_form.WITH_BOM.write(page) == b"\xef\xbb\xbf" + csv_form.FORMAT.write(page)


def test_kml_has_names_and_spans_of_days(snapshot: Snapshot, tmp_path: Path) -> None:
    path = tmp_path / "strikes.kml"
    path.write_bytes(kml.FORMAT.write(page_of(snapshot.collections["strikes"])))
    frame = pyogrio.read_dataframe(path).set_index("id")
    feature = snapshot.collections["strikes"].features[0]
    assert frame.loc[feature.id, "Name"] == feature.title
    assert str(frame.loc[feature.id, "begin"])[:10] == str(feature.day_first)


def test_a_sheet_has_as_many_rows_as_it_may(snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreadsheet, "_MAX_ROWS", 3)
    with pytest.raises(ExportError, match="2 features at most"):
        spreadsheet.FORMAT.write(page_of(snapshot.collections["asset-lines"]))


# GeoPackage.


@pytest.fixture(scope="module")
def package(snapshot: Snapshot, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("package") / "all.gpkg"
    geopackage.write_file([page_of(snapshot.collections[layer]) for layer in LAYERS], path)
    return path


def test_a_geopackage_explains_its_columns_and_has_a_style_for_each_layer_of_one_kind(package: Path) -> None:
    with sqlite3.connect(package) as base:
        docs = dict(base.execute("SELECT column_name, description FROM gpkg_data_columns WHERE table_name = 'strikes'"))
        styles = dict(base.execute("SELECT f_table_name, styleQML FROM layer_styles WHERE useAsDefault"))
        (declared,) = base.execute("SELECT sql FROM sqlite_master WHERE name = 'strikes'").fetchone()
        scopes = base.execute("SELECT reference_scope, table_name FROM gpkg_metadata_reference").fetchall()
    assert docs["day_first"] == "First day it may mean."
    assert set(styles) == {*LAYERS} - {"assets"}
    assert '"day_first" DATE' in declared
    assert scopes[0] == ("geopackage", None)
    assert {table for _, table in scopes[1:]} == {*LAYERS}
    assert 'startField="day_first"' in styles["strikes"]
    assert "<temporal" not in styles["asset-lines"]


@pytest.mark.skipif(not GDAL_SAMPLES.exists(), reason="needs GDAL's validator (apt-get install python3-gdal)")
def test_gdals_validator_finds_nothing_in_a_geopackage(package: Path) -> None:
    # Warnings are for extensions that it does not know, such as `layer_styles` of QGIS.
    ran = subprocess.run([SYSTEM_PYTHON, str(GDAL_SAMPLES), "-q", "-k", str(package)], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout) == (0, ""), ran.stderr


@pytest.mark.parametrize("layer", [*LAYERS, "asset-areas"])
def test_a_validator_finds_geoparquet_conformant(snapshot: Snapshot, layer: str) -> None:
    validator = pytest.importorskip("geoparquet_validator")
    written = columnar.GEOPARQUET.write(page_of(snapshot.collections[layer]))
    outcomes = validator.check_bytes(layer, written)["outcomes"]
    assert [one for one in outcomes if one["status"] == "fail"] == []
    passed = {one["id"].split("/")[2] for one in outcomes if one["status"] == "pass"}
    assert {"core", "covering"} <= passed


def test_a_geopackage_that_fails_leaves_the_older_file(snapshot: Snapshot, tmp_path: Path) -> None:
    path = tmp_path / "all.gpkg"
    path.write_bytes(b"an older file")
    with pytest.raises(ExportError, match="at least one layer"):
        geopackage.write_file([], path)
    assert path.read_bytes() == b"an older file"
    assert [file.name for file in tmp_path.iterdir()] == ["all.gpkg"]
