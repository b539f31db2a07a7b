"""A restored store is the store as it was after a change, table by table, or the gap in its history is named."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.model.records import Decision, Records
from layers.store import history_chain
from layers.store.backup import HistoryGap, restore
from layers.store.derived_tables import DerivedLayer
from layers.store.row_mapping import TABLES
from layers.store.store import ANY, Edit, Store, StoreError
from tests.layers.store.test_store import ALL, ASSET, DECISION, GEOMETRIES, SOURCE, STRIKE, changed, of
from tests.store_kinds import write_layer

START = datetime(2026, 1, 1, tzinfo=UTC)


def titles(seq: int, records: Records) -> Iterator[DerivedLayer]:
    """A derived layer of all strikes."""
    rows = [(f"{seq} {record.title}", record.geometry) for record in records.strikes.values()]
    yield DerivedLayer("titles", {"title": "TEXT"}, rows, True)


def tables_of(path: Path) -> dict[str, Any]:
    """Every row of every table that holds data, the next numbers of rows, and the extents."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        names = [row[0] for row in connection.execute("SELECT table_name FROM gpkg_contents ORDER BY 1")]
        rows: dict[str, Any] = {
            name: connection.execute(f'SELECT * FROM "{name}" ORDER BY 1').fetchall() for name in names
        }
        rows["sqlite_sequence"] = connection.execute(
            "SELECT name, seq FROM sqlite_sequence WHERE seq > 0 AND name != 'titles' ORDER BY 1"
        ).fetchall()
        for table in ("strikes", "assets"):
            index = f"rtree_{table}_geometry"
            rows[index] = connection.execute(f"SELECT id, minx, maxx, miny, maxy FROM {index} ORDER BY 1").fetchall()
        return rows


def state(store: Store, folder: Path) -> dict[str, Any]:
    """The tables of a store now, read from a copy."""
    copy = folder / "state.gpkg"
    copy.unlink(missing_ok=True)
    with store.reading() as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    return tables_of(copy)


@dataclass
class Run:
    """A store to which things are done, with its state after each."""

    store: Store
    folder: Path
    states: dict[int, dict[str, Any]]
    steps: int = 0

    @property
    def at(self) -> datetime:
        self.steps += 1
        return START + timedelta(hours=self.steps)

    def load(self, records: Records) -> None:
        self.store.load(records, author="load", at=self.at, derive=titles, why=f"reason {self.steps}")
        self.seen()

    def write(self, *edits: Edit) -> None:
        self.store.write(*edits, author="edit", at=self.at)
        self.derive()

    def append(self, record: Decision) -> None:
        self.store.append("decisions", record, author="Ann", at=self.at)
        self.derive()

    def derive(self) -> None:
        seq, records = self.store.version()
        for layer in titles(seq, records):
            write_layer(self.store, layer.name, layer.columns, layer.rows, layer.geometry)
        self.seen()

    def seen(self) -> None:
        self.states[self.store.seq()] = state(self.store, self.folder)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(Store.create(tmp_path / "atlas.gpkg"), tmp_path, {})


def script(run: Run) -> None:
    """Loads, edits, removals, decisions, and a record that goes and comes again."""
    run.load(ALL)
    run.write(Edit("strikes", "k", changed(STRIKE, title="Mended", geometry=GEOMETRIES[0]), ANY))
    run.write(
        Edit("strikes", "bare", None, ANY), Edit("strikes", "new", changed(STRIKE, id="new", dataset="desk"), None)
    )
    run.append(changed(DECISION, id="d2"))
    run.load(of(SOURCE, changed(STRIKE, id="late"), *(changed(ASSET, id=name) for name in ("a", "a2", "a3"))))
    run.write(Edit("strikes", "k", changed(STRIKE, title="Again"), None))
    run.write(Edit("strikes", "new", None, ANY), Edit("assets", "a3", None, ANY))


def test_each_change_of_a_run_is_restored_to_the_row(run: Run, tmp_path: Path) -> None:
    script(run)
    for seq, before in run.states.items():
        restored = restore(run.store, tmp_path / f"{seq}.gpkg", titles, to=seq)
        assert (restored.seq, restored.within) == (seq, None)
        after = tables_of(restored.path)
        assert after == {**before, "titles": after["titles"]}
        assert sorted(row[1:] for row in after["titles"]) == sorted(row[1:] for row in before["titles"])
        opened = Store.open(restored.path)
        assert opened.last_external_edit() == 0
        assert opened.seq() == seq
        opened.close()


def test_a_backup_or_a_sealed_store_is_restored_from_without_a_trace(run: Run, tmp_path: Path) -> None:
    script(run)
    run.store.close()
    before = run.store.path.read_bytes()
    source = Store.open(run.store.path, read_only=True)
    assert restore(source, tmp_path / "then.gpkg", titles, to=1).seq == 1
    source.close()
    assert run.store.path.read_bytes() == before
    assert not list(tmp_path.glob("atlas.gpkg-*"))


def test_a_time_is_that_of_the_last_change_by_then(run: Run, tmp_path: Path) -> None:
    script(run)
    seqs = sorted(run.states)
    for hours, seq in ((1, seqs[0]), (1.5, seqs[0]), (2, seqs[1]), (1000, seqs[-1])):
        target = tmp_path / f"{hours}.gpkg"
        assert restore(run.store, target, titles, to=START + timedelta(hours=hours)).seq == seq
    with pytest.raises(StoreError, match="first change is of 2026-01-01T01:00"):
        restore(run.store, tmp_path / "none.gpkg", titles, to=START)
    assert restore(run.store, tmp_path / "all.gpkg", titles).seq == seqs[-1]


def test_change_0_is_the_empty_store_and_others_than_there_are_are_refused(run: Run, tmp_path: Path) -> None:
    script(run)
    assert restore(run.store, tmp_path / "empty.gpkg", titles, to=0).at is None
    assert Store.open(tmp_path / "empty.gpkg").records() == Records.of({})
    for seq in (-1, run.store.seq() + 1):
        with pytest.raises(StoreError, match="no change"):
            restore(run.store, tmp_path / "no.gpkg", titles, to=seq)
    assert not list(tmp_path.glob("*no.gpkg*"))


def test_a_change_in_the_midst_of_a_load_is_restored_and_remarked(run: Run, tmp_path: Path) -> None:
    script(run)
    first, last = 1, min(run.states)
    restored = restore(run.store, tmp_path / "half.gpkg", titles, to=3)
    assert restored.within == (first, last)
    assert len(list(Store.open(restored.path).revisions())) == 3

    def incomplete(seq: int, records: Records) -> Iterator[DerivedLayer]:
        raise KeyError("an owner")
        yield

    with pytest.raises(StoreError, match=f"0 and {last} are whole"):
        restore(run.store, tmp_path / "no.gpkg", incomplete, to=3)
    with pytest.raises(KeyError):
        restore(run.store, tmp_path / "no.gpkg", incomplete, to=last)


def test_a_restored_store_goes_on_as_the_other_did(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run.load(ALL)
    run.write(Edit("strikes", "bare", None, ANY))
    restored = restore(run.store, tmp_path / "then.gpkg", titles)
    other = Run(Store.open(restored.path), tmp_path, {}, run.steps)
    monkeypatch.setattr(history_chain, "salts", lambda: repeat("5a" * 32))
    for each in (run, other):
        each.write(Edit("strikes", "bare", changed(STRIKE, id="bare"), None))
        each.load(of(SOURCE, STRIKE))
    assert other.states[run.store.seq()] == run.states[run.store.seq()]


def by_another(store: Store, statement: str) -> None:
    """Edit a table as QGIS would, without leaving history."""
    with store._database.writing() as connection:
        connection.execute(statement)


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("UPDATE strikes SET title = 'x' WHERE id = 'k'", "strikes k"),
        ("DELETE FROM claims WHERE id = 'c'", "claims c"),
        ("INSERT INTO sources (id, dataset, publisher) VALUES ('q', 'd', 'P')", "sources q"),
    ],
)
def test_what_another_program_edited_without_history_is_named(
    run: Run, tmp_path: Path, statement: str, named: str
) -> None:
    run.load(ALL)
    whole = run.store.seq()
    try:
        by_another(run.store, statement)
    except StoreError as error:
        pytest.skip(f"other programs cannot do that: {error}")
    if run.store.last_external_edit() == 0:
        pytest.skip("edits of other programs are history")
    with pytest.raises(HistoryGap, match=named) as refused:
        restore(run.store, tmp_path / "then.gpkg", titles, to=whole)
    assert [" ".join(record) for record in refused.value.records] == [named]
    assert not list(tmp_path.glob("*then*"))


def test_a_gap_names_so_much_of_an_id_as_an_id_may_have() -> None:
    assert str(HistoryGap(1, [("claims", "x" * 100_000)])).count("x") == 160


def test_columns_that_another_program_added_to_history_are_left_out(run: Run, tmp_path: Path) -> None:
    run.load(ALL)
    with closing(sqlite3.connect(run.store.path, isolation_level=None)) as connection:
        connection.execute('ALTER TABLE history ADD COLUMN "a""b" TEXT')
    assert restore(run.store, tmp_path / "then.gpkg", titles).seq == run.store.seq()


def test_an_id_that_is_no_text_is_named_as_a_gap(run: Run, tmp_path: Path) -> None:
    run.load(ALL)
    with closing(sqlite3.connect(run.store.path, isolation_level=None)) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f'DROP TRIGGER "{name}"')
        connection.execute("UPDATE claims SET id = CAST('c' AS BLOB) WHERE id = 'c'")
    with pytest.raises(HistoryGap, match="claims") as refused:
        restore(run.store, tmp_path / "then.gpkg", titles)
    assert ("claims", "c") in refused.value.records


def test_a_gap_before_a_known_change_of_the_same_record_does_not_matter_after_it(run: Run, tmp_path: Path) -> None:
    run.load(ALL)
    whole = run.store.seq()
    by_another(run.store, "UPDATE strikes SET title = 'x' WHERE id = 'k'")
    run.write(Edit("strikes", "k", changed(STRIKE, title="Known again"), ANY))
    assert restore(run.store, tmp_path / "now.gpkg", titles).seq == run.store.seq()
    if run.store.seq() == whole + 1:  # without a row of history for what the other program did
        with pytest.raises(HistoryGap, match="strikes k"):
            restore(run.store, tmp_path / "then.gpkg", titles, to=whole)


def test_history_of_a_program_that_knew_fewer_columns_is_replayed(run: Run, tmp_path: Path) -> None:
    run.load(ALL)
    with closing(sqlite3.connect(run.store.path, isolation_level=None)) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE name LIKE 'history_no_%'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("""UPDATE history SET "after" = json_remove("after", '$.note') WHERE record = 'bare'""")
    restored = restore(run.store, tmp_path / "then.gpkg", titles)
    assert Store.open(restored.path).records() == ALL


def test_values_that_are_no_longer_valid_are_named(run: Run, tmp_path: Path) -> None:
    run.load(ALL)
    with closing(sqlite3.connect(run.store.path, isolation_level=None)) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE name LIKE 'history_no_%'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        query = """UPDATE history SET "after" = json_set("after", '$.status', 'maybe') WHERE record = 'k'"""
        connection.execute(query)
    with pytest.raises(StoreError, match=r"change \d+: strikes k is no longer valid"):
        restore(run.store, tmp_path / "then.gpkg", titles)


_KEYS = st.sampled_from(["k", "l", "m", "n"])
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("load"), st.dictionaries(_KEYS, st.sampled_from(["One", "Two"]), max_size=4)),
        st.tuples(st.just("edit"), st.dictionaries(_KEYS, st.sampled_from(["One", "Two", None]), max_size=3)),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=12)
@given(steps=_STEPS)
def test_every_version_of_any_run_is_restored_to_the_row(steps: list[tuple[str, dict[str, str | None]]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run = Run(Store.create(folder / "atlas.gpkg"), folder, {})
        for kind, titles_by_key in steps:
            strikes = {key: changed(STRIKE, id=key, title=title) for key, title in titles_by_key.items() if title}
            if kind == "load":
                run.load(of(SOURCE, *strikes.values()))
            else:
                here = run.store.records().strikes
                wanted = [key for key, title in titles_by_key.items() if title or key in here]
                run.write(*(Edit("strikes", key, strikes.get(key), ANY if key in here else None) for key in wanted))
        for seq, before in run.states.items():
            after = tables_of(restore(run.store, folder / f"{seq}.gpkg", titles, to=seq).path)
            assert {name: after[name] for name in (*TABLES, "history", "sqlite_sequence")} == {
                name: before[name] for name in (*TABLES, "history", "sqlite_sequence")
            }
        run.store.close()


def test_what_became_private_later_stays_so_in_an_older_version(run: Run, tmp_path: Path) -> None:
    run.load(ALL)
    whole, dataset = run.store.seq(), ALL.strikes["k"].dataset
    run.store.make_private(dataset, author="Ann", why="the agreement ended")
    then = restore(run.store, tmp_path / "then.gpkg", titles, to=whole)
    restored = Store.open(then.path)
    assert list(restored.privacy().datasets) == [dataset]
    # Rows of history tell of the list and of each record, newer than all others.
    marked = [*restored.revisions(whole)]
    assert (then.private, restored.seq()) == (len(marked), whole + 1 + len(marked))
    assert all(row.after == {**(row.before or {}), "private": True} for row in marked)
    assert restored.verify() == ()
    assert all(record.private for record in restored.records().strikes.values() if record.dataset == dataset)
    restored.write(Edit("strikes", "k", changed(STRIKE, title="Mended", private=False), ANY), author="Ben")
    assert restored.records().strikes["k"].private
    restored.close()


def test_a_store_that_is_replaced_by_an_older_one_has_a_history_of_its_own(run: Run, tmp_path: Path) -> None:
    run.load(ALL)
    whole = run.store.seq()
    target = restore(run.store, tmp_path / "then.gpkg", titles).path
    opened = Store.open(target)
    opened.write(Edit("strikes", "k", changed(STRIKE, title="Another history"), ANY), author="Ben")
    opened.require_history()
    opened.close()
    run.write(Edit("strikes", "k", changed(STRIKE, title="Mended"), ANY))
    again = Store.open(restore(run.store, target, titles, to=whole, overwrite=True).path)
    again.require_history()
    assert again.seq() == whole
    again.close()


def loaded(run: Run, *strikes: Any) -> int:
    run.load(of(SOURCE, *strikes))
    return run.store.seq()


def restored_store(run: Run, tmp_path: Path, seq: int) -> Store:
    return Store.open(restore(run.store, tmp_path / "then.gpkg", titles, to=seq).path)


def public(store: Store) -> set[str]:
    return {key for key, record in store.records().strikes.items() if not record.private}


def hide_by_a_load(run: Run) -> None:
    loaded(run, changed(STRIKE, private=True))


def hide_in_another_dataset(run: Run) -> None:
    run.write(Edit("strikes", "k", changed(STRIKE, dataset="curated", private=True), ANY))


def hide_and_remove(run: Run) -> None:
    hide_by_a_load(run)
    run.write(Edit("strikes", "k", None, ANY))


def hide_with_another_dataset(run: Run) -> None:
    run.write(Edit("strikes", "k", changed(STRIKE, dataset="moved"), ANY))
    run.store.make_private("moved", author="Ann", why="no")


@pytest.mark.parametrize("hide", [hide_by_a_load, hide_in_another_dataset, hide_and_remove, hide_with_another_dataset])
def test_a_single_record_that_became_private_later_stays_so(
    run: Run, tmp_path: Path, hide: Callable[[Run], None]
) -> None:
    then = loaded(run, STRIKE, changed(STRIKE, id="other"))
    hide(run)
    restored = restored_store(run, tmp_path, then)
    assert public(restored) == {"other"}
    assert restored.verify() == ()
    assert restored.last_external_edit() == 0
    # Nor does undoing a withhold publish it.
    restored.make_private(STRIKE.dataset, author="Ann", why="no")
    assert restored.publish(STRIKE.dataset, author="Ben", why="yes").before == ("k",)
    assert public(restored) == {"other"}
    again = Store.open(restore(restored, tmp_path / "again.gpkg", titles, to=then).path)
    assert public(again) == {"other"}
    for opened in (restored, again):
        opened.close()


def test_who_follows_a_restored_store_reads_all_that_is_published(run: Run, tmp_path: Path) -> None:
    """Undoing a withhold there gives back what was public before it, and what was private by itself stays so."""
    then = loaded(run, STRIKE, changed(STRIKE, id="mine"), changed(STRIKE, id="hidden"))
    loaded(run, STRIKE, changed(STRIKE, id="mine"), changed(STRIKE, id="hidden", private=True))
    run.store.make_private(STRIKE.dataset, author="Ann", why="no")
    restored = restored_store(run, tmp_path, then)
    seq, records = restored.version()
    assert {record.private for record in records.strikes.values()} == {True}
    done = restored.publish(STRIKE.dataset, author="Ben", why="yes")
    assert (done.records, done.before) == (2, ("hidden",))
    assert restored.newer(seq, records)[1] == restored.records()
    assert public(restored) == {"k", "mine"}
    assert restored.verify() == ()
    restored.close()


def test_rows_without_the_mark_of_their_private_dataset_are_published_with_history(run: Run) -> None:
    """So an earlier program restored them."""
    loaded(run, STRIKE, changed(STRIKE, id="mine"))
    run.store.make_private(STRIKE.dataset, author="Ann", why="no")
    with closing(sqlite3.connect(run.store.path, isolation_level=None)) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f'DROP TRIGGER "{name}"')
        connection.execute("UPDATE strikes SET private = 0")
    seq, records = run.store.version()
    assert run.store.publish(STRIKE.dataset, author="Ben", why="yes").records == 2
    assert run.store.newer(seq, records)[1] == run.store.records()
    assert public(run.store) == {"k", "mine"}
