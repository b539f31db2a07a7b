"""A table of features gives the features it was made of, and every feature that is shown is one of its class."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from layers.collections.collection import Collection
from layers.collections.feature_table import FeatureTable
from layers.snapshot.snapshot import Snapshot
from tests.layers.query.filter_strategies import Site, collections, sites


@given(st.lists(st.integers(0, 99).flatmap(lambda number: sites(f"s{number}")), max_size=8))
def test_a_table_is_a_sequence_of_its_features(features: list[Site]) -> None:
    table = FeatureTable.of(Site, features)
    assert list(table) == features
    assert len(table) == len(features)
    assert table[1:] == features[1:]
    assert list(table.rows(["id"])) == [(feature.id,) for feature in features]
    assert len(list(table.rows([]))) == len(features)
    assert table == FeatureTable(Site, list(table.rows(Site.model_fields)))
    assert table == FeatureTable.coded(Site, table.columns)


@given(collections())
def test_another_value_makes_another_table(collection: Collection) -> None:
    table = collection.features
    others = [one.model_copy(update={"id": f"{one.id}-other"}) for one in table]
    assert (FeatureTable.of(Site, others) == table) is (not others)


def test_the_features_of_the_records_are_valid(snapshot: Snapshot) -> None:
    for collection in snapshot.collections.values():
        for feature in collection.features:
            assert collection.model.model_validate(feature.model_dump()) == feature
