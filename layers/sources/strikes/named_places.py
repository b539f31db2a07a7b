"""What the text of a report names: settlements, districts, and the regions behind catch-all coordinates."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Literal, NamedTuple

from layers.model.types import Basis
from layers.reference.gazetteer_scoring import distance_m
from layers.reference.regions import region_key, region_names
from layers.text.place_names import fold, stem

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
        all(
            _is_case_of(word, name) or _is_adjective_of(word, name)
            for word, name in zip(words[at : at + size], wanted, strict=True)
        )
        and not (at and _is_epithet(words[at - 1]))
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


TABLE = Path(__file__).with_name("sinks.toml")

#: A record is at a catch-all coordinate within this distance: sources write one place with different digits.
SAME_PLACE_M = 500.0

_MOST_LETTERS = 20_000
_PLAIN_WORD = re.compile(r"[^\W_]+(?:['’ʼ`-][^\W_]+)*")


@dataclass(frozen=True, slots=True)
class CatchAllCoordinate:
    """A coordinate that a source format writes for a region ("region"), or for a word taken for a name ("word").

    ``lon``, ``lat`` are degrees (OGC:CRS84) as the source writes them, ``uncertainty_m`` the radius in metres
    around them that holds the region. ``names`` are the place's own: a report that has one of them means the place.
    """

    format: str
    id: int
    name: str
    names: tuple[str, ...]
    lon: float
    lat: float
    country: str
    admin1: str
    region: str
    kind: Literal["region", "word"]
    uncertainty_m: float
    reports: int


@dataclass(frozen=True, slots=True)
class WidenedLocation:
    """The location of a record at a catch-all coordinate: ``uncertainty_m`` around it, its basis, and the reason."""

    uncertainty_m: float
    basis: Basis
    region: str | None
    reason: str


@cache
def known_coordinates() -> tuple[CatchAllCoordinate, ...]:
    """Return every catch-all coordinate that ``sinks.toml`` lists."""
    listed = tomllib.loads(TABLE.read_text(encoding="utf-8"))["sink"]
    return tuple(CatchAllCoordinate(**{**row, "names": tuple(row["names"])}) for row in listed)


def widen_uncertainty(
    lon: float, lat: float, source_format: str, region: str | None = None, *, text: str | None = None
) -> WidenedLocation | None:
    """Widen a record that lies at a catch-all coordinate of its source.

    ``lon``, ``lat``: degrees (OGC:CRS84), as the source gives them. ``source_format``: the format that the record was
    read from, such as ``viina``: the list is kept by format, as a catch-all coordinate of one source is an ordinary
    place in another. ``region``: first-level division of the record, in any spelling. A record of another known region
    is not widened. ``text``: text of the report, if known. A report that names the place means it, unless the name is a
    word for a thing.

    None is returned for any other coordinate: the record's own basis holds.
    """
    for sink in known_coordinates():
        if sink.format != source_format or distance_m(lon, lat, sink.lon, sink.lat) > SAME_PLACE_M:
            continue
        if sink.kind == "word":
            return WidenedLocation(
                sink.uncertainty_m, "region", None, f"{sink.name} is a word taken for the name of a place"
            )
        if (region and _is_in_other_region(region, sink)) or (text and mentions_place(text, sink.names)):
            return None
        reason = f"{source_format} writes {sink.name} for reports that name only {sink.region}"
        return WidenedLocation(sink.uncertainty_m, "region", sink.region, reason)
    return None


def mentions_place(text: str, names: Iterable[str]) -> bool:
    """Whether a report has one of the names, in any grammatical case and any spelling that sounds alike.

    Only the first 20,000 characters are read. Empty text and no names give False.
    """
    text_stems = stems(text)
    return any(f" {stem(key)} " in text_stems for name in names if (key := fold(name)))


def stems(text: str) -> str:
    """Return the stems of the words of a text, with a space around each; of its first 20,000 characters."""
    return f" {' '.join(_stem_of(word) for word in _PLAIN_WORD.findall(text[:_MOST_LETTERS]))} "


@lru_cache(maxsize=100_000)
def _stem_of(word: str) -> str:
    return stem(fold(word))


@cache
def _regions() -> Mapping[str, frozenset[tuple[str, str]]]:
    regions_by_key: dict[str, set[tuple[str, str]]] = {}
    for name in region_names():
        regions_by_key.setdefault(name.key, set()).add((name.country, name.code))
    return {key: frozenset(regions) for key, regions in regions_by_key.items()}


def _is_in_other_region(region: str, sink: CatchAllCoordinate) -> bool:
    meant = _regions().get(region_key(region), frozenset())
    return bool(meant) and (sink.country, sink.admin1) not in meant
