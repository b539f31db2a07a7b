"""CQL2 filters (OGC 21-065r2) read from text or JSON to one plain JSON tree; knows nothing of any collection.

The parser is of the house: a descent over tokens, in time proportional to the text. That of cql2 0.6.0 ends the process
at some thousand nested parentheses, and its time doubles with each that does not close; it is an oracle of the tests.
"""

from __future__ import annotations

from typing import Any, Literal

import orjson

from layers.filter_shapes import listed, shape, signed, starts_shape
from layers.filter_tokens import Tokens
from layers.filter_tree import MAX_DEPTH, MAX_VALUES, FilterError, Tree, checked, is_plain

__all__ = ["MAX_JSON", "MAX_TEXT", "FilterError", "Language", "Tree", "parse"]

Language = Literal["cql2-text", "cql2-json"]

#: Longest filter in either language, characters. JSON may hold the larger geometries.
MAX_TEXT = 8_000
MAX_JSON = 250_000

_COMPARISONS = ("=", "<>", "!=", "<", ">", "<=", ">=")
#: Words that are no names of properties unless in double quotes.
_KEYWORDS = {"AND", "OR", "NOT", "LIKE", "BETWEEN", "IN", "IS", "NULL", "TRUE", "FALSE", "DIV"}


def parse(text: str, language: Language = "cql2-text") -> Tree:
    """Read a filter to its tree; both languages give the same.

    Operators are spelled as in CQL2 JSON, in lower case except ``isNull``.

    Raises
    ------
    FilterError
        If it is empty, too long, too deep, too large, or no CQL2; ``pointer`` is a position in the text,
        counted from 1, or a JSON pointer.
    """
    most = MAX_TEXT if language == "cql2-text" else MAX_JSON
    if len(text) > most:
        raise FilterError(f"at most {most:,} characters")
    if not is_plain(text):
        raise FilterError("a text without NUL and lone surrogates")
    if not text.strip():
        raise FilterError("a condition, such as kind = 'refinery'")
    return checked(_Parser(text).all() if language == "cql2-text" else _loaded(text))


def _loaded(text: str) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise FilterError(f"JSON: {error.msg}", f"character {error.pos + 1}") from None


class _Parser:
    """A descent by the grammar of 21-065r2, annex B; each method reads one rule."""

    def __init__(self, text: str) -> None:
        self._tokens = Tokens(text)
        self._depth = 0

    def all(self) -> Any:
        found = self._condition()
        if self._tokens.peek.kind != "end":
            self._tokens.fail("AND, OR or the end")
        return found

    def _condition(self) -> Any:
        """Conditions joined by OR."""
        self._deeper()
        found = [self._conjunction()]
        while self._tokens.accept("OR"):
            found.append(self._conjunction())
        self._depth -= 1
        return found[0] if len(found) == 1 else _call("or", *found)

    def _conjunction(self) -> Any:
        found = [self._factor()]
        while self._tokens.accept("AND"):
            found.append(self._factor())
        return found[0] if len(found) == 1 else _call("and", *found)

    def _factor(self) -> Any:
        if not self._tokens.accept("NOT"):
            return self._predicate()
        self._deeper()
        found = _call("not", self._factor())
        self._depth -= 1
        return found

    def _predicate(self) -> Any:
        left = self._sum()
        if sign := self._tokens.accept_sign(*_COMPARISONS):
            return _call("<>" if sign == "!=" else sign, left, self._sum())
        if self._tokens.accept("IS"):
            negated = self._tokens.accept("NOT")
            if not self._tokens.accept("NULL"):
                self._tokens.fail("NULL or NOT NULL")
            return _negated(_call("isNull", left), negated)
        negated = self._tokens.accept("NOT")
        if self._tokens.accept("LIKE"):
            return _negated(_call("like", left, self._sum()), negated)
        if self._tokens.accept("BETWEEN"):
            return _negated(self._between(left), negated)
        if self._tokens.accept("IN"):
            return _negated(_call("in", left, self._list()), negated)
        if negated:
            self._tokens.fail("LIKE, BETWEEN or IN")
        return left

    def _between(self, left: Any) -> Any:
        low = self._sum()
        if not self._tokens.accept("AND"):
            self._tokens.fail("AND")
        return _call("between", left, low, self._sum())

    def _sum(self) -> Any:
        found = self._product()
        while sign := self._tokens.accept_sign("+", "-"):
            found = _call(sign, found, self._product())
        return found

    def _product(self) -> Any:
        found = self._power()
        while sign := self._tokens.accept_sign("*", "/", "%") or ("div" if self._tokens.accept("DIV") else ""):
            found = _call(sign, found, self._power())
        return found

    def _power(self) -> Any:
        found = self._signed()
        if self._tokens.accept_sign("^"):
            found = _call("^", found, self._signed())
            if self._tokens.peek.text == "^":
                self._tokens.fail("parentheses that say which ^ comes first before a second one")
        return found

    def _signed(self) -> Any:
        if not (sign := self._tokens.accept_sign("-", "+")):
            return self._primary()
        if self._tokens.peek.kind == "number":
            size = float(self._tokens.take().text)
            return -size if sign == "-" else size
        self._deeper()
        found = self._signed()
        self._depth -= 1
        return _call("*", -1.0, found) if sign == "-" else found

    def _primary(self) -> Any:
        tokens, word = self._tokens, self._tokens.word()
        if tokens.peek.kind == "number":
            return float(tokens.take().text)
        if tokens.peek.kind == "text":
            return tokens.take().text
        if tokens.peek.kind == "quoted":
            return {"property": tokens.take().text}
        if tokens.accept_sign("("):
            found = self._condition()
            if not tokens.accept_sign(")"):
                tokens.fail("an operator or )")
            return found
        if tokens.accept("TRUE", "FALSE"):
            return word == "TRUE"
        if starts_shape(tokens):
            return shape(tokens)
        if not word or word in _KEYWORDS:
            tokens.fail("a property, value or function")
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
        """Arguments of a function; those of an array function may be lists."""
        self._deeper()
        self._tokens.expect_sign("(")
        found: list[Any] = []
        while not self._tokens.accept_sign(")"):
            if found and not self._tokens.accept_sign(","):
                self._tokens.fail(", or )")
            found.append(self._list() if lists and self._tokens.is_open() else self._condition())
        self._depth -= 1
        return found

    def _list(self) -> list[Any]:
        """Values in parentheses; none is a list too."""
        self._deeper()
        self._tokens.expect_sign("(")
        found: list[Any] = []
        while not self._tokens.accept_sign(")"):
            if found and not self._tokens.accept_sign(","):
                self._tokens.fail(", or )")
            if len(found) == MAX_VALUES:
                self._tokens.fail(f"at most {MAX_VALUES} values in a list")
            found.append(self._sum())
        self._depth -= 1
        return found

    def _instant(self) -> str:
        self._tokens.expect_sign("(")
        if self._tokens.peek.kind != "text":
            self._tokens.fail("a date or time in quotes")
        found = self._tokens.take().text
        self._tokens.expect_sign(")")
        return found

    def _end(self) -> Any:
        """One end of an interval."""
        tokens = self._tokens
        if tokens.peek.kind == "text":
            return tokens.take().text
        if tokens.word() in ("DATE", "TIMESTAMP") and tokens.opens():
            tokens.take()
            return self._instant()
        if tokens.peek.kind not in ("name", "quoted"):
            tokens.fail("a date in quotes, '..' or a property")
        return {"property": tokens.take().text}

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._tokens.fail(f"at most {MAX_DEPTH} levels of nesting")


def _call(op: str, *args: Any) -> dict[str, Any]:
    return {"op": op, "args": list(args)}


def _negated(condition: Any, negated: bool) -> Any:
    return _call("not", condition) if negated else condition
