"""Attributions of strikes as columns of the flat collections, with what they add to countries and assets, in one pass.

What the row of an attribution says of its strike, asset, entity or country is looked up once for each of these.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, TypeVar

import numpy as np
from shapely.geometry.base import BaseGeometry

from geo.columnar.dictionary_array import DictionaryArray
from geo.columnar.integers import distinct
from geo.columnar.lazy_array import batches
from geo.lonlat import Ints
from layers.attribution.attribute import AttributionRow, StrikeAttribution, attribution_rows
from layers.attribution.country_totals import Counts, strike_counts
from layers.collections.feature_table import FeatureTable, FeatureTableBuilder, rows_of
from layers.collections.feature_types import AttributionFeature, Feature, StrikeFeature, strike_columns
from layers.collections.update_times import UPDATED, UpdateTimes
from layers.model.messages import Wording
from layers.model.records import Record, Records
from layers.store.record_table import prefetch

F = TypeVar("F", bound=Feature)
#: Records that are read at once to be looked up.
_PAGE = 2048
#: What rows of attributions say of their strike.
_OF_STRIKE = ("title", "when", "day_first", "day_last", "host_country", "place", "status", "rests_on", UPDATED)


@dataclass(frozen=True, slots=True)
class FlatRows:
    """Rows of some strikes, newest strike first.

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
        names = (name for name in StrikeFeature.model_fields if name != UPDATED)
        self._strikes = FeatureTableBuilder(names, differing=("id", "title"))
        self._attributions = FeatureTableBuilder(AttributionRow._fields, differing=("id", "strike"))
        self._geometries: list[BaseGeometry | None] = []
        self._counts: Counts = Counter()

    def extend(self, page: Sequence[StrikeAttribution]) -> None:
        """Add the attributions of some strikes, in any order."""
        records = self._records
        prefetch(records.sources, {source for answer in page for source in answer.strike.sources})
        rows = [[*attribution_rows(records, answer, self._wording)] for answer in page]
        self._strikes.extend_columns(strike_columns(records, page, rows))
        self._attributions.extend(chain.from_iterable(rows))
        self._geometries += [answer.strike.geometry for answer in page]
        self._counts.update(strike_counts(records.entities, page))

    def finish(self) -> FlatRows:
        """The rows of all that was added."""
        strikes, newest_first = strikes_newest_first(self._strikes.finish(), self._times)
        own = self._attributions.finish()
        attributions = features_by_strike(AttributionFeature, strikes, own, _OF_STRIKE, self._looked_up)
        return FlatRows(
            strikes,
            attributions,
            [self._geometries[row] for row in newest_first.tolist()],
            self._counts,
            *of_assets(attributions),
        )

    def _looked_up(self, rows: Mapping[str, DictionaryArray]) -> Mapping[str, DictionaryArray]:
        """What rows say of their country, asset and entity."""
        return {
            "country_name": rows["country"].map(self._country_names.get),
            "asset_name": values_of_records(rows["asset"], self._records.assets, ["name"])["name"],
            "entity_name": values_of_records(rows["entity"], self._records.entities, ["name"])["name"],
        }


def strikes_newest_first(
    columns: Mapping[str, DictionaryArray], times: UpdateTimes
) -> tuple[FeatureTable[StrikeFeature], Ints]:
    """Features of columns of strikes in any order, with when they changed last; and the row that each had before."""
    newest_first = np.lexsort((columns["id"].codes, columns["when"].codes))[::-1]
    ordered = {name: column.take(newest_first) for name, column in columns.items()}
    updated = times.of_strikes(ordered["id"], ordered["assets"])
    return coded_features(StrikeFeature, {**ordered, UPDATED: updated}), newest_first


def coded_features(model: type[F], columns: Mapping[str, DictionaryArray]) -> FeatureTable[F]:
    """Features of columns that stand in any order."""
    return FeatureTable.coded(model, {name: columns[name] for name in model.model_fields})


def features_by_strike(
    model: type[F],
    strikes: FeatureTable[StrikeFeature],
    own: Mapping[str, DictionaryArray],
    of_strike: Iterable[str],
    looked_up: Callable[[Mapping[str, DictionaryArray]], Mapping[str, DictionaryArray]],
) -> FeatureTable[F]:
    """Put together features of which each has a strike, in the order of the strikes.

    Parameters
    ----------
    model
        The class of the features.
    strikes
        The strikes.
    own
        The columns that the features do not have from elsewhere, n rows each; ``strike`` is one of them. Rows of one
        strike stay in their order.
    of_strike
        Names of the columns that they have from their strikes.
    looked_up
        Gives further columns, from those of ``own`` in the order of the strikes.
    """
    at = rows_of(strikes.columns["id"], own["strike"])
    order = np.argsort(at, kind="stable")
    rows = {name: column.take(order) for name, column in own.items()}
    stated = {name: strikes.columns[name].take(at[order]) for name in of_strike}
    return coded_features(model, {**rows, **stated, **looked_up(rows)})


def values_of_records(
    ids: DictionaryArray, table: Mapping[str, Record], names: Sequence[str]
) -> dict[str, DictionaryArray]:
    """Columns with values of the records that a column names, by their names; each record is read once."""

    def read(page: slice) -> list[tuple[Any, ...]]:
        keys = [*ids.dictionary[page]]
        prefetch(table, keys)
        return [tuple(getattr(table[key], name) for name in names) for key in keys]

    rows = [row for page in batches(len(ids.dictionary), _PAGE) for row in read(page)]
    return {name: ids.with_values(row[number] for row in rows) for number, name in enumerate(names)}


def of_assets(attributions: FeatureTable[AttributionFeature]) -> tuple[Mapping[str, int], Mapping[str, str]]:
    """Number of strikes on each asset that any hit, and when the answers to these changed last where that is known."""
    assets, updated = attributions.columns["asset"], attributions.columns[UPDATED]
    rows = np.flatnonzero(assets.codes >= 0)
    asset, strike = assets.codes[rows].astype(np.int64), attributions.columns["strike"].codes[rows]
    size = len(assets.dictionary)
    number = np.bincount(distinct(strike * size + asset) % max(size, 1), minlength=size)
    latest = np.full(size, -1)
    np.maximum.at(latest, asset, updated.codes[rows])
    times = zip(assets.dictionary, latest.tolist(), strict=True)
    return (
        dict(zip(assets.dictionary, number.tolist(), strict=True)),
        {key: updated.dictionary[code] for key, code in times if code >= 0},
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
        struck.update({row.asset for row in attribution_rows(records, answer, str) if row.asset is not None})
    return strike_counts(records.entities, answers), struck
