"""Tiles hold what the API lists, under the same properties; TileJSON, style and base map."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely.geometry.base import BaseGeometry
from starlette.testclient import TestClient

from geo.tiles.tile_matrix import MAX_LAT, Tile, bounds, lonlat, world
from layers.snapshot.snapshot import Snapshot
from tests.api.tile_reading import Json, decoded, drawn, listed
from tests.tile_at import tile_at

COLLECTIONS = ("strikes", "assets", "attributions", "hits", "countries")
EXTENT, BUFFER = 4096, 64
#: Lines and polygons are simplified to 4 units and rounded to 1.
ROUGH = 5.0
HOME = "/tiles/strikes/3/4/2.mvt"


def grown(tile: Tile, units: float, degrees: float = 0.0) -> tuple[float, float, float, float]:
    """A tile's bounds, wider by units of the tile and then by degrees."""
    part = units / EXTENT
    corners = np.array([[tile.x - part, tile.y + 1 + part], [tile.x + 1 + part, tile.y - part]]) / (1 << tile.z)
    (west, south), (east, north) = lonlat(corners).tolist()
    return west - degrees, south - degrees, east + degrees, north + degrees


def bend(shapes: list[BaseGeometry]) -> float:
    """How far, in degrees, an edge that is straight on the map strays from the same edge straight in lon/lat."""
    widest = 0.0
    for geometry in shapes:
        for part in shapely.get_parts(geometry):
            xy = shapely.get_coordinates(part)
            middle = lonlat((world(xy[1:]) + world(xy[:-1])) / 2)[:, 1]
            inside = (np.abs(xy[1:, 1]) < MAX_LAT) & (np.abs(xy[:-1, 1]) < MAX_LAT)
            widest = max(widest, np.abs(middle - (xy[1:, 1] + xy[:-1, 1]) / 2)[inside].max(initial=0.0))
    return float(widest) * 1.1


@pytest.fixture(scope="module")
def bends(snapshot: Snapshot) -> dict[str, float]:
    found = {}
    for name in COLLECTIONS:
        kept = [shape for shape in snapshot.collections[name].geometries if shape is not None]
        found[name] = bend([shape for shape in kept if shapely.get_dimensions(shape) > 0])
    return found


@st.composite
def tiles(draw: st.DrawFn, places: np.ndarray, lowest: int, highest: int) -> Tile:
    """Mostly a tile at some vertex of the data, or its neighbour; now and then any tile."""
    z = draw(st.integers(lowest, highest))
    last = (1 << z) - 1
    if draw(st.integers(0, 9)) == 0:
        return Tile(z, draw(st.integers(0, last)), draw(st.integers(0, last)))
    lon, lat = places[draw(st.integers(0, len(places) - 1))]
    home = tile_at(lon, lat, z)
    step = st.sampled_from([0, 0, 0, -1, 1])
    return Tile(z, min(max(home.x + draw(step), 0), last), min(max(home.y + draw(step), 0), last))


def surely(geometry: BaseGeometry, box: tuple[float, ...], unit: float) -> bool:
    """Whether what a shape has inside a box is too large to vanish by simplifying and rounding."""
    west, south, east, north = box
    if west >= east or south >= north:
        return False
    inside = shapely.intersection(shapely.make_valid(geometry), shapely.box(*box))
    if shapely.get_dimensions(geometry) == 1:
        x1, y1, x2, y2 = inside.bounds if not inside.is_empty else (0, 0, 0, 0)
        return bool(max(x2 - x1, y2 - y1) > 4 * ROUGH * unit)
    return not inside.buffer(-2 * ROUGH * unit).is_empty


def same(shown: Json, listed_: Json) -> bool:
    """Tile values are the GeoJSON values; lists are ``,a,b,``; not in tiles: unknown, `updated`, `source`."""
    told = {}
    for name, value in listed_.items():
        if isinstance(value, list):
            value = f",{','.join(value)}," if value else None
        if value is not None and name not in ("updated", "source"):
            told[name] = value
    return shown == told


@pytest.mark.parametrize("collection", ["strikes", "attributions"])
def test_a_tile_of_points_holds_exactly_what_is_listed_for_its_bounds(
    client: TestClient, snapshot: Snapshot, collection: str
) -> None:
    """Points have no buffer: each is in one tile, and one on a border is in the tile to the east or south."""
    shapes = snapshot.collections[collection].geometries
    places = shapely.get_coordinates([one for one in shapes if one is not None])

    @settings(max_examples=25, deadline=None)
    @given(tile=tiles(places, 0, 16))
    def hold(tile: Tile) -> None:
        found = listed(client, collection, bounds(tile))
        inside = {
            name for name, feature in found.items() if tile_at(*feature["geometry"]["coordinates"], tile.z) == tile
        }
        border = found.keys() - inside
        edges = bounds(tile)
        assert all(np.isclose(found[name]["geometry"]["coordinates"] * 2, edges).any() for name in border)
        shown = drawn(client, collection, tile)
        assert shown.keys() == inside
        assert all(same(shown[name], found[name]["properties"]) for name in inside)

    hold()


@pytest.mark.parametrize(("collection", "lowest", "highest", "times"), [("assets", 0, 14, 25), ("countries", 2, 8, 8)])
def test_a_tile_of_lines_and_areas_holds_what_is_listed_for_its_bounds_and_buffer(
    client: TestClient,
    snapshot: Snapshot,
    bends: dict[str, float],
    collection: str,
    lowest: int,
    highest: int,
    times: int,
) -> None:
    """Between two boxes, as edges are straight on the map here and straight in lon/lat there (``bend``).

    All that is drawn is listed for the bounds with buffer and rounding added. All that is listed and that has
    more inside the bounds than rounding can lose is drawn. Points are drawn exactly, as above.
    """
    layer = snapshot.collections[collection]
    geometry = dict(zip(layer.rows_by_id, layer.shapes, strict=True))
    places = shapely.get_coordinates([one for one in layer.shapes if one is not None])
    places = places[np.abs(places[:, 1]) < 84]

    @settings(max_examples=times, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(tile=tiles(places, lowest, highest))
    def hold(tile: Tile) -> None:
        shown = drawn(client, collection, tile)
        near = listed(client, collection, grown(tile, BUFFER + ROUGH, bends[collection]))
        assert shown.keys() <= near.keys()
        assert all(same(shown[name], near[name]["properties"]) for name in shown)
        unit = 360 / (1 << tile.z) / EXTENT
        inner = grown(tile, 0, -bends[collection])
        for name in near:
            if shapely.get_dimensions(geometry[name]) == 0:
                assert (name in shown) == (tile_at(*geometry[name].coords[0], tile.z) == tile)
            elif surely(geometry[name], inner, unit):
                assert name in shown, (name, tile)

    hold()


def test_every_placed_feature_of_small_layers_is_in_the_world_tile(client: TestClient) -> None:
    for collection in ("strikes", "attributions"):
        assert (
            drawn(client, collection, Tile(0, 0, 0)).keys() == listed(client, collection, (-180, -90, 180, 90)).keys()
        )


@pytest.mark.parametrize("address", ["25/0/0", "0/1/0", "0/0/1", "3/8/0", "3/0/8", "1234567890/0/0"])
@pytest.mark.parametrize("name", ["strikes", "basemap"])
def test_an_address_outside_the_grid_is_404(client: TestClient, name: str, address: str) -> None:
    answer = client.get(f"/tiles/{name}/{address}.mvt")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


@pytest.mark.parametrize("address", ["-1/0/0", "1.5/0/0", "x/y/z", "1_0/0/0"])
@pytest.mark.parametrize("name", ["strikes", "basemap"])
def test_an_address_of_other_than_whole_numbers_is_400(client: TestClient, name: str, address: str) -> None:
    answer = client.get(f"/tiles/{name}/{address}.mvt")
    assert (answer.status_code, answer.json()["parameter"]) == (400, "z/x/y")


@pytest.mark.parametrize("path", [HOME, "/tiles/basemap/2/2/1.mvt", "/tiles/strikes/9/0/0.mvt"])
def test_a_tile_is_the_same_zipped_and_plain(client: TestClient, path: str) -> None:
    plain = client.get(path, headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.headers["content-type"] == "application/vnd.mapbox-vector-tile"
    with client.stream("GET", path, headers={"accept-encoding": "gzip"}) as zipped:
        assert zipped.headers["content-encoding"] == "gzip"
        assert zipped.headers["vary"] == "Accept-Encoding"
        raw = b"".join(zipped.iter_raw())
    assert gzip.decompress(raw) == plain.content


def test_a_tile_that_the_client_has_is_304(client: TestClient) -> None:
    tag = client.get(HOME).headers["etag"]
    assert client.get(HOME, headers={"if-none-match": tag}).status_code == 304
    assert client.get("/tiles/strikes/30/0/0.mvt", headers={"if-none-match": tag}).status_code == 404


@pytest.mark.parametrize("name", [*COLLECTIONS, "basemap"])
def test_tilejson_describes_tiles_that_are_there(client: TestClient, name: str) -> None:
    told = client.get(f"/tiles/{name}.json").json()
    assert told["tilejson"] == "3.0.0"
    assert told["scheme"] == "xyz"
    assert 0 <= told["minzoom"] < told["maxzoom"] <= 24
    assert told["attribution"]
    west, south, east, north = told.get("bounds", [-180, -90, 180, 90])
    assert -180 <= west < east <= 180
    assert -90 <= south < north <= 90
    z, x, y = tile_at((west + east) / 2, (south + north) / 2, 2)
    (template,) = told["tiles"]
    layers = decoded(client.get(template.format(z=z, x=x, y=y)).content)
    described = {layer["id"]: layer["fields"] for layer in told["vector_layers"]}
    assert layers.keys() <= described.keys()
    if name != "basemap":
        for feature in layers[name]["features"]:
            assert feature["properties"].keys() <= described[name].keys()


def test_style_has_sources_that_answer_and_layers_that_they_have(client: TestClient) -> None:
    style = client.get("/style.json").json()
    assert style["version"] == 8
    described = {name: client.get(source["url"]).json() for name, source in style["sources"].items()}
    for layer in style["layers"]:
        if "source" in layer:
            assert layer["source-layer"] in {one["id"] for one in described[layer["source"]]["vector_layers"]}
    assert {"strikes", "assets", "basemap"} <= described.keys()


def test_base_map_has_its_four_layers(client: TestClient) -> None:
    layers = decoded(client.get("/tiles/basemap/4/9/5.mvt").content)
    # An archive beside it has more, see tests/api/routes/test_basemap_archive.py.
    assert layers.keys() >= {"country", "boundary", "country_label", "place"}
    assert "UA" in {feature["properties"].get("iso_a2") for feature in layers["country"]["features"]}
    assert {"name_en", "name_uk"} <= layers["country_label"]["features"][0]["properties"].keys()
    assert {"name", "population"} <= layers["place"]["features"][0]["properties"].keys()
