"""The answers to the strikes of a cell, candidates and attributions, as columns. Reads and writes no file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import shapely

from geo.lonlat import Floats, Ints, Objects
from layers.attribution.attribute import Attributor, attributions
from layers.batch.record_parquet import GEO_METADATA, GEOMETRY
from layers.batch.shared_tables import SharedTables
from layers.decisions.hits import SHOW_FROM, finding
from layers.matching import weights
from layers.matching.asset_index import AssetIndex
from layers.matching.explanation import ONE_SITE, is_shown_as_lent
from layers.matching.match import DIGITS, Scores, likeliest_assets, rounded, score_chunks
from layers.matching.strike_columns import StrikeColumns
from layers.matching.weights import REASONS
from layers.model.messages import Wording
from layers.model.records import Attribution, Strike
from layers.model.types import columns
from layers.ownership.owners import OwnersByDate

_REASON = pa.struct([("name", pa.string()), ("value", pa.float64()), ("weight", pa.float64())])
#: Columns of the candidates: an asset that is probable enough to be shown, or null for "none of these"; the metres
#: between both places, null where one is missing; and each reason that has evidence or weight, with the value measured
#: and the log odds that it adds. The geometry is the place of the strike, lon/lat (OGC:CRS84).
CANDIDATES = pa.schema(
    [
        ("strike", pa.string()),
        ("asset", pa.string()),
        ("probability", pa.float64()),
        ("distance_m", pa.float64()),
        ("reasons", pa.list_(_REASON)),
        (GEOMETRY, pa.binary()),
    ],
    GEO_METADATA,
)
_ARROW = {"text": pa.string(), "number": pa.float64(), "boolean": pa.bool_()}
#: Columns of the attributions: those of the collection, with the place of the strike.
ATTRIBUTIONS = pa.schema(
    [*((column.name, _ARROW[column.type]) for column in columns(Attribution)), (GEOMETRY, pa.binary())], GEO_METADATA
)


def answers(
    strikes: Sequence[Strike], shared: SharedTables, publish_from: float, wording: Wording
) -> tuple[pa.Table, pa.Table]:
    """Match and attribute strikes.

    The answer to a strike is the same whichever strikes are answered with it.

    Parameters
    ----------
    strikes
        A strike without a geometry is matched by names alone.
    shared
        The assets, stakes and other records.
    publish_from
        The probability from which an undecided candidate counts as hit.
    wording
        Words the reasons why a part is unattributed.

    Returns
    -------
    tuple
        Tables of `CANDIDATES` and of `ATTRIBUTIONS`.
    """
    candidates, proposed = _matched(strikes, shared.index, publish_from)
    return candidates, _attributions(strikes, proposed, shared, wording)


def _matched(strikes: Sequence[Strike], index: AssetIndex, publish_from: float) -> tuple[pa.Table, dict[str, str]]:
    """The candidates, and by strike the asset that counts as hit until somebody decides."""
    strike_columns = StrikeColumns.of(strikes, index.names)
    candidates, proposed = [CANDIDATES.empty_table()], dict[str, str]()
    for chunk, scores in score_chunks(strike_columns, index, weights.read()):
        ids = strike_columns.ids[chunk]
        proposed.update((ids[position], asset) for position, asset in likeliest_assets(scores, index, publish_from))
        candidates.append(_candidates(ids, _wkb(strike_columns.geometry[chunk]), scores, index))
    return pa.concat_tables(candidates), proposed


def _wkb(geometry: Objects) -> Objects:
    return np.asarray(shapely.to_wkb(geometry, flavor="iso"), object)


def _candidates(ids: Objects, places: Objects, scores: Scores, index: AssetIndex) -> pa.Table:
    """The candidates of a chunk of strikes that are shown, then "none of these" of each strike."""
    pairs = np.flatnonzero(np.round(scores.probability, DIGITS) >= SHOW_FROM)
    none = len(ids)
    rows = np.append(scores.left[pairs], np.arange(none))
    assets = [index.ids[row] for row in scores.right[pairs].tolist()]
    distances_m = _rounded(scores.distance_m[pairs])
    table = {
        "strike": ids[rows],
        "asset": [*assets, *[None] * none],
        "probability": _rounded(np.append(np.minimum(1.0, scores.probability[pairs]), scores.no_asset)),
        "distance_m": pa.array(np.append(distances_m, np.full(none, np.nan)), from_pandas=True),
        "reasons": _reasons(scores, pairs, none),
        GEOMETRY: places[rows],
    }
    return pa.table(table, CANDIDATES)


def _reasons(scores: Scores, pairs: Ints, none: int) -> pa.ListArray:
    """The reasons of pairs, in the order of `REASONS`, and behind them as many lists without a reason as stated."""
    lent = [share if is_shown_as_lent(share) else 0.0 for share in _rounded(scores.lent[pairs])]
    by_reason = {name: column[pairs] for name, column in scores.by_reason.items()}
    measured = {name: column[pairs] for name, column in scores.evidence.items()}
    weight = _matrix({**by_reason, ONE_SITE: np.zeros(len(pairs))})
    value = _matrix({**by_reason, **measured, ONE_SITE: np.array(lent, float)})
    is_reason = (value != 0) | (weight != 0)
    names = np.array([*REASONS, ONE_SITE], object)[np.nonzero(is_reason)[1]]
    parts = [
        pa.array(part, field.type)
        for part, field in zip((names, _rounded(value[is_reason]), _rounded(weight[is_reason])), _REASON, strict=True)
    ]
    stops = np.cumsum([0, *is_reason.sum(axis=1), *[0] * none]).astype(np.int32)
    return pa.ListArray.from_arrays(stops, pa.StructArray.from_arrays(parts, fields=list(_REASON)))


def _matrix(by_reason: Mapping[str, Floats]) -> Floats:
    """Columns by reason as a matrix of shape (pairs, reasons), rounded so that what is as good as 0 is 0."""
    every = np.stack([by_reason[name] for name in (*REASONS, ONE_SITE)], axis=1)
    return np.asarray(np.round(every, DIGITS), float)


def _rounded(numbers: Floats) -> list[float]:
    return [rounded(number) for number in numbers.tolist()]


def _attributions(
    strikes: Sequence[Strike], proposed: Mapping[str, str], shared: SharedTables, wording: Wording
) -> pa.Table:
    """Attribute strikes, those of one day one after the other: they share the stakes that count."""
    by_id = {strike.id: strike for strike in strikes}
    records = replace(shared.records, strikes=by_id)
    outcomes = [
        finding(strike, records.where("decisions", "strike", strike), proposed.get(strike))
        for strike in sorted(by_id, key=lambda name: by_id[name].when)
    ]
    owners = OwnersByDate(shared.stakes.above({hit.asset for outcome in outcomes for hit in outcome.hits}))
    shared.hosts.look_up(strikes)
    attributed = map(Attributor(records, owners, hosts=shared.hosts).attribute, outcomes)
    rows: Iterable[Attribution] = list(attributions(records, attributed, wording))
    values = {name: [getattr(row, name) for row in rows] for name in Attribution.model_fields}
    wkb = _wkb(np.array([strike.geometry for strike in strikes], object))
    places = dict(zip(by_id, wkb, strict=True))
    return pa.table({**values, GEOMETRY: [places[row.strike] for row in rows]}, ATTRIBUTIONS)
