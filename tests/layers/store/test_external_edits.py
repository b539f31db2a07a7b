"""Edits of other programs become rows of history, and nothing else does."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layers.geopackage import geopackage
from layers.model.records import Records
from layers.store.external_edits import AUTHOR
from layers.store.history_pages import HistoryRow
from layers.store.row_mapping import TABLES
from layers.store.store import ANY, Edit, ExpectedLatest, StaleVersion, Store, StoreError
from tests.layers.store.store_killed import strikes
from tests.store_kinds import NewStore, by_another, geopackage_only, write_layer


@pytest.fixture
def store(few_records: Records, new_store: NewStore) -> Store:
    made = new_store()
    made.load(few_records, author="test")
    return made


def recorded(store: Store) -> list[HistoryRow]:
    """Have what was edited recorded, and give the rows of history that tell of it."""
    before = store.seq()
    count = store.record_external_edits()
    rows = list(store.revisions(before))
    assert len(rows) == count
    assert {row.author for row in rows} <= {AUTHOR}
    assert store.last_external_edit() == 0
    return rows


def test_our_own_changes_are_not_those_of_another_program(store: Store, few_records: Records) -> None:
    key, strike = next(iter(few_records.strikes.items()))
    store.write(Edit("strikes", key, strike.model_copy(update={"title": "Another"}), ANY), author="test")
    store.write(Edit("strikes", key, strike.model_copy(update={"title": "Another"}), ANY), author="test")
    decision = next(iter(few_records.decisions.values())).model_copy(update={"id": "d-new"})
    store.append("decisions", decision, author="test")
    assert store.last_external_edit() == 0
    assert recorded(store) == []


def test_each_record_that_another_program_changes_becomes_a_row(store: Store, few_records: Records) -> None:
    keys = list(few_records.strikes)[:2]
    by_another(store, "UPDATE strikes SET title = 'Mended' WHERE id IN (?, ?)", *keys)
    rows = recorded(store)
    assert {(row.table, row.record) for row in rows} == {("strikes", key) for key in keys}
    for row in rows:
        was = TABLES["strikes"].to_dict(few_records.strikes[row.record])
        assert (row.before, row.after) == (was, {**was, "title": "Mended"})

    claim = next(iter(few_records.claims))
    by_another(store, "DELETE FROM claims WHERE id = ?", claim)
    (row,) = recorded(store)
    assert (row.table, row.record, row.after) == ("claims", claim, None)
    assert row.before == TABLES["claims"].to_dict(few_records.claims[claim])

    columns = "publisher, dataset, private"
    by_another(
        store,
        f"INSERT INTO sources (id, url, {columns}) SELECT 'new', 'https://a.b', {columns} FROM sources LIMIT 1",
    )
    (row,) = recorded(store)
    assert (row.table, row.record, row.before) == ("sources", "new", None)
    assert row.after == TABLES["sources"].to_dict(store.records().sources["new"])


def test_the_time_is_that_at_which_it_was_recorded(store: Store) -> None:
    by_another(store, "UPDATE strikes SET title = 'Mended' WHERE fid = 1")
    at = datetime(2150, 8, 9, 12, tzinfo=UTC)
    assert store.record_external_edits(at=at) == 1
    assert store.head().at == "2150-08-09T12:00:00.000Z"


def test_it_is_no_earlier_than_that_of_the_change_before(store: Store) -> None:
    by_another(store, "UPDATE strikes SET title = 'Mended' WHERE fid = 1")
    before = store.head().at
    assert store.record_external_edits(at=datetime(2025, 8, 9, 12, tzinfo=UTC)) == 1
    assert store.head().at == before


def test_what_is_as_history_has_it_is_no_row(store: Store) -> None:
    by_another(store, "UPDATE strikes SET title = title")
    by_another(store, "UPDATE strikes SET title = 'x' WHERE fid = 1")
    by_another(store, "INSERT INTO sources (id, publisher, dataset, private) VALUES ('gone', 'P', 'd', FALSE)")
    by_another(store, "DELETE FROM sources WHERE id = 'gone'")
    (title,) = [row.after["title"] for row in store.revisions() if row.table == "strikes" and row.after][:1]
    by_another(store, "UPDATE strikes SET title = ? WHERE fid = 1", title)
    assert store.last_external_edit() > 0
    assert recorded(store) == []


REPLACED = "INSERT OR REPLACE INTO sources (fid, id, publisher, dataset, private) VALUES (1, 'other', 'P', 'd', 0)"


@geopackage_only
@pytest.mark.parametrize(
    ("statement", "gone", "there"),
    [
        ("UPDATE sources SET id = 'renamed' WHERE fid = 1", {1}, {"renamed"}),
        (REPLACED, {1}, {"other"}),
        ("UPDATE OR REPLACE sources SET fid = 2 WHERE fid = 1", {2}, set()),
        ("UPDATE OR REPLACE sources SET rowid = 2 WHERE fid = 1", {2}, set()),
        ("UPDATE OR REPLACE sources SET id = (SELECT id FROM sources WHERE fid = 2) WHERE fid = 1", {1}, {2}),
        (
            "INSERT INTO sources SELECT * FROM sources WHERE fid = 1 ON CONFLICT (fid) DO UPDATE SET id = 'x'",
            {1},
            {"x"},
        ),
        ("DELETE FROM sources WHERE fid < 3", {1, 2}, set()),
    ],
)
def test_rows_that_are_replaced_or_renamed_are_told_by_both_ids(
    store: Store, statement: str, gone: set[int], there: set[str | int]
) -> None:
    ids = dict(enumerate(store.records().sources, 1))
    by_another(store, statement)
    rows = recorded(store)
    assert {row.record for row in rows if row.after is None} == {ids[fid] for fid in gone}
    named = {ids[key] if isinstance(key, int) else key for key in there}
    assert {row.record for row in rows if row.after is not None} == named


@geopackage_only
@pytest.mark.parametrize(
    ("statement", "column", "value"),
    [
        ("UPDATE entities SET registered_in = 'Azerbaijan' WHERE fid = 1", "registered_in", "Azerbaijan"),
        ("UPDATE entities SET names = '{' WHERE fid = 1", "names", "{"),
        ("UPDATE entities SET name = x'00ff' WHERE fid = 1", "name", "00ff"),
        ("UPDATE entities SET joint = NULL WHERE fid = 1", "joint", None),
        ("UPDATE entities SET joint = 'perhaps' WHERE fid = 1", "joint", "perhaps"),
    ],
)
def test_what_is_no_valid_record_is_recorded_and_refused_when_it_is_read(
    store: Store, few_records: Records, statement: str, column: str, value: object
) -> None:
    by_another(store, statement)
    (row,) = recorded(store)
    assert row.after is not None
    assert row.after[column] == value
    with pytest.raises(StoreError):
        store.records()
    store.load(few_records, author="test")
    assert store.records() == few_records
    assert recorded(store) == []


def test_null_in_a_column_of_lists_or_texts_by_language_is_read_as_none(store: Store, few_records: Records) -> None:
    by_another(store, "UPDATE strikes SET titles = NULL, places = NULL, weapons = NULL WHERE fid = 1")
    by_another(store, "UPDATE entities SET names = NULL, aliases = NULL WHERE fid = 1")
    strike, entity = (next(iter(table)) for table in (few_records.strikes, few_records.entities))
    for _ in range(2):  # before history tells of it, and after
        found = store.records()
        one, owner = found.strikes[strike], found.entities[entity]
        assert (one.titles, one.places, one.weapons, owner.names, owner.aliases) == ({}, {}, (), {}, ())
        rows = {row.record: row.after for row in recorded(store)}
    assert not rows
    store.load(few_records, author="test")
    assert store.records() == few_records


@geopackage_only
def test_text_that_is_no_utf_8_is_recorded_by_its_bytes(store: Store, few_records: Records) -> None:
    by_another(store, "UPDATE entities SET name = CAST(x'61ff' AS TEXT) WHERE fid = 1")
    (row,) = recorded(store)
    assert row.after is not None
    assert row.after["name"] == "a\\xff"
    with pytest.raises(StoreError, match="UTF-8 column 'name'"):
        store.records()
    by_another(store, "UPDATE entities SET name = ? WHERE fid = 1", few_records.entities[row.record].name)
    assert len(recorded(store)) == 1
    assert store.records() == few_records


@geopackage_only
def test_an_id_that_is_no_text_is_recorded_once(store: Store) -> None:
    by_another(store, "INSERT INTO sources (id, publisher, dataset, private) VALUES (x'c3ff', 'P', 'd', 0)")
    (row,) = recorded(store)
    assert (row.record, row.before) == ("c3ff", None)
    by_another(store, "UPDATE sources SET publisher = publisher WHERE id = x'c3ff'")
    assert recorded(store) == []
    by_another(store, "DELETE FROM sources WHERE id = x'c3ff'")
    (row,) = recorded(store)
    assert (row.record, row.after) == ("c3ff", None)


def test_a_write_that_had_not_seen_an_edit_is_refused_and_the_edit_is_history(
    store: Store, few_records: Records
) -> None:
    seen = store.seq()
    by_another(store, "UPDATE strikes SET title = 'Mended' WHERE fid = 1")
    with pytest.raises(StaleVersion):
        store.load(few_records, author="test", seen=seen)
    assert [row.author for row in store.revisions(seen)] == [AUTHOR]
    assert store.load(few_records, author="test", seen=seen + 1).changed["strikes"] == 1
    assert store.records() == few_records


@pytest.mark.parametrize(
    "write",
    [
        lambda store, new: store.append("decisions", new, author="test"),
        lambda store, new: store.append("decisions", new, author="test", seen=ExpectedLatest("strike", "none", None)),
        lambda store, new: store.write(Edit("decisions", new.id, new, None), author="test"),
        lambda store, _new: write_layer(store, "matches", {"a": "TEXT"}, [], geometry=False),
    ],
)
def test_every_write_records_them_first(store: Store, few_records: Records, write: Callable[..., object]) -> None:
    seq = store.seq()
    by_another(store, "UPDATE strikes SET title = 'Mended' WHERE fid = 1")
    by_another(store, "UPDATE strikes SET note = 'Mended' WHERE fid = 1")
    write(store, next(iter(few_records.decisions.values())).model_copy(update={"id": "d-new", "strike": "none"}))
    first, *others = store.revisions(seq)
    assert (first.author, first.table) == (AUTHOR, "strikes")
    assert {row.author for row in others} <= {"test"}


def test_an_edit_is_told_apart_from_the_next_where_nothing_can_be_written(store: Store) -> None:
    numbers = []
    for title in ("one", "two"):
        by_another(store, "UPDATE strikes SET title = ? WHERE fid = 1", title)
        numbers.append(store.last_external_edit())
    recorded(store)
    by_another(store, "UPDATE strikes SET title = 'three' WHERE fid = 1")
    numbers.append(store.last_external_edit())
    assert sorted({*numbers}) == numbers


@geopackage_only
def test_the_triggers_need_nothing_that_sqlite_lacks(store: Store) -> None:
    connection = sqlite3.connect(store.path)
    with connection:
        # Of the tables with geometry SQLite alone can remove rows only, as a GeoPackage's spatial index has it.
        connection.execute("DELETE FROM strikes WHERE fid = 1")
        connection.execute("UPDATE claims SET value = 'Mended' WHERE fid = 1")
        connection.execute("INSERT INTO sources (id, publisher, dataset, private) VALUES ('new', 'P', 'd', 0)")
    connection.close()
    assert {row.table for row in recorded(store)} == {"strikes", "claims", "sources"}


def test_a_write_that_is_cut_short_leaves_edits_of_others_noted(store: Store, few_records: Records) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.load(few_records, author="test", progress=stop)
    by_another(store, "UPDATE strikes SET title = 'Mended' WHERE fid = 1")
    assert len(recorded(store)) == 1


@geopackage_only
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anything")
def test_a_file_that_cannot_be_written_says_so(store: Store) -> None:
    by_another(store, "UPDATE strikes SET title = 'Mended' WHERE fid = 1")
    store.close()
    store.path.chmod(0o444)
    with pytest.raises(StoreError):
        store.record_external_edits()


STATEMENTS = (
    "UPDATE strikes SET title = 'b' WHERE fid = {a}",
    "UPDATE strikes SET id = 'k-{b}' WHERE fid = {a}",
    "UPDATE OR REPLACE strikes SET fid = {b} WHERE fid = {a}",
    "UPDATE OR REPLACE strikes SET id = 'k-{b}' WHERE fid = {a}",
    "DELETE FROM strikes WHERE fid = {a}",
    "INSERT OR REPLACE INTO strikes SELECT * FROM strikes WHERE fid = {a}",
    'INSERT OR REPLACE INTO strikes (fid, id, title, place, status, sources, checked, "when") '
    "VALUES ({a}, 'k-{b}', 'c', 'P', 'draft', '[]', 'read', '2025')",
)
statements = st.builds(
    lambda statement, a, b: statement.format(a=a, b=b),
    st.sampled_from(STATEMENTS),
    st.integers(1, 6),
    st.integers(0, 6),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(statements, max_size=4), max_size=3))
def test_history_leads_to_what_is_there_whatever_is_edited(tmp_path: Path, batches: Sequence[Sequence[str]]) -> None:
    for file in tmp_path.glob("atlas.gpkg*"):
        file.unlink()
    store = Store.create(tmp_path / "atlas.gpkg")
    store.load(strikes(5, "a"), author="test")
    connection = sqlite3.connect(store.path, isolation_level=None)
    geopackage.register_functions(connection)
    for batch in batches:
        for statement in batch:
            with suppress(sqlite3.IntegrityError):
                connection.execute(statement)
        store.record_external_edits()
    table = TABLES["strikes"]
    names = ", ".join(map(geopackage.quote, table.declarations))
    rows = map(table.plain_row, connection.execute(f"SELECT {names} FROM strikes").fetchall())
    connection.close()
    replayed = {row.record: row.after for row in store.revisions() if row.table == "strikes"}
    assert {key: after for key, after in replayed.items() if after} == {row["id"]: row for row in rows}
    store.close()


def test_sizes_are_numbers_of_records(store: Store, few_records: Records) -> None:
    assert store.count("strikes", "assets") == len(few_records.strikes) + len(few_records.assets)
    with pytest.raises(ValueError, match="does not belong"):
        store.count("sqlite_master")


@geopackage_only
def test_sqlite_alone_edits_what_has_no_place_and_is_refused_where_an_index_needs_functions(store: Store) -> None:
    store.close()
    key = next(iter(store.records().sources))
    with closing(sqlite3.connect(store.path)) as other:
        other.execute("UPDATE sources SET publisher = 'Another' WHERE id = ?", (key,))
        for table in ("strikes", "assets"):
            with pytest.raises(sqlite3.OperationalError, match="no such function: ST_IsEmpty"):
                other.execute(f"UPDATE {table} SET note = 'n'")
        other.commit()
    assert [(row.table, row.record) for row in recorded(store)] == [("sources", key)]
