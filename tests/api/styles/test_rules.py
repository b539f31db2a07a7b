"""A kind of asset with a colour of its own has its sites drawn in that colour, in every encoding."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest

from api.rendering.canvas import style_table
from api.settings import Settings
from api.styles import maplibre, sld
from api.styles.rules import ChoiceCase, rules, site_colour
from layers.collections.geometry_kinds import ASSET_VIEWS
from layers.snapshot.flat_collections import LAYERS

PLAIN = style_table(Settings().static / "style-table.json")
LOOK: dict[str, Any] = {**PLAIN, "kind": {"refinery": {"light": "#AA3377", "dark": "#EE99AA"}}}
SE = "{http://www.opengis.net/se}"


def test_a_kind_with_a_colour_has_a_rule_over_that_of_all_sites() -> None:
    names = [rule.name for rule in rules("assets", LOOK)]
    assert names == [*(rule.name for rule in rules("assets", PLAIN)), "site-refinery"]
    assert rules("assets", LOOK)[-1].condition == ChoiceCase("kind", ("refinery",), True, "refinery")
    paper = LOOK["base"]["light"]["paper"]
    assert [site_colour(kind, LOOK) for kind in ("refinery", "office", None)] == ["#AA3377", paper, paper]


def test_maplibre_draws_the_kind_in_its_colour() -> None:
    style = maplibre.style("assets", {"assets": "https://a.example/assets.json"}, "https://a.example/symbols", LOOK)
    layer = style["layers"][-1]
    assert (layer["id"], layer["paint"]["circle-color"]) == ("site-refinery", "#AA3377")
    assert layer["filter"][2] == ["in", ["get", "kind"], ["literal", ["refinery"]]]


def test_sld_draws_the_kind_in_its_colour() -> None:
    text = sld.descriptor("assets", "Assets", {"assets": "Assets"}, LOOK, sld.V11)
    rule = list(ElementTree.fromstring(text).iter(f"{SE}Rule"))[-1]
    assert rule.findtext(f"{SE}Name") == "site-refinery"
    assert [one.text for one in rule.iter("{http://www.opengis.net/ogc}Literal")] == ["refinery"]
    assert rule.find(f".//{SE}Fill/{SE}SvgParameter").text == "#AA3377"  # type: ignore[union-attr]


@pytest.mark.parametrize("collection", [*LAYERS, *ASSET_VIEWS])
def test_each_collection_alone_shows_something_at_every_scale(collection: str) -> None:
    assert min(rule.from_zoom for rule in rules(collection, LOOK)) == 0
