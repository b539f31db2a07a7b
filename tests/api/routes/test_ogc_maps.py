"""Pictures: what is drawn where, in which colours, as tiles and as maps; what is asked for wrongly is named."""

from __future__ import annotations

import io
import math
import re
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import shapely
from PIL import Image
from starlette.testclient import TestClient

from api.rendering.canvas import style_table
from api.settings import Settings
from api.styles.symbol_paths import outline
from geo.tiles.tile_matrix import MAX_LAT, lonlat, world
from tests.api.feature_client import Json, items, links, problem
from tests.tile_at import tile_at

LOOK = style_table(Settings().static / "style-table.json")
HALF = math.pi * 6_378_137
SVG = "http://www.w3.org/2000/svg"
UA, RU = (tuple(bytes.fromhex(LOOK["host"][code]["light"][1:])) for code in ("UA", "RU"))
SEA = tuple(bytes.fromhex(LOOK["base"]["light"]["sea"][1:]))
WIDE = "bbox=20,40,60,62"


def picture(client: TestClient, path: str, **query: Any) -> np.ndarray:
    """The pixels of a picture, shape (height, width, 4)."""
    answer = client.get(path, params=query) if query else client.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/png"
    return np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGBA"))


def has(pixels: np.ndarray, colour: tuple[int, ...]) -> bool:
    return bool(((pixels[..., :3] == colour).all(axis=-1) & (pixels[..., 3] == 255)).any())


def at(pixels: np.ndarray, x: float, y: float, reach: int = 6) -> np.ndarray:
    """The pixels about a place."""
    top, left = max(int(y) - reach, 0), max(int(x) - reach, 0)
    return pixels[top : int(y) + reach, left : int(x) + reach]


def placed(client: TestClient, **query: str) -> list[Json]:
    return [one for one in items(client, **query)["features"] if one["geometry"]]


@pytest.mark.parametrize("size", [1, 2])
def test_a_tile_shows_each_strike_in_its_colour_where_it_is(client: TestClient, size: int) -> None:
    scale = "@2x" if size == 2 else ""
    for strike in placed(client, host_country="UA")[:8] + placed(client, host_country="RU")[:8]:
        lon, lat = strike["geometry"]["coordinates"]
        z, x, y = tile_at(lon, lat, 8)
        pixels = picture(client, f"/tiles/strikes/{z}/{x}/{y}{scale}.png")
        assert pixels.shape == (256 * size, 256 * size, 4)
        px, py = (world(np.array([[lon, lat]]))[0] * 2**z - [x, y]) * 256 * size
        near = at(pixels, px, py, 10 * size)
        assert has(near, UA if strike["properties"]["host_country"] == "UA" else RU), strike["id"]


def test_what_is_reported_only_is_hollow_and_what_is_verified_is_filled(client: TestClient) -> None:
    for status, filled in (("reported", False), ("corroborated", True), ("verified", True)):
        for strike in placed(client, status=status):
            lon, lat = strike["geometry"]["coordinates"]
            z, x, y = tile_at(lon, lat, 14)
            pixels = picture(client, f"/tiles/strikes/{z}/{x}/{y}.png?filter=id = '{strike['id']}'")
            px, py = ((world(np.array([[lon, lat]]))[0] * 2**z - [x, y]) * 256).astype(int)
            middle = pixels[min(py, 255), min(px, 255)]
            assert middle[3] == 255
            assert (tuple(middle[:3]) != (255, 255, 255)) == filled, strike["id"]


def test_a_symbol_on_a_border_goes_on_in_the_next_tile(client: TestClient) -> None:
    """Tiles of a zoom put together are the map of their box: no symbol is cut off or drawn twice."""
    lon, lat = next(iter(placed(client, host_country="UA")))["geometry"]["coordinates"]
    z, x, y = tile_at(lon, lat, 6)
    rows = [[picture(client, f"/tiles/strikes/{z}/{x + i}/{y + j}.png") for i in (0, 1, 2)] for j in (0, 1, 2)]
    joined = np.concatenate([np.concatenate(row, axis=1) for row in rows]).astype(int)
    corners = lonlat(np.array([[x, y + 3], [x + 3, y]]) / 2**z).ravel().tolist()
    box = ",".join(map(repr, corners))
    whole = picture(client, f"/collections/strikes/map?bbox={box}&crs=EPSG:3857&width=768&height=768").astype(int)
    assert (np.abs(joined - whole).max(axis=-1) > 24).mean() < 0.001
    assert (whole[..., 3] > 0).any()


def test_a_tile_of_nothing_is_transparent(client: TestClient) -> None:
    assert not picture(client, "/tiles/strikes/9/0/0.png")[..., 3].any()
    assert not picture(client, "/tiles/strikes/3/4/2.png?filter=id = 'nothing'")[..., 3].any()


def test_a_filter_shows_fewer(client: TestClient) -> None:
    every = picture(client, "/tiles/strikes/3/4/2.png")
    russian = picture(client, "/tiles/strikes/3/4/2.png", filter="host_country = 'RU'")
    assert has(every, UA)
    assert has(every, RU)
    assert has(russian, RU)
    assert not has(russian, UA)


@pytest.mark.parametrize("collection", ["strikes", "assets", "attributions", "hits", "countries", "basemap"])
def test_every_collection_and_the_base_map_have_pictures(client: TestClient, collection: str) -> None:
    assert picture(client, f"/tiles/{collection}/4/9/5.png")[..., 3].any()


def test_pictures_by_row_and_column_are_those_of_the_web(client: TestClient) -> None:
    told = client.get("/collections/assets/map/tiles/WebMercatorQuad").json()
    item = links(told)["item"]
    assert (told["dataType"], item["type"], item["templated"]) == ("map", "image/png", True)
    ogc = client.get(item["href"].format(tileMatrix=6, tileRow=22, tileCol=37))
    assert ogc.content == client.get("/tiles/assets/6/37/22.png").content
    (mercator, degrees) = client.get("/collections/assets/map/tiles").json()["tilesets"]
    assert mercator["tileMatrixSetURI"] == told["tileMatrixSetURI"]
    other = links(client.get(links(degrees)["self"]["href"]).json())["item"]["href"]
    assert client.get(other.format(tileMatrix=5, tileRow=7, tileCol=37)).headers["content-type"] == "image/png"


def test_a_picture_is_kept_and_is_304_to_who_has_it(client: TestClient) -> None:
    first = client.get("/tiles/strikes/3/4/2.png")
    kept = client.app.state.atlas.counts.hits  # type: ignore[attr-defined]
    assert client.get("/tiles/strikes/3/4/2.png").content == first.content
    assert client.app.state.atlas.counts.hits == kept + 1  # type: ignore[attr-defined]
    again = client.get("/tiles/strikes/3/4/2.png", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("system", ["OGC:CRS84", "EPSG:3857", "http://www.opengis.net/def/crs/EPSG/0/4326"])
def test_a_map_shows_each_strike_where_it_is(client: TestClient, system: str) -> None:
    answer = client.get("/collections/strikes/map", params={"bbox": "20,40,60,62", "crs": system, "width": 1600})
    pixels = np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGBA"))
    box = [float(part) for part in answer.headers["content-bbox"].split(",")]
    west, south, east, north = (box[1], box[0], box[3], box[2]) if "4326" in system else box
    for strike in placed(client, bbox="21,41,59,61"):
        lon, lat = strike["geometry"]["coordinates"]
        x, y = (world(np.array([[lon, lat]]))[0] - 0.5) * [2 * HALF, -2 * HALF] if "3857" in system else (lon, lat)
        px, py = (x - west) / (east - west) * pixels.shape[1], (north - y) / (north - south) * pixels.shape[0]
        assert at(pixels, px, py)[..., 3].any(), strike["id"]
    assert system.rpartition("/")[2].rpartition(":")[2] in answer.headers["content-crs"]


def test_a_map_as_svg_has_the_symbols_of_the_picture_and_says_nothing_of_when_it_was_drawn(client: TestClient) -> None:
    path = "/map?collections=strikes&country=AZ&bbox=20,40,60,62&crs=EPSG:3857&width=1600&f=svg"
    answer = client.get(path)
    assert answer.headers["content-type"] == "image/svg+xml"
    assert client.get(path).content == answer.content
    drawing = ElementTree.fromstring(answer.content)
    _, _, width, height = map(float, drawing.attrib["viewBox"].split())
    assert (width, height) == picture(client, path.replace("svg", "png")).shape[1::-1]
    west, south, east, north = map(float, answer.headers["content-bbox"].split(","))
    paths = [np.array(re.findall(r"-?[\d.]+", path.get("d", "")), float) for path in drawing.iter(f"{{{SVG}}}path")]
    symbols = [path.reshape(-1, 2).mean(axis=0) for path in paths if len(path) > 8]
    strikes = placed(client, country="AZ", bbox="21,41,59,61", limit="1000")
    assert strikes
    for strike in strikes:
        x, y = (world(np.array([strike["geometry"]["coordinates"]]))[0] - 0.5) * [2 * HALF, -2 * HALF]
        px, py = (x - west) / (east - west) * width, (north - y) / (north - south) * height
        assert min(math.hypot(px - u, py - v) for u, v in symbols) < 3, strike["id"]
    assert not drawing.findall(f".//{{{SVG}}}text")


def test_a_map_has_the_size_that_is_asked_for_or_that_its_box_has(client: TestClient) -> None:
    for query, shape in (
        ("width=300&height=200", (200, 300)), ("width=400&bbox=20,40,60,60", (200, 400)),
        ("height=100&bbox=20,40,60,60", (100, 200)), ("bbox=20,40,60,60", (512, 1024)),
        ("width=4096&height=1", (1, 4096)),
    ):  # fmt: skip
        assert picture(client, f"/collections/strikes/map?{query}").shape[:2] == shape


def test_a_map_of_all_there_is_shows_it(client: TestClient) -> None:
    pixels = picture(client, "/collections/strikes/map")
    assert has(pixels, UA)
    assert has(pixels, RU)


def test_a_map_of_a_country_as_an_owner_is_drawn_by_its_share_and_as_a_host_by_host(client: TestClient) -> None:
    share = tuple(bytes.fromhex(LOOK["share"]["light"][1:]))
    drawn = f"/map?collections=strikes&country=RU&{WIDE}&width=1600"
    owned, hosted = picture(client, drawn), picture(client, f"{drawn}&relation=host")
    assert has(owned, share)
    assert not has(owned, RU)
    assert has(hosted, RU)
    assert not has(hosted, share)
    # What a country is by its head office is not in the text of the owners.
    assert not has(picture(client, f"{drawn}&reading=headquarters"), share)


def test_a_map_may_be_white_and_the_whole_map_has_a_sea(client: TestClient) -> None:
    clear = picture(client, f"/collections/strikes/map?{WIDE}")
    white = picture(client, f"/collections/strikes/map?{WIDE}&transparent=false")
    assert (clear[..., 3] == 0).any()
    assert (white[..., 3] == 255).all()
    assert has(white, (255, 255, 255))
    whole = picture(client, f"/map?{WIDE}&width=600")
    assert has(whole, SEA)
    assert (whole[..., 3] == 255).all()
    assert has(whole, UA)
    assert has(whole, tuple(bytes.fromhex(LOOK["base"]["light"]["land"][1:])))
    assert (picture(client, f"/map?{WIDE}&width=600&transparent=true")[..., 3] == 0).any()
    assert has(picture(client, f"/map?{WIDE}&width=600&crs=EPSG:3857"), SEA)


def test_a_map_across_the_antimeridian_is_one(client: TestClient) -> None:
    """Land on both sides of 180 degrees: Chukotka in the west half, Alaska in the east."""
    land = tuple(bytes.fromhex(LOOK["base"]["light"]["land"][1:]))
    for system in ("OGC:CRS84", "EPSG:3857"):
        pixels = picture(client, f"/map?bbox=170,60,-150,70&width=400&crs={system}")
        assert has(pixels[:, :100], land)
        assert has(pixels[:, 300:], land)


def test_the_page_is_still_the_page(client: TestClient) -> None:
    for accept in ("text/html,application/xhtml+xml,*/*;q=0.8", "*/*"):
        answer = client.get("/map", headers={"accept": accept})
        assert answer.headers["content-type"].startswith("text/html")
    assert client.get("/map?f=html").headers["content-type"].startswith("text/html")
    assert client.get("/map", headers={"accept": "image/png"}).headers["content-type"] == "image/png"


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("width=4097", "width"), ("height=4097", "height"), ("width=0", "width"), ("width=x", "width"),
        ("width=4096&bbox=20,40,20.1,60", "width/height"), ("bbox=1,2,3", "bbox"), ("bbox=1,2,1,2", "bbox"),
        ("bbox=1,2,1,3", "bbox"), ("bbox=nan,2,3,4", "bbox"), ("crs=EPSG:3035", "crs"), ("crs=EPSG:1", "crs"),
        ("f=jpeg", "f"),
        ("transparent=yes", "transparent"), ("bbox=1e300,0,2e300,1&bbox-crs=EPSG:3857&crs=EPSG:3857", "bbox"),
        ("datetime=x", "datetime"), ("colour=red", "colour"),
        ("bbox=20,40,60,60&bbox=20,40,60,60", "bbox"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/collections/strikes/map", "/map"])
def test_what_cannot_be_drawn_is_named(client: TestClient, path: str, query: str, parameter: str) -> None:
    if path == "/map":
        query = f"width=100&{query}" if "width" not in query else query
    assert problem(client, f"{path}?{query}", 400)["parameter"] == parameter


def test_a_thin_box_over_the_world_is_drawn_with_what_its_longer_side_needs(client: TestClient) -> None:
    pixels = picture(client, f"/collections/strikes/map?bbox=30,-{MAX_LAT},30.000001,{MAX_LAT}&width=64&height=64")
    assert pixels.shape == (64, 64, 4)


def test_outlines_are_read_as_a_browser_draws_them() -> None:
    """Each symbol lies in its box of 24 about the middle; the circle has its radius."""
    for name, text in LOOK["group"].items():
        figures = [np.array(figure) for figure in outline(text)]
        assert all(((figure >= 2) & (figure <= 22)).all() for figure in figures), name
        assert any(shapely.Polygon(figure).contains(shapely.Point(12, 12)) for figure in figures), name
    (circle,) = outline(LOOK["group"]["oil"])
    assert np.hypot(*(np.array(circle) - [12, 12]).T) == pytest.approx(np.full(len(circle), 7.4), abs=0.01)
    assert outline("M5.2 5.2H18.8V18.8H5.2z") == [[(5.2, 5.2), (18.8, 5.2), (18.8, 18.8), (5.2, 18.8)]]
    with pytest.raises(ValueError, match="expected one of"):
        outline("M1 1C2 2 3 3 4 4z")
