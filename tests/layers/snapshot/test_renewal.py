"""A view that was renewed is the one that would be made anew, whatever was changed; what was not is taken over."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pytest
import shapely

from geo.tiles import mvt
from geo.tiles.tile_matrix import Tile
from layers.model.cache import Lazy
from layers.model.records import RECORD_TYPES, Control, Records
from layers.query.strike_ties import strike_rows
from layers.reference.basemap import Basemap, Countries
from layers.snapshot.flat_collections import BY_STRIKE
from layers.snapshot.incremental import update
from layers.snapshot.snapshot import Snapshot

DAY = date(2026, 11, 25)
STRIKE, ASSET = "ru-cpc-kropotkinskaya-2025-02-17", "a-cpc-kropotkinskaya"
CONTROL = Control(
    id="new-one", controlled=ASSET, controller="socar", kind="declared", source="gu-gcap-qa", checked="read"
)
Change = Callable[[Records], Records]
View = Callable[..., Snapshot]


def changed(records: Records, table: str, key: str, **values: Any) -> Records:
    """The records with one of them given other values, or added as a copy of the first."""
    there: dict[str, Any] = dict(records.table(table))
    there[key] = there.get(key, next(iter(there.values()))).model_copy(update={"id": key, **values})
    return dataclasses.replace(records, **{table: there})


def without(records: Records, table: str, key: str) -> Records:
    return dataclasses.replace(records, **{table: {k: v for k, v in records.table(table).items() if k != key}})


def share(records: Records) -> Records:
    key = next(key for key, stake in records.stakes.items() if stake.owned == ASSET)
    return changed(records, "stakes", key, share_min=1.0, share_max=2.0)


def other_asset(records: Records) -> str:
    return next(key for key in records.assets if key != ASSET)


CHANGES: dict[str, Change] = {
    "nothing": lambda records: records,
    "a strike is added": lambda records: changed(records, "strikes", "new-one"),
    "a strike is gone": lambda records: without(records, "strikes", STRIKE),
    "a strike is another day": lambda records: changed(records, "strikes", STRIKE, when="2024-01"),
    "a strike is elsewhere": lambda records: changed(records, "strikes", STRIKE, geometry=shapely.Point(30, 50)),
    "a strike is nowhere": lambda records: changed(records, "strikes", STRIKE, geometry=None),
    "a strike is retracted": lambda records: changed(records, "strikes", STRIKE, status="retracted"),
    "a strike is a draft": lambda records: changed(records, "strikes", STRIKE, status="draft"),
    "its sources are data": lambda records: dataclasses.replace(
        records,
        sources={
            key: source.model_copy(update={"licence": "CC0-1.0"}) if key in records.strikes[STRIKE].sources else source
            for key, source in records.sources.items()
        },
    ),
    "a strike has a new id": lambda records: without(
        changed(records, "strikes", "another-id", **dict(records.strikes[STRIKE], id="another-id")), "strikes", STRIKE
    ),
    "all strikes are a day": lambda records: dataclasses.replace(
        records, strikes={k: v.model_copy(update={"when": "2025-01-01"}) for k, v in records.strikes.items()}
    ),
    "it was no strike": lambda records: changed(
        records, "decisions", "new-one", strike=STRIKE, asset=None, verdict="not-a-strike", undoes=None
    ),
    "another asset was hit": lambda records: changed(
        records, "decisions", "new-one", strike=STRIKE, asset=other_asset(records), verdict="possible", undoes=None
    ),
    "an asset is elsewhere": lambda records: changed(records, "assets", ASSET, geometry=shapely.Point(40, 45)),
    "an asset has another name": lambda records: changed(records, "assets", ASSET, name="Another name"),
    "a stake is another share": share,
    "relations are gone": lambda records: dataclasses.replace(records, relations={}),
    "an entity is of another country": lambda records: changed(records, "entities", "socar", registered_in="TR"),
    "an asset is added": lambda records: changed(records, "assets", "new-asset"),
    "a source is elsewhere": lambda records: changed(
        records, "sources", next(iter(records.strikes.values())).sources[0], url="https://example.org/elsewhere"
    ),
    "who controls it is declared": lambda records: dataclasses.replace(records, controls={CONTROL.id: CONTROL}),
    "decisions are gone": lambda records: dataclasses.replace(records, decisions={}),
}


@pytest.fixture(scope="module")
def few(few_records: Records) -> Records:
    """A few strikes, one of them with decisions and owners, and all that they are based on."""
    return few_records


@pytest.fixture(scope="module")
def small(base: Basemap) -> Basemap:
    """A base map of countries that are quickly drawn."""
    rows = np.flatnonzero(np.isin(base.countries.iso_a2.astype(str), ["UA", "AZ", "HU", "TR", "KZ"]))
    names = (field.name for field in dataclasses.fields(base.countries) if field.name != "drawn_shape")
    columns = {name: getattr(base.countries, name)[rows] for name in names}
    shapes = Lazy.of(base.countries.shape[rows])
    return dataclasses.replace(base, countries=Countries(**columns, drawn_shape=shapes))


@pytest.fixture(scope="module")
def view(small: Basemap) -> View:
    """The second version, of some records on a day."""

    def made(records: Records, day: date = DAY) -> Snapshot:
        return Snapshot.of(records, small, 2, day, wording=str)

    return made


@pytest.fixture(scope="module")
def before(few: Records, small: Basemap) -> Snapshot:
    made = Snapshot.of(few, small, 1, DAY, wording=str)
    for collection in made.layers.values():
        _ = collection.fragments, collection.layer, collection.tree, collection.values("geometry")
    return made


def told(snapshot: Snapshot) -> dict[str, Any]:
    """All that is served of a snapshot."""
    layers = {name: one.layer for name, one in snapshot.layers.items()}
    strikes = snapshot.layers["strikes"]
    tiles = [Tile(0, 0, 0), Tile(3, 4, 2), Tile(5, 18, 11)]
    return {
        "features": {name: one.fragments for name, one in snapshot.layers.items()},
        "tiles": {name: [mvt.encode(layer, tile) for tile in tiles] for name, layer in layers.items()},
        "rows": {name: one.rows_by_id for name, one in snapshot.layers.items()},
        "near": {name: one.meets((28, 44, 41, 51)).tolist() for name, one in snapshot.layers.items()},
        "bounds": {name: one.bounds for name, one in snapshot.layers.items()},
        "days": {name: one.days for name, one in snapshot.layers.items()},
        "digests": {name: one.digest for name, one in snapshot.layers.items()},
        "strikes": {name: strike_rows(strikes, snapshot.layers[name]).tolist() for name in BY_STRIKE},
        "matches": snapshot.matches,
        "answers": snapshot.answers(),
        "seats": snapshot.answers("headquarters"),
        "tallies": snapshot.tallies(),
        "chains": {key: [hit.owners.chains for hit in one.hits] for key, one in snapshot.answers().items()},
        "proposed": {key: snapshot.proposed.get(key) for key in snapshot.order if undecided(snapshot, key)},
    }


def undecided(snapshot: Snapshot, strike: str) -> bool:
    return snapshot.findings[strike].basis_of_outcome in ("match", "nothing")


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_a_renewed_view_is_the_one_made_anew(few: Records, view: View, before: Snapshot, change: str) -> None:
    after = CHANGES[change](few)
    made, anew = update(before, view(after)), view(after)
    found, expected = told(made), told(anew)
    for part in expected:
        assert found[part] == expected[part], part
    assert (made.seq, made.data_date) == (2, DAY)


def test_from_no_strikes_and_back(few: Records, view: View) -> None:
    none = dataclasses.replace(few, strikes={}, decisions={})
    begun = view(none)
    assert told(update(begun, view(few))) == told(view(few))
    assert told(update(view(few), view(none))) == told(begun)


def test_owners_are_those_of_the_new_day(few: Records, view: View, before: Snapshot) -> None:
    day = date(2007, 6, 1)
    made, anew = update(before, view(few, day)), view(few, day)
    assert told(made) == told(anew)
    assert made.collections["assets"].fragments != before.collections["assets"].fragments


def test_views_can_be_renewed_again_and_again(few: Records, small: Basemap, before: Snapshot) -> None:
    made, after = before, few
    for seq, change in enumerate(CHANGES.values(), 2):
        after = change(after)
        made = update(made, Snapshot.of(after, small, seq, DAY, wording=str))
    assert told(made) == told(Snapshot.of(after, small, 99, DAY, wording=str))


def test_the_view_before_is_left_as_it_is(few: Records, view: View, before: Snapshot) -> None:
    earlier = told(before)
    for change in CHANGES.values():
        _ = told(update(before, view(change(few))))
    assert told(before) == earlier


def test_what_is_the_same_is_taken_over(few: Records, view: View, before: Snapshot) -> None:
    copied = Records.of({name: {k: v.model_copy() for k, v in few.table(name).items()} for name in RECORD_TYPES})
    made = update(before, view(copied))
    assert dict(made.layers) == dict(before.layers)
    assert made.stakes is before.stakes
    made = update(before, view(CHANGES["a strike is added"](copied)))
    assert made.asset_index is before.asset_index
    assert made.collections["countries"].shapes is before.collections["countries"].shapes
    assert made.collections["strikes"] is not before.collections["strikes"]
    assert update(before, view(share(copied))).stakes is not before.stakes
