"""A view that was kept is the one that was written, also where it is edited afterwards."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest

from layers.model.records import RECORD_TYPES, Records
from layers.reference.basemap import Basemap
from layers.snapshot import snapshot_files
from layers.snapshot.incremental import update
from layers.snapshot.snapshot import Snapshot
from layers.snapshot.table_folder import MANIFEST, TableFolderComparison, TableFolderReader, TableFolderWriter
from layers.store import reader, record_table
from layers.store.store import Store
from tests.layers.snapshot.test_renewal import CHANGES, DAY, few, small, told

__all__ = ["few", "small"]


@pytest.fixture(scope="module")
def packed(few: Records, tmp_path_factory: pytest.TempPathFactory) -> Records:
    """The records as packed tables, however few they are."""
    store = Store.create(tmp_path_factory.mktemp("packed") / "few.gpkg")
    store.load(few, author="test")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "MANY", 0)
        _, records = store.version(packed=True)
    assert all(
        isinstance(records.table(name), record_table.RecordTable) for name in RECORD_TYPES if records.table(name)
    )
    return records


@pytest.fixture(scope="module")
def written(packed: Records, small: Basemap, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(Snapshot(packed, small, 1, DAY, wording=str), tmp_path_factory.mktemp("kept"))


def write(snapshot: Snapshot, folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    writing = TableFolderWriter(folder)
    snapshot_files.write(writing, snapshot, snapshot.records)
    writing.finish()
    return folder


@pytest.fixture(params=["packed", "plain"])
def read(
    request: pytest.FixtureRequest, written: Path, small: Basemap, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], Snapshot]:
    if request.param == "packed":
        monkeypatch.setattr(snapshot_files, "MANY", 0)
    return lambda: snapshot_files.read(TableFolderReader(written), small, 0.75, 0.05, wording=str)[0]


def test_a_packed_store_is_its_records(few: Records, packed: Records) -> None:
    for name in RECORD_TYPES:
        assert dict(packed.table(name)) == dict(few.table(name)), name


def test_what_is_kept_is_what_was_written(few: Records, small: Basemap, read: Callable[[], Snapshot]) -> None:
    made, anew = read(), Snapshot.of(few, small, 1, DAY, wording=str)
    found, expected = told(made), told(anew)
    for part in expected:
        assert found[part] == expected[part], part
    assert (made.seq, made.data_date, made.publish_from, made.show_from) == (1, DAY, 0.75, 0.05)
    assert made.pending == anew.pending
    assert list(made.order) == list(anew.order)


#: Of strikes, of what they are based on, and of nothing.
EDITS = (
    "nothing",
    "a strike is added",
    "a strike is gone",
    "a strike is another day",
    "a strike is elsewhere",
    "another asset was hit",
    "a stake is another share",
    "an asset is elsewhere",
)


@pytest.mark.parametrize("change", EDITS)
def test_a_cached_snapshot_can_be_edited(
    few: Records, small: Basemap, read: Callable[[], Snapshot], change: str
) -> None:
    after = CHANGES[change](few)
    made = update(read(), Snapshot.of(after, small, 2, DAY, wording=str))
    assert told(made) == told(Snapshot.of(after, small, 2, DAY, wording=str))


def test_edits_are_taken_back(few: Records, small: Basemap, read: Callable[[], Snapshot]) -> None:
    made = read()
    for seq, change in enumerate(EDITS, 2):
        made = update(made, Snapshot.of(CHANGES[change](few), small, seq, DAY, wording=str))
    assert told(update(made, Snapshot.of(few, small, 99, DAY, wording=str))) == told(read())


def test_a_view_that_was_edited_is_kept_as_it_is(
    few: Records, small: Basemap, read: Callable[[], Snapshot], tmp_path: Path
) -> None:
    made = read()
    for seq, change in enumerate(EDITS, 2):
        made = update(made, edited(made, CHANGES[change](few), seq))
        files = TableFolderReader(write(made, tmp_path / change))
        again, _ = snapshot_files.read(files, small, 0.75, 0.05, wording=str)
        assert again.records == made.records
        assert told(again) == told(Snapshot.of(CHANGES[change](few), small, seq, DAY, wording=str)), change


@pytest.fixture(scope="module")
def stored(packed: Records) -> Records:
    """The records as they come out of a store, which sorts the names of an entity by language."""
    return Records.of({name: dict(packed.table(name)) for name in RECORD_TYPES})


def differing(folder: Path, anew: Snapshot) -> list[str]:
    """Names of files that are not those that a snapshot would be written as."""
    files = TableFolderReader(folder, is_checked=False)
    comparison = TableFolderComparison(files, snapshot_files.canonical_metadata)
    snapshot_files.write(comparison, anew, anew.records)
    comparison.finish()
    assert comparison.compared == {path.name for path in folder.iterdir()}
    harmless = snapshot_files.rows_written_otherwise(files, anew.records, comparison.differing)
    return [name for name in comparison.differing if name not in harmless]


def test_files_after_an_edit_are_those_of_a_snapshot_computed_anew(
    stored: Records, small: Basemap, read: Callable[[], Snapshot], tmp_path: Path
) -> None:
    for seq, change in enumerate(EDITS, 2):
        made = read()
        folder = write(update(made, edited(made, CHANGES[change](stored), seq)), tmp_path / change)
        assert differing(folder, Snapshot.of(CHANGES[change](stored), small, seq, DAY, wording=str)) == [], change


@pytest.mark.parametrize("place", [-1, 1 / 2, 2 / 3])
def test_a_bit_that_is_another_in_any_file_is_named(
    stored: Records, small: Basemap, written: Path, tmp_path: Path, place: float
) -> None:
    folder = shutil.copytree(written, tmp_path / "kept")
    harmed = set()
    for path in folder.iterdir():
        content = bytearray(path.read_bytes())
        if path.name != MANIFEST:
            content[-1 if place < 0 else int(place * len(content))] ^= 1
            path.write_bytes(content)
            harmed.add(path.name)
    assert len(harmed) > 50
    assert set(differing(folder, Snapshot.of(stored, small, 1, DAY, wording=str))) == harmed


def test_metadata_that_are_others_are_named(stored: Records, small: Basemap, written: Path, tmp_path: Path) -> None:
    """In a folder that has nothing else: the tests above compare the rest."""
    anew = write(Snapshot.of(stored, small, 1, DAY, wording=str), tmp_path / "anew")
    values, computed = (orjson.loads((folder / MANIFEST).read_bytes()) for folder in (written, anew))

    fixed = {"format": values.pop("format"), "tables": {}}
    for name in fixed:
        del computed[name]
    del values["tables"]

    def named(others: dict[str, Any]) -> list[str]:
        (tmp_path / MANIFEST).write_bytes(orjson.dumps(fixed | values | others))
        comparison = TableFolderComparison(TableFolderReader(tmp_path), snapshot_files.canonical_metadata)
        for name, value in computed.items():
            comparison.metadata(name, value)
        comparison.finish()
        return comparison.differing

    assert named({}) == []
    for name, value in values.items():
        is_name_of_a_table = name.endswith(".token")
        if not name.endswith(".found"):
            other = [value, 1] if name != "counts" else value[1:]
            assert named({name: other}) == ([] if is_name_of_a_table else [MANIFEST]), name
    assert named({"records.stakes.found": {"private": ["k-1"]}}) == [MANIFEST]


def edited(made: Snapshot, records: Records, seq: int) -> Snapshot:
    """The view of other records, which lie above those that were read where these are packed."""
    tables: dict[str, Any] = {}
    for name in RECORD_TYPES:
        below, table = made.records.table(name), records.table(name)
        if isinstance(below, record_table.RecordTable):
            keys = {key: key not in below for key in {*below, *table} if below.get(key) != table.get(key)}
            tables[name] = below.renewed({key: table[key] for key in table if key in keys}, keys)
        else:
            tables[name] = table
    return Snapshot.of(Records(**tables), made.basemap, seq, DAY, wording=str)


def test_owners_on_any_day(few: Records, small: Basemap, read: Callable[[], Snapshot]) -> None:
    made, anew = read(), Snapshot.of(few, small, 1, DAY, wording=str)
    for key in [*few.assets, *few.entities]:
        for day in (DAY, date(2007, 6, 1)):
            found, expected = made.owners(key, day), anew.owners(key, day)
            assert (found, found.chains) == (expected, expected.chains)
        assert made.controller(key) == anew.controller(key)


def test_a_view_stands_though_its_files_are_gone(few: Records, small: Basemap, written: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(written, tmp_path / "kept")
    made, _ = snapshot_files.read(TableFolderReader(folder), small, 0.75, 0.05, wording=str)
    shutil.rmtree(folder)
    assert told(made) == told(Snapshot.of(few, small, 1, DAY, wording=str))
    assert made.pending == Snapshot.of(few, small, 1, DAY, wording=str).pending


def test_nothing_of_nothing(small: Basemap, tmp_path: Path) -> None:
    folder = write(Snapshot(Records.of({}), small, 0, DAY, wording=str), tmp_path)
    found = told(snapshot_files.read(TableFolderReader(folder), small, 0.75, 0.05, wording=str)[0])
    assert found == told(Snapshot.of(Records.of({}), small, 0, DAY, wording=str))
