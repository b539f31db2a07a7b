"""Texts in filters, compared by code point, and lists of texts, compared as sets (21-065r2, /req/array-functions).

Each word of a column's dictionary is judged once, rows by their codes.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache, partial
from itertools import takewhile
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np

from geo.columnar.dictionary_array import Codes
from geo.lonlat import Bools
from layers.collections.collection import Collection
from layers.collections.column_values import Array, ListValues, TextValues
from layers.model.messages import Message
from layers.query.checked_tree import COMPARISONS, MIRRORED, Operator, Truth, both, present
from layers.query.cql2_tree import FilterError

#: Functions that make texts alike before they are compared (21-065r2, 7.4).
FOLDS = ("casei", "accenti")
#: Longest pattern of LIKE.
MAX_PATTERN = 250
#: Letters with a stroke or without their dot, which Unicode does not take apart.
_STROKES = str.maketrans("ĐđĦħŁłØøŦŧƗɨı", "DdHhLlOoTtIii")


@dataclass(frozen=True)
class TextOperand:
    """A text in each row.

    Parameters
    ----------
    name
        The property, ``None`` of a literal.
    fold
        What is taken off before texts are compared, see `folded`.
    literal
        The literal as it is written.
    """

    name: str | None
    fold: str = ""
    literal: str = ""

    @property
    def is_literal(self) -> bool:
        """Whether the operand is one text for all rows."""
        return self.name is None

    @cached_property
    def value(self) -> str:
        """The literal, folded."""
        return folded(self.literal, self.fold)

    def words(self, collection: Collection) -> TextValues:
        """The column as codes of a dictionary of folded words."""
        plain = collection.values(str(self.name)).words
        return plain.folded(self.fold, lambda word: folded(word, self.fold)) if self.fold else plain

    def known(self, collection: Collection) -> Bools | bool:
        """Which rows have a text, shape (n,), or True where all have."""
        return True if self.name is None else present(collection, self.name)


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


def _with_fold(name: str, text: TextOperand) -> TextOperand:
    """A text folded once more; the order of the folds does not matter."""
    return replace(text, fold="+".join(fold for fold in FOLDS if fold == name or fold in text.fold))


def _compare(op: str, collection: Collection, left: TextOperand, right: TextOperand) -> Truth:
    """Compare row by row, by code point; unknown where either text is."""
    if left.is_literal and right.is_literal:
        return bool(COMPARISONS[op](left.value, right.value)), True
    if left.is_literal:
        return _compare(MIRRORED[op], collection, right, left)
    known = both(left.known(collection), right.known(collection))
    if right.is_literal:
        return _compare_with_literal(op, left.words(collection), right.value), known
    return _compare_columns(op, collection, left, right), known


def _compare_with_literal(op: str, words: TextValues, literal: str) -> Bools:
    """Compare a column with a literal, which is a word of the dictionary or lies between two."""
    rank = bisect_left(words.words, literal)
    exact = _is_at(words, rank, literal)
    codes = words.codes
    if op in ("=", "<>"):
        same = codes == rank if exact else np.zeros(len(codes), dtype=bool)
        return same if op == "=" else ~same
    if op in ("<", ">="):
        return codes < rank if op == "<" else codes >= rank
    return codes >= rank + exact if op == ">" else codes < rank + exact


def _is_at(words: TextValues, rank: int, literal: str) -> bool:
    return rank < len(words.words) and words.words[rank] == literal


def _compare_columns(op: str, collection: Collection, left: TextOperand, right: TextOperand) -> Bools:
    """Compare two columns by the ranks of both in the dictionary of the left one."""
    a, b = left.words(collection), right.words(collection)
    ranks: Codes = collection.query_cache.get_or_compute(("places", left, right), lambda: _ranks(a, b))
    result: Bools = COMPARISONS[op](2 * a.codes + 1, ranks[b.codes])
    return result


def _ranks(a: TextValues, b: TextValues) -> Codes:
    """Twice the rank of each word of b among those of a, and 1 more where it is a word of a; -1 for missing texts."""
    words = list(a.words)  # all of them are looked at
    ranks = [bisect_left(words, word) for word in b.words]
    doubled = [2 * rank + (words[rank : rank + 1] == [word]) for rank, word in zip(ranks, b.words, strict=True)]
    return np.array([*doubled, -1], dtype=np.int32)


def _is_null(collection: Collection, text: TextOperand) -> Truth:
    return np.logical_not(text.known(collection)), True


@dataclass(frozen=True, slots=True)
class Pattern:
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

    def matches(self, words: TextValues) -> Bools:
        """Mark the rows whose text matches.

        Gives shape (n,); False for a row without a text.

        ``words``: the texts of n rows. Its words are in order, so that those with the same beginning are neighbours.
        """
        size = len(self.start)
        low = bisect_left(words.words, self.start)
        high = bisect_right(words.words, self.start, low, key=lambda word: word[:size])
        chosen = np.zeros(len(words.words) + 1, dtype=bool)
        if self.rest is None:
            chosen[low:high] = [self.expression.fullmatch(word) is not None for word in words.words[low:high]]
        elif self.rest:
            chosen[:-1] = words.containing(self.rest)
        else:
            chosen[low:high] = True
        return chosen[words.codes]


def read_pattern(text: TextOperand, pointer: str) -> Pattern:
    """Read a pattern of LIKE: % is any characters, _ is one, a backslash takes either at its word.

    Raises FilterError if the pattern is a property, too long, or ends in the middle of an escape.
    """
    if not text.is_literal:
        raise FilterError(Message("filter.pattern-in-quotes"), pointer)
    if len(text.value) > MAX_PATTERN:
        raise FilterError(Message("filter.pattern-length", {"limit": MAX_PATTERN}), pointer)
    return _pattern(text.value, pointer)


@lru_cache(maxsize=256)
def _pattern(pattern: str, pointer: str) -> Pattern:
    """Read a pattern; its expression never backtracks: what is between two % is matched where it first occurs."""
    pieces: list[list[str | None]] = [[]]
    letters = iter(pattern)
    for letter in letters:
        if letter == "%":
            pieces.append([])
            continue
        taken = next(letters, "") if letter == "\\" else letter
        if not taken:
            raise FilterError(Message("filter.pattern-end"), pointer)
        pieces[-1].append(None if letter == "_" else taken)
    parts = ["".join("." if letter is None else re.escape(letter) for letter in piece) for piece in pieces]
    inner = "".join(f"(?>.*?{part})" for part in parts[1:-1] if part)
    expression = parts[0] if len(parts) == 1 else f"{parts[0]}{inner}.*{parts[-1]}"
    return Pattern(re.compile(expression, re.DOTALL), _start(pieces[0]), _rest(pieces))


def _start(piece: Sequence[str | None]) -> str:
    return "".join(letter for letter in takewhile(lambda letter: letter is not None, piece) if letter)


def _rest(pieces: Sequence[Sequence[str | None]]) -> str | None:
    plain = ["".join(letter for letter in piece if letter) for piece in pieces]
    if any(None in piece for piece in pieces) or len(pieces) == 1 or pieces[-1]:
        return None
    if len(pieces) == 2:
        return ""
    return plain[1] if len(pieces) == 3 and not plain[0] else None


def _like(collection: Collection, text: TextOperand, pattern: Pattern) -> Truth:
    """Whether a text matches a pattern; unknown where it is missing."""
    if text.is_literal:
        return pattern.expression.fullmatch(text.value) is not None, True
    return pattern.matches(text.words(collection)), text.known(collection)


#: Each relation by the numbers of texts that both lists have in common, that the first has, and that the second has.
RELATIONS: Mapping[str, Callable[[Any, Any, Any], Any]] = MappingProxyType(
    {
        "a_equals": lambda common, a, b: (common == a) & (common == b),
        "a_contains": lambda common, a, b: common == b,
        "a_containedby": lambda common, a, b: common == a,
        "a_overlaps": lambda common, a, b: common > 0,
    }
)


@dataclass(frozen=True, slots=True)
class ListColumn:
    """A property whose values are lists of texts."""

    name: str

    def lists(self, collection: Collection) -> ListValues:
        """The lists of all rows as codes of a dictionary."""
        return collection.values(self.name).lists


#: A column, or the different texts of a literal.
TextList: TypeAlias = ListColumn | frozenset[str]


def read_list(node: Sequence[object], pointer: str) -> frozenset[str]:
    """The different texts of a literal list.

    Raises FilterError if it holds anything but texts.
    """
    for index, item in enumerate(node):
        if not isinstance(item, str):
            raise FilterError(Message("filter.quoted-text"), f"{pointer}/{index}")
    return frozenset(item for item in node if isinstance(item, str))


def _relate(relation: str, collection: Collection, a: TextList, b: TextList) -> Truth:
    """Whether two lists stand in a relation; never unknown, as a list without texts is a list."""
    holds = RELATIONS[relation](_common(collection, a, b), _length(collection, a), _length(collection, b))
    return holds, True


def _length(collection: Collection, texts: TextList) -> Any:
    return texts.lists(collection).lengths if isinstance(texts, ListColumn) else len(texts)


def _common(collection: Collection, a: TextList, b: TextList) -> Any:
    """How many texts both lists have, shape (n,), or one number where both are literals."""
    if isinstance(a, ListColumn):
        lists = a.lists(collection)
        shared = _in_column(lists, b.lists(collection)) if isinstance(b, ListColumn) else _in_literal(lists, b)
        return np.bincount(lists.rows[shared], minlength=len(lists.lengths))
    if isinstance(b, ListColumn):
        return _common(collection, b, a)
    return len(a & b)


def _in_literal(lists: ListValues, texts: frozenset[str]) -> Array:
    """Which of the texts of all rows are in a literal, shape (number of texts of all rows,)."""
    wanted = np.zeros(len(lists.words), dtype=bool)
    for text in texts:
        code = bisect_left(lists.words, text)
        if code < len(lists.words) and lists.words[code] == text:
            wanted[code] = True
    return wanted[lists.codes]


def _in_column(a: ListValues, b: ListValues) -> Array:
    """Which of the texts of all rows of a are in the same row of b, shape (number of texts of all rows,)."""
    codes = {word: code for code, word in enumerate(a.words)}
    code_in_a = np.array([codes.get(word, -1) for word in b.words], dtype=np.int64)
    of_b = code_in_a[b.codes] if len(b.words) else np.empty(0, dtype=np.int64)
    size = max(1, len(a.words))
    shared = b.rows[of_b >= 0] * size + of_b[of_b >= 0]
    return np.isin(a.rows * size + a.codes, shared)


OPERATORS: Sequence[Operator] = (
    *(Operator(name, (("text",),), partial(_with_fold, name), "text") for name in FOLDS),
    *(Operator(op, (("text",), ("text",)), partial(_compare, op)) for op in COMPARISONS),
    Operator("like", (("text",), ("pattern",)), _like),
    Operator("isNull", (("text",),), _is_null),
    *(Operator(name, (("list",), ("list",)), partial(_relate, name)) for name in RELATIONS),
)
