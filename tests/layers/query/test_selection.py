"""Selections: what is asked for is what comes, in the asked order, nulls last."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry.base import BaseGeometry

from geo.columnar.row_edit import Splice
from geo.tiles.tile_matrix import Tile
from layers.collections.collection import Box, Collection
from layers.collections.collection_edit import spliced
from layers.query.cql2_text import parse
from layers.query.filter import compiled
from layers.query.selection import OrderError, Selection, SortKey, is_quick, mask, rows
from tests.layers.query.filter_making import BOXES, DAYS, Site, collection, collections, filters, places, sites
from tests.layers.query.filter_oracle import says

TILES = [Tile(0, 0, 0), Tile(5, 18, 11)]
SORTABLE = ["id", "name", "kind", "count", "size", "active", "day_first"]

orders = st.lists(st.builds(SortKey, st.sampled_from(SORTABLE), st.booleans()), max_size=3).map(tuple)
#: A row, what is put there, and whether it replaces, is added before, or the row is left out.
edits = st.tuples(st.integers(0, 12), sites("x"), places, st.sampled_from("rad"))
boxes = st.sampled_from([None, *(tuple(map(float, box)) for box in BOXES)])
days = st.sampled_from([None, *DAYS])


def expected(asked: Collection, selection: Selection, tree: Any) -> list[int]:
    """Rows of a selection, worked out by hand."""
    found = [row for row in range(len(asked)) if holds(asked, selection, tree, row)]
    for key in reversed(selection.order):
        told = [(getattr(asked.features[row], key.name), row) for row in found]
        there = sorted((pair for pair in told if pair[0] is not None), key=lambda pair: pair[0], reverse=key.descending)
        found = [row for _, row in there] + [row for value, row in told if value is None]
    return found


def holds(asked: Collection, selection: Selection, tree: Any, row: int) -> bool:
    feature: Any = asked.features[row]
    place = asked.geometries[row]
    if selection.bbox is not None:
        meets = says(
            {"op": "s_intersects", "args": [{"property": "geometry"}, {"bbox": selection.bbox}]}, feature, place
        )
        if not (selection.placeless if meets is None else meets):
            return False
    if selection.last and feature.day_first and feature.day_first > selection.last:
        return False
    if selection.first and feature.day_last and feature.day_last < selection.first:
        return False
    return tree is None or says(tree, feature, place) is True


@settings(max_examples=150)
@given(collections(), boxes, days, days, st.none() | filters, orders, st.booleans())
def test_rows_are_what_was_asked_for(
    asked: Collection,
    bbox: Box | None,
    first: date | None,
    last: date | None,
    tree: Any,
    order: tuple[SortKey, ...],
    placeless: bool,
) -> None:
    where = None if tree is None else compiled(tree, asked.queryables)
    selection = Selection(bbox, first, last, where, order, placeless)
    told = expected(asked, selection, tree)
    assert rows(asked, selection).tolist() == told
    assert rows(asked, selection).tolist() == told, "when asked again"
    assert np.flatnonzero(mask(asked, selection)).tolist() == sorted(told)
    if tree is None:
        assert asked.select(bbox, first, last, placeless).tolist() == sorted(told)


def test_few_of_many_are_sorted_as_all_are() -> None:
    features = [Site(id=str(number), count=number % 7, name="x" if number % 50 == 0 else "y") for number in range(400)]
    asked = collection(features)
    order = (SortKey("count", descending=True),)
    few = Selection(where=compiled(parse("name = 'x'"), asked.queryables), order=order)
    assert rows(asked, few).tolist() == [row for row in rows(asked, Selection(order=order)) if row % 50 == 0]


@pytest.mark.parametrize("share", [0, 1, 20, 200, 400])
def test_rows_are_the_same_whether_the_mask_and_the_order_are_kept_or_not(share: int) -> None:
    features = [Site(id=f"{number:03}", count=number * 7 % 11, size=number * 31 % 400) for number in range(400)]
    selection = Selection(
        where=compiled(parse(f"size < {share}"), collection(features).queryables), order=(SortKey("count"),)
    )
    told = expected(collection(features), selection, {"op": "<", "args": [{"property": "size"}, share]})
    kept = collection(features)
    mask(kept, selection)
    rows(kept, Selection(order=selection.order))
    assert rows(collection(features), selection).tolist() == rows(kept, selection).tolist() == told


def test_quick_is_what_is_kept_or_compares_numbers() -> None:
    order = (SortKey("count"),)
    points = collection([Site(id="a"), Site(id="b")], [shapely.Point(1, 1), None])
    areas = collection([Site(id="a")], [shapely.box(0, 0, 1, 1)])
    where = compiled(parse("name LIKE '%a%'"), points.queryables)
    box, day = (0.0, 0.0, 2.0, 2.0), date(2025, 6, 1)
    for asked in (points, areas):
        assert is_quick(asked, Selection(first=day, last=day))
        for slow in (Selection(order=order), Selection(where=where)):
            assert not is_quick(asked, slow)
            rows(asked, slow)
            assert is_quick(asked, slow), "asked for before"
        assert is_quick(asked, Selection(first=day, order=order)), "the order is known"
    assert is_quick(points, Selection(bbox=box))
    assert not is_quick(areas, Selection(bbox=box))


def test_nulls_are_last_and_ties_by_row_either_way() -> None:
    asked = collection([Site(id=name, count=count) for name, count in zip("abcde", (1, None, 2, 1, None), strict=True)])
    assert rows(asked, Selection(order=(SortKey("count"),))).tolist() == [0, 3, 2, 1, 4]
    assert rows(asked, Selection(order=(SortKey("count", True),))).tolist() == [2, 0, 3, 1, 4]


@pytest.mark.parametrize("name", ["nope", "owners", "geometry", ""])
def test_what_has_no_order_is_refused(name: str) -> None:
    with pytest.raises(OrderError, match=r"expected one of id, name, .*day_last$"):
        rows(collection([]), Selection(order=(SortKey(name),)))


def test_answers_are_for_reading_and_made_once() -> None:
    asked = collection([Site(id="a"), Site(id="b")], [shapely.Point(1, 1), None])
    for selection in (Selection(), Selection(bbox=(0, 0, 2, 2)), Selection(order=(SortKey("id"),))):
        assert rows(asked, selection) is rows(asked, selection)
        assert mask(asked, selection) is mask(asked, selection)
        for answer in (rows(asked, selection), mask(asked, selection)):
            with pytest.raises(ValueError, match="read-only"):
                answer[0] = 0


def test_the_same_box_without_the_placeless_is_another_question() -> None:
    asked = collection([Site(id="a"), Site(id="b")], [shapely.Point(1, 1), None])
    assert rows(asked, Selection(bbox=(0, 0, 2, 2))).tolist() == [0, 1]
    assert rows(asked, Selection(bbox=(0, 0, 2, 2), placeless=False)).tolist() == [0]


@pytest.mark.parametrize("last", [shapely.Point(0, 0), shapely.box(-180, 0, -179, 2)])
def test_a_box_over_the_antimeridian_is_one(last: BaseGeometry) -> None:
    asked = collection([Site(id=name) for name in "abc"], [shapely.Point(179.5, 1), shapely.Point(-179.5, 1), last])
    expected = [0, 1] if last.geom_type == "Point" else [0, 1, 2]
    assert rows(asked, Selection(bbox=(170, -10, -170, 10))).tolist() == expected


@settings(max_examples=150)
@pytest.mark.usefixtures("least")
@given(
    asked=collections(),
    told=st.lists(st.tuples(st.integers(0, 12), sites("x"), places, st.sampled_from("rad")), max_size=3),
    order=orders,
)
def test_a_spliced_collection_is_the_one_made_anew(
    asked: Collection, told: list[tuple[int, Site, BaseGeometry | None, str]], order: tuple[SortKey, ...]
) -> None:
    features, shapes = list(asked.features), list(asked.geometries)
    for number, (row, site, shape, kind) in enumerate(told):
        selection = Selection(order=order)
        before = [*rows(asked, selection)]
        _ = asked.mask((0.0, 0.0, 1.0, 1.0), DAYS[0], DAYS[-1]), asked.points, asked.bounds
        _ = [asked.values(name) for name in asked.queryables]
        at = min(row, len(features))
        end = min(at + (kind != "a"), len(features))
        new = [] if kind == "d" else [site.model_copy(update={"id": f"new {number}"})]
        take = [*range(at), *(len(features) + place for place in range(len(new))), *range(end, len(features))]
        splice = Splice.taking(len(features), len(new), np.array(take, np.int64))
        made = spliced(asked, collection(new, [shape] * len(new)), splice)
        features[at:end], shapes[at:end] = new, [shape] * len(new)
        anew = collection(features, shapes)
        assert list(made.features) == features
        assert [*rows(made, selection)] == [*rows(anew, selection)]
        assert [*rows(asked, selection)] == before
        for box in (tuple(map(float, one)) for one in BOXES):
            assert [*rows(made, Selection(box, order=order))] == [*rows(anew, Selection(box, order=order))]
        assert made.mask(None, DAYS[0], DAYS[-1]).tolist() == anew.mask(None, DAYS[0], DAYS[-1]).tolist()
        assert (made.bounds, made.digest, made.days) == (anew.bounds, anew.digest, anew.days)
        for name in anew.queryables:
            np.testing.assert_array_equal(made.values(name).data, anew.values(name).data)
            np.testing.assert_array_equal(made.values(name).present, anew.values(name).present)
        assert made.fragments == anew.fragments
        assert made.rows_by_id == anew.rows_by_id
        assert [made.layer.encode(tile) for tile in TILES] == [anew.layer.encode(tile) for tile in TILES]
        asked = made
