"""The GeoPackage format: geometry blobs against shapely and GDAL, header tables and the spatial index."""

import sqlite3
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import geopandas
import numpy as np
import pyogrio
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import GeometryCollection, LineString, MultiPoint, MultiPolygon, Point, Polygon, box
from shapely.geometry.base import BaseGeometry

from layers.geopackage import geopackage
from layers.geopackage.geopackage import GeometryBlobError, bounds, decode, decode_many, encode, encode_many
from tests.layers.english import raises

lons = st.floats(-180, 180, allow_nan=False)
lats = st.floats(-90, 90, allow_nan=False)
points = st.builds(Point, lons, lats)
lines = st.lists(st.tuples(lons, lats), min_size=2, max_size=6).map(LineString)
boxes = st.builds(lambda x, y, w, h: box(x, y, x + w, y + h), lons, lats, st.floats(0.1, 5), st.floats(0.1, 5))
simple = st.one_of(points, lines, boxes)
geometries = st.one_of(
    simple,
    st.lists(points, min_size=1, max_size=4).map(MultiPoint),
    st.lists(boxes, min_size=1, max_size=3).map(MultiPolygon),
    st.lists(simple, min_size=1, max_size=4).map(GeometryCollection),
)


@given(geometries)
def test_a_blob_gives_back_its_geometry_to_the_last_digit(geometry: BaseGeometry) -> None:
    blob = encode(geometry)
    assert decode(blob).wkb == geometry.wkb
    assert bounds(blob) == geometry.bounds
    assert decode_many([None, blob])[1].wkb == geometry.wkb


@pytest.mark.parametrize("geometry", [Point(), LineString(), Polygon(), MultiPolygon(), GeometryCollection()])
def test_an_empty_geometry_has_the_flag_and_no_bounds(geometry: BaseGeometry) -> None:
    blob = encode(geometry)
    assert blob[3] == 0x11
    assert bounds(blob) is None
    assert decode(blob).is_empty
    assert decode(blob).geom_type == geometry.geom_type


def test_many_geometries_are_written_as_each_is() -> None:
    shapes = [Point(1, 2), None, LineString([(1, 2), (3, 5)]), Point(), box(1, 2, 3, 4), Point(-180, 90)]
    assert encode_many(np.array(shapes, object)) == [None if one is None else encode(one) for one in shapes]
    assert encode_many(np.array([], object)) == []
    with pytest.raises(GeometryBlobError):
        encode_many(np.array([Point(1, 2), Point(1, 2, 3)], object))


def test_the_bytes_are_those_of_the_standard() -> None:
    line = encode(LineString([(1, 2), (3, 5)]))
    assert line[:8] == b"GP\x00\x03" + struct.pack("<i", 4326)
    assert struct.unpack("<4d", line[8:40]) == (1, 3, 2, 5)
    assert line[40:] == shapely.to_wkb(LineString([(1, 2), (3, 5)]), byte_order=1)
    assert len(encode(Point(1, 2))) == 8 + 21


@pytest.mark.parametrize("envelope", range(5))
@pytest.mark.parametrize("order", ["<", ">"])
def test_blobs_of_other_programs_are_read(envelope: int, order: str) -> None:
    polygon = box(1, 2, 3, 4)
    sides = struct.pack(order + "8d", 1, 3, 2, 4, 0, 0, 0, 0)[: (0, 32, 48, 48, 64)[envelope]]
    flags = envelope << 1 | (order == "<")
    wkb = shapely.to_wkb(polygon, byte_order=int(order == "<"))
    blob = b"GP\x00" + bytes([flags]) + struct.pack(order + "i", 4326) + sides + wkb
    assert decode(blob).equals(polygon)
    assert bounds(blob) == (1, 2, 3, 4)


def test_a_big_endian_point_has_bounds() -> None:
    blob = b"GP\x00\x00" + struct.pack(">i", 4326) + shapely.to_wkb(Point(1, 2), byte_order=0)
    assert bounds(blob) == (1, 2, 1, 2)


GOOD = encode(box(1, 2, 3, 4))


@pytest.mark.parametrize(
    "blob",
    [
        b"",
        b"GP",
        GOOD[:12],
        GOOD[:39],
        GOOD[:60],
        GOOD[:-1],
        b"XX" + GOOD[2:],
        b"GP\x01" + GOOD[3:],
        b"GP\x00\x23" + GOOD[4:],
        b"GP\x00\x0b" + GOOD[4:],
        GOOD[:4] + struct.pack("<i", 3857) + GOOD[8:],
        GOOD[:41] + b"\xff\xff\xff\x7f" + GOOD[45:],
        GOOD[:45] + b"\xff\xff\xff\x7f" + GOOD[49:],
        shapely.to_wkb(Point(1, 2)),
        "POINT (1 2)",
    ],
    ids=lambda blob: repr(blob)[:24],
)
def test_a_malformed_blob_is_named(blob: bytes) -> None:
    with pytest.raises(GeometryBlobError):
        decode(blob)
    with pytest.raises(GeometryBlobError):
        decode_many([GOOD, blob])


@given(st.data())
def test_damaged_bytes_are_read_or_named_but_nothing_else(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(GOOD) - 1))
    damaged = GOOD[:at] + bytes([data.draw(st.integers(0, 255))]) + GOOD[at + 1 :]
    damaged = damaged[: data.draw(st.integers(0, len(GOOD)))]
    for read in (decode, bounds):
        with suppress(GeometryBlobError):
            read(damaged)


def nested(levels: int, order: str = "<", code: int = 7, last: bytes = b"") -> bytes:
    """A GeoPackage blob of collections in each other."""
    head = struct.pack(f"{order}BII", order == "<", code, 1)
    return b"GP\x00\x01" + struct.pack("<i", 4326) + head * levels + (last or struct.pack("<BII", 1, 7, 0))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("code", [4, 5, 6, 7, 1007, 2007, 3007, 0x80000007])
def test_collections_that_are_nested_deeply_are_refused_and_end_no_process(order: str, code: int) -> None:
    with pytest.raises(GeometryBlobError, match=r"geopackage\.nested\(limit=32\)"):
        decode(nested(200_000, order, code))


def test_nesting_is_found_behind_other_geometries() -> None:
    shapes = [Point(1, 2), LineString([(0, 0), (1, 1)]), box(0, 0, 1, 1), MultiPoint([(0, 0)])]
    parts = b"".join(shapely.to_wkb(shape) for shape in shapes)
    deep = struct.pack("<BII", 1, 7, 5) + parts + nested(100)[8:]
    with pytest.raises(GeometryBlobError, match=r"geopackage\.nested"):
        decode(b"GP\x00\x01" + struct.pack("<i", 4326) + deep)


@pytest.mark.parametrize("levels", [1, 5, 31])
def test_shallow_collections_are_read(levels: int) -> None:
    shape = Point(1, 2)
    for _ in range(levels):
        shape = GeometryCollection([shape, Point(3, 4)])
    assert decode(encode(shape)) == shape


@pytest.mark.parametrize(
    "geometry", [Point(1, 2, 3), LineString([(1, 2, 3), (4, 5, 6)]), shapely.from_wkt("POINT M (1 2 3)")]
)
def test_a_third_dimension_is_refused(geometry: BaseGeometry) -> None:
    with raises(GeometryBlobError, match="two-dimensional"):
        encode(geometry)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(tmp_path / "layers.gpkg", isolation_level=None)
    geopackage.register_functions(connection)
    geopackage.create_header(connection)
    geopackage.add_layer(connection, "sites", {"name": "TEXT", "geometry": "GEOMETRY"}, "Sites.", "GEOMETRY")
    yield connection
    connection.close()


def file_of(connection: sqlite3.Connection) -> str:
    return str(connection.execute("PRAGMA database_list").fetchone()[2])


def index_of(connection: sqlite3.Connection) -> list[tuple[float, ...]]:
    return connection.execute("SELECT * FROM rtree_sites_geometry ORDER BY id").fetchall()


def test_header_and_definitions_equal_those_that_gdal_writes(connection: sqlite3.Connection, tmp_path: Path) -> None:
    frame = geopandas.GeoDataFrame({"name": ["a"]}, geometry=[Point(1, 2)], crs=4326)
    frame.to_file(tmp_path / "gdal.gpkg", layer="sites", driver="GPKG", VERSION="1.4", GEOMETRY_NAME="geometry")
    theirs = sqlite3.connect(tmp_path / "gdal.gpkg")
    try:
        for pragma in ("application_id", "user_version"):
            query = f"PRAGMA {pragma}"
            assert connection.execute(query).fetchone() == theirs.execute(query).fetchone()
        systems = "SELECT srs_id, organization, organization_coordsys_id, definition FROM gpkg_spatial_ref_sys"
        assert set(connection.execute(systems)) == set(theirs.execute(systems))
        for table in ("contents", "geometry_columns", "extensions", "spatial_ref_sys"):
            info = f"SELECT name, type, pk FROM pragma_table_info('gpkg_{table}')"
            assert connection.execute(info).fetchall() == theirs.execute(info).fetchall()
        triggers = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'rtree%' ORDER BY name"
        assert connection.execute(triggers).fetchall() == theirs.execute(triggers).fetchall()
    finally:
        theirs.close()


def test_the_index_follows_every_kind_of_change(connection: sqlite3.Connection) -> None:
    def run(statement: str, *values: object) -> list[tuple[float, ...]]:
        connection.execute(statement, values)
        return index_of(connection)

    update = "UPDATE sites SET geometry = ? WHERE fid = 1"
    assert run("INSERT INTO sites (fid, geometry) VALUES (1, ?)", encode(Point(1, 2))) == [(1, 1, 1, 2, 2)]
    assert run(update, encode(box(1, 2, 3, 4))) == [(1, 1, 3, 2, 4)]
    assert run(update, encode(Polygon())) == []
    assert run(update, encode(Point(5, 6))) == [(1, 5, 5, 6, 6)]
    assert run(update, None) == []
    assert run(update, encode(Point(7, 8))) == [(1, 7, 7, 8, 8)]
    assert run("UPDATE sites SET fid = 9 WHERE fid = 1") == [(9, 7, 7, 8, 8)]
    assert run("INSERT INTO sites (fid, geometry) VALUES (2, NULL)") == [(9, 7, 7, 8, 8)]
    upsert = (
        "INSERT INTO sites (fid, geometry) VALUES (9, ?) ON CONFLICT (fid) DO UPDATE SET geometry = excluded.geometry"
    )
    assert run(upsert, encode(Point(1, 1))) == [(9, 1, 1, 1, 1)]
    assert run("UPDATE sites SET fid = 3, geometry = NULL WHERE fid = 9") == []
    assert run("UPDATE sites SET geometry = ? WHERE fid = 3", encode(Point(1, 1))) == [(3, 1, 1, 1, 1)]
    assert run("DELETE FROM sites WHERE fid = 3") == []


def test_gdal_writes_to_the_layer_and_reads_it_by_its_index(connection: sqlite3.Connection) -> None:
    path = file_of(connection)
    rows = geopandas.GeoDataFrame(
        {"name": [f"s{i}" for i in range(200)]}, geometry=geopandas.points_from_xy(np.arange(200) / 2, 1.5), crs=4326
    )
    pyogrio.write_dataframe(rows, path, layer="sites", driver="GPKG", append=True)
    assert len(index_of(connection)) == 200
    found = pyogrio.read_dataframe(path, layer="sites", bbox=(10, 1, 12, 2))
    assert sorted(found.name) == ["s20", "s21", "s22", "s23", "s24"]
    blobs = [blob for (blob,) in connection.execute("SELECT geometry FROM sites")]
    assert all(shapely.equals(decode_many(blobs), rows.geometry.array))


def test_extent_is_exact_and_a_dropped_layer_leaves_nothing(connection: sqlite3.Connection) -> None:
    extent = "SELECT min_x, min_y, max_x, max_y, last_change FROM gpkg_contents"
    blobs = [encode(Point(0.1, 0.2)), encode(box(0.3, -0.7, 0.4, 0.1)), encode(Point()), None]
    connection.executemany("INSERT INTO sites (geometry) VALUES (?)", [(blob,) for blob in blobs])
    geopackage.touch(connection, "sites", "2025-01-01T00:00:00.000Z")
    assert connection.execute(extent).fetchall() == [(0.1, -0.7, 0.4, 0.2, "2025-01-01T00:00:00.000Z")]
    geopackage.widen(connection, "sites", "2025-01-02T00:00:00.000Z", (-1.5, 0, 0.2, 0.3))
    assert connection.execute(extent).fetchall() == [(-1.5, -0.7, 0.4, 0.3, "2025-01-02T00:00:00.000Z")]
    connection.execute("DELETE FROM sites")
    geopackage.touch(connection, "sites", "2025-01-03T00:00:00.000Z")
    assert connection.execute(extent).fetchone()[:4] == (None,) * 4
    geopackage.widen(connection, "sites", "2025-01-04T00:00:00.000Z", (1, 2, 3, 4))
    assert connection.execute(extent).fetchone()[:4] == (1, 2, 3, 4)

    geopackage.drop_layer(connection, "sites")
    names = connection.execute("SELECT name FROM sqlite_master WHERE name LIKE '%sites%'").fetchall()
    assert names == []
    for table in ("contents", "geometry_columns", "extensions"):
        assert connection.execute(f"SELECT count(*) FROM gpkg_{table}").fetchone() == (0,)


@pytest.mark.parametrize("name", ["", "Sites", "a b", 'a"b', "a;drop", "1a", "gpkg_contents", "rtree_x", "sqlite_x"])
def test_names_that_sql_or_the_format_keeps_are_refused(connection: sqlite3.Connection, name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        geopackage.add_layer(connection, name, {"a": "TEXT"}, "")
