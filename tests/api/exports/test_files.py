"""GeoJSON, GeoPackage and CSV: what is written is what other programs read."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import geopandas
import pyogrio
import pytest
import shapely
from geopandas.testing import assert_geodataframe_equal

from api.exports import files
from api.exports.strike_rows import ExportError
from geo.errors import CRSError
from tests.api.exports.making import frame_of, strike


def test_geojson_keeps_lists_ids_and_missing_places(strikes: geopandas.GeoDataFrame) -> None:
    read = json.loads(files.to_geojson(strikes))
    assert read["type"] == "FeatureCollection"
    assert "crs" not in read
    first = read["features"][0]
    assert first["id"] == "s-0"
    assert first["geometry"] == {"type": "Point", "coordinates": [30.7, 46.5]}
    assert first["properties"]["assets"] == ["a-1"]
    assert first["properties"]["day_first"] == "2025-08-01"
    nowhere = read["features"][9]
    assert nowhere["geometry"] is None
    assert nowhere["properties"]["uncertainty_m"] is None


def test_geojson_of_nothing_is_an_empty_collection(strikes: geopandas.GeoDataFrame) -> None:
    assert json.loads(files.to_geojson(strikes.iloc[:0]))["features"] == []


def test_gpkg_is_read_back_by_geopandas(
    strikes: geopandas.GeoDataFrame, assets: geopandas.GeoDataFrame, tmp_path: Path
) -> None:
    path = tmp_path / "all.gpkg"
    path.write_bytes(b"an older file")
    files.to_gpkg({"strikes": strikes, "assets": assets, "none": strikes.iloc[:0]}, path)
    assert {name for name, _ in pyogrio.list_layers(path)} == {"strikes", "assets", "none"}
    read = geopandas.read_file(path, layer="strikes")
    assert read.crs.to_epsg() == 4326
    assert read["title"].tolist() == strikes["title"].tolist()
    assert read["assets"].tolist() == ["a-1"] * len(strikes)
    assert read["n_sources"].tolist() == [2] * len(strikes)
    assert read.geometry.isna().tolist() == strikes.geometry.isna().tolist()
    assert read.geometry.iloc[0].equals(shapely.Point(30.7, 46.5))
    kinds = geopandas.read_file(path, layer="assets").geom_type.tolist()
    assert kinds[:3] == ["Point", "LineString", "LineString"]
    assert [file.name for file in tmp_path.iterdir()] == ["all.gpkg"]


def test_a_gpkg_that_fails_leaves_the_older_file(strikes: geopandas.GeoDataFrame, tmp_path: Path) -> None:
    path = tmp_path / "all.gpkg"
    path.write_bytes(b"an older file")
    with pytest.raises(CRSError):
        files.to_gpkg({"a": strikes, "b": strikes.set_crs(None, allow_override=True)}, path)
    assert path.read_bytes() == b"an older file"
    with pytest.raises(ExportError, match="at least one layer"):
        files.to_gpkg({}, path)
    assert [file.name for file in tmp_path.iterdir()] == ["all.gpkg"]


def test_csv_is_read_back_with_its_places(strikes: geopandas.GeoDataFrame, assets: geopandas.GeoDataFrame) -> None:
    rows = list(csv.DictReader(io.StringIO(files.to_csv(strikes).decode(), newline="")))
    assert [row["id"] for row in rows] == strikes["id"].tolist()
    assert (rows[0]["lon"], rows[0]["lat"], rows[0]["geometry"]) == ("30.7", "46.5", "POINT (30.7 46.5)")
    assert (rows[9]["lon"], rows[9]["geometry"], rows[9]["uncertainty_m"]) == ("", "", "")
    line = list(csv.DictReader(io.StringIO(files.to_csv(assets).decode(), newline="")))[1]
    assert (line["lon"], line["geometry"]) == ("", "LINESTRING (20 47, 45 47)")
    read = geopandas.GeoSeries.from_wkt([row["geometry"] for row in rows if row["geometry"]])
    assert read.iloc[-1].equals(shapely.Point(-179.5, -17))


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@A1", "\tx", "\rx"])
def test_csv_cells_run_no_formula(text: str) -> None:
    frame = frame_of([strike(0, title=text, owners=(text,), geometry=shapely.Point(-3, -4))]).rename(
        columns={"place": "=place"}
    )
    row = next(csv.DictReader(io.StringIO(files.to_csv(frame).decode(), newline="")))
    assert row["title"] == row["owners"] == f"'{text}"
    assert "'=place" in row
    # A number is a number, also below zero.
    assert (row["lon"], row["lat"]) == ("-3.0", "-4.0")


def test_input_is_left_as_it_was(strikes: geopandas.GeoDataFrame, tmp_path: Path) -> None:
    before = strikes.copy(deep=True)
    files.to_csv(strikes)
    files.to_geojson(strikes)
    files.to_gpkg({"strikes": strikes}, tmp_path / "a.gpkg")
    assert_geodataframe_equal(strikes, before)
