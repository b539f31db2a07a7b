"""How places are called in English, Ukrainian and German, found among names that carry no language.

GeoNames, as packaged, lists the names of a place without their languages. A name is taken for Ukrainian (or Russian) if
its romanization by the national rules is the English name, and for German if it is the German transcription of that
one and GeoNames lists it: both are names that somebody uses, and none is made up here. What rules cannot find is in
`layers.reference.place_spellings`.

Romanization: Cabinet of Ministers of Ukraine, resolution 55 of 2010, and BGN/PCGN 1947 for Russian; German
transcription: Duden.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping

from layers.reference.place_spellings import PlaceSpelling


def _table(letters: str, others: str) -> dict[str, str]:
    """Pair letters with what is written for each of them, one by one between single spaces."""
    return dict(zip(letters, others.split(" "), strict=True))


_UK_LATIN = _table(
    "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя'’ʼ",
    "a b v h g d e ie zh z y i i i k l m n o p r s t u f kh ts ch sh shch  iu ia   ",
)
#: Letters that resolution 55 romanizes otherwise at the beginning of a word.
_UK_LATIN_FIRST = {"є": "ye", "ї": "yi", "й": "y", "ю": "yu", "я": "ya"}
_UK_GERMAN = _table(
    "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя'’ʼ",
    "a b w h g d e je sch s y i ji j k l m n o p r s t u f ch z tsch sch schtsch  ju ja   ",
)
_RU_LATIN = _table(
    "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
    "a b v g d e e zh z i y k l m n o p r s t u f kh ts ch sh shch  y  e yu ya",
)
_RU_GERMAN = _table(
    "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
    "a b w g d e jo sch s i i k l m n o p r s t u f ch z tsch sch schtsch  y  e ju ja",
)
_VOWELS = frozenset("аеёиоуыэюяіїє")
#: What shows that a name in letters of both languages is Russian and not Ukrainian.
_RUSSIAN_ONLY = frozenset("иыэъё")
_RUSSIAN_ENDINGS = ("ск", "цк")
#: Countries whose names GeoNames writes in romanizations of Arabic and Persian with marks that no printed map has.
_MARKED = frozenset(
    ("AE", "AF", "BH", "EG", "IQ", "IR", "JO", "KW", "LB", "LY", "OM", "PS", "QA", "SA", "SD", "SY", "YE")
)
#: Consonants that are never soft at the end of a Ukrainian word.
_NEVER_SOFT = tuple(f"{one}ь" for one in "бпвмфжчшщр")


def spelling(name: str, country: str, alternates: Iterable[str]) -> PlaceSpelling:
    """Find the names of a place.

    Parameters
    ----------
    name
        Its name in GeoNames, which is English or romanized. A place in Ukraine has its Ukrainian name, romanized, as
        its English one: Izmail, which GeoNames calls Izmayil. One that is romanized from Arabic or Persian loses the
        marks of the romanization: Madinat Hamad.
    country
        ISO 3166-1 alpha-2; names of other languages are looked for in Ukraine and Russia alone.
    alternates
        The names that GeoNames lists beside it, in any language.
    """
    if country not in ("UA", "RU"):
        return PlaceSpelling(_unmarked(name) if country in _MARKED else name)
    names = [one for one in alternates if one]
    wanted = _folded(name)
    if country == "UA":
        own = _most_ukrainian(one for one in names if _folded(romanized_ukrainian(one)) == wanted)
        if own is None:
            return PlaceSpelling(name)
        english = _titled(romanized_ukrainian(own))
        return PlaceSpelling(english, own, _listed(names, german_ukrainian(own), english))
    russian = next((one for one in names if _folded(romanized_russian(one)) == wanted), None)
    if russian is None:
        return PlaceSpelling(name)
    ukrainian = _most_ukrainian(one for one in names if _folded(romanized_ukrainian(one)) == wanted)
    if ukrainian == russian and (set(russian.casefold()) & _RUSSIAN_ONLY or russian.endswith(_RUSSIAN_ENDINGS)):
        ukrainian = None
    return PlaceSpelling(name, ukrainian, _listed(names, german_russian(russian), name))


def _unmarked(name: str) -> str:
    """Leave out accents, and the signs of ain and hamza."""
    letters = (one for one in unicodedata.normalize("NFKD", name) if not unicodedata.combining(one))
    return "".join(one for one in letters if one not in "‘’ʻʼ`'")


def romanized_ukrainian(name: str) -> str:
    """Romanize a Ukrainian name by resolution 55 of 2010, in small letters; empty if a letter is not Ukrainian."""
    words = name.casefold().replace("зг", "zgh").split()
    if not words or not set("".join(words)) <= _UK_LATIN.keys() | set("zgh-"):
        return ""
    return " ".join("-".join(_word(part, _UK_LATIN, _UK_LATIN_FIRST) for part in word.split("-")) for word in words)


def romanized_russian(name: str) -> str:
    """Romanize a Russian name by BGN/PCGN 1947 in small letters, е as e; empty if a letter is not Russian."""
    return _spelled(name, _RU_LATIN)


def german_ukrainian(name: str) -> str:
    """Transcribe a Ukrainian name as Duden does, in small letters; empty if a letter is not Ukrainian."""
    return _spelled(name, _UK_GERMAN)


def german_russian(name: str) -> str:
    """Transcribe a Russian name as Duden does, in small letters; empty if a letter is not Russian."""
    lowered = name.casefold()
    out = []
    for at, letter in enumerate(lowered):
        before = lowered[at - 1] if at else ""
        after = lowered[at + 1] if at + 1 < len(lowered) else ""
        if letter == "е" and (not before.isalpha() or before in _VOWELS | set("ъь")):
            out.append("je")
        elif letter == "с" and before in _VOWELS and after in _VOWELS:
            out.append("ss")
        elif letter == "й" and before in ("и", "ы"):
            out.append("j" if after.isalpha() else "")
        elif letter in _RU_GERMAN:
            out.append(_RU_GERMAN[letter])
        elif letter in " -":
            out.append(letter)
        else:
            return ""
    return "".join(out)


def _spelled(name: str, table: Mapping[str, str]) -> str:
    letters = name.casefold()
    if not letters or not set(letters) <= table.keys() | set(" -"):
        return ""
    return "".join(table.get(letter, letter) for letter in letters)


def _word(word: str, table: Mapping[str, str], first: Mapping[str, str]) -> str:
    return first.get(word[:1], table.get(word[:1], word[:1])) + "".join(table.get(one, one) for one in word[1:])


def _folded(name: str) -> str:
    """A name in letters that all romanizations share: i for y and j, g for h, no accents, apostrophes and spaces."""
    letters = "".join(one for one in unicodedata.normalize("NFKD", name.casefold()) if one.isalpha())
    same = letters.replace("h", "g").replace("y", "i").replace("j", "i")
    while "ii" in same:
        same = same.replace("ii", "i")
    return same.replace("ie", "e")


def _most_ukrainian(names: Iterable[str]) -> str | None:
    """Of names that are read alike the one with most letters that Russian lacks or leaves out."""
    fit = [one for one in names if not one.casefold().endswith(_NEVER_SOFT)]
    return max(fit, key=lambda one: sum(letter in "іїєґь" for letter in one.casefold()), default=None)


def _titled(name: str) -> str:
    """A name with capitals at the beginning of its words, but for the small words within it."""
    words = name.replace("-", "- ").split()
    return " ".join(
        word if at and word.rstrip("-") in ("na", "nad", "pid", "i") else word[:1].upper() + word[1:]
        for at, word in enumerate(words)
    ).replace("- ", "-")


def _listed(names: Iterable[str], transcribed: str, english: str) -> str | None:
    """The transcription, if it is among the names and not the English one."""
    if not transcribed or not any(_folded(one) == _folded(transcribed) for one in names):
        return None
    titled = _titled(transcribed)
    return None if titled == english else titled
