"""What was done to a store behind the back of its program is named."""

from __future__ import annotations

import random
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from layers.geopackage import geopackage
from layers.model.records import Records
from layers.store.derived_tables import DerivedLayer
from layers.store.history_chain import COLUMNS, EMPTY, VALUES, linked
from layers.store.idempotency import KeyedRequest, StoredResponse
from layers.store.migrations.registry import MINIMUM_READER_VERSION, SCHEMA_VERSION
from layers.store.store import NotAStore, Store
from layers.store.verification import BrokenHistory, find_head, verify_file
from tests.layers.store.store_killed import strikes
from tests.store_kinds import Program, behind_its_back, by_another, without_triggers

LAYER = {"strike": "TEXT", "probability": "REAL"}


def derive(seq: int, records: Records) -> Iterator[DerivedLayer]:
    """Two layers that follow from the strikes."""
    placed = [(key, 1, strike.geometry) for key, strike in records.strikes.items()]
    yield DerivedLayer("attributions", LAYER, placed, True, "strike")
    yield DerivedLayer("matches", LAYER, [row[:2] for row in placed], False, "strike")


def others(count: int, title: str) -> Records:
    """Strikes of a dataset of their own."""
    made = strikes(count, title)
    tables = {name: made.table(name).values() for name in ("sources", "strikes")}
    return Records.of(
        {name: {one.id: one.model_copy(update={"dataset": "others"}) for one in rows} for name, rows in tables.items()}
    )


@pytest.fixture(scope="module")
def template(few_records: Records, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = Store.create(tmp_path_factory.mktemp("verified") / "atlas.gpkg")
    made.load(few_records, author="test", derive=derive)
    made.load(others(20, "a"), author="test", derive=derive)
    made.load(others(15, "b"), author="test", derive=derive)
    made.close()
    return made.path


@pytest.fixture
def store(template: Path, tmp_path: Path) -> Store:
    return Store.open(shutil.copy(template, tmp_path / "atlas.gpkg"))


def found(path: Path) -> list[tuple[str, dict[str, object]]]:
    return [(one.code.removeprefix("verification."), dict(one.arguments)) for one in verify_file(path, derive)]


def triggers(path: Path) -> dict[str, str]:
    with closing(sqlite3.connect(path)) as connection:
        return dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall())


def test_a_store_is_valid(store: Store) -> None:
    assert found(store.path) == []
    before = store.path.read_bytes()
    assert found(store.path) == []
    assert store.path.read_bytes() == before, "nothing is written"
    new = Store.create(store.path.with_name("new.gpkg"))
    assert {code for code, _ in found(new.path)} == {"missing", "header-row"}, "it has no derived layers"
    new.load(Records.of({}), author="test", derive=derive)
    assert found(new.path) == []


def test_edits_of_other_programs_are_no_fault_once_they_are_history(store: Store) -> None:
    by_another(store, "UPDATE strikes SET title = 'Mended' WHERE fid < 3")
    assert found(store.path) == [("unrecorded", {"n": 2})]
    store.record_external_edits()
    assert found(store.path) == []


def test_a_row_of_history_that_was_rewritten_is_named(store: Store) -> None:
    behind_its_back(store, "UPDATE history SET who = 'Bob' WHERE seq = 7")
    assert found(store.path) == [("chain", {"seq": 7, "expected": 7})]


def test_a_row_of_history_that_was_removed_is_named(store: Store) -> None:
    behind_its_back(store, "DELETE FROM history WHERE seq = 7")
    assert ("chain", {"seq": 8, "expected": 7}) in found(store.path)


def test_history_without_its_last_rows_is_named(store: Store) -> None:
    last = store.seq()
    behind_its_back(store, f"DELETE FROM history WHERE seq > {last - 2}")
    assert ("cut", {"seq": last - 2, "written": last}) in found(store.path)


def rechain(program: Program) -> None:
    """Compute every hash anew, as somebody would who knows how."""
    rows = [row[1:8] for row in program.execute(f"SELECT {COLUMNS} FROM history ORDER BY seq")]
    program.execute("DELETE FROM history")
    for row in linked(EMPTY, rows):
        program.execute(f"INSERT INTO history {VALUES}", row)


def test_a_history_that_was_rewritten_as_a_whole_is_told_by_whoever_knows_its_head(store: Store) -> None:
    store.require_history()
    head = store.head()
    with without_triggers(store) as program:
        program.execute("UPDATE history SET who = 'Bob' WHERE seq = 7")
        rechain(program)
    assert found(store.path) == [], "the file alone cannot tell"
    assert store.head() != head
    with pytest.raises(BrokenHistory, match=f"row {head.seq} of history is gone or another one"):
        store.require_history()


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("DELETE FROM private_datasets", [("listing-gone", {"dataset": "others"})]),
        (
            "UPDATE private_datasets SET who = 'Bob'",
            [("listing-gone", {"dataset": "others"}), ("listing-added", {"dataset": "others"})],
        ),
        (
            "INSERT INTO private_datasets (dataset, private, at, who, why) VALUES ('others', 0, '', 'Bob', '')",
            [("listing-added", {"dataset": "others"})],
        ),
        ("DELETE FROM idempotency_keys", [("answer-gone", {"key": "k"})]),
        ("UPDATE idempotency_keys SET body = x'00'", [("answer-added", {"key": "k"})]),
        (
            "INSERT INTO idempotency_keys SELECT 'bob', key, request, at, seq, status, headers, body "
            "FROM idempotency_keys",
            [("answer-added", {"key": "k"})],
        ),
    ],
)
def test_what_stands_beside_history_is_what_history_tells(
    store: Store, statement: str, expected: list[tuple[str, object]]
) -> None:
    """Datasets that are private, and answers that are given again, can be neither emptied nor forged unnoticed."""
    store.make_private("others", author="Ann", why="The licence was taken back.")
    answer = StoredResponse(201, {"ETag": '"1"'}, b"{}")
    source = next(iter(store.records().sources.values())).model_copy(update={"id": "new", "dataset": "review"})
    keyed = KeyedRequest("ann", "k", "r", lambda seq: answer)
    store.append("sources", source, author="Ann", keyed=keyed)
    assert [one for one in found(store.path) if one[0].startswith(("listing", "answer", "chain"))] == []
    behind_its_back(store, statement)
    assert [one for one in found(store.path) if one[0].startswith(("listing", "answer", "chain"))] == expected


def test_an_end_that_was_cut_off_with_its_count_is_found_by_whoever_knows_its_head(store: Store) -> None:
    head, last = store.head(), store.seq()
    keys = [(row.table, row.record) for row in store.revisions(last - 2)]
    behind_its_back(
        store,
        f"DELETE FROM history WHERE seq > {last - 2}",
        f"UPDATE sqlite_sequence SET seq = {last - 2} WHERE name = 'history'",
        *(f"DELETE FROM {table} WHERE id = '{record}'" for table, record in keys),
    )
    assert not {"cut", "chain"} & {code for code, _ in found(store.path)}, "the file alone cannot tell"
    with store.reading() as connection:
        assert find_head(connection, head.hash) is None
        assert find_head(connection, store.head().digits) == store.head()


def test_a_record_that_was_changed_with_the_triggers_off_is_named(store: Store) -> None:
    behind_its_back(store, "UPDATE strikes SET title = 'Other', note = 'x' WHERE id = 'k-3'")
    assert ("record-differs", {"table": "strikes", "id": "k-3", "columns": ("title", "note")}) in found(store.path)


def test_a_record_that_was_removed_or_added_with_the_triggers_off_is_named(store: Store) -> None:
    behind_its_back(
        store,
        "DELETE FROM claims WHERE fid = 1",
        "DELETE FROM decisions WHERE fid = 1",
        "INSERT INTO sources (id, publisher, dataset, private) VALUES ('new', 'P', 'd', 0)",
    )
    expected = {("record-gone", "claims"), ("record-gone", "decisions"), ("record-added", "sources")}
    assert {(code, arguments.get("table")) for code, arguments in found(store.path)} == expected


def test_every_trigger_that_is_dropped_or_altered_is_named(store: Store) -> None:
    declared = triggers(store.path)
    dropped, altered = set(sorted(declared)[::2]), set(sorted(declared)[1::2])
    for _ in range(2):
        with closing(sqlite3.connect(store.path)) as connection, connection:
            for name, sql in declared.items():
                connection.execute(f'DROP TRIGGER "{name}"')
                if name in altered:
                    connection.execute(sql.replace("BEGIN ", "BEGIN SELECT 1; ", 1))
        assert sorted(found(store.path), key=str) == sorted(
            [("missing", {"kind": "trigger", "name": name}) for name in dropped]
            + [("altered", {"kind": "trigger", "name": name}) for name in altered],
            key=str,
        )
        dropped, altered = altered, dropped
        with closing(sqlite3.connect(store.path)) as connection, connection:
            for name in dropped:
                connection.execute(f'DROP TRIGGER "{name}"')
            for sql in declared.values():
                connection.execute(sql)
    assert found(store.path) == []


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        ("DROP INDEX matches_strike", ("missing", {"kind": "index", "name": "matches_strike"})),
        (
            "CREATE TRIGGER other AFTER INSERT ON strikes BEGIN DELETE FROM claims; END",
            ("foreign-trigger", {"name": "other", "table": "strikes"}),
        ),
        ("ALTER TABLE stakes DROP COLUMN note", ("declaration", {"table": "stakes", "clause": "note TEXT"})),
        ("PRAGMA application_id = 5", ("header", {"name": "application_id", "value": "5", "expected": "1196444487"})),
        ("DROP TABLE external_edits", ("missing", {"kind": "table", "name": "external_edits"})),
        ("INSERT INTO own_write VALUES (1)", ("own-write", {})),
        (
            "UPDATE gpkg_contents SET description = '' WHERE table_name = 'stakes'",
            ("header-row", {"table": "gpkg_contents", "row": "stakes, attributes"}),
        ),
        ("DELETE FROM rtree_assets_geometry WHERE id = 2", ("spatial-index", {"table": "assets", "fid": 2})),
        ("UPDATE rtree_assets_geometry SET maxx = 180 WHERE id = 2", ("spatial-index", {"table": "assets", "fid": 2})),
        (
            "INSERT INTO rtree_assets_geometry VALUES (99999, 1, 1, 1, 1)",
            ("spatial-index", {"table": "assets", "fid": 99999}),
        ),
        (
            "UPDATE matches SET probability = 0.5 WHERE strike = 'k-3'",
            ("derived", {"table": "matches", "missing": 1, "extra": 1, "first": ("k-3",)}),
        ),
        (
            "DELETE FROM matches WHERE strike = 'k-3'",
            ("derived", {"table": "matches", "missing": 1, "extra": 0, "first": ("k-3",)}),
        ),
        (
            "UPDATE strikeatlas SET minimum_reader_version = 1",
            ("header-row", {"table": "strikeatlas", "row": f"{SCHEMA_VERSION}, {MINIMUM_READER_VERSION}"}),
        ),
    ],
)
def test_what_else_was_altered_is_named(store: Store, statement: str, finding: tuple[str, object]) -> None:
    by_another(store, statement)
    assert finding in found(store.path)


def test_days_that_do_not_follow_are_named(store: Store) -> None:
    by_another(store, "UPDATE strikes SET day_first = '1999-01-01' WHERE id = 'k-3'")
    store.record_external_edits()
    assert [code for code, _ in found(store.path)] == ["days"]


def test_a_record_that_is_not_valid_is_named(store: Store) -> None:
    by_another(store, "UPDATE entities SET registered_in = 'Azerbaijan' WHERE fid = 1")
    store.record_external_edits()
    ((code, arguments),) = found(store.path)
    assert code == "unreadable"
    assert "registered_in" in str(arguments["detail"])


def test_what_is_no_store_of_this_version_is_refused(tmp_path: Path, store: Store) -> None:
    with pytest.raises(NotAStore, match="no such file"):
        found(tmp_path / "missing.gpkg")
    (tmp_path / "text.gpkg").write_text("id,title\n" * 50)
    with pytest.raises(NotAStore, match="not a SQLite database"):
        found(tmp_path / "text.gpkg")
    by_another(store, "UPDATE strikeatlas SET schema_version = 1")
    with pytest.raises(NotAStore, match="strikeatlas upgrade"):
        found(store.path)


# --- flipped bits -------------------------------------------------------------------------------


#: What is not checked, as GIS write it too or nobody reads it: times, extents, row numbers, counters of them.
_FREE = {
    "gpkg_contents": ("table_name", "data_type", "identifier", "description", "srs_id"),
    "sqlite_sequence": (),
    "external_edits": (),
}


def readable(path: Path) -> object:
    """Everything that a reader can read of a file, in no order; its fault where it cannot be read."""
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            geopackage.register_functions(connection)
            declared = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
            tables = [
                name
                for kind, name, _, _ in declared
                if kind == "table" and not name.endswith(("_node", "_rowid", "_parent"))
            ]
            content: list[object] = [sorted(map(str, declared))]
            for name in tables:
                columns = [row[1] for row in connection.execute(f'PRAGMA table_info("{name}")') if row[1] != "fid"]
                selected = ", ".join(f'"{column}"' for column in _FREE.get(name, columns))
                if selected:
                    content.append((name, sorted(map(repr, connection.execute(f'SELECT {selected} FROM "{name}"')))))
            content += [connection.execute(f"PRAGMA {name}").fetchone() for name in ("application_id", "user_version")]
            return content
    except (sqlite3.Error, UnicodeError) as error:
        return str(error)


@pytest.mark.parametrize("bits", [50, pytest.param(500, marks=pytest.mark.long)])
def test_a_flipped_bit_is_found_or_changes_nothing_that_is_read(tmp_path: Path, bits: int) -> None:
    store = Store.create(tmp_path / "atlas.gpkg")
    store.load(strikes(12, "a"), author="test", derive=derive)
    store.load(strikes(9, "b"), author="test", derive=derive)
    store.close()
    whole, expected = store.path.read_bytes(), readable(store.path)
    chance = random.Random(1)
    spoilt = tmp_path / "spoilt.gpkg"
    unnoticed: list[int] = []
    for bit in (chance.randrange(len(whole) * 8) for _ in range(bits)):
        changed = bytearray(whole)
        changed[bit // 8] ^= 1 << bit % 8
        spoilt.write_bytes(changed)
        try:
            is_found = bool(found(spoilt))
        except NotAStore:
            is_found = True
        if not is_found and readable(spoilt) != expected:
            unnoticed.append(bit)
        for file in tmp_path.glob("spoilt.gpkg-*"):
            file.unlink()
    assert unnoticed == []


# --- at a start ---------------------------------------------------------------------------------


def remembered(store: Store) -> Path:
    return store.path.with_name("atlas.gpkg.checked")


def test_a_start_follows_what_was_added_since_the_last(store: Store) -> None:
    store.require_history()
    first = remembered(store).read_bytes()
    store.load(others(3, "c"), author="test")
    store.require_history()
    assert remembered(store).read_bytes() != first
    behind_its_back(store, "UPDATE history SET who = 'Bob' WHERE seq = 7")
    store.require_history()
    remembered(store).unlink()
    with pytest.raises(BrokenHistory, match="row 7 of history does not follow"):
        store.require_history()
    assert not remembered(store).exists()


@pytest.mark.parametrize("harm", [b"", b"{", b"[]", b'{"seq": "x", "hash": 1, "at": null}'])
def test_what_cannot_be_read_beside_the_store_is_made_again(store: Store, harm: bytes) -> None:
    store.require_history()
    whole = remembered(store).read_bytes()
    remembered(store).write_bytes(harm)
    store.require_history()
    assert remembered(store).read_bytes() == whole


def test_where_nothing_can_be_written_beside_the_store_it_is_followed_each_time(store: Store) -> None:
    remembered(store).mkdir()
    store.require_history()
    store.require_history()
    assert [file.name for file in store.path.parent.iterdir() if file.name.endswith(".new")] == []


@pytest.mark.parametrize(("of_store", "expected"), [(0o600, 0o600), (0o660, 0o660), (0o400, 0o600)])
def test_what_is_remembered_is_for_those_who_may_read_the_store(store: Store, of_store: int, expected: int) -> None:
    remembered(store).write_bytes(b"of an earlier version of the program")
    remembered(store).chmod(0o644)
    store.path.chmod(of_store)
    store.require_history()
    assert stat.S_IMODE(remembered(store).stat().st_mode) == expected


def test_a_store_that_was_replaced_by_an_older_one_is_found(store: Store) -> None:
    store.require_history()
    behind_its_back(store, "DELETE FROM history WHERE seq > 5")
    with pytest.raises(BrokenHistory, match=r"replaced on purpose: then remove atlas\.gpkg\.checked"):
        store.require_history()
    remembered(store).unlink()
    store.require_history()
