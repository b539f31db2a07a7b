"""Filters: every one says of every feature what the interpreter of the tests says, and what is wrong is named."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry.base import BaseGeometry

from api.wording.catalogue import text as worded
from geo.errors import CRSError
from layers.collections.collection import Collection
from layers.query.cql2_text import FilterError, parse
from layers.query.filter import FUNCTIONS, compile_filter
from tests.layers.english import raises
from tests.layers.query.filter_interpreter import assert_agreement
from tests.layers.query.filter_strategies import SPATIAL, Site, call, collection, collections, filters, prop

DOCS = Path(__file__).resolve().parents[3] / "docs"


def selected_ids(
    text: str, sites: Collection, to_lonlat: Callable[[BaseGeometry], BaseGeometry] | None = None
) -> list[str]:
    """Ids that a filter in CQL2 text keeps."""
    mask = compile_filter(parse(text), sites.queryables, to_lonlat).mask(sites)
    return [sites.features[row].id for row in np.flatnonzero(mask)]


@given(filters, collections())
def test_a_filter_says_what_the_interpreter_says(tree: Any, sites: Collection) -> None:
    assert_agreement(tree, sites)


@given(filters, collections())
def test_nothing_satisfies_a_filter_and_its_contrary(tree: Any, sites: Collection) -> None:
    item, second = (compile_filter(text, sites.queryables).mask(sites) for text in (tree, call("not", tree)))
    assert not (item & second).any()


@pytest.fixture(scope="module")
def four_sites() -> Collection:
    """Four sites: two plain, one over the antimeridian, one of which nothing is known."""
    known = Site(id="a", name="Azot", town="Odesa", count=2, most=3, size=1.5, active=True, owners=("UA", "DE"))
    return collection(
        [
            known.model_copy(update={"day_first": date(2025, 8, 5), "day_last": date(2025, 8, 6)}),
            Site(id="b", name="Bryansk", count=0, size=0.0, active=False, owners=("RU",)),
            Site(id="c", name="Cape"),
            Site(id="d"),
        ],
        [
            shapely.Point(30, 46),
            shapely.Point(34, 53),
            shapely.box(179, 0, 181, 2),
            None,
        ],
    )


@pytest.mark.parametrize(
    ("text", "expected", "pointer"),
    [
        ("count > 'x'", "two values of one kind beside >, not count (number) and a text", "/args/1"),
        ("name = 3", "not name (text) and a number", "/args/1"),
        ("day_first > '2025-08-05'", "days are written DATE('2025-08-08')", "/args/1"),
        ("casei(count) = 'x'", "a text such as 'refinery', not count (number)", "/args/0/args/0"),
        ("name LIKE town", "a pattern in quotes", "/args/1"),
        ("count LIKE '3%'", "a text", "/args/0"),
        (r"name LIKE 'a\\'", "a character after the", "/args/1"),
        (f"name LIKE '{'x' * 251}'", "a pattern of at most 250", "/args/1"),
        ("name + 1 = 2", "a number, not name (text)", "/args/0/args/0"),
        ("name IN ('a', 3)", "two values of one kind", "/args/1/1"),
        ("count BETWEEN 1 AND 'x'", "two values of one kind", "/args/2"),
        ("count IN ()", "one or more values", "/args/1"),
        ("geometry = POINT(1 2)", "S_EQUALS", "/args/0"),
        ("owners = 'UA'", "A_EQUALS", "/args/0"),
        ("INTERVAL(day_first, day_last) = DATE('2025-08-05')", "T_EQUALS", "/args/0"),
        ("(count = 1) = true", "a value beside a comparison, not a condition", "/args/0"),
        ("A_CONTAINS(name, ('UA'))", "a list such as ('UA', 'RU'), not name (text)", "/args/0"),
        ("A_CONTAINS(owners, (1))", "a text in quotes", "/args/1/0"),
        ("A_CONTAINS(owners, 'UA')", "a list", "/args/1"),
        ("S_INTERSECTS(name, POINT(1 2))", "a geometry such as POINT(30.7 46.5), not name (text)", "/args/0"),
        ("S_INTERSECTS(geometry, 'x')", "a geometry", "/args/1"),
        ("S_INTERSECTS(geometry)", "2 operands of S_INTERSECTS, not 1", ""),
        ("S_INTERSECTS(geometry, POLYGON((0 0, 2 2, 2 0, 0 2, 0 0)))", "Self-intersection", "/args/1"),
        ("S_INTERSECTS(geometry, POLYGON((0 0, 1 1, 1 0)))", "a valid geometry", "/args/1"),
        ("S_INTERSECTS(geometry, POINT(46 92))", "latitudes to 90", "/args/1"),
        ("S_INTERSECTS(geometry, POINT(700 1))", "longitudes to 180", "/args/1"),
        ("S_INTERSECTS(geometry, BBOX(1, 3, 2, 1))", "south at most north", "/args/1"),
        ("S_INTERSECTS(geometry, BBOX(1, 3, 2))", "a box of four numbers", "/args/1/bbox"),
        ("T_AFTER(day_first, 3)", "an interval such as", "/args/1"),
        ("T_DURING(day_first, INTERVAL('2025-08-01', '..'))", "an interval such as", "/args/0"),
        (
            "T_AFTER(day_first, INTERVAL('2025-08-06', '2025-08-05'))",
            "an interval that ends after it starts",
            "/args/1",
        ),
        ("day_first = DATE('2025-02-30')", "a date such as", "/args/1"),
        ("day_first = DATE('2025-W02-3')", "a date such as", "/args/1"),
        ("day_first = TIMESTAMP('2025-08-05')", "a time such as", "/args/1"),
        ("day_first = TIMESTAMP('0001-01-01T00:00:00+14:00')", "a time such as", "/args/1"),
        ("T_AFTER(day_first, INTERVAL(name, '..'))", "a day such as", "/args/1/interval/0"),
        ("count + 1", "a condition", ""),
        ("casei(name)", "a condition", ""),
        ("count", "a condition", ""),
        ("'x'", "a condition", ""),
        ("count AND true", "a condition", "/args/0"),
        ("(count = 1) IS NULL", "before IS NULL, not a condition", "/args/0"),
        ("name = NULL", "a property, value or function", "character 8"),
    ],
)
def test_what_cannot_be_compared_is_refused(four_sites: Collection, text: str, expected: str, pointer: str) -> None:
    with pytest.raises(FilterError) as raised:
        compile_filter(parse(text), four_sites.queryables)
    at = raised.value.character
    assert expected in worded(raised.value.expected)
    assert (f"character {at}" if at is not None else raised.value.pointer) == pointer


def test_unknown_names_are_refused_with_what_there_is(four_sites: Collection) -> None:
    with raises(FilterError, match=r"id, name, town.*geometry, not 'pg_user'"):
        selected_ids("pg_user = 'x'", four_sites)
    with raises(FilterError, match=r"INTERVAL, TIMESTAMP, not 'pg_sleep' at /args/1/args/0"):
        selected_ids("name = 'x' AND pg_sleep(3) > 1", four_sites)
    with raises(FilterError, match="not 'buffer'"):
        selected_ids("S_WITHIN(geometry, Buffer(geometry, 10))", four_sites)


def test_three_values(four_sites: Collection) -> None:
    assert selected_ids("count = 2", four_sites) == ["a"]
    assert selected_ids("count <> 2", four_sites) == ["b"]
    assert selected_ids("NOT count = 2", four_sites) == ["b"]
    assert selected_ids("count = 2 OR count IS NULL", four_sites) == ["a", "c", "d"]
    assert selected_ids("NOT (count = 2 AND size > 100)", four_sites) == ["a", "b"]
    assert selected_ids("count IN (2, most)", four_sites) == ["a"]
    assert selected_ids("count NOT IN (3, most)", four_sites) == ["a"], "of b, whose most is unknown, it is unknown"
    assert selected_ids("active", four_sites) == ["a"]
    assert selected_ids("NOT active", four_sites) == ["b"]
    assert selected_ids("geometry IS NULL", four_sites) == ["d"]
    assert selected_ids("owners IS NULL", four_sites) == [], "a list without texts is a list"


def test_division_by_zero_is_unknown_either_way(four_sites: Collection) -> None:
    for sign in ("/", "%", "div"):
        assert selected_ids(f"1 {sign} count > 0 OR NOT 1 {sign} count > 0", four_sites) == ["a"]
        assert selected_ids(f"1 {sign} count IS NULL", four_sites) == ["b", "c", "d"]
    assert selected_ids("(0 - 8) ^ 0.5 = 1 OR NOT (0 - 8) ^ 0.5 = 1", four_sites) == []
    assert selected_ids("9007199254740992 ^ 300 > 1", four_sites) == []


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("7 div 2 = 3", True),
        ("-7 div 2 = -3", True),
        ("-7 % 2 = -1", True),
        ("7.5 div 0.1 = 74", True),  # 0.1 is a little more than a tenth
        ("-2 ^ 2 = 4", True),  # the sign belongs to the number (21-065r2, annex B, arithmeticFactor)
        ("2 + 3 * 4 - 6 / 3 = 12", True),
        ("8 / 4 / 2 = 1", True),
        ("TIMESTAMP('2025-08-05T01:00:00Z') < TIMESTAMP('2025-08-05T02:00:00Z')", True),
        ("TIMESTAMP('2025-08-05T01:00:00Z') = TIMESTAMP('2025-08-05T03:00:00+02:00')", True),
        ("TIMESTAMP('2025-08-05T01:00:00Z') = DATE('2025-08-05')", True),
        ("T_INTERSECTS(DATE('2025-08-05'), INTERVAL('..', '..'))", True),
        ("T_MEETS(INTERVAL('2025-08-01', '2025-08-05'), INTERVAL('2025-08-05', '..'))", True),
        ("S_EQUALS(POLYGON((0 0, 1 0, 1 1, 0 1, 0 0)), BBOX(0, 0, 1, 1))", True),
        ("A_EQUALS(('a', 'b', 'a'), ('b', 'a'))", True),
        ("A_OVERLAPS((), ())", False),
        ("'Ä' < 'a'", False),  # by code point
        ("'Z' < 'a'", True),
        ("'abc' LIKE 'a%'", True),
        ("CASEI('STRASSE') = CASEI('Straße')", True),
        ("ACCENTI('Łódź') = 'Lodz'", True),
    ],
)
def test_what_holds_of_literals(four_sites: Collection, text: str, holds: bool) -> None:
    assert selected_ids(text, four_sites) == (["a", "b", "c", "d"] if holds else [])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # A time means its day, in UTC.
        ("day_first = TIMESTAMP('2025-08-05T23:59:59Z')", True),
        ("day_first = TIMESTAMP('2025-08-05T23:59:59-01:00')", False),
        ("day_first >= TIMESTAMP('2025-08-05T12:00:00Z')", True),
        ("day_first > TIMESTAMP('2025-08-04T23:59:59Z')", True),
        ("day_last < TIMESTAMP('2025-08-06T23:00:00Z')", False),
        ("day_first BETWEEN DATE('2025-08-01') AND DATE('2025-08-05')", True),
        ("day_first IN (DATE('2025-08-04'), TIMESTAMP('2025-08-05T01:00:00Z'))", True),
        ("day_first < day_last", True),
        ("T_INTERSECTS(INTERVAL(day_first, day_last), INTERVAL('2025-08-06', '2025-08-31'))", True),
        ("T_DURING(INTERVAL(day_first, day_last), INTERVAL('2025-08-01', '2025-08-31'))", True),
        ("T_DURING(INTERVAL(day_first, day_last), INTERVAL('2025-08-05', '2025-08-31'))", False),
        ("T_STARTS(INTERVAL(day_first, day_last), INTERVAL('2025-08-05T10:00:00Z', '2025-08-31T00:00:00Z'))", True),
        ("T_AFTER(day_first, DATE('2025-08-04'))", True),
    ],
)
def test_days(four_sites: Collection, text: str, expected: bool) -> None:
    assert selected_ids(text, four_sites) == (["a"] if expected else [])
    assert selected_ids(f"NOT {text}", four_sites) == ([] if expected else ["a"]), "without days it is unknown"


def test_over_the_antimeridian(four_sites: Collection) -> None:
    assert selected_ids("S_INTERSECTS(geometry, BBOX(170, -10, -170, 10))", four_sites) == ["c"]
    assert selected_ids("S_INTERSECTS(geometry, BBOX(-180, -10, -179, 10))", four_sites) == ["c"]
    assert selected_ids("S_WITHIN(geometry, BBOX(170, -10, -170, 10))", four_sites) == ["c"]
    assert selected_ids("S_WITHIN(geometry, POLYGON((170 -9, 190 -9, 190 9, 170 9, 170 -9)))", four_sites) == ["c"]
    assert selected_ids("S_INTERSECTS(geometry, POINT(-179.5 1))", four_sites) == ["c"]
    assert selected_ids("S_INTERSECTS(geometry, POINT(180.5 1))", four_sites) == ["c"]
    assert selected_ids("S_EQUALS(geometry, POLYGON((179 0, 181 0, 181 2, 179 2, 179 0)))", four_sites) == ["c"]


def test_a_wide_literal_is_taken_as_drawn(four_sites: Collection) -> None:
    world = "POLYGON((-179 -80, 178 -80, 178 80, -179 80, -179 -80))"
    assert selected_ids(f"S_INTERSECTS(geometry, {world})", four_sites) == ["a", "b", "c"]
    assert selected_ids(f"S_WITHIN(geometry, {world})", four_sites) == ["a", "b"]


def test_geometries_that_are_not_valid_can_be_filtered() -> None:
    bowtie = shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])
    sites = collection([Site(id="bowtie"), Site(id="line")], [bowtie, shapely.LineString([(0, 0), (2, 2)])])
    for op in SPATIAL:
        selected_ids(f"{op}(geometry, POLYGON((0 0, 3 0, 3 3, 0 3, 0 0)))", sites)
    assert selected_ids("S_WITHIN(geometry, BBOX(0, 0, 3, 3))", sites) == ["bowtie", "line"]
    mended = "MULTIPOLYGON(((0 0, 1 1, 0 2, 0 0)), ((2 0, 2 2, 1 1, 2 0)))"
    assert selected_ids(f"S_EQUALS(geometry, {mended})", sites) == ["bowtie"]


def swapped(shape: BaseGeometry) -> BaseGeometry:
    """Latitude and longitude exchanged, as EPSG:4326 has them."""
    return shapely.transform(shape, lambda xy: xy[:, ::-1])


def from_mercator(shape: BaseGeometry) -> BaseGeometry:
    mercator = pyproj.Transformer.from_crs("EPSG:3857", "OGC:CRS84", always_xy=True)
    return shapely.transform(shape, lambda xy: np.column_stack(mercator.transform(xy[:, 0], xy[:, 1])))


def test_literals_of_another_reference_system(four_sites: Collection) -> None:
    assert selected_ids("S_INTERSECTS(geometry, POINT(46 30))", four_sites, swapped) == ["a"]
    assert selected_ids("S_INTERSECTS(geometry, BBOX(45, 29, 47, 31))", four_sites, swapped) == ["a"]
    assert selected_ids("S_INTERSECTS(geometry, BBOX(-10, 170, 10, -170))", four_sites, swapped) == ["c"], (
        "it goes east by its second axis"
    )
    assert selected_ids(
        "S_INTERSECTS(geometry, BBOX(3300000, 5700000, 3400000, 5800000))", four_sites, from_mercator
    ) == ["a"]
    assert selected_ids(
        "S_INTERSECTS(geometry, BBOX(19000000, -100000, -19000000, 100000))", four_sites, from_mercator
    ) == ["c"]

    def refusing(shape: BaseGeometry) -> BaseGeometry:
        raise CRSError("beyond it")

    with raises(FilterError, match="beyond it at /args/1"):
        selected_ids("S_INTERSECTS(geometry, POINT(1 2))", four_sites, refusing)


def test_filters_are_equal_where_they_ask_the_same(four_sites: Collection) -> None:
    text = "S_INTERSECTS(geometry, POINT(30 46)) AND count = 2"
    item, same = (
        compile_filter(parse(text), four_sites.queryables) for text in (text, text.replace(" = ", "=").lower())
    )
    second = compile_filter(parse(text), four_sites.queryables, swapped)
    assert item == same
    assert hash(item) == hash(same)
    assert item != second
    assert item != compile_filter(parse(text.replace("2", "3")), four_sites.queryables)


def test_a_mask_is_for_reading(four_sites: Collection) -> None:
    for text in ("count = 2", "active", "TRUE", "name LIKE '%'"):
        with pytest.raises(ValueError, match="read-only"):
            compile_filter(parse(text), four_sites.queryables).mask(four_sites)[0] = True


def test_a_filter_serves_any_collection_of_its_kind(four_sites: Collection) -> None:
    sites = compile_filter(parse("name LIKE 'A%' OR owners IS NULL"), four_sites.queryables)
    assert sites.mask(four_sites).tolist() == [True, False, False, False]
    assert sites.mask(collection([])).tolist() == []
    assert sites.mask(collection([Site(id="x", name="Amur")])).tolist() == [True]


@pytest.mark.parametrize(
    "pattern",
    ["%a" * 120 + "c", "%a_" * 80, "%_" * 120 + "c", "_" * 240 + "%c", "%" * 249 + "c", "%" + "_" * 240 + "c%"],
)
def test_no_pattern_takes_long(pattern: str) -> None:
    sites = collection([Site(id=str(number), name="a" * 2000 + chr(97 + number % 2)) for number in range(100)])
    began = time.process_time()
    compile_filter(call("like", prop("name"), pattern), sites.queryables).mask(sites)
    assert time.process_time() - began < 1


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["op", "args", "property", "date", "interval", "bbox", "type", "coordinates"]), inner
        )
        | st.builds(
            call,
            st.sampled_from(["and", "=", "in", "like", "s_within", "t_after", "a_equals", "between", "casei"]),
            inner,
        )
        | st.builds(
            lambda op, args: {"op": op, "args": args}, st.sampled_from(sorted(SPATIAL)), st.lists(inner, max_size=3)
        )
    ),
    max_leaves=12,
)


@given(json_values)
def test_whatever_a_tree_is_it_is_a_filter_or_refused(tree: Any) -> None:
    sites = collection([Site(id="a", name="x")])
    try:
        result = compile_filter(tree, sites.queryables)
    except FilterError:
        return
    assert result.mask(sites).shape == (1,)


def test_the_page_names_every_function() -> None:
    page = (DOCS / "filtering.md").read_text(encoding="utf-8")
    assert [name for name in FUNCTIONS if f"`{name}" not in page] == []
