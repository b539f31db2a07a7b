"""Which kinds of target a text is about, and which it mentions only to say where or whose: the head noun decides.

"A substation of the power plant burns" is about a substation, "the bridge to the port" about a bridge, "an oil depot at
the port" about an oil depot. Rules of word order and small words in English, Ukrainian, Russian and German, read from
left to right once; they judge, and prove nothing:

1. A clause ends at a mark of punctuation. Nothing that stands before it bears on what stands behind.
2. A kind behind "near" and its like (біля, возле, neben) is mentioned to say where. It is a landmark if the clause says
   what was there ("positions near the refinery", "warehouse beside the port", "fighting near"), or how far off or on
   which side of it ("5 km from", "west of", "towards"). "Explosion near the refinery" leaves open what was hit.
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
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache, reduce
from itertools import takewhile
from operator import or_
from typing import NamedTuple

from layers.model.asset_kinds import ASSET_KINDS, TABLE
from layers.text.clauses import STOP, Role, Word, clauses, placed_clauses, text_words
from layers.text.site_terms import (
    NO_ASSETS,
    PHRASES,
    TARGET_KINDS,
    VAGUE,
    Phrase,
    kind_bits,
    specific_kinds,
    without_vague,
)

#: Most words that a phrase in any order takes, and one in a row with what it is read over; words that a small word
#: reaches over to its kind.
_SPAN, _ROW, _REACH = 5, 10, 6


class KindMentions(NamedTuple):
    """Kinds of target in a text, as masks by ``site_terms.TARGET_KINDS``; of the first two a kind is in one at most.

    Attributes
    ----------
    head
        What the text is about. 0 where it mentions sites only to say where something is, or none.
    other
        What it mentions to say where or whose.
    landmark
        What it mentions somewhere as near, or in the direction of, something else.
    near
        What it mentions somewhere as near an event, so that it may be what was hit.
    """

    head: int
    other: int
    landmark: int
    near: int


class Landmark(NamedTuple):
    """A site that a text says something was near to, as a slice of the text.

    Attributes
    ----------
    start, site, end
        Where the words for "near" begin, where the site does behind them, and where its name ends.
    is_sure
        Whether the text says that something else was there; else the site may be what was hit.
    """

    start: int
    site: int
    end: int
    is_sure: bool


def mentioned_kinds(text: str) -> KindMentions:
    """Return the kinds that a text is about, and those that it mentions besides.

    As in ``site_terms.kinds_mentioned``, a vague kind is what a text is about only where it is about no other.
    """
    words = text_words(text)
    return (_kinds_of_short_text if len(words) <= _SHORT else _kinds_of_words)(words)


def _kinds_of_words(words: tuple[Word, ...]) -> KindMentions:
    read = [(_kinds_of_short if len(clause) <= _SHORT else _kinds_of_clause)(clause) for clause in clauses(words)]
    head = specific_kinds(_union(of_clause.head for of_clause in read))
    other, landmark, near = (_union(of_clause[part] for of_clause in read) for part in range(1, 4))
    return KindMentions(head, other & ~head, landmark, near)


def _kinds_of_clause(clause: tuple[Word, ...]) -> KindMentions:
    """Return the kinds that a clause mentions, which may leave both a vague kind and others."""
    mentions = _Reading.of(clause).mentions
    beside = [(specific_kinds(mention.kinds), mention.nearness) for mention in mentions if not mention.is_head]
    return KindMentions(
        _union(mention.kinds for mention in mentions if mention.is_head),
        _union(kinds for kinds, _ in beside),
        *(_union(kinds for kinds, nearness in beside if nearness is one) for one in (_Nearness.SURE, _Nearness.OPEN)),
    )


#: Many reports, and more clauses, are of one shape, in which all words but names are alike; long ones are not worth the
#: memory.
_SHORT = 32
_kinds_of_short_text = lru_cache(maxsize=100_000)(_kinds_of_words)
_kinds_of_short = lru_cache(maxsize=100_000)(_kinds_of_clause)


def landmarks(text: str) -> tuple[Landmark, ...]:
    """Return the sites that a text mentions as near or in some direction, in order: where something was, or may be.

    A name goes on over the capitalised words behind the kind of site: "near the refinery of Orsk" has Orsk.
    """
    found = []
    for words, at in placed_clauses(text):
        for mention in _Reading.of(words).mentions:
            if mention.nearness is not None:
                end = mention.end + 1
                while end < len(words) and (words[end].is_name or words[end].role in (Role.LINK, Role.OF)):
                    end += 1
                while not (words[end - 1].is_name or end == mention.end + 1):
                    end -= 1
                first, is_sure = mention.near_at, mention.nearness is _Nearness.SURE
                found.append(Landmark(at[first][0], at[first + 1][0], at[end - 1][1], is_sure))
    return tuple(found)


class NamedSite(NamedTuple):
    """A site that a text is about: its kinds as a mask, and the names beside its noun as printed, if it has any."""

    kinds: int
    names: tuple[str, ...]


def named_sites(text: str) -> tuple[NamedSite, ...]:
    """Return the sites that a text is about, in order, with what it calls them: "Лисичанський НПЗ", "Ryazan refinery".

    Names stand before the noun, in Cyrillic letters behind it too ("НПЗ Саратова"). They have a capital. The
    first word of a clause has one whatever it is, and is a name only as the adjective of a place.
    """
    found = []
    for words, at in placed_clauses(text):
        for kinds, numbers in (_sites_of_short if len(words) <= _SHORT else _sites_of_clause)(words):
            printed = {number: text[at[number][0] : at[number][1]] for number in numbers}
            names = tuple(name for number, name in printed.items() if number or _OF_A_PLACE.search(name))
            found.append(NamedSite(kinds, names))
    return tuple(found)


def _sites_of_clause(words: tuple[Word, ...]) -> tuple[tuple[int, tuple[int, ...]], ...]:
    """Return the kinds of each site that a clause is about, and the numbers of the words that may name it."""
    if not any(word.kinds or word.parts for word in words):
        return ()
    mentions = [(mention, specific_kinds(mention.kinds)) for mention in _Reading.of(words).mentions if mention.is_head]
    return tuple((kinds, _names_beside(words, mention)) for mention, kinds in mentions if kinds)


_sites_of_short = lru_cache(maxsize=100_000)(_sites_of_clause)


#: An adjective of Ukrainian or Russian that is made of a place, in any case: Кременчуцького, Рязанская.
_OF_A_PLACE = re.compile(r"(?:[сзц]ьк|ск|цк)(?:ий|ій|ого|ому|ом|им|ім|ої|ой|ою|ая|ую|ое|а|у|е|і|ие|их)$")
#: Most words of a name on one side of the noun.
_NAME_WORDS = 3


def _names_beside(words: Sequence[Word], mention: _Mention) -> tuple[int, ...]:
    """Return the numbers of the names within a mention and directly beside it, in order."""
    within = [number for number in range(mention.start, mention.end + 1) if _is_plain_name(words[number])]
    earlier = range(mention.start - 1, -1, -1)
    joined = takewhile(lambda number: _is_plain_name(words[number]) or words[number].role is Role.AND, earlier)
    before = [number for number in joined if words[number].role is not Role.AND]
    behind = range(mention.end + 1, len(words)) if not mention.is_latin else ()
    after = [*takewhile(lambda number: _is_plain_name(words[number]), behind)]
    return (*before[:_NAME_WORDS][::-1], *within, *after[:_NAME_WORDS])


def _is_plain_name(word: Word) -> bool:
    return word.is_name and word.role is Role.PLAIN and not word.kinds | word.parts


def _union(masks: Iterable[int]) -> int:
    return reduce(or_, masks, 0)


class _Nearness(Enum):
    """Whether something else was near a site that is mentioned as near, or that is left open."""

    SURE = "sure"
    OPEN = "open"


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
    #: Near or in the direction of which something was, by the word at a position; None for any other standing.
    nearness: _Nearness | None = None
    near_at: int = -1
    #: Begins the clause as the place where something is.
    is_fronted: bool = False

    def take_standing(self, other: _Mention) -> None:
        """Stand to the rest of the text as another mention does."""
        self.is_head, self.is_aside, self.is_fronted = other.is_head, other.is_aside, other.is_fronted
        self.nearness, self.near_at = other.nearness, other.near_at


class _Reading:
    """Reads the words of a clause in order; holds what it has said so far that a kind could be said of."""

    def __init__(self) -> None:
        self.mentions: list[_Mention] = []
        self._all: list[Word] = []
        #: Where words begin of which a phrase in any order may consist.
        self._phrases_at = 0
        self._has_event = self._has_scene = False
        self._settlement_at = -2
        self._forget()

    @classmethod
    def of(cls, words: Iterable[Word]) -> _Reading:
        """Read words to their end."""
        reading = cls()
        for word in words:
            reading.read(word)
        reading._close()
        return reading

    def _forget(self) -> None:
        self._last: _Mention | None = None
        self._governor: _Mention | Role | None = None
        self._governor_at = self._pending_at = self._joined_at = -1
        self._pending: Role | None = None

    def read(self, word: Word) -> None:
        """Read the next word."""
        at = len(self._all)
        self._all.append(word)
        if word.is_dull:
            return
        kinds, start = self._kinds_at(at) if word.kinds or word.parts else (0, at)
        if kinds:
            self._mention(_Mention(start, at, without_vague(kinds), word.is_latin, word.is_adjective))
        elif word.role is Role.GENERIC:
            self._extend(at)
        elif word.role in (Role.PERSON, Role.PLACE, Role.SETTLEMENT):
            self._thing(word.role, at)
        else:
            self._other_word(word, at)

    def _kinds_at(self, at: int) -> tuple[int, int]:
        """Return the kinds that the word at a position mentions or completes a phrase of, and where that begins."""
        word, start = self._all[at], at
        kinds = word.kinds
        for phrase in _phrases_with(word.parts) if word.parts else ():
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
        if relation in (Role.NEAR, Role.AWAY):
            mention.is_head, mention.is_aside, mention.near_at = False, True, self._pending_at
            is_sure = relation is Role.AWAY or self._governor is not None or self._settlement_at == self._pending_at - 1
            mention.nearness = _Nearness.SURE if is_sure else _Nearness.OPEN
        elif relation is not None:
            mention.is_head = not self._is_said_of(relation, mention)
            mention.is_aside = not mention.is_head and isinstance(self._governor, Role)
            mention.is_fronted = relation is Role.LINK and self._governor is None and not self._has_event
        elif last is not None and last.is_aside and self._is_joined(last, mention):
            mention.take_standing(last)
        elif last is not None and self._are_beside(last.end, mention.start):
            if self._compound(last, mention):
                return
        elif self._governor is Role.PERSON and not mention.is_latin:
            mention.is_head = not self._are_beside(self._governor_at, mention.start)
        elif last is not None and last.is_fronted and not last.kinds & ~_HOLDS_SITES:
            last.is_head = False
        self.mentions.append(mention)
        self._last = self._governor = mention
        self._pending = None

    def _relation(self, start: int) -> Role | None:
        return self._pending if self._pending_at < start <= self._pending_at + _REACH else None

    def _is_said_of(self, relation: Role, mention: _Mention) -> bool:
        governor = self._governor
        if isinstance(governor, _Mention):
            return not governor.is_head or not governor.kinds & mention.kinds
        return governor is Role.PLACE or (governor is Role.PERSON and relation is Role.OF)

    def _is_joined(self, last: _Mention, mention: _Mention) -> bool:
        return self._joined_at > last.end and mention.start - last.end <= 3

    def _are_beside(self, end: int, start: int) -> bool:
        """Whether only adjectives and names stand between two words."""
        between = self._all[end + 1 : start] if start - end <= _REACH else [STOP]
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

    def _thing(self, role: Role, at: int) -> None:
        last = self._last
        if last is not None and last.end == at - 1 and (last.is_latin or last.is_adjective):
            last.is_head = False
        if role is Role.SETTLEMENT:
            self._settlement_at = at
        else:
            self._governor, self._governor_at, self._pending = role, at, None

    def _other_word(self, word: Word, at: int) -> None:
        role = word.role
        if role in (Role.NEAR, Role.AWAY, Role.LINK, Role.OF):
            if self._pending not in (Role.NEAR, Role.AWAY) or at > self._pending_at + 1:
                self._pending, self._pending_at = role, at
            if role is not Role.OF or self._is_behind_mention(word):
                self._phrases_at = at
        elif role is Role.AND:
            self._governor, self._pending, self._joined_at = None, None, at
            near, *name = self._all[max(at - 2, 0) : at] or [word]
            if self._has_scene and near.role in (Role.NEAR, Role.AWAY) and any(one.is_name for one in name):
                self._pending, self._pending_at = near.role, at - 2  # "fighting near Orsk and the refinery"
            if self._is_behind_mention(word):
                self._phrases_at = at
        elif role is Role.SCENE:
            self._governor, self._governor_at, self._pending, self._has_scene = role, at, None, True
        elif role is Role.EVENT and not self._is_on(at):
            self._forget()
            self._phrases_at = at
            self._has_event = True
        elif word.ends_reach and (word.is_name or at > self._pending_at + 1):
            self._pending = None

    def _close(self) -> None:
        """Settle what the last words of a clause tell of all of it: "Near the refinery goes on fighting"."""
        for mention in self.mentions:
            if mention.nearness is _Nearness.OPEN and self._has_scene and not self._has_event:
                mention.nearness = _Nearness.SURE

    def _is_behind_mention(self, word: Word) -> bool:
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
