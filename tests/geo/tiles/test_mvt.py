"""Vector tiles, with mapbox-vector-tile as the oracle that reads them."""

from itertools import pairwise
from typing import Any

import mapbox_vector_tile
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from mapbox_vector_tile.Mapbox import vector_tile_pb2
from shapely.geometry import LineString, MultiPoint, Point, Polygon, box, shape
from shapely.geometry.base import BaseGeometry

from geo.columnar.dictionary_array import DictionaryArray
from geo.columnar.row_edit import RowEdit
from geo.errors import GeoError
from geo.tiles.mvt import encode, encode_tile
from geo.tiles.tile_layer import TileLayer
from geo.tiles.tile_matrix import MAX_LAT, MERCATOR, Tile, bounds, lonlat, world
from tests import awkward_geometries
from tests.awkward_geometries import ALL_GEOMETRIES, REFUSED
from tests.tile_at import tile_at

WORLD = Tile(0, 0, 0)
GOOD = sorted(set(ALL_GEOMETRIES) - REFUSED)
FRAME = box(-64, -64, 4160, 4160)
#: Where tile units and degrees are the same awkward_geometries.
MAP = box(-180, -85, 180, 85)


def decoded(data: bytes, name: str = "a") -> list[dict[str, Any]]:
    layers = mapbox_vector_tile.decode(data, default_options={"y_coord_down": True})
    return layers[name]["features"] if layers else []  # type: ignore[no-any-return]


def layer(rows: list[BaseGeometry | None], **more: Any) -> TileLayer:
    return TileLayer("a", rows, np.arange(len(rows)), more.pop("columns", {}), **more)


def units(geometry: BaseGeometry, tile: Tile) -> BaseGeometry:
    return shapely.transform(geometry, lambda xy: (world(xy) * (1 << tile.z) - [tile.x, tile.y]) * 4096)


def degrees(geometry: BaseGeometry, tile: Tile) -> BaseGeometry:
    return shapely.transform(geometry, lambda xy: lonlat((xy / 4096 + [tile.x, tile.y]) / (1 << tile.z)))


@st.composite
def tiles(draw: st.DrawFn, lowest: int = 0, highest: int = 20) -> Tile:
    z = draw(st.integers(lowest, highest))
    index = st.integers(0, (1 << z) - 1)
    return Tile(z, draw(index), draw(index))


#: Places in tile units, within, in the buffer and beyond.
spots = st.tuples(st.floats(-2000, 6000), st.floats(-2000, 6000))


# Points


@given(tiles(), st.lists(spots, max_size=20))
def test_points_are_in_their_tile_and_no_other(tile: Tile, at: list[tuple[float, float]]) -> None:
    rows = [degrees(Point(xy), tile) for xy in at]
    rows = [point for point in rows if abs(point.x) <= 180 and abs(point.y) < MAX_LAT]
    result = layer(list(rows))
    features = {f["id"]: f["geometry"]["coordinates"] for f in decoded(encode(result, tile))}
    assert sorted(features) == [i for i, p in enumerate(rows) if tile_at(p.x, p.y, tile.z) == tile]
    assert result.rows(tile).tolist() == sorted(features)
    for row, xy in features.items():
        assert np.abs(np.subtract(xy, units(rows[row], tile).coords[0])).max() <= 1
        assert 0 <= min(xy) <= max(xy) < 4096


@given(st.lists(st.tuples(st.floats(-180, 180), st.floats(-90, 90)), max_size=20), st.integers(0, 4))
@settings(max_examples=30, deadline=None)
def test_every_point_of_the_square_is_in_one_tile(at: list[tuple[float, float]], zoom: int) -> None:
    result = layer([Point(xy) for xy in at])
    count = 1 << zoom
    shown = [row for x in range(count) for y in range(count) for row in result.rows(Tile(zoom, x, y)).tolist()]
    assert sorted(shown) == [i for i, (_, lat) in enumerate(at) if abs(lat) <= MAX_LAT]


def test_a_multi_point_is_one_feature() -> None:
    (feature,) = decoded(encode(layer([awkward_geometries.multi_point]), WORLD))
    assert feature["geometry"]["type"] == "MultiPoint"
    assert len(feature["geometry"]["coordinates"]) == 3
    (feature,) = decoded(encode(layer([awkward_geometries.multi_point, None]), Tile(1, 0, 1)))
    assert feature["geometry"]["type"] == "Point"


# Lines and polygons


@given(tiles(lowest=15), st.lists(st.lists(spots, min_size=2, max_size=8, unique=True), min_size=1, max_size=4))
def test_lines_are_clipped_to_the_tile(tile: Tile, at: list[list[tuple[float, float]]]) -> None:
    rows = [degrees(LineString(xy), tile) for xy in at]
    assume(all(MAP.covers(row) for row in rows))
    result = layer(list(rows))
    features = {f["id"]: shape(f["geometry"]) for f in decoded(encode(result, tile))}
    assert result.rows(tile).tolist() == sorted(features)
    for row, line in enumerate(rows):
        expected = shapely.intersection(units(line, tile), FRAME)
        if row not in features:
            assert expected.length <= 2 * shapely.get_num_geometries(expected)
            continue
        assert FRAME.covers(features[row])
        sure = shapely.get_parts(expected)[shapely.length(shapely.get_parts(expected)) > 3]
        for part in sure:
            assert shapely.distance(shapely.points(part.coords), features[row]).max() <= 1
        assert shapely.distance(shapely.points(shapely.get_coordinates(features[row])), units(line, tile)).max() <= 1


def ring(centre: tuple[float, float], radii: list[float]) -> list[tuple[float, float]]:
    angles = np.linspace(0, 2 * np.pi, len(radii), endpoint=False)
    return [(centre[0] + r * np.cos(a), centre[1] + r * np.sin(a)) for r, a in zip(radii, angles, strict=True)]


stars = st.builds(ring, spots, st.lists(st.floats(1, 4000), min_size=3, max_size=12))


def signed_area(path: list[list[float]]) -> float:
    """The surveyor's formula (specification 4.3.3.3)."""
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise([*path, path[0]])) / 2


def check_winding(geometry: dict[str, Any]) -> None:
    polygons = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    for exterior, *holes in polygons:
        assert signed_area(exterior) > 0
        assert all(signed_area(hole) < 0 for hole in holes)


@given(tiles(lowest=15), stars, st.floats(0, 0.9), st.booleans())
def test_polygons_are_clipped_valid_and_wound(
    tile: Tile, star: list[tuple[float, float]], hollow: float, clockwise: bool
) -> None:
    centre = np.mean(star, axis=0)
    polygon = Polygon(star)
    if hollow > 0.1:
        hole = [tuple(np.add(np.subtract(xy, centre) * hollow, centre)) for xy in star]
        polygon = Polygon(star, [hole])
    assume(polygon.is_valid)
    row = degrees(polygon.reverse() if clockwise else polygon, tile)
    assume(row.is_valid and MAP.covers(row))
    expected = shapely.intersection(units(row, tile), FRAME)
    features = decoded(encode(layer([row]), tile))
    slack = expected.length + 10
    if not features:
        assert expected.area <= slack
        return
    check_winding(features[0]["geometry"])
    drawn = shape(features[0]["geometry"])
    assert drawn.is_valid
    assert FRAME.covers(drawn)
    assert shapely.symmetric_difference(drawn, expected).area <= slack


@given(tiles(highest=14), stars)
def test_simplified_polygons_stay_near_and_valid(tile: Tile, star: list[tuple[float, float]]) -> None:
    polygon = Polygon(star)
    row = degrees(polygon, tile)
    assume(polygon.is_valid and row.is_valid and MAP.covers(row))
    assume(row.bounds[2] - row.bounds[0] < 180)  # or its edges go the other way round
    expected = shapely.intersection(units(row, tile), FRAME)
    drawn = [shape(f["geometry"]) for f in decoded(encode(layer([row]), tile))]
    assert all(part.is_valid for part in drawn)
    assert shapely.symmetric_difference(shapely.union_all(drawn), expected).area <= 5 * expected.length + 50


@pytest.mark.parametrize("zoom", range(0, 16, 3))
def test_small_shapes_are_drawn_at_every_zoom_to_14(zoom: int) -> None:
    rows = [awkward_geometries.tiny_polygon, LineString([(30.7, 46.5), (30.7000001, 46.5)])]
    tile = tile_at(30.7, 46.5, min(zoom, 14))
    assert layer(rows).rows(tile).tolist() == [0, 1]


def test_both_sides_of_180_are_drawn() -> None:
    result = layer(
        [
            awkward_geometries.line_over_antimeridian,
            awkward_geometries.polygon_over_antimeridian,
            awkward_geometries.polygon_beyond_180,
        ]
    )
    for x in (0, 31):
        tile = Tile(5, x, tile_at(180, -17, 5).y)
        assert result.rows(tile).tolist() == [0, 1, 2]
        west, _, east, _ = bounds(tile)
        for feature in decoded(encode(result, tile)):
            drawn = units(box(max(west, -180), -18.5, min(east, 180), -15.5), tile)
            assert shapely.intersects(shape(feature["geometry"]), drawn)


# Every place


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("zoom", [0, 6, 16])
def test_every_place_is_drawn_or_has_no_place_on_the_map(name: str, zoom: int) -> None:
    geometry = ALL_GEOMETRIES[name]
    result = layer([geometry], columns={"name": [name]})
    off_map = geometry is None or geometry.is_empty or (geometry.geom_type == "Point" and abs(geometry.y) > MAX_LAT)
    if off_map:
        assert encode(result, WORLD) == b""
        assert result.rows(WORLD).tolist() == []
        return
    assert geometry is not None
    # The first vertex; a place has one whether it crosses 180 degrees or not.
    tile = tile_at(*np.clip(shapely.get_coordinates(geometry)[0], -180, 180), zoom)
    assert result.rows(tile).tolist() == [0]
    features = decoded(encode(result, tile))
    assert {f["properties"]["name"] for f in features} == {name}
    for feature in features:
        if "Polygon" in feature["geometry"]["type"]:
            check_winding(feature["geometry"])
            assert shape(feature["geometry"]).is_valid


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_bad_places_are_refused(name: str) -> None:
    with pytest.raises(GeoError, match="row 0"):
        layer([ALL_GEOMETRIES[name]])


def test_a_collection_is_a_feature_of_each_kind() -> None:
    kinds = [(f["id"], f["geometry"]["type"]) for f in decoded(encode(layer([awkward_geometries.collection]), WORLD))]
    assert kinds == [(0, "Point"), (0, "LineString"), (0, "Polygon")]


# Properties

values = st.one_of(
    st.lists(st.none() | st.text(max_size=5), min_size=6, max_size=6),
    st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), min_size=6, max_size=6),
    st.lists(st.none() | st.floats(allow_nan=False), min_size=6, max_size=6),
    st.lists(st.none() | st.booleans(), min_size=6, max_size=6),
)
MIXED = [
    Point(1, 1),
    LineString([(1, 1), (5, 5)]),
    box(1, 1, 4, 4),
    Point(2, 2),
    MultiPoint([(3, 3), (4, 4)]),
    Point(9, 9),
]


@given(st.dictionaries(st.text(max_size=3), values, max_size=4), st.lists(st.booleans(), min_size=6, max_size=6))
def test_properties_are_read_back_with_their_type(columns: dict[str, list[Any]], selected: list[bool]) -> None:
    result = layer([*MIXED], columns=columns)
    features = decoded(encode(result, WORLD, np.array(selected)))
    assert sorted(f["id"] for f in features) == np.flatnonzero(selected).tolist()
    for feature in features:
        row = {key: column[feature["id"]] for key, column in columns.items()}
        expected = {key: value for key, value in row.items() if value is not None}
        assert feature["properties"] == expected
        assert {k: type(v) for k, v in feature["properties"].items()} == {k: type(v) for k, v in expected.items()}


texts = st.lists(st.none() | st.text("aé", max_size=3) | st.integers(120, 130).map("x".__mul__), min_size=6, max_size=6)


@pytest.mark.parametrize("few", [256, 1], ids=["encoded once", "by tile"])
@given(columns=st.dictionaries(st.text(max_size=3), texts, max_size=4), selected=st.lists(st.booleans(), min_size=6))
def test_texts_are_drawn_alike_however_they_are_stored(
    few: int, columns: dict[str, list[Any]], selected: list[bool]
) -> None:
    columns["number"] = [1, None, 2, 3, 4, 5]
    mask = np.array(selected[:6])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("geo.tiles.property_columns._MAX_COMMON_VALUES", few)
        plain = layer([*MIXED], columns={name: DictionaryArray.of(column) for name, column in columns.items()})
        patch.setattr("geo.columnar.dictionary_array.MAX_PLAIN_VALUES", 0)
        packed = layer([*MIXED], columns={name: DictionaryArray.of(column) for name, column in columns.items()})
        assert encode(packed, WORLD, mask) == encode(plain, WORLD, mask)
        edit = RowEdit(6, np.array([1, 3, 4]), np.array([1, 3, 4]))
        new = {name: column[4::-2] for name, column in columns.items()}
        edited = {
            name: DictionaryArray.of(column).with_edit(DictionaryArray.of(new[name]), edit)
            for name, column in columns.items()
        }
        rebuilt = {name: [[*column, *new[name]][row] for row in edit.source_rows] for name, column in columns.items()}
        whole = layer([*MIXED], columns=rebuilt_of(rebuilt))
        assert encode(packed.with_properties(edited), WORLD, mask) == encode(whole, WORLD, mask)


def rebuilt_of(columns: dict[str, list[Any]]) -> dict[str, DictionaryArray]:
    """Columns of which all words are lists."""
    result = {name: DictionaryArray.of(column) for name, column in columns.items()}
    return {name: DictionaryArray(list(column.dictionary), column.codes) for name, column in result.items()}


@pytest.mark.parametrize(
    ("column", "field"),
    [
        ([1.0, 2.5], "double_value"),
        (np.array([1, -2], dtype=np.int32), "sint_value"),
        (np.array([1.0, np.nan], dtype=np.float32), "double_value"),
        (pd.array([None, 3], dtype="Int64"), "sint_value"),
        (pd.Series(["x", None]), "string_value"),
        (np.array(["x", "yy"]), "string_value"),
        ([None, True], "bool_value"),
        (pd.Categorical(["x", "y"]), "string_value"),
    ],
)
def test_the_column_decides_how_values_are_written(column: Any, field: str) -> None:
    tile = vector_tile_pb2.tile()
    tile.ParseFromString(encode(layer([Point(1, 1), Point(2, 2)], columns={"c": column}), WORLD))
    used = {kind.name for value in tile.layers[0].values for kind, _ in value.ListFields()}
    assert used == {field}


def test_the_header_says_version_2_and_extent_4096() -> None:
    tile = vector_tile_pb2.tile()
    tile.ParseFromString(encode(layer([awkward_geometries.ordinary_point], columns={"k": ["v"]}), WORLD))
    (result,) = tile.layers
    assert (result.version, result.extent, result.name, list(result.keys)) == (2, 4096, "a", ["k"])


def test_ids_of_64_bits_come_back() -> None:
    result = TileLayer("a", [Point(1, 1), Point(2, 2)], np.array([2**64 - 1, 0], dtype=np.uint64), {})
    assert sorted(f["id"] for f in decoded(encode(result, WORLD))) == [0, 2**64 - 1]


@pytest.mark.parametrize("column", [[1, "a"], [1, 2.5], [True, 1], [b"x", None], [[1], [2]], [2**63, 1], [1]])
def test_columns_that_do_not_fit_are_refused(column: list[Any]) -> None:
    with pytest.raises(GeoError, match="expected"):
        layer([Point(1, 1), Point(2, 2)], columns={"c": column})


@pytest.mark.parametrize("ids", [[-1, 2], [0.5, 1], [1]])
def test_ids_that_do_not_fit_are_refused(ids: list[float]) -> None:
    with pytest.raises(GeoError, match="expected"):
        TileLayer("a", [Point(1, 1), Point(2, 2)], ids, {})


def test_a_mask_of_another_shape_is_refused() -> None:
    with pytest.raises(GeoError, match="mask"):
        encode(layer([Point(1, 1)]), WORLD, np.array([True, False]))


# What is shown when


def test_min_zoom_hides_rows_until_then() -> None:
    result = layer([Point(1, 1), LineString([(1, 1), (2, 2)]), box(1, 1, 2, 2)], min_zoom=[3, 0, 20])
    shown = [result.rows(tile_at(1.00001, 1.00001, z)).tolist() for z in (0, 2, 3, 15, 19, 20)]
    assert shown == [[1], [1], [0, 1], [0, 1], [0, 1], [0, 1, 2]]


@given(st.integers(0, 2**32), st.booleans(), st.booleans())
@settings(max_examples=15, deadline=None)
def test_what_is_shown_stays_shown_on_zooming_in(seed: int, masked: bool, staged: bool) -> None:
    rng = np.random.default_rng(seed)
    spread = 10.0 ** rng.uniform(-3, 1, 120)[:, None]
    xy = rng.normal(size=(120, 2)) * spread + [30, 48]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("geo.tiles.point_index.MAX_TILE_POINTS", 5)
        result = layer(
            list(shapely.points(xy)), thin=True, priority=rng.random(120), min_zoom=rng.integers(0, 9, 120) * staged
        )
        mask = rng.random(120) < 0.5 if masked else None
        shown: set[int] = set()
        for zoom in range(14):
            tiles = {tile_at(*point, zoom) for point in xy.tolist()}
            now = {row for tile in tiles for row in result.rows(tile, mask).tolist()}
            assert shown <= now
            shown = now
        assert len(shown) == (120 if mask is None else mask.sum())


def test_a_crowd_is_thinned_to_the_best_and_a_few_are_not() -> None:
    rng = np.random.default_rng(3)
    points = list(shapely.points(rng.uniform(-80, 80, (9_000, 2))))
    priority = rng.random(9_000)
    crowd = layer(points, thin=True, priority=priority)
    shown = crowd.rows(WORLD)
    assert 500 < len(shown) <= 2_048
    assert int(priority.argmax()) in shown
    assert len(layer(points).rows(WORLD)) == 9_000
    assert len(layer(points[:2_000], thin=True).rows(WORLD)) == 2_000
    few = np.arange(9_000) < 1_500
    assert len(crowd.rows(WORLD, few)) == 1_500


def lines(count: int, spread: float, seed: int = 5) -> list[LineString]:
    rng = np.random.default_rng(seed)
    starts, steps = rng.uniform(-spread, spread, (count, 2)), rng.normal(size=(count, 2)) / 5
    return [LineString([start, start + step]) for start, step in zip(starts, steps, strict=True)]


def test_a_crowd_of_lines_is_thinned_to_the_longest_and_a_few_are_not() -> None:
    many = lines(9_000, 80)
    crowd = layer(many, thin=True)
    shown = crowd.rows(WORLD)
    assert 200 < len(shown) <= 1_024
    assert int(np.argmax([max(np.ptp(line.coords, axis=0)) for line in many])) in crowd.rows(WORLD).tolist()
    assert len(layer(many).rows(WORLD)) == 9_000
    assert len(layer(many[:1_000], thin=True).rows(WORLD)) == 1_000
    few = np.arange(9_000) < 900
    assert crowd.rows(WORLD, few).tolist() == list(range(900))


@given(st.integers(0, 2**32), st.booleans())
@settings(max_examples=15, deadline=None)
def test_lines_that_are_shown_stay_shown_and_whole_on_zooming_in(seed: int, masked: bool) -> None:
    sample = lines(80, 3, seed)
    rng = np.random.default_rng(seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("geo.tiles.shape_index.MAX_TILE_SHAPES", 5)
        patch.setattr("geo.tiles.box_index.MAX_TILE_SHAPES", 5)
        result = layer(sample, thin=True)
        mask = rng.random(80) < 0.5 if masked else None
        shown: set[int] = set()
        for zoom in range(13):
            edge = 2**zoom
            x, y = (MERCATOR.world(shapely.get_coordinates(sample)) * edge).astype(int).T
            tiles = {Tile(zoom, *at) for at in zip(x.tolist(), y.tolist(), strict=True)}
            by_tile = {tile: set(result.rows(tile, mask).tolist()) for tile in tiles}
            now = set().union(*by_tile.values())
            assert shown <= now
            for row in now:  # in every tile that one of its ends is in
                ends = (MERCATOR.world(shapely.get_coordinates(sample[row])) * edge).astype(int).tolist()
                assert all(row in by_tile[Tile(zoom, *end)] for end in ends)
            shown = now
        assert shown == set(range(80)) if mask is None else shown == set(np.flatnonzero(mask).tolist())


# The whole


def test_layers_are_joined_in_order() -> None:
    item, second = (
        layer([awkward_geometries.ordinary_point]),
        TileLayer("b", [awkward_geometries.ordinary_line], [1], {}),
    )
    nothing = layer([None])
    data = encode_tile([item, nothing, second], WORLD)
    assert data == encode(item, WORLD) + encode(second, WORLD)
    assert list(mapbox_vector_tile.decode(data)) == ["a", "b"]
    assert encode_tile([nothing], WORLD) == b""
    assert len(layer([None, None])) == 2
    assert encode(layer([]), WORLD) == b""


def test_the_same_layer_gives_the_same_bytes_and_input_is_left_alone() -> None:
    rows = np.array([ALL_GEOMETRIES[name] for name in GOOD], dtype=object)
    before = shapely.to_wkb(rows).tolist()
    columns = {"name": GOOD, "n": [None, *range(1, len(GOOD))]}
    tiles = [WORLD, Tile(5, 18, 11), Tile(9, 296, 183)]
    first = [encode(TileLayer("a", rows, np.arange(len(rows)), columns), tile) for tile in tiles]
    result = TileLayer("a", rows, np.arange(len(rows)), columns)
    assert [encode(result, tile) for tile in tiles[::-1]][::-1] == first
    assert shapely.to_wkb(rows).tolist() == before
