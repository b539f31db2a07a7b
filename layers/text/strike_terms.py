"""Texts about strikes made comparable across English, Ukrainian and Russian: stems, families of sites and attackers.

The words are in strike_words.toml. A list of words is a judgement: it makes texts comparable and proves nothing.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from layers.model.asset_kinds import ASSET_KINDS
from layers.text.company_names import COUNTRIES, GENERIC, fold

#: Letters of a word that are compared: endings differ by case, and adjectives of a town by language.
STEM = 5
#: Letters of the shortest word that is compared, unless it has a digit.
SHORTEST = 4

#: Lists of words by what they are, from strike_words.toml.
STRIKE_WORDS: Mapping[str, Any] = tomllib.loads(
    Path(__file__).with_name("strike_words.toml").read_text(encoding="utf-8")
)


def roots_of(name: str) -> Mapping[str, tuple[str, ...]]:
    """Return a table of strike_words.toml: the first letters of words, by what the words mean."""
    return MappingProxyType({meaning: tuple(roots) for meaning, roots in STRIKE_WORDS[name].items()})


#: Families of sites, by the first letters of words as `company_names.fold` writes them; ``=`` asks for the whole word.
FAMILY_WORDS = roots_of("families")

#: Families of each kind of asset.
KIND_FAMILIES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {name: kind.families for name, kind in ASSET_KINDS.items()}
)
FAMILIES: tuple[str, ...] = tuple(dict.fromkeys((*FAMILY_WORDS, "field")))

#: Sides by the first letters of words, in the part of a text before its first comma, semicolon or full stop.
SIDES = roots_of("sides")
_ENDS = str.maketrans(dict.fromkeys(",;.:", "\n"))


@lru_cache(maxsize=200_000)
def words(text: str) -> tuple[str, ...]:
    """Return the words of a text in one Latin spelling, in order."""
    return fold(text).plain


def word_stem(word: str) -> str:
    """Return the first letters of a word, without doubled ones, that are the same in its cases and derivations."""
    once = re.sub(r"(.)\1", r"\1", word)
    return once[:STEM] if len(once) > STEM else once[: max(SHORTEST, len(once) - 1)]


_COMMON = frozenset(word_stem(word) for part in (*STRIKE_WORDS["news"], *GENERIC, *COUNTRIES) for word in words(part))
_ROOTS = tuple(root for roots in FAMILY_WORDS.values() for root in roots if root[0] != "=")


def stems(texts: Iterable[str | None]) -> Iterator[str]:
    """Give the stems of the words that may distinguish an event, in order.

    Words of news, of kinds of site and of countries are left out, and those of less than four letters without a digit.
    """
    for text in texts:
        yield from (stem for word in (words(text) if text else ()) if (stem := _distinctive(word)))


@lru_cache(maxsize=200_000)
def _distinctive(word: str) -> str:
    """Return the stem of a word, empty where the word does not distinguish events."""
    if any(c.isdigit() for c in word):
        return "" if word.isdigit() or len(word) == 1 else word
    if len(word) < SHORTEST or word.startswith(_ROOTS) or (stem := word_stem(word)) in _COMMON:
        return ""
    return stem


def kind_families(kinds: Iterable[str], texts: Iterable[str | None]) -> int:
    """Return the families of sites that kinds and texts name, as a mask by `FAMILIES`; 0 where they name none."""
    of_kinds = {family for kind in kinds for family in KIND_FAMILIES.get(kind, ())}
    mask = sum(1 << FAMILIES.index(family) for family in of_kinds)
    for text in texts:
        for word in words(text) if text else ():
            mask |= _families_of(word)
    return mask


@lru_cache(maxsize=200_000)
def _families_of(word: str) -> int:
    return sum(1 << bit for bit, family in enumerate(FAMILIES) if has_root(word, FAMILY_WORDS.get(family, ())))


def has_root(word: str, roots: tuple[str, ...]) -> bool:
    """Whether a word begins with one of some letters; ``=`` before them asks for the whole word."""
    return any(word == root[1:] if root[0] == "=" else word.startswith(root) for root in roots)


@lru_cache(maxsize=50_000)
def side(attacker: str | None) -> int:
    """Return the side that attacked, from 1 in the order of `SIDES`; 0 where none or several are named first."""
    if not attacker or attacker.startswith("Disputed"):
        return 0
    head = words(attacker.translate(_ENDS).partition("\n")[0])
    named = {number for number, roots in enumerate(SIDES.values(), 1) if any(_is_of(word, roots) for word in head)}
    return named.pop() if len(named) == 1 else 0


def _is_of(word: str, roots: tuple[str, ...]) -> bool:
    return any(word == root or (len(root) > 3 and word.startswith(root)) for root in roots)
