"""The words of a text as clauses: how each word may stand to the kinds of target that the text mentions.

The words that do are in mention_words.toml; what they make of a text is read in ``kind_mentions``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache, lru_cache
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from layers.text.site_terms import LONG_ADJECTIVE, is_skipped_in_rows, kinds_of_word

_TOKEN = re.compile(r"[^\W_]+(?:['’ʼ`´][^\W_]+)*|[.,;:!?()…—–|\n]")
#: An adjective of Ukrainian or Russian, in any case: -ська, -ного, -овий.
_ADJECTIVE = re.compile(
    r"(?:[сц]ьк|зьк|ск|цк|н|ов|ев|єв|ш|ч)(?:ий|ій|ого|ому|им|ім|ої|ою|а|у|е|і|их|ими|ый|ой|ое|ая|ую|ые|ие|ых|ыми|ом|ей)$"
)
#: One of a town, in a case in which no town's own name looks like it: Лисичанским, but not Донецка.
_OF_TOWN = re.compile(r"(?:ск|цк|ськ|цьк|зьк)(?:им|ім|ой|ою|ая|ую|ій)$")
_VERB = re.compile(
    r"(?:ed|[аеиіоуяї]л(?:а|и|о)|[аеиіоуяї](?:ла|ли|ло)с[ья]|[аиіо]в(?:ся)?|[аяиіїуює]ть(?:ся)?|[аеёяю]т(?:ся)?"
    r"|(?:ен|ан|іт|ят)(?:о|ы))$"
)
_VERBS = frozenset(["hit", "hits", "struck", "burn", "burns", "burning", "горить", "горит", "сталась", "пала"])
#: Words from one for "near" to a bracket behind what it is said of.
_BRACKET_REACH = 3
#: Abbreviations whose full stop ends no clause.
_ABBREVIATIONS = frozenset(
    [
        *("м", "с", "г", "р", "обл", "вул", "ул", "смт", "ст", "пгт", "им", "ім", "св", "кв"),
        *("st", "mt", "co", "ltd", "inc", "corp"),
    ]
)


class Role(Enum):
    """How a word may stand to a kind of target; mention_words.toml says what each is."""

    NEAR = "near"
    AWAY = "away"
    SCENE = "scene"
    LINK = "link"
    OF = "of"
    ARTICLE = "article"
    AND = "and"
    EVENT = "event"
    PERSON = "person"
    PLACE = "place"
    SETTLEMENT = "settlement"
    GENERIC = "generic"
    STOP = "stop"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True, eq=False)
class Word:
    """A printed word; ``kinds`` it mentions by itself, ``parts`` of phrases it is, and how it may stand to others.

    ``spelled`` is a mark of punctuation, or the small letters of a word that counts beside certain others: one of
    "next to", or an abbreviation before a full stop. Words that are alike in all of this are one object, so that texts
    and clauses of them compare quickly.
    """

    role: Role
    kinds: int = 0
    parts: int = 0
    is_small: bool = False
    is_latin: bool = False
    is_adjective: bool = False
    is_name: bool = False
    ends_reach: bool = False
    is_dull: bool = False
    spelled: str = ""


_word_like = cache(Word)
STOP = _word_like(Role.STOP)


def text_words(text: str) -> tuple[Word, ...]:
    """Return the words and marks of a text, in order."""
    return tuple(map(_word, _TOKEN.findall(text)))


def clauses(words: Sequence[Word]) -> Iterator[tuple[Word, ...]]:
    """Yield the clauses of a text that may mention a kind, without the words at both ends that bear on none."""
    if not any(word.kinds or word.parts for word in words):
        return
    for is_stop, between_stops in groupby(_joined(words), _is_stop):
        clause = tuple(between_stops)
        if not is_stop and any(word.kinds or word.parts for word in clause):
            telling = [number for number, word in enumerate(clause) if not word.is_dull]
            yield clause[telling[0] : telling[-1] + 1]


def placed_clauses(text: str) -> Iterator[tuple[tuple[Word, ...], list[tuple[int, int]]]]:
    """Yield all clauses of a text, each word with where it begins and ends in the text."""
    found = list(_TOKEN.finditer(text))
    numbers: list[tuple[int, int]] = []
    joined = list(_joined([_word(match[0]) for match in found], numbers))
    at = [(found[first].start(), found[last].end()) for first, last in numbers]
    for is_stop, rows in groupby(range(len(joined)), lambda row: _is_stop(joined[row])):
        clause = list(rows)
        if not is_stop:
            yield tuple(joined[row] for row in clause), [at[row] for row in clause]


def _joined(words: Sequence[Word], numbers: list[tuple[int, int]] | None = None) -> Iterator[Word]:
    """Yield words without articles; several that are one small word together ("next to") are yielded as one.

    A bracket right behind the name of what something was near to tells of the same place: the small word stands in it
    again. The numbers of the first and last word of each are added to ``numbers``.
    """
    at, near_at, near = 0, -_BRACKET_REACH - 1, STOP
    while at < len(words):
        word = words[at]
        marker = _marker(words, at) if word.spelled in _LONGER else None
        last = at + len(marker.words) - 1 if marker else at
        if marker:
            word = _word_like(marker.role)
        if marker or (word.role is not Role.ARTICLE and not (_is_stop(word) and _ends_abbreviation(words, at))):
            if numbers is not None:
                numbers.append((at, last))
            yield word
        if word.role is Role.NEAR or word.role is Role.AWAY:
            near_at, near = last, word
        elif word.spelled == "(" and at - near_at <= _BRACKET_REACH:
            if numbers is not None:
                numbers.append((at, at))
            yield near
        at = last + 1


def _is_stop(word: Word) -> bool:
    return word.role is Role.STOP


def _marker(words: Sequence[Word], at: int) -> _Marker | None:
    longer = _LONGER[words[at].spelled]
    return next((m for m in longer if [word.spelled for word in words[at : at + len(m.words)]] == m.words), None)


def _ends_abbreviation(words: Sequence[Word], at: int) -> bool:
    """Whether a mark is the full stop of an abbreviation, or the comma after one: "Co., Ltd."."""
    if words[at].spelled == "," and at and words[at - 1].spelled == ".":
        at -= 1
    return at > 0 and words[at].spelled == "." and words[at - 1].spelled in _ABBREVIATIONS


@lru_cache(maxsize=400_000)
def _word(printed: str) -> Word:
    if not printed[0].isalnum():
        return _word_like(Role.STOP, spelled=printed)
    plain = printed.casefold()
    kinds, parts = kinds_of_word(printed)
    is_name = printed[0].isupper() or printed[0].isdigit()
    role, ends_reach = _role(plain), _ends_reach(plain, is_name)
    return _word_like(
        role,
        kinds,
        parts,
        is_small=is_skipped_in_rows(plain) and not parts,
        is_latin=plain[0] < "\u0250",
        is_adjective=bool(_ADJECTIVE.search(plain)),
        is_name=is_name,
        ends_reach=ends_reach,
        spelled=plain if plain in _SPELLED else "",
        is_dull=role is Role.PLAIN and not (kinds or parts or ends_reach),
    )


def _ends_reach(plain: str, is_name: bool) -> bool:
    """Whether a word is a verb, or a name in Cyrillic letters that is no adjective: "біля Одеси нафтобаза"."""
    if is_name:
        return plain[0] >= "\u0250" and not (LONG_ADJECTIVE.search(plain) or _OF_TOWN.search(plain))
    return plain in _VERBS or bool(_VERB.search(plain))


def _role(plain: str) -> Role:
    if role := _WHOLE.get(plain):
        return role
    return next((role for start, role in _STARTS.get(plain[:3], ()) if plain.startswith(start)), Role.PLAIN)


class _Marker(NamedTuple):
    words: list[str]
    role: Role


_ROLES = {
    word: Role(name)
    for name, words in tomllib.loads(Path(__file__).with_name("mention_words.toml").read_text(encoding="utf-8")).items()
    for word in words
}
_WHOLE = {word: role for word, role in _ROLES.items() if " " not in word and not word.endswith("*")}
#: Beginnings of words by their first three letters.
_STARTS: dict[str, list[tuple[str, Role]]] = {}
#: Markers of several words by their first, the longest first.
_LONGER: dict[str, list[_Marker]] = {}
for _text, _its_role in _ROLES.items():
    if _text.endswith("*"):
        _STARTS.setdefault(_text[:3], []).append((_text[:-1], _its_role))
    elif " " in _text:
        _LONGER.setdefault(_text.partition(" ")[0], []).append(_Marker(_text.split(), _its_role))
for _markers in _LONGER.values():
    _markers.sort(key=lambda marker: -len(marker.words))
#: Words that count beside certain others.
_SPELLED = frozenset([*_ABBREVIATIONS, *(word for text in _ROLES if " " in text for word in text.split())])
