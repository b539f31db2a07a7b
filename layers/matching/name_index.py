"""The names of assets as codes of their stems, and lists of codes in one array."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain

import numpy as np

from geo.lonlat import Bools, Floats, Ints
from layers.reference.country_names import single_words
from layers.text.site_terms import stems

#: Stems of one asset that are compared: the rarest of its names.
MAX_STEMS = 12
#: Least number of assets that the rarity of a word is computed with, lest a small layer make all words rare.
MIN_ASSETS = 1_000


@dataclass(frozen=True, slots=True)
class RaggedArray:
    """Lists of different length, one a row: those of row i are ``values[start[i]:start[i + 1]]``."""

    values: Ints
    start: Ints

    @classmethod
    def of(cls, rows: Sequence[Sequence[int]]) -> RaggedArray:
        """Pack lists of numbers."""
        size = np.fromiter(map(len, rows), np.int64, len(rows))
        values = np.fromiter(chain.from_iterable(rows), np.int64, int(size.sum()))
        return cls(values, np.concatenate([[0], np.cumsum(size)]))

    def of_rows(self, rows: Ints) -> tuple[Ints, Ints]:
        """Gather the values of rows.

        Parameters
        ----------
        rows
            Row numbers, shape (k,), in any order; a row may occur twice.

        Returns
        -------
        tuple of Ints
            The values, row after row, and for each the position in ``rows`` that it belongs to; both empty for empty
            rows.
        """
        size = self.start[rows + 1] - self.start[rows]
        owner = np.repeat(np.arange(len(rows)), size)
        first = np.repeat(self.start[rows] - np.concatenate([[0], np.cumsum(size)[:-1]]), size)
        return self.values[first + np.arange(len(owner))], owner

    def rows(self, rows: Ints) -> RaggedArray:
        """Select rows by their numbers, shape (k,), in their order; a row may occur twice."""
        values, owner = self.of_rows(rows)
        return RaggedArray(values, np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=len(rows)))]))

    def inverted(self, count: int) -> RaggedArray:
        """Return the rows of each value from 0 to ``count`` - 1, ascending."""
        row = np.repeat(np.arange(len(self.start) - 1), np.diff(self.start))
        order = np.argsort(self.values, kind="stable")
        return RaggedArray(row[order], np.searchsorted(self.values[order], np.arange(count + 1)))


@dataclass(frozen=True, slots=True)
class NameIndex:
    """The names of assets as codes of stems.

    Attributes
    ----------
    code
        Code of each stem.
    rarity
        From 0 to 1 by code: 1 where one asset of the layer has the word, less with the logarithm of their number.
    words
        Codes of the stems of each asset, the rarest ``MAX_STEMS``.
    variants
        Numbers of the names of each asset.
    spelled
        Codes of the stems of each name.
    owners
        Codes of the stems in the names of the owners, operators and brands of each asset.
    with_word
        Rows of the assets that have a stem among their ``words``, by its code: what a name is looked up in.
    owned
        By code, how many assets have the stem in the names of their owners, operators and brands.
    """

    code: Mapping[str, int]
    rarity: Floats
    words: RaggedArray
    variants: RaggedArray
    spelled: RaggedArray
    owners: RaggedArray
    with_word: RaggedArray
    owned: Ints

    @classmethod
    def of(cls, names: Sequence[Sequence[str]], owners: Sequence[Sequence[str]]) -> NameIndex:
        """Index the names of each asset, and those of its owners, operators and brands."""
        memo: dict[tuple[str, ...], tuple[tuple[int, ...], ...]] = {}
        code: dict[str, int] = {}
        by_asset = [_spelled(tuple(variants), code, memo) for variants in names]
        words = [tuple(dict.fromkeys(chain.from_iterable(variants))) for variants in by_asset]
        spelled_of = {variants: _spelled(variants, code, memo) for variants in dict.fromkeys(map(tuple, owners))}
        # Iran in a text is a country, and not its National Oil Company.
        countries = {code[stem] for stem in _country_stems() if stem in code}
        words_of = {
            variants: tuple(dict.fromkeys(word for of_name in spelled for word in of_name if word not in countries))
            for variants, spelled in spelled_of.items()
        }
        of_owners = [words_of[tuple(variants)] for variants in owners]
        count = np.zeros(len(code) + 1)
        flat = np.fromiter(chain.from_iterable(words), np.int64)
        np.add.at(count, flat, 1)
        owned = np.fromiter(chain.from_iterable(of_owners), np.int64)
        # An owner's word is as rare as the owners that have it, not as their assets.
        np.maximum.at(count, owned, 1)
        rarity = 1 - np.log(np.maximum(count, 1)) / np.log(max(len(names), MIN_ASSETS))
        rarest = RaggedArray.of([_rarest(codes, rarity) for codes in words])
        first = np.concatenate([[0], np.cumsum([len(variants) for variants in by_asset])]).astype(np.int64)
        numbered = RaggedArray(np.arange(first[-1]), first)
        spelled = RaggedArray.of(list(chain.from_iterable(by_asset)))
        with_word = rarest.inverted(len(rarity))
        number_owned = np.bincount(owned, minlength=len(rarity))
        of_owner = RaggedArray.of(of_owners)
        return cls(code, np.clip(rarity, 0.05, 1), rarest, numbered, spelled, of_owner, with_word, number_owned)

    def is_of_owner(self, rows: Ints, words: Ints) -> Bools:
        """Whether each word is in the name of an owner of the asset beside it which owns others too, shape of both."""
        marked = np.zeros(len(words), dtype=bool)
        several = np.flatnonzero(self.owned[words] > 1)
        owners, at = self.owners.of_rows(rows[several])
        marked[several[at[owners == words[several[at]]]]] = True
        return marked


def _spelled(
    variants: tuple[str, ...], code: dict[str, int], memo: dict[tuple[str, ...], tuple[tuple[int, ...], ...]]
) -> tuple[tuple[int, ...], ...]:
    """Return the codes of the stems of each variant of a name, without empty and equal ones; extends both tables."""
    if variants not in memo:
        spelled = (tuple(code.setdefault(stem, len(code)) for stem in stems(name)) for name in variants)
        memo[variants] = tuple(dict.fromkeys(codes for codes in spelled if codes))
    return memo[variants]


@cache
def _country_stems() -> frozenset[str]:
    return frozenset(stem for name in single_words() for stem in stems(name))


def _rarest(codes: tuple[int, ...], rarity: Floats) -> tuple[int, ...]:
    if len(codes) <= MAX_STEMS:
        return codes
    return tuple(sorted(codes, key=lambda code: -rarity[code])[:MAX_STEMS])
