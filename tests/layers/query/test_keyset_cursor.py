"""Cursors: paging shows each feature once, whatever comes and goes between two pages."""

from __future__ import annotations

import base64
from datetime import date

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.columnar.chunked_array import Array, whole
from geo.lonlat import Ints
from layers.collections.collection import Collection
from layers.query.cql2_text import parse
from layers.query.filter import compiled
from layers.query.keyset_cursor import CursorError, begin_after, cursor_at, keyed
from layers.query.selection import Selection, SortKey, rows
from tests.layers.query.filter_making import Site, collection, sites
from tests.layers.query.test_selection import orders


def after(asked: Collection, selection: Selection, found: Array, cursor: str) -> Ints:
    """The rows that come after a cursor."""
    return whole(found)[begin_after(asked, selection, found, cursor) :]


@st.composite
def worlds(draw: st.DrawFn) -> list[Site]:
    """Features in an order of their own, which is not that of their ids."""
    numbers = draw(st.permutations(range(draw(st.integers(0, 14)))))
    return [draw(sites(f"s{number}")) for number in numbers]


def paged(asked: Collection, selection: Selection, limit: int) -> list[str]:
    """Ids of all pages."""
    told = rows(asked, selection)
    shown: list[str] = []
    while len(told):
        shown += [asked.features[row].id for row in told[:limit]]
        assert len(shown) <= len(asked)
        told = after(asked, selection, rows(asked, selection), cursor_at(asked, selection, int(told[:limit][-1])))
    return shown


@given(worlds(), orders, st.integers(1, 5), st.booleans())
def test_paging_shows_each_row_once_and_in_order(
    features: list[Site], order: tuple[SortKey, ...], limit: int, filtered: bool
) -> None:
    asked = collection(features)
    where = compiled(parse("count >= 0 OR size IS NULL"), asked.queryables) if filtered else None
    selection = keyed(Selection(order=order, where=where))
    assert paged(asked, selection, limit) == [asked.features[row].id for row in rows(asked, selection)]


@settings(max_examples=150)
@given(st.data(), worlds(), orders, st.integers(1, 4))
def test_nothing_comes_twice_or_is_lost_while_features_come_and_go(
    data: st.DataObject, features: list[Site], order: tuple[SortKey, ...], limit: int
) -> None:
    selection = keyed(Selection(order=order))
    asked = collection(features)
    stayed = {feature.id for feature in features}
    shown: list[str] = []
    told = rows(asked, selection)
    while len(told):
        page = told[:limit]
        shown += [asked.features[row].id for row in page]
        cursor = cursor_at(asked, selection, int(page[-1]))
        gone = set(data.draw(st.lists(st.sampled_from([feature.id for feature in features]), max_size=4), "gone"))
        new = [Site(id=f"n{len(shown)}-{n}", count=n, name="a") for n in range(data.draw(st.integers(0, 2), "new"))]
        features = [*new, *(feature for feature in features if feature.id not in gone)]
        if not features or len(shown) > 60:
            return
        stayed -= gone
        asked = collection(features)
        told = after(asked, selection, rows(asked, selection), cursor)
    assert len(shown) == len(set(shown))
    assert stayed <= set(shown)


@pytest.fixture(scope="module")
def some() -> Collection:
    day = date(2025, 8, 5)
    plain = Site(id="a/Ї ", name="Київ", count=3, size=0.1, active=True, day_first=day)
    return collection([plain, Site(id="b"), plain.model_copy(update={"id": "c", "count": 4})])


def test_a_cursor_can_stand_in_a_link(some: Collection) -> None:
    order = tuple(SortKey(name) for name in ("name", "count", "size", "active", "day_first"))
    selection = keyed(Selection(order=order))
    cursor = cursor_at(some, selection, 0)
    assert set(cursor) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
    assert after(some, selection, rows(some, selection), cursor).tolist() == [2, 1]
    assert after(some, selection, rows(some, selection), cursor_at(some, selection, 1)).tolist() == []


def test_keyed_by_the_id_once() -> None:
    assert keyed(Selection()).order == (SortKey("id"),)
    named = Selection(order=(SortKey("id", True), SortKey("name")))
    assert keyed(named) is named
    assert keyed(keyed(Selection(order=(SortKey("name"),)))).order == (SortKey("name"), SortKey("id"))


def test_a_selection_that_is_not_keyed_is_a_mistake(some: Collection) -> None:
    with pytest.raises(ValueError, match="keyed by the id"):
        cursor_at(some, Selection(), 0)
    with pytest.raises(ValueError, match="keyed by the id"):
        after(some, Selection(), rows(some, Selection()), "x")


def test_a_cursor_is_of_one_selection(some: Collection) -> None:
    selection = keyed(Selection())
    cursor = cursor_at(some, selection, 0)
    where = compiled(parse("count = 3"), some.queryables)
    for other in (
        keyed(Selection(order=(SortKey("name"),))),
        Selection(order=(SortKey("id", True),)),
        keyed(Selection(where=where)),
        keyed(Selection(bbox=(0, 0, 1, 1))),
        keyed(Selection(first=date(2025, 8, 1))),
        keyed(Selection(placeless=False)),
    ):
        with pytest.raises(CursorError, match="another selection"):
            after(some, other, rows(some, other), cursor)
    assert after(some, selection, rows(some, selection), cursor).tolist() == [1, 2]


def forged(cursor: str, *values: object) -> str:
    digest, _ = orjson.loads(base64.urlsafe_b64decode(cursor + "=="))
    return base64.urlsafe_b64encode(orjson.dumps([digest, [*values]])).decode().rstrip("=")


@pytest.mark.parametrize(
    "values",
    [(), (3,), ("x", 3), ("x", "y", "z"), (True, "x"), (2**70, "x"), (1.5, "x"), ([], "x"), ({}, "x"), (3, {})],
)
def test_a_forged_cursor_is_refused(some: Collection, values: tuple[object, ...]) -> None:
    selection = keyed(Selection(order=(SortKey("count"),)))
    cursor = cursor_at(some, selection, 0)
    told = rows(some, selection)
    assert after(some, selection, told, forged(cursor, 3, "a/Ї ")).tolist() == [2, 1]
    digest = orjson.loads(base64.urlsafe_b64decode(cursor + "=="))[0]
    text = f'["{digest}",{list(values)}]'.replace("'", '"').replace("True", "true")
    with pytest.raises(CursorError):
        after(some, selection, told, base64.urlsafe_b64encode(text.encode()).decode().rstrip("="))


@given(st.text() | st.binary().map(lambda told: base64.urlsafe_b64encode(told).decode()))
def test_a_text_that_is_no_cursor_is_refused(text: str) -> None:
    asked = collection([Site(id="a")])
    selection = keyed(Selection())
    for told in (text, cursor_at(asked, selection, 0) + text + "x", "A" * 70_000):
        with pytest.raises(CursorError):
            after(asked, selection, rows(asked, selection), told)
