"""Weapons as reports name them: the kind in the words of the records, and how many are said to have been used."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from layers.text.strike_terms import STRIKE_WORDS, roots_of

#: Kinds by the first letters of words; a kind comes before the one that it is a special case of.
_BEGINNINGS = roots_of("weapons")
_GENERAL: Mapping[str, str] = STRIKE_WORDS["general_weapons"]
#: Words beside a kind that say no more than that it struck.
_FILLER = tuple(STRIKE_WORDS["weapon_filler"])
_COUNTED = re.compile(r"([0-9]{1,5})(?: ?[xх×])? ([^ ].*)")
_WORD = re.compile(r"\w+")


class NamedWeapon(NamedTuple):
    """A kind of weapon, and how many of it; None where no number is said."""

    kind: str
    number: int | None


def weapon_of(text: str) -> NamedWeapon:
    """Return the weapon that a text names, such as ``7 БПЛА``: 7 of the kind ``drone``.

    English, Ukrainian, Russian and German are read. Where a text says more than a kind, it stands behind the kind in
    brackets; one that names several kinds, or none that is known, is the kind itself.
    """
    counted = _COUNTED.fullmatch(" ".join(text.split()))
    count, named = (int(counted[1]), counted[2]) if counted else (None, text)
    words = _WORD.findall(named.casefold())
    kinds = [kind for word in words for kind, begin in _BEGINNINGS.items() if word.startswith(begin)]
    special = dict.fromkeys(kind for kind in kinds if kind not in {_GENERAL.get(other) for other in kinds})
    if len(special) != 1:
        return NamedWeapon(named, count)
    (kind,) = special
    known = (*_FILLER, *(begin for beginnings in _BEGINNINGS.values() for begin in beginnings))
    if all(word.isalpha() and word.startswith(known) for word in words):
        return NamedWeapon(kind, count)
    return NamedWeapon(named if kind in named else f"{kind} ({named})", count)
