"""CQL2 text and JSON: both languages give one tree, another reader of it the same, and no text does harm."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import Any

import cql2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.wording.catalogue import text as worded
from layers.query.cql2_text import MAX_JSON, MAX_TEXT, FilterError, Language, parse
from tests.layers.query.filter_strategies import PATTERNS, WORDS, call, filters, prop, written

NAME = prop("name")


@given(filters)
def test_text_and_json_give_one_tree(tree: Any) -> None:
    assert parse(written(tree)) == parse(json.dumps(tree), "cql2-json")


def flat(tree: Any) -> Any:
    """A tree with AND within AND, and OR within OR, as one."""
    if isinstance(tree, list):
        return [flat(part) for part in tree]
    if not isinstance(tree, dict):
        return tree
    result = {name: flat(value) for name, value in tree.items()}
    if result.get("op") in ("and", "or"):
        inner = [
            part["args"] if isinstance(part, dict) and part.get("op") == result["op"] else [part]
            for part in result["args"]
        ]
        result["args"] = [arg for args in inner for arg in args]
    return result


# The other reader knows no escape in a text and no empty list, and brings times to UTC.
comparable = filters.filter(lambda tree: not any(odd in written(tree) for odd in ("\\", "()", "+02:00")))


@given(comparable)
def test_another_reader_gives_the_same(tree: Any) -> None:
    text = written(tree)
    second = json.dumps(cql2.parse_text(text).to_json())
    assert flat(parse(text)) == flat(parse(second, "cql2-json"))


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("name = 'x'", call("=", NAME, "x")),
        ("name != 'x'", call("<>", NAME, "x")),
        ("\"name\"='x'", call("=", NAME, "x")),
        ("name='it''s'", call("=", NAME, "it's")),
        (r"name='it\'s'", call("=", NAME, "it's")),
        (r"name='a\tb\n\\c\%\q'", call("=", NAME, "a\tb\n\\c\\%\\q")),
        ("eo:cloud_cover.max > .5", call(">", prop("eo:cloud_cover.max"), 0.5)),
        ("назва = 'Київ'", call("=", prop("назва"), "Київ")),
        ('"a ""b""" = 1', call("=", prop('a "b"'), 1.0)),
        ('"and" = 1', call("=", prop("and"), 1.0)),
        ("date = 1", call("=", prop("date"), 1.0)),
        ("point IS NULL", call("isNull", prop("point"))),
        ("a = -1.5E-3", call("=", prop("a"), -0.0015)),
        ("a = +2", call("=", prop("a"), 2.0)),
        ("a - 1 > -b", call(">", call("-", prop("a"), 1.0), call("*", -1.0, prop("b")))),
        ("a+b*c^2", call("+", prop("a"), call("*", prop("b"), call("^", prop("c"), 2.0)))),
        ("a - b - c", call("-", call("-", prop("a"), prop("b")), prop("c"))),
        ("a DIV 2 = 1", call("=", call("div", prop("a"), 2.0), 1.0)),
        ("a or b and not c", call("or", prop("a"), call("and", prop("b"), call("not", prop("c"))))),
        ("name NOT LIKE 'x%'", call("not", call("like", NAME, "x%"))),
        ("a NOT BETWEEN 1 AND 2 AND b", call("and", call("not", call("between", prop("a"), 1.0, 2.0)), prop("b"))),
        ("a not in (1, 2)", call("not", call("in", prop("a"), [1.0, 2.0]))),
        ("a IS NOT NULL", call("not", call("isNull", prop("a")))),
        ("TRUE", True),
        ("Casei(name) = CASEI('X')", call("=", call("casei", NAME), call("casei", "X"))),
        ("a > DATE('2025-08-05')", call(">", prop("a"), {"date": "2025-08-05"})),
        ("a > timestamp('2025-08-05T00:00:00Z')", call(">", prop("a"), {"timestamp": "2025-08-05T00:00:00Z"})),
        ("T_AFTER(a, INTERVAL('..', b))", call("t_after", prop("a"), {"interval": ["..", prop("b")]})),
        (
            "T_AFTER(a, INTERVAL(DATE('2025-08-05'), \"b\"))",
            call("t_after", prop("a"), {"interval": ["2025-08-05", prop("b")]}),
        ),
        ("A_EQUALS(a, ())", call("a_equals", prop("a"), [])),
        ("A_EQUALS(('x'), a)", call("a_equals", ["x"], prop("a"))),
        ("nope()", call("nope")),
        ("f(bbox(1, 2, 3, 4))", call("f", {"bbox": [1.0, 2.0, 3.0, 4.0]})),
        ("f(POINT(1e1 -2))", call("f", {"type": "Point", "coordinates": [10.0, -2.0]})),
        ("f(point z (1 2 3))", call("f", {"type": "Point", "coordinates": [1.0, 2.0, 3.0]})),
        ("f(LINESTRING(1 2, 3 4))", call("f", {"type": "LineString", "coordinates": [[1.0, 2.0], [3.0, 4.0]]})),
        ("f(MULTIPOINT(1 2, (3 4)))", call("f", {"type": "MultiPoint", "coordinates": [[1.0, 2.0], [3.0, 4.0]]})),
        (
            "f(POLYGON((0 0, 1 0, 1 1, 0 0)))",
            call("f", {"type": "Polygon", "coordinates": [[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]]]}),
        ),
        (
            "f(GEOMETRYCOLLECTION(POINT(1 2), MULTILINESTRING((1 2, 3 4))))",
            call(
                "f",
                {
                    "type": "GeometryCollection",
                    "geometries": [
                        {"type": "Point", "coordinates": [1.0, 2.0]},
                        {"type": "MultiLineString", "coordinates": [[[1.0, 2.0], [3.0, 4.0]]]},
                    ],
                },
            ),
        ),
    ],
)
def test_text_is_read(text: str, tree: Any) -> None:
    assert parse(text) == tree


def test_json_is_read_in_one_spelling() -> None:
    tree = {"op": "T_finishedBy", "args": [{"interval": [{"date": "2025-08-05"}, ".."]}, NAME]}
    assert parse(json.dumps(tree), "cql2-json") == call("t_finishedby", {"interval": ["2025-08-05", ".."]}, NAME)
    assert parse('{"op":"ISNULL","args":[{"property":"a"}]}', "cql2-json") == call("isNull", prop("a"))
    assert parse('{"op":"=","args":[{"property":"a"},3]}', "cql2-json") == call("=", prop("a"), 3.0)
    assert parse("true", "cql2-json") is True


def place_of(error: FilterError) -> str:
    return error.pointer if error.character is None else f"character {error.character}"


@pytest.mark.parametrize(
    ("text", "expected", "pointer"),
    [
        ("", "a condition", ""),
        ("  \n", "a condition", ""),
        ("name =", "a property, value or function, not the end", "character 7"),
        ("name = 'x", "a closing '", "character 8"),
        ('"name = 1', 'a closing "', "character 1"),
        ("name = 'x' AND", "a property, value or function, not the end", "character 15"),
        ("name = 'x' name", "AND, OR or the end, not 'name'", "character 12"),
        ("(name = 'x'", "an operator or ), not the end", "character 12"),
        ("a NOT = 1", "LIKE, BETWEEN or IN, not '='", "character 7"),
        ("a IS 1", "NULL or NOT NULL", "character 6"),
        ("a BETWEEN 1 OR 2", "AND, not 'OR'", "character 13"),
        ("a = 1;", "no ';' outside quotes", "character 6"),
        ("a = `b`", "no '`' outside quotes", "character 5"),
        ("2 ^ 3 ^ 2 = a", "parentheses", "character 7"),
        ("a = 1 = 1", "AND, OR or the end", "character 7"),
        ("(a, b) = 1", "an operator or )", "character 3"),
        ("f(POINT EMPTY)", ", or )", "character 9"),
        ("f(POINT(1))", "a number", "character 10"),
        ("f(GEOMETRYCOLLECTION(GEOMETRYCOLLECTION(POINT(1 2))))", "a geometry such as", "character 22"),
        ("a = DATE(b)", "a date or time in quotes", "character 10"),
        ("a = 1e400", "a number from -2^53 to 2^53", "/args/1"),
        ("a = 9007199254740994", "a number from -2^53 to 2^53", "/args/1"),
        ("a = 'x\0'", "without NUL", ""),
        ("a = '\ud800'", "lone surrogates", ""),
        ("a = ?", "no '?' outside quotes", "character 5"),
    ],
)
def test_text_that_is_none_is_refused(text: str, expected: str, pointer: str) -> None:
    with pytest.raises(FilterError) as raised:
        parse(text)
    assert expected in worded(raised.value.expected)
    assert place_of(raised.value) == pointer
    assert str(raised.value).startswith("filter: expected ")


@pytest.mark.parametrize(
    ("text", "expected", "pointer"),
    [
        ("{", "JSON", "character 2"),
        ("null", "a value", ""),
        ("3", "a condition", ""),
        ('"x"', "a condition", ""),
        ("[]", "a text, number, boolean or object", ""),
        ("{}", "an object with op and args", ""),
        ('{"op":"=","args":{}}', "an operator as op with its operands as args", ""),
        ('{"op":3}', "a text", "/op"),
        ('{"op":"=","args":[{"property":""},1]}', "a name of 1 to 200", "/args/0/property"),
        ('{"op":"=","args":[{"property":"a"},null]}', "IS NULL", "/args/1"),
        ('{"op":"=","args":[{"property":"a"},1e300]}', "a number", "/args/1"),
        ('{"op":"=","args":[{"property":"a"},"\\u0000"]}', "without NUL", "/args/1"),
        ('{"op":"f","args":[{"bbox":[1,2,3]}]}', "a box of four numbers", "/args/0/bbox"),
        ('{"op":"f","args":[{"interval":["x"]}]}', "two ends", "/args/0/interval"),
        ('{"op":"f","args":[{"interval":[3,"x"]}]}', "a date such as", "/args/0/interval/0"),
        ('{"op":"f","args":[{"type":"Circle","coordinates":[1,2]}]}', "of the types Point", "/args/0"),
        ('{"op":"f","args":[{"type":"Point","coordinates":[1]}]}', "two or three numbers", "/args/0/coordinates"),
        ('{"op":"f","args":[{"type":"LineString","coordinates":[[1,2],3]}]}', "coordinates", "/args/0/coordinates/1"),
        ('{"op":"f","args":[{"type":"GeometryCollection","geometries":[]}]}', "one or more geometries", "/args/0"),
        ('{"op":"in","args":[{"property":"a"},[[1]]]}', "a text, number", "/args/1/0"),
    ],
)
def test_json_that_is_none_is_refused(text: str, expected: str, pointer: str) -> None:
    with pytest.raises(FilterError) as raised:
        parse(text, "cql2-json")
    assert expected in worded(raised.value.expected)
    assert place_of(raised.value) == pointer


def nested(count: int) -> str:
    return "(" * count + "a = 1" + ")" * count


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("a = '" + "x" * MAX_TEXT + "'", "cql2-text", "at most 8,000 characters"),
        ('"' + "x" * MAX_JSON + '"', "cql2-json", "at most 250,000 characters"),
        (nested(40), "cql2-text", "at most 40 levels"),
        ("NOT " * 41 + "a", "cql2-text", "at most 40 levels"),
        ("a = " + "- " * 41 + "b", "cql2-text", "at most 40 levels"),
        ("a = 1" + " + 1" * 41, "cql2-text", "at most 40 levels"),
        ("casei(" * 41 + "a" + ")" * 41, "cql2-text", "at most 40 levels"),
        ("a = 1" + " OR a = 1" * 250, "cql2-text", "at most 500 operators"),
        ("a IN (" + "1," * 1000 + "1)", "cql2-text", "at most 1000 values"),
        (json.dumps(call("in", NAME, [1] * 1001)), "cql2-json", "at most 1000 values"),
        (json.dumps(call("and", *[True] * 501)), "cql2-json", "at most 500 operands"),
        ('{"op":"not","args":[' * 41 + "true" + "]}" * 41, "cql2-json", "at most 40 levels"),
        ("[" * 900 + "]" * 900, "cql2-json", "a text, number"),
        ("[" * 5000 + "]" * 5000, "cql2-json", "JSON"),
        ('{"op":"f","args":[{"interval":[' * 300, "cql2-json", "JSON"),
        (
            json.dumps(call("f", {"type": "LineString", "coordinates": [[1, 2]] * 10_001})),
            "cql2-json",
            "at most 10,000 vertices",
        ),
    ],
)
def test_what_is_too_large_is_refused(text: str, language: Language, expected: str) -> None:
    with pytest.raises(FilterError) as raised:
        parse(text, language)
    assert expected in worded(raised.value.expected)


def test_the_largest_is_read() -> None:
    parse(nested(39))
    parse("NOT " * 38 + "a = 1")
    parse("a IN (" + "1," * 999 + "1)")
    parse("a = 1" + " OR a = 1" * 248)
    parse(json.dumps(call("f", {"type": "LineString", "coordinates": [[1, 2]] * 10_000})), "cql2-json")


@pytest.mark.parametrize(
    "text", ["(" * 7000, "((" * 19 + "a", "a = " + "(" * 7000, "f(" * 3000, "A_EQUALS((" * 300, "'" * 7999]
)
def test_what_does_not_close_is_refused_at_once(text: str) -> None:
    began = time.process_time()
    with pytest.raises(FilterError):
        parse(text)
    assert time.process_time() - began < 1


signs = st.sampled_from("(),'\"\\=<>+-^%1a\0\ud800\n")
words = st.sampled_from(
    ["AND", "OR", "NOT", "LIKE", "IN", "BETWEEN", "IS", "NULL", "TRUE", "div", "name", "geometry", ".."]
)
openings = st.sampled_from(
    ["DATE(", "INTERVAL(", "POINT(", "BBOX(", "S_WITHIN(", "A_EQUALS(", "casei(", "POLYGON((", "f("]
)
values = st.sampled_from(["1e999", "9" * 400, "'x'", "'2025-08-05'", "1 2", "1,2", "0.5", "''"])
pieces = signs | words | openings | values
soup = st.lists(pieces, max_size=30).map(" ".join) | st.lists(pieces, max_size=30).map("".join)
hurt = st.builds(
    lambda tree, at, bit: written(tree)[:at] + bit + written(tree)[at:],
    filters,
    st.integers(0, 80),
    pieces | st.text(max_size=2),
)


@given(st.text() | soup | hurt)
def test_no_text_does_harm(text: str) -> None:
    languages: tuple[Language, ...] = ("cql2-text", "cql2-json")
    for language in languages:
        with suppress(FilterError):
            tree = parse(text, language)
            assert parse(json.dumps(tree), "cql2-json") == tree


@given(
    st.sampled_from([*WORDS, *PATTERNS]) | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
)
def test_any_text_can_be_written(text: str) -> None:
    assert parse(f"name = {written(text)}") == call("=", NAME, text)
