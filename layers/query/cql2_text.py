"""CQL2 filters (OGC 21-065r2) read from text or JSON to one plain JSON tree; knows nothing of any collection.

The parser is of the house: a descent over tokens, in time proportional to the text. That of cql2 0.6.0 ends the process
at some thousand nested parentheses, and its time doubles with each that does not close; it is an oracle of the tests.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, NoReturn

import orjson

from layers.query.cql2_tree import MAX_DEPTH, MAX_VALUES, POSITIONS, FilterError, Tree, checked, is_plain

#: Name of each type in capitals to its name in GeoJSON.
TYPES: Mapping[str, str] = MappingProxyType({name.upper(): name for name in (*POSITIONS, "GeometryCollection")})


def starts_shape(tokens: Tokens) -> bool:
    """Whether a geometry comes: the name of its type and what opens it; else it is the name of a property."""
    return tokens.word() in TYPES and tokens.opens(also="Z")


def shape(tokens: Tokens, within: bool = False) -> dict[str, Any]:
    """One geometry, with or without Z. Empty ones are refused: they would meet nothing.

    Raises
    ------
    FilterError
        If something else comes.
    """
    if tokens.word() not in TYPES or (within and tokens.word() == "GEOMETRYCOLLECTION"):
        tokens.fail("a geometry such as POINT(30.7 46.5)")
    kind = TYPES[tokens.take().text.upper()]
    tokens.accept("Z")
    if kind == "GeometryCollection":
        return {"type": kind, "geometries": listed(tokens, lambda: shape(tokens, within=True))}
    if kind == "Point":
        return {"type": kind, "coordinates": _one(tokens)}
    return {"type": kind, "coordinates": _coordinates(tokens, POSITIONS[kind], kind == "MultiPoint")}


def listed(tokens: Tokens, one: Callable[[], Any]) -> list[Any]:
    """One or more of something in parentheses, with commas between.

    Raises
    ------
    FilterError
        If something else comes.
    """
    tokens.expect_sign("(")
    found = [one()]
    while tokens.accept_sign(","):
        found.append(one())
    if not tokens.accept_sign(")"):
        tokens.fail(", or )")
    return found


def signed(tokens: Tokens) -> float:
    """A number with or without a sign.

    Raises
    ------
    FilterError
        If something else comes.
    """
    sign = tokens.accept_sign("-", "+")
    if tokens.peek.kind != "number":
        tokens.fail("a number")
    size = float(tokens.take().text)
    return -size if sign == "-" else size


def _one(tokens: Tokens) -> list[float]:
    """A position in parentheses of its own."""
    tokens.expect_sign("(")
    found = _position(tokens)
    tokens.expect_sign(")")
    return found


def _coordinates(tokens: Tokens, deep: int, points: bool) -> list[Any]:
    if deep > 1:
        return listed(tokens, lambda: _coordinates(tokens, deep - 1, points))
    return listed(tokens, lambda: _one(tokens) if points and tokens.is_open() else _position(tokens))


def _position(tokens: Tokens) -> list[float]:
    found = [signed(tokens), signed(tokens)]
    if tokens.peek.kind == "number" or tokens.peek.text in ("-", "+"):
        found.append(signed(tokens))
    return found


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
    """One token; ``at`` is its position in the text, from 1."""

    kind: Kind
    text: str
    at: int


class Tokens:
    """The tokens of a text, read from left to right.

    Raises
    ------
    FilterError
        If the text holds what is no token.
    """

    def __init__(self, text: str) -> None:
        self._tokens = list(_cut(text))
        self._next = 0

    @property
    def peek(self) -> Token:
        """The next token."""
        return self._tokens[self._next]

    def take(self) -> Token:
        """The next token, which is passed over; the end is given again and again."""
        token = self.peek
        self._next = min(self._next + 1, len(self._tokens) - 1)
        return token

    def word(self) -> str:
        """The next token in capitals if it is an unquoted name, else nothing."""
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
        """Pass over the next token if it is one of these keywords, and say so."""
        found = self.word() in keywords
        if found:
            self.take()
        return found

    def accept_sign(self, *signs: str) -> str:
        """Pass over the next token if it is one of these signs, and give it; else nothing."""
        if self.peek.kind == "sign" and self.peek.text in signs:
            return self.take().text
        return ""

    def expect_sign(self, sign: str) -> None:
        """Pass over a sign.

        Raises
        ------
        FilterError
            If something else comes.
        """
        if not self.accept_sign(sign):
            self.fail(sign)

    def fail(self, expected: str) -> NoReturn:
        """Refuse the next token.

        Raises
        ------
        FilterError
            Always.
        """
        token = self.peek
        got = "the end" if token.kind == "end" else repr(token.text[:40])
        raise FilterError(f"{expected}, not {got}", f"character {token.at}")


def _cut(text: str) -> Iterator[Token]:
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise FilterError(_cause(text[at]), f"character {at + 1}")
        kind, told = found.lastgroup, found.group()
        if kind != "space":
            yield Token(kind, _unquoted(told), at + 1)  # type: ignore[arg-type]
        at = found.end()
    yield Token("end", "", len(text) + 1)


def _unquoted(told: str) -> str:
    if told[0] == '"':
        return told[1:-1].replace('""', '"')
    if told[0] == "'":
        return _ESCAPE.sub(lambda found: _ESCAPES.get(found.group(), found.group()), told[1:-1])
    return told


def _cause(letter: str) -> str:
    if letter in "'\"":
        return f"a closing {letter}"
    return f"no {letter!r} outside quotes"


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
