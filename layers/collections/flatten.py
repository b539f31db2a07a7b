"""Attributions of strikes as rows of the flat collections, with what they add to countries and assets, in one pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from shapely.geometry.base import BaseGeometry

from layers.attribution.attribute import StrikeAttribution, attributions
from layers.attribution.country_totals import Counts, strike_counts
from layers.collections.feature_table import FeatureTable, FeatureTableBuilder
from layers.collections.feature_types import AttributionFeature, StrikeFeature, attribution_row, strike_row
from layers.collections.update_times import UpdateTimes
from layers.model.messages import Wording
from layers.model.records import Attribution, Records
from layers.store.record_table import prefetch

#: Answers that are flattened at once.
_PAGE = 4096


@dataclass(frozen=True, slots=True)
class FlatRows:
    """Rows of some strikes, in the order of the strikes.

    Parameters
    ----------
    strikes, attributions
        A feature a strike, and one a strike x asset x relation x country; those of one strike stand together, and
        each strike has one at least.
    geometries
        The geometry of each strike, lon/lat (OGC:CRS84), ``None`` where it is not known.
    counts
        What the strikes add to each country, see `layers.attribution.country_totals.strike_counts`.
    struck
        Number of strikes, by asset, in which the asset was hit or may have been.
    updated
        When the answers to these strikes changed last, by asset.
    """

    strikes: FeatureTable[StrikeFeature]
    attributions: FeatureTable[AttributionFeature]
    geometries: Sequence[BaseGeometry | None]
    counts: Counts
    struck: Mapping[str, int]
    updated: Mapping[str, str]


def flatten(
    records: Records,
    answers: Iterable[StrikeAttribution],
    country_names: Mapping[str, str],
    wording: Wording,
    times: UpdateTimes,
) -> FlatRows:
    """Flatten the attributions of strikes; none of them is stored.

    Parameters
    ----------
    answers
        One a strike of ``records``, in the order of the rows.
    country_names
        By ISO 3166-1 alpha-2.
    wording
        Words the reasons why a part is unattributed.
    times
        When the records changed last.
    """
    strikes, rows = FeatureTableBuilder(StrikeFeature), FeatureTableBuilder(AttributionFeature)
    geometries: list[BaseGeometry | None] = []
    counts: Counts = Counter()
    struck: Counter[str] = Counter()
    updated: dict[str, str] = {}
    for page in _pages(answers):
        prefetch(records.sources, {source for answer in page for source in answer.strike.sources})
        found = [
            (answer, list(attributions(records, [answer], wording)), times.of_strike(answer.strike.id, answer.assets))
            for answer in page
        ]
        strikes.extend(strike_row(records, answer, own, at) for answer, own, at in found)
        rows.extend(
            attribution_row(records, answer.strike, row, country_names, at) for answer, own, at in found for row in own
        )
        geometries += [answer.strike.geometry for answer in page]
        counts.update(strike_counts(records.entities, page))
        for answer, own, at in found:
            struck.update(_assets(own))
            if at is not None:
                updated.update({asset: max(at, updated.get(asset, at)) for asset in answer.assets})
    return FlatRows(
        FeatureTable.coded(StrikeFeature, strikes.columns()),
        FeatureTable.coded(AttributionFeature, rows.columns()),
        geometries,
        counts,
        struck,
        updated,
    )


def sums(records: Records, answers: Sequence[StrikeAttribution]) -> tuple[Counts, Mapping[str, int]]:
    """Count what attributions add to each country and to each asset, without laying out any feature.

    Parameters
    ----------
    records
        The records.
    answers
        One a strike.

    Returns
    -------
    tuple
        The ``counts`` and the ``struck`` that `FlatRows` of the same answers has.
    """
    struck: Counter[str] = Counter()
    for answer in answers:
        struck.update(_assets(attributions(records, [answer], str)))
    return strike_counts(records.entities, answers), struck


def _pages(answers: Iterable[StrikeAttribution]) -> Iterator[list[StrikeAttribution]]:
    answers = iter(answers)
    while page := list(islice(answers, _PAGE)):
        yield page


def _assets(rows: Iterable[Attribution]) -> set[str]:
    return {row.asset for row in rows if row.asset is not None}
