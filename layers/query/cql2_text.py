"""CQL2 filters (OGC 21-065r2) read from text or JSON to one plain JSON tree; knows nothing of any collection.

The parser is a recursive descent over tokens, in time proportional to the text. The package cql2 (0.6.0) is an oracle
of the tests only: it aborts the process at some thousand nested parentheses, and takes exponential time where they do
not close.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, NoReturn

import orjson

from layers.model.messages import Message
from layers.query.cql2_tree import MAX_DEPTH, MAX_VALUES, POSITIONS, FilterError, Tree, is_plain, normalized

#: Geometry types of WKT, in capitals, to those of GeoJSON.
TYPES: Mapping[str, str] = MappingProxyType({name.upper(): name for name in (*POSITIONS, "GeometryCollection")})


def shape(tokens: Tokens, nested: bool = False) -> dict[str, Any]:
    """Read a geometry, with or without Z; empty geometries are refused, as they intersect nothing.

    Raises FilterError if the next tokens are something else.
    """
    if tokens.word() not in TYPES or (nested and tokens.word() == "GEOMETRYCOLLECTION"):
        tokens.fail(Message("filter.example.geometry"))
    kind = TYPES[tokens.take().text.upper()]
    tokens.accept("Z")
    if kind == "GeometryCollection":
        return {"type": kind, "geometries": listed(tokens, lambda: shape(tokens, nested=True))}
    if kind == "Point":
        return {"type": kind, "coordinates": _parenthesized_position(tokens)}
    return {"type": kind, "coordinates": _coordinates(tokens, POSITIONS[kind], kind == "MultiPoint")}


def listed(tokens: Tokens, item: Callable[[], Any]) -> list[Any]:
    """Read one or more items in parentheses, separated by commas.

    Raises FilterError if the next tokens are something else.
    """
    tokens.expect_sign("(")
    items = [item()]
    while tokens.accept_sign(","):
        items.append(item())
    if not tokens.accept_sign(")"):
        tokens.fail(Message("filter.comma-or-closing"))
    return items


def signed(tokens: Tokens) -> float:
    """Read a number with or without a sign.

    Raises FilterError if the next tokens are something else.
    """
    sign = tokens.accept_sign("-", "+")
    if tokens.peek.kind != "number":
        tokens.fail(Message("cell.number"))
    size = float(tokens.take().text)
    return -size if sign == "-" else size


def _parenthesized_position(tokens: Tokens) -> list[float]:
    """Read a position in parentheses, as a MultiPoint may have it."""
    tokens.expect_sign("(")
    position = _position(tokens)
    tokens.expect_sign(")")
    return position


def _coordinates(tokens: Tokens, depth: int, parenthesized: bool) -> list[Any]:
    if depth > 1:
        return listed(tokens, lambda: _coordinates(tokens, depth - 1, parenthesized))
    return listed(
        tokens, lambda: _parenthesized_position(tokens) if parenthesized and tokens.is_open() else _position(tokens)
    )


def _position(tokens: Tokens) -> list[float]:
    numbers = [signed(tokens), signed(tokens)]
    if tokens.peek.kind == "number" or tokens.peek.text in ("-", "+"):
        numbers.append(signed(tokens))
    return numbers


#: ``name`` is an unquoted name or keyword, ``quoted`` a name in double quotes; quotes and escapes are taken off.
Kind = Literal["number", "text", "quoted", "name", "sign", "end"]

_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    |(?P<text>'(?:[^'\\]|''|\\.)*+')
    |(?P<quoted>"(?:[^"]|"")*+")
    |(?P<name>(?:[^\W\d]|:)[\w.:]*)
    |(?P<sign><=|>=|<>|!=|[-=<>+*/%^(),])""",
    re.VERBOSE | re.DOTALL,
)
#: Escapes of a text (21-065r2, /req/cql2-text/escaping); a backslash before anything else stays, for LIKE.
_ESCAPES: Mapping[str, str] = MappingProxyType(
    {r"\a": "\a", r"\b": "\b", r"\t": "\t", r"\n": "\n", r"\v": "\v", r"\f": "\f", r"\r": "\r", r"\'": "'", "''": "'"}
    | {r"\\": "\\"}
)
_ESCAPE = re.compile(r"''|\\.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Token:
    """A token, and its position in the text, counted from 1 (``at``)."""

    kind: Kind
    text: str
    at: int


class Tokens:
    """The tokens of a text, read from left to right.

    Raises FilterError if a part of the text is no token.
    """

    def __init__(self, text: str) -> None:
        self._tokens = list(_cut(text))
        self._next = 0

    @property
    def peek(self) -> Token:
        """The next token."""
        return self._tokens[self._next]

    def take(self) -> Token:
        """Take the next token; after the last one, the end again and again."""
        token = self.peek
        self._next = min(self._next + 1, len(self._tokens) - 1)
        return token

    def word(self) -> str:
        """The next token in capitals if it is an unquoted name, else an empty text."""
        return self.peek.text.upper() if self.peek.kind == "name" else ""

    def is_open(self) -> bool:
        """Whether the next token is an opening parenthesis."""
        return self.peek.kind == "sign" and self.peek.text == "("

    def opens(self, also: str = "") -> bool:
        """Whether the token after the next is an opening parenthesis, or the keyword ``also``."""
        after = self._tokens[min(self._next + 1, len(self._tokens) - 1)]
        if after.kind == "name":
            return after.text.upper() == also
        return after.kind == "sign" and after.text == "("

    def accept(self, *keywords: str) -> bool:
        """Take the next token if it is one of these keywords; whether it was."""
        accepted = self.word() in keywords
        if accepted:
            self.take()
        return accepted

    def accept_sign(self, *signs: str) -> str:
        """Take the next token if it is one of these signs and return it, else an empty text."""
        if self.peek.kind == "sign" and self.peek.text in signs:
            return self.take().text
        return ""

    def expect_sign(self, sign: str) -> None:
        """Take a sign.

        Raises FilterError if the next tokens are something else.
        """
        if not self.accept_sign(sign):
            self.fail(Message("filter.sign", {"sign": sign}))

    def fail(self, expected: Message) -> NoReturn:
        """Refuse the next token.

        Raises FilterError always.
        """
        token = self.peek
        if token.kind == "end":
            raise FilterError(Message("filter.not-end", {"expected": expected}), character=token.at)
        found = token.text[:40]
        raise FilterError(Message("filter.not", {"expected": expected, "found": found}), character=token.at)


def _cut(text: str) -> Iterator[Token]:
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            cause = "filter.closing" if text[at] in "'\"" else "filter.only-in-quotes"
            raise FilterError(Message(cause, {"letter": text[at]}), character=at + 1)
        kind, text_of_token = match.lastgroup, match.group()
        if kind != "space":
            yield Token(kind, _unquoted(text_of_token), at + 1)  # type: ignore[arg-type]
        at = match.end()
    yield Token("end", "", len(text) + 1)


def _unquoted(token: str) -> str:
    if token[0] == '"':
        return token[1:-1].replace('""', '"')
    if token[0] == "'":
        return _ESCAPE.sub(lambda escape: _ESCAPES.get(escape.group(), escape.group()), token[1:-1])
    return token


__all__ = ["MAX_JSON", "MAX_TEXT", "FilterError", "Language", "Tree", "parse"]

Language = Literal["cql2-text", "cql2-json"]

#: Longest filter in either language, characters. JSON may hold the larger geometries.
MAX_TEXT = 8_000
MAX_JSON = 250_000

_COMPARISONS = ("=", "<>", "!=", "<", ">", "<=", ">=")
#: Words that are no names of properties unless in double quotes.
_KEYWORDS = {"AND", "OR", "NOT", "LIKE", "BETWEEN", "IN", "IS", "NULL", "TRUE", "FALSE", "DIV"}


def parse(text: str, language: Language = "cql2-text") -> Tree:
    """Parse a filter to a tree; equal filters of both languages give equal trees.

    Operators are spelled as in CQL2 JSON, in lower case except ``isNull``.

    Raises FilterError if it is empty, too long, too deep, too large, or no CQL2.
    """
    max_length = MAX_TEXT if language == "cql2-text" else MAX_JSON
    if len(text) > max_length:
        raise FilterError(Message("filter.at-most-characters", {"limit": max_length}))
    if not is_plain(text):
        raise FilterError(Message("filter.plain-text"))
    if not text.strip():
        raise FilterError(Message("filter.condition"))
    return normalized(_Parser(text).all() if language == "cql2-text" else _loaded(text))


def _loaded(text: str) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise FilterError(Message("filter.json", {"error": error.msg}), character=error.pos + 1) from None


class _Parser:
    """Recursive descent by the grammar of 21-065r2, annex B; a method a rule."""

    def __init__(self, text: str) -> None:
        self._tokens = Tokens(text)
        self._depth = 0

    def all(self) -> Any:
        condition = self._condition()
        if self._tokens.peek.kind != "end":
            self._tokens.fail(Message("filter.and-or-end"))
        return condition

    def _condition(self) -> Any:
        """Read conditions joined by OR."""
        self._deeper()
        conditions = [self._conjunction()]
        while self._tokens.accept("OR"):
            conditions.append(self._conjunction())
        self._depth -= 1
        return conditions[0] if len(conditions) == 1 else _call("or", *conditions)

    def _conjunction(self) -> Any:
        conditions = [self._factor()]
        while self._tokens.accept("AND"):
            conditions.append(self._factor())
        return conditions[0] if len(conditions) == 1 else _call("and", *conditions)

    def _factor(self) -> Any:
        if not self._tokens.accept("NOT"):
            return self._predicate()
        self._deeper()
        condition = _call("not", self._factor())
        self._depth -= 1
        return condition

    def _predicate(self) -> Any:
        left = self._sum()
        if sign := self._tokens.accept_sign(*_COMPARISONS):
            return _call("<>" if sign == "!=" else sign, left, self._sum())
        if self._tokens.accept("IS"):
            negated = self._tokens.accept("NOT")
            if not self._tokens.accept("NULL"):
                self._tokens.fail(Message("filter.null"))
            return _negated(_call("isNull", left), negated)
        negated = self._tokens.accept("NOT")
        if self._tokens.accept("LIKE"):
            return _negated(_call("like", left, self._sum()), negated)
        if self._tokens.accept("BETWEEN"):
            return _negated(self._between(left), negated)
        if self._tokens.accept("IN"):
            return _negated(_call("in", left, self._list()), negated)
        if negated:
            self._tokens.fail(Message("filter.after-not"))
        return left

    def _between(self, left: Any) -> Any:
        low = self._sum()
        if not self._tokens.accept("AND"):
            self._tokens.fail(Message("filter.sign", {"sign": "AND"}))
        return _call("between", left, low, self._sum())

    def _sum(self) -> Any:
        expression = self._product()
        while sign := self._tokens.accept_sign("+", "-"):
            expression = _call(sign, expression, self._product())
        return expression

    def _product(self) -> Any:
        expression = self._power()
        while sign := self._tokens.accept_sign("*", "/", "%") or ("div" if self._tokens.accept("DIV") else ""):
            expression = _call(sign, expression, self._power())
        return expression

    def _power(self) -> Any:
        expression = self._signed()
        if self._tokens.accept_sign("^"):
            expression = _call("^", expression, self._signed())
            if self._tokens.peek.text == "^":
                self._tokens.fail(Message("filter.powers"))
        return expression

    def _signed(self) -> Any:
        if not (sign := self._tokens.accept_sign("-", "+")):
            return self._primary()
        if self._tokens.peek.kind == "number":
            size = float(self._tokens.take().text)
            return -size if sign == "-" else size
        self._deeper()
        expression = self._signed()
        self._depth -= 1
        return _call("*", -1.0, expression) if sign == "-" else expression

    def _primary(self) -> Any:
        tokens, word = self._tokens, self._tokens.word()
        if tokens.peek.kind == "number":
            return float(tokens.take().text)
        if tokens.peek.kind == "text":
            return tokens.take().text
        if tokens.peek.kind == "quoted":
            return {"property": tokens.take().text}
        if tokens.accept_sign("("):
            condition = self._condition()
            if not tokens.accept_sign(")"):
                tokens.fail(Message("filter.operator-or-closing"))
            return condition
        if tokens.accept("TRUE", "FALSE"):
            return word == "TRUE"
        # The name of a type of geometry before a parenthesis or Z; else it is a property.
        if word in TYPES and tokens.opens(also="Z"):
            return shape(tokens)
        if not word or word in _KEYWORDS:
            tokens.fail(Message("filter.operand"))
        return self._function() if tokens.opens() else {"property": tokens.take().text}

    def _function(self) -> Any:
        name = self._tokens.take().text.lower()
        if name in ("date", "timestamp"):
            return {name: self._instant()}
        if name == "bbox":
            return {"bbox": listed(self._tokens, lambda: signed(self._tokens))}
        if name == "interval":
            return {"interval": listed(self._tokens, self._end)}
        return _call(name, *self._arguments(name.startswith("a_")))

    def _arguments(self, lists: bool) -> list[Any]:
        """Read the arguments of a function; those of an array function may be lists."""
        return self._in_parentheses(
            lambda: self._list() if lists and self._tokens.is_open() else self._condition(), math.inf
        )

    def _list(self) -> list[Any]:
        """Read a list of values in parentheses, which may be empty."""
        return self._in_parentheses(self._sum, MAX_VALUES)

    def _in_parentheses(self, item: Callable[[], Any], most: float) -> list[Any]:
        self._deeper()
        self._tokens.expect_sign("(")
        items: list[Any] = []
        while not self._tokens.accept_sign(")"):
            if items and not self._tokens.accept_sign(","):
                self._tokens.fail(Message("filter.comma-or-closing"))
            if len(items) == most:
                self._tokens.fail(Message("filter.at-most-values", {"limit": MAX_VALUES}))
            items.append(item())
        self._depth -= 1
        return items

    def _instant(self) -> str:
        self._tokens.expect_sign("(")
        if self._tokens.peek.kind != "text":
            self._tokens.fail(Message("filter.quoted-time"))
        text = self._tokens.take().text
        self._tokens.expect_sign(")")
        return text

    def _end(self) -> Any:
        """Read an end of an interval."""
        tokens = self._tokens
        if tokens.peek.kind == "text":
            return tokens.take().text
        if tokens.word() in ("DATE", "TIMESTAMP") and tokens.opens():
            tokens.take()
            return self._instant()
        if tokens.peek.kind not in ("name", "quoted"):
            tokens.fail(Message("filter.quoted-end"))
        return {"property": tokens.take().text}

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._tokens.fail(Message("filter.depth", {"limit": MAX_DEPTH}))


def _call(op: str, *args: Any) -> dict[str, Any]:
    return {"op": op, "args": list(args)}


def _negated(condition: Any, negated: bool) -> Any:
    return _call("not", condition) if negated else condition
