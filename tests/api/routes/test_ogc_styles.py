"""A style says the same in every encoding: that of the table, with which the pictures are drawn."""

from __future__ import annotations

import io
from itertools import product
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from api.rendering.canvas import style_table
from api.rendering.png import symbols_of
from api.requests.negotiation import negotiate
from api.settings import Settings
from api.styles.catalogue import ENCODINGS
from layers.snapshot.snapshot import Snapshot
from tests.api.feature_client import Json, items, problem

LOOK = style_table(Settings().static / "style-table.json")
STYLES = ("atlas", "strikes", "assets", "attributions", "hits", "countries")
SE = "{http://www.opengis.net/se}"
OGC = "{http://www.opengis.net/ogc}"
STRANGE: tuple[Json, ...] = tuple(
    {"group": group, "host_country": host, "status": status, "country": host}
    for group, host, status in product((None, "oil", "unheard-of"), (None, "UA", "XX"), (None, "draft", "verified"))
)


def mapbox(client: TestClient, name: str) -> Json:
    told: Json = client.get(f"/styles/{name}").json()
    return told


def rules(client: TestClient, name: str) -> list[Element]:
    answer = client.get(f"/styles/{name}", params={"f": "sld11"})
    return list(ElementTree.fromstring(answer.content).iter(f"{SE}Rule"))


def holds(one: Element, properties: Json) -> bool | None:
    """Whether a filter holds; None where it compares with what is missing, as SQL has it."""
    operator = one.tag.removeprefix(OGC)
    if operator in ("And", "Or", "Not"):
        parts = [holds(part, properties) for part in one]
        if operator == "Not":
            return None if parts[0] is None else not parts[0]
        decisive = operator == "Or"
        return decisive if decisive in parts else None if None in parts else not decisive
    value = properties.get(one.findtext(f"{OGC}PropertyName") or "")
    if operator == "PropertyIsNull":
        return value is None
    literal = one.findtext(f"{OGC}Literal") or ""
    if value is None:
        return None
    if operator == "PropertyIsLike":
        return literal.strip(str(one.get("wildCard"))) in value
    return (value == literal) == {"PropertyIsEqualTo": True, "PropertyIsNotEqualTo": False}[operator]


def matching(every: list[Element], properties: Json) -> list[str]:
    """The rules that draw a feature; the one with an else where no other does."""
    found, rest = [], []
    for rule in every:
        name = rule.findtext(f"{SE}Name") or ""
        if rule.find(f"{SE}ElseFilter") is not None:
            rest.append(name)
        elif (only := rule.find(f"{OGC}Filter")) is None or holds(only[0], properties):
            found.append(name)
    return found or rest


def value(expression: Any, properties: Json) -> Any:
    """What a MapLibre expression gives."""
    if not isinstance(expression, list):
        return expression
    operator, *parts = expression
    match operator:
        case "get":
            return properties.get(parts[0])
        case "geometry-type":
            return properties["$type"]
        case "literal":
            return parts[0]
        case "concat":
            return "".join(value(part, properties) for part in parts)
        case "coalesce":
            return next((found for part in parts if (found := value(part, properties)) is not None), None)
        case "in":
            return value(parts[0], properties) in value(parts[1], properties)
        case "!":
            return not value(parts[0], properties)
        case "all":
            return all(value(part, properties) for part in parts)
        case "match":
            asked, *pairs, rest = parts
            found = value(asked, properties)
            for label, told in zip(pairs[::2], pairs[1::2], strict=True):
                if found in (label if isinstance(label, list) else [label]):
                    return value(told, properties)
            return value(rest, properties)
    raise AssertionError(f"another operator: {operator}")


def drawn(style: Json, properties: Json) -> list[str]:
    return [one["id"] for one in style["layers"] if "filter" in one and value(one["filter"], properties)]


@pytest.mark.parametrize("name", ["strikes", "attributions", "hits"])
def test_a_mark_is_the_same_in_the_picture_in_mapbox_and_in_sld(
    client: TestClient, snapshot: Snapshot, name: str
) -> None:
    every, (layer,) = rules(client, name), mapbox(client, name)["layers"]
    symbols = symbols_of(snapshot.collections[name], np.arange(len(snapshot.collections[name])), LOOK)
    found = [one["properties"] for one in items(client, name)["features"]]
    rows = snapshot.collections[name].rows_by_id
    for properties in found:
        symbol = "-".join(symbols[rows[properties["id"]]])
        assert value(layer["layout"]["icon-image"], properties) == symbol
        assert matching(every, properties) == [symbol]
    assert len({matching(every, properties)[0] for properties in found}) > 2
    for properties in STRANGE:
        assert matching(every, properties) == [value(layer["layout"]["icon-image"], properties)]


def test_a_status_that_is_not_known_is_hollow_and_a_group_that_is_not_is_a_cross(client: TestClient) -> None:
    every = rules(client, "strikes")
    assert matching(every, {"group": "unheard-of", "host_country": "XX", "status": "unheard-of"}) == [
        "none-other-hollow"
    ]
    assert matching(every, {"group": "gas", "host_country": "RU", "status": "verified"}) == ["gas-RU-filled"]


PIPES = (
    ("gas", None, "pipe-gas"),
    ("gas, condensate", "oil", "pipe-gas"),
    ("oil", "gas", "pipe-oil"),
    (None, "gas", "pipe-gas"),
    (None, "oil", "pipe-oil"),
    (None, None, "pipe-oil"),
)


@pytest.mark.parametrize(("commodity", "group", "name"), PIPES)
def test_a_pipeline_is_drawn_by_what_it_carries(
    client: TestClient, commodity: str | None, group: str | None, name: str
) -> None:
    pipe = {"kind": "pipeline", "commodity": commodity, "group": group, "$type": "LineString"}
    assert drawn(mapbox(client, "assets"), pipe) == ["pipe-case", name]
    assert matching(rules(client, "assets"), pipe) == ["pipe-case", name]


def test_every_asset_is_drawn_by_its_geometry_and_in_a_descriptor_by_its_kind(client: TestClient) -> None:
    style, every = mapbox(client, "assets"), rules(client, "assets")
    expected = {"Point": {"site"}, "LineString": {"pipe-case", "pipe-gas", "pipe-oil"}, "Polygon": {"area"}}
    for one in items(client, "assets")["features"]:
        if one["geometry"] is None:
            continue
        kind = one["geometry"]["type"].removeprefix("Multi")
        found = drawn(style, {**one["properties"], "$type": kind})
        assert found
        assert set(found) <= expected[kind]
        told = matching(every, one["properties"])
        assert told == (["site"] if one["properties"]["kind"] != "pipeline" else told)
        assert kind != "LineString" or told == found
    assert drawn(style, {"$type": "MultiPolygon"}) == ["area", "area-edge"]


def test_a_descriptor_has_the_colours_of_the_table(client: TestClient) -> None:
    colours = {one["light"] for one in (*LOOK["host"].values(), *LOOK["line"].values())} | {
        *LOOK["base"]["light"].values()
    }
    for rule in (rule for name in STYLES for rule in rules(client, name)):
        name = rule.findtext(f"{SE}Name") or ""
        told = [one.text for one in rule.iter(f"{SE}SvgParameter") if one.get("name") in ("fill", "stroke")]
        assert told
        assert set(told) <= colours
        shape, _, rest = name.partition("-")
        if shape in LOOK["group"]:
            host, _, fill = rest.partition("-")
            inner = rule.findall(f"{SE}PointSymbolizer")[-1]
            filled = inner.findtext(f"{SE}Graphic/{SE}Mark/{SE}Fill/{SE}SvgParameter")
            colour = LOOK["host"][host]["light"]
            assert filled == (colour if fill == "filled" else LOOK["base"]["light"]["paper"])
            assert colour in told


def test_sites_are_drawn_from_the_same_scale_on(client: TestClient) -> None:
    """Zoom 5 of tiles of 512 pixels is level 6 of WebMercatorQuad."""
    (site,) = [one for one in mapbox(client, "assets")["layers"] if one["id"] == "site"]
    assert site["minzoom"] == 5
    told = [rule.findtext(f"{SE}MaxScaleDenominator") for rule in rules(client, "assets")]
    scale = client.get("/tileMatrixSets/WebMercatorQuad").json()["tileMatrices"][6]["scaleDenominator"]
    assert told == [None, None, None, str(round(scale))]


@pytest.mark.parametrize("name", STYLES)
def test_a_style_has_sources_pictures_and_layers_that_are_there(client: TestClient, name: str) -> None:
    style = mapbox(client, name)
    assert style["version"] == 8
    told = {source: client.get(one["url"]).json() for source, one in style["sources"].items()}
    names = [layer["id"] for layer in style["layers"]]
    assert len(set(names)) == len(names)
    for layer in style["layers"]:
        if "source" in layer:
            assert layer["source-layer"] in {one["id"] for one in told[layer["source"]]["vector_layers"]}
    pictures = client.get(f"{style['sprite']}.json").json()
    for layer in style["layers"]:
        if "icon-image" in layer.get("layout", {}):
            _, _, *pairs, rest = layer["layout"]["icon-image"]
            assert {*pairs, rest} <= pictures.keys()


@pytest.mark.parametrize("ratio", [1, 2])
def test_the_picture_of_symbols_has_each_where_it_is_said_to_be(client: TestClient, ratio: int) -> None:
    end = "@2x" if ratio == 2 else ""
    told = client.get(f"/sprites/symbols{end}.json").json()
    answer = client.get(f"/sprites/symbols{end}.png")
    assert answer.headers["content-type"] == "image/png"
    pixels = np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGBA"))
    assert len(told) == len(LOOK["group"]) * len(LOOK["host"]) * 2
    for name, place in told.items():
        assert (place["width"], place["height"], place["pixelRatio"]) == (28 * ratio, 28 * ratio, ratio)
        cell = pixels[place["y"] :, place["x"] :][: place["height"], : place["width"]]
        assert cell.shape == (28 * ratio, 28 * ratio, 4)
        _, host, fill = name.split("-")
        colour = tuple(bytes.fromhex(LOOK["host"][host]["light"][1:]))
        assert (cell[..., :3] == colour).all(axis=-1).any(), name
        middle = tuple(cell[14 * ratio, 14 * ratio])
        assert middle == (*(colour if fill == "filled" else (255, 255, 255)), 255), name
        assert not cell[0, :, 3].any(), "it is cut off"


def test_the_style_of_the_map_is_where_it_was(client: TestClient) -> None:
    old, new = client.get("/style.json"), client.get("/styles/atlas")
    assert old.json() == new.json()
    assert client.get("/style.json", headers={"if-none-match": old.headers["etag"]}).status_code == 304


@pytest.mark.parametrize("form", ["mapbox", "sld10", "sld11"])
def test_each_encoding_has_a_tag_of_its_own(client: TestClient, form: str) -> None:
    path = f"/styles/strikes?f={form}"
    tag = client.get(path).headers["etag"]
    again = client.get(path, headers={"if-none-match": tag})
    assert (again.status_code, again.content) == (304, b"")
    others = {
        client.get(f"/styles/strikes?f={other}").headers["etag"] for other in {"mapbox", "sld10", "sld11"} - {form}
    }
    assert tag not in others
    assert len(others) == 2


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/styles/nothing", 404),
        ("/styles/nothing/metadata", 404),
        ("/collections/nothing/styles", 404),
        ("/collections/strikes/styles/assets", 404),
        ("/collections/strikes/styles/assets/metadata", 404),
        ("/styles/strikes?f=qml", 400),
        ("/styles/strikes?f=sld10&f=sld11", 400),
        ("/styles?f=sld10", 400),
        ("/styles/strikes?colour=red", 400),
    ],
)
def test_what_there_is_not_is_named(client: TestClient, path: str, status: int) -> None:
    assert problem(client, path, status)["detail"]


def test_a_form_that_is_not_there_is_not_acceptable(client: TestClient) -> None:
    answer = client.get("/styles/strikes", headers={"accept": "image/png"})
    assert (answer.status_code, answer.headers["content-type"]) == (406, "application/problem+json")


SLD = "application/vnd.ogc.sld+xml"


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        (None, "mapbox"),
        ("application/json", "mapbox"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "mapbox"),
        (SLD, "sld11"),
        (f"{SLD};version=1.1", "sld11"),
        (f"{SLD};version=1.0", "sld10"),
        (f'{SLD}; version="1.0"', "sld10"),
        ("application/vnd.ogc.se+xml;version=1.1", "sld11"),
        (f"{SLD};version=1.1;q=0.4, {SLD};version=1.0;q=0.5", "sld10"),
        (f"{SLD};version=1.1;q=0, {SLD}", "sld10"),
        # A version that is not there is a hint (20-009, 9), which comes after whatever else is accepted.
        (f"{SLD};version=2.0", "sld11"),
        (f"{SLD};version=2.0, application/json;q=0.1", "mapbox"),
    ],
)
def test_the_version_that_is_accepted_is_chosen(accept: str | None, form: str) -> None:
    assert negotiate(None, accept, ENCODINGS).name == form
