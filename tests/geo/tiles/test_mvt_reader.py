"""Tiles that we encode are decoded as another decoder does, and bytes that are none are refused."""

from __future__ import annotations

import mapbox_vector_tile
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import GeometryError
from geo.tiles.mvt import encode_tile
from geo.tiles.mvt_reader import decode_tile
from geo.tiles.tile_layer import TileLayer
from geo.tiles.tile_matrix import Tile

WORLD = Tile(0, 0, 0)
ISLAND = shapely.Polygon([(0, 0), (60, 0), (60, 40), (0, 40)], [[(10, 10), (20, 10), (20, 20), (10, 20)]])
SHAPES = [
    shapely.Point(10, 10),
    shapely.MultiPoint([(0, 0), (30, 20)]),
    shapely.LineString([(-100, -20), (0, 0), (100, 60)]),
    shapely.MultiLineString([[(0, 0), (50, 0)], [(0, 20), (50, 30)]]),
    ISLAND,
    shapely.MultiPolygon([ISLAND, shapely.box(-80, -60, -60, -20)]),
]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.geom_type)
def test_shapes_are_those_of_another_decoder(shape: shapely.Geometry) -> None:
    body = encode_tile([TileLayer("a", [shape], np.array([7]), {"name": ["x"], "n": [3]})], WORLD)
    (theirs,) = mapbox_vector_tile.decode(body, default_options={"y_coord_down": True})["a"]["features"]
    ours = decode_tile(body, {"a"})["a"]
    assert ours.extent == 4096
    assert dict(ours.properties[0]) == theirs["properties"] == {"name": "x", "n": 3}
    assert shapely.equals(shapely.normalize(ours.geometry[0]), shapely.geometry.shape(theirs["geometry"]))


def test_values_of_every_type_and_features_without_some_are_read() -> None:
    columns = {"text": ["a", None], "number": [-5, 2**40], "part": [0.25, None], "flag": [True, False]}
    layer = TileLayer("a", [shapely.Point(1, 1), shapely.Point(2, 2)], np.arange(2), columns)
    decoded = decode_tile(encode_tile([layer], WORLD), {"a"})["a"].properties
    rows = sorted((dict(row) for row in decoded), key=lambda row: row["number"])
    assert rows == [
        {"text": "a", "number": -5, "part": 0.25, "flag": True},
        {"number": 2**40, "flag": False},
    ]


def test_layers_that_are_not_wanted_are_passed_over() -> None:
    layers = [TileLayer(name, [shapely.Point(1, 1)], np.arange(1), {}) for name in ("a", "b")]
    assert decode_tile(encode_tile(layers, WORLD), {"b", "c"}).keys() == {"b"}
    assert decode_tile(b"", {"a"}) == {}


@given(st.binary(min_size=1, max_size=60))
def test_bytes_that_are_no_tile_are_refused_or_hold_nothing(body: bytes) -> None:
    try:
        decoded = decode_tile(body, {"a"})
    except GeometryError:
        return
    assert decoded.keys() <= {"a"}
