"""The assets of one kind of geometry as collections of their own, for programs that draw one kind of geometry a layer.

They are views of the collection of all assets: values, geometries and GeoJSON are those of its rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geo.columnar.binary_array import BinaryArray
from geo.columnar.lazy_array import to_numpy
from geo.columnar.row_edit import RowEdit
from geo.lonlat import Bools
from layers.collections.collection import Collection, Rows
from layers.collections.feature_table import FeatureTable
from layers.collections.feature_types import AssetFeature
from layers.collections.geometry_index import GeometryIndex
from layers.collections.rendered_features import RenderedFeatures
from layers.model.cache import Lazy


class AssetPointFeature(AssetFeature):
    """An asset that is one point or several."""


class AssetLineFeature(AssetFeature):
    """An asset that is one line or several."""


class AssetAreaFeature(AssetFeature):
    """An asset that is one area or several."""


@dataclass(frozen=True)
class AssetView:
    """A collection of the assets of one kind of geometry; ``dimension`` is 0 of points, 1 of lines, 2 of areas."""

    title: str
    description: str
    model: type[AssetFeature]
    dimension: int


#: By the name of the collection. An asset of several kinds of geometry is among those of its largest dimension.
ASSET_VIEWS: Mapping[str, AssetView] = MappingProxyType(
    {
        "asset-points": AssetView(
            "Assets: points",
            "Facilities of which a point is known, with their owners on the day of the data.",
            AssetPointFeature,
            0,
        ),
        "asset-lines": AssetView(
            "Assets: lines",
            "Pipelines of which a route is known, with their owners on the day of the data.",
            AssetLineFeature,
            1,
        ),
        "asset-areas": AssetView(
            "Assets: areas",
            "Facilities of which an area is known, with their owners on the day of the data.",
            AssetAreaFeature,
            2,
        ),
    }
)


def asset_view(name: str, assets: Collection) -> Collection:
    """Give the assets of one kind of geometry, in the order of all.

    Each asset with a geometry is in exactly one of `ASSET_VIEWS`; one without a geometry is in none.

    Parameters
    ----------
    name
        One of `ASSET_VIEWS`.
    assets
        All assets.

    Returns
    -------
    Collection
        Features with the ids and properties that they have among all. Of a geometry collection it has the parts of its
        largest dimension, as one geometry; any other geometry is the very object.
    """
    view = ASSET_VIEWS[name]
    shapes = to_numpy(assets.geometry.split)
    rows = np.flatnonzero(to_numpy(assets.geometry.present) & (shapely.get_dimensions(shapes) == view.dimension))
    own, given = shapes[rows], assets.geometries_at(rows).copy()
    mixed: Bools = shapely.get_type_id(own) == _COLLECTION
    for place in np.flatnonzero(mixed):
        own[place] = given[place] = _of_dimension(own[place], view.dimension)
    columns = {field: column.take(rows) for field, column in assets.features.columns.items()}
    features: FeatureTable[Any] = FeatureTable.coded(view.model, columns)
    index = GeometryIndex(given, split=Lazy.of(own))
    rendered = RenderedFeatures(
        name, features, index, fragments=Lazy(lambda: _fragments(name, assets, rows, mixed, features, index))
    )
    return Collection(name, view.title, view.description, view.model, features, index, rendered=rendered)


#: Types of geometry as shapely numbers them: a collection, and all that have parts.
_COLLECTION = 7
_MULTIPLE = (4, 5, 6, _COLLECTION)
_JOINED = (shapely.multipoints, shapely.multilinestrings, shapely.multipolygons)


def _of_dimension(shape: BaseGeometry, dimension: int) -> BaseGeometry:
    """The parts of a geometry collection that have a dimension, as one geometry."""
    parts = np.array([shape])
    while np.isin(shapely.get_type_id(parts), _MULTIPLE).any():
        parts = shapely.get_parts(parts)
    joined: BaseGeometry = _JOINED[dimension](parts[shapely.get_dimensions(parts) == dimension])
    return joined


def _fragments(
    name: str, assets: Collection, rows: Rows, mixed: Bools, features: FeatureTable[Any], index: GeometryIndex
) -> BinaryArray:
    """The features as GeoJSON: the bytes that those of all assets are of, but for geometries that differ from them."""
    shared = assets.fragments.take(rows)
    if not mixed.any():
        return shared
    differing = np.flatnonzero(mixed)
    own = RenderedFeatures(name, features.take(differing), GeometryIndex(index.split[differing]))
    return shared.with_edit(own.fragments, RowEdit(len(rows), differing, differing))
