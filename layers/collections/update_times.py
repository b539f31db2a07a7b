"""When what is published of records changed last, by their ids, as far as it follows from single records.

A site moves with all that is above it, a strike with the sites that it hit, and a site with the strikes that hit it:
the first is in these times, the others follow from the rows of collections.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from geo.columnar.binary_array import DecodedArray
from geo.columnar.dictionary_array import DictionaryArray
from geo.columnar.key_index import KeyIndex

#: The property of features that says when they changed last.
UPDATED = "updated"


def latest(times: Iterable[str | None]) -> str | None:
    """The last of some times; ``None`` where none is known."""
    return max((time for time in times if time is not None), default=None)


@dataclass(frozen=True, eq=False)
class TimesById:
    """A time (RFC 3339, UTC) for each of many ids: one code a row, and apart from them those that came later.

    Parameters
    ----------
    rows
        The row of each id in ``times``.
    times
        The time of each row; ``None`` where it is not known.
    newer
        Times that count in place of those, or of further ids.
    """

    rows: Mapping[str, int] = field(default_factory=dict)
    times: DictionaryArray = field(default_factory=lambda: DictionaryArray.of(()))
    newer: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, key: str) -> str | None:
        """The time of an id; ``None`` where it is not known."""
        found = self.newer.get(key)
        if found is not None:
            return found
        row = self.rows.get(key)
        return None if row is None else self.times[row]

    def with_newer(self, newer: Mapping[str, str]) -> TimesById:
        """The times with others for some ids."""
        return TimesById(self.rows, self.times, MappingProxyType({**self.newer, **newer})) if newer else self

    def column(self, ids: Iterable[str]) -> DictionaryArray:
        """The times of ids, in their order; those of all ids, in their own order or ascending, without a look-up."""
        if isinstance(self.rows, KeyIndex) and not self.newer:
            if ids is self.rows:
                return self.times
            if isinstance(ids, DecodedArray) and ids.is_text and ids.binary == self.rows.ascending:
                return self.times.take(self.rows.order)
        return DictionaryArray.of(map(self.__getitem__, ids))


@dataclass(frozen=True, eq=False)
class UpdateTimes:
    """The times of one version.

    Parameters
    ----------
    strikes
        Of each strike: the last change of its record, or of one that names it.
    nodes
        Of each asset and entity: the last change of its record, of one that names it, or of what is above it.
    basis
        Names the policy and the private data sets that they were read by.
    moved
        Ids that have another time than in the version before; ``None`` where any may have.
    """

    strikes: TimesById = field(default_factory=TimesById)
    nodes: TimesById = field(default_factory=TimesById)
    basis: str = ""
    moved: frozenset[str] | None = frozenset()

    def of_strike(self, strike: str, assets: Iterable[str]) -> str | None:
        """When the answer to a strike that hit some assets changed last; ``None`` where it is not known."""
        return latest((self.strikes[strike], *map(self.nodes.__getitem__, assets)))

    def of_strikes(self, strikes: DictionaryArray, assets: DictionaryArray) -> DictionaryArray:
        """The same of many strikes: one a row, beside the assets that it hit, as a tuple."""
        own = self.strikes.column(strikes.dictionary).take(strikes.codes.astype(np.int64))
        return own.larger(assets.map(lambda hit: latest(map(self.nodes.__getitem__, hit))))


#: Of records that no history tells of.
NO_TIMES = UpdateTimes()
