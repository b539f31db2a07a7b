"""Words that records are searched by: as they sound, whatever their case ending, or as the name of a kind of site."""

from __future__ import annotations

from typing import NamedTuple

from layers.text.place_names import MAX_LENGTH, search_key
from layers.text.site_terms import MIN_STEM, TARGET_KINDS, kinds_of_word, stem


class SearchTerm(NamedTuple):
    """A word that somebody searches by.

    Attributes
    ----------
    parts
        For each of its parts (``Ust-Luga`` has two) the texts of which one is in the `searchable` form of a text that
        has the part: the part as it sounds and, as a whole word, its stem.
    kinds
        The kinds of asset that the word names: ``НПЗ`` names refineries, whatever they are called.
    """

    parts: tuple[tuple[str, ...], ...]
    kinds: frozenset[str]


def search_terms(text: str) -> list[SearchTerm]:
    """Return the words of a text that somebody searches by; none where the text has no letter or digit.

    Text beyond 200 characters is cut.
    """
    terms = []
    for word in text[:MAX_LENGTH].split():
        if keys := search_key(word).split():
            mask = kinds_of_word(word.strip(".,;:!?()«»“”\"'"))[0]
            kinds = frozenset(kind for bit, kind in enumerate(TARGET_KINDS) if mask >> bit & 1)
            terms.append(SearchTerm(tuple((key, *_stem(key)) for key in keys), kinds))
    return terms


def searchable(text: str) -> str:
    """Return a text of any length as `SearchTerm` is looked for in it: its words as they sound, and their stems."""
    keys = search_keys(text)
    return " ".join([*keys, *(found for key in keys for found in _stem(key))])


def search_keys(text: str) -> list[str]:
    """Return the words of a text of any length as `search_key` spells them."""
    return [key for at in range(0, len(text), MAX_LENGTH) for key in search_key(text[at : at + MAX_LENGTH]).split()]


def _stem(key: str) -> tuple[str, ...]:
    """Return the stem of a key: Кременчуг and Kremenchuk have one. In brackets and capitals no other part is in it."""
    found = stem(key)
    return (f"<{found.upper()}>",) if len(found) >= MIN_STEM and found.isalpha() else ()
