"""What speaks for and against two strikes being one event: a column of numbers for each named reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from geo.lonlat import Bools, Floats, Ints
from layers.model.records import Strike
from layers.resolution.strike_blocking import StrikePairs
from layers.resolution.strike_columns import EventTable
from layers.text.company_names import compare, fold
from layers.text.strike_terms import FAMILIES, stems

#: Pairs of which the words are compared at once.
_CHUNK = 200_000
#: Words of a target that is a name; longer ones are sentences.
_NAME_LENGTH = 7
#: Targets of a strike that are compared.
_MOST_TARGETS = 6
#: From and up to this likeness two targets are said to be the same and other ones; between, nothing is said.
SAME_TARGET, OTHER_TARGET = 0.7, 0.5

Evidence = Mapping[str, Floats]


def quick(table: EventTable, pairs: StrikePairs) -> dict[str, Floats]:
    """Evidence that needs no look at words, by name of the reason: one number a pair, 0 for none."""
    i, j = pairs.left, pairs.right
    gap = np.maximum(table.first[i], table.first[j]) - np.minimum(table.last[i], table.last[j])
    brief = table.brief[i] & table.brief[j]
    placed = table.placed[i] & table.placed[j]
    near = ~np.isnan(pairs.distance_m)
    families = table.families[i] & table.families[j]
    told = {
        "same-night": brief & (gap <= 0),
        "next-day": brief & (gap == 1),
        "later-day": brief & (gap == 2),
        "far": placed & ~near,
        "no-place": ~placed,
        "kind": families > 0,
        "other-kind": (families == 0) & (table.families[i] > 0) & (table.families[j] > 0),
        "attacker": (table.side[i] == table.side[j]) & (table.side[i] > 0),
        "other-attacker": (table.side[i] != table.side[j]) & (table.side[i] > 0) & (table.side[j] > 0),
        "other-country": _differ(table.country[i], table.country[j]),
        "same-dataset": table.dataset[i] == table.dataset[j],
    }
    return {**{name: found.astype(np.float64) for name, found in told.items()}, **_places(table, pairs, near)}


def _differ(one: Ints, other: Ints) -> Bools:
    return np.asarray((one != other) & (one >= 0) & (other >= 0))


def _places(table: EventTable, pairs: StrikePairs, near: Bools) -> dict[str, Floats]:
    """How sharply two near places agree (1 at 100 m, 0 beyond 30 km), how loosely, and how far apart they are for it.

    The radii hold the true places with about 95 %, that is two sigma; half the square of the distance in sigmas
    is the exponent of a Gaussian, and 4 its end, since a place may be wrong altogether. Loose is the decimal
    logarithm of sigma in tens of kilometres: in a whole region there are many sites.
    """
    sigma = np.hypot(table.uncertainty_m[pairs.left], table.uncertainty_m[pairs.right]) / 2
    sigma, metres = np.where(near, sigma, 1.0), np.where(near, pairs.distance_m, 0.0)
    sharp = np.clip(1 - np.log10(np.maximum(sigma, 100.0) / 100.0) / 2.5, 0.0, 1.0)
    loose = np.log10(np.maximum(sigma, 10_000.0) / 10_000.0)
    apart = np.minimum(0.5 * (metres / sigma) ** 2, 4.0)
    return {"place": np.where(near, sharp, 0.0), "loose-place": loose, "apart": apart}


def worded(table: EventTable, pairs: StrikePairs) -> dict[str, Floats]:
    """Words that both strikes have, by how rare they are: names, and names of the place where it is not near.

    Rarity is 1 for a word that one strike has and 0 for one that all have; the sum ends at 2.
    """
    names, places = np.zeros(len(pairs.left)), np.zeros(len(pairs.left))
    for start in range(0, len(pairs.left), _CHUNK):
        part = slice(start, start + _CHUNK)
        i, j = pairs.left[part], pairs.right[part]
        shared = table.words[i].multiply(table.words[j])
        local = shared.multiply(_or(table.places[i], table.places[j]))
        everything, of_place = (csr_array(found) @ table.rarity for found in (shared, local))
        names[part], places[part] = everything - of_place, of_place
    near = ~np.isnan(pairs.distance_m)
    return {"name": np.clip(names, 0, 2), "place-name": np.where(near, 0.0, np.clip(places, 0, 2))}


def _or(one: csr_array, other: csr_array) -> csr_array:
    return csr_array(one.maximum(other))


def targeted(table: EventTable, pairs: StrikePairs) -> dict[str, Floats]:
    """Whether the targets named are like each other, are others, or two data sets cite the same report."""
    reports = table.reports
    named = [_Named.of(strike) for strike in table.strikes]
    rows = [
        (*_compared(named[i], named[j]), float(table.dataset[i] != table.dataset[j] and bool(reports[i] & reports[j])))
        for i, j in zip(pairs.left.tolist(), pairs.right.tolist(), strict=True)
    ]
    columns = np.array(rows, np.float64).reshape(-1, 3).T
    return dict(zip(("target", "other-target", "same-source"), columns, strict=True))


class _Named(NamedTuple):
    """Targets that are names, their telling stems and their numbers, and the stems of the title and the place."""

    names: tuple[str, ...]
    stems: frozenset[str]
    numbers: frozenset[str]
    about: frozenset[str]

    @classmethod
    def of(cls, strike: Strike) -> _Named:
        names = target_names(strike)
        numbers = frozenset(number for name in names for number in fold(name).numbers)
        about = frozenset(stems((strike.title, strike.place, strike.region)))
        return cls(names, frozenset(stems(names)), numbers, about)

    @property
    def called(self) -> frozenset[str]:
        """What the targets are called beyond the words of their own title and place."""
        return self.stems - self.about


def _compared(one: _Named, other: _Named) -> tuple[float, float]:
    """How surely the likest targets are the same name, 0 to 1, and how surely all are others, 0, 1 or 2.

    Others are names without a common word, or with other numbers only: Nord Stream 1 and 2. A target that the title or
    place of the other strike names is no other one: the port of Pivdennyi, and a terminal in Pivdennyi. Other numbers
    count twice, as the words in common, which count as such, are then those of both lines.
    """
    likeness, _ = alike(one.names, other.names)
    foreign = bool(one.stems and other.stems) and not one.stems & other.stems
    foreign = foreign and not (one.called & other.about or other.called & one.about)
    counted = bool(one.numbers and other.numbers) and not one.numbers & other.numbers
    same = max(0.0, likeness - SAME_TARGET) / (1 - SAME_TARGET)
    if likeness > OTHER_TARGET:
        return same, 0.0
    return same, 2.0 if counted else float(foreign)


def target_names(strike: Strike) -> tuple[str, ...]:
    """The targets of a strike that are names and not sentences."""
    return tuple(name for name in strike.targets if len(name.split()) <= _NAME_LENGTH)[:_MOST_TARGETS]


@lru_cache(maxsize=100_000)
def alike(ones: tuple[str, ...], others: tuple[str, ...]) -> tuple[float, str]:
    """The likeness of the two likest names and both in words; -1 where one has no name."""
    found = ((compare(fold(one), fold(other)).score, f"{one!r} and {other!r}") for one in ones for other in others)
    return max(found, default=(-1.0, ""))


def details(table: EventTable, left: int, right: int, metres: float) -> dict[str, str]:
    """What each reason saw in one pair of rows, in words."""
    one, other = table.strikes[left], table.strikes[right]
    when_ = f"{one.when} and {other.when}"
    shared = set(_stems(table, table.words, left)) & set(_stems(table, table.words, right))
    local = set(_stems(table, table.places, left)) | set(_stems(table, table.places, right))
    kinds = (_families(int(table.families[row])) for row in (left, right))
    sources = ", ".join(sorted(table.reports[left] & table.reports[right]))
    attackers = f"{one.attacker} and {other.attacker}"
    sure = np.hypot(*table.uncertainty_m[[left, right]]) if not np.isnan(metres) else 0.0
    where = f"{metres / 1000:.1f} km apart, both places sure to {sure / 1000:.1f} km"
    targets = alike(target_names(one), target_names(other))[1]
    return {
        **dict.fromkeys(("same-night", "next-day", "later-day"), when_),
        **dict.fromkeys(("place", "loose-place", "apart"), where),
        "far": f"{one.place} and {other.place} are apart beyond what is unsure of them",
        "no-place": "no coordinate to compare",
        **dict.fromkeys(("kind", "other-kind"), " and ".join(kinds)),
        **dict.fromkeys(("attacker", "other-attacker"), attackers),
        "other-country": f"{one.host_country} and {other.host_country}",
        "same-dataset": one.dataset,
        "name": _told(shared - local),
        "place-name": _told(shared & local),
        **dict.fromkeys(("target", "other-target"), targets),
        "same-source": sources,
    }


def _stems(table: EventTable, matrix: csr_array, row: int) -> Iterator[str]:
    yield from (table.stems[at] for at in matrix.indices[matrix.indptr[row] : matrix.indptr[row + 1]])


def _told(found: set[str]) -> str:
    return "both say " + ", ".join(f"{stem}…" for stem in sorted(found))


def _families(mask: int) -> str:
    return "+".join(name for at, name in enumerate(FAMILIES) if mask >> at & 1) or "unknown"
