"""Company names made comparable: transliterated, without legal form and notes; and the likeness of two names.

The words that names are made of are in company_words.toml.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import NamedTuple

from anyascii import anyascii
from rapidfuzz import fuzz

from layers.model.messages import Message

_WORDS = tomllib.loads(Path(__file__).with_name("company_words.toml").read_text(encoding="utf-8"))
#: Legal forms by language of the company's register.
LEGAL_FORMS: Mapping[str, Sequence[str]] = _WORDS["legal_forms"]
#: Languages whose legal form may stand before the name.
FORM_FIRST = frozenset[str](_WORDS["form_first"])
#: Words of one meaning by language, under the English word; an acronym takes the first word of each language.
SAME_WORDS: Mapping[str, Mapping[str, Sequence[str]]] = _WORDS["same_words"]
#: Words that a company name shares with many others.
GENERIC = frozenset[str](_WORDS["generic"])
#: Countries among `SAME_WORDS`.
COUNTRIES = frozenset[str](_WORDS["countries"])
#: Words by which a company is told from another of its group, such as a direction.
PARTING = frozenset[str](_WORDS["parting"])
#: Small words that names are compared without.
STOP_WORDS = frozenset[str](_WORDS["stop_words"])

#: Characters of a name that are compared; the rest is cut.
MAX_LENGTH = 300

# One spelling for the sounds that Ukrainian, Russian and English transliterations write apart (y, i, j; kh, h).
_CYRILLIC = str.maketrans(
    {"г": "g", "ґ": "g", "и": "i", "і": "i", "ї": "i", "й": "i", "ы": "i", "є": "ie", "э": "e", "ё": "e"}
    | {"ю": "iu", "я": "ia", "х": "h", "ц": "ts", "щ": "shch", "ь": "", "ъ": "", "ə": "e", "ı": "i"}
    | dict.fromkeys("'’ʼ`´\u0307")
)
_LATIN = re.compile(r"kh|y|x|ii+")
_SPELLED = {"kh": "h", "y": "i", "x": "ks"}

# One that is not closed is read to its end, and once.
_BRACKETS = re.compile(r"\[[^\]]*\]?")
_NOTE = re.compile(r"\([^)]*\)?")
_FIGURE = re.compile(r"\d|%|\bLEI\b")
_DOTTED = re.compile(r"(?<![^\W_])([^\W\d_])[./]\s?(?=[^\W\d_](?:[./]|\W|$))")
# Of two letters or more: the others are initials as well.
_NUMERALS = {"II": "2", "III": "3", "IV": "4", "VI": "6", "VII": "7", "VIII": "8", "IX": "9"}
_ROMAN = re.compile(r"(?<![^\W_])(?:VIII|VII|VI|III|II|IV|IX)(?![^\W_])")
_ACRONYM_LENGTHS = range(3, 10)


class Likeness(NamedTuple):
    """The likeness of two names, from 0 to 1, and the reason for it. It is no probability."""

    score: float
    reason: Message


@dataclass(frozen=True)
class FoldedName:
    """A name as words.

    ``plain`` are the transliterated words, and ``words`` the same number of words with common ones in English.
    """

    plain: tuple[str, ...]
    words: tuple[str, ...]

    @cached_property
    def key(self) -> str:
        """The words in alphabetic order; equal for the same words in any order."""
        return " ".join(sorted(self.words))

    @cached_property
    def numbers(self) -> frozenset[str]:
        """Words with a digit, such as the 2 of Nord Stream 2."""
        return frozenset(word for word in self.words if any(c.isdigit() for c in word))

    @cached_property
    def initials(self) -> frozenset[str]:
        """First letters of the words, as printed and in each language that has the common words."""
        own = "".join(word[0] for word in self.plain)
        return frozenset({own, *("".join(_initial(w, table) for w in self.words) for table in _INITIALS.values())})


@lru_cache(maxsize=400_000)
def fold(name: str) -> FoldedName:
    """Split a name into the words that are compared, without legal form, notes and small words.

    Letters of all languages are transliterated, so that spellings of one name meet: ``ТОВ «Лукойл»`` and ``Lukoil LLC``
    have the word ``lukoil``. Text in square brackets, and in round ones with a digit, ``%`` or ``LEI``, is left out.
    """
    name = _ROMAN.sub(lambda match: _NUMERALS[match[0]], name[:MAX_LENGTH])
    tokens = _without_form(_split(without_notes(name))) or _split(name)
    words = [token for token in tokens if token not in _STOP] or tokens
    return FoldedName(tuple(words), tuple(_MEANING.get(word, word) for word in words))


def without_notes(name: str) -> str:
    """Return a name with a space for text in square brackets, and in round ones with a digit, ``%`` or ``LEI``."""
    return _NOTE.sub(_without_note, _BRACKETS.sub(_without_brackets, name))


def _without_brackets(brackets: re.Match[str]) -> str:
    return " " if brackets[0].endswith("]") else brackets[0]


def _without_note(brackets: re.Match[str]) -> str:
    return " " if brackets[0].endswith(")") and _FIGURE.search(brackets[0]) else brackets[0]


def _split(text: str) -> list[str]:
    if text.isascii():
        text = text.lower().replace("'", "").replace("`", "")
    else:
        text = unicodedata.normalize("NFKC", text).casefold()
    if "." in text or "/" in text:
        text = _DOTTED.sub(r"\1", text)
    if not text.isascii():
        text = anyascii(text.translate(_CYRILLIC)).lower()
    text = _LATIN.sub(lambda match: _SPELLED.get(match[0], "i"), text)
    return "".join(c if c.isalnum() else " " for c in text.replace("ii", "i")).split()


def _phrases(languages: Iterable[str], index: int) -> dict[str, list[tuple[str, ...]]]:
    """Return the legal forms as words, by their first (0) or last (-1) word, the longest first."""
    table: dict[str, list[tuple[str, ...]]] = {}
    forms = {tuple(_split(form)) for language in languages for form in LEGAL_FORMS[language]}
    for phrase in sorted(forms, key=lambda form: (-len(form), form)):
        table.setdefault(phrase[index], []).append(phrase)
    return table


def _without_form(tokens: Sequence[str]) -> list[str]:
    """Strip legal forms from either end, unless no word of two letters or more would be left."""
    left = list(tokens)
    while left:
        last = next((p for p in _FORMS_LAST.get(left[-1], ()) if tuple(left[-len(p) :]) == p), ())
        if last and _is_distinctive(left[: -len(last)]):
            left = left[: -len(last)]
            continue
        first = next((p for p in _FORMS_FIRST.get(left[0], ()) if tuple(left[: len(p)]) == p), ())
        if not first or not _is_distinctive(left[len(first) :]):
            break
        left = left[len(first) :]
    return left


def _is_distinctive(tokens: Sequence[str]) -> bool:
    return any(len(token) > 1 for token in tokens)


def _spelled(words: Iterable[str]) -> Iterator[str]:
    yield from (token for word in words for token in _split(word))


_STOP = frozenset(_spelled(STOP_WORDS))
_PARTING = frozenset(_spelled(PARTING))
_FORMS_FIRST = _phrases(FORM_FIRST, 0)
_FORMS_LAST = _phrases(LEGAL_FORMS, -1)
# Common words keep their plain English spelling, whatever the sounds were folded to.
_MEANING = {token: word for word, spoken in SAME_WORDS.items() for w in spoken.values() for token in _spelled(w)}
_INITIALS = {
    language: {word: _split(spoken[language][0])[0][0] for word, spoken in SAME_WORDS.items() if language in spoken}
    for language in ("en", "uk", "ru", "az")
}


def _initial(word: str, table: Mapping[str, str]) -> str:
    return table.get(word, word[0])


def compare(left: FoldedName, right: FoldedName) -> Likeness:
    """Compare two folded names of companies; the order of the names does not matter.

    1 is the same folded name, 0.97 the same words in another order, 0.75 to 0.9 an acronym of the other. Else the
    share of common words (Dice), in which generic words (oil, company) weigh little, and near-equal words count by
    their likeness (normalised indel distance). Names that share only generic or country words, or whose
    numbers differ, stay under 0.6, and so do names of which one alone has a word that tells parts of a group apart
    (North, Upper, II).

    Returns
    -------
    Likeness
        From 0 to 1, with the reason.
    """
    if not left.words or not right.words:
        return Likeness(0.0, Message("company-names.no-letters"))
    if left.words == right.words:
        return Likeness(1.0, Message("company-names.same-name"))
    if left.key == right.key:
        return Likeness(0.97, Message("company-names.same-words"))
    if "".join(left.plain) == "".join(right.plain):
        return Likeness(0.95, Message("company-names.same-letters"))
    for short, full in ((left, right), (right, left)):
        if is_acronym(short, full):
            score = 0.9 if len(short.plain[0]) > 3 else 0.75
            return Likeness(score, _initials_message("initials", short, full))
        if _is_shuffled(short, full):
            return Likeness(0.75, _initials_message("shuffled-initials", short, full))
    return _overlap(*sorted((left, right), key=lambda name: name.plain))


def _initials_message(name: str, short: FoldedName, full: FoldedName) -> Message:
    arguments = {"acronym": short.plain[0].upper(), "words": " ".join(full.words)}
    return Message(f"company-names.{name}", arguments)


def is_acronym(acronym: FoldedName, full: FoldedName) -> bool:
    """Whether a one-word name of 3 to 9 letters is the initials of another name of as many words."""
    if len(acronym.plain) != 1 or len(acronym.plain[0]) != len(full.plain):
        return False
    return len(full.plain) in _ACRONYM_LENGTHS and acronym.plain[0] in full.initials


def _is_shuffled(short: FoldedName, full: FoldedName) -> bool:
    if len(short.plain) != 1 or not 5 <= len(full.plain) == len(short.plain[0]):
        return False
    return any(sorted(initials) == sorted(short.plain[0]) for initials in full.initials)


def _expanded(name: FoldedName, other: FoldedName) -> tuple[str, ...]:
    """Return the words of a name, each acronym replaced by the words of the other name that it stands for."""
    words: list[str] = []
    if len(other.words) < _ACRONYM_LENGTHS.start:
        return tuple(dict.fromkeys(name.words))
    for word in name.words:
        run = _words_of_acronym(word, other) if len(word) in _ACRONYM_LENGTHS and word not in other.words else ()
        words += run or (word,)
    return tuple(dict.fromkeys(words))


def _words_of_acronym(word: str, full: FoldedName) -> tuple[str, ...]:
    if word in GENERIC or word in COUNTRIES:
        return ()
    start = next((text.find(word) for text in sorted(full.initials) if word in text), -1)
    return full.words[start : start + len(word)] if start >= 0 else ()


def _overlap(first: FoldedName, second: FoldedName) -> Likeness:
    left, right = _expanded(first, second), _expanded(second, first)
    pairs = _paired(left, right)
    if not pairs:
        return Likeness(0.0, Message("company-names.nothing-in-common"))
    has_proper_name = any(_weight(a) == 1 for a, _, _ in pairs)
    weigh = _weight if has_proper_name else _even
    common = sum(likely * (weigh(a) + weigh(b)) for a, b, likely in pairs)
    apart = len(pairs) < len(left) and len(pairs) < len(right)
    score = common / sum(weigh(word) for word in (*left, *right)) * (0.85 if apart else 1)
    shared = {"words": " ".join(a if a == b else f"{a}~{b}" for a, b, _ in pairs)}
    if first.numbers != second.numbers:
        return Likeness(min(score, 0.5), Message("company-names.numbers-differ", shared))
    if not has_proper_name and apart:
        return Likeness(min(score, 0.4), Message("company-names.generic-words", shared))
    rest = _unpaired(left, right, pairs)
    if not _PARTING.isdisjoint(rest):
        return Likeness(min(score, 0.5), Message("company-names.another-part", {**shared, "rest": " ".join(rest)}))
    if rest:
        return Likeness(min(score, 0.94), Message("company-names.not-in-both", {**shared, "rest": " ".join(rest)}))
    return Likeness(min(score, 0.94), Message("company-names.in-common", shared))


def _unpaired(left: Sequence[str], right: Sequence[str], pairs: Iterable[tuple[str, str, float]]) -> list[str]:
    common = {word for one, other, _ in pairs for word in (one, other)}
    return [word for word in (*left, *right) if word not in common]


def words_of_one(first: FoldedName, second: FoldedName) -> frozenset[str]:
    """Return the words of either name that the other has not, not even with a letter or two changed."""
    left, right = _expanded(first, second), _expanded(second, first)
    return frozenset(_unpaired(left, right, _paired(left, right)))


def _even(_word: str) -> float:
    return 1.0


def _weight(word: str) -> float:
    """Generic words weigh a fifth, countries three fifths of a proper name: chosen by hand, see docs/identity.md."""
    return 0.2 if word in GENERIC else 0.6 if word in COUNTRIES else 1.0


def _paired(left: Sequence[str], right: Sequence[str]) -> list[tuple[str, str, float]]:
    """Pair the words of two names with their likeness: equal words, then words that differ by few letters."""
    shared = [(word, word, 1.0) for word in left if word in right]
    used = {word for word, _, _ in shared}
    rest = [word for word in right if word not in used]
    for word in left:
        if word in used or len(word) < 5 or word in GENERIC or not rest:
            continue
        best = max(rest, key=lambda other: fuzz.ratio(word, other))
        likely = fuzz.ratio(word, best) / 100
        if likely >= 0.85 and best not in GENERIC:
            shared.append((word, best, likely))
            rest.remove(best)
    return shared
