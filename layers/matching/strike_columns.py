"""Strikes as columns that the matcher scores: where, how sure, what kinds of site and which words are told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from geo.lonlat import Bools, Floats, Ints, Objects
from layers.matching.asset_index import Masks, Names, Ragged
from layers.model.records import Strike
from layers.text.site_terms import kinds_told, mask, numbers, stems


@dataclass(frozen=True, slots=True)
class StrikeTable:
    """Strikes as columns; one without a place has no geometry and no candidates.

    ``kinds`` are the kinds of site told, as bits; ``words`` the codes of the stems in the text that some asset or
    owner has, ``here`` tells which of them are the strike's own place; ``number`` the numbers in the
    targets as bits.
    """

    ids: Objects
    geometry: Objects
    uncertainty_m: Floats
    site: Bools
    kinds: Masks
    words: Ragged
    here: Bools
    number: Masks

    @classmethod
    def of(cls, strikes: Iterable[Strike], names: Names) -> StrikeTable:
        """Take the columns of records. The text is ``targets`` and ``title``; ``note`` and ``damage`` are not read."""
        given = list(strikes)
        return cls.from_columns(
            [strike.id for strike in given],
            np.array([strike.geometry for strike in given], dtype=object),
            np.array([strike.uncertainty_m or 0.0 for strike in given], dtype=float),
            np.array([strike.basis == "site" for strike in given], dtype=bool),
            [strike.target_kinds for strike in given],
            [(*strike.targets, strike.title) for strike in given],
            [(strike.place, strike.region or "") for strike in given],
            names,
        )

    @classmethod
    def from_columns(
        cls,
        ids: Sequence[str],
        geometry: Objects,
        uncertainty_m: Floats,
        site: Bools,
        kinds: Sequence[Sequence[str]],
        texts: Sequence[Sequence[str]],
        places: Sequence[Sequence[str]],
        names: Names,
    ) -> StrikeTable:
        """Take columns of one length. The last text of each strike is its title, whose numbers are not read."""
        words, here = _words(texts, places, names)
        told = [mask(given) if given else told_kinds(text) for given, text in zip(kinds, texts, strict=True)]
        number = [int(np.bitwise_or.reduce([0, *map(numbers, text[:-1])])) for text in texts]
        return cls(
            np.array(ids, dtype=object),
            geometry,
            uncertainty_m,
            site,
            np.array(told, np.uint64),
            words,
            here,
            np.array(number, np.uint64),
        )

    def __len__(self) -> int:
        return len(self.ids)

    def rows(self, rows: Ints) -> StrikeTable:
        """Some of the strikes, in the order given."""
        values, owner = self.words.of_rows(rows)
        size = np.bincount(owner, minlength=len(rows))
        words = Ragged(values, np.concatenate([[0], np.cumsum(size)]))
        here = Ragged(self.here.astype(np.int64), self.words.start).of_rows(rows)[0].astype(bool)
        return StrikeTable(
            self.ids[rows],
            self.geometry[rows],
            self.uncertainty_m[rows],
            self.site[rows],
            self.kinds[rows],
            words,
            here,
            self.number[rows],
        )


def told_kinds(text: Sequence[str]) -> int:
    """Kinds that the targets tell of, or where they tell of none, the title: as bits."""
    told = int(np.bitwise_or.reduce([0, *map(kinds_told, text[:-1])]))
    return told or kinds_told(text[-1])


def _words(texts: Sequence[Sequence[str]], places: Sequence[Sequence[str]], names: Names) -> tuple[Ragged, Bools]:
    rows: list[list[int]] = []
    here: list[bool] = []
    for text, place in zip(texts, places, strict=True):
        said = dict.fromkeys(one for part in text for one in stems(part))
        own = {one for part in place for one in stems(part)}
        known = [one for one in said if one in names.code]
        rows.append([names.code[one] for one in known])
        here += [one in own for one in known]
    return Ragged.of(rows), np.array(here, dtype=bool)
