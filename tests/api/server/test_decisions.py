"""After decisions of reviewers, one after the other, all is served as a new server of the store computes it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.requests.query_parameters import DEFAULT_ORDERS
from api.server.live_snapshot import LiveSnapshot
from api.settings import Settings
from api.wording.catalogue import text
from geo.columnar.lazy_array import Array
from geo.tiles import mvt
from geo.tiles.tile_matrix import Tile
from layers.collections.collection import Collection
from layers.collections.update_times import UPDATED
from layers.model.records import Decision, Records
from layers.query.cql2_text import parse
from layers.query.filter import compile_filter
from layers.query.keyset_cursor import with_tiebreak
from layers.query.selection import Selection, SortKey, rows
from layers.reference import basemap
from layers.reference.basemap import Basemap
from layers.snapshot.derived_layers import full_rewrite
from layers.snapshot.snapshot import Snapshot
from layers.store.store import Store
from tests.conftest import BASEMAP
from tests.store_copies import opened_copy
from tests.store_kinds import NewStore

SETTINGS = Settings(basemap=BASEMAP)
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
TILES = [Tile(0, 0, 0), Tile(3, 4, 2)]
NEWER = parse("updated > TIMESTAMP('2026-06-01T00:00:00Z')")

#: Number of a strike and of an asset, and what is decided of them.
steps = st.tuples(
    st.integers(0, 3),
    st.integers(0, 3),
    st.sampled_from(["confirmed", "possible", "none", "unsure", "not-a-strike", "undone"]),
)


@pytest.fixture(scope="module")
def loaded(few_records: Records, base: Basemap, new_shared_store: NewStore) -> Store:
    """A store of a few strikes, with its derived layers."""
    store = new_shared_store()
    store.load(few_records, author="a load", derive=full_rewrite(base, text), at=START)
    return store


@pytest.fixture(scope="module", autouse=True)
def _read_once(base: Basemap) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(basemap, "read", lambda path: base)
        yield


@settings(max_examples=8, deadline=None)
@given(drawn=st.lists(steps, min_size=1, max_size=5))
def test_decisions_are_served_as_all_computed_anew(loaded: Store, drawn: list[tuple[int, int, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = opened_copy(loaded, Path(folder) / "atlas.gpkg")
        atlas = LiveSnapshot(store, SETTINGS, "test")
        _ = served(atlas.view.snapshot)
        for hour, step in enumerate(drawn, 1):
            decision = decided(atlas.view.stored, hour, *step)
            atlas.append("decisions", decision, author="Ann")
            assert atlas.refresh()
            actual, anew = (served(one.view.snapshot) for one in (atlas, LiveSnapshot(store, SETTINGS, "test")))
            for part, expected in anew.items():
                assert actual[part] == expected, (hour, part)
        store.close()


def decided(records: Records, number: int, strike: int, asset: int, verdict: str) -> Decision:
    """A decision on one of a few strikes that hit the same few assets; nothing to be taken back is left unsure."""
    key = sorted(records.strikes)[strike]
    values: dict[str, Any] = {"verdict": verdict}
    if verdict in ("confirmed", "possible"):
        values["asset"] = sorted(records.assets)[asset]
    if verdict == "undone":
        earlier = [one.id for one in records.decisions.values() if one.strike == key]
        values = {"verdict": "undone", "undoes": earlier[asset % len(earlier)]} if earlier else {"verdict": "unsure"}
    about = {"id": f"review/{number}", "dataset": "review", "strike": key}
    return Decision.model_validate({**about, **values, "who": "Ann", "when": "2026-11-25", "why": "read"})


def served(snapshot: Snapshot) -> Mapping[str, Any]:
    """What is served of a version."""
    return {
        **{name: layer_as_served(layer) for name, layer in snapshot.layers.items()},
        "answers": dict(snapshot.answers()),
        "tallies": dict(snapshot.tallies()),
        "counts": {key: number for key, number in snapshot.counts().items() if number},
    }


def layer_as_served(layer: Collection) -> list[Any]:
    """Features, how they are stored, tiles and orders of a layer, and the rows that changed since a time."""
    columns = layer.features.columns
    orders = [DEFAULT_ORDERS.get(layer.name, ())]
    newer: list[Array] = []
    if UPDATED in columns:
        orders.append((SortKey(UPDATED, True),))
        newer.append(rows(layer, Selection(where=compile_filter(NEWER, layer.queryables))))
    return [
        list(layer.fragments),
        layer.digest,
        dict(layer.rows_by_id),
        {name: (list(column.dictionary), column.codes.tolist()) for name, column in columns.items()},
        [mvt.encode(layer.layer, tile) for tile in TILES],
        [[*rows(layer, with_tiebreak(Selection(order=order)))] for order in orders],
        [[*selected] for selected in newer],
    ]
