"""CQL2 text cut into tokens, and the cursor that a parser reads them with. Takes time in proportion to the text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, NoReturn

from layers.filter_tree import FilterError

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
