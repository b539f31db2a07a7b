"""A version read from what changed is the version read whole, the order of its records too."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layers.model.records import RECORD_TYPES, Records
from layers.store import reader
from layers.store.store import ANY, Edit, Store
from tests.layers.store.store_killed import strikes
from tests.store_kinds import geopackage_only

FIRST = strikes(4, "first")
KEYS = [f"k-{number}" for number in range(6)]

#: Changes that one transaction after the other makes: of a strike, to a title or to nothing; or a load of many.
changes = st.lists(
    st.tuples(st.sampled_from(KEYS), st.sampled_from(["one", "two", None])) | st.integers(1, 6), max_size=8
)


def make(store: Store, change: tuple[str, str | None] | int) -> None:
    if isinstance(change, int):
        store.load(strikes(change, "loaded"), author="tests")
        return
    key, title = change
    seen = ANY if key in store.records().strikes else None
    made = strikes(6, "of").strikes[key].model_copy(update={"title": title}) if title else None
    if made or seen:
        store.write(Edit("strikes", key, made, seen), author="tests")


def order(records: Records) -> dict[str, list[str]]:
    return {name: list(records.table(name)) for name in RECORD_TYPES}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=changes, since=changes)
def test_what_changed_makes_the_newest_version(tmp_path: Path, before: list[object], since: list[object]) -> None:
    (tmp_path / "atlas.gpkg").unlink(missing_ok=True)
    store = Store.create(tmp_path / "atlas.gpkg")
    store.load(FIRST, author="tests")
    for change in before:
        make(store, change)  # type: ignore[arg-type]
    seq, records = store.version()
    for change in since:
        make(store, change)  # type: ignore[arg-type]
    found, whole = store.newer(seq, records), store.version()
    store.close()
    assert found == whole
    assert order(found[1]) == order(whole[1])


def test_what_did_not_change_is_not_read_again(store: Store) -> None:
    store.load(strikes(3000, "first"), author="tests")
    seq, records = store.version()
    edited = records.strikes["k-7"].model_copy(update={"title": "Another"})
    store.write(Edit("strikes", "k-7", edited, ANY), author="tests")
    newest, found = store.newer(seq, records)
    assert newest == seq + 1
    assert found.strikes["k-7"].title == "Another"
    assert all(found.strikes[key] is record for key, record in records.strikes.items() if key != "k-7")
    assert found.sources is records.sources
    assert store.newer(newest, found) == (newest, found)


def test_more_changes_than_are_asked_for_at_once(store: Store) -> None:
    store.load(strikes(10, "first"), author="tests")
    seq, records = store.version()
    store.load(strikes(1300, "second"), author="tests")
    assert store.newer(seq, records) == store.version()


@geopackage_only
def test_changes_are_found_by_their_numbers(store: Store) -> None:
    store.load(strikes(3, "first"), author="tests")
    seq, records = store.version()
    statements: list[str] = []
    with store.reading() as connection:
        connection.set_trace_callback(statements.append)
        reader.read_since(connection, seq - 1, records)
        connection.set_trace_callback(None)
        of_history = [statement for statement in statements if "FROM history" in statement]
        plans = [row[-1] for one in of_history for row in connection.execute(f"EXPLAIN QUERY PLAN {one}")]
    assert any("rowid>?" in plan for plan in plans)
    assert not any(plan.startswith("SCAN") for plan in plans), plans
