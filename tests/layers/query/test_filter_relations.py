"""Each operator of a filter over every pair of values of the pools, held to the interpreter of the tests."""

from __future__ import annotations

from itertools import combinations_with_replacement, product
from typing import Any

import pytest
import shapely

from tests.layers.query.filter_making import (
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
from tests.layers.query.filter_oracle import agreed, either_way


@pytest.mark.parametrize("op", ["=", "<>", "<", ">", "<=", ">="])
def test_every_comparison(op: str) -> None:
    names, numbers = [*WORDS, None], [*NUMBERS, None]
    pairs = [*product(names, names)]
    texts = collection([Site(id=str(at), name=name, town=town) for at, (name, town) in enumerate(pairs)])
    either_way(call(op, prop("name"), prop("town")), texts)
    for fold in ("casei", "accenti"):
        either_way(call(op, call(fold, prop("name")), call("accenti", prop("town"))), texts)
    for name in WORDS:
        agreed(call(op, prop("name"), name), texts)
        agreed(call(op, name, call("casei", prop("name"))), texts)
    sizes = collection([Site(id=str(at), size=size, count=at % 4) for at, size in enumerate(numbers)])
    flags = collection(
        [Site(id=str(at), active=active, known=at % 2 == 0) for at, active in enumerate([True, False, None] * 2)]
    )
    for flag in (True, False, prop("known")):
        either_way(call(op, prop("active"), flag), flags)
    days = collection([Site(id=str(at), day_first=day, day_last=DAYS[0]) for at, day in enumerate([*DAYS, None])])
    for number in NUMBERS:
        either_way(call(op, prop("size"), number), sizes)
        either_way(call(op, number, prop("count")), sizes)
    for told in [{"date": day.isoformat()} for day in DAYS] + [{"timestamp": at} for at in TIMES]:
        either_way(call(op, prop("day_first"), told), days)
        either_way(call(op, told, {"timestamp": TIMES[2]}), days)


@pytest.mark.parametrize("op", ["+", "-", "*", "/", "%", "div"])
def test_all_arithmetic(op: str) -> None:
    pairs = [*product([*NUMBERS, None], [-2, 0, 3, None])]
    asked = collection([Site(id=str(at), size=size, count=count) for at, (size, count) in enumerate(pairs)])
    for left, right in (("size", "count"), ("count", "size"), ("size", "size")):
        for number in NUMBERS:
            either_way(call("<=", call(op, prop(left), prop(right)), number), asked)
        agreed(call("isNull", call(op, prop(left), prop(right))), asked)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_every_pattern(pattern: str) -> None:
    asked = collection([Site(id=str(at), name=name) for at, name in enumerate([*WORDS, None])])
    either_way(call("like", prop("name"), pattern), asked)
    either_way(call("like", call("casei", prop("name")), pattern), asked)


@pytest.mark.parametrize("op", [*TEMPORAL, *OF_INTERVALS])
def test_every_relation_of_times(op: str) -> None:
    ends = [*combinations_with_replacement(DAYS[:4], 2), (None, DAYS[1]), (DAYS[1], None)]
    asked = collection([Site(id=str(at), day_first=first, day_last=last) for at, (first, last) in enumerate(ends)])
    told = [*combinations_with_replacement([day.isoformat() for day in DAYS[:4]], 2), (TIMES[0], TIMES[2])]
    told += [("..", "2025-08-05"), ("2025-08-05", ".."), ("..", "..")]
    for literal in told:
        sides = ({"interval": [prop("day_first"), prop("day_last")]}, {"interval": list(literal)})
        either_way(call(op, *sides), asked)
        agreed(call(op, *reversed(sides)), asked)
        if op in TEMPORAL:
            either_way(call(op, prop("day_first"), sides[1]), asked)


@pytest.mark.parametrize("op", SPATIAL)
def test_every_relation_of_places(op: str) -> None:
    shapes = [*SHAPES, shapely.Point(), None]
    for some in (shapes, [shape for shape in shapes if shape is None or shape.geom_type == "Point"]):
        asked = collection([Site(id=str(at)) for at in range(len(some))], some)
        for literal in [geojson(shape) for shape in SHAPES] + [{"bbox": list(map(float, box))} for box in BOXES]:
            either_way(call(op, prop("geometry"), literal), asked)
            agreed(call(op, literal, prop("geometry")), asked)
        either_way(call(op, prop("geometry"), prop("geometry")), asked)


@pytest.mark.parametrize("op", ARRAY)
def test_every_relation_of_lists(op: str) -> None:
    lists = [(), ("UA",), ("RU", "UA"), ("UA", "RU", "UA"), ("DE", "RU"), ("",)]
    pairs = [*product(lists, lists)]
    asked = collection([Site(id=str(at), owners=one, users=other) for at, (one, other) in enumerate(pairs)])
    either_way(call(op, prop("owners"), prop("users")), asked)
    for literal in [*lists, ("XX",), ("UA", "XX")]:
        either_way(call(op, prop("owners"), list(literal)), asked)
        agreed(call(op, list(literal), prop("users")), asked)


def test_lists_without_a_word_in_common() -> None:
    asked = collection([Site(id="a", owners=("UA",), users=("RU",)), Site(id="b", users=("DE",)), Site(id="c")])
    for op in ARRAY:
        either_way(call(op, prop("owners"), prop("users")), asked)


@pytest.mark.parametrize("count", [1, 3, 40])
def test_values_of_a_list(count: int) -> None:
    numbers: list[Any] = [*NUMBERS[:count], *map(float, range(10, 10 + count))]
    asked = collection(
        [
            Site(id=str(at), size=size, count=at, name=name)
            for at, (size, name) in enumerate(zip(NUMBERS, WORDS, strict=False))
        ]
    )
    either_way(call("in", prop("size"), numbers), asked)
    either_way(call("in", prop("count"), numbers), asked)
    either_way(call("in", prop("size"), [prop("count"), *numbers]), asked)
    either_way(call("in", prop("name"), [*list(WORDS)[1::2], "not there"] * count), asked)
