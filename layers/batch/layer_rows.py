"""Rows of the layers that follow from strikes: laid out cell by cell, and put together by who keeps all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from geo.columnar.dictionary_array import DictionaryArray
from layers.attribution.attribute import StrikeAttribution
from layers.attribution.country_totals import Counts
from layers.attribution.readings import SiteReadings
from layers.collections.feature_table import FeatureTable
from layers.collections.feature_types import AttributionFeature, Feature, StrikeFeature
from layers.collections.flatten import (
    FlatRows,
    FlatRowsBuilder,
    features_by_strike,
    of_assets,
    strikes_newest_first,
)
from layers.collections.hit_features import HitFeature, HitFeaturesBuilder
from layers.collections.property_types import arrow_array, arrow_types, property_types
from layers.collections.update_times import NO_TIMES, UPDATED
from layers.filesystem.atomic_file import write_file
from layers.model.messages import Wording
from layers.model.records import Records
from layers.ownership.owners import OwnersByDate
from layers.ownership.stake_graph import StakeColumns
from layers.snapshot.snapshot import Snapshot
from layers.store.record_table import geometries

#: The layers whose rows follow from strikes, by name.
LAYERS: Mapping[str, type[Feature]] = {
    "strikes": StrikeFeature,
    "attributions": AttributionFeature,
    "hits": HitFeature,
}
COUNTS = "counts.json"
#: Columns that do not follow from the records: they are filled in by who puts the rows together.
_LEFT_OUT = (UPDATED, "country_name")

Columns = Mapping[str, DictionaryArray]


def layer_file(layer: str) -> str:
    """Return the name of the file of a layer in the folder of a cell."""
    return f"layer.{layer}.parquet"


@dataclass(frozen=True, eq=False)
class LayerRows:
    """The rows of the strikes of a cell by layer, without what does not follow from records, and their sums."""

    #: The features of each of `LAYERS`; of one strike they stand together, in the order that they have in the layer.
    tables: Mapping[str, FeatureTable[Any]]
    #: As in `layers.collections.flatten.FlatRows`.
    counts: Counts

    @classmethod
    def of(
        cls,
        records: Records,
        registered: Sequence[StrikeAttribution],
        stakes: StakeColumns,
        owners: OwnersByDate,
        wording: Wording,
    ) -> LayerRows:
        """Lay out strikes.

        Parameters
        ----------
        records
            The strikes, and all that features say beside them: assets, entities, stakes, relations, sources, controls.
        registered
            The attribution of each strike by registration.
        stakes
            All stakes: a declared control may be of a party that holds nothing above these assets.
        owners
            By the stakes above the assets that were hit.
        wording
            Words the reasons why a part is unattributed.
        """
        flat = FlatRowsBuilder(records, {}, wording, NO_TIMES)
        hits = HitFeaturesBuilder(records, SiteReadings(records, stakes, owners), {})
        flat.extend(registered)
        hits.extend(registered)
        rows = flat.finish()
        tables = (rows.strikes, rows.attributions, hits.finish(rows.strikes))
        return cls(dict(zip(LAYERS, tables, strict=True)), rows.counts)

    def write(self, folder: Path) -> None:
        """Write the rows into the folder of a cell."""
        for name, table in self.tables.items():
            types = property_types(LAYERS[name])
            columns = {
                field: _to_arrow(table.columns[field], types[field]) for field in types if field not in _LEFT_OUT
            }
            pq.write_table(pa.table(columns), folder / layer_file(name), compression="zstd")
        write_file(folder / COUNTS, orjson.dumps([[*key, number] for key, number in self.counts.items()]))


def rows_of_layers(folders: Sequence[Path], snapshot: Snapshot) -> tuple[FlatRows, FeatureTable[HitFeature]]:
    """Put the rows of all cells together as a snapshot of the same records lays them out, newest strike first.

    Parameters
    ----------
    folders
        Those of the cells, whose strikes together are those of the snapshot.
    snapshot
        Gives the names of countries, when records changed last, and the geometries of the strikes.
    """
    strikes, _ = strikes_newest_first(_columns(folders, "strikes"), snapshot.times.value)

    def by_strike(layer: str) -> FeatureTable[Any]:
        return features_by_strike(
            LAYERS[layer],
            strikes,
            _columns(folders, layer),
            [UPDATED],
            lambda rows: {"country_name": rows["country"].map(snapshot.country_names.get)},
        )

    places = dict(geometries(snapshot.records.strikes))
    attributions, hits = by_strike("attributions"), by_strike("hits")
    flat = FlatRows(
        strikes,
        attributions,
        [places[strike] for strike in strikes.columns["id"]],
        _counts(folders),
        *of_assets(attributions),
    )
    return flat, hits


def _counts(folders: Iterable[Path]) -> Counts:
    counts: Counts = Counter()
    for folder in folders:
        counts.update({(country, what): n for country, what, n in orjson.loads((folder / COUNTS).read_bytes())})
    return counts


def _to_arrow(column: DictionaryArray, kind: str) -> pa.Array:
    """A column with lists as JSON text, of which each different one can be stored once as well."""
    if kind == "list":
        return arrow_array(column.map(lambda texts: orjson.dumps(texts).decode()), pa.string())
    return arrow_array(column, arrow_types()[kind])  # type: ignore[index]


def _columns(folders: Iterable[Path], layer: str) -> dict[str, DictionaryArray]:
    """Read the columns of a layer of all cells, in the order of the cells; texts are not read out row by row."""
    types = property_types(LAYERS[layer])
    texts = [name for name, kind in types.items() if kind in ("text", "edtf", "list")]
    tables = [pq.read_table(folder / layer_file(layer), partitioning=None, read_dictionary=texts) for folder in folders]
    if not any(map(len, tables)):  # a column without rows has no values that are coded
        return {name: DictionaryArray.of(()) for name in types if name not in _LEFT_OUT}
    table = pa.concat_tables(tables)
    return {name: _from_arrow(table[name], types[name]) for name in table.column_names}


def _from_arrow(column: pa.ChunkedArray, kind: str) -> DictionaryArray:
    is_coded = pa.types.is_dictionary(column.type)
    coded = (column if is_coded else column.dictionary_encode()).combine_chunks()
    values = coded.dictionary.to_pylist()
    known = DictionaryArray.of((tuple(orjson.loads(text)) for text in values) if kind == "list" else values)
    codes = coded.indices.fill_null(len(values)).to_numpy()
    return DictionaryArray(known.dictionary, np.append(known.codes, np.int32(-1))[codes])
