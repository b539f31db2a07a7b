"""Attributions of strikes as rows of the flat collections, with what they add to countries and assets, in one pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from shapely.geometry.base import BaseGeometry

from layers.attribution.attribute import StrikeAttribution, attributions
from layers.attribution.country_totals import Counts, strike_counts
from layers.collections.feature_table import FeatureTable, FeatureTableBuilder
from layers.collections.feature_types import AttributionFeature, StrikeFeature, attribution_row, strike_row
from layers.collections.update_times import UpdateTimes
from layers.model.messages import Wording
from layers.model.records import Attribution, Records
from layers.store.record_table import prefetch


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


class FlatRowsBuilder:
    """Lays out the attributions of strikes page by page; none of them is stored.

    Parameters
    ----------
    records
        The records that the attributions are of.
    country_names
        By ISO 3166-1 alpha-2.
    wording
        Words the reasons why a part is unattributed.
    times
        When the records changed last.
    """

    def __init__(
        self, records: Records, country_names: Mapping[str, str], wording: Wording, times: UpdateTimes
    ) -> None:
        self._records, self._country_names, self._wording, self._times = records, country_names, wording, times
        self._strikes, self._attributions = FeatureTableBuilder(StrikeFeature), FeatureTableBuilder(AttributionFeature)
        self._geometries: list[BaseGeometry | None] = []
        self._counts: Counts = Counter()
        self._struck: Counter[str] = Counter()
        self._updated: dict[str, str] = {}

    def extend(self, page: Sequence[StrikeAttribution]) -> None:
        """Add the attributions of some strikes, in the order of the rows."""
        records, times = self._records, self._times
        prefetch(records.sources, {source for answer in page for source in answer.strike.sources})
        found = [
            (
                answer,
                list(attributions(records, [answer], self._wording)),
                times.of_strike(answer.strike.id, answer.assets),
            )
            for answer in page
        ]
        self._strikes.extend(strike_row(records, answer, own, at) for answer, own, at in found)
        self._attributions.extend(
            attribution_row(records, answer.strike, row, self._country_names, at)
            for answer, own, at in found
            for row in own
        )
        self._geometries += [answer.strike.geometry for answer in page]
        self._counts.update(strike_counts(records.entities, page))
        for answer, own, at in found:
            self._struck.update(_assets(own))
            if at is not None:
                self._updated.update({asset: max(at, self._updated.get(asset, at)) for asset in answer.assets})

    def finish(self) -> FlatRows:
        """The rows of all that was added."""
        return FlatRows(
            FeatureTable.coded(StrikeFeature, self._strikes.columns()),
            FeatureTable.coded(AttributionFeature, self._attributions.columns()),
            self._geometries,
            self._counts,
            self._struck,
            self._updated,
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


def _assets(rows: Iterable[Attribution]) -> set[str]:
    return {row.asset for row in rows if row.asset is not None}
