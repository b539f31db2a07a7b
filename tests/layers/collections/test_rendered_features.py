"""Other properties of the same rows are rendered as those of a collection that is made of them."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.columnar.binary_array import BinaryArray
from layers.collections import rendered_features
from layers.collections.collection import Collection, sharing_geometry, with_properties
from layers.collections.feature_table import FeatureTable
from tests.layers.query.filter_strategies import Site, collection, collections, sites


@st.composite
def retold(draw: st.DrawFn, before: Collection) -> list[Site]:
    """The features of a collection, of which any may have other properties."""
    return [draw(st.just(one) | sites(str(one.id))) for one in before.features]


@given(collections(most=6), st.data())
def test_other_properties_are_rendered_as_anew(start: Collection, data: st.DataObject) -> None:
    edited, first = start, data.draw(st.booleans())
    for number in range(2):
        if first or number:
            _ = edited.digest
        features = data.draw(retold(edited))
        table = FeatureTable.of(Site, features)
        differing = [row for row, one in enumerate(features) if one != edited.features[row]]
        assert table.rows_unlike(edited.features).tolist() == differing
        anew = collection(features, list(start.geometries))
        for changed in (sharing_geometry(edited, table), with_properties(edited, table)):
            assert changed.features == anew.features
            assert changed.fragments == anew.fragments
            assert b",".join(changed.fragments.runs(b",")) == b",".join(anew.fragments.runs(b","))
            assert changed.digest == anew.digest
        edited = with_properties(edited, table)


@given(collections(most=6))
def test_features_are_packed_without_being_held(start: Collection) -> None:
    calls: list[bytes] = []

    def pack(pages: Iterable[BinaryArray], separator: bytes) -> BinaryArray:
        calls.append(separator)
        return BinaryArray.of_pages(pages, separator)

    anew = collection([*start.features], list(start.geometries))
    packed, again = (start.rendered.packed(pack) for _ in range(2))
    assert packed == again == anew.fragments
    assert start.digest == anew.digest
    assert calls == [b",", b","], "what is packed is not held, nor rendered again for its digest"
    assert start.rendered.packed(pack) is not start.fragments
    assert start.rendered.packed(pack) is start.fragments, "what is held is not packed again"
    assert len(calls) == 3


@given(collections(most=6), st.integers(1, 9))
def test_pages_are_as_short_as_their_vertices_are_many(start: Collection, most: int) -> None:
    expected = [*collection([*start.features], list(start.geometries)).fragments]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rendered_features, "_PAGE_VERTICES", most)
        assert [*start.fragments] == expected


def test_a_tile_layer_that_was_not_read_is_not_held() -> None:
    sites = [Site(id=str(number)) for number in range(3)]
    places = [shapely.Point(number, 1) for number in range(3)]
    unread, read = collection(sites, places).rendered, collection(sites, places).rendered
    layer = read.layer
    assert unread.tile_geometry().xy.tolist() == layer.geometry.xy.tolist()
    assert unread.tile_geometry().xy is not unread.tile_geometry().xy
    assert read.tile_geometry().xy is layer.geometry.xy
