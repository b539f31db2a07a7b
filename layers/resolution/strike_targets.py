"""Targets of strikes as printed: whether those of two strikes have the same name, or are others."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from layers.model.records import Strike
from layers.text.company_names import compare, fold
from layers.text.strike_terms import stems

#: Largest number of words of a target that is a name; longer ones are sentences.
_MAX_NAME_WORDS = 7
#: Largest number of targets of a strike that are compared.
_MAX_TARGETS = 6
#: Likeness from which two targets count as the same, and up to which they count as others; between, as neither.
SAME_TARGET, OTHER_TARGET = 0.7, 0.5


class TargetNames(NamedTuple):
    """The targets of a strike that are names, their stems and numbers, and the stems of its title and place."""

    names: tuple[str, ...]
    stems: frozenset[str]
    numbers: frozenset[str]
    about: frozenset[str]

    @classmethod
    def of(cls, strike: Strike) -> TargetNames:
        """Read the targets that are names and not sentences."""
        names = tuple(name for name in strike.targets if len(name.split()) <= _MAX_NAME_WORDS)[:_MAX_TARGETS]
        numbers = frozenset(number for name in names for number in fold(name).numbers)
        about = frozenset(stems((strike.title, strike.place, strike.region)))
        return cls(names, frozenset(stems(names)), numbers, about)

    def compared(self, other: TargetNames) -> tuple[float, float]:
        """Return how surely the likest targets are the same name, 0 to 1, and how surely all are others, 0, 1 or 2.

        Others are names without a common word, or with other numbers only: Nord Stream 1 and 2. A target that the title
        or place of the other strike names is no other one: the port of Pivdennyi, and a terminal in Pivdennyi. Other
        numbers count twice, as the words in common, which count as such, are then those of both lines.
        """
        likeness = most_similar(self.names, other.names)[0]
        same = max(0.0, likeness - SAME_TARGET) / (1 - SAME_TARGET)
        if likeness > OTHER_TARGET:
            return same, 0.0
        if self.numbers and other.numbers and not self.numbers & other.numbers:
            return same, 2.0
        named = (self.stems - self.about) & other.about or (other.stems - other.about) & self.about
        return same, float(bool(self.stems and other.stems) and not self.stems & other.stems and not named)


@lru_cache(maxsize=100_000)
def most_similar(left: tuple[str, ...], right: tuple[str, ...]) -> tuple[float, str, str]:
    """Find the likest pair of names of two lists, and their likeness from 0 to 1, -1 where a list is empty.

    Of equally like ones it is the last in alphabetic order.
    """
    pairs = ((compare(fold(one), fold(other)).score, one, other) for one in left for other in right)
    return max(pairs, key=lambda pair: (pair[0], *map(repr, pair[1:])), default=(-1.0, "", ""))
