"""What reports of strikes say, comparable across English, Ukrainian and Russian: words, places, numbers, buildings.

Knows no record. The words are in strike_words.toml.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from layers.text.place_names import SITE_WORDS
from layers.text.place_names import fold as fold_place
from layers.text.place_names import stem as stem_place
from layers.text.strike_terms import STRIKE_WORDS, has_root, roots_of, word_stem, words

#: Letters of a text that are folded at once, less than names are cut at.
_PIECE = 250
#: Letters of the shortest word that is compared.
_SHORTEST = 3

#: Buildings and objects that are no asset, by the first letters of words as `strike_terms.words` spells them;
#: ``=`` asks for the whole word.
BUILDING_WORDS = roots_of("buildings")
BUILDINGS: tuple[str, ...] = tuple(BUILDING_WORDS)

#: What reports count, by the first letters of words.
_COUNTED = roots_of("counted")
_SMALL_NUMBERS = {word: int(number) for number, words in STRIKE_WORDS["numbers"].items() for word in words}
#: Words between a number and what it counts.
_NEAR = 3

_WORD = re.compile(r"[^\W\d_][\w'’ʼ-]*")
#: Words after a name that make it that of a region, and ends that do.
_REGION = re.compile(r"област|район|oblast|region|district|raion|krai|край|напрям|направ|direction", re.IGNORECASE)
_OF_REGION = ("щин", "ччин")


def _pieces(text: str) -> Iterator[str]:
    """Cut a text at spaces into pieces that are short enough to be folded whole."""
    while len(text) > _PIECE:
        at = text.rfind(" ", 1, _PIECE)
        at = at if at > 0 else _PIECE
        yield text[:at]
        text = text[at:].lstrip()
    if text:
        yield text


def report_words(text: str) -> list[str]:
    """Return all words of a text in one Latin spelling, in order."""
    return [word for piece in _pieces(text) for word in words(piece)]


def word_stems(texts: Iterable[str]) -> frozenset[str]:
    """Return the stems of all words of texts from three letters on, common ones too."""
    return frozenset(word_stem(word) for text in texts for word in report_words(text) if len(word) >= _SHORTEST)


@lru_cache(maxsize=200_000)
def place_key(name: str) -> str:
    """Return the key of a word of a place name: letters that the languages write apart are one, without case endings.

    ``Макіївці`` and ``Макеевка`` are both ``makevk``.
    """
    key = re.sub(r"[ieo]+", "e", stem_place(fold_place(name)))
    return key[:6]


#: Towns with a name in one language that no rule of spelling makes of the other's.
_OTHER_NAMES = {place_key(name): place_key(usual) for usual, names in STRIKE_WORDS["towns"].items() for name in names}
#: Names that are no town: regions, countries, and a pipeline that places are called after.
_REGIONS = frozenset(place_key(name) for name in (*STRIKE_WORDS["regions"], *SITE_WORDS["namesakes"]))


def places_named(text: str, known: frozenset[str]) -> frozenset[str]:
    """Return the keys of the places that a text names, of those known; not those of regions, as in "Kherson oblast".

    A name has a capital letter; the first word of a sentence is one too if it is known.
    """
    found = list(_WORD.finditer(text))
    named = set()
    for at, match in enumerate(found):
        word = match[0]
        if not word[0].isupper() or len(word) < _SHORTEST or any(end in word for end in _OF_REGION):
            continue
        after = found[at + 1] if at + 1 < len(found) else None
        if after is not None and after.start() - match.end() <= 1 and _REGION.match(after[0]):
            continue
        key = place_key(word)
        if key not in _REGIONS and (key := _OTHER_NAMES.get(key, key)) in known:
            named.add(key)
    return frozenset(named)


def place_keys(name: str) -> frozenset[str]:
    """Return the keys of the capitalised words of a place name from four letters on."""
    found = (match[0] for match in _WORD.finditer(name))
    keys = (place_key(word) for word in found if len(word) > _SHORTEST and word[0].isupper())
    return frozenset(_OTHER_NAMES.get(key, key) for key in keys)


def counts(text: str) -> frozenset[tuple[str, int]]:
    """Return what a text counts, each with its number from 2 to 9,999, such as killed, wounded or missiles."""
    row = report_words(text)
    found = set()
    for at, word in enumerate(row):
        number = int(word) if word.isascii() and word.isdigit() and len(word) <= 4 else _SMALL_NUMBERS.get(word, 0)
        if number < 2:
            continue
        for other in (*row[at + 1 : at + 1 + _NEAR], *reversed(row[max(at - _NEAR, 0) : at])):
            if noun := _noun(other):
                found.add((noun, number))
                break
    return frozenset(found)


@lru_cache(maxsize=100_000)
def _noun(word: str) -> str:
    return next((noun for noun, roots in _COUNTED.items() if word.startswith(roots)), "")


def buildings(texts: Iterable[str]) -> int:
    """Return the buildings that texts name, as a mask by `BUILDINGS`; 0 where they name none."""
    mask = 0
    for text in texts:
        for word in report_words(text):
            mask |= _buildings_of(word)
    return mask


@lru_cache(maxsize=200_000)
def _buildings_of(word: str) -> int:
    return sum(1 << bit for bit, roots in enumerate(BUILDING_WORDS.values()) if has_root(word, roots))
