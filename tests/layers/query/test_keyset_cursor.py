"""Cursors: paging shows each feature once, whatever comes and goes between two pages."""

from __future__ import annotations

import base64
from datetime import date

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.columnar.lazy_array import Array, to_numpy
from geo.lonlat import Ints
from layers.collections.collection import Collection
from layers.query.cql2_text import parse
from layers.query.filter import compile_filter
from layers.query.keyset_cursor import CursorError, Moved, PagedRows, begin_after, cursor_at, with_tiebreak
from layers.query.selection import Selection, SortKey, rows
from tests.layers.query.filter_strategies import Site, collection, sites
from tests.layers.query.test_selection import orders


def after(source: Collection, selection: Selection, actual: Array, cursor: str) -> Ints:
    """The rows that come after a cursor."""
    return to_numpy(actual)[begin_after(source, selection, actual, cursor) :]


@st.composite
def worlds(draw: st.DrawFn) -> list[Site]:
    """Features in an order of their own, which is not that of their ids."""
    numbers = draw(st.permutations(range(draw(st.integers(0, 14)))))
    return [draw(sites(f"s{number}")) for number in numbers]


def paged(source: Collection, selection: Selection, limit: int) -> list[str]:
    """Ids of all pages."""
    remaining = rows(source, selection)
    shown: list[str] = []
    while len(remaining):
        shown += [source.features[row].id for row in remaining[:limit]]
        assert len(shown) <= len(source)
        remaining = after(
            source, selection, rows(source, selection), cursor_at(source, selection, int(remaining[:limit][-1]))
        )
    return shown


@given(worlds(), orders, st.integers(1, 5), st.booleans())
def test_paging_shows_each_row_once_and_in_order(
    features: list[Site], order: tuple[SortKey, ...], limit: int, filtered: bool
) -> None:
    source = collection(features)
    where = compile_filter(parse("count >= 0 OR size IS NULL"), source.queryables) if filtered else None
    selection = with_tiebreak(Selection(order=order, where=where))
    assert paged(source, selection, limit) == [source.features[row].id for row in rows(source, selection)]


@given(st.data(), worlds(), orders, st.integers(1, 4))
def test_nothing_comes_twice_or_is_lost_while_features_come_and_go(
    data: st.DataObject, features: list[Site], order: tuple[SortKey, ...], limit: int
) -> None:
    selection = with_tiebreak(Selection(order=order))
    source = collection(features)
    stayed = {feature.id for feature in features}
    shown: list[str] = []
    remaining = rows(source, selection)
    while len(remaining):
        page = remaining[:limit]
        shown += [source.features[row].id for row in page]
        cursor = cursor_at(source, selection, int(page[-1]))
        removed = set(data.draw(st.lists(st.sampled_from([feature.id for feature in features]), max_size=4), "gone"))
        new = [Site(id=f"n{len(shown)}-{n}", count=n, name="a") for n in range(data.draw(st.integers(0, 2), "new"))]
        features = [*new, *(feature for feature in features if feature.id not in removed)]
        if not features or len(shown) > 60:
            return
        stayed -= removed
        source = collection(features)
        remaining = after(source, selection, rows(source, selection), cursor)
    assert len(shown) == len(set(shown))
    assert stayed <= set(shown)


@st.composite
def moved_of(draw: st.DrawFn, features: list[Site]) -> Moved:
    """Ids of a few rows that come first, and of one that comes last."""
    ids = draw(st.permutations([feature.id for feature in features]))
    first, last = draw(st.integers(0, 3)), draw(st.integers(0, 1))
    return tuple(ids[:first]), tuple(ids[first : first + last])


@given(st.data(), worlds(), orders, st.integers(1, 5))
def test_pages_have_some_rows_first_and_last_and_each_once(
    data: st.DataObject, features: list[Site], order: tuple[SortKey, ...], limit: int
) -> None:
    source, moved = collection(features), data.draw(moved_of(features))
    selection = with_tiebreak(Selection(order=order))
    others = [source.features[row].id for row in rows(source, selection)]
    expected = [*moved[0], *(name for name in others if name not in (*moved[0], *moved[1])), *moved[1]]
    whole, _ = PagedRows.of(source, selection, moved)
    by_offset = [row for at in range(0, len(source) + limit, limit) for row in whole.page(at, limit)]
    assert [source.features[row].id for row in by_offset] == expected
    shown: list[str] = []
    page = whole.page(0, limit)
    while len(page):
        shown += [source.features[row].id for row in page]
        # The rows that come first now do not matter after the first page.
        cursor = whole.cursor(source, selection, int(page[-1]))
        following, begin = PagedRows.of(source, selection, ((), ()), cursor)
        assert begin == len(shown)
        page = following.page(begin, limit)
    assert shown == expected


@given(st.data(), worlds(), orders, st.integers(1, 4))
def test_nothing_comes_twice_or_is_lost_while_the_rows_that_come_first_change(
    data: st.DataObject, features: list[Site], order: tuple[SortKey, ...], limit: int
) -> None:
    selection, cursor = with_tiebreak(Selection(order=order)), None
    stayed, shown = {feature.id for feature in features}, list[str]()
    while features and len(shown) < 60:
        source = collection(features)
        pages, begin = PagedRows.of(source, selection, data.draw(moved_of(features)), cursor)
        page = pages.page(begin, limit)
        if not len(page):
            break
        shown += [source.features[row].id for row in page]
        cursor = pages.cursor(source, selection, int(page[-1]))
        removed = set(data.draw(st.lists(st.sampled_from([feature.id for feature in features]), max_size=4), "gone"))
        new = [Site(id=f"n{len(shown)}-{n}", count=n, name="a") for n in range(data.draw(st.integers(0, 2), "new"))]
        features = [*new, *(feature for feature in features if feature.id not in removed)]
        stayed -= removed
    else:
        return
    assert len(shown) == len(set(shown))
    assert stayed <= set(shown)


@pytest.fixture(scope="module")
def sample() -> Collection:
    day = date(2025, 8, 5)
    plain = Site(id="a/Ї ", name="Київ", count=3, size=0.1, active=True, day_first=day)
    return collection([plain, Site(id="b"), plain.model_copy(update={"id": "c", "count": 4})])


def test_a_cursor_can_stand_in_a_link(sample: Collection) -> None:
    order = tuple(SortKey(name) for name in ("name", "count", "size", "active", "day_first"))
    selection = with_tiebreak(Selection(order=order))
    cursor = cursor_at(sample, selection, 0)
    assert set(cursor) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
    assert after(sample, selection, rows(sample, selection), cursor).tolist() == [2, 1]
    assert after(sample, selection, rows(sample, selection), cursor_at(sample, selection, 1)).tolist() == []


def test_keyed_by_the_id_once() -> None:
    assert with_tiebreak(Selection()).order == (SortKey("id"),)
    named = Selection(order=(SortKey("id", True), SortKey("name")))
    assert with_tiebreak(named) is named
    assert with_tiebreak(with_tiebreak(Selection(order=(SortKey("name"),)))).order == (SortKey("name"), SortKey("id"))


def test_a_selection_that_is_not_keyed_is_a_mistake(sample: Collection) -> None:
    with pytest.raises(ValueError, match="keyed by the id"):
        cursor_at(sample, Selection(), 0)
    with pytest.raises(ValueError, match="keyed by the id"):
        after(sample, Selection(), rows(sample, Selection()), "x")


def test_a_cursor_is_of_one_selection(sample: Collection) -> None:
    selection = with_tiebreak(Selection())
    cursor = cursor_at(sample, selection, 0)
    where = compile_filter(parse("count = 3"), sample.queryables)
    for second in (
        with_tiebreak(Selection(order=(SortKey("name"),))),
        Selection(order=(SortKey("id", True),)),
        with_tiebreak(Selection(where=where)),
        with_tiebreak(Selection(bbox=(0, 0, 1, 1))),
        with_tiebreak(Selection(first=date(2025, 8, 1))),
        with_tiebreak(Selection(include_without_geometry=False)),
    ):
        with pytest.raises(CursorError, match="another selection"):
            after(sample, second, rows(sample, second), cursor)
        with pytest.raises(CursorError, match="another selection"):
            PagedRows.of(sample, second, cursor=cursor)
    assert after(sample, selection, rows(sample, selection), cursor).tolist() == [1, 2]


def test_a_written_cursor_moves_no_row_into_a_filter_and_not_very_many(sample: Collection) -> None:
    where = compile_filter(parse("count = 3"), sample.queryables)
    selection = with_tiebreak(Selection(where=where))
    pages, begin = PagedRows.of(sample, selection, cursor=cursor_at(sample, selection, 0, (("b",), ("c",))))
    assert (pages.page(0, 9).tolist(), begin) == ([0], 1)
    selection = with_tiebreak(Selection())
    with pytest.raises(CursorError, match="too many"):
        PagedRows.of(sample, selection, cursor=cursor_at(sample, selection, 0, (("b",) * 100, ())))


def forged(cursor: str, *values: object) -> str:
    digest, _ = orjson.loads(base64.urlsafe_b64decode(cursor + "=="))
    return base64.urlsafe_b64encode(orjson.dumps([digest, [*values]])).decode().rstrip("=")


@pytest.mark.parametrize(
    "values",
    [(), (3,), ("x", 3), ("x", "y", "z"), (True, "x"), (2**70, "x"), (1.5, "x"), ([], "x"), ({}, "x"), (3, {})],
)
def test_a_forged_cursor_is_refused(sample: Collection, values: tuple[object, ...]) -> None:
    selection = with_tiebreak(Selection(order=(SortKey("count"),)))
    cursor = cursor_at(sample, selection, 0)
    selected = rows(sample, selection)
    assert after(sample, selection, selected, forged(cursor, 3, "a/Ї ")).tolist() == [2, 1]
    digest = orjson.loads(base64.urlsafe_b64decode(cursor + "=="))[0]
    text = f'["{digest}",{list(values)}]'.replace("'", '"').replace("True", "true")
    with pytest.raises(CursorError):
        after(sample, selection, selected, base64.urlsafe_b64encode(text.encode()).decode().rstrip("="))


@given(st.text() | st.binary().map(lambda selected: base64.urlsafe_b64encode(selected).decode()))
def test_a_text_that_is_no_cursor_is_refused(text: str) -> None:
    source = collection([Site(id="a")])
    selection = with_tiebreak(Selection())
    for selected in (text, cursor_at(source, selection, 0) + text + "x", "A" * 70_000):
        with pytest.raises(CursorError):
            after(source, selection, rows(source, selection), selected)
