"""Texts and names of sites made comparable: word stems in Latin letters, the kinds of site that a text tells of."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from layers.text.company_names import fold
from layers.text.company_words import LEGAL_FORMS, STOP_WORDS
from layers.text.site_words import COMMON_WORDS, DIRECTIONS, KIND_WORDS, KINDS, RARE, TELLING, VAGUE, related

#: Shortest stem that tells anything.
MIN_STEM = 3

# What Ukrainian, Russian and English inflect a place word with, as `names` spells it: first the adjective, then the
# case, then the consonants that change before both. Кременчуцького, Кременчугского and Kremenchuk are one stem.
_ADJECTIVE = re.compile(
    r"(?<=...)(?:ts|s|z|zh|sh|ch)?k(?:ogo|oho|omu|imi|oiu|oie|aia|uiu|oe|ii?|oi|im|ih|ie|a|e|u|o)$|(?<=...)sk$"
)
_CASE = re.compile(
    r"(?<=...)(?:iami|iah|iam|ami|ogo|omu|aia|oiu|ii|oe|oi|ie|im|ih|om|em|ah|am|ia|iu|ui|io|ei|iv|ov|ev|[eiauo])$"
)
_POSSESSIVE = re.compile(r"(?<=...)[oei]v$|(?<=....)i$")
_CHANGING = re.compile(r"(?<=...)(?:shch|sh|ch|ts|zh|[kghs])$")
_LAST = re.compile(r"(?<=....)[aeiou]$")
_DOUBLE = re.compile(r"(zh|sh|ch|[a-z])\1")
# Where Ukrainian, Russian and English transliterations differ inside a word: Львів, Львов; Луганськ, Luhansk.
_SAME = {"kiev": "kiv", "kiew": "kiv"}
_BETWEEN = str.maketrans("eog", "iih")
_WORD = re.compile(r"[^\W_]+(?:['’ʼ`´][^\W_]+)*")
_NUMBER = re.compile(r"(?<![\d.,])\d{1,2}(?![\d.,])")


@lru_cache(maxsize=400_000)
def stem(word: str) -> str:
    """The part of a folded word that its inflection leaves; the word itself where it is short or has a digit."""
    if any(letter.isdigit() for letter in word):
        return word
    bare = _DOUBLE.sub(r"\1", word)
    noun, adjective = _ADJECTIVE.subn("", bare, count=1)
    bare = _POSSESSIVE.sub("", noun) if adjective else _CASE.sub("", bare, count=1)
    bare = _LAST.sub("", _CHANGING.sub("", bare))
    return _SAME.get(bare, bare).translate(_BETWEEN)


@lru_cache(maxsize=400_000)
def stems(text: str) -> tuple[str, ...]:
    """The telling stems of a name or text, each once, in its order: no kinds, no common words, no bare numbers."""
    return tuple(dict.fromkeys(one for word in _WORD.findall(text) for one in _telling(word)))


@lru_cache(maxsize=400_000)
def _telling(word: str) -> tuple[str, ...]:
    """The telling stems of one printed word."""
    found = (_DIRECTION.get(one) or stem(one) for one in fold(word).words if one not in _COMMON)
    return tuple(one for one in found if len(one) >= MIN_STEM and not one.isdigit() and one not in _COMMON_STEMS)


def numbers(text: str) -> int:
    """Whole numbers from 0 to 63 that stand in a name, each as its bit."""
    return sum(1 << one for one in {int(one) for one in _NUMBER.findall(text)} if one < 64)


def kinds_told(text: str) -> int:
    """Kinds of site that a text tells of, as bits by `KINDS`; a vague one only where there is no other."""
    alone = parts = 0
    for word in _WORD.findall(text):
        one, some = _of_kinds(word)
        alone, parts = alone | one, parts | some
    if parts:
        alone |= mask(kind for kind, need in _TOGETHER if parts & need == need)
    return alone & ~_VAGUE or alone


@lru_cache(maxsize=400_000)
def _of_kinds(word: str) -> tuple[int, int]:
    """Kinds that a printed word tells of by itself, and its part in what several words tell, as bits."""
    plain = word.casefold()
    alone = mask(kind for kind, part in _ALONE.get(plain[:2], ()) if _fits(plain, part))
    return alone, sum(1 << bit for part, bit in _PARTS_BY.get(plain[:2], ()) if _fits(plain, part))


def mask(kinds: Iterable[str]) -> int:
    """Kinds as bits by `KINDS`."""
    return sum(1 << _BIT[kind] for kind in set(kinds))


def _fits(word: str, part: str) -> bool:
    return word == part[1:] if part.startswith("=") else word.startswith(part)


_BIT = {kind: bit for bit, kind in enumerate(KINDS)}
_TELLINGS = [(kind, one.casefold().split("+")) for kind, told in KIND_WORDS.items() for one in told]
_ALONE: dict[str, list[tuple[str, str]]] = {}  # by the first two letters
for _kind, _told in _TELLINGS:
    if len(_told) == 1:
        _ALONE.setdefault(_told[0].lstrip("=")[:2], []).append((_kind, _told[0]))
_PARTS = {
    part: bit
    for bit, part in enumerate(dict.fromkeys(part for _, parts in _TELLINGS if len(parts) > 1 for part in parts))
}
_PARTS_BY: dict[str, list[tuple[str, int]]] = {}
for _part, _bit in _PARTS.items():
    _PARTS_BY.setdefault(_part.lstrip("=")[:2], []).append((_part, _bit))
_TOGETHER = tuple((kind, sum(1 << _PARTS[one] for one in set(parts))) for kind, parts in _TELLINGS if len(parts) > 1)
_VAGUE = mask(VAGUE)

_DIRECTION = {word: name for name, said in DIRECTIONS.items() for one in said for word in fold(one).words}
_KIND_STEMS = {
    stem(word) for told in KIND_WORDS.values() for one in told for part in one.split("+") for word in fold(part).words
}
# Legal forms stand in names word by word here, so that each word is folded once, whatever text it is in.
_FORMS = {word for told in LEGAL_FORMS.values() for one in told for word in fold(one).plain if len(word) > 2}
_SMALL = {word for one in STOP_WORDS for word in fold(one).words}
_COMMON = frozenset({word for one in COMMON_WORDS for word in fold(one).words} | _FORMS | _SMALL) - set(_DIRECTION)
_COMMON_STEMS = (frozenset(stem(word) for word in _COMMON) | _KIND_STEMS) - {
    stem(word) for one in TELLING for word in fold(one).words
}

#: Bits of the kinds alike to each kind, and of those that are rare, by `KINDS`.
RELATED_MASKS: tuple[int, ...] = tuple(mask(related(kind)) for kind in KINDS)
IS_RARE: tuple[bool, ...] = tuple(kind in RARE for kind in KINDS)
