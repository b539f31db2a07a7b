"""What the header of a column says that it holds: roles by the words of header_words.toml."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_name("header_words.toml")
#: All that is in header_words.toml.
WORDS: Mapping[str, Any] = tomllib.loads(_FILE.read_text(encoding="utf-8"))
ROLES: Mapping[str, Sequence[str]] = WORDS["roles"]

_CAMEL = re.compile(r"(?<=[a-zа-яіїєґäöüß])(?=[A-ZА-ЯІЇЄҐÄÖÜ])")
_SIGNS = re.compile(r"[\W_]+")
#: How well a header fits: it is the name, the name is in it, or its words begin with those of the name.
_WHOLE, _INSIDE, _BEGINS = 10.0, 6.0, 5.0
#: Letters of a header that are compared.
_LENGTH = 200


def header_words(name: str) -> tuple[str, ...]:
    """Return the words of a header in small letters; camelCase and dots part words, signs are left out."""
    if name in ("%", "№", "#"):
        return ("%",) if name == "%" else ("no",)
    spaced = _CAMEL.sub(" ", name[:_LENGTH].replace("№", " no ")).casefold().replace("ё", "е")
    return tuple(_SIGNS.sub(" ", spaced).split())


@cache
def _role_words() -> Mapping[str, tuple[tuple[tuple[str, ...], bool, bool], ...]]:
    """Return the words of each role, whether they are the whole name, and whether the last only begins a word."""
    return {
        role: tuple(
            (("%",) if text == "=%" else header_words(text.strip("=*")), text.startswith("="), text.endswith("*"))
            for text in texts
        )
        for role, texts in ROLES.items()
    }


@lru_cache(maxsize=20_000)
def role_fit(name: str, role: str) -> float:
    """Return how well a header fits a role, 0 where it does not.

    Of a dotted name the last part counts most; the whole name counts less. Earlier words of the role fit better.
    """
    parts = [part for part in name.split(".") if part not in ("*", "^", "properties", "attributes", "fields", "data")]
    last, whole = header_words(parts[-1] if parts else name), header_words(" ".join(parts))
    return max(_fit(last, role), _fit(whole, role) - 0.5)


def _fit(words: tuple[str, ...], role: str) -> float:
    best = 0.0
    for rank, (phrase, is_whole, is_beginning) in enumerate(_role_words()[role]):
        fit = _phrase_fit(words, phrase, is_whole, is_beginning)
        if fit:
            best = max(best, fit + 1 - rank / 100)
    return best


def _phrase_fit(words: tuple[str, ...], phrase: tuple[str, ...], is_whole: bool, is_beginning: bool) -> float:
    if not phrase or not words:
        return 0.0
    if words == phrase:
        return _WHOLE
    if is_whole:
        return 0.0
    *firm, last = phrase
    for at in range(len(words) - len(phrase) + 1):
        part = words[at : at + len(phrase)]
        is_last = part[-1].startswith(last) if is_beginning else part[-1] == last
        if list(part[:-1]) == firm and is_last:
            # Words before and behind the name make it less sure.
            return (_BEGINS if is_beginning else _INSIDE) - 0.2 * (len(words) - len(phrase))
    return 0.0


def record_of(name: str) -> str:
    """Return the object around a dotted name as a word, empty where there is none: ``asset`` of ``asset.name``.

    Of ``asset_name`` and ``assetName`` it is ``asset``, too.
    """
    parts = [part for part in name.split(".") if part not in ("*", "^", "properties", "attributes")]
    if len(parts) > 1:
        return " ".join(header_words(parts[-2]))
    words = header_words(name)
    return words[0] if len(words) > 1 else ""
