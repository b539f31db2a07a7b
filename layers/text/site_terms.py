"""Texts and names of sites made comparable: word stems in Latin letters, and the kinds of target that a text mentions.

The words of each kind are in layers/model/asset_kinds.toml, others in site_words.toml.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from itertools import chain
from operator import or_

from layers.model.asset_kinds import ASSET_KINDS, TABLE, AssetKindDefinition
from layers.text.company_names import LEGAL_FORMS, STOP_WORDS, fold
from layers.text.place_names import SITE_WORDS

#: A target that is no energy or industrial asset.
MILITARY = "military"
#: Kinds of target that a text or an asset may have: the kinds of asset and others. The number of each is its bit in a
#: mask.
TARGET_KINDS: tuple[str, ...] = tuple(TABLE.targets)
#: Letters of the shortest stem that is compared.
MIN_STEM = 3

# What Ukrainian, Russian and English inflect a place word with, as `names` spells it: first the adjective, then the
# case, then the consonants that change before both. Кременчуцького, Кременчугского and Kremenchuk are one stem.
_ADJECTIVE = re.compile(
    r"(?<=...)(?:ts|s|z|zh|sh|ch)?k(?:ogo|oho|omu|om|imi|oiu|oie|aia|uiu|oe|ii?|oi|im|ih|ie|a|e|u|o)$|(?<=...)sk$"
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
_WORD_OR_STOP = re.compile(r"\w+(?:['’ʼ`´]\w+)*|[.,;:!?()—–«»“”\"]")
#: An adjective of Ukrainian or Russian in a case that no noun looks like: ударних, Кременчуцького.
LONG_ADJECTIVE = re.compile(r"(?<=...)(?:их|ых|ими|ыми|ого|ому|ої|ий|ый)$")
#: Words, and numbers of one or two digits, that phrases are read over.
_SKIPPED_IN_ROWS = frozenset([*SITE_WORDS["skipped"], *map(str, range(100))])
#: What pipelines carry, oil before gas; no name of a company or a paper says it: Gazprom, Нафтогаз, газета.
_CARRIED = (
    re.compile(
        r"\b(?:oil|crude|petroleum|erdöl|ölleitung|ölpipeline|нафтов|нефтян)|нафтопров|нефтепров"
        r"|\b(?:нафт[аиіу]|нафтою|нефт[ьи]|нефтью)\b",
        re.IGNORECASE,
    ),
    re.compile(
        r"\b(?:gas\b|erdgas|gasleitung|gaspipeline|газов|газогін|газогон)|газопров|\bгаз(?:[ауі]|ом)?\b", re.IGNORECASE
    ),
)
#: Digits with all marks beside them, by which 2 is a number and 2.5 has none.
_FIGURES = re.compile(r"[\d.,]+")


@lru_cache(maxsize=400_000)
def stem(word: str) -> str:
    """Return the part of a folded word that inflection leaves unchanged; a word with a digit stays whole."""
    if any(letter.isdigit() for letter in word):
        return word
    bare = _DOUBLE.sub(r"\1", word.replace("naft", "neft"))
    noun, adjective = _ADJECTIVE.subn("", bare, count=1)
    bare = _POSSESSIVE.sub("", noun) if adjective else _CASE.sub("", bare, count=1)
    bare = _LAST.sub("", _CHANGING.sub("", bare))
    return _SAME.get(bare, bare).translate(_BETWEEN)


@lru_cache(maxsize=400_000)
def stems(text: str) -> tuple[str, ...]:
    """Return the distinctive stems of a name or text, each once, in order of appearance.

    Words of kinds, common words and bare numbers are left out.
    """
    return tuple(dict.fromkeys(chain.from_iterable(map(_distinctive, text.split()))))


@lru_cache(maxsize=400_000)
def _distinctive(printed: str) -> tuple[str, ...]:
    """Return the distinctive stems of what is printed between two spaces."""
    return tuple(chain.from_iterable(map(_stems_of_word, _WORD.findall(printed))))


@lru_cache(maxsize=400_000)
def _stems_of_word(word: str) -> tuple[str, ...]:
    parts = (_DIRECTION.get(part) or stem(part) for part in fold(word).words if part not in _COMMON)
    return tuple(part for part in parts if len(part) >= MIN_STEM and not part.isdigit() and part not in _COMMON_STEMS)


#: Companies are named after a town and what they make: Orsknefteorgsintez, Таманьнафтогаз.
_COMPOUND = re.compile(r"([a-z]{4,12}?)(?:neft|naft|gaz|haz|energo|enerho|azot|khim|him)[a-z]*")
#: The same within one of ASCII as it is printed: it is folded with i for y and h for kh.
_COMPOUND_AS_PRINTED = re.compile(r"neft|naft|[gh]az|ener[gh]o|azot|h[iy]+m")
_NO_TOWNS = frozenset(SITE_WORDS["no_towns"])


def carried_in(texts: Iterable[str]) -> int:
    """Return what texts on pipelines say that these carry: oil as the first bit, gas as the second."""
    return reduce(or_, (1 << bit for text in texts for bit, word in enumerate(_CARRIED) if word.search(text)), 0)


def towns_in(name: str) -> tuple[str, ...]:
    """Return the towns that names of companies begin with, in Latin letters: ``orsk`` of Orsknefteorgsintez."""
    # Few names of Latin letters have one, and folding them all takes long; letters with dots fold to a word.
    if name.isascii() and not ("." in name or "/" in name or any(map(_may_be_compound, name.split()))):
        return ()
    heads = (found[1] for word in fold(name).words if (found := _COMPOUND.fullmatch(word)))
    return tuple(dict.fromkeys(head for head in heads if head not in _NO_TOWNS))


@lru_cache(maxsize=400_000)
def _may_be_compound(word: str) -> bool:
    return bool(_COMPOUND_AS_PRINTED.search(word.lower().replace("'", "").replace("`", "")))


#: Words behind which a text says where something was, as they may be printed.
_LOCATIVES = frozenset(
    printed for word in SITE_WORDS["locative"] for printed in (word, word.capitalize(), word.upper())
)
#: An adjective of a place, which says whose a site is: "у Кременчуцькому НПЗ".
_OF_A_PLACE = re.compile(r"(?:ськ|зьк|цьк|ск|цк)(?:ому|ом|ій|ой|их|им|ий|ого)$")


def located_words(text: str) -> tuple[str, ...]:
    """Return the words that say where in a text: up to two names behind "in" and the like, as printed."""
    printed = _WORD.findall(text)
    if _LOCATIVES.isdisjoint(printed):
        return ()
    found: list[str] = []
    for at, word in enumerate(printed):
        if word in _LOCATIVES:
            for name in printed[at + 1 : at + 3]:
                if not name[0].isupper() or _OF_A_PLACE.search(name):
                    break
                found.append(name)
    return tuple(found)


#: A sea, which is a region as a place: "in the Caspian Sea", "в Каспійському морі", "Gulf of Oman".
_SEA = re.compile(
    r"\b[A-Z][a-z]{2,15} Sea\b|\b(?:Gulf|Sea) of [A-Z][a-z]{2,15}\b"
    r"|\b[А-ЯЄІЇҐ][а-яєіїґ]{2,15}(?:ськ|ск|н)[а-яії]{1,3} мор(?:е|я|і|ю|ем)\b"
)


def without_seas(text: str) -> str:
    """Return a text without the names of seas and gulfs."""
    if not ("Sea" in text or "Gulf of" in text or " мор" in text):  # soon looked for
        return text
    return _SEA.sub(" ", text).strip(" ,")


def numbers(text: str) -> int:
    """Return the whole numbers from 0 to 63 in a name as a mask with one bit for each."""
    mask = 0
    for figures in _FIGURES.findall(text):
        if len(figures) <= 2 and figures.isdecimal() and int(figures) < 64:
            mask |= 1 << int(figures)
    return mask


def kinds_mentioned(text: str) -> int:
    """Return the kinds of target that a text mentions, as a mask by `TARGET_KINDS`.

    A kind whose words are vague counts only where the text mentions no other kind. So do words that leave open which of
    some kinds they mean, as "energy facility": they give all of these.
    """
    alone = parts = 0
    words = _WORD_OR_STOP.findall(text.replace("_", " "))
    for word in words:
        of_word, of_parts = kinds_of_word(word)
        alone, parts = alone | of_word, parts | of_parts
    if parts:
        together, rows = _phrases_within(parts)
        alone |= together
        for kind, phrases in rows:
            if not alone & kind and _stand_in_a_row(words, phrases):
                alone |= kind
    return specific_kinds(alone)


def without_vague(kinds: int) -> int:
    """Return kinds without the vague ones where there are others; a ship leaves the port there in which it lies."""
    specific = kinds & ~VAGUE
    return specific if specific & ~_SHIP else kinds


def specific_kinds(kinds: int) -> int:
    """Return kinds without the vague ones where there are others, and the kinds that vague words may mean."""
    kinds = without_vague(kinds)
    if kinds >> len(TARGET_KINDS):
        for bit, meant in _KINDS_BY_VAGUE_BIT.items():
            kinds = (kinds | meant) & ~(1 << bit) if kinds >> bit & 1 else kinds
    return kinds


@lru_cache(maxsize=400_000)
def kinds_of_word(word: str) -> tuple[int, int]:
    """Return two masks for a printed word: kinds that it mentions by itself, and words of phrases that it is."""
    plain = word.casefold()
    alone = kind_bits(kind for kind, part in _ALONE.get(plain[:2], ()) if _fits(plain, part))
    return alone, sum(1 << bit for part, bit in _PARTS_BY.get(plain[:2], ()) if _fits(plain, part))


@lru_cache(maxsize=100_000)
def _phrases_within(parts: int) -> tuple[int, tuple[tuple[int, tuple[Phrase, ...]], ...]]:
    """Return the kinds whose words are all there, and by kind the phrases whose words must stand in a row besides."""
    there = [phrase for phrase in PHRASES if parts & phrase.needed == phrase.needed]
    rows = [phrase for phrase in there if phrase.in_a_row]
    by_kind = {kind: tuple(row for row in rows if row.kind == kind) for kind in dict.fromkeys(row.kind for row in rows)}
    together = kind_bits(phrase.kind for phrase in there if not phrase.in_a_row)
    return together, tuple((kind_bits([kind]), phrases) for kind, phrases in by_kind.items())


def _stand_in_a_row(printed: Sequence[str], phrases: Sequence[Phrase]) -> bool:
    words = [mask for mask in map(_part_of_row, printed) if mask is not None]
    for phrase in phrases:
        last = 1 << phrase.parts[-1]
        for at, mask in enumerate(words):
            if mask & last and phrase.ends_at(words, at):
                return True
    return False


def is_skipped_in_rows(plain: str) -> bool:
    """Whether phrases are read over a word in small letters: a small word, a short number, a long Slavic adjective."""
    return plain in _SKIPPED_IN_ROWS or bool(LONG_ADJECTIVE.search(plain))


@lru_cache(maxsize=400_000)
def _part_of_row(word: str) -> int | None:
    """Return the words of phrases that a printed word is, None for one that may stand between them."""
    parts = kinds_of_word(word)[1]
    return None if is_skipped_in_rows(word.casefold()) and not parts else parts


def kind_bits(kinds: Iterable[str]) -> int:
    """Return kinds as a mask by `TARGET_KINDS`."""
    return sum(1 << _BIT[kind] for kind in set(kinds))


def _fits(word: str, part: str) -> bool:
    return word == part[1:] if part.startswith("=") else word.startswith(part)


def related(kind: str) -> frozenset[str]:
    """Return the kinds that reports mistake for a kind, or the kind for them, without the kind itself."""
    mistaken = {name for name, target in TABLE.targets.items() if kind in target.mistaken_for}
    return frozenset({*TABLE.targets[kind].mistaken_for, *mistaken})


#: The bits of `TARGET_KINDS`, and behind them one for each set of vague words, which `specific_kinds` replaces.
_BIT = {kind: bit for bit, kind in enumerate((*TARGET_KINDS, *TABLE.vague_words))}


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that mention a kind together; ``parts`` are their bits in order, ``needed`` is all of them."""

    kind: str
    in_a_row: bool
    parts: tuple[int, ...]

    @property
    def needed(self) -> int:
        """The words as a mask."""
        return sum({1 << bit for bit in self.parts})

    def ends_at(self, words: Sequence[int], at: int) -> bool:
        """Whether the words stand in a row, the last of them at a position; each is a mask of the parts that it is."""
        if not words[at] >> self.parts[-1] & 1 or at + 1 < len(self.parts):
            return False
        return all(words[at - back] >> bit & 1 for back, bit in enumerate(reversed(self.parts)))


#: Kind, words, and whether they must stand in a row, of each phrase of the table.
_PRINTED = [
    (name, re.split(r"[+_]", word.casefold()), "_" in word)
    for words_of in (TABLE.targets, TABLE.vague_words)
    for name, said in words_of.items()
    for word in said.all_words
]
#: Words that mean a kind in the name of an asset only.
_OF_NAMES = [re.split(r"[+_]", word.casefold()) for target in TABLE.targets.values() for word in target.all_name_words]
#: Kind and word of phrases of one word, by the first two letters.
_ALONE: dict[str, list[tuple[str, str]]] = {}
for _kind, _words, _ in _PRINTED:
    if len(_words) == 1:
        _ALONE.setdefault(_words[0].lstrip("=")[:2], []).append((_kind, _words[0]))
#: Words of longer phrases, each with its bit.
_PARTS = {
    part: bit
    for bit, part in enumerate(dict.fromkeys(part for _, parts, _ in _PRINTED if len(parts) > 1 for part in parts))
}
_PARTS_BY: dict[str, list[tuple[str, int]]] = {}
for _part, _bit in _PARTS.items():
    _PARTS_BY.setdefault(_part.lstrip("=")[:2], []).append((_part, _bit))
#: Phrases of several words.
PHRASES = tuple(
    Phrase(kind, in_a_row, tuple(_PARTS[part] for part in parts))
    for kind, parts, in_a_row in _PRINTED
    if len(parts) > 1
)
#: Kinds whose words are vague, and sets of vague words, as a mask.
VAGUE = kind_bits([*(name for name, target in TABLE.targets.items() if target.vague), *TABLE.vague_words])
_SHIP = kind_bits(["vessel"])
_KINDS_BY_VAGUE_BIT = {_BIT[name]: kind_bits(vague.kinds) for name, vague in TABLE.vague_words.items()}

_DIRECTION = {
    folded: name for name, words in SITE_WORDS["directions"].items() for word in words for folded in fold(word).words
}
_KIND_WORDS = (*(parts for _, parts, _ in _PRINTED), *_OF_NAMES)
_KIND_STEMS = {stem(folded) for parts in _KIND_WORDS for part in parts for folded in fold(part).words}
# Legal forms are compared word by word here, so that each word is folded once, whatever text it is in.
_FORMS = {word for forms in LEGAL_FORMS.values() for form in forms for word in fold(form).plain if len(word) > 2}
_SMALL = {folded for word in STOP_WORDS for folded in fold(word).words}
_COMMON = frozenset({folded for word in SITE_WORDS["common"] for folded in fold(word).words} | _FORMS | _SMALL) - set(
    _DIRECTION
)
_SITE_NAMES = {name for target in TABLE.targets.values() for name in target.site_names}
_COMMON_STEMS = (frozenset(stem(word) for word in _COMMON) | _KIND_STEMS) - {
    stem(folded) for name in _SITE_NAMES for folded in fold(name).words
}


def _is_kin(one: AssetKindDefinition, other: AssetKindDefinition) -> bool:
    """Whether kinds share a family and a measure: a substation of a power plant's family has no capacity of its own."""
    return bool({*one.families} & {*other.families}) and one.capacity_unit == other.capacity_unit


#: What is struck and is no asset, or of a kind that no layer lists, as a mask by `TARGET_KINDS`.
NO_ASSETS: int = kind_bits([*TABLE.other_targets, *(name for name, kind in ASSET_KINDS.items() if kind.unlisted)])
#: For each of `TARGET_KINDS`, a mask of the kinds that it is mistaken for.
RELATED_MASKS: tuple[int, ...] = tuple(kind_bits(related(kind)) for kind in TARGET_KINDS)
#: For each of `TARGET_KINDS`, a mask of the kinds that share a family with it.
KIN_MASKS: tuple[int, ...] = tuple(
    kind_bits(
        other
        for other, definition in ASSET_KINDS.items()
        if other != kind and kind in ASSET_KINDS and _is_kin(definition, ASSET_KINDS[kind])
    )
    for kind in TARGET_KINDS
)
#: Kinds of which a town has many, as a mask.
MANY_IN_TOWN: int = kind_bits(name for name, kind in ASSET_KINDS.items() if kind.many)
#: For each of `TARGET_KINDS`, whether a town has one at most.
IS_RARE: tuple[bool, ...] = tuple(kind in ASSET_KINDS and ASSET_KINDS[kind].rare for kind in TARGET_KINDS)
