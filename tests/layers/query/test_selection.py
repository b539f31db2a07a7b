"""Selections: what is asked for is what comes, in the asked order, nulls last."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry.base import BaseGeometry

from geo.columnar.dictionary_array import DictionaryArray
from geo.columnar.row_edit import RowEdit
from geo.tiles import mvt
from geo.tiles.tile_matrix import Tile
from layers.collections.collection import Collection, with_rows_replaced, with_values_replaced
from layers.collections.geometry_index import Box
from layers.query.cql2_text import parse
from layers.query.filter import compile_filter
from layers.query.keyset_cursor import begin_after, cursor_at, with_tiebreak
from layers.query.selection import OrderError, Selection, SortKey, is_cached_or_cheap, row_mask, rows
from tests.layers.english import raises
from tests.layers.query.filter_interpreter import truth
from tests.layers.query.filter_strategies import BOXES, DAYS, Site, collection, collections, filters, places, sites

TILES = [Tile(0, 0, 0), Tile(5, 18, 11)]
SORTABLE = ["id", "name", "kind", "count", "size", "active", "day_first"]

orders = st.lists(st.builds(SortKey, st.sampled_from(SORTABLE), st.booleans()), max_size=3).map(tuple)
#: A row, what is put there, and whether it replaces, is added before, the row is left out or has other values.
edits = st.tuples(st.integers(0, 12), sites("x"), places, st.sampled_from("radv"))
boxes = st.sampled_from([None, *(tuple(map(float, box)) for box in BOXES)])
days = st.sampled_from([None, *DAYS])


def expected(source: Collection, selection: Selection, tree: Any) -> list[int]:
    """Rows of a selection, worked out by hand."""
    actual = [row for row in range(len(source)) if holds(source, selection, tree, row)]
    for key in reversed(selection.order):
        keyed = [(getattr(source.features[row], key.name), row) for row in actual]
        there = sorted(
            (pair for pair in keyed if pair[0] is not None), key=lambda pair: pair[0], reverse=key.descending
        )
        actual = [row for _, row in there] + [row for value, row in keyed if value is None]
    return actual


def holds(source: Collection, selection: Selection, tree: Any, row: int) -> bool:
    feature: Any = source.features[row]
    geometry = source.geometries[row]
    if selection.bbox is not None:
        meets = truth(
            {"op": "s_intersects", "args": [{"property": "geometry"}, {"bbox": selection.bbox}]}, feature, geometry
        )
        if not (selection.include_without_geometry if meets is None else meets):
            return False
    if selection.last and feature.day_first and feature.day_first > selection.last:
        return False
    if selection.first and feature.day_last and feature.day_last < selection.first:
        return False
    return tree is None or truth(tree, feature, geometry) is True


@given(collections(), boxes, days, days, st.none() | filters, orders, st.booleans())
def test_rows_are_those_that_brute_force_selects(
    source: Collection,
    bbox: Box | None,
    first: date | None,
    last: date | None,
    tree: Any,
    order: tuple[SortKey, ...],
    without_geometry: bool,
) -> None:
    where = None if tree is None else compile_filter(tree, source.queryables)
    selection = Selection(bbox, first, last, where, order, without_geometry)
    keyed = expected(source, selection, tree)
    assert rows(source, selection).tolist() == keyed
    assert rows(source, selection).tolist() == keyed, "when asked again"
    assert np.flatnonzero(row_mask(source, selection)).tolist() == sorted(keyed)
    if tree is None:
        assert source.select(bbox, first, last, without_geometry).tolist() == sorted(keyed)


def test_few_of_many_are_sorted_as_all_are() -> None:
    features = [Site(id=str(number), count=number % 7, name="x" if number % 50 == 0 else "y") for number in range(400)]
    source = collection(features)
    order = (SortKey("count", descending=True),)
    few = Selection(where=compile_filter(parse("name = 'x'"), source.queryables), order=order)
    assert rows(source, few).tolist() == [row for row in rows(source, Selection(order=order)) if row % 50 == 0]


@pytest.mark.parametrize("share", [0, 1, 20, 200, 400])
def test_rows_are_equal_whether_mask_and_order_are_cached_or_not(share: int) -> None:
    features = [Site(id=f"{number:03}", count=number * 7 % 11, size=number * 31 % 400) for number in range(400)]
    selection = Selection(
        where=compile_filter(parse(f"size < {share}"), collection(features).queryables), order=(SortKey("count"),)
    )
    keyed = expected(collection(features), selection, {"op": "<", "args": [{"property": "size"}, share]})
    selected = collection(features)
    row_mask(selected, selection)
    rows(selected, Selection(order=selection.order))
    assert rows(collection(features), selection).tolist() == rows(selected, selection).tolist() == keyed


def test_cheap_selections_are_cached_or_compare_numbers() -> None:
    order = (SortKey("count"),)
    points = collection([Site(id="a"), Site(id="b")], [shapely.Point(1, 1), None])
    areas = collection([Site(id="a")], [shapely.box(0, 0, 1, 1)])
    where = compile_filter(parse("name LIKE '%a%'"), points.queryables)
    box, day = (0.0, 0.0, 2.0, 2.0), date(2025, 6, 1)
    for source in (points, areas):
        assert is_cached_or_cheap(source, Selection(first=day, last=day))
        for slow in (Selection(order=order), Selection(where=where)):
            assert not is_cached_or_cheap(source, slow)
            rows(source, slow)
            assert is_cached_or_cheap(source, slow), "asked for before"
        assert is_cached_or_cheap(source, Selection(first=day, order=order)), "the order is known"
    assert is_cached_or_cheap(points, Selection(bbox=box))
    assert not is_cached_or_cheap(areas, Selection(bbox=box))


def test_nulls_are_last_and_ties_by_row_either_way() -> None:
    source = collection(
        [Site(id=name, count=count) for name, count in zip("abcde", (1, None, 2, 1, None), strict=True)]
    )
    assert rows(source, Selection(order=(SortKey("count"),))).tolist() == [0, 3, 2, 1, 4]
    assert rows(source, Selection(order=(SortKey("count", True),))).tolist() == [2, 0, 3, 1, 4]


@pytest.mark.parametrize("name", ["nope", "owners", "geometry", ""])
def test_what_has_no_order_is_refused(name: str) -> None:
    with raises(OrderError, match=r"^one of id, name, .*day_last$"):
        rows(collection([]), Selection(order=(SortKey(name),)))


def test_answers_are_read_only_and_computed_once() -> None:
    source = collection([Site(id="a"), Site(id="b")], [shapely.Point(1, 1), None])
    for selection in (Selection(), Selection(bbox=(0, 0, 2, 2)), Selection(order=(SortKey("id"),))):
        assert rows(source, selection) is rows(source, selection)
        assert row_mask(source, selection) is row_mask(source, selection)
        for answer in (rows(source, selection), row_mask(source, selection)):
            with pytest.raises(ValueError, match="read-only"):
                answer[0] = 0


def test_the_same_box_without_the_placeless_is_another_question() -> None:
    source = collection([Site(id="a"), Site(id="b")], [shapely.Point(1, 1), None])
    assert rows(source, Selection(bbox=(0, 0, 2, 2))).tolist() == [0, 1]
    assert rows(source, Selection(bbox=(0, 0, 2, 2), include_without_geometry=False)).tolist() == [0]


@pytest.mark.parametrize("last", [shapely.Point(0, 0), shapely.box(-180, 0, -179, 2)])
def test_a_box_over_the_antimeridian_is_one(last: BaseGeometry) -> None:
    source = collection([Site(id=name) for name in "abc"], [shapely.Point(179.5, 1), shapely.Point(-179.5, 1), last])
    expected = [0, 1] if last.geom_type == "Point" else [0, 1, 2]
    assert rows(source, Selection(bbox=(170, -10, -170, 10))).tolist() == expected


@given(
    source=collections(),
    edits=st.lists(st.tuples(st.integers(0, 12), sites("x"), places, st.sampled_from("radv")), max_size=3),
    order=orders,
    bbox=boxes,
    last=days,
    tree=filters,
)
def test_an_edited_collection_equals_one_that_is_built_anew(
    source: Collection,
    edits: list[tuple[int, Site, BaseGeometry | None, str]],
    order: tuple[SortKey, ...],
    bbox: Box | None,
    last: date | None,
    tree: Any,
) -> None:
    where = compile_filter(tree, source.queryables)
    filtered = [Selection(where=where), Selection(bbox, last=last, where=where, order=with_id(order))]
    features, shapes = list(source.features), list(source.geometries)
    for number, (row, site, shape, kind) in enumerate(edits):
        selection = Selection(order=order)
        before = [*rows(source, selection)]
        _ = source.mask((0.0, 0.0, 1.0, 1.0), DAYS[0], DAYS[-1]), source.points, source.bounds
        if number % 2:
            _ = [rows(source, chosen) for chosen in filtered]
        _ = [source.values(name) for name in source.queryables]
        at = min(row, len(features))
        end = min(at + (kind != "a"), len(features))
        if kind == "v" and at < end:
            names = [name for name in Site.model_fields if name != "id"][number:]
            values = {name: getattr(site, name) for name in names}
            columns = {name: DictionaryArray.of([value]) for name, value in values.items()}
            result = with_values_replaced(source, np.array([at]), columns)
            features[at] = features[at].model_copy(update=values)
        else:
            new = [] if kind == "d" else [site.model_copy(update={"id": f"new {number}"})]
            edit = RowEdit(len(features), np.arange(at, end), np.full(len(new), at))
            result = with_rows_replaced(source, collection(new, [shape] * len(new)), edit)
            features[at:end], shapes[at:end] = new, [shape] * len(new)
        rebuilt = collection(features, shapes)
        assert list(result.features) == features
        assert [*rows(result, selection)] == [*rows(rebuilt, selection)]
        assert [*rows(source, selection)] == before
        for box in (tuple(map(float, item)) for item in BOXES):
            assert [*rows(result, Selection(box, order=order))] == [*rows(rebuilt, Selection(box, order=order))]
        for chosen in filtered:
            assert row_mask(result, chosen).tolist() == row_mask(rebuilt, chosen).tolist()
            assert [*rows(result, chosen)] == [*rows(rebuilt, chosen)]
        assert cursors(result, filtered[1]) == cursors(rebuilt, filtered[1])
        assert result.mask(None, DAYS[0], DAYS[-1]).tolist() == rebuilt.mask(None, DAYS[0], DAYS[-1]).tolist()
        assert (result.bounds, result.digest, result.days) == (rebuilt.bounds, rebuilt.digest, rebuilt.days)
        for name in rebuilt.queryables:
            np.testing.assert_array_equal(result.values(name).data, rebuilt.values(name).data)
            np.testing.assert_array_equal(result.values(name).present, rebuilt.values(name).present)
        assert result.fragments == rebuilt.fragments
        assert result.rows_by_id == rebuilt.rows_by_id
        assert [mvt.encode(result.layer, tile) for tile in TILES] == [mvt.encode(rebuilt.layer, tile) for tile in TILES]
        source = result


def with_id(order: tuple[SortKey, ...]) -> tuple[SortKey, ...]:
    return with_tiebreak(Selection(order=order)).order


def cursors(source: Collection, selection: Selection) -> list[tuple[str, int]]:
    """The cursor of each selected row, and how many rows it follows."""
    chosen = rows(source, selection)
    every = [cursor_at(source, selection, int(row)) for row in chosen]
    return [(cursor, begin_after(source, selection, chosen, cursor)) for cursor in every]
