"""An interpreter of filters, one feature at a time: plain Python with three truth values, as an oracle for tests.

Only `assert_agreement`, which compares filters with it, uses code under test.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from layers.collections.collection import Collection
from layers.query.cql2_text import parse
from layers.query.filter import compile_filter
from tests.layers.query.filter_strategies import WORDS, call, written

Truth = bool | None


def truth(node: Any, feature: Any, geometry: BaseGeometry | None) -> Truth:
    """Whether a feature satisfies a filter; None is unknown."""
    if isinstance(node, bool):
        return node
    if "property" in node:
        value: Truth = getattr(feature, node["property"])
        return value
    op, args = node["op"], node["args"]
    if op == "not":
        inner = truth(args[0], feature, geometry)
        return None if inner is None else not inner
    if op in ("and", "or"):
        return _joined(op, [truth(arg, feature, geometry) for arg in args])
    if op[:2] in ("s_", "t_", "a_"):
        return {"s": _spatial, "t": _temporal, "a": _array}[op[0]](op, args, feature, geometry)
    return _scalar(op, args, feature, geometry)


def _joined(op: str, parts: Sequence[Truth]) -> Truth:
    decides = op == "or"
    if decides in parts:
        return decides
    return None if None in parts else not decides


def _scalar(op: str, args: Sequence[Any], feature: Any, geometry: BaseGeometry | None) -> Truth:
    if op == "isNull":
        return _value(args[0], feature, geometry) is None
    first = _value(args[0], feature, geometry)
    if op == "between":
        low, high = (_value(arg, feature, geometry) for arg in args[1:])
        return _joined("and", [_compare(">=", first, low), _compare("<=", first, high)])
    if op == "in":
        return _joined("or", [_compare("=", first, _value(arg, feature, geometry)) for arg in args[1]])
    if op == "like":
        return None if first is None else _like(first, _value(args[1], feature, geometry))
    return _compare(op, first, _value(args[1], feature, geometry))


def _compare(op: str, a: Any, b: Any) -> Truth:
    if a is None or b is None:
        return None
    if isinstance(a, date) and isinstance(b, date) and not (isinstance(a, datetime) and isinstance(b, datetime)):
        a, b = (day.date() if isinstance(day, datetime) else day for day in (a, b))
    return {"=": a == b, "<>": a != b, "<": a < b if op == "<" else False, ">": op == ">" and a > b}.get(
        op, a == b or ((a < b) if op == "<=" else (a > b))
    )


def _value(node: Any, feature: Any, geometry: BaseGeometry | None) -> Any:
    if not isinstance(node, dict):
        return node
    if "property" in node:
        if node["property"] == "geometry":
            return None if geometry is None or geometry.is_empty else geometry
        return getattr(feature, node["property"])
    if "date" in node:
        return date.fromisoformat(node["date"])
    if "timestamp" in node:
        return datetime.fromisoformat(node["timestamp"]).astimezone(UTC)
    if node["op"] in ("casei", "accenti"):
        return _folded(node, feature, geometry)
    return _reckoned(node["op"], *(_value(arg, feature, geometry) for arg in node["args"]))


def _folded(node: Mapping[str, Any], feature: Any, geometry: BaseGeometry | None) -> str | None:
    """The innermost text, folded by the functions around it, by the table of WORDS."""
    folds = set()
    inner: Any = node
    while isinstance(inner, dict) and "op" in inner:
        folds.add(inner["op"])
        inner = inner["args"][0]
    text = _value(inner, feature, geometry)
    if text is None:
        return None
    table = {word: dict(zip(("casei", "accenti", "both"), folded, strict=True)) for word, folded in WORDS.items()}
    which = "both" if len(folds) == 2 else folds.pop()
    return table[text][which] if text in table else _folded_rest(text, which)


def _folded_rest(text: str, which: str) -> str:
    """Of the names of kinds, which are plain, and of patterns, whose letters are few."""
    if which in ("casei", "both"):
        text = text.lower()
    return text.replace("ї", "і").replace("Ї", "І") if which in ("accenti", "both") else text


def _reckoned(op: str, a: float | None, b: float | None) -> float | None:
    if a is None or b is None:
        return None
    a, b = float(a), float(b)
    if b == 0 and op in ("/", "%", "div"):
        return None
    if op == "div":
        return float(math.trunc(Fraction(a) / Fraction(b)))
    done = {
        "+": lambda: a + b,
        "-": lambda: a - b,
        "*": lambda: a * b,
        "/": lambda: a / b,
        "%": lambda: math.fmod(a, b),
        "^": lambda: math.prod([a] * int(b)),
    }[op]()
    return float(done) if math.isfinite(done) else None


def _like(text: str, pattern: str) -> bool:
    """Which beginnings of the text each beginning of the pattern matches."""
    letters: list[tuple[str, bool]] = []
    escaped = False
    for letter in pattern:
        if letter == "\\" and not escaped:
            escaped = True
            continue
        letters.append((letter, not escaped and letter in "%_"))
        escaped = False
    ends = {0}
    for letter, wild in letters:
        if wild and letter == "%":
            ends = set(range(min(ends, default=len(text) + 1), len(text) + 1))
        else:
            ends = {end + 1 for end in ends if end < len(text) and (wild or text[end] == letter)}
    return len(text) in ends


def _temporal(op: str, args: Sequence[Any], feature: Any, geometry: BaseGeometry | None) -> Truth:
    (s1, e1), (s2, e2) = (_ends(arg, feature, geometry) for arg in args)
    if None in (s1, e1, s2, e2):
        return None

    def before(a: Any, b: Any) -> bool:
        if a == "-" or b == "+":
            return a != b
        if a == "+" or b == "-":
            return False
        return bool(_compare("<", a, b))

    def same(a: Any, b: Any) -> bool:
        return a == b if "-" in (a, b) or "+" in (a, b) else bool(_compare("=", a, b))

    apart = before(e2, s1) or before(e1, s2)
    return {
        "t_after": lambda: before(e2, s1),
        "t_before": lambda: before(e1, s2),
        "t_disjoint": lambda: apart,
        "t_intersects": lambda: not apart,
        "t_equals": lambda: same(s1, s2) and same(e1, e2),
        "t_contains": lambda: before(s1, s2) and before(e2, e1),
        "t_during": lambda: before(s2, s1) and before(e1, e2),
        "t_finishedby": lambda: before(s1, s2) and same(e1, e2),
        "t_finishes": lambda: before(s2, s1) and same(e1, e2),
        "t_meets": lambda: same(e1, s2),
        "t_metby": lambda: same(s1, e2),
        "t_overlaps": lambda: before(s1, s2) and before(s2, e1) and before(e1, e2),
        "t_overlappedby": lambda: before(s2, s1) and before(s1, e2) and before(e2, e1),
        "t_startedby": lambda: same(s1, s2) and before(e2, e1),
        "t_starts": lambda: same(s1, s2) and before(e1, e2),
    }[op]()


def _ends(node: Mapping[str, Any], feature: Any, geometry: BaseGeometry | None) -> tuple[Any, Any]:
    """Start and end; - and + are open."""
    if "interval" not in node:
        one = _value(node, feature, geometry)
        return one, one
    start, end = (_end(end, feature) for end in node["interval"])
    return "-" if start == ".." else start, "+" if end == ".." else end


def _end(end: Any, feature: Any) -> Any:
    if isinstance(end, dict):
        return getattr(feature, end["property"])
    if end == "..":
        return end
    return datetime.fromisoformat(end).astimezone(UTC) if "T" in end else date.fromisoformat(end)


def _array(op: str, args: Sequence[Any], feature: Any, geometry: BaseGeometry | None) -> Truth:
    a, b = (set(_value(arg, feature, geometry)) for arg in args)
    return {"a_equals": a == b, "a_contains": a >= b, "a_containedby": a <= b, "a_overlaps": bool(a & b)}[op]


def _spatial(op: str, args: Sequence[Any], feature: Any, geometry: BaseGeometry | None) -> Truth:
    a, b = (_shape(arg, feature, geometry) for arg in args)
    if a is None or b is None:
        return None
    return bool(getattr(shapely, op[2:])(a, b))


def _shape(node: Mapping[str, Any], feature: Any, geometry: BaseGeometry | None) -> BaseGeometry | None:
    if "property" in node:
        value: BaseGeometry | None = _value(node, feature, geometry)
        return value
    if "bbox" not in node:
        return shapely.geometry.shape(node)
    west, south, east, north = node["bbox"]
    if west > east:
        return shapely.MultiPolygon([shapely.box(west, south, 180, north), shapely.box(-180, south, east, north)])
    if (west, south) == (east, north):
        return shapely.Point(west, south)
    if west == east or south == north:
        return shapely.LineString([(west, south), (east, north)])
    return shapely.box(west, south, east, north)


def assert_agreement(tree: Any, collection: Collection) -> None:
    """Assert that a filter, in all its forms, selects the features that the interpreter finds true."""
    expected = [truth(tree, *row) is True for row in zip(collection.features, collection.geometries, strict=True)]
    for form in (tree, parse(json.dumps(tree), "cql2-json"), parse(written(tree))):
        mask = compile_filter(form, collection.queryables).mask(collection)
        assert mask.shape == (len(collection),)
        assert mask.tolist() == expected, tree


def assert_agreement_both_ways(tree: Any, collection: Collection) -> None:
    assert_agreement(tree, collection)
    assert_agreement(call("not", tree), collection)
