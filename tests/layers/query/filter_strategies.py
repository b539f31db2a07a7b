"""Features, collections and filters for tests: small pools, so that values meet, and every awkward one is in them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Literal

import shapely
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from pydantic import Field
from shapely.geometry.base import BaseGeometry

from layers.collections.collection import Collection
from layers.collections.feature_table import FeatureTable
from layers.collections.feature_types import Feature

Tree = dict[str, Any]


class Site(Feature):
    """A feature with a column of every kind, and two of some."""

    name: str | None = Field(None, description="Its name.")
    town: str | None = Field(None, description="Where it is.")
    kind: Literal["depot", "mine", "port"] | None = Field(None, description="What it is.")
    count: int | None = Field(None, description="How many.")
    most: int | None = Field(None, description="How many at most.")
    size: Annotated[float, Field(json_schema_extra={"unit": "m"})] | None = Field(None, description="How large.")
    active: bool | None = Field(None, description="Whether it works.")
    known: bool = Field(True, description="Whether it is known.")
    day_first: date | None = Field(None, description="First day.")
    day_last: date | None = Field(None, description="Last day.")
    owners: tuple[str, ...] = Field((), description="Who owns it.")
    users: tuple[str, ...] = Field((), description="Who uses it.")


#: Each text with what CASEI, ACCENTI and both make of it, told by hand.
WORDS: dict[str, tuple[str, str, str]] = {
    "": ("", "", ""),
    "a": ("a", "a", "a"),
    "A": ("a", "A", "a"),
    "á": ("á", "a", "a"),
    "Á": ("á", "A", "a"),
    "a\u0301": ("á", "a", "a"),
    "ab": ("ab", "ab", "ab"),
    "aab": ("aab", "aab", "aab"),
    "aba": ("aba", "aba", "aba"),
    "Straße": ("strasse", "Straße", "strasse"),
    "STRASSE": ("strasse", "STRASSE", "strasse"),
    "it's": ("it's", "it's", "it's"),
    "50%": ("50%", "50%", "50%"),
    "a_b": ("a_b", "a_b", "a_b"),
    "a\nb": ("a\nb", "a\nb", "a\nb"),
    "Київ": ("київ", "Киів", "киів"),
    "КИЇВ": ("київ", "КИІВ", "киів"),
    "Йод": ("йод", "Иод", "иод"),
    "Łódź": ("łódź", "Lodz", "lodz"),
    "💥": ("💥", "💥", "💥"),
    "\uffff": ("\uffff", "\uffff", "\uffff"),
}
PATTERNS = (
    "%",
    "",
    "_",
    "a%",
    "%b",
    "%a%",
    "a_b",
    r"a\_b",
    r"50\%",
    "%'%",
    "_%_",
    "%a%b%",
    "A",
    "%ї%",
    "__%",
    "%_a",
    "К%",
)
DAYS = tuple(date(2025, 8, day) for day in (1, 5, 6, 8, 31))
TIMES = ("2025-08-05T00:00:00Z", "2025-08-05T23:59:59Z", "2025-08-06T12:30:00Z", "2025-08-06T01:00:00+02:00")
OWNERS = ("UA", "RU", "DE", "")
NUMBERS = (-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0)
SHAPES = tuple(
    shapely.from_wkt(text)
    for text in (
        "POINT (1 1)",
        "POINT (2 2)",
        "POINT (0 1)",
        "LINESTRING (0 0, 2 2)",
        "LINESTRING (0 2, 2 0)",
        "LINESTRING (2 2, 3 3)",
        "POLYGON ((0 0, 2 0, 2 2, 0 2, 0 0))",
        "POLYGON ((2 0, 2 2, 0 2, 0 0, 2 0))",
        "POLYGON ((1 1, 3 1, 3 3, 1 3, 1 1))",
        "POLYGON ((2 0, 4 0, 4 2, 2 2, 2 0))",
        "POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0), (1 1, 1 3, 3 3, 3 1, 1 1))",
        "MULTIPOINT ((1 1), (3 3))",
        "MULTILINESTRING ((0 0, 1 1), (2 2, 3 3))",
        "MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)), ((2 2, 3 2, 3 3, 2 2)))",
        "GEOMETRYCOLLECTION (POINT (3 3), LINESTRING (0 0, 1 1))",
        "POINT (179.5 1)",
        "POINT (-179.5 1)",
    )
)
BOXES = ([0, 0, 2, 2], [1, 1, 1, 1], [0, 1, 4, 1], [179, 0, -179, 2], [-180, -90, 180, 90], [5, 5, 6, 6])

texts = st.sampled_from(sorted(WORDS))
maybe = st.none()


@st.composite
def sites(draw: st.DrawFn, name: str) -> Site:
    """A feature of that id, any of whose values may be missing."""
    days = sorted(draw(st.lists(st.sampled_from(DAYS), min_size=2, max_size=2)))
    return Site(
        id=name,
        name=draw(maybe | texts),
        town=draw(maybe | texts),
        kind=draw(st.sampled_from([None, "depot", "mine", "port"])),
        count=draw(maybe | st.integers(-2, 3)),
        most=draw(maybe | st.integers(-2, 3)),
        size=draw(maybe | st.sampled_from(NUMBERS)),
        active=draw(maybe | st.booleans()),
        known=draw(st.booleans()),
        day_first=draw(maybe | st.just(days[0])),
        day_last=draw(maybe | st.just(days[1])),
        owners=tuple(draw(st.lists(st.sampled_from(OWNERS), max_size=3))),
        users=tuple(draw(st.lists(st.sampled_from(OWNERS), max_size=3))),
    )


places = maybe | st.just(shapely.Point()) | st.sampled_from(SHAPES)


@st.composite
def collections(draw: st.DrawFn, most: int = 12) -> Collection:
    """A collection of such features."""
    count = draw(st.integers(0, most))
    features = [draw(sites(f"s{number}")) for number in range(count)]
    return collection(features, [draw(places) for _ in features])


def collection(features: Sequence[Site], geometries: Sequence[BaseGeometry | None] | None = None) -> Collection:
    """A collection of features, without places by default."""
    return Collection(
        "sites", "Sites", "For tests.", Site, FeatureTable.of(Site, features), geometries or [None] * len(features)
    )


def call(op: str, *args: object) -> Tree:
    return {"op": op, "args": list(args)}


def prop(name: str) -> Tree:
    return {"property": name}


def _calls(ops: Sequence[str], *args: SearchStrategy[Any]) -> SearchStrategy[Tree]:
    return st.builds(call, st.sampled_from(ops), *args)


_text_plain = texts | st.sampled_from(["name", "town", "kind"]).map(prop)
_text = st.recursive(_text_plain, lambda inner: _calls(["casei", "accenti"], inner), max_leaves=3)
_pattern = st.recursive(st.sampled_from(PATTERNS), lambda inner: _calls(["casei", "accenti"], inner), max_leaves=2)
_number = st.recursive(
    st.sampled_from(NUMBERS) | st.sampled_from(["count", "most", "size"]).map(prop),
    lambda inner: (
        _calls(["+", "-", "*", "/", "%", "div"], inner, inner)
        | _calls(["^"], inner, st.sampled_from([0.0, 1.0, 2.0, 3.0]))
    ),
    max_leaves=4,
)
_boolean = st.booleans() | st.sampled_from(["active", "known"]).map(prop)
_days = st.sampled_from([day.isoformat() for day in DAYS])
_day_property = st.sampled_from(["day_first", "day_last"]).map(prop)
_instant = (
    _day_property | _days.map(lambda day: {"date": day}) | st.sampled_from(TIMES).map(lambda at: {"timestamp": at})
)
_end = _days | st.sampled_from(TIMES)


def _is_interval(ends: tuple[str, str]) -> bool:
    days = [end.replace("06T01:00:00+02:00", "05T23:00:00Z") for end in ends]
    return days[0][:10] < days[1][:10] or days[0] == days[1]


_interval: SearchStrategy[Tree] = st.one_of(
    st.tuples(_end, _end).filter(_is_interval).map(list),
    st.tuples(st.just(".."), _end | st.just("..")).map(list),
    st.tuples(_end | _day_property, st.just("..")).map(list),
    st.tuples(_day_property, _end | _day_property).map(list),
    st.just([prop("day_first"), prop("day_last")]),
).map(lambda ends: {"interval": ends})
_list = st.lists(st.sampled_from(OWNERS), max_size=3) | st.sampled_from(["owners", "users"]).map(prop)


def geojson(shape: BaseGeometry) -> Tree:
    """A geometry as GeoJSON."""
    told: Tree = shapely.geometry.mapping(shape)
    return _listed(told)


def _listed(told: Any) -> Any:
    if isinstance(told, dict):
        return {name: _listed(value) for name, value in told.items()}
    return [_listed(value) for value in told] if isinstance(told, tuple | list) else told


_geometry = (
    st.just(prop("geometry"))
    | st.sampled_from(SHAPES).map(geojson)
    | st.sampled_from(BOXES).map(lambda box: {"bbox": [float(edge) for edge in box]})
)
_ORDERED = ["=", "<>", "<", ">", "<=", ">="]
SPATIAL = ["s_intersects", "s_disjoint", "s_equals", "s_touches", "s_crosses", "s_overlaps", "s_within", "s_contains"]
TEMPORAL = ["t_after", "t_before", "t_intersects", "t_disjoint", "t_equals"]
OF_INTERVALS = ["t_contains", "t_during", "t_finishedby", "t_finishes", "t_meets", "t_metby", "t_overlaps"]
OF_INTERVALS += ["t_overlappedby", "t_startedby", "t_starts"]
ARRAY = ["a_equals", "a_contains", "a_containedby", "a_overlaps"]


def _comparing(kind: SearchStrategy[Any]) -> SearchStrategy[Tree]:
    return st.one_of(
        _calls(_ORDERED, kind, kind),
        _calls(["between"], kind, kind, kind),
        _calls(["in"], kind, st.lists(kind, min_size=1, max_size=3)),
    )


_leaf: SearchStrategy[Any] = st.one_of(
    _comparing(_text),
    _comparing(_number),
    _comparing(_instant),
    _calls(_ORDERED, _boolean, _boolean),
    _calls(["in"], _boolean, st.lists(_boolean, min_size=1, max_size=2)),
    _boolean,
    _calls(["like"], _text, _pattern),
    _calls(["isNull"], _text | _number),
    _calls(["isNull"], st.sampled_from(["geometry", "owners", "day_first", "active"]).map(prop)),
    _calls(TEMPORAL, _instant | _interval, _instant | _interval),
    _calls(OF_INTERVALS, _interval, _interval),
    _calls(ARRAY, _list, _list),
    _calls(SPATIAL, _geometry, _geometry),
)
#: Filters of all kinds, every one of them well formed.
filters: SearchStrategy[Any] = st.recursive(
    _leaf,
    lambda inner: st.one_of(
        _calls(["not"], inner),
        st.builds(
            lambda op, parts: call(op, *parts), st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=3)
        ),
    ),
    max_leaves=6,
)


def written(node: Any) -> str:
    """A filter as CQL2 text, with every parenthesis."""
    if isinstance(node, bool):
        return "TRUE" if node else "false"
    if isinstance(node, float | int):
        return repr(float(node))
    if isinstance(node, str):
        return "'" + node.replace("\\", "\\\\").replace("'", "''") + "'"
    if isinstance(node, list):
        return f"({', '.join(map(written, node))})"
    return _written_object(node)


def _written_object(node: Tree) -> str:
    if "property" in node:
        return f'"{node["property"]}"'
    if "date" in node:
        return f"DATE('{node['date']}')"
    if "timestamp" in node:
        return f"TIMESTAMP('{node['timestamp']}')"
    if "interval" in node:
        return f"INTERVAL({', '.join(map(written, node['interval']))})"
    if "bbox" in node:
        return f"BBOX({', '.join(map(repr, node['bbox']))})"
    if "op" not in node:
        return str(shapely.geometry.shape(node).wkt)
    return _written_call(node["op"], node["args"])


def _written_call(op: str, args: Sequence[Any]) -> str:
    told = [written(arg) for arg in args]
    if op in ("and", "or"):
        return "(" + f" {op.upper()} ".join(told) + ")"
    if op == "not":
        return f"(NOT {told[0]})"
    if op == "isNull":
        return f"({told[0]} IS NULL)"
    if op == "between":
        return f"({told[0]} BETWEEN {told[1]} AND {told[2]})"
    if op in ("like", "in") or not op[0].isalpha() or op == "div":
        return f"({told[0]} {op.upper()} {told[1]})"
    return f"{op.upper()}({', '.join(told)})"
