"""First-level regions and their spellings: the list of GeoNames and the names of region_names.toml."""

from __future__ import annotations

import csv
import re
import tomllib
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from layers.text.place_names import fold, keys, stem
from layers.text.site_terms import kinds_of_word

_HERE = Path(__file__).parent
ADMIN1 = _HERE / "admin1.tsv"
SPELLINGS = _HERE / "region_names.toml"

# Words by which a text means a region and not the city of that name.
_WORDS = keys(
    "область области обл oblast oblasts region регіон регіону регион gebiet province provinz край краю края крае krai "
    "kray республіка республіки республіці республика республики республике republic republik округ округу округа "
    "okrug voivodeship județ judet county state autonomous автономна автономний автономная автономный автономної ар "
    "ar district"
)
_STEMS = frozenset(stem(word) for word in _WORDS)
_CITY = fold("city")
_SMALL = keys("of the в у на і и city")
# Of these words those beside which even an adjective is a region; a district may be one of a city.
_PROVINCES = _WORDS - keys(
    "округ округу округа district county judet județ state автономна автономний автономная автономный "
    "автономної autonomous ар ar"
)
_ADJECTIVES = ("ська", "ский", "ская", "ський", "зька", "зький", "цька", "цкая", "цкий", "цький", "ska", "skaya", "sky")
#: Endings of such adjectives in all cases, in Cyrillic letters.
_INFLECTED = tuple(
    stem + case
    for stem in ("ськ", "ск", "зьк", "цьк", "цк")
    for case in ("ий", "ого", "ому", "им", "ім", "а", "ої", "ій", "у", "ою", "ая", "ой", "ую", "ом", "ие", "их")
)
_ORIGINS = keys("из с со з із зі from aus von")
_PORTS = keys("port порт порту порта порті порте портом")
# Towns that are spelled as the adjective of a region without its ending: Приморск, у Приморську.
_TOWN = re.compile(r"sk[ue]?$")
# The Kurdistan Region of Iraq is meant more often than the Iranian province, Chechens are where they are sent, and the
# Caucasus is of several countries.
_AMBIGUOUS = frozenset(
    stem(key)
    for key in keys("kurdistan курдистан курдистане kordestan chechen chechens kavkaz кавказ кавказі кавказе caucasus")
)


RegionNameKind = Literal["alone", "name", "city"]


class Region(NamedTuple):
    """A first-level region: country (ISO 3166-1), GeoNames admin1 code, name in English, geonameid."""

    country: str
    code: str
    name: str
    geonameid: int


class RegionName(NamedTuple):
    """One spelling of a region.

    The kind is "alone" if the spelling means the region without a word such as oblast, "name" if it needs one because a
    city has the same name, and "city" if the region is but a city, to which no such word belongs.
    """

    key: str
    country: str
    code: str
    spelled: str
    kind: RegionNameKind


def has_region_word(text: str) -> bool:
    """Whether a text says that it means a region: ``Odesa oblast``, ``Gebiet Odessa``."""
    return any(word in _WORDS for word in fold(text).split())


def is_region_word(stemmed: str) -> bool:
    """Whether the stem of a word is that of oblast or the like."""
    return stemmed in _STEMS


def region_key(text: str) -> str:
    """Return the key by which a region is looked up: its words without oblast and the like, without case endings.

    A text of such words alone keeps them. Empty where the text has no letter.
    """
    words = fold(text).split()
    telling = [word for word in words if word not in _WORDS and word not in _SMALL]
    return stem(" ".join(telling or words))


def geonames_regions() -> Iterator[Region]:
    """Give every first-level region that GeoNames lists, by its code."""
    with ADMIN1.open(encoding="utf-8", newline="") as file:
        lines = (line for line in file if not line.startswith("#"))
        for code, name, geonameid in csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            country, _, division = code.partition(".")
            yield Region(country, division, name, int(geonameid))


def region_names() -> Iterator[RegionName]:
    """Give every spelling of a region that is known without an added gazetteer.

    An adjective that sounds like the city's name in a case (``Луганська``, ``у Луганську``) does not mean the region
    without a word such as oblast.
    """
    for region in geonames_regions():
        yield from names_of_region(region.country, region.code, [region.name])
    for country, regions in _spellings().items():
        for code, ways in regions.items():
            cities = {region_key(way) for way in ways.get("name", ())}
            for kind in get_args(RegionNameKind):
                for way in ways.get(kind, ()):
                    key = region_key(way)
                    yield RegionName(key, country, code, way, "name" if key in cities else kind)


def names_of_region(country: str, code: str, names: Iterable[str]) -> Iterator[RegionName]:
    """Give the names of one region, as a gazetteer lists them, with their keys and kinds."""
    for name in names:
        if key := region_key(name):
            yield RegionName(key, country, code, name, _kind(name))


def _kind(name: str) -> RegionNameKind:
    return "city" if _CITY in fold(name).split() else "name"


def country_names() -> Iterator[tuple[str, str]]:
    """Give key and ISO 3166-1 code of the countries that region_names.toml names in several languages."""
    for iso, ways in tomllib.loads(SPELLINGS.read_text(encoding="utf-8"))["countries"].items():
        yield from ((fold(way), iso) for way in ways)


def _spellings() -> dict[str, dict[str, dict[str, list[str]]]]:
    read = tomllib.loads(SPELLINGS.read_text(encoding="utf-8"))
    del read["countries"]
    return read


class RegionsNamed(NamedTuple):
    """What a text says of first-level regions.

    Attributes
    ----------
    countries
        Their countries, ISO 3166-1 alpha-2, without regions of a name that several countries have.
    rest
        The text without the words that name a region: the Krasnodar of "Krasnodar krai" names no site. Where one is
        named, text beyond 1,000 characters is cut.
    """

    countries: frozenset[str]
    rest: str


def regions_named(text: str) -> RegionsNamed:
    """Read the regions that a headline or the name of a target names, in Latin or Cyrillic letters.

    A name that a city has too counts beside a word such as oblast. A country's own name says nothing: in a headline it
    may be who struck.
    """
    words = text[:_MAX_TEXT].split()
    if not any(map(_is_of_region, words)):
        return RegionsNamed(frozenset(), text)
    named = dict(_regions_in(words))
    dropped = {number for number in named if not _is_of_site(words, number)}
    rest = " ".join(word for number, word in enumerate(words) if number not in dropped) if dropped else text
    return RegionsNamed(frozenset(filter(None, named.values())), rest)


@lru_cache(maxsize=100_000)
def host_countries(place: str) -> frozenset[str]:
    """Return the countries in which a place lies by its own words: those of its regions, and those behind commas."""
    return regions_named(place).countries | _countries_of_place(place)


#: Signs that stand about words.
_SIGNS = " .,;:!?\"'«»“”„()[]…"


class RegionMention(NamedTuple):
    """A region that a text names: its country (ISO 3166-1 alpha-2), and its words in the text."""

    country: str
    words: str


class RegionMentions:
    """Finds the regions that texts name beyond doubt; stricter than ``regions_named``, and quick over many texts.

    A name counts beside a word such as oblast, and by itself only where it is the noun for a region (``Кубань``,
    ``Одещина``): an adjective may be that of a town, a plant or a district of a city (``Кировский район``,
    ``Новгородское``). A region that something comes from (``из Курской области``) is not where it arrives. Names that
    regions of several countries have say nothing.
    """

    def __init__(self) -> None:
        self._plain: set[str] = set()
        self._telling: set[str] = set()

    def of(self, text: str) -> tuple[RegionMention, ...]:
        """Return the mentions of a text in their order; its first 1,000 letters are read."""
        words = text[:_MAX_TEXT].split()
        for word in set(words) - self._plain - self._telling:
            (self._telling if _may_be_region(word) else self._plain).add(word)
        if self._telling.isdisjoint(words):
            return ()
        mentions = (_mention(words, number) for number, word in enumerate(words) if word in self._telling)
        return tuple(mention for mention in mentions if mention)


def _may_be_region(word: str) -> bool:
    """Whether a word is the capitalised name of a region, or an adjective of it."""
    if not next((letter.isupper() for letter in word if letter.isalpha()), False):
        return False
    folded, stemmed = _folded(word)
    return stemmed in _country_names().regions and folded not in _WORDS and stemmed not in _AMBIGUOUS


def _mention(words: Sequence[str], number: int) -> RegionMention | None:
    """Return what the word of a number names, by itself or with the word before or behind it."""
    if any(_folded(word)[0] in _ORIGINS for word in words[max(0, number - 2) : number]):
        return None
    names, (folded, stemmed) = _country_names(), _folded(words[number])
    beside = [place for place in (number - 1, number + 1) if 0 <= place < len(words)]
    provinces = [place for place in beside if _folded(words[place])[0] in _PROVINCES]
    if not provinces and not folded.startswith(names.nouns.get(stemmed, ())):
        return None
    shown = " ".join(words[place] for place in sorted((number, *provinces[-1:])))
    return RegionMention(names.regions[stemmed], shown.strip(_SIGNS))


def region_of_field(text: str) -> str | None:
    """Return the country of the region that the column of a region names, which needs no word such as oblast."""
    key = region_key(text)
    return None if key in _AMBIGUOUS else _country_names().regions.get(key)


def country_of_place(text: str) -> str | None:
    """Return the country that a part of a place names, such as that in ``Orlivka, Ukraine``; None if none is named."""
    named = _countries_of_place(text)
    return named.pop() if len(named) == 1 else None


def _countries_of_place(text: str) -> set[str]:
    """Return the countries whose own names are parts of a place, between commas."""
    return {country for part in text.split(",") if (country := _country_names().countries.get(fold(part)))}


@lru_cache(maxsize=200_000)
def _is_of_region(word: str) -> bool:
    """Whether a printed word may name a region, by itself or beside another."""
    bare = word.strip(_SIGNS)
    if bare != word:
        return _is_of_region(bare)  # which is likely known
    names, (folded, stemmed) = _country_names(), _folded(word)
    is_region = stemmed in names.regions and folded not in _WORDS
    return is_region or stemmed in names.alone or stemmed in _AMBIGUOUS


def _regions_in(printed: Sequence[str]) -> Iterator[tuple[int, str | None]]:
    """Yield the numbers of the words that name a region, and its country, None for a name that several share."""
    names = _country_names()
    words = [_folded(word) for word in printed]
    for number, (word, stemmed) in enumerate(words):
        if stemmed in _AMBIGUOUS:
            if not (number and words[number - 1][0] in _PORTS):
                yield number, None
        elif stemmed in names.alone:
            if stemmed in names.nouns or not _TOWN.search(word):
                yield number, names.alone[stemmed]
        elif stemmed in names.regions and word not in _WORDS:
            beside = words[max(0, number - 1) : number + 2]
            if any(other in _WORDS for other, _ in beside):
                yield number, names.regions[stemmed]


def _is_of_site(printed: Sequence[str], number: int) -> bool:
    """Whether a word is the adjective of a region in the name of a site: "Рязанский НПЗ"."""
    if not printed[number].strip(_SIGNS).casefold().endswith(_INFLECTED) or number + 1 == len(printed):
        return False
    beside = printed[number - 1] if number else ""
    return any(kinds_of_word(printed[number + 1].strip(_SIGNS))) and _folded(beside)[0] not in _WORDS


class _CountryNames(NamedTuple):
    """Countries by names of regions that need no word such as oblast, of all regions, and of countries.

    ``nouns`` are the beginnings of those of the first that are no adjectives, by their stems.
    """

    alone: Mapping[str, str]
    regions: Mapping[str, str]
    countries: Mapping[str, str]
    nouns: Mapping[str, tuple[str, ...]]


@cache
def _country_names() -> _CountryNames:
    names = tuple(region_names())
    alone, regions = _of_one_country(names, {"alone"}), _of_one_country(names, {"alone", "name"})
    nouns: dict[str, tuple[str, ...]] = {}
    for name in names:
        if name.key in alone and not name.spelled.casefold().endswith(_ADJECTIVES):
            nouns[name.key] = (*nouns.get(name.key, ()), _beginning(fold(name.spelled)))
    return _CountryNames(alone, regions, dict(country_names()), nouns)


def _beginning(noun: str) -> str:
    """Return a folded noun without the vowel that its cases change: a stem alone is that of other words too (кроме)."""
    return noun[:-1] if len(noun) > 5 and noun[-1] in "aeiou" else noun


@lru_cache(maxsize=200_000)
def _folded(word: str) -> tuple[str, str]:
    folded = fold(word)
    return folded, stem(folded)


#: Letters of a text that are looked through for regions.
_MAX_TEXT = 1000


def _of_one_country(names: Iterable[RegionName], kinds: Container[str]) -> Mapping[str, str]:
    countries: dict[str, set[str]] = defaultdict(set)
    for name in names:
        if name.kind in kinds and " " not in name.key and len(name.key) > 3:
            countries[name.key].add(name.country)
    return {key: next(iter(named)) for key, named in countries.items() if len(named) == 1}
