"""Names of countries in many languages, and the ISO 3166-1 code of each. Knows no geometry."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

NAMES = Path(__file__).with_name("country_names.tsv")
_GEONAMES = Path(__file__).with_name("countries.tsv")
_GONE = frozenset({"AN", "CS"})

#: Names in use that CLDR does not have: full names, abbreviations and older spellings, by code.
_MORE: Mapping[str, str] = {
    "AE": "UAE|ОАЭ|ОАЕ|Emirates|Эмираты|Емірати",
    "BE": "Kingdom of Belgium",
    "BY": "Republic of Belarus|Республика Беларусь|Республіка Білорусь|Белоруссия|Weißrussland|Byelorussia",
    "CN": "PRC|PR China|People's Republic of China|КНР|Китайская Народная Республика|Volksrepublik China|VR China",
    "CZ": "Czech Republic|Чешская Республика|Чеська Республіка|Tschechische Republik",
    "DE": "BRD|Federal Republic of Germany|Bundesrepublik Deutschland|ФРГ|ФРН|Федеративная Республика Германия",
    "FR": "French Republic|République française",
    "GB": "UK|U.K.|Great Britain|Britain|England|Scotland|Wales|Northern Ireland|Großbritannien|Англия|Англія|"
    "Соединенное Королевство|Сполучене Королівство|United Kingdom of Great Britain and Northern Ireland",
    "IR": "Islamic Republic of Iran|Iran, Islamic Republic of|Исламская Республика Иран",
    "KP": "DPRK|КНДР|Democratic People's Republic of Korea",
    "KR": "Republic of Korea|Korea, Republic of|Korea|Республика Корея",
    "KZ": "Republic of Kazakhstan|Республика Казахстан|Республіка Казахстан",
    "LA": "Lao People's Democratic Republic",
    "MD": "Republic of Moldova|Moldova, Republic of|Республика Молдова|Республіка Молдова|Молдавия|Moldawien|Moldavia",
    "NL": "Holland|The Netherlands|Голландия|Голландія",
    "PL": "Republic of Poland|Республика Польша|Республіка Польща",
    "PS": "State of Palestine|Палестина",
    "RU": "RF|Russian Federation|РФ|Российская Федерация|Російська Федерація|Russische Föderation|RSFSR",
    "SA": "KSA|Kingdom of Saudi Arabia",
    "SY": "Syrian Arab Republic",
    "TR": "Turkey|Republic of Turkey|Republic of Türkiye|Турецкая Республика",
    "TW": "Republic of China|Taiwan, Province of China",
    "TZ": "United Republic of Tanzania",
    "UA": "Republic of Ukraine|the Ukraine",
    "US": "USA|U.S.A.|U.S.|United States of America|America|США|Соединённые Штаты Америки|Соединенные Штаты Америки|"
    "Сполучені Штати Америки|Vereinigte Staaten von Amerika|Америка",
    "VE": "Bolivarian Republic of Venezuela|Venezuela, Bolivarian Republic of",
    "VN": "Viet Nam|Socialist Republic of Vietnam",
}


class GeonamesCountry(NamedTuple):
    """A country or territory: ISO 3166-1 alpha-2 and alpha-3 code, English name in GeoNames."""

    iso: str
    iso3: str
    name: str


@cache
def geonames_countries() -> tuple[GeonamesCountry, ...]:
    """Return the countries and territories of GeoNames, two that are no more (AN, CS) among them."""
    lines = _GEONAMES.read_text(encoding="utf-8").splitlines()
    return tuple(GeonamesCountry(*line.split("\t")) for line in lines if not line.startswith("#"))


@cache
def english_names() -> Mapping[str, str]:
    """Return the English short name of each country by ISO 3166-1 alpha-2 code, as CLDR has it."""
    return MappingProxyType({code: spellings.partition("|")[0] for code, spellings in _listed()})


def code_of(text: str) -> str | None:
    """Return the ISO 3166-1 alpha-2 code of a country; None for a text that names none.

    ``text``: a code of two or three letters in any case, or a name in one of the languages of CLDR. Case, accents as
    they are composed, signs and spaces do not matter. A name that several countries have is none.
    """
    plain, codes = text.strip(), _codes()
    return codes.get(plain) or code_of_name(plain) or codes.get(plain.upper())


def code_of_name(text: str) -> str | None:
    """Return what ``code_of`` does for a name; None for a code: companies are called SE and SK."""
    return _names().get(_key(text))


def _key(name: str) -> str:
    folded = unicodedata.normalize("NFKC", name[:100]).casefold().replace("ё", "е")
    return " ".join("".join(sign if sign.isalnum() or unicodedata.combining(sign) else " " for sign in folded).split())


@cache
def _codes() -> Mapping[str, str]:
    return {code: one.iso for one in geonames_countries() if one.iso not in _GONE for code in (one.iso, one.iso3)}


def single_words() -> frozenset[str]:
    """Return the names of countries that are one word, in small letters: what names a country in any text."""
    return frozenset(name for name in _names() if " " not in name)


@cache
def _names() -> Mapping[str, str]:
    names: dict[str, str] = {}
    english = [(country.iso, country.name) for country in geonames_countries() if country.iso not in _GONE]
    for code, spellings in (*_MORE.items(), *_listed(), *english):
        for name in spellings.split("|"):
            # Companies and words of other languages are called so, too: Man, Nga, Tai.
            if len(name) > 3 or not name.isascii() or name in _MORE.get(code, ""):
                names.setdefault(_key(name), code)
    return names


def _listed() -> Iterator[tuple[str, str]]:
    """The code of each country of the table, and its names between bars, the English one first."""
    for line in NAMES.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            code, _, spellings = line.partition("\t")
            yield code, spellings
