"""Texts of a filter, compared by code point: each word of a column's dictionary is judged once, rows by their codes."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from typing import Any

import numpy as np

from geo.columnar.dictionary_array import Codes
from geo.lonlat import Bools
from layers.collections.collection import Collection
from layers.collections.column_values import Words
from layers.query.cql2_tree import FilterError
from layers.query.operands import COMPARISONS, FOLDS, MIRRORED, Leaf, Scope, Truth, operands, present, refuse

#: Longest pattern of LIKE.
MAX_PATTERN = 250
#: Letters with a stroke or without their dot, which Unicode does not take apart.
_STROKES = str.maketrans("ĐđĦħŁłØøŦŧƗɨı", "DdHhLlOoTtIii")


@dataclass(frozen=True, slots=True)
class Text:
    """A text of each row, that of a column (``name``) or a literal; ``fold`` names what is taken off, see `folded`."""

    name: str | None
    fold: str
    literal: str = ""

    def words(self, collection: Collection) -> Words:
        """The column as codes of a dictionary of folded words."""
        plain = collection.values(str(self.name)).words
        return plain.folded(self.fold, lambda word: folded(word, self.fold)) if self.fold else plain

    def known(self, collection: Collection) -> Bools | bool:
        """Which rows have a text."""
        return True if self.name is None else present(collection, self.name)


def texts(scope: Scope, node: Any, pointer: str) -> Text:
    """A column, a literal, or either within CASEI or ACCENTI.

    Raises
    ------
    FilterError
        If it is something else.
    """
    folds: set[str] = set()
    while isinstance(node, dict) and node.get("op") in FOLDS:
        folds.add(node["op"])
        (node,) = operands(node, 1, pointer)
        pointer += "/args/0"
    if scope.sort(node, pointer) != "text":
        refuse(scope, node, "text", pointer)
    fold = "+".join(name for name in FOLDS if name in folds)
    return Text(node["property"], fold) if isinstance(node, dict) else Text(None, fold, folded(node, fold))


def folded(text: str, fold: str) -> str:
    """A text without its accents (accenti), its case (casei) or both, in Unicode's composed form; the accents go first.

    Case is taken off by full case folding. Accents are the marks that Unicode takes apart from their letters, so that
    й is и, and strokes, so that ł is l.
    """
    if text.isascii():
        return text.lower() if "casei" in fold else text
    if "accenti" in fold:
        apart = unicodedata.normalize("NFD", text).translate(_STROKES)
        text = "".join(letter for letter in apart if unicodedata.category(letter) != "Mn")
    if "casei" in fold:
        text = unicodedata.normalize("NFD", text).casefold()
    return unicodedata.normalize("NFC", text) if fold else text


def compared(op: str, left: Text, right: Text) -> Leaf:
    """Whether one text is before another, equal and so on, by code point; unknown where either is."""
    if left.name is None and right.name is None:
        told = bool(COMPARISONS[op](left.literal, right.literal))
        return lambda collection: (told, True)
    if left.name is None:
        return compared(MIRRORED[op], right, left)
    if right.name is None:
        return lambda collection: (_against(op, left.words(collection), right.literal), left.known(collection))
    return lambda collection: (_between(op, collection, left, right), _both_known(collection, left, right))


def among(text: Text, listed: Sequence[str]) -> Leaf:
    """Whether a text is one of a list."""
    if text.name is None:
        told = text.literal in listed
        return lambda collection: (told, True)

    def truth(collection: Collection) -> Truth:
        words = text.words(collection)
        chosen = np.zeros(len(words.words) + 1, dtype=bool)
        for literal in listed:
            place = bisect_left(words.words, literal)
            chosen[place] |= _is_at(words, place, literal)
        return chosen[words.codes], text.known(collection)

    return truth


def like(text: Text, pattern: Text, pointer: str) -> Leaf:
    """Whether a text matches a pattern: % is any characters, _ is one, a backslash takes either at its word.

    Raises
    ------
    FilterError
        If the pattern is a column, too long, or ends in the middle of an escape.
    """
    if pattern.name is not None:
        raise FilterError("a pattern in quotes, not a property", pointer)
    if len(pattern.literal) > MAX_PATTERN:
        raise FilterError(f"a pattern of at most {MAX_PATTERN} characters", pointer)
    read = _pattern(pattern.literal, pointer)
    if text.name is None:
        told = read.expression.fullmatch(text.literal) is not None
        return lambda collection: (told, True)
    return lambda collection: (read.chosen(text.words(collection)), text.known(collection))


@dataclass(frozen=True, slots=True)
class _Pattern:
    """A pattern of LIKE, and what makes the usual ones quick.

    Parameters
    ----------
    expression
        The whole pattern.
    start
        What every match begins with.
    rest
        What may follow, where any match of that is one: "" anything, other texts anything that holds it; else None.
    """

    expression: re.Pattern[str]
    start: str
    rest: str | None

    def chosen(self, words: Words) -> Bools:
        """Which rows match. Words are in order, so that those with the same beginning are neighbours."""
        size = len(self.start)
        low = bisect_left(words.words, self.start)
        high = bisect_right(words.words, self.start, low, key=lambda word: word[:size])
        chosen = np.zeros(len(words.words) + 1, dtype=bool)
        if self.rest is None:
            chosen[low:high] = [self.expression.fullmatch(word) is not None for word in words.words[low:high]]
        elif self.rest:
            chosen[:-1] = words.holding(self.rest)
        else:
            chosen[low:high] = True
        return chosen[words.codes]


@lru_cache(maxsize=256)
def _pattern(pattern: str, pointer: str) -> _Pattern:
    """Read a pattern; as an expression it never goes back: what is between two % is taken at its first place."""
    pieces: list[list[str | None]] = [[]]
    letters = iter(pattern)
    for letter in letters:
        if letter == "%":
            pieces.append([])
            continue
        taken = next(letters, "") if letter == "\\" else letter
        if not taken:
            raise FilterError("a character after the \\ at the end of the pattern", pointer)
        pieces[-1].append(None if letter == "_" else taken)
    told = ["".join("." if one is None else re.escape(one) for one in piece) for piece in pieces]
    inner = "".join(f"(?>.*?{piece})" for piece in told[1:-1] if piece)
    expression = told[0] if len(told) == 1 else f"{told[0]}{inner}.*{told[-1]}"
    return _Pattern(re.compile(expression, re.DOTALL), _start(pieces[0]), _rest(pieces))


def _start(piece: Sequence[str | None]) -> str:
    return "".join(one for one in takewhile(lambda one: one is not None, piece) if one)


def _rest(pieces: Sequence[Sequence[str | None]]) -> str | None:
    plain = ["".join(one for one in piece if one) for piece in pieces]
    if any(None in piece for piece in pieces) or len(pieces) == 1 or pieces[-1]:
        return None
    if len(pieces) == 2:
        return ""
    return plain[1] if len(pieces) == 3 and not plain[0] else None


def _against(op: str, words: Words, literal: str) -> Bools:
    """A column against a literal, which is between two words of the dictionary or one of them."""
    place = bisect_left(words.words, literal)
    there = _is_at(words, place, literal)
    codes = words.codes
    if op in ("=", "<>"):
        same = codes == place if there else np.zeros(len(codes), dtype=bool)
        return same if op == "=" else ~same
    if op in ("<", ">="):
        return codes < place if op == "<" else codes >= place
    return codes >= place + there if op == ">" else codes < place + there


def _is_at(words: Words, place: int, literal: str) -> bool:
    return place < len(words.words) and words.words[place] == literal


def _between(op: str, collection: Collection, left: Text, right: Text) -> Bools:
    """Two columns, by the places of both in the dictionary of the left one."""
    a, b = left.words(collection), right.words(collection)
    places: Codes = collection.recent.get(("places", left, right), lambda: _places(a, b))
    found: Bools = COMPARISONS[op](2 * a.codes + 1, places[b.codes])
    return found


def _places(a: Words, b: Words) -> Codes:
    """Twice the place of each word of b in a, and 1 more where it is a word of a."""
    words = list(a.words)  # all of them are looked at
    places = [bisect_left(words, word) for word in b.words]
    told = [2 * place + (words[place : place + 1] == [word]) for place, word in zip(places, b.words, strict=True)]
    return np.array([*told, -1], dtype=np.int32)


def _both_known(collection: Collection, left: Text, right: Text) -> Bools | bool:
    a, b = left.known(collection), right.known(collection)
    return b if a is True else a if b is True else a & b
