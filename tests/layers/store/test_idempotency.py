"""Keys of requests: stored with what the request wrote or not at all, given again for a day, and removed after it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from layers.model.records import Source
from layers.store.idempotency import RETENTION, KeyedRequest, KeyTaken, StoredResponse
from layers.store.store import Edit, EditConflict, Store
from tests.store_kinds import again

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def source(key: str) -> Source:
    return Source(id=key, dataset="d", publisher="p", title="t", url="https://example.org", published="2026")


def keyed(key: str, request: str = "r", person: str = "ann") -> KeyedRequest:
    return KeyedRequest(person, key, request, lambda seq: StoredResponse(201, {"ETag": f'"{seq}"'}, b"%d" % seq))


def add(store: Store, record: str, keyed: KeyedRequest, at: datetime = AT) -> int:
    return store.write(Edit("sources", record, source(record), None), author="Ann", at=at, keyed=keyed)


def test_the_answer_of_a_key_is_stored_with_the_change(store: Store) -> None:
    seq = add(store, "s1", keyed("k"))
    found = again(store).answered("ann", "k", AT)
    assert found is not None
    assert (found.request, found.seq) == ("r", seq)
    assert found.answer == StoredResponse(201, {"ETag": f'"{seq}"'}, b"%d" % seq)
    assert store.answered("ben", "k", AT) is None
    assert store.answered("ann", "other", AT) is None


def test_a_key_that_was_answered_changes_nothing_again(store: Store) -> None:
    seq = add(store, "s1", keyed("k"))
    with pytest.raises(KeyTaken):
        add(store, "s2", keyed("k"))
    with pytest.raises(KeyTaken):
        store.append("sources", source("s2"), author="Ann", at=AT, keyed=keyed("k"))
    assert (len([*store.revisions()]), store.seq()) == (seq, seq + 1), "a row of history tells of the answer"


def test_a_write_that_is_refused_leaves_its_key_free(store: Store) -> None:
    add(store, "s1", keyed("k1"))
    with pytest.raises(EditConflict):
        add(store, "s1", keyed("k2"))
    assert store.answered("ann", "k2", AT) is None


def test_an_answer_that_cannot_be_given_undoes_the_change(store: Store) -> None:
    def fail(seq: int) -> StoredResponse:
        raise RuntimeError("no answer")

    with pytest.raises(RuntimeError, match="no answer"):
        add(store, "s1", KeyedRequest("ann", "k", "r", fail))
    assert store.seq() == 0


def test_keys_are_free_after_a_day_and_removed_some_at_a_time(store: Store) -> None:
    for number in range(150):
        add(store, f"s{number}", keyed(f"k{number}"))
    later = AT + RETENTION
    assert store.answered("ann", "k0", later - timedelta(milliseconds=1)) is not None
    assert store.answered("ann", "k0", later) is None
    add(store, "again", keyed("k149", "other"), later)
    assert count(store) == 50
    add(store, "more", keyed("k"), later)
    assert count(store) == 2


def count(store: Store) -> int:
    with store._database.reading() as connection:
        (number,) = connection.execute("SELECT count(*) FROM idempotency_keys").fetchone()
        return int(number)


class Keys(RuleBasedStateMachine):
    """Requests with keys of two people over days, some refused, with restarts between, beside a model of them."""

    folder: str

    @initialize()
    def begin(self) -> None:
        self.now, self.number = AT, 0
        self.answers: dict[tuple[str, str], tuple[datetime, int, str]] = {}
        self.records: set[str] = set()
        self.path = Path(self.folder) / f"{id(self)}.gpkg"
        self.store = Store.create(self.path)

    @rule(
        person=st.sampled_from(["ann", "ben"]),
        key=st.sampled_from("abc"),
        request=st.sampled_from(["x", "y"]),
        refused=st.booleans(),
    )
    def send(self, person: str, key: str, request: str, refused: bool) -> None:
        self.number += 1
        record = f"s{self.number}"
        known = self._known(person, key)
        seen = "stale" if refused else None
        edit = Edit("sources", record, source(record), seen)
        try:
            seq = self.store.write(edit, author=person, at=self.now, keyed=keyed(key, request, person))
        except KeyTaken:
            assert known is not None
            return
        except EditConflict:
            assert refused
            assert known is None
            return
        assert known is None
        self.answers[person, key] = (self.now, seq, request)
        self.records.add(record)

    @rule(hours=st.integers(1, 30))
    def wait(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule()
    def restart(self) -> None:
        assert self.store.verify() == ()
        self.store.close()
        self.store = Store.open(self.path)

    @invariant()
    def every_answer_is_given_again(self) -> None:
        # A row of history tells of each answer.
        assert self.store.seq() == 2 * len(self.records)
        for person in ("ann", "ben"):
            for key in "abc":
                found, known = self.store.answered(person, key, self.now), self._known(person, key)
                assert (None if found is None else (found.seq, found.request)) == known

    def _known(self, person: str, key: str) -> tuple[int, str] | None:
        at, seq, request = self.answers.get((person, key), (self.now - RETENTION, 0, ""))
        return (seq, request) if at > self.now - RETENTION else None

    def teardown(self) -> None:
        if hasattr(self, "store"):
            assert self.store.verify() == ()
            self.store.close()
            self.path.unlink()


def test_keys_hold_over_days_people_and_restarts(tmp_path: Path) -> None:
    Keys.folder = str(tmp_path)
    run_state_machine_as_test(Keys, settings=settings(max_examples=15, stateful_step_count=20, deadline=None))
