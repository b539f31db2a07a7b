"""Each operator of a filter over every pair of values of the pools, held to the interpreter of the tests."""

from __future__ import annotations

from itertools import combinations_with_replacement, product
from typing import Any

import pytest
import shapely

from tests.layers.query.filter_interpreter import assert_agreement, assert_agreement_both_ways
from tests.layers.query.filter_strategies import (
    ARRAY,
    BOXES,
    DAYS,
    NUMBERS,
    OF_INTERVALS,
    PATTERNS,
    SHAPES,
    SPATIAL,
    TEMPORAL,
    TIMES,
    WORDS,
    Site,
    call,
    collection,
    geojson,
    prop,
)


@pytest.mark.parametrize("op", ["=", "<>", "<", ">", "<=", ">="])
def test_every_comparison(op: str) -> None:
    names, numbers = [*WORDS, None], [*NUMBERS, None]
    pairs = [*product(names, names)]
    texts = collection([Site(id=str(at), name=name, town=town) for at, (name, town) in enumerate(pairs)])
    assert_agreement_both_ways(call(op, prop("name"), prop("town")), texts)
    for fold in ("casei", "accenti"):
        assert_agreement_both_ways(call(op, call(fold, prop("name")), call("accenti", prop("town"))), texts)
    for name in WORDS:
        assert_agreement(call(op, prop("name"), name), texts)
        assert_agreement(call(op, name, call("casei", prop("name"))), texts)
    sizes = collection([Site(id=str(at), size=size, count=at % 4) for at, size in enumerate(numbers)])
    flags = collection(
        [Site(id=str(at), active=active, known=at % 2 == 0) for at, active in enumerate([True, False, None] * 2)]
    )
    for flag in (True, False, prop("known")):
        assert_agreement_both_ways(call(op, prop("active"), flag), flags)
    days = collection([Site(id=str(at), day_first=day, day_last=DAYS[0]) for at, day in enumerate([*DAYS, None])])
    for number in NUMBERS:
        assert_agreement_both_ways(call(op, prop("size"), number), sizes)
        assert_agreement_both_ways(call(op, number, prop("count")), sizes)
    for literal in [{"date": day.isoformat()} for day in DAYS] + [{"timestamp": at} for at in TIMES]:
        assert_agreement_both_ways(call(op, prop("day_first"), literal), days)
        assert_agreement_both_ways(call(op, literal, {"timestamp": TIMES[2]}), days)


@pytest.mark.parametrize("op", ["+", "-", "*", "/", "%", "div"])
def test_all_arithmetic(op: str) -> None:
    pairs = [*product([*NUMBERS, None], [-2, 0, 3, None])]
    sites = collection([Site(id=str(at), size=size, count=count) for at, (size, count) in enumerate(pairs)])
    for left, right in (("size", "count"), ("count", "size"), ("size", "size")):
        for number in NUMBERS:
            assert_agreement_both_ways(call("<=", call(op, prop(left), prop(right)), number), sites)
        assert_agreement(call("isNull", call(op, prop(left), prop(right))), sites)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_every_pattern(pattern: str) -> None:
    sites = collection([Site(id=str(at), name=name) for at, name in enumerate([*WORDS, None])])
    assert_agreement_both_ways(call("like", prop("name"), pattern), sites)
    assert_agreement_both_ways(call("like", call("casei", prop("name")), pattern), sites)


@pytest.mark.parametrize("op", [*TEMPORAL, *OF_INTERVALS])
def test_every_relation_of_times(op: str) -> None:
    ends = [*combinations_with_replacement(DAYS[:4], 2), (None, DAYS[1]), (DAYS[1], None)]
    sites = collection([Site(id=str(at), day_first=first, day_last=last) for at, (first, last) in enumerate(ends)])
    intervals = [*combinations_with_replacement([day.isoformat() for day in DAYS[:4]], 2), (TIMES[0], TIMES[2])]
    intervals += [("..", "2025-08-05"), ("2025-08-05", ".."), ("..", "..")]
    for literal in intervals:
        sides = ({"interval": [prop("day_first"), prop("day_last")]}, {"interval": list(literal)})
        assert_agreement_both_ways(call(op, *sides), sites)
        assert_agreement(call(op, *reversed(sides)), sites)
        if op in TEMPORAL:
            assert_agreement_both_ways(call(op, prop("day_first"), sides[1]), sites)


@pytest.mark.parametrize("op", SPATIAL)
def test_every_relation_of_places(op: str) -> None:
    shapes = [*SHAPES, shapely.Point(), None]
    for shapes_of_sites in (shapes, [shape for shape in shapes if shape is None or shape.geom_type == "Point"]):
        sites = collection([Site(id=str(at)) for at in range(len(shapes_of_sites))], shapes_of_sites)
        for literal in [geojson(shape) for shape in SHAPES] + [{"bbox": list(map(float, box))} for box in BOXES]:
            assert_agreement_both_ways(call(op, prop("geometry"), literal), sites)
            assert_agreement(call(op, literal, prop("geometry")), sites)
        assert_agreement_both_ways(call(op, prop("geometry"), prop("geometry")), sites)


@pytest.mark.parametrize("op", ARRAY)
def test_every_relation_of_lists(op: str) -> None:
    lists = [(), ("UA",), ("RU", "UA"), ("UA", "RU", "UA"), ("DE", "RU"), ("",)]
    pairs = [*product(lists, lists)]
    sites = collection([Site(id=str(at), owners=item, users=second) for at, (item, second) in enumerate(pairs)])
    assert_agreement_both_ways(call(op, prop("owners"), prop("users")), sites)
    for literal in [*lists, ("XX",), ("UA", "XX")]:
        assert_agreement_both_ways(call(op, prop("owners"), list(literal)), sites)
        assert_agreement(call(op, list(literal), prop("users")), sites)


def test_lists_without_a_word_in_common() -> None:
    sites = collection([Site(id="a", owners=("UA",), users=("RU",)), Site(id="b", users=("DE",)), Site(id="c")])
    for op in ARRAY:
        assert_agreement_both_ways(call(op, prop("owners"), prop("users")), sites)


@pytest.mark.parametrize("count", [1, 3, 40])
def test_values_of_a_list(count: int) -> None:
    numbers: list[Any] = [*NUMBERS[:count], *map(float, range(10, 10 + count))]
    sites = collection(
        [
            Site(id=str(at), size=size, count=at, name=name)
            for at, (size, name) in enumerate(zip(NUMBERS, WORDS, strict=False))
        ]
    )
    assert_agreement_both_ways(call("in", prop("size"), numbers), sites)
    assert_agreement_both_ways(call("in", prop("count"), numbers), sites)
    assert_agreement_both_ways(call("in", prop("size"), [prop("count"), *numbers]), sites)
    assert_agreement_both_ways(call("in", prop("name"), [*list(WORDS)[1::2], "not there"] * count), sites)
