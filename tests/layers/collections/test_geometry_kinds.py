"""Assets of one kind of geometry: each that has a geometry once, with its id and values, and nothing copied."""

from __future__ import annotations

import json

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry.base import BaseGeometry

from layers.collections.collection import Collection
from layers.collections.feature_table import FeatureTable
from layers.collections.feature_types import AssetFeature
from layers.collections.geometry_kinds import ASSET_VIEWS, asset_view
from layers.snapshot.flat_collections import make_collection
from layers.snapshot.snapshot import Snapshot

_POINT = shapely.Point(30, 46)
_LINE = shapely.LineString([(30, 46), (31, 47)])
_AREA = shapely.box(30, 46, 31, 47)
#: Each with the collection that it is in.
SHAPES: dict[str, tuple[BaseGeometry | None, str | None]] = {
    "missing": (None, None),
    "empty": (shapely.Point(), None),
    "point": (_POINT, "asset-points"),
    "points": (shapely.MultiPoint([(30, 46), (31, 47)]), "asset-points"),
    "line": (_LINE, "asset-lines"),
    "lines": (shapely.MultiLineString([_LINE, [(32, 46), (33, 46)]]), "asset-lines"),
    "across": (shapely.LineString([(179, 60), (181, 60)]), "asset-lines"),
    "area": (_AREA, "asset-areas"),
    "areas": (shapely.MultiPolygon([_AREA, shapely.box(32, 46, 33, 47)]), "asset-areas"),
    "no-parts": (shapely.GeometryCollection(), None),
    "point-and-line": (shapely.GeometryCollection([_POINT, _LINE]), "asset-lines"),
    "nested": (shapely.GeometryCollection([_POINT, shapely.GeometryCollection([_AREA, _LINE])]), "asset-areas"),
}


def assets(names: list[str]) -> Collection:
    features = [AssetFeature(id=f"a-{row}", name=name, kind="refinery") for row, name in enumerate(names)]
    return make_collection("assets", FeatureTable.of(AssetFeature, features), [SHAPES[name][0] for name in names])


@given(st.lists(st.sampled_from(sorted(SHAPES)), max_size=12))
def test_each_asset_with_a_geometry_is_in_one_view_in_the_order_of_all(names: list[str]) -> None:
    every = assets(names)
    views = {name: asset_view(name, every) for name in ASSET_VIEWS}
    for name, view in views.items():
        assert list(view.ids) == [f"a-{row}" for row, shape in enumerate(names) if SHAPES[shape][1] == name]
        assert set(shapely.get_dimensions(view.shapes)) <= {ASSET_VIEWS[name].dimension}
        assert not np.isin(shapely.get_type_id(view.shapes), 7).any()
    assert sum(map(len, views.values())) == int(every.geometry.present.sum())


def test_values_geometries_and_bytes_are_those_of_all_assets() -> None:
    every = assets(sorted(SHAPES))
    for name in ASSET_VIEWS:
        view = asset_view(name, every)
        for row, key in enumerate(view.ids):
            whole = every.rows_by_id[key]
            assert view.features[row].model_dump() == every.features[whole].model_dump()
            shape = every.shapes_at(slice(whole, whole + 1))[0]
            if shape.geom_type != "GeometryCollection":
                assert view.shapes[row] is shape
                assert view.fragments[row] == every.fragments[whole]
        if name == "asset-points":
            assert [*map(id, view.fragments.buffers)] == [*map(id, every.fragments.buffers)]


def test_of_a_geometry_collection_the_parts_of_the_largest_dimension_are_left() -> None:
    every = assets(["point-and-line", "line", "nested"])
    lines, areas = (asset_view(name, every) for name in ("asset-lines", "asset-areas"))
    assert [shape.geom_type for shape in lines.shapes] == ["MultiLineString", "LineString"]
    assert json.loads(lines.fragments[0])["geometry"]["type"] == "MultiLineString"
    assert json.loads(lines.fragments[1])["id"] == "a-1"
    assert json.loads(areas.fragments[0])["geometry"]["coordinates"] == [
        json.loads(shapely.to_geojson(_AREA))["coordinates"]
    ]


@pytest.mark.parametrize("name", sorted(ASSET_VIEWS))
def test_a_snapshot_derives_a_view_once(snapshot: Snapshot, name: str) -> None:
    assert snapshot.collections[name] is snapshot.collections[name]
    assert snapshot.collections["assets"] is snapshot.layers["assets"]
    assert name not in snapshot.layers
