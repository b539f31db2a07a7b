"""Company names made comparable: transliterated, without legal form and notes, and how alike two of them are."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

from anyascii import anyascii
from rapidfuzz import fuzz

from layers.text.company_words import COUNTRIES, FORM_FIRST, GENERIC, LEGAL_FORMS, SAME_WORDS, STOP_WORDS

#: Longest name that is compared; the rest is cut.
MAX_LENGTH = 300

# One spelling for the sounds that Ukrainian, Russian and English transliterations write apart (y, i, j; kh, h).
_CYRILLIC = str.maketrans(
    {"г": "g", "ґ": "g", "и": "i", "і": "i", "ї": "i", "й": "i", "ы": "i", "є": "ie", "э": "e", "ё": "e"}
    | {"ю": "iu", "я": "ia", "х": "h", "ц": "ts", "щ": "shch", "ь": "", "ъ": "", "ə": "e", "ı": "i"}
    | dict.fromkeys("'’ʼ`´\u0307")
)
_LATIN = re.compile(r"kh|y|x|ii+")
_SPELLED = {"kh": "h", "y": "i", "x": "ks"}

_SQUARE = re.compile(r"\[[^\]]*\]")
_NOTE = re.compile(r"\([^)]*(?:\d|%|\bLEI\b)[^)]*\)")
_DOTTED = re.compile(r"(?<![^\W_])([^\W\d_])[./]\s?(?=[^\W\d_](?:[./]|\W|$))")
_ACRONYM_LENGTHS = range(3, 10)


class Likeness(NamedTuple):
    """How alike two names are, from 0 to 1, and why in words. It is no probability."""

    score: float
    reason: str


@dataclass(frozen=True)
class Folded:
    """A name as words: ``plain`` transliterated only, ``words`` with common words in English. Of equal length."""

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


def fold_company(name: str) -> str:
    """A company name in Latin lower case without legal form, notes and small words, common words in English.

    Cyrillic, Azerbaijani, Turkish and other letters are transliterated so that Ukrainian, Russian and English
    spellings of one name meet: ``ТОВ «Лукойл»`` and ``Lukoil LLC`` are both ``lukoil``. Text in square brackets,
    and round ones with a digit, ``%`` or ``LEI``, are left out. It is a key for comparison, never for display.
    Empty where the name has no letter or digit.
    """
    return " ".join(fold(name).words)


@lru_cache(maxsize=400_000)
def fold(name: str) -> Folded:
    """The words of a name, ready to be compared."""
    bare = _NOTE.sub(" ", _SQUARE.sub(" ", name[:MAX_LENGTH]))
    tokens = _without_form(_split(bare)) or _split(name[:MAX_LENGTH])
    kept = [token for token in tokens if token not in _STOP] or tokens
    return Folded(tuple(kept), tuple(_MEANING.get(token, token) for token in kept))


def _split(text: str) -> list[str]:
    if text.isascii():
        text = text.lower().replace("'", "").replace("`", "")
    else:
        text = unicodedata.normalize("NFKC", text).casefold()
    if "." in text or "/" in text:
        text = _DOTTED.sub(r"\1", text)
    if not text.isascii():
        text = anyascii(text.translate(_CYRILLIC)).lower()
    text = _LATIN.sub(lambda found: _SPELLED.get(found[0], "i"), text)
    return "".join(c if c.isalnum() else " " for c in text.replace("ii", "i")).split()


def _phrases(languages: Iterable[str], at: int) -> dict[str, list[tuple[str, ...]]]:
    """Legal forms as words, by their first (0) or last (-1) word, the longest first."""
    table: dict[str, list[tuple[str, ...]]] = {}
    forms = {tuple(_split(form)) for language in languages for form in LEGAL_FORMS[language]}
    for phrase in sorted(forms, key=lambda form: (-len(form), form)):
        table.setdefault(phrase[at], []).append(phrase)
    return table


def _without_form(tokens: Sequence[str]) -> list[str]:
    """Words without the legal forms at either end, unless hardly anything would be left."""
    left = list(tokens)
    while left:
        last = next((p for p in _FORMS_LAST.get(left[-1], ()) if tuple(left[-len(p) :]) == p), ())
        if last and _telling(left[: -len(last)]):
            left = left[: -len(last)]
            continue
        first = next((p for p in _FORMS_FIRST.get(left[0], ()) if tuple(left[: len(p)]) == p), ())
        if not first or not _telling(left[len(first) :]):
            break
        left = left[len(first) :]
    return left


def _telling(tokens: Sequence[str]) -> bool:
    return any(len(token) > 1 for token in tokens)


def _spelled(words: Iterable[str]) -> Iterator[str]:
    yield from (token for word in words for token in _split(word))


_STOP = frozenset(_spelled(STOP_WORDS))
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


def likeness(one: str, other: str) -> Likeness:
    """How alike two company names are, symmetric, from 0 to 1, with the reason.

    1 is the same folded name, 0.97 the same words in another order, 0.75 to 0.9 an acronym of the other. Else the
    share of common words (Dice), in which generic words (oil, company) weigh little, and near-equal words count by
    their likeness (normalised indel distance). Names that share only generic or country words, or whose
    numbers differ, stay under 0.6.
    """
    return compare(fold(one), fold(other))


def compare(one: Folded, other: Folded) -> Likeness:
    """How alike two folded names are, as ``likeness``."""
    if not one.words or not other.words:
        return Likeness(0.0, "a name without letters")
    if one.words == other.words:
        return Likeness(1.0, "the same name but for legal form and spelling")
    if one.key == other.key:
        return Likeness(0.97, "the same words in another order")
    if "".join(one.plain) == "".join(other.plain):
        return Likeness(0.95, "the same letters, spaced otherwise")
    for short, full in ((one, other), (other, one)):
        if is_acronym(short, full):
            score = 0.9 if len(short.plain[0]) > 3 else 0.75
            return Likeness(score, f"{short.plain[0].upper()} is made of the initials of {' '.join(full.words)}")
        if _is_shuffled(short, full):
            return Likeness(0.75, f"{short.plain[0].upper()} has the initials of {' '.join(full.words)}, shuffled")
    return _overlap(*sorted((one, other), key=lambda name: name.plain))


def is_acronym(short: Folded, full: Folded) -> bool:
    """Whether a one-word name of 3 to 9 letters is the initials of another name of as many words."""
    if len(short.plain) != 1 or len(short.plain[0]) != len(full.plain):
        return False
    return len(full.plain) in _ACRONYM_LENGTHS and short.plain[0] in full.initials


def _is_shuffled(short: Folded, full: Folded) -> bool:
    if len(short.plain) != 1 or not 5 <= len(full.plain) == len(short.plain[0]):
        return False
    return any(sorted(initials) == sorted(short.plain[0]) for initials in full.initials)


def _expanded(one: Folded, other: Folded) -> tuple[str, ...]:
    """Words of a name, an acronym among them replaced by the words of the other name that it stands for."""
    words: list[str] = []
    if len(other.words) < _ACRONYM_LENGTHS.start:
        return tuple(dict.fromkeys(one.words))
    for word in one.words:
        run = _run(word, other) if len(word) in _ACRONYM_LENGTHS and word not in other.words else ()
        words += run or (word,)
    return tuple(dict.fromkeys(words))


def _run(word: str, full: Folded) -> tuple[str, ...]:
    if word in GENERIC or word in COUNTRIES:
        return ()
    at = next((text.find(word) for text in sorted(full.initials) if word in text), -1)
    return full.words[at : at + len(word)] if at >= 0 else ()


def _overlap(one: Folded, other: Folded) -> Likeness:
    left, right = _expanded(one, other), _expanded(other, one)
    pairs = _paired(left, right)
    if not pairs:
        return Likeness(0.0, "no word in common")
    telling = any(_weight(a) == 1 for a, _, _ in pairs)
    weigh = _weight if telling else _even
    common = sum(likely * (weigh(a) + weigh(b)) for a, b, likely in pairs)
    apart = len(pairs) < len(left) and len(pairs) < len(right)
    score = common / sum(weigh(word) for word in (*left, *right)) * (0.85 if apart else 1)
    said = "in common: " + " ".join(a if a == b else f"{a}~{b}" for a, b, _ in pairs)
    if one.numbers != other.numbers:
        return Likeness(min(score, 0.5), f"{said}; numbers differ")
    if not telling and apart:
        return Likeness(min(score, 0.4), f"{said}; only generic words")
    rest = [word for word in (*left, *right) if word not in {w for a, b, _ in pairs for w in (a, b)}]
    return Likeness(min(score, 0.94), f"{said}; not in both: {' '.join(rest)}" if rest else said)


def _even(_word: str) -> float:
    return 1.0


def _weight(word: str) -> float:
    """Generic words weigh a fifth, countries three fifths of a proper name: chosen by hand, see docs/identity.md."""
    return 0.2 if word in GENERIC else 0.6 if word in COUNTRIES else 1.0


def _paired(left: Sequence[str], right: Sequence[str]) -> list[tuple[str, str, float]]:
    """Words in both, then the nearest of the rest if they differ by few letters; each is used once."""
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
