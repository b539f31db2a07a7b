"""Observations of heat in a store: loaded, replaced, removed with their source, proved by history, copied, restored."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pyogrio
import pytest

from layers.model.heat import NO_HEAT, HeatColumns
from layers.model.records import Records, Source
from layers.store.backup import back_up, restore
from layers.store.history_chain import COLUMNS, EMPTY, first_break
from layers.store.store import ANY, Edit, Store, StoreError
from layers.store.upgrade import upgrade
from tests.layers.load_builders import of, source, strike
from tests.layers.store.test_upgrade import AT, CHAINED, built, content
from tests.store_kinds import REFUSED, NewStore, by_another, geopackage_only

NAN = float("nan")


def observed(*minutes: int, lon: float = 30.75) -> HeatColumns:
    """Observations at some minutes, with every class and a missing value of each kind among them."""
    n = len(minutes)
    values = ([lon] * n, [46.5] * n, [1 + i % 5 for i in range(n)], [265.3] * n, [i % 3 for i in range(n)])
    return HeatColumns.of(minutes, *values, [NAN if i % 2 else 12.6 for i in range(n)], [i % 5 - 1 for i in range(n)])


MANY = observed(*range(29_000_000, 29_000_020))
FEW = observed(29_000_007)


def source_of(heat: HeatColumns, dataset: str = "firms/a") -> Source:
    return Source(id=f"{dataset}/firms", dataset=dataset, publisher="NASA FIRMS", title=f"SHA-256 {heat.digest()}")


def load(store: Store, heat: HeatColumns, dataset: str = "firms/a") -> None:
    record = source_of(heat, dataset)
    store.load(of(record), author="Ann", heat=(record, heat))


def codes(store: Store) -> list[str]:
    return [finding.code for finding in store.verify()]


@pytest.fixture
def store(new_store: NewStore) -> Store:
    made = new_store()
    made.load(of(source("o/s", "o"), strike("o/1", "o")), author="Ann")
    return made


def test_what_was_loaded_is_read_again(store: Store) -> None:
    load(store, MANY)
    assert store.heat().digest() == store.heat("firms/a").digest() == MANY.digest()
    assert store.heat_loads() == {"firms/a": (20, MANY.digest())}
    assert len(store.heat("firms/b")) == 0
    assert codes(store) == []


def test_a_load_is_one_change_that_history_proves(store: Store) -> None:
    before = store.seq()
    load(store, MANY)
    (revision,) = store.revisions(before)
    assert (revision.table, revision.record) == ("sources", "firms/a/firms")
    assert MANY.digest() in str(revision.after)
    with store.reading() as connection:
        assert first_break(EMPTY, connection.execute(f"SELECT {COLUMNS} FROM history ORDER BY seq")) == store.head()


def test_a_newer_load_replaces_its_own_dataset_alone(store: Store) -> None:
    load(store, MANY)
    load(store, observed(5, 6), "firms/b")
    load(store, FEW)
    assert store.heat("firms/a").digest() == FEW.digest()
    assert [count for count, _ in store.heat_loads().values()] == [1, 2]
    assert len(store.heat()) == 3
    assert codes(store) == []


def test_what_two_datasets_have_is_there_once(store: Store) -> None:
    load(store, MANY)
    load(store, MANY, "firms/b")
    assert store.heat().digest() == MANY.digest()


def test_a_load_that_fails_leaves_the_observations_as_they_were(store: Store) -> None:
    load(store, MANY)
    record = source_of(FEW)

    def fail(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.load(of(record), author="Ann", heat=(record, FEW), progress=fail)
    assert store.heat().digest() == MANY.digest()


def test_observations_go_with_their_source(store: Store) -> None:
    load(store, MANY)
    load(store, FEW, "firms/b")
    store.write(Edit("sources", "firms/a/firms", None, ANY), author="Ann")
    assert (len(store.heat("firms/a")), len(store.heat())) == (0, 1)
    # Another load under the same name, of a format that brings no observations.
    store.load(of(source("firms/b/s", "firms/b")), author="Ann")
    assert (len(store.heat()), store.heat_loads()) == (0, {})
    assert codes(store) == []


def test_another_program_removes_them_with_the_source_too(store: Store) -> None:
    load(store, MANY)
    by_another(store, "DELETE FROM sources WHERE id = 'firms/a/firms'")
    assert store.record_external_edits() == 1
    assert (len(store.heat()), codes(store)) == (0, [])


def test_those_of_a_private_dataset_are_not_read_with_the_others(store: Store) -> None:
    load(store, MANY)
    store.make_private("firms/a", author="Ann", why="for us alone")
    assert (len(store.heat()), store.heat_loads()) == (0, {})
    assert len(store.heat("firms/a")) == 20
    assert codes(store) == []
    load(store, FEW)
    assert (len(store.heat()), len(store.heat("firms/a"))) == (0, 1)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM heat_observations WHERE fid = 3",
        "UPDATE heat_observations SET lon = lon + 1 WHERE fid = 3",
        "UPDATE heat_observations SET sensor = 'another' WHERE fid = 3",
        "UPDATE heat_observations SET \"at\" = '2030-01-01T00:00:00Z' WHERE fid = 3",
        "UPDATE heat_observations SET dataset = 'firms/z'",
        "INSERT INTO heat_observations SELECT 99, 'firms/z', \"at\", lon, lat, sensor, radius_m, confidence, frp_mw, "
        "type FROM heat_observations WHERE fid = 3",
        "UPDATE heat_loads SET sha256 = 'f'",
        "DELETE FROM heat_loads",
    ],
)
def test_observations_that_are_not_those_of_history_are_found(store: Store, statement: str) -> None:
    load(store, MANY)
    by_another(store, statement)
    assert set(codes(store)) == {"verification.heat"}
    load(store, MANY)  # mends what can be mended so
    assert set(codes(store)) == ({"verification.heat"} if "firms/z" in statement else set())


@pytest.mark.parametrize(
    "values",
    [
        "lon = 181", "lat = -91", "lat = NULL", "radius_m = 'wide'", "confidence = 'sure'", "type = 4",
        "frp_mw = 'strong'", "\"at\" = 'noon'", "\"at\" = '9999-01-01T00:00:00Z'", "sensor = NULL",
    ],
)  # fmt: skip
def test_no_program_can_write_what_is_no_observation(store: Store, values: str) -> None:
    load(store, MANY)
    with pytest.raises(REFUSED):
        by_another(store, f"UPDATE heat_observations SET {values} WHERE fid = 3")


@geopackage_only
def test_gdal_reads_them(store: Store, tmp_path: Path) -> None:
    load(store, MANY)
    seen = pyogrio.read_dataframe(back_up(store, tmp_path / "copy.gpkg").path, layer="heat_observations")
    assert len(seen) == 20
    assert seen["at"][0].isoformat() == "2025-02-19T21:20:00+00:00"
    assert seen["frp_mw"].isna().sum() == 10


@geopackage_only
def test_a_backup_has_them(store: Store, tmp_path: Path) -> None:
    load(store, MANY)
    copy = Store.open(back_up(store, tmp_path / "copy.gpkg").path)
    assert copy.heat().digest() == MANY.digest()
    assert codes(copy) == []


@geopackage_only
def test_a_restored_store_has_those_that_its_history_tells_of(store: Store, tmp_path: Path) -> None:
    load(store, MANY)
    at_first = store.seq()
    load(store, observed(5, 6), "firms/b")
    before = store.seq()
    load(store, FEW)

    def restored(to: int | None) -> Store:
        path = tmp_path / f"{to}.gpkg"
        restore(store, path, lambda seq, records: (), to=to)
        return Store.open(path)

    now, then, first = restored(None), restored(before), restored(at_first)
    assert now.heat().digest() == store.heat().digest()
    # Those of then that were replaced since are gone; the others are as they were.
    assert {dataset: count for dataset, (count, _) in then.heat_loads().items()} == {"firms/b": 2}
    assert len(first.heat()) == 0
    assert [codes(one) for one in (now, then, first)] == [[], [], []]
    load(then, MANY)
    assert len(then.heat("firms/a")) == 20


@pytest.mark.parametrize("commit", CHAINED)
def test_an_upgraded_store_takes_them(tmp_path: Path, commit: str) -> None:
    path = built(commit, tmp_path)
    upgrade(path, AT)
    store = Store.open(path)
    assert store.heat().digest() == NO_HEAT.digest()
    load(store, MANY)
    assert store.heat().digest() == MANY.digest()
    assert codes(store) == []


def test_a_file_with_a_table_of_the_name_is_left_as_it_is(tmp_path: Path) -> None:
    path = built(next(iter(CHAINED)), tmp_path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE heat_observations (mine)")
    before = content(path)
    with pytest.raises(StoreError, match="heat_observations"):
        upgrade(path, AT)
    assert content(path) == before


def test_records_alone_leave_them(store: Store) -> None:
    load(store, MANY)
    store.load(of(strike("o/2", "o"), source("o/s", "o")), author="Ann")
    assert store.heat().digest() == MANY.digest()
    assert isinstance(store.records(), Records)
