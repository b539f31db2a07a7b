"""Queryables and their values: every column is one, of the kind that its features hold."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given

from layers.collections.collection import Collection
from layers.collections.queryables import queryables_of
from layers.snapshot.snapshot import Snapshot
from tests.layers.query.filter_strategies import Site, collection, collections

TYPES = {"text": str, "integer": int, "number": float, "boolean": bool, "date": date, "list": tuple}


def test_kinds_in_the_order_of_the_columns() -> None:
    known = queryables_of(collection([]).model)
    assert {name: known[name].kind for name in known} == {
        "id": "text",
        "name": "text",
        "town": "text",
        "kind": "text",
        "count": "integer",
        "most": "integer",
        "size": "number",
        "active": "boolean",
        "known": "boolean",
        "day_first": "date",
        "day_last": "date",
        "owners": "list",
        "users": "list",
        "geometry": "geometry",
    }
    assert list(known)[-1] == "geometry"
    assert known["size"].unit == "m"
    assert known["kind"].enum == ("depot", "mine", "port")
    assert known["count"].doc == "How many."
    assert queryables_of(collection([]).model) is known, "the same class of features has the same"


def test_every_column_of_what_is_served_is_one(snapshot: Snapshot) -> None:
    for layer in snapshot.collections.values():
        assert list(layer.queryables) == [*(column.name for column in layer.columns), "geometry"]
        for name, queryable in layer.queryables.items():
            values = layer.values(name)
            told = [values.data[row] for row in np.flatnonzero(values.present)[:50]]
            if queryable.kind != "geometry":
                plain = [getattr(layer.features[row], name) for row in np.flatnonzero(values.present)[:50]]
                assert all(isinstance(value, TYPES[queryable.kind]) for value in plain if queryable.kind != "number")
                assert told == plain


@given(collections())
def test_values_are_those_of_the_features(asked: Collection) -> None:
    for name in asked.queryables:
        values = asked.values(name)
        told = [getattr(feature, name) for feature in asked.features] if name != "geometry" else list(asked.geometries)
        there = [value is not None and not (name == "geometry" and value.is_empty) for value in told]
        assert values.present.tolist() == there
        assert values.complete == all(there)
        assert [values.data[row] for row in np.flatnonzero(there)] == [told[row] for row in np.flatnonzero(there)]
        assert asked.values(name) is values


@given(collections())
def test_ranks_sort_as_the_values_do(asked: Collection) -> None:
    for name in ("id", "name", "count", "size", "active", "day_first"):
        values = asked.values(name)
        told: list[Any] = [getattr(feature, name) for feature in asked.features]
        steps = sorted({value for value in told if value is not None})
        assert list(values.distinct) == steps
        assert values.sort_ranks.tolist() == [-1 if value is None else steps.index(value) for value in told]


@given(collections())
def test_lists_are_sets_of_words(asked: Collection) -> None:
    lists = asked.values("owners").lists
    for row, feature in enumerate(asked.features):
        told = [lists.words[code] for code in lists.codes[lists.rows == row]]
        assert told == sorted(set(feature.owners))  # type: ignore[attr-defined]
        assert lists.lengths[row] == len(told)


def test_nan_is_missing_as_in_geojson() -> None:
    values = collection(
        [Site(id="a", size=float("nan")), Site(id="b", size=float("inf")), Site(id="c", size=2)]
    ).values("size")
    assert values.present.tolist() == [False, False, True]
    assert np.isnan(values.data[:2]).all()


def test_values_are_read_only_and_known_by_name() -> None:
    asked = collection([Site(id="a", name="x", count=1)], [shapely.Point(1, 2)])
    for name in ("name", "count", "owners"):
        with pytest.raises(ValueError, match="read-only"):
            asked.values(name).data[0] = None
    with pytest.raises(KeyError):
        asked.values("nope")
