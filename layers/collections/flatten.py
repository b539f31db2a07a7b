"""The flat layers of strikes and attributions, and what strikes add to countries and assets, in one pass of answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from shapely.geometry.base import BaseGeometry

from layers.attribution.attribute import Answer, attributions
from layers.attribution.country_totals import Counts, counted
from layers.collections.feature_table import FeatureTable, Filling
from layers.collections.feature_types import AttributionFeature, StrikeFeature, attribution_row, strike_row
from layers.model.records import Attribution, Records

#: Answers that are taken in at once.
_PAGE = 4096


@dataclass(frozen=True, slots=True)
class Flat:
    """What follows from the answers to some strikes, in their order.

    Parameters
    ----------
    strikes, attributions
        A feature a strike, and one a strike x asset x relation x country; those of one strike stand together, and
        there is one at least for each.
    places
        Where each strike is, ``None`` where that is not known.
    counts
        What they add to each country, see `tally.counted`.
    struck
        In how many strikes an asset was hit, or may have been.
    """

    strikes: FeatureTable[StrikeFeature]
    attributions: FeatureTable[AttributionFeature]
    places: Sequence[BaseGeometry | None]
    counts: Counts
    struck: Mapping[str, int]


def flat(records: Records, answers: Iterable[Answer], names: Mapping[str, str]) -> Flat:
    """Lay answers flat; ``names`` gives the name of each country. No answer is kept."""
    strikes, rows = Filling(StrikeFeature), Filling(AttributionFeature)
    places: list[BaseGeometry | None] = []
    counts: Counts = Counter()
    struck: Counter[str] = Counter()
    for page in _pages(answers):
        told = [(one, list(attributions(records, [one]))) for one in page]
        strikes.extend(strike_row(records, one, found) for one, found in told)
        rows.extend(attribution_row(one.strike, row, names) for one, found in told for row in found)
        places += [one.strike.geometry for one in page]
        counts.update(counted(records.entities, page))
        for _, found in told:
            struck.update(_assets(found))
    return Flat(
        FeatureTable.coded(StrikeFeature, strikes.columns()),
        FeatureTable.coded(AttributionFeature, rows.columns()),
        places,
        counts,
        struck,
    )


def _pages(answers: Iterable[Answer]) -> Iterator[list[Answer]]:
    answers = iter(answers)
    while page := list(islice(answers, _PAGE)):
        yield page


def _assets(rows: Iterable[Attribution]) -> set[str]:
    return {row.asset for row in rows if row.asset is not None}
