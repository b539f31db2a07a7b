"""Words codes with arguments in a language, by the catalogue of that language; English fills what it lacks."""

from __future__ import annotations

import re
import string
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from layers.model.messages import Message

#: The language of the catalogue that has every code.
ENGLISH = "en"
_FOLDER = Path(__file__).parent

#: One sentence with its gaps, or one a plural form (Unicode CLDR: zero, one, two, few, many, other).
Sentence = str | Mapping[str, str]
_FORMS = frozenset({"zero", "one", "two", "few", "many", "other"})


def _east_slavic(number: int) -> str:
    if number % 10 == 1 and number % 100 != 11:
        return "one"
    return "few" if number % 10 in (2, 3, 4) and number % 100 not in (12, 13, 14) else "many"


#: Plural form of a whole number by what a catalogue calls its rule (Unicode CLDR, cardinal rules).
PLURALS: Mapping[str, Callable[[int], str]] = MappingProxyType(
    {
        "one-other": lambda number: "one" if number == 1 else "other",
        "east-slavic": _east_slavic,
        "none": lambda _: "other",
    }
)


@cache
def languages() -> tuple[str, ...]:
    """List the languages that have a catalogue by their BCP 47 tags: English, then the rest in alphabetical order."""
    return tuple(sorted((path.stem for path in _FOLDER.glob("*.toml")), key=lambda tag: (tag != ENGLISH, tag)))


def text(message: Message, language: str = ENGLISH) -> str:
    """Word a message of ``layers/``.

    Parameters
    ----------
    message
        A code and the values of its gaps. A list is joined, ``None`` is worded as not known.
    language
        BCP 47 tag of the catalogue; a code that it lacks is worded in English.

    Raises
    ------
    LookupError
        If there is no such catalogue, no such code in English, or a gap of the sentence has no argument.
    """
    return phrase(message.code, language, **message.arguments)


def phrase(code: str, language: str = ENGLISH, /, **arguments: object) -> str:
    """Word a code: its entry in the catalogue of a language, its gaps filled by arguments of their names.

    An entry with plural forms is chosen by the argument ``n``, a whole number.

    Raises
    ------
    LookupError
        If there is no such catalogue, no such code in English, or a gap of the sentence has no argument.
    """
    sentence, filled = template(code, language, arguments), values(arguments, language)
    if language == ENGLISH:  # Python's own formats are English, and are quicker
        return sentence.format_map(filled)
    return SentenceFormatter(language).vformat(sentence, (), filled)


class SentenceFormatter(string.Formatter):
    """Fills the gaps of a sentence as a language writes numbers.

    ``{share:decimal}`` is a text that has numbers in it, such as a share that is rounded already: its decimal points
    become those of the language. ``{kinds:word kind}`` is one word of the data or more, each of which has the code
    ``kind.WORD``; one without a code stays.

    Parameters
    ----------
    language
        BCP 47 tag of the catalogue that says what stands before decimals and between thousands.
    """

    _POINT = re.compile(r"(?<=[0-9])\.(?=[0-9])")

    def __init__(self, language: str) -> None:
        table = catalogue(language)
        self._language = language
        self._decimal, self._group = (str(table.get(f"language.{name}", at)) for name, at in _ENGLISH_SIGNS)

    def format_field(self, value: Any, format_spec: str) -> Any:
        """Format a value by its specification, as the English catalogue gives it."""
        if format_spec == "decimal":
            return self._POINT.sub(self._decimal, str(value))
        if format_spec.startswith("word "):
            return self._worded(format_spec.removeprefix("word "), str(value))
        text = super().format_field(value, format_spec)
        if not format_spec or not isinstance(value, int | float):
            return text
        return text.translate({ord("."): self._decimal, ord(","): self._group})

    def _worded(self, room: str, words: str) -> str:
        between = phrase("language.list", self._language)
        known = catalogue(self._language)
        return between.join(str(known.get(f"{room}.{word}", word)) for word in words.split(between))


#: What stands before decimals and between thousands in English.
_ENGLISH_SIGNS = (("decimal", "."), ("group", ","))


def template(code: str, language: str, arguments: Mapping[str, object]) -> str:
    """Return the sentence of a code with its gaps open; of one with plural forms that of the argument ``n``.

    Raises
    ------
    LookupError
        If there is no such catalogue, no such code in English, or the plural form needs a missing argument.
    """
    entry = catalogue(language).get(code)
    if entry is None:
        language, entry = ENGLISH, catalogue(ENGLISH)[code]
    if isinstance(entry, str):
        return entry
    number: Any = arguments["n"]
    return entry.get(plural_form(number, language)) or entry["other"]


def plural_form(number: int, language: str) -> str:
    """Return the plural form of a whole number in a language, as Unicode CLDR calls it."""
    return PLURALS[str(catalogue(language)["language.plurals"])](number)


def with_decimals(said: str, language: str) -> str:
    """Put the decimal points of a text that has numbers into those of a language."""
    return str(SentenceFormatter(language).format_field(said, "decimal"))


def formatted(number: float, specification: str, language: str) -> str:
    """Format a number by a specification of Python, with the signs of a language for decimals and thousands."""
    return str(SentenceFormatter(language).format_field(number, specification))


#: Languages whose nouns are large within a sentence.
_LARGE_NOUNS = frozenset({"de"})


def within_sentence(name: str, language: str) -> str:
    """Return a name as it stands within a sentence: small, but in German, whose nouns are not."""
    return name if language in _LARGE_NOUNS else name.lower()


def values(arguments: Mapping[str, object], language: str) -> Mapping[str, object]:
    """Return arguments as gaps take them: lists joined, what is not known in words; a number stays a number."""
    return {name: _filled(value, language) for name, value in arguments.items()}


@cache
def catalogue(language: str) -> Mapping[str, Sentence]:
    """Every entry of a language by its code.

    Raises
    ------
    LookupError
        If there is no catalogue of this language.
    """
    if language not in languages():
        raise LookupError(f"no catalogue of the language {language!r}")
    source = (_FOLDER / f"{language}.toml").read_text(encoding="utf-8")
    return MappingProxyType(dict(_entries(tomllib.loads(source))))


@cache
def codes(prefix: str) -> tuple[str, ...]:
    """List the codes that begin with a prefix, in the order of the English catalogue."""
    return tuple(code for code in catalogue(ENGLISH) if code.startswith(prefix))


def declared(words: str, language: str) -> str:
    """Return a title or description that a part of the program declares in English; one without a code stays."""
    return words if language == ENGLISH else _declared(language).get(words, words)


@cache
def _declared(language: str) -> Mapping[str, str]:
    return MappingProxyType({phrase(code): phrase(code, language) for code in codes("declared.")})


def gaps(entry: Sentence) -> frozenset[str]:
    """Names of the arguments that an entry needs, in any of its plural forms."""
    if not isinstance(entry, str):
        return frozenset({"n"}).union(*map(gaps, entry.values()))
    return frozenset(name for _, name, _, _ in string.Formatter().parse(entry) if name is not None)


def _entries(table: Mapping[str, Any], room: str = "") -> Iterator[tuple[str, Sentence]]:
    """Yield code and entry of a table and of the tables in it; a table of plural forms is one entry."""
    for name, value in table.items():
        if isinstance(value, Mapping) and not _FORMS.issuperset(value):
            yield from _entries(value, f"{room}{name}.")
        else:
            yield f"{room}{name}", value


def _filled(value: object, language: str) -> object:
    if isinstance(value, str | int | float):  # most are, and a file may have 100,000 faults
        return value
    if isinstance(value, Message):
        return text(value, language)
    if value is None:
        return phrase("language.missing", language)
    if isinstance(value, Sequence):
        return phrase("language.list", language).join(str(_filled(part, language)) for part in value)
    return value
