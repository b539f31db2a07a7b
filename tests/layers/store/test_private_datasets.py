"""What is private in a store stays so, whatever is loaded, written or removed, and whatever other programs do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.model.records import Source
from layers.store.privacy_changes import Published
from layers.store.store import ANY, Edit, Store, StoreError
from tests.layers.load_builders import decision, entity, judged, of, source, strike
from tests.store_kinds import REFUSED, NewStore, by_another, geopackage_only, is_file, new_geopackages, raw

WHY = "The licence forbids it."


@pytest.fixture
def store(new_store: NewStore) -> Store:
    """A store with the private dataset d, and o, which is public."""
    made = new_store()
    made.load(of(source("o/s", "o"), strike("o/1", "o")), author="Ann")
    made.load(of(source("d/s", "d"), strike("d/1", "d"), strike("d/2", "d")), author="Ann", private={"d": WHY})
    return made


def rows(store: Store, query: str) -> list[tuple[Any, ...]]:
    with raw(store) as connection:
        found: list[tuple[Any, ...]] = connection.execute(query).fetchall()
        return found


def public_ids(store: Store) -> set[str]:
    return {key for key, one in store.records().strikes.items() if not one.private}


def test_a_dataset_is_listed_with_when_who_and_why(store: Store) -> None:
    (listed,) = store.privacy().datasets.values()
    assert (listed.dataset, listed.who, listed.why) == ("d", "Ann", WHY)
    assert listed.at.endswith("Z")
    store.load(of(source("d/s", "d")), author="Ben", private={"d": "again"})
    assert store.privacy().datasets == {"d": listed}


def test_history_says_why_records_became_private_or_public(store: Store) -> None:
    before = store.seq()
    store.load(of(strike("p/1", "p")), author="Ann")
    store.load(of(strike("p/1", "p"), strike("p/2", "p")), author="Ann", private={"p": WHY}, why="a new file")
    store.publish("p", author="Ann", why="the licence changed")
    store.make_private("p", author="Ann", why="it changed back")
    reasons = [(row.record, row.why) for row in store.revisions(before)]
    assert reasons == [
        ("p/1", None),
        ("p/1", WHY),
        ("p/2", "a new file"),
        *(("p/1", "the licence changed"), ("p/2", "the licence changed")),
        *(("p/1", "it changed back"), ("p/2", "it changed back")),
    ]


def test_every_record_of_it_is_private_whatever_it_says(store: Store) -> None:
    assert public_ids(store) == {"o/1"}
    assert all(one.private for one in store.records().sources.values() if one.dataset == "d")
    store.append("strikes", strike("d/3", "d"), author="Ann")
    store.write(Edit("strikes", "d/1", strike("d/1", "d", title="Another"), ANY), author="Ann")
    store.write(Edit("strikes", "d/4", strike("d/4", "d"), None), author="Ann")
    store.load(of(source("d/s", "d"), strike("d/1", "d", title="Third"), strike("d/5", "d")), author="Ann")
    assert public_ids(store) == {"o/1"}
    assert store.records().strikes["d/1"].title == "Third"
    assert store.last_external_edit() == 0
    assert store.load(of(source("d/s", "d"), strike("d/1", "d", title="Third")), author="Ann").changed["strikes"] == 0


@pytest.mark.parametrize("dataset", ["o", "curated"])
def test_a_record_that_moves_to_another_dataset_stays_private(store: Store, dataset: str) -> None:
    store.write(Edit("strikes", "d/1", strike("d/1", dataset), ANY), author="Ann")
    assert store.records().strikes["d/1"].dataset == dataset
    store.load(of(source("o/s", dataset), strike("d/2", dataset), strike("o/1", dataset)), author="Ann")
    assert public_ids(store) == {"o/1"}


def test_a_removed_record_does_not_come_back_as_a_public_one(store: Store) -> None:
    store.write(Edit("strikes", "d/1", None, ANY), author="Ann")
    store.write(Edit("strikes", "d/1", strike("d/1", "curated"), None), author="Ann")
    store.load(of(source("d/s", "d")), author="Ann")
    store.append("strikes", strike("d/2", "curated"), author="Ann")
    assert public_ids(store) == {"o/1"}
    assert store.privacy().removed == {"strikes": {"d/1", "d/2"}}


def test_a_single_private_record_stays_so_and_its_dataset_does_not(store: Store) -> None:
    store.append("strikes", strike("c/1", "curated", private=True), author="Ann")
    store.append("strikes", strike("c/2", "curated"), author="Ann")
    store.load(of(source("c/s", "curated"), strike("c/1", "curated"), strike("c/2", "curated")), author="Ann")
    assert public_ids(store) == {"o/1", "c/2"}


def test_a_public_dataset_becomes_private_with_all_that_it_has(store: Store) -> None:
    """Also with decisions, which nothing else changes, and with records that the load does not bring."""
    store.append("strikes", strike("o/2", "o"), author="Ann")
    store.append("decisions", decision("o/1", "o"), author="Ann")
    before = store.seq()
    store.load(
        of(source("o/s", "o"), strike("o/1", "o"), strike("o/2", "o"), decision("o/1", "o")),
        author="Ben",
        private={"o": WHY},
    )
    assert public_ids(store) == set()
    assert store.records().decisions["o/1/1"].private
    changes = {(one.table, one.record): (one.before, one.after) for one in store.revisions(before)}
    assert set(changes) == {("sources", "o/s"), ("strikes", "o/1"), ("strikes", "o/2"), ("decisions", "o/1/1")}
    assert all(after == {**(was or {}), "private": True} for was, after in changes.values())
    assert store.last_external_edit() == 0
    with pytest.raises(REFUSED, match="only ever added to"):
        by_another(store, "UPDATE decisions SET why = 'changed'")


def test_who_reads_on_from_an_older_version_sees_what_became_private(store: Store) -> None:
    store.append("decisions", decision("o/1", "o"), author="Ann")
    seq, records = store.version()
    store.make_private("o", author="Ben", why=WHY)
    newer = store.newer(seq, records)[1]
    assert newer.strikes["o/1"].private
    assert newer.decisions["o/1/1"].private


def test_a_judgement_on_a_removed_private_record_is_private(store: Store) -> None:
    """It outlives the record, and its grounds may tell of it."""
    store.append("identities", judged("o/1", "d/1", "same"), author="Ann")
    seq, records = store.version()
    store.load(of(source("d/s", "d"), strike("d/2", "d")), author="Ann")
    for now in (store.records(), store.newer(seq, records)[1]):
        assert [one.private for one in now.identities.values()] == [True]
    assert store.last_external_edit() == 0


@pytest.mark.parametrize("dataset", ["curated", "review", "judgements"])
def test_what_people_write_by_hand_is_no_private_dataset(store: Store, dataset: str) -> None:
    with pytest.raises(StoreError, match="written by hand"):
        store.make_private(dataset, author="Ann", why=WHY)
    with pytest.raises(StoreError, match="written by hand"):
        store.load(of(source("x", dataset)), author="Ann", private={dataset: WHY})
    assert "x" not in store.records().sources


def test_why_must_be_said(store: Store) -> None:
    with pytest.raises(ValueError, match="must be said"):
        store.make_private("o", author="Ann", why=" ")
    with pytest.raises(ValueError, match="must be said"):
        store.publish("d", author="Ann", why="")


PRIVATE, DATASET = "UPDATE strikes SET private = ", "UPDATE strikes SET dataset = "
_COPY = 'id, title, titles, "when", place, places, weapons, targets, target_kinds, status, sources, checked'


@pytest.mark.parametrize(
    "statement",
    [
        f"{PRIVATE} FALSE WHERE id = 'd/1'",
        f"{PRIVATE} FALSE, dataset = 'o' WHERE id = 'd/1'",
        f"{PRIVATE} NULL WHERE id = 'd/1'",
        f"{PRIVATE} FALSE",
        f"{DATASET} 'd' WHERE id = 'o/1'",
        "UPDATE strikes SET id = 'x', private = FALSE WHERE id = 'd/1'",
        "UPDATE sources SET private = FALSE WHERE id = 'd/s'",
        f"INSERT INTO strikes (dataset, private, {_COPY}) "
        f"SELECT 'd', FALSE, 'n' || {_COPY} FROM strikes WHERE id = 'o/1'",
        "DELETE FROM private_datasets",
        "UPDATE private_datasets SET dataset = 'x'",
        "UPDATE private_datasets SET private = FALSE",
        "INSERT INTO private_datasets (dataset, private, \"at\", who, why) VALUES ('d', FALSE, '', '', '')",
    ],
)
def test_a_store_refuses_any_program_that_would_publish(store: Store, statement: str) -> None:
    before = rows(store, "SELECT * FROM strikes"), rows(store, "SELECT * FROM private_datasets")
    with pytest.raises(REFUSED):
        by_another(store, statement)
    assert before == (rows(store, "SELECT * FROM strikes"), rows(store, "SELECT * FROM private_datasets"))


@geopackage_only
@pytest.mark.parametrize(
    "statement",
    [
        f"{PRIVATE} 'no' WHERE id = 'd/1'",
        f"{PRIVATE} 2 WHERE id = 'd/1'",
        "UPDATE OR REPLACE strikes SET id = 'd/1' WHERE id = 'o/1'",
        "UPDATE OR REPLACE strikes SET fid = (SELECT fid FROM strikes WHERE id = 'd/1') WHERE id = 'o/1'",
        "UPDATE OR IGNORE strikes SET private = 0",
        f"INSERT OR REPLACE INTO strikes (dataset, private, {_COPY}) "
        f"SELECT 'o', 0, {_COPY} FROM strikes WHERE id = 'd/1'",
        f"INSERT OR REPLACE INTO strikes (fid, dataset, private, {_COPY}) "
        f"SELECT 2, 'o', 0, 'n' || {_COPY} FROM strikes WHERE id = 'o/1'",
        "INSERT OR REPLACE INTO private_datasets SELECT seq, 'x', 1, \"at\", who, why FROM private_datasets",
    ],
)
def test_a_file_refuses_it_in_the_words_of_sqlite_too(store: Store, statement: str) -> None:
    test_a_store_refuses_any_program_that_would_publish(store, statement)


def test_an_id_that_another_program_took_from_a_private_record_is_not_free(store: Store) -> None:
    by_another(store, "UPDATE strikes SET id = 'd/9' WHERE id = 'd/1'")
    by_another(store, "DELETE FROM strikes WHERE id = 'd/2'")
    for key in ("d/1", "d/2"):
        with pytest.raises(REFUSED, match="private"):
            by_another(store, f"UPDATE strikes SET id = '{key}' WHERE id = 'o/1'")
        with pytest.raises(REFUSED, match=r"must be (1|true)"):
            by_another(
                store,
                f"INSERT INTO strikes (dataset, private, {_COPY}) "
                f"SELECT 'o', FALSE, '{key}', {_COPY.partition(', ')[2]} FROM strikes WHERE id = 'o/1'",
            )


def test_another_program_may_edit_what_is_private_and_make_things_private(store: Store) -> None:
    by_another(store, "UPDATE strikes SET title = 'Mended', private = TRUE WHERE id = 'd/1'")
    by_another(store, "UPDATE strikes SET private = '1', title = 'Mended' WHERE id = 'o/1'")
    assert {one.title for one in store.records().strikes.values()} == {"Mended", "A strike"}
    assert public_ids(store) == set()


@geopackage_only
def test_a_row_that_got_past_the_guards_is_read_as_private(store: Store) -> None:
    names = [name for (name,) in rows(store, "SELECT name FROM sqlite_master WHERE name LIKE 'private_guard_strikes%'")]
    for name in names:
        by_another(store, f"DROP TRIGGER {name}")
    by_another(store, "UPDATE strikes SET private = 0")
    assert public_ids(store) == {"o/1"}
    assert {one.id for one in store.version(packed=True)[1].strikes.values() if not one.private} == {"o/1"}


def guards(store: Store) -> list[tuple[Any, ...]]:
    if is_file(store):
        return rows(store, "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name")
    return rows(store, "SELECT tgrelid, tgname, tgenabled FROM pg_trigger ORDER BY 1, 2")


def test_a_dataset_is_published_in_one_way_alone(store: Store) -> None:
    store.write(Edit("strikes", "d/2", None, ANY), author="Ann")
    store.append("decisions", decision("d/1", "d"), author="Ann")
    before, seq = guards(store), store.seq()
    assert store.publish("d", author="Ben", why="permission of 2026-11-02") == Published(3)
    assert public_ids(store) == {"o/1", "d/1"}
    assert not any(one.private for one in store.records().decisions.values())
    assert guards(store) == before
    assert {(one.author, one.table, one.record) for one in store.revisions(seq)} == {
        ("Ben", "sources", "d/s"), ("Ben", "strikes", "d/1"), ("Ben", "decisions", "d/1/1"),
    }  # fmt: skip
    assert store.last_external_edit() == 0
    assert store.privacy().datasets == {}
    assert [row[1:3] for row in rows(store, "SELECT * FROM private_datasets ORDER BY seq")] == [("d", 1), ("d", 0)]
    store.append("strikes", strike("d/2", "d"), author="Ann")
    assert "d/2" in public_ids(store)
    store.make_private("d", author="Ann", why="withdrawn")
    assert public_ids(store) == {"o/1"}


def test_single_records_are_published_by_their_ids(store: Store) -> None:
    for key in ("c/1", "c/2"):
        store.append("strikes", strike(key, "curated", private=True, sources=("o/s",)), author="Ann")
    assert store.publish("curated", ["c/2"], author="Ann", why="agreed") == Published(1)
    assert public_ids(store) == {"o/1", "c/2"}


@pytest.fixture
def withheld(store: Store) -> Store:
    """A store whose dataset o is withheld, with records that were private by themselves before it was."""
    own = [strike(f"o/{key}", "o", private=True) for key in ("hidden", "gone")]
    store.load(of(source("o/s", "o"), strike("o/1", "o"), *own), author="Ann")
    store.append("strikes", strike("c/moved", "curated", private=True, sources=("o/s",)), author="Ann")
    store.make_private("o", author="Ann", why=WHY)
    for key in ("o/gone", "o/1"):
        store.write(Edit("strikes", key, None, ANY), author="Ann")
    store.write(Edit("strikes", "c/moved", strike("c/moved", "o"), ANY), author="Ann")
    store.append("strikes", strike("o/new", "o"), author="Ann")
    return store


def test_undoing_a_withhold_publishes_nothing_that_was_private_before_it(withheld: Store) -> None:
    done = withheld.publish("o", author="Ben", why="agreed again")
    assert done == Published(2, before=("o/hidden", "c/moved"))
    assert public_ids(withheld) == {"o/new"}
    assert withheld.privacy().removed == {"strikes": {"o/gone"}}
    # Of the removed ones that alone is free whose dataset made it private.
    for key in ("o/1", "o/gone"):
        withheld.append("strikes", strike(key, "o"), author="Ann")
    assert public_ids(withheld) == {"o/new", "o/1"}
    withheld.make_private("o", author="Ann", why="not again")
    assert withheld.publish("o", author="Ben", why="agreed once more").before == ("o/hidden", "c/moved", "o/gone")
    assert withheld.publish("o", ["o/hidden"], author="Ben", why="the witness agrees") == Published(1)
    assert public_ids(withheld) == {"o/new", "o/1", "o/hidden"}
    assert withheld.verify() == ()


def test_a_whole_dataset_is_published_in_a_word_of_its_own(withheld: Store) -> None:
    assert withheld.publish("o", author="Ben", why="all agree", everything=True) == Published(4)
    assert public_ids(withheld) == {"o/new", "o/hidden", "c/moved"}
    assert withheld.privacy().removed == {}


@pytest.mark.parametrize(
    ("dataset", "ids", "told"),
    [("o", [], "no private dataset"), ("x", [], "no private dataset"), ("d", ["d/1"], "as a whole"),
     ("o", ["o/1"], "no private record o/1"), ("o", ["d/1"], "no private record d/1")],
)  # fmt: skip
def test_what_is_not_private_is_not_published(store: Store, dataset: str, ids: list[str], told: str) -> None:
    seq = store.seq()
    with pytest.raises(StoreError, match=told):
        store.publish(dataset, ids, author="Ann", why="agreed")
    assert store.seq() == seq
    assert public_ids(store) == {"o/1"}


def test_what_rests_on_another_private_dataset_stays_private(store: Store) -> None:
    """A merge of two private entities of one id unites their sources, and so does a person."""
    store.load(
        of(source("e/s", "e"), strike("e/1", "e", sources=("e/s", "d/s")), entity("k", "e", sources=("d/s", "e/s")),
           strike("e/2", "e")),
        author="Ann", private={"e": WHY},
    )  # fmt: skip
    assert store.publish("e", author="Ann", why="agreed") == Published(2, bound=2)
    assert public_ids(store) == {"o/1", "e/2"}
    assert store.records().entities["k"].private


def test_a_load_that_fails_makes_nothing_private(store: Store) -> None:
    def fail(*_: object) -> Iterator[Any]:
        raise RuntimeError("stop")

    before = guards(store)
    with pytest.raises(RuntimeError, match="stop"):
        store.load(of(source("o/s", "o")), author="Ann", private={"o": WHY}, derive=fail)
    assert public_ids(store) == {"o/1"}
    assert set(store.privacy().datasets) == {"d"}
    assert guards(store) == before


IDS, DATASETS = ("a", "b", "c"), ("d", "o", "curated")
Operation = tuple[Any, ...]
one_strike = st.builds(
    lambda key, dataset, private: strike(key, dataset, private=private, sources=("s",)),
    st.sampled_from(IDS), st.sampled_from(DATASETS), st.booleans(),
)  # fmt: skip
operations = st.one_of(
    st.tuples(st.just("load"), st.lists(one_strike, max_size=3), st.sets(st.sampled_from(DATASETS[:2]))),
    st.tuples(st.just("write"), one_strike),
    st.tuples(st.just("append"), one_strike),
    st.tuples(st.just("remove"), st.sampled_from(IDS)),
    st.tuples(st.just("withhold"), st.sampled_from(DATASETS[:2])),
    st.tuples(
        st.just("sql"),
        st.sampled_from(
            [
                "UPDATE strikes SET private = {private} WHERE id = '{id}'",
                "UPDATE strikes SET dataset = '{dataset}' WHERE id = '{id}'",
                "UPDATE OR REPLACE strikes SET id = '{id}' WHERE private = {private}",
                "UPDATE strikes SET private = {private}, dataset = '{dataset}', id = '{id}' WHERE fid = 1",
                "DELETE FROM strikes WHERE id = '{id}'",
                f"INSERT OR REPLACE INTO strikes (dataset, private, {_COPY}) SELECT '{{dataset}}', {{private}}, "
                f"'{{id}}', {_COPY.partition(', ')[2]} FROM strikes LIMIT 1",
            ]
        ),
        st.fixed_dictionaries(
            {"id": st.sampled_from(IDS), "dataset": st.sampled_from(DATASETS), "private": st.sampled_from((0, 1))}
        ),
    ),
)


def run(store: Store, operation: Operation) -> None:
    kind, *rest = operation
    if kind == "load":
        store.load(of(Source(id="s", publisher="P"), *rest[0]), author="t", private=dict.fromkeys(rest[1], WHY))
    elif kind == "write":
        store.write(Edit("strikes", rest[0].id, rest[0], ANY), author="t")
    elif kind == "append":
        store.append("strikes", rest[0], author="t")
    elif kind == "remove":
        store.write(Edit("strikes", rest[0], None, ANY), author="t")
    elif kind == "withhold":
        store.make_private(rest[0], author="t", why=WHY)
    else:
        by_another(store, rest[0].format(**rest[1]))


@given(st.lists(operations, max_size=8))
def test_nothing_in_any_order_makes_public_what_was_private(steps: list[Operation]) -> None:
    with TemporaryDirectory() as folder:
        store = new_geopackages(Path(folder))()
        ever: set[str] = set()
        listed: set[str] = set()
        for step in steps:
            with suppress(StoreError, *REFUSED):
                run(store, step)
            listed |= set(store.privacy().datasets)
            strikes = store.records().strikes
            assert not {key for key, one in strikes.items() if not one.private} & ever
            assert all(one.private for one in strikes.values() if one.dataset in listed)
            ever |= {key for key, one in strikes.items() if one.private}
            in_file = rows(store, "SELECT id FROM strikes WHERE private IS NOT 1")
            assert {key for (key,) in in_file} == strikes.keys() - {k for k, one in strikes.items() if one.private}
        store.close()
