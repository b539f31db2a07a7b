"""First-level regions and how they are written: the GeoNames list and the spellings of ``region_names.toml``."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from layers.text.place_names import fold, keys, stem

_HERE = Path(__file__).parent
ADMIN1 = _HERE / "admin1.tsv"
SPELLINGS = _HERE / "region_names.toml"

# What says that a text means a region and not the city of the same name.
_WORDS = keys(
    "область области обл oblast oblasts region регіон регіону регион gebiet province provinz край краю края крае krai "
    "kray республіка республіки республіці республика республики республике republic republik округ округу округа "
    "okrug voivodeship județ judet county state autonomous автономна автономний автономная автономный автономної ар "
    "ar district"
)
_STEMS = frozenset(stem(word) for word in _WORDS)
_CITY = fold("city")
_SMALL = keys("of the в у на і и city")


Kind = Literal["alone", "name", "city"]


class Region(NamedTuple):
    """A first-level region: country (ISO 3166-1), GeoNames admin1 code, name in English, geonameid."""

    country: str
    code: str
    name: str
    geonameid: int


class RegionName(NamedTuple):
    """One way to write a region.

    The kind is "alone" if it needs no word such as oblast beside it, "name" if it does because a city is called so
    too, and "city" if the region is but a city, to which no such word belongs.
    """

    key: str
    country: str
    code: str
    spelled: str
    kind: Kind


def has_region_word(text: str) -> bool:
    """Whether a text says that it means a region: ``Odesa oblast``, ``Gebiet Odessa``."""
    return any(word in _WORDS for word in fold(text).split())


def is_region_word(stemmed: str) -> bool:
    """Whether the stem of a word is that of oblast or the like."""
    return stemmed in _STEMS


def region_key(text: str) -> str:
    """What a region is looked up by: its words without oblast and the like and without case endings.

    A text of nothing but such words keeps them. Empty where there is no letter.
    """
    words = fold(text).split()
    telling = [word for word in words if word not in _WORDS and word not in _SMALL]
    return stem(" ".join(telling or words))


def listed() -> Iterator[Region]:
    """Every first-level region that GeoNames lists, by its code."""
    with ADMIN1.open(encoding="utf-8", newline="") as file:
        lines = (line for line in file if not line.startswith("#"))
        for code, name, geonameid in csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            country, _, division = code.partition(".")
            yield Region(country, division, name, int(geonameid))


def written() -> Iterator[RegionName]:
    """Every way to write a region that is known without an added gazetteer.

    An adjective that sounds like the city's name in a case (``Луганська``, ``у Луганську``) is no way to write the
    region alone.
    """
    for region in listed():
        yield from named(region.country, region.code, [region.name])
    for country, regions in _spellings().items():
        for code, ways in regions.items():
            cities = {region_key(way) for way in ways.get("name", ())}
            for kind in get_args(Kind):
                for way in ways.get(kind, ()):
                    key = region_key(way)
                    yield RegionName(key, country, code, way, "name" if key in cities else kind)


def named(country: str, code: str, names: Iterable[str]) -> Iterator[RegionName]:
    """Names of one region as a gazetteer gives them."""
    for name in names:
        if key := region_key(name):
            yield RegionName(key, country, code, name, _kind(name))


def _kind(name: str) -> Kind:
    return "city" if _CITY in fold(name).split() else "name"


def countries() -> Iterator[tuple[str, str]]:
    """Key and ISO 3166-1 code of the countries that are named in several languages."""
    for iso, ways in tomllib.loads(SPELLINGS.read_text(encoding="utf-8"))["countries"].items():
        yield from ((fold(way), iso) for way in ways)


def _spellings() -> dict[str, dict[str, dict[str, list[str]]]]:
    read = tomllib.loads(SPELLINGS.read_text(encoding="utf-8"))
    del read["countries"]
    return read
