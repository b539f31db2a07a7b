"""Which kinds of target a text is about, and which it mentions only to say where or whose: the head noun decides.

"A substation of the power plant burns" is about a substation, "the bridge to the port" about a bridge, "an oil depot at
the port" about an oil depot. Rules of word order and small words in English, Ukrainian, Russian and German, read from
left to right once; they judge, and prove nothing:

1. A clause ends at a mark of punctuation. Nothing that stands before it bears on what stands behind.
2. A kind behind "near" and its like (біля, возле, neben) is mentioned to say where.
3. A kind behind "at", "to", "of" and their like is said of the kind, person or place before it in the clause: "tanker
   at the port", "road to the refinery", "worker of the refinery". It is the head where only an event is before it:
   "fire at the refinery", "attack on the port".
4. Of kinds side by side, the last is the head in Latin letters ("refinery substation"). In Cyrillic it is the first,
   as the second is a genitive ("підстанція Бурштинської ТЕС"), unless the first is an adjective ("залізничний міст").
   A person decides alike ("refinery workers", "працівник НПЗ").
5. A vague noun or a wider one leaves the kind to its neighbour: "нафтопереробний завод" is a refinery, "nuclear power
   plant" a nuclear one.
6. A place that holds other sites (port, railway, airfield) and begins the clause is where its subject is: "У порту
   горить нафтобаза".
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cache, lru_cache, reduce
from itertools import groupby
from operator import or_
from pathlib import Path
from typing import NamedTuple

from layers.model.asset_kinds import ASSET_KINDS, TABLE
from layers.text.site_terms import (
    LONG_ADJECTIVE,
    NO_ASSETS,
    PHRASES,
    TARGET_KINDS,
    VAGUE,
    Phrase,
    is_skipped_in_rows,
    kind_bits,
    kinds_in_name,
    kinds_of_word,
    specific_kinds,
    without_vague,
)

#: Most words that a phrase in any order takes, and one in a row with what it is read over; words that a small word
#: reaches over to its kind.
_SPAN, _ROW, _REACH = 5, 10, 6
_TOKEN = re.compile(r"[^\W_]+(?:['’ʼ`´][^\W_]+)*|[.,;:!?()…—–\n]")
_IN_BRACKETS = re.compile(r"\([^()]*\)")
#: An adjective of Ukrainian or Russian, in any case: -ська, -ного, -овий.
_ADJECTIVE = re.compile(
    r"(?:[сц]ьк|зьк|ск|цк|н|ов|ев|єв|ш|ч)(?:ий|ій|ого|ому|им|ім|ої|ою|а|у|е|і|их|ими|ый|ой|ое|ая|ую|ые|ие|ых|ыми|ом|ей)$"
)
_VERB = re.compile(
    r"(?:ed|[аеиіоуяї]л(?:а|и|о)|[аеиіоуяї](?:ла|ли|ло)с[ья]|[аиіо]в(?:ся)?|[аяиіїуює]ть(?:ся)?|[аеёяю]т(?:ся)?"
    r"|(?:ен|ан|іт|ят)(?:о|ы))$"
)
_VERBS = frozenset(["hit", "hits", "struck", "burn", "burns", "burning", "горить", "горит", "сталась", "пала"])
#: Abbreviations whose full stop ends no clause.
_ABBREVIATIONS = frozenset(
    [
        *("м", "с", "г", "р", "обл", "вул", "ул", "смт", "ст", "пгт", "им", "ім", "св", "кв"),
        *("st", "mt", "co", "ltd", "inc", "corp"),
    ]
)


class _Role(Enum):
    NEAR = "near"
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


class KindMentions(NamedTuple):
    """Kinds of target in a text, as masks by ``site_terms.TARGET_KINDS``; a kind is in one of them at most.

    Attributes
    ----------
    head
        What the text is about. 0 where it mentions sites only to say where something is, or none.
    other
        What it mentions to say where or whose.
    """

    head: int
    other: int


def mentioned_kinds(text: str) -> KindMentions:
    """Return the kinds that a text is about, and those that it mentions besides.

    As in ``site_terms.kinds_mentioned``, a vague kind is what a text is about only where it is about no other.
    """
    clauses = [(_kinds_of_short if len(clause) <= _SHORT else _kinds_of_clause)(clause) for clause in _clauses(text)]
    head = specific_kinds(_union(of_clause.head for of_clause in clauses))
    return KindMentions(head, _union(of_clause.other for of_clause in clauses) & ~head)


def _kinds_of_clause(clause: tuple[_Word, ...]) -> KindMentions:
    """Return the kinds that a clause mentions, which may leave both a vague kind and others."""
    mentions = _Reading.of(clause).mentions
    return KindMentions(
        _union(mention.kinds for mention in mentions if mention.is_head),
        _union(specific_kinds(mention.kinds) for mention in mentions if not mention.is_head),
    )


#: Many reports have clauses of one shape, in which all words but names are alike; long ones are not worth the memory.
_SHORT = 32
_kinds_of_short = lru_cache(maxsize=100_000)(_kinds_of_clause)


def kinds_named(names: Iterable[str]) -> int:
    """Return the kinds of asset that the names of an asset state, as a mask by ``site_terms.TARGET_KINDS``.

    Of each name the head noun counts ("ТЕЦ НПЗ" is a power plant), of several in Latin letters the last ("Chemical
    Complex Rheinau power station"); a name without one says what else it mentions. What is no asset, such as the
    university in "University Power Plant", is never stated. Words that mean a kind in names only are read too
    (``name_words`` in asset_kinds.toml).
    """
    return specific_kinds(_union(map(_kinds_of_name, names)))


@lru_cache(maxsize=100_000)
def _kinds_of_name(name: str) -> int:
    # "A to B pipeline" and "A–B pipeline" are routes: A and B say of each other nothing.
    outside = _IN_BRACKETS.sub("", name).replace(" to ", " - ").replace("–", "-")
    clauses = [_Reading.of(clause, in_name=True).mentions for clause in _clauses(outside, in_name=True)]
    of_assets = [[mention for mention in mentions if mention.kinds & ~NO_ASSETS] for mentions in clauses]
    heads = [[mention for mention in mentions if mention.is_head] for mentions in of_assets]
    first = next(filter(None, (*heads, *of_assets)), [])
    counted = first[-1:] if first and first[-1].is_latin else first
    return specific_kinds(_union(mention.kinds & ~NO_ASSETS for mention in counted))


def _union(masks: Iterable[int]) -> int:
    return reduce(or_, masks, 0)


@dataclass(frozen=True, slots=True, eq=False)
class _Word:
    """A printed word; ``kinds`` it mentions by itself, ``parts`` of phrases it is, and how it may stand to others.

    Words that are alike in all of this are one object (``_word_like``), so that clauses of them compare quickly.
    """

    role: _Role
    kinds: int = 0
    parts: int = 0
    is_small: bool = False
    is_latin: bool = False
    is_adjective: bool = False
    is_name: bool = False
    ends_reach: bool = False
    is_dull: bool = False
    begins_marker: bool = False


_word_like = cache(_Word)
_STOP = _word_like(_Role.STOP)


def _clauses(text: str, in_name: bool = False) -> Iterator[tuple[_Word, ...]]:
    """Yield the clauses of a text that may mention a kind, without the words at both ends that bear on none."""
    printed = _TOKEN.findall(text)
    words = [_word(word, in_name) for word in printed]
    if not any(word.kinds or word.parts for word in words):
        return
    for is_stop, between_stops in groupby(_joined(printed, words), lambda word: word is _STOP):
        clause = tuple(between_stops)
        if not is_stop and any(word.kinds or word.parts for word in clause):
            telling = [number for number, word in enumerate(clause) if not word.is_dull]
            yield clause[telling[0] : telling[-1] + 1]


def _joined(printed: list[str], words: list[_Word]) -> Iterator[_Word]:
    """Yield words without articles; several that are one small word together ("next to") are yielded as one."""
    at = 0
    while at < len(printed):
        word = words[at]
        marker = _marker(printed, at) if word.begins_marker else None
        if marker:
            yield _word_like(marker.role)
        elif word.role is not _Role.ARTICLE and not (word is _STOP and _ends_abbreviation(printed, at)):
            yield word
        at += len(marker.words) if marker else 1


def _marker(printed: list[str], at: int) -> _Marker | None:
    longer = _LONGER[printed[at].casefold()]
    return next((m for m in longer if [w.casefold() for w in printed[at : at + len(m.words)]] == m.words), None)


def _ends_abbreviation(printed: list[str], at: int) -> bool:
    """Whether a mark is the full stop of an abbreviation, or the comma after one: "Co., Ltd."."""
    if printed[at] == "," and at and printed[at - 1] == ".":
        at -= 1
    return at > 0 and printed[at] == "." and printed[at - 1].casefold() in _ABBREVIATIONS


@lru_cache(maxsize=400_000)
def _word(printed: str, in_name: bool) -> _Word:
    if not printed[0].isalnum():
        return _STOP
    plain = printed.casefold()
    kinds, parts = kinds_of_word(printed)
    kinds |= kinds_in_name(printed) if in_name else 0
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
        begins_marker=plain in _LONGER,
        is_dull=role is _Role.PLAIN and not (kinds or parts or ends_reach),
    )


def _ends_reach(plain: str, is_name: bool) -> bool:
    """Whether a word is a verb, or a name in Cyrillic letters that is no adjective: "біля Одеси нафтобаза"."""
    if is_name:
        return plain[0] >= "\u0250" and not LONG_ADJECTIVE.search(plain)
    return plain in _VERBS or bool(_VERB.search(plain))


def _role(plain: str) -> _Role:
    if role := _WHOLE.get(plain):
        return role
    return next((role for start, role in _STARTS.get(plain[:3], ()) if plain.startswith(start)), _Role.PLAIN)


@dataclass(slots=True)
class _Mention:
    """A noun phrase for kinds of target, by the numbers of its first and last words in its clause."""

    start: int
    end: int
    kinds: int
    is_latin: bool
    is_adjective: bool
    is_head: bool = True
    #: Said of no site: near one, or of a person or place. Sites that are joined to it by "and" are so too.
    is_aside: bool = False
    #: Begins the clause as the place where something is.
    is_fronted: bool = False

    def take_standing(self, other: _Mention) -> None:
        """Stand to the rest of the text as another mention does."""
        self.is_head, self.is_aside, self.is_fronted = other.is_head, other.is_aside, other.is_fronted


class _Reading:
    """Reads the words of a clause in order; holds what it has said so far that a kind could be said of."""

    def __init__(self, in_name: bool) -> None:
        self.mentions: list[_Mention] = []
        self._in_name = in_name
        self._all: list[_Word] = []
        #: Where words begin of which a phrase in any order may consist.
        self._phrases_at = 0
        self._has_event = False
        self._forget()

    @classmethod
    def of(cls, words: Iterable[_Word], in_name: bool = False) -> _Reading:
        """Read words to their end."""
        reading = cls(in_name)
        for word in words:
            reading.read(word)
        return reading

    def _forget(self) -> None:
        self._last: _Mention | None = None
        self._governor: _Mention | _Role | None = None
        self._governor_at = self._pending_at = self._joined_at = -1
        self._pending: _Role | None = None

    def read(self, word: _Word) -> None:
        """Read the next word."""
        at = len(self._all)
        self._all.append(word)
        if word.is_dull:
            return
        kinds, start = self._kinds_at(at) if word.kinds or word.parts else (0, at)
        if kinds:
            self._mention(_Mention(start, at, without_vague(kinds), word.is_latin, word.is_adjective))
        elif word.role is _Role.GENERIC:
            self._extend(at)
        elif word.role in (_Role.PERSON, _Role.PLACE, _Role.SETTLEMENT):
            self._thing(word.role, at)
        else:
            self._other_word(word, at)

    def _kinds_at(self, at: int) -> tuple[int, int]:
        """Return the kinds that the word at a position mentions or completes a phrase of, and where that begins."""
        word, start = self._all[at], at
        kinds = word.kinds
        for phrase in _phrases_with(word.parts) if word.parts else ():
            if phrase.is_of_names and not self._in_name:
                continue
            if (begins := self._begin(phrase, at)) is not None:
                kinds, start = kinds | kind_bits([phrase.kind]), min(start, begins)
        return kinds, start

    def _begin(self, phrase: Phrase, at: int) -> int | None:
        """Return where a phrase begins that ends at a position, None where there is none."""
        if phrase.in_a_row:
            return self._begin_of_row(phrase, at)
        found = [
            next((number for number in self._window(at) if self._all[number].parts >> bit & 1), -1)
            for bit in phrase.parts
        ]
        # English has one order: "Steel Plant power station" is no power plant by its "Plant power".
        is_there = -1 not in found and (not self._all[at].is_latin or found == sorted(found))
        return min(found) if is_there else None

    def _window(self, at: int) -> range:
        """Return the numbers of the words, from a position backwards, that a phrase in any order may consist of."""
        return range(at, max(self._phrases_at, at - _SPAN + 1) - 1, -1)

    def _begin_of_row(self, phrase: Phrase, at: int) -> int | None:
        number = at + 1
        for bit in reversed(phrase.parts):
            number -= 1
            while number > max(0, at - _ROW) and self._all[number].is_small:
                number -= 1
            if number < 0 or not self._all[number].parts >> bit & 1:
                return None
        return number

    def _mention(self, mention: _Mention) -> None:
        last = self._last
        if last is not None and mention.start <= last.end:
            if not _is_narrower(last.kinds, mention.kinds):
                wider = _is_narrower(mention.kinds, last.kinds)
                last.kinds = mention.kinds if wider else without_vague(last.kinds | mention.kinds)
            last.end, last.is_adjective = mention.end, False
            return
        relation = self._relation(mention.start)
        if relation is _Role.NEAR:
            mention.is_head, mention.is_aside = False, True
        elif relation is not None:
            mention.is_head = not self._is_said_of(relation, mention)
            mention.is_aside = not mention.is_head and isinstance(self._governor, _Role)
            mention.is_fronted = relation is _Role.LINK and self._governor is None and not self._has_event
        elif last is not None and last.is_aside and self._is_joined(last, mention):
            mention.is_head, mention.is_aside = False, True
        elif last is not None and self._are_beside(last.end, mention.start):
            if self._compound(last, mention):
                return
        elif self._governor is _Role.PERSON and not mention.is_latin:
            mention.is_head = not self._are_beside(self._governor_at, mention.start)
        elif last is not None and last.is_fronted and not last.kinds & ~_HOLDS_SITES:
            last.is_head = False
        self.mentions.append(mention)
        self._last = self._governor = mention
        self._pending = None

    def _relation(self, start: int) -> _Role | None:
        return self._pending if self._pending_at < start <= self._pending_at + _REACH else None

    def _is_said_of(self, relation: _Role, mention: _Mention) -> bool:
        governor = self._governor
        if isinstance(governor, _Mention):
            return not governor.is_head or not governor.kinds & mention.kinds
        return governor is _Role.PLACE or (governor is _Role.PERSON and relation is _Role.OF)

    def _is_joined(self, last: _Mention, mention: _Mention) -> bool:
        return self._joined_at > last.end and mention.start - last.end <= 3

    def _are_beside(self, end: int, start: int) -> bool:
        """Whether only adjectives and names stand between two words."""
        between = self._all[end + 1 : start] if start - end <= _REACH else [_STOP]
        return max(self._pending_at, self._joined_at) < end and all(one.is_adjective or one.is_name for one in between)

    def _compound(self, first: _Mention, second: _Mention) -> bool:
        """Decide between kinds side by side (rules 4 and 5); return whether they are one mention now."""
        is_next = second.start == first.end + 1
        modifies = is_next and (second.is_latin or first.is_adjective)
        if first.kinds & second.kinds or _is_narrower(second.kinds, first.kinds):
            first.kinds = first.kinds & second.kinds or second.kinds
        elif not (modifies or not second.kinds & ~VAGUE) or not _is_narrower(first.kinds, second.kinds):
            if modifies:
                second.take_standing(first)
                first.is_head = False
            elif not second.is_latin:
                second.is_head = False
            return False
        first.end, first.is_adjective = second.end, second.is_adjective
        return True

    def _extend(self, at: int) -> None:
        if self._last is not None and self._last.end == at - 1:
            self._last.end, self._last.is_adjective = at, False

    def _thing(self, role: _Role, at: int) -> None:
        last = self._last
        if last is not None and last.end == at - 1 and (last.is_latin or last.is_adjective):
            last.is_head = False
        if role is not _Role.SETTLEMENT:
            self._governor, self._governor_at, self._pending = role, at, None

    def _other_word(self, word: _Word, at: int) -> None:
        role = word.role
        if role in (_Role.NEAR, _Role.LINK, _Role.OF):
            if self._pending is not _Role.NEAR or at > self._pending_at + 1:
                self._pending, self._pending_at = role, at
            if role is not _Role.OF or self._is_behind_mention(word):
                self._phrases_at = at
        elif role is _Role.AND:
            self._governor, self._pending, self._joined_at = None, None, at
            if self._is_behind_mention(word):
                self._phrases_at = at
        elif role is _Role.EVENT and not self._is_on(at):
            self._forget()
            self._phrases_at = at
            self._has_event = True
        elif word.ends_reach and (word.is_name or at > self._pending_at + 1):
            self._pending = None

    def _is_behind_mention(self, word: _Word) -> bool:
        """Whether a small word ends a phrase: "oil depot of the port", but not "склад боєприпасів і пального"."""
        return word.is_latin and self._last is not None

    def _is_on(self, at: int) -> bool:
        """Whether an event is a state of what was named before it: "on fire"."""
        return at > 0 and self._pending_at == at - 1 and self._all[at].is_latin and self._governor is not None


@lru_cache(maxsize=100_000)
def _phrases_with(parts: int) -> tuple[Phrase, ...]:
    """Return the phrases that a word may complete, by the words of phrases that it is."""
    last = {phrase: 1 << phrase.parts[-1] for phrase in PHRASES if phrase.in_a_row}
    return tuple(phrase for phrase in PHRASES if parts & last.get(phrase, phrase.needed))


def _is_narrower(kinds: int, than: int) -> bool:
    """Whether kinds are of one sort with others that are wider or vague, and say more."""
    if not than & ~VAGUE:
        return bool(kinds & ~VAGUE)
    wider = _union(mask for bit, mask in enumerate(_WIDER) if kinds >> bit & 1)
    return not than & ~wider


#: For each kind, those that it is a sort of: mistaken for each other, drawn alike, and measured in one unit.
_WIDER = tuple(
    kind_bits(
        wider
        for wider in TABLE.targets[kind].mistaken_for
        if kind in ASSET_KINDS
        and ASSET_KINDS[kind].capacity_unit
        and ASSET_KINDS[kind].capacity_unit == ASSET_KINDS[wider].capacity_unit
    )
    for kind in TARGET_KINDS
)
#: Kinds of place that hold other sites.
_HOLDS_SITES = VAGUE | NO_ASSETS


class _Marker(NamedTuple):
    words: list[str]
    role: _Role


_ROLES = {
    word: _Role(name)
    for name, words in tomllib.loads(Path(__file__).with_name("mention_words.toml").read_text(encoding="utf-8")).items()
    for word in words
}
_WHOLE = {word: role for word, role in _ROLES.items() if " " not in word and not word.endswith("*")}
#: Beginnings of words by their first three letters.
_STARTS: dict[str, list[tuple[str, _Role]]] = {}
#: Markers of several words by their first, the longest first.
_LONGER: dict[str, list[_Marker]] = {}
for _text, _its_role in _ROLES.items():
    if _text.endswith("*"):
        _STARTS.setdefault(_text[:3], []).append((_text[:-1], _its_role))
    elif " " in _text:
        _LONGER.setdefault(_text.partition(" ")[0], []).append(_Marker(_text.split(), _its_role))
for _markers in _LONGER.values():
    _markers.sort(key=lambda marker: -len(marker.words))
