"""The rules by which collections are drawn, whatever the encoding."""

from __future__ import annotations

import pytest

from api.rendering.canvas import style_table
from api.settings import Settings
from api.styles.rules import at_zoom, rules
from layers.collections.geometry_kinds import ASSET_VIEWS
from layers.snapshot.flat_collections import LAYERS

LOOK = style_table(Settings().static / "style-table.json")


@pytest.mark.parametrize("collection", [*LAYERS, *ASSET_VIEWS])
def test_each_collection_alone_shows_something_at_every_scale(collection: str) -> None:
    assert min(rule.from_zoom for rule in rules(collection, LOOK)) == 0


@pytest.mark.parametrize(("zoom", "size"), [(0, 1), (2, 1), (3.5, 2.5), (5, 4), (8, 5.5), (11, 7), (20, 7)])
def test_a_size_lies_between_those_of_the_nearest_zooms(zoom: float, size: float) -> None:
    assert at_zoom([(2, 1), (5, 4), (11, 7)], zoom) == size
