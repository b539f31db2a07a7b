"""The flat collections that hold the data of a snapshot: what each is called and how it is made of its rows."""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from geo.columnar.dictionary_array import DictionaryArray
from geo.lonlat import Objects
from layers.collections.collection import Collection, sharing_geometry
from layers.collections.feature_table import FeatureTable, rows_of
from layers.collections.feature_types import AssetFeature, AttributionFeature, CountryFeature, Feature, StrikeFeature
from layers.collections.geometry_index import Geometries, as_objects
from layers.collections.hit_features import HitFeature
from layers.reference.basemap import Basemap

#: The countries of each base map, as long as a snapshot has them: their shapes, which take longest to render, are
#: the same whatever the records.
_COUNTRIES: weakref.WeakKeyDictionary[Basemap, weakref.ref[Collection]] = weakref.WeakKeyDictionary()

#: Title, description and feature class of each flat collection.
LAYERS: Mapping[str, tuple[str, str, type[Feature]]] = MappingProxyType(
    {
        "strikes": (
            "Strikes",
            "Attacks on energy and industrial sites that published reports tell of, and whose the sites were.",
            StrikeFeature,
        ),
        "assets": ("Assets", "Facilities and pipelines with their owners on the day of the data.", AssetFeature),
        "attributions": (
            "Attributions",
            "One row for each strike, asset, relation and country: whose assets were hit, with shares.",
            AttributionFeature,
        ),
        "hits": (
            "Hits",
            "One row for each strike, site, country and reading: by registration or head office of the owners, or by "
            "control.",
            HitFeature,
        ),
        "countries": (
            "Countries",
            "Countries with the number of strikes on what they own, host, or are tied to otherwise.",
            CountryFeature,
        ),
    }
)
#: Collections of rows that are each where their strike is, those of one strike together, newest strike first.
BY_STRIKE: Sequence[str] = ("attributions", "hits")


def make_collection(name: str, features: FeatureTable[Any], geometry: Geometries) -> Collection:
    """One of the flat collections, of features and their geometries."""
    return Collection(name, *LAYERS[name], features, geometry)


def collection_by_strike(
    name: str, features: FeatureTable[Any], geometries: Geometries, ids: DictionaryArray
) -> Collection:
    """One of the collections `BY_STRIKE`, whose rows are where their strikes are.

    Parameters
    ----------
    geometries, ids
        Geometry and id of each strike.
    """
    return make_collection(name, features, strike_geometries(geometries, ids, features.columns["strike"]))


def country_collection(basemap: Basemap, features: FeatureTable[CountryFeature]) -> Collection:
    """All countries of a base map; their shapes are rendered once, as long as a snapshot has them."""
    rendered = _COUNTRIES.get(basemap, lambda: None)()
    if rendered is not None:
        return sharing_geometry(rendered, features)
    new = make_collection("countries", features, [basemap.country_shapes[feature.id] for feature in features])
    _COUNTRIES[basemap] = weakref.ref(new)
    return new


def strike_geometries(geometries: Geometries, ids: DictionaryArray, strikes: DictionaryArray) -> Objects:
    """Geometries of the strikes of a column, each of which is among ``ids``, whose geometries are given."""
    return as_objects(geometries)[rows_of(ids, strikes)]
