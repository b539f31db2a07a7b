"""Rows to read first show the type of every column that has a value which shows it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field
from shapely import Point

from layers.collections.collection import Collection
from layers.collections.feature_table import FeatureTable
from layers.collections.feature_types import Feature
from layers.model.types import Edtf
from layers.query.keyset_cursor import TypeExamples


class Dated(Feature):
    """A feature with a date in words of EDTF, numbers and a list."""

    when: Edtf = Field(description="Its date.")
    count: int | None = Field(None, description="How many.")
    share: float | None = Field(None, description="How much.")
    names: tuple[str, ...] = Field((), description="Its names.")


DATES = st.sampled_from(["2025-08-08", "2025-08-09", "2025-08", "2025-08-08~", "2025-08-08/2025-08-09"])


@st.composite
def dated(draw: st.DrawFn) -> Collection:
    count = draw(st.integers(0, 40))
    features = [
        Dated(
            id=f"d{number}",
            when=draw(DATES),
            count=draw(st.none() | st.just(1)),
            share=draw(st.none() | st.just(0.5)),
            names=draw(st.sampled_from([(), ("a",)])),
        )
        for number in range(count)
    ]
    shapes = [draw(st.none() | st.just(Point(30, 50))) for _ in features]
    return Collection("dated", "", "", Dated, FeatureTable.of(Dated, features), shapes)


@given(dated())
def test_the_first_rows_show_each_type_that_a_row_shows(collection: Collection) -> None:
    examples = TypeExamples.of(collection)
    every = [*collection.features]
    first, last = ([every[row] for row in rows] for rows in (examples.first, examples.last))
    doubtful = [one for one in every if len(one.when) != 10]
    assert len(first) <= 4
    assert len({*examples.first, *examples.last}) == len(first) + len(last)
    assert any(one in doubtful for one in first) is bool(doubtful)
    assert len(last) == any(one not in first for one in doubtful)
    assert all(one in doubtful for one in last)
    for name in ("count", "share"):
        shown = [getattr(one, name) is not None for one in first]
        assert any(shown) is any(getattr(one, name) is not None for one in every)
    assert any(collection.geometries[row] is not None for row in examples.first) is any(
        shape is not None for shape in collection.geometries
    )


def test_nothing_is_moved_where_the_first_row_shows_all() -> None:
    features = [Dated(id=f"d{number}", when="2025-08-08", count=1, share=0.5) for number in range(3)]
    collection = Collection("dated", "", "", Dated, FeatureTable.of(Dated, features), [Point(30, 50)] * 3)
    examples = TypeExamples.of(collection)
    assert (examples.first.tolist(), examples.last.tolist()) == ([0], [])
