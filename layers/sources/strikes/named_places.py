"""Whether the text of a report names a settlement or a district, in any grammatical case or as an adjective."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Literal, NamedTuple

from layers.text.place_names import fold

#: Letters of a text that are searched.
_MAX_TEXT = 5000
_WORD = re.compile(r"[\w'’‘ʼʻ`´ʹ′‛‐‑-]+")
# Quotation marks that stand for an apostrophe: Слов"янськ.
_QUOTED_APOSTROPHE = re.compile(r'(?<=[бвкмпрф])"{1,8}(?=[яєюї])', re.IGNORECASE)
_INNER_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")

_ADJECTIVE = re.compile(r"[зсц]ь?к\w{1,3}$")
# Endings that make a place's name mean its region: Одеська (область), Одещина.
_REGIONAL = re.compile(
    r"(?:[зсц]ьк(?:а|ої|ій|у|ою|их|ими)|[сц]к(?:ая|ой|ую|ою|их|ими)|щин(?:а|и|і|у|ою|е|ы)|чин(?:а|и|і|у|ою|е|ы))$"
)
# Those that are also cases of a town: Луцька, Луцьку.
_REGION_OR_TOWN = re.compile(r"[зсц]ьк[ау]$")
# Words behind the adjective of a region: of an oblast, its authorities (ОВА, ОДА), or of a front.
_REGION_WORD = re.compile(
    r"обл|кра(?:й|ю|е|я|єм|ем)$|о[вд]а$|народн|республ|напрям|направлен|фронт|плацдарм|region|oblast|krai$|front",
    re.IGNORECASE,
)
_DISTRICT_WORD = re.compile(r"район|р-н|громад|о?тг$|raion|district|hromada", re.IGNORECASE)
_CONJUNCTIONS = frozenset(("і", "й", "та", "и", "а", "також", "или", "або", "and"))
_BEFORE_TOWN = frozenset(
    ("у", "в", "по", "під", "біля", "поблизу", "до", "з", "із", "зі", "від", "навколо", "неподалік")
)

# Consonants of names that are compared by their first vowel too.
_SHORT = 3
_VOWELS = str.maketrans("", "", "aeiou")
_CHANGING_VOWELS = str.maketrans("ie", "oo")
# Consonants of case endings, as keys spell them: of nouns (-ах, -ом, -ів; -ого, -ому of Сватове), of adjectives.
_NOUN_ENDINGS = ("", "h", "m", "v")
_ADJECTIVE_ENDINGS = ("", "h", "m")
# Between a name and the -ськ- of its adjective: Ялта, ялтинський; Дубно, дубнівський.
_LINKS = ("", "n", "v")
# Consonants of a name that are lost in -ськ- or -цьк-: of Овруч, Запоріжжя, Каховка, Рига, Одеса, Бахмут.
_LOST = ("ch", "sh", "k", "h", "s", "t")
# New, old, small, great (also Russian), upper and lower: behind them a name is that of another place.
_EPITHETS = frozenset(("nv", "str", "ml", "vlk", "blsh", "vrhn", "nshn"))

#: What a word can be the name of at most.
_Meaning = Literal["town", "noun of a town", "district", "region"]
_TOWN = ("town", "noun of a town")


class _Word(NamedTuple):
    """A word's key, its first letter with the consonants behind it, and what it can name; None for no name."""

    key: str
    consonants: str
    meaning: _Meaning | None


def names_place(text: str, name: str) -> bool:
    """Whether a text in Ukrainian, Russian or English names a settlement that is given in Latin letters.

    Capitalised words are compared by their consonants and first vowel, in every case and as adjectives: Харкові,
    Kharkiv; Новій Каховці, Nova Kakhovka; Кременчуцький, Kremenchuk. The word for its region does not count (Одещина,
    Одеська область), nor does the adjective of its district or of a front. Нова Каховка is not Kakhovka.
    """
    wanted = _words_of(name)
    words = [word if word.meaning in _TOWN else _NO_NAME for word in _words(text)]
    return bool(wanted) and (
        _has_forms(words, wanted) or any(_is_adjective_of(word, _joined(wanted)) for word in words)
    )


def district_named(text: str, district: str) -> Literal["town", "district"] | None:
    """Return whether a text names the town that a district or municipality has its name of, or only the district.

    The district is given as a Latin adjective: Феодосія is the town of Feodosiis'ka, and Броварський район the
    district Brovars'kyi. The word for a region names neither (Одеська область, Odes'ka).
    """
    words = list(_words(text))
    if _names_district([word if word.meaning in _TOWN else _NO_NAME for word in words], district):
        return "town"
    return "district" if _names_district([word for word in words if word.meaning == "district"], district) else None


def _names_district(words: Sequence[_Word], district: str) -> bool:
    wanted = _words_of(_INNER_CAPITAL.sub(" ", district))
    if len(wanted) != 1:
        return bool(wanted) and _has_forms(words, wanted)
    return any(
        (_has_adjective(word, wanted[0]) and not _is_epithet(before))
        or _has_adjective(_joined((before, word)), wanted[0])
        for before, word in pairwise((_NO_NAME, *words))
    )


def _words_of(name: str) -> list[_Word]:
    return [_word(word, "town") for word in _WORD.findall(name)]


def _words(text: str) -> Iterator[_Word]:
    words = _WORD.findall(_QUOTED_APOSTROPHE.sub("'", text[:_MAX_TEXT]))
    return (_word(word, _meaning(words, at)) if word[:1].isupper() else _NO_NAME for at, word in enumerate(words))


@lru_cache(maxsize=65_536)
def _word(word: str, meaning: _Meaning | None) -> _Word:
    key = fold(word).replace(" ", "")
    for russian, ukrainian in _RUSSIAN:
        key = russian.sub(ukrainian, key)
    return _Word(key, key[:1] + key[1:].translate(_VOWELS), meaning)


# Миколаїв is Николаев in Russian, Костянтинівка is Константиновка, and Охтирка is Ахтырка.
_RUSSIAN = ((re.compile("^nikol"), "mikol"), (re.compile("konstantin"), "kostiantin"), (re.compile("^a"), "o"))
_NO_NAME = _Word("", "", None)


def _meaning(words: Sequence[str], at: int) -> _Meaning:
    word = words[at].casefold()
    if not _ADJECTIVE.search(word):
        return "region" if _REGIONAL.search(word) else "town"
    following = next((other for other in words[at + 1 : at + 8] if not _continues_list(word, other)), "")
    if _REGION_WORD.match(following):
        return "region"
    if _DISTRICT_WORD.match(following):
        return "district"
    if not _REGIONAL.search(word):
        return "town"
    may_be_town = _REGION_OR_TOWN.search(word) and _is_noun(word, words[max(at - 1, 0) : at + 2])
    return "noun of a town" if may_be_town else "region"


def _continues_list(word: str, other: str) -> bool:
    """Whether a word is one of a list of adjectives before their noun: Донецьку та Луганську області."""
    adjective = other.casefold()
    return adjective in _CONJUNCTIONS or (bool(_ADJECTIVE.search(adjective)) and adjective[-2:] == word[-2:])


def _is_noun(word: str, around: Sequence[str]) -> bool:
    """Whether a word in -ська or -ську is a case of a town, and no adjective of the word behind it."""
    before, after = around[0].casefold(), around[-1]
    if before in _BEFORE_TOWN:
        return True
    is_abbreviation = len(after) > 1 and after.isupper()
    agrees = after.casefold().endswith(("а", "я") if word.endswith("а") else ("у", "ю"))
    return after.casefold() == word or not (is_abbreviation or agrees)


def _has_forms(words: Sequence[_Word], wanted: Sequence[_Word]) -> bool:
    """Whether words in a row are forms of those of a name, and no epithet stands before them."""
    size = len(wanted)
    return any(
        all(map(_is_form_of, words[at : at + size], wanted)) and not (at and _is_epithet(words[at - 1]))
        for at in range(len(words) - size + 1)
    )


def _is_epithet(word: _Word) -> bool:
    return bool(_without_endings(word.consonants, _ADJECTIVE_ENDINGS) & _EPITHETS)


def _joined(words: Sequence[_Word]) -> _Word:
    """Join words as the adjective of the whole does: Нова Каховка, новокаховський; Кривому Розі, криворізький."""
    *first, last = words
    if not all(word.key for word in words):
        return _NO_NAME
    stems = [min(_without_endings(word.consonants, _ADJECTIVE_ENDINGS), key=len) for word in first]
    return _Word("".join(word.key for word in words), "".join((*stems, last.consonants)), "town")


def _without_endings(consonants: str, endings: Sequence[str]) -> set[str]:
    """Return what may be the stem of a word; two consonants stay."""
    return {
        consonants.removesuffix(end)
        for end in endings
        if consonants.endswith(end) and (not end or len(consonants) > len(end) + 1)
    }


def _is_form_of(word: _Word, name: _Word) -> bool:
    return _is_case_of(word, name) or _is_adjective_of(word, name)


def _is_case_of(word: _Word, name: _Word) -> bool:
    """Whether a word is a case of a name; its к, г or х becomes ц, з or с before -і: Каховці, Розі."""
    if not _begin_alike(word, name):
        return False
    if any(word.consonants == f"{stem}{end}" for stem in _spellings(name.consonants) for end in _NOUN_ENDINGS):
        return True
    softened = f"{name.consonants[:-1]}s"
    return name.consonants[-1:] in ("k", "h") and word.consonants == softened and word.key.endswith("i")


def _spellings(consonants: str) -> tuple[str, ...]:
    """Return the consonants of a name, also with the last as the other language has it: Кременчук, Кременчуг."""
    other = {"k": "h", "h": "k"}.get(consonants[-1:])
    return (consonants, f"{consonants[:-1]}{other}") if other and len(consonants) > 2 else (consonants,)


def _is_adjective_of(word: _Word, name: _Word) -> bool:
    """Whether a word is the adjective of a name in -ськ- (Russian -ск-)."""
    return (
        word.meaning != "noun of a town"
        and _begin_alike(word, name)
        and any(
            word.consonants == f"{stem}{link}sk{end}"
            for stem in _adjective_stems(name.consonants)
            for link in _LINKS
            for end in _ADJECTIVE_ENDINGS
        )
    )


def _has_adjective(word: _Word, adjective: _Word) -> bool:
    """Whether a word is a form of an adjective in -ськ-, or a case of the name that it comes from."""
    if not word.key or not _begin_alike(word, adjective):
        return False
    cases = _without_endings(word.consonants, _NOUN_ENDINGS)
    stems = {stem for case in cases for stem in _adjective_stems(case)}
    return adjective.consonants in cases or any(
        f"{stem}{link}sk" == adjective.consonants for stem in stems for link in _LINKS
    )


def _adjective_stems(consonants: str) -> set[str]:
    return {
        stem
        for spelling in _spellings(consonants)
        for end in ("", *_LOST)
        if spelling.endswith(end) and len(stem := spelling.removesuffix(end)) > (1 if end else 0)
    }


def _begin_alike(word: _Word, name: _Word) -> bool:
    """Whether the first letters are alike, and of short names, of which many words have the consonants, the vowel too.

    О, е and і change in a closed syllable (Рось, Розі), so they are one; а is о in some words of the other language.
    """
    return word.key[:1] == name.key[:1] and (
        len(name.consonants) > _SHORT or _first_vowel(word.key) == _first_vowel(name.key)
    )


@lru_cache(maxsize=65_536)
def _first_vowel(key: str) -> str:
    vowel = re.search("[aeiou]", key[1:])
    return "" if vowel is None else vowel[0].translate(_CHANGING_VOWELS)
