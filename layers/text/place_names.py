"""Place names made comparable: one key for Ukrainian, Russian, English and German spellings. Knows no gazetteer."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from anyascii import anyascii

#: Characters of a text that are compared; the rest is cut.
MAX_LENGTH = 200

# One letter for the sounds that the languages and their transliterations write apart: г, х, g, h, kh; и, і, ї, й, y, j;
# е, є, э, ё, ie, ye; ж, ш, щ, zh, sh, sch; з, с, ц, z, s, ts.
_CYRILLIC = str.maketrans(
    {"г": "h", "ґ": "h", "х": "h", "и": "i", "і": "i", "ї": "i", "й": "i", "ы": "i", "э": "e", "є": "e", "ё": "e"}
    | {"ю": "iu", "я": "ia", "ж": "sh", "ш": "sh", "щ": "sh", "ч": "ch", "ц": "s", "з": "s", "ў": "v"}
    | dict.fromkeys("ьъ'’ʼ`´ʹ‘ʻ\u0301")
)
_RULES = (
    (re.compile(r"s?chts?ch|shch|s?zcz"), "sh"),
    (re.compile(r"tsch|tch|cz"), "ch"),
    (re.compile(r"sch|zh|sz"), "sh"),
    (re.compile(r"ck|c(?!h)|q"), "k"),
    (re.compile(r"kh|g"), "h"),
    (re.compile(r"ts|tz|z"), "s"),
    (re.compile(r"w"), "v"),
    (re.compile(r"ph"), "f"),
    (re.compile(r"x"), "ks"),
    (re.compile(r"[yj]"), "i"),
    (re.compile(r"ie"), "e"),
    (re.compile(r"(sh|ch|[a-z])\1+"), r"\1"),
)

_LATIN_WORD = re.compile("[a-z0-9]+")
#: Letters of a key that may be looked for as a part of a word.
_SHORTEST_PART = 3

#: First letters of the scripts that names are mostly in, and those after their last: Latin, Greek, Cyrillic.
_SCRIPTS = ((0xA1, 0x250), (0x370, 0x530), (0x1E00, 0x1F00))

# Case endings of Ukrainian and Russian nouns and adjectives, as the key spells them, behind three letters; the longest
# that fits is found first.
_ENDING = re.compile(r"(?<=\w{3})(?:[aiueo]|i[aueh]|oi|ei|ii|aia|[oe]iu|[oe]ho|[oe]mu|[oe]m|i?am|i?ah|i?ami|im|oe)$")
_CLOSED = re.compile(r"[ieo](sh|ch|[bdhklmnprstv])$")

#: Lists of words by what they are, from site_words.toml.
SITE_WORDS: Mapping[str, Any] = tomllib.loads(Path(__file__).with_name("site_words.toml").read_text(encoding="utf-8"))


def fold(name: str) -> str:
    """Return the key of a name: its words in Latin small letters, spelled alike where they sound alike.

    ``Новоросійськ``, ``Новороссийск``, ``Novorossiysk`` and ``Noworossijsk`` are all ``novorosisk``. The key is
    for comparison, not for display, and coarse on purpose; the key of a key is that key. Text beyond 200 characters is
    cut. The key is empty where the name has no letter or digit.
    """
    return " ".join(filter(None, map(_sound, _latin_words(name))))


def search_key(text: str) -> str:
    """Return the words of a text as they are searched: one key is in another where its word is found there.

    A word is spelled as `fold` spells it, so that a part of it is found too. Where that leaves fewer than three letters
    (``qqqqqq`` is ``k``), which are part of nearly every text, the word stands with its own letters between ``=``, and
    is found as a whole word alone. Text beyond 200 characters is cut.
    """
    return " ".join(key if len(key := _sound(word)) >= _SHORTEST_PART else f"={word}=" for word in _latin_words(text))


def _latin_words(text: str) -> list[str]:
    text = unicodedata.normalize("NFKC", text[:MAX_LENGTH]).casefold().translate(_CYRILLIC)
    if not text.isascii():
        text = anyascii(text).lower()
    return _LATIN_WORD.findall(text.replace("'", ""))


@lru_cache(maxsize=400_000)
def _sound(text: str) -> str:
    while (again := _once(text)) != text:
        text = again
    return text


def letters_and_rules() -> tuple[Mapping[str, str], Sequence[tuple[str, str]]]:
    """Return what `fold` does as data: letters of Latin, Greek and Cyrillic, then patterns with what they give.

    Patterns are regular expressions of Python and of ECMAScript alike; ``$1`` stands for their first group.
    """
    small = [letter for first, last in _SCRIPTS for letter in map(chr, range(first, last)) if letter == letter.lower()]
    letters = {letter: _latin(letter) for letter in [*map(chr, _CYRILLIC), *small]}
    return letters, [(rule.pattern, to.replace("\\1", "$1")) for rule, to in _RULES]


def _latin(letter: str) -> str:
    text = unicodedata.normalize("NFKC", letter).casefold().translate(_CYRILLIC)
    return text if text.isascii() else anyascii(text).lower()


def _once(text: str) -> str:
    for rule, letters in _RULES:
        text = rule.sub(letters, text)
    return text


def stem(key: str) -> str:
    """Strip the case endings of the words of a key: ``odesi`` and ``odesa`` are both ``odes``.

    The vowel of a last closed syllable, which Ukrainian changes with the case (``Миколаїв``, ``Миколаєва``), becomes o.
    """
    return " ".join(_stem_word(word) for word in key.split())


def _stem_word(word: str) -> str:
    return _CLOSED.sub(r"o\1", _ENDING.sub("", word))


def is_cyrillic(text: str) -> bool:
    """Whether a text has a Cyrillic letter."""
    return any("\u0400" <= c < "\u0530" for c in text)


def spelled(name: str) -> str:
    """Return a name for comparison by letters: Unicode NFKC, without case, one space between words."""
    return " ".join(unicodedata.normalize("NFKC", name[:MAX_LENGTH]).casefold().replace("\0", " ").split())


def keys(words: str | Iterable[str]) -> frozenset[str]:
    """Return the keys of words, which are given as a text with spaces between them or as separate texts."""
    return frozenset(fold(word) for word in (words.split() if isinstance(words, str) else words))


_LEADING = keys(SITE_WORDS["before"])
_TRAILING = keys(SITE_WORDS["after"])
_NOUNS = keys(SITE_WORDS["nouns"])
_NAMESAKES = keys(SITE_WORDS["namesakes"])


def is_common_noun(key: str) -> bool:
    """Whether a key consists of words that name things, such as port."""
    return bool(key) and all(word in _NOUNS for word in key.split())


def is_namesake(key: str) -> bool:
    """Whether a key also means a pipeline."""
    return key in _NAMESAKES or stem(key) in {stem(name) for name in _NAMESAKES}


def bare(text: str) -> str:
    """Strip the words around a name, such as prepositions, ``м.``, ``village of`` and ``порт``; one word stays."""
    words = re.findall(r"[^\s.]+", text[:MAX_LENGTH].replace("\0", " "))
    while len(words) > 1 and fold(words[0]) in _LEADING:
        words = words[1:]
    while len(words) > 1 and fold(words[-1]) in _TRAILING:
        words = words[:-1]
    return " ".join(words)


def parts(text: str) -> Iterator[str]:
    """Split a text such as ``Orlivka (Odesa oblast, Ukraine)``: the name first, then what it lies in."""
    for part in re.split(r"[,;()\[\]]", text[:MAX_LENGTH].replace("\0", " ")):
        if part.strip():
            yield part.strip()


def is_readable(name: str) -> bool:
    """Whether all letters of a name are Latin or Cyrillic, the scripts of the gazetteer."""
    return name.isascii() or not any(c.isalpha() and not _LATIN_OR_CYRILLIC.match(c) for c in name)


_LATIN_OR_CYRILLIC = re.compile("[\u0000-\u036f\u0400-\u052f\u1e00-\u1eff]")
