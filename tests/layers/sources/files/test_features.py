"""Layers of someone's GeoPackage: any names, any coordinate system that is one, nothing of it run."""

from __future__ import annotations

import sqlite3
import struct
import zipfile
from contextlib import closing
from pathlib import Path

import geopandas
import numpy as np
import pytest
import shapely

from api.wording.catalogue import text
from layers.sources.files.features import GeoPackageRows
from layers.sources.files.limits import FileRefused
from layers.sources.files.source_file import SourceFile
from tests.layers.english import english, raises
from tests.layers.sources.column_mapping.mapped_files import layer

ROWS = [("Code", "Größe, m"), ("a", "1"), ("b", "")]
SHAPES = [shapely.Point(30.5, 46.25), shapely.LineString([(30.5, 46.25), (33.25, 47)])]
LOCAL = "+proj=tmerc +lat_0=46 +lon_0=31 +x_0=500000 +y_0=0 +ellps=WGS84 +units=m"


def drop_triggers(connection: sqlite3.Connection) -> None:
    """Those of the spatial index call functions that SQLite does not have."""
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f'DROP TRIGGER "{name}"')


def moved(crs: str) -> list[shapely.geometry.base.BaseGeometry]:
    return list(geopandas.GeoSeries(SHAPES, crs="EPSG:4326").to_crs(crs))


@pytest.mark.parametrize("crs", ["EPSG:4326", "OGC:CRS84", "EPSG:32636", "EPSG:3857", "EPSG:28406", "EPSG:4284", LOCAL])
def test_any_coordinate_system_comes_as_lon_lat(tmp_path: Path, crs: str) -> None:
    file = layer(tmp_path / "a.gpkg", ROWS, moved(crs), crs, 'Об\'єкти "2"')
    found = list(GeoPackageRows(file, None))
    assert [(one.number, dict(one.cells)) for one in found] == [
        (1, {"fid": "1", "Code": "a", "Größe, m": "1"}),
        (2, {"fid": "2", "Code": "b", "Größe, m": ""}),
    ]
    for one, expected in zip(found, SHAPES, strict=True):
        assert one.geometry is not None
        assert one.geometry.geom_type == expected.geom_type
        # 1e-7 degrees are 1 cm.
        assert np.allclose(shapely.get_coordinates(one.geometry), shapely.get_coordinates(expected), rtol=0, atol=1e-7)


def test_the_axes_of_a_layer_in_degrees_are_lon_then_lat_whatever_its_authority_says(tmp_path: Path) -> None:
    file = layer(tmp_path / "a.gpkg", ROWS, SHAPES, "EPSG:4326")
    with closing(sqlite3.connect(file.path)) as connection:
        (blob,) = connection.execute('SELECT geom FROM "Sites" WHERE fid = 1').fetchone()
    assert struct.unpack("<2d", blob[-16:]) == (30.5, 46.25)
    assert [one.geometry for one in GeoPackageRows(file, None)] == SHAPES


@pytest.mark.parametrize(
    ("srs_id", "told"), [(-1, "-1 (NONE:-1)"), (99999, "99999 (EPSG:99999)"), (777, "777 (MINE:7)")]
)
def test_an_undefined_or_unknown_system_is_refused_by_name(tmp_path: Path, srs_id: int, told: str) -> None:
    file = layer(tmp_path / "a.gpkg", ROWS, SHAPES, "EPSG:32636")
    with closing(sqlite3.connect(file.path)) as connection, connection:
        connection.execute("INSERT INTO gpkg_spatial_ref_sys VALUES ('Mine', 777, 'MINE', 7, 'LOCAL_CS[\"Mine\"]', '')")
        connection.execute("UPDATE gpkg_geometry_columns SET srs_id = ?", (srs_id,))
    with pytest.raises(FileRefused) as raised:
        GeoPackageRows(file, None)
    (problem,) = raised.value.problems
    assert (problem.column, problem.value) == ("srs_id", told)
    assert "EPSG:4326" in text(problem.expected)


def test_a_layer_without_a_system_as_gdal_writes_it_is_refused(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="crs"):
        file = layer(tmp_path / "a.gpkg", ROWS, SHAPES, None)
    with raises(FileRefused, match="srs_id"):
        GeoPackageRows(file, None)


def test_a_place_off_the_globe_is_no_place(tmp_path: Path) -> None:
    file = layer(tmp_path / "a.gpkg", ROWS, [shapely.Point(1e12, 1e12), shapely.Point(5e5, 5e6)], "EPSG:32636")
    first, second = GeoPackageRows(file, None)
    assert first.geometry is not None
    assert not np.isfinite(shapely.get_coordinates(first.geometry)).any()
    assert second.geometry is not None
    assert 32 < shapely.get_x(second.geometry) < 34


def test_one_layer_is_taken_by_itself_and_of_several_the_one_that_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.gpkg"
    layer(path, ROWS, SHAPES, name="Sites")
    file = layer(path, [("n",), ("x",)], SHAPES[:1], "EPSG:32636", "Areas")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute('CREATE VIEW "Trap" AS SELECT * FROM "Sites"')
        connection.execute("INSERT INTO gpkg_contents (table_name, data_type) VALUES ('Trap', 'features')")
    for name, value in ((None, "2 layers"), ("Trap", "Trap"), ("sites", "sites")):
        with raises(FileRefused, match="one of Sites, Areas") as raised:
            GeoPackageRows(file, name)
        assert english(raised.value.problems)[0].value == value
    assert GeoPackageRows(file, "Areas").header == ("fid", "n")


def test_values_are_text_as_in_a_table_and_an_attribute_table_has_no_place(tmp_path: Path) -> None:
    file = layer(tmp_path / "a.gpkg", ROWS, SHAPES)
    with closing(sqlite3.connect(file.path)) as connection, connection:
        connection.execute("CREATE TABLE notes (n REAL, t TEXT, b BLOB, _problems TEXT)")
        connection.execute("INSERT INTO notes VALUES (2.5, NULL, x'00ff', 'bad')")
        connection.execute("INSERT INTO gpkg_contents (table_name, data_type) VALUES ('notes', 'attributes')")
    (found,) = GeoPackageRows(file, "notes")
    assert (dict(found.cells), found.geometry) == ({"n": "2.5", "t": "", "b": "00ff"}, None)


def test_a_geometry_that_cannot_be_read_is_a_fault_of_its_row(tmp_path: Path) -> None:
    file = layer(tmp_path / "a.gpkg", ROWS, SHAPES)
    with closing(sqlite3.connect(file.path)) as connection, connection:
        drop_triggers(connection)
        connection.execute("UPDATE \"Sites\" SET geom = x'4750' WHERE fid = 1")
    rows = GeoPackageRows(file, None)
    assert [one.number for one in rows] == [2]
    assert [(problem.row, problem.column) for problem in rows.problems] == [(1, "geometry")]


def test_changes_in_the_log_of_a_program_that_has_it_open_are_read(tmp_path: Path) -> None:
    file = layer(tmp_path / "a.gpkg", [ROWS[0], ROWS[1]], [None])
    with closing(sqlite3.connect(file.path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        drop_triggers(connection)
        with connection:
            connection.execute('INSERT INTO "Sites" ("Code") VALUES (\'new\')')
        assert [one.cells["Code"] for one in GeoPackageRows(file, None)] == ["a", "new"]


def test_a_packed_layer_is_read_and_what_is_no_geopackage_is_refused(tmp_path: Path) -> None:
    file = layer(tmp_path / "a.gpkg", ROWS, SHAPES)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(file.path, "in/a.gpkg")
    assert [one.geometry for one in GeoPackageRows(SourceFile.of(tmp_path / "a.zip"), None)] == SHAPES
    (tmp_path / "b.gpkg").write_bytes(file.path.read_bytes()[:5000])
    sqlite3.connect(tmp_path / "c.gpkg").execute("CREATE TABLE t (a)").connection.close()
    for name in ("b.gpkg", "c.gpkg"):
        with raises(FileRefused, match="a GeoPackage that can be read"):
            GeoPackageRows(SourceFile.of(tmp_path / name), None)
