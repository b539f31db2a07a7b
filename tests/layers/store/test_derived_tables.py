"""After an edit the layers that are kept in the store are those that a load would have made, in one transaction."""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import shapely
from starlette.testclient import TestClient

from api.app import create_app
from api.requests import reviewer_tokens
from api.settings import Settings
from api.wording.catalogue import text
from layers.model.records import Decision, Identity, Records
from layers.reference import basemap as basemaps
from layers.reference.basemap import Basemap
from layers.snapshot.derived_layers import full_rewrite, incremental_rewrite
from layers.snapshot.snapshot import Snapshot
from layers.store.row_mapping import TABLES
from layers.store.store import DerivedUpdate, Edit, Store
from tests.api.conftest import feature
from tests.conftest import BASEMAP
from tests.store_kinds import NewStore, is_file, new_geopackages, raw, write_layer

STRIKE, OTHER = "ru-cpc-kropotkinskaya-2025-02-17", "ua-orlivka-2025-08-06"
LAYERS = ("attributions", "matches")
Rows = dict[str, Any]


def layers(store: Store) -> Rows:
    """All that the store holds of the layers but the order of their rows; of a file its extents and indexes too."""
    found: Rows = {}
    with raw(store) as program:
        for name in LAYERS:
            rows = program.execute(f"SELECT * FROM {name}").fetchall()
            found[name] = sorted((tuple(row)[1:] for row in rows), key=repr)
    if not is_file(store):
        return found
    with closing(sqlite3.connect(store.path)) as connection:
        for name in LAYERS:
            extent = "SELECT min_x, min_y, max_x, max_y FROM gpkg_contents WHERE table_name = ?"
            found[f"extent of {name}"] = connection.execute(extent, (name,)).fetchone()
        index = "SELECT geometry, minx, maxx, miny, maxy FROM attributions LEFT JOIN rtree_attributions_geometry r "
        boxes = connection.execute(f"{index} ON r.id = fid").fetchall()
        found["index"] = sorted(boxes, key=repr)
    return found


def kept(store: Store) -> dict[str, dict[int, str]]:
    """The number of each row, and its strike."""
    with closing(sqlite3.connect(store.path)) as connection:
        return {name: dict(connection.execute(f"SELECT fid, strike FROM {name}")) for name in LAYERS}


def fresh(store: Store, base: Basemap, new: NewStore) -> Rows:
    """The same of a new store that the records of this one are loaded into."""
    with closing(new()) as made:
        made.load(store.records(), author="tests", derive=full_rewrite(base, text))
        return layers(made)


def known(store: Store, base: Basemap) -> DerivedUpdate:
    seq, records = store.version()
    return incremental_rewrite(Snapshot.of(records, base, seq, date(2026, 11, 25), wording=text), records)


@pytest.fixture
def own(few_records: Records, base: Basemap, tmp_path: Path) -> Iterator[Store]:
    store = Store.create(tmp_path / "atlas.gpkg")
    store.load(few_records, author="tests", derive=full_rewrite(base, text))
    yield store
    store.close()


def changed(store: Store, key: str, **values: Any) -> Edit:
    before = store.records().strikes[key]
    return Edit(
        "strikes", key, before.model_copy(update=values), TABLES["strikes"].version(before, store.version_key())
    )


def added(store: Store, **values: Any) -> Edit:
    one = store.records().strikes[STRIKE].model_copy(update={"id": "new-one", "dataset": "review", **values})
    return Edit("strikes", "new-one", one, None)


def decided(verdict: str, asset: str | None = None, **values: Any) -> Decision:
    given = {"id": f"review/{verdict}", "dataset": "review", "strike": STRIKE, "asset": asset, "verdict": verdict}
    return Decision.model_validate({**given, "who": "Ann", "when": "2026-11-25", "why": "read", **values})


def write(*edits: Callable[[Store], Edit]) -> Callable[[Store, DerivedUpdate], object]:
    return lambda store, renewing: store.write(*(one(store) for one in edits), author="Ann", derived=renewing)


def append(decision: Decision) -> Callable[[Store, DerivedUpdate], object]:
    return lambda store, renewing: store.append("decisions", decision, author="Ann", derived=renewing)


EDITS: dict[str, Callable[[Store, DerivedUpdate], object]] = {
    "nothing": write(lambda store: changed(store, STRIKE)),
    "a title": write(lambda store: changed(store, STRIKE, title="Another")),
    "a day": write(lambda store: changed(store, STRIKE, when="2024-01")),
    "a place": write(lambda store: changed(store, STRIKE, geometry=shapely.Point(30, 50))),
    "a place at the edge": write(lambda store: changed(store, STRIKE, geometry=shapely.Point(-170, -80))),
    "no place": write(lambda store: changed(store, STRIKE, geometry=None)),
    "retracted": write(lambda store: changed(store, STRIKE, status="retracted")),
    "a strike more": write(added),
    "two at once": write(added, lambda store: changed(store, OTHER, title="Another")),
    "none of these": append(decided("none")),
    "it was no strike": append(decided("not-a-strike")),
    "another asset": append(decided("possible", "a-orlivka")),
    "an asset": write(
        lambda store: Edit(
            "assets",
            "a-orlivka",
            store.records().assets["a-orlivka"].model_copy(update={"geometry": shapely.Point(40, 45)}),
            TABLES["assets"].version(store.records().assets["a-orlivka"], store.version_key()),
        )
    ),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_after_an_edit_the_layers_are_those_of_a_load(
    own: Store, base: Basemap, tmp_path: Path, edit: Callable[[Store, DerivedUpdate], object]
) -> None:
    edit(own, known(own, base))
    assert layers(own) == fresh(own, base, new_geopackages(tmp_path))


def test_what_was_added_is_gone_with_its_rows(own: Store, base: Basemap) -> None:
    """Also where it was what made the extent as wide as it is."""
    before = layers(own)
    edit = added(own, geometry=shapely.Point(-170, -80))
    own.write(edit, author="Ann", derived=known(own, base))
    assert layers(own)["extent of attributions"][:2] == (-170, -80)
    assert edit.record is not None
    seen = TABLES["strikes"].version(edit.record, own.version_key())
    own.write(Edit("strikes", "new-one", None, seen), author="Ann", derived=known(own, base))
    assert layers(own) == before


def test_only_rows_of_touched_strikes_are_written(own: Store, base: Basemap) -> None:
    before = kept(own)
    own.append("decisions", decided("none"), author="Ann", derived=known(own, base))
    for name, rows in kept(own).items():
        assert {fid: one for fid, one in rows.items() if one != STRIKE} == {
            fid: one for fid, one in before[name].items() if one != STRIKE
        }
        assert not {fid for fid, one in rows.items() if one == STRIKE} & before[name].keys()


def test_what_others_wrote_meanwhile_is_renewed_with_it(own: Store, base: Basemap, tmp_path: Path) -> None:
    before = known(own, base)
    own.write(changed(own, OTHER, title="Of somebody else"), author="Ben")
    own.append("decisions", decided("none"), author="Ann", derived=before)
    assert layers(own) == fresh(own, base, new_geopackages(tmp_path))


@pytest.mark.parametrize("pair", [(STRIKE, OTHER), ("socar", "bp")])
def test_what_is_one_changes_all_that_follows(own: Store, base: Basemap, tmp_path: Path, pair: tuple[str, str]) -> None:
    one, other = pair
    judged = {"id": "review/one", "dataset": "review", "one": one, "other": other, "verdict": "same"}
    record = Identity.model_validate({**judged, "who": "Ann", "when": "2026-11-25", "why": "read"})
    before = layers(own)
    own.append("identities", record, author="Ann", derived=known(own, base))
    assert layers(own) == fresh(own, base, new_geopackages(tmp_path))
    assert layers(own) != before


def test_layers_that_are_not_there_are_left_to_the_next_load(
    few_records: Records, base: Basemap, tmp_path: Path
) -> None:
    store = Store.create(tmp_path / "atlas.gpkg")
    store.load(few_records, author="tests")
    store.append("decisions", decided("none"), author="Ann", derived=known(store, base))
    with closing(sqlite3.connect(store.path)) as connection:
        listed = {name for (name,) in connection.execute("SELECT table_name FROM gpkg_contents")}
    assert not listed & set(LAYERS)


def test_layers_with_other_columns_are_made_anew(own: Store, base: Basemap, tmp_path: Path) -> None:
    store = own
    write_layer(store, "matches", {"strike": "TEXT"}, [("x",)], geometry=False)
    store.append("decisions", decided("none"), author="Ann", derived=known(store, base))
    assert layers(store) == fresh(store, base, new_geopackages(tmp_path))


@pytest.mark.parametrize("which", ["touched_rows", "all_rows"])
def test_where_they_cannot_be_renewed_nothing_is_written(own: Store, base: Basemap, which: str) -> None:
    def fail(seq: int, records: Records, *_: object) -> Iterator[Any]:
        yield from full_rewrite(base, text)(seq, records)
        raise RuntimeError("in the middle")

    before, seq = layers(own), own.seq()
    failing = dataclasses.replace(known(own, base), **{"touched_rows": lambda *_: None, which: fail})
    with pytest.raises(RuntimeError, match="in the middle"):
        own.append("decisions", decided("none"), author="Ann", derived=failing)
    with pytest.raises(RuntimeError, match="in the middle"):
        own.write(changed(own, STRIKE, title="Another"), author="Ann", derived=failing)
    assert (layers(own), own.seq()) == (before, seq)
    assert "review/none" not in own.records().decisions


def test_what_is_written_by_the_api_is_in_the_layers(
    own: Store, whole_base: Basemap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(basemaps, "read", lambda path: whole_base)
    file = tmp_path / "reviewers.json"
    ann = {"Authorization": f"Bearer {reviewer_tokens.add_reviewer(file, 'Ann')}"}
    settings = Settings(basemap=BASEMAP, reviewers=file, follow_every_s=0, publish_from=0.99)
    with TestClient(create_app(own, settings)) as client:
        path = "/collections/strikes/items"
        made = client.post(path, json=feature(), headers=ann)
        assert made.status_code == 201
        assert layers(own) == fresh(own, whole_base, new_geopackages(tmp_path))
        address = f"{path}/{made.json()['id']}"
        moved = feature(geometry=(28.4, 45.3))
        assert client.put(address, json=moved, headers={**ann, "if-match": "*"}).status_code == 200
        seen = list(own.records().decisions.values())
        newest = next((one.id for one in reversed(seen) if one.strike == OTHER), None)
        decision = {"strike": OTHER, "verdict": "unsure", "why": "read", "seen": newest}
        assert client.post("/review/decisions", json=decision, headers=ann).status_code == 201
        assert layers(own) == fresh(own, whole_base, new_geopackages(tmp_path))
        assert client.delete(address, headers={**ann, "if-match": "*"}).status_code == 204
        assert layers(own) == fresh(own, whole_base, new_geopackages(tmp_path))
