"""The words of a strike made comparable across English, Ukrainian and Russian: stems, kinds of site and sides.

Tables of words are a judgement: they make texts comparable and prove nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType

from layers.text.company_names import fold
from layers.text.company_words import COUNTRIES, GENERIC

#: Letters of a word that stand for it: endings differ by case, and adjectives of a town by language.
STEM = 5
#: Words under so many letters say nothing, unless they have a digit.
SHORTEST = 4

#: Families of sites, by the first letters of words as ``names.fold`` writes them; ``=`` asks for the whole word.
KIND_WORDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "refining": ("refiner", "naftopererob", "neftepererab", "=npz"),
        "fuel-storage": ("depot", "naftobaz", "neftebaz", "neftehran", "naftoshov", "toplivn", "rezervuar", "=tanks"),
        "pipeline": ("pipeline", "naftoprov", "nefteprov", "gazoprov", "truboprov", "pump", "compressor", "=nps"),
        "gas": ("lng", "=gas", "gazopererab", "gazopererob", "=gpz", "gazorozpod", "gazoraspred"),
        "port": ("=port", "=portu", "=porti", "=porta", "=portom", "harbo", "pristan", "terminal", "elevator"),
        "power": (
            *("power", "elektrost", "elektrop", "podstan", "pidstan", "substation", "=dam"),
            *("=tes", "=tets", "=ges", "=hes", "=tpp", "=hpp", "=aes", "=npp"),
        ),
        "chemistry": ("petrochem", "naftohim", "neftehim", "himich", "himzav", "azot"),
        "factory": ("factori", "fabrik", "steel", "metalurg", "metallurg"),
        "food": ("grain", "zerno", "olein", "sunflower"),
        "office": ("consul", "konsul", "embass", "posol", "office", "ofis"),
        "airbase": ("aerodrom", "airfield", "airbase", "aviabaz"),
        "arms": ("boiepripas", "boepripas", "arsenal", "ammunition"),
        "rail": ("vokzal", "zaliznit", "zheleznodor", "railwai"),
        "shipyard": ("sudnobud", "sudostroit", "sudoremont", "shipiard"),
    }
)

#: Families of the kinds of asset (`AssetKind`).
KIND_FAMILIES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "pipeline": ("pipeline",),
        "pump-station": ("pipeline",),
        "compressor-station": ("pipeline", "gas"),
        "metering-station": ("pipeline", "gas"),
        "oil-depot": ("fuel-storage",),
        "oil-terminal": ("fuel-storage", "port"),
        "oil-field": ("field",),
        "oil-processing": ("refining",),
        "refinery": ("refining",),
        "gas-field": ("field", "gas"),
        "gas-plant": ("gas", "refining"),
        "gas-storage": ("gas",),
        "lng-plant": ("gas",),
        "platform": ("field",),
        "power-plant": ("power",),
        "hydro-plant": ("power",),
        "nuclear-plant": ("power",),
        "port-terminal": ("port",),
        "petrochemical-plant": ("chemistry", "refining"),
        "chemical-plant": ("chemistry",),
        "steelworks": ("factory",),
        "factory": ("factory",),
        "food-plant": ("food",),
        "office": ("office",),
    }
)
FAMILIES: tuple[str, ...] = tuple(dict.fromkeys((*KIND_WORDS, "field")))

#: Sides by the first letters of words, in the part of a text before its first comma, semicolon or full stop.
SIDES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "ukraine": ("ukrain", "sbu", "gur", "zsu", "vsu"),
        "russia": ("russia", "rossi", "rosi", "okupant", "rf"),
        "iran": ("iran",),
        "israel": ("israel", "izrail"),
        "houthis": ("houthi", "husit"),
        "pkk": ("pkk",),
        "rsf": ("rsf",),
        "avengers": ("niger",),
    }
)
_ENDS = str.maketrans(dict.fromkeys(",;.:", "\n"))

# News of attacks, in the languages met: they tell no event from another.
_NEWS = (
    "attack attacks attacked strike strikes struck drone drones missile explosion fire night again region oblast area "
    "city town damage damaged hit near plant station facility terminal refinery depot complex russian ukrainian "
    "атака атакували атаковали атакував удар удару ударів ударили вдарили уразили поразили вразили дрони дронів дроны "
    "дронов безпілотники беспилотники бпла шахеди ракета ракети ракеты ракетний обстріл обстрел вибух вибухи взрыв "
    "взрывы пожежа пожар загорілася загорелась горить горит область області областi області ночі ночью вночі уночі "
    "внаслідок вследствие росія росіяни російські россия россияне российские україна українські украина украинские "
    "окупанти оккупанты ворог враг генштаб міноборони минобороны через після после поблизу біля возле район районі "
    "заявили повідомили сообщили показали відео видео фото обновлено дополнено доповнено оновлено завод заводу заводі "
    "завода станція станції станция станцию нафта нафтобаза нефть нефтебаза склад склади складу порт війна війни війну "
    "поранені загинули погибли ранены військові военные повністю полностью місто місті город городе знищили знищено "
    "ключовий ключевой стратегічний стратегический експортний экспортный найбільший крупнейший важливий важный "
    "placed source named reported viina "
    "уничтожили уничтожен сили сил обороны оборони джерело источник губернатор наслідки последствия"
)


@lru_cache(maxsize=200_000)
def words(text: str) -> tuple[str, ...]:
    """Words of a text in one Latin spelling, in order."""
    return fold(text).plain


def _stem(word: str) -> str:
    once = re.sub(r"(.)\1", r"\1", word)
    return once[:STEM] if len(once) > STEM else once[: max(SHORTEST, len(once) - 1)]


_COMMON = frozenset(_stem(word) for part in (*_NEWS.split(), *GENERIC, *COUNTRIES) for word in words(part))
_ROOTS = tuple(root for roots in KIND_WORDS.values() for root in roots if root[0] != "=")


def stems(texts: Iterable[str | None]) -> Iterator[str]:
    """Stems of the words that may tell an event: no news words, kinds of site or countries, four letters or a digit."""
    for text in texts:
        yield from (stem for word in (words(text) if text else ()) if (stem := _telling(word)))


@lru_cache(maxsize=200_000)
def _telling(word: str) -> str:
    """The stem of a word, empty where it tells no event."""
    if any(c.isdigit() for c in word):
        return "" if word.isdigit() or len(word) == 1 else word
    if len(word) < SHORTEST or word.startswith(_ROOTS) or (stem := _stem(word)) in _COMMON:
        return ""
    return stem


def families(kinds: Iterable[str], texts: Iterable[str | None]) -> int:
    """Families of sites that kinds and texts name, a bit each in the order of ``FAMILIES``; 0 where none."""
    found = {family for kind in kinds for family in KIND_FAMILIES.get(kind, ())}
    mask = sum(1 << FAMILIES.index(family) for family in found)
    for text in texts:
        for word in words(text) if text else ():
            mask |= _families_of(word)
    return mask


@lru_cache(maxsize=200_000)
def _families_of(word: str) -> int:
    return sum(1 << at for at, family in enumerate(FAMILIES) if _has(word, KIND_WORDS.get(family, ())))


def _has(word: str, roots: tuple[str, ...]) -> bool:
    return any(word == root[1:] if root[0] == "=" else word.startswith(root) for root in roots)


@lru_cache(maxsize=50_000)
def side(attacker: str | None) -> int:
    """Who attacked, as 1 and up in the order of ``SIDES``; 0 where nobody, or more than one, is named first."""
    if not attacker or attacker.startswith("Disputed"):
        return 0
    head = words(attacker.translate(_ENDS).partition("\n")[0])
    found = {number for number, roots in enumerate(SIDES.values(), 1) if any(_is_of(word, roots) for word in head)}
    return found.pop() if len(found) == 1 else 0


def _is_of(word: str, roots: tuple[str, ...]) -> bool:
    return any(word == root or (len(root) > 3 and word.startswith(root)) for root in roots)
