"""What other programs edit is counted, and what this one does is not."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from layers.geopackage import geopackage
from layers.model.records import Records
from layers.store.create import EDIT_COUNTER
from layers.store.store import ANY, Edit, Store


@pytest.fixture
def store(records: Records, tmp_path: Path) -> Store:
    made = Store.create(tmp_path / "atlas.gpkg")
    made.load(records, author="test")
    return made


def by_another(path: Path, statement: str, *values: object) -> None:
    """Run a statement as another program would, with nothing but the functions that any GIS brings."""
    connection = sqlite3.connect(path)
    geopackage.register_functions(connection)
    with connection:
        connection.execute(statement, values)
    connection.close()


def test_our_own_changes_are_not_counted(store: Store, records: Records) -> None:
    assert store.edited_by_others() == 0
    key, strike = next(iter(records.strikes.items()))
    store.write(Edit("strikes", key, strike.model_copy(update={"title": "Another"}), ANY), author="test")
    store.write(Edit("strikes", key, strike.model_copy(update={"title": "Another"}), ANY), author="test")
    decision = next(iter(records.decisions.values())).model_copy(update={"id": "d-new"})
    store.append("decisions", decision, author="test")
    assert store.edited_by_others() == 0
    assert store.seq() > 0


def test_each_row_that_another_program_changes_is_counted(store: Store, records: Records) -> None:
    keys = list(records.strikes)[:3]
    by_another(store.path, "UPDATE strikes SET title = 'Mended' WHERE id IN (?, ?)", *keys[:2])
    assert store.edited_by_others() == 2
    by_another(store.path, "DELETE FROM claims WHERE id = ?", next(iter(records.claims)))
    assert store.edited_by_others() == 3
    columns = "publisher, dataset, private"
    by_another(
        store.path,
        f"INSERT INTO sources (id, url, {columns}) SELECT 'new', 'https://a.b', {columns} FROM sources LIMIT 1",
    )
    assert store.edited_by_others() == 4


def test_an_older_store_is_counted_from_now_on(store: Store) -> None:
    connection = sqlite3.connect(store.path)
    with connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE name LIKE '%_counted_%'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(f"DROP TABLE {EDIT_COUNTER}")
    connection.close()
    assert store.edited_by_others() is None
    store.count_edits()
    assert store.edited_by_others() == 0
    store.count_edits()
    by_another(store.path, "UPDATE strikes SET title = 'Mended' WHERE fid = 1")
    assert store.edited_by_others() == 1


def test_sizes_are_numbers_of_records(store: Store, records: Records) -> None:
    assert store.count("strikes", "assets") == len(records.strikes) + len(records.assets)
    with pytest.raises(ValueError, match="does not belong"):
        store.count("sqlite_master")
